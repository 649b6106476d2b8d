//! What the carrier definitely said of a submission. Everything that is not definite is unknown.

use bytes::Bytes;
use connector_sdk::answer::authorization::{Authorization, NumberKind};
use connector_sdk::outcome::{CarrierCode, Refusal, RefusalReason};
use connector_sdk::{Commit, Context, Error, ErrorKind, Inquiry, Outcome, Receipt, Result};
use http::Response;
use x12::answers::authorization::{ReviewAnswer, authorizations};
use x12::review::{Case, Kind, ServicesReview};
use x12::{Acknowledgment, Document, Transaction};

use crate::envelope::{self, Opened};
use crate::interchange::{self, CONTROL};
use crate::settings::AuthorizationSettings;
use crate::{fault, settings};

/// AAA04: the request is held, or somebody else was asked: do not send again.
const HELD: [&str; 2] = ["S", "Y"];
/// AAA03: the carrier's system, or the one behind it, did not answer.
const BUSY: [&str; 2] = ["42", "80"];
/// Codes of an acknowledgment that are kept with a refusal.
const CODES_MAX: usize = 20;

/// Judges the reply to a committing request with this business reference and interchange control number.
pub(super) async fn committed(
    settings: &AuthorizationSettings,
    ctx: &Context,
    biz_ref: &str,
    control: u32,
    reply: &Response<Bytes>,
) -> Commit {
    let opened = match envelope::open(reply, ctx.now()).await {
        Ok(opened) => opened,
        Err(error) => return not_opened(settings, reply, error),
    };
    match answered(settings, ctx, biz_ref, control, &opened) {
        Ok(Commit::RefusedNoEffect { .. }) if reply.status().is_server_error() => {
            Commit::Unknown { error: broken("The carrier refused the request and failed over it.") }
        }
        Ok(commit) => commit,
        Err(error) => Commit::Unknown { error },
    }
}

/// There is no interchange: the envelope or the status tells.
fn not_opened(settings: &AuthorizationSettings, reply: &Response<Bytes>, error: Error) -> Commit {
    let status = reply.status().as_u16();
    // At the door: the credential is judged, and calls are counted, before anything is looked at.
    if matches!(error.kind, ErrorKind::CredentialRejected | ErrorKind::CarrierThrottled) {
        return Commit::NotSent { error };
    }
    if let Some(word) = fault::not_taken(&error) {
        return Commit::RefusedNoEffect { refusal: refused(code(None, format!("envelope {word}"), None)) };
    }
    if status < 500 && settings.no_effect_statuses.contains(&status) {
        return Commit::RefusedNoEffect { refusal: refused(code(None, format!("HTTP {status}"), None)) };
    }
    Commit::Unknown { error }
}

fn answered(
    settings: &AuthorizationSettings,
    ctx: &Context,
    biz_ref: &str,
    control: u32,
    opened: &Opened,
) -> Result<Commit> {
    interchange::expect_type(&settings.payload_type_response, opened)?;
    let document = read(ctx, control, &opened.payload)?;
    let Some(set) = only_review(&document)? else {
        let rejection = interchange::acknowledgments(&document).find(|ack| ack.rejects(CONTROL));
        return match rejection {
            Some(ack) => Ok(Commit::RefusedNoEffect { refusal: of_acknowledgment(&ack) }),
            None => Err(broken("The carrier's reply holds no answer to the request (278).")),
        };
    };
    let review = ServicesReview::read(&set.segments);
    if review.kind() != Kind::Response {
        return Err(mismatch("kind"));
    }
    echoes(&review, biz_ref)?;
    let mut told = authorizations(set, None).into_iter();
    let (Some(ReviewAnswer { outcome, .. }), None) = (told.next(), told.next()) else {
        return Err(mismatch("cases"));
    };
    match outcome {
        Outcome::Answered(answer) if answer.decision.is_some() => {
            Ok(Commit::Accepted { receipt: receipt(&answer, biz_ref, set), answer: Box::new(answer) })
        }
        Outcome::Answered(_) => Err(broken("The carrier's answer (278) says neither yes nor no.")),
        Outcome::Refused(refusal) if no_effect(settings, &refusal) => Ok(Commit::RefusedNoEffect { refusal }),
        Outcome::Refused(_) => {
            let message = "The carrier refused the request in a way that leaves open whether it keeps it.";
            Err(Error::new(ErrorKind::CarrierUnavailable, message))
        }
    }
}

