//! What a connector must never do, whatever the carrier says.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use libtest_mimic::Trial;

use super::Checked;
use super::cassette::Cassette;
use super::run::{First, host, question, run};
use crate::ask::{Dependent, Member};
use crate::context::Warning;
use crate::testing::FakeHost;
use crate::{BoxFuture, Context, EligibilityRequest, Host, Registration, Result, SignIn};

type Check = fn(&Registration, &Arc<Cassette>) -> Checked;

const CHECKS: [(&str, Check); 4] = [
    ("same_ask_same_bytes", same_bytes),
    ("only_listed_hosts", listed_hosts),
    ("no_patient_shown", no_patient_shown),
    ("dropped_at_every_await", dropped),
];

/// Every check, by its name.
#[cfg(test)]
pub(super) fn all(registration: &Registration, cassette: &Arc<Cassette>) -> Vec<(String, Checked)> {
    CHECKS.into_iter().map(|(name, check)| (name.to_owned(), check(registration, cassette))).collect()
}

/// The trials of one cassette.
pub(super) fn trials(registration: &'static Registration, cassette: &Arc<Cassette>, trials: &mut Vec<Trial>) {
    for (name, check) in CHECKS {
        let cassette = cassette.clone();
        trials.push(Trial::test(format!("{}::{name}", cassette.name), move || check(registration, &cassette)));
    }
}

/// What identifies the patient of an ask, and is long enough not to occur by chance.
pub(super) fn secrets_of(ask: &EligibilityRequest) -> Vec<String> {
    secrets(&ask.member, ask.dependent.as_ref())
}

/// The same of a subscriber and a dependent.
pub(super) fn secrets(member: &Member, dependent: Option<&Dependent>) -> Vec<String> {
    let mut secrets = Vec::new();
    let texts = [member.member_id.as_ref(), member.last_name.as_ref(), dependent.map(|d| &d.last_name)];
    secrets.extend(texts.into_iter().flatten().map(|text| text.text().to_owned()));
    let births = [member.date_of_birth.as_ref(), dependent.map(|d| &d.date_of_birth)];
    for birth in births.into_iter().flatten() {
        secrets.push(birth.expose().to_string());
        secrets.push(birth.expose().to_string().replace('-', ""));
    }
    secrets.retain(|secret| secret.len() >= 4);
    secrets
}

fn same_bytes(registration: &Registration, cassette: &Arc<Cassette>) -> Checked {
    let (connector, _) = cassette.connector(registration)?;
    let first = run(&connector, cassette, |_, _| None)?;
    let (another, _) = cassette.connector(registration)?;
    for again in [run(&connector, cassette, |_, _| None)?, run(&another, cassette, |_, _| None)?] {
        let differ = first.requests.len() != again.requests.len()
            || first.requests.iter().zip(&again.requests).any(|(a, b)| {
                a.method() != b.method() || a.uri() != b.uri() || a.headers() != b.headers() || a.body() != b.body()
            });
        if differ {
            return Err("The same ask gave other requests the second time.".into());
        }
    }
    Ok(())
}

fn listed_hosts(registration: &Registration, cassette: &Arc<Cassette>) -> Checked {
    let (connector, settings) = cassette.connector(registration)?;
    let ran = run(&connector, cassette, |_, _| None)?;
    let marker = format!("pk-{}-", FakeHost::MARKER_WORD);
    let mut marked = false;
    for request in &ran.requests {
        let address = request.uri().to_string();
        if settings.address("request", &address).is_err() {
            return Err(format!("A request went to {:?}, which is not listed.", request.uri().host()).into());
        }
        let lower = address.to_lowercase();
        if secrets_of(&cassette.ask).iter().any(|secret| lower.contains(&secret.to_lowercase())) {
            return Err("An address names the patient.".into());
        }
        if lower.contains(&marker) {
            return Err("A secret stands in an address.".into());
        }
        marked |= String::from_utf8_lossy(request.body()).contains(&marker)
            || request.headers().values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(&marker));
    }
    // A connector that signs in by itself must do so with markers, and the others must leave it to the host.
    match connector.sign_in() {
        SignIn::InRequest | SignIn::Form(_) if !marked => Err("No request carries the credential's marker.".into()),
        SignIn::None | SignIn::Basic | SignIn::Header(_) | SignIn::ClientCredentials { .. } if marked => {
            Err("The host signs in here, and yet a request carries a marker.".into())
        }
        _ => Ok(()),
    }
}

fn no_patient_shown(registration: &Registration, cassette: &Arc<Cassette>) -> Checked {
    let (connector, _) = cassette.connector(registration)?;
    let ran = run(&connector, cassette, |_, _| None)?;
    let mut shown = format!("{:?}", ran.outcome);
    if let Err(error) = &ran.outcome {
        shown += &error.to_string();
    }
    let shown = shown.to_lowercase();
    let found = secrets_of(&cassette.ask).into_iter().any(|secret| shown.contains(&secret.to_lowercase()));
    if found { Err("Debug or Display shows patient data.".into()) } else { Ok(()) }
}

/// Drops the question's future after every number of polls, and asks again with the same connector.
fn dropped(registration: &Registration, cassette: &Arc<Cassette>) -> Checked {
    let (connector, _) = cassette.connector(registration)?;
    let clean = run(&connector, cassette, |_, _| None)?;
    let wanted = format!("{:?}", clean.outcome);
    let first = First::default();
    for polls in 1..10_000 {
        let signed_in = Arc::new(AtomicBool::new(false));
        let fake = host(&connector, cassette, &signed_in, |_, _| None);
        let ctx = Context::new(Arc::new(Stepping { fake }));
        let mut future = Box::pin(question(&connector, &ctx, &cassette.ask, &signed_in));
        let mut task = TaskContext::from_waker(Waker::noop());
        let ended = (0..polls).any(|_| future.as_mut().poll(&mut task).is_ready());
        drop(future);
        let again = run(&connector, cassette, |_, _| None)?;
        if format!("{:?}", again.outcome) != wanted {
            first.note(format!("After a drop at poll {polls} the same question ended otherwise."));
        }
        if ended {
            return first.checked();
        }
    }
    Err("The question did not end in 10000 polls.".into())
}

/// A host whose every answer takes one more poll, so that a future can be dropped while it waits.
struct Stepping {
    fake: Arc<FakeHost>,
}

/// Pending once.
struct Once(bool);

impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        task.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Host for Stepping {
    fn send<'a>(&'a self, request: Request<Bytes>) -> BoxFuture<'a, Result<Response<Bytes>>> {
        Box::pin(async move {
            pin!(Once(false)).await;
            self.fake.send(request).await
        })
    }

    fn pause<'a>(&'a self, how_long: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            pin!(Once(false)).await;
            self.fake.pause(how_long).await
        })
    }

    fn now(&self) -> jiff::Timestamp {
        self.fake.now()
    }

    fn today(&self) -> jiff::civil::Date {
        self.fake.today()
    }

    fn remaining(&self) -> Duration {
        self.fake.remaining()
    }

    fn trace(&self) -> &str {
        self.fake.trace()
    }

    fn control_number(&self) -> u32 {
        self.fake.control_number()
    }

    fn random(&self, into: &mut [u8]) {
        self.fake.random(into);
    }

    fn marker_word(&self) -> &str {
        self.fake.marker_word()
    }

    fn has_secret(&self, field: &str) -> bool {
        self.fake.has_secret(field)
    }

    fn warn(&self, warning: Warning) {
        self.fake.warn(warning);
    }
}
