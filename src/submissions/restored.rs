//! After the data was put back to an earlier state, by hand, by a rewind that was noticed, or from a backup: what waits or
//! was being sent when the copy was made may have been sent since, by a process whose books are gone. **One operation**,
//! one transaction: everything unfinished becomes unknown, so that the carrier is asked before anything is sent again;
//! every carrier is held until a person releases it; every credential waits for a person to have it tried, since the
//! carrier may have refused it since; and what was used up since stays used up: sessions, invitations, one-time codes.

use std::sync::Arc;

use uuid::Uuid;

use super::Hold;
use super::state::{Event, Outcome, State, next};
use crate::store::restored::{Doubt, Doubted, Restoring, Unfinished, after_restore};
use crate::store::trail::Append;
use crate::store::{self, Store, StoreError};
use crate::totp;
use crate::trail::{Actor, Detail, Trail, TrailRecord};
use crate::vault::{GATEWAY_PRACTICE, RESTORED};

/// Codes of so many later steps may have been used as well: clocks differ.
const STEPS_AHEAD: u64 = 1;

/// A person says that the data was put back. `why` is kept sealed, with the record.
///
/// # Errors
/// What the store says; nothing has happened then.
pub async fn restored(store: &Store, trail: &Arc<Trail>, why: &str, by: &Actor) -> Result<Doubted, StoreError> {
    let practice = crate::practice::PracticeId::new(GATEWAY_PRACTICE);
    let record = TrailRecord::new(&practice, by, "store.restored").detail(Detail::default().say("reason", why));
    doubt_all(store, trail, vec![trail.link(record)], by).await
}

/// A person accepts that the paper trail is not what was anchored; how many trails there were, and what is doubted since.
/// `None`: all trails are what was anchored.
///
/// # Errors
/// What the store says; the rollback is not accepted then.
pub async fn accept_rollback(
    store: &Store,
    trail: &Arc<Trail>,
    why: &str,
    by: &Actor,
) -> Result<Option<(usize, Doubted)>, StoreError> {
    trail.accept_rollback(why, by, async |records| doubt_all(store, trail, records, by).await).await
}

/// `first`: the records by which the restore itself is told.
async fn doubt_all(store: &Store, trail: &Arc<Trail>, first: Vec<Append>, by: &Actor) -> Result<Doubted, StoreError> {
    after_restore(store, restoring(trail, first, by)).await
}

/// The operation itself, for whoever has a transaction of their own: a restore from a backup. `first`: the records by
/// which the restore itself is told.
pub(crate) fn restoring(trail: &Arc<Trail>, first: Vec<Append>, by: &Actor) -> Restoring {
    let at = store::now();
    Restoring {
        at,
        step: totp::step(at.div_euclid(1_000_000)).saturating_add(STEPS_AHEAD),
        shared: GATEWAY_PRACTICE,
        hold: Hold::Restored.word(),
        stop: RESTORED,
        first,
        doubt: {
            let (trail, by) = (Arc::clone(trail), by.clone());
            Box::new(move |found| doubt(found, |record| trail.link(record), &by))
        },
        held: {
            let (trail, by) = (Arc::clone(trail), by.clone());
            Box::new(move |practice, carrier| {
                trail.link(TrailRecord::new(practice, &by, "submission.hold").carrier(carrier))
            })
        },
        stopped: {
            let (trail, by) = (Arc::clone(trail), by.clone());
            Box::new(move |practice, carrier, id| {
                trail.link(TrailRecord::new(practice, &by, "credential.stopped").carrier(carrier).credential(id))
            })
        },
    }
}

/// What becomes of one: [`next`] says it, here as everywhere.
fn doubt(found: &Unfinished, link: impl Fn(TrailRecord) -> Append, by: &Actor) -> Result<Doubt, StoreError> {
    const BROKEN: StoreError = StoreError::Damaged { what: "a submission has an unknown state" };
    let before = State::read(&found.state, found.negatives, found.person).ok_or(BROKEN)?;
    let step = next(before, Event::Restored).map_err(|_| BROKEN)?;
    let State::Unknown { negatives, person } = step.state else { return Err(BROKEN) };
    let begin = found.open.is_none().then(|| format!("att_{}", Uuid::now_v7().simple()));
    let attempt = begin.as_ref().or(found.open.as_ref());
    let mut record = TrailRecord::new(&found.practice, by, Event::Restored.action())
        .carrier(&found.carrier)
        .operation(connector_sdk::Operation::Authorization)
        .ask(&found.id);
    if let Some(attempt) = attempt {
        record = record.subject(attempt);
    }
    Ok(Doubt {
        state: step.state.word(),
        negatives: negatives.into(),
        person,
        outcome: step.attempt.or(begin.is_some().then_some(Outcome::Unknown)).map(Outcome::word),
        begin,
        record: link(record),
    })
}
