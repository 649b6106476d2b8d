//! One attempt at one ask while it runs: the host's side of a connector's [`connector_sdk::Context`].

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::context::Warning;
use connector_sdk::{BoxFuture, Error, ErrorKind, Host, Prompt, Result};
use http::{Request, Response, Uri};
use jiff::Timestamp;
use jiff::civil::Date;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::client::Client;
use super::credentials::{Lease, LoginMark};
use super::limit::Place;
use super::person::{self, Answer};
use super::record::Recorder;
use super::redirect::CarriersAddress;
use super::session::{Guards, Session};
use super::{Attempt, Inner, markers, session};
use crate::practice::PracticeId;
use connector_sdk::ask::Lane;

/// Most warnings of one attempt.
const WARNINGS_MAX: usize = 32;

/// What an attempt's requests are for. Only an [`Role::Ask`] may start a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The question itself.
    Ask,
    /// The pages of a login form.
    SignIn,
    /// Leaving.
    SignOut,
    /// A token request; `basic`: id and secret go into the header.
    Token {
        /// By HTTP Basic instead of in the body.
        basic: bool,
    },
}

/// A leased credential with all that is kept for it between attempts.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) lease: Arc<Lease>,
    pub(super) session: Arc<Session>,
    pub(super) guards: Arc<Guards>,
    /// The connections under its client certificate, where the carrier wants one.
    pub(super) client: Option<Arc<Client>>,
}

impl Login {
    /// For leaving a session: without the credential's values, since nothing secret is needed for that.
    pub(super) fn leaving(
        id: &str,
        generation: u64,
        session: Arc<Session>,
        guards: Arc<Guards>,
        client: Option<Arc<Client>>,
    ) -> Self {
        let lease = Lease {
            credential_id: id.to_owned(),
            generation,
            on_trial: false,
            fields: Default::default(),
            origins: Vec::new(),
        };
        Self { lease: Arc::new(lease), session, guards, client }
    }
}

/// What an attempt and the sign-in it starts both write to.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) recorder: Recorder,
    pub(super) warnings: Mutex<Vec<Warning>>,
    queued_ms: AtomicU64,
}

impl Notes {
    /// Adds time spent waiting for our own limits.
    pub(super) fn waited_since(&self, since: Instant) {
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.queued_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(super) fn queued(&self) -> Duration {
        Duration::from_millis(self.queued_ms.load(Ordering::Relaxed))
    }
}

/// One attempt.
pub(super) struct Asking {
    pub(super) wire: Arc<Inner>,
    pub(super) role: Role,
    pub(super) lane: Lane,
    /// Whose question it is.
    pub(super) practice: PracticeId,
    /// Moves while a person is waited for.
    ends: Mutex<Ends>,
    pub(super) login: Option<Login>,
    pub(super) notes: Arc<Notes>,
    /// How this attempt's markers begin.
    pub(super) prefix: String,
    pub(super) word: String,
    trace: String,
    today: Date,
    /// A seat for the whole attempt, and the right to be the first to try an unproven credential.
    pub(super) held: tokio::sync::Mutex<Option<Held>>,
    /// The signed-in session last used, by number.
    pub(super) epoch: AtomicU64,
    /// Replies the connector has seen.
    pub(super) replies: AtomicU32,
    /// Whether this attempt has signed in itself, or has signed in again.
    pub(super) signed_in_here: AtomicBool,
    pub(super) renewed: AtomicBool,
    /// Whether a secret has left.
    pub(super) secret_sent: AtomicBool,
    /// The login under way, where this attempt has begun one.
    pub(super) mark: tokio::sync::Mutex<Option<LoginMark>>,
    /// Whether the last reply said that the carrier is out of order.
    pub(super) out_of_order: AtomicBool,
    /// Whether the carrier answered with something else than an error.
    pub(super) answered: AtomicBool,
    /// Whether the first byte of a committing request was let go.
    pub(super) armed: AtomicBool,
    /// What a person has answered to the last prompt.
    answer: Mutex<Option<Answer>>,
    /// Prompts raised.
    pub(super) prompts: AtomicU32,
    /// Whether the carrier has refused an answer; whether it was a code, and there is no other one; whether nobody answered.
    pub(super) refused: AtomicBool,
    pub(super) code_refused: AtomicBool,
    pub(super) unanswered: AtomicBool,
    /// Secrets made on the way, to be scrubbed as well: codes, digests, tokens.
    hidden: Mutex<Vec<Zeroizing<String>>>,
}

/// Until when an attempt runs: usually, and where a person is waited for.
#[derive(Clone, Copy)]
struct Ends {
    deadline: Instant,
    patience: Instant,
}

/// What an attempt holds until it ends.
pub(super) struct Held {
    pub(super) _seat: Place,
    pub(super) proof: Option<Place>,
}

impl Asking {
    /// An attempt at an ask.
    pub(super) fn new(wire: Arc<Inner>, who: Attempt, login: Option<Login>) -> Arc<Self> {
        let (practice, deadline) = (who.practice, who.deadline);
        Self::with(wire, Role::Ask, who.lane, practice, deadline, login, Arc::default(), who.trace, who.today)
    }

