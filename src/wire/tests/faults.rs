//! Carriers that are down, hang, lie, flood: each ends in the right kind, in time, within bounds.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connector_sdk::context::FinalUri;
use connector_sdk::{ErrorKind, Retry};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::testing::{
    Act, Scheme, Server, ask, attempt, get, page, post, reply, test_carrier, text, who, wire_of, wire_to,
};

async fn fails_with(act: impl Fn() -> Act + Send + Sync + 'static) -> connector_sdk::Error {
    let server = Server::start(move |_| act()).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let handle = wire.attempt(who("p-1", Duration::from_millis(400))).unwrap();
    let error = handle.context().send(post(&server.url("/"), "q")).await.unwrap_err();
    let exchanges = handle.finish().exchanges;
    assert_eq!(exchanges.len(), 1);
    assert_eq!(exchanges[0].failure.as_ref(), Some(&error));
    error
}

#[tokio::test]
async fn a_carrier_that_is_down() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let (wire, _) = wire_to(Scheme::None, &[addr.to_string()]);
    let error = ask(&wire, get(&format!("http://{addr}/"))).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUnavailable, Retry::Safe));
    assert!(error.to_string().contains("why=refused"), "{error}");
}

#[tokio::test]
async fn hung_reset_cut_dripping() {
    assert_eq!(fails_with(|| Act::Hang).await.kind, ErrorKind::CarrierTimeout);
    assert_eq!(fails_with(|| Act::Reset).await.kind, ErrorKind::CarrierUnavailable);
    assert_eq!(fails_with(|| Act::Cut(vec![])).await.kind, ErrorKind::CarrierUnavailable);
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let error = fails_with(move || Act::Cut(cut.clone())).await;
    assert_eq!(error.kind, ErrorKind::CarrierUnavailable);
    let cut = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe".to_vec();
    assert_eq!(fails_with(move || Act::Cut(cut.clone())).await.kind, ErrorKind::CarrierUnavailable);
    let drip = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    assert_eq!(fails_with(move || Act::Drip(drip.clone())).await.kind, ErrorKind::CarrierTimeout);
    let drip = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    assert_eq!(fails_with(move || Act::Drip(drip.clone())).await.kind, ErrorKind::CarrierTimeout);
}

