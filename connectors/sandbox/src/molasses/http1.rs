//! Reading one HTTP/1.1 request from a socket, bounded.

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Largest head, bytes.
const HEAD_MAX: usize = 64 * 1024;
/// Largest body, bytes.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// A request.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` where the client sends nothing usable. Bodies come with a `Content-Length`.
    pub(super) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > HEAD_MAX || stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?.to_owned();
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HeaderMap::new();
        for line in lines.take(100) {
            let (name, value) = line.split_once(':')?;
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::from_str(value.trim()).ok()?);
        }
        let length: usize = headers.get("content-length").map_or(Some(0), |v| v.to_str().ok()?.parse().ok())?;
        if length > BODY_MAX {
            return None;
        }
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        body.truncate(length);
        Some(Self { method, path, headers, body })
    }
}
