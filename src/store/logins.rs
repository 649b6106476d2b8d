//! What a carrier counts, kept in table `credential` so that it outlives a kill: logins whose outcome is not known yet, and
//! the steps of one-time codes that have left.

use super::credentials::to_sql;
use super::sql::values;
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// Which values of whose credential.
#[derive(Clone, Debug)]
pub struct LoginPlace {
    /// Whose it is.
    pub practice: PracticeId,
    /// For which carrier.
    pub carrier: String,
    /// Which set of values.
    pub generation: u64,
}

/// Notes that a login is about to leave; `at` is its number, too. `false` when these values may not be used.
///
/// # Errors
/// What the store says; nothing may leave then.
pub async fn begin(store: &Store, place: LoginPlace, at: i64) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let changed = sql.execute(
                "UPDATE credential SET login_at = ?4
                 WHERE practice = ?1 AND carrier = ?2 AND generation = ?3 AND state = 'active'",
                values![place.practice.as_str(), &place.carrier, to_sql(place.generation), at],
            )?;
            Ok(changed == 1)
        })
        .await
}

/// The carrier accepted the values of login `at`. The record is appended when that ends a verification.
///
/// # Errors
/// What the store says.
pub async fn accepted(store: &Store, place: LoginPlace, at: i64, record: Append) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            let generation = to_sql(place.generation);
            let (practice, carrier) = (place.practice.as_str(), &place.carrier);
            sql.execute(
                "UPDATE credential SET accepted = ?3
                 WHERE practice = ?1 AND carrier = ?2 AND generation = ?3 AND state = 'active' AND accepted < ?3",
                values![practice, carrier, generation],
            )?;
            sql.execute(
                "UPDATE credential SET login_at = NULL WHERE practice = ?1 AND carrier = ?2 AND login_at = ?3",
                values![practice, carrier, at],
            )?;
            let verified = sql.execute(
                "UPDATE credential SET stage = NULL
                 WHERE practice = ?1 AND carrier = ?2 AND generation = ?3 AND state = 'active' AND stage = 'verifying'",
                values![practice, carrier, generation],
            )?;
            if verified == 1 {
                append_in(sql, record)?;
            }
            Ok(())
        })
        .await
}

/// Login `at` ended without a word about the values.
///
/// # Errors
/// What the store says.
pub async fn ended(store: &Store, place: LoginPlace, at: i64) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE credential SET login_at = NULL WHERE practice = ?1 AND carrier = ?2 AND login_at = ?3",
                values![place.practice.as_str(), &place.carrier, at],
            )?;
            Ok(())
        })
        .await
}

/// Takes a step of one-time codes for good; `false` when it, or a later one, was taken before.
///
/// # Errors
/// What the store says; no code may leave then.
pub async fn take_step(store: &Store, practice: &PracticeId, carrier: &str, step: u64) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            let changed = sql.execute(
                "UPDATE credential SET totp_step = ?3 WHERE practice = ?1 AND carrier = ?2 AND totp_step < ?3",
                values![practice.as_str(), &carrier, to_sql(step)],
            )?;
            Ok(changed == 1)
        })
        .await
}
