//! Mutual TLS: one credential's certificate in handshakes, and what a carrier's refusal of it looks like.
//!
//! - In TLS 1.3 a client believes the handshake to be over before the server has looked at the certificate (RFC 8446
//!   section 4.4): until an address has taken it once, a new connection waits for the server's word, a session ticket or an
//!   alert, before a request leaves.
//! - Until then one exchange at a time tries it ([`Mutual::turn`]), and after one refusal nothing is dialled with it any
//!   more: fifty asks are one bad certificate.
//! - Each credential has a configuration of its own. TLS sessions are kept by the server's name, and a resumed one counts
//!   as whoever began it: two practices must not share them.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::ask::Lane;
use connector_sdk::{Error, ErrorKind, Result};
use http::{Response, Uri};
use jiff::Timestamp;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ClientConfig, ProtocolVersion, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::WireError;
use super::certificate::Identity;
use super::credentials::Doubt;
use super::egress;
use super::limit::{Gate, Place};

/// How long a server may take for its word on the certificate, after the handshake. One that sends no session tickets
/// says nothing when it takes it.
const VERDICT_WAIT: Duration = Duration::from_secs(1);
/// Longest body of a page that may be a server's own word on the certificate, bytes.
const PAGE_MAX: usize = 2_048;
/// What nginx writes, with status 400, where it has looked at the certificate itself.
const NGINX_SAYS: [&str; 2] = ["No required SSL certificate was sent", "The SSL certificate error"];

/// One credential's certificate, with all that is remembered of it.
pub(crate) struct Mutual {
    key: Arc<CertifiedKey>,
    roots: Arc<RootCertStore>,
    /// For addresses that have taken it: with TLS sessions to resume.
    tls: TlsConnector,
    /// Where it may be shown, written as in a carrier file's `hosts`.
    origins: Vec<String>,
    ends: Timestamp,
    trying: Arc<Gate>,
    /// Host and port of those that have taken it. No more of them than the carrier file has hosts.
    taken: Mutex<BTreeSet<String>>,
    refused: AtomicBool,
}

impl Mutual {
    /// # Errors
    /// [`WireError::Tls`].
    pub(crate) fn new(
        identity: &Identity,
        roots: Arc<RootCertStore>,
        origins: Vec<String>,
    ) -> std::result::Result<Self, WireError> {
        let key = identity.certified.clone();
        let tls = configured(roots.clone(), Arc::new(Shows { key: key.clone(), asked: Arc::default() }))?;
        Ok(Self {
            key,
            roots,
            tls: TlsConnector::from(Arc::new(tls)),
            origins,
            ends: identity.ends,
            trying: Gate::new(1, "Another question is trying this client certificate for the first time."),
            taken: Mutex::default(),
            refused: AtomicBool::new(false),
        })
    }

    /// The right to send to this address: at once where it has taken the certificate before, else one at a time. Keep it
    /// until there is a reply.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialRejected`] once it was refused; [`ErrorKind::Overloaded`] when it is nobody's turn in time.
    pub(crate) async fn turn(&self, uri: &Uri, lane: Lane, until: Instant) -> Result<Option<Place>> {
        self.not_refused()?;
        if self.is_taken(uri) {
            return Ok(None);
        }
        let turn = self.trying.enter(lane, until).await?;
        self.not_refused()?;
        Ok((!self.is_taken(uri)).then_some(turn))
    }

    /// What a request came to: remembers whether the carrier takes the certificate.
    ///
    /// # Errors
    /// The request's own, and [`ErrorKind::CredentialRejected`] for a page with which a server refuses a certificate.
    pub(crate) fn heard(&self, uri: &Uri, said: Result<Response<Bytes>>) -> Result<Response<Bytes>> {
        let said = said.and_then(|reply| match refused_by_page(&reply) {
            true => Err(refused("page").fact("status", reply.status())),
            false => Ok(reply),
        });
        match &said {
            Ok(_) => {
                self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(egress::address(uri));
            }
            Err(error) if error.kind == ErrorKind::CredentialRejected => self.refused.store(true, Ordering::Release),
            Err(_) => {}
        }
        said
    }

    /// Whether it may be shown where `uri` points.
    ///
    /// # Errors
    /// [`ErrorKind::EgressRefused`].
    pub(crate) fn may_go(&self, uri: &Uri) -> Result<()> {
        if egress::listed(&self.origins, uri) {
            return Ok(());
        }
        Err(egress::refused("The stored client certificate is not meant for this host.", "not_pinned"))
    }

    /// What one connection to `uri` is made with.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when TLS cannot be set up.
    pub(crate) fn hand(&self, uri: &Uri) -> Result<Hand> {
        if self.is_taken(uri) {
            return Ok(Hand { tls: self.tls.clone(), asked: None });
        }
        // With a note of its own on whether the server asked: only then an alert is about the certificate.
        let asked = Arc::new(AtomicBool::new(false));
        let shows = Shows { key: self.key.clone(), asked: asked.clone() };
        let config = configured(self.roots.clone(), Arc::new(shows))
            .map_err(|_| Error::new(ErrorKind::Internal, "TLS could not be set up."))?;
        Ok(Hand { tls: TlsConnector::from(Arc::new(config)), asked: Some(asked) })
    }

    /// Whether its time is over; a carrier would only refuse it.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.ends <= now
    }

    /// Whether the address has taken it before.
    pub(crate) fn is_taken(&self, uri: &Uri) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).contains(&egress::address(uri))
    }

    fn not_refused(&self) -> Result<()> {
        match self.refused.load(Ordering::Acquire) {
            true => Err(Doubt::CertificateRefused.error()),
            false => Ok(()),
        }
    }
}

