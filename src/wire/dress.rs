//! Puts on what only the carrier may see (secrets, tokens, cookies), and takes it off every reply.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use connector_sdk::connector::ClientProof;
use connector_sdk::{Error, ErrorKind, Escape, Result, SignIn};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::asking::{Asking, Login, Role};
use super::credentials::Lease;
use super::markers::{self, Named};
use super::record::KeptBody;
use super::redirect::{CarriersAddress, RawLocation};
use super::{assertion, egress, session, token};

/// Largest request body, bytes.
const REQUEST_MAX: usize = 16 << 20;
/// Headers that are the wire's own business, whatever a connector sets.
const OURS: [HeaderName; 8] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
    header::COOKIE,
    header::ACCEPT_ENCODING,
];

/// The request as it leaves.
///
/// # Errors
/// [`ErrorKind::RequestInvalid`] for a marker in the address, [`ErrorKind::EgressRefused`] for a secret to a host the
/// credential is not pinned to, [`ErrorKind::CredentialMissing`] for a field that is not stored.
pub(super) async fn dress(
    asking: &Arc<Asking>,
    request: &Request<Bytes>,
    bearer: Option<Zeroizing<String>>,
) -> Result<Request<Bytes>> {
    sendable(asking, request)?;
    let mut names = markers::named(&asking.prefix, request.body())?;
    for value in request.headers().values() {
        names.extend(markers::named(&asking.prefix, value.as_bytes())?);
    }
    let secrets = Secrets::open(asking, request, &names).await?;
    let value = |name: &Named| secrets.value(name);

    let mut out = Request::new(Bytes::new());
    *out.method_mut() = request.method().clone();
    *out.uri_mut() = request.uri().clone();
    for (name, header) in request.headers() {
        if OURS.contains(name) {
            continue;
        }
        let header = if markers::find(header.as_bytes(), asking.prefix.as_bytes(), 0).is_some() {
            secret_header(&markers::swap(&asking.prefix, header.as_bytes(), &value)?)?
        } else {
            header.clone()
        };
        out.headers_mut().append(name.clone(), header);
    }
    *out.body_mut() = if names.is_empty() {
        request.body().clone()
    } else {
        Bytes::from_owner(markers::swap(&asking.prefix, request.body(), &value)?)
    };
    if !names.is_empty() || signs_with_secret(asking) {
        // The last thing before the secret is put on: what follows is the sending.
        session::note_login(asking).await?;
        asking.secret_sent.store(true, Ordering::Relaxed);
    }
    sign(asking, &mut out, bearer)?;
    out.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if !out.headers().contains_key(header::USER_AGENT) {
        out.headers_mut()
            .insert(header::USER_AGENT, HeaderValue::from_static(concat!("portico/", env!("CARGO_PKG_VERSION"))));
    }
    Ok(out)
}

/// What must hold of any request before a secret is opened for it.
fn sendable(asking: &Asking, request: &Request<Bytes>) -> Result<()> {
    let invalid = |message| Err(Error::new(ErrorKind::RequestInvalid, message));
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return invalid("This HTTP method is not used.");
    }
    if request.body().len() > REQUEST_MAX {
        return invalid("The request is larger than the limit.");
    }
    let by_us = request.extensions().get::<CarriersAddress>().is_none();
    if by_us && request.uri().to_string().contains(&asking.prefix) {
        return invalid("A secret has no place in an address.");
    }
    Ok(())
}

/// Whether a request of this role has the carrier look at a stored secret, markers apart.
fn signs_with_secret(asking: &Asking) -> bool {
    match asking.role {
        Role::Token { basic } => basic,
        Role::Ask => match asking.wire.carrier.connector.sign_in() {
            SignIn::Basic | SignIn::Header(_) => true,
            // Shown in the handshake rather than put on, and looked at all the same.
            SignIn::None => session::certificate_alone(&asking.wire),
            SignIn::ClientCredentials { .. } | SignIn::InRequest | SignIn::Form(_) => false,
        },
        Role::SignIn | Role::SignOut => false,
    }
}

/// Adds what the carrier's scheme wants in every request.
fn sign(asking: &Asking, out: &mut Request<Bytes>, bearer: Option<Zeroizing<String>>) -> Result<()> {
    let Some(login) = &asking.login else { return Ok(()) };
    let connector = &asking.wire.carrier.connector;
    let (name, value) = match (asking.role, connector.sign_in()) {
        (Role::Token { basic: true }, _) => {
            let id = markers::escaped(markers::field(&login.lease, "client_id")?, Escape::Form);
            let secret = markers::escaped(markers::field(&login.lease, "client_secret")?, Escape::Form);
            (header::AUTHORIZATION, Zeroizing::new(format!("Basic {}", *markers::basic(&id, &secret))))
        }
        (Role::Ask, SignIn::Basic) => {
            let name = markers::field(&login.lease, "username")?;
            let secret = markers::field(&login.lease, "password")?;
            (header::AUTHORIZATION, Zeroizing::new(format!("Basic {}", *markers::basic(name, secret))))
        }
        (Role::Ask, SignIn::Header(name)) => {
            (name, Zeroizing::new(markers::field(&login.lease, "api_key")?.to_owned()))
        }
        (Role::Ask, SignIn::ClientCredentials { .. }) => {
            let Some(token) = bearer else { return Ok(()) };
            asking.hide(&token);
            (header::AUTHORIZATION, Zeroizing::new(format!("Bearer {}", *token)))
        }
        (_, SignIn::Form(_)) => {
            if let Some(cookies) = login.session.jar().header(out.uri(), Timestamp::now()) {
                out.headers_mut().insert(header::COOKIE, cookies);
            }
            return Ok(());
        }
        (
            _,
            SignIn::None | SignIn::Basic | SignIn::Header(_) | SignIn::ClientCredentials { .. } | SignIn::InRequest,
        ) => {
            return Ok(());
        }
    };
    pinned(&login.lease, out)?;
    asking.secret_sent.store(true, Ordering::Relaxed);
    out.headers_mut().insert(name, secret_header(value.as_bytes())?);
    Ok(())
}

