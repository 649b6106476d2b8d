//! JSON over HTTP, version 1; the only room that knows status codes. One file per family of routes.

mod authorizations;
mod batch_csv;
mod batch_intake;
pub mod batches;
pub(crate) mod body;
mod caller;
pub(crate) mod carrier_files;
pub(crate) mod carrier_health;
pub(crate) mod carriers;
pub mod changes;
pub(crate) mod credentials;
mod docs;
mod door;
pub mod eligibility;
pub(crate) mod events;
mod gate;
mod health;
mod held;
pub mod holds;
pub mod intake;
mod openapi;
mod openapi_batches;
mod openapi_desk;
mod openapi_files;
mod openapi_people;
mod openapi_tasks;
pub mod packets;
mod patients;
pub(crate) mod people;
mod problem;
mod schedule;
mod server;
pub(crate) mod session;
pub mod submissions;
pub mod tasks;
pub mod trail;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{delete, get, patch, post, put};
pub use gate::{Gate, sealed};
use http::{HeaderName, HeaderValue, header};

pub use body::Body;
pub use caller::Authenticated;
pub use door::Door;
pub use held::while_held;
pub use openapi::document as openapi_document;
pub use problem::{Problem, status as status_of};
pub use server::{Server, serve};

use crate::batches::Batches;
use crate::events::{Events, Webhooks};
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::patients::Patients;
use crate::schedule::Schedule;
use crate::submissions::Submissions;
use crate::tasks::Tasks;
use crate::trail::Trail;
use crate::vault::Vault;

/// A request body larger than this is refused, bytes.
const BODY_MAX: usize = 1 << 20;

/// What the routes work with.
#[derive(Clone)]
pub struct App {
    /// Questions.
    pub gateway: Arc<Gateway>,
    /// What has an effect at a carrier.
    pub submissions: Arc<Submissions>,
    /// What carriers ask of a person.
    pub tasks: Arc<Tasks>,
    /// Many questions at once.
    pub batches: Arc<Batches>,
    /// Who comes when.
    pub schedule: Arc<Schedule>,
    /// The practices' patients.
    pub patients: Arc<Patients>,
    /// Practices, people, sessions, API keys.
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
    /// Proxies that are believed about the client's address.
    pub proxies: Arc<[std::net::IpAddr]>,
    /// The switches of the simulated carriers; only the demo has them.
    pub simulated: Option<sandbox::Control>,
}

/// All routes. A route that is missing from the OpenAPI document fails a test.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::page))
        .route("/v1/carriers", get(carriers::search))
        .route("/v1/carriers/{id}", get(carriers::one))
        .route("/v1/carriers/{id}/health", get(carrier_health::health))
        .route("/v1/carriers/{id}/pause", put(carrier_health::pause))
        .route("/v1/carriers/{id}/resume", post(carrier_health::resume))
        .route("/v1/eligibility", post(eligibility::ask))
        .route("/v1/eligibility/batches", get(batches::list).post(batches::make))
        .route("/v1/eligibility/batches/{id}", get(batches::read))
        .route("/v1/eligibility/batches/{id}/items", get(batches::items))
        .route("/v1/eligibility/batches/{id}/events", get(batches::events))
        .route("/v1/eligibility/batches/{id}/pause", post(batches::pause))
        .route("/v1/eligibility/batches/{id}/resume", post(batches::resume))
        .route("/v1/eligibility/batches/{id}/cancel", post(batches::cancel))
        .route("/v1/eligibility/{id}", get(eligibility::read))
        .route("/v1/eligibility/{id}/raw", get(eligibility::raw))
        .route("/v1/eligibility/{id}/changes", get(changes::read))
        .route("/v1/credentials", get(credentials::list))
        .route("/v1/credentials/{carrier}", put(credentials::put))
        .route("/v1/credentials/{carrier}/verify", post(credentials::verify))
        .route("/v1/trail", get(trail::list))
        .route("/v1/events", get(events::list))
        .route("/v1/webhooks", get(events::webhooks).post(events::make))
        .route("/v1/webhooks/{id}", delete(events::delete))
        .route("/v1/webhooks/{id}/enable", post(events::enable))
        .route("/v1/trail/search", post(trail::search))
        .route("/v1/trail/packets", post(packets::make))
        .merge(sign_in_routes())
        .merge(people_routes())
        .merge(file_routes())
        .merge(desk_routes())
        .route("/v1/authorizations", post(authorizations::submit))
        .route("/v1/authorizations/{id}", get(authorizations::read))
        .route("/v1/authorizations/{id}/timeline", get(authorizations::timeline))
        .route("/v1/authorizations/{id}/cancel", post(authorizations::cancel))
        .route("/v1/submissions", get(submissions::list))
        .route("/v1/submissions/{id}/resolve", post(submissions::resolve))
        .route("/v1/holds", get(holds::list))
        .route("/v1/holds/{carrier}", put(holds::hold))
        .route("/v1/holds/{carrier}/release", post(holds::release))
        .route("/v1/tasks", get(tasks::list))
        .route("/v1/tasks/{id}", get(tasks::one))
        .route("/v1/tasks/{id}/answer", post(tasks::answer))
        .route("/v1/tasks/{id}/dismiss", post(tasks::dismiss))
        .route("/v1/tasks/{id}/again", post(tasks::again))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(app.clone(), held::guard))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::map_response(guarded))
        .with_state(app)
}

