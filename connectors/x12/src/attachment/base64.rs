//! Base64 (RFC 4648), as much of it as documents need.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// What is cut off in the middle has no padding, and bits to spare.
const CUT_OFF: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes as base64, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The first bytes that base64 stands for, `most` at most; it ends where something stands that is not base64.
/// White space is left out.
pub(super) fn beginning(text: &[u8], most: usize) -> Vec<u8> {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take_while(digit);
    let mut digits: Vec<u8> = digits.take(most.div_ceil(3).saturating_mul(4)).collect();
    if digits.len() % 4 == 1 {
        digits.pop(); // Six bits are no byte.
    }
    let mut bytes = CUT_OFF.decode(digits).unwrap_or_default();
    bytes.truncate(most);
    bytes
}
