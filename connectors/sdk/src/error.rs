//! Why there is no outcome, grouped by **who must act**.
//!
//! A message is `&'static str` and a fact is a number, a fixed word or a position: text that came from a carrier or a
//! patient cannot enter an error, by type. What is worth keeping of an exchange is kept, sealed, as evidence.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it was. The name is what callers see as `failure.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The ask itself cannot be sent to this carrier (a value the wire format cannot carry, say).
    RequestInvalid,
    /// The caller may not do this.
    NotPermitted,
    /// No such carrier.
    CarrierUnknown,
    /// The carrier does not offer this operation, or not with these inputs.
    Unsupported,
    /// The practice has stored no credential for this carrier, or a field of it is missing.
    CredentialMissing,
    /// The carrier refused the credential, or it is stopped since it did.
    CredentialRejected,
    /// The carrier shows a page that only a person may answer: captcha, terms of use, forced password change.
    NeedsPerson,
    /// Could not be reached, reset the connection, or said that it is out of order.
    CarrierUnavailable,
    /// Did not answer in time.
    CarrierTimeout,
    /// Said that we ask too much.
    CarrierThrottled,
    /// Outside its hours or in announced maintenance.
    CarrierClosed,
    /// A person of the practice has paused it: nothing is asked there until somebody resumes it.
    CarrierPaused,
    /// Its TLS certificate does not prove that it is the carrier.
    CarrierUntrusted,
    /// The reply belongs to another question or another member. It is not shown.
    AnswerMismatch,
    /// The reply cannot be read, is larger than the limit, or the envelope was rejected (TA1, 999): the carrier changed
    /// something, or the carrier file does not fit.
    ProtocolBroken,
    /// The carrier pointed to a host that its file does not list.
    EgressRefused,
    /// Our own limit for this carrier leaves no room in time.
    Overloaded,
    /// The carrier has failed repeatedly and is left alone for a while.
    CircuitOpen,
    /// The caller's deadline passed.
    DeadlineExceeded,
    /// The gateway cannot write down what happens: its disk or its database is full, has failed or is gone.
    NotKept,
    /// Our fault.
    Internal,
}

/// Who must act to mend a failure. The name is what callers see as `failure.who_acts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhoActs {
    /// Whoever sent the request.
    Caller,
    /// The practice's administrator (credentials, paused carriers).
    PracticeAdmin,
    /// A person at the practice, at the carrier's own page.
    Person,
    /// The carrier.
    Carrier,
    /// Whoever keeps the carrier file or the connector.
    ConnectorAuthor,
    /// Nobody: wait.
    Wait,
    /// Whoever runs this gateway.
    Gateway,
}

/// Whether the same ask may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Sending the same again cannot help, or may harm (a rejected login).
    Never,
    /// May be sent again at once.
    Safe,
    /// May be sent again after this long.
    After(Duration),
    /// Was sent again as often as allowed.
    Spent,
}

impl ErrorKind {
    /// All kinds, in the order of the reference table.
    pub const ALL: [ErrorKind; 21] = [
        ErrorKind::RequestInvalid,
        ErrorKind::NotPermitted,
        ErrorKind::CarrierUnknown,
        ErrorKind::Unsupported,
        ErrorKind::CredentialMissing,
        ErrorKind::CredentialRejected,
        ErrorKind::NeedsPerson,
        ErrorKind::CarrierUnavailable,
        ErrorKind::CarrierTimeout,
        ErrorKind::CarrierThrottled,
        ErrorKind::CarrierClosed,
        ErrorKind::CarrierPaused,
        ErrorKind::CarrierUntrusted,
        ErrorKind::AnswerMismatch,
        ErrorKind::ProtocolBroken,
        ErrorKind::EgressRefused,
        ErrorKind::Overloaded,
        ErrorKind::CircuitOpen,
        ErrorKind::DeadlineExceeded,
        ErrorKind::NotKept,
        ErrorKind::Internal,
    ];

    /// Who must act.
    pub fn who_acts(self) -> WhoActs {
        match self {
            Self::RequestInvalid | Self::NotPermitted | Self::CarrierUnknown | Self::Unsupported => WhoActs::Caller,
            Self::CredentialMissing | Self::CredentialRejected | Self::CarrierPaused => WhoActs::PracticeAdmin,
            Self::NeedsPerson => WhoActs::Person,
            Self::CarrierUnavailable
            | Self::CarrierTimeout
            | Self::CarrierThrottled
            | Self::CarrierClosed
            | Self::CarrierUntrusted
            | Self::AnswerMismatch => WhoActs::Carrier,
            Self::ProtocolBroken | Self::EgressRefused => WhoActs::ConnectorAuthor,
            Self::Overloaded | Self::CircuitOpen => WhoActs::Wait,
            Self::DeadlineExceeded | Self::NotKept | Self::Internal => WhoActs::Gateway,
        }
    }

    /// What a retry of the same ask may do, unless the place that raised the error knows better.
    pub fn default_retry(self) -> Retry {
        match self {
            Self::CarrierUnavailable | Self::CarrierTimeout => Retry::Safe,
            Self::CarrierThrottled => Retry::After(Duration::from_secs(30)),
            Self::CarrierClosed => Retry::After(Duration::from_secs(900)),
            Self::Overloaded => Retry::After(Duration::from_secs(5)),
            Self::CircuitOpen => Retry::After(Duration::from_secs(30)),
            Self::RequestInvalid
            | Self::NotPermitted
            | Self::CarrierUnknown
            | Self::Unsupported
            | Self::CredentialMissing
            | Self::CredentialRejected
            | Self::NeedsPerson
            | Self::CarrierPaused
            | Self::CarrierUntrusted
            | Self::AnswerMismatch
            | Self::ProtocolBroken
            | Self::EgressRefused
            | Self::DeadlineExceeded
            | Self::NotKept
            | Self::Internal => Retry::Never,
        }
    }

