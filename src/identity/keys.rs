//! Making, checking and revoking API keys.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::practice::PracticeId;
use crate::store::keys::{self, KeyRow, PracticeRow};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Trail, TrailRecord};

/// What every key starts with, so that one that leaks is found by scanners.
const PREFIX: &str = "pk_live_";
/// Characters after the prefix: 32 bytes in Base64.
const SECRET_CHARS: usize = 43;
/// Keys remembered as checked. More keys than this are looked up each time.
const REMEMBERED_MAX: usize = 10_000;
/// Longest label.
const LABEL_CHARS_MAX: usize = 100;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

/// Who asks. Made by [`Identity::authenticate`] only, so that a practice in hand is a practice that was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    practice: PracticeId,
    key_id: String,
    scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Whose question it is.
    pub fn practice(&self) -> &PracticeId {
        &self.practice
    }

    /// The key that was used.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whether the caller may do this. No scope includes another.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The caller as the trail names it.
    pub fn actor(&self) -> Actor {
        Actor::key(&self.key_id)
    }

    /// The command line acting for a practice: whoever can read the data directory and the key file.
    pub fn command_line(practice: PracticeId) -> Self {
        Self { practice, key_id: "command_line".to_owned(), scopes: Scope::ALL.into_iter().collect() }
    }
}

/// Why a caller is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// There is no `Authorization: Bearer …`.
    Missing,
    /// There is no such key, or it was revoked: the caller is not told which.
    Unknown,
    /// What the store says.
    Store(StoreError),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("An API key is needed: `Authorization: Bearer pk_live_…`."),
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    pub revoked_at: Option<Timestamp>,
}

type Hash = [u8; 32];

/// Practices and their keys.
pub struct Identity {
    store: Arc<Store>,
    trail: Arc<Trail>,
    /// Keys that were checked, by their hash: a look-up in the store would cost more than the answer from the cache.
    remembered: RwLock<HashMap<Hash, Caller>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Practices and keys in this store; what changes is recorded in the trail.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>) -> Arc<Self> {
        Arc::new(Self { store, trail, remembered: RwLock::new(HashMap::new()) })
    }

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
        Ok(practice)
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
        let mut bytes = Zeroizing::new([0_u8; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| StoreError::Damaged { what: "the system gives no random numbers" })?;
        let key = Zeroizing::new(format!("{PREFIX}{}", *Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))));
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
        keys::add(&self.store, row, hash(&key), self.trail.link(record)).await?;
        Ok(NewApiKey { id, key })
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
        self.remembered.write().unwrap_or_else(PoisonError::into_inner).retain(|_, caller| caller.key_id != id);
        Ok(revoked)
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
        let hash = hash(key);
        if let Some(caller) = self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(caller.clone());
        }
        let found = keys::by_hash(&self.store, hash).await.map_err(AuthError::Store)?;
        let (row, stored) = found.ok_or(AuthError::Unknown)?;
        if row.revoked_at.is_some() || !bool::from(stored.ct_eq(&hash)) {
            return Err(AuthError::Unknown);
        }
        let caller = Caller { practice: row.practice, key_id: row.id, scopes: scopes(&row.scopes) };
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
    key.strip_prefix(PREFIX).is_some_and(|secret| {
        secret.len() == SECRET_CHARS
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

fn hash(key: &str) -> Hash {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, key.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

fn scopes(words: &str) -> BTreeSet<Scope> {
    words.split(' ').filter_map(Scope::from_word).collect()
}

fn info(row: &KeyRow) -> ApiKeyInfo {
    let time = |microseconds| Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    ApiKeyInfo {
        id: row.id.clone(),
        label: row.label.clone(),
        scopes: scopes(&row.scopes).into_iter().collect(),
        created_at: time(row.created_at),
        revoked_at: row.revoked_at.map(time),
    }
}
