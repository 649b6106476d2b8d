//! After the data was put back to an earlier state: whatever may have gone on since is doubted, in one transaction with
//! its records. What may follow what is not decided here: [`Restoring`] brings functions that are given what was found.

use std::fmt;

use super::sql::{Row, Sql, values};
use super::submissions::WIRE_UNKNOWN;
use super::trail::{Append, append_in};
use super::{Store, StoreError, credentials, people};
use crate::practice::PracticeId;

/// A submission that was not over when the copy was made.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Whose.
    pub practice: PracticeId,
    /// Its id.
    pub id: String,
    /// Whom it goes to.
    pub carrier: String,
    /// Where it stands, as a word.
    pub state: String,
    /// Inquiries that found nothing.
    pub negatives: i64,
    /// Whether it stands in the operator's queue.
    pub person: bool,
    /// Attempts so far.
    pub attempts: i64,
    /// The attempt that is open: its bytes may be at the carrier.
    pub open: Option<String>,
}

/// What becomes of one of them: its fate is unknown from now on.
pub struct Doubt {
    /// Where it stands then.
    pub state: &'static str,
    /// Inquiries that found nothing.
    pub negatives: i64,
    /// Whether it stands in the operator's queue.
    pub person: bool,
    /// How the open attempt ended; `None` where it had ended.
    pub outcome: Option<&'static str>,
    /// The id of an attempt to be written down for the one that nobody remembers, where none is open.
    pub begin: Option<String>,
    /// The record.
    pub record: Append,
}

/// The act.
pub struct Restoring {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// One-time codes up to this step count as used.
    pub step: u64,
    /// The practice whose credentials serve all others.
    pub shared: &'static str,
    /// Why submissions are held.
    pub hold: &'static str,
    /// Why credentials are stopped, in fixed words.
    pub stop: &'static str,
    /// Records that come before all others.
    pub first: Vec<Append>,
    /// What becomes of an unfinished submission.
    pub doubt: DoubtOne,
    /// The record of a hold: practice, carrier.
    pub held: RecordOf,
    /// The record of a credential that is stopped: practice, carrier, credential.
    pub stopped: RecordOfCredential,
}

/// Says what becomes of an unfinished submission.
pub type DoubtOne = Box<dyn Fn(&Unfinished) -> Result<Doubt, StoreError> + Send>;
/// Makes the record of something at a practice's carrier.
pub type RecordOf = Box<dyn Fn(&PracticeId, &str) -> Append + Send>;
/// Makes the record of something that happens to a practice's credential at a carrier.
pub type RecordOfCredential = Box<dyn Fn(&PracticeId, &str, &str) -> Append + Send>;

/// How much was doubted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubted {
    /// Submissions whose fate is unknown now.
    pub submissions: usize,
    /// Practices' carriers to which nothing is sent now.
    pub holds: usize,
    /// Credentials that a person has tried once more.
    pub credentials: usize,
}

impl fmt::Debug for Restoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restoring")
    }
}

/// Does all of it, or nothing.
///
/// # Errors
/// What the store says, or one of the functions.
pub async fn after_restore(store: &Store, restoring: Restoring) -> Result<Doubted, StoreError> {
    store.write(move |sql| after_restore_in(sql, restoring)).await
}

pub(super) fn after_restore_in(sql: &Sql<'_>, restoring: Restoring) -> Result<Doubted, StoreError> {
    let Restoring { at, step, shared, hold, stop, first, doubt, held, stopped } = restoring;
    for record in first {
        append_in(sql, record)?;
    }
    let mut doubted = Doubted::default();
    for (practice, carrier) in places(sql, shared)? {
        sql.execute(
            "INSERT INTO submission_hold(practice, carrier, reason, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT(practice, carrier) DO UPDATE SET reason = excluded.reason, since = excluded.since",
            values![practice.as_str(), &carrier, hold, at],
        )?;
        append_in(sql, held(&practice, &carrier))?;
        doubted.holds += 1;
    }
    for found in unfinished(sql)? {
        doubt_in(sql, &found, doubt(&found)?, at)?;
        doubted.submissions += 1;
    }
    for (practice, carrier, id) in credentials::stop_all_in(sql, stop, step, at)? {
        append_in(sql, stopped(&practice, &carrier, &id))?;
        doubted.credentials += 1;
    }
    people::doubt_all_in(sql, step, at)?;
    Ok(doubted)
}

