//! What README.md shows is what the program does: its carrier files are in order, its table of failures is whole.

use connector_sdk::ErrorKind;
use portico::carriers::{CarrierBook, Limits};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The fenced blocks of TOML that are whole carrier files.
fn carrier_files(readme: &str) -> Vec<String> {
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    blocks.map(|(block, _)| block.to_owned()).filter(|block| block.contains("[settings")).collect()
}

#[test]
fn its_carrier_files_are_in_order() {
    let files = carrier_files(&readme());
    println!("read: {} carrier files in README.md", files.len());
    assert_eq!(files.len(), 3, "one X12 carrier, one JSON service, one portal");
    let named = files.into_iter().enumerate().map(|(number, text)| (format!("readme-{number}"), text)).collect();
    let (_, report) = CarrierBook::from_files(named, Limits::default());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn its_table_of_failures_is_whole() {
    let readme = readme();
    for kind in ErrorKind::ALL {
        let who = serde_json::to_string(&kind.who_acts()).unwrap();
        let row = format!("| `{}` | `{}` |", kind.name(), who.trim_matches('"'));
        assert!(readme.contains(&row), "README.md has no row {row}");
    }
}
