//! Tables `trail`, `trail_head`, `trail_tile` and `trail_detail`. What a record says and how it is chained is the trail
//! room's business: it hands in a function that is given the chain's end and returns the next link, and that runs inside
//! the transaction of the act.

use super::sql::{Row, Sql, Value, values};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// The end of a practice's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; the first is 1.
    pub seq: u64,
    /// Chain value after it.
    pub chain: [u8; 32],
    /// Code over all the rest.
    pub mac: [u8; 32],
    /// Which of the practice's logs this is: raised when a trail that went back is accepted.
    pub epoch: u64,
    /// The tree's frontier; `None` for an end that an earlier version wrote.
    pub frontier: Option<Vec<u8>>,
}

/// What the next link is made from.
pub struct End {
    /// The chain's end; `None`: there is no record yet.
    pub head: Option<Head>,
    /// The texts of all records, oldest first; only where the end has no frontier yet.
    pub past: Vec<String>,
}

/// The next record, ready to be stored.
pub struct Link {
    /// Its canonical text.
    pub body: String,
    /// The record's own code.
    pub mac: [u8; 32],
    /// The chain's end with it.
    pub head: Head,
    /// Roots of tiles that became full, by number.
    pub tiles: Vec<(u64, [u8; 32])>,
}

/// Makes the next link from the chain's end.
pub type MakeLink = Box<dyn FnOnce(End) -> Result<Link, StoreError> + Send>;

/// What a record commits to, sealed.
pub struct DetailRow {
    /// The code by which the patient is found.
    pub patient: Option<[u8; 32]>,
    /// The sealed text and its salt.
    pub sealed: Vec<u8>,
}

/// One record to append.
pub struct Append {
    /// Whose trail.
    pub practice: PracticeId,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What.
    pub link: MakeLink,
    /// What it commits to.
    pub detail: Option<DetailRow>,
    /// Appends nothing: what records cost is measured against that.
    #[cfg(feature = "bench")]
    pub skipped: bool,
}

impl Append {
    /// A record of a practice, made at this time (microseconds since 1970).
    pub fn new(practice: &PracticeId, at: i64, link: MakeLink, detail: Option<DetailRow>) -> Self {
        Self {
            practice: practice.clone(),
            at,
            link,
            detail,
            #[cfg(feature = "bench")]
            skipped: false,
        }
    }
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
    /// Its own code; `None` for a record that an earlier version wrote.
    pub mac: Option<[u8; 32]>,
}

/// A record with what it commits to.
pub struct DetailedRow {
    /// The record.
    pub record: TrailRow,
    /// What it commits to, sealed.
    pub detail: Option<DetailRow>,
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
    #[cfg(feature = "bench")]
    if record.skipped {
        return Ok(0);
    }
    let practice = record.practice.as_str();
    let head = head_in(sql, practice)?;
    let old = head.as_ref().is_some_and(|head| head.frontier.is_none());
    let past = if old { bodies_in(sql, practice)? } else { Vec::new() };
    let Link { body, mac, head, tiles } = (record.link)(End { head, past })?;
    let seq = to_sql(head.seq)?;
    sql.execute(
        "INSERT INTO trail(practice, seq, at, body, chain, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        values![practice, seq, record.at, &body, &head.chain, &mac],
    )?;
    sql.execute(
        "INSERT INTO trail_head(practice, seq, chain, mac, epoch, frontier) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT(practice) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, mac = excluded.mac,
         epoch = excluded.epoch, frontier = excluded.frontier",
        values![practice, seq, &head.chain, &head.mac, to_sql(head.epoch)?, &head.frontier],
    )?;
    for (n, hash) in tiles {
        sql.execute(
            "INSERT INTO trail_tile(practice, n, hash) VALUES (?1, ?2, ?3)",
            values![practice, to_sql(n)?, &hash],
        )?;
    }
    if let Some(detail) = record.detail {
        sql.execute(
            "INSERT INTO trail_detail(practice, seq, patient, sealed) VALUES (?1, ?2, ?3, ?4)",
            values![practice, seq, detail.patient.as_ref(), &detail.sealed],
        )?;
    }
    Ok(head.seq)
}

fn head_in(sql: &Sql<'_>, practice: &str) -> Result<Option<Head>, StoreError> {
    sql.one("SELECT seq, chain, mac, epoch, frontier FROM trail_head WHERE practice = ?1", values![practice], |row| {
        Ok(Head {
            seq: from_sql(row.get(0)?),
            chain: row.get(1)?,
            mac: row.get(2)?,
            epoch: from_sql(row.get(3)?),
            frontier: row.get(4)?,
        })
    })
}

fn bodies_in(sql: &Sql<'_>, practice: &str) -> Result<Vec<String>, StoreError> {
    sql.all("SELECT body FROM trail WHERE practice = ?1 ORDER BY seq", values![practice], |row| row.get(0))
}

