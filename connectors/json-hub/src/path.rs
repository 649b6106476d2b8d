//! Where a value stands in the carrier's JSON: `subscriber.memberId`, `benefits[*].amount`, `ids[type=MB].value`.
//!
//! | written | meaning |
//! |---|---|
//! | `a.b` | field `b` of field `a` |
//! | `a."odd.name"` | a field whose name has dots, brackets or spaces |
//! | `a[0]` | the first element |
//! | `a[*]` or `a.*` | every element of a list, every value of an object |
//! | `a[key=value]` | the elements whose `key` equals `value`, or is a list that holds it (case does not matter) |
//! | `@key` | the name under which the element itself stands (`benefits.*` with names that mean something) |
//! | empty | the whole |
//!
//! A list met where a field is asked for is entered: `a.b` on `{"a":[{"b":1}]}` finds `1`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Most places one path may lead to; what lies beyond is left out.
const PLACES_MOST: usize = 10_000;

/// A path, or several of which the first that leads somewhere is taken. A path that cannot be read is kept with its
/// fault, so that all faults of a file are told at once.
#[derive(Clone, Debug)]
pub struct Path {
    choices: Vec<(String, Result<Vec<Step>, &'static str>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    All,
    Where(String, String),
    Key,
}

/// A value with its RFC 6901 pointer.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Where it stands.
    pub pointer: String,
    /// The value.
    pub value: Cow<'a, Value>,
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(text) => Self::new(&text),
            Written::Several(texts) => {
                Self { choices: texts.into_iter().map(|text| (text.clone(), parse(&text))).collect() }
            }
        })
    }
}

impl JsonSchema for Path {
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Where a value stands: `subscriber.memberId`, `plans[0].name`, `benefits[*]`, `ids[type=MB].value`. A list of paths: the first that leads somewhere.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}

impl Default for Path {
    /// The whole.
    fn default() -> Self {
        Self::new("")
    }
}

impl Path {
    /// One path.
    pub fn new(text: &str) -> Self {
        Self { choices: vec![(text.to_owned(), parse(text))] }
    }

    /// The faults of the text, if any.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.choices.iter().filter_map(|(text, steps)| steps.as_ref().err().map(|fault| (text.as_str(), *fault)))
    }

    /// All places it leads to from `root`, which itself stands at `pointer`. `null` counts as absent.
    pub fn all<'a>(&self, root: &'a Value, pointer: &str) -> Vec<Found<'a>> {
        for (_, steps) in &self.choices {
            let Ok(steps) = steps else { continue };
            let mut found = vec![Found { pointer: pointer.to_owned(), value: Cow::Borrowed(root) }];
            for step in steps {
                found = found.into_iter().flat_map(|place| place.go(step)).take(PLACES_MOST).collect();
            }
            found.retain(|place| !place.value.is_null());
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The first place it leads to.
    pub fn first<'a>(&self, root: &'a Value, pointer: &str) -> Option<Found<'a>> {
        self.all(root, pointer).into_iter().next()
    }

    /// The values at all places, lists opened: `codes` on `{"codes":["30","98"]}` gives both.
    pub fn leaves<'a>(&self, root: &'a Value, pointer: &str) -> Vec<Found<'a>> {
        let mut leaves = Vec::new();
        for found in self.all(root, pointer) {
            match found.value {
                Cow::Borrowed(Value::Array(_)) => leaves.extend(found.go(&Step::All)),
                _ => leaves.push(found),
            }
        }
        leaves.retain(|leaf| !leaf.value.is_null());
        leaves
    }
}

impl<'a> Found<'a> {
    fn child(pointer: &str, key: &str, value: &'a Value) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("{pointer}/{key}"), value: Cow::Borrowed(value) }
    }

    fn children(pointer: &str, value: &'a Value) -> Vec<Self> {
        match value {
            Value::Array(items) => items
                .iter()
                .take(PLACES_MOST)
                .enumerate()
                .map(|(n, v)| Self::child(pointer, &n.to_string(), v))
                .collect(),
            Value::Object(fields) => fields.iter().take(PLACES_MOST).map(|(k, v)| Self::child(pointer, k, v)).collect(),
            _ => Vec::new(),
        }
    }

    fn go(self, step: &Step) -> Vec<Self> {
        let Cow::Borrowed(value) = self.value else { return Vec::new() };
        match step {
            Step::Field(name) => match value {
                Value::Object(fields) => {
                    fields.get(name).map(|v| Self::child(&self.pointer, name, v)).into_iter().collect()
                }
                Value::Array(_) => Self::children(&self.pointer, value)
                    .into_iter()
                    .filter(|child| child.value.is_object())
                    .flat_map(|child| child.go(step))
                    .collect(),
                _ => Vec::new(),
            },
            Step::Index(place) => value
                .as_array()
                .and_then(|items| items.get(*place))
                .map(|v| Self::child(&self.pointer, &place.to_string(), v))
                .into_iter()
                .collect(),
            Step::All => Self::children(&self.pointer, value),
            Step::Where(key, wanted) => Self::children(&self.pointer, value)
                .into_iter()
                .filter(|child| child.value.get(key).is_some_and(|given| equals(given, wanted)))
                .collect(),
            Step::Key => {
                let key = self.pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
                vec![Found { pointer: self.pointer, value: Cow::Owned(Value::String(key)) }]
            }
        }
    }
}

