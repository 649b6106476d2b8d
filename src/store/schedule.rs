//! Tables `appointment` and `schedule_day`: who comes when, and what was done for a day.

use std::fmt;

use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// An appointment.
#[derive(Clone)]
pub struct AppointmentRow {
    /// Its id.
    pub id: String,
    /// The code by which it is met again.
    pub key: [u8; 32],
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The patient's id.
    pub patient: String,
    /// `booked`, or `vanished`: no longer in the file it came from.
    pub state: String,
    /// From what kind of file it came.
    pub source: String,
    /// The batch that asked about it last, and the item's number there.
    pub asked: Option<(String, i64)>,
    /// Everything else, sealed.
    pub sealed: Vec<u8>,
    /// When it was changed last, in microseconds since 1970.
    pub changed_at: i64,
}

impl fmt::Debug for AppointmentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppointmentRow").field("id", &self.id).field("date", &self.date).finish_non_exhaustive()
    }
}

/// What was done for a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayRow {
    /// When a file was imported last, in microseconds since 1970.
    pub imported_at: Option<i64>,
    /// What kind of file.
    pub source: Option<String>,
    /// The batch that was started last.
    pub batch: Option<String>,
}

/// What an import does, in one durable step.
#[derive(Default)]
pub struct Import {
    /// New appointments, and changed ones.
    pub put: Vec<AppointmentRow>,
    /// Appointments that vanished; their state is set.
    pub vanished: Vec<String>,
    /// Appointments that are taken away.
    pub removed: Vec<String>,
    /// The days that the file is about.
    pub days: Vec<String>,
    /// What kind of file it is.
    pub source: &'static str,
    /// When.
    pub at: i64,
}

/// The source of what was added by a person here.
pub const BY_HAND: &str = "hand";

const COLUMNS: &str = "id, key, date, patient, state, source, batch, item, sealed, changed_at";

/// A day's appointments, at most `most`.
///
/// # Errors
/// What the store says.
pub async fn day(
    store: &Store,
    practice: &PracticeId,
    date: &str,
    most: u32,
) -> Result<(Vec<AppointmentRow>, DayRow), StoreError> {
    let (practice, date) = (practice.clone(), date.to_owned());
    store
        .read(move |sql| {
            let text =
                format!("SELECT {COLUMNS} FROM appointment WHERE practice = ?1 AND date = ?2 ORDER BY id LIMIT ?3");
            let rows = sql.all(&text, values![practice.as_str(), &date, most], appointment_row)?;
            let day = sql.one(
                "SELECT imported_at, source, batch FROM schedule_day WHERE practice = ?1 AND date = ?2",
                values![practice.as_str(), &date],
                |row| Ok(DayRow { imported_at: row.get(0)?, source: row.get(1)?, batch: row.get(2)? }),
            )?;
            Ok((rows, day.unwrap_or_default()))
        })
        .await
}

/// The appointments with these codes.
///
/// # Errors
/// What the store says.
pub async fn keyed(
    store: &Store,
    practice: &PracticeId,
    keys: Vec<[u8; 32]>,
) -> Result<Vec<AppointmentRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let text = format!("SELECT {COLUMNS} FROM appointment WHERE practice = ?1 AND key = ?2");
            let mut found = Vec::new();
            for key in &keys {
                found.extend(sql.one(&text, values![practice.as_str(), key], appointment_row)?);
            }
            Ok(found)
        })
        .await
}

/// How many appointments a day has.
///
/// # Errors
/// What the store says.
pub async fn count(store: &Store, practice: &PracticeId, date: &str) -> Result<usize, StoreError> {
    let (practice, date) = (practice.clone(), date.to_owned());
    let text = "SELECT COUNT(*) FROM appointment WHERE practice = ?1 AND date = ?2";
    let counted =
        store.read(move |sql| sql.one(text, values![practice.as_str(), &date], |row| row.get::<i64>(0))).await?;
    Ok(usize::try_from(counted.unwrap_or(0)).unwrap_or(usize::MAX))
}

/// One appointment of a practice.
///
/// # Errors
/// What the store says.
pub async fn one(store: &Store, practice: &PracticeId, id: &str) -> Result<Option<AppointmentRow>, StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    let text = format!("SELECT {COLUMNS} FROM appointment WHERE practice = ?1 AND id = ?2");
    store.read(move |sql| sql.one(&text, values![practice.as_str(), &id], appointment_row)).await
}