/// The end of a practice's chain.
///
/// # Errors
/// What the store says.
pub async fn head(store: &Store, practice: &PracticeId) -> Result<Option<Head>, StoreError> {
    let practice = practice.clone();
    store.read(move |sql| head_in(sql, practice.as_str())).await
}

/// All practices whose trails have an end, the gateway's own included.
///
/// # Errors
/// What the store says.
pub async fn practices(store: &Store) -> Result<Vec<PracticeId>, StoreError> {
    store
        .read(|sql| {
            sql.all("SELECT practice FROM trail_head ORDER BY practice", &[], |row| {
                Ok(PracticeId::new(row.get::<String>(0)?))
            })
        })
        .await
}

/// As [`practices`], with those whose trail's end was taken away. Reads an index of all records.
///
/// # Errors
/// What the store says.
pub async fn all_practices(store: &Store) -> Result<Vec<PracticeId>, StoreError> {
    store
        .read(|sql| {
            sql.all(
                "SELECT practice FROM trail_head UNION SELECT DISTINCT practice FROM trail ORDER BY 1",
                &[],
                |row| Ok(PracticeId::new(row.get::<String>(0)?)),
            )
        })
        .await
}

/// The stored tile roots of a practice, by number.
///
/// # Errors
/// What the store says.
pub async fn tiles(store: &Store, practice: &PracticeId) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT n, hash FROM trail_tile WHERE practice = ?1 ORDER BY n",
                values![practice.as_str()],
                |row| Ok((from_sql(row.get(0)?), row.get(1)?)),
            )
        })
        .await
}

/// The texts of the records with numbers in `from..=to`, oldest first.
///
/// # Errors
/// What the store says.
pub async fn bodies(
    store: &Store,
    practice: &PracticeId,
    from: u64,
    to: u64,
) -> Result<Vec<(u64, String)>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT seq, body FROM trail WHERE practice = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq",
                values![practice.as_str(), to_sql(from)?, to_sql(to)?],
                |row| Ok((from_sql(row.get(0)?), row.get(1)?)),
            )
        })
        .await
}

/// The records with numbers in `from..=to`, oldest first, with what they commit to.
///
/// # Errors
/// What the store says.
pub async fn range(store: &Store, practice: &PracticeId, from: u64, to: u64) -> Result<Vec<DetailedRow>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                "SELECT t.seq, t.at, t.body, t.chain, t.mac, d.patient, d.sealed FROM trail t
                 LEFT JOIN trail_detail d ON d.practice = t.practice AND d.seq = t.seq
                 WHERE t.practice = ?1 AND t.seq >= ?2 AND t.seq <= ?3 ORDER BY t.seq",
                values![practice.as_str(), to_sql(from)?, to_sql(to)?],
                detailed,
            )
        })
        .await
}

/// What records are looked for by, beside their time.
#[derive(Clone, Debug)]
pub enum About {
    /// One question or submission.
    Ask(String),
    /// The patient with one of these codes, and everything about the questions that were asked about that patient.
    Patient(Vec<[u8; 32]>),
    /// Everything in the time.
    Everything,
}

/// Records about something in a time (microseconds, the end left out), oldest first, at most `limit`, with what they
/// commit to.
///
/// # Errors
/// What the store says.
pub async fn about(
    store: &Store,
    practice: &PracticeId,
    about: About,
    time: (Option<i64>, Option<i64>),
    limit: u32,
) -> Result<Vec<DetailedRow>, StoreError> {
    let (practice, (from, to)) = (practice.clone(), time);
    store
        .read(move |sql| {
            let practice = practice.as_str();
            match about {
                About::Ask(ask) => sql.all(
                    "SELECT t.seq, t.at, t.body, t.chain, t.mac, d.patient, d.sealed FROM trail t
                     LEFT JOIN trail_detail d ON d.practice = t.practice AND d.seq = t.seq
                     WHERE t.practice = ?1 AND t.ask_id = ?2 AND t.at >= coalesce(?3, t.at)
                     AND t.at <= coalesce(?4 - 1, t.at) ORDER BY t.seq LIMIT ?5",
                    values![practice, &ask, from, to, limit],
                    detailed,
                ),
                About::Everything => sql.all(
                    "SELECT t.seq, t.at, t.body, t.chain, t.mac, d.patient, d.sealed FROM trail t
                     LEFT JOIN trail_detail d ON d.practice = t.practice AND d.seq = t.seq
                     WHERE t.practice = ?1 AND t.at >= coalesce(?2, t.at) AND t.at <= coalesce(?3 - 1, t.at)
                     ORDER BY t.seq LIMIT ?4",
                    values![practice, from, to, limit],
                    detailed,
                ),
                About::Patient(codes) => {
                    let mut found = Vec::new();
                    for code in codes.iter().take(CODES_MAX) {
                        found.extend(of_patient(sql, practice, code, (from, to), limit)?);
                    }
                    found.sort_by_key(|row: &DetailedRow| row.record.seq);
                    found.dedup_by_key(|row| row.record.seq);
                    Ok(found)
                }
            }
        })
        .await
}

