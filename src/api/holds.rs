//! `/v1/holds`: carriers to which nothing new is sent for the practice, what waits there, and letting it go.

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Body, said_why};
use super::caller::Authenticated;
use super::intake;
use super::problem::Problem;
use crate::identity::Scope;
use crate::submissions::HoldView;

/// Submissions of one carrier that are shown at most.
const SHOWN_MAX: u32 = 500;
/// Longest reason, characters.
const REASON_MAX: usize = 1_000;

/// Answer of `GET /v1/holds`.
#[derive(Serialize, JsonSchema)]
pub struct HoldList {
    /// By carrier. No patient data.
    pub holds: Vec<HoldView>,
}

/// Body of `PUT /v1/holds/{carrier}` and of `POST /v1/holds/{carrier}/release`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why; for a release after a restore: what was found out, and how. Kept sealed, with the record.
    reason: String,
}

/// What a hold or a release has changed.
#[derive(Serialize, JsonSchema)]
pub struct Changed {
    /// The carrier.
    carrier: String,
    /// Whether nothing new is sent to it now.
    held: bool,
    /// `false` where that was so before.
    changed: bool,
}

/// `GET /v1/holds`
pub async fn list(State(app): State<App>, caller: Authenticated) -> Result<Json<HoldList>, Problem> {
    caller.need(Scope::Submit)?;
    let holds = app.submissions.holds(caller.0.practice(), SHOWN_MAX).await.map_err(Error::from)?;
    Ok(Json(HoldList { holds }))
}

/// `PUT /v1/holds/{carrier}`
pub async fn hold(
    State(app): State<App>,
    caller: Authenticated,
    Path(carrier): Path<String>,
    Body(body): Body,
) -> Result<Json<Changed>, Problem> {
    caller.need(Scope::Resolve)?;
    let reason = reason(&body)?;
    if !app.submissions.serves(&carrier) {
        return Err(Problem::not_found("There is no carrier with this id to which anything could be handed in."));
    }
    let held = app.submissions.hold(caller.0.practice(), &carrier, &reason, &caller.0.actor()).await;
    Ok(Json(Changed { carrier, held: true, changed: held.map_err(Error::from)? }))
}

/// `POST /v1/holds/{carrier}/release`: also of a carrier whose file is gone.
pub async fn release(
    State(app): State<App>,
    caller: Authenticated,
    Path(carrier): Path<String>,
    Body(body): Body,
) -> Result<Json<Changed>, Problem> {
    caller.need(Scope::Resolve)?;
    let reason = reason(&body)?;
    let was = app.submissions.release(caller.0.practice(), &carrier, &reason, &caller.0.actor()).await;
    Ok(Json(Changed { carrier, held: false, changed: was.map_err(Error::from)? }))
}

fn reason(body: &[u8]) -> Result<String, Problem> {
    let Reason { reason } = intake::any(body)?;
    Ok(said_why(&reason, REASON_MAX)?.to_owned())
}
