//! The sums of every real 835. Each that does not come out even has been looked at: it is the file that is wrong.

use std::collections::BTreeMap;

use crate::shared;
use x12::remittance::{Mismatch, Part, Stream};

#[test]
fn the_sums_of_real_remittances() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths = Vec::new();
    crate::read_and_write::files(&folder, &mut paths);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut sets, mut claims, mut even, mut unknown) = (0, 0, 0, 0);
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = std::fs::File::open(path).unwrap();
        let mut stream = Stream::new(file);
        let mut told = |mismatches: Vec<Mismatch>| {
            for Mismatch { rule, at, off_by } in mismatches {
                found.entry(name.clone()).or_default().push(format!("{rule:?} {} {off_by}", at.0));
            }
        };
        while let Ok(Some(part)) = stream.next_part() {
            match part {
                Part::Claim(_, mismatches) => told(mismatches),
                Part::End(end) => {
                    sets += 1;
                    claims += end.claims;
                    even += end.balance.even;
                    unknown += end.balance.unknown;
                    told(end.mismatches);
                }
                _ => {}
            }
        }
    }
    println!("{sets} transaction sets, {claims} claims, {even} sums come out even, {unknown} cannot be made");
    for (name, mismatches) in &found {
        println!("{name}: {}", mismatches.join(", "));
    }
}
