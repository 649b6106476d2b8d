//! A private key in place of a secret: signed assertions at a carrier that checks them, and nothing of the key elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use sandbox::{ClientKey, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::support::{Stand, ask};

const KEY_ID: &str = "portico-2026";

fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// A new key on P-384: its PEM, and what the carrier is given of it.
fn p384() -> (String, ClientKey) {
    let rng = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &rng).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der.as_ref(), &rng).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    (pem(der.as_ref()), ClientKey { algorithm: "ES384", id: KEY_ID.into(), public })
}

/// A new RSA key, made by OpenSSL; `None` where there is none.
fn rsa() -> Option<(String, ClientKey)> {
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"])
        .output()
        .ok()
        .filter(|made| made.status.success())?;
    let pair = RsaKeyPair::from_pkcs8(&made.stdout).ok()?;
    let public = pair.public_key().as_ref().to_vec();
    Some((pem(&made.stdout), ClientKey { algorithm: "RS384", id: KEY_ID.into(), public }))
}

async fn stand(algorithm: &str) -> Stand {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let file = sandbox.carrier_files().into_iter().find(|(id, _)| *id == "harborhmo").unwrap().1;
    let auth = format!("kind = \"private_key_jwt\"\nalgorithm = \"{algorithm}\"");
    let file = file.replace("kind = \"client_credentials\"", &auth);
    Stand::over_sandbox(sandbox, vec![("harborhmo".to_owned(), file)], &[]).await
}

async fn enter(stand: &Stand, key: &str) -> crate::support::Reply {
    let fields = json!({ "client_id": "hhm-client-7", "private_key": key, "key_id": KEY_ID });
    stand.call(Method::PUT, "/v1/credentials/harborhmo", Some(json!({ "fields": fields }))).await
}

fn question() -> Value {
    let mut question = ask("harborhmo", "HHM-ACTIVE-PCP", "1979-08-15");
    question["max_age_secs"] = json!(0);
    question
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_signs_in_and_each_assertion_is_good_once() {
    for (algorithm, made) in [("es384", Some(p384())), ("rs384", rsa())] {
        let Some((key, public)) = made else {
            println!("not tried: no openssl here to make an RSA key");
            continue;
        };
        let stand = stand(algorithm).await;
        stand.sandbox.control().trust("harborhmo", public);
        let stored = enter(&stand, &key).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
        let reply = stand.ask(question()).await;
        assert_eq!(reply.outcome(), "answered", "{algorithm}: {}", reply.text);
        // The token has ended: another assertion, which the carrier has not seen.
        stand.sandbox.control().advance(600);
        let again = stand.ask(question()).await;
        assert_eq!(again.outcome(), "answered", "{algorithm}: {}", again.text);
        let counters = stand.sandbox.control().counters("harborhmo").unwrap();
        assert_eq!((counters.logins, counters.logins_failed), (2, 0), "{algorithm}");
        // What is kept of the exchange has a marker where the assertion was.
        let path = format!("/v1/eligibility/{}/raw", reply.body["id"].as_str().unwrap());
        let raw = stand.call(Method::GET, &path, None).await;
        assert!(raw.text.contains("client_assertion=pk-") && !raw.text.contains("eyJ"), "{}", raw.text);
        let body = key.lines().nth(1).unwrap();
        let list = stand.call(Method::GET, "/v1/credentials", None).await;
        assert!([&raw.text, &list.text].iter().all(|text| !text.contains(body)));
        stand.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_is_tried_once_and_what_is_no_key_is_not_stored() {
    let stand = stand("es384").await;
    let (key, public) = p384();
    stand.sandbox.control().trust("harborhmo", public);
    let (other, _) = p384();
    for (bad, says) in [
        ("canary-of-no-pem".to_owned(), "no PEM text"),
        (other.replace("PRIVATE", "ENCRYPTED PRIVATE"), "passphrase"),
        (other.replace("PRIVATE KEY", "CERTIFICATE"), "public half"),
    ] {
        let refused = enter(&stand, &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert!(refused.text.contains(says) && refused.text.contains("/fields/private_key"), "{}", refused.text);
        assert!(!refused.text.contains("canary") && !refused.text.contains(other.lines().nth(1).unwrap()));
    }
    enter(&stand, &other).await;
    for _ in 0..3 {
        let failed = stand.ask(question()).await;
        assert_eq!(failed.body["failure"]["kind"], "credential_rejected", "{}", failed.text);
    }
    assert_eq!(stand.sandbox.control().counters("harborhmo").unwrap().logins_failed, 1);
    enter(&stand, &key).await;
    assert_eq!(stand.ask(question()).await.outcome(), "answered");
    stand.stop().await;
}
