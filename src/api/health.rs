//! Liveness, readiness and metrics. No authentication: they say nothing about patients or practices.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use super::App;

/// Answer of `GET /readyz`.
#[derive(Serialize, JsonSchema)]
pub struct Readiness {
    /// Whether questions can be answered.
    ready: bool,
    /// What is missing: `sealed`, `store`, `no_carriers`, `audit_rollback` (the paper trail is not the one that was
    /// anchored: see `portico trail verify`). A gateway with a newer database does not start at all.
    missing: Vec<&'static str>,
    /// Carriers loaded.
    carriers: usize,
    /// Carrier files that have problems; their last good version, where there is one, goes on.
    carrier_files_with_problems: usize,
}

/// `GET /healthz`: the process is alive.
pub async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 when questions can be answered, else 503 with what is missing.
pub async fn ready(State(app): State<App>) -> Response {
    let mut missing = Vec::new();
    if app.trail.writable().is_err() {
        missing.push("store");
    }
    if app.trail.held().is_some() {
        missing.push("audit_rollback");
    }
    let book = app.gateway.planes().book();
    let carriers = book.snapshot().carriers.len();
    if carriers == 0 {
        missing.push("no_carriers");
    }
    let carrier_files_with_problems = book.broken_files();
    let readiness = Readiness { ready: missing.is_empty(), missing, carriers, carrier_files_with_problems };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// `GET /readyz` while the vault is sealed.
pub async fn sealed() -> Response {
    let readiness = Readiness { ready: false, missing: vec!["sealed"], carriers: 0, carrier_files_with_problems: 0 };
    (StatusCode::SERVICE_UNAVAILABLE, Json(readiness)).into_response()
}

/// `GET /metrics`: Prometheus text.
pub async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render()).into_response()
}
