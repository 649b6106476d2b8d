//! The worker: takes items as the plan gives them, asks, and settles what becomes of each. Taken up again after a kill.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connector_sdk::ask::Lane;
use connector_sdk::{ErrorKind, Retry};
use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::Batches;
use super::plan::{Course, Pick, Room};
use super::verdict::{self, Verdict};
use crate::gateway::NotAsked;
use crate::identity::{Caller, Scope};
use crate::practice::PracticeId;
use crate::stack::{BreakerState, Envelope};
use crate::store::batches::{self, Settled, TakenItem};
use crate::store::{self, StoreError};
use crate::trail::TrailRecord;
use crate::vault::{self, CredentialState};

/// How often what waits for a carrier is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The same when nothing waits.
const IDLE: Duration = Duration::from_secs(60);
/// How long it is remembered that a caller may ask.
const ASKER_KNOWN: Duration = Duration::from_secs(5);
/// How long what could not be stored is left before it is tried again.
const STORE_AGAIN: Duration = Duration::from_secs(2);
/// Questions under way of one practice at one carrier at most, whatever the carrier allows.
const OF_PRACTICE_MAX: usize = 16;
/// The same of all practices.
const OF_CARRIER_MAX: usize = 32;
/// How long the questions under way may take to end when the gateway stops.
const FINISH_WITHIN: Duration = Duration::from_secs(15);

/// Callers that were looked up lately.
type Askers = HashMap<(PracticeId, Arc<str>), (Instant, Option<Arc<Caller>>)>;

