//! Tables `session`, `setup_token` and `practice_profile`.

use super::people::{
    self, Joining, MembershipRow, PersonRow, append_all, memberships_in, person_in, remember_device_in,
};
use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

type Hash = [u8; 32];

/// Most sessions of one person at a time; the oldest end first.
const SESSIONS_MAX: i64 = 20;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// In which practice.
    pub practice: PracticeId,
    /// Whose.
    pub person: String,
    /// What people see and revoke by.
    pub id: String,
    /// How far the person has proven who they are: the level's word.
    pub level: String,
    /// One-time codes tried.
    pub tries: i64,
    /// When it began, in microseconds since 1970.
    pub created_at: i64,
    /// When it was last used, within half a minute.
    pub seen_at: i64,
    /// When it ends at the latest.
    pub expires_at: i64,
    /// When it was ended.
    pub ended_at: Option<i64>,
}

/// A session about to begin.
pub struct Beginning {
    /// The session.
    pub session: SessionRow,
    /// SHA-256 of its cookie.
    pub hash: Hash,
    /// The session that it takes the place of; nothing begins when that one has ended.
    pub replaces: Option<Hash>,
    /// The browser to remember.
    pub device: Option<Hash>,
    /// What is recorded.
    pub records: Vec<Append>,
}

/// What must be used up in the same transaction for a session to begin.
pub enum Proof {
    /// Nothing: the password was enough, or was checked before.
    None,
    /// The code of this step: no code of it, or of an earlier one, is taken again.
    TotpStep(i64),
    /// A recovery code, by its hash.
    RecoveryCode(Hash),
    /// The code of this step confirms the drafted seed, which is given here; these are the hashes of new recovery codes.
    Enrolment {
        /// The sealed draft that the code fits.
        draft: Vec<u8>,
        /// The code's step.
        step: i64,
        /// Hashes of the new recovery codes.
        codes: Vec<Hash>,
    },
}

/// Begins a session if the proof could be used up. `false`: it was used before, or the session to be replaced has ended.
/// Nothing changes then.
///
/// # Errors
/// What the store says.
pub async fn begin(store: &Store, beginning: Beginning, proof: Proof) -> Result<bool, StoreError> {
    let result = store.write(move |sql| begin_in(sql, beginning, &proof)).await;
    match result {
        // `Conflict` undoes the half that was done; a damaged uniqueness cannot be meant, ids are random.
        Err(StoreError::Conflict) => Ok(false),
        other => other.map(|()| true),
    }
}

fn begin_in(sql: &Sql<'_>, beginning: Beginning, proof: &Proof) -> Result<(), StoreError> {
    let Beginning { session, hash, replaces, device, records } = beginning;
    if let Some(old) = replaces {
        once(sql.execute(
            "UPDATE session SET ended_at = ?2 WHERE hash = ?1 AND ended_at IS NULL",
            values![&old, session.created_at],
        )?)?;
    }
    use_up(sql, &session, proof)?;
    sql.execute(
        "INSERT INTO session(practice, person, id, hash, level, tries, created_at, seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)",
        values![
            session.practice.as_str(),
            &session.person,
            &session.id,
            &hash,
            &session.level,
            session.created_at,
            session.seen_at,
            session.expires_at
        ],
    )?;
    if let Some(device) = device {
        remember_device_in(sql, &session.person, &device, session.created_at)?;
    }
    tidy(sql, &session.person, session.created_at)?;
    append_all(sql, records)
}

/// The atomic step: of any number that come with the same code, one changes a row.
fn use_up(sql: &Sql<'_>, session: &SessionRow, proof: &Proof) -> Result<(), StoreError> {
    let person = &session.person;
    match proof {
        Proof::None => Ok(()),
        Proof::TotpStep(step) => once(sql.execute(
            "UPDATE person SET totp_step = ?2 WHERE id = ?1 AND totp_step < ?2 AND totp IS NOT NULL",
            values![person, *step],
        )?),
        Proof::RecoveryCode(hash) => once(sql.execute(
            "UPDATE recovery_code SET used_at = ?3 WHERE person = ?1 AND hash = ?2 AND used_at IS NULL",
            values![person, hash, session.created_at],
        )?),
        Proof::Enrolment { draft, step, codes } => {
            once(sql.execute(
                "UPDATE person SET totp = totp_draft, totp_draft = NULL, totp_step = ?3
                 WHERE id = ?1 AND totp_draft = ?2",
                values![person, draft, *step],
            )?)?;
            sql.execute("DELETE FROM recovery_code WHERE person = ?1", values![person])?;
            for code in codes {
                sql.execute("INSERT INTO recovery_code(person, hash) VALUES (?1, ?2)", values![person, code])?;
            }
            Ok(())
        }
    }
}

