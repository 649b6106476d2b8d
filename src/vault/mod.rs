//! The vault: credentials of practices at carriers, sealed at rest, write-only for people, lent to the wire.
//!
//! - A secret leaves by one door only, [`Vault::lease`]; no list, error, log line or `Debug` shows one, not even its length.
//! - Each value is sealed under a key of its own; it opens only for the practice, carrier, generation, field and
//!   **pinned hosts** it was entered for. Changing the carrier file's hosts does not let a secret go elsewhere.
//! - One refused login stops a credential ([`Vault::stop`]) until a person says otherwise: carriers lock accounts.
//! - The key file lies outside the data directory ([`Vault::open`] refuses it otherwise).
//!
//! The sealed rows are kept in memory (the data directory is ours alone while we run), so that a lease needs no
//! database; the values are opened for each lease and wiped after it.

mod credential;
mod error;
mod key_file;
#[cfg(test)]
mod key_tests;
mod keyring;
mod keys;
mod lend;
mod life;
#[cfg(test)]
mod login_tests;
mod logins;
mod open;
mod recovery;
mod replace;
#[cfg(test)]
mod rewind_tests;
mod rotation;
mod sealing;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod tests;
mod verify;
mod ways;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use connector_sdk::BoxFuture;
use jiff::Timestamp;
use zeroize::Zeroizing;

pub use credential::{CredentialInfo, CredentialState, Lease, SecretFields};
pub use error::VaultError;
use keys::Keys;
pub use lend::owner;
pub use life::{REMIND_DAYS, RESTORED, Reminder, waits_for_answer};
pub use rotation::Rewrapped;
pub use verify::Fault;
pub use ways::{Opener, Way, check_passphrase};

use crate::practice::PracticeId;
use crate::store::credentials::{self, CredentialRow, NewCredential, Refused};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Purpose, SealBroken, Sealer, TrailRecord, append, bind};
use crate::wire;

/// The practice that owns credentials which serve all practices (a clearinghouse account).
pub const GATEWAY_PRACTICE: &str = "gateway";

/// A use is noted at most this often for each credential, in microseconds: a durable write for every lease would cost
/// more than it tells (the trail says who used what, and when).
const TOUCH_EVERY: i64 = 60_000_000;

type Rows = HashMap<(PracticeId, String), CredentialRow>;

/// The open vault. Build it once and share it.
pub struct Vault {
    store: Arc<Store>,
    keys: Arc<Keys>,
    sealer: Arc<dyn Sealer>,
    rows: RwLock<Rows>,
    /// Held over every change, so that memory and store see changes in the same order.
    changing: tokio::sync::Mutex<()>,
    /// Told when texts have to be re-wrapped.
    rotated: tokio::sync::Notify,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// The vault's keys, as the trail wants them.
    pub fn sealer(&self) -> Arc<dyn Sealer> {
        Arc::clone(&self.sealer)
    }

    /// Stores new values as the next generation and makes the credential active. `origins` are the carrier file's hosts
    /// at this moment: the values will go nowhere else.
    ///
    /// # Errors
    /// [`VaultError::NoSuchPractice`], [`VaultError::BadField`], or what the store says.
    pub async fn put(
        &self,
        practice: &PracticeId,
        carrier: &str,
        fields: SecretFields,
        origins: &[String],
        by: &Actor,
    ) -> Result<CredentialInfo, VaultError> {
        self.put_until(practice, carrier, fields, origins, None, by).await
    }

    /// As [`Vault::put`], with values that end at a known time: reminders come before it. A client certificate among them
    /// says its own end; the earlier of both counts.
    ///
    /// # Errors
    /// As [`Vault::put`].
    pub async fn put_until(
        &self,
        practice: &PracticeId,
        carrier: &str,
        fields: SecretFields,
        origins: &[String],
        expires_at: Option<Timestamp>,
        by: &Actor,
    ) -> Result<CredentialInfo, VaultError> {
        credential::check(&fields)?;
        let expires_at = expires_at.into_iter().chain(wire::values_end(&fields)).min();
        let origins = serde_json::to_string(&credential::pin(origins)).map_err(|_| VaultError::Tampered)?;
        let id = self.credential_id(practice, carrier)?;
        self.sealer.adopt(practice).await.map_err(no_practice)?;
        let record = TrailRecord::new(practice, by, "credential.put").carrier(carrier).credential(&id);
        let new = NewCredential {
            practice: practice.clone(),
            carrier: carrier.to_owned(),
            id,
            origins: origins.clone(),
            expires_at: expires_at.map(Timestamp::as_microsecond),
            at: store::now(),
        };
        let seal = self.sealing(practice, carrier, (origins, new.expires_at), fields);
        let _changing = self.changing.lock().await;
        let row = credentials::put(&self.store, new, seal, append(&self.sealer, record)).await;
        let row = row.map_err(no_practice)?;
        let info = credential::info(&row);
        self.change_rows(|rows| rows.insert((row.practice.clone(), row.carrier.clone()), row));
        Ok(info)
    }

