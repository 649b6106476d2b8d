//! `/v1/schedule`: who comes on which day, where each stands, and the batch that verifies them.

use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use connector_sdk::{Error, ErrorKind};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::batch_csv::sheet;
use super::body::{self, Body};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::batches::{BatchView, NotMade, too_many};
use crate::identity::Scope;
use crate::schedule::{
    Appointment, DayView, Done, FILE_MAX, Kind, NotAdded, NotImported, Only, RowView, Verified, Visit,
};

/// A body that drips for longer is let go.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// The columns of a day as CSV.
const COLUMNS: [&str; 14] = [
    "date",
    "time",
    "last_name",
    "first_name",
    "date_of_birth",
    "visit_type",
    "provider",
    "location",
    "carrier",
    "coverage",
    "as_of",
    "collect",
    "next",
    "text",
];

/// Query of `POST /v1/schedule/import`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    date: Option<Date>,
    accept: Option<String>,
    replace: Option<bool>,
}

/// Query of `GET /v1/schedule`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayQuery {
    date: Option<Date>,
    format: Option<String>,
    provider: Option<String>,
    location: Option<String>,
}

/// Body of `POST /v1/schedule/verify`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The day, `YYYY-MM-DD`.
    #[schemars(with = "String")]
    date: Date,
    /// Only these appointments, fresh or not; without it, all of the day that are not fresh.
    ids: Option<Vec<String>>,
    /// Only appointments with this provider: a code of the day's `providers`.
    provider: Option<String>,
    /// Only appointments at this place: a code of the day's `locations`.
    location: Option<String>,
}

/// Body of `POST /v1/schedule/appointments`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppointmentNew {
    /// The day, `YYYY-MM-DD`.
    #[schemars(with = "String")]
    date: Date,
    /// Whose: a patient's id.
    patient: String,
    /// The appointment.
    #[serde(default)]
    visit: Visit,
}

/// Body of `PUT /v1/schedule/appointments/{id}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppointmentChange {
    /// The version that was changed.
    version: i64,
    /// The day, `YYYY-MM-DD`.
    #[schemars(with = "String")]
    date: Date,
    /// The appointment as it is to be.
    visit: Visit,
}

/// Answer of `POST /v1/schedule/verify`.
#[derive(Serialize, JsonSchema)]
pub struct VerifyStarted {
    /// What was started.
    #[serde(flatten)]
    verified: Verified,
    /// The batch as it stands: its own address tells its progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<BatchView>,
}

/// `POST /v1/schedule/import`
pub async fn import(
    State(app): State<App>,
    caller: Authenticated,
    query: Result<Query<ImportQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let wrong = || {
        let message = "The queries are date, a day as YYYY-MM-DD, accept=valid, and replace=true or false.";
        Problem::fields(vec![FieldProblem::new("?date", message)])
    };
    let query = query.map_err(|_| wrong())?.0;
    let valid_only = match query.accept.as_deref() {
        None => false,
        Some("valid") => true,
        Some(_) => return Err(wrong()),
    };
    let kind = kind(request.headers())?;
    let body = file(request).await?;
    let schedule = app.schedule.clone();
    let date = query.date;
    let reading = tokio::task::spawn_blocking(move || schedule.read(kind, &body, date));
    let read = reading.await.map_err(|_| Error::new(ErrorKind::Internal, "The file could not be read."))?;
    let replace = query.replace.unwrap_or(false);
    let done = app.schedule.import(&caller.0, kind, read, valid_only, replace).await?;
    Ok(Json(done).into_response())
}

/// `GET /v1/schedule`
pub async fn day(
    State(app): State<App>,
    caller: Authenticated,
    query: Result<Query<DayQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let wrong = || {
        let message = "The queries are date, a day as YYYY-MM-DD (today where it is left out), format, json or csv, and provider and location, codes of the day's list.";
        Problem::fields(vec![FieldProblem::new("?date", message)])
    };
    let query = query.map_err(|_| wrong())?.0;
    let date = query.date.unwrap_or_else(|| app.gateway.today());
    let only = Only { provider: query.provider, location: query.location };
    let as_csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(wrong()),
    };
    let day = app.schedule.day(&caller.0, date, &only).await.map_err(Error::from)?;
    if as_csv {
        let head = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"schedule-{date}.csv\"")),
        ];
        return Ok((head, csv(&day)).into_response());
    }
    Ok(Json(day).into_response())
}

