//! The running gateway over time: it starts open where the key file is at hand, else sealed; a person unseals it, and may
//! seal it again. While it is sealed there is no house at all: nothing is read, nothing is sent.

mod ledger;
mod line;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

pub use ledger::{holds, not_put_back, said};
pub use line::{Act, Key, ask};

use crate::api::Gate;
use crate::backup;
use crate::config::Config;
use crate::house::{CannotRun, House};
use crate::pages;
use crate::store::Store;
use crate::submissions::Submissions;
use crate::trail::{Actor, Trail, Verification};
use crate::vault::{Opener, Vault, VaultError, Way};

/// How long signing out of carriers may take when the vault is sealed.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Keeps one gateway.
pub struct Keeper {
    config: Config,
    store: Arc<Store>,
    gate: Gate,
    /// `None`: sealed. The lock is held over every change, so that two people do not unseal at once.
    house: Mutex<Option<House>>,
}

impl Keeper {
    /// Opens the store, and the house where the vault opens by itself: made anew, or with its key file.
    ///
    /// # Errors
    /// What cannot be opened, and how to mend it. A vault that only a person can open is no error.
    pub async fn open(config: Config) -> Result<Arc<Self>, CannotRun> {
        let store = Store::open_at(&config.data_dir, &config.tables).await?;
        let keeper = Self { config, store, gate: Gate::closed(pages::sealed()), house: Mutex::new(None) };
        let vault = keeper.open_by_itself().await?;
        if let Some(vault) = vault {
            let mut house = keeper.house.lock().await;
            keeper.furnish(&mut house, vault, None).await?;
        }
        Ok(Arc::new(keeper))
    }

    async fn open_by_itself(&self) -> Result<Option<Arc<Vault>>, CannotRun> {
        let key_file = &self.config.vault_key_file;
        let ways = Vault::ways(&self.store).await?;
        let by_person = ways.iter().any(|way| *way != Way::KeyFile);
        if !ways.is_empty() && by_person && (!ways.contains(&Way::KeyFile) || !key_file.exists()) {
            tracing::warn!("the vault is sealed: open it with `portico vault unseal`");
            return Ok(None);
        }
        let (vault, made) = Vault::open_or_init(Arc::clone(&self.store), key_file).await?;
        if made {
            tracing::warn!(key_file = %key_file.display(), "a new vault key was made; keep a copy of this file, apart from the data, or make a recovery kit: portico vault rotate recovery");
        }
        Ok(Some(vault))
    }

    /// Opens the house and lets callers in. `by`: the person who unsealed it.
    async fn furnish(
        &self,
        place: &mut MutexGuard<'_, Option<House>>,
        vault: Arc<Vault>,
        by: Option<&Actor>,
    ) -> Result<(), CannotRun> {
        // This holds the trail against its anchors: nothing is added to it before.
        let house = House::open_over(&self.config, Arc::clone(&self.store), vault).await?;
        if let Some(by) = by
            && let Err(error) = house.app.vault.note_unsealed(by).await
        {
            house.close().await;
            return Err(error.into());
        }
        self.gate.open(pages::router(house.app.clone()));
        **place = Some(house);
        Ok(())
    }

    /// What a server is given.
    pub fn router(&self) -> Router {
        self.gate.router()
    }

    /// Whether the vault is sealed.
    pub async fn is_sealed(&self) -> bool {
        self.house.lock().await.is_none()
    }

    /// Problems of the carrier files; none while it is sealed.
    pub async fn problems(&self) -> Vec<String> {
        let house = self.house.lock().await;
        let book = house.as_ref().map(|house| house.app.gateway.planes().book().snapshot());
        book.iter().flat_map(|book| &book.problems).map(ToString::to_string).collect()
    }

    /// The one-time token of the first run, while nobody can sign in; none while it is sealed.
    ///
    /// # Errors
    /// What the store says.
    pub async fn setup_token(&self) -> Result<Option<Zeroizing<String>>, CannotRun> {
        match &*self.house.lock().await {
            Some(house) => Ok(house.app.identity.setup_token().await?),
            None => Ok(None),
        }
    }