/// Judges the reply to an inquiry with this reference and control number; `asked` is the request it is about.
pub(super) fn inquired(
    settings: &AuthorizationSettings,
    ctx: &Context,
    (biz_ref, control): (&str, u32),
    asked: &ServicesReview<'_>,
    payload: &[u8],
) -> Result<Inquiry> {
    let document = read(ctx, control, payload)?;
    let Some(set) = only_review(&document)? else {
        return Err(broken("The carrier's reply holds no answer to the inquiry (278)."));
    };
    let review = ServicesReview::read(&set.segments);
    if !matches!(review.kind(), Kind::InquiryResponse | Kind::Response) {
        return Err(mismatch("kind"));
    }
    echoes(&review, biz_ref)?;
    let told = authorizations(set, Some(asked));
    let found: Vec<_> = review.cases().zip(&told).filter_map(|(case, told)| decided(&case, told)).collect();
    if found.is_empty() {
        return none_found(settings, &told);
    }
    let ours: Vec<_> = found.iter().filter(|(numbers, _)| numbers.iter().any(|number| number == biz_ref)).collect();
    match (ours.as_slice(), found.len()) {
        ([(_, answer)], 1) if same_services(asked, &review) => {
            Ok(Inquiry::Present { receipt: receipt(answer, biz_ref, set), answer: Box::new((*answer).clone()) })
        }
        ([_], 1) | ([], _) => Ok(Inquiry::Ambiguous { why: "other_reference" }),
        _ => Ok(Inquiry::Ambiguous { why: "several" }),
    }
}

/// A case that is on file, with the trace numbers it carries.
fn decided<'t>(case: &Case<'_, '_>, told: &'t ReviewAnswer) -> Option<(Vec<String>, &'t Authorization)> {
    let Outcome::Answered(answer) = &told.outcome else { return None };
    answer.decision.as_ref()?;
    Some((case.matter.traces.iter().map(|trace| trace.number.to_string()).collect(), answer))
}

/// Nothing on file was shown: does the carrier say that there is nothing?
fn none_found(settings: &AuthorizationSettings, told: &[ReviewAnswer]) -> Result<Inquiry> {
    let refusals = told.iter().filter_map(|told| match &told.outcome {
        Outcome::Refused(refusal) => Some(refusal),
        Outcome::Answered(_) => None,
    });
    let codes: Vec<&CarrierCode> = refusals.flat_map(|refusal| &refusal.carrier_codes).collect();
    if codes.iter().any(|code| BUSY.contains(&code.code.as_str())) {
        let message = "The carrier's system cannot say now what became of the request.";
        return Err(Error::new(ErrorKind::CarrierUnavailable, message));
    }
    let silent = told.iter().any(|told| matches!(told.outcome, Outcome::Answered(_)));
    let absent = |code: &&CarrierCode| settings.absent_codes.contains(&code.code) && !held(code);
    if !silent && !codes.is_empty() && codes.iter().all(absent) {
        Ok(Inquiry::Absent)
    } else {
        Ok(Inquiry::Ambiguous { why: "refused" })
    }
}

/// Whether the codes of the procedures that the carrier shows are among those that were asked for.
fn same_services(asked: &ServicesReview<'_>, shown: &ServicesReview<'_>) -> bool {
    let codes = |review: &ServicesReview<'_>| -> Vec<String> {
        let services = review.cases().flat_map(|case| case.services);
        let code = |service: x12::review::ReviewedService<'_, '_>| {
            let procedure = service.professional.map(|sv1| &sv1.procedure).or(service.dental.map(|sv3| &sv3.procedure));
            procedure.map(|procedure| procedure.code.to_string())
        };
        services.filter_map(code).filter(|code| !code.is_empty()).collect()
    };
    let wanted = codes(asked);
    codes(shown).iter().all(|code| wanted.contains(code))
}

