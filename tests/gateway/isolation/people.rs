//! Three practices with people in every role, keys with every scope, and data that can be told apart by its marks.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use portico::identity::{Caller, NewMember, Role, Scope};
use portico::practice::PracticeId;
use portico::trail::Actor;
use zeroize::Zeroizing;

use super::routes::Line;
use crate::support::{Reply, Stand, send_with};

/// Marks of the three practices: in names, addresses, labels and member ids.
pub const MARKS: [&str; 3] = ["alphamark7f3a", "betamark91cd", "gammamarke24b"];
const PRACTICES: [&str; 3] = ["p-alpha", "p-beta", "p-gamma"];
const PASSWORD: &str = "four words that nobody-else-knows";

/// What a request is sent with.
#[derive(Clone, Debug)]
pub enum Pass {
    None,
    Key(String),
    Session { cookie: String, csrf: String },
}

/// Somebody who calls.
#[derive(Clone, Debug)]
pub struct Somebody {
    /// A role, `key:scope`, `none`, `expired`, `revoked`, `half`.
    pub name: String,
    /// Which of the three practices.
    pub practice: usize,
    pub scopes: Vec<String>,
    pub pass: Pass,
}

/// The practices under test.
pub struct Town {
    pub stand: Stand,
    data: tempfile::TempDir,
    counter: AtomicUsize,
    northstar: String,
}

