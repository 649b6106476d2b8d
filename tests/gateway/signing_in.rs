//! Signing in over HTTP with the real program: the first run, the second factor, cookies, and what a kill leaves.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::process::{Folder, Gateway};
use crate::support::{Reply, send_with};

const EMAIL: &str = "ada@practice.example";
const PASSWORD: &str = "four words that nobody-else-knows";

/// A browser: its cookies, and the token of its session.
#[derive(Default)]
pub struct Browser {
    pub cookies: Vec<(String, String)>,
    pub csrf: String,
    /// What stands in the address bar; loopback where it is empty.
    pub host: String,
}

impl Browser {
    async fn send(&mut self, gateway: &Gateway, method: Method, path: &str, body: Option<Value>) -> Reply {
        let host = if self.host.is_empty() { gateway.address.clone() } else { self.host.clone() };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (origin, cookies) = (format!("http://{host}"), cookies.join("; "));
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("host", &host),
            ("cookie", &cookies),
            ("x-csrf-token", &self.csrf),
        ];
        let body = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        let reply = send_with(&gateway.address, None, &headers, method, path, body).await.unwrap();
        for set in reply.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
        }
        let session = if reply.body["session"].is_object() { &reply.body["session"] } else { &reply.body };
        if let Some(csrf) = session["csrf_token"].as_str() {
            self.csrf = csrf.to_owned();
        }
        reply
    }

    pub async fn post(&mut self, gateway: &Gateway, path: &str, body: Value) -> Reply {
        self.send(gateway, Method::POST, path, Some(body)).await
    }

    pub async fn get(&mut self, gateway: &Gateway, path: &str) -> Reply {
        self.send(gateway, Method::GET, path, None).await
    }

    pub fn session(&self) -> String {
        self.cookies.iter().find(|(name, _)| name == "portico").unwrap().1.clone()
    }
}

/// The one-time code of a seed, so many steps later.
pub fn code(secret: &str, later: i64) -> String {
    let step = portico::totp::step(jiff::Timestamp::now().as_second()).checked_add_signed(later).unwrap();
    portico::totp::code(&portico::totp::base32(secret).unwrap(), step).to_string()
}

