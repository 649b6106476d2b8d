//! A gateway that is killed while a carrier file is put in force has the old file or the new one, never half of one.

use http::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::process::Folder;

const FILE: &str = "/v1/carriers/northstar/file";

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_record_and_file_nothing_is_half_done() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    for (place, is_new) in [("file_recorded", false), ("file_replaced", true)] {
        let gateway = folder.serve_with(&[("PORTICO_FAILPOINT", place)]);
        let before = gateway.call(&key, Method::GET, FILE, None).await;
        let old = before.body["text"].as_str().unwrap().to_owned();
        let new = format!("# {place}\n{old}");
        let change = json!({ "text": new, "base": before.body["version"], "reason": place });
        let reply = gateway.send(&key, Method::PUT, FILE, serde_json::to_vec(&change).unwrap()).await;
        assert!(reply.is_none(), "it was killed at {place}");
        drop(gateway);

        let gateway = folder.serve();
        let after = gateway.call(&key, Method::GET, FILE, None).await;
        let want = if is_new { &new } else { &old };
        assert_eq!(
            (after.body["text"].as_str(), &after.body["in_force"]),
            (Some(want.as_str()), &json!(true)),
            "{place}"
        );
        let kept = gateway.call(&key, Method::GET, "/v1/carriers/northstar/versions", None).await;
        let newest = &kept.body["versions"][0];
        assert_eq!((&newest["reason"], &newest["now"]), (&json!(place), &Value::Bool(is_new)), "{}", kept.text);
        let trail = gateway.call(&key, Method::GET, "/v1/trail?limit=500", None).await;
        assert!(trail.text.contains("carrier.file_applied"), "on record before it was done");
        // What was wanted is not lost: it is put in force again, from the kept text.
        let at = format!("/v1/carriers/northstar/versions/{}", newest["number"]);
        let text = gateway.call(&key, Method::GET, &at, None).await.body["text"].clone();
        assert_eq!(text.as_str(), Some(new.as_str()));
        let again = json!({ "text": text, "base": after.body["version"], "reason": "again" });
        let again = gateway.call(&key, Method::PUT, FILE, Some(&again)).await;
        assert_eq!((again.status, &again.body["in_force"]), (StatusCode::OK, &json!(true)), "{}", again.text);
        assert_eq!(gateway.stop(), 0);
    }
    sandbox.shutdown().await;
}
