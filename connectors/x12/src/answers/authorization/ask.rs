//! From an ask to a 278: the request (005010X217), and the inquiry about it (X215).

use connector_sdk::AuthorizationRequest;
use connector_sdk::ask::{AuthorizationKind, Provider, Relationship, RequestedService, Urgency};
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

use super::super::ask::{demographics, level, owned, reference};
use crate::model::Text;
use crate::model::common::{Bht, Dtp, HealthCode, Hi, Ins, Msg, Nm1, Procedure, Prv, Trn};
use crate::model::health::{ServiceLocation, Sv1, Sv3};
use crate::review::{
    ReviewDependent, ReviewEvent, ReviewOrganization, ReviewParty, ReviewRequester, ReviewService, ReviewSubscriber,
    ServicesReview, Um,
};

/// Guide of the request and its response.
pub const REQUEST_GUIDE: &str = "005010X217";
/// Guide of the inquiry and its response.
pub const INQUIRY_GUIDE: &str = "005010X215";

/// What a carrier wants its 278 to look like, and the numbers of this one.
#[derive(Clone, Debug)]
pub struct ReviewOptions {
    /// NM103 of loop 2010A: who reviews.
    pub payer_name: String,
    /// NM108 of loop 2010A: `PI`, `XV`, `FI` …
    pub payer_qualifier: String,
    /// NM109 of loop 2010A.
    pub payer_id: String,
    /// NM101 of loop 2010B: `1P` provider, `FA` facility.
    pub requester_entity: String,
    /// The requester is a person (NM102 `1`).
    pub requester_is_person: bool,
    /// Whether the requester's tax id is sent, where the ask has one.
    pub send_tax_id: bool,
    /// Whether taxonomy codes are sent, where the ask has them.
    pub send_taxonomy: bool,
    /// Letters become capitals.
    pub uppercase: bool,
    /// ST02, 4 to 9 characters.
    pub control: String,
    /// BHT03 and TRN02: the number by which this very submission is known on both sides, at most 50 characters.
    pub reference: String,
    /// TRN03, exactly 10 characters.
    pub trace_origin: String,
    /// BHT04, BHT05.
    pub at: DateTime,
}

/// The 278 that asks for a review. Wrap what it writes in an [`Envelope`](crate::write::Envelope) with `HI` and
/// [`REQUEST_GUIDE`].
pub fn review_request(ask: &AuthorizationRequest, options: &ReviewOptions) -> ServicesReview<'static> {
    let services = ask.services.iter().map(|service| options.service(service)).collect();
    let notes = ask.notes.as_ref().map(|notes| Msg { text: options.case(notes.text()), ..Msg::default() });
    let event = ReviewEvent {
        messages: notes.into_iter().collect(),
        health: Some(diagnoses(ask)),
        services,
        ..options.event(ask)
    };
    options.around(ask, REQUEST_GUIDE, "13", event)
}

/// The 278 that asks what became of an earlier one with the same [`ReviewOptions::reference`]. Wrap what it writes in an
/// [`Envelope`](crate::write::Envelope) with `HI` and [`INQUIRY_GUIDE`].
pub fn review_inquiry(ask: &AuthorizationRequest, options: &ReviewOptions) -> ServicesReview<'static> {
    options.around(ask, INQUIRY_GUIDE, "28", options.event(ask))
}

