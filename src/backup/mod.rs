//! Backup and restore. A backup is the whole store at one moment, from either database, sealed under the vault's key: it
//! opens with what opens the vault (key file, passphrase or recovery code) and with nothing else, and is made while the
//! gateway works.
//!
//! **A restore is a hazard to submissions.** What was sent since the backup was made is not in it. So everything that may
//! have been sent since counts as unknown, nothing new is sent to any carrier until somebody says so for it, and
//! `submissions::holds` says what must be found out first.

mod file;
mod make;
mod restore;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use make::{Made, make};
pub use restore::{Backup, Closed, Restored};

use crate::store::{StoreError, dump};
use crate::vault::VaultError;

/// The tables whose rows are needed to open a backup; what they hold is wrapped.
const KEY_TABLES: &[&str] = &["vault_root", "vault_wrapping", "vault_key"];

/// Why a backup was not made or not restored.
#[derive(Debug)]
pub enum BackupError {
    /// Something stands at the backup's place already.
    Exists {
        /// Where.
        place: PathBuf,
    },
    /// A file cannot be read or written.
    File {
        /// Which.
        place: PathBuf,
        /// What the operating system says.
        kind: std::io::ErrorKind,
    },
    /// This file is no backup.
    NotOne {
        /// Which.
        place: PathBuf,
    },
    /// Another backup is being written there.
    UnderWay {
        /// Where.
        place: PathBuf,
    },
    /// The vault's keys were exchanged while the backup was made.
    KeysExchanged,
    /// The data was put back to an earlier state, and nobody has accepted that.
    PutBack,
    /// The backup was changed or cut.
    Damaged,
    /// The backup was made by a newer Portico.
    TooNew {
        /// The version of its tables.
        found: i64,
    },
    /// The backup was made by an older Portico whose tables this one cannot fill in.
    TooOld {
        /// The version of its tables.
        found: i64,
    },
    /// The store that should be filled is in use already.
    NotEmpty,
    /// What the vault says.
    Vault(VaultError),
    /// What the store says.
    Store(StoreError),
}

impl BackupError {
    fn file(place: &Path, error: &std::io::Error) -> Self {
        Self::File { place: place.to_owned(), kind: error.kind() }
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<VaultError> for BackupError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { place } => {
                write!(f, "{} exists already: name another file, or move it away.", place.display())
            }
            Self::File { place, kind } => write!(f, "{}: {kind}.", place.display()),
            Self::UnderWay { place } => write!(f, "{}: another backup is being written there.", place.display()),
            Self::KeysExchanged => f.write_str("The vault's keys were exchanged meanwhile: make the backup again."),
            Self::PutBack => f.write_str(
                "The data was put back to an earlier state: run `portico trail accept-rollback` before it is backed up.",
            ),
            Self::NotOne { place } => write!(f, "{} is no backup of Portico's.", place.display()),
            Self::Damaged => f.write_str("The backup was changed or cut: use another one."),
            Self::TooNew { found } => {
                write!(f, "The backup was made by a newer Portico (tables of version {found}): use that one.")
            }
            Self::TooOld { found } => write!(
                f,
                "The backup was made by an older Portico (tables of version {found}; this one reads {} and later): restore \
                 it with the version that made it, and then start this one on that data.",
                dump::OLDEST_SCHEMA
            ),
            Self::NotEmpty => f.write_str(
                "The store is in use already. Restore into an empty one: name another data_dir (or database), or move the old one away.",
            ),
            Self::Vault(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}
