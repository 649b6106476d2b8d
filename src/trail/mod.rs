//! The paper trail and the stored answers.
//!
//! - **No record, no act**: a record is written in the same transaction as what it is about, and an answer leaves only
//!   after that transaction is durable.
//! - A record holds no patient data; what was asked, answered and exchanged is kept beside it, sealed.
//! - Records are chained for each practice and cannot be edited or erased without [`Trail::verify`] telling which one.
//!   What it cannot tell: that the *whole* data directory was put back to an earlier state. Keep copies elsewhere.

mod answers;
mod chain;
mod record;
mod repeat;
mod seal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use answers::{AskState, StoredAsk, new_evidence_id};
pub use chain::Verification;
pub(crate) use chain::append;
pub use record::{Actor, OutcomeKind, TrailEntry, TrailRecord};
pub use repeat::repeating;
pub use seal::{Purpose, SealBroken, Sealer, bind};

use crate::practice::PracticeId;
pub use crate::store::trail::Filter;
use crate::store::{Store, StoreError};

/// Most records in one page of a list.
const PAGE_MAX: u32 = 500;

/// The trail of all practices. Cheap to share; build it once.
pub struct Trail {
    store: Arc<Store>,
    sealer: Arc<dyn Sealer>,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail")
    }
}

impl Trail {
    /// The trail in this store. The sealer is the vault: `Trail::new(store, vault.clone())`.
    pub fn new(store: Arc<Store>, sealer: Arc<dyn Sealer>) -> Arc<Self> {
        Arc::new(Self { store, sealer })
    }

    /// Whether anything can be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn writable(&self) -> Result<(), StoreError> {
        self.store.writable()
    }

    /// Writes one record; returns its number once it is durable.
    ///
    /// # Errors
    /// What the store says; [`StoreError::Damaged`] when the trail was tampered with: then nothing can be done in this
    /// practice's name until somebody looks.
    pub async fn record(&self, record: TrailRecord) -> Result<u64, StoreError> {
        crate::store::trail::append(&self.store, self.link(record)).await
    }

    /// A record to be appended in another room's transaction.
    pub(crate) fn link(&self, record: TrailRecord) -> crate::store::trail::Append {
        append(&self.sealer, record)
    }

    /// Who seals: for rooms that keep something sealed beside their records.
    pub(crate) fn sealer(&self) -> &dyn Sealer {
        self.sealer.as_ref()
    }

    /// Records of a practice, newest first. `limit` is at most 500; for the next page, set `before_seq` to the last
    /// record's number.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, practice: &PracticeId, filter: Filter, limit: u32) -> Result<Vec<TrailEntry>, StoreError> {
        let rows = crate::store::trail::list(&self.store, practice, filter, limit.clamp(1, PAGE_MAX)).await?;
        rows.iter()
            .map(|row| {
                serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged { what: "a record cannot be read" })
            })
            .collect()
    }

    /// Follows the practice's whole chain.
    ///
    /// # Errors
    /// What the store says. A broken chain is not an error but [`Verification::Broken`].
    pub async fn verify(&self, practice: &PracticeId) -> Result<Verification, StoreError> {
        let follower = chain::Follower::new(practice);
        let (head, follower) =
            crate::store::trail::walk(&self.store, practice, follower, chain::Follower::take).await?;
        Ok(follower.finish(self.sealer.as_ref(), head))
    }
}
