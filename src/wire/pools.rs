//! Connections under mutual TLS: a pool for each credential, of its present generation alone. A connection counts as
//! whoever's certificate opened it, so that it is nobody else's, and not the next generation's either.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connector_sdk::Result;
use tokio::time::Instant;

use super::SessionKey;
use super::client::Client;
use crate::practice::PracticeId;

/// Most pools of one carrier that are kept. Beyond, the one that was unused the longest goes.
const POOLS_MAX: usize = 512;
/// A pool that is unused for so long goes, and the opened key with it.
const KEPT_UNUSED: Duration = Duration::from_secs(1_800);

/// Whose pool it is: never another practice's, not even under the same credential's name.
type Owner = (Option<PracticeId>, String);

/// The pools of one carrier.
#[derive(Default)]
pub(super) struct Pools {
    kept: HashMap<Owner, Pool>,
}

struct Pool {
    generation: u64,
    client: Arc<Client>,
    used: Instant,
}

impl Pools {
    /// The connections of this generation; `make` opens the first. Those of an older one are let go: what still runs over
    /// them ends in its own time.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn of(&mut self, key: &SessionKey, make: impl FnOnce() -> Result<Client>) -> Result<Arc<Client>> {
        let now = Instant::now();
        self.kept.retain(|_, pool| now.duration_since(pool.used) < KEPT_UNUSED);
        let owner = (key.practice.clone(), key.credential_id.clone());
        match self.kept.get_mut(&owner) {
            Some(pool) if pool.generation == key.generation => {
                pool.used = now;
                return Ok(pool.client.clone());
            }
            // Leased just before the values changed: for this attempt alone.
            Some(pool) if pool.generation > key.generation => return Ok(Arc::new(make()?)),
            _ => {}
        }
        self.kept.remove(&owner);
        let client = Arc::new(make()?);
        if self.kept.len() >= POOLS_MAX {
            let oldest = self.kept.iter().min_by_key(|(_, pool)| pool.used).map(|(owner, _)| owner.clone());
            oldest.map(|oldest| self.kept.remove(&oldest));
        }
        self.kept.insert(owner, Pool { generation: key.generation, client: client.clone(), used: now });
        Ok(client)
    }

    /// The connections of this generation, where they are still kept.
    pub(super) fn kept(&self, key: &SessionKey) -> Option<Arc<Client>> {
        let pool = self.kept.get(&(key.practice.clone(), key.credential_id.clone()))?;
        (pool.generation == key.generation).then(|| pool.client.clone())
    }

    /// Lets all of them go.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect::Trust;
    use super::super::egress::Egress;
    use super::*;

    fn client() -> Result<Client> {
        Ok(Client::new(Arc::new(Egress::new(&[], &[]).unwrap()), &Trust::of(None).unwrap(), None, 1))
    }

    fn key(practice: &str, generation: u64) -> SessionKey {
        SessionKey { practice: Some(PracticeId::new(practice)), credential_id: "c".into(), generation }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pool_is_one_practices_and_one_generations() {
        let mut pools = Pools::default();
        let first = pools.of(&key("a", 1), client).unwrap();
        assert!(Arc::ptr_eq(&first, &pools.of(&key("a", 1), client).unwrap()));
        assert!(!Arc::ptr_eq(&first, &pools.of(&key("b", 1), client).unwrap()));
        let second = pools.of(&key("a", 2), client).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert_eq!(Arc::strong_count(&first), 1, "the old generation's is let go");
        // A straggler of the old one does not bring it back.
        assert!(!Arc::ptr_eq(&pools.of(&key("a", 1), client).unwrap(), &first));
        assert!(Arc::ptr_eq(&second, &pools.kept(&key("a", 2)).unwrap()));
        assert!(pools.kept(&key("a", 1)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn pools_are_few_and_go_when_unused() {
        let mut pools = Pools::default();
        let shared = Arc::new(client().unwrap());
        for number in 0..POOLS_MAX {
            let used = Instant::now();
            pools.kept.insert((None, number.to_string()), Pool { generation: 1, client: shared.clone(), used });
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        pools.of(&key("new", 1), client).unwrap();
        assert_eq!(pools.kept.len(), POOLS_MAX);
        assert!(!pools.kept.contains_key(&(None, "0".to_owned())), "the one unused the longest went");
        tokio::time::advance(KEPT_UNUSED).await;
        pools.of(&key("new", 2), client).unwrap();
        assert_eq!(pools.kept.len(), 1);
    }
}
