//! Fills a new store from a backup, and leaves everything that may have happened since to be found out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::BackupError;
use super::file::{Header, Reader};
use crate::practice::PracticeId;
use crate::store::restored::Doubted;
use crate::store::{Store, StoreError, dump};
use crate::submissions;
use crate::trail::{Actor, Detail, Sealer, Trail, TrailRecord};
use crate::vault::{GATEWAY_PRACTICE, Opener, Vault, Way};

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The moment that the store is back at.
    pub made_at: Timestamp,
    /// Rows of all tables.
    pub rows: u64,
    /// What may have gone on since.
    pub doubted: Doubted,
}

/// A backup that is not opened yet.
pub struct Closed {
    place: PathBuf,
    header: Header,
    /// The wrapped keys from the header, in a store of their own.
    keys: Arc<Store>,
}

/// A backup whose every byte was looked at: it was made with the keys that opened it, and is whole.
pub struct Backup {
    place: PathBuf,
    header: Header,
    sealer: Arc<dyn Sealer>,
}

impl Closed {
    /// Reads a backup's header. Nothing is written but to a temporary directory.
    ///
    /// # Errors
    /// [`BackupError::NotOne`], [`BackupError::TooNew`], [`BackupError::TooOld`], [`BackupError::Damaged`], or that the file cannot be read.
    pub async fn read(place: &Path) -> Result<Self, BackupError> {
        let (header, _) = Reader::open(place)?;
        if header.schema > Store::newest_schema() {
            return Err(BackupError::TooNew { found: header.schema });
        }
        if header.schema < dump::OLDEST_SCHEMA {
            return Err(BackupError::TooOld { found: header.schema });
        }
        let keys = STANDARD.decode(&header.keys).map_err(|_| BackupError::Damaged)?;
        let temporary = Store::open_temporary()?;
        let mut given = Some(keys);
        let filled = dump::fill(&temporary, Box::new(move || Ok(given.take().unwrap_or_default()))).await;
        filled.map_err(|_| BackupError::Damaged)?;
        Ok(Self { place: place.to_owned(), header, keys: temporary })
    }

    /// When it was made, as it says itself; proven only by [`Closed::open`].
    pub fn made_at(&self) -> Timestamp {
        self.header.made_at
    }

    /// The ways that open it: those that opened the vault when it was made.
    ///
    /// # Errors
    /// What the vault says.
    pub async fn ways(&self) -> Result<Vec<Way>, BackupError> {
        Ok(Vault::ways(&self.keys).await?)
    }

    /// Opens it and reads it to its end.
    ///
    /// # Errors
    /// [`BackupError::Vault`] where the key is another one, [`BackupError::Damaged`] where anything was changed or cut.
    pub async fn open(self, opener: &Opener) -> Result<Backup, BackupError> {
        let sealer = Vault::keys_with(&self.keys, opener).await?;
        let (place, reading) = (self.place.clone(), Arc::clone(&sealer));
        let read = tokio::task::spawn_blocking(move || {
            let (_, mut reader) = Reader::open(&place)?;
            while !reader.next(reading.as_ref()).map_err(|_| BackupError::Damaged)?.is_empty() {}
            if reader.ended() { Ok(()) } else { Err(BackupError::Damaged) }
        });
        read.await.map_err(|_| StoreError::Closed)??;
        Ok(Backup { place: self.place, header: self.header, sealer })
    }
}

impl Backup {
    /// Fills a store that nothing was ever done in, all or nothing, and doubts in the same transaction what may have gone
    /// on since (see [`submissions::restored`]). Then every trail gets a new log; a process that is killed before that
    /// leaves a store in which everything is doubted, too.
    ///
    /// # Errors
    /// [`BackupError::NotEmpty`], [`BackupError::Damaged`], [`BackupError::Store`].
    pub async fn restore(self, store: &Arc<Store>, anchor_dir: &Path, by: &Actor) -> Result<Restored, BackupError> {
        if !dump::is_new(store).await? {
            return Err(BackupError::NotEmpty);
        }
        let Self { place, header, sealer } = self;
        let trail = Trail::anchored(Arc::clone(store), Arc::clone(&sealer), anchor_dir)?;
        let why = format!("restored from the backup of {}", header.made_at);
        let record = TrailRecord::new(&PracticeId::new(GATEWAY_PRACTICE), by, "store.restored");
        let first = vec![trail.link(record.detail(Detail::default().say("reason", why.as_str())))];
        let restoring = submissions::restoring(&trail, first, by);
        let (_, mut reader) = Reader::open(&place)?;
        let source: dump::Source = Box::new(move || reader.next(sealer.as_ref()));
        let (rows, doubted) = dump::fill_and_doubt(store, source, restoring).await?;
        trail.begin_again(&why, by).await?;
        Ok(Restored { made_at: header.made_at, rows, doubted })
    }
}
