//! The interchange of this dialect's questions, whatever stands in it, and the checks that a reply's interchange is whole
//! and speaks of ours.

use connector_sdk::{Context, Error, ErrorKind, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x12::write::{self, Charset, TransactionWriter};
use x12::{Acknowledgment, Delimiters, Document, Item, Oddity, Severity};

use crate::envelope::Opened;
use crate::partner::Partner;
use crate::settings::{CharacterSet, Usage};

/// ST02: there is one transaction set in an interchange.
pub(crate) const CONTROL: &str = "0001";

/// The carrier's delimiters.
pub(crate) fn delimiters(partner: &Partner) -> Delimiters {
    let x12 = &partner.settings.x12;
    let byte = |delimiter: char| u8::try_from(delimiter).unwrap_or(b'?');
    Delimiters {
        element: byte(x12.element_separator),
        repetition: Some(byte(x12.repetition_separator)),
        component: byte(x12.component_separator),
        segment: byte(x12.segment_terminator),
        newline_after: x12.newline,
    }
}

/// Characters a value may have.
pub(crate) fn charset(partner: &Partner) -> Charset {
    match partner.settings.x12.charset {
        CharacterSet::Basic => Charset::Basic,
        CharacterSet::Extended => Charset::Extended,
    }
}

/// Date and time that stand in the interchange: universal time, but never a day that is still to come where the
/// practice is, because carriers refuse an interchange from tomorrow.
pub(crate) fn written_at(ctx: &Context) -> DateTime {
    let now = ctx.now().to_zoned(TimeZone::UTC).datetime();
    let today = ctx.today();
    if now.date() > today { today.at(23, 59, 0, 0) } else { now }
}

/// One transaction set in its interchange; `kind` is GS01 and `version` GS08. Interchange and group have one number.
pub(crate) fn interchange(
    partner: &Partner,
    (kind, version): (&str, &str),
    at: DateTime,
    control: u32,
    set: TransactionWriter,
) -> Result<String> {
    let settings = &partner.settings;
    let x12 = &settings.x12;
    let sender = x12.sender_id.as_ref().unwrap_or(&settings.sender_id);
    let receiver = x12.receiver_id.as_ref().unwrap_or(&settings.receiver_id);
    let around = write::Envelope {
        sender_qualifier: x12.sender_qualifier.clone(),
        sender_id: sender.clone(),
        receiver_qualifier: x12.receiver_qualifier.clone(),
        receiver_id: receiver.clone(),
        at,
        interchange_control: control,
        usage: match x12.usage {
            Usage::P => write::Usage::Production,
            Usage::T => write::Usage::Test,
        },
        group_sender: x12.application_sender.as_ref().unwrap_or(sender).clone(),
        group_receiver: x12.application_receiver.as_ref().unwrap_or(receiver).clone(),
        group_control: control,
        ..write::Envelope::new(kind, version)
    };
    let bytes = around.wrap(&delimiters(partner), vec![set])?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::Internal, "The interchange is not plain text."))
}

/// The envelope must say that it holds what was asked for, or an acknowledgment; where it says nothing, the payload
/// tells.
pub(crate) fn expect_type(wanted: &str, opened: &Opened) -> Result<()> {
    let Some(name) = opened.payload_type.as_deref().filter(|name| !name.is_empty()) else { return Ok(()) };
    let upper = name.to_ascii_uppercase();
    let acknowledges = ["X12_TA1", "X12_999", "X12_997"].iter().any(|start| upper.starts_with(start));
    if acknowledges || name.eq_ignore_ascii_case(wanted) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::AnswerMismatch,
            "The carrier's envelope says that it answers another kind of question.",
        ))
    }
}

/// The acknowledgments in a reply.
pub(crate) fn acknowledgments(document: &Document) -> impl Iterator<Item = Acknowledgment> {
    document.items.iter().filter_map(|item| match item {
        Item::InterchangeAck(ack) => Some(Acknowledgment::from_ta1(ack)),
        Item::Transaction(set) => Acknowledgment::from_transaction(set),
    })
}

/// A TA1, 999 or 997 must speak of the interchange or group that was sent: both have the same number.
pub(crate) fn acknowledges_ours(document: &Document, control: u32) -> Result<()> {
    match acknowledgments(document).find(|ack| ack.control.trim().parse() != Ok(control)) {
        None => Ok(()),
        Some(ack) => {
            let message = "The carrier acknowledges another interchange than the one that was sent.";
            Err(Error::new(ErrorKind::AnswerMismatch, message).fact("acknowledgment", ack.kind))
        }
    }
}

/// Oddities after which an answer cannot be taken for whole: a benefit might be missing.
const CUT: [Oddity; 5] =
    [Oddity::NoSe, Oddity::NoIea, Oddity::TransactionLength, Oddity::SegmentLength, Oddity::ElementCount];
/// Most oddities told beside an answer.
const WARNINGS_MAX: usize = 20;

/// Refuses a reply that was cut off, and tells its other oddities beside the answer, each once.
pub(crate) fn whole(ctx: &Context, document: &Document) -> Result<()> {
    let mut told: Vec<&str> = Vec::new();
    let inside = document.transactions().flat_map(|transaction| &transaction.findings);
    for finding in document.findings.iter().chain(inside) {
        if CUT.iter().any(|oddity| oddity.code() == finding.code) {
            return Err(Error::new(ErrorKind::ProtocolBroken, "The carrier's interchange is not whole.")
                .fact("finding", finding.code)
                .fact("segment", finding.segment));
        }
        let worth_telling = finding.severity != Severity::Info && told.len() < WARNINGS_MAX;
        if worth_telling && !told.contains(&finding.code) {
            told.push(finding.code);
            ctx.warn(finding.code, finding.message);
        }
    }
    Ok(())
}
