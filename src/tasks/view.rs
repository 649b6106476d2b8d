//! A task as people and programs see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use connector_sdk::{Phi, Prompt, PromptKind};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::scope_to_answer;
use crate::identity::Scope;
use crate::store::{self, tasks::TaskRow};

/// What a carrier asks of a person.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// `second_factor_code`, `captcha`, `terms`, `password_change` or `other`.
    pub kind: PromptKind,
    /// `open`, `answered`, `dismissed`, `expired`, or `gone`: what waited for it ended first.
    pub state: String,
    /// Which carrier asks.
    pub carrier: String,
    /// For which credential.
    pub credential_id: String,
    /// Whether the carrier has refused an answer before.
    pub again: bool,
    /// When it was raised.
    pub opened_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// Whole seconds until then, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_secs: Option<i64>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The id of the person or key that closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// What an answer is: `text`, or `accept` for a plain yes.
    pub takes: &'static str,
    /// The scope that whoever answers needs, beside `resolve`.
    pub scope: Scope,
    /// What the carrier's page says, while it is open. The carrier's words: show them as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Phi<String>>,
    /// Where the carrier shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A picture to read, while it is open; `GET /v1/tasks/{id}` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureView>,
    /// Whether there is a picture to read.
    pub has_picture: bool,
}

/// A picture to read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PictureView {
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub media: &'static str,
    /// The picture, Base64.
    pub base64: String,
}

impl TaskView {
    /// A stored task; with its prompt, while something waits for it.
    pub(super) fn of(row: TaskRow, prompt: Option<&Prompt>, picture: bool) -> Self {
        let kind = PromptKind::from_word(&row.kind).unwrap_or(PromptKind::Other);
        let open = row.state == "open";
        let prompt = prompt.filter(|_| open);
        let shown = prompt.and_then(|prompt| prompt.picture.as_ref());
        Self {
            id: row.id,
            kind,
            carrier: row.carrier,
            credential_id: row.credential,
            again: row.again,
            opened_at: store::time(row.opened_at),
            expires_at: store::time(row.expires_at),
            left_secs: open.then(|| row.expires_at.saturating_sub(store::now()).max(0) / 1_000_000),
            closed_at: row.closed_at.map(store::time),
            closed_by: row.closed_by,
            takes: if kind.takes_text() { "text" } else { "accept" },
            scope: scope_to_answer(kind),
            words: prompt.map(|prompt| prompt.words.clone()),
            link: prompt.and_then(|prompt| prompt.link.clone()),
            has_picture: shown.is_some(),
            picture: shown
                .filter(|_| picture)
                .map(|shown| PictureView { media: shown.media(), base64: BASE64.encode(shown.bytes()) }),
            state: row.state,
        }
    }
}
