//! Tables `vault_wrapping`, `vault_key` and `vault_rewrap`: the vault's keys, each wrapped by the one above it, and how
//! far a rotation has come.

use std::fmt;

use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// One way to the root key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappingRow {
    /// Which way: `key_file`, `passphrase` or `recovery`.
    pub way: String,
    /// The root key's version.
    pub root: i64,
    /// Salt of the slow hash; empty where there is none.
    pub salt: Vec<u8>,
    /// Memory of the slow hash, KiB; 0 where there is none.
    pub memory_kib: i64,
    /// Passes of the slow hash; 0 where there is none.
    pub passes: i64,
    /// The root key, wrapped.
    pub wrapped: Vec<u8>,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
    /// Code over all of it, by the first key.
    pub code: Vec<u8>,
}

impl fmt::Debug for WrappingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappingRow").field("way", &self.way).field("root", &self.root).finish_non_exhaustive()
    }
}

/// A practice's key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose.
    pub practice: PracticeId,
    /// Its number.
    pub id: i64,
    /// Version of the root key that wraps it.
    pub root: i64,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow").field("practice", &self.practice).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where re-wrapping has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The practice it is at.
    pub practice: String,
    /// Which kind of text it is at.
    pub kind: i64,
    /// The last place that was looked at; empty before the first.
    pub place: String,
    /// When the rotation began, in microseconds since 1970.
    pub begun_at: i64,
}

/// All that the vault needs in order to open.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Ways to the root key, by their names.
    pub wrappings: Vec<WrappingRow>,
    /// Practices' keys, by their numbers.
    pub keys: Vec<KeyRow>,
    /// A root key from before there were ways, wrapped by the key file's key.
    pub early: Option<Vec<u8>>,
}

/// What is to become of the keys, in one transaction.
#[derive(Debug, Default)]
pub struct Change {
    /// The root key's version before; 0 where there is none. The change is refused when it is another by now.
    pub root: i64,
    /// Ways to put in, each in the place of the one of the same name.
    pub wrappings: Vec<WrappingRow>,
    /// Ways to take away.
    pub drop_ways: Vec<String>,
    /// Keys to put in, each in the place of the one with the same number.
    pub keys: Vec<KeyRow>,
    /// Whether texts must be re-wrapped from the beginning from now on.
    pub rewrap_from: Option<i64>,
}

/// Everything, from one consistent state.
///
/// # Errors
/// What the store says.
pub async fn keys(store: &Store) -> Result<Keys, StoreError> {
    store.read(|sql| sql.consistent(keys_in)).await
}

fn keys_in(sql: &Sql<'_>) -> Result<Keys, StoreError> {
    let wrappings = sql.all(
        "SELECT way, root, salt, memory_kib, passes, wrapped, created_at, code FROM vault_wrapping ORDER BY way",
        &[],
        wrapping,
    )?;
    let keys = sql.all("SELECT practice, id, root, wrapped, created_at FROM vault_key ORDER BY id", &[], |row| {
        Ok(KeyRow {
            practice: PracticeId::new(row.get::<String>(0)?),
            id: row.get(1)?,
            root: row.get(2)?,
            wrapped: row.get(3)?,
            created_at: row.get(4)?,
        })
    })?;
    let early = sql.one("SELECT wrapped FROM vault_root WHERE version = 1", &[], |row| row.get(0))?;
    Ok(Keys { wrappings, keys, early })
}

fn wrapping(row: &Row<'_>) -> Result<WrappingRow, StoreError> {
    Ok(WrappingRow {
        way: row.get(0)?,
        root: row.get(1)?,
        salt: row.get(2)?,
        memory_kib: row.get(3)?,
        passes: row.get(4)?,
        wrapped: row.get(5)?,
        created_at: row.get(6)?,
        code: row.get(7)?,
    })
}

