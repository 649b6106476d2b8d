//! Batches of eligibility questions: taken in once and durably, asked in the background, each question once.
//!
//! Read in this order: `view` (what is shown), `plan` (which item is next), `verdict` (what becomes of it), `work` (the
//! worker), `items` (reading what came of it).
//!
//! - An item is marked as being asked, with its question's id, durably **before** the question is put. After a kill the
//!   question is looked up by that id: what was answered is done, and only what has no stored answer is asked again.
//! - A batch never takes more than half of a carrier's places, leaves half of its burst of requests alone, and waits in
//!   the background lane: a person at a desk goes first.
//! - While a carrier is closed, or its credential stopped, its items wait; nothing fails, nothing is sent.

mod items;
mod plan;
mod verdict;
mod view;
mod work;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_sdk::{EligibilityRequest, Error, ErrorKind};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

pub use view::{BatchView, ItemState, ItemView, Progress, Told, Waiting};

use crate::gateway::Gateway;
use crate::identity::{Caller, Identity};
use crate::practice::PracticeId;
use crate::store::batches::{self, BatchRow, NewBatch, Turn};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Purpose, SealBroken, Sealer, Trail, TrailRecord, bind};
use crate::vault::Vault;
use plan::{Course, Plan};

/// Most items in one batch.
pub const ITEMS_MAX: usize = 10_000;
/// Longest name of a batch, characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest reference of an item, characters.
pub const REF_CHARS_MAX: usize = 100;
/// Longest idempotency key, bytes.
pub const KEY_MAX: usize = 200;
/// Batches of one practice that are not finished, at most.
const OPEN_MAX: i64 = 20;
/// The same of all practices: what waits is held in memory.
const OPEN_IN_ALL_MAX: usize = 200;
/// Batches in a list at most.
const LIST_MAX: u32 = 100;

const NOT_OPENING: StoreError = StoreError::Damaged { what: "an item of a batch does not open" };

/// One item: a question, and the caller's own reference.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The caller's own reference.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The question.
    pub ask: EligibilityRequest,
}

/// What is handed in.
pub struct Handed<'a> {
    /// The caller's idempotency key.
    pub key: &'a str,
    /// Everything that was handed in, byte for byte, with how it was to be read.
    pub content: &'a [&'a [u8]],
    /// The batch's name.
    pub name: Option<String>,
    /// The items that are taken, all of them checked.
    pub items: Vec<Item>,
    /// How many were left out.
    pub left_out: usize,
}

/// Why a batch was not made.
#[derive(Debug)]
pub enum NotMade {
    /// The practice has used this key for something else.
    KeyUsed,
    /// Too many batches are not finished yet.
    TooMany,
    /// The store cannot write.
    Error(Error),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

/// What can be done to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Ask no more for now.
    Pause,
    /// Go on.
    Resume,
    /// Ask no more for good; what was answered stays.
    Cancel,
}

impl Wish {
    /// The wish that a form names.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "pause" => Some(Self::Pause),
            "resume" => Some(Self::Resume),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }

    /// The state it leads to, and the word for the record.
    fn leads_to(self) -> (&'static str, &'static str) {
        match self {
            Self::Pause => ("paused", "batch.paused"),
            Self::Resume => ("running", "batch.resumed"),
            Self::Cancel => ("cancelled", "batch.cancelled"),
        }
    }
}

/// The batches of all practices. Cheap to share; build it once.
pub struct Batches {
    store: Arc<Store>,
    trail: Arc<Trail>,
    sealer: Arc<dyn Sealer>,
    vault: Arc<Vault>,
    identity: Arc<Identity>,
    gateway: Arc<Gateway>,
    plan: Mutex<Plan>,
    wake: Notify,
    one_ended: Notify,
    stopping: AtomicBool,
}

