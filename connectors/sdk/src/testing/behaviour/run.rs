//! One question, put to a connector over a scripted host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};

use super::cassette::Cassette;
use super::{Checked, want};
use crate::context::FinalUri;
use crate::testing::{FakeHost, block_on};
use crate::{
    Connector, Context, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, Registration, Result, SignIn,
};

/// What came of one run.
pub(super) struct Ran {
    pub(super) outcome: Result<Outcome<EligibilityFacts>>,
    pub(super) requests: Vec<Request<Bytes>>,
}

/// A host that plays a cassette, with `fault` in the place of single replies (`None`: the recorded one).
pub(super) fn host(
    connector: &Arc<dyn Connector>,
    cassette: &Arc<Cassette>,
    signed_in: &Arc<AtomicBool>,
    fault: impl Fn(usize, &Response<Bytes>) -> Option<Result<Response<Bytes>>> + Send + Sync + 'static,
) -> Arc<FakeHost> {
    let (connector, cassette, signed_in) = (connector.clone(), cassette.clone(), signed_in.clone());
    FakeHost::new(move |number, request| {
        let Some(recorded) = cassette.responses.get(number) else {
            return Err(Error::new(ErrorKind::Internal, "The cassette has no more replies."));
        };
        let mut reply = fault(number, recorded).unwrap_or_else(|| Ok(recorded.clone()))?;
        reply.extensions_mut().insert(FinalUri(request.uri().clone()));
        // The gateway asks this of every reply after sign-in, and signs in anew; here the run ends.
        if let SignIn::Form(form) = connector.sign_in()
            && signed_in.load(Ordering::SeqCst)
            && form.signed_out(&reply)
        {
            return Err(Error::new(ErrorKind::CarrierUnavailable, "The carrier ended the session."));
        }
        Ok(reply)
    })
}

/// Signs in where the connector does so itself, then asks.
pub(super) async fn question(
    connector: &Arc<dyn Connector>,
    ctx: &Context,
    ask: &EligibilityRequest,
    signed_in: &AtomicBool,
) -> Result<Outcome<EligibilityFacts>> {
    if let SignIn::Form(form) = connector.sign_in() {
        form.sign_in(ctx).await?;
        signed_in.store(true, Ordering::SeqCst);
    }
    match connector.eligibility() {
        Some(eligibility) => eligibility.check(ctx, ask).await,
        None => Err(Error::new(ErrorKind::Internal, "The connector declares eligibility and does not have it.")),
    }
}

/// One run of a cassette, with a fault in it or not.
///
/// # Errors
/// When the connector panics.
pub(super) fn run(
    connector: &Arc<dyn Connector>,
    cassette: &Arc<Cassette>,
    fault: impl Fn(usize, &Response<Bytes>) -> Option<Result<Response<Bytes>>> + Send + Sync + 'static,
) -> std::result::Result<Ran, String> {
    let signed_in = Arc::new(AtomicBool::new(false));
    let host = host(connector, cassette, &signed_in, fault);
    let ctx = host.context();
    let outcome = catch_unwind(AssertUnwindSafe(|| block_on(question(connector, &ctx, &cassette.ask, &signed_in))));
    let outcome = outcome.map_err(|_| "The connector panicked.".to_owned())?;
    Ok(Ran { outcome, requests: host.requests() })
}

/// Replays a cassette: the requests are the recorded ones, the outcome holds what is wanted.
pub(super) fn replay(registration: &Registration, cassette: &Arc<Cassette>) -> Checked {
    let (connector, _) = cassette.connector(registration)?;
    let ran = run(&connector, cassette, |_, _| None)?;
    if std::env::var("CASSETTES").is_ok_and(|mode| mode == "write-requests") {
        cassette.write_requests(&ran.requests)?;
        return Ok(());
    }
    if ran.requests.len() != cassette.responses.len() {
        let (sent, recorded) = (ran.requests.len(), cassette.responses.len());
        let end = want::told(&ran.outcome, &cassette.ask, sent);
        return Err(format!("{sent} requests were sent, {recorded} are recorded; it ended in {end}").into());
    }
    for (place, sent) in ran.requests.iter().enumerate() {
        let number = place + 1;
        match cassette.requests.get(place).and_then(Option::as_ref) {
            None => {
                return Err(format!("{number}.request.http is missing; see CASSETTES=write-requests.").into());
            }
            Some(recorded) => {
                if let Some(difference) = recorded.differs(sent) {
                    return Err(format!("Request {number}: {difference}").into());
                }
            }
        }
    }
    let told = want::told(&ran.outcome, &cassette.ask, ran.requests.len());
    match want::lacks(&cassette.want, &told, "") {
        Some(problem) => Err(problem.into()),
        None => Ok(()),
    }
}

/// Keeps the first problem of many checks.
#[derive(Default)]
pub(super) struct First(Mutex<Option<String>>);

impl First {
    /// Notes a problem, unless one was noted before.
    pub(super) fn note(&self, problem: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
    }

    /// The first problem as a trial's result.
    pub(super) fn checked(self) -> Checked {
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(problem) => Err(problem.into()),
            None => Ok(()),
        }
    }
}
