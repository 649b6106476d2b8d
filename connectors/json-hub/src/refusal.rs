//! Errors the carrier writes into its reply: which are refusals, which are failures.

use connector_sdk::{CarrierCode, Error, ErrorKind, Refusal, RefusalReason};
use http::StatusCode;
use serde_json::Value;

use crate::codes;
use crate::hub::Hub;
use crate::settings::{ErrorRules, Meaning};
use crate::value::{Item, text};

/// Most errors of one reply that are told.
const ERRORS_MOST: usize = 50;
/// Longest code told, characters. A code is a short word; what is longer is text, which may name a patient.
const CODE_MOST: usize = 60;

/// One error, understood.
struct Told {
    code: CarrierCode,
    meaning: Meaning,
    look_at: Vec<String>,
}

/// What the errors in a reply mean; `None` when there are none.
pub fn errors(hub: &Hub, status: StatusCode, body: &Value) -> Option<Result<Refusal, Error>> {
    let mut told: Vec<Told> = Vec::new();
    for rules in &hub.errors {
        for found in rules.at.leaves(body, "") {
            // `"errors": []`, `"error": {}`, `"error": false` say that there is none.
            let none = match found.value.as_ref() {
                Value::Object(fields) => fields.is_empty(),
                Value::Bool(truth) => !truth,
                Value::String(text) => text.trim().is_empty(),
                _ => false,
            };
            if none || told.len() >= ERRORS_MOST {
                continue;
            }
            let one = understand(rules, &Item { value: &found.value, pointer: &found.pointer, reply: 1 });
            if one.meaning.is_error() {
                told.push(one);
            }
        }
    }
    if told.is_empty() {
        return None;
    }
    let failure = told.iter().find_map(|one| match one.meaning {
        Meaning::Failure(kind) => Some(kind),
        Meaning::Refusal(_) | Meaning::Nothing(_) => None,
    });
    if let Some(kind) = failure {
        let error = Error::new(kind, "The carrier's reply holds an error.").fact("errors", told.len());
        return Some(Err(error.fact("status", status)));
    }
    Some(Ok(refusal(told)))
}

fn refusal(told: Vec<Told>) -> Refusal {
    let reasons = told.iter().filter_map(|one| match one.meaning {
        Meaning::Refusal(reason) => Some(reason),
        Meaning::Failure(_) | Meaning::Nothing(_) => None,
    });
    // The first that says something; `other` only when none does.
    let reason = reasons
        .clone()
        .find(|reason| *reason != RefusalReason::Other)
        .or_else(|| reasons.clone().next())
        .unwrap_or(RefusalReason::Other);
    let mut refusal = Refusal::new(reason);
    let mut look_at: Vec<String> = Vec::new();
    for one in told {
        for field in one.look_at {
            if !look_at.contains(&field) {
                look_at.push(field);
            }
        }
        refusal.carrier_codes.push(one.code);
    }
    if !look_at.is_empty() {
        refusal.look_at = look_at;
    }
    refusal
}

fn understand(rules: &ErrorRules, error: &Item<'_>) -> Told {
    let code = error
        .find(Some(&rules.code))
        .and_then(|found| text(&found.value))
        .map_or_else(String::new, |code| short(&code));
    let own = rules.codes.iter().find(|(known, _)| known.eq_ignore_ascii_case(&code)).map(|(_, meaning)| *meaning);
    let x12 = rules.x12_codes.then(|| codes::reject(&code)).flatten();
    let meaning = own
        .or(x12.map(|(reason, _)| Meaning::Refusal(reason)))
        .or(rules.otherwise)
        .unwrap_or(Meaning::Refusal(RefusalReason::Other));
    let look_at = rules.look_at.iter().find(|(known, _)| known.eq_ignore_ascii_case(&code)).map(|(_, fields)| fields);
    let look_at = match (look_at, own, x12) {
        (Some(fields), _, _) => fields.clone(),
        (None, None, Some((_, fields))) => fields.iter().map(|field| (*field).to_owned()).collect(),
        _ => Vec::new(),
    };
    let follow_up = error.text(rules.follow_up.as_ref()).map(|text| short(&text)).filter(|text| !text.is_empty());
    Told { code: CarrierCode { loop_id: None, code, follow_up, meaning: None }, meaning, look_at }
}

/// A code as it came, unless it is no code but text.
fn short(code: &str) -> String {
    let code = code.trim();
    let fits = code.chars().count() <= CODE_MOST
        && code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'));
    if fits { code.to_owned() } else { "unreadable".to_owned() }
}

/// A meaning as a refusal's reason, or as an error; `None` when it means nothing.
pub fn meant(meaning: Meaning, message: &'static str) -> Option<Result<RefusalReason, Error>> {
    match meaning {
        Meaning::Refusal(reason) => Some(Ok(reason)),
        Meaning::Failure(kind) => Some(Err(Error::new(kind, message))),
        Meaning::Nothing(_) => None,
    }
}

/// A refusal the carrier put into the HTTP status.
pub fn by_status(reason: RefusalReason, status: StatusCode) -> Refusal {
    let code = CarrierCode { loop_id: None, code: status.as_u16().to_string(), follow_up: None, meaning: None };
    Refusal::new(reason).code(code)
}

/// The question does not fit what this carrier's file can carry.
pub fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
