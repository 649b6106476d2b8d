//! Reading what came of a batch's items.

use std::collections::HashMap;

use super::view::{ItemState, ItemView, Told};
use super::{Batches, Item};
use crate::identity::Caller;
use crate::patients::{self, Badge};
use crate::practice::PracticeId;
use crate::stack::Envelope;
use crate::store::batches::{self, ItemRow};
use crate::store::{self, StoreError};
use crate::trail::TrailRecord;

/// Items read at once at most.
pub const PAGE_MAX: u32 = 500;

impl Batches {
    /// Writes down that somebody reads a batch's items. Before the first of them leaves.
    ///
    /// # Errors
    /// What the store says; then nothing may leave.
    pub async fn record_reading(&self, caller: &Caller, id: &str) -> Result<(), StoreError> {
        let record = TrailRecord::new(caller.practice(), &caller.actor(), "eligibility.batch_read").subject(id);
        self.trail.record(record).await.map(|_| ())
    }

    /// Items of a batch of the practice after number `after`, in their order, at most `limit` (itself at most 500). Call
    /// [`Batches::record_reading`] first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn items(
        &self,
        practice: &PracticeId,
        id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ItemView>, StoreError> {
        let rows = batches::items(&self.store, practice, id, after, limit.clamp(1, PAGE_MAX)).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let item = self.open_item(practice, id, row.n, &row.sealed)?;
            let envelope = self.envelope(practice, &row).await?;
            views.push(view(row, item, envelope.as_ref()));
        }
        Ok(views)
    }

    /// Where each item of a batch stands, by its number. Tells nothing of patients: it leads to the questions.
    ///
    /// # Errors
    /// What the store says.
    pub async fn states(&self, practice: &PracticeId, id: &str) -> Result<HashMap<i64, ItemState>, StoreError> {
        let rows = batches::states(&self.store, practice, id).await?;
        let state = |row: batches::StateRow| ItemState {
            state: row.state,
            reason: row.reason,
            question: row.question,
            at: store::time(row.ended_at.unwrap_or(0)),
        };
        Ok(rows.into_iter().map(|row| (row.n, state(row))).collect())
    }

    async fn envelope(&self, practice: &PracticeId, row: &ItemRow) -> Result<Option<Envelope>, StoreError> {
        let ended = matches!(row.state.as_str(), "answered" | "refused" | "failed");
        let Some(question) = row.question.as_ref().filter(|_| ended) else { return Ok(None) };
        let stored = self.trail.get(practice, question).await?.and_then(|stored| stored.envelope);
        // A question that was never put has no envelope; its reason says why.
        Ok(stored.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

fn view(row: ItemRow, item: Item, envelope: Option<&Envelope>) -> ItemView {
    let put = !matches!(row.state.as_str(), "cancelled");
    let badge = match (envelope, row.state.as_str()) {
        (Some(envelope), _) => patients::badge(envelope),
        (None, "waiting" | "asking") => Badge::Waiting,
        (None, "cancelled") => Badge::NotChecked,
        (None, _) => patients::of_reason(row.reason.as_deref().unwrap_or_default()),
    };
    ItemView {
        item: row.n,
        reference: item.reference,
        carrier: row.carrier,
        state: row.state,
        badge,
        reason: row.reason,
        tries: row.tries,
        question: row.question.filter(|_| put),
        ended_at: row.ended_at.map(store::time),
        told: envelope.map(in_short),
    }
}

fn in_short(envelope: &Envelope) -> Told {
    let mut told = Told { as_of: Some(envelope.freshness.as_of), cached: envelope.freshness.cached, ..Told::default() };
    if let Some(answer) = &envelope.answer {
        let word = serde_json::to_value(answer.facts.coverage).ok();
        told.coverage = word.and_then(|word| word.as_str().map(str::to_owned));
        told.plans = answer.facts.plans.iter().filter_map(|plan| plan.name.clone()).collect();
        told.text = answer.summary.paragraph.text().to_owned();
        told.alerts = answer.summary.alerts.iter().map(|alert| alert.text.text().to_owned()).collect();
    } else if let Some(refusal) = &envelope.refusal {
        let word = serde_json::to_value(refusal.reason).ok();
        told.refusal = word.and_then(|word| word.as_str().map(str::to_owned));
        told.text = refusal.text.to_owned();
    } else if let Some(failure) = &envelope.failure {
        told.text = failure.text.clone();
    }
    told
}
