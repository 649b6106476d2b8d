//! Why the vault did not do what it was asked. No secret and no length of one ever stands in an error.

use std::fmt;
use std::path::PathBuf;

use connector_sdk::{Error, ErrorKind};

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
            Self::Tampered => {
                "A stored credential does not open: it was changed, or moved from another place. Enter it again."
            }
            Self::Missing => "No credential is stored for this carrier. Enter one with `portico vault put`.",
            Self::Stopped => {
                "The credential is suspect: the carrier refused it, or nobody knows how its last sign-in ended. The practice admin signs in at the carrier's own page, then enters the new one or has this one tried once more."
            }
            Self::Disabled => {
                "The carrier refused the credential twice. It is disabled until the practice admin enters a new one."
            }
            Self::PersonWanted => {
                "The carrier shows a page that only a person may answer. The practice admin signs in at the carrier's own page, answers it, then has the credential tried once more."
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
            VaultError::PersonWanted => ErrorKind::NeedsPerson,
            VaultError::BadField { .. } => ErrorKind::RequestInvalid,
            VaultError::KeyFile { .. }
            | VaultError::NotInitialised
            | VaultError::AlreadyInitialised
            | VaultError::WrongKey
            | VaultError::Store(_) => ErrorKind::Internal,
        };
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::BadField { problem } => Error::new(kind, error.text()).fact("problem", problem),
            _ => Error::new(kind, error.text()),
        }
    }
}
