//! `/v1/eligibility`: one question, its stored answer, and the bytes that were exchanged for it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use connector_sdk::{EligibilityRequest, Error, ErrorKind, Operation};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::intake;
use super::patients;
use super::problem::{Problem, status};
use crate::gateway::{Asked, NotAsked};
use crate::identity::Scope;
use crate::stack::{Envelope, OutcomeWord};
use crate::store::StoreError;
use crate::trail::{AskState, OutcomeKind, TrailRecord, Use};

/// Query of `POST /v1/eligibility`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Milliseconds to wait for the carrier before answering 202 with the id.
    wait_ms: Option<u64>,
    /// The patient whom it is about: an id of ours.
    patient: Option<String>,
}

/// What came of a question within the time that its asker had.
pub enum Put {
    /// It has come to its end.
    Ended(Arc<Envelope>),
    /// The carrier is still awaited; the question goes on, and is found by the envelope's id.
    Awaited(Box<Envelope>),
}

/// `POST /v1/eligibility`
pub async fn ask(
    State(app): State<App>,
    caller: Authenticated,
    wait: Result<Query<Wait>, QueryRejection>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let wait = wait.map_err(|_| {
        let message = "The queries are wait_ms, a number of milliseconds, and patient, the id of a patient.";
        Problem::fields(vec![FieldProblem::new("?wait_ms", message)])
    })?;
    caller.need(Scope::Ask)?;
    let request = intake::read(&body, app.gateway.today())?;
    let asked = begin(&app, &caller, &request, wait.patient.as_deref()).await?;
    let put = finish(&app, &caller, asked, wait.wait_ms.map(Duration::from_millis)).await?;
    let budget = budget_headers(&app, &caller, &request.carrier);
    Ok(match put {
        Put::Ended(envelope) => (status_of(&envelope), budget, json(&envelope)).into_response(),
        Put::Awaited(envelope) => {
            let location = HeaderValue::from_str(&format!("/v1/eligibility/{}", envelope.id))
                .unwrap_or_else(|_| HeaderValue::from_static("/v1/eligibility"));
            let mut response = (StatusCode::ACCEPTED, budget, json(&envelope)).into_response();
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
    })
}

/// Puts a question, for a patient of the practice where one is named. It goes on whether [`finish`] is called or not.
///
/// # Errors
/// Everything that is wrong with it; that the caller may not ask is on record then.
pub async fn begin(
    app: &App,
    caller: &Authenticated,
    request: &EligibilityRequest,
    patient: Option<&str>,
) -> Result<Asked, Problem> {
    caller.need(Scope::Ask)?;
    if let Some(patient) = patient {
        let known = app.patients.get(caller.0.practice(), patient).await.map_err(Error::from)?;
        known.ok_or_else(patients::unknown)?;
    }
    let asked = match app.gateway.ask(caller.0.clone(), request) {
        Ok(asked) => asked,
        Err(not_asked) => return Err(denied(app, caller, not_asked).await),
    };
    if let Some(patient) = patient {
        app.patients.link(&caller.0, patient, &request.carrier, &asked.id).await.map_err(Error::from)?;
    }
    Ok(asked)
}

/// Waits for a question's end; without a `wait`, until it is there.
///
/// # Errors
/// When the question ended in a fault of the gateway's own, or when it cannot be noted that it is still under way.
pub async fn finish(app: &App, caller: &Authenticated, asked: Asked, wait: Option<Duration>) -> Result<Put, Problem> {
    let mut end = asked.end;
    let finished = match wait {
        None => Some((&mut end).await),
        Some(wait) => tokio::time::timeout(wait, &mut end).await.ok(),
    };
    match finished {
        Some(Ok(envelope)) => Ok(Put::Ended(envelope)),
        Some(Err(_)) => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The gateway failed",
            "The question ended in a fault of the gateway's own; its log says more.",
        )),
        None => {
            let record = TrailRecord::new(caller.0.practice(), &caller.0.actor(), "eligibility.awaited")
                .carrier(&asked.pending.carrier)
                .operation(asked.pending.operation)
                .ask(&asked.id);
            match app.trail.begin(caller.0.practice(), &asked.id, record).await {
                // It was completed in this very moment: then there is nothing to note.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(Error::from(error).into()),
            }
            Ok(Put::Awaited(Box::new(asked.pending)))
        }
    }
}

