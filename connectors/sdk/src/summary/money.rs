//! Deductible and out-of-pocket maximum.

use super::{Scene, pick, words};
use crate::answer::{Accumulator, Benefit, DateSpan, Level};

/// Adds the sentences on the plan's deductible and out-of-pocket maximum, then those of the services asked about
/// where they differ.
pub(super) fn sentences(scene: &Scene<'_>, said: &mut Vec<String>) {
    for kind in [Kind::Deductible, Kind::OutOfPocket] {
        let lines = plan_lines(scene, kind);
        let value = |benefit| kind.of(benefit).map(|accumulator| Amounts { accumulator, time: time(scene, benefit) });
        let plan = || lines.iter().copied();
        let one = |benefit: &&Benefit| matches!(benefit.level, Level::Individual | Level::NotStated);
        let person = pick::best(plan().filter(one), value);
        // Employee and spouse, children only …: not what one person owes.
        let some = pick::best(plan().filter(|b| !one(b) && b.level != Level::Family), value);
        let family = pick::best(plan().filter(|benefit| benefit.level == Level::Family), value);
        if let Some(picked) = &person {
            said.extend(sentence(kind, &picked.values, picked.network_words(), ""));
        }
        if let (None, Some(picked)) = (&person, &some) {
            let whose = " for some members of the family";
            said.extend(sentence(kind, &picked.values, picked.network_words(), whose));
        }
        if let Some(picked) = &family {
            said.extend(sentence(kind, &picked.values, picked.network_words(), " for the family"));
        }
        for topic in scene.topics.iter().filter(|topic| !topic.whole_plan) {
            let own = pick::best(topic.benefits.iter().copied(), value);
            if let Some(picked) = own
                && person.as_ref().is_none_or(|plan| plan.values != picked.values)
            {
                let whose = format!(" for {}", topic.label);
                said.extend(sentence(kind, &picked.values, picked.network_words(), &whose));
            }
        }
    }
}

/// Lines that speak of the plan as a whole and give an amount of this kind: those that hold on the days asked about, or
/// all of them where none does.
pub(super) fn plan_lines<'a>(scene: &Scene<'a>, kind: Kind) -> Vec<&'a Benefit> {
    let whole = |benefit: &&Benefit| benefit.procedure.is_none() && matches!(benefit.service.code.as_str(), "30" | "");
    let mut lines: Vec<&Benefit> =
        scene.facts.benefits.iter().filter(whole).filter(|benefit| kind.of(benefit).is_some()).collect();
    if lines.iter().any(|benefit| scene.holds(benefit)) {
        lines.retain(|benefit| scene.holds(benefit));
    }
    lines
}

/// Amounts, and the time they are of where that is not the days asked about.
#[derive(PartialEq)]
struct Amounts<'a> {
    accumulator: &'a Accumulator,
    time: Option<&'a DateSpan>,
}

fn time<'a>(scene: &Scene<'_>, benefit: &'a Benefit) -> Option<&'a DateSpan> {
    (!scene.holds(benefit)).then_some(&benefit.period)
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

fn sentence(kind: Kind, values: &[Amounts<'_>], place: &str, whose: &str) -> Option<String> {
    let name = kind.words();
    let [Amounts { accumulator: one, time }] = values else {
        let times = if values.iter().any(|amounts| amounts.time.is_some()) { ", each of another time" } else { "" };
        return Some(words::start(&format!("{place}there is more than one {name}{whose}{times}. See the details.")));
    };
    let money = |amount| words::money(amount, false);
    // What was left at the end of last year is not left now.
    let (is, time) = match time {
        None => ("is", String::new()),
        Some(DateSpan { from: Some(from), to: Some(to) }) => {
            ("was", format!(" from {} to {}", words::day(*from), words::day(*to)))
        }
        Some(DateSpan { from: None, to: Some(to) }) => ("was", format!(" until {}", words::day(*to))),
        Some(DateSpan { from: Some(from), .. }) => ("is", format!(" from {} on", words::day(*from))),
        Some(DateSpan { from: None, to: None }) => ("is", String::new()),
    };
    Some(words::start(&match (one.base, one.met, one.remaining) {
        (Some(base), _, Some(left)) => {
            format!("{place}{} of the {} {name}{whose} {is} left{time}.", money(left), money(base))
        }
        (Some(base), Some(met), None) => {
            format!("{place}{} of the {} {name}{whose} {is} met{time}.", money(met), money(base))
        }
        (Some(base), None, None) => format!("{place}the {name}{whose} {is} {}{time}.", money(base)),
        (None, _, Some(left)) => format!("{place}{} of the {name}{whose} {is} left{time}.", money(left)),
        (None, Some(met), None) => format!("{place}{} of the {name}{whose} {is} met{time}.", money(met)),
        (None, None, None) => return None,
    }))
}
