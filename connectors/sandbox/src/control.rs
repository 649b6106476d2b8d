//! What a test can see of a simulated carrier and do to it: counters, switches, lock-outs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::assertion::ClientKey;
use crate::clock::Clock;

/// Wrong passwords that lock a user out, until a reset.
pub const WRONG_PASSWORDS_MAX: u32 = 3;

/// How a carrier is out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// It is not.
    #[default]
    No,
    /// Connections are closed before a byte of an answer.
    Refuse,
    /// Every request is answered 503 with an HTML page.
    Unavailable,
}

/// Column layout of the portal's benefits table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// The usual one.
    #[default]
    A,
    /// Columns in another order, another caption.
    B,
}

/// A page that the portal puts in front of everything behind the sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// None.
    #[default]
    None,
    /// "Are you a person?"
    Captcha,
    /// New terms of use to accept.
    Terms,
    /// Maintenance, with status 200.
    Maintenance,
}

/// Faults of one carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Out of order?
    pub down: Down,
    /// Portal: column layout.
    pub layout: Layout,
    /// Portal: interposed page.
    pub page: Page,
    /// Milliseconds added to every answer; at most 120,000.
    pub latency_ms: u64,
    /// Molasses: the seed picks a fault for every question, whatever the member id. Northstar: for every authorization.
    pub random: bool,
}

/// What a carrier has seen since start or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// HTTP requests.
    pub requests: u64,
    /// Eligibility questions.
    pub questions: u64,
    /// Times a user and password, client secret, key or one-time code was presented.
    pub logins: u64,
    /// Of these, the refused ones.
    pub logins_failed: u64,
    /// Most requests in work at the same time.
    pub concurrent_peak: u64,
}

/// What a presented password led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Accepted,
    Wrong,
    Locked,
}

/// The state that all simulated carriers have.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) id: &'static str,
    pub(crate) seed: u64,
    pub(crate) clock: Arc<Clock>,
    switches: Mutex<Switches>,
    requests: AtomicU64,
    questions: AtomicU64,
    logins: AtomicU64,
    logins_failed: AtomicU64,
    concurrent: AtomicU64,
    concurrent_peak: AtomicU64,
    wrong_passwords: Mutex<HashMap<&'static str, u32>>,
    /// The code that was mailed last.
    mailed: Mutex<Option<String>>,
    /// Keys that clients have handed in.
    client_keys: Mutex<Vec<ClientKey>>,
    /// Grows with every reset: what was issued before is void.
    epoch: AtomicU64,
}

/// Locks, whoever panicked before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(crate) fn new(id: &'static str, seed: u64, clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self {
            id,
            seed,
            clock,
            switches: Mutex::default(),
            requests: AtomicU64::new(0),
            questions: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            logins_failed: AtomicU64::new(0),
            concurrent: AtomicU64::new(0),
            concurrent_peak: AtomicU64::new(0),
            wrong_passwords: Mutex::default(),
            mailed: Mutex::default(),
            client_keys: Mutex::default(),
            epoch: AtomicU64::new(0),
        })
    }

    pub(crate) fn switches(&self) -> Switches {
        *lock(&self.switches)
    }

    pub(crate) fn set(&self, switches: Switches) {
        *lock(&self.switches) = switches;
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    pub(crate) fn trust(&self, key: ClientKey) {
        lock(&self.client_keys).push(key);
    }

    pub(crate) fn client_keys(&self) -> Vec<ClientKey> {
        lock(&self.client_keys).clone()
    }

    /// Mails a code: whoever tests reads it here.
    pub(crate) fn mail(&self, code: &str) {
        *lock(&self.mailed) = Some(code.to_owned());
    }

    pub(crate) fn mailed(&self) -> Option<String> {
        lock(&self.mailed).clone()
    }

    /// Counts a request in; out again when the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InWork {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let now = self.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
        self.concurrent_peak.fetch_max(now, Ordering::SeqCst);
        InWork(Arc::clone(self))
    }

    /// Counts an eligibility question and gives its number, from 0.
    pub(crate) fn question(&self) -> u64 {
        self.questions.fetch_add(1, Ordering::SeqCst)
    }

    /// Judges a presented credential of `user` (one of this carrier's own, or nobody's) and keeps the lock-out.
    pub(crate) fn login(&self, user: Option<&'static str>, right: bool) -> Login {
        self.logins.fetch_add(1, Ordering::SeqCst);
        let verdict = self.judge(user, right);
        if verdict != Login::Accepted {
            self.logins_failed.fetch_add(1, Ordering::SeqCst);
        }
        verdict
    }

    fn judge(&self, user: Option<&'static str>, right: bool) -> Login {
        let Some(user) = user else { return Login::Wrong };
        let mut wrong = lock(&self.wrong_passwords);
        let count = wrong.entry(user).or_insert(0);
        if *count >= WRONG_PASSWORDS_MAX {
            Login::Locked
        } else if right {
            *count = 0;
            Login::Accepted
        } else {
            *count += 1;
            if *count >= WRONG_PASSWORDS_MAX { Login::Locked } else { Login::Wrong }
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            requests: self.requests.load(Ordering::SeqCst),
            questions: self.questions.load(Ordering::SeqCst),
            logins: self.logins.load(Ordering::SeqCst),
            logins_failed: self.logins_failed.load(Ordering::SeqCst),
            concurrent_peak: self.concurrent_peak.load(Ordering::SeqCst),
        }
    }

    /// Counters to zero, switches off, everybody unlocked, sessions and tokens void.
    pub(crate) fn reset(&self) {
        for counter in [&self.requests, &self.questions, &self.logins, &self.logins_failed, &self.concurrent_peak] {
            counter.store(0, Ordering::SeqCst);
        }
        self.set(Switches::default());
        lock(&self.wrong_passwords).clear();
        *lock(&self.mailed) = None;
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

/// A request in work.
pub(crate) struct InWork(Arc<Desk>);

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.concurrent.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_wrong_passwords_lock_and_a_reset_unlocks() {
        let desk = Desk::new("northstar", 1, Arc::default());
        let user = Some("practice");
        assert_eq!(desk.login(user, false), Login::Wrong);
        assert_eq!(desk.login(user, true), Login::Accepted);
        for want in [Login::Wrong, Login::Wrong, Login::Locked] {
            assert_eq!(desk.login(user, false), want);
        }
        assert_eq!(desk.login(user, true), Login::Locked);
        assert_eq!(desk.login(None, true), Login::Wrong);
        assert_eq!((desk.counters().logins, desk.counters().logins_failed), (7, 6));
        desk.reset();
        assert_eq!(desk.login(user, true), Login::Accepted);
    }

    #[test]
    fn concurrency_is_counted() {
        let desk = Desk::new("northstar", 1, Arc::default());
        let first = desk.enter();
        drop(desk.enter());
        drop(first);
        drop(desk.enter());
        assert_eq!((desk.counters().requests, desk.counters().concurrent_peak), (3, 2));
    }
}
