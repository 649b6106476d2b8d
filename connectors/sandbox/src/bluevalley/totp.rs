//! One-time codes of RFC 6238: six digits, 30 seconds, HMAC-SHA-1.

use ring::hmac;

/// Whether `code` is the one of this second, or of the 30 seconds before or after.
pub(super) fn fits(seed: &str, code: &str, now_secs: i64) -> bool {
    let Some(key) = base32(seed) else { return false };
    let step = u64::try_from(now_secs).unwrap_or_default() / 30;
    [step.saturating_sub(1), step, step + 1].iter().any(|step| six_digits(&key, *step) == code)
}

/// The code of one 30-second step since 1970.
fn six_digits(key: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or_default() & 15);
    let word = bytes.iter().skip(at).take(4).fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xffff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The code that an authenticator app would show now; for tests that sign in by hand.
#[cfg(test)]
pub(super) fn now(seed: &str) -> String {
    let step = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default() / 30;
    six_digits(&base32(seed).unwrap_or_default(), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238 appendix B, last six of the eight digits; the seed is "12345678901234567890".
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(base32(seed).unwrap(), b"12345678901234567890");
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert!(fits(seed, code, time), "{time}");
            assert!(fits(seed, code, time + 30) && !fits(seed, code, time + 90));
        }
    }
}
