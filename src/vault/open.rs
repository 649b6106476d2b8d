//! Making a vault, and opening one by any of its ways.

use std::path::Path;
use std::sync::{Arc, RwLock};

use super::error::VaultError;
use super::keyring::Keyring;
use super::keys::Keys;
use super::sealing::{KEY_BYTES, KeyBytes, SealingKey, random};
use super::ways::{Opener, Way, Wrapping, open as open_way, told};
use super::{Rows, Vault, key_file, recovery};
use crate::store::vault::{self as rows, Change};
use crate::store::{self, Store, StoreError, credentials, keys};
use crate::trail::{Actor, Sealer, bind};
use zeroize::Zeroizing;

/// What a root key from before there were ways is wrapped for.
fn early_bound_to() -> Vec<u8> {
    bind(&[b"root key v1"])
}

impl Vault {
    /// Makes the vault's keys, opened by the key file. That is made when it is missing (readable by its owner only) and
    /// used as it is when it is there.
    ///
    /// # Errors
    /// [`VaultError::AlreadyInitialised`], [`VaultError::KeyFile`], or what the store says.
    pub async fn init(store: &Arc<Store>, key_file: &Path) -> Result<(), VaultError> {
        Self::init_with(store, &[Opener::KeyFile(key_file.to_owned())]).await
    }

    /// Makes the vault's keys, opened by each of these.
    ///
    /// # Errors
    /// As [`Vault::init`]; [`VaultError::BadSecret`].
    pub async fn init_with(store: &Arc<Store>, openers: &[Opener]) -> Result<(), VaultError> {
        if Self::is_initialised(store).await? {
            return Err(VaultError::AlreadyInitialised);
        }
        let mut wrappings = Vec::new();
        for opener in openers {
            wrappings.push(match opener {
                Opener::KeyFile(path) => Wrapping::by_key(Way::KeyFile, key_file::create_or_read(path, store.dir())?),
                known => Wrapping::by_secret(known).await?,
            });
        }
        Self::found(store, &random::<KEY_BYTES>()?, &wrappings, "vault.made").await.map(|_| ())
    }

    /// Keys around `first`, stored and opened.
    async fn found(
        store: &Arc<Store>,
        first: &KeyBytes,
        wrappings: &[Wrapping],
        action: &'static str,
    ) -> Result<Arc<Keys>, VaultError> {
        let at = store::now();
        let (ring, keys) = Keyring::found(first, at)?;
        let wrappings = wrappings.iter().map(|wrapping| wrapping.wrap(&ring, at));
        let wrappings = wrappings.collect::<Result<Vec<_>, _>>()?;
        let change = Change { root: 0, wrappings, keys, ..Change::default() };
        let keys = Keys::new(Arc::clone(store), ring);
        let ways = told(&change.wrappings);
        match keys.store_change(change, &Actor::command_line(), action, &ways).await {
            Err(StoreError::Conflict) => Err(VaultError::AlreadyInitialised),
            other => Ok(other.map(|()| keys)?),
        }
    }

    /// A new recovery code, to be shown once and then given to [`Vault::init_with`] or [`Vault::set_way`].
    ///
    /// # Errors
    /// [`VaultError::BadSecret`] when the system gives no random numbers.
    pub fn new_recovery_code() -> Result<Zeroizing<String>, VaultError> {
        recovery::new_code()
    }

    /// Whether two texts are the same recovery code, however they are spelled.
    ///
    /// # Errors
    /// [`VaultError::BadRecoveryGroup`], [`VaultError::BadSecret`]: what is wrong with the second.
    pub fn same_recovery_code(code: &str, copied: &str) -> Result<bool, VaultError> {
        Ok(*recovery::key(code)? == *recovery::key(copied)?)
    }

