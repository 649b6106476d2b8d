//! One segment, borrowed from the reader's buffer or from a [`Block`](super::Block).

use std::borrow::Cow;

use crate::delimiters::Delimiters;

/// An identifier of at most three characters in one word: comparing two is comparing numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Id(u32);

impl Id {
    /// What every longer (or empty) identifier is: they are compared by their bytes.
    const OTHER: Self = Self(0);

    /// The word of an identifier.
    #[inline(always)]
    pub(crate) const fn of(id: &[u8]) -> Self {
        match *id {
            [one] => Self(u32::from_le_bytes([one, 0, 0, 1])),
            [one, two] => Self(u32::from_le_bytes([one, two, 0, 2])),
            [one, two, three] => Self(u32::from_le_bytes([one, two, three, 3])),
            _ => Self::OTHER,
        }
    }

    /// The word of the first two, or else all three, of these characters.
    #[inline(always)]
    pub(super) fn of_first(&[one, two, three]: &[u8; 3], short: bool) -> Self {
        Self(if short { u32::from_le_bytes([one, two, 0, 2]) } else { u32::from_le_bytes([one, two, three, 3]) })
    }
}

/// The bytes of an element or component, as text where they are known to be UTF-8.
#[derive(Clone, Copy)]
pub enum Raw<'a> {
    /// Known to be UTF-8.
    Text(&'a str),
    /// Any bytes.
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    /// The bytes as they stand.
    #[inline(always)]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.bytes().is_empty()
    }

    /// Without surrounding white space. Bytes that are not UTF-8 are shown as replacement characters.
    #[inline(always)]
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(trim_text(text)),
            Self::Bytes(bytes) => trimmed(bytes),
        }
    }

    /// The parts between separators: one where there is no separator.
    #[inline]
    pub(crate) fn split(self, separator: u8) -> impl Iterator<Item = Self> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let whole = rest?;
            let Some(at) = whole.bytes().iter().position(|byte| *byte == separator) else { return rest.take() };
            rest = Some(whole.slice(at + 1, whole.bytes().len()));
            Some(whole.slice(0, at))
        })
    }

    /// The repeats of an element. Without a repetition separator there is one.
    #[inline]
    pub(crate) fn repeats(self, delimiters: Delimiters) -> impl Iterator<Item = Self> {
        let separator = delimiters.repetition;
        separator
            .into_iter()
            .flat_map(move |separator| self.split(separator))
            .chain(separator.is_none().then_some(self))
    }

    /// A part of it. A cut inside a character makes it bytes.
    #[inline(always)]
    pub(super) fn slice(self, from: usize, to: usize) -> Self {
        if let Self::Text(text) = self
            && let Some(part) = text.get(from..to)
        {
            return Self::Text(part);
        }
        Self::Bytes(self.bytes().get(from..to).unwrap_or(&[]))
    }
}

/// A segment in the reader's buffer or in a block. Elements are counted from 1, as X12 does; an element that is not there is empty.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(crate) bytes: Raw<'a>,
    /// Offsets of the element separators in what `bytes` is a part of …
    pub(crate) marks: &'a [u32],
    /// … in which `bytes` begins here.
    pub(crate) base: u32,
    pub(crate) id: Id,
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
    #[inline(always)]
    pub fn is(&self, id: &str) -> bool {
        match Id::of(id.as_bytes()) {
            Id::OTHER => self.id_bytes() == id.as_bytes(),
            id => self.id == id,
        }
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
        let bytes = self.bytes.bytes();
        let end = self.mark(0).unwrap_or(bytes.len());
        trim(bytes.get(..end).unwrap_or(&[]))
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
        self.value(element).bytes()
    }

    /// The same, as text where it is known to be text.
    #[inline(always)]
    pub(crate) fn value(&self, element: usize) -> Raw<'a> {
        let Some(start) = element.checked_sub(1).and_then(|before| self.mark(before)) else { return Raw::Text("") };
        let end = self.mark(element).unwrap_or(self.bytes.bytes().len());
        self.bytes.slice(start + 1, end)
    }

    /// The bytes of all elements in order, exactly as they stand.
    #[inline]
    pub fn elements(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let (bytes, base) = (self.bytes.bytes(), self.base);
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
        self.value(element).text()
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
        self.bytes.bytes()
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
fn trim_text(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => text.trim_ascii(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, Reader};

    #[test]
    fn identifiers_are_the_same_only_where_all_their_bytes_are() {
        let words = [&b"E"[..], b"EB", b"EB\0", b"EBX", b"BE"].map(Id::of);
        assert!(words.iter().enumerate().all(|(at, word)| words.iter().position(|other| other == word) == Some(at)));
        assert_eq!(Id::of_first(b"EB*", true), Id::of(b"EB"));
        let mut reader = Reader::new(&b"ST*271*0001~EBXY*1~ EB *2~"[..]);
        let mut next = || reader.next_segment().unwrap().map(|segment| (segment.is("EBXY"), segment.is("EB")));
        assert_eq!([next(), next(), next()], [Some((false, false)), Some((true, false)), Some((false, true))]);
    }

    #[test]
    fn text_stays_text_and_bytes_stay_bytes() {
        let shown = |file: &[u8]| {
            let mut reader = Reader::new(file);
            let mut block = Block::new();
            while let Some(segment) = reader.next_segment().unwrap() {
                block.push(&segment, 1);
            }
            let segment = block.segment_in(block.raw(), 1).unwrap();
            (matches!(segment.value(1), Raw::Text(_)), segment.text(1).into_owned(), segment.text(2).into_owned())
        };
        assert_eq!(shown("ST*835*0001~N1*\u{e9} * PR ~".as_bytes()), (true, "\u{e9}".into(), "PR".into()));
        assert_eq!(shown(b"ST*835*0001~N1*\xe9 * PR ~"), (false, "\u{fffd}".into(), "PR".into()));
        // A separator that is the second byte of a character: what is cut in two is no text.
        let odd = Raw::Text("a\u{e9}b").split(0xa9).map(|part| part.bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(odd, [&b"a\xc3"[..], b"b"]);
    }
}
