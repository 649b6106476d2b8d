//! Making a patient, and changing one so that of two who change the same nobody's work is lost.

use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{NOT_OPENING, PATIENTS_MAX, Patient, PatientView, Patients};
use crate::identity::Caller;
use crate::practice::PracticeId;
use crate::store::patients::PatientRow;
use crate::store::{self, StoreError, patients as rows};
use crate::trail::{Purpose, SealBroken, Sealer, TrailRecord, Use, bind};

/// What is sealed of a patient.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// The patient as they are known here.
    pub patient: Patient,
    /// As another system last had them: what it changes is told from what somebody mended here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Patient>,
}

impl Kept {
    pub(super) fn view(self, row: &PatientRow) -> PatientView {
        PatientView {
            id: row.id.clone(),
            version: row.version,
            patient: self.patient,
            made_at: store::time(row.made_at),
            changed_at: store::time(row.changed_at),
        }
    }
}

/// Why a patient was not kept.
#[derive(Debug)]
pub enum NotKept {
    /// What is wrong with it, all of it.
    Problems(Vec<FieldProblem>),
    /// The practice has as many patients as this gateway searches.
    TooMany,
    /// The store cannot write.
    Error(StoreError),
}

impl From<StoreError> for NotKept {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

impl NotKept {
    /// The sentence for [`NotKept::TooMany`].
    pub const TOO_MANY: &'static str = "This practice has 50,000 patients: more are not searched quickly enough, and none is added. \
        Whoever runs this gateway decides what to do.";

    /// As a failure, where the problems were looked at before.
    pub fn error(self) -> Error {
        match self {
            Self::Error(error) => error.into(),
            Self::TooMany => Error::new(connector_sdk::ErrorKind::Overloaded, Self::TOO_MANY),
            Self::Problems(_) => StoreError::Conflict.into(),
        }
    }
}

/// What came of a change.
#[derive(Debug)]
pub enum Changed {
    /// It is kept; as it stands now.
    Kept(Box<PatientView>),
    /// Somebody else has changed the patient since; as it stands now. Nothing was written.
    Meanwhile(Box<PatientView>),
    /// This practice has no such patient.
    Unknown,
}

impl Patients {
    /// Enters a new patient.
    ///
    /// # Errors
    /// [`NotKept`]; nothing was written then.
    pub async fn make(&self, caller: &Caller, patient: Patient, today: Date) -> Result<PatientView, NotKept> {
        let problems = patient.problems("", today);
        if !problems.is_empty() {
            return Err(NotKept::Problems(problems));
        }
        let practice = caller.practice();
        self.sealer.adopt(practice).await?;
        let room = self.room(practice);
        let mut roster = room.roster.write().await;
        self.fill(practice, &mut roster).await?;
        if roster.as_ref().is_some_and(|roster| roster.len() >= PATIENTS_MAX) {
            return Err(NotKept::TooMany);
        }
        let kept = Kept { patient, elsewhere: None };
        let row = self.sealed(practice, new_id(), 1, store::now(), &kept)?;
        let record = TrailRecord::new(practice, &caller.actor(), "patient.made").purpose(Use::Payment).subject(&row.id);
        rows::put(&self.store, practice, vec![row.clone()], vec![self.trail.link(record)]).await?;
        if let Some(roster) = roster.as_mut() {
            roster.put(&row.id, &kept.patient, None);
        }
        Ok(kept.view(&row))
    }

    /// Changes a patient as a whole, if nobody has since `version` was read. Where a carrier's answer is the reason, the
    /// record names the question.
    ///
    /// # Errors
    /// [`NotKept`]; nothing was written then.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &str,
        version: i64,
        patient: Patient,
        today: Date,
        ask: Option<&str>,
    ) -> Result<Changed, NotKept> {
        let problems = patient.problems("", today);
        if !problems.is_empty() {
            return Err(NotKept::Problems(problems));
        }
        let practice = caller.practice();
        let room = self.room(practice);
        let mut roster = room.roster.write().await;
        let Some(row) = rows::get(&self.store, practice, id).await? else { return Ok(Changed::Unknown) };
        let now = self.opened(practice, &row)?;
        if row.version != version {
            return Ok(Changed::Meanwhile(Box::new(now.view(&row))));
        }
        let kept = Kept { patient, elsewhere: now.elsewhere };
        let mut new = self.sealed(practice, row.id.clone(), version + 1, store::now(), &kept)?;
        new.made_at = row.made_at;
        let mut record =
            TrailRecord::new(practice, &caller.actor(), "patient.changed").purpose(Use::Payment).subject(id);
        if let Some(ask) = ask {
            record = record.ask(ask);
        }
        rows::put(&self.store, practice, vec![new.clone()], vec![self.trail.link(record)]).await?;
        if let Some(roster) = roster.as_mut() {
            roster.put(id, &kept.patient, kept.elsewhere.as_ref());
        }
        Ok(Changed::Kept(Box::new(kept.view(&new))))
    }

    /// A row of a patient, changed now.
    pub(super) fn sealed(
        &self,
        practice: &PracticeId,
        id: String,
        version: i64,
        at: i64,
        kept: &Kept,
    ) -> Result<PatientRow, StoreError> {
        let text = Zeroizing::new(serde_json::to_vec(kept).map_err(|_| NOT_OPENING)?);
        let bound = bound_to(practice, &id);
        let sealed =
            self.sealer.seal_for(practice, Purpose::Patients, &bound, &text).map_err(|SealBroken| NOT_OPENING)?;
        Ok(PatientRow { id, version, sealed, made_at: at, changed_at: at })
    }
}

/// What is sealed in a row.
pub(super) fn open(sealer: &dyn Sealer, practice: &PracticeId, row: &PatientRow) -> Result<Kept, StoreError> {
    let bound = bound_to(practice, &row.id);
    let text = sealer.open(Purpose::Patients, &bound, &row.sealed).map_err(|SealBroken| NOT_OPENING)?;
    serde_json::from_slice(&text).map_err(|_| NOT_OPENING)
}

pub(super) fn new_id() -> String {
    format!("pat_{}", Uuid::now_v7().simple())
}

fn bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"patient row v1", practice.as_str().as_bytes(), id.as_bytes()])
}
