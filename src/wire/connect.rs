//! Dials a carrier: resolves the name, refuses addresses inside somebody's house, opens TCP and TLS.
//!
//! There is no proxy mode: nothing here reads an environment variable.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use connector_sdk::{BoxFuture, Error, ErrorKind, Result};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::WireError;
use super::certificate::Identity;
use super::egress::{self, Egress};
use super::mutual::{self, Mutual};

/// For name, TCP and TLS together, one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// What all carriers without an authority of their own share: the public authorities, and sessions to resume, which are
/// kept by server name. A thousand carriers would hold a thousand copies otherwise.
fn public_trust() -> std::result::Result<Trust, WireError> {
    static SHARED: OnceLock<Trust> = OnceLock::new();
    if let Some(trust) = SHARED.get() {
        return Ok(trust.clone());
    }
    let made = Trust::in_roots(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())?;
    Ok(SHARED.get_or_init(|| made).clone())
}

fn trusting(roots: Arc<RootCertStore>) -> std::result::Result<Arc<ClientConfig>, WireError> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| WireError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Whom a carrier's certificate has to be vouched for by.
#[derive(Clone)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    /// For connections without a client certificate.
    config: Arc<ClientConfig>,
}

impl Trust {
    /// The carrier's own certificate authority where there is one, else the public ones.
    ///
    /// # Errors
    /// [`WireError`] when the PEM text holds no certificate that can be used.
    pub(crate) fn of(ca_pem: Option<&[u8]>) -> std::result::Result<Self, WireError> {
        let Some(pem) = ca_pem else { return public_trust() };
        let mut roots = RootCertStore::empty();
        for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| WireError::CaUnreadable)?;
            roots.add(certificate).map_err(|_| WireError::CaUnreadable)?;
        }
        if roots.is_empty() {
            return Err(WireError::CaUnreadable);
        }
        Self::in_roots(roots)
    }

    fn in_roots(roots: RootCertStore) -> std::result::Result<Self, WireError> {
        let roots = Arc::new(roots);
        Ok(Self { config: trusting(roots.clone())?, roots })
    }

    /// A credential's side of mutual TLS under the same authorities.
    ///
    /// # Errors
    /// [`WireError::Tls`].
    pub(crate) fn mutual(&self, identity: &Identity, origins: Vec<String>) -> std::result::Result<Mutual, WireError> {
        Mutual::new(identity, self.roots.clone(), origins)
    }
}

/// Opens connections to one carrier.
#[derive(Clone)]
pub(crate) struct Dialer {
    egress: Arc<Egress>,
    tls: TlsConnector,
    mutual: Option<Arc<Mutual>>,
}

impl Dialer {
    /// A dialer that believes these authorities, and shows a client certificate where there is one.
    pub(crate) fn new(egress: Arc<Egress>, trust: &Trust, mutual: Option<Arc<Mutual>>) -> Self {
        Self { egress, tls: TlsConnector::from(trust.config.clone()), mutual }
    }

    /// A connection to where `uri` points, checked, dialled and with TLS where it wants that.
    ///
    /// # Errors
    /// [`ErrorKind::EgressRefused`], [`ErrorKind::CarrierUnavailable`], [`ErrorKind::CarrierTimeout`],
    /// [`ErrorKind::CarrierUntrusted`]; [`ErrorKind::CredentialRejected`] when the carrier does not take the client
    /// certificate.
    pub(crate) async fn dial(self, uri: Uri) -> Result<Link> {
        self.egress.check(&uri)?;
        if let Some(mutual) = &self.mutual {
            mutual.may_go(&uri)?;
        }
        let host = uri.host().unwrap_or_default().to_owned();
        let addresses = self.addresses(&host, egress::port(&uri)).await?;
        let mut last = unreachable("no_address");
        for address in addresses {
            match timeout(CONNECT_TIMEOUT, self.open(address, &host, &uri)).await {
                Ok(Ok(link)) => return Ok(link),
                // Whoever answered with a wrong certificate must not be skipped over in silence; one that does not take
                // ours is not to be asked twice.
                Ok(Err(error)) if !matches!(error.kind, ErrorKind::CarrierUnavailable) => return Err(error),
                Ok(Err(error)) => last = error,
                Err(_) => {
                    last = Error::new(ErrorKind::CarrierTimeout, "The carrier did not take the connection in time.")
                        .fact("limit_ms", CONNECT_TIMEOUT);
                }
            }
        }
        Err(last)
    }

