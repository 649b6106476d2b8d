//! The second step of a sign-in: a one-time code, a recovery code, or setting one-time codes up.

use axum::extract::{FromRequest, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::fields::{Anybody, CSRF, Fields};
use super::frame;
use super::parts::field::text;
use super::parts::problems::Problems;
use super::sign_in::{onward, waiting, with_cookies};
use crate::api::{App, Door, Problem};
use crate::identity::{Declined, Level, Session};

/// Where one goes after it.
#[derive(Deserialize)]
pub struct Way {
    #[serde(default)]
    next: String,
}

/// Where a sign-in at this level goes on.
pub fn address(level: Level) -> &'static str {
    match level {
        Level::CodeNeeded => "/sign-in/code",
        Level::EnrolNeeded => "/sign-in/enrol",
        Level::Password | Level::Totp | Level::Recovery => "/",
    }
}

/// The session of a sign-in that is under way, complete or not.
async fn session(app: &App, door: &Door) -> Result<Session, Response> {
    let none = || Redirect::to("/sign-in").into_response();
    let cookie = door.session.as_deref().ok_or_else(none)?;
    app.identity.session(cookie).await.map_err(|_| none())
}

/// A form of a sign-in that is under way, proven to come from our own page.
pub struct Step {
    door: Door,
    fields: Fields,
    session: Session,
}

impl FromRequest<App> for Step {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let Anybody { door, fields } = Anybody::from_request(request, app).await?;
        let session = session(app, &door).await?;
        if !session.csrf_is(fields.raw(CSRF)) {
            return Err(Fault::not_ours().into_response());
        }
        Ok(Self { door, fields, session })
    }
}

fn show(status: StatusCode, title: &'static str, body: Markup) -> Response {
    (status, frame::bare(title, false, body)).into_response()
}

fn hidden(next: &str, session: &Session) -> Markup {
    html! {
        input type="hidden" name="next" value=(onward(next));
        input type="hidden" name=(CSRF) value=(session.csrf.as_str());
    }
}

/// `GET /sign-in/code`
pub async fn code(State(app): State<App>, door: Door, Query(way): Query<Way>) -> Response {
    match session(&app, &door).await {
        Ok(session) if session.level == Level::CodeNeeded => {
            code_page(StatusCode::OK, &way.next, &session, &Problems::none())
        }
        Ok(session) => Redirect::to(address(session.level)).into_response(),
        Err(response) => response,
    }
}

fn code_page(status: StatusCode, next: &str, session: &Session, problems: &Problems) -> Response {
    let none = Fields::default();
    let body = html! {
        (problems.summary())
        h1 { "One-time code" }
        p { "From your authenticator app, for " strong { (session.email) } "." }
        form.stack method="post" action="/sign-in/code" {
            (hidden(next, session))
            (text("code", "Code").hint("Six digits; a new one comes every 30 seconds").size("short").mode("numeric")
                .complete("one-time-code").max(12).focus().sends(6).show(&none, problems))
            button.button.first type="submit" { "Go on" }
        }
        details {
            summary { "I do not have the app here" }
            form.stack method="post" action="/sign-in/recovery" {
                (hidden(next, session))
                (text("recovery", "Recovery code").hint("One of the ten that were shown when codes were set up. Each is good once.")
                    .max(40).show(&none, problems))
                button.button type="submit" { "Use it" }
            }
        }
        p.soft.small { a href="/sign-in" { "Sign in as somebody else" } }
    };
    show(status, "One-time code", body)
}

/// `POST /sign-in/code`
pub async fn put_code(State(app): State<App>, sent: Step) -> Response {
    step(&app, &sent, "code").await
}

/// `POST /sign-in/recovery`
pub async fn put_recovery(State(app): State<App>, sent: Step) -> Response {
    step(&app, &sent, "recovery").await
}

async fn step(app: &App, sent: &Step, by: &str) -> Response {
    let Step { door, fields, session } = sent;
    let (code, device) = (fields.get(by), door.device.as_deref());
    let done = match by {
        "code" => app.identity.sign_in_code(session, code, &door.network, device).await,
        _ => app.identity.sign_in_recovery(session, code, &door.network, device).await,
    };
    match done {
        Ok(started) => with_cookies(door, &started, Redirect::to(onward(fields.raw("next")))),
        Err(Declined::TriesUsedUp) => Fault::from(Problem::from(Declined::TriesUsedUp)).into_response(),
        Err(declined) => {
            let problem = Problem::from(declined);
            let problems = Problems::none().and(by, waiting(&problem));
            code_page(problem.http_status(), fields.raw("next"), session, &problems)
        }
    }
}

