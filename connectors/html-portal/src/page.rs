//! One page as it came: decoded, and judged before anything is read from it.

use std::time::Duration;

use bytes::Bytes;
use connector_sdk::context::FinalUri;
use connector_sdk::{Error, ErrorKind, Result, Retry};
use http::{Response, Uri, header};

use crate::document::{Document, fold, text_of};
use crate::settings::{Clue, PageKind, PortalSettings};

/// A page.
pub struct Page {
    /// Where it came from, after redirects.
    pub address: String,
    /// Its HTTP status.
    pub status: u16,
    /// Its text.
    pub text: String,
    /// When to come back, as the reply says (`Retry-After` in seconds; at most an hour is believed).
    retry_after: Option<Duration>,
}

impl Page {
    /// Takes a reply for a page.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when it is too large, or no HTML.
    pub fn new(reply: &Response<Bytes>, asked: &Uri, bytes_max: usize) -> Result<Self> {
        let body = reply.body();
        if body.len() > bytes_max {
            return Err(Error::new(ErrorKind::ProtocolBroken, "A page is larger than limits.page_max_bytes allows.")
                .fact("bytes", body.len()));
        }
        let kind = reply.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("text/html");
        let kind = kind.to_ascii_lowercase();
        let is_page = kind.starts_with("text/") || kind.starts_with("application/xhtml");
        // An error reply may well be JSON or nothing at all: its status speaks.
        if !is_page && reply.status().is_success() {
            return Err(Error::new(ErrorKind::ProtocolBroken, "The portal sent something else than a page."));
        }
        let address = reply.extensions().get::<FinalUri>().map_or_else(|| asked.to_string(), |last| last.0.to_string());
        let text = if is_page { decode(body, &kind) } else { String::new() };
        let wait = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| text.trim().parse::<u64>().ok());
        let retry_after = wait.map(|secs| Duration::from_secs(secs.clamp(1, 3600)));
        Ok(Self { address, status: reply.status().as_u16(), text, retry_after })
    }

    /// Parses it.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn open(&self) -> Result<Document> {
        Document::parse(&self.text)
    }

    /// Whether it shows one of these clues.
    pub fn shows(&self, page: &Document, clues: &[Clue]) -> bool {
        let mut words = None;
        clues.iter().any(|clue| self.shows_one(page, clue, &mut words))
    }

    fn shows_one(&self, page: &Document, clue: &Clue, words: &mut Option<String>) -> bool {
        if clue.status.is_some_and(|status| status != self.status) {
            return false;
        }
        if let Some(part) = &clue.address
            && !path_of(&self.address).contains(part.as_str())
        {
            return false;
        }
        match (&clue.css, &clue.text) {
            (Some(css), Some(text)) => {
                let text = fold(text);
                page.select(css).any(|element| fold(&text_of(element)).contains(&text))
            }
            (Some(css), None) => page.first(css).is_some(),
            (None, Some(text)) => words.get_or_insert_with(|| page.folded_text()).contains(&fold(text)),
            (None, None) => clue.status.is_some() || clue.address.is_some(),
        }
    }

    /// Adds the status, and when to come back, where the kind of error lets one come back later at all.
    fn later(&self, error: Error) -> Error {
        let error = error.fact("status", u32::from(self.status));
        match self.retry_after {
            Some(wait) if error.retry != Retry::Never => error.retry(Retry::After(wait)),
            _ => error,
        }
    }

    /// Stops at pages that no question may go past: those the file lists, error replies, pages cut off.
    ///
    /// # Errors
    /// The kind that says who must act.
    pub fn judge(&self, page: &Document, settings: &PortalSettings) -> Result<()> {
        if let Some(rule) = settings.pages.iter().find(|rule| self.shows(page, &rule.when)) {
            return Err(self.later(stop(rule.kind)));
        }
        let broken = |kind, message| Err(self.later(Error::new(kind, message)));
        match self.status {
            200..=299 => {}
            429 => return broken(ErrorKind::CarrierThrottled, "The portal says that it was asked too much."),
            500.. => return broken(ErrorKind::CarrierUnavailable, "The portal answered with a server error."),
            _ => {
                return broken(
                    ErrorKind::ProtocolBroken,
                    "The portal answered a page with a status the carrier file does not describe.",
                );
            }
        }
        if !settings.limits.unfinished_pages && !ends(&self.text) {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "A page was cut off before its end (no </html>); nothing was read from it.",
            ));
        }
        Ok(())
    }
}