fn configured(
    roots: Arc<RootCertStore>,
    shows: Arc<dyn ResolvesClientCert>,
) -> std::result::Result<ClientConfig, WireError> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| WireError::Tls)?
        .with_root_certificates(roots)
        .with_client_cert_resolver(shows);
    Ok(config)
}

/// One connection's side of mutual TLS.
pub(crate) struct Hand {
    pub(crate) tls: TlsConnector,
    /// `None` where the address has taken the certificate before.
    asked: Option<Arc<AtomicBool>>,
}

impl Hand {
    /// Whether the server has asked for the certificate and not taken it before.
    pub(crate) fn on_trial(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.load(Ordering::Acquire))
    }

    /// Waits for the server's word on the certificate. No word in time counts as none against it.
    ///
    /// # Errors
    /// What came instead: an alert, the end of the connection.
    pub(crate) async fn verdict(&self, stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
        // Before TLS 1.3 the handshake itself is the word.
        if !self.on_trial() || stream.get_ref().1.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return Ok(());
        }
        let word = std::future::poll_fn(|cx| {
            let mut byte = [0; 1];
            match Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut byte)) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                // Closed, or speaking before it was spoken to.
                Poll::Ready(Ok(())) => Poll::Ready(Err(io::Error::from(io::ErrorKind::UnexpectedEof))),
                Poll::Pending if stream.get_ref().1.tls13_tickets_received() > 0 => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            }
        });
        timeout(VERDICT_WAIT, word).await.unwrap_or(Ok(()))
    }
}

/// Shows the certificate to whoever asks, and notes that it was asked for.
struct Shows {
    key: Arc<CertifiedKey>,
    asked: Arc<AtomicBool>,
}

impl fmt::Debug for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shows")
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Release);
        Some(self.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What a carrier's alert means; `None`: nothing about a client certificate. `shown`: whether the carrier asked for ours
/// in this handshake; `None` where we have none.
pub(crate) fn alert_error(alert: AlertDescription, shown: Option<bool>) -> Option<Error> {
    use AlertDescription as Alert;
    let word = match alert {
        Alert::CertificateRequired | Alert::NoCertificate => "certificate_required",
        Alert::BadCertificate => "bad_certificate",
        Alert::UnsupportedCertificate => "unsupported_certificate",
        Alert::CertificateRevoked => "certificate_revoked",
        Alert::CertificateExpired => "certificate_expired",
        Alert::CertificateUnknown => "certificate_unknown",
        Alert::UnknownCA => "unknown_authority",
        Alert::AccessDenied => "access_denied",
        // What servers say that know no better word; about the certificate only if they have asked for it.
        Alert::HandshakeFailure if shown == Some(true) => "handshake_failure",
        Alert::DecryptError if shown == Some(true) => "decrypt_error",
        _ => return None,
    };
    match shown {
        Some(_) => Some(refused(word)),
        None if word == "certificate_required" => Some(
            Error::new(
                ErrorKind::ProtocolBroken,
                "The carrier wants a client certificate, and its file names none: client_certificate = true.",
            )
            .fact("why", word),
        ),
        None => None,
    }
}

fn refused(why: &'static str) -> Error {
    Doubt::CertificateRefused.error().fact("why", why)
}

/// Whether a reply is a server's own word, before anything behind it was asked, that it does not take the certificate.
fn refused_by_page(reply: &Response<Bytes>) -> bool {
    match reply.status().as_u16() {
        // nginx: 495 the certificate is not good, 496 there was none. Usually both become a 400 with fixed words.
        495 | 496 => true,
        400 if reply.body().len() <= PAGE_MAX => {
            let text = String::from_utf8_lossy(reply.body());
            NGINX_SAYS.iter().any(|words| text.contains(words))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_alerts_about_a_certificate_are_the_credentials_fault() {
        use AlertDescription as Alert;
        let kind = |alert, shown| alert_error(alert, shown).map(|error| error.kind);
        for alert in [Alert::CertificateRequired, Alert::BadCertificate, Alert::CertificateExpired, Alert::UnknownCA] {
            assert_eq!(kind(alert, Some(false)), Some(ErrorKind::CredentialRejected));
        }
        assert_eq!(kind(Alert::HandshakeFailure, Some(true)), Some(ErrorKind::CredentialRejected));
        assert_eq!(kind(Alert::HandshakeFailure, Some(false)), None);
        assert_eq!(kind(Alert::ProtocolVersion, Some(true)), None);
        assert_eq!(kind(Alert::InternalError, Some(true)), None);
        assert_eq!(kind(Alert::CertificateRequired, None), Some(ErrorKind::ProtocolBroken));
        assert_eq!(kind(Alert::UnknownCA, None), None);
    }

    #[test]
    fn a_page_is_a_refusal_only_in_a_servers_own_words() {
        let reply =
            |status: u16, body: &str| Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        let page = "<center><h1>400 Bad Request</h1></center><center>The SSL certificate error</center>";
        assert!(refused_by_page(&reply(400, page)));
        assert!(refused_by_page(&reply(496, "")));
        assert!(!refused_by_page(&reply(200, page)));
        assert!(!refused_by_page(&reply(400, "The member id is missing.")));
        assert!(!refused_by_page(&reply(400, &format!("{page}{}", " ".repeat(PAGE_MAX)))));
    }
}
