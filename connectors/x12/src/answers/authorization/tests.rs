//! Answers of a carrier, and what becomes of them.

use connector_sdk::Outcome;
use connector_sdk::answer::Authorization;
use connector_sdk::answer::Place;
use connector_sdk::answer::authorization::{AuthorizationState as State, NumberKind};
use connector_sdk::outcome::{Refusal, RefusalReason};

use super::*;
use crate::Document;

const TOP: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR*****PI*60054~PER*IC*REVIEW*TE*8005550111~HL*2*1*21*1~\
    NM1*1P*2*CLINIC*****XX*1234567893~HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~";

fn document(body: &str) -> Document {
    let text = format!("ST*278*0001*005010X217~BHT*0007*11*R1*20261124*0915*18~{TOP}{body}SE*0*0001~");
    Document::read(text.as_bytes()).unwrap()
}

fn answers(body: &str) -> Vec<ReviewAnswer> {
    authorizations(document(body).transactions().next().unwrap(), None)
}

fn one(body: &str) -> Authorization {
    match answers(body).remove(0).outcome {
        Outcome::Answered(authorization) => authorization,
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn refusal(body: &str) -> Refusal {
    match answers(body).remove(0).outcome {
        Outcome::Refused(refusal) => refusal,
        Outcome::Answered(_) => panic!("answered"),
    }
}

fn event(hcr: &str) -> Authorization {
    one(&format!("HL*4*3*EV*0~TRN*2*T1*9123456789~UM*HS*I*PT~{hcr}"))
}

#[test]
fn every_action_has_its_state() {
    for (code, state, number) in [
        ("A1", State::Approved, NumberKind::Authorization),
        ("A2", State::PartiallyApproved, NumberKind::Authorization),
        ("A6", State::PartiallyApproved, NumberKind::Authorization),
        ("A3", State::Denied, NumberKind::Decision),
        ("A4", State::Pended, NumberKind::Tracking),
        ("C", State::Cancelled, NumberKind::Decision),
        ("CT", State::NeedsPerson, NumberKind::Tracking),
        ("NA", State::NotRequired, NumberKind::Decision),
        ("Q9", State::Unknown, NumberKind::Decision),
    ] {
        let answer = event(&format!("HCR*{code}*N1~"));
        assert_eq!((answer.state, answer.services[0].state, answer.numbers[0].kind), (state, state, number), "{code}");
        let decision = answer.decision.unwrap();
        assert_eq!(decision.action.code, code);
        assert_eq!(decision.at.unwrap().to_string(), "2026-11-24");
        let steps = !decision.next_steps.is_empty();
        assert_eq!(steps, !matches!(code, "C" | "NA"), "{code}");
    }
    assert_eq!(event("HCR*Q9*N1~").decision.unwrap().action.label, "Q9");
}

#[test]
fn every_number_says_where_it_was_read() {
    let answer = one(
        "HL*4*3*EV*1~TRN*1*T0*9123456789~TRN*2*T1*9123456789~UM*HS*I*PT~HCR*A1*N1~REF*BB*OLD1~REF*NT*C1~DTP*102*D8*20261123~\
         DTP*007*RD8*20261201-20270228~HSD*VS*2*WK**34*3~HL*5*4*SS*0~TRN*2*T2*9123456789~HCR*A1*N2~\
         SV2*0300*HC:33510*73.42*UN*1~NM1*SJ*1*MEYER*LENA****XX*1999999984~",
    );
    let place = |number: &connector_sdk::answer::authorization::AuthorizationNumber| match &number.provenance[0].place {
        Place::Segment { position, id, loop_id, .. } => format!("{} {id} {position} {loop_id}", number.value.text()),
        _ => String::new(),
    };
    let places: Vec<_> = answer.numbers.iter().map(place).collect();
    assert_eq!(
        places,
        ["N1 HCR 14 2000E", "OLD1 REF 15 2000E", "C1 REF 16 2000E", "T0 TRN 11 2000E", "T1 TRN 12 2000E"]
    );
    let service = &answer.services[0];
    assert_eq!(service.numbers.iter().map(place).collect::<Vec<_>>(), ["N2 HCR 22 2000F", "T2 TRN 21 2000F"]);
    let given = service.given.as_ref().unwrap();
    assert_eq!((given.service.code.as_str(), given.quantity.unwrap().to_string()), ("33510", "1".to_owned()));
    assert_eq!(given.performers[0].name.as_ref().unwrap().text(), "LENA MEYER");
    assert!(
        service
            .provenance
            .iter()
            .any(|one| matches!(&one.place, Place::Segment { position: 23, id, .. } if id == "SV2"))
    );
    let valid = answer.valid.unwrap();
    assert_eq!(
        (valid.from.unwrap().to_string(), valid.to.unwrap().to_string()),
        ("2026-12-01".into(), "2027-02-28".into())
    );
    assert_eq!(answer.decision.unwrap().at.unwrap().to_string(), "2026-11-23");
    assert_eq!(answer.timeline[0].at, "2026-11-24");
}

#[test]
fn services_make_the_whole() {
    let lines = |event: &str, codes: &[&str]| {
        let lines: String =
            codes.iter().enumerate().map(|(at, code)| format!("HL*{}*4*SS*0~{code}SV1*HC:9711{at}~", at + 5)).collect();
        one(&format!("HL*4*3*EV*1~UM*HS*I*PT~{event}{lines}"))
    };
    assert_eq!(lines("HCR*A1*N~", &["", "HCR*A1~"]).state, State::Approved);
    assert_eq!(lines("HCR*A1*N~", &["", "HCR*A3~"]).state, State::PartiallyApproved);
    assert_eq!(lines("HCR*A1*N~", &["HCR*NA~", "HCR*A1~"]).state, State::Approved);
    assert_eq!(lines("", &["HCR*A3~", "HCR*A3~"]).state, State::Denied);
    assert_eq!(lines("", &["HCR*A1~", "HCR*A4~"]).state, State::Pended);
    assert_eq!(lines("", &["HCR*A3~", "HCR*C~"]).state, State::Denied);
    assert_eq!(lines("", &["HCR*A1~", "HCR*CT~"]).state, State::NeedsPerson);
    let mixed = lines("HCR*A6*N~", &["HCR*A1*N1~", "HCR*A3**0M~", ""]);
    assert_eq!(
        mixed.services.iter().map(|one| one.state).collect::<Vec<_>>(),
        [State::Approved, State::Denied, State::PartiallyApproved]
    );
    assert!(mixed.services[1].given.is_none() && mixed.services[1].asked.is_some());
    assert!(mixed.services[2].given.is_some() && mixed.services[2].asked.is_none(), "what was asked is not known");
    assert_eq!(mixed.services[1].reason.as_ref().unwrap().code, "0M");
}

#[test]
fn what_was_asked_comes_from_the_request() {
    let request = Document::read(
        format!(
            "ST*278*0001*005010X217~BHT*0007*13*R1*20261123*1200~{TOP}HL*4*3*EV*1~UM*HS*I*PT~HL*5*4*SS*0~SV1*HC:97110:GP**UN*24~\
             HL*6*4*SS*0~SV1*HC:97140**UN*24~SE*0*0001~"
        )
        .as_bytes(),
    )
    .unwrap();
    let asked = ServicesReview::read(&request.transactions().next().unwrap().segments);
    let answer = document("HL*4*3*EV*1~UM*HS*I*PT~HL*5*4*SS*0~HCR*A2*N1*4~SV1*HC:97110:GP**UN*12~");
    let answers = authorizations(answer.transactions().next().unwrap(), Some(&asked));
    let Outcome::Answered(authorization) = &answers[0].outcome else { panic!() };
    let service = &authorization.services[0];
    let quantity = |amount: &Option<connector_sdk::answer::authorization::ServiceAmount>| {
        amount.as_ref().and_then(|amount| amount.quantity).map(|quantity| quantity.to_string())
    };
    assert_eq!((quantity(&service.asked), quantity(&service.given)), (Some("24".into()), Some("12".into())));
    // The request itself: what is asked, nothing given, nothing decided.
    let asks = authorizations(request.transactions().next().unwrap(), None);
    let Outcome::Answered(authorization) = &asks[0].outcome else { panic!() };
    assert_eq!(
        (authorization.state, authorization.decision.is_none(), authorization.services.len()),
        (State::Unknown, true, 2)
    );
    assert!(authorization.services.iter().all(|service| service.given.is_none() && service.asked.is_some()));
}

#[test]
fn reasons_and_steps_are_told() {
    let pended = event("HCR*A4*P1*0U^ZZ9~PWK*OZ*EL***AC*D2~MSG*Send the record~").decision.unwrap();
    let reasons: Vec<_> = pended.reasons.iter().map(|reason| (reason.code.as_str(), reason.text.as_str())).collect();
    assert_eq!(reasons, [("0U", "Additional patient information needed"), ("ZZ9", "ZZ9")]);
    assert!(pended.reasons[1].plain.contains("not in our list"));
    let steps: Vec<_> = pended.next_steps.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(
        steps,
        [
            "Send the information about the patient that the carrier asks for.",
            "Send the document the carrier asks for (report type OZ, with the number D2).",
            "Wait for the decision; ask again with the carrier's number."
        ]
    );
    assert_eq!(pended.next_steps[2].phone.as_deref(), Some("8005550111"));
    let denied = event("HCR*A3**0F~").decision.unwrap();
    assert_eq!(denied.by.unwrap().name.unwrap().text(), "NORTHSTAR");
    assert!(denied.next_steps[0].what.contains("appeal"));
}

#[test]
fn refusals_keep_loop_and_code() {
    let told = refusal("AAA*N**72*C~");
    assert_eq!(told.reason, RefusalReason::MemberNotFound);
    let codes: Vec<_> =
        told.carrier_codes.iter().map(|code| (code.loop_id.as_deref().unwrap(), code.code.as_str())).collect();
    assert_eq!(codes, [("2010C", "72")]);
    let told = refusal("HL*4*3*EV*0~TRN*2*T1*9123456789~AAA*N**52*C~AAA*N**QQ*C~UM*HS*I*PT~");
    assert_eq!(
        (told.reason, told.look_at),
        (RefusalReason::DateOutOfRange, vec!["services.from".into(), "requester.npi".into()])
    );
    assert_eq!(told.carrier_codes[1].code, "QQ");
    // Beside a decision it is something to do.
    let answer = one("HL*4*3*EV*0~AAA*Y**33*C~UM*HS*I*PT~HCR*A4*P1~");
    assert_eq!(answer.state, State::Pended);
    assert!(answer.decision.unwrap().next_steps[0].what.contains("loop 2000E"));
}

#[test]
fn the_json_keeps_to_the_objects_of_the_api() {
    let answer = event("HCR*A1*N1~DTP*AAH*RD8*20261201-20270228~");
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!((&json["state"], &json["numbers"][0]["kind"]), (&"approved".into(), &"authorization".into()));
    assert_eq!((&json["valid"]["from"], &json["valid"]["to"]), (&"2026-12-01".into(), &"2027-02-28".into()));
    assert_eq!(json["services"][0]["given"]["service"]["code"], "PT");
    assert_eq!(json["raw"]["transaction"], "278");
    assert!(!format!("{answer:?}").contains("N1\""), "numbers are not shown");
    let again: Authorization = serde_json::from_value(json).unwrap();
    assert_eq!(again.state, State::Approved);
}

#[test]
fn what_stands_above_many_cases_is_said_of_each_but_not_without_bound() {
    use crate::review::MAX_DETAILS;
    // 20,000 refusals and 2,000 telephones of the organization, over 1,200 cases: 24 million if all were repeated.
    let top =
        TOP.replacen("HL*2", &format!("{}{}HL*2", "PER*IC**EM*A~".repeat(2_000), "AAA*N**42*Y~".repeat(20_000)), 1);
    let events = "HL*4*3*EV*0~UM*HS*I*PT~HCR*A1*N1~".repeat(MAX_CASES + 200);
    let text = format!("ST*278*0001*005010X217~BHT*0007*11*R1*20261124*0915*18~{top}{events}SE*0*0001~");
    let document = Document::read(text.as_bytes()).unwrap();
    let transaction = document.transactions().next().unwrap();
    let all = authorizations(transaction, None);
    assert_eq!(all.len(), MAX_CASES);
    assert!(all.iter().all(|answer| answer.left_out));
    let Outcome::Answered(first) = &all[0].outcome else { panic!("refused") };
    let refusals = |all: &[Provenance]| {
        let aaa = |place: &&Provenance| matches!(&place.place, Place::Segment { id, .. } if id == "AAA");
        all.iter().filter(aaa).count()
    };
    assert_eq!(refusals(&first.provenance), MAX_DETAILS);
    let decision = first.decision.as_ref().unwrap();
    assert!(decision.by.as_ref().unwrap().reach.len() <= MAX_DETAILS);
    assert!(decision.next_steps.iter().any(|step| step.what.contains("2010A")));

    // One case too many is said by the last one; as many as are told are all there is to say.
    let told = |cases: usize| answers(&"HL*4*3*EV*0~UM*HS*I*PT~HCR*A1*N1~".repeat(cases));
    let more = told(MAX_CASES + 1);
    assert!(more.len() == MAX_CASES && more.last().unwrap().left_out && !more[0].left_out);
    assert!(!told(MAX_CASES).iter().any(|answer| answer.left_out));
    // Dates of a 004010 patient belong to every provider below.
    let dates = "DTP*472*D8*20261124~".repeat(MAX_DETAILS + 1);
    let all = answers(&format!("{dates}HL*4*3*19*0~NM1*SJ*2*CLINIC~HL*5*4*SS*0~UM*HS*I*PT~HCR*A1*N1~"));
    assert!(all.iter().all(|answer| match &answer.outcome {
        Outcome::Answered(told) => told.dates.len() <= MAX_DETAILS,
        Outcome::Refused(_) => false,
    }));
}
