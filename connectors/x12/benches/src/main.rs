//! The codec against its peers and against what the machine could do, in one run. See README.md.
//!
//!     cargo run --release --manifest-path connectors/x12/benches/Cargo.toml            # everything
//!     … -- tokenise claims check memory                                              # some of it

mod generate;
mod limits;
mod measure;
mod memory;
mod peers;

use std::hint::black_box;
use std::time::Duration;

use measure::{Contender, group, ratio};
use x12::check::Checker;
use x12::read::Index;
use x12::remittance::{Claim, Part, Stream};
use x12::{Event, Reader, Walker};

/// Lines of the table at the end: what, against what, the ratio, and what was to be reached.
type Table = Vec<(String, (f64, f64, f64), &'static str)>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, case] = arguments.as_slice()
        && flag == memory::CHILD
    {
        return memory::child(case.parse().expect("the number of a case"));
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let mut table = Table::new();
    if wanted("tokenise") {
        tokenise(&mut table);
    }
    if wanted("claims") {
        claims(&mut table);
    }
    if wanted("check") {
        check(&mut table);
    }
    println!("\nratios, each taken within a round: median (least-greatest), and what was to be reached");
    for (what, (least, median, greatest), goal) in &table {
        println!("  {what:66} {median:7.2} ({least:.2}-{greatest:.2})   {goal}");
    }
    if wanted("memory") {
        println!("\npeak memory of a process that reads an 835 to typed, balanced claims (VmHWM)");
        let peaks = memory::peaks();
        for (name, peak) in &peaks {
            println!(
                "  {name:24} {:7.2} MB   {:.2} of the first",
                *peak as f64 / 1024.0,
                *peak as f64 / peaks[0].1 as f64
            );
        }
        println!("  to be reached: 200 MB at most 1.2 of 1 MB, and at most 32 MB");
    }
}

fn read_elements(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(bytes);
    let mut sum = 0;
    while let Ok(Some(segment)) = reader.next_segment() {
        sum += segment.elements().map(|element| black_box(element).len()).sum::<usize>();
    }
    sum
}

fn read_segments(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(bytes);
    let mut sum = 0;
    while let Ok(Some(segment)) = reader.next_segment() {
        sum += black_box(segment).len();
    }
    sum
}

fn walk(bytes: &[u8]) -> usize {
    let mut walker = Walker::new(bytes);
    let mut sum = 0;
    while let Ok(Some(event)) = walker.next_event() {
        if let Event::Segment(segment) = event {
            sum += black_box(segment).len();
        }
    }
    sum
}

/// Separators found, elements told apart.
fn tokenise(table: &mut Table) {
    let inputs = [
        ("835 1 MB", generate::Remittance::whole(1_000_000, generate::CLAIMS_OF_SET)),
        ("835 10 MB", generate::Remittance::whole(10_000_000, generate::CLAIMS_OF_SET)),
        ("835 10 MB, one set", generate::Remittance::whole(10_000_000, u64::MAX)),
        ("837P 10 MB", generate::claims(10_000_000)),
        ("271 4 KB", generate::answer()),
    ];
    for (name, bytes) in &inputs {
        let mut marks = Vec::new();
        let mut more = Vec::new();
        let contenders = vec![
            Contender::new("reader", || read_segments(bytes)),
            Contender::new("reader, each element", || read_elements(bytes)),
            Contender::new("events", || walk(bytes)),
            Contender::new("index of a slice", || Index::of(bytes, b'*', b'~').marks().len()),
            Contender::new("x12-stream-parser, each element", || peers::stream_parser(bytes)),
            Contender::new("x12-stream-parser, segments only", || peers::stream_parser_segments(bytes)),
            Contender::new("limit: bitmask, offsets one by one", || limits::bitmask(bytes, false, &mut marks)),
            Contender::new("limit: bitmask, offsets unrolled", || limits::bitmask(bytes, true, &mut more)),
            Contender::new("limit: memchr2", || limits::memchr(bytes)),
        ];
        let speeds = group(&format!("tokenise {name}"), bytes.len(), 9, contenders);
        let mut row = |ours: usize, theirs: usize, what: &str, goal| {
            table.push((format!("{name}: {what}"), ratio(&speeds[ours], &speeds[theirs]), goal));
        };
        row(0, 4, "reader / x12-stream-parser", ">= 2");
        row(1, 4, "reader, each element / x12-stream-parser", "");
        row(2, 4, "events / x12-stream-parser", "");
        row(0, 6, "reader / bitmask limit, one by one", ">= 0.30");
        row(0, 7, "reader / bitmask limit, unrolled", "");
    }
}

/// Every claim balanced; of each what `asked` asks for.
fn balanced_claims(bytes: &[u8], asked: impl Fn(&Claim<'_>)) -> usize {
    let mut stream = Stream::new(bytes);
    let mut claims = 0;
    while let Ok(Some(part)) = stream.next_part() {
        if let Part::Claim(claim) = part {
            assert!(claim.mismatches().is_empty());
            asked(&claim);
            claims += 1;
        }
    }
    claims
}

/// Every element of every claim typed, and every claim balanced.
fn typed_claims(bytes: &[u8]) -> usize {
    balanced_claims(bytes, |claim| {
        black_box(claim.read());
    })
}

/// Every claim balanced, its CLP typed, the rest left for when it is asked for.
fn typed_heads(bytes: &[u8]) -> usize {
    balanced_claims(bytes, |claim| {
        black_box(claim.head());
    })
}

/// An 835 to typed, balanced claims.
fn claims(table: &mut Table) {
    let small = generate::Remittance::whole(1_000_000, generate::CLAIMS_OF_SET);
    let large = generate::Remittance::whole(10_000_000, generate::CLAIMS_OF_SET);
    for (name, bytes, count) in [("835 1 MB", &small, 7), ("835 10 MB", &large, 3)] {
        let text = std::str::from_utf8(bytes).expect("ASCII");
        let contenders = vec![
            Contender::new("typed claims, balanced", || typed_claims(bytes)),
            Contender::new("bare floor walk", || limits::floor_walk(bytes).map_or(0, |claims| claims as usize)),
            Contender::new("edi", || peers::edi(text)),
            Contender::new("claim heads typed, balanced", || typed_heads(bytes)),
            #[cfg(feature = "x12-types")]
            Contender::new("x12-types", || peers::types_835(text)),
        ];
        let speeds = group(&format!("claims {name}"), bytes.len(), count, contenders);
        let mut row = |ours: usize, theirs: usize, what: &str, goal| {
            table.push((format!("{name}: {what}"), ratio(&speeds[ours], &speeds[theirs]), goal));
        };
        row(0, 1, "typed claims / bare floor walk", ">= 0.5");
        row(3, 1, "claim heads / bare floor walk", "");
        row(0, 2, "typed claims / edi (tree, no balance)", ">= 5");
        #[cfg(feature = "x12-types")]
        row(0, 4, "typed claims / x12-types (typed, no balance)", ">= 12");
    }
}

fn findings(bytes: &[u8]) -> usize {
    let mut checker = Checker::new(bytes);
    while let Ok(Some(report)) = checker.next_report() {
        black_box(report);
    }
    let summary = checker.summary();
    assert!(summary.valid, "what the generator writes is valid");
    summary.segments as usize
}

/// Everything checked: envelope, syntax, guide, balances.
fn check(table: &mut Table) {
    let inputs = [
        ("835 1 MB", generate::Remittance::whole(1_000_000, generate::CLAIMS_OF_SET)),
        ("837P 1 MB", generate::claims(1_000_000)),
    ];
    let program = std::env::var("X12VALID").ok();
    for (name, bytes) in &inputs {
        let speeds =
            group(&format!("check {name}"), bytes.len(), 7, vec![Contender::new("checker", || findings(bytes))]);
        let Some(program) = &program else {
            println!("pyx12 was not measured: X12VALID does not name its x12valid");
            continue;
        };
        // Start-up is measured with a file of one claim, and taken off.
        let tiny = if name.starts_with("835") { generate::Remittance::whole(1, 1) } else { generate::claims(1) };
        let took = |bytes: &[u8]| peers::pyx12(program, bytes).map(|took| (took, bytes.len()));
        let speed = |(took, size): (Duration, usize), (base, small): (Duration, usize)| {
            (size - small) as f64 / took.saturating_sub(base).as_secs_f64() / 1e6
        };
        let theirs: Option<Vec<f64>> = (0..2).map(|_| Some(speed(took(bytes)?, took(&tiny)?))).collect();
        let Some(theirs) = theirs else {
            println!("pyx12 did not accept the file, or could not be run");
            continue;
        };
        println!("check {name}/pyx12: {theirs:.2?} MB/s of wall time, start-up taken off");
        table.push((format!("{name}: checker / pyx12"), ratio(&speeds[0][..2], &theirs), ">= 150"));
    }
}
