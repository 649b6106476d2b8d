//! Innermost layer: hyper over our own dialer. The only place where bytes leave and come in, and both are bounded.

use std::error::Error as StdError;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use connector_sdk::ask::Lane;
use connector_sdk::{Error, ErrorKind, Result, Retry};
use flate2::write::MultiGzDecoder;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use tokio::time::Instant;

use super::commit::{Arm, body};
use super::connect::{Dialer, Trust, dial_error, io_word, refusal_in};
use super::egress::Egress;
use super::limit::Place;
use super::mutual::Mutual;
use crate::failpoint;

/// How long writing down that a request may leave may take before it must not leave any more.
const ARMED_FRESH: Duration = Duration::from_secs(5);
/// Head of a reply, bytes.
const HEAD_MAX: usize = 64 * 1024;
/// Headers of a reply.
const HEADERS_MAX: usize = 100;
/// How long an unused connection is kept; shorter than servers keep theirs, so that few go stale.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// Unused connections kept for one host.
const POOL_MAX: usize = 8;
/// An inflated body may be this many times as long as what came in …
const INFLATE_RATIO_MAX: usize = 100;
/// … once it is longer than this, bytes.
const INFLATE_FREE: usize = 1 << 20;

/// Connections to one carrier: everybody's, or under mutual TLS one credential's.
pub(crate) struct Client {
    hyper: legacy::Client<Dialer, Full<Bytes>>,
    dialer: Dialer,
    mutual: Option<Arc<Mutual>>,
    body_max: usize,
}

