//! Cookies to sessions. A session belongs to one person in one practice, ends after fifteen minutes without use and after
//! twelve hours at the latest, and gets a new cookie whenever it may do more than before.

use std::fmt;

use jiff::Timestamp;
use ring::hmac;
use schemars::JsonSchema;
use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::people::role;
use super::token::{self, Hash};
use super::{AuthError, Caller, Identity, Role, Scope};
use crate::practice::PracticeId;
use crate::store::people::MembershipRow;
use crate::store::sessions::{self, Found, SessionRow};
use crate::store::{self, StoreError};
use crate::trail::{Actor, TrailRecord};

const MICROS: i64 = 1_000_000;
/// A session that is not used for so long has ended.
pub(super) const IDLE_MICROS: i64 = 15 * 60 * MICROS;
/// A session ends after so long at the latest.
pub(super) const ABSOLUTE_MICROS: i64 = 12 * 3_600 * MICROS;
/// A sign-in that waits for its second factor ends after so long.
pub(super) const PENDING_MICROS: i64 = 10 * 60 * MICROS;
/// Use is noted this often, so that reading does not write each time.
const TOUCH_MICROS: i64 = 30 * MICROS;
/// Sessions on one list.
const LIST_MAX: u32 = 1_000;

/// How far a person has proven who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The password was right; a one-time code must follow.
    CodeNeeded,
    /// The password was right; one-time codes must be set up before anything else.
    EnrolNeeded,
    /// The password was enough: an account without a second factor, as the demo has one.
    Password,
    /// Password and one-time code.
    Totp,
    /// Password and recovery code.
    Recovery,
}

impl Level {
    const ALL: [Level; 5] = [Self::CodeNeeded, Self::EnrolNeeded, Self::Password, Self::Totp, Self::Recovery];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::CodeNeeded => "code_needed",
            Self::EnrolNeeded => "enrol_needed",
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// Whether the sign-in is complete.
    pub fn is_full(self) -> bool {
        matches!(self, Self::Password | Self::Totp | Self::Recovery)
    }
}

/// A practice that a person belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Membership {
    /// Its id.
    pub practice: String,
    /// What people call it.
    pub name: String,
    /// What the person is there.
    pub role: Role,
}

/// A session in use.
pub struct Session {
    /// What people see and revoke by.
    pub id: String,
    /// The person's id.
    pub person: String,
    /// The address they signed in with.
    pub email: String,
    /// What the practice calls them.
    pub name: String,
    /// In which practice the session is.
    pub practice: PracticeId,
    /// What the person is there, now.
    pub role: Role,
    /// How far they have proven who they are.
    pub level: Level,
    /// When the session ends without further use.
    pub idle_until: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// All practices of the person.
    pub memberships: Vec<Membership>,
    /// What a page sends along with whatever changes something; only who holds the cookie can read it.
    pub csrf: Zeroizing<String>,
    pub(super) hash: Hash,
    pub(super) found: Found,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("level", &self.level).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn of(cookie: &str, found: Found) -> Result<Self, StoreError> {
        let (row, person, rows) = &found;
        let own = rows.iter().find(|one| one.practice == row.practice).ok_or(StoreError::Conflict)?;
        let level = Level::from_word(&row.level);
        Ok(Self {
            id: row.id.clone(),
            person: row.person.clone(),
            email: person.email.clone(),
            name: own.name.clone(),
            practice: row.practice.clone(),
            role: role(&own.role)?,
            level: level.ok_or(StoreError::Damaged { what: "a session has an unknown level" })?,
            idle_until: time(row.seen_at.saturating_add(IDLE_MICROS).min(row.expires_at))?,
            expires_at: time(row.expires_at)?,
            memberships: rows.iter().map(membership).collect::<Result<_, _>>()?,
            csrf: csrf(cookie),
            hash: token::hash(cookie),
            found,
        })
    }

    /// The caller that this session is; `None` while its sign-in is not complete.
    pub fn caller(&self) -> Option<Caller> {
        let full = self.level.is_full();
        full.then(|| Caller::person(self.practice.clone(), self.person.clone(), self.role, self.level))
    }

