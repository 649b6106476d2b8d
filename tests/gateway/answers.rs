//! Questions that are answered: the envelope, saved answers, waiting, evidence, whose answers they are.

use http::{Method, StatusCode};
use portico::identity::Caller;
use portico::practice::PracticeId;
use serde_json::{Value, json};

use crate::support::{Stand, ask};

/// One person known to each of five carriers of four interfaces.
const KNOWN: [(&str, &str, &str, &str); 5] = [
    ("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", "x12"),
    ("statemed", "STM-MONTHS-MCO", "1999-04-21", "x12"),
    ("harborhmo", "HHM-ACTIVE-PCP", "1979-08-15", "json"),
    ("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02", "html"),
    ("hubline", "HUB-ACTIVE-EPO", "1974-05-27", "json"),
];

#[tokio::test(flavor = "multi_thread")]
async fn carriers_of_four_interfaces_answer_in_one_envelope() {
    let stand = Stand::start().await;
    for (carrier, member, born, transport) in KNOWN {
        let reply = stand.ask(ask(carrier, member, born)).await;
        assert_eq!((reply.status, reply.outcome()), (StatusCode::OK, "answered"), "{carrier}: {}", reply.text);
        let body = &reply.body;
        assert_eq!(body["operation"], "eligibility");
        assert_eq!(body["carrier"], carrier);
        assert_eq!(body["source"]["transport"], transport);
        assert!(body["source"]["credential"].as_str().unwrap().starts_with("cred_"));
        assert_eq!(body["source"]["trace"].as_str().unwrap().len(), 20);
        assert_eq!(body["freshness"]["cached"], false);
        assert!(body["evidence"].as_str().unwrap().starts_with("ev_"));
        let answer = &body["answer"];
        assert_eq!(answer["coverage"], "active", "{carrier}");
        assert_eq!(answer["member"]["member_id"], member);
        assert!(!answer["plans"].as_array().unwrap().is_empty());
        let paragraph = answer["summary"]["paragraph"].as_str().unwrap();
        assert!(paragraph.contains("covered") && paragraph.ends_with("not a guarantee of payment."), "{paragraph}");
        every_benefit_has_provenance(carrier, answer);
        assert!(reply.headers.contains_key("ratelimit") && reply.headers.contains_key("ratelimit-policy"));
    }
    stand.stop().await;
}

