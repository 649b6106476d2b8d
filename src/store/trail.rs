//! Tables `trail` and `trail_head`. What a record says and how it is chained is the trail room's business: it hands in a
//! function that is given the chain's end and returns the next link, and that runs inside the transaction of the act.

use super::sql::{Row, Sql, values};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// The end of a practice's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; the first is 1.
    pub seq: u64,
    /// Chain value after it.
    pub chain: [u8; 32],
    /// Code over practice, number and chain value.
    pub mac: [u8; 32],
}

/// The next record, ready to be stored.
pub struct Link {
    /// Its canonical text.
    pub body: String,
    /// The chain's end with it.
    pub head: Head,
}

/// Makes the next link from the chain's end (`None`: there is no record yet).
pub type MakeLink = Box<dyn FnOnce(Option<Head>) -> Result<Link, StoreError> + Send>;

/// One record to append.
pub struct Append {
    /// Whose trail.
    pub practice: PracticeId,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What.
    pub link: MakeLink,
}

/// One stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRow {
    /// Its number.
    pub seq: u64,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Its canonical text.
    pub body: String,
    /// Chain value after it.
    pub chain: [u8; 32],
}

/// Which records to list. `None`: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Action, whole.
    pub action: Option<String>,
    /// Who acted.
    pub actor: Option<String>,
    /// Carrier.
    pub carrier: Option<String>,
    /// The ask.
    pub ask_id: Option<String>,
    /// Not before, in microseconds since 1970.
    pub from: Option<i64>,
    /// Before this, in microseconds since 1970.
    pub to: Option<i64>,
    /// Only records with a smaller number: the last one of the page before.
    pub before_seq: Option<u64>,
}

/// Appends one record in a transaction of its own.
///
/// # Errors
/// What the link says, or the store.
pub async fn append(store: &Store, record: Append) -> Result<u64, StoreError> {
    store.write(move |sql| append_in(sql, record)).await
}

/// Appends one record in the caller's transaction: no record, no act.
pub(super) fn append_in(sql: &Sql<'_>, record: Append) -> Result<u64, StoreError> {
    let practice = record.practice.as_str();
    let link = (record.link)(head_in(sql, practice)?)?;
    let seq = to_sql(link.head.seq)?;
    sql.execute(
        "INSERT INTO trail(practice, seq, at, body, chain) VALUES (?1, ?2, ?3, ?4, ?5)",
        values![practice, seq, record.at, &link.body, &link.head.chain],
    )?;
    sql.execute(
        "INSERT INTO trail_head(practice, seq, chain, mac) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT(practice) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, mac = excluded.mac",
        values![practice, seq, &link.head.chain, &link.head.mac],
    )?;
    Ok(link.head.seq)
}

fn head_in(sql: &Sql<'_>, practice: &str) -> Result<Option<Head>, StoreError> {
    sql.one("SELECT seq, chain, mac FROM trail_head WHERE practice = ?1", values![practice], |row| {
        Ok(Head { seq: from_sql(row.get(0)?), chain: row.get(1)?, mac: row.get(2)? })
    })
}

/// Records of a practice, newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub async fn list(
    store: &Store,
    practice: &PracticeId,
    filter: Filter,
    limit: u32,
) -> Result<Vec<TrailRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let before = filter.before_seq.map(to_sql).transpose()?;
            sql.all(
                "SELECT seq, at, body, chain FROM trail
                 WHERE practice = ?1 AND seq < coalesce(?2, 9223372036854775807)
                 AND (?3 IS NULL OR action = ?3) AND (?4 IS NULL OR actor = ?4)
                 AND (?5 IS NULL OR carrier = ?5) AND (?6 IS NULL OR ask_id = ?6)
                 AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR at < ?8)
                 ORDER BY seq DESC LIMIT ?9",
                values![
                    practice.as_str(),
                    before,
                    &filter.action,
                    &filter.actor,
                    &filter.carrier,
                    &filter.ask_id,
                    filter.from,
                    filter.to,
                    limit
                ],
                row,
            )
        })
        .await
}

/// Records of a practice with a greater number than `after`, oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub async fn after(store: &Store, practice: &PracticeId, after: u64, limit: u32) -> Result<Vec<TrailRow>, StoreError> {
    let (practice, after) = (practice.clone(), to_sql(after)?);
    store
        .read(move |sql| {
            sql.all(
                "SELECT seq, at, body, chain FROM trail WHERE practice = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                values![practice.as_str(), after, limit],
                row,
            )
        })
        .await
}

/// Gives every record of a practice to `visit` with `state`, oldest first, until it says not to go on; then returns the
/// chain's end and `state`. All from one consistent state of the store.
///
/// # Errors
/// What the store says.
pub async fn walk<S: Send + 'static>(
    store: &Store,
    practice: &PracticeId,
    mut state: S,
    visit: fn(&mut S, &TrailRow) -> bool,
) -> Result<(Option<Head>, S), StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let head = head_in(sql, practice.as_str())?;
                sql.each(
                    "SELECT seq, at, body, chain FROM trail WHERE practice = ?1 ORDER BY seq",
                    values![practice.as_str()],
                    |found| Ok(visit(&mut state, &row(found)?)),
                )?;
                Ok((head, state))
            })
        })
        .await
}

fn row(row: &Row<'_>) -> Result<TrailRow, StoreError> {
    Ok(TrailRow { seq: from_sql(row.get(0)?), at: row.get(1)?, body: row.get(2)?, chain: row.get(3)? })
}

fn to_sql(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Damaged { what: "a record number is too large" })
}

/// Numbers below zero cannot be stored (a CHECK says so); should one appear, it reads as 0, which fails verification.
fn from_sql(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
