//! Tables `submission`, `attempt`, `inquiry`, `resolution` and `submission_hold`: what has an effect at a carrier.
//!
//! What may follow what is the business of the room above (`submissions::state`): it hands in a function that is given
//! the row as it stands *inside the transaction* and says what to write. Beneath that, the schema's own index and
//! triggers refuse a second attempt while an earlier one may be at the carrier, whatever the program believes.

use std::fmt;

use super::answers::{EvidenceRow, keep};
use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

mod holds;
mod reading;
#[cfg(test)]
pub(in crate::store) mod tests;

pub use holds::{HoldRow, hold, holds, release};
pub use reading::{Unfinished, attempt, due, get, history, left_open, list, reason, unfinished, unknown, waiting};

/// A submission to be taken.
pub struct NewSubmission {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Whom it goes to.
    pub carrier: String,
    /// What it is: `authorization`.
    pub kind: &'static str,
    /// Whether the carrier must decide within days, not weeks.
    pub urgent: bool,
    /// Who handed it in.
    pub actor: String,
    /// Digest of the caller's idempotency key.
    pub key_digest: [u8; 32],
    /// Code over what is asked for whom: the same for two asks that look like one sent twice.
    pub content_mac: [u8; 32],
    /// Our number for it at the carrier.
    pub biz_ref: String,
    /// The sealed ask.
    pub sealed_ask: Vec<u8>,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// An earlier submission that the caller knows of, and means to repeat.
    pub beside: Option<String>,
}

/// What became of handing one in.
#[derive(Debug)]
pub enum Taken {
    /// It is new, and durable.
    New,
    /// The practice has used this key before: for that one.
    Before(Box<SubmissionRow>),
    /// It looks like these earlier ones, the newest first.
    LooksLike(Vec<String>),
}

/// Stands for the sealed bytes of an attempt that nobody remembers, after the data was put back. No sealed text is as short.
pub const WIRE_UNKNOWN: &[u8] = b"-";

/// Most earlier submissions that are named.
const LIKE_MAX: u32 = 20;

/// A submission as it stands.
#[derive(Clone)]
pub struct SubmissionRow {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Whom it goes to.
    pub carrier: String,
    /// What it is.
    pub kind: String,
    /// Where it stands, as a word.
    pub state: String,
    /// Whether the carrier must decide within days.
    pub urgent: bool,
    /// Inquiries that found nothing.
    pub negatives: i64,
    /// Whether it stands in the operator's queue.
    pub person: bool,
    /// Our number for it at the carrier.
    pub biz_ref: String,
    /// The sealed ask.
    pub sealed_ask: Vec<u8>,
    /// The sealed end: answer or refusal.
    pub sealed_end: Option<Vec<u8>>,
    /// Attempts so far.
    pub attempts: i64,
    /// Inquiries that were answered since it became unknown.
    pub asked: i64,
    /// When it was handed in, in microseconds since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub changed_at: i64,
    /// Since when nobody knows.
    pub unknown_at: Option<i64>,
    /// When the gateway does the next thing with it.
    pub due_at: Option<i64>,
}

impl fmt::Debug for SubmissionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmissionRow").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// An attempt at sending one.
#[derive(Clone)]
pub struct AttemptRow {
    /// Its id.
    pub id: String,
    /// Its number; the first is 1.
    pub n: i64,
    /// The process that ran it.
    pub worker: String,
    /// The sealed bytes of the committing request, or [`WIRE_UNKNOWN`].
    pub sealed_wire: Vec<u8>,
    /// Control numbers in them, JSON.
    pub numbers: String,
    /// When its bytes were written down.
    pub intent_at: i64,
    /// When the first byte was let go.
    pub armed_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How it ended, as a word.
    pub outcome: Option<String>,
    /// What went wrong, as the name of an error's kind.
    pub failure: Option<String>,
    /// What was exchanged.
    pub evidence: Option<String>,
}

/// An attempt to be begun.
pub struct NewAttempt {
    /// Its id.
    pub id: String,
    /// The process that runs it.
    pub worker: String,
    /// The sealed bytes of the committing request.
    pub sealed_wire: Vec<u8>,
    /// SHA-256 of these bytes, unsealed.
    pub wire_digest: [u8; 32],
    /// Control numbers in them, JSON.
    pub numbers: String,
}

/// What an inquiry said.
pub struct NewInquiry {
    /// Its id.
    pub id: String,
    /// When it was asked.
    pub asked_at: i64,
    /// `present`, `absent` or `ambiguous`.
    pub answer: &'static str,
    /// Whether it was asked past the visibility bound.
    pub settled: bool,
}

