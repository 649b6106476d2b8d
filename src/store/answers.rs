//! Tables `ask` and `evidence`: questions, their sealed answers, and the sealed bytes that were exchanged.

use std::fmt;

use super::sql::{Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// What stands beside a question in the clear.
#[derive(Clone, Debug)]
pub struct AskRow {
    /// Whose question.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Whom it was put to.
    pub carrier: String,
    /// Which operation.
    pub operation: String,
    /// `pending`, `answered`, `refused` or `failed`.
    pub state: String,
    /// When it was put, in microseconds since 1970.
    pub created_at: i64,
    /// When it was completed.
    pub completed_at: Option<i64>,
}

/// Sealed bytes of what was exchanged.
pub struct EvidenceRow {
    /// Its id.
    pub id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// A completed question.
pub struct Completed {
    /// What stands in the clear; `completed_at` is set.
    pub ask: AskRow,
    /// The sealed envelope.
    pub envelope: Vec<u8>,
    /// Which exchange it came from: its own, or for a saved answer an earlier question's.
    pub evidence_id: Option<String>,
    /// The sealed exchange, if it is its own.
    pub evidence: Option<EvidenceRow>,
}

/// A question as it is stored.
#[derive(Clone)]
pub struct StoredRow {
    /// What stands in the clear.
    pub ask: AskRow,
    /// The sealed envelope; `None` while it is pending, or when the process ended before the answer came.
    pub envelope: Option<Vec<u8>>,
    /// The id of the sealed exchange.
    pub evidence_id: Option<String>,
}

impl fmt::Debug for StoredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRow").field("ask", &self.ask).finish_non_exhaustive()
    }
}

/// Notes that a question was taken, and the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice has a question with this id.
pub async fn begin(store: &Store, ask: AskRow, record: Option<Append>) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            insert(sql, &ask)?;
            record.map_or(Ok(()), |record| append_in(sql, record).map(|_| ()))
        })
        .await
}

fn insert(sql: &Sql<'_>, ask: &AskRow) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO ask(practice, id, carrier, operation, state, created_at, completed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        values![
            ask.practice.as_str(),
            &ask.id,
            &ask.carrier,
            &ask.operation,
            &ask.state,
            ask.created_at,
            ask.completed_at,
        ],
    )?;
    Ok(())
}

/// Stores the answer, the evidence and the record in one transaction. A question that was not begun is begun by it.
///
/// # Errors
/// [`StoreError::Conflict`] when it was completed before: an answer is never replaced.
pub async fn complete(store: &Store, completed: Completed, record: Append) -> Result<u64, StoreError> {
    store
        .write(move |sql| {
            let Completed { ask, envelope, evidence_id, evidence } = completed;
            let changed = sql.execute(
                "INSERT INTO ask(practice, id, carrier, operation, state, created_at, completed_at, envelope,
                 evidence_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT(practice, id) DO UPDATE SET state = excluded.state, completed_at = excluded.completed_at,
                 envelope = excluded.envelope, evidence_id = excluded.evidence_id
                 WHERE ask.state = 'pending'",
                values![
                    ask.practice.as_str(),
                    &ask.id,
                    &ask.carrier,
                    &ask.operation,
                    &ask.state,
                    ask.created_at,
                    ask.completed_at,
                    &envelope,
                    &evidence_id
                ],
            )?;
            if changed != 1 {
                return Err(StoreError::Conflict);
            }
            if let Some(evidence) = evidence {
                keep(sql, ask.practice.as_str(), &ask.id, &evidence, ask.completed_at)?;
            }
            append_in(sql, record)
        })
        .await
}

/// One question of a practice.
///
/// # Errors
/// What the store says.
pub async fn get(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<StoredRow>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            sql.one(
                "SELECT carrier, operation, state, created_at, completed_at, envelope, evidence_id
                 FROM ask WHERE practice = ?1 AND id = ?2",
                values![practice.as_str(), &id],
                |row| {
                    Ok(StoredRow {
                        ask: AskRow {
                            practice: practice.clone(),
                            id: id.clone(),
                            carrier: row.get(0)?,
                            operation: row.get(1)?,
                            state: row.get(2)?,
                            created_at: row.get(3)?,
                            completed_at: row.get(4)?,
                        },
                        envelope: row.get(5)?,
                        evidence_id: row.get(6)?,
                    })
                },
            )
        })
        .await
}

/// What was exchanged for one question of a practice; for a saved answer, what was exchanged for the question it was
/// first given to.
///
/// # Errors
/// What the store says.
pub async fn evidence(
    store: &Store,
    practice: &PracticeId,
    ask: &str,
) -> Result<Option<(String, EvidenceRow)>, StoreError> {
    let (practice, ask) = (practice.clone(), ask.to_owned());
    store
        .read(move |sql| {
            sql.one(
                "SELECT evidence.ask, evidence.id, evidence.sealed FROM ask JOIN evidence
                 ON evidence.practice = ask.practice AND evidence.id = ask.evidence_id
                 WHERE ask.practice = ?1 AND ask.id = ?2",
                values![practice.as_str(), &ask],
                |row| {
                    let evidence = EvidenceRow { id: row.get(1)?, sealed: row.get(2)? };
                    Ok((row.get(0)?, evidence))
                },
            )
        })
        .await
}

/// Keeps what was exchanged for one thing of a practice, in the transaction of what it came to.
pub(super) fn keep(
    sql: &Sql<'_>,
    practice: &str,
    about: &str,
    evidence: &EvidenceRow,
    at: Option<i64>,
) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO evidence(practice, ask, id, sealed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        values![practice, about, &evidence.id, &evidence.sealed, at],
    )
    .map(|_| ())
}

/// What was exchanged for one thing of a practice: a question, an attempt or an inquiry, by its own id.
///
/// # Errors
/// What the store says.
pub async fn evidence_about(
    store: &Store,
    practice: &PracticeId,
    about: &str,
) -> Result<Option<EvidenceRow>, StoreError> {
    let (practice, about) = (practice.clone(), about.to_owned());
    store
        .read(move |sql| {
            sql.one(
                "SELECT id, sealed FROM evidence WHERE practice = ?1 AND ask = ?2",
                values![practice.as_str(), &about],
                |row| Ok(EvidenceRow { id: row.get(0)?, sealed: row.get(1)? }),
            )
        })
        .await
}

/// Marks a practice's pending questions as failed; says how many. For the start: whoever asked them is gone.
///
/// # Errors
/// What the store says.
pub async fn close_pending(store: &Store, practice: &PracticeId, at: i64) -> Result<usize, StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE ask SET state = 'failed', completed_at = ?2 WHERE practice = ?1 AND state = 'pending'",
                values![practice.as_str(), at],
            )
        })
        .await
}
