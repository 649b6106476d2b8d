//! The HTTP plane: what every request of a connector runs through, one [`Wire`] for each carrier.
//!
//! **The order of the layers**, outermost first, stands in `send`, `redirect::follow`, `pass` and `layers`:
//!
//! | layer | duty | because here |
//! |---|---|---|
//! | seat (`session::sit_down`) | so many questions at once with one login | it is held for the whole attempt, not for one request |
//! | renewal (`session::judge`) | sees a signed-out page, a 401 | it must see the page a redirect led to |
//! | redirect | follows at most five hops | each hop runs through all that is below: recorded, checked, limited |
//! | record | keeps each exchange; writes or plays a cassette | above markers: it sees what the connector wrote and what the connector sees |
//! | egress | only hosts that the file lists | before anything else happens for a request that may not leave |
//! | signed in (`sign_in::signed_in`) | starts or awaits the one sign-in | before the limit: a sign-in needs places of its own, and an ask that held one while it waits could block it |
//! | turn (`mutual`) | one request at a time while a carrier has not yet taken a client certificate | before the limit: those who wait hold no place |
//! | limit | two lanes, rate and places | below sign-in and redirects: carriers count HTTP requests, sign-ins too |
//! | dress (`dress`) | markers to secrets and back, tokens, cookies | as far down as can be: nothing above ever holds a secret |
//! | client | hyper, TLS (a pool for each credential under mutual TLS), bounds, IP class of the dialled address | the only place where bytes leave |

mod asking;
mod assertion;
pub mod cassette;
mod certificate;
mod client;
mod commit;
mod connect;
mod cookies;
pub mod credentials;
mod dress;
mod egress;
mod leaving;
pub mod limit;
mod markers;
mod mutual;
mod notify;
mod person;
mod pools;
pub mod record;
mod redirect;
mod session;
mod sign_in;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;
mod totp;
mod values;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::context::Warning;
use connector_sdk::{Context, Error, ErrorKind, Result, Retry, SignIn};
use http::{Method, Request, Response};
use jiff::Timestamp;
use tokio::time::Instant;

pub use self::cassette::Cassette;
pub use self::certificate::values_end;
pub use self::commit::Arm;
pub use self::credentials::{Credentials, Doubt, Lease, LoginMark};
pub use self::limit::Budget;
pub use self::notify::Notifier;
pub use self::person::{Answer, Raised, Relay, waits_for_person};
pub use self::record::Exchange;
pub use self::values::{ValueProblem, value_problems};
use connector_sdk::ask::Lane;

use self::asking::{Asking, HostOf, Login};
use self::certificate::Identity;
use self::client::Client;
use self::connect::Trust;
use self::egress::Egress;
use self::limit::{Gate, Place, Rate};
use self::pools::Pools;
use self::session::{Guards, Judged, Session};
use crate::carriers::{CLIENT_CERTIFICATE, CLIENT_KEY, Carrier, CredentialScope};
use crate::practice::PracticeId;

/// Credentials and sessions nobody used for this long are forgotten (and are made anew when needed).
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// How often a wire that is to be closed is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One carrier's HTTP plane: its connections, limits and sessions. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Inner>,
}

/// Why a wire cannot be made from a carrier file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The certificate authority's PEM file holds no certificate that can be used.
    CaUnreadable,
    /// An entry of `allow_private` is not a network; the text as the file has it.
    NotANetwork(String),
    /// TLS could not be set up at all.
    Tls,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaUnreadable => f.write_str(
                "The certificate authority's file holds no usable certificate. It must be PEM text: -----BEGIN CERTIFICATE-----",
            ),
            Self::NotANetwork(text) => {
                write!(f, "\"{text}\" in allow_private is not a network. Write an address with its bits: 10.1.2.0/24")
            }
            Self::Tls => f.write_str("TLS could not be set up."),
        }
    }
}

impl std::error::Error for WireError {}

/// Who asks, in which lane, until when.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose question it is.
    pub practice: PracticeId,
    /// Who waits first.
    pub lane: Lane,
    /// Nothing of this attempt goes on beyond.
    pub deadline: Instant,
    /// Our number for the ask: at most 20 letters and digits.
    pub trace: String,
    /// Today where the practice is.
    pub today: jiff::civil::Date,
}

/// An open attempt. Give its context to the connector, then [`AttemptHandle::finish`] it. Dropped unfinished, it gives
/// everything back all the same.
pub struct AttemptHandle {
    asking: Arc<Asking>,
}

