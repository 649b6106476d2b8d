//! One attempt at sending: write down the bytes, connect, arm, send once, write down what came of it.

use connector_sdk::answer::Authorization;
use connector_sdk::ask::Lane;
use connector_sdk::{Commit, Error, ErrorKind, Prepared, Receipt, Refusal};
use ring::digest::{SHA256, digest};
use tokio::time::Instant;
use uuid::Uuid;

use super::Submissions;
use super::books::{Books, End, Happening};
use super::schedule::Schedule;
use super::state::{Event, State};
use crate::failpoint;
use crate::gateway::Plane;
use crate::stack::{ExchangeView, trace_number};
use crate::store::submissions::{NewAttempt, SubmissionRow};
use crate::store::{self, StoreError};
use crate::trail::Actor;
use crate::wire::{Arm, Attempt, AttemptHandle, Attempted};

/// What came of an attempt, in the words of the books.
struct Said {
    event: Event,
    receipt: Option<Receipt>,
    answer: Option<Authorization>,
    refusal: Option<Refusal>,
    failure: Option<ErrorKind>,
}

impl Submissions {
    /// Sends one that waits.
    ///
    /// # Errors
    /// What the store says before anything was sent.
    pub(super) async fn send(&self, row: SubmissionRow, plane: &Plane) -> Result<(), StoreError> {
        let Some((operation, schedule)) = plane.carrier.submissions().zip(self.schedule(plane)) else { return Ok(()) };
        let ask = self.books.ask(&row)?;
        let handle = match self.opened(&row, plane) {
            Ok(handle) => handle,
            Err(_) => return self.put_off(&row, &schedule).await,
        };
        let prepared = match operation.prepare(&handle.context(), &ask, &row.biz_ref) {
            Ok(prepared) => prepared,
            Err(error) => return self.not_prepared(&row, &schedule, &error).await,
        };
        let Some((row, attempt)) = self.intent(&row, &prepared, &schedule).await? else { return Ok(()) };
        failpoint::hit("claimed");

        let context = handle.committing(arm(self.books.clone(), row.clone(), schedule.clone()));
        let until = Instant::now() + plane.carrier.limits.attempt_timeout;
        let committed = tokio::time::timeout_at(until, operation.commit(&context, &prepared)).await;
        failpoint::hit("replied");
        // Everything of the connection is gone by now: nothing can leave any more.
        let commit = committed.unwrap_or_else(|_| Commit::Unknown {
            error: Error::new(ErrorKind::CarrierTimeout, "The carrier did not answer in time."),
        });
        let said = judge(commit, handle.armed());
        match said.failure {
            Some(ErrorKind::CredentialRejected) => handle.reject_credential().await,
            Some(_) => handle.no_outcome(),
            None => {}
        }
        self.outcome(&row, &attempt, &schedule, &said, handle.finish()).await;
        Ok(())
    }

    /// Opens the wire for a submission, or says why it cannot be sent now. Sends nothing.
    ///
    /// # Errors
    /// What keeps it: no credential, one that is stopped.
    pub(super) fn opened(&self, row: &SubmissionRow, plane: &Plane) -> Result<AttemptHandle, Error> {
        plane.wire.attempt(Attempt {
            practice: row.practice.clone(),
            lane: Lane::Interactive,
            deadline: Instant::now() + plane.carrier.limits.attempt_timeout,
            trace: trace_number(),
            today: self.gateway.today(),
        })
    }

    pub(super) async fn put_off(&self, row: &SubmissionRow, schedule: &Schedule) -> Result<(), StoreError> {
        let at = match row.state.as_str() {
            "unknown" => schedule.again(store::now()),
            _ => schedule.retry_at(store::now(), 1),
        };
        store::submissions::postpone(&self.books.store, &row.practice, &row.id, &row.state, Some(at)).await
    }

    /// The connector cannot put the ask into this carrier's words: a person has to mend it. Anything else passes.
    async fn not_prepared(&self, row: &SubmissionRow, schedule: &Schedule, error: &Error) -> Result<(), StoreError> {
        if !matches!(error.kind, ErrorKind::RequestInvalid | ErrorKind::Unsupported) {
            tracing::warn!(submission = row.id, %error, "a submission could not be prepared; it waits");
            return self.put_off(row, schedule).await;
        }
        let mut happening = Happening::new(Event::Unsendable, Actor::gateway(), row.attempts);
        happening.failure = Some(error.kind);
        happening.end = Some(End { failure: Some(error.message.to_owned()), ..End::default() });
        self.books.happen(row, happening, schedule).await.map(|_| ())
    }

