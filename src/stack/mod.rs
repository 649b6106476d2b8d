//! The question plane: what one question passes through, whatever the operation and the carrier.
//!
//! The order stands in [`assemble`] and nowhere else. Below it lies the HTTP plane ([`crate::wire`]), which one question
//! may use several times.

mod around;
mod audit;
mod breaker;
mod cache;
mod deadline;
mod dispatch;
mod envelope;
mod ledger;
mod pause;
pub mod pulse;
mod retry;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connector_sdk::context::Warning;
use connector_sdk::{BoxFuture, EligibilityAnswer, EligibilityRequest, Error, Operation, Outcome};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

pub use audit::Ledger;
pub use breaker::{Breaker, BreakerState, Look};
pub use cache::AnswerCache;
pub(crate) use dispatch::trace_number;
pub use envelope::{Envelope, Failure, Freshness, Note, OutcomeWord, RetryAdvice, Source, Timing};
pub use ledger::{ExchangeView, MessageView};
pub use pulse::Pulse;

use around::Around;

use crate::carriers::Carrier;
use crate::identity::Caller;
use crate::pauses::Pauses;
use crate::wire::{Exchange, Wire};

/// One question on its way to a carrier. Cheap to clone: layers pass it on.
#[derive(Clone)]
pub struct Question {
    /// Our id for it, a UUIDv7.
    pub id: Arc<str>,
    /// The batch it belongs to, for its record.
    pub batch: Option<Arc<str>>,
    /// Who asks. The practice is part of every key below.
    pub caller: Arc<Caller>,
    /// What is asked, with only the fields this carrier needs. How old an answer may be and in which lane it waits stand
    /// below: they are no part of the question, and the same question must meet the same saved answer.
    pub ask: Arc<Ask>,
    /// The set of member fields the carrier is asked to search by; empty where its file names no sets.
    pub searched_by: Arc<[String]>,
    /// Front desk or overnight.
    pub lane: connector_sdk::ask::Lane,
    /// When it came in; a saved answer is as old as this minus its `as_of`.
    pub asked_at: Timestamp,
    /// The oldest saved answer that will do.
    pub max_age: Option<Duration>,
    /// When it must be answered.
    pub deadline: Instant,
    /// Today where the practice is.
    pub today: Date,
    /// When the clock of `timing.total_ms` started.
    pub started: Instant,
}

/// The closed list of operations, with what each asks.
#[derive(Clone, Debug, serde::Serialize)]
pub enum Ask {
    /// Is the patient covered, and what for.
    Eligibility(EligibilityRequest),
}

impl Ask {
    /// Which operation it is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Eligibility(_) => Operation::Eligibility,
        }
    }
}

/// What the carrier said to an [`Ask`].
#[derive(Clone, Debug)]
pub enum Said {
    /// To an eligibility question.
    Eligibility(Outcome<Arc<EligibilityAnswer>>),
}

/// The question a carrier's word was first told to. What repeats it later is kept as a reference to it.
#[derive(Debug)]
pub struct FirstTold {
    question: Arc<str>,
    kept: AtomicBool,
}

impl FirstTold {
    /// By this question's id; not kept yet.
    pub fn new(question: Arc<str>) -> Self {
        Self { question, kept: AtomicBool::new(false) }
    }

