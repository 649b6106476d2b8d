//! Writing a 271, a 278, a TA1 and a 999.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x12::Delimiters;
use x12::ack::{ElementError, ImplementationAcknowledgment, SegmentError, SetAcknowledgment, Ta1};
use x12::eligibility::{
    Eb, EligibilityBenefit, EligibilityResponse, RelatedEntity, ResponseDependent, ResponseParty, ResponseReceiver,
    ResponseSource, ResponseSubscriber,
};
use x12::model::common::{Aaa, Bht, Dmg, Dtp, Ins, Msg, N3, N4, Nm1, Per, Ref, Trn};
use x12::model::{Hl, Money, Written};
use x12::review::ServicesReview;
use x12::write::{Charset, Envelope, TransactionWriter, Usage, WriteError};

use super::Inquiry;
use crate::lines::Line;
use crate::people::Entity;
use crate::search::{Found, Loop, Reject};

/// Delimiters of a carrier; carriers differ, and say so in their ISA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) element: u8,
    pub(crate) repetition: u8,
    pub(crate) component: u8,
    pub(crate) terminator: u8,
    /// What follows each terminator.
    pub(crate) line_end: &'static str,
}

/// The payer as it names itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payer {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) style: Style,
}

impl Style {
    fn delimiters(self) -> Delimiters {
        Delimiters {
            element: self.element,
            repetition: Some(self.repetition),
            component: self.component,
            segment: self.terminator,
            newline_after: !self.line_end.is_empty(),
        }
    }

    /// A text of the question, to be echoed: without what this carrier's X12 cannot carry.
    pub(crate) fn clean<'a>(self, text: &'a str) -> Cow<'a, str> {
        let delimiters = self.delimiters();
        let bad =
            |c: char| c.is_control() || u8::try_from(c).is_ok_and(|byte| c.is_ascii() && delimiters.contains(byte));
        if text.contains(bad) { text.replace(bad, "").into() } else { text.into() }
    }
}

fn now() -> DateTime {
    Timestamp::now().to_zoned(TimeZone::UTC).datetime()
}

/// What stands around an answer to this question.
fn envelope(payer: &Payer, inquiry: &Inquiry, functional_id: &str, version: &str) -> Envelope {
    let asked = &inquiry.interchange;
    let cut =
        |text: &str, width: usize| payer.style.clean(text).chars().filter(char::is_ascii_graphic).take(width).collect();
    let digits: String = asked.control.chars().filter(char::is_ascii_digit).take(9).collect();
    Envelope {
        sender_qualifier: cut(&asked.receiver_qualifier, 2),
        sender_id: cut(&asked.receiver_id, 15),
        receiver_qualifier: cut(&asked.sender_qualifier, 2),
        receiver_id: cut(&asked.sender_id, 15),
        at: now(),
        interchange_control: digits.parse().unwrap_or_default(),
        usage: Usage::Test,
        group_sender: cut(&inquiry.group.receiver, 15),
        group_receiver: cut(&inquiry.group.sender, 15),
        ..Envelope::new(functional_id, version)
    }
}

/// The interchange as this carrier sends it. Everything that is echoed was cleaned before, so that nothing is refused;
/// where something is all the same, there is no answer.
fn sent(payer: &Payer, envelope: &Envelope, set: Result<TransactionWriter, WriteError>) -> String {
    let bytes = set.and_then(|set| envelope.wrap(&payer.style.delimiters(), vec![set])).unwrap_or_default();
    lines_ended(payer, bytes)
}

fn lines_ended(payer: &Payer, bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).unwrap_or_default();
    if payer.style.line_end == "\r\n" { text.replace('\n', "\r\n") } else { text }
}

