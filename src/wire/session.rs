//! Signs in: one sign-in at a time for a credential, its result shared by all who wait; one rejection ends it.
//!
//! - A sign-in runs in a task of its own, so that an ask that goes away does not leave it half done, and is never
//!   retried: a failed one is everybody's answer who waited for it.
//! - A rejected credential is stopped in the vault before anybody hears of it, and not tried again.
//! - A login is noted durably before it leaves ([`note_login`]): after a kill in the middle of one, the credential is
//!   suspect.
//! - A form sign-in that failed in any other way after a secret had left may have been a refusal nobody understood: the
//!   credential is suspect, too. Only where the carrier said that it is out of order (429, 5xx) nothing was judged: then
//!   further ones are held back, longer each time.
//! - A credential that rides in requests ([`SignIn::Basic`], [`SignIn::Header`], [`SignIn::InRequest`]) is tried by one
//!   attempt alone until it has been accepted once; otherwise fifty asks would be fifty wrong passwords.
//! - When the carrier has ended a session: the first request of an attempt is sent again after a new sign-in, since
//!   nothing in it can come from the old session's pages. A later one may carry such state (a view state, a result
//!   number), so it is not repeated; the ask fails with [`Retry::Safe`] and the retry begins at the first page.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::connector::ClientProof;
use connector_sdk::{BoxFuture, Context, Error, ErrorKind, FormSignIn, Result, Retry, SignIn};
use futures_util::FutureExt as _;
use futures_util::future::Shared;
use http::{Response, StatusCode};
use tokio::sync::oneshot;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Inner;
use super::asking::{Asking, Held, HostOf, Login, Role};
use super::cookies::Jar;
use super::credentials::Doubt;
use super::limit::{Gate, Place, Rate};
use super::person;
use super::token::{self, Token};
use super::totp::Steps;
use crate::carriers::Limits;

/// How long further sign-ins are held back after the first that failed without a clear word; doubled each time.
const HOLD_FIRST: Duration = Duration::from_secs(60);
/// The longest.
const HOLD_MAX: Duration = Duration::from_secs(3_600);
/// For leaving a session.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(10);

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
    epochs: AtomicU64,
    /// The credential's generation since a person has changed a value in the middle of this sign-in; 0: nobody has.
    pub(super) replaced: AtomicU64,
}

struct State {
    phase: Phase,
    /// Number of the present phase's sign-in.
    epoch: u64,
    last_used: Instant,
    /// Unclear failures in a row.
    failures: u32,
}

/// What all who wait for a sign-in share.
type SigningIn = Shared<BoxFuture<'static, Result<()>>>;

enum Phase {
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

