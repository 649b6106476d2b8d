//! Checks a whole file: what the reader and the envelope find, what the guide says, and the balances.
//!
//! ```ignore
//! let mut checker = Checker::new(source);
//! while let Some(report) = checker.next_report()? {
//!     if let Report::Set(set) = report {
//!         println!("{} {:?}: {} findings", set.id, set.verdict, set.findings.len());
//!     }
//! }
//! let whole = checker.summary();
//! ```
//! Reports come as soon as what they are about has ended; memory does not grow with the file.

pub mod acknowledge;
mod judge;
mod run;

use std::io::Read;
use std::sync::Arc;

use serde::Serialize;

pub use judge::{Judge, Place};

use crate::envelope::{Event, Group, Interchange, SetHeader, Walker};
use crate::finding::{Finding, Findings, Oddity};
use crate::grammar::Syntax;
use crate::read::ReadError;
use run::SetRun;

/// What a receiver would do with a transaction set, a group or an interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong.
    Accepted,
    /// There is something to remark, and it can be used.
    AcceptedWithErrors,
    /// It is turned away.
    Rejected,
}

impl Verdict {
    fn of(findings: &Findings) -> Self {
        if findings.rejects() {
            Self::Rejected
        } else if findings.remarks() {
            Self::AcceptedWithErrors
        } else {
            Self::Accepted
        }
    }
}

/// What was found in one transaction set.
#[derive(Clone, Debug, Serialize)]
pub struct SetReport {
    /// ST01
    pub id: String,
    /// ST02
    pub control: String,
    /// ST03, else GS08.
    pub implementation: String,
    /// Place in its interchange, from 1.
    pub number: u32,
    /// The interchange it stands in, from 1; 0 where there is none.
    pub interchange: u32,
    /// The guide it was measured by: `837p`. `None`: by the standard only.
    pub guide: Option<&'static str>,
    /// What a receiver would do with it.
    pub verdict: Verdict,
    /// Segments, ST and SE included.
    pub segments: u64,
    /// What was found, at most [`MAX_FINDINGS`](crate::finding::MAX_FINDINGS).
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub left_out: u64,
    /// What its ST says, and what it stands in.
    #[serde(skip)]
    pub header: Arc<SetHeader>,
}

/// A functional group has ended.
#[derive(Clone, Debug)]
pub struct GroupReport {
    /// What its GS says.
    pub header: Arc<Group>,
    /// Transaction sets in it.
    pub sets: u64,
    /// Those that are not turned away.
    pub accepted: u64,
    /// What was found about GS and GE.
    pub findings: Vec<Finding>,
    /// What a receiver would do with it.
    pub verdict: Verdict,
}

/// An interchange has ended.
#[derive(Clone, Debug)]
pub struct InterchangeReport {
    /// What its ISA says.
    pub header: Arc<Interchange>,
    /// Groups in it.
    pub groups: u64,
    /// What was found about ISA, TA1 and IEA.
    pub findings: Vec<Finding>,
    /// What a receiver would do with it.
    pub verdict: Verdict,
}

/// One result.
#[derive(Clone, Debug)]
pub enum Report {
    /// Of a transaction set.
    Set(Box<SetReport>),
    /// Of a functional group.
    Group(Box<GroupReport>),
    /// Of an interchange.
    Interchange(Box<InterchangeReport>),
}

/// The file as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// No transaction set, group or interchange is turned away.
    pub valid: bool,
    /// Segments read.
    pub segments: u64,
    /// Interchanges begun.
    pub interchanges: u32,
    /// Transaction sets.
    pub sets: u64,
    /// Those that are turned away.
    pub rejected: u64,
    /// TA1 segments.
    pub interchange_acks: u64,
    /// What was found outside of transaction sets, groups and interchanges.
    pub findings: Vec<Finding>,
}

/// Checks a file.
pub struct Checker<R> {
    walker: Walker<R>,
    set: Option<SetRun>,
    group: GroupRun,
    interchange: Option<Arc<Interchange>>,
    interchange_findings: Findings,
    syntax: Syntax,
    outside: Findings,
    sets: u64,
    rejected: u64,
    acks: u64,
    invalid: bool,
}

#[derive(Default)]
struct GroupRun {
    header: Option<Arc<Group>>,
    sets: u64,
    accepted: u64,
    findings: Findings,
}

