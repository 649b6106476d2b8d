//! JSON over HTTP, version 1; the only room that knows status codes. One file per family of routes.

mod body;
mod caller;
mod carriers;
mod credentials;
mod docs;
mod eligibility;
mod events;
mod health;
mod intake;
mod openapi;
mod problem;
mod server;
mod trail;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};

pub use openapi::document as openapi_document;
pub use problem::status as status_of;
pub use server::{Server, serve};

use crate::events::{Events, Webhooks};
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::trail::Trail;
use crate::vault::Vault;

/// A request body larger than this is refused, bytes.
const BODY_MAX: usize = 1 << 20;

/// What the routes work with.
#[derive(Clone)]
pub struct App {
    /// Questions.
    pub gateway: Arc<Gateway>,
    /// API keys.
    pub identity: Arc<Identity>,
    /// Credentials, write-only.
    pub vault: Arc<Vault>,
    /// Answers and records.
    pub trail: Arc<Trail>,
    /// What happened, to read.
    pub events: Arc<Events>,
    /// What happened, delivered.
    pub webhooks: Arc<Webhooks>,
    /// Renders the metrics page.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
}

/// All routes. A route that is missing from the OpenAPI document fails a test.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::page))
        .route("/", get(docs::front))
        .route("/v1/carriers", get(carriers::search))
        .route("/v1/carriers/{id}", get(carriers::one))
        .route("/v1/eligibility", post(eligibility::ask))
        .route("/v1/eligibility/{id}", get(eligibility::read))
        .route("/v1/eligibility/{id}/raw", get(eligibility::raw))
        .route("/v1/credentials", get(credentials::list))
        .route("/v1/credentials/{carrier}", put(credentials::put))
        .route("/v1/credentials/{carrier}/verify", post(credentials::verify))
        .route("/v1/trail", get(trail::list))
        .route("/v1/events", get(events::list))
        .route("/v1/webhooks", get(events::webhooks).post(events::make))
        .route("/v1/webhooks/{id}", delete(events::delete))
        .route("/v1/webhooks/{id}/enable", post(events::enable))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(app)
}

async fn no_such_route() -> problem::Problem {
    problem::Problem::not_found("There is no such address; GET /docs lists them.")
}

async fn wrong_method() -> problem::Problem {
    problem::Problem::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "Method not allowed",
        "This address exists, but not with this method; GET /docs lists them.",
    )
}
