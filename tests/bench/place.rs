//! Where it all runs: the simulated carriers, the gateway and the client in one process, each on a thread of its own, so
//! that the kernel counts their CPU time apart.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{BoxFuture, Error};
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use portico::api::{self, App};
use portico::carriers::{CarrierBook, Limits};
use portico::gateway::{Gateway, Planes};
use portico::house::House;
use portico::stack::{AnswerCache, Care, Envelope, Ledger, Question, Shared};
use portico::wire::Exchange;
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::load::{Connection, Shot};

/// Threads whose CPU time is the gateway's: its runtime and the store's writer.
pub const GATEWAY_THREADS: [&str; 2] = ["gateway", "store-writer"];
/// Threads of the bare server.
pub const BARE_THREADS: [&str; 1] = ["bare"];

/// The three sides and what runs on them.
pub struct Place {
    /// The simulated carriers' side.
    _carriers: Runtime,
    /// The gateway's side.
    pub gateway: Runtime,
    /// The bare server's side.
    pub bare: Runtime,
    /// The client's side.
    pub client: Runtime,
    /// The simulated carriers.
    pub sandbox: Sandbox,
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build().unwrap()
}

impl Place {
    /// Starts the simulated carriers.
    pub fn open() -> Self {
        let carriers = runtime("carriers");
        let sandbox = carriers.block_on(carriers.spawn(Sandbox::start(SandboxConfig::default()))).unwrap().unwrap();
        Self {
            _carriers: carriers,
            gateway: runtime("gateway"),
            bare: runtime("bare"),
            client: runtime("client"),
            sandbox,
        }
    }

    /// Carrier files without limits in the way, and with a password that can be sent twice: the bytes of a question can
    /// then be sent to the carrier directly, again and again.
    pub fn files(&self) -> Vec<(String, String)> {
        let plain = |text: String| {
            text.replace("requests_per_minute = 6000\n", "requests_per_minute = 60000\n")
                .replace("password_type = \"digest\"", "password_type = \"text\"\nnonce = false\ncreated = false")
        };
        self.sandbox.carrier_files().into_iter().map(|(id, text)| (id.to_owned(), plain(text))).collect()
    }

    /// A gateway over these carrier files, listening.
    pub fn house(&self, files: Vec<(String, String)>) -> Open {
        self.house_at(files, None)
    }

    /// The same over a folder, which holds what another one left there.
    pub fn house_at(&self, files: Vec<(String, String)>, folder: Option<&Path>) -> Open {
        let folder = folder.map(Path::to_owned);
        let opened = self.gateway.spawn(async move {
            let house = House::over_files(files, &sandbox::credentials(), folder.as_deref()).await.unwrap();
            let key = house.demo_key().await.unwrap();
            let address = serve(api::router(house.app.clone())).await;
            Open { house, key, address }
        });
        self.gateway.block_on(opened).unwrap()
    }

    /// The staff's pages of the same gateway, listening.
    pub fn pages(&self, house: &House) -> SocketAddr {
        let routes = portico::pages::router(house.app.clone());
        self.gateway.block_on(self.gateway.spawn(serve(routes))).unwrap()
    }

    /// The same gateway with a ledger that keeps nothing, listening.
    pub fn without_ledger(&self, house: &House, files: Vec<(String, String)>) -> SocketAddr {
        self.with_ledger(house, files, Arc::new(Nothing))
    }

    fn with_ledger(&self, house: &House, files: Vec<(String, String)>, ledger: Arc<dyn Ledger>) -> SocketAddr {
        let app = house.app.clone();
        let opened = self.gateway.spawn(async move {
            let (book, _) = CarrierBook::from_files(files, Limits::default());
            let shared = Shared {
                cache: Arc::new(AnswerCache::new().unwrap()),
                ledger,
                retry_jitter: Duration::ZERO,
                care: Care::default(),
            };
            let gateway = Gateway::new(Planes::new(book, app.vault.clone(), shared), jiff::tz::TimeZone::system());
            serve(api::router(App { gateway, ..app })).await
        });
        self.gateway.block_on(opened).unwrap()
    }

    /// The same gateway with a trail that keeps answers and no records, listening.
    #[cfg(feature = "bench")]
    pub fn unrecorded(&self, house: &House, files: Vec<(String, String)>) -> SocketAddr {
        self.with_ledger(house, files, house.app.trail.unrecorded())
    }

