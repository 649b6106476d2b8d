//! What the gateway adds to a live question: each round asks the carrier directly and through the gateway in turn, with
//! the same bytes towards the carrier.

use std::time::Duration;

use crate::figures::{Median, quantile};
use crate::load::{Connection, Shot};
use crate::place::{Place, live, question};

const ROUNDS: usize = 7;
const PAIRS: usize = 150;
/// Asked before the clock counts: connections, pages and branch predictors get warm.
const WARM: usize = 50;

/// Prints added p50 and p99 for one X12 and one JSON carrier.
pub fn run() {
    let place = Place::open();
    let open = place.house(place.files());
    let carriers = [
        ("northstar", "X12 in SOAP", question("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")),
        ("hubline", "JSON", question("hubline", "HUB-ACTIVE-EPO", "1974-05-27")),
    ];
    println!(
        "{ROUNDS} rounds of {PAIRS} pairs, one question at a time, microseconds: median of rounds (least-greatest)"
    );
    for (id, words, question) in carriers {
        let question = live(&question);
        let address = place.sandbox.address(id).unwrap();
        let direct = place.client.block_on(open.sent_for(&question, address));
        let through = open.shot(&question);
        let rounds = place.on_client(rounds(direct, through));
        let of = |pick: fn(&Round) -> f64| Median::of(rounds.iter().map(pick));
        println!("{id} ({words})");
        println!("  direct   p50 {:.0}   p99 {:.0}", of(|r| r.direct_p50), of(|r| r.direct_p99));
        println!("  gateway  p50 {:.0}   p99 {:.0}", of(|r| r.gateway_p50), of(|r| r.gateway_p99));
        println!(
            "  added    p50 {:.0}   p99 {:.0}",
            of(|r| r.gateway_p50 - r.direct_p50),
            of(|r| r.gateway_p99 - r.direct_p99)
        );
        println!(
            "  ratio    p50 {:.2}   p99 {:.2}",
            of(|r| r.gateway_p50 / r.direct_p50),
            of(|r| r.gateway_p99 / r.direct_p99)
        );
    }
}

struct Round {
    direct_p50: f64,
    direct_p99: f64,
    gateway_p50: f64,
    gateway_p99: f64,
}

async fn rounds(direct: Shot, through: Shot) -> Vec<Round> {
    let mut to_carrier = Connection::open(direct.address).await;
    let mut to_gateway = Connection::open(through.address).await;
    let (status, reply) = to_carrier.send(&direct).await;
    // A refused replay would be quick, and the ratio a lie.
    assert!(status.is_success() && reply.len() > 1_000, "{status}: {}", String::from_utf8_lossy(&reply));
    for _ in 0..WARM {
        to_carrier.timed(&direct).await;
        to_gateway.timed(&through).await;
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (mut without, mut with): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            without.push(to_carrier.timed(&direct).await);
            with.push(to_gateway.timed(&through).await);
        }
        rounds.push(Round {
            direct_p50: quantile(&mut without, 0.5),
            direct_p99: quantile(&mut without, 0.99),
            gateway_p50: quantile(&mut with, 0.5),
            gateway_p99: quantile(&mut with, 0.99),
        });
    }
    rounds
}