impl<R: Read> Checker<R> {
    /// A check of `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            walker: Walker::new(source),
            set: None,
            group: GroupRun::default(),
            interchange: None,
            interchange_findings: Findings::default(),
            syntax: Syntax::new(false),
            outside: Findings::default(),
            sets: 0,
            rejected: 0,
            acks: 0,
            invalid: false,
        }
    }

    /// The next result; `None` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_report(&mut self) -> Result<Option<Report>, ReadError> {
        loop {
            let Some(event) = self.walker.next_event()? else { return Ok(None) };
            match event {
                Event::Segment(segment) => {
                    if let Some(set) = &mut self.set {
                        set.segment(&segment);
                    }
                }
                Event::Begin { header, segment } => self.set = Some(SetRun::new(Arc::clone(header), &segment)),
                Event::End { segment, segments, findings } => {
                    let Some(mut set) = self.set.take() else { continue };
                    if let Some(segment) = &segment {
                        set.segment(segment);
                    }
                    let report = set.end(segments, findings);
                    return Ok(Some(self.end_set(report)));
                }
                Event::Interchange { header, segment } => {
                    self.interchange = Some(Arc::clone(header));
                    self.interchange_findings = Findings::default();
                    self.syntax.envelope(&segment, &mut self.interchange_findings);
                }
                Event::InterchangeAck(segment) => {
                    self.acks = self.acks.saturating_add(1);
                    self.syntax.envelope(&segment, &mut self.interchange_findings);
                }
                Event::Group { header, segment } => {
                    self.group = GroupRun { header: Some(Arc::clone(header)), ..GroupRun::default() };
                    self.syntax.envelope(&segment, &mut self.group.findings);
                }
                Event::GroupEnd { segment, sets, findings } => {
                    if let Some(segment) = &segment {
                        self.syntax.envelope(segment, &mut self.group.findings);
                    }
                    if let Some(report) = self.end_group(sets, findings) {
                        return Ok(Some(report));
                    }
                }
                Event::InterchangeEnd { segment, groups, findings } => {
                    if let Some(segment) = &segment {
                        self.syntax.envelope(segment, &mut self.interchange_findings);
                    }
                    if let Some(report) = self.end_interchange(groups, findings) {
                        return Ok(Some(report));
                    }
                }
                Event::Outside(_) => {}
            }
        }
    }

    fn end_set(&mut self, report: SetReport) -> Report {
        self.sets = self.sets.saturating_add(1);
        self.group.sets = self.group.sets.saturating_add(1);
        if report.verdict == Verdict::Rejected {
            self.rejected = self.rejected.saturating_add(1);
            self.invalid = true;
        } else {
            self.group.accepted = self.group.accepted.saturating_add(1);
        }
        Report::Set(Box::new(report))
    }

    fn end_group(&mut self, sets: u64, found: Vec<Finding>) -> Option<Report> {
        let mut run = std::mem::take(&mut self.group);
        found.into_iter().for_each(|finding| run.findings.push(finding));
        let own = Verdict::of(&run.findings);
        self.invalid |= own == Verdict::Rejected;
        let verdict = match (run.accepted, sets) {
            _ if own == Verdict::Rejected => Verdict::Rejected,
            (0, 1..) => Verdict::Rejected,
            (accepted, sets) if accepted < sets => Verdict::AcceptedWithErrors,
            _ => own,
        };
        let findings = run.findings.take();
        Some(Report::Group(Box::new(GroupReport {
            header: run.header?,
            sets,
            accepted: run.accepted,
            findings,
            verdict,
        })))
    }

    fn end_interchange(&mut self, groups: u64, found: Vec<Finding>) -> Option<Report> {
        let mut findings = std::mem::take(&mut self.interchange_findings);
        found.into_iter().for_each(|finding| findings.push(finding));
        let verdict = Verdict::of(&findings);
        self.invalid |= verdict == Verdict::Rejected;
        let header = self.interchange.take()?;
        Some(Report::Interchange(Box::new(InterchangeReport { header, groups, findings: findings.take(), verdict })))
    }

    /// The file as a whole, so far; to be asked when [`Checker::next_report`] has given `None`.
    pub fn summary(&mut self) -> Summary {
        for finding in self.walker.take_findings() {
            self.outside.push(finding);
        }
        if self.sets == 0 && self.acks == 0 {
            let segments = self.walker.segments();
            self.outside.push(Oddity::NothingInside.at(segments, 0));
        }
        Summary {
            valid: !self.invalid && !self.outside.rejects(),
            segments: self.walker.segments(),
            interchanges: self.walker.interchanges(),
            sets: self.sets,
            rejected: self.rejected,
            interchange_acks: self.acks,
            findings: self.outside.take(),
        }
    }
}

/// Checks one file that is in memory: what was found in its transaction sets, and the file as a whole.
///
/// # Errors
/// Nothing here is X12.
pub fn check(bytes: &[u8]) -> Result<(Vec<SetReport>, Summary), ReadError> {
    let mut checker = Checker::new(bytes);
    let mut sets = Vec::new();
    while let Some(report) = checker.next_report()? {
        if let Report::Set(set) = report {
            sets.push(*set);
        }
    }
    Ok((sets, checker.summary()))
}

#[cfg(test)]
mod tests;
