//! The form of a patient, and what it sends.

use std::collections::BTreeMap;

use connector_sdk::Phi;
use connector_sdk::ask::{FieldProblem, Relationship, Sex};
use jiff::civil::Date;
use maud::{Markup, html};

use crate::pages::fields::Fields;
use crate::pages::frame::csrf;
use crate::pages::parts::field::{date, date_fields, date_of, select, text};
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;
use crate::patients::{COVERAGES_MAX, Patient, PatientCoverage, PatientView, Subscriber};

/// Coverages the form has room for beyond those that are known.
const SPARE: usize = 1;

/// The form's fields for a patient.
pub fn filled(patient: &Patient) -> Fields {
    let mut fields = Fields::default();
    let phi = |text: &Option<Phi<String>>| text.as_ref().map(|text| text.text().to_owned()).unwrap_or_default();
    fields.put("first_name", patient.first_name.text());
    fields.put("last_name", patient.last_name.text());
    fields.put("suffix", phi(&patient.suffix));
    fields.put("sex", sex_word(patient.sex));
    fields.put("phone", phi(&patient.phone));
    fields.put("mrn", phi(&patient.mrn));
    put_date(&mut fields, "date_of_birth", Some(*patient.date_of_birth.expose()));
    for (n, coverage) in patient.coverages.iter().enumerate() {
        let name = |field: &str| format!("coverages.{n}.{field}");
        fields.put(&name("carrier"), coverage.carrier.clone().unwrap_or_default());
        fields.put(&name("as_written"), coverage.as_written.clone().unwrap_or_default());
        fields.put(&name("member_id"), phi(&coverage.member_id));
        fields.put(&name("group_number"), phi(&coverage.group_number));
        fields.put(&name("relationship"), relationship_word(coverage.relationship));
        let subscriber = coverage.subscriber.clone().unwrap_or_default();
        fields.put(&name("subscriber.first_name"), phi(&subscriber.first_name));
        fields.put(&name("subscriber.last_name"), phi(&subscriber.last_name));
        fields.put(&name("subscriber.sex"), sex_word(subscriber.sex));
        put_date(&mut fields, &name("subscriber.date_of_birth"), subscriber.date_of_birth.map(Phi::into_inner));
    }
    fields
}

fn put_date(fields: &mut Fields, name: &str, date: Option<Date>) {
    for (field, text) in date.into_iter().flat_map(|date| date_fields(name, date)) {
        fields.put(&field, text);
    }
}

/// The patient as the form has them.
///
/// # Errors
/// What cannot be read; whether the rest may be kept, the patients' own check says.
pub fn sent(fields: &Fields, today: Date) -> Result<Patient, Problems> {
    let mut problems = Problems::none();
    let mut read_date = |name: &str, needed: bool| match date_of(fields, name, today) {
        Ok(Some(date)) => Some(date),
        Ok(None) => {
            if needed {
                problems = std::mem::take(&mut problems).and(name, "Write the date of birth.");
            }
            None
        }
        Err(message) => {
            problems = std::mem::take(&mut problems).and(name, message);
            None
        }
    };
    let optional = |name: &str| fields.some(name).map(|text| Phi::new(text.to_owned()));
    let born = read_date("date_of_birth", true);
    let mut coverages = Vec::new();
    for n in 0..COVERAGES_MAX {
        let name = |field: &str| format!("coverages.{n}.{field}");
        let carrier = fields.some(&name("carrier")).map(str::to_owned);
        let as_written = fields.some(&name("as_written")).map(str::to_owned);
        let member_id = optional(&name("member_id"));
        // Emptied: taken away.
        if carrier.is_none() && member_id.is_none() && (as_written.is_none() || fields.ticked(&name("drop"))) {
            continue;
        }
        let relationship = relationship_of(fields.get(&name("relationship")));
        let subscriber = Subscriber {
            first_name: optional(&name("subscriber.first_name")),
            last_name: optional(&name("subscriber.last_name")),
            date_of_birth: read_date(&name("subscriber.date_of_birth"), false).map(Phi::new),
            sex: sex_of(fields.get(&name("subscriber.sex"))),
        };
        coverages.push(PatientCoverage {
            carrier,
            as_written,
            member_id,
            group_number: optional(&name("group_number")),
            relationship,
            subscriber: (relationship.is_some() && subscriber != Subscriber::default()).then_some(subscriber),
        });
    }
    match born {
        Some(born) if problems.is_empty() => Ok(Patient {
            first_name: Phi::new(fields.get("first_name").to_owned()),
            last_name: Phi::new(fields.get("last_name").to_owned()),
            suffix: optional("suffix"),
            date_of_birth: Phi::new(born),
            sex: sex_of(fields.get("sex")),
            phone: optional("phone"),
            mrn: optional("mrn"),
            coverages,
        }),
        _ => Err(problems),
    }
}

