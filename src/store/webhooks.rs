//! Table `webhook`: where a practice wants its events delivered, and how far that has come.

use std::fmt;

use super::sql::{Row, values};
use super::trail::{Append, append_in, change_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// One webhook.
#[derive(Clone)]
pub struct WebhookRow {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// Kinds of events, words separated by spaces; empty: all.
    pub kinds: String,
    /// The signing secret, sealed.
    pub sealed: Vec<u8>,
    /// `active` or `disabled`.
    pub state: String,
    /// Number of the last trail record that is dealt with.
    pub cursor: u64,
    /// Deliveries that failed one after the other.
    pub failures: u32,
    /// When the first of them failed, in microseconds since 1970.
    pub failing_since: Option<i64>,
    /// When the next delivery may start.
    pub next_at: i64,
    /// HTTP status of the last reply.
    pub last_status: Option<i64>,
    /// When something was last delivered.
    pub delivered_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

impl fmt::Debug for WebhookRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRow").field("id", &self.id).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "SELECT practice, id, url, kinds, sealed, state, cursor, failures, failing_since, next_at,
    last_status, delivered_at, created_at FROM webhook";

/// Adds a webhook, if the practice has fewer than `most`; `false` when it has not.
///
/// # Errors
/// [`StoreError::Conflict`] when there is no such practice; else what the store says.
pub async fn add(store: &Store, new: WebhookRow, most: u32, record: Append) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let practice = new.practice.as_str();
            let count = "SELECT count(*) FROM webhook WHERE practice = ?1 AND state <> 'deleted'";
            if sql.one(count, values![practice], |row| row.get::<i64>(0))?.unwrap_or(0) >= i64::from(most) {
                return Ok(false);
            }
            // What happened before is not told.
            sql.execute(
                "INSERT INTO webhook(practice, id, url, kinds, sealed, state, cursor, failures, next_at, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'active',
                   coalesce((SELECT seq FROM trail_head WHERE practice = ?1), 0), 0, ?6, ?6)",
                values![practice, &new.id, &new.url, &new.kinds, &new.sealed, new.created_at],
            )?;
            append_in(sql, record)?;
            Ok(true)
        })
        .await
}

/// A practice's webhooks, oldest first.
///
/// # Errors
/// What the store says.
pub async fn list(store: &Store, practice: &PracticeId) -> Result<Vec<WebhookRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let query = format!("{COLUMNS} WHERE practice = ?1 AND state <> 'deleted' ORDER BY created_at, id");
            sql.all(&query, values![practice.as_str()], row)
        })
        .await
}

/// Webhooks of all practices with something to look at whose next delivery may start, the one that waits longest first.
/// For the one who delivers.
///
/// # Errors
/// What the store says.
pub async fn due(store: &Store, now: i64, limit: u32) -> Result<Vec<WebhookRow>, StoreError> {
    store
        .read(move |sql| {
            let query = format!(
                "{COLUMNS} WHERE state = 'active' AND next_at <= ?1
                   AND cursor < (SELECT seq FROM trail_head WHERE trail_head.practice = webhook.practice)
                 ORDER BY next_at, id LIMIT ?2"
            );
            sql.all(&query, values![now, limit], row)
        })
        .await
}

fn row(row: &Row<'_>) -> Result<WebhookRow, StoreError> {
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok(WebhookRow {
        practice: PracticeId::new(row.get::<String>(0)?),
        id: row.get(1)?,
        url: row.get(2)?,
        kinds: row.get(3)?,
        sealed: row.get(4)?,
        state: row.get(5)?,
        cursor: number(row.get(6)?),
        failures: u32::try_from(row.get::<i64>(7)?).unwrap_or(0),
        failing_since: row.get(8)?,
        next_at: row.get(9)?,
        last_status: row.get(10)?,
        delivered_at: row.get(11)?,
        created_at: row.get(12)?,
    })
}

/// What came of a delivery, or of looking for one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// How far it has come.
    pub cursor: u64,
    /// Failures one after the other.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<i64>,
    /// When the next may start.
    pub next_at: i64,
    /// HTTP status of the reply.
    pub last_status: Option<i64>,
    /// When something was delivered.
    pub delivered_at: Option<i64>,
}

/// Notes how far deliveries have come.
///
/// # Errors
/// What the store says.
pub async fn progress(store: &Store, practice: &PracticeId, id: &str, progress: Progress) -> Result<(), StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    let cursor = i64::try_from(progress.cursor).map_err(|_| StoreError::Conflict)?;
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE webhook SET cursor = ?3, failures = ?4, failing_since = ?5, next_at = ?6,
                   last_status = coalesce(?7, last_status), delivered_at = coalesce(?8, delivered_at)
                 WHERE practice = ?1 AND id = ?2",
                values![
                    practice.as_str(),
                    &id,
                    cursor,
                    progress.failures,
                    progress.failing_since,
                    progress.next_at,
                    progress.last_status,
                    progress.delivered_at
                ],
            )?;
            Ok(())
        })
        .await
}

/// Changes a webhook's state (`active`, `disabled`, `deleted`), with the record of it; `false` when there is no such
/// webhook, or it is in that state already. An active one starts anew where it stopped.
///
/// # Errors
/// What the store says.
pub async fn set_state(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    state: &'static str,
    at: i64,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "UPDATE webhook SET state = ?3, failures = 0, failing_since = NULL, next_at = ?4
                 WHERE practice = ?1 AND id = ?2 AND state <> 'deleted' AND state <> ?3",
                values![practice.as_str(), &id, state, at],
                record,
            )
        })
        .await
}
