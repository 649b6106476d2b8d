//! The committed seeds of the fuzz targets, and the real files, through the oracles the targets use.

use std::path::Path;

use crate::{oracles, read_and_write, shared};

fn all(bytes: &[u8]) {
    oracles::read(bytes);
    oracles::round_trip(bytes);
    oracles::check(bytes);
}

#[test]
fn the_oracles_hold_for_the_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        all(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    println!("{count} seeds");
    assert!(count >= 10, "only {count} seeds");
}

#[test]
fn the_oracles_hold_for_the_real_files() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut files = Vec::new();
    read_and_write::files(&folder, &mut files);
    for path in &files {
        println!("{}", path.display());
        all(&std::fs::read(path).unwrap());
    }
    assert!(files.len() > 400);
}