/// `POST /v1/schedule/verify`
pub async fn verify(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let request: VerifyRequest = body::read(&body)?;
    let only = Only { provider: request.provider, location: request.location };
    let started = app.schedule.verify(&caller.0, request.date, request.ids.as_deref(), &only).await;
    let verified = started.map_err(not_made)?;
    let Some(batch) = &verified.batch else {
        return Ok(Json(VerifyStarted { verified, progress: None }).into_response());
    };
    let location = HeaderValue::from_str(&format!("/v1/eligibility/batches/{batch}"));
    let progress = app.batches.get(caller.0.practice(), batch).await.map_err(Error::from)?;
    let mut response = (StatusCode::ACCEPTED, Json(VerifyStarted { verified, progress })).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `POST /v1/schedule/appointments`
pub async fn add(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let new: AppointmentNew = body::read(&body)?;
    let added = app.schedule.add(&caller.0, new.date, &new.patient, new.visit).await?;
    let location = HeaderValue::from_str(&format!("/v1/schedule/appointments/{}", added.id));
    let mut response = (StatusCode::CREATED, Json(added)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `GET /v1/schedule/appointments/{id}`
pub async fn one(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Appointment>, Problem> {
    caller.need(Scope::Ask)?;
    let found = app.schedule.appointment(&caller.0, &id).await.map_err(Error::from)?;
    found.map(Json).ok_or_else(unknown)
}

/// `PUT /v1/schedule/appointments/{id}`
pub async fn correct(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let change: AppointmentChange = body::read(&body)?;
    match app.schedule.correct(&caller.0, &id, change.version, change.date, change.visit).await? {
        Done::Kept(now) => Ok(Json(now).into_response()),
        Done::Meanwhile(_) => Err(Problem::new(
            StatusCode::CONFLICT,
            "Changed meanwhile",
            "Somebody else has changed this appointment since this version was read. Read it again, then send yours.",
        )),
        Done::Unknown => Err(unknown()),
    }
}

/// `DELETE /v1/schedule/appointments/{id}`
pub async fn take_off(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.need(Scope::Ask)?;
    match app.schedule.take_off(&caller.0, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown()),
    }
}

fn unknown() -> Problem {
    Problem::not_found("This practice has no such appointment.")
}

impl From<NotAdded> for Problem {
    fn from(not_added: NotAdded) -> Self {
        match not_added {
            NotAdded::Problems(problems) => Self::fields(problems),
            NotAdded::Elsewhere(text) => Self::new(StatusCode::CONFLICT, "Not to be changed here", text),
            NotAdded::Error(error) => Error::from(error).into(),
        }
    }
}

/// The day as a file, with nothing in it that a spreadsheet would run.
fn csv(day: &DayView) -> Vec<u8> {
    let optional = |text: Option<String>| text.unwrap_or_default();
    let cells = |row: &RowView| {
        vec![
            day.date.to_string(),
            optional(row.time.map(|time| time.strftime("%H:%M").to_string())),
            row.patient.last_name.text().to_owned(),
            row.patient.first_name.text().to_owned(),
            row.patient.date_of_birth.expose().to_string(),
            optional(row.visit_type.as_ref().map(|kind| kind.text().to_owned())),
            optional(row.provider.clone()),
            optional(row.location.clone()),
            optional(row.carrier_name.clone()),
            row.badge.word().to_owned(),
            optional(row.standing.as_ref().and_then(|standing| standing.as_of).map(|at| at.to_string())),
            optional(row.collect.map(|amount| amount.to_string())),
            row.next.word().to_owned(),
            optional(row.standing.as_ref().and_then(|standing| standing.text.clone())),
        ]
    };
    let header = COLUMNS.map(str::to_owned).to_vec();
    sheet(std::iter::once(header).chain(day.rows.iter().filter(|row| !row.vanished).map(cells)))
}

fn kind(headers: &HeaderMap) -> Result<Kind, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(Kind::Csv),
        "text/tab-separated-values" => Ok(Kind::Pasted),
        "application/fhir+json" | "application/json" => Ok(Kind::Fhir),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "This kind of body is not read",
            "Send text/csv, text/tab-separated-values or application/fhir+json.",
        )),
    }
}

async fn file(request: Request) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(request.into_body(), FILE_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The file is too large",
            format!("A file may have {FILE_MAX} bytes at most, and must arrive as a whole; import it in parts."),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The file came too slowly",
            "The file was not there within 60 seconds; send it again.",
        )),
    }
}

fn not_made(not_made: NotMade) -> Problem {
    match not_made {
        NotMade::KeyUsed | NotMade::TooMany => too_many().into(),
        NotMade::Error(error) => error.into(),
    }
}

impl From<NotImported> for Problem {
    fn from(not_imported: NotImported) -> Self {
        match not_imported {
            NotImported::Problems(problems, count) => Self::some_fields(problems, count),
            NotImported::Patients(not_kept) => not_kept.into(),
            NotImported::Error(error) => error.into(),
        }
    }
}
