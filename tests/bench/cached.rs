//! Saved answers a second through the whole API, against a bare hyper server that answers the same bytes, and what the
//! durable record costs of it.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::Value;

use crate::figures::{Median, cpu_us, quantile};
use crate::load::{Connection, Shot, closed_loop};
use crate::place::{BARE_THREADS, GATEWAY_THREADS, Open, Place, question};
use crate::start::many;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 64;
const LENGTH: Duration = Duration::from_millis(1_500);
const WARM: Duration = Duration::from_millis(500);
/// Questions one after another, for the latency at one in flight.
const ALONE: usize = 300;
/// Carriers beside the sandbox's, for the cost of having many.
const MORE_CARRIERS: usize = 1_000;

/// One server under load.
struct Target {
    words: &'static str,
    shot: Shot,
    threads: &'static [&'static str],
    rounds: Vec<Measured>,
}

/// One round at one server.
struct Measured {
    per_second: f64,
    cpu_us: f64,
    p50: f64,
    p99: f64,
}

/// Prints rates, CPU time per answer and their ratios.
pub fn run() {
    let place = Place::open();
    let files = place.files();
    let open = place.house(files.clone());
    let without = place.without_ledger(&open.house, files.clone());
    let crowded = place.house(files.into_iter().chain(many(MORE_CARRIERS)).collect());
    let question = question("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let shot = open.shot(&question);
    let (headers, body) = place.on_client(saved(shot.clone()));
    println!(
        "an answer of {} bytes; {CONNECTIONS} connections, {ROUNDS} rounds of {:.1} s: median (least-greatest)",
        body.len(),
        LENGTH.as_secs_f64()
    );
    let bare = place.bare(headers, body);
    let at = |address: SocketAddr| Shot { address, ..shot.clone() };
    let mut targets = [
        Target { words: "bare hyper, the same bytes", shot: at(bare), threads: &BARE_THREADS, rounds: Vec::new() },
        Target { words: "gateway, durable record", shot: shot.clone(), threads: &GATEWAY_THREADS, rounds: Vec::new() },
        Target { words: "gateway, null ledger", shot: at(without), threads: &GATEWAY_THREADS, rounds: Vec::new() },
        Target {
            words: "gateway, durable, 1,006 carriers",
            shot: crowded.shot(&question),
            threads: &GATEWAY_THREADS,
            rounds: Vec::new(),
        },
    ];
    for target in &targets {
        place.on_client({
            let shot = target.shot.clone();
            async move { closed_loop(&shot, CONNECTIONS, WARM).await.replies }
        });
    }
    for _ in 0..ROUNDS {
        for target in &mut targets {
            target.rounds.push(one_round(&place, target));
        }
    }
    print_targets(&targets);
    alone(&place, &open, without, &question);
}

fn one_round(place: &Place, target: &Target) -> Measured {
    let (shot, before) = (target.shot.clone(), cpu_us(target.threads));
    let mut fired = place.on_client(async move { closed_loop(&shot, CONNECTIONS, LENGTH).await });
    let cpu = cpu_us(target.threads) - before;
    Measured {
        per_second: fired.per_second(),
        cpu_us: cpu / fired.replies as f64,
        p50: quantile(&mut fired.took, 0.5),
        p99: quantile(&mut fired.took, 0.99),
    }
}

fn print_targets(targets: &[Target]) {
    let of = |target: &Target, pick: fn(&Measured) -> f64| Median::of(target.rounds.iter().map(pick));
    for target in targets {
        println!("  {}", target.words);
        println!("    answers/s {:.0}", of(target, |m| m.per_second));
        println!("    server CPU us/answer {:.1}", of(target, |m| m.cpu_us));
        println!("    p50 us {:.0}   p99 us {:.0}", of(target, |m| m.p50), of(target, |m| m.p99));
    }
    let ratio = |a: &Target, b: &Target, pick: fn(&Measured) -> f64| {
        Median::of(a.rounds.iter().zip(&b.rounds).map(|(a, b)| pick(a) / pick(b)))
    };
    let [bare, durable, null, crowded] = targets else { return };
    for (words, a, b) in [
        ("durable / bare", durable, bare),
        ("null ledger / bare", null, bare),
        ("durable / null ledger", durable, null),
        ("1,006 carriers / 6 carriers", crowded, durable),
    ] {
        let (rate, cpu) = (ratio(a, b, |m| m.per_second), ratio(a, b, |m| m.cpu_us));
        println!("  {words}: answers/s {rate:.2}, CPU/answer {cpu:.2}");
    }
}

/// One in flight: what the durable record adds, against the disk's own sync in the same rounds.
fn alone(place: &Place, open: &Open, without: SocketAddr, question: &Value) {
    let durable = open.shot(question);
    let null = Shot { address: without, ..durable.clone() };
    let rounds = place.on_client(async move {
        let mut to_durable = Connection::open(durable.address).await;
        let mut to_null = Connection::open(null.address).await;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let (mut with, mut without) = (Vec::new(), Vec::new());
            for _ in 0..ALONE {
                with.push(to_durable.timed(&durable).await);
                without.push(to_null.timed(&null).await);
            }
            rounds.push((quantile(&mut with, 0.5), quantile(&mut without, 0.5), sync_p50()));
        }
        rounds
    });
    let of = |pick: fn(&(f64, f64, f64)) -> f64| Median::of(rounds.iter().map(pick));
    println!("one in flight, {ROUNDS} rounds of {ALONE} pairs, microseconds");
    println!("  durable p50 {:.0}, null ledger p50 {:.0}, added {:.0}", of(|r| r.0), of(|r| r.1), of(|r| r.0 - r.1));
    println!("  fdatasync of 4 KB appended p50 {:.0}; added / fdatasync {:.2}", of(|r| r.2), of(|r| (r.0 - r.1) / r.2));
}

/// How long one sync of the disk takes, where the stores of this run lie.
fn sync_p50() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("appended")).unwrap();
    let mut took = Vec::new();
    for _ in 0..50 {
        file.write_all(&[7; 4_096]).unwrap();
        let began = Instant::now();
        file.sync_data().unwrap();
        took.push(began.elapsed());
    }
    quantile(&mut took, 0.5)
}

/// Asks twice; headers and bytes of the second answer, which is a saved one.
async fn saved(shot: Shot) -> (HeaderMap, bytes::Bytes) {
    let mut connection = Connection::open(shot.address).await;
    connection.timed(&shot).await;
    let reply = connection.send_any(shot.request()).await;
    let envelope: Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!((&envelope["outcome"], &envelope["freshness"]["cached"]), (&"answered".into(), &true.into()));
    let (mut head, body) = reply.into_parts();
    head.headers.remove("content-length");
    head.headers.remove("date");
    (head.headers, body)
}