/// What a person said.
pub struct NewResolution {
    /// Its id.
    pub id: String,
    /// Who.
    pub actor: String,
    /// `present`, `absent` or `void`.
    pub decision: &'static str,
    /// The sealed reason and reference.
    pub sealed: Vec<u8>,
}

/// What to write when something has happened to a submission, all of it in one transaction.
pub struct Change {
    /// Where it stands then.
    pub state: &'static str,
    /// Inquiries that found nothing.
    pub negatives: i64,
    /// Whether it stands in the operator's queue.
    pub person: bool,
    /// When the gateway does the next thing with it.
    pub due_at: Option<i64>,
    /// Its sealed end, where there is one now.
    pub sealed_end: Option<Vec<u8>>,
    /// Code over the carrier's receipt.
    pub receipt_mac: Option<[u8; 32]>,
    /// A new attempt.
    pub begin: Option<NewAttempt>,
    /// The open attempt is armed.
    pub arm: bool,
    /// How the open attempt ended.
    pub outcome: Option<&'static str>,
    /// Why, as the name of an error's kind.
    pub failure: Option<&'static str>,
    /// What was exchanged, for the attempt or the inquiry.
    pub evidence: Option<EvidenceRow>,
    /// An inquiry.
    pub inquiry: Option<NewInquiry>,
    /// A person's word.
    pub resolution: Option<NewResolution>,
    /// The record: no record, no act.
    pub record: Append,
}

/// What is known inside the transaction.
pub struct Standing {
    /// The submission.
    pub row: SubmissionRow,
    /// Its last attempt.
    pub attempt: Option<AttemptRow>,
    /// Whether another submission holds the receipt in question.
    pub receipt_taken: bool,
}

/// Everything that is kept of one submission.
pub struct History {
    /// The submission.
    pub row: SubmissionRow,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptRow>,
    /// Its inquiries that were answered, oldest first.
    pub inquiries: Vec<InquiryRow>,
}

/// An inquiry that was answered.
pub struct InquiryRow {
    /// Its id.
    pub id: String,
    /// When it was asked.
    pub asked_at: i64,
    /// What was answered, as a word.
    pub answer: String,
    /// Whether it was asked past the visibility bound.
    pub settled: bool,
    /// What was exchanged.
    pub evidence: Option<String>,
}

const COLUMNS: &str = "practice, id, carrier, kind, state, urgent, negatives, person, biz_ref, sealed_ask, sealed_end,
    attempts, asked, created_at, changed_at, unknown_at, due_at";

const ATTEMPT_COLUMNS: &str =
    "id, n, worker, sealed_wire, numbers, intent_at, armed_at, ended_at, outcome, failure, evidence";

/// Takes a submission with its record, unless the key was used before or it looks like an earlier one.
///
/// # Errors
/// What the store says.
pub async fn accept(store: &Store, new: NewSubmission, record: Append) -> Result<Taken, StoreError> {
    store
        .write(move |sql| {
            let practice = new.practice.as_str();
            let select = format!("SELECT {COLUMNS} FROM submission WHERE practice = ?1 AND key_digest = ?2");
            if let Some(row) = sql.one(&select, values![practice, &new.key_digest], submission_row)? {
                return Ok(Taken::Before(Box::new(row)));
            }
            let like = sql.all(
                "SELECT id FROM submission WHERE practice = ?1 AND carrier = ?2 AND content_mac = ?3
                 AND state NOT IN ('rejected', 'cancelled', 'voided') ORDER BY created_at DESC, id DESC LIMIT ?4",
                values![practice, &new.carrier, &new.content_mac, LIKE_MAX],
                |row| row.get::<String>(0),
            )?;
            if !like.is_empty() && !new.beside.as_ref().is_some_and(|known| like.contains(known)) {
                return Ok(Taken::LooksLike(like));
            }
            sql.execute(
                "INSERT INTO submission(practice, id, carrier, kind, state, urgent, negatives, person, actor, key_digest,
                 content_mac, biz_ref, sealed_ask, attempts, asked, created_at, changed_at, due_at)
                 VALUES (?1, ?2, ?3, ?4, 'queued', ?5, 0, 0, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?11, ?11)",
                values![
                    practice,
                    &new.id,
                    &new.carrier,
                    new.kind,
                    i64::from(new.urgent),
                    &new.actor,
                    &new.key_digest,
                    &new.content_mac,
                    &new.biz_ref,
                    &new.sealed_ask,
                    new.at
                ],
            )?;
            append_in(sql, record)?;
            crate::failpoint::hit("accept_before_commit");
            Ok(Taken::New)
        })
        .await
}

