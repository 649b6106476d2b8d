//! Northstar's authorizations: 278 requests (005010X217) make a record each, however often the same one comes, as at
//! carriers in earnest; inquiries (X215) find records by the trace number.
//!
//! What makes it a carrier to test submissions against: it loses replies, accepts late, shows late, fails after it has
//! accepted, and writes down durably what it received and what it accepted, in a file of its own.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use x12::Document;
use x12::model::Hl;
use x12::model::common::{Aaa, Bht, Nm1, Trn};
use x12::review::{
    Hcr, Kind, ReviewEvent, ReviewOrganization, ReviewParty, ReviewRequester, ReviewService, ReviewSubscriber,
    ServicesReview, Um,
};

use super::PAYER;
use crate::control::lock;
use crate::edi::{Inquiry, reviewed};
use crate::random::seeded;

/// Most records kept; a request beyond them is not taken.
const RECORDS_MAX: usize = 1_000_000;
/// Latest that a request is accepted after it was received, or that a record shows after it was accepted: later than the
/// first inquiry (`visibility_delay_secs` of its carrier file), and within the bound that it declares.
const LATE_MAX: Duration = Duration::from_millis(2_000);
/// Longest that a slow reply takes.
const SLOW_MAX: Duration = Duration::from_millis(700);

/// What happens to a request for review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is accepted and answered.
    None,
    /// Accepted; the reply is lost.
    LostReply,
    /// The reply is lost, and it is accepted later.
    LateAccept(Duration),
    /// Accepted; the reply is lost, and inquiries do not show it for a while.
    LateVisible(Duration),
    /// Accepted; then the server fails.
    ErrorAfterAccept,
    /// Accepted; the reply is cut off in the middle.
    CutReply,
    /// Accepted; the reply takes a while.
    Slow(Duration),
    /// Received, and then lost for good.
    Dropped,
    /// A server in front says that it is out of order; it is not accepted.
    Unavailable,
}

impl Fault {
    /// The word in the receipt log.
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::LostReply => "lost_reply",
            Self::LateAccept(_) => "late_accept",
            Self::LateVisible(_) => "late_visible",
            Self::ErrorAfterAccept => "error_after_accept",
            Self::CutReply => "cut_reply",
            Self::Slow(_) => "slow",
            Self::Dropped => "dropped",
            Self::Unavailable => "unavailable",
        }
    }

    /// The fault of a member id, whatever the seed.
    fn scripted(member_id: &str) -> Option<Self> {
        Some(match member_id {
            "NSH-PA-LOST-REPLY" => Self::LostReply,
            "NSH-PA-LATE-ACCEPT" => Self::LateAccept(LATE_MAX),
            "NSH-PA-LATE-VISIBLE" => Self::LateVisible(LATE_MAX),
            "NSH-PA-500" => Self::ErrorAfterAccept,
            "NSH-PA-CUT" => Self::CutReply,
            "NSH-PA-SLOW" => Self::Slow(SLOW_MAX),
            "NSH-PA-DROPPED" => Self::Dropped,
            "NSH-PA-503" => Self::Unavailable,
            _ => return None,
        })
    }

    /// The fault that the seed draws for the `number`th request: three in ten have one.
    pub(super) fn drawn(seed: u64, number: u64) -> Self {
        let part = |of: Duration| of.mul_f64(seeded(seed ^ 0x5EED, number) as f64 / u64::MAX as f64);
        match seeded(seed, number) % 100 {
            0..5 => Self::LostReply,
            5..9 => Self::LateAccept(part(LATE_MAX)),
            9..13 => Self::LateVisible(part(LATE_MAX)),
            13..17 => Self::ErrorAfterAccept,
            17..20 => Self::CutReply,
            20..25 => Self::Slow(part(SLOW_MAX)),
            25..28 => Self::Dropped,
            28..30 => Self::Unavailable,
            _ => Self::None,
        }
    }
}

/// A case on file.
#[derive(Clone, Debug)]
struct Record {
    number: String,
    trace: String,
    shows_at: Instant,
}

/// The file of cases, and the log of what came.
#[derive(Debug, Default)]
pub(super) struct Reviews {
    records: Mutex<Vec<Record>>,
    log: Option<Mutex<File>>,
}

/// A 278 as it came.
pub(super) struct Asked {
    header: Inquiry,
    kind: Kind,
    trace: Trn<'static>,
    member: Nm1<'static>,
    requester: Nm1<'static>,
    services: Vec<ReviewService<'static>>,
}

