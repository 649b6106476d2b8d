//! Tables `batch` and `batch_item`: batches of questions, and where each of their items stands.

use std::fmt;

use super::sql::{Row, Sql, Value, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// Rows in one `INSERT`: one statement for each would hold up whoever writes after it.
const ROWS_AT_ONCE: usize = 100;

/// A batch, as it is made.
pub struct NewBatch {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Digest of the caller's idempotency key.
    pub idem: [u8; 32],
    /// Sealed digest of what was handed in.
    pub content: Vec<u8>,
    /// Its sealed name.
    pub name: Option<Vec<u8>>,
    /// In whose name the questions are put.
    pub actor: String,
    /// How many items of what was handed in were left out.
    pub left_out: i64,
    /// When, in microseconds since 1970.
    pub made_at: i64,
    /// Carrier and sealed question of each item, in their order; the first one is number 1.
    pub items: Vec<(String, Vec<u8>)>,
}

/// A batch, as it is stored.
#[derive(Clone)]
pub struct BatchRow {
    /// Its id.
    pub id: String,
    /// Sealed digest of what was handed in.
    pub content: Vec<u8>,
    /// Its sealed name.
    pub name: Option<Vec<u8>>,
    /// In whose name the questions are put.
    pub actor: String,
    /// `running`, `paused`, `cancelled` or `done`.
    pub state: String,
    /// Why it is paused, where nobody paused it: a fixed word.
    pub reason: Option<String>,
    /// How many items.
    pub items: i64,
    /// How many were left out.
    pub left_out: i64,
    /// When it was made, in microseconds since 1970.
    pub made_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

impl fmt::Debug for BatchRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRow").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// An item that is not finished.
#[derive(Clone, Debug)]
pub struct OpenItem {
    /// Its number.
    pub n: i64,
    /// Whom it is for.
    pub carrier: String,
    /// The question under way, where one is.
    pub asking: Option<String>,
    /// Not before, in microseconds since 1970.
    pub not_before: i64,
}

/// An item that was taken to be asked.
pub struct TakenItem {
    /// Its sealed question.
    pub sealed: Vec<u8>,
    /// How often the carrier was asked for it without an outcome.
    pub tries: i64,
    /// When it was taken first, in microseconds since 1970.
    pub first_at: i64,
}

/// An item, as it is stored.
pub struct ItemRow {
    /// Its number.
    pub n: i64,
    /// Whom it is for.
    pub carrier: String,
    /// Where it stands.
    pub state: String,
    /// Why it waits again, or failed.
    pub reason: Option<String>,
    /// The question that was put for it last.
    pub question: Option<String>,
    /// How often the carrier was asked for it without an outcome.
    pub tries: i64,
    /// When it was finished, in microseconds since 1970.
    pub ended_at: Option<i64>,
    /// Its sealed question.
    pub sealed: Vec<u8>,
}

/// Where an item goes after it was asked.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Its number.
    pub n: i64,
    /// The question it was asked by.
    pub question: String,
    /// The state it goes to.
    pub state: &'static str,
    /// Why, in a fixed word.
    pub reason: Option<&'static str>,
    /// Whether this counts as a try.
    pub tried: bool,
    /// Not before, where it waits again.
    pub not_before: i64,
    /// When.
    pub at: i64,
}

const COLUMNS: &str = "id, content, name, actor, state, reason, items, left_out, made_at, ended_at";

/// Adds a batch with all its items and the record of it, in one durable step, unless the practice has `open_max` open
/// ones. `false`: it has.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice has used this idempotency key.
pub async fn make(store: &Store, new: NewBatch, open_max: i64, record: Append) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let practice = new.practice.as_str();
            let open: Option<i64> = sql.one(
                "SELECT count(*) FROM batch WHERE practice = ?1 AND state IN ('running', 'paused')",
                values![practice],
                |row| row.get(0),
            )?;
            if open.unwrap_or(0) >= open_max {
                return Ok(false);
            }
            let count = i64::try_from(new.items.len()).unwrap_or(i64::MAX);
            sql.execute(
                "INSERT INTO batch(practice, id, idem, content, name, actor, state, items, left_out, made_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', ?7, ?8, ?9)",
                values![
                    practice,
                    &new.id,
                    &new.idem,
                    &new.content,
                    &new.name,
                    &new.actor,
                    count,
                    new.left_out,
                    new.made_at
                ],
            )?;
            insert_items(sql, &new)?;
            append_in(sql, record)?;
            Ok(true)
        })
        .await
}

