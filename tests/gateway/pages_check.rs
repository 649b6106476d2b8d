//! Check coverage and Benefits: asked, answered, refused and mended through the whole gateway, as a browser without
//! scripts does it.

use http::{Method, StatusCode};
use portico::house::House;
use portico::identity::{Caller, NewMember, Role};
use portico::practice::PracticeId;
use portico::trail::{OutcomeKind, TrailRecord};
use serde_json::Value;

use crate::support::{Reply, Stand, send_with};

/// A browser without scripts: a cookie, and the token that its last page brought along.
pub struct Browser<'a> {
    stand: &'a Stand,
    cookie: String,
    csrf: String,
}

impl<'a> Browser<'a> {
    /// Signed in by the form.
    async fn sign_in(stand: &'a Stand, email: &str, password: &str) -> Self {
        let mut browser = Self { stand, cookie: String::new(), csrf: String::new() };
        let reply = browser.post("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        let cookies = reply.headers.get_all("set-cookie");
        let cookies: Vec<&str> =
            cookies.iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        browser.cookie = cookies.join("; ");
        browser
    }

    pub async fn admin(stand: &'a Stand) -> Self {
        let (email, password) = stand.house.demo_login().await.unwrap();
        let mut browser = Self::sign_in(stand, &email, &password).await;
        browser.get("/check").await;
        browser
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Reply {
        let headers = [
            ("origin", "http://localhost"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let reply = send_with(&self.stand.address(), None, &headers, method, path, body.into_bytes()).await.unwrap();
        if let Some(csrf) = value_of(&reply.text, "csrf") {
            self.csrf = csrf;
        }
        reply
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, String::new()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &self.csrf).extend_pairs(fields);
        let body = body.finish();
        self.send(Method::POST, path, body).await
    }

    /// Asks, and follows to what came of it: its address and its page.
    pub async fn ask(&mut self, path: &str, fields: &[(&str, &str)]) -> (String, Reply) {
        let reply = self.post(path, fields).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        let to = reply.headers["location"].to_str().unwrap().to_owned();
        assert!(to.starts_with("/checks/") && to.len() == 8 + 36, "nothing but an id of ours: {to}");
        let page = self.get(&to).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let (_, title) = page.text.split_once("<title>").unwrap();
        let title = title.split('<').next().unwrap();
        assert!(["Benefits – Portico", "Not found – Portico", "No answer – Portico"].contains(&title), "{title}");
        (to, page)
    }
}

/// The value of the first input of this name.
fn value_of(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\""))?;
    let tag = rest.split('>').next()?;
    Some(tag.split_once("value=\"")?.1.split('"').next()?.to_owned())
}

pub fn okafor(month: &'static str, day: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("carrier", "northstar"),
        ("member.member_id", "NSH-ACTIVE-COPAY40"),
        ("patient.first_name", "Amara"),
        ("patient.last_name", "Okafor"),
        ("patient.date_of_birth.month", month),
        ("patient.date_of_birth.day", day),
        ("patient.date_of_birth.year", "1984"),
        ("relationship", "self"),
        ("types", "30"),
        ("types", "98"),
        ("provider.npi", "1234567893"),
    ]
}

/// Every figure in dollars on the page, plain.
fn dollars(page: &str) -> Vec<String> {
    let start =
        |rest: &str| -> String { rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect() };
    page.split('$').skip(1).map(|rest| start(rest).trim_end_matches([',', '.']).replace(',', "")).collect()
}