    fn state(&self) -> MutexGuard<'_, State> {
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
    fn part(&self, epoch: u64) -> Option<Jar> {
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
fn login_over(asking: &Asking, accepted: bool) -> Option<BoxFuture<'static, ()>> {
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

fn rides_in_requests(wire: &Inner) -> bool {
    match wire.carrier.connector.sign_in() {
        SignIn::Basic | SignIn::Header(_) | SignIn::InRequest => true,
        SignIn::None | SignIn::ClientCredentials { .. } | SignIn::Form(_) => false,
    }
}

async fn first_to_try(asking: &Asking, login: &Login) -> Result<Option<Place>> {
    if login.session.proven.load(Ordering::Acquire) {
        return Ok(None);
    }
    let place = login.session.proof.enter(asking.lane, asking.deadline()).await?;
    Ok((!login.session.proven.load(Ordering::Acquire)).then_some(place))
}

/// Signed in, before a request of an ask leaves. Gives the token where the scheme has one.
///
/// # Errors
/// Whatever the sign-in ended with.
pub(super) async fn signed_in(asking: &Arc<Asking>) -> Result<Option<Zeroizing<String>>> {
    let Some(login) = asking.login.as_ref().filter(|_| asking.role == Role::Ask) else { return Ok(None) };
    match asking.wire.carrier.connector.sign_in() {
        SignIn::Form(_) | SignIn::ClientCredentials { .. } => {}
        SignIn::None | SignIn::Basic | SignIn::Header(_) | SignIn::InRequest => {
            login.session.not_rejected()?;
            return Ok(None);
        }
    }
    // Twice at most: once more when a session ended between its sign-in and its first use.
    for _ in 0..2 {
        let waiting = match look(asking, login)? {
            Looked::In(token) => return Ok(token),
            Looked::Wait(waiting) => waiting,
        };
        wait(asking, login, waiting).await?;
        asking.signed_in_here.store(true, Ordering::Relaxed);
    }
    match look(asking, login)? {
        Looked::In(token) => Ok(token),
        Looked::Wait(_) => {
            Err(Error::new(ErrorKind::CarrierUnavailable, "The carrier ends sessions right after sign-in.")
                .retry(Retry::Never))
        }
    }
}

/// Waits for a sign-in: as long as this ask has time, and for a person as long as its question has.
async fn wait(asking: &Asking, login: &Login, waiting: SigningIn) -> Result<()> {
    loop {
        if let Ok(result) = tokio::time::timeout_at(asking.deadline(), waiting.clone()).await {
            return result;
        }
        let late =
            Error::new(ErrorKind::CarrierTimeout, "Signing in at the carrier took longer than this ask has time.");
        if let Some(error) = person::waited(asking, login, late) {
            return Err(error);
        }
    }
}

enum Looked {
    In(Option<Zeroizing<String>>),
    Wait(SigningIn),
}

/// What the session is in; starts a sign-in where nobody is signed in.
fn look(asking: &Arc<Asking>, login: &Login) -> Result<Looked> {
    let session = &login.session;
    let mut state = session.state();
    match &state.phase {
        Phase::Stopped(doubt) => return Err(doubt.error()),
        Phase::Held { until, error } if Instant::now() < *until => {
            let wait = until.saturating_duration_since(Instant::now());
            return Err(error.clone().fact("held_ms", wait));
        }
        Phase::Busy(waiting) => return Ok(Looked::Wait(waiting.clone())),
        Phase::In(token) => {
            let fresh = match token {
                Some(token) => Instant::now() < token.until,
                None => state.last_used.elapsed() < asking.wire.carrier.limits.session_idle,
            };
            if fresh {
                let value = token.as_ref().map(|token| token.value.clone());
                asking.epoch.store(state.epoch, Ordering::Relaxed);
                state.last_used = Instant::now();
                return Ok(Looked::In(value));
            }
        }
        Phase::Out | Phase::Held { .. } => {}
    }
    let epoch = session.epochs.fetch_add(1, Ordering::Relaxed) + 1;
    state.epoch = epoch;
    let waiting = start(asking, login, epoch);
    state.phase = Phase::Busy(waiting.clone());
    Ok(Looked::Wait(waiting))
}

/// Starts sign-in number `epoch` in a task of its own.
fn start(asking: &Arc<Asking>, login: &Login, epoch: u64) -> SigningIn {
    let role = match asking.wire.carrier.connector.sign_in() {
        SignIn::ClientCredentials { proof, .. } => Role::Token { basic: proof == ClientProof::Basic },
        _ => Role::SignIn,
    };
    let (sender, receiver) = oneshot::channel();
    let aside = asking.aside(role);
    let login = login.clone();
    let guard = Unfinished { aside: aside.clone(), login: login.clone(), epoch };
    tokio::spawn(async move {
        let guard = guard;
        let result = perform(&aside, &login).await;
        let result = settle(&aside, &login, epoch, result).await;
        drop(guard);
        // Nobody may be waiting any more.
        let _ = sender.send(result);
    });
    let shared: BoxFuture<'static, Result<()>> = Box::pin(async move {
        receiver.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "The sign-in ended without a result.")))
    });
    shared.shared()
}

/// Should a sign-in's task end early (a panic in a connector, a runtime that shuts down), the session is not left busy:
/// where a secret has left, the same fault at every ask would lock the account.
struct Unfinished {
    aside: Arc<Asking>,
    login: Login,
    epoch: u64,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut state = self.login.session.state();
        if state.epoch != self.epoch || !matches!(state.phase, Phase::Busy(_)) {
            return;
        }
        if !self.aside.secret_sent.load(Ordering::Relaxed) {
            let error = Error::new(ErrorKind::Internal, "The sign-in ended without a result.");
            state.failures = state.failures.saturating_add(1);
            state.phase = Phase::Held { until: Instant::now() + HOLD_FIRST, error };
            drop(state);
            return end_login(&self.aside, false);
        }
        state.phase = Phase::Stopped(Doubt::Interrupted);
        drop(state);
        // Without a runtime the process is ending, and the note that the login began says the same at the next start.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (wire, login) = (self.aside.wire.clone(), self.login.clone());
            runtime.spawn(async move { stop(&wire, &login, Doubt::Interrupted).await });
        }
    }
}

