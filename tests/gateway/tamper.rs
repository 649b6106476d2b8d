//! Tampering: every kind of edit of the paper trail (in the database) and of evidence packets (in their files) must be
//! found by `portico trail verify` and by `verify.py`, each without the other, and the first bad record be named.
//!
//! The short form makes a few hundred edits; the long one is asked for by their number:
//! `PORTICO_TAMPER_EDITS=10000 cargo test --release --test gateway -- tamper --nocapture`

#![allow(clippy::disallowed_methods, reason = "whoever tampers does not go through the store")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use http::Method;
use portico::packets;
use portico::practice::PracticeId;
use portico::store::Store;
use portico::trail::merkle::{Frontier, leaf, sha256};
use portico::trail::note::VerifierKey;
use portico::trail::{Actor, Trail, TrailRecord};
use portico::vault::Vault;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::process::run;
use crate::support::{Stand, ask};
use crate::trail::{config, copy_dir};

const PRACTICE: &str = "demo";
/// Edits when nothing else is asked for; half of the trail, half of packets.
const EDITS: usize = 240;
/// Edited copies that are handed to one run of Python.
const BATCH: usize = 40;

type Files = BTreeMap<String, Vec<u8>>;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end as u64).unwrap()
    }
}

/// A gateway's data, an older copy of it, and the packets that it made.
struct Scene {
    folder: tempfile::TempDir,
    records: u64,
    old_records: u64,
    packets: Vec<Vec<u8>>,
    key: String,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
        let stand = Stand::start_at(Some(folder.path())).await;
        let id = stand.ask(question.clone()).await.body["id"].as_str().unwrap().to_owned();
        for ask in
            [question.clone(), ask("hubline", "HUB-ACTIVE-EPO", "1974-05-27"), ask("northstar", "X", "1980-01-01")]
        {
            stand.ask(ask).await;
        }
        let mut packets = vec![packet(&stand, json!({ "ask": id, "why": "the carrier denies that it said so" })).await];
        for round in 0..8 {
            fill(&stand.house.app.trail, 35 + round).await;
            stand.house.app.trail.checkpoint().await.unwrap();
        }
        stand.stop().await;
        copy_dir(&folder.path().join("store"), &folder.path().join("old"));
        let stand = Stand::start_at(Some(folder.path())).await;
        stand.ask(question).await;
        stand.call(Method::GET, &format!("/v1/eligibility/{id}"), None).await;
        fill(&stand.house.app.trail, 20).await;
        let all = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" });
        packets.push(packet(&stand, all).await);
        let key = stand.house.app.trail.verifier_keys().await.unwrap().pop().unwrap();
        stand.stop().await;
        let (records, old_records) = (count(&folder.path().join("store")), count(&folder.path().join("old")));
        Self { folder, records, old_records, packets, key }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

async fn packet(stand: &Stand, about: Value) -> Vec<u8> {
    let reply = stand.call(Method::POST, "/v1/trail/packets", Some(about)).await;
    assert_eq!(reply.headers["content-type"], "application/zip", "{}", reply.text);
    reply.bytes.to_vec()
}

async fn fill(trail: &Trail, records: usize) {
    for _ in 0..records {
        let record = TrailRecord::new(&PracticeId::new(PRACTICE), &Actor::command_line(), "test.filler");
        trail.record(record).await.unwrap();
    }
}

fn database(store: &Path) -> Connection {
    let connection = Connection::open(store.join("portico.db")).unwrap();
    let triggers = "DROP TRIGGER IF EXISTS trail_is_not_edited; DROP TRIGGER IF EXISTS trail_is_not_erased;";
    connection.execute_batch(triggers).unwrap();
    connection
}

fn count(store: &Path) -> u64 {
    let sql = "SELECT count(*) FROM trail WHERE practice = ?1";
    Connection::open(store.join("portico.db")).unwrap().query_row(sql, [PRACTICE], |row| row.get::<_, i64>(0)).unwrap()
        as u64
}

// ---- edits of the trail: each returns the first record that no longer holds ----

type Edit = fn(&Connection, i64, i64, &mut Dice) -> i64;

fn set(db: &Connection, sql: &str, seq: i64) {
    assert!(db.execute(sql, params![PRACTICE, seq]).unwrap() > 0, "{sql}");
}

fn body(db: &Connection, seq: i64) -> String {
    db.query_row("SELECT body FROM trail WHERE practice = ?1 AND seq = ?2", params![PRACTICE, seq], |row| row.get(0))
        .unwrap()
}

fn modify(db: &Connection, k: i64, _: i64, dice: &mut Dice) -> i64 {
    let mut text = body(db, k).into_bytes();
    let place = dice.below(text.len());
    text[place] = if text[place] == b'x' { b'y' } else { b'x' };
    let text = String::from_utf8(text).unwrap();
    // A text that is no JSON is refused where columns are read out of it; then another kind of edit stands in for it.
    let sql = "UPDATE trail SET body = ?3 WHERE practice = ?1 AND seq = ?2";
    if serde_json::from_str::<Value>(&text).is_err() || db.execute(sql, params![PRACTICE, k, text]).is_err() {
        set(db, "UPDATE trail SET body = replace(body, '\"v\":1', '\"v\":2') WHERE practice = ?1 AND seq = ?2", k);
    }
    k
}

fn other_time(db: &Connection, k: i64, _: i64, _: &mut Dice) -> i64 {
    set(db, "UPDATE trail SET at = at + 1 WHERE practice = ?1 AND seq = ?2", k);
    k
}

fn other_chain(db: &Connection, k: i64, _: i64, _: &mut Dice) -> i64 {
    set(db, "UPDATE trail SET chain = zeroblob(32) WHERE practice = ?1 AND seq = ?2", k);
    k
}

fn delete(db: &Connection, k: i64, _: i64, dice: &mut Dice) -> i64 {
    let end = k + dice.below(4) as i64;
    db.execute("DELETE FROM trail WHERE practice = ?1 AND seq >= ?2 AND seq <= ?3", params![PRACTICE, k, end]).unwrap();
    k
}

fn insert(db: &Connection, k: i64, _: i64, _: &mut Dice) -> i64 {
    set(db, "UPDATE trail SET seq = seq + 1000001 WHERE practice = ?1 AND seq > ?2", k - 1);
    set(db, "UPDATE trail SET seq = seq - 1000000 WHERE practice = ?1 AND seq > ?2 + 1000000", k - 1);
    let sql = "INSERT INTO trail(practice, seq, at, body, chain, mac)
        SELECT practice, ?2, at, body, chain, mac FROM trail WHERE practice = ?1 AND seq = ?2 + 1";
    set(db, sql, k);
    // The copy stands where the record stood and is the same; what comes after it is not what should.
    k + 1
}

fn reorder(db: &Connection, k: i64, n: i64, _: &mut Dice) -> i64 {
    let k = k.min(n - 1);
    set(db, "UPDATE trail SET seq = 1000000 WHERE practice = ?1 AND seq = ?2", k);
    set(db, "UPDATE trail SET seq = ?2 WHERE practice = ?1 AND seq = ?2 + 1", k);
    set(db, "UPDATE trail SET seq = ?2 + 1 WHERE practice = ?1 AND seq = 1000000", k);
    k
}

fn truncate(db: &Connection, k: i64, n: i64, _: &mut Dice) -> i64 {
    let k = k.min(n - 1);
    set(db, "DELETE FROM trail WHERE practice = ?1 AND seq > ?2", k);
    k + 1
}

/// Cut, and the end put back to what it was then, with the best code there is without the key: the record's own.
fn rewind(db: &Connection, k: i64, n: i64, dice: &mut Dice) -> i64 {
    let k = k.min(n - 1);
    truncate(db, k, n, dice);
    let mut frontier = Frontier::default();
    for seq in 1..=k {
        frontier.push(leaf(body(db, seq).as_bytes()));
    }
    let sql = "UPDATE trail_head SET seq = ?2, frontier = ?3, chain = (SELECT chain FROM trail WHERE practice = ?1 AND seq = ?2),
        mac = (SELECT mac FROM trail WHERE practice = ?1 AND seq = ?2) WHERE practice = ?1";
    db.execute(sql, params![PRACTICE, k, frontier.bytes()]).unwrap();
    for table in [
        "trail_detail WHERE practice = ?1 AND seq",
        "trail_tile WHERE practice = ?1 AND (n + 1) * 256",
        "trail_checkpoint WHERE practice = ?1 AND size",
    ] {
        db.execute(&format!("DELETE FROM {table} > ?2"), params![PRACTICE, k]).unwrap();
    }
    k + 1
}

/// A record re-written, and chain, tree and end made to fit it by somebody who has no key.
fn rewrite(db: &Connection, k: i64, n: i64, _: &mut Dice) -> i64 {
    set(
        db,
        "UPDATE trail SET body = replace(body, '\"actor\":\"', '\"actor\":\"x') WHERE practice = ?1 AND seq = ?2",
        k,
    );
    let (mut frontier, mut chain) = (Frontier::default(), sha256(&[b"portico trail v1\0", PRACTICE.as_bytes()]));
    for seq in 1..=n {
        let leaf = leaf(body(db, seq).as_bytes());
        chain = sha256(&[&chain, &leaf]);
        if let Some(tile) = frontier.push(leaf) {
            let sql = "UPDATE trail_tile SET hash = ?3 WHERE practice = ?1 AND n = ?2";
            db.execute(sql, params![PRACTICE, seq / 256 - 1, tile]).unwrap();
        }
        if seq >= k {
            db.execute("UPDATE trail SET chain = ?3 WHERE practice = ?1 AND seq = ?2", params![PRACTICE, seq, chain])
                .unwrap();
        }
    }
    let sql = "UPDATE trail_head SET chain = ?2, frontier = ?3 WHERE practice = ?1";
    db.execute(sql, params![PRACTICE, chain, frontier.bytes()]).unwrap();
    k
}

const KINDS: &[(&str, Edit)] = &[
    ("modify", modify),
    ("modify time", other_time),
    ("modify chain", other_chain),
    ("delete", delete),
    ("insert", insert),
    ("reorder", reorder),
    ("truncate", truncate),
    ("rewind", rewind),
    ("rewrite", rewrite),
];

/// A copy of the data with one edit, and where its first bad record is.
struct Edited {
    kind: String,
    store: PathBuf,
    first: u64,
}

impl Scene {
    async fn edited(&self, number: usize, dice: &mut Dice) -> Edited {
        let store = self.at(&format!("edited-{number}"));
        let n = i64::try_from(self.records).unwrap();
        let k = 1 + dice.below(self.records as usize) as i64;
        match number % (KINDS.len() + 2) {
            place if place < KINDS.len() => {
                copy_dir(&self.at("store"), &store);
                let (kind, edit) = KINDS[place];
                let first = edit(&database(&store), k, n, dice);
                Edited { kind: format!("{kind} at {k}"), store, first: first as u64 }
            }
            place if place == KINDS.len() => {
                copy_dir(&self.at("old"), &store);
                Edited { kind: "put back to the snapshot".to_owned(), store, first: self.old_records + 1 }
            }
            _ => {
                copy_dir(&self.at("old"), &store);
                // Goes on from there with the true key, until it is as long as before or longer.
                let trail = self.open(&store).await;
                fill(&trail, (self.records - self.old_records) as usize + dice.below(30)).await;
                Edited { kind: "fork after the snapshot".to_owned(), store, first: self.old_records + 1 }
            }
        }
    }

