//! SOAP with WS-Security UsernameToken: the real-time request, and what a reply's envelope or fault holds.
//!
//! Shapes: CAQH CORE connectivity rule 2.2.0, WSDL and XSD (the fields are unqualified, only the outer element has the
//! rule's namespace); OASIS Web Services Security UsernameToken Profile 1.0; SOAP 1.1 and 1.2; XOP.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connector_sdk::{Context, Error, ErrorKind, Escape, Result, Secret};
use http::Request;
use quick_xml::escape::escape;

use crate::fault::{self, Verdict};
use crate::metadata::{self, Fields, Metadata};
use crate::multipart::Part;
use crate::partner::Partner;
use crate::settings::{Auth, PasswordType, PayloadForm, SoapVersion, TimestampFormat};
use crate::xml::Element;

const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const TOKEN: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// The real-time request.
pub(crate) fn request(
    partner: &Partner,
    ctx: &Context,
    metadata: &Metadata,
    payload: &str,
) -> http::Result<Request<Bytes>> {
    let soap = &partner.soap;
    let namespace = match soap.version {
        SoapVersion::V11 => SOAP_11,
        SoapVersion::V12 => SOAP_12,
    };
    let header = match partner.auth {
        Auth::Envelope => security(partner, ctx),
        Auth::Basic | Auth::Header | Auth::None => String::new(),
    };
    let body = body(partner, metadata, payload);
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{namespace}\">\
         <soap:Header>{header}</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    );
    let quoted = format!("\"{}\"", soap.action);
    let mut request =
        Request::post(&partner.endpoint).header("accept", "application/soap+xml, multipart/related, text/xml");
    request = match soap.version {
        SoapVersion::V11 => request.header("content-type", "text/xml; charset=UTF-8"),
        SoapVersion::V12 => {
            request.header("content-type", format!("application/soap+xml; charset=UTF-8; action={quoted}"))
        }
    };
    if soap.action_header || soap.version == SoapVersion::V11 {
        request = request.header("soapaction", quoted);
    }
    request.body(Bytes::from(document))
}

/// The security header. Secrets stand in it as markers.
fn security(partner: &Partner, ctx: &Context) -> String {
    let soap = &partner.soap;
    let nonce: [u8; 16] = ctx.random();
    // The security profile wants universal time; carriers that asked for fractions of a second get them here too.
    let created = metadata::timestamp(
        ctx.now(),
        match partner.settings.timestamp {
            TimestampFormat::Utc | TimestampFormat::Offset => TimestampFormat::Utc,
            TimestampFormat::UtcMillis | TimestampFormat::OffsetMillis => TimestampFormat::UtcMillis,
        },
    );
    let digest = soap.password_type == PasswordType::Digest;
    let user = ctx.marker(&Secret::Field("username"), Escape::Xml);
    let (kind, password) = if digest {
        ("PasswordDigest", ctx.marker(&Secret::WsDigest { nonce: &nonce, created: &created }, Escape::Xml))
    } else {
        ("PasswordText", ctx.marker(&Secret::Field("password"), Escape::Xml))
    };
    let must = match (soap.must_understand, soap.version) {
        (true, SoapVersion::V11) => " soap:mustUnderstand=\"1\"",
        (true, SoapVersion::V12) => " soap:mustUnderstand=\"true\"",
        (false, _) => "",
    };
    let mut text = format!(
        "<wsse:Security{must} xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\"><wsse:UsernameToken>\
         <wsse:Username>{user}</wsse:Username><wsse:Password Type=\"{TOKEN}#{kind}\">{password}</wsse:Password>"
    );
    if soap.nonce || digest {
        let nonce = STANDARD.encode(nonce);
        let _ = write!(text, "<wsse:Nonce EncodingType=\"{BASE64}\">{nonce}</wsse:Nonce>");
    }
    if soap.created || digest {
        let _ = write!(text, "<wsu:Created>{created}</wsu:Created>");
    }
    text.push_str("</wsse:UsernameToken></wsse:Security>");
    text
}

