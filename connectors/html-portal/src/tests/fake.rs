//! A small portal that answers from a table: what it sends can be replaced page by page.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use connector_sdk::testing::{FakeHost, block_on};
use connector_sdk::{Connector, EligibilityFacts, EligibilityRequest, Outcome, Result, Settings, SignIn};
use http::{Request, Response};

use crate::REGISTRATION;

pub(super) const LOGIN: &str = r#"<html><body><form id=login action="do-login" method=post>
  <input type=hidden name=__VIEWSTATE value="vs-login"><input type=hidden name=_csrf value="c1">
  <input name=user><input type=password name=pass><input type=submit name=go value="Sign in"></form></body></html>"#;
pub(super) const OTP: &str = r#"<html><body><form id=otp action="otp" method=post><input type=hidden name=_csrf value="c2">
  <input name=code></form></body></html>"#;
pub(super) const HOME: &str = r#"<html><body><a id=sign-out href=logout>Sign out</a></body></html>"#;
pub(super) const SEARCH: &str = r#"<html><body><a id=sign-out href=logout>Sign out</a><form id=search action="search" method=post>
  <input type=hidden name=__VIEWSTATE value="vs-search"><input name=memberId><input name=dob>
  <select name=service><option value=ALL>All</option><option value=OFFICE>Office visit</option></select></form></body></html>"#;
pub(super) const RESULTS: &str = r#"<html><body><table id=results><thead><tr><th>DOB</th><th>Name</th><th>Member ID</th><th></th></tr></thead><tbody>
  <tr><td>01/02/1975</td><td>Doe, John</td><td>ACM123456</td><td><a href="member?row=1">view</a></td></tr>
  <tr><td>02/09/1980</td><td>Doe, Jane</td><td>ACM123456</td><td><a href="member?row=2">view</a></td></tr>
  <tr><td colspan=4>Page 1 of 1</td></tr></tbody></table></body></html>"#;
pub(super) const MEMBER: &str = r#"<html><body><a id=sign-out href=logout>Sign out</a><h2 id=member-name>DOE-SMITH, JANE Q</h2>
  <dl><dt>Member ID</dt><dd>ACM 123456</dd><dt>Date of birth:</dt><dd>02/09/1980</dd></dl>
  <table><tr><th>Coverage status</th><td>Active</td></tr><tr><th>Plan</th><td>Gold PPO</td></tr>
  <tr><th>Effective</th><td>01/01/2026</td></tr></table>
  <p><b>Deductible:</b> $1,500.00<br><b>Deductible met:</b> $412.50</p>
  <table id=benefits><thead><tr><th>Network</th><th>Coinsurance</th><th>Service</th><th>Copay</th></tr></thead><tbody>
  <tr><td>In network</td><td>—</td><td>Office visit</td><td>$25</td></tr>
  <tr><td>Out of network</td><td>40%</td><td>Office visit</td><td>see booklet</td></tr>
  <tr><td>Tier 2</td><td>20%</td><td>Moon travel</td><td>-</td></tr></tbody></table></body></html>"#;

