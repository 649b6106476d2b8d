//! No patient data and no secret leaves by a side door. The real program runs at TRACE; planted values go in at every
//! door, of the API and of the pages; everybody the simulated carriers know is asked about, so that questions are answered,
//! refused and failed in every way; bad requests and credentials are sent. Then logs, metrics, errors, refusals, addresses,
//! events, deliveries and every file that was written are searched, in ten encodings, for what was planted, for what the
//! gateway made and for what was heard on the lines to carriers.

mod certificate;
mod desk;
mod needles;
mod planted;
mod tap;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use http::{Method, StatusCode};
use sandbox::people::{Person, insured_by};
use sandbox::{CARRIERS, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::process::{Folder, Gateway, files_below};
use crate::support::Reply;
use needles::Needles;
use planted::Handed;
use tap::Tap;

/// A birthday that nobody has, asked about to be refused.
const WRONG_BIRTHDAY: &str = "1977-07-17";
/// A password that is wrong.
const WRONG_PASSWORD: &str = "Zanzibar-Wrong-&-Loud<7>";
/// What is put where it does not belong.
const MISPLACED: &str = "QUIXOTE-ZWEIBRUECKEN";

/// The vault's passphrase, set and used while the gateway runs.
const PASSPHRASE: &str = "Quokka-Ladder-&-Violet-Stone<9>";

/// What is searched: where it is from, and its bytes.
type Hay = (String, Vec<u8>);

/// A place that is searched: its name, and what gives its bytes.
type Place = (&'static str, fn(&Folder) -> Vec<Hay>);

/// Places where the gateway leaves something behind, each searched while it runs and again after it has stopped. A new
/// kind of file (a backup, a packet of evidence) is one line here: what makes it, and gives its bytes.
const PLACES: [Place; 5] = [
    ("store, with its log while it runs", |folder| below(folder, "data")),
    ("keys", |folder| below(folder, "keys")),
    ("temporary files", |folder| below(folder, "tmp")),
    ("what the operator's commands say", commands),
    ("backup", backup),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_of_patients_and_secrets_is_in_logs_metrics_errors_and_files() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let (folder, taps) = tapped(&sandbox).await;
    let key = folder.key();
    let mut handed = Handed::default();
    planted::copies(&folder, &mut handed);
    let client = certificate::copy(&folder, &mut handed);
    let gateway = Arc::new(folder.serve());
    planted::hand_in(&folder, (&gateway, &key), &mut handed).await;
    certificate::hand_in((&gateway, &key), client, &mut handed).await;
    let replies = ask_about_everybody(&gateway, &key).await;
    let mut errors: Vec<Hay> = Vec::new();
    let mut answers: Vec<Hay> = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut slowest = (0, String::new());
    for (question, reply) in replies {
        *counts.entry(reply.outcome().to_owned()).or_default() += 1;
        slowest = slowest.max((reply.body["timing"]["total_ms"].as_u64().unwrap_or_default(), question.clone()));
        if let Some(id) = reply.body["id"].as_str() {
            let raw = gateway.call(&key, Method::GET, &format!("/v1/eligibility/{id}/raw"), None).await;
            if raw.status == StatusCode::OK {
                answers.push((format!("raw of {question}"), raw.text.into_bytes()));
            }
        }
        let place = if reply.outcome() == "answered" { &mut answers } else { &mut errors };
        place.push((format!("reply to {question}"), reply.text.into_bytes()));
    }
    println!("outcomes: {counts:?}; {} exchanges; slowest {slowest:?}", answers.len() - counts["answered"]);
    // Which ends a faulty carrier leads to depends on the order of its faults; there must be many of each.
    assert!(["answered", "refused", "failed"].iter().all(|outcome| counts[*outcome] >= 15), "{counts:?}");
    errors.extend(misuse(&gateway, &key).await);
    for path in ["/metrics", "/readyz", "/v1/trail?limit=500", "/v1/credentials"] {
        errors.push((path.to_owned(), gateway.call(&key, Method::GET, path, None).await.text.into_bytes()));
    }
    let (recovery_code, said) = exchange_keys(&folder);
    errors.extend(said);
    errors.extend(files(&folder));
    let gateway = Arc::into_inner(gateway).unwrap();
    gateway.signal("HUP");
    let log = stopped(gateway).await;
    planted::after_the_end(&folder, &mut handed);
    errors.extend(files(&folder));
    planted::all_were_handed_in(&handed, &taps.iter().flat_map(Tap::lines).collect::<Vec<_>>());
    errors.append(&mut handed.clean);
    answers.append(&mut handed.meant);
    the_hay_is_what_it_should_be(&log, &errors);
    errors.push(("log".to_owned(), log));

    let mut needles = secrets(&folder, &key, &taps);
    needles.add("passphrase", PASSPHRASE);
    needles.add("recovery code", &recovery_code);
    recovery_code.split('-').for_each(|group| needles.add("recovery code", group));
    planted::secrets(&mut needles);
    handed.made.iter().for_each(|(what, word)| needles.add(what, word));
    let mut found = search(&needles, &answers);
    found.extend(search(&needles, &cassettes()));
    // Answers and exchanges are about patients, and a page is kept with its hidden fields; nothing else may hold them.
    patients(&mut needles);
    planted::patients(&mut needles);
    heard(&mut needles, &taps, |what| what == "hidden field");
    println!("{} needles; {} hays", needles.len(), errors.len() + answers.len());
    found.extend(search(&needles, &errors));
    println!("{} found", found.len());
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
    the_search_is_not_blind(&folder, &needles);
    sandbox.shutdown().await;
}

/// A folder whose carrier files lead through taps.
async fn tapped(sandbox: &Sandbox) -> (Folder, Vec<Tap>) {
    let folder = Folder::new("[log]\nlevel = \"trace\"\n[webhooks]\nallow_private = [\"127.0.0.0/8\"]\n");
    let mut taps = Vec::new();
    for (id, address) in sandbox.addresses() {
        let tap = Tap::before(*address).await;
        // Carriers that never answer may be given up sooner here.
        let text = sandbox::carrier_file(id, tap.address)
            .unwrap()
            .replace("attempt_timeout_secs = 10\ndeadline_secs = 15", "attempt_timeout_secs = 5\ndeadline_secs = 8");
        folder.write(&format!("carriers/{id}.toml"), &text);
        taps.push(tap);
    }
    folder.enter_credentials();
    (folder, taps)
}

/// Everybody at every carrier, with the right birthday and a wrong one; dependents too.
async fn ask_about_everybody(gateway: &Arc<Gateway>, key: &str) -> Vec<(String, Reply)> {
    let mut asking = JoinSet::new();
    for carrier in CARRIERS {
        for person in insured_by(carrier) {
            let mut asks = vec![question(carrier, &person, person.date_of_birth)];
            if carrier != "molasses" {
                asks.push(question(carrier, &person, WRONG_BIRTHDAY));
            }
            for dependent in &person.dependents {
                let mut ask = question(carrier, &person, person.date_of_birth);
                let relationship = if dependent.relationship == "19" { "child" } else { "spouse" };
                ask["dependent"] = json!({
                    "first_name": dependent.first_name, "last_name": dependent.last_name,
                    "date_of_birth": dependent.date_of_birth, "relationship": relationship
                });
                asks.push(ask);
            }
            for ask in asks {
                let (gateway, key) = (Arc::clone(gateway), key.to_owned());
                let name = format!("{carrier} {}", person.member_id);
                asking.spawn(
                    async move { (name, gateway.call(&key, Method::POST, "/v1/eligibility", Some(&ask)).await) },
                );
            }
        }
    }
    asking.join_all().await
}

fn question(carrier: &str, person: &Person, born: &str) -> Value {
    json!({
        "carrier": carrier,
        "provider": { "npi": "1234567893" },
        "member": {
            "member_id": person.member_id, "first_name": person.first_name, "last_name": person.last_name,
            "date_of_birth": born
        },
        "service": { "types": ["98"] }
    })
}

/// Requests that are wrong, with a canary wherever one fits; what came back.
async fn misuse(gateway: &Gateway, key: &str) -> Vec<Hay> {
    let good = || question("northstar", &insured_by("northstar")[0], "1984-03-12");
    let put = |pointer: &str, value: Value| {
        let mut ask = good();
        *ask.pointer_mut(pointer).unwrap() = value;
        ask.to_string()
    };
    let ask = "/v1/eligibility";
    let credentials = "/v1/credentials/northstar";
    let (get, post, store) = (Method::GET, Method::POST, Method::PUT);
    let cases = [
        (post.clone(), ask.to_owned(), put("/carrier", json!(MISPLACED))),
        (post.clone(), ask.to_owned(), put("/provider/npi", json!(MISPLACED))),
        (post.clone(), ask.to_owned(), put("/member/date_of_birth", json!("02/30/1977"))),
        (post.clone(), ask.to_owned(), put("/member/date_of_birth", json!(MISPLACED))),
        (post.clone(), ask.to_owned(), put("/member/last_name", json!(format!("{MISPLACED}\u{7}")))),
        (post.clone(), ask.to_owned(), put("/member/last_name", json!([MISPLACED]))),
        (post.clone(), ask.to_owned(), put("/member", json!(MISPLACED))),
        (post.clone(), ask.to_owned(), put("/service/types", json!([MISPLACED, "30"]))),
        (post.clone(), ask.to_owned(), put("/service", json!({ "date": MISPLACED }))),
        (post.clone(), ask.to_owned(), good().to_string().replace("\"member\"", &format!("{MISPLACED} \"member\""))),
        (post.clone(), ask.to_owned(), format!("\"{MISPLACED}")),
        (post.clone(), format!("{ask}?wait_ms={MISPLACED}"), good().to_string()),
        (get.clone(), format!("{ask}/{MISPLACED}"), String::new()),
        (get.clone(), format!("{ask}/{MISPLACED}/raw"), String::new()),
        (get.clone(), format!("/v1/carriers/{MISPLACED}"), String::new()),
        (get.clone(), format!("/v1/carriers?q={MISPLACED}"), String::new()),
        (get, format!("/{MISPLACED}"), String::new()),
        (store.clone(), credentials.to_owned(), json!({ "fields": { "password": WRONG_PASSWORD } }).to_string()),
        (store.clone(), credentials.to_owned(), json!({ "fields": { WRONG_PASSWORD: "x" } }).to_string()),
        (store.clone(), credentials.to_owned(), json!({ "password": WRONG_PASSWORD }).to_string()),
        (store.clone(), credentials.to_owned(), format!("{{\"fields\": {{\"password\": {WRONG_PASSWORD}")),
        (store, format!("/v1/credentials/{MISPLACED}"), json!({ "fields": {} }).to_string()),
    ];
    let mut said = Vec::new();
    for (place, (method, path, body)) in cases.into_iter().enumerate() {
        let reply = gateway.send(key, method.clone(), &path, body.into_bytes()).await.unwrap();
        let search = path.starts_with("/v1/carriers?");
        assert_eq!(reply.status.is_success(), search, "case {place} {method} {path}: {}", reply.text);
        said.push((format!("reply to misuse {place}, {method} {path}"), reply.text.into_bytes()));
    }
    let wrong_key = format!("pk_live_{MISPLACED}");
    let reply = gateway.call(&wrong_key, Method::GET, "/v1/carriers", None).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    said.push(("reply to a wrong key".to_owned(), reply.text.into_bytes()));
    said.extend(a_wrong_password(gateway, key).await);
    said
}

/// Stored, used once, refused by the carrier, stopped.
async fn a_wrong_password(gateway: &Gateway, key: &str) -> Vec<Hay> {
    let fields = json!({ "fields": { "username": "nsh-practice", "password": WRONG_PASSWORD } });
    let stored = gateway.call(key, Method::PUT, "/v1/credentials/northstar", Some(&fields)).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    let mut anew = question("northstar", &insured_by("northstar")[0], "1984-03-12");
    anew["max_age_secs"] = json!(0);
    let mut rejected = gateway.call(key, Method::POST, "/v1/eligibility", Some(&anew)).await;
    // The troubles that were asked for before may have opened the circuit; it lets a question through after a while.
    for _ in 0..180 {
        if rejected.body["failure"]["kind"] != "circuit_open" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        rejected = gateway.call(key, Method::POST, "/v1/eligibility", Some(&anew)).await;
    }
    assert_eq!(rejected.body["failure"]["kind"], "credential_rejected", "{}", rejected.text);
    let stopped = gateway.call(key, Method::POST, "/v1/eligibility", Some(&anew)).await;
    assert_eq!(stopped.outcome(), "failed", "{}", stopped.text);
    [("stored", stored), ("rejected", rejected), ("stopped", stopped)]
        .map(|(name, reply)| (format!("wrong password, {name}"), reply.text.into_bytes()))
        .to_vec()
}

/// Everything in the places, each of which is named.
fn files(folder: &Folder) -> Vec<Hay> {
    PLACES
        .iter()
        .flat_map(|(name, hays)| hays(folder).into_iter().map(move |(of, hay)| (format!("{name}: {of}"), hay)))
        .collect()
}

fn below(folder: &Folder, name: &str) -> Vec<Hay> {
    // A file of the store may go away between the listing and the reading; a socket has no bytes.
    let read = |path: std::path::PathBuf| Some((path.display().to_string(), std::fs::read(&path).ok()?));
    files_below(&folder.path(name)).into_iter().filter_map(read).collect()
}

/// A new backup, and what the command says.
fn backup(folder: &Folder) -> Vec<Hay> {
    let place = folder.path("portico.backup");
    let _ = std::fs::remove_file(&place);
    let said = folder.portico(&["backup", &place.display().to_string()], "").fine();
    vec![("portico backup".to_owned(), said.into_bytes()), ("the file".to_owned(), std::fs::read(place).unwrap())]
}

/// Lists and checks, by way of the running gateway or without one.
fn commands(folder: &Folder) -> Vec<Hay> {
    [["vault", "verify"], ["vault", "list"], ["keys", "list"]]
        .map(|command| {
            let ended = folder.portico(&command, "");
            (format!("portico {}", command.join(" ")), [ended.out, ended.err].concat().into_bytes())
        })
        .to_vec()
}

/// Exchanges whatever can be exchanged, under the running gateway; the recovery code, whose file is then taken away.
fn exchange_keys(folder: &Folder) -> (String, Vec<Hay>) {
    let kit = folder.path("kit");
    let kit_name = kit.display().to_string();
    let passphrase = format!("{PASSPHRASE}\n");
    let said = [
        (vec!["vault", "rotate", "passphrase"], passphrase.as_str()),
        (vec!["vault", "rotate", "recovery", "--recovery-file", &kit_name], ""),
        (vec!["vault", "rotate", "keys"], ""),
        (vec!["vault", "rotate", "key-file"], ""),
        (vec!["vault", "verify"], ""),
        // Refused: the passphrase is wrong, the code is none.
        (vec!["vault", "rotate", "passphrase"], "short\n"),
        (vec!["vault", "rotate", "recovery", "--recovery-file", &kit_name], ""),
    ]
    .map(|(command, input)| {
        let ended = folder.portico(&command, input);
        (command.join(" "), [ended.out, ended.err].concat().into_bytes())
    });
    let code = std::fs::read_to_string(&kit).unwrap();
    std::fs::remove_file(kit).unwrap();
    (code.trim().to_owned(), said.to_vec())
}

/// The carriers' recorded exchanges that are kept with the connectors.
fn cassettes() -> Vec<Hay> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
    let kept =
        files_below(&root).into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "cassettes"));
    let hays: Vec<Hay> = kept.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    assert!(hays.len() >= 3, "{} cassettes", hays.len());
    hays
}

