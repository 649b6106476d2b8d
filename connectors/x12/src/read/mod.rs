//! The tolerant reader: bytes in, segments out, oddities as findings.
//!
//! It works over any [`std::io::Read`] (a byte slice is one) with one reused buffer, and hands out segments that borrow
//! from it: nothing is allocated per segment or element. It refuses only what cannot be read at all.

mod block;
mod scan;
mod segment;

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

pub use block::{Block, Iter, MAX_BLOCK_BYTES, MAX_BLOCK_SEGMENTS};
pub use segment::Segment;

use crate::delimiters::{self, Delimiters, MAX_ISA_BYTES};
use crate::finding::{Finding, Findings, Oddity};

/// Longest segment that is read, bytes; a longer one is left out with a finding. Binary segments have their own limit.
pub const MAX_SEGMENT_BYTES: usize = 1 << 20;
/// Longest binary segment (BIN, BDS) that is read, bytes.
pub const MAX_BINARY_BYTES: usize = 32 << 20;
/// Elements of one segment that are told apart.
pub const MAX_ELEMENTS: usize = 4_096;
/// How much text before the first ISA is searched through, bytes.
pub const MAX_PREAMBLE_BYTES: usize = 64 << 10;
/// How much is read at a time, bytes.
const CHUNK: usize = 64 << 10;

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
    source: R,
    buffer: Vec<u8>,
    /// Where unread bytes begin and end in `buffer`.
    start: usize,
    end: usize,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    at_end: bool,
    marks: Vec<u32>,
    /// The current segment in `buffer`.
    here: Range<usize>,
    /// Its offset in the file.
    offset: u64,
    delimiters: Option<Delimiters>,
    after_iea: bool,
    number: u64,
    said: u64,
    findings: Findings,
}

/// A segment's extent in the buffer.
struct Extent {
    from: usize,
    to: usize,
    next: usize,
    binary_data: Option<usize>,
}

