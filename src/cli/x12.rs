//! `portico x12`: X12 files, read and explained.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use x12::explain::Texts;
use x12::json::{Objects, Shape};
use x12::read::ReadError;

use super::run::End;
use crate::house::CannotRun;

/// What to do with an X12 file.
#[derive(Subcommand)]
pub enum X12Command {
    /// One JSON object per transaction set.
    Read {
        /// The file, or `-` for standard input.
        file: PathBuf,
        /// The normalised answer instead of the segments (271).
        #[arg(long)]
        model: bool,
    },
    /// What it says, in plain words.
    Explain {
        /// The file, or `-` for standard input.
        file: PathBuf,
    },
}

/// Runs one of the X12 commands.
pub fn x12(command: X12Command, out: &mut dyn Write) -> End {
    match command {
        X12Command::Read { file, model } => read(open(&file)?, model, out),
        X12Command::Explain { file } => explain(open(&file)?, out),
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, CannotRun> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file_open = File::open(file).map_err(|error| CannotRun(format!("{}: {error}", file.display())))?;
    Ok(Box::new(file_open))
}

/// One JSON object on a line of its own for each transaction set; exit code 2 when nothing can be read.
fn read(source: Box<dyn Read>, model: bool, out: &mut dyn Write) -> End {
    let shape = if model { Shape::Model } else { Shape::Segments };
    let mut objects = Objects::new(source, shape, today());
    while let Some(object) = objects.next_object().map_err(unreadable)? {
        writeln!(out, "{object}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One text for each transaction set, with an empty line between them.
fn explain(source: Box<dyn Read>, out: &mut dyn Write) -> End {
    let mut texts = Texts::new(source, today());
    let mut between = "";
    while let Some(text) = texts.next_text().map_err(unreadable)? {
        write!(out, "{between}{text}")?;
        between = "\n";
    }
    Ok(ExitCode::SUCCESS)
}

fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

fn unreadable(error: ReadError) -> CannotRun {
    CannotRun(format!("this cannot be read as X12: {error}"))
}
