//! Secrets leave to pinned hosts only, and are seen nowhere on the way: not in records, errors, `Debug` or logs.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_sdk::context::Marker;
use connector_sdk::{ErrorKind, Escape, Secret};
use http::Request;
use tracing_subscriber::fmt::MakeWriter;

use super::super::testing::{
    Act, PASSWORD, Scheme, Server, ask, attempt, get, page, post, reply, test_carrier, text, who, wire_of, wire_to,
};
use super::super::{Exchange, Wire};

fn shown(exchanges: &[Exchange]) -> String {
    let parts = exchanges.iter().flat_map(|e| [&e.request_head, &e.request_body, &e.response_head, &e.response_body]);
    parts.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn markers_are_swapped_out_there_and_echoes_are_swapped_back() {
    let server = Server::start(|seen| {
        let echo = format!("{} | {}", seen.body, seen.head);
        Act::Send(reply(200, "content-type: text/html\r\nx-echo: canary-api-key\r\n", &echo))
    })
    .await;
    let (wire, _) = wire_to(Scheme::InRequest, &[server.host()]);
    let handle = attempt(&wire);
    let ctx = handle.context();
    let body = format!(
        "form={} xml={} json={} key={} code={}",
        ctx.marker(&Secret::Field("password"), Escape::Form),
        ctx.marker(&Secret::Field("password"), Escape::Xml),
        ctx.marker(&Secret::Field("password"), Escape::Json),
        ctx.marker(&Secret::WsDigest { nonce: b"nonce", created: "now" }, Escape::Xml),
        ctx.marker(&Secret::TotpCode, Escape::Form),
    );
    let mut request = post(&server.url("/"), &body);
    let header = ctx.marker(&Secret::Field("api_key"), Escape::Plain).to_string();
    request.headers_mut().insert("x-key", header.parse().unwrap());
    let reply = ctx.send(request).await.unwrap();

    let seen = &server.seen()[0];
    assert!(seen.body.contains("form=canary%26pass+word%221 "), "{}", seen.body);
    assert!(seen.body.contains("xml=canary&amp;pass word&quot;1 "));
    assert!(seen.body.contains("json=canary&pass word\\\"1 "));
    assert!(seen.head.contains("x-key: canary-api-key"));
    let code = seen.body.split("code=").nth(1).unwrap();
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));

    let exchanges = handle.finish().exchanges;
    let all = format!("{}{}{:?}{:?}", shown(&exchanges), text(&reply), reply.headers(), exchanges);
    assert!(!all.contains("canary") && !all.contains(code), "{all}");
    // The page that came back can be sent on as it is.
    let marker = ctx.marker(&Secret::Field("password"), Escape::Form).to_string();
    assert!(text(&reply).starts_with(&format!("form={marker} ")));
}

#[tokio::test]
async fn a_caller_cannot_forge_a_marker() {
    let server = Server::start(|_| page("ok")).await;
    let (wire, _) = wire_to(Scheme::InRequest, &[server.host()]);
    let forged = Marker::new("0000feed", &Secret::Field("password"), Escape::Plain).to_string();
    ask(&wire, post(&server.url("/"), &forged)).await.unwrap();
    assert_eq!(server.seen()[0].body, forged);
    // A marker of an earlier attempt means nothing in a later one.
    let old = attempt(&wire).context().marker(&Secret::Field("password"), Escape::Plain).to_string();
    ask(&wire, post(&server.url("/"), &old)).await.unwrap();
    assert_eq!(server.seen()[1].body, old);
}

#[tokio::test]
async fn no_secret_in_an_address_and_none_to_a_host_that_is_not_pinned() {
    let server = Server::start(|_| page("ok")).await;
    let other = Server::start(|_| page("ok")).await;
    let mut carrier = test_carrier(Scheme::InRequest, &[server.host(), other.host()]);
    carrier.limits.sessions_per_credential_max = 9;
    let mut vault = super::super::testing::TestVault::new(&[server.host()]);
    vault.fields.remove("api_key");
    let wire = Wire::new(Arc::new(carrier), Arc::new(vault)).unwrap();

    let handle = attempt(&wire);
    let ctx = handle.context();
    let marker = ctx.marker(&Secret::Field("password"), Escape::Plain).to_string();
    let error = ctx.send(get(&server.url(&format!("/?p={marker}")))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RequestInvalid);
    let error = ctx.send(post(&other.url("/"), &marker)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::EgressRefused);
    let request = Request::post(other.url("/")).header("x", &marker).body(Default::default()).unwrap();
    assert_eq!(ctx.send(request).await.unwrap_err().kind, ErrorKind::EgressRefused);
    let missing = ctx.marker(&Secret::Field("api_key"), Escape::Plain).to_string();
    assert_eq!(ctx.send(post(&server.url("/"), &missing)).await.unwrap_err().kind, ErrorKind::CredentialMissing);
    assert!(server.seen().is_empty() && other.seen().is_empty());
    // Without a secret the other host may be asked.
    ctx.send(get(&other.url("/"))).await.unwrap();
}