    /// Whether [`Vault::init`] was done for this store.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_initialised(store: &Store) -> Result<bool, VaultError> {
        let stored = rows::keys(store).await?;
        Ok(!stored.wrappings.is_empty() || stored.early.is_some())
    }

    /// The ways that open this store's vault; none before [`Vault::init`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn ways(store: &Store) -> Result<Vec<Way>, VaultError> {
        let stored = rows::keys(store).await?;
        let mut ways: Vec<Way> = stored.wrappings.iter().filter_map(|row| Way::from_word(&row.way)).collect();
        if stored.early.is_some() {
            ways.push(Way::KeyFile);
        }
        ways.sort();
        Ok(ways)
    }

    /// Opens the vault with the key file.
    ///
    /// # Errors
    /// As [`Vault::open_with`].
    pub async fn open(store: Arc<Store>, key_file: &Path) -> Result<Arc<Self>, VaultError> {
        Self::open_with(store, &Opener::KeyFile(key_file.to_owned())).await
    }

    /// Opens the vault by one of its ways.
    ///
    /// # Errors
    /// [`VaultError::NotInitialised`], [`VaultError::NoSuchWay`], [`VaultError::KeyFile`], [`VaultError::WrongKey`],
    /// [`VaultError::WrongSecret`], [`VaultError::KeyBroken`], or what the store says.
    pub async fn open_with(store: Arc<Store>, opener: &Opener) -> Result<Arc<Self>, VaultError> {
        let stored = rows::keys(&store).await?;
        if let (Some(early), true) = (&stored.early, stored.wrappings.is_empty()) {
            let keys = Self::renew(&store, early, opener).await?;
            return Self::around(store, keys).await;
        }
        if stored.wrappings.is_empty() {
            return Err(VaultError::NotInitialised);
        }
        let way = opener.way();
        let row = stored.wrappings.iter().find(|row| row.way == way.word()).ok_or(VaultError::NoSuchWay { way })?;
        let (root, wrapping) = open_way(row, opener, store.dir()).await?;
        let ring = Keyring::open(root, row.root, &stored.keys).map_err(|bad| VaultError::KeyBroken { id: bad.0 })?;
        if let Opener::KeyFile(path) = opener {
            // An exchange that was cut short left a second key in the file.
            if key_file::read(path, store.dir())?.len() > 1 {
                key_file::keep_only(path, wrapping.key())?;
            }
        }
        let keys = Keys::new(Arc::clone(&store), ring);
        Self::around(store, keys).await
    }

    /// The keys of a store that is only looked into: nothing is written, not even the key file, which may hold a newer key
    /// as well.
    ///
    /// # Errors
    /// As [`Vault::open_with`].
    pub async fn keys_with(store: &Arc<Store>, opener: &Opener) -> Result<Arc<dyn Sealer>, VaultError> {
        let stored = rows::keys(store).await?;
        if stored.wrappings.is_empty() {
            return Err(VaultError::NotInitialised);
        }
        let way = opener.way();
        let row = stored.wrappings.iter().find(|row| row.way == way.word()).ok_or(VaultError::NoSuchWay { way })?;
        let (root, _) = open_way(row, opener, store.dir()).await?;
        let ring = Keyring::open(root, row.root, &stored.keys).map_err(|bad| VaultError::KeyBroken { id: bad.0 })?;
        Ok(Keys::new(Arc::clone(store), ring))
    }

    /// A vault from before keys had numbers: its root key becomes the first key, under a new root key.
    async fn renew(store: &Arc<Store>, early: &[u8], opener: &Opener) -> Result<Arc<Keys>, VaultError> {
        let Opener::KeyFile(path) = opener else { return Err(VaultError::NoSuchWay { way: opener.way() }) };
        for key in key_file::read(path, store.dir())? {
            if let Ok(first) = SealingKey::new(&key).open_key(&early_bound_to(), early) {
                let wrapping = Wrapping::by_key(Way::KeyFile, key);
                return Self::found(store, &first, &[wrapping], "vault.renewed").await;
            }
        }
        Err(VaultError::WrongKey)
    }

    /// Opens the vault; does [`Vault::init`] first where that was never done. Says whether it did.
    ///
    /// # Errors
    /// As [`Vault::init`] and [`Vault::open`].
    pub async fn open_or_init(store: Arc<Store>, key_file: &Path) -> Result<(Arc<Self>, bool), VaultError> {
        let made = !Self::is_initialised(&store).await?;
        if made {
            Self::init(&store, key_file).await?;
        }
        Ok((Self::open(store, key_file).await?, made))
    }

    /// A vault whose key lives in this process only: for tests and the demo, over a temporary store.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open_temporary(store: Arc<Store>) -> Result<Arc<Self>, VaultError> {
        let wrapping = Wrapping::by_key(Way::KeyFile, random::<KEY_BYTES>()?);
        let keys = Self::found(&store, &random::<KEY_BYTES>()?, &[wrapping], "vault.made").await?;
        Self::around(store, keys).await
    }

    async fn around(store: Arc<Store>, keys: Arc<Keys>) -> Result<Arc<Self>, VaultError> {
        let rows = RwLock::new(load(&store).await?);
        let sealer: Arc<dyn Sealer> = Arc::clone(&keys) as Arc<dyn Sealer>;
        let vault = Self {
            store,
            keys,
            sealer,
            rows,
            changing: tokio::sync::Mutex::new(()),
            rotated: tokio::sync::Notify::new(),
        };
        Ok(Arc::new(vault))
    }

    /// Forgets all keys, with a record of it: nothing is lent, opened or sealed from then on. A sealed vault is opened by
    /// making another one.
    ///
    /// # Errors
    /// When the record cannot be stored; the keys are gone all the same.
    pub async fn seal_up(&self, by: &Actor) -> Result<(), VaultError> {
        let recorded = self.keys.store_change(self.no_change()?, by, "vault.sealed", "vault").await;
        self.keys.forget();
        Ok(recorded?)
    }

    /// Records that a person opened the vault.
    ///
    /// # Errors
    /// What the store says.
    pub async fn note_unsealed(&self, by: &Actor) -> Result<(), VaultError> {
        Ok(self.keys.store_change(self.no_change()?, by, "vault.unsealed", "vault").await?)
    }

    fn no_change(&self) -> Result<Change, VaultError> {
        Ok(Change { root: self.keys.opened()?.version, ..Change::default() })
    }

    /// Whether the keys are gone.
    pub fn is_sealed(&self) -> bool {
        self.keys.are_gone()
    }
}

async fn load(store: &Store) -> Result<Rows, VaultError> {
    let mut rows = Rows::new();
    for practice in keys::practices(store).await? {
        for row in credentials::list(store, &practice.id).await? {
            rows.insert((row.practice.clone(), row.carrier.clone()), row);
        }
    }
    Ok(rows)
}

/// As the early program made a vault: for the test that it still opens.
#[cfg(test)]
pub(super) fn early_wrapped(key: &KeyBytes, root: &KeyBytes) -> Vec<u8> {
    SealingKey::new(key).seal(&early_bound_to(), root.as_ref()).unwrap_or_default()
}
