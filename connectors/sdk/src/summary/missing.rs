//! What was asked for, or is usually told, and the carrier did not say.

use super::money::{self, Kind};
use super::{Scene, Topic, services, words};
use crate::answer::{AuthorizationNeed, Coverage, Covered, NotStated};

/// Everything that was not said. Nothing is listed about services when there is no coverage.
pub(super) fn not_stated(scene: &Scene<'_>) -> Vec<NotStated> {
    let mut found = Vec::new();
    let mut add = |what: String, text: String| found.push(NotStated { what, text });
    if scene.facts.coverage == Coverage::Unknown {
        add("coverage".into(), "The carrier did not clearly say whether there is coverage.".into());
    }
    if scene.facts.coverage == Coverage::Inactive {
        return found;
    }
    if !scene.facts.plans.iter().any(|plan| plan.name.is_some()) {
        add("plan.name".into(), "The carrier did not name the plan.".into());
    }
    if !scene.facts.plans.iter().any(|plan| plan.period.from.is_some()) {
        add("plan.period".into(), "The carrier did not say since when the plan runs.".into());
    }
    for topic in scene.topics.iter().filter(|topic| !topic.whole_plan) {
        service(topic, &mut add);
    }
    for kind in [Kind::Deductible, Kind::OutOfPocket] {
        accumulator(scene, kind, &mut add);
    }
    found
}

fn service(topic: &Topic<'_>, add: &mut impl FnMut(String, String)) {
    let (code, label) = (&topic.code, &topic.label);
    if topic.benefits.iter().all(|benefit| benefit.covered == Covered::NotStated) {
        add(format!("service {code} coverage"), format!("The carrier did not say whether {label} is covered."));
    }
    if topic.benefits.iter().any(|benefit| benefit.covered == Covered::No) && !services::is_covered(topic) {
        // What is not covered has no copay and needs no authorization: nothing is missing.
        return;
    }
    if topic.benefits.iter().all(|benefit| benefit.copay.is_none() && benefit.coinsurance.is_none()) {
        add(
            format!("service {code} cost_share"),
            format!("The carrier did not say what the patient pays for {label}."),
        );
    }
    if topic.benefits.iter().all(|benefit| benefit.authorization == AuthorizationNeed::NotStated) {
        // It may say outright that it does not know.
        let could = if services::authorization_unknown(topic) { "could not say" } else { "did not say" };
        add(
            format!("service {code} authorization"),
            format!("The carrier {could} whether {label} needs prior authorization."),
        );
    }
    if let Some(limit) = services::one_limit(topic)
        && limit.allowed.is_some()
        && limit.remaining.is_none()
        && limit.used.is_none()
    {
        add(
            format!("service {code} limit.remaining"),
            format!("The carrier gave a limit for {label}, but not how much of it is left."),
        );
    }
}

fn accumulator(scene: &Scene<'_>, kind: Kind, add: &mut impl FnMut(String, String)) {
    let name = kind.words();
    let asked = scene.topics.iter().flat_map(|topic| topic.benefits.iter().copied());
    let plan = money::plan_lines(scene, kind);
    let mut lines = plan.into_iter().chain(asked).filter_map(|benefit| kind.of(benefit)).peekable();
    if lines.peek().is_none() {
        add(kind.field().into(), words::start(&format!("the carrier did not state the {name}.")));
        return;
    }
    let (mut base, mut remaining) = (true, true);
    for line in lines {
        base &= line.base.is_some();
        remaining &= line.remaining.is_some();
    }
    if !remaining {
        add(
            format!("{}.remaining", kind.field()),
            format!("The carrier gave the {name}, but not, or not everywhere, how much of it is left."),
        );
    }
    if !base {
        add(
            format!("{}.base", kind.field()),
            format!("The carrier gave amounts of the {name}, but not, or not everywhere, the whole."),
        );
    }
}
