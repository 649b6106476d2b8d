//! What a practice knows of a patient, and the checks that need nobody else.

use std::fmt;

use connector_sdk::Phi;
use connector_sdk::ask::{Dependent, FieldProblem, Member, Relationship, Sex};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fold;
use crate::trail::PatientKey;

/// Coverages of one patient at most.
pub const COVERAGES_MAX: usize = 10;
const NAME_MAX: usize = 60;
const ID_MAX: usize = 80;
const SHORT_MAX: usize = 50;

/// A patient, as the practice has them.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patient {
    /// First name.
    pub first_name: Phi<String>,
    /// Last name.
    pub last_name: Phi<String>,
    /// `JR`, `III`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Phi<String>>,
    /// Date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Phi<Date>,
    /// Sex as carriers have it on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phi<String>>,
    /// Medical record number: the patient's number in the practice's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrn: Option<Phi<String>>,
    /// What pays, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coverages: Vec<PatientCoverage>,
}

/// One coverage of a patient.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatientCoverage {
    /// The carrier's id; absent where the practice's own system names a carrier that nobody here knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Carrier or plan, as the practice's own system writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_written: Option<String>,
    /// As printed on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_id: Option<Phi<String>>,
    /// Group or policy number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_number: Option<Phi<String>>,
    /// How the patient is related to the subscriber; absent where the patient is the subscriber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Relationship>,
    /// The subscriber, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriber: Option<Subscriber>,
}

/// A subscriber who is not the patient.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Phi<String>>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Phi<String>>,
    /// Date of birth, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Phi<Date>>,
    /// Sex as the carrier has it on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
}

/// A patient with number and version.
#[derive(Clone, PartialEq, Serialize, JsonSchema)]
pub struct PatientView {
    /// Our id, `pat_…`: says nothing of the person.
    pub id: String,
    /// Raised by every change; hand it back with yours.
    pub version: i64,
    /// The patient.
    #[serde(flatten)]
    pub patient: Patient,
    /// When they were first entered.
    pub made_at: Timestamp,
    /// When they were last changed.
    pub changed_at: Timestamp,
}

impl fmt::Debug for PatientView {
    /// Id and version alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientView").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient")
    }
}

impl fmt::Debug for PatientCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientCoverage").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

impl Patient {
    /// Everything that is wrong with it; `under` is the place in the request. No message repeats a value.
    pub fn problems(&self, under: &str, today: Date) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        needed(&mut found, format!("{under}/first_name"), &self.first_name, NAME_MAX);
        needed(&mut found, format!("{under}/last_name"), &self.last_name, NAME_MAX);
        optional(&mut found, format!("{under}/suffix"), self.suffix.as_ref(), 10);
        optional(&mut found, format!("{under}/phone"), self.phone.as_ref(), SHORT_MAX);
        optional(&mut found, format!("{under}/mrn"), self.mrn.as_ref(), SHORT_MAX);
        born(&mut found, format!("{under}/date_of_birth"), *self.date_of_birth.expose(), today);
        if self.coverages.len() > COVERAGES_MAX {
            let message = format!("A patient has at most {COVERAGES_MAX} coverages here.");
            found.push(FieldProblem::new(format!("{under}/coverages"), message));
        }
        for (place, coverage) in self.coverages.iter().take(COVERAGES_MAX).enumerate() {
            coverage.problems(&format!("{under}/coverages/{place}"), today, &mut found);
        }
        found
    }

    /// The coverage by this carrier; without one, the first.
    pub fn coverage(&self, carrier: Option<&str>) -> Option<&PatientCoverage> {
        match carrier {
            Some(carrier) => self.coverages.iter().find(|one| one.carrier.as_deref() == Some(carrier)),
            None => self.coverages.first(),
        }
    }

    /// Subscriber and dependent as a carrier is asked about this patient by this coverage. A subscriber of whom nothing
    /// is known is asked for by the member id alone.
    pub fn asked_as(&self, coverage: &PatientCoverage) -> (Member, Option<Dependent>) {
        let member = Member {
            member_id: coverage.member_id.clone(),
            group_number: coverage.group_number.clone(),
            ..Member::default()
        };
        let Some(relationship) = coverage.relationship else {
            let own = Member {
                first_name: Some(self.first_name.clone()),
                last_name: Some(self.last_name.clone()),
                suffix: self.suffix.clone(),
                date_of_birth: Some(self.date_of_birth.clone()),
                sex: self.sex,
                ..member
            };
            return (own, None);
        };
        let known = coverage.subscriber.clone().unwrap_or_default();
        let dependent = Dependent {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            date_of_birth: self.date_of_birth.clone(),
            relationship,
            sex: self.sex,
        };
        let member = Member {
            first_name: known.first_name,
            last_name: known.last_name,
            date_of_birth: known.date_of_birth,
            sex: known.sex,
            ..member
        };
        (member, Some(dependent))
    }

    /// Under what the paper trail knows a question about this patient by this coverage.
    pub(super) fn trail_key(&self, coverage: &PatientCoverage) -> Option<PatientKey> {
        Some(PatientKey {
            carrier: coverage.carrier.clone()?,
            member_id: coverage.member_id.as_ref().map(|id| id.text().to_owned()),
            date_of_birth: Some(self.date_of_birth.expose().to_string()),
            name: Some((self.last_name.text().to_owned(), self.first_name.text().to_owned())),
        })
    }

    /// Under what the same patient is met again: by the number in the practice's system, by carrier, member id, birth and
    /// first name (twins share the others), by names and birth.
    pub(super) fn identities(&self) -> Vec<String> {
        let (first, last) = (fold::name(self.first_name.text()), fold::name(self.last_name.text()));
        let born = self.date_of_birth.expose();
        let mut all = Vec::with_capacity(2 + self.coverages.len());
        if let Some(mrn) = self.mrn.as_ref().map(|mrn| fold::id(mrn.text())).filter(|mrn| !mrn.is_empty()) {
            all.push(format!("n {mrn}"));
        }
        for coverage in &self.coverages {
            let id = coverage.member_id.as_ref().map(|id| fold::id(id.text())).filter(|id| !id.is_empty());
            if let (Some(carrier), Some(id)) = (&coverage.carrier, id) {
                all.push(format!("m {carrier} {id} {born} {first}"));
            }
        }
        all.push(format!("p {last}, {first} {born}"));
        all
    }
}

