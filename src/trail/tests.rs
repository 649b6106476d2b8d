use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use connector_sdk::{ErrorKind, Operation};
use zeroize::Zeroizing;

use super::*;
use crate::store::tampering;

const CANARY: &str = "Zanzibar-Quicksilver-0471";

fn practice(n: u8) -> PracticeId {
    PracticeId::new(format!("p-{n}"))
}

/// Enough of a vault for this room: hides, and notices a change of the text or of what it is bound to.
struct ToyVault;

impl ToyVault {
    fn code(purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, purpose.word().as_bytes());
        ring::hmac::sign(&key, &bind(parts)).as_ref().try_into().unwrap()
    }
}

impl Sealer for ToyVault {
    fn seal(&self, purpose: Purpose, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let hidden = plain.iter().map(|byte| !byte);
        Ok(Self::code(purpose, &[bound_to, plain]).into_iter().chain(hidden).collect())
    }

    fn open(&self, purpose: Purpose, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (code, hidden) = sealed.split_at_checked(32).ok_or(SealBroken)?;
        let plain: Vec<u8> = hidden.iter().map(|byte| !byte).collect();
        if code == Self::code(purpose, &[bound_to, &plain]) { Ok(Zeroizing::new(plain)) } else { Err(SealBroken) }
    }

    fn mac(&self, purpose: Purpose, text: &[u8]) -> [u8; 32] {
        Self::code(purpose, &[text])
    }
}

async fn trail(dir: &Path) -> (Arc<Trail>, Arc<Store>) {
    let store = Store::open(&dir.join("data")).unwrap();
    (Trail::new(Arc::clone(&store), Arc::new(ToyVault)), store)
}

fn asked(practice: &PracticeId, id: &str) -> TrailRecord {
    TrailRecord::new(practice, &Actor::key("key_1"), "eligibility.asked")
        .carrier("northstar")
        .operation(Operation::Eligibility)
        .outcome(OutcomeKind::Answered)
        .cached(false)
        .total_ms(812)
        .ask(id)
}

async fn filled(dir: &Path, records: u64) -> (Arc<Trail>, Arc<Store>) {
    let (trail, store) = trail(dir).await;
    for n in 1..=records {
        assert_eq!(trail.record(asked(&practice(1), &format!("ask-{n}"))).await.unwrap(), n);
    }
    trail.record(asked(&practice(2), "other")).await.unwrap();
    (trail, store)
}

fn tamper(dir: &Path, sql: &str) {
    tampering::edit(&dir.join("data"), sql);
}

#[tokio::test]
async fn records_come_back_filtered_and_paged() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _store) = filled(dir.path(), 5).await;
    trail
        .record(TrailRecord::new(&practice(1), &Actor::command_line(), "credential.put").carrier("statemed"))
        .await
        .unwrap();
    let all = trail.list(&practice(1), Filter::default(), 100).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
    assert_eq!(all[1].total_ms, Some(812));
    let asked = Filter { action: Some("eligibility.asked".to_owned()), before_seq: Some(5), ..Filter::default() };
    let page = trail.list(&practice(1), asked, 2).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [4, 3]);
    let one = Filter { ask_id: Some("ask-2".to_owned()), ..Filter::default() };
    assert_eq!(trail.list(&practice(1), one.clone(), 9).await.unwrap().len(), 1);
    assert_eq!(trail.list(&practice(2), one, 9).await.unwrap(), []);
    let carrier = Filter { carrier: Some("statemed".to_owned()), ..Filter::default() };
    assert_eq!(trail.list(&practice(1), carrier, 9).await.unwrap()[0].actor, "command_line");
}

#[tokio::test]
async fn the_database_refuses_edits() {
    let dir = tempfile::tempdir().unwrap();
    let (_trail, store) = filled(dir.path(), 2).await;
    drop((_trail, store));
    for sql in tampering::TRAIL_REFUSED {
        let error = tampering::refused(&dir.path().join("data"), sql);
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_and_named() {
    for (sql, first_bad) in tampering::TRAIL_EDITS {
        let dir = tempfile::tempdir().unwrap();
        let (trail, _store) = filled(dir.path(), 6).await;
        assert!(matches!(trail.verify(&practice(1)).await.unwrap(), Verification::Whole { records: 6, .. }));
        tamper(dir.path(), sql);
        match trail.verify(&practice(1)).await.unwrap() {
            Verification::Broken { seq, .. } => assert_eq!(seq, *first_bad, "{sql}"),
            whole @ Verification::Whole { .. } => panic!("not found: {sql}: {whole:?}"),
        }
        assert!(matches!(trail.verify(&practice(2)).await.unwrap(), Verification::Whole { records: 1, .. }), "{sql}");
    }
    println!("{} kinds of tampering found", tampering::TRAIL_EDITS.len());
}

#[tokio::test]
async fn a_forged_end_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _store) = filled(dir.path(), 3).await;
    tamper(dir.path(), tampering::TRAIL_END_FORGED);
    let error = trail.record(asked(&practice(1), "next")).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    trail.record(asked(&practice(2), "next")).await.unwrap();
}

