//! Patients: found by whatever is at hand, with the last word of each carrier; of two who change the same, neither loses
//! work.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Reply, Stand, ask};

fn amara() -> Value {
    json!({
        "first_name": "Amara", "last_name": "Okafor", "date_of_birth": "1984-03-12", "phone": "(503) 555-0142",
        "mrn": "M-10442", "coverages": [{ "carrier": "northstar", "member_id": "NSH-ACTIVE-COPAY40" }]
    })
}

impl Stand {
    async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn enter(&self, patient: &Value) -> String {
        let made = self.post("/v1/patients", patient.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn found(&self, query: &str) -> Vec<Value> {
        let found = self.post("/v1/patients/search", json!({ "query": query })).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        found.body["patients"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_found_with_the_last_word_of_the_carrier() {
    let stand = Stand::start().await;
    let id = stand.enter(&amara()).await;
    let found = stand.found("okafro").await;
    assert_eq!((&found[0]["id"], &found[0]["matched"]), (&json!(id), &json!(["similar_name"])));
    assert_eq!(found[0]["standings"][0]["badge"], "not_checked");

    // Asked by another program, which knows of no patient: the same member id, date of birth and carrier.
    let answered = stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await;
    let standing = stand.found("okafor 1984").await[0]["standings"][0].clone();
    assert_eq!(standing["ask"], answered.body["id"], "{standing}");
    assert!(["active", "active_look"].contains(&standing["badge"].as_str().unwrap()), "{standing}");
    assert!(standing["as_of"].is_string() && standing["plan"].is_string(), "{standing}");

    // Mistyped, and asked from the patient's page: the latest word of the carrier is that it found nobody.
    let wrong = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03");
    let refused = stand.post(&format!("/v1/eligibility?patient={id}"), wrong).await;
    assert_eq!(refused.body["outcome"], "refused", "{}", refused.text);
    let page = stand.call(Method::GET, &format!("/v1/patients/{id}"), None).await;
    assert_eq!(page.body["standings"][0]["badge"], "not_found", "{}", page.text);
    assert!(page.body["standings"][0]["look_at"].as_array().unwrap().contains(&json!("member.date_of_birth")));
    let past = stand.call(Method::GET, &format!("/v1/patients/{id}/answers"), None).await;
    let badges: Vec<_> = past.body["answers"].as_array().unwrap().iter().map(|one| one["badge"].clone()).collect();
    assert_eq!((badges.len(), &badges[0]), (2, &json!("not_found")), "{}", past.text);

    // Phoned: a person's word, with name and reference.
    let word = json!({ "carrier": "northstar", "covered": true, "who": "Dana at the help desk", "reference": "C-77" });
    let said = stand.post(&format!("/v1/patients/{id}/phone-verifications"), word).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text);
    let standing = stand.found("M-10442").await[0]["standings"][0].clone();
    assert_eq!((&standing["badge"], &standing["by_phone"]["reference"]), (&json!("verified_by_phone"), &json!("C-77")));

    let unknown = stand.post("/v1/eligibility?patient=pat_none", ask("northstar", "X1", "1984-03-12")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_the_same_patient_neither_loses_work() {
    let stand = Stand::start().await;
    let id = stand.enter(&amara()).await;
    let path = format!("/v1/patients/{id}");
    let with = |name: &str, value: &str| {
        let mut patient = amara();
        patient[name] = json!(value);
        json!({ "version": 1, "patient": patient })
    };
    let first = stand.call(Method::PUT, &path, Some(with("phone", "503-555-0199"))).await;
    assert_eq!((first.status, &first.body["version"]), (StatusCode::OK, &json!(2)), "{}", first.text);
    let second = stand.call(Method::PUT, &path, Some(with("mrn", "M-2"))).await;
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text);
    assert_eq!(second.headers["content-type"], "application/problem+json");
    assert_eq!(second.body["current"]["phone"], "503-555-0199");
    assert_eq!((&second.body["current"]["version"], &second.body["yours"]["mrn"]), (&json!(2), &json!("M-2")));
    assert_eq!(stand.call(Method::GET, &path, None).await.body["mrn"], "M-10442");

    let mut bad = with("first_name", "");
    bad["patient"]["date_of_birth"] = json!("2150-01-01");
    let bad = stand.call(Method::PUT, &path, Some(bad)).await;
    let paths: Vec<_> = bad.body["errors"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths, ["/patient/first_name", "/patient/date_of_birth"], "{}", bad.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patients_are_sealed_on_disk_and_found_again_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let stand = Stand::start_at(Some(data.path())).await;
    let mut patient = amara();
    patient["last_name"] = json!("Zanzibarova");
    let id = stand.enter(&patient).await;
    stand.found("zanzibarova").await;
    let trail = stand.call(Method::GET, "/v1/trail?limit=500", None).await;
    assert!(trail.text.contains("patients.searched") && trail.text.contains("patient.made"), "{}", trail.text);
    assert!(!trail.text.to_lowercase().contains("zanzibarova"));
    stand.stop().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(data.path().join("store")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        assert!(!bytes.to_ascii_lowercase().windows(11).any(|part| part == b"zanzibarova"));
    }
    assert!(seen > 10_000, "the store's files were not read");
    let stand = Stand::start_at(Some(data.path())).await;
    assert_eq!(stand.found("Zanzibarova, Amara").await[0]["id"], json!(id));
    stand.stop().await;
}
