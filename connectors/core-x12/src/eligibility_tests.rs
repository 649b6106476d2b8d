//! The operation end to end, with a scripted host in place of a carrier.

use bytes::Bytes;
use connector_sdk::testing::{FakeHost, block_on};
use connector_sdk::{EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, Result};
use http::Response;
use serde_json::json;

use crate::REGISTRATION;
use crate::fixtures::{MIME, PLAIN, reply, settings};

fn ask(changes: serde_json::Value) -> EligibilityRequest {
    let mut base = json!({
        "carrier": "acme",
        "provider": { "npi": "1234567893", "name": "Clinic One", "tax_id": "123456789" },
        "member": { "member_id": "w000000001", "first_name": "Jane", "last_name": "Zanzibar",
                    "date_of_birth": "1980-01-01", "group_number": "G7" },
        "service": { "types": ["30", "98"] }
    });
    for (key, value) in changes.as_object().unwrap() {
        base[key] = value.clone();
    }
    serde_json::from_value(base).unwrap()
}

/// Asks with these settings; the carrier replies with `carrier(interchange sent)`.
fn run(
    changes: &[(&str, &str)],
    ask: &EligibilityRequest,
    carrier: impl Fn(&str) -> Response<Bytes> + Send + Sync + 'static,
) -> (Result<Outcome<EligibilityFacts>>, Vec<String>) {
    let connector = (REGISTRATION.build)(&settings(changes)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let host = FakeHost::new(move |_, request| {
        let sent = String::from_utf8_lossy(request.body()).into_owned();
        Ok(carrier(interchange(&sent)))
    });
    let context = host.context();
    let outcome = block_on(connector.eligibility().unwrap().check(&context, ask));
    let sent = host.requests().iter().map(|request| String::from_utf8_lossy(request.body()).into_owned()).collect();
    (outcome, sent)
}

/// The interchange inside a request of any envelope (unless escaped).
fn interchange(request: &str) -> &str {
    let begin = request.find("ISA").unwrap_or_default();
    let end = request.rfind("IEA").unwrap_or(request.len());
    let end = request[end..].find('~').map_or(request.len(), |at| end + at + 1);
    &request[begin..end]
}

/// A 271 with these segments in loop 2000C, answering trace `trace`.
fn answer_with(trace: &str, member: &str, benefits: &str) -> String {
    let body = format!(
        "BHT*0022*11*{trace}*20261123*1400~HL*1**20*1~NM1*PR*2*ACME HEALTH*****PI*12345~HL*2*1*21*1~\
         NM1*1P*2*CLINIC ONE*****XX*1234567893~HL*3*2*22*0~TRN*2*{trace}*9PORTICO00~{member}{benefits}"
    );
    let count = body.matches('~').count() + 2;
    format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*PORTICO01      *261123*1400*^*00501*000000009*0*T*:~\
         GS*HB*ACME*PORTICO01*20261123*1400*9*X*005010X279A1~ST*271*0001*005010X279A1~{body}SE*{count}*0001~GE*1*9~IEA*1*000000009~"
    )
}

const MEMBER: &str = "NM1*IL*1*ZANZIBAR*JANE****MI*W000000001~DMG*D8*19800101*F~";
const ACTIVE: &str = "EB*1*IND*30*HM*ACME HMO GOLD~EB*C*IND*30***23*500~EB*C*IND*30***29*125.50~EB*B*IND*98***27*25~";

fn answer() -> String {
    answer_with(FakeHost::TRACE, MEMBER, ACTIVE)
}

fn soap(payload_type: &str, payload: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\"?><S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body>\
         <c:COREEnvelopeRealTimeResponse xmlns:c=\"http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd\">\
         <PayloadType>{payload_type}</PayloadType><ProcessingMode>RealTime</ProcessingMode><PayloadID>x</PayloadID>\
         <TimeStamp>2026-11-23T14:00:01Z</TimeStamp><SenderID>ACME</SenderID><ReceiverID>PORTICO01</ReceiverID>\
         <CORERuleVersion>2.2.0</CORERuleVersion><Payload><![CDATA[{payload}]]></Payload>\
         <ErrorCode>Success</ErrorCode><ErrorMessage></ErrorMessage></c:COREEnvelopeRealTimeResponse></S:Body></S:Envelope>"
    );
    reply(200, "application/soap+xml; charset=utf-8", body)
}

