//! What the trail asks of whoever holds the keys. The vault is the one that does; the trail stands below it and only
//! names what it needs.

use std::fmt;

use connector_sdk::BoxFuture;

use crate::practice::PracticeId;
use crate::store::StoreError;

/// What a key is for. A sealed text opens only under the purpose it was sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Credentials of practices.
    Credentials,
    /// What was exchanged with a carrier.
    Evidence,
    /// Stored answers.
    Answers,
    /// Keys and values of the answer cache.
    Cache,
    /// The ends of the trail's chains, and the keys that sign checkpoints.
    Trail,
    /// What deliveries of events are signed with.
    Webhooks,
    /// People's passwords and one-time code seeds, practices' profiles.
    Identity,
    /// What is submitted: asks, the bytes of attempts, reasons.
    Submissions,
    /// What records of the trail commit to.
    Details,
    /// Patients, and their visits.
    Patients,
    /// Backups.
    Backup,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Purpose; 11] = [
        Self::Credentials,
        Self::Evidence,
        Self::Answers,
        Self::Cache,
        Self::Trail,
        Self::Webhooks,
        Self::Identity,
        Self::Submissions,
        Self::Details,
        Self::Patients,
        Self::Backup,
    ];

    /// The word that goes into the derivation of its key. Never changed: it would make what is stored unreadable.
    pub fn word(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Evidence => "evidence",
            Self::Answers => "answers",
            Self::Cache => "cache",
            Self::Trail => "trail",
            Self::Webhooks => "webhooks",
            Self::Identity => "identity",
            Self::Submissions => "submissions",
            Self::Details => "details",
            Self::Patients => "patients",
            Self::Backup => "backup",
        }
    }
}

/// A sealed text does not open: it was changed, moved, or sealed by another key. Says no more, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealBroken;

impl fmt::Display for SealBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A sealed text does not open: it was changed, moved, or sealed by another key.")
    }
}

impl std::error::Error for SealBroken {}

/// Seals, opens and authenticates.
pub trait Sealer: Send + Sync {
    /// Seals `plain` for a purpose under the gateway's own key; it opens only with the same `bound_to` (see [`bind`]). For
    /// what belongs to a practice there is [`Sealer::seal_for`].
    ///
    /// # Errors
    /// [`SealBroken`] when the system gives no random numbers, or the vault is sealed.
    fn seal(&self, purpose: Purpose, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken>;

    /// As [`Sealer::seal`], under the practice's own key: erasing that key erases what it sealed. Call [`Sealer::adopt`]
    /// before; a practice without a key uses the gateway's until its texts are re-wrapped. [`Sealer::open`] opens both.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    fn seal_for(
        &self,
        practice: &PracticeId,
        purpose: Purpose,
        bound_to: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealBroken> {
        let _ = practice;
        self.seal(purpose, bound_to, plain)
    }

    /// Makes sure that the practice has a key of its own. Costs next to nothing when it has.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such practice; else what the store says.
    fn adopt<'a>(&'a self, practice: &'a PracticeId) -> BoxFuture<'a, Result<(), StoreError>> {
        let _ = practice;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Opens what [`Sealer::seal`] made.
    ///
    /// # Errors
    /// [`SealBroken`].
    fn open(&self, purpose: Purpose, bound_to: &[u8], sealed: &[u8])
    -> Result<zeroize::Zeroizing<Vec<u8>>, SealBroken>;

    /// HMAC-SHA256 under the purpose's key. Bytes that fit nothing when the vault is sealed.
    fn mac(&self, purpose: Purpose, text: &[u8]) -> [u8; 32];

    /// As [`Sealer::mac`], for a code that will be stored.
    ///
    /// # Errors
    /// [`SealBroken`] when the vault is sealed.
    fn try_mac(&self, purpose: Purpose, text: &[u8]) -> Result<[u8; 32], SealBroken> {
        Ok(self.mac(purpose, text))
    }
}

/// Joins parts so that no two different lists of parts give the same bytes: each part follows its length.
pub fn bind(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::bind;

    #[test]
    fn parts_cannot_slide_into_each_other() {
        assert_ne!(bind(&[b"ab", b"c"]), bind(&[b"a", b"bc"]));
        assert_ne!(bind(&[b"ab"]), bind(&[b"ab", b""]));
    }
}
