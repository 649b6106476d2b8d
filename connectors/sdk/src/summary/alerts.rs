//! What to look at before anything else.

use rust_decimal::Decimal;

use super::{Scene, Topic, coverage, services, words};
use crate::answer::{Alert, AuthorizationNeed, Coverage, Covered, Limit};
use crate::phi::Phi;

/// Most of the carrier's own notes shown as alerts, and characters of each.
const NOTES_MOST: usize = 3;
const NOTE_CHARACTERS: usize = 300;

/// All alerts, the gravest first.
pub(super) fn alerts(scene: &Scene<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    coverage_alert(scene, &mut found);
    found.extend(coverage::other_payers(scene).map(|text| alert("other_payer", text)));
    for correction in coverage::people(scene.facts).flat_map(|person| &person.corrections) {
        let field = coverage::field_words(&correction.field);
        found.push(alert(
            "correction",
            format!(
                "The carrier has {field} {} on file; {} was asked with.",
                words::cut(correction.on_file.text(), 80),
                words::cut(correction.asked.text(), 80)
            ),
        ));
    }
    if scene.facts.coverage != Coverage::Inactive {
        for topic in &scene.topics {
            topic_alerts(topic, &mut found);
        }
    }
    notes(scene, &mut found);
    found
}

fn alert(kind: &str, text: String) -> Alert {
    Alert { kind: kind.to_owned(), text: Phi::new(text) }
}

fn coverage_alert(scene: &Scene<'_>, found: &mut Vec<Alert>) {
    let when = &scene.when;
    match scene.facts.coverage {
        Coverage::Active => {}
        Coverage::Inactive => {
            let text = coverage::ended(scene).map_or_else(
                || format!("The coverage is not active {when}."),
                |ended| format!("The coverage is not active {when}. It ended on {}.", words::day(ended)),
            );
            found.push(alert("inactive", text));
        }
        Coverage::Pending => {
            found.push(alert("coverage_pending", "The carrier is still checking the coverage.".to_owned()));
        }
        Coverage::Unknown => {
            found.push(alert(
                "coverage_unclear",
                format!("The carrier did not clearly say whether there is coverage {when}."),
            ));
        }
    }
}

fn topic_alerts(topic: &Topic<'_>, found: &mut Vec<Alert>) {
    let label = words::start(&topic.label);
    if !topic.whole_plan && services::coverage(topic).is_some_and(|picked| picked.values == [Covered::No]) {
        found.push(alert("not_covered", format!("{label} is not covered.")));
    }
    if services::authorizations(topic).is_some_and(|picked| picked.values.contains(&AuthorizationNeed::Required)) {
        found.push(alert("authorization_required", format!("{label} needs prior authorization.")));
    }
    match services::one_limit(topic).and_then(state) {
        Some(LimitState::Reached) => {
            found.push(alert("limit_reached", format!("The limit for {} is used up.", topic.label)))
        }
        Some(LimitState::NearlyUsed) => {
            found.push(alert("limit_nearly_used", format!("The limit for {} is nearly used up.", topic.label)));
        }
        None => {}
    }
}

enum LimitState {
    Reached,
    NearlyUsed,
}

/// Reached: nothing is left. Nearly used: a fifth or less is left.
fn state(limit: &Limit) -> Option<LimitState> {
    let left = limit.remaining.or_else(|| limit.allowed?.checked_sub(limit.used?))?;
    if left <= Decimal::ZERO {
        return Some(LimitState::Reached);
    }
    let allowed = limit.allowed?;
    (left.checked_mul(Decimal::from(5))? <= allowed).then_some(LimitState::NearlyUsed)
}

fn notes(scene: &Scene<'_>, found: &mut Vec<Alert>) {
    let mut told: Vec<&str> = Vec::new();
    for message in scene.facts.plans.iter().flat_map(|plan| &plan.messages) {
        let text = message.text().trim();
        if told.len() < NOTES_MOST && !text.is_empty() && !told.contains(&text) {
            told.push(text);
            found.push(alert("carrier_note", format!("The carrier notes: {}", words::cut(text, NOTE_CHARACTERS))));
        }
    }
}