async fn perform(aside: &Arc<Asking>, login: &Login) -> Result<Option<Token>> {
    match aside.wire.carrier.connector.sign_in() {
        SignIn::ClientCredentials { .. } => token::fetch(aside).await.map(Some),
        SignIn::Form(form) => {
            login.session.jar().clear();
            let context = Context::new(Arc::new(HostOf(aside.clone())));
            let mut signing_in = form.sign_in(&context);
            loop {
                let ends = aside.deadline();
                match tokio::time::timeout_at(ends, signing_in.as_mut()).await {
                    Ok(result) => return result.map(|()| None),
                    // A person was asked meanwhile: their time is not the carrier's.
                    Err(_) if aside.deadline() > ends => {}
                    Err(_) => {
                        return Err(Error::new(ErrorKind::CarrierTimeout, "Signing in at the carrier took too long."));
                    }
                }
            }
        }
        _ => Ok(None),
    }
}

/// Writes down how a sign-in ended, in the vault first where it was a rejection.
async fn settle(aside: &Arc<Asking>, login: &Login, epoch: u64, result: Result<Option<Token>>) -> Result<()> {
    let session = &login.session;
    let error = match result {
        Ok(token) => return settle_in(aside, login, epoch, token).await,
        Err(error) => error,
    };
    if error.kind == ErrorKind::CredentialRejected {
        let code = aside.code_refused.load(Ordering::Relaxed);
        if session.not_rejected().is_ok() {
            stop(&aside.wire, login, if code { Doubt::CodeRefused } else { Doubt::Refused }).await;
        }
        return Err(if code { Doubt::CodeRefused.error() } else { error.retry(Retry::Never) });
    }
    if error.kind == ErrorKind::NeedsPerson && aside.unanswered.load(Ordering::Relaxed) {
        stop(&aside.wire, login, Doubt::Unanswered).await;
        return Err(error.retry(Retry::Never));
    }
    match unclear(aside, error.kind) {
        None => {
            if let Some(over) = login_over(aside, false) {
                over.await;
            }
            let mut state = session.state();
            if let Phase::Stopped(doubt) = state.phase {
                return Err(doubt.error());
            }
            state.phase = Phase::Out;
            Err(error)
        }
        Some(_) if aside.out_of_order.load(Ordering::Relaxed) => {
            if let Some(over) = login_over(aside, false) {
                over.await;
            }
            hold(aside, login, error)
        }
        Some(doubt) => {
            stop(&aside.wire, login, doubt).await;
            Err(error.retry(Retry::Never))
        }
    }
}

async fn settle_in(aside: &Arc<Asking>, login: &Login, epoch: u64, token: Option<Token>) -> Result<()> {
    let session = &login.session;
    let form = token.is_none();
    {
        let mut state = session.state();
        // Refused meanwhile, in an ask that used the session before: that is the later word.
        if let Phase::Stopped(doubt) = state.phase {
            return Err(doubt.error());
        }
        state.phase = Phase::In(token);
        state.failures = 0;
        state.last_used = Instant::now();
    }
    proven(session);
    if let Some(over) = login_over(aside, true) {
        over.await;
    }
    if form {
        watch_idle(&aside.wire, login, epoch);
    }
    let carrier = aside.wire.carrier.id.as_str();
    tracing::info!(carrier, credential = login.lease.credential_id, "Signed in.");
    Ok(())
}

/// After a sign-in that the carrier was too busy or broken to judge: further ones later, longer each time.
fn hold(aside: &Asking, login: &Login, error: Error) -> Result<()> {
    let mut state = login.session.state();
    if let Phase::Stopped(doubt) = state.phase {
        return Err(doubt.error());
    }
    let hold = HOLD_FIRST.saturating_mul(2_u32.saturating_pow(state.failures.min(10))).min(HOLD_MAX);
    let error = error.retry(Retry::Never);
    state.failures = state.failures.saturating_add(1);
    state.phase = Phase::Held { until: Instant::now() + hold, error: error.clone() };
    tracing::warn!(
        carrier = aside.wire.carrier.id.as_str(),
        credential = login.lease.credential_id,
        kind = error.kind.name(),
        hold_secs = hold.as_secs(),
        "The carrier was out of order during a sign-in; further ones are held back."
    );
    Err(error)
}

