//! Parts of the same service, network and level put together, without ever overwriting one with another.

use std::collections::HashMap;

use connector_sdk::answer::{Accumulator, AuthorizationNeed, Benefit, Coded, Covered, Level, Limit, Network};
use rust_decimal::Decimal;

/// How many of the latest benefits with the same key are looked at: bounds the work on hostile replies.
const LOOK_BACK: usize = 64;

/// What makes two parts belong together.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    service: String,
    procedure: Option<String>,
    network: Network,
    level: Level,
    insurance_type: Option<Coded>,
    plan: Option<String>,
    places: Vec<Coded>,
}

/// Benefits so far.
#[derive(Default)]
pub struct Merged {
    benefits: Vec<Benefit>,
    by_key: HashMap<Key, Vec<usize>>,
}

impl Merged {
    /// Adds a part: to the latest benefit of its key that has room for all of it, else as a benefit of its own.
    pub fn add(&mut self, part: Benefit) {
        let key = Key {
            service: part.service.code.clone(),
            procedure: part.procedure.as_ref().map(|procedure| procedure.code.clone()),
            network: part.network,
            level: part.level.clone(),
            insurance_type: part.insurance_type.clone(),
            plan: part.plan.clone(),
            places: part.places.clone(),
        };
        let places = self.by_key.entry(key).or_default();
        for place in places.iter().rev().take(LOOK_BACK) {
            if let Some(benefit) = self.benefits.get_mut(*place)
                && fits(benefit, &part)
            {
                join(benefit, part);
                return;
            }
        }
        places.push(self.benefits.len());
        self.benefits.push(part);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.benefits.len()
    }

    /// All of them, in the order they came.
    pub fn into_benefits(self) -> Vec<Benefit> {
        self.benefits
    }
}

fn fits(into: &Benefit, part: &Benefit) -> bool {
    let only_accumulators = part.covered == Covered::NotStated
        && part.copay.is_none()
        && part.coinsurance.is_none()
        && part.limit.is_none()
        && part.other.is_empty();
    // Words beside a copay or a limit say when it holds: they must not stand beside another one.
    (only_accumulators || into.messages == part.messages)
        && (into.covered == part.covered || into.covered == Covered::NotStated || part.covered == Covered::NotStated)
        && (into.authorization == part.authorization
            || into.authorization == AuthorizationNeed::NotStated
            || part.authorization == AuthorizationNeed::NotStated)
        && free(&into.copay, &part.copay)
        && free(&into.coinsurance, &part.coinsurance)
        && accumulator_fits(into.deductible.as_ref(), part.deductible.as_ref())
        && accumulator_fits(into.out_of_pocket.as_ref(), part.out_of_pocket.as_ref())
        && limit_fits(into.limit.as_ref(), part.limit.as_ref())
}

/// One of the two is empty, or they are equal.
fn free<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    a.is_none() || b.is_none() || a == b
}

fn accumulator_fits(into: Option<&Accumulator>, part: Option<&Accumulator>) -> bool {
    let (Some(into), Some(part)) = (into, part) else { return true };
    free(&into.base, &part.base)
        && free(&into.met, &part.met)
        && free(&into.remaining, &part.remaining)
        && free(&into.period, &part.period)
        // More cannot be left or met than there is: then it is of another whole.
        && sensible(into.base.or(part.base), into.remaining.or(part.remaining))
        && sensible(into.base.or(part.base), into.met.or(part.met))
}

fn limit_fits(into: Option<&Limit>, part: Option<&Limit>) -> bool {
    let (Some(into), Some(part)) = (into, part) else { return true };
    free(&into.allowed, &part.allowed)
        && free(&into.used, &part.used)
        && free(&into.remaining, &part.remaining)
        && free(&into.unit, &part.unit)
        && free(&into.period, &part.period)
        && sensible(into.allowed.or(part.allowed), into.remaining.or(part.remaining))
}

fn sensible(whole: Option<Decimal>, some: Option<Decimal>) -> bool {
    whole.zip(some).is_none_or(|(whole, some)| some <= whole)
}

fn join(into: &mut Benefit, part: Benefit) {
    if into.covered == Covered::NotStated {
        into.covered = part.covered;
    }
    if into.authorization == AuthorizationNeed::NotStated {
        into.authorization = part.authorization;
    }
    into.copay = into.copay.take().or(part.copay);
    into.coinsurance = into.coinsurance.take().or(part.coinsurance);
    into.deductible = accumulator(into.deductible.take(), part.deductible);
    into.out_of_pocket = accumulator(into.out_of_pocket.take(), part.out_of_pocket);
    into.limit = match (into.limit.take(), part.limit) {
        (Some(a), Some(b)) => Some(Limit {
            allowed: a.allowed.or(b.allowed),
            used: a.used.or(b.used),
            remaining: a.remaining.or(b.remaining),
            unit: a.unit.or(b.unit),
            period: a.period.or(b.period),
            patterns: a.patterns,
        }),
        (a, b) => a.or(b),
    };
    for message in part.messages {
        if !into.messages.contains(&message) {
            into.messages.push(message);
        }
    }
    into.other.extend(part.other);
    into.provenance.extend(part.provenance);
}

fn accumulator(a: Option<Accumulator>, b: Option<Accumulator>) -> Option<Accumulator> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Accumulator {
            base: a.base.or(b.base),
            met: a.met.or(b.met),
            remaining: a.remaining.or(b.remaining),
            period: a.period.or(b.period),
        }),
        (a, b) => a.or(b),
    }
}
