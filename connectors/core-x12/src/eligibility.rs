//! Eligibility: ask → 270 → envelope → reply → 271 → answer, and the checks that the answer belongs to the question.

use connector_sdk::connector::{Eligibility, EligibilityLimits};
use connector_sdk::{Answer, Context, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x12::answers::{self, Expected, InquiryOptions, MemberIdMatch};
use x12::write::{self, Charset};
use x12::{Acknowledgment, Delimiters, Document, Item, Oddity, Severity};

use crate::CoreX12;
use crate::envelope::{self, Opened};
use crate::partner::Partner;
use crate::settings::{CharacterSet, MemberIdComparison, NameNormalisation, ServiceTypes, Usage};

/// ST02: there is one transaction set in an interchange.
const CONTROL: &str = "0001";

impl Eligibility for CoreX12 {
    fn limits(&self) -> EligibilityLimits {
        EligibilityLimits {
            dependents: true,
            service_types_max: self.partner.settings.x12.service_types_per_request,
            procedures: true,
        }
    }

    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(check(&self.partner, ctx, ask))
    }
}

async fn check(partner: &Partner, ctx: &Context, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>> {
    let most = partner.settings.x12.service_types_per_request;
    let asked = ask.service_types().len();
    if asked > usize::from(most) {
        return Err(Error::new(ErrorKind::Unsupported, "This carrier takes fewer service types in one question.")
            .fact("asked", asked)
            .fact("most", most));
    }
    // A day that the question leaves out is the practice's today, not the interchange's date in universal time.
    let mut dated = ask.clone();
    if dated.service.date.is_none() && dated.service.from.is_none() {
        dated.service.date = Some(ctx.today());
    }
    let control = ctx.control_number();
    let interchange = question(partner, ctx, &dated, control)?;
    let reply = ctx.send(envelope::wrap(partner, ctx, &interchange)?).await?;
    let opened = envelope::open(&reply, ctx.now()).await?;
    expect_type(partner, &opened)?;
    answer(partner, ctx, &dated, control, &opened)
}

/// The whole interchange. Characters that X12 cannot carry are refused before anything is sent.
fn question(partner: &Partner, ctx: &Context, ask: &EligibilityRequest, control: u32) -> Result<String> {
    let settings = &partner.settings;
    let x12 = &settings.x12;
    let at = written_at(ctx);
    let options = InquiryOptions {
        payer_name: x12.payer_name.clone(),
        payer_qualifier: x12.payer_qualifier.clone(),
        payer_id: x12.payer_id.clone(),
        receiver_entity: x12.provider_entity.clone(),
        receiver_is_person: x12.provider_is_person,
        tax_id_qualifier: x12.send_tax_id.then(|| "TJ".to_owned()),
        send_taxonomy: x12.send_taxonomy,
        group_qualifier: x12.send_group_number.then(|| x12.group_qualifier.clone()),
        uppercase: x12.uppercase,
        normalise_names: x12.name_normalisation == NameNormalisation::Core258,
        repeat_service_types: x12.service_types == ServiceTypes::Repeat,
        send_date: x12.send_date,
        control: CONTROL.to_owned(),
        reference: ctx.trace().to_owned(),
        trace: ctx.trace().to_owned(),
        trace_origin: x12.trace_originator.clone(),
        at,
        ..InquiryOptions::default()
    };
    let byte = |delimiter: char| u8::try_from(delimiter).unwrap_or(b'?');
    let delimiters = Delimiters {
        element: byte(x12.element_separator),
        repetition: Some(byte(x12.repetition_separator)),
        component: byte(x12.component_separator),
        segment: byte(x12.segment_terminator),
        newline_after: x12.newline,
    };
    let charset = match x12.charset {
        CharacterSet::Basic => Charset::Basic,
        CharacterSet::Extended => Charset::Extended,
    };
    let transaction = answers::inquiry(ask, &options).write(&delimiters, charset)?;
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
        ..write::Envelope::new("HS", &x12.version)
    };
    let bytes = around.wrap(&delimiters, vec![transaction])?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::Internal, "The interchange is not plain text."))
}

/// Date and time that stand in the interchange: universal time, but never a day that is still to come where the
/// practice is, because carriers refuse an interchange from tomorrow.
fn written_at(ctx: &Context) -> DateTime {
    let now = ctx.now().to_zoned(TimeZone::UTC).datetime();
    let today = ctx.today();
    if now.date() > today { today.at(23, 59, 0, 0) } else { now }
}

/// The envelope must say that it holds what was asked for, or an acknowledgment; where it says nothing, the payload
/// tells.
fn expect_type(partner: &Partner, opened: &Opened) -> Result<()> {
    let Some(name) = opened.payload_type.as_deref().filter(|name| !name.is_empty()) else { return Ok(()) };
    let upper = name.to_ascii_uppercase();
    let acknowledges = ["X12_TA1", "X12_999", "X12_997"].iter().any(|start| upper.starts_with(start));
    if acknowledges || name.eq_ignore_ascii_case(&partner.settings.payload_type_response) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::AnswerMismatch,
            "The carrier's envelope says that it answers another kind of question.",
        ))
    }
}

/// Reads the interchange that came back: whole, about our interchange, and about the patient asked about.
fn answer(
    partner: &Partner,
    ctx: &Context,
    ask: &EligibilityRequest,
    control: u32,
    opened: &Opened,
) -> Result<Outcome<EligibilityFacts>> {
    // What cannot be read at all is told by the codec below.
    if let Ok(document) = Document::read(&opened.payload) {
        acknowledges_ours(&document, control)?;
        whole(ctx, &document)?;
    }
    let expected = Expected {
        ask,
        trace: ctx.trace(),
        control: CONTROL,
        member_id: match partner.settings.x12.member_id_match {
            MemberIdComparison::Formatting => MemberIdMatch::Formatting,
            MemberIdComparison::Part => MemberIdMatch::Part,
            MemberIdComparison::Ignore => MemberIdMatch::Ignore,
        },
    };
    answers::answer(&opened.payload, &expected)
}

/// A TA1, 999 or 997 must speak of the interchange or group that was sent: both have the same number.
fn acknowledges_ours(document: &Document, control: u32) -> Result<()> {
    for item in &document.items {
        let ack = match item {
            Item::InterchangeAck(ack) => Some(Acknowledgment::from_ta1(ack)),
            Item::Transaction(set) => Acknowledgment::from_transaction(set),
        };
        if let Some(ack) = ack.filter(|ack| ack.control.trim().parse() != Ok(control)) {
            let message = "The carrier acknowledges another interchange than the one that was sent.";
            return Err(Error::new(ErrorKind::AnswerMismatch, message).fact("acknowledgment", ack.kind));
        }
    }
    Ok(())
}

/// Oddities after which an answer cannot be taken for whole: a benefit might be missing.
const CUT: [Oddity; 5] =
    [Oddity::NoSe, Oddity::NoIea, Oddity::TransactionLength, Oddity::SegmentLength, Oddity::ElementCount];
/// Most oddities told beside an answer.
const WARNINGS_MAX: usize = 20;

/// Refuses a reply that was cut off, and tells its other oddities beside the answer, each once.
fn whole(ctx: &Context, document: &Document) -> Result<()> {
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