/// Changes keys and ways, and appends the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when the root key is another one by now, or a practice does not exist.
pub async fn change(store: &Store, change: Change, record: Append) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            let root = sql.one("SELECT coalesce(max(root), 0) FROM vault_wrapping", &[], |row| row.get::<i64>(0))?;
            if root != Some(change.root) {
                return Err(StoreError::Conflict);
            }
            for way in &change.drop_ways {
                sql.execute("DELETE FROM vault_wrapping WHERE way = ?1", values![way])?;
            }
            for row in &change.wrappings {
                put_wrapping(sql, row)?;
            }
            for row in &change.keys {
                put_key(sql, row)?;
            }
            sql.execute("DELETE FROM vault_root", &[])?;
            if let Some(at) = change.rewrap_from {
                sql.execute("DELETE FROM vault_rewrap", &[])?;
                sql.execute(
                    "INSERT INTO vault_rewrap(id, practice, kind, place, begun_at) VALUES (1, '', 0, '', ?1)",
                    values![at],
                )?;
            }
            append_in(sql, record).map(|_| ())
        })
        .await
}

fn put_wrapping(sql: &Sql<'_>, row: &WrappingRow) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO vault_wrapping(way, root, salt, memory_kib, passes, wrapped, created_at, code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT(way) DO UPDATE SET root = excluded.root, salt = excluded.salt, memory_kib = excluded.memory_kib,
           passes = excluded.passes, wrapped = excluded.wrapped, created_at = excluded.created_at,
           code = excluded.code",
        values![&row.way, row.root, &row.salt, row.memory_kib, row.passes, &row.wrapped, row.created_at, &row.code],
    )?;
    Ok(())
}

/// A number that another practice's key has is refused: it is never given twice.
fn put_key(sql: &Sql<'_>, row: &KeyRow) -> Result<(), StoreError> {
    let changed = sql.execute(
        "INSERT INTO vault_key(practice, id, root, wrapped, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT(id) DO UPDATE SET root = excluded.root, wrapped = excluded.wrapped
         WHERE vault_key.practice = excluded.practice AND vault_key.root < excluded.root",
        values![row.practice.as_str(), row.id, row.root, &row.wrapped, row.created_at],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Where re-wrapping has come to; `None` when there is nothing to re-wrap.
///
/// # Errors
/// What the store says.
pub async fn cursor(store: &Store) -> Result<Option<Cursor>, StoreError> {
    store
        .read(|sql| {
            sql.one("SELECT practice, kind, place, begun_at FROM vault_rewrap WHERE id = 1", &[], |row| {
                Ok(Cursor { practice: row.get(0)?, kind: row.get(1)?, place: row.get(2)?, begun_at: row.get(3)? })
            })
        })
        .await
}

/// Moves the cursor on, in the caller's transaction; not when another rotation has begun meanwhile.
pub(super) fn move_cursor(sql: &Sql<'_>, to: &Cursor) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE vault_rewrap SET practice = ?1, kind = ?2, place = ?3 WHERE id = 1 AND begun_at = ?4",
        values![&to.practice, to.kind, &to.place, to.begun_at],
    )?;
    Ok(())
}

/// Erases keys under which nothing stands any more and ends the rotation that began then, with its record. `false` when
/// something still stands under one of them, or another rotation has begun: nothing is erased then.
///
/// # Errors
/// What the store says.
pub async fn finish(
    store: &Store,
    gone: Vec<(i64, [u8; 5])>,
    begun_at: i64,
    record: Append,
) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            for (_, mark) in &gone {
                if super::rewrap::stands_in(sql, mark)? {
                    return Ok(false);
                }
            }
            let ended = sql.execute("DELETE FROM vault_rewrap WHERE begun_at = ?1", values![begun_at])?;
            if ended != 1 {
                return Ok(false);
            }
            for (id, _) in &gone {
                sql.execute("DELETE FROM vault_key WHERE id = ?1", values![*id])?;
            }
            append_in(sql, record)?;
            Ok(true)
        })
        .await
}