/// What to answer.
pub(super) enum Verdict {
    /// This interchange, after the fault has had its way.
    Reply(String, Fault),
    /// It is no 278 that this carrier reads.
    Unreadable,
}

impl Reviews {
    /// With a log at this path, made anew or gone on with.
    pub(super) fn open(log: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| File::options().create(true).append(true).open(path).map(Mutex::new);
        Ok(Self { log: log.map(open).transpose()?, ..Self::default() })
    }

    pub(super) fn clear(&self) {
        lock(&self.records).clear();
    }

    /// Writes one line and makes it durable before anything else happens. `false`: it is not in the log, not even a part of
    /// it, and what it tells must not happen.
    fn note(&self, line: &Value) -> bool {
        let Some(log) = &self.log else { return true };
        let mut log = lock(log);
        let Ok(before) = log.metadata().map(|log| log.len()) else { return false };
        let written = log.write_all(format!("{line}\n").as_bytes()).and_then(|()| log.sync_data());
        if written.is_err() {
            let _ = log.set_len(before);
        }
        written.is_ok()
    }

    /// Files a new case. The same request a second time makes a second case. `None`: there is no room, in the file or in
    /// the log.
    fn accept(&self, trace: &str, shows_after: Duration) -> Option<String> {
        let mut records = lock(&self.records);
        let number = format!("NSR{:07}", records.len() + 1);
        let full = records.len() >= RECORDS_MAX;
        if full || !self.note(&json!({ "event": "accepted", "at": Timestamp::now(), "trace": trace, "record": number }))
        {
            return None;
        }
        let shows_at = Instant::now() + shows_after;
        records.push(Record { number: number.clone(), trace: trace.to_owned(), shows_at });
        Some(number)
    }

    /// Judges an interchange. What is accepted is on file and in the log when this returns, but for a late one.
    pub(super) fn judge(self: &Arc<Self>, payload: &str, draw: impl Fn() -> Fault) -> Verdict {
        let Some(asked) = Asked::read(payload) else { return Verdict::Unreadable };
        match asked.kind {
            Kind::Request => self.request(&asked, draw),
            Kind::Inquiry => Verdict::Reply(self.inquiry(&asked), Fault::None),
            _ => Verdict::Unreadable,
        }
    }

    fn request(self: &Arc<Self>, asked: &Asked, draw: impl Fn() -> Fault) -> Verdict {
        let member = asked.member.id.to_ascii_uppercase();
        if member == "NSH-PA-REFUSED" {
            return Verdict::Reply(asked.refusal("15", "C", "11"), Fault::None);
        }
        let fault = Fault::scripted(&member).unwrap_or_else(draw);
        let trace = asked.trace.number.to_string();
        let control = &asked.header.interchange.control;
        let received = json!({
            "event": "received", "at": Timestamp::now(), "trace": trace, "isa13": control, "fault": fault.word(),
        });
        if !self.note(&received) {
            return Verdict::Reply(String::new(), Fault::Unavailable);
        }
        let number = match fault {
            Fault::Dropped | Fault::Unavailable => Some(String::new()),
            Fault::LateAccept(after) => {
                let reviews = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    reviews.accept(&trace, Duration::ZERO);
                });
                Some(String::new())
            }
            Fault::LateVisible(after) => self.accept(&trace, after),
            _ => self.accept(&trace, Duration::ZERO),
        };
        match number {
            Some(number) => Verdict::Reply(asked.answer("11", &[number]), fault),
            None => Verdict::Reply(String::new(), Fault::Unavailable),
        }
    }

    fn inquiry(&self, asked: &Asked) -> String {
        let now = Instant::now();
        let found: Vec<String> = lock(&self.records)
            .iter()
            .filter(|record| record.trace == asked.trace.number && record.shows_at <= now)
            .map(|record| record.number.clone())
            .collect();
        let answer =
            json!({ "event": "inquired", "at": Timestamp::now(), "trace": asked.trace.number, "found": found.len() });
        self.note(&answer);
        if found.is_empty() { asked.refusal("AA", "N", "49") } else { asked.answer("49", &found) }
    }
}

