//! Mutual TLS: whose certificate is shown, on which connection, and what becomes of one that is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{Error, ErrorKind, Escape, Result, Retry, Secret};
use http::Response;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use x509_cert::der::Decode as _;

use super::super::testing::{
    Act, Handler, Scheme, Seen, TestVault, get, page, post, reply, serve, test_carrier, text, who, wire_of,
};
use super::super::{Doubt, Wire};
use crate::carriers::Carrier;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The fields of a credential whose certificate names `name`.
fn certificate(issuer: &Authority, name: &str) -> BTreeMap<String, String> {
    made(issuer, name, |_| {})
}

fn made(issuer: &Authority, name: &str, change: impl FnOnce(&mut CertificateParams)) -> BTreeMap<String, String> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap().pem();
    let fields = [("client_certificate", certificate), ("client_key", key.serialize_pem())];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Who a certificate names.
fn named(der: &CertificateDer<'_>) -> String {
    let parsed = x509_cert::Certificate::from_der(der).unwrap();
    parsed.tbs_certificate.subject.to_string().trim_start_matches("CN=").to_owned()
}

/// Refuses every certificate for this reason, after this long.
#[derive(Debug)]
struct Never(CertificateError, Duration, Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Never {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        if !self.1.is_zero() {
            #[allow(clippy::disallowed_methods, reason = "rustls asks its verifier without waiting")]
            let think = || std::thread::sleep(self.1);
            // Said to the runtime, or the worker that sleeps may be the one the timers wait for.
            tokio::task::block_in_place(think);
        }
        Err(self.0.clone().into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.2.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.2.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.2.supported_verify_schemes()
    }
}

/// How a server is set.
struct Set {
    versions: Vec<&'static SupportedProtocolVersion>,
    tickets: usize,
    never: Option<CertificateError>,
    /// How long it thinks before it refuses one.
    thinks: Duration,
}

impl Set {
    fn usual() -> Self {
        Self { versions: vec![&rustls::version::TLS13], tickets: 2, never: None, thinks: Duration::ZERO }
    }

    /// Both versions; TLS 1.3 also with servers that say nothing when they take a certificate.
    fn each() -> [Self; 3] {
        [
            Self::usual(),
            Self { tickets: 0, ..Self::usual() },
            Self { versions: vec![&rustls::version::TLS12], ..Self::usual() },
        ]
    }
}

/// One request: on which connection it came, whose certificate opened that, its first line.
#[derive(Clone, Debug)]
struct Logged {
    connection: usize,
    whose: String,
    line: String,
}

/// A carrier that wants a client certificate of `clients`, and writes down whose each connection is.
struct Guarded {
    addr: SocketAddr,
    ca_pem: Vec<u8>,
    /// Connections dialled, whatever became of them.
    dialled: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    log: Arc<Mutex<Vec<Logged>>>,
}

impl Guarded {
    async fn start(clients: &Authority, set: Set, answer: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::of(&authority(), clients, set, answer).await
    }

    async fn of(
        own: &Authority,
        clients: &Authority,
        set: Set,
        answer: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(Self::config(own, clients, set));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (dialled, open, log) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let this = Self { addr, ca_pem: own.pem().into_bytes(), dialled: dialled.clone(), open: open.clone(), log };
        let (log, answer) = (this.log.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let connection = dialled.fetch_add(1, Ordering::SeqCst);
                let (log, answer, open, config) = (log.clone(), answer.clone(), open.clone(), config.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(socket).await else { return };
                    let whose = stream.get_ref().1.peer_certificates().map_or(String::new(), |chain| named(&chain[0]));
                    let handler = move |seen: &Seen| {
                        log.lock().unwrap().push(Logged { connection, whose: whose.clone(), line: seen.line.clone() });
                        answer(seen)
                    };
                    open.fetch_add(1, Ordering::SeqCst);
                    serve(stream, &handler as &Handler, &Mutex::default()).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        this
    }

    fn config(own: &Authority, clients: &Authority, set: Set) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.der().clone()).unwrap();
        let usual = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let verifier: Arc<dyn ClientCertVerifier> = match set.never {
            Some(why) => Arc::new(Never(why, set.thinks, usual)),
            None => usual,
        };
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, own).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&set.versions)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        config.send_tls13_tickets = set.tickets;
        config
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.addr.port())
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host())
    }

    fn carrier(&self, scheme: Scheme) -> Carrier {
        let mut carrier = test_carrier(scheme, &[self.host()]);
        carrier.ca_pem = Some(self.ca_pem.clone());
        carrier.client_certificate = true;
        carrier
    }

    fn log(&self) -> Vec<Logged> {
        self.log.lock().unwrap().clone()
    }

    fn dialled(&self) -> usize {
        self.dialled.load(Ordering::SeqCst)
    }
}

