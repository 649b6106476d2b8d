//! One gateway with all simulated carriers, and a plain client for its API.

use std::path::Path;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use portico::api::{self, Server};
use portico::house::House;
use portico::identity::Scope;
use portico::trail::Actor;
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// A gateway under test.
pub struct Stand {
    pub sandbox: Sandbox,
    pub house: House,
    pub key: String,
    server: Server,
}

impl Stand {
    /// Everything in memory and temporary folders.
    pub async fn start() -> Self {
        Self::start_at(None).await
    }

    /// With its store in `data`, to be opened again later.
    pub async fn start_at(data: Option<&Path>) -> Self {
        Self::with(SandboxConfig::default(), data).await
    }

    /// With simulated carriers like this.
    pub async fn with(carriers: SandboxConfig, data: Option<&Path>) -> Self {
        let sandbox = Sandbox::start(carriers).await.unwrap();
        let house = House::demo(&sandbox, data).await.unwrap();
        Self::open(sandbox, house).await
    }

    async fn open(sandbox: Sandbox, house: House) -> Self {
        let key = house.demo_key().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = api::serve(listener, portico::pages::router(house.app.clone())).unwrap();
        Self { sandbox, house, key, server }
    }

    /// With other carriers than the simulated ones.
    pub async fn over(files: Vec<(String, String)>, credentials: &[(&str, &[(&str, &str)])]) -> Self {
        Self::over_sandbox(Sandbox::start(SandboxConfig::default()).await.unwrap(), files, credentials).await
    }

    /// With other files for the carriers of this sandbox.
    pub async fn over_sandbox(
        sandbox: Sandbox,
        files: Vec<(String, String)>,
        credentials: &[(&str, &[(&str, &str)])],
    ) -> Self {
        let house = House::over_files(files, credentials, None).await.unwrap();
        Self::open(sandbox, house).await
    }

    /// Stops the gateway; the store's folder, if one was given, stays.
    pub async fn stop(self) {
        self.server.stop().await;
        self.house.close().await;
        self.sandbox.shutdown().await;
    }

    /// Host and port of the gateway.
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// One request; JSON in, JSON out (`Null` where the reply is not JSON).
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.call_as(Some(&self.key), method, path, body).await
    }

    /// As another key, or as nobody.
    pub async fn call_as(&self, key: Option<&str>, method: Method, path: &str, body: Option<Value>) -> Reply {
        let bytes = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        send(&self.server.address.to_string(), key, method, path, bytes).await.unwrap()
    }

    /// With more headers.
    pub async fn call_with(&self, headers: &[(&str, &str)], method: Method, path: &str, body: Option<Value>) -> Reply {
        let bytes = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        let address = self.server.address.to_string();
        send_with(&address, Some(&self.key), headers, method, path, bytes).await.unwrap()
    }

    /// With more headers and any body, as this key.
    pub async fn call_with_as(
        &self,
        key: &str,
        headers: &[(&str, &str)],
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Reply {
        send_with(&self.server.address.to_string(), Some(key), headers, method, path, body).await.unwrap()
    }

    /// How many eligibility questions a simulated carrier has seen.
    pub fn questions(&self, carrier: &str) -> u64 {
        self.sandbox.control().counters(carrier).unwrap().questions
    }

    /// A new key of a practice, which is made when it is not there.
    pub async fn key_of(&self, practice: &str, scopes: &[Scope]) -> String {
        let identity = &self.house.app.identity;
        let practice = identity.ensure_practice(practice, practice).await.unwrap();
        identity.create_key(&practice, "test", scopes, &Actor::command_line()).await.unwrap().key.to_string()
    }

    /// Asks one eligibility question.
    pub async fn ask(&self, ask: Value) -> Reply {
        self.call(Method::POST, "/v1/eligibility", Some(ask)).await
    }
}

/// One request to a gateway at `address`; `None` when it went away before it replied.
pub async fn send(address: &str, key: Option<&str>, method: Method, path: &str, body: Vec<u8>) -> Option<Reply> {
    send_with(address, key, &[], method, path, body).await
}

/// The same, with more headers. The host is `localhost` unless they say otherwise.
pub async fn send_with(
    address: &str,
    key: Option<&str>,
    headers: &[(&str, &str)],
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Option<Reply> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header(header::HOST, "localhost");
    }
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let (head, body) = sender.send_request(request).await.ok()?.into_parts();
    let bytes = body.collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Reply { status: head.status, headers: head.headers, body, text, bytes })
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
    pub text: String,
    pub bytes: Bytes,
}

impl Reply {
    /// `answered`, `refused`, `failed`, or the whole body when there is no outcome.
    pub fn outcome(&self) -> &str {
        self.body["outcome"].as_str().unwrap_or(&self.text)
    }
}

/// An ask with a member id and a date of birth.
pub fn ask(carrier: &str, member_id: &str, date_of_birth: &str) -> Value {
    json!({
        "carrier": carrier,
        "provider": { "npi": "1234567893" },
        "member": { "member_id": member_id, "date_of_birth": date_of_birth }
    })
}
