//! Bytes out: values checked against the separators and the character set.

use super::{Charset, Element, WriteError, WriteReason};
use crate::delimiters::Delimiters;

/// Writes segments with one set of separators and one character set.
pub(super) struct Sink {
    pub(super) bytes: Vec<u8>,
    pub(super) delimiters: Delimiters,
    pub(super) charset: Charset,
}

impl Sink {
    pub(super) fn value(&mut self, text: &str) -> Result<(), WriteReason> {
        for c in text.chars() {
            if c.is_control() {
                return Err(WriteReason::HoldsControl);
            }
            if u8::try_from(c).is_ok_and(|byte| c.is_ascii() && self.delimiters.contains(byte)) {
                return Err(WriteReason::HoldsSeparator);
            }
            if !self.charset.allows(c) {
                return Err(WriteReason::OutsideCharset);
            }
        }
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(super) fn end_segment(&mut self) {
        self.bytes.push(self.delimiters.segment);
        if self.delimiters.newline_after {
            self.bytes.push(b'\n');
        }
    }

    /// Writes a whole segment of simple values, or leaves the bytes as they were.
    pub(super) fn segment(&mut self, id: &str, position: u32, elements: &[Element<'_>]) -> Result<(), WriteError> {
        self.build(id, position, elements.len(), |at, out| {
            at.checked_sub(1).and_then(|at| elements.get(at)).map_or(Ok(()), |element| out.element(element))
        })
    }

    /// Writes a segment whose last element is binary data, or leaves the bytes as they were.
    pub(super) fn binary(
        &mut self,
        id: &str,
        position: u32,
        before: &[Element<'_>],
        data: &[u8],
    ) -> Result<(), WriteError> {
        let start = self.bytes.len();
        self.segment(id, position, before)?;
        // The end of the segment moves behind the data.
        let end = self.bytes.get(start..).unwrap_or(&[]).iter().rposition(|byte| *byte == self.delimiters.segment);
        self.bytes.truncate(start + end.unwrap_or_default());
        self.bytes.push(self.delimiters.element);
        self.bytes.extend_from_slice(data);
        self.end_segment();
        Ok(())
    }

    /// Writes a whole segment, its elements given one by one, or leaves the bytes as they were.
    pub(super) fn build(
        &mut self,
        id: &str,
        position: u32,
        elements: usize,
        mut write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteError> {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(id.as_bytes());
        let mut refused_at = 0;
        let separator = self.delimiters.element;
        let written = ElementWriter { sink: self }.parts(elements, separator, |at, out| {
            refused_at = at + 1;
            // The separator stands before the first element too: the identifier is before it.
            write(at + 1, out)
        });
        if let Err(reason) = written {
            self.bytes.truncate(before);
            return Err(WriteError::new(id, position, refused_at, reason));
        }
        self.end_segment();
        Ok(())
    }
}

/// Writes what stands in one element.
pub struct ElementWriter<'w> {
    sink: &'w mut Sink,
}

impl ElementWriter<'_> {
    /// A simple value, or one component.
    ///
    /// # Errors
    /// The value holds a separator, a control character, or a character outside the agreed set.
    pub fn value(&mut self, text: &str) -> Result<(), WriteReason> {
        self.sink.value(text)
    }

    /// A composite of up to `count` components, each written by `write`, which is told its place from 0. Empty ones at
    /// the end are left out.
    ///
    /// # Errors
    /// What `write` refuses.
    pub fn composite(
        &mut self,
        count: usize,
        write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteReason> {
        let separator = self.sink.delimiters.component;
        self.between(count, separator, write)
    }

    /// Up to `count` repeats of one element, each written by `write`, which is told its place from 0.
    ///
    /// # Errors
    /// What `write` refuses; several repeats where the interchange has no separator for them.
    pub fn repeats(
        &mut self,
        count: usize,
        write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteReason> {
        let separator = match self.sink.delimiters.repetition {
            Some(separator) => separator,
            None if count <= 1 => self.sink.delimiters.component,
            None => return Err(WriteReason::NoRepetition),
        };
        self.between(count, separator, write)
    }

    fn element(&mut self, element: &Element<'_>) -> Result<(), WriteReason> {
        let values = |parts: &[&str], out: &mut ElementWriter<'_>| {
            out.composite(parts.len(), |at, out| parts.get(at).map_or(Ok(()), |part| out.value(part)))
        };
        match element {
            Element::Text(text) => self.value(text),
            Element::Composite(parts) => values(parts, self),
            Element::Repeats(repeats) => {
                self.repeats(repeats.len(), |at, out| repeats.get(at).map_or(Ok(()), |repeat| out.value(repeat)))
            }
            Element::RepeatedComposites(repeats) => {
                self.repeats(repeats.len(), |at, out| repeats.get(at).map_or(Ok(()), |repeat| values(repeat, out)))
            }
        }
    }

    /// Parts with a separator between them.
    fn between(
        &mut self,
        count: usize,
        separator: u8,
        mut write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteReason> {
        if count == 0 {
            return Ok(());
        }
        write(0, self)?;
        self.parts(count - 1, separator, |at, out| write(at + 1, out))
    }

    /// Parts with a separator before each; the empty ones at the end are taken off.
    fn parts(
        &mut self,
        count: usize,
        separator: u8,
        mut write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteReason> {
        let mut end = self.sink.bytes.len();
        for at in 0..count {
            self.sink.bytes.push(separator);
            let start = self.sink.bytes.len();
            write(at, self)?;
            if self.sink.bytes.len() > start {
                end = self.sink.bytes.len();
            }
        }
        self.sink.bytes.truncate(end);
        Ok(())
    }
}