async fn stopped(gateway: Gateway) -> Vec<u8> {
    let (code, log) = tokio::task::spawn_blocking(move || gateway.stop_and_log()).await.unwrap();
    assert_eq!(code, 0);
    log
}

/// A search that finds nothing in nothing says nothing.
fn the_hay_is_what_it_should_be(log: &[u8], hays: &[Hay]) {
    let text = String::from_utf8_lossy(log);
    for word in ["DEBUG", "INFO", "WARN", "molasses", "northstar", "bluevalley"] {
        assert!(text.contains(word), "the log has no {word}:\n{}", text.chars().take(2000).collect::<String>());
    }
    let metrics = hays.iter().find(|(name, _)| name == "/metrics").unwrap();
    assert!(String::from_utf8_lossy(&metrics.1).contains("northstar"), "the metrics say nothing");
    let stored: usize = hays.iter().filter(|(name, _)| name.contains("/data/")).map(|(_, bytes)| bytes.len()).sum();
    assert!(stored > 200_000, "the store has {stored} bytes only");
    println!("log of {} lines, {stored} bytes of store", text.lines().count());
}

fn secrets(folder: &Folder, key: &str, taps: &[Tap]) -> Needles {
    let mut needles = Needles::default();
    needles.add("API key", key);
    needles.add("wrong password", WRONG_PASSWORD);
    for (_, fields) in sandbox::credentials() {
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(*name, "username" | "client_id")) {
            needles.add(name, value);
        }
    }
    let vault_key = std::fs::read_to_string(folder.path("keys/vault.key")).unwrap();
    let (_, vault_key) = vault_key.trim().rsplit_once(':').unwrap();
    needles.add("vault key", &vault_key[..vault_key.len() - 2]);
    let kinds = heard(&mut needles, taps, |what| what != "hidden field");
    for kind in ["access token", "bearer token", "Basic header", "cookie", "password digest"] {
        assert!(kinds.contains_key(kind), "no {kind} was heard: {kinds:?}");
    }
    needles
}

