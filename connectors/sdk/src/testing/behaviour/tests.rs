//! The suite itself: connectors that misbehave must not pass it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use super::cassette::Cassette;
use super::{Checked, faults, misspelt_key, run, walls};
use crate::answer::Plan;
use crate::connector::Built;
use crate::{
    Answer, Connector, Context, CredentialField, Eligibility, EligibilityFacts, EligibilityLimits, EligibilityRequest,
    Error, ErrorKind, Outcome, Refusal, RefusalReason, Registration, Settings, SignIn,
};

/// What a toy connector does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Vice {
    None,
    Panics,
    AnswersGarbage,
    RefusesGarbage,
    AsksForever,
    LeaksMemberId,
    OtherHost,
    PatientInAddress,
    Remembers,
}

struct Toy(Vice, std::sync::atomic::AtomicU32);

impl Connector for Toy {
    fn sign_in(&self) -> SignIn<'_> {
        SignIn::None
    }
    fn credential_fields(&self) -> Vec<CredentialField> {
        Vec::new()
    }
    fn eligibility(&self) -> Option<&dyn Eligibility> {
        Some(self)
    }
}

impl Eligibility for Toy {
    fn limits(&self) -> EligibilityLimits {
        EligibilityLimits { dependents: false, service_types_max: 1, procedures: false }
    }

    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(async move {
            let id = ask.member.member_id.as_ref().unwrap().text();
            let address = match self.0 {
                Vice::OtherHost => "https://evil.example/".to_owned(),
                Vice::PatientInAddress => format!("https://toy.example/{id}"),
                Vice::Remembers => {
                    let count = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    format!("https://toy.example/{count}")
                }
                _ => "https://toy.example/".to_owned(),
            };
            let request = || Request::post(&address).body(Bytes::from(id.to_owned())).unwrap();
            let mut reply = ctx.send(request()).await;
            for _ in 0..if self.0 == Vice::AsksForever { 100 } else { 0 } {
                if reply.is_err() {
                    reply = ctx.send(request()).await;
                }
            }
            let reply = reply?;
            match reply.status().as_u16() {
                429 => {
                    let wait = crate::Retry::After(std::time::Duration::from_secs(7));
                    return Err(Error::new(ErrorKind::CarrierThrottled, "Too much.").retry(wait));
                }
                503 => return Err(Error::new(ErrorKind::CarrierUnavailable, "Out of order.")),
                _ => {}
            }
            let mut facts = EligibilityFacts::default();
            if reply.body() == &format!("active {id}") {
                if self.0 == Vice::LeaksMemberId {
                    facts.plans.push(Plan { name: Some(id.to_owned()), ..Plan::default() });
                }
                return Ok(Outcome::Answered(facts));
            }
            match self.0 {
                Vice::Panics => panic!("unreadable"),
                Vice::AnswersGarbage => {
                    facts.plans.push(Plan::default());
                    Ok(Outcome::Answered(facts))
                }
                Vice::RefusesGarbage => Ok(Outcome::Refused(Refusal::new(RefusalReason::MemberNotFound))),
                _ => Err(Error::new(ErrorKind::ProtocolBroken, "Not readable.")),
            }
        })
    }
}

macro_rules! registration {
    ($vice:ident) => {
        Registration {
            name: "toy",
            speaks: "",
            transport: "json",
            operations: &[crate::Operation::Eligibility],
            sign_in: "",
            settings_schema: || serde_json::Value::Null,
            example: "hosts = [\"toy.example\"]\n[settings]\nkey = 1\n",
            build: |_: &Settings| -> Built { Ok(Arc::new(Toy(Vice::$vice, 0.into()))) },
        }
    };
}

fn cassette() -> Arc<Cassette> {
    let ask = json!({ "carrier": "toy", "provider": { "npi": "1234567893" }, "member": { "member_id": "TOY0012345" } });
    Arc::new(Cassette::of(
        "active",
        serde_json::from_value(ask).unwrap(),
        json!({ "outcome": "answered" }),
        vec![Response::new(Bytes::from("active TOY0012345"))],
    ))
}

/// Names of the checks that fail.
fn failing(registration: &Registration) -> Vec<String> {
    let cassette = cassette();
    let mut checks: Vec<(String, Checked)> = faults::all(registration, &cassette);
    checks.extend(walls::all(registration, &cassette));
    checks.into_iter().filter(|(_, checked)| checked.is_err()).map(|(name, _)| name).collect()
}

#[test]
fn a_good_connector_passes_and_every_vice_is_found() {
    assert_eq!(failing(&registration!(None)), Vec::<String>::new());
    assert_eq!(failing(&registration!(Panics)), ["Truncated", "Garbage", "LoginPage", "Stranger"]);
    assert_eq!(failing(&registration!(AnswersGarbage)), ["Truncated", "Garbage", "LoginPage", "Stranger"]);
    assert_eq!(failing(&registration!(RefusesGarbage)), ["Truncated", "Garbage", "LoginPage", "Stranger"]);
    assert_eq!(failing(&registration!(AsksForever)), ["Timeout", "Reset", "Oversized"]);
    assert_eq!(failing(&registration!(LeaksMemberId)), ["no_patient_shown"]);
    assert_eq!(failing(&registration!(OtherHost)), ["only_listed_hosts"]);
    assert_eq!(failing(&registration!(PatientInAddress)), ["only_listed_hosts"]);
    assert_eq!(failing(&registration!(Remembers)), ["same_ask_same_bytes"]);
}

#[test]
fn settings_that_accept_anything_and_missing_requests_are_found() {
    assert!(misspelt_key(&registration!(None)).is_err());
    let problem = run::replay(&registration!(None), &cassette()).unwrap_err();
    assert!(problem.message().is_some_and(|text| text.contains("1.request.http is missing")));
}
