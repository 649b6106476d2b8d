//! A day's list: each appointment with where it stands, what needs a person first; counters; and what holds up more than
//! one row, said once.

use std::collections::{BTreeMap, HashMap, HashSet};

use connector_sdk::Phi;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::places::{Choice, Only, Places};
use super::status::{self, Next, Scene, Status};
use super::visit::Visit;
use super::{ROWS_MAX, Schedule, carrier_of};
use crate::batches::{BatchView, ItemState};
use crate::identity::Caller;
use crate::patients::{Badge, PatientCoverage, PatientView, Standing};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::schedule::{self as rows, AppointmentRow, DayRow};
use crate::trail::{Detail, TrailRecord, Use};

/// Service types whose copay an office visit costs, where the appointment names none: office visit, the plan as a whole.
const OFFICE: [&str; 2] = ["98", "30"];
/// Characters of a member id that a list shows: enough to compare with a card.
const ENDING: usize = 4;

/// A day.
#[derive(Clone, Serialize, JsonSchema)]
pub struct DayView {
    /// `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub date: Date,
    /// When a file was imported last for this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
    /// What kind of file: `csv`, `paste` or `fhir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How many rows have each badge; those that vanished from the file are not counted.
    pub counters: BTreeMap<&'static str, usize>,
    /// How many appointments there are.
    pub appointments: usize,
    /// How many vanished from the file they came from.
    pub vanished: usize,
    /// How many would be asked about now.
    pub to_ask: usize,
    /// How many need not be: their word is fresh.
    pub fresh: usize,
    /// How many are being asked, or wait to be.
    pub under_way: usize,
    /// The batch that was started last for this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchView>,
    /// What holds up several rows, once for each carrier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carriers: Vec<CarrierNote>,
    /// Who is seen by whom on this day, whatever the list is narrowed to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Choice>,
    /// Where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Choice>,
    /// What the list, its counters and notes are narrowed to.
    #[serde(skip)]
    pub only: Only,
    /// What needs a person first, then by time; what vanished last.
    pub rows: Vec<RowView>,
}

/// One carrier before whose door rows wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CarrierNote {
    /// The carrier's id.
    pub carrier: String,
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: usize,
    /// Why, as a fixed word: `carrier_closed`, `circuit_open`, `credential_stopped` …
    pub reason: String,
    /// Until when at most, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// They are asked again by themselves.
    pub by_itself: bool,
}

/// An appointment.
#[derive(Clone, Serialize, JsonSchema)]
pub struct RowView {
    /// Its id, `app_…`.
    pub id: String,
    /// Whose.
    pub patient: RowPatient,
    /// When it begins, where the practice is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub time: Option<Time>,
    /// What kind of visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit_type: Option<Phi<String>>,
    /// Who is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The carrier's id; absent where nobody here knows the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's name, or as the practice's own system writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_name: Option<String>,
    /// The member id's last characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_id_ending: Option<Phi<String>>,
    /// Where it stands.
    pub badge: Badge,
    /// Whether somebody must do something before the visit.
    pub needs_you: bool,
    /// What.
    pub next: Next,
    /// Whether the word is fresh enough for the visit.
    pub fresh: bool,
    /// Whether it is being asked, or waits to be.
    pub under_way: bool,
    /// Why it waits, or could not be asked: a fixed word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it waits at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What the carrier last said, with when, and what was tried since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// What the carrier says the patient pays at this visit, US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub collect: Option<Decimal>,
    /// Whether it is no longer in the file it came from.
    pub vanished: bool,
    /// Whether somebody added it here.
    pub by_hand: bool,
}

/// The patient of a row.
#[derive(Clone, Serialize, JsonSchema)]
pub struct RowPatient {
    /// The id.
    pub id: String,
    /// Last name.
    pub last_name: Phi<String>,
    /// First name.
    pub first_name: Phi<String>,
    /// Suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Phi<String>>,
    /// Date of birth.
    #[schemars(with = "String")]
    pub date_of_birth: Phi<Date>,
}

/// One appointment with everything that its status is made from.
pub(super) struct Case {
    pub row: AppointmentRow,
    pub visit: Visit,
    pub patient: PatientView,
    /// The carrier's id, as it is known today.
    pub carrier: Option<String>,
    pub status: Status,
}

/// A day, as it is worked on.
pub(super) struct Cases {
    pub day: DayRow,
    pub batch: Option<BatchView>,
    pub cases: Vec<Case>,
}

impl Case {
    /// The coverage by which the patient is asked about.
    pub(super) fn coverage(&self) -> Option<&PatientCoverage> {
        let coverages = &self.patient.patient.coverages;
        let by_id = coverages.iter().find(|one| one.carrier.is_some() && one.carrier == self.carrier);
        by_id.or_else(|| coverages.iter().find(|one| one.as_written == self.visit.carrier_as_written))
    }

    pub(super) fn vanished(&self) -> bool {
        self.row.state == "vanished"
    }

