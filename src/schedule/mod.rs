//! The schedule: who comes on which day, taken in from other systems, and the batch that verifies a day.
//!
//! Read in this order: `visit` (an appointment), `columns`, `cells`, `table` and `fhir` (files to appointments), `keep`
//! (taking them in), `by_hand` (one that somebody adds), `status` (where one stands), `places` (by whom and where), `day`
//! (the list), `verify` (asking the carriers about those that are not fresh).
//!
//! - The same file again changes nothing: an appointment is met again by the other system's id for it, else by patient,
//!   day and order within the day.
//! - An appointment that is no longer in the file for its day is kept and flagged, unless the import says `replace`.
//! - What names a patient is sealed; the day, our ids and the batch stand in the clear.

mod by_hand;
mod cells;
mod columns;
mod day;
mod fhir;
mod keep;
mod places;
mod status;
mod table;
mod verify;
mod visit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::ask::FieldProblem;
use jiff::civil::Date;

pub use by_hand::{Appointment, Done, NotAdded};
pub use day::{CarrierNote, DayView, RowPatient, RowView};
pub use keep::{Imported, NotImported};
pub use places::{Choice, Only};
pub use status::Next;
pub use verify::{NotAskable, Verified};
pub use visit::{PROBLEMS_LISTED, ReadFile, Visit};

use crate::batches::Batches;
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::patients::Patients;
use crate::practice::PracticeId;
use crate::store::Store;
use crate::trail::{Sealer, Trail};
use table::Setting;

/// Appointments in one file at most, and on one day.
pub const ROWS_MAX: usize = 5_000;
/// Largest file, bytes.
pub const FILE_MAX: usize = 8 * 1024 * 1024;

/// The same list, read again by the same person within this, is the same reading.
const ONE_READING: Duration = Duration::from_secs(60);
/// Readings remembered.
const READINGS_MAX: u64 = 10_000;

/// Finds a carrier's id by what another system calls it.
type Resolve<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What kind of file is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Comma-separated values with a header.
    Csv,
    /// Rows pasted from a table, with a header, cells divided by tabs.
    Pasted,
    /// A FHIR R4 Bundle of Appointment resources.
    Fhir,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Pasted => "paste",
            Self::Fhir => "fhir",
        }
    }
}

/// The rooms that the schedule works with.
pub struct Rooms {
    /// Rows.
    pub store: Arc<Store>,
    /// Records.
    pub trail: Arc<Trail>,
    /// The vault.
    pub sealer: Arc<dyn Sealer>,
    /// The practice's own NPIs.
    pub identity: Arc<Identity>,
    /// Carriers.
    pub gateway: Arc<Gateway>,
    /// Whose appointments they are.
    pub patients: Arc<Patients>,
    /// Asks.
    pub batches: Arc<Batches>,
}

/// The schedules of all practices. Cheap to share; build it once.
pub struct Schedule {
    rooms: Rooms,
    /// One import or one start of a batch of a practice at a time: two people who press together ask once.
    gates: Mutex<HashMap<PracticeId, Arc<tokio::sync::Mutex<()>>>>,
    /// Whose reading of which day is on record already: a list that renews itself while a batch runs is one reading.
    readings: moka::sync::Cache<(PracticeId, String, Date), Vec<String>>,
}

impl Schedule {
    /// Over these rooms.
    pub fn new(rooms: Rooms) -> Arc<Self> {
        let readings = moka::sync::Cache::builder().max_capacity(READINGS_MAX).time_to_live(ONE_READING).build();
        Arc::new(Self { rooms, gates: Mutex::default(), readings })
    }

    /// Reads a file, without keeping anything of it. `date` is the day of rows that name none. Takes a while; call it on
    /// a thread that may.
    pub fn read(&self, kind: Kind, body: &[u8], date: Option<Date>) -> ReadFile {
        if body.len() > FILE_MAX {
            let message = "The file is larger than 8 MB; import it in parts.";
            return ReadFile::none(vec![FieldProblem::new("/", message)]);
        }
        let gateway = &self.rooms.gateway;
        let carriers = |text: &str| carrier_of(gateway, text);
        let setting = Setting { date, today: gateway.today(), carriers: &carriers };
        match kind {
            Kind::Csv => table::read(body, false, &setting),
            Kind::Pasted => table::read(body, true, &setting),
            Kind::Fhir => fhir::read(body, gateway.zone(), &setting),
        }
    }

    fn gate(&self, practice: &PracticeId) -> Arc<tokio::sync::Mutex<()>> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(practice.clone()).or_default().clone()
    }
}

/// Fits of a carrier's search that are the carrier's own id, name, alias, payer id or plan, but for signs and case.
const SURE: u16 = 95;

/// The carrier that a text names, where it can be only one.
fn carrier_of(gateway: &Gateway, text: &str) -> Option<String> {
    let book = gateway.planes().book();
    if let Some(known) = book.get(text.trim()) {
        return Some(known.id.clone());
    }
    let hits = book.search(text, 2);
    let first = hits.first().filter(|hit| hit.score >= SURE)?;
    hits.get(1).is_none_or(|second| second.score < first.score).then(|| first.id.clone())
}
