//! A body to begin with for each operation of the API, from its schema.

use serde_json::{Map, Value, json};

/// Deepest nesting that is written out.
const DEPTH_MAX: usize = 6;

/// The smallest body that has everything the schema asks for; `{}` where it asks for nothing.
pub fn body(document: &Value, schema: &Value) -> Value {
    of(document, schema, 0)
}

fn of(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    let below = |inner: &Value| of(document, inner, depth + 1);
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix('#')) {
        return document.pointer(name).map_or(Value::Null, below);
    }
    if let Some(fixed) = schema.get("const").or_else(|| schema["enum"].get(0)).or_else(|| schema["examples"].get(0)) {
        return fixed.clone();
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[several].get(0) {
            return below(first);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str));
    match kind {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields = required.map(|name| (name.to_owned(), below(&schema["properties"][name])));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Some("array") => json!([below(&schema["items"])]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        Some("string") => json!(""),
        _ => Value::Null,
    }
}

/// A question that a simulated carrier answers: the person is invented.
pub fn question() -> Value {
    json!({
        "carrier": "northstar",
        "provider": { "npi": "1234567893" },
        "member": {
            "member_id": "NSH-ACTIVE-COPAY40", "first_name": "AMARA", "last_name": "OKAFOR", "date_of_birth": "1984-03-12"
        },
        "service": { "types": ["30", "98"] }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_of_the_api_has_an_example() {
        let document = crate::api::openapi_document();
        let mut seen = 0;
        for operation in
            document["paths"].as_object().into_iter().flatten().flat_map(|(_, all)| all.as_object()).flatten()
        {
            let schema = &operation.1["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                seen += 1;
                assert!(body(&document, schema).is_object(), "{schema}");
            }
        }
        assert!(seen > 15, "{seen}");
    }
}
