//! How much we ask of a carrier: requests a minute, requests at once, questions at once with one login.
//!
//! Two lanes wait at every gate, and a person at a desk goes before work in the background. Whoever would have to wait
//! longer than the time that is left is refused at once, so that nobody waits for nothing.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::ask::Lane;
use connector_sdk::{Error, ErrorKind, Result, Retry};
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Most that wait at one gate; beyond, an ask is refused at once.
const QUEUE_MAX: usize = 4_096;

/// What is left of a carrier's allowance, for one practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests a minute.
    pub limit_per_minute: u32,
    /// Requests that could leave right now without waiting.
    pub remaining: u32,
    /// Seconds until the allowance is whole again, if nothing is sent meanwhile.
    pub reset_secs: u64,
}

/// A number of places, handed out to whoever waits: interactive first, each lane in the order it came.
pub(crate) struct Gate {
    places: u32,
    message: &'static str,
    state: Mutex<GateState>,
}

#[derive(Default)]
struct GateState {
    taken: u32,
    interactive: VecDeque<oneshot::Sender<Place>>,
    background: VecDeque<oneshot::Sender<Place>>,
    /// How long a place is held, a moving average.
    held: Duration,
}

/// A place at a [`Gate`]; given back when dropped, wherever it is then.
pub(crate) struct Place {
    gate: Option<Arc<Gate>>,
    since: Instant,
}

impl Gate {
    /// A gate with this many places (at least one), and what is said to those who must be refused.
    pub(crate) fn new(places: u32, message: &'static str) -> Arc<Self> {
        Arc::new(Self { places: places.max(1), message, state: Mutex::default() })
    }

    /// Waits for a place until `until`.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`], at once where the queue already says that it will take too long.
    pub(crate) async fn enter(self: &Arc<Self>, lane: Lane, until: Instant) -> Result<Place> {
        let ticket = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.taken < self.places {
                state.taken += 1;
                return Ok(self.place());
            }
            let wait = self.estimate(&state, lane);
            let ahead = state.interactive.len() + state.background.len();
            if ahead >= QUEUE_MAX {
                state.interactive.retain(|waiter| !waiter.is_closed());
                state.background.retain(|waiter| !waiter.is_closed());
            }
            let full = state.interactive.len() + state.background.len() >= QUEUE_MAX;
            if full || Instant::now() + wait >= until {
                return Err(overloaded(self.message, wait));
            }
            let (sender, ticket) = oneshot::channel();
            match lane {
                Lane::Interactive => state.interactive.push_back(sender),
                Lane::Background => state.background.push_back(sender),
            }
            ticket
        };
        match tokio::time::timeout_at(until, ticket).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(overloaded(self.message, Duration::from_secs(5))),
        }
    }

    /// How many wait before somebody who comes now in this lane.
    pub(crate) fn ahead(&self, lane: Lane) -> u32 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(state.ahead(lane)).unwrap_or(u32::MAX)
    }

    fn estimate(&self, state: &GateState, lane: Lane) -> Duration {
        let rounds = u32::try_from(state.ahead(lane)).unwrap_or(u32::MAX) / self.places;
        state.held.saturating_mul(rounds)
    }

    fn place(self: &Arc<Self>) -> Place {
        Place { gate: Some(self.clone()), since: Instant::now() }
    }

    /// Gives a place on to the next who still waits, or back.
    fn release(self: &Arc<Self>, held: Duration) {
        loop {
            let next = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.held = (state.held.saturating_mul(7).saturating_add(held)) / 8;
                let next = state.interactive.pop_front().or_else(|| state.background.pop_front());
                if next.is_none() {
                    state.taken = state.taken.saturating_sub(1);
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(self.place()) {
                Ok(()) => return,
                // That one has gone away meanwhile. The place must not give itself back here: the loop does.
                Err(mut place) => place.gate = None,
            }
        }
    }
}