/// A 271 with benefits.
pub(crate) fn answer(payer: &Payer, inquiry: &Inquiry, found: &Found, lines: &[Line]) -> String {
    let person = &found.person;
    let plan_days = plan_days(found);
    let benefits = lines.iter().map(benefit).collect();
    let party = ResponseParty {
        name: member(person.last_name.into(), person.first_name.into(), person.member_id.into()),
        references: vec![Ref { qualifier: "6P".into(), value: person.group_number.into(), ..Ref::default() }],
        street: Some(N3 { line_1: "4100 FICTION AVE".into(), ..N3::default() }),
        city: Some(N4 { city: "SAMPLETON".into(), state: "OR".into(), postal_code: "97999".into(), ..N4::default() }),
        demographics: Some(demographics(person.date_of_birth, person.sex.into())),
        ..ResponseParty::default()
    };
    let subscriber = match &found.dependent {
        None => ResponseSubscriber {
            traces: traces(payer, inquiry),
            parties: vec![ResponseParty { dates: plan_days, ..party }],
            benefits,
            ..subscriber()
        },
        Some(dependent) => {
            let patient = ResponseParty {
                name: child(dependent.last_name.into(), dependent.first_name.into()),
                demographics: Some(demographics(dependent.date_of_birth, dependent.sex.into())),
                insured: Some(Ins {
                    subscriber: "N".into(),
                    relationship: dependent.relationship.into(),
                    ..Ins::default()
                }),
                dates: plan_days,
                ..ResponseParty::default()
            };
            let dependent = ResponseDependent { parties: vec![patient], benefits, ..dependent_level(payer, inquiry) };
            ResponseSubscriber { parties: vec![party], dependents: vec![dependent], ..subscriber() }
        }
    };
    response(payer, inquiry, &[], Some(subscriber))
}

/// A 271 that refuses, with the codes in their loops.
pub(crate) fn refuse(payer: &Payer, inquiry: &Inquiry, rejects: &[Reject]) -> String {
    let (query, clean) = (&inquiry.query, |text| payer.style.clean(text));
    let born = |iso: &str, sex| (!iso.is_empty()).then(|| demographics(iso, sex));
    let party = ResponseParty {
        name: member(clean(&query.last_name), clean(&query.first_name), clean(&query.member_id)),
        rejections: aaa(rejects, Loop::Subscriber),
        demographics: born(&query.date_of_birth, clean(&query.sex)),
        ..ResponseParty::default()
    };
    let subscriber = match &query.dependent {
        None => ResponseSubscriber { traces: traces(payer, inquiry), parties: vec![party], ..subscriber() },
        Some(patient) => {
            let patient = ResponseParty {
                name: child(clean(&patient.last_name), clean(&patient.first_name)),
                rejections: aaa(rejects, Loop::Dependent),
                demographics: born(&patient.date_of_birth, "".into()),
                ..ResponseParty::default()
            };
            let dependent = ResponseDependent { parties: vec![patient], ..dependent_level(payer, inquiry) };
            ResponseSubscriber { parties: vec![party], dependents: vec![dependent], ..subscriber() }
        }
    };
    response(payer, inquiry, rejects, Some(subscriber))
}

/// The whole 271. It ends at the payer's or the provider's loop where that is refused.
fn response(
    payer: &Payer,
    inquiry: &Inquiry,
    rejects: &[Reject],
    subscriber: Option<ResponseSubscriber<'_>>,
) -> String {
    let refused = |at| rejects.iter().any(|reject: &Reject| reject.at == at);
    let clean = |text| payer.style.clean(text);
    let asker = &inquiry.provider;
    let receiver = ResponseReceiver {
        level: level("21"),
        parties: vec![ResponseParty {
            name: Nm1 {
                entity: clean(&asker.entity),
                kind: clean(&asker.kind),
                last_name: clean(&asker.last_name),
                first_name: clean(&asker.first_name),
                qualifier: clean(&asker.qualifier),
                id: clean(&asker.id),
                ..Nm1::default()
            },
            rejections: aaa(rejects, Loop::Provider),
            ..ResponseParty::default()
        }],
        subscribers: subscriber.into_iter().filter(|_| !refused(Loop::Provider)).collect(),
        ..ResponseReceiver::default()
    };
    let source = ResponseSource {
        level: level("20"),
        parties: vec![ResponseParty {
            name: Nm1 {
                entity: "PR".into(),
                kind: "2".into(),
                last_name: payer.name.into(),
                qualifier: "PI".into(),
                id: payer.id.into(),
                ..Nm1::default()
            },
            contacts: vec![phone("PROVIDER SERVICES", payer.phone)],
            rejections: aaa(rejects, Loop::Payer),
            ..ResponseParty::default()
        }],
        receivers: Some(receiver).into_iter().filter(|_| !refused(Loop::Payer)).collect(),
        ..ResponseSource::default()
    };
    let envelope = envelope(payer, inquiry, "HB", EligibilityResponse::GUIDE);
    let set = EligibilityResponse {
        control: "0001".into(),
        implementation: EligibilityResponse::GUIDE.into(),
        beginning: Some(Bht {
            structure: "0022".into(),
            purpose: "11".into(),
            reference: clean(&inquiry.reference),
            date: envelope.at.date().into(),
            time: envelope.at.strftime("%H%M").to_string().into(),
            ..Bht::default()
        }),
        sources: vec![source],
        ..EligibilityResponse::default()
    };
    sent(payer, &envelope, set.write(&payer.style.delimiters(), Charset::Utf8))
}