    /// Its envelope is durable now.
    pub fn kept(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// The question's id, once its envelope is durable. Before that nothing may refer to it: twins that wait for the
    /// same call can be kept before it is, and it may fail to be.
    pub fn question(&self) -> Option<&str> {
        self.kept.load(Ordering::Acquire).then_some(&*self.question)
    }
}

/// What came of a question, with what the layers know about it.
#[derive(Clone)]
pub struct Told {
    /// The carrier's word, or why there is none.
    pub said: Result<Arc<Said>, Error>,
    /// Our trace number at the carrier.
    pub trace: String,
    /// When the carrier said it.
    pub as_of: Timestamp,
    /// Whether it was saved before.
    pub cached: bool,
    /// The question it was first told to; set by the cache.
    pub first: Option<Arc<FirstTold>>,
    /// Until when it counts as fresh.
    pub stale_after: Option<Timestamp>,
    /// Time spent waiting for our own limits.
    pub queued: Duration,
    /// Time spent with the carrier.
    pub carrier_time: Duration,
    /// Which credential was used.
    pub credential: Option<String>,
    /// The evidence's id, where bytes were exchanged.
    pub evidence: Option<String>,
    /// What was exchanged, with markers where secrets stood. Empty for a saved answer.
    pub exchanges: Arc<Vec<Exchange>>,
    /// What is worth telling beside the answer.
    pub warnings: Vec<Warning>,
}

impl Told {
    /// A failure before anything was exchanged.
    pub fn failed(error: Error) -> Self {
        Self {
            said: Err(error),
            trace: String::new(),
            as_of: Timestamp::now(),
            cached: false,
            first: None,
            stale_after: None,
            queued: Duration::ZERO,
            carrier_time: Duration::ZERO,
            credential: None,
            evidence: None,
            exchanges: Arc::new(Vec::new()),
            warnings: Vec::new(),
        }
    }
}

/// A carrier's assembled plane. Clone it and call it once per question.
pub type Stack = BoxCloneSyncService<Question, Arc<Envelope>, Infallible>;

/// A layer's inside: always ready, never fails (a failure is a [`Told`]), clones share their state.
pub(crate) trait Inner:
    Service<Question, Response = Told, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}
impl<S> Inner for S where
    S: Service<Question, Response = Told, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

/// What a layer's `call` returns.
pub(crate) type Pending = BoxFuture<'static, Result<Told, Infallible>>;

/// Asks the inside once.
pub(crate) async fn ask<S: Inner>(inner: S, question: Question) -> Told {
    match inner.oneshot(question).await {
        Ok(told) => told,
        Err(never) => match never {},
    }
}

/// What all carriers' stacks share.
#[derive(Clone)]
pub struct Shared {
    /// Saved answers of all carriers.
    pub cache: Arc<AnswerCache>,
    /// Where records and answers are kept.
    pub ledger: Arc<dyn Ledger>,
    /// How long a retry waits at most; `ZERO` in tests.
    pub retry_jitter: Duration,
    /// What is known and wished about the carriers.
    pub care: Care,
}

/// What is known and wished about the carriers, beside their files.
#[derive(Clone, Default)]
pub struct Care {
    /// How they did lately.
    pub pulse: Arc<Pulse>,
    /// Which of them a practice has paused; `None`: none, and none can be.
    pub pauses: Option<Arc<Pauses>>,
}

/// Puts one carrier's plane together, once per load of its file. **The order of layers lives here**, outermost first.
pub fn assemble(carrier: &Arc<Carrier>, wire: Wire, shared: &Shared) -> (Stack, Arc<breaker::Breaker>) {
    let breaker = Arc::new(breaker::Breaker::new(carrier.limits.breaker_failures, carrier.limits.breaker_open));
    let plane = tower::ServiceBuilder::new()
        // Outermost: saved answers and failures get a record too, and no answer leaves without one.
        .layer(audit::AuditLayer::new(carrier.clone(), shared.ledger.clone(), shared.care.pulse.clone()))
        // One absolute deadline; inside it time only shrinks, so that retries cannot outlive the caller.
        .layer(Around(deadline::DeadlineLayer))
        // Before the limits: a saved answer costs the carrier nothing and survives an open circuit. Joins twins.
        .layer(Around(cache::CacheLayer::new(carrier.clone(), shared.cache.clone())))
        // Behind the saved answers, which are still shown; before everything that reaches the carrier.
        .layer(Around(pause::PauseLayer::new(carrier.clone(), shared.care.pauses.clone())))
        // The connector says what kind of failure it was, the host whether to try again.
        .layer(Around(retry::RetryLayer::new(carrier.limits.attempts_max, shared.retry_jitter)))
        // Inside retry, so that an open circuit ends the loop.
        .layer(Around(breaker::BreakerLayer::new(breaker.clone())))
        // Innermost: one attempt, one time-out, the single match over operations.
        .service(dispatch::Dispatch::new(carrier.clone(), wire));
    (BoxCloneSyncService::new(plane), breaker)
}

#[cfg(test)]
pub(crate) mod tests;
