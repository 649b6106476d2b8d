//! Tables `trail_key`, `trail_checkpoint` and `trail_packet`: what was signed about the trails.

use super::sql::{Row, values};
use super::trail::{Append, append_in, from_sql, to_sql};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// A key that signs checkpoints.
#[derive(Clone)]
pub struct TrailKeyRow {
    /// Its number; the newest one signs.
    pub n: u64,
    /// Its public half.
    pub public: [u8; 32],
    /// Its private half, sealed.
    pub sealed: Vec<u8>,
    /// How it was announced: signed by itself and by the key before.
    pub announcement: String,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Whose trail.
    pub practice: PracticeId,
    /// Which of the practice's logs.
    pub epoch: u64,
    /// How many records.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// When it was signed, in microseconds since 1970.
    pub at: i64,
}

/// An evidence packet that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketRow {
    /// Its id.
    pub id: String,
    /// Which of the practice's logs it shows.
    pub epoch: u64,
    /// Records in the trail that it shows.
    pub size: u64,
    /// SHA-256 of its list of files.
    pub digest: [u8; 32],
    /// When it was made, in microseconds since 1970.
    pub at: i64,
}

/// All signing keys, oldest first.
///
/// # Errors
/// What the store says.
pub async fn keys(store: &Store) -> Result<Vec<TrailKeyRow>, StoreError> {
    store
        .read(|sql| {
            sql.all("SELECT n, public, sealed, announcement, created_at FROM trail_key ORDER BY n", &[], |row| {
                Ok(TrailKeyRow {
                    n: from_sql(row.get(0)?),
                    public: row.get(1)?,
                    sealed: row.get(2)?,
                    announcement: row.get(3)?,
                    created_at: row.get(4)?,
                })
            })
        })
        .await
}

/// Adds a signing key, and the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one with this number.
pub async fn add_key(store: &Store, key: TrailKeyRow, record: Append) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO trail_key(n, public, sealed, announcement, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                values![to_sql(key.n)?, &key.public, &key.sealed, &key.announcement, key.created_at],
            )?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Stores signed checkpoints, and the records of them, in one transaction.
///
/// # Errors
/// What the store says.
pub async fn put(store: &Store, rows: Vec<CheckpointRow>, records: Vec<Append>) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            for row in rows {
                sql.execute(
                    "INSERT INTO trail_checkpoint(practice, epoch, size, note, at) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT(practice, epoch, size) DO NOTHING",
                    values![row.practice.as_str(), to_sql(row.epoch)?, to_sql(row.size)?, &row.note, row.at],
                )?;
            }
            records.into_iter().try_for_each(|record| append_in(sql, record).map(|_| ()))
        })
        .await
}

/// A practice's newest checkpoint that is not larger than `size`, in one of its logs.
///
/// # Errors
/// What the store says.
pub async fn last(
    store: &Store,
    practice: &PracticeId,
    epoch: u64,
    size: u64,
) -> Result<Option<CheckpointRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.one(
                "SELECT epoch, size, note, at FROM trail_checkpoint
                 WHERE practice = ?1 AND epoch = ?2 AND size <= ?3 ORDER BY size DESC LIMIT 1",
                values![practice.as_str(), to_sql(epoch)?, to_sql(size)?],
                |row| checkpoint(&practice, row),
            )
        })
        .await
}

/// All checkpoints of a practice, oldest first.
///
/// # Errors
/// What the store says.
pub async fn all(store: &Store, practice: &PracticeId) -> Result<Vec<CheckpointRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT epoch, size, note, at FROM trail_checkpoint WHERE practice = ?1 ORDER BY epoch, size",
                values![practice.as_str()],
                |row| checkpoint(&practice, row),
            )
        })
        .await
}

fn checkpoint(practice: &PracticeId, row: &Row<'_>) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow {
        practice: practice.clone(),
        epoch: from_sql(row.get(0)?),
        size: from_sql(row.get(1)?),
        note: row.get(2)?,
        at: row.get(3)?,
    })
}

/// Notes a packet that was made, with the record of it.
///
/// # Errors
/// What the store says.
pub async fn add_packet(
    store: &Store,
    practice: &PracticeId,
    packet: PacketRow,
    record: Append,
) -> Result<u64, StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO trail_packet(practice, id, epoch, size, digest, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                values![
                    practice.as_str(),
                    &packet.id,
                    to_sql(packet.epoch)?,
                    to_sql(packet.size)?,
                    &packet.digest,
                    packet.at
                ],
            )?;
            append_in(sql, record)
        })
        .await
}

/// A practice's packets, newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub async fn packets(store: &Store, practice: &PracticeId, limit: u32) -> Result<Vec<PacketRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT id, epoch, size, digest, at FROM trail_packet WHERE practice = ?1 ORDER BY at DESC LIMIT ?2",
                values![practice.as_str(), limit],
                |row| {
                    Ok(PacketRow {
                        id: row.get(0)?,
                        epoch: from_sql(row.get(1)?),
                        size: from_sql(row.get(2)?),
                        digest: row.get(3)?,
                        at: row.get(4)?,
                    })
                },
            )
        })
        .await
}
