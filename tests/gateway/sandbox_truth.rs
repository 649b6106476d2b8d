//! Every scenario of the simulated carriers, asked through the real connectors over the real wire, and compared with
//! the truth that the sandbox prints.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_sdk::ask::Lane;
use connector_sdk::{BoxFuture, EligibilityRequest, Outcome, Result, Retry};
use portico::carriers::{Carrier, CarrierBook, Limits};
use portico::practice::PracticeId;
use portico::wire::{Attempt, Credentials, Doubt, Lease, LoginMark, Wire};
use sandbox::{Layout, Page, Sandbox, SandboxConfig, Switches};
use serde_json::{Value, json};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Hands out the sandbox's own credentials.
struct Practice;

impl Credentials for Practice {
    fn lease(&self, _: &PracticeId, carrier: &Carrier) -> Result<Lease> {
        let (_, fields) = sandbox::credentials().into_iter().find(|(id, _)| *id == carrier.id).unwrap();
        let fields: BTreeMap<String, Zeroizing<String>> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned()))).collect();
        let credential_id = format!("cred-{}", carrier.id);
        Ok(Lease { credential_id, generation: 1, on_trial: false, fields, origins: carrier.hosts.clone() })
    }

    fn stop<'a>(&'a self, _: &'a str, _: u64, _: Doubt) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn login_begins<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<LoginMark>> {
        Box::pin(async { Ok(LoginMark(0)) })
    }

    fn login_ended(&self, _: &str, _: LoginMark, _: bool) -> BoxFuture<'static, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn take_step<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(true) })
    }
}

async fn ask(wire: &Wire, carrier: &Carrier, ask: &EligibilityRequest, number: usize) -> Result<Value> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let narrowed = carrier.form.check(ask, today).unwrap().narrow(ask);
    let attempt = wire.attempt(Attempt {
        practice: PracticeId::new("p-1"),
        lane: Lane::Interactive,
        deadline: Instant::now() + carrier.limits.attempt_timeout,
        trace: format!("TRUTH{number:06}"),
        today,
    })?;
    let context = attempt.context();
    let eligibility = carrier.connector.eligibility().expect("an eligibility operation");
    let outcome = eligibility.check(&context, &narrowed).await;
    attempt.finish();
    Ok(match outcome? {
        Outcome::Answered(facts) => json!({ "answer": facts }),
        Outcome::Refused(refusal) => json!({ "refusal": refusal }),
    })
}

/// What differs between the truth and the answer; empty: nothing.
fn differences(expect: &Value, got: &Result<Value>) -> Vec<String> {
    match (expect["outcome"].as_str().unwrap(), got) {
        ("failed", Err(error)) if expect["kind"] == error.kind.name() => Vec::new(),
        ("refused", Ok(value)) if value["refusal"].is_object() => {
            let refusal = &value["refusal"];
            let codes: Vec<&Value> =
                refusal["carrier_codes"].as_array().into_iter().flatten().map(|code| &code["code"]).collect();
            let wanted: Vec<&Value> = expect["codes"].as_array().into_iter().flatten().collect();
            let mut wrong = Vec::new();
            if refusal["reason"] != expect["reason"] {
                wrong.push(format!("reason {} instead of {}", refusal["reason"], expect["reason"]));
            }
            if wanted.iter().any(|code| !codes.contains(code)) {
                wrong.push(format!("codes {codes:?} instead of {wanted:?}"));
            }
            wrong
        }
        ("answered", Ok(value)) if value["answer"].is_object() => answer_differs(&expect["truth"], &value["answer"]),
        (wanted, Ok(value)) => {
            let got = if value["answer"].is_object() { "answered" } else { "refused" };
            vec![format!("{got} instead of {wanted} {}", expect["kind"])]
        }
        (wanted, Err(error)) => vec![format!("{error} instead of {wanted} {}", expect["kind"])],
    }
}

fn answer_differs(truth: &Value, answer: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, truth: &Value, got: &Value| {
        if truth != got {
            wrong.push(format!("{what} is {got}, true is {truth}"));
        }
    };
    same("coverage", &truth["coverage"], &answer["coverage"]);
    for field in ["member_id", "first_name", "last_name", "date_of_birth"] {
        same(field, &truth[field], &answer["member"][field]);
    }
    same("plan", &truth["plan"]["name"], &answer["plans"][0]["name"]);
    // Told month by month, the plan's days are those of the months asked about.
    if truth["monthly"] != true {
        same("plan begins", &truth["plan"]["from"], &answer["plans"][0]["period"]["from"]);
    }
    if truth["coverage"] == "active" {
        for benefit in truth["benefits"].as_array().into_iter().flatten() {
            wrong.extend(missing(benefit, answer));
        }
    }
    if truth["primary_care"].is_object() {
        let name = truth["primary_care"]["name"].as_str().unwrap();
        let last = name.split(',').next().unwrap();
        if !answer["plans"].to_string().contains(last) {
            wrong.push("the primary care provider is missing".to_owned());
        }
    }
    if truth["other_payer"].is_object() {
        let payers = answer["plans"][0]["other_payers"].to_string();
        if !payers.contains(truth["other_payer"]["name"].as_str().unwrap()) {
            wrong.push("the other payer is missing".to_owned());
        }
    }
    wrong
}