/// What an attempt leaves behind.
#[derive(Debug)]
pub struct Attempted {
    /// Every exchange, sign-in pages included, in order. Evidence: seal it.
    pub exchanges: Vec<Exchange>,
    /// What the connector wants told beside the answer.
    pub warnings: Vec<Warning>,
    /// Time spent waiting for our own limits.
    pub queued: Duration,
    /// Which credential was used; ours, free of meaning.
    pub credential_id: Option<String>,
}

pub(crate) struct Inner {
    carrier: Arc<Carrier>,
    vault: Arc<dyn Credentials>,
    egress: Arc<Egress>,
    trust: Trust,
    /// For requests without a client certificate.
    client: Client,
    rate: Arc<Rate>,
    places: Arc<Gate>,
    logins: Mutex<Logins>,
    closed: AtomicBool,
    cassette: Option<Cassette>,
    /// Finds people for what a carrier asks of them.
    relay: Option<Arc<dyn Relay>>,
}

#[derive(Default)]
struct Logins {
    /// By credential.
    guards: HashMap<String, Arc<Guards>>,
    sessions: HashMap<SessionKey, Arc<Session>>,
    /// Under mutual TLS.
    pools: Pools,
    /// Which credential a practice used last.
    used: HashMap<PracticeId, String>,
}

/// Sessions are never shared between practices, but for a credential that is the gateway's own (then: no practice).
#[derive(Clone, PartialEq, Eq, Hash)]
struct SessionKey {
    practice: Option<PracticeId>,
    credential_id: String,
    generation: u64,
}

impl Wire {
    /// The wire of one carrier. Opens no connection.
    ///
    /// # Errors
    /// [`WireError`] when the carrier's certificate authority or private networks cannot be read.
    pub fn new(carrier: Arc<Carrier>, vault: Arc<dyn Credentials>) -> std::result::Result<Self, WireError> {
        Ok(Self { inner: Arc::new(Inner::new(carrier, vault)?) })
    }

    /// A wire whose carrier may ask people.
    ///
    /// # Errors
    /// As [`Wire::new`].
    pub fn attended(
        carrier: Arc<Carrier>,
        vault: Arc<dyn Credentials>,
        relay: Arc<dyn Relay>,
    ) -> std::result::Result<Self, WireError> {
        let mut inner = Inner::new(carrier, vault)?;
        inner.relay = Some(relay);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A wire that writes what it does into a folder, or plays from one and sends nothing. For tests and for authors of
    /// connectors.
    ///
    /// # Errors
    /// As [`Wire::new`].
    pub fn with_cassette(
        carrier: Arc<Carrier>,
        vault: Arc<dyn Credentials>,
        cassette: Cassette,
    ) -> std::result::Result<Self, WireError> {
        let mut inner = Inner::new(carrier, vault)?;
        inner.cassette = Some(cassette);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The wire of the same carrier after its file has changed. What the carrier counts goes on: requests of the last
    /// minute (where the limits stay as they are), one-time codes used, credentials it has refused. Sessions do not:
    /// [`Wire::close`] this one when the new one has taken its place.
    ///
    /// # Errors
    /// As [`Wire::new`].
    pub fn renewed(&self, carrier: Arc<Carrier>) -> std::result::Result<Self, WireError> {
        let old = &self.inner;
        let mut new = Inner::new(carrier, old.vault.clone())?;
        new.relay = old.relay.clone();
        let (before, now) = (&old.carrier.limits, &new.carrier.limits);
        if before.requests_per_minute == now.requests_per_minute {
            new.rate = old.rate.clone();
        }
        if before.concurrent_max == now.concurrent_max {
            new.places = old.places.clone();
        }
        let logins = old.logins();
        let guards = logins.guards.iter().map(|(id, guards)| (id.clone(), Arc::new(guards.renewed(before, now))));
        let refused = logins.sessions.iter().filter(|(_, session)| session.not_rejected().is_err());
        let taken = Logins {
            guards: guards.collect(),
            sessions: refused.map(|(key, session)| (key.clone(), session.clone())).collect(),
            // The new file may name another authority or other hosts.
            pools: Pools::default(),
            used: logins.used.clone(),
        };
        drop(logins);
        new.logins = Mutex::new(taken);
        Ok(Self { inner: Arc::new(new) })
    }

    /// Opens one attempt at one ask. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialMissing`], [`ErrorKind::CredentialRejected`]; [`ErrorKind::Overloaded`] on a closed wire.
    pub fn attempt(&self, who: Attempt) -> Result<AttemptHandle> {
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Overloaded, "The carrier's file is being reloaded.")
                .retry(Retry::After(Duration::from_secs(1))));
        }
        let login = self.inner.login(&who.practice)?;
        if let Some(login) = &login {
            login.session.active.fetch_add(1, Ordering::Relaxed);
        }
        Ok(AttemptHandle { asking: Asking::new(self.inner.clone(), who, login) })
    }

    /// What this practice may still send: the tighter of the carrier's allowance and of its credential's.
    pub fn budget(&self, practice: &PracticeId) -> Budget {
        let logins = self.inner.logins();
        let guards = logins.used.get(practice).and_then(|credential| logins.guards.get(credential));
        let carrier = self.inner.rate.budget();
        guards.map_or(carrier, |guards| carrier.tighter(guards.rate.budget()))
    }

    /// For a wire whose place another has taken: waits until nobody holds it but this call (questions that were put to it
    /// still run through it, retries included), `at_most` so long, then closes it.
    pub async fn retire(self, at_most: Duration) {
        let until = Instant::now() + at_most;
        while Arc::strong_count(&self.inner) > 1 && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.close().await;
    }

    /// Takes no more attempts, signs out of every session, as well as the carriers let us. Attempts that run go on.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        let open: Vec<_> = {
            let logins = self.inner.logins();
            let open = logins.sessions.iter().filter_map(|(key, session)| {
                let guards = logins.guards.get(&key.credential_id)?.clone();
                let epoch = session.at_form()?;
                let client = logins.pools.kept(key);
                Some((Login::leaving(&key.credential_id, key.generation, session.clone(), guards, client), epoch))
            });
            open.collect()
        };
        for (login, epoch) in open {
            leaving::leave(&self.inner, &login, epoch).await;
        }
        self.inner.logins().pools.clear();
    }
}

