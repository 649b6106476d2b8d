//! The tolerant reader: bytes in, segments out, oddities as findings.
//!
//! It works over any [`std::io::Read`] (a byte slice is one) with one reused buffer, and hands out segments that borrow
//! from it: nothing is allocated per segment or element. It refuses only what cannot be read at all.
//!
//! Separators are found ahead of the reading, many at a time, by the [`Index`]. A segment that looks as it should is
//! then cut out by [`Reader::next_segment`] at once; everything unusual (an ISA, binary data, white space, junk) goes
//! the long way through `locate`.

mod block;
mod index;
mod input;
mod locate;
mod scan;
mod segment;

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

pub use block::{Block, Iter, MAX_BLOCK_BYTES, MAX_BLOCK_SEGMENTS};
pub use index::Index;
pub(crate) use scan::find_isa;
pub(crate) use segment::{Id, trim};
pub use segment::{Raw, Segment};

use crate::delimiters::{Delimiters, MAX_ISA_BYTES};
use crate::finding::{Finding, Findings, Oddity};
use input::Input;

/// Longest segment that is read, bytes; a longer one is left out with a finding. Binary segments have their own limit.
pub const MAX_SEGMENT_BYTES: usize = 1 << 20;
/// Longest binary segment (BIN, BDS) that is read, bytes.
pub const MAX_BINARY_BYTES: usize = 32 << 20;
/// Elements of one segment that are told apart.
pub const MAX_ELEMENTS: usize = 65_536;
/// How much text before the first ISA is searched through, bytes.
pub const MAX_PREAMBLE_BYTES: usize = 64 << 10;
/// The same, and room for an ISA that begins at the end of it.
pub(crate) const MAX_SEARCHED_BYTES: usize = MAX_PREAMBLE_BYTES + MAX_ISA_BYTES;

/// Why nothing (more) can be read.
#[derive(Debug)]
pub enum ReadError {
    /// The source failed.
    Io(io::Error),
    /// There are no bytes.
    Empty,
    /// Neither an ISA nor a GS or ST segment was found: this is not X12.
    NotX12,
    /// An ISA was found, but its separators cannot be told from its data.
    NoSeparators,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(_) => "The input could not be read.",
            Self::Empty => "There is nothing to read: the input is empty.",
            Self::NotX12 => "This is not X12: no ISA, GS or ST segment was found.",
            Self::NoSeparators => "An ISA segment was found, but it does not say how segments end.",
        })
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io(error) = self { Some(error) } else { None }
    }
}

/// Reads segments one by one.
pub struct Reader<R> {
    input: Input<R>,
    /// The separators of what is in the window of `input`, up to where it was looked at.
    index: Index,
    /// The first separator and the first terminator in the index that are not yet read past.
    next_mark: usize,
    next_end: usize,
    here: Here,
    /// Its offset in the file.
    offset: u64,
    /// Those in force; before the first interchange began they mean nothing.
    delimiters: Delimiters,
    begun: bool,
    /// An interchange is to begin here: at the start of the file, and after IEA. Nothing is indexed then.
    outside: bool,
    /// What stands between a segment and the one before it.
    gap: Gap,
    number: u64,
    /// What a file is told of once and was told of.
    said: Vec<Oddity>,
    findings: Findings,
}

/// The current segment: where it stands in the window, and where its marks stand in the index.
#[derive(Clone, Copy, Default)]
pub(crate) struct Here {
    from: usize,
    to: usize,
    first: usize,
    last: usize,
    pub(crate) id: Id,
}

/// What stands between two segments besides the terminator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Gap {
    /// There was no segment yet, or an interchange began.
    Unknown,
    Nothing,
    LineFeed,
    CarriageReturnLineFeed,
    /// Any other white space.
    Other,
}

/// Where a segment stands, its terminator not counted, and what comes after it.
struct Extent {
    here: Here,
    next: usize,
    binary: bool,
}

