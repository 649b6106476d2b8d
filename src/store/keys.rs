//! Tables `practice` and `api_key`.

use super::sql::{Row, values};
use super::trail::{Append, append_in, change_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// A practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeRow {
    /// Its id.
    pub id: PracticeId,
    /// What people call it.
    pub name: String,
}

/// An API key: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub practice: PracticeId,
    /// What it is for, in its owner's words.
    pub label: String,
    /// What it may do: words separated by spaces.
    pub scopes: String,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// Adds the practice, or renames it.
///
/// # Errors
/// What the store says.
pub async fn ensure_practice(store: &Store, practice: PracticeRow, at: i64) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO practice(id, name, created_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT(id) DO UPDATE SET name = excluded.name",
                values![practice.id.as_str(), &practice.name, at],
            )?;
            Ok(())
        })
        .await
}

/// All practices, the gateway's own one included. For whoever runs the gateway, never for a caller of the API.
///
/// # Errors
/// What the store says.
pub async fn practices(store: &Store) -> Result<Vec<PracticeRow>, StoreError> {
    store
        .read(|sql| {
            sql.all("SELECT id, name FROM practice ORDER BY id", &[], |row| {
                Ok(PracticeRow { id: PracticeId::new(row.get::<String>(0)?), name: row.get(1)? })
            })
        })
        .await
}

/// Adds a key, and the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice does not exist.
pub async fn add(store: &Store, key: KeyRow, hash: [u8; 32], record: Append) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO api_key(id, practice, label, scopes, hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                values![&key.id, key.practice.as_str(), &key.label, &key.scopes, &hash, key.created_at],
            )?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// The key with this hash, and the hash as it is stored. The one query that *finds* the practice: the key names it.
///
/// # Errors
/// What the store says.
pub async fn by_hash(store: &Store, hash: [u8; 32]) -> Result<Option<(KeyRow, [u8; 32])>, StoreError> {
    store
        .read(move |sql| {
            sql.one(
                "SELECT id, practice, label, scopes, created_at, revoked_at, hash FROM api_key WHERE hash = ?1",
                values![&hash],
                |row| Ok((key_row(row)?, row.get(6)?)),
            )
        })
        .await
}

/// A practice's keys, oldest first.
///
/// # Errors
/// What the store says.
pub async fn list(store: &Store, practice: &PracticeId) -> Result<Vec<KeyRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT id, practice, label, scopes, created_at, revoked_at FROM api_key
                 WHERE practice = ?1 ORDER BY created_at, id",
                values![practice.as_str()],
                key_row,
            )
        })
        .await
}

/// Revokes a key of the practice; `false` when it has no such key, or it was revoked before.
///
/// # Errors
/// What the store says.
pub async fn revoke(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    at: i64,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "UPDATE api_key SET revoked_at = ?3 WHERE practice = ?1 AND id = ?2 AND revoked_at IS NULL",
                values![practice.as_str(), &id, at],
                record,
            )
        })
        .await
}

fn key_row(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.get(0)?,
        practice: PracticeId::new(row.get::<String>(1)?),
        label: row.get(2)?,
        scopes: row.get(3)?,
        created_at: row.get(4)?,
        revoked_at: row.get(5)?,
    })
}