/// `GET /sign-in/enrol`: only asks; each press of the button makes a new seed.
pub async fn enrol(State(app): State<App>, door: Door, Query(way): Query<Way>) -> Response {
    let session = match session(&app, &door).await {
        Ok(session) if session.level != Level::CodeNeeded => session,
        Ok(session) => return Redirect::to(address(session.level)).into_response(),
        Err(response) => return response,
    };
    enrol_page(StatusCode::OK, &way.next, &session, &Problems::none())
}

fn enrol_page(status: StatusCode, next: &str, session: &Session, problems: &Problems) -> Response {
    let none = Fields::default();
    let body = html! {
        (problems.summary())
        h1 { "Set up one-time codes" }
        p { "A password alone is not enough for patients' data. You need an authenticator app on your telephone or computer; \
            any will do." }
        form.stack method="post" action="/sign-in/enrol" {
            (hidden(next, session))
            @if session.level.is_full() {
                (text("password", "Your password").kind("password").complete("current-password").required().show(&none, problems))
            }
            button.button.first type="submit" { "Show the code for the app" }
        }
    };
    show(status, "Set up one-time codes", body)
}

/// `POST /sign-in/enrol`: shows the seed.
pub async fn put_enrol(State(app): State<App>, Step { fields, session, .. }: Step) -> Response {
    let password = fields.some("password").map(|_| fields.secret("password"));
    match app.identity.enrol(&session, password.as_ref()).await {
        Ok(seed) => seed_page(StatusCode::OK, fields.raw("next"), &session, &seed.secret, &seed.uri, &Problems::none()),
        Err(declined) => {
            let problem = Problem::from(declined);
            let problems = Problems::none().and("password", waiting(&problem));
            enrol_page(problem.http_status(), fields.raw("next"), &session, &problems)
        }
    }
}

fn seed_page(
    status: StatusCode,
    next: &str,
    session: &Session,
    secret: &Zeroizing<String>,
    uri: &Zeroizing<String>,
    problems: &Problems,
) -> Response {
    let none = Fields::default();
    let body = html! {
        (problems.summary())
        h1 { "Set up one-time codes" }
        ol.stack {
            li { "Scan this with the app, or type the key below into it." }
        }
        (qr(uri))
        p { "Key: " code.number { (grouped(secret)) } }
        form.stack method="post" action="/sign-in/enrol/confirm" {
            (hidden(next, session))
            (text("code", "The code that the app shows now").size("short").mode("numeric").complete("one-time-code").max(12)
                .focus().sends(6).show(&none, problems))
            button.button.first type="submit" { "Turn it on" }
        }
        p.soft.small { "The key is shown this once, here." }
    };
    show(status, "Set up one-time codes", body)
}

fn grouped(secret: &str) -> String {
    secret.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(" ")
}

/// The address as a square that a telephone reads; nothing where it does not fit.
fn qr(text: &str) -> Markup {
    let Ok(code) = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium) else {
        return PreEscaped(String::new());
    };
    let size = code.size();
    let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + 4, y + 4)).collect();
    html! {
        svg.qr viewBox={ "0 0 " (size + 8) " " (size + 8) } role="img" aria-label="The key as a QR code" { path d=(path) {} }
    }
}

/// `POST /sign-in/enrol/confirm`
pub async fn confirm(State(app): State<App>, Step { door, fields, session }: Step) -> Response {
    match app.identity.confirm_enrolment(&session, fields.get("code"), door.device.as_deref()).await {
        Ok(enrolled) => {
            let next = onward(fields.raw("next"));
            let body = html! {
                h1 { "Keep these recovery codes" }
                p { "For the day on which the app is lost. Each is good once. They are shown " strong { "this once" } ": print them, or write \
                    them down." }
                ul.grid class="number" { @for code in &enrolled.recovery_codes { li.number { (code.as_str()) } } }
                div.row {
                    a.button.first href=(next) { "I have them: go on" }
                    button.button.script-only type="button" data-print { "Print" }
                }
            };
            with_cookies(&door, &enrolled.started, show(StatusCode::OK, "Recovery codes", body))
        }
        Err(declined) => {
            let problem = Problem::from(declined);
            let text = format!("{} Begin again: a new key is shown.", waiting(&problem));
            enrol_page(problem.http_status(), fields.raw("next"), &session, &Problems::said(text))
        }
    }
}
