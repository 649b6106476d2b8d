//! The page of a packet: every record in words, and what was exchanged. One file, no script, nothing loaded from
//! elsewhere; everything that came from a carrier or a person is escaped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::gather::{Gathered, named};
use crate::practice::PracticeId;
use crate::trail::Detailed;

/// Most of a message that the page shows, characters; the rest stands in its file.
const SHOWN_CHARS_MAX: usize = 2_000;

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}\
h1{font-size:1.4rem}h2{font-size:1rem;margin:1.6rem 0 .2rem}table{border-collapse:collapse}td,th{text-align:left;\
padding:.1rem .8rem .1rem 0;vertical-align:top}th{font-weight:600;white-space:nowrap}pre{white-space:pre-wrap;\
overflow-wrap:anywhere;background:#f4f4f4;padding:.5rem;font-size:12px}section{border-top:1px solid #999;\
break-inside:avoid-page}code{font-size:12px}@media print{body{margin:0;max-width:none}pre{background:none;\
border:1px solid #ccc}}";

/// The page.
pub(super) fn page(id: &str, practice: &PracticeId, gathered: &Gathered, size: u64, root: &str) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>Evidence packet {0}</title><style>{STYLE}\
         </style></head><body>\n<h1>Evidence packet {0}</h1>\n<p>{1} records of practice {2}. They stand in a trail of \
         {size} records with the root <code>{3}</code>. VERIFY.md says how to check that. All times of the gateway are \
         UTC, by its own clock; the carrier's clock is shown where it told it.</p>\n",
        escape(id),
        gathered.records.len(),
        escape(practice.as_str()),
        escape(root),
    );
    for record in &gathered.records {
        out.push_str(&section(record, gathered));
    }
    out.push_str("</body></html>\n");
    out
}

fn section(record: &Detailed, gathered: &Gathered) -> String {
    let entry = &record.entry;
    let said = record.said();
    let mut out = format!(
        "<section><h2>{} &middot; {}</h2><table>\n",
        escape(&entry.at.to_string()),
        escape(&words(&entry.action))
    );
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            out.push_str(&format!("<tr><th>{}</th><td>{}</td></tr>\n", escape(name), escape(&value)));
        }
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    row("What it means", meaning(&entry.action).to_owned());
    row("Record", entry.seq.to_string());
    row("Who", entry.actor.clone());
    row("Role", text(&entry.role));
    row("Carrier", text(&entry.carrier));
    row("Identity at the carrier", text(&entry.credential_id));
    row("Carrier's trace number", said["carrier_trace"].as_str().unwrap_or_default().to_owned());
    row("Outcome", entry.outcome.map(|outcome| outcome.name().to_owned()).unwrap_or_default());
    row("Why it failed", entry.failure.map(|kind| kind.name().to_owned()).unwrap_or_default());
    row("Saved answer", entry.cached.filter(|cached| *cached).map(|_| "yes".to_owned()).unwrap_or_default());
    row("Purpose", text(&entry.purpose));
    row("Why", said["why"].as_str().unwrap_or_default().to_owned());
    row("Patient", flat(&said["patient"]));
    row("Asked for", flat(&said["service"]));
    row("Took", entry.total_ms.map(|ms| format!("{ms} ms")).unwrap_or_default());
    row("Question", text(&entry.ask_id));
    row("About", text(&entry.subject_id));
    out.push_str("</table>\n");
    if said["exchange"].is_object()
        && let Some(ask) = &entry.ask_id
    {
        out.push_str(&exchanges(&format!("exchanges/{ask}.json"), gathered));
    }
    for name in named(&said) {
        match name.split_once('/') {
            Some(("exchanges", _)) => out.push_str(&exchanges(name, gathered)),
            Some(("messages", _)) => out.push_str(&message(name, gathered)),
            _ => out.push_str(&format!("<p>Whole in <code>{}</code>.</p>\n", escape(name))),
        }
    }
    out.push_str("</section>\n");
    out
}

