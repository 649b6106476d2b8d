//! What a form sent: fields and files, as they were typed. A page shows them again when something is wrong with them.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::BODY_MAX;
use super::draft;
use super::fault::Fault;
use super::visit::Visit;
use crate::api::{App, Door};

/// Fields of one form at most.
const FIELDS_MAX: usize = 4_000;
/// The field that proves that our own page sent the form.
pub const CSRF: &str = "csrf";

/// A form's fields and files. No `Debug`: they may hold a password or a patient.
#[derive(Default)]
pub struct Fields {
    values: Vec<(String, Zeroizing<String>)>,
    files: Vec<(String, Bytes)>,
}

impl Fields {
    /// Fields that nobody sent: for a form shown the first time.
    pub fn of(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), Zeroizing::new(value))).collect();
        Self { values, files: Vec::new() }
    }

    /// Puts a text into a field, in place of what stood there.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.values.retain(|(own, _)| own != name);
        self.values.push((name.to_owned(), Zeroizing::new(value.into())));
    }

    /// Adds a text to a field that may be there several times.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.values.push((name.to_owned(), Zeroizing::new(value.into())));
    }

    /// What was typed into a field, as it was typed; nothing where there is no such field.
    pub fn raw(&self, name: &str) -> &str {
        self.values.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// The same without spaces around it.
    pub fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The same, where it is not empty.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Whether the form had this field, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(own, _)| own == name)
    }

    /// A secret, as it was typed: spaces belong to a password.
    pub fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.raw(name).to_owned())
    }

    /// All values of a field that may be there several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.some(name).is_some()
    }

    /// All fields, in the order in which they stood.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether files came along.
    pub fn has_files(&self) -> bool {
        self.files.iter().any(|(_, bytes)| !bytes.is_empty())
    }

    /// A file, where one was chosen.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.iter().find(|(own, bytes)| own == name && !bytes.is_empty()).map(|(_, bytes)| bytes)
    }

    /// The fields that are not empty and whose names begin with `prefix`, as the JSON object that the API takes: `a.b`
    /// stands for `/a/b`.
    pub fn json(&self, prefix: &str) -> Value {
        let mut object = Map::new();
        for (name, value) in &self.values {
            let Some(rest) = name.strip_prefix(prefix).filter(|_| !value.trim().is_empty()) else { continue };
            let (mut at, mut parts) = (&mut object, rest.split('.').peekable());
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    at.insert(part.to_owned(), Value::from(value.trim()));
                    break;
                }
                let next = at.entry(part.to_owned()).or_insert_with(|| Value::Object(Map::new()));
                let Value::Object(next) = next else { break };
                at = next;
            }
        }
        Value::Object(object)
    }

    pub(super) async fn read(request: Request) -> Result<Self, Response> {
        if is_multipart(request.headers()) {
            return Self::multipart(request).await;
        }
        let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| not_read(rejection.status()))?;
        Self::typed(&bytes).map_err(not_read)
    }

    /// What a form without files sent.
    fn typed(bytes: &[u8]) -> Result<Self, StatusCode> {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            fields.push(name.into_owned(), value.into_owned())?;
        }
        Ok(fields)
    }

    /// What somebody typed who is not signed in any more. Anybody can send this, so that no more is read of it than an
    /// ordinary form is large, whatever its page takes: files, and what is larger, are refused unread.
    async fn of_nobody(headers: &HeaderMap, body: Body) -> Option<Self> {
        if is_multipart(headers) || body.size_hint().lower() > BODY_MAX as u64 {
            return None;
        }
        let bytes = axum::body::to_bytes(body, BODY_MAX).await.ok()?;
        Self::typed(&bytes).ok()
    }

    async fn multipart(request: Request) -> Result<Self, Response> {
        let mut parts =
            Multipart::from_request(request, &()).await.map_err(|rejection| not_read(rejection.status()))?;
        let mut fields = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|error| not_read(error.status()))? {
            let Some(name) = part.name().map(str::to_owned) else { continue };
            if part.file_name().is_some() {
                let bytes = part.bytes().await.map_err(|error| not_read(error.status()))?;
                if fields.files.len() >= FIELDS_MAX {
                    return Err(not_read(StatusCode::PAYLOAD_TOO_LARGE));
                }
                fields.files.push((name, bytes));
            } else {
                let text = part.text().await.map_err(|error| not_read(error.status()))?;
                fields.push(name, text).map_err(not_read)?;
            }
        }
        Ok(fields)
    }

    fn push(&mut self, name: String, value: String) -> Result<(), StatusCode> {
        if self.values.len() >= FIELDS_MAX {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        self.values.push((name, Zeroizing::new(value)));
        Ok(())
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("multipart/form-data")
}

fn not_read(status: StatusCode) -> Response {
    let text = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "What you sent is larger than this page takes. Send less at once.",
        _ => "What you sent did not arrive as a whole. Go back and send it again.",
    };
    Fault::new(status, "This could not be read", text).into_response()
}

