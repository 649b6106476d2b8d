//! Start and memory with many carrier files. Each measurement is a process of its own, so that none finds memory that
//! an earlier one has given back.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portico::carriers::{CarrierBook, Limits};
use portico::gateway::{Gateway, Planes};
use portico::stack::{AnswerCache, Care, Shared};
use portico::store::Store;
use portico::trail::Trail;
use portico::vault::Vault;

use crate::figures::{Median, resident_kib};

const ROUNDS: usize = 7;
const MANY: usize = 1_000;
/// Where the child finds the carrier files.
const CHILD: &str = "PORTICO_BENCH_CARRIERS";

/// `count` carrier files of four kinds, each with a name, ids and a host of its own.
pub fn many(count: usize) -> Vec<(String, String)> {
    let address = |n: usize| format!("127.0.0.1:{}", 20_000 + n).parse().unwrap();
    let kinds = ["northstar", "harborhmo", "hubline", "bluevalley"];
    (0..count)
        .map(|n| {
            let text = sandbox::carrier_file(kinds[n % kinds.len()], address(n)).unwrap();
            // Only what stands before the first table is about the carrier itself.
            let (own, rest) = text.split_once("\n[").unwrap();
            let own: Vec<String> = own
                .lines()
                .map(|line| match line.split_once(" = ") {
                    Some(("name", _)) => format!("name = \"Carrier number {n}\""),
                    Some(("payer_id", _)) => format!("payer_id = \"B{n:04}\""),
                    Some(("aliases", _)) => format!("aliases = [\"Alias {n}\", \"Other {n}\"]"),
                    _ => line.to_owned(),
                })
                .collect();
            (format!("bench-{n:04}"), format!("{}\n[{rest}", own.join("\n")))
        })
        .collect()
}

/// The measured process: opens the rooms over a directory, prints microseconds and KiB. `false` when this is the parent.
pub fn child() -> bool {
    let Some(directory) = std::env::var_os(CHILD) else { return false };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_temporary().unwrap();
        let vault = Vault::open_temporary(store.clone()).await.unwrap();
        let trail = Trail::new(store, vault.clone());
        let cache = Arc::new(AnswerCache::new().unwrap());
        let shared = Shared { cache, ledger: trail, retry_jitter: Duration::ZERO, care: Care::default() };
        let (kib_before, began) = (resident_kib(), Instant::now());
        let (book, report) = CarrierBook::open(Path::new(&directory), Limits::default());
        let (opened, kib_book) = (began.elapsed(), resident_kib());
        let gateway = Gateway::new(Planes::new(book, vault, shared), jiff::tz::TimeZone::UTC);
        let (ready, kib_ready) = (began.elapsed(), resident_kib());
        assert_eq!(report.problems, Vec::new());
        println!(
            "{} {} {} {} {kib_ready}",
            opened.as_micros(),
            ready.as_micros(),
            kib_book - kib_before,
            kib_ready - kib_before
        );
        drop(gateway);
    });
    true
}

/// What one child said.
struct Child {
    opened_us: f64,
    ready_us: f64,
    book_kib: f64,
    ready_kib: f64,
    resident_kib: f64,
    process_us: f64,
}

fn measure(directory: &Path) -> Child {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap()).env(CHILD, directory).output().unwrap();
    let process_us = began.elapsed().as_secs_f64() * 1e6;
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [opened_us, ready_us, book_kib, ready_kib, resident_kib] = numbers[..] else {
        panic!("the child failed: {text} {}", String::from_utf8_lossy(&output.stderr));
    };
    Child { opened_us, ready_us, book_kib, ready_kib, resident_kib, process_us }
}

fn directory_of(count: usize) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (id, text) in many(count) {
        std::fs::write(directory.path().join(format!("{id}.toml")), text).unwrap();
    }
    directory
}

/// Prints time and memory for one carrier file and for a thousand.
pub fn run() {
    let (one, thousand) = (directory_of(1), directory_of(MANY));
    let rounds: Vec<(Child, Child)> = (0..ROUNDS).map(|_| (measure(one.path()), measure(thousand.path()))).collect();
    println!("{ROUNDS} rounds, each a fresh process: median (least-greatest)");
    let of = |pick: fn(&Child) -> f64| {
        (Median::of(rounds.iter().map(|r| pick(&r.0))), Median::of(rounds.iter().map(|r| pick(&r.1))))
    };
    for (words, (one, many)) in [
        ("files read and checked, ms", of(|c| c.opened_us / 1e3)),
        ("and gateway assembled, ms", of(|c| c.ready_us / 1e3)),
        ("whole process, store and exit included, ms", of(|c| c.process_us / 1e3)),
        ("memory of the carriers, MiB", of(|c| c.book_kib / 1024.0)),
        ("and of their planes, MiB", of(|c| c.ready_kib / 1024.0)),
        ("resident in all, MiB", of(|c| c.resident_kib / 1024.0)),
    ] {
        println!("  {words}: 1 carrier {one:.1}; 1,000 carriers {many:.1}");
    }
    let per = Median::of(rounds.iter().map(|r| (r.1.ready_kib - r.0.ready_kib) / (MANY - 1) as f64));
    println!("  each idle carrier: {per:.1} KiB");
    let times = of(|c| c.ready_us);
    println!("  each carrier file: {:.0} us", (times.1.middle() - times.0.middle()) / (MANY - 1) as f64);
}
