//! Asks, and asks again until the answer is there; tells an answer from an error, whatever the HTTP status says.

use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{Context, Error, ErrorKind, Refusal, Result, Retry};
use http::{Method, Request, Response, StatusCode, Uri, header};
use serde_json::Value;

use crate::hub::Hub;
use crate::refusal;
use crate::value;

/// Largest reply read as JSON; the host's own cap is usually lower.
const REPLY_MOST: usize = 16 * 1024 * 1024;
/// Longest waits a carrier may ask for: between two polls, and after 429 or 503.
const POLL_WAIT_MOST: Duration = Duration::from_secs(60);
const RETRY_WAIT_MOST: Duration = Duration::from_secs(3600);

/// What the carrier gave in the end.
pub enum Reply {
    /// An answer, and which reply of the exchange it was, from 1.
    Answer(Value, u32),
    /// It said no.
    Refused(Refusal),
}

/// Sends the question and polls until there is an answer, a refusal or an error.
///
/// # Errors
/// Whatever the wire says, and what a status, an error code or an unreadable body means.
pub async fn run(hub: &Hub, ctx: &Context, question: Request<Bytes>) -> Result<Reply> {
    let mut reply = ctx.send(question).await?;
    let mut number: u32 = 1;
    let mut wait = hub.poll.interval;
    let mut ask_again: Option<Uri> = None;
    for _ in 0..=hub.poll.polls_max {
        let body = parse(&reply);
        if !not_ready(hub, &reply, body.as_ref().ok()) {
            return settle(hub, &reply, body, number);
        }
        if let Some(body) = body.as_ref().ok()
            && let Some(said) = refusal::errors(hub, reply.status(), body)
        {
            return said.map(Reply::Refused);
        }
        if let Some(address) = next_address(hub, &reply, body.as_ref().ok())? {
            ask_again = Some(address);
        }
        let Some(address) = ask_again.clone() else {
            return Err(
                broken("The carrier said that the answer comes later, but not where.").fact("status", reply.status())
            );
        };
        ctx.pause(retry_after(&reply).map_or(wait, |told| told.min(POLL_WAIT_MOST))).await?;
        wait = (wait + wait / 2).min(hub.poll.interval_max);
        reply = ctx.send(hub.poll_request(ctx, address)?).await?;
        number = number.saturating_add(1);
    }
    Err(Error::new(ErrorKind::CarrierTimeout, "The carrier kept saying that the answer is not ready yet.")
        .fact("polls", hub.poll.polls_max))
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, message)
}

fn not_ready(hub: &Hub, reply: &Response<Bytes>, body: Option<&Value>) -> bool {
    let status = reply.status();
    if hub.poll.statuses.contains(&status.as_u16()) {
        return true;
    }
    let (Some(path), Some(body), true) = (&hub.poll.state, body, status.is_success()) else { return false };
    path.first(body, "")
        .and_then(|found| value::text(&found.value))
        .is_some_and(|state| hub.poll.not_ready.iter().any(|word| word.eq_ignore_ascii_case(&state)))
}

/// Where to ask again: a link or a number in the body, else the `Location` header. `None`: not said this time.
fn next_address(hub: &Hub, reply: &Response<Bytes>, body: Option<&Value>) -> Result<Option<Uri>> {
    let in_body = |path: &Option<crate::path::Path>| {
        path.as_ref().and_then(|path| path.first(body?, "")).and_then(|found| value::text(&found.value))
    };
    if let (Some(url), Some(id)) = (&hub.poll.url, in_body(&hub.poll.id)) {
        let safe = id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_~".contains(&b) || b == b'.');
        if !safe || id.starts_with('.') {
            return Err(broken("The carrier's number for the question does not fit into an address."));
        }
        return hub.resolve(&url.replace("{id}", &id)).map(Some);
    }
    let link = in_body(&hub.poll.link)
        .or_else(|| reply.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned));
    link.map(|link| hub.resolve(&link)).transpose()
}

