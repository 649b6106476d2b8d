//! A [`Host`] without a network: a script answers, and every request is kept for the test to look at.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::context::Warning;
use crate::{BoxFuture, Context, Error, ErrorKind, Host, Prompt, Result};

type Script = dyn Fn(usize, &Request<Bytes>) -> Result<Response<Bytes>> + Send + Sync;

/// A host that answers request `n` (from 0) with `script(n, request)`. Its clock starts at 2026-11-23T14:00:00Z and
/// moves only by [`Host::pause`]; its numbers and random bytes are fixed, so that requests are the same at every run.
pub struct FakeHost {
    script: Box<Script>,
    state: Mutex<State>,
    secrets: Vec<String>,
    /// How often a person answers; then nobody does.
    answers: usize,
    /// What is left of the deadline at the start.
    deadline: Duration,
}

#[derive(Default)]
struct State {
    requests: Vec<Request<Bytes>>,
    warnings: Vec<Warning>,
    paused: Duration,
    control_number: u32,
    prompts: Vec<Prompt>,
    kept: Vec<String>,
}

impl FakeHost {
    /// The word in this host's markers.
    pub const MARKER_WORD: &'static str = "0000feed";
    /// This host's trace number.
    pub const TRACE: &'static str = "TRACE0000000001";

    /// A host over a script; the practice's credential has `username`, `password`, `totp_seed`, `api_key`,
    /// `client_id`, `client_secret`.
    pub fn new(
        script: impl Fn(usize, &Request<Bytes>) -> Result<Response<Bytes>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let secrets = ["username", "password", "totp_seed", "api_key", "client_id", "client_secret"];
        Arc::new(Self::over(script, &secrets, 0))
    }

    /// A host whose credential has these fields, and whose people answer this often.
    pub fn attended(
        script: impl Fn(usize, &Request<Bytes>) -> Result<Response<Bytes>> + Send + Sync + 'static,
        secrets: &[&str],
        answers: usize,
    ) -> Arc<Self> {
        Arc::new(Self::over(script, secrets, answers))
    }

    fn over(
        script: impl Fn(usize, &Request<Bytes>) -> Result<Response<Bytes>> + Send + Sync + 'static,
        secrets: &[&str],
        answers: usize,
    ) -> Self {
        Self {
            script: Box::new(script),
            state: Mutex::default(),
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
            answers,
            deadline: Duration::from_secs(60),
        }
    }

    /// What people were asked so far.
    pub fn prompts(&self) -> Vec<Prompt> {
        self.lock().prompts.clone()
    }

    /// Fields for which an answer was kept.
    pub fn kept(&self) -> Vec<String> {
        self.lock().kept.clone()
    }

    /// A host that gives these replies in order, then fails.
    pub fn replies(replies: Vec<Response<Bytes>>) -> Arc<Self> {
        Self::new(move |n, _| {
            replies.get(n).cloned().ok_or_else(|| Error::new(ErrorKind::Internal, "The script has no more replies."))
        })
    }

    /// The context a connector gets.
    pub fn context(self: &Arc<Self>) -> Context {
        Context::new(self.clone())
    }

    /// Requests sent so far.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.lock().requests.clone()
    }

    /// Warnings noted so far.
    pub fn warnings(&self) -> Vec<Warning> {
        self.lock().warnings.clone()
    }

    /// How long the connector paused in all.
    pub fn paused(&self) -> Duration {
        self.lock().paused
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for FakeHost {
    fn send<'a>(&'a self, request: Request<Bytes>) -> BoxFuture<'a, Result<Response<Bytes>>> {
        let number = {
            let mut state = self.lock();
            state.requests.push(request.clone());
            state.requests.len() - 1
        };
        let reply = (self.script)(number, &request);
        Box::pin(async move { reply })
    }

    fn pause<'a>(&'a self, how_long: Duration) -> BoxFuture<'a, Result<()>> {
        let allowed = how_long < self.remaining();
        if allowed {
            self.lock().paused += how_long;
        }
        Box::pin(async move {
            if allowed { Ok(()) } else { Err(Error::new(ErrorKind::DeadlineExceeded, "No time is left to wait.")) }
        })
    }

    fn now(&self) -> Timestamp {
        let start = Timestamp::constant(1_795_442_400, 0);
        start.checked_add(self.lock().paused).unwrap_or(start)
    }

    fn today(&self) -> Date {
        jiff::civil::date(2026, 11, 23)
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.lock().paused)
    }

    fn trace(&self) -> &str {
        Self::TRACE
    }

    fn control_number(&self) -> u32 {
        let mut state = self.lock();
        state.control_number += 1;
        state.control_number
    }

    fn random(&self, into: &mut [u8]) {
        for (place, byte) in into.iter_mut().enumerate() {
            *byte = u8::try_from(place % 251).unwrap_or(0);
        }
    }

    fn marker_word(&self) -> &str {
        Self::MARKER_WORD
    }

    fn has_secret(&self, field: &str) -> bool {
        self.secrets.iter().any(|name| name == field)
    }

    fn warn(&self, warning: Warning) {
        self.lock().warnings.push(warning);
    }

    fn ask_person<'a>(&'a self, prompt: Prompt) -> BoxFuture<'a, Result<()>> {
        let mut state = self.lock();
        let unasked = prompt.unasked();
        state.prompts.push(prompt);
        let answered = state.prompts.len() <= self.answers;
        Box::pin(async move { if answered { Ok(()) } else { Err(unasked) } })
    }

    fn keep_answer<'a>(&'a self, field: &'a str) -> BoxFuture<'a, Result<()>> {
        self.lock().kept.push(field.to_owned());
        Box::pin(async { Ok(()) })
    }
}

/// Runs a connector's future to its end. With a [`FakeHost`] nothing ever has to wait, so a future that is still
/// pending after a million polls waits for something else than its host, and the test is stopped.
///
/// # Panics
/// When the future waits for something else than its host.
#[expect(clippy::panic, reason = "a helper of tests")]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut task = TaskContext::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
    panic!("a connector waits for something else than its host")
}
