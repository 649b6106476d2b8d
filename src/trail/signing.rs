//! The keys that sign checkpoints: made here, sealed at rest, rotated. A new key is announced by a record that it and the
//! key before it have signed, so that whoever trusts one key can follow to the next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use super::Trail;
use super::merkle::sha256;
use super::note::{self, VerifierKey, hex, public_of};
use super::record::{Actor, KeyMark, TrailRecord};
use super::seal::{Purpose, SealBroken, Sealer, bind};
use crate::practice::PracticeId;
use crate::store::checkpoints::{self, TrailKeyRow};
use crate::store::{self, StoreError};

const NOT_OPENING: StoreError = StoreError::Damaged { what: "a key of the paper trail does not open" };
const NO_RANDOM: StoreError = StoreError::Damaged { what: "the system gives no random numbers" };
/// The practice whose trail is the system's own: it commits to all others.
pub(super) const SYSTEM: &str = "gateway";

/// The installation's keys, opened.
pub(super) struct Signing {
    /// The installation, named after its first key.
    pub(super) install: String,
    /// All public keys, oldest first.
    pub(super) keys: Vec<VerifierKey>,
    /// How each was announced.
    pub(super) marks: Vec<KeyMark>,
    pair: Ed25519KeyPair,
}

impl Signing {
    /// Signs a text that ends with a line break.
    pub(super) fn sign(&self, text: &str) -> String {
        note::sign(text, &signer(&self.install), &self.pair)
    }
}

fn signer(install: &str) -> String {
    format!("portico/{install}")
}

/// An installation's name: the beginning of the SHA-256 of its first key.
fn install_of(first: &[u8; 32]) -> String {
    let hash = sha256(&[b"portico install v1\n", first]);
    hex(hash.get(..8).unwrap_or_default())
}

/// The name of a practice's log in checkpoints. Letters, digits, `.`, `_` and `-` stand for themselves.
pub(super) fn origin(install: &str, practice: &PracticeId, epoch: u64) -> String {
    let mut origin = format!("portico/{install}/trail/");
    for byte in practice.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => origin.push(char::from(byte)),
            _ => origin.push_str(&format!("%{byte:02X}")),
        }
    }
    if epoch > 1 {
        origin.push_str(&format!("~{epoch}"));
    }
    origin
}

/// Practice and epoch of an [`origin`] of this installation.
pub(super) fn read_origin(install: &str, text: &str) -> Option<(PracticeId, u64)> {
    let name = text.strip_prefix(&format!("portico/{install}/trail/"))?;
    let (name, epoch) = match name.split_once('~') {
        Some((name, epoch)) => (name, epoch.parse().ok()?),
        None => (name, 1),
    };
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let (code, after) = rest.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    let practice = PracticeId::new(String::from_utf8(bytes).ok()?);
    (origin(install, &practice, epoch) == text).then_some((practice, epoch))
}

/// Whether a key was announced as it must be: by itself, and by the key before it.
pub(crate) fn announced(mark: &KeyMark, previous: Option<&VerifierKey>) -> Option<VerifierKey> {
    let key = VerifierKey::read(&mark.key)?;
    if mark.previous.as_deref() != previous.map(VerifierKey::text).as_deref() {
        return None;
    }
    let text = KeyMark::text(mark.n, &mark.key, mark.previous.as_deref());
    let signed = |key: &VerifierKey, signature: &str| {
        STANDARD.decode(signature).is_ok_and(|signature| key.verify(text.as_bytes(), &signature))
    };
    let by_previous = match (previous, &mark.previous_signature) {
        (None, None) => true,
        (Some(previous), Some(signature)) => signed(previous, signature),
        _ => false,
    };
    (by_previous && signed(&key, &mark.signature)).then_some(key)
}

impl Trail {
    /// The keys; the first one is made when there is none.
    pub(super) async fn signing(&self) -> Result<Signing, StoreError> {
        if checkpoints::keys(&self.store).await?.is_empty() {
            self.make_key(None, &Actor::gateway(), "trail.key_made").await?;
        }
        self.known_signing().await?.ok_or(NOT_OPENING)
    }