impl Inner {
    fn new(carrier: Arc<Carrier>, vault: Arc<dyn Credentials>) -> std::result::Result<Self, WireError> {
        let egress = Arc::new(Egress::new(&carrier.hosts, &carrier.allow_private).map_err(WireError::NotANetwork)?);
        let trust = Trust::of(carrier.ca_pem.as_deref())?;
        let client = Client::new(egress.clone(), &trust, None, carrier.limits.body_max_bytes);
        let limits = &carrier.limits;
        let rate = Rate::new(limits.requests_per_minute, "Our own limit for this carrier is used up.");
        Ok(Self {
            egress,
            trust,
            client,
            rate: Arc::new(rate),
            places: Gate::new(limits.concurrent_max, "As many requests as this carrier gets at once are running."),
            logins: Mutex::default(),
            closed: AtomicBool::new(false),
            cassette: None,
            relay: None,
            carrier,
            vault,
        })
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The practice's credential with what is kept for it; `None` where the carrier needs none.
    fn login(&self, practice: &PracticeId) -> Result<Option<Login>> {
        let fields = self.carrier.credential_fields();
        if fields.is_empty() && matches!(self.carrier.connector.sign_in(), SignIn::None) {
            return Ok(None);
        }
        let mut lease = self.vault.lease(practice, &self.carrier)?;
        if fields.iter().any(|field| !field.optional && lease.field(&field.name).is_none()) {
            return Err(Error::new(
                ErrorKind::CredentialMissing,
                "A field of the credential that this carrier needs is not stored.",
            ));
        }
        let key = SessionKey {
            practice: match self.carrier.credential {
                CredentialScope::PerPractice => Some(practice.clone()),
                CredentialScope::Gateway => None,
            },
            credential_id: lease.credential_id.clone(),
            generation: lease.generation,
        };
        let mut logins = self.logins();
        logins.forget_unused();
        let client = self.client_of(&mut lease, &key, &mut logins.pools)?;
        let guards = logins
            .guards
            .entry(key.credential_id.clone())
            .or_insert_with(|| Arc::new(Guards::new(&self.carrier.limits)))
            .clone();
        let session = logins.sessions.entry(key).or_insert_with(|| Arc::new(Session::new())).clone();
        logins.used.insert(practice.clone(), lease.credential_id.clone());
        drop(logins);
        session.not_rejected()?;
        Ok(Some(Login { lease: Arc::new(lease), session, guards, client }))
    }

    /// The connections under a credential's client certificate; `None` where the carrier wants none. Takes certificate and
    /// key out of the lease: no marker can name them, and no attempt holds them.
    fn client_of(&self, lease: &mut Lease, key: &SessionKey, pools: &mut Pools) -> Result<Option<Arc<Client>>> {
        let own = [CLIENT_CERTIFICATE, CLIENT_KEY].map(|name| lease.fields.remove(name));
        let plays = self.cassette.as_ref().is_some_and(Cassette::plays);
        let [Some(certificate), Some(private)] = own else { return Ok(None) };
        if !self.carrier.client_certificate || plays {
            return Ok(None);
        }
        let client = pools.of(key, || {
            let identity = Identity::open(&certificate, &private).map_err(|problem| {
                Error::new(
                    ErrorKind::CredentialMissing,
                    "The stored client certificate cannot be used: enter it again.",
                )
                .fact("problem", problem)
            })?;
            let mutual = self.trust.mutual(&identity, lease.origins.clone());
            let mutual = mutual.map_err(|_| Error::new(ErrorKind::Internal, "TLS could not be set up."))?;
            Ok(Client::new(self.egress.clone(), &self.trust, Some(mutual), self.carrier.limits.body_max_bytes))
        })?;
        if client.has_ended(Timestamp::now()) {
            return Err(Error::new(
                ErrorKind::CredentialRejected,
                "The stored client certificate has ended, and the carrier was not asked with it. The practice admin enters the renewed one with its key.",
            ));
        }
        Ok(Some(client))
    }
}

impl Logins {
    /// Keeps the maps as small as what is in use. A rejected credential is remembered.
    fn forget_unused(&mut self) {
        if self.sessions.len() < 1_024 {
            return;
        }
        self.sessions.retain(|_, session| Arc::strong_count(session) > 1 || !session.forgettable(FORGET_AFTER));
        let kept: std::collections::HashSet<_> = self.sessions.keys().map(|key| key.credential_id.clone()).collect();
        self.guards.retain(|credential, guards| Arc::strong_count(guards) > 1 || kept.contains(credential));
        self.used.retain(|_, credential| kept.contains(credential));
    }
}

impl AttemptHandle {
    /// What to give to the connector.
    pub fn context(&self) -> Context {
        Context::new(Arc::new(HostOf(self.asking.clone())))
    }

