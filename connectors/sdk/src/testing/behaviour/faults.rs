//! Faults in the place of every reply of every cassette.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use libtest_mimic::{Failed, Trial};

use super::Checked;
use super::cassette::Cassette;
use super::run::{Ran, run};
use super::walls::secrets_of;
use crate::testing::FakeHost;
use crate::{Error, ErrorKind, Outcome, RefusalReason, Registration, Result, Retry, SignIn};

/// Requests allowed beyond those of the cassette.
const MORE_REQUESTS: usize = 40;
/// A word in every made-up body, which must not come out again.
pub(super) const CANARY: &str = "CANARYSURNAME";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Status503,
    Throttled,
    Timeout,
    Reset,
    Truncated,
    Garbage,
    LoginPage,
    Oversized,
    Stranger,
}

/// One trial for each reply and fault.
pub(super) fn trials(registration: &'static Registration, cassette: &Arc<Cassette>, trials: &mut Vec<Trial>) {
    for place in 0..cassette.responses.len() {
        for fault in Fault::ALL {
            if fault == Fault::Stranger && !names_the_patient(cassette, place) {
                continue;
            }
            let cassette = cassette.clone();
            let name = format!("{}::reply_{}_{fault:?}", cassette.name, place + 1);
            trials.push(Trial::test(name, move || check(registration, &cassette, place, fault)));
        }
    }
}

/// Every fault in the place of the first reply, by its name.
#[cfg(test)]
pub(super) fn all(registration: &Registration, cassette: &Arc<Cassette>) -> Vec<(String, Checked)> {
    Fault::ALL.into_iter().map(|fault| (format!("{fault:?}"), check(registration, cassette, 0, fault))).collect()
}

/// Whether a reply names the member or the trace, so that another one can be put there.
fn names_the_patient(cassette: &Cassette, place: usize) -> bool {
    let answered = cassette.want["outcome"] == "answered" && place + 1 == cassette.responses.len();
    let body = cassette.responses.get(place).map(|reply| String::from_utf8_lossy(reply.body()).into_owned());
    let id = cassette.ask.member.member_id.as_ref();
    answered && body.is_some_and(|body| id.is_some_and(|id| body.contains(id.text())) || body.contains(FakeHost::TRACE))
}

/// What makes a reply one about somebody else: texts and what to put in their place.
fn strangers(cassette: &Cassette) -> Vec<(String, String)> {
    let member = cassette.ask.member.member_id.iter().map(|id| (id.text().to_owned(), "9".repeat(id.text().len())));
    [(FakeHost::TRACE.to_owned(), "TRACE9999999999".to_owned())].into_iter().chain(member).collect()
}

impl Fault {
    /// All faults.
    pub(super) const ALL: [Fault; 9] = [
        Fault::Status503,
        Fault::Throttled,
        Fault::Timeout,
        Fault::Reset,
        Fault::Truncated,
        Fault::Garbage,
        Fault::LoginPage,
        Fault::Oversized,
        Fault::Stranger,
    ];

    /// What comes in the place of the recorded reply; `strangers` are texts of it and what makes it another's.
    pub(super) fn reply(self, recorded: &Response<Bytes>, strangers: &[(String, String)]) -> Result<Response<Bytes>> {
        let body = recorded.body();
        let with = |body: Bytes| Ok(recorded.clone().map(|_| body));
        match self {
            Self::Status503 => Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "")),
            Self::Throttled => {
                let mut reply = plain(StatusCode::TOO_MANY_REQUESTS, "");
                reply.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
                Ok(reply)
            }
            Self::Timeout => Err(Error::new(ErrorKind::CarrierTimeout, "The carrier did not answer in time.")),
            Self::Reset => Err(Error::new(ErrorKind::CarrierUnavailable, "The carrier reset the connection.")),
            Self::Oversized => Err(Error::new(ErrorKind::ProtocolBroken, "The reply is larger than the limit.")),
            Self::Truncated => with(body.slice(..body.len() / 2)),
            Self::Garbage => {
                let mut garbage: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(197) >> 3) as u8).collect();
                garbage.extend(CANARY.bytes());
                with(Bytes::from(garbage))
            }
            Self::LoginPage => Ok(plain(
                StatusCode::OK,
                "<!doctype html><html><head><title>Sign in CANARYSURNAME</title></head><body><form method=post action=/in>\
                 <input name=user><input name=pass type=password><button>Sign in</button></form></body></html>",
            )),
            Self::Stranger => {
                let mut text = String::from_utf8_lossy(body).into_owned();
                for (own, other) in strangers {
                    text = text.replace(own, other);
                }
                with(Bytes::from(text))
            }
        }
    }

    /// Whether an error of this kind tells the truth about the fault.
    fn fits(self, kind: ErrorKind, form: bool) -> bool {
        use ErrorKind as K;
        match self {
            Self::Status503 => matches!(kind, K::CarrierUnavailable | K::CarrierClosed),
            Self::Throttled => kind == K::CarrierThrottled,
            Self::Timeout => kind == K::CarrierTimeout,
            Self::Reset => kind == K::CarrierUnavailable,
            Self::Oversized => kind == K::ProtocolBroken,
            // The login page again, right after the password was sent, may well be a refused password.
            Self::LoginPage if form && kind == K::CredentialRejected => true,
            // Never a kind that blames the caller, stops a credential, or names a fault of ours.
            Self::Truncated | Self::Garbage | Self::LoginPage | Self::Stranger => matches!(
                kind,
                K::CarrierUnavailable
                    | K::CarrierTimeout
                    | K::CarrierClosed
                    | K::ProtocolBroken
                    | K::AnswerMismatch
                    | K::NeedsPerson
                    | K::EgressRefused
            ),
        }
    }
}

