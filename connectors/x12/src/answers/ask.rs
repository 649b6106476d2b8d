//! From an ask to a 270.

use connector_sdk::EligibilityRequest;
use connector_sdk::ask::{Dependent, Member, Relationship, Sex};
use jiff::civil::DateTime;

use crate::eligibility::core_258;
use crate::inquiry::{Inquiry, Person, Procedure, Receiver, Source};

/// What a carrier wants its 270 to look like, and the numbers of this one. Every field has a usual value in
/// [`InquiryOptions::default`], except the payer's.
#[derive(Clone, Debug)]
pub struct InquiryOptions {
    /// NM103 of loop 2100A.
    pub payer_name: String,
    /// NM108 of loop 2100A: `PI`, `XV`, `FI`, `NI` …
    pub payer_qualifier: String,
    /// NM109 of loop 2100A.
    pub payer_id: String,
    /// NM101 of loop 2100B: `1P` provider, `FA` facility, `80` hospital …
    pub receiver_entity: String,
    /// The receiver is a person (NM102 `1`).
    pub receiver_is_person: bool,
    /// NM108 of loop 2100B for the NPI.
    pub receiver_qualifier: String,
    /// REF01 for the provider's tax id; `None` sends none.
    pub tax_id_qualifier: Option<String>,
    /// Whether the taxonomy is sent, where the ask has one.
    pub send_taxonomy: bool,
    /// REF01 for the group number; `None` sends none.
    pub group_qualifier: Option<String>,
    /// Letters become capitals. Several carriers find nobody otherwise.
    pub uppercase: bool,
    /// Last names are cleaned as CAQH CORE rule 258 says (punctuation and set-apart suffixes taken off).
    pub normalise_names: bool,
    /// Several service types in one EQ; else one EQ for each.
    pub repeat_service_types: bool,
    /// Whether the date of service is sent.
    pub send_date: bool,
    /// ST02, 4 to 9 characters.
    pub control: String,
    /// BHT03, at most 50 characters.
    pub reference: String,
    /// TRN02, at most 50 characters.
    pub trace: String,
    /// TRN03, exactly 10 characters.
    pub trace_origin: String,
    /// BHT04, BHT05; its day stands in for a date of service that the ask leaves out.
    pub at: DateTime,
}

impl Default for InquiryOptions {
    fn default() -> Self {
        Self {
            payer_name: String::new(),
            payer_qualifier: "PI".to_owned(),
            payer_id: String::new(),
            receiver_entity: "1P".to_owned(),
            receiver_is_person: false,
            receiver_qualifier: "XX".to_owned(),
            tax_id_qualifier: Some("TJ".to_owned()),
            send_taxonomy: true,
            group_qualifier: Some("6P".to_owned()),
            uppercase: true,
            normalise_names: false,
            repeat_service_types: true,
            send_date: true,
            control: "0001".to_owned(),
            reference: String::new(),
            trace: String::new(),
            trace_origin: String::new(),
            at: DateTime::constant(2000, 1, 1, 0, 0, 0, 0),
        }
    }
}

impl Inquiry {
    /// Makes a 270 of an ask. Everything in the ask is sent (the host has left out before what this carrier does not
    /// want), except what `options` keep back.
    pub fn from_ask(ask: &EligibilityRequest, options: &InquiryOptions) -> Self {
        let today = options.at.date();
        let case = |text: &str| if options.uppercase { text.to_uppercase() } else { text.to_owned() };
        let provider = &ask.provider;
        let mut references = Vec::new();
        if let (Some(qualifier), Some(tax_id)) = (&options.tax_id_qualifier, &provider.tax_id) {
            references.push((qualifier.clone(), tax_id.clone()));
        }
        Self {
            control: options.control.clone(),
            reference: options.reference.clone(),
            at: options.at,
            source: Source {
                entity: "PR".to_owned(),
                name: case(&options.payer_name),
                qualifier: options.payer_qualifier.clone(),
                id: options.payer_id.clone(),
            },
            receiver: Receiver {
                entity: options.receiver_entity.clone(),
                person: options.receiver_is_person,
                name: provider.name.as_deref().map(case).unwrap_or_default(),
                qualifier: options.receiver_qualifier.clone(),
                id: provider.npi.clone(),
                references,
                taxonomy: provider.taxonomy.clone().filter(|_| options.send_taxonomy),
            },
            subscriber: subscriber(&ask.member, options),
            dependent: ask.dependent.as_ref().map(|dependent| self::dependent(dependent, options)),
            trace: options.trace.clone(),
            trace_origin: options.trace_origin.clone(),
            dates: options.send_date.then(|| (ask.first_day(today), ask.last_day(today))),
            service_types: ask.service_types().into_iter().map(case).collect(),
            repeat_service_types: options.repeat_service_types,
            procedures: ask
                .service
                .procedures
                .iter()
                .map(|asked| Procedure {
                    system: asked.system.clone(),
                    code: case(&asked.code),
                    modifiers: asked.modifiers.iter().map(|modifier| case(modifier)).collect(),
                })
                .collect(),
            place: ask.service.place.clone(),
        }
    }
}

