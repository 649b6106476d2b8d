//! What was exchanged with the carrier, for experts: letter by letter, to copy and to take away; X12 also segment by
//! segment, with the names that `portico x12` has for segments, elements and codes.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{Markup, html};
use serde_json::Value;
use x12::codes::{element_name, segment_name};
use x12::{Document, Segment};

use crate::api::eligibility;
use crate::pages::fault::Fault;
use crate::pages::frame::Place;
use crate::pages::parts::lists::raw as raw_text;
use crate::pages::parts::words::count;
use crate::pages::visit::Visit;
use crate::store::StoreError;

/// Segments that are explained at most; all of them stand in the text.
const SEGMENTS_MAX: usize = 2_000;

/// `GET /checks/{id}/raw`: a page of its own, because looking at it is on record.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Fault> {
    let exchanges = exchanges(&visit, &id).await?;
    let body = html! {
        div.stack {
            h1 { "What was exchanged" }
            p { "Letter by letter; secrets are replaced by marks. That you looked at it stands in the paper trail." }
            p.row {
                a.button href={ "/checks/" (id) } { "Back to the answer" }
                a.button href={ "/v1/eligibility/" (id) "/raw" } { "As JSON" }
            }
            @for (place, exchange) in exchanges.iter().enumerate() {
                section.card.stack {
                    h2 { "Exchange " (place + 1) " of " (exchanges.len()) }
                    p.soft { "Status " (exchange["status"]) ", " (exchange["took_ms"]) " ms" }
                    (side(&id, place, "sent", "We sent", &exchange["request"]))
                    (side(&id, place, "received", "The carrier sent", &exchange["response"]))
                }
            }
        }
    };
    Ok(visit.page(Place::Check, "What was exchanged", body))
}

/// `GET /checks/{id}/raw/{file}`: the body of one message, `1-sent` or `1-received`, as a file. Its name tells nothing.
pub async fn file(visit: Visit, Path((id, file)): Path<(String, String)>) -> Result<Response, Fault> {
    let exchanges = exchanges(&visit, &id).await?;
    let message = file.split_once('-').and_then(|(place, side)| {
        let place: usize = place.parse().ok()?;
        let exchange = exchanges.get(place.checked_sub(1)?)?;
        match side {
            "sent" => exchange["request"]["body"].as_str(),
            "received" => exchange["response"]["body"].as_str(),
            _ => None,
        }
    });
    let text = message.ok_or_else(Fault::not_found)?.to_owned();
    let named = HeaderValue::from_str(&format!("attachment; filename=\"exchange-{file}.txt\""));
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_DISPOSITION, named.unwrap_or_else(|_| HeaderValue::from_static("attachment"))),
    ];
    Ok((head, text).into_response())
}

async fn exchanges(visit: &Visit, id: &str) -> Result<Vec<Value>, Fault> {
    let bytes = eligibility::exchanged(&visit.app, &visit.api(), id).await?;
    Ok(read(&bytes)?)
}

/// What is kept of a question. Bytes that cannot be read are no question without exchanges.
fn read(bytes: &[u8]) -> Result<Vec<Value>, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Damaged { what: "what was exchanged cannot be read" })
}

fn side(id: &str, place: usize, name: &str, title: &str, message: &Value) -> Markup {
    let (head, body) = (message["head"].as_str().unwrap_or_default(), message["body"].as_str().unwrap_or_default());
    let own = format!("raw-{}-{name}", place + 1);
    let x12 = interchange(body);
    html! {
        div.row.ends {
            h3 { (title) }
            @if !body.is_empty() {
                div.row {
                    button.button.slim.script-only type="button" data-copies=(own) { "Copy" span.hidden { " what stands under: " (title) } }
                    a.button.slim href={ "/checks/" (id) "/raw/" (place + 1) "-" (name) } { "Download" span.hidden { ": " (title) } }
                }
            }
        }
        div id=(own) { (raw_text(title, &lined(head, body, x12))) }
        @if let Some(x12) = x12 { (explained(title, x12)) }
    }
}

