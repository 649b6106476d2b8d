//! Follows a carrier's redirects, at most five, each hop through the whole wire again.
//!
//! 301, 302 and 303 go on as a GET without a body (a HEAD stays one), as browsers do. 307 and 308 repeat the body, so
//! they are followed to the same origin only: what was meant for one server is not handed to another.

use std::sync::Arc;

use bytes::Bytes;
use connector_sdk::context::FinalUri;
use connector_sdk::{Error, ErrorKind, Result};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};

use super::asking::Asking;
use super::egress;

/// Hops of one request.
const HOPS_MAX: u8 = 5;

/// The `Location` as it came, before it was scrubbed; inside the wire only.
#[derive(Clone)]
pub(super) struct RawLocation(pub(super) HeaderValue);

/// Marks a request whose address the carrier gave.
#[derive(Clone, Copy)]
pub(super) struct CarriersAddress;

/// Sends, and follows where it leads. The reply has the last address in its extensions.
pub(super) async fn follow(asking: &Arc<Asking>, request: Request<Bytes>) -> Result<Response<Bytes>> {
    let mut request = request;
    for _ in 0..=HOPS_MAX {
        let mut reply = super::pass(asking, &request).await?;
        let raw = reply.extensions_mut().remove::<RawLocation>();
        let Some(location) = raw.filter(|_| is_redirect(reply.status())) else {
            let shown = asking.shown_uri(&request);
            reply.extensions_mut().insert(FinalUri(shown));
            return Ok(reply);
        };
        request = next(request, reply.status(), &location.0)?;
    }
    Err(Error::new(ErrorKind::ProtocolBroken, "The carrier redirects in circles.").fact("hops", HOPS_MAX))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The request that a redirect asks for.
fn next(request: Request<Bytes>, status: StatusCode, location: &HeaderValue) -> Result<Request<Bytes>> {
    let (mut head, mut body) = request.into_parts();
    let uri = resolve(&head.uri, location).ok_or_else(|| {
        Error::new(ErrorKind::ProtocolBroken, "The carrier redirects to something that is no address.")
    })?;
    let same_origin = origin(&uri) == origin(&head.uri);
    if matches!(status.as_u16(), 307 | 308) {
        if !same_origin && !body.is_empty() {
            return Err(egress::refused("The carrier wants the same data sent to another host.", "redirect_with_body"));
        }
    } else {
        if head.method != Method::HEAD {
            head.method = Method::GET;
        }
        body = Bytes::new();
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
            head.headers.remove(name);
        }
    }
    if !same_origin {
        // What the connector put into headers was for the first host.
        for name in [header::AUTHORIZATION, header::ORIGIN, header::REFERER] {
            head.headers.remove(name);
        }
    }
    head.uri = uri;
    head.extensions.insert(CarriersAddress);
    Ok(Request::from_parts(head, body))
}

fn origin(uri: &Uri) -> (Option<&str>, Option<String>, u16) {
    (uri.scheme_str(), uri.host().map(str::to_ascii_lowercase), egress::port(uri))
}

/// RFC 3986 section 5.2 for what servers send: whole addresses, `//host/path`, `/path`, `path`, `?query`; dots removed.
fn resolve(base: &Uri, location: &HeaderValue) -> Option<Uri> {
    let text = std::str::from_utf8(location.as_bytes()).ok()?.trim();
    let text = text.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str()?;
    let authority = base.authority()?.as_str();
    let has_scheme =
        text.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphanumeric()));
    let whole = if has_scheme {
        text.to_owned()
    } else if text.starts_with("//") {
        format!("{scheme}:{text}")
    } else if text.starts_with('/') {
        format!("{scheme}://{authority}{}", without_dots(text))
    } else if text.starts_with('?') || text.is_empty() {
        format!("{scheme}://{authority}{}{text}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{}", without_dots(&format!("{folder}/{text}")))
    };
    // Blanks and letters beyond ASCII are common in what servers send, and not allowed in an address.
    let clean: String = whole
        .bytes()
        .map(|byte| if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    clean.parse().ok()
}

fn without_dots(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut kept: Vec<&str> = Vec::new();
    let last = path.rsplit('/').next().unwrap_or_default();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let slash = if matches!(last, "." | "..") { "/" } else { "" };
    let path = format!("/{}{slash}", kept.join("/"));
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, location: &str) -> String {
        let location = HeaderValue::from_bytes(location.as_bytes()).unwrap();
        resolve(&base.parse().unwrap(), &location).map(|uri| uri.to_string()).unwrap_or_default()
    }

    #[test]
    fn locations_as_servers_send_them() {
        let base = "https://p.example/a/b?c=1";
        for (location, want) in [
            ("https://q.example/x", "https://q.example/x"),
            ("//q.example/x", "https://q.example/x"),
            ("/x?y=1#z", "https://p.example/x?y=1"),
            ("x", "https://p.example/a/x"),
            ("../x", "https://p.example/x"),
            ("./", "https://p.example/a/"),
            ("?d=2", "https://p.example/a/b?d=2"),
            ("", "https://p.example/a/b"),
            ("/r?u=https://q.example/", "https://p.example/r?u=https://q.example/"),
            ("/a b", "https://p.example/a%20b"),
            ("/\u{e9}", "https://p.example/%C3%A9"),
        ] {
            assert_eq!(resolved(base, location), want, "{location}");
        }
    }

    fn post() -> Request<Bytes> {
        Request::post("https://p.example/a").header("content-type", "text/plain").body(Bytes::from("secret")).unwrap()
    }

    #[test]
    fn a_see_other_goes_on_as_a_get_without_a_body() {
        let next = next(post(), StatusCode::FOUND, &HeaderValue::from_static("/b")).unwrap();
        assert_eq!((next.method(), next.body().len()), (&Method::GET, 0));
        assert!(next.headers().get(header::CONTENT_TYPE).is_none());
    }

    #[test]
    fn a_body_is_repeated_to_the_same_origin_only() {
        let same = next(post(), StatusCode::TEMPORARY_REDIRECT, &HeaderValue::from_static("/b")).unwrap();
        assert_eq!((same.method(), same.body().len()), (&Method::POST, 6));
        for other in ["https://q.example/b", "https://p.example:8443/b", "http://p.example/b"] {
            let error = next(post(), StatusCode::PERMANENT_REDIRECT, &HeaderValue::from_static(other)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::EgressRefused, "{other}");
        }
    }
}
