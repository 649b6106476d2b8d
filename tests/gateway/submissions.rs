//! Submissions through the public API, at a simulated carrier that makes a record of every request it takes.

use std::time::Duration;

use http::{Method, StatusCode};
use portico::identity::Scope;
use serde_json::{Value, json};

use crate::support::{Reply, Stand};

/// The member decides what goes wrong at the simulated carrier.
pub fn ask(member: &str) -> Value {
    json!({
        "carrier": "northstar",
        "requester": { "npi": "1234567893", "name": "GOOD HEALTH CLINIC" },
        "member": { "member_id": member, "first_name": "AMARA", "last_name": "OKAFOR", "date_of_birth": "1984-03-12" },
        "services": [{ "procedure": { "code": "97110" }, "units": "12", "from": "2026-12-01", "to": "2026-12-31" }],
        "diagnoses": ["M17.11"]
    })
}

pub async fn submit(stand: &Stand, key: &str, query: &str, ask: Value) -> Reply {
    let path = format!("/v1/authorizations{query}");
    stand.call_with(&[("Idempotency-Key", key)], Method::POST, &path, Some(ask)).await
}

pub async fn until(stand: &Stand, id: &str, state: &str) -> Value {
    for _ in 0..600 {
        let view = stand.call(Method::GET, &format!("/v1/authorizations/{id}"), None).await;
        assert_eq!(view.status, StatusCode::OK, "{}", view.text);
        if view.body["submission"]["state"] == state {
            return view.body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let view = stand.call(Method::GET, &format!("/v1/authorizations/{id}"), None).await;
    panic!("{state} did not come: {}", view.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_authorization_is_sent_once_and_followed() {
    let stand = Stand::start().await;
    let taken = submit(&stand, "k-1", "", ask("NSH-ACTIVE-COPAY40")).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    let id = taken.body["id"].as_str().unwrap().to_owned();
    assert_eq!(taken.headers["location"], format!("/v1/authorizations/{id}").as_str());
    let view = until(&stand, &id, "accepted").await;
    assert_eq!(view["id"], id.as_str());
    assert_ne!(view["state"], "unknown", "{view}");
    assert!(view["submission"]["receipt"]["reference"].is_string(), "{view}");
    assert!(view["submission"]["attempts"][0]["control_numbers"]["isa13"].is_string(), "{view}");

    let again = submit(&stand, "k-1", "", ask("NSH-ACTIVE-COPAY40")).await;
    assert_eq!((again.status, &again.body["id"]), (StatusCode::ACCEPTED, &json!(id)), "{}", again.text);
    let other = submit(&stand, "k-1", "", ask("NSH-OTHER")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.text);
    let twin = submit(&stand, "k-2", "", ask("NSH-ACTIVE-COPAY40")).await;
    assert_eq!((twin.status, &twin.body["possible_duplicate"]), (StatusCode::CONFLICT, &json!([id])), "{}", twin.text);
    let meant = submit(&stand, "k-2", &format!("?override={id}"), ask("NSH-ACTIVE-COPAY40")).await;
    assert_eq!(meant.status, StatusCode::ACCEPTED, "{}", meant.text);
    until(&stand, meant.body["id"].as_str().unwrap(), "accepted").await;

    let timeline = stand.call(Method::GET, &format!("/v1/authorizations/{id}/timeline"), None).await;
    let actions: Vec<_> = timeline.body["timeline"].as_array().unwrap().iter().map(|step| &step["action"]).collect();
    let steps: Vec<_> = actions.iter().filter_map(|action| action.as_str()?.strip_prefix("submission.")).collect();
    assert_eq!(steps, ["accepted_from_caller", "intent", "armed", "accepted"]);
    assert!(actions.contains(&&json!("authorization.read")), "reading it is on record: {actions:?}");
    assert!(!timeline.text.contains("OKAFOR") && !timeline.text.contains("NSH-ACTIVE"), "{}", timeline.text);
    let late = stand.call(Method::POST, &format!("/v1/authorizations/{id}/cancel"), None).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(late.text.contains("Ask the carrier to cancel it"), "{}", late.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_goes_wrong_at_the_carrier_ends_as_one_record_with_a_receipt() {
    let stand = Stand::start().await;
    let mut ids = Vec::new();
    for member in ["LOST-REPLY", "LATE-ACCEPT", "LATE-VISIBLE", "500", "CUT"] {
        let taken = submit(&stand, member, "", ask(&format!("NSH-PA-{member}"))).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
        ids.push((member, taken.body["id"].as_str().unwrap().to_owned()));
    }
    for (member, id) in &ids {
        let view = until(&stand, id, "accepted").await;
        let attempts = view["submission"]["attempts"].as_array().unwrap();
        assert_eq!((attempts.len(), &attempts[0]["outcome"]), (1, &json!("confirmed_present")), "{member}");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_requests_and_foreign_callers_get_nothing_done() {
    let stand = Stand::start().await;
    let without = stand.call(Method::POST, "/v1/authorizations", Some(ask("NSH-1"))).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.text.contains("Idempotency-Key"), "{}", without.text);
    let mut bad = ask("NSH-1");
    bad["requester"]["npi"] = json!("1234567890");
    bad["diagnoses"] = json!([]);
    let wrong = submit(&stand, "", "", bad).await;
    let paths: Vec<_> = wrong.body["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, ["/requester/npi", "/diagnoses", "Idempotency-Key"], "{}", wrong.text);
    let mut portal = ask("NSH-1");
    portal["carrier"] = json!("bluevalley");
    let none = submit(&stand, "k", "", portal).await;
    assert!(none.text.contains("takes no authorizations"), "{}", none.text);

    let id = submit(&stand, "k", "", ask("NSH-1")).await.body["id"].as_str().unwrap().to_owned();
    let (asker, other) = (stand.key_of("default", &[Scope::Ask]).await, stand.key_of("other", &Scope::ALL).await);
    for (method, path) in [
        (Method::GET, format!("/v1/authorizations/{id}")),
        (Method::GET, format!("/v1/authorizations/{id}/timeline")),
        (Method::POST, format!("/v1/authorizations/{id}/cancel")),
        (Method::POST, format!("/v1/submissions/{id}/resolve")),
    ] {
        let body = (path.ends_with("resolve")).then(|| json!({ "decision": "void", "reason": "x" }));
        let lacks = stand.call_as(Some(&asker), method.clone(), &path, body.clone()).await;
        assert_eq!(lacks.status, StatusCode::FORBIDDEN, "{path}");
        let foreign = stand.call_as(Some(&other), method, &path, body).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{path}: {}", foreign.text);
    }
    let listed = stand.call_as(Some(&other), Method::GET, "/v1/submissions", None).await;
    assert_eq!(listed.body["submissions"], json!([]));
    let nonsense = stand.call(Method::GET, "/v1/submissions?state=lost", None).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    let accepted = until(&stand, &id, "accepted").await;
    assert_eq!(accepted["submission"]["needs_person"], false);
    let decided = json!({ "decision": "present", "reason": "called" });
    let path = format!("/v1/submissions/{id}/resolve");
    let incomplete = stand.call(Method::POST, &path, Some(decided)).await;
    assert!(incomplete.text.contains("/reference"), "{}", incomplete.text);
    let void = stand.call(Method::POST, &path, Some(json!({ "decision": "void", "reason": "x" }))).await;
    assert_eq!(void.status, StatusCode::CONFLICT, "{}", void.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_operator_holds_and_releases_while_the_gateway_runs() {
    let sandbox = sandbox::Sandbox::start(sandbox::SandboxConfig::default()).await.unwrap();
    let folder = crate::process::Folder::for_sandbox(&sandbox, "[log]\nlevel = \"warn\"\n");
    let key = folder.key();
    let gateway = folder.serve();
    let said = |arguments: &[&str]| folder.portico(&[&["submissions"], arguments].concat(), "").fine();
    assert_eq!(said(&["hold", "northstar", "--reason", "their desk is closed"]), "northstar: held\n");
    assert_eq!(said(&["hold", "northstar", "--reason", "again"]), "northstar: was held already\n");

    let (headers, body) = ([("idempotency-key", "held")], serde_json::to_vec(&ask("NSH-HELD")).unwrap());
    let path = "/v1/authorizations";
    let taken =
        crate::support::send_with(&gateway.address, Some(&key), &headers, Method::POST, path, body).await.unwrap();
    let id = taken.body["id"].as_str().unwrap().to_owned();
    let view = || gateway.call(&key, Method::GET, taken.headers["location"].to_str().unwrap(), None);
    assert_eq!(view().await.body["submission"]["hold"], "asked", "the gateway knows of it at once");
    let listed = said(&["holds"]);
    assert!(listed.contains(&id) && listed.contains("1 wait"), "{listed}");
    assert!(!listed.contains("OKAFOR") && !listed.contains("NSH-HELD"), "{listed}");
    let json: Value = serde_json::from_str(&said(&["holds", "--json"])).unwrap();
    assert_eq!(json[0]["submissions"][0]["id"], id.as_str(), "{json}");
    let others: Value = serde_json::from_str(&said(&["holds", "--json", "--practice", "other"])).unwrap();
    assert_eq!(others, json!([]));
    // What would change under the running gateway's feet is refused, with what to do.
    let refused = folder.portico(&["submissions", "restored", "--reason", "x"], "");
    assert!(refused.code != 0 && !refused.err.is_empty(), "{refused:?}");
    assert_eq!(view().await.body["submission"]["state"], "queued");

    assert_eq!(said(&["release", "northstar", "--reason", "open again"]), "northstar: released\n");
    for _ in 0..600 {
        if view().await.body["submission"]["state"] == "accepted" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(view().await.body["submission"]["state"], "accepted");
    // Sealed, it lists what is held and changes nothing.
    folder.portico(&["vault", "rotate", "passphrase"], "a passphrase that is long enough\n").fine();
    folder.portico(&["vault", "seal"], "").fine();
    assert_eq!(said(&["holds"]), "No carrier is held.\n");
    let sealed = folder.portico(&["submissions", "hold", "northstar", "--reason", "x"], "");
    assert!(sealed.code != 0 && sealed.err.contains("sealed"), "{sealed:?}");
    assert_eq!(gateway.stop(), 0);
    assert_eq!(said(&["hold", "northstar", "--reason", "without a gateway"]), "northstar: held\n");
    sandbox.shutdown().await;
}
