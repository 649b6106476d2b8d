//! The cookies of one signed-in session, as RFC 6265 has them, within bounds.

use http::{HeaderMap, HeaderValue, Uri, header};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

/// Most cookies of one session; the oldest makes room.
const COOKIES_MAX: usize = 100;
/// Longest name and value together, bytes; a longer one is not kept.
const COOKIE_BYTES_MAX: usize = 4_096;

/// Cookies of one session. Values are session keys and are treated as secrets: no `Debug`, wiped when dropped.
#[derive(Default)]
pub(crate) struct Jar {
    cookies: Vec<Cookie>,
}

struct Cookie {
    name: String,
    value: Zeroizing<String>,
    domain: String,
    /// Only for exactly this host, not for hosts below it.
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Timestamp>,
}

impl Jar {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Keeps what a reply from `uri` set.
    pub(crate) fn keep(&mut self, uri: &Uri, headers: &HeaderMap, now: Timestamp) {
        for header in headers.get_all(header::SET_COOKIE) {
            let Some(cookie) = header.to_str().ok().and_then(|text| Cookie::parse(text, uri, now)) else { continue };
            self.cookies.retain(|old| !old.same_place(&cookie));
            if cookie.expires.is_none_or(|expires| expires > now) {
                if self.cookies.len() >= COOKIES_MAX {
                    self.cookies.remove(0);
                }
                self.cookies.push(cookie);
            }
        }
    }

    /// The `Cookie` header for a request to `uri`; longer paths first (RFC 6265 section 5.4).
    pub(crate) fn header(&self, uri: &Uri, now: Timestamp) -> Option<HeaderValue> {
        let mut fitting: Vec<_> = self.cookies.iter().filter(|cookie| cookie.fits(uri, now)).collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = fitting.iter().map(|cookie| format!("{}={}", cookie.name, *cookie.value)).collect();
        if pairs.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.cookies.len()
    }
}

impl Cookie {
    fn parse(text: &str, uri: &Uri, now: Timestamp) -> Option<Self> {
        let host = uri.host()?.to_ascii_lowercase();
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: Zeroizing::new(value.to_owned()),
            domain: host.clone(),
            host_only: true,
            path: default_path(uri.path()),
            secure: false,
            expires: None,
        };
        let mut max_age = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "path" => cookie.path = default_path(uri.path()),
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => cookie.expires = expires(value),
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if domain.is_empty() || domain == host {
                        cookie.host_only = domain.is_empty();
                    } else if domain.contains('.') && below(&host, &domain) {
                        cookie.domain = domain;
                        cookie.host_only = false;
                    } else {
                        return None;
                    }
                }
                _ => {}
            }
        }
        if let Some(secs) = max_age {
            let secs = secs.clamp(-1, 400 * 86_400);
            cookie.expires = now.checked_add(SignedDuration::from_secs(secs)).ok();
        }
        Some(cookie)
    }

    fn same_place(&self, other: &Self) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }

    fn fits(&self, uri: &Uri, now: Timestamp) -> bool {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let host_fits = host == self.domain || (!self.host_only && below(&host, &self.domain));
        let rest = uri.path().strip_prefix(self.path.as_str());
        let path_fits = rest.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        let secure_fits = !self.secure || uri.scheme_str() == Some("https") || super::egress::is_loopback_name(&host);
        host_fits && path_fits && secure_fits && self.expires.is_none_or(|expires| expires > now)
    }
}

/// Whether `host` lies below `domain`. Never for an IP address.
fn below(host: &str, domain: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_err() && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// RFC 6265 section 5.1.4: the request's path up to its last slash.
fn default_path(path: &str) -> String {
    match path.rfind('/') {
        Some(end) if end > 0 => path.get(..end).unwrap_or("/").to_owned(),
        _ => "/".to_owned(),
    }
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`, also with dashes. What cannot be read counts as "until the session ends".
fn expires(text: &str) -> Option<Timestamp> {
    let text = text.replace('-', " ");
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn jar(uri: &str, lines: &[&str]) -> Jar {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::SET_COOKIE, line.parse().unwrap());
        }
        let mut jar = Jar::default();
        jar.keep(&uri.parse().unwrap(), &headers, now());
        jar
    }

    fn sent(jar: &Jar, uri: &str) -> String {
        jar.header(&uri.parse().unwrap(), now()).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn path_host_secure_and_order() {
        let jar = jar(
            "https://portal.acme.example/app/login",
            &["a=1", "b=2; Path=/", "c=3; Path=/other", "d=4; Domain=acme.example; Path=/; HttpOnly", "e=5; Secure"],
        );
        assert_eq!(sent(&jar, "https://portal.acme.example/app/x"), "a=1; e=5; b=2; d=4");
        assert_eq!(sent(&jar, "https://portal.acme.example/apple"), "b=2; d=4");
        assert_eq!(sent(&jar, "https://www.acme.example/"), "d=4");
        assert_eq!(sent(&jar, "http://portal.acme.example/app/x"), "a=1; b=2; d=4");
        assert_eq!(sent(&jar, "https://evilacme.example/app/x"), "");
    }

    #[test]
    fn foreign_domains_and_giants_are_not_kept() {
        let giant = format!("g={}", "x".repeat(5_000));
        let jar = jar(
            "https://portal.acme.example/",
            &["a=1; Domain=evil.example", "b=1; Domain=example", "no-equals", "=1", &giant],
        );
        assert_eq!(jar.len(), 0);
    }

    #[test]
    fn expiry_replaces_and_removes() {
        let jar = jar(
            "https://p.example/",
            &[
                "a=1",
                "a=2",
                "b=1; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                "c=1; Expires=Wed, 21-Oct-2015 07:28:00 GMT",
                "d=1",
                "d=; Max-Age=0",
                "e=1; Expires=soon",
            ],
        );
        assert_eq!(sent(&jar, "https://p.example/"), "a=2; b=1; e=1");
    }

    #[test]
    fn the_number_is_bounded() {
        let lines: Vec<_> = (0..500).map(|n| format!("c{n}=1")).collect();
        let jar = jar("https://p.example/", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(jar.len(), COOKIES_MAX);
        assert!(sent(&jar, "https://p.example/").contains("c499=1"));
    }
}
