//! The ways to the root key: each wraps the same root key under a key of its own, and any one of them opens the vault.

use std::fmt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::error::VaultError;
use super::keyring::Keyring;
use super::sealing::{KEY_BYTES, KeyBytes, SealingKey, random};
use super::{key_file, recovery};
use crate::store::vault::WrappingRow;
use crate::trail::{Purpose, SealBroken, bind};

/// Memory of the slow hash, KiB: 64 MiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes of the slow hash.
const PASSES: u32 = 3;
/// What a stored row may ask for at most: a changed row must not take the machine's memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
/// Bytes of a row's code that a record tells. A record's subject has room for those of three ways.
const TOLD_BYTES: usize = 6;
const SALT_BYTES: usize = 16;
/// Shortest passphrase, characters.
const PASSPHRASE_CHARS_MIN: usize = 12;
/// Longest passphrase, bytes.
const PASSPHRASE_BYTES_MAX: usize = 1024;

/// A way to unseal the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A file outside the data directory: the gateway starts by itself.
    KeyFile,
    /// A person types it after every start.
    Passphrase,
    /// The code on paper, for when the other ways are lost.
    Recovery,
}

impl Way {
    /// All ways.
    pub const ALL: [Way; 3] = [Self::KeyFile, Self::Passphrase, Self::Recovery];

    /// The word for it in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::KeyFile => "key_file",
            Self::Passphrase => "passphrase",
            Self::Recovery => "recovery",
        }
    }

    /// The words for it in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "key file",
            Self::Passphrase => "passphrase",
            Self::Recovery => "recovery code",
        }
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }
}

/// What opens the root key by one of the ways.
#[derive(Clone)]
pub enum Opener {
    /// The file's place.
    KeyFile(PathBuf),
    /// What a person typed.
    Passphrase(Zeroizing<String>),
    /// The code as it was copied from paper.
    Recovery(Zeroizing<String>),
}

impl fmt::Debug for Opener {
    /// The way alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.way().fmt(f)
    }
}

impl Opener {
    /// By which way.
    pub fn way(&self) -> Way {
        match self {
            Self::KeyFile(_) => Way::KeyFile,
            Self::Passphrase(_) => Way::Passphrase,
            Self::Recovery(_) => Way::Recovery,
        }
    }
}

/// Refuses a passphrase that is too short to be one.
///
/// # Errors
/// [`VaultError::BadSecret`].
pub fn check_passphrase(passphrase: &str) -> Result<(), VaultError> {
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(VaultError::BadSecret {
            problem: "a passphrase has twelve characters or more; four random words are good",
        });
    }
    if passphrase.len() > PASSPHRASE_BYTES_MAX {
        return Err(VaultError::BadSecret { problem: "a passphrase has 1024 bytes at most" });
    }
    Ok(())
}

/// A key that may wrap a root key, and what must be stored in order to make it again.
pub(super) struct Wrapping {
    way: Way,
    key: KeyBytes,
    salt: Vec<u8>,
    memory_kib: u32,
    passes: u32,
}

impl Wrapping {
    /// A wrapping by a key that needs no slow hash.
    pub(super) fn by_key(way: Way, key: KeyBytes) -> Self {
        Self { way, key, salt: Vec::new(), memory_kib: 0, passes: 0 }
    }

    /// A new wrapping by what somebody knows. The slow hash takes a tenth of a second and 64 MiB.
    pub(super) async fn by_secret(opener: &Opener) -> Result<Self, VaultError> {
        match opener {
            Opener::Recovery(code) => Ok(Self::by_key(Way::Recovery, recovery::key(code)?)),
            Opener::Passphrase(passphrase) => {
                check_passphrase(passphrase)?;
                let salt = random::<SALT_BYTES>()?.to_vec();
                let key = slow_hash(passphrase.clone(), salt.clone(), MEMORY_KIB, PASSES).await?;
                Ok(Self { way: Way::Passphrase, key, salt, memory_kib: MEMORY_KIB, passes: PASSES })
            }
            Opener::KeyFile(_) => Err(VaultError::BadSecret { problem: "a key file is made, not typed" }),
        }
    }

