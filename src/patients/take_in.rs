//! What another system says of many patients at once: new ones are entered, known ones follow what *changed there*, and
//! what somebody mended here stays.

use std::collections::HashMap;

use uuid::Uuid;

use super::keep::{Kept, new_id};
use super::{NotKept, PATIENTS_MAX, Patient, PatientCoverage, Patients};
use crate::identity::Caller;
use crate::store::patients::PatientRow;
use crate::store::{self, patients as rows};
use crate::trail::{Detail, TrailRecord, Use};

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// New here.
    Made,
    /// Something changed there since last time.
    Changed,
    /// Nothing new.
    Same,
}

/// One that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenIn {
    /// The patient's id here.
    pub id: String,
    /// What became of them.
    pub took: Took,
}

impl Patients {
    /// Takes in patients as another system has them, all of them checked before; in the same order, who they are here.
    /// One durable step. Taken in again, nothing changes.
    ///
    /// # Errors
    /// [`NotKept`]; nothing was written then.
    pub async fn take_in(&self, caller: &Caller, people: Vec<Patient>) -> Result<Vec<TakenIn>, NotKept> {
        let practice = caller.practice();
        self.sealer.adopt(practice).await?;
        let room = self.room(practice);
        let mut guard = room.roster.write().await;
        self.fill(practice, &mut guard).await?;
        let Some(roster) = guard.as_mut() else { return Err(NotKept::Error(store::StoreError::Closed)) };
        // The index is changed on the way, so that two rows about the same person meet; it is dropped where that was
        // not written down.
        let met: Vec<String> = people.iter().filter_map(|patient| roster.same(patient).map(str::to_owned)).collect();
        let known = rows::several(&self.store, practice, met).await?;
        let mut before: HashMap<String, PatientRow> = known.into_iter().map(|row| (row.id.clone(), row)).collect();
        let mut now: HashMap<String, (Kept, PatientRow)> = HashMap::new();
        let mut taken = Vec::with_capacity(people.len());
        let at = store::now();
        for patient in people {
            let Some(id) = roster.same(&patient).map(str::to_owned) else {
                if roster.len() >= PATIENTS_MAX {
                    *guard = None;
                    return Err(NotKept::TooMany);
                }
                let id = new_id();
                let kept = Kept { patient: patient.clone(), elsewhere: Some(patient) };
                roster.put(&id, &kept.patient, kept.elsewhere.as_ref());
                let row = PatientRow { id: id.clone(), version: 0, sealed: Vec::new(), made_at: at, changed_at: at };
                now.insert(id.clone(), (kept, row));
                taken.push(TakenIn { id, took: Took::Made });
                continue;
            };
            let (mut kept, row) = match (now.remove(&id), before.remove(&id)) {
                (Some(known), _) => known,
                (None, Some(row)) => (self.opened(practice, &row)?, row),
                // Met by a row above: looked up there already.
                (None, None) => {
                    taken.push(TakenIn { id, took: Took::Same });
                    continue;
                }
            };
            let changed = follow(&mut kept, patient);
            if changed {
                roster.put(&id, &kept.patient, kept.elsewhere.as_ref());
                now.insert(id.clone(), (kept, row));
            } else if row.version == 0 {
                now.insert(id.clone(), (kept, row));
            } else {
                before.insert(id.clone(), row);
            }
            taken.push(TakenIn { id, took: if changed { Took::Changed } else { Took::Same } });
        }
        let mut new = Vec::with_capacity(now.len());
        for (id, (kept, old)) in now {
            let mut row = self.sealed(practice, id, old.version + 1, at, &kept)?;
            row.made_at = old.made_at;
            new.push(row);
        }
        if new.is_empty() {
            return Ok(taken);
        }
        new.sort_by(|a, b| a.id.cmp(&b.id));
        let ids: Vec<&str> = new.iter().map(|row| row.id.as_str()).collect();
        let record = TrailRecord::new(practice, &caller.actor(), "patients.taken_in")
            .purpose(Use::Payment)
            .subject(&format!("in_{}", Uuid::now_v7().simple()))
            .detail(Detail::default().say("patients", ids));
        let written = rows::put(&self.store, practice, new, vec![self.trail.link(record)]).await;
        if let Err(error) = written {
            *guard = None;
            return Err(error.into());
        }
        Ok(taken)
    }
}

