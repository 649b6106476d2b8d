//! The CORE envelope as such: what goes on the outside of a question, and how a reply of any shape is opened.
//!
//! A reply is opened by what it *is* (XML, multipart, a bare interchange), not by what was asked for: carriers answer a
//! MIME request with a bare interchange, a SOAP request with MTOM, and anything with a web page.

use bytes::Bytes;
use connector_sdk::{Context, Error, ErrorKind, Result};
use http::{Request, Response, StatusCode};

use crate::classify;
use crate::fault::{self, Verdict};
use crate::metadata::{Fields, Metadata, bare};
use crate::multipart::{self, MediaType, Part};
use crate::partner::Partner;
use crate::settings::Envelope;
use crate::{mime, plain, soap, xml};

/// An interchange in its envelope.
pub(crate) struct Wrapped {
    /// Ready to be sent.
    pub(crate) request: Request<Bytes>,
    /// The `PayloadID` in it; unused where the envelope has none.
    pub(crate) payload_id: String,
}

/// Wraps an interchange the way this carrier wants it.
///
/// # Errors
/// [`ErrorKind::Internal`] when the request cannot be put together; checked settings never do that.
pub(crate) fn wrap(partner: &Partner, ctx: &Context, payload_type: &str, payload: &str) -> Result<Wrapped> {
    let metadata = Metadata::draw(partner, ctx, payload_type);
    let mut request = match partner.settings.envelope {
        Envelope::Soap => soap::request(partner, ctx, &metadata, payload),
        Envelope::Mime => mime::request(partner, ctx, &metadata, payload),
        Envelope::Plain => plain::request(partner, payload),
    }
    .map_err(|_| Error::new(ErrorKind::Internal, "The request could not be put together."))?;
    for (name, value) in &partner.headers {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(Wrapped { request, payload_id: metadata.payload_id })
}

/// An opened reply.
pub(crate) struct Opened {
    /// What the envelope says the payload is, where there is an envelope and it says so.
    pub(crate) payload_type: Option<String>,
    /// The interchange.
    pub(crate) payload: Bytes,
}

/// Opens a reply and judges its envelope.
///
/// # Errors
/// The failure that the status, the envelope's error code or the fault stands for; [`ErrorKind::ProtocolBroken`] when
/// it is none of the known shapes.
pub(crate) async fn open(reply: &Response<Bytes>, now: jiff::Timestamp) -> Result<Opened> {
    let status = reply.status();
    // These three mean the same whatever stands in the body.
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return Err(classify::classify(reply, now));
    }
    match fields(reply).await {
        Ok(Some(fields)) => judge(fields, status).map_err(|error| prefer(error, reply, now)),
        Ok(None) => Err(classify::classify(reply, now)),
        // An unreadable body under an error status: the status says more.
        Err(_) if !status.is_success() => Err(classify::classify(reply, now)),
        Err(error) => Err(error.fact("status", status)),
    }
}

/// Under an error status, an envelope that says nothing of its own gives way to what the status says.
fn prefer(error: Error, reply: &Response<Bytes>, now: jiff::Timestamp) -> Error {
    let empty = error.message == NO_PAYLOAD;
    if empty && !reply.status().is_success() { classify::classify(reply, now) } else { error }
}

/// The fields of whatever envelope the body is; `None` when it is none.
async fn fields(reply: &Response<Bytes>) -> Result<Option<Fields>> {
    let body = reply.body();
    let media = MediaType::of(reply.headers());
    if media.is_multipart() {
        let parts = multipart::parts(&media, body.clone()).await?;
        return from_parts(&media, &parts).map(Some);
    }
    if let Some(payload) = bare(body) {
        return Ok(Some(Fields { payload: Some(payload), ..Fields::default() }));
    }
    let is_xml = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start().starts_with(b"<");
    if is_xml && !classify::is_html(body) {
        return soap::fields(&xml::read(body)?, &[]).map(Some);
    }
    Ok(None)
}

fn from_parts(media: &MediaType, parts: &[Part]) -> Result<Fields> {
    // MTOM: the part named by `start`, else the first, is the SOAP envelope; the others are attachments.
    let start = media.parameter("start").map(|id| id.trim_start_matches('<').trim_end_matches('>'));
    let root =
        start.and_then(|start| parts.iter().find(|part| part.id.as_deref() == Some(start))).or_else(|| parts.first());
    match root {
        Some(root) if root.content.trim_ascii_start().starts_with(b"<") => {
            soap::fields(&xml::read(&root.content)?, parts)
        }
        _ => mime::fields(parts),
    }
}

const NO_PAYLOAD: &str = "The carrier's envelope holds no interchange.";

fn judge(fields: Fields, status: StatusCode) -> Result<Opened> {
    if let Some(fault) = fields.fault {
        return Err(fault.fact("status", status));
    }
    let code = fields.error_code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    let is_error_type =
        fields.payload_type.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case("COREEnvelopeError"));
    // An envelope of the error type is an error, even if its code is missing or says success.
    let verdict = match code {
        Some(code) => fault::judge_with(code, fields.error_message.as_deref().unwrap_or_default()),
        None => Verdict::Success,
    };
    match verdict {
        Verdict::Failed(error) => return Err(error.fact("status", status)),
        Verdict::Success if is_error_type => {
            return Err(Error::new(ErrorKind::ProtocolBroken, "The carrier refused the envelope and did not say why.")
                .fact("status", status));
        }
        Verdict::Success => {}
    }
    let payload = fields.payload.filter(|payload| !payload.trim_ascii().is_empty());
    let Some(payload) = payload else {
        return Err(Error::new(ErrorKind::ProtocolBroken, NO_PAYLOAD).fact("status", status));
    };
    let payload =
        bare(&payload).or_else(|| multipart::decode_base64(&payload).and_then(|decoded| bare(&decoded))).ok_or_else(
            || Error::new(ErrorKind::ProtocolBroken, "The payload of the carrier's envelope is no interchange."),
        )?;
    Ok(Opened { payload_type: fields.payload_type.map(|name| name.trim().to_owned()), payload })
}
