//! A 278: its answers as authorizations (feature `answers`), else its typed model.

use jiff::civil::Date;
use serde_json::Value;

use crate::envelope::Transaction;
use crate::finding::Finding;
use crate::review::ServicesReview;

pub(super) fn model(transaction: &Transaction, _: Date, findings: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    if transaction.id != ServicesReview::ID {
        return None;
    }
    let review = ServicesReview::read(&transaction.segments);
    if review.kind().is_answer()
        && let Some(answers) = answers(transaction, findings)
    {
        return Some(("answers", answers));
    }
    Some(("model", serde_json::to_value(&review).ok()?))
}

#[cfg(feature = "answers")]
fn answers(transaction: &Transaction, findings: &mut Vec<Finding>) -> Option<Value> {
    use crate::answers::authorization::{ReviewAnswer, authorizations};
    use crate::finding::Oddity;
    use connector_sdk::Outcome;
    use serde_json::json;

    let one = |answer: ReviewAnswer| {
        let (word, key, value) = match answer.outcome {
            Outcome::Answered(authorization) => ("answered", "answer", json!(authorization)),
            Outcome::Refused(refusal) => ("refused", "refusal", json!(refusal)),
        };
        json!({ "dependent": answer.dependent, "kind": answer.kind, "outcome": word, key: value })
    };
    let all = authorizations(transaction, None);
    if let Some(st) = transaction.segments.first().filter(|_| all.iter().any(|answer| answer.left_out)) {
        let found = Oddity::DetailCount.at(st.number, st.offset);
        findings.push(Finding { transaction: Some(transaction.number), ..found });
    }
    Some(all.into_iter().map(one).collect())
}

#[cfg(not(feature = "answers"))]
fn answers(_: &Transaction, _: &mut Vec<Finding>) -> Option<Value> {
    None
}
