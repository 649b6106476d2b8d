//! Tables `credential` and `credential_field`. What stands here of a secret is sealed; the vault alone can open it.

use std::fmt;

use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in, change_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// One sealed field.
#[derive(Clone)]
pub struct FieldRow {
    /// Its name.
    pub name: String,
    /// Its data key, wrapped; empty where the sealed value brings its own.
    pub data_key: Vec<u8>,
    /// Its value, sealed by the data key.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for FieldRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldRow").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A credential: its state, its pinned origins, its sealed fields.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    /// Whose it is.
    pub practice: PracticeId,
    /// For which carrier.
    pub carrier: String,
    /// Its id.
    pub id: String,
    /// Grows with every new set of values.
    pub generation: u64,
    /// `active`, `stopped` or `deleted`.
    pub state: String,
    /// Why it is stopped.
    pub reason: Option<String>,
    /// The origins its secrets may go to, a JSON array.
    pub origins: String,
    /// When its values were entered, in microseconds since 1970.
    pub created_at: i64,
    /// When it was last lent out.
    pub last_used_at: Option<i64>,
    /// When it was stopped.
    pub stopped_at: Option<i64>,
    /// `suspect`, `verifying` or `disabled`: why it may be used or not, beyond its state.
    pub stage: Option<String>,
    /// When its values end, in microseconds since 1970.
    pub expires_at: Option<i64>,
    /// When a login left whose outcome is not known; its number, too.
    pub login_at: Option<i64>,
    /// The newest generation that the carrier has accepted; 0 when there is none.
    pub accepted: u64,
    /// Its fields, by name.
    pub fields: Vec<FieldRow>,
}

/// Seals the fields once id, generation and time of entry are known.
pub type Seal = Box<dyn FnOnce(&str, u64, i64) -> Result<Vec<FieldRow>, StoreError> + Send>;

/// New values for a credential.
pub struct NewCredential {
    /// Whose it is.
    pub practice: PracticeId,
    /// For which carrier.
    pub carrier: String,
    /// The id it gets if it is the first for this carrier; later values keep the first id.
    pub id: String,
    /// The origins its secrets may go to, a JSON array.
    pub origins: String,
    /// When its values end, in microseconds since 1970.
    pub expires_at: Option<i64>,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// Stores new values as the next generation and makes the credential active.
///
/// # Errors
/// [`StoreError::Conflict`] when the practice does not exist.
pub async fn put(store: &Store, new: NewCredential, seal: Seal, record: Append) -> Result<CredentialRow, StoreError> {
    store
        .write(move |sql| {
            let practice = new.practice.as_str();
            let stored: Option<(String, i64)> = sql.one(
                "INSERT INTO credential(practice, carrier, id, generation, state, origins, created_at, expires_at)
                 VALUES (?1, ?2, ?3, 1, 'active', ?4, ?5, ?6)
                 ON CONFLICT(practice, carrier) DO UPDATE SET generation = credential.generation + 1, state = 'active',
                   reason = NULL, stopped_at = NULL, last_used_at = NULL, origins = excluded.origins,
                   created_at = excluded.created_at, expires_at = excluded.expires_at, stage = NULL, login_at = NULL
                 RETURNING id, generation",
                values![practice, &new.carrier, &new.id, &new.origins, new.at, new.expires_at],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (id, generation) = stored.ok_or(StoreError::Conflict)?;
            let fields = seal(&id, u64::try_from(generation).unwrap_or(0), new.at)?;
            replace_fields(sql, practice, &new.carrier, &fields)?;
            append_in(sql, record)?;
            current_in(sql, &new.practice, &new.carrier)?.ok_or(StoreError::Conflict)
        })
        .await
}

fn replace_fields(sql: &Sql<'_>, practice: &str, carrier: &str, fields: &[FieldRow]) -> Result<(), StoreError> {
    sql.execute("DELETE FROM credential_field WHERE practice = ?1 AND carrier = ?2", values![practice, carrier])?;
    for field in fields {
        sql.execute(
            "INSERT INTO credential_field(practice, carrier, name, data_key, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
            values![practice, carrier, &field.name, &field.data_key, &field.sealed],
        )?;
    }
    Ok(())
}

const COLUMNS: &str =
    "SELECT practice, carrier, id, generation, state, reason, origins, created_at, last_used_at, stopped_at,
       stage, expires_at, login_at, accepted
     FROM credential WHERE practice = ?1 AND state <> 'deleted' AND (?2 IS NULL OR carrier = ?2) ORDER BY carrier";
const ALL_COLUMNS: &str =
    "SELECT practice, carrier, id, generation, state, reason, origins, created_at, last_used_at, stopped_at,
       stage, expires_at, login_at, accepted
     FROM credential WHERE practice = ?1 ORDER BY carrier";

/// A practice's credential for a carrier; `None` when there is none, or it was deleted.
///
/// # Errors
/// What the store says.
pub async fn current(store: &Store, practice: &PracticeId, carrier: &str) -> Result<Option<CredentialRow>, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store.read(move |sql| current_in(sql, &practice, &carrier)).await
}

fn current_in(sql: &Sql<'_>, practice: &PracticeId, carrier: &str) -> Result<Option<CredentialRow>, StoreError> {
    let found = sql.one(COLUMNS, values![practice.as_str(), Some(carrier)], credential_row)?;
    found.map(|row| with_fields(sql, row)).transpose()
}

/// A practice's credentials, by carrier.
///
/// # Errors
/// What the store says.
pub async fn list(store: &Store, practice: &PracticeId) -> Result<Vec<CredentialRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let rows = sql.all(COLUMNS, values![practice.as_str(), None::<&str>], credential_row)?;
            rows.into_iter().map(|row| with_fields(sql, row)).collect()
        })
        .await
}

