//! Webhooks: making, listing, switching them on and off. A secret is shown once, when it is made.

use std::fmt;
use std::sync::Arc;

use connector_sdk::{Error, ErrorKind};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{TOLD, sign};
use crate::practice::PracticeId;
use crate::store::webhooks::{self as rows, WebhookRow};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Purpose, SealBroken, Sealer, Trail, TrailRecord, bind};
use crate::wire::Notifier;

/// Most webhooks of one practice.
const WEBHOOKS_MAX: u32 = 20;
/// Longest address, bytes.
const URL_MAX: usize = 2_000;
/// Most kinds of events that one names.
const KINDS_MAX: usize = 20;

/// A webhook as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WebhookInfo {
    /// Its id.
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// The kinds of events, or their beginnings (`submission.`); none: all.
    pub kinds: Vec<String>,
    /// `active`; `disabled`: it failed for days, or somebody switched it off. It goes on where it stopped.
    pub state: String,
    /// Failed deliveries one after the other.
    pub failures: u32,
    /// HTTP status of the last reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<i64>,
    /// When something was last delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A new webhook, with its secret: the only time that is seen.
#[derive(Serialize, JsonSchema)]
pub struct NewWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookInfo,
    /// `whsec_…`: what deliveries are signed with. Keep it; it is not shown again.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    pub secret: Zeroizing<String>,
}

/// The one place where a secret is written out: the answer to whoever had it made.
fn shown<S: serde::Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

/// Why a webhook was not made.
#[derive(Debug)]
pub enum NotMade {
    /// What is wrong with its address.
    Url(String),
    /// What is wrong with its kinds.
    Kinds(String),
    /// The practice has as many as it may.
    TooMany,
    /// What the store or the vault says.
    Failed(Error),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The webhooks of all practices, and their deliveries (see [`Webhooks::deliver`]).
pub struct Webhooks {
    pub(super) store: Arc<Store>,
    pub(super) trail: Arc<Trail>,
    pub(super) sealer: Arc<dyn Sealer>,
    /// Networks inside the house that may be posted to.
    pub(super) allow_private: Vec<String>,
    pub(super) wake: Notify,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks")
    }
}

impl Webhooks {
    /// The webhooks in this store. `allow_private` are networks that deliveries may go to although they are private.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>, sealer: Arc<dyn Sealer>, allow_private: Vec<String>) -> Arc<Self> {
        Arc::new(Self { store, trail, sealer, allow_private, wake: Notify::new() })
    }

    /// Makes a webhook. Events from now on are delivered to it.
    ///
    /// # Errors
    /// [`NotMade`].
    pub async fn make(
        &self,
        practice: &PracticeId,
        url: &str,
        kinds: &[String],
        by: &Actor,
    ) -> Result<NewWebhook, NotMade> {
        self.check_url(url)?;
        check_kinds(kinds)?;
        let no_numbers = || NotMade::Failed(Error::new(ErrorKind::Internal, "The system gives no random numbers."));
        let secret = sign::new_secret().ok_or_else(no_numbers)?;
        let id = format!("wh_{}", Uuid::now_v7().simple());
        let sealed = self.sealer.seal_for(practice, Purpose::Webhooks, &bound_to(practice, &id), secret.as_bytes());
        let row = WebhookRow {
            practice: practice.clone(),
            id: id.clone(),
            url: url.to_owned(),
            kinds: kinds.join(" "),
            sealed: sealed.map_err(|SealBroken| no_numbers())?,
            state: "active".to_owned(),
            cursor: 0,
            failures: 0,
            failing_since: None,
            next_at: 0,
            last_status: None,
            delivered_at: None,
            created_at: store::now(),
        };
        let webhook = info(&row);
        let record = self.trail.link(TrailRecord::new(practice, by, "webhook.made").subject(&id));
        if !rows::add(&self.store, row, WEBHOOKS_MAX, record).await? {
            return Err(NotMade::TooMany);
        }
        Ok(NewWebhook { webhook, secret })
    }

    /// A practice's webhooks, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, practice: &PracticeId) -> Result<Vec<WebhookInfo>, StoreError> {
        Ok(rows::list(&self.store, practice).await?.iter().map(info).collect())
    }

    /// Switches a webhook on again, where it stopped; `false` when there is none that is off.
    ///
    /// # Errors
    /// What the store says.
    pub async fn enable(&self, practice: &PracticeId, id: &str, by: &Actor) -> Result<bool, StoreError> {
        let changed = self.set(practice, id, "active", "webhook.enabled", by).await?;
        self.wake.notify_one();
        Ok(changed)
    }

    /// Takes a webhook away; `false` when there is none.
    ///
    /// # Errors
    /// What the store says.
    pub async fn delete(&self, practice: &PracticeId, id: &str, by: &Actor) -> Result<bool, StoreError> {
        self.set(practice, id, "deleted", "webhook.deleted", by).await
    }

    pub(super) async fn set(
        &self,
        practice: &PracticeId,
        id: &str,
        state: &'static str,
        action: &'static str,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        let record = self.trail.link(TrailRecord::new(practice, by, action).subject(id));
        rows::set_state(&self.store, practice, id, state, store::now(), record).await
    }

    fn check_url(&self, url: &str) -> Result<(), NotMade> {
        if url.len() > URL_MAX {
            return Err(NotMade::Url(format!("an address may have {URL_MAX} bytes at most")));
        }
        Notifier::new(url, &self.allow_private).map(|_| ()).map_err(|error| NotMade::Url(error.message.to_owned()))
    }
}

fn check_kinds(kinds: &[String]) -> Result<(), NotMade> {
    if kinds.len() > KINDS_MAX {
        return Err(NotMade::Kinds(format!("{KINDS_MAX} kinds at most; leave it out for all")));
    }
    let known = |kind: &&String| {
        !kind.contains(' ') && TOLD.iter().any(|told| kind.starts_with(told) || (told.ends_with('.') && *told == *kind))
    };
    match kinds.iter().find(|kind| !known(kind)) {
        None => Ok(()),
        Some(_) => Err(NotMade::Kinds(format!("a kind begins with one of {}", TOLD.join(", ")))),
    }
}

/// What a webhook's secret is sealed for.
pub(super) fn bound_to(practice: &PracticeId, id: &str) -> Vec<u8> {
    bind(&[b"webhook v1", practice.as_str().as_bytes(), id.as_bytes()])
}

fn info(row: &WebhookRow) -> WebhookInfo {
    WebhookInfo {
        id: row.id.clone(),
        url: row.url.clone(),
        kinds: row.kinds.split_whitespace().map(str::to_owned).collect(),
        state: row.state.clone(),
        failures: row.failures,
        last_status: row.last_status,
        delivered_at: row.delivered_at.map(store::time),
        created_at: store::time(row.created_at),
    }
}
