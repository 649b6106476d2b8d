//! A client of a few lines: one request, one connection, everything until the server closes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    /// A header's value, empty where it is not there.
    pub(super) fn header(&self, name: &str) -> String {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
    }
}

/// Sends a request. `headers` end with a line break each.
pub(super) async fn send(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    try_send(to, method, path, headers, body).await.expect("a whole answer")
}

/// The same; `None` where no head of a response comes within ten seconds.
pub(super) async fn try_send(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Option<Reply> {
    let all = tokio::time::timeout(Duration::from_secs(10), exchange(to, method, path, headers, body)).await.ok()?;
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
}

async fn exchange(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut all = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_ok() {
        // A reset ends it as well: what came before counts.
        while let Ok(read) = stream.read_buf(&mut all).await {
            if read == 0 || all.len() > 8 << 20 {
                break;
            }
        }
    }
    all
}

/// Text made safe for a form body.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

pub(super) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
