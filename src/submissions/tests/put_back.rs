//! A copy of the books is put back after what it holds as waiting was sent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Hold, restored};
use super::carrier::{Carrier, Mood};
use super::{Stand, ask};
use crate::store::{Store, tampering};
use crate::trail::{Actor, Trail};
use crate::vault::Vault;

/// The store, once the stand before has let go of it.
async fn free(dir: &Path) -> Arc<Store> {
    for _ in 0..500 {
        if let Ok(store) = Store::open(&dir.join("store")) {
            return store;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("somebody keeps the store");
}

/// What a person says who has put the data back.
async fn say_so(dir: &Path) {
    let store = free(dir).await;
    let vault = Vault::open(store.clone(), &dir.join("key")).await.unwrap();
    let trail = Trail::new(store.clone(), vault);
    let doubted = restored(&store, &trail, "the disk failed", &Actor::command_line()).await.unwrap();
    assert_eq!((doubted.submissions, doubted.holds, doubted.credentials), (4, 1, 0));
}

/// Four wait when the copy is made: two are sent and one is refused after that, one is not.
async fn put_back(dir: &Path, carrier: &Carrier, file: &(String, String)) -> Vec<String> {
    let by = Actor::command_line();
    let stand = Stand::open(dir, file.clone()).await;
    stand.submissions.hold(stand.practice(), "toy", "for the copy", &by).await.unwrap();
    let mut ids = Vec::new();
    for key in ["one", "two", "refused", "not-sent"] {
        ids.push(stand.submit(key).await);
    }
    stand.close().await;
    drop(free(dir).await);
    tampering::snapshot(&dir.join("store"), &dir.join("copy"));

    let stand = Stand::open(dir, file.clone()).await;
    stand.submissions.cancel(&stand.caller, &ids[3]).await.unwrap();
    carrier.moods(&[Mood::Refuses, Mood::Answers]);
    stand.submissions.release(stand.practice(), "toy", "copied", &by).await.unwrap();
    for id in &ids[..3] {
        stand.until(id, "an end", |one| one["state"] == "accepted" || one["state"] == "rejected").await;
    }
    assert_eq!(carrier.records(), 2);
    stand.close().await;
    drop(free(dir).await);
    tampering::put_back(&dir.join("store"), &dir.join("copy"));
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_since_is_found_and_what_was_not_waits_for_its_release() {
    let (dir, carrier) = (tempfile::tempdir().unwrap(), Carrier::start(&[Mood::Answers]).await);
    let file = carrier.file("exact", Some(700), "");
    let ids = put_back(dir.path(), &carrier, &file).await;
    say_so(dir.path()).await;

    let stand = Stand::open(dir.path(), file).await;
    assert_eq!(stand.submissions.hold_of(stand.practice(), "toy"), Some(Hold::Restored));
    let (mut found, mut absent) = (0, Vec::new());
    for id in &ids {
        let view =
            stand.until(id, "what became of it", |one| one["state"] == "accepted" || one["state"] == "queued").await;
        let attempts = view["submission"]["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1);
        match view["submission"]["state"].as_str() {
            Some("accepted") => {
                assert_eq!(attempts[0]["outcome"], "confirmed_present");
                assert!(view["submission"]["receipt"]["reference"].is_string(), "{view}");
                found += 1;
            }
            _ => {
                assert_eq!(attempts[0]["outcome"], "confirmed_absent");
                assert_eq!(view["submission"]["hold"], "restored");
                let inquiries = view["submission"]["inquiries"].as_array().unwrap();
                assert!(inquiries.len() >= 2 && inquiries.last().unwrap()["past_the_bound"] == true, "{inquiries:?}");
                absent.push(id);
            }
        }
        assert!(stand.actions(id).await.contains(&"submission.restored".to_owned()));
    }
    assert_eq!((found, absent.len(), carrier.records()), (2, 2, 2), "nothing was sent before the release");
    // One that a client hands in again waits, too; the person has found out that it may be sent.
    let again = stand.submissions.accept(&stand.caller, "since", &ask("since"), None).await.unwrap();
    stand.submissions.cancel(&stand.caller, &ids[3]).await.unwrap();
    let holds = stand.submissions.holds(stand.practice(), 9).await.unwrap();
    assert_eq!((holds[0].reason, holds[0].waiting, holds[0].unknown), (Hold::Restored, 2, 0));
    assert!(holds[0].to_do.len() > 4);
    stand.submissions.release(stand.practice(), "toy", "looked", &Actor::command_line()).await.unwrap();
    let refused = absent.iter().find(|id| **id != &ids[3]).unwrap();
    for id in [*refused, &again.id] {
        stand.until_state(id, "accepted").await;
    }
    assert_eq!(carrier.records(), 4);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_asked_a_person_decides_on_each() {
    let (dir, carrier) = (tempfile::tempdir().unwrap(), Carrier::start(&[Mood::Answers]).await);
    let file = carrier.file("blind", None, "");
    let ids = put_back(dir.path(), &carrier, &file).await;
    say_so(dir.path()).await;
    let stand = Stand::open(dir.path(), file).await;
    for id in &ids {
        let view = stand.until(id, "a person", |one| one["needs_person"] == true).await;
        assert_eq!(view["submission"]["state"], "unknown");
    }
    stand.submissions.release(stand.practice(), "toy", "looked", &Actor::command_line()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!((carrier.records(), carrier.inquiries()), (2, 0), "a release sends nothing of unknown fate");
    stand.close().await;
}
