//! What a browser brings along: cookies, the address it comes from, and the proof that a request was made by our own
//! page. The gateway speaks plain HTTP behind a proxy that holds the certificate, so that what matters is what the
//! *browser* saw: the `Host`, and on loopback the absence of TLS.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::App;
use super::problem::Problem;
use crate::identity::Started;

/// Cookie of a session; the prefix binds it to this host, `Path=/` and TLS (RFC 6265bis, section 4.1.3.2).
const SESSION: &str = "__Host-portico";
/// The same on plain HTTP to this very machine, where browsers refuse the prefix.
const SESSION_HERE: &str = "portico";
/// Cookie of a browser that somebody has signed in from, and how long it is kept, seconds.
const DEVICE: &str = "__Host-portico-device";
const DEVICE_HERE: &str = "portico-device";
const DEVICE_SECS: u32 = 90 * 86_400;
/// Header with the session's token, on whatever changes something.
const CSRF: &str = "x-csrf-token";
/// Longest cookie header that is looked at, bytes.
const COOKIES_MAX: usize = 8 * 1024;

/// The address a connection comes from; the server puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A request's way in.
pub struct Door {
    /// What tries are counted by: the client's IPv4 address, or the first half of its IPv6 one.
    pub network: String,
    /// The session's cookie.
    pub session: Option<String>,
    /// The cookie of a browser that was used before.
    pub device: Option<String>,
    /// Whether the browser speaks plain HTTP to this very machine.
    here: bool,
    changes: bool,
    origin: Origin,
    csrf: Option<String>,
}

/// Where a request says that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A page of ours.
    Own,
    /// A page of somebody else.
    Foreign,
    /// It does not say: no browser, or a request that changes nothing.
    Unsaid,
}

impl FromRequestParts<App> for Door {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

impl Door {
    /// What this request brings along.
    pub fn of(parts: &Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let host = text(&parts.headers, header::HOST.as_str()).map(str::to_owned);
        let host = host.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
        let here = is_loopback(&host) && text(&parts.headers, "x-forwarded-proto") != Some("https");
        let cookie = |name| cookie(&parts.headers, name);
        Self {
            network: client(peer, &parts.headers, &app.proxies).map_or_else(|| "unknown".to_owned(), network),
            session: cookie(if here { SESSION_HERE } else { SESSION }),
            device: cookie(if here { DEVICE_HERE } else { DEVICE }),
            here,
            changes: !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS),
            origin: origin(&parts.headers, &host),
            csrf: text(&parts.headers, CSRF).map(str::to_owned),
        }
    }

    /// Refuses a page of somebody else. For requests that need no session: they must not sign anybody in unawares.
    pub fn not_foreign(&self) -> Result<(), Problem> {
        if self.origin == Origin::Foreign { Err(not_ours()) } else { Ok(()) }
    }

    /// Whether a page of ours sent it, by the browser's own word.
    pub fn is_own(&self) -> bool {
        self.origin == Origin::Own
    }

    /// Refuses what changes something with a session's cookie and was not sent by a page of ours that could read the
    /// session's token.
    pub fn own_page(&self, csrf_is: impl FnOnce(&str) -> bool) -> Result<(), Problem> {
        let proven = || self.is_own() && self.csrf.as_deref().is_some_and(csrf_is);
        if !self.changes || proven() { Ok(()) } else { Err(not_ours()) }
    }

    /// The cookies of a session that has begun, or gone a step further.
    pub fn cookies(&self, started: &Started) -> Vec<HeaderValue> {
        let mut cookies = vec![self.cookie(SESSION, SESSION_HERE, &started.cookie, None)];
        if let Some(device) = &started.device {
            cookies.push(self.cookie(DEVICE, DEVICE_HERE, device, Some(DEVICE_SECS)));
        }
        cookies.into_iter().flatten().collect()
    }

    /// Takes the session's cookie away.
    pub fn no_cookie(&self) -> Vec<HeaderValue> {
        self.cookie(SESSION, SESSION_HERE, "", Some(0)).into_iter().collect()
    }

