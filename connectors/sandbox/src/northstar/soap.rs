//! The CORE envelope in SOAP 1.2: reading a request, writing replies and faults.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

use crate::{mime, xml};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const CORE: &str = "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd";
const RULE_VERSION: &str = "2.2.0";
/// What it takes.
const PAYLOAD_TYPES: [&str; 3] = ["X12_270_Request_005010X279A1", REVIEW_REQUEST, REVIEW_INQUIRY];
/// A request for review.
pub(super) const REVIEW_REQUEST: &str = "X12_278_Request_005010X217E1_2";
/// An inquiry about one.
pub(super) const REVIEW_INQUIRY: &str = "X12_278_Request_005010X215";

/// What a real-time request says.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) password_kind: String,
    pub(super) nonce: String,
    pub(super) created: String,
    pub(super) payload: String,
    pub(super) payload_type: String,
    pub(super) processing_mode: String,
    pub(super) payload_id: String,
    pub(super) time_stamp: String,
    pub(super) sender: String,
    pub(super) receiver: String,
    pub(super) rule_version: String,
    pub(super) request: bool,
}

impl Envelope {
    /// Reads a plain or an MTOM request.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, &'static str> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let lower = content_type.to_ascii_lowercase();
        if lower.starts_with("multipart/related") {
            let parts = mime::boundary(content_type).and_then(|boundary| mime::parts(body, &boundary));
            let parts = parts.ok_or("The MIME boundary does not fit the body")?;
            let (root, others) = parts.split_first().ok_or("The message has no part")?;
            let mut envelope = Self::of(root.body)?;
            if let Some(cid) = envelope.payload.strip_prefix("cid:") {
                let wanted = format!("<{}>", cid.to_ascii_lowercase());
                let part = others.iter().find(|part| part.head.contains(&wanted)).ok_or("The attachment is missing")?;
                envelope.payload = String::from_utf8_lossy(part.body).into_owned();
            }
            Ok(envelope)
        } else if lower.starts_with("application/soap+xml") {
            Self::of(body)
        } else {
            Err("The content type is not application/soap+xml")
        }
    }

    fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "The message is not UTF-8")?;
        let elements = xml::elements(text).ok_or("The message is not well-formed")?;
        let mut envelope = Self::default();
        for element in elements {
            let value = element.text.trim().to_owned();
            match element.name.as_str() {
                "Username" => envelope.user = value,
                "Password" => (envelope.password, envelope.password_kind) = (value, element.kind),
                "Nonce" => envelope.nonce = value,
                "Created" => envelope.created = value,
                "COREEnvelopeRealTimeRequest" => envelope.request = true,
                "PayloadType" => envelope.payload_type = value,
                "ProcessingMode" => envelope.processing_mode = value,
                "PayloadID" => envelope.payload_id = value,
                "TimeStamp" => envelope.time_stamp = value,
                "SenderID" => envelope.sender = value,
                "ReceiverID" => envelope.receiver = value,
                "CORERuleVersion" => envelope.rule_version = value,
                "Payload" => envelope.payload = value,
                "Include" => envelope.payload = element.href,
                _ => {}
            }
        }
        if envelope.request { Ok(envelope) } else { Err("The body is not a COREEnvelopeRealTimeRequest") }
    }

    /// The first thing wrong with the metadata, with its CORE error code.
    pub(super) fn problem(&self, receiver: &str) -> Option<(&'static str, String)> {
        for (name, code, value) in [
            ("PayloadType", "PayloadTypeRequired", &self.payload_type),
            ("ProcessingMode", "ProcessingModeRequired", &self.processing_mode),
            ("PayloadID", "PayloadIDRequired", &self.payload_id),
            ("TimeStamp", "TimeStampRequired", &self.time_stamp),
            ("SenderID", "SenderIDRequired", &self.sender),
            ("ReceiverID", "ReceiverIDRequired", &self.receiver),
            ("CORERuleVersion", "CORERuleVersionRequired", &self.rule_version),
            ("Payload", "PayloadRequired", &self.payload),
        ] {
            if value.is_empty() {
                return Some((code, format!("{name} is required.")));
            }
        }
        if self.rule_version != RULE_VERSION {
            return Some(("VersionMismatch", "The CORE rule version is not supported.".into()));
        }
        if !PAYLOAD_TYPES.contains(&self.payload_type.as_str()) {
            return Some(("PayloadTypeIllegal", "This payload type is not supported.".into()));
        }
        if self.processing_mode != "RealTime" {
            return Some(("ProcessingModeIllegal", "Only RealTime is supported.".into()));
        }
        if self.receiver != receiver {
            return Some(("ReceiverIDIllegal", "The receiver is not known.".into()));
        }
        if self.time_stamp.parse::<Timestamp>().is_err() {
            return Some(("TimeStampIllegal", "The time stamp cannot be read.".into()));
        }
        None
    }
}

