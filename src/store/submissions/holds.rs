//! Table `submission_hold`: carriers to which nothing new is sent for a practice.

use crate::practice::PracticeId;
use crate::store::sql::values;
use crate::store::trail::{Append, change_in};
use crate::store::{Store, StoreError};

/// A practice's submissions to a carrier are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// Whose.
    pub practice: PracticeId,
    /// Whom they would go to.
    pub carrier: String,
    /// Why, as a word.
    pub reason: String,
    /// Since when, in microseconds since 1970.
    pub since: i64,
}

/// Holds a practice's submissions to a carrier, with the record of it; `false` when they are held already, for whatever
/// reason: that one stays.
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
) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "INSERT INTO submission_hold(practice, carrier, reason, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT(practice, carrier) DO NOTHING",
                values![practice.as_str(), &carrier, reason, at],
                record,
            )
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
            change_in(
                sql,
                "DELETE FROM submission_hold WHERE practice = ?1 AND carrier = ?2",
                values![practice.as_str(), &carrier],
                record,
            )
        })
        .await
}

/// All holds, of one practice or of all, by practice and carrier.
///
/// # Errors
/// What the store says.
pub async fn holds(store: &Store, practice: Option<&PracticeId>) -> Result<Vec<HoldRow>, StoreError> {
    let practice = practice.map(|practice| practice.as_str().to_owned());
    store
        .read(move |sql| {
            sql.all(
                "SELECT practice, carrier, reason, since FROM submission_hold WHERE (?1 IS NULL OR practice = ?1)
                 ORDER BY practice, carrier",
                values![&practice],
                |row| {
                    Ok(HoldRow {
                        practice: PracticeId::new(row.get::<String>(0)?),
                        carrier: row.get(1)?,
                        reason: row.get(2)?,
                        since: row.get(3)?,
                    })
                },
            )
        })
        .await
}