fn insert_items(sql: &Sql<'_>, new: &NewBatch) -> Result<(), StoreError> {
    let mut n = 0_i64;
    for chunk in new.items.chunks(ROWS_AT_ONCE) {
        let mut rows = String::new();
        let mut values = vec![Value::Text(new.practice.as_str()), Value::Text(&new.id)];
        for (carrier, sealed) in chunk {
            n += 1;
            let at = values.len();
            let comma = if rows.is_empty() { "" } else { "," };
            rows.push_str(&format!("{comma}(?1, ?2, ?{}, ?{}, 'waiting', 0, 0, ?{})", at + 1, at + 2, at + 3));
            values.extend([Value::Int(n), Value::Text(carrier), Value::Bytes(sealed)]);
        }
        let text = "INSERT INTO batch_item(practice, batch, n, carrier, state, tries, not_before, sealed) VALUES ";
        sql.execute(&format!("{text}{rows}"), &values)?;
    }
    Ok(())
}

/// The batch that the practice made under this idempotency key.
///
/// # Errors
/// What the store says.
pub async fn by_key(store: &Store, practice: &PracticeId, idem: [u8; 32]) -> Result<Option<BatchRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM batch WHERE practice = ?1 AND idem = ?2");
            sql.one(&text, values![practice.as_str(), &idem], batch_row)
        })
        .await
}

/// One batch of a practice.
///
/// # Errors
/// What the store says.
pub async fn get(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<BatchRow>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM batch WHERE practice = ?1 AND id = ?2");
            sql.one(&text, values![practice.as_str(), &id], batch_row)
        })
        .await
}

/// A practice's batches, newest first.
///
/// # Errors
/// What the store says.
pub async fn list(store: &Store, practice: &PracticeId, limit: u32) -> Result<Vec<BatchRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text =
                format!("SELECT {COLUMNS} FROM batch WHERE practice = ?1 ORDER BY made_at DESC, id DESC LIMIT ?2");
            sql.all(&text, values![practice.as_str(), limit], batch_row)
        })
        .await
}

/// A practice's batches that are not finished: open ones, and cancelled ones with a question under way.
///
/// # Errors
/// What the store says.
pub async fn unfinished(store: &Store, practice: &PracticeId) -> Result<Vec<BatchRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = format!(
                "SELECT {COLUMNS} FROM batch WHERE practice = ?1 AND (state IN ('running', 'paused') OR id IN
                 (SELECT batch FROM batch_item WHERE practice = ?1 AND state IN ('waiting', 'asking')))
                 ORDER BY made_at, id"
            );
            sql.all(&text, values![practice.as_str()], batch_row)
        })
        .await
}

/// The unfinished items of a batch, in their order.
///
/// # Errors
/// What the store says.
pub async fn open_items(store: &Store, practice: &PracticeId, batch: &str) -> Result<Vec<OpenItem>, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .read(move |sql| {
            sql.all(
                "SELECT n, carrier, state, question, not_before FROM batch_item
                 WHERE practice = ?1 AND batch = ?2 AND state IN ('waiting', 'asking') ORDER BY n",
                values![practice.as_str(), &batch],
                |row| {
                    let asking = row.get::<String>(2)? == "asking";
                    Ok(OpenItem {
                        n: row.get(0)?,
                        carrier: row.get(1)?,
                        asking: row.get::<Option<String>>(3)?.filter(|_| asking),
                        not_before: row.get(4)?,
                    })
                },
            )
        })
        .await
}

