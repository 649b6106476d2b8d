//! An ask that has an effect at the carrier: a prior authorization, later a claim.
//!
//! Asking twice about a member's coverage costs a second; submitting twice makes two cases. So a submission is taken
//! apart: [`Submissions::prepare`] makes the exact bytes of the ONE request that commits, the host writes them down
//! durably, [`Submissions::commit`] sends exactly these, and where nobody can say what became of them,
//! [`Submissions::inquire`] asks. The host's ledger decides when each is called; a connector decides only what the
//! carrier's words mean.
//!
//! What a connector promises ([`SubmissionPromise`]) is what the ledger's safety rests on: promise less rather than more.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::answer::Authorization;
use crate::ask::AuthorizationRequest;
use crate::context::Context;
use crate::outcome::Refusal;
use crate::phi::Phi;
use crate::{BoxFuture, Error, ErrorKind, Result};

/// Longest business reference, characters: what X12 CLM01 and a TRN02 carry at every carrier.
pub const BIZ_REF_MAX: usize = 20;

/// Submits authorizations to one carrier.
///
/// # Behaviour
/// - `biz_ref` is ours, the same for the life of a submission whatever the number of attempts, at most
///   [`BIZ_REF_MAX`] capital letters and digits; it goes where the carrier will give it back (X12 TRN02), so that an
///   inquiry can find exactly this submission, and so that the carrier's own search for duplicates has something to hold
///   on to;
/// - an implementation keeps nothing between calls: all that a later call needs stands in [`Prepared`].
pub trait Submissions: Send + Sync {
    /// What this carrier's interface makes possible once an answer is missing.
    fn promise(&self) -> SubmissionPromise;

    /// Makes the bytes of the one committing request, and names the control numbers in them. Sends nothing; draws time,
    /// control numbers and random bytes from `ctx`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] or [`ErrorKind::Unsupported`]: this ask cannot be sent to this carrier.
    fn prepare(&self, ctx: &Context, ask: &AuthorizationRequest, biz_ref: &str) -> Result<Prepared>;

    /// Sends exactly `prepared`, once, and reads what the carrier said. Sends nothing after it.
    ///
    /// [`Commit::Accepted`] and [`Commit::RefusedNoEffect`] only for what the carrier definitely said, by rules that the
    /// connector declares; everything else, a `5xx` and a reply that cannot be read among it, is [`Commit::Unknown`].
    fn commit<'a>(&'a self, ctx: &'a Context, prepared: &'a Prepared) -> BoxFuture<'a, Commit>;

    /// Asks the carrier whether it has this submission. Changes nothing there, so it may be repeated.
    ///
    /// [`Inquiry::Absent`] only where the carrier said that it has none; a reply that could mean something else is
    /// [`Inquiry::Ambiguous`].
    ///
    /// # Errors
    /// Whatever kept the question from being answered: nothing is known then.
    fn inquire<'a>(
        &'a self,
        ctx: &'a Context,
        ask: &'a AuthorizationRequest,
        prepared: &'a Prepared,
        biz_ref: &'a str,
    ) -> BoxFuture<'a, Result<Inquiry>>;
}

/// What an interface makes possible once the answer to a submission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubmissionPromise {
    /// How what became of a submission can be found out.
    pub class: SubmissionClass,
    /// How long after a request's last byte its record shows in an inquiry, as a rule: the first inquiry waits this long.
    pub visibility_delay: Duration,
    /// The longest that it can take. Past this an inquiry that finds nothing proves that there is nothing, if
    /// `authoritative_negatives`. `None`: not known, so nothing is ever sent again without a person.
    pub visibility_bound: Option<Duration>,
    /// Whether "there is none" is a reliable word of this carrier. `false` where it may keep records back.
    pub authoritative_negatives: bool,
}

/// How what became of a submission can be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionClass {
    /// The carrier knows the same request again and answers it as the first time. The same bytes may be sent again.
    Idempotent {
        /// For how long after the first time.
        window: Duration,
    },
    /// An inquiry by our own reference finds exactly this submission.
    ExactInquiry,
    /// An inquiry by patient, provider, dates and codes finds submissions that look like this one.
    FuzzyInquiry,
    /// Nothing can be asked: a person has to find out.
    Blind,
}

/// The one request that commits, ready to be sent and to be written down. It may hold markers, never a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// HTTP method.
    pub method: String,
    /// Address.
    pub uri: String,
    /// Header lines in the order they are sent, as connector and carrier file set them; the host adds its own.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(serialize_with = "as_base64", deserialize_with = "from_base64")]
    pub body: Vec<u8>,
    /// The word of the markers in it ([`crate::context::Marker`]): a host that sends this must lend a [`Context`] with
    /// the same word.
    pub marker_word: String,
    /// The numbers by which we and the carrier can speak of this one message: `isa13`, `gs06`, `st02`, `trn02`,
    /// `payload_id`. Free of meaning.
    pub control_numbers: BTreeMap<String, String>,
}