impl Batches {
    /// Takes up what an earlier process left unfinished; says how many batches. Call it once at start, before
    /// [`Batches::work`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let mut taken_up = 0;
        for practice in store::keys::practices(&self.store).await? {
            for row in batches::unfinished(&self.store, &practice.id).await? {
                for item in batches::open_items(&self.store, &practice.id, &row.id).await? {
                    if let Some(question) = item.asking {
                        self.recover_item(&practice.id, &row.id, item.n, question).await?;
                    }
                }
                let items = batches::open_items(&self.store, &practice.id, &row.id).await?;
                let counted = self.counted(&practice.id, &row.id).await?;
                let runs = row.state == "running";
                let course = Course::new(practice.id.clone(), &row.actor, runs, counted, &items);
                self.plan().add(row.id.as_str().into(), course);
                self.close(&practice.id, &row.id).await?;
                taken_up += 1;
            }
        }
        Ok(taken_up)
    }

    /// An item whose question was under way: by the stored answer it is done; without one it waits again.
    async fn recover_item(
        &self,
        practice: &PracticeId,
        batch: &str,
        n: i64,
        question: String,
    ) -> Result<(), StoreError> {
        let at = store::now();
        let stored = self.trail.get(practice, &question).await?.and_then(|stored| stored.envelope);
        let envelope = stored.and_then(|bytes| serde_json::from_slice::<Envelope>(&bytes).ok());
        let taken = batches::taken(&self.store, practice, batch, n).await?;
        let settled = match (envelope, taken) {
            (Some(envelope), Some(taken)) => settled(n, question, &judge(&envelope, &taken, at), at),
            _ => Settled { n, question, state: "waiting", reason: None, tried: false, not_before: 0, at },
        };
        batches::settle(&self.store, practice, batch, settled, None).await.map(|_| ())
    }

    /// Works until [`Batches::finish`]. Spawn it once.
    pub async fn work(self: Arc<Self>) {
        let mut askers = Askers::new();
        while !self.stopping.load(Ordering::SeqCst) {
            self.check_askers(&mut askers).await;
            // While the paper trail is behind its anchors, no carrier is asked.
            let picks = match self.trail.held() {
                Some(_) => Vec::new(),
                None => self.plan().picks(store::now(), |practice, carrier| self.room(practice, carrier)),
            };
            for pick in picks {
                let known = askers.get(&(pick.practice.clone(), pick.actor.clone()));
                match known.and_then(|(_, caller)| caller.clone()) {
                    Some(caller) => drop(tokio::spawn(self.clone().one(pick, caller))),
                    // It came in after they were checked: the next round asks it.
                    None => self.put_back(&pick),
                }
            }
            let wait = if self.plan().waits() { LOOK_EVERY } else { IDLE };
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn put_back(&self, pick: &Pick) {
        self.plan().ended(pick, "waiting", Some(store::now()));
        self.wake.notify_one();
    }

    /// Stops asking and lets the questions under way end, for a while: what ends is not asked again.
    pub async fn finish(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.notify_one();
        let all = async {
            loop {
                let ended = self.one_ended.notified();
                if self.plan().under_way() == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(FINISH_WITHIN, all).await;
    }

    /// Looks up in whose names questions are put; a batch whose asker may not ask any more is paused.
    async fn check_askers(&self, askers: &mut Askers) {
        askers.retain(|_, (since, _)| since.elapsed() < ASKER_KNOWN);
        let running = self.plan().actors();
        for (id, practice, actor) in running {
            let place = (practice.clone(), actor.clone());
            if !askers.contains_key(&place) {
                match self.identity.standing(&practice, &actor).await {
                    Ok(caller) => {
                        let caller = caller.filter(|caller| caller.may(Scope::Ask)).map(Arc::new);
                        askers.insert(place.clone(), (Instant::now(), caller));
                    }
                    Err(error) => {
                        tracing::error!(error = %error, "a batch waits: its caller cannot be looked up");
                        continue;
                    }
                }
            }
            if askers.get(&place).is_some_and(|(_, caller)| caller.is_none()) {
                tracing::warn!(batch = %id, "a batch is paused: whoever made it may not ask any more");
                if let Err(error) = self.without_asker(&practice, &id).await {
                    tracing::error!(error = %error, "a batch cannot be paused");
                }
            }
        }
    }

    /// What a carrier allows a practice's batches now. Half of everything is left to people at desks.
    fn room(&self, practice: &PracticeId, carrier: &str) -> Room {
        let wait = |reason, until| Room { of_practice: 0, of_carrier: 0, wait: Some((reason, until)) };
        let Some(plane) = self.gateway.planes().get(carrier) else {
            // Asking says what is wrong.
            return Room { of_practice: 1, of_carrier: 1, wait: None };
        };
        if self.gateway.planes().paused(practice, carrier).is_some() {
            return wait("carrier_paused", None);
        }
        if let Some(until) = plane.carrier.hours.closed_until(Timestamp::now()) {
            return wait("carrier_closed", Some(until.as_microsecond()));
        }
        if plane.carrier.credential_fields().iter().any(|field| !field.optional) {
            match self.vault.info(&vault::owner(practice, &plane.carrier), carrier) {
                None => return wait("credential_missing", None),
                Some(info) => match info.state {
                    CredentialState::Active => {}
                    // One question is the try that a person asked for; the others wait for what comes of it.
                    CredentialState::Verifying => return Room { of_practice: 1, of_carrier: 1, wait: None },
                    CredentialState::Suspect | CredentialState::Disabled => return wait("credential_stopped", None),
                },
            }
        }
        let budget = plane.wire.budget(practice);
        // A burst is a quarter of a minute's requests; half of it is left alone.
        if budget.remaining == 0 || budget.remaining < budget.limit_per_minute / 8 {
            return wait("carrier_allowance", None);
        }
        let limits = &plane.carrier.limits;
        let half = |places: u32, most: usize| usize::try_from(places / 2).unwrap_or(usize::MAX).clamp(1, most);
        match plane.circuit() {
            BreakerState::Open => wait("circuit_open", None),
            // One is enough to see.
            BreakerState::Probation => Room { of_practice: 1, of_carrier: 1, wait: None },
            BreakerState::Closed => Room {
                of_practice: half(limits.sessions_per_credential_max.min(limits.concurrent_max), OF_PRACTICE_MAX),
                of_carrier: half(limits.concurrent_max, OF_CARRIER_MAX),
                wait: None,
            },
        }
    }

    /// One item, from being taken to being settled.
    async fn one(self: Arc<Self>, pick: Pick, caller: Arc<Caller>) {
        let (state, again) = match self.ask_one(&pick, caller).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(batch = %pick.batch, item = pick.n, error = %error, "an item could not be taken");
                ("waiting".to_owned(), Some(later(store::now(), STORE_AGAIN)))
            }
        };
        self.plan().ended(&pick, &state, again);
        if let Err(error) = self.close(&pick.practice, &pick.batch).await {
            // The next start does it.
            tracing::error!(batch = %pick.batch, error = %error, "a batch could not be ended");
        }
        self.wake.notify_one();
        self.one_ended.notify_waiters();
    }

    /// Takes, asks and settles; the state the item has then, and when it is due again.
    async fn ask_one(&self, pick: &Pick, caller: Arc<Caller>) -> Result<(String, Option<i64>), StoreError> {
        let question: Arc<str> = Uuid::now_v7().to_string().into();
        let (practice, batch) = (&pick.practice, &*pick.batch);
        let taken = batches::take(&self.store, practice, batch, pick.n, &question, store::now()).await?;
        let Some(taken) = taken else {
            // Paused or cancelled in this very moment.
            let row = batches::get(&self.store, practice, batch).await?;
            let cancelled = row.is_none_or(|row| row.state == "cancelled");
            return Ok((if cancelled { "cancelled" } else { "waiting" }.to_owned(), Some(store::now())));
        };
        let verdict = match self.put(pick, &taken, caller, question.clone()).await {
            Put::Ended(envelope) => judge(&envelope, &taken, store::now()),
            Put::Not(kind, retry) => {
                let safe = retry != Retry::Never;
                let after = if let Retry::After(wait) = retry { Some(wait.as_secs().max(1)) } else { None };
                verdict::of_failure(kind, safe, after, taken.tries, since(&taken, store::now()))
            }
        };
        let at = store::now();
        if let Verdict::Again(again) = &verdict
            && again.all
        {
            self.plan().hold(practice, &pick.carrier, again.reason, later(at, again.wait));
        }
        let settled = settled(pick.n, question.to_string(), &verdict, at);
        let due = settled.not_before;
        let state = self.settle(practice, batch, settled).await;
        Ok((state, Some(due)))
    }

    /// Settles, however long the disk is full: an item is never asked again because its end could not be written.
    async fn settle(&self, practice: &PracticeId, batch: &str, settled: Settled) -> String {
        loop {
            match batches::settle(&self.store, practice, batch, settled.clone(), None).await {
                Ok(state) => return state,
                Err(StoreError::Conflict) => return settled.state.to_owned(),
                Err(error) => {
                    tracing::error!(batch, item = settled.n, error = %error, "an item's end could not be written yet");
                    if self.stopping.load(Ordering::SeqCst) {
                        return settled.state.to_owned();
                    }
                    tokio::time::sleep(STORE_AGAIN).await;
                }
            }
        }
    }

    /// Puts the question and waits for its end.
    async fn put(&self, pick: &Pick, taken: &TakenItem, caller: Arc<Caller>, question: Arc<str>) -> Put {
        let Ok(item) = self.open_item(&pick.practice, &pick.batch, pick.n, &taken.sealed) else {
            tracing::error!(batch = %pick.batch, item = pick.n, "an item does not open");
            return Put::Not(ErrorKind::RequestInvalid, Retry::Never);
        };
        let mut ask = item.ask;
        ask.lane = Lane::Background;
        let actor = caller.actor();
        let error = match self.gateway.ask_for_batch(caller, &ask, question.clone(), pick.batch.clone()) {
            Ok(asked) => match asked.end.await {
                Ok(envelope) => return Put::Ended(envelope),
                Err(_) => return Put::Not(ErrorKind::Internal, Retry::Safe),
            },
            // The carrier's file has changed since the batch was taken in.
            Err(NotAsked::Problems(_)) => (ErrorKind::RequestInvalid, Retry::Never),
            Err(NotAsked::Error(error)) => (error.kind, error.retry),
        };
        // What was put leaves a record by itself; what was not put leaves this one.
        let record = TrailRecord::new(&pick.practice, &actor, "eligibility.denied")
            .failure(error.0)
            .ask(&question)
            .subject(&pick.batch);
        if let Err(error) = self.trail.record(record).await {
            tracing::error!(error = %error, "the paper trail could not be written; the item is tried again");
            return Put::Not(error.kind(), Retry::Safe);
        }
        Put::Not(error.0, error.1)
    }
}

/// How putting a question ended.
enum Put {
    /// With an envelope, which is stored.
    Ended(Arc<Envelope>),
    /// It was not put, or did not end.
    Not(ErrorKind, Retry),
}

fn judge(envelope: &Envelope, taken: &TakenItem, now: i64) -> Verdict {
    verdict::of(envelope, taken.tries, since(taken, now))
}

fn since(taken: &TakenItem, now: i64) -> Duration {
    Duration::from_micros(u64::try_from(now.saturating_sub(taken.first_at)).unwrap_or(0))
}

fn settled(n: i64, question: String, verdict: &Verdict, at: i64) -> Settled {
    let (state, reason, tried, not_before) = match verdict {
        Verdict::Done(state) => (*state, None, false, 0),
        Verdict::GivenUp(reason) => ("failed", Some(*reason), true, 0),
        Verdict::Again(again) => ("waiting", Some(again.reason), again.tried, later(at, again.wait)),
    };
    Settled { n, question, state, reason, tried, not_before, at }
}

fn later(at: i64, wait: Duration) -> i64 {
    at.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
}
