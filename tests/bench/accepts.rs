//! Durable accepts a second: what the store's group commit is worth. The same 64 clients hand in the same records, once as
//! they come, so that those that wait share a commit, and once through a gate that lets each commit alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portico::practice::PracticeId;
use portico::trail::{Actor, Trail, TrailRecord};

use crate::figures::{Median, quantile};
use crate::place::Place;

const ROUNDS: usize = 7;
const CLIENTS: usize = 64;
const LENGTH: Duration = Duration::from_millis(1_500);

/// Prints both, and their ratio.
pub fn run() {
    let place = Place::open();
    let open = place.house(place.files());
    let trail = open.house.app.trail.clone();
    let practice = PracticeId::new("demo");
    let round = |gate: usize| place.on_client(hand_in(trail.clone(), practice.clone(), gate));
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

/// How many a second came back as durable, and how long each took.
async fn hand_in(trail: Arc<Trail>, practice: PracticeId, gate: usize) -> [f64; 3] {
    let gate = Arc::new(tokio::sync::Semaphore::new(gate));
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (trail, practice, gate) = (trail.clone(), practice.clone(), gate.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < LENGTH {
                    let from = Instant::now();
                    let _one = gate.acquire().await.unwrap();
                    let record = TrailRecord::new(&practice, &Actor::command_line(), "bench.accepted");
                    trail.record(record).await.unwrap();
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
