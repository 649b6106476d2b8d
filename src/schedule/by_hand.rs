//! An appointment that somebody at the desk adds: who walks in, or was squeezed in on the phone. It can be corrected and
//! taken off again; one that came from another system is mended there, or the next file would put it back.

use connector_sdk::ask::{FieldProblem, check_npi};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::visit::{CODES_MAX, TEXT_MAX, Visit};
use super::{ROWS_MAX, Schedule};
use crate::identity::Caller;
use crate::store::schedule::{self as rows, AppointmentRow, BY_HAND};
use crate::store::{self, StoreError};
use crate::trail::{Detail, Purpose, SealBroken, TrailRecord, Use, bind};

/// Days between today and an appointment at most.
const DAYS_AWAY_MAX: i32 = 731;
const NOT_OPENING: StoreError = StoreError::Damaged { what: "an appointment does not open" };
const NOT_BY_HAND: &str = "This appointment came from the practice's own system: mend it there and import it again. \
    Only what vanished from its file can be taken off here.";

/// One appointment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Appointment {
    /// Its id, `app_…`.
    pub id: String,
    /// Raised by every change; what is changed must name it.
    pub version: i64,
    /// The day, `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub date: Date,
    /// Whose.
    pub patient: String,
    /// Where it came from: `hand`, or the kind of file.
    pub source: String,
    /// Whether it is no longer in the file it came from.
    pub vanished: bool,
    /// The appointment.
    pub visit: Visit,
}

impl Appointment {
    /// Whether it was added here, so that it can be corrected here.
    pub fn by_hand(&self) -> bool {
        self.source == BY_HAND
    }
}

/// What came of a change by hand.
#[derive(Debug)]
pub enum Done {
    /// It is kept; as it stands now.
    Kept(Box<Appointment>),
    /// Somebody else has changed it since; as it stands now. Nothing was written.
    Meanwhile(Box<Appointment>),
    /// This practice has no such appointment.
    Unknown,
}

/// Why an appointment was not kept.
#[derive(Debug)]
pub enum NotAdded {
    /// What is wrong with it, all of it.
    Problems(Vec<FieldProblem>),
    /// It came from another system: a sentence for people.
    Elsewhere(&'static str),
    /// The store cannot write.
    Error(StoreError),
}

impl From<StoreError> for NotAdded {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

impl Schedule {
    /// Adds an appointment of a patient who is known here.
    ///
    /// # Errors
    /// [`NotAdded`]; nothing was written then.
    pub async fn add(&self, caller: &Caller, date: Date, patient: &str, visit: Visit) -> Result<Appointment, NotAdded> {
        let practice = caller.practice();
        let mut problems = self.problems(date, &visit);
        if self.rooms.patients.get(practice, patient).await?.is_none() {
            problems.push(FieldProblem::new("/patient", "This practice has no such patient."));
        }
        if !problems.is_empty() {
            return Err(NotAdded::Problems(problems));
        }
        let gate = self.gate(practice);
        let _one_at_a_time = gate.lock().await;
        if rows::count(&self.rooms.store, practice, &date.to_string()).await? >= ROWS_MAX {
            let message = format!("This day has {ROWS_MAX} appointments: more are not listed.");
            return Err(NotAdded::Problems(vec![FieldProblem::new("/date", message)]));
        }
        let id = format!("app_{}", Uuid::now_v7().simple());
        // Nothing but its own id meets it again: no file knows of it.
        let text = bind(&[b"appointment v1", practice.as_str().as_bytes(), b"hand", id.as_bytes()]);
        let key = self.rooms.sealer.try_mac(Purpose::Patients, &text).map_err(|SealBroken| NOT_OPENING)?;
        let row = AppointmentRow {
            sealed: self.sealed(practice, &id, &visit)?,
            id,
            key,
            date: date.to_string(),
            patient: patient.to_owned(),
            state: "booked".to_owned(),
            source: BY_HAND.to_owned(),
            asked: None,
            changed_at: store::now(),
        };
        let record = self.record(caller, "appointment.added", &row);
        rows::add(&self.rooms.store, practice, row.clone(), self.rooms.trail.link(record)).await?;
        Ok(self.appointment_of(&row, visit))
    }