impl ReviewOptions {
    fn case(&self, text: &str) -> Text<'static> {
        if self.uppercase { text.to_uppercase().into() } else { owned(text) }
    }

    /// Everything from BHT down to the patient.
    fn around(
        &self,
        ask: &AuthorizationRequest,
        guide: &'static str,
        purpose: &'static str,
        event: ReviewEvent<'static>,
    ) -> ServicesReview<'static> {
        let reviewer = Nm1 {
            entity: "X3".into(),
            kind: "2".into(),
            last_name: self.case(&self.payer_name),
            qualifier: owned(&self.payer_qualifier),
            id: owned(&self.payer_id),
            ..Nm1::default()
        };
        let requester = ReviewRequester {
            level: level("21"),
            names: vec![self.requester(&ask.requester)],
            subscribers: vec![self.subscriber(ask, event)],
            ..ReviewRequester::default()
        };
        ServicesReview {
            control: owned(&self.control),
            implementation: guide.into(),
            beginning: Some(Bht {
                structure: "0007".into(),
                purpose: purpose.into(),
                reference: owned(&self.reference),
                date: self.at.date().into(),
                time: self.at.strftime("%H%M").to_string().into(),
                ..Bht::default()
            }),
            organizations: vec![ReviewOrganization {
                level: level("20"),
                names: vec![ReviewParty { name: reviewer, ..ReviewParty::default() }],
                requesters: vec![requester],
                ..ReviewOrganization::default()
            }],
            ..ServicesReview::default()
        }
    }

    fn requester(&self, provider: &Provider) -> ReviewParty<'static> {
        let tax_id = provider.tax_id.as_deref().filter(|_| self.send_tax_id);
        ReviewParty {
            name: self.provider_name(&self.requester_entity, self.requester_is_person, provider),
            references: tax_id.map(|id| reference("EI", owned(id))).into_iter().collect(),
            provider: self.taxonomy("RF", provider),
            ..ReviewParty::default()
        }
    }

    fn provider_name(&self, entity: &str, person: bool, provider: &Provider) -> Nm1<'static> {
        Nm1 {
            entity: owned(entity),
            kind: if person { "1" } else { "2" }.into(),
            last_name: provider.name.as_deref().map(|name| self.case(name)).unwrap_or_default(),
            qualifier: "XX".into(),
            id: owned(&provider.npi),
            ..Nm1::default()
        }
    }

    fn taxonomy(&self, role: &'static str, provider: &Provider) -> Option<Prv<'static>> {
        let code = provider.taxonomy.as_deref().filter(|_| self.send_taxonomy)?;
        Some(Prv { role: role.into(), qualifier: "PXC".into(), code: self.case(code), ..Prv::default() })
    }

    fn subscriber(&self, ask: &AuthorizationRequest, event: ReviewEvent<'static>) -> ReviewSubscriber<'static> {
        let member = &ask.member;
        let text = |value: &Option<connector_sdk::Phi<String>>| {
            value.as_ref().map(|value| self.case(value.text())).unwrap_or_default()
        };
        let id = text(&member.member_id);
        let name = Nm1 {
            entity: "IL".into(),
            kind: "1".into(),
            last_name: text(&member.last_name),
            first_name: text(&member.first_name),
            suffix: text(&member.suffix),
            qualifier: if id.is_empty() { "" } else { "MI" }.into(),
            id,
            ..Nm1::default()
        };
        let group = member.group_number.as_ref().map(|group| reference("6P", self.case(group.text())));
        let party = ReviewParty {
            name,
            references: group.into_iter().collect(),
            demographics: demographics(member.date_of_birth.as_ref().map(|date| *date.expose()), member.sex),
            ..ReviewParty::default()
        };
        let subscriber = ReviewSubscriber { level: level("22"), names: vec![party], ..ReviewSubscriber::default() };
        let Some(patient) = &ask.dependent else { return ReviewSubscriber { events: vec![event], ..subscriber } };
        let relationship = match patient.relationship {
            Relationship::Spouse => "01",
            Relationship::Child => "19",
            Relationship::OtherAdult => "34",
            Relationship::Unknown => "21",
        };
        let party = ReviewParty {
            name: Nm1 {
                entity: "QC".into(),
                kind: "1".into(),
                last_name: self.case(patient.last_name.text()),
                first_name: self.case(patient.first_name.text()),
                ..Nm1::default()
            },
            demographics: demographics(Some(*patient.date_of_birth.expose()), patient.sex),
            insured: Some(Ins { subscriber: "N".into(), relationship: relationship.into(), ..Ins::default() }),
            ..ReviewParty::default()
        };
        let dependent = ReviewDependent {
            level: level("23"),
            names: vec![party],
            events: vec![event],
            ..ReviewDependent::default()
        };
        ReviewSubscriber { dependents: vec![dependent], ..subscriber }
    }

    /// The event with what request and inquiry share: our number, the kind of review, when.
    fn event(&self, ask: &AuthorizationRequest) -> ReviewEvent<'static> {
        let (category, date) = match ask.kind {
            AuthorizationKind::PriorAuth => ("HS", "AAH"),
            AuthorizationKind::Referral => ("SC", "AAH"),
            AuthorizationKind::Admission => ("AR", "435"),
        };
        let urgent = match ask.urgency {
            Urgency::Standard => "",
            Urgency::Expedited => "U",
        };
        let place = ask.services.iter().find_map(|service| service.place.as_deref());
        let kind = ask.services.iter().find_map(|service| service.service_type.as_deref());
        let first = ask.services.iter().map(|service| service.from).min();
        let last = ask.services.iter().map(|service| service.to.unwrap_or(service.from)).max();
        let days = first.zip(last).map(|(from, to)| {
            // An admission has a day, not a span.
            days(date, from, if ask.kind == AuthorizationKind::Admission { from } else { to })
        });
        ReviewEvent {
            level: level("EV"),
            traces: vec![Trn {
                kind: "1".into(),
                number: owned(&self.reference),
                origin: owned(&self.trace_origin),
                ..Trn::default()
            }],
            review: Some(Um {
                category: category.into(),
                certification: "I".into(),
                service_type: kind.map(|code| self.case(code)).unwrap_or_default(),
                location: place.map(location).unwrap_or_default(),
                level_of_service: urgent.into(),
                ..Um::default()
            }),
            dates: days.into_iter().collect(),
            ..ReviewEvent::default()
        }
    }

    fn service(&self, service: &RequestedService) -> ReviewService<'static> {
        let performer = service.performer.as_ref().map(|performer| ReviewParty {
            name: self.provider_name("SJ", false, performer),
            provider: self.taxonomy("PE", performer),
            ..ReviewParty::default()
        });
        let review = service.service_type.as_deref().map(|code| Um {
            category: "HS".into(),
            certification: "I".into(),
            service_type: self.case(code),
            location: service.place.as_deref().map(location).unwrap_or_default(),
            ..Um::default()
        });
        let node = ReviewService {
            level: level("SS"),
            review,
            dates: vec![days("472", service.from, service.to.unwrap_or(service.from))],
            names: performer.into_iter().collect(),
            ..ReviewService::default()
        };
        let units = service.units.map(|units: Decimal| units.normalize());
        match &service.procedure {
            Some(asked) if asked.system == "AD" => {
                let dental = Sv3 { procedure: self.procedure(asked), quantity: units.into(), ..Sv3::default() };
                ReviewService { dental: Some(dental), ..node }
            }
            Some(asked) => {
                let unit = if units.is_some() { "UN" } else { "" }.into();
                let professional =
                    Sv1 { procedure: self.procedure(asked), unit, quantity: units.into(), ..Sv1::default() };
                ReviewService { professional: Some(professional), ..node }
            }
            None => node,
        }
    }

    fn procedure(&self, asked: &connector_sdk::ask::Procedure) -> Procedure<'static> {
        let modifier = |at| asked.modifiers.get(at).map(|modifier: &String| self.case(modifier)).unwrap_or_default();
        Procedure {
            system: owned(&asked.system),
            code: self.case(&asked.code),
            modifier_1: modifier(0),
            modifier_2: modifier(1),
            modifier_3: modifier(2),
            modifier_4: modifier(3),
            ..Procedure::default()
        }
    }
}

