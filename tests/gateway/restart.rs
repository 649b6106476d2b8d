//! Kill and restart: what left the gateway is there afterwards, what did not says so, and the trail is whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig, Switches};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::process::{Folder, Gateway};
use crate::support::ask;

/// A question with each kind of end: the carrier, the member, the outcome.
const QUESTIONS: [(&str, &str, &str, &str); 6] = [
    ("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", "answered"),
    ("harborhmo", "HHM-ACTIVE-PCP", "1979-08-15", "answered"),
    ("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02", "answered"),
    ("hubline", "HUB-ACTIVE-EPO", "1974-05-27", "answered"),
    ("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03", "refused"),
    ("molasses", "MOL-502", "1965-02-14", "failed"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_kill_every_answer_is_there_as_it_was() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    let gateway = folder.serve();
    let mut told = Vec::new();
    for (carrier, member, born, outcome) in QUESTIONS {
        let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&ask(carrier, member, born))).await;
        assert_eq!(reply.outcome(), outcome, "{carrier} {member}: {}", reply.text);
        told.push(reply.body);
    }
    gateway.kill();

    let verified = folder.portico(&["vault", "verify"], "").fine();
    // One of the six is the gateway's own.
    for words in ["default: 5 of 5 credentials open", "gateway: 1 of 1 credentials open", "in an unbroken trail"] {
        assert!(verified.contains(words), "{verified}");
    }
    let gateway = folder.serve();
    for before in &told {
        let path = format!("/v1/eligibility/{}", before["id"].as_str().unwrap());
        let after = gateway.call(&key, Method::GET, &path, None).await;
        assert_eq!((after.status, &after.body), (StatusCode::OK, before));
        if before["evidence"].is_string() {
            let raw = gateway.call(&key, Method::GET, &format!("{path}/raw"), None).await;
            assert_eq!(raw.status, StatusCode::OK, "{path}");
            assert!(raw.body.as_array().is_some_and(|exchanges| !exchanges.is_empty()), "{path}");
        }
    }
    let evidence = told.iter().filter(|before| before["evidence"].is_string()).count();
    assert!(evidence >= 4, "only {evidence} of the questions have evidence");
    // It works on: the credentials still open the carriers.
    let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&anew())).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);
    assert_eq!(gateway.stop(), 0);
    sandbox.shutdown().await;
}

/// Three times: questions without end at a carrier that takes its time, a kill in the middle of them, a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_in_the_middle_of_questions_it_loses_no_answer_that_left() {
    const ASKERS: usize = 12;
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    let slowly = Switches { latency_ms: 40, ..Switches::default() };
    assert!(sandbox.control().set("northstar", slowly));
    let mut left: Vec<Value> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for round in 1..=3 {
        let gateway = folder.serve();
        waiting.push(a_question_nobody_waits_for(&gateway, &key).await);
        let answers = Arc::new(AtomicUsize::new(0));
        let mut askers = JoinSet::new();
        for _ in 0..ASKERS {
            let (address, key, answers) = (gateway.address.clone(), key.clone(), Arc::clone(&answers));
            askers.spawn(ask_until_it_is_gone(address, key, answers));
        }
        // Not at a round number of answers, so that it falls into another moment each time.
        while answers.load(Ordering::SeqCst) < 17 * round {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        gateway.kill();
        while let Some(of_one) = askers.join_next().await {
            left.extend(of_one.unwrap());
        }
    }
    assert!(left.len() >= 17 * 6, "{} answers left the gateway", left.len());

    let verified = folder.portico(&["vault", "verify"], "").fine();
    assert!(verified.contains("unbroken"), "{verified}");
    let gateway = folder.serve();
    for before in &left {
        let path = format!("/v1/eligibility/{}", before["id"].as_str().unwrap());
        let after = gateway.call(&key, Method::GET, &path, None).await;
        assert_eq!((after.status, &after.body), (StatusCode::OK, before));
    }
    for path in &waiting {
        let after = gateway.call(&key, Method::GET, path, None).await;
        assert_eq!(after.status, StatusCode::GONE, "{path}: {}", after.text);
        assert!(after.text.contains("Ask it again"), "{}", after.text);
    }
    println!("{} answers left three killed gateways, and all are there", left.len());
    drop(gateway);
    sandbox.shutdown().await;
}

/// Where its answer would be, once it is there.
async fn a_question_nobody_waits_for(gateway: &Gateway, key: &str) -> String {
    let mut slow = ask("statemed", "STM-SLOW", "1981-01-01");
    slow["max_age_secs"] = json!(0);
    let reply = gateway.call(key, Method::POST, "/v1/eligibility?wait_ms=0", Some(&slow)).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
    reply.headers["location"].to_str().unwrap().to_owned()
}

/// Asks without a pause until the gateway is gone; the envelopes that came whole.
async fn ask_until_it_is_gone(address: String, key: String, answers: Arc<AtomicUsize>) -> Vec<Value> {
    let question = serde_json::to_vec(&anew()).unwrap();
    let mut left = Vec::new();
    while let Some(reply) =
        crate::process::send(&address, &key, Method::POST, "/v1/eligibility", question.clone()).await
    {
        assert_eq!(reply.outcome(), "answered", "{}", reply.text);
        answers.fetch_add(1, Ordering::SeqCst);
        left.push(reply.body);
    }
    left
}

/// A question that no saved answer will do for.
fn anew() -> Value {
    let mut question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    question["max_age_secs"] = json!(0);
    question
}
