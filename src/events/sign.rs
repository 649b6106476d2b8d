//! Signatures of deliveries, as Standard Webhooks 1.0 has them (<https://www.standardwebhooks.com>): an HMAC-SHA256 over
//! `id.timestamp.body`, under a secret that is written `whsec_` and Base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// What a secret starts with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret; the standard asks for 24 to 64.
const SECRET_BYTES: usize = 32;

/// A new secret, as the receiver keeps it. `None` when the system gives no random numbers.
pub(super) fn new_secret() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
    SystemRandom::new().fill(bytes.as_mut()).ok()?;
    Some(Zeroizing::new(format!("{PREFIX}{}", *Zeroizing::new(STANDARD.encode(bytes.as_ref())))))
}

/// The signature header of one delivery. `None` when the secret is none.
pub(super) fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn signs_as_the_standards_own_libraries_do() {
        let found = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(found.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, two) = (new_secret().unwrap_or_default(), new_secret().unwrap_or_default());
        assert_ne!(*one, *two);
        assert!(signature(&one, "a", 1, b"x").is_some());
        assert_eq!(signature("secret", "a", 1, b"x"), None);
    }
}
