//! One carrier, one plane: its connector, stack and wire, assembled once for each load of its file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::carriers::{Carrier, CarrierBook};
use crate::pauses::{Paused, Pauses};
use crate::practice::PracticeId;
use crate::stack::pulse::Measured;
use crate::stack::{self, BreakerState, Shared, Stack};
use crate::wire::{Credentials, Relay, Wire};

/// How long signing out of all carriers may take at the end.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// One carrier with everything assembled for it.
#[derive(Clone)]
pub struct Plane {
    /// The carrier as loaded.
    pub carrier: Arc<Carrier>,
    /// Its wire, for budgets and probes.
    pub wire: Wire,
    stack: Stack,
    breaker: Arc<stack::Breaker>,
}

impl Plane {
    /// A service to put one question to.
    pub(super) fn stack(&self) -> Stack {
        self.stack.clone()
    }

    /// Its circuit now.
    pub fn circuit(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Its circuit now, and how far it is from the next state.
    pub fn look(&self) -> stack::Look {
        self.breaker.look()
    }
}

/// The planes of all carriers. Follows the carrier files.
pub struct Planes {
    book: Arc<CarrierBook>,
    planes: ArcSwap<HashMap<String, Plane>>,
    credentials: Arc<dyn Credentials>,
    relay: Option<Arc<dyn Relay>>,
    shared: Shared,
}

impl Planes {
    /// Planes over a set of carriers.
    pub fn new(book: Arc<CarrierBook>, credentials: Arc<dyn Credentials>, shared: Shared) -> Arc<Self> {
        Self::with(book, credentials, None, shared)
    }

    /// The same, with people who answer what carriers ask of them.
    pub fn attended(
        book: Arc<CarrierBook>,
        credentials: Arc<dyn Credentials>,
        relay: Arc<dyn Relay>,
        shared: Shared,
    ) -> Arc<Self> {
        Self::with(book, credentials, Some(relay), shared)
    }

    fn with(
        book: Arc<CarrierBook>,
        credentials: Arc<dyn Credentials>,
        relay: Option<Arc<dyn Relay>>,
        shared: Shared,
    ) -> Arc<Self> {
        let planes = Arc::new(Self { book, planes: ArcSwap::default(), credentials, relay, shared });
        planes.rebuild();
        planes
    }

    /// One carrier with everything assembled for it.
    pub fn get(&self, carrier: &str) -> Option<Plane> {
        self.planes.load().get(carrier).cloned()
    }

    /// The carriers.
    pub fn book(&self) -> &Arc<CarrierBook> {
        &self.book
    }

    /// How a carrier did lately, for this practice.
    pub fn measured(&self, practice: &PracticeId, carrier: &str) -> Measured {
        self.shared.care.pulse.of(practice, carrier)
    }

    /// The practice's pause of a carrier, if there is one.
    pub fn paused(&self, practice: &PracticeId, carrier: &str) -> Option<Arc<Paused>> {
        self.shared.care.pauses.as_ref()?.of(practice, carrier)
    }

    /// The pauses of all practices; `None` where none can be made.
    pub fn pauses(&self) -> Option<&Arc<Pauses>> {
        self.shared.care.pauses.as_ref()
    }

    /// Forgets what a practice was told by a carrier: its credential changed.
    pub fn forget(&self, practice: &PracticeId, carrier: &str) {
        self.shared.cache.forget(practice, carrier);
    }

    /// Signs out of every carrier, as well as they let us.
    pub async fn close(&self) {
        let planes = self.planes.load_full();
        let all = planes.values().map(|plane| plane.wire.close());
        let left = tokio::time::timeout(LEAVE_WITHIN, futures_util::future::join_all(all)).await;
        if left.is_err() {
            tracing::warn!("some carriers did not let us sign out in time; their sessions end by themselves");
        }
    }

    /// Follows reloads of the carrier files until the book is dropped. Spawn it once.
    pub async fn follow_reloads(self: Arc<Self>) {
        let mut changes = self.book.subscribe();
        while changes.changed().await.is_ok() {
            self.rebuild();
        }
    }

    /// Assembles the planes of new and changed carriers; an unchanged one keeps its connections, sessions and circuit.
    fn rebuild(&self) {
        let before = self.planes.load_full();
        let mut after = HashMap::new();
        for carrier in self.book.snapshot().carriers.values() {
            let kept = before.get(&carrier.id).filter(|plane| plane.carrier.version == carrier.version);
            // One that cannot be assembled keeps its last good plane, where there is one.
            let plane = match kept {
                Some(plane) => Some(plane.clone()),
                None => {
                    let old = before.get(&carrier.id);
                    self.assemble(carrier, old).or_else(|| old.cloned())
                }
            };
            if let Some(plane) = plane {
                after.insert(carrier.id.clone(), plane);
            }
        }
        let after = Arc::new(after);
        // Before the old wires are closed: no question is put to one that takes no more.
        self.planes.store(after.clone());
        for (id, plane) in before
            .iter()
            .filter(|(id, old)| after.get(*id).is_none_or(|new: &Plane| new.carrier.version != old.carrier.version))
        {
            tracing::info!(carrier = %id, "carrier replaced or removed; its sessions are left once its last question has ended");
            tokio::spawn(plane.wire.clone().retire(plane.carrier.limits.deadline));
        }
    }

    /// A changed carrier keeps its count of requests, its used one-time codes and the credentials it has refused.
    fn assemble(&self, carrier: &Arc<Carrier>, before: Option<&Plane>) -> Option<Plane> {
        let made = match (before, &self.relay) {
            (Some(plane), _) => plane.wire.renewed(carrier.clone()),
            (None, Some(relay)) => Wire::attended(carrier.clone(), self.credentials.clone(), relay.clone()),
            (None, None) => Wire::new(carrier.clone(), self.credentials.clone()),
        };
        let wire = match made {
            Ok(wire) => wire,
            Err(error) => {
                tracing::error!(carrier = %carrier.id, error = %error, "carrier cannot be reached as its file says");
                return None;
            }
        };
        let (stack, breaker) = stack::assemble(carrier, wire.clone(), &self.shared);
        Some(Plane { carrier: carrier.clone(), wire, stack, breaker })
    }
}