    /// Whether the carrier would be asked now.
    pub(super) fn is_to_ask(&self) -> bool {
        !self.vanished() && self.carrier.is_some() && !self.status.fresh && !self.status.under_way
    }
}

impl Schedule {
    /// A day's list, or those of it that `only` means. The reading is on record before it returns; the same people's list,
    /// or a part of it, read again by the same person within a minute, is the same reading.
    ///
    /// # Errors
    /// What the store says.
    pub async fn day(&self, caller: &Caller, date: Date, only: &Only) -> Result<DayView, StoreError> {
        let practice = caller.practice();
        let mut cases = self.cases(practice, date).await?;
        let places = self.narrow(practice, &mut cases, only)?;
        let mut people: Vec<String> = cases.cases.iter().map(|case| case.patient.id.clone()).collect();
        people.sort();
        people.dedup();
        let reading = (practice.clone(), caller.id().to_owned(), date);
        let read = self.readings.get(&reading);
        if !read.is_some_and(|read| people.iter().all(|one| read.binary_search(one).is_ok())) {
            let detail = Detail::default().say("date", date.to_string()).say("patients", people.clone());
            let record =
                TrailRecord::new(practice, &caller.actor(), "schedule.read").purpose(Use::Payment).detail(detail);
            self.rooms.trail.record(record).await?;
            self.readings.insert(reading, people);
        }
        let only = places.known(only);
        let view = self.view(date, cases);
        Ok(DayView { providers: places.providers, locations: places.locations, only, ..view })
    }

    /// Leaves those that are meant; what could be chosen.
    pub(super) fn narrow(&self, practice: &PracticeId, cases: &mut Cases, only: &Only) -> Result<Places, StoreError> {
        let visits = cases.cases.iter().map(|case| &case.visit);
        let places = Places::of(self.rooms.sealer.as_ref(), practice, visits)?;
        cases.cases.retain(|case| places.fits(only, &case.visit));
        Ok(places)
    }

    /// Everything of a day, to be shown or asked about.
    pub(super) async fn cases(&self, practice: &PracticeId, date: Date) -> Result<Cases, StoreError> {
        let most = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
        let (rows, day) = rows::day(&self.rooms.store, practice, &date.to_string(), most).await?;
        let ids: HashSet<String> = rows.iter().map(|row| row.patient.clone()).collect();
        let people = self.rooms.patients.several(practice, ids.into_iter().collect()).await?;
        let mut known: Vec<(AppointmentRow, Visit, &PatientView, Option<String>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(patient) = people.get(&row.patient) else { continue };
            let visit = self.open(practice, &row)?;
            let carrier = self.carrier(&visit, patient);
            known.push((row, visit, patient, carrier));
        }
        let asked: Vec<(&PatientView, Option<&str>)> =
            known.iter().map(|(_, _, patient, carrier)| (*patient, Some(carrier.as_deref().unwrap_or("")))).collect();
        let standings = self.rooms.patients.standings(practice, &asked).await?;
        let mut asked_in: HashMap<String, (BatchView, HashMap<i64, ItemState>)> = HashMap::new();
        let batches: HashSet<String> = known
            .iter()
            .filter_map(|(row, ..)| row.asked.as_ref())
            .map(|(batch, _)| batch.clone())
            .chain(day.batch.clone())
            .collect();
        for batch in batches {
            if let Some(view) = self.rooms.batches.get(practice, &batch).await? {
                let items = self.rooms.batches.states(practice, &batch).await?;
                asked_in.insert(batch, (view, items));
            }
        }
        let batch = day.batch.as_ref().and_then(|batch| asked_in.get(batch)).map(|(view, _)| view.clone());
        let (now, today, zone) = (Timestamp::now(), self.rooms.gateway.today(), self.rooms.gateway.zone());
        let mut cases = Vec::with_capacity(known.len());
        for ((row, visit, patient, carrier), standings) in known.into_iter().zip(standings) {
            let asked = row.asked.as_ref().and_then(|(batch, item)| {
                let (view, items) = asked_in.get(batch)?;
                Some((view, items.get(item)?))
            });
            let standing = carrier
                .as_ref()
                .map(|carrier| standings.into_iter().next().unwrap_or_else(|| Standing::not_checked(carrier)));
            let status = status::of(Scene {
                standing,
                item: asked.map(|(_, item)| item),
                batch_open: asked.is_some_and(|(view, _)| matches!(view.state.as_str(), "running" | "paused")),
                waits: asked.map_or(&[], |(view, _)| view.waits.as_slice()),
                date,
                today,
                now,
                zone,
            });
            cases.push(Case { row, visit, patient: patient.clone(), carrier, status });
        }
        Ok(Cases { day, batch, cases })
    }

