//! What a carrier asks of a person: one task, however many wait; one answer, kept nowhere; nothing tried again by itself.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use portico::identity::Scope;
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::process::{Folder, Gateway, files_below};
use crate::support::{Reply, Stand, ask};

/// What is typed where it is wrong; found nowhere afterwards.
const WRONG_CODE: &str = "QUOKKA-77-ZEBRA";
/// A password that is new; found nowhere in the clear.
const NEW_PASSWORD: &str = "Okapi-&-Zanzibar<2026>";

fn question() -> Value {
    ask("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02")
}

/// The truth's cases of sign-ins that ask something of a person, by the kind of task.
fn sign_in(kind: &str) -> Value {
    let truth = sandbox::truth();
    let cases = truth.as_array().unwrap().iter();
    cases.map(|case| case["sign_in"].clone()).find(|sign_in| sign_in["task"] == kind).unwrap()
}

async fn enter(stand: &Stand, kind: &str) {
    let as_whom = sign_in(kind);
    let fields = json!({ "username": as_whom["username"], "password": as_whom["password"] });
    let stored = stand.call(Method::PUT, "/v1/credentials/bluevalley", Some(json!({ "fields": fields }))).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
}

/// A gateway whose people have `secs` for an answer, signed in at Blue Valley as the user who is asked for this.
async fn stand(kind: &str, secs: u64) -> Arc<Stand> {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let files = sandbox.carrier_files().into_iter();
    let files = files.map(|(id, text)| (id.to_owned(), with_countdown(&text, secs)));
    let files: Vec<(String, String)> = files.filter(|(id, _)| id == "bluevalley").collect();
    let stand = Stand::over_sandbox(sandbox, files, &[("bluevalley", &[("username", "x"), ("password", "x")])]).await;
    enter(&stand, kind).await;
    Arc::new(stand)
}

fn with_countdown(file: &str, secs: u64) -> String {
    file.replace("[settings.formats]", &format!("[settings.limits]\nperson_secs = {secs}\n\n[settings.formats]"))
}

fn asked(stand: &Arc<Stand>, question: Value) -> tokio::task::JoinHandle<Reply> {
    let stand = stand.clone();
    tokio::spawn(async move { stand.ask(question).await })
}

async fn tasks(stand: &Stand, state: &str) -> Vec<Value> {
    let reply = stand.call(Method::GET, &format!("/v1/tasks?state={state}"), None).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.body["tasks"].as_array().unwrap().clone()
}

