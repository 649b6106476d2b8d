//! What is kept of one credential between asks, and the rules of signing in: one sign-in at a time ([`super::sign_in`]), its
//! result shared by all who wait; one rejection ends it.
//!
//! - A sign-in runs in a task of its own, so that an ask that goes away does not leave it half done, and is never
//!   retried: a failed one is everybody's answer who waited for it.
//! - A rejected credential is stopped in the vault before anybody hears of it, and not tried again.
//! - A login is noted durably before it leaves ([`note_login`]): after a kill in the middle of one, the credential is
//!   suspect.
//! - A form sign-in that failed in any other way after a secret had left may have been a refusal nobody understood: the
//!   credential is suspect, too. Only where the carrier said that it is out of order (429, 5xx) nothing was judged: then
//!   further ones are held back, longer each time.
//! - A credential that rides in requests ([`SignIn::Basic`], [`SignIn::Header`], [`SignIn::InRequest`]; a client
//!   certificate that alone says who we are) is tried by one attempt alone until it has been accepted once; otherwise
//!   fifty asks would be fifty wrong passwords.
//! - When the carrier has ended a session: the first request of an attempt is sent again after a new sign-in, since
//!   nothing in it can come from the old session's pages. A later one may carry such state (a view state, a result
//!   number), so it is not repeated; the ask fails with [`Retry::Safe`] and the retry begins at the first page.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::{BoxFuture, Error, ErrorKind, Result, Retry, SignIn};
use futures_util::future::Shared;
use http::{Response, StatusCode};
use tokio::time::Instant;

use super::Inner;
use super::asking::{Asking, Held, Login, Role};
use super::cookies::Jar;
use super::credentials::Doubt;
use super::limit::{Gate, Place, Rate};
use super::person;
use super::token::Token;
use super::totp::Steps;
use crate::carriers::Limits;

/// What is kept for one credential whatever its generation: what the carrier counts.
pub(super) struct Guards {
    pub(super) seats: Arc<Gate>,
    pub(super) rate: Arc<Rate>,
    pub(super) steps: Arc<Steps>,
}

impl Guards {
    pub(super) fn new(limits: &Limits) -> Self {
        let rate = Rate::new(limits.credential_requests_per_minute, "Our own limit for this login is used up.");
        let seats = Gate::new(
            limits.sessions_per_credential_max,
            "This login may be used for a few questions at a time only, and others are before this one.",
        );
        Self { seats, rate: Arc::new(rate), steps: Arc::default() }
    }

    /// The same credential under changed limits.
    pub(super) fn renewed(&self, before: &Limits, now: &Limits) -> Self {
        let mut new = Self::new(now);
        new.steps = self.steps.clone();
        if before.credential_requests_per_minute == now.credential_requests_per_minute {
            new.rate = self.rate.clone();
        }
        if before.sessions_per_credential_max == now.sessions_per_credential_max {
            new.seats = self.seats.clone();
        }
        new
    }
}

/// One generation of one credential at the carrier, for one practice (or for all, where the credential is the
/// gateway's own).
pub(super) struct Session {
    state: Mutex<State>,
    jar: Mutex<Jar>,
    /// Lets one attempt at a time try a credential that has not been accepted yet.
    proof: Arc<Gate>,
    proven: AtomicBool,
    /// Attempts that run now.
    pub(super) active: AtomicUsize,
    /// Counts sign-ins.
    pub(super) epochs: AtomicU64,
    /// The credential's generation since a person has changed a value in the middle of this sign-in; 0: nobody has.
    pub(super) replaced: AtomicU64,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// Number of the present phase's sign-in.
    pub(super) epoch: u64,
    pub(super) last_used: Instant,
    /// Unclear failures in a row.
    pub(super) failures: u32,
}

/// What all who wait for a sign-in share.
pub(super) type SigningIn = Shared<BoxFuture<'static, Result<()>>>;

pub(super) enum Phase {
    Out,
    Busy(SigningIn),
    In(Option<Token>),
    Held { until: Instant, error: Error },
    Stopped(Doubt),
}

impl Session {
    pub(super) fn new() -> Self {
        let state = State { phase: Phase::Out, epoch: 0, last_used: Instant::now(), failures: 0 };
        Self {
            state: Mutex::new(state),
            jar: Mutex::default(),
            proof: Gate::new(1, "Another question is trying this login for the first time."),
            proven: AtomicBool::new(false),
            active: AtomicUsize::new(0),
            epochs: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
        }
    }

    pub(super) fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is lost when this value is dropped: nobody uses it, nobody is signed in, nothing is remembered.
    pub(super) fn forgettable(&self, idle: Duration) -> bool {
        let state = self.state();
        let quiet = self.active.load(Ordering::Relaxed) == 0 && state.last_used.elapsed() > idle;
        quiet && matches!(state.phase, Phase::Out | Phase::In(Some(_)))
    }

