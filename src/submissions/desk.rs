//! What people and programs may do and see: read one, list them, take one back, say what became of one.

use connector_sdk::{Error, Phi, Receipt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Submissions;
use super::books::{End, Happening, Refused, state_of};
use super::schedule::Schedule;
use super::state::{Decision, Event, State};
use super::view::{self, AuthorizationView, SubmissionSummary};
use crate::failpoint;
use crate::identity::Caller;
use crate::practice::PracticeId;
use crate::store::submissions::{self, NewResolution, SubmissionRow};
use crate::store::{self, StoreError};
use crate::trail::merkle::sha256;
use crate::trail::{Filter, TrailEntry};

/// Submissions on one page at most.
const PAGE_MAX: u32 = 500;

/// What a person found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The carrier has it, under this reference.
    Present,
    /// The carrier does not have it: it is sent again.
    Absent,
    /// It is closed and not sent again, whatever became of it.
    Void,
}

/// A person's word on a submission of unknown fate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// What was found out.
    pub decision: Verdict,
    /// The carrier's number for it; needed with `present`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Phi<String>>,
    /// How it was found out: who was called, which page was looked at. Kept sealed.
    pub reason: Phi<String>,
}

/// Why something was not done.
#[derive(Debug)]
pub enum NotDone {
    /// This practice has no such submission.
    Nowhere,
    /// Not where it stands: this state, as a word.
    NotHere(&'static str),
    /// "It is not there" is taken from this time on, in microseconds since 1970: until then it may still appear.
    TooEarly(i64),
    /// The store cannot write.
    Error(Error),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl Submissions {
    /// One submission of the practice with all that is known of it, patient data included: record the reading before it
    /// leaves.
    ///
    /// # Errors
    /// What the store says.
    pub async fn get(&self, practice: &PracticeId, id: &str) -> Result<Option<AuthorizationView>, StoreError> {
        let Some(history) = submissions::history(&self.books.store, practice, id).await? else { return Ok(None) };
        let end = self.books.end(&history.row)?;
        let state = state_of(&history.row)?;
        let hold = self.hold_of(practice, &history.row.carrier).filter(|_| state == State::Queued);
        Ok(Some(view::whole(&history, state, end, hold)))
    }

    /// One submission as it stands in a list; no patient data.
    ///
    /// # Errors
    /// What the store says.
    pub async fn summary(&self, practice: &PracticeId, id: &str) -> Result<Option<SubmissionSummary>, StoreError> {
        let found = submissions::get(&self.books.store, practice, id).await?;
        found.map(|(row, _)| self.summed_up(practice, &row)).transpose()
    }

    fn summed_up(&self, practice: &PracticeId, row: &SubmissionRow) -> Result<SubmissionSummary, StoreError> {
        let state = state_of(row)?;
        Ok(view::summary(row, state, self.hold_of(practice, &row.carrier).filter(|_| state == State::Queued)))
    }

    /// What happened to one, oldest first; no patient data.
    ///
    /// # Errors
    /// What the store says.
    pub async fn timeline(&self, practice: &PracticeId, id: &str) -> Result<Option<Vec<TrailEntry>>, StoreError> {
        if submissions::get(&self.books.store, practice, id).await?.is_none() {
            return Ok(None);
        }
        let filter = Filter { ask_id: Some(id.to_owned()), ..Filter::default() };
        let mut entries = self.books.trail.list(practice, filter, PAGE_MAX).await?;
        entries.reverse();
        Ok(Some(entries))
    }

    /// A practice's submissions, newest first, in one state where one is named; no patient data.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(
        &self,
        practice: &PracticeId,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubmissionSummary>, StoreError> {
        let state = state.map(str::to_owned);
        let rows = submissions::list(&self.books.store, practice, state, None, limit.clamp(1, PAGE_MAX)).await?;
        rows.iter().map(|row| self.summed_up(practice, row)).collect()
    }

    /// Takes one back that has not been sent.
    ///
    /// # Errors
    /// [`NotDone::NotHere`] once a worker has it.
    pub async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), NotDone> {
        let row = self.row(caller.practice(), id).await?;
        let happening = Happening::new(Event::Cancel, caller.actor(), row.attempts);
        let done = self.books.happen(&row, happening, &self.schedule_of(&row)).await?;
        done.map(|_| ()).map_err(|refused| not_done(refused, &row, 0))
    }

    /// Takes a person's word on what became of one.
    ///
    /// # Errors
    /// [`NotDone::NotHere`] where its fate is known, [`NotDone::TooEarly`] for "it is not there" before the carrier's
    /// visibility bound.
    pub async fn resolve(&self, caller: &Caller, id: &str, said: &Resolution) -> Result<(), NotDone> {
        let row = self.row(caller.practice(), id).await?;
        let schedule = self.schedule_of(&row);
        let settled_at = schedule.settled_at(row.unknown_at.unwrap_or(row.changed_at));
        let (decision, word) = match said.decision {
            Verdict::Present => (Decision::Present, "present"),
            Verdict::Absent => (Decision::Absent { settled: store::now() >= settled_at }, "absent"),
            Verdict::Void => (Decision::Void, "void"),
        };
        let resolution = format!("res_{}", Uuid::now_v7().simple());
        let unwritable = |_| StoreError::Damaged { what: "a reason cannot be written down" };
        let bytes = serde_json::to_vec(said).map_err(unwritable)?;
        let mut happening = Happening::new(Event::Resolve(decision), caller.actor(), row.attempts);
        happening.end = said.reference.as_ref().filter(|_| said.decision == Verdict::Present).map(|reference| End {
            receipt: Some(Receipt::new("stated_by_a_person", reference.clone())),
            ..End::default()
        });
        happening.files.push((format!("reasons/{resolution}.json"), sha256(&[&bytes])));
        happening.resolution = Some(NewResolution {
            sealed: self.books.seal_reason(&row.practice, &resolution, &bytes)?,
            id: resolution,
            actor: caller.id().to_owned(),
            decision: word,
        });
        failpoint::hit("resolving");
        let done = self.books.happen(&row, happening, &schedule).await?;
        self.wake.notify_one();
        done.map(|_| ()).map_err(|refused| not_done(refused, &row, settled_at))
    }

    async fn row(&self, practice: &PracticeId, id: &str) -> Result<SubmissionRow, NotDone> {
        let found = submissions::get(&self.books.store, practice, id).await?;
        found.map(|(row, _)| row).ok_or(NotDone::Nowhere)
    }

    fn schedule_of(&self, row: &SubmissionRow) -> Schedule {
        let plane = self.gateway.planes().get(&row.carrier);
        plane.and_then(|plane| self.schedule(&plane)).unwrap_or_else(Schedule::cautious)
    }
}

fn not_done(refused: Refused, row: &SubmissionRow, settled_at: i64) -> NotDone {
    match refused {
        Refused::Nowhere => NotDone::Nowhere,
        Refused::NotHere(state) => NotDone::NotHere(state.word()),
        Refused::TooEarly => NotDone::TooEarly(settled_at),
        // A worker was quicker: it is being sent.
        Refused::OtherAttempt => NotDone::NotHere(if row.state == "queued" { "intent" } else { "queued" }),
    }
}
