//! Molasses: a carrier whose servers misbehave. Raw X12 over `POST /x12` with HTTP Basic; a member id for each fault.
//!
//! Its own small HTTP/1.1 server, because no well-behaved one can be made to reset a connection or lie about a length.

mod faults;
mod http1;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::clock::today;
use crate::control::{Desk, Down, Login};
use crate::credentials::{MOLASSES_PASSWORD, MOLASSES_USER};
use crate::edi::{Inquiry, Payer, Style, answer, refuse};
use crate::lines::lines;
use crate::people::{Person, insured_by};
use crate::random::seeded;
use crate::search::{Found, Loop, Reject, Rules, find};
use faults::Fault;
use http1::Request;

pub(crate) const PAYER: Payer = Payer {
    name: "MOLASSES MUTUAL",
    id: "MOL01",
    phone: "8005550106",
    // Other delimiters than everybody else's, and a line break after each segment.
    style: Style { element: b'|', repetition: b'^', component: b'>', terminator: b'~', line_end: "\r\n" },
};
pub(crate) const RULES: Rules = Rules { strict: false, by_name: true, back_months: 24, forward_months: 12 };

/// Member ids and what the server does when one is asked about.
pub const SCENARIOS: [(&str, &str); 17] = [
    ("MOL-DRIP", "the answer comes one byte each half second"),
    ("MOL-HANG", "no answer at all"),
    ("MOL-RESET", "the connection is reset in the middle of the body"),
    ("MOL-TRUNCATED", "the body ends before its Content-Length"),
    ("MOL-GZIPBOMB", "1 MB of gzip that inflates to 1 GB"),
    ("MOL-1GB", "a body of 1 GB"),
    ("MOL-REDIRECT", "302 to another host"),
    ("MOL-WRONG-MEMBER", "a whole, right answer about somebody else"),
    ("MOL-WRONG-TRACE", "an answer with the trace number of another question"),
    ("MOL-GARBAGE", "bytes that are no X12"),
    ("MOL-LOGIN-PAGE", "200 with an HTML login page"),
    ("MOL-502", "502 with an HTML page"),
    ("MOL-503", "503 with Retry-After: 7"),
    ("MOL-DUPLICATE", "the same interchange twice"),
    ("MOL-EMPTY", "200 with an empty body"),
    ("MOL-POISON", "after the answer, an unasked-for second response on the same connection"),
    ("MOL-AAA42", "a 271 that says: cannot respond now"),
];

/// How long a client may take for its request.
const REQUEST_WAIT: Duration = Duration::from_secs(30);

/// Serves one request and closes the connection.
pub(crate) async fn connection(mut stream: TcpStream, desk: Arc<Desk>) {
    let Ok(Some(request)) = tokio::time::timeout(REQUEST_WAIT, Request::read(&mut stream)).await else { return };
    let _in_work = desk.enter();
    let switches = desk.switches();
    tokio::time::sleep(Duration::from_millis(switches.latency_ms.min(120_000))).await;
    let fault = match switches.down {
        Down::Refuse => return,
        Down::Unavailable => Fault::Page(503, "Service temporarily unavailable"),
        Down::No => judge(&request, &desk),
    };
    // The client may be gone by now, which is its right.
    let _ = faults::act(fault, &mut stream).await;
}

/// What to do with a request.
fn judge(request: &Request, desk: &Desk) -> Fault {
    if request.method != "POST" || request.path != "/x12" {
        return Fault::Page(404, "Not found");
    }
    let (user, password) = crate::harborhmo::basic(&request.headers).unwrap_or_default();
    let user = (user == MOLASSES_USER).then_some(MOLASSES_USER);
    match desk.login(user, password == MOLASSES_PASSWORD) {
        Login::Accepted => {}
        Login::Wrong => return Fault::Unauthorized,
        Login::Locked => return Fault::Page(423, "This user is locked"),
    }
    let number = desk.question();
    let Some(inquiry) = Inquiry::read(&String::from_utf8_lossy(&request.body)) else {
        return Fault::Page(400, "Not an interchange");
    };
    let people = insured_by("molasses");
    let payload = match find(&people, &inquiry.query, RULES, today()) {
        Ok(found) => told(&inquiry, &found),
        Err(rejects) => refuse(&PAYER, &inquiry, &rejects),
    };
    let asked = inquiry.query.member_id.to_ascii_uppercase();
    let scenario = if desk.switches().random { drawn(desk.seed, number) } else { asked.as_str() };
    misbehave(scenario, &inquiry, &people, payload)
}

fn told(inquiry: &Inquiry, found: &Found) -> String {
    answer(&PAYER, inquiry, found, &lines(&found.person, &inquiry.query.services))
}

/// The scenario that the seed draws for a question: mostly none.
pub(crate) fn drawn(seed: u64, number: u64) -> &'static str {
    match seeded(seed, number) % 100 {
        0..5 => "MOL-AAA42",
        5..8 => "MOL-RESET",
        8..10 => "MOL-TRUNCATED",
        10 => "MOL-WRONG-MEMBER",
        11 => "MOL-DUPLICATE",
        12..14 => "MOL-502",
        14 => "MOL-503",
        _ => "MOL-OK",
    }
}

fn misbehave(scenario: &str, inquiry: &Inquiry, people: &[Person], payload: String) -> Fault {
    match scenario {
        "MOL-DRIP" => Fault::Drip(payload),
        "MOL-HANG" => Fault::Hang,
        "MOL-RESET" => Fault::Reset(payload),
        "MOL-TRUNCATED" => Fault::Truncated(payload),
        "MOL-GZIPBOMB" => Fault::GzipBomb,
        "MOL-1GB" => Fault::Huge,
        "MOL-REDIRECT" => Fault::Redirect,
        "MOL-WRONG-MEMBER" => match people.first() {
            Some(other) => Fault::Answer(told(inquiry, &Found { person: other.clone(), dependent: None })),
            None => Fault::Hang,
        },
        "MOL-WRONG-TRACE" => {
            let mut other = inquiry.clone();
            for (trace, _) in &mut other.traces {
                *trace = "OTHERTRACE0001".into();
            }
            other.reference = "OTHERREF0001".into();
            other.interchange.control = "999999999".into();
            let found = find(people, &inquiry.query, RULES, today());
            Fault::Answer(found.map_or(payload, |found| told(&other, &found)))
        }
        "MOL-GARBAGE" => Fault::Answer("\u{1}\u{2}%PDF-1.7 not what you asked for ~*~*~ \u{7f}".into()),
        "MOL-LOGIN-PAGE" => Fault::Page(200, "Sign in"),
        "MOL-502" => Fault::Page(502, "Bad gateway"),
        "MOL-503" => Fault::RetryAfter,
        "MOL-DUPLICATE" => Fault::Answer(format!("{payload}{payload}")),
        "MOL-EMPTY" => Fault::Answer(String::new()),
        "MOL-POISON" => match people.first() {
            Some(other) => Fault::Poison(payload, told(inquiry, &Found { person: other.clone(), dependent: None })),
            None => Fault::Hang,
        },
        "MOL-AAA42" => {
            Fault::Answer(refuse(&PAYER, inquiry, &[Reject { at: Loop::Payer, code: "42", follow_up: "R" }]))
        }
        _ => Fault::Answer(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_draws_the_same_faults_again_and_mostly_none() {
        let draw = |seed: u64| -> Vec<&str> { (0..1_000).map(|number| drawn(seed, number)).collect() };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let good = draw(7).iter().filter(|scenario| **scenario == "MOL-OK").count();
        assert!((780..920).contains(&good), "{good}");
    }
}
