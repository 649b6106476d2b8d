//! What every database behind the store must do alike. Each behaviour is tried on SQLite and, where `tests/postgres`
//! has started a server, on PostgreSQL; without one the PostgreSQL half says that it tried nothing.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::answers::{self, AskRow, Completed, EvidenceRow};
use super::checkpoints::{self, CheckpointRow, PacketRow, TrailKeyRow};
use super::credentials::{self, FieldRow, NewCredential, Refused};
use super::keys::{self, KeyRow, PracticeRow};
use super::people::{self, Change, Joining, MembershipRow, PersonRow};
use super::sessions::{self, Beginning, Proof, SessionRow};
use super::sql::values;
use super::trail::{self, About, Append, DetailRow, End, Filter, Head, Link};
use super::*;
use crate::practice::PracticeId;

/// Where a store is, to be opened as often as a test likes.
struct Place {
    dir: TempDir,
    tables: Tables,
}

impl Place {
    fn sqlite() -> Option<Self> {
        Some(Self { dir: tempfile::tempdir().unwrap(), tables: Tables::Embedded })
    }

    /// A database of its own in the server of the tests.
    fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("PORTICO_TEST_POSTGRES") else {
            println!("not tried: no PostgreSQL server here (tests/postgres starts one)");
            return None;
        };
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        let connect = |server: &str| Postgres::reading(&PostgresServer::new(server, None).unwrap()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| connect(&server).batch(&format!("CREATE DATABASE {name}")).unwrap()).join().unwrap();
        });
        let server = server.replace("dbname=postgres", &format!("dbname={name}"));
        let tables = Tables::Postgres(Box::new(PostgresServer::new(&server, None).unwrap()));
        Some(Self { dir: tempfile::tempdir().unwrap(), tables })
    }

    async fn open(&self) -> Arc<Store> {
        self.try_open(self.dir.path()).await.unwrap()
    }

    async fn try_open(&self, dir: &Path) -> Result<Arc<Store>, StoreError> {
        Store::open_at(dir, &self.tables).await
    }
}

/// One test for each database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite_does {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = super::Place::sqlite() { super::$name(place).await }
            })*
        }
        mod postgres_does {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = super::Place::postgres() { super::$name(place).await }
            })*
        }
    };
}
on_both! {
    keep_what_was_acknowledged
    share_commits_and_leave_a_failing_write_alone
    belong_to_one_process
    refuse_a_newer_schema
    tell_keys_by_practice
    keep_the_trail_append_only
    list_and_walk_the_trail
    find_records_by_what_they_commit_to
    keep_what_was_signed_about_the_trail
    keep_a_credential_through_its_generations
    complete_a_question_once
    give_every_kind_of_value_back
    fill_another_store_of_either_kind
    let_people_in_once_for_each_proof
    guard_submissions
    close_a_task_once
    keep_idempotency_keys_for_good
    take_no_step_without_its_record
    doubt_what_was_put_back
    find_every_sealed_text
    change_a_patient_once_for_each_version
    keep_a_days_appointments
}

async fn find_every_sealed_text(place: Place) {
    super::rewrap::tests::finds_every_text(place.open().await).await;
}

async fn change_a_patient_once_for_each_version(place: Place) {
    super::patients::tests::versions(place.open().await).await;
}

async fn close_a_task_once(place: Place) {
    super::tasks::tests::closed_once(place.open().await).await;
}

async fn keep_a_days_appointments(place: Place) {
    super::schedule::tests::keeps_a_day(place.open().await).await;
}

async fn guard_submissions(place: Place) {
    super::submissions::tests::guards(place.open().await).await;
}

async fn keep_idempotency_keys_for_good(place: Place) {
    super::submissions::tests::keys_and_duplicates(place.open().await).await;
}

async fn doubt_what_was_put_back(place: Place) {
    super::submissions::tests::doubted_after_a_restore(place.open().await).await;
}

async fn take_no_step_without_its_record(place: Place) {
    super::submissions::tests::no_record_no_step(place.open().await).await;
}

