//! OAuth2 client credentials (RFC 6749 section 4.4): fetches a token. Who waits for it and for how long it serves is
//! the session's business.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::connector::ClientProof;
use connector_sdk::context::Marker;
use connector_sdk::{Error, ErrorKind, Escape, Result, Retry, Secret, SignIn};
use http::{Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::asking::Asking;

/// Life of a token whose reply does not say: short, because it is a guess.
const LIFE_UNSTATED: Duration = Duration::from_secs(300);
/// Longest life that is believed.
const LIFE_MAX: Duration = Duration::from_secs(86_400);
/// A token is not used any more this long before it ends, or a tenth of its life where that is less.
const MARGIN_MAX: Duration = Duration::from_secs(60);
/// Longest token, bytes.
const TOKEN_MAX: usize = 16 * 1024;

/// What RFC 7523 section 2.2 calls an assertion that is a JWT, form-encoded.
const ASSERTION_TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

/// A bearer token.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) value: Zeroizing<String>,
    /// Not used from then on.
    pub(super) until: Instant,
}

/// Asks the carrier's token endpoint once. `asking` has [`super::asking::Role::Token`].
pub(super) async fn fetch(asking: &Arc<Asking>) -> Result<Token> {
    let SignIn::ClientCredentials { token_url, scope, proof } = asking.wire.carrier.connector.sign_in() else {
        return Err(Error::new(ErrorKind::Internal, "This carrier has no token endpoint."));
    };
    let request = request(&asking.word, token_url, scope.as_deref(), proof)?;
    let reply = super::pass(asking, &request).await?;
    read(&reply)
}

fn request(word: &str, token_url: Uri, scope: Option<&str>, proof: ClientProof) -> Result<Request<Bytes>> {
    let mut form = "grant_type=client_credentials".to_owned();
    if let Some(scope) = scope {
        form.push_str("&scope=");
        form.push_str(&super::markers::escaped(scope, Escape::Form));
    }
    match proof {
        ClientProof::Basic => {}
        ClientProof::Certificate => {
            let marker = Marker::new(word, &Secret::Field("client_id"), Escape::Form);
            form.push_str(&format!("&client_id={marker}"));
        }
        ClientProof::Form => {
            for field in ["client_id", "client_secret"] {
                let marker = Marker::new(word, &Secret::Field(field), Escape::Form);
                form.push_str(&format!("&{field}={marker}"));
            }
        }
        ClientProof::Assertion(_) => {
            let marker = Marker::new(word, &Secret::Assertion, Escape::Form);
            form.push_str(&format!("&client_assertion_type={ASSERTION_TYPE}&client_assertion={marker}"));
        }
    }
    Request::post(token_url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(form))
        .map_err(|_| Error::new(ErrorKind::Internal, "The token request could not be made."))
}

fn read(reply: &Response<Bytes>) -> Result<Token> {
    let status = reply.status();
    let body: Value = serde_json::from_slice(reply.body()).unwrap_or(Value::Null);
    if status != StatusCode::OK {
        return Err(refusal(reply, body.get("error").and_then(Value::as_str).unwrap_or_default()));
    }
    let broken = |message| Error::new(ErrorKind::ProtocolBroken, message).fact("status", status);
    let value = body
        .get("access_token")
        .and_then(Value::as_str)
        .filter(|token| !token.is_empty() && token.len() <= TOKEN_MAX && token.bytes().all(|b| b.is_ascii_graphic()))
        .ok_or_else(|| broken("The carrier's token reply holds no token."))?;
    let kind = body.get("token_type").and_then(Value::as_str).unwrap_or("bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(broken("The carrier's token is of a kind that is not known here."));
    }
    // Some servers write the number as text.
    let secs = body.get("expires_in").and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()));
    let life = secs.map_or(LIFE_UNSTATED, Duration::from_secs).min(LIFE_MAX);
    let margin = MARGIN_MAX.min(life / 10);
    Ok(Token { value: Zeroizing::new(value.to_owned()), until: Instant::now() + life.saturating_sub(margin) })
}

