//! What the tables hold by themselves, whatever the program above believes. Run on both databases by the suite beside.

use std::sync::Arc;

use super::*;
use crate::store::keys::{self, PracticeRow};

fn practice(name: &str) -> PracticeId {
    PracticeId::new(name)
}

fn record(practice: &PracticeId) -> Append {
    crate::store::conformance::record(practice, "x")
}

fn new(id: &str, key: u8, content: u8) -> NewSubmission {
    NewSubmission {
        practice: practice("p-1"),
        id: id.to_owned(),
        carrier: "acme".to_owned(),
        kind: "authorization",
        urgent: false,
        actor: "key_1".to_owned(),
        key_digest: [key; 32],
        content_mac: [content; 32],
        biz_ref: format!("REF{id}"),
        sealed_ask: vec![1],
        at: 10,
        beside: None,
    }
}

fn change(state: &'static str) -> Change {
    Change {
        state,
        negatives: 0,
        person: false,
        due_at: Some(20),
        sealed_end: None,
        receipt_mac: None,
        begin: None,
        arm: false,
        outcome: None,
        failure: None,
        evidence: None,
        inquiry: None,
        resolution: None,
        record: record(&practice("p-1")),
    }
}

fn begins(id: &str) -> Change {
    let attempt = NewAttempt {
        id: id.to_owned(),
        worker: "w".to_owned(),
        sealed_wire: vec![2],
        wire_digest: [3; 32],
        numbers: "{}".to_owned(),
    };
    Change { begin: Some(attempt), ..change("intent") }
}

async fn write(store: &Store, id: &str, at: i64, change: Change) -> Result<(), StoreError> {
    let done = step(store, &practice("p-1"), id, at, None, move |_| Ok::<_, ()>(change)).await?;
    assert_eq!(done, Some(Ok(())));
    Ok(())
}

async fn with_practice(store: &Store) {
    let row = PracticeRow { id: practice("p-1"), name: "One".to_owned() };
    keys::ensure_practice(store, row, 1).await.unwrap();
}

/// Whatever the program writes: no second attempt while one may be at the carrier, an attempt ends once, rows stay.
pub(in crate::store) async fn guards(store: Arc<Store>) {
    with_practice(&store).await;
    let record = || record(&practice("p-1"));
    assert!(matches!(accept(&store, new("s-1", 1, 1), record()).await.unwrap(), Taken::New));
    write(&store, "s-1", 11, begins("a-1")).await.unwrap();
    // The program forgets the attempt that is open, and that was armed, and that nobody knows the end of.
    assert_eq!(write(&store, "s-1", 12, begins("a-2")).await, Err(StoreError::Conflict));
    write(&store, "s-1", 13, Change { arm: true, ..change("armed") }).await.unwrap();
    assert_eq!(write(&store, "s-1", 14, begins("a-2")).await, Err(StoreError::Conflict));
    let not_sent = Change { outcome: Some("not_sent"), ..change("queued") };
    assert_eq!(write(&store, "s-1", 15, not_sent).await, Err(StoreError::Conflict), "an armed one was not sent");
    write(&store, "s-1", 16, Change { outcome: Some("unknown"), ..change("unknown") }).await.unwrap();
    assert_eq!(write(&store, "s-1", 17, begins("a-2")).await, Err(StoreError::Conflict));
    let rejected = Change { outcome: Some("rejected_no_effect"), ..change("rejected") };
    assert_eq!(write(&store, "s-1", 18, rejected).await, Err(StoreError::Conflict), "unknown is not simply rejected");
    // Past the program's own statement too: the trigger alone.
    let behind = store
        .write(|sql| {
            sql.execute(
                "INSERT INTO attempt(practice, submission, id, n, worker, sealed_wire, wire_digest, numbers, intent_at)
                 VALUES ('p-1', 's-1', 'a-9', 9, 'w', ?1, ?2, '{}', 1)",
                values![&vec![1_u8], &[0_u8; 32]],
            )
        })
        .await;
    assert_eq!(behind, Err(StoreError::Conflict));
    for statement in ["DELETE FROM attempt WHERE practice = 'p-1'", "DELETE FROM submission WHERE practice = 'p-1'"] {
        let gone = store.write(move |sql| sql.execute(statement, &[])).await;
        assert_eq!(gone, Err(StoreError::Conflict), "{statement}");
    }
    // The carrier's own word opens the way again, and only that.
    write(&store, "s-1", 19, Change { outcome: Some("confirmed_absent"), ..change("queued") }).await.unwrap();
    write(&store, "s-1", 20, begins("a-2")).await.unwrap();
    write(&store, "s-1", 21, Change { arm: true, ..change("armed") }).await.unwrap();
    write(&store, "s-1", 22, Change { outcome: Some("accepted"), ..change("accepted") }).await.unwrap();
    assert_eq!(write(&store, "s-1", 23, begins("a-3")).await, Err(StoreError::Conflict));
    // A rotation exchanges the key of an ended attempt's sealed bytes. Nothing else of it can be changed.
    let columns =
        "practice submission id n worker wire_digest numbers intent_at armed_at ended_at outcome failure evidence";
    for column in columns.split(' ') {
        let set = format!("UPDATE attempt SET {column} = {column} WHERE practice = 'p-1' AND id = 'a-2'");
        let changed = store.write(move |sql| sql.execute(&set, &[])).await;
        assert_eq!(changed, Err(StoreError::Conflict), "{column}");
    }
    let set = "UPDATE attempt SET sealed_wire = ?1 WHERE practice = 'p-1' AND id = 'a-2'";
    assert_eq!(store.write(move |sql| sql.execute(set, values![&vec![9_u8]])).await, Ok(1));
    let history = history(&store, &practice("p-1"), "s-1").await.unwrap().unwrap();
    assert_eq!(history.attempts.last().unwrap().sealed_wire, [9]);
    let outcomes: Vec<_> = history.attempts.iter().map(|attempt| attempt.outcome.as_deref().unwrap()).collect();
    assert_eq!(outcomes, ["confirmed_absent", "accepted"]);
    assert_eq!(history.row.unknown_at, Some(16));
}

