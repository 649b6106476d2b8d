//! Writes down what happens: [`next`] decides inside the transaction, and state, attempt, evidence and record are kept
//! together or not at all.

use std::sync::Arc;

use connector_sdk::answer::Authorization;
use connector_sdk::{AuthorizationRequest, ErrorKind, Operation, Prepared, Receipt, Refusal};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::schedule::Schedule;
use super::state::{Decision, Event, Impossible, Outcome, State, next};
use crate::practice::PracticeId;
use crate::store::submissions::{
    self, AttemptRow, Change, NewAttempt, NewInquiry, NewResolution, Standing, SubmissionRow,
};
use crate::store::{Store, StoreError};
use crate::trail::merkle::{Hash, sha256};
use crate::trail::{Actor, Detail, Evidence, OutcomeKind, Purpose, SealBroken, Sealer, Trail, TrailRecord, bind};

const BROKEN: StoreError = StoreError::Damaged { what: "a submission does not open" };

/// The store with the keys to it.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) store: Arc<Store>,
    pub(super) trail: Arc<Trail>,
    sealer: Arc<dyn Sealer>,
}

/// How a submission ended, as it is kept.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct End {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) receipt: Option<Receipt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Authorization>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Refusal>,
    /// A fixed sentence, where we refused it ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
}

/// Something that happens to a submission, with all that is known of it.
pub(super) struct Happening {
    pub(super) event: Event,
    /// Who did it.
    pub(super) actor: Actor,
    /// The attempt it is about, by number; the submission must not have gone on to another.
    pub(super) attempt: i64,
    pub(super) begin: Option<NewAttempt>,
    pub(super) end: Option<End>,
    pub(super) failure: Option<ErrorKind>,
    pub(super) evidence: Option<Evidence>,
    pub(super) inquiry: Option<NewInquiry>,
    pub(super) resolution: Option<NewResolution>,
    pub(super) credential: Option<String>,
    /// What else its record commits to: names in a packet, and digests.
    pub(super) files: Vec<(String, Hash)>,
}

impl Happening {
    pub(super) fn new(event: Event, actor: Actor, attempt: i64) -> Self {
        Self {
            event,
            actor,
            attempt,
            begin: None,
            end: None,
            failure: None,
            evidence: None,
            inquiry: None,
            resolution: None,
            credential: None,
            files: Vec::new(),
        }
    }
}

/// Why something did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// This practice has no such submission.
    Nowhere,
    /// It makes no sense where the submission stands.
    NotHere(State),
    /// Too early for a person's "it is not there".
    TooEarly,
    /// The submission has gone on to another attempt.
    OtherAttempt,
}

impl Books {
    pub(super) fn new(store: Arc<Store>, trail: Arc<Trail>, sealer: Arc<dyn Sealer>) -> Self {
        Self { store, trail, sealer }
    }

