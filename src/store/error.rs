//! What can go wrong with the store, told by what it means for the caller. No value of a row ever stands in an error.

use std::fmt;
use std::path::PathBuf;

use connector_sdk::{Error, ErrorKind};
use rusqlite::ffi;

/// Why the store could not be opened, or did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Another process uses the data directory.
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process uses the PostgreSQL database.
    DatabaseTaken,
    /// The database was written by a newer Portico.
    TooNew {
        /// The schema version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// A file or directory could not be made, opened or given its permissions.
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        kind: std::io::ErrorKind,
    },
    /// The disk is full. Nothing of this write was kept; a later one succeeds once there is room.
    DiskFull,
    /// The disk failed. Nothing of this write was acknowledged.
    Disk {
        /// SQLite's extended result code.
        code: i32,
    },
    /// A sync to the disk failed once. What the disk holds is uncertain from then on, so that the store takes no more
    /// writes until the process is started again.
    SyncFailed,
    /// The database file is damaged, or a record does not prove itself.
    Damaged {
        /// What does not hold, in fixed words.
        what: &'static str,
    },
    /// The write contradicts what is stored (a second row with the same key, a practice that does not exist).
    Conflict,
    /// The store is being closed.
    Closed,
    /// The PostgreSQL server cannot be reached, or the connection to it broke. Nothing of this write was acknowledged;
    /// a later one succeeds once the server is back.
    Unreachable,
    /// Another process has had the database since this one lost its connection: what this one remembers is no longer
    /// true, so that it writes nothing more until it is started again.
    TakenOver,
    /// PostgreSQL refused for another reason: a fault of ours, or of its set-up.
    Postgres {
        /// SQLSTATE, five characters; empty when there is none.
        state: String,
    },
    /// SQLite refused for another reason: a fault of ours.
    Sqlite {
        /// SQLite's extended result code; 0 when there is none.
        code: i32,
    },
}

impl StoreError {
    /// Whether nothing can be written now, or something is wrong with us or the data.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::DiskFull
            | Self::Disk { .. }
            | Self::SyncFailed
            | Self::Unreachable
            | Self::TakenOver
            | Self::Closed => ErrorKind::NotKept,
            Self::Locked { .. }
            | Self::DatabaseTaken
            | Self::TooNew { .. }
            | Self::File { .. }
            | Self::Damaged { .. }
            | Self::Conflict
            | Self::Postgres { .. }
            | Self::Sqlite { .. } => ErrorKind::Internal,
        }
    }

    /// The fixed sentence for people.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "Another Portico process uses this data directory.",
            Self::DatabaseTaken => "Another Portico process uses this PostgreSQL database. Stop it first.",
            Self::TooNew { .. } => "The database was written by a newer version of Portico.",
            Self::File { .. } => "A file of the data directory cannot be used.",
            Self::DiskFull => "The gateway's disk is full: nothing new can be accepted until there is room.",
            Self::Disk { .. } => "The gateway's disk failed: nothing new can be accepted.",
            Self::SyncFailed => {
                "The gateway's disk failed to keep what was written: nothing new is accepted until it is restarted."
            }
            Self::Damaged { .. } => "The gateway's database is damaged.",
            Self::Conflict => "This contradicts what is already stored.",
            Self::Closed => "The gateway is shutting down.",
            Self::Unreachable => "The gateway's PostgreSQL server cannot be reached: nothing new can be accepted.",
            Self::TakenOver => {
                "Another Portico process took over the database: this one accepts nothing until it is restarted."
            }
            Self::Sqlite { .. } | Self::Postgres { .. } => "The gateway's database refused a statement.",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        match self {
            Self::Locked { dir } => {
                write!(f, " Stop it first, or use another data_dir than {}.", dir.display())
            }
            Self::TooNew { found, known } => {
                write!(f, " Its schema is {found}, this program knows up to {known}. Use the newer program.")
            }
            Self::File { path, kind } => write!(f, " {}: {kind}.", path.display()),
            Self::Disk { code } | Self::Sqlite { code } => write!(f, " (SQLite code {code})"),
            Self::Damaged { what } => write!(f, " ({what})"),
            Self::Postgres { state } => write!(f, " (SQLSTATE {state})"),
            Self::DiskFull
            | Self::SyncFailed
            | Self::Conflict
            | Self::Closed
            | Self::Unreachable
            | Self::DatabaseTaken
            | Self::TakenOver => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => from_code(failure.extended_code),
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => {
                Self::Damaged { what: "a column holds another kind of value" }
            }
            _ => Self::Sqlite { code: 0 },
        }
    }
}

/// SQLite's own list of codes: <https://sqlite.org/rescode.html>.
fn from_code(code: i32) -> StoreError {
    match code {
        // After a failed fsync the kernel may have dropped the dirty pages: a later success proves nothing.
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => StoreError::SyncFailed,
        _ => match code & 0xff {
            ffi::SQLITE_FULL => StoreError::DiskFull,
            ffi::SQLITE_IOERR | ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN => StoreError::Disk { code },
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => StoreError::Damaged { what: "the database file" },
            ffi::SQLITE_CONSTRAINT => StoreError::Conflict,
            _ => StoreError::Sqlite { code },
        },
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let mapped = Error::new(error.kind(), error.text());
        match error {
            StoreError::Disk { code } | StoreError::Sqlite { code } => mapped.fact("sqlite_code", code),
            StoreError::Damaged { what } => mapped.fact("what", what),
            _ => mapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_what_they_mean() {
        assert_eq!(from_code(ffi::SQLITE_FULL), StoreError::DiskFull);
        assert_eq!(from_code(ffi::SQLITE_IOERR_FSYNC), StoreError::SyncFailed);
        assert_eq!(from_code(ffi::SQLITE_IOERR_WRITE), StoreError::Disk { code: ffi::SQLITE_IOERR_WRITE });
        assert_eq!(from_code(ffi::SQLITE_CONSTRAINT_UNIQUE), StoreError::Conflict);
        assert_eq!(from_code(ffi::SQLITE_CORRUPT), StoreError::Damaged { what: "the database file" });
        assert_eq!(from_code(ffi::SQLITE_MISUSE), StoreError::Sqlite { code: ffi::SQLITE_MISUSE });
    }
}
