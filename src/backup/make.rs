//! Makes a backup of a store in use.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::file::{Header, Writer};
use super::{BackupError, KEY_TABLES};
use crate::failpoint;
use crate::practice::PracticeId;
use crate::store::dump::{self, Which};
use crate::store::{Store, StoreError};
use crate::trail::{Actor, Trail, TrailRecord};
use crate::vault::GATEWAY_PRACTICE;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Makes a backup at `place`, which must not exist. The gateway works on meanwhile; the backup is the store at one moment,
/// the record of the backup included.
///
/// # Errors
/// [`BackupError`]; nothing is left at the place then.
pub async fn make(store: &Store, trail: &Trail, place: &Path, by: &Actor) -> Result<Made, BackupError> {
    if trail.held().is_some() {
        return Err(BackupError::PutBack);
    }
    if place.exists() {
        return Err(BackupError::Exists { place: place.to_owned() });
    }
    trail.record(TrailRecord::new(&PracticeId::new(GATEWAY_PRACTICE), by, "store.backup")).await?;
    let keys = collect(store, Which::Gateways(KEY_TABLES)).await?;
    let header =
        Header { made_at: Timestamp::now(), schema: store.schema_version().await?, keys: STANDARD.encode(&keys) };
    let writer = Arc::new(Mutex::new(Some(Writer::begin(place, &header, trail.shared_sealer())?)));
    let taker = Arc::clone(&writer);
    let sink: dump::Sink = Box::new(move |piece| {
        failpoint::hit("backing_up");
        let mut writer = taker.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_mut().map_or(Err(StoreError::Closed), |writer| writer.take(piece))
    });
    let dumped = dump::dump(store, Which::AllBut(&[]), sink).await;
    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(StoreError::Closed)?;
    let rows = dumped.map_err(|error| writer.failure().unwrap_or(error.into()))?;
    // Pieces that a newer key has sealed would not open with the keys in the header.
    if collect(store, Which::Gateways(KEY_TABLES)).await? != keys {
        return Err(BackupError::KeysExchanged);
    }
    let place = place.to_owned();
    let finished = tokio::task::spawn_blocking(move || {
        writer.finish()?;
        Ok::<_, BackupError>(std::fs::metadata(&place).map_err(|error| BackupError::file(&place, &error))?.len())
    });
    let bytes = finished.await.map_err(|_| StoreError::Closed)??;
    Ok(Made { rows, bytes })
}

/// A small dump in memory.
async fn collect(store: &Store, which: Which) -> Result<Vec<u8>, StoreError> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let taker = Arc::clone(&collected);
    let sink: dump::Sink = Box::new(move |piece| {
        taker.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
        Ok(())
    });
    dump::dump(store, which, sink).await?;
    Ok(std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner)))
}