#[tokio::test]
async fn answers_survive_a_restart_and_belong_to_their_practice() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (trail, _store) = trail(dir.path()).await;
        let ask = TrailRecord::new(&practice(1), &Actor::key("key_1"), "eligibility.taken").carrier("northstar");
        trail.begin(&practice(1), "a-1", ask).await.unwrap();
        let pending = trail.get(&practice(1), "a-1").await.unwrap().unwrap();
        assert_eq!((pending.state, pending.envelope), (AskState::Pending, None));
        let evidence = trail
            .complete(&practice(1), "a-1", CANARY.as_bytes(), Some(b"ISA*00"), asked(&practice(1), "a-1"))
            .await
            .unwrap()
            .unwrap();
        assert!(evidence.starts_with("ev_"));
        let again = trail.complete(&practice(1), "a-1", b"other", None, asked(&practice(1), "a-1")).await;
        assert_eq!(again, Err(StoreError::Conflict));
        let failed = asked(&practice(1), "a-2").failure(ErrorKind::CarrierTimeout);
        trail.complete(&practice(1), "a-2", b"{}", None, failed).await.unwrap();
    }
    let (trail, _store) = trail(dir.path()).await;
    let stored = trail.get(&practice(1), "a-1").await.unwrap().unwrap();
    assert_eq!(stored.envelope.as_deref(), Some(CANARY.as_bytes()));
    assert_eq!((stored.state, stored.carrier.as_str()), (AskState::Answered, "northstar"));
    assert!(!format!("{stored:?}").contains(CANARY));
    assert_eq!(trail.raw(&practice(1), "a-1").await.unwrap().unwrap().as_slice(), b"ISA*00");
    assert_eq!(trail.raw(&practice(1), "a-2").await.unwrap(), None);
    assert_eq!(trail.get(&practice(1), "a-2").await.unwrap().unwrap().state, AskState::Failed);
    assert!(trail.get(&practice(2), "a-1").await.unwrap().is_none());
    assert!(trail.raw(&practice(2), "a-1").await.unwrap().is_none());
    // The refused second answer left no record: taken, answered, failed.
    assert!(matches!(trail.verify(&practice(1)).await.unwrap(), Verification::Whole { records: 3, .. }));
}

#[tokio::test]
async fn no_record_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _store) = filled(dir.path(), 1).await;
    tamper(dir.path(), tampering::TRAIL_END_FORGED);
    let result = trail.complete(&practice(1), "a-1", b"{}", None, asked(&practice(1), "a-1")).await;
    assert!(matches!(result, Err(StoreError::Damaged { .. })));
    assert!(trail.get(&practice(1), "a-1").await.unwrap().is_none());
    let foreign = trail.complete(&practice(1), "a-1", b"{}", None, asked(&practice(2), "a-1")).await;
    assert_eq!(foreign, Err(StoreError::Conflict));
}

#[tokio::test]
async fn an_answer_moved_to_another_practice_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _store) = filled(dir.path(), 1).await;
    for id in ["a-1", "a-2"] {
        trail.complete(&practice(1), id, b"one", Some(b"raw"), asked(&practice(1), id)).await.unwrap();
    }
    trail.complete(&practice(2), "b-1", b"two", None, asked(&practice(2), "b-1")).await.unwrap();
    tamper(dir.path(), tampering::ANSWERS_MOVED);
    assert!(trail.get(&practice(1), "a-1").await.is_ok());
    for (n, id) in [(1, "a-2"), (2, "b-1")] {
        let error = trail.get(&practice(n), id).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{id}");
    }
    assert!(trail.raw(&practice(1), "a-2").await.is_err());
}

#[tokio::test]
async fn questions_of_a_dead_process_are_closed_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, store) = filled(dir.path(), 1).await;
    let row = crate::store::keys::PracticeRow { id: practice(1), name: "One".to_owned() };
    crate::store::keys::ensure_practice(&store, row, 1).await.unwrap();
    let taken = TrailRecord::new(&practice(1), &Actor::key("key_1"), "eligibility.taken").carrier("northstar");
    trail.begin(&practice(1), "a-1", taken).await.unwrap();
    assert_eq!(trail.close_interrupted().await.unwrap(), 1);
    let closed = trail.get(&practice(1), "a-1").await.unwrap().unwrap();
    assert_eq!((closed.state, closed.envelope), (AskState::Failed, None));
}

