//! Blue Valley: a Blue plan with nothing but an HTML portal.
//!
//! Sign-in form, one-time code, search form, result table, member's page. Hidden `__VIEWSTATE`, `__EVENTVALIDATION` and
//! `_csrf` change with every page, are good once and end with the session. After 15 idle (virtual) minutes every
//! address answers 200 with the sign-in page.

mod pages;
mod person;
mod session;
mod totp;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};

use crate::clock::today;
use crate::control::{Desk, Login, Page};
use crate::credentials::{BLUE_TOTP, BLUE_USER};
use crate::form;
use crate::people::{Benefit, Person, Status, insured_by};
use crate::search::{Query, Rules, date, find, iso};
use session::{Hidden, Now, Sessions, Stage};

const RULES: Rules = Rules { strict: false, by_name: true, back_months: 24, forward_months: 3 };
const COOKIE: &str = "BVSESSION";
/// Same name as `BVP-TWO-ROWS`, so that a search by name finds two.
const NAMESAKES: [&str; 2] = ["BVP-TWO-ROWS2", "BVP-TWO-ROWS"];

struct Portal {
    desk: Arc<Desk>,
    people: Vec<Person>,
    sessions: Sessions,
    /// Epoch + 1 in which member `BVP-SIGNEDOUT` has cost a session already.
    thrown_out: AtomicU64,
    known: person::Known,
}

pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let portal = Portal {
        desk,
        people: insured_by("bluevalley"),
        sessions: Sessions::default(),
        thrown_out: AtomicU64::new(0),
        known: person::Known::default(),
    };
    Router::new()
        .route("/", get(async || redirect("/login", None)))
        .route("/login", get(show_login).post(send_login))
        .route("/otp", get(show_code).post(send_code))
        .route("/check", get(person::show_check).post(person::send_check))
        .route("/check.png", get(person::picture))
        .route("/accept-terms", get(person::show_terms).post(person::send_terms))
        .route("/new-password", get(person::show_password).post(person::send_password))
        .route("/home", get(home))
        .route("/eligibility", get(show_search).post(send_search))
        .route("/member", get(member))
        .route("/logout", get(logout))
        .with_state(Arc::new(portal))
}

fn html(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], page).into_response()
}