fn once(changed: usize) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Removes what is over, and ends the oldest sessions beyond the bound.
fn tidy(sql: &Sql<'_>, person: &str, now: i64) -> Result<(), StoreError> {
    sql.execute(
        "DELETE FROM session WHERE person = ?1 AND (ended_at IS NOT NULL OR expires_at <= ?2 OR id NOT IN
         (SELECT s.id FROM session s WHERE s.person = ?1 AND s.ended_at IS NULL
          ORDER BY s.created_at DESC, s.id DESC LIMIT ?3))",
        values![person, now, SESSIONS_MAX],
    )?;
    Ok(())
}

/// A session with its person and the person's memberships.
pub type Found = (SessionRow, PersonRow, Vec<MembershipRow>);

/// The session of a cookie's hash, ended ones included.
///
/// # Errors
/// What the store says.
pub async fn by_hash(store: &Store, hash: Hash) -> Result<Option<Found>, StoreError> {
    store
        .read(move |sql| {
            sql.consistent(|sql| {
                let query = "SELECT practice, person, id, level, tries, created_at, seen_at, expires_at, ended_at
                             FROM session WHERE hash = ?1";
                let Some(session) = sql.one(query, values![&hash], session_row)? else { return Ok(None) };
                let Some(person) = person_in(sql, &session.person)? else { return Ok(None) };
                let memberships = memberships_in(sql, &session.person)?;
                Ok(Some((session, person, memberships)))
            })
        })
        .await
}

/// Notes that a session is in use.
///
/// # Errors
/// What the store says.
pub async fn touch(store: &Store, hash: Hash, at: i64) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE session SET seen_at = ?2 WHERE hash = ?1 AND ended_at IS NULL AND seen_at < ?2",
                values![&hash, at],
            )?;
            Ok(())
        })
        .await
}

/// Takes one of the `most` tries of a session; `false` when none is left: the session has ended then.
///
/// # Errors
/// What the store says.
pub async fn take_try(store: &Store, hash: Hash, most: i64, at: i64) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let taken = sql.execute(
                "UPDATE session SET tries = tries + 1 WHERE hash = ?1 AND tries < ?2 AND ended_at IS NULL",
                values![&hash, most],
            )?;
            if taken == 0 {
                let end = "UPDATE session SET ended_at = ?2 WHERE hash = ?1 AND ended_at IS NULL";
                sql.execute(end, values![&hash, at])?;
            }
            Ok(taken == 1)
        })
        .await
}

/// Ends the session of a cookie's hash; `false` when it had ended.
///
/// # Errors
/// What the store says.
pub async fn end(store: &Store, hash: Hash, at: i64, record: Append) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let ended = "UPDATE session SET ended_at = ?2 WHERE hash = ?1 AND ended_at IS NULL";
            let ended = sql.execute(ended, values![&hash, at])? == 1;
            if ended {
                append_in(sql, record)?;
            }
            Ok(ended)
        })
        .await
}

/// Ends a session in a practice by its id, that of one person where `person` is given; `false` when there is none that
/// runs.
///
/// # Errors
/// What the store says.
pub async fn revoke(
    store: &Store,
    practice: &PracticeId,
    id: &str,
    person: Option<&str>,
    at: i64,
    record: Append,
) -> Result<bool, StoreError> {
    let (practice, id, person) = (practice.clone(), id.to_owned(), person.map(str::to_owned));
    store
        .write(move |sql| {
            let ended = sql.execute(
                "UPDATE session SET ended_at = ?4
                 WHERE practice = ?1 AND id = ?2 AND (?3 IS NULL OR person = ?3) AND ended_at IS NULL",
                values![practice.as_str(), &id, &person, at],
            )? == 1;
            if ended {
                append_in(sql, record)?;
            }
            Ok(ended)
        })
        .await
}