impl<R: Read> Reader<R> {
    /// A reader over `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            input: Input::new(source),
            index: Index::default(),
            next_mark: 0,
            next_end: 0,
            here: Here::default(),
            offset: 0,
            delimiters: Delimiters::default(),
            begun: false,
            outside: true,
            gap: Gap::Unknown,
            number: 0,
            said: Vec::new(),
            findings: Findings::default(),
        }
    }

    /// The next segment, `None` at the end.
    ///
    /// # Errors
    /// The source failed, or (only before the first segment) nothing here is X12.
    #[inline(always)]
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>, ReadError> {
        let here = match self.step() {
            Some(here) => here,
            None if self.advance_slowly()? => self.here,
            None => return Ok(None),
        };
        Ok(self.segment(here))
    }

    /// Goes to the next segment. `false` at the end.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        if self.step().is_some() { Ok(true) } else { self.advance_slowly() }
    }

    /// The segment that [`Self::advance`] went to; `None` before the first one.
    #[inline]
    pub(crate) fn current(&self) -> Option<Segment<'_>> {
        self.segment(self.here)
    }

    #[inline(always)]
    pub(crate) fn segment(&self, here: Here) -> Option<Segment<'_>> {
        Some(Segment {
            bytes: Raw::Bytes(self.input.window().get(here.from..here.to)?),
            marks: self.index.slice(here.first..here.last),
            base: here.from as u32,
            id: here.id,
            delimiters: self.delimiters,
            number: self.number,
            offset: self.offset,
            position: 0,
        })
    }

    /// The separators in force; `None` before the first segment.
    pub fn delimiters(&self) -> Option<Delimiters> {
        self.begun.then_some(self.delimiters)
    }

    /// How many segments were read.
    pub fn segments(&self) -> u64 {
        self.number
    }

    /// Takes out the findings so far.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.findings.take()
    }

    /// Number and offset of the last segment.
    pub(crate) fn last(&self) -> (u64, u64) {
        (self.number, self.offset)
    }

    /// Whether there are findings to take out.
    #[inline]
    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.as_slice().is_empty()
    }

    /// The short way: the next segment is indexed and nothing about it is unusual. `None`, and nothing has changed,
    /// where anything is. Few branches: this is where the time goes.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> Option<Here> {
        let last = self.index.end(self.next_end)?;
        let [first_mark, ..] = *self.index.slice(self.next_mark..last) else { return None };
        let to = self.index.mark(last)?;
        let mut from = self.input.start;
        let mut bytes = self.input.window().get(from..to)?;
        let mut gap = Gap::Nothing;
        if bytes.first().is_some_and(|byte| *byte < b' ') {
            let skip;
            (gap, skip) = match bytes {
                [b'\n', ..] => (Gap::LineFeed, 1),
                [b'\r', b'\n', ..] => (Gap::CarriageReturnLineFeed, 2),
                _ => return None,
            };
            from += skip;
            bytes = bytes.get(skip..)?;
        }
        let start = bytes.first_chunk()?;
        let length = (first_mark as usize).wrapping_sub(from);
        let plain = scan::plain_id(start, length);
        let odd = !plain
            | (gap != self.gap)
            | (bytes.len() > MAX_ELEMENTS)
            | (bytes.last() == Some(&self.delimiters.element))
            | self.index.watched(from);
        if odd && !self.harmless(gap, from..to, last) {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.offset = self.input.offset(from);
        self.here = Here { from, to, first: self.next_mark, last, id: Id::of_first(start, length == 2) };
        self.input.start = to + 1;
        (self.next_mark, self.next_end) = (last + 1, self.next_end + 1);
        Some(self.here)
    }

    /// Whether a segment that made [`Self::step`] look twice has nothing about it that needs a finding.
    #[cold]
    fn harmless(&self, gap: Gap, bytes: Range<usize>, last: usize) -> bool {
        let first = self.index.mark(self.next_mark).and_then(|mark| mark.checked_sub(bytes.start));
        let bytes = self.input.window().get(bytes).unwrap_or(&[]);
        let special = [b"ISA", b"IEA", b"BIN", b"BDS"].iter().any(|id| bytes.starts_with(*id));
        gap == self.gap
            && !special
            && matches!(first, Some(2 | 3))
            && scan::starts_with_id(bytes, self.delimiters.element, true)
            && bytes.len() <= MAX_SEGMENT_BYTES
            && last - self.next_mark <= MAX_ELEMENTS
            && bytes.last() != Some(&b'\r')
            && self.looks(bytes).all(|oddity| self.has_said(oddity))
    }

    /// The long way.
    fn advance_slowly(&mut self) -> Result<bool, ReadError> {
        let Some(extent) = self.locate()? else { return Ok(false) };
        self.number = self.number.saturating_add(1);
        self.input.start = extent.next;
        self.here = extent.here;
        self.here.id = self.current().map_or_else(Id::default, |segment| Id::of(segment.id_bytes()));
        self.offset = self.input.offset(self.here.from);
        if self.here.last - self.here.first > MAX_ELEMENTS {
            self.here.last = self.here.first + MAX_ELEMENTS;
            self.find_here(Oddity::ElementCount);
        }
        let bytes = self.input.window().get(self.here.from..self.here.to).unwrap_or(&[]);
        self.outside = bytes.starts_with(b"IEA");
        let named = scan::starts_with_id(bytes, self.delimiters.element, true);
        let odd: Vec<_> = if extent.binary { Vec::new() } else { self.looks(bytes).collect() };
        if !named {
            self.find_here(Oddity::SegmentId);
        }
        for oddity in odd {
            self.once(oddity, self.number, self.offset);
        }
        if self.outside {
            self.index.restart(self.input.start);
            (self.next_mark, self.next_end) = (0, 0);
        }
        self.sync(); // the short way goes on from here; the marks of this segment stay where they are
        Ok(true)
    }

    /// What is odd about how a segment looks, of which each kind is told once for a file.
    fn looks<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = Oddity> + use<'a, R> {
        let element = self.delimiters.element;
        let isa = bytes.starts_with(b"ISA");
        let breaks = !isa && bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        let ends = |byte: &u8| *byte == element;
        let padded = !isa && bytes.windows(2).any(|pair| matches!(pair, [b' ', after] if ends(after)))
            || bytes.last() == Some(&b' ');
        [
            (Oddity::NotAscii, !bytes.is_ascii()),
            (Oddity::BreakInside, breaks),
            (Oddity::Padded, padded),
            (Oddity::TrailingEmpty, !isa && bytes.last().is_some_and(ends)),
        ]
        .into_iter()
        .filter_map(|(oddity, there)| there.then_some(oddity))
    }

    /// A finding about the current segment.
    fn find_here(&mut self, oddity: Oddity) {
        self.findings.push(oddity.at(self.number, self.offset));
    }

    /// A finding of which a file needs only the first.
    fn once(&mut self, oddity: Oddity, number: u64, offset: u64) {
        if !self.has_said(oddity) {
            self.said.push(oddity);
            self.findings.push(oddity.at(number, offset));
        }
    }

    fn has_said(&self, oddity: Oddity) -> bool {
        self.said.contains(&oddity)
    }
}