    /// A bare hyper server that reads the request and answers these bytes.
    pub fn bare(&self, headers: HeaderMap, body: Bytes) -> SocketAddr {
        self.bare.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            self.bare.spawn(accept(listener, headers, body));
            address
        })
    }

    /// Runs something on the client's side.
    pub fn on_client<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.client.block_on(self.client.spawn(work)).unwrap()
    }
}

/// An open gateway.
pub struct Open {
    /// Its rooms.
    pub house: House,
    /// An API key with every scope.
    pub key: String,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Open {
    /// A question to this gateway.
    pub fn shot(&self, question: &Value) -> Shot {
        Shot {
            address: self.address,
            path: "/v1/eligibility".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), format!("Bearer {}", self.key)),
            ],
            body: Bytes::from(question.to_string()),
        }
    }

    /// What the gateway sent to the carrier for a question, as a request to the carrier itself.
    pub async fn sent_for(&self, question: &Value, carrier: SocketAddr) -> Shot {
        let mut connection = Connection::open(self.address).await;
        let (status, body) = connection.send(&self.shot(question)).await;
        assert!(status.is_success(), "{}", String::from_utf8_lossy(&body));
        let envelope: Value = serde_json::from_slice(&body).unwrap();
        let mut request = http::Request::get(format!("/v1/eligibility/{}/raw", envelope["id"].as_str().unwrap()));
        for (name, value) in &self.shot(question).headers {
            request = request.header(name, value);
        }
        let raw = connection.send_any(request.header("host", "x").body(Full::default()).unwrap()).await;
        let raw: Value = serde_json::from_slice(raw.body()).unwrap();
        let exchange = raw.as_array().unwrap().last().unwrap();
        let secrets = sandbox::credentials();
        let id = envelope["carrier"].as_str().unwrap();
        let (_, fields) = secrets.iter().find(|(carrier, _)| *carrier == id).unwrap();
        let head = unmark(exchange["request"]["head"].as_str().unwrap(), fields);
        let mut lines = head.lines();
        let target = lines.next().unwrap().split(' ').nth(1).unwrap();
        let uri: http::Uri = target.parse().unwrap();
        // The host puts this one on below the place where evidence is taken.
        let key = fields.iter().find(|(name, _)| *name == "api_key");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| !["host", "content-length"].contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(key.map(|(_, value)| ("x-api-key".to_owned(), (*value).to_owned())));
        Shot {
            address: carrier,
            path: uri.path().to_owned(),
            headers: headers.collect(),
            body: Bytes::from(unmark(exchange["request"]["body"].as_str().unwrap(), fields)),
        }
    }
}

/// Puts a credential's values where evidence has markers (`pk-<word>-f<name in hex>-<escaping>-kp`). The sandbox's
/// passwords need no escaping where this is used.
fn unmark(text: &str, fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once("pk-") {
        out.push_str(before);
        let (marker, after) = marked.split_once("-kp").expect("the end of a marker");
        let name = marker.split('-').nth(1).and_then(|what| what.strip_prefix('f')).expect("a field's marker");
        let hex = |name: &str| name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (_, value) = fields.iter().find(|(field, _)| hex(field) == name).expect("a field of the credential");
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A question about one of the sandbox's people.
pub fn question(carrier: &str, member_id: &str, born: &str) -> Value {
    json!({
        "carrier": carrier,
        "provider": { "npi": "1234567893" },
        "member": { "member_id": member_id, "date_of_birth": born },
        "service": { "types": ["30", "98"] }
    })
}

/// The same question, and no saved answer will do.
pub fn live(question: &Value) -> Value {
    let mut question = question.clone();
    question["max_age_secs"] = json!(0);
    question
}

async fn serve(routes: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Never stopped: the process ends when the numbers are there.
    api::serve(listener, routes).map(|server| std::mem::ManuallyDrop::new(server).address).unwrap()
}

async fn accept(listener: TcpListener, headers: HeaderMap, body: Bytes) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (headers, body) = (headers.clone(), body.clone());
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let (headers, body) = (headers.clone(), body.clone());
            async move {
                let _ = request.into_body().collect().await;
                let mut response = Response::new(Full::new(body));
                *response.headers_mut() = headers;
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    }
}

/// A ledger that keeps nothing.
struct Nothing;

impl Ledger for Nothing {
    fn keep<'a>(
        &'a self,
        _: &'a Question,
        _: &'a Envelope,
        _: &'a [Exchange],
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}