/// What the records of a submission mean, for somebody who reads them for the first time.
pub(crate) fn meaning(action: &str) -> &'static str {
    match action {
        "submission.accepted_from_caller" => "It was handed in and is kept. Nothing has been sent.",
        "submission.intent" => "The exact message was written down. Nothing of it has been sent.",
        "submission.unsendable" => "It cannot be put into this carrier's words. Nothing was sent.",
        "submission.armed" => "Connected and signed in. From this moment on the message may have left, once.",
        "submission.not_sent" => "The attempt ended before anything left.",
        "submission.credential_refused" => "The carrier refused the login. It waits for another one.",
        "submission.accepted" => "The carrier answered: it has it.",
        "submission.rejected" => "The carrier answered: it turned it away and keeps nothing of it.",
        "submission.unknown" => {
            "The carrier may have it, and its answer did not come whole. It is not sent again before that is found out."
        }
        "submission.lost" => {
            "The process that sent it ended. If the message had left, it is not sent again before that is found out."
        }
        "submission.inquiry_failed" => "The carrier was asked after it, and gave no answer that says anything.",
        "submission.not_found" => "The carrier was asked after it, and did not show it then.",
        "submission.ambiguous" => "The carrier was asked after it, and its answer leaves open which one it has.",
        "submission.found" => "The carrier was asked after it: it has it.",
        "submission.escalated" => "A person was called in.",
        "submission.resolved_present" => "A person found out that the carrier has it.",
        "submission.resolved_absent" => "A person found out that the carrier does not have it: it is sent again.",
        "submission.resolved_void" => "A person closed it; it is not sent again.",
        "submission.cancelled" => "It was taken back before anything was sent.",
        "submission.hold" => "Nothing new is sent to this carrier until somebody releases it.",
        "submission.release" => "Somebody has released the carrier.",
        "submission.restored" => {
            "The gateway's data was put back to an earlier state: since then it may have been sent."
        }
        _ => "",
    }
}

/// A message as it was written down before it was sent.
fn message(name: &str, gathered: &Gathered) -> String {
    let read = gathered.files.get(name).and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let Some(message) = read else { return String::new() };
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let body = STANDARD.decode(text("body")).unwrap_or_default();
    let whole = format!("{} {}\n\n{}", text("method"), text("uri"), String::from_utf8_lossy(&body));
    format!("<p>Written down before it was sent. Whole in <code>{}</code>.</p>\n{}", escape(name), shown(&whole))
}

/// The beginning of a message.
fn shown(whole: &str) -> String {
    let begin: String = whole.chars().take(SHOWN_CHARS_MAX).collect();
    let more = if begin.len() < whole.len() { "\n[\u{2026} the rest stands in the file]" } else { "" };
    format!("<pre>{}{more}</pre>\n", escape(&begin))
}

/// What was exchanged, message by message.
fn exchanges(name: &str, gathered: &Gathered) -> String {
    let read = gathered.files.get(name).and_then(|bytes| serde_json::from_slice::<Vec<Value>>(bytes).ok());
    let Some(list) = read else { return String::new() };
    let mut out = String::new();
    for exchange in list {
        let clock = match exchange["carrier_at"].as_str() {
            Some(at) => format!("the carrier's clock said {at}"),
            None => "the carrier did not tell its clock".to_owned(),
        };
        out.push_str(&format!(
            "<p>Sent at {}, answered after {} ms; {}. Whole in <code>{}</code>.</p>\n",
            escape(exchange["at"].as_str().unwrap_or("?")),
            exchange["took_ms"],
            escape(&clock),
            escape(name)
        ));
        for side in ["request", "response"] {
            let message = &exchange[side];
            let (head, body) = (message["head"].as_str().unwrap_or(""), message["body"].as_str().unwrap_or(""));
            out.push_str(&shown(&format!("{head}\n{body}")));
        }
    }
    out
}

/// `eligibility.raw_read` as `eligibility: raw read`.
fn words(action: &str) -> String {
    action.replace('.', ": ").replace('_', " ")
}

/// The plain values of an object, in one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(object) => {
            let parts = object.iter().map(|(name, value)| (name, flat(value))).filter(|(_, value)| !value.is_empty());
            parts.map(|(name, value)| format!("{}: {value}", name.replace('_', " "))).collect::<Vec<_>>().join("; ")
        }
        Value::Array(list) => list.iter().map(flat).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text for a page: nothing in it can begin or end a tag, an attribute or a reference. Control characters become a mark,
/// and so do those that turn the direction of writing.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            '\r' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_carrier_becomes_markup() {
        let text = escape("<script>alert('x')</script>&\"\u{202e}\u{0}\r\n");
        assert_eq!(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{fffd}\u{fffd}\n");
        let body = "<img src=x onerror=alert(1)>".repeat(200);
        let message = serde_json::json!({ "head": "GET / HTTP/1.1\r\n", "body": body });
        let list = serde_json::json!([{ "at": "<b>", "carrier_at": "<i>", "took_ms": 3, "request": message, "response": message }]);
        let files = [("e".to_owned(), serde_json::to_vec(&list).unwrap())].into_iter().collect();
        let page = exchanges("e", &Gathered { records: Vec::new(), files });
        assert!(!page.contains("<img") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("the rest stands in the file"));
    }

    #[test]
    fn values_stand_in_one_line() {
        let value = serde_json::json!({ "member": { "member_id": "X 1", "sex": null }, "types": ["30", "98"] });
        assert_eq!(flat(&value), "member: member id: X 1; types: 30, 98");
    }
}
