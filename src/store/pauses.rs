//! Table `carrier_pause`: carriers that a practice asks nothing, because a person said so.

use super::sql::values;
use super::trail::{Append, change_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// A practice asks a carrier nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PauseRow {
    /// Whose.
    pub practice: PracticeId,
    /// Whom it does not ask.
    pub carrier: String,
    /// Who said so: an id as the trail has it.
    pub actor: String,
    /// Since when, in microseconds since 1970.
    pub since: i64,
    /// Why, sealed.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for PauseRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PauseRow").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

/// Pauses a carrier, with the record of it; `false` when it is paused already: that pause stays.
///
/// # Errors
/// [`StoreError::Conflict`] when there is no such practice; else what the store says.
pub async fn pause(store: &Store, row: PauseRow, record: Append) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            change_in(
                sql,
                "INSERT INTO carrier_pause(practice, carrier, actor, since, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(practice, carrier) DO NOTHING",
                values![row.practice.as_str(), &row.carrier, &row.actor, row.since, &row.sealed],
                record,
            )
        })
        .await
}

/// Lets a carrier be asked again, with the record of it; `false` when it was not paused.
///
/// # Errors
/// What the store says.
pub async fn resume(store: &Store, practice: &PracticeId, carrier: &str, record: Append) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "DELETE FROM carrier_pause WHERE practice = ?1 AND carrier = ?2",
                values![practice.as_str(), &carrier],
                record,
            )
        })
        .await
}

/// All pauses of all practices.
///
/// # Errors
/// What the store says.
pub async fn all(store: &Store) -> Result<Vec<PauseRow>, StoreError> {
    store
        .read(|sql| {
            sql.all(
                "SELECT practice, carrier, actor, since, sealed FROM carrier_pause ORDER BY practice, carrier",
                &[],
                |row| {
                    Ok(PauseRow {
                        practice: PracticeId::new(row.get::<String>(0)?),
                        carrier: row.get(1)?,
                        actor: row.get(2)?,
                        since: row.get(3)?,
                        sealed: row.get(4)?,
                    })
                },
            )
        })
        .await
}
