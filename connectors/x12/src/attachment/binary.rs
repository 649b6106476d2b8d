//! BIN and BDS: the bytes of a document, any bytes at all.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::base64;
use crate::model::{At, Levels, SegmentModel, Text, Value, segment_node};
use crate::read::{MAX_BINARY_BYTES, Segment};
use crate::write::{TransactionWriter, WriteError};

/// Longest document that is written, bytes: what the reader takes, too.
pub const MAX_DOCUMENT_BYTES: usize = MAX_BINARY_BYTES;

/// BIN (length, bytes) or BDS (filter, length, bytes). The length is written from the bytes; what was read of it is kept
/// for those who want to compare, and is not part of equality.
#[derive(Clone, Default)]
pub struct Binary<'a> {
    /// Where it stood.
    pub at: At,
    /// BDS01: how the bytes are written: `B64` base64, `ASC` as they are, `HEX` … With it the segment is a BDS, without
    /// it a BIN.
    pub filter: Text<'a>,
    /// The length that was told (BIN01, BDS02); `None` where it is no number.
    pub told: Option<u64>,
    /// The bytes.
    pub data: Cow<'a, [u8]>,
}

impl Binary<'_> {
    /// Whether the length that was told is the real one. `true` for one that was not read.
    pub fn length_fits(&self) -> bool {
        self.at.nowhere() || self.told == u64::try_from(self.data.len()).ok()
    }
}

impl PartialEq for Binary<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.data == other.data
    }
}

impl<'a> SegmentModel<'a> for Binary<'a> {
    type Static = Binary<'static>;

    const ID: &'static str = "BIN";

    fn is(segment: &Segment<'_>) -> bool {
        segment.is("BIN") || segment.is("BDS")
    }

    fn read(segment: &Segment<'a>) -> Self {
        let (filter, length) = if segment.is("BDS") { (segment.text(1), 2) } else { (Text::default(), 1) };
        Self {
            at: At(segment.position),
            filter,
            told: segment.text(length).parse().ok(),
            data: Cow::Borrowed(segment.raw(length + 1)),
        }
    }

    fn write(&self, tx: &mut TransactionWriter, _: &Levels) -> Result<(), WriteError> {
        let filter = Some(&*self.filter).filter(|filter| !filter.is_empty());
        tx.binary(filter, &self.data)
    }

    fn into_static(self) -> Binary<'static> {
        let Self { at, filter, told, data } = self;
        Binary { at, filter: filter.into_static(), told, data: Cow::Owned(data.into_owned()) }
    }

    fn pin(&mut self, element: usize, code: &'static str) {
        if element == 1 {
            self.filter = code.into();
        }
    }

    #[cfg(test)]
    fn sample(dice: &mut crate::model::sample::Dice) -> Self {
        let filter = if dice.often() { Text::default() } else { Text::sample(dice) };
        // Every byte, separators and what looks like a segment among them.
        let mut data: Vec<u8> = (0..dice.below(200)).map(|_| dice.below(256) as u8).collect();
        if dice.often() {
            data.extend_from_slice(b"~SE*3*0001~\r\nGE*1*1~ISA*");
        }
        Self { at: At(0), filter, told: None, data: Cow::Owned(data) }
    }
}

segment_node!(Binary);

impl Serialize for Binary<'_> {
    /// The bytes as `text` where they are text, else as `base64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Binary", 4)?;
        if !self.at.nowhere() {
            fields.serialize_field("at", &self.at)?;
        }
        if !self.filter.is_empty() {
            fields.serialize_field("filter", &self.filter)?;
        }
        fields.serialize_field("length", &self.data.len())?;
        match std::str::from_utf8(&self.data) {
            Ok(text) => fields.serialize_field("text", text)?,
            Err(_) => fields.serialize_field("base64", &base64::encode(&self.data))?,
        }
        fields.end()
    }
}
