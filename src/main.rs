//! The `portico` command: reads the arguments, runs the command, turns its end into an exit code.

use std::process::ExitCode;

use clap::Parser;
use portico::cli::{Arguments, run};

fn main() -> ExitCode {
    run::run(Arguments::parse())
}
