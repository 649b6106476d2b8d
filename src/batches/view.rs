//! What is shown of batches and their items.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patients::Badge;

/// How many items are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Not asked yet, or to be asked again later.
    pub waiting: u64,
    /// The carrier is being asked.
    pub asking: u64,
    /// The carrier answered.
    pub answered: u64,
    /// The carrier said no.
    pub refused: u64,
    /// Given up; the item says why.
    pub failed: u64,
    /// Never asked: the batch was cancelled.
    pub cancelled: u64,
}

impl Progress {
    /// Items that are done with, however they ended.
    pub fn ended(&self) -> u64 {
        self.answered + self.refused + self.failed + self.cancelled
    }

    /// Counts items in a state, by the state's word.
    pub fn add(&mut self, state: &str, items: u64) {
        match state {
            "waiting" => self.waiting += items,
            "asking" => self.asking += items,
            "answered" => self.answered += items,
            "refused" => self.refused += items,
            "failed" => self.failed += items,
            "cancelled" => self.cancelled += items,
            _ => {}
        }
    }
}

/// Items that wait for one carrier, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiting {
    /// The carrier.
    pub carrier: String,
    /// How many items.
    pub items: usize,
    /// A fixed word: `carrier_closed`, `credential_stopped`, `credential_missing`, `circuit_open` …
    pub reason: String,
    /// Until when at most, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A batch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BatchView {
    /// Its id.
    pub id: String,
    /// Its name, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `running`, `paused`, `cancelled` or `done`.
    pub state: String,
    /// Why it is paused, where nobody paused it: `asker_gone` (the key or person that made it may not ask any more;
    /// resuming it takes it over).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many items it has.
    pub items: u64,
    /// How many items of what was handed in were left out, because they had problems.
    pub left_out: u64,
    /// How the items stand; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// For whom items wait, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Waiting>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When its first item was asked; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When its last item was finished, or it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Seconds it will go on at the present pace. Absent while that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_secs: Option<u64>,
}

/// Where one item stands. Holds no patient data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemState {
    /// `waiting`, `asking`, `answered`, `refused`, `failed` or `cancelled`.
    pub state: String,
    /// Why it waits again, or failed: a fixed word.
    pub reason: Option<String>,
    /// The question that was put for it last.
    pub question: Option<String>,
    /// When it was finished; 1970 while it is not.
    pub at: Timestamp,
}

/// One item with what came of it. Holds patient data.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ItemView {
    /// Its number in the batch, from 1.
    pub item: i64,
    /// The caller's own reference.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whom it is for.
    pub carrier: String,
    /// `waiting`, `asking`, `answered`, `refused`, `failed` or `cancelled`.
    pub state: String,
    /// Where the patient's coverage stands by it, in the words of the schedule and of patients.
    pub badge: Badge,
    /// Why it waits again, or failed: a failure's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often the carrier was asked without an outcome.
    pub tries: i64,
    /// The question; `GET /v1/eligibility/{id}` gives the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// When it was finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What the carrier said, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What the carrier said, in short.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub struct Told {
    /// `active`, `inactive`, `pending` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<String>,
    /// The names of the plans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<String>,
    /// What the front desk may say; of a refusal or failure, what happened and what to do.
    pub text: String,
    /// What to look at before anything else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// Of a refusal: the reason in a fixed word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// As of when.
    pub as_of: Option<Timestamp>,
    /// Whether it was saved before.
    pub cached: bool,
}
