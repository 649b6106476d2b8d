//! Realistic interchanges that the typed models write, one file per family. They are read back here, and written into a
//! folder for other validators where `PORTICO_SAMPLES` names one.

mod ack;
mod attachment;
mod checked;
mod claim;
mod eligibility;
mod remittance;
mod review;
mod status;

use x12::{Document, Severity};

/// Every sample of every family.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [
        ack::all(),
        claim::all(),
        eligibility::all(),
        status::all(),
        remittance::all(),
        review::all(),
        attachment::all(),
        checked::all(),
    ]
    .concat()
}

#[test]
fn samples_are_read_without_a_finding() {
    let folder = std::env::var_os("PORTICO_SAMPLES").map(std::path::PathBuf::from);
    for (name, bytes) in all() {
        let document = Document::read(&bytes).unwrap();
        assert!(!document.items.is_empty(), "{name}");
        let inside = document.transactions().flat_map(|transaction| &transaction.findings);
        let odd = document.findings.iter().chain(inside).find(|finding| finding.severity > Severity::Info);
        assert!(odd.is_none(), "{name}: {odd:?}");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

/// No validator outside this project knows the guides of 275 and 278 in 005010: our own tables judge what we write.
#[test]
fn our_own_tables_take_the_samples_that_nobody_else_knows() {
    let mut odd = Vec::new();
    for (name, bytes) in [review::all(), attachment::all()].concat() {
        let (sets, _) = x12::check::check(&bytes).unwrap();
        for set in sets {
            assert_eq!(set.guide, Some(&name[..3]), "{name}");
            let told = set.findings.iter().filter(|finding| finding.severity > Severity::Info);
            odd.extend(told.map(|finding| {
                let at = (finding.loop_id, finding.segment_id, finding.element);
                format!("{name} {at:?}: {}", finding.message)
            }));
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
}