/// A key holds for good, what looks the same is named, and another practice sees nothing of it.
pub(in crate::store) async fn keys_and_duplicates(store: Arc<Store>) {
    with_practice(&store).await;
    let record = || record(&practice("p-1"));
    assert!(matches!(accept(&store, new("s-1", 1, 1), record()).await.unwrap(), Taken::New));
    match accept(&store, new("s-2", 1, 9), record()).await.unwrap() {
        Taken::Before(row) => assert_eq!(row.id, "s-1"),
        other => panic!("{other:?}"),
    }
    match accept(&store, new("s-3", 3, 1), record()).await.unwrap() {
        Taken::LooksLike(ids) => assert_eq!(ids, ["s-1"]),
        other => panic!("{other:?}"),
    }
    let beside = NewSubmission { beside: Some("s-1".to_owned()), ..new("s-4", 4, 1) };
    assert!(matches!(accept(&store, beside, record()).await.unwrap(), Taken::New));
    let named_wrong = NewSubmission { beside: Some("s-9".to_owned()), ..new("s-5", 5, 1) };
    assert!(matches!(accept(&store, named_wrong, record()).await.unwrap(), Taken::LooksLike(_)));
    // One that was taken back is no duplicate any more, but its key still holds.
    for id in ["s-1", "s-4"] {
        write(&store, id, 30, Change { due_at: None, ..change("cancelled") }).await.unwrap();
    }
    assert!(matches!(accept(&store, new("s-6", 6, 1), record()).await.unwrap(), Taken::New));
    assert!(matches!(accept(&store, new("s-7", 1, 1), record()).await.unwrap(), Taken::Before(_)));
    assert!(get(&store, &practice("p-2"), "s-1").await.unwrap().is_none());
    assert_eq!(list(&store, &practice("p-2"), None, None, 9).await.unwrap().len(), 0);
    let due = due(&store, 99, vec![], 9).await.unwrap();
    assert_eq!(due.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["s-6"]);
    assert_eq!(waiting(&store, 99).await.unwrap(), [(practice("p-1"), "acme".to_owned())]);
}

/// A step that fails leaves nothing behind: no state without its record.
pub(in crate::store) async fn no_record_no_step(store: Arc<Store>) {
    with_practice(&store).await;
    assert!(matches!(accept(&store, new("s-1", 1, 1), record(&practice("p-1"))).await.unwrap(), Taken::New));
    let broken = Append { link: Box::new(|_| Err(StoreError::Damaged { what: "x" })), ..record(&practice("p-1")) };
    let failed = write(&store, "s-1", 11, Change { record: broken, ..begins("a-1") }).await;
    assert_eq!(failed, Err(StoreError::Damaged { what: "x" }));
    let (row, attempt) = get(&store, &practice("p-1"), "s-1").await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.attempts, attempt.is_none()), ("queued", 0, true));
    let broken = Append { link: Box::new(|_| Err(StoreError::Damaged { what: "x" })), ..record(&practice("p-1")) };
    assert!(accept(&store, new("s-2", 2, 2), broken).await.is_err());
    assert!(get(&store, &practice("p-1"), "s-2").await.unwrap().is_none());
}

