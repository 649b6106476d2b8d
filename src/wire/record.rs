//! Keeps every exchange of an attempt, as evidence. It stands above the layer that swaps markers: what it sees of a
//! request has markers, and what it sees of a reply was scrubbed.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{Error, Result};
use http::{HeaderMap, Request, Response, Uri};
use jiff::Timestamp;
use tokio::time::Instant;

/// Most bytes kept of one attempt, bodies together. What is beyond is cut, and the exchange says so.
const KEPT_MAX: usize = 16 << 20;
/// Most exchanges kept of one attempt.
const EXCHANGES_MAX: usize = 200;

/// One request and what came of it. May hold patient data: seal it before it is stored.
#[derive(Clone)]
pub struct Exchange {
    /// When the request was made.
    pub at: Timestamp,
    /// GET, POST …
    pub method: String,
    /// Scheme, host and path; the query is in `request_head` only.
    pub url: String,
    /// The reply's status; `None` when none came.
    pub status: Option<u16>,
    /// Why none came.
    pub failure: Option<Error>,
    /// Request line and headers as the connector made them: markers, no cookies, no tokens.
    pub request_head: Bytes,
    /// Body with markers.
    pub request_body: Bytes,
    /// Status line and headers, scrubbed, without cookies. Empty when no reply came.
    pub response_head: Bytes,
    /// Inflated body, scrubbed.
    pub response_body: Bytes,
    /// Whether a body was cut because the attempt had grown too large.
    pub cut: bool,
    /// From the request to the whole reply, waiting for our own limits included.
    pub took: Duration,
}

impl fmt::Debug for Exchange {
    /// No bodies, no heads, no address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("status", &self.status)
            .field("failure", &self.failure)
            .field("request_bytes", &self.request_body.len())
            .field("response_bytes", &self.response_body.len())
            .field("took", &self.took)
            .finish_non_exhaustive()
    }
}

/// The exchanges of one attempt.
#[derive(Default)]
pub(crate) struct Recorder {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    exchanges: Vec<Exchange>,
    bytes: usize,
}

/// In a reply's extensions: the body to keep instead of the real one.
#[derive(Clone)]
pub(crate) struct KeptBody(pub(crate) Bytes);

/// An exchange that has begun.
pub(crate) struct Begun {
    at: Timestamp,
    since: Instant,
}

impl Recorder {
    /// Notes the time.
    pub(crate) fn begin(&self) -> Begun {
        Begun { at: Timestamp::now(), since: Instant::now() }
    }

    /// Keeps an exchange; `shown` is the request's address as it may be seen.
    pub(crate) fn keep(&self, begun: &Begun, shown: &Uri, request: &Request<Bytes>, reply: &Result<Response<Bytes>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.exchanges.len() >= EXCHANGES_MAX {
            return;
        }
        let mut cut = false;
        let mut room = |body: &Bytes| {
            let room = KEPT_MAX.saturating_sub(kept.bytes).min(body.len());
            cut |= room < body.len();
            kept.bytes += room;
            body.slice(..room)
        };
        let request_body = room(request.body());
        let body =
            reply.as_ref().map(|reply| reply.extensions().get::<KeptBody>().map_or(reply.body(), |kept| &kept.0));
        let response_body = body.map(room).unwrap_or_default();
        let target = shown.path_and_query().map_or("/", |target| target.as_str());
        let exchange = Exchange {
            at: begun.at,
            method: request.method().to_string(),
            url: without_query(shown),
            status: reply.as_ref().ok().map(|reply| reply.status().as_u16()),
            failure: reply.as_ref().err().cloned(),
            request_head: head(&format!("{} {target} HTTP/1.1", request.method()), request.headers()),
            request_body,
            response_head: reply
                .as_ref()
                .map(|reply| head(&format!("HTTP/1.1 {}", reply.status().as_u16()), reply.headers()))
                .unwrap_or_default(),
            response_body,
            cut,
            took: begun.since.elapsed(),
        };
        kept.exchanges.push(exchange);
    }

    /// Takes out what was kept.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner).exchanges)
    }
}

fn without_query(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}

fn head(first_line: &str, headers: &HeaderMap) -> Bytes {
    let mut text = Vec::from(first_line.as_bytes());
    text.extend_from_slice(b"\r\n");
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use connector_sdk::ErrorKind;

    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_debug_shows_no_body() {
        let recorder = Recorder::default();
        let request = Request::post("https://a.example/x?member=canary").body(Bytes::from("canary")).unwrap();
        let big = Bytes::from(vec![b'c'; KEPT_MAX]);
        for _ in 0..EXCHANGES_MAX + 5 {
            recorder.keep(&recorder.begin(), request.uri(), &request, &Ok(Response::new(big.clone())));
        }
        let kept = recorder.take();
        assert_eq!(kept.len(), EXCHANGES_MAX);
        assert!(kept[0].cut);
        assert!(kept.iter().map(|e| e.response_body.len() + e.request_body.len()).sum::<usize>() <= KEPT_MAX);
        assert_eq!(kept[0].url, "https://a.example/x");
        assert!(!format!("{:?}", kept[0]).contains("canary"));
    }

    #[test]
    fn a_request_without_a_reply_is_kept_with_the_reason() {
        let recorder = Recorder::default();
        let request = Request::get("https://a.example/").body(Bytes::new()).unwrap();
        recorder.keep(&recorder.begin(), request.uri(), &request, &Err(Error::new(ErrorKind::CarrierTimeout, "x")));
        let kept = recorder.take();
        assert_eq!(kept[0].status, None);
        assert_eq!(kept[0].failure.as_ref().unwrap().kind, ErrorKind::CarrierTimeout);
        assert!(kept[0].response_head.is_empty());
    }
}
