//! What the records of the paper trail cost on a saved answer: against the same gateway that keeps the answer durably and
//! appends no record.

#[cfg(not(feature = "bench"))]
/// Says what is needed.
pub fn run() {
    println!("build with --features bench: without it no gateway can be told to keep no records");
}

#[cfg(feature = "bench")]
pub use measured::run;

#[cfg(feature = "bench")]
mod measured {
    use std::time::Duration;

    use crate::figures::{Median, cpu_us, quantile};
    use crate::load::{Connection, Shot, closed_loop};
    use crate::place::{GATEWAY_THREADS, Place, question};

    const ROUNDS: usize = 7;
    const CONNECTIONS: usize = 64;
    const LENGTH: Duration = Duration::from_millis(1_500);
    const WARM: Duration = Duration::from_millis(500);

    /// Answers a second, CPU microseconds for each, p50 and p99 microseconds.
    type Measured = [f64; 4];

    /// Prints both, and their ratios.
    pub fn run() {
        let place = Place::open();
        let files = place.files();
        let open = place.house(files.clone());
        let without = place.unrecorded(&open.house, files);
        let recorded = open.shot(&question("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12"));
        let unrecorded = Shot { address: without, ..recorded.clone() };
        for shot in [&recorded, &unrecorded] {
            let shot = shot.clone();
            place.on_client(async move {
                Connection::open(shot.address).await.timed(&shot).await;
                closed_loop(&shot, CONNECTIONS, WARM).await
            });
        }
        let rounds: Vec<(Measured, Measured)> =
            (0..ROUNDS).map(|_| (one_round(&place, &recorded), one_round(&place, &unrecorded))).collect();
        println!(
            "{CONNECTIONS} connections, {ROUNDS} rounds of {:.1} s each: median (least-greatest)",
            LENGTH.as_secs_f64()
        );
        let names = ["answers/s", "server CPU us/answer", "p50 us", "p99 us"];
        for (place, name) in names.iter().enumerate() {
            let with = Median::of(rounds.iter().map(|round| round.0[place]));
            let without = Median::of(rounds.iter().map(|round| round.1[place]));
            let ratio = Median::of(rounds.iter().map(|round| round.0[place] / round.1[place]));
            println!("  {name}: with records {with:.1}, without {without:.1}, with / without {ratio:.2}");
        }
    }

    fn one_round(place: &Place, shot: &Shot) -> Measured {
        let (shot, before) = (shot.clone(), cpu_us(&GATEWAY_THREADS));
        let mut fired = place.on_client(async move { closed_loop(&shot, CONNECTIONS, LENGTH).await });
        let cpu = cpu_us(&GATEWAY_THREADS) - before;
        let (p50, p99) = (quantile(&mut fired.took, 0.5), quantile(&mut fired.took, 0.99));
        [fired.per_second(), cpu / fired.replies as f64, p50, p99]
    }
}