    /// The carrier of an appointment, as it is known today: who adds an alias to a carrier's file mends every row.
    fn carrier(&self, visit: &Visit, patient: &PatientView) -> Option<String> {
        let written = |text: &Option<String>| carrier_of(&self.rooms.gateway, text.as_deref()?);
        match (&visit.carrier, &visit.carrier_as_written) {
            (Some(carrier), _) => Some(carrier.clone()),
            // Somebody chose the carrier at the patient.
            (None, Some(name)) => {
                let same = |one: &&PatientCoverage| one.as_written.as_ref() == Some(name);
                let chosen = patient.patient.coverages.iter().find(same).and_then(|one| one.carrier.clone());
                chosen.or_else(|| carrier_of(&self.rooms.gateway, name))
            }
            (None, None) => {
                let first = patient.patient.coverages.first()?;
                first.carrier.clone().or_else(|| written(&first.as_written))
            }
        }
    }

    fn view(&self, date: Date, cases: Cases) -> DayView {
        let mut counters: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut notes: Vec<CarrierNote> = Vec::new();
        let here = || cases.cases.iter().filter(|case| !case.vanished());
        for case in here() {
            *counters.entry(case.status.badge.word()).or_insert(0) += 1;
            self.note(case, &mut notes);
        }
        let mut view = DayView {
            date,
            imported_at: cases.day.imported_at.map(|at| Timestamp::from_microsecond(at).unwrap_or_default()),
            source: cases.day.source.clone(),
            appointments: here().count(),
            vanished: cases.cases.len() - here().count(),
            to_ask: here().filter(|case| case.is_to_ask()).count(),
            fresh: here().filter(|case| case.status.fresh && !case.status.under_way).count(),
            under_way: here().filter(|case| case.status.under_way).count(),
            counters,
            batch: cases.batch,
            carriers: notes,
            providers: Vec::new(),
            locations: Vec::new(),
            only: Only::default(),
            rows: Vec::new(),
        };
        view.rows = cases.cases.into_iter().map(|case| self.row(case)).collect();
        view.rows.sort_by(|a, b| {
            let key = |row: &RowView| (row.vanished, !row.needs_you, row.time.is_none(), row.time);
            let name = |row: &RowView| (row.patient.last_name.text().to_lowercase(), row.id.clone());
            key(a).cmp(&key(b)).then_with(|| name(a).cmp(&name(b)))
        });
        view
    }

    /// What holds up more than this row, once.
    fn note(&self, case: &Case, notes: &mut Vec<CarrierNote>) {
        let (Some(carrier), Some(reason)) = (&case.carrier, &case.status.reason) else { return };
        if !matches!(case.status.badge, Badge::CarrierDown | Badge::CannotAsk) {
            return;
        }
        match notes.iter_mut().find(|note| note.carrier == *carrier && note.reason == *reason) {
            Some(note) => note.rows += 1,
            None => notes.push(CarrierNote {
                carrier: carrier.clone(),
                name: self.name_of(carrier),
                rows: 1,
                reason: reason.clone(),
                until: case.status.until,
                by_itself: case.status.under_way,
            }),
        }
    }

    fn name_of(&self, carrier: &str) -> String {
        let plane = self.rooms.gateway.planes().get(carrier);
        plane.map_or_else(|| carrier.to_owned(), |plane| plane.carrier.name.clone())
    }

    fn row(&self, case: Case) -> RowView {
        let ending = case.coverage().and_then(|coverage| coverage.member_id.as_ref()).map(|id| {
            let letters: Vec<char> = id.text().chars().collect();
            Phi::new(letters.iter().skip(letters.len().saturating_sub(ENDING)).collect::<String>())
        });
        let patient = &case.patient.patient;
        RowView {
            patient: RowPatient {
                id: case.patient.id.clone(),
                last_name: patient.last_name.clone(),
                first_name: patient.first_name.clone(),
                suffix: patient.suffix.clone(),
                date_of_birth: patient.date_of_birth.clone(),
            },
            vanished: case.vanished(),
            by_hand: case.row.source == rows::BY_HAND,
            time: case.visit.time,
            visit_type: case.visit.visit_type.clone(),
            provider: case.visit.seen_by(),
            location: case.visit.location.clone(),
            carrier_name: match &case.carrier {
                Some(carrier) => Some(self.name_of(carrier)),
                None => case.visit.carrier_as_written.clone(),
            },
            member_id_ending: ending,
            badge: case.status.badge,
            needs_you: case.status.needs_you() && !case.vanished(),
            next: case.status.next,
            fresh: case.status.fresh,
            under_way: case.status.under_way,
            reason: case.status.reason.clone(),
            until: case.status.until,
            collect: case.status.standing.as_ref().and_then(|standing| collect(&case.visit, standing)),
            id: case.row.id,
            carrier: case.carrier,
            standing: case.status.standing,
        }
    }
}

/// The copay of the first service that is booked, else of an office visit.
fn collect(visit: &Visit, standing: &Standing) -> Option<Decimal> {
    let asked = visit.service_types.iter().map(String::as_str);
    let mut wanted = asked.chain(OFFICE.into_iter().filter(|_| visit.service_types.is_empty()));
    wanted.find_map(|service| standing.copays.iter().find(|copay| copay.service == service)).map(|copay| copay.amount)
}
