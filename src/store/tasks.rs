//! Table `task`: what carriers asked of people, and how each ended.

use super::sql::{Row, values};
use super::trail::{Append, append_in, change_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// What is asked, as a word.
    pub kind: String,
    /// By which carrier.
    pub carrier: String,
    /// For which credential.
    pub credential: String,
    /// Whether the carrier had just refused an answer.
    pub again: bool,
    /// `open`, `answered`, `dismissed`, `expired` or `gone`.
    pub state: String,
    /// When it was raised, in microseconds since 1970.
    pub opened_at: i64,
    /// Until when it can be answered.
    pub expires_at: i64,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// The id of the person or key that closed it.
    pub closed_by: Option<String>,
}

/// How a task ends.
#[derive(Clone, Debug)]
pub struct Close {
    /// `answered`, `dismissed`, `expired` or `gone`.
    pub state: &'static str,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Whether it may have expired by then; else the task stays as it is.
    pub late: bool,
    /// The id of the person or key that closes it.
    pub by: Option<String>,
}

/// Which tasks to list. `None`: all.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// `Some(true)`: open ones only; `Some(false)`: closed ones only.
    pub open: Option<bool>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this carrier.
    pub carrier: Option<String>,
}

const COLUMNS: &str = "SELECT practice, id, kind, carrier, credential, again, state, opened_at, expires_at, closed_at,
    closed_by FROM task";

fn row(row: &Row<'_>) -> Result<TaskRow, StoreError> {
    Ok(TaskRow {
        practice: PracticeId::new(row.get::<String>(0)?),
        id: row.get(1)?,
        kind: row.get(2)?,
        carrier: row.get(3)?,
        credential: row.get(4)?,
        again: row.get::<i64>(5)? != 0,
        state: row.get(6)?,
        opened_at: row.get(7)?,
        expires_at: row.get(8)?,
        closed_at: row.get(9)?,
        closed_by: row.get(10)?,
    })
}

/// Adds an open task, with its record.
///
/// # Errors
/// [`StoreError::Conflict`] when there is no such practice, or the credential has an open one; else what the store says.
pub async fn open(store: &Store, new: TaskRow, record: Append) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO task(practice, id, kind, carrier, credential, again, state, opened_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8)",
                values![
                    new.practice.as_str(),
                    &new.id,
                    &new.kind,
                    &new.carrier,
                    &new.credential,
                    new.again,
                    new.opened_at,
                    new.expires_at
                ],
            )?;
            append_in(sql, record)?;
            Ok(())
        })
        .await
}

/// Closes an open task, with its record; `false` when it is not open, or too late: whoever comes first wins.
///
/// # Errors
/// What the store says.
pub async fn close(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    end: Close,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "UPDATE task SET state = ?3, closed_at = ?4, closed_by = ?5
                 WHERE practice = ?1 AND id = ?2 AND state = 'open' AND (?6 = 1 OR expires_at > ?4)",
                values![practice.as_str(), &id, end.state, end.at, &end.by, end.late],
                record,
            )
        })
        .await
}

/// One task of a practice.
///
/// # Errors
/// What the store says.
pub async fn one(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<TaskRow>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            sql.one(&format!("{COLUMNS} WHERE practice = ?1 AND id = ?2"), values![practice.as_str(), &id], row)
        })
        .await
}

/// A practice's tasks, newest first.
///
/// # Errors
/// What the store says.
pub async fn list(
    store: &Store,
    practice: &PracticeId,
    filter: TaskFilter,
    limit: u32,
) -> Result<Vec<TaskRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let query = format!(
                "{COLUMNS} WHERE practice = ?1 AND (?2 IS NULL OR (?2 = 1 AND state = 'open') OR (?2 = 0 AND state <> 'open'))
                 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR carrier = ?4)
                 ORDER BY opened_at DESC, id DESC LIMIT ?5"
            );
            let open = filter.open.map(i64::from);
            sql.all(&query, values![practice.as_str(), open, &filter.kind, &filter.carrier, limit], row)
        })
        .await
}

/// Open tasks of all practices, at most `limit`. For the start, when whatever waited for them is dead.
///
/// # Errors
/// What the store says.
pub async fn left_open(store: &Store, limit: u32) -> Result<Vec<TaskRow>, StoreError> {
    store.read(move |sql| sql.all(&format!("{COLUMNS} WHERE state = 'open' LIMIT ?1"), values![limit], row)).await
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::super::conformance::record;
    use super::super::keys::{self, PracticeRow};
    use super::super::trail::{self, Filter};
    use super::*;

    /// What both databases must do alike.
    pub async fn closed_once(store: Arc<Store>) {
        let (store, mine) = (&*store, PracticeId::new("p-1"));
        keys::ensure_practice(store, PracticeRow { id: mine.clone(), name: "One".to_owned() }, 1).await.unwrap();
        let task = |id: &str, expires_at| TaskRow {
            practice: mine.clone(),
            id: id.to_owned(),
            kind: "captcha".to_owned(),
            carrier: "acme".to_owned(),
            credential: "cred_1".to_owned(),
            again: true,
            state: "open".to_owned(),
            opened_at: 10,
            expires_at,
            closed_at: None,
            closed_by: None,
        };
        let ending = |state, at, late, by: Option<&str>| Close { state, at, late, by: by.map(str::to_owned) };
        open(store, task("t-1", 20), record(&mine, "opened")).await.unwrap();
        let second = open(store, task("t-2", 20), record(&mine, "opened")).await;
        assert_eq!(second, Err(StoreError::Conflict), "one open task for a credential");
        let end = |id: &'static str, end| close(store, &mine, id, end, record(&mine, "closed"));
        assert!(!end("t-1", ending("answered", 20, false, Some("a"))).await.unwrap(), "too late to answer");
        assert!(end("t-1", ending("expired", 20, true, None)).await.unwrap());
        assert!(!end("t-1", ending("answered", 15, false, Some("a"))).await.unwrap(), "closed is closed");
        open(store, task("t-2", 30), record(&mine, "opened")).await.unwrap();
        assert_eq!(left_open(store, 9).await.unwrap().len(), 1);
        assert!(end("t-2", ending("answered", 25, false, Some("a"))).await.unwrap());
        let row = one(store, &mine, "t-2").await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.closed_by.as_deref(), row.again), ("answered", Some("a"), true));
        assert!(one(store, &PracticeId::new("p-2"), "t-2").await.unwrap().is_none());
        let listed = |open, kind: Option<&str>| {
            let filter = TaskFilter { open, kind: kind.map(str::to_owned), carrier: Some("acme".to_owned()) };
            list(store, &mine, filter, 9)
        };
        assert_eq!(listed(None, None).await.unwrap().len(), 2);
        assert_eq!(listed(Some(true), None).await.unwrap().len(), 0);
        assert_eq!(listed(Some(false), Some("captcha")).await.unwrap().len(), 2);
        assert_eq!(listed(Some(false), Some("terms")).await.unwrap().len(), 0);
        // Opened twice, closed twice: nothing was recorded for what did not happen.
        assert_eq!(trail::list(store, &mine, Filter::default(), 9).await.unwrap().len(), 4);
    }
}