/// A form from somebody signed in, proven to come from our own page.
pub struct Sent {
    /// Who.
    pub visit: Visit,
    /// What.
    pub fields: Fields,
}

impl FromRequest<App> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let visit = match Visit::of(&mut parts, app).await {
            Ok(visit) => visit,
            // Only to our own page: what another site sends is not carried further.
            Err(ended) if is_ended(&ended) && draft::is_kept(&path) && Door::of(&parts, app).is_own() => {
                let kept = Fields::of_nobody(&parts.headers, body).await;
                return Err(kept.map_or(ended, |fields| draft::signed_out(&path, &fields)));
            }
            Err(refused) => return Err(refused),
        };
        let fields = Fields::read(Request::from_parts(parts, body)).await?;
        match (visit.door.is_own(), visit.session.csrf_is(fields.raw(CSRF))) {
            (true, true) => Ok(Self { visit, fields }),
            // Nothing is done without a person's press on a page of this session.
            (true, false) if draft::is_kept(&path) => {
                Err(draft::signed_in_again(&path, &fields, visit.session.csrf.as_str()))
            }
            _ => Err(Fault::not_ours().into_response()),
        }
    }
}

fn is_ended(response: &Response) -> bool {
    response.status() == StatusCode::UNAUTHORIZED
}

/// A form from somebody who need not be signed in; never from a page that is not ours.
pub struct Anybody {
    /// What the browser brought along.
    pub door: Door,
    /// What.
    pub fields: Fields,
}

impl FromRequest<App> for Anybody {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let door = Door::of(&parts, app);
        if !door.is_own() {
            return Err(Fault::not_ours().into_response());
        }
        let fields = Fields::read(Request::from_parts(parts, body)).await?;
        Ok(Self { door, fields })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(kind))])
    }

    /// What a browser sends of which nobody knows how long it is, and whether anybody looked at it.
    fn streamed(piece: &'static [u8], pieces: usize) -> (Body, Arc<AtomicBool>) {
        let read = Arc::new(AtomicBool::new(false));
        let looked = read.clone();
        let pieces = (0..pieces).map(move |_| {
            looked.store(true, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(piece))
        });
        (Body::from_stream(futures_util::stream::iter(pieces)), read)
    }

    #[tokio::test]
    async fn of_nobody_only_a_small_form_is_read() {
        let form = headers("application/x-www-form-urlencoded");
        let kept = Fields::of_nobody(&form, Body::from("last_name=Draft%20wood")).await.unwrap();
        assert_eq!(kept.get("last_name"), "Draft wood");
        let text = |size: usize| Body::from(format!("a={}", "x".repeat(size - 2)));
        assert!(Fields::of_nobody(&form, text(BODY_MAX)).await.is_some(), "what an ordinary page takes is kept");
        assert!(Fields::of_nobody(&form, text(BODY_MAX + 1)).await.is_none());
        let (body, _) = streamed(&[b'x'; 4096], 1 + BODY_MAX / 4096);
        assert!(Fields::of_nobody(&form, body).await.is_none(), "also where its length is not said");
        let (body, read) = streamed(b"--x--", 1);
        assert!(Fields::of_nobody(&headers("multipart/form-data; boundary=x"), body).await.is_none());
        assert!(!read.load(Ordering::Relaxed), "a file is refused unread");
    }

    #[test]
    fn fields_become_the_object_the_api_takes() {
        let fields = Fields::of([
            ("ask.carrier", " northstar ".to_owned()),
            ("ask.member.member_id", "A1".to_owned()),
            ("ask.member.first_name", "  ".to_owned()),
            ("ask.member.member_id.deeper", "lost".to_owned()),
            ("csrf", "x".to_owned()),
        ]);
        assert_eq!(fields.json("ask."), serde_json::json!({ "carrier": "northstar", "member": { "member_id": "A1" } }));
        assert_eq!(fields.raw("ask.carrier"), " northstar ");
        assert!(fields.some("ask.member.first_name").is_none());
    }
}
