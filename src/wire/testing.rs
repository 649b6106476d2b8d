//! For the wire's tests: carriers that misbehave on loopback, a toy connector for each scheme, a vault in memory.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::connector::{ClientProof, Registration};
use connector_sdk::{
    BoxFuture, Connector, Context, CredentialField, Error, ErrorKind, Escape, FormSignIn, Result, Secret, SignIn,
};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{Attempt, AttemptHandle, Credentials, Doubt, Lane, Lease, LoginMark, Wire};
use crate::carriers::{CacheRules, Carrier, CredentialScope, FormRules, Hours, Limits, Offers};
use crate::practice::PracticeId;

pub(super) const PASSWORD: &str = "canary&pass word\"1";
pub(super) const USERNAME: &str = "frontdesk";

/// What a server does with a request.
pub(super) enum Act {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes.
    Cut(Vec<u8>),
    /// Never answers.
    Hang,
    /// Resets the connection.
    Reset,
    /// Sends these bytes, then one more byte every ten milliseconds for ever.
    Drip(Vec<u8>),
    /// Sends these bytes, then mebibytes for ever.
    Flood(Vec<u8>),
}

/// A request as it came over the socket.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn is(&self, line: &str) -> bool {
        self.line.starts_with(line)
    }
}

/// A server on loopback.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) connections: Arc<AtomicUsize>,
}

pub(super) type Handler = dyn Fn(&Seen) -> Act + Send + Sync;

impl Server {
    pub(super) async fn start(handler: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler).await
    }

    pub(super) async fn start_tls(
        config: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(config), handler).await
    }

    async fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (kept, counted) = (seen.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (handler, seen, tls) = (handler.clone(), kept.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => {
                            let reset = serve(socket, &*handler, &seen).await;
                            if let Some(socket) = reset {
                                let _ = socket.set_zero_linger();
                            }
                        }
                        Some(config) => {
                            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(socket).await {
                                serve(stream, &*handler, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { addr, seen, connections }
    }

    /// `http://127.0.0.1:port` with this path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(super) fn host(&self) -> String {
        self.addr.to_string()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self, line: &str) -> usize {
        self.seen().iter().filter(|seen| seen.is(line)).count()
    }
}

/// Serves one connection; gives the socket back when it is to be reset.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: S,
    handler: &Handler,
    seen: &Mutex<Vec<Seen>>,
) -> Option<S> {
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut socket, &mut buffer).await?;
        let act = handler(&request);
        seen.lock().unwrap().push(request);
        match act {
            Act::Send(bytes) => socket.write_all(&bytes).await.ok()?,
            Act::Cut(bytes) => {
                socket.write_all(&bytes).await.ok()?;
                socket.shutdown().await.ok()?;
                return None;
            }
            Act::Hang => std::future::pending::<()>().await,
            Act::Reset => return Some(socket),
            Act::Drip(bytes) => {
                socket.write_all(&bytes).await.ok()?;
                loop {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    socket.write_all(b"x").await.ok()?;
                }
            }
            Act::Flood(bytes) => {
                socket.write_all(&bytes).await.ok()?;
                let piece = vec![b'x'; 1 << 20];
                loop {
                    socket.write_all(&piece).await.ok()?;
                }
            }
        }
    }
}

async fn read_request(socket: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if rest.len() >= length {
                let body = rest[..length].to_owned();
                *buffer = rest.as_bytes()[length..].to_vec();
                let line = head.lines().next().unwrap_or_default().to_owned();
                return Some(Seen { line, head: head.to_owned(), body });
            }
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&piece[..n]),
        }
    }
}

/// A whole reply.
pub(super) fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

pub(super) fn page(body: &str) -> Act {
    Act::Send(reply(200, "content-type: text/html\r\n", body))
}

#[derive(Clone)]
pub(super) enum Scheme {
    None,
    Basic,
    ApiKey,
    InRequest,
    Token {
        url: String,
        basic: bool,
    },
    /// A form at this address.
    Form {
        base: String,
    },
}

/// A connector that only signs in; the tests send through its context themselves.
pub(super) struct Toy(pub(super) Scheme);

