//! The typed ask for a prior authorization, a referral or an admission, and the checks that need no carrier.

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dependent, FieldProblem, Member, Procedure, Provider, check_npi, check_people};
use crate::phi::Phi;

/// Most services in one ask.
pub const SERVICES_MAX: usize = 50;
/// Most diagnoses in one ask: as many as the HI segments of a 278 take.
pub const DIAGNOSES_MAX: usize = 12;
/// Longest note, characters: what a 278's MSG segment takes.
pub const NOTES_MAX: usize = 264;
/// Most units of one service.
const UNITS_MAX: u32 = 99_999;

/// What the carrier is asked to allow. Field names are the API's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationRequest {
    /// The carrier's id: the name of its file in `config/carriers/`.
    pub carrier: String,
    /// What kind of leave is asked for.
    #[serde(default)]
    pub kind: AuthorizationKind,
    /// How soon it must be decided.
    #[serde(default)]
    pub urgency: Urgency,
    /// Who asks.
    pub requester: Provider,
    /// The subscriber.
    pub member: Member,
    /// The patient, when it is not the subscriber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependent: Option<Dependent>,
    /// What it is for, one entry for each service.
    pub services: Vec<RequestedService>,
    /// ICD-10-CM codes, the principal one first, with or without the dot: `M17.11`.
    pub diagnoses: Vec<Phi<String>>,
    /// A note to the carrier's reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Phi<String>>,
}

/// What kind of leave is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationKind {
    /// Services that need the carrier's leave before they are given (X12 UM01 `HS`).
    #[default]
    PriorAuth,
    /// A referral to a specialist (X12 UM01 `SC`).
    Referral,
    /// A stay in a facility (X12 UM01 `AR`).
    Admission,
}

/// How soon it must be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// In the usual time.
    #[default]
    Standard,
    /// Waiting would put life, health or recovery at risk.
    Expedited,
}

/// One service that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedService {
    /// The procedure; or give a `service_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<Procedure>,
    /// X12 service type code, where no procedure is named: `PT`, `2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub units: Option<Decimal>,
    /// First day, `YYYY-MM-DD`.
    pub from: Date,
    /// Last day; the first where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Place of service code: `11`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who gives it, where it is not the requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Provider>,
}

impl AuthorizationRequest {
    /// Everything that is wrong with the ask by itself, before any carrier is involved; all problems at once.
    /// `today` bounds dates of birth. What a particular carrier needs is checked against its file, elsewhere.
    pub fn problems(&self, today: Date) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut add = |path: &str, message: &str| found.push(FieldProblem::new(path, message));
        if self.carrier.trim().is_empty() {
            add("/carrier", "Name the carrier by its id; GET /v1/carriers?q= finds it.");
        }
        check_provider(&self.requester, "/requester", &mut add);
        check_people(&self.member, self.dependent.as_ref(), today, &mut add);
        self.check_services(&mut add);
        self.check_reasons(&mut add);
        found
    }

    fn check_services(&self, add: &mut impl FnMut(&str, &str)) {
        if self.services.is_empty() || self.services.len() > SERVICES_MAX {
            add("/services", "Name at least one service, and at most 50.");
        }
        for (index, service) in self.services.iter().take(SERVICES_MAX).enumerate() {
            let at = |field: &str| format!("/services/{index}{field}");
            match (&service.procedure, &service.service_type) {
                (Some(procedure), None) => {
                    if !is_code(&procedure.code, 48) || procedure.modifiers.len() > 4 {
                        add(
                            &at("/procedure"),
                            "A procedure has a code of 1 to 48 letters and digits and at most four modifiers.",
                        );
                    }
                    if !procedure.modifiers.iter().all(|modifier| modifier.len() == 2 && is_code(modifier, 2)) {
                        add(&at("/procedure/modifiers"), "A modifier is two letters or digits.");
                    }
                }
                (None, Some(code)) if is_code(code, 3) => {}
                (None, Some(_)) => {
                    add(
                        &at("/service_type"),
                        "A service type code is one to three letters or digits, such as PT or 2.",
                    );
                }
                _ => add(&at(""), "Give either a procedure or a service_type."),
            }
            if service.to.is_some_and(|to| to < service.from) {
                add(&at("/to"), "The last day lies before the first.");
            }
            if service.units.is_some_and(|units| units <= Decimal::ZERO || units > Decimal::from(UNITS_MAX)) {
                add(&at("/units"), "Units are more than zero and at most 99999.");
            }
            if service.place.as_deref().is_some_and(|place| place.len() != 2 || !is_code(place, 2)) {
                add(&at("/place"), "A place of service code is two digits, such as 11.");
            }
            if let Some(performer) = &service.performer {
                check_provider(performer, &at("/performer"), add);
            }
        }
    }

    fn check_reasons(&self, add: &mut impl FnMut(&str, &str)) {
        if self.diagnoses.is_empty() || self.diagnoses.len() > DIAGNOSES_MAX {
            add("/diagnoses", "Name at least one diagnosis, the principal one first, and at most 12.");
        }
        for (index, diagnosis) in self.diagnoses.iter().enumerate() {
            if !is_icd_10(diagnosis.text()) {
                add(
                    &format!("/diagnoses/{index}"),
                    "An ICD-10-CM code is a letter, a digit, and one to five more letters or digits, such as M17.11.",
                );
            }
        }
        if let Some(notes) = &self.notes
            && (notes.text().trim().is_empty()
                || notes.text().chars().count() > NOTES_MAX
                || notes.text().chars().any(char::is_control))
        {
            add("/notes", "A note is one line of at most 264 characters; leave the field out where there is none.");
        }
    }
}