/// Asks `decide` what to write, with the row as it stands inside the transaction, and writes it. `receipt` is a code over
/// the carrier's receipt, where `decide` needs to know whether another submission holds it. `None`: there is no such
/// submission of this practice.
///
/// # Errors
/// [`StoreError::Conflict`] when the schema's guard refuses a second attempt; else what the store says.
pub async fn step<E: Send + 'static>(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    at: i64,
    receipt: Option<[u8; 32]>,
    decide: impl FnOnce(&Standing) -> Result<Change, E> + Send + 'static,
) -> Result<Option<Result<(), E>>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            let Some(row) = one(sql, &practice, &id)? else { return Ok(None) };
            let attempt = last_attempt(sql, &practice, &id)?;
            let receipt_taken = match &receipt {
                Some(mac) => sql
                    .one(
                        "SELECT 1 FROM submission WHERE practice = ?1 AND carrier = ?2 AND receipt_mac = ?3 AND id <> ?4",
                        values![practice.as_str(), &row.carrier, mac, &id],
                        |row| row.get::<i64>(0),
                    )?
                    .is_some(),
                None => false,
            };
            let standing = Standing { row, attempt, receipt_taken };
            match decide(&standing) {
                Ok(change) => apply(sql, &standing, change, at).map(|()| Some(Ok(()))),
                Err(refused) => Ok(Some(Err(refused))),
            }
        })
        .await
}

fn apply(sql: &Sql<'_>, standing: &Standing, change: Change, at: i64) -> Result<(), StoreError> {
    let (row, practice) = (&standing.row, standing.row.practice.as_str());
    let becomes_unknown = change.state == "unknown" && row.state != "unknown";
    let unknown_at = match change.state {
        "unknown" if becomes_unknown => Some(at),
        _ => row.unknown_at,
    };
    let asked = match (becomes_unknown, &change.inquiry) {
        (true, _) => 0,
        (false, Some(_)) => row.asked + 1,
        (false, None) => row.asked,
    };
    let changed = sql.execute(
        "UPDATE submission SET state = ?4, negatives = ?5, person = ?6, due_at = ?7, unknown_at = ?8, asked = ?9,
         attempts = ?10, sealed_end = coalesce(?11, sealed_end), receipt_mac = coalesce(?12, receipt_mac),
         changed_at = ?13 WHERE practice = ?1 AND id = ?2 AND state = ?3",
        values![
            practice,
            &row.id,
            &row.state,
            change.state,
            change.negatives,
            i64::from(change.person),
            change.due_at,
            unknown_at,
            asked,
            row.attempts + i64::from(change.begin.is_some()),
            &change.sealed_end,
            change.receipt_mac.as_ref(),
            at
        ],
    )?;
    if changed != 1 {
        return Err(StoreError::Conflict);
    }
    if let Some(new) = &change.begin {
        begin(sql, row, new, at)?;
    }
    if let Some(open) = &standing.attempt
        && (change.arm || change.outcome.is_some())
    {
        end(sql, practice, open, &change, at)?;
    }
    beside(sql, standing, &change, at)?;
    append_in(sql, change.record).map(|_| ())
}

/// The guard stands in the statement itself, and once more as a trigger.
fn begin(sql: &Sql<'_>, row: &SubmissionRow, new: &NewAttempt, at: i64) -> Result<(), StoreError> {
    let inserted = sql.execute(
        "INSERT INTO attempt(practice, submission, id, n, worker, sealed_wire, wire_digest, numbers, intent_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
         WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE practice = ?1 AND submission = ?2
         AND (outcome IS NULL OR outcome NOT IN ('not_sent', 'rejected_no_effect', 'confirmed_absent')))",
        values![
            row.practice.as_str(),
            &row.id,
            &new.id,
            row.attempts + 1,
            &new.worker,
            &new.sealed_wire,
            &new.wire_digest,
            &new.numbers,
            at
        ],
    )?;
    if inserted == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// The open attempt is armed, or ends.