fn p(n: u8) -> PracticeId {
    PracticeId::new(format!("p-{n}"))
}

pub(super) async fn practice(store: &Store, n: u8) -> PracticeId {
    keys::ensure_practice(store, PracticeRow { id: p(n), name: format!("Practice {n}") }, 1).await.unwrap();
    p(n)
}

/// A record without a chain worth the name: what is chained is the trail room's business.
pub(super) fn record(practice: &PracticeId, action: &str) -> Append {
    let body = format!("{{\"action\":\"{action}\",\"actor\":\"a\",\"carrier\":\"acme\",\"ask_id\":null}}");
    let link = Box::new(move |end: End| {
        let seq = end.head.map_or(1, |head| head.seq + 1);
        let head = Head { seq, chain: [7; 32], mac: [8; 32], epoch: 1, frontier: Some(vec![seq as u8; 3]) };
        Ok(Link { body, mac: [8; 32], head, tiles: vec![(seq, [9; 32])] })
    });
    Append::new(practice, 5, link, None)
}

async fn keep_what_was_acknowledged(place: Place) {
    let store = place.open().await;
    practice(&store, 1).await;
    drop(store);
    let again = place.open().await;
    let found = keys::practices(&again).await.unwrap();
    assert!(found.contains(&PracticeRow { id: p(1), name: "Practice 1".to_owned() }), "{found:?}");
    assert_eq!(again.schema_version().await.unwrap(), migrations::NEWEST);
}

async fn share_commits_and_leave_a_failing_write_alone(place: Place) {
    let store = place.open().await;
    practice(&store, 7).await;
    let (before, _) = store.counts();
    let add = |n: u8| {
        let store = Arc::clone(&store);
        // Number 7 is there already.
        tokio::spawn(async move {
            store
                .write(move |sql| {
                    sql.execute(
                        "INSERT INTO practice(id, name, created_at) VALUES (?1, ?2, ?3)",
                        values![p(n).as_str(), "x", 1_i64],
                    )
                })
                .await
        })
    };
    let tasks: Vec<_> = (0..100).map(add).collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let expected = if n == 7 { Err(StoreError::Conflict) } else { Ok(1) };
        assert_eq!(task.await.unwrap(), expected, "{n}");
    }
    let (after, _) = store.counts();
    assert!(after - before < 100, "{} commits", after - before);
    assert_eq!(keys::practices(&store).await.unwrap().len(), 101);
}

async fn belong_to_one_process(place: Place) {
    let store = place.open().await;
    assert!(place.try_open(place.dir.path()).await.is_err());
    if let Tables::Postgres(_) = place.tables {
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(place.try_open(elsewhere.path()).await.err(), Some(StoreError::DatabaseTaken));
    }
    drop(store);
    place.open().await;
}

async fn refuse_a_newer_schema(place: Place) {
    let store = place.open().await;
    let sql = "INSERT INTO schema_migration VALUES (99, 'from the future', 0)";
    store.write(move |connection| connection.execute(sql, &[])).await.unwrap();
    drop(store);
    let error = place.try_open(place.dir.path()).await.err();
    assert_eq!(error, Some(StoreError::TooNew { found: 99, known: migrations::NEWEST }));
}

async fn tell_keys_by_practice(place: Place) {
    let store = place.open().await;
    let (one, two) = (practice(&store, 1).await, practice(&store, 2).await);
    let key = |practice: &PracticeId| KeyRow {
        id: "key_1".to_owned(),
        practice: practice.clone(),
        label: "front desk".to_owned(),
        scopes: "ask raw".to_owned(),
        created_at: 3,
        revoked_at: None,
    };
    keys::add(&store, key(&one), [1; 32], record(&one, "key.created")).await.unwrap();
    let twice = keys::add(&store, key(&two), [1; 32], record(&two, "key.created")).await;
    assert_eq!(twice, Err(StoreError::Conflict));
    let nobody = keys::add(&store, key(&p(9)), [2; 32], record(&p(9), "key.created")).await;
    assert_eq!(nobody, Err(StoreError::Conflict));
    assert_eq!(keys::by_hash(&store, [1; 32]).await.unwrap(), Some((key(&one), [1; 32])));
    assert_eq!(keys::list(&store, &two).await.unwrap(), []);
    assert!(!keys::revoke(&store, &two, "key_1", 9, record(&two, "key.revoked")).await.unwrap());
    assert!(keys::revoke(&store, &one, "key_1", 9, record(&one, "key.revoked")).await.unwrap());
    assert_eq!(keys::list(&store, &one).await.unwrap()[0].revoked_at, Some(9));
    // What did not happen left no record.
    assert_eq!(trail::list(&store, &two, Filter::default(), 9).await.unwrap(), []);
}