fn sign_in_routes() -> Router<App> {
    Router::new()
        .route("/v1/setup", post(session::set_up))
        .route("/v1/session", post(session::sign_in).get(session::current).delete(session::sign_out))
        .route("/v1/session/totp", post(session::code))
        .route("/v1/session/recovery", post(session::recovery))
        .route("/v1/session/totp-enrol", post(session::enrol))
        .route("/v1/session/totp-enrol/confirm", post(session::confirm))
        .route("/v1/session/password", post(session::password))
        .route("/v1/session/practice", post(session::switch))
        .route("/v1/sessions", get(session::list))
        .route("/v1/sessions/{id}", delete(session::revoke))
}

fn file_routes() -> Router<App> {
    Router::new()
        .route("/v1/carriers/check", post(carrier_files::check))
        .route("/v1/carriers/{id}/file", get(carrier_files::read_one).put(carrier_files::put))
        .route("/v1/carriers/removed", get(carrier_files::removed))
        .route("/v1/carriers/{id}/remove", post(carrier_files::remove))
        .route("/v1/carriers/{id}/versions", get(carrier_files::versions))
        .route("/v1/carriers/{id}/versions/{number}", get(carrier_files::version))
}

fn people_routes() -> Router<App> {
    Router::new()
        .route("/v1/people", get(people::list).post(people::add))
        .route("/v1/people/{id}", patch(people::change).delete(people::remove))
        .route("/v1/practice", get(people::practice).put(people::put_practice))
        .route("/v1/keys", get(people::keys).post(people::create_key))
        .route("/v1/keys/{id}", delete(people::revoke_key))
}

fn desk_routes() -> Router<App> {
    Router::new()
        .route("/v1/patients", post(patients::make))
        .route("/v1/patients/search", post(patients::search))
        .route("/v1/patients/{id}", get(patients::read).put(patients::change))
        .route("/v1/patients/{id}/answers", get(patients::answers))
        .route("/v1/patients/{id}/phone-verifications", post(patients::phoned))
        .route("/v1/schedule", get(schedule::day))
        .route("/v1/schedule/import", post(schedule::import))
        .route("/v1/schedule/verify", post(schedule::verify))
        .route("/v1/schedule/appointments", post(schedule::add))
        .route("/v1/schedule/appointments/{id}", get(schedule::one).put(schedule::correct).delete(schedule::take_off))
}

/// What a browser must not do with our pages and answers: put them into somebody else's frame, guess their type, run what
/// is not ours, tell others where it was, keep it. A handler's own word goes first.
async fn guarded(mut response: Response) -> Response {
    const GUARDS: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
        ),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in GUARDS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// There is no such address.
pub async fn no_such_route() -> Problem {
    Problem::not_found("There is no such address; GET /docs lists them.")
}

async fn wrong_method() -> problem::Problem {
    problem::Problem::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "Method not allowed",
        "This address exists, but not with this method; GET /docs lists them.",
    )
}
