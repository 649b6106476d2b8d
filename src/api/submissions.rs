//! `/v1/submissions`: what was handed in, by state; the operator's queue.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::authorizations::unknown;
use super::body::Body;
use super::caller::Authenticated;
use super::intake;
use super::problem::Problem;
use crate::identity::Scope;
use crate::submissions::state::State as Standing;
use crate::submissions::{NotDone, NotTaken, Resolution, SubmissionSummary, Verdict};

/// Submissions on one page, unless the caller asks for fewer or more.
const PAGE_USUAL: u32 = 100;
/// Longest reason and reference, characters.
const REASON_MAX: usize = 2_000;

/// Query of `GET /v1/submissions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Only those in this state.
    state: Option<String>,
    /// Submissions at most.
    limit: Option<u32>,
}

/// Answer of `GET /v1/submissions`.
#[derive(Serialize, JsonSchema)]
pub struct SubmissionList {
    /// Newest first. No patient data.
    submissions: Vec<SubmissionSummary>,
}

/// `GET /v1/submissions`
pub async fn list(
    State(app): State<App>,
    caller: Authenticated,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<SubmissionList>, Problem> {
    caller.need(Scope::Submit)?;
    let wrong = |message: String| Problem::fields(vec![FieldProblem::new("?state", message)]);
    let page = page.map_err(|_| wrong("The only queries are state and limit, a number.".to_owned()))?;
    if page.state.as_ref().is_some_and(|state| !Standing::WORDS.contains(&state.as_str())) {
        return Err(wrong(format!("A state is one of: {}.", Standing::WORDS.join(", "))));
    }
    let limit = page.limit.unwrap_or(PAGE_USUAL);
    let found = app.submissions.list(caller.0.practice(), page.state.as_deref(), limit).await;
    Ok(Json(SubmissionList { submissions: found.map_err(Error::from)? }))
}

/// `POST /v1/submissions/{id}/resolve`
pub async fn resolve(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<SubmissionSummary>, Problem> {
    caller.need(Scope::Resolve)?;
    let said: Resolution = intake::resolution(&body)?;
    let problems = problems(&said);
    if !problems.is_empty() {
        return Err(Problem::fields(problems));
    }
    app.submissions.resolve(&caller.0, &id, &said).await?;
    let summary = app.submissions.summary(caller.0.practice(), &id).await.map_err(Error::from)?;
    summary.map(Json).ok_or_else(unknown)
}

fn problems(said: &Resolution) -> Vec<FieldProblem> {
    let mut found = Vec::new();
    let reason = said.reason.text().trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        found.push(FieldProblem::new("/reason", "Say how it was found out, in 1 to 2000 characters."));
    }
    let reference = said.reference.as_ref().map(|reference| reference.text().trim());
    match (said.decision, reference) {
        (Verdict::Present, Some(text)) if !text.is_empty() && text.chars().count() <= 80 => {}
        (Verdict::Present, _) => {
            found.push(FieldProblem::new("/reference", "Give the carrier's number for it, 1 to 80 characters."));
        }
        (Verdict::Absent | Verdict::Void, None) => {}
        (Verdict::Absent | Verdict::Void, Some(_)) => {
            found.push(FieldProblem::new("/reference", "A reference belongs to the decision present; leave it out."));
        }
    }
    found
}

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Nowhere => unknown(),
            NotDone::NotHere(state) => Self::new(
                StatusCode::CONFLICT,
                "There is nothing to decide",
                format!("It stands at `{state}`: only one whose fate nobody knows (`unknown`) is decided by a person."),
            ),
            NotDone::TooEarly(at) => Self::new(
                StatusCode::CONFLICT,
                "Too early",
                format!(
                    "What was sent may still appear at the carrier; \"absent\" is taken from {} on. If it cannot wait, \
                     close it with \"void\" and hand it in anew: then a second one at the carrier is your own decision.",
                    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
                ),
            ),
            NotDone::Error(error) => error.into(),
        }
    }
}

impl From<NotTaken> for Problem {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Problems(problems) => Self::fields(problems),
            NotTaken::KeyUsed => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The Idempotency-Key was used for something else",
                "The practice has handed in another submission under this key. A key holds for good: use a new one.",
            ),
            NotTaken::LooksLike(earlier) => Self::possible_duplicate(earlier),
            NotTaken::Error(error) => error.into(),
        }
    }
}
