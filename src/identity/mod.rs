//! Practices, people and their roles; API keys and sessions to callers. Nothing may be asked without being one.
//!
//! - `keys`: API keys. A key belongs to one practice and carries scopes.
//! - `people`: accounts and memberships: who is what in which practice.
//! - `sign_in`: password, one-time code, recovery code to a session; `enrol`: passwords and seeds changed.
//! - `session`: cookies to sessions; listed, switched, ended.
//! - `setup`: the first practice and its first administrator.
//! - `role`: the one table of what each role may do.
//!
//! Keys, cookies and invitations are 256 random bits, so that their plain SHA-256 is enough at rest: there is nothing to
//! guess. Passwords are guessable and get argon2id.

mod caller;
mod declined;
mod enrol;
mod keys;
mod password;
mod people;
mod profile;
mod role;
mod session;
mod setup;
mod sign_in;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod tests;
mod throttle;
mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use governor::clock::DefaultClock;

pub use caller::Caller;
pub use declined::Declined;
pub use enrol::{Enrolled, Enrolment};
pub use keys::{ApiKeyInfo, AuthError, NewApiKey, Scope};
pub use people::{Invitation, Member, NewMember};
pub use profile::{Location, Npi, PracticeProfile};
pub use role::Role;
pub use session::{Level, Membership, Session, SessionInfo};
pub use setup::FIRST_PRACTICE;
pub use sign_in::{Started, Try};

use crate::store::Store;
use crate::trail::Trail;

/// Practices, people, keys and sessions.
pub struct Identity {
    store: Arc<Store>,
    trail: Arc<Trail>,
    /// Keys that were checked, by their hash: a look-up in the store would cost more than the answer from the cache.
    remembered: RwLock<HashMap<token::Hash, Caller>>,
    passwords: password::Passwords,
    throttle: throttle::Throttle<DefaultClock>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Practices, people and keys in this store; what changes is recorded in the trail.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>) -> Arc<Self> {
        Arc::new(Self {
            store,
            trail,
            remembered: RwLock::default(),
            passwords: password::Passwords::new(),
            throttle: throttle::Throttle::new(DefaultClock::default()),
        })
    }
}