    /// What to give to a connector for the one request that has an effect: the first request through it that is no GET or
    /// HEAD. That one gets a connection of its own; `arm` runs when it stands and everybody is signed in, immediately
    /// before the first byte; an error of `arm` keeps that byte back. It is sent once: no redirect is followed, no session
    /// renewed for it, nothing tried again, and no second one like it leaves.
    pub fn committing(&self, arm: Arm) -> Context {
        Context::new(Arc::new(commit::Committing::new(self.asking.clone(), arm)))
    }

    /// Where the carrier asks something of a person, this attempt may wait for them until then; otherwise its deadline
    /// holds.
    pub fn wait_for_people(&self, until: Instant) {
        self.asking.set_patience(until);
    }

    /// Nothing of this attempt goes on beyond, as it stands now.
    pub fn deadline(&self) -> Instant {
        self.asking.deadline()
    }

    /// Whether the first byte of a committing request was let go. From then on, only the carrier's own word says what
    /// became of it.
    pub fn armed(&self) -> bool {
        self.asking.armed.load(Ordering::SeqCst)
    }

    /// The connector says that the carrier refused the credential: stops it, durably, before this returns. Call it
    /// before [`AttemptHandle::finish`] whenever an operation ends with [`ErrorKind::CredentialRejected`].
    pub async fn reject_credential(&self) {
        if let Some(login) = &self.asking.login
            && login.session.not_rejected().is_ok()
        {
            session::stop(&self.asking.wire, login, Doubt::Refused).await;
        }
        self.no_outcome();
    }

    /// The operation had no outcome: that the carrier replied does not prove that it took the credential. The next ask
    /// tries it alone again.
    pub fn no_outcome(&self) {
        self.asking.answered.store(false, Ordering::Relaxed);
    }

    /// Signs in without asking anything: what a person does to see whether a credential works. `false` where it rides in
    /// each question (HTTP Basic, a key, WS-Security): there only a question can show it, and nothing is sent.
    ///
    /// # Errors
    /// Whatever the sign-in ended with; a refused credential is stopped by then.
    pub async fn sign_in(&self) -> Result<bool> {
        session::sit_down(&self.asking).await?;
        sign_in::signed_in(&self.asking).await?;
        Ok(matches!(self.asking.wire.carrier.connector.sign_in(), SignIn::Form(_) | SignIn::ClientCredentials { .. }))
    }

