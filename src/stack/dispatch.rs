//! One attempt: opens the wire, calls the operation, keeps what was exchanged. Holds the single match over operations.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use connector_sdk::{EligibilityRequest, Error, ErrorKind, Outcome, Retry, summary};
use jiff::Timestamp;
use tokio::time::Instant;
use tower::Service;

use super::{Ask, Pending, Question, Said, Told};
use crate::carriers::Carrier;
use crate::trail::new_evidence_id;
use crate::wire::{Attempt, AttemptHandle, Wire};

/// An attempt ends this much before the question's deadline, so that its own error gets out.
const MARGIN: Duration = Duration::from_millis(50);

/// The innermost service of a carrier's plane.
#[derive(Clone)]
pub struct Dispatch {
    carrier: Arc<Carrier>,
    wire: Wire,
}

impl Dispatch {
    /// Attempts at this carrier through this wire.
    pub fn new(carrier: Arc<Carrier>, wire: Wire) -> Self {
        Self { carrier, wire }
    }

    async fn attempt(self, question: Question) -> Told {
        if let Err(error) = open_now(&self.carrier) {
            return Told::failed(error);
        }
        let last = question.deadline.checked_sub(MARGIN).unwrap_or(question.deadline);
        let ends = (Instant::now() + self.carrier.limits.attempt_timeout).min(last);
        let trace = trace_number();
        let attempt = Attempt {
            practice: question.caller.practice().clone(),
            lane: question.lane,
            deadline: ends,
            trace: trace.clone(),
            today: question.today,
        };
        let handle = match self.wire.attempt(attempt) {
            Ok(handle) => handle,
            Err(error) => return Told { trace, ..Told::failed(error) },
        };
        let started = Instant::now();
        handle.wait_for_people(last);
        let said = self.in_time(&handle, &question, ends).await.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::CarrierTimeout, "The carrier did not answer in time.")
                .fact("waited_ms", started.elapsed()))
        });
        match &said {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::CredentialRejected => handle.reject_credential().await,
            Err(_) => handle.no_outcome(),
        }
        let attempted = handle.finish();
        Told {
            evidence: (!attempted.exchanges.is_empty()).then(new_evidence_id),
            said: said.map(Arc::new),
            trace,
            as_of: Timestamp::now(),
            cached: false,
            first: None,
            stale_after: None,
            carrier_time: started.elapsed().saturating_sub(attempted.queued),
            queued: attempted.queued,
            credential: attempted.credential_id,
            exchanges: Arc::new(attempted.exchanges),
            warnings: attempted.warnings,
        }
    }

    /// `None` when the time is over. It moves while a person is waited for.
    async fn in_time(
        &self,
        handle: &AttemptHandle,
        question: &Question,
        mut ends: Instant,
    ) -> Option<Result<Said, Error>> {
        let mut saying = std::pin::pin!(self.say(handle, question));
        loop {
            match tokio::time::timeout_at(ends, saying.as_mut()).await {
                Ok(said) => return Some(said),
                Err(_) if handle.deadline() > ends => ends = handle.deadline(),
                Err(_) => return None,
            }
        }
    }

    /// The single match over operations.
    async fn say(&self, handle: &AttemptHandle, question: &Question) -> Result<Said, Error> {
        match &*question.ask {
            Ask::Eligibility(ask) => self.eligibility(handle, ask, question).await.map(Said::Eligibility),
        }
    }

    async fn eligibility(
        &self,
        handle: &AttemptHandle,
        ask: &EligibilityRequest,
        question: &Question,
    ) -> Result<Outcome<Arc<connector_sdk::EligibilityAnswer>>, Error> {
        let operation = self.carrier.connector.eligibility().filter(|_| self.carrier.offers.eligibility);
        let operation = operation
            .ok_or_else(|| Error::new(ErrorKind::Unsupported, "This carrier does not offer eligibility questions."))?;
        let outcome = operation.check(&handle.context(), ask).await?;
        Ok(match outcome {
            Outcome::Answered(facts) => {
                Outcome::Answered(Arc::new(summary::complete(facts, Some(ask), question.today)))
            }
            Outcome::Refused(mut refusal) => {
                refusal.other_searches = self.carrier.form.other_searches(&question.searched_by);
                Outcome::Refused(refusal)
            }
        })
    }
}

fn open_now(carrier: &Carrier) -> Result<(), Error> {
    let now = Timestamp::now();
    let Some(until) = carrier.hours.closed_until(now) else { return Ok(()) };
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::from_secs(60));
    Err(Error::new(ErrorKind::CarrierClosed, "The carrier is closed at this hour, as its file says.")
        .retry(Retry::After(wait)))
}

/// Twenty letters and digits, unique and free of meaning: the time in milliseconds and 62 random bits, base 36.
pub(crate) fn trace_number() -> String {
    let (_, random) = uuid::Uuid::now_v7().as_u64_pair();
    let millis = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let mut text = base36(millis, 8);
    text.push_str(&base36(random & 0x3fff_ffff_ffff_ffff, 12));
    text
}

fn base36(mut value: u64, width: usize) -> String {
    const DIGITS: [char; 36] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L',
        'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    ];
    let mut digits = Vec::with_capacity(width);
    for _ in 0..width {
        digits.push(DIGITS[usize::try_from(value % 36).unwrap_or(0)]);
        value /= 36;
    }
    digits.iter().rev().collect()
}

impl Service<Question> for Dispatch {
    type Response = Told;
    type Error = Infallible;
    type Future = Pending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, question: Question) -> Pending {
        let this = self.clone();
        Box::pin(async move { Ok(this.attempt(question).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_short_plain_and_distinct() {
        let traces: std::collections::HashSet<String> = (0..10_000).map(|_| trace_number()).collect();
        assert_eq!(traces.len(), 10_000);
        assert!(traces.iter().all(|t| t.len() == 20 && t.bytes().all(|b| b.is_ascii_alphanumeric())));
    }
}