/// What the portal sends, by `METHOD /path`.
pub(super) struct Fake {
    pages: BTreeMap<String, (u16, String)>,
    settings: String,
    hosts: Vec<String>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let pages = [
            ("GET /providers/login", LOGIN),
            ("POST /providers/do-login", OTP),
            ("POST /providers/otp", HOME),
            ("GET /providers/logout", LOGIN),
            ("GET /providers/eligibility", SEARCH),
            ("POST /providers/search", RESULTS),
            ("GET /providers/member", MEMBER),
        ];
        let pages = pages.map(|(key, page)| (key.to_owned(), (200, page.to_owned())));
        Self {
            pages: pages.into_iter().collect(),
            settings: REGISTRATION.example.to_owned(),
            hosts: vec!["portal.acme.example".into()],
        }
    }

    pub(super) fn page(mut self, key: &str, page: &str) -> Self {
        self.pages.insert(key.to_owned(), (200, page.to_owned()));
        self
    }

    pub(super) fn status(mut self, key: &str, status: u16, page: &str) -> Self {
        self.pages.insert(key.to_owned(), (status, page.to_owned()));
        self
    }

    pub(super) fn member(self, from: &str, to: &str) -> Self {
        assert!(MEMBER.contains(from), "{from}");
        self.page("GET /providers/member", &MEMBER.replace(from, to))
    }

    /// Changes the carrier file.
    pub(super) fn toml(mut self, from: &str, to: &str) -> Self {
        assert!(self.settings.contains(from), "{from}");
        self.settings = self.settings.replace(from, to);
        self
    }

    pub(super) fn portal(&self) -> Arc<dyn Connector> {
        let file: toml::Table = self.settings.parse().unwrap();
        let settings = Settings::new(file["settings"].as_table().unwrap().clone(), self.hosts.clone());
        match (REGISTRATION.build)(&settings) {
            Ok(portal) => portal,
            Err(problems) => panic!("{problems:#?}"),
        }
    }

    pub(super) fn host(&self) -> Arc<FakeHost> {
        let pages = self.pages.clone();
        FakeHost::new(move |_, request| {
            let key = format!("{} {}", request.method(), request.uri().path());
            let (status, page) = pages.get(&key).cloned().unwrap_or((404, "<html>no such page</html>".into()));
            Ok(Response::builder().status(status).header("content-type", "text/html").body(page.into()).unwrap())
        })
    }

    /// A host whose credential has these fields and whose people answer this often. The same address may show other pages
    /// when it is asked again: `(key, number of the request to it, page)`.
    pub(super) fn attended(
        &self,
        secrets: &[&str],
        answers: usize,
        again: &'static [(&'static str, usize, &'static str)],
    ) -> Arc<FakeHost> {
        let pages = self.pages.clone();
        let seen = std::sync::Mutex::new(BTreeMap::<String, usize>::new());
        let script = move |_: usize, request: &Request<Bytes>| {
            let key = format!("{} {}", request.method(), request.uri().path());
            let number = {
                let mut seen = seen.lock().unwrap();
                let number = seen.entry(key.clone()).or_default();
                *number += 1;
                *number
            };
            let other =
                again.iter().find(|(of, at, _)| *of == key && *at == number).map(|(_, _, page)| (*page).to_owned());
            let (status, page) = match other {
                Some(page) => (200, page),
                None => pages.get(&key).cloned().unwrap_or((404, "<html>no such page</html>".into())),
            };
            let media = if key.ends_with(".png") { "image/png" } else { "text/html" };
            Ok(Response::builder().status(status).header("content-type", media).body(page.into()).unwrap())
        };
        FakeHost::attended(script, secrets, answers)
    }

    /// Signs in with such a host.
    pub(super) fn sign_in_at(&self, host: &Arc<FakeHost>) -> Result<()> {
        let portal = self.portal();
        let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
        block_on(form.sign_in(&host.context()))
    }

    pub(super) fn sign_in(&self) -> (Result<()>, Vec<Request<Bytes>>) {
        let (portal, host) = (self.portal(), self.host());
        let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
        (block_on(form.sign_in(&host.context())), host.requests())
    }

    pub(super) fn ask_with(&self, ask: &EligibilityRequest) -> (Result<Outcome<EligibilityFacts>>, Arc<FakeHost>) {
        let (portal, host) = (self.portal(), self.host());
        let outcome = block_on(portal.eligibility().unwrap().check(&host.context(), ask));
        (outcome, host)
    }

    pub(super) fn ask(&self) -> Result<Outcome<EligibilityFacts>> {
        self.ask_with(&ask()).0
    }
}

pub(super) fn ask() -> EligibilityRequest {
    serde_json::from_value(serde_json::json!({
        "carrier": "acme", "provider": { "npi": "1234567893" },
        "member": { "member_id": "acm123456", "date_of_birth": "1980-02-09", "last_name": "Doe", "first_name": "Jane" },
        "service": { "types": ["98"] }
    }))
    .unwrap()
}

pub(super) fn body(request: &Request<Bytes>) -> String {
    String::from_utf8(request.body().to_vec()).unwrap()
}