    /// The keys, where there are any.
    pub(super) async fn known_signing(&self) -> Result<Option<Signing>, StoreError> {
        let rows = checkpoints::keys(&self.store).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
        let install = install_of(&first.public);
        let pair = open(self.sealer.as_ref(), last)?;
        let name = signer(&install);
        let keys = rows.iter().map(|row| VerifierKey { name: name.clone(), public: row.public }).collect();
        let marks = rows.iter().map(|row| serde_json::from_str(&row.announcement)).collect::<Result<_, _>>();
        Ok(Some(Signing { install, keys, marks: marks.map_err(|_| NOT_OPENING)?, pair }))
    }

    /// A new key, which signs from now on. It is announced by a record that both keys have signed, and in the anchors.
    ///
    /// # Errors
    /// What the store says.
    pub async fn rotate_key(&self, by: &Actor) -> Result<(), StoreError> {
        let _round = self.round.lock().await;
        let old = self.signing().await?;
        let mark = self.make_key(Some(&old), by, "trail.key_rotated").await?;
        self.anchor_key(&old.install, mark).await;
        Ok(())
    }

    async fn make_key(&self, old: Option<&Signing>, by: &Actor, action: &'static str) -> Result<KeyMark, StoreError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| NO_RANDOM)?;
        let document = zeroize::Zeroizing::new(document.as_ref().to_vec());
        let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(|_| NOT_OPENING)?;
        let public = public_of(&pair);
        let install = old.map_or_else(|| install_of(&public), |old| old.install.clone());
        let key = VerifierKey { name: signer(&install), public }.text();
        let previous = old.and_then(|old| old.keys.last()).map(VerifierKey::text);
        let n = old.map_or(0, |old| old.keys.len() as u64) + 1;
        let text = KeyMark::text(n, &key, previous.as_deref());
        let sign = |pair: &Ed25519KeyPair| STANDARD.encode(pair.sign(text.as_bytes()));
        let mark =
            KeyMark { n, signature: sign(&pair), previous_signature: old.map(|old| sign(&old.pair)), key, previous };
        let sealed = self.sealer.seal(Purpose::Trail, &bound_to(n, &public), &document);
        let row = TrailKeyRow {
            n,
            public,
            sealed: sealed.map_err(|SealBroken| NO_RANDOM)?,
            announcement: serde_json::to_string(&mark).map_err(|_| NOT_OPENING)?,
            created_at: store::now(),
        };
        let record = TrailRecord::new(&PracticeId::new(SYSTEM), by, action).key(mark.clone());
        match checkpoints::add_key(&self.store, row, self.link(record)).await {
            // Somebody else made the first one in this moment: that one is as good.
            Err(StoreError::Conflict) if old.is_none() => Ok(mark),
            other => other.map(|()| mark),
        }
    }
}

fn open(sealer: &dyn Sealer, row: &TrailKeyRow) -> Result<Ed25519KeyPair, StoreError> {
    let opened = sealer.open(Purpose::Trail, &bound_to(row.n, &row.public), &row.sealed);
    let pair = Ed25519KeyPair::from_pkcs8(&opened.map_err(|SealBroken| NOT_OPENING)?).map_err(|_| NOT_OPENING)?;
    if public_of(&pair) == row.public { Ok(pair) } else { Err(NOT_OPENING) }
}

fn bound_to(n: u64, public: &[u8; 32]) -> Vec<u8> {
    bind(&[b"trail key v1", &n.to_be_bytes(), public])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_names_one_practice_and_epoch() {
        for (practice, epoch) in [("p-1", 1), ("Dr. Smith + Co", 1), ("a~2", 1), ("a", 12), ("ä%", 3)] {
            let practice = PracticeId::new(practice);
            let text = origin("ab", &practice, epoch);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+'), "{text}");
            assert_eq!(read_origin("ab", &text), Some((practice, epoch)));
        }
        for text in ["portico/ab/trail/a~1", "portico/ab/trail/a~02", "portico/cd/trail/a", "portico/ab/trail/a%2", "x"]
        {
            assert_eq!(read_origin("ab", text), None, "{text}");
        }
    }
}
