//! The staff's pages: HTML over HTTP, written by the server; every page works without scripts and is quicker with them.
//!
//! A page does what the API does, by the API's own functions (`Visit::api` is the caller they take): there is no rule
//! here that is not there. How a request is read, in order: `visit` (who is signed in), `fields` (what a form sent,
//! proven to come from our own page), the page's own file, `parts` (what it is put together from), `frame` (what is
//! around it). `fault` is what is shown when a page cannot be; `plain` sees to it that a browser is always told in words.
//!
//! Rules that tests hold: a page's title is a fixed text; no patient data in an address (searches are POST and lead on to
//! an opaque id); nothing inline, so that the content security policy needs no exception; a POST ends with a redirect, or
//! with the form as it was typed and everything that is wrong with it.

mod account;
mod admin;
mod assets;
mod batches;
mod benefits;
mod carrier_health;
mod carrier_login;
mod carriers;
mod check;
mod components;
mod developer;
mod draft;
mod fault;
mod fields;
mod find;
mod frame;
mod parts;
mod patient;
mod plain;
mod second_step;
mod setup;
mod sign_in;
mod tasks;
mod today;
mod trail;
mod visit;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, Method, header};

use crate::api::{self, App};
use crate::identity::Scope;
use fault::Fault;
pub use plain::sealed;
use visit::Visit;

/// A form larger than this is refused, bytes; a page that takes files sets its own.
const BODY_MAX: usize = 1 << 20;
/// A file that is handed in on a page, bytes: what the API takes.
const FILE_MAX: usize = api::batches::BODY_MAX;
/// The same where a schedule is taken in: the file, and what is around it.
const IMPORT_MAX: usize = crate::schedule::FILE_MAX + BODY_MAX;

/// All pages, and the API beside them.
pub fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(first))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-in/again", post(sign_in::again))
        .route("/sign-in/code", get(second_step::code).post(second_step::put_code))
        .route("/sign-in/recovery", post(second_step::put_recovery))
        .route("/sign-in/enrol", get(second_step::enrol).post(second_step::put_enrol))
        .route("/sign-in/enrol/confirm", post(second_step::confirm))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/setup", get(setup::show).post(setup::set_up))
        .route("/invitation", get(setup::invitation).post(setup::accept))
        .route("/account", get(account::show))
        .route("/account/password", post(account::password))
        .route("/account/practice", post(account::practice))
        .route("/account/sessions/{id}/end", post(account::end))
        .route("/trail", get(trail::show))
        .route("/trail/search", post(trail::search))
        .route("/trail/packet", post(trail::packet))
        .route("/batches", get(batches::list).post(batches::make).layer(DefaultBodyLimit::max(FILE_MAX)))
        .route("/batches/{id}", get(batches::show))
        .route("/batches/{id}/{wish}", post(batches::turn))
        .route("/tasks", get(tasks::show))
        .route("/tasks/{id}/answer", post(tasks::answer))
        .route("/tasks/{id}/dismiss", post(tasks::dismiss))
        .route("/tasks/submissions/{id}", post(tasks::resolve))
        .route("/tasks/holds/{carrier}/release", post(tasks::release))
        .route("/dev/components", get(components::show))
        .merge(of_carriers())
        .merge(of_admin())
        .merge(of_developers())
        .route("/find", get(find::show).post(find::find))
        .merge(check::routes())
        .merge(of_desk())
        .layer(axum::middleware::from_fn_with_state(app.clone(), held))
        .route("/assets/{name}", get(assets::get))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::map_response(guarded))
        .with_state(app.clone());
    api::router(app).merge(pages).fallback(nothing).layer(axum::middleware::from_fn(plain::spoken))
}

fn of_carriers() -> Router<App> {
    Router::new()
        .route("/carriers", get(carriers::list))
        .route("/carriers/{id}", get(carriers::one))
        .route("/carriers/{id}/pause", post(carrier_health::pause))
        .route("/carriers/{id}/resume", post(carrier_health::resume))
        .route("/carriers/{id}/login", post(carrier_login::put))
        .route("/carriers/{id}/verify", post(carrier_login::verify))
}

