//! A copy of the data, or a backup, is put back after what it holds as waiting was sent, at a simulated carrier, another process, that is
//! not idempotent: nothing is there twice, and every submission that must be found out is listed.

#![allow(clippy::disallowed_methods, reason = "the database is read behind the store's back")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use rusqlite::Connection;
use rusqlite::types::Value as Column;
use serde_json::{Value, json};

use crate::kill::client::ask;
use crate::kill::processes::{Carriers, Life};
use crate::process::{Folder, PATIENCE};
use crate::support::{self, Reply};
use crate::trail::copy_dir;

/// Handed in before the copy; more than are sent to one carrier at once, so that some still wait.
const BEFORE: usize = 30;
/// Handed in after it: the copy knows nothing of these.
const SINCE: usize = 3;
/// What a gateway that holds the data for put back must leave alone.
const TABLES: [&str; 9] =
    ["submission", "attempt", "inquiry", "submission_hold", "credential", "ask", "batch", "batch_item", "trail"];

/// The gateway, its carrier, and what its clients were told.
struct Arena {
    folder: Folder,
    carriers: Carriers,
    key: String,
    /// The carrier's own log.
    receipts: PathBuf,
    acknowledged: BTreeMap<usize, String>,
}

/// A gateway that listens.
struct Running {
    life: Life,
    address: String,
    key: String,
}

