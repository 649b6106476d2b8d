//! `portico x12 explain`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use x12::explain::Texts;

use super::input::{open, today, unreadable};
use super::output::Output;
use crate::cli::run::End;

/// One text for each transaction set, with an empty line between them.
pub fn explain<W: Write>(file: &Path, out: &mut Output<W>) -> End {
    let mut texts = Texts::new(open(file)?, today());
    let mut between = "";
    while let Some(text) = texts.next_text().map_err(unreadable)? {
        write!(out, "{between}{text}")?;
        between = "\n";
    }
    Ok(ExitCode::SUCCESS)
}
