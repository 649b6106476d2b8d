//! A batch whose gateway is killed in the middle: nothing is lost, and nothing that was answered is asked again.

use http::Method;
use sandbox::{Sandbox, SandboxConfig, Switches};
use serde_json::{Value, json};

use crate::batches::{ROOT, questions};
use crate::process::{Folder, Gateway, PATIENCE};
use crate::support::send_with;

const ITEMS: usize = 200;
/// Questions of batches that one gateway has under way at the same time: 16 at one carrier for one practice.
const UNDER_WAY: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_in_the_middle_a_batch_is_finished_with_each_answer_asked_for_once() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    assert!(sandbox.control().set("northstar", Switches { latency_ms: 30, ..Switches::default() }));
    let body = json!({ "items": questions("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", ITEMS) });
    let body = serde_json::to_vec(&body).unwrap();
    let mut kills = 0;
    let mut path = String::new();
    for answered in [1, 60, 120] {
        let gateway = folder.serve();
        // Handed in again after each kill: it is the same batch.
        let headers = [("idempotency-key", "night")];
        let made = send_with(&gateway.address, Some(&key), &headers, Method::POST, ROOT, body.clone()).await.unwrap();
        let again = format!("{ROOT}/{}", made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)));
        assert!(path.is_empty() || path == again, "{path} and {again}");
        path = again;
        until(&gateway, &key, &path, |seen| seen["progress"]["answered"].as_u64() >= Some(answered)).await;
        gateway.kill();
        kills += 1;
    }
    let gateway = folder.serve();
    let done = until(&gateway, &key, &path, |seen| seen["state"] == "done").await;
    assert_eq!(done["progress"]["answered"], ITEMS, "{done}");

    let asked = sandbox.control().counters("northstar").unwrap().questions;
    println!("{ITEMS} items over {kills} kills: the carrier was asked {asked} times");
    assert!((ITEMS as u64..=ITEMS as u64 + kills * UNDER_WAY).contains(&asked), "{asked}");
    let items = gateway.call(&key, Method::GET, &format!("{path}/items?limit=500"), None).await;
    let items = items.body["items"].as_array().unwrap().clone();
    let mut of_items = std::collections::BTreeSet::new();
    for item in &items {
        assert!(item["told"]["coverage"].is_string(), "{item}");
        of_items.insert(item["question"].as_str().unwrap().to_owned());
    }
    assert_eq!((items.len(), of_items.len()), (ITEMS, ITEMS));
    answered_once(&gateway, &key, &of_items).await;
    assert_eq!(gateway.stop(), 0);
    let verified = folder.portico(&["vault", "verify"], "").fine();
    assert!(verified.contains("unbroken"), "{verified}");
    sandbox.shutdown().await;
}

/// In the paper trail, each item's question was answered once, and no answer belongs to no item.
async fn answered_once(gateway: &Gateway, key: &str, of_items: &std::collections::BTreeSet<String>) {
    let trail = gateway.call(key, Method::GET, "/v1/trail?limit=500", None).await;
    let records = trail.body["records"].as_array().unwrap().clone();
    let answers: Vec<&str> = records
        .iter()
        .filter(|record| record["action"] == "eligibility.answered")
        .filter_map(|record| record["ask_id"].as_str())
        .collect();
    assert_eq!(answers.len(), ITEMS);
    assert!(answers.iter().all(|id| of_items.contains(*id)));
}

async fn until(gateway: &Gateway, key: &str, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let seen = gateway.call(key, Method::GET, path, None).await.body;
            if wanted(&seen) {
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the batch does not come to that")
}
