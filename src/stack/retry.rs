//! Asks again where that is safe: only failures the connector calls safe, only within the deadline, and only while a
//! budget lasts, so that a carrier that is down is not asked twice as often as one that works.

use std::sync::Arc;
use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Retry};
use tokio::time::Instant;
use tower::retry::budget::{Budget, TpsBudget};

use super::around::Duty;
use super::{Inner, Question, Told, ask};

/// A wait the carrier asks for is honoured up to this; longer ones go back to the caller.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// First pause before asking again; doubles with each attempt.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Retries within one carrier's budget.
#[derive(Clone)]
pub struct RetryLayer {
    attempts_max: u32,
    jitter: Duration,
    budget: Arc<TpsBudget>,
}

impl RetryLayer {
    /// At most `attempts_max` attempts; pauses grow from 100 ms, plus at most `jitter`.
    pub fn new(attempts_max: u32, jitter: Duration) -> Self {
        // One retry for every five questions in the last ten seconds, and one a second however few there were.
        let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 1, 0.2));
        Self { attempts_max, jitter, budget }
    }
}

impl Duty for RetryLayer {
    async fn pass<S: Inner>(self, inner: S, question: Question) -> Told {
        self.budget.deposit();
        let mut attempt = 1;
        loop {
            let told = ask(inner.clone(), question.clone()).await;
            let Err(error) = &told.said else { return told };
            let Some(pause) = self.pause_before_next(error, attempt) else { return told };
            let fits = Instant::now() + pause < question.deadline;
            if attempt >= self.attempts_max || !fits || !self.budget.withdraw() {
                return spent(told, attempt);
            }
            tracing::debug!(error.kind = error.kind.name(), attempt, "asking the carrier again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

impl RetryLayer {
    /// How long to wait before the next attempt; `None` when this failure must not be tried again here.
    fn pause_before_next(&self, error: &Error, attempt: u32) -> Option<Duration> {
        match error.retry {
            // The breaker stands inside so that an open circuit ends the loop: the caller hears of it at once.
            _ if error.kind == ErrorKind::CircuitOpen => None,
            Retry::Safe => Some(PAUSE_FIRST * 2u32.saturating_pow(attempt - 1).min(32) + self.random_share()),
            Retry::After(wait) if wait <= WAIT_MAX => Some(wait + self.random_share()),
            Retry::After(_) | Retry::Never | Retry::Spent => None,
        }
    }

    fn random_share(&self) -> Duration {
        // The low bits of a random UUID spread well enough for a pause.
        let (_, low) = uuid::Uuid::now_v7().as_u64_pair();
        self.jitter.mul_f64(f64::from(u16::try_from(low & 0xffff).unwrap_or(0)) / 65_536.0)
    }
}

/// A safe failure that was tried as often as allowed is marked so; a wait the carrier asked for stays for the caller.
fn spent(mut told: Told, attempts: u32) -> Told {
    if let Err(error) = &mut told.said {
        if error.retry == Retry::Safe && attempts > 1 {
            error.retry = Retry::Spent;
        }
        error.facts.push(("attempts", connector_sdk::error::Plain::into_fact(attempts)));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tower::Layer;

    use super::*;
    use crate::stack::around::Around;
    use crate::stack::tests::question;

    async fn attempts_at(error: Error, attempts_max: u32) -> (u32, Told) {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let inside = tower::service_fn(move |_: Question| {
            counted.fetch_add(1, Ordering::SeqCst);
            let error = error.clone();
            async move { Ok::<_, Infallible>(Told::failed(error)) }
        });
        let service = Around(RetryLayer::new(attempts_max, Duration::ZERO)).layer(inside);
        let told = ask(service, question(Duration::from_secs(30))).await;
        (calls.load(Ordering::SeqCst), told)
    }

    #[tokio::test(start_paused = true)]
    async fn a_safe_failure_is_tried_again_and_then_marked_spent() {
        let (calls, told) = attempts_at(Error::new(ErrorKind::CarrierUnavailable, "x"), 2).await;
        assert_eq!(calls, 2);
        assert_eq!(told.said.unwrap_err().retry, Retry::Spent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_login_is_tried_once() {
        let (calls, _) = attempts_at(Error::new(ErrorKind::CredentialRejected, "x"), 5).await;
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_goes_back_to_the_caller() {
        let (calls, told) = attempts_at(Error::new(ErrorKind::CarrierClosed, "x"), 5).await;
        assert_eq!(calls, 1);
        assert!(matches!(told.said.unwrap_err().retry, Retry::After(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_ends_the_loop() {
        let open = Error::new(ErrorKind::CircuitOpen, "x").retry(Retry::After(Duration::from_secs(1)));
        let (calls, told) = attempts_at(open, 5).await;
        assert_eq!(calls, 1);
        assert!(matches!(told.said.unwrap_err().retry, Retry::After(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_ends_retries_when_everything_fails() {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let inside = tower::service_fn(move |_: Question| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, Infallible>(Told::failed(Error::new(ErrorKind::CarrierUnavailable, "x"))) }
        });
        let service = Around(RetryLayer::new(3, Duration::ZERO)).layer(inside);
        let all = (0..100).map(|_| ask(service.clone(), question(Duration::from_secs(30))));
        futures_util::future::join_all(all).await;
        let calls = calls.load(Ordering::SeqCst);
        assert!((100..=150).contains(&calls), "{calls} calls for 100 questions");
    }
}
