//! One-time codes (RFC 6238 over RFC 4226: SHA-1, six digits, thirty seconds). The arithmetic alone: who may use which
//! step is the business of the two rooms that use it, the wire (carriers' codes) and identity (people's).

use ring::hmac;
use zeroize::Zeroizing;

/// Seconds for which one code is shown.
pub const STEP_SECS: u64 = 30;

/// The step of this second since 1970.
pub fn step(unix_secs: i64) -> u64 {
    u64::try_from(unix_secs).unwrap_or(0) / STEP_SECS
}

/// The six digits of a step.
pub fn code(key: &[u8], step: u64) -> Zeroizing<String> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 15);
    let number = bytes.iter().skip(offset).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    Zeroizing::new(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

/// Reads RFC 4648 Base32 as people paste it: any case, with spaces, dashes and padding. `None` when it is none.
pub fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'=')) {
        let value = match letter.to_ascii_uppercase() {
            upper @ b'A'..=b'Z' => upper - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// Writes RFC 4648 Base32 without padding, as authenticator apps take it.
pub fn to_base32(bytes: &[u8]) -> Zeroizing<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut put = |bits: u32| text.extend(LETTERS.get((bits & 31) as usize).map(|letter| char::from(*letter)));
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            put(bits >> count);
        }
    }
    if count > 0 {
        put(bits << (5 - count));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        let key = base32("gezd gnbv-GY3TQOJQ GEZDGNBVGY3TQOJQ==").unwrap();
        assert_eq!(key.as_slice(), b"12345678901234567890");
        for (secs, want) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(&key, step(secs)).as_str(), want);
        }
    }

    #[test]
    fn a_seed_that_is_none() {
        assert!(base32("not base32!").is_none());
        assert!(base32("").is_none());
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(to_base32(b"12345678901234567890").as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        // RFC 4648, section 10, without the padding.
        for (plain, text) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(to_base32(plain.as_bytes()).as_str(), text);
            assert_eq!(base32(text).unwrap().as_slice(), plain.as_bytes());
        }
    }
}
