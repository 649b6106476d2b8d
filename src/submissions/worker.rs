//! The worker: takes up what an earlier process left open, sends what waits, asks after what nobody knows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::books::Happening;
use super::schedule::Schedule;
use super::state::{Event, State};
use super::{Hold, Submissions};
use crate::failpoint;
use crate::gateway::Plane;
use crate::practice::PracticeId;
use crate::stack::BreakerState;
use crate::store::submissions::SubmissionRow;
use crate::store::{self, StoreError};
use crate::trail::Actor;

/// The books are looked at this often even when nobody knocks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often ages are told to the metrics, in looks.
const METRICS_EVERY: u32 = 20;
/// Submissions that are worked on at once.
const AT_ONCE_MAX: usize = 128;
/// Of one carrier: a slow one does not take the places of all.
const AT_ONCE_PER_CARRIER: usize = 16;
/// Rows looked at in one go.
const LOOK_MAX: u32 = 256;

/// What is worked on now, with its carrier.
pub(super) type Running = HashMap<(PracticeId, String), String>;

/// Takes a place away when the work has ended, however it did.
struct Working {
    of: Arc<Submissions>,
    key: (PracticeId, String),
}

impl Drop for Working {
    fn drop(&mut self) {
        self.of.running().remove(&self.key);
        self.of.wake.notify_one();
    }
}

impl Submissions {
    /// Closes what no worker of this process holds: at the start, all that an earlier process left open (its lock on the
    /// data directory says that it is dead); later, what a worker that died of a fault left. Nothing had left from
    /// INTENT: it is queued again. From ARMED on, nobody can say.
    ///
    /// # Errors
    /// What the store says.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let mut closed = 0;
        for row in store::submissions::left_open(&self.books.store).await? {
            // Looked at after the row: a worker that has ended meanwhile has written its end before.
            if self.running().contains_key(&(row.practice.clone(), row.id.clone())) {
                continue;
            }
            failpoint::hit("recovering");
            let schedule = self.gateway.planes().get(&row.carrier).and_then(|plane| self.schedule(&plane));
            let schedule = schedule.unwrap_or_else(Schedule::cautious);
            let lost = Happening::new(Event::Lost, Actor::gateway(), row.attempts);
            if let Ok(state) = self.books.happen(&row, lost, &schedule).await? {
                tracing::warn!(
                    submission = row.id,
                    state = state.word(),
                    "a submission that was left open is taken up"
                );
                closed += 1;
            }
        }
        Ok(closed)
    }

    /// Works until it is dropped. Spawn it once, after [`Submissions::recover`].
    pub async fn work(self: Arc<Self>) {
        let mut looks: u32 = 0;
        loop {
            if let Err(error) = self.look(looks.is_multiple_of(METRICS_EVERY)).await {
                tracing::error!(%error, "submissions cannot be looked at");
            }
            looks = looks.wrapping_add(1);
            let _ = tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await;
        }
    }

    async fn look(self: &Arc<Self>, tell: bool) -> Result<(), StoreError> {
        // What the books say was true once. Nothing is concluded from it, not even that something was not sent.
        if self.books.trail.held().is_some() {
            return Ok(());
        }
        if tell {
            self.recover().await?;
            self.tell_ages().await?;
        }
        let now = store::now();
        let mut held = Vec::new();
        for (practice, carrier) in store::submissions::waiting(&self.books.store, now).await? {
            if self.is_full(&carrier) || self.hold_of(&practice, &carrier).is_some() {
                held.push((practice, carrier));
            }
        }
        for row in store::submissions::due(&self.books.store, now, held, LOOK_MAX).await? {
            let Some(working) = self.take(&row) else { continue };
            let this = self.clone();
            tokio::spawn(async move {
                let working = working;
                if let Err(error) = this.work_on(&row).await {
                    tracing::error!(submission = row.id, %error, "a submission cannot be worked on");
                }
                drop(working);
            });
        }
        Ok(())
    }

    async fn work_on(&self, row: &SubmissionRow) -> Result<(), StoreError> {
        let Some(plane) = self.gateway.planes().get(&row.carrier) else {
            return self.put_off(row, &Schedule::cautious()).await;
        };
        match super::books::state_of(row)? {
            State::Queued => self.send(row.clone(), &plane).await,
            State::Unknown { .. } if plane.carrier.submissions().is_some() => self.look_into(row.clone(), &plane).await,
            _ => self.put_off(row, &Schedule::cautious()).await,
        }
    }

    /// A place to work on one, where there is one.
    fn take(self: &Arc<Self>, row: &SubmissionRow) -> Option<Working> {
        if self.is_full(&row.carrier) {
            return None;
        }
        let key = (row.practice.clone(), row.id.clone());
        let mut running = self.running();
        if running.contains_key(&key) {
            return None;
        }
        running.insert(key.clone(), row.carrier.clone());
        Some(Working { of: self.clone(), key })
    }

    fn is_full(&self, carrier: &str) -> bool {
        let running = self.running();
        running.len() >= AT_ONCE_MAX || running.values().filter(|of| *of == carrier).count() >= AT_ONCE_PER_CARRIER
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The times of a carrier that takes submissions.
    pub(super) fn schedule(&self, plane: &Plane) -> Option<Schedule> {
        let promise = plane.carrier.submissions()?.promise();
        Some(Schedule::new(promise, &plane.carrier.submissions))
    }

    /// Why nothing new is sent for this practice to this carrier now. What was sent already goes on.
    pub fn hold_of(&self, practice: &PracticeId, carrier: &str) -> Option<Hold> {
        if self.books.trail.held().is_some() {
            return Some(Hold::RolledBack);
        }
        let held = self.held.load();
        if let Some(reason) = held.get(&(practice.clone(), carrier.to_owned())) {
            return Some(*reason);
        }
        if self.gateway.planes().paused(practice, carrier).is_some() {
            return Some(Hold::Asked);
        }
        let Some(plane) = self.gateway.planes().get(carrier) else { return Some(Hold::NoCarrier) };
        if plane.carrier.submissions().is_none() {
            return Some(Hold::NoCarrier);
        }
        if plane.carrier.hours.closed_until(Timestamp::now()).is_some() {
            return Some(Hold::Closed);
        }
        if plane.circuit() == BreakerState::Open {
            return Some(Hold::Circuit);
        }
        self.usable(practice, &plane).err()
    }

    /// Ages of what nobody knows, by carrier: page somebody at 30 minutes.
    async fn tell_ages(&self) -> Result<(), StoreError> {
        let now = store::now();
        let mut told = HashMap::new();
        for (carrier, since, count) in store::submissions::unknown(&self.books.store).await? {
            told.insert(carrier, (now.saturating_sub(since), count));
        }
        let mut before = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for carrier in before.drain(..).filter(|carrier| !told.contains_key(carrier)).collect::<Vec<_>>() {
            tell(carrier, 0, 0);
        }
        for (carrier, (age, count)) in told {
            tell(carrier.clone(), age, count);
            before.push(carrier);
        }
        Ok(())
    }
}

fn tell(carrier: String, age: i64, count: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let (seconds, count) = (age as f64 / 1e6, count as f64);
    metrics::gauge!("portico_submission_unknown_age_seconds", "carrier" => carrier.clone()).set(seconds);
    metrics::gauge!("portico_submissions_unknown", "carrier" => carrier).set(count);
}
