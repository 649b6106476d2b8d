//! What stands in an envelope whatever its kind: the metadata of a request, the fields of a reply.

use bytes::Bytes;
use connector_sdk::{Context, Error};

use crate::partner::Partner;
use crate::settings::{LetterCase, PayloadId, TimestampFormat};

/// The metadata that differ from question to question.
pub(crate) struct Metadata {
    /// `PayloadType`.
    pub(crate) payload_type: String,
    /// `PayloadID`.
    pub(crate) payload_id: String,
    /// `TimeStamp`.
    pub(crate) timestamp: String,
}

impl Metadata {
    /// Draws them from the host.
    pub(crate) fn draw(partner: &Partner, ctx: &Context, payload_type: &str) -> Self {
        let id = match partner.settings.payload_id {
            PayloadId::Uuid => uuid(ctx.random()),
            PayloadId::Trace => ctx.trace().to_owned(),
        };
        let payload_id = match partner.settings.payload_id_case {
            LetterCase::Lower => id.to_ascii_lowercase(),
            LetterCase::Upper => id.to_ascii_uppercase(),
        };
        Self {
            payload_type: payload_type.to_owned(),
            payload_id,
            timestamp: timestamp(ctx.now(), partner.settings.timestamp),
        }
    }
}

/// A version 4 UUID (RFC 9562) of these random bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let number = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        (number >> 80) & 0xffff,
        (number >> 64) & 0xffff,
        (number >> 48) & 0xffff,
        number & 0xffff_ffff_ffff
    )
}

/// A time as the carrier wants it written, in universal time.
pub(crate) fn timestamp(at: jiff::Timestamp, format: TimestampFormat) -> String {
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    let millis = at.subsec_millisecond();
    match format {
        TimestampFormat::Utc => format!("{seconds}Z"),
        TimestampFormat::UtcMillis => format!("{seconds}.{millis:03}Z"),
        TimestampFormat::Offset => format!("{seconds}+00:00"),
        TimestampFormat::OffsetMillis => format!("{seconds}.{millis:03}+00:00"),
    }
}

/// What an envelope holds, before it is judged.
#[derive(Default)]
pub(crate) struct Fields {
    /// `PayloadType`.
    pub(crate) payload_type: Option<String>,
    /// `ErrorCode`.
    pub(crate) error_code: Option<String>,
    /// `ErrorMessage`: read to tell a refused sign-in, never kept.
    pub(crate) error_message: Option<String>,
    /// `Payload`, as it stood there.
    pub(crate) payload: Option<Bytes>,
    /// What a SOAP fault stands for; then there is nothing else.
    pub(crate) fault: Option<Error>,
}

/// The bytes from the interchange's first one on, when the body is an interchange and nothing else before it.
pub(crate) fn bare(body: &Bytes) -> Option<Bytes> {
    let without_mark = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let begin = body.len() - without_mark.trim_ascii_start().len();
    let rest = body.slice(begin..);
    rest.starts_with(b"ISA").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_version_and_variant() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn times_are_written_in_four_ways() {
        let at = "2026-11-23T14:00:00.5Z".parse().unwrap();
        assert_eq!(timestamp(at, TimestampFormat::Utc), "2026-11-23T14:00:00Z");
        assert_eq!(timestamp(at, TimestampFormat::UtcMillis), "2026-11-23T14:00:00.500Z");
        assert_eq!(timestamp(at, TimestampFormat::Offset), "2026-11-23T14:00:00+00:00");
        assert_eq!(timestamp(at, TimestampFormat::OffsetMillis), "2026-11-23T14:00:00.500+00:00");
    }
}
