//! Requests with problems: one document with all of them, before any carrier is asked; and refusals by the carrier.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Stand, ask};

#[tokio::test(flavor = "multi_thread")]
async fn all_problems_of_a_request_come_in_one_document() {
    let stand = Stand::start().await;
    let reply = stand
        .ask(json!({
            "carrier": "northstar",
            "provider": { "npi": "1234567890" },
            "member": { "date_of_birth": "1980-02-30", "first_name": "ZANZIBAR\u{7}" },
            "service": { "date": "2026-11-23", "from": "2026-11-01", "typos": [] }
        }))
        .await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("application/problem+json"));
    let paths: Vec<&str> =
        reply.body["errors"].as_array().unwrap().iter().filter_map(|error| error["path"].as_str()).collect();
    for path in ["/provider/npi", "/member/date_of_birth", "/member/first_name", "/service", "/service/typos"] {
        assert!(paths.contains(&path), "{path} is missing from {paths:?}");
    }
    assert!(!reply.text.contains("ZANZIBAR") && !reply.text.contains("1980-02-30"), "a value is repeated");
    assert_eq!(stand.questions("northstar"), 0);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_said_with_its_place() {
    let stand = Stand::start().await;
    let reply = stand.call(Method::POST, "/v1/eligibility", Some(Value::from("no object"))).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = stand.ask(ask("nobody", "X", "1980-01-01")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.body["kind"], "carrier_unknown");
    let query = stand.call(Method::POST, "/v1/eligibility?wait=1", Some(ask("northstar", "X", "1980-01-01"))).await;
    assert_eq!(query.status, StatusCode::UNPROCESSABLE_ENTITY);
    let method = stand.call(Method::DELETE, "/v1/eligibility", None).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_or_query_that_cannot_be_taken_is_a_problem_document_too() {
    let stand = Stand::start().await;
    let large = json!({ "carrier": "x".repeat(2 << 20) });
    let replies = [
        (stand.ask(large.clone()).await, StatusCode::PAYLOAD_TOO_LARGE),
        (stand.call(Method::PUT, "/v1/credentials/northstar", Some(large)).await, StatusCode::PAYLOAD_TOO_LARGE),
        (stand.call(Method::GET, "/v1/trail?limit=canary", None).await, StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (reply, status) in replies {
        assert_eq!(
            (reply.status, reply.body["status"].as_u64()),
            (status, Some(status.as_u16().into())),
            "{}",
            reply.text
        );
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert!(!reply.text.contains("canary"), "{}", reply.text);
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_carriers_search_sets_and_patterns_are_checked_before_it_is_asked() {
    let stand = Stand::start().await;
    let too_little = json!({
        "carrier": "bluevalley", "provider": { "npi": "1234567893" }, "member": { "member_id": "BVP-ACTIVE-PPO" }
    });
    let reply = stand.ask(too_little).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
    assert_eq!(reply.body["errors"][0]["path"], "/member");
    let pattern = stand.ask(ask("bluevalley", "12", "1983-10-02")).await;
    assert_eq!(pattern.body["errors"][0]["path"], "/member/member_id", "{}", pattern.text);
    assert_eq!(stand.questions("bluevalley"), 0);
    stand.stop().await;
}

/// A wrong digit, a wrong birth date, an unknown provider, a day the carrier does not answer for: refusals with the
/// carrier's own code, our words, the fields to look at and the other searches.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_which_field_to_look_at() {
    let stand = Stand::start().await;
    let with = |mut ask: Value, pointer: &str, value: Value| {
        if let Some((parent, key)) = pointer.rsplit_once('/') {
            if !ask.pointer(parent).is_some_and(Value::is_object) {
                ask["service"] = json!({});
            }
            ask.pointer_mut(parent).unwrap()[key] = value;
        }
        ask
    };
    let north = || ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let state = || ask("statemed", "STM-MONTHS-MCO", "1999-04-21");
    let cases = [
        (ask("northstar", "NSH-ACTIVE-COPAY41", "1984-03-12"), "member_not_found", "", "member.member_id"),
        (ask("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03"), "member_not_found", "71", "member.date_of_birth"),
        (with(north(), "/provider/npi", json!(sandbox::UNKNOWN_NPI)), "provider_not_recognised", "51", "provider.npi"),
        (
            with(north(), "/provider/npi", json!(sandbox::NOT_ENROLLED_NPI)),
            "provider_not_enrolled",
            "41",
            "provider.npi",
        ),
        (with(north(), "/service/date", json!("2031-01-01")), "date_out_of_range", "63", "service.date"),
        (with(state(), "/service/date", json!("2020-01-01")), "date_out_of_range", "62", "service.date"),
        (ask("bluevalley", "BVP-GHOST", "1983-10-02"), "member_not_found", "", "member.member_id"),
        (ask("harborhmo", "HHM-NOBODY", "1983-10-02"), "member_not_found", "", "member.member_id"),
        (ask("hubline", "HUB-NOBODY", "1983-10-02"), "member_not_found", "", "member.member_id"),
    ];
    for (question, reason, code, look_at) in cases {
        let carrier = question["carrier"].as_str().unwrap().to_owned();
        let reply = stand.ask(question).await;
        assert_eq!((reply.status, reply.outcome()), (StatusCode::OK, "refused"), "{carrier} {reason}: {}", reply.text);
        let refusal = &reply.body["refusal"];
        assert_eq!(refusal["reason"], reason, "{carrier}: {refusal}");
        let codes: Vec<&str> =
            refusal["carrier_codes"].as_array().unwrap().iter().filter_map(|c| c["code"].as_str()).collect();
        assert!(code.is_empty() || codes.contains(&code), "{carrier}: {code} is not among {codes:?}");
        let fields: Vec<&str> = refusal["look_at"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(fields.contains(&look_at), "{carrier} {reason}: {look_at} is not among {fields:?}");
        assert!(!refusal["text"].as_str().unwrap().is_empty());
        assert!(!refusal["other_searches"].as_array().unwrap().is_empty(), "{carrier}: no other searches");
    }
    stand.stop().await;
}