fn every_benefit_has_provenance(carrier: &str, answer: &Value) {
    for benefit in answer["benefits"].as_array().unwrap() {
        let places = benefit["provenance"].as_array().unwrap();
        assert!(!places.is_empty(), "{carrier}: a benefit without provenance: {benefit}");
        let of: Vec<&str> =
            places.iter().flat_map(|p| p["of"].as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
        for (object, field) in
            [("deductible", "base"), ("deductible", "remaining"), ("out_of_pocket", "base"), ("copay", "amount")]
        {
            if benefit[object][field].is_string() {
                let path = format!("{object}.{field}");
                assert!(of.contains(&path.as_str()), "{carrier}: {path} has no provenance among {of:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_answer_costs_the_carrier_nothing_until_it_is_too_old() {
    let stand = Stand::start().await;
    let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let first = stand.ask(question.clone()).await;
    let second = stand.ask(question.clone()).await;
    assert_eq!(second.body["freshness"]["cached"], true);
    assert_eq!(second.body["answer"], first.body["answer"]);
    assert_eq!(second.body["freshness"]["as_of"], first.body["freshness"]["as_of"]);
    assert_ne!(second.body["id"], first.body["id"]);
    assert_eq!(stand.questions("northstar"), 1);
    // The second one is kept as a reference to the first; whoever fetches it gets all of it, in the same order.
    let path = format!("/v1/eligibility/{}", second.body["id"].as_str().unwrap());
    let stored = stand.call(Method::GET, &path, None).await;
    assert_eq!((stored.status, stored.text), (StatusCode::OK, second.text));

    let mut anew = question.clone();
    anew["max_age_secs"] = json!(0);
    let fresh = stand.ask(anew.clone()).await;
    assert_eq!(fresh.body["freshness"]["cached"], false);
    assert_eq!(stand.questions("northstar"), 2);

    // What was asked for anew is what everybody is told from then on, in whichever lane and however old it may be.
    let overnight = json!({ "max_age_secs": 3600, "lane": "background" });
    for wish in [json!({}), overnight] {
        let mut again = question.clone();
        again.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let told = stand.ask(again).await;
        assert_eq!(told.body["freshness"]["cached"], true);
        assert_eq!(told.body["freshness"]["as_of"], fresh.body["freshness"]["as_of"]);
    }
    assert_eq!(stand.questions("northstar"), 2);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_identical_questions_at_once_cause_one_carrier_call() {
    let stand = Stand::start().await;
    // Put to the gateway itself: a thousand sockets are more than many machines allow one process.
    let caller = std::sync::Arc::new(Caller::command_line(PracticeId::new("demo")));
    let question = serde_json::from_value(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).unwrap();
    let asked: Vec<_> = (0..1000).map(|_| stand.house.app.gateway.ask(caller.clone(), &question).unwrap()).collect();
    let mut cached = 0;
    for one in asked {
        let envelope = one.end.await.unwrap();
        assert!(envelope.answer.is_some());
        cached += usize::from(envelope.freshness.cached);
    }
    assert_eq!(cached, 999);
    assert_eq!(stand.questions("northstar"), 1);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_wait_gets_an_id_and_finds_the_answer_there() {
    let stand = Stand::start().await;
    let body = Some(ask("statemed", "STM-SLOW", "1981-01-01"));
    let reply = stand.call(Method::POST, "/v1/eligibility?wait_ms=50", body).await;
    assert_eq!((reply.status, reply.outcome()), (StatusCode::ACCEPTED, "pending"), "{}", reply.text);
    let place = reply.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(place, format!("/v1/eligibility/{}", reply.body["id"].as_str().unwrap()));
    let mut found = stand.call(Method::GET, &place, None).await;
    for _ in 0..100 {
        if found.status != StatusCode::ACCEPTED {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        found = stand.call(Method::GET, &place, None).await;
    }
    assert_eq!((found.status, found.outcome()), (StatusCode::OK, "answered"), "{}", found.text);
    assert_eq!(found.body["id"], reply.body["id"]);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_shows_what_was_exchanged_and_no_secret() {
    let stand = Stand::start().await;
    for (carrier, member, born, _) in KNOWN {
        let asked = stand.ask(ask(carrier, member, born)).await;
        let id = asked.body["id"].as_str().unwrap();
        let raw = stand.call(Method::GET, &format!("/v1/eligibility/{id}/raw"), None).await;
        assert_eq!(raw.status, StatusCode::OK, "{carrier}: {}", raw.text);
        assert!(raw.text.contains(member), "{carrier}: the evidence does not show the question");
        assert!(!raw.body.as_array().unwrap().is_empty());
        for (_, fields) in sandbox::credentials() {
            for (name, secret) in fields.iter().filter(|(name, _)| !matches!(*name, "username" | "client_id")) {
                assert!(!raw.text.contains(secret), "{carrier}: {name} stands in the evidence");
            }
        }
        // A saved answer points at the evidence of the question it was first given to.
        let again = stand.ask(ask(carrier, member, born)).await;
        assert_eq!(again.body["evidence"], asked.body["evidence"], "{carrier}");
        let id = again.body["id"].as_str().unwrap();
        let raw_again = stand.call(Method::GET, &format!("/v1/eligibility/{id}/raw"), None).await;
        assert_eq!(raw_again.text, raw.text, "{carrier}");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_practice_sees_nothing_and_shares_no_saved_answer() {
    let stand = Stand::start().await;
    let other = stand.key_of("other", &portico::identity::Scope::ALL).await;
    let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let ours = stand.ask(question.clone()).await;
    let id = ours.body["id"].as_str().unwrap().to_owned();
    for path in [format!("/v1/eligibility/{id}"), format!("/v1/eligibility/{id}/raw")] {
        let reply = stand.call_as(Some(&other), Method::GET, &path, None).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    // It has no credential there, so that it cannot be answered but from our saved answer.
    let theirs = stand.call_as(Some(&other), Method::POST, "/v1/eligibility", Some(question)).await;
    assert_eq!(theirs.body["failure"]["kind"], "credential_missing", "{}", theirs.text);
    assert_eq!(theirs.status, StatusCode::FAILED_DEPENDENCY);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_scopes_are_needed() {
    let stand = Stand::start().await;
    let question = || Some(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12"));
    for key in [None, Some("pk_live_nothing"), Some("pk_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
        let reply = stand.call_as(key, Method::POST, "/v1/eligibility", question()).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.headers["content-type"].to_str().unwrap().starts_with("application/problem+json"));
    }
    let reader = stand.key_of("demo", &[portico::identity::Scope::Carriers]).await;
    let refused = stand.call_as(Some(&reader), Method::POST, "/v1/eligibility", question()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(stand.call_as(Some(&reader), Method::GET, "/v1/carriers", None).await.status, StatusCode::OK);
    assert_eq!(stand.questions("northstar"), 0);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn carriers_are_found_in_spite_of_typos_and_say_what_they_need() {
    let stand = Stand::start().await;
    for query in ["northstar", "Norhtstar", "NSH", "choice%20ppo"] {
        let found = stand.call(Method::GET, &format!("/v1/carriers?q={query}"), None).await;
        let first = &found.body["carriers"][0]["id"];
        assert!(first == "northstar" || query == "NSH", "{query}: {}", found.text);
    }
    let one = stand.call(Method::GET, "/v1/carriers/bluevalley", None).await;
    assert_eq!(one.body["connector"], "html-portal");
    assert_eq!(one.body["credential_state"], "active");
    assert_eq!(one.body["state"], "up");
    assert!(!one.body["form"]["accepts"].as_array().unwrap().is_empty());
    assert!(one.body["limits"]["requests_per_minute"].as_u64().unwrap() > 0);
    assert_eq!(stand.call(Method::GET, "/v1/carriers/nobody", None).await.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_documents_are_open_and_every_route_is_described() {
    let stand = Stand::start().await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"] {
        let reply = stand.call_as(None, Method::GET, path, None).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert!(!reply.text.is_empty());
    }
    let document = stand.call_as(None, Method::GET, "/openapi.json", None).await.body;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "northstar").replace("{carrier}", "northstar");
            let reply = stand.call(method.clone(), &path, Some(json!({}))).await;
            assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    // Every reference in the document leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_and_reading_leaves_a_record_without_patient_data() {
    let stand = Stand::start().await;
    let asked = stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await;
    let id = asked.body["id"].as_str().unwrap();
    stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03")).await;
    stand.call(Method::GET, &format!("/v1/eligibility/{id}"), None).await;
    let trail = stand.call(Method::GET, "/v1/trail", None).await;
    let actions: Vec<&str> =
        trail.body["records"].as_array().unwrap().iter().filter_map(|record| record["action"].as_str()).collect();
    assert_eq!(actions[0], "eligibility.read", "{actions:?}");
    assert_eq!(actions.iter().filter(|action| **action == "eligibility.answered").count(), 2, "{actions:?}");
    for word in ["NSH-ACTIVE", "OKAFOR", "AMARA", "1984"] {
        assert!(!trail.text.contains(word), "{word} stands in the trail");
    }
    stand.stop().await;
}
