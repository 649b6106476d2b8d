//! `/v1/session`: signing in and out; `/v1/sessions`: who is signed in. `/v1/setup`: the first run.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::App;
use super::body::{Body, Done, read};
use super::caller::{Authenticated, HasSession};
use super::door::Door;
use super::problem::Problem;
use crate::identity::{Level, Membership, PracticeProfile, Role, Scope, Session, SessionInfo, Started, Try};

/// Body of `POST /v1/setup`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-time token that `portico serve` prints when there is nobody yet.
    token: String,
    /// The first practice.
    practice: PracticeProfile,
    /// Its administrator.
    admin: FirstAdmin,
}

/// The first administrator.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdmin {
    /// The address to sign in with.
    email: String,
    /// What people call them.
    name: String,
    /// Twelve characters at least.
    password: String,
}

/// Body of `POST /v1/session`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address.
    email: String,
    /// The password.
    password: String,
    /// In which practice, for somebody who belongs to several.
    practice: Option<String>,
}

/// Body with a one-time code or a recovery code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code.
    code: String,
}

/// Body of `POST /v1/session/totp-enrol`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The present password; not needed where the sign-in waits for this.
    password: Option<String>,
}

/// Body of `POST /v1/session/password`: with the present password in a session, or with an invitation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The present password.
    current_password: Option<String>,
    /// The invitation, instead of it.
    invitation: Option<String>,
    /// Twelve characters at least.
    new_password: String,
}

/// Body of `POST /v1/session/practice`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InPractice {
    /// The practice's id.
    practice: String,
}

/// A session.
#[derive(Serialize, JsonSchema)]
pub struct SessionView {
    /// Its id.
    id: String,
    /// How far the sign-in is. `code_needed` and `enrol_needed` are not complete: nothing else may be done yet.
    level: Level,
    /// Who signed in.
    person: PersonView,
    /// In which practice, by its id.
    practice: String,
    /// What they are there.
    role: Role,
    /// What they may do.
    scopes: Vec<Scope>,
    /// All their practices.
    practices: Vec<Membership>,
    /// Goes into the header `X-CSRF-Token` of whatever changes something.
    csrf_token: String,
    /// When the session ends without further use.
    idle_until: Timestamp,
    /// When it ends at the latest.
    expires_at: Timestamp,
}

/// Who signed in.
#[derive(Serialize, JsonSchema)]
pub struct PersonView {
    /// The account's id.
    id: String,
    /// The address.
    email: String,
    /// What the practice calls them.
    name: String,
}

/// A seed to be put into an authenticator app.
#[derive(Serialize, JsonSchema)]
pub struct Seed {
    /// In Base32, for typing.
    secret: String,
    /// For a QR code.
    otpauth_uri: String,
}

/// One-time codes are set up.
#[derive(Serialize, JsonSchema)]
pub struct WithCodes {
    /// The session, complete now.
    session: SessionView,
    /// For when the app is lost; each is good once. They are shown this once.
    recovery_codes: Vec<String>,
}

/// Answer of `POST /v1/setup`.
#[derive(Serialize, JsonSchema)]
pub struct IsSetUp {
    /// The practice's id.
    practice: String,
}

/// Answer of `GET /v1/sessions`.
#[derive(Serialize, JsonSchema)]
pub struct SessionList {
    /// Newest first.
    pub sessions: Vec<SessionInfo>,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        let caller = session.caller();
        Self {
            id: session.id.clone(),
            level: session.level,
            person: PersonView { id: session.person.clone(), email: session.email.clone(), name: session.name.clone() },
            practice: session.practice.as_str().to_owned(),
            role: session.role,
            scopes: caller.map(|caller| caller.scopes().collect()).unwrap_or_default(),
            practices: session.memberships.clone(),
            csrf_token: session.csrf.to_string(),
            idle_until: session.idle_until,
            expires_at: session.expires_at,
        }
    }
}

/// With cookies.
fn fresh(cookies: Vec<HeaderValue>, body: impl Serialize) -> Response {
    let cookies: Vec<_> = cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)).collect();
    (AppendHeaders(cookies), Json(body)).into_response()
}

fn started(door: &Door, started: &Started) -> Response {
    fresh(door.cookies(started), SessionView::from(&started.session))
}

/// `POST /v1/setup`
pub async fn set_up(State(app): State<App>, door: Door, Body(body): Body) -> Result<Response, Problem> {
    door.not_foreign()?;
    let body: Setup = read(&body)?;
    let password = Zeroizing::new(body.admin.password);
    let admin = (body.admin.email.as_str(), body.admin.name.as_str());
    let practice = app.identity.set_up(&body.token, &body.practice, admin, &password, &door.network).await?;
    Ok(fresh(Vec::new(), IsSetUp { practice: practice.as_str().to_owned() }))
}

