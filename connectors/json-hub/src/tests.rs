//! The connector against scripted carriers.

use std::sync::Arc;

use bytes::Bytes;
use connector_sdk::answer::{AuthorizationNeed, Coverage, Covered, Level, Network, Place};
use connector_sdk::testing::{FakeHost, block_on, carrier_settings};
use connector_sdk::{
    Connector, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, RefusalReason, Result, Retry, Settings,
    SettingsProblem, SignIn,
};
use http::{Request, Response};
use serde_json::{Value, json};

/// The example's `[settings]`.
pub(crate) fn example_settings() -> Settings {
    carrier_settings(super::REGISTRATION.example).unwrap()
}

fn build(file: &str) -> std::result::Result<Arc<dyn Connector>, Vec<SettingsProblem>> {
    (super::REGISTRATION.build)(&carrier_settings(file).unwrap())
}

fn ask() -> EligibilityRequest {
    serde_json::from_value(json!({
        "carrier": "acme",
        "provider": { "npi": "1234567893" },
        "member": { "member_id": "AC-100", "first_name": "Jane", "last_name": "Zanzibar", "date_of_birth": "1986-03-12" },
        "service": { "date": "2026-11-23", "types": ["98", "PT"] }
    }))
    .unwrap()
}

fn reply(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
}

