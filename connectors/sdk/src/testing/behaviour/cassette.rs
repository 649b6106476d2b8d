//! Cassettes: recorded exchanges as files that can be read in a diff.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde_json::Value;

use crate::EligibilityRequest;

/// One recorded exchange of a whole question.
pub(super) struct Cassette {
    pub(super) name: String,
    folder: PathBuf,
    pub(super) carrier_file: Option<String>,
    pub(super) ask: EligibilityRequest,
    pub(super) want: Value,
    /// What must be sent; `None` where no file says it yet.
    pub(super) requests: Vec<Option<Recorded>>,
    pub(super) responses: Vec<Response<Bytes>>,
}

/// A recorded request.
pub(super) struct Recorded {
    method: String,
    address: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// All cassettes of a folder, by name.
pub(super) fn load_all(folder: &Path) -> Result<Vec<Cassette>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.into_iter().map(Cassette::load).collect()
}

impl Cassette {
    fn load(folder: PathBuf) -> Result<Self, String> {
        let text = |name: &str| read(&folder.join(name));
        let json = |name: &str| -> Result<Value, String> {
            serde_json::from_slice(&text(name)?).map_err(|error| format!("{}/{name}: {error}", folder.display()))
        };
        let ask = serde_json::from_value(json("ask.json")?)
            .map_err(|error| format!("{}/ask.json: {error}", folder.display()))?;
        let carrier_file = fs::read_to_string(folder.join("settings.toml")).ok();
        let (mut requests, mut responses) = (Vec::new(), Vec::new());
        for number in 1.. {
            let path = folder.join(format!("{number}.response.http"));
            if !path.exists() {
                break;
            }
            responses.push(response(&read(&path)?).ok_or_else(|| format!("{} is no HTTP response", path.display()))?);
            let path = folder.join(format!("{number}.request.http"));
            requests.push(match fs::read(&path) {
                Ok(bytes) => {
                    Some(Recorded::read(&bytes).ok_or_else(|| format!("{} is no HTTP request", path.display()))?)
                }
                Err(_) => None,
            });
        }
        if responses.is_empty() {
            return Err(format!("{} has no 1.response.http", folder.display()));
        }
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, carrier_file, ask, want: json("want.json")?, requests, responses, folder })
    }

    /// A cassette that is not on disk.
    #[cfg(test)]
    pub(super) fn of(name: &str, ask: EligibilityRequest, want: Value, responses: Vec<Response<Bytes>>) -> Self {
        let (folder, carrier_file) = (PathBuf::new(), None);
        Self { name: name.to_owned(), folder, carrier_file, ask, want, requests: vec![None], responses }
    }

    /// Whether it shows a scenario: `active`, `active-dental`.
    pub(super) fn is_of(&self, scenario: &str) -> bool {
        self.name == scenario || self.name.strip_prefix(scenario).is_some_and(|rest| rest.starts_with(['-', '_']))
    }

    /// Writes the request files from what was sent.
    pub(super) fn write_requests(&self, sent: &[Request<Bytes>]) -> Result<(), String> {
        for (place, request) in sent.iter().enumerate() {
            let path = self.folder.join(format!("{}.request.http", place + 1));
            fs::write(&path, written(request)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Head lines, headers and body; one line end at the end of the file does not belong to the body.
fn parts(bytes: &[u8]) -> Option<(String, HeaderMap, Vec<u8>)> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok().map(str::to_owned)
    };
    let first = line()?;
    let mut headers = HeaderMap::new();
    loop {
        let text = line()?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':')?;
        headers.append(HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?);
    }
    let body = rest.strip_suffix(b"\n").unwrap_or(rest);
    Some((first, headers, body.strip_suffix(b"\r").unwrap_or(body).to_vec()))
}

