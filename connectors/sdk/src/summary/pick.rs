//! Which of several benefit lines the words speak of: in network first, one person first.

use crate::answer::{Benefit, Level, Network};

/// What was found: the distinct values of the best lines, and the network they hold for.
pub(super) struct Picked<T> {
    pub(super) values: Vec<T>,
    pub(super) network: Network,
}

impl<T> Picked<T> {
    /// `In network, `, or nothing where the carrier named no network.
    pub(super) fn network_words(&self) -> &'static str {
        network_words(self.network)
    }
}

/// A network at the start of a sentence.
pub(super) fn network_words(network: Network) -> &'static str {
    match network {
        Network::In => "In network, ",
        Network::Out => "Out of network, ",
        Network::Both => "In and out of network, ",
        Network::NotStated => "",
    }
}

/// Distinct values that are told apart. No sentence names more than a few; a carrier may send thousands.
const VALUES_MOST: usize = 50;

/// The distinct values (at most [`VALUES_MOST`]) that `read` finds in the lines of the best rank. Several values mean that the carrier gave
/// several, and the caller must not choose one of them.
pub(super) fn best<'a, T: PartialEq>(
    benefits: impl Iterator<Item = &'a Benefit>,
    read: impl Fn(&'a Benefit) -> Option<T>,
) -> Option<Picked<T>> {
    let mut found: Option<((u8, u8), Picked<T>)> = None;
    for benefit in benefits {
        let Some(value) = read(benefit) else { continue };
        let rank = (network_rank(benefit.network), level_rank(&benefit.level));
        match &mut found {
            Some((best_rank, picked)) if rank == *best_rank => {
                if picked.values.len() < VALUES_MOST && !picked.values.contains(&value) {
                    picked.values.push(value);
                }
                // `In` and `Both` share a rank; together they speak of the network the visit is in.
                if picked.network != benefit.network {
                    picked.network = Network::In;
                }
            }
            Some((best_rank, _)) if rank > *best_rank => {}
            _ => found = Some((rank, Picked { values: vec![value], network: benefit.network })),
        }
    }
    found.map(|(_, picked)| picked)
}

fn network_rank(network: Network) -> u8 {
    match network {
        Network::In | Network::Both => 0,
        Network::NotStated => 1,
        Network::Out => 2,
    }
}

fn level_rank(level: &Level) -> u8 {
    match level {
        Level::Individual => 0,
        Level::NotStated => 1,
        Level::Family => 3,
        Level::EmployeeOnly
        | Level::EmployeeAndSpouse
        | Level::EmployeeAndChildren
        | Level::SpouseAndChildren
        | Level::SpouseOnly
        | Level::ChildrenOnly
        | Level::DependentsOnly
        | Level::Unknown(_) => 2,
    }
}
