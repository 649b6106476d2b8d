//! Table `submission_hold`: carriers to which nothing new is sent for a practice.

use crate::practice::PracticeId;
use crate::store::sql::values;
use crate::store::trail::{Append, append_in};
use crate::store::{Store, StoreError};

/// Holds a practice's submissions to a carrier, with the record of it.
///
/// # Errors
/// What the store says.
pub async fn hold(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    reason: &'static str,
    at: i64,
    record: Append,
) -> Result<(), StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO submission_hold(practice, carrier, reason, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT(practice, carrier) DO UPDATE SET reason = excluded.reason, since = excluded.since",
                values![practice.as_str(), &carrier, reason, at],
            )?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

/// Lets a practice's submissions to a carrier go on, with the record of it; `false` when they were not held.
///
/// # Errors
/// What the store says.
pub async fn release(store: &Store, practice: &PracticeId, carrier: &str, record: Append) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            let gone = sql.execute(
                "DELETE FROM submission_hold WHERE practice = ?1 AND carrier = ?2",
                values![practice.as_str(), &carrier],
            )?;
            if gone == 1 {
                append_in(sql, record)?;
            }
            Ok(gone == 1)
        })
        .await
}

/// All holds of all practices: practice, carrier, reason. For the worker.
///
/// # Errors
/// What the store says.
pub async fn holds(store: &Store) -> Result<Vec<(PracticeId, String, String)>, StoreError> {
    store
        .read(|sql| {
            sql.all("SELECT practice, carrier, reason FROM submission_hold", &[], |row| {
                Ok((PracticeId::new(row.get::<String>(0)?), row.get(1)?, row.get(2)?))
            })
        })
        .await
}
