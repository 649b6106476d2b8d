//! The transaction sets of one family, part by part.

use std::io::Read;
use std::sync::Arc;

use super::{Event, SetHeader, Walker};
use crate::finding::{Finding, Findings};
use crate::read::{Block, ReadError, Segment};

/// Cuts the transaction sets of one family into parts, so that no more than one part has to be in memory.
pub trait SetParts: Default {
    /// Which transaction sets these are: ST01.
    const ID: &'static str;

    /// A part; it borrows from what was taken last.
    type Part<'s>
    where
        Self: 's;

    /// Begins another transaction set; memory is used again.
    fn restart(&mut self);

    /// Takes the next segment, ST included, SE left out. Whether it ends a part, which is then [`SetParts::part`].
    fn take(&mut self, segment: &Segment<'_>) -> bool;

    /// The part that was ended last.
    fn part(&mut self) -> Option<Self::Part<'_>>;

    /// Gives what is left at the end of the transaction set: the open part, then the end itself, then nothing.
    fn finish(&mut self) -> Option<Self::Part<'_>>;

    /// Whether the end was given.
    fn ended(&self) -> bool;

    /// Takes the next segment, ST included, SE left out; gives the part that it ends.
    fn push(&mut self, segment: &Segment<'_>) -> Option<Self::Part<'_>> {
        if self.take(segment) { self.part() } else { None }
    }

    /// All parts of a transaction set that is in memory, one after the other.
    fn each(segments: &Block, mut of: impl FnMut(Self::Part<'_>)) {
        let mut parts = Self::default();
        for segment in segments.iter().filter(|segment| !segment.is("SE")) {
            if let Some(part) = parts.push(&segment) {
                of(part);
            }
        }
        while let Some(part) = parts.finish() {
            of(part);
        }
    }
}

/// Reads the transaction sets of one family in flat memory: one part at a time, however long a transaction set is. Others
/// are skipped.
///
/// ```ignore
/// let mut stream = x12::remittance::Stream::new(source);
/// while let Some(part) = stream.next_part()? {
///     if let Part::Claim(claim) = part {
///         println!("{:?} {}", claim.head().paid.get(), claim.mismatches().len());
///     }
/// }
/// ```
pub struct Stream<R, P> {
    walker: Walker<R>,
    parts: P,
    header: Option<Arc<SetHeader>>,
    findings: Findings,
    /// A transaction set of the family is open.
    open: bool,
    /// It is over; what is left of it is given out.
    ending: bool,
}

impl<R: Read, P: SetParts> Stream<R, P> {
    /// The transaction sets of `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            walker: Walker::new(source),
            parts: P::default(),
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
    pub fn next_part(&mut self) -> Result<Option<P::Part<'_>>, ReadError> {
        loop {
            if self.ending {
                if !self.parts.ended() {
                    return Ok(self.parts.finish());
                }
                self.ending = false;
            }
            if self.open {
                // What nearly every segment is, without an event around it.
                while let Some(segment) = self.walker.next_inside() {
                    if self.parts.take(&segment) {
                        return Ok(self.parts.part());
                    }
                }
            }
            match self.walker.next_event()? {
                None => return Ok(None),
                Some(Event::Begin { header, segment }) if header.id == P::ID => {
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
                ) => self.keep(findings),
                Some(_) => {}
            }
        }
    }

    /// What the transaction set that the last part belongs to says of itself.
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
