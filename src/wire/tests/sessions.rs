//! Sign-in: once for everybody, never twice with a refused password, renewed where that is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connector_sdk::{ErrorKind, Retry};

use super::super::Doubt;
use super::super::testing::{
    Act, Scheme, Seen, Server, ask, attempt, get, page, post, reply, test_carrier, text, who, wire_of, wire_to,
};

/// A portal: `/login` (GET, POST), `/search`, `/logout`. `welcome` decides about the password.
struct Portal {
    server: Server,
    /// Ends all sessions.
    expire: Arc<AtomicBool>,
}

impl Portal {
    async fn start(after_login: &'static str) -> Self {
        let expire = Arc::new(AtomicBool::new(false));
        let (expired, sessions) = (expire.clone(), Arc::new(AtomicUsize::new(0)));
        let server = Server::start(move |seen: &Seen| {
            let session = sessions.load(Ordering::SeqCst);
            if seen.is("POST /login") {
                let session = sessions.fetch_add(1, Ordering::SeqCst) + 1;
                expired.store(false, Ordering::SeqCst);
                return Act::Send(reply(
                    200,
                    &format!("set-cookie: sid=s{session}; Path=/; HttpOnly\r\n"),
                    after_login,
                ));
            }
            if seen.is("GET /login") || seen.is("GET /logout") {
                return page("the login page");
            }
            let known = seen.head.contains(&format!("cookie: sid=s{session}"));
            if known && !expired.load(Ordering::SeqCst) { page("found") } else { page("please sign in") }
        })
        .await;
        Self { server, expire }
    }

    fn scheme(&self) -> Scheme {
        Scheme::Form { base: self.server.url("") }
    }

    fn logins(&self) -> usize {
        self.server.count("POST /login")
    }
}

#[tokio::test]
async fn fifty_asks_sign_in_once() {
    let portal = Portal::start("welcome").await;
    let (wire, _) = wire_to(portal.scheme(), &[portal.server.host()]);
    let asks = (0..50).map(|_| {
        let (wire, request) = (wire.clone(), get(&portal.server.url("/search")));
        tokio::spawn(async move { text(&ask(&wire, request).await.unwrap()) })
    });
    for asked in asks.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), "found");
    }
    assert_eq!(portal.logins(), 1);
    assert_eq!(portal.server.count("GET /search"), 50);
    // Another practice has a session of its own.
    let other = wire.attempt(who("p-2", Duration::from_secs(5))).unwrap();
    other.context().send(get(&portal.server.url("/search"))).await.unwrap();
    assert_eq!(portal.logins(), 2);
}

#[tokio::test]
async fn a_refused_password_is_sent_once_and_never_again() {
    let portal = Portal::start("wrong password").await;
    let (wire, vault) = wire_to(portal.scheme(), &[portal.server.host()]);
    let asks = (0..50).map(|_| {
        let (wire, vault, request) = (wire.clone(), vault.clone(), get(&portal.server.url("/search")));
        tokio::spawn(async move {
            let error = ask(&wire, request).await.unwrap_err();
            assert_eq!(vault.stopped.lock().unwrap().len(), 1, "stopped before anybody hears of it");
            error
        })
    });
    for asked in asks.collect::<Vec<_>>() {
        let error = asked.await.unwrap();
        assert_eq!((error.kind, error.retry), (ErrorKind::CredentialRejected, Retry::Never));
    }
    let contacts = portal.server.seen().len();
    assert_eq!(wire.attempt(who("p-1", Duration::from_secs(1))).err().unwrap().kind, ErrorKind::CredentialRejected);
    // Even a vault that forgot to stop it does not make us try again.
    vault.stopped.lock().unwrap().clear();
    assert_eq!(wire.attempt(who("p-1", Duration::from_secs(1))).err().unwrap().kind, ErrorKind::CredentialRejected);
    assert_eq!((portal.logins(), portal.server.seen().len()), (1, contacts));
    // A new password is a new generation, and is tried.
    vault.generation.store(2, Ordering::SeqCst);
    assert_eq!(ask(&wire, get(&portal.server.url("/search"))).await.unwrap_err().kind, ErrorKind::CredentialRejected);
    assert_eq!(portal.logins(), 2);
}

