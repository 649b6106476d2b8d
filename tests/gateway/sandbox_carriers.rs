//! The carrier files of the simulated carriers are files like any other: they load without a word of complaint.

use std::net::SocketAddr;

use portico::carriers::{CarrierBook, Limits};

#[test]
fn the_sandbox_s_carrier_files_load() {
    let address: SocketAddr = "127.0.0.1:18001".parse().unwrap();
    let files: Vec<(String, String)> = sandbox::CARRIERS
        .iter()
        .map(|id| ((*id).to_owned(), sandbox::carrier_file(id, address).unwrap()))
        .filter(|(_, text)| portico::registry::CONNECTORS.iter().any(|row| text.contains(&format!("\"{}\"", row.name))))
        .collect();
    let (carriers, report) = CarrierBook::from_files(files.clone(), Limits::default());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    println!("{} of {} carrier files have a registered connector", files.len(), sandbox::CARRIERS.len());
    assert_eq!(problems, Vec::<String>::new());
    assert!(files.len() >= 3);
    for (id, _) in &files {
        let carrier = carriers.get(id).unwrap();
        // Each field that the connector wants is in the practice's credential.
        let (_, fields) = sandbox::credentials().into_iter().find(|(carrier, _)| carrier == id).unwrap();
        for wanted in carrier.connector.credential_fields() {
            assert!(wanted.optional || fields.iter().any(|(name, _)| *name == wanted.name), "{id}: {}", wanted.name);
        }
    }
}