fn of_admin() -> Router<App> {
    Router::new()
        .route("/admin", get(admin::first))
        .route("/admin/people", get(admin::people::show).post(admin::people::invite))
        .route("/admin/people/{id}/role", post(admin::people::role))
        .route("/admin/people/{id}/reset", post(admin::people::reset))
        .route("/admin/people/{id}/remove", post(admin::people::remove))
        .route("/admin/sessions", get(admin::sessions::show))
        .route("/admin/sessions/{id}/end", post(admin::sessions::end))
        .route("/admin/practice", get(admin::practice::show).post(admin::practice::put))
        .route("/admin/logins", get(admin::logins::show))
        .route("/admin/webhooks", get(admin::webhooks::show).post(admin::webhooks::make))
        .route("/admin/webhooks/{id}/enable", post(admin::webhooks::enable))
        .route("/admin/webhooks/{id}/remove", post(admin::webhooks::remove))
        .route("/admin/carriers", get(admin::files::list))
        .route("/admin/carriers/new", get(admin::files::new).post(admin::files::add))
        .route("/admin/carriers/connect", get(admin::connect::show).post(admin::connect::make))
        .route("/admin/carriers/{id}/remove", get(admin::gone::confirm).post(admin::gone::remove))
        .route("/admin/carriers/{id}/bring-back", post(admin::gone::bring_back))
        .route("/admin/carriers/{id}", get(admin::files::show).post(admin::files::put))
        .route("/admin/carriers/{id}/roll-back", post(admin::files::roll_back))
}

fn of_developers() -> Router<App> {
    Router::new()
        .route("/developer", get(developer::show))
        .route("/developer/keys", post(developer::make_key))
        .route("/developer/keys/{id}/revoke", post(developer::revoke_key))
        .route("/developer/sandbox", get(developer::sandbox::show))
        .route("/developer/sandbox/normal", post(developer::sandbox::normal))
        .route("/developer/sandbox/clock", post(developer::sandbox::advance))
        .route("/developer/sandbox/{carrier}", post(developer::sandbox::set))
        .route("/developer/explorer", get(developer::explorer::show).post(developer::explorer::send))
}

/// The desk: who comes, and each patient.
fn of_desk() -> Router<App> {
    Router::new()
        .route("/today", get(today::show))
        .route("/today/verify", post(today::verify))
        .route("/today/batch/{id}", post(today::turn))
        .route("/today/huddle", get(today::huddle::show))
        .route("/today/add", get(today::add::show).post(today::add::take))
        .route("/today/add/find", post(today::add::find))
        .route("/today/appointments/{id}", get(today::correct::show).post(today::correct::correct))
        .route("/today/appointments/{id}/take-off", post(today::correct::take_off))
        .route(
            "/schedule/import",
            get(today::import::show).post(today::import::take).layer(DefaultBodyLimit::max(IMPORT_MAX)),
        )
        .route("/patients/{id}", get(patient::show).post(patient::change))
        .route("/patients/{id}/phone", post(patient::phone))
}

/// `GET /`: where one's work is.
async fn first(visit: Visit) -> Redirect {
    let pages = [(Scope::Ask, "/today"), (Scope::Trail, "/trail"), (Scope::Carriers, "/carriers")];
    Redirect::to(pages.into_iter().find(|(scope, _)| visit.may(*scope)).map_or("/account", |(_, page)| page))
}

/// There is no such address. A browser gets a page, a program what the API says.
async fn nothing(request: Request) -> Response {
    let response = match plain::is_for_person(request.headers(), request.uri().path()) {
        true => Fault::not_found().into_response(),
        false => api::no_such_route().await.into_response(),
    };
    guarded(response).await
}

/// While the paper trail is not the one that was anchored, pages only show.
async fn held(State(app): State<App>, request: Request, next: Next) -> Response {
    let signing = request.uri().path().starts_with("/sign-");
    let reads = signing || matches!(*request.method(), Method::GET | Method::HEAD);
    match api::while_held(&app) {
        Some(problem) if !reads => Fault::from(problem).into_response(),
        _ => next.run(request).await,
    }
}

/// What a browser must not do with our pages. Nothing inline and nothing from elsewhere; `same-origin` because a browser
/// that is to tell nobody where it comes from does not tell us either, and we ask.
async fn guarded(mut response: Response) -> Response {
    const GUARDS: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
        ),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in GUARDS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
