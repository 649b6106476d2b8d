//! Client assertions: how a private key proves at a token endpoint whose client we are (RFC 7523, as the SMART Backend
//! Services profile of HL7 FHIR has it: RS384 or ES384, five minutes at most).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use connector_sdk::connector::{AssertionAlgorithm, ClientProof};
use connector_sdk::{Connector, Error, ErrorKind, Result, SignIn};
use http::Uri;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{self, EcdsaKeyPair, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use zeroize::Zeroizing;

use super::credentials::Lease;
use super::markers;

/// The vault's field with the key.
const PRIVATE_KEY: &str = "private_key";
/// The vault's field with the key's name at the carrier.
const KEY_ID: &str = "key_id";
/// How long an assertion is good, seconds. Carriers take five minutes at most, by their own clock: the rest is for clocks
/// that do not agree.
const LIFE_SECS: i64 = 240;
/// It says that it was made this long ago, seconds, for carriers whose clock is behind ours.
const MADE_BEFORE_SECS: i64 = 30;

/// A key that signs.
enum Key {
    Rsa(RsaKeyPair),
    P384(EcdsaKeyPair),
}

/// What is wrong with a value that somebody is about to store in this field, in words for them; `None`: nothing. It never
/// repeats the value.
pub(super) fn value_problem(connector: &dyn Connector, field: &str, value: &str) -> Option<&'static str> {
    match connector.sign_in() {
        SignIn::ClientCredentials { proof: ClientProof::Assertion(algorithm), .. } if field == PRIVATE_KEY => {
            open(value, algorithm).err()
        }
        _ => None,
    }
}

fn open(pem: &str, algorithm: AssertionAlgorithm) -> std::result::Result<Key, &'static str> {
    if !pem.contains("-----BEGIN ") {
        return Err("This is no PEM text. Give the whole file, from -----BEGIN PRIVATE KEY----- to its last line.");
    }
    if pem.contains("ENCRYPTED") {
        return Err(
            "This key is protected by a passphrase. Write it without one (openssl pkcs8 -in key.pem -out plain.pem); the vault seals it.",
        );
    }
    if !pem.contains("PRIVATE KEY-----") {
        return Err(
            "This is no private key, but the public half or a certificate. The carrier gets those; the vault needs the key.",
        );
    }
    let read = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "This PEM text cannot be read: a part of it is missing or was changed.")?;
    let rsa = |read: std::result::Result<RsaKeyPair, _>| {
        read.map(Key::Rsa).map_err(
            |_: ring::error::KeyRejected| "The carrier file says rs384; this is no RSA key of 2048 to 4096 bits.",
        )
    };
    match (algorithm, &read) {
        (AssertionAlgorithm::Rs384, PrivateKeyDer::Pkcs8(der)) => rsa(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())),
        (AssertionAlgorithm::Rs384, PrivateKeyDer::Pkcs1(der)) => rsa(RsaKeyPair::from_der(der.secret_pkcs1_der())),
        (AssertionAlgorithm::Es384, PrivateKeyDer::Pkcs8(der)) => {
            let rng = SystemRandom::new();
            EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, der.secret_pkcs8_der(), &rng)
                .map(Key::P384)
                .map_err(|_| "The carrier file says es384; this is no key on the curve P-384 in PKCS #8.")
        }
        (_, PrivateKeyDer::Sec1(_)) => Err(
            "This key is in the older form \"EC PRIVATE KEY\". Write it as PKCS #8: openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem",
        ),
        _ => Err("This key is of another kind than the carrier file says: rs384 takes an RSA key, es384 one on P-384."),
    }
}

/// A fresh assertion for this token endpoint. Each has a number of its own, so that none can be used twice.
///
/// # Errors
/// [`ErrorKind::CredentialMissing`] when the stored key or id cannot be used.
pub(super) fn signed(
    lease: &Lease,
    token_url: &Uri,
    algorithm: AssertionAlgorithm,
    now: Timestamp,
) -> Result<Zeroizing<String>> {
    let unusable = |problem: &'static str| {
        Error::new(ErrorKind::CredentialMissing, "The stored private key cannot be used: enter it again.")
            .fact("problem", problem)
    };
    let key = open(markers::field(lease, PRIVATE_KEY)?, algorithm).map_err(unusable)?;
    let client = markers::field(lease, "client_id")?;
    let mut header = json!({ "alg": algorithm.word(), "typ": "JWT" });
    if let (Some(id), Some(header)) = (lease.field(KEY_ID), header.as_object_mut()) {
        header.insert("kid".to_owned(), id.into());
    }
    let secs = now.as_second();
    let claims = json!({
        "iss": client, "sub": client, "aud": token_url.to_string(), "jti": uuid::Uuid::now_v7().simple().to_string(),
        "iat": secs.saturating_sub(MADE_BEFORE_SECS), "exp": secs.saturating_add(LIFE_SECS)
    });
    let mut text =
        Zeroizing::new(format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string())));
    let signature = sign(&key, text.as_bytes()).ok_or_else(|| unusable("it does not sign"))?;
    text.push('.');
    text.push_str(&BASE64URL.encode(signature));
    Ok(text)
}

