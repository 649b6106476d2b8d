//! `/v1/trail`: the paper trail of the caller's practice.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::intake;
use super::problem::Problem;
use crate::identity::Scope;
use crate::trail::{Detail, Filter, PatientKey, Search, TrailEntry, TrailRecord, Use};

/// Records on one page at most.
const PAGE_MAX: u32 = 500;

/// Query of `GET /v1/trail`.
#[derive(Deserialize)]
pub struct Page {
    /// Records at most.
    pub limit: Option<u32>,
}

/// Answer of `GET /v1/trail`.
#[derive(Serialize, JsonSchema)]
pub struct TrailPage {
    /// Newest first. No record holds patient data.
    pub records: Vec<TrailEntry>,
}

/// Which patient is meant: by member id, or by name and date of birth, as the carrier was asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatientBody {
    /// The carrier's id.
    carrier: String,
    /// Member id; spaces and hyphens do not count.
    member_id: Option<String>,
    /// First name, where there is no member id.
    first_name: Option<String>,
    /// Last name, where there is no member id.
    last_name: Option<String>,
    /// The patient's date of birth, `YYYY-MM-DD`.
    date_of_birth: Option<Date>,
}

impl PatientBody {
    /// The patient's key, or what is missing.
    pub fn key(self, at: &str, problems: &mut Vec<FieldProblem>) -> PatientKey {
        let name = self.last_name.zip(self.first_name);
        if self.member_id.is_none() && (name.is_none() || self.date_of_birth.is_none()) {
            problems.push(FieldProblem::new(at, "Name the member_id, or last_name, first_name and date_of_birth."));
        }
        PatientKey {
            carrier: self.carrier,
            member_id: self.member_id,
            date_of_birth: self.date_of_birth.map(|date| date.to_string()),
            name,
        }
    }
}

/// Body of `POST /v1/trail/search`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchBody {
    /// Records about one question or submission.
    ask: Option<String>,
    /// Records about one patient.
    patient: Option<PatientBody>,
    /// Not before.
    #[schemars(with = "Option<String>")]
    from: Option<Timestamp>,
    /// Before this.
    #[schemars(with = "Option<String>")]
    to: Option<Timestamp>,
    /// Records at most; 100 when it is left out, 500 at most.
    limit: Option<u32>,
    /// Why they are looked at; kept, sealed, with the record of this search.
    why: Option<String>,
}

/// A record with what it commits to.
#[derive(Serialize, JsonSchema)]
pub struct FoundRecord {
    /// The record.
    pub record: TrailEntry,
    /// Which patient, why, under which identity at the carrier; `null` where the record commits to nothing.
    pub detail: Value,
}

/// Answer of `POST /v1/trail/search`.
#[derive(Serialize, JsonSchema)]
pub struct FoundRecords {
    /// Oldest first.
    pub records: Vec<FoundRecord>,
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

/// `POST /v1/trail/search`: who asked or read about whom, under which identity at the carrier, and why.
pub async fn search(
    State(app): State<App>,
    caller: Authenticated,
    Body(body): Body,
) -> Result<Json<FoundRecords>, Problem> {
    caller.need(Scope::Trail)?;
    let body: SearchBody = intake::any(&body)?;
    let mut problems = Vec::new();
    if body.ask.is_none() && body.patient.is_none() {
        problems.push(FieldProblem::new("", "Name an ask or a patient; GET /v1/trail lists everything."));
    }
    let patient = body.patient.map(|patient| patient.key("/patient", &mut problems));
    if !problems.is_empty() {
        return Err(Problem::fields(problems));
    }
    let practice = caller.0.practice();
    // Reading patient data is an act, and is recorded before the data leaves.
    let mut detail = Detail::default().say("why", body.why);
    if let Some(patient) = &patient {
        detail = detail.patient(patient.clone()).say("looked_for", looked_for(patient));
    }
    let mut record =
        TrailRecord::new(practice, &caller.0.actor(), "trail.searched").purpose(Use::Operations).detail(detail);
    if let Some(ask) = &body.ask {
        record = record.ask(ask);
    }
    app.trail.record(record).await.map_err(Error::from)?;
    let (from, to) = (body.from.map(Timestamp::as_microsecond), body.to.map(Timestamp::as_microsecond));
    let search = Search { ask: body.ask, patient, from, to };
    let limit = body.limit.unwrap_or(100).clamp(1, PAGE_MAX);
    let found = app.trail.search(practice, &search, limit).await.map_err(Error::from)?;
    let records = found.into_iter().map(|found| FoundRecord { detail: found.said(), record: found.entry }).collect();
    Ok(Json(FoundRecords { records }))
}

/// What a search was for, as its record keeps it, sealed.
pub(super) fn looked_for(patient: &PatientKey) -> Value {
    serde_json::json!({
        "carrier": patient.carrier,
        "member_id": patient.member_id,
        "name": patient.name,
        "date_of_birth": patient.date_of_birth,
    })
}
