//! What an evidence packet shows of a submission.

use std::io::Read;

use serde_json::Value;

use super::super::state::{Decision, Event};
use super::super::{Resolution, Verdict};
use super::Stand;
use super::carrier::{Carrier, Mood};
use crate::packets;
use crate::trail::Actor;

/// The files of a packet about one submission, which the second program that checks packets finds whole.
async fn packet(stand: &Stand, id: &str) -> Vec<(String, String)> {
    let scope = packets::Scope { ask: Some(id.to_owned()), ..packets::Scope::default() };
    let kept = stand.submissions.kept();
    let made = packets::make(&stand.trail, &kept, stand.practice(), &Actor::command_line(), scope).await.unwrap();
    let report = packets::verify(&made.bytes, None).unwrap();
    assert_eq!(report.problems, []);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(made.bytes)).unwrap();
    (0..archive.len())
        .map(|place| {
            let (mut entry, mut text) = (archive.by_index(place).unwrap(), String::new());
            let name = entry.name().unwrap().into_owned();
            entry.read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

fn folder(files: &[(String, String)], folder: &str) -> Vec<Value> {
    let mine = files.iter().filter(|(name, _)| name.starts_with(folder));
    mine.map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inquiry_that_fails_is_kept_with_all_that_was_said() {
    let (dir, carrier) = (tempfile::tempdir().unwrap(), Carrier::start(&[Mood::Stumbles]).await);
    let stand = Stand::open(dir.path(), carrier.file("exact", None, "")).await;
    let id = stand.submit("one").await;
    for _ in 0..200 {
        if stand.actions(&id).await.contains(&"submission.inquiry_failed".to_owned()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let files = packet(&stand, &id).await;
    let exchanges = folder(&files, "exchanges/inq_");
    let records = &files.iter().find(|(name, _)| name == "records.jsonl").unwrap().1;
    let failed = records.matches("\"submission.inquiry_failed\"").count();
    assert!(failed > 0 && exchanges.len() == failed && failed <= carrier.inquiries(), "each with what came of it");
    assert_eq!(exchanges[0][0]["response"]["body"], "stumbled");
    assert_eq!(stand.view(&id).await["submission"]["state"], "unknown", "nothing was learnt");
    assert!(files.iter().any(|(name, text)| name == "timeline.html" && text.contains("gave no answer")));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_said_is_in_it_and_in_no_record() {
    let (dir, carrier) = (tempfile::tempdir().unwrap(), Carrier::start(&[Mood::LosesReply]).await);
    let stand = Stand::open(dir.path(), carrier.file("blind", None, "")).await;
    let id = stand.submit("one").await;
    stand.until(&id, "a person", |submission| submission["needs_person"] == true).await;
    let said = Resolution {
        decision: Verdict::Present,
        reference: Some("T-4711".into()),
        reason: "Called Zanzibar, who had it on paper".into(),
    };
    stand.submissions.resolve(&stand.caller, &id, &said).await.unwrap();
    let files = packet(&stand, &id).await;
    let (reasons, answers) = (folder(&files, "reasons/"), folder(&files, "answers/"));
    assert_eq!(reasons[0]["reason"], "Called Zanzibar, who had it on paper");
    assert_eq!(answers[0]["receipt"]["reference"], "T-4711");
    assert_eq!((folder(&files, "asks/").len(), folder(&files, "messages/").len()), (1, 1));
    let records = &files.iter().find(|(name, _)| name == "records.jsonl").unwrap().1;
    assert!(!records.contains("Zanzibar") && !records.contains("W-one") && !records.contains("T-4711"), "{records}");
    stand.close().await;
}

#[test]
fn every_event_is_told_in_words() {
    use Event::{
        Accepted, Ambiguous, Arm, Cancel, Claim, CredentialRefused, Escalate, Found, Lost, NotFound, NotSent, Refused,
        Resolve, Restored, Unclear, Unsendable,
    };
    let decided = [Decision::Present, Decision::Absent { settled: true }, Decision::Void].map(Resolve);
    let all = [
        Claim,
        Unsendable,
        Arm,
        NotSent,
        CredentialRefused,
        Refused,
        Accepted,
        Unclear,
        Lost,
        Found,
        NotFound { proves: true },
        Ambiguous,
        Escalate,
        Cancel,
        Restored,
    ];
    for event in all.into_iter().chain(decided) {
        assert!(!packets::meaning(event.action()).is_empty(), "{}", event.action());
    }
}
