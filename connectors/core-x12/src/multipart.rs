//! Multipart replies: `multipart/form-data` of the MIME envelope, `multipart/related` of SOAP with MTOM.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use connector_sdk::{Error, ErrorKind, Result};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Most parts of one reply. A CORE reply has about ten.
const PARTS_MAX: usize = 64;

/// One part.
pub(crate) struct Part {
    /// The form field's name, if any.
    pub(crate) name: Option<String>,
    /// `Content-ID` without its angle brackets.
    pub(crate) id: Option<String>,
    /// The content, transfer encoding undone.
    pub(crate) content: Bytes,
}

/// A `Content-Type` with its parameters.
pub(crate) struct MediaType {
    /// `multipart/related`, lower case.
    pub(crate) essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads the reply's header; empty where there is none.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut pieces = split_parameters(text).into_iter();
        let essence = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let parameters = pieces
            .filter_map(|piece| {
                let (name, value) = piece.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), unquote(value.trim())))
            })
            .collect();
        Self { essence, parameters }
    }

    /// A parameter's value.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is any `multipart/…`.
    pub(crate) fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }
}

/// Splits at semicolons outside quotes.
fn split_parameters(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            ';' if !quoted => {
                pieces.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces
}

fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, message)
}

/// Reads all parts.
///
/// # Errors
/// [`ErrorKind::ProtocolBroken`] when the boundary is missing, the body stops in the middle, or there are too many.
pub(crate) async fn parts(media: &MediaType, body: Bytes) -> Result<Vec<Part>> {
    let boundary = media
        .parameter("boundary")
        .filter(|boundary| (1..=70).contains(&boundary.len()))
        .ok_or_else(|| broken("The carrier's multipart reply names no boundary."))?
        .to_owned();
    let bare_lines = ends_lines_bare(&body);
    let body = if bare_lines { replace(&body, b"\n", b"\r\n") } else { body };
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut reader = multer::Multipart::new(stream, boundary);
    let mut found = Vec::new();
    loop {
        let unreadable = |_| broken("The carrier's multipart reply cannot be read or stops in the middle.");
        let Some(field) = reader.next_field().await.map_err(unreadable)? else { return Ok(found) };
        if found.len() >= PARTS_MAX {
            return Err(broken("The carrier's multipart reply has too many parts.").fact("parts", PARTS_MAX));
        }
        let header = |name: &str| field.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let id = header("content-id").map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned());
        let encoding = header("content-transfer-encoding").unwrap_or("binary").to_ascii_lowercase();
        let name = field.name().map(str::to_owned);
        let content = field.bytes().await.map_err(unreadable)?;
        let content = if bare_lines { replace(&content, b"\r\n", b"\n") } else { content };
        let content = match encoding.as_str() {
            "binary" | "8bit" | "7bit" | "" => content,
            "base64" => decode_base64(&content)
                .ok_or_else(|| broken("A part of the carrier's reply says it is Base64 and is not."))?,
            _ => return Err(broken("A part of the carrier's reply uses a transfer encoding that is not read.")),
        };
        found.push(Part { name, id, content });
    }
}

/// Whether a body ends its lines without a carriage return, against RFC 2046, which some carriers and recorders do. As
/// there is not a single one, nothing is lost by adding them before reading and taking them out after.
fn ends_lines_bare(body: &[u8]) -> bool {
    body.contains(&b'\n') && !body.contains(&b'\r')
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Bytes {
    let mut result = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            result.extend_from_slice(to);
            rest = after;
        } else {
            result.push(*first);
            rest = tail;
        }
    }
    Bytes::from(result)
}

/// Base64 as carriers send it: line breaks anywhere, padding or not.
pub(crate) fn decode_base64(text: &[u8]) -> Option<Bytes> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let plain: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    LENIENT.decode(plain).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_sdk::testing::block_on;

    fn media(text: &str) -> MediaType {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, text.parse().unwrap());
        MediaType::of(&headers)
    }

    #[test]
    fn media_types_are_read_with_quotes() {
        let read = media(r#"Multipart/Related; type="application/xop+xml"; start="<a;b\"c@d>"; boundary=xyz"#);
        assert_eq!(read.essence, "multipart/related");
        assert_eq!(read.parameter("start"), Some("<a;b\"c@d>"));
        assert_eq!(read.parameter("boundary"), Some("xyz"));
        assert!(read.is_multipart() && !media("text/html").is_multipart());
        assert_eq!(media("\"").essence, "\"");
    }

    #[test]
    fn parts_come_with_name_id_and_content() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"Payload\"\r\nContent-ID: <p1>\r\nContent-Transfer-Encoding: base64\r\n\r\nSVNB\r\nKg==\r\n--b--\r\n";
        let found = block_on(parts(&media("multipart/form-data; boundary=b"), Bytes::from(body))).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_deref(), found[0].id.as_deref()), (Some("Payload"), Some("p1")));
        assert_eq!(&found[0].content[..], b"ISA*");
    }

    #[test]
    fn lines_without_carriage_returns_are_read_and_the_content_is_untouched() {
        let body = "--b\nContent-ID: <x>\n\nISA*\n\nIEA*\n--b--\n";
        let found = block_on(parts(&media("multipart/related; boundary=b"), Bytes::from(body))).unwrap();
        assert_eq!(&found[0].content[..], b"ISA*\n\nIEA*");
    }

    #[test]
    fn broken_bodies_are_refused_not_waited_for() {
        let whole = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nISA*00\r\n--b--\r\n";
        let many = format!("{}--b--\r\n", "--b\r\nX: y\r\n\r\nz\r\n".repeat(PARTS_MAX + 1));
        // Cut anywhere before the closing boundary is complete: always an error, never a wait for more.
        for end in 0..whole.len() - 3 {
            let cut = Bytes::copy_from_slice(&whole.as_bytes()[..end]);
            assert!(block_on(parts(&media("multipart/form-data; boundary=b"), cut)).is_err(), "cut at {end}");
        }
        assert!(block_on(parts(&media("multipart/form-data; boundary=b"), Bytes::from(many))).is_err());
        assert!(block_on(parts(&media("multipart/form-data"), Bytes::from(whole))).is_err());
    }

    #[test]
    fn base64_tolerates_line_breaks_and_missing_padding() {
        assert_eq!(decode_base64(b"SVNB\r\n Kg").as_deref(), Some(&b"ISA*"[..]));
        assert_eq!(decode_base64(b"no base64!"), None);
    }
}
