//! Who asked or read about which patient, under which identity at the carrier, and why: records with what they commit to.

use serde_json::Value;

use super::Trail;
use super::detail::{self, OpenDetail, PatientKey};
use super::record::TrailEntry;
use super::seal::SealBroken;
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::trail::{self as rows, About, DetailedRow};

const NOT_READ: StoreError = StoreError::Damaged { what: "a record cannot be read" };
const NOT_OPENING: StoreError = StoreError::Damaged { what: "the detail of a record does not open" };

/// A record with its text, as it was hashed, and what it commits to.
pub struct Detailed {
    /// The record.
    pub entry: TrailEntry,
    /// Its text, as it was hashed.
    pub body: String,
    /// What it commits to. May hold patient data.
    pub detail: Option<OpenDetail>,
}

impl Detailed {
    /// What it commits to, as JSON; `Null` where there is nothing.
    pub fn said(&self) -> Value {
        self.detail.as_ref().and_then(|detail| serde_json::from_str(&detail.text).ok()).unwrap_or_default()
    }
}

/// What is looked for.
#[derive(Clone, Default)]
pub struct Search {
    /// One question or submission.
    pub ask: Option<String>,
    /// A patient.
    pub patient: Option<PatientKey>,
    /// Not before, in microseconds since 1970.
    pub from: Option<i64>,
    /// Before this, in microseconds since 1970.
    pub to: Option<i64>,
}

impl Trail {
    /// Records of a practice, oldest first, at most `limit`, opened. **The caller records that they were read.**
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one was changed or moved.
    pub async fn search(
        &self,
        practice: &PracticeId,
        search: &Search,
        limit: u32,
    ) -> Result<Vec<Detailed>, StoreError> {
        let about = match (&search.ask, &search.patient) {
            (Some(ask), _) => About::Ask(ask.clone()),
            (None, Some(patient)) => About::Patient(patient.codes(self.sealer.as_ref(), practice)),
            (None, None) => About::Everything,
        };
        let found = rows::about(&self.store, practice, about, (search.from, search.to), limit).await?;
        found.into_iter().map(|row| self.opened(row)).collect()
    }

    /// The questions that were put about each of these patients and have come to an end: id and time, in microseconds
    /// since 1970, the newest first, at most `each` of one patient.
    ///
    /// # Errors
    /// What the store says.
    pub async fn questions_about(
        &self,
        practice: &PracticeId,
        patients: &[PatientKey],
        each: u32,
    ) -> Result<Vec<Vec<(String, i64)>>, StoreError> {
        let codes = patients.iter().map(|patient| patient.codes(self.sealer.as_ref(), practice)).collect();
        rows::questions_about(&self.store, practice, codes, each).await
    }

    fn opened(&self, row: DetailedRow) -> Result<Detailed, StoreError> {
        let entry: TrailEntry = serde_json::from_str(&row.record.body).map_err(|_| NOT_READ)?;
        let detail = row
            .detail
            .map(|sealed| detail::open(self.sealer.as_ref(), &entry, &sealed))
            .transpose()
            .map_err(|SealBroken| NOT_OPENING)?;
        Ok(Detailed { entry, body: row.record.body, detail })
    }
}
