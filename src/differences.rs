//! What of a carrier's answer is another than in an earlier one: two stored answers compared fact by fact, by their types
//! and never by their words.
//!
//! Compared is what both speak of: a service that was not asked about the other time has not changed. Where a carrier gave
//! several values for one fact (a copay for the office, another one for urgent care), all of them are compared together.

use std::collections::{BTreeMap, BTreeSet};

use connector_sdk::EligibilityFacts;
use connector_sdk::answer::{Accumulator, AuthorizationNeed, Benefit, Coded, Coverage, Covered, Level, Network, Plan};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

/// Differences of two answers at most; the gravest are kept.
const DIFFERENCES_MAX: usize = 100;

/// A fact, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Whether there is coverage.
    Coverage,
    /// The plan's name.
    Plan,
    /// First day of the plan.
    PlanBegins,
    /// Last day of the plan.
    PlanEnds,
    /// Other insurers that may pay.
    OtherPayers,
    /// Primary care provider.
    PrimaryCare,
    /// Whether a service is covered.
    Covered,
    /// Whether prior authorization is needed.
    Authorization,
    /// Fixed amount per visit.
    Copay,
    /// The patient's share.
    Coinsurance,
    /// How much of a service is allowed.
    LimitAllowed,
    /// How much of it is left.
    LimitLeft,
    /// The whole deductible.
    Deductible,
    /// What is left of it.
    DeductibleLeft,
    /// The whole out-of-pocket maximum.
    OutOfPocket,
    /// What is left of it.
    OutOfPocketLeft,
}