async fn keep_the_trail_append_only(place: Place) {
    let store = place.open().await;
    trail::append(&store, record(&p(1), "one")).await.unwrap();
    for sql in ["UPDATE trail SET at = 0", "DELETE FROM trail", "UPDATE trail SET body = '{}' WHERE seq = 1"] {
        let refused = store.write(move |connection| connection.execute(sql, &[])).await;
        assert_eq!(refused, Err(StoreError::Conflict), "{sql}");
    }
    assert_eq!(trail::list(&store, &p(1), Filter::default(), 9).await.unwrap().len(), 1);
}

async fn list_and_walk_the_trail(place: Place) {
    let store = place.open().await;
    for n in 0..6 {
        trail::append(&store, record(&p(1), if n % 2 == 0 { "even" } else { "odd" })).await.unwrap();
    }
    trail::append(&store, record(&p(2), "even")).await.unwrap();
    let seqs = |rows: Vec<trail::TrailRow>| rows.iter().map(|row| row.seq).collect::<Vec<_>>();
    let one = p(1);
    let list = |filter| trail::list(&store, &one, filter, 3);
    assert_eq!(seqs(list(Filter::default()).await.unwrap()), [6, 5, 4]);
    let even = Filter { action: Some("even".to_owned()), before_seq: Some(5), ..Filter::default() };
    assert_eq!(seqs(list(even).await.unwrap()), [3, 1]);
    let other = Filter { carrier: Some("other".to_owned()), from: Some(1), to: Some(9), ..Filter::default() };
    assert_eq!(seqs(list(other).await.unwrap()), [0; 0]);
    let (head, seen) = trail::walk(&store, &p(1), Vec::new(), |seen: &mut Vec<u64>, row| {
        seen.push(row.record.seq);
        row.record.seq < 4
    })
    .await
    .unwrap();
    assert_eq!((head.map(|head| head.seq), seen), (Some(6), vec![1, 2, 3, 4]));
}

async fn find_records_by_what_they_commit_to(place: Place) {
    let store = place.open().await;
    let about = |ask: &str, patient: Option<[u8; 32]>| {
        let record = record(&p(1), "answered");
        let ask = ask.to_owned();
        let link: trail::MakeLink = Box::new(move |end| {
            let mut link = (record.link)(end)?;
            link.body = link.body.replace("null", &format!("\"{ask}\""));
            Ok(link)
        });
        Append::new(&p(1), 5, link, patient.map(|code| DetailRow { patient: Some(code), sealed: vec![1, 2] }))
    };
    for (ask, patient) in [("a", Some([1; 32])), ("a", None), ("b", Some([2; 32])), ("c", Some([1; 32]))] {
        trail::append(&store, about(ask, patient)).await.unwrap();
    }
    let one = p(1);
    let found = |what: About, time| {
        let (store, one) = (&store, &one);
        async move {
            let rows = trail::about(store, one, what, time, 9).await.unwrap();
            rows.iter().map(|row| (row.record.seq, row.detail.is_some())).collect::<Vec<_>>()
        }
    };
    let all = (None, None);
    assert_eq!(found(About::Ask("a".to_owned()), all).await, [(1, true), (2, false)]);
    assert_eq!(found(About::Patient(vec![[1; 32], [3; 32]]), all).await, [(1, true), (2, false), (4, true)]);
    assert_eq!(found(About::Everything, (Some(5), Some(6))).await.len(), 4);
    assert_eq!(found(About::Everything, (Some(6), None)).await, []);
    assert_eq!(found(About::Everything, (None, Some(5))).await, []);
    let range = trail::range(&store, &one, 2, 3).await.unwrap();
    assert_eq!(range.iter().map(|row| row.record.mac).collect::<Vec<_>>(), [Some([8; 32]); 2]);
    assert_eq!(range[1].detail.as_ref().unwrap().patient, Some([2; 32]));
    assert_eq!(trail::bodies(&store, &one, 3, 9).await.unwrap().len(), 2);
    assert_eq!(trail::tiles(&store, &one).await.unwrap()[3], (4, [9; 32]));
    let head = trail::head(&store, &one).await.unwrap().unwrap();
    assert_eq!((head.seq, head.epoch, head.frontier), (4, 1, Some(vec![4; 3])));
    assert_eq!(trail::practices(&store).await.unwrap(), trail::all_practices(&store).await.unwrap());
}

