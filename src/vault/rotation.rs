//! Exchanging keys while the gateway works: new numbers at once, the texts behind them one by one.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use super::error::VaultError;
use super::keyring::{Keyring, mark};
use super::keys::sealed;
use super::sealing::KeyBytes;
use super::ways::{Opener, Way, Wrapping, told};
use super::{Vault, key_file};
use crate::practice::PracticeId;
use crate::store::rewrap::{self, Exchanged};
use crate::store::vault::{self as rows, Change, Cursor, KeyRow};
use crate::store::{self, credentials, keys};
use crate::trail::{Actor, TrailRecord, append};

/// Texts exchanged in one transaction: few, because one may have megabytes.
const TEXTS_AT_ONCE: u32 = 32;
/// How often the texts are gone through again for those that were sealed under an old key, but stored late.
const PASSES_MAX: u32 = 5;
/// How long a text may take from being sealed to being stored. An old key is kept at least this long.
const STORED_WITHIN: Duration = Duration::from_secs(300);
/// Between two pages, so that the front desk's writes go first.
const PAUSE: Duration = Duration::from_millis(5);
/// After a failure (a full disk), re-wrapping is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How often the age of the keys is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// Practices' keys are exchanged by themselves when they are older, in microseconds: a year.
const AGE_MAX: i64 = 365 * 24 * 3600 * 1_000_000;

/// What a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rewrapped {
    /// Texts that stand under a newer key now.
    pub texts: u64,
    /// Texts that do not open under the key they name; `portico vault verify` names the credentials among them.
    pub broken: u64,
    /// Old keys that were erased.
    pub keys_erased: u64,
}

impl Vault {
    /// Gives every practice a new key, under which everything is sealed from now on. The texts behind it are re-wrapped by
    /// [`Vault::rewrap`], or in the background by [`Vault::look_after_keys`]; the old keys go when nothing stands under
    /// them any more. Says how many keys were made.
    ///
    /// # Errors
    /// [`VaultError::Sealed`], or what the store says.
    pub async fn rotate_keys(&self, by: &Actor) -> Result<usize, VaultError> {
        let made = {
            let _changing = self.keys.changing().await;
            let ring = self.keys.opened()?;
            let at = store::now();
            let mut made = Vec::new();
            let mut next: Option<Keyring> = None;
            for practice in keys::practices(&self.store).await? {
                let (ring, row) = next.as_ref().unwrap_or(&ring).with_new_key(&practice.id, at)?;
                made.push(row);
                next = Some(ring);
            }
            let count = made.len();
            // Numbers without gaps: all of them are to be there until the next rotation.
            let id = |row: Option<&KeyRow>| row.map_or(0, |row| row.id);
            let subject = format!("vault-keys-{}-{}", id(made.first()), id(made.last()));
            let change = Change { root: ring.version, keys: made, rewrap_from: Some(at), ..Change::default() };
            self.keys.store_change(change, by, "vault.keys_rotated", &subject).await?;
            if let Some(next) = next {
                self.keys.exchange(next);
            }
            count
        };
        self.rotated.notify_one();
        Ok(made)
    }

    /// Exchanges the root key. Every way that opens the vault must be among `openers`, each wraps the new root key: a key
    /// file is given a new key, a passphrase and a recovery code are new or typed again. What opened the old root key
    /// opens nothing any more.
    ///
    /// # Errors
    /// [`VaultError::WaysMissing`], [`VaultError::BadSecret`], [`VaultError::KeyFile`], [`VaultError::Sealed`], or what
    /// the store says.
    pub async fn rotate_root(&self, openers: &[Opener], by: &Actor) -> Result<(), VaultError> {
        let ways = Self::ways(&self.store).await?;
        let missing: Vec<Way> =
            ways.into_iter().filter(|way| !openers.iter().any(|opener| opener.way() == *way)).collect();
        if !missing.is_empty() {
            return Err(VaultError::WaysMissing { ways: missing });
        }
        let (wrappings, files) = self.prepare(openers).await?;
        let _changing = self.keys.changing().await;
        let ring = self.keys.opened()?;
        let stored = rows::keys(&self.store).await?;
        let (next, keys) = ring.with_new_root(&stored.keys)?;
        let change = Change { root: ring.version, wrappings: wrapped(&wrappings, &next)?, keys, ..Change::default() };
        let ways = told(&change.wrappings);
        self.keys.store_change(change, by, "vault.root_rotated", &ways).await?;
        self.keys.exchange(next);
        finish_files(&files)
    }