/// `POST /v1/session`: address and password.
pub async fn sign_in(State(app): State<App>, door: Door, Body(body): Body) -> Result<Response, Problem> {
    door.not_foreign()?;
    let body: SignIn = read(&body)?;
    let attempt = Try {
        email: &body.email,
        password: &Zeroizing::new(body.password),
        practice: body.practice.as_deref(),
        network: &door.network,
        device: door.device.as_deref(),
    };
    let session = app.identity.sign_in(attempt).await?;
    Ok(started(&door, &session))
}

/// `POST /v1/session/totp`: the second step.
pub async fn code(State(app): State<App>, has: HasSession, Body(body): Body) -> Result<Response, Problem> {
    let body: Code = read(&body)?;
    let HasSession { session, door } = has;
    let session = app.identity.sign_in_code(&session, &body.code, &door.network, door.device.as_deref()).await?;
    Ok(started(&door, &session))
}

/// `POST /v1/session/recovery`: the second step without the app.
pub async fn recovery(State(app): State<App>, has: HasSession, Body(body): Body) -> Result<Response, Problem> {
    let body: Code = read(&body)?;
    let HasSession { session, door } = has;
    let session = app.identity.sign_in_recovery(&session, &body.code, &door.network, door.device.as_deref()).await?;
    Ok(started(&door, &session))
}

/// `GET /v1/session`
pub async fn current(has: HasSession) -> Response {
    fresh(Vec::new(), SessionView::from(&has.session))
}

/// `DELETE /v1/session`: signs out.
pub async fn sign_out(State(app): State<App>, has: HasSession) -> Result<Response, Problem> {
    app.identity.sign_out(&has.session).await?;
    Ok(fresh(has.door.no_cookie(), Done::DONE))
}

/// `POST /v1/session/totp-enrol`
pub async fn enrol(State(app): State<App>, has: HasSession, Body(body): Body) -> Result<Response, Problem> {
    let body: Enrol = read(&body)?;
    let password = body.password.map(Zeroizing::new);
    let seed = app.identity.enrol(&has.session, password.as_ref()).await?;
    Ok(fresh(Vec::new(), Seed { secret: seed.secret.to_string(), otpauth_uri: seed.uri.to_string() }))
}

/// `POST /v1/session/totp-enrol/confirm`
pub async fn confirm(State(app): State<App>, has: HasSession, Body(body): Body) -> Result<Response, Problem> {
    let body: Code = read(&body)?;
    let HasSession { session, door } = has;
    let enrolled = app.identity.confirm_enrolment(&session, &body.code, door.device.as_deref()).await?;
    let recovery_codes = enrolled.recovery_codes.iter().map(|code| code.to_string()).collect();
    let session = SessionView::from(&enrolled.started.session);
    Ok(fresh(door.cookies(&enrolled.started), WithCodes { session, recovery_codes }))
}

/// `POST /v1/session/password`
pub async fn password(
    State(app): State<App>,
    door: Door,
    has: Result<HasSession, Problem>,
    Body(body): Body,
) -> Result<Response, Problem> {
    door.not_foreign()?;
    let body: NewPassword = read(&body)?;
    let new = Zeroizing::new(body.new_password);
    match (body.current_password.map(Zeroizing::new), body.invitation.map(Zeroizing::new)) {
        (None, Some(invitation)) => {
            app.identity.accept_invitation(&invitation, &new, &door.network).await?;
            Ok(fresh(Vec::new(), Done::DONE))
        }
        (Some(current), None) => {
            let HasSession { session, door } = has?;
            let session = app.identity.change_password(&session, &current, &new).await?;
            Ok(started(&door, &session))
        }
        _ => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The request has problems",
            "Send either current_password, in a session, or invitation.",
        )),
    }
}

/// `POST /v1/session/practice`: goes on in another practice.
pub async fn switch(State(app): State<App>, has: HasSession, Body(body): Body) -> Result<Response, Problem> {
    let body: InPractice = read(&body)?;
    let session = app.identity.switch_practice(&has.session, &body.practice).await?;
    Ok(started(&has.door, &session))
}

/// `GET /v1/sessions`: one's own, or the practice's with the scope admin.
pub async fn list(State(app): State<App>, caller: Authenticated) -> Result<Json<SessionList>, Problem> {
    Ok(Json(SessionList { sessions: app.identity.sessions(&caller.0).await? }))
}

/// `DELETE /v1/sessions/{id}`: one's own, or one of the practice with the scope admin.
pub async fn revoke(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Done>, Problem> {
    app.identity.revoke_session(&caller.0, &id).await?;
    Ok(Json(Done::DONE))
}