    /// Writes down the exact bytes before anything is connected. `None`: somebody else was quicker.
    async fn intent(
        &self,
        row: &SubmissionRow,
        prepared: &Prepared,
        schedule: &Schedule,
    ) -> Result<Option<(SubmissionRow, String)>, StoreError> {
        let unwritable = |_| StoreError::Damaged { what: "an attempt cannot be written down" };
        let id = format!("att_{}", Uuid::now_v7().simple());
        let bytes = serde_json::to_vec(prepared).map_err(unwritable)?;
        let mut wire_digest = [0; 32];
        wire_digest.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        let mut happening = Happening::new(Event::Claim, Actor::gateway(), row.attempts);
        happening.files.push((format!("messages/{id}.json"), wire_digest));
        happening.begin = Some(NewAttempt {
            sealed_wire: self.books.seal_wire(row, &id, &bytes)?,
            id: id.clone(),
            worker: self.process.clone(),
            wire_digest,
            numbers: serde_json::to_string(&prepared.control_numbers).map_err(unwritable)?,
        });
        let claimed = match self.books.happen(row, happening, schedule).await {
            // The schema's guard: an earlier attempt may be at the carrier. It must never come to that.
            Err(StoreError::Conflict) => {
                tracing::error!(submission = row.id, "a second attempt was refused by the store");
                return Ok(None);
            }
            claimed => claimed?,
        };
        let row = SubmissionRow { attempts: row.attempts + 1, state: State::Intent.word().to_owned(), ..row.clone() };
        Ok(claimed.is_ok().then_some((row, id)))
    }

    /// Writes down what came of it. A store that cannot write now is asked again: until then nothing else can happen to
    /// this submission, and should the process end, its fate is unknown at the next start.
    async fn outcome(
        &self,
        row: &SubmissionRow,
        attempt: &str,
        schedule: &Schedule,
        said: &Said,
        attempted: Attempted,
    ) {
        let exchanged = exchanged(&attempted);
        self.write_down(row, schedule, || {
            let mut happening = Happening::new(said.event, Actor::gateway(), row.attempts);
            let ended = said.receipt.is_some() || said.refusal.is_some();
            happening.end = ended.then(|| End {
                receipt: said.receipt.clone(),
                answer: said.answer.clone(),
                refusal: said.refusal.clone(),
                failure: None,
            });
            happening.failure = said.failure;
            happening.credential = attempted.credential_id.clone();
            if let Some(bytes) = &exchanged {
                happening.evidence = Some(self.books.trail.evidence(&row.practice, attempt, bytes)?);
            }
            failpoint::hit("outcome_before_commit");
            Ok(happening)
        })
        .await;
        failpoint::hit("outcome_after_commit");
    }

    /// Lets something happen, however often the store has to be asked.
    pub(super) async fn write_down(
        &self,
        row: &SubmissionRow,
        schedule: &Schedule,
        make: impl Fn() -> Result<Happening, StoreError>,
    ) {
        let mut wait = super::WRITE_AGAIN_FIRST;
        loop {
            let done = match make() {
                Ok(happening) => self.books.happen(row, happening, schedule).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(Ok(state)) => {
                    tracing::info!(submission = row.id, carrier = row.carrier, state = state.word(), "submission");
                    return;
                }
                Ok(Err(refused)) => {
                    tracing::warn!(submission = row.id, ?refused, "what came of an attempt was not taken any more");
                    return;
                }
                // Only a new start mends it, and that takes it up.
                Err(StoreError::Closed | StoreError::SyncFailed) => return,
                Err(error) => {
                    tracing::error!(submission = row.id, %error, "what came of a submission cannot be written down yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(super::WRITE_AGAIN_MAX);
                }
            }
        }
    }
}

/// Writes ARMED durably, or keeps the first byte back.
fn arm(books: Books, row: SubmissionRow, schedule: Schedule) -> Arm {
    Box::new(move || {
        Box::pin(async move {
            if books.trail.held().is_some() {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "The data was put back to an earlier state; nothing was sent.",
                ));
            }
            let armed =
                books.happen(&row, Happening::new(Event::Arm, Actor::gateway(), row.attempts), &schedule).await?;
            armed.map(|_| ()).map_err(|_| {
                Error::new(ErrorKind::Internal, "The submission was taken from this worker; nothing was sent.")
            })
        })
    })
}

/// What the connector says, held against our own record of whether a byte was let go.
fn judge(commit: Commit, armed: bool) -> Said {
    let said = |event| Said { event, receipt: None, answer: None, refusal: None, failure: None };
    match commit {
        Commit::Accepted { receipt, answer } if armed => {
            Said { receipt: Some(receipt), answer: Some(*answer), ..said(Event::Accepted) }
        }
        Commit::Accepted { .. } => Said { failure: Some(ErrorKind::Internal), ..said(Event::NotSent) },
        Commit::RefusedNoEffect { refusal } => Said { refusal: Some(refusal), ..said(Event::Refused) },
        Commit::NotSent { error } | Commit::Unknown { error } => {
            let event = match (error.kind, armed) {
                (ErrorKind::CredentialRejected, _) => Event::CredentialRefused,
                (_, true) => Event::Unclear,
                (_, false) => Event::NotSent,
            };
            Said { failure: Some(error.kind), ..said(event) }
        }
    }
}

/// What was exchanged, as it is kept.
pub(super) fn exchanged(attempted: &Attempted) -> Option<Vec<u8>> {
    let views: Vec<ExchangeView> = attempted.exchanges.iter().map(ExchangeView::from).collect();
    (!views.is_empty()).then(|| serde_json::to_vec(&views).unwrap_or_default())
}
