//! Client assertions as a carrier checks them (RFC 7523 section 3; SMART Backend Services): signature, issuer, audience,
//! time, and that none comes twice.

use std::collections::HashSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::signature::{ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::Value;

use crate::control::lock;

/// An assertion may be good for this long at most, seconds.
const LIFE_MAX: i64 = 300;
/// Most numbers of assertions that are remembered.
const SEEN_MAX: usize = 10_000;

/// A public key that a client has handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// `RS384` or `ES384`.
    pub algorithm: &'static str,
    /// Its name, as assertions give it in `kid`.
    pub id: String,
    /// RSA: an `RSAPublicKey` (RFC 8017, appendix A.1.1). P-384: the point, uncompressed.
    pub public: Vec<u8>,
}

/// Remembers which assertions have come.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashSet<String>>);

impl Seen {
    /// Why an assertion is not good; `None`: it is.
    pub(crate) fn fault(
        &self,
        text: &str,
        client: &str,
        keys: &[ClientKey],
        audience: &str,
        now: i64,
    ) -> Option<&'static str> {
        let mut parts = text.split('.');
        let (Some(head), Some(claims), Some(proof), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Some("not three parts");
        };
        let json = |part: &str| serde_json::from_slice::<Value>(&BASE64URL.decode(part).ok()?).ok();
        let (Some(header), Some(said), Ok(proof)) = (json(head), json(claims), BASE64URL.decode(proof)) else {
            return Some("unreadable");
        };
        let key = keys.iter().find(|key| header["alg"] == key.algorithm && header["kid"] == key.id.as_str());
        let Some(key) = key else { return Some("no such key") };
        let how: &dyn VerificationAlgorithm = match key.algorithm {
            "ES384" => &ECDSA_P384_SHA384_FIXED,
            _ => &RSA_PKCS1_2048_8192_SHA384,
        };
        let signed = text.rsplit_once('.').map_or("", |(signed, _)| signed);
        if UnparsedPublicKey::new(how, &key.public).verify(signed.as_bytes(), &proof).is_err() {
            return Some("bad signature");
        }
        if said["iss"] != client || said["sub"] != client {
            return Some("another client");
        }
        if said["aud"] != audience {
            return Some("another audience");
        }
        match said["exp"].as_i64() {
            Some(ends) if ends > now && ends <= now + LIFE_MAX => {}
            _ => return Some("expired, or good for too long"),
        }
        let mut seen = lock(&self.0);
        if seen.len() >= SEEN_MAX {
            seen.clear();
        }
        match said["jti"].as_str() {
            Some(number) if seen.insert(number.to_owned()) => None,
            _ => Some("used before"),
        }
    }
}
