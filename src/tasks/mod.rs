//! What carriers ask of a person: a code sent by phone, a captcha, new terms, a forced change of the password.
//!
//! A connector that cannot go on without a person raises a prompt; it stands here as a task until somebody answers it,
//! somebody says that nobody will, its countdown ends, or what waits for it is gone.
//!
//! - **There is one open task for a credential at most, and one answer wins**: both are decided in the store, with their
//!   records, before anybody hears of it.
//! - **Answers are secrets**: from whoever enters one it goes to the wire and nowhere else. It is not stored, not recorded,
//!   not logged, and wiped from memory after use. What the carrier's page says is kept only as long as the task is open.
//! - What is waited for dies with the process: at the start, tasks left open are closed as `gone`.

mod live;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_sdk::{Prompt, PromptKind};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use view::{PictureView, TaskView};

use crate::identity::{Caller, Scope};
use crate::practice::PracticeId;
use crate::store::tasks::{Close, TaskFilter, TaskRow};
use crate::store::{self, Store, StoreError};
use crate::trail::{Actor, Trail, TrailRecord};
use crate::wire::Answer;

/// Tasks on one page at most.
pub const PAGE_MAX: u32 = 500;
/// Open tasks that are closed at once at the start.
const LEFT_OPEN_BATCH: u32 = 1_000;

/// The words for how a task stands.
pub const STATES: [&str; 5] = ["open", "answered", "dismissed", "expired", "gone"];

/// Who may answer what, beside [`Scope::Resolve`], which doing what carriers ask of a person always takes: what binds the
/// practice or changes its credential is for whoever keeps the credentials.
pub fn scope_to_answer(kind: PromptKind) -> Scope {
    match kind {
        PromptKind::SecondFactorCode | PromptKind::Captcha | PromptKind::Other => Scope::Resolve,
        PromptKind::Terms | PromptKind::PasswordChange => Scope::Credentials,
    }
}

/// Why an answer was not taken.
#[derive(Debug)]
pub enum NotAnswered {
    /// This practice has no such task.
    Nowhere,
    /// It is closed, with this word; or somebody is answering it in this moment (`answered`).
    Closed(String),
    /// Whoever answers this kind needs this scope.
    Scope(Scope),
    /// What waited for it ended in this moment; the answer went nowhere.
    Gone,
    /// What the store says; nothing was answered.
    Store(StoreError),
}

impl From<StoreError> for NotAnswered {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What whoever waits hears.
enum Said {
    Answered(Answer),
    Dismissed,
}

/// A task that something waits for.
struct Live {
    practice: PracticeId,
    id: Uuid,
    prompt: Arc<Prompt>,
    /// Taken by whoever answers.
    sender: Option<oneshot::Sender<Said>>,
    /// Closed when the task is.
    ended: watch::Receiver<()>,
}

/// All tasks. Cheap to share; build it once.
pub struct Tasks {
    store: Arc<Store>,
    trail: Arc<Trail>,
    /// By credential.
    live: Mutex<HashMap<String, Live>>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tasks")
    }
}

