//! A tap on the line between the gateway and a carrier: what was handed out there (tokens, cookies, hidden fields) must
//! not be found elsewhere either.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes kept of each direction of a connection; some carriers send a gigabyte.
const KEPT_MAX: usize = 256 * 1024;

/// What stands before and after a secret that travels.
const MARKS: [(&str, &str, &str); 8] = [
    ("access token", "\"access_token\":\"", "\""),
    ("bearer token", "earer ", "\r"),
    ("Basic header", "asic ", "\r"),
    ("cookie", "set-cookie: ", ";"),
    ("hidden field", "type=\"hidden\" name=\"", ">"),
    ("password digest", "#PasswordDigest\">", "<"),
    ("password", "#PasswordText\">", "<"),
    ("api key header", "api-key: ", "\r"),
];

/// A relay in front of one carrier.
pub struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    pub async fn before(carrier: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(carrier).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(relay(near_in, far_out, Arc::clone(&kept)));
                tokio::spawn(relay(far_in, near_out, Arc::clone(&kept)));
            }
        });
        Self { address, heard }
    }

    /// What was said, direction by direction.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }

    /// Secrets that were heard: what each is, and its text.
    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for bytes in self.heard.lock().unwrap().iter() {
            let text = String::from_utf8_lossy(bytes);
            // Header names are not told apart by case.
            let small = text.to_ascii_lowercase();
            for (what, before, after) in MARKS {
                for (place, _) in small.match_indices(&before.to_ascii_lowercase()) {
                    let Some(rest) = text.get(place + before.len()..) else { continue };
                    let Some(value) = rest.split(after).next() else { continue };
                    // `name=value` and `name" value="value"`: the value alone.
                    let value = match what {
                        "cookie" => value.split_once('=').map_or("", |(_, value)| value),
                        "hidden field" => {
                            value.split("value=\"").nth(1).unwrap_or("").trim_end_matches(['"', '/', ' '])
                        }
                        _ => value,
                    };
                    if value.len() >= 12 && value.len() < 4096 {
                        found.push((what, value.to_owned()));
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

async fn relay(
    mut from: impl AsyncRead + Unpin + Send,
    mut to: impl AsyncWrite + Unpin + Send,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    let place = {
        let mut kept = kept.lock().unwrap();
        kept.push(Vec::new());
        kept.len() - 1
    };
    let mut block = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut block).await {
        {
            let heard = &mut kept.lock().unwrap()[place];
            let room = KEPT_MAX.saturating_sub(heard.len()).min(count);
            heard.extend_from_slice(&block[..room]);
        }
        if to.write_all(&block[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
