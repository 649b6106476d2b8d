//! A saved answer that is given again is not kept again: its envelope refers to the one that holds the answer.
//!
//! An envelope that is referred to must outlive those that refer to it: a rule that removes old answers goes by when
//! the carrier said them (`freshness.as_of`), which is the same for all of them.

use serde_json::{Map, Value};

use crate::store::StoreError;

/// First key of a repeating envelope. No other envelope begins with it.
const MARK: &str = "answer_of";
/// What is referred to.
const ANSWER: &str = "answer";
/// The key after which the answer stands.
const BEFORE_ANSWER: &str = "outcome";
/// The reference leads nowhere.
pub(super) const GONE: StoreError = StoreError::Damaged { what: "a stored answer refers to one that is not there" };

/// The text of an envelope whose answer is the one in the envelope of question `first`; `rest` is all of it but the
/// answer. [`super::Trail::get`] gives the whole envelope back. `first` must be of the same practice and durable.
pub fn repeating(first: &str, rest: &Value) -> Vec<u8> {
    let mut map = Map::new();
    map.insert(MARK.to_owned(), Value::from(first));
    if let Value::Object(rest) = rest {
        map.extend(rest.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Value::Object(map).to_string().into_bytes()
}

/// The question whose envelope holds the answer; `None` for an envelope that is whole.
pub(super) fn first_of(stored: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(stored).ok()?;
    let (id, _) = text.strip_prefix("{\"")?.strip_prefix(MARK)?.strip_prefix("\":\"")?.split_once('"')?;
    Some(id)
}

/// The repeating envelope with the answer of `whole` in its place.
pub(super) fn joined(repeating: &[u8], whole: &[u8]) -> Result<Vec<u8>, StoreError> {
    let read = |bytes: &[u8]| serde_json::from_slice::<Map<String, Value>>(bytes).map_err(|_| GONE);
    let answer = read(whole)?.remove(ANSWER).ok_or(GONE)?;
    let mut answer = Some(answer);
    let mut joined = Map::new();
    for (key, value) in read(repeating)?.into_iter().filter(|(key, _)| key != MARK) {
        let here = key == BEFORE_ANSWER;
        joined.insert(key, value);
        if let Some(answer) = answer.take_if(|_| here) {
            joined.insert(ANSWER.to_owned(), answer);
        }
    }
    Ok(Value::Object(joined).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_answer_stands_where_it_stood() {
        let whole = br#"{"id":"1","outcome":"answered","answer":{"a":[1]},"warnings":[]}"#;
        let stored = repeating("1", &json!({ "id": "2", "outcome": "answered", "warnings": [] }));
        assert_eq!(first_of(&stored), Some("1"));
        let joined = joined(&stored, whole).unwrap();
        assert_eq!(joined, br#"{"id":"2","outcome":"answered","answer":{"a":[1]},"warnings":[]}"#);
    }

    #[test]
    fn a_whole_envelope_refers_to_nothing_and_a_reference_to_a_repeat_is_refused() {
        assert_eq!(first_of(br#"{"id":"1","answer_of":"2"}"#), None);
        assert_eq!(first_of(b"{"), None);
        let stored = repeating("1", &json!({ "id": "2", "outcome": "answered" }));
        assert_eq!(joined(&stored, &stored), Err(GONE));
    }
}