    /// Reads the carrier files again.
    pub async fn reload(&self) {
        if let Some(house) = &*self.house.lock().await {
            house.reload();
        }
    }

    /// Opens the vault and the house.
    ///
    /// # Errors
    /// What the vault says, or the house; it stays sealed then.
    pub async fn unseal(&self, opener: &Opener) -> Result<(), CannotRun> {
        let mut house = self.house.lock().await;
        if house.is_some() {
            return Err(CannotRun("the vault is open already".to_owned()));
        }
        let vault = Vault::open_with(Arc::clone(&self.store), opener).await?;
        self.furnish(&mut house, vault, Some(&Actor::command_line())).await?;
        tracing::info!(way = opener.way().name(), "the vault was unsealed");
        Ok(())
    }

    /// Seals: first nobody is let in any more, then the keys are forgotten, then the house is taken apart.
    ///
    /// # Errors
    /// When it is sealed already, or the record of it could not be stored; it is sealed all the same then.
    pub async fn seal(&self) -> Result<(), CannotRun> {
        let mut place = self.house.lock().await;
        let house = place.take().ok_or_else(|| CannotRun("the vault is sealed already".to_owned()))?;
        self.gate.seal();
        let sealed = house.app.vault.seal_up(&Actor::command_line()).await;
        let _ = tokio::time::timeout(CLOSE_WITHIN, house.close()).await;
        tracing::info!("the vault was sealed");
        Ok(sealed?)
    }

    /// Ends the gateway.
    pub async fn close(&self) {
        if let Some(house) = self.house.lock().await.take() {
            house.close().await;
        }
    }

    /// Listens for the operator until the gateway ends.
    ///
    /// # Errors
    /// When the line cannot be laid; without it a sealed gateway could not be opened.
    pub fn listen(self: &Arc<Self>) -> Result<tokio::task::JoinHandle<()>, CannotRun> {
        line::listen(Arc::clone(self), &self.config.data_dir)
    }

    /// Does what the operator asks for; what to say.
    ///
    /// # Errors
    /// Why it was not done.
    async fn act(&self, act: Act) -> Result<Vec<String>, CannotRun> {
        match act {
            Act::Status if self.is_sealed().await => Ok(vec!["sealed".to_owned()]),
            Act::Status => Ok(vec!["open".to_owned()]),
            Act::Ways => Ok(Vault::ways(&self.store).await?.iter().map(|way| way.word().to_owned()).collect()),
            Act::Seal => self
                .seal()
                .await
                .map(|()| vec!["The vault is sealed. `portico vault unseal` opens it again.".to_owned()]),
            Act::Unseal { key } => {
                self.unseal(&key.opener(&self.config)).await.map(|()| vec!["The vault is open.".to_owned()])
            }
            Act::Backup { place } => {
                let (store, trail) = self.books().await?;
                Ok(vec![back_up(&store, &trail, &place).await?])
            }
            Act::Holds { practice, json } => holds(&self.store, practice, json).await,
            Act::Hold { hold, practice, carriers, reason } => {
                let (_, trail) = self.books().await?;
                not_put_back(&trail)?;
                ledger::set(self.submissions().await?.as_ref(), hold, practice, &carriers, &reason).await
            }
            Act::Verify => verify(self.vault().await?.as_ref(), &self.store).await,
            rotation => rotate(self.vault().await?.as_ref(), &self.config, rotation).await,
        }
    }

    async fn books(&self) -> Result<(Arc<Store>, Arc<Trail>), CannotRun> {
        let house = self.house.lock().await;
        let house = house.as_ref().ok_or(VaultError::Sealed)?;
        Ok((Arc::clone(&self.store), Arc::clone(&house.app.trail)))
    }

    async fn submissions(&self) -> Result<Arc<Submissions>, CannotRun> {
        let house = self.house.lock().await;
        let house = house.as_ref().ok_or(VaultError::Sealed)?;
        Ok(Arc::clone(&house.app.submissions))
    }