fn read(ctx: &Context, control: u32, payload: &[u8]) -> Result<Document> {
    let document = Document::read(payload).map_err(|_| broken("The carrier's reply is not X12 that can be read."))?;
    interchange::acknowledges_ours(&document, control)?;
    interchange::whole(ctx, &document)?;
    Ok(document)
}

/// The one 278 of a reply, where it holds any.
fn only_review(document: &Document) -> Result<Option<&Transaction>> {
    let mut sets = document.transactions().filter(|set| set.id == ServicesReview::ID);
    match (sets.next(), sets.next()) {
        (set, None) => Ok(set),
        _ => Err(mismatch("sets")),
    }
}

/// The answer must name our number: in a trace (TRN), or, where it has none, as the reference of the message (BHT03).
fn echoes(review: &ServicesReview<'_>, biz_ref: &str) -> Result<()> {
    let mut traced = false;
    for case in review.cases() {
        let services = case.services.iter().flat_map(|service| service.matter.traces);
        for trace in case.matter.traces.iter().chain(services) {
            if trace.number == biz_ref {
                return Ok(());
            }
            traced = true;
        }
    }
    let named = review.beginning.as_ref().is_some_and(|beginning| beginning.reference == biz_ref);
    if named && !traced { Ok(()) } else { Err(mismatch("trace")) }
}

/// The carrier's number for it, the weightiest it gave.
fn receipt(answer: &Authorization, biz_ref: &str, set: &Transaction) -> Receipt {
    let order = [
        (NumberKind::Authorization, "certification"),
        (NumberKind::Tracking, "tracking"),
        (NumberKind::Case, "case"),
        (NumberKind::Decision, "decision"),
        (NumberKind::Trace, "trace"),
    ];
    for (kind, word) in order {
        let own = answer.numbers.iter().find(|number| number.kind == kind && number.value.text() != biz_ref);
        if let Some(number) = own {
            return Receipt::new(word, number.value.clone());
        }
    }
    // It answered with a decision and no number of its own: its message is the proof.
    let control = set.interchange.as_deref().map(|interchange| interchange.control.clone()).unwrap_or_default();
    Receipt::new("interchange", control)
}

fn held(code: &CarrierCode) -> bool {
    code.follow_up.as_deref().is_some_and(|follow_up| HELD.contains(&follow_up))
}

fn no_effect(settings: &settings::AuthorizationSettings, refusal: &Refusal) -> bool {
    !refusal.carrier_codes.is_empty()
        && refusal.carrier_codes.iter().all(|code| settings.no_effect_codes.contains(&code.code) && !held(code))
}

fn of_acknowledgment(ack: &Acknowledgment) -> Refusal {
    let notes = ack.notes.iter().take(CODES_MAX);
    let codes = notes.map(|note| {
        let meaning = note.meaning.map(str::to_owned);
        code(note.segment.clone(), format!("{} {} {}", ack.kind, note.element, note.code), meaning)
    });
    let mut refusal = Refusal::new(RefusalReason::NeedsMoreInformation);
    refusal.carrier_codes = codes.collect();
    refusal
}

fn refused(code: CarrierCode) -> Refusal {
    Refusal::new(RefusalReason::Other).code(code)
}

fn code(segment: Option<String>, code: String, meaning: Option<String>) -> CarrierCode {
    CarrierCode { loop_id: segment, code, follow_up: None, meaning }
}

fn mismatch(of: &'static str) -> Error {
    Error::new(ErrorKind::AnswerMismatch, "The carrier's reply belongs to another request.").fact("differs", of)
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, message)
}