/// Adds one appointment, with the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when its patient is not there.
pub async fn add(store: &Store, practice: &PracticeId, row: AppointmentRow, record: Append) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            put(sql, practice.as_str(), &row)?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Puts a day, a content and a version into an appointment that was changed last at `version`, with the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when it was changed meanwhile; nothing is written then.
pub async fn correct(
    store: &Store,
    practice: &PracticeId,
    row: AppointmentRow,
    version: i64,
    record: Append,
) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            let changed = sql.execute(
                "UPDATE appointment SET date = ?4, sealed = ?5, changed_at = ?6
                 WHERE practice = ?1 AND id = ?2 AND changed_at = ?3",
                values![practice.as_str(), &row.id, version, &row.date, &row.sealed, row.changed_at],
            )?;
            if changed != 1 {
                return Err(StoreError::Conflict);
            }
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Takes an appointment away that was changed last at `version`, with the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when it is not there, or was changed meanwhile; nothing is written then.
pub async fn take_off(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    version: i64,
    record: Append,
) -> Result<(), StoreError> {
    let (practice, id) = (practice.clone(), id.to_owned());
    store
        .write(move |sql| {
            let text = "DELETE FROM appointment WHERE practice = ?1 AND id = ?2 AND changed_at = ?3";
            if sql.execute(text, values![practice.as_str(), &id, version])? != 1 {
                return Err(StoreError::Conflict);
            }
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Enters an appointment, or puts it in the place of the one with its code.
fn put(sql: &Sql<'_>, practice: &str, row: &AppointmentRow) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO appointment(practice, id, key, date, patient, state, source, sealed, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT(practice, key) DO UPDATE SET date = excluded.date, patient = excluded.patient,
         state = excluded.state, source = excluded.source, sealed = excluded.sealed,
         changed_at = excluded.changed_at",
        values![
            practice,
            &row.id,
            &row.key,
            &row.date,
            &row.patient,
            &row.state,
            &row.source,
            &row.sealed,
            row.changed_at
        ],
    )
    .map(|_| ())
}

/// Takes a file in, with the record of it.
///
/// # Errors
/// [`StoreError::Conflict`] when an appointment's patient is not there.
pub async fn import(store: &Store, practice: &PracticeId, import: Import, record: Append) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            let practice = practice.as_str();
            for row in &import.put {
                put(sql, practice, row)?;
            }
            for id in &import.vanished {
                sql.execute(
                    "UPDATE appointment SET state = 'vanished', changed_at = ?3 WHERE practice = ?1 AND id = ?2",
                    values![practice, id, import.at],
                )?;
            }
            for id in &import.removed {
                sql.execute("DELETE FROM appointment WHERE practice = ?1 AND id = ?2", values![practice, id])?;
            }
            for day in &import.days {
                sql.execute(
                    "INSERT INTO schedule_day(practice, date, imported_at, source) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT(practice, date) DO UPDATE SET imported_at = excluded.imported_at,
                     source = excluded.source",
                    values![practice, day, import.at, import.source],
                )?;
            }
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Remembers that a batch asks about these appointments of a day (id, item), with the record of it.
///
/// # Errors
/// What the store says.
pub async fn verifies(
    store: &Store,
    practice: &PracticeId,
    date: &str,
    batch: &str,
    items: Vec<(String, i64)>,
    record: Append,
) -> Result<(), StoreError> {
    let (practice, date, batch) = (practice.clone(), date.to_owned(), batch.to_owned());
    store
        .write(move |sql| {
            let practice = practice.as_str();
            for (id, item) in &items {
                sql.execute(
                    "UPDATE appointment SET batch = ?3, item = ?4 WHERE practice = ?1 AND id = ?2",
                    values![practice, id, &batch, *item],
                )?;
            }
            sql.execute(
                "INSERT INTO schedule_day(practice, date, batch) VALUES (?1, ?2, ?3)
                 ON CONFLICT(practice, date) DO UPDATE SET batch = excluded.batch",
                values![practice, &date, &batch],
            )?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

fn appointment_row(row: &Row<'_>) -> Result<AppointmentRow, StoreError> {
    let (batch, item): (Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(AppointmentRow {
        id: row.get(0)?,
        key: row.get(1)?,
        date: row.get(2)?,
        patient: row.get(3)?,
        state: row.get(4)?,
        source: row.get(5)?,
        asked: batch.zip(item),
        sealed: row.get(8)?,
        changed_at: row.get(9)?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::super::conformance::{practice, record};
    use super::super::patients::{self, PatientRow};
    use super::*;

    fn row(id: &str, key: u8, date: &str) -> AppointmentRow {
        AppointmentRow {
            id: id.to_owned(),
            key: [key; 32],
            date: date.to_owned(),
            patient: "pat_1".to_owned(),
            state: "booked".to_owned(),
            source: "csv".to_owned(),
            asked: None,
            sealed: vec![key],
            changed_at: 1,
        }
    }

    pub(in crate::store) async fn keeps_a_day(store: Arc<Store>) {
        let (one, other) = (practice(&store, 1).await, practice(&store, 2).await);
        let patient = PatientRow { id: "pat_1".to_owned(), version: 1, sealed: vec![1], made_at: 1, changed_at: 1 };
        patients::put(&store, &one, vec![patient], vec![record(&one, "patient.made")]).await.unwrap();
        let take = async |practice: &PracticeId, what: Import| {
            import(&store, practice, what, record(practice, "schedule.imported")).await
        };
        let (today, next) = ("2026-11-24", "2026-11-25");
        let days = vec![today.to_owned()];
        let put = vec![row("app_1", 1, today), row("app_2", 2, today)];
        take(&one, Import { put: put.clone(), days, source: "csv", at: 5, ..Import::default() }).await.unwrap();
        assert_eq!(take(&other, Import { put, ..Import::default() }).await, Err(StoreError::Conflict));
        verifies(&store, &one, today, "batch_1", vec![("app_1".to_owned(), 1)], record(&one, "x")).await.unwrap();

        // The same code again is the same appointment: its id and what was asked about it stay.
        let put = vec![row("app_9", 1, next)];
        take(&one, Import { put, vanished: vec!["app_2".to_owned()], at: 6, ..Import::default() }).await.unwrap();
        let (rows, done) = day(&store, &one, today, 10).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| (row.id.as_str(), row.state.as_str())).collect::<Vec<_>>(),
            [("app_2", "vanished")]
        );
        let known = DayRow { imported_at: Some(5), source: Some("csv".to_owned()), batch: Some("batch_1".to_owned()) };
        assert_eq!(done, known);
        let moved = keyed(&store, &one, vec![[1; 32], [7; 32]]).await.unwrap();
        assert_eq!((moved[0].id.as_str(), moved[0].date.as_str()), ("app_1", next));
        assert_eq!(moved[0].asked, Some(("batch_1".to_owned(), 1)));
        take(&one, Import { removed: vec!["app_2".to_owned()], ..Import::default() }).await.unwrap();
        assert!(day(&store, &one, today, 10).await.unwrap().0.is_empty());
        assert!(day(&store, &other, next, 10).await.unwrap().0.is_empty());
        one_by_hand(&store, (&one, &other), next).await;
    }

    /// Added, changed by two of whom the second one changes nothing, taken off once.
    async fn one_by_hand(store: &Store, (own, other): (&PracticeId, &PracticeId), date: &str) {
        let hand = AppointmentRow { source: BY_HAND.to_owned(), ..row("app_5", 5, date) };
        assert_eq!(add(store, other, hand.clone(), record(other, "x")).await, Err(StoreError::Conflict));
        add(store, own, hand.clone(), record(own, "appointment.added")).await.unwrap();
        assert_eq!((count(store, own, date).await.unwrap(), count(store, other, date).await.unwrap()), (2, 0));
        let changed = AppointmentRow { sealed: vec![9], changed_at: 2, ..hand };
        let change = async |practice: &PracticeId| {
            correct(store, practice, changed.clone(), 1, record(practice, "appointment.changed")).await
        };
        assert_eq!(change(other).await, Err(StoreError::Conflict));
        change(own).await.unwrap();
        assert_eq!(change(own).await, Err(StoreError::Conflict));
        let now = super::one(store, own, "app_5").await.unwrap().unwrap();
        assert_eq!((now.sealed, now.changed_at, now.source.as_str()), (vec![9], 2, BY_HAND));
        assert!(super::one(store, other, "app_5").await.unwrap().is_none());
        for (practice, version, wanted) in [(other, 2, false), (own, 1, false), (own, 2, true), (own, 2, false)] {
            let done = take_off(store, practice, "app_5", version, record(practice, "appointment.removed")).await;
            assert_eq!(done.is_ok(), wanted);
        }
    }
}
