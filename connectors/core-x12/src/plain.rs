//! The raw interchange as the body, for carriers that do without an envelope. Who we are rides in an HTTP header, which
//! the host sets.

use bytes::Bytes;
use http::Request;

use crate::partner::Partner;

/// The request.
pub(crate) fn request(partner: &Partner, payload: &str) -> http::Result<Request<Bytes>> {
    Request::post(&partner.endpoint)
        .header("accept", "application/edi-x12, application/x12, text/plain")
        .header("content-type", partner.plain_content_type.clone())
        .body(Bytes::copy_from_slice(payload.as_bytes()))
}
