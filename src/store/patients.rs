//! Tables `patient`, `patient_ask` and `patient_call`: what a practice knows of its patients, which questions were put
//! about them, and what was said on the phone.

use std::fmt;

use super::sql::{Row, Sql, Value, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// Ids bound to one statement at most.
const IDS_AT_ONCE: usize = 200;

/// A patient.
#[derive(Clone)]
pub struct PatientRow {
    /// The id.
    pub id: String,
    /// Raised by every change; the first is 1.
    pub version: i64,
    /// What is known, sealed.
    pub sealed: Vec<u8>,
    /// When they were entered, in microseconds since 1970.
    pub made_at: i64,
    /// When they were changed last.
    pub changed_at: i64,
}

impl fmt::Debug for PatientRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientRow").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// A question that was put about a patient.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// The question's id.
    pub ask: String,
    /// The patient's id.
    pub patient: String,
    /// Whom it was put to.
    pub carrier: String,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// What was said on the phone.
#[derive(Clone)]
pub struct CallRow {
    /// Its id.
    pub id: String,
    /// The patient's id.
    pub patient: String,
    /// The carrier's id.
    pub carrier: String,
    /// Who wrote it down.
    pub actor: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What was said, sealed.
    pub sealed: Vec<u8>,
}

const COLUMNS: &str = "id, version, sealed, made_at, changed_at";

/// Enters patients and changes others, with the records of it, in one durable step. A row's version is the one after
/// the version that it replaces; 1 enters a new one.
///
/// # Errors
/// [`StoreError::Conflict`] when one of them was changed meanwhile; nothing is written then.
pub async fn put(
    store: &Store,
    practice: &PracticeId,
    rows: Vec<PatientRow>,
    records: Vec<Append>,
) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            for row in &rows {
                let changed = sql.execute(
                    "INSERT INTO patient(practice, id, version, sealed, made_at, changed_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT(practice, id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed,
                     changed_at = excluded.changed_at
                     WHERE patient.version = excluded.version - 1",
                    values![practice.as_str(), &row.id, row.version, &row.sealed, row.made_at, row.changed_at],
                )?;
                if changed != 1 {
                    return Err(StoreError::Conflict);
                }
            }
            for record in records {
                append_in(sql, record)?;
            }
            Ok(())
        })
        .await
}

/// One patient of a practice.
///
/// # Errors
/// What the store says.
pub async fn get(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<PatientRow>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM patient WHERE practice = ?1 AND id = ?2");
            sql.one(&text, values![practice.as_str(), &id], patient_row)
        })
        .await
}

/// Several patients of a practice, in any order; unknown ids are left out.
///
/// # Errors
/// What the store says.
pub async fn several(store: &Store, practice: &PracticeId, ids: Vec<String>) -> Result<Vec<PatientRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM patient WHERE practice = ?1 AND id IN ");
            each_of(sql, &text, "", &practice, &ids, patient_row)
        })
        .await
}

/// All patients of a practice, the oldest first, at most `most`.
///
/// # Errors
/// What the store says.
pub async fn all(store: &Store, practice: &PracticeId, most: u32) -> Result<Vec<PatientRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM patient WHERE practice = ?1 ORDER BY id LIMIT ?2");
            sql.all(&text, values![practice.as_str(), most], patient_row)
        })
        .await
}

/// Writes down that a question was put about a patient, with the record of it. Again, it changes nothing.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice has no such patient.
pub async fn link(store: &Store, practice: &PracticeId, link: LinkRow, record: Append) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            let changed = sql.execute(
                "INSERT INTO patient_ask(practice, ask, patient, carrier, at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(practice, ask) DO NOTHING",
                values![practice.as_str(), &link.ask, &link.patient, &link.carrier, link.at],
            )?;
            if changed == 1 {
                append_in(sql, record)?;
            }
            Ok(())
        })
        .await
}

/// The newest questions that were put about each of these patients, at most `each` of one.
///
/// # Errors
/// What the store says.
pub async fn links(
    store: &Store,
    practice: &PracticeId,
    patients: Vec<String>,
    each: u32,
) -> Result<Vec<LinkRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let mut found = Vec::new();
            for patient in &patients {
                found.extend(sql.all(
                    "SELECT ask, patient, carrier, at FROM patient_ask WHERE practice = ?1 AND patient = ?2
                     ORDER BY at DESC LIMIT ?3",
                    values![practice.as_str(), patient, each],
                    |row| Ok(LinkRow { ask: row.get(0)?, patient: row.get(1)?, carrier: row.get(2)?, at: row.get(3)? }),
                )?);
            }
            Ok(found)
        })
        .await
}

