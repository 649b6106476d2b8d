//! A 271 as normalised answers (feature `answers`).

use jiff::civil::Date;
use serde_json::Value;

use crate::envelope::Transaction;
use crate::finding::Finding;

#[cfg(feature = "answers")]
pub(super) fn model(
    transaction: &Transaction,
    today: Date,
    findings: &mut Vec<Finding>,
) -> Option<(&'static str, Value)> {
    use connector_sdk::Outcome;
    use serde_json::json;

    let response = crate::eligibility::Response::read(transaction)?;
    findings.extend(response.findings.iter().cloned());
    let one = |answered: crate::answers::Answered| match answered.outcome {
        Outcome::Answered(facts) => {
            let answer = connector_sdk::summary::complete(facts, None, response.date().unwrap_or(today));
            json!({ "dependent": answered.dependent, "outcome": "answered", "answer": answer })
        }
        Outcome::Refused(refusal) => {
            json!({ "dependent": answered.dependent, "outcome": "refused", "refusal": refusal })
        }
    };
    Some(("answers", crate::answers::eligibility(&response, None).into_iter().map(one).collect()))
}

#[cfg(not(feature = "answers"))]
pub(super) fn model(_: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    None
}
