//! A clock that tests can push forward, so that idle time-outs and token lifetimes need no waiting.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Real time plus an offset that only grows. Sessions and tokens live by it; what the gateway stamps from its own
/// clock (WS-Security `Created`, one-time codes, days of service) is compared with real time instead.
#[derive(Debug, Default)]
pub struct Clock {
    ahead_secs: AtomicI64,
}

/// The farthest the clock may run ahead: ten years.
const AHEAD_MAX_SECS: i64 = 10 * 366 * 86_400;

impl Clock {
    /// Virtual seconds since 1970.
    pub fn now_secs(&self) -> i64 {
        Timestamp::now().as_second().saturating_add(self.ahead_secs.load(Ordering::SeqCst))
    }

    /// Pushes the clock forward; at most ten years in all.
    pub fn advance(&self, secs: u64) {
        let step = i64::try_from(secs).unwrap_or(AHEAD_MAX_SECS).min(AHEAD_MAX_SECS);
        let _ = self
            .ahead_secs
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| Some(old.saturating_add(step).min(AHEAD_MAX_SECS)));
    }

    /// How far it runs ahead, seconds.
    pub fn ahead_secs(&self) -> i64 {
        self.ahead_secs.load(Ordering::SeqCst)
    }

    /// Back to real time.
    pub fn reset(&self) {
        self.ahead_secs.store(0, Ordering::SeqCst);
    }
}

/// Today: the later of the day here and the day in UTC, so that a question stamped in either zone is not "tomorrow".
pub fn today() -> Date {
    let now = Timestamp::now();
    now.to_zoned(TimeZone::UTC).date().max(now.to_zoned(TimeZone::system()).date())
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn the_clock_advances_and_never_overflows() {
        let clock = Clock::default();
        let before = clock.now_secs();
        clock.advance(901);
        assert!(clock.now_secs() >= before + 901);
        clock.advance(u64::MAX);
        clock.advance(u64::MAX);
        assert!(clock.ahead_secs() <= super::AHEAD_MAX_SECS);
        clock.reset();
        assert_eq!(clock.ahead_secs(), 0);
    }
}