    /// The row that keeps the root key.
    pub(super) fn wrap(&self, ring: &Keyring, at: i64) -> Result<WrappingRow, SealBroken> {
        let mut row = WrappingRow {
            way: self.way.word().to_owned(),
            root: ring.version,
            salt: self.salt.clone(),
            memory_kib: self.memory_kib.into(),
            passes: self.passes.into(),
            wrapped: Vec::new(),
            created_at: at,
            code: Vec::new(),
        };
        row.wrapped = SealingKey::new(&self.key).seal(&bound_to(&row), ring.root().as_ref())?;
        row.code = code(ring, &row)?.to_vec();
        Ok(row)
    }

    /// The key itself.
    pub(super) fn key(&self) -> &KeyBytes {
        &self.key
    }
}

/// Everything of the row but the wrapped key: a row that is changed anywhere does not open.
fn bound_to(row: &WrappingRow) -> Vec<u8> {
    bind(&[
        b"wrapping v1",
        row.way.as_bytes(),
        &row.root.to_be_bytes(),
        &row.salt,
        &row.memory_kib.to_be_bytes(),
        &row.passes.to_be_bytes(),
        &row.created_at.to_be_bytes(),
    ])
}

fn code(ring: &Keyring, row: &WrappingRow) -> Result<[u8; 32], SealBroken> {
    ring.mac(Purpose::Credentials, &bind(&[b"wrapping row v1", &bound_to(row), &row.wrapped]))
}

/// Ways with the beginnings of their rows' codes, as a record tells of them: an older row of the same way is another one.
pub(super) fn told(rows: &[WrappingRow]) -> String {
    let one = |row: &WrappingRow| {
        row.code.iter().take(TOLD_BYTES).fold(format!("{}-", row.way), |text, byte| format!("{text}{byte:02x}"))
    };
    rows.iter().map(one).collect::<Vec<_>>().join(".")
}

/// Whether nobody changed the row: an open vault can tell without the secret that opens it.
pub(super) fn is_ours(ring: &Keyring, row: &WrappingRow) -> bool {
    row.root == ring.version && code(ring, row).is_ok_and(|code| code.as_slice().ct_eq(&row.code).into())
}

/// The root key, and what wrapped it: so that a key file can go on wrapping.
pub(super) async fn open(
    row: &WrappingRow,
    opener: &Opener,
    data_dir: &Path,
) -> Result<(KeyBytes, Wrapping), VaultError> {
    let keys = match opener {
        Opener::KeyFile(path) => key_file::read(path, data_dir)?,
        Opener::Recovery(code) => vec![recovery::key(code)?],
        Opener::Passphrase(passphrase) => {
            let number = |stored: i64, most: u32| u32::try_from(stored).ok().filter(|number| *number <= most);
            let memory = number(row.memory_kib, MEMORY_KIB_MAX).ok_or(VaultError::WrongSecret)?;
            let passes = number(row.passes, PASSES_MAX).ok_or(VaultError::WrongSecret)?;
            vec![slow_hash(passphrase.clone(), row.salt.clone(), memory, passes).await?]
        }
    };
    for key in keys {
        if let Ok(root) = SealingKey::new(&key).open_key(&bound_to(row), &row.wrapped) {
            return Ok((root, Wrapping::by_key(opener.way(), key)));
        }
    }
    Err(if opener.way() == Way::KeyFile { VaultError::WrongKey } else { VaultError::WrongSecret })
}

/// Argon2id (RFC 9106), off the threads that serve requests; its memory is wiped.
async fn slow_hash(
    passphrase: Zeroizing<String>,
    salt: Vec<u8>,
    memory_kib: u32,
    passes: u32,
) -> Result<KeyBytes, VaultError> {
    let work = move || {
        let params = Params::new(memory_kib, passes, 1, Some(KEY_BYTES)).map_err(|_| VaultError::WrongSecret)?;
        let mut memory = vec![Block::default(); params.block_count()];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done = hash.hash_password_into_with_memory(passphrase.as_bytes(), &salt, key.as_mut(), &mut memory);
        memory.iter_mut().for_each(Zeroize::zeroize);
        done.map_err(|_| VaultError::WrongSecret).map(|()| key)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| VaultError::WrongSecret)?
}