#[tokio::test]
async fn after_a_sign_in_that_nobody_understands_the_credential_is_suspect() {
    let portal = Portal::start("a page nobody knows").await;
    let (wire, vault) = wire_to(portal.scheme(), &[portal.server.host()]);
    for kind in [ErrorKind::ProtocolBroken, ErrorKind::CredentialRejected, ErrorKind::CredentialRejected] {
        let error = ask(&wire, get(&portal.server.url("/search"))).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never));
    }
    assert_eq!(portal.logins(), 1);
    assert_eq!(*vault.last_doubt.lock().unwrap(), Some(Doubt::Unrecognised));
}

#[tokio::test]
async fn a_login_without_a_reply_makes_it_suspect_and_one_that_was_not_looked_at_does_not() {
    for (act, doubt) in [(true, Some(Doubt::NoReply)), (false, None)] {
        let server = Server::start(move |seen: &Seen| match (seen.is("POST /login"), act) {
            (true, true) => Act::Reset,
            (true, false) => Act::Send(reply(503, "content-type: text/html\r\n", "out of order")),
            (false, _) => page("the login page"),
        })
        .await;
        let (wire, vault) = wire_to(Scheme::Form { base: server.url("") }, &[server.host()]);
        for _ in 0..3 {
            ask(&wire, get(&server.url("/search"))).await.unwrap_err();
        }
        assert_eq!(server.count("POST /login"), 1);
        assert_eq!(*vault.last_doubt.lock().unwrap(), doubt);
        // A login that a stop has ended has no end of its own; the other one is over.
        assert_eq!(*vault.logins.lock().unwrap(), [if act { None } else { Some(false) }]);
    }
}

#[tokio::test]
async fn a_login_is_noted_before_it_leaves_and_its_end_after() {
    let portal = Portal::start("welcome").await;
    let (wire, vault) = wire_to(portal.scheme(), &[portal.server.host()]);
    for _ in 0..3 {
        ask(&wire, get(&portal.server.url("/search"))).await.unwrap();
    }
    assert_eq!(*vault.logins.lock().unwrap(), [Some(true)]);
    // One on trial that rides in each question is noted until it has been accepted once.
    let server = Server::start(|_| page("fine")).await;
    let (wire, vault) = wire_to(Scheme::Basic, &[server.host()]);
    for _ in 0..3 {
        ask(&wire, get(&server.url("/ask"))).await.unwrap();
    }
    assert_eq!(*vault.logins.lock().unwrap(), [Some(true)]);
}

#[tokio::test]
async fn an_ask_that_goes_away_does_not_make_another_sign_in() {
    let portal = Portal::start("welcome").await;
    let (wire, _) = wire_to(portal.scheme(), &[portal.server.host()]);
    for _ in 0..10 {
        let gone = ask(&wire, get(&portal.server.url("/search")));
        let _ = tokio::time::timeout(Duration::from_micros(200), gone).await;
    }
    assert_eq!(text(&ask(&wire, get(&portal.server.url("/search"))).await.unwrap()), "found");
    assert_eq!(portal.logins(), 1);
}

#[tokio::test]
async fn the_first_request_of_an_attempt_is_renewed_and_a_later_one_is_not() {
    let portal = Portal::start("welcome").await;
    let (wire, _) = wire_to(portal.scheme(), &[portal.server.host()]);
    ask(&wire, get(&portal.server.url("/search"))).await.unwrap();

    portal.expire.store(true, Ordering::SeqCst);
    assert_eq!(text(&ask(&wire, post(&portal.server.url("/search"), "q")).await.unwrap()), "found");
    assert_eq!(portal.logins(), 2);

    let handle = attempt(&wire);
    handle.context().send(get(&portal.server.url("/search"))).await.unwrap();
    portal.expire.store(true, Ordering::SeqCst);
    let error = handle.context().send(post(&portal.server.url("/search"), "viewstate")).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUnavailable, Retry::Safe));
    handle.finish();
    assert_eq!(portal.logins(), 2);
    assert_eq!(text(&ask(&wire, get(&portal.server.url("/search"))).await.unwrap()), "found");
    assert_eq!(portal.logins(), 3);
}