impl Connector for Toy {
    fn sign_in(&self) -> SignIn<'_> {
        match &self.0 {
            Scheme::None => SignIn::None,
            Scheme::Basic => SignIn::Basic,
            Scheme::ApiKey => SignIn::Header(http::HeaderName::from_static("x-api-key")),
            Scheme::InRequest => SignIn::InRequest,
            Scheme::Token { url, basic } => SignIn::ClientCredentials {
                token_url: url.parse().unwrap(),
                scope: None,
                proof: if *basic { ClientProof::Basic } else { ClientProof::Form },
            },
            Scheme::Form { .. } => SignIn::Form(self),
        }
    }

    fn credential_fields(&self) -> Vec<CredentialField> {
        match &self.0 {
            Scheme::None => vec![],
            _ => vec![CredentialField::required("password", "Password")],
        }
    }
}

impl FormSignIn for Toy {
    fn sign_in<'a>(&'a self, ctx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Scheme::Form { base } = &self.0 else { return Ok(()) };
            ctx.send(get(&format!("{base}/login"))).await?;
            let form = format!(
                "user={}&pass={}",
                ctx.marker(&Secret::Field("username"), Escape::Form),
                ctx.marker(&Secret::Field("password"), Escape::Form)
            );
            let page = ctx.send(post(&format!("{base}/login"), &form)).await?;
            match text(&page) {
                page if page.contains("wrong") => Err(Error::new(ErrorKind::CredentialRejected, "Wrong password.")),
                page if page.contains("welcome") => Ok(()),
                _ => Err(Error::new(ErrorKind::ProtocolBroken, "An unknown page after sign-in.")),
            }
        })
    }

    fn signed_out(&self, page: &Response<Bytes>) -> bool {
        text(page).contains("please sign in")
    }

    fn sign_out<'a>(&'a self, ctx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Scheme::Form { base } = &self.0 else { return Ok(()) };
            ctx.send(get(&format!("{base}/logout"))).await.map(|_| ())
        })
    }
}

pub(super) fn text(reply: &Response<Bytes>) -> String {
    String::from_utf8_lossy(reply.body()).into_owned()
}

pub(super) fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

pub(super) fn post(url: &str, body: &str) -> Request<Bytes> {
    Request::post(url).body(Bytes::from(body.to_owned())).unwrap()
}

static TOY: Registration = Registration {
    name: "toy",
    speaks: "nothing",
    transport: "json",
    operations: &[],
    sign_in: "any",
    settings_schema: || serde_json::Value::Null,
    example: "",
    build: |_| Err(Vec::new()),
};

/// A carrier over a toy connector, with roomy limits.
pub(super) fn test_carrier(scheme: Scheme, hosts: &[String]) -> Carrier {
    Carrier {
        id: "acme".into(),
        name: "Acme".into(),
        aliases: vec![],
        payer_ids: vec![],
        plan_names: vec![],
        registration: &TOY,
        connector: Arc::new(Toy(scheme)),
        hosts: hosts.to_vec(),
        allow_private: vec![],
        ca_pem: None,
        client_certificate: false,
        credential: CredentialScope::PerPractice,
        offers: Offers { eligibility: true, dependents: true, service_types_max: 1, authorizations: true },
        limits: Limits {
            requests_per_minute: 60_000,
            credential_requests_per_minute: 60_000,
            concurrent_max: 64,
            sessions_per_credential_max: 64,
            attempt_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(5),
            body_max_bytes: 1 << 20,
            attempts_max: 1,
            breaker_failures: 5,
            breaker_open: Duration::from_secs(30),
            session_idle: Duration::from_secs(600),
        },
        cache: CacheRules { eligibility: Duration::ZERO, refusal: Duration::ZERO },
        submissions: crate::carriers::file::SubmissionsFile::default().rules(),
        hours: Hours::default(),
        support: Default::default(),
        form: FormRules::default(),
        version: 1,
    }
}

