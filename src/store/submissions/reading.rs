//! Reading them: one for its practice, or those that the worker has something to do with.

use super::{
    ATTEMPT_COLUMNS, AttemptRow, COLUMNS, History, InquiryRow, SubmissionRow, attempt_row, last_attempt, one,
    submission_row,
};
use crate::practice::PracticeId;
use crate::store::sql::values;
use crate::store::{Store, StoreError};

/// Most attempts and inquiries of one submission that are shown.
const SHOWN_MAX: u32 = 500;

/// One submission of a practice, with its last attempt.
///
/// # Errors
/// What the store says.
pub async fn get(
    store: &Store,
    practice: &PracticeId,
    id: &str,
) -> Result<Option<(SubmissionRow, Option<AttemptRow>)>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let Some(row) = one(sql, &practice, &id)? else { return Ok(None) };
                Ok(Some((row, last_attempt(sql, &practice, &id)?)))
            })
        })
        .await
}

/// One submission of a practice with all that is kept of it.
///
/// # Errors
/// What the store says.
pub async fn history(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<History>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let Some(row) = one(sql, &practice, &id)? else { return Ok(None) };
                let select = format!(
                    "SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE practice = ?1 AND submission = ?2 ORDER BY n LIMIT ?3"
                );
                let attempts = sql.all(&select, values![practice.as_str(), &id, SHOWN_MAX], attempt_row)?;
                let inquiries = sql.all(
                    "SELECT inquiry.id, inquiry.asked_at, inquiry.answer, inquiry.settled, inquiry.evidence
                     FROM inquiry JOIN attempt
                     ON attempt.practice = inquiry.practice AND attempt.id = inquiry.attempt
                     WHERE inquiry.practice = ?1 AND attempt.submission = ?2 ORDER BY inquiry.asked_at LIMIT ?3",
                    values![practice.as_str(), &id, SHOWN_MAX],
                    |row| {
                        Ok(InquiryRow {
                            id: row.get(0)?,
                            asked_at: row.get(1)?,
                            answer: row.get(2)?,
                            settled: row.get::<i64>(3)? != 0,
                            evidence: row.get(4)?,
                        })
                    },
                )?;
                Ok(Some(History { row, attempts, inquiries }))
            })
        })
        .await
}

/// One attempt of a submission.
///
/// # Errors
/// What the store says.
pub async fn attempt(
    store: &Store,
    practice: &PracticeId,
    submission: &str,
    id: &str,
) -> Result<Option<AttemptRow>, StoreError> {
    let (practice, submission, id) = (practice.clone(), submission.to_owned(), id.to_owned());
    store
        .read(move |sql| {
            let select =
                format!("SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE practice = ?1 AND submission = ?2 AND id = ?3");
            sql.one(&select, values![practice.as_str(), &submission, &id], attempt_row)
        })
        .await
}

/// What a person said of a submission, sealed.
///
/// # Errors
/// What the store says.
pub async fn reason(
    store: &Store,
    practice: &PracticeId,
    submission: &str,
    id: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (practice, submission, id) = (practice.clone(), submission.to_owned(), id.to_owned());
    store
        .read(move |sql| {
            sql.one(
                "SELECT resolution.sealed FROM resolution JOIN attempt
                 ON attempt.practice = resolution.practice AND attempt.id = resolution.attempt
                 WHERE resolution.practice = ?1 AND attempt.submission = ?2 AND resolution.id = ?3",
                values![practice.as_str(), &submission, &id],
                |row| row.get(0),
            )
        })
        .await
}

/// A practice's submissions in one state (all, without one), newest first, those older than `before`.
///
/// # Errors
/// What the store says.
pub async fn list(
    store: &Store,
    practice: &PracticeId,
    state: Option<String>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<SubmissionRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let select = format!(
                "SELECT {COLUMNS} FROM submission WHERE practice = ?1 AND (?2 IS NULL OR state = ?2)
                 AND created_at < coalesce(?3, 9223372036854775807) ORDER BY created_at DESC, id DESC LIMIT ?4"
            );
            sql.all(&select, values![practice.as_str(), &state, before, limit], submission_row)
        })
        .await
}

