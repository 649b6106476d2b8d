//! What the layers' tests share: a carrier, and questions to it.

use std::sync::Arc;
use std::time::Duration;

use connector_sdk::ask::Lane;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Ask, Question};
use crate::carriers::{Carrier, CarrierBook, Limits};
use crate::identity::Caller;

/// The example carrier of a compiled-in connector.
pub(crate) fn carrier() -> Arc<Carrier> {
    let example = core_x12::REGISTRATION.example.to_owned();
    let (book, report) = CarrierBook::from_files(vec![("acme".into(), example)], Limits::default());
    book.get("acme").unwrap_or_else(|| panic!("{:?}", report.problems))
}

/// A question of one practice, with this much time.
pub(crate) fn question(within: Duration) -> Question {
    question_of("a practice", within)
}

/// The same question of any practice.
pub(crate) fn question_of(practice: &str, within: Duration) -> Question {
    let request = serde_json::json!({
        "carrier": "acme",
        "provider": { "npi": "1234567893" },
        "member": { "member_id": "SYN000001", "date_of_birth": "1980-01-01" }
    });
    Question {
        batch: None,
        id: "00000000-0000-7000-8000-000000000001".into(),
        caller: Arc::new(Caller::command_line(crate::practice::PracticeId::new(practice))),
        ask: Arc::new(Ask::Eligibility(serde_json::from_value(request).unwrap())),
        searched_by: Arc::from([]),
        lane: Lane::Interactive,
        asked_at: Timestamp::now(),
        max_age: None,
        deadline: Instant::now() + within,
        today: jiff::civil::date(2026, 11, 23),
        started: Instant::now(),
    }
}