/// Each thing that is true of a benefit must stand in some entry of the answer for the same service, network and level.
fn missing(truth: &Value, answer: &Value) -> Vec<String> {
    let entries: Vec<&Value> = answer["benefits"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry["service"]["code"] == truth["service"]
                && entry["network"] == truth["network"]
                && entry["level"] == truth["level"]
        })
        .collect();
    let mut wrong = Vec::new();
    let mut wants = |what: &str, truth: &Value, pointer: &str| {
        if truth.is_null() || truth == "not_stated" {
            return;
        }
        if !entries.iter().any(|entry| entry.pointer(pointer).is_some_and(|got| equal(got, truth))) {
            wrong.push(format!("{what} of {} is not {truth}", whose(&entries)));
        }
    };
    // On most wires a limit is one more line beside "covered".
    if truth["covered"] != "limited" || !entries.iter().any(|entry| entry["covered"] == "yes") {
        wants("covered", &truth["covered"], "/covered");
    }
    wants("authorization", &truth["authorization"], "/authorization");
    wants("copay", &truth["copay"], "/copay/amount");
    wants("coinsurance", &truth["coinsurance"], "/coinsurance/patient_share");
    for part in ["base", "met", "remaining"] {
        wants(part, &truth["deductible"][part], &format!("/deductible/{part}"));
        wants(part, &truth["out_of_pocket"][part], &format!("/out_of_pocket/{part}"));
    }
    for part in ["allowed", "used", "remaining"] {
        wants(part, &truth["limit"][part], &format!("/limit/{part}"));
    }
    if wrong.is_empty() {
        return wrong;
    }
    vec![format!("{}/{}/{}: {}", truth["service"], truth["network"], truth["level"], wrong.join(", "))]
}

fn whose(entries: &[&Value]) -> String {
    format!("{} entries", entries.len())
}

/// Equal as text, or as numbers.
fn equal(got: &Value, truth: &Value) -> bool {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    got == truth || number(got).is_some_and(|got| number(truth) == Some(got))
}

/// Starts the sandbox and loads its carrier files.
async fn carriers() -> (Sandbox, Arc<CarrierBook>) {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let files = sandbox.carrier_files().into_iter().map(|(id, text)| (id.to_owned(), text)).collect();
    let (book, report) = CarrierBook::from_files(files, Limits::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    (sandbox, book)
}

/// The truth's case of this name.
fn case(scenario: &str) -> (EligibilityRequest, Value) {
    let all = sandbox::truth();
    let case = all.as_array().unwrap().iter().find(|case| case["scenario"] == scenario).unwrap();
    (serde_json::from_value(case["ask"].clone()).unwrap(), case["expect"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_comes_out_as_the_truth_says() {
    let (sandbox, book) = carriers().await;
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut asked, mut wrong) = (0, Vec::new());
    for id in sandbox::CARRIERS {
        let carrier = book.get(id).unwrap();
        let wire = Wire::new(carrier.clone(), Arc::new(Practice)).unwrap();
        for case in sandbox::truth().as_array().unwrap().iter().filter(|case| case["carrier"] == id) {
            let name = format!("{id} {} ({})", case["scenario"], case["about"]);
            if !name.contains(&only) {
                continue;
            }
            // It costs a session, and the next one-time code may be 30 seconds away: a test of its own.
            // What waits for a person has tests of its own, too: `tasks.rs`.
            if case["scenario"] == "BVP-SIGNEDOUT" || case["sign_in"].is_object() {
                continue;
            }
            asked += 1;
            let request: EligibilityRequest = serde_json::from_value(case["ask"].clone()).unwrap();
            let got = ask(&wire, &carrier, &request, asked).await;
            let found = differences(&case["expect"], &got);
            if !found.is_empty() {
                println!("{name}: {found:#?}");
                wrong.push(name);
            }
        }
    }
    println!("{asked} scenarios asked, {} of them not as the truth says", wrong.len());
    assert!(asked >= 80 || !only.is_empty());
    assert_eq!(wrong, Vec::<String>::new());
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_may_turn_its_columns_round_and_may_want_a_person() {
    let (sandbox, book) = carriers().await;
    let carrier = book.get("bluevalley").unwrap();
    let wire = Wire::new(carrier.clone(), Arc::new(Practice)).unwrap();
    let (request, expect) = case("BVP-ACTIVE-PPO");
    let set = |layout, page| sandbox.control().set("bluevalley", Switches { layout, page, ..Switches::default() });
    set(Layout::B, Page::None);
    assert_eq!(differences(&expect, &ask(&wire, &carrier, &request, 1).await), Vec::<String>::new());
    for (page, kind) in
        [(Page::Captcha, "needs_person"), (Page::Terms, "needs_person"), (Page::Maintenance, "carrier_closed")]
    {
        set(Layout::A, page);
        assert_eq!(ask(&wire, &carrier, &request, 2).await.unwrap_err().kind.name(), kind);
    }
    set(Layout::A, Page::None);
    assert_eq!(differences(&expect, &ask(&wire, &carrier, &request, 3).await), Vec::<String>::new());
    let counters = sandbox.control().counters("bluevalley").unwrap();
    assert_eq!((counters.logins, counters.logins_failed), (2, 0), "one password and one code for all of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_in_the_middle_is_opened_again() {
    let (sandbox, book) = carriers().await;
    let carrier = book.get("bluevalley").unwrap();
    let wire = Wire::new(carrier.clone(), Arc::new(Practice)).unwrap();
    let (before, expect) = case("BVP-ACTIVE-PPO");
    assert_eq!(differences(&expect, &ask(&wire, &carrier, &before, 0).await), Vec::<String>::new());
    let (request, expect) = case("BVP-SIGNEDOUT");
    let first = ask(&wire, &carrier, &request, 1).await.unwrap_err();
    assert_eq!((first.kind.name(), first.retry), ("carrier_unavailable", Retry::Safe));
    assert_eq!(differences(&expect, &ask(&wire, &carrier, &request, 2).await), Vec::<String>::new());
    assert_eq!(sandbox.control().counters("bluevalley").unwrap().logins, 4);
}
