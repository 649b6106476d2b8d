//! Peak memory: a fresh process reads from the generator, which itself takes the same at every size.

use std::process::Command;

use x12::remittance::{Part, Stream};

use crate::generate::{CLAIMS_OF_SET, Remittance};

/// The argument that makes this program a child that is measured.
pub const CHILD: &str = "--peak";

/// What the children read: a name, how many bytes, claims of a set.
const CASES: [(&str, u64, u64); 4] = [
    ("1 MB", 1_000_000, CLAIMS_OF_SET),
    ("200 MB", 200_000_000, CLAIMS_OF_SET),
    ("1 MB, one giant set", 1_000_000, u64::MAX),
    ("200 MB, one giant set", 200_000_000, u64::MAX),
];

/// Reads the case with this number to typed, balanced claims and prints the peak memory, in KiB.
pub fn child(case: usize) {
    let (_, bytes, of_set) = CASES[case];
    let source = Remittance::new(bytes, of_set);
    let expected = source.claims();
    let mut stream = Stream::new(source);
    let mut claims = 0;
    while let Some(part) = stream.next_part().expect("the generator writes X12") {
        if let Part::Claim(claim) = part {
            assert!(claim.mismatches().is_empty());
            std::hint::black_box(claim.read());
            claims += 1;
        }
    }
    assert_eq!(claims, expected);
    println!("{}", peak());
}

/// VmHWM of this process, KiB; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// The peak memory of each case, KiB.
pub fn peaks() -> Vec<(&'static str, u64)> {
    let program = std::env::current_exe().expect("this program has a path");
    CASES
        .iter()
        .enumerate()
        .map(|(at, (name, ..))| {
            let out = Command::new(&program).arg(CHILD).arg(at.to_string()).output().expect("a child can be started");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            (*name, String::from_utf8_lossy(&out.stdout).trim().parse().expect("a number"))
        })
        .collect()
}
