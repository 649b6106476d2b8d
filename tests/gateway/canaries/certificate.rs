//! A client certificate's private key: entered at both doors, in its place and in wrong ones, asked with, and sought.

use http::{Method, StatusCode};
use serde_json::json;

use super::planted::Handed;
use crate::client_certificates::{authority, certificate};
use crate::process::{Folder, Gateway};
use crate::support::ask;

/// The carrier that wants one: a copy of a simulated carrier's file.
const CARRIER: &str = "larch";
const WHAT: &str = "private key of a client certificate";

/// The carrier, and its credential by the operator's command; a key in the wrong place first.
pub fn copy(folder: &Folder, handed: &mut Handed) -> (String, String) {
    let text = std::fs::read_to_string(folder.path("carriers/northstar.toml")).unwrap();
    folder.write(&format!("carriers/{CARRIER}.toml"), &format!("client_certificate = true\n{text}"));
    let (certificate, key) = certificate(&authority(), "Bone Clinic", 90);
    // The last line holds some of the public half, which is in the certificate as well.
    let lines: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
    handed.made.extend(lines[..lines.len() - 1].iter().map(|line| (WHAT, (*line).to_owned())));
    let fields = |certificate: &str, key: &str| json!({ "username": "larch-user", "password": "larch-word", "client_certificate": certificate, "client_key": key });
    let put = ["vault", "put", CARRIER];
    assert_eq!(handed.told_to(folder, &put, &fields(&key, &certificate).to_string()), 2);
    assert_eq!(handed.told_to(folder, &put, &fields(&certificate, &key).to_string()), 0);
    (certificate, key)
}

/// Again over the API, and a question with it.
pub async fn hand_in(at: (&Gateway, &str), (certificate, key): (String, String), handed: &mut Handed) {
    let path = format!("/v1/credentials/{CARRIER}");
    let fields = |certificate: &str, key: &str| {
        let fields = json!({
            "username": "larch-user", "password": "larch-word", "client_certificate": certificate, "client_key": key
        });
        json!({ "fields": fields }).to_string()
    };
    let cut = key.replacen("-----END", "----END", 1);
    for (body, status) in [
        (fields(&key, &key), StatusCode::UNPROCESSABLE_ENTITY),
        (fields(&certificate, &cut), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "fields": { &key: &key } }).to_string(), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "client_key": &key }).to_string(), StatusCode::BAD_REQUEST),
        (fields(&certificate, &key), StatusCode::OK),
    ] {
        let reply = handed.send(at, &[], Method::PUT, &path, body).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        handed.is_clean("client certificate", &reply);
    }
    let question = ask(CARRIER, "LARCH-NOBODY-1", "1931-07-29").to_string();
    let reply = handed.send(at, &[], Method::POST, "/v1/eligibility", question).await;
    assert_eq!(reply.outcome(), "failed", "{}", reply.text);
    handed.is_clean("asked with a client certificate", &reply);
}
