//! How often a sign-in may be tried.
//!
//! The rule, in words (OWASP calls the idea *device cookies*):
//! - Failures are counted apart for each account and each *place* they come from: a browser from which this person has
//!   signed in before, or else the network address. Five are free; then each doubles the wait, from one second to
//!   fifteen minutes. An hour without one, or a sign-in that succeeds, forgets them.
//! - All places that are no known browser share two more bounds: a network address has 30 tries at once and 10 a minute
//!   over all accounts, an account has 60 tries an hour over all addresses.
//!
//! So an attacker with any number of addresses gets at most sixty tries an hour at one account; and the person it belongs
//! to is never kept out of their own browser by that. Somebody on a *new* browser may have to wait while the attack goes
//! on; a colleague's reset or a known browser is the way round. Nothing is ever locked.
//!
//! Kept in memory: a failure costs a password hash, of which there are some thirty a second at most, so that the counts
//! of an hour are some hundred thousand; and nobody outside can restart the gateway to be rid of theirs.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::token::Hash;

/// Tries that cost no waiting.
const FREE: u32 = 5;
/// Longest wait.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// Quiet time after which failures are forgotten.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// Tries of one network address: at once, and a minute.
const NETWORK_BURST: NonZeroU32 = NonZeroU32::new(30).unwrap();
const NETWORK_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Tries at one account an hour, from all places that are no known browser.
const ACCOUNT_PER_HOUR: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Counts kept at most; see above why they do not come to that.
const COUNTS_MAX: usize = 200_000;
/// Every so many tries, what is over is swept out.
const SWEEP_EVERY: u32 = 1024;

/// Where a try comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A browser from which this person has signed in before.
    Device(Hash),
    /// Any other, by its network: an IPv4 address, or the first half of an IPv6 one.
    Network(String),
}

struct Count<I> {
    failures: u32,
    last: I,
}

type Counts<I> = HashMap<(Hash, Place), Count<I>>;
type Limit<K, C> = RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The counts.
pub(super) struct Throttle<C: Clock + Clone> {
    clock: C,
    networks: Limit<String, C>,
    accounts: Limit<Hash, C>,
    counts: Mutex<Counts<C::Instant>>,
    tries: AtomicU32,
}

impl<C: Clock + Clone> Throttle<C> {
    pub(super) fn new(clock: C) -> Self {
        let networks = Quota::per_minute(NETWORK_PER_MINUTE).allow_burst(NETWORK_BURST);
        let accounts = Quota::per_hour(ACCOUNT_PER_HOUR);
        Self {
            networks: RateLimiter::new(networks, HashMapStateStore::default(), clock.clone()),
            accounts: RateLimiter::new(accounts, HashMapStateStore::default(), clock.clone()),
            counts: Mutex::default(),
            tries: AtomicU32::new(0),
            clock,
        }
    }

    /// Admits one try and counts it as a failure until [`Throttle::forgive`] says otherwise: fifty at the same moment
    /// get no more tries than fifty in a row. `Err`: how long to wait.
    pub(super) fn admit(&self, account: &Hash, place: &Place) -> Result<(), Duration> {
        self.sweep();
        let now = self.clock.now();
        let key = (*account, place.clone());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = match counts.get(&key) {
            Some(count) => {
                let since = Duration::from(now.duration_since(count.last));
                let wait = wait(count.failures);
                if since < wait {
                    return Err(wait - since);
                }
                if since < FORGET { count.failures } else { 0 }
            }
            None => 0,
        };
        if let Place::Network(network) = place {
            self.network_in(network)?;
            self.accounts.check_key(account).map_err(|until| until.wait_time_from(now))?;
        }
        counts.insert(key, Count { failures: failures.saturating_add(1), last: now });
        Ok(())
    }

    /// One try of a network address at something that names no account: an invitation, the set-up token.
    pub(super) fn network(&self, network: &str) -> Result<(), Duration> {
        self.sweep();
        self.network_in(network)
    }

