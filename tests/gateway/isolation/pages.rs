//! The staff's pages: who may see and do what, page by page. A page without a line here fails the test: add one.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::people::{MARKS, Pass, Somebody, Town};
use super::routes::ROLES;

/// What a page asks of its visitor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Nothing: signing in, the first run, the style sheet.
    Open,
    /// Somebody signed in, whatever they may do.
    Anyone,
    /// A role with one of these scopes.
    Scopes(&'static [&'static str]),
}
use Gate::{Anyone, Open, Scopes};

/// One page: its address as it stands in the router, how to call it with ids of practice A, and who may.
struct Line {
    route: &'static str,
    get: Option<&'static str>,
    gate: Gate,
}

const fn page(route: &'static str, call: &'static str, gate: Gate) -> Line {
    Line { route, get: Some(call), gate }
}

/// A page that is only posted to: what it does is what the API does, whose own matrix says who may.
const fn sent(route: &'static str) -> Line {
    Line { route, get: None, gate: Anyone }
}

const ASK: Gate = Scopes(&["ask"]);
const TRAIL: Gate = Scopes(&["trail"]);
const CARRIERS: Gate = Scopes(&["carriers"]);
const RAW: Gate = Scopes(&["raw"]);
const ADMIN: Gate = Scopes(&["admin"]);
const CREDENTIALS: Gate = Scopes(&["credentials"]);
/// Carriers are shared by all practices of a gateway: where there are several, nobody changes their files over the network.
const NOBODY: Gate = Scopes(&[]);
const EITHER: Gate = Scopes(&["admin", "credentials"]);

const LINES: &[Line] = &[
    page("/", "/", Anyone),
    page("/sign-in", "/sign-in", Open),
    sent("/sign-in/again"),
    page("/sign-in/code", "/sign-in/code", Open),
    sent("/sign-in/recovery"),
    page("/sign-in/enrol", "/sign-in/enrol", Open),
    sent("/sign-in/enrol/confirm"),
    sent("/sign-out"),
    page("/setup", "/setup", Open),
    page("/invitation", "/invitation", Open),
    page("/account", "/account", Anyone),
    sent("/account/password"),
    sent("/account/practice"),
    sent("/account/sessions/{id}/end"),
    page("/today", "/today", ASK),
    page("/today/huddle", "/today/huddle", ASK),
    page("/today/add", "/today/add", ASK),
    sent("/today/add/find"),
    page("/today/appointments/{id}", "/today/appointments/none", ASK),
    sent("/today/appointments/{id}/take-off"),
    sent("/today/verify"),
    sent("/today/batch/{id}"),
    page("/schedule/import", "/schedule/import", ASK),
    page("/patients/{id}", "/patients/<patient>", ASK),
    sent("/patients/{id}/phone"),
    page("/trail", "/trail", TRAIL),
    sent("/trail/search"),
    sent("/trail/packet"),
    page("/batches", "/batches", ASK),
    page("/batches/{id}", "/batches/01a20a00-0000-7000-8000-000000000000", ASK),
    sent("/batches/{id}/{wish}"),
    page("/tasks", "/tasks", ASK),
    sent("/tasks/{id}/answer"),
    sent("/tasks/{id}/dismiss"),
    sent("/tasks/submissions/{id}"),
    sent("/tasks/holds/{carrier}/release"),
    page("/find", "/find", Open),
    page("/check", "/check", ASK),
    sent("/check/carrier"),
    page("/check/carriers", "/check/carriers?q=north", ASK),
    page("/checks/{id}", "/checks/<ask>", ASK),
    sent("/checks/{id}/again"),
    sent("/checks/{id}/refresh"),
    page("/checks/{id}/raw", "/checks/<ask>/raw", RAW),
    page("/checks/{id}/raw/{file}", "/checks/<ask>/raw/1-received", RAW),
    page("/checks/{id}/pdf", "/checks/<ask>/pdf", ASK),
    sent("/checks/{id}/use"),
    page("/carriers", "/carriers", CARRIERS),
    page("/carriers/{id}", "/carriers/northstar", CARRIERS),
    sent("/carriers/{id}/pause"),
    sent("/carriers/{id}/resume"),
    sent("/carriers/{id}/login"),
    sent("/carriers/{id}/verify"),
    page("/admin", "/admin", EITHER),
    page("/admin/people", "/admin/people", ADMIN),
    sent("/admin/people/{id}/role"),
    sent("/admin/people/{id}/reset"),
    sent("/admin/people/{id}/remove"),
    page("/admin/sessions", "/admin/sessions", ADMIN),
    sent("/admin/sessions/{id}/end"),
    page("/admin/practice", "/admin/practice", ADMIN),
    page("/admin/logins", "/admin/logins", CREDENTIALS),
    page("/admin/webhooks", "/admin/webhooks", ADMIN),
    sent("/admin/webhooks/{id}/enable"),
    sent("/admin/webhooks/{id}/remove"),
    page("/admin/carriers", "/admin/carriers", ADMIN),
    page("/admin/carriers/new", "/admin/carriers/new", NOBODY),
    page("/admin/carriers/connect", "/admin/carriers/connect", NOBODY),
    page("/admin/carriers/{id}/remove", "/admin/carriers/northstar/remove", NOBODY),
    sent("/admin/carriers/{id}/bring-back"),
    page("/admin/carriers/{id}", "/admin/carriers/northstar", ADMIN),
    sent("/admin/carriers/{id}/roll-back"),
    page("/developer", "/developer", ADMIN),
    sent("/developer/keys"),
    sent("/developer/keys/{id}/revoke"),
    page("/developer/sandbox", "/developer/sandbox", ADMIN),
    sent("/developer/sandbox/normal"),
    sent("/developer/sandbox/clock"),
    sent("/developer/sandbox/{carrier}"),
    page("/developer/explorer", "/developer/explorer", ADMIN),
    page("/dev/components", "/dev/components", Anyone),
    page("/assets/{name}", "/assets/none.css", Open),
];

