//! The control plane over HTTP, and what holds for all carriers.

use serde_json::Value;

use super::client::{send, try_send};
use super::start;
use crate::{CARRIERS, Sandbox, SandboxConfig, carrier_file, credentials};

#[tokio::test]
async fn state_clock_switches_and_reset_over_http() {
    let sandbox = start().await;
    let to = sandbox.control_address();
    let post = async |path: &str, body: &str| send(to, "POST", path, "Content-Type: application/json\r\n", body).await;
    let reply = post("/_control/clock", "{\"advance_secs\": 960}").await;
    let state: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(state["clock_ahead_secs"], 960);
    let reply = post("/_control/northstar/switches", "{\"down\": \"unavailable\"}").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(send(sandbox.address("northstar").unwrap(), "POST", "/core", "", "x").await.status, 503);
    assert_eq!(post("/_control/northstar/switches", "{\"dwon\": \"refuse\"}").await.status, 400);
    assert_eq!(post("/_control/nobody/switches", "{}").await.status, 404);
    let reply = post("/_control/northstar/switches", "{\"down\": \"refuse\"}").await;
    assert_eq!(reply.status, 200);
    assert!(try_send(sandbox.address("northstar").unwrap(), "POST", "/core", "", "x").await.is_none());
    let state: Value = serde_json::from_str(&post("/_control/reset", "").await.body).unwrap();
    assert_eq!(state["clock_ahead_secs"], 0);
    assert_eq!(state["carriers"]["northstar"]["counters"]["requests"], 0);
    let truth: Value = serde_json::from_str(&send(to, "GET", "/_control/truth", "", "").await.body).unwrap();
    assert!(truth.as_array().unwrap().len() > 50);
}

#[tokio::test]
async fn every_carrier_has_an_address_a_file_and_a_credential() {
    let sandbox = start().await;
    let files = sandbox.carrier_files();
    for id in CARRIERS {
        let address = sandbox.address(id).unwrap().to_string();
        let (_, file) = files.iter().find(|(carrier, _)| *carrier == id).unwrap();
        assert!(file.contains(&format!("hosts = [\"{address}\"]")) && !file.contains("{{"), "{id}");
        let (_, fields) = credentials().into_iter().find(|(carrier, _)| *carrier == id).unwrap();
        for (_, value) in fields {
            assert!(!file.contains(value), "a carrier file holds no credential: {id}");
        }
    }
    assert!(carrier_file("nobody", sandbox.control_address()).is_none());
}

#[tokio::test]
async fn it_listens_where_it_did_where_that_is_free() {
    let sandbox = start().await;
    let ports: Vec<(String, u16)> = sandbox.addresses().iter().map(|(id, at)| ((*id).to_owned(), at.port())).collect();
    let again = || Sandbox::start(SandboxConfig { earlier: ports.clone(), ..SandboxConfig::default() });
    let other = again().await.unwrap();
    assert_ne!(other.addresses(), sandbox.addresses(), "taken: others are chosen");
    other.shutdown().await;
    let addresses = sandbox.addresses().to_vec();
    sandbox.shutdown().await;
    assert_eq!(again().await.unwrap().addresses(), addresses);
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_stops_when_told() {
    let everywhere = SandboxConfig { bind: "0.0.0.0".parse().unwrap(), ..SandboxConfig::default() };
    assert!(Sandbox::start(everywhere).await.is_err());
    let sandbox = start().await;
    let to = sandbox.address("hubline").unwrap();
    sandbox.shutdown().await;
    assert!(tokio::net::TcpStream::connect(to).await.is_err());
}