    async fn open(&self, store: &Path) -> Arc<Trail> {
        let store = Store::open(store).unwrap();
        let vault = Vault::open(Arc::clone(&store), &self.at("vault.key")).await.unwrap();
        Trail::anchored(store, vault, &self.at("anchors")).unwrap()
    }
}

/// Runs `verify.py` once for each line of arguments, in one process; exit code and output of each.
fn python(folder: &Path, calls: &[Value]) -> Vec<(i64, String)> {
    const DRIVER: &str = "import sys, json, io, contextlib, importlib.util\n\
        spec = importlib.util.spec_from_file_location('verify', sys.argv[1])\n\
        verify = importlib.util.module_from_spec(spec)\n\
        spec.loader.exec_module(verify)\n\
        for line in sys.stdin:\n\
        \x20   out = io.StringIO()\n\
        \x20   with contextlib.redirect_stdout(out):\n\
        \x20       code = verify.main(json.loads(line))\n\
        \x20   print(json.dumps([code, out.getvalue()]))\n";
    let program = folder.join("verify.py");
    std::fs::write(&program, packets::VERIFIER).unwrap();
    let mut command = Command::new("python3");
    command.args(["-B", "-c", DRIVER]).arg(&program).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3, which tests/need installs");
    let lines: String = calls.iter().map(|call| format!("{call}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let ended: Vec<(i64, String)> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ended.len(), calls.len(), "verify.py went away: {text}");
    ended
}

/// The range in which `verify.py` puts the first bad record of the practice's trail.
fn python_names(out: &str) -> Option<(u64, u64)> {
    let line = out.lines().find(|line| line.contains(&format!("trail of {PRACTICE} record ")))?;
    let first: u64 = line.split("record ").nth(1)?.split(':').next()?.parse().ok()?;
    let last = line.split(" to ").nth(1).and_then(|rest| rest.trim_end_matches(')').parse().ok());
    Some((first, last.unwrap_or(first)))
}

#[tokio::test]
async fn tamper_every_edit_is_found_twice_and_named() {
    let edits = std::env::var("PORTICO_TAMPER_EDITS").ok().and_then(|n| n.parse().ok()).unwrap_or(EDITS);
    let scene = Scene::new().await;
    untouched(&scene).await;
    let of_trail = trail_edits(&scene, edits / 2).await;
    let of_packets = packet_edits(&scene, edits - edits / 2);
    println!(
        "tamper: {of_trail} edits of the trail and {of_packets} of packets, all found by both, the first bad record named"
    );
}

/// What was not edited holds, by both programs, and from the command line.
async fn untouched(scene: &Scene) {
    let config = config(scene.folder.path());
    let ended = run(&["trail", "verify", "--json", "--config", &config], b"", &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let anchors = scene.at("anchors").display().to_string();
    let mut calls = vec![json!(["--data", scene.at("store"), "--anchors", anchors, "--key", scene.key])];
    for (place, packet) in scene.packets.iter().enumerate() {
        let path = scene.at(&format!("packet-{place}.zip"));
        std::fs::write(&path, packet).unwrap();
        let ended = run(&["trail", "verify", &path.display().to_string(), "--key", &scene.key], b"", &[]);
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        calls.push(json!([path, "--anchors", anchors, "--key", scene.key]));
    }
    for (code, out) in python(scene.folder.path(), &calls) {
        assert!(code == 0 && out.contains("WHOLE"), "{out}");
    }
    // The packet's files as a folder, as somebody would unpack it, checked by its own verifier.
    let unpacked = scene.at("unpacked");
    for (name, bytes) in unzip(&scene.packets[1]) {
        let path = unpacked.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let ended = Command::new("python3").arg("-B").arg(unpacked.join("verify.py")).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}

async fn trail_edits(scene: &Scene, edits: usize) -> usize {
    let mut dice = Dice(20_261_123);
    let mut done = 0;
    while done < edits {
        let mut batch = Vec::new();
        for number in done..edits.min(done + BATCH) {
            let edited = scene.edited(number, &mut dice).await;
            let found = scene.open(&edited.store).await.verify_all().await.unwrap();
            let problem = found.problems.iter().find(|p| p.practice.as_ref().is_some_and(|p| p.as_str() == PRACTICE));
            let named = problem.and_then(|p| Some((p.first?, p.last.or(p.first)?)));
            // An end that was forged after a record is told as that record's.
            let forged_end = u64::from(edited.kind.starts_with("rewind"));
            let right = named.is_some_and(|(first, last)| first <= edited.first && edited.first <= last + forged_end);
            assert!(right, "{}: {} was to be named: {:?}", edited.kind, edited.first, found.problems);
            batch.push(edited);
        }
        let anchors = scene.at("anchors");
        let calls: Vec<Value> =
            batch.iter().map(|e| json!(["--data", e.store, "--anchors", anchors, "--key", scene.key])).collect();
        for (edited, (code, out)) in batch.iter().zip(python(scene.folder.path(), &calls)) {
            let right = python_names(&out).is_some_and(|(first, last)| first <= edited.first && edited.first <= last);
            assert!(code == 1 && right, "{}: verify.py was to name {}: {code} {out}", edited.kind, edited.first);
        }
        done += batch.len();
        for edited in batch {
            std::fs::remove_dir_all(edited.store).unwrap();
        }
    }
    done
}

// ---- edits of packets ----

fn unzip(packet: &[u8]) -> Files {
    let mut archive = ZipArchive::new(Cursor::new(packet)).unwrap();
    (0..archive.len())
        .map(|place| {
            let mut entry = archive.by_index(place).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn zipped(files: &Files) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Makes the list of files fit again, as a careful forger would.
fn mend_list(files: &mut Files) {
    let hex = |bytes: &[u8]| sha256(&[bytes]).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let kept = files.iter().filter(|(name, _)| *name != "sha256sums" && *name != "packet.note");
    let list: String = kept.map(|(name, bytes)| format!("{}  {name}\n", hex(bytes))).collect();
    files.insert("sha256sums".to_owned(), list.into_bytes());
}

/// The record that the file is about at this place, where it is about one.
fn record_at(files: &Files, name: &str, place: usize) -> Option<u64> {
    let records: Vec<Value> =
        files["records.jsonl"].split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    if name == "records.jsonl" {
        let line = files[name][..place].iter().filter(|byte| **byte == b'\n').count();
        return records[line]["seq"].as_u64();
    }
    let kind = name.split_once('/').map(|(folder, _)| folder.trim_end_matches('s'))?;
    let ask = name.split_once('/')?.1.strip_suffix(".json")?;
    let details: Vec<Value> = serde_json::from_slice(&files["details.json"]).unwrap();
    records.iter().find_map(|record| {
        let seq = record["seq"].as_u64()?;
        let detail = details.iter().find(|detail| detail["seq"].as_u64() == Some(seq))?;
        let said: Value = serde_json::from_str(detail["text"].as_str()?).ok()?;
        (record["ask_id"] == ask && said[kind].is_object()).then_some(seq)
    })
}

/// One edit of one file; what was done, and the record that must be named.
fn edit_packet(files: &mut Files, number: usize, dice: &mut Dice) -> (String, Option<u64>) {
    let names: Vec<String> = files.keys().cloned().collect();
    let name = names[number % names.len()].clone();
    let length = files[&name].len();
    let place = if length == 0 { 0 } else { dice.below(length) };
    let record = if length == 0 { None } else { record_at(files, &name, place) };
    let mut bytes = files.remove(&name).unwrap();
    let kind = if length == 0 { 1 } else { (number / names.len()) % 5 };
    let what = match kind {
        0 => {
            bytes[place] ^= 1 << dice.below(8);
            "bit flipped"
        }
        1 => {
            bytes.insert(place, b' ');
            "byte put in"
        }
        2 => {
            bytes.remove(place);
            "byte taken out"
        }
        3 => {
            bytes.truncate(place);
            "cut"
        }
        _ => {
            files.insert(format!("{name}.more"), bytes.clone());
            bytes[place] ^= 1;
            "file put in, bit flipped"
        }
    };
    // A record that is cut or blank at its very end says the same: only the list and its signature know.
    let named = record.filter(|_| name != "records.jsonl" || kind == 0);
    files.insert(name.clone(), bytes);
    if number % 2 == 1 && name != "sha256sums" && name != "packet.note" {
        mend_list(files);
    }
    (format!("{name}: {what} at {place}"), named)
}

/// Edits that keep every file readable: what a forger would do.
fn forge(files: &mut Files, number: usize, dice: &mut Dice) -> (String, Option<u64>) {
    let mut details: Vec<Value> = serde_json::from_slice(&files["details.json"]).unwrap();
    let mut proofs: Value = serde_json::from_slice(&files["proofs.json"]).unwrap();
    let lines: Vec<String> =
        String::from_utf8(files["records.jsonl"].clone()).unwrap().lines().map(str::to_owned).collect();
    let seq = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64();
    let line = dice.below(lines.len());
    let item = dice.below(details.len());
    let (what, record) = match number % 6 {
        0 => {
            let text = details[item]["text"].as_str().unwrap().replacen("\":", "\": ", 1);
            details[item]["text"] = json!(text);
            ("a detail re-written", details[item]["seq"].as_u64())
        }
        1 => ("a detail taken out", details.remove(item)["seq"].as_u64()),
        2 => {
            proofs["records"][line]["path"][0] = json!("00".repeat(32));
            ("a proof re-written", seq(&lines[line]))
        }
        3 => {
            proofs["records"].as_array_mut().unwrap().remove(line);
            let kept: Vec<&String> =
                lines.iter().enumerate().filter(|(n, _)| *n != line).map(|(_, line)| line).collect();
            files.insert(
                "records.jsonl".to_owned(),
                kept.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes(),
            );
            // Whoever takes out record, proof and detail leaves a smaller packet that holds; the list's signature tells.
            details.retain(|detail| detail["seq"].as_u64() != seq(&lines[line]));
            ("a record taken out with its proof", None)
        }
        4 => {
            let forged = lines[line].replacen("\"actor\":\"", "\"actor\":\"x", 1);
            let all = lines
                .iter()
                .enumerate()
                .map(|(n, old)| if n == line { format!("{forged}\n") } else { format!("{old}\n") });
            files.insert("records.jsonl".to_owned(), all.collect::<String>().into_bytes());
            ("a record re-written", seq(&lines[line]))
        }
        _ => {
            let other = (line + 1) % lines.len();
            let mut swapped = lines.clone();
            swapped.swap(line, other);
            files.insert(
                "records.jsonl".to_owned(),
                swapped.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes(),
            );
            // A single record swaps with itself: then only the list's signature is wrong.
            ("two records swapped", seq(&lines[line]).min(seq(&lines[other])).filter(|_| other != line))
        }
    };
    files.insert("details.json".to_owned(), serde_json::to_vec(&details).unwrap());
    files.insert("proofs.json".to_owned(), serde_json::to_vec(&proofs).unwrap());
    mend_list(files);
    (what.to_owned(), record)
}

fn packet_edits(scene: &Scene, edits: usize) -> usize {
    let mut dice = Dice(4);
    let whole: Vec<Files> = scene.packets.iter().map(|packet| unzip(packet)).collect();
    let key = VerifierKey::read(&scene.key).unwrap();
    let mut done = 0;
    while done < edits {
        let mut batch = Vec::new();
        for number in done..edits.min(done + BATCH) {
            let mut files = whole[if number % 4 == 0 { number / 4 % 2 } else { number % 2 }].clone();
            let (what, record) = match number % 4 {
                0 => forge(&mut files, number / 4, &mut dice),
                _ => edit_packet(&mut files, number, &mut dice),
            };
            let packet = zipped(&files);
            let report = packets::verify(&packet, Some(&key)).unwrap();
            assert!(!report.problems.is_empty(), "{what}: not found");
            assert!(
                record.is_none() || report.first_bad() == record,
                "{what}: {record:?} was to be named: {:?}",
                report.problems
            );
            let path = scene.at(&format!("edited-{number}.zip"));
            std::fs::write(&path, packet).unwrap();
            batch.push((what, record, path));
        }
        let calls: Vec<Value> = batch.iter().map(|(_, _, path)| json!([path, "--key", scene.key])).collect();
        for ((what, record, path), (code, out)) in batch.iter().zip(python(scene.folder.path(), &calls)) {
            let named = record.is_none_or(|seq| out.contains(&format!("The first bad record is {seq}.")));
            assert!(code == 1 && named, "{what}: verify.py was to name {record:?}: {code} {out}");
            std::fs::remove_file(path).unwrap();
        }
        done += batch.len();
    }
    done
}
