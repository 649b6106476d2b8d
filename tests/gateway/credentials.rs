//! Carrier credentials: one rejected login stops them until a person acts, and no secret ever comes back out.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{Stand, ask};

/// Each way to sign in, with a wrong secret: what to store, whom to ask about.
fn wrong() -> [(&'static str, serde_json::Value, &'static str, &'static str); 4] {
    [
        ("northstar", json!({"username": "nsh-practice", "password": "wrong-1"}), "NSH-ACTIVE-COPAY40", "1984-03-12"),
        ("harborhmo", json!({"client_id": "hhm-client-7", "client_secret": "wrong-2"}), "HHM-ACTIVE-PCP", "1979-08-15"),
        (
            "bluevalley",
            json!({"username": "bluevalley.frontdesk", "password": "wrong-3", "totp_seed": "ONQW4ZDCN54C2YTMOVSXMYLMNRSXSIJB"}),
            "BVP-ACTIVE-PPO",
            "1983-10-02",
        ),
        ("molasses", json!({"username": "mol-practice", "password": "wrong-4"}), "MOL-OK", "1980-01-01"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_however_many_ask() {
    let stand = std::sync::Arc::new(Stand::start().await);
    for (carrier, fields, member, born) in wrong() {
        let path = format!("/v1/credentials/{carrier}");
        let stored = stand.call(Method::PUT, &path, Some(json!({ "fields": fields }))).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
        let mut all = tokio::task::JoinSet::new();
        for place in 0..20 {
            let stand = stand.clone();
            // Different questions, so that the cache does not join them.
            let question =
                if place == 0 { ask(carrier, member, born) } else { ask(carrier, &format!("{member}{place}"), born) };
            all.spawn(async move {
                let reply = stand.ask(question).await;
                assert_eq!(reply.status, StatusCode::FAILED_DEPENDENCY, "{}", reply.text);
                assert_eq!(reply.body["failure"]["kind"], "credential_rejected", "{}", reply.text);
                assert_eq!(reply.body["failure"]["who_acts"], "practice_admin");
                assert_eq!(reply.body["failure"]["retry"]["safe"], false);
            });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
        let counters = stand.sandbox.control().counters(carrier).unwrap();
        assert_eq!(counters.logins_failed, 1, "{carrier}: {counters:?}");
        let view = stand.call(Method::GET, &format!("/v1/carriers/{carrier}"), None).await;
        assert_eq!(view.body["credential_state"], "suspect", "{carrier}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_credential_or_a_person_starts_it_again() {
    let stand = Stand::start().await;
    let put = |password: &str| json!({ "fields": { "username": "nsh-practice", "password": password } });
    let question = || ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    stand.call(Method::PUT, "/v1/credentials/northstar", Some(put("wrong"))).await;
    assert_eq!(stand.ask(question()).await.body["failure"]["kind"], "credential_rejected");

    // As it is: one more try, and then only a new one helps.
    let enabled = stand.call(Method::POST, "/v1/credentials/northstar/verify", None).await;
    assert_eq!(
        (enabled.status, &enabled.body["credential"]["state"]),
        (StatusCode::OK, &json!("verifying")),
        "{}",
        enabled.text
    );
    assert_eq!(stand.ask(question()).await.body["failure"]["kind"], "credential_rejected");
    assert_eq!(stand.ask(question()).await.body["failure"]["kind"], "credential_rejected");
    assert_eq!(stand.sandbox.control().counters("northstar").unwrap().logins_failed, 2);
    let again = stand.call(Method::POST, "/v1/credentials/northstar/verify", None).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    let of_north = list.body["credentials"].as_array().unwrap().iter().find(|one| one["carrier"] == "northstar");
    assert_eq!(of_north.unwrap()["state"], "disabled", "{}", list.text);

    let mended = stand.call(Method::PUT, "/v1/credentials/northstar", Some(put("Sandbox-North-1!"))).await;
    assert_eq!(mended.status, StatusCode::OK);
    assert_eq!(stand.ask(question()).await.outcome(), "answered");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_try_a_credential_without_asking_about_anybody() {
    let stand = Stand::start().await;
    for (carrier, verified) in [("harborhmo", Some(true)), ("bluevalley", Some(true)), ("northstar", None)] {
        let reply = stand.call(Method::POST, &format!("/v1/credentials/{carrier}/verify"), None).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        assert_eq!(reply.body["verified"].as_bool(), verified, "{carrier}: {}", reply.text);
        assert_eq!(stand.questions(carrier), 0);
    }
    let wrong = json!({ "fields": { "client_id": "hhm-client-7", "client_secret": "wrong" } });
    stand.call(Method::PUT, "/v1/credentials/harborhmo", Some(wrong)).await;
    let refused = stand.call(Method::POST, "/v1/credentials/harborhmo/verify", None).await;
    assert_eq!(refused.body["verified"], false, "{}", refused.text);
    assert_eq!(refused.body["failure"]["kind"], "credential_rejected");
    assert_eq!(refused.body["credential"]["state"], "suspect");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_reminded_before_values_end() {
    let stand = Stand::start().await;
    let in_days = |days: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).to_string();
    for (carrier, days, fields) in [
        ("northstar", 2, json!({ "username": "nsh-practice", "password": "Sandbox-North-1!" })),
        ("harborhmo", 90, json!({ "client_id": "hhm-client-7", "client_secret": "sandbox-harbor-secret" })),
    ] {
        let body = json!({ "fields": fields, "expires_at": in_days(days) });
        let stored = stand.call(Method::PUT, &format!("/v1/credentials/{carrier}"), Some(body)).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
        assert!(stored.body["expires_at"].is_string(), "{}", stored.text);
    }
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    let reminders = list.body["reminders"].as_array().unwrap();
    assert_eq!(reminders.len(), 1, "{}", list.text);
    assert_eq!((&reminders[0]["carrier"], &reminders[0]["due"]), (&json!("northstar"), &json!(3)));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_and_never_come_out() {
    let stand = Stand::start().await;
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    assert!(list.body["credentials"].as_array().unwrap().len() >= 5, "{}", list.text);
    for (_, fields) in sandbox::credentials() {
        for (name, secret) in fields {
            assert!(!list.text.contains(secret), "{name} comes out");
        }
    }
    let problems = stand
        .call(
            Method::PUT,
            "/v1/credentials/northstar",
            Some(json!({ "fields": { "pasword": "SECRET-IN-THE-WRONG-PLACE" } })),
        )
        .await;
    assert_eq!(problems.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problems.body["errors"].as_array().unwrap().len(), 3, "{}", problems.text);
    assert!(!problems.text.contains("SECRET-IN"));
    let shape = stand
        .call(Method::PUT, "/v1/credentials/northstar", Some(json!({ "password": "SECRET-IN-THE-WRONG-PLACE" })))
        .await;
    assert_eq!(shape.status, StatusCode::BAD_REQUEST);
    assert!(!shape.text.contains("SECRET-IN"));
    stand.stop().await;
}
