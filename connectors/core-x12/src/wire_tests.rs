//! Requests against what real clients put on the wire, and replies of every shape and fault.

use bytes::Bytes;
use connector_sdk::testing::{FakeHost, block_on};
use connector_sdk::{Error, ErrorKind};
use http::{HeaderMap, Request};

use crate::envelope;
use crate::fixtures::{MIME, PLAIN, captured, partner, reply};
use crate::multipart::{self, MediaType};
use crate::xml::{self, Element};

const INTERCHANGE: &str = "ISA*00*          *00*          *ZZ*PORTICO01      *ZZ*ACME           *261123*1400*^*00501*000000001*0*T*:~IEA*0*000000001~";

fn wrapped(partner: &crate::partner::Partner, host: &std::sync::Arc<FakeHost>, payload: &str) -> Request<Bytes> {
    envelope::wrap(partner, &host.context(), &partner.settings.payload_type_request, payload).unwrap().request
}

fn request(changes: &[(&str, &str)]) -> Request<Bytes> {
    let host = FakeHost::new(|_, _| unreachable!("nothing is sent"));
    wrapped(&partner(changes), &host, INTERCHANGE)
}

/// All paths of elements in a document, text left out: `Envelope/Body/…`.
fn paths(element: &Element, above: &str, into: &mut Vec<String>) {
    let path = format!("{above}/{}", element.name);
    into.push(path.clone());
    for child in &element.children {
        paths(child, &path, into);
    }
}

fn shape(document: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    paths(&xml::read(document).unwrap(), "", &mut found);
    found
}

#[test]
fn soap_requests_have_the_shape_of_captured_ones() {
    let no_nonce = [("nonce = true", "nonce = false"), ("created = true", "created = false")];
    let digest = [("password_type = \"text\"", "password_type = \"digest\"")];
    for (name, changes) in
        [("soap12_realtime_270_passwordtext.http", &no_nonce[..]), ("soap12_realtime_270_passworddigest.http", &digest)]
    {
        let Some((head, body)) = captured(name) else { continue };
        let ours = request(changes);
        assert_eq!(shape(ours.body()), shape(&body), "{name}");
        assert!(head.contains("application/soap+xml; charset=utf-8; action=\"RealTimeTransaction\""));
        assert_eq!(
            ours.headers()["content-type"],
            "application/soap+xml; charset=UTF-8; action=\"RealTimeTransaction\""
        );
        let text = String::from_utf8_lossy(&body);
        let own = String::from_utf8_lossy(ours.body());
        for literal in [
            "http://www.w3.org/2003/05/soap-envelope",
            "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd",
            "oasis-200401-wss-wssecurity-secext-1.0.xsd",
            if changes.len() == 2 { "#PasswordText" } else { "#PasswordDigest" },
        ] {
            assert!(text.contains(literal) && own.contains(literal), "{name} {literal}");
        }
    }
}

#[test]
fn mime_requests_have_the_fields_of_a_captured_one_in_its_order() {
    let names = |head: &str, body: Bytes| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", head.parse().unwrap());
        let parts = block_on(multipart::parts(&MediaType::of(&headers), body)).unwrap();
        parts.into_iter().map(|part| part.name.unwrap()).collect::<Vec<_>>()
    };
    let changes = [
        ("# payload_id_field", "payload_id_field"),
        ("# sender_id_field", "sender_id_field"),
        ("# receiver_id_field", "receiver_id_field"),
    ];
    let ours = request(&[&MIME[..], &changes].concat());
    let own = names(ours.headers()["content-type"].to_str().unwrap(), ours.body().clone());
    assert_eq!(own.len(), 10);
    let Some((_, body)) = captured("mime_realtime_270_request.http") else { return };
    assert_eq!(own, names("multipart/form-data; boundary=5cf4af6f70d4", body));
}

#[test]
fn an_mtom_message_of_a_real_client_is_opened() {
    let Some((head, body)) = captured("soap12_mtom_batch_submission.http") else { return };
    let content_type = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap().trim();
    let opened = block_on(envelope::open(&reply(200, content_type, body), now())).unwrap();
    assert_eq!(&opened.payload[..], b"ISA*00*~");
    assert_eq!(opened.payload_type.as_deref(), Some("X12_270_Request_005010X279A1"));
}

#[test]
fn secrets_stand_in_requests_as_markers_only_where_the_envelope_carries_them() {
    let word = format!("pk-{}-", FakeHost::MARKER_WORD);
    let count = |changes: &[(&str, &str)]| String::from_utf8_lossy(request(changes).body()).matches(&word).count();
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&MIME), 2);
    assert_eq!(count(&PLAIN), 0);
    assert_eq!(count(&[("# auth = \"envelope\"", "auth = \"basic\"")]), 0);
    assert_eq!(&request(&PLAIN).body()[..], INTERCHANGE.as_bytes());
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    for changes in [&[][..], &MIME, &PLAIN] {
        let (first, second) = (request(changes), request(changes));
        assert_eq!((first.body(), first.headers()), (second.body(), second.headers()));
    }
}