impl Tasks {
    /// The tasks in this store; each step of one is recorded in the trail.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>) -> Arc<Self> {
        Arc::new(Self { store, trail, live: Mutex::default() })
    }

    /// Closes what an earlier process left open: whatever waited is gone with it. How many there were.
    ///
    /// # Errors
    /// What the store says.
    pub async fn close_left_open(&self) -> Result<usize, StoreError> {
        let mut closed = 0;
        loop {
            let left = store::tasks::left_open(&self.store, LEFT_OPEN_BATCH).await?;
            if left.is_empty() {
                return Ok(closed);
            }
            for row in left {
                self.end(&row, "gone", None).await?;
                closed += 1;
            }
        }
    }

    /// A practice's tasks, newest first, at most `limit`; those that are open with what the carrier's page says.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(
        &self,
        practice: &PracticeId,
        filter: TaskFilter,
        limit: u32,
    ) -> Result<Vec<TaskView>, StoreError> {
        let rows = store::tasks::list(&self.store, practice, filter, limit.clamp(1, PAGE_MAX)).await?;
        Ok(rows.into_iter().map(|row| self.view(row, false)).collect())
    }

    /// One task of a practice, with its picture.
    ///
    /// # Errors
    /// What the store says.
    pub async fn one(&self, practice: &PracticeId, id: &str) -> Result<Option<TaskView>, StoreError> {
        let row = store::tasks::one(&self.store, practice, id).await?;
        Ok(row.map(|row| self.view(row, true)))
    }

    /// Hands a person's answer to whatever waits for it: the first one wins. `value` is empty for a plain yes.
    ///
    /// # Errors
    /// [`NotAnswered`]; nothing was handed over then.
    pub async fn answer(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        value: Zeroizing<String>,
    ) -> Result<TaskView, NotAnswered> {
        let said = Said::Answered(Answer { value, by: caller.actor() });
        self.said(caller, id, "answered", said).await
    }

    /// Says that nobody will answer: whatever waits hears it at once.
    ///
    /// # Errors
    /// As [`Tasks::answer`].
    pub async fn dismiss(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<TaskView, NotAnswered> {
        self.said(caller, id, "dismissed", Said::Dismissed).await
    }

    async fn said(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        state: &'static str,
        said: Said,
    ) -> Result<TaskView, NotAnswered> {
        let row = store::tasks::one(&self.store, caller.practice(), id).await?.ok_or(NotAnswered::Nowhere)?;
        let kind = PromptKind::from_word(&row.kind).unwrap_or(PromptKind::Other);
        let needed = scope_to_answer(kind);
        if let Some(lacks) = [Scope::Resolve, needed].into_iter().find(|scope| !caller.may(*scope)) {
            return Err(NotAnswered::Scope(lacks));
        }
        if row.state != "open" {
            return Err(NotAnswered::Closed(row.state));
        }
        // Somebody else is answering it in this moment.
        let Some(sender) = self.take_sender(&row) else { return Err(NotAnswered::Closed("answered".to_owned())) };
        // In a task of its own: a caller who goes away in the middle must not leave an answer between store and wire.
        let (this, by) = (Arc::clone(self), caller.actor());
        let handed = tokio::spawn(async move { this.hand_over(row, state, by, sender, said).await });
        handed.await.unwrap_or(Err(NotAnswered::Gone))
    }

    async fn hand_over(
        &self,
        row: TaskRow,
        state: &'static str,
        by: Actor,
        sender: oneshot::Sender<Said>,
        said: Said,
    ) -> Result<TaskView, NotAnswered> {
        match self.end(&row, state, Some(by)).await {
            Ok(true) => {}
            Ok(false) => {
                let now = store::tasks::one(&self.store, &row.practice, &row.id).await?;
                let ended = now.map(|row| row.state).filter(|state| state != "open");
                return Err(NotAnswered::Closed(ended.unwrap_or_else(|| "expired".to_owned())));
            }
            Err(error) => {
                self.give_back(&row, sender);
                return Err(error.into());
            }
        }
        sender.send(said).map_err(|_| NotAnswered::Gone)?;
        let row = store::tasks::one(&self.store, &row.practice, &row.id).await?;
        row.map(|row| self.view(row, false)).ok_or(NotAnswered::Nowhere)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits for this task, if nobody has taken it yet.
    fn take_sender(&self, row: &TaskRow) -> Option<oneshot::Sender<Said>> {
        self.live().get_mut(&row.credential).filter(|live| live.is(row))?.sender.take()
    }

    fn give_back(&self, row: &TaskRow, sender: oneshot::Sender<Said>) {
        if let Some(live) = self.live().get_mut(&row.credential).filter(|live| live.is(row)) {
            live.sender = Some(sender);
        }
    }

    /// Closes a task in the store, with its record; `false` when somebody else has, or an answer comes too late.
    async fn end(&self, row: &TaskRow, state: &'static str, by: Option<Actor>) -> Result<bool, StoreError> {
        let action = match state {
            "answered" => "task.answered",
            "dismissed" => "task.dismissed",
            "expired" => "task.expired",
            _ => "task.gone",
        };
        let actor = by.clone().unwrap_or(Actor::gateway());
        let record = TrailRecord::new(&row.practice, &actor, action)
            .carrier(&row.carrier)
            .credential(&row.credential)
            .subject(&row.id);
        let end = Close { state, at: store::now(), late: by.is_none(), by: by.map(|by| by.as_str().to_owned()) };
        store::tasks::close(&self.store, &row.practice, &row.id, end, self.trail.link(record)).await
    }

    fn view(&self, row: TaskRow, picture: bool) -> TaskView {
        let prompt = self.live().get(&row.credential).filter(|live| live.is(&row)).map(|live| live.prompt.clone());
        TaskView::of(row, prompt.as_deref(), picture)
    }
}

impl Live {
    fn is(&self, row: &TaskRow) -> bool {
        self.practice == row.practice && self.id.to_string() == row.id
    }
}