/// A vault in memory with one credential for everybody.
pub(super) struct TestVault {
    pub(super) fields: BTreeMap<String, String>,
    /// What single practices have besides.
    pub(super) own: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    pub(super) origins: Vec<String>,
    pub(super) generation: AtomicUsize,
    pub(super) stopped: Mutex<HashSet<(String, u64)>>,
    /// Logins that have begun, and how the ones ended that did: accepted or not.
    pub(super) logins: Arc<Mutex<Vec<Option<bool>>>>,
    pub(super) steps: Mutex<HashSet<u64>>,
    pub(super) last_doubt: Mutex<Option<Doubt>>,
}

impl TestVault {
    pub(super) fn new(origins: &[String]) -> Self {
        let fields = [
            ("username", USERNAME),
            ("password", PASSWORD),
            ("api_key", "canary-api-key"),
            ("client_id", "client-1"),
            ("client_secret", "canary-client-secret"),
            ("totp_seed", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ];
        Self {
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            own: Mutex::default(),
            origins: origins.to_vec(),
            generation: AtomicUsize::new(1),
            stopped: Mutex::default(),
            logins: Arc::default(),
            steps: Mutex::default(),
            last_doubt: Mutex::default(),
        }
    }
}

impl Credentials for TestVault {
    fn lease(&self, practice: &PracticeId, _: &Carrier) -> Result<Lease> {
        let credential_id = format!("c-{practice}");
        let generation = self.generation.load(Ordering::SeqCst) as u64;
        if self.stopped.lock().unwrap().contains(&(credential_id.clone(), generation)) {
            return Err(Error::new(ErrorKind::CredentialRejected, "Stopped."));
        }
        let own = self.own.lock().unwrap().get(practice.as_str()).cloned().unwrap_or_default();
        let fields = self.fields.iter().chain(&own).map(|(name, value)| (name.clone(), Zeroizing::new(value.clone())));
        Ok(Lease { credential_id, generation, on_trial: true, fields: fields.collect(), origins: self.origins.clone() })
    }

    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64, why: Doubt) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            *self.last_doubt.lock().unwrap() = Some(why);
            // Slow, so that a test sees who does not wait for it.
            tokio::time::sleep(Duration::from_millis(30)).await;
            self.stopped.lock().unwrap().insert((credential_id.to_owned(), generation));
            Ok(())
        })
    }

    fn login_begins<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<LoginMark>> {
        Box::pin(async move {
            let mut logins = self.logins.lock().unwrap();
            logins.push(None);
            Ok(LoginMark(i64::try_from(logins.len() - 1).unwrap()))
        })
    }

    fn login_ended(&self, _: &str, mark: LoginMark, accepted: bool) -> BoxFuture<'static, Result<()>> {
        self.logins.lock().unwrap()[usize::try_from(mark.0).unwrap()] = Some(accepted);
        Box::pin(async { Ok(()) })
    }

    fn take_step<'a>(&'a self, _: &'a str, step: u64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move { Ok(self.steps.lock().unwrap().insert(step)) })
    }
}

/// A wire to these servers, with its vault.
pub(super) fn wire_to(scheme: Scheme, hosts: &[String]) -> (Wire, Arc<TestVault>) {
    wire_of(test_carrier(scheme, hosts))
}

pub(super) fn wire_of(carrier: Carrier) -> (Wire, Arc<TestVault>) {
    let vault = Arc::new(TestVault::new(&carrier.hosts));
    (Wire::new(Arc::new(carrier), vault.clone()).unwrap(), vault)
}

pub(super) fn who(practice: &str, within: Duration) -> Attempt {
    Attempt {
        practice: PracticeId::new(practice),
        lane: Lane::Interactive,
        deadline: Instant::now() + within,
        trace: "T1".into(),
        today: jiff::civil::date(2026, 11, 23),
    }
}

pub(super) fn attempt(wire: &Wire) -> AttemptHandle {
    wire.attempt(who("p-1", Duration::from_secs(5))).unwrap()
}

/// Sends one request in an attempt of its own.
pub(super) async fn ask(wire: &Wire, request: Request<Bytes>) -> Result<Response<Bytes>> {
    let handle = wire.attempt(who("p-1", Duration::from_secs(5)))?;
    let reply = handle.context().send(request).await;
    handle.finish();
    reply
}
