//! One record per question, written before the answer leaves. No record, no answer. A question that was not even put
//! (a problem in it, a scope that lacks) is recorded by the API.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use connector_sdk::{BoxFuture, Error, ErrorKind};
use tower::{Layer, Service};

use super::envelope::Envelope;
use super::pulse::Pulse;
use super::{Inner, Question, Told, ask};
use crate::carriers::Carrier;
use crate::wire::Exchange;

/// Where a question's end is kept: the envelope, the evidence and the record, in one durable step.
pub trait Ledger: Send + Sync + 'static {
    /// Keeps them. Returns only after they are durable. `first` is the id of an earlier question of the same practice
    /// whose envelope is durable and holds the very same answer: then a reference to it may be kept in its place.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when they could not be kept; then the answer must not leave.
    fn keep<'a>(
        &'a self,
        question: &'a Question,
        envelope: &'a Envelope,
        exchanges: &'a [Exchange],
        first: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Why nothing may be asked at all now, where that is so.
    fn held(&self) -> Option<Error> {
        None
    }
}

/// The outermost layer of a carrier's plane.
#[derive(Clone)]
pub struct AuditLayer {
    carrier: Arc<Carrier>,
    ledger: Arc<dyn Ledger>,
    pulse: Arc<Pulse>,
}

impl AuditLayer {
    /// Records for this carrier into this ledger, and counts.
    pub fn new(carrier: Arc<Carrier>, ledger: Arc<dyn Ledger>, pulse: Arc<Pulse>) -> Self {
        Self { carrier, ledger, pulse }
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = Auditing<S>;

    fn layer(&self, inner: S) -> Auditing<S> {
        Auditing { inner, layer: self.clone() }
    }
}

/// See [`AuditLayer`].
#[derive(Clone)]
pub struct Auditing<S> {
    inner: S,
    layer: AuditLayer,
}

impl<S: Inner> Service<Question> for Auditing<S> {
    type Response = Arc<Envelope>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Arc<Envelope>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, question: Question) -> Self::Future {
        let (inner, layer) = (self.inner.clone(), self.layer.clone());
        Box::pin(async move {
            let under_way = layer.pulse.enter(question.caller.practice(), &layer.carrier.id);
            let told = match layer.ledger.held() {
                Some(error) => Told::failed(error),
                None => ask(inner, question.clone()).await,
            };
            let envelope = Envelope::of(&question, &layer.carrier, &told);
            let first = told.first.as_ref().filter(|_| told.cached).and_then(|first| first.question());
            let kept = layer.ledger.keep(&question, &envelope, &told.exchanges, first).await;
            if let (Ok(()), Some(first), false) = (&kept, &told.first, told.cached) {
                first.kept();
            }
            if let Err(error) = kept {
                tracing::error!(error = %error, "the paper trail could not be written; the answer is withheld");
                let withheld =
                    Error::new(ErrorKind::Internal, "The paper trail could not be written, so no answer leaves.");
                return Ok(Arc::new(Envelope::of(&question, &layer.carrier, &Told::failed(withheld))));
            }
            drop(under_way);
            layer.pulse.told(question.caller.practice(), &envelope);
            observe(&envelope);
            Ok(Arc::new(envelope))
        })
    }
}

/// Counts and times the question. Labels come from closed sets and from the configuration.
fn observe(envelope: &Envelope) {
    let kind = envelope.failure.as_ref().map_or("none", |failure| failure.kind.name());
    let labels = [
        ("carrier", envelope.carrier.clone()),
        ("operation", envelope.operation.name().to_owned()),
        ("outcome", envelope.outcome.name().to_owned()),
        ("failure", kind.to_owned()),
        ("cached", envelope.freshness.cached.to_string()),
    ];
    metrics::counter!("portico_asks_total", &labels).increment(1);
    let seconds = f64::from(u32::try_from(envelope.timing.total_ms).unwrap_or(u32::MAX)) / 1000.0;
    metrics::histogram!("portico_ask_seconds", "carrier" => envelope.carrier.clone()).record(seconds);
    tracing::info!(
        ask = %envelope.id,
        carrier = %envelope.carrier,
        operation = envelope.operation.name(),
        outcome = envelope.outcome.name(),
        failure = kind,
        cached = envelope.freshness.cached,
        total_ms = envelope.timing.total_ms,
        "question answered"
    );
}