#[test]
fn the_interchange_comes_out_of_every_form_of_payload_as_it_went_in() {
    for form in ["cdata", "escaped", "base64"] {
        let change = [("payload = \"cdata\"", format!("payload = \"{form}\""))];
        let ours = request(&[(change[0].0, &change[0].1)]);
        let opened = block_on(envelope::open(&reply(200, "application/soap+xml", ours.body()), now())).unwrap();
        assert_eq!(&opened.payload[..], INTERCHANGE.as_bytes(), "{form}");
    }
    let host = FakeHost::new(|_, _| unreachable!("nothing is sent"));
    let tricky = "ISA]]>&<\"'";
    let ours = wrapped(&partner(&[]), &host, tricky);
    let opened = block_on(envelope::open(&reply(200, "text/xml", ours.body()), now())).unwrap();
    assert_eq!(&opened.payload[..], tricky.as_bytes());
}

fn now() -> jiff::Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

fn failure(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Error {
    block_on(envelope::open(&reply(status, content_type, body), now())).err().expect("refused")
}

fn soap(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body>\
         <c:COREEnvelopeRealTimeResponse xmlns:c=\"http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd\">\
         <PayloadType>X12_271_Response_005010X279A1</PayloadType>{inner}</c:COREEnvelopeRealTimeResponse></S:Body></S:Envelope>"
    )
}

#[test]
fn envelopes_that_say_no_are_understood_under_any_status() {
    let fault = "<S:Envelope xmlns:S=\"x\"><S:Body><S:Fault><S:Code><S:Value>S:Receiver</S:Value></S:Code></S:Fault></S:Body></S:Envelope>";
    let core_error = "<S:Envelope xmlns:S=\"x\"><S:Body><COREEnvelopeError><PayloadType>CoreEnvelopeError</PayloadType><ErrorCode>PayloadTypeIllegal</ErrorCode></COREEnvelopeError></S:Body></S:Envelope>";
    for status in [200, 400, 500] {
        assert_eq!(failure(status, "application/soap+xml", fault).kind, ErrorKind::CarrierUnavailable);
        assert_eq!(failure(status, "application/soap+xml", core_error).kind, ErrorKind::ProtocolBroken);
        let unauthorized = soap("<ErrorCode>UnAuthorized</ErrorCode><ErrorMessage>no</ErrorMessage>");
        assert_eq!(failure(status, "text/xml", unauthorized).kind, ErrorKind::CredentialRejected);
        let form = "--b\r\nContent-Disposition: form-data; name=\"ErrorCode\"\r\n\r\nUnAuthorized\r\n--b--\r\n";
        assert_eq!(failure(status, "multipart/form-data; boundary=b", form).kind, ErrorKind::CredentialRejected);
    }
    let silent = soap("<ErrorCode>Success</ErrorCode>").replace("X12_271_Response_005010X279A1", "COREEnvelopeError");
    assert_eq!(failure(200, "text/xml", silent).kind, ErrorKind::ProtocolBroken);
    // An error code counts even where an interchange stands beside it.
    let both = soap("<ErrorCode>VersionMismatch</ErrorCode><Payload>ISA*00~</Payload>");
    assert_eq!(failure(200, "text/xml", both).kind, ErrorKind::ProtocolBroken);
}

#[test]
fn replies_without_an_envelope_are_judged_by_status_and_look() {
    assert_eq!(failure(200, "text/html", "<html><input type=\"password\"></html>").kind, ErrorKind::ProtocolBroken);
    assert_eq!(failure(200, "application/soap+xml", "<!DOCTYPE html><html>x").kind, ErrorKind::ProtocolBroken);
    assert_eq!(failure(401, "text/xml", soap("")).kind, ErrorKind::CredentialRejected);
    assert_eq!(failure(429, "text/xml", soap("")).kind, ErrorKind::CarrierThrottled);
    assert_eq!(failure(500, "text/xml", "<cut").kind, ErrorKind::CarrierUnavailable);
    assert_eq!(failure(500, "text/xml", soap("")).kind, ErrorKind::CarrierUnavailable);
    assert_eq!(failure(503, "text/html", "<html>Maintenance").kind, ErrorKind::CarrierClosed);
    assert_eq!(failure(404, "text/html", "<html>not found").kind, ErrorKind::ProtocolBroken);
}

