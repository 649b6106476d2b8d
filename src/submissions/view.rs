//! What callers see of a submission.

use std::collections::BTreeMap;

use connector_sdk::answer::{Authorization, AuthorizationState};
use connector_sdk::{Receipt, Refusal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Hold;
use super::books::End;
use super::state::State;
use crate::store;
use crate::store::submissions::{AttemptRow, History, SubmissionRow};

/// An authorization as the practice has it: the carrier's word, and where the submission stands.
#[derive(Serialize, JsonSchema)]
pub struct AuthorizationView {
    /// What the carrier said, with our id and a state that is ours until it says something.
    #[serde(flatten)]
    pub authorization: Authorization,
    /// How it came there.
    pub submission: SubmissionView,
}

/// A submission in a list: no patient data.
#[derive(Serialize, JsonSchema)]
pub struct SubmissionSummary {
    /// Its id. The records of it name it as their `ask_id`, and an evidence packet is asked for by it (`submission`).
    pub id: String,
    /// What it is: `authorization`.
    pub operation: String,
    /// Whom it goes to.
    pub carrier: String,
    /// `queued`, `intent`, `armed`, `unknown`, `accepted`, `rejected`, `cancelled` or `voided`.
    pub state: &'static str,
    /// Whether it waits for a person: `POST /v1/submissions/{id}/resolve`.
    pub needs_person: bool,
    /// Our number for it at the carrier; the same in every attempt.
    pub reference: String,
    /// Whether the carrier must decide within days.
    pub expedited: bool,
    /// Attempts so far.
    pub attempts_made: i64,
    /// Why nothing is sent now, where something waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// What the gateway does next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Since when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// What the gateway does next with a submission.
#[derive(Serialize, JsonSchema)]
pub struct Next {
    /// `send`, `ask_the_carrier` or `person`.
    pub what: &'static str,
    /// When; absent where it waits for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A submission with its history.
#[derive(Serialize, JsonSchema)]
pub struct SubmissionView {
    /// What stands in the list.
    #[serde(flatten)]
    pub summary: SubmissionSummary,
    /// The carrier's proof that it has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Why the carrier turned it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Why it could not be put into the carrier's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
    /// Every inquiry that was answered, oldest first.
    pub inquiries: Vec<InquiryView>,
}

/// An attempt at sending.
#[derive(Serialize, JsonSchema)]
pub struct AttemptView {
    /// Its id.
    pub id: String,
    /// Its number; the first is 1.
    pub n: i64,
    /// `not_sent`, `rejected_no_effect`, `accepted`, `unknown`, `confirmed_absent` or `confirmed_present`; absent while it
    /// runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What went wrong, as the name of a failure's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Control numbers of the message.
    pub control_numbers: BTreeMap<String, String>,
    /// When its bytes were written down.
    pub written_at: Timestamp,
    /// When the first byte was let go; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub armed_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What was exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// An inquiry.
#[derive(Serialize, JsonSchema)]
pub struct InquiryView {
    /// Its id.
    pub id: String,
    /// When it was asked.
    pub at: Timestamp,
    /// `present`, `absent` or `ambiguous`.
    pub answer: String,
    /// Whether it was asked so late that "absent" proves something.
    pub past_the_bound: bool,
    /// What was exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

pub(super) fn whole(history: &History, state: State, end: End, hold: Option<Hold>) -> AuthorizationView {
    let row = &history.row;
    let mut authorization = end.answer.unwrap_or_default();
    authorization.id = row.id.clone();
    authorization.state = shown(state, authorization.state);
    let inquiries = history.inquiries.iter().map(|row| InquiryView {
        id: row.id.clone(),
        at: store::time(row.asked_at),
        answer: row.answer.clone(),
        past_the_bound: row.settled,
        evidence: row.evidence.clone(),
    });
    AuthorizationView {
        authorization,
        submission: SubmissionView {
            summary: summary(row, state, hold),
            receipt: end.receipt,
            refusal: end.refusal,
            failure: end.failure,
            attempts: history.attempts.iter().map(attempt).collect(),
            inquiries: inquiries.collect(),
        },
    }
}

pub(super) fn summary(row: &SubmissionRow, state: State, hold: Option<Hold>) -> SubmissionSummary {
    let needs_person = matches!(state, State::Unknown { person: true, .. });
    let what = match state {
        State::Queued => Some("send"),
        State::Unknown { .. } if row.due_at.is_some() => Some("ask_the_carrier"),
        State::Unknown { .. } => Some("person"),
        _ => None,
    };
    SubmissionSummary {
        id: row.id.clone(),
        operation: row.kind.clone(),
        carrier: row.carrier.clone(),
        state: state.word(),
        needs_person,
        reference: row.biz_ref.clone(),
        expedited: row.urgent,
        attempts_made: row.attempts,
        next: what.map(|what| Next { what, at: row.due_at.filter(|_| hold.is_none()).map(store::time) }),
        hold,
        unknown_since: row.unknown_at.filter(|_| matches!(state, State::Unknown { .. })).map(store::time),
        created_at: store::time(row.created_at),
        changed_at: store::time(row.changed_at),
    }
}

fn attempt(row: &AttemptRow) -> AttemptView {
    AttemptView {
        id: row.id.clone(),
        n: row.n,
        outcome: row.outcome.clone(),
        failure: row.failure.clone(),
        control_numbers: serde_json::from_str(&row.numbers).unwrap_or_default(),
        written_at: store::time(row.intent_at),
        armed_at: row.armed_at.map(store::time),
        ended_at: row.ended_at.map(store::time),
        evidence: row.evidence.clone(),
    }
}

/// The state as the API's authorizations know it: the carrier's word once there is one.
fn shown(state: State, carriers: AuthorizationState) -> AuthorizationState {
    match state {
        State::Queued | State::Intent => AuthorizationState::Queued,
        State::Armed => AuthorizationState::Submitted,
        State::Unknown { .. } | State::Voided => AuthorizationState::Unknown,
        // The carrier has it; that it says nothing more is no reason for doubt.
        State::Accepted if carriers == AuthorizationState::Unknown => AuthorizationState::Submitted,
        State::Accepted => carriers,
        State::Rejected => AuthorizationState::NeedsPerson,
        State::Cancelled => AuthorizationState::Cancelled,
    }
}
