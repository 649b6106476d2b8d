//! The paper trail over HTTP and the command line: searches, packets, and a database that was put back.

use std::path::Path;

use http::{Method, StatusCode};
use portico::identity::Scope;
use serde_json::json;

use crate::process::run;
use crate::support::{Stand, ask};

/// A configuration over the folder of [`Stand::start_at`].
pub fn config(folder: &Path) -> String {
    let path = folder.join("gateway.toml");
    let line = |key: &str, name: &str| format!("{key} = {:?}\n", folder.join(name).display().to_string());
    let text =
        line("data_dir", "store") + &line("vault_key_file", "vault.key") + "[trail]\n" + &line("anchor_dir", "anchors");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn who_used_which_identity_for_whom_and_why() {
    let stand = Stand::start().await;
    let id =
        stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await.body["id"].as_str().unwrap().to_owned();
    stand.call(Method::GET, &format!("/v1/eligibility/{id}"), None).await;
    let body = json!({ "patient": { "carrier": "northstar", "member_id": "nsh active copay40" }, "why": "asked by the patient" });
    let none = stand
        .call(
            Method::POST,
            "/v1/trail/search",
            Some(json!({ "patient": { "carrier": "northstar", "member_id": "X" } })),
        )
        .await;
    assert_eq!(none.body["records"].as_array().unwrap().len(), 1, "only this search: {}", none.text);
    let body = {
        let mut body = body;
        body["patient"]["date_of_birth"] = json!("1984-03-12");
        body
    };
    let found = stand.call(Method::POST, "/v1/trail/search", Some(body)).await;
    let records = found.body["records"].as_array().unwrap();
    let actions: Vec<&str> = records.iter().map(|found| found["record"]["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["eligibility.answered", "eligibility.read", "trail.searched"]);
    let first = &records[0];
    assert_eq!(first["record"]["purpose"], "payment");
    assert_eq!(first["detail"]["carrier_identity"], first["record"]["credential_id"]);
    assert!(first["record"]["credential_id"].as_str().unwrap().starts_with("cred_"));
    assert_eq!(first["detail"]["patient"]["member"]["member_id"], "NSH-ACTIVE-COPAY40");
    assert_eq!(records[2]["detail"]["why"], "asked by the patient");
    // Nobody else finds anything of it, and not everybody may look.
    let other = stand.key_of("other", &Scope::ALL).await;
    let same = json!({ "ask": id });
    let foreign = stand.call_as(Some(&other), Method::POST, "/v1/trail/search", Some(same.clone())).await;
    assert!(
        !foreign.text.contains("COPAY40") && foreign.body["records"].as_array().unwrap().len() == 1,
        "{}",
        foreign.text
    );
    let without = stand.key_of("demo", &[Scope::Ask]).await;
    for path in ["/v1/trail/search", "/v1/trail/packets"] {
        let reply = stand.call_as(Some(&without), Method::POST, path, Some(same.clone())).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
    }
    let third = stand.key_of("third", &Scope::ALL).await;
    let foreign = stand.call_as(Some(&third), Method::POST, "/v1/trail/packets", Some(same)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{}", foreign.text);
    stand.stop().await;
}

#[tokio::test]
async fn a_wrong_search_or_packet_says_all_that_is_wrong() {
    let stand = Stand::start().await;
    for (path, body, at) in [
        ("/v1/trail/search", json!({}), ""),
        ("/v1/trail/search", json!({ "patient": { "carrier": "northstar", "last_name": "DOE" } }), "/patient"),
        ("/v1/trail/search", json!({ "ask": "x", "limitt": 3 }), "/limitt"),
        ("/v1/trail/packets", json!({}), ""),
        ("/v1/trail/packets", json!({ "ask": "x", "submission": "y" }), ""),
        ("/v1/trail/packets", json!({ "from": "yesterday", "to": "2026-11-23T00:00:00Z" }), "/from"),
    ] {
        let reply = stand.call(Method::POST, path, Some(body)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
        let paths: Vec<&str> =
            reply.body["errors"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
        assert_eq!(paths, [at], "{}", reply.text);
    }
    stand.stop().await;
}

#[tokio::test]
async fn after_the_data_was_put_back_only_reading_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let question = || ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let stand = Stand::start_at(Some(folder.path())).await;
    stand.ask(question()).await;
    stand.stop().await;
    let (store, copy) = (folder.path().join("store"), folder.path().join("copy"));
    copy_dir(&store, &copy);
    let stand = Stand::start_at(Some(folder.path())).await;
    let id = stand.ask(question()).await.body["id"].as_str().unwrap().to_owned();
    stand.stop().await;
    std::fs::remove_dir_all(&store).unwrap();
    copy_dir(&copy, &store);

    let stand = Stand::start_at(Some(folder.path())).await;
    let ready = stand.call(Method::GET, "/readyz", None).await;
    assert_eq!((ready.status, &ready.body["missing"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["audit_rollback"])));
    let asked = stand.questions("northstar");
    for (method, path, body) in [
        (Method::POST, "/v1/eligibility", question()),
        (Method::PUT, "/v1/credentials/northstar", json!({ "fields": {} })),
        (Method::POST, "/v1/credentials/northstar/verify", json!({})),
        (Method::POST, "/v1/trail/packets", json!({ "from": "2020-01-01T00:00:00Z", "to": "2040-01-01T00:00:00Z" })),
    ] {
        let reply = stand.call(method, path, Some(body)).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", reply.text);
        assert_eq!(reply.body["who_acts"], "gateway");
        assert!(reply.body["detail"].as_str().unwrap().contains("portico trail accept-rollback"), "{}", reply.text);
    }
    assert_eq!(stand.questions("northstar"), asked);
    assert_eq!(stand.call(Method::GET, "/v1/trail", None).await.status, StatusCode::OK);
    assert_eq!(stand.call(Method::GET, &format!("/v1/eligibility/{id}"), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stand.call(Method::POST, "/v1/trail/search", Some(json!({ "ask": id }))).await.status, StatusCode::OK);
    stand.stop().await;

    let config = config(folder.path());
    let verify = || run(&["trail", "verify", "--config", &config], b"", &[]);
    let ended = verify();
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("demo: NOT WHOLE: first bad record"), "{}", ended.out);
    let ended = run(&["trail", "accept-rollback", "--reason", "disk replaced", "--config", &config], b"", &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let ended = verify();
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);

    let stand = Stand::start_at(Some(folder.path())).await;
    assert_eq!(stand.call(Method::GET, "/readyz", None).await.status, StatusCode::OK);
    assert_eq!(stand.ask(question()).await.outcome(), "answered");
    stand.stop().await;
}

/// Copies a folder's files, not its sockets; the store's lock is made anew by whoever opens it.
pub fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