#[tokio::test]
async fn no_answer_stands_in_the_files_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _store) = trail(dir.path()).await;
    let mut seen = HashSet::new();
    for n in 0..20 {
        let id = format!("a-{n}");
        let text = format!("{{\"name\":\"{CANARY}\"}}");
        trail
            .complete(&practice(1), &id, text.as_bytes(), Some(text.as_bytes()), asked(&practice(1), &id))
            .await
            .unwrap();
    }
    for entry in std::fs::read_dir(dir.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(CANARY.as_bytes()), "{}", path.display());
        if holds(b"northstar") {
            seen.insert(path);
        }
    }
    // The search itself works: what may be read is found.
    assert!(!seen.is_empty());
}

#[tokio::test]
async fn a_trail_from_before_there_were_trees_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (_trail, _store) = filled(dir.path(), 600).await;
    }
    let data = dir.path().join("data");
    let (seq, chain) = tampering::end(&data, "p-1");
    let old = ToyVault.mac(Purpose::Trail, &bind(&[b"head v1", b"p-1", &seq.to_be_bytes(), &chain]));
    tampering::before_trees(&data, "p-1", &old);
    let (trail, store) = trail(dir.path()).await;
    assert!(matches!(trail.verify(&practice(1)).await.unwrap(), Verification::Whole { records: 600, .. }));
    assert_eq!(trail.record(asked(&practice(1), "next")).await.unwrap(), 601);
    assert!(matches!(trail.verify(&practice(1)).await.unwrap(), Verification::Whole { records: 601, .. }));
    assert_eq!(crate::store::trail::tiles(&store, &practice(1)).await.unwrap().len(), 2);
    // Forged as an old one, it is not continued.
    tampering::before_trees(&data, "p-2", &[1; 32]);
    assert!(trail.record(asked(&practice(2), "next")).await.is_err());
}

fn detailed(practice: &PracticeId, ask: &str, member: &str) -> TrailRecord {
    let patient =
        PatientKey { carrier: "northstar".to_owned(), member_id: Some(member.to_owned()), ..PatientKey::default() };
    asked(practice, ask).detail(Detail::default().patient(patient).say("patient", member).say("why", "claim denied"))
}

fn of(member: &str, born: Option<&str>) -> Search {
    let key = PatientKey {
        carrier: "northstar".to_owned(),
        member_id: Some(member.to_owned()),
        date_of_birth: born.map(str::to_owned),
        name: None,
    };
    Search { patient: Some(key), ..Search::default() }
}

#[tokio::test]
async fn who_asked_about_whom_and_why_is_found_without_a_readable_column() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, store) = trail(dir.path()).await;
    trail.record(detailed(&practice(1), "a-1", CANARY)).await.unwrap();
    trail.record(detailed(&practice(1), "a-2", "other")).await.unwrap();
    trail.record(asked(&practice(1), "a-1")).await.unwrap();
    trail.record(detailed(&practice(2), "b-1", CANARY)).await.unwrap();
    // Another spelling, and more known now than when it was asked.
    let spelled = CANARY.to_lowercase().replace('-', " ");
    let found = trail.search(&practice(1), &of(&spelled, Some("1980-01-01")), 10).await.unwrap();
    assert_eq!(found.iter().map(|found| found.entry.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(found[0].said()["why"], "claim denied");
    assert!(found[1].said().is_null());
    assert!(trail.search(&practice(1), &of("nobody", None), 10).await.unwrap().is_empty());
    let other =
        PatientKey { carrier: "statemed".to_owned(), member_id: Some(CANARY.to_owned()), ..PatientKey::default() };
    let other = Search { patient: Some(other), ..Search::default() };
    assert!(trail.search(&practice(1), &other, 10).await.unwrap().is_empty());
    drop((trail, store));
    for entry in std::fs::read_dir(dir.path().join("data")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
    }
}

fn anchored(dir: &Path) -> (Arc<Trail>, Arc<Store>) {
    let store = Store::open(&dir.join("data")).unwrap();
    (Trail::anchored(Arc::clone(&store), Arc::new(ToyVault), &dir.join("anchors")).unwrap(), store)
}

#[tokio::test]
async fn every_edit_beside_the_records_is_found_and_names_the_record() {
    for (place, sql) in tampering::DETAIL_EDITS.iter().chain([&tampering::TILE_EDIT]).enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let (trail, _store) = anchored(dir.path());
        for n in 1..=300 {
            match n {
                3 => drop(
                    trail.complete(&practice(1), "a-3", b"{}", Some(b"raw"), detailed(&practice(1), "a-3", "m")).await,
                ),
                4 => drop(trail.record(detailed(&practice(1), "a-4", "m")).await),
                _ => drop(trail.record(asked(&practice(1), "x")).await),
            }
        }
        trail.checkpoint().await.unwrap();
        assert_eq!(trail.verify_all().await.unwrap().problems, []);
        tamper(dir.path(), sql);
        let report = trail.verify_all().await.unwrap();
        let first = if place < tampering::DETAIL_EDITS.len() { 3 } else { 1 };
        assert_eq!(report.problems.first().and_then(|problem| problem.first), Some(first), "{sql}: {report:?}");
    }
}