const TYPE_271: &str = "X12_271_Response_005010X279A1";

fn failed(outcome: Result<Outcome<EligibilityFacts>>) -> Error {
    outcome.expect_err("a failure")
}

#[test]
fn the_question_holds_what_the_settings_say() {
    let (_, sent) = run(&PLAIN, &ask(json!({})), |_| reply(200, "text/plain", ""));
    let isa = "ISA*00*          *00*          *ZZ*PORTICO01      *ZZ*ACME           *261123*1400*^*00501*000000001*0*T*:~\
               GS*HS*PORTICO01*ACME*20261123*1400*1*X*005010X279A1~ST*270*0001*005010X279A1~";
    assert!(sent[0].starts_with(isa), "{}", sent[0]);
    for segment in [
        "~BHT*0022*13*TRACE0000000001*20261123*1400~",
        "~NM1*PR*2*ACME HEALTH*****PI*12345~",
        "~NM1*1P*2*CLINIC ONE*****XX*1234567893~REF*TJ*123456789~",
        "~TRN*1*TRACE0000000001*9PORTICO00~NM1*IL*1*ZANZIBAR*JANE****MI*W000000001~REF*6P*G7~DMG*D8*19800101~",
        "~DTP*291*D8*20261123~EQ*30^98~SE*",
    ] {
        assert!(sent[0].contains(segment), "{segment} in {}", sent[0]);
    }
    let other = [
        &PLAIN[..],
        &[
            ("# element_separator = \"*\"", "element_separator = \"|\""),
            (
                "service_types = \"repeat\"",
                "service_types = \"segments\"\nsend_tax_id = false\nsend_date = false\nnewline = true",
            ),
            ("uppercase = true", "uppercase = false"),
        ],
    ]
    .concat();
    let (_, sent) = run(&other, &ask(json!({})), |_| reply(200, "text/plain", ""));
    assert!(sent[0].contains("~\nNM1|IL|1|Zanzibar|Jane||||MI|w000000001~\n"), "{}", sent[0]);
    assert!(sent[0].contains("~\nEQ|30~\nEQ|98~\n") && !sent[0].contains("DTP|") && !sent[0].contains("REF|TJ"));
}

#[test]
fn a_value_with_a_delimiter_is_refused_and_never_sent() {
    for name in ["ZAN*ZIBAR", "ZAN~ZIBAR", "ZAN:ZIBAR", "ZAN^ZIBAR", "ZAN\nZIBAR", "ZAÑZIBAR"] {
        let question = ask(json!({ "member": { "member_id": "W1", "last_name": name } }));
        let (outcome, sent) = run(&[], &question, |_| unreachable!("sent"));
        let error = failed(outcome);
        assert_eq!((error.kind, sent.len()), (ErrorKind::RequestInvalid, 0), "{name}");
        assert!(!error.to_string().contains("ZIBAR"), "{error}");
    }
}

#[test]
fn more_service_types_than_the_carrier_takes_are_refused() {
    let types: Vec<String> = (1..=11).map(|code| code.to_string()).collect();
    let (outcome, sent) = run(&[], &ask(json!({ "service": { "types": types } })), |_| unreachable!("sent"));
    assert_eq!((failed(outcome).kind, sent.len()), (ErrorKind::Unsupported, 0));
}