    /// Puts a way in, or a new one in the place of the old: another passphrase, another recovery code, a new key in the
    /// key file. The root key stays: who has an old copy of the data *and* the old way still has it; exchange it too.
    ///
    /// # Errors
    /// As [`Vault::rotate_root`].
    pub async fn set_way(&self, opener: &Opener, by: &Actor) -> Result<(), VaultError> {
        let (wrappings, files) = self.prepare(std::slice::from_ref(opener)).await?;
        let _changing = self.keys.changing().await;
        let ring = self.keys.opened()?;
        let change = Change { root: ring.version, wrappings: wrapped(&wrappings, &ring)?, ..Change::default() };
        let way = told(&change.wrappings);
        self.keys.store_change(change, by, "vault.way_set", &way).await?;
        finish_files(&files)
    }

    /// Takes a way away; the last one stays.
    ///
    /// # Errors
    /// [`VaultError::NoSuchWay`], [`VaultError::LastWay`], [`VaultError::Sealed`], or what the store says.
    pub async fn drop_way(&self, way: Way, by: &Actor) -> Result<(), VaultError> {
        let _changing = self.keys.changing().await;
        let ring = self.keys.opened()?;
        let ways = Self::ways(&self.store).await?;
        if !ways.contains(&way) {
            return Err(VaultError::NoSuchWay { way });
        }
        // A recovery code alone is paper: nobody starts a gateway with it.
        if !ways.iter().any(|other| *other != way && *other != Way::Recovery) {
            return Err(VaultError::LastWay);
        }
        let drop_ways = vec![way.word().to_owned()];
        let change = Change { root: ring.version, drop_ways, ..Change::default() };
        Ok(self.keys.store_change(change, by, "vault.way_dropped", way.word()).await?)
    }

    /// New wrapping keys; those of key files stand in their files already, before the old ones.
    async fn prepare(&self, openers: &[Opener]) -> Result<(Vec<Wrapping>, Vec<(PathBuf, KeyBytes)>), VaultError> {
        self.keys.opened()?;
        let (mut wrappings, mut files) = (Vec::new(), Vec::new());
        for opener in openers {
            wrappings.push(match opener {
                Opener::KeyFile(path) => {
                    let key = key_file::add(path, self.store.dir())?;
                    files.push((path.clone(), key.clone()));
                    Wrapping::by_key(Way::KeyFile, key)
                }
                known => Wrapping::by_secret(known).await?,
            });
        }
        Ok((wrappings, files))
    }

    /// Re-wraps what a rotation left behind, from where the last run came to, and then erases the old keys. `settle`: how
    /// long a text that was sealed under an old key may still be on its way to the store; zero when nobody else uses the
    /// vault. Returns at once when there is nothing to do.
    ///
    /// # Errors
    /// [`VaultError::Sealed`], or what the store says. The next run goes on.
    pub async fn rewrap(&self, settle: Duration) -> Result<Rewrapped, VaultError> {
        let mut done = Rewrapped::default();
        let Some(mut cursor) = rows::cursor(&self.store).await? else { return Ok(done) };
        for pass in 0..PASSES_MAX {
            done.broken = 0;
            self.rewrap_from(cursor.clone(), &mut done).await?;
            if pass == 0 && !settle.is_zero() {
                tokio::time::sleep(settle).await;
            } else if let Some(erased) = self.erase_old(cursor.begun_at).await? {
                done.keys_erased = erased;
                break;
            }
            // A rotation that began meanwhile starts over by itself.
            match rows::cursor(&self.store).await? {
                Some(now) if now.begun_at == cursor.begun_at => {
                    cursor = Cursor { practice: String::new(), kind: 0, place: String::new(), ..now };
                }
                Some(now) => cursor = now,
                None => break,
            }
        }
        Ok(done)
    }

