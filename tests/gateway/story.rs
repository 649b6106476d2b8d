//! The whole story of one submission, as the practice hands it to somebody who doubts: an evidence packet, held against
//! what the carrier wrote down in its own log, and checked by the program that every packet carries.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use portico::identity::{Caller, NewMember, Role};
use portico::practice::PracticeId;
use sandbox::SandboxConfig;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::submissions::{ask, submit, until};
use crate::support::{Reply, Stand, send_with};

type Files = BTreeMap<String, Vec<u8>>;

/// A submission whose answer was lost and that was found by asking.
struct Story {
    stand: Stand,
    folder: tempfile::TempDir,
    id: String,
    view: Value,
}

impl Story {
    async fn of(member: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let receipts = Some(folder.path().join("receipts.jsonl"));
        let stand = Stand::with(SandboxConfig { receipts, ..SandboxConfig::default() }, None).await;
        let taken = submit(&stand, "story", "", ask(member)).await;
        let id = taken.body["id"].as_str().unwrap_or_else(|| panic!("{}", taken.text)).to_owned();
        let view = until(&stand, &id, "accepted").await;
        Self { stand, folder, id, view }
    }

    /// What the carrier wrote down.
    fn receipts(&self, event: &str) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder.path().join("receipts.jsonl")).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == event).collect()
    }

    async fn packet(&self, about: Value) -> Files {
        let reply = self.stand.call(Method::POST, "/v1/trail/packets", Some(about)).await;
        assert_eq!(reply.headers["content-type"], "application/zip", "{}", reply.text);
        unzip(&reply.bytes)
    }

    /// Unpacks it and runs its own verifier: exit code and words.
    fn verify(&self, name: &str, files: &Files) -> (i32, String) {
        let at = self.folder.path().join(name);
        write(&at, files);
        let ended = Command::new("python3").arg("-B").arg(at.join("verify.py")).output().expect("python3");
        (ended.status.code().unwrap(), String::from_utf8_lossy(&ended.stdout).into_owned())
    }
}

