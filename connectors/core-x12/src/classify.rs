//! What an HTTP reply without a CORE envelope in it means: by status, and by what a web page looks like.
//!
//! Called only when the body holds neither an envelope nor an interchange: a carrier that answers 500 with a SOAP
//! fault, or 200 with an error code, is understood by its envelope first.

use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{Error, ErrorKind, Retry};
use http::header::RETRY_AFTER;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;

/// How much of a page is looked at.
const LOOK_BYTES: usize = 64 * 1024;
/// Longest wait that a carrier may ask for; a longer one is cut to this.
const RETRY_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a carrier in maintenance is left alone when it does not say.
const CLOSED: Duration = Duration::from_secs(900);

/// The failure that a reply without an envelope stands for. `now` is needed for a `Retry-After` that is a date.
pub(crate) fn classify(reply: &Response<Bytes>, now: Timestamp) -> Error {
    let status = reply.status();
    let page = Page::look(reply.body());
    let after = retry_after(reply.headers(), now);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            error(ErrorKind::CredentialRejected, "The carrier did not accept the credential.", status)
        }
        StatusCode::LOCKED => {
            error(ErrorKind::CredentialRejected, "The carrier says that the account is locked.", status)
        }
        StatusCode::TOO_MANY_REQUESTS => {
            waited(error(ErrorKind::CarrierThrottled, "The carrier says that it is asked too often.", status), after)
        }
        StatusCode::SERVICE_UNAVAILABLE if page.maintenance => closed(status, after),
        StatusCode::SERVICE_UNAVAILABLE => {
            waited(error(ErrorKind::CarrierUnavailable, "The carrier says that it is out of order.", status), after)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            error(ErrorKind::CarrierTimeout, "The carrier says that it did not finish in time.", status)
        }
        _ if status.is_server_error() => {
            waited(error(ErrorKind::CarrierUnavailable, "The carrier's system failed on the request.", status), after)
        }
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => error(
            ErrorKind::ProtocolBroken,
            "There is no such service at the carrier's address: compare `endpoint` in the carrier file.",
            status,
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::NOT_ACCEPTABLE => error(
            ErrorKind::ProtocolBroken,
            "The carrier does not take this kind of body: compare `envelope` in the carrier file.",
            status,
        ),
        _ => by_page(&page, status, after),
    }
}

/// A success (or an unusual status) whose body is no envelope.
fn by_page(page: &Page, status: StatusCode, after: Option<Duration>) -> Error {
    if page.captcha {
        error(ErrorKind::NeedsPerson, "The carrier shows a page that only a person may answer.", status)
    } else if page.login {
        // No proof of a wrong password: nothing here signs in by a page, and stopping the credential for a page that one
        // broken server shows would stop every other question too. It is never retried either way.
        error(ErrorKind::ProtocolBroken, "The carrier answered with a sign-in page instead of an envelope.", status)
    } else if page.html && page.maintenance {
        closed(status, after)
    } else if page.html {
        error(ErrorKind::ProtocolBroken, "The carrier answered with a web page instead of an envelope.", status)
    } else if page.empty {
        error(ErrorKind::ProtocolBroken, "The carrier's reply is empty.", status)
    } else {
        error(ErrorKind::ProtocolBroken, "The carrier's reply holds neither an envelope nor an interchange.", status)
    }
}

fn error(kind: ErrorKind, message: &'static str, status: StatusCode) -> Error {
    Error::new(kind, message).fact("status", status)
}

fn waited(error: Error, after: Option<Duration>) -> Error {
    match after {
        Some(wait) => error.retry(Retry::After(wait)),
        None => error,
    }
}

fn closed(status: StatusCode, after: Option<Duration>) -> Error {
    error(ErrorKind::CarrierClosed, "The carrier says that it is in maintenance.", status)
        .retry(Retry::After(after.unwrap_or(CLOSED)))
}

/// `Retry-After`: seconds, or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(RETRY_MAX))
}

