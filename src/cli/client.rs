//! A small client for this program's own API, for `portico ask` and the demo.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::house::CannotRun;

/// A reply larger than this is refused, bytes.
const REPLY_MAX: usize = 16 << 20;

/// Posts JSON to `base` + `path` with an API key; gives back the status and the JSON reply.
///
/// # Errors
/// As [`call`].
pub async fn post(base: &str, path: &str, key: &str, body: Vec<u8>) -> Result<(StatusCode, Value), CannotRun> {
    call(base, Method::POST, path.to_owned(), key, body).await
}

/// One call of the API with a key; gives back the status and the JSON reply. Plain `http` only: to a gateway on this
/// machine or behind a tunnel.
///
/// # Errors
/// When there is no gateway at the address, or its reply is not JSON.
pub async fn call(
    base: &str,
    method: Method,
    path: String,
    key: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Value), CannotRun> {
    let uri: http::Uri = base
        .trim_end_matches('/')
        .parse()
        .map_err(|_| CannotRun("the gateway's address is not a web address".to_owned()))?;
    if uri.scheme_str() != Some("http") {
        return Err(CannotRun(
            "this command speaks http:// only, to a gateway on this machine or behind a tunnel".into(),
        ));
    }
    let host = uri.host().unwrap_or("127.0.0.1").to_owned();
    let address = format!("{host}:{}", uri.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(&address)
        .await
        .map_err(|error| CannotRun(format!("no gateway at {address} ({error}); start one with: portico serve")))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let running = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .body(Full::new(Bytes::from(body)))?;
    let reply = sender.send_request(request).await?;
    let status = reply.status();
    let body = Limited::new(reply.into_body(), REPLY_MAX)
        .collect()
        .await
        .map_err(|_| CannotRun("the gateway's reply could not be read".to_owned()))?
        .to_bytes();
    drop(sender);
    let _ = running.await;
    Ok((status, serde_json::from_slice(&body)?))
}
