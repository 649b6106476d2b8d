//! The 835s of a file, part by part.

use std::io::Read;
use std::sync::Arc;

use super::Remittance;
use super::parts::{Part, Parts};
use crate::envelope::{Event, SetHeader, Walker};
use crate::finding::{Finding, Findings};
use crate::read::ReadError;

/// Reads the 835s of a file in flat memory: one claim at a time, however long a transaction set is. Other transaction
/// sets are skipped.
///
/// ```ignore
/// let mut stream = Stream::new(source);
/// while let Some(part) = stream.next_part()? {
///     if let Part::Claim(claim) = part {
///         println!("{:?} {}", claim.head().paid.get(), claim.mismatches().len());
///     }
/// }
/// ```
pub struct Stream<R> {
    walker: Walker<R>,
    parts: Parts,
    header: Option<Arc<SetHeader>>,
    findings: Findings,
    /// An 835 is open.
    open: bool,
    /// The transaction set is over; what is left of it is given out.
    ending: bool,
}

impl<R: Read> Stream<R> {
    /// The 835s of `source`. Nothing is read yet.
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
                Some(Event::Begin { header, segment }) if header.id == Remittance::ID => {
                    self.header = Some(Arc::clone(header));
                    self.parts.restart();
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
                ) => {
                    self.keep(findings);
                }
                Some(_) => {}
            }
        }
    }

    /// What the 835 that the last part belongs to says of itself.
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