    /// Ends the attempt and hands over what was kept of it.
    pub fn finish(self) -> Attempted {
        let asking = &self.asking;
        asking::let_go(asking, asking.answered.load(Ordering::Relaxed));
        let warnings = std::mem::take(&mut *asking.notes.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        Attempted {
            exchanges: asking.notes.recorder.take(),
            warnings,
            queued: asking.notes.queued(),
            credential_id: asking.login.as_ref().map(|login| login.lease.credential_id.clone()),
        }
    }
}

impl Drop for AttemptHandle {
    fn drop(&mut self) {
        asking::let_go(&self.asking, false);
        if let Some(login) = &self.asking.login {
            login.session.active.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A request of a connector, all the way out and back: from the seat down to the redirects.
async fn send(asking: &Arc<Asking>, request: Request<Bytes>) -> Result<Response<Bytes>> {
    session::sit_down(asking).await?;
    let reply = redirect::follow(asking, request.clone()).await?;
    if let Judged::Good(reply) = session::judge(asking, reply).await? {
        return Ok(reply);
    }
    match session::judge(asking, redirect::follow(asking, request).await?).await? {
        Judged::Good(reply) => Ok(reply),
        Judged::Again => {
            Err(Error::new(ErrorKind::CarrierUnavailable, "The carrier ends sessions as soon as they begin.")
                .retry(Retry::Never))
        }
    }
}

/// One hop, recorded.
async fn pass(asking: &Arc<Asking>, request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let begun = asking.notes.recorder.begin();
    let reply = layers(asking, request).await;
    let shown = asking.shown_uri(request);
    asking.notes.recorder.keep(&begun, &shown, request, &reply);
    if let (Some(cassette), Ok(reply)) = (&asking.wire.cassette, &reply) {
        cassette.keep(&asking.prefix, &shown, request, reply);
    }
    reply
}

/// One hop, from egress down to the bytes.
async fn layers(asking: &Arc<Asking>, request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let wire = &asking.wire;
    wire.egress.check(request.uri())?;
    let bearer = sign_in::signed_in(asking).await?;
    if let Some(cassette) = wire.cassette.as_ref().filter(|cassette| cassette.plays()) {
        return Ok(dress::undress(asking, request.uri(), cassette.next(&asking.prefix, request)?));
    }
    let client = asking.client();
    let _turn = client.turn(request.uri(), asking.lane, asking.deadline()).await?;
    let place = wire.limit(asking).await?;
    let dressed = dress::dress(asking, request, bearer).await?;
    let again = (dressed.method() == Method::GET).then(|| dressed.clone());
    let sent = client.send(dressed, asking.deadline()).await;
    drop(place);
    asking.out_of_order.store(false, Ordering::Relaxed);
    let reply = match (sent, again) {
        (Ok(reply), _) => reply,
        // A kept connection that had gone stale. Nothing but a GET is sent twice: the carrier may have acted on it.
        (Err(failed), Some(again)) if failed.unanswered => {
            let _place = wire.limit(asking).await?;
            match client.send(again, asking.deadline()).await {
                Ok(reply) => reply,
                Err(failed) => return Err(session::failed(asking, failed.error).await),
            }
        }
        (Err(failed), _) => return Err(session::failed(asking, failed.error).await),
    };
    asking.out_of_order.store(says_out_of_order(&reply), Ordering::Relaxed);
    Ok(dress::undress(asking, request.uri(), reply))
}

/// Whether a reply says, by its status, that the carrier did not look at the request.
fn says_out_of_order(reply: &Response<Bytes>) -> bool {
    reply.status() == http::StatusCode::TOO_MANY_REQUESTS || reply.status().is_server_error()
}

impl Inner {
    /// Waits for the credential's allowance, the carrier's, and a place. In this order, because what was taken and then
    /// not used is lost, and the credential's is the smaller.
    async fn limit(&self, asking: &Asking) -> Result<Place> {
        let since = Instant::now();
        let place = async {
            if let Some(login) = &asking.login {
                login.guards.rate.pass(asking.lane, asking.deadline()).await?;
            }
            self.rate.pass(asking.lane, asking.deadline()).await?;
            self.places.enter(asking.lane, asking.deadline()).await
        };
        let place = place.await;
        asking.notes.waited_since(since);
        place
    }
}
