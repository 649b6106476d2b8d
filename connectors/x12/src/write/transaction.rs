//! One transaction set, ST to SE.

use super::sink::{ElementWriter, Sink};
use super::{Charset, Element, WriteError, WriteReason, is_id};
use crate::delimiters::Delimiters;
use crate::read::MAX_BINARY_BYTES;

/// Writes one transaction set, ST to SE. Hand it to [`Envelope::wrap`](super::Envelope::wrap) when its segments are in.
pub struct TransactionWriter {
    sink: Sink,
    id: String,
    control: String,
    count: u32,
}

impl TransactionWriter {
    /// Begins a transaction set: `id` ST01 (`271`), `control` ST02 (4 to 9 characters), `implementation` ST03
    /// (`005010X279A1`; left out in 004010). Values may hold any printable ASCII character.
    ///
    /// # Errors
    /// [`WriteReason::Separators`], or a value of ST cannot be carried.
    pub fn new(
        delimiters: &Delimiters,
        id: &str,
        control: &str,
        implementation: Option<&str>,
    ) -> Result<Self, WriteError> {
        Self::with_charset(delimiters, Charset::Extended, id, control, implementation)
    }

    /// The same with another character set.
    ///
    /// # Errors
    /// See [`TransactionWriter::new`].
    pub fn with_charset(
        delimiters: &Delimiters,
        charset: Charset,
        id: &str,
        control: &str,
        implementation: Option<&str>,
    ) -> Result<Self, WriteError> {
        if !delimiters.usable() {
            return Err(WriteError::new("ST", 1, 0, WriteReason::Separators));
        }
        if id.len() != 3 {
            return Err(WriteError::new("ST", 1, 1, WriteReason::Length));
        }
        if control.is_empty() || control.len() > 9 {
            return Err(WriteError::new("ST", 1, 2, WriteReason::Length));
        }
        let mut sink = Sink { bytes: Vec::with_capacity(1024), delimiters: *delimiters, charset };
        sink.segment("ST", 1, &[id.into(), control.into(), implementation.unwrap_or_default().into()])?;
        Ok(Self { sink, id: id.to_owned(), control: control.to_owned(), count: 1 })
    }

    /// Adds a segment of simple values. An empty value means "not given".
    ///
    /// # Errors
    /// A value that cannot be carried; nothing of the segment is written then.
    pub fn segment(&mut self, id: &str, values: &[&str]) -> Result<&mut Self, WriteError> {
        let elements: Vec<Element<'_>> = values.iter().map(|value| Element::Text(value)).collect();
        self.elements(id, &elements)
    }

    /// Adds a segment with composites or repeats.
    ///
    /// # Errors
    /// A value that cannot be carried; nothing of the segment is written then.
    pub fn elements(&mut self, id: &str, elements: &[Element<'_>]) -> Result<&mut Self, WriteError> {
        let position = self.next(id)?;
        self.sink.segment(id, position, elements)?;
        self.count = position;
        Ok(self)
    }

    /// Adds a segment whose elements `write` gives one by one: it is told their number, from 1 to `elements`.
    ///
    /// # Errors
    /// A value that cannot be carried; nothing of the segment is written then.
    pub fn build(
        &mut self,
        id: &str,
        elements: usize,
        write: impl FnMut(usize, &mut ElementWriter<'_>) -> Result<(), WriteReason>,
    ) -> Result<(), WriteError> {
        let position = self.next(id)?;
        self.sink.build(id, position, elements, write)?;
        self.count = position;
        Ok(())
    }

    /// Adds binary data: a BIN, or with `filter` (BDS01: how the bytes are written) a BDS. Any bytes may stand in it, and
    /// they are written as they are, behind their length.
    ///
    /// # Errors
    /// More than [`MAX_BINARY_BYTES`]; a filter that cannot be carried. Nothing of the segment is written then.
    pub fn binary(&mut self, filter: Option<&str>, data: &[u8]) -> Result<(), WriteError> {
        let id = if filter.is_some() { "BDS" } else { "BIN" };
        let position = self.position(id)?;
        let length = if filter.is_some() { 2 } else { 1 };
        if data.len() > MAX_BINARY_BYTES {
            return Err(WriteError::new(id, position, length + 1, WriteReason::Length));
        }
        let told = data.len().to_string();
        let head = [filter.unwrap_or_default().into(), Element::Text(&told)];
        self.sink.binary(id, position, head.get(2 - length..).unwrap_or(&head), data)?;
        self.count = position;
        Ok(())
    }

    /// The place of the next segment.
    fn position(&self, id: &str) -> Result<u32, WriteError> {
        self.count.checked_add(1).ok_or_else(|| WriteError::new(id, 0, 0, WriteReason::TooMany))
    }

    /// The place of the next segment, if it may be written.
    fn next(&self, id: &str) -> Result<u32, WriteError> {
        let position = self.position(id)?;
        let ours = matches!(id, "ISA" | "GS" | "ST" | "SE" | "GE" | "IEA" | "BIN" | "BDS");
        if ours || !is_id(id) {
            return Err(WriteError::new(id, position, 0, WriteReason::SegmentId));
        }
        Ok(position)
    }

    /// ST01.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many segments there are so far, ST included.
    pub fn segments(&self) -> u32 {
        self.count
    }

    /// The separators in use.
    pub fn delimiters(&self) -> Delimiters {
        self.sink.delimiters
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, WriteError> {
        let count = self.count.saturating_add(1);
        self.sink.segment("SE", count, &[(&count.to_string()).into(), (&self.control).into()])?;
        Ok(self.sink.bytes)
    }
}
