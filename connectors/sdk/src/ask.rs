//! What is asked: the typed asks of the API, and the checks that need no carrier.

mod authorization;

pub use authorization::{
    AuthorizationKind, AuthorizationRequest, DIAGNOSES_MAX, NOTES_MAX, RequestedService, SERVICES_MAX, Urgency,
};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::phi::Phi;

/// One eligibility question. Field names are the API's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EligibilityRequest {
    /// The carrier's id: the name of its file in `config/carriers/`.
    pub carrier: String,
    /// Who asks.
    pub provider: Provider,
    /// Whose coverage.
    pub member: Member,
    /// The patient, when it is not the subscriber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependent: Option<Dependent>,
    /// For when and for what.
    #[serde(default)]
    pub service: Service,
    /// A saved answer not older than this is good enough, seconds. `0` asks the carrier anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_secs: Option<u64>,
    /// Front desk or overnight.
    #[serde(default)]
    pub lane: Lane,
}

/// The provider who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// National Provider Identifier: ten digits, the last one a check digit.
    pub npi: String,
    /// Federal tax identifier, nine digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// Organisation name, or last name of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Provider taxonomy code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxonomy: Option<String>,
}

/// The subscriber as the practice knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// As printed on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_id: Option<Phi<String>>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Phi<String>>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Phi<String>>,
    /// `JR`, `III`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Phi<String>>,
    /// Date of birth, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Phi<Date>>,
    /// Sex as the carrier has it on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Group or policy number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_number: Option<Phi<String>>,
}

/// A dependent of the subscriber.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependent {
    /// First name.
    pub first_name: Phi<String>,
    /// Last name.
    pub last_name: Phi<String>,
    /// Date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Phi<Date>,
    /// How the dependent is related to the subscriber.
    pub relationship: Relationship,
    /// Sex as the carrier has it on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
}

/// Sex, as carriers' files have it (X12 DMG03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// F
    #[serde(alias = "F", alias = "f")]
    #[schemars(extend("x-aliases" = ["F", "f"]))]
    Female,
    /// M
    #[serde(alias = "M", alias = "m")]
    #[schemars(extend("x-aliases" = ["M", "m"]))]
    Male,
    /// U
    #[serde(alias = "U", alias = "u")]
    #[schemars(extend("x-aliases" = ["U", "u"]))]
    Unknown,
}

/// Relationship to the subscriber (X12 INS02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// 01
    Spouse,
    /// 19
    Child,
    /// 34
    OtherAdult,
    /// 21
    Unknown,
}

/// When and what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// One day, `YYYY-MM-DD`. Today where neither this nor `from` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// First day of a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day of a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// X12 service type codes (`30` is the plan as a whole, `98` an office visit). Empty asks for `30`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Procedures, where the carrier answers by procedure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedures: Vec<Procedure>,
    /// Place of service code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A procedure code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Code system: `HC` (CPT/HCPCS), `AD` (CDT), `N4` (NDC) …
    #[serde(default = "hcpcs")]
    pub system: String,
    /// The code.
    pub code: String,
    /// Modifiers, at most four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
}

fn hcpcs() -> String {
    "HC".to_owned()
}

/// Which of a carrier's two queues an ask stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Somebody waits at the front desk.
    #[default]
    Interactive,
    /// Overnight.
    Background,
}

/// One thing wrong with an ask: where, and how to mend it. `message` never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldProblem {
    /// JSON pointer of the field: `/member/date_of_birth`.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl FieldProblem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl EligibilityRequest {
    /// First day asked about: `date`, else `from`, else `today`.
    pub fn first_day(&self, today: Date) -> Date {
        self.service.date.or(self.service.from).unwrap_or(today)
    }

    /// Last day asked about: `date`, else `to`, else the first day.
    pub fn last_day(&self, today: Date) -> Date {
        self.service.date.or(self.service.to).unwrap_or_else(|| self.first_day(today))
    }

    /// The service types asked about; `30` (the plan as a whole) when none is named and no procedure is.
    pub fn service_types(&self) -> Vec<&str> {
        if self.service.types.is_empty() && self.service.procedures.is_empty() {
            vec!["30"]
        } else {
            self.service.types.iter().map(String::as_str).collect()
        }
    }

    /// Everything that is wrong with the ask by itself, before any carrier is involved; all problems at once.
    /// `today` bounds dates of birth. What a particular carrier needs is checked against its file, elsewhere.
    pub fn problems(&self, today: Date) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut add = |path: &str, message: &str| found.push(FieldProblem::new(path, message));
        if self.carrier.trim().is_empty() {
            add("/carrier", "Name the carrier by its id; GET /v1/carriers?q= finds it.");
        }
        if let Err(message) = check_npi(&self.provider.npi) {
            add("/provider/npi", message);
        }
        if let Some(tax_id) = &self.provider.tax_id
            && (tax_id.len() != 9 || !tax_id.bytes().all(|b| b.is_ascii_digit()))
        {
            add("/provider/tax_id", "A tax id is nine digits, without dashes.");
        }
        check_people(&self.member, self.dependent.as_ref(), today, &mut add);
        self.check_service(&mut add);
        found
    }

    fn check_service(&self, add: &mut impl FnMut(&str, &str)) {
        let service = &self.service;
        if service.date.is_some() && (service.from.is_some() || service.to.is_some()) {
            add("/service", "Give either date, or from and to.");
        }
        match (service.from, service.to) {
            (Some(from), Some(to)) if to < from => add("/service/to", "The last day lies before the first."),
            (None, Some(_)) => add("/service/from", "A span needs its first day too."),
            _ => {}
        }
        if service.types.len() > 99 {
            add("/service/types", "At most 99 service types in one question.");
        }
        for (index, code) in service.types.iter().enumerate() {
            if code.is_empty() || code.len() > 3 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
                add(
                    &format!("/service/types/{index}"),
                    "A service type code is one to three letters or digits, such as 30 or MH.",
                );
            }
        }
        for (index, procedure) in service.procedures.iter().enumerate() {
            if procedure.code.is_empty() || procedure.code.len() > 48 || procedure.modifiers.len() > 4 {
                add(
                    &format!("/service/procedures/{index}"),
                    "A procedure has a code of 1 to 48 characters and at most four modifiers.",
                );
            }
        }
    }
}

