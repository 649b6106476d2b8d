//! HTTP MIME multipart: the real-time request, and what a multipart reply holds.
//!
//! Shape: CAQH CORE connectivity rule 2.2.0, section on HTTP MIME multipart: `multipart/form-data`, one field for each
//! of the envelope's metadata, the interchange last. Clients and carriers differ in how they spell the fields' names.

use bytes::Bytes;
use connector_sdk::{Context, Error, ErrorKind, Escape, Result, Secret};
use http::Request;

use crate::metadata::{self, Fields, Metadata};
use crate::multipart::Part;
use crate::partner::Partner;
use crate::settings::Auth;

/// The real-time request.
pub(crate) fn request(
    partner: &Partner,
    ctx: &Context,
    metadata: &Metadata,
    payload: &str,
) -> http::Result<Request<Bytes>> {
    let settings = &partner.settings;
    let user = ctx.marker(&Secret::Field("username"), Escape::Plain);
    let password = ctx.marker(&Secret::Field("password"), Escape::Plain);
    let boundary = boundary(ctx, payload);
    let mut body = String::with_capacity(payload.len() + 2_048);
    for (key, name) in partner.mime.names() {
        let value = match key {
            "payload_type_field" => metadata.payload_type.as_str(),
            "processing_mode_field" => "RealTime",
            "payload_id_field" => &metadata.payload_id,
            "time_stamp_field" => &metadata.timestamp,
            "user_name_field" | "password_field" if partner.auth != Auth::Envelope => continue,
            "user_name_field" => user.as_str(),
            "password_field" => password.as_str(),
            "sender_id_field" => &settings.sender_id,
            "receiver_id_field" => &settings.receiver_id,
            "rule_version_field" => &settings.rule_version,
            _ => payload,
        };
        // No Content-Length inside the parts: the host changes the length of two of them when it puts the secrets in.
        body.push_str("--");
        body.push_str(&boundary);
        body.push_str("\r\nContent-Disposition: form-data; name=\"");
        body.push_str(name);
        body.push_str("\"\r\n\r\n");
        body.push_str(value);
        body.push_str("\r\n");
    }
    body.push_str("--");
    body.push_str(&boundary);
    body.push_str("--\r\n");
    Request::post(&partner.endpoint)
        .header("accept", "multipart/form-data, multipart/mixed")
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .body(Bytes::from(body))
}

/// A boundary that does not occur in the payload. Random, so the first one practically always fits.
fn boundary(ctx: &Context, payload: &str) -> String {
    let number = u128::from_be_bytes(ctx.random());
    let mut boundary = format!("portico-{number:032x}");
    while payload.contains(&boundary) {
        boundary.push('0');
    }
    boundary
}

/// The fields of a multipart reply, by name whatever its spelling. A single part that is an interchange will do.
///
/// # Errors
/// [`ErrorKind::ProtocolBroken`] when a field stands there twice, or nothing is recognised.
pub(crate) fn fields(parts: &[Part]) -> Result<Fields> {
    let one = |wanted: &str| {
        let mut found = parts
            .iter()
            .filter(|part| part.name.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case(wanted)));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            _ => Err(Error::new(ErrorKind::ProtocolBroken, "The carrier's envelope has the same field twice.")),
        }
    };
    let text = |wanted: &str| {
        Ok::<_, Error>(one(wanted)?.map(|part| String::from_utf8_lossy(part.content.trim_ascii()).into_owned()))
    };
    let (payload_type, error_code, error_message) = (text("PayloadType")?, text("ErrorCode")?, text("ErrorMessage")?);
    let payload = match one("Payload")? {
        Some(part) => Some(part.content.clone()),
        None => lone_interchange(parts),
    };
    if payload_type.is_none() && error_code.is_none() && payload.is_none() {
        return Err(Error::new(ErrorKind::ProtocolBroken, "The carrier's multipart reply is no CORE envelope."));
    }
    Ok(Fields { payload_type, error_code, error_message, payload, fault: None })
}

/// The one part that is an interchange, where no part is named as the payload.
fn lone_interchange(parts: &[Part]) -> Option<Bytes> {
    let mut found = parts.iter().filter_map(|part| metadata::bare(&part.content));
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: Option<&str>, content: &'static str) -> Part {
        Part { name: name.map(str::to_owned), id: None, content: Bytes::from_static(content.as_bytes()) }
    }

    #[test]
    fn names_are_read_in_any_spelling_and_once() {
        let read = fields(&[
            part(Some("payloadtype"), " T \r\n"),
            part(Some("ErrorCode"), "Success"),
            part(Some("PAYLOAD"), "ISA*"),
        ])
        .unwrap();
        assert_eq!((read.payload_type.as_deref(), read.error_code.as_deref()), (Some("T"), Some("Success")));
        assert!(fields(&[part(Some("Payload"), "ISA*"), part(Some("payload"), "ISA*")]).is_err());
    }

    #[test]
    fn a_lone_interchange_is_taken_and_two_are_not() {
        assert_eq!(&fields(&[part(None, "hello"), part(None, "\r\nISA*")]).unwrap().payload.unwrap()[..], b"ISA*");
        assert!(fields(&[part(None, "ISA*"), part(None, "ISA*")]).is_err());
        assert!(fields(&[]).is_err());
    }
}