fn stop(kind: PageKind) -> Error {
    match kind {
        PageKind::Captcha => Error::new(
            ErrorKind::NeedsPerson,
            "The portal wants to see that a person is there (captcha). Sign in at the portal once by hand.",
        ),
        PageKind::Terms => Error::new(
            ErrorKind::NeedsPerson,
            "The portal asks to accept terms of use. A person must read and answer them at the portal.",
        ),
        PageKind::PasswordChange => Error::new(
            ErrorKind::NeedsPerson,
            "The portal wants a new password. Change it at the portal, then store the new one here.",
        ),
        PageKind::Person => {
            Error::new(ErrorKind::NeedsPerson, "The portal shows a page that only a person may answer.")
        }
        PageKind::Maintenance => Error::new(ErrorKind::CarrierClosed, "The portal is closed for maintenance."),
        PageKind::TooMany => Error::new(ErrorKind::CarrierThrottled, "The portal says that it was asked too much."),
        PageKind::Error => {
            Error::new(ErrorKind::CarrierUnavailable, "The portal shows its error page.").retry(Retry::Safe)
        }
    }
}

/// The path of an address, without its query.
fn path_of(address: &str) -> &str {
    let after = address.split_once("://").map_or(address, |(_, after)| after);
    let path = after.find('/').and_then(|at| after.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Whether `</html` stands near the end; scripts of page counters may follow it.
fn ends(text: &str) -> bool {
    let bytes = text.as_bytes();
    let tail = bytes.get(bytes.len().saturating_sub(8192)..).unwrap_or(bytes);
    tail.windows(6).any(|window| window.eq_ignore_ascii_case(b"</html"))
}

/// Bytes to text: UTF-8 unless the reply or the page says Windows-1252 or Latin-1 (which the web reads as the former).
fn decode(body: &[u8], kind: &str) -> String {
    let head = String::from_utf8_lossy(body.get(..1024).unwrap_or(body)).to_ascii_lowercase();
    let named = |text: &str| {
        let after = text.split("charset=").nth(1)?;
        let word: String = after
            .trim_start_matches(['"', '\''])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
            .collect();
        Some(word)
    };
    let charset = named(kind).or_else(|| named(&head)).unwrap_or_default();
    if matches!(charset.as_str(), "iso-8859-1" | "latin1" | "windows-1252" | "cp1252" | "us-ascii" | "ascii") {
        return body.iter().map(|byte| windows_1252(*byte)).collect();
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body).into_owned()
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: &str, body: &'static [u8]) -> Result<Page> {
        let reply = Response::builder().header("content-type", kind).body(Bytes::from_static(body)).unwrap();
        Page::new(&reply, &"https://p.example/a/login?x=1".parse().unwrap(), 100)
    }

    #[test]
    fn charsets() {
        assert_eq!(page("text/html; charset=ISO-8859-1", b"caf\xe9 \x80").unwrap().text, "café €");
        assert_eq!(
            page("text/html", b"<meta charset='windows-1252'>\x93x\x94").unwrap().text.split('>').nth(1),
            Some("“x”")
        );
        assert_eq!(page("text/html", "café".as_bytes()).unwrap().text, "café");
        assert_eq!(page("text/html", b"\xff").unwrap().text, "\u{fffd}");
    }

    #[test]
    fn what_is_no_page_is_refused() {
        assert_eq!(page("application/pdf", b"%PDF").err().unwrap().kind, ErrorKind::ProtocolBroken);
        assert_eq!(page("text/html", &[b'x'; 101]).err().unwrap().kind, ErrorKind::ProtocolBroken);
    }

    #[test]
    fn clues_hold_as_a_whole() {
        let page = page("text/html", b"<h1>Scheduled  Maintenance</h1><p>sign in</p>").unwrap();
        let doc = page.open().unwrap();
        let clue = |toml: &str| toml::from_str::<Clue>(toml).unwrap();
        for (toml, want) in [
            ("css = 'h1'", true),
            ("css = 'h1'\ntext = 'scheduled maintenance'", true),
            ("css = 'h1'\ntext = 'sign in'", false),
            ("text = 'Sign In'", true),
            ("address = '/login'", true),
            ("address = 'x=1'", false),
            ("status = 200", true),
            ("status = 503\ncss = 'h1'", false),
        ] {
            assert_eq!(page.shows(&doc, &[clue(toml)]), want, "{toml}");
        }
    }
}