impl Batches {
    /// Over these rooms. Nothing is asked before [`Batches::recover`] and [`Batches::work`].
    pub fn new(
        store: Arc<Store>,
        trail: Arc<Trail>,
        vault: Arc<Vault>,
        identity: Arc<Identity>,
        gateway: Arc<Gateway>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            trail,
            sealer: vault.clone(),
            vault,
            identity,
            gateway,
            plan: Mutex::default(),
            wake: Notify::new(),
            one_ended: Notify::new(),
            stopping: AtomicBool::new(false),
        })
    }

    /// The batch that was made before of the very same, under the same key; a key holds for good and for the whole
    /// practice.
    ///
    /// # Errors
    /// [`NotMade::KeyUsed`] when the key was used for something else.
    pub async fn made_before(
        &self,
        practice: &PracticeId,
        key: &str,
        content: &[&[u8]],
    ) -> Result<Option<String>, NotMade> {
        let Some(row) = batches::by_key(&self.store, practice, key_digest(practice, key)).await? else {
            return Ok(None);
        };
        let bound = bound_to(practice, &row.id, b"content");
        let known = self.sealer.open(Purpose::Answers, &bound, &row.content).map_err(|SealBroken| NOT_OPENING)?;
        if known.as_slice() == digest_of(content) { Ok(Some(row.id)) } else { Err(NotMade::KeyUsed) }
    }

    /// Takes a batch in, with everything in it, in one durable step; gives its id. Handed in again, it gives the same.
    ///
    /// # Errors
    /// [`NotMade`]; nothing was written then.
    pub async fn make(&self, caller: &Caller, handed: Handed<'_>) -> Result<String, NotMade> {
        let practice = caller.practice();
        if let Some(id) = self.made_before(practice, handed.key, handed.content).await? {
            return Ok(id);
        }
        if self.plan().len() >= OPEN_IN_ALL_MAX {
            return Err(NotMade::TooMany);
        }
        let id: Arc<str> = format!("batch_{}", Uuid::now_v7().simple()).into();
        let seal = |what: &[u8], plain: &[u8]| {
            let bound = bound_to(practice, &id, what);
            self.sealer.seal_for(practice, Purpose::Answers, &bound, plain).map_err(|SealBroken| NOT_OPENING)
        };
        let new = NewBatch {
            practice: practice.clone(),
            id: id.to_string(),
            idem: key_digest(practice, handed.key),
            content: seal(b"content", &digest_of(handed.content))?,
            name: handed.name.map(|name| seal(b"name", name.as_bytes())).transpose()?,
            actor: caller.id().to_owned(),
            left_out: i64::try_from(handed.left_out).unwrap_or(i64::MAX),
            made_at: store::now(),
            items: self.sealed(practice, &id, handed.items).await?,
        };
        let open: Vec<_> = (1..).zip(&new.items).map(|(n, (carrier, _))| waiting(n, carrier)).collect();
        let record = TrailRecord::new(practice, &caller.actor(), "batch.made").subject(&id);
        match batches::make(&self.store, new, OPEN_MAX, self.trail.link(record)).await {
            Ok(true) => {}
            Ok(false) => return Err(NotMade::TooMany),
            // Twice at the same time with the same key: the other one was first.
            Err(StoreError::Conflict) => {
                let before = self.made_before(practice, handed.key, handed.content).await?;
                return before.ok_or_else(|| StoreError::Conflict.into());
            }
            Err(error) => return Err(error.into()),
        }
        let progress = Progress { waiting: open.len() as u64, ..Progress::default() };
        self.plan().add(id.clone(), Course::new(practice.clone(), caller.id(), true, (progress, None), &open));
        self.wake.notify_one();
        Ok(id.to_string())
    }

    /// Seals the items, on a thread that may be busy for a while.
    async fn sealed(
        &self,
        practice: &PracticeId,
        id: &Arc<str>,
        items: Vec<Item>,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let (sealer, practice, id) = (self.sealer.clone(), practice.clone(), id.clone());
        let sealing = tokio::task::spawn_blocking(move || {
            (1_i64..)
                .zip(items)
                .map(|(n, item)| {
                    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&item).map_err(|_| NOT_OPENING)?);
                    let bound = item_bound_to(&practice, &id, n);
                    let sealed = sealer.seal_for(&practice, Purpose::Answers, &bound, &plain);
                    let sealed = sealed.map_err(|SealBroken| NOT_OPENING)?;
                    Ok((item.ask.carrier, sealed))
                })
                .collect()
        });
        sealing.await.map_err(|_| StoreError::Closed)?
    }

    /// A batch of the practice as it stands.
    ///
    /// # Errors
    /// What the store says.
    pub async fn get(&self, practice: &PracticeId, id: &str) -> Result<Option<BatchView>, StoreError> {
        let Some(row) = batches::get(&self.store, practice, id).await? else { return Ok(None) };
        let mut view = self.view_of(practice, &row)?;
        let live = self.plan().get(practice, id).map(|course| {
            let estimate = if row.state == "running" { course.estimate_secs(store::now()) } else { None };
            (course.progress, course.started, course.waits(), estimate)
        });
        let (progress, started) = match live {
            Some((progress, started, waits, estimate)) => {
                view.waits = waits;
                view.estimate_secs = estimate;
                (progress, started)
            }
            None => self.counted(practice, id).await?,
        };
        view.progress = Some(progress);
        view.started_at = started.map(store::time);
        Ok(Some(view))
    }

    /// The practice's newest batches, without their progress.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, practice: &PracticeId) -> Result<Vec<BatchView>, StoreError> {
        let rows = batches::list(&self.store, practice, LIST_MAX).await?;
        rows.iter().map(|row| self.view_of(practice, row)).collect()
    }

    /// Pauses, resumes or cancels a batch; `false` when it stands so that this cannot be done. Whoever resumes it takes
    /// it over: its questions are put in that name from then on.
    ///
    /// # Errors
    /// What the store says.
    pub async fn turn(&self, caller: &Caller, id: &str, wish: Wish) -> Result<bool, StoreError> {
        let (to, action) = wish.leads_to();
        let actor = (wish == Wish::Resume).then(|| caller.id().to_owned());
        let ended_at = (wish == Wish::Cancel).then(store::now);
        let record = TrailRecord::new(caller.practice(), &caller.actor(), action).subject(id);
        let turn = Turn { to, reason: None, actor: actor.clone(), ended_at };
        if !batches::turn(&self.store, caller.practice(), id, turn, self.trail.link(record)).await? {
            return Ok(false);
        }
        {
            let mut plan = self.plan();
            match wish {
                Wish::Pause | Wish::Resume => plan.set_running(id, wish == Wish::Resume, actor.as_deref()),
                Wish::Cancel => {
                    plan.cancel(id);
                    plan.drop_if_over(id);
                }
            }
        }
        self.wake.notify_one();
        Ok(true)
    }

    /// How many items of the practice's unfinished batches wait for this carrier.
    pub fn waiting_for(&self, practice: &PracticeId, carrier: &str) -> usize {
        self.plan().waiting_for(practice, carrier)
    }

    /// The same, with those that are being asked.
    pub fn unfinished_for(&self, practice: &PracticeId, carrier: &str) -> usize {
        self.plan().unfinished_for(practice, carrier)
    }

    /// Told whenever something of the batch changes; `None` once it is finished.
    pub fn changes(&self, practice: &PracticeId, id: &str) -> Option<watch::Receiver<()>> {
        self.plan().get(practice, id).map(Course::changes)
    }

    /// Nobody made this batch's questions any more: it is paused until somebody takes it over.
    async fn without_asker(&self, practice: &PracticeId, id: &str) -> Result<(), StoreError> {
        let record = TrailRecord::new(practice, &Actor::gateway(), "batch.paused").subject(id);
        let turn = Turn { to: "paused", reason: Some("asker_gone"), actor: None, ended_at: None };
        batches::turn(&self.store, practice, id, turn, self.trail.link(record)).await?;
        self.plan().set_running(id, false, None);
        Ok(())
    }

    /// Ends a batch whose last item is finished.
    async fn close(&self, practice: &PracticeId, id: &str) -> Result<(), StoreError> {
        let over = self.plan().get(practice, id).is_some_and(Course::is_over);
        if over {
            let record = TrailRecord::new(practice, &Actor::gateway(), "batch.ended").subject(id);
            let turn = Turn { to: "done", reason: None, actor: None, ended_at: Some(store::now()) };
            // A cancelled one stays cancelled.
            batches::turn(&self.store, practice, id, turn, self.trail.link(record)).await?;
            self.plan().drop_if_over(id);
        }
        Ok(())
    }

    /// How the items stand, and when the first was asked, as it is stored.
    async fn counted(&self, practice: &PracticeId, id: &str) -> Result<(Progress, Option<i64>), StoreError> {
        let mut progress = Progress::default();
        let mut began: Option<i64> = None;
        for (state, items, first) in batches::counts(&self.store, practice, id).await? {
            progress.add(&state, u64::try_from(items).unwrap_or(0));
            began = began.into_iter().chain(first).min();
        }
        Ok((progress, began))
    }

    fn view_of(&self, practice: &PracticeId, row: &BatchRow) -> Result<BatchView, StoreError> {
        let open = |sealed: &Vec<u8>| {
            let opened = self.sealer.open(Purpose::Answers, &bound_to(practice, &row.id, b"name"), sealed);
            String::from_utf8(opened.map_err(|SealBroken| NOT_OPENING)?.to_vec()).map_err(|_| NOT_OPENING)
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(BatchView {
            id: row.id.clone(),
            name: row.name.as_ref().map(open).transpose()?,
            state: row.state.clone(),
            reason: row.reason.clone(),
            items: count(row.items),
            left_out: count(row.left_out),
            progress: None,
            waits: Vec::new(),
            made_at: store::time(row.made_at),
            started_at: None,
            ended_at: row.ended_at.map(store::time),
            estimate_secs: None,
        })
    }

    /// An item's question.
    fn open_item(&self, practice: &PracticeId, batch: &str, n: i64, sealed: &[u8]) -> Result<Item, StoreError> {
        let bound = item_bound_to(practice, batch, n);
        let opened = self.sealer.open(Purpose::Answers, &bound, sealed).map_err(|SealBroken| NOT_OPENING)?;
        serde_json::from_slice(&opened).map_err(|_| NOT_OPENING)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sentence for whoever has too many.
pub fn too_many() -> Error {
    Error::new(ErrorKind::Overloaded, "Too many batches are not finished yet. Wait for one, or cancel one.")
        .retry(connector_sdk::Retry::After(std::time::Duration::from_secs(60)))
}

fn waiting(n: i64, carrier: &str) -> batches::OpenItem {
    batches::OpenItem { n, carrier: carrier.to_owned(), asking: None, not_before: 0 }
}

fn key_digest(practice: &PracticeId, key: &str) -> [u8; 32] {
    digest_of(&[b"batch key v1", practice.as_str().as_bytes(), key.as_bytes()])
}

fn digest_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &bind(parts)).as_ref());
    out
}

fn bound_to(practice: &PracticeId, id: &str, what: &[u8]) -> Vec<u8> {
    bind(&[b"batch v1", practice.as_str().as_bytes(), id.as_bytes(), what])
}

fn item_bound_to(practice: &PracticeId, id: &str, n: i64) -> Vec<u8> {
    bind(&[b"batch item v1", practice.as_str().as_bytes(), id.as_bytes(), &n.to_be_bytes()])
}
