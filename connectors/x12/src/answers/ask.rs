//! From an ask to a 270.

use connector_sdk::ask::{Dependent, Provider, Relationship, Sex};
use connector_sdk::{EligibilityRequest, Phi};
use jiff::civil::{Date, DateTime};

use crate::eligibility::{
    AskedService, EligibilityInquiry, EligibilityQuestion, Iii, InquiryDependent, InquiryReceiver, InquirySource,
    InquirySubscriber, core_258,
};
use crate::model::common::{Bht, Dmg, Dtp, Ins, Nm1, Procedure, Prv, Ref, Trn};
use crate::model::{Hl, Text};

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
    /// Several service types in one EQ, which needs a repetition separator; else one EQ for each.
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

/// Makes a 270 of an ask. Everything in the ask is sent (the host has left out before what this carrier does not want),
/// except what `options` keep back. Wrap what it writes in an [`Envelope`](crate::write::Envelope) with `HS` and
/// [`EligibilityInquiry::GUIDE`].
pub fn inquiry(ask: &EligibilityRequest, options: &InquiryOptions) -> EligibilityInquiry<'static> {
    let receiver = receiver(&ask.provider, options, subscriber(ask, options));
    let name = Nm1 {
        entity: "PR".into(),
        kind: "2".into(),
        last_name: options.case(&options.payer_name),
        qualifier: owned(&options.payer_qualifier),
        id: owned(&options.payer_id),
        ..Nm1::default()
    };
    let level = level("20");
    EligibilityInquiry {
        control: owned(&options.control),
        implementation: EligibilityInquiry::GUIDE.into(),
        beginning: Some(Bht {
            structure: "0022".into(),
            purpose: "13".into(),
            reference: owned(&options.reference),
            date: options.at.date().into(),
            time: options.at.strftime("%H%M").to_string().into(),
            ..Bht::default()
        }),
        sources: vec![InquirySource { level, name: Some(name), receivers: vec![receiver], ..InquirySource::default() }],
        ..EligibilityInquiry::default()
    }
}

impl InquiryOptions {
    /// A text as this carrier wants its letters.
    fn case(&self, text: &str) -> Text<'static> {
        if self.uppercase { text.to_uppercase().into() } else { owned(text) }
    }
}

pub(super) fn owned(text: &str) -> Text<'static> {
    text.to_owned().into()
}

pub(super) fn level(code: &'static str) -> Hl<'static> {
    Hl { level: code.into(), ..Hl::default() }
}

pub(super) fn reference(qualifier: &str, value: Text<'static>) -> Ref<'static> {
    Ref { qualifier: owned(qualifier), value, ..Ref::default() }
}

fn receiver(
    provider: &Provider,
    options: &InquiryOptions,
    subscriber: InquirySubscriber<'static>,
) -> InquiryReceiver<'static> {
    let taxonomy = provider.taxonomy.as_deref().filter(|_| options.send_taxonomy);
    let tax_id = options.tax_id_qualifier.as_deref().zip(provider.tax_id.as_deref());
    InquiryReceiver {
        level: level("21"),
        name: Some(Nm1 {
            entity: owned(&options.receiver_entity),
            kind: if options.receiver_is_person { "1" } else { "2" }.into(),
            last_name: provider.name.as_deref().map(|name| options.case(name)).unwrap_or_default(),
            qualifier: owned(&options.receiver_qualifier),
            id: owned(&provider.npi),
            ..Nm1::default()
        }),
        references: tax_id.map(|(qualifier, tax_id)| reference(qualifier, owned(tax_id))).into_iter().collect(),
        provider: taxonomy.map(|code| Prv {
            role: "PE".into(),
            qualifier: "PXC".into(),
            code: owned(code),
            ..Prv::default()
        }),
        subscribers: vec![subscriber],
        ..InquiryReceiver::default()
    }
}

fn subscriber(ask: &EligibilityRequest, options: &InquiryOptions) -> InquirySubscriber<'static> {
    let member = &ask.member;
    let text = |value: &Option<Phi<String>>| value.as_ref().map(|value| options.case(value.text())).unwrap_or_default();
    let last = member.last_name.as_ref().map(|name| name.text()).unwrap_or_default();
    let (last_name, suffix) = names(last, member.suffix.as_ref().map(|suffix| suffix.text()), options);
    let group = options.group_qualifier.as_deref().zip(member.group_number.as_ref());
    let id = text(&member.member_id);
    let name = Nm1 {
        entity: "IL".into(),
        kind: "1".into(),
        last_name,
        first_name: text(&member.first_name),
        suffix,
        qualifier: if id.is_empty() { "" } else { "MI" }.into(),
        id,
        ..Nm1::default()
    };
    let subscriber = InquirySubscriber {
        level: level("22"),
        name: Some(name),
        references: group.map(|(kind, group)| reference(kind, options.case(group.text()))).into_iter().collect(),
        demographics: demographics(member.date_of_birth.as_ref().map(|date| *date.expose()), member.sex),
        ..InquirySubscriber::default()
    };
    let (traces, dates, questions) = (traces(options), dates(ask, options), questions(ask, options));
    match &ask.dependent {
        None => InquirySubscriber { traces, dates, questions, ..subscriber },
        Some(patient) => {
            let patient = InquiryDependent { traces, dates, questions, ..dependent(patient, options) };
            InquirySubscriber { dependents: vec![patient], ..subscriber }
        }
    }
}