/// Keeps what was said on the phone, with the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice has no such patient.
pub async fn add_call(store: &Store, practice: &PracticeId, call: CallRow, record: Append) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO patient_call(practice, id, patient, carrier, actor, at, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                values![practice.as_str(), &call.id, &call.patient, &call.carrier, &call.actor, call.at, &call.sealed],
            )?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// What was said on the phone about these patients, the newest first.
///
/// # Errors
/// What the store says.
pub async fn calls(store: &Store, practice: &PracticeId, patients: Vec<String>) -> Result<Vec<CallRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = "SELECT id, patient, carrier, actor, at, sealed FROM patient_call
                        WHERE practice = ?1 AND patient IN ";
            each_of(sql, text, " ORDER BY at DESC, id DESC", &practice, &patients, |row| {
                Ok(CallRow {
                    id: row.get(0)?,
                    patient: row.get(1)?,
                    carrier: row.get(2)?,
                    actor: row.get(3)?,
                    at: row.get(4)?,
                    sealed: row.get(5)?,
                })
            })
        })
        .await
}

/// Runs `text`, which ends in `IN `, over ids in portions.
fn each_of<T>(
    sql: &Sql<'_>,
    text: &str,
    order: &str,
    practice: &PracticeId,
    ids: &[String],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for portion in ids.chunks(IDS_AT_ONCE) {
        let mut values = vec![Value::Text(practice.as_str())];
        let mut places = String::new();
        for (n, id) in portion.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            places.push_str(&format!("{comma}?{}", n + 2));
            values.push(Value::Text(id));
        }
        found.extend(sql.all(&format!("{text}({places}){order}"), &values, &read)?);
    }
    Ok(found)
}

fn patient_row(row: &Row<'_>) -> Result<PatientRow, StoreError> {
    Ok(PatientRow {
        id: row.get(0)?,
        version: row.get(1)?,
        sealed: row.get(2)?,
        made_at: row.get(3)?,
        changed_at: row.get(4)?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::super::conformance::{practice, record};
    use super::*;

    fn patient(id: &str, version: i64) -> PatientRow {
        PatientRow { id: id.to_owned(), version, sealed: vec![version as u8; 3], made_at: 1, changed_at: version }
    }

    pub(in crate::store) async fn versions(store: Arc<Store>) {
        let (one, other) = (practice(&store, 1).await, practice(&store, 2).await);
        let put = async |practice: &PracticeId, rows| {
            put(&store, practice, rows, vec![record(practice, "patient.made")]).await
        };
        put(&one, vec![patient("pat_1", 1), patient("pat_2", 1)]).await.unwrap();
        put(&one, vec![patient("pat_1", 2)]).await.unwrap();
        // Of two who read version 1, the second one changes nothing, and neither does what was handed in with it.
        assert_eq!(put(&one, vec![patient("pat_3", 1), patient("pat_1", 2)]).await, Err(StoreError::Conflict));
        assert_eq!(all(&store, &one, 10).await.unwrap().len(), 2);
        let found = get(&store, &one, "pat_1").await.unwrap().unwrap();
        assert_eq!((found.version, found.sealed, found.changed_at), (2, vec![2; 3], 2));
        assert!(get(&store, &other, "pat_1").await.unwrap().is_none());
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(several(&store, &one, ids(&["pat_2", "none", "pat_1"])).await.unwrap().len(), 2);

        let asked = |ask: &str, patient: &str, at| LinkRow {
            ask: ask.to_owned(),
            patient: patient.to_owned(),
            carrier: "acme".to_owned(),
            at,
        };
        let link = async |practice: &PracticeId, row| {
            link(&store, practice, row, record(practice, "patient.asked_about")).await
        };
        for n in 1..=3 {
            link(&one, asked(&format!("q{n}"), "pat_1", n)).await.unwrap();
        }
        link(&one, asked("q3", "pat_2", 9)).await.unwrap();
        assert_eq!(link(&other, asked("q9", "pat_1", 1)).await, Err(StoreError::Conflict));
        let newest = links(&store, &one, ids(&["pat_1", "pat_2"]), 2).await.unwrap();
        assert_eq!(newest.iter().map(|row| row.ask.as_str()).collect::<Vec<_>>(), ["q3", "q2"]);

        let call = CallRow {
            id: "call_1".to_owned(),
            patient: "pat_2".to_owned(),
            carrier: "acme".to_owned(),
            actor: "person_1".to_owned(),
            at: 5,
            sealed: vec![1],
        };
        add_call(&store, &one, call, record(&one, "coverage.verified_by_phone")).await.unwrap();
        assert_eq!(calls(&store, &one, ids(&["pat_1", "pat_2"])).await.unwrap().len(), 1);
        assert!(calls(&store, &other, ids(&["pat_2"])).await.unwrap().is_empty());
    }
}
