//! `/v1/authorizations`: hand one in, follow it, take it back.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use connector_sdk::{Error, ErrorKind, Operation};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::intake;
use super::problem::Problem;
use crate::identity::Scope;
use crate::submissions::{AuthorizationView, NotDone, NotTaken, SubmissionSummary};
use crate::trail::{OutcomeKind, TrailEntry, TrailRecord};

/// The header under which a submission is handed in, and handed in again.
const KEY: &str = "idempotency-key";

/// Query of `POST /v1/authorizations`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// An earlier submission that looks the same, where this is meant to be a second one.
    #[serde(rename = "override")]
    beside: Option<String>,
}

/// Answer of `GET /v1/authorizations/{id}/timeline`.
#[derive(Serialize, JsonSchema)]
pub struct Timeline {
    /// The submission.
    id: String,
    /// What happened, oldest first: its records in the paper trail. No patient data.
    timeline: Vec<TrailEntry>,
}

/// `POST /v1/authorizations`
pub async fn submit(
    State(app): State<App>,
    caller: Authenticated,
    query: Result<Query<Beside>, QueryRejection>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    caller.need(Scope::Submit)?;
    let query = query.map_err(|_| {
        Problem::fields(vec![FieldProblem::new("?override", "The only query is override, the id of an earlier one.")])
    })?;
    let ask = intake::authorization(&body)?;
    let key = headers.get(KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let taken = match app.submissions.accept(&caller.0, key, &ask, query.0.beside).await {
        Ok(taken) => taken,
        Err(not_taken) => return Err(denied(&app, &caller, not_taken).await),
    };
    let summary = app.submissions.summary(caller.0.practice(), &taken.id).await.map_err(Error::from)?;
    let summary = summary.ok_or_else(unknown)?;
    let mut response = (StatusCode::ACCEPTED, Json(summary)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/authorizations/{}", taken.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// One that was not taken is on record too. Its carrier is not: an unknown one is the caller's own word.
async fn denied(app: &App, caller: &Authenticated, not_taken: NotTaken) -> Problem {
    let kind = match &not_taken {
        NotTaken::Error(error) => error.kind,
        NotTaken::Problems(_) | NotTaken::KeyUsed | NotTaken::LooksLike(_) => ErrorKind::RequestInvalid,
    };
    let record = TrailRecord::new(caller.0.practice(), &caller.0.actor(), "submission.denied")
        .operation(Operation::Authorization)
        .outcome(OutcomeKind::Failed)
        .failure(kind);
    match app.trail.record(record).await {
        Ok(_) => not_taken.into(),
        Err(error) => Error::from(error).into(),
    }
}

/// `GET /v1/authorizations/{id}`
pub async fn read(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.need(Scope::Submit)?;
    let view: AuthorizationView =
        app.submissions.get(caller.0.practice(), &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    // Reading patient data is an act, and is recorded before the data leaves.
    let record = TrailRecord::new(caller.0.practice(), &caller.0.actor(), "authorization.read").ask(&id);
    app.trail.record(record).await.map_err(Error::from)?;
    Ok(Json(view).into_response())
}

/// `GET /v1/authorizations/{id}/timeline`
pub async fn timeline(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.need(Scope::Submit)?;
    let timeline = app.submissions.timeline(caller.0.practice(), &id).await.map_err(Error::from)?;
    Ok(Json(Timeline { timeline: timeline.ok_or_else(unknown)?, id }).into_response())
}

/// `POST /v1/authorizations/{id}/cancel`
pub async fn cancel(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<SubmissionSummary>, Problem> {
    caller.need(Scope::Submit)?;
    if let Err(not_done) = app.submissions.cancel(&caller.0, &id).await {
        return Err(match not_done {
            NotDone::NotHere(state) => Problem::new(StatusCode::CONFLICT, "It cannot be taken back", too_late(state)),
            other => other.into(),
        });
    }
    let summary = app.submissions.summary(caller.0.practice(), &id).await.map_err(Error::from)?;
    summary.map(Json).ok_or_else(unknown)
}

fn too_late(state: &str) -> &'static str {
    match state {
        "intent" | "armed" => "It is being sent at this moment: see what becomes of it, and call the carrier.",
        "unknown" => "It may be at the carrier: nobody can say yet. Once that is known, call the carrier.",
        "accepted" => "The carrier has it. Ask the carrier to cancel it.",
        "cancelled" => "It was taken back before.",
        _ => "It is over: nothing of it is at the carrier.",
    }
}

/// The same whether there is none or it belongs to another practice.
pub(super) fn unknown() -> Problem {
    Problem::not_found("This practice has handed in nothing with this id.")
}
