//! A model that is written while its transaction set is read: an 837 claim by claim, and an 835 as the normalised
//! remittance (feature `answers`). What comes out is what the whole model would be.

use crate::envelope::{SetHeader, SetParts};
use crate::finding::{Finding, Oddity};
use crate::read::Segment;
use crate::{claim, remittance};

/// Writes the parts of a model as JSON.
pub(super) trait Writes<P: SetParts> {
    /// Adds a part to `into`; `segments`: how many the transaction set has, which is known at its end.
    fn part(&mut self, part: P::Part<'_>, segments: u64, into: &mut Vec<u8>);

    /// Whether something was left out, a part being longer than its limit.
    fn left_out(&self) -> bool;
}

#[cfg(feature = "answers")]
impl Writes<remittance::Parts> for crate::answers::remittance::Pieces {
    fn part(&mut self, part: remittance::Part<'_>, segments: u64, into: &mut Vec<u8>) {
        Self::part(self, part, segments, into);
    }

    fn left_out(&self) -> bool {
        Self::left_out(self)
    }
}

/// A family's way through a transaction set.
trait Tell {
    fn segment(&mut self, segment: &Segment<'_>, into: &mut Vec<u8>);

    /// Writes the rest; whether something was left out.
    fn end(&mut self, segments: u64, into: &mut Vec<u8>) -> bool;
}

struct Told<P, W> {
    parts: P,
    writer: W,
}

impl<P: SetParts, W: Writes<P>> Tell for Told<P, W> {
    fn segment(&mut self, segment: &Segment<'_>, into: &mut Vec<u8>) {
        if let Some(part) = self.parts.push(segment) {
            self.writer.part(part, 0, into);
        }
    }

    fn end(&mut self, segments: u64, into: &mut Vec<u8>) -> bool {
        while let Some(part) = self.parts.finish() {
            self.writer.part(part, segments, into);
        }
        self.writer.left_out()
    }
}

/// The model that is being written.
pub(super) struct Telling {
    /// The key it stands under.
    pub(super) name: &'static str,
    tell: Box<dyn Tell>,
    transaction: u32,
    segments: u64,
    /// Number in the file, and offset, of the last segment.
    last: (u64, u64),
}

impl Telling {
    /// Whether this is a transaction set that is written so.
    pub(super) fn knows(header: &SetHeader) -> bool {
        header.id == claim::Parts::ID || cfg!(feature = "answers") && header.id == remittance::Parts::ID
    }

    /// For a transaction set that is known.
    pub(super) fn new(header: &SetHeader) -> Self {
        let of = |name, tell| Self { name, tell, transaction: header.number, segments: 0, last: (0, 0) };
        #[cfg(feature = "answers")]
        if header.id == remittance::Parts::ID {
            let writer = crate::answers::remittance::Pieces::new(header.number);
            return of("remittance", Box::new(Told { parts: remittance::Parts::default(), writer }));
        }
        let writer = super::model::Claims::default();
        of("claims", Box::new(Told { parts: claim::Parts::default(), writer }))
    }

    /// The next segment, SE left out; what it ends is written.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, into: &mut Vec<u8>) {
        self.segments = self.segments.saturating_add(1);
        self.last = (segment.number, segment.offset);
        self.tell.segment(segment, into);
    }

    /// The end; `segments`: how many the transaction set has, where that is known. What was left out is a finding.
    pub(super) fn end(mut self, segments: Option<u64>, into: &mut Vec<u8>) -> Option<Finding> {
        let left_out = self.tell.end(segments.unwrap_or(self.segments), into);
        left_out.then(|| self.find(Oddity::TransactionLength))
    }

    /// What is found where the source fails before the end.
    pub(super) fn cut_off(&self) -> Finding {
        self.find(Oddity::NoSe)
    }

    fn find(&self, oddity: Oddity) -> Finding {
        let (number, offset) = self.last;
        Finding { transaction: Some(self.transaction), ..oddity.at(number, offset) }
    }
}