impl GateState {
    fn ahead(&self, lane: Lane) -> usize {
        match lane {
            Lane::Interactive => self.interactive.len(),
            Lane::Background => self.interactive.len() + self.background.len(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.release(self.since.elapsed());
        }
    }
}

fn overloaded(message: &'static str, wait: Duration) -> Error {
    let after = wait.max(Duration::from_secs(1));
    Error::new(ErrorKind::Overloaded, message).retry(Retry::After(after)).fact("wait_ms", wait)
}

/// Tokio's clock for governor, so that tests with a paused clock own its time too.
#[derive(Clone)]
struct TokioClock {
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// So many requests a minute, with two lanes.
pub(crate) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, StateInformationMiddleware>,
    clock: TokioClock,
    /// One at a time asks the limiter; here the lanes wait.
    turn: Arc<Gate>,
    per_minute: u32,
    burst: u32,
    period: Duration,
    /// What was left after the last request, and when that was.
    left: Mutex<(u32, Duration)>,
}

impl Rate {
    /// A rate that never lets more than `per_minute` (at least one) requests pass in any sixty seconds.
    ///
    /// A bucket of size `b` refilled every `p` lets `b + 60/p` pass in the worst minute, so a quarter is allowed as a
    /// burst and the refill is slowed by as much.
    pub(crate) fn new(per_minute: u32, message: &'static str) -> Self {
        let per_minute = per_minute.max(1);
        let burst = NonZeroU32::new(per_minute / 4).unwrap_or(NonZeroU32::MIN);
        let period = Duration::from_secs(60) / (per_minute - burst.get() + 1);
        let quota = Quota::with_period(period).unwrap_or_else(|| Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst);
        let clock = TokioClock { start: Instant::now() };
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone())
                .with_middleware::<StateInformationMiddleware>(),
            clock,
            turn: Gate::new(1, message),
            per_minute,
            burst: burst.get(),
            period,
            left: Mutex::new((burst.get(), Duration::ZERO)),
        }
    }

    /// Waits until one more request may leave, not longer than `until`.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] at once when it would take longer.
    pub(crate) async fn pass(&self, lane: Lane, until: Instant) -> Result<()> {
        let queue = self.period.saturating_mul(self.turn.ahead(lane));
        if Instant::now() + queue >= until {
            return Err(overloaded(self.turn.message, queue));
        }
        let mut turn = Some(self.turn.enter(lane, until).await?);
        loop {
            let Some(wait) = self.take() else { return Ok(()) };
            if Instant::now() + wait >= until {
                return Err(overloaded(self.turn.message, wait));
            }
            // In a hurry: keeps its turn while it sleeps, so that its lane stays in order. In the background: gives it
            // away, so that whoever is in a hurry goes first.
            if lane == Lane::Background {
                turn = None;
            }
            tokio::time::sleep(wait).await;
            if turn.is_none() {
                turn = Some(self.turn.enter(lane, until).await?);
            }
        }
    }

    /// Takes one request's worth, or says how long until there is one.
    fn take(&self) -> Option<Duration> {
        match self.limiter.check() {
            Ok(snapshot) => {
                let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
                *left = (snapshot.remaining_burst_capacity(), self.clock.now());
                None
            }
            Err(not_until) => Some(not_until.wait_time_from(self.clock.now())),
        }
    }

    /// What is left now.
    pub(crate) fn budget(&self) -> Budget {
        let (left, then) = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let since = self.clock.now().saturating_sub(then);
        let refilled = u32::try_from(since.as_nanos() / self.period.as_nanos().max(1)).unwrap_or(u32::MAX);
        let remaining = left.saturating_add(refilled).min(self.burst);
        let missing = self.period.saturating_mul(self.burst - remaining);
        let reset_secs = missing.as_secs() + u64::from(missing.subsec_nanos() > 0);
        Budget { limit_per_minute: self.per_minute, remaining, reset_secs }
    }
}

impl Budget {
    /// The tighter of two.
    pub(crate) fn tighter(self, other: Self) -> Self {
        if (other.remaining, other.limit_per_minute) < (self.remaining, self.limit_per_minute) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_secs(secs: u64) -> Instant {
        Instant::now() + Duration::from_secs(secs)
    }

    #[tokio::test(start_paused = true)]
    async fn interactive_goes_before_background() {
        let gate = Gate::new(1, "full");
        let first = gate.enter(Lane::Interactive, in_secs(9)).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, lane) in [("b1", Lane::Background), ("i1", Lane::Interactive), ("i2", Lane::Interactive)] {
            let (gate, order) = (gate.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let place = gate.enter(lane, in_secs(9)).await.unwrap();
                order.lock().unwrap().push(name);
                drop(place);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["i1", "i2", "b1"]);
        assert_eq!(gate.state.lock().unwrap().taken, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_went_away_do_not_keep_a_place() {
        let gate = Gate::new(1, "full");
        let first = gate.enter(Lane::Interactive, in_secs(60)).await.unwrap();
        for _ in 0..100 {
            let gone = tokio::time::timeout(Duration::from_millis(1), gate.enter(Lane::Interactive, in_secs(60))).await;
            assert!(gone.is_err());
        }
        drop(first);
        assert!(gate.enter(Lane::Background, in_secs(1)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_too_late_is_refused_with_the_right_kind() {
        let gate = Gate::new(1, "full");
        let _first = gate.enter(Lane::Interactive, in_secs(9)).await.unwrap();
        let error = gate.enter(Lane::Interactive, in_secs(2)).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Overloaded);
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_limit_in_any_minute() {
        for per_minute in [1, 2, 3, 7, 60, 601] {
            let rate = Rate::new(per_minute, "full");
            let mut times = Vec::new();
            while times.len() < usize::try_from(per_minute).unwrap() * 3 + 2 {
                rate.pass(Lane::Interactive, in_secs(600)).await.unwrap();
                times.push(Instant::now());
            }
            let most = times
                .iter()
                .map(|from| times.iter().filter(|t| **t >= *from && **t < *from + Duration::from_secs(60)).count())
                .max();
            assert!(most.unwrap() <= usize::try_from(per_minute).unwrap(), "{per_minute}: {most:?}");
            assert!(most.unwrap() * 2 >= usize::try_from(per_minute).unwrap(), "{per_minute}: {most:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_refuses_at_once_and_tells_when_to_come_back() {
        let rate = Rate::new(1, "full");
        rate.pass(Lane::Interactive, in_secs(1)).await.unwrap();
        let before = Instant::now();
        let error = rate.pass(Lane::Interactive, in_secs(30)).await.unwrap_err();
        assert_eq!(before, Instant::now());
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert!(matches!(error.retry, Retry::After(after) if after > Duration::from_secs(50)), "{error:?}");
        assert_eq!(rate.budget(), Budget { limit_per_minute: 1, remaining: 0, reset_secs: 60 });
    }

    #[tokio::test(start_paused = true)]
    async fn background_takes_no_turn_while_interactive_waits() {
        let rate = Arc::new(Rate::new(4, "full"));
        rate.pass(Lane::Interactive, in_secs(1)).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, lane) in [("b1", Lane::Background), ("i1", Lane::Interactive), ("i2", Lane::Interactive)] {
            let (rate, order) = (rate.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                rate.pass(lane, in_secs(300)).await.unwrap();
                order.lock().unwrap().push(name);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["i1", "i2", "b1"]);
    }
}