    /// The addresses of a host that may be dialled.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = timeout(CONNECT_TIMEOUT, tokio::net::lookup_host((name, port)))
            .await
            .map_err(|_| unreachable("name_timeout"))?
            .map_err(|_| unreachable("name_unknown"))?;
        let (allowed, inside): (Vec<_>, Vec<_>) = found.partition(|address| self.egress.may_dial(host, address.ip()));
        if allowed.is_empty() && !inside.is_empty() {
            return Err(egress::refused(
                "The carrier's host has an address inside a private network that its file does not allow.",
                "private_address",
            ));
        }
        Ok(allowed.into_iter().take(ADDRESSES_MAX).collect())
    }

    async fn open(&self, address: SocketAddr, host: &str, uri: &Uri) -> Result<Link> {
        let socket = TcpStream::connect(address).await.map_err(|error| unreachable(io_word(&error)))?;
        // Not being able to set it only costs speed.
        let _ = socket.set_nodelay(true);
        if uri.scheme_str() != Some("https") {
            return Ok(Link(TokioIo::new(Socket::Plain(socket))));
        }
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|_| egress::refused("This host has no usable name.", "host"))?;
        let Some(mutual) = &self.mutual else {
            let stream = self.tls.connect(name, socket).await.map_err(|error| tls_error(&error, None))?;
            return Ok(Link(TokioIo::new(Socket::Tls(Box::new(stream)))));
        };
        let hand = mutual.hand(uri)?;
        let wrong = |error: io::Error| tls_error(&error, Some(hand.on_trial()));
        let mut stream = hand.tls.connect(name, socket).await.map_err(wrong)?;
        hand.verdict(&mut stream).await.map_err(wrong)?;
        Ok(Link(TokioIo::new(Socket::Tls(Box::new(stream)))))
    }
}

fn unreachable(why: &'static str) -> Error {
    Error::new(ErrorKind::CarrierUnavailable, "The carrier could not be reached.").fact("why", why)
}

/// A fixed word for an I/O error.
pub(crate) fn io_word(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::ConnectionReset => "reset",
        io::ErrorKind::ConnectionAborted => "aborted",
        io::ErrorKind::BrokenPipe => "broken_pipe",
        io::ErrorKind::UnexpectedEof => "ended_early",
        io::ErrorKind::TimedOut => "timed_out",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
        _ => "io",
    }
}

/// What went wrong in TLS. `shown`: as [`mutual::alert_error`] has it.
fn tls_error(error: &io::Error, shown: Option<bool>) -> Error {
    if let Some(error) = refusal_in(error, shown) {
        return error;
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Error::new(
            ErrorKind::CarrierUntrusted,
            "The carrier's TLS certificate does not prove that it is the carrier.",
        )
        .fact("why", certificate_word(why)),
        Some(_) => Error::new(ErrorKind::CarrierUntrusted, "The carrier's TLS is broken or too old to be trusted.")
            .fact("why", "handshake"),
        None => unreachable(io_word(error)),
    }
}

fn certificate_word(why: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError as Why;
    match why {
        Why::Expired | Why::ExpiredContext { .. } => "expired",
        Why::NotValidYet | Why::NotValidYetContext { .. } => "not_valid_yet",
        Why::NotValidForName | Why::NotValidForNameContext { .. } => "wrong_name",
        Why::UnknownIssuer => "unknown_issuer",
        Why::Revoked => "revoked",
        _ => "invalid",
    }
}

impl tower::Service<Uri> for Dialer {
    type Response = Link;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Link>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// What an alert inside an error says about a client certificate, if there is one and it does.
pub(crate) fn refusal_in(error: &(dyn StdError + 'static), shown: Option<bool>) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error does not count what it wraps as its source.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(rustls::Error::AlertReceived(alert)) = inner.and_then(|inner| inner.downcast_ref()) {
            return mutual::alert_error(*alert, shown);
        }
        next = error.source();
    }
    None
}

/// An error of [`Dialer`] inside an error of hyper's, if there is one.
pub(crate) fn dial_error(error: &(dyn StdError + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found.clone());
        }
        next = error.source();
    }
    None
}

/// A dialled connection.
pub(crate) struct Link(TokioIo<Socket>);

enum Socket {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