fn redirect(to: &'static str, session: Option<&str>) -> Response {
    let mut response = (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
    if let Some(id) = session {
        set_cookie(&mut response, id);
    }
    response
}

fn set_cookie(response: &mut Response, id: &str) {
    if let Ok(value) = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax").parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn cookie(headers: &HeaderMap) -> String {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

impl Portal {
    fn now(&self) -> Now {
        Now { secs: self.desk.clock.now_secs(), epoch: self.desk.epoch() }
    }

    /// The sign-in page in a fresh session; always 200, as this portal does even where somebody asked for another page.
    fn sign_in_page(&self, message: Option<&str>) -> Response {
        let id = self.sessions.open("", Stage::Visitor, self.now());
        let mut response = html(pages::login(&self.sessions.page(&id), message));
        set_cookie(&mut response, &id);
        response
    }

    /// The session, where it is signed in and no page stands in front; else what to answer.
    #[expect(clippy::result_large_err, reason = "the error is the response itself, built once")]
    fn inside(&self, headers: &HeaderMap) -> Result<String, Response> {
        let id = cookie(headers);
        match self.sessions.stage(&id, self.now()) {
            Some(Stage::SignedIn) => {}
            _ => return Err(self.sign_in_page(None)),
        }
        match self.desk.switches().page {
            Page::None => Ok(id),
            Page::Captcha => Err(html(pages::captcha())),
            Page::Terms => Err(html(pages::terms())),
            Page::Maintenance => Err(maintenance()),
        }
    }

    /// Whether the hidden fields are those of a page of this session.
    fn fresh(&self, id: &str, body: &str) -> bool {
        let sent = Hidden {
            view_state: form::value(body, "__VIEWSTATE"),
            event_validation: form::value(body, "__EVENTVALIDATION"),
            csrf: form::value(body, "_csrf"),
        };
        self.sessions.spend(id, &sent)
    }
}

fn maintenance() -> Response {
    html(pages::notice("System maintenance", "maintenance", "The portal is down for scheduled maintenance.", true))
}

fn unexpected() -> Response {
    html(pages::notice("Error", "error", "An unexpected error has occurred.", true))
}

async fn show_login(State(portal): State<Arc<Portal>>) -> Response {
    portal.sign_in_page(None)
}

async fn send_login(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    let id = cookie(&headers);
    if portal.sessions.stage(&id, portal.now()).is_none() || !portal.fresh(&id, &body) {
        return unexpected();
    }
    let user = Portal::user(&form::value(&body, "userId"));
    let right = user.is_some_and(|user| portal.password_is(user, &form::value(&body, "pwd")));
    match portal.desk.login(user, right) {
        Login::Wrong => portal.sign_in_page(Some("The user ID or password is incorrect.")),
        Login::Locked => portal.sign_in_page(Some("Your account is locked. Call the help desk at 800-555-0104.")),
        Login::Accepted => {
            portal.sessions.close(&id);
            let user = user.unwrap_or_default();
            let (stage, next) = portal.after_password(user);
            redirect(next, Some(&portal.sessions.open(user, stage, portal.now())))
        }
    }
}

async fn show_code(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    let id = cookie(&headers);
    match portal.sessions.stage(&id, portal.now()) {
        Some(Stage::WantsCode) => html(pages::code(&portal.sessions.page(&id), portal.sessions.user(&id), None)),
        _ => portal.sign_in_page(None),
    }
}

async fn send_code(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    let id = cookie(&headers);
    if portal.sessions.stage(&id, portal.now()) != Some(Stage::WantsCode) {
        return portal.sign_in_page(None);
    }
    if !portal.fresh(&id, &body) {
        return unexpected();
    }
    let (user, given) = (portal.sessions.user(&id), form::value(&body, "otp"));
    let right = match user {
        BLUE_USER => totp::fits(BLUE_TOTP, given.trim(), jiff::Timestamp::now().as_second()),
        _ => portal.mailed_is(user, given.trim()),
    };
    match portal.desk.login(Some(user), right) {
        Login::Accepted => {
            portal.sessions.close(&id);
            redirect("/home", Some(&portal.sessions.open(user, Stage::SignedIn, portal.now())))
        }
        Login::Wrong => html(pages::code(&portal.sessions.page(&id), user, Some("The code is not valid."))),
        Login::Locked => portal.sign_in_page(Some("Your account is locked. Call the help desk at 800-555-0104.")),
    }
}

async fn home(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    match portal.inside(&headers) {
        Ok(_) => html(pages::home()),
        Err(response) => response,
    }
}

async fn logout(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    portal.sessions.close(&cookie(&headers));
    html(pages::notice("Signed out", "signed-out", "You have signed out. Close your browser.", false))
}

async fn show_search(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    match portal.inside(&headers) {
        Ok(id) => html(pages::search(&portal.sessions.page(&id), None)),
        Err(response) => response,
    }
}

async fn send_search(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    let id = match portal.inside(&headers) {
        Ok(id) => id,
        Err(response) => return response,
    };
    if !portal.fresh(&id, &body) {
        return unexpected();
    }
    portal.desk.question();
    let asked = form::value(&body, "memberId").trim().to_ascii_uppercase();
    match asked.as_str() {
        "BVP-GHOST" => return html(pages::nobody()),
        "BVP-ERRORPAGE" => return unexpected(),
        "BVP-CAPTCHA" => return html(pages::captcha()),
        "BVP-TERMS" => return html(pages::terms()),
        "BVP-MAINTAIN" => return maintenance(),
        "BVP-SIGNEDOUT" => {
            let once = portal.desk.epoch() + 1;
            if portal.thrown_out.swap(once, Ordering::SeqCst) != once {
                portal.sessions.close(&id);
                return portal.sign_in_page(None);
            }
        }
        _ => {}
    }
    if !asked.is_empty() && !asked.starts_with("BVP") {
        let words = "This member belongs to another plan. Use the other-plan router.";
        return html(pages::notice("Out of area", "out-of-area", words, true));
    }
    portal.find(&id, asked, &body)
}

impl Portal {
    fn find(&self, session: &str, member_id: String, body: &str) -> Response {
        let born = form::value(body, "dob");
        if !born.is_empty() && us_date(&born).is_none() {
            let hidden = self.sessions.page(session);
            return html(pages::search(&hidden, Some("Enter the date of birth as MM/DD/YYYY.")));
        }
        let query = Query {
            member_id,
            last_name: form::value(body, "lastName"),
            first_name: form::value(body, "firstName"),
            date_of_birth: us_date(&born).unwrap_or_default(),
            days: us_date(&form::value(body, "asOf")).and_then(|iso| date(&iso)).map(|day| (day, day)),
            ..Query::default()
        };
        let Ok(found) = find(&self.people, &query, RULES, today()) else { return html(pages::nobody()) };
        let wanted: Vec<&str> =
            if NAMESAKES.contains(&found.person.member_id) { NAMESAKES.to_vec() } else { vec![found.person.member_id] };
        let people = wanted.iter().filter_map(|id| self.people.iter().find(|person| person.member_id == *id));
        let rows: Vec<_> = people.map(|person| (person, self.sessions.row(session, person.member_id))).collect();
        html(pages::results(&rows, self.desk.switches().layout))
    }
}

/// `MM/DD/YYYY` to `YYYY-MM-DD`.
fn us_date(text: &str) -> Option<String> {
    let (month, rest) = text.trim().split_once('/')?;
    let (day, year) = rest.split_once('/')?;
    let read = iso(&format!("{year:0>4}-{month:0>2}-{day:0>2}"));
    (!read.is_empty()).then_some(read)
}

async fn member(State(portal): State<Arc<Portal>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let id = match portal.inside(&headers) {
        Ok(id) => id,
        Err(response) => return response,
    };
    let query = query.unwrap_or_default();
    let key = form::value(&query, "k");
    let page: usize = form::value(&query, "page").parse().unwrap_or(0).min(50);
    let known = portal.sessions.member(&id, &key);
    let Some(person) = known.and_then(|known| portal.people.iter().find(|person| person.member_id == known)) else {
        return unexpected();
    };
    let active = person.coverage == Status::Active;
    let benefits: Vec<&Benefit> = person.benefits.iter().filter(|_| active).collect();
    html(pages::member(person, &benefits, page, &key, portal.desk.switches().layout))
}

/// The code an authenticator shows now.
#[cfg(test)]
pub(crate) fn code_now() -> String {
    totp::now(BLUE_TOTP)
}
