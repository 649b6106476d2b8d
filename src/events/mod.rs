//! What happened in a practice, for programs: a list to read ([`Events::after`]) and signed deliveries ([`Webhooks`]).
//!
//! **An event is a record of the paper trail that others may be told of.** There is no second list that could miss one,
//! and a record holds no patient data: an event says what happened to which id; the rest is asked for with a key.

mod deliver;
mod sign;
#[cfg(test)]
mod tests;
mod webhooks;

use std::sync::Arc;

use connector_sdk::ErrorKind;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use webhooks::{NewWebhook, NotMade, WebhookInfo, Webhooks};

use crate::practice::PracticeId;
use crate::store::trail::TrailRow;
use crate::store::{self, Store, StoreError};
use crate::trail::{OutcomeKind, TrailEntry};

/// Most events in one page.
pub const PAGE_MAX: u32 = 500;
/// Records that are looked at for one page: most are events, or the practice is a quiet one.
const LOOKED_AT_MAX: u32 = 2_000;

/// Beginnings of the trail's words for what others may be told of. Who looked at what is not among them.
const TOLD: [&str; 7] =
    ["eligibility.answered", "submission.", "batch.", "task.", "credential.", "webhook.disabled", "key.revoked"];

/// Something that happened, without patient data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Event {
    /// Its id, the same in the list and in every delivery.
    pub id: String,
    /// Its number: give the last one you have as `after`. Numbers grow; some are left out.
    pub number: u64,
    /// What happened: `submission.accepted`, `credential.stopped` …
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub timestamp: Timestamp,
    /// To what.
    pub data: EventData,
}

/// What an event is about: ids of ours and fixed words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventData {
    /// The carrier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The question or submission: `GET` it for the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_id: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeKind>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<ErrorKind>,
    /// The credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// What else it is about: a batch, a task, a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Give this as `after` for the next page.
    pub next: u64,
    /// Whether there may be more already.
    pub more: bool,
}

/// Reads events.
pub struct Events {
    store: Arc<Store>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// The events in this store.
    pub fn new(store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { store })
    }

    /// A practice's events after a number, oldest first, at most `limit` (and at most [`PAGE_MAX`]).
    ///
    /// # Errors
    /// What the store says.
    pub async fn after(&self, practice: &PracticeId, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        page(&self.store, practice, after, limit).await
    }
}

async fn page(store: &Store, practice: &PracticeId, after: u64, limit: u32) -> Result<EventPage, StoreError> {
    let most = usize::try_from(limit.clamp(1, PAGE_MAX)).unwrap_or(1);
    let rows = store::trail::after(store, practice, after, LOOKED_AT_MAX).await?;
    let full = rows.len() == usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
    let mut page = EventPage { events: Vec::new(), next: after, more: full };
    for row in &rows {
        if page.events.len() == most {
            page.more = true;
            break;
        }
        page.next = row.seq;
        page.events.extend(event(row)?);
    }
    Ok(page)
}

/// The event that a record is, if others may be told of it.
fn event(row: &TrailRow) -> Result<Option<Event>, StoreError> {
    let entry: TrailEntry =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged { what: "a record cannot be read" })?;
    if !TOLD.iter().any(|told| entry.action.starts_with(told)) {
        return Ok(None);
    }
    Ok(Some(Event {
        id: format!("evt_{}", entry.id.simple()),
        number: entry.seq,
        kind: entry.action,
        timestamp: entry.at,
        data: EventData {
            carrier: entry.carrier,
            ask_id: entry.ask_id,
            outcome: entry.outcome,
            failure: entry.failure,
            credential_id: entry.credential_id,
            subject_id: entry.subject_id,
        },
    }))
}