fn body(partner: &Partner, metadata: &Metadata, payload: &str) -> String {
    let settings = &partner.settings;
    let payload = match partner.soap.payload {
        // The one text that a CDATA section cannot hold is its own end; it is split over two sections.
        PayloadForm::Cdata => format!("<![CDATA[{}]]>", payload.replace("]]>", "]]]]><![CDATA[>")),
        PayloadForm::Escaped => escape(payload).into_owned(),
        PayloadForm::Base64 => STANDARD.encode(payload),
    };
    let namespace = partner.soap_namespace();
    let mut text = format!("<core:COREEnvelopeRealTimeRequest xmlns:core=\"{}\">", escape(namespace.as_str()));
    let fields = [
        ("PayloadType", metadata.payload_type.as_str()),
        ("ProcessingMode", "RealTime"),
        ("PayloadID", &metadata.payload_id),
        ("TimeStamp", &metadata.timestamp),
        ("SenderID", &settings.sender_id),
        ("ReceiverID", &settings.receiver_id),
        ("CORERuleVersion", &settings.rule_version),
    ];
    for (name, value) in fields {
        let _ = write!(text, "<{name}>{}</{name}>", escape(value));
    }
    let _ = write!(text, "<Payload>{payload}</Payload></core:COREEnvelopeRealTimeRequest>");
    text
}

/// The fields of a reply's envelope. `attachments` are the parts of an MTOM reply.
///
/// # Errors
/// [`ErrorKind::ProtocolBroken`] when the document is no CORE envelope.
pub(crate) fn fields(root: &Element, attachments: &[Part]) -> Result<Fields> {
    let content = if root.name == "Envelope" {
        let body = root.child("Body").ok_or_else(|| broken("The carrier's SOAP envelope has no body."))?;
        body.children.first().ok_or_else(|| broken("The carrier's SOAP body is empty."))?
    } else {
        root
    };
    if content.name == "Fault" {
        return Ok(Fields { fault: Some(fault_error(content)), ..Fields::default() });
    }
    let text = |name| Ok::<_, Error>(content.only(name)?.map(|element| element.text.trim().to_owned()));
    let (payload_type, error_code, error_message) = (text("PayloadType")?, text("ErrorCode")?, text("ErrorMessage")?);
    let payload = content.only("Payload")?;
    if payload_type.is_none() && error_code.is_none() && payload.is_none() {
        return Err(broken("The carrier's XML is no CORE envelope."));
    }
    let payload = payload.map(|element| payload_bytes(element, attachments)).transpose()?;
    Ok(Fields { payload_type, error_code, error_message, payload, fault: None })
}

fn payload_bytes(element: &Element, attachments: &[Part]) -> Result<Bytes> {
    let Some(include) = element.find("Include") else { return Ok(Bytes::from(element.text.clone().into_bytes())) };
    let id = include
        .href
        .as_deref()
        .and_then(|href| href.trim().strip_prefix("cid:"))
        .map(percent_decode)
        .ok_or_else(|| broken("The carrier's envelope points to an attachment in a way that is not read."))?;
    let mut found = attachments.iter().filter(|part| part.id.as_deref().map(str::as_bytes) == Some(&id));
    match (found.next(), found.next()) {
        (Some(part), None) => Ok(part.content.clone()),
        _ => Err(broken("The carrier's envelope points to an attachment that is not there, or there twice.")),
    }
}

/// RFC 3986 percent-decoding, as RFC 2392 wants for `cid:`.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        if let (b'%', [high, low, tail @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high * 16 + low);
            rest = tail;
        } else {
            decoded.push(*byte);
        }
    }
    decoded
}

