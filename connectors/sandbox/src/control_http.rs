//! The control plane over HTTP, on a port of its own: what [`crate::Control`] can do, for tests in other processes.
//!
//! `GET /_control/state`, `GET /_control/truth`, `POST /_control/clock {"advance_secs": 900}`, `POST /_control/reset`,
//! `POST /_control/{carrier}/switches {"down": "refuse", "layout": "B", "page": "captcha", "latency_ms": 50}`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::Switches;
use crate::sandbox::Control;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_secs: u64,
}

pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/_control/state", get(async |State(control): State<Control>| reply(StatusCode::OK, &control.state())))
        .route("/_control/truth", get(async || reply(StatusCode::OK, &crate::truth())))
        .route("/_control/clock", post(clock))
        .route("/_control/reset", post(reset))
        .route("/_control/{carrier}/switches", post(switches))
        .with_state(control)
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn bad(message: &str) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({ "error": message }))
}

async fn clock(State(control): State<Control>, body: Bytes) -> Response {
    let Ok(step) = serde_json::from_slice::<Advance>(&body) else { return bad("Send {\"advance_secs\": 900}.") };
    control.advance(step.advance_secs);
    reply(StatusCode::OK, &control.state())
}

async fn reset(State(control): State<Control>) -> Response {
    control.reset();
    reply(StatusCode::OK, &control.state())
}

async fn switches(State(control): State<Control>, Path(carrier): Path<String>, body: Bytes) -> Response {
    match serde_json::from_slice::<Switches>(&body) {
        Ok(switches) if control.set(&carrier, switches) => reply(StatusCode::OK, &control.state()),
        Ok(_) => reply(StatusCode::NOT_FOUND, &json!({ "error": "No such carrier." })),
        Err(error) => bad(&error.to_string()),
    }
}