fn end(sql: &Sql<'_>, practice: &str, open: &AttemptRow, change: &Change, at: i64) -> Result<(), StoreError> {
    let evidence = change.evidence.as_ref().filter(|_| change.inquiry.is_none()).map(|evidence| evidence.id.as_str());
    let changed = sql.execute(
        "UPDATE attempt SET armed_at = coalesce(armed_at, ?3), outcome = coalesce(?4, outcome), ended_at = ?5,
         failure = coalesce(?6, failure), evidence = coalesce(?7, evidence)
         WHERE practice = ?1 AND id = ?2 AND (outcome IS NULL OR outcome = 'unknown')",
        values![
            practice,
            &open.id,
            change.arm.then_some(at),
            change.outcome,
            change.outcome.map(|_| at),
            change.failure,
            evidence
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// What stands beside an attempt: an inquiry, a person's word, what was exchanged.
fn beside(sql: &Sql<'_>, standing: &Standing, change: &Change, at: i64) -> Result<(), StoreError> {
    let practice = standing.row.practice.as_str();
    let attempt = change.begin.as_ref().map(|new| &new.id).or(standing.attempt.as_ref().map(|open| &open.id));
    let Some(attempt) = attempt else { return Ok(()) };
    if let Some(inquiry) = &change.inquiry {
        sql.execute(
            "INSERT INTO inquiry(practice, attempt, id, asked_at, answer, settled, evidence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            values![
                practice,
                attempt,
                &inquiry.id,
                inquiry.asked_at,
                inquiry.answer,
                i64::from(inquiry.settled),
                change.evidence.as_ref().map(|evidence| evidence.id.as_str())
            ],
        )?;
    }
    if let Some(said) = &change.resolution {
        sql.execute(
            "INSERT INTO resolution(practice, attempt, id, actor, decision, sealed, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            values![practice, attempt, &said.id, &said.actor, said.decision, &said.sealed, at],
        )?;
    }
    if let Some(evidence) = &change.evidence {
        let about = change.inquiry.as_ref().map_or(attempt, |inquiry| &inquiry.id);
        keep(sql, practice, about, evidence, Some(at))?;
    }
    Ok(())
}

/// An inquiry that brought no answer: what was exchanged is kept, and the next one put off, where nothing has happened to
/// the submission meanwhile.
pub struct Unanswered {
    /// The inquiry's id.
    pub inquiry: String,
    /// What was exchanged.
    pub evidence: EvidenceRow,
    /// When it was over.
    pub at: i64,
    /// When to ask again.
    pub due_at: i64,
    /// The record: no record, no act.
    pub record: Append,
}

/// Writes down an inquiry that brought no answer.
///
/// # Errors
/// What the store says.
pub async fn unanswered(store: &Store, row: &SubmissionRow, done: Unanswered) -> Result<(), StoreError> {
    let row = row.clone();
    store
        .write(move |sql| {
            let practice = row.practice.as_str();
            sql.execute(
                "UPDATE submission SET due_at = ?4 WHERE practice = ?1 AND id = ?2 AND state = ?3",
                values![practice, &row.id, &row.state, done.due_at],
            )?;
            keep(sql, practice, &done.inquiry, &done.evidence, Some(done.at))?;
            append_in(sql, done.record).map(|_| ())
        })
        .await
}

/// Puts off the next thing to do with one, where nothing has happened to it; `None`: until somebody does something. Not
/// an act, so that it has no record.
///
/// # Errors
/// What the store says.
pub async fn postpone(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    state: &str,
    due: Option<i64>,
) -> Result<(), StoreError> {
    let (practice, id, state) = (practice.clone(), id.to_owned(), state.to_owned());
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE submission SET due_at = ?4 WHERE practice = ?1 AND id = ?2 AND state = ?3",
                values![practice.as_str(), &id, &state, due],
            )
            .map(|_| ())
        })
        .await
}

fn one(sql: &Sql<'_>, practice: &PracticeId, id: &str) -> Result<Option<SubmissionRow>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM submission WHERE practice = ?1 AND id = ?2");
    sql.one(&select, values![practice.as_str(), id], submission_row)
}

fn last_attempt(sql: &Sql<'_>, practice: &PracticeId, id: &str) -> Result<Option<AttemptRow>, StoreError> {
    let select = format!(
        "SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE practice = ?1 AND submission = ?2 ORDER BY n DESC LIMIT 1"
    );
    sql.one(&select, values![practice.as_str(), id], attempt_row)
}

fn submission_row(row: &Row<'_>) -> Result<SubmissionRow, StoreError> {
    Ok(SubmissionRow {
        practice: PracticeId::new(row.get::<String>(0)?),
        id: row.get(1)?,
        carrier: row.get(2)?,
        kind: row.get(3)?,
        state: row.get(4)?,
        urgent: row.get::<i64>(5)? != 0,
        negatives: row.get(6)?,
        person: row.get::<i64>(7)? != 0,
        biz_ref: row.get(8)?,
        sealed_ask: row.get(9)?,
        sealed_end: row.get(10)?,
        attempts: row.get(11)?,
        asked: row.get(12)?,
        created_at: row.get(13)?,
        changed_at: row.get(14)?,
        unknown_at: row.get(15)?,
        due_at: row.get(16)?,
    })
}

fn attempt_row(row: &Row<'_>) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        id: row.get(0)?,
        n: row.get(1)?,
        worker: row.get(2)?,
        sealed_wire: row.get(3)?,
        numbers: row.get(4)?,
        intent_at: row.get(5)?,
        armed_at: row.get(6)?,
        ended_at: row.get(7)?,
        outcome: row.get(8)?,
        failure: row.get(9)?,
        evidence: row.get(10)?,
    })
}
