//! `/v1/tasks`: what waits for a person: what carriers ask, submissions whose fate nobody knows, credentials that end.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::App;
use super::body::{self, Body, Done};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::identity::{Caller, Scope};
use crate::store::tasks::TaskFilter;
use crate::submissions::SubmissionSummary;
use crate::tasks::{NotAnswered, PAGE_MAX, TaskView};
use crate::vault::{CredentialState, Reminder, waits_for_answer};

/// Tasks on one page, unless the caller asks for fewer or more.
const PAGE_USUAL: u32 = 100;
/// Longest answer, characters: no code, no captcha and no password is longer.
const ANSWER_MAX: usize = 256;

/// Query of `GET /v1/tasks`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// `open` or `closed`; both when left out.
    state: Option<String>,
    /// Of this kind.
    kind: Option<String>,
    /// Of this carrier.
    carrier: Option<String>,
    /// Tasks at most.
    limit: Option<u32>,
}

/// Answer of `GET /v1/tasks`.
#[derive(Serialize, JsonSchema)]
pub struct TaskList {
    /// What carriers ask of a person, newest first.
    pub tasks: Vec<TaskView>,
    /// Submissions whose fate nobody knows and a person must find out; for callers with the scope submit. Decided by
    /// `POST /v1/submissions/{id}/resolve`.
    pub submissions: Vec<SubmissionSummary>,
    /// Credentials whose values end soon, or have ended; for callers with the scope credentials.
    pub reminders: Vec<Reminder>,
}

/// Body of `POST /v1/tasks/{id}/answer`: one of the two, as the task's `takes` says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// The code, the picture's letters, the new password. It is handed to the carrier and stored nowhere, but for a new
    /// password, which becomes the credential's.
    #[serde(default)]
    #[schemars(length(max = 256))]
    answer: Option<String>,
    /// `true`: a plain yes.
    #[serde(default)]
    accept: Option<bool>,
}

/// `GET /v1/tasks`
pub async fn list(
    State(app): State<App>,
    caller: Authenticated,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<TaskList>, Problem> {
    caller.need(Scope::Ask)?;
    let wrong = |message: String| Problem::fields(vec![FieldProblem::new("?state", message)]);
    let Query(page) = page.map_err(|_| {
        wrong(format!("The queries are state (open or closed), kind, carrier and limit, 1 to {PAGE_MAX}."))
    })?;
    let open = match page.state.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => return Err(wrong("A state is open or closed.".to_owned())),
    };
    let derived = open != Some(false) && page.kind.is_none();
    let carrier = page.carrier.clone();
    let filter = TaskFilter { open, kind: page.kind, carrier: page.carrier };
    let caller = &caller.0;
    let limit = page.limit.unwrap_or(PAGE_USUAL);
    let tasks = app.tasks.list(caller.practice(), filter, limit).await.map_err(Error::from)?;
    let mut list = TaskList { tasks, submissions: Vec::new(), reminders: Vec::new() };
    if derived {
        list.submissions = operators_queue(&app, caller, limit).await?;
        list.reminders = reminders(&app, caller);
        let of = |other: &str| carrier.as_deref().is_none_or(|carrier| carrier == other);
        list.submissions.retain(|submission| of(&submission.carrier));
        list.reminders.retain(|reminder| of(&reminder.carrier));
    }
    Ok(Json(list))
}

/// The ledger's own list; nothing of it is kept a second time.
async fn operators_queue(app: &App, caller: &Caller, limit: u32) -> Result<Vec<SubmissionSummary>, Problem> {
    if !caller.may(Scope::Submit) {
        return Ok(Vec::new());
    }
    let unknown = app.submissions.list(caller.practice(), Some("unknown"), limit).await.map_err(Error::from)?;
    Ok(unknown.into_iter().filter(|submission| submission.needs_person).collect())
}

fn reminders(app: &App, caller: &Caller) -> Vec<Reminder> {
    if !caller.may(Scope::Credentials) {
        return Vec::new();
    }
    let now = Timestamp::now();
    let stored = app.vault.list(caller.practice());
    let mut reminders: Vec<Reminder> = stored.iter().filter_map(|info| info.reminder(now)).collect();
    reminders.sort_by_key(|reminder| reminder.expires_at);
    reminders
}

