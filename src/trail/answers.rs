//! Questions and their answers, kept so that they are still there after a kill and can be fetched by their id.

use std::fmt;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::note::hex;
use super::record::{OutcomeKind, TrailRecord};
use super::repeat;
use super::seal::{Purpose, SealBroken, bind};
use super::{Trail, merkle};
use crate::practice::PracticeId;
use crate::store::answers::{AskRow, Completed, EvidenceRow};
use crate::store::{self, StoreError};

const NOT_OPENING: StoreError = StoreError::Damaged { what: "a stored answer does not open" };

/// Where a stored question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskState {
    /// Not completed yet.
    Pending,
    /// The carrier answered.
    Answered,
    /// The carrier said no.
    Refused,
    /// There is no outcome. Without an envelope: the gateway was stopped before the answer came.
    Failed,
}

/// A stored question.
#[derive(Clone)]
pub struct StoredAsk {
    /// Its id.
    pub id: String,
    /// Whose.
    pub practice: PracticeId,
    /// Whom it was put to.
    pub carrier: String,
    /// Which operation, by its name.
    pub operation: String,
    /// Where it stands.
    pub state: AskState,
    /// When it was put.
    pub created_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The id of the exchange, where one is kept.
    pub evidence_id: Option<String>,
    /// The envelope as it left, JSON. `None` while pending, or when the gateway was stopped before the answer came.
    pub envelope: Option<Vec<u8>>,
}

impl fmt::Debug for StoredAsk {
    /// Everything but the envelope.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAsk")
            .field("id", &self.id)
            .field("practice", &self.practice)
            .field("carrier", &self.carrier)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What was exchanged, sealed, and what a record of it commits to.
pub(crate) struct Evidence {
    /// To be stored.
    pub(crate) row: EvidenceRow,
    /// Its name in a packet, and the SHA-256 of its bytes.
    pub(crate) file: (String, merkle::Hash),
}

/// A new id for what is exchanged: `ev_…`.
pub fn new_evidence_id() -> String {
    format!("ev_{}", Uuid::now_v7().simple())
}

impl Trail {
    /// Notes that a question was taken: its carrier and operation are read from the record, which is appended in the
    /// same transaction (`eligibility.asked`, say). Needed only where the id is given away before the answer is there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the practice has a question with this id; else what the store says.
    pub async fn begin(&self, practice: &PracticeId, id: &str, record: TrailRecord) -> Result<(), StoreError> {
        let ask = ask_row(practice, id, &record, "pending", None);
        store::answers::begin(&self.store, ask, Some(self.link(record))).await
    }

    /// Stores an answer, what was exchanged for it, and the record, in one transaction; once this returns `Ok`, the
    /// answer may leave. Carrier, operation, outcome and evidence id are read from the record. A question that was not
    /// begun is begun by it. `exchanges` without an evidence id in the record gets a new one; the id is returned. An
    /// evidence id without `exchanges` is that of an earlier question: the answer was saved. Such an envelope may be kept
    /// as [`super::repeating`] gives it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the question was completed before, or the record belongs to another practice; else
    /// what the store says. Nothing is kept then, and the answer must not leave.
    pub async fn complete(
        &self,
        practice: &PracticeId,
        id: &str,
        envelope: &[u8],
        exchanges: Option<&[u8]>,
        record: TrailRecord,
    ) -> Result<Option<String>, StoreError> {
        if record.entry().practice != *practice {
            return Err(StoreError::Conflict);
        }
        let named = record.entry().evidence_id.clone();
        let evidence_id = named.or_else(|| exchanges.map(|_| new_evidence_id()));
        let mut record = match &evidence_id {
            Some(evidence) => record.evidence(evidence),
            None => record,
        };
        // By these the record proves what was answered and exchanged; salted with the rest of the detail.
        let sha256 = |bytes: &[u8]| json!({ "sha256": hex(&merkle::sha256(&[bytes])) });
        let detail = record.detail_or_new();
        detail.put("answer", sha256(envelope));
        if let Some(exchanges) = exchanges {
            detail.put("exchange", sha256(exchanges));
        }
        let state = record.entry().outcome.unwrap_or(OutcomeKind::Failed).name();
        let completed = Some(record.entry().at.as_microsecond());
        let ask = ask_row(practice, id, &record, state, completed);
        self.sealer.adopt(practice).await?;
        let envelope = self
            .sealer
            .seal_for(practice, Purpose::Answers, &answer_bound_to(practice, id), envelope)
            .map_err(|SealBroken| NOT_OPENING)?;
        let evidence = match (exchanges, &evidence_id) {
            (Some(bytes), Some(evidence)) => {
                let bound = evidence_bound_to(practice, id, evidence);
                let sealed = self.sealer.seal_for(practice, Purpose::Evidence, &bound, bytes);
                let sealed = sealed.map_err(|SealBroken| NOT_OPENING)?;
                Some(EvidenceRow { id: evidence.clone(), sealed })
            }
            _ => None,
        };
        let link = self.link(record);
        store::answers::complete(
            &self.store,
            Completed { ask, envelope, evidence_id: evidence_id.clone(), evidence },
            link,
        )
        .await?;
        Ok(evidence_id)
    }

