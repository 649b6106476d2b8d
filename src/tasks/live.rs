//! The waiting side: a prompt that something waits for, from its first moment to its end.

use std::sync::Arc;

use connector_sdk::error::OurId;
use connector_sdk::{BoxFuture, Error, ErrorKind, Prompt, Result, Retry};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Live, Said, Tasks};
use crate::store;
use crate::store::tasks::TaskRow;
use crate::trail::{Actor, TrailRecord};
use crate::vault;
use crate::wire::{Answer, Raised, Relay, waits_for_person};

/// A place in the list of what is waited for; the task is closed as `gone` when it is dropped early.
struct Waiting {
    tasks: Arc<Tasks>,
    row: TaskRow,
    closed: bool,
    /// Dropped last: whoever waits for the task's end hears of it.
    ended: Option<watch::Sender<()>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (tasks, row, ended) = (Arc::clone(&self.tasks), self.row.clone(), self.ended.take());
        // Without a runtime the process is ending: the next start closes it.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.closed => {
                // The place is given on when the store has it as closed, and not before: it lets one be open.
                runtime.spawn(async move {
                    if let Err(error) = tasks.end(&row, "gone", None).await {
                        tracing::warn!(task = row.id, %error, "A task that nothing waits for could not be closed; the next start does.");
                    }
                    tasks.forget(&row);
                    drop(ended);
                });
            }
            _ => tasks.forget(&row),
        }
    }
}

/// What [`Tasks`] hands to the wire.
pub(super) struct Line(pub(super) Arc<Tasks>);

impl Relay for Line {
    fn ask<'a>(&'a self, raised: Raised, prompt: Prompt) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(self.0.raise(raised, prompt))
    }

    fn open(&self, credential_id: &str) -> Option<OurId> {
        self.0.open_id(credential_id)
    }
}

impl Tasks {
    /// The tasks as the wire sees them.
    pub fn relay(self: &Arc<Self>) -> Arc<dyn Relay> {
        Arc::new(Line(Arc::clone(self)))
    }

    /// The open task of a credential.
    pub fn open_id(&self, credential_id: &str) -> Option<OurId> {
        self.live().get(credential_id).map(|live| OurId(live.id.as_u128()))
    }

    fn forget(&self, row: &TaskRow) {
        let mut live = self.live();
        if live.get(&row.credential).is_some_and(|live| live.is(row)) {
            live.remove(&row.credential);
        }
    }

    async fn raise(self: &Arc<Self>, raised: Raised, prompt: Prompt) -> Result<Answer> {
        let prompt = Arc::new(prompt);
        let (mut waiting, mut hearing) = loop {
            match self.place(&raised, &prompt) {
                Ok(placed) => break placed,
                Err((task, mut other)) => {
                    let over = tokio::time::timeout_at(raised.until, other.changed()).await.is_ok();
                    if !over || Instant::now() >= raised.until {
                        return Err(waits_for_person(task));
                    }
                    if !raised.sign_in {
                        return Err(Error::new(
                            ErrorKind::CarrierUnavailable,
                            "Another question's page for a person was dealt with meanwhile; the question begins anew.",
                        )
                        .retry(Retry::Safe));
                    }
                }
            }
        };
        let record = TrailRecord::new(&waiting.row.practice, &Actor::gateway(), "task.opened")
            .carrier(&waiting.row.carrier)
            .credential(&waiting.row.credential)
            .subject(&waiting.row.id);
        let opened = store::tasks::open(&self.store, waiting.row.clone(), self.trail.link(record)).await;
        if let Err(error) = opened {
            waiting.closed = true;
            return Err(error.into());
        }
        tracing::info!(
            carrier = waiting.row.carrier,
            credential = waiting.row.credential,
            task = waiting.row.id,
            kind = waiting.row.kind,
            "A carrier asks something of a person."
        );
        let said = match tokio::time::timeout_at(raised.until, &mut hearing).await {
            Ok(said) => said.ok(),
            Err(_) => self.out_of_time(&mut waiting, hearing).await?,
        };
        waiting.closed = said.is_some();
        match said {
            Some(Said::Answered(answer)) => Ok(answer),
            Some(Said::Dismissed) => {
                Err(unanswered(&waiting.row, "Somebody said that nobody will answer it.", "dismissed"))
            }
            None => Err(unanswered(&waiting.row, "Nobody answered it.", "gone")),
        }
    }

    /// The countdown has ended: the task is closed, unless somebody answers it in this moment.
    async fn out_of_time(&self, waiting: &mut Waiting, hearing: oneshot::Receiver<Said>) -> Result<Option<Said>> {
        if self.end(&waiting.row, "expired", None).await? {
            waiting.closed = true;
            return Err(unanswered(&waiting.row, "Nobody answered it in time.", "expired"));
        }
        Ok(hearing.await.ok())
    }

    /// Takes the one place of this credential; else the task that has it, and how to hear of its end.
    fn place(
        self: &Arc<Self>,
        raised: &Raised,
        prompt: &Arc<Prompt>,
    ) -> std::result::Result<(Waiting, oneshot::Receiver<Said>), (OurId, watch::Receiver<()>)> {
        let mut live = self.live();
        if let Some(other) = live.get(&raised.credential_id) {
            return Err((OurId(other.id.as_u128()), other.ended.clone()));
        }
        let (sender, hearing) = oneshot::channel();
        let (ended, end) = watch::channel(());
        let id = Uuid::now_v7();
        let row = row(raised, prompt, id);
        let placed =
            Live { practice: row.practice.clone(), id, prompt: Arc::clone(prompt), sender: Some(sender), ended: end };
        live.insert(raised.credential_id.clone(), placed);
        drop(live);
        Ok((Waiting { tasks: Arc::clone(self), row, closed: false, ended: Some(ended) }, hearing))
    }
}

fn row(raised: &Raised, prompt: &Prompt, id: Uuid) -> TaskRow {
    let now = store::now();
    let left = raised.until.saturating_duration_since(Instant::now());
    TaskRow {
        practice: vault::owner(&raised.practice, &raised.carrier),
        id: id.to_string(),
        kind: prompt.kind.word().to_owned(),
        carrier: raised.carrier.id.clone(),
        credential: raised.credential_id.clone(),
        again: prompt.again,
        state: "open".to_owned(),
        opened_at: now,
        expires_at: now.saturating_add(i64::try_from(left.as_micros()).unwrap_or(i64::MAX)),
        closed_at: None,
        closed_by: None,
    }
}

fn unanswered(row: &TaskRow, message: &'static str, how: &'static str) -> Error {
    let id = Uuid::parse_str(&row.id).map(|id| id.as_u128()).unwrap_or_default();
    Error::new(ErrorKind::NeedsPerson, message).fact("task", OurId(id)).fact("ended", how)
}
