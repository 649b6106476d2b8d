//! A tool for tests and for authors of connectors: writes every exchange of a wire into a folder, or answers from one
//! instead of the network. A gateway that serves never has one.
//!
//! A folder holds `1.request.http`, `1.response.http`, `2.request.http` …, readable in a diff: first line, headers, an
//! empty line, body. What is written is what the record layer sees: markers (with one fixed word, so that two recordings
//! differ only where the carrier does), no cookies, no tokens. **It does hold what was asked: record synthetic people
//! only.**

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use connector_sdk::{Error, ErrorKind, Result};
use http::{HeaderName, HeaderValue, Request, Response, Uri};

use super::markers;
use super::record::KeptBody;

/// Stands for the random word of an attempt's markers.
const WORD: &str = "0000feed";
/// Largest file that is read, bytes.
const FILE_MAX: u64 = 64 << 20;

/// A folder of exchanges, being written or being played.
pub struct Cassette {
    folder: PathBuf,
    plays: bool,
    place: AtomicUsize,
}

impl Cassette {
    /// Writes exchanges into a folder, which is made where it is missing. What is in it is written over.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn write(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), plays: false, place: AtomicUsize::new(0) })
    }

    /// Answers from a folder, in order. Nothing is ever sent: a request that the folder does not hold at that place
    /// (by method, host and path) fails.
    pub fn play(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), plays: true, place: AtomicUsize::new(0) }
    }

    pub(super) fn plays(&self) -> bool {
        self.plays
    }

    /// Writes one exchange; `prefix` is how this attempt's markers begin.
    pub(super) fn keep(&self, prefix: &str, shown: &Uri, request: &Request<Bytes>, reply: &Response<Bytes>) {
        if self.plays {
            return;
        }
        let place = self.place.fetch_add(1, Ordering::SeqCst) + 1;
        let body = reply.extensions().get::<KeptBody>().map_or(reply.body(), |kept| &kept.0);
        let asked = file(&format!("{} {shown}", request.method()), request.headers(), request.body());
        let answered = file(&format!("HTTP/1.1 {}", reply.status().as_u16()), reply.headers(), body);
        for (name, content) in [("request", asked), ("response", answered)] {
            let content = replace(&content, prefix.as_bytes(), markers::prefix(WORD).as_bytes());
            if fs::write(self.folder.join(format!("{place}.{name}.http")), content).is_err() {
                tracing::error!(place, "An exchange could not be written into the cassette.");
            }
        }
    }

    /// The reply at the next place.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when there is none, or it belongs to another request.
    pub(super) fn next(&self, prefix: &str, request: &Request<Bytes>) -> Result<Response<Bytes>> {
        let place = self.place.fetch_add(1, Ordering::SeqCst) + 1;
        let wrong = |message| Error::new(ErrorKind::Internal, message).fact("place", place);
        let read = |name| self.read(place, name).ok_or_else(|| wrong("The cassette holds no more exchanges."));
        let (asked, answered) = (read("request")?, read("response")?);
        let first = asked.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
        let (method, address) = first.and_then(|line| line.trim().split_once(' ')).unwrap_or_default();
        let same = address
            .parse::<Uri>()
            .is_ok_and(|uri| uri.authority() == request.uri().authority() && uri.path() == request.uri().path());
        if method != request.method().as_str() || !same {
            return Err(wrong("The cassette holds another request at this place."));
        }
        let answered = replace(&answered, markers::prefix(WORD).as_bytes(), prefix.as_bytes());
        response(&answered).ok_or_else(|| wrong("The cassette's reply cannot be read."))
    }

    fn read(&self, place: usize, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(format!("{place}.{name}.http"));
        (fs::metadata(&path).ok()?.len() <= FILE_MAX).then(|| fs::read(&path).ok()).flatten()
    }
}

fn file(first_line: &str, headers: &http::HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{first_line}\n").into_bytes();
    for (name, value) in headers.iter().filter(|(name, _)| *name != http::header::CONTENT_LENGTH) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            text.extend_from_slice(part);
        }
    }
    text.push(b'\n');
    text.extend_from_slice(body);
    text
}

/// Reads a reply: lines may end in LF or CRLF.
fn response(text: &[u8]) -> Option<Response<Bytes>> {
    let mut rest = text;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    };
    let status = std::str::from_utf8(line()?).ok()?.split(' ').nth(1)?.parse::<u16>().ok()?;
    let mut reply = Response::builder().status(status).body(Bytes::new()).ok()?;
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(header.get(..colon)?).ok()?;
        let value = HeaderValue::from_bytes(header.get(colon + 1..)?.trim_ascii()).ok()?;
        reply.headers_mut().append(name, value);
    }
    *reply.body_mut() = Bytes::copy_from_slice(rest);
    Some(reply)
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut kept = 0;
    while let Some(at) = markers::find(bytes, from, kept) {
        out.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
        out.extend_from_slice(to);
        kept = at + from.len();
    }
    out.extend_from_slice(bytes.get(kept..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use super::super::testing::{Act, Scheme, Server, TestVault, ask, get, page, post, reply, test_carrier, text};
    use super::super::{Cassette, Wire};
    use super::*;

    fn wire(scheme: Scheme, host: String, cassette: Cassette) -> Wire {
        let carrier = Arc::new(test_carrier(scheme, std::slice::from_ref(&host)));
        Wire::with_cassette(carrier, Arc::new(TestVault::new(&[host])), cassette).unwrap()
    }

    #[tokio::test]
    async fn what_was_written_is_played_without_a_network() {
        let server = Server::start(|seen| match seen.line.split(' ').take(2).collect::<Vec<_>>().join(" ").as_str() {
            "POST /token" => page(r#"{"access_token":"canary-token"}"#),
            "POST /ask" => Act::Send(reply(302, "location: /answer\r\n", "")),
            _ => page(&format!("answer for {}", seen.head.contains("canary-token"))),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let scheme = Scheme::Token { url: server.url("/token"), basic: false };
        let recorded = wire(scheme.clone(), server.host(), Cassette::write(folder.path()).unwrap());
        let first = ask(&recorded, post(&server.url("/ask"), "member=1")).await.unwrap();
        let contacts = server.seen().len();

        for file in fs::read_dir(folder.path()).unwrap() {
            let content = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!content.contains("canary"), "{content}");
        }
        let token = fs::read_to_string(folder.path().join("1.request.http")).unwrap();
        assert!(token.contains("client_secret=pk-0000feed-"), "{token}");

        let played = wire(scheme, server.host(), Cassette::play(folder.path()));
        let again = ask(&played, post(&server.url("/ask"), "member=1")).await.unwrap();
        assert_eq!((text(&again), text(&first)), ("answer for true".into(), "answer for true".into()));
        assert_eq!(server.seen().len(), contacts);
        // Nothing is sent for what the folder does not hold.
        let error = ask(&played, get(&server.url("/other"))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert_eq!(server.seen().len(), contacts);
        assert!(server.connections.load(Ordering::SeqCst) >= 1);
    }

    #[test]
    fn replies_that_cannot_be_read() {
        for text in ["", "HTTP/1.1", "HTTP/1.1 abc\n\n", "HTTP/1.1 200\nno colon\n\n", "HTTP/1.1 200\n"] {
            assert!(response(text.as_bytes()).is_none(), "{text:?}");
        }
        let reply = response(b"HTTP/1.1 204 No\r\nA: b\r\n\r\nbody\r\n").unwrap();
        assert_eq!((reply.status().as_u16(), reply.headers()["a"].to_str().unwrap()), (204, "b"));
        assert_eq!(reply.body().as_ref(), b"body\r\n");
    }
}
