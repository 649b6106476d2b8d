//! Telling somebody outside, who is no carrier: one POST to an address that a practice gave. The same guard stands before
//! it as before a carrier: https, no address inside somebody's house, no redirect followed, everything bounded.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{Error, ErrorKind, Result};
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use tokio::time::Instant;

use super::client::Client;
use super::connect::Trust;
use super::egress::{self, Egress};

/// How long one delivery may take.
const WITHIN: Duration = Duration::from_secs(15);
/// Most that is read of a reply, bytes: only its status matters.
const REPLY_MAX: usize = 16 * 1024;

/// Posts to one address.
pub struct Notifier {
    client: Client,
    uri: Uri,
}

impl Notifier {
    /// A way to this address. `allow_private` are networks (`10.1.2.0/24`) that may be dialled although they lie inside
    /// somebody's house.
    ///
    /// # Errors
    /// [`ErrorKind::EgressRefused`] for an address that may not be posted to, in words for whoever gave it.
    pub fn new(url: &str, allow_private: &[String]) -> Result<Self> {
        let uri: Uri = url.parse().map_err(|_| refused("This is no web address."))?;
        let egress =
            Egress::new(&[egress::address(&uri)], allow_private).map_err(|_| refused("This is no network."))?;
        egress.check(&uri)?;
        // A carrier file, which an admin writes, may name this machine; whoever holds a key may not.
        if egress::is_loopback_name(uri.host().unwrap_or_default()) && !egress.invites(Ipv4Addr::LOCALHOST.into()) {
            return Err(refused("An address of this machine itself is not posted to."));
        }
        let trust = Trust::of(None).map_err(|_| Error::new(ErrorKind::Internal, "TLS could not be set up."))?;
        let client = Client::new(Arc::new(egress), &trust, None, REPLY_MAX);
        Ok(Self { client, uri })
    }

    /// Posts once; the reply's status, whatever it is.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn post(&self, headers: &[(&'static str, String)], body: Vec<u8>) -> Result<u16> {
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let own = [(header::CONTENT_TYPE, "application/json"), (header::USER_AGENT, "portico")];
        for (name, value) in own {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| refused("A header cannot hold this."))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let sent = self.client.send(request, Instant::now() + WITHIN).await;
        sent.map(|reply| reply.status().as_u16()).map_err(|failed| failed.error)
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::EgressRefused, message)
}