async fn keep_what_was_signed_about_the_trail(place: Place) {
    let store = place.open().await;
    let one = p(1);
    let key =
        |n| TrailKeyRow { n, public: [n as u8; 32], sealed: vec![1], announcement: "{}".to_owned(), created_at: 1 };
    checkpoints::add_key(&store, key(1), record(&one, "made")).await.unwrap();
    assert_eq!(checkpoints::add_key(&store, key(1), record(&one, "made")).await, Err(StoreError::Conflict));
    checkpoints::add_key(&store, key(2), record(&one, "rotated")).await.unwrap();
    assert_eq!(checkpoints::keys(&store).await.unwrap().iter().map(|key| key.n).collect::<Vec<_>>(), [1, 2]);
    let row = |epoch, size| CheckpointRow { practice: p(1), epoch, size, note: format!("{epoch} {size}"), at: 1 };
    let rows = vec![row(1, 2), row(1, 9), row(2, 4)];
    checkpoints::put(&store, rows.clone(), vec![record(&one, "checkpoint")]).await.unwrap();
    checkpoints::put(&store, vec![row(1, 9)], Vec::new()).await.unwrap();
    assert_eq!(checkpoints::last(&store, &one, 1, 8).await.unwrap(), Some(row(1, 2)));
    assert_eq!(checkpoints::last(&store, &one, 1, i64::MAX as u64).await.unwrap(), Some(row(1, 9)));
    assert_eq!(checkpoints::last(&store, &p(2), 1, 8).await.unwrap(), None);
    assert_eq!(checkpoints::all(&store, &one).await.unwrap(), rows);
    let packet = |id: &str, at| PacketRow { id: id.to_owned(), epoch: 1, size: 2, digest: [3; 32], at };
    checkpoints::add_packet(&store, &one, packet("a", 1), record(&one, "packet")).await.unwrap();
    checkpoints::add_packet(&store, &one, packet("b", 2), record(&one, "packet")).await.unwrap();
    assert_eq!(checkpoints::packets(&store, &one, 1).await.unwrap(), [packet("b", 2)]);
    assert_eq!(trail::list(&store, &one, Filter::default(), 99).await.unwrap().len(), 5);
}