fn level(code: &'static str) -> Hl<'static> {
    Hl { level: code.into(), ..Hl::default() }
}

fn subscriber<'a>() -> ResponseSubscriber<'a> {
    ResponseSubscriber { level: level("22"), ..ResponseSubscriber::default() }
}

fn dependent_level<'a>(payer: &Payer, inquiry: &'a Inquiry) -> ResponseDependent<'a> {
    ResponseDependent { level: level("23"), traces: traces(payer, inquiry), ..ResponseDependent::default() }
}

fn member<'a>(last_name: Cow<'a, str>, first_name: Cow<'a, str>, id: Cow<'a, str>) -> Nm1<'a> {
    let qualifier = if id.is_empty() { "" } else { "MI" }.into();
    Nm1 { entity: "IL".into(), kind: "1".into(), last_name, first_name, qualifier, id, ..Nm1::default() }
}

fn child<'a>(last_name: Cow<'a, str>, first_name: Cow<'a, str>) -> Nm1<'a> {
    Nm1 { entity: "03".into(), kind: "1".into(), last_name, first_name, ..Nm1::default() }
}

fn demographics<'a>(born: &str, sex: Cow<'a, str>) -> Dmg<'a> {
    Dmg { format: "D8".into(), born: crate::search::date(born).into(), sex, ..Dmg::default() }
}

fn aaa(rejects: &[Reject], at: Loop) -> Vec<Aaa<'static>> {
    let one = |reject: &Reject| Aaa {
        valid: "N".into(),
        reason: reject.code.into(),
        follow_up: reject.follow_up.into(),
        ..Aaa::default()
    };
    rejects.iter().filter(|reject| reject.at == at).map(one).collect()
}

fn traces<'a>(payer: &Payer, inquiry: &'a Inquiry) -> Vec<Trn<'a>> {
    let trace = |kind: &'static str, number, origin| Trn { kind: kind.into(), number, origin, ..Trn::default() };
    let clean = |text: &'a str| payer.style.clean(text);
    let echoed = inquiry.traces.iter().take(2).map(|(number, origin)| trace("2", clean(number), clean(origin)));
    // The payer's own reference stands beside ours, as it does in practice.
    let own = format!("{}{}", payer.id, clean(&inquiry.interchange.control));
    echoed.chain([trace("1", own.into(), "9999999999".into())]).collect()
}

fn plan_days(found: &Found) -> Vec<Dtp<'static>> {
    let plan = &found.person.plan;
    let day = |qualifier: &'static str, iso: &str| Dtp {
        qualifier: qualifier.into(),
        format: "D8".into(),
        value: compact(iso).into(),
        ..Dtp::default()
    };
    std::iter::once(day("346", plan.from)).chain(plan.to.map(|to| day("347", to))).collect()
}

fn benefit(line: &Line) -> EligibilityBenefit<'static> {
    let number = |text: &str| -> Money<'static> { Written::parse(text.as_bytes()).into() };
    let eb = Eb {
        information: line.info.into(),
        coverage_level: line.level.into(),
        service_types: if line.service.is_empty() { Vec::new() } else { vec![line.service.into()] },
        insurance_type: line.insurance.into(),
        plan: line.plan.into(),
        period: line.period.into(),
        amount: number(line.amount),
        share: number(line.share),
        quantity_qualifier: line.unit.into(),
        quantity: number(line.quantity),
        authorization: line.authorization.into(),
        network: line.network.into(),
        ..Eb::default()
    };
    let days = line.days.as_ref().map(|(from, to)| Dtp {
        qualifier: "307".into(),
        format: "RD8".into(),
        value: format!("{}-{}", compact(from), compact(to)).into(),
        ..Dtp::default()
    });
    let messages = line.messages.iter().map(|text| Msg { text: (*text).into(), ..Msg::default() });
    EligibilityBenefit {
        benefit: eb,
        dates: days.into_iter().collect(),
        messages: messages.collect(),
        ..EligibilityBenefit::default()
    }
    .with_entities(line.entity.iter().map(named).collect())
}