fn equals(given: &Value, wanted: &str) -> bool {
    match given {
        Value::Array(items) => items.iter().any(|item| !item.is_array() && equals(item, wanted)),
        Value::String(text) => text.trim().eq_ignore_ascii_case(wanted),
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(truth) => truth.to_string() == wanted,
        Value::Null | Value::Object(_) => false,
    }
}

fn parse(text: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    // Both spellings of the root that other tools know.
    rest = rest.strip_prefix('$').unwrap_or(rest);
    rest = rest.strip_prefix('.').unwrap_or(rest);
    while !rest.is_empty() {
        if steps.len() >= 32 {
            return Err("A path has at most 32 steps.");
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let (inside, after) = inside.split_once(']').ok_or("A bracket [ is not closed by ].")?;
            steps.push(bracket(inside.trim())?);
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('"') {
            let (name, after) = inside.split_once('"').ok_or("A quotation mark is not closed.")?;
            steps.push(Step::Field(name.to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            match name.trim() {
                "" => return Err("A name is missing between two dots."),
                "*" => steps.push(Step::All),
                "@key" => steps.push(Step::Key),
                name => steps.push(Step::Field(name.to_owned())),
            }
            rest = after;
        }
        rest = match rest.strip_prefix('.') {
            Some("") => return Err("The path ends with a dot."),
            Some(after) => after,
            None if rest.is_empty() || rest.starts_with('[') => rest,
            None => return Err("A dot is missing between two names."),
        };
    }
    Ok(steps)
}

fn bracket(inside: &str) -> Result<Step, &'static str> {
    if inside.is_empty() || inside == "*" {
        return Ok(Step::All);
    }
    if let Some((key, value)) = inside.split_once('=') {
        let value = value.trim().trim_matches(['"', '\'']);
        return Ok(Step::Where(key.trim().to_owned(), value.to_owned()));
    }
    inside.parse().map(Step::Index).map_err(|_| "In brackets stands a number from 0, * or key=value.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(path: &str, root: &Value) -> Vec<(String, Value)> {
        let path = Path::new(path);
        assert_eq!(path.faults().count(), 0);
        path.all(root, "").into_iter().map(|f| (f.pointer, f.value.into_owned())).collect()
    }

    #[test]
    fn every_kind_of_step() {
        let root = json!({
            "a": { "b.c": 1, "n": null },
            "list": [{ "code": "B", "to": ["30", "98"], "v": 1 }, { "code": "C", "to": ["30"], "v": 2 }],
            "by": { "x/y": { "v": 3 } }
        });
        assert_eq!(found("a.\"b.c\"", &root), [("/a/b.c".into(), json!(1))]);
        assert_eq!(found("a.n", &root), []);
        assert_eq!(found("list[1].v", &root), [("/list/1/v".into(), json!(2))]);
        assert_eq!(found("list[*].v", &root), [("/list/0/v".into(), json!(1)), ("/list/1/v".into(), json!(2))]);
        assert_eq!(found("list.v", &root).len(), 2);
        assert_eq!(found("list[code=c].v", &root), [("/list/1/v".into(), json!(2))]);
        assert_eq!(found("list[to=98].v", &root), [("/list/0/v".into(), json!(1))]);
        assert_eq!(found("$.by.*", &root), [("/by/x~1y".into(), json!({ "v": 3 }))]);
        assert_eq!(found("by.*.@key", &root), [("/by/x~1y".into(), json!("x/y"))]);
        assert_eq!(found("list[9].v", &root), []);
        assert_eq!(found("", &root).len(), 1);
    }

    #[test]
    fn broken_paths_are_told() {
        for text in ["a..b", "a[", "a[x]", "a.", "\"a", "a]b", "a\"b\"c"] {
            assert_eq!(Path::new(text).faults().count(), 1, "{text}");
        }
    }

    #[test]
    fn the_first_path_that_leads_somewhere() {
        let path: Path = serde_json::from_value(json!(["a.x", "b"])).unwrap();
        let root = json!({ "b": ["p", "q"] });
        assert_eq!(
            path.leaves(&root, "/r").iter().map(|l| l.pointer.clone()).collect::<Vec<_>>(),
            ["/r/b/0", "/r/b/1"]
        );
    }
}