/// A response as a cassette has it; `None` where it is none.
pub(super) fn response(bytes: &[u8]) -> Option<Response<Bytes>> {
    let (first, mut headers, mut body) = parts(bytes)?;
    let status: u16 = first.strip_prefix("HTTP/")?.split_whitespace().nth(1)?.parse().ok()?;
    if headers.remove("x-cassette-newlines").is_some_and(|value| value == "crlf") {
        body =
            line_feeds(&body).into_iter().flat_map(|b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
    }
    let mut response = Response::builder().status(status).body(Bytes::from(body)).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

fn line_feeds(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(place + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}

/// A request as a cassette has it.
pub(super) fn written(request: &Request<Bytes>) -> Vec<u8> {
    let mut out = format!("{} {}\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        out.extend(name.as_str().bytes());
        out.extend(b": ");
        out.extend(value.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend(line_feeds(request.body()));
    out.push(b'\n');
    out
}

impl Recorded {
    /// Reads one; `None` where it is no HTTP request.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (first, headers, body) = parts(bytes)?;
        let (method, address) = first.split_once(' ')?;
        Some(Self { method: method.to_owned(), address: address.trim().to_owned(), headers, body })
    }

    /// Where a request differs from the recorded one, in words.
    pub(super) fn differs(&self, sent: &Request<Bytes>) -> Option<String> {
        if self.method != sent.method().as_str() || self.address != sent.uri().to_string() {
            return Some(format!(
                "{} {} was sent instead of {} {}",
                sent.method(),
                sent.uri(),
                self.method,
                self.address
            ));
        }
        for (name, value) in &self.headers {
            if !sent.headers().get_all(name).iter().any(|given| given == value) {
                return Some(format!("header {name} is not {value:?} but {:?}", sent.headers().get(name)));
            }
        }
        if let (Ok(want), Ok(given)) =
            (serde_json::from_slice::<Value>(&self.body), serde_json::from_slice::<Value>(sent.body()))
        {
            return (want != given).then(|| format!("the body is {given} instead of {want}"));
        }
        let given = line_feeds(sent.body());
        let given = given.strip_suffix(b"\n").unwrap_or(&given);
        let want = line_feeds(&self.body);
        let want = want.strip_suffix(b"\n").unwrap_or(&want);
        let place = given.iter().zip(want).position(|(a, b)| a != b);
        let place = place.or((given.len() != want.len()).then_some(given.len().min(want.len())))?;
        let around = |bytes: &[u8]| {
            let from = place.saturating_sub(30);
            let to = (place + 50).min(bytes.len());
            String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).into_owned()
        };
        Some(format!("the body differs from byte {place} on: sent …{}… recorded …{}…", around(given), around(want)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_requests_compared() {
        let given = response(b"HTTP/1.1 202 Accepted\nLocation: /x\r\n\r\na\nb\n").unwrap();
        assert_eq!((given.status().as_u16(), &given.body()[..]), (202, &b"a\nb"[..]));
        let mime = response(b"HTTP/1.1 200 OK\nx-cassette-newlines: crlf\n\na\nb\r\nc\n").unwrap();
        assert_eq!(&mime.body()[..], b"a\r\nb\r\nc");
        assert!(mime.headers().is_empty());
        assert!(response(b"nonsense").is_none());
        let request = Request::post("https://a.example/x").header("a", "1").header("b", "2");
        let request = request.body(Bytes::from("{\"x\":1}")).unwrap();
        let recorded = Recorded::read(b"POST https://a.example/x\na: 1\n\n{ \"x\": 1 }\n").unwrap();
        assert_eq!(recorded.differs(&request), None);
        assert_eq!(Recorded::read(&written(&request)).unwrap().differs(&request), None);
        for other in [
            "GET https://a.example/x\n\n{\"x\":1}",
            "POST https://a.example/x\na: 2\n\n{\"x\":1}",
            "POST https://a.example/x\n\n{}",
        ] {
            assert!(Recorded::read(other.as_bytes()).unwrap().differs(&request).is_some(), "{other}");
        }
    }
}