fn ok(_: &Seen) -> Act {
    page("ok")
}

/// A wire whose practice `p-1` has these fields.
fn wire_with(carrier: Carrier, fields: BTreeMap<String, String>) -> (Wire, Arc<TestVault>) {
    let (wire, vault) = wire_of(carrier);
    vault.own.lock().unwrap().insert("p-1".into(), fields);
    (wire, vault)
}

async fn ask(wire: &Wire, practice: &str, url: &str) -> Result<Response<Bytes>> {
    let handle = wire.attempt(who(practice, Duration::from_secs(20)))?;
    let said = handle.context().send(get(url)).await;
    handle.finish();
    said
}

/// So many at once, as 50 people at their desks.
async fn many(wire: &Wire, url: &str, asks: usize) -> Vec<Result<Response<Bytes>>> {
    let all = (0..asks).map(|_| {
        let (wire, url) = (wire.clone(), url.to_owned());
        tokio::spawn(async move { ask(&wire, "p-1", &url).await })
    });
    let mut said = Vec::new();
    for one in all.collect::<Vec<_>>() {
        said.push(one.await.unwrap());
    }
    said
}

fn is_refusal(error: &Error) {
    assert_eq!((error.kind, error.retry), (ErrorKind::CredentialRejected, Retry::Never), "{error}");
}

#[tokio::test]
async fn the_right_certificate_is_shown_and_the_carrier_answers() {
    let ca = authority();
    for set in Set::each() {
        let carrier = Guarded::start(&ca, set, ok).await;
        let (wire, vault) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "Bone Clinic"));
        for said in many(&wire, &carrier.url("/"), 10).await {
            assert_eq!(text(&said.unwrap()), "ok");
        }
        assert!(carrier.log().iter().all(|one| one.whose == "Bone Clinic"), "{:?}", carrier.log());
        assert_eq!(*vault.logins.lock().unwrap(), [Some(true)], "that it was taken is noted, once");
    }
}