/// How many items of a batch are in each state, and when the first of them was asked.
///
/// # Errors
/// What the store says.
pub async fn counts(
    store: &Store,
    practice: &PracticeId,
    batch: &str,
) -> Result<Vec<(String, i64, Option<i64>)>, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .read(move |sql| {
            sql.all(
                "SELECT state, count(*), min(first_at) FROM batch_item
                 WHERE practice = ?1 AND batch = ?2 GROUP BY state",
                values![practice.as_str(), &batch],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
        })
        .await
}

/// Where the items of a batch stand: number, state, reason, question, when it ended. Nothing of it is a patient's.
///
/// # Errors
/// What the store says.
pub async fn states(store: &Store, practice: &PracticeId, batch: &str) -> Result<Vec<StateRow>, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .read(move |sql| {
            sql.all(
                "SELECT n, state, reason, question, ended_at FROM batch_item WHERE practice = ?1 AND batch = ?2",
                values![practice.as_str(), &batch],
                |row| {
                    Ok(StateRow {
                        n: row.get(0)?,
                        state: row.get(1)?,
                        reason: row.get(2)?,
                        question: row.get(3)?,
                        ended_at: row.get(4)?,
                    })
                },
            )
        })
        .await
}

/// Where an item stands.
#[derive(Clone, Debug)]
pub struct StateRow {
    /// Its number.
    pub n: i64,
    /// `waiting`, `asking`, `answered`, `refused`, `failed` or `cancelled`.
    pub state: String,
    /// Why it waits again, or failed.
    pub reason: Option<String>,
    /// The question that was put for it last.
    pub question: Option<String>,
    /// When it was finished, in microseconds since 1970.
    pub ended_at: Option<i64>,
}

/// Items of a batch after number `after`, in their order, at most `limit`.
///
/// # Errors
/// What the store says.
pub async fn items(
    store: &Store,
    practice: &PracticeId,
    batch: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<ItemRow>, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .read(move |sql| {
            sql.all(
                "SELECT n, carrier, state, reason, question, tries, ended_at, sealed FROM batch_item
                 WHERE practice = ?1 AND batch = ?2 AND n > ?3 ORDER BY n LIMIT ?4",
                values![practice.as_str(), &batch, after, limit],
                |row| {
                    Ok(ItemRow {
                        n: row.get(0)?,
                        carrier: row.get(1)?,
                        state: row.get(2)?,
                        reason: row.get(3)?,
                        question: row.get(4)?,
                        tries: row.get(5)?,
                        ended_at: row.get(6)?,
                        sealed: row.get(7)?,
                    })
                },
            )
        })
        .await
}

/// Marks a waiting item of a running batch as being asked by this question, durably, **before** the question is put.
/// `None` when it is not to be asked any more.
///
/// # Errors
/// What the store says.
pub async fn take(
    store: &Store,
    practice: &PracticeId,
    batch: &str,
    n: i64,
    question: &str,
    at: i64,
) -> Result<Option<TakenItem>, StoreError> {
    let (practice, batch, question) = (practice.clone(), batch.to_owned(), question.to_owned());
    store
        .write(move |sql| {
            sql.one(
                "UPDATE batch_item SET state = 'asking', question = ?4, first_at = coalesce(first_at, ?5)
                 WHERE practice = ?1 AND batch = ?2 AND n = ?3 AND state = 'waiting' AND EXISTS
                 (SELECT 1 FROM batch WHERE batch.practice = ?1 AND batch.id = ?2 AND batch.state = 'running')
                 RETURNING sealed, tries, first_at",
                values![practice.as_str(), &batch, n, &question, at],
                |row| Ok(TakenItem { sealed: row.get(0)?, tries: row.get(1)?, first_at: row.get(2)? }),
            )
        })
        .await
}

