//! Many segments kept in one place: three vectors, however many segments there are.

use super::{Id, Raw, Segment};
use crate::delimiters::Delimiters;

/// Segments one block holds.
pub const MAX_BLOCK_SEGMENTS: usize = 500_000;
/// Bytes of segments one block holds.
pub const MAX_BLOCK_BYTES: usize = 128 << 20;

/// Segments of a transaction set, or of a part of it, copied out of the reader's buffer.
///
/// Keeping a segment copies its bytes and its marks into shared vectors and allocates nothing of its own;
/// [`Block::clear`] keeps the capacity, so that one block serves loop after loop.
#[derive(Clone, Default)]
pub struct Block {
    bytes: Vec<u8>,
    /// Offsets of the element separators, as they stood where the segments came from.
    marks: Vec<u32>,
    entries: Vec<Entry>,
}

/// One segment of a block.
#[derive(Clone, Copy)]
struct Entry {
    bytes: [u32; 2],
    marks: [u32; 2],
    /// Where the segment began in what its marks count from.
    base: u32,
    id: Id,
    position: u32,
    delimiters: Delimiters,
    number: u64,
    offset: u64,
}

impl Block {
    /// An empty block. Nothing is allocated yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A block of one segment, at its own position.
    pub fn of(segment: &Segment<'_>) -> Self {
        let mut block = Self::default();
        block.push(segment, segment.position);
        block
    }

    /// Copies a segment to the end; `position` is its place in its transaction set, ST being 1, and 0 outside one.
    /// `false`, and nothing is kept, where the block is full ([`MAX_BLOCK_SEGMENTS`], [`MAX_BLOCK_BYTES`]).
    pub fn push(&mut self, segment: &Segment<'_>, position: u32) -> bool {
        let (bytes, marks) = (self.bytes.len(), self.marks.len());
        let bytes_end = bytes.saturating_add(segment.bytes().len());
        let marks_end = marks.saturating_add(segment.marks.len());
        if self.entries.len() >= MAX_BLOCK_SEGMENTS || bytes_end.max(marks_end) > MAX_BLOCK_BYTES {
            return false;
        }
        self.bytes.extend_from_slice(segment.bytes());
        self.marks.extend_from_slice(segment.marks);
        // The limits fit into 32 bits.
        self.entries.push(Entry {
            bytes: [bytes as u32, bytes_end as u32],
            marks: [marks as u32, marks_end as u32],
            base: segment.base,
            id: segment.id,
            position,
            delimiters: segment.delimiters,
            number: segment.number,
            offset: segment.offset,
        });
        true
    }

    /// The segment at an index from 0; `None` where there is none.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Segment<'_>> {
        self.segment_in(Raw::Bytes(&self.bytes), index)
    }

    /// The bytes of all segments, as text where all of them are UTF-8: looked at once, not element by element.
    pub(crate) fn raw(&self) -> Raw<'_> {
        std::str::from_utf8(&self.bytes).map_or(Raw::Bytes(&self.bytes), Raw::Text)
    }

    /// The segment at an index, cut out of the bytes of this block ([`Self::raw`]).
    #[inline]
    pub(crate) fn segment_in<'a>(&'a self, bytes: Raw<'a>, index: usize) -> Option<Segment<'a>> {
        let entry = self.entries.get(index)?;
        let [from, to] = entry.bytes.map(|at| at as usize);
        let [first, last] = entry.marks.map(|at| at as usize);
        Some(Segment {
            bytes: bytes.slice(from, to),
            marks: self.marks.get(first..last)?,
            base: entry.base,
            id: entry.id,
            delimiters: entry.delimiters,
            number: entry.number,
            offset: entry.offset,
            position: entry.position,
        })
    }

    /// The first segment.
    pub fn first(&self) -> Option<Segment<'_>> {
        self.get(0)
    }

    /// The last segment.
    pub fn last(&self) -> Option<Segment<'_>> {
        self.entries.len().checked_sub(1).and_then(|last| self.get(last))
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no segment.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes its segments have, terminators not counted.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Drops all segments and keeps the room they took.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
        self.entries.clear();
    }

    /// The segments in order.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// The segments in order from an index on.
    pub fn iter_from(&self, index: usize) -> Iter<'_> {
        Iter { block: self, next: index.min(self.len()) }
    }
}

impl<'a> IntoIterator for &'a Block {
    type Item = Segment<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The segments of a [`Block`].
#[derive(Clone)]
pub struct Iter<'a> {
    block: &'a Block,
    next: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let segment = self.block.get(self.next)?;
        self.next += 1;
        Some(segment)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.block.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

// Segments hold patients' data: only their shape is shown.
impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Block({} segments, {} bytes)", self.len(), self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    const FILE: &[u8] = b"ST*271*0001~EB*1**30^33~MSG~SE*4*0001~";

    fn block() -> Block {
        let mut block = Block::new();
        let mut reader = Reader::new(FILE);
        while let Some(segment) = reader.next_segment().unwrap() {
            let position = block.len() as u32 + 1;
            assert!(block.push(&segment, position));
        }
        block
    }

    #[test]
    fn segments_come_out_as_they_went_in() {
        let mut block = block();
        assert_eq!(block.iter().map(|segment| segment.id()).collect::<Vec<_>>(), ["ST", "EB", "MSG", "SE"]);
        let eb = block.get(1).unwrap();
        assert_eq!((eb.len(), eb.raw(1), eb.raw(2), eb.raw(3)), (3, &b"1"[..], &b""[..], &b"30^33"[..]));
        assert_eq!(eb.elements().collect::<Vec<_>>(), [&b"1"[..], b"", b"30^33"]);
        assert_eq!((eb.position, eb.number, eb.offset), (2, 2, 12));
        assert_eq!(eb.bytes(), b"EB*1**30^33");
        assert!(block.get(2).unwrap().is_empty());
        assert_eq!(block.last().unwrap().text(2), "0001");
        assert_eq!(block.iter_from(3).len(), 1);
        // A block pushed into another keeps everything.
        let mut other = Block::of(&block.get(3).unwrap());
        assert!(other.push(&block.get(1).unwrap(), 9));
        assert_eq!((other.get(1).unwrap().text(3).as_ref(), other.get(1).unwrap().position), ("30^33", 9));
        block.clear();
        assert!(block.is_empty() && block.get(0).is_none() && block.last().is_none());
    }

    #[test]
    fn a_full_block_keeps_no_more() {
        let one = block();
        let st = one.first().unwrap();
        let mut full = Block::new();
        while full.push(&st, 1) {}
        assert_eq!(full.len(), MAX_BLOCK_SEGMENTS);
        assert_eq!(format!("{full:?}"), "Block(500000 segments, 5500000 bytes)");
    }
}
