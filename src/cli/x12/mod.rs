//! `portico x12`: X12 files, read, checked, explained and written. One file per command.

mod check;
mod explain;
mod input;
mod output;
mod read;
mod report;
mod write;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::run::End;
use output::Output;

/// What `--help` says at its end, for each command.
const EXIT_CODES: &str =
    "Exit codes: 0 done, 2 the file cannot be read. What could be read of a damaged file is printed all the same.";

/// What `check --help` says at its end.
const MEASURED_BY: &str = "Measured by the guides of 005010: 270, 271, 275, 276, 277, 277CA, 278, 835, 837P, 837I, \
                           837D, 997 and 999; any other transaction set by the envelope and the standard only \
                           (no_guide). 004010 is read with the same tables: what only a guide asks for is a remark \
                           there, and the report says so (older_version).\n\n\
                           Lists of codes that change outside are copies, some of them a part only: a code that is \
                           not in ours is a warning or a mention, never an error.\n\n\
                           Exit codes: 0 valid, 1 something is rejected, 2 the file cannot be read.";

/// What to do with an X12 file.
#[derive(Subcommand)]
pub enum X12Command {
    /// One JSON object per transaction set, on a line of its own.
    #[command(after_help = EXIT_CODES)]
    Read {
        /// The file, or `-` for standard input.
        file: PathBuf,
        /// The model instead of the segments, where there is one: a 271 as normalised answers, a 999 or TA1 as its
        /// verdict.
        #[arg(long)]
        model: bool,
    },
    /// Whether it keeps to its guide: every finding with its place and how to mend it, and the verdict.
    #[command(after_help = MEASURED_BY)]
    Check {
        /// The file, or `-` for standard input.
        file: PathBuf,
        /// Write the TA1 and 999 a receiver would send to standard output; the report goes to standard error.
        #[arg(long)]
        ack: bool,
        /// The report as JSON, an object a line: each `set`, `group` and `interchange`, and the `file` at the end.
        #[arg(long)]
        json: bool,
    },
    /// What it says, in plain words.
    #[command(after_help = EXIT_CODES)]
    Explain {
        /// The file, or `-` for standard input.
        file: PathBuf,
    },
    /// JSON segments, as `read` prints them, to an X12 file: the same bytes for a well-formed file.
    #[command(after_help = "SE, GE and IEA may be left out: they are counted. What is given is written as it is.\n\n\
                            Exit codes: 0 done, 2 refused; the message names the line of the JSON and the place, and \
                            what stands before it has been written.")]
    Write {
        /// The JSON, or `-` for standard input.
        file: PathBuf,
    },
}

/// Runs one of the X12 commands. A reader that went away (`| head`) is no failure.
pub fn x12(command: X12Command) -> End {
    let mut out = Output::new(io::stdout().lock());
    let end = match command {
        X12Command::Read { file, model } => read::read(&file, model, &mut out),
        X12Command::Check { file, ack, json } => check::check(&file, check::Wanted { ack, json }, &mut out),
        X12Command::Explain { file } => explain::explain(&file, &mut out),
        X12Command::Write { file } => write::write(&file, &mut out),
    };
    let flushed = out.finish();
    if out.reader_is_gone() {
        return Ok(ExitCode::SUCCESS);
    }
    let code = end?;
    flushed?;
    Ok(code)
}
