//! Tables `person`, `membership`, `recovery_code` and `known_device`.

use super::sql::{Row, Sql, values};
use super::trail::{Append, append_in};
use super::{Store, StoreError};
use crate::practice::PracticeId;

type Hash = [u8; 32];

/// Most browsers remembered for one person; the oldest is forgotten first.
const DEVICES_MAX: i64 = 20;

/// A person's account: what a sign-in needs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonRow {
    /// Its id.
    pub id: String,
    /// The address, in lower case.
    pub email: String,
    /// The password's hash, sealed. `None`: not set yet.
    pub password: Option<Vec<u8>>,
    /// Whether nothing may be done without a one-time code.
    pub second_factor: bool,
    /// The seed of one-time codes, sealed.
    pub totp: Option<Vec<u8>>,
    /// A seed that was not confirmed yet, sealed.
    pub totp_draft: Option<Vec<u8>>,
    /// The last step whose code was used.
    pub totp_step: i64,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
}

/// What a person is in a practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRow {
    /// In which.
    pub practice: PracticeId,
    /// What people call the practice.
    pub practice_name: String,
    /// Who.
    pub person: String,
    /// What the practice calls the person.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// Since when, in microseconds since 1970.
    pub created_at: i64,
}

/// A new account, or an account that joins a practice.
pub struct Joining {
    /// The account; inserted when `is_new`.
    pub person: PersonRow,
    /// Whether there is no such account yet.
    pub is_new: bool,
    /// Where and as what.
    pub membership: MembershipRow,
    /// Hash and end of the invitation, for a new account.
    pub invite: Option<(Hash, i64)>,
}

/// Why a change of a membership was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Done,
    /// The practice has no such member.
    NoSuchMember,
    /// It would leave the practice without its last administrator.
    LastAdmin,
}

const PERSON: &str = "p.id, p.email, p.password, p.second_factor, p.totp, p.totp_draft, p.totp_step, p.created_at";
const MEMBERSHIP: &str = "m.practice, o.name, m.person, m.name, m.role, m.created_at";

/// The account with this address and its memberships, oldest first.
///
/// # Errors
/// What the store says.
pub async fn by_email(store: &Store, email: &str) -> Result<Option<(PersonRow, Vec<MembershipRow>)>, StoreError> {
    let email = email.to_owned();
    store.read(move |sql| found(sql, &format!("SELECT {PERSON} FROM person p WHERE p.email = ?1"), &email)).await
}

/// The account with this id and its memberships, oldest first.
///
/// # Errors
/// What the store says.
pub async fn by_id(store: &Store, id: &str) -> Result<Option<(PersonRow, Vec<MembershipRow>)>, StoreError> {
    let id = id.to_owned();
    store.read(move |sql| found(sql, &format!("SELECT {PERSON} FROM person p WHERE p.id = ?1"), &id)).await
}

/// The account that this invitation is for, while it is valid at `now`.
///
/// # Errors
/// What the store says.
pub async fn by_invite(store: &Store, invite: Hash, now: i64) -> Result<Option<PersonRow>, StoreError> {
    store
        .read(move |sql| {
            sql.one(
                &format!("SELECT {PERSON} FROM person p WHERE p.invite = ?1 AND p.invite_until > ?2"),
                values![&invite, now],
                person_row,
            )
        })
        .await
}

/// Whether there is any account at all.
///
/// # Errors
/// What the store says.
pub async fn any(store: &Store) -> Result<bool, StoreError> {
    store.read(any_in).await
}

pub(super) fn any_in(sql: &Sql<'_>) -> Result<bool, StoreError> {
    Ok(sql.one("SELECT created_at FROM person LIMIT 1", &[], |row| row.get::<i64>(0))?.is_some())
}

/// The members of a practice, oldest first, each with address and whether a password and a seed are set.
///
/// # Errors
/// What the store says.
pub async fn members(
    store: &Store,
    practice: &PracticeId,
    limit: u32,
) -> Result<Vec<(PersonRow, MembershipRow)>, StoreError> {
    let practice = practice.clone();
    store
        .read(move |sql| {
            sql.all(
                &format!(
                    "SELECT {PERSON}, {MEMBERSHIP} FROM membership m JOIN person p ON p.id = m.person
                     JOIN practice o ON o.id = m.practice
                     WHERE m.practice = ?1 ORDER BY m.created_at, m.person LIMIT ?2"
                ),
                values![practice.as_str(), limit],
                |row| Ok((person_row(row)?, membership_row(row, 8)?)),
            )
        })
        .await
}