fn location(place: &str) -> ServiceLocation<'static> {
    ServiceLocation { facility: owned(place), qualifier: "B".into(), ..ServiceLocation::default() }
}

fn days(qualifier: &'static str, from: Date, to: Date) -> Dtp<'static> {
    let day = |date: Date| date.strftime("%Y%m%d").to_string();
    let (format, value) = if from == to { ("D8", day(from)) } else { ("RD8", format!("{}-{}", day(from), day(to))) };
    Dtp { qualifier: qualifier.into(), format: format.into(), value: value.into(), ..Dtp::default() }
}

/// ICD-10-CM codes go without their dot.
fn diagnoses(ask: &AuthorizationRequest) -> Hi<'static> {
    let code = |(place, diagnosis): (usize, &connector_sdk::Phi<String>)| HealthCode {
        qualifier: if place == 0 { "ABK" } else { "ABF" }.into(),
        code: diagnosis.text().replace('.', "").to_ascii_uppercase().into(),
        ..HealthCode::default()
    };
    Hi { codes: ask.diagnoses.iter().enumerate().map(code).collect(), ..Hi::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Delimiters;
    use crate::check::Verdict;
    use crate::write::{Charset, Envelope};

    fn ask(changes: Value) -> AuthorizationRequest {
        let mut ask = json!({
            "carrier": "northstar",
            "requester": { "npi": "1234567893", "name": "Bone Clinic", "tax_id": "123456789", "taxonomy": "207X00000X" },
            "member": { "member_id": "w1", "last_name": "Zanzibar", "first_name": "Ada",
                        "date_of_birth": "1980-02-01", "sex": "female" },
            "services": [{ "procedure": { "code": "97110", "modifiers": ["GP"] }, "units": "12.0", "from": "2026-12-01",
                           "to": "2027-02-28", "place": "11",
                           "performer": { "npi": "1999999984", "name": "Meyer Therapy", "taxonomy": "225100000X" } }],
            "diagnoses": ["M17.11", "i10"],
            "notes": "After surgery"
        });
        for (key, value) in changes.as_object().unwrap() {
            ask[key] = value.clone();
        }
        serde_json::from_value(ask).unwrap()
    }

    fn options() -> ReviewOptions {
        ReviewOptions {
            payer_name: "Northstar".into(),
            payer_qualifier: "PI".into(),
            payer_id: "60054".into(),
            requester_entity: "1P".into(),
            requester_is_person: false,
            send_tax_id: true,
            send_taxonomy: true,
            uppercase: true,
            control: "0001".into(),
            reference: "P26B4K7Q2".into(),
            trace_origin: "9123456789".into(),
            at: jiff::civil::datetime(2026, 11, 23, 12, 30, 0, 0),
        }
    }

    /// The segments between ST and SE, of a file that our own checks find nothing in.
    fn body(review: &ServicesReview<'_>, guide: &str) -> String {
        let delimiters = Delimiters::default();
        let set = review.write(&delimiters, Charset::Basic).unwrap();
        let bytes = Envelope::new("HI", guide).wrap(&delimiters, vec![set]).unwrap();
        let (reports, _) = crate::check::check(&bytes).unwrap();
        assert_eq!(reports[0].verdict, Verdict::Accepted, "{:?}", reports[0].findings);
        let text = String::from_utf8(bytes).unwrap();
        text[text.find("BHT*").unwrap()..text.find("SE*").unwrap()].to_owned()
    }

    const PEOPLE: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR*****PI*60054~HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~\
        REF*EI*123456789~PRV*RF*PXC*207X00000X~HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~DMG*D8*19800201*F~";

    #[test]
    fn a_request_for_therapy() {
        let text = body(&review_request(&ask(json!({})), &options()), REQUEST_GUIDE);
        assert_eq!(
            text,
            format!(
                "BHT*0007*13*P26B4K7Q2*20261123*1230~{PEOPLE}HL*4*3*EV*1~TRN*1*P26B4K7Q2*9123456789~UM*HS*I**11:B~\
                 DTP*AAH*RD8*20261201-20270228~HI*ABK:M1711*ABF:I10~MSG*AFTER SURGERY~HL*5*4*SS*0~\
                 DTP*472*RD8*20261201-20270228~SV1*HC:97110:GP**UN*12~NM1*SJ*2*MEYER THERAPY*****XX*1999999984~\
                 PRV*PE*PXC*225100000X~"
            )
        );
    }

    #[test]
    fn an_urgent_admission_of_a_dependent_and_a_dental_service() {
        let asked = ask(json!({
            "kind": "admission", "urgency": "expedited",
            "dependent": { "first_name": "Ben", "last_name": "Zanzibar", "date_of_birth": "2010-03-04",
                           "relationship": "child" },
            "services": [{ "service_type": "2", "from": "2026-11-30", "to": "2026-12-04", "place": "21" },
                         { "procedure": { "system": "AD", "code": "D7240" }, "units": "2", "from": "2026-11-30" }]
        }));
        let text = body(&review_request(&asked, &options()), REQUEST_GUIDE);
        assert!(
            text.ends_with(
                "HL*4*3*23*1~NM1*QC*1*ZANZIBAR*BEN~DMG*D8*20100304~INS*N*19~HL*5*4*EV*1~TRN*1*P26B4K7Q2*9123456789~\
                 UM*AR*I*2*21:B**U~DTP*435*D8*20261130~HI*ABK:M1711*ABF:I10~MSG*AFTER SURGERY~HL*6*5*SS*0~UM*HS*I*2*21:B~\
                 DTP*472*RD8*20261130-20261204~HL*7*5*SS*0~DTP*472*D8*20261130~SV3*AD:D7240*****2~"
            ),
            "{text}"
        );
    }

    #[test]
    fn an_inquiry_names_the_same_number_and_shows_no_more_than_it_must() {
        let text = body(&review_inquiry(&ask(json!({})), &options()), INQUIRY_GUIDE);
        assert_eq!(
            text,
            format!(
                "BHT*0007*28*P26B4K7Q2*20261123*1230~{PEOPLE}HL*4*3*EV*0~TRN*1*P26B4K7Q2*9123456789~UM*HS*I**11:B~\
                 DTP*AAH*RD8*20261201-20270228~"
            )
        );
    }
}
