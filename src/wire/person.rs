//! What a carrier asks of a person: raised by a connector, answered by whoever the relay finds, put where the marker stands.
//!
//! - A prompt of a sign-in belongs to all who wait for that sign-in. The time a person takes is not the carrier's: the
//!   sign-in's own deadline stands still meanwhile.
//! - Who waits for a sign-in that waits for a person, waits to the end of their own question, and is then told whom to turn
//!   to, with the task's id.
//! - A sign-in whose prompt nobody answered is not begun again by itself: the carrier would send the next code to nobody,
//!   and counts what was left unfinished. A person starts it again.
//! - A code that the carrier refused may be entered once more, by a person, on the page that is still open; not while the
//!   credential is being verified. Nothing sends an answer twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connector_sdk::error::OurId;
use connector_sdk::{BoxFuture, Error, ErrorKind, Prompt, PromptKind, Result, Retry};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::SessionKey;
use super::asking::{Asking, Login, Role};
use crate::carriers::{Carrier, CredentialScope};
use crate::practice::PracticeId;
use crate::trail::Actor;

/// How long a person has, unless the connector knows better.
const COUNTDOWN: Duration = Duration::from_secs(300);
/// The longest countdown.
const COUNTDOWN_MAX: Duration = Duration::from_secs(900);
/// Prompts of one attempt at most, repeated ones included.
const PROMPTS_MAX: u32 = 6;
/// What a question keeps of its time for the carrier, after a person has answered.
const RESERVE: Duration = Duration::from_secs(5);
/// How soon to ask again while a person is awaited.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Whoever finds people for prompts, as the wire sees it.
pub trait Relay: Send + Sync {
    /// Shows a prompt and waits for the one answer, at most until [`Raised::until`]. There is one open prompt for a
    /// credential at most: a sign-in waits for its turn, a question is told to begin anew.
    ///
    /// # Errors
    /// [`ErrorKind::NeedsPerson`] when nobody answers in time, or somebody says that nobody will;
    /// [`ErrorKind::CarrierUnavailable`] when another question's prompt was answered meanwhile;
    /// [`ErrorKind::Internal`] when it could not be written down: then nobody was asked.
    fn ask<'a>(&'a self, raised: Raised, prompt: Prompt) -> BoxFuture<'a, Result<Answer>>;

    /// The open prompt of a credential.
    fn open(&self, credential_id: &str) -> Option<OurId>;
}

/// Where a prompt comes from.
pub struct Raised {
    /// Whose question or sign-in it is.
    pub practice: PracticeId,
    /// The carrier.
    pub carrier: Arc<Carrier>,
    /// For which credential.
    pub credential_id: String,
    /// Nobody is waited for beyond.
    pub until: Instant,
    /// Whether it belongs to a sign-in.
    pub sign_in: bool,
}

/// What a person said.
pub struct Answer {
    /// The text; empty for a plain yes.
    pub value: Zeroizing<String>,
    /// Who.
    pub by: Actor,
}

/// The prompt that is open for the attempt's credential.
pub(super) fn open(asking: &Asking, login: &Login) -> Option<OurId> {
    asking.wire.relay.as_ref()?.open(&login.lease.credential_id)
}

/// What whoever has no time left for a person is told.
pub fn waits_for_person(task: OurId) -> Error {
    Error::new(
        ErrorKind::NeedsPerson,
        "A person must answer what the carrier asks (a code, a captcha, terms): the task is in GET /v1/tasks. Ask again after that.",
    )
    .retry(Retry::After(AGAIN_AFTER))
    .fact("task", task)
}

/// Lets an attempt wait longer than the carrier's own time, up to its patience, where a person is waited for. Gives back
/// what to tell where there is no time left; `None`: wait on. Without an open prompt it is `otherwise`.
pub(super) fn waited(asking: &Asking, login: &Login, otherwise: Error) -> Option<Error> {
    let Some(task) = open(asking, login) else { return Some(otherwise) };
    let patience = asking.patience();
    if patience <= asking.deadline() {
        return Some(waits_for_person(task));
    }
    asking.set_deadline(patience);
    None
}

