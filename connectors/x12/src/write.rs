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

use std::fmt;

use jiff::civil::DateTime;

use crate::delimiters::Delimiters;

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

/// Writes segments with one set of separators and one character set.
struct Sink {
    bytes: Vec<u8>,
    delimiters: Delimiters,
    charset: Charset,
}

impl Sink {
    fn value(&mut self, text: &str) -> Result<(), WriteReason> {
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

    fn composite(&mut self, parts: &[&str]) -> Result<(), WriteReason> {
        let used = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        for (at, part) in parts.iter().take(used).enumerate() {
            if at > 0 {
                self.bytes.push(self.delimiters.component);
            }
            self.value(part)?;
        }
        Ok(())
    }

    fn between_repeats(&mut self, at: usize) -> Result<(), WriteReason> {
        if at > 0 {
            self.bytes.push(self.delimiters.repetition.ok_or(WriteReason::NoRepetition)?);
        }
        Ok(())
    }

    fn element(&mut self, element: &Element<'_>) -> Result<(), WriteReason> {
        match element {
            Element::Text(text) => self.value(text),
            Element::Composite(parts) => self.composite(parts),
            Element::Repeats(repeats) => repeats.iter().enumerate().try_for_each(|(at, repeat)| {
                self.between_repeats(at)?;
                self.value(repeat)
            }),
            Element::RepeatedComposites(repeats) => repeats.iter().enumerate().try_for_each(|(at, repeat)| {
                self.between_repeats(at)?;
                self.composite(repeat)
            }),
        }
    }

    fn end_segment(&mut self) {
        self.bytes.push(self.delimiters.segment);
        if self.delimiters.newline_after {
            self.bytes.push(b'\n');
        }
    }

    /// Writes a whole segment, or leaves the bytes as they were.
    fn segment(&mut self, id: &str, position: u32, elements: &[Element<'_>]) -> Result<(), WriteError> {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(id.as_bytes());
        let mut end = self.bytes.len();
        for (at, element) in elements.iter().enumerate() {
            self.bytes.push(self.delimiters.element);
            let start = self.bytes.len();
            if let Err(reason) = self.element(element) {
                self.bytes.truncate(before);
                return Err(WriteError::new(id, position, at + 1, reason));
            }
            if self.bytes.len() > start {
                end = self.bytes.len();
            }
        }
        self.bytes.truncate(end);
        self.end_segment();
        Ok(())
    }
}

/// Writes one transaction set, ST to SE. Hand it to [`Envelope::wrap`] when its segments are in.
pub struct TransactionWriter {
    sink: Sink,
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
        Ok(Self { sink, control: control.to_owned(), count: 1 })
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
        let position = self.count.checked_add(1).ok_or_else(|| WriteError::new(id, 0, 0, WriteReason::TooMany))?;
        let ours = matches!(id, "ISA" | "GS" | "ST" | "SE" | "GE" | "IEA" | "BIN" | "BDS");
        if ours || !is_id(id) {
            return Err(WriteError::new(id, position, 0, WriteReason::SegmentId));
        }
        self.sink.segment(id, position, elements)?;
        self.count = position;
        Ok(self)
    }

    /// How many segments there are so far, ST included.
    pub fn segments(&self) -> u32 {
        self.count
    }

    /// The separators in use.
    pub fn delimiters(&self) -> Delimiters {
        self.sink.delimiters
    }

    fn finish(mut self) -> Result<Vec<u8>, WriteError> {
        let count = self.count.saturating_add(1);
        self.sink.segment("SE", count, &[(&count.to_string()).into(), (&self.control).into()])?;
        Ok(self.sink.bytes)
    }
}

/// Test or production (ISA15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// `P`
    #[default]
    Production,
    /// `T`
    Test,
}

impl Usage {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Production => "P",
            Self::Test => "T",
        }
    }
}

/// What stands around transaction sets: ISA, GS, GE, IEA. All fields are public; set what the carrier asks for.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// ISA01, ISA02: authorization qualifier and value, usually `00` and blank.
    pub authorization: (String, String),
    /// ISA03, ISA04: security qualifier and value, usually `00` and blank.
    pub security: (String, String),
    /// ISA05 `ZZ` (mutually defined), `30` (tax id), `01` (DUNS) …
    pub sender_qualifier: String,
    /// ISA06, at most 15 characters; padded here.
    pub sender_id: String,
    /// ISA07
    pub receiver_qualifier: String,
    /// ISA08, at most 15 characters; padded here.
    pub receiver_id: String,
    /// ISA09 and ISA10, GS04 and GS05.
    pub at: DateTime,
    /// ISA12: `00501`, `00401`.
    pub version: String,
    /// ISA13, at most 999 999 999.
    pub interchange_control: u32,
    /// ISA14: ask for a TA1.
    pub ack_requested: bool,
    /// ISA15
    pub usage: Usage,
    /// GS01: `HS` (270), `HB` (271), `FA` (999) …
    pub functional_id: String,
    /// GS02
    pub group_sender: String,
    /// GS03
    pub group_receiver: String,
    /// GS06
    pub group_control: u32,
    /// GS08: `005010X279A1`.
    pub group_version: String,
}