    fn cookie(&self, name: &str, name_here: &str, value: &str, secs: Option<u32>) -> Option<HeaderValue> {
        let (name, secure) = if self.here { (name_here, "") } else { (name, "; Secure") };
        let age = secs.map(|secs| format!("; Max-Age={secs}")).unwrap_or_default();
        let mut value =
            HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn not_ours() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "Not from our own page",
        "What changes something needs the page's own origin and the header X-CSRF-Token from GET /v1/session.",
    )
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.filter(|line| line.len() <= COOKIES_MAX).flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name && !value.is_empty()).then(|| value.to_owned())
    })
}

fn origin(headers: &HeaderMap, host: &str) -> Origin {
    // Sent by browsers alone, and out of reach of pages: the word of the browser itself.
    let site = text(headers, "sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Origin::Foreign;
    }
    match (headers.get(header::ORIGIN), site) {
        (Some(origin), _) => {
            let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
            let own = !host.is_empty() && authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host));
            if own { Origin::Own } else { Origin::Foreign }
        }
        (None, Some("same-origin")) => Origin::Own,
        (None, _) => Origin::Unsaid,
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The client's address: the peer's, or what a proxy that we trust says, counted from the end: everything further to the
/// left may be the client's own invention.
fn client(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    if !proxies.contains(&peer) {
        return Some(peer);
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for said in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        match said.trim().parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if proxies.contains(&address) => {}
            Ok(address) => return Some(address),
            Err(_) => return Some(peer),
        }
    }
    Some(peer)
}

fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_our_own_page_is_our_own() {
        let said = |pairs: &[(&'static str, &'static str)]| origin(&headers(pairs), "portico.example:8443");
        assert_eq!(said(&[("origin", "https://portico.example:8443")]), Origin::Own);
        assert_eq!(said(&[("sec-fetch-site", "same-origin")]), Origin::Own);
        assert_eq!(said(&[]), Origin::Unsaid);
        for forged in [
            [("origin", "https://evil.example"), ("x", "y")],
            [("origin", "https://portico.example"), ("x", "y")],
            [("origin", "null"), ("x", "y")],
            [("origin", "https://portico.example:8443.evil.example"), ("x", "y")],
            [("origin", "https://portico.example:8443"), ("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site"), ("x", "y")],
        ] {
            assert_eq!(said(&forged), Origin::Foreign, "{forged:?}");
        }
        assert_eq!(origin(&headers(&[("origin", "https://")]), ""), Origin::Foreign);
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let (proxy, other) = (address("10.0.0.1"), address("198.51.100.7"));
        let said = headers(&[("x-forwarded-for", "203.0.113.9, 192.0.2.44"), ("x-forwarded-for", "10.0.0.1")]);
        assert_eq!(client(Some(other), &said, &[proxy]), Some(other));
        assert_eq!(client(Some(proxy), &said, &[proxy]), Some(address("192.0.2.44")));
        assert_eq!(client(Some(proxy), &headers(&[("x-forwarded-for", "no address")]), &[proxy]), Some(proxy));
        assert_eq!(client(None, &said, &[proxy]), None);
        assert_eq!(network(address("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64");
        assert_eq!(network(address("192.0.2.44")), "192.0.2.44");
    }

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let said = headers(&[("cookie", "a=1; not__Host-portico=2; __Host-portico=three"), ("cookie", "portico=4")]);
        assert_eq!(cookie(&said, SESSION).as_deref(), Some("three"));
        assert_eq!(cookie(&said, SESSION_HERE).as_deref(), Some("4"));
        assert_eq!(cookie(&said, DEVICE), None);
    }

    #[test]
    fn loopback_is_told_by_the_name_the_browser_used() {
        for name in ["localhost", "localhost:8700", "127.0.0.1:8700", "[::1]:8700", "127.9.9.9"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["", "portico.example", "localhost.evil.example", "192.0.2.1:80", "[2001:db8::1]:80"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