/// Checks what is told of the subscriber and the dependent.
fn check_people(member: &Member, dependent: Option<&Dependent>, today: Date, add: &mut impl FnMut(&str, &str)) {
    if let Some(dob) = &member.date_of_birth {
        check_birth(*dob.expose(), today, "/member/date_of_birth", add);
    }
    if let Some(dependent) = dependent {
        check_birth(*dependent.date_of_birth.expose(), today, "/dependent/date_of_birth", add);
        for (path, name) in
            [("/dependent/first_name", &dependent.first_name), ("/dependent/last_name", &dependent.last_name)]
        {
            check_text(Some(name), path, 60, add);
        }
    }
    for (path, value, most) in [
        ("/member/member_id", &member.member_id, 80),
        ("/member/first_name", &member.first_name, 35),
        ("/member/last_name", &member.last_name, 60),
        ("/member/suffix", &member.suffix, 10),
        ("/member/group_number", &member.group_number, 50),
    ] {
        check_text(value.as_ref(), path, most, add);
    }
    if member.member_id.is_none() && member.last_name.is_none() && member.date_of_birth.is_none() {
        add("/member", "Give at least a member_id, or a last_name, first_name and date_of_birth.");
    }
}

fn check_birth(born: Date, today: Date, path: &str, add: &mut impl FnMut(&str, &str)) {
    if born > today {
        add(path, "This date of birth lies in the future.");
    } else if i32::from(today.year()) - i32::from(born.year()) > 125 {
        add(path, "This date of birth is more than 125 years ago: check the century.");
    }
}

fn check_text(value: Option<&Phi<String>>, path: &str, most: usize, add: &mut impl FnMut(&str, &str)) {
    let Some(value) = value else { return };
    let text = value.text();
    if text.trim().is_empty() {
        add(path, "Leave the field out, or fill it in; it must not be empty.");
    } else if text.chars().count() > most {
        add(path, "This value is longer than any carrier accepts.");
    } else if text.chars().any(char::is_control) {
        add(path, "This value contains a control character (a line break or tab, say).");
    }
}

/// Checks a National Provider Identifier: ten digits, first `1` or `2`, and the Luhn check digit over `80840` + NPI
/// (the rule of the US Centers for Medicare & Medicaid Services). It cannot tell *which* digit is wrong.
///
/// # Errors
/// A sentence for the person who typed it.
pub fn check_npi(npi: &str) -> std::result::Result<(), &'static str> {
    let bytes = npi.as_bytes();
    if bytes.len() != 10 || !bytes.iter().all(u8::is_ascii_digit) {
        return Err("An NPI is ten digits.");
    }
    if !matches!(bytes[0], b'1' | b'2') {
        return Err("An NPI begins with 1 or 2.");
    }
    // 80840 contributes 24 to the Luhn sum (8*2→16→7, 0, 8*2→7, 4*... as published: the constant is 24).
    let sum: u32 = bytes.iter().rev().enumerate().fold(24, |sum, (place, byte)| {
        let digit = u32::from(byte - b'0');
        let value = if place % 2 == 1 { digit * 2 } else { digit };
        sum + value / 10 + value % 10
    });
    if sum.is_multiple_of(10) { Ok(()) } else { Err("One digit of this NPI is wrong: its check digit does not fit.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> EligibilityRequest {
        serde_json::from_value(serde_json::json!({
            "carrier": "northstar",
            "provider": { "npi": "1234567893" },
            "member": { "member_id": "W1", "date_of_birth": "1980-01-01" }
        }))
        .unwrap()
    }

    #[test]
    fn npi_check_digit() {
        assert!(check_npi("1234567893").is_ok());
        assert!(check_npi("1234567890").is_err());
        assert!(check_npi("3234567893").is_err());
        assert!(check_npi("123456789").is_err());
        // Every single wrong digit is caught.
        for place in 0..10 {
            for digit in b'0'..=b'9' {
                let mut npi = *b"1234567893";
                if npi[place] != digit {
                    npi[place] = digit;
                    assert!(check_npi(std::str::from_utf8(&npi).unwrap()).is_err());
                }
            }
        }
    }

    #[test]
    fn a_good_ask_has_no_problem() {
        assert_eq!(ask().problems(jiff::civil::date(2026, 11, 23)), vec![]);
    }

    #[test]
    fn all_problems_at_once_and_no_value_repeated() {
        let mut bad = ask();
        bad.provider.npi = "1234567890".into();
        bad.member.date_of_birth = Some(jiff::civil::date(2030, 1, 1).into());
        bad.member.last_name = Some(Phi::from("ZAN\nZIBAR"));
        bad.service.types = vec!["30".into(), "?".into()];
        bad.service.to = Some(jiff::civil::date(2026, 1, 1));
        let problems = bad.problems(jiff::civil::date(2026, 11, 23));
        let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/provider/npi", "/member/date_of_birth", "/member/last_name", "/service/from", "/service/types/1"]
        );
        assert!(!format!("{problems:?}").contains("ZIBAR"));
    }

    #[test]
    fn debug_of_an_ask_shows_no_patient() {
        let text = format!("{:?}", ask());
        assert!(!text.contains("W1") && !text.contains("1980"), "{text}");
    }
}
