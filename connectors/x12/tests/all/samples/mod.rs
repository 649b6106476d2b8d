//! Realistic interchanges that the typed models write, one file per family. They are read back here, and written into a
//! folder for other validators where `PORTICO_SAMPLES` names one.

mod ack;
mod eligibility;

use x12::{Document, Item};

/// Every sample of every family.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [ack::all(), eligibility::all()].concat()
}

#[test]
fn samples_are_read_without_a_finding() {
    let folder = std::env::var_os("PORTICO_SAMPLES").map(std::path::PathBuf::from);
    for (name, bytes) in all() {
        let document = Document::read(&bytes).unwrap();
        assert!(document.findings.is_empty(), "{name}: {:?}", document.findings);
        assert!(!document.items.is_empty(), "{name}");
        for item in &document.items {
            let Item::Transaction(transaction) = item else { continue };
            assert!(transaction.findings.is_empty(), "{name}: {:?}", transaction.findings);
        }
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}