/// Adds what was heard on the lines to carriers; how many of each kind.
fn heard(needles: &mut Needles, taps: &[Tap], wanted: fn(&str) -> bool) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for (what, text) in taps.iter().flat_map(Tap::secrets).filter(|(what, _)| wanted(what)) {
        *kinds.entry(what).or_default() += 1;
        needles.add(what, &text);
    }
    println!("heard on the lines: {kinds:?}");
    kinds
}

fn patients(needles: &mut Needles) {
    needles.add_any_case("misplaced", MISPLACED);
    needles.add_date("date of birth", WRONG_BIRTHDAY);
    for person in CARRIERS.into_iter().flat_map(insured_by) {
        needles.add_any_case("member id", person.member_id);
        needles.add_any_case("last name", person.last_name);
        needles.add_any_case("first name", person.first_name);
        needles.add_date("date of birth", person.date_of_birth);
        for dependent in &person.dependents {
            needles.add_any_case("dependent's name", dependent.last_name);
            needles.add_any_case("dependent's name", dependent.first_name);
            needles.add_date("dependent's date of birth", dependent.date_of_birth);
        }
    }
}

/// What was found where, with its surroundings.
fn search(needles: &Needles, hays: &[Hay]) -> Vec<String> {
    let told = |name: &str, hay: &[u8], (needle, place): (&needles::Needle, usize)| {
        let around = &hay[place.saturating_sub(80)..(place + 80).min(hay.len())];
        format!(
            "{} {} as {} in {name}: {:?}",
            needle.what,
            needle.word,
            needle.encoding,
            String::from_utf8_lossy(around)
        )
    };
    let in_one = |(name, hay): &Hay| {
        let found = needles.search(hay);
        found.into_iter().map(|one| told(name, hay, one)).take(3).collect::<Vec<_>>()
    };
    let mine = |(name, _): &&Hay| !name.ends_with("vault.key");
    hays.iter().filter(mine).flat_map(in_one).collect()
}