    /// The requests around this attempt: sign-in, token. In the interactive lane, because others may wait for it, and
    /// with a deadline of its own, because it goes on for them when this ask has gone away.
    pub(super) fn aside(&self, role: Role) -> Arc<Self> {
        let deadline = Instant::now() + self.wire.carrier.limits.attempt_timeout;
        let (login, notes) = (self.login.clone(), self.notes.clone());
        let (practice, trace) = (self.practice.clone(), self.trace.clone());
        Self::with(self.wire.clone(), role, Lane::Interactive, practice, deadline, login, notes, trace, self.today)
    }

    /// Requests that belong to no ask: leaving a session.
    pub(super) fn leaving(wire: Arc<Inner>, login: Login, within: Duration) -> Arc<Self> {
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let deadline = Instant::now() + within;
        let (nobody, trace) = (PracticeId::new(""), String::new());
        Self::with(wire, Role::SignOut, Lane::Background, nobody, deadline, Some(login), Arc::default(), trace, today)
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where an attempt is put together")]
    fn with(
        wire: Arc<Inner>,
        role: Role,
        lane: Lane,
        practice: PracticeId,
        deadline: Instant,
        login: Option<Login>,
        notes: Arc<Notes>,
        trace: String,
        today: Date,
    ) -> Arc<Self> {
        let mut bytes = [0_u8; 8];
        random(&mut bytes);
        let word = format!("{:016x}", u64::from_be_bytes(bytes));
        Arc::new(Self {
            wire,
            role,
            lane,
            practice,
            ends: Mutex::new(Ends { deadline, patience: deadline }),
            login,
            notes,
            prefix: markers::prefix(&word),
            word,
            trace,
            today,
            held: tokio::sync::Mutex::default(),
            epoch: AtomicU64::new(0),
            replies: AtomicU32::new(0),
            signed_in_here: AtomicBool::new(false),
            renewed: AtomicBool::new(false),
            secret_sent: AtomicBool::new(false),
            mark: tokio::sync::Mutex::default(),
            out_of_order: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            armed: AtomicBool::new(false),
            answer: Mutex::default(),
            prompts: AtomicU32::new(0),
            refused: AtomicBool::new(false),
            code_refused: AtomicBool::new(false),
            unanswered: AtomicBool::new(false),
            hidden: Mutex::default(),
        })
    }

    /// The connections that this attempt's requests go over: under mutual TLS its credential's own.
    pub(super) fn client(&self) -> &Client {
        self.login.as_ref().and_then(|login| login.client.as_deref()).unwrap_or(&self.wire.client)
    }

    /// Makes a value that left be scrubbed from every later reply of this attempt.
    pub(super) fn hide(&self, value: &Zeroizing<String>) {
        let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        if !hidden.contains(value) {
            hidden.push(value.clone());
        }
    }

    /// What must not be seen in a reply of this attempt.
    pub(super) fn scrubber(&self, escape: connector_sdk::Escape) -> markers::Scrubber {
        let mut scrubber = match &self.login {
            Some(login) => markers::Scrubber::of(&login.lease, &self.word, escape),
            None => markers::Scrubber::default(),
        };
        for value in self.hidden.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            scrubber.hide(value);
        }
        scrubber
    }