/// Accepts it as the room above does; how many trails there were.
async fn accept_rollback(trail: &Trail, reason: &str) -> usize {
    let write = async |records| crate::store::people::record_all(&trail.store, records).await;
    trail.accept_rollback(reason, &Actor::command_line(), write).await.unwrap().unwrap().0
}

#[tokio::test]
async fn a_database_that_was_put_back_is_noticed_until_somebody_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    {
        let (trail, _store) = anchored(dir.path());
        for n in 0..5 {
            trail.record(asked(&practice(1), &format!("a-{n}"))).await.unwrap();
        }
        assert_eq!(trail.checkpoint().await.unwrap(), 2);
        // Nothing changed: nothing is signed.
        assert_eq!(trail.checkpoint().await.unwrap(), 0);
        tampering::snapshot(&data, &copy);
        trail.record(asked(&practice(1), "late")).await.unwrap();
        trail.rotate_key(&Actor::command_line()).await.unwrap();
        assert!(trail.checkpoint().await.unwrap() > 0);
        assert_eq!(trail.check_anchors().await.unwrap(), []);
        assert_eq!(trail.verify_all().await.unwrap().problems, []);
        assert_eq!(trail.verifier_keys().await.unwrap().len(), 2);
    }
    tampering::put_back(&data, &copy);
    // Longer than what was anchored by now, and other.
    for more in [0, 40] {
        let (trail, _store) = anchored(dir.path());
        for n in 0..more {
            trail.record(asked(&practice(1), &format!("forked-{n}"))).await.unwrap();
        }
        let found = trail.check_anchors().await.unwrap();
        let sizes: Vec<_> =
            found.iter().map(|found| (found.anchored.practice.as_str().to_owned(), found.anchored.size)).collect();
        assert!(sizes.contains(&("p-1".to_owned(), 6)), "{sizes:?}");
        assert!(trail.held().is_some());
        // It must not be signed away.
        assert_eq!(trail.checkpoint().await.unwrap(), 0);
        let problems = trail.verify_all().await.unwrap().problems;
        let first = problems.iter().find(|p| p.practice == Some(practice(1))).unwrap();
        assert_eq!(first.first, Some(6), "{problems:?}");
    }
    {
        let (trail, _store) = anchored(dir.path());
        assert!(accept_rollback(&trail, "restored from the backup of Monday").await > 0);
        assert!(trail.held().is_none());
    }
    let (trail, _store) = anchored(dir.path());
    assert_eq!(trail.check_anchors().await.unwrap(), []);
    let accepted = Filter { action: Some("trail.rollback_accepted".to_owned()), ..Filter::default() };
    let entry = trail.list(&practice(1), accepted, 1).await.unwrap().remove(0);
    assert_eq!((entry.epoch, entry.mark.unwrap().size), (Some(2), 6));
    // The new log is anchored, and can be put back no more than the old one.
    trail.record(asked(&practice(1), "after")).await.unwrap();
    assert!(trail.checkpoint().await.unwrap() > 0);
    let report = trail.verify_all().await.unwrap();
    assert_eq!(report.problems, []);
    assert!(report.anchors > 4, "{report:?}");
}

#[tokio::test]
async fn a_database_that_was_replaced_as_a_whole_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (trail, _store) = anchored(dir.path());
        trail.record(asked(&practice(1), "a-1")).await.unwrap();
        trail.checkpoint().await.unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("data")).unwrap();
    let (trail, _store) = anchored(dir.path());
    assert_eq!(trail.check_anchors().await.unwrap().len(), 1);
    assert_eq!(accept_rollback(&trail, "started anew").await, 1);
    assert_eq!(trail.check_anchors().await.unwrap(), []);
    assert!(trail.accept_rollback("twice", &Actor::command_line(), async |_| Ok(())).await.unwrap().is_none());
}

#[test]
fn anchors_may_not_lie_with_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("data")).unwrap();
    let inside = dir.path().join("data/anchors");
    assert!(matches!(Trail::anchored(store, Arc::new(ToyVault), &inside), Err(StoreError::File { .. })));
}
