//! An answer in use: on paper, against the one before it, and where it differs from what the practice has.

use http::{Method, StatusCode};
use portico::identity::Caller;
use portico::practice::PracticeId;
use portico::trail::{Detail, OutcomeKind, PatientKey, TrailRecord};
use serde_json::{Value, json};

use crate::pages_check::{Browser, okafor};
use crate::support::{Stand, ask};

const OLD: &str = "018f0000-0000-7000-8000-000000000021";

/// Puts an older answer beside `envelope`, with another copay, as an earlier day would have left it.
async fn yesterday(stand: &Stand, envelope: &Value) {
    let mut old = envelope.clone();
    old["id"] = OLD.into();
    old["freshness"]["as_of"] = "2026-11-20T09:12:00Z".into();
    for benefit in old["answer"]["benefits"].as_array_mut().unwrap() {
        if benefit["copay"]["amount"] == "40.00" {
            benefit["copay"]["amount"] = "30.00".into();
        }
    }
    let practice = PracticeId::new("demo");
    let key = PatientKey {
        carrier: "northstar".into(),
        member_id: Some("NSH-ACTIVE-COPAY40".into()),
        date_of_birth: Some("1984-03-12".into()),
        name: None,
    };
    let record = TrailRecord::new(&practice, &Caller::command_line(practice.clone()).actor(), "eligibility.answered")
        .carrier("northstar")
        .operation(connector_sdk::Operation::Eligibility)
        .outcome(OutcomeKind::Answered)
        .detail(Detail::default().patient(key))
        .ask(OLD);
    let bytes = serde_json::to_vec(&old).unwrap();
    stand.house.app.trail.complete(&practice, OLD, &bytes, None, record).await.unwrap();
}

