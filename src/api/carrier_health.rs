//! `/v1/carriers/{id}/health`: how a carrier did lately, is it them or us; and pausing it for one's own practice.
//!
//! Numbers are the caller's practice's own. Whether the carrier is up is everybody's: it is the same carrier.

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::{Error, ErrorKind};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Body, read, said_why};
use super::caller::Authenticated;
use super::carriers::{plane, state};
use super::problem::Problem;
use crate::identity::{Caller, Scope};
use crate::pauses::{Pauses, REASON_MAX};
use crate::stack::pulse::Measured;
use crate::stack::{BreakerState, Look};
use crate::vault::{self, CredentialState};

/// Answer of `GET /v1/carriers/{id}/health`.
#[derive(Serialize, JsonSchema)]
pub struct HealthView {
    /// The carrier.
    pub carrier: String,
    /// What all of this comes to: is it them or us.
    pub verdict: Verdict,
    /// `up`; `down`: it failed repeatedly and is left alone for a while; `trying`: the next question shows. The same for
    /// all practices.
    pub state: &'static str,
    /// Failures in a row, of all practices.
    pub failures_in_a_row: u32,
    /// So many in a row, and it is left alone for a while.
    pub failures_max: u32,
    /// Seconds until it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_again_secs: Option<u64>,
    /// Whether somebody of the practice has paused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedView>,
    /// Items of the practice's batches that wait for it.
    pub batch_items_waiting: usize,
    /// What was counted in the last day, of the practice's own eligibility questions.
    pub last_day: Measured,
}

/// Is it them or us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Them: it failed repeatedly and is left alone for a while.
    Down,
    /// Us: whether it works or not, the login there is stopped.
    LoginStopped,
    /// It was them: the next question shows whether it works again.
    Trying,
    /// The practice's last question there failed; the `side` of `last_day.last_failure` says whose fault that looks like.
    LastFailed,
    /// It looks like them: questions of other practices failed in a row.
    OthersFail,
    /// Nobody: the last question was answered or refused.
    Works,
    /// Nobody of the practice has asked it in the last day.
    NotAsked,
}

impl Verdict {
    fn of(look: &Look, login: Option<CredentialState>, last_day: &Measured) -> Self {
        match (look.state, login) {
            (BreakerState::Open, _) => return Self::Down,
            (_, Some(CredentialState::Disabled | CredentialState::Suspect)) => return Self::LoginStopped,
            (BreakerState::Probation, _) => return Self::Trying,
            (BreakerState::Closed, _) => {}
        }
        match (&last_day.last_failure, last_day.last_success) {
            (Some(failure), success) if success.is_none_or(|at| at < failure.at) => Self::LastFailed,
            _ if look.failures > 1 => Self::OthersFail,
            (_, Some(_)) => Self::Works,
            (_, None) => Self::NotAsked,
        }
    }
}

/// A pause.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PausedView {
    /// Who paused it, as the paper trail has it.
    pub by: String,
    /// That person's name, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Why; absent for whoever sees no patient data, since people write names into such texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Body of `PUT /v1/carriers/{id}/pause`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// Why, at most 500 characters. Kept sealed.
    reason: String,
}

/// What a pause or a resumption has changed.
#[derive(Serialize, JsonSchema)]
pub struct PauseChanged {
    /// The carrier.
    pub carrier: String,
    /// Whether it is paused now.
    pub paused: bool,
    /// `false` where that was so before; then nothing was changed, and the earlier pause stays.
    pub changed: bool,
}

/// `GET /v1/carriers/{id}/health`
pub async fn health(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<HealthView>, Problem> {
    caller.need(Scope::Carriers)?;
    let mut view = of(&app, &caller.0, &id)?;
    view.paused = paused(&app, &caller.0, &id).await?;
    Ok(Json(view))
}

/// The same without who has paused it; waits for nothing.
pub fn of(app: &App, caller: &Caller, id: &str) -> Result<HealthView, Problem> {
    let (plane, practice) = (plane(app, id)?, caller.practice());
    let look = plane.look();
    let last_day = app.gateway.planes().measured(practice, id);
    let login = app.vault.info(&vault::owner(practice, &plane.carrier), id);
    Ok(HealthView {
        carrier: plane.carrier.id.clone(),
        verdict: Verdict::of(&look, login.map(|info| info.state), &last_day),
        state: state(look.state),
        failures_in_a_row: look.failures,
        failures_max: look.failures_to_open,
        // A started second counts: "0 s" would be said of a circuit that is open.
        tried_again_secs: look.open_for.map(|wait| wait.as_secs() + 1),
        paused: None,
        batch_items_waiting: app.batches.waiting_for(practice, id),
        last_day,
    })
}

/// The practice's pause of a carrier, with the name of who paused it.
pub async fn paused(app: &App, caller: &Caller, id: &str) -> Result<Option<PausedView>, Problem> {
    let Some(paused) = app.gateway.planes().paused(caller.practice(), id) else { return Ok(None) };
    let people = app.identity.people(caller.practice()).await.map_err(Error::from)?;
    let by_name = people.into_iter().find(|one| one.id == paused.by).map(|one| one.name);
    let reason = (caller.may(Scope::Ask) || caller.may(Scope::Trail)).then(|| paused.reason.clone());
    Ok(Some(PausedView { by: paused.by.clone(), by_name, since: paused.since, reason }))
}

/// `PUT /v1/carriers/{id}/pause`
pub async fn pause(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<PauseChanged>, Problem> {
    caller.need(Scope::Resolve)?;
    let body: PauseBody = read(&body)?;
    let reason = said_why(&body.reason, REASON_MAX)?;
    let carrier = plane(&app, &id)?.carrier.id.clone();
    let changed = pauses(&app)?.pause(caller.0.practice(), &carrier, reason, &caller.0.actor()).await;
    Ok(Json(PauseChanged { carrier, paused: true, changed: changed.map_err(Error::from)? }))
}

/// `POST /v1/carriers/{id}/resume`: also of a carrier whose file is gone.
pub async fn resume(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<PauseChanged>, Problem> {
    caller.need(Scope::Resolve)?;
    if app.gateway.planes().paused(caller.0.practice(), &id).is_none() {
        plane(&app, &id)?;
    }
    let changed = pauses(&app)?.resume(caller.0.practice(), &id, &caller.0.actor()).await;
    Ok(Json(PauseChanged { carrier: id, paused: false, changed: changed.map_err(Error::from)? }))
}

fn pauses(app: &App) -> Result<&Pauses, Problem> {
    let none = || Error::new(ErrorKind::Internal, "Carriers cannot be paused here.");
    Ok(app.gateway.planes().pauses().ok_or_else(none)?)
}