/// A practice's credentials, the deleted ones included.
///
/// # Errors
/// What the store says.
pub async fn list_all(store: &Store, practice: &PracticeId) -> Result<Vec<CredentialRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let rows = sql.all(ALL_COLUMNS, values![practice.as_str()], credential_row)?;
            rows.into_iter().map(|row| with_fields(sql, row)).collect()
        })
        .await
}

/// Carriers for which a practice has values, but no credential that they could belong to.
///
/// # Errors
/// What the store says.
pub async fn stray_values(store: &Store, practice: &PracticeId) -> Result<Vec<String>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT DISTINCT f.carrier FROM credential_field f WHERE f.practice = ?1 AND NOT EXISTS
                   (SELECT 1 FROM credential c
                    WHERE c.practice = f.practice AND c.carrier = f.carrier AND c.state <> 'deleted')
                 ORDER BY f.carrier",
                values![practice.as_str()],
                |row| row.get(0),
            )
        })
        .await
}

fn credential_row(row: &Row<'_>) -> Result<CredentialRow, StoreError> {
    Ok(CredentialRow {
        practice: PracticeId::new(row.get::<String>(0)?),
        carrier: row.get(1)?,
        id: row.get(2)?,
        generation: u64::try_from(row.get::<i64>(3)?).unwrap_or(0),
        state: row.get(4)?,
        reason: row.get(5)?,
        origins: row.get(6)?,
        created_at: row.get(7)?,
        last_used_at: row.get(8)?,
        stopped_at: row.get(9)?,
        stage: row.get(10)?,
        expires_at: row.get(11)?,
        login_at: row.get(12)?,
        accepted: u64::try_from(row.get::<i64>(13)?).unwrap_or(0),
        fields: Vec::new(),
    })
}

fn with_fields(sql: &Sql<'_>, mut credential: CredentialRow) -> Result<CredentialRow, StoreError> {
    credential.fields = sql.all(
        "SELECT name, data_key, sealed FROM credential_field WHERE practice = ?1 AND carrier = ?2 ORDER BY name",
        values![credential.practice.as_str(), &credential.carrier],
        |row| Ok(FieldRow { name: row.get(0)?, data_key: row.get(1)?, sealed: row.get(2)? }),
    )?;
    Ok(credential)
}

/// Lets a credential be tried again, as a new generation of the same values: what is remembered of the refused one
/// (sessions, refusals) does not fit it any more. It is `verifying` until the carrier has said what it thinks. `false`
/// when this generation is not the present one, or it is disabled.
///
/// # Errors
/// What the store says, or the seal.
pub async fn enable(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    generation: u64,
    seal: Seal,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            let practice = practice.as_str();
            let found = sql.one(
                "UPDATE credential SET state = 'active', reason = NULL, stopped_at = NULL, generation = generation + 1,
                   stage = 'verifying', login_at = NULL
                 WHERE practice = ?1 AND carrier = ?2 AND generation = ?3 AND state <> 'deleted'
                   AND (stage IS NULL OR stage <> 'disabled')
                 RETURNING id, generation, created_at",
                values![practice, &carrier, to_sql(generation)],
                |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?)),
            )?;
            let Some((id, generation, at)) = found else { return Ok(false) };
            let fields = seal(&id, u64::try_from(generation).unwrap_or(0), at)?;
            replace_fields(sql, practice, &carrier, &fields)?;
            append_in(sql, record)?;
            Ok(true)
        })
        .await
}

