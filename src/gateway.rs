//! `Gateway::ask`: caller, carrier, ask in; envelope out. The one crossroads: rights, carrier, form rules, its plane.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use connector_sdk::ask::FieldProblem;
use connector_sdk::{EligibilityRequest, Error, ErrorKind};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::carriers::{Carrier, CarrierBook};
use crate::identity::{Caller, Scope};
use crate::practice::PracticeId;
use crate::stack::Envelope;
use crate::stack::{self, Ask, BreakerState, Question, Shared, Stack};
use crate::wire::{Credentials, Wire};

/// Questions under way at most, all practices together; one more is refused, not queued.
const UNDER_WAY_MAX: usize = 20_000;

/// The crossroads.
pub struct Gateway {
    book: Arc<CarrierBook>,
    planes: ArcSwap<HashMap<String, Plane>>,
    credentials: Arc<dyn Credentials>,
    shared: Shared,
    zone: jiff::tz::TimeZone,
    under_way: Arc<Semaphore>,
}

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
    /// Its circuit now.
    pub fn circuit(&self) -> BreakerState {
        self.breaker.state()
    }
}

/// Why a question was not put.
#[derive(Debug)]
pub enum NotAsked {
    /// The ask has problems; all of them.
    Problems(Vec<FieldProblem>),
    /// The caller may not, there is no such carrier, or we are full.
    Error(Error),
}

/// A question under way.
pub struct Asked {
    /// Its id.
    pub id: Arc<str>,
    /// What to answer if the caller cannot wait for the end.
    pub pending: Envelope,
    /// The question itself, for the ledger's note that it is awaited.
    pub question: Question,
    /// Its end. The question goes on when this is dropped: an answer that comes late is kept all the same.
    pub end: tokio::task::JoinHandle<Arc<Envelope>>,
}

impl Gateway {
    /// A gateway over a set of carriers; `zone` says what "today" is where a practice asks without a date.
    pub fn new(
        book: Arc<CarrierBook>,
        credentials: Arc<dyn Credentials>,
        shared: Shared,
        zone: jiff::tz::TimeZone,
    ) -> Arc<Self> {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let gateway = Arc::new(Self { book, planes: ArcSwap::default(), credentials, shared, zone, under_way });
        gateway.rebuild();
        gateway
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
        for (id, plane) in before
            .iter()
            .filter(|(id, old)| after.get(*id).is_none_or(|new: &Plane| new.carrier.version != old.carrier.version))
        {
            tracing::info!(carrier = %id, "carrier replaced or removed; its connections are closed");
            let wire = plane.wire.clone();
            tokio::spawn(async move { wire.close().await });
        }
        self.planes.store(Arc::new(after));
    }

    /// A changed carrier keeps its count of requests, its used one-time codes and the credentials it has refused.
    fn assemble(&self, carrier: &Arc<Carrier>, before: Option<&Plane>) -> Option<Plane> {
        let made = match before {
            Some(plane) => plane.wire.renewed(carrier.clone()),
            None => Wire::new(carrier.clone(), self.credentials.clone()),
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

    /// One carrier with everything assembled for it.
    pub fn plane(&self, carrier: &str) -> Option<Plane> {
        self.planes.load().get(carrier).cloned()
    }

    /// The carriers.
    pub fn book(&self) -> &CarrierBook {
        &self.book
    }

    /// Forgets what a practice was told by a carrier: its credential changed.
    pub fn forget(&self, practice: &PracticeId, carrier: &str) {
        self.shared.cache.forget(practice, carrier);
    }

    /// Signs out of every carrier, as well as they let us.
    pub async fn close(&self) {
        for plane in self.planes.load().values() {
            plane.wire.close().await;
        }
    }

    /// Today where the practices are.
    pub fn today(&self) -> jiff::civil::Date {
        Timestamp::now().to_zoned(self.zone.clone()).date()
    }

    /// Puts one eligibility question. Returns at once; the end comes by [`Asked::end`].
    ///
    /// # Errors
    /// [`NotAsked`], before any carrier is involved.
    pub fn ask(
        &self,
        caller: Arc<Caller>,
        request: &EligibilityRequest,
        within: Option<Duration>,
    ) -> Result<Asked, NotAsked> {
        let fail = |kind, message| NotAsked::Error(Error::new(kind, message));
        if !caller.may(Scope::Ask) {
            return Err(fail(ErrorKind::NotPermitted, "This API key may not ask carriers: it lacks the scope ask."));
        }
        let (now, today) = (Timestamp::now(), self.today());
        let mut problems = request.problems(today);
        let plane = self.plane(&request.carrier);
        if plane.is_none() && problems.is_empty() {
            return Err(fail(
                ErrorKind::CarrierUnknown,
                "There is no carrier with this id; GET /v1/carriers?q= finds it by name.",
            ));
        }
        let Some(plane) = plane else { return Err(NotAsked::Problems(problems)) };
        problems.extend(offer_problems(&plane.carrier, request));
        let narrowed = match plane.carrier.form.check(request, today) {
            Ok(narrowed) if problems.is_empty() => narrowed,
            Ok(_) => return Err(NotAsked::Problems(problems)),
            Err(more) => {
                problems.extend(more);
                return Err(NotAsked::Problems(problems));
            }
        };
        let Ok(permit) = self.under_way.clone().try_acquire_owned() else {
            return Err(fail(ErrorKind::Overloaded, "Too many questions are under way; ask again in a moment."));
        };
        let started = Instant::now();
        let limit = plane.carrier.limits.deadline;
        let question = Question {
            id: uuid::Uuid::now_v7().to_string().into(),
            caller,
            ask: Arc::new(Ask::Eligibility(narrowed.narrow(request))),
            searched_by: narrowed.used.into(),
            lane: request.lane,
            asked_at: now,
            max_age: request.max_age_secs.map(Duration::from_secs),
            deadline: started + within.map_or(limit, |within| within.min(limit)),
            today,
            started,
        };
        let pending = Envelope::pending(&question, &plane.carrier);
        let run = plane.stack.oneshot(question.clone());
        let end = tokio::spawn(async move {
            let _permit = permit;
            match run.await {
                Ok(envelope) => envelope,
                Err(never) => match never {},
            }
        });
        Ok(Asked { id: question.id.clone(), pending, question, end })
    }
}

/// What of the ask the carrier does not offer, by its connector or its file.
fn offer_problems(carrier: &Carrier, request: &EligibilityRequest) -> Vec<FieldProblem> {
    let Some(limits) = carrier.eligibility_limits() else {
        return vec![FieldProblem::new("/carrier", "This carrier does not offer eligibility questions.")];
    };
    let mut problems = Vec::new();
    if request.dependent.is_some() && !limits.dependents {
        problems
            .push(FieldProblem::new("/dependent", "This carrier is asked with the patient as member; leave this out."));
    }
    if request.service_types().len() > usize::from(limits.service_types_max) {
        let most = limits.service_types_max;
        problems
            .push(FieldProblem::new("/service/types", format!("This carrier takes at most {most} in one question.")));
    }
    if !request.service.procedures.is_empty() && !limits.procedures {
        problems.push(FieldProblem::new("/service/procedures", "This carrier does not answer by procedure."));
    }
    problems
}