#[tokio::test]
async fn a_refused_certificate_is_shown_once_however_many_ask() {
    let (ca, other) = (authority(), authority());
    let never = [None, Some(CertificateError::Expired), Some(CertificateError::Revoked)];
    for (set, why) in Set::each().into_iter().zip(never.clone()).chain(Set::each().into_iter().rev().zip(never)) {
        let signed = if why.is_some() { &ca } else { &other };
        let carrier = Guarded::start(&ca, Set { never: why.clone(), ..set }, ok).await;
        let (wire, vault) = wire_with(carrier.carrier(Scheme::None), certificate(signed, "Bone Clinic"));
        for said in many(&wire, &carrier.url("/"), 50).await {
            is_refusal(&said.unwrap_err());
        }
        assert_eq!(carrier.dialled(), 1, "{why:?}");
        assert_eq!(*vault.last_doubt.lock().unwrap(), Some(Doubt::CertificateRefused), "{why:?}");
        assert!(carrier.log().is_empty(), "no request left");
        // Even a vault that forgot does not make us show it again; new values are tried, once.
        vault.stopped.lock().unwrap().clear();
        is_refusal(&ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err());
        assert_eq!(carrier.dialled(), 1);
        vault.generation.store(2, Ordering::SeqCst);
        is_refusal(&ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err());
        assert_eq!(carrier.dialled(), 2);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_there_or_has_ended_is_not_shown() {
    let ca = authority();
    let carrier = Guarded::start(&ca, Set::usual(), ok).await;
    let (wire, _) = wire_with(carrier.carrier(Scheme::None), BTreeMap::new());
    assert_eq!(ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err().kind, ErrorKind::CredentialMissing);
    let ended = made(&ca, "Bone Clinic", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let (wire, vault) = wire_with(carrier.carrier(Scheme::None), ended);
    is_refusal(&ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err());
    assert!(vault.stopped.lock().unwrap().is_empty(), "the carrier has refused nothing");
    // Both halves of different certificates.
    let mut mixed = certificate(&ca, "Bone Clinic");
    mixed.insert("client_key".into(), certificate(&ca, "Bone Clinic")["client_key"].clone());
    let (wire, _) = wire_with(carrier.carrier(Scheme::None), mixed);
    assert_eq!(ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err().kind, ErrorKind::CredentialMissing);
    assert_eq!(carrier.dialled(), 0);
    // A file that does not say that the carrier wants one.
    let mut silent = carrier.carrier(Scheme::None);
    silent.client_certificate = false;
    let error = ask(&wire_of(silent).0, "p-1", &carrier.url("/")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProtocolBroken, "{error}");
    assert!(error.message.contains("client_certificate = true"), "{error}");
}

#[tokio::test]
async fn two_practices_never_share_a_connection() {
    let ca = authority();
    for set in Set::each() {
        let carrier = Guarded::start(&ca, set, ok).await;
        let (wire, vault) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "p-1"));
        vault.own.lock().unwrap().insert("p-2".into(), certificate(&ca, "p-2"));
        for _ in 0..3 {
            let asks = (0..12).map(|number| {
                let practice = if number % 2 == 0 { "p-1" } else { "p-2" };
                let (wire, url) = (wire.clone(), carrier.url(&format!("/{practice}")));
                tokio::spawn(async move { ask(&wire, practice, &url).await.unwrap() })
            });
            for one in asks.collect::<Vec<_>>() {
                one.await.unwrap();
            }
        }
        let log = carrier.log();
        assert_eq!(log.len(), 36);
        let whose: BTreeSet<(usize, &str)> = log.iter().map(|one| (one.connection, one.whose.as_str())).collect();
        let connections: BTreeSet<usize> = log.iter().map(|one| one.connection).collect();
        assert_eq!(whose.len(), connections.len(), "a connection is one practice's: {log:?}");
        assert!(log.iter().all(|one| one.line.contains(&format!("/{} ", one.whose))), "{log:?}");
        assert!(connections.len() < 36, "connections are used again");
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_certificate_is_shown_and_old_connections_close() {
    let ca = authority();
    let carrier = Guarded::start(&ca, Set::usual(), ok).await;
    let (wire, vault) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "old"));
    ask(&wire, "p-1", &carrier.url("/")).await.unwrap();
    let running = wire.attempt(who("p-1", Duration::from_secs(20))).unwrap();
    running.context().send(get(&carrier.url("/"))).await.unwrap();
    vault.own.lock().unwrap().insert("p-1".into(), certificate(&ca, "new"));
    vault.generation.store(2, Ordering::SeqCst);
    ask(&wire, "p-1", &carrier.url("/")).await.unwrap();
    // What had begun goes on as it began.
    running.context().send(get(&carrier.url("/"))).await.unwrap();
    running.finish();
    let whose: Vec<String> = carrier.log().into_iter().map(|one| one.whose).collect();
    assert_eq!(whose, ["old", "old", "new", "old"]);
    tokio::time::timeout(Duration::from_secs(10), async {
        while carrier.open.load(Ordering::SeqCst) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the old generation's connections close");
    ask(&wire, "p-1", &carrier.url("/")).await.unwrap();
    let log = carrier.log();
    assert_eq!((log[4].whose.as_str(), log[4].connection), ("new", log[2].connection));
}

#[tokio::test]
async fn the_token_endpoint_is_asked_under_the_certificate_too() {
    let (ca, own) = (authority(), authority());
    let answer = |seen: &Seen| match seen.is("POST /token") {
        true => {
            Act::Send(reply(200, "content-type: application/json\r\n", r#"{"access_token":"t-1","expires_in":60}"#))
        }
        false => page("ok"),
    };
    let carrier = Guarded::of(&own, &ca, Set::usual(), answer).await;
    let scheme = |server: &Guarded| Scheme::Token { url: server.url("/token"), basic: false };
    let (wire, _) = wire_with(carrier.carrier(scheme(&carrier)), certificate(&ca, "Bone Clinic"));
    for said in many(&wire, &carrier.url("/question"), 10).await {
        assert_eq!(text(&said.unwrap()), "ok");
    }
    assert!(carrier.log().iter().all(|one| one.whose == "Bone Clinic"));
    // Tokens are given out, but questions refused in the handshake: still one bad try.
    let questions = Guarded::of(&own, &ca, Set { never: Some(CertificateError::Revoked), ..Set::usual() }, ok).await;
    let mut both = carrier.carrier(scheme(&carrier));
    both.hosts.push(questions.host());
    let (wire, vault) = wire_with(both, certificate(&ca, "Bone Clinic"));
    for said in many(&wire, &questions.url("/question"), 30).await {
        is_refusal(&said.unwrap_err());
    }
    assert_eq!(questions.dialled(), 1);
    assert_eq!(*vault.last_doubt.lock().unwrap(), Some(Doubt::CertificateRefused));
    // And the other way round: refused where tokens are given out.
    let refusing = Guarded::of(&own, &ca, Set { never: Some(CertificateError::Expired), ..Set::usual() }, ok).await;
    let (wire, _) = wire_with(refusing.carrier(scheme(&refusing)), certificate(&ca, "Bone Clinic"));
    for said in many(&wire, &refusing.url("/question"), 30).await {
        is_refusal(&said.unwrap_err());
    }
    assert_eq!(refusing.dialled(), 1);
}

#[tokio::test]
async fn a_servers_own_page_about_the_certificate_is_a_refusal() {
    let ca = authority();
    let nginx = "<html><center><h1>400 Bad Request</h1></center><center>The SSL certificate error</center></html>";
    for (status, body) in [(400, nginx), (401, "no"), (496, "")] {
        let carrier = Guarded::start(&ca, Set::usual(), move |_| Act::Send(reply(status, "", body))).await;
        let (wire, vault) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "Bone Clinic"));
        for said in many(&wire, &carrier.url("/"), 20).await {
            is_refusal(&said.unwrap_err());
        }
        assert_eq!(carrier.log().len(), 1, "{status}");
        assert_eq!(*vault.last_doubt.lock().unwrap(), Some(Doubt::CertificateRefused), "{status}");
    }
    // Any other 400 is the connector's to read.
    let carrier = Guarded::start(&ca, Set::usual(), |_| Act::Send(reply(400, "", "no such member"))).await;
    let (wire, _) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "Bone Clinic"));
    assert_eq!(ask(&wire, "p-1", &carrier.url("/")).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_submission_is_not_armed_before_the_certificate_is_taken() {
    let (ca, other) = (authority(), authority());
    for set in Set::each() {
        let carrier = Guarded::start(&ca, set, ok).await;
        for (issuer, taken) in [(&other, false), (&ca, true)] {
            let (wire, _) = wire_with(carrier.carrier(Scheme::None), certificate(issuer, "Bone Clinic"));
            let handle = wire.attempt(who("p-1", Duration::from_secs(20))).unwrap();
            let context = handle.committing(Box::new(|| Box::pin(async { Ok(()) })));
            let said = context.send(post(&carrier.url("/claims"), "claim")).await;
            assert_eq!((said.is_ok(), handle.armed()), (taken, taken), "{said:?}");
            said.err().iter().for_each(is_refusal);
        }
    }
}

/// A server that looks at the certificate so late that we have sent: nobody can say what it has read. Taken for a refusal
/// without effect, the submission would be sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_alert_after_the_submission_has_left_is_no_refusal() {
    let ca = authority();
    let late = Set {
        tickets: 0,
        never: Some(CertificateError::Revoked),
        thinks: Duration::from_millis(2_500),
        ..Set::usual()
    };
    let carrier = Guarded::start(&ca, late, ok).await;
    let (wire, _) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "Bone Clinic"));
    let handle = wire.attempt(who("p-1", Duration::from_secs(20))).unwrap();
    let context = handle.committing(Box::new(|| Box::pin(async { Ok(()) })));
    let said = context.send(post(&carrier.url("/claims"), "claim")).await;
    assert!(handle.armed(), "{said:?}");
    assert_eq!(said.unwrap_err().kind, ErrorKind::CarrierUnavailable);
}