async fn keep_a_credential_through_its_generations(place: Place) {
    let store = place.open().await;
    let one = practice(&store, 1).await;
    let sealed = |value: u8| -> credentials::Seal {
        Box::new(move |_, generation, _| {
            let byte = value + u8::try_from(generation).unwrap();
            Ok(vec![FieldRow { name: "password".to_owned(), data_key: vec![byte; 3], sealed: vec![byte; 4] }])
        })
    };
    let new = || NewCredential {
        practice: p(1),
        carrier: "acme".to_owned(),
        id: "cred_1".to_owned(),
        origins: "[]".to_owned(),
        expires_at: Some(99),
        at: 11,
    };
    let made = credentials::put(&store, new(), sealed(10), record(&one, "put")).await.unwrap();
    assert_eq!((made.generation, made.fields[0].sealed.as_slice()), (1, [11_u8; 4].as_slice()));
    let refused = Refused { generation: 1, reason: "refused", outright: true, at: 12 };
    assert!(credentials::stop(&store, &one, "acme", refused, record(&one, "stop")).await.unwrap());
    assert!(!credentials::stop(&store, &one, "acme", refused, record(&one, "stop")).await.unwrap());
    assert!(credentials::enable(&store, &one, "acme", 1, sealed(20), record(&one, "enable")).await.unwrap());
    let login = |generation| logins::LoginPlace { practice: one.clone(), carrier: "acme".to_owned(), generation };
    assert!(!logins::begin(&store, login(1), 13).await.unwrap(), "old values");
    assert!(logins::begin(&store, login(2), 13).await.unwrap());
    logins::ended(&store, login(2), 12).await.unwrap();
    let trying = credentials::current(&store, &one, "acme").await.unwrap().unwrap();
    assert_eq!((trying.login_at, trying.stage.as_deref(), trying.expires_at), (Some(13), Some("verifying"), Some(99)));
    for _ in 0..2 {
        logins::accepted(&store, login(2), 13, record(&one, "verified")).await.unwrap();
    }
    let accepted = credentials::current(&store, &one, "acme").await.unwrap().unwrap();
    assert_eq!((accepted.login_at, accepted.stage, accepted.accepted), (None, None, 2));
    for (step, free) in [(7, true), (7, false), (6, false), (8, true)] {
        assert_eq!(logins::take_step(&store, &one, "acme", step).await.unwrap(), free, "{step}");
    }
    let again = credentials::put(&store, new(), sealed(30), record(&one, "put")).await.unwrap();
    assert_eq!((again.generation, again.state.as_str(), again.fields.len()), (3, "active", 1));
    credentials::touch(&store, &one, "acme", 77).await.unwrap();
    assert_eq!(credentials::list(&store, &one).await.unwrap()[0].last_used_at, Some(77));
    assert!(credentials::delete(&store, &one, "acme", 80, record(&one, "delete")).await.unwrap());
    assert!(credentials::current(&store, &one, "acme").await.unwrap().is_none());
    let nobody = NewCredential { practice: p(9), ..new() };
    let error = credentials::put(&store, nobody, sealed(1), record(&p(9), "put")).await.err();
    assert_eq!(error, Some(StoreError::Conflict));
    assert_eq!(trail::list(&store, &one, Filter::default(), 99).await.unwrap().len(), 6);
}

async fn complete_a_question_once(place: Place) {
    let store = place.open().await;
    let one = practice(&store, 1).await;
    let ask = |id: &str, state: &str| AskRow {
        practice: p(1),
        id: id.to_owned(),
        carrier: "acme".to_owned(),
        operation: "eligibility".to_owned(),
        state: state.to_owned(),
        created_at: 1,
        completed_at: (state != "pending").then_some(2),
    };
    answers::begin(&store, ask("a", "pending"), Some(record(&one, "taken"))).await.unwrap();
    answers::begin(&store, ask("b", "pending"), None).await.unwrap();
    assert_eq!(answers::begin(&store, ask("a", "pending"), None).await, Err(StoreError::Conflict));
    let completed = || Completed {
        ask: ask("a", "answered"),
        envelope: vec![1, 2, 3],
        evidence_id: Some("ev_1".to_owned()),
        evidence: Some(EvidenceRow { id: "ev_1".to_owned(), sealed: vec![9] }),
    };
    answers::complete(&store, completed(), record(&one, "answered")).await.unwrap();
    let twice = answers::complete(&store, completed(), record(&one, "answered")).await;
    assert_eq!(twice, Err(StoreError::Conflict));
    let found = answers::get(&store, &one, "a").await.unwrap().unwrap();
    assert_eq!((found.ask.state.as_str(), found.envelope), ("answered", Some(vec![1, 2, 3])));
    assert_eq!(answers::evidence(&store, &one, "a").await.unwrap().unwrap().1.sealed, [9]);
    assert!(answers::get(&store, &p(2), "a").await.unwrap().is_none());
    assert_eq!(answers::close_pending(&store, &one, 5).await.unwrap(), 1);
    assert_eq!(trail::list(&store, &one, Filter::default(), 99).await.unwrap().len(), 2);
}

