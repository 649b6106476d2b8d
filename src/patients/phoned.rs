//! What somebody was told on the carrier's phone, or read on its website: with whom they spoke and under which reference,
//! so that it can be proven later.

use std::collections::HashMap;

use connector_sdk::Phi;
use connector_sdk::ask::FieldProblem;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NOT_OPENING, NotKept, Patients};
use crate::identity::Caller;
use crate::practice::PracticeId;
use crate::store::patients::CallRow;
use crate::store::{self, StoreError, patients as rows};
use crate::trail::{Detail, Purpose, SealBroken, TrailRecord, Use, bind};

const TEXT_MAX: usize = 200;
const NOTE_MAX: usize = 1_000;

/// What was said on the phone.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneWord {
    /// The carrier's id.
    pub carrier: String,
    /// Whether the carrier said that the patient is covered.
    pub covered: bool,
    /// The day it was said of, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_date: Option<Date>,
    /// Who said it: the name of the person at the carrier, or the website.
    pub who: Phi<String>,
    /// The call's reference number at the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Phi<String>>,
    /// Anything else that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Phi<String>>,
}

/// The same, with when and by whom it was written down.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Phoned {
    /// Its id.
    pub id: String,
    /// When it was written down.
    pub at: Timestamp,
    /// Who wrote it down: the id of a person or a key.
    pub by: String,
    /// The carrier's id.
    pub carrier: String,
    /// Whether the carrier said that the patient is covered.
    pub covered: bool,
    /// The day it was said of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_date: Option<Date>,
    /// Who said it.
    pub who: Phi<String>,
    /// The call's reference number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Phi<String>>,
    /// Anything else that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Phi<String>>,
}

impl PhoneWord {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        if self.carrier.trim().is_empty() || self.carrier.len() > TEXT_MAX {
            found.push(FieldProblem::new("/carrier", "Name the carrier by its id; GET /v1/carriers?q= finds it."));
        }
        if self.who.text().trim().is_empty() {
            found.push(FieldProblem::new("/who", "Say who told you: a name, or the website's."));
        }
        let texts = [
            ("/who", Some(&self.who), TEXT_MAX),
            ("/reference", self.reference.as_ref(), TEXT_MAX),
            ("/note", self.note.as_ref(), NOTE_MAX),
        ];
        for (path, text, most) in texts {
            let Some(text) = text.map(Phi::text) else { continue };
            if text.chars().count() > most || text.chars().any(|letter| letter.is_control() && letter != '\n') {
                let message = format!("This has {most} characters at most, and no control characters.");
                found.push(FieldProblem::new(path, message));
            }
        }
        found
    }
}

impl Patients {
    /// Writes down what was said on the phone about a patient of the practice; `None` when there is no such patient.
    ///
    /// # Errors
    /// [`NotKept`]; nothing was written then.
    pub async fn phoned(&self, caller: &Caller, id: &str, word: PhoneWord) -> Result<Option<Phoned>, NotKept> {
        let problems = word.problems();
        if !problems.is_empty() {
            return Err(NotKept::Problems(problems));
        }
        let practice = caller.practice();
        if rows::get(&self.store, practice, id).await?.is_none() {
            return Ok(None);
        }
        let call = format!("call_{}", Uuid::now_v7().simple());
        let text = zeroize::Zeroizing::new(serde_json::to_vec(&word).map_err(|_| NOT_OPENING)?);
        let bound = bound_to(practice, &call);
        let sealed =
            self.sealer.seal_for(practice, Purpose::Patients, &bound, &text).map_err(|SealBroken| NOT_OPENING)?;
        let row = CallRow {
            id: call,
            patient: id.to_owned(),
            carrier: word.carrier.clone(),
            actor: caller.id().to_owned(),
            at: store::now(),
            sealed,
        };
        let said = serde_json::to_value(&word).unwrap_or_default();
        let record = TrailRecord::new(practice, &caller.actor(), "coverage.verified_by_phone")
            .purpose(Use::Payment)
            .carrier(&word.carrier)
            .subject(id)
            .detail(Detail::default().say("said", said));
        rows::add_call(&self.store, practice, row.clone(), self.trail.link(record)).await?;
        Ok(Some(shown(&row, word)))
    }

    /// What was said on the phone about these patients, by patient and carrier, the newest first.
    pub(super) async fn calls(
        &self,
        practice: &PracticeId,
        ids: Vec<String>,
    ) -> Result<HashMap<(String, String), Vec<Phoned>>, StoreError> {
        let mut by_carrier: HashMap<(String, String), Vec<Phoned>> = HashMap::new();
        for row in rows::calls(&self.store, practice, ids).await? {
            let bound = bound_to(practice, &row.id);
            let text = self.sealer.open(Purpose::Patients, &bound, &row.sealed).map_err(|SealBroken| NOT_OPENING)?;
            let word: PhoneWord = serde_json::from_slice(&text).map_err(|_| NOT_OPENING)?;
            by_carrier.entry((row.patient.clone(), row.carrier.clone())).or_default().push(shown(&row, word));
        }
        Ok(by_carrier)
    }
}

fn shown(row: &CallRow, word: PhoneWord) -> Phoned {
    Phoned {
        id: row.id.clone(),
        at: store::time(row.at),
        by: row.actor.clone(),
        carrier: word.carrier,
        covered: word.covered,
        service_date: word.service_date,
        who: word.who,
        reference: word.reference,
        note: word.note,
    }
}

fn bound_to(practice: &PracticeId, call: &str) -> Vec<u8> {
    bind(&[b"phone verification v1", practice.as_str().as_bytes(), call.as_bytes()])
}

#[cfg(test)]
impl Phoned {
    pub(super) fn example() -> Self {
        Self {
            id: "call_1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            by: "person_1".to_owned(),
            carrier: "northstar".to_owned(),
            covered: true,
            service_date: None,
            who: "Somebody".into(),
            reference: None,
            note: None,
        }
    }
}
