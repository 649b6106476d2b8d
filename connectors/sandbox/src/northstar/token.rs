//! WS-Security UsernameToken: text or digest, no nonce twice, no stale `Created`.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::soap::Envelope;
use crate::control::lock;
use crate::credentials::{NORTHSTAR_PASSWORD, NORTHSTAR_USER};

/// How far `Created` may lie from now, either way, seconds.
const SKEW_MAX_SECS: i64 = 300;
/// Nonces remembered.
const NONCES_MAX: usize = 10_000;

/// Nonces seen, oldest out first.
#[derive(Default)]
pub(super) struct NonceBook(Mutex<(HashSet<String>, VecDeque<String>)>);

impl NonceBook {
    /// Whether the nonce is new; it is not, afterwards.
    fn first_time(&self, nonce: &str) -> bool {
        let mut book = lock(&self.0);
        let (known, order) = &mut *book;
        if !known.insert(nonce.to_owned()) {
            return false;
        }
        order.push_back(nonce.to_owned());
        if order.len() > NONCES_MAX
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }
}

/// Whose token it is, and whether it is right.
pub(super) fn check(envelope: &Envelope, nonces: &NonceBook) -> (Option<&'static str>, bool) {
    if envelope.user != NORTHSTAR_USER {
        return (None, false);
    }
    let right = if envelope.password_kind.ends_with("#PasswordDigest") {
        !envelope.nonce.is_empty()
            && !envelope.created.is_empty()
            && digest(&envelope.nonce, &envelope.created, NORTHSTAR_PASSWORD)
                .is_some_and(|want| want == envelope.password)
    } else {
        envelope.password == NORTHSTAR_PASSWORD
    };
    let fresh = envelope.created.is_empty() || recent(&envelope.created);
    let unseen = envelope.nonce.is_empty() || nonces.first_time(&envelope.nonce);
    (Some(NORTHSTAR_USER), right && fresh && unseen)
}

/// Base64(SHA-1(nonce + created + password)), as the OASIS UsernameToken profile 1.0 defines it.
fn digest(nonce: &str, created: &str, password: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(nonce).ok()?;
    bytes.extend_from_slice(created.as_bytes());
    bytes.extend_from_slice(password.as_bytes());
    Some(STANDARD.encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes)))
}

fn recent(created: &str) -> bool {
    created.parse::<Timestamp>().is_ok_and(|at| {
        let apart = Timestamp::now().as_second().saturating_sub(at.as_second());
        apart.abs() <= SKEW_MAX_SECS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(kind: &str, password: &str, nonce: &str, created: &str) -> Envelope {
        Envelope {
            user: NORTHSTAR_USER.into(),
            password: password.into(),
            password_kind: kind.into(),
            nonce: nonce.into(),
            created: created.into(),
            ..Envelope::default()
        }
    }

    #[test]
    fn the_digest_is_that_of_an_independent_tool() {
        // printf '0123456789abcdef2026-11-23T09:26:08Zpass1' | openssl sha1 -binary | base64
        assert_eq!(
            digest("MDEyMzQ1Njc4OWFiY2RlZg==", "2026-11-23T09:26:08Z", "pass1").as_deref(),
            Some("iRKfaNspeDrQ369Q9OH7mJ2fSVo=")
        );
    }

    #[test]
    fn replay_and_skew_are_refused() {
        let book = NonceBook::default();
        let now = Timestamp::now().to_string();
        let right = envelope("x#PasswordText", NORTHSTAR_PASSWORD, "bm9uY2U=", &now);
        assert!(check(&right, &book).1);
        assert!(!check(&right, &book).1, "the same nonce again");
        let old = (Timestamp::now() - jiff::SignedDuration::from_secs(301)).to_string();
        assert!(!check(&envelope("x#PasswordText", NORTHSTAR_PASSWORD, "", &old), &book).1);
        let sum = digest("bm9uY2Uy", &now, NORTHSTAR_PASSWORD).unwrap();
        assert!(check(&envelope("x#PasswordDigest", &sum, "bm9uY2Uy", &now), &book).1);
        assert!(!check(&envelope("x#PasswordDigest", NORTHSTAR_PASSWORD, "bm9uY2Uz", &now), &book).1);
    }
}