/// What a question's item was taken with, for one that an earlier process left under way.
///
/// # Errors
/// What the store says.
pub async fn taken(store: &Store, practice: &PracticeId, batch: &str, n: i64) -> Result<Option<TakenItem>, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .read(move |sql| {
            sql.one(
                "SELECT sealed, tries, coalesce(first_at, 0) FROM batch_item
                 WHERE practice = ?1 AND batch = ?2 AND n = ?3",
                values![practice.as_str(), &batch, n],
                |row| Ok(TakenItem { sealed: row.get(0)?, tries: row.get(1)?, first_at: row.get(2)? }),
            )
        })
        .await
}

/// Moves an item on from being asked; says the state it has then. One that would wait again is cancelled where its batch
/// was cancelled meanwhile.
///
/// # Errors
/// [`StoreError::Conflict`] when it is not being asked by this question.
pub async fn settle(
    store: &Store,
    practice: &PracticeId,
    batch: &str,
    settled: Settled,
    record: Option<Append>,
) -> Result<String, StoreError> {
    let (practice, batch) = (practice.clone(), batch.to_owned());
    store
        .write(move |sql| {
            let waits = settled.state == "waiting";
            let state = sql.one(
                "UPDATE batch_item SET state = CASE WHEN ?4 = 'waiting' AND EXISTS
                   (SELECT 1 FROM batch WHERE batch.practice = ?1 AND batch.id = ?2 AND batch.state = 'cancelled')
                   THEN 'cancelled' ELSE ?4 END,
                 reason = ?5, tries = tries + ?6, not_before = ?7, ended_at = ?8
                 WHERE practice = ?1 AND batch = ?2 AND n = ?3 AND state = 'asking' AND question = ?9
                 RETURNING state",
                values![
                    practice.as_str(),
                    &batch,
                    settled.n,
                    settled.state,
                    settled.reason,
                    settled.tried,
                    settled.not_before,
                    (!waits).then_some(settled.at),
                    &settled.question
                ],
                |row| row.get(0),
            )?;
            if let Some(record) = record {
                append_in(sql, record)?;
            }
            state.ok_or(StoreError::Conflict)
        })
        .await
}

/// Moves a batch from one of the states `from` to `to`; `false` when it is in none of them. `actor` takes it over.
///
/// # Errors
/// What the store says.
pub async fn turn(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    turn: Turn,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            let changed = sql.execute(
                "UPDATE batch SET state = ?3, reason = ?4, actor = coalesce(?5, actor), ended_at = ?6
                 WHERE practice = ?1 AND id = ?2 AND state <> ?3 AND state IN ('running', 'paused')",
                values![practice.as_str(), &id, turn.to, turn.reason, &turn.actor, turn.ended_at],
            )?;
            if changed != 1 {
                return Ok(false);
            }
            if turn.to == "cancelled" {
                sql.execute(
                    "UPDATE batch_item SET state = 'cancelled', ended_at = ?3
                     WHERE practice = ?1 AND batch = ?2 AND state = 'waiting'",
                    values![practice.as_str(), &id, turn.ended_at],
                )?;
            }
            append_in(sql, record)?;
            Ok(true)
        })
        .await
}

/// How a batch is turned.
pub struct Turn {
    /// Its new state.
    pub to: &'static str,
    /// Why, where nobody did it: a fixed word.
    pub reason: Option<&'static str>,
    /// Who takes it over.
    pub actor: Option<String>,
    /// When it ended, where it does.
    pub ended_at: Option<i64>,
}

fn batch_row(row: &Row<'_>) -> Result<BatchRow, StoreError> {
    Ok(BatchRow {
        id: row.get(0)?,
        content: row.get(1)?,
        name: row.get(2)?,
        actor: row.get(3)?,
        state: row.get(4)?,
        reason: row.get(5)?,
        items: row.get(6)?,
        left_out: row.get(7)?,
        made_at: row.get(8)?,
        ended_at: row.get(9)?,
    })
}
