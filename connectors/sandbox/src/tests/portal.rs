//! Blue Valley, as a browser would use it.

use std::net::SocketAddr;

use super::client::{FORM, Reply, form, send};
use super::start;
use crate::bluevalley::code_now;
use crate::credentials::{BLUE_PASSWORD, BLUE_USER};
use crate::{Layout, Page, Sandbox, Switches};

/// A browser: one cookie, the last page.
struct Browser {
    to: SocketAddr,
    cookie: String,
    page: String,
}

impl Browser {
    fn new(sandbox: &Sandbox) -> Self {
        Self { to: sandbox.address("bluevalley").unwrap(), cookie: String::new(), page: String::new() }
    }

    async fn take(&mut self, mut reply: Reply) {
        for _ in 0..5 {
            let set = reply.header("set-cookie");
            if let Some((cookie, _)) = set.split_once(';') {
                self.cookie = format!("Cookie: {cookie}\r\n");
            }
            let location = reply.header("location");
            if location.is_empty() {
                break;
            }
            reply = send(self.to, "GET", &location, &self.cookie, "").await;
        }
        assert_eq!(reply.status, 200);
        self.page = reply.body;
    }

    async fn get(&mut self, path: &str) {
        let reply = send(self.to, "GET", path, &self.cookie, "").await;
        self.take(reply).await;
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) {
        let mut all = Vec::new();
        for name in ["__VIEWSTATE", "__EVENTVALIDATION", "_csrf"] {
            let mark = format!("name=\"{name}\" value=\"");
            let value = self.page.split(&mark).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("").to_owned();
            all.push((name, value));
        }
        let mut pairs: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.extend(fields);
        let reply = send(self.to, "POST", path, &format!("{}{FORM}", self.cookie), &form(&pairs)).await;
        self.take(reply).await;
    }

    async fn sign_in(&mut self) {
        self.get("/login").await;
        self.post("/login", &[("userId", BLUE_USER), ("pwd", BLUE_PASSWORD)]).await;
        assert!(self.page.contains("otpForm"), "{}", self.page);
        self.post("/otp", &[("otp", &code_now())]).await;
        assert!(self.page.contains("signout"), "{}", self.page);
    }

    async fn search(&mut self, member_id: &str, dob: &str) {
        self.get("/eligibility").await;
        self.post("/eligibility", &[("memberId", member_id), ("dob", dob)]).await;
    }

    fn link(&self, class: &str) -> String {
        let rest = self.page.split(&format!("class=\"{class}\" href=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }
}

#[tokio::test]
async fn from_sign_in_to_the_second_page_of_benefits() {
    let sandbox = start().await;
    let mut browser = Browser::new(&sandbox);
    browser.sign_in().await;
    browser.search("BVP-ACTIVE-PPO", "10/02/1983").await;
    assert!(browser.page.contains("<td>Whitcombe, Eleanor</td>"), "{}", browser.page);
    let link = browser.link("view");
    browser.get(&link).await;
    assert!(browser.page.contains("<dt>Coverage Status:</dt><dd>Active</dd>"));
    assert!(browser.page.contains("<td>$587.65</td>"), "{}", browser.page);
    let next = browser.link("next");
    browser.get(&next).await;
    assert!(browser.page.contains("Physical Therapy"));
    let counters = sandbox.control().counters("bluevalley").unwrap();
    assert_eq!((counters.questions, counters.logins, counters.logins_failed), (1, 2, 0));

    sandbox.control().set("bluevalley", Switches { layout: Layout::B, ..Switches::default() });
    browser.search("BVP-TWO-ROWS", "04/04/1964").await;
    assert_eq!(browser.page.matches("<td>Amory, Cedric</td>").count(), 2);
    assert!(browser.page.find("<th>Name").unwrap() < browser.page.find("<th>Member ID").unwrap());
}

#[tokio::test]
async fn idle_sessions_stale_states_and_sign_out_all_answer_200() {
    let sandbox = start().await;
    let mut browser = Browser::new(&sandbox);
    browser.sign_in().await;
    browser.get("/eligibility").await;
    let form_page = browser.page.clone();
    browser.post("/eligibility", &[("memberId", "BVP-GHOST")]).await;
    assert!(browser.page.contains("No records found"));
    browser.page = form_page;
    browser.post("/eligibility", &[("memberId", "BVP-ACTIVE-PPO"), ("dob", "10/02/1983")]).await;
    assert!(browser.page.contains("An unexpected error has occurred"), "a view state is good once");
    sandbox.control().advance(16 * 60);
    browser.get("/eligibility").await;
    assert!(browser.page.contains("loginForm"), "idle");
    browser.sign_in().await;
    browser.get("/logout").await;
    browser.get("/home").await;
    assert!(browser.page.contains("loginForm"), "signed out");
}

#[tokio::test]
async fn scenarios_and_interposed_pages() {
    let sandbox = start().await;
    let mut browser = Browser::new(&sandbox);
    browser.sign_in().await;
    for (id, words) in [
        ("BVP-NOBODY", "No records found"),
        ("XYZ123456789", "other-plan router"),
        ("BVP-CAPTCHA", "captcha-form"),
        ("BVP-TERMS", "termsForm"),
        ("BVP-MAINTAIN", "scheduled maintenance"),
        ("BVP-ERRORPAGE", "unexpected error"),
        ("BVP-SIGNEDOUT", "loginForm"),
    ] {
        browser.search(id, "01/01/1990").await;
        assert!(browser.page.contains(words), "{id}: {}", browser.page);
    }
    browser.sign_in().await;
    browser.search("BVP-SIGNEDOUT", "09/09/1997").await;
    assert!(browser.page.contains("id=\"results\""), "thrown out only once");
    for (page, words) in
        [(Page::Captcha, "captcha-form"), (Page::Terms, "termsForm"), (Page::Maintenance, "scheduled maintenance")]
    {
        sandbox.control().set("bluevalley", Switches { page, ..Switches::default() });
        browser.get("/eligibility").await;
        assert!(browser.page.contains(words));
    }
}

#[tokio::test]
async fn wrong_passwords_and_codes_are_counted_and_lock() {
    let sandbox = start().await;
    let mut browser = Browser::new(&sandbox);
    browser.get("/login").await;
    browser.post("/login", &[("userId", BLUE_USER), ("pwd", BLUE_PASSWORD)]).await;
    browser.post("/otp", &[("otp", "abcdef")]).await;
    assert!(browser.page.contains("The code is not valid"));
    browser.get("/login").await;
    browser.post("/login", &[("userId", BLUE_USER), ("pwd", "wrong")]).await;
    assert!(browser.page.contains("incorrect"));
    browser.post("/login", &[("userId", BLUE_USER), ("pwd", "wrong")]).await;
    assert!(browser.page.contains("account is locked"), "{}", browser.page);
    browser.post("/login", &[("userId", BLUE_USER), ("pwd", BLUE_PASSWORD)]).await;
    assert!(browser.page.contains("account is locked"));
    let counters = sandbox.control().counters("bluevalley").unwrap();
    assert_eq!((counters.logins, counters.logins_failed), (5, 4));
}
