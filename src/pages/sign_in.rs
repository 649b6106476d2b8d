//! Signing in and out: address and password, then [`super::second_step`].

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::fault::Fault;
use super::fields::{Anybody, Fields, Sent};
use super::parts::field::text;
use super::parts::problems::Problems;
use super::{frame, second_step};
use crate::api::{App, Door, Problem};
use crate::identity::{Declined, Level, Started, Try};

/// Where one goes after the sign-in, and a word to be told.
#[derive(Deserialize)]
pub struct Way {
    #[serde(default)]
    next: String,
    #[serde(default)]
    said: String,
}

/// With the cookies of a session that has begun, or gone a step further.
pub fn with_cookies(door: &Door, started: &Started, response: impl IntoResponse) -> Response {
    let cookies: Vec<(_, HeaderValue)> = door.cookies(started).into_iter().map(|cookie| (SET_COOKIE, cookie)).collect();
    (AppendHeaders(cookies), response).into_response()
}

/// A page of this gateway, as an address to go on to; anything else becomes the first page.
pub fn onward(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && next.len() <= 200;
    let plain = next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if ours && plain { next } else { "/" }
}

/// `GET /sign-in`
pub async fn show(State(app): State<App>, Query(way): Query<Way>) -> Result<Response, Fault> {
    let fields = Fields::of([("next", onward(&way.next).to_owned())]);
    let told = match way.said.as_str() {
        "out" => "You are signed out.",
        "ready" => "Your password is set. Sign in with it.",
        "setup" => "The practice is set up. Sign in; then one-time codes are set up.",
        _ => "",
    };
    let first = app.identity.nobody_yet().await.map_err(Problem::from)?;
    Ok(page(StatusCode::OK, told, first, &fields, &Problems::none()))
}

fn page(status: StatusCode, told: &str, first: bool, fields: &Fields, problems: &Problems) -> Response {
    let body = html! {
        @if !told.is_empty() { p.note.good role="status" { (told) } }
        (problems.summary())
        @if first {
            div.note.look { p { "Nobody can sign in yet: " a href="/setup" { "set up the practice" } " with the token that the gateway printed." } }
        }
        h1 { "Sign in" }
        (form(fields, problems))
        p.soft.small { a href="/invitation" { "I have an invitation" } }
    };
    (status, frame::bare("Sign in", false, body)).into_response()
}

fn form(fields: &Fields, problems: &Problems) -> Markup {
    html! {
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(onward(fields.raw("next")));
            (text("email", "E-mail address").kind("email").complete("username").required().focus().show(fields, problems))
            (text("password", "Password").kind("password").complete("current-password").required().show(fields, problems))
            button.button.first type="submit" { "Sign in" }
        }
    }
}

/// `POST /sign-in`
pub async fn sign_in(State(app): State<App>, Anybody { door, fields }: Anybody) -> Response {
    let attempt = Try {
        email: fields.get("email"),
        password: &fields.secret("password"),
        practice: None,
        network: &door.network,
        device: door.device.as_deref(),
    };
    match app.identity.sign_in(attempt).await {
        Ok(started) => {
            let next = onward(fields.raw("next"));
            let to = match started.session.level.is_full() {
                true => next.to_owned(),
                false => format!("{}?next={next}", second_step::address(started.session.level)),
            };
            with_cookies(&door, &started, Redirect::to(&to))
        }
        Err(declined) => {
            let problem = Problem::from(declined);
            page(problem.http_status(), "", false, &fields, &Problems::said(waiting(&problem)))
        }
    }
}

/// The sentence, with the time that is really left.
pub fn waiting(problem: &Problem) -> String {
    match problem.retry_after_secs() {
        Some(secs) => format!("{} ({secs} seconds left.)", problem.detail()),
        None => problem.detail().to_owned(),
    }
}

/// `POST /sign-in/again`: the page's cover asks for the password of whoever was there; JSON, because the page stays as it
/// is. The form says who and where: the session itself may be over by now.
pub async fn again(State(app): State<App>, Anybody { door, fields }: Anybody) -> Response {
    let refuse = |problem: Problem| {
        let body = Json(json!({ "detail": waiting(&problem) }));
        (problem.http_status(), body).into_response()
    };
    let attempt = Try {
        email: fields.get("email"),
        password: &fields.secret("password"),
        practice: fields.some("practice"),
        network: &door.network,
        device: door.device.as_deref(),
    };
    let started = match app.identity.sign_in(attempt).await {
        Ok(started) if started.session.level == Level::CodeNeeded => {
            let code =
                app.identity.sign_in_code(&started.session, fields.get("code"), &door.network, door.device.as_deref());
            code.await
        }
        other => other,
    };
    match started {
        Ok(started) if started.session.level.is_full() => {
            let csrf = started.session.csrf.to_string();
            with_cookies(&door, &started, Json(json!({ "csrf": csrf })))
        }
        Ok(_) => refuse(Problem::from(Declined::NotNow("Reload the page and sign in there."))),
        Err(declined) => refuse(declined.into()),
    }
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<App>, Sent { visit, .. }: Sent) -> Result<Response, Fault> {
    app.identity.sign_out(&visit.session).await.map_err(Problem::from)?;
    let cookies: Vec<(_, HeaderValue)> =
        visit.door.no_cookie().into_iter().map(|cookie| (SET_COOKIE, cookie)).collect();
    Ok((AppendHeaders(cookies), Redirect::to("/sign-in?said=out")).into_response())
}
