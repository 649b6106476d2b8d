//! The keys of an open vault, shared by all who seal: changed as a whole by a rotation, gone at once when it is sealed.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use connector_sdk::BoxFuture;
use zeroize::Zeroizing;

use super::GATEWAY_PRACTICE;
use super::error::VaultError;
use super::keyring::Keyring;
use super::sealing::random;
use crate::practice::PracticeId;
use crate::store::vault::Change;
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Purpose, SealBroken, Sealer, TrailRecord, append};

/// Holds the ring for whoever seals.
pub(super) struct Keys {
    me: Weak<Keys>,
    store: Arc<Store>,
    ring: RwLock<Option<Arc<Keyring>>>,
    /// Held over every change of the keys, so that memory and store see changes in the same order.
    changing: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(super) fn new(store: Arc<Store>, ring: Keyring) -> Arc<Self> {
        let ring = RwLock::new(Some(Arc::new(ring)));
        Arc::new_cyclic(|me| Self { me: me.clone(), store, ring, changing: tokio::sync::Mutex::new(()) })
    }

    /// The keys as they are now.
    pub(super) fn ring(&self) -> Result<Arc<Keyring>, SealBroken> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(SealBroken)
    }

    pub(super) fn are_gone(&self) -> bool {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Forgets all keys. Whoever is in the middle of a text finishes it; the bytes are wiped then.
    pub(super) fn forget(&self) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The lock over changes.
    pub(super) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Puts another ring in the place of the present one, unless the vault was sealed meanwhile.
    pub(super) fn exchange(&self, next: Keyring) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        if ring.is_some() {
            *ring = Some(Arc::new(next));
        }
    }

    /// Stores a change with its record, in the gateway's own trail. `subject` names what it is about.
    pub(super) async fn store_change(
        &self,
        change: Change,
        by: &Actor,
        action: &'static str,
        subject: &str,
    ) -> Result<(), StoreError> {
        let record = TrailRecord::new(&PracticeId::new(GATEWAY_PRACTICE), by, action).subject(subject);
        store::vault::change(&self.store, change, append(&self.sealer()?, record)).await
    }

    pub(super) fn sealer(&self) -> Result<Arc<dyn Sealer>, StoreError> {
        let me: Arc<dyn Sealer> = self.me.upgrade().ok_or(StoreError::Closed)?;
        Ok(me)
    }

    async fn make_key(&self, practice: &PracticeId) -> Result<(), StoreError> {
        let _changing = self.changing().await;
        let ring = self.ring().map_err(sealed)?;
        if ring.knows(practice) {
            return Ok(());
        }
        let at = store::now();
        let (next, row) = ring.with_new_key(practice, at).map_err(sealed)?;
        let subject = format!("vault-key-{}", row.id);
        let change = Change { root: ring.version, keys: vec![row], ..Change::default() };
        self.store_change(change, &Actor::gateway(), "vault.key_made", &subject).await?;
        self.exchange(next);
        Ok(())
    }
}

pub(super) fn sealed(_: SealBroken) -> StoreError {
    StoreError::Damaged { what: "the vault is sealed" }
}

impl Sealer for Keys {
    fn seal(&self, purpose: Purpose, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        self.seal_for(&PracticeId::new(GATEWAY_PRACTICE), purpose, bound_to, plain)
    }

    fn seal_for(
        &self,
        practice: &PracticeId,
        purpose: Purpose,
        bound_to: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealBroken> {
        self.ring()?.seal(practice, purpose, bound_to, plain)
    }

    fn adopt<'a>(&'a self, practice: &'a PracticeId) -> BoxFuture<'a, Result<(), StoreError>> {
        if self.ring().is_ok_and(|ring| ring.knows(practice)) {
            return Box::pin(std::future::ready(Ok(())));
        }
        Box::pin(self.make_key(practice))
    }

    fn open(&self, purpose: Purpose, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        self.ring()?.open_text(purpose, bound_to, sealed)
    }

    fn mac(&self, purpose: Purpose, text: &[u8]) -> [u8; 32] {
        // Without keys: random bytes, which fit nothing.
        self.try_mac(purpose, text).unwrap_or_else(|SealBroken| random::<32>().map_or([0xff; 32], |bytes| *bytes))
    }

    fn try_mac(&self, purpose: Purpose, text: &[u8]) -> Result<[u8; 32], SealBroken> {
        self.ring()?.mac(purpose, text)
    }
}

impl Keys {
    /// The error of a caller that needs keys.
    pub(super) fn opened(&self) -> Result<Arc<Keyring>, VaultError> {
        self.ring().map_err(|SealBroken| VaultError::Sealed)
    }
}
