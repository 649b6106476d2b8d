//! `/v1/events` and `/v1/webhooks`: what happened, to read or to be told of.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::problem::Problem;
use crate::events::{EventPage, NewWebhook, NotMade, PAGE_MAX, WebhookInfo};
use crate::identity::Scope;

/// Events on a page when none are named.
const PAGE: u32 = 100;

/// Query of `GET /v1/events`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    after: Option<u64>,
    limit: Option<u32>,
}

/// `GET /v1/events`
pub async fn list(
    State(app): State<App>,
    caller: Authenticated,
    query: Result<Query<After>, QueryRejection>,
) -> Result<Json<EventPage>, Problem> {
    caller.need(Scope::Ask)?;
    let query = query.map_err(|_| {
        let message = format!("The query is `after`, a number, and `limit`, 1 to {PAGE_MAX}.");
        Problem::fields(vec![FieldProblem::new("?after", message)])
    })?;
    let (after, limit) = (query.after.unwrap_or(0), query.limit.unwrap_or(PAGE));
    Ok(Json(app.events.after(caller.0.practice(), after, limit).await.map_err(Error::from)?))
}

/// Body of `POST /v1/webhooks`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeWebhook {
    /// Where deliveries go: an https address.
    url: String,
    /// Kinds of events, or their beginnings (`submission.`). Left out: all.
    #[serde(default)]
    kinds: Vec<String>,
}

/// `POST /v1/webhooks`
pub async fn make(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    let made = made(&app, &caller, &body).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// The same for whoever reads the webhook itself.
pub async fn made(app: &App, caller: &Authenticated, body: &[u8]) -> Result<NewWebhook, Problem> {
    caller.need(Scope::Admin)?;
    let wanted: MakeWebhook = serde_json::from_slice(body).map_err(|error| Problem::not_json(&error))?;
    match app.webhooks.make(caller.0.practice(), &wanted.url, &wanted.kinds, &caller.0.actor()).await {
        Ok(made) => Ok(made),
        Err(NotMade::Url(problem)) => Err(Problem::fields(vec![FieldProblem::new("/url", problem)])),
        Err(NotMade::Kinds(problem)) => Err(Problem::fields(vec![FieldProblem::new("/kinds", problem)])),
        Err(NotMade::TooMany) => Err(Problem::new(
            StatusCode::CONFLICT,
            "Too many webhooks",
            "This practice has as many webhooks as it may; delete one first.",
        )),
        Err(NotMade::Failed(error)) => Err(error.into()),
    }
}

/// `GET /v1/webhooks`
pub async fn webhooks(State(app): State<App>, caller: Authenticated) -> Result<Json<Vec<WebhookInfo>>, Problem> {
    caller.need(Scope::Admin)?;
    Ok(Json(app.webhooks.list(caller.0.practice()).await.map_err(Error::from)?))
}

/// `POST /v1/webhooks/{id}/enable`
pub async fn enable(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.need(Scope::Admin)?;
    let changed = app.webhooks.enable(caller.0.practice(), &id, &caller.0.actor()).await.map_err(Error::from)?;
    found(changed)
}

/// `DELETE /v1/webhooks/{id}`
pub async fn delete(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.need(Scope::Admin)?;
    let changed = app.webhooks.delete(caller.0.practice(), &id, &caller.0.actor()).await.map_err(Error::from)?;
    found(changed)
}

fn found(changed: bool) -> Result<StatusCode, Problem> {
    if changed {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("This practice has no such webhook, or it is in that state already."))
}
