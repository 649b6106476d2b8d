//! Where reading is: the segment that is next, and the loops that are open.

use super::Node;
use crate::read::{Block, Raw, Segment};

/// A place in a row of segments.
pub struct Cursor<'a> {
    block: &'a Block,
    bytes: Raw<'a>,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At segment `at` (from 0) of a block.
    pub fn new(block: &'a Block, at: usize) -> Self {
        Self { block, bytes: block.raw(), at }
    }

    /// The segment here; `None` past the end.
    #[inline]
    pub fn peek(&self) -> Option<Segment<'a>> {
        self.block.segment_in(self.bytes, self.at)
    }

    /// Goes on to the next segment.
    #[inline]
    pub fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// The segment here, and goes on to the next.
    #[inline]
    pub fn next_segment(&mut self) -> Option<Segment<'a>> {
        let segment = self.peek()?;
        self.step();
        Some(segment)
    }

    /// Reads the loop that begins here, whatever the loops around it are; `None` past the end.
    pub fn node<N: Node<'a>>(&mut self) -> Option<N> {
        let first = self.next_segment()?;
        Some(N::read(&first, self, &Outer::NONE))
    }
}

/// The loops around the one that is read: what would end it.
pub struct Outer<'o> {
    /// Whether a segment begins something of the loop around.
    pub owns: fn(&Segment<'_>) -> bool,
    /// The number (HL01) of its level; empty where it does not begin with HL.
    pub number: &'o str,
    /// The loops around that.
    pub up: Option<&'o Outer<'o>>,
}

impl Outer<'_> {
    /// Nothing around: the transaction set itself.
    pub const NONE: Outer<'static> = Outer { owns: |_| false, number: "", up: None };

    /// Whether a segment ends the loop that is read.
    pub fn takes(&self, segment: &Segment<'_>) -> bool {
        (self.owns)(segment) || self.up.is_some_and(|up| segment.is("HL") || up.takes(segment))
    }

    /// Whether a level may go into this loop: not where HL02 names a level further out that has a place for it (an event
    /// of the subscriber that comes after a dependent's). A parent that is not open, or has no place for it, is a
    /// mistake: order decides then.
    pub fn adopts(&self, level: &Segment<'_>) -> bool {
        let parent = level.raw(2).trim_ascii();
        if parent.is_empty() || parent == self.number.as_bytes() {
            return true;
        }
        let mut up = self.up;
        while let Some(outer) = up {
            if parent == outer.number.as_bytes() && (outer.owns)(level) {
                return false;
            }
            up = outer.up;
        }
        true
    }
}
