//! Carriers that a practice asks nothing for a while, because a person said so: durable, on record, with a reason.
//!
//! A pause is one practice's own: nobody stops another practice's questions with it. Saved answers are still shown; what
//! was handed in and may have reached the carrier is still asked after; a person may still have the login tried.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::practice::PracticeId;
use crate::store::pauses::{self as rows, PauseRow};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Detail, Purpose, Trail, TrailRecord, bind};

/// Longest reason, characters.
pub const REASON_MAX: usize = 500;

/// One pause.
#[derive(Clone, PartialEq, Eq)]
pub struct Paused {
    /// Who paused it: an id as the trail has it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, in that person's words; empty where it cannot be opened any more.
    pub reason: String,
}

impl fmt::Debug for Paused {
    /// Without the reason: it may name somebody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paused").field("since", &self.since).finish_non_exhaustive()
    }
}

type OfPractice = BTreeMap<String, Arc<Paused>>;

/// The pauses of all practices: written through to the store, read from memory with every question.
pub struct Pauses {
    store: Arc<Store>,
    trail: Arc<Trail>,
    now: ArcSwap<HashMap<PracticeId, OfPractice>>,
    /// One change at a time: each begins with what the one before left.
    changing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pauses")
    }
}

impl Pauses {
    /// The pauses in this store.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(store: Arc<Store>, trail: Arc<Trail>) -> Result<Arc<Self>, StoreError> {
        let pauses = Self { store, trail, now: ArcSwap::default(), changing: tokio::sync::Mutex::default() };
        pauses.load().await?;
        Ok(Arc::new(pauses))
    }

    /// The practice's pause of this carrier, if there is one.
    pub fn of(&self, practice: &PracticeId, carrier: &str) -> Option<Arc<Paused>> {
        self.now.load().get(practice)?.get(carrier).cloned()
    }

    /// All pauses of a practice, by carrier.
    pub fn all(&self, practice: &PracticeId) -> Vec<(String, Arc<Paused>)> {
        let now = self.now.load();
        let of_practice = now.get(practice).into_iter().flatten();
        of_practice.map(|(carrier, paused)| (carrier.clone(), Arc::clone(paused))).collect()
    }

    /// Pauses a carrier for a practice, durably and on record; `false` when it is paused already, and that pause stays.
    /// Questions that are under way end as they would have.
    ///
    /// # Errors
    /// What the store says; nothing has changed then.
    pub async fn pause(
        &self,
        practice: &PracticeId,
        carrier: &str,
        reason: &str,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        let _one = self.changing.lock().await;
        self.trail.sealer().adopt(practice).await?;
        let sealed =
            self.trail.sealer().seal_for(practice, Purpose::Details, &bound_to(practice, carrier), reason.as_bytes());
        let sealed = sealed.map_err(|_| StoreError::Damaged { what: "a reason cannot be sealed" })?;
        let detail = Detail::default().say("reason", reason);
        let record = TrailRecord::new(practice, by, "carrier.paused").carrier(carrier).detail(detail);
        let since = store::now();
        let row = PauseRow {
            practice: practice.clone(),
            carrier: carrier.to_owned(),
            actor: by.as_str().to_owned(),
            since,
            sealed,
        };
        let changed = rows::pause(&self.store, row, self.trail.link(record)).await?;
        if changed {
            let paused = Paused { by: by.as_str().to_owned(), since: store::time(since), reason: reason.to_owned() };
            self.set(practice, |now| drop(now.insert(carrier.to_owned(), Arc::new(paused))));
        }
        Ok(changed)
    }

    /// Lets the carrier be asked again; `false` when it was not paused.
    ///
    /// # Errors
    /// What the store says; nothing has changed then.
    pub async fn resume(&self, practice: &PracticeId, carrier: &str, by: &Actor) -> Result<bool, StoreError> {
        let _one = self.changing.lock().await;
        let record = TrailRecord::new(practice, by, "carrier.resumed").carrier(carrier);
        let changed = rows::resume(&self.store, practice, carrier, self.trail.link(record)).await?;
        if changed {
            self.set(practice, |now| drop(now.remove(carrier)));
        }
        Ok(changed)
    }

    /// What is durable holds from here on. Whoever calls is the only one who changes something.
    fn set(&self, practice: &PracticeId, change: impl FnOnce(&mut OfPractice)) {
        let mut now = HashMap::clone(&self.now.load());
        change(now.entry(practice.clone()).or_default());
        self.now.store(Arc::new(now));
    }

    async fn load(&self) -> Result<(), StoreError> {
        let mut now: HashMap<PracticeId, OfPractice> = HashMap::new();
        for row in rows::all(&self.store).await? {
            let bound = bound_to(&row.practice, &row.carrier);
            let opened = self.trail.sealer().open(Purpose::Details, &bound, &row.sealed);
            // A pause whose reason does not open still holds.
            let reason = opened.ok().and_then(|text| String::from_utf8(text.to_vec()).ok()).unwrap_or_default();
            let paused = Paused { by: row.actor, since: store::time(row.since), reason };
            now.entry(row.practice).or_default().insert(row.carrier, Arc::new(paused));
        }
        self.now.store(Arc::new(now));
        Ok(())
    }
}

fn bound_to(practice: &PracticeId, carrier: &str) -> Vec<u8> {
    bind(&[b"carrier pause v1", practice.as_str().as_bytes(), carrier.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::trail::Filter;
    use crate::vault::Vault;

    #[tokio::test]
    async fn a_pause_is_one_practices_own_on_record_and_survives_a_restart() {
        let store = Store::open_temporary().unwrap();
        let vault = Vault::open_temporary(store.clone()).await.unwrap();
        let trail = Trail::new(store.clone(), vault);
        let identity = Identity::new(store.clone(), trail.clone());
        let (one, two) = (PracticeId::new("p-1"), PracticeId::new("p-2"));
        for practice in [&one, &two] {
            identity.ensure_practice(practice.as_str(), "A practice").await.unwrap();
        }
        let by = Actor::key("key_1");
        let pauses = Pauses::open(store.clone(), trail.clone()).await.unwrap();
        assert!(pauses.pause(&one, "acme", "their portal lies", &by).await.unwrap());
        assert!(!pauses.pause(&one, "acme", "again", &Actor::key("key_2")).await.unwrap());
        assert!(pauses.of(&two, "acme").is_none() && pauses.of(&one, "other").is_none());

        let again = Pauses::open(store.clone(), trail.clone()).await.unwrap();
        let paused = again.of(&one, "acme").unwrap();
        assert_eq!((paused.by.as_str(), paused.reason.as_str()), ("key_1", "their portal lies"));
        assert!(!format!("{paused:?}").contains("lies"));
        assert!(again.resume(&one, "acme", &by).await.unwrap());
        assert!(!again.resume(&one, "acme", &by).await.unwrap());
        assert_eq!(again.all(&one), []);
        let records = trail.list(&one, Filter::default(), 10).await.unwrap();
        let actions: Vec<&str> = records.iter().map(|record| record.action.as_str()).collect();
        // What changed nothing left no record.
        assert_eq!(actions.iter().filter(|action| action.starts_with("carrier.")).count(), 2, "{actions:?}");
    }
}
