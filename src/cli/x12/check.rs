//! `portico x12 check`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use x12::Delimiters;
use x12::check::Checker;
use x12::check::acknowledge::{Acknowledger, Kind};

use super::input::{open, unreadable};
use super::output::Output;
use super::report;
use crate::cli::run::End;

/// What `check` prints, and where.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// The TA1 and 999 on standard output; the report goes to standard error then.
    pub ack: bool,
    /// The report as JSON, an object a line.
    pub json: bool,
}

/// The report of a file, and the acknowledgment a receiver would send; exit code 1 where something is turned away.
pub fn check<W: Write>(file: &Path, wanted: Wanted, out: &mut Output<W>) -> End {
    if !wanted.ack {
        let mut checker = Checker::new(open(file)?);
        let valid = told(&mut checker, wanted.json, out, |_| {});
        return code(valid?);
    }
    let mut checker = Checker::new(open(file)?);
    let mut acknowledger = Acknowledger::new(Kind::Ack999);
    let mut aside = Output::new(io::stderr().lock());
    let valid = told(&mut checker, wanted.json, &mut aside, |report| acknowledger.take(report));
    aside.finish()?;
    let at = jiff::Zoned::now().datetime();
    out.write_all(&acknowledger.finish(Delimiters::default(), at)?)?;
    code(valid?)
}

/// Tells report after report as they come; whether the file is valid.
fn told<R: io::Read, W: Write>(
    checker: &mut Checker<R>,
    json: bool,
    out: &mut Output<W>,
    mut seen: impl FnMut(&x12::check::Report),
) -> Result<bool, crate::house::CannotRun> {
    while let Some(report) = checker.next_report().map_err(unreadable)? {
        seen(&report);
        if json {
            writeln!(out, "{}", report::json(&report))?;
        } else {
            report::text(&report, out)?;
        }
    }
    let summary = checker.summary();
    if json {
        writeln!(out, "{}", serde_json::json!({ "file": summary }))?;
    } else {
        report::summary(&summary, out)?;
    }
    Ok(summary.valid)
}

fn code(valid: bool) -> End {
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