#[tokio::test]
async fn the_key_goes_nowhere() {
    let ca = authority();
    let carrier = Guarded::start(&ca, Set::usual(), ok).await;
    let (wire, _) = wire_with(carrier.carrier(Scheme::None), certificate(&ca, "Bone Clinic"));
    let handle = wire.attempt(who("p-1", Duration::from_secs(20))).unwrap();
    let context = handle.context();
    for field in ["client_key", "client_certificate"] {
        assert!(!context.has_secret(field));
        let body = context.marker(&Secret::Field(field), Escape::Plain).to_string();
        let error = context.send(post(&carrier.url("/"), &body)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CredentialMissing, "no connector can have it put into a request");
    }
    // Nor is the certificate shown where the credential was not entered for.
    let mut narrow = TestVault::new(&["localhost:1".to_owned()]);
    narrow.own = Mutex::new(BTreeMap::from([("p-1".to_owned(), certificate(&ca, "Bone Clinic"))]));
    let wire = Wire::new(Arc::new(carrier.carrier(Scheme::None)), Arc::new(narrow)).unwrap();
    let before = carrier.dialled();
    assert_eq!(ask(&wire, "p-1", &carrier.url("/")).await.unwrap_err().kind, ErrorKind::EgressRefused);
    assert_eq!(carrier.dialled(), before);
}