    /// # Errors
    /// The doubt's error when this generation of the credential is not to be used any more.
    pub(super) fn not_rejected(&self) -> Result<()> {
        if let Phase::Stopped(doubt) = self.state().phase { Err(doubt.error()) } else { Ok(()) }
    }

    /// Ends session number `epoch` and hands its cookies over, in one step; `None` when it is over already.
    pub(super) fn part(&self, epoch: u64) -> Option<Jar> {
        let mut state = self.state();
        if state.epoch != epoch || !matches!(state.phase, Phase::In(_)) {
            return None;
        }
        state.phase = Phase::Out;
        Some(std::mem::take(&mut *self.jar()))
    }

    /// Forgets session number `epoch`; a newer one stays.
    fn end(&self, epoch: u64) {
        let mut state = self.state();
        if state.epoch == epoch && matches!(state.phase, Phase::In(_)) {
            state.phase = Phase::Out;
        }
    }
}

/// The credential has been accepted once.
pub(super) fn proven(session: &Session) {
    session.proven.store(true, Ordering::Release);
}

/// Notes a login durably before it leaves: every sign-in at a form; elsewhere, while a person has a refused one tried again
/// (a machine's login is not locked out for a lost reply, and a durable write for each would cost more than it saves).
///
/// # Errors
/// Those of [`super::Credentials::login_begins`]; nothing may leave then.
pub(super) async fn note_login(asking: &Asking) -> Result<()> {
    let Some(login) = &asking.login else { return Ok(()) };
    let on_trial = || login.lease.on_trial && !login.session.proven.load(Ordering::Acquire);
    let wanted = match asking.role {
        Role::SignIn => true,
        Role::Token { .. } => on_trial(),
        Role::Ask => rides_in_requests(&asking.wire) && on_trial(),
        Role::SignOut => false,
    };
    let mut mark = asking.mark.lock().await;
    if wanted && mark.is_none() {
        *mark = Some(asking.wire.vault.login_begins(&login.lease.credential_id, login.lease.generation).await?);
    }
    Ok(())
}

/// The login this attempt began, if it began one, is over. Durable a moment later; [`settle`] waits for that.
pub(super) fn end_login(asking: &Asking, accepted: bool) {
    if let (Some(done), Ok(runtime)) = (login_over(asking, accepted), tokio::runtime::Handle::try_current()) {
        runtime.spawn(done);
    }
}

/// As [`end_login`], durable when the future is done.
pub(super) fn login_over(asking: &Asking, accepted: bool) -> Option<BoxFuture<'static, ()>> {
    let login = asking.login.as_ref()?;
    let mark = asking.mark.try_lock().ok()?.take()?;
    let (carrier, credential) = (asking.wire.carrier.clone(), login.lease.credential_id.clone());
    let ended = asking.wire.vault.login_ended(&credential, mark, accepted);
    Some(Box::pin(async move {
        if let Err(error) = ended.await {
            let carrier = carrier.id.as_str();
            tracing::error!(carrier, credential, %error, "The end of a login could not be stored; after a restart it counts as open.");
        }
    }))
}

/// Takes a seat for the whole attempt, before its first request.
///
/// # Errors
/// [`ErrorKind::Overloaded`], [`ErrorKind::CredentialRejected`].
pub(super) async fn sit_down(asking: &Asking) -> Result<()> {
    let Some(login) = asking.login.as_ref().filter(|_| asking.role == Role::Ask) else { return Ok(()) };
    let mut held = asking.held.lock().await;
    if held.is_some() {
        return Ok(());
    }
    let since = Instant::now();
    let seat = seat(asking, login).await;
    let proof = match seat.is_ok() && rides_in_requests(&asking.wire) {
        true => first_to_try(asking, login).await,
        false => Ok(None),
    };
    asking.notes.waited_since(since);
    let (seat, proof) = (seat?, proof?);
    login.session.not_rejected()?;
    *held = Some(Held { _seat: seat, proof });
    Ok(())
}

/// A seat; whoever finds all taken while a person is waited for waits for that person, too.
async fn seat(asking: &Asking, login: &Login) -> Result<Place> {
    loop {
        let full = match login.guards.seats.enter(asking.lane, asking.deadline()).await {
            Ok(place) => return Ok(place),
            Err(full) => full,
        };
        if let Some(error) = person::waited(asking, login, full) {
            return Err(error);
        }
    }
}

/// Whether only a question shows if the credential is good.
fn rides_in_requests(wire: &Inner) -> bool {
    match wire.carrier.connector.sign_in() {
        SignIn::Basic | SignIn::Header(_) | SignIn::InRequest => true,
        SignIn::None => certificate_alone(wire),
        SignIn::ClientCredentials { .. } | SignIn::Form(_) => false,
    }
}

/// Whether a client certificate is all that says who we are.
pub(super) fn certificate_alone(wire: &Inner) -> bool {
    wire.carrier.client_certificate && matches!(wire.carrier.connector.sign_in(), SignIn::None)
}

