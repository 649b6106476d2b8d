//! One accept loop for all carriers: bounded, and it ends when the sandbox does.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::control::{Desk, Down};

/// Most connections at a time to one carrier.
const CONNECTIONS_MAX: usize = 2_048;
/// How long a connection may take to send its request's head.
const HEAD_WAIT: Duration = Duration::from_secs(60);
/// Largest response that is cut, bytes.
const CUT_MAX: usize = 1 << 20;
/// Most milliseconds that the latency switch adds.
const LATENCY_MAX_MS: u64 = 120_000;

/// Accepts until `stop` changes; then drops every connection.
pub(crate) async fn accept<F, C>(listener: TcpListener, desk: Arc<Desk>, mut stop: watch::Receiver<bool>, connection: F)
where
    F: Fn(TcpStream) -> C,
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX && desk.switches().down != Down::Refuse => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(stream));
                }
                Ok(_) => {}
                // Out of file descriptors, say: leave the others time to finish.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    connections.shutdown().await;
}

/// Serves one connection with a router, behind the switches and counters of `desk`.
pub(crate) async fn http(stream: TcpStream, desk: Arc<Desk>, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (desk, router) = (Arc::clone(&desk), router.clone());
        async move { answer(&desk, router, request).await }
    });
    // A broken connection is the other side's affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(desk: &Arc<Desk>, router: Router, request: Request<Incoming>) -> io::Result<Response> {
    let _in_work = desk.enter();
    let switches = desk.switches();
    if switches.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(switches.latency_ms.min(LATENCY_MAX_MS))).await;
    }
    match switches.down {
        Down::Refuse => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        Down::Unavailable => Ok(html(StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable")),
        Down::No => {
            let Ok(response): Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
            if response.extensions().get::<NoReply>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response)
        }
    }
}

/// Marks a response that never leaves: the connection is closed instead.
#[derive(Clone, Copy)]
struct NoReply;

/// In place of a response: the connection is closed without one.
pub(crate) fn no_reply() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(NoReply);
    response
}

/// The same response, of which half the body comes before the connection breaks.
pub(crate) async fn cut(response: Response, wait: Duration) -> Response {
    let (parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, CUT_MAX).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    let broken = async move {
        tokio::time::sleep(wait).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let pieces = futures_util::stream::iter([Ok(half)]).chain(futures_util::stream::once(broken));
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// A small HTML page with a heading and nothing else.
pub(crate) fn html(status: StatusCode, heading: &str) -> Response {
    let page =
        format!("<!DOCTYPE html><html><head><title>{heading}</title></head><body><h1>{heading}</h1></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}
