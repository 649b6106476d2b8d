//! The byte searches the reader is made of. Pure functions over slices.

use std::ops::Range;

use crate::delimiters::{self, Delimiters, Detected};

/// Whether a segment begins with `length` (two or three) capital letters and digits, a letter first, and with none of
/// the letters that those begin with that the reader treats by itself (ISA, IEA, BIN, BDS). Without branches.
#[inline(always)]
pub(super) fn plain_id(&[first, second, third]: &[u8; 3], length: usize) -> bool {
    let class = |byte: u8| CLASSES[usize::from(byte)];
    let short = length == 2;
    let long = (length == 3) & (class(third) != 0);
    (class(first) == CAPITAL) & (class(second) != 0) & (short | long)
}

const CAPITAL: u8 = 2;
/// 2 for capital letters other than B and I, 1 for these and for digits.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'B' | b'I' | b'0'..=b'9' => 1,
            b'A'..=b'Z' => CAPITAL,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether `bytes` begin with a segment identifier (a letter and one or two letters or digits) and its separator, or
/// are nothing but an identifier. Small letters after the first are taken for one too, unless `strict`.
pub(super) fn starts_with_id(bytes: &[u8], element: u8, strict: bool) -> bool {
    let small = |byte: &u8| !strict && byte.is_ascii_lowercase();
    let fits = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || small(byte);
    let length = bytes.iter().take(4).take_while(|byte| fits(byte)).count();
    (2..=3).contains(&length)
        && bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.get(length).is_none_or(|byte| *byte == element)
}

/// How many bytes of junk stand before the identifier, where junk ends in a line break.
pub(super) fn junk_before_id(bytes: &[u8], element: u8) -> Option<usize> {
    if starts_with_id(bytes, element, false) {
        return None;
    }
    let head = bytes.iter().position(|byte| *byte == element)?;
    let line = bytes.get(..head)?.iter().rposition(|byte| matches!(*byte, b'\n' | b'\r'))? + 1;
    starts_with_id(bytes.get(line..)?, element, false).then_some(line)
}

/// The first ISA whose separators make sense, of those that begin in `starts`.
pub(crate) fn find_isa(bytes: &[u8], starts: Range<usize>) -> Option<(usize, Detected)> {
    let end = starts.end.saturating_add(b"ISA".len() - 1).min(bytes.len());
    let mut places = places(bytes.get(starts.start..end)?, b"ISA").map(|at| starts.start + at);
    places.find_map(|at| Some((at, delimiters::from_isa(bytes.get(at..)?)?)))
}

/// Whether something looks like an ISA, though its separators do not.
pub(super) fn has_isa(bytes: &[u8]) -> bool {
    places(bytes, b"ISA").any(|at| bytes.get(at + 3).is_some_and(u8::is_ascii_punctuation))
}

/// The first GS or ST at the start of a line.
pub(super) fn find_first_segment(bytes: &[u8]) -> Option<(usize, Delimiters)> {
    let starts =
        std::iter::once(0).chain(bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
    starts.into_iter().find_map(|at| Some((at, delimiters::from_first_segment(bytes.get(at..)?)?)))
}

fn places<'a>(bytes: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(word.len()).enumerate().filter(move |(_, window)| *window == word).map(|(at, _)| at)
}

/// Where the data of a BIN or BDS segment begins, and how long it says it is.
pub(super) struct BinaryHeader {
    pub(super) data: usize,
    pub(super) length: Option<usize>,
}

/// Reads the start of a BIN (length, data) or BDS (filter, length, data) segment.
pub(super) fn binary_header(bytes: &[u8], delimiters: Delimiters) -> Option<BinaryHeader> {
    let element = delimiters.element;
    let skip = if bytes.starts_with(b"BIN") {
        1
    } else if bytes.starts_with(b"BDS") {
        2
    } else {
        return None;
    };
    if bytes.get(3) != Some(&element) {
        return None;
    }
    let head = bytes.get(..bytes.len().min(64))?;
    let mut marks = head.iter().enumerate().filter(|(_, byte)| **byte == element).map(|(at, _)| at);
    let before = marks.by_ref().nth(skip - 1)?;
    let data = marks.next()? + 1;
    if head.get(..data)?.contains(&delimiters.segment) {
        return None; // it ends before its data begins
    }
    let length = std::str::from_utf8(head.get(before + 1..data - 1)?).ok().and_then(|text| text.trim().parse().ok());
    Some(BinaryHeader { data, length })
}

/// Where binary data of a wrong declared length ends: at a terminator that another segment follows.
pub(super) fn end_of_binary(bytes: &[u8], from: usize, delimiters: Delimiters, at_end: bool) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().enumerate().filter(|(_, byte)| **byte == delimiters.segment).map(|(at, _)| from + at).find(|at| {
        let after = bytes.get(at + 1..).unwrap_or(&[]).trim_ascii_start();
        if after.is_empty() {
            return at_end;
        }
        let whole = after.len() > 3 || at_end;
        whole && starts_with_id(after, delimiters.element, false)
    })
}