/// A segment a line: X12 has no lines of its own.
fn lined(head: &str, body: &str, x12: Option<&str>) -> String {
    let body = match x12.and_then(terminator) {
        Some(end) if end != '\n' => {
            body.replace(end, &format!("{end}\n")).replace("\n\r\n", "\n").replace("\n\n", "\n")
        }
        _ => body.to_owned(),
    };
    format!("{head}\n{body}")
}

/// The X12 interchange in a body, which may stand in an envelope of another kind.
fn interchange(body: &str) -> Option<&str> {
    let rest = body.get(body.find("ISA")?..)?;
    let end = terminator(rest)?;
    let last = rest.rfind("IEA")?;
    let close = rest.get(last..)?.find(end).map_or(rest.len(), |at| last + at + end.len_utf8());
    rest.get(..close)
}

/// What ends a segment: the character behind the fixed length of an ISA.
fn terminator(x12: &str) -> Option<char> {
    const ISA: usize = 105;
    x12.get(ISA..)?.chars().next().filter(char::is_ascii)
}

/// Segment by segment; what each element is called and what its code means stands in a fold, for mouse, keys and voice.
fn explained(title: &str, x12: &str) -> Markup {
    let Ok(document) = Document::read(x12.as_bytes()) else { return Markup::default() };
    let all: usize = document.transactions().map(|transaction| transaction.segments.len()).sum();
    let segments = document.transactions().flat_map(|transaction| transaction.segments.iter()).take(SEGMENTS_MAX);
    html! {
        details.fold {
            summary { "Segment by segment: " (count(all as u64, "segment", "segments")) span.hidden { " of: " (title) } }
            ol.segments { @for segment in segments { li { (one(&segment)) } } }
            @if all > SEGMENTS_MAX { p { "The first " (SEGMENTS_MAX) "; all of them stand in the text above." } }
        }
    }
}

fn one(segment: &Segment) -> Markup {
    let text = String::from_utf8_lossy(segment.bytes());
    let elements = (1..=segment.len()).map(|place| (place, segment.text(place))).filter(|(_, text)| !text.is_empty());
    html! {
        details {
            summary {
                span.soft.small { (segment.position) }
                code { (text) }
                span.soft { (segment_name(segment.id()).unwrap_or("a segment that has no name here")) }
            }
            dl.pairs {
                @for (place, text) in elements {
                    @let name = element_name(segment.id(), place);
                    dt { code { (segment.id()) (format!("{place:02}")) } @if let Some(name) = name { " " (name.words) } }
                    dd { code { (text) } @if let Some(meaning) = name.and_then(|name| name.meaning(&text)) { " " (meaning) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261123*1200*^*00501*000000001*0*P*:~\
        GS*HB*A*B*20261123*1200*1*X*005010X279A1~ST*271*0001*005010X279A1~EB*C*IND*30***23*1500~MSG*<b>x</b>~SE*4*0001~GE*1*1~IEA*1*000000001~";

    #[test]
    fn an_interchange_is_found_in_its_envelope_and_explained() {
        let body = format!("--mime\r\nContent-Type: x\r\n\r\n{FILE}\r\n--mime--");
        let x12 = interchange(&body).unwrap();
        assert_eq!(x12, FILE);
        let shown = explained("It", x12).into_string();
        for text in ["Eligibility or benefit", "EB01", "What is said", "Deductible", "EB07", "Amount", "&lt;b&gt;x"] {
            assert!(shown.contains(text), "{text} is missing: {shown}");
        }
        assert!(lined("200", &body, Some(x12)).contains("\nEB*C*IND*30***23*1500~\nMSG*"));
        for other in ["", "ISA", "ISA*00*~IEA", "{\"ISA\": 1}", "é".repeat(200).as_str()] {
            assert!(interchange(other).is_none_or(|x12| explained("It", x12).into_string().len() < 4_000), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        assert_eq!(read(b"[]").unwrap().len(), 0);
        assert_eq!(read(b"[{\"status\": 200}]").unwrap().len(), 1);
        for damaged in [&b""[..], b"{}", b"[{", b"\xff"] {
            assert!(matches!(read(damaged), Err(StoreError::Damaged { .. })), "{}", String::from_utf8_lossy(damaged));
        }
    }
}
