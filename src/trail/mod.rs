//! The paper trail and the stored answers.
//!
//! - **No record, no act**: a record is written in the same transaction as what it is about, and an answer leaves only
//!   after that transaction is durable.
//! - A record holds no patient data; what was asked, answered and exchanged is kept beside it, sealed.
//! - Records are chained for each practice, with a Merkle tree over them; none can be edited or erased without
//!   [`Trail::verify_all`] telling which one.
//! - What a record must not say (which patient, why) it commits to; the text lies beside it, sealed ([`Detail`]).
//! - Each trail's state is signed every minute and anchored outside the data directory, so that a *whole* data directory
//!   that was put back to an earlier state is noticed ([`Trail::check_anchors`]). What is younger than a minute can be cut
//!   off unnoticed, and so can everything by somebody who rewrites the anchors too: keep the log, or a copy of them,
//!   elsewhere. There are no other witnesses yet: no other machine that signs along, no time-stamping service.

mod anchors;
mod answers;
mod chain;
mod checkpoint;
mod detail;
pub mod merkle;
pub mod note;
pub(crate) mod proofs;
mod record;
mod repeat;
mod rollback;
mod seal;
mod search;
mod signing;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

pub use anchors::AnchorLine;
pub(crate) use answers::Evidence;
pub use answers::{AskState, StoredAsk, new_evidence_id};
pub use chain::Verification;
pub(crate) use chain::append;
pub use detail::{Detail, OpenDetail, PatientKey};
pub use record::{Actor, KeyMark, Mark, OutcomeKind, TrailEntry, TrailRecord, Use};
pub use repeat::repeating;
pub use rollback::{Anchored, Rollback};
pub use seal::{Purpose, SealBroken, Sealer, bind};
pub use search::{Detailed, Search};
pub(crate) use signing::announced;
pub use whole::{TrailProblem, TrailReport};

use crate::practice::PracticeId;
pub use crate::store::trail::Filter;
use crate::store::{Store, StoreError};

/// Most records in one page of a list.
const PAGE_MAX: u32 = 500;
/// So many records without a checkpoint ask for one at once.
const FRESH_MAX: u64 = 1_000;

/// The trail of all practices. Cheap to share; build it once.
pub struct Trail {
    store: Arc<Store>,
    sealer: Arc<dyn Sealer>,
    anchors: Option<anchors::AnchorDir>,
    /// The newest state of each trail that is known to be anchored: epoch and size.
    anchored: Mutex<HashMap<PracticeId, (u64, u64)>>,
    held: RwLock<Option<Arc<Vec<Rollback>>>>,
    /// One round of checkpoints at a time.
    round: tokio::sync::Mutex<()>,
    fresh: AtomicU64,
    enough: tokio::sync::Notify,
    #[cfg(feature = "bench")]
    unrecorded: bool,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail")
    }
}

impl Trail {
    /// The trail in this store. The sealer is the vault: `Trail::new(store, vault.clone())`.
    pub fn new(store: Arc<Store>, sealer: Arc<dyn Sealer>) -> Arc<Self> {
        Arc::new(Self::with(store, sealer, None))
    }

    /// As [`Trail::new`], with anchors in this folder, which lies outside the data directory.
    ///
    /// # Errors
    /// [`StoreError::File`] when the folder cannot be made, or lies inside the data directory.
    pub fn anchored(store: Arc<Store>, sealer: Arc<dyn Sealer>, anchor_dir: &Path) -> Result<Arc<Self>, StoreError> {
        let refused = |kind| StoreError::File { path: anchor_dir.to_owned(), kind };
        let dir = anchors::AnchorDir::open(anchor_dir).map_err(|error| refused(error.kind()))?;
        let real = |path: &Path| path.canonicalize().map_err(|error| refused(error.kind()));
        if real(anchor_dir)?.starts_with(real(store.dir())?) {
            return Err(refused(std::io::ErrorKind::InvalidInput));
        }
        Ok(Arc::new(Self::with(store, sealer, Some(dir))))
    }

    fn with(store: Arc<Store>, sealer: Arc<dyn Sealer>, anchors: Option<anchors::AnchorDir>) -> Self {
        Self {
            store,
            sealer,
            anchors,
            anchored: Mutex::default(),
            held: RwLock::default(),
            round: tokio::sync::Mutex::default(),
            fresh: AtomicU64::new(0),
            enough: tokio::sync::Notify::new(),
            #[cfg(feature = "bench")]
            unrecorded: false,
        }
    }

    /// A trail over the same store that keeps answers and **no records**: what records cost is measured against it. Only
    /// where the program is built for that, which no release is.
    #[cfg(feature = "bench")]
    pub fn unrecorded(&self) -> Arc<Self> {
        let without = Self::with(Arc::clone(&self.store), Arc::clone(&self.sealer), None);
        Arc::new(Self { unrecorded: true, ..without })
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
        #[cfg(feature = "bench")]
        if self.unrecorded {
            let never = Box::new(|_| Err(StoreError::Conflict));
            let practice = record.entry().practice.clone();
            return crate::store::trail::Append {
                skipped: true,
                ..crate::store::trail::Append::new(&practice, 0, never, None)
            };
        }
        self.count_fresh();
        append(&self.sealer, record)
    }

    /// As [`Trail::sealer`], to be kept.
    pub(crate) fn shared_sealer(&self) -> Arc<dyn Sealer> {
        Arc::clone(&self.sealer)
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
        let follower = chain::Follower::new(&self.sealer, practice, Vec::new());
        let (head, follower) =
            crate::store::trail::walk(&self.store, practice, follower, chain::Follower::take).await?;
        Ok(follower.finish(head.as_ref()))
    }
}
