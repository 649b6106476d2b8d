//! What a carrier decided about services that need its leave: a prior authorization, a referral, an admission.
//!
//! An X12 278 (response, inquiry response, notice) becomes this; so will a portal's page and a FHIR ClaimResponse. What
//! the carrier did not say is absent. Codes that nobody knows are kept as they came.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Coded, Contact, DateFact, DateSpan, Provenance, RawRef};
use crate::phi::Phi;

/// An authorization, from the first draft to the last word.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Authorization {
    /// The gateway's number for it; empty in one that was only read from what a carrier sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Where it stands.
    pub state: AuthorizationState,
    /// The numbers it is known by.
    pub numbers: Vec<AuthorizationNumber>,
    /// Service by service.
    pub services: Vec<ReviewedService>,
    /// What was decided, where the carrier decided something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// By when the carrier must decide, where a rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// From when to when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<DateSpan>,
    /// Every date the carrier gave for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Free text, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Phi<String>>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Where this was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provenance: Vec<Provenance>,
    /// What it was made from.
    #[serde(default)]
    pub raw: RawRef,
}

/// Where an authorization, or one service of it, stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationState {
    /// Being written.
    Draft,
    /// Waiting to be sent.
    Queued,
    /// Sent; the carrier has not answered.
    Submitted,
    /// Nobody can say: the carrier's word is missing, or is one that nobody here knows.
    #[default]
    Unknown,
    /// The carrier is still deciding.
    Pended,
    /// Everything that was asked for.
    Approved,
    /// Less than was asked for, or something else.
    PartiallyApproved,
    /// No.
    Denied,
    /// Taken back.
    Cancelled,
    /// It held, and does no longer.
    Expired,
    /// The carrier needs no authorization for this.
    NotRequired,
    /// The carrier wants to be called.
    NeedsPerson,
}

/// What a number of an authorization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// The carrier's number for a decision that is no approval.
    Decision,
    /// The carrier's number for a request it has not decided.
    Tracking,
    /// The number that goes on the claim.
    Authorization,
    /// The carrier's number for the paperwork.
    Case,
    /// A number of the message itself, given by the side that asked or by the carrier.
    Trace,
}

/// A number with what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationNumber {
    /// What it is.
    pub kind: NumberKind,
    /// As the carrier wrote it.
    pub value: Phi<String>,
    /// Where it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provenance: Vec<Provenance>,
}

/// One service: what was asked, what was given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReviewedService {
    /// What was asked for; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<ServiceAmount>,
    /// What was given; absent where nothing was, or where nothing was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<ServiceAmount>,
    /// Where it stands.
    pub state: AuthorizationState,
    /// Why, where the carrier gave a reason for this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DecisionReason>,
    /// The service's own numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<AuthorizationNumber>,
    /// Free text, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Phi<String>>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// How much of a service, where and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAmount {
    /// The procedure, as sent, or the type of service.
    pub service: Coded,
    /// The procedure's modifiers, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub quantity: Option<Decimal>,
    /// Of what: visits, days, units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Coded>,
    /// How often, in words: `2 visits per week`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// When.
    #[serde(default)]
    pub period: DateSpan,
    /// Who gives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub performers: Vec<Contact>,
}

/// What was decided.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The carrier's word, with ours for it.
    pub action: Coded,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Contact>,
    /// The day it was decided; where the carrier did not say, the day it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Date>,
    /// Why.
    pub reasons: Vec<DecisionReason>,
    /// What to do now.
    pub next_steps: Vec<NextStep>,
}

/// Why something was decided as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionReason {
    /// As the carrier sent it.
    pub code: String,
    /// What the code means; the code itself where nobody knows it.
    pub text: String,
    /// The same as one would tell it at the front desk.
    pub plain: String,
}

/// Something to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextStep {
    /// One sentence.
    pub what: String,
    /// The last day for it, where the carrier named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_when: Option<Date>,
    /// The carrier's telephone for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// By when a carrier must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Which rule says so.
    pub rule: String,
    /// The end of the time it has.
    #[schemars(with = "String")]
    pub due_at: Timestamp,
    /// Seconds left; below zero: overdue.
    pub left_secs: i64,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When: a day (`YYYY-MM-DD`) or a time (RFC 3339), as exactly as it is known.
    pub at: String,
    /// One sentence.
    pub what: String,
}
