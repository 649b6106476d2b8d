//! Deductible and out-of-pocket maximum.

use super::{Scene, pick, words};
use crate::answer::{Accumulator, Benefit, Level};

/// Adds the sentences on the plan's deductible and out-of-pocket maximum, then those of the services asked about
/// where they differ.
pub(super) fn sentences(scene: &Scene<'_>, said: &mut Vec<String>) {
    for kind in [Kind::Deductible, Kind::OutOfPocket] {
        let plan = || plan_lines(scene);
        let one = |benefit: &&Benefit| matches!(benefit.level, Level::Individual | Level::NotStated);
        let person = pick::best(plan().filter(one), |b| kind.of(b));
        // Employee and spouse, children only …: not what one person owes.
        let some = pick::best(plan().filter(|b| !one(b) && b.level != Level::Family), |b| kind.of(b));
        let family = pick::best(plan().filter(|benefit| benefit.level == Level::Family), |b| kind.of(b));
        if let Some(picked) = &person {
            said.extend(accumulator(kind, &picked.values, picked.network_words(), ""));
        }
        if let (None, Some(picked)) = (&person, &some) {
            let whose = " for some members of the family";
            said.extend(accumulator(kind, &picked.values, picked.network_words(), whose));
        }
        if let Some(picked) = &family {
            said.extend(accumulator(kind, &picked.values, picked.network_words(), " for the family"));
        }
        for topic in scene.topics.iter().filter(|topic| !topic.whole_plan) {
            let own = pick::best(topic.benefits.iter().copied(), |benefit| kind.of(benefit));
            if let Some(picked) = own
                && person.as_ref().is_none_or(|plan| plan.values != picked.values)
            {
                let whose = format!(" for {}", topic.label);
                said.extend(accumulator(kind, &picked.values, picked.network_words(), &whose));
            }
        }
    }
}

/// Lines that speak of the plan as a whole.
pub(super) fn plan_lines<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Benefit> {
    scene
        .facts
        .benefits
        .iter()
        .filter(|benefit| benefit.procedure.is_none() && matches!(benefit.service.code.as_str(), "30" | ""))
}

/// Which accumulator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deductible,
    OutOfPocket,
}

impl Kind {
    /// The accumulator of a line, when it holds a number.
    pub(super) fn of(self, benefit: &Benefit) -> Option<&Accumulator> {
        let accumulator = match self {
            Self::Deductible => benefit.deductible.as_ref(),
            Self::OutOfPocket => benefit.out_of_pocket.as_ref(),
        };
        accumulator.filter(|a| a.base.or(a.met).or(a.remaining).is_some())
    }

    /// Its name in a sentence.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Deductible => "deductible",
            Self::OutOfPocket => "out-of-pocket maximum",
        }
    }

    /// Its name in `not_stated`.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Deductible => "deductible",
            Self::OutOfPocket => "out_of_pocket",
        }
    }
}

fn accumulator(kind: Kind, values: &[&Accumulator], place: &str, whose: &str) -> Option<String> {
    let name = kind.words();
    let [one] = values else {
        return Some(words::start(&format!("{place}there is more than one {name}{whose}. See the details.")));
    };
    let money = |amount| words::money(amount, false);
    Some(words::start(&match (one.base, one.met, one.remaining) {
        (Some(base), _, Some(left)) => {
            format!("{place}{} of the {} {name}{whose} is left.", money(left), money(base))
        }
        (Some(base), Some(met), None) => {
            format!("{place}{} of the {} {name}{whose} is met.", money(met), money(base))
        }
        (Some(base), None, None) => format!("{place}the {name}{whose} is {}.", money(base)),
        (None, _, Some(left)) => format!("{place}{} of the {name}{whose} is left.", money(left)),
        (None, Some(met), None) => format!("{place}{} of the {name}{whose} is met.", money(met)),
        (None, None, None) => return None,
    }))
}
