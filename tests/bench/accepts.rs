//! Durable accepts a second: what the store's group commit is worth where a caller waits for it. 64 clients hand in
//! authorizations, each checked, sealed, looked up for its like and committed with its record before it is acknowledged;
//! once as they come, so that those that wait share a commit, and once through a gate that lets each commit alone. The
//! carrier is held, so that nothing is sent meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use connector_sdk::AuthorizationRequest;
use portico::identity::Caller;
use portico::practice::PracticeId;
use portico::submissions::Submissions;
use serde_json::json;

use crate::figures::{Median, quantile};
use crate::place::Place;

const ROUNDS: usize = 7;
const CLIENTS: usize = 64;
const LENGTH: Duration = Duration::from_millis(1_500);

/// Numbers the submissions of the whole run: each is for somebody else.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Prints both, and their ratio.
pub fn run() {
    let place = Place::open();
    let open = place.house(place.files());
    let submissions = open.house.app.submissions.clone();
    let caller = Arc::new(Caller::command_line(PracticeId::new("demo")));
    place.gateway.block_on(hold(&submissions, &caller));
    let round = |gate: usize| place.on_client(hand_in(submissions.clone(), caller.clone(), gate));
    // Warm.
    round(CLIENTS);
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (round(CLIENTS), round(1))).collect();
    println!("{CLIENTS} clients, {ROUNDS} rounds of {:.1} s each: median (least-greatest)", LENGTH.as_secs_f64());
    for (place, name) in ["durable accepts/s", "p50 us", "p99 us"].iter().enumerate() {
        let grouped = Median::of(rounds.iter().map(|round| round.0[place]));
        let alone = Median::of(rounds.iter().map(|round| round.1[place]));
        let ratio = Median::of(rounds.iter().map(|round| round.0[place] / round.1[place]));
        println!("  {name}: group commit {grouped:.1}, one commit each {alone:.1}, grouped / alone {ratio:.2}");
    }
}

async fn hold(submissions: &Submissions, caller: &Caller) {
    submissions.hold(caller.practice(), "northstar", "A benchmark.", &caller.actor()).await.unwrap();
}

/// How many a second were acknowledged, and how long each took.
async fn hand_in(submissions: Arc<Submissions>, caller: Arc<Caller>, gate: usize) -> [f64; 3] {
    let gate = Arc::new(tokio::sync::Semaphore::new(gate));
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (submissions, caller, gate) = (submissions.clone(), caller.clone(), gate.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < LENGTH {
                    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                    let ask = ask(number);
                    let from = Instant::now();
                    let _one = gate.acquire().await.unwrap();
                    submissions.accept(&caller, &format!("bench-{number}"), &ask, None).await.unwrap();
                    took.push(from.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.unwrap());
    }
    let per_second = took.len() as f64 / began.elapsed().as_secs_f64();
    [per_second, quantile(&mut took, 0.5), quantile(&mut took, 0.99)]
}

fn ask(number: usize) -> AuthorizationRequest {
    serde_json::from_value(json!({
        "carrier": "northstar",
        "requester": { "npi": "1234567893", "name": "Bone Clinic" },
        "member": { "member_id": format!("NSH-B{number:06}"), "last_name": "Synthetic", "first_name": "Ada",
                    "date_of_birth": "1984-03-12" },
        "services": [{ "procedure": { "code": "27447" }, "units": "12", "from": "2027-01-04" }],
        "diagnoses": ["M17.11"]
    }))
    .unwrap()
}