fn check_provider(provider: &Provider, at: &str, add: &mut impl FnMut(&str, &str)) {
    if let Err(message) = check_npi(&provider.npi) {
        add(&format!("{at}/npi"), message);
    }
    if provider.tax_id.as_ref().is_some_and(|id| id.len() != 9 || !id.bytes().all(|b| b.is_ascii_digit())) {
        add(&format!("{at}/tax_id"), "A tax id is nine digits, without dashes.");
    }
    if provider
        .name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control))
    {
        add(&format!("{at}/name"), "A name is one line of 1 to 60 characters.");
    }
    if provider.taxonomy.as_ref().is_some_and(|code| code.len() != 10 || !is_code(code, 10)) {
        add(&format!("{at}/taxonomy"), "A taxonomy code is ten letters and digits.");
    }
}

fn is_code(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The shape of an ICD-10-CM code (three to seven characters beside the dot); whether it exists is the carrier's word.
fn is_icd_10(text: &str) -> bool {
    let mut characters = text.bytes();
    let starts = characters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && characters.next().is_some_and(|b| b.is_ascii_digit());
    let bare = text.replacen('.', "", 1);
    let dot = text.find('.').is_none_or(|place| place == 3 && text.len() > 4);
    starts && dot && (3..=7).contains(&bare.len()) && is_code(&bare, 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> AuthorizationRequest {
        serde_json::from_value(serde_json::json!({
            "carrier": "northstar",
            "requester": { "npi": "1234567893" },
            "member": { "member_id": "W1", "date_of_birth": "1980-01-01" },
            "services": [{ "procedure": { "code": "97110", "modifiers": ["GP"] }, "units": "12", "from": "2026-12-01" }],
            "diagnoses": ["M17.11", "I10"]
        }))
        .unwrap()
    }

    #[test]
    fn a_good_ask_has_no_problem_and_shows_no_patient() {
        assert_eq!(ask().problems(jiff::civil::date(2026, 11, 23)), vec![]);
        let text = format!("{:?}", ask());
        assert!(!text.contains("W1") && !text.contains("1980") && !text.contains("M17"), "{text}");
        let back: AuthorizationRequest = serde_json::from_value(serde_json::to_value(ask()).unwrap()).unwrap();
        assert_eq!(back, ask());
    }

    #[test]
    fn all_problems_at_once() {
        let mut bad = ask();
        bad.requester.npi = "1234567890".into();
        bad.member.last_name = Some(Phi::from("ZAN\nZIBAR"));
        bad.services[0].service_type = Some("PT".to_owned());
        bad.services[0].to = Some(jiff::civil::date(2026, 1, 1));
        bad.services.push(RequestedService {
            service_type: Some("????".to_owned()),
            units: Some(Decimal::ZERO),
            place: Some("1".to_owned()),
            ..RequestedService::default()
        });
        bad.diagnoses = vec!["M1.711".into(), "I10".into(), "10I".into(), "S72.001A".into()];
        bad.notes = Some(Phi::from("two\nlines"));
        let problems = bad.problems(jiff::civil::date(2026, 11, 23));
        let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/requester/npi",
                "/member/last_name",
                "/services/0",
                "/services/0/to",
                "/services/1/service_type",
                "/services/1/units",
                "/services/1/place",
                "/diagnoses/0",
                "/diagnoses/2",
                "/notes"
            ]
        );
        assert!(!format!("{problems:?}").contains("ZIBAR"));
        let empty = AuthorizationRequest { services: vec![], diagnoses: vec![], ..ask() };
        let paths: Vec<_> = empty.problems(jiff::civil::date(2026, 11, 23)).into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["/services", "/diagnoses"]);
    }
}
