//! While the paper trail is not the one that was anchored, only reading is allowed.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::App;
use super::problem::Problem;

/// What only reads although it is no GET: searches and packets of the trail, and signing in to look.
const READING: &[&str] = &["/v1/trail/", "/v1/session", "/v1/sign-in"];

const TITLE: &str = "Audit rollback: only reading is allowed";
const DETAIL: &str = "The paper trail is not the one that was anchored: the database was put back to an earlier state, or \
    replaced. No carrier is asked and nothing is sent or changed. Whoever runs this gateway must stop it, look at what \
    `portico trail verify` says, and run `portico trail accept-rollback --reason \u{2026}` before it is started again.";

/// Why nothing may be asked or changed now; `None` while all is well.
pub fn while_held(app: &App) -> Option<Problem> {
    app.trail.held().map(|_| Problem::gateway_acts(TITLE, DETAIL))
}

/// Refuses what asks a carrier or has an effect while a rollback is not accepted.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || READING.iter().any(|start| request.uri().path().starts_with(start));
    match while_held(&app) {
        Some(problem) if !reads => problem.into_response(),
        _ => next.run(request).await,
    }
}