fn dependent(dependent: &Dependent, options: &InquiryOptions) -> InquiryDependent<'static> {
    let (last_name, suffix) = names(dependent.last_name.text(), None, options);
    let relationship = match dependent.relationship {
        Relationship::Spouse => "01",
        Relationship::Child => "19",
        Relationship::OtherAdult => "34",
        Relationship::Unknown => "21",
    };
    InquiryDependent {
        level: level("23"),
        name: Some(Nm1 {
            entity: "03".into(),
            kind: "1".into(),
            last_name,
            first_name: options.case(dependent.first_name.text()),
            suffix,
            ..Nm1::default()
        }),
        demographics: demographics(Some(*dependent.date_of_birth.expose()), dependent.sex),
        insured: Some(Ins { subscriber: "N".into(), relationship: relationship.into(), ..Ins::default() }),
        ..InquiryDependent::default()
    }
}

fn names(last: &str, suffix: Option<&str>, options: &InquiryOptions) -> (Text<'static>, Text<'static>) {
    let given = suffix.map(|suffix| options.case(suffix)).unwrap_or_default();
    if !options.normalise_names {
        return (options.case(last), given);
    }
    let (last, taken) = core_258(last);
    (last.into(), if given.is_empty() { taken.unwrap_or_default().into() } else { given })
}

/// DMG03 knows F and M; "unknown" is left out.
pub(super) fn demographics(born: Option<Date>, sex: Option<Sex>) -> Option<Dmg<'static>> {
    let sex = match sex {
        Some(Sex::Female) => "F",
        Some(Sex::Male) => "M",
        Some(Sex::Unknown) | None => "",
    };
    let format = if born.is_some() { "D8" } else { "" }.into();
    let said = born.is_some() || !sex.is_empty();
    said.then(|| Dmg { format, born: born.into(), sex: sex.into(), ..Dmg::default() })
}

fn traces(options: &InquiryOptions) -> Vec<Trn<'static>> {
    if options.trace.is_empty() {
        return Vec::new();
    }
    let (number, origin) = (owned(&options.trace), owned(&options.trace_origin));
    vec![Trn { kind: "1".into(), number, origin, ..Trn::default() }]
}

fn dates(ask: &EligibilityRequest, options: &InquiryOptions) -> Vec<Dtp<'static>> {
    if !options.send_date {
        return Vec::new();
    }
    let today = options.at.date();
    let (first, last) = (ask.first_day(today), ask.last_day(today));
    let (format, value) = if first == last {
        ("D8", first.strftime("%Y%m%d").to_string())
    } else {
        ("RD8", format!("{}-{}", first.strftime("%Y%m%d"), last.strftime("%Y%m%d")))
    };
    vec![Dtp { qualifier: "291".into(), format: format.into(), value: value.into(), ..Dtp::default() }]
}

