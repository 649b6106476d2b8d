//! `portico x12 read`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use x12::json::{Objects, Shape};

use super::input::{open, today, unreadable};
use super::output::Output;
use crate::cli::run::End;

/// One JSON object on a line of its own for each transaction set, written as it is read; exit code 2 when nothing (more)
/// can be read.
pub fn read<W: Write>(file: &Path, model: bool, out: &mut Output<W>) -> End {
    let shape = if model { Shape::Model } else { Shape::Segments };
    let mut objects = Objects::new(open(file)?, shape, today());
    while objects.next_piece(out.piece()).map_err(unreadable)? {
        out.pass_on()?;
    }
    Ok(ExitCode::SUCCESS)
}