/// What the patients' own check found, at the form's fields.
pub fn problems(found: Vec<FieldProblem>) -> Problems {
    let named = |problem: FieldProblem| (problem.path.trim_start_matches('/').replace('/', "."), problem.message);
    found.into_iter().map(named).fold(Problems::none(), |all, (name, message)| all.and(name, message))
}

/// Each detail in words, to be compared.
pub fn lines(patient: &Patient) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let fields = filled(patient);
    for (field, name) in [
        ("first_name", "First name"),
        ("last_name", "Last name"),
        ("suffix", "Suffix"),
        ("sex", "Sex"),
        ("phone", "Phone"),
        ("mrn", "Chart no."),
    ] {
        all.insert(name.to_owned(), fields.get(field).to_owned());
    }
    all.insert("Date of birth".to_owned(), crate::pages::parts::stamp::day(*patient.date_of_birth.expose()));
    for (n, coverage) in patient.coverages.iter().enumerate() {
        let of = |what: &str| format!("Coverage {}: {what}", n + 1);
        let text = |text: &Option<Phi<String>>| text.as_ref().map(|text| text.text().to_owned()).unwrap_or_default();
        let carrier = coverage.carrier.clone().or_else(|| coverage.as_written.clone()).unwrap_or_default();
        all.insert(of("carrier"), carrier);
        all.insert(of("member ID"), text(&coverage.member_id));
        all.insert(of("group"), text(&coverage.group_number));
        all.insert(of("patient is"), relationship_word(coverage.relationship).to_owned());
        if let Some(subscriber) = &coverage.subscriber {
            let born = subscriber.date_of_birth.as_ref().map(|date| crate::pages::parts::stamp::day(*date.expose()));
            let whole = [text(&subscriber.first_name), text(&subscriber.last_name), born.unwrap_or_default()].join(" ");
            all.insert(of("subscriber"), whole);
        }
    }
    all
}

/// All carriers, to choose one.
pub fn carriers(visit: &Visit) -> Vec<(String, String)> {
    let all = visit.app.gateway.planes().book().search("", usize::MAX).into_iter().map(|hit| (hit.id, hit.name));
    std::iter::once((String::new(), "– choose –".to_owned())).chain(all).collect()
}

/// The form. `version` is the one that is changed.
pub fn form(visit: &Visit, view: &PatientView, version: i64, fields: &Fields, problems: &Problems) -> Markup {
    let carriers = carriers(visit);
    let sexes: Vec<(String, String)> = [("", "not known"), ("female", "F"), ("male", "M"), ("unknown", "U")]
        .iter()
        .map(|(value, text)| ((*value).to_owned(), (*text).to_owned()))
        .collect();
    let room = (view.patient.coverages.len().max(typed(fields)) + SPARE).min(COVERAGES_MAX);
    html! {
        form.stack method="post" action={ "/patients/" (view.id) } data-draft {
            (csrf(visit))
            input type="hidden" name="version" value=(version);
            div.fields {
                (text("last_name", "Last name").max(60).show(fields, problems))
                (text("first_name", "First name").max(60).show(fields, problems))
                (text("suffix", "Suffix").size("tiny").max(10).show(fields, problems))
            }
            (date("date_of_birth", "Date of birth", "For example 3 12 1986", false, fields, problems))
            div.fields {
                (select("sex", "Sex, as carriers have it", &sexes, fields, problems))
                (text("phone", "Phone").kind("tel").max(50).show(fields, problems))
                (text("mrn", "Chart no.").max(50).show(fields, problems))
            }
            @for n in 0..room { (coverage(n, &carriers, fields, problems)) }
            button.button.first type="submit" { "Save" }
        }
    }
}