/// The GET that asks whether the answer is there.
impl Hub {
    fn poll_request(&self, ctx: &Context, address: Uri) -> Result<Request<Bytes>> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = address;
        self.put_headers(ctx, request.headers_mut());
        Ok(request)
    }

    /// A link made whole; only to the carrier's listed hosts, and never with anything but `https` (or loopback).
    fn resolve(&self, link: &str) -> Result<Uri> {
        let refused =
            || Error::new(ErrorKind::EgressRefused, "The carrier points to a host that its file does not list.");
        let unreadable = || broken("The carrier's address for the answer cannot be read.");
        let text = if let Some(rest) = link.strip_prefix("//") {
            format!("{}://{rest}", self.url.scheme_str().unwrap_or("https"))
        } else if link.starts_with('/') {
            let authority = self.url.authority().ok_or_else(unreadable)?;
            format!("{}://{authority}{link}", self.url.scheme_str().unwrap_or("https"))
        } else if link.contains("://") {
            link.to_owned()
        } else {
            let authority = self.url.authority().ok_or_else(unreadable)?;
            let folder = self.url.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{}://{authority}{folder}/{link}", self.url.scheme_str().unwrap_or("https"))
        };
        // Also refuses plain http and hosts that are not listed.
        if text.parse::<Uri>().is_err() {
            return Err(unreadable());
        }
        self.addresses.address("location", &text).map_err(|_| refused())
    }
}

/// The end of the exchange: an error, a refusal, or an answer.
fn settle(hub: &Hub, reply: &Response<Bytes>, body: std::result::Result<Value, Error>, number: u32) -> Result<Reply> {
    let status = reply.status();
    if let Ok(body) = &body
        && let Some(said) = refusal::errors(hub, status, body)
    {
        return said.map_err(|error| with_wait(error, reply)).map(Reply::Refused);
    }
    if let Some(meaning) = hub.statuses.get(&status.as_u16()) {
        match refusal::meant(*meaning, "The carrier refused the question by its HTTP status.") {
            Some(Ok(reason)) => return Ok(Reply::Refused(refusal::by_status(reason, status))),
            Some(Err(error)) => return Err(with_wait(error.fact("status", status), reply)),
            None => {}
        }
    } else if !status.is_success() {
        return usual(status, reply).map(Reply::Refused);
    }
    let body = body?;
    if body.is_object() || body.is_array() {
        Ok(Reply::Answer(body, number))
    } else {
        Err(broken("The reply is JSON, but neither an object nor a list."))
    }
}

/// What an HTTP status means where the carrier file says nothing else.
fn usual(status: StatusCode, reply: &Response<Bytes>) -> Result<Refusal> {
    use connector_sdk::RefusalReason as R;
    let (kind, message) = match status.as_u16() {
        409 => return Ok(refusal::by_status(R::Duplicate, status)),
        422 => return Ok(refusal::by_status(R::NeedsMoreInformation, status)),
        401 => (ErrorKind::CredentialRejected, "The carrier does not accept the credential."),
        403 => (ErrorKind::CredentialRejected, "The carrier does not let this credential ask."),
        404 | 405 | 410 => {
            (ErrorKind::ProtocolBroken, "The address in the carrier file does not answer such questions.")
        }
        408 | 504 => (ErrorKind::CarrierTimeout, "The carrier's own systems did not answer in time."),
        429 => (ErrorKind::CarrierThrottled, "The carrier said that we ask too much."),
        500..=599 => (ErrorKind::CarrierUnavailable, "The carrier's system said that it is out of order."),
        300..=399 => (ErrorKind::ProtocolBroken, "The carrier sent us elsewhere in a way that cannot be followed."),
        _ => (
            ErrorKind::ProtocolBroken,
            "The carrier could not read the question; compare request.body with its manual.",
        ),
    };
    Err(with_wait(Error::new(kind, message).fact("status", status), reply))
}

/// Obeys a `Retry-After` beside a failure that may be tried again.
fn with_wait(error: Error, reply: &Response<Bytes>) -> Error {
    match (error.retry, retry_after(reply)) {
        (Retry::Safe | Retry::After(_), Some(told)) => error.retry(Retry::After(told.min(RETRY_WAIT_MOST))),
        _ => error,
    }
}

/// `Retry-After` in seconds; the form with a date is not read, since the carrier's clock is not ours.
fn retry_after(reply: &Response<Bytes>) -> Option<Duration> {
    let text = reply.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The body as JSON. serde_json bounds the depth (128).
fn parse(reply: &Response<Bytes>) -> std::result::Result<Value, Error> {
    let body = reply.body();
    if body.len() > REPLY_MOST {
        return Err(broken("The reply is larger than any answer.").fact("bytes", body.len()));
    }
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => return Err(broken("The reply is empty.").fact("status", reply.status())),
        Some(b'<') => {
            return Err(broken("The carrier answered with a web page instead of data.").fact("status", reply.status()));
        }
        Some(_) => {}
    }
    serde_json::from_slice(text).map_err(|error| {
        let line = error.line();
        if error.is_eof() {
            Error::new(ErrorKind::CarrierUnavailable, "The reply breaks off.").fact("bytes", body.len())
        } else {
            broken("The reply is not JSON.").fact("line", line).fact("status", reply.status())
        }
    })
}