/// Sessions in a practice that have not ended and expire after `now`, newest first; those of one person where `person` is
/// given.
///
/// # Errors
/// What the store says.
pub async fn list(
    store: &Store,
    practice: &PracticeId,
    person: Option<&str>,
    now: i64,
    limit: u32,
) -> Result<Vec<SessionRow>, StoreError> {
    let (practice, person) = (practice.clone(), person.map(str::to_owned));
    store
        .read(move |sql| {
            sql.all(
                "SELECT practice, person, id, level, tries, created_at, seen_at, expires_at, ended_at FROM session
                 WHERE practice = ?1 AND (?2 IS NULL OR person = ?2) AND ended_at IS NULL AND expires_at > ?3
                 ORDER BY created_at DESC, id LIMIT ?4",
                values![practice.as_str(), &person, now, limit],
                session_row,
            )
        })
        .await
}

fn session_row(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        practice: PracticeId::new(row.get::<String>(0)?),
        person: row.get(1)?,
        id: row.get(2)?,
        level: row.get(3)?,
        tries: row.get(4)?,
        created_at: row.get(5)?,
        seen_at: row.get(6)?,
        expires_at: row.get(7)?,
        ended_at: row.get(8)?,
    })
}

/// Keeps the token of the first run; an earlier one is no longer good.
///
/// # Errors
/// What the store says.
pub async fn put_setup_token(store: &Store, hash: Hash, until: i64) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO setup_token(id, hash, until) VALUES (1, ?1, ?2)
                 ON CONFLICT(id) DO UPDATE SET hash = excluded.hash, until = excluded.until",
                values![&hash, until],
            )?;
            Ok(())
        })
        .await
}

/// Whether this token is good at `now`. A look before work that costs something; [`set_up`] decides.
///
/// # Errors
/// What the store says.
pub async fn setup_token_is(store: &Store, hash: Hash, now: i64) -> Result<bool, StoreError> {
    let query = "SELECT until FROM setup_token WHERE hash = ?1 AND until > ?2";
    let found = store.read(move |sql| sql.one(query, values![&hash, now], |row| row.get::<i64>(0))).await?;
    Ok(found.is_some())
}

/// The first practice and its first administrator. `false` when the token is not good at `now`, or there is anybody
/// already. Uses the token up.
///
/// # Errors
/// What the store says.
pub async fn set_up(
    store: &Store,
    token: Hash,
    now: i64,
    practice_name: String,
    profile: Vec<u8>,
    first: Joining,
    record: Append,
) -> Result<bool, StoreError> {
    store
        .write(move |sql| {
            let used = sql.execute("DELETE FROM setup_token WHERE hash = ?1 AND until > ?2", values![&token, now])?;
            if used != 1 || people::any_in(sql)? {
                return Ok(false);
            }
            let practice = first.membership.practice.as_str();
            sql.execute(
                "INSERT INTO practice(id, name, created_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT(id) DO UPDATE SET name = excluded.name",
                values![practice, &practice_name, now],
            )?;
            put_profile_in(sql, practice, &profile, now)?;
            people::join_in(sql, &first, u32::MAX, record)
        })
        .await
}

/// A practice's name and its sealed profile.
///
/// # Errors
/// What the store says.
pub async fn profile(store: &Store, practice: &PracticeId) -> Result<Option<(String, Option<Vec<u8>>)>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.one(
                "SELECT o.name, f.sealed FROM practice o LEFT JOIN practice_profile f ON f.practice = o.id
                 WHERE o.id = ?1",
                values![practice.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
        .await
}

/// Changes a practice's name and profile.
///
/// # Errors
/// What the store says.
pub async fn put_profile(
    store: &Store,
    practice: &PracticeId,
    name: String,
    sealed: Vec<u8>,
    at: i64,
    record: Append,
) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            sql.execute("UPDATE practice SET name = ?2 WHERE id = ?1", values![practice.as_str(), &name])?;
            put_profile_in(sql, practice.as_str(), &sealed, at)?;
            append_in(sql, record).map(|_| ())
        })
        .await
}

fn put_profile_in(sql: &Sql<'_>, practice: &str, sealed: &Vec<u8>, at: i64) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO practice_profile(practice, sealed, changed_at) VALUES (?1, ?2, ?3)
         ON CONFLICT(practice) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at",
        values![practice, sealed, at],
    )?;
    Ok(())
}
