//! Taking a file in: patients first, then their appointments, each in one durable step. The same file again changes
//! nothing.

use std::collections::{BTreeSet, HashMap};

use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::visit::{Booked, ReadFile, Visit};
use super::{Kind, ROWS_MAX, Schedule};
use crate::identity::Caller;
use crate::patients::{NotKept, Took};
use crate::practice::PracticeId;
use crate::store::schedule::{self as rows, AppointmentRow, BY_HAND, Import};
use crate::store::{self, StoreError};
use crate::trail::{Detail, Purpose, SealBroken, TrailRecord, Use, bind};

const NOT_OPENING: StoreError = StoreError::Damaged { what: "an appointment does not open" };

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Imported {
    /// The days that the file is about, `YYYY-MM-DD`.
    pub dates: Vec<String>,
    /// Appointments that were not known.
    pub added: usize,
    /// Appointments of which something changed.
    pub changed: usize,
    /// Appointments that are as they were.
    pub same: usize,
    /// Appointments of these days that are no longer in the file: kept, and flagged.
    pub vanished: usize,
    /// The same, taken away, because the import said so.
    pub removed: usize,
    /// Rows that say that nobody comes.
    pub cancelled: usize,
    /// Rows that were left out because they have problems; then nothing is flagged as vanished.
    pub left_out: usize,
    /// Patients that were not known.
    pub patients_made: usize,
    /// Patients of which something changed in the other system.
    pub patients_changed: usize,
    /// What of the file was not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What is wrong with rows that were left out: the first hundred problems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
    /// How many problems there are.
    pub problems_count: usize,
}

/// Why a file was not taken in.
#[derive(Debug)]
pub enum NotImported {
    /// The first problems, and how many there are.
    Problems(Vec<FieldProblem>, usize),
    /// The patients could not be kept.
    Patients(NotKept),
    /// The store cannot write.
    Error(Error),
}

impl From<StoreError> for NotImported {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl Schedule {
    /// Takes in a file that was read. `valid_only`: what is in order is taken, where something else is not; else a file
    /// with problems is refused as a whole. `replace`: what is no longer in it is taken away.
    ///
    /// # Errors
    /// [`NotImported`]. Patients that were entered before it stay; the same file again takes up from there.
    pub async fn import(
        &self,
        caller: &Caller,
        kind: Kind,
        file: ReadFile,
        valid_only: bool,
        replace: bool,
    ) -> Result<Imported, NotImported> {
        if file.count > 0 && (!valid_only || file.booked.is_empty()) {
            return Err(NotImported::Problems(file.problems, file.count));
        }
        let practice = caller.practice();
        let gate = self.gate(practice);
        let _one_at_a_time = gate.lock().await;
        let people = file.booked.iter().map(|booked| booked.patient.clone()).collect();
        let taken = self.rooms.patients.take_in(caller, people).await.map_err(NotImported::Patients)?;
        let mut done = Imported {
            cancelled: file.cancelled,
            left_out: file.left_out,
            notes: file.notes,
            problems: file.problems,
            problems_count: file.count,
            ..Imported::default()
        };
        // Two rows about one patient count once.
        let of = |took: Took| {
            taken.iter().filter(|one| one.took == took).map(|one| one.id.as_str()).collect::<BTreeSet<_>>().len()
        };
        (done.patients_made, done.patients_changed) = (of(Took::Made), of(Took::Changed));
        let ids: Vec<String> = taken.into_iter().map(|one| one.id).collect();
        let import = self.compared(practice, kind, &file.booked, &ids, replace, &mut done).await?;
        done.dates = import.days.clone();
        let record = TrailRecord::new(practice, &caller.actor(), "schedule.imported")
            .purpose(Use::Payment)
            .subject(&format!("import_{}", Uuid::now_v7().simple()))
            .detail(Detail::default().say("dates", done.dates.clone()).say("patients", ids));
        rows::import(&self.rooms.store, practice, import, self.rooms.trail.link(record)).await?;
        Ok(done)
    }

