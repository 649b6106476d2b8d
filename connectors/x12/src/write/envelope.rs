//! What stands around transaction sets: ISA, GS, GE, IEA.

use jiff::civil::DateTime;

use super::sink::Sink;
use super::{Charset, TransactionWriter, WriteError, WriteReason};
use crate::delimiters::Delimiters;

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
        self.group(&mut sink, delimiters, transactions)?;
        self.close(sink, 1)
    }

    /// Writes a whole interchange of a TA1 (see [`Envelope::interchange_ack`]) and one functional group behind it.
    ///
    /// # Errors
    /// As for [`Envelope::wrap`].
    pub fn wrap_after_ack(
        &self,
        delimiters: &Delimiters,
        answered: (&str, &str, &str),
        code: &str,
        note: &str,
        transactions: Vec<TransactionWriter>,
    ) -> Result<Vec<u8>, WriteError> {
        let mut sink = self.open(delimiters)?;
        let (control, date, time) = answered;
        sink.segment("TA1", 0, &[control.into(), date.into(), time.into(), code.into(), note.into()])?;
        self.group(&mut sink, delimiters, transactions)?;
        self.close(sink, 1)
    }

    fn group(
        &self,
        sink: &mut Sink,
        delimiters: &Delimiters,
        transactions: Vec<TransactionWriter>,
    ) -> Result<(), WriteError> {
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
        sink.segment("GE", 0, &[(&count.to_string()).into(), (&control).into()])
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
