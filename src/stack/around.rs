//! What every layer between the audit and the dispatch has in common, written once: a layer is what it does with a
//! question and the inside.

use std::convert::Infallible;
use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::{Inner, Pending, Question, Told};

/// One layer's duty.
pub(crate) trait Duty: Clone + Send + Sync + 'static {
    /// Passes the question to the inside, or does not, and gives back what came of it.
    fn pass<S: Inner>(self, inner: S, question: Question) -> impl Future<Output = Told> + Send + 'static;
}

/// A duty as a tower layer.
#[derive(Clone)]
pub(crate) struct Around<D>(pub D);

impl<D: Clone, S> Layer<S> for Around<D> {
    type Service = Wrapped<D, S>;

    fn layer(&self, inner: S) -> Wrapped<D, S> {
        Wrapped { duty: self.0.clone(), inner }
    }
}

/// A duty around its inside. Always ready: it waits inside `call`.
#[derive(Clone)]
pub(crate) struct Wrapped<D, S> {
    duty: D,
    inner: S,
}

impl<D: Duty, S: Inner> Service<Question> for Wrapped<D, S> {
    type Response = Told;
    type Error = Infallible;
    type Future = Pending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, question: Question) -> Pending {
        let (duty, inner) = (self.duty.clone(), self.inner.clone());
        Box::pin(async move { Ok(duty.pass(inner, question).await) })
    }
}