    fn network_in(&self, network: &str) -> Result<(), Duration> {
        let now = self.clock.now();
        self.networks.check_key(&network.to_owned()).map_err(|until| until.wait_time_from(now))
    }

    /// The person has signed in from there.
    pub(super) fn forgive(&self, account: &Hash, place: &Place) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).remove(&(*account, place.clone()));
    }

    fn sweep(&self) {
        if !self.tries.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            return;
        }
        self.networks.retain_recent();
        self.accounts.retain_recent();
        let now = self.clock.now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| Duration::from(now.duration_since(count.last)) < FORGET);
        if counts.len() > COUNTS_MAX {
            // Those with the fewest failures go: they are what a flood of addresses leaves behind.
            counts.retain(|_, count| count.failures > FREE);
        }
    }
}

/// The wait after so many failures.
fn wait(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1_u64.checked_shl(more).unwrap_or(u64::MAX)).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn network(number: u32) -> Place {
        Place::Network(format!("192.0.2.{number}"))
    }

    #[test]
    fn five_are_free_then_each_doubles_up_to_fifteen_minutes() {
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::new(clock.clone());
        let (account, place) = ([1; 32], Place::Device([9; 32]));
        for _ in 0..5 {
            assert_eq!(throttle.admit(&account, &place), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900] {
            let wait = Duration::from_secs(wait);
            assert_eq!(throttle.admit(&account, &place), Err(wait));
            clock.advance(wait - Duration::from_millis(1));
            assert_eq!(throttle.admit(&account, &place), Err(Duration::from_millis(1)));
            clock.advance(Duration::from_millis(1));
            assert_eq!(throttle.admit(&account, &place), Ok(()));
        }
        throttle.forgive(&account, &place);
        assert_eq!(throttle.admit(&account, &place), Ok(()));
    }

    #[test]
    fn strangers_failures_do_not_slow_down_a_known_browser_or_another_account() {
        let throttle = Throttle::new(FakeRelativeClock::default());
        while throttle.admit(&[1; 32], &network(1)).is_ok() {}
        assert_eq!(throttle.admit(&[1; 32], &Place::Device([9; 32])), Ok(()));
        assert_eq!(throttle.admit(&[1; 32], &network(2)), Ok(()));
        assert_eq!(throttle.admit(&[2; 32], &network(1)), Ok(()));
    }

    /// A million guesses at a thousand accounts from two hundred addresses within an hour.
    #[test]
    fn an_attack_gets_sixty_tries_an_hour_at_an_account_and_the_person_gets_in() {
        const ACCOUNTS: u32 = 1_000;
        let clock = FakeRelativeClock::default();
        let throttle = Throttle::new(clock.clone());
        let account = |number: u32| {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let (mut admitted, mut persons) = (vec![0_u32; ACCOUNTS as usize], 0);
        for guess in 0..1_000_000_u32 {
            // Scattered, so that every account is tried from all two hundred.
            let from = (guess.wrapping_mul(2_654_435_761) >> 16) % 200;
            let target = guess % ACCOUNTS;
            if throttle.admit(&account(target), &network(from)).is_ok() {
                admitted[target as usize] += 1;
            }
            clock.advance(Duration::from_micros(3_600));
            if guess % 50_000 == 49_999 {
                let device = Place::Device([9; 32]);
                assert_eq!(throttle.admit(&account(target), &device), Ok(()), "the person is kept out");
                throttle.forgive(&account(target), &device);
                persons += 1;
            }
        }
        let most = admitted.iter().max().copied().unwrap_or(0);
        // Sixty at once, and as many again in the hour that follows.
        assert!((20..=120).contains(&most), "{most}");
        assert_eq!(persons, 20);
        println!("1,000,000 guesses: {} admitted, {most} at most at one account", admitted.iter().sum::<u32>());
    }
}