/// The routes of a router, as they are written.
fn routes(source: &str) -> BTreeSet<String> {
    let route = Regex::new(r#"\.route\(\s*"([^"]+)""#).unwrap();
    // What the pages draw for the API is in the API's own matrix.
    route.captures_iter(source).map(|found| found[1].to_owned()).filter(|path| !path.starts_with("/v1/")).collect()
}

fn sources() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
    let (mut todo, mut text) = (vec![folder], String::new());
    while let Some(next) = todo.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

fn missing(source: &str, lines: &[Line]) -> Vec<String> {
    let listed: BTreeSet<&str> = lines.iter().map(|line| line.route).collect();
    routes(source).into_iter().filter(|route| !listed.contains(route.as_str())).collect()
}

#[test]
fn every_page_has_a_line() {
    let source = sources();
    assert!(routes(&source).len() > 20, "the reading of src/pages misses routes");
    assert_eq!(missing(&source, LINES), Vec::<String>::new(), "these pages have no line");
    // It can fail.
    assert_eq!(missing(&source, &LINES[1..]), ["/"]);
    let gone: Vec<&str> =
        LINES.iter().map(|line| line.route).filter(|route| !routes(&source).contains(*route)).collect();
    assert!(gone.is_empty(), "these lines have no page: {gone:?}");
}

/// What must come: 303 to the sign-in, 403, or a page (200, or 404 where practice A's thing is asked for by another).
fn expected(line: &Line, who: &Somebody) -> &'static [u16] {
    let signed_in = matches!(who.pass, Pass::Session { .. }) && !matches!(who.name.as_str(), "expired" | "half");
    let may = match line.gate {
        Open => return &[200, 303, 404],
        Anyone => true,
        Scopes(scopes) => scopes.iter().any(|scope| who.scopes.iter().any(|own| own == scope)),
    };
    match (signed_in, may) {
        (false, _) => &[303],
        (true, false) => &[403],
        (true, true) if matches!(line.route, "/" | "/admin") => &[303],
        (true, true) if line.route.contains('{') => &[200, 404],
        (true, true) => &[200],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_page_answers_every_visitor_as_the_matrix_says() {
    let town = Town::new().await;
    let mut all = vec![
        Somebody { name: "none".into(), practice: 0, scopes: Vec::new(), pass: Pass::None },
        town.key(0, "key:all", &portico::identity::Scope::ALL).await,
    ];
    for practice in [0, 1] {
        for (role, _) in ROLES {
            all.push(town.person(practice, role, false).await);
        }
    }
    let mut expired = town.person(0, "practice_admin", false).await;
    town.let_expire(&expired);
    expired.name = "expired".into();
    all.push(expired);
    all.push(town.person(0, "practice_admin", true).await);
    let ask = town.question(&all[1]).await;
    let patient = town.patient(&all[1]).await;
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for line in LINES {
        let Some(call) = line.get else { continue };
        let path = call.replace("<ask>", &ask).replace("<patient>", &patient);
        for who in &all {
            let reply = town.send(who, "get", &path, "").await;
            tried += 1;
            if !expected(line, who).contains(&reply.status.as_u16()) {
                wrong.push(format!("{path} as {} of {}: {}", who.name, who.practice, reply.status));
            }
            let foreign = MARKS
                .iter()
                .enumerate()
                .find(|(other, mark)| *other != who.practice && reply.text.to_lowercase().contains(**mark));
            if let Some((other, _)) = foreign {
                wrong.push(format!("{path} as {} of {} shows something of {other}", who.name, who.practice));
            }
            if reply.text.contains("<title>") {
                let title = reply.text.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or("");
                if MARKS.iter().any(|mark| title.to_lowercase().contains(mark)) {
                    wrong.push(format!("{path}: the title tells whose it is"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("{tried} pages looked at by {} visitors, 0 against the matrix", all.len());
}

/// Whatever a page does needs our own page's proof: without it nothing happens, whoever is signed in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_form_is_taken_without_its_proof() {
    let town = Town::new().await;
    let admin = town.person(0, "practice_admin", false).await;
    let Pass::Session { cookie, .. } = &admin.pass else { panic!("no session") };
    let source = sources();
    let address = Regex::new(r#"^\s*"([^"]+)""#).unwrap();
    // Each route up to the next one, and not into the text after the last.
    let forms =
        source.split(".route(").skip(1).map(|route| &route[..route.find(".layer(").unwrap_or(route.len()).min(200)]);
    let forms = forms.filter(|route| route.contains("post("));
    let open = ["/sign-in", "/sign-in/again", "/setup", "/invitation"];
    let mut tried = 0;
    for found in forms.filter_map(|route| address.captures(route)) {
        let path = found[1].replace("{id}", "x").replace("{wish}", "pause").replace("{carrier}", "northstar");
        if open.contains(&path.as_str()) || path.contains("/sign-in/") {
            continue;
        }
        let headers = [
            ("cookie", cookie.clone()),
            ("origin", "http://localhost".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let reply = town.send_with("post", &path, &headers, "csrf=forged&reason=x").await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text);
        let foreign = [headers[0].clone(), ("origin", "https://evil.example".to_owned()), headers[2].clone()];
        let reply = town.send_with("post", &path, &foreign, "csrf=forged").await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text);
        tried += 1;
    }
    assert!(tried > 5, "{tried}");
    // Still signed in, nothing was done.
    assert_eq!(town.send(&admin, "get", "/v1/session", "").await.status, 200);
}
