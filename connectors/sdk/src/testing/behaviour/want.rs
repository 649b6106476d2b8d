//! What came of a question, as JSON, and whether it holds at least what was wanted.

use serde_json::{Value, json};

use crate::{EligibilityFacts, EligibilityRequest, Outcome, Result, summary};

/// The outcome with the names of the API's envelope.
pub(super) fn told(outcome: &Result<Outcome<EligibilityFacts>>, ask: &EligibilityRequest, requests: usize) -> Value {
    let today = jiff::civil::date(2026, 11, 23);
    match outcome {
        Ok(Outcome::Answered(facts)) => {
            let answer = summary::complete(facts.clone(), Some(ask), today);
            let answer = serde_json::to_value(answer).unwrap_or_default();
            json!({ "outcome": "answered", "coverage": answer["coverage"], "answer": answer, "requests": requests })
        }
        Ok(Outcome::Refused(refusal)) => {
            json!({ "outcome": "refused", "refusal": refusal, "requests": requests })
        }
        Err(error) => {
            json!({ "outcome": "failed", "kind": error.kind.name(), "text": error.message, "requests": requests })
        }
    }
}

/// The first place where `given` lacks something of `want`, in words.
pub(super) fn lacks(want: &Value, given: &Value, at: &str) -> Option<String> {
    match (want, given) {
        (Value::Object(want), Value::Object(given)) => want.iter().find_map(|(key, want)| match given.get(key) {
            Some(given) => lacks(want, given, &format!("{at}/{key}")),
            None => Some(format!("{at}/{key} is missing")),
        }),
        (Value::Array(want), Value::Array(given)) => want
            .iter()
            .find(|want| !given.iter().any(|given| lacks(want, given, at).is_none()))
            .map(|want| format!("{at} has no element like {want}; it is {}", Value::Array(given.clone()))),
        _ => (want != given).then(|| format!("{at} is {given} instead of {want}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_enough() {
        let given = json!({ "a": [{ "b": 1, "c": 2 }, { "b": 3 }], "d": "x" });
        assert_eq!(lacks(&json!({ "a": [{ "b": 3 }] }), &given, ""), None);
        assert!(lacks(&json!({ "a": [{ "b": 2 }] }), &given, "").is_some());
        assert!(lacks(&json!({ "e": null }), &given, "").is_some());
        assert!(lacks(&json!({ "d": "y" }), &given, "").is_some());
    }
}