fn named(entity: &Entity) -> RelatedEntity<'static> {
    let (kind, last, first, qualifier) = match entity.name.split_once(", ") {
        Some((last, first)) => ("1", last, first, "XX"),
        None => ("2", entity.name, "", "PI"),
    };
    let name = Nm1 {
        entity: entity.role.into(),
        kind: kind.into(),
        last_name: last.into(),
        first_name: first.into(),
        qualifier: qualifier.into(),
        id: entity.number.into(),
        ..Nm1::default()
    };
    RelatedEntity { name, contacts: vec![phone("", entity.phone)], ..RelatedEntity::default() }
}

fn phone(name: &'static str, number: &'static str) -> Per<'static> {
    Per {
        function: "IC".into(),
        name: name.into(),
        qualifier_1: "TE".into(),
        number_1: number.into(),
        ..Per::default()
    }
}

fn compact(iso: &str) -> String {
    iso.chars().filter(char::is_ascii_digit).collect()
}

/// A 278 about what came with this header.
pub(crate) fn reviewed(payer: &Payer, asked: &Inquiry, review: &ServicesReview<'_>) -> String {
    let envelope = envelope(payer, asked, "HI", &review.implementation);
    sent(payer, &envelope, review.write(&payer.style.delimiters(), Charset::Utf8))
}

/// A TA1 that rejects the interchange with this note code.
pub(crate) fn reject_ta1(payer: &Payer, inquiry: &Inquiry, note: &str) -> String {
    let envelope = envelope(payer, inquiry, "", "");
    let ack = Ta1::on(&inquiry.interchange, "R", note);
    lines_ended(payer, ack.write_alone(&envelope, &payer.style.delimiters()).unwrap_or_default())
}

/// A 999 that rejects the transaction: segment NM1, element 9, code 5 (too long).
pub(crate) fn reject_999(payer: &Payer, inquiry: &Inquiry) -> String {
    let envelope = envelope(payer, inquiry, "FA", ImplementationAcknowledgment::GUIDE);
    let mut set = SetAcknowledgment::of("270", inquiry.st_control.as_str(), inquiry.group.version.as_str());
    let mut segment = SegmentError::of("NM1", 10, "2100", "8");
    segment.elements.push(ElementError::of(9, None, None, "5").reference("67"));
    set.segments.push(segment);
    set.close("R", &["5"]);
    let mut ack = ImplementationAcknowledgment::on("0001", &inquiry.group);
    ack.sets.push(set);
    ack.close(Some(1), 1, false, &[]);
    sent(payer, &envelope, ack.write(&payer.style.delimiters(), Charset::Utf8))
}

#[cfg(test)]
mod tests {
    use super::super::read::SAMPLE;
    use super::*;
    use crate::northstar::PAYER;

    fn inquiry() -> Inquiry {
        Inquiry::read(SAMPLE).unwrap()
    }

    #[test]
    fn an_answer_counts_its_segments_and_echoes_the_question() {
        let person = crate::people::insured_by("northstar").remove(0);
        let lines = crate::lines::lines(&person, &[]);
        let text = answer(&PAYER, &inquiry(), &Found { person, dependent: None }, &lines);
        let segments: Vec<&str> = text.split('~').filter(|s| !s.is_empty()).collect();
        assert_eq!(segments[0].len(), 105);
        let st = segments.iter().position(|s| s.starts_with("ST*")).unwrap();
        let se = segments.iter().position(|s| s.starts_with("SE*")).unwrap();
        assert_eq!(segments[se], format!("SE*{}*0001", se - st + 1));
        assert!(text.contains("TRN*2*TRACE7*9PORTICO00~"), "{text}");
        assert!(text.contains("EB*B*IND*98***27*40.00****N*Y~"), "{text}");
        assert!(text.contains("BHT*0022*11*REF7*"));
        assert_eq!(segments.iter().filter(|s| s.starts_with("EB*")).count(), lines.len());
    }

    #[test]
    fn a_value_cannot_break_out_of_its_segment() {
        let mut asked = inquiry();
        asked.query.last_name = "X~AAA*N**42".into();
        asked.query.member_id = "A\r\nB".into();
        let text = refuse(&PAYER, &asked, &[Reject::subscriber("72")]);
        assert_eq!(text.matches("AAA*").count(), 1, "{text}");
        assert!(text.contains("AAA*N**72*C~"));
    }

    #[test]
    fn acknowledgements() {
        assert!(reject_ta1(&PAYER, &inquiry(), "006").contains("TA1*000000007*261123*1200*R*006~"));
        assert!(reject_999(&PAYER, &inquiry()).contains("AK2*270*0001*005010X279A1~"));
    }
}
