//! Every real 271 through the whole path: no EB segment may disappear.

#![cfg(feature = "answers")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use connector_sdk::Outcome;
use x12::answers::{eligibility, represented};
use x12::{Document, Response};

fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("PORTICO_SHARED").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join("data/x12");
    path.is_dir().then_some(path)
}

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