#[test]
fn hostile_replies_are_refused() {
    let whole = soap(&format!("<ErrorCode>Success</ErrorCode><Payload>{INTERCHANGE}</Payload>"));
    assert!(block_on(envelope::open(&reply(200, "text/xml", &whole), now())).is_ok());
    for end in (0..whole.len() - 1).step_by(7) {
        assert_eq!(failure(200, "text/xml", &whole[..end]).kind, ErrorKind::ProtocolBroken, "cut at {end}");
    }
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]><S:Envelope><S:Body>&b;</S:Body></S:Envelope>";
    let garbage: Vec<u8> =
        (0..10_000_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let deep = format!("<S:Envelope>{}", "<a>".repeat(1_000_000));
    for body in [laughs.as_bytes(), &garbage, deep.as_bytes(), b"", b"\0\0\0", b"<", b"ISA"] {
        let opened = block_on(envelope::open(&reply(200, "text/xml", body), now()));
        // A bare "ISA" is let through to the reader of interchanges, which refuses it.
        assert!(opened.is_err() || body == b"ISA");
        assert_eq!(failure(200, "multipart/related; boundary=b", body).kind, ErrorKind::ProtocolBroken);
    }
}

/// An MTOM answer: the envelope is one part, the interchange another.
fn mtom() -> (&'static str, String) {
    let envelope =
        soap("<ErrorCode>Success</ErrorCode><Payload><x:Include xmlns:x=\"u\" href=\"cid:p%401\"/></Payload>");
    let body = format!(
        "--b\r\nContent-Type: application/octet-stream\r\nContent-ID: <p@1>\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         {INTERCHANGE}\r\n--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n{envelope}\r\n--b--\r\n"
    );
    ("multipart/related; type=\"application/xop+xml\"; start=\"<root>\"; boundary=\"b\"", body)
}

#[test]
fn an_mtom_answer_is_opened_by_its_start_part() {
    let (content_type, body) = mtom();
    let opened = block_on(envelope::open(&reply(200, content_type, &body), now())).unwrap();
    assert_eq!(&opened.payload[..], INTERCHANGE.as_bytes());
    // Without `start` the first part would be the interchange itself: taken too, as a lone one.
    let opened = block_on(envelope::open(&reply(200, "multipart/related; boundary=b", &body), now())).unwrap();
    assert_eq!(&opened.payload[..], INTERCHANGE.as_bytes());
}

#[test]
fn no_changed_byte_makes_a_reply_panic() {
    let (content_type, related) = mtom();
    let document = soap(&format!("<ErrorCode>Success</ErrorCode><Payload><![CDATA[{INTERCHANGE}]]></Payload>"));
    let mut opened = 0;
    for (content_type, body) in [(content_type, related.as_bytes()), ("text/xml", document.as_bytes())] {
        for place in 0..body.len() {
            for byte in [0, b'<', b'&', b'"', b'\n', 0xff] {
                let mut changed = body.to_vec();
                changed[place] = byte;
                opened += u32::from(block_on(envelope::open(&reply(200, content_type, changed), now())).is_ok());
            }
        }
    }
    println!("changed replies that were opened all the same: {opened}");
    assert!(opened > 0);
}

/// SHA-1 (RFC 3174), for one test only: the digest itself is made by the host.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w = [0_u32; 80];
        for (place, word) in block.chunks_exact(4).enumerate() {
            w[place] = u32::from_be_bytes(word.try_into().unwrap());
        }
        for i in 16..80 {
            w[i] = (w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in w.iter().enumerate() {
            let (f, k) = match i {
                0..20 => ((b & c) | (!b & d), 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC_u32),
                _ => (b ^ c ^ d, 0xCA62_C1D6),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (own, add) in state.iter_mut().zip([a, b, c, d, e]) {
            *own = own.wrapping_add(add);
        }
    }
    let mut digest = [0; 20];
    for (place, word) in state.iter().enumerate() {
        digest[place * 4..place * 4 + 4].copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[test]
fn the_digest_markers_ingredients_make_a_captured_digest() {
    use base64::Engine as _;
    let text = |root: &Element, name: &str| root.find(name).unwrap().text.trim().to_owned();
    // Ours: the marker names exactly the nonce and time that stand beside it.
    let ours = request(&[("password_type = \"text\"", "password_type = \"digest\"")]);
    let root = xml::read(ours.body()).unwrap();
    let nonce = base64::engine::general_purpose::STANDARD.decode(text(&root, "Nonce")).unwrap();
    let created = text(&root, "Created");
    let secret = connector_sdk::Secret::WsDigest { nonce: &nonce, created: &created };
    let wanted = connector_sdk::context::Marker::new(FakeHost::MARKER_WORD, &secret, connector_sdk::Escape::Xml);
    assert_eq!(text(&root, "Password"), wanted.as_str());
    // Theirs: those ingredients, by the formula that the marker stands for, give what a real client sent.
    let Some((_, body)) = captured("soap12_realtime_270_passworddigest.http") else { return };
    let root = xml::read(&body).unwrap();
    let mut message = base64::engine::general_purpose::STANDARD.decode(text(&root, "Nonce")).unwrap();
    message.extend_from_slice(text(&root, "Created").as_bytes());
    message.extend_from_slice(b"pass1");
    assert_eq!(base64::engine::general_purpose::STANDARD.encode(sha1(&message)), text(&root, "Password"));
}
