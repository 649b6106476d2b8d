//! Random texts that prove something: cookies, invitations, the set-up token. Only their SHA-256 is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::store::StoreError;

/// A SHA-256.
pub type Hash = [u8; 32];

/// Characters of a token: 32 bytes in Base64.
pub(super) const CHARS: usize = 43;

/// Random bytes.
///
/// # Errors
/// [`StoreError::Damaged`] when the system gives none.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, StoreError> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    SystemRandom::new()
        .fill(bytes.as_mut())
        .map_err(|_| StoreError::Damaged { what: "the system gives no random numbers" })?;
    Ok(bytes)
}

/// A new token of 256 random bits.
///
/// # Errors
/// As [`random`].
pub(super) fn fresh() -> Result<Zeroizing<String>, StoreError> {
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(random::<32>()?.as_ref())))
}

/// Whether a text has the form of a token: anything else is not even looked up.
pub(super) fn fits(text: &str) -> bool {
    text.len() == CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What is kept of a token.
pub(super) fn hash(text: &str) -> Hash {
    digest(&[text.as_bytes()])
}

/// SHA-256 over parts.
pub(super) fn digest(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    // SHA-256 gives 32 bytes; zip keeps that fact from being an index that could panic.
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}
