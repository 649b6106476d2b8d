//! One-time codes (RFC 6238: SHA-1, six digits, thirty seconds), and the rule that none is used twice.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Result};
use jiff::Timestamp;
use ring::hmac;
use tokio::time::Instant;
use zeroize::Zeroizing;

const STEP_SECS: u64 = 30;

/// Which step of one credential was used last. A carrier takes a code once; a second use looks like an attack.
#[derive(Default)]
pub(crate) struct Steps {
    last: Mutex<u64>,
}

impl Steps {
    /// The present code made from a Base32 seed, waiting for the next step where this one is used up.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialMissing`] when the seed is not Base32; [`ErrorKind::Overloaded`] when the next step begins
    /// after `until`.
    pub(crate) async fn code(&self, seed: &str, until: Instant) -> Result<Zeroizing<String>> {
        let key = base32(seed).ok_or_else(|| {
            Error::new(ErrorKind::CredentialMissing, "The stored one-time code seed is not Base32: enter it again.")
        })?;
        loop {
            let now = Timestamp::now();
            match self.reserve(u64::try_from(now.as_second()).unwrap_or(0)) {
                Ok(step) => return Ok(code(&key, step)),
                Err(wait) if Instant::now() + wait < until => tokio::time::sleep(wait).await,
                Err(wait) => {
                    return Err(Error::new(
                        ErrorKind::Overloaded,
                        "The next one-time code comes too late for this ask.",
                    )
                    .retry(connector_sdk::Retry::After(wait)));
                }
            }
        }
    }

    /// Takes the step of this second, or says how long to wait for a fresh one.
    fn reserve(&self, now_secs: u64) -> std::result::Result<u64, Duration> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let step = now_secs / STEP_SECS;
        if step > *last {
            *last = step;
            return Ok(step);
        }
        // The clock may have been set back: then the wait is long, and the ask is refused rather than a code reused.
        let next = last.saturating_add(1).saturating_mul(STEP_SECS);
        Err(Duration::from_secs(next.saturating_sub(now_secs)))
    }
}

fn code(key: &[u8], step: u64) -> Zeroizing<String> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 15);
    let number = bytes.iter().skip(offset).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    Zeroizing::new(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

/// RFC 4648 Base32 as people paste it: any case, with spaces, dashes and padding.
fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        let key = base32("gezd gnbv-GY3TQOJQ GEZDGNBVGY3TQOJQ==").unwrap();
        assert_eq!(key.as_slice(), b"12345678901234567890");
        for (secs, want) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(&key, secs / STEP_SECS).as_str(), want);
        }
    }

    #[test]
    fn no_step_is_used_twice_even_when_the_clock_goes_back() {
        let steps = Steps::default();
        assert_eq!(steps.reserve(3_000), Ok(100));
        assert_eq!(steps.reserve(3_001), Err(Duration::from_secs(29)));
        assert_eq!(steps.reserve(2_970), Err(Duration::from_secs(60)));
        assert_eq!(steps.reserve(3_030), Ok(101));
    }

    #[test]
    fn a_seed_that_is_none() {
        assert!(base32("not base32!").is_none());
        assert!(base32("").is_none());
    }
}
