//! The practice's patients: what is known of each, found tolerantly, with the last word of every carrier.
//!
//! Read in this order: `person` (what is known of one), `fold`, `dates` and `query` (what somebody typed), `roster` (the
//! search in memory), `keep` (making and changing one), `take_in` (what another system says of many), `gist` (what of an
//! answer a list shows), `standing` (the last words), `phoned` (what somebody was told on the phone), `badge`.
//!
//! - Everything of a patient is sealed at rest; the table's other columns are our own ids and times.
//! - A question finds its patient in two ways: by a link that is written when it is put from the patient's page
//!   ([`Patients::link`]), and by the code under which the paper trail keeps it, carrier, member id and date of birth,
//!   so that a question of a batch, or of another program, is found too. The gateway knows nothing of patients.
//! - The index for search is built at a practice's first search, follows every change, and is dropped when nobody has
//!   searched for half an hour.

mod badge;
pub mod dates;
pub mod fold;
mod gist;
mod keep;
mod person;
mod phoned;
mod query;
mod roster;
mod standing;
mod take_in;
mod take_over;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::RwLock;

pub use badge::{Badge, badge, of_reason};
pub use gist::{Copay, Gist};
pub use keep::{Changed, NotKept};
pub use person::{COVERAGES_MAX, Patient, PatientCoverage, PatientView, Subscriber};
pub use phoned::{PhoneWord, Phoned};
pub use query::QUERY_CHARS_MAX;
pub use roster::PATIENTS_MAX;
pub use standing::{Past, Standing, Tried};
pub use take_in::{TakenIn, Took};

use crate::identity::Caller;
use crate::practice::PracticeId;
use crate::store::patients::PatientRow;
use crate::store::{Store, StoreError, patients as rows};
use crate::trail::{Detail, Sealer, Trail, TrailRecord, Use};
use query::Query;
use roster::Roster;

/// Patients given by one search at most.
pub const FOUND_MAX: usize = 50;
/// An index that nobody has searched for so long is dropped.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How often it is looked whether one can be dropped.
const SWEEP: Duration = Duration::from_secs(60);
/// Answers of which the gist is held in memory, all practices together.
const GISTS_MAX: u64 = 50_000;

const NOT_OPENING: StoreError = StoreError::Damaged { what: "a patient's record does not open" };

/// What of a patient fitted a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// The last name.
    LastName,
    /// The first name.
    FirstName,
    /// First and last name stand the other way round here.
    NamesSwapped,
    /// A name that differs in one letter.
    SimilarName,
    /// The date of birth, or the part of it that was typed.
    DateOfBirth,
    /// The date of birth with day and month the other way round.
    DayAndMonthSwapped,
    /// A date of birth that differs in one digit.
    DateOfBirthNearly,
    /// A member id.
    MemberId,
    /// The end of a member id.
    MemberIdEnding,
    /// A member id that differs in one character.
    MemberIdNearly,
    /// The phone number, or its end.
    Phone,
    /// The number in the practice's own system.
    Mrn,
}

/// A patient that fits a query.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Found {
    /// The patient.
    #[serde(flatten)]
    pub patient: PatientView,
    /// What fitted.
    pub matched: Vec<Matched>,
    /// How well; only the order means anything.
    pub score: u32,
    /// What each carrier last said, in the order of the coverages.
    pub standings: Vec<Standing>,
}

/// The patients of all practices. Cheap to share; build it once.
pub struct Patients {
    store: Arc<Store>,
    trail: Arc<Trail>,
    sealer: Arc<dyn Sealer>,
    rooms: Mutex<HashMap<PracticeId, Arc<Room>>>,
    gists: moka::sync::Cache<(PracticeId, String), Arc<Gist>>,
}

/// One practice's index, once somebody has searched. Who changes a patient holds it for writing until both the store and
/// the index have the change: an index that is being built misses nothing.
struct Room {
    roster: Arc<RwLock<Option<Roster>>>,
    used: Mutex<Instant>,
}

