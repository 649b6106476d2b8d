//! A model that is written while its transaction set is read: an 835 as the normalised remittance, claim by claim
//! (feature `answers`). What comes out is what the whole model would be.

use crate::envelope::SetHeader;
use crate::finding::{Finding, Oddity};
use crate::read::Segment;

/// A model that is being written.
#[cfg(feature = "answers")]
pub(super) struct Telling {
    parts: crate::remittance::Parts,
    pieces: crate::answers::remittance::Pieces,
    transaction: u32,
    segments: u64,
    /// Number in the file, and offset, of the last segment.
    last: (u64, u64),
}

#[cfg(feature = "answers")]
impl Telling {
    /// The key the model stands under.
    pub(super) const NAME: &str = "remittance";

    /// Whether this is a transaction set that is written so.
    pub(super) fn knows(header: &SetHeader) -> bool {
        header.id == crate::remittance::Remittance::ID
    }

    pub(super) fn new(header: &SetHeader) -> Self {
        Self {
            parts: crate::remittance::Parts::new(),
            pieces: crate::answers::remittance::Pieces::new(header.number),
            transaction: header.number,
            segments: 0,
            last: (0, 0),
        }
    }

    /// The next segment, SE left out; what it ends is written.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, into: &mut Vec<u8>) {
        self.segments = self.segments.saturating_add(1);
        self.last = (segment.number, segment.offset);
        if let Some(part) = self.parts.push(segment) {
            self.pieces.part(part, 0, into);
        }
    }

    /// The end; `segments`: how many the transaction set has, where that is known.
    pub(super) fn end(mut self, segments: Option<u64>, into: &mut Vec<u8>) {
        while let Some(part) = self.parts.finish() {
            self.pieces.part(part, segments.unwrap_or(self.segments), into);
        }
    }

    /// What is found where the source fails before the end.
    pub(super) fn cut_off(&self) -> Finding {
        let (number, offset) = self.last;
        Finding { transaction: Some(self.transaction), ..Oddity::NoSe.at(number, offset) }
    }
}

/// Without normalised answers nothing is written while it is read.
#[cfg(not(feature = "answers"))]
pub(super) struct Telling;

#[cfg(not(feature = "answers"))]
impl Telling {
    pub(super) const NAME: &str = "model";

    pub(super) fn knows(_: &SetHeader) -> bool {
        false
    }

    pub(super) fn new(_: &SetHeader) -> Self {
        Self
    }

    pub(super) fn segment(&mut self, _: &Segment<'_>, _: &mut Vec<u8>) {}

    pub(super) fn end(self, _: Option<u64>, _: &mut Vec<u8>) {}

    pub(super) fn cut_off(&self) -> Finding {
        Oddity::NoSe.at(0, 0)
    }
}