fn sign(key: &Key, text: &[u8]) -> Option<Vec<u8>> {
    let rng = SystemRandom::new();
    match key {
        Key::Rsa(pair) => {
            let public: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
            let mut out = vec![0; public.n.len()];
            pair.sign(&signature::RSA_PKCS1_SHA384, &rng, text, &mut out).ok()?;
            Some(out)
        }
        Key::P384(pair) => Some(pair.sign(&rng, text).ok()?.as_ref().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::KeyPair as _;

    use super::*;

    fn pem(kind: &str, der: &[u8]) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    }

    fn p384() -> Vec<u8> {
        let rng = SystemRandom::new();
        EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &rng).unwrap().as_ref().to_vec()
    }

    fn lease(key: &str, id: Option<&str>) -> Lease {
        let mut fields = vec![("client_id", "client-7"), ("private_key", key)];
        fields.extend(id.map(|id| ("key_id", id)));
        Lease {
            credential_id: "c".into(),
            generation: 1,
            on_trial: false,
            fields: fields.into_iter().map(|(k, v)| (k.to_owned(), Zeroizing::new(v.to_owned()))).collect(),
            origins: vec![],
        }
    }

    fn part(text: &str, place: usize) -> serde_json::Value {
        serde_json::from_slice(&BASE64URL.decode(text.split('.').nth(place).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_says_what_the_profile_wants_and_verifies() {
        let der = p384();
        let (lease, url) = (lease(&pem("PRIVATE KEY", &der), Some("k-1")), Uri::from_static("https://a.example/token"));
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let text = signed(&lease, &url, AssertionAlgorithm::Es384, now).unwrap();
        assert_eq!(part(&text, 0), json!({ "alg": "ES384", "kid": "k-1", "typ": "JWT" }));
        let claims = part(&text, 1);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-7"), &json!("client-7")));
        assert_eq!(claims["aud"], "https://a.example/token");
        assert_eq!(claims["exp"].as_i64().unwrap() - now.as_second(), 240);
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 300);
        let other = signed(&lease, &url, AssertionAlgorithm::Es384, now).unwrap();
        assert_ne!(part(&other, 1)["jti"], claims["jti"]);

        let rng = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &der, &rng).unwrap();
        let public = signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, pair.public_key().as_ref());
        let (said, proof) = text.rsplit_once('.').unwrap();
        public.verify(said.as_bytes(), &BASE64URL.decode(proof).unwrap()).unwrap();
        assert!(public.verify(b"something else", &BASE64URL.decode(proof).unwrap()).is_err());
    }

    #[test]
    fn a_key_that_cannot_be_used_says_how_to_mend_it() {
        let der = p384();
        let cut = pem("PRIVATE KEY", &der[..40]);
        let whole = pem("PRIVATE KEY", &der);
        for (text, algorithm, says) in [
            ("canary", AssertionAlgorithm::Es384, "no PEM"),
            (&pem("ENCRYPTED PRIVATE KEY", &der), AssertionAlgorithm::Es384, "passphrase"),
            (&pem("PUBLIC KEY", &der), AssertionAlgorithm::Es384, "public half"),
            (&pem("EC PRIVATE KEY", &der), AssertionAlgorithm::Es384, "pkcs8"),
            (&cut, AssertionAlgorithm::Es384, "P-384"),
            (&whole, AssertionAlgorithm::Rs384, "no RSA key"),
            (&whole.replace("-----END", "----END"), AssertionAlgorithm::Es384, "cannot be read"),
        ] {
            let problem = open(text, algorithm).err().unwrap_or_default();
            assert!(problem.contains(says) && !problem.contains("canary"), "{says}: {problem}");
        }
        assert!(open(&whole, AssertionAlgorithm::Es384).is_ok());
    }
}