/// Raises a prompt of a connector.
///
/// # Errors
/// As [`connector_sdk::Context::ask_person`].
pub(super) async fn ask(asking: &Arc<Asking>, prompt: Prompt) -> Result<()> {
    let (Some(relay), Some(login)) = (&asking.wire.relay, &asking.login) else { return Err(prompt.unasked()) };
    let sign_in = match asking.role {
        Role::SignIn => true,
        Role::Ask => false,
        Role::SignOut | Role::Token { .. } => return Err(prompt.unasked()),
    };
    *asking.answer() = None;
    if prompt.again {
        refused(asking, login, &prompt)?;
    }
    if asking.prompts.fetch_add(1, Ordering::Relaxed) >= PROMPTS_MAX {
        return Err(Error::new(
            ErrorKind::NeedsPerson,
            "The carrier asks a person again and again. Sign in at its own page to see what it wants.",
        ));
    }
    // The carrier's own time goes on where it stood once somebody has answered.
    let left = asking.remaining();
    let until = match sign_in {
        true => Instant::now() + prompt.within.unwrap_or(COUNTDOWN).min(COUNTDOWN_MAX),
        false => asking.patience().checked_sub(RESERVE).unwrap_or_else(Instant::now),
    };
    if until <= Instant::now() {
        return Err(prompt.unasked().retry(Retry::After(AGAIN_AFTER)));
    }
    asking.set_deadline(if sign_in { until + left } else { asking.patience() });
    let raised = Raised {
        practice: asking.practice.clone(),
        carrier: asking.wire.carrier.clone(),
        credential_id: login.lease.credential_id.clone(),
        until,
        sign_in,
    };
    let answered = relay.ask(raised, prompt).await;
    if sign_in {
        asking.set_deadline(Instant::now() + left);
    }
    match answered {
        Ok(answer) => {
            // Pages repeat what was entered: no connector sees it there either.
            asking.hide(&answer.value);
            *asking.answer() = Some(answer);
            Ok(())
        }
        Err(error) => {
            asking.unanswered.fetch_or(error.kind == ErrorKind::NeedsPerson, Ordering::Relaxed);
            Err(error)
        }
    }
}

/// The carrier has refused a person's answer: whether there may be another one.
fn refused(asking: &Asking, login: &Login, prompt: &Prompt) -> Result<()> {
    let before = asking.refused.swap(true, Ordering::Relaxed);
    if prompt.kind == PromptKind::SecondFactorCode && (before || login.lease.on_trial) {
        asking.code_refused.store(true, Ordering::Relaxed);
        return Err(Error::new(
            ErrorKind::CredentialRejected,
            "The carrier did not take the code that a person entered.",
        )
        .retry(Retry::Never));
    }
    Ok(())
}

/// The carrier has taken the answer as a field's new value: the credential's next generation, which goes on with this
/// session.
///
/// # Errors
/// [`ErrorKind::Internal`] without an answer, or what the vault says.
pub(super) async fn keep(asking: &Arc<Asking>, field: &str) -> Result<()> {
    let nothing = || Error::new(ErrorKind::Internal, "There is no answer of a person to keep.");
    let login = asking.login.as_ref().filter(|_| asking.role == Role::SignIn).ok_or_else(nothing)?;
    let (value, by) = {
        let answer = asking.answer();
        let answer = answer.as_ref().filter(|answer| !answer.value.is_empty()).ok_or_else(nothing)?;
        (answer.value.clone(), answer.by.clone())
    };
    // Before it is stored: whoever is lent the new generation in this moment must find the sign-in that is under way.
    let (id, before) = (&login.lease.credential_id, login.lease.generation);
    go_on(asking, login, before.saturating_add(1));
    match asking.wire.vault.replace(id, before, field, value, &by).await {
        Ok(generation) => {
            go_on(asking, login, generation);
            Ok(())
        }
        Err(error) => {
            login.session.replaced.store(0, Ordering::Relaxed);
            Err(error)
        }
    }
}

fn go_on(asking: &Asking, login: &Login, generation: u64) {
    let practice = match asking.wire.carrier.credential {
        CredentialScope::PerPractice => Some(asking.practice.clone()),
        CredentialScope::Gateway => None,
    };
    let key = SessionKey { practice, credential_id: login.lease.credential_id.clone(), generation };
    asking.wire.logins().sessions.insert(key, login.session.clone());
    login.session.replaced.store(generation, Ordering::Relaxed);
}