#[tokio::test]
async fn a_basic_header_goes_to_pinned_hosts_only() {
    let other = Server::start(|_| page("ok")).await;
    let to = other.url("/");
    let server = Server::start(move |_| Act::Send(reply(302, &format!("location: {to}\r\n"), ""))).await;
    let carrier = test_carrier(Scheme::Basic, &[server.host(), other.host()]);
    let vault = super::super::testing::TestVault::new(&[server.host()]);
    let wire = Wire::new(Arc::new(carrier), Arc::new(vault)).unwrap();
    assert_eq!(ask(&wire, get(&server.url("/"))).await.unwrap_err().kind, ErrorKind::EgressRefused);
    assert!(server.seen()[0].head.contains("authorization: Basic"));
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_that_shows_the_secret_is_followed_but_not_shown() {
    let server = Server::start(|seen| match seen.line.contains("canary") {
        true => page("arrived"),
        false => Act::Send(reply(302, "location: /home?k=canary-api-key\r\n", "")),
    })
    .await;
    let (wire, _) = wire_to(Scheme::InRequest, &[server.host()]);
    let handle = attempt(&wire);
    let reply = handle.context().send(get(&server.url("/"))).await.unwrap();
    assert_eq!(text(&reply), "arrived");
    let last = reply.extensions().get::<connector_sdk::context::FinalUri>().unwrap().0.to_string();
    let exchanges = handle.finish().exchanges;
    assert!(!last.contains("canary") && !shown(&exchanges).contains("canary"), "{last} {}", shown(&exchanges));
}

#[tokio::test]
async fn a_token_reply_that_shows_the_secret_is_not_kept_as_it_is() {
    let server = Server::start(|_| {
        let body =
            r#"{"error":"invalid_client","error_description":"no client canary-client-secret","hint":"canary-x"}"#;
        Act::Send(reply(400, "content-type: application/json\r\nx-why: canary-client-secret\r\n", body))
    })
    .await;
    let (wire, _) = wire_to(Scheme::Token { url: server.url("/token"), basic: false }, &[server.host()]);
    let handle = attempt(&wire);
    let error = handle.context().send(get(&server.url("/ask"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CredentialRejected);
    let exchanges = handle.finish().exchanges;
    assert!(
        shown(&exchanges).contains("invalid_client") && !shown(&exchanges).contains("canary"),
        "{}",
        shown(&exchanges)
    );
}

#[tokio::test]
async fn no_code_is_sent_twice() {
    let server = Server::start(|_| page("ok")).await;
    let (wire, _) = wire_of(test_carrier(Scheme::InRequest, &[server.host()]));
    let mut codes = 0;
    for _ in 0..2 {
        let handle = wire.attempt(who("p-1", Duration::from_millis(300))).unwrap();
        let ctx = handle.context();
        let marker = ctx.marker(&Secret::TotpCode, Escape::Form);
        match ctx.send(post(&server.url("/"), marker.as_str())).await {
            Ok(_) => codes += 1,
            Err(error) => assert_eq!(error.kind, ErrorKind::Overloaded),
        }
        handle.finish();
    }
    // Two, when the test stood at the border of two steps.
    let seen: std::collections::HashSet<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert!(codes >= 1 && seen.len() == codes);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

#[test]
fn no_secret_and_no_patient_in_any_log_line() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // While there is only one dispatcher, a test on another thread may switch a log line off for all: so there are two.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // What was switched off before the second one came is on again.
        tracing::callsite::rebuild_interest_cache();
        runtime.block_on(async {
            tracing::info!("the log works");
            let portal = Server::start(|seen| match seen.is("POST /login") {
                true => Act::Send(reply(200, "set-cookie: sid=canary-session\r\n", &format!("welcome {}", seen.body))),
                false => page("canary-patient"),
            })
            .await;
            let (wire, _) = wire_to(Scheme::Form { base: portal.url("") }, &[portal.host()]);
            ask(&wire, post(&portal.url("/search?member=canary-member"), "member=canary-member")).await.unwrap();
            wire.close().await;
            let refusing = Server::start(|_| page("wrong")).await;
            let (wire, _) = wire_to(Scheme::Form { base: refusing.url("") }, &[refusing.host()]);
            let error = ask(&wire, get(&refusing.url("/search"))).await.unwrap_err();
            tracing::warn!(%error, ?error, "What a caller might log.");
        });
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the log works") && text.contains("Signed in.") && text.contains("it is stopped"), "{text}");
    for canary in ["canary", PASSWORD, "frontdesk"] {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}
