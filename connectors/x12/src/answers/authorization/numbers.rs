//! The numbers an authorization, or a service of it, is known by.

use connector_sdk::Phi;
use connector_sdk::answer::authorization::{AuthorizationNumber, AuthorizationState as State, NumberKind};

use super::Source;
use crate::review::Matter;

/// All numbers of an event or a service: the decision's, those of earlier reviews, traces.
pub(super) fn numbers(from: &Source<'_, '_>, matter: &Matter<'_, '_>, loop_id: &str) -> Vec<AuthorizationNumber> {
    let mut all = Vec::new();
    let mut add = |kind: NumberKind, value: &str, position: u32, id: &str| {
        if !value.is_empty() {
            let provenance = vec![from.place(position, id, loop_id, &["value"])];
            all.push(AuthorizationNumber { kind, value: Phi::new(value.to_owned()), provenance });
        }
    };
    if let Some(decision) = matter.decision {
        let kind = match super::state(decision) {
            State::Approved | State::PartiallyApproved => NumberKind::Authorization,
            State::Pended | State::NeedsPerson => NumberKind::Tracking,
            _ => NumberKind::Decision,
        };
        add(kind, &decision.number, decision.at.0, "HCR");
    }
    for reference in matter.references {
        let kind = match &*reference.qualifier {
            "BB" | "G1" | "9F" => NumberKind::Authorization,
            "NT" => NumberKind::Case,
            _ => continue,
        };
        add(kind, &reference.value, reference.at.0, "REF");
    }
    for trace in matter.traces {
        add(NumberKind::Trace, &trace.number, trace.at.0, "TRN");
    }
    all
}
