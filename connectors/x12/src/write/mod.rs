//! The strict writer: elements in, bytes out. A value that could be taken for a separator, a control character or a
//! character outside the agreed set is **refused**, never emitted and never changed; the error names the place, not
//! the value.
//!
//! ```
//! use x12::write::{Charset, Element, Envelope, TransactionWriter};
//! use x12::Delimiters;
//! # fn main() -> Result<(), x12::write::WriteError> {
//! let delimiters = Delimiters::default();
//! let mut tx = TransactionWriter::new(&delimiters, "271", "0001", Some("005010X279A1"))?;
//! tx.segment("BHT", &["0022", "11", "REF1", "20261123", "1200"])?;
//! tx.elements("EB", &["1".into(), "".into(), Element::Repeats(&["30", "98"])])?;
//! let bytes = Envelope::new("HB", "005010X279A1").wrap(&delimiters, vec![tx])?;
//! # let _ = bytes; Ok(()) }
//! ```
//! Trailing empty elements are left out, as X12 asks. SE, GE and IEA are written by the crate, with the right counts.

mod envelope;
mod sink;
mod transaction;

use std::fmt;

pub use envelope::{Envelope, Usage};
pub use sink::ElementWriter;
pub use transaction::TransactionWriter;

/// Which characters a value may have (X12.5 names the first two; control characters are never allowed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Capital letters, digits, space and `! " & ' ( ) * + , - . / : ; ? =`.
    Basic,
    /// Basic, small letters and `% @ [ ] _ { } \ | < > ~ ^ # $` and the back-tick: printable ASCII.
    #[default]
    Extended,
    /// Any text, written as UTF-8. Only where both sides agreed.
    Utf8,
}

impl Charset {
    fn allows(self, c: char) -> bool {
        match self {
            Self::Basic => c.is_ascii_uppercase() || c.is_ascii_digit() || " !\"&'()*+,-./:;?=".contains(c),
            Self::Extended => c == ' ' || c.is_ascii_graphic(),
            Self::Utf8 => !c.is_control(),
        }
    }
}

/// Why a value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteReason {
    /// The value holds one of the interchange's separators.
    HoldsSeparator,
    /// The value holds a control character, such as a line break.
    HoldsControl,
    /// The value holds a character outside the agreed character set.
    OutsideCharset,
    /// The value is too long, or too short, for a fixed field.
    Length,
    /// Several repeats were given, and this interchange has no repetition separator.
    NoRepetition,
    /// The segment identifier is not one, or is written by the crate itself (ISA, GS, ST, SE, GE, IEA, BIN, BDS).
    SegmentId,
    /// The separators cannot be told from each other or from data.
    Separators,
    /// More segments or transaction sets than a trailer can count.
    TooMany,
}

impl WriteReason {
    /// One sentence, without the value.
    pub fn message(self) -> &'static str {
        match self {
            Self::HoldsSeparator => "A value holds one of this carrier's separators, so X12 cannot carry it.",
            Self::HoldsControl => "A value holds a control character (a line break or tab, say).",
            Self::OutsideCharset => "A value holds a character that this carrier's X12 does not allow.",
            Self::Length => "A value does not have the length its field asks for.",
            Self::NoRepetition => "This carrier's interchange has no separator for repeated values.",
            Self::SegmentId => "This segment identifier cannot be written here.",
            Self::Separators => "The separators must be four different punctuation characters.",
            Self::TooMany => "There are more segments than a trailer can count.",
        }
    }

    /// A fixed word for logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::HoldsSeparator => "separator",
            Self::HoldsControl => "control",
            Self::OutsideCharset => "charset",
            Self::Length => "length",
            Self::NoRepetition => "repetition",
            Self::SegmentId => "segment_id",
            Self::Separators => "separators",
            Self::TooMany => "too_many",
        }
    }
}

/// A refusal to write, with its place. It never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    /// Segment identifier as the caller gave it; `?` where it is none.
    pub segment: String,
    /// Place of the segment in its transaction set, ST being 1; 0 for the envelope.
    pub position: u32,
    /// Element, from 1; 0 for the segment as a whole.
    pub element: u16,
    /// Why.
    pub reason: WriteReason,
}