#[tokio::test]
async fn a_session_that_ends_right_after_sign_in_does_not_loop() {
    let server =
        Server::start(|seen| if seen.is("POST /login") { page("welcome") } else { page("please sign in") }).await;
    let (wire, _) = wire_to(Scheme::Form { base: server.url("") }, &[server.host()]);
    let error = ask(&wire, get(&server.url("/search"))).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUnavailable, Retry::Never));
    assert_eq!(server.count("POST /login"), 1);
}

#[tokio::test]
async fn idle_and_closed_sessions_are_left_properly() {
    let portal = Portal::start("welcome").await;
    let mut carrier = test_carrier(portal.scheme(), &[portal.server.host()]);
    carrier.limits.session_idle = Duration::from_millis(150);
    let (wire, _) = wire_of(carrier);
    ask(&wire, get(&portal.server.url("/search"))).await.unwrap();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if portal.server.count("GET /logout") > 0 {
            break;
        }
    }
    assert_eq!(portal.server.count("GET /logout"), 1);
    let (wire, _) = wire_to(portal.scheme(), &[portal.server.host()]);
    ask(&wire, get(&portal.server.url("/search"))).await.unwrap();
    wire.close().await;
    assert_eq!(portal.server.count("GET /logout"), 2);
    assert_eq!(wire.attempt(who("p-1", Duration::from_secs(1))).err().unwrap().kind, ErrorKind::Overloaded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_while_an_idle_session_is_left_keeps_the_new_one() {
    let leaving = Arc::new(AtomicBool::new(false));
    let (began, sessions) = (leaving.clone(), AtomicUsize::new(0));
    let (let_go, may_go) = std::sync::mpsc::channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    let server = Server::start(move |seen: &Seen| {
        if seen.is("POST /login") {
            let session = sessions.fetch_add(1, Ordering::SeqCst) + 1;
            return Act::Send(reply(200, &format!("set-cookie: sid=s{session}\r\n"), "welcome"));
        }
        if seen.is("GET /logout") && !began.swap(true, Ordering::SeqCst) {
            // The page of the sign-out comes when the next one has signed in.
            tokio::task::block_in_place(|| may_go.lock().unwrap().recv().unwrap());
        }
        let known = seen.head.contains("cookie: sid=");
        if seen.is("GET /search") && !known { page("please sign in") } else { page("found") }
    })
    .await;
    let mut carrier = test_carrier(Scheme::Form { base: server.url("") }, &[server.host()]);
    carrier.limits.session_idle = Duration::from_millis(800);
    let (wire, _) = wire_of(carrier);
    ask(&wire, get(&server.url("/search"))).await.unwrap();
    while !leaving.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let handle = attempt(&wire);
    assert_eq!(text(&handle.context().send(get(&server.url("/search"))).await.unwrap()), "found");
    let_go.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Were the new session's cookie gone with the old one's, this second request could not be saved by signing in again.
    assert_eq!(text(&handle.context().send(get(&server.url("/search"))).await.unwrap()), "found");
    assert_eq!(server.count("POST /login"), 2);
    let left: Vec<_> = server.seen().into_iter().filter(|seen| seen.is("GET /logout")).collect();
    assert!(left.len() == 1 && left[0].head.contains("sid=s1"));
}

#[tokio::test]
async fn a_wire_that_was_replaced_is_closed_after_its_last_question() {
    let portal = Portal::start("welcome").await;
    let (wire, _) = wire_to(portal.scheme(), &[portal.server.host()]);
    let handle = attempt(&wire);
    handle.context().send(get(&portal.server.url("/search"))).await.unwrap();
    let retired = tokio::spawn(wire.retire(Duration::from_secs(60)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(text(&handle.context().send(get(&portal.server.url("/search"))).await.unwrap()), "found");
    assert_eq!(portal.server.count("GET /logout"), 0);
    handle.finish();
    retired.await.unwrap();
    assert_eq!(portal.server.count("GET /logout"), 1);
}

#[tokio::test]
async fn a_reply_that_nobody_understood_proves_no_credential() {
    let server = Server::start(|_| page("a page nobody knows")).await;
    let (wire, _) = wire_to(Scheme::InRequest, &[server.host()]);
    let handle = attempt(&wire);
    handle.context().send(get(&server.url("/ask"))).await.unwrap();
    handle.no_outcome();
    handle.finish();
    let first = attempt(&wire);
    first.context().send(get(&server.url("/ask"))).await.unwrap();
    let waiting = tokio::spawn({
        let (wire, request) = (wire.clone(), get(&server.url("/ask")));
        async move { ask(&wire, request).await.map(|_| ()) }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.seen().len(), 2, "one at a time until it is accepted");
    first.finish();
    waiting.await.unwrap().unwrap();
}

/// A hub: tokens `t1`, `t2`, …; only the newest is good.
async fn hub(good: bool) -> (Server, Arc<AtomicUsize>) {
    let newest = Arc::new(AtomicUsize::new(0));
    let tokens = newest.clone();
    let server = Server::start(move |seen| {
        if seen.is("POST /token") {
            if !good {
                return Act::Send(reply(401, "content-type: application/json\r\n", r#"{"error":"invalid_client"}"#));
            }
            let token = tokens.fetch_add(1, Ordering::SeqCst) + 1;
            return page(&format!(
                r#"{{"access_token":"canary-token-{token}","token_type":"bearer","expires_in":3600}}"#
            ));
        }
        let newest = format!("authorization: Bearer canary-token-{}", tokens.load(Ordering::SeqCst));
        if seen.head.contains(&newest) { page("answer") } else { Act::Send(reply(401, "", "expired")) }
    })
    .await;
    (server, newest)
}

#[tokio::test]
async fn a_token_is_fetched_once_and_refreshed_once() {
    for basic in [true, false] {
        let (server, newest) = hub(true).await;
        let (wire, _) = wire_to(Scheme::Token { url: server.url("/token"), basic }, &[server.host()]);
        let asks = (0..50).map(|_| {
            let (wire, request) = (wire.clone(), get(&server.url("/ask")));
            tokio::spawn(async move { text(&ask(&wire, request).await.unwrap()) })
        });
        for asked in asks.collect::<Vec<_>>() {
            assert_eq!(asked.await.unwrap(), "answer");
        }
        assert_eq!(server.count("POST /token"), 1);
        let token = server.seen().into_iter().find(|seen| seen.is("POST /token")).unwrap();
        assert_eq!(token.head.contains("authorization: Basic"), basic);
        assert_eq!(token.body.contains("client_secret=canary-client-secret"), !basic);

        // Revoked: one new token for all, each request once more.
        newest.fetch_add(1, Ordering::SeqCst);
        let asks = (0..20).map(|_| {
            let (wire, request) = (wire.clone(), get(&server.url("/ask")));
            tokio::spawn(async move { text(&ask(&wire, request).await.unwrap()) })
        });
        for asked in asks.collect::<Vec<_>>() {
            assert_eq!(asked.await.unwrap(), "answer");
        }
        assert_eq!(server.count("POST /token"), 2);
    }
}

#[tokio::test]
async fn a_401_with_a_fresh_token_is_the_connectors_business() {
    let server = Server::start(|seen| {
        if seen.is("POST /token") { page(r#"{"access_token":"t"}"#) } else { Act::Send(reply(401, "", "no")) }
    })
    .await;
    let (wire, _) = wire_to(Scheme::Token { url: server.url("/token"), basic: true }, &[server.host()]);
    assert_eq!(ask(&wire, get(&server.url("/ask"))).await.unwrap().status(), 401);
    assert_eq!((server.count("POST /token"), server.count("GET /ask")), (2, 2));
}

#[tokio::test]
async fn a_refused_client_secret_is_sent_once() {
    let (server, _) = hub(false).await;
    let (wire, vault) = wire_to(Scheme::Token { url: server.url("/token"), basic: true }, &[server.host()]);
    for _ in 0..3 {
        assert_eq!(ask(&wire, get(&server.url("/ask"))).await.unwrap_err().kind, ErrorKind::CredentialRejected);
    }
    assert_eq!((server.count("POST /token"), server.count("GET /ask")), (1, 0));
    assert_eq!(vault.stopped.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_in_each_request_is_tried_by_one_ask_alone() {
    for scheme in [Scheme::Basic, Scheme::ApiKey] {
        let server = Server::start(|_| Act::Send(reply(401, "", "no"))).await;
        let (wire, vault) = wire_to(scheme, &[server.host()]);
        let asks = (0..50).map(|_| {
            let (wire, request) = (wire.clone(), get(&server.url("/ask")));
            tokio::spawn(async move { ask(&wire, request).await.unwrap_err().kind })
        });
        for asked in asks.collect::<Vec<_>>() {
            assert_eq!(asked.await.unwrap(), ErrorKind::CredentialRejected);
        }
        assert_eq!(server.seen().len(), 1);
        assert_eq!(vault.stopped.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_a_connector_calls_rejected_is_stopped() {
    let server = Server::start(|_| page("fault: bad password")).await;
    let (wire, vault) = wire_to(Scheme::InRequest, &[server.host()]);
    let waiting = {
        let handle = attempt(&wire);
        handle.context().send(get(&server.url("/ask"))).await.unwrap();
        let (wire, request) = (wire.clone(), get(&server.url("/ask")));
        let waiting = tokio::spawn(async move { ask(&wire, request).await.unwrap_err().kind });
        tokio::time::sleep(Duration::from_millis(50)).await;
        handle.reject_credential().await;
        handle.finish();
        waiting
    };
    assert_eq!(waiting.await.unwrap(), ErrorKind::CredentialRejected);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(vault.stopped.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_file_does_not_forget_what_the_carrier_counts() {
    let portal = Portal::start("wrong password").await;
    let mut carrier = test_carrier(portal.scheme(), &[portal.server.host()]);
    carrier.limits.requests_per_minute = 8;
    let (wire, vault) = wire_of(carrier);
    assert_eq!(ask(&wire, get(&portal.server.url("/search"))).await.unwrap_err().kind, ErrorKind::CredentialRejected);
    let mut carrier = test_carrier(portal.scheme(), &[portal.server.host()]);
    carrier.limits.requests_per_minute = 8;
    let renewed = wire.renewed(Arc::new(carrier)).unwrap();
    vault.stopped.lock().unwrap().clear();
    assert_eq!(renewed.attempt(who("p-1", Duration::from_secs(1))).err().unwrap().kind, ErrorKind::CredentialRejected);
    assert_eq!(renewed.budget(&crate::practice::PracticeId::new("p-1")).remaining, 0);
    wire.close().await;
    assert!(renewed.attempt(who("p-2", Duration::from_secs(1))).is_ok());
    assert_eq!(portal.logins(), 1);
}

#[tokio::test]
async fn cookies_set_on_the_way_of_a_redirect_are_kept_and_never_shown() {
    let server = Server::start(|seen| {
        if seen.is("POST /login") {
            return Act::Send(reply(302, "set-cookie: sid=canary-sid\r\nlocation: /home\r\n", ""));
        }
        if seen.head.contains("sid=canary-sid") { page("welcome") } else { page("the login page") }
    })
    .await;
    let (wire, _) = wire_to(Scheme::Form { base: server.url("") }, &[server.host()]);
    let handle = attempt(&wire);
    let reply = handle.context().send(get(&server.url("/search"))).await.unwrap();
    assert_eq!(text(&reply), "welcome");
    let exchanges = handle.finish().exchanges;
    assert_eq!(exchanges.len(), 4, "login page, login, home, search");
    for exchange in exchanges {
        for part in [exchange.request_head, exchange.response_head] {
            assert!(!String::from_utf8_lossy(&part).contains("canary"));
        }
    }
}
