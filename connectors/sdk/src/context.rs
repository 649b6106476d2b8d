//! What the host lends a connector for one ask: a way to send, a clock, numbers, and markers for secrets.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::{BoxFuture, Error, ErrorKind, Prompt, Result};

/// What the host lends. `ctx` is the host's means, `ask` the caller's intent.
#[derive(Clone)]
pub struct Context {
    host: Arc<dyn Host>,
}

/// The host's side of a [`Context`]. The gateway implements it, and a fake one for tests.
pub trait Host: Send + Sync {
    /// Sends one request through the carrier's wire: recorded, checked against the listed hosts, limited, signed in.
    fn send<'a>(&'a self, request: Request<Bytes>) -> BoxFuture<'a, Result<Response<Bytes>>>;
    /// Waits, as long as the ask's deadline allows.
    fn pause<'a>(&'a self, how_long: Duration) -> BoxFuture<'a, Result<()>>;
    /// Now.
    fn now(&self) -> Timestamp;
    /// Today where the practice is.
    fn today(&self) -> Date;
    /// What is left until the ask's deadline.
    fn remaining(&self) -> Duration;
    /// Our number for this ask, unique and free of meaning: at most 20 letters and digits. X12 TRN02, CORE PayloadID.
    fn trace(&self) -> &str;
    /// A control number, 1 to 999,999,999, not used for a long while before.
    fn control_number(&self) -> u32;
    /// Fills a buffer with random bytes.
    fn random(&self, into: &mut [u8]);
    /// The word that makes this ask's markers unguessable.
    fn marker_word(&self) -> &str;
    /// Whether the practice's credential holds this field.
    fn has_secret(&self, field: &str) -> bool;
    /// Notes something worth telling beside the answer.
    fn warn(&self, warning: Warning);
    /// Shows a prompt to people and waits for the one answer. A host without people refuses.
    fn ask_person<'a>(&'a self, prompt: Prompt) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Err(prompt.unasked()) })
    }
    /// The carrier has taken the last answer as the credential's new value of this field: stores it.
    fn keep_answer<'a>(&'a self, _field: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(Error::new(ErrorKind::Internal, "There is no answer of a person to keep.")) })
    }
}

/// Something worth telling beside an answer: fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// A fixed word: `interchange_count_wrong`.
    pub code: &'static str,
    /// One sentence.
    pub text: &'static str,
}

/// Put into a response's extensions by the host: the address the reply came from, after redirects.
#[derive(Clone, Debug)]
pub struct FinalUri(pub Uri);

/// A secret as a connector names it; it never sees the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret<'a> {
    /// A field of the credential, as it is: `username`, `password`, `api_key` …
    Field(&'a str),
    /// The present one-time code made from field `totp_seed` (RFC 6238, six digits, 30 seconds). Never the seed.
    TotpCode,
    /// What a person has answered to the last prompt; empty where the answer is a plain yes.
    Answer,
    /// A fresh client assertion for the carrier's token endpoint. The host's own.
    Assertion,
    /// `Base64(SHA-1(nonce + created + password))`, the WS-Security UsernameToken PasswordDigest.
    WsDigest {
        /// The nonce's bytes (not its Base64).
        nonce: &'a [u8],
        /// The `Created` text beside it.
        created: &'a str,
    },
}

/// How a secret must be escaped where its marker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is: a multipart field, a header.
    Plain,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Text or attribute of an XML document.
    Xml,
    /// Inside a JSON string.
    Json,
}

impl Escape {
    /// The word in a marker.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Form => "form",
            Self::Xml => "xml",
            Self::Json => "json",
        }
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Plain, Self::Form, Self::Xml, Self::Json].into_iter().find(|escape| escape.word() == word)
    }
}