fn questions(ask: &EligibilityRequest, options: &InquiryOptions) -> Vec<EligibilityQuestion<'static>> {
    let types: Vec<_> = ask.service_types().into_iter().map(|code| options.case(code)).collect();
    let lists = if types.is_empty() {
        Vec::new()
    } else if options.repeat_service_types {
        vec![types]
    } else {
        types.into_iter().map(|code| vec![code]).collect()
    };
    let by_type = lists.into_iter().map(|service_types| AskedService { service_types, ..AskedService::default() });
    let by_procedure = ask.service.procedures.iter().map(|asked| {
        let modifier = |at| asked.modifiers.get(at).map(|modifier: &String| options.case(modifier)).unwrap_or_default();
        let procedure = Procedure {
            system: owned(&asked.system),
            code: options.case(&asked.code),
            modifier_1: modifier(0),
            modifier_2: modifier(1),
            modifier_3: modifier(2),
            modifier_4: modifier(3),
            ..Procedure::default()
        };
        AskedService { procedure, ..AskedService::default() }
    });
    let place = |code: &String| Iii { qualifier: "ZZ".into(), code: owned(code), ..Iii::default() };
    let services = by_type.chain(by_procedure);
    services
        .map(|service| EligibilityQuestion {
            service,
            information: ask.service.place.iter().map(place).collect(),
            ..EligibilityQuestion::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Delimiters;
    use crate::write::{Charset, Envelope};

    fn ask(changes: Value) -> EligibilityRequest {
        let mut ask = json!({
            "carrier": "northstar",
            "provider": { "npi": "1234567893", "name": "Bone Clinic", "tax_id": "123456789", "taxonomy": "207X00000X" },
            "member": { "member_id": "w1", "last_name": "O'Zanzibar Jr", "first_name": "Ada",
                        "date_of_birth": "1980-02-01", "sex": "female", "group_number": "g7" },
            "service": { "date": "2026-11-24", "types": ["30", "98"] }
        });
        for (key, value) in changes.as_object().unwrap() {
            ask[key] = value.clone();
        }
        serde_json::from_value(ask).unwrap()
    }

    fn options() -> InquiryOptions {
        InquiryOptions {
            payer_name: "Northstar".into(),
            payer_id: "60054".into(),
            normalise_names: true,
            reference: "REF-1".into(),
            trace: "T1".into(),
            trace_origin: "9123456789".into(),
            at: jiff::civil::datetime(2026, 11, 23, 12, 30, 0, 0),
            ..InquiryOptions::default()
        }
    }

    fn body(ask: &EligibilityRequest, options: &InquiryOptions) -> String {
        let delimiters = Delimiters::default();
        let tx = inquiry(ask, options).write(&delimiters, Charset::Basic).unwrap();
        let bytes = Envelope::new("HS", EligibilityInquiry::GUIDE).wrap(&delimiters, vec![tx]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text[text.find("ST*").unwrap()..text.find("SE*").unwrap()].to_owned()
    }

    #[test]
    fn a_subscriber() {
        assert_eq!(
            body(&ask(json!({})), &options()),
            "ST*270*0001*005010X279A1~BHT*0022*13*REF-1*20261123*1230~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
             HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~REF*TJ*123456789~PRV*PE*PXC*207X00000X~HL*3*2*22*0~\
             TRN*1*T1*9123456789~NM1*IL*1*OZANZIBAR*ADA***JR*MI*W1~REF*6P*G7~DMG*D8*19800201*F~DTP*291*D8*20261124~EQ*30^98~"
        );
    }

    #[test]
    fn a_dependent_with_procedures_and_a_span() {
        let asked = ask(json!({
            "dependent": { "first_name": "Ben", "last_name": "Zanzibar", "date_of_birth": "2010-03-04",
                           "relationship": "child" },
            "service": { "from": "2026-11-01", "to": "2026-11-30", "types": ["30", "98"], "place": "11",
                         "procedures": [{ "system": "HC", "code": "99213", "modifiers": ["25"] }] }
        }));
        let text = body(&asked, &InquiryOptions { repeat_service_types: false, ..options() });
        assert!(
            text.ends_with(
                "HL*3*2*22*1~NM1*IL*1*OZANZIBAR*ADA***JR*MI*W1~REF*6P*G7~DMG*D8*19800201*F~HL*4*3*23*0~\
                 TRN*1*T1*9123456789~NM1*03*1*ZANZIBAR*BEN~DMG*D8*20100304~INS*N*19~DTP*291*RD8*20261101-20261130~\
                 EQ*30~III*ZZ*11~EQ*98~III*ZZ*11~EQ**HC:99213:25~III*ZZ*11~"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_refusal_names_the_place_only() {
        let bad = inquiry(&ask(json!({ "member": { "member_id": "W1", "last_name": "ZAN*ZIBAR" } })), &options());
        let named = InquiryOptions { normalise_names: false, ..options() };
        assert!(bad.write(&Delimiters::default(), Charset::Extended).is_ok(), "punctuation was taken off");
        let bad = inquiry(&ask(json!({ "member": { "member_id": "W1", "last_name": "ZAN*ZIBAR" } })), &named);
        let error = bad.write(&Delimiters::default(), Charset::Extended).map(|_| ()).unwrap_err();
        assert_eq!((error.segment.as_str(), error.element), ("NM1", 3));
        assert!(!format!("{bad:?} {error}").contains("ZIB"));
    }
}