impl Patients {
    /// Over these rooms. The sealer is the vault.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>, sealer: Arc<dyn Sealer>) -> Arc<Self> {
        let gists = moka::sync::Cache::builder().max_capacity(GISTS_MAX).time_to_idle(IDLE).build();
        Arc::new(Self { store, trail, sealer, rooms: Mutex::default(), gists })
    }

    /// One patient of the practice. **The caller records that they were read**: [`Patients::record_reading`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn get(&self, practice: &PracticeId, id: &str) -> Result<Option<PatientView>, StoreError> {
        let row = rows::get(&self.store, practice, id).await?;
        row.map(|row| Ok(self.opened(practice, &row)?.view(&row))).transpose()
    }

    /// Several patients of the practice by their ids; ids that are unknown are left out. **The caller records it.**
    ///
    /// # Errors
    /// What the store says.
    pub async fn several(
        &self,
        practice: &PracticeId,
        ids: Vec<String>,
    ) -> Result<HashMap<String, PatientView>, StoreError> {
        let found = rows::several(&self.store, practice, ids).await?;
        found.iter().map(|row| Ok((row.id.clone(), self.opened(practice, row)?.view(row)))).collect()
    }

    /// Patients that fit what somebody typed: names in any order, a date of birth in any usual spelling, a member id or
    /// its end, a phone number, the practice's own number; one wrong letter or two swapped digits are forgiven. Best
    /// first, at most `most` (itself at most 50), each with the last word of its carriers. The search is on record before
    /// it returns.
    ///
    /// # Errors
    /// What the store says.
    pub async fn search(
        &self,
        caller: &Caller,
        query: &str,
        today: Date,
        most: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let practice = caller.practice();
        let query = Query::read(query, today);
        let most = most.clamp(1, FOUND_MAX);
        let fits = if query.is_empty() {
            Vec::new()
        } else {
            let roster = self.roster(practice).await?;
            let looking = tokio::task::spawn_blocking(move || roster.as_ref().map(|roster| roster.find(&query, most)));
            looking.await.map_err(|_| StoreError::Closed)?.unwrap_or_default()
        };
        let ids: Vec<String> = fits.iter().map(|fit| fit.id.clone()).collect();
        let mut people = self.several(practice, ids.clone()).await?;
        let asked: Vec<(&PatientView, Option<&str>)> =
            ids.iter().filter_map(|id| people.get(id)).map(|view| (view, None)).collect();
        let mut standings = self.standings(practice, &asked).await?.into_iter();
        let mut found = Vec::with_capacity(fits.len());
        for fit in fits {
            if let Some(patient) = people.remove(&fit.id) {
                let standings = standings.next().unwrap_or_default();
                found.push(Found { patient, matched: fit.matched, score: fit.score, standings });
            }
        }
        let record = TrailRecord::new(practice, &caller.actor(), "patients.searched")
            .purpose(Use::Payment)
            .detail(Detail::default().say("patients", ids));
        self.trail.record(record).await?;
        Ok(found)
    }

    /// Writes down that somebody reads a patient, before anything of it leaves. `action` is a fixed word, such as
    /// `patient.read`.
    ///
    /// # Errors
    /// What the store says; then nothing may leave.
    pub async fn record_reading(&self, caller: &Caller, action: &'static str, id: &str) -> Result<(), StoreError> {
        let record = TrailRecord::new(caller.practice(), &caller.actor(), action).purpose(Use::Payment).subject(id);
        self.trail.record(record).await.map(|_| ())
    }

    /// Drops indexes that nobody uses any more. Spawn it once.
    pub async fn keep_small(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.gists.run_pending_tasks();
            let rooms: Vec<Arc<Room>> = self.rooms().values().cloned().collect();
            for room in rooms {
                let idle = room.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > IDLE;
                if idle && let Ok(mut roster) = room.roster.try_write() {
                    *roster = None;
                }
            }
        }
    }

    /// How many patients the practice has.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count(&self, practice: &PracticeId) -> Result<usize, StoreError> {
        Ok(self.roster(practice).await?.as_ref().map_or(0, Roster::len))
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<PracticeId, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, practice: &PracticeId) -> Arc<Room> {
        let mut rooms = self.rooms();
        let room = rooms
            .entry(practice.clone())
            .or_insert_with(|| Arc::new(Room { roster: Arc::default(), used: Mutex::new(Instant::now()) }));
        *room.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        room.clone()
    }

    /// The practice's index, to be read.
    async fn roster(
        &self,
        practice: &PracticeId,
    ) -> Result<tokio::sync::OwnedRwLockReadGuard<Option<Roster>>, StoreError> {
        let room = self.room(practice);
        let there = room.roster.clone().read_owned().await;
        if there.is_some() {
            return Ok(there);
        }
        drop(there);
        let mut empty = room.roster.clone().write_owned().await;
        self.fill(practice, &mut empty).await?;
        Ok(empty.downgrade())
    }

    /// Builds the index where it is not there.
    async fn fill(&self, practice: &PracticeId, roster: &mut Option<Roster>) -> Result<(), StoreError> {
        if roster.is_some() {
            return Ok(());
        }
        let all = rows::all(&self.store, practice, u32::try_from(PATIENTS_MAX).unwrap_or(u32::MAX)).await?;
        let (sealer, practice) = (self.sealer.clone(), practice.clone());
        let building = tokio::task::spawn_blocking(move || {
            let mut built = Roster::default();
            for row in &all {
                let kept = keep::open(sealer.as_ref(), &practice, row)?;
                built.put(&row.id, &kept.patient, kept.elsewhere.as_ref());
            }
            Ok::<_, StoreError>(built)
        });
        *roster = Some(building.await.map_err(|_| StoreError::Closed)??);
        Ok(())
    }

    fn opened(&self, practice: &PracticeId, row: &PatientRow) -> Result<keep::Kept, StoreError> {
        keep::open(self.sealer.as_ref(), practice, row)
    }
}