async fn the_open_task(stand: &Stand) -> Value {
    for _ in 0..600 {
        if let Some(task) = tasks(stand, "open").await.pop() {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no task came");
}

fn path(task: &Value, what: &str) -> String {
    format!("/v1/tasks/{}/{what}", task["id"].as_str().unwrap())
}

async fn answer(stand: &Stand, task: &Value, answer: Value) -> Reply {
    stand.call(Method::POST, &path(task, "answer"), Some(answer)).await
}

fn mailed(stand: &Stand) -> Value {
    json!({ "answer": stand.sandbox.control().mailed("bluevalley").unwrap() })
}

async fn credential(stand: &Stand) -> Value {
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    list.body["credentials"].as_array().unwrap().iter().find(|one| one["carrier"] == "bluevalley").unwrap().clone()
}

fn logins(stand: &Stand) -> (u64, u64) {
    let counters = stand.sandbox.control().counters("bluevalley").unwrap();
    (counters.logins, counters.logins_failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_questions_wait_for_one_code_and_one_of_many_answers_wins() {
    let stand = stand("second_factor_code", 60).await;
    let mut waiting = JoinSet::new();
    for number in 0..50 {
        let stand = stand.clone();
        // Unlike questions, so that the cache does not join them.
        let member = if number == 0 { "BVP-ACTIVE-PPO".to_owned() } else { format!("BVP-NOBODY-{number}") };
        waiting.spawn(async move { stand.ask(ask("bluevalley", &member, "1983-10-02")).await.outcome().to_owned() });
    }
    let task = the_open_task(&stand).await;
    assert_eq!((task["kind"].as_str(), task["takes"].as_str()), (Some("second_factor_code"), Some("text")));
    assert!(task["words"].as_str().unwrap().contains("mailed to f***"), "{task}");
    assert!(task["left_secs"].as_i64().unwrap() > 30, "{task}");
    assert_eq!(logins(&stand), (1, 0), "the password left once");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(tasks(&stand, "open").await.len(), 1);
    let code = mailed(&stand);
    let mut answers = JoinSet::new();
    for _ in 0..8 {
        let (stand, task, code) = (stand.clone(), task.clone(), code.clone());
        answers.spawn(async move { answer(&stand, &task, code).await.status });
    }
    let mut said: Vec<_> = answers.join_all().await.iter().map(|status| status.as_u16()).collect();
    said.sort_unstable();
    assert_eq!(said, [200, 409, 409, 409, 409, 409, 409, 409]);
    let mut outcomes: Vec<String> = waiting.join_all().await;
    outcomes.sort_unstable();
    outcomes.dedup();
    assert_eq!(outcomes, ["answered", "refused"]);
    assert_eq!(logins(&stand), (2, 0));
    assert_eq!(tasks(&stand, "closed").await.len(), 1);

    let events = stand.call(Method::GET, "/v1/events", None).await;
    let kinds: Vec<&str> =
        events.body["events"].as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
    let of_tasks: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("task.")).collect();
    assert_eq!(of_tasks, [&"task.opened", &"task.answered"]);
    let opened = events.body["events"].as_array().unwrap().iter().find(|event| event["type"] == "task.opened").unwrap();
    assert_eq!(opened["data"]["subject_id"], task["id"]);
    assert!(!events.text.contains("mailed"), "{}", events.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_code_is_asked_for_once_more_and_then_by_a_person_only() {
    let stand = stand("second_factor_code", 60).await;
    let waiting = asked(&stand, question());
    let first = the_open_task(&stand).await;
    assert_eq!(answer(&stand, &first, json!({ "answer": WRONG_CODE })).await.status, StatusCode::OK);
    let second = loop {
        let task = the_open_task(&stand).await;
        if task["id"] != first["id"] {
            break task;
        }
    };
    assert_eq!(second["again"], true);
    assert_eq!(logins(&stand), (2, 1), "no password and no code left again by itself");
    assert_eq!(answer(&stand, &second, mailed(&stand)).await.status, StatusCode::OK);
    assert_eq!(waiting.await.unwrap().outcome(), "answered");
    assert_eq!(logins(&stand), (3, 1));

    // Twice wrong: nothing goes on until somebody says so.
    stand.sandbox.control().reset();
    enter(&stand, "second_factor_code").await;
    let waiting = asked(&stand, ask("bluevalley", "BVP-TWO-ROWS", "1964-04-04"));
    for _ in 0..2 {
        let task = the_open_task(&stand).await;
        answer(&stand, &task, json!({ "answer": WRONG_CODE })).await;
        while tasks(&stand, "open").await.iter().any(|open| open["id"] == task["id"]) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let failed = waiting.await.unwrap();
    assert_eq!(failed.body["failure"]["kind"], "needs_person", "{}", failed.text);
    assert_eq!(credential(&stand).await["state"], "suspect");
    assert_eq!(logins(&stand), (3, 2));
    let failed = stand.ask(ask("bluevalley", "BVP-INACTIVE", "1950-01-01")).await;
    assert_eq!(failed.body["failure"]["kind"], "needs_person", "{}", failed.text);
    assert_eq!(logins(&stand), (3, 2));
    let last = tasks(&stand, "closed").await[0].clone();
    assert_eq!(stand.call(Method::POST, &path(&last, "again"), None).await.status, StatusCode::ACCEPTED);
    let task = the_open_task(&stand).await;
    answer(&stand, &task, mailed(&stand)).await;
    for _ in 0..300 {
        if credential(&stand).await["state"] == "active" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stand.ask(question()).await.outcome(), "answered");
    let twice = stand.call(Method::POST, &path(&last, "again"), None).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_hears_whom_to_turn_to_and_nobody_is_asked_twice() {
    let stand = stand("second_factor_code", 1).await;
    let failed = asked(&stand, question()).await.unwrap();
    assert_eq!(failed.body["failure"]["kind"], "needs_person", "{}", failed.text);
    assert_eq!(failed.body["failure"]["who_acts"], "person");
    let task = tasks(&stand, "closed").await.pop().unwrap();
    assert_eq!((&task["state"], &failed.body["failure"]["facts"]["task"]), (&json!("expired"), &task["id"]));
    let late = answer(&stand, &task, json!({ "answer": "123456" })).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    // The carrier would mail the next code to nobody.
    let failed = stand.ask(ask("bluevalley", "BVP-TWO-ROWS", "1964-04-04")).await;
    assert_eq!(failed.body["failure"]["kind"], "needs_person", "{}", failed.text);
    assert_eq!(logins(&stand), (1, 0));
    assert_eq!(tasks(&stand, "closed").await.len(), 1);

    // Somebody is there: the same again, dismissed this time.
    let verified = {
        let stand = stand.clone();
        tokio::spawn(async move { stand.call(Method::POST, "/v1/credentials/bluevalley/verify", None).await })
    };
    let task = the_open_task(&stand).await;
    let dismissed = stand.call(Method::POST, &path(&task, "dismiss"), None).await;
    assert_eq!(
        (dismissed.status, &dismissed.body["state"]),
        (StatusCode::OK, &json!("dismissed")),
        "{}",
        dismissed.text
    );
    let verified = verified.await.unwrap();
    assert_eq!(verified.body["verified"], false, "{}", verified.text);
    assert_eq!(credential(&stand).await["state"], "suspect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_question_without_time_is_told_the_task_and_may_be_asked_again() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let file = sandbox.carrier_files().into_iter().find(|(id, _)| *id == "bluevalley").unwrap().1;
    let file =
        file.replace("attempt_timeout_secs = 40\ndeadline_secs = 90", "attempt_timeout_secs = 1\ndeadline_secs = 2");
    let files = vec![("bluevalley".to_owned(), file)];
    let credentials: &[(&str, &[(&str, &str)])] = &[("bluevalley", &[("username", "x"), ("password", "x")])];
    let stand = Arc::new(Stand::over_sandbox(sandbox, files, credentials).await);
    enter(&stand, "second_factor_code").await;
    let failed = stand.ask(question()).await;
    let task = the_open_task(&stand).await;
    assert_eq!(failed.body["failure"]["kind"], "needs_person", "{}", failed.text);
    assert_eq!(failed.body["failure"]["facts"]["task"], task["id"], "{}", failed.text);
    assert_eq!(failed.body["failure"]["retry"]["safe"], true, "{}", failed.text);
    // The task outlives the question; its answer serves the next one.
    assert_eq!(answer(&stand, &task, mailed(&stand)).await.status, StatusCode::OK);
    for _ in 0..100 {
        if stand.ask(question()).await.outcome() == "answered" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stand.ask(question()).await.outcome(), "answered");
    assert_eq!(logins(&stand), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn captchas_terms_and_new_passwords_go_the_same_way() {
    let stand = stand("captcha", 60).await;
    for (kind, wrong, right) in [
        ("captcha", Some(json!({ "answer": "no" })), json!({ "answer": sign_in("captcha")["answer"] })),
        ("terms", None, json!({ "accept": true })),
        ("password_change", Some(json!({ "answer": "short" })), json!({ "answer": NEW_PASSWORD })),
    ] {
        enter(&stand, kind).await;
        let mut fresh = question();
        fresh["max_age_secs"] = json!(0);
        let waiting = asked(&stand, fresh);
        let mut task = the_open_task(&stand).await;
        assert_eq!(task["kind"], kind);
        let whole = stand.call(Method::GET, &format!("/v1/tasks/{}", task["id"].as_str().unwrap()), None).await;
        assert_eq!(whole.body["picture"].is_object(), kind == "captcha", "{}", whole.text);
        let shape = answer(&stand, &task, json!({ "answer": "x", "accept": true })).await;
        assert_eq!(shape.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", shape.text);
        if let Some(wrong) = wrong {
            assert_eq!(answer(&stand, &task, wrong).await.status, StatusCode::OK);
            let before = task["id"].clone();
            while task["id"] == before {
                task = the_open_task(&stand).await;
            }
            assert_eq!(task["again"], true);
        }
        let taken = answer(&stand, &task, right).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
        let reply = waiting.await.unwrap();
        assert_eq!(reply.outcome(), "answered", "{kind}: {}", reply.text);
    }
    assert_eq!(logins(&stand).1, 0);
    // The new password is the credential's, entered by whoever answered, and signs in when the session is over.
    let now = credential(&stand).await;
    assert_eq!((&now["state"], &now["fields"]), (&json!("active"), &json!(["password", "username"])), "{now}");
    stand.sandbox.control().advance(16 * 60);
    let mut fresh = question();
    fresh["max_age_secs"] = json!(0);
    let reply = stand.ask(fresh).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);
    assert_eq!(logins(&stand).1, 0);
    let trail = stand.call(Method::GET, "/v1/trail?limit=100", None).await;
    assert!(!trail.text.contains("Okapi") && trail.text.contains("task.answered"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_answer_what() {
    let stand = stand("terms", 60).await;
    let key = |scopes: &'static [Scope]| stand.key_of("demo", scopes);
    let (desk, coordinator) = (key(&[Scope::Ask]).await, key(&[Scope::Ask, Scope::Resolve]).await);
    let keeper = key(&[Scope::Ask, Scope::Credentials]).await;
    let other = stand.key_of("other", &Scope::ALL).await;
    let waiting = asked(&stand, question());
    let task = the_open_task(&stand).await;
    assert_eq!(task["scope"], "credentials");
    let said = |key: &str| {
        let (key, path) = (key.to_owned(), path(&task, "answer"));
        let stand = stand.clone();
        async move { stand.call_as(Some(&key), Method::POST, &path, Some(json!({ "accept": true }))).await.status }
    };
    assert_eq!(said(&desk).await, StatusCode::FORBIDDEN);
    assert_eq!(said(&coordinator).await, StatusCode::FORBIDDEN, "terms bind the practice");
    assert_eq!(said(&keeper).await, StatusCode::FORBIDDEN);
    assert_eq!(said(&other).await, StatusCode::NOT_FOUND);
    let seen = stand.call_as(Some(&desk), Method::GET, "/v1/tasks", None).await;
    assert_eq!(seen.body["tasks"].as_array().unwrap().len(), 1, "{}", seen.text);
    let seen = stand.call_as(Some(&other), Method::GET, "/v1/tasks", None).await;
    assert_eq!(seen.body["tasks"].as_array().unwrap().len(), 0, "{}", seen.text);
    assert_eq!(said(&stand.key.clone()).await, StatusCode::OK);
    assert_eq!(waiting.await.unwrap().outcome(), "answered");
}

/// The program itself, killed while a person is waited for; and nothing that anybody typed is found afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_ends_what_waited_and_nothing_of_an_answer_is_left_anywhere() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "[log]\nlevel = \"trace\"\n");
    let user = |kind: &str| {
        let as_whom = sign_in(kind);
        format!(
            "username={}\npassword={}\n",
            as_whom["username"].as_str().unwrap(),
            as_whom["password"].as_str().unwrap()
        )
    };
    folder.portico(&["vault", "put", "bluevalley"], &user("second_factor_code")).fine();
    let key = folder.key();
    let gateway = Arc::new(folder.serve());
    let _left = put(&gateway, &key, Method::POST, "/v1/eligibility", Some(question()));
    let task = open_at(&gateway, &key).await;
    Arc::into_inner(gateway).unwrap().kill();
    let logins = || sandbox.control().counters("bluevalley").unwrap().logins;
    assert_eq!(logins(), 1);

    let gateway = Arc::new(folder.serve());
    let gone = get(&gateway, &key, &format!("/v1/tasks/{}", task["id"].as_str().unwrap())).await;
    assert_eq!(gone.body["state"], "gone", "{}", gone.text);
    let refused = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question())).await;
    assert_eq!(refused.body["failure"]["kind"], "credential_rejected", "{}", refused.text);
    assert_eq!(logins(), 1, "nothing is repeated after a kill");
    // A person starts it again; a wrong code, then the right one, by the command line.
    let verified = put(&gateway, &key, Method::POST, "/v1/credentials/bluevalley/verify", None);
    let task = open_at(&gateway, &key).await;
    let id = task["id"].as_str().unwrap().to_owned();
    let code = sandbox.control().mailed("bluevalley").unwrap();
    let url = format!("http://{}", gateway.address);
    let listed = portico(&["tasks", "list"], "", &url, &key);
    assert!(listed.contains(&id) && listed.contains("second_factor_code"), "{listed}");
    portico(&["tasks", "answer", &id], &format!("{code}\n"), &url, &key);
    let verified = verified.await.unwrap();
    assert_eq!(verified.body["verified"], true, "{}", verified.text);
    // The other users, with what may be found nowhere.
    for (kind, answers) in [
        ("second_factor_code", [json!({ "answer": WRONG_CODE }), json!({ "answer": "mailed" })]),
        ("password_change", [json!({ "answer": "Okapi-&-Zz" }), json!({ "answer": NEW_PASSWORD })]),
    ] {
        let as_whom = sign_in(kind);
        let fields = json!({ "fields": { "username": as_whom["username"], "password": as_whom["password"] } });
        gateway.call(&key, Method::PUT, "/v1/credentials/bluevalley", Some(&fields)).await;
        let waiting = put(&gateway, &key, Method::POST, "/v1/eligibility", Some(question()));
        let mut before = Value::Null;
        for said in answers {
            let mut task = open_at(&gateway, &key).await;
            while task["id"] == before {
                task = open_at(&gateway, &key).await;
            }
            before = task["id"].clone();
            let said = match said["answer"] == "mailed" {
                true => json!({ "answer": sandbox.control().mailed("bluevalley").unwrap() }),
                false => said,
            };
            let path = format!("/v1/tasks/{}/answer", task["id"].as_str().unwrap());
            assert_eq!(gateway.call(&key, Method::POST, &path, Some(&said)).await.status, StatusCode::OK);
        }
        assert_eq!(waiting.await.unwrap().outcome(), "answered", "{kind}");
    }
    let trail = get(&gateway, &key, "/v1/trail?limit=500").await.bytes.to_vec();
    let gateway = Arc::into_inner(gateway).unwrap();
    let (_, log) = tokio::task::spawn_blocking(move || gateway.stop_and_log()).await.unwrap();
    let mut hays = vec![("log".to_owned(), log), ("trail".to_owned(), trail)];
    for file in files_below(&folder.path("")) {
        hays.push((file.display().to_string(), std::fs::read(&file).unwrap_or_default()));
    }
    assert!(hays.len() > 4 && hays[0].1.len() > 1000);
    for (place, hay) in &hays {
        for needle in [WRONG_CODE, NEW_PASSWORD, "Okapi-%26", "Okapi-&-Zz", "mailed to f***"] {
            let found = hay.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} is in {place}");
        }
    }
    sandbox.shutdown().await;
}

fn put(
    gateway: &Gateway,
    key: &str,
    method: Method,
    path: &'static str,
    body: Option<Value>,
) -> tokio::task::JoinHandle<Reply> {
    let (address, key) = (gateway.address.clone(), key.to_owned());
    tokio::spawn(async move {
        let body = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        crate::process::send(&address, &key, method, path, body).await.unwrap()
    })
}

async fn get(gateway: &Gateway, key: &str, path: &str) -> Reply {
    gateway.call(key, Method::GET, path, None).await
}

async fn open_at(gateway: &Gateway, key: &str) -> Value {
    for _ in 0..600 {
        if let Some(task) = get(gateway, key, "/v1/tasks?state=open").await.body["tasks"][0].as_object() {
            return Value::Object(task.clone());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no task came");
}

fn portico(arguments: &[&str], input: &str, url: &str, key: &str) -> String {
    let environment = [("PORTICO_URL", url), ("PORTICO_API_KEY", key)];
    tokio::task::block_in_place(|| crate::process::run(arguments, input.as_bytes(), &environment).fine())
}
