//! `portico x12 write`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use x12::json::{WriteFailure, write_json};

use super::input::open;
use super::output::Output;
use crate::cli::run::End;
use crate::house::CannotRun;

/// The interchange that lines of JSON describe, byte for byte what they were read from when that was well-formed.
pub fn write<W: Write>(file: &Path, out: &mut Output<W>) -> End {
    match write_json(open(file)?, out) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(WriteFailure::Refused(refusal)) => Err(CannotRun(format!("{}: {refusal}", file.display()))),
        Err(WriteFailure::Io(error)) => Err(CannotRun(format!("{}: {error}", file.display()))),
    }
}
