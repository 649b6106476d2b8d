//! The codec through its public interface: one test binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test is the message")]

use std::path::{Path, PathBuf};

#[cfg(feature = "answers")]
mod answers;
mod check;
#[cfg(feature = "answers")]
mod claim_status;
mod claims;
mod corpus;
#[cfg(feature = "answers")]
mod eligibility;
mod json_round_trip;
mod models;
mod oracles;
mod quirks;
mod read_and_write;
mod reading_level;
mod remittance;
mod samples;
mod seeds;

/// The real X12 examples, where they are: `PORTICO_SHARED`, else a folder beside the repository.
fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("PORTICO_SHARED").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join("data/x12");
    path.is_dir().then_some(path)
}
