//! A browser without scripts: cookies, forms, the hidden token of the page it looks at.

use http::{Method, StatusCode};
use portico::identity::{Caller, NewMember, Role};
use portico::practice::PracticeId;
use zeroize::Zeroizing;

use crate::support::{Reply, Stand, send_with};

pub const PASSWORD: &str = "four words that nobody-else-knows";

/// Somebody at a browser.
pub struct Desk {
    address: String,
    cookie: String,
    csrf: String,
}

impl Desk {
    /// The demo's person, who may do everything, signed in by the form.
    pub async fn admin(stand: &Stand) -> Self {
        let (email, password) = stand.house.demo_login().await.unwrap();
        Self::enter(stand, &email, &password).await
    }

    /// Somebody new in this role of the demo's practice, signed in by the form.
    pub async fn of(stand: &Stand, role: Role) -> Self {
        let email = format!("{}@portico.example", role.word());
        let caller = Caller::command_line(PracticeId::new("demo"));
        let new = NewMember { email: &email, name: role.word(), role, second_factor: false };
        let invitation = stand.house.app.identity.add_person(&caller, new).await.unwrap();
        let password = Zeroizing::new(PASSWORD.to_owned());
        let token = invitation.token.unwrap();
        stand.house.app.identity.accept_invitation(&token, &password, "test").await.unwrap();
        Self::enter(stand, &email, &password).await
    }

    async fn enter(stand: &Stand, email: &str, password: &str) -> Self {
        let mut desk = Self { address: stand.address(), cookie: String::new(), csrf: String::new() };
        let reply = desk.post("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        let set = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let cookies: Vec<&str> = set.map(|value| value.split(';').next().unwrap()).collect();
        desk.cookie = cookies.join("; ");
        let page = desk.get("/account").await;
        let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").unwrap();
        desk.csrf = rest.split('"').next().unwrap().to_owned();
        desk
    }

    async fn send(&self, method: Method, path: &str, body: String) -> Reply {
        let headers = [
            ("origin", "http://localhost"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", self.cookie.as_str()),
        ];
        send_with(&self.address, None, &headers, method, path, body.into_bytes()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        let reply = self.send(Method::GET, path, String::new()).await;
        if reply.status == StatusCode::OK {
            assert!(reply.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
            assert!(!reply.text.contains(" style=") && !reply.text.contains("<script>"), "nothing inline: {path}");
        }
        reply
    }

    /// Sends a form, with the page's hidden token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &self.csrf).extend_pairs(fields);
        self.send(Method::POST, path, form.finish()).await
    }

    /// The same without the token.
    pub async fn post_without_token(&self, path: &str) -> Reply {
        self.send(Method::POST, path, "name=x".to_owned()).await
    }
}

/// Where a redirect leads.
pub fn leads(reply: &Reply) -> &str {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

/// How many records of this kind the practice's trail has.
pub async fn records(stand: &Stand, action: &str) -> usize {
    let filter = portico::trail::Filter { action: Some(action.to_owned()), ..Default::default() };
    stand.house.app.trail.list(&PracticeId::new("demo"), filter, 500).await.unwrap().len()
}
