//! Base64 (RFC 4648), as much of it as documents need.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = [0, 1, 2].map(|at| chunk.get(at).copied().unwrap_or(0));
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for at in 0..4u32 {
            let used = at as usize <= chunk.len();
            let digit = (bits >> (18 - 6 * at) & 63) as usize;
            text.push(if used { ALPHABET.get(digit).map_or('=', |byte| char::from(*byte)) } else { '=' });
        }
    }
    text
}

/// The first bytes that base64 stands for, `most` at most; it ends where something stands that is not base64.
/// White space is left out.
pub(super) fn beginning(text: &[u8], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(digit) = ALPHABET.iter().position(|one| one == byte).and_then(|at| u32::try_from(at).ok()) else {
            break;
        };
        bits = (bits << 6 | digit) & 0xFF_FFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xFF) as u8);
            if bytes.len() == most {
                break;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(beginning(text.as_bytes(), 100), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xFF, 0xFE, 0xFD, 0xFC]), "//79/A==");
        assert_eq!(beginning(b"Zm9v\r\nYmFy", 4), b"foob");
        assert_eq!(beginning(b"!!", 4), b"");
    }
}
