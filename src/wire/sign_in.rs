//! One sign-in: started once, run in a task of its own, its result shared by all who wait for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connector_sdk::connector::ClientProof;
use connector_sdk::{BoxFuture, Context, Error, ErrorKind, Result, Retry, SignIn};
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::asking::{Asking, HostOf, Login, Role};
use super::credentials::Doubt;
use super::session::{Phase, SigningIn, end_login, login_over, proven, stop};
use super::token::Token;
use super::{leaving, person, token};

/// How long further sign-ins are held back after the first that failed without a clear word; doubled each time.
const HOLD_FIRST: Duration = Duration::from_secs(60);
/// The longest.
const HOLD_MAX: Duration = Duration::from_secs(3_600);

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
        leaving::watch_idle(&aside.wire, login, epoch);
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
        ErrorKind::ProtocolBroken | ErrorKind::AnswerMismatch | ErrorKind::NotKept | ErrorKind::Internal => {
            Some(Doubt::Unrecognised)
        }
        ErrorKind::NeedsPerson => Some(Doubt::Person),
        _ => None,
    }
}

/// Whether a person has changed a value in the middle of this credential's sign-in.
fn changed_by_person(login: &Login) -> bool {
    let now = login.session.replaced.load(Ordering::Relaxed);
    now > login.lease.generation
}