/// What is not over is doubted with its records and holds, all or nothing; the guards stand.
pub(in crate::store) async fn doubted_after_a_restore(store: Arc<Store>) {
    use crate::store::restored::{Doubt, Doubted, Restoring, after_restore};

    with_practice(&store).await;
    for (id, n) in [("s-queued", 1), ("s-intent", 2), ("s-armed", 3), ("s-unknown", 4), ("s-done", 5), ("s-again", 6)] {
        assert!(matches!(accept(&store, new(id, n, n), record(&practice("p-1"))).await.unwrap(), Taken::New));
    }
    for (id, attempt) in [("s-intent", "a-2"), ("s-armed", "a-3"), ("s-unknown", "a-4"), ("s-again", "a-6")] {
        write(&store, id, 11, begins(attempt)).await.unwrap();
    }
    for id in ["s-armed", "s-unknown"] {
        write(&store, id, 12, Change { arm: true, ..change("armed") }).await.unwrap();
    }
    let unknown = Change { outcome: Some("unknown"), negatives: 1, ..change("unknown") };
    write(&store, "s-unknown", 13, unknown).await.unwrap();
    write(&store, "s-again", 13, Change { outcome: Some("not_sent"), ..change("queued") }).await.unwrap();
    write(&store, "s-done", 13, Change { due_at: None, ..change("cancelled") }).await.unwrap();

    let broken = || Append { link: Box::new(|_| Err(StoreError::Damaged { what: "x" })), ..record(&practice("p-1")) };
    let restoring = |fails: bool| Restoring {
        at: 50,
        step: 9,
        shared: "gateway",
        hold: "restored",
        stop: "the data was put back",
        first: vec![record(&practice("p-1"))],
        doubt: Box::new(move |found| {
            let begin = found.open.is_none().then(|| format!("r-{}", found.id));
            let outcome = (found.state != "unknown").then_some("unknown");
            let record = if fails && found.id == "s-unknown" { broken() } else { record(&found.practice) };
            Ok(Doubt { state: "unknown", negatives: 0, person: found.person, outcome, begin, record })
        }),
        held: Box::new(|practice, _| record(practice)),
        stopped: Box::new(|practice, _, _| record(practice)),
    };
    assert!(after_restore(&store, restoring(true)).await.is_err());
    assert_eq!(holds(&store, None).await.unwrap(), []);
    let untouched = get(&store, &practice("p-1"), "s-queued").await.unwrap().unwrap();
    assert_eq!((untouched.0.state.as_str(), untouched.1.is_none()), ("queued", true));

    let doubted = after_restore(&store, restoring(false)).await.unwrap();
    assert_eq!(doubted, Doubted { submissions: 5, holds: 1, credentials: 0 });
    let held =
        HoldRow { practice: practice("p-1"), carrier: "acme".to_owned(), reason: "restored".to_owned(), since: 50 };
    assert_eq!(holds(&store, Some(&practice("p-1"))).await.unwrap(), [held]);
    assert_eq!(holds(&store, Some(&practice("p-2"))).await.unwrap(), []);
    for (id, attempts) in [("s-queued", 1), ("s-intent", 1), ("s-armed", 1), ("s-unknown", 1), ("s-again", 2)] {
        let (row, attempt) = get(&store, &practice("p-1"), id).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.negatives, row.unknown_at, row.asked), ("unknown", 0, Some(50), 0), "{id}");
        assert_eq!((row.attempts, attempt.unwrap().outcome.as_deref()), (attempts, Some("unknown")), "{id}");
        // Nothing is sent from here, whatever the program believes.
        assert_eq!(write(&store, id, 51, begins(&format!("x-{id}"))).await, Err(StoreError::Conflict), "{id}");
    }
    let found = unfinished(&store, &practice("p-1"), "acme", 2).await.unwrap();
    assert_eq!((found.rows.len(), found.waiting, found.unknown, found.person), (2, 0, 5, 0));
    // The carrier's own word opens the way again.
    write(&store, "s-queued", 60, Change { outcome: Some("confirmed_absent"), ..change("queued") }).await.unwrap();
    write(&store, "s-queued", 61, begins("a-7")).await.unwrap();
}
