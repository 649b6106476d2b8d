//! One segment, borrowed from the reader's buffer or from a [`Block`](super::Block).

use std::borrow::Cow;

use crate::delimiters::Delimiters;

/// A segment in the reader's buffer or in a block. Elements are counted from 1, as X12 does; an element that is not there is empty.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offsets of the element separators in what `bytes` is a part of …
    pub(crate) marks: &'a [u32],
    /// … in which `bytes` begins here.
    pub(crate) base: u32,
    pub(crate) delimiters: Delimiters,
    /// Place in the file, from 1.
    pub number: u64,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Place in its transaction set, ST being 1; 0 outside one.
    pub position: u32,
}

impl<'a> Segment<'a> {
    /// The identifier: `EB`. Empty where the bytes are not text.
    pub fn id(&self) -> &'a str {
        std::str::from_utf8(self.id_bytes()).unwrap_or("")
    }

    /// Whether it has this identifier.
    #[inline]
    pub fn is(&self, id: &str) -> bool {
        self.id_bytes() == id.as_bytes()
    }

    /// Whether the first component of an element is one of these codes.
    #[inline]
    pub fn has(&self, element: usize, codes: &[&str]) -> bool {
        let raw = self.raw(element);
        let ends = |byte: &u8| *byte == self.delimiters.component || Some(*byte) == self.delimiters.repetition;
        let first = raw.get(..raw.iter().position(ends).unwrap_or(raw.len())).unwrap_or(raw).trim_ascii();
        codes.iter().any(|code| code.as_bytes() == first)
    }

    /// The identifier's bytes as they stand.
    #[inline]
    pub(crate) fn id_bytes(&self) -> &'a [u8] {
        let end = self.mark(0).unwrap_or(self.bytes.len());
        trim(self.bytes.get(..end).unwrap_or(&[]))
    }

    /// How many elements there are, the identifier not counted.
    #[inline]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is nothing but the identifier.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The bytes of one element, exactly as they stand; empty where it is not there.
    #[inline]
    pub fn raw(&self, element: usize) -> &'a [u8] {
        let Some(start) = element.checked_sub(1).and_then(|before| self.mark(before)) else { return &[] };
        let end = self.mark(element).unwrap_or(self.bytes.len());
        self.bytes.get(start + 1..end).unwrap_or(&[])
    }

    /// The bytes of all elements in order, exactly as they stand.
    #[inline]
    pub fn elements(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let (bytes, base) = (self.bytes, self.base);
        let place = move |mark: &u32| mark.wrapping_sub(base) as usize;
        self.marks.iter().enumerate().map({
            let marks = self.marks;
            move |(at, mark)| {
                let end = marks.get(at + 1).map_or(bytes.len(), place);
                bytes.get(place(mark) + 1..end).unwrap_or(&[])
            }
        })
    }

    /// Where the element separator with this index stands in `bytes`.
    #[inline]
    fn mark(&self, index: usize) -> Option<usize> {
        self.marks.get(index).map(|mark| mark.wrapping_sub(self.base) as usize)
    }

    /// One element as text without surrounding white space. Bytes that are not UTF-8 are shown as replacement
    /// characters.
    #[inline]
    pub fn text(&self, element: usize) -> Cow<'a, str> {
        trimmed(self.raw(element))
    }

    /// One element as an owned text, where it is there and not blank.
    pub fn some(&self, element: usize) -> Option<String> {
        Some(self.text(element)).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// The repeats of one element. Without a repetition separator there is one.
    pub fn repeats(&self, element: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.delimiters.repetition;
        self.raw(element).split(move |byte| Some(*byte) == separator)
    }

    /// The components of (one repeat of) an element.
    pub fn components(&self, part: &'a [u8]) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let separator = self.delimiters.component;
        part.split(move |byte| *byte == separator).map(trimmed)
    }

    /// One component of an element, from 1; empty where it is not there.
    pub fn component(&self, element: usize, component: usize) -> Cow<'a, str> {
        component
            .checked_sub(1)
            .and_then(|skip| self.components(self.raw(element)).nth(skip))
            .unwrap_or(Cow::Borrowed(""))
    }

    /// The whole segment as it stands, without its terminator.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The separators in force.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }
}

/// White space around a value is padding.
#[inline]
fn trimmed(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = trim(bytes);
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Most values have nothing to trim: their ends are looked at first.
#[inline]
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    match bytes {
        [] => bytes,
        [first, .., last] if *first > b' ' && *last > b' ' => bytes,
        _ => bytes.trim_ascii(),
    }
}

// Segments hold patients' data: only their shape is shown.
impl std::fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment(number {}, {} elements)", self.number, self.len())
    }
}
