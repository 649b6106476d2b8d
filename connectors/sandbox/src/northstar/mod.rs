//! Northstar: a big national insurer. CAQH CORE connectivity, SOAP 1.2, one service at `POST /core`.
//!
//! Takes authorizations too ([`review`]). Searches by id + date of birth, id + name, name + date of birth; says 71, 72 and 73 apart, all that apply.

mod review;
mod soap;
mod token;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::HeaderMap;

use crate::clock::today;
use crate::control::{Desk, Login};
use crate::edi::{Inquiry, Payer, Style, answer, refuse, reject_999, reject_ta1};
use crate::lines::lines;
use crate::people::{Person, insured_by};
use crate::search::{Loop, Reject, Rules, find};
use crate::serve;
use review::{Fault, Reviews, Verdict};
use soap::{Envelope, Reply};
use token::NonceBook;

pub(crate) const PAYER: Payer = Payer {
    name: "NORTHSTAR HEALTH",
    id: "NSH01",
    phone: "8005550101",
    style: Style { element: b'*', repetition: b'^', component: b':', terminator: b'~', line_end: "" },
};
pub(crate) const RULES: Rules = Rules { strict: false, by_name: true, back_months: 24, forward_months: 12 };
/// The CORE `ReceiverID` it answers to.
const RECEIVER: &str = "NORTHSTAR";

struct Northstar {
    desk: Arc<Desk>,
    people: Vec<Person>,
    nonces: NonceBook,
    reviews: Arc<Reviews>,
    /// Requests for review so far, from which the seed draws.
    requests: AtomicU64,
    /// The desk's epoch that `reviews` belongs to.
    epoch: AtomicU64,
}

/// The service; requests for review are logged at `receipts`.
pub(crate) fn router(desk: Arc<Desk>, receipts: Option<&Path>) -> io::Result<Router> {
    let northstar = Northstar {
        people: insured_by("northstar"),
        nonces: NonceBook::default(),
        reviews: Arc::new(Reviews::open(receipts)?),
        requests: AtomicU64::new(0),
        epoch: AtomicU64::new(desk.epoch()),
        desk,
    };
    Ok(Router::new().route("/core", post(core)).with_state(Arc::new(northstar)))
}

async fn core(State(northstar): State<Arc<Northstar>>, headers: HeaderMap, body: Bytes) -> Response {
    let envelope = match Envelope::read(&headers, &body) {
        Ok(envelope) => envelope,
        Err(reason) => return soap::fault(500, "Sender", None, reason),
    };
    let (user, right) = token::check(&envelope, &northstar.nonces);
    match northstar.desk.login(user, right) {
        Login::Accepted => {}
        Login::Wrong => {
            let reason = "The security token could not be authenticated or authorized";
            return soap::fault(500, "Sender", Some("wsse:FailedAuthentication"), reason);
        }
        Login::Locked => {
            let reason = "The account is locked. Call provider services.";
            return soap::fault(500, "Sender", Some("wsse:FailedAuthentication"), reason);
        }
    }
    match envelope.problem(RECEIVER) {
        Some((code, message)) => Reply::error(&envelope, code, &message).response(),
        None if envelope.payload_type.starts_with("X12_278") => northstar.review(&envelope).await,
        None => northstar.eligibility(&envelope),
    }
}

impl Northstar {
    /// A request for review or an inquiry about one. Accepting is over before anything is waited for: what was accepted
    /// stays so, even when the client is gone meanwhile.
    async fn review(&self, envelope: &Envelope) -> Response {
        let epoch = self.desk.epoch();
        if self.epoch.swap(epoch, Ordering::SeqCst) != epoch {
            self.reviews.clear();
        }
        let switches = self.desk.switches();
        let draw = || match switches.random {
            true => Fault::drawn(self.desk.seed, self.requests.fetch_add(1, Ordering::SeqCst)),
            false => Fault::None,
        };
        let (payload, fault) = match self.reviews.judge(&envelope.payload, draw) {
            Verdict::Reply(payload, fault) => (payload, fault),
            Verdict::Unreadable => {
                return Reply::error(envelope, "PayloadRequired", "The payload is not a 278 interchange.").response();
            }
        };
        let kind = match envelope.payload_type == soap::REVIEW_INQUIRY {
            true => "X12_278_Response_005010X215",
            false => "X12_278_Response_005010X217E1_2",
        };
        let reply = Reply::ok(envelope, kind, payload).response();
        match fault {
            Fault::None => reply,
            Fault::Slow(wait) => {
                tokio::time::sleep(wait).await;
                reply
            }
            Fault::LostReply | Fault::LateAccept(_) | Fault::LateVisible(_) | Fault::Dropped => serve::no_reply(),
            Fault::ErrorAfterAccept => soap::fault(500, "Receiver", None, "An internal error occurred"),
            Fault::CutReply => serve::cut(reply, Duration::from_millis(5)).await,
            Fault::Unavailable => serve::html(http::StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable"),
        }
    }

    fn eligibility(&self, envelope: &Envelope) -> Response {
        self.desk.question();
        let Some(inquiry) = Inquiry::read(&envelope.payload) else {
            return Reply::error(envelope, "PayloadRequired", "The payload is not a 270 interchange.").response();
        };
        let plain = |kind: &'static str, payload: String| Reply::ok(envelope, kind, payload).response();
        const ANSWER: &str = "X12_271_Response_005010X279A1";
        match inquiry.query.member_id.to_ascii_uppercase().as_str() {
            "NSH-FAULT-500" => return soap::fault(500, "Receiver", None, "An internal error occurred"),
            "NSH-FAULT-200" => return soap::fault(200, "Receiver", None, "An internal error occurred"),
            "NSH-ENV-VERSION" => {
                return Reply::error(envelope, "VersionMismatch", "The CORE rule version is not supported.").response();
            }
            "NSH-TA1-REJECT" => return plain("X12_TA1_Response_00501X231A1", reject_ta1(&PAYER, &inquiry, "018")),
            "NSH-999-REJECT" => return plain("X12_999_Response_005010X231A1", reject_999(&PAYER, &inquiry)),
            _ => {}
        }
        let payload = match find(&self.people, &inquiry.query, RULES, today()) {
            Ok(found) => match scripted(found.person.member_id) {
                Some(rejects) => refuse(&PAYER, &inquiry, &rejects),
                None => answer(&PAYER, &inquiry, &found, &lines(&found.person, &inquiry.query.services)),
            },
            Err(rejects) => refuse(&PAYER, &inquiry, &rejects),
        };
        if inquiry.query.member_id.eq_ignore_ascii_case("NSH-HDHP-MTOM") {
            return Reply::ok(envelope, ANSWER, payload).mtom();
        }
        plain(ANSWER, payload)
    }
}

/// Members who are refused however rightly they are asked about.
fn scripted(member_id: &str) -> Option<Vec<Reject>> {
    match member_id {
        "NSH-AAA71-DOBSWAP" => Some(vec![Reject::subscriber("71")]),
        "NSH-AAA73-NAME" => Some(vec![Reject::subscriber("73")]),
        "NSH-AAA42-BUSY" => Some(vec![Reject { at: Loop::Payer, code: "42", follow_up: "R" }]),
        "NSH-AAA-SEVERAL" => Some(vec![Reject::subscriber("73"), Reject::subscriber("71"), Reject::subscriber("72")]),
        _ => None,
    }
}