    async fn vault(&self) -> Result<Arc<Vault>, CannotRun> {
        let house = self.house.lock().await;
        let house = house.as_ref().ok_or(VaultError::Sealed)?;
        Ok(Arc::clone(&house.app.vault))
    }
}

/// Makes a backup; what to say.
///
/// # Errors
/// Why it was not made.
pub async fn back_up(store: &Store, trail: &Trail, place: &Path) -> Result<String, CannotRun> {
    let made = backup::make(store, trail, place, &Actor::command_line()).await?;
    Ok(format!(
        "{}: {} rows in {} bytes. It opens with what opens the vault now; keep neither beside the other.",
        place.display(),
        made.rows,
        made.bytes
    ))
}

/// Exchanges keys of an open vault; what to say. Texts are re-wrapped by whoever looks after the keys.
///
/// # Errors
/// Why it was not done.
pub async fn rotate(vault: &Vault, config: &Config, act: Act) -> Result<Vec<String>, CannotRun> {
    let by = Actor::command_line();
    let openers = |keys: &[Key]| keys.iter().map(|key| key.opener(config)).collect::<Vec<_>>();
    let said = match act {
        Act::RotateKeys => {
            let made = vault.rotate_keys(&by).await?;
            format!("{made} new keys: everything is sealed under them from now on.")
        }
        Act::RotateRoot { keys } => {
            vault.rotate_root(&openers(&keys), &by).await?;
            "The root key is a new one: what opened the old one opens nothing any more.".to_owned()
        }
        Act::SetWay { key } => {
            let opener = key.opener(config);
            vault.set_way(&opener, &by).await?;
            format!("The {} is set: the one before it, if there was one, opens nothing any more.", opener.way().name())
        }
        Act::DropWay { way } => {
            vault.drop_way(way, &by).await?;
            format!("The {} opens nothing any more.", way.name())
        }
        Act::Status
        | Act::Ways
        | Act::Seal
        | Act::Unseal { .. }
        | Act::Verify
        | Act::Backup { .. }
        | Act::Holds { .. }
        | Act::Hold { .. } => return Err(CannotRun("this is no rotation".to_owned())),
    };
    Ok(vec![said])
}

/// Looks at all that is sealed; what to say, line by line. The first line that begins with `broken` is the first that does
/// not hold.
///
/// # Errors
/// What the store says. What does not hold is no error.
pub async fn verify(vault: &Vault, store: &Arc<Store>) -> Result<Vec<String>, CannotRun> {
    let mut lines = Vec::new();
    match vault.check_keys().await {
        Ok((keys, ways)) => {
            let ways: Vec<&str> = ways.iter().map(|way| way.name()).collect();
            lines.push(format!("{keys} keys open; the vault is opened by: {}", ways.join(", ")));
        }
        Err(error @ (VaultError::KeyBroken { .. } | VaultError::WayBroken { .. })) => {
            lines.push(format!("{BROKEN} {error}"))
        }
        Err(other) => return Err(other.into()),
    }
    let trail = Trail::new(Arc::clone(store), vault.sealer());
    for practice in vault.practices().await? {
        let stored = vault.list(&practice).len();
        let faults = vault.faults(&practice).await?;
        for fault in &faults {
            let carrier = fault.carrier.as_deref().unwrap_or_default();
            lines.push(format!("{BROKEN} {practice}: the credential for {carrier} {}", fault.text));
        }
        let records = match trail.verify(&practice).await? {
            Verification::Whole { records, .. } => format!("{records} records in an unbroken trail"),
            Verification::Broken { seq, what } => {
                lines.push(format!("{BROKEN} {practice}: the trail at record {seq}: {what}"));
                format!("the trail is broken at record {seq}")
            }
        };
        let open = stored.saturating_sub(faults.len());
        lines.push(format!("{practice}: {open} of {stored} credentials open, {records}"));
    }
    Ok(lines)
}

/// What a line about something that does not hold begins with.
pub const BROKEN: &str = "broken:";
