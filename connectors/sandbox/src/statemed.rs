//! Statemed: a state Medicaid programme. CAQH CORE connectivity, MIME multipart, one service at `POST /mime`.
//!
//! One request at a time for each user, a second one is turned away with an HTML page and 503. Strict searches: any
//! field that does not fit is 75. Twelve months back, not a day ahead. Only enrolled providers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::clock::today;
use crate::control::{Desk, Login};
use crate::credentials::{STATEMED_PASSWORD, STATEMED_USER};
use crate::edi::{Inquiry, Payer, Style, answer, refuse};
use crate::lines::{Line, lines};
use crate::people::{Person, insured_by};
use crate::search::{Rules, find};
use crate::{mime, serve};

pub(crate) const PAYER: Payer = Payer {
    name: "STATE MEDICAL ASSISTANCE",
    id: "STMED",
    phone: "8005550102",
    style: Style { element: b'*', repetition: b'^', component: b':', terminator: b'~', line_end: "\n" },
};
pub(crate) const RULES: Rules = Rules { strict: true, by_name: true, back_months: 12, forward_months: 0 };
const RECEIVER: &str = "STATEMED";
/// Every answer takes this long: an old mainframe, and long enough to meet a second request.
const THINKS: Duration = Duration::from_millis(120);
/// How long member `STM-SLOW` takes.
const THINKS_HARD: Duration = Duration::from_secs(3);
/// Most months told one by one.
const MONTHS_MAX: usize = 12;

struct Statemed {
    desk: Arc<Desk>,
    people: Vec<Person>,
    busy: AtomicBool,
}

/// Frees the user's one place, however the request ends.
struct Place<'a>(&'a AtomicBool);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let statemed = Statemed { desk, people: insured_by("statemed"), busy: AtomicBool::new(false) };
    Router::new().route("/mime", post(core)).with_state(Arc::new(statemed))
}

/// What stands in the form, by field name.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())?;
        let parts = mime::parts(body, &mime::boundary(content_type)?)?;
        let text = |part: mime::Part<'_>| (part.name, String::from_utf8_lossy(part.body).trim().to_owned());
        Some(Self(parts.into_iter().map(text).collect()))
    }

    /// A field, whatever the case of its letters (programmes write both PayloadID and PayloadId); empty where it is not
    /// there.
    fn get(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        field.map_or("", |(_, value)| value.as_str())
    }

    /// The first thing wrong with them, as a CORE error.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let required = [
            ("PayloadType", "PayloadTypeRequired"),
            ("ProcessingMode", "ProcessingModeRequired"),
            ("PayloadID", "PayloadIDRequired"),
            ("TimeStamp", "TimeStampRequired"),
            ("SenderID", "SenderIDRequired"),
            ("Payload", "PayloadRequired"),
        ];
        if let Some((_, code)) = required.into_iter().find(|(name, _)| self.get(name).is_empty()) {
            Some((code, "A required field is missing."))
        } else if self.get("CORERuleVersion") != "2.2.0" {
            Some(("VersionMismatch", "The CORE rule version is not supported."))
        } else if self.get("ReceiverID") != RECEIVER {
            Some(("ReceiverIDIllegal", "The receiver is not known."))
        } else {
            None
        }
    }

    fn reply(&self, kind: &str, code: &str, message: &str, payload: &str) -> Response {
        respond(&[
            ("PayloadType", kind),
            ("ProcessingMode", "RealTime"),
            ("PayloadID", self.get("PayloadID")),
            ("TimeStamp", &Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("SenderID", RECEIVER),
            ("ReceiverID", self.get("SenderID")),
            ("CORERuleVersion", "2.2.0"),
            ("Payload", payload),
            ("ErrorCode", code),
            ("ErrorMessage", message),
        ])
    }

    fn error(&self, code: &str, message: &str) -> Response {
        self.reply("CoreEnvelopeError", code, message, "")
    }
}

async fn core(State(statemed): State<Arc<Statemed>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(fields) = Fields::read(&headers, &body) else {
        return serve::html(StatusCode::BAD_REQUEST, "Bad request");
    };
    let user = (fields.get("UserName") == STATEMED_USER).then_some(STATEMED_USER);
    match statemed.desk.login(user, fields.get("Password") == STATEMED_PASSWORD) {
        Login::Accepted => {}
        Login::Wrong => {
            let words = "The username/password or client certificate could not be verified.";
            return fields.error("UnAuthorized", words);
        }
        Login::Locked => return serve::html(StatusCode::LOCKED, "This user is locked"),
    }
    if let Some((code, message)) = fields.problem() {
        return fields.error(code, message);
    }
    let Some(inquiry) = Inquiry::read(fields.get("Payload")) else {
        return fields.error("PayloadRequired", "The payload is not a 270 interchange.");
    };
    if statemed.busy.swap(true, Ordering::SeqCst) {
        return serve::html(StatusCode::SERVICE_UNAVAILABLE, "Your user id already has a session");
    }
    let _place = Place(&statemed.busy);
    statemed.desk.question();
    let slow = inquiry.query.member_id.eq_ignore_ascii_case("STM-SLOW");
    tokio::time::sleep(if slow { THINKS_HARD } else { THINKS }).await;
    fields.reply("X12_271_Response_005010X279A1", "Success", "", &statemed.eligibility(&inquiry))
}

impl Statemed {
    /// The 271.
    fn eligibility(&self, inquiry: &Inquiry) -> String {
        match find(&self.people, &inquiry.query, RULES, today()) {
            Ok(found) => {
                let mut told = lines(&found.person, &inquiry.query.services);
                if found.person.monthly {
                    told = by_month(told, inquiry.query.days, today());
                }
                answer(&PAYER, inquiry, &found, &told)
            }
            Err(rejects) => refuse(&PAYER, inquiry, &rejects),
        }
    }
}

/// Tells the coverage line once for each month asked about, and leaves the others as they are.
fn by_month(lines: Vec<Line>, days: Option<(Date, Date)>, today: Date) -> Vec<Line> {
    let (from, to) = days.unwrap_or((today, today));
    let mut months = Vec::new();
    let mut first = from.first_of_month();
    while first <= to && months.len() < MONTHS_MAX {
        months.push((first.to_string(), first.last_of_month().to_string()));
        let Ok(next) = first.checked_add(1.month()) else { break };
        first = next;
    }
    let mut told = Vec::new();
    for line in lines {
        if line.info == "1" && line.service == "30" {
            told.extend(months.iter().map(|month| Line { days: Some(month.clone()), ..line.clone() }));
        } else {
            told.push(line);
        }
    }
    told
}

fn respond(fields: &[(&str, &str)]) -> Response {
    let given: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
    let body = mime::form("StateMedReply", &given);
    (StatusCode::OK, [(header::CONTENT_TYPE, "multipart/form-data; boundary=StateMedReply")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_month_by_month() {
        let person = &insured_by("statemed")[0];
        let day = jiff::civil::date;
        let told = by_month(lines(person, &[]), Some((day(2026, 9, 15), day(2026, 11, 2))), day(2026, 11, 23));
        let spans: Vec<_> = told.iter().filter_map(|line| line.days.clone()).collect();
        assert_eq!(spans.len(), 3);
        assert_eq!(spans[2], ("2026-11-01".to_owned(), "2026-11-30".to_owned()));
        assert!(told.iter().any(|line| line.info == "MC"));
    }
}
