use std::sync::Arc;

use super::sql::values;
use super::*;
use crate::practice::PracticeId;

/// A table of the tests' own, made through the writer.
async fn with_table() -> Arc<Store> {
    let store = Store::open_temporary().unwrap();
    store.write(|sql| sql.0.batch("CREATE TABLE t(n INTEGER PRIMARY KEY, text TEXT) STRICT")).await.unwrap();
    store
}

async fn put(store: &Store, n: i64) -> Result<(), StoreError> {
    store.write(move |sql| sql.execute("INSERT INTO t(n, text) VALUES (?1, 'x')", values![n]).map(|_| ())).await
}

/// The one number that a query gives.
async fn number(store: &Store, query: &'static str) -> i64 {
    store.read(move |sql| sql.one(query, &[], |row| row.get(0))).await.unwrap().unwrap()
}

async fn count(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM t").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writes_share_few_commits() {
    let store = with_table().await;
    let (before, _) = store.counts();
    let tasks: Vec<_> = (0..500)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { put(&store, n).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (commits, writes) = store.counts();
    println!("{} writes in {} commits", writes - 1, commits - before);
    assert_eq!(count(&store).await, 500);
    assert_eq!(writes, 501);
    assert!((commits - before) * 4 < 500, "{} commits", commits - before);
}

#[tokio::test]
async fn one_failing_write_leaves_its_group_alone() {
    let store = with_table().await;
    put(&store, 7).await.unwrap();
    let results = futures_util::future::join_all((0..20).map(|n| put(&store, n))).await;
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result, if n == 7 { Err(StoreError::Conflict) } else { Ok(()) }, "{n}");
    }
    assert_eq!(count(&store).await, 20);
}

#[tokio::test]
async fn a_failing_write_keeps_none_of_its_statements() {
    let store = with_table().await;
    let result: Result<(), _> = store
        .write(|sql| {
            sql.execute("INSERT INTO t(n, text) VALUES (1, 'x')", &[])?;
            Err(StoreError::Conflict)
        })
        .await;
    assert_eq!(result, Err(StoreError::Conflict));
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn a_full_disk_refuses_and_heals() {
    let store = with_table().await;
    put(&store, 1).await.unwrap();
    let pages: i64 = number(&store, "PRAGMA page_count").await;
    let limit = move |pages: i64| {
        move |sql: &Sql<'_>| sql.one(&format!("PRAGMA max_page_count = {pages}"), &[], |_| Ok(())).map(|_| ())
    };
    store.write(limit(pages)).await.unwrap();
    let big = |n: i64| {
        store.write(move |sql| {
            sql.execute("INSERT INTO t(n, text) VALUES (?1, ?2)", values![n, "x".repeat(100_000).as_str()])?;
            Ok(())
        })
    };
    assert_eq!(big(2).await, Err(StoreError::DiskFull));
    assert_eq!(count(&store).await, 1);
    assert_eq!(store.writable(), Err(StoreError::DiskFull));
    store.write(limit(1_000_000)).await.unwrap();
    assert_eq!(store.writable(), Ok(()));
    big(2).await.unwrap();
    assert_eq!(count(&store).await, 2);
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_written_and_reads_go_on() {
    let store = with_table().await;
    put(&store, 1).await.unwrap();
    store.writer.pretend_sync_failed();
    assert_eq!(put(&store, 2).await, Err(StoreError::SyncFailed));
    assert_eq!(store.writable(), Err(StoreError::SyncFailed));
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_job_that_reports_a_failed_sync_ends_writing() {
    let store = with_table().await;
    let results =
        futures_util::future::join(put(&store, 1), store.write(|_| -> Result<(), _> { Err(StoreError::SyncFailed) }))
            .await;
    assert_eq!(results.1, Err(StoreError::SyncFailed));
    assert_eq!(put(&store, 3).await, Err(StoreError::SyncFailed));
}

#[tokio::test]
async fn the_directory_belongs_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).err().unwrap();
    assert_eq!(error, StoreError::Locked { dir: dir.path().to_owned() });
    assert!(error.to_string().contains("data_dir"), "{error}");
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let known = store.schema_version().await.unwrap();
    store
        .write(|sql| sql.execute("INSERT INTO schema_migration VALUES (99, 'from the future', 0)", &[]))
        .await
        .unwrap();
    drop(store);
    assert_eq!(Store::open(dir.path()).err(), Some(StoreError::TooNew { found: 99, known }));
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let row = keys::PracticeRow { id: PracticeId::new("p-1"), name: "One".to_owned() };
    keys::ensure_practice(&store, row.clone(), 1).await.unwrap();
    // A kill leaves the files as they are now: the write-ahead log is not folded in, nothing is closed.
    let left = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
        }
    }
    let again = Store::open(left.path()).unwrap();
    assert!(keys::practices(&again).await.unwrap().contains(&row));
}

#[tokio::test]
async fn dropping_the_store_commits_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let row = keys::PracticeRow { id: PracticeId::new("p-2"), name: "Two".to_owned() };
    {
        // The caller goes away as soon as its write is queued.
        let mut write = std::pin::pin!(keys::ensure_practice(&store, row.clone(), 1));
        let waker = std::task::Waker::noop();
        let _ = std::future::Future::poll(write.as_mut(), &mut std::task::Context::from_waker(waker));
    }
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert!(keys::practices(&again).await.unwrap().contains(&row));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/b");
    let store = Store::open(&data).unwrap();
    keys::practices(&store).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "{files} files");
}

#[tokio::test]
async fn a_temporary_store_leaves_nothing() {
    let store = Store::open_temporary().unwrap();
    let dir = store.dir().to_owned();
    assert!(dir.exists());
    drop(store);
    assert!(!dir.exists());
}

#[test]
fn every_commit_of_a_lasting_store_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (synchronous, journal): (Option<i64>, Option<String>) = runtime
        .block_on(store.write(|sql| {
            let synchronous = sql.one("PRAGMA synchronous", &[], |row| row.get(0))?;
            Ok((synchronous, sql.one("PRAGMA journal_mode", &[], |row| row.get(0))?))
        }))
        .unwrap();
    assert_eq!((synchronous, journal.as_deref()), (Some(2), Some("wal")));
}