fn plain(status: StatusCode, body: &'static str) -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from_static(body.as_bytes()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
    reply
}

fn check(registration: &Registration, cassette: &Arc<Cassette>, place: usize, fault: Fault) -> Checked {
    let (connector, _) = cassette.connector(registration)?;
    let form = matches!(connector.sign_in(), SignIn::Form(_));
    let clean = run(&connector, cassette, |_, _| None)?;
    let for_fault = cassette.clone();
    let faulty = run(&connector, cassette, move |number, recorded| {
        (number == place).then(|| fault.reply(recorded, &strangers(&for_fault)))
    })?;
    if faulty.requests.len() > cassette.responses.len() + MORE_REQUESTS {
        return Err(format!("{} requests were sent.", faulty.requests.len()).into());
    }
    let shown = format!("{:?}", faulty.outcome);
    for secret in secrets_of(&cassette.ask).into_iter().chain([CANARY.to_owned()]) {
        if shown.to_lowercase().contains(&secret.to_lowercase()) {
            return Err("The outcome's Debug shows patient data or the carrier's text.".into());
        }
    }
    judge(fault, form, &clean, &faulty)
}

/// Whether the last request held a marker of the credential.
fn carried_credential(ran: &Ran) -> bool {
    let marker = format!("pk-{}-", FakeHost::MARKER_WORD);
    ran.requests.last().is_some_and(|request| String::from_utf8_lossy(request.body()).contains(&marker))
}

fn judge(fault: Fault, form: bool, clean: &Ran, faulty: &Ran) -> Checked {
    match (&faulty.outcome, &clean.outcome) {
        (Err(error), _) if !fault.fits(error.kind, form) => Err(Failed::from(format!("It ended in {error}"))),
        // A reply to a sign-in form: the password may have been counted, and nothing may send it again by itself.
        (Err(error), _) if form && error.retry == Retry::Never && carried_credential(faulty) => Ok(()),
        (Err(error), _) if fault == Fault::Throttled && error.retry != Retry::After(Duration::from_secs(7)) => {
            Err(Failed::from(format!("Retry-After was not obeyed: {:?}", error.retry)))
        }
        (Err(_), _) => Ok(()),
        (Ok(Outcome::Refused(refusal)), Ok(Outcome::Refused(clean))) if refusal.reason == clean.reason => Ok(()),
        (Ok(Outcome::Refused(refusal)), _) if refusal.reason == RefusalReason::CarrierBusy => Ok(()),
        (Ok(Outcome::Refused(refusal)), _) => {
            Err(Failed::from(format!("A fault became the refusal {:?}", refusal.reason)))
        }
        (Ok(Outcome::Answered(faulty)), Ok(Outcome::Answered(clean))) => {
            // A reply that nothing was read from may be anything; another answer must not come of it.
            let same = serde_json::to_value(faulty).ok() == serde_json::to_value(clean).ok();
            if same && fault != Fault::Stranger { Ok(()) } else { Err("A fault became an answer.".into()) }
        }
        (Ok(Outcome::Answered(_)), _) => Err("A fault became an answer.".into()),
    }
}