    /// The person as the trail names them.
    pub fn actor(&self) -> Actor {
        Actor::person(&self.person, self.role.word(), self.level.word())
    }

    /// Whether `token` is the one that this session's pages send along.
    pub fn csrf_is(&self, token: &str) -> bool {
        token.as_bytes().ct_eq(self.csrf.as_bytes()).into()
    }
}

/// Bound to the cookie and not stored: who cannot read the cookie cannot make it, and it changes with it.
fn csrf(cookie: &str) -> Zeroizing<String> {
    use base64::Engine;
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    let tag = hmac::sign(&key, b"portico csrf v1");
    Zeroizing::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

fn membership(row: &MembershipRow) -> Result<Membership, StoreError> {
    let practice = row.practice.as_str().to_owned();
    Ok(Membership { practice, name: row.practice_name.clone(), role: role(&row.role)? })
}

/// A session as people see it on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionInfo {
    /// Its id; `DELETE /v1/sessions/{id}` ends it.
    pub id: String,
    /// The person's id.
    pub person: String,
    /// How far they have proven who they are.
    pub level: Level,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, within half a minute.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

pub(super) fn time(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| StoreError::Damaged { what: "a time is out of range" })
}

/// Whether a session runs at `now`.
fn runs(row: &SessionRow, now: i64) -> bool {
    row.ended_at.is_none() && now < row.expires_at && now < row.seen_at.saturating_add(IDLE_MICROS)
}

impl Identity {
    /// The session of a cookie, and notes that it is in use.
    ///
    /// # Errors
    /// [`AuthError::NoSession`] when there is none, it has ended, or the person has left the practice.
    pub async fn session(&self, cookie: &str) -> Result<Session, AuthError> {
        if !token::fits(cookie) {
            return Err(AuthError::NoSession);
        }
        let (hash, now) = (token::hash(cookie), store::now());
        let found = sessions::by_hash(&self.store, hash).await.map_err(AuthError::Store)?;
        let Some(found) = found.filter(|(row, ..)| runs(row, now)) else { return Err(AuthError::NoSession) };
        if found.0.seen_at.saturating_add(TOUCH_MICROS) < now {
            sessions::touch(&self.store, hash, now).await.map_err(AuthError::Store)?;
        }
        Session::of(cookie, found).map_err(|error| match error {
            StoreError::Conflict => AuthError::NoSession,
            other => AuthError::Store(other),
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sign_out(&self, session: &Session) -> Result<(), Declined> {
        let record = TrailRecord::new(&session.practice, &session.actor(), "session.ended").subject(&session.id);
        sessions::end(&self.store, session.hash, store::now(), self.trail.link(record)).await?;
        Ok(())
    }

    /// Sessions in the caller's practice: the caller's own, or all of them with [`Scope::Admin`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Declined> {
        let own = if caller.may(Scope::Admin) { None } else { Some(caller.id()) };
        let now = store::now();
        let rows = sessions::list(&self.store, caller.practice(), own, now, LIST_MAX).await?;
        let info = |row: SessionRow| -> Result<SessionInfo, StoreError> {
            let level = Level::from_word(&row.level);
            Ok(SessionInfo {
                id: row.id,
                person: row.person,
                level: level.ok_or(StoreError::Damaged { what: "a session has an unknown level" })?,
                created_at: time(row.created_at)?,
                seen_at: time(row.seen_at)?,
                expires_at: time(row.expires_at)?,
            })
        };
        Ok(rows.into_iter().filter(|row| runs(row, now)).map(info).collect::<Result<_, _>>()?)
    }

    /// Ends a session in the caller's practice, at once: one of the caller's own, or any with [`Scope::Admin`].
    ///
    /// # Errors
    /// [`Declined::NotFound`], or what the store says.
    pub async fn revoke_session(&self, caller: &Caller, id: &str) -> Result<(), Declined> {
        let own = if caller.may(Scope::Admin) { None } else { Some(caller.id()) };
        let record = TrailRecord::new(caller.practice(), &caller.actor(), "session.revoked").subject(id);
        let record = self.trail.link(record);
        match sessions::revoke(&self.store, caller.practice(), id, own, store::now(), record).await? {
            true => Ok(()),
            false => Err(Declined::NotFound),
        }
    }
}