    /// Lets something happen, durably, or says why it cannot.
    ///
    /// # Errors
    /// What the store says; nothing has happened then.
    pub(super) async fn happen(
        &self,
        row: &SubmissionRow,
        happening: Happening,
        schedule: &Schedule,
    ) -> Result<Result<State, Refused>, StoreError> {
        let at = crate::store::now();
        let (books, schedule) = (self.clone(), schedule.clone());
        let receipt = happening.end.as_ref().and_then(|end| end.receipt.as_ref());
        let receipt = receipt.map(|receipt| self.receipt_mac(row, receipt));
        let end = happening.end.as_ref().map(|end| self.seal_end(row, end)).transpose()?;
        let (sender, told) = std::sync::mpsc::sync_channel(1);
        let decide = move |standing: &Standing| {
            let state = state_of(&standing.row);
            let state = state.map_err(|_| Refused::NotHere(State::Voided))?;
            if happening.attempt != standing.row.attempts {
                return Err(Refused::OtherAttempt);
            }
            let event = match happening.event {
                // Somebody else's record: it says nothing about this one.
                Event::Found if standing.receipt_taken => Event::Ambiguous,
                event => event,
            };
            let step = next(state, event).map_err(|impossible| match impossible {
                Impossible::TooEarly => Refused::TooEarly,
                Impossible::NotHere => Refused::NotHere(state),
            })?;
            let _ = sender.try_send(step.state);
            let found = event == happening.event;
            let (sealed_end, end_file) = end.filter(|_| found).unzip();
            let mut change =
                books.change(standing, event, step.state, step.attempt, &happening, end_file, &schedule, at);
            change.sealed_end = sealed_end;
            change.receipt_mac = receipt.filter(|_| found);
            change.begin = happening.begin;
            change.evidence = happening.evidence.map(|evidence| evidence.row);
            change.resolution = happening.resolution;
            change.inquiry = happening.inquiry.map(|mut inquiry| {
                if !found {
                    inquiry.answer = "ambiguous";
                }
                inquiry
            });
            Ok(change)
        };
        let stepped = submissions::step(&self.store, &row.practice, &row.id, at, receipt, decide).await?;
        Ok(match stepped {
            None => Err(Refused::Nowhere),
            Some(Err(refused)) => Err(refused),
            Some(Ok(())) => told.try_recv().map_err(|_| Refused::Nowhere),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where a change is put together")]
    fn change(
        &self,
        standing: &Standing,
        event: Event,
        state: State,
        outcome: Option<Outcome>,
        happening: &Happening,
        end: Option<(String, Hash)>,
        schedule: &Schedule,
        at: i64,
    ) -> Change {
        let row = &standing.row;
        let (negatives, person) = match state {
            State::Unknown { negatives, person } => (i64::from(negatives), person),
            _ => (0, false),
        };
        Change {
            state: state.word(),
            negatives,
            person,
            due_at: due_at(row, event, state, happening.inquiry.is_some(), schedule, at),
            sealed_end: None,
            receipt_mac: None,
            begin: None,
            arm: event == Event::Arm,
            outcome: outcome.map(Outcome::word),
            failure: happening.failure.map(ErrorKind::name),
            evidence: None,
            inquiry: None,
            resolution: None,
            record: self.trail.link(record(standing, event, happening, end)),
        }
    }

    /// Seals an ask; also its name in a packet, and its digest.
    pub(super) fn seal_ask(
        &self,
        practice: &PracticeId,
        id: &str,
        ask: &AuthorizationRequest,
    ) -> Result<(Vec<u8>, (String, Hash)), StoreError> {
        let bytes = serde_json::to_vec(ask).map_err(|_| BROKEN)?;
        let sealed = self.seal(practice, &ask_bound_to(practice, id), &bytes)?;
        Ok((sealed, (format!("asks/{id}.json"), sha256(&[&bytes]))))
    }

    /// Opens a submission's ask.
    pub(super) fn ask(&self, row: &SubmissionRow) -> Result<AuthorizationRequest, StoreError> {
        self.open(&ask_bound_to(&row.practice, &row.id), &row.sealed_ask)
    }

    /// Seals the bytes of an attempt.
    pub(super) fn seal_wire(&self, row: &SubmissionRow, attempt: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal(&row.practice, &wire_bound_to(row, attempt), bytes)
    }

    /// Opens the bytes of an attempt; `None` for one that nobody remembers: it was made, if at all, after the copy of the
    /// books that was put back.
    pub(super) fn wire(&self, row: &SubmissionRow, attempt: &AttemptRow) -> Result<Option<Prepared>, StoreError> {
        if attempt.sealed_wire == submissions::WIRE_UNKNOWN {
            return Ok(None);
        }
        self.open(&wire_bound_to(row, &attempt.id), &attempt.sealed_wire).map(Some)
    }

    fn seal_end(&self, row: &SubmissionRow, end: &End) -> Result<(Vec<u8>, (String, Hash)), StoreError> {
        let bytes = serde_json::to_vec(end).map_err(|_| BROKEN)?;
        let sealed = self.seal(&row.practice, &end_bound_to(row), &bytes)?;
        Ok((sealed, (format!("answers/{}.json", row.id), sha256(&[&bytes]))))
    }

    /// Opens how a submission ended.
    pub(super) fn end(&self, row: &SubmissionRow) -> Result<End, StoreError> {
        row.sealed_end.as_ref().map_or_else(|| Ok(End::default()), |sealed| self.open(&end_bound_to(row), sealed))
    }

    /// Seals why a person decided as they did.
    pub(super) fn seal_reason(&self, practice: &PracticeId, id: &str, reason: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal(practice, &reason_bound_to(practice, id), reason)
    }

    /// Opens what is kept beside a submission's records, by the name that a record commits to; the bytes as they were
    /// sealed.
    pub(super) async fn file(
        &self,
        practice: &PracticeId,
        submission: &str,
        name: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some((folder, id)) = name.strip_suffix(".json").and_then(|name| name.split_once('/')) else {
            return Ok(None);
        };
        if folder == "exchanges" {
            return self.trail.exchanged(practice, id).await;
        }
        let Some((row, _)) = submissions::get(&self.store, practice, submission).await? else { return Ok(None) };
        let sealed = match folder {
            "asks" if id == submission => Some((ask_bound_to(practice, id), row.sealed_ask)),
            "answers" if id == submission => row.sealed_end.clone().map(|sealed| (end_bound_to(&row), sealed)),
            "messages" => {
                let attempt = submissions::attempt(&self.store, practice, submission, id).await?;
                attempt.map(|attempt| (wire_bound_to(&row, id), attempt.sealed_wire))
            }
            "reasons" => {
                let sealed = submissions::reason(&self.store, practice, submission, id).await?;
                sealed.map(|sealed| (reason_bound_to(practice, id), sealed))
            }
            _ => None,
        };
        sealed.map(|(bound, sealed)| self.opened(&bound, &sealed)).transpose()
    }

    /// A code that is the same for two asks that look like one sent twice.
    pub(super) fn content_mac(&self, practice: &PracticeId, content: &[u8]) -> [u8; 32] {
        let text = bind(&[b"submission content v1", practice.as_str().as_bytes(), content]);
        self.sealer.mac(Purpose::Submissions, &text)
    }

    fn receipt_mac(&self, row: &SubmissionRow, receipt: &Receipt) -> [u8; 32] {
        let parts: [&[u8]; 5] = [
            b"submission receipt v1",
            row.practice.as_str().as_bytes(),
            row.carrier.as_bytes(),
            receipt.kind.as_bytes(),
            receipt.reference.text().as_bytes(),
        ];
        self.sealer.mac(Purpose::Submissions, &bind(&parts))
    }

    fn seal(&self, practice: &PracticeId, bound: &[u8], bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.sealer.seal_for(practice, Purpose::Submissions, bound, bytes).map_err(|SealBroken| BROKEN)
    }

    fn open<T: serde::de::DeserializeOwned>(&self, bound: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(&self.opened(bound, sealed)?).map_err(|_| BROKEN)
    }

    fn opened(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.sealer.open(Purpose::Submissions, bound, sealed).map_err(|SealBroken| BROKEN)
    }
}

fn ask_bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"submission ask v1", practice.as_str().as_bytes(), id.as_bytes()])
}

