//! `Gateway::ask`: caller, carrier, ask in; envelope out. The one crossroads: rights, carrier, form rules, its plane.

mod planes;

use std::sync::Arc;
use std::time::Duration;

use connector_sdk::ask::{FieldProblem, Lane};
use connector_sdk::{EligibilityRequest, Error, ErrorKind};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::ServiceExt;

pub use planes::{Plane, Planes};

use crate::carriers::{Carrier, Narrowed};
use crate::identity::{Caller, Scope};
use crate::practice::PracticeId;
use crate::stack::{Ask, Envelope, Question};
use crate::wire::Attempt;

const NO_SUCH_CARRIER: &str = "There is no carrier with this id; GET /v1/carriers?q= finds it by name.";
/// Questions under way at most, all practices together; one more is refused, not queued.
const UNDER_WAY_MAX: usize = 20_000;

/// The crossroads.
pub struct Gateway {
    planes: Arc<Planes>,
    zone: jiff::tz::TimeZone,
    under_way: Arc<Semaphore>,
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
    /// Its end. The question goes on when this is dropped: an answer that comes late is kept all the same.
    pub end: tokio::task::JoinHandle<Arc<Envelope>>,
}

impl Gateway {
    /// A gateway over the planes of all carriers; `zone` says what "today" is where a practice asks without a date.
    pub fn new(planes: Arc<Planes>, zone: jiff::tz::TimeZone) -> Arc<Self> {
        Arc::new(Self { planes, zone, under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)) })
    }

    /// All carriers, each with everything assembled for it.
    pub fn planes(&self) -> &Planes {
        &self.planes
    }

    /// The time zone of the practices.
    pub fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }

    /// Today where the practices are.
    pub fn today(&self) -> Date {
        Timestamp::now().to_zoned(self.zone.clone()).date()
    }

    /// Puts one eligibility question. Returns at once; the end comes by [`Asked::end`].
    ///
    /// # Errors
    /// [`NotAsked`], before any carrier is involved.
    pub fn ask(&self, caller: Arc<Caller>, request: &EligibilityRequest) -> Result<Asked, NotAsked> {
        self.put(caller, request, uuid::Uuid::now_v7().to_string().into(), None)
    }

    /// The same for an item of a batch, under an id that the batch has written down before: by it the answer is found
    /// after a kill. The question's record names the batch.
    ///
    /// # Errors
    /// As [`Gateway::ask`].
    pub fn ask_for_batch(
        &self,
        caller: Arc<Caller>,
        request: &EligibilityRequest,
        id: Arc<str>,
        batch: Arc<str>,
    ) -> Result<Asked, NotAsked> {
        self.put(caller, request, id, Some(batch))
    }

    fn put(
        &self,
        caller: Arc<Caller>,
        request: &EligibilityRequest,
        id: Arc<str>,
        batch: Option<Arc<str>>,
    ) -> Result<Asked, NotAsked> {
        let fail = |kind, message| NotAsked::Error(Error::new(kind, message));
        if !caller.may(Scope::Ask) {
            return Err(fail(ErrorKind::NotPermitted, "This API key may not ask carriers: it lacks the scope ask."));
        }
        let (now, today) = (Timestamp::now(), self.today());
        let (plane, narrowed) = self.checked(request, today)?;
        let Ok(permit) = self.under_way.clone().try_acquire_owned() else {
            return Err(fail(ErrorKind::Overloaded, "Too many questions are under way; ask again in a moment."));
        };
        let started = Instant::now();
        let question = Question {
            id,
            batch,
            caller,
            ask: Arc::new(Ask::Eligibility(alone(narrowed.narrow(request)))),
            searched_by: narrowed.used.into(),
            lane: request.lane,
            asked_at: now,
            max_age: request.max_age_secs.map(Duration::from_secs),
            deadline: started + plane.carrier.limits.deadline,
            today,
            started,
        };
        let (id, pending) = (question.id.clone(), Envelope::pending(&question, &plane.carrier));
        let run = plane.stack().oneshot(question);
        let end = tokio::spawn(async move {
            let _permit = permit;
            match run.await {
                Ok(envelope) => envelope,
                Err(never) => match never {},
            }
        });
        Ok(Asked { id, pending, end })
    }

    /// Everything that is wrong with a question, without putting it.
    ///
    /// # Errors
    /// [`NotAsked`], as [`Gateway::ask`] would give it.
    pub fn check(&self, request: &EligibilityRequest) -> Result<(), NotAsked> {
        self.checked(request, self.today()).map(|_| ())
    }

    /// The carrier's plane and the fields it needs; or everything that is wrong with the ask.
    fn checked(&self, request: &EligibilityRequest, today: Date) -> Result<(Plane, Narrowed), NotAsked> {
        let mut problems = request.problems(today);
        let Some(plane) = self.planes.get(&request.carrier) else {
            return Err(match problems.is_empty() {
                true => NotAsked::Error(Error::new(ErrorKind::CarrierUnknown, NO_SUCH_CARRIER)),
                false => NotAsked::Problems(problems),
            });
        };
        problems.extend(offer_problems(&plane.carrier, request));
        match plane.carrier.form.check(request, today) {
            Ok(narrowed) if problems.is_empty() => return Ok((plane, narrowed)),
            Ok(_) => {}
            Err(more) => problems.extend(more),
        }
        Err(NotAsked::Problems(problems))
    }

    /// Signs in at a carrier with the practice's credential, without asking anything: one try, started by a person.
    /// `false` where only a question can show whether the credential works; then nothing was sent.
    ///
    /// # Errors
    /// Why the carrier did not let us in; a refused credential is stopped by then.
    pub async fn try_credential(&self, practice: &PracticeId, carrier: &str) -> Result<bool, Error> {
        let plane = self.planes.get(carrier).ok_or_else(|| Error::new(ErrorKind::CarrierUnknown, NO_SUCH_CARRIER))?;
        let handle = plane.wire.attempt(Attempt {
            practice: practice.clone(),
            lane: Lane::Interactive,
            deadline: Instant::now() + plane.carrier.limits.attempt_timeout,
            trace: "SIGNIN".to_owned(),
            today: self.today(),
        })?;
        handle.sign_in().await
    }
}

/// The question alone. With `max_age_secs` or `lane` left in it, an answer that was asked for anew, or overnight, would be
/// saved as that to another question, and the front desk would be given an older one.
fn alone(mut ask: EligibilityRequest) -> EligibilityRequest {
    ask.max_age_secs = None;
    ask.lane = Lane::default();
    ask
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