    /// One way through all practices and kinds of text, from the cursor on.
    async fn rewrap_from(&self, mut cursor: Cursor, done: &mut Rewrapped) -> Result<(), VaultError> {
        for practice in keys::practices(&self.store).await? {
            let practice = practice.id;
            if practice.as_str() < cursor.practice.as_str() {
                continue;
            }
            if practice.as_str() != cursor.practice {
                cursor = Cursor { practice: practice.as_str().to_owned(), kind: 0, place: String::new(), ..cursor };
            }
            self.sealer.adopt(&practice).await?;
            while cursor.kind < rewrap::kinds() {
                self.rewrap_kind(&practice, &mut cursor, done).await?;
                cursor = Cursor { kind: cursor.kind + 1, place: String::new(), ..cursor };
            }
        }
        Ok(())
    }

    async fn rewrap_kind(
        &self,
        practice: &PracticeId,
        cursor: &mut Cursor,
        done: &mut Rewrapped,
    ) -> Result<(), VaultError> {
        loop {
            let ring = self.keys.opened()?;
            let newest = ring.newest(practice).ok_or(VaultError::Sealed)?;
            let page = rewrap::page(&self.store, cursor, mark(newest), TEXTS_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            cursor.place.clone_from(&last.place);
            let places: Vec<String> = page.iter().map(|text| text.place.clone()).collect();
            let mut texts = Vec::with_capacity(page.len());
            for text in page {
                match ring.rewrap(practice, &text.text) {
                    Ok(Some(new)) => texts.push(Exchanged { place: text.place, old: text.text, new }),
                    Ok(None) => {}
                    Err(_) => done.broken += 1,
                }
            }
            done.texts += texts.len() as u64;
            self.exchange_texts(practice, cursor, texts, &places).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Credentials are also held in memory: memory and store change under one lock.
    async fn exchange_texts(
        &self,
        practice: &PracticeId,
        cursor: &Cursor,
        texts: Vec<Exchanged>,
        places: &[String],
    ) -> Result<(), VaultError> {
        if !rewrap::is_credentials(cursor.kind) {
            return Ok(rewrap::exchange(&self.store, practice, cursor.kind, texts, cursor.clone()).await?);
        }
        let _changing = self.changing.lock().await;
        rewrap::exchange(&self.store, practice, cursor.kind, texts, cursor.clone()).await?;
        let mut carriers: Vec<&str> = places.iter().filter_map(|place| Some(place.split_once('/')?.0)).collect();
        carriers.dedup();
        for carrier in carriers {
            self.read_fields_again(practice, carrier).await?;
        }
        Ok(())
    }

    /// Takes the store's word for the sealed values alone: what else stands in memory may be newer than the store (a login
    /// that is about to be noted, or has just ended).
    async fn read_fields_again(&self, practice: &PracticeId, carrier: &str) -> Result<(), VaultError> {
        let Some(stored) = credentials::current(&self.store, practice, carrier).await? else { return Ok(()) };
        self.change_rows(|rows| {
            let row = rows.get_mut(&(practice.clone(), carrier.to_owned()));
            if let Some(row) = row.filter(|row| row.generation == stored.generation) {
                row.fields = stored.fields;
            }
        });
        Ok(())
    }

    /// Gives every practice that has none a key of its own: those from before there were such keys.
    async fn adopt_all(&self) -> Result<(), VaultError> {
        for practice in keys::practices(&self.store).await? {
            self.sealer.adopt(&practice.id).await?;
        }
        Ok(())
    }

    /// Credentials that were sealed before keys had numbers are sealed anew under their practice's key. `false`: one of
    /// them does not open.
    pub(super) async fn number_credentials(&self) -> Result<(), VaultError> {
        let early: Vec<_> = {
            let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            rows.values().filter(|row| row.fields.iter().any(|field| !field.data_key.is_empty())).cloned().collect()
        };
        for row in early {
            self.sealer.adopt(&row.practice).await?;
            let _changing = self.changing.lock().await;
            let Some(now) = self.row(&row.practice, &row.carrier).filter(|now| now.generation == row.generation) else {
                continue;
            };
            let Ok(fields) = super::credential::open(self.keys.opened()?.as_ref(), &now) else { continue };
            let place = super::credential::Place::of(&now);
            let fields = super::credential::seal(self.keys.opened()?.as_ref(), &place, &fields)?;
            credentials::seal_again(&self.store, &now.practice, &now.carrier, now.generation, fields).await?;
            self.read_fields_again(&now.practice, &now.carrier).await?;
        }
        Ok(())
    }

    /// Erases the keys under which nothing stands; `None` while something does.
    async fn erase_old(&self, begun_at: i64) -> Result<Option<u64>, VaultError> {
        let _changing = self.keys.changing().await;
        let ring = self.keys.opened()?;
        let older = ring.older();
        let marks = older.iter().map(|id| (i64::from(*id), mark(*id))).collect();
        let gateway = PracticeId::new(super::GATEWAY_PRACTICE);
        let record = TrailRecord::new(&gateway, &Actor::gateway(), "vault.old_keys_erased").subject("vault");
        let record = append(&self.sealer, record);
        if !rows::finish(&self.store, marks, begun_at, record).await? {
            return Ok(None);
        }
        self.keys.exchange(ring.without(&older));
        Ok(Some(older.len() as u64))
    }

    /// Re-wraps after each rotation, goes on with one that a restart cut short, and exchanges practices' keys once a year.
    /// Runs until the vault is sealed.
    pub async fn look_after_keys(self: std::sync::Arc<Self>) {
        if let Err(error) = self.adopt_all().await {
            tracing::warn!(%error, "a practice has no key of its own yet; it is tried again at the next start");
        }
        if let Err(error) = self.number_credentials().await {
            tracing::warn!(%error, "credentials could not be sealed anew under their practices' keys; it is tried again at the next start");
        }
        // What an earlier process sealed is stored, or lost: there is nothing to wait for.
        let mut settle = Duration::ZERO;
        while !self.is_sealed() {
            let wait = match self.rewrap(settle).await {
                Ok(done) if done.texts > 0 || done.keys_erased > 0 => {
                    tracing::info!(
                        texts = done.texts,
                        broken = done.broken,
                        erased = done.keys_erased,
                        "sealed texts stand under their practices' newest keys"
                    );
                    LOOK_EVERY
                }
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "re-wrapping stopped; it goes on in a minute");
                    AGAIN_AFTER
                }
            };
            settle = STORED_WITHIN;
            if tokio::time::timeout(wait, self.rotated.notified()).await.is_err() {
                self.rotate_when_old().await;
            }
        }
    }

    async fn rotate_when_old(&self) {
        let Ok(stored) = rows::keys(&self.store).await else { return };
        let newest = stored.keys.iter().map(|key| key.created_at).max().unwrap_or(i64::MAX);
        if store::now().saturating_sub(newest) < AGE_MAX {
            return;
        }
        if let Err(error) = self.rotate_keys(&Actor::gateway()).await {
            tracing::warn!(%error, "the yearly exchange of keys did not happen");
        }
    }
}

fn wrapped(wrappings: &[Wrapping], ring: &Keyring) -> Result<Vec<rows::WrappingRow>, VaultError> {
    let at = store::now();
    let wrapped = wrappings.iter().map(|wrapping| wrapping.wrap(ring, at));
    wrapped.collect::<Result<_, _>>().map_err(|error| VaultError::Store(sealed(error)))
}

fn finish_files(files: &[(PathBuf, KeyBytes)]) -> Result<(), VaultError> {
    files.iter().try_for_each(|(path, key)| key_file::keep_only(path, key))
}