async fn first_to_try(asking: &Asking, login: &Login) -> Result<Option<Place>> {
    if login.session.proven.load(Ordering::Acquire) {
        return Ok(None);
    }
    let place = login.session.proof.enter(asking.lane, asking.deadline()).await?;
    Ok((!login.session.proven.load(Ordering::Acquire)).then_some(place))
}

/// Stops a credential: in this process at once, in the vault before this returns.
pub(super) async fn stop(wire: &Inner, login: &Login, why: Doubt) {
    login.session.state().phase = Phase::Stopped(why);
    login.session.jar().clear();
    let (vault, carrier, lease) = (wire.vault.clone(), wire.carrier.clone(), login.lease.clone());
    let generation = lease.generation.max(login.session.replaced.load(Ordering::Relaxed));
    // In a task of its own: an ask whose time is over in this moment must not leave it unwritten.
    let written = tokio::spawn(async move {
        let (carrier, credential) = (carrier.id.as_str(), lease.credential_id.as_str());
        match vault.stop(credential, generation, why).await {
            Ok(()) => tracing::warn!(carrier, credential, why = why.word(), "A credential is in doubt; it is stopped."),
            Err(error) => {
                tracing::error!(carrier, credential, %error, "A refused credential could not be stopped durably.")
            }
        }
    });
    // An error is a panic of the vault, or the runtime's end.
    let _ = written.await;
}

/// What to tell of a request that failed: where the carrier did not take the client certificate, the credential is stopped
/// first, so that nobody shows it again.
pub(super) async fn failed(asking: &Asking, error: Error) -> Error {
    if let Some(login) = asking.login.as_ref().filter(|_| asking.role != Role::SignOut)
        && error.kind == ErrorKind::CredentialRejected
        && login.session.not_rejected().is_ok()
    {
        stop(&asking.wire, login, Doubt::CertificateRefused).await;
    }
    error
}

/// What a whole reply, redirects followed, means for the session.
pub(super) enum Judged {
    /// It is the connector's.
    Good(Response<Bytes>),
    /// The session had ended: send the same request once more.
    Again,
}

/// Looks at a reply to an ask's request.
///
/// # Errors
/// [`ErrorKind::CredentialRejected`] for a 401 where the credential rides in a header;
/// [`ErrorKind::CarrierUnavailable`] when the session ended in the middle of the attempt.
pub(super) async fn judge(asking: &Asking, reply: Response<Bytes>) -> Result<Judged> {
    let Some(login) = asking.login.as_ref().filter(|_| asking.role == Role::Ask) else {
        return Ok(Judged::Good(reply));
    };
    let status = reply.status();
    let alone = certificate_alone(&asking.wire);
    match asking.wire.carrier.connector.sign_in() {
        SignIn::None if alone && status == StatusCode::UNAUTHORIZED => {
            stop(&asking.wire, login, Doubt::CertificateRefused).await;
            return Err(Doubt::CertificateRefused.error().fact("status", status));
        }
        SignIn::Basic | SignIn::Header(_) if status == StatusCode::UNAUTHORIZED => {
            stop(&asking.wire, login, Doubt::Refused).await;
            return Err(Doubt::Refused.error().fact("status", status));
        }
        sign_in if (alone || matches!(sign_in, SignIn::Basic | SignIn::Header(_))) && status.as_u16() < 400 => {
            proven(&login.session);
            if let Some(over) = login_over(asking, true) {
                over.await;
            }
            if let Some(held) = asking.held.lock().await.as_mut() {
                held.proof = None;
            }
        }
        SignIn::ClientCredentials { .. } if status == StatusCode::UNAUTHORIZED => {
            login.session.end(asking.epoch.load(Ordering::Relaxed));
            if !asking.renewed.swap(true, Ordering::Relaxed) {
                return Ok(Judged::Again);
            }
        }
        SignIn::Form(form) if form.signed_out(&reply) => return session_ended(asking, login),
        SignIn::None
        | SignIn::Basic
        | SignIn::Header(_)
        | SignIn::ClientCredentials { .. }
        | SignIn::InRequest
        | SignIn::Form(_) => {}
    }
    asking.replies.fetch_add(1, Ordering::Relaxed);
    asking.answered.fetch_or(status.as_u16() < 400, Ordering::Relaxed);
    Ok(Judged::Good(reply))
}

fn session_ended(asking: &Asking, login: &Login) -> Result<Judged> {
    login.session.end(asking.epoch.load(Ordering::Relaxed));
    let first = asking.replies.load(Ordering::Relaxed) == 0;
    let own = asking.signed_in_here.load(Ordering::Relaxed);
    if first && !own && !asking.renewed.swap(true, Ordering::Relaxed) {
        return Ok(Judged::Again);
    }
    let error =
        Error::new(ErrorKind::CarrierUnavailable, "The carrier ended the session in the middle of the question.");
    // A session that ends right after its sign-in would be signed in again and again.
    Err(if own { error.retry(Retry::Never) } else { error })
}
