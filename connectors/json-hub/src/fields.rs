//! The fields of an ask, by the names they have in placeholders.

use std::collections::BTreeMap;

use connector_sdk::ask::{Relationship, Sex};
use connector_sdk::{Context, EligibilityRequest, Phi};
use jiff::civil::Date;

use crate::dates::DateFormat;
use crate::settings::RequestRules;

/// Every placeholder but `{item…}` and `{secret.…}`.
pub const FIELDS: [&str; 32] = [
    "trace",
    "control_number",
    "today",
    "now",
    "provider.npi",
    "provider.tax_id",
    "provider.name",
    "provider.taxonomy",
    "member.member_id",
    "member.first_name",
    "member.last_name",
    "member.suffix",
    "member.date_of_birth",
    "member.sex",
    "member.group_number",
    "dependent.first_name",
    "dependent.last_name",
    "dependent.date_of_birth",
    "dependent.relationship",
    "dependent.sex",
    "patient.first_name",
    "patient.last_name",
    "patient.date_of_birth",
    "patient.sex",
    "service.date",
    "service.from",
    "service.to",
    "service.types",
    "service.type",
    "service.place",
    "service.procedure",
    "service.procedures",
];

/// The name of a field that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldName(&'static str);

/// A field's value.
pub enum Given {
    /// Text.
    Text(String),
    /// A day.
    Date(Date),
    /// Several.
    List(Vec<String>),
}

/// How the carrier names things in questions.
#[derive(Clone, Debug)]
pub struct RequestCodes {
    /// Dates.
    pub date_format: DateFormat,
    upper_case: bool,
    sex: BTreeMap<String, String>,
    relationship: BTreeMap<String, String>,
    service: BTreeMap<String, String>,
}

impl RequestCodes {
    /// From the carrier file.
    pub fn new(rules: &RequestRules) -> Self {
        Self {
            date_format: rules.date_format,
            upper_case: rules.upper_case,
            sex: rules.sex_codes.clone(),
            relationship: rules.relationship_codes.clone(),
            service: rules.service_codes.clone(),
        }
    }

    /// The service types asked about, in the carrier's names.
    pub fn service_types(&self, ask: &EligibilityRequest) -> Vec<String> {
        let own = |code: &str| self.service.get(code).cloned().unwrap_or_else(|| code.to_owned());
        ask.service_types().into_iter().map(own).collect()
    }

    /// The X12 code of one of the carrier's service types.
    pub fn service_back<'a>(&'a self, code: &'a str) -> &'a str {
        self.service.iter().find(|(_, own)| own.eq_ignore_ascii_case(code)).map_or(code, |(x12, _)| x12)
    }

    fn sex(&self, sex: Sex) -> String {
        let (name, usual) = match sex {
            Sex::Female => ("female", "F"),
            Sex::Male => ("male", "M"),
            Sex::Unknown => ("unknown", "U"),
        };
        self.sex.get(name).cloned().unwrap_or_else(|| usual.to_owned())
    }

    fn relationship(&self, relationship: Relationship) -> String {
        let (name, usual) = match relationship {
            Relationship::Spouse => ("spouse", "01"),
            Relationship::Child => ("child", "19"),
            Relationship::OtherAdult => ("other_adult", "34"),
            Relationship::Unknown => ("unknown", "21"),
        };
        self.relationship.get(name).cloned().unwrap_or_else(|| usual.to_owned())
    }

    fn name(&self, value: Option<&Phi<String>>) -> Option<Given> {
        let text = value?.text();
        Some(Given::Text(if self.upper_case { text.to_uppercase() } else { text.to_owned() }))
    }
}