/// How many coverages were typed.
fn typed(fields: &Fields) -> usize {
    (0..COVERAGES_MAX).rev().find(|n| fields.some(&format!("coverages.{n}.member_id")).is_some()).map_or(0, |n| n + 1)
}

/// The fields of one coverage.
pub fn coverage(n: usize, carriers: &[(String, String)], fields: &Fields, problems: &Problems) -> Markup {
    let name = |field: &str| format!("coverages.{n}.{field}");
    let written = fields.get(&name("as_written"));
    let relations: Vec<(String, String)> = [
        ("", "the subscriber"),
        ("spouse", "spouse"),
        ("child", "child"),
        ("other_adult", "other adult"),
        ("unknown", "other"),
    ]
    .iter()
    .map(|(value, text)| ((*value).to_owned(), (*text).to_owned()))
    .collect();
    let relative = !fields.get(&name("relationship")).is_empty();
    html! {
        fieldset.card.stack {
            legend { "Coverage " (n + 1) }
            @if !written.is_empty() {
                p.soft { "Your system calls it " strong { (written) } "." }
                input type="hidden" name=(name("as_written")) value=(written);
            }
            div.fields {
                (select(&name("carrier"), "Carrier", carriers, fields, problems))
                (text(&name("member_id"), "Member ID").max(80).show(fields, problems))
                (text(&name("group_number"), "Group").max(50).show(fields, problems))
                (select(&name("relationship"), "The patient is", &relations, fields, problems))
            }
            details open[relative] {
                summary { "The subscriber, where that is somebody else" }
                div.fields {
                    (text(&name("subscriber.last_name"), "Last name").max(60).show(fields, problems))
                    (text(&name("subscriber.first_name"), "First name").max(60).show(fields, problems))
                }
                (date(&name("subscriber.date_of_birth"), "Date of birth", "Leave empty where it is not known", false, fields, problems))
            }
        }
    }
}

fn sex_word(sex: Option<Sex>) -> &'static str {
    match sex {
        None => "",
        Some(Sex::Female) => "female",
        Some(Sex::Male) => "male",
        Some(Sex::Unknown) => "unknown",
    }
}

fn sex_of(word: &str) -> Option<Sex> {
    [Sex::Female, Sex::Male, Sex::Unknown].into_iter().find(|sex| sex_word(Some(*sex)) == word)
}

fn relationship_word(relationship: Option<Relationship>) -> &'static str {
    match relationship {
        None => "",
        Some(Relationship::Spouse) => "spouse",
        Some(Relationship::Child) => "child",
        Some(Relationship::OtherAdult) => "other_adult",
        Some(Relationship::Unknown) => "unknown",
    }
}

fn relationship_of(word: &str) -> Option<Relationship> {
    [Relationship::Spouse, Relationship::Child, Relationship::OtherAdult, Relationship::Unknown]
        .into_iter()
        .find(|one| relationship_word(Some(*one)) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    #[test]
    fn what_the_form_shows_is_what_it_sends() {
        let patient: Patient = serde_json::from_value(serde_json::json!({
            "first_name": "Milo", "last_name": "Lindqvist", "date_of_birth": "2015-09-30", "sex": "male",
            "coverages": [
                { "carrier": "northstar", "member_id": "NSH-1", "relationship": "child",
                  "subscriber": { "first_name": "Sven", "last_name": "Lindqvist", "date_of_birth": "1985-06-02" } },
                { "as_written": "Evergreen Mutual", "member_id": "E-1" }]
        }))
        .unwrap();
        assert!(sent(&filled(&patient), TODAY).is_ok_and(|again| again == patient));
    }

    #[test]
    fn an_emptied_coverage_is_gone_and_a_bad_date_is_told() {
        let mut fields = Fields::default();
        for (name, value) in [("first_name", "A"), ("last_name", "B"), ("date_of_birth.month", "13")] {
            fields.put(name, value);
        }
        let wrong = sent(&fields, TODAY).err().unwrap();
        assert!(wrong.about("date_of_birth").is_some());
        for (name, value) in [("date_of_birth.month", "1"), ("date_of_birth.day", "2"), ("date_of_birth.year", "1980")]
        {
            fields.put(name, value);
        }
        fields.put("coverages.0.carrier", "");
        assert!(sent(&fields, TODAY).is_ok_and(|patient| patient.coverages.is_empty()));
    }
}
