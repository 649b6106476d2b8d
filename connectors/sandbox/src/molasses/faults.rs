//! The ways to misbehave, byte by byte.

use std::io;
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// What to send.
pub(super) enum Fault {
    /// A proper answer.
    Answer(String),
    /// An HTML page with this status and heading.
    Page(u16, &'static str),
    /// 401.
    Unauthorized,
    /// 503 with `Retry-After: 7`.
    RetryAfter,
    /// One byte each half second.
    Drip(String),
    /// Nothing, for ten minutes.
    Hang,
    /// Half the body, then a reset.
    Reset(String),
    /// Half the body, then a proper close.
    Truncated(String),
    /// 1 MB that inflates to 1 GB.
    GzipBomb,
    /// 1 GB.
    Huge,
    /// To another host.
    Redirect,
    /// An answer, and then another response that nobody asked for.
    Poison(String, String),
}

/// Longest that a hanging or dripping answer lasts.
const PATIENCE: Duration = Duration::from_secs(600);
const EDI: &str = "Content-Type: application/edi-x12\r\n";
const GIGABYTE: usize = 1 << 30;

/// Sends it.
///
/// # Errors
/// The client went away.
pub(super) async fn act(fault: Fault, stream: &mut TcpStream) -> io::Result<()> {
    match fault {
        Fault::Answer(body) => send(stream, 200, EDI, body.as_bytes()).await?,
        Fault::Page(status, heading) => page(stream, status, "", heading).await?,
        Fault::Unauthorized => page(stream, 401, "WWW-Authenticate: Basic realm=\"x12\"\r\n", "Unauthorized").await?,
        Fault::RetryAfter => page(stream, 503, "Retry-After: 7\r\n", "Service unavailable").await?,
        Fault::Redirect => page(stream, 302, "Location: https://elsewhere.example/x12\r\n", "Moved").await?,
        Fault::Hang => tokio::time::sleep(PATIENCE).await,
        Fault::Drip(body) => {
            head(stream, 200, EDI, body.len()).await?;
            let drip = async {
                for byte in body.as_bytes() {
                    stream.write_all(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Ok::<(), io::Error>(())
            };
            let _ = tokio::time::timeout(PATIENCE, drip).await;
        }
        Fault::Reset(body) => {
            half(stream, &body).await?;
            // Give the half a chance to arrive: a reset throws away what waits in the buffers.
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger()?;
        }
        Fault::Truncated(body) => {
            half(stream, &body).await?;
            stream.shutdown().await?;
        }
        Fault::GzipBomb => {
            let bomb = gzip_bomb()?;
            head(stream, 200, "Content-Type: application/edi-x12\r\nContent-Encoding: gzip\r\n", bomb.len()).await?;
            stream.write_all(&bomb).await?;
        }
        Fault::Huge => {
            head(stream, 200, EDI, GIGABYTE).await?;
            let block = vec![b' '; 64 * 1024];
            for _ in 0..GIGABYTE / block.len() {
                stream.write_all(&block).await?;
            }
        }
        Fault::Poison(first, second) => {
            let keep = "Content-Type: application/edi-x12\r\nConnection: keep-alive\r\n";
            raw(stream, 200, keep, first.len()).await?;
            stream.write_all(first.as_bytes()).await?;
            raw(stream, 200, keep, second.len()).await?;
            stream.write_all(second.as_bytes()).await?;
            stream.flush().await?;
            // Kept open: the poison waits for the next question on this connection.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }
    stream.flush().await
}

async fn page(stream: &mut TcpStream, status: u16, more: &str, heading: &str) -> io::Result<()> {
    let form =
        if heading == "Sign in" { "<form action=\"/login\"><input type=\"password\" name=\"p\"></form>" } else { "" };
    let body = format!(
        "<!DOCTYPE html><html><head><title>{heading}</title></head><body><h1>{heading}</h1>{form}</body></html>"
    );
    send(stream, status, &format!("Content-Type: text/html\r\n{more}"), body.as_bytes()).await
}

async fn half(stream: &mut TcpStream, body: &str) -> io::Result<()> {
    head(stream, 200, EDI, body.len()).await?;
    stream.write_all(body.as_bytes().get(..body.len() / 2).unwrap_or_default()).await?;
    stream.flush().await
}

async fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    head(stream, status, headers, body.len()).await?;
    stream.write_all(body).await
}

async fn head(stream: &mut TcpStream, status: u16, headers: &str, length: usize) -> io::Result<()> {
    raw(stream, status, &format!("{headers}Connection: close\r\n"), length).await
}

async fn raw(stream: &mut TcpStream, status: u16, headers: &str, length: usize) -> io::Result<()> {
    let text = format!("HTTP/1.1 {status} Sandbox\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(text.as_bytes()).await
}

/// Gzip of 1 GB of zeros, put together from one compressed megabyte that is sent 1,024 times: cheap to make, dear to
/// inflate. Its checksum is wrong; whoever gets that far has read too much already.
fn gzip_bomb() -> io::Result<Vec<u8>> {
    let zeros = vec![0_u8; 1 << 20];
    let mut block = Vec::with_capacity(16 * 1024);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(&zeros, &mut block, FlushCompress::Full)?;
    let mut bomb = Vec::with_capacity(block.len() * 1024 + 32);
    bomb.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    for _ in 0..1024 {
        bomb.extend_from_slice(&block);
    }
    bomb.extend_from_slice(&[3, 0]);
    bomb.extend_from_slice(&[0; 8]);
    Ok(bomb)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_bomb_is_small_and_inflates_far() {
        let bomb = gzip_bomb().unwrap();
        assert!(bomb.len() < 4 << 20, "{}", bomb.len());
        let mut far = flate2::read::GzDecoder::new(bomb.as_slice()).take(50 << 20);
        let mut all = Vec::new();
        far.read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), 50 << 20);
    }
}