impl<R: Read> Reader<R> {
    /// A reader over `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            at_end: false,
            marks: Vec::new(),
            here: 0..0,
            offset: 0,
            delimiters: None,
            after_iea: false,
            number: 0,
            said: 0,
            findings: Findings::default(),
        }
    }

    /// The next segment, `None` at the end.
    ///
    /// # Errors
    /// The source failed, or (only before the first segment) nothing here is X12.
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>, ReadError> {
        Ok(if self.advance()? { self.current() } else { None })
    }

    /// Goes to the next segment. `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        let Some(extent) = self.locate()? else { return Ok(false) };
        self.start = extent.next;
        self.number = self.number.saturating_add(1);
        let offset = self.base.saturating_add(extent.from as u64);
        let Some(delimiters) = self.delimiters else { return Ok(false) };
        let bytes = self.buffer.get(extent.from..extent.to).unwrap_or(&[]);
        let whole = scan::mark(bytes, delimiters.element, extent.binary_data, MAX_ELEMENTS, &mut self.marks);
        self.after_iea = bytes.starts_with(b"IEA");
        if !whole {
            self.findings.push(Oddity::ElementCount.at(self.number, offset));
        }
        if !scan::starts_with_id(bytes, delimiters.element) {
            self.findings.push(Oddity::SegmentId.at(self.number, offset));
        }
        if extent.binary_data.is_none() && !bytes.is_ascii() {
            Self::once(&mut self.said, &mut self.findings, Oddity::NotAscii, self.number, offset);
        }
        (self.here, self.offset) = (extent.from..extent.to, offset);
        Ok(true)
    }

    /// The segment that [`Self::advance`] went to; `None` before the first one.
    pub(crate) fn current(&self) -> Option<Segment<'_>> {
        Some(Segment {
            bytes: self.buffer.get(self.here.clone())?,
            marks: &self.marks,
            base: 0,
            delimiters: self.delimiters?,
            number: self.number,
            offset: self.offset,
            position: 0,
        })
    }

    /// The separators in force; `None` before the first segment.
    pub fn delimiters(&self) -> Option<Delimiters> {
        self.delimiters
    }

    /// How many segments were read.
    pub fn segments(&self) -> u64 {
        self.number
    }

    /// Takes out the findings so far.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.findings.take()
    }

    /// Whether there are findings to take out.
    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.as_slice().is_empty()
    }

    /// Finds the next segment and makes sure that it lies in the buffer whole.
    fn locate(&mut self) -> Result<Option<Extent>, ReadError> {
        loop {
            if self.delimiters.is_none() || self.after_iea {
                if !self.begin()? {
                    return Ok(None);
                }
                self.after_iea = false;
            }
            if !self.skip_space()? {
                return Ok(None);
            }
            self.redetect()?;
            let Some(delimiters) = self.delimiters else { return Ok(None) };
            if let Some(extent) = self.binary(delimiters)? {
                return Ok(Some(extent));
            }
            if let Some(extent) = self.plain(delimiters)? {
                return Ok(Some(extent));
            }
        }
    }

    /// Finds the start of an interchange. `false` where nothing (more) is there.
    fn begin(&mut self) -> Result<bool, ReadError> {
        let first = self.delimiters.is_none();
        self.want(3)?;
        if first && self.unread().starts_with(b"\xef\xbb\xbf") {
            self.findings.push(Oddity::ByteOrderMark.at(0, 0));
            self.start += 3;
        }
        if !self.skip_space()? {
            return if first { Err(ReadError::Empty) } else { Ok(false) };
        }
        self.want(MAX_PREAMBLE_BYTES)?;
        let unread = self.unread();
        let offset = self.base.saturating_add(self.start as u64);
        if let Some(delimiters) = self.delimiters
            && scan::starts_with_id(unread, delimiters.element)
        {
            return Ok(true); // more segments under the same separators
        }
        let isa = scan::find_isa(unread);
        if let Some((at, detected)) = isa {
            if at > 0 {
                let oddity = if first { Oddity::TextBefore } else { Oddity::TextAfter };
                self.findings.push(oddity.at(self.number, offset));
            }
            self.start += at;
            self.delimiters = Some(detected.delimiters);
            return Ok(true);
        }
        if !first {
            self.findings.push(Oddity::TextAfter.at(self.number, offset));
            self.start = self.end;
            self.at_end = true;
            return Ok(false);
        }
        if let Some((at, guessed)) = scan::find_first_segment(unread) {
            self.findings.push(Oddity::NoIsa.at(0, offset));
            if at > 0 {
                self.findings.push(Oddity::TextBefore.at(0, offset));
            }
            self.start += at;
            self.delimiters = Some(guessed);
            return Ok(true);
        }
        Err(if scan::has_isa(unread) { ReadError::NoSeparators } else { ReadError::NotX12 })
    }

    /// An ISA may bring other separators than the interchange before it.
    fn redetect(&mut self) -> Result<(), ReadError> {
        self.want(4)?;
        if !self.unread().starts_with(b"ISA") {
            return Ok(());
        }
        self.want(MAX_ISA_BYTES)?;
        if let Some(detected) = delimiters::from_isa(self.unread()) {
            self.delimiters = Some(detected.delimiters);
            let offset = self.base.saturating_add(self.start as u64);
            if !detected.fixed {
                self.findings.push(Oddity::IsaLength.at(self.number + 1, offset));
            }
            if detected.shared() {
                self.findings.push(Oddity::SharedSeparator.at(self.number + 1, offset));
            }
            if detected.no_component {
                self.findings.push(Oddity::NoComponent.at(self.number + 1, offset));
            }
        }
        Ok(())
    }

    /// The extent of an ordinary segment. `None`: it was left out, look again.
    fn plain(&mut self, delimiters: Delimiters) -> Result<Option<Extent>, ReadError> {
        let mut searched = 0;
        loop {
            let unread = self.unread();
            let found = unread.get(searched..).and_then(|rest| rest.iter().position(|b| *b == delimiters.segment));
            if let Some(at) = found {
                return Ok(self.finish_plain(searched + at, 1, delimiters));
            }
            searched = unread.len();
            if searched > MAX_SEGMENT_BYTES {
                let offset = self.base.saturating_add(self.start as u64);
                self.findings.push(Oddity::SegmentLength.at(self.number + 1, offset));
                self.skip_past(delimiters.segment)?;
                return Ok(None);
            }
            if !self.fill()? {
                if searched == 0 {
                    return Ok(None);
                }
                // A file that ends without its last line break is whole.
                if !matches!(delimiters.segment, b'\n' | b'\r') {
                    let offset = self.base.saturating_add(self.start as u64);
                    self.findings.push(Oddity::Unterminated.at(self.number + 1, offset));
                }
                return Ok(self.finish_plain(searched, 0, delimiters));
            }
        }
    }

    /// Drops what is around the segment of `length` bytes: junk before its identifier, a carriage return at its end.
    fn finish_plain(&mut self, length: usize, terminator: usize, delimiters: Delimiters) -> Option<Extent> {
        let mut from = self.start;
        let mut to = self.start + length;
        let next = to + terminator;
        let bytes = self.buffer.get(from..to).unwrap_or(&[]);
        if let Some(junk) = scan::junk_before_id(bytes, delimiters.element) {
            let offset = self.base.saturating_add(from as u64);
            self.findings.push(Oddity::TextInside.at(self.number + 1, offset));
            from += junk;
        }
        let bytes = self.buffer.get(from..to).unwrap_or(&[]);
        if terminator == 0 {
            to = from + bytes.trim_ascii_end().len();
        } else if delimiters.segment == b'\n' && bytes.last() == Some(&b'\r') {
            to -= 1;
        }
        if from == to {
            // Two terminators in a row: nothing is lost.
            self.start = next;
            return None;
        }
        Some(Extent { from, to, next, binary_data: None })
    }

    /// The extent of a BIN or BDS segment at the read position; `None` where there is none.
    fn binary(&mut self, delimiters: Delimiters) -> Result<Option<Extent>, ReadError> {
        self.want(64)?;
        let Some(header) = scan::binary_header(self.unread(), delimiters.element) else { return Ok(None) };
        let offset = self.base.saturating_add(self.start as u64);
        if let Some(length) = header.length.filter(|length| *length <= MAX_BINARY_BYTES) {
            let whole = header.data + length;
            self.want(whole + 1)?;
            let unread = self.unread();
            if unread.get(whole) == Some(&delimiters.segment) || (unread.len() == whole && self.at_end) {
                let (from, to) = (self.start, self.start + whole);
                let next = (to + 1).min(self.end);
                return Ok(Some(Extent { from, to, next, binary_data: Some(header.data) }));
            }
        }
        self.findings.push(Oddity::BinaryLength.at(self.number + 1, offset));
        let mut searched = header.data;
        loop {
            let unread = self.unread();
            if let Some(at) = scan::end_of_binary(unread, searched, delimiters, self.at_end) {
                let (from, to) = (self.start, self.start + at);
                let next = (to + 1).min(self.end);
                return Ok(Some(Extent { from, to, next, binary_data: Some(header.data) }));
            }
            // The end is a terminator and the identifier after it: keep a few bytes to see both at once.
            searched = unread.len().saturating_sub(16).max(header.data);
            if unread.len() > MAX_BINARY_BYTES {
                self.findings.push(Oddity::SegmentLength.at(self.number + 1, offset));
                self.skip_past(delimiters.segment)?;
                return self.locate_again();
            }
            if !self.fill()? && scan::end_of_binary(self.unread(), searched, delimiters, true).is_none() {
                let (from, to) = (self.start, self.end);
                return Ok(Some(Extent { from, to, next: to, binary_data: Some(header.data) }));
            }
        }
    }

    /// After an over-long binary segment: the caller looks for an ordinary one at the new place.
    fn locate_again(&mut self) -> Result<Option<Extent>, ReadError> {
        self.skip_space()?;
        Ok(None)
    }

    /// Drops bytes up to and including the next `terminator`.
    fn skip_past(&mut self, terminator: u8) -> Result<(), ReadError> {
        loop {
            if let Some(at) = self.unread().iter().position(|byte| *byte == terminator) {
                self.start += at + 1;
                return Ok(());
            }
            self.start = self.end;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Drops white space before a segment. `false` at the end of the file.
    fn skip_space(&mut self) -> Result<bool, ReadError> {
        loop {
            let unread = self.unread();
            let space = unread.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0).count();
            let more = space < unread.len();
            if unread.iter().take(space).any(|byte| matches!(*byte, b' ' | b'\t')) {
                let offset = self.base.saturating_add(self.start as u64);
                Self::once(&mut self.said, &mut self.findings, Oddity::Indented, self.number + 1, offset);
            }
            self.start += space;
            if more {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    fn once(said: &mut u64, findings: &mut Findings, oddity: Oddity, number: u64, offset: u64) {
        let bit = 1u64 << (oddity as u32 % 64);
        if *said & bit == 0 {
            *said |= bit;
            findings.push(oddity.at(number, offset));
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// Tries to have at least `count` unread bytes.
    fn want(&mut self, count: usize) -> Result<(), ReadError> {
        while self.end - self.start < count && self.fill()? {}
        Ok(())
    }

    /// Reads more. `false` at the end of the source.
    fn fill(&mut self) -> Result<bool, ReadError> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base = self.base.saturating_add(self.start as u64);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        loop {
            let Some(room) = self.buffer.get_mut(self.end..) else { return Ok(false) };
            match self.source.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end = (self.end + count).min(self.buffer.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }
}