impl PatientCoverage {
    fn problems(&self, under: &str, today: Date, found: &mut Vec<FieldProblem>) {
        if self.carrier.is_none() && self.as_written.is_none() {
            let message = "Name the carrier by its id (GET /v1/carriers?q= finds it), or as it is written on the card.";
            found.push(FieldProblem::new(format!("{under}/carrier"), message));
        }
        let carrier = self.carrier.clone().map(Phi::new);
        let written = self.as_written.clone().map(Phi::new);
        optional(found, format!("{under}/carrier"), carrier.as_ref(), ID_MAX);
        optional(found, format!("{under}/as_written"), written.as_ref(), 2 * ID_MAX);
        optional(found, format!("{under}/member_id"), self.member_id.as_ref(), ID_MAX);
        optional(found, format!("{under}/group_number"), self.group_number.as_ref(), SHORT_MAX);
        if let Some(subscriber) = &self.subscriber {
            if self.relationship.is_none() {
                let message = "Say how the patient is related to the subscriber, or leave the subscriber out.";
                found.push(FieldProblem::new(format!("{under}/relationship"), message));
            }
            optional(found, format!("{under}/subscriber/first_name"), subscriber.first_name.as_ref(), NAME_MAX);
            optional(found, format!("{under}/subscriber/last_name"), subscriber.last_name.as_ref(), NAME_MAX);
            if let Some(date) = &subscriber.date_of_birth {
                born(found, format!("{under}/subscriber/date_of_birth"), *date.expose(), today);
            }
        }
    }
}

fn needed(found: &mut Vec<FieldProblem>, path: String, value: &Phi<String>, most: usize) {
    if value.text().trim().is_empty() {
        found.push(FieldProblem::new(path, "This is empty."));
    } else {
        optional(found, path, Some(value), most);
    }
}

fn optional(found: &mut Vec<FieldProblem>, path: String, value: Option<&Phi<String>>, most: usize) {
    let Some(value) = value.map(Phi::text) else { return };
    if value.trim().is_empty() {
        found.push(FieldProblem::new(path, "Leave the field out, or fill it in; it must not be empty."));
    } else if value.chars().count() > most || value.chars().any(char::is_control) {
        let message = format!("This has {most} characters at most, and no line breaks or other control characters.");
        found.push(FieldProblem::new(path, message));
    }
}

fn born(found: &mut Vec<FieldProblem>, path: String, date: Date, today: Date) {
    if date > today {
        found.push(FieldProblem::new(path, "This date of birth lies in the future."));
    } else if i32::from(today.year()) - i32::from(date.year()) > 125 {
        found.push(FieldProblem::new(path, "This date of birth is more than 125 years ago: check the century."));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Somebody with one coverage.
    pub(in crate::patients) fn patient(first: &str, last: &str, born: &str, carrier: &str, id: &str) -> Patient {
        Patient {
            first_name: first.into(),
            last_name: last.into(),
            suffix: None,
            date_of_birth: Phi::new(born.parse().unwrap()),
            sex: None,
            phone: None,
            mrn: None,
            coverages: vec![PatientCoverage {
                carrier: Some(carrier.to_owned()),
                member_id: Some(id.into()),
                ..PatientCoverage::default()
            }],
        }
    }

    #[test]
    fn a_dependent_is_asked_about_by_the_subscriber() {
        let mut child = patient("Milo", "Lindqvist", "2015-09-30", "northstar", "NSH-1");
        let (member, dependent) = child.asked_as(&child.coverages[0]);
        assert!(dependent.is_none() && member.first_name == Some("Milo".into()));
        child.coverages[0].relationship = Some(Relationship::Child);
        let (member, dependent) = child.asked_as(&child.coverages[0]);
        assert_eq!((member.first_name, member.member_id), (None, Some("NSH-1".into())));
        assert_eq!(dependent.unwrap().first_name, "Milo".into());
    }

    #[test]
    fn all_problems_at_once_and_no_value_repeated() {
        let mut bad = patient("", "ZAN\nZIBAR", "2030-01-01", "northstar", " ");
        bad.coverages.push(PatientCoverage { subscriber: Some(Subscriber::default()), ..PatientCoverage::default() });
        let problems = bad.problems("", jiff::civil::date(2026, 11, 23));
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/first_name",
                "/last_name",
                "/date_of_birth",
                "/coverages/0/member_id",
                "/coverages/1/carrier",
                "/coverages/1/relationship"
            ]
        );
        assert!(!format!("{problems:?} {bad:?}").contains("ZIBAR"));
    }
}