/// The questions about each of these patients that have come to an end, the newest first, at most `each` of one. A
/// patient is given by all codes that may stand for them.
///
/// # Errors
/// What the store says.
pub async fn questions_about(
    store: &Store,
    practice: &PracticeId,
    patients: Vec<Vec<[u8; 32]>>,
    each: u32,
) -> Result<Vec<Vec<(String, i64)>>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            let mut all = Vec::with_capacity(patients.len());
            for codes in &patients {
                let mut found: Vec<(String, i64)> = Vec::new();
                for code in codes.iter().take(CODES_MAX) {
                    let asked = sql.all(
                        "SELECT t.ask_id, t.at FROM trail_detail d JOIN trail t ON t.practice = d.practice
                         AND t.seq = d.seq WHERE d.practice = ?1 AND d.patient = ?2 AND t.ask_id IS NOT NULL
                         AND t.action = 'eligibility.answered' ORDER BY d.seq DESC LIMIT ?3",
                        values![practice.as_str(), code, each],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )?;
                    found.extend(asked);
                }
                found.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
                found.dedup();
                found.truncate(usize::try_from(each).unwrap_or(usize::MAX));
                all.push(found);
            }
            Ok(all)
        })
        .await
}

/// Codes that one patient is looked for by, at most.
const CODES_MAX: usize = 8;

fn of_patient(
    sql: &Sql<'_>,
    practice: &str,
    code: &[u8; 32],
    (from, to): (Option<i64>, Option<i64>),
    limit: u32,
) -> Result<Vec<DetailedRow>, StoreError> {
    sql.all(
        "SELECT t.seq, t.at, t.body, t.chain, t.mac, d.patient, d.sealed FROM trail t
         LEFT JOIN trail_detail d ON d.practice = t.practice AND d.seq = t.seq
         WHERE t.practice = ?1 AND t.at >= coalesce(?3, t.at) AND t.at <= coalesce(?4 - 1, t.at)
         AND (t.seq IN (SELECT p.seq FROM trail_detail p WHERE p.practice = ?1 AND p.patient = ?2)
           OR t.ask_id IN (SELECT a.ask_id FROM trail_detail q JOIN trail a ON a.practice = q.practice
             AND a.seq = q.seq WHERE q.practice = ?1 AND q.patient = ?2 AND a.ask_id IS NOT NULL))
         ORDER BY t.seq LIMIT ?5",
        values![practice, code, from, to, limit],
        detailed,
    )
}

fn detailed(found: &Row<'_>) -> Result<DetailedRow, StoreError> {
    let (patient, sealed): (_, Option<Vec<u8>>) = (found.get(5)?, found.get(6)?);
    Ok(DetailedRow { record: row(found)?, detail: sealed.map(|sealed| DetailRow { patient, sealed }) })
}

/// Runs a statement that changes one row or none, and appends the record of it where it changed one; whether it did.
pub(super) fn change_in(
    sql: &Sql<'_>,
    statement: &str,
    values: &[Value<'_>],
    record: Append,
) -> Result<bool, StoreError> {
    let changed = sql.execute(statement, values)? == 1;
    if changed {
        append_in(sql, record)?;
    }
    Ok(changed)
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
                "SELECT seq, at, body, chain, mac FROM trail
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
                "SELECT seq, at, body, chain, mac FROM trail WHERE practice = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                values![practice.as_str(), after, limit],
                row,
            )
        })
        .await
}

/// Gives every record of a practice, with what it commits to, to `visit` with `state`, oldest first, until it says not to
/// go on; then returns the
/// chain's end and `state`. All from one consistent state of the store.
///
/// # Errors
/// What the store says.
pub async fn walk<S: Send + 'static>(
    store: &Store,
    practice: &PracticeId,
    mut state: S,
    visit: fn(&mut S, &DetailedRow) -> bool,
) -> Result<(Option<Head>, S), StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let head = head_in(sql, practice.as_str())?;
                sql.each(
                    "SELECT t.seq, t.at, t.body, t.chain, t.mac, d.patient, d.sealed FROM trail t
                     LEFT JOIN trail_detail d ON d.practice = t.practice AND d.seq = t.seq
                     WHERE t.practice = ?1 ORDER BY t.seq",
                    values![practice.as_str()],
                    |found| Ok(visit(&mut state, &detailed(found)?)),
                )?;
                Ok((head, state))
            })
        })
        .await
}

fn row(row: &Row<'_>) -> Result<TrailRow, StoreError> {
    Ok(TrailRow {
        seq: from_sql(row.get(0)?),
        at: row.get(1)?,
        body: row.get(2)?,
        chain: row.get(3)?,
        mac: row.get(4)?,
    })
}

pub(super) fn to_sql(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Damaged { what: "a record number is too large" })
}

/// Numbers below zero cannot be stored (a CHECK says so); should one appear, it reads as 0, which fails verification.
pub(super) fn from_sql(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