/// Adds a membership, and the account where it is new. `false` when the person is a member already, or the practice has
/// `most` members.
///
/// # Errors
/// [`StoreError::Conflict`] when an account with this address appeared meanwhile, or there is no such practice.
pub async fn join(store: &Store, joining: Joining, most: u32, record: Append) -> Result<bool, StoreError> {
    store.write(move |sql| join_in(sql, &joining, most, record)).await
}

pub(super) fn join_in(sql: &Sql<'_>, joining: &Joining, most: u32, record: Append) -> Result<bool, StoreError> {
    let Joining { person, is_new, membership, invite } = joining;
    let practice = membership.practice.as_str();
    let count =
        sql.one("SELECT count(*) FROM membership WHERE practice = ?1", values![practice], |row| row.get::<i64>(0));
    if count?.unwrap_or(0) >= i64::from(most) {
        return Ok(false);
    }
    if *is_new {
        sql.execute(
            "INSERT INTO person(id, email, password, second_factor, totp_step, invite, invite_until, created_at)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)",
            values![
                &person.id,
                &person.email,
                &person.password,
                i64::from(person.second_factor),
                invite.as_ref().map(|(hash, _)| hash),
                invite.map_or(0, |(_, until)| until),
                person.created_at
            ],
        )?;
    }
    let added = sql.execute(
        "INSERT INTO membership(practice, person, name, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT(practice, person) DO NOTHING",
        values![practice, &person.id, &membership.name, &membership.role, membership.created_at],
    )?;
    if added == 1 {
        append_in(sql, record)?;
    }
    Ok(added == 1)
}

/// Gives a member another role or name; sessions in this practice end where the role changes. `admin` is the role that a
/// practice must keep at least one of.
///
/// # Errors
/// What the store says.
pub async fn change_member(
    store: &Store,
    membership: MembershipRow,
    admin: &'static str,
    at: i64,
    record: Append,
) -> Result<Change, StoreError> {
    store
        .write(move |sql| {
            let (practice, person) = (membership.practice.as_str(), &membership.person);
            let Some(before) = role_in(sql, practice, person)? else { return Ok(Change::NoSuchMember) };
            if before == admin && membership.role != admin && last_in(sql, practice, admin)? {
                return Ok(Change::LastAdmin);
            }
            sql.execute(
                "UPDATE membership SET role = ?3, name = ?4 WHERE practice = ?1 AND person = ?2",
                values![practice, person, &membership.role, &membership.name],
            )?;
            if before != membership.role {
                end_sessions_in(sql, practice, person, at)?;
            }
            append_in(sql, record).map(|_| Change::Done)
        })
        .await
}

/// Takes a member out of a practice; sessions there end. The account stays.
///
/// # Errors
/// What the store says.
pub async fn remove_member(
    store: &Store,
    practice: &PracticeId,
    person: &str,
    admin: &'static str,
    at: i64,
    record: Append,
) -> Result<Change, StoreError> {
    let (practice, person) = (practice.clone(), person.to_owned());
    store
        .write(move |sql| {
            let practice = practice.as_str();
            let Some(before) = role_in(sql, practice, &person)? else { return Ok(Change::NoSuchMember) };
            if before == admin && last_in(sql, practice, admin)? {
                return Ok(Change::LastAdmin);
            }
            end_sessions_in(sql, practice, &person, at)?;
            sql.execute("DELETE FROM membership WHERE practice = ?1 AND person = ?2", values![practice, &person])?;
            append_in(sql, record).map(|_| Change::Done)
        })
        .await
}

fn role_in(sql: &Sql<'_>, practice: &str, person: &str) -> Result<Option<String>, StoreError> {
    sql.one("SELECT role FROM membership WHERE practice = ?1 AND person = ?2", values![practice, person], |row| {
        row.get(0)
    })
}

fn last_in(sql: &Sql<'_>, practice: &str, admin: &str) -> Result<bool, StoreError> {
    let count = "SELECT count(*) FROM membership WHERE practice = ?1 AND role = ?2";
    Ok(sql.one(count, values![practice, admin], |row| row.get::<i64>(0))?.unwrap_or(0) <= 1)
}

