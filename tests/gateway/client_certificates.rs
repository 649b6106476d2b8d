//! A carrier that wants a client certificate: from its file and the practice's certificate to the answer, with a door
//! before a simulated carrier that looks at the certificate of each connection.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use portico::identity::Scope;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Reply, Stand, ask};

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority() -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate good for so many days from now, and its key.
pub fn certificate(issuer: &Authority, name: &str, days: i64) -> (String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    params.not_after = std::time::SystemTime::from(ends).into();
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

/// TLS before a carrier: takes certificates of `clients` only, writes down whose each connection is, and leads it on.
struct Door {
    address: SocketAddr,
    authority: Authority,
    /// Connections that came, whatever became of them.
    came: Arc<AtomicUsize>,
    /// The certificate of each connection that was let in (DER).
    whose: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Door {
    async fn before(carrier: SocketAddr, clients: &Authority) -> Self {
        let authority = authority();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (came, whose) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
        let door = Self { address, authority, came: came.clone(), whose: whose.clone() };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                came.fetch_add(1, Ordering::SeqCst);
                let (acceptor, whose) = (acceptor.clone(), whose.clone());
                tokio::spawn(async move {
                    let Ok(mut inside) = acceptor.accept(socket).await else { return };
                    let shown = inside.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                    whose.lock().unwrap().push(shown);
                    let mut behind = TcpStream::connect(carrier).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut inside, &mut behind).await;
                });
            }
        });
        door
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    /// Different certificates that were shown.
    fn shown(&self) -> BTreeSet<Vec<u8>> {
        self.whose.lock().unwrap().iter().cloned().collect()
    }
}

/// A gateway whose `harborhmo` (OAuth2, JSON) stands behind a door.
async fn stand(clients: &Authority) -> (Stand, Door, tempfile::TempDir) {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let (_, address) = *sandbox.addresses().iter().find(|(id, _)| *id == "harborhmo").unwrap();
    let door = Door::before(address, clients).await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, door.authority.pem()).unwrap();
    let file = sandbox::carrier_file("harborhmo", address).unwrap();
    let file = file.replace(&format!("http://{address}"), &format!("https://localhost:{}", door.address.port()));
    let file = file.replace(&address.to_string(), &format!("localhost:{}", door.address.port()));
    let file = format!("client_certificate = true\nca_file = {:?}\n{file}", ca_file.display().to_string());
    let stand = Stand::over_sandbox(sandbox, vec![("harborhmo".to_owned(), file)], &[]).await;
    (stand, door, folder)
}

fn fields((certificate, key): &(String, String)) -> Value {
    json!({ "fields": {
        "client_id": "hhm-client-7", "client_secret": "sandbox-harbor-secret", "client_certificate": certificate,
        "client_key": key
    } })
}

async fn enter(stand: &Stand, key: &str, body: Value) -> Reply {
    stand.call_as(Some(key), Method::PUT, "/v1/credentials/harborhmo", Some(body)).await
}

