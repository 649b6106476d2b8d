//! The 837s of a file, claim by claim.

use std::io::Read;
use std::sync::Arc;

use super::Claims;
use super::parts::{Part, Parts};
use crate::envelope::{Event, SetHeader, Walker};
use crate::finding::{Finding, Findings};
use crate::read::ReadError;

/// Reads the 837s of a file in flat memory: one claim at a time with the levels above it, however long a transaction set
/// is. Other transaction sets are skipped.
///
/// ```ignore
/// let mut stream = Stream::new(source);
/// while let Some(part) = stream.next_part()? {
///     if let Part::Claim(found) = part {
///         println!("{:?} {} lines", found.claim().claim.charged.get(), found.claim().lines.len());
///     }
/// }
/// ```
pub struct Stream<R> {
    walker: Walker<R>,
    parts: Parts,
    header: Option<Arc<SetHeader>>,
    findings: Findings,
    /// An 837 is open.
    open: bool,
    /// The transaction set is over; what is left of it is given out.
    ending: bool,
}

impl<R: Read> Stream<R> {
    /// The 837s of `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            walker: Walker::new(source),
            parts: Parts::new(),
            header: None,
            findings: Findings::default(),
            open: false,
            ending: false,
        }
    }

    /// The next part; `None` at the end of the file.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_part(&mut self) -> Result<Option<Part<'_>>, ReadError> {
        loop {
            if self.ending {
                if !self.parts.ended() {
                    return Ok(self.parts.finish());
                }
                self.ending = false;
            }
            match self.walker.next_event()? {
                None => return Ok(None),
                Some(Event::Begin { header, segment }) if header.id == Claims::ID => {
                    self.header = Some(Arc::clone(header));
                    self.parts = Parts::new();
                    self.parts.take(&segment);
                    self.open = true;
                }
                Some(Event::Segment(segment)) if self.open => {
                    if self.parts.take(&segment) {
                        return Ok(self.parts.part());
                    }
                }
                Some(Event::End { findings, .. }) if self.open => {
                    self.keep(findings);
                    (self.open, self.ending) = (false, true);
                }
                Some(
                    Event::End { findings, .. }
                    | Event::GroupEnd { findings, .. }
                    | Event::InterchangeEnd { findings, .. },
                ) => self.keep(findings),
                Some(_) => {}
            }
        }
    }

    /// What the 837 that the last part belongs to says of itself.
    pub fn header(&self) -> Option<&Arc<SetHeader>> {
        self.header.as_ref()
    }

    /// Takes out the findings so far, those of finished transaction sets included.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        let mut findings = self.walker.take_findings();
        findings.append(&mut self.findings.take());
        findings
    }

    fn keep(&mut self, findings: Vec<Finding>) {
        findings.into_iter().for_each(|finding| self.findings.push(finding));
    }
}
