//! SQLite: the embedded database, one file in the data directory.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use super::error::StoreError;
use super::sql::{Database, Fields, Kind, Sql, Value, Visit, column, values};

/// How long SQLite waits for a lock of its own (a backup tool that reads along).
const BUSY: Duration = Duration::from_secs(5);
/// Pages written (4 KiB each) after which the write-ahead log is folded into the database. That makes one group of
/// writes wait for two more syncs: with SQLite's 1,000, one live question in eighty waited for it.
const CHECKPOINT_PAGES: i64 = 8_000;
/// The write-ahead log is cut back to this many bytes after a checkpoint.
const WAL_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// How far a store syncs.
#[derive(Clone, Copy)]
pub(super) enum Sync {
    /// Each commit reaches the disk (`synchronous=FULL`): with `NORMAL`, WAL may lose the last commits on power loss.
    Full,
    /// Never: the directory is thrown away anyway.
    Off,
}

/// One connection.
pub(super) struct Sqlite(Connection);

impl Sqlite {
    /// The connection that writes. The file exists already.
    pub(super) fn writing(path: &Path, sync: Sync) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match sync {
            Sync::Full => "FULL",
            Sync::Off => "OFF",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Or `INSERT OR REPLACE` would pass by the triggers that keep the trail append-only.
        connection.pragma_update(None, "recursive_triggers", true)?;
        // Functions hidden in a tampered schema do not run.
        connection.pragma_update(None, "trusted_schema", false)?;
        // A replaced credential is overwritten with zeros, sealed or not.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(Self(connection))
    }

    /// A connection that can only read.
    pub(super) fn reading(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(Self(connection))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null(_) => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl Fields for rusqlite::Row<'_> {
    fn field(&self, index: usize) -> Result<Value<'_>, StoreError> {
        Ok(match self.get_ref(index)? {
            ValueRef::Null => Value::Null(Kind::Text),
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Blob(value) => Value::Bytes(value),
            ValueRef::Text(value) => Value::Text(
                std::str::from_utf8(value).map_err(|_| StoreError::Damaged { what: "a text is not UTF-8" })?,
            ),
            ValueRef::Real(_) => return Err(StoreError::Damaged { what: "a column holds another kind of value" }),
        })
    }
}

impl Database for Sqlite {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        Ok(self.0.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?)
    }

    fn query(&self, sql: &str, values: &[Value<'_>], visit: Visit<'_>) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !visit(row)? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
        Sql(self).all(sql, &[], |row| row.get(0))
    }

    fn columns(&self, table: &str) -> Result<Vec<(String, Kind)>, StoreError> {
        // Generated columns are hidden.
        let sql = "SELECT name, type FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
        Sql(self).all(sql, values![table], column)
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn begin_reading(&self) -> Result<(), StoreError> {
        self.batch("BEGIN")
    }

    fn in_transaction(&self) -> bool {
        !self.0.is_autocommit()
    }
}
