//! The one request that has an effect: nothing leaves before it is armed, and nothing leaves twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connector_sdk::{BoxFuture, Error, ErrorKind, Result};

use super::super::Arm;
use super::super::testing::{Act, Scheme, Server, ask, attempt, get, page, post, reply, text, wire_to};

fn armed() -> Arm {
    Box::new(|| Box::pin(async { Ok(()) }) as BoxFuture<'static, Result<()>>)
}

#[tokio::test]
async fn no_byte_leaves_before_it_is_armed() {
    let server = Arc::new(Server::start(|_| page("done")).await);
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let (looked, before) = (server.clone(), Arc::new(AtomicUsize::new(9)));
    let seen_before = before.clone();
    let handle = attempt(&wire);
    let arm: Arm = Box::new(move || {
        Box::pin(async move {
            // Long enough for a byte that had left to arrive.
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(looked.connections.load(Ordering::SeqCst), 1, "it is connected by then");
            seen_before.store(looked.seen().len(), Ordering::SeqCst);
            Ok(())
        })
    });
    assert!(!handle.armed());
    let reply = handle.committing(arm).send(post(&server.url("/submit?x=1"), "body")).await.unwrap();
    assert_eq!((text(&reply).as_str(), before.load(Ordering::SeqCst)), ("done", 0));
    assert!(handle.armed());
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].line.as_str(), seen[0].body.as_str()), (1, "POST /submit?x=1 HTTP/1.1", "body"));
    assert!(seen[0].head.to_lowercase().contains(&format!("host: {}", server.host())), "{}", seen[0].head);
    let kept = handle.finish().exchanges;
    assert_eq!((kept.len(), kept[0].status), (1, Some(200)));
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_leave() {
    let server = Server::start(|_| page("done")).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let handle = attempt(&wire);
    let refuses: Arm = Box::new(|| Box::pin(async { Err(Error::new(ErrorKind::Internal, "The disk is full.")) }));
    let error = handle.committing(refuses).send(post(&server.url("/submit"), "body")).await.unwrap_err();
    assert_eq!((error.message, handle.armed(), server.seen().len()), ("The disk is full.", false, 0));
}

#[tokio::test]
async fn no_connection_means_that_nobody_is_asked_to_arm() {
    let nobody = { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let (wire, _) = wire_to(Scheme::None, &[nobody.to_string()]);
    let handle = attempt(&wire);
    let asked = Arc::new(AtomicBool::new(false));
    let told = asked.clone();
    let arm: Arm = Box::new(move || {
        told.store(true, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    });
    let error = handle.committing(arm).send(post(&format!("http://{nobody}/submit"), "body")).await.unwrap_err();
    assert_eq!(
        (error.kind, handle.armed(), asked.load(Ordering::SeqCst)),
        (ErrorKind::CarrierUnavailable, false, false)
    );
}

#[tokio::test]
async fn it_is_sent_once_whatever_the_carrier_does() {
    for (act, status) in [("redirect", Some(307)), ("cut", None), ("reset", None), ("error", Some(503))] {
        let server = Server::start(move |_| match act {
            "redirect" => Act::Send(reply(307, "location: /again\r\n", "")),
            "cut" => Act::Cut(Vec::new()),
            "reset" => Act::Reset,
            _ => Act::Send(reply(503, "", "")),
        })
        .await;
        let (wire, _) = wire_to(Scheme::None, &[server.host()]);
        let handle = attempt(&wire);
        let context = handle.committing(armed());
        let sent = context.send(post(&server.url("/submit"), "body")).await;
        assert_eq!(sent.as_ref().ok().map(|reply| reply.status().as_u16()), status, "{act}");
        assert!(handle.armed());
        // A second one like it does not leave; a question does.
        let second = context.send(post(&server.url("/submit"), "body")).await.unwrap_err();
        assert_eq!(second.kind, ErrorKind::Internal, "{act}");
        assert_eq!(server.count("POST"), 1, "{act}");
        let _ = context.send(get(&server.url("/list"))).await;
        assert!(server.count("GET /list") >= 1, "{act}");
    }
}

#[tokio::test]
async fn a_kept_connection_is_not_used_for_it() {
    let server = Server::start(|_| page("done")).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    ask(&wire, get(&server.url("/first"))).await.unwrap();
    attempt(&wire).committing(armed()).send(post(&server.url("/submit"), "body")).await.unwrap();
    ask(&wire, get(&server.url("/last"))).await.unwrap();
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        2,
        "the question's connection is kept, the other one is its own"
    );
}

#[tokio::test]
async fn dropping_it_closes_the_connection_at_once() {
    let server = Server::start(|_| Act::Hang).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let handle = attempt(&wire);
    let context = handle.committing(armed());
    let waited =
        tokio::time::timeout(Duration::from_millis(200), context.send(post(&server.url("/submit"), "body"))).await;
    assert!(waited.is_err() && handle.armed());
    assert_eq!(server.count("POST"), 1);
}

#[tokio::test]
async fn a_refused_credential_is_stopped_and_the_session_is_not_renewed_for_it() {
    let server = Server::start(|_| Act::Send(reply(401, "", ""))).await;
    let (wire, vault) = wire_to(Scheme::Basic, &[server.host()]);
    let handle = attempt(&wire);
    let error = handle.committing(armed()).send(post(&server.url("/submit"), "body")).await.unwrap_err();
    assert_eq!((error.kind, server.count("POST")), (ErrorKind::CredentialRejected, 1));
    assert_eq!(vault.stopped.lock().unwrap().len(), 1);

    let token = r#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#;
    let server = Server::start(move |seen| match seen.is("POST /token") {
        true => Act::Send(reply(200, "content-type: application/json\r\n", token)),
        false => Act::Send(reply(401, "", "")),
    })
    .await;
    let (wire, _) = wire_to(Scheme::Token { url: server.url("/token"), basic: true }, &[server.host()]);
    let handle = attempt(&wire);
    let error = handle.committing(armed()).send(post(&server.url("/submit"), "body")).await.unwrap_err();
    assert_eq!((error.kind, server.count("POST /submit")), (ErrorKind::CarrierUnavailable, 1));
}