impl Prepared {
    /// Takes a request apart.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a header is no text.
    pub fn new(ctx: &Context, request: &Request<Bytes>, control_numbers: BTreeMap<String, String>) -> Result<Self> {
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).map_err(|_| unsendable());
        let header = |(name, value): (&HeaderName, &HeaderValue)| Ok((name.as_str().to_owned(), text(value)?));
        Ok(Self {
            method: request.method().as_str().to_owned(),
            uri: request.uri().to_string(),
            headers: request.headers().iter().map(header).collect::<Result<_>>()?,
            body: request.body().to_vec(),
            marker_word: ctx.marker_word().to_owned(),
            control_numbers,
        })
    }

    /// The request again, byte for byte.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when this was not made by [`Prepared::new`].
    pub fn request(&self) -> Result<Request<Bytes>> {
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| unsendable())?;
        let mut request = Request::builder().method(method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(self.body.clone())).map_err(|_| unsendable())
    }
}

fn unsendable() -> Error {
    Error::new(ErrorKind::Internal, "The prepared request is no HTTP request.")
}

/// Shows neither address nor body: they are about a patient.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("body_bytes", &self.body.len())
            .field("control_numbers", &self.control_numbers)
            .finish_non_exhaustive()
    }
}

fn as_base64<S: Serializer>(body: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(body))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(|_| serde::de::Error::custom("the body is no Base64"))
}

/// The carrier's proof that it has a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The carrier's own number for it.
    pub reference: Phi<String>,
    /// What kind of number that is: `certification`, `tracking`, `trace`, `interchange`. Fixed words.
    pub kind: String,
}

impl Receipt {
    /// A receipt by this number.
    pub fn new(kind: &'static str, reference: impl Into<Phi<String>>) -> Self {
        Self { reference: reference.into(), kind: kind.to_owned() }
    }
}

/// What became of a committing request.
#[derive(Clone, Debug)]
pub enum Commit {
    /// The carrier has it.
    Accepted {
        /// Its proof.
        receipt: Receipt,
        /// What it said of it.
        answer: Box<Authorization>,
    },
    /// The carrier turned it away and keeps nothing of it: it may be mended and sent again.
    RefusedNoEffect {
        /// Why.
        refusal: Refusal,
    },
    /// Nothing of it left us; or the carrier's door stayed shut before anything was looked at (a refused credential, a
    /// limit of calls), which is nothing that the ask could mend. A host may take the second for [`Commit::Unknown`].
    NotSent {
        /// Why.
        error: Error,
    },
    /// Nobody can say. The host turns this into "not sent" where its own record shows that no byte left.
    Unknown {
        /// What went wrong.
        error: Error,
    },
}

/// What the carrier says of an earlier submission.
#[derive(Clone, Debug)]
pub enum Inquiry {
    /// It has exactly this one.
    Present {
        /// Its proof.
        receipt: Receipt,
        /// What it says of it.
        answer: Box<Authorization>,
    },
    /// It has none. How much that proves, [`SubmissionPromise`] tells.
    Absent,
    /// Several, or something else, or it would not say: a person has to look.
    Ambiguous {
        /// Which, in a fixed word: `several`, `other_reference`, `withheld`, `refused`.
        why: &'static str,
    },
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    #[test]
    fn what_is_prepared_comes_back_byte_for_byte_and_shows_no_patient() {
        let host = FakeHost::new(|_, _| unreachable!("nothing is sent"));
        let request = Request::put("https://edi.acme.example/submit?x=1")
            .header("content-type", "a/b")
            .header("x-two", "1")
            .header("x-two", "2")
            .body(Bytes::from_static(b"ZANZIBAR \x00\xff"))
            .unwrap();
        let numbers = BTreeMap::from([("isa13".to_owned(), "7".to_owned())]);
        let prepared = Prepared::new(&host.context(), &request, numbers).unwrap();
        assert_eq!(prepared.marker_word, FakeHost::MARKER_WORD);
        let stored = serde_json::to_string(&prepared).unwrap();
        let back: Prepared = serde_json::from_str(&stored).unwrap();
        assert_eq!(back, prepared);
        let again = back.request().unwrap();
        assert_eq!(
            (again.method(), again.uri(), again.headers(), again.body()),
            (request.method(), request.uri(), request.headers(), request.body())
        );
        assert!(!format!("{prepared:?}").contains("ZANZIBAR") && format!("{prepared:?}").contains("isa13"));
        assert!(serde_json::from_str::<Prepared>(&stored.replace("WkFO", "%%%%")).is_err());
    }
}