#[tokio::test]
async fn garbage_and_giants() {
    let garbage = b"SMTP ready\r\n\r\n".to_vec();
    assert_eq!(fails_with(move || Act::Cut(garbage.clone())).await.kind, ErrorKind::ProtocolBroken);
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
    assert_eq!(fails_with(move || Act::Flood(announced.clone())).await.kind, ErrorKind::ProtocolBroken);
    let unannounced = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    assert_eq!(fails_with(move || Act::Flood(unannounced.clone())).await.kind, ErrorKind::ProtocolBroken);
    let head = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    assert_eq!(fails_with(move || Act::Flood(head.clone())).await.kind, ErrorKind::ProtocolBroken);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(500)).into_bytes();
    assert_eq!(fails_with(move || Act::Cut(many.clone())).await.kind, ErrorKind::ProtocolBroken);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(body: &[u8], encoding: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 X\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn gzip_is_inflated_and_bombs_are_not() {
    let good = encoded(&gzip(b"hello"), "gzip");
    let server = Server::start(move |_| Act::Send(good.clone())).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let reply = ask(&wire, get(&server.url("/"))).await.unwrap();
    assert_eq!(text(&reply), "hello");
    assert!(reply.headers().get("content-encoding").is_none());
    assert!(server.seen()[0].head.contains("accept-encoding: gzip"));

    let bomb = encoded(&gzip(&vec![0; 64 << 20]), "gzip");
    assert!(bomb.len() < 1 << 20, "the bomb is small before it goes off");
    assert_eq!(fails_with(move || Act::Send(bomb.clone())).await.kind, ErrorKind::ProtocolBroken);
    let lie = encoded(b"not gzip", "gzip");
    assert_eq!(fails_with(move || Act::Send(lie.clone())).await.kind, ErrorKind::ProtocolBroken);
    let half = gzip(b"hello hello hello");
    let half = encoded(&half[..half.len() - 9], "gzip");
    assert_eq!(fails_with(move || Act::Send(half.clone())).await.kind, ErrorKind::ProtocolBroken);
    let other = encoded(b"x", "br");
    assert_eq!(fails_with(move || Act::Send(other.clone())).await.kind, ErrorKind::ProtocolBroken);
}

#[tokio::test]
async fn a_get_on_a_stale_connection_is_sent_again_and_a_post_is_not() {
    // Answers the first request of each connection, then closes without a word about it.
    let server = Server::start(|_| Act::Cut(reply(200, "", "ok"))).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    for _ in 0..5 {
        assert_eq!(text(&ask(&wire, get(&server.url("/"))).await.unwrap()), "ok");
    }
    let dies = Server::start(|seen| if seen.is("POST") { Act::Cut(vec![]) } else { page("ok") }).await;
    let (wire, _) = wire_to(Scheme::None, &[dies.host()]);
    ask(&wire, get(&dies.url("/"))).await.unwrap();
    assert_eq!(ask(&wire, post(&dies.url("/"), "q")).await.unwrap_err().kind, ErrorKind::CarrierUnavailable);
    assert_eq!(dies.count("POST"), 1);
}

#[tokio::test]
async fn connections_are_kept() {
    let server = Server::start(|_| page("ok")).await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    for _ in 0..5 {
        ask(&wire, get(&server.url("/"))).await.unwrap();
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn redirects_are_followed_within_the_list() {
    let server = Server::start(|seen| match seen.line.split(' ').nth(1) {
        Some("/a") => Act::Send(reply(302, "location: /b?x=1\r\n", "")),
        Some("/b?x=1") => page(&format!("{} {}", seen.line, seen.body)),
        _ => Act::Send(reply(302, "location: /loop\r\n", "")),
    })
    .await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    let handle = attempt(&wire);
    let reply = handle.context().send(post(&server.url("/a"), "q=1")).await.unwrap();
    assert_eq!(text(&reply), "GET /b?x=1 HTTP/1.1 ");
    assert_eq!(reply.extensions().get::<FinalUri>().unwrap().0.path(), "/b");
    let exchanges = handle.finish().exchanges;
    assert_eq!(exchanges.iter().map(|e| e.status).collect::<Vec<_>>(), [Some(302), Some(200)]);
    assert!(!exchanges[1].url.contains('?'));

    let error = ask(&wire, get(&server.url("/loop"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProtocolBroken);
    assert_eq!(server.count("GET /loop"), 6);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused_and_not_dialled() {
    let evil = Server::start(|_| page("gotcha")).await;
    let (host, evil_url) = (evil.host(), evil.url("/"));
    let server = Server::start(move |seen| {
        let status = if seen.is("POST") { 307 } else { 302 };
        Act::Send(reply(status, &format!("location: {evil_url}\r\n"), ""))
    })
    .await;
    let (wire, _) = wire_to(Scheme::None, &[server.host()]);
    for request in [get(&server.url("/")), post(&server.url("/"), "member=canary")] {
        assert_eq!(ask(&wire, request).await.unwrap_err().kind, ErrorKind::EgressRefused);
    }
    // Even where it is listed, a body does not go to another origin.
    let (wire, _) = wire_to(Scheme::None, &[server.host(), host]);
    let error = ask(&wire, post(&server.url("/"), "member=canary")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::EgressRefused);
    assert_eq!(evil.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_private_address_is_not_dialled_unless_the_file_allows_it() {
    let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let mut carrier = test_carrier(Scheme::None, std::slice::from_ref(&host));
    let (wire, _) = wire_of(test_carrier(Scheme::None, std::slice::from_ref(&host)));
    let error = ask(&wire, get(&format!("https://{host}/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::EgressRefused);
    assert!(listener.accept().is_err(), "nothing was dialled");

    carrier.allow_private = vec!["127.0.0.2/32".into()];
    let (wire, _) = wire_of(carrier);
    let handle = wire.attempt(who("p-1", Duration::from_millis(200))).unwrap();
    let error = handle.context().send(get(&format!("https://{host}/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CarrierTimeout);
    assert!(listener.accept().is_ok(), "it was dialled");
}

/// A server certificate for this name, signed by an authority of its own; the authority as PEM.
fn certificate(name: &str) -> (Arc<rustls::ServerConfig>, Vec<u8>) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (Arc::new(config), authority_pem.into_bytes())
}

#[tokio::test]
async fn tls_is_believed_only_with_the_right_certificate() {
    let (config, authority) = certificate("localhost");
    let server = Server::start_tls(config, |_| page("secure")).await;
    let host = format!("localhost:{}", server.addr.port());
    let url = format!("https://{host}/");

    let mut carrier = test_carrier(Scheme::None, std::slice::from_ref(&host));
    carrier.ca_pem = Some(authority.clone());
    assert_eq!(text(&ask(&wire_of(carrier).0, get(&url)).await.unwrap()), "secure");

    // The public authorities did not sign it.
    let (wire, _) = wire_to(Scheme::None, std::slice::from_ref(&host));
    let error = ask(&wire, get(&url)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUntrusted, Retry::Never));

    // Another authority, and another name.
    let (other, other_authority) = certificate("other.example");
    let mut carrier = test_carrier(Scheme::None, std::slice::from_ref(&host));
    carrier.ca_pem = Some(other_authority.clone());
    assert_eq!(ask(&wire_of(carrier).0, get(&url)).await.unwrap_err().kind, ErrorKind::CarrierUntrusted);
    let misnamed = Server::start_tls(other, |_| page("secure")).await;
    let host = format!("localhost:{}", misnamed.addr.port());
    let mut carrier = test_carrier(Scheme::None, std::slice::from_ref(&host));
    carrier.ca_pem = Some(other_authority);
    let error = ask(&wire_of(carrier).0, get(&format!("https://{host}/"))).await.unwrap_err();
    assert!(error.to_string().contains("why=wrong_name"), "{error}");
    assert!(misnamed.seen().is_empty());
}

#[tokio::test]
async fn a_bad_authority_file_is_said_at_once() {
    let mut carrier = test_carrier(Scheme::None, &[]);
    carrier.ca_pem = Some(b"-----BEGIN NOTHING-----".to_vec());
    let vault = Arc::new(super::super::testing::TestVault::new(&[]));
    let error = super::super::Wire::new(Arc::new(carrier), vault).err().unwrap();
    assert_eq!(error, super::super::WireError::CaUnreadable);
}

#[tokio::test]
async fn our_own_limit_refuses_at_once_and_says_when() {
    let server = Server::start(|_| page("ok")).await;
    let mut carrier = test_carrier(Scheme::None, &[server.host()]);
    carrier.limits.requests_per_minute = 1;
    let (wire, _) = wire_of(carrier);
    ask(&wire, get(&server.url("/"))).await.unwrap();
    let error = ask(&wire, get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Overloaded);
    assert!(matches!(error.retry, Retry::After(wait) if wait > Duration::from_secs(30)));
    assert_eq!(server.seen().len(), 1);
    let budget = wire.budget(&crate::practice::PracticeId::new("p-1"));
    assert_eq!((budget.limit_per_minute, budget.remaining), (1, 0));
}

#[tokio::test]
async fn one_question_at_a_time_where_the_login_allows_one() {
    let server = Server::start(|_| page("ok")).await;
    let mut carrier = test_carrier(Scheme::InRequest, &[server.host()]);
    carrier.limits.sessions_per_credential_max = 1;
    let (wire, _) = wire_of(carrier);
    let first = attempt(&wire);
    first.context().send(get(&server.url("/"))).await.unwrap();
    let second = wire.attempt(who("p-1", Duration::from_millis(100))).unwrap();
    let error = second.context().send(get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Overloaded);
    assert!(second.finish().queued >= Duration::from_millis(90));
    // Another practice has another login, and is not in the way.
    let other = wire.attempt(who("p-2", Duration::from_millis(500))).unwrap();
    other.context().send(get(&server.url("/"))).await.unwrap();
    first.finish();
    ask(&wire, get(&server.url("/"))).await.unwrap();
}