impl Asked {
    fn read(payload: &str) -> Option<Self> {
        let document = Document::read(payload.as_bytes()).ok()?;
        let set = document.transactions().find(|set| set.id == ServicesReview::ID)?;
        let review = ServicesReview::read(&set.segments);
        let case = review.cases().next()?;
        let own = |name: &Nm1<'_>| x12::model::SegmentModel::into_static(name.clone());
        let service = |service: &x12::review::ReviewedService<'_, '_>| ReviewService {
            level: level("SS"),
            professional: service.professional.map(|sv1| x12::model::SegmentModel::into_static(sv1.clone())),
            ..ReviewService::default()
        };
        Some(Self {
            header: Inquiry {
                interchange: set.interchange.as_deref()?.clone(),
                group: set.group.as_deref()?.clone(),
                st_control: set.control.clone(),
                reference: review.beginning.as_ref().map(|bht| bht.reference.to_string()).unwrap_or_default(),
                ..Inquiry::default()
            },
            kind: review.kind(),
            trace: x12::model::SegmentModel::into_static(case.matter.traces.first()?.clone()),
            member: own(&case.subscriber.names.first()?.name),
            requester: own(&case.requester.names.first()?.name),
            services: case.services.iter().map(service).collect(),
        })
    }

    /// One event for each of these cases: pended, with our number.
    fn answer(&self, purpose: &'static str, numbers: &[String]) -> String {
        let event = |number: &String| ReviewEvent {
            review: Some(Um { category: "HS".into(), certification: "I".into(), ..Um::default() }),
            decision: Some(Hcr { action: "A4".into(), number: number.clone().into(), ..Hcr::default() }),
            services: self.services.clone(),
            ..self.event()
        };
        self.write(purpose, numbers.iter().map(event).collect())
    }

    fn refusal(&self, code: &'static str, follow_up: &'static str, purpose: &'static str) -> String {
        let refusal = Aaa { valid: "N".into(), reason: code.into(), follow_up: follow_up.into(), ..Aaa::default() };
        self.write(purpose, vec![ReviewEvent { refusals: vec![refusal], ..self.event() }])
    }

    fn event(&self) -> ReviewEvent<'static> {
        let clean = |text: &str| Cow::Owned(PAYER.style.clean(text).into_owned());
        let trace = Trn {
            kind: "2".into(),
            number: clean(&self.trace.number),
            origin: clean(&self.trace.origin),
            ..Trn::default()
        };
        ReviewEvent { level: level("EV"), traces: vec![trace], ..ReviewEvent::default() }
    }

    fn write(&self, purpose: &'static str, events: Vec<ReviewEvent<'static>>) -> String {
        let party = |name: &Nm1<'static>| ReviewParty { name: name.clone(), ..ReviewParty::default() };
        let payer = Nm1 {
            entity: "X3".into(),
            kind: "2".into(),
            last_name: PAYER.name.into(),
            qualifier: "PI".into(),
            id: PAYER.id.into(),
            ..Nm1::default()
        };
        let subscriber = ReviewSubscriber {
            level: level("22"),
            names: vec![party(&self.member)],
            events,
            ..ReviewSubscriber::default()
        };
        let requester = ReviewRequester {
            level: level("21"),
            names: vec![party(&self.requester)],
            subscribers: vec![subscriber],
            ..ReviewRequester::default()
        };
        let now = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        let review = ServicesReview {
            control: "0001".into(),
            implementation: if purpose == "49" { "005010X215" } else { "005010X217" }.into(),
            beginning: Some(Bht {
                structure: "0007".into(),
                purpose: purpose.into(),
                reference: PAYER.style.clean(&self.header.reference).into_owned().into(),
                date: now.date().into(),
                time: now.strftime("%H%M").to_string().into(),
                ..Bht::default()
            }),
            organizations: vec![ReviewOrganization {
                level: level("20"),
                names: vec![party(&payer)],
                requesters: vec![requester],
                ..ReviewOrganization::default()
            }],
            ..ServicesReview::default()
        };
        reviewed(&PAYER, &self.header, &review)
    }
}

fn level(code: &'static str) -> Hl<'static> {
    Hl { level: code.into(), ..Hl::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_draws_the_same_faults_again_and_every_kind() {
        let draw = |seed: u64| -> Vec<&str> { (0..2_000).map(|number| Fault::drawn(seed, number).word()).collect() };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let drawn: std::collections::BTreeSet<_> = draw(7).into_iter().collect();
        assert_eq!(drawn.len(), 9);
    }
}
