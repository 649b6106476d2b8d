//! Leaves a carrier alone that fails again and again: closed, open, probation.
//!
//! Closed: everything passes; `failures` in a row open it. Open: nothing passes until a pause is over (it doubles at
//! each failed probe, up to ten times the first). Probation: one question passes; its fate decides. Only failures that
//! count against the carrier count ([`connector_sdk::ErrorKind::counts_against_carrier`]).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Retry};
use tokio::time::Instant;

use super::around::Duty;
use super::{Inner, Question, Told, ask};

/// How often the pause may double: 2^3 stays under ten times the first.
const DOUBLINGS_MAX: u32 = 3;

/// One carrier's breaker.
pub struct Breaker {
    failures_to_open: u32,
    first_pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, opened: u32 },
    Probation { opened: u32, since: Instant },
}

/// What a page or a metric shows of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Questions pass.
    Closed,
    /// No question passes.
    Open,
    /// One question is let through to see.
    Probation,
}

/// A breaker as a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its state.
    pub state: BreakerState,
    /// Failures in a row, while questions pass.
    pub failures: u32,
    /// Failures in a row that open it.
    pub failures_to_open: u32,
    /// How long no question passes yet.
    pub open_for: Option<Duration>,
}

impl Breaker {
    /// Opens after `failures_to_open` failures in a row (0 is taken as 1), for `first_pause` at first.
    pub fn new(failures_to_open: u32, first_pause: Duration) -> Self {
        Self {
            failures_to_open: failures_to_open.max(1),
            first_pause,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// Its state now.
    pub fn state(&self) -> BreakerState {
        match *self.lock() {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until, .. } if until > Instant::now() => BreakerState::Open,
            State::Open { .. } | State::Probation { .. } => BreakerState::Probation,
        }
    }

    /// Its state and how far it is from the next.
    pub fn look(&self) -> Look {
        let (failures, open_for) = match *self.lock() {
            State::Closed { failures } => (failures, None),
            State::Open { until, .. } => (0, until.checked_duration_since(Instant::now())),
            State::Probation { .. } => (0, None),
        };
        let open_for = open_for.filter(|wait| !wait.is_zero());
        Look { state: self.state(), failures, failures_to_open: self.failures_to_open, open_for }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May a question pass now? An error says how long to wait.
    fn admit(&self) -> Result<(), Error> {
        let now = Instant::now();
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until, opened } if until <= now => {
                *state = State::Probation { opened, since: now };
                Ok(())
            }
            // A probe that was dropped (its caller's deadline) must not block the carrier for ever.
            State::Probation { opened, since } if now.duration_since(since) > self.first_pause => {
                *state = State::Probation { opened, since: now };
                Ok(())
            }
            State::Open { until, .. } => Err(open_for(until.duration_since(now))),
            State::Probation { .. } => Err(open_for(Duration::from_secs(1))),
        }
    }

    fn record(&self, said: Result<(), ErrorKind>) {
        let mut state = self.lock();
        let counts = match said {
            Ok(()) => false,
            Err(kind) if kind.counts_against_carrier() => true,
            // Neither good nor bad news about the carrier; a probe that ends so is tried again.
            Err(_) => {
                if let State::Probation { opened, .. } = *state {
                    *state = State::Open { until: Instant::now(), opened };
                }
                return;
            }
        };
        *state = match (*state, counts) {
            (State::Closed { .. } | State::Probation { .. }, false) => State::Closed { failures: 0 },
            (State::Closed { failures }, true) if failures + 1 < self.failures_to_open => {
                State::Closed { failures: failures + 1 }
            }
            (State::Closed { .. }, true) => self.opened(0),
            (State::Probation { opened, .. }, true) => self.opened(opened + 1),
            // A late reply to a question that passed before the circuit opened changes nothing.
            (open @ State::Open { .. }, _) => open,
        };
    }

    fn opened(&self, times: u32) -> State {
        let pause = self.first_pause * 2u32.pow(times.min(DOUBLINGS_MAX));
        State::Open { until: Instant::now() + pause, opened: times }
    }
}

fn open_for(wait: Duration) -> Error {
    Error::new(ErrorKind::CircuitOpen, "This carrier has failed repeatedly and is left alone for a while.")
        .retry(Retry::After(wait.max(Duration::from_secs(1))))
}

/// Puts a carrier's [`Breaker`] before its attempts.
#[derive(Clone)]
pub struct BreakerLayer {
    breaker: Arc<Breaker>,
}

impl BreakerLayer {
    /// A layer over a breaker that others may look at.
    pub fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker }
    }
}

impl Duty for BreakerLayer {
    async fn pass<S: Inner>(self, inner: S, question: Question) -> Told {
        if let Err(error) = self.breaker.admit() {
            return Told::failed(error);
        }
        let told = ask(inner, question).await;
        self.breaker.record(told.said.as_ref().map(|_| ()).map_err(|error| error.kind));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Result<(), ErrorKind> = Err(ErrorKind::CarrierUnavailable);
    const PAUSE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_closes_after_a_good_probe() {
        let breaker = Breaker::new(3, PAUSE);
        for said in [DOWN, DOWN, Ok(()), DOWN, DOWN] {
            assert!(breaker.admit().is_ok());
            breaker.record(said);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.record(DOWN);
        assert_eq!(breaker.admit().unwrap_err().retry, Retry::After(PAUSE));
        tokio::time::advance(PAUSE).await;
        assert!(breaker.admit().is_ok(), "the probe passes");
        assert!(breaker.admit().is_err(), "only one");
        breaker.record(Ok(()));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_doubles_the_pause_up_to_a_bound() {
        let breaker = Breaker::new(1, PAUSE);
        breaker.record(DOWN);
        for factor in [1, 2, 4, 8, 8] {
            let Retry::After(wait) = breaker.admit().unwrap_err().retry else { panic!("no wait") };
            assert_eq!(wait, PAUSE * factor);
            tokio::time::advance(wait).await;
            assert!(breaker.admit().is_ok());
            breaker.record(DOWN);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_carriers_fault_does_not_count() {
        let breaker = Breaker::new(1, PAUSE);
        breaker.record(Err(ErrorKind::CredentialRejected));
        breaker.record(Err(ErrorKind::Overloaded));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_probe_does_not_block_for_ever() {
        let breaker = Breaker::new(1, PAUSE);
        breaker.record(DOWN);
        tokio::time::advance(PAUSE).await;
        assert!(breaker.admit().is_ok());
        tokio::time::advance(PAUSE * 2).await;
        assert!(breaker.admit().is_ok(), "another probe after the first was lost");
    }
}
