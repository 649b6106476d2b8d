//! Carriers to which nothing new is sent for a practice, until a person says so: held, released, listed with all that
//! waits behind them. Also without a gateway, for the command line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::books::state_of;
use super::state::State;
use super::view::{self, SubmissionSummary};
use super::{Hold, Submissions};
use crate::practice::PracticeId;
use crate::store::submissions::{self as rows, HoldRow};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Detail, Trail, TrailRecord};

/// What a person does about submissions that are held because the data was put back, in this order.
const AFTER_A_RESTORE: &[&str] = &[
    "Make sure that no other gateway still runs on the data as it was before.",
    "Each credential is suspect: have it tried once (POST /v1/credentials/{carrier}/verify) or enter it anew.",
    "What is unknown below may have been sent since the copy was made. The carrier is asked after each; what it cannot \
     say, a person finds out (POST /v1/submissions/{id}/resolve). Nothing is sent again without that.",
    "What was handed in since the copy was made is not in this data. Its senders hand it in again under the same \
     Idempotency-Key, and it waits here as queued. Look for each in the carrier's own list before you release: what is \
     there already must not be sent; take it back here (POST /v1/authorizations/{id}/cancel).",
    "What a person took back or closed since the copy was made is here again: take it back again.",
    "Keys and people that were removed since are back: look through GET /v1/keys and GET /v1/people.",
    "Then release the carrier: POST /v1/holds/{carrier}/release, or `portico submissions release CARRIER`.",
];

/// A carrier to which nothing new is sent for a practice, with what is not over there. No patient data.
#[derive(Serialize, JsonSchema)]
pub struct HoldView {
    /// Whose.
    #[schemars(with = "String")]
    pub practice: PracticeId,
    /// Whom it would go to.
    pub carrier: String,
    /// Why: `restored` or `asked`.
    pub reason: Hold,
    /// Since when.
    pub since: Timestamp,
    /// How many are of unknown fate: the carrier is asked after them, or a person is.
    pub unknown: i64,
    /// How many of these need a person.
    pub needs_person: i64,
    /// How many wait to be sent.
    pub waiting: i64,
    /// The oldest of all these.
    pub submissions: Vec<SubmissionSummary>,
    /// How many more there are: `GET /v1/submissions` lists them.
    pub more: i64,
    /// What a person does before the carrier is released, in this order.
    pub to_do: &'static [&'static str],
}

/// Holds a practice's submissions to a carrier, durably; `false` when they are held already. Only what waits is held: what
/// was let go is asked after all the same. `why` is kept sealed, with the record.
///
/// # Errors
/// What the store says.
pub async fn hold(
    store: &Store,
    trail: &Trail,
    practice: &PracticeId,
    carrier: &str,
    why: &str,
    by: &Actor,
) -> Result<bool, StoreError> {
    let link = trail.link(record(practice, by, "submission.hold", carrier, why));
    rows::hold(store, practice, carrier, Hold::Asked.word(), store::now(), link).await
}

/// Lets them go on; `false` when they were not held.
///
/// # Errors
/// What the store says.
pub async fn release(
    store: &Store,
    trail: &Trail,
    practice: &PracticeId,
    carrier: &str,
    why: &str,
    by: &Actor,
) -> Result<bool, StoreError> {
    let link = trail.link(record(practice, by, "submission.release", carrier, why));
    rows::release(store, practice, carrier, link).await
}

fn record(practice: &PracticeId, by: &Actor, action: &'static str, carrier: &str, why: &str) -> TrailRecord {
    TrailRecord::new(practice, by, action).carrier(carrier).detail(Detail::default().say("reason", why))
}

/// Holds of one practice or of all, each with at most so many of its submissions.
///
/// # Errors
/// What the store says.
pub async fn holds(store: &Store, practice: Option<&PracticeId>, most: u32) -> Result<Vec<HoldView>, StoreError> {
    let mut views = Vec::new();
    for row in rows::holds(store, practice).await? {
        views.push(view(store, row, most).await?);
    }
    Ok(views)
}

async fn view(store: &Store, row: HoldRow, most: u32) -> Result<HoldView, StoreError> {
    let HoldRow { practice, carrier, reason, since } = row;
    let reason = Hold::from_word(&reason);
    let found = rows::unfinished(store, &practice, &carrier, most).await?;
    let summed = found.rows.iter().map(|row| {
        let state = state_of(row)?;
        Ok(view::summary(row, state, (state == State::Queued).then_some(reason)))
    });
    let submissions = summed.collect::<Result<Vec<_>, StoreError>>()?;
    let shown = i64::try_from(submissions.len()).unwrap_or(i64::MAX);
    Ok(HoldView {
        practice,
        carrier,
        reason,
        since: store::time(since),
        unknown: found.unknown,
        needs_person: found.person,
        waiting: found.waiting,
        submissions,
        more: (found.unknown + found.waiting).saturating_sub(shown),
        to_do: if reason == Hold::Restored { AFTER_A_RESTORE } else { &[] },
    })
}

impl Submissions {
    /// As [`hold`], and at once.
    ///
    /// # Errors
    /// What the store says.
    pub async fn hold(&self, practice: &PracticeId, carrier: &str, why: &str, by: &Actor) -> Result<bool, StoreError> {
        let held = hold(&self.books.store, &self.books.trail, practice, carrier, why, by).await?;
        self.load_holds().await?;
        Ok(held)
    }

    /// As [`release`], and at once.
    ///
    /// # Errors
    /// What the store says.
    pub async fn release(
        &self,
        practice: &PracticeId,
        carrier: &str,
        why: &str,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        let was = release(&self.books.store, &self.books.trail, practice, carrier, why, by).await?;
        self.load_holds().await?;
        self.wake.notify_one();
        Ok(was)
    }

    /// A practice's holds, each with at most so many of its submissions. Those of carriers to which nothing can be handed
    /// in are left out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn holds(&self, practice: &PracticeId, most: u32) -> Result<Vec<HoldView>, StoreError> {
        let mut views = holds(&self.books.store, Some(practice), most).await?;
        views.retain(|view| view.unknown + view.waiting > 0 || self.serves(&view.carrier));
        Ok(views)
    }

    /// How many of a practice's submissions to a carrier are not over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn unfinished(&self, practice: &PracticeId, carrier: &str) -> Result<i64, StoreError> {
        let found = rows::unfinished(&self.books.store, practice, carrier, 1).await?;
        Ok(found.unknown + found.waiting)
    }

    /// Whether something can be handed in for this carrier.
    pub fn serves(&self, carrier: &str) -> bool {
        self.gateway.planes().get(carrier).is_some_and(|plane| plane.carrier.submissions().is_some())
    }

    pub(super) async fn load_holds(&self) -> Result<(), StoreError> {
        let holds = rows::holds(&self.books.store, None).await?;
        let held = holds.into_iter().map(|row| ((row.practice, row.carrier), Hold::from_word(&row.reason))).collect();
        self.held.store(std::sync::Arc::new(held));
        Ok(())
    }
}