fn secret_header(value: &[u8]) -> Result<HeaderValue> {
    let mut header = HeaderValue::from_bytes(value).map_err(|_| {
        Error::new(ErrorKind::CredentialMissing, "A stored value has characters that cannot be sent: enter it again.")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Whether the credential may go where the request goes.
fn pinned(lease: &Lease, request: &Request<Bytes>) -> Result<()> {
    if egress::listed(&lease.origins, request.uri()) {
        return Ok(());
    }
    Err(egress::refused("The stored credential is not meant for this host.", "not_pinned"))
}

/// The values that a request's markers name.
struct Secrets<'a> {
    login: Option<&'a Login>,
    code: Option<Zeroizing<String>>,
    asking: &'a Asking,
}

impl<'a> Secrets<'a> {
    async fn open(asking: &'a Asking, request: &Request<Bytes>, names: &[Named]) -> Result<Self> {
        let login = asking.login.as_ref();
        let mut code = None;
        if !names.is_empty() {
            let login = login.ok_or_else(|| {
                Error::new(ErrorKind::CredentialMissing, "This carrier needs a credential, and none is stored.")
            })?;
            pinned(&login.lease, request)?;
            if names.contains(&Named::TotpCode) {
                let seed = markers::field(&login.lease, "totp_seed")?;
                let (vault, id) = (&asking.wire.vault, login.lease.credential_id.as_str());
                let fresh = login.guards.steps.code(seed, asking.deadline(), |step| vault.take_step(id, step)).await?;
                asking.hide(&fresh);
                code = Some(fresh);
            }
        }
        Ok(Self { login, code, asking })
    }

    fn value(&self, name: &Named) -> Result<Zeroizing<String>> {
        let missing =
            || Error::new(ErrorKind::CredentialMissing, "This carrier needs a credential, and none is stored.");
        let lease = &self.login.ok_or_else(missing)?.lease;
        match name {
            Named::Field(name) => markers::field(lease, name).map(|value| Zeroizing::new(value.to_owned())),
            Named::TotpCode => self.code.clone().ok_or_else(missing),
            Named::Answer => self.asking.answer().as_ref().map(|answer| answer.value.clone()).ok_or_else(|| {
                Error::new(ErrorKind::RequestInvalid, "The request holds a person's answer, and nobody has answered.")
            }),
            Named::Assertion => {
                let SignIn::ClientCredentials { token_url, proof: ClientProof::Assertion(algorithm), .. } =
                    self.asking.wire.carrier.connector.sign_in()
                else {
                    return Err(Error::new(ErrorKind::RequestInvalid, "This carrier takes no client assertion."));
                };
                let text = assertion::signed(lease, &token_url, algorithm, Timestamp::now())?;
                self.asking.hide(&text);
                Ok(text)
            }
            Named::WsDigest { nonce, created } => {
                let digest = markers::ws_digest(nonce, created, markers::field(lease, "password")?);
                self.asking.hide(&digest);
                Ok(digest)
            }
        }
    }
}

/// The reply as everybody above may see it: cookies in the jar, echoed secrets turned into markers again.
pub(super) fn undress(asking: &Asking, sent_to: &http::Uri, reply: Response<Bytes>) -> Response<Bytes> {
    let (mut head, body) = reply.into_parts();
    if let (Some(login), SignIn::Form(_)) = (&asking.login, asking.wire.carrier.connector.sign_in()) {
        login.session.jar().keep(sent_to, &head.headers, Timestamp::now());
    }
    head.headers.remove(header::SET_COOKIE);
    if let Some(location) = head.headers.get(header::LOCATION).cloned() {
        head.extensions.insert(RawLocation(location));
    }
    let scrubber = asking.scrubber(escape_of(&head.headers));
    for value in head.headers.values_mut() {
        if let Cow::Owned(clean) = scrubber.clean(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static("scrubbed"));
        }
    }
    let clean = |body: Bytes| match scrubber.clean(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(clean) => Bytes::from(clean),
    };
    if let Role::Token { .. } = asking.role {
        // The token itself goes to the session as it is; what is kept has neither it nor an echo of the secret.
        head.extensions.insert(KeptBody(clean(token::without_tokens(&body))));
        return Response::from_parts(head, body);
    }
    Response::from_parts(head, clean(body))
}

/// How a marker in this reply will be needed if the connector carries it along: hidden fields of a page come back as
/// form fields.
fn escape_of(headers: &HeaderMap) -> Escape {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    if kind.contains("html") {
        Escape::Form
    } else if kind.contains("json") {
        Escape::Json
    } else if kind.contains("xml") {
        Escape::Xml
    } else {
        Escape::Plain
    }
}
