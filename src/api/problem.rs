//! Problem documents (RFC 9457) and the one place where an error's kind becomes an HTTP status.

use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use connector_sdk::{Error, ErrorKind, Retry, WhoActs};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gateway::NotAsked;
use crate::identity::Declined;
use crate::store::StoreError;

/// An `application/problem+json` document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// `about:blank`: the title says it all.
    #[serde(rename = "type")]
    kind_uri: &'static str,
    /// HTTP status.
    status: u16,
    /// In a few words.
    title: &'static str,
    /// One sentence: what happened and how to mend it.
    detail: String,
    /// The failure's kind, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<ErrorKind>,
    /// Who must act, where there is a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    who_acts: Option<WhoActs>,
    /// Everything that is wrong with the request, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Earlier submissions that this one looks like, newest first.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    possible_duplicate: Box<[String]>,
    #[serde(skip)]
    retry_after_secs: Option<u64>,
}

impl Problem {
    /// A problem with this status, title and sentence.
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind_uri: "about:blank",
            status: status.as_u16(),
            title,
            detail: detail.into(),
            kind: None,
            who_acts: None,
            errors: Vec::new(),
            possible_duplicate: Box::default(),
            retry_after_secs: None,
        }
    }

    /// Whoever runs the gateway must act.
    #[must_use]
    pub fn by_gateway(self) -> Self {
        Self { who_acts: Some(WhoActs::Gateway), ..self }
    }

    /// The request has these problems.
    pub fn fields(errors: Vec<FieldProblem>) -> Self {
        let detail = match errors.len() {
            1 => "One thing in the request must be mended; no carrier was asked.".to_owned(),
            n => format!("{n} things in the request must be mended; no carrier was asked."),
        };
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "The request has problems", detail) }
    }

    /// It looks like these earlier submissions.
    pub fn possible_duplicate(earlier: Vec<String>) -> Self {
        let detail = "The same services for the same patient were handed in before. If this is meant to be a second one, \
            send it again with ?override= and the id of the earlier one.";
        Self { possible_duplicate: earlier.into(), ..Self::new(StatusCode::CONFLICT, "Possible duplicate", detail) }
    }

    /// The request has these problems and more: `count` in all.
    pub fn some_fields(errors: Vec<FieldProblem>, count: usize) -> Self {
        let listed = errors.len();
        let mut problem = Self::fields(errors);
        if count > listed {
            problem.detail = format!(
                "{count} things in the request must be mended, the first {listed} are listed; no carrier was asked."
            );
        }
        problem
    }

    /// The body is not JSON. The place is named, never the text there.
    pub fn not_json(error: &serde_json::Error) -> Self {
        let detail =
            format!("The body is not JSON: it cannot be read at line {}, column {}.", error.line(), error.column());
        Self::new(StatusCode::BAD_REQUEST, "The body is not JSON", detail)
    }

    /// Nothing can be done until whoever runs this gateway acts.
    pub fn gateway_acts(title: &'static str, detail: &'static str) -> Self {
        Self { who_acts: Some(WhoActs::Gateway), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, title, detail) }
    }

    /// Its HTTP status.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// In a few words.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// One sentence: what happened and how to mend it.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Everything that is wrong with the request.
    pub fn errors(&self) -> &[FieldProblem] {
        &self.errors
    }

    /// When it may be tried again, seconds from now.
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after_secs
    }

    /// There is no such thing, or it belongs to another practice: the two look the same from outside.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", what)
    }

    /// The API key or the person's role lacks a scope.
    pub fn lacks(scope: &str) -> Self {
        let detail = format!("This API key, or your role, lacks the scope `{scope}`.");
        Self::new(StatusCode::FORBIDDEN, "Not permitted", detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(status(error.kind), title(error.kind.who_acts()), error.message);
        problem.kind = Some(error.kind);
        problem.who_acts = Some(error.kind.who_acts());
        if let Retry::After(wait) = error.retry {
            problem.retry_after_secs = Some(wait.as_secs().max(1));
        }
        problem
    }
}

impl From<Declined> for Problem {
    fn from(declined: Declined) -> Self {
        let text = declined.text();
        let new = |status, title| Self::new(status, title, text);
        match declined {
            Declined::WrongPassword | Declined::WrongCode | Declined::TriesUsedUp | Declined::NotValid => {
                new(StatusCode::UNAUTHORIZED, "Not signed in")
            }
            Declined::Wait(wait) => Self {
                // Rounded up: who comes back then is not refused again.
                retry_after_secs: Some(wait.as_secs().saturating_add(1)),
                ..new(StatusCode::TOO_MANY_REQUESTS, "Too many tries")
            },
            Declined::Busy => {
                Self { retry_after_secs: Some(2), ..new(StatusCode::SERVICE_UNAVAILABLE, "Too many at this moment") }
            }
            Declined::Problems(problems) => Self { errors: problems, ..new(StatusCode::UNPROCESSABLE_ENTITY, text) },
            Declined::NotFound => new(StatusCode::NOT_FOUND, "Not found"),
            Declined::MoreThanOwn => new(StatusCode::FORBIDDEN, "Not permitted"),
            Declined::LastAdmin | Declined::OtherPractices | Declined::Already | Declined::NotNow(_) => {
                new(StatusCode::CONFLICT, "Not as things are now")
            }
            Declined::Store(StoreError::Conflict) => new(StatusCode::CONFLICT, "Not as things are now"),
            Declined::Store(error) => Error::from(error).into(),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                format!("A request body may have {} bytes at most.", super::BODY_MAX),
            ),
            _ => Self::new(
                StatusCode::BAD_REQUEST,
                "The body cannot be read",
                "The request's body did not arrive as a whole; send it again.",
            ),
        }
    }
}

impl From<NotAsked> for Problem {
    fn from(not_asked: NotAsked) -> Self {
        match not_asked {
            NotAsked::Problems(problems) => Self::fields(problems),
            NotAsked::Error(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.http_status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")], body)
                .into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

/// The HTTP status of a failure. Total: a new kind does not compile until it has a status.
pub fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::RequestInvalid | ErrorKind::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::NotPermitted => StatusCode::FORBIDDEN,
        ErrorKind::CarrierUnknown => StatusCode::NOT_FOUND,
        ErrorKind::CredentialMissing
        | ErrorKind::CredentialRejected
        | ErrorKind::NeedsPerson
        | ErrorKind::CarrierPaused => StatusCode::FAILED_DEPENDENCY,
        ErrorKind::CarrierUnavailable
        | ErrorKind::CarrierUntrusted
        | ErrorKind::AnswerMismatch
        | ErrorKind::ProtocolBroken
        | ErrorKind::EgressRefused => StatusCode::BAD_GATEWAY,
        ErrorKind::CarrierTimeout | ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::CarrierThrottled | ErrorKind::CarrierClosed | ErrorKind::CircuitOpen | ErrorKind::NotKept => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title(who: WhoActs) -> &'static str {
    match who {
        WhoActs::Caller => "The request cannot be served as it is",
        WhoActs::PracticeAdmin => "Somebody of the practice must act",
        WhoActs::Person => "A person must act at the carrier",
        WhoActs::Carrier => "The carrier gave no usable answer",
        WhoActs::ConnectorAuthor => "The carrier's interface does not fit its file",
        WhoActs::Wait => "Wait and ask again",
        WhoActs::Gateway => "The gateway failed",
    }
}