/// What to think of a form sign-in that failed in another way than by a clear refusal; `None` where nothing secret had left,
/// or where the failure is none of the password's: our own limits and the carrier's clear words.
fn unclear(aside: &Asking, kind: ErrorKind) -> Option<Doubt> {
    if aside.role != Role::SignIn || !aside.secret_sent.load(Ordering::Relaxed) {
        return None;
    }
    // A changed password is stored, and the carrier wants to be signed in to anew: it has judged nothing else.
    if kind == ErrorKind::CarrierUnavailable && aside.login.as_ref().is_some_and(changed_by_person) {
        return None;
    }
    match kind {
        ErrorKind::CarrierUnavailable | ErrorKind::CarrierTimeout => Some(Doubt::NoReply),
        ErrorKind::ProtocolBroken | ErrorKind::AnswerMismatch | ErrorKind::Internal => Some(Doubt::Unrecognised),
        ErrorKind::NeedsPerson => Some(Doubt::Person),
        _ => None,
    }
}

/// Whether a person has changed a value in the middle of this credential's sign-in.
fn changed_by_person(login: &Login) -> bool {
    let now = login.session.replaced.load(Ordering::Relaxed);
    now > login.lease.generation
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
    match asking.wire.carrier.connector.sign_in() {
        SignIn::Basic | SignIn::Header(_) if status == StatusCode::UNAUTHORIZED => {
            stop(&asking.wire, login, Doubt::Refused).await;
            return Err(Doubt::Refused.error().fact("status", status));
        }
        SignIn::Basic | SignIn::Header(_) if status.as_u16() < 400 => {
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

/// Leaves a session that nobody uses any more.
fn watch_idle(wire: &Arc<Inner>, login: &Login, epoch: u64) {
    let wire: Weak<Inner> = Arc::downgrade(wire);
    let (session, credential_id, generation) =
        (Arc::downgrade(&login.session), login.lease.credential_id.clone(), login.lease.generation);
    let guards = login.guards.clone();
    let Some(idle) = wire.upgrade().map(|wire| wire.carrier.limits.session_idle) else { return };
    tokio::spawn(async move {
        loop {
            let Some(rest) = session.upgrade().and_then(|session| session.rest(epoch, idle)) else { return };
            if rest.is_zero() {
                break;
            }
            tokio::time::sleep(rest).await;
        }
        if let (Some(wire), Some(session)) = (wire.upgrade(), session.upgrade()) {
            leave(&wire, &Login::leaving(&credential_id, generation, session, guards), epoch).await;
        }
    });
}

impl Session {
    /// How long until session `epoch` has been idle too long; `None` when it is over already.
    fn rest(&self, epoch: u64, idle: Duration) -> Option<Duration> {
        let state = self.state();
        if state.epoch != epoch || !matches!(state.phase, Phase::In(_)) {
            return None;
        }
        let rest = idle.saturating_sub(state.last_used.elapsed());
        let used = self.active.load(Ordering::Relaxed) > 0;
        Some(if used { rest.max(Duration::from_secs(1)) } else { rest })
    }

    /// The number of the session that is signed in at a form.
    pub(super) fn at_form(&self) -> Option<u64> {
        let state = self.state();
        matches!(state.phase, Phase::In(None)).then_some(state.epoch)
    }
}

/// Signs out of session `epoch`, as well as the carrier lets us. Nobody waits for the result.
pub(super) async fn leave(wire: &Arc<Inner>, login: &Login, epoch: u64) {
    let carrier = wire.carrier.clone();
    let SignIn::Form(form) = carrier.connector.sign_in() else { return };
    let Some(jar) = login.session.part(epoch) else { return };
    // With the old cookies alone: somebody may be signing in anew meanwhile, into the jar that stays.
    let old = Session::new();
    *old.jar() = jar;
    let login = Login { session: Arc::new(old), ..login.clone() };
    let asking = Asking::leaving(wire.clone(), login, SIGN_OUT_TIMEOUT);
    let context = Context::new(Arc::new(HostOf(asking)));
    let left = sign_out(form, &context).await;
    if let Err(error) = left {
        tracing::debug!(carrier = carrier.id, %error, "Signing out did not work; the carrier will end the session.");
    }
}

async fn sign_out(form: &dyn FormSignIn, context: &Context) -> Result<()> {
    tokio::time::timeout(SIGN_OUT_TIMEOUT, form.sign_out(context))
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::CarrierTimeout, "Signing out took too long.")))
}