/// What a SOAP 1.1 or 1.2 fault stands for.
fn fault_error(fault: &Element) -> Error {
    // SOAP 1.2 nests Code/Value and Code/Subcode/Value/Subcode…; SOAP 1.1 has faultcode. A CORE error code may stand in
    // the detail. The most telling of them decides, the outermost where none is.
    let mut codes: Vec<&str> = Vec::new();
    let mut code = fault.child("Code");
    while let Some(level) = code {
        codes.extend(level.child("Value").map(|value| value.text.trim()));
        code = level.child("Subcode");
    }
    codes.extend(fault.child("faultcode").map(|value| value.text.trim()));
    let detail = fault.child("Detail").or_else(|| fault.child("detail"));
    codes.extend(detail.and_then(|detail| detail.find("ErrorCode")).map(|value| value.text.trim()));
    let reason = fault
        .child("Reason")
        .and_then(|reason| reason.child("Text"))
        .or_else(|| fault.child("faultstring"))
        .map_or("", |text| text.text.as_str());
    let telling = codes.iter().rev().find(|code| fault::is_telling(code)).or_else(|| codes.first());
    match fault::judge_with(telling.copied().unwrap_or_default(), reason) {
        Verdict::Failed(error) => error.fact("shape", "soap_fault"),
        Verdict::Success => broken("The carrier sent a SOAP fault that says it is none."),
    }
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    fn read(document: &str) -> Result<Fields> {
        fields(&xml::read(document.as_bytes()).unwrap(), &[])
    }

    #[test]
    fn faults_of_both_versions_are_judged_by_their_most_telling_code() {
        let cases = [
            (
                "<e:Envelope><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>w:FailedAuthentication</e:Value></e:Subcode></e:Code><e:Reason><e:Text>no</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>",
                ErrorKind::CredentialRejected,
            ),
            (
                "<Envelope><Body><Fault><Code><Value>Sender</Value></Code><Reason><Text>Invalid username or password.</Text></Reason></Fault></Body></Envelope>",
                ErrorKind::CredentialRejected,
            ),
            (
                "<s:Envelope><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>upstream not reachable</faultstring></s:Fault></s:Body></s:Envelope>",
                ErrorKind::CarrierUnavailable,
            ),
            (
                "<s:Envelope><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>Down for Maintenance</faultstring></s:Fault></s:Body></s:Envelope>",
                ErrorKind::CarrierClosed,
            ),
            (
                "<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring><detail><n:ErrorCode>PayloadTypeIllegal</n:ErrorCode></detail></s:Fault></s:Body></s:Envelope>",
                ErrorKind::ProtocolBroken,
            ),
            ("<s:Envelope><s:Body><s:Fault/></s:Body></s:Envelope>", ErrorKind::ProtocolBroken),
        ];
        for (document, kind) in cases {
            assert_eq!(read(document).unwrap().fault.unwrap().kind, kind, "{document}");
        }
    }

    #[test]
    fn the_payload_may_be_text_cdata_or_an_attachment_and_stand_once() {
        let wrap = |inner: &str| {
            format!(
                "<E:Envelope><E:Body><x:COREEnvelopeRealTimeResponse><PayloadType>T</PayloadType>{inner}</x:COREEnvelopeRealTimeResponse></E:Body></E:Envelope>"
            )
        };
        let text = read(&wrap("<Payload>ISA&gt;</Payload>")).unwrap().payload.unwrap();
        assert_eq!(&text[..], b"ISA>");
        let cdata = read(&wrap("<Payload><![CDATA[ISA>]]></Payload>")).unwrap().payload.unwrap();
        assert_eq!(text, cdata);
        assert!(read(&wrap("<Payload>a</Payload><Payload>b</Payload>")).is_err());
        let part = |id: &str| Part { name: None, id: Some(id.to_owned()), content: Bytes::from_static(b"ISA!") };
        let included = wrap("<Payload><i:Include href=\"cid:p%401\"/></Payload>");
        let root = xml::read(included.as_bytes()).unwrap();
        assert_eq!(&fields(&root, &[part("other"), part("p@1")]).unwrap().payload.unwrap()[..], b"ISA!");
        assert!(fields(&root, &[part("other")]).is_err());
        assert!(fields(&root, &[part("p@1"), part("p@1")]).is_err());
    }

    #[test]
    fn other_documents_are_no_envelope() {
        for document in
            ["<a/>", "<Envelope/>", "<Envelope><Body/></Envelope>", "<Envelope><Body><x/></Body></Envelope>"]
        {
            assert_eq!(read(document).err().unwrap().kind, ErrorKind::ProtocolBroken);
        }
    }

    #[test]
    fn percent_decoding_leaves_broken_escapes_alone() {
        assert_eq!(percent_decode("a%40b%zz%4"), b"a@b%zz%4");
    }
}