    /// A request's address as it may be seen: one that the carrier gave may echo a secret.
    pub(super) fn shown_uri(&self, request: &Request<Bytes>) -> Uri {
        let uri = request.uri();
        if request.extensions().get::<CarriersAddress>().is_none() {
            return uri.clone();
        }
        let text = uri.to_string();
        match self.scrubber(connector_sdk::Escape::Form).clean(text.as_bytes()) {
            std::borrow::Cow::Borrowed(_) => uri.clone(),
            std::borrow::Cow::Owned(clean) => Uri::try_from(clean).unwrap_or_default(),
        }
    }

    pub(super) fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing of this attempt goes on beyond, as it stands now.
    pub(super) fn deadline(&self) -> Instant {
        self.ends().deadline
    }

    pub(super) fn set_deadline(&self, deadline: Instant) {
        self.ends().deadline = deadline;
    }

    /// How long a person is waited for at most.
    pub(super) fn patience(&self) -> Instant {
        self.ends().patience
    }

    pub(super) fn set_patience(&self, patience: Instant) {
        let mut ends = self.ends();
        ends.patience = patience.max(ends.deadline);
    }

    /// The last answer, until the next prompt.
    pub(super) fn answer(&self) -> MutexGuard<'_, Option<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connector's host: an attempt behind the interface.
pub(super) struct HostOf(pub(super) Arc<Asking>);

impl Host for HostOf {
    fn send<'a>(&'a self, request: Request<Bytes>) -> BoxFuture<'a, Result<Response<Bytes>>> {
        Box::pin(super::send(&self.0, request))
    }

    fn pause<'a>(&'a self, how_long: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if how_long >= self.0.remaining() {
                return Err(Error::new(ErrorKind::DeadlineExceeded, "No time is left to wait for the carrier.")
                    .fact("wait_ms", how_long));
            }
            tokio::time::sleep(how_long).await;
            Ok(())
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn today(&self) -> Date {
        self.0.today
    }

    fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    fn trace(&self) -> &str {
        &self.0.trace
    }

    fn control_number(&self) -> u32 {
        next_control_number()
    }

    fn random(&self, into: &mut [u8]) {
        random(into);
    }

    fn marker_word(&self) -> &str {
        &self.0.word
    }

    fn has_secret(&self, field: &str) -> bool {
        self.0.login.as_ref().is_some_and(|login| login.lease.field(field).is_some())
    }

    fn ask_person<'a>(&'a self, prompt: Prompt) -> BoxFuture<'a, Result<()>> {
        Box::pin(person::ask(&self.0, prompt))
    }

    fn keep_answer<'a>(&'a self, field: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(person::keep(&self.0, field))
    }

    fn warn(&self, warning: Warning) {
        let mut warnings = self.0.notes.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < WARNINGS_MAX && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// Largest interchange control number (X12 ISA13: nine digits).
const CONTROL_NUMBER_MAX: u64 = 999_999_999;

/// Begins at tenths of seconds since 1970, so that a restarted gateway does not soon repeat itself: the numbers come
/// round once in three years.
static CONTROL_NUMBER: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(u64::try_from(Timestamp::now().as_millisecond() / 100).unwrap_or(0)));

fn next_control_number() -> u32 {
    let number = CONTROL_NUMBER.fetch_add(1, Ordering::Relaxed) % CONTROL_NUMBER_MAX + 1;
    u32::try_from(number).unwrap_or(1)
}

fn random(into: &mut [u8]) {
    if SystemRandom::new().fill(into).is_err() {
        tracing::error!("The operating system gave no random bytes.");
        // Still unique, if not unguessable: a repeated marker word or nonce would be worse.
        let unique = uuid::Uuid::now_v7().into_bytes();
        for (byte, other) in into.iter_mut().zip(unique.iter().rev().cycle()) {
            *byte ^= other;
        }
    }
}

/// Ends an attempt's hold on its seat, and on being the first to try.
pub(super) fn let_go(asking: &Asking, accepted: bool) {
    if let Some(login) = asking.login.as_ref().filter(|_| accepted) {
        session::proven(&login.session);
    }
    session::end_login(asking, accepted);
    if let Ok(mut held) = asking.held.try_lock() {
        held.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_numbers_differ_and_fit_nine_digits() {
        let (a, b) = (next_control_number(), next_control_number());
        assert_ne!(a, b);
        assert!((1..=999_999_999).contains(&a));
    }
}
