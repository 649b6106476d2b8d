//! `/v1/trail/packets`: evidence packets.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::intake;
use super::problem::Problem;
use super::trail::PatientBody;
use crate::identity::Scope;
use crate::packets::{self, PacketError};

/// Body of `POST /v1/trail/packets`: one of `ask`, `submission` and `patient`, or only a time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketBody {
    /// Everything about one question.
    ask: Option<String>,
    /// Everything about one submission.
    submission: Option<String>,
    /// Everything about one patient.
    patient: Option<PatientBody>,
    /// Not before.
    #[schemars(with = "Option<String>")]
    from: Option<Timestamp>,
    /// Before this.
    #[schemars(with = "Option<String>")]
    to: Option<Timestamp>,
    /// Why it is made; kept, sealed, with the record of it.
    why: Option<String>,
}

/// `POST /v1/trail/packets`
pub async fn make(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Response, Problem> {
    caller.need(Scope::Trail)?;
    let body: PacketBody = intake::any(&body)?;
    let mut problems = Vec::new();
    let named = [body.ask.is_some(), body.submission.is_some(), body.patient.is_some()];
    match named.into_iter().filter(|named| *named).count() {
        0 if body.from.is_none() || body.to.is_none() => {
            problems.push(FieldProblem::new("", "Name an ask, a submission or a patient, or a time by from and to."));
        }
        0 | 1 => {}
        _ => problems.push(FieldProblem::new("", "Name one of ask, submission and patient.")),
    }
    let patient = body.patient.map(|patient| patient.key("/patient", &mut problems));
    if !problems.is_empty() {
        return Err(Problem::fields(problems));
    }
    let scope =
        packets::Scope { ask: body.ask.or(body.submission), patient, from: body.from, to: body.to, why: body.why };
    let packet =
        packets::make(&app.trail, &app.submissions.kept(), caller.0.practice(), &caller.0.actor(), scope).await?;
    let mut response = packet.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name = format!("attachment; filename=\"evidence-{}.zip\"", packet.id);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

impl From<PacketError> for Problem {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::Nothing => Self::not_found("Nothing is on record for this."),
            PacketError::TooLarge => Self::fields(vec![FieldProblem::new("/from", error.to_string())]),
            PacketError::Busy => Self::new(StatusCode::TOO_MANY_REQUESTS, "Packets are being made", error.to_string()),
            PacketError::RolledBack => Self::gateway_acts(
                "Audit rollback",
                "The paper trail is not the one that was anchored; whoever runs this gateway must accept that first: \
                 `portico trail accept-rollback`.",
            ),
            PacketError::Store(error) => Error::from(error).into(),
        }
    }
}
