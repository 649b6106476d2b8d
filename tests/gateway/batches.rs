//! Batches: many questions taken in at once and asked in the background, against the simulated carriers.

use std::time::Duration;

use http::{Method, StatusCode};
use portico::identity::Scope;
use portico::practice::PracticeId;
use sandbox::{Sandbox, SandboxConfig, Switches};
use serde_json::{Value, json};

use crate::support::{Reply, Stand, ask};

/// The batches' address.
pub const ROOT: &str = "/v1/eligibility/batches";
/// A person each carrier knows, and how many items it gets.
const KNOWN: [(&str, &str, &str, usize); 5] = [
    ("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", 60),
    ("statemed", "STM-MONTHS-MCO", "1999-04-21", 20),
    ("harborhmo", "HHM-ACTIVE-PCP", "1979-08-15", 50),
    ("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02", 20),
    ("hubline", "HUB-ACTIVE-EPO", "1974-05-27", 50),
];

/// Questions about one person that no saved answer will do for: each about another day.
pub fn questions(carrier: &str, member: &str, born: &str, count: usize) -> Vec<Value> {
    let today = jiff::Zoned::now().date();
    let days = (0..count).map(|back| today.saturating_sub(jiff::Span::new().days(i64::try_from(back).unwrap())));
    days.map(|day| {
        let mut question = ask(carrier, member, born);
        question["service"] = json!({ "date": day.to_string() });
        question["max_age_secs"] = json!(0);
        question
    })
    .collect()
}

fn northstar(count: usize) -> Value {
    json!({ "items": questions("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", count) })
}

impl Stand {
    async fn batch(&self, key: &str, body: &Value) -> Reply {
        self.batch_as(&self.key, key, body).await
    }

    async fn batch_as(&self, caller: &str, key: &str, body: &Value) -> Reply {
        let body = serde_json::to_vec(body).unwrap();
        self.call_with_as(caller, &[("idempotency-key", key)], Method::POST, ROOT, body).await
    }

    async fn csv(&self, key: &str, query: &str, text: &str) -> Reply {
        let headers = [("idempotency-key", key), ("content-type", "text/csv")];
        self.call_with_as(&self.key, &headers, Method::POST, &format!("{ROOT}{query}"), text.as_bytes().to_vec()).await
    }

    async fn seen(&self, id: &str) -> Value {
        self.call(Method::GET, &format!("{ROOT}/{id}"), None).await.body
    }

    async fn turn(&self, id: &str, wish: &str) -> Reply {
        self.call(Method::POST, &format!("{ROOT}/{id}/{wish}"), None).await
    }

    /// Waits until the batch is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let seen = self.seen(id).await;
                if wanted(&seen) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(crate::process::PATIENCE, look).await {
            Ok(seen) => seen,
            Err(_) => panic!("it does not come to that: {}", self.seen(id).await),
        }
    }

    async fn done(&self, id: &str) -> Value {
        self.until(id, |seen| seen["state"] == "done").await
    }
}