async fn setup_token(gateway: &Gateway) -> Option<String> {
    let until = std::time::Instant::now() + crate::process::PATIENCE;
    loop {
        let log = String::from_utf8_lossy(&gateway.log()).into_owned();
        if let Some((_, rest)) = log.split_once("good for one hour: ") {
            return rest.lines().next().map(str::to_owned);
        }
        if std::time::Instant::now() > until {
            return None;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_run_to_a_session_that_outlives_a_kill() {
    let folder = Folder::new("");
    let gateway = folder.serve();
    let token = setup_token(&gateway).await.unwrap();
    let mut browser = Browser::default();
    let set_up = |npi: &str, token: &str| {
        json!({ "token": token, "practice": { "name": "Bone Clinic", "npis": [{ "npi": npi, "name": "Bone Clinic" }] },
                "admin": { "email": EMAIL, "name": "Ada", "password": PASSWORD } })
    };
    let wrong = browser.post(&gateway, "/v1/setup", set_up("1234567890", &token)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    assert_eq!(wrong.body["errors"][0]["path"], "/practice/npis/0/npi");
    let wrong = browser.post(&gateway, "/v1/setup", set_up("1234567893", &"A".repeat(43))).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{}", wrong.text);
    let done = browser.post(&gateway, "/v1/setup", set_up("1234567893", &token)).await;
    assert_eq!((done.status, &done.body["practice"]), (StatusCode::OK, &json!("default")), "{}", done.text);
    let again = browser.post(&gateway, "/v1/setup", set_up("1234567893", &token)).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);

    let wrong = browser.post(&gateway, "/v1/session", json!({ "email": EMAIL, "password": "another one here" })).await;
    assert_eq!(
        (wrong.status, wrong.body["detail"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("The address or the password is wrong."))
    );
    let started = browser.post(&gateway, "/v1/session", json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(started.body["level"], "enrol_needed", "{}", started.text);
    let cookie = started.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("portico=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(started.headers["cache-control"], "no-store");
    let before = browser.session();
    // Nothing else may be done yet.
    assert_eq!(browser.get(&gateway, "/v1/practice").await.status, StatusCode::UNAUTHORIZED);

    let seed = browser.post(&gateway, "/v1/session/totp-enrol", json!({})).await;
    let secret = seed.body["secret"].as_str().unwrap().to_owned();
    assert!(seed.body["otpauth_uri"].as_str().unwrap().starts_with("otpauth://totp/Portico:ada%40practice.example?"));
    let first = code(&secret, 0);
    let confirmed = browser.post(&gateway, "/v1/session/totp-enrol/confirm", json!({ "code": first })).await;
    assert_eq!(confirmed.body["session"]["level"], "totp", "{}", confirmed.text);
    assert_eq!(confirmed.body["recovery_codes"].as_array().unwrap().len(), 10);
    assert_ne!(browser.session(), before, "a new cookie with more rights");
    assert_eq!(browser.get(&gateway, "/v1/practice").await.body["name"], "Bone Clinic");

    let mut second = Browser { cookies: browser.cookies.clone(), ..Browser::default() };
    let pending = second.post(&gateway, "/v1/session", json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(pending.body["level"], "code_needed", "{}", pending.text);
    let wrong = second.post(&gateway, "/v1/session/totp", json!({ "code": first })).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "a code is taken once: {}", wrong.text);
    // The next code: a clock that is half a minute ahead.
    let next = code(&secret, 1);
    let full = second.post(&gateway, "/v1/session/totp", json!({ "code": next })).await;
    assert_eq!(full.body["level"], "totp", "{}", full.text);

    gateway.kill();
    let people = folder.portico(&["people", "list"], "").fine();
    assert!(people.contains(EMAIL) && people.contains("practice_admin") && people.contains("complete"), "{people}");
    let gateway = folder.serve();
    for one in [&mut browser, &mut second] {
        one.get(&gateway, "/v1/session").await;
        assert_eq!(one.get(&gateway, "/v1/session").await.status, StatusCode::OK);
    }
    // The code from before the kill is still used.
    let mut third = Browser::default();
    third.post(&gateway, "/v1/session", json!({ "email": EMAIL, "password": PASSWORD })).await;
    let replay = third.post(&gateway, "/v1/session/totp", json!({ "code": next })).await;
    assert_eq!(replay.status, StatusCode::UNAUTHORIZED, "{}", replay.text);

    let listed = browser.get(&gateway, "/v1/sessions").await;
    let own = listed.body["sessions"].as_array().unwrap().iter().filter(|one| one["level"] == "totp");
    assert_eq!(own.count(), 2, "{}", listed.text);
    let other = second.get(&gateway, "/v1/session").await.body["id"].as_str().unwrap().to_owned();
    let revoked = browser.send(&gateway, Method::DELETE, &format!("/v1/sessions/{other}"), None).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    assert_eq!(second.get(&gateway, "/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let out = browser.send(&gateway, Method::DELETE, "/v1/session", None).await;
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"), "{out_text}", out_text = out.text);
    assert_eq!(browser.get(&gateway, "/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert!(!String::from_utf8_lossy(&gateway.log()).contains("Set-up token"), "there is somebody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_signs_in_behind_a_proxy_with_a_bound_cookie() {
    let folder = Folder::new("");
    let invited = folder.portico(&["people", "add", EMAIL, "--name", "Ada", "--role", "biller"], "");
    let token = invited.fine().trim().to_owned();
    let gateway = folder.serve();
    let mut browser = Browser { host: "portico.example".to_owned(), ..Browser::default() };
    let short = json!({ "invitation": token, "new_password": "short" });
    let short = browser.post(&gateway, "/v1/session/password", short).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", short.text);
    let good = json!({ "invitation": token, "new_password": PASSWORD });
    assert_eq!(browser.post(&gateway, "/v1/session/password", good.clone()).await.status, StatusCode::OK);
    assert_eq!(browser.post(&gateway, "/v1/session/password", good).await.status, StatusCode::UNAUTHORIZED);
    let started = browser.post(&gateway, "/v1/session", json!({ "email": EMAIL, "password": PASSWORD })).await;
    let cookie = started.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-portico="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    for (name, value) in [("x-frame-options", "DENY"), ("x-content-type-options", "nosniff")] {
        assert_eq!(started.headers[name], value);
    }
    assert!(started.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    // On loopback it is no cookie of ours.
    browser.host.clear();
    assert_eq!(browser.get(&gateway, "/v1/session").await.status, StatusCode::UNAUTHORIZED);
    drop(gateway);
    let again = folder.portico(&["people", "reset", EMAIL], "").fine();
    assert_ne!(again.trim(), token);
}
