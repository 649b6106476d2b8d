//! Why JSON cannot be written as X12, with its place. It never holds a value.

use std::fmt;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no object.
    Empty,
    /// This is not JSON, or it ends too soon.
    Json,
    /// JSON of another shape than `read` gives.
    Shape,
    /// A model, not segments.
    Model,
    /// Many segments stand before the `interchange` they belong to.
    Order,
    /// A field that must be there is not.
    Missing,
    /// Longer than its field, or longer than the reader takes.
    Length,
    /// The separators would not be read back as these.
    Separators,
    /// The file begins without an ISA, and its reader would take this text, or this interchange, for the first.
    ReadAsIsa,
    /// A segment without elements after IEA: the reader takes it for text that follows the file.
    AfterIea,
    /// Something else than white space between segments.
    LineBreak,
    /// No segment identifier.
    SegmentId,
    /// A segment of the envelope where none may stand, or a transaction set that does not begin with ST.
    Envelope,
    /// A value holds a separator.
    HoldsSeparator,
    /// A value holds a control character.
    HoldsControl,
    /// A binary segment does not have the length it tells.
    BinaryLength,
}

impl Reason {
    /// One sentence: what is wrong and how to mend it.
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "There is no object: give the lines that `portico x12 read` prints.",
            Self::Json => "This is not JSON, or it ends too soon.",
            Self::Shape => {
                "This does not have the shape that `portico x12 read` gives: a segment is an array of texts, and \
                 interchange and group are objects."
            }
            Self::Model => "This is a model; give the segments that `portico x12 read` prints without --model.",
            Self::Order => "Put interchange before segments: too many segments came before it.",
            Self::Missing => "A field of the envelope is missing.",
            Self::Length => "This is longer than its field, or than a segment may be.",
            Self::Separators => {
                "The separators would not be read back as these: give four different punctuation characters, and let \
                 ISA11 and ISA16 name them."
            }
            Self::ReadAsIsa => {
                "This would be read back as the ISA the file begins with, and all before it would be left out: put an \
                 interchange around what comes first, or change this text."
            }
            Self::AfterIea => {
                "After IEA a segment without elements would not be read back: give it an element, or leave it out."
            }
            Self::LineBreak => "Only white space may stand between segments, at most 64 bytes of it.",
            Self::SegmentId => {
                "A segment begins with its identifier: a capital letter and one or two letters or digits."
            }
            Self::Envelope => {
                "A transaction set begins with ST and ends with SE; ISA, GS, GE and IEA come from interchange and group."
            }
            Self::HoldsSeparator => "A value holds the element separator or the segment terminator.",
            Self::HoldsControl => "A value holds a control character (a line break or tab, say).",
            Self::BinaryLength => "A binary segment's length does not fit its data.",
        }
    }
}

/// A refusal and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line of the JSON, from 1; 0 where none is known.
    pub line: usize,
    /// Column of the JSON, from 1.
    pub column: usize,
    /// Place of the segment in its array, from 1; 0 for the envelope.
    pub position: u32,
    /// Segment identifier; empty where none is known, `?` where it is none.
    pub segment: String,
    /// Element, from 1; 0 for the segment as a whole.
    pub element: u16,
    /// The field of `interchange` or `group`.
    pub field: Option<&'static str>,
    /// Why.
    pub reason: Reason,
}

impl Refusal {
    pub(super) fn at(line: usize, column: usize, reason: Reason) -> Self {
        Self { line, column, position: 0, segment: String::new(), element: 0, field: None, reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}", self.line, self.column)?;
        } else {
            f.write_str("at the end")?;
        }
        if self.position > 0 {
            write!(f, ", segment {}", self.position)?;
        }
        if !self.segment.is_empty() {
            write!(f, ", {}", self.segment)?;
        }
        if self.element > 0 {
            write!(f, "{:02}", self.element)?;
        }
        if let Some(field) = self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.reason.message())
    }
}

impl std::error::Error for Refusal {}
