//! One absolute deadline for a question, whatever happens inside.

use std::convert::Infallible;
use std::task::{Context, Poll};

use connector_sdk::{Error, ErrorKind};
use tower::{Layer, Service};

use super::{Inner, Pending, Question, Told, ask};

/// Ends a question at its deadline. Layers inside see the same instant and give up a little earlier, with a kind that
/// says whose fault it was; this one is the net below them.
#[derive(Clone, Copy)]
pub struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

/// See [`DeadlineLayer`].
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
}

impl<S: Inner> Service<Question> for Deadline<S> {
    type Response = Told;
    type Error = Infallible;
    type Future = Pending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, question: Question) -> Pending {
        let inner = self.inner.clone();
        Box::pin(async move {
            let deadline = question.deadline;
            Ok(tokio::time::timeout_at(deadline, ask(inner, question)).await.unwrap_or_else(|_| {
                Told::failed(Error::new(ErrorKind::DeadlineExceeded, "The time allowed for this question is over."))
            }))
        })
    }
}
