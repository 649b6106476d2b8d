//! Making, checking and revoking API keys.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::PoisonError;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::token::{self, Hash};
use super::{Caller, Identity, Level};
use crate::practice::PracticeId;
use crate::store::keys::{self, KeyRow, PracticeRow};
use crate::store::{self, StoreError};
use crate::trail::{Actor, TrailRecord};

/// What every key starts with, so that one that leaks is found by scanners.
const PREFIX: &str = "pk_live_";
/// Keys remembered as checked. More keys than this are looked up each time.
const REMEMBERED_MAX: usize = 10_000;
/// Longest label.
const LABEL_CHARS_MAX: usize = 100;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Ask carriers, read the answers.
    Ask,
    /// Read the bytes that were exchanged.
    Raw,
    /// Look at carriers.
    Carriers,
    /// Enter and enable credentials.
    Credentials,
    /// Hand in what has an effect at a carrier: authorizations, claims.
    Submit,
    /// Say what became of a submission whose fate nobody knows, and do what a carrier asks of a person.
    Resolve,
    /// Read the trail, make evidence packets.
    Trail,
    /// Make and revoke keys, look after people and webhooks.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Scope; 8] = [
        Self::Ask,
        Self::Raw,
        Self::Carriers,
        Self::Credentials,
        Self::Submit,
        Self::Resolve,
        Self::Trail,
        Self::Admin,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Raw => "raw",
            Self::Carriers => "carriers",
            Self::Credentials => "credentials",
            Self::Submit => "submit",
            Self::Resolve => "resolve",
            Self::Trail => "trail",
            Self::Admin => "admin",
        }
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// Why a caller is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// There is neither an `Authorization: Bearer …` nor a session cookie.
    Missing,
    /// There is no such key, or it was revoked: the caller is not told which.
    Unknown,
    /// The session has ended, or waits for a second factor.
    NoSession,
    /// What the store says.
    Store(StoreError),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => {
                f.write_str("Sign in (POST /v1/session), or send an API key: `Authorization: Bearer pk_live_…`.")
            }
            Self::NoSession => f.write_str("The session has ended, or its sign-in is not complete: sign in."),
            Self::Unknown => f.write_str("This API key is not valid."),
            Self::Store(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for AuthError {}

/// A new key. The only time its text is seen.
pub struct NewApiKey {
    /// Its id.
    pub id: String,
    /// Its text, `pk_live_…`. Show it once, store it nowhere.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ApiKeyInfo {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Identity {
    /// Adds the practice, or renames it. `id` is made of letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id is not one; else what the store says.
    pub async fn ensure_practice(&self, id: &str, name: &str) -> Result<PracticeId, StoreError> {
        let fits = !id.is_empty()
            && id.len() <= 64
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !fits {
            return Err(StoreError::Conflict);
        }
        let practice = PracticeId::new(id);
        let row = PracticeRow { id: practice.clone(), name: name.to_owned() };
        keys::ensure_practice(&self.store, row, store::now()).await?;
        self.trail.sealer().adopt(&practice).await?;
        Ok(practice)
    }

    /// The practice with this id; made, and called by its id, when it is not there.
    ///
    /// # Errors
    /// As [`Identity::ensure_practice`].
    pub async fn practice_or_new(&self, id: &str) -> Result<PracticeId, StoreError> {
        match keys::practices(&self.store).await?.into_iter().find(|row| row.id.as_str() == id) {
            Some(row) => Ok(row.id),
            None => self.ensure_practice(id, id).await,
        }
    }

    /// All practices with their names, for whoever runs the gateway. The gateway's own one is among them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn practices(&self) -> Result<Vec<(PracticeId, String)>, StoreError> {
        Ok(keys::practices(&self.store).await?.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is no such practice; else what the store says.
    pub async fn create_key(
        &self,
        practice: &PracticeId,
        label: &str,
        scopes: &[Scope],
        by: &Actor,
    ) -> Result<NewApiKey, StoreError> {
        let key = Zeroizing::new(format!("{PREFIX}{}", *token::fresh()?));
        let id = format!("key_{}", Uuid::now_v7().simple());
        let scopes: BTreeSet<Scope> = scopes.iter().copied().collect();
        let row = KeyRow {
            id: id.clone(),
            practice: practice.clone(),
            label: label.chars().filter(|c| !c.is_control()).take(LABEL_CHARS_MAX).collect(),
            scopes: scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" "),
            created_at: store::now(),
            revoked_at: None,
        };
        let record = TrailRecord::new(practice, by, "key.created").subject(&id);
        keys::add(&self.store, row, token::hash(&key), self.trail.link(record)).await?;
        Ok(NewApiKey { id, key })
    }

    /// Makes a key for the caller's practice, with no more rights than the caller has.
    ///
    /// # Errors
    /// [`Declined::MoreThanOwn`], or what the store says.
    pub async fn create_key_for(&self, caller: &Caller, label: &str, scopes: &[Scope]) -> Result<NewApiKey, Declined> {
        if !scopes.iter().all(|scope| caller.may(*scope)) {
            return Err(Declined::MoreThanOwn);
        }
        Ok(self.create_key(caller.practice(), label, scopes, &caller.actor()).await?)
    }

    /// A practice's keys, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list_keys(&self, practice: &PracticeId) -> Result<Vec<ApiKeyInfo>, StoreError> {
        Ok(keys::list(&self.store, practice).await?.iter().map(info).collect())
    }

    /// Revokes a key of the practice, at once; `false` when it has no such key, or it was revoked before.
    ///
    /// # Errors
    /// What the store says.
    pub async fn revoke_key(&self, practice: &PracticeId, id: &str, by: &Actor) -> Result<bool, StoreError> {
        let record = TrailRecord::new(practice, by, "key.revoked").subject(id);
        let revoked = keys::revoke(&self.store, practice, id, store::now(), self.trail.link(record)).await?;
        self.remembered.write().unwrap_or_else(PoisonError::into_inner).retain(|_, caller| caller.id() != id);
        Ok(revoked)
    }

    /// Who stands behind the id of a caller, for work that goes on after the request that began it; `None` when that
    /// caller may do nothing any more.
    ///
    /// # Errors
    /// What the store says.
    pub async fn standing(&self, practice: &PracticeId, id: &str) -> Result<Option<Caller>, StoreError> {
        let rows = keys::list(&self.store, practice).await?;
        if let Some(row) = rows.into_iter().find(|row| row.id == id && row.revoked_at.is_none()) {
            return Ok(Some(Caller::key(row.practice, row.id, scopes(&row.scopes))));
        }
        let person = self.people(practice).await?.into_iter().find(|person| person.id == id);
        Ok(person.map(|person| {
            // As they sign in: their session may have ended long ago.
            let level = if person.totp_set { Level::Totp } else { Level::Password };
            Caller::person(practice.clone(), person.id, person.role, level)
        }))
    }

    /// Who sends this `Authorization` header?
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn authenticate(&self, header: Option<&str>) -> Result<Caller, AuthError> {
        let key = header.and_then(bearer).ok_or(AuthError::Missing)?;
        if !looks_like_a_key(key) {
            return Err(AuthError::Unknown);
        }
        let hash = token::hash(key);
        if let Some(caller) = self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(caller.clone());
        }
        let found = keys::by_hash(&self.store, hash).await.map_err(AuthError::Store)?;
        let (row, stored) = found.ok_or(AuthError::Unknown)?;
        if row.revoked_at.is_some() || !bool::from(stored.ct_eq(&hash)) {
            return Err(AuthError::Unknown);
        }
        let caller = Caller::key(row.practice, row.id, scopes(&row.scopes));
        self.remember(hash, &caller).await?;
        Ok(caller)
    }

    /// Remembers a checked key, then looks once more: a revocation between look-up and remembering would be forgotten.
    async fn remember(&self, hash: Hash, caller: &Caller) -> Result<(), AuthError> {
        {
            let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() >= REMEMBERED_MAX {
                return Ok(());
            }
            remembered.insert(hash, caller.clone());
        }
        let found = keys::by_hash(&self.store, hash).await.map_err(AuthError::Store);
        if found.as_ref().is_ok_and(|found| found.as_ref().is_some_and(|(row, _)| row.revoked_at.is_none())) {
            return Ok(());
        }
        self.remembered.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        found.and(Err(AuthError::Unknown))
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

fn looks_like_a_key(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(token::fits)
}

fn scopes(words: &str) -> BTreeSet<Scope> {
    words.split(' ').filter_map(Scope::from_word).collect()
}

fn info(row: &KeyRow) -> ApiKeyInfo {
    ApiKeyInfo {
        id: row.id.clone(),
        label: row.label.clone(),
        scopes: scopes(&row.scopes).into_iter().collect(),
        created_at: store::time(row.created_at),
        revoked_at: row.revoked_at.map(store::time),
    }
}
