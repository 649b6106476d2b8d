//! One absolute deadline for a question, whatever happens inside.

use connector_sdk::{Error, ErrorKind};

use super::around::Duty;
use super::{Inner, Question, Told, ask};

/// Ends a question at its deadline. Layers inside see the same instant and give up a little earlier, with a kind that
/// says whose fault it was; this one is the net below them.
#[derive(Clone, Copy)]
pub struct DeadlineLayer;

impl Duty for DeadlineLayer {
    async fn pass<S: Inner>(self, inner: S, question: Question) -> Told {
        let deadline = question.deadline;
        tokio::time::timeout_at(deadline, ask(inner, question)).await.unwrap_or_else(|_| {
            Told::failed(Error::new(ErrorKind::DeadlineExceeded, "The time allowed for this question is over."))
        })
    }
}
