//! A thousand identical questions at the same time: how many reach the carrier.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sandbox::Switches;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::load::Shot;
use crate::place::{Place, question};

/// HTTP/2 connections, and questions on each: below the gateway's bound of streams on one connection.
const CONNECTIONS: usize = 8;
const EACH: usize = 125;

/// Prints how many questions the carrier counted.
pub fn run() {
    let place = Place::open();
    let open = place.house(place.files());
    let carriers = [
        ("northstar", question("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")),
        ("hubline", question("hubline", "HUB-ACTIVE-EPO", "1974-05-27")),
    ];
    for (id, question) in carriers {
        let shot = open.shot(&question);
        let control = place.sandbox.control().clone();
        // Slow enough that all of them are there before the answer is.
        control.set(id, Switches { latency_ms: 500, ..Switches::default() });
        let before = control.counters(id).unwrap().questions;
        let began = Instant::now();
        let envelopes = place.on_client(all_at_once(shot));
        let took = began.elapsed();
        let calls = control.counters(id).unwrap().questions - before;
        let ids: HashSet<&str> = envelopes.iter().filter_map(|envelope| envelope["id"].as_str()).collect();
        let answered = envelopes.iter().filter(|envelope| envelope["outcome"] == "answered").count();
        println!(
            "{id}: {} questions, {answered} answered under {} ids, {calls} carrier call(s), {} ms (the carrier waits 500)",
            envelopes.len(),
            ids.len(),
            took.as_millis()
        );
        assert_eq!((calls, answered, ids.len()), (1, CONNECTIONS * EACH, CONNECTIONS * EACH));
    }
}

async fn all_at_once(shot: Shot) -> Vec<Value> {
    let mut waiting = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(shot.address).await.unwrap();
        let handshake = http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        for _ in 0..EACH {
            let (mut sender, shot) = (sender.clone(), shot.clone());
            waiting.push(tokio::spawn(async move {
                let mut request = http::Request::post(format!("http://{}{}", shot.address, shot.path));
                for (name, value) in &shot.headers {
                    request = request.header(name, value);
                }
                let reply = sender.send_request(request.body(Full::new(shot.body)).unwrap()).await.unwrap();
                serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap()
            }));
        }
    }
    let mut envelopes = Vec::new();
    for one in waiting {
        envelopes.push(tokio::time::timeout(Duration::from_secs(30), one).await.unwrap().unwrap());
    }
    envelopes
}