async fn records(stand: &Stand, id: &str, action: &str) -> usize {
    let found = stand.call(Method::POST, "/v1/trail/search", Some(json!({ "ask": id }))).await;
    let records = found.body["records"].as_array().unwrap();
    records.iter().filter(|one| one["record"]["action"] == action).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copay_that_rose_is_told_on_the_page_and_by_the_api_and_the_paper_is_the_page() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let (address, first) = browser.ask("/check", &okafor("3", "12")).await;
    assert!(!first.text.contains("Changed since"), "there is no earlier answer");
    let id = address.trim_start_matches("/checks/");
    let envelope = stand.call(Method::GET, &format!("/v1/eligibility/{id}"), None).await.body;
    yesterday(&stand, &envelope).await;

    let page = browser.get(&address).await;
    assert!(page.text.contains("Changed since") && page.text.contains("20 Nov 2026"), "{}", page.text);
    assert!(page.text.contains("Copay, ") && page.text.contains("$30<"), "{}", page.text);
    let changes = stand.call(Method::GET, &format!("/v1/eligibility/{id}/changes"), None).await;
    assert_eq!(changes.body["since"]["id"], OLD, "{}", changes.text);
    let copay = changes.body["changes"].as_array().unwrap().iter().find(|one| one["fact"] == "copay").unwrap();
    assert_eq!((&copay["before"], &copay["after"]), (&json!([{ "amount": "30" }]), &json!([{ "amount": "40" }])));
    assert!(records(&stand, OLD, "eligibility.read").await >= 2, "the earlier answer was read, and that is on record");
    let nothing = stand.call(Method::GET, &format!("/v1/eligibility/{OLD}/changes"), None).await;
    assert_eq!((nothing.status, &nothing.body["since"]), (StatusCode::OK, &Value::Null), "{}", nothing.text);

    let read = records(&stand, id, "eligibility.read").await;
    let paper = stand.call(Method::GET, &format!("/v1/eligibility/{id}/pdf"), None).await;
    assert_eq!((paper.status, paper.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/pdf"));
    assert!(paper.bytes.starts_with(b"%PDF-1.7") && paper.headers["cache-control"] == "no-store");
    let named = paper.headers["content-disposition"].to_str().unwrap();
    assert_eq!(named, format!("inline; filename=\"benefits-{id}.pdf\""));
    assert_eq!(records(&stand, id, "eligibility.read").await, read + 1, "printing is reading");
    let again = browser.get(&format!("{address}/pdf")).await;
    assert_eq!(again.bytes, paper.bytes, "the same for people and for programs, byte by byte");

    let refused = stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03")).await;
    let path = format!("/v1/eligibility/{}/pdf", refused.body["id"].as_str().unwrap());
    assert_eq!(stand.call(Method::GET, &path, None).await.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_refresh_shows_the_last_answer_and_says_that_it_is_not_live() {
    let stand = Stand::start().await;
    let mut browser = Browser::admin(&stand).await;
    let (address, _) = browser.ask("/check", &okafor("3", "12")).await;
    let down = sandbox::Switches { down: sandbox::Down::Unavailable, ..sandbox::Switches::default() };
    assert!(stand.sandbox.control().set("northstar", down));
    let (_, page) = browser.ask(&format!("{address}/refresh"), &[]).await;
    for text in ["Whose side", "The last answer, of", "Saved, not live.", "$40 copay"] {
        assert!(page.text.contains(text), "{text} is missing: {}", page.text);
    }
    let slow = sandbox::Switches { latency_ms: 4_000, ..sandbox::Switches::default() };
    assert!(stand.sandbox.control().set("northstar", slow));
    let sent = browser.post(&format!("{address}/refresh"), &[]).await;
    let page = browser.get(sent.headers["location"].to_str().unwrap()).await;
    assert!(page.text.contains("Asking Northstar Health") && page.text.contains("$40 copay"), "{}", page.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_carriers_value_is_one_press_away_and_nobody_loses_work() {
    let stand = Stand::start().await;
    let patient = json!({ "first_name": "Amara", "last_name": "Okaford", "date_of_birth": "1984-03-12",
        "coverages": [{ "carrier": "northstar", "member_id": "NSH-ACTIVE-COPAY40" }] });
    let made = stand.call(Method::POST, "/v1/patients", Some(patient.clone())).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    let mut browser = Browser::admin(&stand).await;
    let mut fields = okafor("3", "12");
    fields[3].1 = "Okaford";
    fields.push(("patient_id", &id));
    let (address, page) = browser.ask("/check", &fields).await;
    assert!(page.text.contains("Use the carrier’s value: Last name"), "{}", page.text);

    // Somebody else changes the patient after the page was shown.
    let mut theirs = patient;
    theirs["phone"] = "503 555 0142".into();
    let change = json!({ "version": 1, "patient": theirs });
    let changed = stand.call(Method::PUT, &format!("/v1/patients/{id}"), Some(change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let both = browser.post(&format!("{address}/use"), &[("field", "member.last_name"), ("version", "1")]).await;
    assert_eq!(both.status, StatusCode::CONFLICT, "{}", both.text);
    assert!(both.text.contains("OKAFOR") && both.text.contains("503 555 0142"), "both versions: {}", both.text);

    let used = browser.post(&format!("{address}/use"), &[("field", "member.last_name"), ("version", "2")]).await;
    assert_eq!(used.status, StatusCode::SEE_OTHER, "{}", used.text);
    let now = stand.call(Method::GET, &format!("/v1/patients/{id}"), None).await.body;
    assert_eq!((&now["last_name"], &now["phone"]), (&json!("OKAFOR"), &json!("503 555 0142")), "{now}");
    assert_eq!(records(&stand, address.trim_start_matches("/checks/"), "patient.changed").await, 1);
    let page = browser.get(&address).await;
    assert!(page.text.contains("(the carrier’s value)"), "{}", page.text);
    for field in ["member.phone", "", "dependent.first_name"] {
        let none = browser.post(&format!("{address}/use"), &[("field", field), ("version", "3")]).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND, "{field} is nothing that the carrier has");
    }
    stand.stop().await;
}