    /// Whether it counts against the carrier in the circuit breaker.
    pub fn counts_against_carrier(self) -> bool {
        match self {
            Self::CarrierUnavailable
            | Self::CarrierTimeout
            | Self::CarrierUntrusted
            | Self::AnswerMismatch
            | Self::ProtocolBroken
            | Self::EgressRefused => true,
            Self::RequestInvalid
            | Self::NotPermitted
            | Self::CarrierUnknown
            | Self::Unsupported
            | Self::CredentialMissing
            | Self::CredentialRejected
            | Self::NeedsPerson
            | Self::CarrierThrottled
            | Self::CarrierClosed
            | Self::CarrierPaused
            | Self::Overloaded
            | Self::CircuitOpen
            | Self::DeadlineExceeded
            | Self::NotKept
            | Self::Internal => false,
        }
    }

    /// The name on the wire: `carrier_timeout`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestInvalid => "request_invalid",
            Self::NotPermitted => "not_permitted",
            Self::CarrierUnknown => "carrier_unknown",
            Self::Unsupported => "unsupported",
            Self::CredentialMissing => "credential_missing",
            Self::CredentialRejected => "credential_rejected",
            Self::NeedsPerson => "needs_person",
            Self::CarrierUnavailable => "carrier_unavailable",
            Self::CarrierTimeout => "carrier_timeout",
            Self::CarrierThrottled => "carrier_throttled",
            Self::CarrierClosed => "carrier_closed",
            Self::CarrierPaused => "carrier_paused",
            Self::CarrierUntrusted => "carrier_untrusted",
            Self::AnswerMismatch => "answer_mismatch",
            Self::ProtocolBroken => "protocol_broken",
            Self::EgressRefused => "egress_refused",
            Self::Overloaded => "overloaded",
            Self::CircuitOpen => "circuit_open",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotKept => "not_kept",
            Self::Internal => "internal",
        }
    }
}

/// A failure: kind, whether to retry, a fixed sentence and plain facts.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// Whether the same ask may be sent again.
    pub retry: Retry,
    /// One sentence for the person who must act. Fixed words: never text from a carrier or a patient.
    pub message: &'static str,
    /// Numbers, fixed words and positions that help to find the cause.
    pub facts: Vec<(&'static str, Fact)>,
}

impl Error {
    /// An error of this kind with the kind's default retry rule.
    pub fn new(kind: ErrorKind, message: &'static str) -> Self {
        Self { kind, retry: kind.default_retry(), message, facts: Vec::new() }
    }

    /// Sets the retry rule.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds one fact. Only plain values are accepted, by type.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Plain) -> Self {
        self.facts.push((name, value.into_fact()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)?;
        for (name, value) in &self.facts {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} (retry {:?})", self.retry)
    }
}

impl std::error::Error for Error {}

/// A plain value inside an error.
#[derive(Clone, PartialEq, Eq)]
pub enum Fact {
    /// A count, a status code, a position, milliseconds.
    Number(i64),
    /// A fixed word.
    Word(&'static str),
    /// An id of ours, free of meaning.
    Id(OurId),
}

/// An id of ours (a UUID), which an error may name: it says nothing about anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OurId(pub u128);

impl fmt::Display for OurId {
    /// As UUIDs are written (RFC 9562, section 4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:032x}", self.0);
        for (place, digit) in text.chars().enumerate() {
            if matches!(place, 8 | 12 | 16 | 20) {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Word(w) => f.write_str(w),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What may stand in an error: integers, status codes, fixed words and ids of ours. Sealed: a `String` can never be one.
pub trait Plain: sealed::Sealed {
    /// The fact itself.
    fn into_fact(self) -> Fact;
}

macro_rules! plain_number {
    ($($t:ty),*) => {$(
        impl sealed::Sealed for $t {}
        impl Plain for $t {
            fn into_fact(self) -> Fact {
                Fact::Number(i64::try_from(self).unwrap_or(i64::MAX))
            }
        }
    )*};
}
plain_number!(i32, i64, u8, u16, u32, u64, usize, u128);

impl sealed::Sealed for &'static str {}
impl Plain for &'static str {
    fn into_fact(self) -> Fact {
        Fact::Word(self)
    }
}

impl sealed::Sealed for OurId {}
impl Plain for OurId {
    fn into_fact(self) -> Fact {
        Fact::Id(self)
    }
}

impl sealed::Sealed for http::StatusCode {}
impl Plain for http::StatusCode {
    fn into_fact(self) -> Fact {
        Fact::Number(i64::from(self.as_u16()))
    }
}

impl sealed::Sealed for Duration {}
impl Plain for Duration {
    /// Milliseconds.
    fn into_fact(self) -> Fact {
        self.as_millis().into_fact()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_serde_writes_and_the_list_is_whole() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
        let distinct: std::collections::HashSet<_> = ErrorKind::ALL.iter().collect();
        assert_eq!(distinct.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn a_rejected_login_is_never_retried() {
        assert_eq!(Error::new(ErrorKind::CredentialRejected, "x").retry, Retry::Never);
    }

    #[test]
    fn an_id_is_written_as_a_uuid() {
        let id = OurId(0x0193_5a4e_0000_7000_8000_0000_0000_00ff);
        assert_eq!(id.to_string(), "01935a4e-0000-7000-8000-0000000000ff");
    }

    #[test]
    fn display_is_kind_message_facts() {
        let error = Error::new(ErrorKind::CarrierUnavailable, "The carrier closed the connection.").fact("status", 503);
        assert_eq!(error.to_string(), "carrier_unavailable: The carrier closed the connection. status=503");
    }
}