async fn give_every_kind_of_value_back(place: Place) {
    let store = place.open().await;
    let schema = "CREATE TABLE kinds(n BIGINT, t TEXT, b BLOB)";
    let schema =
        if let Tables::Postgres(_) = place.tables { schema.replace("BLOB", "BYTEA") } else { schema.to_owned() };
    store.write(move |sql| sql.0.batch(&schema)).await.unwrap();
    store
        .write(|sql| {
            let insert = "INSERT INTO kinds(n, t, b) VALUES (?1, ?2, ?3)";
            sql.execute(insert, values![i64::MIN, "'?1' — ☃", &[0_u8, 255, 39]])?;
            sql.execute(insert, values![None::<i64>, None::<&str>, None::<&[u8]>])
        })
        .await
        .unwrap();
    type Kinds = (Option<i64>, Option<String>, Option<Vec<u8>>);
    let found: Vec<Kinds> = store
        .read(|sql| {
            sql.all(
                "SELECT n, t, b FROM kinds WHERE ?1 IS NULL OR n = ?1 ORDER BY n IS NULL",
                values![None::<i64>],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
        })
        .await
        .unwrap();
    assert_eq!(found, [(Some(i64::MIN), Some("'?1' — ☃".to_owned()), Some(vec![0, 255, 39])), (None, None, None)]);
    let wrong =
        store.read(|sql| sql.one("SELECT t FROM kinds WHERE n IS NOT NULL", &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(wrong, Err(StoreError::Damaged { .. })), "{wrong:?}");
}

async fn fill_another_store_of_either_kind(place: Place) {
    use std::sync::Mutex;
    let from = place.open().await;
    let one = practice(&from, 1).await;
    let key = KeyRow {
        id: "key_1".to_owned(),
        practice: one.clone(),
        label: "front desk".to_owned(),
        scopes: "ask".to_owned(),
        created_at: 3,
        revoked_at: None,
    };
    keys::add(&from, key.clone(), [1; 32], record(&one, "key.created")).await.unwrap();
    let pieces = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
    let sink = Arc::clone(&pieces);
    let take: dump::Sink = Box::new(move |piece| {
        sink.lock().unwrap().push(piece.to_vec());
        Ok(())
    });
    let rows = dump::dump(&from, dump::Which::AllBut(&["vault_root"]), take).await.unwrap();
    assert!(!dump::is_new(&from).await.unwrap());
    for to in [Place::sqlite(), Place::postgres()].into_iter().flatten() {
        let to = to.open().await;
        assert!(dump::is_new(&to).await.unwrap());
        let stream: Vec<u8> = pieces.lock().unwrap().concat();
        // However it is cut into pieces.
        let give = |until: usize| -> dump::Source {
            let mut rest: Vec<Vec<u8>> = stream[..until].chunks(7).rev().map(<[u8]>::to_vec).collect();
            Box::new(move || Ok(rest.pop().unwrap_or_default()))
        };
        for until in [0, 1, stream.len() / 2, stream.len() - 1] {
            assert!(matches!(dump::fill(&to, give(until)).await, Err(StoreError::Damaged { .. })), "{until}");
        }
        assert!(dump::is_new(&to).await.unwrap());
        assert_eq!(dump::fill(&to, give(stream.len())).await.unwrap(), rows);
        assert_eq!(keys::by_hash(&to, [1; 32]).await.unwrap(), Some((key.clone(), [1; 32])));
        let trails = [&from, &to].map(|store| trail::list(store, &one, Filter::default(), 9));
        let [before, after] = futures_util::future::join_all(trails).await.try_into().unwrap();
        assert_eq!(after.unwrap(), before.unwrap());
    }
}

/// Ends the server's side of every connection to the store's database but the one that asks.
fn cut_connections(tables: &Tables) {
    let Tables::Postgres(server) = tables else { return };
    std::thread::scope(|scope| {
        let cut = scope.spawn(|| {
            Postgres::reading(server).unwrap().batch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        });
        cut.join().unwrap().unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_to_postgresql_comes_back() {
    let Some(place) = Place::postgres() else { return };
    let store = place.open().await;
    practice(&store, 1).await;
    cut_connections(&place.tables);
    practice(&store, 2).await;
    assert_eq!(keys::practices(&store).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_replaced_meanwhile_writes_nothing_more() {
    let Some(place) = Place::postgres() else { return };
    let store = place.open().await;
    practice(&store, 1).await;
    cut_connections(&place.tables);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = place.try_open(elsewhere.path()).await.unwrap();
    practice(&other, 2).await;
    let late = PracticeRow { id: p(3), name: "Late".to_owned() };
    assert_eq!(keys::ensure_practice(&store, late.clone(), 1).await, Err(StoreError::TakenOver));
    drop(other);
    assert_eq!(keys::ensure_practice(&store, late, 1).await, Err(StoreError::TakenOver));
    let third = place.try_open(elsewhere.path()).await.unwrap();
    assert_eq!(keys::practices(&third).await.unwrap().len(), 3);
}

fn joining(practice: &PracticeId, n: u8, role: &str) -> Joining {
    let (id, email) = (format!("person-{n}"), format!("{n}@practice.example"));
    let person = PersonRow { id: id.clone(), email, second_factor: true, created_at: 1, ..PersonRow::default() };
    let membership = MembershipRow {
        practice: practice.clone(),
        practice_name: String::new(),
        person: id,
        name: "N".to_owned(),
        role: role.to_owned(),
        created_at: i64::from(n),
    };
    Joining { person, is_new: true, membership, invite: Some(([n; 32], 50)) }
}

fn beginning(practice: &PracticeId, n: u8, hash: u8, replaces: Option<u8>) -> Beginning {
    let session = SessionRow {
        practice: practice.clone(),
        person: format!("person-{n}"),
        id: format!("ses-{hash}"),
        level: "totp".to_owned(),
        tries: 0,
        created_at: 10,
        seen_at: 10,
        expires_at: 100,
        ended_at: None,
    };
    let records = vec![record(practice, "session.started")];
    Beginning { session, hash: [hash; 32], replaces: replaces.map(|old| [old; 32]), device: Some([9; 32]), records }
}

async fn let_people_in_once_for_each_proof(place: Place) {
    let store = place.open().await;
    let here = practice(&store, 1).await;
    assert!(!people::any(&store).await.unwrap());
    sessions::put_setup_token(&store, [3; 32], 20).await.unwrap();
    assert!(sessions::setup_token_is(&store, [3; 32], 19).await.unwrap());
    let set_up = |at| {
        let first = joining(&here, 1, "admin");
        sessions::set_up(&store, [3; 32], at, "Renamed".into(), vec![5], first, record(&here, "set_up"))
    };
    assert!(!set_up(20).await.unwrap());
    assert!(set_up(19).await.unwrap());
    assert!(!set_up(19).await.unwrap());
    assert_eq!(sessions::profile(&store, &here).await.unwrap(), Some(("Renamed".to_owned(), Some(vec![5]))));
    assert_eq!(people::join(&store, joining(&here, 1, "x"), 9, record(&here, "a")).await, Err(StoreError::Conflict));
    assert!(people::join(&store, joining(&here, 2, "desk"), 9, record(&here, "a")).await.unwrap());
    assert!(!people::join(&store, joining(&here, 3, "desk"), 2, record(&here, "a")).await.unwrap());
    assert_eq!(people::members(&store, &here, 9).await.unwrap().len(), 2);

    // An invitation, once.
    assert!(people::by_invite(&store, [2; 32], 50).await.unwrap().is_none());
    let invited = people::by_invite(&store, [2; 32], 49).await.unwrap().unwrap();
    let accept = || people::accept_invite(&store, &invited.id, [2; 32], vec![8], vec![record(&here, "p")]);
    assert!(accept().await.unwrap());
    assert!(!accept().await.unwrap());

    // Codes set up, a step once, a session replaced once.
    people::draft_totp(&store, "person-2", vec![6]).await.unwrap();
    let enrol = |draft: u8| Proof::Enrolment { draft: vec![draft], step: 70, codes: vec![[4; 32], [5; 32]] };
    assert!(!sessions::begin(&store, beginning(&here, 2, 20, None), enrol(7)).await.unwrap());
    assert!(sessions::begin(&store, beginning(&here, 2, 20, None), enrol(6)).await.unwrap());
    for (step, hash, good) in [(70, 21, false), (71, 21, true), (71, 22, false), (69, 22, false)] {
        let begun = sessions::begin(&store, beginning(&here, 2, hash, None), Proof::TotpStep(step)).await.unwrap();
        assert_eq!(begun, good, "{step}");
    }
    assert!(sessions::begin(&store, beginning(&here, 2, 23, Some(21)), Proof::RecoveryCode([4; 32])).await.unwrap());
    assert!(!sessions::begin(&store, beginning(&here, 2, 24, None), Proof::RecoveryCode([4; 32])).await.unwrap());
    // The replaced one is over; nothing of a refused beginning stays.
    assert!(!sessions::begin(&store, beginning(&here, 2, 24, Some(21)), Proof::TotpStep(99)).await.unwrap());
    assert!(sessions::begin(&store, beginning(&here, 2, 24, None), Proof::TotpStep(99)).await.unwrap());
    assert!(sessions::take_try(&store, [24; 32], 1, 30).await.unwrap());
    assert!(!sessions::take_try(&store, [24; 32], 1, 30).await.unwrap());
    sessions::touch(&store, [23; 32], 40).await.unwrap();
    let (found, person, memberships) = sessions::by_hash(&store, [23; 32]).await.unwrap().unwrap();
    assert_eq!((found.seen_at, person.totp_step, memberships.len()), (40, 99, 1));
    assert_eq!(people::knows_device(&store, "person-2", [9; 32]).await.unwrap(), (true, true));
    assert_eq!(people::knows_device(&store, "person-1", [9; 32]).await.unwrap(), (false, true));

    // Ended by hand, in the own practice only; by another role; by a reset.
    let other = practice(&store, 2).await;
    let revoke = async |practice: &PracticeId, person: Option<&str>| {
        sessions::revoke(&store, practice, "ses-20", person, 41, record(practice, "r")).await
    };
    assert!(!revoke(&other, None).await.unwrap());
    assert!(!revoke(&here, Some("person-1")).await.unwrap());
    assert!(revoke(&here, Some("person-2")).await.unwrap());
    let list = || sessions::list(&store, &here, None, 42, 9);
    assert_eq!(list().await.unwrap().iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["ses-23"]);
    let change = |n: u8, role: &str| {
        let MembershipRow { practice, .. } = joining(&here, n, role).membership;
        people::change_member(&store, joining(&practice, n, role).membership, "admin", 43, record(&here, "c"))
    };
    assert_eq!(change(1, "desk").await.unwrap(), Change::LastAdmin);
    assert_eq!(change(7, "desk").await.unwrap(), Change::NoSuchMember);
    assert_eq!(change(2, "admin").await.unwrap(), Change::Done);
    assert!(list().await.unwrap().is_empty());
    people::reset(&store, "person-2", ([6; 32], 90), 44, vec![record(&here, "reset")]).await.unwrap();
    let (person, _) = people::by_email(&store, "2@practice.example").await.unwrap().unwrap();
    assert_eq!((person.password, person.totp), (None, None));
    assert_eq!(people::knows_device(&store, "person-2", [9; 32]).await.unwrap(), (false, false));
    let removed = people::remove_member(&store, &here, "person-2", "admin", 45, record(&here, "x")).await;
    assert_eq!(removed.unwrap(), Change::Done);
    for count in 1..=2 {
        people::count_unknown(&store, 5).await.unwrap();
        assert_eq!(people::unknown_on(&store, 5).await.unwrap(), count);
    }
}