/// Takes over what changed elsewhere since last time; whether anything did. What the other system does not say stays.
fn follow(kept: &mut Kept, new: Patient) -> bool {
    if kept.elsewhere.as_ref() == Some(&new) {
        return false;
    }
    let old = kept.elsewhere.take();
    let now = &mut kept.patient;
    macro_rules! field {
        ($name:ident) => {
            // Entered here by hand and met for the first time: what stands here was meant.
            if old.as_ref().is_some_and(|old| old.$name != new.$name) {
                now.$name = new.$name.clone();
            }
        };
        (optional $name:ident) => {
            let changed = old.as_ref().is_some_and(|old| old.$name != new.$name);
            if new.$name.is_some() && (changed || now.$name.is_none()) {
                now.$name = new.$name.clone();
            }
        };
    }
    field!(first_name);
    field!(last_name);
    field!(date_of_birth);
    field!(optional suffix);
    field!(optional sex);
    field!(optional phone);
    field!(optional mrn);
    for coverage in &new.coverages {
        let before = old.as_ref().and_then(|old| old.coverages.iter().find(|one| same_carrier(one, coverage)));
        follow_coverage(now, before, coverage);
    }
    kept.elsewhere = Some(new);
    true
}

fn same_carrier(one: &PatientCoverage, other: &PatientCoverage) -> bool {
    match (&one.carrier, &other.carrier) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.as_written == other.as_written,
        // A carrier that is known by now, and was not then.
        _ => one.as_written.is_some() && one.as_written == other.as_written,
    }
}

fn follow_coverage(now: &mut Patient, before: Option<&PatientCoverage>, new: &PatientCoverage) {
    let Some(own) = now.coverages.iter_mut().find(|one| same_carrier(one, new)) else {
        if now.coverages.len() < super::COVERAGES_MAX {
            now.coverages.push(new.clone());
        }
        return;
    };
    macro_rules! field {
        ($name:ident) => {
            let changed = before.is_some_and(|before| before.$name != new.$name);
            if new.$name.is_some() && (changed || own.$name.is_none()) {
                own.$name = new.$name.clone();
            }
        };
    }
    field!(carrier);
    field!(as_written);
    field!(member_id);
    field!(group_number);
    field!(subscriber);
    // No relationship means: the subscriber.
    if before.is_some_and(|before| before.relationship != new.relationship) {
        own.relationship = new.relationship;
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::tests::patient;
    use super::*;

    fn kept(patient: &Patient) -> Kept {
        Kept { patient: patient.clone(), elsewhere: Some(patient.clone()) }
    }

    #[test]
    fn what_was_mended_here_stays_and_what_changed_there_follows() {
        let there = patient("Maria", "Ortiz", "1986-12-03", "statemed", "520417");
        let mut kept = kept(&there);
        kept.patient.date_of_birth = patient("", "", "1986-03-12", "", "").date_of_birth;
        assert!(!follow(&mut kept, there.clone()), "the same again changes nothing");
        let mut newer = there.clone();
        newer.phone = Some("503-555-0142".into());
        newer.coverages[0].member_id = Some("999".into());
        assert!(follow(&mut kept, newer.clone()));
        assert_eq!(kept.patient.date_of_birth, patient("", "", "1986-03-12", "", "").date_of_birth);
        assert_eq!(kept.patient.phone, newer.phone);
        assert_eq!(kept.patient.coverages[0].member_id, Some("999".into()));
        assert!(!follow(&mut kept, newer));
    }

    #[test]
    fn another_carrier_is_added_and_none_is_lost() {
        let there = patient("Maria", "Ortiz", "1986-12-03", "statemed", "520417");
        let mut kept = kept(&there);
        let switched = patient("Maria", "Ortiz", "1986-12-03", "northstar", "N1");
        assert!(follow(&mut kept, switched));
        let carriers: Vec<_> = kept.patient.coverages.iter().map(|one| one.carrier.clone().unwrap()).collect();
        assert_eq!(carriers, ["statemed", "northstar"]);
    }

    #[test]
    fn who_was_entered_by_hand_keeps_what_was_entered() {
        let by_hand = patient("Maria", "Ortiz", "1986-03-12", "statemed", "520417");
        let mut kept = Kept { patient: by_hand.clone(), elsewhere: None };
        let mut there = by_hand.clone();
        there.first_name = "MARIA E".into();
        there.mrn = Some("M-1".into());
        assert!(follow(&mut kept, there));
        assert_eq!((kept.patient.first_name.text(), kept.patient.mrn.as_ref().unwrap().text()), ("Maria", "M-1"));
    }
}