fn run(file: &str, host: &Arc<FakeHost>, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>> {
    let connector = build(file).unwrap_or_else(|problems| panic!("{problems:?}"));
    block_on(connector.eligibility().unwrap().check(&host.context(), ask))
}

fn example(replies: Vec<Response<Bytes>>) -> (Arc<FakeHost>, Result<Outcome<EligibilityFacts>>) {
    let host = FakeHost::replies(replies);
    let outcome = run(super::REGISTRATION.example, &host, &ask());
    (host, outcome)
}

fn answered(outcome: Result<Outcome<EligibilityFacts>>) -> EligibilityFacts {
    match outcome.unwrap() {
        Outcome::Answered(facts) => facts,
        Outcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

fn failed(outcome: Result<Outcome<EligibilityFacts>>) -> Error {
    outcome.expect_err("an error was expected")
}

fn good() -> Value {
    json!({
        "controlNumber": FakeHost::TRACE,
        "subscriber": { "memberId": "AC100", "firstName": "JANE", "lastName": "ZANZIBARR", "dateOfBirth": "19860312", "gender": "F" },
        "planStatus": [{ "statusCode": "1", "planDetails": "Acme PPO" }],
        "planDateInformation": { "plan": "20260101-20261231" },
        "benefitsInformation": [
            { "code": "1", "serviceTypeCodes": ["30", "98"], "coverageLevelCode": "IND" },
            { "code": "B", "serviceTypeCodes": ["98"], "inPlanNetworkIndicatorCode": "Y", "coverageLevelCode": "IND", "benefitAmount": "40", "timeQualifierCode": "27", "authOrCertIndicator": "N" },
            { "code": "A", "serviceTypeCodes": ["98"], "inPlanNetworkIndicatorCode": "N", "coverageLevelCode": "IND", "benefitPercent": "0.5" },
            { "code": "C", "serviceTypeCodes": ["30"], "inPlanNetworkIndicatorCode": "Y", "coverageLevelCode": "IND", "benefitAmount": "1500", "timeQualifierCode": "23" },
            { "code": "C", "serviceTypeCodes": ["30"], "inPlanNetworkIndicatorCode": "Y", "coverageLevelCode": "IND", "benefitAmount": "600", "timeQualifierCode": "29" },
            { "code": "C", "serviceTypeCodes": ["30"], "inPlanNetworkIndicatorCode": "Y", "coverageLevelCode": "FAM", "benefitAmount": "3000" },
            { "code": "F", "serviceTypeCodes": ["PT"], "benefitQuantity": "20", "quantityQualifierCode": "VS", "timeQualifierCode": "23" },
            { "code": "F", "serviceTypeCodes": ["PT"], "benefitQuantity": "8", "quantityQualifierCode": "VS", "timeQualifierCode": "29" },
            { "code": "QQ", "serviceTypeCodes": ["ZZ"], "benefitAmount": "see plan", "coverageLevelCode": "E5D" },
            { "code": "R", "benefitsRelatedEntities": [{ "entityName": "Acme Auto" }] }
        ]
    })
}

#[test]
fn the_question_is_the_template_filled() {
    let (host, outcome) = example(vec![reply(200, &good())]);
    answered(outcome);
    let requests = host.requests();
    let body: Value = serde_json::from_slice(requests[0].body()).unwrap();
    assert_eq!(
        body,
        json!({
            "controlNumber": FakeHost::TRACE,
            "payerId": "ACME1",
            "provider": { "npi": "1234567893" },
            "subscriber": { "memberId": "AC-100", "firstName": "Jane", "lastName": "Zanzibar", "dateOfBirth": "19860312" },
            "encounter": { "dateOfService": "20261123", "serviceTypeCodes": ["98", "PT"] }
        })
    );
    assert_eq!(requests[0].headers()["content-type"], "application/json");
    assert!(matches!(build(super::REGISTRATION.example).unwrap().sign_in(), SignIn::ClientCredentials { .. }));
}

#[test]
fn a_list_like_a_271_becomes_benefits() {
    let (_, outcome) = example(vec![reply(200, &good())]);
    let facts = answered(outcome);
    assert_eq!(facts.coverage, Coverage::Active);
    assert_eq!(facts.plans[0].name.as_deref(), Some("Acme PPO"));
    assert_eq!(facts.plans[0].period.to, Some(jiff::civil::date(2026, 12, 31)));
    assert_eq!(facts.plans[0].other_payers[0].name.as_deref(), Some("Acme Auto"));
    let corrected: Vec<_> = facts.member.corrections.iter().map(|c| c.field.as_str()).collect();
    assert_eq!(corrected, ["member.last_name"]);
    let of = |code: &str, network, level| {
        let mut found =
            facts.benefits.iter().filter(|b| b.service.code == code && b.network == network && b.level == level);
        let one = found.next().unwrap_or_else(|| panic!("no benefit {code}"));
        assert!(found.next().is_none(), "{code} stands twice");
        one
    };
    assert_eq!(of("98", Network::NotStated, Level::Individual).covered, Covered::Yes);
    let visit = of("98", Network::In, Level::Individual);
    assert_eq!(visit.copay.as_ref().unwrap().amount.to_string(), "40");
    assert_eq!(visit.copay.as_ref().unwrap().per.as_ref().unwrap().label, "Visit");
    assert_eq!(visit.authorization, AuthorizationNeed::NotRequired);
    let deductible = of("30", Network::In, Level::Individual).deductible.clone().unwrap();
    assert_eq!((deductible.base, deductible.remaining), (Some(1500.into()), Some(600.into())));
    assert_eq!(deductible.period.unwrap().label, "Calendar year");
    let limit = of("PT", Network::NotStated, Level::NotStated).limit.clone().unwrap();
    assert_eq!((limit.allowed, limit.remaining), (Some(20.into()), Some(8.into())));
    let strange = of("ZZ", Network::NotStated, Level::Unknown("E5D".into()));
    assert_eq!(strange.other[0].kind.code, "QQ");
    assert_eq!(strange.messages[0].text(), "see plan");
    let paid = &of("30", Network::In, Level::Individual).provenance;
    assert!(paid.iter().any(|p| p.of == ["deductible.remaining"]
        && p.place == Place::Json { reply: 1, pointer: "/benefitsInformation/4/benefitAmount".into() }));
    assert!(!format!("{facts:?}").to_uppercase().contains("ZANZIBAR"));
}

#[test]
fn every_number_points_at_what_was_sent() {
    let (_, outcome) = example(vec![reply(200, &good())]);
    let sent = good();
    let mut checked = 0;
    for benefit in answered(outcome).benefits {
        for provenance in benefit.provenance.iter().filter(|p| p.of.iter().any(|of| of.contains('.'))) {
            let Place::Json { pointer, .. } = &provenance.place else { panic!("not JSON") };
            assert!(sent.pointer(pointer).is_some_and(|v| !v.is_object()), "{pointer}");
            checked += 1;
        }
    }
    assert_eq!(checked, 7);
}

#[test]
fn polls_where_the_carrier_says_and_only_there() {
    let later = |location: &str| {
        Response::builder()
            .status(202)
            .header("location", location)
            .header("retry-after", "2")
            .body(Bytes::from("{}"))
            .unwrap()
    };
    let (host, outcome) = example(vec![later("/v1/eligibility/77"), later("/v1/eligibility/77"), reply(200, &good())]);
    let facts = answered(outcome);
    assert_eq!(host.requests()[1].uri(), "https://api.acme.example/v1/eligibility/77");
    assert_eq!(host.requests()[2].method(), http::Method::GET);
    assert_eq!(host.paused().as_secs(), 4);
    assert_eq!(facts.raw.segments, 3);
    for elsewhere in
        ["https://evil.example/x", "http://api.acme.example/x", "//evil.example/x", "https://user@evil.example"]
    {
        let (host, outcome) = example(vec![later(elsewhere)]);
        assert_eq!(failed(outcome).kind, ErrorKind::EgressRefused, "{elsewhere}");
        assert_eq!(host.requests().len(), 1);
    }
    let (_, outcome) = example(vec![reply(202, &json!({}))]);
    assert_eq!(failed(outcome).kind, ErrorKind::ProtocolBroken);
    let host = FakeHost::new(move |_, _: &Request<Bytes>| Ok(later("77")));
    let error = failed(run(super::REGISTRATION.example, &host, &ask()));
    assert!(matches!(error.kind, ErrorKind::CarrierTimeout | ErrorKind::DeadlineExceeded), "{error}");
    assert!(host.requests().len() <= 40);
}

#[test]
fn statuses_and_bodies_that_are_no_answer() {
    let html = || Bytes::from("<!doctype html><title>Sign in</title>");
    let plain = |status: u16| Response::builder().status(status).body(Bytes::new()).unwrap();
    for (given, kind) in [
        (plain(401), ErrorKind::CredentialRejected),
        (plain(403), ErrorKind::CredentialRejected),
        (plain(404), ErrorKind::ProtocolBroken),
        (plain(400), ErrorKind::ProtocolBroken),
        (plain(429), ErrorKind::CarrierThrottled),
        (plain(500), ErrorKind::CarrierUnavailable),
        (plain(503), ErrorKind::CarrierUnavailable),
        (plain(504), ErrorKind::CarrierTimeout),
        (plain(200), ErrorKind::ProtocolBroken),
        (Response::new(html()), ErrorKind::ProtocolBroken),
        (Response::builder().status(502).body(html()).unwrap(), ErrorKind::CarrierUnavailable),
        (Response::new(Bytes::from("{\"a\": [1, 2")), ErrorKind::CarrierUnavailable),
        (Response::new(Bytes::from("{]")), ErrorKind::ProtocolBroken),
        (Response::new(Bytes::from("[".repeat(100_000))), ErrorKind::ProtocolBroken),
        (Response::new(Bytes::from("12")), ErrorKind::ProtocolBroken),
    ] {
        let shown = format!("{} {:?}", given.status(), given.body().slice(..given.body().len().min(20)));
        assert_eq!(failed(example(vec![given]).1).kind, kind, "{shown}");
    }
    let throttled = Response::builder().status(429).header("retry-after", "7").body(Bytes::new()).unwrap();
    assert_eq!(failed(example(vec![throttled]).1).retry, Retry::After(std::time::Duration::from_secs(7)));
    for (status, reason) in [(409, RefusalReason::Duplicate), (422, RefusalReason::NeedsMoreInformation)] {
        let Outcome::Refused(refusal) = example(vec![plain(status)]).1.unwrap() else { panic!("answered") };
        assert_eq!((refusal.reason, refusal.carrier_codes[0].code.as_str()), (reason, status.to_string().as_str()));
    }
}

#[test]
fn a_200_that_carries_errors_is_no_answer() {
    let refused = |errors: Value| {
        let mut body = good();
        body["errors"] = errors;
        example(vec![reply(200, &body)]).1
    };
    let Outcome::Refused(refusal) = refused(json!([
        { "code": "15", "followupAction": "C" },
        { "code": "72", "followupAction": "Please Correct and Resubmit, Jane" },
        { "code": "XYZ" }
    ]))
    .unwrap() else {
        panic!("answered")
    };
    assert_eq!(refusal.reason, RefusalReason::NeedsMoreInformation);
    assert_eq!(refusal.look_at, ["member.member_id"]);
    let codes: Vec<_> = refusal.carrier_codes.iter().map(|code| code.code.as_str()).collect();
    assert_eq!(codes, ["15", "72", "XYZ"]);
    assert!(!format!("{refusal:?}").contains("Jane"));
    let Outcome::Refused(refusal) = refused(json!([{ "code": "XYZ" }])).unwrap() else { panic!("answered") };
    assert_eq!(refusal.reason, RefusalReason::Other);
    assert_eq!(failed(refused(json!([{ "code": "72" }, { "code": "rate_limit" }]))).kind, ErrorKind::CarrierThrottled);
    answered(refused(json!([])));
}

#[test]
fn another_members_answer_is_not_shown() {
    let with = |pointer: &str, value: Value| {
        let mut body = good();
        *body.pointer_mut(pointer).unwrap() = value;
        example(vec![reply(200, &body)]).1
    };
    assert_eq!(failed(with("/controlNumber", json!("OTHER"))).kind, ErrorKind::AnswerMismatch);
    let error = failed(with("/subscriber/memberId", json!("AC200")));
    assert_eq!(error.kind, ErrorKind::AnswerMismatch);
    assert!(!format!("{error:?}").contains("AC200"));
    let mut bare = good();
    bare.as_object_mut().unwrap().remove("controlNumber");
    bare["subscriber"].as_object_mut().unwrap().remove("memberId");
    assert_eq!(failed(example(vec![reply(200, &bare)]).1).kind, ErrorKind::AnswerMismatch);
    // The trace agrees, but name and date of birth are someone else's.
    assert_eq!(failed(with("/subscriber/dateOfBirth", json!("19990101"))).kind, ErrorKind::AnswerMismatch);
}

/// A friendlier service: nested objects, its own words, percents, an API key, a form as question, its own poll state.
const FRIENDLY: &str = r#"
name = "Harbor"
connector = "json-hub"
hosts = ["api.harbor.example"]
[settings]
statuses = { 404 = "member_not_found", 418 = "carrier_closed" }
[settings.auth]
kind = "api_key"
header = "X-Harbor-Key"
[settings.request]
url = "https://api.harbor.example/check"
encoding = "form"
upper_case = true
service_codes = { 98 = "OFFICE" }
headers = { "X-Request-Id" = "{trace}" }
[settings.request.body]
id = "{member.member_id}"
born = "{member.date_of_birth:MM/DD/YYYY}"
services = "{service.types}"
npi = "{provider.npi:number}"
note = "for {member.last_name}"
group = "{member.group_number}"
[settings.poll]
state = "status"
not_ready = ["working"]
id = "id"
url = "https://api.harbor.example/check/{id}"
[[settings.errors]]
at = "error"
code = "type"
codes = { gone = "member_not_found" }
look_at = { gone = ["member.member_id"] }
[settings.answer]
shares = "percent"
[settings.answer.echo]
member_id = "member.id"
[settings.answer.coverage]
status = "eligible"
[settings.answer.member]
at = "member"
member_id = "id"
[settings.answer.plan]
each = "plans[*]"
name = "title"
from = "begins"
primary_care = "pcp"
other_payers = { each = "others", name = "" }
[settings.answer.contacts]
each = "help"
name = "desk"
phone = "tel"
[[settings.answer.benefits]]
each = "services.*.inside"
service_is = "98"
network_is = "in"
level_is = "individual"
copay = "copay"
coinsurance = "share"
authorization = "auth"
limit = { allowed = "visits.max", used = "visits.used", unit_is = "visits" }
[[settings.answer.benefits]]
each = "services.*"
service = "@key"
covered = "covered"
[[settings.answer.benefits]]
each = "money.family"
service_is = "30"
level_is = "family"
deductible = { base = "total", met = "paid" }
[settings.answer.codes]
authorization = { required = ["ask first"] }
"#;

#[test]
fn a_friendly_service_with_its_own_words() {
    let host = FakeHost::replies(vec![
        reply(200, &json!({ "status": "Working", "id": "q-1" })),
        reply(
            200,
            &json!({
                "status": "done", "eligible": true, "member": { "id": "ac100" },
                "plans": [{ "title": "Harbor HMO", "begins": "2026-02-01", "pcp": "Dr. Finch", "others": ["Acme Auto"] }],
                "services": { "OFFICE": { "covered": "yes", "inside": { "copay": 25.5, "share": 20, "auth": "Ask first", "visits": { "max": 10, "used": 4 } } } },
                "help": { "desk": "Benefits desk", "tel": "555-0142" },
                "money": { "family": { "total": "$3,000.00", "paid": 100 } }
            }),
        ),
    ]);
    let facts = answered(run(FRIENDLY, &host, &ask()));
    let requests = host.requests();
    assert_eq!(
        std::str::from_utf8(requests[0].body()).unwrap(),
        "id=AC-100&born=03%2F12%2F1986&services=OFFICE&services=PT&npi=1234567893&note=for+ZANZIBAR"
    );
    assert_eq!(requests[0].headers()["x-request-id"], FakeHost::TRACE);
    assert_eq!(requests[1].uri(), "https://api.harbor.example/check/q-1");
    assert_eq!(facts.coverage, Coverage::Active);
    assert_eq!(facts.plans[0].other_payers[0].name.as_deref(), Some("Acme Auto"));
    assert_eq!(facts.carrier_contacts[0].reach[0].value.text(), "555-0142");
    assert_eq!(facts.benefits.len(), 3);
    let visit = &facts.benefits[0];
    assert_eq!((visit.network, visit.authorization), (Network::In, AuthorizationNeed::Required));
    assert_eq!(visit.coinsurance.as_ref().unwrap().patient_share.to_string(), "0.20");
    assert_eq!(visit.limit.as_ref().unwrap().used, Some(4.into()));
    assert_eq!((facts.benefits[1].service.code.as_str(), facts.benefits[1].covered), ("98", Covered::Yes));
    assert_eq!(facts.benefits[2].deductible.as_ref().unwrap().base, Some(3000.into()));
}

#[test]
fn statuses_of_the_file_and_single_errors() {
    for (given, reason) in [
        (reply(404, &json!({})), RefusalReason::MemberNotFound),
        (reply(200, &json!({ "error": { "type": "gone" } })), RefusalReason::MemberNotFound),
    ] {
        let host = FakeHost::replies(vec![given]);
        let Outcome::Refused(refusal) = run(FRIENDLY, &host, &ask()).unwrap() else { panic!("answered") };
        assert_eq!(refusal.reason, reason);
    }
    let host = FakeHost::replies(vec![reply(418, &json!({}))]);
    assert_eq!(failed(run(FRIENDLY, &host, &ask())).kind, ErrorKind::CarrierClosed);
    let mut with_dependent = ask();
    with_dependent.dependent = serde_json::from_value(json!({
        "first_name": "Kim", "last_name": "Zanzibar", "date_of_birth": "2015-01-01", "relationship": "child"
    }))
    .unwrap();
    let host = FakeHost::replies(vec![]);
    assert_eq!(failed(run(FRIENDLY, &host, &with_dependent)).kind, ErrorKind::Unsupported);
    assert!(host.requests().is_empty());
}

#[test]
fn all_problems_at_once_with_help() {
    let broken = FRIENDLY
        .replace("https://api.harbor.example/check\"", "https://other.example/check\"")
        .replace("{provider.npi:number}", "{provider.npj}")
        .replace("at = \"error\"", "at = \"error..x\"")
        .replace("X-Request-Id", "X-Api-Key")
        .replace("level_is = \"family\"", "level_is = \"clan\"")
        .replace("look_at = { gone = [\"member.member_id\"] }", "look_at = { gone = [\"card\"] }")
        .replace("member_id = \"member.id\"", "")
        .replace("service_is = \"30\"", "");
    let Err(problems) = build(&broken) else { panic!("it built") };
    let mut paths: Vec<_> = problems.iter().map(|problem| problem.path.join(".")).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "answer.benefits.2",
            "answer.benefits.2.level_is",
            "answer.echo",
            "errors.0.at",
            "errors.0.look_at.gone",
            "request.body.npi",
            "request.headers.X-Api-Key",
            "request.url"
        ]
    );
    assert!(problems.iter().filter(|problem| problem.help.is_some()).count() >= 7);
    let Err(problems) = build(&FRIENDLY.replace("not_ready", "not_redy")) else { panic!("it built") };
    assert_eq!(problems[0].path.first().map(String::as_str), Some("poll"));
}

#[test]
fn hostile_replies_end_soon_and_without_a_panic() {
    let mut many = good();
    many["benefitsInformation"] = (0..5001).map(|_| json!({ "code": "1" })).collect();
    assert_eq!(failed(example(vec![reply(200, &many)]).1).kind, ErrorKind::ProtocolBroken);
    let mut same = good();
    same["benefitsInformation"] =
        (0..4000).map(|n| json!({ "code": "B", "serviceTypeCodes": ["98"], "benefitAmount": n.to_string() })).collect();
    assert_eq!(answered(example(vec![reply(200, &same)]).1).benefits.len(), 4000);
    for strange in
        [json!([]), json!({}), json!({ "subscriber": [[[]]], "benefitsInformation": { "code": { "x": 1 } } })]
    {
        failed(example(vec![reply(200, &strange)]).1);
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema = (super::REGISTRATION.settings_schema)();
    let text = schema.to_string();
    assert!(text.contains("Where tokens are given out"), "doc comments belong into the schema");
    assert!(schema["properties"]["auth"].is_object());
}

#[test]
fn lists_of_tables_and_secrets_in_the_body() {
    let file = FRIENDLY
        .replace("kind = \"api_key\"", "kind = \"in_body\"")
        .replace("header = \"X-Harbor-Key\"", "fields = [\"username\", \"password\"]")
        .replace("encoding = \"form\"", "")
        .replace("note = ", "login = { user = \"{secret.username}\" }\nlist = { \"{each service.types}\" = { code = \"{item}\", as = \"X\" } }\nnote = ");
    let host = FakeHost::replies(vec![reply(404, &json!({}))]);
    run(&file, &host, &ask()).unwrap();
    let body: Value = serde_json::from_slice(host.requests()[0].body()).unwrap();
    assert_eq!(body["list"], json!([{ "code": "OFFICE", "as": "X" }, { "code": "PT", "as": "X" }]));
    assert_eq!(body["npi"], json!(1_234_567_893_u64));
    assert!(body["login"]["user"].as_str().unwrap().starts_with("pk-0000feed-f"));
    assert!(matches!(build(&file).unwrap().sign_in(), SignIn::InRequest));
    assert!(build(&file.replace("\"username\", ", "")).is_err());
}

#[test]
fn the_pieces_of_the_readme_make_a_file_that_builds() {
    let readme = include_str!("../README.md");
    let mut file = String::new();
    let mut pieces = 0;
    for piece in readme.split("```toml\n").skip(1) {
        file.push_str(piece.split("```").next().unwrap());
        file.push('\n');
        pieces += 1;
    }
    println!("{pieces} pieces");
    assert!(pieces >= 7);
    let file = file + "\n[settings.auth]\nkind = \"none\"\n";
    build(&file).unwrap_or_else(|problems| panic!("{problems:?}"));
}

#[test]
fn no_secret_and_no_patient_where_they_must_not_be() {
    for (from, to, path) in [
        ("note = ", "apiKey = \"hunter2\"\nnote = ", "request.body.apiKey"),
        ("note = ", "login = { user = \"me\", passWord = \"hunter2\" }\nnote = ", "request.body.login.passWord"),
        ("harbor.example/check\"\nenc", "harbor.example/check?api_key=1\"\nenc", "request.url"),
        ("harbor.example/check\"\nenc", "harbor.example/{member.member_id}\"\nenc", "request.url"),
    ] {
        assert!(FRIENDLY.contains(from));
        let Err(problems) = build(&FRIENDLY.replace(from, to)) else { panic!("{path} was accepted") };
        assert!(problems.iter().any(|problem| problem.path.join(".") == path), "{problems:?}");
    }
}

/// Replies with bytes changed, taken out, put twice: whatever comes of them, nothing panics.
#[test]
fn damaged_replies_never_panic() {
    let mut seed: u64 = 7;
    let mut dice = |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % sides
    };
    let whole = good().to_string().into_bytes();
    let swaps: [&[u8]; 8] =
        [b"null", b"[]", b"{}", b"-1e400", b"\"\"", b"99999999999999999999999999999999", b"[[[[1]]]]", b"true"];
    let (connector, question) = (build(super::REGISTRATION.example).unwrap(), ask());
    let (mut read, mut ended) = (0, 0);
    for _ in 0..3000 {
        let mut body = whole.clone();
        for _ in 0..=dice(3) {
            // Values are swapped where one begins, so that most replies stay JSON.
            let starts: Vec<usize> = (1..body.len() - 1).filter(|n| body[n - 1] == b':').collect();
            let start = starts[dice(starts.len())];
            let end = (start..body.len()).find(|n| matches!(body[*n], b',' | b'}' | b']')).unwrap();
            body.splice(start..end, swaps[dice(swaps.len())].iter().copied());
        }
        if dice(10) == 0 {
            let place = dice(body.len());
            body[place] = u8::try_from(dice(256)).unwrap();
        }
        read += usize::from(serde_json::from_slice::<Value>(&body).is_ok());
        let host = FakeHost::replies(vec![Response::new(Bytes::from(body))]);
        let outcome = block_on(connector.eligibility().unwrap().check(&host.context(), &question));
        ended += usize::from(outcome.is_ok());
    }
    println!("{read} of 3000 were JSON, {ended} became answers or refusals");
    assert!(read > 1000 && ended > 500);
}
