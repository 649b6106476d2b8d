//! Is there coverage, under which plan, since when; who else is involved.

use jiff::civil::Date;

use super::{Scene, words};
use crate::answer::{Coverage, EligibilityFacts, MemberOnFile, Plan};
use crate::ask::EligibilityRequest;

/// Most plans, other payers named one by one.
const NAMED_MOST: usize = 3;

/// What to call the patient: the first name as asked, else as on file, else `The patient`.
pub(super) fn patient_name(facts: &EligibilityFacts, ask: Option<&EligibilityRequest>) -> String {
    let asked = ask.and_then(|ask| match &ask.dependent {
        Some(dependent) => Some(dependent.first_name.text()),
        None => ask.member.first_name.as_ref().map(|name| name.text()),
    });
    let on_file = facts.dependent.as_ref().unwrap_or(&facts.member).first_name.as_ref().map(|name| name.text());
    let name = match (asked, on_file) {
        // The practice's spelling, unless the carrier has another name: then the carrier's.
        (Some(asked), Some(on_file)) if asked.eq_ignore_ascii_case(on_file) => asked,
        (_, Some(on_file)) => on_file,
        (Some(asked), None) => asked,
        (None, None) => "",
    };
    let name = name.trim();
    if name.is_empty() || name.chars().any(|c| c.is_ascii_digit() || c.is_control()) {
        return "The patient".to_owned();
    }
    // Carriers send capitals; a person reads "Jane".
    if name.chars().count() > 1 && !name.chars().any(char::is_lowercase) {
        return words::start(&name.to_lowercase());
    }
    words::start(name)
}

/// The opening sentences.
pub(super) fn sentences(scene: &Scene<'_>) -> Vec<String> {
    let Scene { facts, patient, when, .. } = scene;
    match facts.coverage {
        Coverage::Active => vec![active(scene)],
        Coverage::Inactive => {
            let mut said = vec![format!("{patient} is not covered {when}.")];
            if let Some(ended) = ended(scene) {
                said.push(format!("The coverage ended on {}.", words::day(ended)));
            }
            said
        }
        Coverage::Pending => {
            vec![format!("The carrier is still checking whether {} is covered {when}.", name(patient))]
        }
        Coverage::Unknown => {
            let mut said =
                vec![format!("The carrier did not clearly say whether {} is covered {when}.", name(patient))];
            let ended = ended_everywhere(scene).map(words::day);
            said.extend(ended.map(|ended| format!("It has {ended} as the end of the coverage.")));
            said
        }
    }
}

fn active(scene: &Scene<'_>) -> String {
    let Scene { facts, patient, when, .. } = scene;
    // A plan that ended before, or begins after, the days asked about covers nobody on them.
    let in_force = |plan: &&Plan| plan.period.meets(scene.day, scene.last);
    let active = facts.plans.iter().filter(|plan| plan.status == Coverage::Active);
    let plans: Vec<&Plan> = active.filter(in_force).collect();
    let mut names: Vec<String> = Vec::new();
    for plan in &plans {
        if let Some(name) = plan.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    let by = match names.len() {
        0 => String::new(),
        1..=NAMED_MOST => format!(" by {}", words::list(&names, "and")),
        _ => format!(" by {} and other plans", names.get(..NAMED_MOST).unwrap_or_default().join(", ")),
    };
    // A date is only said when it holds for all plans named in the sentence.
    let mut starts: Vec<Option<Date>> = plans.iter().map(|plan| plan.period.from).collect();
    starts.dedup();
    let since = match starts.as_slice() {
        [Some(from)] if *from <= scene.day => format!(" (since {})", words::day(*from)),
        _ => String::new(),
    };
    format!("{patient} is covered {when}{by}{since}.")
}

/// The last day of coverage, when all plans that name one agree and it lies before the day asked about.
pub(super) fn ended(scene: &Scene<'_>) -> Option<Date> {
    let mut ends = scene.facts.plans.iter().filter_map(|plan| plan.period.to);
    let first = ends.next()?;
    (ends.all(|end| end == first) && first < scene.day).then_some(first)
}

/// The same, where every plan names that day: none is left that may go on.
pub(super) fn ended_everywhere(scene: &Scene<'_>) -> Option<Date> {
    ended(scene).filter(|_| scene.facts.plans.iter().all(|plan| plan.period.to.is_some()))
}

/// The patient's name inside a sentence.
fn name(patient: &str) -> String {
    if patient == "The patient" { "the patient".to_owned() } else { patient.to_owned() }
}

/// Other insurers, the primary care provider, and what the carrier has differently on file.
pub(super) fn people_sentences(scene: &Scene<'_>, said: &mut Vec<String>) {
    let ended = || scene.facts.plans.iter().any(|plan| !plan.other_payers.is_empty());
    said.extend(
        other_payers(scene)
            .or_else(|| ended().then(|| "The carrier reports other coverage that has ended.".to_owned())),
    );
    let providers = primary_care(scene);
    if let [provider] = providers.as_slice() {
        said.push(format!("The primary care provider on file is {provider}."));
    }
    let fields = corrected_fields(scene.facts);
    if !fields.is_empty() {
        said.push(format!("The carrier has another {} on file. Please check it.", words::list(&fields, "and")));
    }
}

/// One sentence on the other insurers that may pay on the days asked about; those whose time is over do not.
pub(super) fn other_payers(scene: &Scene<'_>) -> Option<String> {
    let all = scene.facts.plans.iter().flat_map(|plan| &plan.other_payers);
    let mut current = all.filter(|payer| payer.period.to.is_none_or(|to| to >= scene.day)).peekable();
    current.peek()?;
    let mut names: Vec<String> = Vec::new();
    for payer in current {
        if let Some(name) = payer.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names.truncate(NAMED_MOST);
    Some(if names.is_empty() {
        "The carrier reports other coverage, too.".to_owned()
    } else {
        format!("The carrier reports other coverage, too. It names {}.", words::list(&names, "and"))
    })
}

fn primary_care(scene: &Scene<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in scene.facts.plans.iter().filter_map(|plan| plan.primary_care.as_ref()?.name.as_ref()) {
        let name = name.text().trim().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn corrected_fields(facts: &EligibilityFacts) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for correction in people(facts).flat_map(|person| &person.corrections) {
        let words = field_words(&correction.field);
        if !fields.contains(&words) {
            fields.push(words);
        }
    }
    fields
}

/// The subscriber and, where it is another person, the patient.
pub(super) fn people(facts: &EligibilityFacts) -> impl Iterator<Item = &MemberOnFile> {
    std::iter::once(&facts.member).chain(facts.dependent.as_ref())
}

/// `member.last_name` as `last name`.
pub(super) fn field_words(field: &str) -> String {
    let last = field.rsplit('.').next().unwrap_or(field);
    match last {
        "member_id" => "member ID".to_owned(),
        other => other.replace('_', " "),
    }
}