/// A reply in the making.
pub(super) struct Reply {
    payload_type: &'static str,
    payload_id: String,
    sender: String,
    receiver: String,
    payload: String,
    error_code: String,
    error_message: String,
}

impl Reply {
    pub(super) fn ok(envelope: &Envelope, payload_type: &'static str, payload: String) -> Self {
        Self { payload, error_code: "Success".into(), error_message: String::new(), ..Self::to(envelope, payload_type) }
    }

    pub(super) fn error(envelope: &Envelope, code: &str, message: &str) -> Self {
        Self { error_code: code.into(), error_message: message.into(), ..Self::to(envelope, "CoreEnvelopeError") }
    }

    fn to(envelope: &Envelope, payload_type: &'static str) -> Self {
        Self {
            payload_type,
            payload_id: envelope.payload_id.clone(),
            sender: envelope.receiver.clone(),
            receiver: envelope.sender.clone(),
            payload: String::new(),
            error_code: String::new(),
            error_message: String::new(),
        }
    }

    /// SOAP with the interchange as escaped text.
    pub(super) fn response(&self) -> Response {
        (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")],
            self.xml(&xml::escape(&self.payload)),
        )
            .into_response()
    }

    /// SOAP with the interchange as an MTOM attachment.
    pub(super) fn mtom(&self) -> Response {
        let include = "<xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:payload%40northstar.example\"/>";
        let root = self.xml(include);
        let payload = &self.payload;
        let body = format!(
            "--MTOM-northstar\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
             Content-Transfer-Encoding: 8bit\r\nContent-ID: <root@northstar.example>\r\n\r\n{root}\r\n\
             --MTOM-northstar\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <payload@northstar.example>\r\n\r\n{payload}\r\n--MTOM-northstar--\r\n"
        );
        let content_type = "multipart/related; type=\"application/xop+xml\"; start=\"<root@northstar.example>\"; \
                            start-info=\"application/soap+xml\"; boundary=\"MTOM-northstar\"";
        (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response()
    }

    fn xml(&self, payload: &str) -> String {
        let field = |name: &str, value: &str| {
            if value.is_empty() { String::new() } else { format!("<{name}>{value}</{name}>") }
        };
        let fields = [
            field("PayloadType", self.payload_type),
            field("ProcessingMode", "RealTime"),
            field("PayloadID", &xml::escape(&self.payload_id)),
            field("TimeStamp", &Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            field("SenderID", &xml::escape(&self.sender)),
            field("ReceiverID", &xml::escape(&self.receiver)),
            field("CORERuleVersion", RULE_VERSION),
            field("Payload", payload),
            field("ErrorCode", &self.error_code),
            field("ErrorMessage", &xml::escape(&self.error_message)),
        ]
        .concat();
        envelope(&format!(
            "<ns1:COREEnvelopeRealTimeResponse xmlns:ns1=\"{CORE}\">{fields}</ns1:COREEnvelopeRealTimeResponse>"
        ))
    }
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><S:Envelope xmlns:S=\"{SOAP}\"><S:Body>{body}</S:Body></S:Envelope>"
    )
}

/// A SOAP fault, with any HTTP status: carriers differ.
pub(super) fn fault(status: u16, code: &str, subcode: Option<&str>, reason: &str) -> Response {
    let subcode = subcode.map_or_else(String::new, |subcode| {
        format!(
            "<S:Subcode><S:Value xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">{subcode}</S:Value></S:Subcode>"
        )
    });
    let body = format!(
        "<S:Fault><S:Code><S:Value>S:{code}</S:Value>{subcode}</S:Code><S:Reason><S:Text xml:lang=\"en\">{reason}</S:Text></S:Reason></S:Fault>"
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], envelope(&body)).into_response()
}
