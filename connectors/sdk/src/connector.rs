//! The connector interface: what a developer implements once for each dialect.
//!
//! An operation is one trait and one accessor on [`Connector`] that returns `None` unless the dialect has it. The
//! operations still to come (authorization requirement, claim, claim status, remittance, document) are each added as
//! one more trait and one more defaulted accessor; nothing that is here changes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Response, Uri};
use serde::{Deserialize, Serialize};

use crate::answer::EligibilityFacts;
use crate::ask::EligibilityRequest;
use crate::context::Context;
use crate::settings::{Settings, SettingsProblem};
use crate::submission::Submissions;
use crate::{Answer, BoxFuture, Result};

/// Speaks one insurer-facing dialect for one carrier. Translates; never dials, sleeps, retries, caches, reads a secret
/// or logs a body. One value serves all practices: keep nothing from a [`Context`] after returning.
pub trait Connector: Send + Sync + 'static {
    /// How the carrier learns who we are. The host decides when, and performs every scheme but [`SignIn::Form`].
    fn sign_in(&self) -> SignIn<'_>;

    /// Which values the vault must hold for a practice, in the order a person is asked for them.
    fn credential_fields(&self) -> Vec<CredentialField>;

    /// The eligibility operation; `None` when this carrier has no such question.
    fn eligibility(&self) -> Option<&dyn Eligibility> {
        None
    }

    /// The submission of authorizations; `None` when this carrier takes none over this interface, or its file does not
    /// say how.
    fn submissions(&self) -> Option<&dyn Submissions> {
        None
    }
}

/// Asks a carrier whether and how a patient is covered.
pub trait Eligibility: Send + Sync {
    /// What the dialect can carry at most. A carrier file may narrow it, never widen it.
    fn limits(&self) -> EligibilityLimits;

    /// Asks, and reads the answer.
    ///
    /// # Behaviour
    /// - sends only through `ctx`; the same ask gives byte-identical requests but for numbers and times from `ctx`;
    /// - returns [`crate::Outcome::Refused`] when the carrier understood and said no;
    /// - checks that the answer belongs to the question, else [`crate::ErrorKind::AnswerMismatch`].
    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts>;
}

/// What an eligibility ask may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EligibilityLimits {
    /// Whether dependents can be asked about.
    pub dependents: bool,
    /// Most service types in one ask.
    pub service_types_max: u16,
    /// Whether procedures can be asked about.
    pub procedures: bool,
}

/// How a carrier learns who we are. Standard schemes are data: the host performs them and the connector sees no secret.
/// A client certificate (mutual TLS) is none of them: the carrier file says `client_certificate = true`, whatever the
/// connector, and where it is all that the carrier wants, this is [`SignIn::None`].
pub enum SignIn<'a> {
    /// Nothing is needed.
    None,
    /// HTTP Basic with fields `username` and `password`.
    Basic,
    /// An API key from field `api_key` in this header.
    Header(HeaderName),
    /// OAuth2 client credentials with field `client_id` and the proof's own; the token goes into `Authorization: Bearer`.
    ClientCredentials {
        /// Token endpoint. Its host must be listed in the carrier file.
        token_url: Uri,
        /// Scope, where the carrier wants one.
        scope: Option<String>,
        /// How the host proves whose client it is.
        proof: ClientProof,
    },
    /// The credential rides in each request's body, at the places where the connector put markers (WS-Security,
    /// form fields). The connector reports a refused one as [`crate::ErrorKind::CredentialRejected`].
    InRequest,
    /// A login form: the one scheme that needs code. Single-flight per credential, never retried.
    Form(&'a dyn FormSignIn),
}

/// How the host proves at a token endpoint whose client it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// Field `client_secret`, in the form's body.
    Form,
    /// Field `client_secret`, by HTTP Basic.
    Basic,
    /// The client certificate of the TLS handshake, with field `client_id` in the form's body: RFC 8705 section 2,
    /// `tls_client_auth`. The carrier file says `client_certificate = true`.
    Certificate,
    /// A short-lived assertion signed with the key in field `private_key` (PEM), named by the optional field `key_id`:
    /// RFC 7523, `private_key_jwt`.
    Assertion(AssertionAlgorithm),
}

/// How an assertion is signed (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAlgorithm {
    /// RSA, PKCS #1 v1.5, with SHA-384.
    #[default]
    Rs384,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl AssertionAlgorithm {
    /// The word in an assertion's header.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }
}

/// Signs in at a form.
pub trait FormSignIn: Send + Sync {
    /// Walks the sign-in pages. Cookies stay in the host's jar. A refused credential is
    /// [`crate::ErrorKind::CredentialRejected`], a page for a person [`crate::ErrorKind::NeedsPerson`].
    fn sign_in<'a>(&'a self, ctx: &'a Context) -> BoxFuture<'a, Result<()>>;

    /// "Is this the login page again?" Asked by the host for every reply after sign-in, whatever its status.
    fn signed_out(&self, page: &Response<Bytes>) -> bool;

    /// Leaves properly, so that the carrier does not keep the session open. Called when the host drops a session.
    fn sign_out<'a>(&'a self, _ctx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// One value of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CredentialField {
    /// Name in the vault and in markers: `username`, `password`, `totp_seed`, `api_key`, `client_id`, `client_secret`.
    pub name: String,
    /// What to call it on a page.
    pub label: String,
    /// Whether the ask can go without it.
    pub optional: bool,
}

impl CredentialField {
    /// A field that must be there.
    pub fn required(name: &str, label: &str) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), optional: false }
    }
}

/// The closed list of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Is the patient covered, and what for.
    Eligibility,
    /// May these services be given: a prior authorization, a referral, an admission. It has an effect.
    Authorization,
}

impl Operation {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eligibility => "eligibility",
            Self::Authorization => "authorization",
        }
    }
}

/// One row of `portico connectors`: what the host must know to build a connector from a carrier file.
pub struct Registration {
    /// The name a carrier file gives as `connector = "…"`. Equals the crate's name.
    pub name: &'static str,
    /// What it speaks, in a few words.
    pub speaks: &'static str,
    /// `source.transport` of its answers: `x12`, `json`, `html`.
    pub transport: &'static str,
    /// Operations it can do.
    pub operations: &'static [Operation],
    /// Ways to sign in that it can be set to, in words.
    pub sign_in: &'static str,
    /// JSON Schema of its `[settings]`.
    pub settings_schema: fn() -> serde_json::Value,
    /// A carrier file that builds, as an example. Hosts end in `.example`.
    pub example: &'static str,
    /// Builds a connector from a carrier file's `[settings]`, or says everything that is wrong with them.
    pub build: fn(&Settings) -> Built,
}

/// A connector for one carrier, or everything that is wrong with its settings.
pub type Built = std::result::Result<Arc<dyn Connector>, Vec<SettingsProblem>>;