/// `GET /v1/tasks/{id}`
pub async fn one(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Problem> {
    caller.need(Scope::Ask)?;
    let task = app.tasks.one(caller.0.practice(), &id).await.map_err(Error::from)?;
    task.map(Json).ok_or_else(unknown)
}

/// `POST /v1/tasks/{id}/answer`
pub async fn answer(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<TaskView>, Problem> {
    let task = answerable(&app, &caller, &id).await?;
    let said: AnswerBody = body::read(&body)?;
    let value = Zeroizing::new(said.answer.unwrap_or_default());
    let value = if task.takes == "text" && task.kind != connector_sdk::PromptKind::PasswordChange {
        Zeroizing::new(value.trim().to_owned())
    } else {
        value
    };
    let problem = match (task.takes, said.accept) {
        ("text", None) if value.is_empty() || value.chars().count() > ANSWER_MAX => {
            Some(("/answer", format!("Give the answer, 1 to {ANSWER_MAX} characters.")))
        }
        ("text", None) if value.chars().any(char::is_control) => {
            Some(("/answer", "The answer has characters that nobody can type; enter it again.".to_owned()))
        }
        ("text", None) => None,
        ("text", Some(_)) => Some(("/accept", "This task takes an answer in `answer`; leave this out.".to_owned())),
        (_, Some(true)) if value.is_empty() => None,
        (_, _) => Some(("/accept", "This task takes {\"accept\": true}, and nothing else; or dismiss it.".to_owned())),
    };
    if let Some((path, message)) = problem {
        return Err(Problem::fields(vec![FieldProblem::new(path, message)]));
    }
    Ok(Json(app.tasks.answer(&caller.0, &id, value).await?))
}

/// `POST /v1/tasks/{id}/dismiss`
pub async fn dismiss(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Problem> {
    answerable(&app, &caller, &id).await?;
    Ok(Json(app.tasks.dismiss(&caller.0, &id).await?))
}

/// `POST /v1/tasks/{id}/again`: somebody is there now; the sign-in that nobody answered is begun once more.
pub async fn again(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    let task = answerable(&app, &caller, &id).await?;
    let practice = caller.0.practice().clone();
    let waits = app.vault.info(&practice, &task.carrier).is_some_and(|info| {
        info.state == CredentialState::Suspect && info.reason.as_deref().is_some_and(waits_for_answer)
    });
    if !waits || task.state == "open" {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "There is nothing to start again",
            "No sign-in of this carrier waits for an answer. GET /v1/credentials says how its credential stands; one that is in doubt for another reason is tried by POST /v1/credentials/{carrier}/verify.",
        ));
    }
    app.vault.enable(&practice, &task.carrier, &caller.0.actor()).await.map_err(Error::from)?;
    app.gateway.planes().forget(&practice, &task.carrier);
    tokio::spawn(async move {
        if let Err(error) = super::credentials::tried(&app, &practice, &task.carrier).await {
            tracing::info!(carrier = task.carrier, %error, "A sign-in that a person started again has not worked.");
        }
    });
    Ok((StatusCode::ACCEPTED, Json(Done::DONE)).into_response())
}

/// The task, for somebody who may answer its kind.
async fn answerable(app: &App, caller: &Authenticated, id: &str) -> Result<TaskView, Problem> {
    // Whoever may answer nothing learns nothing about which tasks there are.
    caller.need(Scope::Resolve)?;
    let task = app.tasks.one(caller.0.practice(), id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    caller.need(task.scope)?;
    Ok(task)
}

fn unknown() -> Problem {
    Problem::not_found("This practice has no such task.")
}

impl From<NotAnswered> for Problem {
    fn from(not_answered: NotAnswered) -> Self {
        let closed = |text: String| Self::new(StatusCode::CONFLICT, "The task is closed", text);
        match not_answered {
            NotAnswered::Nowhere => unknown(),
            NotAnswered::Scope(scope) => Self::lacks(scope.word()),
            NotAnswered::Closed(word) => closed(format!("It stands at `{word}`; your answer went nowhere.")),
            NotAnswered::Gone => {
                closed("What waited for it ended in this moment; your answer went nowhere.".to_owned())
            }
            NotAnswered::Store(error) => Error::from(error).into(),
        }
    }
}