    /// What the file changes, against what is known.
    async fn compared(
        &self,
        practice: &PracticeId,
        kind: Kind,
        booked: &[Booked],
        patients: &[String],
        replace: bool,
        done: &mut Imported,
    ) -> Result<Import, StoreError> {
        let at = store::now();
        let days: BTreeSet<String> = booked.iter().map(|one| one.date.to_string()).collect();
        let keys = self.keys(practice, booked, patients)?;
        let known = rows::keyed(&self.rooms.store, practice, keys.clone()).await?;
        let mut known: HashMap<[u8; 32], AppointmentRow> = known.into_iter().map(|row| (row.key, row)).collect();
        let mut import = Import { at, source: kind.word(), ..Import::default() };
        for ((one, key), patient) in booked.iter().zip(&keys).zip(patients) {
            let date = one.date.to_string();
            let before = known.remove(key);
            if let Some(row) = &before {
                let same = row.date == date && row.patient == *patient && row.state == "booked";
                if same && self.open(practice, row)? == one.visit {
                    done.same += 1;
                    continue;
                }
            }
            let id = before.as_ref().map_or_else(|| format!("app_{}", Uuid::now_v7().simple()), |row| row.id.clone());
            if before.is_some() {
                done.changed += 1;
            } else {
                done.added += 1;
            }
            let sealed = self.sealed(practice, &id, &one.visit)?;
            import.put.push(AppointmentRow {
                id,
                key: *key,
                date,
                patient: patient.clone(),
                state: "booked".to_owned(),
                source: kind.word().to_owned(),
                asked: None,
                sealed,
                changed_at: at,
            });
        }
        let here: BTreeSet<[u8; 32]> = keys.into_iter().collect();
        let mut met: Vec<String> = Vec::new();
        for day in &days {
            // Of a row that was left out nobody knows whose it is.
            if done.left_out > 0 {
                break;
            }
            let most = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
            let (rows, _) = rows::day(&self.rooms.store, practice, day, most).await?;
            for row in rows.into_iter().filter(|row| !here.contains(&row.key)) {
                match (replace, row.state.as_str()) {
                    // No file knows of it: it stays, until the file brings the same patient at the same time.
                    _ if row.source == BY_HAND => {
                        if self.is_in(practice, &row, booked, patients)? {
                            met.push(row.id);
                        }
                    }
                    (true, _) => import.removed.push(row.id),
                    (false, "booked") => import.vanished.push(row.id),
                    (false, _) => {}
                }
            }
        }
        (done.vanished, done.removed) = (import.vanished.len(), import.removed.len());
        import.removed.append(&mut met);
        import.days = days.into_iter().collect();
        Ok(import)
    }

    /// Whether what was added by hand has come in with a file: the same patient, day and time.
    fn is_in(
        &self,
        practice: &PracticeId,
        row: &AppointmentRow,
        booked: &[Booked],
        patients: &[String],
    ) -> Result<bool, StoreError> {
        let time = self.open(practice, row)?.time;
        let same = |(one, patient): (&Booked, &String)| {
            *patient == row.patient && one.date.to_string() == row.date && one.visit.time == time
        };
        Ok(booked.iter().zip(patients).any(same))
    }

    /// The codes by which these appointments are met again. Twice the same id in one file stays one appointment; the
    /// same patient twice on a day is told apart by the order of times.
    fn keys(&self, practice: &PracticeId, booked: &[Booked], patients: &[String]) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut in_order: Vec<usize> = (0..booked.len()).collect();
        in_order.sort_by_key(|place| booked.get(*place).and_then(|one| one.visit.time));
        let mut seen: HashMap<(String, &str), u64> = HashMap::new();
        let mut keys = vec![[0; 32]; booked.len()];
        for place in in_order {
            let (Some(one), Some(patient)) = (booked.get(place), patients.get(place)) else { continue };
            let date = one.date.to_string();
            let text = match &one.key {
                Some(key) => bind(&[b"appointment v1", practice.as_str().as_bytes(), b"id", key.as_bytes()]),
                None => {
                    let n = seen.entry((date.clone(), patient.as_str())).or_insert(0);
                    *n += 1;
                    let parts: [&[u8]; 6] = [
                        b"appointment v1",
                        practice.as_str().as_bytes(),
                        b"day",
                        date.as_bytes(),
                        patient.as_bytes(),
                        &n.to_be_bytes(),
                    ];
                    bind(&parts)
                }
            };
            let code = self.rooms.sealer.try_mac(Purpose::Patients, &text).map_err(|SealBroken| NOT_OPENING)?;
            if let Some(key) = keys.get_mut(place) {
                *key = code;
            }
        }
        Ok(keys)
    }

    pub(super) fn sealed(&self, practice: &PracticeId, id: &str, visit: &Visit) -> Result<Vec<u8>, StoreError> {
        let text = Zeroizing::new(serde_json::to_vec(visit).map_err(|_| NOT_OPENING)?);
        let sealer = &self.rooms.sealer;
        let sealed = sealer.seal_for(practice, Purpose::Patients, &bound_to(practice, id), &text);
        sealed.map_err(|SealBroken| NOT_OPENING)
    }

    /// What is sealed in a row.
    pub(super) fn open(&self, practice: &PracticeId, row: &AppointmentRow) -> Result<Visit, StoreError> {
        let bound = bound_to(practice, &row.id);
        let text = self.rooms.sealer.open(Purpose::Patients, &bound, &row.sealed);
        serde_json::from_slice(&text.map_err(|SealBroken| NOT_OPENING)?).map_err(|_| NOT_OPENING)
    }
}

fn bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"appointment row v1", practice.as_str().as_bytes(), id.as_bytes()])
}