impl Client {
    /// A pool of its own, under `mutual`'s certificate where there is one.
    pub(crate) fn new(egress: Arc<Egress>, trust: &Trust, mutual: Option<Mutual>, body_max: usize) -> Self {
        let mutual = mutual.map(Arc::new);
        let dialer = Dialer::new(egress, trust, mutual.clone());
        let hyper = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_MAX)
            .http1_max_buf_size(HEAD_MAX)
            .http1_max_headers(HEADERS_MAX)
            .build(dialer.clone());
        Self { hyper, dialer, mutual, body_max }
    }

    /// Whether the client certificate's time is over.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.mutual.as_ref().is_some_and(|mutual| mutual.has_ended(now))
    }

    /// The right to send to this address, see [`Mutual::turn`]; to be kept until there is a reply.
    ///
    /// # Errors
    /// Those of [`Mutual::turn`].
    pub(crate) async fn turn(&self, uri: &Uri, lane: Lane, until: Instant) -> Result<Option<Place>> {
        match &self.mutual {
            Some(mutual) => mutual.turn(uri, lane, until).await,
            None => Ok(None),
        }
    }

    /// What an exchange came to, also for the certificate it was made with.
    fn heard(&self, uri: &Uri, said: Result<Response<Bytes>>) -> Result<Response<Bytes>> {
        match &self.mutual {
            Some(mutual) => mutual.heard(uri, said),
            None => said,
        }
    }

    /// What an error says about the client certificate, or about there being none.
    fn refusal(&self, uri: &Uri, error: &(dyn StdError + 'static)) -> Option<Error> {
        // The handshake was over for us: what comes now is the server's word on what we showed in it, unless the address
        // has taken it before.
        refusal_in(error, self.mutual.as_ref().map(|mutual| !mutual.is_taken(uri)))
    }

    /// Sends one request as it is, once, and reads the whole reply, inflated, until `until` at the latest.
    ///
    /// # Errors
    /// [`ErrorKind::CarrierUnavailable`], [`ErrorKind::CarrierTimeout`], [`ErrorKind::CarrierUntrusted`],
    /// [`ErrorKind::EgressRefused`], [`ErrorKind::ProtocolBroken`]; [`ErrorKind::CredentialRejected`] when the carrier does
    /// not take the client certificate.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        until: Instant,
    ) -> std::result::Result<Response<Bytes>, Failed> {
        let uri = request.uri().clone();
        let work = async {
            let failed = |error| Failed { unanswered: false, error };
            let reply = match self.hyper.request(request.map(Full::new)).await {
                Ok(reply) => self.read(reply).await,
                Err(error) => match self.refusal(&uri, &error).or_else(|| dial_error(&error)) {
                    Some(error) => Err(error),
                    None => return Err(Failed { unanswered: unanswered(&error), error: send_error(&error) }),
                },
            };
            self.heard(&uri, reply).map_err(failed)
        };
        tokio::time::timeout_at(until, work).await.unwrap_or_else(|_| {
            let error = Error::new(ErrorKind::CarrierTimeout, "The carrier did not answer in time.");
            Err(Failed { unanswered: false, error })
        })
    }

    /// Sends one request over a connection of its own, made for it and never used again: connects, waits for `arm`, and
    /// only then lets the first byte go. Nothing is tried twice. When this is dropped, so is the connection, at once: no
    /// byte leaves after it.
    ///
    /// # Errors
    /// As [`Client::send`]; whatever `arm` says, before a byte has left.
    pub(crate) async fn send_armed(
        &self,
        request: Request<Bytes>,
        until: Instant,
        arm: Arm,
    ) -> Result<Response<Bytes>> {
        let uri = request.uri().clone();
        let not_begun = |error: hyper::Error| self.refusal(&uri, &error).unwrap_or_else(|| wire_error(&error));
        let work = async {
            let link = self.dialer.clone().dial(uri.clone()).await?;
            let (mut sender, connection) = http1::Builder::new()
                .max_buf_size(HEAD_MAX)
                .max_headers(HEADERS_MAX)
                .handshake(link)
                .await
                .map_err(not_begun)?;
            let exchange = async {
                sender.ready().await.map_err(not_begun)?;
                failpoint::hit("connected");
                let asked = Instant::now();
                arm().await?;
                // Whoever was stopped for longer than this may have been given up by then.
                if asked.elapsed() > ARMED_FRESH {
                    return Err(Error::new(
                        ErrorKind::Internal,
                        "The gateway stood still before it sent; nothing was sent.",
                    ));
                }
                failpoint::hit("armed");
                // Whatever ends the connection from here on, an alert about the certificate too, does not say that nothing of
                // this was read.
                let reply =
                    sender.send_request(to_server(request)?.map(body)).await.map_err(|error| wire_error(&error))?;
                failpoint::hit("sent");
                self.read(reply).await
            };
            // Both in this one future: a connection that ran in a task of its own could outlive us by a byte.
            let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
            tokio::select! {
                biased;
                reply = &mut exchange => return reply,
                _ended = &mut connection => {}
            }
            exchange.await
        };
        let said = tokio::time::timeout_at(until, work)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::CarrierTimeout, "The carrier did not answer in time.")));
        self.heard(&uri, said)
    }

    async fn read(&self, reply: Response<Incoming>) -> Result<Response<Bytes>> {
        let (mut head, mut body) = reply.into_parts();
        let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: u64| length > u64::try_from(self.body_max).unwrap_or(u64::MAX)) {
            return Err(too_large(self.body_max));
        }
        let mut sink = Sink::new(&head.headers, self.body_max)?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| body_error(&error))?;
            if let Ok(data) = frame.into_data() {
                sink.take(&data)?;
            }
        }
        let body = sink.finish()?;
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        Ok(Response::from_parts(head, body))
    }
}

/// The request as a server wants it: path and query alone in the first line, the host in a header.
fn to_server(mut request: Request<Bytes>) -> Result<Request<Bytes>> {
    let no_address =
        || Error::new(ErrorKind::ProtocolBroken, "This request cannot be put into HTTP.").retry(Retry::Never);
    let uri = request.uri();
    let usual = matches!((uri.scheme_str(), uri.port_u16()), (Some("https"), Some(443)) | (Some("http"), Some(80)));
    let host = if usual { uri.host() } else { uri.authority().map(http::uri::Authority::as_str) };
    let host = HeaderValue::from_str(host.ok_or_else(no_address)?).map_err(|_| no_address())?;
    let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);
    request.headers_mut().insert(header::HOST, host);
    Ok(request)
}

