//! Every real 271 through the whole path: no EB segment may disappear.

use std::collections::BTreeSet;

use crate::shared;
use connector_sdk::Outcome;
use jiff::civil::Date;
use x12::answers::{eligibility, represented};
use x12::explain::Texts;
use x12::json::{Objects, Shape};
use x12::{Document, Response};

#[test]
fn no_eb_segment_disappears() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("271")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    println!("{:>5} {:>4} {:>12} {:>9} {:>8}  file", "ST", "EB", "represented", "answered", "refused");
    let (mut files, mut segments, mut lost) = (0, 0, Vec::new());
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let document = Document::read(&std::fs::read(path).unwrap()).unwrap();
        let (mut sets, mut sent, mut shown, mut answered, mut refused) = (0, 0, 0, 0, 0);
        for transaction in document.transactions() {
            sets += 1;
            let ebs: BTreeSet<_> = transaction
                .segments
                .iter()
                .filter(|segment| segment.id() == "EB")
                .map(|segment| (transaction.number, segment.position))
                .collect();
            let response = Response::read(transaction).unwrap();
            let mut told = BTreeSet::new();
            for patient in eligibility(&response, None) {
                match &patient.outcome {
                    Outcome::Answered(facts) => {
                        answered += 1;
                        told.extend(represented(facts));
                        serde_json::to_string(facts).unwrap();
                    }
                    Outcome::Refused(refusal) => {
                        refused += 1;
                        assert!(!refusal.carrier_codes.is_empty());
                    }
                }
            }
            sent += ebs.len();
            shown += told.len();
            if told != ebs {
                lost.push(format!("{name}: lost {:?}", ebs.difference(&told).collect::<Vec<_>>()));
            }
        }
        println!("{sets:>5} {sent:>4} {shown:>12} {answered:>9} {refused:>8}  {name}");
        files += 1;
        segments += sent;
    }
    println!("{files} files, {segments} EB segments");
    assert!(files >= 41 && segments > 200, "{files} files, {segments} EB segments");
    assert_eq!(lost, Vec::<String>::new());
}

/// Every real file, cut off and damaged in a repeatable way, through everything a file can be put through.
#[test]
fn damaged_real_files_are_refused_or_read_never_a_crash() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let today = Date::constant(2026, 11, 23);
    // xorshift: the same damage on every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let (mut variants, mut read, mut refused) = (0, 0, 0);
    for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(file).unwrap();
            if bytes.len() > 8_000 {
                continue;
            }
            for damage in 0..4 {
                let mut bytes = bytes.clone();
                match damage {
                    0 => bytes.truncate(next(bytes.len())),
                    1 => bytes.iter_mut().filter(|byte| **byte == b'~').for_each(|byte| *byte = b'*'),
                    _ => {
                        for _ in 0..8 {
                            let at = next(bytes.len());
                            let with = [b'*', b'~', b'^', b':', 0, 0xFF, b'\n', b'9'][next(8)];
                            if let Some(slot) = bytes.get_mut(at) {
                                *slot = with;
                            }
                        }
                    }
                }
                variants += 1;
                let mut objects = Objects::new(bytes.as_slice(), Shape::Model, today);
                loop {
                    match objects.next_object() {
                        Ok(Some(_)) => read += 1,
                        Ok(None) => break,
                        Err(_) => {
                            refused += 1;
                            break;
                        }
                    }
                }
                let mut texts = Texts::new(bytes.as_slice(), today);
                while let Ok(Some(_)) = texts.next_text() {}
            }
        }
    }
    println!("{variants} damaged files: {read} objects read, {refused} files refused");
    assert!(variants > 1_000 && read > variants / 2, "{variants} {read} {refused}");
}
