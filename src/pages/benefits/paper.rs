//! The page of an answer on Letter paper, for people and for programs: the same markup, drawn by [`crate::paper`].

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::{Scene, sheet};
use crate::api::eligibility::{self, Stored};
use crate::api::{App, Authenticated, Problem};
use crate::pages::check::typed;
use crate::pages::fault::Fault;
use crate::pages::visit::Visit;
use crate::stack::Envelope;

/// What a viewer must not do with it. A viewer of the browser's own is no script of ours.
const POLICY: &str = "script-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `GET /checks/{id}/pdf`
pub async fn page(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(printed(&visit.app, &visit.api(), &id).await?)
}

/// `GET /v1/eligibility/{id}/pdf`: of the API, and served from here because the paper is the page.
pub async fn of_api(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    printed(&app, &caller, &id).await
}

/// The answer as a PDF. That it is read is on record before; its name tells nothing of the patient.
async fn printed(app: &App, caller: &Authenticated, id: &str) -> Result<Response, Problem> {
    let nothing = || Problem::not_found("This question has no answer that could be printed.");
    let Stored::Ended(bytes) = eligibility::stored(app, caller, id).await? else { return Err(nothing()) };
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| nothing())?;
    let typed = typed::of(app, caller.0.practice(), id, &envelope.carrier).await.map_err(connector_sdk::Error::from)?;
    let typed = typed.unwrap_or_default();
    let scene = Scene::of(app, &envelope, &typed.fields, true).ok_or_else(nothing)?;
    let changes = crate::api::changes::since(app, caller, &envelope).await?;
    let html = sheet(&scene, changes.as_ref(), None).into_string();
    let pdf = crate::paper::print("Benefits", html).await?;
    let named = HeaderValue::from_str(&format!("inline; filename=\"benefits-{}.pdf\"", envelope.id));
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, named.unwrap_or_else(|_| HeaderValue::from_static("inline"))),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    Ok((head, pdf).into_response())
}
