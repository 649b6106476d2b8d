//! The status of claims: a 277 as one answer per claim (feature `answers`), a 276 as its typed model.

use jiff::civil::Date;
use serde_json::Value;

use crate::envelope::Transaction;
use crate::finding::Finding;
use crate::status::ClaimStatusRequest;

pub(super) fn model(transaction: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    if transaction.id == ClaimStatusRequest::ID {
        let request = ClaimStatusRequest::read(&transaction.segments);
        return Some(("model", serde_json::to_value(&request).ok()?));
    }
    answers(transaction)
}

#[cfg(feature = "answers")]
fn answers(transaction: &Transaction) -> Option<(&'static str, Value)> {
    use crate::answers::{ClaimAnswered, claim_status};
    use crate::status::ClaimStatusResponse;
    use serde_json::json;

    if transaction.id != ClaimStatusResponse::ID {
        return None;
    }
    let response = ClaimStatusResponse::read(&transaction.segments);
    let segments = u32::try_from(transaction.segments.len()).unwrap_or(u32::MAX);
    let one = |each: ClaimAnswered| json!({ "level": each.level.word(), "trace": each.trace, "answer": each.answer });
    Some(("answers", claim_status(&response, transaction.number, segments).into_iter().map(one).collect()))
}

#[cfg(not(feature = "answers"))]
fn answers(_: &Transaction) -> Option<(&'static str, Value)> {
    None
}