impl Town {
    pub async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let stand = Stand::start_at(Some(data.path())).await;
        for (id, mark) in PRACTICES.iter().zip(MARKS) {
            stand.house.app.identity.ensure_practice(id, &format!("Clinic {mark}")).await.unwrap();
        }
        let credentials = sandbox::credentials();
        let northstar = credentials.iter().find(|(carrier, _)| *carrier == "northstar").unwrap();
        let northstar = northstar.1.iter().find(|(name, _)| *name == "password").unwrap().1.to_owned();
        let town = Self { stand, data, counter: AtomicUsize::new(0), northstar };
        for practice in 0..3 {
            let all = town.key(practice, "key:all", &Scope::ALL).await;
            for (method, path, body) in [
                ("put", "/v1/credentials/northstar", super::routes_body("/v1/credentials/{carrier}")),
                ("put", "/v1/practice", super::routes_body("/v1/practice")),
            ] {
                let reply = town.send(&all, method, path, &town.fill(body, practice)).await;
                assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
            }
        }
        town
    }

    fn caller(&self, practice: usize) -> Caller {
        Caller::command_line(PracticeId::new(PRACTICES[practice]))
    }

    pub fn number(&self) -> usize {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts marks and numbers into a template.
    pub fn fill(&self, template: &str, practice: usize) -> String {
        let number = self.number().to_string();
        template.replace("<mark>", MARKS[practice]).replace("<n>", &number).replace("<northstar>", &self.northstar)
    }

    pub async fn key(&self, practice: usize, name: &str, scopes: &[Scope]) -> Somebody {
        let identity = &self.stand.house.app.identity;
        let id = PracticeId::new(PRACTICES[practice]);
        let key = identity.create_key(&id, MARKS[practice], scopes, &Actor::command_line()).await.unwrap();
        let scopes = scopes.iter().map(|scope| scope.word().to_owned()).collect();
        Somebody { name: name.to_owned(), practice, scopes, pass: Pass::Key(key.key.to_string()) }
    }

    /// The id of a new key without any scope.
    pub async fn spare_key(&self, practice: usize) -> String {
        let identity = &self.stand.house.app.identity;
        let id = PracticeId::new(PRACTICES[practice]);
        identity.create_key(&id, MARKS[practice], &[], &Actor::command_line()).await.unwrap().id
    }

    /// The id of somebody new at the front desk, who has not set a password.
    pub async fn spare_person(&self, practice: usize) -> String {
        let email = self.fill("spare<n>@<mark>.example", practice);
        let new = NewMember { email: &email, name: MARKS[practice], role: Role::FrontDesk, second_factor: true };
        self.stand.house.app.identity.add_person(&self.caller(practice), new).await.unwrap().person
    }

    /// The id of a new question of the practice.
    pub async fn question(&self, somebody: &Somebody) -> String {
        let body = self.fill(super::routes_body("/v1/eligibility"), somebody.practice);
        let reply = self.send(somebody, "post", "/v1/eligibility", &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// Somebody in this role, signed in over HTTP. `half`: who still has to set up one-time codes.
    pub async fn person(&self, practice: usize, role: &str, half: bool) -> Somebody {
        let email = self.fill(&format!("{role}<n>@<mark>.example"), practice);
        let role = Role::from_word(role).unwrap();
        let new = NewMember { email: &email, name: MARKS[practice], role, second_factor: half };
        let identity = &self.stand.house.app.identity;
        let token = identity.add_person(&self.caller(practice), new).await.unwrap().token.unwrap();
        let password = Zeroizing::new(PASSWORD.to_owned());
        identity.accept_invitation(&token, &password, &email).await.unwrap();
        let name = if half { "half" } else { role.word() };
        let scopes = super::routes::ROLES.iter().find(|(word, _)| *word == role.word()).unwrap().1;
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Somebody { name: name.to_owned(), practice, scopes, pass: self.enter(&email).await.0 }
    }

    /// Signs in; the pass and the session's id.
    pub async fn enter(&self, email: &str) -> (Pass, String) {
        let body = serde_json::json!({ "email": email, "password": PASSWORD }).to_string();
        let address = self.stand.address();
        let reply = send_with(&address, None, &[], Method::POST, "/v1/session", body.into_bytes()).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        let csrf = reply.body["csrf_token"].as_str().unwrap().to_owned();
        (Pass::Session { cookie: cookie_of(&reply), csrf }, reply.body["id"].as_str().unwrap().to_owned())
    }

    /// Makes this session as old as if nobody had used it for an hour.
    #[allow(clippy::disallowed_methods, reason = "only a hand on the database makes a session old")]
    pub fn let_expire(&self, somebody: &Somebody) {
        let Pass::Session { cookie, .. } = &somebody.pass else { panic!("no session") };
        let value = cookie.split_once('=').unwrap().1;
        let hash = ring::digest::digest(&ring::digest::SHA256, value.as_bytes());
        let database = rusqlite::Connection::open(self.data.path().join("store/portico.db")).unwrap();
        database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let changed = database
            .execute("UPDATE session SET seen_at = seen_at - 3600000000 WHERE hash = ?1", [hash.as_ref()])
            .unwrap();
        assert_eq!(changed, 1);
    }

    /// One request, as a page of ours would send it.
    pub async fn send(&self, somebody: &Somebody, method: &str, path: &str, body: &str) -> Reply {
        let headers = match &somebody.pass {
            Pass::None => Vec::new(),
            Pass::Key(key) => vec![("authorization", format!("Bearer {key}"))],
            Pass::Session { cookie, csrf } => vec![
                ("cookie", cookie.clone()),
                ("x-csrf-token", csrf.clone()),
                ("origin", "http://localhost".to_owned()),
            ],
        };
        self.send_with(method, path, &headers, body).await
    }

    pub async fn send_with(&self, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> Reply {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        send_with(&self.stand.address(), None, &headers, method, path, body.as_bytes().to_vec()).await.unwrap()
    }

    /// A line's path and body, with the ids given or new ones of practice A.
    pub async fn ready(
        &self,
        line: &Line,
        all: &Somebody,
        ask: &str,
        session: &str,
        practice: usize,
    ) -> (String, String) {
        let mut path = line.call.replace("<ask>", ask).replace("<session>", session);
        if path.contains("<key>") {
            path = path.replace("<key>", &self.spare_key(0).await);
        }
        if path.contains("<webhook>") {
            path = path.replace("<webhook>", &self.webhook(all).await);
        }
        if path.contains("<person>") {
            path = path.replace("<person>", &self.spare_person(0).await);
        }
        if path.contains("<patient>") {
            path = path.replace("<patient>", &self.patient(all).await);
        }
        (path, self.fill(line.body, practice))
    }
}

/// The session's cookie of a reply, as a browser sends it back.
pub fn cookie_of(reply: &Reply) -> String {
    let all = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let mut own =
        all.filter(|value| !value.contains("device")).map(|value| value.split(';').next().unwrap().to_owned());
    own.next_back().unwrap_or_else(|| panic!("no cookie: {}", reply.text))
}

impl Town {
    /// The id of a webhook of this practice; made when there is none, for there are only so many.
    pub async fn webhook(&self, all: &Somebody) -> String {
        let listed = self.send(all, "get", "/v1/webhooks", "").await;
        if let Some(id) = listed.body[0]["id"].as_str() {
            return id.to_owned();
        }
        let body = self.fill(super::routes_body("/v1/webhooks"), all.practice);
        let made = self.send(all, "post", "/v1/webhooks", &body).await;
        made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
    }

    /// The id of a new patient of this practice.
    pub async fn patient(&self, all: &Somebody) -> String {
        let body = self.fill(super::routes_body("/v1/patients"), all.practice);
        let made = self.send(all, "post", "/v1/patients", &body).await;
        made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
    }

    /// Whether this session runs, as an administrator sees it.
    pub async fn runs(&self, admin: &Somebody, id: &str) -> bool {
        let listed = self.send(admin, "get", "/v1/sessions", "").await;
        listed.body["sessions"].as_array().unwrap().iter().any(|one| one["id"] == id)
    }

    /// The id of a new session of somebody new at the front desk.
    pub async fn new_session_of(&self, practice: usize) -> String {
        let somebody = self.person(practice, "front_desk", false).await;
        let view = self.send(&somebody, "get", "/v1/session", "").await;
        view.body["id"].as_str().unwrap().to_owned()
    }
}
