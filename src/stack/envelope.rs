//! The envelope every operation's answer comes in: what the API gives, the ledger keeps and the pages show.

use std::sync::Arc;

use connector_sdk::context::Warning;
use connector_sdk::error::Fact;
use connector_sdk::{EligibilityAnswer, Error, ErrorKind, Operation, Outcome, Refusal, Retry, WhoActs};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Question, Said, Told};
use crate::carriers::Carrier;

/// Every operation's answer. HTTP status says whether Portico did its job, `outcome` what the carrier said.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// Our id for the question.
    pub id: String,
    /// Which operation.
    pub operation: Operation,
    /// Carrier id.
    pub carrier: String,
    /// What the carrier said, in one word.
    pub outcome: OutcomeWord,
    /// When answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Arc<EligibilityAnswer>>,
    /// When refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// When failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Through what.
    pub source: Source,
    /// As of when.
    pub freshness: Freshness,
    /// How long it took.
    pub timing: Timing,
    /// The sealed bytes that were exchanged: `GET /v1/eligibility/{id}/raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What is worth telling beside the answer.
    pub warnings: Vec<Note>,
}

/// A warning as the envelope shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// A fixed word.
    pub code: String,
    /// One sentence.
    pub text: String,
}

/// `answered`, `refused`, `pending` or `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// The carrier answered.
    Answered,
    /// The carrier understood and said no.
    Refused,
    /// The answer is still awaited.
    Pending,
    /// There is no answer; `failure` says why and who must act.
    Failed,
}

impl OutcomeWord {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What kind.
    pub kind: ErrorKind,
    /// Who must act.
    pub who_acts: WhoActs,
    /// One sentence for that person.
    pub text: String,
    /// Whether the same question may be sent again.
    pub retry: RetryAdvice,
    /// Numbers and fixed words that help to find the cause.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// Whether the same question may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetryAdvice {
    /// Sending it again can help and does no harm.
    pub safe: bool,
    /// Not before this many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_secs: Option<u64>,
}

/// Through what an answer came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The connector.
    pub connector: String,
    /// `x12`, `json`, `html`.
    pub transport: String,
    /// The credential used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Our trace number at the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// As of when an answer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Freshness {
    /// When the carrier said it.
    pub as_of: Timestamp,
    /// Whether it was saved before.
    pub cached: bool,
    /// Until when it counts as fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Timestamp>,
    /// Which rule says so.
    pub why: String,
}

/// How long a question took, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Waiting for our own limits.
    pub queued_ms: u64,
    /// With the carrier.
    pub carrier_ms: u64,
    /// In all.
    pub total_ms: u64,
}

impl Failure {
    /// The failure an error is shown as.
    pub fn of(error: &Error) -> Self {
        let retry = match error.retry {
            Retry::Never => RetryAdvice { safe: false, after_secs: None },
            // Tried as often as allowed for now: the caller may try again, but not at once.
            Retry::Spent => RetryAdvice { safe: true, after_secs: Some(30) },
            Retry::Safe => RetryAdvice { safe: true, after_secs: None },
            Retry::After(wait) => RetryAdvice {
                safe: true,
                after_secs: Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)),
            },
        };
        let facts = error
            .facts
            .iter()
            .map(|(name, fact)| {
                let value = match fact {
                    Fact::Number(number) => serde_json::Value::from(*number),
                    Fact::Word(word) => serde_json::Value::from(*word),
                    Fact::Id(id) => serde_json::Value::from(id.to_string()),
                };
                ((*name).to_owned(), value)
            })
            .collect();
        Self { kind: error.kind, who_acts: error.kind.who_acts(), text: error.message.to_owned(), retry, facts }
    }
}

impl From<&Warning> for Note {
    fn from(warning: &Warning) -> Self {
        Self { code: warning.code.to_owned(), text: warning.text.to_owned() }
    }
}

impl Envelope {
    /// The envelope of a question's end.
    pub fn of(question: &Question, carrier: &Carrier, told: &Told) -> Self {
        let mut envelope = Self::pending(question, carrier);
        envelope.source.credential = told.credential.clone();
        envelope.source.trace = Some(told.trace.clone()).filter(|trace| !trace.is_empty());
        envelope.freshness = Freshness {
            as_of: told.as_of,
            cached: told.cached,
            stale_after: told.stale_after.filter(|_| told.said.is_ok()),
            why: if told.cached { "saved answer within the carrier file's rule" } else { "carrier file's rule" }
                .to_owned(),
        };
        envelope.timing = Timing {
            queued_ms: millis(told.queued),
            carrier_ms: millis(told.carrier_time),
            total_ms: millis(question.started.elapsed()),
        };
        envelope.evidence = told.evidence.clone();
        envelope.warnings = told.warnings.iter().map(Note::from).collect();
        match told.said.as_ref().map(|said| &**said) {
            Ok(Said::Eligibility(Outcome::Answered(answer))) => {
                envelope.outcome = OutcomeWord::Answered;
                envelope.answer = Some(answer.clone());
            }
            Ok(Said::Eligibility(Outcome::Refused(refusal))) => {
                envelope.outcome = OutcomeWord::Refused;
                envelope.refusal = Some(refusal.clone());
            }
            Err(error) => {
                envelope.outcome = OutcomeWord::Failed;
                envelope.failure = Some(Failure::of(error));
            }
        }
        envelope
    }

    /// The envelope of a question whose answer is still awaited.
    pub fn pending(question: &Question, carrier: &Carrier) -> Self {
        let mut envelope =
            Self::awaited(&question.id, question.ask.operation(), &carrier.id, question.asked_at, Some(carrier));
        envelope.timing.total_ms = millis(question.started.elapsed());
        envelope
    }

    /// The same from what is stored of it; `known` is the carrier, where there still is one of this id.
    pub fn awaited(
        id: &str,
        operation: Operation,
        carrier: &str,
        asked_at: Timestamp,
        known: Option<&Carrier>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            operation,
            carrier: carrier.to_owned(),
            outcome: OutcomeWord::Pending,
            answer: None,
            refusal: None,
            failure: None,
            source: Source {
                connector: known.map_or("", |carrier| carrier.registration.name).to_owned(),
                transport: known.map_or("", |carrier| carrier.registration.transport).to_owned(),
                credential: None,
                trace: None,
            },
            freshness: Freshness {
                as_of: asked_at,
                cached: false,
                stale_after: None,
                why: "the carrier has not answered yet".to_owned(),
            },
            timing: Timing { queued_ms: 0, carrier_ms: 0, total_ms: 0 },
            evidence: None,
            warnings: Vec::new(),
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
