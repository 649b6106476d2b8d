//! Passwords: argon2id (RFC 9106) with 19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat
//! sheet. One hash takes tens of milliseconds and 19 MiB, so that at most two run at a time, on threads that may block,
//! and only so many wait: a flood of sign-ins costs neither the memory nor the cores of the questions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use connector_sdk::ask::FieldProblem;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::token;
use crate::store::StoreError;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
/// First byte of a stored hash: which of the parameters above made it.
const VERSION: u8 = 1;
/// Hashes at the same time.
const AT_ONCE: usize = 2;
/// Sign-ins from browsers that nobody knows which may wait for a hash.
const STRANGERS_WAIT_MAX: usize = 16;
/// All that may wait, people on known browsers and with work in hand included.
const WAIT_MAX: usize = 64;

/// Fewest characters of a new password. NIST SP 800-63B asks for 8 with a second factor, 15 without.
pub const CHARS_MIN: usize = 12;
/// Longest password, bytes.
pub const BYTES_MAX: usize = 1024;

/// Whose hash it is, for who goes first when many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody on a browser that was used before, or with a session or an invitation.
    Known,
    /// Anybody.
    Stranger,
}

/// Hashes and checks passwords.
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    done: AtomicU64,
}

impl Passwords {
    pub(super) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0), done: AtomicU64::new(0) }
    }

    /// What is to be sealed and kept of a new password.
    ///
    /// # Errors
    /// [`Declined::Busy`], or what the store says of random numbers.
    pub(super) async fn hash(&self, password: &Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, Declined> {
        let salt = *token::random::<SALT_BYTES>()?;
        let tag = self.run(password.clone(), salt, Who::Known).await?;
        let mut kept = Zeroizing::new(Vec::with_capacity(1 + SALT_BYTES + TAG_BYTES));
        kept.push(VERSION);
        kept.extend_from_slice(&salt);
        kept.extend_from_slice(tag.as_ref());
        Ok(kept)
    }

    /// Whether `password` is the one that `kept` was made of. Takes as long where nothing is kept: how long an answer
    /// takes does not tell whether there is such an account.
    ///
    /// # Errors
    /// [`Declined::Busy`].
    pub(super) async fn verify(
        &self,
        password: &Zeroizing<String>,
        kept: Option<&[u8]>,
        who: Who,
    ) -> Result<bool, Declined> {
        let (known, salt, tag) = match kept.and_then(split) {
            Some((salt, tag)) => (true, salt, tag),
            None => (false, [0; SALT_BYTES], [0; TAG_BYTES]),
        };
        let made = self.run(password.clone(), salt, who).await?;
        Ok(bool::from(made.ct_eq(&tag)) & known)
    }

    /// Hashes made so far. A sign-in makes one, whether or not there is such an account.
    #[cfg(test)]
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    async fn run(
        &self,
        password: Zeroizing<String>,
        salt: [u8; SALT_BYTES],
        who: Who,
    ) -> Result<Zeroizing<[u8; TAG_BYTES]>, Declined> {
        let most = if who == Who::Known { WAIT_MAX } else { STRANGERS_WAIT_MAX };
        let _waiting = Waiting::enter(&self.waiting, most).ok_or(Declined::Busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Declined::Busy)?;
        self.done.fetch_add(1, Ordering::Relaxed);
        let made = tokio::task::spawn_blocking(move || {
            // The place is held by the work, not by who waits for it: somebody who hangs up frees no memory.
            let _place = place;
            let mut tag = Zeroizing::new([0; TAG_BYTES]);
            let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(TAG_BYTES))?;
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                password.as_bytes(),
                &salt,
                tag.as_mut(),
            )?;
            Ok::<_, argon2::Error>(tag)
        });
        match made.await {
            Ok(Ok(tag)) => Ok(tag),
            Ok(Err(_)) | Err(_) => Err(Declined::Store(StoreError::Damaged { what: "a password cannot be hashed" })),
        }
    }
}

/// One who waits or is served; gone when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        if count.fetch_add(1, Ordering::AcqRel) >= most {
            count.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn split(kept: &[u8]) -> Option<([u8; SALT_BYTES], [u8; TAG_BYTES])> {
    let (version, rest) = kept.split_first()?;
    let (salt, tag) = rest.split_at_checked(SALT_BYTES)?;
    if *version != VERSION {
        return None;
    }
    Some((salt.try_into().ok()?, tag.try_into().ok()?))
}

/// What is wrong with a new password; no message repeats it.
pub(super) fn problems(path: &str, password: &str, email: &str) -> Vec<FieldProblem> {
    let mut found = Vec::new();
    let mut say = |message: String| found.push(FieldProblem::new(path, message));
    if password.chars().count() < CHARS_MIN {
        say(format!("A password has {CHARS_MIN} characters at least; a few words that you remember will do."));
    }
    if password.len() > BYTES_MAX {
        say(format!("A password has {BYTES_MAX} bytes at most."));
    }
    let lower = password.to_lowercase();
    let own = email.split('@').next().unwrap_or_default();
    if lower.contains("password") || lower.contains("portico") || (own.len() >= 4 && lower.contains(own)) {
        say("A password does not hold the word password, the product's name or your own address.".to_owned());
    }
    let mut letters: Vec<char> = lower.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if !password.is_empty() && letters.len() < 5 {
        say("A password has five different characters at least.".to_owned());
    }
    found
}