/// A question that was not put is on record too. Its carrier is not: an unknown one is the caller's own word.
async fn denied(app: &App, caller: &Authenticated, not_asked: NotAsked) -> Problem {
    let mut record = TrailRecord::new(caller.0.practice(), &caller.0.actor(), "eligibility.denied")
        .operation(Operation::Eligibility)
        .outcome(OutcomeKind::Failed);
    record = record.failure(match &not_asked {
        NotAsked::Problems(_) => ErrorKind::RequestInvalid,
        NotAsked::Error(error) => error.kind,
    });
    match app.trail.record(record).await {
        Ok(_) => not_asked.into(),
        Err(error) => Error::from(error).into(),
    }
}

/// `GET /v1/eligibility/{id}`
pub async fn read(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(match stored(&app, &caller, &id).await? {
        Stored::Ended(envelope) => json_bytes(envelope),
        Stored::Awaited(envelope) => (StatusCode::ACCEPTED, json(&envelope)).into_response(),
    })
}

/// A stored question.
pub enum Stored {
    /// It has come to its end: the envelope as it left, JSON.
    Ended(Vec<u8>),
    /// The carrier is still awaited.
    Awaited(Box<Envelope>),
}

/// A question of the caller's practice. That it is read is on record before it leaves.
///
/// # Errors
/// 404 when the practice has none with this id, 410 when the gateway was stopped before its end.
pub async fn stored(app: &App, caller: &Authenticated, id: &str) -> Result<Stored, Problem> {
    caller.need(Scope::Ask)?;
    let unknown = || Problem::not_found("This practice has asked no question with this id.");
    let stored = app.trail.get(caller.0.practice(), id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    // Reading patient data is an act, and is recorded before the data leaves.
    let record =
        TrailRecord::new(caller.0.practice(), &caller.0.actor(), "eligibility.read").purpose(Use::Payment).ask(id);
    app.trail.record(record).await.map_err(Error::from)?;
    match (stored.envelope, stored.state) {
        (Some(envelope), _) => Ok(Stored::Ended(envelope)),
        (None, AskState::Pending) => {
            let known = app.gateway.planes().book().get(&stored.carrier);
            let awaited =
                Envelope::awaited(id, Operation::Eligibility, &stored.carrier, stored.created_at, known.as_deref());
            Ok(Stored::Awaited(Box::new(awaited)))
        }
        (None, AskState::Answered | AskState::Refused | AskState::Failed) => Err(Problem::new(
            StatusCode::GONE,
            "The question was interrupted",
            "The gateway was stopped before the carrier answered this question. Ask it again.",
        )),
    }
}

/// `GET /v1/eligibility/{id}/raw`
pub async fn raw(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json_bytes(exchanged(&app, &caller, &id).await?))
}

/// What was exchanged with the carrier for a question: a list of exchanges, JSON. That it is read is on record before.
///
/// # Errors
/// 403 without the scope, 404 when nothing was exchanged.
pub async fn exchanged(app: &App, caller: &Authenticated, id: &str) -> Result<Vec<u8>, Problem> {
    caller.need(Scope::Raw)?;
    let nothing = || Problem::not_found("Nothing was exchanged for a question with this id.");
    let bytes = app.trail.raw(caller.0.practice(), id).await.map_err(Error::from)?.ok_or_else(nothing)?;
    let record =
        TrailRecord::new(caller.0.practice(), &caller.0.actor(), "eligibility.raw_read").purpose(Use::Payment).ask(id);
    app.trail.record(record).await.map_err(Error::from)?;
    Ok(bytes.to_vec())
}

/// HTTP status of an envelope: 200 for what the carrier said, the failure's own where it said nothing.
fn status_of(envelope: &Envelope) -> StatusCode {
    match (&envelope.failure, envelope.outcome) {
        (Some(failure), _) => status(failure.kind),
        (None, OutcomeWord::Pending) => StatusCode::ACCEPTED,
        (None, OutcomeWord::Answered | OutcomeWord::Refused | OutcomeWord::Failed) => StatusCode::OK,
    }
}

fn json_bytes(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn json(envelope: &Envelope) -> Response {
    let mut response = json_bytes(serde_json::to_vec(envelope).unwrap_or_default());
    let wait = envelope.failure.as_ref().and_then(|failure| failure.retry.after_secs);
    if let Some(secs) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// What is left of the carrier's budget, in the syntax of the IETF's RateLimit header draft.
fn budget_headers(app: &App, caller: &Authenticated, carrier: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(plane) = app.gateway.planes().get(carrier) else { return headers };
    let budget = plane.wire.budget(caller.0.practice());
    let lines = [
        ("ratelimit-policy", format!("\"carrier\";q={};w=60", budget.limit_per_minute)),
        ("ratelimit", format!("\"carrier\";r={};t={}", budget.remaining, budget.reset_secs)),
    ];
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