/// The same search over the same files finds one member id that is put into one of them.
fn the_search_is_not_blind(folder: &Folder, needles: &Needles) {
    std::fs::write(folder.path("data/leak"), "x NSH-ACTIVE-COPAY40 x").unwrap();
    let found = search(needles, &files(folder));
    assert_eq!(found.len(), 1, "{found:?}");
    // Nor to any of the planted values, in a temporary file, inside an encoded text.
    let encode = |word: &str| base64::engine::general_purpose::STANDARD.encode(format!("x{word} and more"));
    for (what, word) in planted::words() {
        let hay = [("a temporary file".to_owned(), encode(word).into_bytes())];
        assert!(!search(needles, &hay).is_empty(), "{what} would not be found");
    }
}

/// A build that leaks is caught: the program's own hook for it, which is in no build for use, puts one secret into the log,
/// into a metric, or in base64 into a temporary file.
#[tokio::test]
async fn a_build_that_leaks_is_caught() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "[log]\nlevel = \"trace\"\n");
    let key = folder.key();
    let mut needles = Needles::default();
    needles.add("wrong password", WRONG_PASSWORD);
    let fields = json!({ "fields": { "username": "nsh-practice", "password": WRONG_PASSWORD } });
    for leak in ["", "log", "metric", "file"] {
        let gateway = folder.serve_with(&[("PORTICO_TEST_LEAK", leak)]);
        let stored = gateway.call(&key, Method::PUT, "/v1/credentials/northstar", Some(&fields)).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
        let mut hays = files(&folder);
        hays.push(("metric".to_owned(), gateway.call(&key, Method::GET, "/metrics", None).await.text.into_bytes()));
        hays.push(("log".to_owned(), stopped(gateway).await));
        let found = search(&needles, &hays);
        let caught = found.iter().any(|one| one.contains(leak));
        assert!(found.is_empty() == leak.is_empty() && (leak.is_empty() || caught), "{leak}: {found:?}");
    }
    sandbox.shutdown().await;
}
