//! `/v1/trail`: the paper trail of the caller's practice.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Authenticated;
use super::problem::Problem;
use crate::identity::Scope;
use crate::trail::{Filter, TrailEntry};

/// Records on one page at most.
const PAGE_MAX: u32 = 500;

/// Query of `GET /v1/trail`.
#[derive(Deserialize)]
pub struct Page {
    /// Records at most.
    limit: Option<u32>,
}

/// Answer of `GET /v1/trail`.
#[derive(Serialize, JsonSchema)]
pub struct TrailPage {
    /// Newest first. No record holds patient data.
    records: Vec<TrailEntry>,
}

/// `GET /v1/trail`
pub async fn list(
    State(app): State<App>,
    caller: Authenticated,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<TrailPage>, Problem> {
    let page = page.map_err(|_| {
        Problem::fields(vec![FieldProblem::new("?limit", "The only query is limit, a number of records.")])
    })?;
    caller.need(Scope::Trail)?;
    let limit = page.limit.unwrap_or(100).min(PAGE_MAX);
    let records = app.trail.list(caller.0.practice(), Filter::default(), limit).await.map_err(Error::from)?;
    Ok(Json(TrailPage { records }))
}