fn unzip(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|place| {
            let (mut entry, mut bytes) = (archive.by_index(place).unwrap(), Vec::new());
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn write(folder: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The files of a folder, by the id in their names.
fn within<'f>(files: &'f Files, folder: &'f str) -> Vec<(&'f str, Value)> {
    let mine = files.iter().filter_map(move |(name, bytes)| Some((name.strip_prefix(folder)?, bytes)));
    mine.map(|(name, bytes)| (name.trim_end_matches(".json"), serde_json::from_slice(bytes).unwrap())).collect()
}

/// The submission's own records, in words.
fn steps(files: &Files) -> Vec<String> {
    let text = String::from_utf8(files["records.jsonl"].clone()).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let actions = records.filter_map(|record| Some(record["action"].as_str()?.strip_prefix("submission.")?.to_owned()));
    actions.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_packet_tells_what_the_carrier_wrote_down_too() {
    let story = Story::of("NSH-PA-LATE-VISIBLE").await;
    let files = story.packet(json!({ "submission": story.id, "why": "the carrier says that it never came" })).await;
    let (code, said) = story.verify("whole", &files);
    assert_eq!(code, 0, "{said}");

    let steps = steps(&files);
    assert_eq!(steps[..4], ["accepted_from_caller", "intent", "armed", "unknown"], "{steps:?}");
    assert_eq!(steps.last().unwrap(), "found", "{steps:?}");
    assert!(steps[4..steps.len() - 1].iter().all(|step| step == "not_found"), "{steps:?}");

    // The message as it was written down before it was sent is what was sent, and what the carrier received: once.
    let (messages, exchanges) = (within(&files, "messages/"), within(&files, "exchanges/"));
    let attempt = story.view["submission"]["attempts"][0]["id"].as_str().unwrap();
    let [(of, message)] = messages.as_slice() else { panic!("one message: {messages:?}") };
    assert_eq!(*of, attempt);
    let body = String::from_utf8(STANDARD.decode(message["body"].as_str().unwrap()).unwrap()).unwrap();
    let sent = &exchanges.iter().find(|(of, _)| *of == attempt).unwrap().1;
    assert_eq!(sent.as_array().unwrap().len(), 1, "one request: {sent}");
    assert_eq!(sent[0]["request"]["body"], body.as_str());
    assert_eq!(sent[0]["status"], Value::Null, "the reply was lost: {sent}");
    let received = story.receipts("received");
    let [received] = received.as_slice() else { panic!("received once: {received:?}") };
    for number in ["trace", "isa13"] {
        assert!(body.contains(received[number].as_str().unwrap()), "{number}: {received}");
    }

    // Every inquiry that the carrier answered is there, and the last one shows the carrier's own number for it.
    let mut inquiries: Vec<_> = exchanges.iter().filter(|(of, _)| of.starts_with("inq_")).collect();
    inquiries.sort_by_key(|(of, _)| *of);
    let (asked, accepted) = (story.receipts("inquired"), story.receipts("accepted"));
    assert_eq!(inquiries.len(), asked.len(), "{asked:?}");
    for ((_, exchange), line) in inquiries.iter().zip(&asked) {
        assert!(exchange[0]["request"]["body"].as_str().unwrap().contains(line["trace"].as_str().unwrap()));
    }
    let number = accepted[0]["record"].as_str().unwrap();
    let (last, rest) = inquiries.split_last().unwrap();
    assert!(last.1[0]["response"]["body"].as_str().unwrap().contains(number), "{last:?}");
    assert!(rest.iter().all(|(_, one)| !one[0]["response"]["body"].as_str().unwrap().contains(number)), "{rest:?}");
    assert_eq!(within(&files, "answers/")[0].1["receipt"]["reference"], number);
    assert_eq!(within(&files, "asks/")[0].1["member"]["member_id"], "NSH-PA-LATE-VISIBLE");
    let evidence = |one: &Value| one["evidence"].as_str().unwrap().to_owned();
    assert!(evidence(&story.view["submission"]["attempts"][0]).starts_with("ev_"));
    assert!(evidence(&story.view["submission"]["inquiries"][0]).starts_with("ev_"));

    // A record tells nothing about the patient; the page for people tells all of it.
    let records = String::from_utf8(files["records.jsonl"].clone()).unwrap();
    for word in ["OKAFOR", "AMARA", "NSH-PA", "19840312", "1984-03-12", number] {
        assert!(!records.contains(word), "{word} in a record");
    }
    let page = String::from_utf8(files["timeline.html"].clone()).unwrap();
    for word in ["OKAFOR", "Nothing of it has been sent", "its answer did not come whole", "it has it", number] {
        assert!(page.contains(word), "the page lacks {word}");
    }
    story.stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_changed_in_it_is_named() {
    let story = Story::of("NSH-PA-LOST-REPLY").await;
    let files = story.packet(json!({ "submission": story.id })).await;
    assert_eq!(story.verify("whole", &files).0, 0);
    let kinds = ["asks/", "messages/", "exchanges/att_", "exchanges/inq_", "answers/"];
    for (place, kind) in kinds.into_iter().enumerate() {
        let name = files.keys().find(|name| name.starts_with(kind)).unwrap_or_else(|| panic!("no {kind}")).clone();
        let mut changed = files.clone();
        let bytes = changed.get_mut(&name).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        let (code, said) = story.verify(&format!("changed-{place}"), &changed);
        assert!(code == 1 && said.contains(&format!("{name} record ")), "{name}: {code} {said}");
        assert!(said.contains("it is not what the record committed to"), "{said}");
        let mut without = files.clone();
        without.remove(&name);
        let (code, said) = story.verify(&format!("without-{place}"), &without);
        assert!(code == 1 && said.contains(&name) && said.contains("it is missing"), "{name}: {code} {said}");
    }
    let mut more = files.clone();
    more.insert("messages/att_forged.json".to_owned(), b"{}".to_vec());
    let (code, said) = story.verify("more", &more);
    assert!(code == 1 && said.contains("no record committed to it"), "{said}");

    // The patient's packet holds the same messages.
    let patient = json!({ "carrier": "northstar", "member_id": "NSH-PA-LOST-REPLY", "date_of_birth": "1984-03-12" });
    let of_patient = story.packet(json!({ "patient": patient })).await;
    assert_eq!(story.verify("patient", &of_patient).0, 0);
    for (name, bytes) in files.iter().filter(|(name, _)| name.contains('/')) {
        assert_eq!(of_patient.get(name), Some(bytes), "{name}");
    }
    // An auditor takes it from the page beside the submission; whoever may only submit does not.
    assert!(taken_from_the_page(&story, Role::Auditor).await.bytes.starts_with(b"PK"));
    assert_eq!(taken_from_the_page(&story, Role::Biller).await.status, 403);
    story.stand.stop().await;
}

/// Presses the button beside the submission's records on the page of the trail.
async fn taken_from_the_page(story: &Story, role: Role) -> Reply {
    const PASSWORD: &str = "four words that nobody-else-knows";
    let email = format!("{}@story.example", role.word());
    let new = NewMember { email: &email, name: "Somebody", role, second_factor: false };
    let identity = &story.stand.house.app.identity;
    let caller = Caller::command_line(PracticeId::new("demo"));
    let token = identity.add_person(&caller, new).await.unwrap().token.unwrap();
    identity.accept_invitation(&token, &Zeroizing::new(PASSWORD.to_owned()), "test").await.unwrap();
    let address = story.stand.address();
    let body = json!({ "email": email, "password": PASSWORD }).to_string().into_bytes();
    let reply = send_with(&address, None, &[], Method::POST, "/v1/session", body).await.unwrap();
    let cookie = reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = reply.body["csrf_token"].as_str().unwrap();
    let kind = "application/x-www-form-urlencoded";
    let headers = [("cookie", cookie.as_str()), ("origin", "http://localhost"), ("content-type", kind)];
    if role == Role::Auditor {
        let page = send_with(&address, None, &headers, Method::GET, "/trail", Vec::new()).await.unwrap();
        let button = format!("name=\"ask\" value=\"{}\"", story.id);
        assert!(page.text.contains(&button) && page.text.contains("Evidence packet"), "{}", page.text);
    }
    let form = format!("csrf={csrf}&ask={}", story.id).into_bytes();
    send_with(&address, None, &headers, Method::POST, "/trail/packet", form).await.unwrap()
}