fn names(last: &str, suffix: Option<&str>, options: &InquiryOptions) -> (String, String) {
    let case = |text: &str| if options.uppercase { text.to_uppercase() } else { text.to_owned() };
    let given = suffix.map(case).unwrap_or_default();
    if !options.normalise_names {
        return (case(last), given);
    }
    let (last, taken) = core_258(last);
    (last, if given.is_empty() { taken.unwrap_or_default() } else { given })
}

fn subscriber(member: &Member, options: &InquiryOptions) -> Person {
    let case = |text: &str| if options.uppercase { text.to_uppercase() } else { text.to_owned() };
    let text = |value: &Option<connector_sdk::Phi<String>>| value.as_ref().map(|v| case(v.text())).unwrap_or_default();
    let last = member.last_name.as_ref().map(|name| name.text()).unwrap_or_default();
    let (last_name, suffix) = names(last, member.suffix.as_ref().map(|suffix| suffix.text()), options);
    let mut references = Vec::new();
    if let (Some(qualifier), Some(group)) = (&options.group_qualifier, &member.group_number) {
        references.push((qualifier.clone(), case(group.text())));
    }
    Person {
        last_name,
        first_name: text(&member.first_name),
        suffix,
        member_id: text(&member.member_id),
        references,
        date_of_birth: member.date_of_birth.as_ref().map(|date| *date.expose()),
        sex: sex(member.sex),
        ..Person::default()
    }
}

fn dependent(dependent: &Dependent, options: &InquiryOptions) -> Person {
    let case = |text: &str| if options.uppercase { text.to_uppercase() } else { text.to_owned() };
    let (last_name, suffix) = names(dependent.last_name.text(), None, options);
    let relationship = match dependent.relationship {
        Relationship::Spouse => "01",
        Relationship::Child => "19",
        Relationship::OtherAdult => "34",
        Relationship::Unknown => "21",
    };
    Person {
        last_name,
        first_name: case(dependent.first_name.text()),
        suffix,
        date_of_birth: Some(*dependent.date_of_birth.expose()),
        sex: sex(dependent.sex),
        relationship: relationship.to_owned(),
        ..Person::default()
    }
}

/// DMG03 knows F and M; "unknown" is left out.
fn sex(sex: Option<Sex>) -> String {
    match sex {
        Some(Sex::Female) => "F".to_owned(),
        Some(Sex::Male) => "M".to_owned(),
        Some(Sex::Unknown) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delimiters;
    use crate::write::{Charset, Envelope};

    #[test]
    fn an_ask_becomes_a_270() {
        let ask: EligibilityRequest = serde_json::from_value(serde_json::json!({
            "carrier": "northstar",
            "provider": { "npi": "1234567893", "name": "Bone Clinic", "tax_id": "123456789" },
            "member": { "member_id": "w1", "last_name": "O'Zanzibar Jr", "first_name": "Ada",
                        "date_of_birth": "1980-02-01", "sex": "female", "group_number": "g7" },
            "dependent": { "first_name": "Ben", "last_name": "Zanzibar", "date_of_birth": "2010-03-04",
                           "relationship": "child" },
            "service": { "date": "2026-11-24", "types": ["30", "98"] }
        }))
        .unwrap();
        let options = InquiryOptions {
            payer_name: "Northstar".into(),
            payer_id: "60054".into(),
            normalise_names: true,
            repeat_service_types: false,
            trace: "T1".into(),
            trace_origin: "9123456789".into(),
            ..InquiryOptions::default()
        };
        let tx = Inquiry::from_ask(&ask, &options).write(&Delimiters::default(), Charset::Basic).unwrap();
        let bytes = Envelope::new("HS", "005010X279A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("NM1*IL*1*OZANZIBAR*ADA***JR*MI*W1~REF*6P*G7~DMG*D8*19800201*F~"), "{text}");
        assert!(text.contains("HL*4*3*23*0~TRN*1*T1*9123456789~NM1*03*1*ZANZIBAR*BEN~DMG*D8*20100304~INS*N*19~"));
        assert!(text.contains("DTP*291*D8*20261124~EQ*30~EQ*98~SE*"));
    }
}
