//! Leaving: sessions at a form that nobody uses any more are signed out of.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use connector_sdk::{Context, Error, ErrorKind, FormSignIn, Result, SignIn};

use super::Inner;
use super::asking::{Asking, HostOf, Login};
use super::client::Client;
use super::session::{Phase, Session};

/// For leaving a session.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(10);

/// Leaves a session that nobody uses any more.
pub(super) fn watch_idle(wire: &Arc<Inner>, login: &Login, epoch: u64) {
    let wire: Weak<Inner> = Arc::downgrade(wire);
    let (session, credential_id, generation) =
        (Arc::downgrade(&login.session), login.lease.credential_id.clone(), login.lease.generation);
    let guards = login.guards.clone();
    // Weakly: old connections must not be kept for the sake of leaving politely.
    let client = login.client.as_ref().map(Arc::downgrade);
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
            let client = client.and_then(|client: Weak<Client>| client.upgrade());
            leave(&wire, &Login::leaving(&credential_id, generation, session, guards, client), epoch).await;
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
    // The connections it may be told over are gone: the carrier will end the session.
    if carrier.client_certificate && login.client.is_none() {
        return;
    }
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