/// What a page looks like.
#[derive(Default)]
struct Page {
    empty: bool,
    html: bool,
    login: bool,
    captcha: bool,
    maintenance: bool,
}

impl Page {
    fn look(body: &[u8]) -> Self {
        let head: Vec<u8> = body.iter().take(LOOK_BYTES).map(u8::to_ascii_lowercase).collect();
        let text = String::from_utf8_lossy(&head);
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let html = is_html(body);
        Self {
            empty: head.iter().all(u8::is_ascii_whitespace),
            html,
            login: html && has(&["type=\"password\"", "type='password'", "type=password"]),
            captcha: html && has(&["captcha"]),
            maintenance: has(&["maintenance", "temporarily unavailable", "temporarily closed", "scheduled downtime"]),
        }
    }
}

/// Whether a body is a web page, whatever its header says.
pub(crate) fn is_html(body: &[u8]) -> bool {
    let head: Vec<u8> = body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii_start()
        .iter()
        .take(2048)
        .map(u8::to_ascii_lowercase)
        .collect();
    let begins = [&b"<!doctype html"[..], b"<html", b"<head", b"<body"].iter().any(|start| head.starts_with(start));
    // XHTML begins with an XML declaration, a document type or a comment; the root element tells.
    let xhtml = (head.starts_with(b"<?xml") || head.starts_with(b"<!"))
        && [&b"<html"[..], b"//dtd xhtml"].iter().any(|word| head.windows(word.len()).any(|window| window == *word));
    begins || xhtml
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        classify(&response, "2026-11-23T14:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_status_has_its_kind() {
        let cases = [
            (401, "", ErrorKind::CredentialRejected),
            (403, "<html>", ErrorKind::CredentialRejected),
            (404, "", ErrorKind::ProtocolBroken),
            (405, "", ErrorKind::ProtocolBroken),
            (408, "", ErrorKind::CarrierTimeout),
            (415, "", ErrorKind::ProtocolBroken),
            (423, "<html>locked", ErrorKind::CredentialRejected),
            (429, "", ErrorKind::CarrierThrottled),
            (500, "oops", ErrorKind::CarrierUnavailable),
            (502, "<html>", ErrorKind::CarrierUnavailable),
            (503, "", ErrorKind::CarrierUnavailable),
            (503, "Scheduled MAINTENANCE", ErrorKind::CarrierClosed),
            (504, "", ErrorKind::CarrierTimeout),
            (302, "", ErrorKind::ProtocolBroken),
            (200, "", ErrorKind::ProtocolBroken),
            (204, "", ErrorKind::ProtocolBroken),
            (200, "hello", ErrorKind::ProtocolBroken),
            (200, "<html><p>welcome", ErrorKind::ProtocolBroken),
            (200, "<!DOCTYPE html><input type='password'>", ErrorKind::ProtocolBroken),
            (200, "<html>We are down for maintenance", ErrorKind::CarrierClosed),
            (200, "<html><div class='g-recaptcha'>", ErrorKind::NeedsPerson),
        ];
        for (status, body, kind) in cases {
            assert_eq!(reply(status, &[], body).kind, kind, "{status} {body}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_bounded() {
        let wait = |status, text| reply(status, &[("retry-after", text)], "").retry;
        assert_eq!(wait(429, "7"), Retry::After(Duration::from_secs(7)));
        assert_eq!(wait(503, "Mon, 23 Nov 2026 14:02:00 GMT"), Retry::After(Duration::from_secs(120)));
        assert_eq!(wait(503, "Mon, 23 Nov 2020 14:02:00 GMT"), Retry::After(Duration::ZERO));
        assert_eq!(wait(503, "99999999999999"), Retry::After(RETRY_MAX));
        assert_eq!(wait(503, "soon"), Retry::Safe);
    }

    #[test]
    fn a_message_repeats_nothing_of_the_page() {
        let error = reply(200, &[], "<html><p>ZANZIBAR MEMBER W1</p>");
        assert!(!format!("{error} {error:?}").contains("ZANZIBAR"));
    }
}
