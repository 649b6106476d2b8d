//! How a carrier did, measured; and a carrier that a person pauses, through the whole gateway.

use std::time::Duration;

use http::{Method, StatusCode};
use portico::identity::Scope;
use sandbox::{Down, Switches};
use serde_json::{Value, json};

use crate::batches::{ROOT, questions};
use crate::support::{Reply, Stand, ask};

const HEALTH: &str = "/v1/carriers/northstar/health";
const AMARA: (&str, &str, &str) = ("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");

async fn live(stand: &Stand) -> Reply {
    let mut question = ask(AMARA.0, AMARA.1, AMARA.2);
    question["max_age_secs"] = json!(0);
    stand.ask(question).await
}

async fn health(stand: &Stand) -> Value {
    stand.call(Method::GET, HEALTH, None).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_carrier_was_counted_and_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let stand = Stand::start_at(Some(data.path())).await;
    for _ in 0..3 {
        assert_eq!(live(&stand).await.body["outcome"], "answered");
    }
    assert_eq!(stand.ask(ask(AMARA.0, AMARA.1, AMARA.2)).await.body["freshness"]["cached"], true);
    let refused = stand.ask(ask("northstar", "NSH-NOBODY", "1984-03-12")).await;
    assert_eq!(refused.body["outcome"], "refused", "{}", refused.text);
    // Out of order, once without a word and once with one: both are the carrier's.
    for (down, kind) in [(Down::Refuse, "carrier_unavailable"), (Down::Unavailable, "carrier_closed")] {
        stand.sandbox.control().set("northstar", Switches { down, ..Switches::default() });
        assert_eq!(live(&stand).await.body["failure"]["kind"], kind);
    }

    let before = health(&stand).await;
    let day = &before["last_day"];
    let counted = |day: &Value| ["answered", "refused", "failed", "saved", "under_way"].map(|name| day[name].clone());
    assert_eq!(counted(day), [3, 1, 2, 1, 0].map(Value::from), "{before}");
    assert_eq!(day["success_percent"], 66.6);
    assert!(day["p50_ms"].as_u64() <= day["p95_ms"].as_u64() && day["p95_ms"].is_u64(), "{day}");
    let failed = |kind: &str| json!({ "kind": kind, "sent": true, "side": "carrier", "count": 1 });
    assert_eq!(day["failures"], json!([failed("carrier_closed"), failed("carrier_unavailable")]));
    assert_eq!(day["refusals"][0]["count"], 1);
    assert_eq!(
        (&day["last_failure"]["kind"], &day["last_failure"]["side"]),
        (&json!("carrier_closed"), &json!("carrier"))
    );
    assert_eq!(before["verdict"], "last_failed");
    assert!(before["failures_in_a_row"].as_u64().unwrap() >= 1 && before["state"] == "up", "{before}");

    // Another practice sees none of these numbers, and the same state.
    let other = stand.key_of("p-2", &[Scope::Carriers]).await;
    let theirs = stand.call_as(Some(&other), Method::GET, HEALTH, None).await.body;
    assert_eq!(counted(&theirs["last_day"]), [0; 5].map(Value::from));
    assert!(theirs["last_day"].get("last_success").is_none() && theirs["verdict"] != "last_failed", "{theirs}");
    assert_eq!(theirs["failures_in_a_row"], before["failures_in_a_row"]);

    stand.stop().await;
    let stand = Stand::start_at(Some(data.path())).await;
    let after = health(&stand).await;
    for name in ["answered", "refused", "failed", "saved", "success_percent", "p50_ms", "failures", "refusals", "hours"]
    {
        assert_eq!(after["last_day"][name], before["last_day"][name], "{name}: {after}");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_carrier_is_asked_nothing_until_somebody_resumes_it() {
    let data = tempfile::tempdir().unwrap();
    let stand = Stand::start_at(Some(data.path())).await;
    assert_eq!(live(&stand).await.body["outcome"], "answered");
    let pause = async |stand: &Stand, key: &str, reason: &str| {
        stand.call_as(Some(key), Method::PUT, "/v1/carriers/northstar/pause", Some(json!({ "reason": reason }))).await
    };
    let desk = stand.key_of("demo", &[Scope::Ask, Scope::Carriers]).await;
    assert_eq!(pause(&stand, &desk, "x").await.status, StatusCode::FORBIDDEN);
    assert_eq!(pause(&stand, &stand.key, " ").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nobody = stand.call(Method::PUT, "/v1/carriers/nobody/pause", Some(json!({ "reason": "x" }))).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let paused = pause(&stand, &stand.key, "their file is wrong").await;
    assert_eq!((paused.status, &paused.body["changed"]), (StatusCode::OK, &json!(true)), "{}", paused.text);
    assert_eq!(pause(&stand, &stand.key, "again").await.body["changed"], false);

    let seen = stand.questions("northstar");
    let failed = live(&stand).await;
    assert_eq!(failed.status, StatusCode::FAILED_DEPENDENCY);
    assert_eq!(failed.body["failure"]["kind"], "carrier_paused", "{}", failed.text);
    assert_eq!(failed.body["failure"]["who_acts"], "practice_admin");
    let saved = stand.ask(ask(AMARA.0, AMARA.1, AMARA.2)).await;
    assert_eq!((&saved.body["outcome"], &saved.body["freshness"]["cached"]), (&json!("answered"), &json!(true)));
    assert_eq!(stand.call(Method::GET, "/v1/carriers/northstar", None).await.body["paused"], true);
    let told = health(&stand).await;
    assert_eq!(told["paused"]["reason"], "their file is wrong");
    let admin = stand.key_of("demo", &[Scope::Carriers, Scope::Admin]).await;
    let told = stand.call_as(Some(&admin), Method::GET, HEALTH, None).await;
    assert!(told.body["paused"]["by"].is_string() && !told.text.contains("file is wrong"), "{}", told.text);

    // Another practice is not touched.
    let other = stand.key_of("p-2", &[Scope::Ask, Scope::Carriers, Scope::Resolve]).await;
    let theirs =
        stand.call_as(Some(&other), Method::POST, "/v1/eligibility", Some(ask(AMARA.0, AMARA.1, AMARA.2))).await;
    assert_eq!(theirs.body["failure"]["kind"], "credential_missing", "{}", theirs.text);

    // A batch waits, over a restart too, and goes on by itself.
    let items = json!({ "items": questions(AMARA.0, AMARA.1, AMARA.2, 5) });
    let headers = [("idempotency-key", "paused-1")];
    let made = stand.call_with(&headers, Method::POST, ROOT, Some(items)).await;
    let id = made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned();
    let at = format!("{ROOT}/{id}");
    let waits = async |stand: &Stand| {
        let wait = async {
            loop {
                let seen = stand.call(Method::GET, &at, None).await.body;
                if seen["waits"][0]["reason"] == "carrier_paused" {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::process::PATIENCE, wait).await.unwrap()
    };
    assert_eq!(waits(&stand).await["progress"]["waiting"], 5);
    assert_eq!(health(&stand).await["batch_items_waiting"], 5);
    assert_eq!(stand.questions("northstar"), seen, "the carrier was asked nothing");
    stand.stop().await;

    let stand = Stand::start_at(Some(data.path())).await;
    assert_eq!(waits(&stand).await["progress"]["waiting"], 5);
    assert_eq!(stand.questions("northstar"), 0);
    let resumed = stand.call(Method::POST, "/v1/carriers/northstar/resume", None).await;
    assert_eq!(resumed.body["changed"], true, "{}", resumed.text);
    let done = async {
        while stand.call(Method::GET, &at, None).await.body["state"] != "done" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::process::PATIENCE, done).await.unwrap();
    assert_eq!(live(&stand).await.body["outcome"], "answered");
    let records = stand.call(Method::GET, "/v1/trail?carrier=northstar&limit=100", None).await.text;
    assert!(records.contains("carrier.paused") && records.contains("carrier.resumed"));
    assert!(!records.contains("file is wrong"), "the reason is sealed");
    stand.stop().await;
}