impl WriteError {
    fn new(segment: &str, position: u32, element: usize, reason: WriteReason) -> Self {
        let segment = if is_id(segment) { segment.to_owned() } else { "?".to_owned() };
        Self { segment, position, element: u16::try_from(element).unwrap_or(u16::MAX), reason }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}{:02}, segment {})", self.reason.message(), self.segment, self.element, self.position)
    }
}

impl std::error::Error for WriteError {}

/// One element to write.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// A simple value; empty for "not given".
    Text(&'a str),
    /// A composite: its components in order.
    Composite(&'a [&'a str]),
    /// A repeating element: its repeats in order.
    Repeats(&'a [&'a str]),
    /// A repeating composite.
    RepeatedComposites(&'a [&'a [&'a str]]),
}

impl<'a> From<&'a str> for Element<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Element<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

fn is_id(id: &str) -> bool {
    (2..=3).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && id.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimiters::Delimiters;
    use crate::read::Reader;

    fn tx() -> TransactionWriter {
        TransactionWriter::new(&Delimiters::default(), "271", "0001", Some("005010X279A1")).unwrap()
    }

    #[test]
    fn counts_and_pads_by_itself() {
        let mut tx = tx();
        tx.segment("BHT", &["0022", "11", "", ""]).unwrap();
        let envelope = Envelope { at: jiff::civil::datetime(2026, 11, 23, 9, 5, 0, 0), ..Envelope::new("HB", "V") };
        let text = String::from_utf8(envelope.wrap(&Delimiters::default(), vec![tx]).unwrap()).unwrap();
        assert_eq!(
            text,
            "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *261123*0905*^*00501*000000001*0*P*:~\
             GS*HB*SENDER*RECEIVER*20261123*0905*1*X*V~ST*271*0001*005010X279A1~BHT*0022*11~SE*3*0001~GE*1*1~\
             IEA*1*000000001~"
        );
    }

    #[test]
    fn refuses_what_could_be_misread_and_names_only_the_place() {
        for (value, reason) in [
            ("ZAN*ZIBAR", WriteReason::HoldsSeparator),
            ("ZAN~ZIBAR", WriteReason::HoldsSeparator),
            ("ZAN:ZIBAR", WriteReason::HoldsSeparator),
            ("ZAN^ZIBAR", WriteReason::HoldsSeparator),
            ("ZAN\nZIBAR", WriteReason::HoldsControl),
            ("ZANZIBÄR", WriteReason::OutsideCharset),
        ] {
            let mut tx = tx();
            let error = tx.segment("NM1", &["IL", "1", value]).map(|_| ()).unwrap_err();
            assert_eq!((error.reason, error.position, error.element), (reason, 2, 3));
            assert!(!format!("{error} {error:?}").contains("ZIB"));
            tx.segment("EQ", &["30"]).unwrap();
            assert_eq!(tx.segments(), 2, "the refused segment left nothing behind");
        }
        assert_eq!(tx().segment("SE", &[]).map(|_| ()).unwrap_err().reason, WriteReason::SegmentId);
    }

    #[test]
    fn repeats_need_a_separator() {
        let plain = Delimiters { repetition: None, ..Delimiters::default() };
        let mut tx = TransactionWriter::new(&plain, "271", "0001", None).unwrap();
        assert!(tx.elements("EB", &[Element::Repeats(&["30"])]).is_ok());
        let error = tx.elements("EB", &[Element::Repeats(&["30", "1"])]).map(|_| ()).unwrap_err();
        assert_eq!(error.reason, WriteReason::NoRepetition);
        let bytes = Envelope::new("HB", "V").wrap(&plain, vec![tx]).unwrap();
        assert_eq!(bytes.get(82..83), Some(&b"U"[..]));
    }

    #[test]
    fn a_written_ta1_is_read_back() {
        let bytes = Envelope::new("HB", "V")
            .interchange_ack(&Delimiters::default(), ("000000007", "261123", "1200"), "R", "009")
            .unwrap();
        let mut reader = Reader::new(bytes.as_slice());
        let mut ids = Vec::new();
        while let Some(segment) = reader.next_segment().unwrap() {
            ids.push(segment.id().to_owned());
        }
        assert_eq!(ids, ["ISA", "TA1", "IEA"]);
        assert!(reader.take_findings().is_empty());
    }
}
