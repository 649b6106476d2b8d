//! The paper trail as the stack's ledger: envelope, evidence and record in one durable step.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector_sdk::{BoxFuture, Error, ErrorKind};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::audit::Ledger;
use super::envelope::{Envelope, OutcomeWord};
use super::{Ask, Question};
use crate::trail::{Detail, OutcomeKind, PatientKey, Trail, TrailRecord, Use, repeating};
use crate::wire::Exchange;

/// One request and its reply, as `GET …/raw` shows them. Secrets are markers.
#[derive(Serialize, JsonSchema)]
pub struct ExchangeView {
    /// When the request left, by our clock.
    at: Timestamp,
    /// When the carrier answered, by its own clock (`Date` of the reply); absent where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier_at: Option<Timestamp>,
    /// Milliseconds until the whole reply was there.
    took_ms: u64,
    /// The request.
    request: MessageView,
    /// HTTP status of the reply; absent when none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The reply.
    response: MessageView,
    /// Why no reply came, in fixed words.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Whether a body was cut because the exchange had grown too large to keep.
    cut: bool,
}

/// A message's head and body.
#[derive(Serialize, JsonSchema)]
pub struct MessageView {
    /// Request line or status line, and headers.
    head: String,
    /// The body: as text, or in Base64 where it is none.
    body: String,
    /// `text` or `base64`.
    encoding: &'static str,
}

impl From<&Exchange> for ExchangeView {
    fn from(exchange: &Exchange) -> Self {
        Self {
            at: exchange.at,
            carrier_at: carrier_date(&exchange.response_head),
            took_ms: u64::try_from(exchange.took.as_millis()).unwrap_or(u64::MAX),
            request: message(&exchange.request_head, &exchange.request_body),
            status: exchange.status,
            response: message(&exchange.response_head, &exchange.response_body),
            failure: exchange.failure.as_ref().map(ToString::to_string),
            cut: exchange.cut,
        }
    }
}

/// The carrier's clock: the `Date` header of a reply (RFC 9110, 6.6.1).
fn carrier_date(head: &[u8]) -> Option<Timestamp> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then_some(value.trim())
    })?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(line).ok()
}

fn message(head: &[u8], body: &[u8]) -> MessageView {
    let head = String::from_utf8_lossy(head).into_owned();
    match std::str::from_utf8(body) {
        Ok(text) => MessageView { head, body: text.to_owned(), encoding: "text" },
        Err(_) => MessageView { head, body: STANDARD.encode(body), encoding: "base64" },
    }
}

impl Ledger for Trail {
    fn keep<'a>(
        &'a self,
        question: &'a Question,
        envelope: &'a Envelope,
        exchanges: &'a [Exchange],
        first: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let unwritable = |_| Error::new(ErrorKind::Internal, "The answer cannot be written down.");
            let body = match first.filter(|_| envelope.answer.is_some()) {
                // A saved answer is the larger part of its envelope by far, and is there already.
                Some(first) => {
                    let rest = Envelope { answer: None, ..envelope.clone() };
                    repeating(first, &serde_json::to_value(rest).map_err(unwritable)?)
                }
                None => serde_json::to_vec(envelope).map_err(unwritable)?,
            };
            let evidence = if exchanges.is_empty() {
                None
            } else {
                let views: Vec<ExchangeView> = exchanges.iter().map(ExchangeView::from).collect();
                Some(serde_json::to_vec(&views).map_err(unwritable)?)
            };
            let record = record(question, envelope).detail(detail(question, envelope));
            let practice = question.caller.practice();
            self.complete(practice, &question.id, &body, evidence.as_deref(), record).await?;
            Ok(())
        })
    }

    fn held(&self) -> Option<Error> {
        const TEXT: &str = "The paper trail was put back to an earlier state; no carrier is asked until whoever runs this \
            gateway has accepted it.";
        Trail::held(self).map(|_| Error::new(ErrorKind::Internal, TEXT))
    }
}

/// What the record commits to without saying it: about whom, what, under which of the carrier's identities.
fn detail(question: &Question, envelope: &Envelope) -> Detail {
    let Ask::Eligibility(ask) = &*question.ask;
    let patient = serde_json::json!({ "member": ask.member, "dependent": ask.dependent });
    Detail::default()
        .patient(PatientKey::of(&ask.carrier, &ask.member, ask.dependent.as_ref()))
        .say("patient", patient)
        .say("service", serde_json::to_value(&ask.service).unwrap_or_default())
        .say("provider_npi", ask.provider.npi.clone())
        .say("carrier_identity", envelope.source.credential.clone())
        .say("carrier_trace", envelope.source.trace.clone())
        .say("why", "eligibility question")
}

fn record(question: &Question, envelope: &Envelope) -> TrailRecord {
    let practice = question.caller.practice();
    let mut record = TrailRecord::new(practice, &question.caller.actor(), "eligibility.answered")
        .carrier(&envelope.carrier)
        .operation(envelope.operation)
        .outcome(match envelope.outcome {
            OutcomeWord::Answered => OutcomeKind::Answered,
            OutcomeWord::Refused => OutcomeKind::Refused,
            OutcomeWord::Pending | OutcomeWord::Failed => OutcomeKind::Failed,
        })
        .purpose(Use::Payment)
        .cached(envelope.freshness.cached)
        .total_ms(envelope.timing.total_ms)
        .ask(&question.id);
    if let Some(batch) = &question.batch {
        record = record.subject(batch);
    }
    if let Some(failure) = &envelope.failure {
        record = record.failure(failure.kind);
    }
    if let Some(refusal) = &envelope.refusal {
        record = record.refusal(refusal.reason);
    }
    if let Some(evidence) = &envelope.evidence {
        record = record.evidence(evidence);
    }
    if let Some(credential) = &envelope.source.credential {
        record = record.credential(credential);
    }
    record
}