/// A place where the host puts a secret just before the bytes leave.
///
/// Its text is made of letters, digits and `-` only, so that no escaping a connector applies changes it:
/// `pk-<word>-<what>-<escape>-kp`, where `<word>` is random for each ask (text from a caller cannot forge a marker) and
/// `<what>` is `f<hex of the field's name>`, `totp`, `answer`, `assertion` or `ws<hex nonce>x<hex created>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// Makes the marker of `secret` with the ask's `word`.
    pub fn new(word: &str, secret: &Secret<'_>, escape: Escape) -> Self {
        let what = match secret {
            Secret::Field(name) => format!("f{}", hex(name.as_bytes())),
            Secret::TotpCode => "totp".to_owned(),
            Secret::Answer => "answer".to_owned(),
            Secret::Assertion => "assertion".to_owned(),
            Secret::WsDigest { nonce, created } => {
                format!("ws{}x{}", hex(nonce), hex(created.as_bytes()))
            }
        };
        Self(format!("pk-{word}-{what}-{}-kp", escape.word()))
    }

    /// Its text, to be put into a body or a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Context {
    /// A context over a host.
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self { host }
    }

    /// Sends one request and reads the whole reply, within the carrier's limits of bytes and time.
    ///
    /// The host follows redirects to listed hosts (at most five; the last address is in the reply's extensions as
    /// [`FinalUri`]), signs in, inflates gzip, and swaps markers. Any status is a reply, not an error; connection
    /// problems, limits and timeouts are errors with the right kind.
    ///
    /// # Errors
    /// Whatever the wire says; pass it on with `?`.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        self.host.send(request).await
    }

    /// Waits before asking again (a carrier that answers `202` first).
    ///
    /// # Errors
    /// [`crate::ErrorKind::DeadlineExceeded`] at once when the ask's deadline would pass meanwhile.
    pub async fn pause(&self, how_long: Duration) -> Result<()> {
        self.host.pause(how_long).await
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// Today where the practice is.
    pub fn today(&self) -> Date {
        self.host.today()
    }

    /// What is left until the ask's deadline.
    pub fn remaining(&self) -> Duration {
        self.host.remaining()
    }

    /// Our number for this ask: unique, at most 20 letters and digits, free of meaning.
    pub fn trace(&self) -> &str {
        self.host.trace()
    }

    /// A control number for an interchange: 1 to 999,999,999.
    pub fn control_number(&self) -> u32 {
        self.host.control_number()
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.host.random(&mut bytes);
        bytes
    }

    /// The marker of a secret; put it where the secret belongs, and the host swaps it.
    pub fn marker(&self, secret: &Secret<'_>, escape: Escape) -> Marker {
        Marker::new(self.host.marker_word(), secret, escape)
    }

    /// The word in this ask's markers; a request that is kept for later is kept with it.
    pub fn marker_word(&self) -> &str {
        self.host.marker_word()
    }

    /// Whether the practice's credential holds this field.
    pub fn has_secret(&self, field: &str) -> bool {
        self.host.has_secret(field)
    }

    /// Shows a prompt to people and waits until one of them has answered, at most as long as the host's countdown or the
    /// question's deadline allows. The answer is not handed over: put [`Secret::Answer`] where it belongs, in the requests
    /// that follow. Raise it with `again` set where the carrier has refused an answer and shows the same form once more.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NeedsPerson`] when nobody answers, or nobody can be asked;
    /// [`crate::ErrorKind::CredentialRejected`] when too many answers were refused;
    /// [`crate::ErrorKind::CarrierUnavailable`] when another question's prompt was answered meanwhile: begin anew. Pass it on
    /// with `?`.
    pub async fn ask_person(&self, prompt: Prompt) -> Result<()> {
        self.host.ask_person(prompt).await
    }

    /// Says that the carrier has taken the last answer as the new value of a field of the credential (a changed password):
    /// the host stores it, durably, before this returns. While signing in only.
    ///
    /// # Errors
    /// Why it could not be stored.
    pub async fn keep_answer(&self, field: &str) -> Result<()> {
        self.host.keep_answer(field).await
    }

    /// Notes something worth telling beside the answer.
    pub fn warn(&self, code: &'static str, text: &'static str) {
        self.host.warn(Warning { code, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_survives_every_escaping() {
        let marker =
            Marker::new("0f3a", &Secret::WsDigest { nonce: &[0, 255], created: "2026-11-23T00:00:00Z" }, Escape::Xml);
        assert!(marker.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        assert!(marker.as_str().starts_with("pk-0f3a-ws00ffx"));
        assert!(Marker::new("0f3a", &Secret::Field("api_key"), Escape::Plain).as_str().ends_with("-plain-kp"));
    }
}
