//! A portal that locks an account after three bad logins, and keeps every login it has seen.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};

/// Bad logins in a row that lock an account for good.
pub const LOCKS_AT: u32 = 3;
/// Of all accounts that have one; Base32 of `12345678901234567890`.
pub const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// What the portal does after it has judged a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Says what came of it.
    Tell,
    /// Shows a page nobody has described.
    OddPage,
    /// Never replies.
    Silence,
}

/// One login that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The step whose code it brought.
    pub step: Option<i64>,
    pub good: bool,
}

pub struct Account {
    pub password: String,
    /// Seconds the portal's clock is ahead, for one-time codes; `None`: no code is asked for.
    pub skew: Option<i64>,
    pub after: After,
    bad: u32,
    pub seen: Vec<Seen>,
}

impl Account {
    pub fn new(password: &str, skew: Option<i64>, after: After) -> Self {
        Self { password: password.to_owned(), skew, after, bad: 0, seen: Vec::new() }
    }

    pub fn locked(&self) -> bool {
        self.bad >= LOCKS_AT
    }

    pub fn bad_logins(&self) -> usize {
        self.seen.iter().filter(|seen| !seen.good).count()
    }

    fn judge(&mut self, password: &str, code: &str) -> bool {
        let now = jiff::Timestamp::now().as_second();
        let step = self.skew.and_then(|_| (now / 30 - 10..now / 30 + 10).find(|step| code_of(*step) == code));
        let in_time = self.skew.is_none_or(|skew| step.is_some_and(|step| ((now + skew) / 30 - step).abs() <= 1));
        let good = !self.locked() && password == self.password && in_time;
        self.bad = if good { 0 } else { self.bad + 1 };
        self.seen.push(Seen { step, good });
        good
    }
}

/// RFC 6238 with [`SEED`].
fn code_of(step: i64) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
    let tag = ring::hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[19] & 15);
    let number = bytes[at..at + 4].iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[derive(Default)]
struct Books {
    accounts: HashMap<String, Account>,
    sessions: HashMap<String, String>,
    issued: u64,
}

/// The running portal.
#[derive(Clone)]
pub struct Portal {
    pub address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl Portal {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let portal = Self { address: listener.local_addr().unwrap(), books: Arc::default() };
        let router = Router::new()
            .route("/login", get(async || sign_in_page("")).post(login))
            .route("/home", get(inside))
            .route("/search", get(inside))
            .with_state(portal.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        portal
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub fn open_account(&self, user: &str, account: Account) {
        self.books().accounts.insert(user.to_owned(), account);
    }

    /// Looks at an account, or changes it.
    pub fn account<T>(&self, user: &str, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.books().accounts.get_mut(user).unwrap())
    }

    pub fn logins(&self) -> usize {
        self.books().accounts.values().map(|account| account.seen.len()).sum()
    }

    pub fn each(&self, mut look: impl FnMut(&str, &Account)) {
        self.books().accounts.iter().for_each(|(user, account)| look(user, account));
    }

    /// The carrier gives the account another password and ends its sessions.
    pub fn change_password(&self, user: &str, password: &str) {
        let mut books = self.books();
        books.sessions.retain(|_, of| of != user);
        books.accounts.get_mut(user).unwrap().password = password.to_owned();
    }

    /// A carrier file: with `code`, the sign-in brings a one-time code.
    pub fn file(&self, code: bool) -> String {
        let (more, wait) = if code { (", code = \"{totp}\"", 40) } else { ("", 5) };
        include_str!("carrier.toml")
            .replace("{{address}}", &self.address.to_string())
            .replace("{{more}}", more)
            .replace("{{wait}}", &wait.to_string())
    }
}

fn page(body: &str) -> Response {
    Html(format!("<!DOCTYPE html><html><head><title>Lock-out</title></head><body>{body}</body></html>")).into_response()
}

fn sign_in_page(words: &str) -> Response {
    page(&format!(
        "<p class=\"alert\">{words}</p><form id=\"login\" method=\"post\" action=\"/login\"><input name=\"user\">\
         <input name=\"pass\" type=\"password\"><input name=\"code\"><button>Sign in</button></form>"
    ))
}

fn field(body: &str, name: &str) -> String {
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

async fn login(State(portal): State<Portal>, body: String) -> Response {
    let user = field(&body, "user");
    let judged = {
        let mut books = portal.books();
        let Some(account) = books.accounts.get_mut(&user) else { return sign_in_page("Unknown user.") };
        let (good, after) = (account.judge(&field(&body, "pass"), &field(&body, "code")), account.after);
        books.issued += 1;
        let session = format!("s{}", books.issued);
        if good {
            books.sessions.insert(session.clone(), user);
        }
        (good, after, session)
    };
    match judged {
        (_, After::Silence, _) => std::future::pending().await,
        (_, After::OddPage, _) => page("<h1>What is new</h1>"),
        (false, After::Tell, _) => sign_in_page("The user or the password is wrong."),
        (true, After::Tell, session) => {
            let cookie = format!("sid={session}; Path=/; HttpOnly");
            (StatusCode::FOUND, [(header::LOCATION, "/home".to_owned()), (header::SET_COOKIE, cookie)]).into_response()
        }
    }
}

async fn inside(State(portal): State<Portal>, headers: HeaderMap) -> Response {
    let cookie = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = cookie.strip_prefix("sid=").is_some_and(|session| portal.books().sessions.contains_key(session));
    if known {
        page("<a id=\"signout\" href=\"/logout\">Sign out</a><p id=\"nobody\">No records</p>")
    } else {
        sign_in_page("")
    }
}