fn end_sessions_in(sql: &Sql<'_>, practice: &str, person: &str, at: i64) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE session SET ended_at = ?3 WHERE practice = ?1 AND person = ?2 AND ended_at IS NULL",
        values![practice, person, at],
    )?;
    Ok(())
}

/// Takes password, seed, recovery codes, known browsers and sessions from an account, and gives it an invitation.
///
/// # Errors
/// What the store says.
pub async fn reset(
    store: &Store,
    person: &str,
    invite: (Hash, i64),
    at: i64,
    records: Vec<Append>,
) -> Result<(), StoreError> {
    let person = person.to_owned();
    store
        .write(move |sql| {
            sql.execute(
                "UPDATE person SET password = NULL, totp = NULL, totp_draft = NULL, invite = ?2, invite_until = ?3
                 WHERE id = ?1",
                values![&person, &invite.0, invite.1],
            )?;
            sql.execute("DELETE FROM recovery_code WHERE person = ?1", values![&person])?;
            forget_everywhere(sql, &person, None, at)?;
            append_all(sql, records)
        })
        .await
}

/// Sets the password that an invitation allows; `false` when the invitation was used meanwhile.
///
/// # Errors
/// What the store says.
pub async fn accept_invite(
    store: &Store,
    person: &str,
    invite: Hash,
    password: Vec<u8>,
    records: Vec<Append>,
) -> Result<bool, StoreError> {
    let person = person.to_owned();
    store
        .write(move |sql| {
            let changed = sql.execute(
                "UPDATE person SET password = ?3, invite = NULL, invite_until = 0 WHERE id = ?1 AND invite = ?2",
                values![&person, &invite, &password],
            )?;
            if changed == 1 {
                append_all(sql, records)?;
            }
            Ok(changed == 1)
        })
        .await
}

/// Sets another password; all sessions but the one with hash `keep` end, and known browsers are forgotten.
///
/// # Errors
/// What the store says.
pub async fn set_password(
    store: &Store,
    person: &str,
    password: Vec<u8>,
    keep: Hash,
    at: i64,
    records: Vec<Append>,
) -> Result<(), StoreError> {
    let person = person.to_owned();
    store
        .write(move |sql| {
            sql.execute("UPDATE person SET password = ?2 WHERE id = ?1", values![&person, &password])?;
            forget_everywhere(sql, &person, Some(&keep), at)?;
            append_all(sql, records)
        })
        .await
}

/// Keeps a seed that is not confirmed yet.
///
/// # Errors
/// What the store says.
pub async fn draft_totp(store: &Store, person: &str, sealed: Vec<u8>) -> Result<(), StoreError> {
    let person = person.to_owned();
    store
        .write(move |sql| {
            sql.execute("UPDATE person SET totp_draft = ?2 WHERE id = ?1", values![&person, &sealed])?;
            Ok(())
        })
        .await
}

/// Counts a sign-in for an account that does not exist.
///
/// # Errors
/// What the store says.
pub async fn count_unknown(store: &Store, day: i64) -> Result<(), StoreError> {
    store
        .write(move |sql| {
            sql.execute(
                "INSERT INTO sign_in_unknown(day, refused) VALUES (?1, 1)
                 ON CONFLICT(day) DO UPDATE SET refused = sign_in_unknown.refused + 1",
                values![day],
            )?;
            Ok(())
        })
        .await
}

/// Sign-ins refused on this day for accounts that do not exist.
///
/// # Errors
/// What the store says.
pub async fn unknown_on(store: &Store, day: i64) -> Result<i64, StoreError> {
    let count = move |sql: &Sql<'_>| {
        sql.one("SELECT refused FROM sign_in_unknown WHERE day = ?1", values![day], |row| row.get(0))
    };
    Ok(store.read(count).await?.unwrap_or(0))
}

/// Whether the person signed in from this browser before; and whether anybody did.
///
/// # Errors
/// What the store says.
pub async fn knows_device(store: &Store, person: &str, device: Hash) -> Result<(bool, bool), StoreError> {
    let person = person.to_owned();
    store
        .read(move |sql| {
            let own = "SELECT seen_at FROM known_device WHERE person = ?1 AND hash = ?2";
            let own = sql.one(own, values![&person, &device], |row| row.get::<i64>(0))?.is_some();
            let any = "SELECT seen_at FROM known_device WHERE hash = ?1 LIMIT 1";
            let any = own || sql.one(any, values![&device], |row| row.get::<i64>(0))?.is_some();
            Ok((own, any))
        })
        .await
}

