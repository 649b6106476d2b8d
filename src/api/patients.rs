//! `/v1/patients`: the practice's patients, found tolerantly, with the last word of each carrier.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::App;
use super::body::{self, Body};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::identity::Scope;
use crate::patients::{Changed, FOUND_MAX, Found, NotKept, Past, Patient, PatientView, PhoneWord, Standing};

/// Patients given by one search unless told otherwise.
const FOUND: usize = 8;

/// Body of `POST /v1/patients/search`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatientSearch {
    /// What somebody typed: names in any order, date of birth, member id or its end, phone, medical record number.
    query: String,
    /// Patients at most: 8 unless told otherwise, 50 at most.
    limit: Option<usize>,
}

/// Answer of `POST /v1/patients/search`.
#[derive(Serialize, JsonSchema)]
pub struct PatientsFound {
    /// Best first.
    patients: Vec<Found>,
}

/// Body of `PUT /v1/patients/{id}`.
#[derive(Deserialize, JsonSchema)]
pub struct PatientChange {
    /// The version that was changed.
    version: i64,
    /// The patient as they are to be.
    patient: Patient,
}

/// A patient with what each carrier last said.
#[derive(Serialize, JsonSchema)]
pub struct PatientPage {
    /// The patient.
    #[serde(flatten)]
    patient: PatientView,
    /// One for each carrier, in the order of the coverages.
    standings: Vec<Standing>,
}

/// Answer of `GET /v1/patients/{id}/answers`.
#[derive(Serialize, JsonSchema)]
pub struct PastList {
    /// Newest first.
    answers: Vec<Past>,
}

/// `POST /v1/patients/search`
pub async fn search(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let search: PatientSearch = body::read(&body)?;
    let most = search.limit.unwrap_or(FOUND).clamp(1, FOUND_MAX);
    let found = app.patients.search(&caller.0, &search.query, app.gateway.today(), most).await.map_err(Error::from)?;
    Ok(Json(PatientsFound { patients: found }).into_response())
}

/// `POST /v1/patients`
pub async fn make(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let patient: Patient = body::read(&body)?;
    let made = app.patients.make(&caller.0, patient, app.gateway.today()).await?;
    let location = HeaderValue::from_str(&format!("/v1/patients/{}", made.id));
    let mut response =
        (StatusCode::CREATED, Json(PatientPage { patient: made, standings: Vec::new() })).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `GET /v1/patients/{id}`
pub async fn read(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let practice = caller.0.practice();
    let patient = app.patients.get(practice, &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    app.patients.record_reading(&caller.0, "patient.read", &id).await.map_err(Error::from)?;
    page(&app, &caller, patient).await
}

async fn page(app: &App, caller: &Authenticated, patient: PatientView) -> Result<Response, Problem> {
    let standings = app.patients.standings(caller.0.practice(), &[(&patient, None)]).await.map_err(Error::from)?;
    let standings = standings.into_iter().next().unwrap_or_default();
    Ok(Json(PatientPage { patient, standings }).into_response())
}

/// `PUT /v1/patients/{id}`
pub async fn change(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let change: PatientChange = body::read(&body)?;
    let yours = change.patient.clone();
    let changed = app.patients.change(&caller.0, &id, change.version, change.patient, app.gateway.today(), None).await;
    match changed.map_err(under_patient)? {
        Changed::Kept(patient) => page(&app, &caller, *patient).await,
        Changed::Unknown => Err(unknown()),
        Changed::Meanwhile(theirs) => {
            app.patients.record_reading(&caller.0, "patient.read", &id).await.map_err(Error::from)?;
            Ok(conflict(&theirs, &yours))
        }
    }
}

/// Two on the same patient: both versions, so that neither's work is lost.
fn conflict(theirs: &PatientView, yours: &Patient) -> Response {
    let detail = "Somebody has changed this patient since you read it. `current` is how it stands, `yours` what you sent: \
        put both together, and send it with the current version.";
    let problem = Problem::new(StatusCode::CONFLICT, "Changed meanwhile", detail);
    let mut document = serde_json::to_value(&problem).unwrap_or_default();
    if let Value::Object(members) = &mut document {
        members.insert("current".to_owned(), serde_json::to_value(theirs).unwrap_or_default());
        members.insert("yours".to_owned(), serde_json::to_value(yours).unwrap_or_default());
    }
    let head = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::CONFLICT, head, document.to_string()).into_response()
}

/// `GET /v1/patients/{id}/answers`
pub async fn answers(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let practice = caller.0.practice();
    let patient = app.patients.get(practice, &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    app.patients.record_reading(&caller.0, "patient.answers_read", &id).await.map_err(Error::from)?;
    let answers = app.patients.past(practice, &patient).await.map_err(Error::from)?;
    Ok(Json(PastList { answers }).into_response())
}

/// `POST /v1/patients/{id}/phone-verifications`
pub async fn phoned(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let word: PhoneWord = body::read(&body)?;
    let phoned = app.patients.phoned(&caller.0, &id, word).await?.ok_or_else(unknown)?;
    Ok((StatusCode::CREATED, Json(phoned)).into_response())
}

impl From<NotKept> for Problem {
    fn from(not_kept: NotKept) -> Self {
        match not_kept {
            NotKept::Problems(problems) => Self::fields(problems),
            NotKept::TooMany => Self::gateway_acts("Too many patients", NotKept::TOO_MANY),
            NotKept::Error(error) => Error::from(error).into(),
        }
    }
}

/// The problems of a patient that stands under `/patient` in the body.
fn under_patient(not_kept: NotKept) -> Problem {
    match not_kept {
        NotKept::Problems(problems) => {
            let under = |problem: FieldProblem| FieldProblem::new(format!("/patient{}", problem.path), problem.message);
            Problem::fields(problems.into_iter().map(under).collect())
        }
        other => other.into(),
    }
}

/// The same whether there is none or they are another practice's.
pub(super) fn unknown() -> Problem {
    Problem::not_found("This practice has no patient with this id.")
}
