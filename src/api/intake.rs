//! A request body to a typed ask, or everything that is wrong with it at once; for an [`EligibilityRequest`], shape and
//! content together.

use std::sync::OnceLock;

use connector_sdk::ask::FieldProblem;
use connector_sdk::{AuthorizationRequest, EligibilityRequest};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::carriers::schema;
use crate::submissions::Resolution;

/// Reads a body. `today` bounds dates of birth.
///
/// # Errors
/// 400 when it is not JSON, else 422 with every problem; no message repeats a value.
pub fn read(body: &[u8], today: Date) -> Result<EligibilityRequest, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Problem::not_json(&error))?;
    of_value(value, today).map_err(Problem::fields)
}

/// The same for a question that stands in something larger.
///
/// # Errors
/// Every problem; no message repeats a value.
pub fn of_value(value: Value, today: Date) -> Result<EligibilityRequest, Vec<FieldProblem>> {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| schemars::schema_for!(EligibilityRequest).to_value());
    let mut problems = schema::check_json(schema, &value);
    if problems.is_empty() {
        return typed(value);
    }
    problems.extend(content_beside(value, &problems, today));
    Err(problems)
}

/// Reads any body by its schema: everything that is wrong with its shape, at once.
///
/// # Errors
/// 400 when it is not JSON, else 422 with every problem; no message repeats a value.
pub fn any<T: JsonSchema + DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    shaped(body, &OnceLock::new())
}

/// Reads an authorization; its content is checked where it is taken.
///
/// # Errors
/// 400 when it is not JSON, else 422 with every problem of its shape; no message repeats a value.
pub fn authorization(body: &[u8]) -> Result<AuthorizationRequest, Problem> {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    shaped(body, &SCHEMA)
}

/// Reads a person's word on a submission.
///
/// # Errors
/// As [`authorization`].
pub fn resolution(body: &[u8]) -> Result<Resolution, Problem> {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    shaped(body, &SCHEMA)
}

fn shaped<T: JsonSchema + DeserializeOwned>(body: &[u8], schema: &OnceLock<Value>) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Problem::not_json(&error))?;
    let problems = schema::check_json(schema.get_or_init(|| schemars::schema_for!(T).to_value()), &value);
    let read = if problems.is_empty() { typed(value) } else { Err(problems) };
    read.map_err(Problem::fields)
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Vec<FieldProblem>> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer: String = error.path().iter().map(|segment| format!("/{segment}")).collect();
        vec![FieldProblem::new(pointer.replace(['[', ']'], ""), "This value cannot be read.")]
    })
}

/// Problems of content in the fields whose shape is right: the others are replaced by something harmless first.
fn content_beside(mut value: Value, shape: &[FieldProblem], today: Date) -> Vec<FieldProblem> {
    for problem in shape {
        mend(&mut value, &problem.path);
    }
    let Ok(request) = serde_json::from_value::<EligibilityRequest>(value) else { return Vec::new() };
    let mut found = request.problems(today);
    found.retain(|problem| !shape.iter().any(|bad| problem.path.starts_with(&bad.path)));
    found
}

/// Puts a harmless value at `pointer`, or takes away what is there.
fn mend(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    let harmless = match key {
        "carrier" => Some(Value::from("x")),
        "provider" => Some(serde_json::json!({ "npi": "1234567893" })),
        "npi" => Some(Value::from("1234567893")),
        "member" => Some(serde_json::json!({ "member_id": "X" })),
        "member_id" | "first_name" | "last_name" => Some(Value::from("X")),
        "date_of_birth" => Some(Value::from("2000-01-01")),
        "relationship" => Some(Value::from("unknown")),
        _ => None,
    };
    match (value.pointer_mut(parent), harmless) {
        (Some(Value::Object(object)), Some(harmless)) => {
            object.insert(key.to_owned(), harmless);
        }
        (Some(Value::Object(object)), None) => {
            object.remove(key);
        }
        (Some(Value::Array(list)), _) => {
            if let Ok(place) = key.parse::<usize>()
                && place < list.len()
            {
                list[place] = Value::from("30");
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(body: &str) -> Vec<String> {
        let problem = read(body.as_bytes(), jiff::civil::date(2026, 11, 23)).unwrap_err();
        let value = serde_json::to_value(problem).unwrap();
        let text = value.to_string();
        assert!(!text.contains("ZANZIBAR"), "a problem repeats a value: {text}");
        value["errors"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn shape_and_content_are_reported_together() {
        let found = problems(
            r#"{"provider": {"npi": "1234567890"}, "member": {"date_of_birth": "1980-02-30", "last_nam": "ZANZIBAR"},
                "service": {"types": ["30", "ZANZIBAR"]}}"#,
        );
        for path in ["/carrier", "/provider/npi", "/member/date_of_birth", "/member/last_nam", "/service/types/1"] {
            assert!(found.iter().any(|f| f == path), "{path} is missing from {found:?}");
        }
    }

    #[test]
    fn a_good_body_is_read() {
        let body = r#"{"carrier": "x", "provider": {"npi": "1234567893"}, "member": {"member_id": "1"}}"#;
        assert!(read(body.as_bytes(), jiff::civil::date(2026, 11, 23)).is_ok());
    }
}