/// Remembers a browser, and forgets the oldest beyond the bound.
pub(super) fn remember_device_in(sql: &Sql<'_>, person: &str, device: &Hash, at: i64) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO known_device(person, hash, seen_at) VALUES (?1, ?2, ?3)
         ON CONFLICT(person, hash) DO UPDATE SET seen_at = excluded.seen_at",
        values![person, device, at],
    )?;
    sql.execute(
        "DELETE FROM known_device WHERE person = ?1 AND hash NOT IN
         (SELECT d.hash FROM known_device d WHERE d.person = ?1 ORDER BY d.seen_at DESC, d.hash LIMIT ?2)",
        values![person, DEVICES_MAX],
    )?;
    Ok(())
}

fn forget_everywhere(sql: &Sql<'_>, person: &str, keep: Option<&Hash>, at: i64) -> Result<(), StoreError> {
    sql.execute("DELETE FROM known_device WHERE person = ?1", values![person])?;
    sql.execute(
        "UPDATE session SET ended_at = ?3 WHERE person = ?1 AND ended_at IS NULL AND (?2 IS NULL OR hash <> ?2)",
        values![person, keep, at],
    )?;
    Ok(())
}

pub(super) fn append_all(sql: &Sql<'_>, records: Vec<Append>) -> Result<(), StoreError> {
    for record in records {
        append_in(sql, record)?;
    }
    Ok(())
}

/// Memberships of a person, oldest first.
pub(super) fn memberships_in(sql: &Sql<'_>, person: &str) -> Result<Vec<MembershipRow>, StoreError> {
    sql.all(
        &format!(
            "SELECT {MEMBERSHIP} FROM membership m JOIN practice o ON o.id = m.practice
             WHERE m.person = ?1 ORDER BY m.created_at, m.practice LIMIT 1000"
        ),
        values![person],
        |row| membership_row(row, 0),
    )
}

pub(super) fn person_in(sql: &Sql<'_>, id: &str) -> Result<Option<PersonRow>, StoreError> {
    sql.one(&format!("SELECT {PERSON} FROM person p WHERE p.id = ?1"), values![id], person_row)
}

fn found(sql: &Sql<'_>, query: &str, by: &str) -> Result<Option<(PersonRow, Vec<MembershipRow>)>, StoreError> {
    let Some(person) = sql.one(query, values![by], person_row)? else { return Ok(None) };
    let memberships = memberships_in(sql, &person.id)?;
    Ok(Some((person, memberships)))
}

fn person_row(row: &Row<'_>) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        id: row.get(0)?,
        email: row.get(1)?,
        password: row.get(2)?,
        second_factor: row.get::<i64>(3)? != 0,
        totp: row.get(4)?,
        totp_draft: row.get(5)?,
        totp_step: row.get(6)?,
        created_at: row.get(7)?,
    })
}

fn membership_row(row: &Row<'_>, at: usize) -> Result<MembershipRow, StoreError> {
    Ok(MembershipRow {
        practice: PracticeId::new(row.get::<String>(at)?),
        practice_name: row.get(at + 1)?,
        person: row.get(at + 2)?,
        name: row.get(at + 3)?,
        role: row.get(at + 4)?,
        created_at: row.get(at + 5)?,
    })
}

/// Records alone, all of them in one transaction.
///
/// # Errors
/// What the store says.
pub async fn record_all(store: &Store, records: Vec<Append>) -> Result<(), StoreError> {
    store.write(move |sql| append_all(sql, records)).await
}

/// After the data was put back: what was used up or ended since must not come to life again. Sessions end, invitations
/// are void, one-time codes up to `step` count as used. Passwords and recovery codes stay: nobody could sign in else.
pub(super) fn doubt_all_in(sql: &Sql<'_>, step: u64, at: i64) -> Result<(), StoreError> {
    let step = i64::try_from(step).map_err(|_| StoreError::Damaged { what: "the clock is out of range" })?;
    sql.execute("UPDATE session SET ended_at = ?1 WHERE ended_at IS NULL", values![at])?;
    sql.execute("UPDATE person SET totp_step = ?1 WHERE totp_step < ?1", values![step])?;
    sql.execute("UPDATE person SET invite_until = ?1 WHERE invite_until > ?1", values![at]).map(|_| ())
}
