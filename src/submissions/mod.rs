//! The ledger of what has an effect at a carrier: prior authorizations now, claims later.
//!
//! **The promise**: a submission we acknowledged is never lost and never sent twice by us. If the carrier's answer is
//! unknown and the carrier offers no way to ask, we stop and ask a person.
//!
//! Read in this order: [`state`] (what may follow what; the only rule there is), `accept` (taking one in), `worker` (who
//! does what when), `attempt` (sending), `inquiry` (asking after it), `schedule` (when), `books` (writing it down),
//! `desk` and `holds` (what people and programs may do and see), `kept` (what an evidence packet shows of it), `restored`
//! (after the data was put back).
//!
//! What holds it up, from below:
//! - the schema: an index and triggers refuse a second attempt while an earlier one may be at the carrier;
//! - the store: the row as it stands inside the transaction decides, together with state, attempt, evidence and record;
//! - the data directory's lock: one process. So there are no leases that expire under somebody who is only slow;
//! - the wire: ARMED is durable before the first byte, and the request goes once, over a connection of its own.
//!
//! Where a test may stop the process stands in [`crate::failpoint`].

mod accept;
mod attempt;
mod books;
mod desk;
mod holds;
mod inquiry;
mod kept;
mod restored;
mod schedule;
pub mod state;
#[cfg(test)]
mod tests;
mod view;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use connector_sdk::{Error, ErrorKind};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;

pub use accept::{NotTaken, Taken};
pub use desk::{NotDone, Resolution, Verdict};
pub use holds::{HoldView, hold, holds, release};
pub use kept::Kept;
pub(crate) use restored::restoring;
pub use restored::{accept_rollback, restored};
pub use view::{AttemptView, AuthorizationView, InquiryView, Next, SubmissionSummary, SubmissionView};

use crate::gateway::{Gateway, Plane};
use crate::practice::PracticeId;
use crate::store::{Store, StoreError};
use crate::trail::{Sealer, Trail};
use crate::wire::Attempt;
use books::Books;

/// A store that cannot write is asked again after this long, at first …
const WRITE_AGAIN_FIRST: Duration = Duration::from_millis(100);
/// … and at most after this.
const WRITE_AGAIN_MAX: Duration = Duration::from_secs(5);
/// How long the end of the process waits for what is being sent.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// The ledger of all practices.
pub struct Submissions {
    books: Books,
    gateway: Arc<Gateway>,
    /// This process, in the books.
    process: String,
    wake: Notify,
    running: Mutex<worker::Running>,
    held: ArcSwap<HashMap<(PracticeId, String), Hold>>,
    /// Carriers whose ages the metrics show.
    told: Mutex<Vec<String>>,
}

/// Why nothing new is sent to a carrier for a practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The data was restored from a backup: what was sent since then must be found out first.
    Restored,
    /// Somebody holds it, or has paused the carrier.
    Asked,
    /// The paper trail is behind its anchors: the data was put back to an earlier state.
    RolledBack,
    /// The practice has no credential for it, or it is stopped.
    Credential,
    /// It fails again and again, and is left alone for a while.
    Circuit,
    /// It is closed at this hour.
    Closed,
    /// There is no such carrier any more, or it takes no submissions.
    NoCarrier,
    /// Its file is being loaded.
    Reloading,
}

impl Hold {
    fn word(self) -> &'static str {
        if self == Self::Restored { "restored" } else { "asked" }
    }

    fn from_word(word: &str) -> Self {
        if word == "restored" { Self::Restored } else { Self::Asked }
    }
}

impl Submissions {
    /// The ledger in this store. The sealer is the vault.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(
        store: Arc<Store>,
        trail: Arc<Trail>,
        sealer: Arc<dyn Sealer>,
        gateway: Arc<Gateway>,
    ) -> Result<Arc<Self>, StoreError> {
        let this = Arc::new(Self {
            books: Books::new(store, trail, sealer),
            gateway,
            process: uuid::Uuid::now_v7().simple().to_string(),
            wake: Notify::new(),
            running: Mutex::default(),
            held: ArcSwap::default(),
            told: Mutex::default(),
        });
        this.load_holds().await?;
        Ok(this)
    }

    /// Whether the practice's credential lets anything be sent at all. Sends nothing.
    fn usable(&self, practice: &PracticeId, plane: &Plane) -> Result<(), Hold> {
        let attempt = Attempt {
            practice: practice.clone(),
            lane: connector_sdk::ask::Lane::Background,
            deadline: tokio::time::Instant::now(),
            trace: String::new(),
            today: self.gateway.today(),
        };
        match plane.wire.attempt(attempt) {
            Ok(_) => Ok(()),
            Err(Error {
                kind: ErrorKind::CredentialMissing | ErrorKind::CredentialRejected | ErrorKind::NeedsPerson,
                ..
            }) => Err(Hold::Credential),
            Err(_) => Err(Hold::Reloading),
        }
    }

    /// Waits a while for what is being sent, so that a planned stop leaves nothing unknown. The worker must have been
    /// stopped before.
    pub async fn finish(&self) {
        let ends = tokio::time::Instant::now() + FINISH_WITHIN;
        let busy = || !self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_empty();
        while busy() && tokio::time::Instant::now() < ends {
            let _ = tokio::time::timeout_at(ends, self.wake.notified()).await;
        }
    }
}