/// A value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// US dollars.
    Amount(#[schemars(with = "String")] Decimal),
    /// A share as a decimal: `0.20` is 20 %.
    Share(#[schemars(with = "String")] Decimal),
    /// A count: visits, days.
    Count(#[schemars(with = "String")] Decimal),
    /// A day.
    Day(#[schemars(with = "String")] Date),
    /// A word: of this document's own lists, or as the carrier wrote it.
    Word(String),
}

/// One fact that is another one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Which fact.
    pub fact: Fact,
    /// Of which service; absent for the coverage itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Coded>,
    /// Of which procedure, where the carrier answered by procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<Coded>,
    /// In which network.
    pub network: Network,
    /// For whom.
    pub level: Level,
    /// All values in the earlier answer; empty where it did not say.
    pub before: Vec<Value>,
    /// All values now; empty where the carrier does not say any more.
    pub after: Vec<Value>,
}

/// What tells one line of benefits from another.
type Line = (String, String, String, &'static str, String);
/// The facts of one answer.
type Facts = BTreeMap<(Fact, Line), BTreeSet<Value>>;

/// What is another one in `now` than in `before`, the gravest first.
pub fn between(before: &EligibilityFacts, now: &EligibilityFacts) -> Vec<Difference> {
    let services = |facts: &EligibilityFacts| -> BTreeSet<Line> { facts.benefits.iter().map(service).collect() };
    let (both, plans) = (&services(before) & &services(now), !before.plans.is_empty() && !now.plans.is_empty());
    let shared = |facts: &EligibilityFacts| -> Facts {
        let mut all = coverage(facts, plans);
        for benefit in facts.benefits.iter().filter(|benefit| both.contains(&service(benefit))) {
            of_benefit(benefit, &mut all);
        }
        all
    };
    let (old, new) = (shared(before), shared(now));
    let keys: BTreeSet<&(Fact, Line)> = old.keys().chain(new.keys()).collect();
    let none = BTreeSet::new();
    let mut found = Vec::new();
    for key in keys {
        let (was, is) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
        if was != is && found.len() < DIFFERENCES_MAX {
            let own = |facts: &'_ EligibilityFacts| facts.benefits.iter().find(|one| line(one) == key.1).cloned();
            let benefit = own(now).or_else(|| own(before));
            found.push(Difference {
                fact: key.0,
                service: benefit.as_ref().map(|one| one.service.clone()),
                procedure: benefit.as_ref().and_then(|one| one.procedure.clone()),
                network: benefit.as_ref().map_or(Network::NotStated, |one| one.network),
                level: benefit.map_or(Level::NotStated, |one| one.level),
                before: was.iter().cloned().collect(),
                after: is.iter().cloned().collect(),
            });
        }
    }
    found
}

/// The service alone.
fn service(benefit: &Benefit) -> Line {
    let procedure = benefit.procedure.as_ref().map(|one| one.code.clone()).unwrap_or_default();
    let label = if benefit.service.code.is_empty() { benefit.service.label.clone() } else { String::new() };
    (benefit.service.code.clone(), label, procedure, "", String::new())
}

/// The service in one network at one level.
fn line(benefit: &Benefit) -> Line {
    let network = match benefit.network {
        Network::In => "in",
        Network::Out => "out",
        Network::Both => "both",
        Network::NotStated => "not stated",
    };
    let (code, label, procedure, ..) = service(benefit);
    (code, label, procedure, network, format!("{:?}", benefit.level))
}

fn coverage(facts: &EligibilityFacts, plans: bool) -> Facts {
    let mut all = Facts::new();
    let mut add = |fact, value: Value| {
        all.entry((fact, Line::default())).or_default().insert(value);
    };
    let word = match facts.coverage {
        Coverage::Active => "active",
        Coverage::Inactive => "not active",
        Coverage::Pending => "still being checked",
        Coverage::Unknown => "not clearly stated",
    };
    add(Fact::Coverage, Value::Word(word.to_owned()));
    for plan in facts.plans.iter().filter(|_| plans) {
        of_plan(plan, &mut add);
    }
    all
}

fn of_plan(plan: &Plan, add: &mut impl FnMut(Fact, Value)) {
    let mut word = |fact, text: Option<&str>| {
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            add(fact, Value::Word(text.to_owned()));
        }
    };
    word(Fact::Plan, plan.name.as_deref());
    for payer in &plan.other_payers {
        word(Fact::OtherPayers, payer.name.as_deref());
    }
    let doctor = plan.primary_care.as_ref().and_then(|doctor| doctor.name.as_ref());
    word(Fact::PrimaryCare, doctor.map(connector_sdk::Phi::text));
    for (fact, day) in [(Fact::PlanBegins, plan.period.from), (Fact::PlanEnds, plan.period.to)] {
        if let Some(day) = day {
            add(fact, Value::Day(day));
        }
    }
}

fn of_benefit(benefit: &Benefit, all: &mut Facts) {
    let own = line(benefit);
    let mut add = |fact, value| {
        all.entry((fact, own.clone())).or_default().insert(value);
    };
    let word = match benefit.covered {
        Covered::Yes => Some("covered"),
        Covered::No => Some("not covered"),
        Covered::Limited => Some("covered within limits"),
        Covered::NotStated => None,
    };
    word.into_iter().for_each(|word| add(Fact::Covered, Value::Word(word.to_owned())));
    let word = match benefit.authorization {
        AuthorizationNeed::Required => Some("needed"),
        AuthorizationNeed::NotRequired => Some("not needed"),
        AuthorizationNeed::NotStated => None,
    };
    word.into_iter().for_each(|word| add(Fact::Authorization, Value::Word(word.to_owned())));
    if let Some(copay) = &benefit.copay {
        add(Fact::Copay, Value::Amount(copay.amount.normalize()));
    }
    if let Some(share) = &benefit.coinsurance {
        add(Fact::Coinsurance, Value::Share(share.patient_share.normalize()));
    }
    if let Some(limit) = &benefit.limit {
        let counts = [(Fact::LimitAllowed, limit.allowed), (Fact::LimitLeft, limit.remaining)];
        counts.into_iter().for_each(|(fact, n)| n.into_iter().for_each(|n| add(fact, Value::Count(n.normalize()))));
    }
    let mut fills = |of: &Option<Accumulator>, base, left| {
        let Some(of) = of else { return };
        of.base.into_iter().for_each(|amount| add(base, Value::Amount(amount.normalize())));
        of.remaining.into_iter().for_each(|amount| add(left, Value::Amount(amount.normalize())));
    };
    fills(&benefit.deductible, Fact::Deductible, Fact::DeductibleLeft);
    fills(&benefit.out_of_pocket, Fact::OutOfPocket, Fact::OutOfPocketLeft);
}

#[cfg(test)]
mod tests {
    use connector_sdk::answer::{Copay, DateSpan};

    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn visit(code: &str, network: Network, copay: &str) -> Benefit {
        Benefit {
            service: Coded::new(code, "Office visit"),
            network,
            copay: Some(Copay { amount: dec(copay), per: None }),
            ..Benefit::default()
        }
    }

    fn answer(benefits: Vec<Benefit>) -> EligibilityFacts {
        let plan = Plan { name: Some("CHOICE".to_owned()), ..Plan::default() };
        EligibilityFacts { coverage: Coverage::Active, plans: vec![plan], benefits, ..EligibilityFacts::default() }
    }

    #[test]
    fn a_copay_that_rose_is_told_with_both_amounts() {
        let old = answer(vec![visit("98", Network::In, "30.00"), visit("98", Network::Out, "90")]);
        let new = answer(vec![visit("98", Network::In, "40"), visit("98", Network::Out, "90.00")]);
        let found = between(&old, &new);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].fact, found[0].network), (Fact::Copay, Network::In));
        assert_eq!(found[0].before, [Value::Amount(dec("30"))]);
        assert_eq!(found[0].after, [Value::Amount(dec("40"))]);
        assert!(between(&old, &old).is_empty() && between(&new, &new).is_empty());
    }

    #[test]
    fn several_values_are_compared_together_and_order_does_not_matter() {
        let two = |one, other| answer(vec![visit("98", Network::In, one), visit("98", Network::In, other)]);
        assert!(between(&two("30", "75"), &two("75.0", "30")).is_empty());
        let found = between(&two("30", "75"), &two("30", "80"));
        assert_eq!(found[0].before, [Value::Amount(dec("30")), Value::Amount(dec("75"))]);
        assert_eq!(found[0].after, [Value::Amount(dec("30")), Value::Amount(dec("80"))]);
    }

    #[test]
    fn what_one_of_them_does_not_speak_of_has_not_changed() {
        let old = answer(vec![visit("98", Network::In, "30"), visit("UC", Network::In, "75")]);
        let new = answer(vec![visit("98", Network::In, "30")]);
        assert!(between(&old, &new).is_empty(), "urgent care was not asked about this time");
        // The same service, and nothing said of it any more: that is a difference.
        let bare = answer(vec![Benefit { copay: None, ..visit("98", Network::In, "0") }]);
        assert_eq!(between(&new, &bare)[0].after, []);
        // An answer without a plan says nothing about the plan.
        assert!(between(&new, &EligibilityFacts { plans: Vec::new(), ..new.clone() }).is_empty());
    }

    #[test]
    fn the_gravest_is_first_and_there_is_an_end() {
        let mut old = answer((0..300).map(|n| visit(&n.to_string(), Network::In, "30")).collect());
        let mut new = answer((0..300).map(|n| visit(&n.to_string(), Network::In, "40")).collect());
        old.plans[0].period = DateSpan { from: None, to: Some(jiff::civil::date(2026, 12, 31)) };
        new.plans[0].period = DateSpan { from: None, to: Some(jiff::civil::date(2026, 11, 20)) };
        new.coverage = Coverage::Inactive;
        let found = between(&old, &new);
        assert_eq!(found.len(), DIFFERENCES_MAX);
        assert_eq!(found[0].before, [Value::Word("active".to_owned())]);
        assert_eq!(found[1].fact, Fact::PlanEnds);
        assert_eq!(found[2].fact, Fact::Copay);
    }
}
