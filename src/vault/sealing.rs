//! One key at work: AES-256-GCM from `ring`, keys derived by HKDF-SHA256.
//!
//! Each text gets a key of its own from 16 random bytes, so that no key ever seals enough texts for two random nonces to
//! meet.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::trail::SealBroken;

/// Bytes of every key.
pub(super) const KEY_BYTES: usize = 32;
/// A key outside of `ring`, wiped when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// First byte of a text that one key seals directly: the layout below.
const LAYOUT: u8 = 1;
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + SALT_BYTES + NONCE_LEN;

/// A key that seals texts: each under a key of its own.
pub(super) struct SealingKey(Prk);

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// A key derived from another; `info` says what for.
pub(super) fn expand(from: &KeyBytes, info: &[&[u8]]) -> Result<KeyBytes, SealBroken> {
    expand_prk(&Prk::new_less_safe(HKDF_SHA256, from.as_ref()), info)
}

fn expand_prk(from: &Prk, info: &[&[u8]]) -> Result<KeyBytes, SealBroken> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    from.expand(info, Length(KEY_BYTES)).and_then(|okm| okm.fill(key.as_mut())).map_err(|_| SealBroken)?;
    Ok(key)
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealBroken> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(bytes.as_mut()).map_err(|_| SealBroken)?;
    Ok(bytes)
}

/// Seals under a key that seals this one text and never another: its nonce may be fixed.
pub(super) fn seal_once(key: &KeyBytes, bound_to: &[u8], plain: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
    seal_with(&aead(key)?, [0; NONCE_LEN], bound_to, plain)
}

/// Opens what [`seal_once`] made.
pub(super) fn open_once(key: &KeyBytes, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
    open_with(&aead(key)?, Nonce::assume_unique_for_key([0; NONCE_LEN]), bound_to, sealed)
}

fn aead(key: &KeyBytes) -> Result<LessSafeKey, SealBroken> {
    UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| SealBroken)
}

fn seal_with(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    bound_to: &[u8],
    plain: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
    // Sized at once: a vector that grows would leave plain text behind in freed memory.
    let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
    text.extend_from_slice(plain);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut *text)
        .map_err(|_| SealBroken)?;
    Ok(text)
}

fn open_with(
    key: &LessSafeKey,
    nonce: Nonce,
    bound_to: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
    let mut text = Zeroizing::new(sealed.to_vec());
    let plain = key.open_in_place(nonce, Aad::from(bound_to), &mut text).map_err(|_| SealBroken)?.len();
    text.truncate(plain);
    Ok(text)
}

impl SealingKey {
    pub(super) fn new(key: &KeyBytes) -> Self {
        Self(Prk::new_less_safe(HKDF_SHA256, key.as_ref()))
    }

    fn text_key(&self, salt: &[u8]) -> Result<LessSafeKey, SealBroken> {
        aead(&expand_prk(&self.0, &[b"portico text v1", salt])?)
    }

    /// `layout ‖ salt ‖ nonce ‖ ciphertext and tag`.
    pub(super) fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let salt = random::<SALT_BYTES>()?;
        let nonce = random::<NONCE_LEN>()?;
        let text = seal_with(&self.text_key(salt.as_ref())?, *nonce, bound_to, plain)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + text.len());
        sealed.push(LAYOUT);
        sealed.extend_from_slice(salt.as_ref());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    pub(super) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let rest = match sealed.split_first() {
            Some((&LAYOUT, rest)) => rest,
            _ => return Err(SealBroken),
        };
        let (salt, rest) = rest.split_at_checked(SALT_BYTES).ok_or(SealBroken)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        open_with(&self.text_key(salt)?, nonce, bound_to, text)
    }

    /// As [`SealingKey::open`], where a key was sealed.
    pub(super) fn open_key(&self, bound_to: &[u8], sealed: &[u8]) -> Result<KeyBytes, SealBroken> {
        let opened = self.open(bound_to, sealed)?;
        let key: [u8; KEY_BYTES] = opened.as_slice().try_into().map_err(|_| SealBroken)?;
        Ok(Zeroizing::new(key))
    }
}
