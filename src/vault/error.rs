//! Why the vault did not do what it was asked. No secret and no length of one ever stands in an error.

use std::fmt;
use std::path::PathBuf;

use connector_sdk::{Error, ErrorKind};

use super::ways::Way;
use crate::store::StoreError;
use crate::trail::SealBroken;

/// What can go wrong with the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultError {
    /// The key file cannot be used.
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// Why, in fixed words.
        problem: &'static str,
    },
    /// There is no root key in the data directory yet.
    NotInitialised,
    /// There is one already.
    AlreadyInitialised,
    /// The key file is not the one this data directory was made with.
    WrongKey,
    /// The passphrase or the recovery code is not this vault's.
    WrongSecret,
    /// The vault is sealed: nothing is opened until a person unseals it.
    Sealed,
    /// This vault is not opened by this way.
    NoSuchWay {
        /// Which way.
        way: Way,
    },
    /// A root key cannot be exchanged without all ways that open it.
    WaysMissing {
        /// Those that are missing.
        ways: Vec<Way>,
    },
    /// The vault would have no way left but the recovery code.
    LastWay,
    /// A passphrase or a recovery code that cannot be one.
    BadSecret {
        /// Why, in fixed words.
        problem: &'static str,
    },
    /// A group of a recovery code is mistyped.
    BadRecoveryGroup {
        /// Which one, counted from 1.
        group: usize,
    },
    /// A way to the root key was changed in the store.
    WayBroken {
        /// Which one.
        way: String,
    },
    /// A stored key does not open: it was changed, moved or erased.
    KeyBroken {
        /// Its number.
        id: i64,
    },
    /// A sealed value does not open: it was changed, or moved from another place.
    Tampered,
    /// The practice has no credential for this carrier.
    Missing,
    /// The credential is suspect: a login failed, or nobody knows how one ended.
    Stopped,
    /// The credential was refused once more when a person had it tried.
    Disabled,
    /// The carrier shows a page that only a person may answer.
    PersonWanted,
    /// The carrier asks something of a person at the sign-in, and has no answer that it takes.
    AnswerWanted,
    /// The carrier file lists a host that was not there when the credential was entered.
    OriginsChanged,
    /// There is no such practice.
    NoSuchPractice,
    /// A value that cannot be a credential's.
    BadField {
        /// Why, in fixed words.
        problem: &'static str,
    },
    /// What the store says.
    Store(StoreError),
}

impl VaultError {
    /// The fixed sentence for people.
    pub fn text(&self) -> &'static str {
        match self {
            Self::KeyFile { .. } => "The vault's key file cannot be used.",
            Self::NotInitialised => "The vault has no key yet: run `portico vault init`.",
            Self::AlreadyInitialised => "The vault has a key already; it is never replaced by another.",
            Self::WrongKey => "This key file is not the one that the data directory was made with.",
            Self::WrongSecret => "This passphrase or recovery code does not open the vault.",
            Self::Sealed => {
                "The vault is sealed: whoever runs the gateway unseals it with `portico vault unseal`. Nothing is opened or sent until then."
            }
            Self::NoSuchWay { .. } => "This vault is not opened that way.",
            Self::WaysMissing { .. } => "The root key can only be exchanged together with every way that opens it.",
            Self::LastWay => {
                "This is the last way to unseal the vault without the recovery code: set another one first."
            }
            Self::BadSecret { .. } => "This cannot be taken.",
            Self::BadRecoveryGroup { .. } => "The recovery code is mistyped.",
            Self::WayBroken { .. } => {
                "What is stored for a way to unseal the vault was changed, erased, or put back to an earlier state. Set it anew with `portico vault rotate`; where an earlier state was put back, exchange the root key, too."
            }
            Self::KeyBroken { .. } => {
                "A stored key of the vault does not open, or is one that was erased before: it was changed, moved, erased or put back. Restore the data from a backup."
            }
            Self::Tampered => {
                "A stored credential does not open: it was changed, or moved from another place. Enter it again."
            }
            Self::Missing => "No credential is stored for this carrier. Enter one with `portico vault put`.",
            Self::Stopped => {
                "The credential is suspect: the carrier refused it, nobody knows how its last sign-in ended, or the data was put back since. The practice admin signs in at the carrier's own page, then enters the new one or has this one tried once more."
            }
            Self::Disabled => {
                "The carrier refused the credential twice. It is disabled until the practice admin enters a new one."
            }
            Self::PersonWanted => {
                "The carrier shows a page that only a person may answer. The practice admin signs in at the carrier's own page, answers it, then has the credential tried once more."
            }
            Self::AnswerWanted => {
                "The carrier asks something of a person at the sign-in, and has no answer that it takes. Somebody who can starts the sign-in again from its task (GET /v1/tasks), or the practice admin has the credential tried once more."
            }
            Self::OriginsChanged => {
                "The carrier's file lists a host that was not there when the credential was entered. Enter the credential again to allow that host."
            }
            Self::NoSuchPractice => "There is no such practice.",
            Self::BadField { .. } => "A field of the credential cannot be stored.",
            Self::Store(error) => error.text(),
        }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "{error}"),
            Self::KeyFile { path, problem } => write!(f, "{} {}: {problem}.", self.text(), path.display()),
            Self::BadField { problem } => write!(f, "{} ({problem})", self.text()),
            Self::NoSuchWay { way } => write!(f, "{} It has no {}.", self.text(), way.name()),
            Self::WaysMissing { ways } => {
                let names: Vec<&str> = ways.iter().map(|way| way.name()).collect();
                write!(f, "{} Missing: {}.", self.text(), names.join(", "))
            }
            Self::BadSecret { problem } => write!(f, "{} ({problem})", self.text()),
            Self::BadRecoveryGroup { group } => write!(f, "{} Look at group {group}.", self.text()),
            Self::WayBroken { way } => write!(f, "{} ({way})", self.text()),
            Self::KeyBroken { id } => write!(f, "{} (key {id})", self.text()),
            _ => f.write_str(self.text()),
        }
    }
}

impl std::error::Error for VaultError {}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SealBroken> for VaultError {
    fn from(SealBroken: SealBroken) -> Self {
        Self::Tampered
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        let kind = match &error {
            VaultError::Missing | VaultError::OriginsChanged | VaultError::Tampered | VaultError::NoSuchPractice => {
                ErrorKind::CredentialMissing
            }
            VaultError::Stopped | VaultError::Disabled => ErrorKind::CredentialRejected,
            VaultError::PersonWanted | VaultError::AnswerWanted => ErrorKind::NeedsPerson,
            VaultError::BadField { .. }
            | VaultError::NoSuchWay { .. }
            | VaultError::WaysMissing { .. }
            | VaultError::LastWay
            | VaultError::BadSecret { .. }
            | VaultError::BadRecoveryGroup { .. } => ErrorKind::RequestInvalid,
            VaultError::KeyFile { .. }
            | VaultError::WrongSecret
            | VaultError::Sealed
            | VaultError::WayBroken { .. }
            | VaultError::KeyBroken { .. }
            | VaultError::NotInitialised
            | VaultError::AlreadyInitialised
            | VaultError::WrongKey => ErrorKind::Internal,
            VaultError::Store(error) => error.kind(),
        };
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::BadField { problem } => Error::new(kind, error.text()).fact("problem", problem),
            _ => Error::new(kind, error.text()),
        }
    }
}
