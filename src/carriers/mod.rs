//! Carrier files to validated [`Carrier`] values; search; reload.
//!
//! Read in this order: [`file`](mod@file) (what may stand in a carrier file), [`text`] (TOML with the place of every key),
//! [`schema`] (everything wrong at once, in words), [`load`] (one file to one [`Carrier`]), [`reload`] (all of them, and
//! how they change while the gateway runs), [`edit`] (how a person changes one), [`begin`] (how a person makes one who
//! writes no TOML), [`search`], [`form`], [`hours`].

pub mod begin;
pub mod edit;
pub mod file;
pub mod form;
pub mod hours;
pub mod load;
pub mod reload;
pub mod schema;
pub mod search;
mod secrets;
pub mod text;
mod words;

pub use form::Narrowed;
pub use load::Loader;
pub use reload::{CarrierBook, LoadReport, Snapshot};
pub use search::Hit;
pub use text::FileProblem;

use std::sync::Arc;
use std::time::Duration;

use connector_sdk::{Connector, CredentialField, EligibilityLimits, Registration, Submissions};

/// A credential's field with the client certificate, PEM, and those that vouch for it behind it.
pub const CLIENT_CERTIFICATE: &str = "client_certificate";
/// A credential's field with the private key of the client certificate, PEM.
pub const CLIENT_KEY: &str = "client_key";

/// One insurer, as its file in `config/carriers/` has it, with its connector built.
pub struct Carrier {
    /// The file's name without `.toml`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Other names it is searched by.
    pub aliases: Vec<String>,
    /// Payer ids it is known by.
    pub payer_ids: Vec<String>,
    /// Names of its plans, for the search.
    pub plan_names: Vec<String>,
    /// The compiled-in connector's row.
    pub registration: &'static Registration,
    /// The connector, built from `[settings]`.
    pub connector: Arc<dyn Connector>,
    /// The only hosts this carrier may be reached at: `host` (port 443) or `host:port`.
    pub hosts: Vec<String>,
    /// Addresses inside private ranges that are allowed all the same (a clearinghouse VPN), CIDR text. Loopback too.
    pub allow_private: Vec<String>,
    /// A PEM file with the carrier's own certificate authority, where it has one.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether the carrier wants a client certificate: two more fields of the credential.
    pub client_certificate: bool,
    /// Whose credential is used.
    pub credential: CredentialScope,
    /// Operations the file switches off.
    pub offers: Offers,
    /// Bounds.
    pub limits: Limits,
    /// How long answers stay fresh.
    pub cache: CacheRules,
    /// What is done about a submission that it did not answer.
    pub submissions: SubmissionRules,
    /// When it is closed.
    pub hours: Hours,
    /// Whom people call.
    pub support: file::SupportFile,
    /// What its search form needs.
    pub form: FormRules,
    /// Changes whenever the file changes: part of cache keys.
    pub version: u64,
}

impl Carrier {
    /// What an eligibility question may hold here: the connector's limits, narrowed by the file; `None` when this
    /// carrier has no such question.
    pub fn eligibility_limits(&self) -> Option<EligibilityLimits> {
        let limits = self.connector.eligibility().filter(|_| self.offers.eligibility)?.limits();
        Some(EligibilityLimits {
            dependents: limits.dependents && self.offers.dependents,
            service_types_max: limits.service_types_max.min(self.offers.service_types_max),
            procedures: limits.procedures,
        })
    }

    /// Which values the vault must hold for a practice, in the order a person is asked for them: the connector's, then the
    /// client certificate's.
    pub fn credential_fields(&self) -> Vec<CredentialField> {
        let mut fields = self.connector.credential_fields();
        if self.client_certificate {
            fields.push(CredentialField::required(CLIENT_CERTIFICATE, "Client certificate and its chain (PEM)"));
            fields.push(CredentialField::required(CLIENT_KEY, "Private key of the client certificate (PEM)"));
        }
        fields
    }

    /// The carrier's submissions; `None` when it takes none.
    pub fn submissions(&self) -> Option<&dyn Submissions> {
        self.connector.submissions().filter(|_| self.offers.authorizations)
    }
}

/// Whose credential is used at a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialScope {
    /// Each practice has its own.
    PerPractice,
    /// One for the whole gateway (a clearinghouse account).
    Gateway,
}

/// What is left of what the connector offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    /// Eligibility questions.
    pub eligibility: bool,
    /// Dependents.
    pub dependents: bool,
    /// Most service types in one question.
    pub service_types_max: u16,
    /// Submission of authorizations.
    pub authorizations: bool,
}

/// Bounds for one carrier. Every one has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// HTTP requests a minute to the carrier, all practices together.
    pub requests_per_minute: u32,
    /// HTTP requests a minute for one credential.
    pub credential_requests_per_minute: u32,
    /// Requests to the carrier at the same time.
    pub concurrent_max: u32,
    /// Questions at the same time with one credential: 1 for a carrier that lets a login be in one place only.
    pub sessions_per_credential_max: u32,
    /// One attempt at one question, all its requests together.
    pub attempt_timeout: Duration,
    /// The whole question, retries included, unless the caller allows less.
    pub deadline: Duration,
    /// Reply body, after inflating.
    pub body_max_bytes: usize,
    /// Attempts at one question.
    pub attempts_max: u32,
    /// Failures in a row that open the circuit.
    pub breaker_failures: u32,
    /// How long the circuit stays open at first.
    pub breaker_open: Duration,
    /// How long a signed-in session is kept unused.
    pub session_idle: Duration,
}

/// How long answers stay fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheRules {
    /// An answer.
    pub eligibility: Duration,
    /// A refusal.
    pub refusal: Duration,
}

/// What is done about a submission that a carrier did not answer. The rest stands in its connector's promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionRules {
    /// When it is asked after the first time, since its answer was missed; rising.
    pub inquiries_after: Vec<Duration>,
    /// "There is none" is not believed earlier than this, whatever the connector promises.
    pub visibility_bound_min: Duration,
    /// When a person is called in.
    pub escalate_after: Duration,
    /// How long to wait after one that could not be sent, at first.
    pub retry: Duration,
}

/// When a carrier is closed.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    /// Closed windows.
    pub closed: Vec<ClosedWindow>,
}

/// A weekly window in which a carrier is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedWindow {
    /// First day of the week, Monday = 1; `None`: every day.
    pub weekday: Option<i8>,
    /// From this minute of the day …
    pub from_minute: u16,
    /// … to this one; smaller than `from_minute` when it runs past midnight.
    pub to_minute: u16,
    /// IANA time zone.
    pub zone: String,
}

/// What a carrier's search form needs.
#[derive(Clone, Debug, Default)]
pub struct FormRules {
    /// Sets of fields it can search by, best first: names of fields of the member (`member_id`, `date_of_birth` …).
    /// Empty: everything given is sent.
    pub accepts: Vec<Vec<String>>,
    /// Rules of single fields.
    pub fields: Vec<FieldRule>,
    /// Days of service it answers for, relative to today.
    pub service_date: DateWindow,
}

/// The rule of one field.
#[derive(Clone, Debug)]
pub struct FieldRule {
    /// Field of the member.
    pub field: String,
    /// Pattern the value must match as a whole.
    pub pattern: Option<regex_lite::Regex>,
    /// The pattern as the file has it, for web forms.
    pub pattern_text: Option<String>,
    /// What to tell the person who types it.
    pub help: Option<String>,
}

/// Which days of service a carrier answers for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateWindow {
    /// Months back.
    pub back_months: Option<u16>,
    /// Months ahead; 0: not even tomorrow.
    pub forward_months: Option<u16>,
}
