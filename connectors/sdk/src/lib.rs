//! What a carrier connector is written against.
//!
//! Three sentences to hold on to:
//! 1. A **connector is a translator**: it turns a typed ask into requests and replies into a typed answer.
//!    The host owns every socket, secret, clock and policy.
//! 2. A **dialect is Rust, a carrier is TOML**: few ways of speaking, many insurers.
//! 3. **Operations are a closed list, connectors an open one**: an `enum` for the first, a trait object for the second.
//!
//! Read in this order: [`ask`] (what is asked), [`connector`] (who answers), [`context`] (what the host lends while
//! it does), [`outcome`] and [`answer`] (what comes back), [`submission`] (asks that have an effect), [`error`] (when nothing comes back), [`summary`] (the
//! plain words made from the facts), [`prompt`] (what a person must answer),
//! [`settings`] (a carrier file's own part).
//!
//! Invariants, each backed by a test in the host's `tests/gateway/architecture.rs`:
//! - nothing here, and nothing in a connector, opens a socket, sleeps, spawns or reads a clock of its own;
//! - a secret never reaches a connector: it places a [`context::Marker`], the host swaps it just before the bytes leave;
//! - text that came from a patient or a carrier is [`phi::Phi`] or stays out of every error, log line and `Debug`.

pub mod answer;
pub mod ask;
pub mod connector;
pub mod context;
pub mod error;
pub mod outcome;
pub mod phi;
pub mod prompt;
pub mod settings;
pub mod submission;
pub mod summary;
#[cfg(feature = "testing")]
pub mod testing;

pub use answer::{EligibilityAnswer, EligibilityFacts};
pub use ask::{AuthorizationRequest, EligibilityRequest};
pub use connector::{
    Connector, CredentialField, Eligibility, EligibilityLimits, FormSignIn, Operation, Registration, SignIn,
};
pub use context::{Context, Escape, Host, Secret};
pub use error::{Error, ErrorKind, Result, Retry, WhoActs};
pub use outcome::{CarrierCode, Outcome, Refusal, RefusalReason};
pub use phi::Phi;
pub use prompt::{Picture, Prompt, PromptKind};
pub use settings::{Settings, SettingsProblem};
pub use submission::{Commit, Inquiry, Prepared, Receipt, SubmissionClass, SubmissionPromise, Submissions};

/// A boxed, sendable future: what every asynchronous method of the interface returns.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// What one operation gives back: the carrier's outcome, or the reason why there is none.
pub type Answer<'a, T> = BoxFuture<'a, Result<Outcome<T>>>;