fn id_of(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
    assert_eq!(reply.headers["location"], format!("{ROOT}/{}", reply.body["id"].as_str().unwrap()));
    reply.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_questions_to_five_carriers_are_asked_once_each() {
    let stand = Stand::start().await;
    let mut items = Vec::new();
    for (carrier, member, born, count) in KNOWN {
        items.extend(questions(carrier, member, born, count));
    }
    for (n, item) in items.iter_mut().enumerate() {
        item["ref"] = json!(format!("visit-{n}"));
    }
    let id = id_of(&stand.batch("all", &json!({ "name": "Monday", "items": items })).await);
    let done = stand.done(&id).await;
    assert_eq!(done["progress"]["answered"], 200, "{done}");
    assert_eq!((&done["name"], &done["items"]), (&json!("Monday"), &json!(200)));
    assert!(done["started_at"].is_string() && done["ended_at"].is_string(), "{done}");
    for (carrier, _, _, count) in KNOWN {
        assert_eq!(stand.questions(carrier), count as u64, "{carrier}");
    }
    let listed = stand.call(Method::GET, ROOT, None).await;
    assert_eq!(listed.body["batches"][0]["id"], id.as_str(), "{}", listed.text);

    let first = stand.call(Method::GET, &format!("{ROOT}/{id}/items?limit=150"), None).await;
    let rest =
        stand.call(Method::GET, &format!("{ROOT}/{id}/items?limit=150&after={}", first.body["next"]), None).await;
    let pages = [first.body["items"].as_array().unwrap().clone(), rest.body["items"].as_array().unwrap().clone()];
    let all = pages.concat();
    assert_eq!((all.len(), &rest.body["next"]), (200, &Value::Null));
    for (n, item) in all.iter().enumerate() {
        assert_eq!((&item["item"], &item["ref"]), (&json!(n + 1), &json!(format!("visit-{n}"))));
        assert!(item["told"]["coverage"].is_string() && item["told"]["text"].is_string(), "{item}");
        if n % 40 == 0 {
            let path = format!("/v1/eligibility/{}", item["question"].as_str().unwrap());
            assert_eq!(stand.call(Method::GET, &path, None).await.outcome(), "answered");
        }
    }
    records_name_the_batch_and_no_patient(&stand, &id).await;
    stand.stop().await;
}

async fn records_name_the_batch_and_no_patient(stand: &Stand, id: &str) {
    let trail = stand.call(Method::GET, "/v1/trail?limit=500", None).await;
    let records = trail.body["records"].as_array().unwrap();
    let of =
        |action: &str| records.iter().filter(|record| record["action"] == action && record["subject_id"] == id).count();
    assert_eq!((of("batch.made"), of("batch.ended"), of("eligibility.answered")), (1, 1, 200));
    assert_eq!(of("eligibility.batch_read"), 2);
    // Four digits stand in many an id and in fractions of seconds by chance: these, and nothing else, are not searched.
    let by_chance = regex_lite::Regex::new(r"[0-9a-f-]{16,}|\.\d+Z").unwrap();
    let searched = by_chance.replace_all(&trail.text, "");
    for word in ["ACTIVE", "OKAFOR", "visit-", "Monday", "1984"] {
        assert!(!searched.contains(word), "{word} stands in the trail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_practice_finds_nothing_and_a_key_needs_the_scope() {
    let stand = Stand::start().await;
    let id = id_of(&stand.batch("mine", &northstar(2)).await);
    stand.done(&id).await;
    let foreign = stand.key_of("other", &Scope::ALL).await;
    let weak = stand.key_of("demo", &[Scope::Carriers]).await;
    for (method, rest) in [
        (Method::GET, ""),
        (Method::GET, "/items"),
        (Method::GET, "/items?format=csv"),
        (Method::GET, "/events"),
        (Method::POST, "/pause"),
        (Method::POST, "/resume"),
        (Method::POST, "/cancel"),
    ] {
        let path = format!("{ROOT}/{id}{rest}");
        let reply = stand.call_as(Some(&foreign), method.clone(), &path, None).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {}", reply.text);
        let reply = stand.call_as(Some(&weak), method, &path, None).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}: {}", reply.text);
    }
    let listed = stand.call_as(Some(&foreign), Method::GET, ROOT, None).await;
    assert_eq!(listed.body, json!({ "batches": [] }));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_key_makes_one_batch() {
    let stand = Stand::start().await;
    let (body, other) = (northstar(5), northstar(6));
    let at_once = futures_util::future::join_all((0..8).map(|_| stand.batch("k", &body))).await;
    let ids: std::collections::BTreeSet<String> = at_once.iter().map(id_of).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let id = ids.first().unwrap();
    stand.done(id).await;
    assert_eq!(&id_of(&stand.batch("k", &body).await), id);
    assert_eq!(stand.questions("northstar"), 5);
    let used = stand.batch("k", &other).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", used.text);
    let none = stand.call(Method::POST, ROOT, Some(body)).await;
    assert_eq!(
        (none.status, &none.body["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("Idempotency-Key"))
    );
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_told_all_at_once_and_hostile_cells_come_back_harmless() {
    let stand = Stand::start().await;
    let csv = "\u{feff}Carrier,ref,NPI,member_id,date_of_birth,service_types\r\n\
        northstar,=cmd|' /C calc'!A0,1234567893,NSH-ACTIVE-COPAY40,1984-03-12,30;98\r\n\
        northstar,\"@SUM(1,2)\",1234567893,NSH-ACTIVE-COPAY40,1984-12-03,30\r\n\
        northstar,bad npi,1234567890,NSH-ACTIVE-COPAY40,1984-02-30,?\r\n\
        nowhere,no carrier,1234567893,NSH-ACTIVE-COPAY40,1984-03-12,30\r\n\
        northstar,too short,1234567893\r\n\
        northstar,＋1,1234567893,ZANZIBAR!,1984-03-12,30\r\n";
    let refused = stand.csv("rows", "", csv).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let paths: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    for path in [
        "/rows/4/npi",
        "/rows/4/date_of_birth",
        "/rows/4/service_types",
        "/rows/5/carrier",
        "/rows/6",
        "/rows/7/member_id",
    ] {
        assert!(paths.contains(&path), "{path} is missing from {paths:?}");
    }
    assert!(!refused.text.contains("ZANZIBAR") && !refused.text.contains("1984"), "{}", refused.text);
    assert_eq!(stand.call(Method::GET, ROOT, None).await.body, json!({ "batches": [] }));

    let taken = stand.csv("rows", "?accept=valid", csv).await;
    let id = id_of(&taken);
    assert_eq!((&taken.body["items"], &taken.body["left_out"]), (&json!(2), &json!(4)), "{}", taken.text);
    assert_eq!(taken.body["problems"].as_array().unwrap().len(), paths.len());
    let done = stand.done(&id).await;
    assert_eq!((&done["progress"]["answered"], &done["progress"]["refused"]), (&json!(1), &json!(1)), "{done}");

    let told = stand.call(Method::GET, &format!("{ROOT}/{id}/items?format=csv"), None).await;
    assert_eq!(told.headers["content-type"], "text/csv; charset=utf-8");
    let mut reader = csv::Reader::from_reader(told.text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &head[1], &rows[0][1]), (2, "ref", "'=cmd|' /C calc'!A0"));
    assert_eq!((&rows[1][1], &rows[1][3]), ("'@SUM(1,2)", "refused"));
    for cell in rows.iter().flatten() {
        let first = cell.trim_start().chars().next().unwrap_or('x');
        assert!(!"=+-@＝＋－＠".contains(first), "a spreadsheet would run {cell:?}");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_read_is_refused_whole() {
    let stand = Stand::start().await;
    let many = json!({ "items": vec![json!({}); 10_001] });
    let bad: Vec<Value> = (0..300).map(|_| json!({ "carrier": "northstar" })).collect();
    for (name, body, word) in [
        ("empty", json!({ "items": [] }), "no question"),
        ("many", many, "at most 10000"),
        ("bad", json!({ "items": bad }), "the first 100 are listed"),
        ("more", json!({ "items": [{}], "callback": "x" }), "only be a name"),
    ] {
        let reply = stand.batch(name, &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", reply.text);
        assert!(reply.text.contains(word), "{name}: {}", reply.text);
        assert!(reply.body["errors"].as_array().unwrap().len() <= 100);
    }
    let header = stand.csv("header", "", "name,born\nZANZIBAR,1984-03-12\n").await;
    assert!(header.text.contains("/header/1") && header.text.contains("carrier is missing"), "{}", header.text);
    let large = stand.csv("large", "", &"x".repeat(10 * 1024 * 1024 + 1)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let kind = [("idempotency-key", "kind"), ("content-type", "application/xml")];
    let kind = stand.call_with_as(&stand.key, &kind, Method::POST, ROOT, b"<x/>".to_vec()).await;
    assert_eq!(kind.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_pauses_goes_on_and_is_cancelled() {
    let stand = Stand::start().await;
    stand.sandbox.control().set("northstar", Switches { latency_ms: 30, ..Switches::default() });
    let id = id_of(&stand.batch("paused", &northstar(80)).await);
    stand.until(&id, |seen| seen["progress"]["answered"].as_u64() > Some(3)).await;
    for _ in 0..2 {
        assert_eq!(stand.turn(&id, "pause").await.body["state"], "paused");
    }
    let paused = stand.until(&id, |seen| seen["progress"]["asking"] == 0).await;
    let asked = stand.questions("northstar");
    assert!(asked < 80 && paused["progress"]["answered"] == asked, "{asked}: {paused}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(stand.questions("northstar"), asked);
    assert_eq!(stand.turn(&id, "resume").await.body["state"], "running");
    assert_eq!(stand.done(&id).await["progress"]["answered"], 80);
    assert_eq!(stand.questions("northstar"), 80);
    assert_eq!(stand.turn(&id, "cancel").await.status, StatusCode::CONFLICT);

    let id = id_of(&stand.batch("cancelled", &northstar(81)).await);
    stand.until(&id, |seen| seen["progress"]["answered"].as_u64() > Some(3)).await;
    assert_eq!(stand.turn(&id, "cancel").await.body["state"], "cancelled");
    let over = stand.until(&id, |seen| seen["progress"]["asking"] == 0).await;
    let (answered, cancelled) = (&over["progress"]["answered"], &over["progress"]["cancelled"]);
    assert_eq!(answered.as_u64().unwrap() + cancelled.as_u64().unwrap(), 81, "{over}");
    assert!(cancelled.as_u64() > Some(0) && over["progress"]["waiting"] == 0, "{over}");
    assert_eq!(stand.questions("northstar"), 80 + answered.as_u64().unwrap());
    assert_eq!(stand.turn(&id, "resume").await.status, StatusCode::CONFLICT);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_tell_the_progress_up_to_the_end() {
    let stand = Stand::start().await;
    stand.sandbox.control().set("northstar", Switches { latency_ms: 20, ..Switches::default() });
    let id = id_of(&stand.batch("told", &northstar(120)).await);
    // The stream ends by itself after the last event.
    let stream = stand.call(Method::GET, &format!("{ROOT}/{id}/events"), None).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let events: Vec<&str> = stream.text.split("\n\n").filter(|event| event.contains("data:")).collect();
    assert!(events.len() >= 2, "{}", stream.text);
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
    };
    let mut before = 0;
    for event in &events {
        let data: Value = serde_json::from_str(&field(event, "data")).unwrap();
        let answered = data["progress"]["answered"].as_u64().unwrap();
        assert!(answered >= before, "{}", stream.text);
        before = answered;
    }
    let last = events.last().unwrap();
    assert_eq!((before, field(last, "event").as_str()), (120, "ended"));
    let again = [("last-event-id", field(last, "id"))];
    let again: Vec<(&str, &str)> = again.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let over = stand.call_with(&again, Method::GET, &format!("{ROOT}/{id}/events"), None).await;
    assert_eq!(over.status, StatusCode::NO_CONTENT, "{}", over.text);
    stand.stop().await;
}

/// The simulated carrier's file with something in it replaced.
async fn stand_with(carrier: &str, from: &str, to: &str) -> Stand {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let files = sandbox.carrier_files().into_iter().map(|(id, text)| {
        let text = if id == carrier { text.replacen(from, to, 1) } else { text };
        (id.to_owned(), text)
    });
    let files: Vec<_> = files.collect();
    Stand::over_sandbox(sandbox, files, &sandbox::credentials()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_carrier_is_closed_its_items_wait_and_the_others_go_on() {
    let stand = stand_with("hubline", "[limits]", "[hours]\nclosed = [\"daily 00:00-24:00 UTC\"]\n\n[limits]").await;
    let mut items = questions("hubline", "HUB-ACTIVE-EPO", "1974-05-27", 3);
    items.extend(questions("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12", 3));
    let id = id_of(&stand.batch("closed", &json!({ "items": items })).await);
    let seen = stand.until(&id, |seen| seen["progress"]["answered"] == 3 && !seen["waits"].is_null()).await;
    assert_eq!((&seen["progress"]["waiting"], &seen["progress"]["failed"]), (&json!(3), &json!(0)), "{seen}");
    let wait = &seen["waits"][0];
    assert_eq!(
        (&wait["carrier"], &wait["reason"], &wait["items"]),
        (&json!("hubline"), &json!("carrier_closed"), &json!(3))
    );
    assert!(wait["until"].is_string(), "{seen}");
    assert_eq!(stand.questions("hubline"), 0);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_credential_parks_its_items_until_a_person_enables_it() {
    let stand = Stand::start().await;
    let practice = PracticeId::new("demo");
    let vault = &stand.house.app.vault;
    let info = vault.info(&practice, "northstar").unwrap();
    vault.stop(&info.id, info.generation, "a test stopped it").await.unwrap();
    let id = id_of(&stand.batch("parked", &northstar(4)).await);
    let seen = stand.until(&id, |seen| !seen["waits"].is_null()).await;
    assert_eq!((&seen["waits"][0]["reason"], &seen["progress"]["waiting"]), (&json!("credential_stopped"), &json!(4)));
    assert_eq!(stand.questions("northstar"), 0);
    stand.call(Method::POST, "/v1/credentials/northstar/verify", None).await;
    assert_eq!(stand.done(&id).await["progress"]["answered"], 4);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_is_down_is_tried_again_and_resuming_does_not_wait() {
    let stand = Stand::start().await;
    let down = Switches { down: sandbox::Down::Unavailable, ..Switches::default() };
    stand.sandbox.control().set("northstar", down);
    let id = id_of(&stand.batch("down", &northstar(20)).await);
    let seen = stand.until(&id, |seen| !seen["waits"].is_null() && seen["progress"]["asking"] == 0).await;
    assert_eq!((&seen["progress"]["waiting"], &seen["progress"]["failed"]), (&json!(20), &json!(0)), "{seen}");
    stand.turn(&id, "pause").await;
    stand.sandbox.control().set("northstar", Switches::default());
    stand.turn(&id, "resume").await;
    assert_eq!(stand.done(&id).await["progress"]["answered"], 20);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_asks_no_more_until_somebody_takes_the_batch_over() {
    let stand = Stand::start().await;
    stand.sandbox.control().set("statemed", Switches { latency_ms: 100, ..Switches::default() });
    let practice = PracticeId::new("demo");
    let identity = &stand.house.app.identity;
    let items = json!({ "items": questions("statemed", "STM-MONTHS-MCO", "1999-04-21", 90) });
    let key = stand.key_of("demo", &[Scope::Ask]).await;
    let keys = identity.list_keys(&practice).await.unwrap();
    let key_id = &keys.iter().find(|info| info.label == "test").unwrap().id;
    let reply = stand.batch_as(&key, "revoked", &items).await;
    let id = id_of(&reply);
    stand.until(&id, |seen| seen["progress"]["answered"].as_u64() > Some(0)).await;
    assert!(identity.revoke_key(&practice, key_id, &portico::trail::Actor::command_line()).await.unwrap());
    let paused = stand.until(&id, |seen| seen["state"] == "paused").await;
    assert_eq!(paused["reason"], "asker_gone", "{paused}");
    stand.sandbox.control().set("statemed", Switches::default());
    stand.turn(&id, "resume").await;
    assert_eq!(stand.done(&id).await["progress"]["answered"], 90);
    stand.stop().await;
}

/// At a carrier with a place for one only: a question from the desk is answered while nearly all of the batch still waits.
/// At one with eight, the batch never takes more than half.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_front_desk_does_not_stand_behind_a_batch() {
    let stand = Stand::start().await;
    stand.sandbox.control().set("statemed", Switches { latency_ms: 50, ..Switches::default() });
    let items = json!({ "items": questions("statemed", "STM-MONTHS-MCO", "1999-04-21", 60) });
    let id = id_of(&stand.batch("desk", &items).await);
    stand.until(&id, |seen| seen["progress"]["answered"].as_u64() > Some(1)).await;
    for n in 1..=5 {
        let before = finished(&stand.seen(&id).await);
        let mut question = ask("statemed", "STM-MONTHS-MCO", "1999-04-21");
        question["max_age_secs"] = json!(0);
        question["service"] = json!({ "types": [format!("{n}")] });
        let reply = stand.ask(question).await;
        assert!(matches!(reply.outcome(), "answered" | "refused"), "{}", reply.text);
        // One was being asked when the desk's came, and one may have come in between being seen and being asked.
        let overtaken = finished(&stand.seen(&id).await) - before;
        assert!(overtaken <= 3, "{overtaken} items of the batch went before the desk");
    }
    stand.turn(&id, "cancel").await;

    stand.sandbox.control().set("bluevalley", Switches { latency_ms: 20, ..Switches::default() });
    let items = json!({ "items": questions("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02", 12) });
    let id = id_of(&stand.batch("half", &items).await);
    stand.done(&id).await;
    let peak = stand.sandbox.control().counters("bluevalley").unwrap().concurrent_peak;
    assert!(peak <= 2, "{peak} of the login's 4 places were taken by the batch");
    stand.stop().await;
}

fn finished(seen: &Value) -> u64 {
    ["answered", "refused", "failed"].iter().filter_map(|state| seen["progress"][*state].as_u64()).sum()
}