/// What the gateway has to do now, of all practices, the most overdue first; those of a carrier in `held` that wait to be
/// sent are left out. For the worker, never for a caller of the API.
///
/// # Errors
/// What the store says.
pub async fn due(
    store: &Store,
    now: i64,
    held: Vec<(PracticeId, String)>,
    limit: u32,
) -> Result<Vec<SubmissionRow>, StoreError> {
    store
        .read(move |sql| {
            let mut found = Vec::new();
            let select = format!("SELECT {COLUMNS} FROM submission WHERE due_at <= ?1 ORDER BY due_at, id");
            sql.each(&select, values![now], |row| {
                let row = submission_row(row)?;
                let parked = row.state == "queued"
                    && held.iter().any(|(practice, carrier)| *practice == row.practice && *carrier == row.carrier);
                if !parked {
                    found.push(row);
                }
                Ok(found.len() < usize::try_from(limit).unwrap_or(usize::MAX))
            })?;
            Ok(found)
        })
        .await
}

/// Practices and carriers for which something waits to be sent now. For the worker.
///
/// # Errors
/// What the store says.
pub async fn waiting(store: &Store, now: i64) -> Result<Vec<(PracticeId, String)>, StoreError> {
    store
        .read(move |sql| {
            sql.all(
                "SELECT DISTINCT practice, carrier FROM submission WHERE due_at <= ?1 AND state = 'queued'",
                values![now],
                |row| Ok((PracticeId::new(row.get::<String>(0)?), row.get(1)?)),
            )
        })
        .await
}

/// Submissions of all practices that an earlier process left open. For the start.
///
/// # Errors
/// What the store says.
pub async fn left_open(store: &Store) -> Result<Vec<SubmissionRow>, StoreError> {
    store
        .read(|sql| {
            let select = format!("SELECT {COLUMNS} FROM submission WHERE state IN ('intent', 'armed')");
            sql.all(&select, &[], submission_row)
        })
        .await
}

/// For each carrier, since when the oldest submission of unknown fate is unknown, and how many there are. For metrics.
///
/// # Errors
/// What the store says.
pub async fn unknown(store: &Store) -> Result<Vec<(String, i64, i64)>, StoreError> {
    store
        .read(|sql| {
            sql.all(
                "SELECT carrier, min(unknown_at), count(*) FROM submission WHERE state = 'unknown' GROUP BY carrier",
                &[],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
        })
        .await
}

/// What a practice has handed in for a carrier and is not over.
pub struct Unfinished {
    /// The oldest of them.
    pub rows: Vec<SubmissionRow>,
    /// How many wait to be sent or are being sent.
    pub waiting: i64,
    /// How many are of unknown fate.
    pub unknown: i64,
    /// How many of these need a person.
    pub person: i64,
}

/// A practice's submissions to a carrier that are not over: the oldest, and how many there are.
///
/// # Errors
/// What the store says.
pub async fn unfinished(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    limit: u32,
) -> Result<Unfinished, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let select = format!(
                    "SELECT {COLUMNS} FROM submission WHERE practice = ?1 AND carrier = ?2
                     AND state IN ('queued', 'intent', 'armed', 'unknown') ORDER BY created_at, id LIMIT ?3"
                );
                let rows = sql.all(&select, values![practice.as_str(), &carrier, limit], submission_row)?;
                let counted = sql.all(
                    "SELECT state, person, count(*) FROM submission WHERE practice = ?1 AND carrier = ?2
                     AND state IN ('queued', 'intent', 'armed', 'unknown') GROUP BY state, person",
                    values![practice.as_str(), &carrier],
                    |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)? != 0, row.get::<i64>(2)?)),
                )?;
                let count = |is: fn(&(String, bool, i64)) -> bool| -> i64 {
                    counted.iter().filter(|group| is(group)).map(|(_, _, count)| count).sum()
                };
                Ok(Unfinished {
                    rows,
                    waiting: count(|(state, ..)| state != "unknown"),
                    unknown: count(|(state, ..)| state == "unknown"),
                    person: count(|(state, person, _)| state == "unknown" && *person),
                })
            })
        })
        .await
}
