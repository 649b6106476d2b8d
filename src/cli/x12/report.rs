//! What was found in a file, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};
use x12::check::{GroupReport, InterchangeReport, Report, SetReport, Summary, Verdict};
use x12::finding::{Expected, Finding, Severity};

/// A report as one JSON object: `set`, `group` or `interchange`.
pub fn json(report: &Report) -> Value {
    match report {
        Report::Set(set) => json!({ "set": &**set }),
        Report::Group(group) => json!({ "group": {
            "control": group.header.control, "functional_id": group.header.functional_id, "sets": group.sets,
            "accepted": group.accepted, "verdict": group.verdict, "findings": group.findings,
        } }),
        Report::Interchange(interchange) => json!({ "interchange": {
            "control": interchange.header.control, "number": interchange.header.number, "groups": interchange.groups,
            "verdict": interchange.verdict, "findings": interchange.findings,
        } }),
    }
}

/// A report as lines: the verdict, then a finding a line with how to mend it. A group or an interchange of which there
/// is nothing to say is not spoken of.
pub fn text(report: &Report, out: &mut impl Write) -> io::Result<()> {
    match report {
        Report::Set(report) => set(report, out),
        Report::Group(report) => group(report, out),
        Report::Interchange(report) => interchange(report, out),
    }
}

/// The file as a whole: what is outside of its interchanges, and the verdict.
pub fn summary(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    if !summary.findings.is_empty() {
        writeln!(out, "the file:")?;
        findings(&summary.findings, out)?;
    }
    let word = if summary.valid { "valid" } else { "invalid" };
    write!(out, "{word}: {} transaction sets", summary.sets)?;
    if summary.rejected > 0 {
        write!(out, ", {} of them rejected", summary.rejected)?;
    }
    if summary.interchange_acks > 0 {
        write!(out, ", {} TA1", summary.interchange_acks)?;
    }
    writeln!(out, ", {} interchanges, {} segments", summary.interchanges, summary.segments)
}

fn set(set: &SetReport, out: &mut impl Write) -> io::Result<()> {
    let by = set.guide.map_or("the standard only".to_owned(), |guide| format!("guide {guide}"));
    let (id, control, verdict) = (plain(&set.id), plain(&set.control), word(set.verdict));
    writeln!(out, "{id} {control} (interchange {}, set {}, by {by}): {verdict}", set.interchange, set.number)?;
    findings(&set.findings, out)?;
    if set.left_out > 0 {
        writeln!(out, "  and {} more findings", set.left_out)?;
    }
    Ok(())
}

fn group(group: &GroupReport, out: &mut impl Write) -> io::Result<()> {
    if group.findings.is_empty() && group.verdict == Verdict::Accepted {
        return Ok(());
    }
    let (control, verdict) = (plain(&group.header.control), word(group.verdict));
    writeln!(out, "group {control} ({} of {} sets accepted): {verdict}", group.accepted, group.sets)?;
    findings(&group.findings, out)
}

fn interchange(interchange: &InterchangeReport, out: &mut impl Write) -> io::Result<()> {
    if interchange.findings.is_empty() && interchange.verdict == Verdict::Accepted {
        return Ok(());
    }
    writeln!(out, "interchange {}: {}", plain(&interchange.header.control), word(interchange.verdict))?;
    findings(&interchange.findings, out)
}

fn findings(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    findings.iter().try_for_each(|finding| one(finding, out))
}

/// `error 2010AA NM109, segment 12 of its set, 14 of the file, byte 402: …`
fn one(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    write!(out, "  {severity} ")?;
    if let Some(loop_id) = finding.loop_id {
        write!(out, "{loop_id} ")?;
    }
    if let Some(id) = finding.segment_id {
        write!(out, "{id}")?;
        if let Some(element) = finding.element {
            write!(out, "{element:02}")?;
        }
        if let Some(component) = finding.component {
            write!(out, "-{component}")?;
        }
        if let Some(repeat) = finding.repeat {
            write!(out, " repeat {repeat}")?;
        }
        write!(out, ", ")?;
    }
    if let Some(position) = finding.position {
        write!(out, "segment {position} of its set, ")?;
    }
    write!(out, "segment {} of the file, byte {}: {}", finding.segment, finding.offset, finding.message)?;
    match (finding.expected, finding.found) {
        (Some(Expected::Count(expected)), Some(found)) => write!(out, " Expected {expected}, found {found}.")?,
        (Some(Expected::Count(expected)), None) => write!(out, " Expected {expected}.")?,
        (Some(Expected::Words(words)), Some(found)) => write!(out, " Expected {words}, found {found}.")?,
        (Some(Expected::Words(words)), None) => write!(out, " Expected {words}.")?,
        (None, Some(found)) => write!(out, " Found {found}.")?,
        (None, None) => {}
    }
    if let Some(help) = finding.help {
        write!(out, " {help}")?;
    }
    writeln!(out)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::AcceptedWithErrors => "accepted with errors",
        Verdict::Rejected => "rejected",
    }
}

/// A control number out of the file, safe for a terminal.
fn plain(text: &str) -> String {
    text.chars().take(20).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