async fn question(stand: &Stand, key: &str) -> Reply {
    let mut question = ask("harborhmo", "HHM-ACTIVE-PCP", "1979-08-15");
    question["max_age_secs"] = json!(0);
    stand.call_as(Some(key), Method::POST, "/v1/eligibility", Some(question)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn practices_are_answered_under_their_own_certificates_and_after_a_rotation_under_the_new_one() {
    let clients = authority();
    let (stand, door, _folder) = stand(&clients).await;
    let view = stand.call(Method::GET, "/v1/carriers/harborhmo", None).await;
    let wanted: Vec<&str> = view.body["credential_fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(wanted, ["client_id", "client_secret", "client_certificate", "client_key"]);

    let (one, other) = (certificate(&clients, "Oakwood", 20), certificate(&clients, "Elmwood", 200));
    let elmwood = stand.key_of("elmwood", &[Scope::Ask, Scope::Credentials]).await;
    let stored = enter(&stand, &stand.key, fields(&one)).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    assert!(stored.body["expires_at"].is_string(), "its end is read from it: {}", stored.text);
    enter(&stand, &elmwood, fields(&other)).await;
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    assert_eq!(list.body["reminders"][0]["due"], 30, "{}", list.text);
    for key in [&stand.key, &elmwood, &stand.key] {
        let reply = question(&stand, key).await;
        assert_eq!(reply.outcome(), "answered", "{}", reply.text);
    }
    assert_eq!(door.shown().len(), 2);

    let renewed = certificate(&clients, "Oakwood", 300);
    enter(&stand, &stand.key, fields(&renewed)).await;
    let reply = question(&stand, &stand.key).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);
    assert_eq!(door.shown().len(), 3, "the renewed one, on a connection of its own");
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    assert_eq!(list.body["reminders"], json!([]), "{}", list.text);

    let raw = format!("/v1/eligibility/{}/raw", reply.body["id"].as_str().unwrap());
    let raw = stand.call(Method::GET, &raw, None).await;
    let trail = stand.call(Method::GET, "/v1/trail?limit=500", None).await;
    for (_, key) in [&one, &other, &renewed] {
        let body = key.lines().nth(1).unwrap();
        assert!([&raw, &trail, &list].iter().all(|reply| !reply.text.contains(body)));
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_the_carrier_refuses_is_the_practices_to_mend_and_is_shown_once() {
    let (clients, strangers) = (authority(), authority());
    let (stand, door, _folder) = stand(&clients).await;
    let stand = Arc::new(stand);
    let bad = certificate(&strangers, "Oakwood", 90);
    enter(&stand, &stand.key, fields(&bad)).await;
    let mut all = tokio::task::JoinSet::new();
    for place in 0..50 {
        let stand = stand.clone();
        all.spawn(async move {
            let reply = stand.ask(ask("harborhmo", &format!("HHM-{place}"), "1979-08-15")).await;
            assert_eq!(reply.status, StatusCode::FAILED_DEPENDENCY, "{}", reply.text);
            assert_eq!(reply.body["failure"]["kind"], "credential_rejected", "{}", reply.text);
            assert_eq!(reply.body["failure"]["who_acts"], "practice_admin", "{}", reply.text);
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    assert_eq!((door.came(), door.shown().len()), (1, 0), "fifty people are one bad certificate");
    let list = stand.call(Method::GET, "/v1/credentials", None).await;
    let stored = &list.body["credentials"][0];
    assert_eq!(stored["state"], "suspect", "{}", list.text);
    assert_eq!(stored["reason"], "the carrier does not take its client certificate", "{}", list.text);
    // The carrier is not down: nothing is held back from others.
    let elmwood = stand.key_of("elmwood", &[Scope::Ask, Scope::Credentials]).await;
    enter(&stand, &elmwood, fields(&certificate(&clients, "Elmwood", 90))).await;
    assert_eq!(question(&stand, &elmwood).await.outcome(), "answered");
    // Tried once more by a person, it is refused for good; the right one helps.
    let verified = stand.call(Method::POST, "/v1/credentials/harborhmo/verify", None).await;
    assert_eq!(verified.body["verified"], false, "{}", verified.text);
    assert_eq!(verified.body["credential"]["state"], "disabled", "{}", verified.text);
    enter(&stand, &stand.key, fields(&certificate(&clients, "Oakwood", 90))).await;
    assert_eq!(question(&stand, &stand.key).await.outcome(), "answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_is_not_stored_and_all_of_it_is_said() {
    let clients = authority();
    let (stand, door, _folder) = stand(&clients).await;
    let (good, key) = certificate(&clients, "Oakwood", 90);
    let (_, other_key) = certificate(&clients, "Oakwood", 90);
    let sealed = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (certificate, key, says) in [
        (&good, &other_key, vec![("/fields/client_key", "does not belong")]),
        (&key, &good, vec![("/fields/client_certificate", "private key"), ("/fields/client_key", "no private key")]),
        (&good, &sealed, vec![("/fields/client_key", "passphrase")]),
    ] {
        let refused = enter(&stand, &stand.key, fields(&(certificate.clone(), key.clone()))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        let errors = refused.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), says.len(), "{}", refused.text);
        for (error, (path, words)) in errors.iter().zip(says) {
            assert!(error.to_string().contains(path) && error.to_string().contains(words), "{}", refused.text);
        }
        assert!([&key, &&other_key].iter().all(|key| !refused.text.contains(key.lines().nth(1).unwrap())));
    }
    assert_eq!(door.came(), 0);
    stand.stop().await;
}