/// Puts the same values in another form, where the generation is still this one.
///
/// # Errors
/// What the store says.
pub async fn seal_again(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    generation: u64,
    fields: Vec<FieldRow>,
) -> Result<(), StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            let practice = practice.as_str();
            let found = sql.one(
                "SELECT generation FROM credential WHERE practice = ?1 AND carrier = ?2 AND generation = ?3",
                values![practice, &carrier, to_sql(generation)],
                |row| row.get::<i64>(0),
            )?;
            if found.is_some() { replace_fields(sql, practice, &carrier, &fields) } else { Ok(()) }
        })
        .await
}

/// Stops a credential, if it still has this generation: values entered meanwhile are not stopped for the old ones'
/// fault. It is suspect then, or disabled where it was refused while a person had it verified. `false` when nothing had to change; the record is appended only if something did.
///
/// # Errors
/// What the store says.
pub async fn stop(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    refused: Refused,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            change_in(
                sql,
                "UPDATE credential SET state = 'stopped', reason = ?4, stopped_at = ?5, login_at = NULL,
                   stage = CASE WHEN stage = 'verifying' AND ?6 = 1 THEN 'disabled' ELSE 'suspect' END
                 WHERE practice = ?1 AND carrier = ?2 AND generation = ?3 AND state = 'active'",
                values![
                    practice.as_str(),
                    &carrier,
                    to_sql(refused.generation),
                    refused.reason,
                    refused.at,
                    refused.outright
                ],
                record,
            )
        })
        .await
}

/// Stops every credential that may be used, and counts its one-time codes up to `step` as used: after the data was put
/// back. Whose they are, for which carrier, and their ids; the caller writes the records.
pub(super) fn stop_all_in(
    sql: &Sql<'_>,
    reason: &'static str,
    step: u64,
    at: i64,
) -> Result<Vec<(PracticeId, String, String)>, StoreError> {
    sql.execute("UPDATE credential SET totp_step = ?1 WHERE totp_step < ?1", values![to_sql(step)])?;
    let mut stopped = sql.all(
        "UPDATE credential SET state = 'stopped', stage = 'suspect', reason = ?1, stopped_at = ?2, login_at = NULL
         WHERE state = 'active' RETURNING practice, carrier, id",
        values![reason, at],
        |row| Ok((PracticeId::new(row.get::<String>(0)?), row.get(1)?, row.get(2)?)),
    )?;
    stopped.sort();
    Ok(stopped)
}

/// What a carrier refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// Which set of values.
    pub generation: u64,
    /// Why, in fixed words.
    pub reason: &'static str,
    /// Whether the carrier refused it, rather than that nobody knows.
    pub outright: bool,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// Erases a credential's values; `false` when there are none. The record is appended only if something changed.
///
/// # Errors
/// What the store says.
pub async fn delete(
    store: &Store,
    practice: &PracticeId,
    carrier: &str,
    at: i64,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            replace_fields(sql, practice.as_str(), &carrier, &[])?;
            change_in(
                sql,
                "UPDATE credential SET state = 'deleted', reason = NULL, stopped_at = ?3, stage = NULL, login_at = NULL,
                   expires_at = NULL
                 WHERE practice = ?1 AND carrier = ?2 AND state <> 'deleted'",
                values![practice.as_str(), &carrier, at],
                record,
            )
        })
        .await
}

/// A generation that no row has (-1) where the number does not fit.
pub(super) fn to_sql(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(-1)
}

/// Notes that a credential was lent out.
///
/// # Errors
/// What the store says.
pub async fn touch(store: &Store, practice: &PracticeId, carrier: &str, at: i64) -> Result<(), StoreError> {
    let (practice, carrier) = (practice.clone(), carrier.to_owned());
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE credential SET last_used_at = ?3 WHERE practice = ?1 AND carrier = ?2",
                values![practice.as_str(), &carrier, at],
            )?;
            Ok(())
        })
        .await
}