    /// A stored question of this practice; `None` when it has none with this id, whoever else may have one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the envelope was changed or moved.
    pub async fn get(&self, practice: &PracticeId, id: &str) -> Result<Option<StoredAsk>, StoreError> {
        let Some(row) = store::answers::get(&self.store, practice, id).await? else { return Ok(None) };
        let envelope = row
            .envelope
            .map(|sealed| self.sealer.open(Purpose::Answers, &answer_bound_to(practice, id), &sealed))
            .transpose()
            .map_err(|SealBroken| NOT_OPENING)?
            .map(|mut opened| std::mem::take(&mut *opened));
        let envelope = match envelope.as_deref().and_then(repeat::first_of) {
            Some(first) => Some(self.whole(practice, first, envelope.as_deref().unwrap_or_default()).await?),
            None => envelope,
        };
        Ok(Some(StoredAsk {
            id: row.ask.id,
            practice: row.ask.practice,
            carrier: row.ask.carrier,
            operation: row.ask.operation,
            state: state(&row.ask.state)?,
            created_at: time(row.ask.created_at)?,
            completed_at: row.ask.completed_at.map(time).transpose()?,
            evidence_id: row.evidence_id,
            envelope,
        }))
    }

    /// The envelope exactly as it was given to [`Trail::complete`].
    pub(crate) async fn stored(
        &self,
        practice: &PracticeId,
        id: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = store::answers::get(&self.store, practice, id).await?;
        let Some(sealed) = row.and_then(|row| row.envelope) else { return Ok(None) };
        let opened = self.sealer.open(Purpose::Answers, &answer_bound_to(practice, id), &sealed);
        opened.map(Some).map_err(|SealBroken| NOT_OPENING)
    }

    /// A repeating envelope with the answer that stands in the one it repeats.
    async fn whole(&self, practice: &PracticeId, first: &str, rest: &[u8]) -> Result<Vec<u8>, StoreError> {
        let row = store::answers::get(&self.store, practice, first).await?;
        let sealed = row.and_then(|row| row.envelope).ok_or(repeat::GONE)?;
        let opened = self.sealer.open(Purpose::Answers, &answer_bound_to(practice, first), &sealed);
        repeat::joined(rest, &opened.map_err(|SealBroken| NOT_OPENING)?)
    }

    /// What was exchanged with the carrier for a question of this practice; for a saved answer, what was exchanged when
    /// it was first given.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was changed or moved.
    pub async fn raw(&self, practice: &PracticeId, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let found = store::answers::evidence(&self.store, practice, id).await?;
        let Some((exchanged_for, row)) = found else { return Ok(None) };
        let bound = evidence_bound_to(practice, &exchanged_for, &row.id);
        self.sealer.open(Purpose::Evidence, &bound, &row.sealed).map(Some).map_err(|SealBroken| NOT_OPENING)
    }

    /// What was exchanged, sealed to be stored in another room's transaction; `about` names what it was exchanged for.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be sealed.
    pub(crate) fn evidence(&self, practice: &PracticeId, about: &str, bytes: &[u8]) -> Result<Evidence, StoreError> {
        let id = new_evidence_id();
        let bound = evidence_bound_to(practice, about, &id);
        let sealed = self.sealer.seal_for(practice, Purpose::Evidence, &bound, bytes);
        let sealed = sealed.map_err(|SealBroken| NOT_OPENING)?;
        let file = (format!("exchanges/{about}.json"), merkle::sha256(&[bytes]));
        Ok(Evidence { row: EvidenceRow { id, sealed }, file })
    }

    /// What was exchanged for this, as it was given to [`Trail::evidence`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was changed or moved.
    pub(crate) async fn exchanged(
        &self,
        practice: &PracticeId,
        about: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(row) = store::answers::evidence_about(&self.store, practice, about).await? else { return Ok(None) };
        let bound = evidence_bound_to(practice, about, &row.id);
        self.sealer.open(Purpose::Evidence, &bound, &row.sealed).map(Some).map_err(|SealBroken| NOT_OPENING)
    }

    /// Marks as failed every question that an earlier process left pending; says how many. Call it once at start,
    /// before any question is taken.
    ///
    /// # Errors
    /// What the store says.
    pub async fn close_interrupted(&self) -> Result<usize, StoreError> {
        let mut closed = 0;
        for practice in store::keys::practices(&self.store).await? {
            closed += store::answers::close_pending(&self.store, &practice.id, store::now()).await?;
        }
        Ok(closed)
    }
}

fn ask_row(practice: &PracticeId, id: &str, record: &TrailRecord, state: &str, completed_at: Option<i64>) -> AskRow {
    let entry = record.entry();
    AskRow {
        practice: practice.clone(),
        id: id.to_owned(),
        carrier: entry.carrier.clone().unwrap_or_default(),
        operation: entry.operation.map_or("", |operation| operation.name()).to_owned(),
        state: state.to_owned(),
        created_at: entry.at.as_microsecond(),
        completed_at,
    }
}

fn answer_bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"answer v1", practice.as_str().as_bytes(), id.as_bytes()])
}

fn evidence_bound_to(practice: &PracticeId, ask: &str, id: &str) -> Vec<u8> {
    bind(&[b"evidence v1", practice.as_str().as_bytes(), ask.as_bytes(), id.as_bytes()])
}

fn state(word: &str) -> Result<AskState, StoreError> {
    match word {
        "pending" => Ok(AskState::Pending),
        "answered" => Ok(AskState::Answered),
        "refused" => Ok(AskState::Refused),
        "failed" => Ok(AskState::Failed),
        _ => Err(StoreError::Damaged { what: "a question has an unknown state" }),
    }
}

fn time(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| StoreError::Damaged { what: "a time is out of range" })
}
