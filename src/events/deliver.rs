//! Deliveries: in order for each webhook, at least once, signed. A receiver that fails is left alone for longer and
//! longer, and after three days until somebody switches it on again; nothing is skipped.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;

use super::webhooks::{Webhooks, bound_to};
use super::{Event, page, sign};
use crate::store::webhooks::{self as rows, Progress, WebhookRow};
use crate::store::{self, StoreError};
use crate::trail::{Actor, Purpose};
use crate::wire::Notifier;

/// How often the books are looked at when nobody says that something happened.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Webhooks that are served at the same time.
const AT_ONCE: usize = 8;
/// Webhooks taken up in one turn.
const TURN: u32 = 64;
/// Events delivered to one webhook in its turn; then others are served.
const EVENTS_A_TURN: u32 = 20;
/// Pauses after failures, seconds: the schedule that Standard Webhooks suggests.
const PAUSES: [i64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];
/// A webhook that failed for so long is switched off, microseconds.
const GIVE_UP_AFTER: i64 = 3 * 24 * 3_600 * 1_000_000;
/// The receiver says that nobody is there any more.
const GONE: u16 = 410;

impl Webhooks {
    /// Delivers until it is dropped. Spawn it once.
    pub async fn deliver(self: Arc<Self>) {
        loop {
            match rows::due(&self.store, store::now(), TURN).await {
                Ok(due) => {
                    let turns = due.into_iter().map(|webhook| self.turn(webhook));
                    stream::iter(turns).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
                }
                Err(error) => tracing::warn!(error = %error, "webhooks cannot be looked up"),
            }
            // Somebody who switches one on need not wait.
            let _ = tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await;
        }
    }

    /// One webhook's turn. A store that cannot write means that the same event is delivered once more.
    async fn turn(&self, webhook: WebhookRow) {
        let id = webhook.id.clone();
        if let Err(error) = self.try_turn(webhook).await {
            tracing::warn!(webhook = %id, error = %error, "a webhook's turn was cut short");
        }
    }

    async fn try_turn(&self, mut webhook: WebhookRow) -> Result<(), StoreError> {
        let page = page(&self.store, &webhook.practice, webhook.cursor, EVENTS_A_TURN).await?;
        for event in page.events.iter().filter(|event| wanted(&webhook.kinds, &event.kind)) {
            match self.post(&webhook, event).await {
                Ok(status) if (200..300).contains(&status) => {
                    let now = store::now();
                    webhook.cursor = event.number;
                    webhook.failures = 0;
                    let done = Progress {
                        cursor: event.number,
                        next_at: now,
                        last_status: Some(status.into()),
                        delivered_at: Some(now),
                        ..Progress::default()
                    };
                    rows::progress(&self.store, &webhook.practice, &webhook.id, done).await?;
                }
                failed => return self.failed(&webhook, failed.ok()).await,
            }
        }
        if page.next > webhook.cursor {
            let passed = Progress { cursor: page.next, next_at: store::now(), ..Progress::default() };
            rows::progress(&self.store, &webhook.practice, &webhook.id, passed).await?;
        }
        Ok(())
    }

    async fn failed(&self, webhook: &WebhookRow, status: Option<u16>) -> Result<(), StoreError> {
        let now = store::now();
        let since = webhook.failing_since.filter(|_| webhook.failures > 0).unwrap_or(now);
        let pause = PAUSES.get(webhook.failures as usize).or(PAUSES.last()).copied().unwrap_or(5);
        let progress = Progress {
            cursor: webhook.cursor,
            failures: webhook.failures.saturating_add(1),
            failing_since: Some(since),
            next_at: now.saturating_add(pause.saturating_mul(1_000_000)),
            last_status: status.map(i64::from),
            delivered_at: None,
        };
        rows::progress(&self.store, &webhook.practice, &webhook.id, progress).await?;
        if status == Some(GONE) || now.saturating_sub(since) > GIVE_UP_AFTER {
            tracing::warn!(webhook = %webhook.id, "a webhook that fails is switched off");
            let (practice, by) = (&webhook.practice, Actor::gateway());
            self.set(practice, &webhook.id, "disabled", "webhook.disabled", &by).await?;
        }
        Ok(())
    }

    async fn post(&self, webhook: &WebhookRow, event: &Event) -> connector_sdk::Result<u16> {
        let unusable = || connector_sdk::Error::new(connector_sdk::ErrorKind::Internal, "The secret does not open.");
        let bound = bound_to(&webhook.practice, &webhook.id);
        let secret = self.sealer.open(Purpose::Webhooks, &bound, &webhook.sealed).map_err(|_| unusable())?;
        let secret = std::str::from_utf8(&secret).map_err(|_| unusable())?;
        let timestamp = jiff::Timestamp::now().as_second();
        let body = json!({ "type": event.kind, "timestamp": event.timestamp, "data": event.data }).to_string();
        let signature = sign::signature(secret, &event.id, timestamp, body.as_bytes()).ok_or_else(unusable)?;
        let headers = [
            ("webhook-id", event.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        // Made anew for each delivery: an address that points elsewhere by now is resolved and judged again.
        Notifier::new(&webhook.url, &self.allow_private)?.post(&headers, body.into_bytes()).await
    }
}

fn wanted(kinds: &str, kind: &str) -> bool {
    let mut named = kinds.split_whitespace().peekable();
    named.peek().is_none() || named.any(|named| kind == named || (named.ends_with('.') && kind.starts_with(named)))
}
