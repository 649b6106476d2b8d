//! Somebody signed in who looks at a page.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use http::request::Parts;

use super::fault::Fault;
use super::frame::{self, Place};
use crate::api::{App, Authenticated, Door};
use crate::identity::{AuthError, Caller, Scope, Session};

/// Somebody signed in, wholly. What a handler of a page takes; without it the browser is sent to the sign-in.
pub struct Visit {
    /// What pages work with: what the API works with.
    pub app: App,
    /// The session.
    pub session: Session,
    /// Who it is, in which practice.
    pub caller: Arc<Caller>,
    /// What the browser brought along.
    pub door: Door,
    /// Whether only the part that changes is wanted: a page's script asks, not a person.
    pub part: bool,
}

impl Visit {
    pub(super) async fn of(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let door = Door::of(parts, app);
        let path = parts.uri.path().to_owned();
        let session = match &door.session {
            None => return Err(sign_in(parts, &path)),
            Some(cookie) => app.identity.session(cookie).await,
        };
        let session = match session {
            Ok(session) => session,
            Err(AuthError::Store(error)) => return Err(Fault::from(error).into_response()),
            Err(_) => return Err(sign_in(parts, &path)),
        };
        let Some(caller) = session.caller() else {
            return Err(Redirect::to(super::second_step::address(session.level)).into_response());
        };
        let part = parts.headers.contains_key("hx-request");
        Ok(Self { app: app.clone(), session, caller: Arc::new(caller), door, part })
    }

    /// Refuses somebody whose role lacks `scope`.
    pub fn need(&self, scope: Scope) -> Result<(), Fault> {
        Ok(self.api().need(scope)?)
    }

    /// Whether the role has `scope`.
    pub fn may(&self, scope: Scope) -> bool {
        self.caller.may(scope)
    }

    /// The caller as the API's own functions take it: a page does what the API does, by the same function.
    pub fn api(&self) -> Authenticated {
        Authenticated(self.caller.clone())
    }

    /// The time zone that times are shown in.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        self.app.gateway.zone().clone()
    }

    /// Its name.
    pub fn zone_name(&self) -> String {
        self.app.gateway.zone().iana_name().unwrap_or("UTC").to_owned()
    }

    /// The practice that one works in, as its people call it.
    pub fn practice_name(&self) -> &str {
        let own = |one: &&crate::identity::Membership| one.practice == self.session.practice.as_str();
        self.session.memberships.iter().find(own).map_or("", |one| one.name.as_str())
    }

    /// What people call a carrier; its id where there is none such any more.
    pub fn carrier_name(&self, id: &str) -> String {
        self.app.gateway.planes().book().get(id).map_or_else(|| id.to_owned(), |carrier| carrier.name.clone())
    }

    /// Whether a carrier is asked at this very machine: a simulated one.
    pub fn is_sandbox(&self) -> bool {
        let here =
            |host: &String| host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
        self.app.gateway.planes().book().snapshot().carriers.values().any(|carrier| carrier.hosts.iter().any(here))
    }

    /// A whole page. The title is a fixed text: no patient's name stands in a tab or in the browser's history.
    pub fn page(&self, here: Place, title: &'static str, body: maud::Markup) -> maud::Markup {
        frame::page(self, here, title, body)
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        Self::of(parts, app).await
    }
}

/// To the sign-in, and back afterwards to a page that can be read again; nothing that was sent is done.
fn sign_in(parts: &Parts, path: &str) -> Response {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Redirect::to(&format!("/sign-in?next={}", encode(path))).into_response();
    }
    // Where people type at length, [`super::draft`] keeps it.
    let text = "Nothing was done. Sign in, and do it again.";
    Fault::new(http::StatusCode::UNAUTHORIZED, "Your session has ended", text).into_response()
}

fn encode(path: &str) -> String {
    form_urlencoded::byte_serialize(path.as_bytes()).collect()
}