impl FieldName {
    /// The field of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        FIELDS.into_iter().find(|known| *known == name).map(Self)
    }

    /// The name.
    pub fn text(self) -> &'static str {
        self.0
    }

    /// The field's value in one question; `None` where the ask does not have it.
    pub fn of(self, ctx: &Context, ask: &EligibilityRequest, codes: &RequestCodes) -> Option<Given> {
        let (provider, member, service) = (&ask.provider, &ask.member, &ask.service);
        let dependent = ask.dependent.as_ref();
        let plain = |text: Option<&String>| text.cloned().map(Given::Text);
        let date = |date: Option<&Phi<Date>>| date.map(|date| Given::Date(*date.expose()));
        match self.0 {
            "trace" => Some(Given::Text(ctx.trace().to_owned())),
            "control_number" => Some(Given::Text(format!("{:09}", ctx.control_number()))),
            "today" => Some(Given::Date(ctx.today())),
            "now" => Some(Given::Text(ctx.now().to_string())),
            "provider.npi" => Some(Given::Text(provider.npi.clone())),
            "provider.tax_id" => plain(provider.tax_id.as_ref()),
            "provider.name" => plain(provider.name.as_ref()),
            "provider.taxonomy" => plain(provider.taxonomy.as_ref()),
            "member.member_id" => codes.name(member.member_id.as_ref()),
            "member.first_name" => codes.name(member.first_name.as_ref()),
            "member.last_name" => codes.name(member.last_name.as_ref()),
            "member.suffix" => codes.name(member.suffix.as_ref()),
            "member.date_of_birth" => date(member.date_of_birth.as_ref()),
            "member.sex" => Some(Given::Text(codes.sex(member.sex?))),
            "member.group_number" => codes.name(member.group_number.as_ref()),
            "dependent.first_name" => codes.name(dependent.map(|d| &d.first_name)),
            "dependent.last_name" => codes.name(dependent.map(|d| &d.last_name)),
            "dependent.date_of_birth" => date(dependent.map(|d| &d.date_of_birth)),
            "dependent.relationship" => Some(Given::Text(codes.relationship(dependent?.relationship))),
            "dependent.sex" => Some(Given::Text(codes.sex(dependent?.sex?))),
            "patient.first_name" => codes.name(dependent.map(|d| &d.first_name).or(member.first_name.as_ref())),
            "patient.last_name" => codes.name(dependent.map(|d| &d.last_name).or(member.last_name.as_ref())),
            "patient.date_of_birth" => date(dependent.map(|d| &d.date_of_birth).or(member.date_of_birth.as_ref())),
            "patient.sex" => Some(Given::Text(codes.sex(dependent.map_or(member.sex, |d| d.sex)?))),
            "service.date" | "service.from" => Some(Given::Date(ask.first_day(ctx.today()))),
            "service.to" => Some(Given::Date(ask.last_day(ctx.today()))),
            "service.types" => Some(codes.service_types(ask)).filter(|types| !types.is_empty()).map(Given::List),
            "service.type" => codes.service_types(ask).into_iter().next().map(Given::Text),
            "service.place" => plain(service.place.as_ref()),
            "service.procedure" => plain(service.procedures.first().map(|p| &p.code)),
            "service.procedures" => {
                let all: Vec<String> = service.procedures.iter().map(|p| p.code.clone()).collect();
                (!all.is_empty()).then_some(Given::List(all))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_sdk::testing::FakeHost;

    #[test]
    fn every_listed_field_can_be_filled() {
        let ask: EligibilityRequest = serde_json::from_value(serde_json::json!({
            "carrier": "c",
            "provider": { "npi": "1234567893", "tax_id": "123456789", "name": "Clinic", "taxonomy": "207Q00000X" },
            "member": { "member_id": "W1", "first_name": "A", "last_name": "B", "suffix": "JR", "date_of_birth": "1980-01-02",
                "sex": "female", "group_number": "G" },
            "dependent": { "first_name": "C", "last_name": "D", "date_of_birth": "2010-01-02", "relationship": "child", "sex": "male" },
            "service": { "date": "2026-11-23", "types": ["98"], "procedures": [{ "code": "99213" }], "place": "11" }
        }))
        .unwrap();
        let settings = crate::settings_of_the_example();
        let codes = RequestCodes::new(&settings.request);
        let host = FakeHost::replies(vec![]);
        for name in FIELDS {
            let field = FieldName::named(name).unwrap();
            assert!(field.of(&host.context(), &ask, &codes).is_some(), "{name}");
        }
    }
}
