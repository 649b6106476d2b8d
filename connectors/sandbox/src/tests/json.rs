//! Harbor HMO and Hubline.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::{FORM, Reply, form, send};
use super::start;
use crate::credentials::{HARBOR_CLIENT, HARBOR_SECRET, HUB_KEY};

async fn token(to: SocketAddr, secret: &str) -> Reply {
    let fields = [("grant_type", "client_credentials"), ("client_id", HARBOR_CLIENT), ("client_secret", secret)];
    send(to, "POST", "/oauth/token", FORM, &form(&fields)).await
}

async fn bearer(to: SocketAddr) -> String {
    let body: Value = serde_json::from_str(&token(to, HARBOR_SECRET).await.body).unwrap();
    assert_eq!(body["expires_in"], 300);
    format!("Authorization: Bearer {}\r\n", body["access_token"].as_str().unwrap())
}

async fn harbor(to: SocketAddr, bearer: &str, member_id: &str, born: &str) -> Reply {
    let body = json!({ "traceId": "T1", "memberId": member_id, "birthDate": born, "providerNpi": "1234567893" });
    let reply = send(to, "POST", "/v2/eligibilities", bearer, &body.to_string()).await;
    if reply.status != 202 {
        return reply;
    }
    let location = reply.header("location");
    for _ in 0..10 {
        let reply = send(to, "GET", &location, bearer, "").await;
        if reply.status != 202 {
            return reply;
        }
    }
    reply
}

#[tokio::test]
async fn harbor_answers_after_a_while() {
    let sandbox = start().await;
    let to = sandbox.address("harborhmo").unwrap();
    let bearer = bearer(to).await;
    let reply = harbor(to, &bearer, "HHM-ACTIVE-PCP", "1979-08-15").await;
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &body["traceId"]), (200, &json!("T1")));
    assert_eq!(body["plans"][0]["primaryCareProvider"]["name"], "FONTAINE, ODETTE");
    let physical = body["benefits"].as_array().unwrap().iter().find(|b| b["serviceType"] == "PT").unwrap();
    assert_eq!(physical["limit"]["remaining"], "24");
    assert_eq!(physical["priorAuthorization"], "required");
    assert_eq!(sandbox.control().counters("harborhmo").unwrap().requests, 5);
    assert_eq!(harbor(to, &bearer, "HHM-NEVER", "1971-07-07").await.status, 202);
}

#[tokio::test]
async fn harbor_refuses_in_its_own_words() {
    let sandbox = start().await;
    let to = sandbox.address("harborhmo").unwrap();
    let bearer = bearer(to).await;
    for (id, born, status, word) in [
        ("HHM-NOBODY", "1979-08-15", 422, "MEMBER_NOT_FOUND"),
        ("HHM-ACTIVE-PCP", "1979-08-16", 422, "BIRTHDATE_MISMATCH"),
        ("HHM-ERR200", "1983-03-13", 200, "SYS-0503"),
        ("HHM-429", "1982-02-12", 429, "QUOTA"),
        ("HHM<script>", "1982-02-12", 400, "INBOUND_INJECTION"),
    ] {
        let reply = harbor(to, &bearer, id, born).await;
        assert_eq!(reply.status, status, "{id}");
        assert!(reply.body.contains(word), "{}", reply.body);
    }
    assert_eq!(harbor(to, &bearer, "HHM-429", "1982-02-12").await.header("retry-after"), "");
}

#[tokio::test]
async fn harbor_tokens_expire_get_lost_and_clients_lock() {
    let sandbox = start().await;
    let to = sandbox.address("harborhmo").unwrap();
    let first = bearer(to).await;
    sandbox.control().advance(299);
    assert_eq!(harbor(to, &first, "HHM-ACTIVE-PCP", "1979-08-15").await.status, 200);
    sandbox.control().advance(2);
    assert_eq!(harbor(to, &first, "HHM-ACTIVE-PCP", "1979-08-15").await.status, 401);
    let second = bearer(to).await;
    assert_eq!(harbor(to, &second, "HHM-TOKEN401", "1984-04-14").await.status, 401, "lost while fetching");
    let third = bearer(to).await;
    assert_eq!(harbor(to, &third, "HHM-TOKEN401", "1984-04-14").await.status, 200, "only once");
    for status in [401, 401, 423] {
        assert_eq!(token(to, "wrong").await.status, status);
    }
    assert_eq!(token(to, HARBOR_SECRET).await.status, 423);
}

async fn hub(to: SocketAddr, key: &str, member_id: &str, born: &str) -> (u16, Value) {
    let body = json!({
        "controlNumber": "C1",
        "tradingPartnerServiceId": "CASC1",
        "provider": { "npi": "1234567893" },
        "subscriber": { "memberId": member_id, "dateOfBirth": born },
        "encounter": { "serviceTypeCodes": ["30"] },
    });
    let reply = send(to, "POST", "/eligibility/v3", &format!("X-Api-Key: {key}\r\n"), &body.to_string()).await;
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
}

#[tokio::test]
async fn hubline_answers_and_errs_with_200() {
    let sandbox = start().await;
    let to = sandbox.address("hubline").unwrap();
    let (status, body) = hub(to, HUB_KEY, "HUB-ACTIVE-EPO", "19740527").await;
    assert_eq!((status, &body["controlNumber"]), (200, &json!("C1")));
    assert!(body["benefitsInformation"].as_array().unwrap().len() > 30);
    assert_eq!(body["planStatus"][0]["statusCode"], "1");
    for (id, born, code) in [
        ("HUB-ACTIVE-EPO", "19740528", "71"),
        ("HUB-NOBODY", "19740528", "72"),
        ("HUB-ERR79", "19590616", "79"),
        ("HUB-TOPERROR", "19610818", "HUB-500"),
    ] {
        let (status, body) = hub(to, HUB_KEY, id, born).await;
        assert_eq!((status, &body["errors"][0]["code"]), (200, &json!(code)));
    }
    for status in [401, 401, 423] {
        assert_eq!(hub(to, "wrong", "HUB-ACTIVE-EPO", "19740527").await.0, status);
    }
    assert_eq!(hub(to, HUB_KEY, "HUB-ACTIVE-EPO", "19740527").await.0, 423);
}