impl Running {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let body = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        support::send(&self.address, Some(&self.key), method, path, body).await.unwrap()
    }

    async fn submit(&self, number: usize) -> Reply {
        let (key, body) = (format!("put-back-{number}"), serde_json::to_vec(&ask(number)).unwrap());
        let headers = [("idempotency-key", key.as_str())];
        let path = "/v1/authorizations";
        support::send_with(&self.address, Some(&self.key), &headers, Method::POST, path, body).await.unwrap()
    }

    async fn view(&self, id: &str) -> Value {
        let reply = self.call(Method::GET, &format!("/v1/authorizations/{id}"), None).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.body["submission"].clone()
    }

    async fn until_state(&self, id: &str, state: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let view = self.view(id).await;
            if view["state"] == state {
                return view;
            }
            assert!(Instant::now() < until, "{state} did not come: {view}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it as an operator would.
    async fn stop(mut self) {
        self.life.signal("TERM");
        self.has_ended().await;
    }

    async fn has_ended(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.life.alive() {
            assert!(Instant::now() < until, "it does not end: {}", self.life.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Arena {
    fn open() -> Self {
        let folder = Folder::new("[log]\nlevel = \"warn\"\n");
        let carriers = Carriers::start(&folder.path("carriers"), &folder.path("receipts.jsonl"), 1);
        folder.enter_credentials();
        let key = folder.key();
        let receipts = folder.path("receipts.jsonl");
        Self { folder, carriers, key, receipts, acknowledged: BTreeMap::new() }
    }

    async fn start(&self, failpoint: &str) -> Running {
        let mut life = Life::start(&self.folder, &[("PORTICO_FAILPOINT", failpoint)]);
        let until = Instant::now() + PATIENCE;
        while life.address().is_none() {
            assert!(life.alive() && Instant::now() < until, "the gateway does not start: {}", life.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Running { address: life.address().unwrap(), life, key: self.key.clone() }
    }

    fn say(&self, arguments: &[&str]) -> String {
        self.folder.portico(arguments, "").fine()
    }

    async fn submit(&mut self, gateway: &Running, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let taken = gateway.submit(number).await;
            assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
            self.acknowledged.insert(number, taken.body["id"].as_str().unwrap().to_owned());
        }
    }

    /// The carrier's records by our reference. None may be there twice.
    fn records(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(&self.receipts).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut records = BTreeMap::new();
        for line in lines.filter(|line| line["event"] == "accepted") {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            let before = records.insert(text("trace"), text("record"));
            assert!(before.is_none(), "DOUBLED: the carrier has {} twice", text("trace"));
        }
        records
    }

    fn swap(&self, from: &str, to: &str) {
        let to = self.folder.path(to);
        let _ = std::fs::remove_dir_all(&to);
        copy_dir(&self.folder.path(from), &to);
    }
}

/// The unfinished submissions of a copy, with their states.
fn unfinished(data: &Path) -> BTreeMap<String, String> {
    let database = Connection::open(data.join("portico.db")).unwrap();
    let select = "SELECT id, state FROM submission WHERE state IN ('queued', 'intent', 'armed', 'unknown')";
    let mut statement = database.prepare(select).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Everything in the tables that matter.
fn contents(data: &Path) -> Vec<Vec<Column>> {
    let database = Connection::open(data.join("portico.db")).unwrap();
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3")).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|place| row.get(place)).collect();
        all.extend(statement.query_map([], row).unwrap().map(Result::unwrap));
    }
    all
}

/// Hands in, copies in the middle of sending, and lets everything be sent; then puts the copy back.
async fn put_back() -> Arena {
    let mut arena = Arena::open();
    arena.say(&["submissions", "hold", "northstar", "--reason", "until all are here"]);
    let gateway = arena.start("").await;
    arena.submit(&gateway, 0..BEFORE).await;
    gateway.stop().await;
    arena.say(&["submissions", "release", "northstar", "--reason", "all are here"]);
    let mut gateway = arena.start("replied@3=abort").await;
    gateway.has_ended().await;
    arena.swap("data", "copy");

    let gateway = arena.start("").await;
    arena.submit(&gateway, BEFORE..BEFORE + SINCE).await;
    for id in arena.acknowledged.values() {
        gateway.until_state(id, "accepted").await;
    }
    gateway.stop().await;
    assert_eq!(arena.records().len(), BEFORE + SINCE);
    arena.swap("copy", "data");
    arena
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_that_is_put_back_doubles_nothing_and_says_what_to_find_out() {
    let arena = put_back().await;
    let open = unfinished(&arena.folder.path("copy"));
    let states: BTreeSet<&str> = open.values().map(String::as_str).collect();
    println!("{} of {BEFORE} were not over when the copy was made: {states:?}", open.len());
    assert!(states.contains("queued") && states.len() > 1, "{states:?}");
    let records = arena.records();

    // Until a person accepts it, nothing at all is done in the background.
    let before = contents(&arena.folder.path("data"));
    let gateway = arena.start("").await;
    let ready = gateway.call(Method::GET, "/readyz", None).await;
    assert_eq!(ready.body["missing"], json!(["audit_rollback"]), "{}", ready.text);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(gateway.submit(99).await.status, StatusCode::SERVICE_UNAVAILABLE);
    gateway.stop().await;
    assert!(contents(&arena.folder.path("data")) == before, "something was written");
    assert_eq!(arena.records(), records);

    let refused = arena.folder.portico(&["submissions", "release", "northstar", "--reason", "x"], "");
    assert!(refused.code == 2 && refused.err.contains("accept-rollback"), "{refused:?}");
    let told = arena.say(&["trail", "accept-rollback", "--reason", "the disk failed"]);
    for id in open.keys() {
        assert!(told.contains(id.as_str()), "{id} is not listed:\n{told}");
    }
    assert!(told.contains("same Idempotency-Key") && told.contains("practice default, carrier northstar"), "{told}");
    arena.say(&["trail", "verify"]);
    arena.say(&["vault", "verify"]);

    find_out(arena, &open, records, SINCE).await;
}

/// What the staff and the clients do then.
/// `lost`: what was handed in and is not in the data.
async fn find_out(arena: Arena, open: &BTreeMap<String, String>, records: BTreeMap<String, String>, lost: usize) {
    let gateway = arena.start("").await;
    let tried = gateway.call(Method::POST, "/v1/credentials/northstar/verify", None).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text);
    for id in open.keys() {
        let view = gateway.until_state(id, "accepted").await;
        let reference = view["reference"].as_str().unwrap();
        assert_eq!(view["receipt"]["reference"].as_str(), records.get(reference).map(String::as_str), "{view}");
        assert_eq!(view["attempts"].as_array().unwrap().last().unwrap()["outcome"], "confirmed_present", "{view}");
    }
    // Every client hands in again what it knows of, under its key.
    let mut unknown = Vec::new();
    for (number, id) in &arena.acknowledged {
        let again = gateway.submit(*number).await;
        assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.text);
        let told = again.body["id"].as_str().unwrap();
        if told != id {
            unknown.push(told.to_owned());
        }
    }
    assert_eq!(unknown.len(), lost);
    let holds = gateway.call(Method::GET, "/v1/holds", None).await;
    let hold = holds.body["holds"].as_array().unwrap().iter().find(|hold| hold["carrier"] == "northstar").unwrap();
    assert_eq!((&hold["reason"], &hold["unknown"], &hold["waiting"]), (&json!("restored"), &json!(0), &json!(lost)));
    let waiting: BTreeSet<&str> =
        hold["submissions"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(waiting, unknown.iter().map(String::as_str).collect());
    // A person finds them in the carrier's own list, takes them back here, and releases the carrier.
    for id in &unknown {
        assert_eq!(gateway.view(id).await["hold"], "restored");
        let back = gateway.call(Method::POST, &format!("/v1/authorizations/{id}/cancel"), None).await;
        assert_eq!(back.status, StatusCode::OK, "{}", back.text);
    }
    assert_eq!(arena.records(), records, "nothing is sent before the release");
    let path = "/v1/holds/northstar/release";
    let wrong = gateway.call(Method::POST, path, Some(json!({ "reason": " " }))).await;
    assert_eq!((wrong.status, &wrong.body["errors"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/reason")));
    let reason = json!({ "reason": "looked through their list" });
    let released = gateway.call(Method::POST, path, Some(reason)).await;
    assert_eq!((released.status, &released.body["changed"]), (StatusCode::OK, &json!(true)), "{}", released.text);
    let taken = gateway.submit(BEFORE + SINCE).await;
    gateway.until_state(taken.body["id"].as_str().unwrap(), "accepted").await;
    assert_eq!(arena.records().len(), BEFORE + SINCE + 1);
    gateway.stop().await;
    drop(arena.carriers);
}

/// Hands in, and makes a backup meanwhile; then lets everything be sent.
async fn backed_up() -> (Arena, PathBuf) {
    let mut arena = Arena::open();
    arena.say(&["submissions", "hold", "northstar", "--reason", "until all are here"]);
    let gateway = arena.start("").await;
    arena.submit(&gateway, 0..BEFORE / 2).await;
    let place = arena.folder.path("portico.backup");
    let (folder, file) = (&arena.folder, place.display().to_string());
    let mut taken = BTreeMap::new();
    std::thread::scope(|scope| {
        let made = scope.spawn(|| folder.portico(&["backup", &file], "").fine());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for number in BEFORE / 2..BEFORE {
                    let reply = gateway.submit(number).await;
                    taken.insert(number, reply.body["id"].as_str().unwrap().to_owned());
                }
            });
        });
        assert!(made.join().unwrap().contains("rows"));
    });
    arena.acknowledged.extend(taken);
    let released = json!({ "reason": "all are here" });
    let released = gateway.call(Method::POST, "/v1/holds/northstar/release", Some(released)).await;
    assert_eq!(released.status, StatusCode::OK, "{}", released.text);
    arena.submit(&gateway, BEFORE..BEFORE + SINCE).await;
    for id in arena.acknowledged.values() {
        gateway.until_state(id, "accepted").await;
    }
    gateway.stop().await;
    assert_eq!(arena.records().len(), BEFORE + SINCE);
    (arena, place)
}

/// Runs a command that a kill ends at a named place.
fn dies(folder: &Folder, arguments: &[&str], failpoint: &str) {
    let config = folder.path("gateway.toml").display().to_string();
    let mut command = crate::process::command(&[arguments, &["--config", &config]].concat());
    command.env("PORTICO_FAILPOINT", failpoint).env("TMPDIR", folder.path("tmp"));
    let ended = command.output().unwrap();
    assert!(ended.status.code().is_none(), "it was not killed: {}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_that_is_restored_elsewhere_doubles_nothing_and_says_what_to_find_out() {
    let (mut arena, place) = backed_up().await;
    let records = arena.records();
    let file = place.display().to_string();
    let exists = arena.folder.portico(&["backup", &file], "");
    assert!(exists.code == 2 && exists.err.contains("exists already"), "{exists:?}");
    let second = arena.folder.path("second.backup");
    dies(&arena.folder, &["backup", &second.display().to_string()], "backing_up=abort");
    assert!(!second.exists());
    arena.say(&["backup", &second.display().to_string()]);

    let elsewhere = Folder::new("[log]\nlevel = \"warn\"\n");
    for name in ["carriers", "keys"] {
        copy_dir(&arena.folder.path(name), &elsewhere.path(name));
    }
    let whole = std::fs::read(&place).unwrap();
    elsewhere.write("cut.backup", "");
    std::fs::write(elsewhere.path("cut.backup"), &whole[..whole.len() - 100]).unwrap();
    let cut = elsewhere.portico(&["restore", &elsewhere.path("cut.backup").display().to_string()], "");
    assert!(cut.code == 2 && cut.err.contains("changed or cut") && !elsewhere.path("data").exists(), "{cut:?}");
    dies(&elsewhere, &["restore", &file], "restoring=abort");
    let told = elsewhere.portico(&["restore", &file], "").fine();
    let open = unfinished(&elsewhere.path("data"));
    println!("{} were open in the backup", open.len());
    assert!(open.len() >= BEFORE / 2 && open.values().all(|state| state == "unknown"), "{open:?}");
    for id in open.keys() {
        assert!(told.contains(id.as_str()), "{id} is not listed:\n{told}");
    }
    let again = elsewhere.portico(&["restore", &file], "");
    assert!(again.code == 2 && again.err.contains("in use already"), "{again:?}");
    let lost = arena.acknowledged.values().filter(|id| !open.contains_key(*id)).count();
    let before = std::mem::replace(&mut arena.folder, elsewhere);
    arena.say(&["trail", "verify"]);
    arena.say(&["vault", "verify"]);
    find_out(arena, &open, records, lost).await;
    drop(before);
}
