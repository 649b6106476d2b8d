//! A backup from either database is restored into the other by the program itself: SQLite into PostgreSQL and back. What
//! was answered is answered alike, trail and vault hold, and what may have been sent since is listed and held.
//!
//! Needs `tests/postgres`; without a server it says that it tried nothing.

use std::time::Duration;

use http::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::process::{Folder, Gateway};
use crate::submissions::ask;
use crate::support::{self, send_with};
use crate::trail::copy_dir;

/// A new database in the tests' server, as a configuration names it.
fn database() -> Option<String> {
    let Ok(server) = std::env::var("PORTICO_TEST_POSTGRES") else {
        println!("not tried: no PostgreSQL server here (tests/postgres starts one)");
        return None;
    };
    let name = format!("across_{}", uuid::Uuid::now_v7().simple());
    let (connect, make) = (server.clone(), format!("CREATE DATABASE {name}"));
    let made = std::thread::spawn(move || {
        postgres::Client::connect(&connect, postgres::NoTls).unwrap().batch_execute(&make).unwrap();
    });
    made.join().unwrap();
    Some(server.replace("dbname=postgres", &format!("dbname={name}")))
}

/// What callers see of everything that is over: it must not change by a restore.
async fn seen(gateway: &Gateway, key: &str, asked: &[String], handed_in: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for id in asked {
        for path in [format!("/v1/eligibility/{id}"), format!("/v1/eligibility/{id}/raw")] {
            let reply = gateway.call(key, Method::GET, &path, None).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
            all.push(reply.body);
        }
    }
    for id in handed_in {
        let reply = gateway.call(key, Method::GET, &format!("/v1/authorizations/{id}"), None).await;
        assert_eq!(reply.body["submission"]["state"], "accepted", "{}", reply.text);
        all.push(reply.body);
    }
    all
}

/// The exchanges and messages of one submission, from an evidence packet.
async fn messages(gateway: &Gateway, key: &str, id: &str) -> Vec<(String, Vec<u8>)> {
    let about = json!({ "submission": id });
    let reply = gateway.call(key, Method::POST, "/v1/trail/packets", Some(&about)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let report = portico::packets::verify(&reply.bytes, None).unwrap();
    assert_eq!(report.problems, []);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(reply.bytes)).unwrap();
    let mut found = Vec::new();
    for place in 0..archive.len() {
        let (mut entry, mut bytes) = (archive.by_index(place).unwrap(), Vec::new());
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name.contains('/') {
            found.push((name, bytes));
        }
    }
    found
}

async fn hand_in(gateway: &Gateway, key: &str, number: usize) -> String {
    let (name, body) = (format!("across-{number}"), serde_json::to_vec(&ask(&format!("NSH-{number}"))).unwrap());
    let headers = [("idempotency-key", name.as_str())];
    let path = "/v1/authorizations";
    let taken = send_with(&gateway.address, Some(key), &headers, Method::POST, path, body).await.unwrap();
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    taken.body["id"].as_str().unwrap().to_owned()
}

async fn until_accepted(gateway: &Gateway, key: &str, id: &str) {
    let look = async {
        loop {
            let view = gateway.call(key, Method::GET, &format!("/v1/authorizations/{id}"), None).await;
            if view.body["submission"]["state"] == "accepted" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::process::PATIENCE, look).await.expect("it is not accepted");
}

/// Restores into a new place; everything must hold there, and what waited be told.
fn restored(from: &Folder, backup: &str, store: &str, waiting: &[String]) -> Folder {
    let to = Folder::new(&format!("[log]\nlevel = \"warn\"\n{store}"));
    for name in ["carriers", "keys"] {
        copy_dir(&from.path(name), &to.path(name));
    }
    let told = to.portico(&["restore", backup], "").fine();
    for id in waiting {
        assert!(told.contains(id.as_str()), "{id} is not listed:\n{told}");
    }
    to.portico(&["vault", "verify"], "").fine();
    let whole = to.portico(&["trail", "verify"], "").fine();
    assert!(whole.contains("default: ") && !whole.contains("NOT WHOLE"), "{whole}");
    let holds: Value = serde_json::from_str(&to.portico(&["submissions", "holds", "--json"], "").fine()).unwrap();
    let northstar = holds.as_array().unwrap().iter().find(|hold| hold["carrier"] == "northstar").unwrap();
    assert_eq!((&northstar["reason"], &northstar["unknown"]), (&json!("restored"), &json!(waiting.len())));
    to
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_goes_from_one_database_into_the_other_and_back() {
    let Some(server) = database() else { return };
    let receipts = tempfile::tempdir().unwrap();
    let log = receipts.path().join("receipts.jsonl");
    let sandbox = Sandbox::start(SandboxConfig { receipts: Some(log.clone()), ..Default::default() }).await.unwrap();
    let first = Folder::for_sandbox(&sandbox, "[log]\nlevel = \"warn\"\n");
    let key = first.key();
    let gateway = first.serve();
    let mut asked = Vec::new();
    for question in [
        support::ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12"),
        support::ask("hubline", "HUB-ACTIVE-EPO", "1974-05-27"),
        support::ask("northstar", "NSH-NOBODY", "1980-01-01"),
    ] {
        let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question)).await;
        asked.push(reply.body["id"].as_str().unwrap().to_owned());
    }
    let mut handed_in = Vec::new();
    for number in 0..2 {
        handed_in.push(hand_in(&gateway, &key, number).await);
        until_accepted(&gateway, &key, &handed_in[number]).await;
    }
    first.portico(&["submissions", "hold", "northstar", "--reason", "the backup comes"], "").fine();
    let mut waiting = Vec::new();
    for number in 2..5 {
        waiting.push(hand_in(&gateway, &key, number).await);
    }
    let backup = first.path("first.backup").display().to_string();
    first.portico(&["backup", &backup], "").fine();
    let (before, told) =
        (seen(&gateway, &key, &asked, &handed_in).await, messages(&gateway, &key, &handed_in[0]).await);
    assert!(told.len() >= 4, "{told:?}");
    assert_eq!(gateway.stop(), 0);

    let store = format!("[store]\npostgres = {server:?}\n");
    let second = restored(&first, &backup, &store, &waiting);
    assert!(!second.path("data/portico.db").exists(), "the tables are in PostgreSQL");
    let again = second.portico(&["restore", &backup], "");
    assert!(again.code == 2 && again.err.contains("in use already"), "{again:?}");
    let gateway = second.serve();
    assert_eq!(seen(&gateway, &key, &asked, &handed_in).await, before);
    assert_eq!(messages(&gateway, &key, &handed_in[0]).await, told);
    let back = second.path("second.backup").display().to_string();
    second.portico(&["backup", &back], "").fine();
    assert_eq!(gateway.stop(), 0);

    let third = restored(&second, &back, "", &waiting);
    assert!(third.path("data/portico.db").exists());
    let gateway = third.serve();
    assert_eq!(seen(&gateway, &key, &asked, &handed_in).await, before);
    assert_eq!(messages(&gateway, &key, &handed_in[0]).await, told);
    assert_eq!(gateway.stop(), 0);
    let sent = std::fs::read_to_string(&log).unwrap();
    assert_eq!(sent.lines().filter(|line| line.contains("\"received\"")).count(), handed_in.len(), "{sent}");
    sandbox.shutdown().await;
}