fn numbers(json: &Value, found: &mut Vec<f64>) {
    match json {
        Value::String(text) => {
            found.extend(
                text.split(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.')))
                    .filter_map(|part| part.replace(',', "").trim_end_matches('.').parse::<f64>().ok()),
            );
        }
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(list) => list.iter().for_each(|one| numbers(one, found)),
        Value::Object(object) => object.values().for_each(|one| numbers(one, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_birth_date_is_mended_in_one_press_and_the_answer_can_be_read_aloud() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let form = browser.get("/check?carrier=northstar").await;
    assert!(
        form.text.contains("Needs member ID and date of birth; or else member ID, last name and first name"),
        "{}",
        form.text
    );
    assert!(form.text.contains("As printed on the card, with its hyphens"), "the carrier's own help: {}", form.text);

    let (first, page) = browser.ask("/check", &okafor("12", "3")).await;
    assert!(page.text.contains("Not found: check the date of birth"), "{}", page.text);
    assert!(page.text.contains("knows this ID, but not with this date of birth."), "{}", page.text);
    assert!(page.text.contains("Ask again with 12 Mar 1984"), "day and month the other way round: {}", page.text);
    assert!(page.text.contains("By last name, first name and date of birth"), "the other searches: {}", page.text);
    let focused = page.text.split("autofocus").next().unwrap().rsplit('<').next().unwrap();
    assert!(focused.contains("patient.date_of_birth.month") && focused.contains("value=\"12\""), "{focused}");

    let mut again = okafor("12", "3");
    again.push(("swap", "patient.date_of_birth"));
    let (second, page) = browser.ask(&format!("{first}/again"), &again).await;
    for text in ["OKAFOR", "NORTHSTAR CHOICE PPO 1500", "$40 copay", "not a guarantee of payment", "Try 2", &first] {
        assert!(page.text.contains(text), "{text} is missing: {}", page.text);
    }
    assert!(!page.text.contains("<script>") && !page.text.contains(" style="), "nothing inline");
    let stored =
        stand.call(Method::GET, &format!("/v1/eligibility/{}", second.trim_start_matches("/checks/")), None).await;
    let mut known = Vec::new();
    numbers(&stored.body, &mut known);
    let shown = dollars(&page.text);
    assert!(shown.len() > 5, "{shown:?}");
    for amount in shown {
        let amount: f64 = amount.parse().unwrap();
        assert!(known.contains(&amount), "${amount} is nowhere in the answer");
    }

    let paper = browser.get(&format!("{second}?print=1")).await;
    let folds = paper.text.matches("<details class=\"fold\"").count();
    assert!(
        paper.text.matches("<details class=\"fold\" open>").count() >= folds - 1,
        "all but the expert's fold are open"
    );
    let raw = browser.get(&format!("{second}/raw")).await;
    assert!(raw.text.contains("ST*271"), "{}", raw.text);

    let (_, fresh) = browser.ask(&format!("{second}/refresh"), &[]).await;
    assert!(fresh.text.contains("Try 3") && fresh.text.contains("· live"), "{}", fresh.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_is_found_by_a_mistyped_name_and_nothing_typed_is_lost() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let typed = [("carrier_search", "norhtstar"), ("member.member_id", "NSH 0041 O"), ("types", "98")];
    let list = browser.post("/check", &typed).await;
    assert_eq!(list.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(list.text.contains("name=\"carrier\" value=\"northstar\""), "{}", list.text);
    assert!(list.text.contains("value=\"NSH 0041 O\"") && list.text.contains("value=\"norhtstar\""), "{}", list.text);
    let part = browser.get("/check/carriers?carrier_search=norhtstar").await;
    assert!(part.text.contains("Northstar Health") && !part.text.contains("<html"), "{}", part.text);

    let chosen = [("carrier", "northstar"), ("member.member_id", "NSH 0041 O"), ("types", "98")];
    let form = browser.post("/check/carrier", &chosen).await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(value_of(&form.text, "member.member_id").as_deref(), Some("NSH 0041 O"));

    // Everything that is wrong, at once, and no carrier is asked.
    let asked = stand.questions("northstar");
    let mut wrong = okafor("3", "12");
    for (name, value) in &mut wrong {
        match *name {
            "patient.date_of_birth.year" => *value = "84",
            "provider.npi" => *value = "1234567890",
            "member.member_id" => *value = "NSH 0041 O",
            _ => {}
        }
    }
    let page = browser.post("/check", &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "four digits: 1984?",
        "check digit does not fit",
        "As printed on the card, with its hyphens",
        "value=\"NSH0041O\"",
    ] {
        assert!(page.text.contains(text), "{text} is missing: {}", page.text);
    }
    assert_eq!(value_of(&page.text, "member.member_id").as_deref(), Some("NSH 0041 O"), "never changed by itself");
    assert_eq!(stand.questions("northstar"), asked);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_says_whose_side_it_is_on_and_what_can_be_done() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let mut typed = okafor("8", "8");
    typed[1].1 = "NSH-FAULT-500";
    typed[6].1 = "1988";
    let (address, page) = browser.ask("/check", &typed).await;
    assert!(
        page.text.contains("Whose side: </strong>") && page.text.contains("There is no saved answer"),
        "{}",
        page.text
    );
    assert!(page.text.contains(&format!("action=\"{address}/refresh\"")), "{}", page.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_carrier_is_waited_for_on_a_page_that_looks_again_by_itself() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let slow = sandbox::Switches { latency_ms: 4_000, ..sandbox::Switches::default() };
    assert!(stand.sandbox.control().set("northstar", slow));
    let sent = browser.post("/check", &okafor("3", "12")).await;
    let to = sent.headers["location"].to_str().unwrap().to_owned();
    let mut page = browser.get(&to).await;
    assert!(page.text.contains("Asking Northstar Health") && page.text.contains("give up after 60 s"), "{}", page.text);
    assert_eq!(page.headers["refresh"], "2");
    while page.headers.contains_key("refresh") {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        page = browser.get(&to).await;
    }
    assert!(page.text.contains("$40 copay"), "{}", page.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_sees_nothing_and_a_foreign_page_asks_nothing() {
    let stand = Stand::start().await;
    let (email, password) = auditor(&stand.house).await;
    let mut browser = Browser::sign_in(&stand, email, &password).await;
    browser.get("/account").await;
    for path in ["/check", "/check/carriers", "/checks/018f0000-0000-7000-8000-000000000000"] {
        assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/check", "/check/carrier", "/find", "/checks/x/again", "/checks/x/refresh"] {
        assert_eq!(browser.post(path, &[("q", "Okafor")]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut admin = Browser::admin(&stand).await;
    let asked = stand.questions("northstar");
    admin.csrf = "A".repeat(admin.csrf.len());
    assert_eq!(admin.post("/check", &okafor("3", "12")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(stand.questions("northstar"), asked);
    assert_eq!(admin.get("/checks/nothing-here").await.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}

async fn auditor(house: &House) -> (&'static str, zeroize::Zeroizing<String>) {
    let identity = &house.app.identity;
    let (email, caller) = ("auditor@practice.example", Caller::command_line(PracticeId::new("demo")));
    let new = NewMember { email, name: "Auditor", role: Role::Auditor, second_factor: false };
    let token = identity.add_person(&caller, new).await.unwrap().token.unwrap();
    let password = identity.random_password().unwrap();
    identity.accept_invitation(&token, &password, "test").await.unwrap();
    (email, password)
}

/// Puts something hostile behind every text of an answer.
fn poison(json: &mut Value) {
    const FREE: [&str; 10] = [
        "name",
        "label",
        "text",
        "paragraph",
        "value",
        "description",
        "first_name",
        "last_name",
        "member_id",
        "network_name",
    ];
    match json {
        Value::Array(list) => list.iter_mut().for_each(poison),
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if FREE.contains(&key.as_str()) => {
                        text.push_str("\"'><script>alert(1)</script>")
                    }
                    Value::Array(list) if key == "messages" => list.push("<img src=x onerror=alert(1)>".into()),
                    other => poison(other),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_carrier_writes_is_shown_as_text() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let (good, page) = browser.ask("/check", &okafor("3", "12")).await;
    assert!(page.text.contains("$40 copay"), "{}", page.text);
    let mut envelope =
        stand.call(Method::GET, &format!("/v1/eligibility/{}", good.trim_start_matches("/checks/")), None).await.body;
    poison(&mut envelope["answer"]);
    let (practice, id) = (PracticeId::new("demo"), "018f0000-0000-7000-8000-000000000001");
    envelope["id"] = id.into();
    let actor = Caller::command_line(practice.clone()).actor();
    let record = TrailRecord::new(&practice, &actor, "eligibility.answered")
        .carrier("northstar")
        .operation(connector_sdk::Operation::Eligibility)
        .outcome(OutcomeKind::Answered)
        .ask(id);
    let bytes = serde_json::to_vec(&envelope).unwrap();
    stand.house.app.trail.complete(&practice, id, &bytes, None, record).await.unwrap();
    let page = browser.get(&format!("/checks/{id}?print=1")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("&lt;script&gt;alert(1)") && page.text.contains("&lt;img src=x"), "{}", page.text);
    assert!(!page.text.contains("<script>alert") && !page.text.contains("<img"), "{}", page.text);
    stand.stop().await;
}