impl Envelope {
    /// An envelope of version 00501 with placeholder parties, to be filled in.
    pub fn new(functional_id: &str, group_version: &str) -> Self {
        let blank = || ("00".to_owned(), String::new());
        Self {
            authorization: blank(),
            security: blank(),
            sender_qualifier: "ZZ".to_owned(),
            sender_id: "SENDER".to_owned(),
            receiver_qualifier: "ZZ".to_owned(),
            receiver_id: "RECEIVER".to_owned(),
            at: DateTime::constant(2000, 1, 1, 0, 0, 0, 0),
            version: "00501".to_owned(),
            interchange_control: 1,
            ack_requested: false,
            usage: Usage::Production,
            functional_id: functional_id.to_owned(),
            group_sender: "SENDER".to_owned(),
            group_receiver: "RECEIVER".to_owned(),
            group_control: 1,
            group_version: group_version.to_owned(),
        }
    }

    /// Writes a whole interchange of one functional group.
    ///
    /// # Errors
    /// A field of the envelope cannot be carried, or a transaction set was written with other separators.
    pub fn wrap(&self, delimiters: &Delimiters, transactions: Vec<TransactionWriter>) -> Result<Vec<u8>, WriteError> {
        let mut sink = self.open(delimiters)?;
        let control = self.group_control.to_string();
        let (date, time) = (self.at.strftime("%Y%m%d").to_string(), self.at.strftime("%H%M").to_string());
        sink.segment(
            "GS",
            0,
            &[
                (&self.functional_id).into(),
                (&self.group_sender).into(),
                (&self.group_receiver).into(),
                (&date).into(),
                (&time).into(),
                (&control).into(),
                "X".into(),
                (&self.group_version).into(),
            ],
        )?;
        let count = transactions.len();
        for transaction in transactions {
            let theirs = transaction.delimiters();
            if (Delimiters { newline_after: delimiters.newline_after, ..theirs }) != *delimiters {
                return Err(WriteError::new("ST", 1, 0, WriteReason::Separators));
            }
            sink.bytes.extend_from_slice(&transaction.finish()?);
        }
        sink.segment("GE", 0, &[(&count.to_string()).into(), (&control).into()])?;
        self.close(sink, 1)
    }

    /// Writes an interchange that holds nothing but a TA1: `control`, `date` (YYMMDD) and `time` (HHMM) of the
    /// interchange it answers, TA104 (`A`, `E`, `R`) and TA105.
    ///
    /// # Errors
    /// A value cannot be carried.
    pub fn interchange_ack(
        &self,
        delimiters: &Delimiters,
        answered: (&str, &str, &str),
        code: &str,
        note: &str,
    ) -> Result<Vec<u8>, WriteError> {
        let mut sink = self.open(delimiters)?;
        let (control, date, time) = answered;
        sink.segment("TA1", 0, &[control.into(), date.into(), time.into(), code.into(), note.into()])?;
        self.close(sink, 0)
    }

    fn open(&self, delimiters: &Delimiters) -> Result<Sink, WriteError> {
        if !delimiters.usable() {
            return Err(WriteError::new("ISA", 0, 0, WriteReason::Separators));
        }
        let mut sink = Sink { bytes: Vec::with_capacity(2048), delimiters: *delimiters, charset: Charset::Extended };
        let control = self.control()?;
        let (date, time) = (self.at.strftime("%y%m%d").to_string(), self.at.strftime("%H%M").to_string());
        let repetition = delimiters.repetition.map_or('U', char::from).to_string();
        let component = char::from(delimiters.component).to_string();
        let fields: [(&str, usize); 16] = [
            (&self.authorization.0, 2),
            (&self.authorization.1, 10),
            (&self.security.0, 2),
            (&self.security.1, 10),
            (&self.sender_qualifier, 2),
            (&self.sender_id, 15),
            (&self.receiver_qualifier, 2),
            (&self.receiver_id, 15),
            (&date, 6),
            (&time, 4),
            (&repetition, 1),
            (&self.version, 5),
            (&control, 9),
            (if self.ack_requested { "1" } else { "0" }, 1),
            (self.usage.code(), 1),
            (&component, 1),
        ];
        sink.bytes.extend_from_slice(b"ISA");
        for (at, (value, width)) in fields.into_iter().enumerate() {
            let count = value.chars().count();
            if count > width || (count == 0 && width < 10) {
                return Err(WriteError::new("ISA", 0, at + 1, WriteReason::Length));
            }
            sink.bytes.push(delimiters.element);
            if matches!(at, 10 | 15) {
                sink.bytes.extend_from_slice(value.as_bytes());
            } else {
                sink.value(value).map_err(|reason| WriteError::new("ISA", 0, at + 1, reason))?;
                sink.bytes.resize(sink.bytes.len() + (width - count), b' ');
            }
        }
        sink.end_segment();
        Ok(sink)
    }

    fn close(&self, mut sink: Sink, groups: u32) -> Result<Vec<u8>, WriteError> {
        sink.segment("IEA", 0, &[(&groups.to_string()).into(), (&self.control()?).into()])?;
        Ok(sink.bytes)
    }

    fn control(&self) -> Result<String, WriteError> {
        if self.interchange_control > 999_999_999 {
            return Err(WriteError::new("ISA", 0, 13, WriteReason::Length));
        }
        Ok(format!("{:09}", self.interchange_control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
