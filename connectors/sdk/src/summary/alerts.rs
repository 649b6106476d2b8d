//! What to look at before anything else.

use rust_decimal::Decimal;

use super::{Scene, Topic, coverage, services, words};
use crate::answer::{Alert, AuthorizationNeed, Coverage, Covered, Limit, OtherFact};
use crate::phi::Phi;

/// Most of the carrier's own notes shown as alerts, and characters of each.
const NOTES_MOST: usize = 3;
const NOTE_CHARACTERS: usize = 300;
/// Most reasons for which parts of the question were turned away, and services named with each.
const REASONS_MOST: usize = 5;
const SERVICES_MOST: usize = 4;

/// All alerts, the gravest first.
pub(super) fn alerts(scene: &Scene<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    coverage_alert(scene, &mut found);
    turned_away(scene, &mut found);
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
        authorization_unknown(scene, &mut found);
    }
    military(scene, &mut found);
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
            let end = coverage::ended_everywhere(scene).map(|end| format!(" It has {} as the end.", words::day(end)));
            let text = format!("The carrier did not clearly say whether there is coverage {when}.");
            found.push(alert("coverage_unclear", text + &end.unwrap_or_default()));
        }
    }
}

/// What the carrier turned away while it answered the rest: one alert for each reason, with the services it stands at.
fn turned_away(scene: &Scene<'_>, found: &mut Vec<Alert>) {
    let mut reasons: Vec<(&OtherFact, Vec<String>)> = Vec::new();
    for benefit in &scene.facts.benefits {
        for fact in benefit.other.iter().filter(|fact| fact.turned_away().is_some()) {
            let known = reasons.iter().position(|(known, _)| known.kind == fact.kind && known.text == fact.text);
            let at = known.unwrap_or(reasons.len());
            if known.is_none() && at < REASONS_MOST {
                reasons.push((fact, Vec::new()));
            }
            let Some((_, services)) = reasons.get_mut(at) else { continue };
            let label = words::inside(&benefit.service.label);
            if !benefit.service.code.is_empty() && services.len() <= SERVICES_MOST && !services.contains(&label) {
                services.push(label);
            }
        }
    }
    for (fact, mut services) in reasons {
        if services.len() > SERVICES_MOST {
            services.truncate(SERVICES_MOST);
            services.push("more".to_owned());
        }
        let of = if services.is_empty() { String::new() } else { format!(" ({})", words::list(&services, "and")) };
        let reason = fact.turned_away().unwrap_or_default();
        let why = words::known(&fact.kind).filter(|label| *label != reason);
        let why =
            why.map_or_else(|| format!("its reason code is {reason}"), |label| words::cut(label, NOTE_CHARACTERS));
        let then =
            fact.text.as_deref().map(|text| format!(" {}.", words::cut(text, NOTE_CHARACTERS))).unwrap_or_default();
        found
            .push(alert("partly_refused", format!("The carrier turned a part of the question away{of}: {why}.{then}")));
    }
}

/// One alert for all services asked about of which the carrier says that it does not know.
fn authorization_unknown(scene: &Scene<'_>, found: &mut Vec<Alert>) {
    let unknown = scene.topics.iter().filter(|topic| !topic.whole_plan && services::authorization_unknown(topic));
    let labels: Vec<String> = unknown.map(|topic| topic.label.clone()).collect();
    if !labels.is_empty() {
        let either = words::list(&labels, "or");
        let needs = if words::plural(&either) { "need" } else { "needs" };
        let text = format!("The carrier could not say whether {either} {needs} prior authorization.");
        found.push(alert("authorization_unclear", text));
    }
}

/// Military service: another payer may stand behind it.
fn military(scene: &Scene<'_>, found: &mut Vec<Alert>) {
    let people = [(Some(&scene.facts.member), "the subscriber"), (scene.facts.dependent.as_ref(), "the patient")];
    for (person, whose) in people {
        let Some(service) = person.and_then(|person| person.military.as_ref()) else { continue };
        let whose = if scene.facts.dependent.is_none() { "the patient" } else { whose };
        // The branch is a name; the others are words.
        let branch = service.branch.as_ref().and_then(words::known).map(str::to_owned);
        let others = [&service.employment, &service.status].into_iter().flatten();
        let known: Vec<String> = branch.into_iter().chain(others.filter_map(words::known).map(words::inside)).collect();
        let what = if known.is_empty() { String::new() } else { format!(": {}", known.join(", ")) };
        found.push(alert("military", format!("The carrier has military service of {whose} on file{what}.")));
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