fn reason_bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"submission reason v1", practice.as_str().as_bytes(), id.as_bytes()])
}

fn wire_bound_to(row: &SubmissionRow, attempt: &str) -> Vec<u8> {
    bind(&[b"submission wire v1", row.practice.as_str().as_bytes(), row.id.as_bytes(), attempt.as_bytes()])
}

fn end_bound_to(row: &SubmissionRow) -> Vec<u8> {
    bind(&[b"submission end v1", row.practice.as_str().as_bytes(), row.id.as_bytes()])
}

/// Where a row says that it stands.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn state_of(row: &SubmissionRow) -> Result<State, StoreError> {
    State::read(&row.state, row.negatives, row.person)
        .ok_or(StoreError::Damaged { what: "a submission has an unknown state" })
}

/// When the gateway does the next thing.
fn due_at(
    row: &SubmissionRow,
    event: Event,
    state: State,
    answered: bool,
    schedule: &Schedule,
    at: i64,
) -> Option<i64> {
    match (state, event) {
        (State::Queued, Event::NotSent | Event::CredentialRefused | Event::Unclear) => {
            Some(schedule.retry_at(at, row.attempts))
        }
        (State::Queued, _) => Some(at),
        // Something is there that nobody understands: asking again does not help.
        (State::Unknown { .. }, Event::Ambiguous) => None,
        (State::Unknown { person, .. }, _) => match row.unknown_at.filter(|_| row.state == "unknown") {
            None => Some(schedule.first(at, row.urgent)),
            Some(since) => schedule.next(since, row.asked + i64::from(answered), person, row.urgent, at),
        },
        _ => None,
    }
}

/// The record of something that happens. It commits to the bytes that are kept beside it, so that nobody can say later
/// that others were sent or came.
fn record(standing: &Standing, event: Event, happening: &Happening, end: Option<(String, Hash)>) -> TrailRecord {
    let row = &standing.row;
    let mut record = TrailRecord::new(&row.practice, &happening.actor, event.action())
        .carrier(&row.carrier)
        .operation(Operation::Authorization)
        .ask(&row.id);
    let attempt = happening.begin.as_ref().map(|new| &new.id).or(standing.attempt.as_ref().map(|attempt| &attempt.id));
    if let Some(attempt) = attempt {
        record = record.subject(attempt);
    }
    record = match event {
        Event::Accepted | Event::Found | Event::Resolve(Decision::Present) => record.outcome(OutcomeKind::Answered),
        Event::Refused => record.outcome(OutcomeKind::Refused),
        _ => record,
    };
    if let Some(kind) = happening.failure {
        record = record.failure(kind);
    }
    let mut files = happening.files.clone();
    files.extend(end);
    if let Some(evidence) = &happening.evidence {
        record = record.evidence(&evidence.row.id);
        files.push(evidence.file.clone());
    }
    if !files.is_empty() {
        record = record.detail(Detail::default().files(&files));
    }
    if let Some(credential) = &happening.credential {
        record = record.credential(credential);
    }
    record
}
