//! Events, read and delivered, against a receiver on this machine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::Stand;

/// One delivery as it came.
#[derive(Clone, Debug)]
pub struct Delivery {
    id: String,
    timestamp: String,
    signature: String,
    pub body: Bytes,
}

/// Takes deliveries; answers with the statuses it was given, then 204.
pub struct Receiver {
    pub url: String,
    came: Arc<Mutex<Vec<Delivery>>>,
}

impl Receiver {
    pub async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let came = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                let service = service_fn(move |request: Request<Incoming>| {
                    let log = Arc::clone(&log);
                    async move {
                        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
                        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
                        let signature = header("webhook-signature");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let mut log = log.lock().unwrap();
                        let status = statuses.get(log.len()).copied().unwrap_or(204);
                        log.push(Delivery { id, timestamp, signature, body });
                        let reply = Response::builder().status(status).body(Full::new(Bytes::new()));
                        Ok::<_, std::convert::Infallible>(reply.unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, came }
    }

    /// Waits for so many deliveries; all there are.
    pub async fn deliveries(&self, wanted: usize) -> Vec<Delivery> {
        for _ in 0..300 {
            if self.came.lock().unwrap().len() >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.came.lock().unwrap().clone()
    }
}

fn signed(secret: &str, delivery: &Delivery) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut text = format!("{}.{}.", delivery.id, delivery.timestamp).into_bytes();
    text.extend_from_slice(&delivery.body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &text);
    delivery.signature == format!("v1,{}", STANDARD.encode(tag))
}

/// The one webhook, once it is as it should be: what was delivered is noted a moment later.
async fn until(stand: &Stand, fits: fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let webhook = stand.call(Method::GET, "/v1/webhooks", None).await.body[0].clone();
        if fits(&webhook) {
            return webhook;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the webhook did not come to be as it should")
}

fn question() -> Value {
    json!({
        "carrier": "northstar",
        "provider": { "npi": "1234567893" },
        "member": { "member_id": "NSX900000000", "last_name": "Nobody", "first_name": "Nora", "date_of_birth": "1980-01-01" },
        "service": { "types": ["30"] }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_delivered_signed_and_again_after_a_failure() {
    let stand = Stand::start().await;
    let receiver = Receiver::start(&[500]).await;
    let made = stand.call(Method::POST, "/v1/webhooks", Some(json!({ "url": receiver.url }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    stand.call(Method::POST, "/v1/eligibility", Some(question())).await;
    let came = receiver.deliveries(2).await;
    assert_eq!((came.len(), &came[0].id), (2, &came[1].id), "the failed one comes again, under its id");
    for delivery in &came {
        assert!(signed(&secret, delivery));
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(body["type"], "eligibility.answered");
        assert!(!String::from_utf8_lossy(&delivery.body).contains("Nobody"));
    }
    let listed = stand.call(Method::GET, "/v1/events", None).await;
    let ids: Vec<&Value> = listed.body["events"].as_array().unwrap().iter().map(|event| &event["id"]).collect();
    assert!(ids.contains(&&json!(came[0].id)), "{ids:?}");
    let webhook = until(&stand, |webhook| webhook["last_status"] == 204).await;
    assert_eq!(webhook["failures"], 0);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_left_alone_until_somebody_says_otherwise() {
    let stand = Stand::start().await;
    let receiver = Receiver::start(&[410]).await;
    let made = stand.call(Method::POST, "/v1/webhooks", Some(json!({ "url": receiver.url }))).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    stand.call(Method::POST, "/v1/eligibility", Some(question())).await;
    receiver.deliveries(1).await;
    until(&stand, |webhook| webhook["state"] == "disabled").await;
    let enabled = stand.call(Method::POST, &format!("/v1/webhooks/{id}/enable"), None).await;
    assert_eq!(enabled.status, StatusCode::NO_CONTENT);
    let came = receiver.deliveries(2).await;
    assert_eq!(came[0].id, came[1].id, "it goes on where it stopped");
    let gone = stand.call(Method::DELETE, &format!("/v1/webhooks/{id}"), None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_webhook_is_refused_with_its_reason() {
    let stand = Stand::start().await;
    let refused = stand.call(Method::POST, "/v1/webhooks", Some(json!({ "url": "http://hooks.example/" }))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["path"], "/url");
    let query = stand.call(Method::GET, "/v1/events?afer=1", None).await;
    assert_eq!(query.status, StatusCode::UNPROCESSABLE_ENTITY);
    stand.stop().await;
}
