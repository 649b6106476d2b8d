//! One segment, borrowed from the reader's buffer or kept.

use std::borrow::Cow;

use crate::delimiters::Delimiters;

/// A segment in the reader's buffer. Elements are counted from 1, as X12 does; an element that is not there is empty.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offsets of the element separators in `bytes`.
    pub(crate) marks: &'a [u32],
    pub(crate) delimiters: Delimiters,
    /// Place in the file, from 1.
    pub number: u64,
    /// Offset in the file, bytes.
    pub offset: u64,
}

impl<'a> Segment<'a> {
    /// The identifier: `EB`. Empty where the bytes are not text.
    pub fn id(&self) -> &'a str {
        let end = self.marks.first().map_or(self.bytes.len(), |at| *at as usize);
        self.bytes.get(..end).and_then(|id| std::str::from_utf8(id).ok()).map_or("", str::trim)
    }

    /// How many elements there are, the identifier not counted.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is nothing but the identifier.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The bytes of one element, exactly as they stand; empty where it is not there.
    pub fn raw(&self, element: usize) -> &'a [u8] {
        let Some(start) = element.checked_sub(1).and_then(|before| self.marks.get(before)) else { return &[] };
        let end = self.marks.get(element).map_or(self.bytes.len(), |at| *at as usize);
        self.bytes.get(*start as usize + 1..end).unwrap_or(&[])
    }

    /// One element as text without surrounding white space. Bytes that are not UTF-8 are shown as replacement
    /// characters.
    pub fn text(&self, element: usize) -> Cow<'a, str> {
        trimmed(self.raw(element))
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

    /// A copy that outlives the buffer. `position` is the place in its transaction set.
    pub fn keep(&self, position: u32) -> Kept {
        Kept {
            bytes: self.bytes.into(),
            marks: self.marks.into(),
            delimiters: self.delimiters,
            number: self.number,
            offset: self.offset,
            position,
        }
    }
}

/// White space around a value is padding.
fn trimmed(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.trim_ascii())
}

/// A segment that was copied out of the buffer.
#[derive(Clone)]
pub struct Kept {
    bytes: Box<[u8]>,
    marks: Box<[u32]>,
    delimiters: Delimiters,
    number: u64,
    offset: u64,
    /// Place in its transaction set, ST being 1.
    pub position: u32,
}

impl Kept {
    /// The segment.
    pub fn get(&self) -> Segment<'_> {
        Segment {
            bytes: &self.bytes,
            marks: &self.marks,
            delimiters: self.delimiters,
            number: self.number,
            offset: self.offset,
        }
    }

    /// The identifier.
    pub fn id(&self) -> &str {
        self.get().id()
    }

    /// One element as text without surrounding white space.
    pub fn text(&self, element: usize) -> Cow<'_, str> {
        self.get().text(element)
    }

    /// One element as an owned text, where it is there and not blank.
    pub fn some(&self, element: usize) -> Option<String> {
        Some(self.text(element)).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }
}

// Segments hold patients' data: only their shape is shown.
impl std::fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment(number {}, {} elements)", self.number, self.len())
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept(position {}, {} elements)", self.position, self.marks.len())
    }
}