    /// Changes an appointment that was added by hand, if nobody has since `version` was read.
    ///
    /// # Errors
    /// [`NotAdded`]; nothing was written then.
    pub async fn correct(
        &self,
        caller: &Caller,
        id: &str,
        version: i64,
        date: Date,
        visit: Visit,
    ) -> Result<Done, NotAdded> {
        let practice = caller.practice();
        let Some(mut row) = rows::one(&self.rooms.store, practice, id).await? else { return Ok(Done::Unknown) };
        if row.source != BY_HAND {
            return Err(NotAdded::Elsewhere(NOT_BY_HAND));
        }
        let problems = self.problems(date, &visit);
        if !problems.is_empty() {
            return Err(NotAdded::Problems(problems));
        }
        if row.changed_at == version {
            row.sealed = self.sealed(practice, id, &visit)?;
            row.date = date.to_string();
            // Later than before whatever the clock says: it is the version.
            row.changed_at = store::now().max(version + 1);
            let record = self.rooms.trail.link(self.record(caller, "appointment.changed", &row));
            match rows::correct(&self.rooms.store, practice, row.clone(), version, record).await {
                Ok(()) => return Ok(Done::Kept(Box::new(self.appointment_of(&row, visit)))),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let now = self.appointment(caller, id).await?;
        Ok(now.map_or(Done::Unknown, |now| Done::Meanwhile(Box::new(now))))
    }

    /// Takes an appointment off its day: one that was added by hand, or one that is no longer in its file. Whether it was
    /// there.
    ///
    /// # Errors
    /// [`NotAdded`]; nothing was written then.
    pub async fn take_off(&self, caller: &Caller, id: &str) -> Result<bool, NotAdded> {
        let practice = caller.practice();
        let Some(row) = rows::one(&self.rooms.store, practice, id).await? else { return Ok(false) };
        if row.source != BY_HAND && row.state != "vanished" {
            return Err(NotAdded::Elsewhere(NOT_BY_HAND));
        }
        let record = self.rooms.trail.link(self.record(caller, "appointment.removed", &row));
        match rows::take_off(&self.rooms.store, practice, id, row.changed_at, record).await {
            // Somebody was quicker.
            Err(StoreError::Conflict) => Ok(false),
            done => Ok(done.map(|()| true)?),
        }
    }

    /// One appointment; the reading of it is on record before it returns.
    ///
    /// # Errors
    /// What the store says.
    pub async fn appointment(&self, caller: &Caller, id: &str) -> Result<Option<Appointment>, StoreError> {
        let practice = caller.practice();
        let Some(row) = rows::one(&self.rooms.store, practice, id).await? else { return Ok(None) };
        let visit = self.open(practice, &row)?;
        self.rooms.trail.record(self.record(caller, "appointment.read", &row)).await?;
        Ok(Some(self.appointment_of(&row, visit)))
    }

    fn record(&self, caller: &Caller, action: &'static str, row: &AppointmentRow) -> TrailRecord {
        let detail = Detail::default().say("date", row.date.clone()).say("patients", vec![row.patient.clone()]);
        TrailRecord::new(caller.practice(), &caller.actor(), action)
            .purpose(Use::Payment)
            .subject(&row.id)
            .detail(detail)
    }

    fn appointment_of(&self, row: &AppointmentRow, visit: Visit) -> Appointment {
        Appointment {
            id: row.id.clone(),
            version: row.changed_at,
            date: row.date.parse().unwrap_or_default(),
            patient: row.patient.clone(),
            source: row.source.clone(),
            vanished: row.state == "vanished",
            visit,
        }
    }

    /// Everything that is wrong with an appointment, whoever it is for. Whether its day has room is known only when it is
    /// added.
    pub fn problems(&self, date: Date, visit: &Visit) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut wrong = |path: &str, message: &str| problems.push(FieldProblem::new(path, message));
        let today = self.rooms.gateway.today();
        if (date - today).get_days().abs() > DAYS_AWAY_MAX {
            wrong("/date", "This day is more than two years away: look at the year.");
        }
        let texts = [
            ("/visit/visit_type", visit.visit_type.as_ref().map(|kind| kind.text())),
            ("/visit/provider", visit.provider.as_deref()),
            ("/visit/location", visit.location.as_deref()),
            ("/visit/carrier_as_written", visit.carrier_as_written.as_deref()),
        ];
        for (path, text) in texts {
            let text = text.unwrap_or_default();
            if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
                wrong(path, "This has at most 120 characters, all in one line.");
            }
        }
        if let Some(npi) = &visit.provider_npi
            && let Err(how) = check_npi(npi)
        {
            wrong("/visit/provider_npi", how);
        }
        if let Some(carrier) = &visit.carrier
            && self.rooms.gateway.planes().get(carrier).is_none()
        {
            wrong("/visit/carrier", "There is no carrier with this id; GET /v1/carriers lists them.");
        }
        for (path, codes) in [("/visit/service_types", &visit.service_types), ("/visit/procedures", &visit.procedures)]
        {
            let fine = |code: &String| (1..=8).contains(&code.len()) && code.bytes().all(|c| c.is_ascii_alphanumeric());
            if codes.len() > CODES_MAX || !codes.iter().all(fine) {
                wrong(path, "At most 20 codes of up to 8 letters and digits.");
            }
        }
        problems
    }
}
