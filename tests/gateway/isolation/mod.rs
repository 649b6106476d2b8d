//! Nobody sees or does what belongs to another practice, or what their role or key does not allow: every route with every
//! caller, and a long walk over three practices in whose answers no byte of another may stand.
//!
//! The long form of the walk: `PORTICO_WALK=1000000 PORTICO_SEED=7 cargo test --release --test gateway -- isolation::walk`

mod pages;
mod people;
mod routes;
mod walk;

use portico::identity::Scope;

use people::{Pass, Somebody, Town};
use routes::{Gate, LINES, Line, ROLES, SCOPES};

/// The body of a line with this route that has one.
fn routes_body(route: &str) -> &'static str {
    LINES.iter().find(|line| line.route == route && !line.body.is_empty()).unwrap().body
}

#[test]
fn every_route_has_a_line() {
    let problems = routes::missing(&portico::api::openapi_document(), LINES);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    // It can fail: the document has a route more than the lines.
    let problems = routes::missing(&portico::api::openapi_document(), &LINES[1..]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("line(\"get\", \"/healthz\""), "{problems:?}");
}

/// Axum does not tell its routes: they are read where they are written.
#[test]
fn every_route_of_the_router_is_in_the_document() {
    let source = include_str!("../../../src/api/mod.rs");
    let document = portico::api::openapi_document();
    let route =
        regex_lite::Regex::new(r#"\.route\(\s*"([^"]+)",\s*([^;]*?)\)\s*(?:\.route|\.merge|\.fallback|\n\}|;)"#);
    let method = regex_lite::Regex::new(r"\b(get|post|put|patch|delete)\(").unwrap();
    let routes = route.unwrap();
    let mut rest = source;
    let mut seen = 0;
    while let Some(found) = routes.captures(rest) {
        let (path, handlers) = (&found[1], &found[2]);
        for called in method.captures_iter(handlers) {
            seen += 1;
            let listed = document["paths"][path][&called[1]].is_object();
            assert!(listed, "{} {path} is not in the OpenAPI document: see src/api/openapi.rs", &called[1]);
        }
        rest = &rest[found.get(2).unwrap().end()..];
    }
    // The paper is the page: what draws it stands with the pages.
    for found in regex_lite::Regex::new(r#"\.route\("(/v1/[^"]+)", get\("#)
        .unwrap()
        .captures_iter(include_str!("../../../src/pages/check/mod.rs"))
    {
        seen += 1;
        assert!(document["paths"][&found[1]]["get"].is_object(), "{} is not in the OpenAPI document", &found[1]);
    }
    let listed: usize = document["paths"].as_object().unwrap().values().map(|all| all.as_object().unwrap().len()).sum();
    assert_eq!(seen, listed, "the reading of the routers misses a route");
}

/// Every caller of the matrix; all ids they use belong to practice A, the first one.
async fn callers(town: &Town) -> Vec<Somebody> {
    let mut all = vec![Somebody { name: "none".into(), practice: 0, scopes: Vec::new(), pass: Pass::None }];
    for practice in [0, 1] {
        for (role, _) in ROLES {
            all.push(town.person(practice, role, false).await);
        }
    }
    for word in SCOPES {
        let scope = Scope::from_word(word).unwrap();
        all.push(town.key(0, &format!("key:{word}"), &[scope]).await);
    }
    let mut expired = town.person(0, "practice_admin", false).await;
    town.let_expire(&expired);
    expired.name = "expired".into();
    all.push(expired);
    all.push(town.person(0, "practice_admin", true).await);
    let revoked = town.key(0, "revoked", &Scope::ALL).await;
    let admin = all.iter().find(|one| one.name == "practice_admin").unwrap();
    let keys = town.send(admin, "get", "/v1/keys", "").await;
    let id = keys.body["keys"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(town.send(&revoked, "get", "/v1/practice", "").await.status, 200);
    assert_eq!(town.send(admin, "delete", &format!("/v1/keys/{id}"), "").await.status, 200);
    all.push(revoked);
    all
}

/// The status that must come, from the data alone.
fn expected(line: &Line, caller: &Somebody) -> u16 {
    if line.gate == Gate::Open {
        return line.own;
    }
    let is_session = matches!(caller.pass, Pass::Session { .. });
    let known = match caller.name.as_str() {
        "none" | "expired" | "revoked" => false,
        "half" => line.gate == Gate::Session,
        _ => is_session || line.gate != Gate::Session,
    };
    if !known {
        return 401;
    }
    if let Gate::Scope(scope) = line.gate
        && !caller.scopes.iter().any(|own| own == scope)
    {
        return 403;
    }
    let except = line.except.iter().find(|(name, _)| *name == caller.name);
    match (caller.practice, except) {
        (0, Some((_, status))) => *status,
        (0, None) => line.own,
        _ => line.other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_route_answers_every_caller_as_the_matrix_says() {
    let town = Town::new().await;
    let callers = callers(&town).await;
    let all = town.key(0, "key:all", &Scope::ALL).await;
    let ask = town.question(&all).await;
    let (mut wrong, mut requests) = (Vec::new(), 0);
    for line in LINES {
        let mut session = String::new();
        for caller in &callers {
            // An administrator ends it: then there is a new one for the next.
            if line.call.contains("<session>") && !town.runs(&all, &session).await {
                session = town.new_session_of(0).await;
            }
            let (path, body) = town.ready(line, &all, &ask, &session, caller.practice).await;
            let reply = town.send(caller, line.method, &path, &body).await;
            requests += 1;
            let want = expected(line, caller);
            if reply.status.as_u16() != want {
                let practice = if caller.practice == 0 { "own" } else { "other" };
                wrong.push(format!(
                    "{} {} as {} ({practice} practice): {} instead of {want}: {}",
                    line.method,
                    line.route,
                    caller.name,
                    reply.status.as_u16(),
                    reply.text.chars().take(200).collect::<String>()
                ));
            }
            if reply.headers.get("cache-control").is_none_or(|kept| !kept.as_bytes().starts_with(b"no-store")) {
                wrong.push(format!("{} {} as {} may be kept on the way", line.method, line.route, caller.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!(
        "isolation: {} routes x {} callers, {requests} requests, each as the matrix says",
        LINES.len(),
        callers.len()
    );
    town.stand.stop().await;
}

/// What changes something with a cookie, sent by somebody else's page in every way such a page has.
#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_changes_anything() {
    let town = Town::new().await;
    let (victim, other) = (town.person(0, "practice_admin", false).await, town.person(0, "biller", false).await);
    let (Pass::Session { cookie, csrf }, Pass::Session { csrf: others, .. }) = (&victim.pass, &other.pass) else {
        panic!()
    };
    let all = town.key(0, "key:all", &Scope::ALL).await;
    let (own, evil) = ("http://localhost".to_owned(), "https://evil.example".to_owned());
    let token = || ("x-csrf-token", csrf.clone());
    let forgeries: [Vec<(&str, String)>; 8] = [
        vec![],
        vec![token()],
        vec![("origin", own.clone())],
        vec![("origin", own.clone()), ("x-csrf-token", String::new())],
        vec![("origin", own.clone()), ("x-csrf-token", others.clone())],
        vec![("origin", evil), token()],
        vec![("origin", "null".to_owned()), token()],
        vec![("origin", own), ("sec-fetch-site", "cross-site".to_owned()), token()],
    ];
    let mut wrong = Vec::new();
    let mut tried = 0;
    for line in LINES.iter().filter(|line| line.method != "get") {
        for (number, forgery) in forgeries.iter().enumerate() {
            let foreign = number >= 5;
            if line.gate == Gate::Open && !foreign {
                // It takes no cookie into account; a program without a browser may call it.
                continue;
            }
            let (path, body) = town.ready(line, &all, "none", "none", 0).await;
            let mut headers = vec![("cookie", cookie.clone())];
            headers.extend(forgery.iter().map(|(name, value)| (*name, value.clone())));
            let reply = town.send_with(line.method, &path, &headers, &body).await;
            tried += 1;
            if reply.status != 403 || !reply.text.contains("Not from our own page") {
                wrong.push(format!("{} {} forgery {number}: {} {}", line.method, line.route, reply.status, reply.text));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(tried > 100, "{tried}");
    // The session still runs, and its own page may.
    assert_eq!(town.send(&victim, "delete", "/v1/session", "").await.status, 200);
    town.stand.stop().await;
}