/// Every practice with every carrier to which it may have handed something in since the copy was made: where it ever did,
/// or could sign in.
fn places(sql: &Sql<'_>, shared: &str) -> Result<Vec<(PracticeId, String)>, StoreError> {
    sql.all(
        "SELECT practice, carrier FROM submission
         UNION SELECT practice, carrier FROM credential WHERE state <> 'deleted' AND practice <> ?1
         UNION SELECT p.id, c.carrier FROM practice p, credential c
           WHERE c.practice = ?1 AND c.state <> 'deleted' AND p.id <> ?1
         ORDER BY 1, 2",
        values![shared],
        |row| Ok((PracticeId::new(row.get::<String>(0)?), row.get(1)?)),
    )
}

fn unfinished(sql: &Sql<'_>) -> Result<Vec<Unfinished>, StoreError> {
    sql.all(
        "SELECT s.practice, s.id, s.carrier, s.state, s.negatives, s.person, s.attempts,
           (SELECT a.id FROM attempt a WHERE a.practice = s.practice AND a.submission = s.id
            AND (a.outcome IS NULL OR a.outcome = 'unknown'))
         FROM submission s WHERE s.state IN ('queued', 'intent', 'armed', 'unknown') ORDER BY s.practice, s.created_at, s.id",
        &[],
        unfinished_row,
    )
}

fn unfinished_row(row: &Row<'_>) -> Result<Unfinished, StoreError> {
    Ok(Unfinished {
        practice: PracticeId::new(row.get::<String>(0)?),
        id: row.get(1)?,
        carrier: row.get(2)?,
        state: row.get(3)?,
        negatives: row.get(4)?,
        person: row.get::<i64>(5)? != 0,
        attempts: row.get(6)?,
        open: row.get(7)?,
    })
}

/// The visibility bound counts from now on: until now a process that nobody remembers may have sent it.
fn doubt_in(sql: &Sql<'_>, found: &Unfinished, doubt: Doubt, at: i64) -> Result<(), StoreError> {
    let practice = found.practice.as_str();
    sql.execute(
        "UPDATE submission SET state = ?3, negatives = ?4, person = ?5, unknown_at = ?6, asked = 0, due_at = ?6,
         attempts = ?7, changed_at = ?6 WHERE practice = ?1 AND id = ?2",
        values![
            practice,
            &found.id,
            doubt.state,
            doubt.negatives,
            i64::from(doubt.person),
            at,
            found.attempts + i64::from(doubt.begin.is_some())
        ],
    )?;
    if let Some(attempt) = &doubt.begin {
        // Its bytes are not known; whoever asks after it makes them anew. The schema's guard sees it as any other.
        sql.execute(
            "INSERT INTO attempt(practice, submission, id, n, worker, sealed_wire, wire_digest, numbers, intent_at,
             ended_at, outcome) VALUES (?1, ?2, ?3, ?4, 'restored', ?5, ?6, '{}', ?7, ?7, ?8)",
            values![
                practice,
                &found.id,
                attempt,
                found.attempts + 1,
                &WIRE_UNKNOWN.to_vec(),
                &[0_u8; 32],
                at,
                doubt.outcome
            ],
        )?;
    } else if let (Some(open), Some(outcome)) = (&found.open, doubt.outcome) {
        sql.execute(
            "UPDATE attempt SET outcome = ?3, ended_at = ?4 WHERE practice = ?1 AND id = ?2 AND outcome IS NULL",
            values![practice, open, outcome, at],
        )?;
    }
    append_in(sql, doubt.record).map(|_| ())
}