/// Why there is no reply.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The connection ended before a byte of a reply came: a request that only reads may be sent once more.
    pub(crate) unanswered: bool,
}

/// Takes a body in, within the limit before and after inflating.
enum Sink {
    Plain { body: BytesMut, max: usize },
    Gzip { decoder: Box<MultiGzDecoder<Capped>>, came: usize },
}

impl Sink {
    fn new(headers: &HeaderMap, max: usize) -> Result<Self> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
        match (encoding.as_deref(), encodings.next()) {
            (None | Some("" | "identity"), None) => Ok(Self::Plain { body: BytesMut::new(), max }),
            (Some("gzip" | "x-gzip"), None) => {
                let capped = Capped { body: Vec::new(), max };
                Ok(Self::Gzip { decoder: Box::new(MultiGzDecoder::new(capped)), came: 0 })
            }
            _ => Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The carrier's reply is encoded in a way that was not asked for.",
            )),
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<()> {
        match self {
            Self::Plain { body, max } => {
                if body.len().saturating_add(data.len()) > *max {
                    return Err(too_large(*max));
                }
                body.extend_from_slice(data);
            }
            Self::Gzip { decoder, came } => {
                *came = came.saturating_add(data.len());
                if *came > decoder.get_ref().max {
                    return Err(too_large(decoder.get_ref().max));
                }
                // In pieces, so that a bomb is seen before much of it has gone off.
                for piece in data.chunks(4_096) {
                    decoder.write_all(piece).map_err(|error| gzip_error(&error))?;
                    let inflated = decoder.get_ref().body.len();
                    if inflated > INFLATE_FREE && inflated / INFLATE_RATIO_MAX > *came {
                        return Err(too_large(decoder.get_ref().max));
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Bytes> {
        match self {
            Self::Plain { body, .. } => Ok(body.freeze()),
            // `Content-Encoding: gzip` on no bytes at all (a 204, a HEAD) is an empty body.
            Self::Gzip { came: 0, .. } => Ok(Bytes::new()),
            Self::Gzip { decoder, .. } => {
                decoder.finish().map(|capped| Bytes::from(capped.body)).map_err(|error| gzip_error(&error))
            }
        }
    }
}

/// A buffer that refuses to grow beyond its bound.
struct Capped {
    body: Vec<u8>,
    max: usize,
}

impl io::Write for Capped {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.body.len().saturating_add(data.len()) > self.max {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.body.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_large(max: usize) -> Error {
    Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is larger than the limit.").fact("limit_bytes", max)
}

fn gzip_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is larger than the limit.")
                .fact("why", "inflated")
        }
        _ => Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is not the gzip it says it is."),
    }
}

/// Whether an open connection ended without a byte of a reply: most often one that was kept too long.
fn unanswered(error: &legacy::Error) -> bool {
    !error.is_connect() && hyper_error(error).is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
}

fn send_error(error: &legacy::Error) -> Error {
    hyper_error(error).map_or_else(|| closed("closed"), wire_error)
}

fn body_error(error: &hyper::Error) -> Error {
    if error.is_parse() {
        return wire_error(error);
    }
    closed("body_cut")
}

fn wire_error(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        return Error::new(ErrorKind::ProtocolBroken, "The head of the carrier's reply is larger than the limit.")
            .fact("limit_bytes", HEAD_MAX);
    }
    if error.is_parse() {
        return Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is not HTTP.");
    }
    if error.is_user() {
        return Error::new(ErrorKind::ProtocolBroken, "This request cannot be put into HTTP.").retry(Retry::Never);
    }
    closed(if error.is_incomplete_message() { "ended_early" } else { io_source(error) })
}

fn closed(why: &'static str) -> Error {
    Error::new(ErrorKind::CarrierUnavailable, "The carrier closed the connection before its reply was complete.")
        .fact("why", why)
}

fn hyper_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a hyper::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn io_source(error: &hyper::Error) -> &'static str {
    error.source().and_then(|source| source.downcast_ref::<io::Error>()).map_or("closed", io_word)
}