fn refusal(reply: &Response<Bytes>, error: &str) -> Error {
    let status = reply.status();
    let error = match (status.as_u16(), error) {
        (_, "invalid_client" | "unauthorized_client" | "invalid_grant") | (401, _) => Error::new(
            ErrorKind::CredentialRejected,
            "The carrier refused the client id, its secret or its key. It is not tried again until a person enters it anew.",
        ),
        (_, "invalid_scope") => {
            Error::new(ErrorKind::ProtocolBroken, "The carrier does not know the scope in its carrier file.")
        }
        (429, _) => {
            let after = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let after = Duration::from_secs(after.unwrap_or(30).min(3_600));
            Error::new(ErrorKind::CarrierThrottled, "The carrier's token endpoint says that we ask too much.")
                .retry(Retry::After(after))
        }
        (500.., _) => Error::new(ErrorKind::CarrierUnavailable, "The carrier's token endpoint is out of order."),
        _ => Error::new(ErrorKind::ProtocolBroken, "The carrier's token endpoint gave a reply that is not understood."),
    };
    error.fact("status", status)
}

/// Members of a token reply whose values may be kept (RFC 6749 sections 5.1 and 5.2).
const KEPT: [&str; 5] = ["token_type", "expires_in", "scope", "error", "error_description"];

/// A token reply as it may be kept as evidence: any member we do not know could be a token under another name.
pub(super) fn without_tokens(body: &Bytes) -> Bytes {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut fields)) => {
            for (name, value) in &mut fields {
                if !KEPT.contains(&name.as_str()) {
                    *value = Value::from("kept-back");
                }
            }
            Bytes::from(Value::Object(fields).to_string())
        }
        _ => Bytes::from_static(b"(a token reply that is no JSON object: kept back)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    fn kind(status: u16, body: &str) -> ErrorKind {
        read(&reply(status, body)).err().unwrap().kind
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_ends_a_margin_early() {
        let life = |body: &str| read(&reply(200, body)).ok().unwrap().until - Instant::now();
        assert_eq!(life(r#"{"access_token":"t","expires_in":3600}"#), Duration::from_secs(3_540));
        assert_eq!(life(r#"{"access_token":"t","expires_in":"100","token_type":"Bearer"}"#), Duration::from_secs(90));
        assert_eq!(life(r#"{"access_token":"t"}"#), Duration::from_secs(270));
    }

    #[test]
    fn under_a_client_certificate_only_the_id_is_sent() {
        let request = request("w0rd", Uri::from_static("https://a.example/token"), Some("s"), ClientProof::Certificate);
        let body = String::from_utf8(request.unwrap().into_body().to_vec()).unwrap();
        assert!(body.starts_with("grant_type=client_credentials&scope=s&client_id=pk-w0rd-f"), "{body}");
        assert!(!body.contains("client_secret") && !body.contains("assertion"), "{body}");
    }

    #[test]
    fn refusals_are_told_apart() {
        assert_eq!(kind(400, r#"{"error":"invalid_client"}"#), ErrorKind::CredentialRejected);
        assert_eq!(kind(401, "no"), ErrorKind::CredentialRejected);
        assert_eq!(kind(400, r#"{"error":"invalid_scope"}"#), ErrorKind::ProtocolBroken);
        assert_eq!(kind(503, "<html>"), ErrorKind::CarrierUnavailable);
        assert_eq!(kind(429, ""), ErrorKind::CarrierThrottled);
        assert_eq!(kind(200, r#"{"error":"x"}"#), ErrorKind::ProtocolBroken);
        assert_eq!(kind(200, r#"{"access_token":"a b"}"#), ErrorKind::ProtocolBroken);
        assert_eq!(kind(200, r#"{"access_token":"t","token_type":"mac"}"#), ErrorKind::ProtocolBroken);
    }

    #[test]
    fn kept_replies_have_no_token() {
        let kept = without_tokens(&Bytes::from(r#"{"access_token":"canary","refresh_token":"canary","scope":"s"}"#));
        let text = std::str::from_utf8(&kept).unwrap();
        assert!(text.contains("scope") && !text.contains("canary"));
        assert!(!without_tokens(&Bytes::from("canary")).windows(6).any(|w| w == b"canary"));
    }
}