#[test]
fn every_envelope_brings_the_same_answer() {
    let mime = "--b\r\nContent-Disposition: form-data; name=\"PayloadType\"\r\n\r\nX12_271_Response_005010X279A1\r\n\
                --b\r\nContent-Disposition: form-data; name=\"ErrorCode\"\r\n\r\nSuccess\r\n\
                --b\r\nContent-Disposition: form-data; name=\"Payload\"\r\n\r\n{}\r\n--b--\r\n";
    let multipart = move || reply(200, "multipart/form-data; boundary=b", mime.replace("{}", &answer()));
    let outcomes = [
        run(&[], &ask(json!({})), |_| soap(TYPE_271, &answer())).0,
        run(&MIME, &ask(json!({})), move |_| multipart()).0,
        run(&MIME, &ask(json!({})), |_| reply(200, "text/plain", answer())).0,
        run(&PLAIN, &ask(json!({})), |_| reply(200, "application/edi-x12", answer())).0,
    ];
    let answers: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome.unwrap_or_else(|error| panic!("{error}")) {
            Outcome::Answered(facts) => serde_json::to_value(facts).unwrap(),
            Outcome::Refused(refusal) => panic!("{refusal:?}"),
        })
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(answers[0]["coverage"], "active");
    assert_eq!(answers[0]["member"]["member_id"], "W000000001");
    assert!(answers[0].to_string().contains("125.50"), "{}", answers[0]);
}

#[test]
fn a_refusal_keeps_the_carriers_codes() {
    let member = "NM1*IL*1*ZANZIBAR*JANE****MI*W000000001~AAA*N**75*C~";
    let (outcome, _) = run(&[], &ask(json!({})), move |_| soap(TYPE_271, &answer_with(FakeHost::TRACE, member, "")));
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.reason, connector_sdk::RefusalReason::MemberNotFound);
    assert_eq!(
        (refusal.carrier_codes[0].code.as_str(), refusal.carrier_codes[0].follow_up.as_deref()),
        ("75", Some("C"))
    );
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let stranger = "NM1*IL*1*STRANGER*ODD****MI*X999999999~DMG*D8*19550505*M~";
    let cases = [
        soap(TYPE_271, &answer_with("SOMEONE-ELSES", MEMBER, ACTIVE)),
        soap(TYPE_271, &answer_with(FakeHost::TRACE, stranger, ACTIVE)),
        soap("X12_277_Response_005010X212", &answer()),
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let (outcome, _) = run(&[], &ask(json!({})), move |_| case.clone());
        let error = failed(outcome);
        assert_eq!(error.kind, ErrorKind::AnswerMismatch, "case {number}");
        assert!(!format!("{error:?}").contains("STRANGER"));
    }
}

#[test]
fn acknowledgments_and_broken_interchanges_are_told() {
    let ta1 = "ISA*00*          *00*          *ZZ*ACME           *ZZ*PORTICO01      *261123*1400*^*00501*000000009*0*T*:~\
               TA1*000000001*261123*1400*R*006~IEA*0*000000009~";
    let (outcome, _) = run(&[], &ask(json!({})), move |_| soap("X12_TA1_Response_00501X231A1", ta1));
    let error = failed(outcome);
    assert_eq!(error.kind, ErrorKind::ProtocolBroken);
    assert!(error.to_string().contains("TA105=006"), "{error}");
    let strange = ta1.replace("TA1*000000001", "TA1*ZANZIBAR1");
    let (outcome, _) = run(&[], &ask(json!({})), move |_| soap("X12_TA1_Response_00501X231A1", &strange));
    assert_eq!(failed(outcome).kind, ErrorKind::AnswerMismatch);
    // Cut anywhere, an answer is never taken for a whole one.
    let whole = answer();
    let trailer = whole.find("IEA*").unwrap();
    for end in (0..trailer).step_by(5) {
        let cut = whole[..end].to_owned();
        let (outcome, _) = run(&PLAIN, &ask(json!({})), move |_| reply(200, "text/plain", cut.clone()));
        assert!(matches!(failed(outcome).kind, ErrorKind::ProtocolBroken | ErrorKind::AnswerMismatch), "cut at {end}");
    }
}

#[test]
fn a_failing_wire_is_passed_on() {
    let connector = (REGISTRATION.build)(&settings(&[])).ok().unwrap();
    let host = FakeHost::new(|_, _| Err(Error::new(ErrorKind::CarrierTimeout, "slow")));
    let context = host.context();
    let outcome = block_on(connector.eligibility().unwrap().check(&context, &ask(json!({}))));
    assert_eq!(failed(outcome).kind, ErrorKind::CarrierTimeout);
}