    /// A practice's credentials, by carrier.
    pub fn list(&self, practice: &PracticeId) -> Vec<CredentialInfo> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = rows.values().filter(|row| row.practice == *practice).map(credential::info).collect();
        found.sort_by(|a, b| a.carrier.cmp(&b.carrier));
        found
    }

    /// One credential of a practice.
    pub fn info(&self, practice: &PracticeId, carrier: &str) -> Option<CredentialInfo> {
        self.row(practice, carrier).as_ref().map(credential::info)
    }

    /// Opens a credential for one attempt. `hosts` are the carrier file's hosts now: each must be pinned.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Stopped`], [`VaultError::OriginsChanged`], [`VaultError::Tampered`].
    pub fn lease(&self, practice: &PracticeId, carrier: &str, hosts: &[String]) -> Result<Lease, VaultError> {
        let row = self.row(practice, carrier).ok_or(VaultError::Missing)?;
        if row.state != "active" {
            return Err(life::stopped(&row));
        }
        // Opened first: only then is the list of hosts proven to be the one that was entered.
        let (row, fields) = self.open_row(row)?;
        let origins = credential::pinned(&row)?;
        if !credential::pin(hosts).iter().all(|host| origins.contains(host)) {
            return Err(VaultError::OriginsChanged);
        }
        self.note_use(&row);
        let on_trial = row.stage.is_some();
        Ok(Lease { credential_id: row.id, generation: row.generation, on_trial, fields, origins })
    }

    /// Opens a row; once more when it was re-wrapped at that moment and its old key is gone.
    fn open_row(&self, row: CredentialRow) -> Result<(CredentialRow, SecretFields), VaultError> {
        if let Ok(fields) = credential::open(self.keys.opened()?.as_ref(), &row) {
            return Ok((row, fields));
        }
        let row = self.row(&row.practice, &row.carrier).ok_or(VaultError::Missing)?;
        let fields = credential::open(self.keys.opened()?.as_ref(), &row)?;
        Ok((row, fields))
    }

    /// Stops a credential because the carrier refused it. In this process it takes effect at once, and even if it cannot
    /// be stored; once this returns `Ok` it also outlives a restart. Values of another generation are not touched.
    ///
    /// # Errors
    /// What the store says.
    pub async fn stop(&self, credential_id: &str, generation: u64, reason: &'static str) -> Result<(), VaultError> {
        let at = store::now();
        let Some((practice, carrier, stage)) = self.mark_stopped(credential_id, generation, reason, at) else {
            return Ok(());
        };
        let _changing = self.changing.lock().await;
        let record = TrailRecord::new(&practice, &Actor::gateway(), "credential.stopped")
            .carrier(&carrier)
            .credential(credential_id)
            .subject(&stage);
        let refused = Refused { generation, reason, outright: life::is_refusal(reason), at };
        credentials::stop(&self.store, &practice, &carrier, refused, append(&self.sealer, record)).await?;
        // Once more: somebody may have enabled it between the mark and the lock, and the refusal is the later word.
        self.mark_stopped(credential_id, generation, reason, at);
        Ok(())
    }

    /// Stops it in memory; whose it is and its stage, if it still has this generation.
    fn mark_stopped(
        &self,
        credential_id: &str,
        generation: u64,
        reason: &'static str,
        at: i64,
    ) -> Option<(PracticeId, String, String)> {
        self.change_rows(|rows| {
            let row = rows.values_mut().find(|row| row.id == credential_id && row.generation == generation)?;
            if row.state == "active" {
                row.state = "stopped".to_owned();
                row.stage = Some(life::stage_after(row.stage.as_deref(), reason).to_owned());
                row.login_at = None;
                row.reason = Some(reason.to_owned());
                row.stopped_at = Some(at);
            }
            Some((row.practice.clone(), row.carrier.clone(), row.stage.clone().unwrap_or_default()))
        })
    }

    /// A person says that a suspect credential may be tried again, once; `false` when there is none, or it is disabled
    /// (then only new values help). It is verifying until the carrier has accepted or refused it, and becomes a new
    /// generation of the same values, so that nothing remembered of the refused one gets in the way, and a refusal that
    /// arrives late does not stop it again.
    ///
    /// # Errors
    /// [`VaultError::Tampered`], or what the store says.
    pub async fn enable(&self, practice: &PracticeId, carrier: &str, by: &Actor) -> Result<bool, VaultError> {
        let _changing = self.changing.lock().await;
        let Some(row) = self.row(practice, carrier).filter(|row| row.state != "active") else { return Ok(false) };
        let fields = credential::open(self.keys.opened()?.as_ref(), &row)?;
        let record = TrailRecord::new(practice, by, "credential.enabled").carrier(carrier).credential(&row.id);
        let seal = self.sealing(practice, carrier, (row.origins, row.expires_at), fields);
        let link = append(&self.sealer, record);
        let enabled = credentials::enable(&self.store, practice, carrier, row.generation, seal, link).await?;
        self.read_again(practice, carrier).await?;
        Ok(enabled)
    }

    /// Erases a credential's values; `false` when there are none. A later [`Vault::put`] gets a new generation.
    ///
    /// # Errors
    /// What the store says.
    pub async fn delete(&self, practice: &PracticeId, carrier: &str, by: &Actor) -> Result<bool, VaultError> {
        let _changing = self.changing.lock().await;
        let id = self.credential_id(practice, carrier)?;
        let record = TrailRecord::new(practice, by, "credential.deleted").carrier(carrier).credential(&id);
        let link = append(&self.sealer, record);
        let deleted = credentials::delete(&self.store, practice, carrier, store::now(), link).await?;
        self.read_again(practice, carrier).await?;
        Ok(deleted)
    }

    /// Takes the store's word for what is there now.
    async fn read_again(&self, practice: &PracticeId, carrier: &str) -> Result<(), VaultError> {
        let place = (practice.clone(), carrier.to_owned());
        match credentials::current(&self.store, practice, carrier).await? {
            Some(row) => self.change_rows(|rows| rows.insert(place, row)),
            None => self.change_rows(|rows| rows.remove(&place)),
        };
        Ok(())
    }

    /// Seals the fields inside the store's transaction, where the generation is known, for these origins and this end.
    fn sealing(
        &self,
        practice: &PracticeId,
        carrier: &str,
        (origins, expires_at): (String, Option<i64>),
        fields: SecretFields,
    ) -> credentials::Seal {
        let (keys, practice, carrier) = (Arc::clone(&self.keys), practice.clone(), carrier.to_owned());
        Box::new(move |id, generation, created_at| {
            let (practice, carrier, origins) = (&practice, carrier.as_str(), origins.as_str());
            let names = credential::names(fields.keys());
            let place = credential::Place { practice, carrier, id, generation, origins, created_at, expires_at, names };
            keys.ring()
                .and_then(|ring| credential::seal(&ring, &place, &fields))
                .map_err(|SealBroken| StoreError::Damaged { what: "the system gives no random numbers" })
        })
    }

    /// Opens every stored value of a practice without showing any: carriers whose credential does not open.
    pub fn verify(&self, practice: &PracticeId) -> Vec<String> {
        let ring = self.keys.ring();
        let opens = |row: &CredentialRow| ring.as_ref().is_ok_and(|ring| credential::open(ring, row).is_ok());
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let mut broken: Vec<_> = rows
            .values()
            .filter(|row| row.practice == *practice && !opens(row))
            .map(|row| row.carrier.clone())
            .collect();
        broken.sort();
        broken
    }

    /// The same for all generations, and free of meaning: made from practice and carrier under the vault's key.
    fn credential_id(&self, practice: &PracticeId, carrier: &str) -> Result<String, VaultError> {
        let text = bind(&[b"credential id", practice.as_str().as_bytes(), carrier.as_bytes()]);
        let code = self.keys.opened()?.mac(Purpose::Credentials, &text)?;
        Ok(code.iter().take(12).fold("cred_".to_owned(), |mut id, byte| {
            id.push_str(&format!("{byte:02x}"));
            id
        }))
    }

    fn row(&self, practice: &PracticeId, carrier: &str) -> Option<CredentialRow> {
        let place = (practice.clone(), carrier.to_owned());
        self.rows.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    fn change_rows<T>(&self, change: impl FnOnce(&mut Rows) -> T) -> T {
        change(&mut self.rows.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_use(&self, row: &CredentialRow) {
        let now = store::now();
        if row.last_used_at.is_some_and(|last| now.saturating_sub(last) < TOUCH_EVERY) {
            return;
        }
        self.change_rows(|rows| {
            if let Some(row) = rows.get_mut(&(row.practice.clone(), row.carrier.clone())) {
                row.last_used_at = Some(now);
            }
        });
        // Outside of a runtime (a tool) it is noted in memory only.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, practice, carrier) = (Arc::clone(&self.store), row.practice.clone(), row.carrier.clone());
            runtime.spawn(async move {
                if let Err(error) = credentials::touch(&store, &practice, &carrier, now).await {
                    tracing::warn!(%practice, carrier, %error, "The use of a credential could not be noted");
                }
            });
        }
    }
}

/// A conflict over a new row can only mean that there is no such practice.
fn no_practice(error: StoreError) -> VaultError {
    match error {
        StoreError::Conflict => VaultError::NoSuchPractice,
        other => other.into(),
    }
}

impl Sealer for Vault {
    fn seal(&self, purpose: Purpose, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        self.keys.seal(purpose, bound_to, plain)
    }

    fn seal_for(
        &self,
        practice: &PracticeId,
        purpose: Purpose,
        bound_to: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealBroken> {
        self.keys.seal_for(practice, purpose, bound_to, plain)
    }

    fn adopt<'a>(&'a self, practice: &'a PracticeId) -> BoxFuture<'a, Result<(), StoreError>> {
        self.keys.adopt(practice)
    }

    fn open(&self, purpose: Purpose, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        self.keys.open(purpose, bound_to, sealed)
    }

    fn mac(&self, purpose: Purpose, text: &[u8]) -> [u8; 32] {
        self.keys.mac(purpose, text)
    }

    fn try_mac(&self, purpose: Purpose, text: &[u8]) -> Result<[u8; 32], SealBroken> {
        self.keys.try_mac(purpose, text)
    }
}
