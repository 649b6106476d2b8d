//! What a question costs, as ratios measured in one run. `cargo bench --bench gateway [-- names]`; README.md beside this
//! file says what each part measures and what came out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot be made is the message; the load comes from outside the gateway's own plane"
)]

mod accepts;
mod backup;
mod cached;
mod desk;
mod figures;
mod latency;
mod load;
mod place;
mod start;
mod trail;
mod twins;

use std::time::Instant;

/// Every part, in the order in which they run.
const PARTS: [(&str, fn()); 8] = [
    ("latency", latency::run),
    ("cached", cached::run),
    ("trail", trail::run),
    ("accepts", accepts::run),
    ("twins", twins::run),
    ("desk", desk::run),
    ("start", start::run),
    ("backup", backup::run),
];

fn main() {
    if start::child() {
        return;
    }
    // cargo hands over `--bench`; everything else names parts.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = wanted.iter().find(|name| !PARTS.iter().any(|(part, _)| part == name)) {
        let known: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        println!("there is no part {unknown}; there are: {}", known.join(", "));
        return;
    }
    let began = Instant::now();
    println!("{}", figures::machine());
    for (name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n== {name}");
            part();
        }
    }
    println!("\n{:.0} s in all; {}", began.elapsed().as_secs_f64(), figures::machine());
}
