//! Checks a value against a JSON Schema and reports everything that is wrong at once, in plain words.
//!
//! Understands what `schemars` derives: `$ref`, `properties`, `required`, `additionalProperties`, `items`, `enum`,
//! `const`, `type`, number and length bounds, `format: date`, and the three combiners. Used for carrier files and
//! `gateway.toml` ([`Words::File`]) and for request bodies ([`Words::Body`], which never repeats a value).

use connector_sdk::ask::FieldProblem;
use serde_json::{Map, Value};

use super::words::nearest;

/// Problems reported at most: beyond, the person reads no further, and a hostile body costs no more.
const PROBLEMS_MAX: usize = 100;
/// Deepest nesting walked, of schema and value together.
const DEPTH_MAX: usize = 64;
/// Accepted values named in one message.
const VALUES_SHOWN: usize = 12;

/// Whose words the messages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// A configuration file: TOML's words; values may be repeated, since a carrier file holds no secret.
    File,
    /// A request body: JSON's words; a value is never repeated, since it may be a patient's.
    Body,
}

/// Which part of an entry a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The key.
    Key,
    /// The value.
    Value,
    /// Nothing is there, and something should be.
    Missing,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// Keys from the root down, array places as numbers. For a missing key: where it should be.
    pub path: Vec<String>,
    /// Key, value, or neither.
    pub spot: Spot,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl SchemaProblem {
    /// The path as a JSON pointer (RFC 6901): `/member/date_of_birth`.
    pub fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |text, key| text + "/" + &key.replace('~', "~0").replace('/', "~1"))
    }

    /// Message and help in one sentence or two, for a caller of the API.
    pub fn sentence(&self) -> String {
        match &self.help {
            Some(help) => format!("{} {help}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Everything in `value` that does not fit `schema`, at most 100 problems, in the order of the value. `$ref` is
/// resolved inside `schema` (`#/$defs/…`).
pub fn check(schema: &Value, value: &Value, words: Words) -> Vec<SchemaProblem> {
    let mut walk = Walk { root: schema, words, found: Vec::new(), path: Vec::new() };
    walk.visit(schema, value, 0);
    walk.found
}

/// Everything in a request body that does not fit, with JSON pointers; no message repeats a value.
pub fn check_json(schema: &Value, body: &Value) -> Vec<FieldProblem> {
    check(schema, body, Words::Body)
        .into_iter()
        .map(|problem| FieldProblem::new(problem.pointer(), problem.sentence()))
        .collect()
}

struct Walk<'s> {
    root: &'s Value,
    words: Words,
    found: Vec<SchemaProblem>,
    path: Vec<String>,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, schema: &'s Value, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.found.len() >= PROBLEMS_MAX {
            return;
        }
        let Some(rules) = schema.as_object() else { return };
        if let Some(target) = rules.get("$ref").and_then(|name| self.resolve(name)) {
            self.visit(target, value, depth + 1);
        }
        if !self.type_fits(rules, value) || !self.literal_fits(rules, value) {
            return;
        }
        match value {
            Value::Object(map) => self.object(rules, map, depth),
            Value::Array(items) => self.list(rules, items, depth),
            Value::Number(_) => self.number(rules, value),
            Value::String(text) => self.text(rules, text),
            Value::Bool(_) | Value::Null => {}
        }
        for part in parts(rules, "allOf") {
            self.visit(part, value, depth + 1);
        }
        for combiner in ["anyOf", "oneOf"] {
            if rules.contains_key(combiner) {
                self.choose(parts(rules, combiner), value, depth);
            }
        }
    }

    fn resolve(&self, name: &Value) -> Option<&'s Value> {
        self.root.pointer(name.as_str()?.strip_prefix('#')?)
    }

    /// Follows `$ref` to the rules themselves.
    fn rules(&self, schema: &'s Value) -> Option<&'s Map<String, Value>> {
        let mut rules = schema.as_object()?;
        for _ in 0..8 {
            match rules.get("$ref").and_then(|name| self.resolve(name)).and_then(Value::as_object) {
                Some(target) => rules = target,
                None => break,
            }
        }
        Some(rules)
    }

    fn add(&mut self, spot: Spot, message: String, help: Option<String>) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push(SchemaProblem { path: self.path.clone(), spot, message, help });
        }
    }

    /// Adds a problem in the words of the one who reads it: `(file, body)`.
    fn say(&mut self, file: String, body: String, help: Option<String>) {
        let message = if self.words == Words::File { file } else { body };
        self.add(Spot::Value, message, help);
    }

    fn missing(&mut self, key: &str, help: Option<String>) {
        let message = match self.words {
            Words::File => format!("\"{key}\" is missing"),
            Words::Body => "This field is missing.".to_owned(),
        };
        self.path.push(key.to_owned());
        self.add(Spot::Missing, message, help);
        self.path.pop();
    }

    fn type_fits(&mut self, rules: &Map<String, Value>, value: &Value) -> bool {
        let wanted = types(rules);
        if wanted.is_empty() || wanted.iter().any(|name| is_type(name, value)) {
            return true;
        }
        let names: Vec<&str> = wanted.iter().filter(|name| **name != "null").map(|name| self.type_name(name)).collect();
        let help = match value {
            Value::Number(number) if wanted.contains(&"string") && self.words == Words::File => {
                Some(format!("put it in quotes: \"{number}\""))
            }
            Value::Number(_) if wanted.contains(&"string") => Some("Put it in quotes.".to_owned()),
            Value::String(text) if self.words == Words::File && text.parse::<i64>().is_ok() => {
                Some(format!("leave the quotes out: {text}"))
            }
            Value::String(text) if self.words == Words::File && wanted.contains(&"array") => {
                Some(format!("put it in brackets: [\"{text}\"]"))
            }
            _ => None,
        };
        let is = self.type_name(type_of(value));
        let wanted = names.join(" or ");
        self.say(format!("this must be {wanted}, not {is}"), format!("This must be {wanted}, not {is}."), help);
        false
    }

    fn type_name(&self, name: &str) -> &'static str {
        match (name, self.words) {
            ("string", _) => "text",
            ("integer", _) => "a whole number",
            ("number", _) => "a number",
            ("boolean", _) => "true or false",
            ("array", _) => "a list",
            ("object", Words::File) => "a table",
            ("object", Words::Body) => "an object",
            _ => "null",
        }
    }

    fn literal_fits(&mut self, rules: &Map<String, Value>, value: &Value) -> bool {
        let allowed = literals(rules);
        // serde's aliases are in no schema; a type that has them lists them under this name.
        if allowed.is_empty() || allowed.contains(&value) || parts(rules, "x-aliases").contains(value) {
            return true;
        }
        self.not_accepted(&allowed, value);
        false
    }

    fn not_accepted(&mut self, allowed: &[&Value], value: &Value) {
        let names: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
        let quote = |name: &&str| if self.words == Words::File { format!("\"{name}\"") } else { (*name).to_owned() };
        let mut list = names.iter().take(VALUES_SHOWN).map(quote).collect::<Vec<_>>().join(", ");
        if names.len() > VALUES_SHOWN {
            list.push_str(", …");
        }
        let near = value.as_str().and_then(|text| nearest(text, names.iter().copied()));
        let help = match (near, self.words) {
            (Some(near), Words::File) => Some(format!("did you mean \"{near}\"? Accepted: {list}")),
            (None, Words::File) => Some(format!("accepted: {list}")),
            (_, Words::Body) => Some(format!("Accepted: {list}.")),
        };
        let file = match value {
            Value::String(text) => format!("\"{text}\" is not accepted here"),
            _ => "this value is not accepted here".to_owned(),
        };
        self.say(file, "This value is not accepted here.".to_owned(), help);
    }

    fn object(&mut self, rules: &'s Map<String, Value>, map: &Map<String, Value>, depth: usize) {
        let own = rules.get("properties").and_then(Value::as_object);
        let closed = [rules.get("additionalProperties"), rules.get("unevaluatedProperties")]
            .iter()
            .any(|rule| rule.and_then(Value::as_bool) == Some(false));
        let others = rules.get("additionalProperties").filter(|rule| rule.is_object());
        let mut known = Vec::new();
        if closed {
            self.names(rules, &mut known, 0);
        }
        for (key, value) in map {
            self.path.push(key.clone());
            if let Some(schema) = own.and_then(|own| own.get(key)) {
                self.visit(schema, value, depth + 1);
            } else if closed && !known.contains(&key.as_str()) {
                self.unknown_key(key, &known, map);
            } else if let Some(schema) = others {
                self.visit(schema, value, depth + 1);
            }
            self.path.pop();
        }
        for key in parts(rules, "required").iter().filter_map(Value::as_str) {
            if !map.contains_key(key) {
                let about = own.and_then(|own| own.get(key)).and_then(description);
                let help = about.filter(|_| self.words == Words::File);
                self.missing(key, help);
            }
        }
    }

    fn unknown_key(&mut self, key: &str, known: &[&str], map: &Map<String, Value>) {
        let free = known.iter().copied().filter(|name| !map.contains_key(*name));
        let near = nearest(key, free).or_else(|| nearest(key, known.iter().copied()));
        let list = known.iter().take(VALUES_SHOWN * 2).copied().collect::<Vec<_>>().join(", ");
        let (message, help) = match (self.words, near) {
            (Words::File, Some(near)) => (format!("unknown key \"{key}\""), format!("did you mean \"{near}\"?")),
            (Words::File, None) => (format!("unknown key \"{key}\""), format!("known here: {list}")),
            (Words::Body, Some(near)) => ("There is no such field.".to_owned(), format!("Did you mean {near}?")),
            (Words::Body, None) => ("There is no such field.".to_owned(), format!("Known here: {list}.")),
        };
        self.add(Spot::Key, message, Some(help));
    }

    /// Names of all properties, those of combined parts too.
    fn names(&self, rules: &'s Map<String, Value>, into: &mut Vec<&'s str>, depth: usize) {
        if depth > 8 {
            return;
        }
        if let Some(own) = rules.get("properties").and_then(Value::as_object) {
            into.extend(own.keys().map(String::as_str));
        }
        let combined = ["allOf", "anyOf", "oneOf"].iter().flat_map(|name| parts(rules, name));
        for part in combined.filter_map(|part| self.rules(part)) {
            self.names(part, into, depth + 1);
        }
    }

    fn list(&mut self, rules: &'s Map<String, Value>, items: &[Value], depth: usize) {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if let Some(least) = rules.get("minItems").and_then(Value::as_u64).filter(|least| count < *least) {
            self.say(
                format!("at least {least} needed here"),
                format!("At least {least} entries are needed here."),
                None,
            );
        }
        if let Some(most) = rules.get("maxItems").and_then(Value::as_u64).filter(|most| count > *most) {
            self.say(format!("at most {most} allowed here"), format!("At most {most} entries are allowed here."), None);
        }
        let Some(schema) = rules.get("items") else { return };
        for (place, item) in items.iter().enumerate() {
            self.path.push(place.to_string());
            self.visit(schema, item, depth + 1);
            self.path.pop();
        }
    }

    fn number(&mut self, rules: &Map<String, Value>, value: &Value) {
        let Some(number) = value.as_f64() else { return };
        if let Some(least) = rules.get("minimum").filter(|least| least.as_f64().is_some_and(|least| number < least)) {
            self.say(format!("this must be at least {least}"), format!("This must be at least {least}."), None);
        }
        if let Some(most) = rules.get("maximum").filter(|most| most.as_f64().is_some_and(|most| number > most)) {
            self.say(format!("this must be at most {most}"), format!("This must be at most {most}."), None);
        }
    }

    fn text(&mut self, rules: &Map<String, Value>, text: &str) {
        let count = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if rules.get("minLength").and_then(Value::as_u64).is_some_and(|least| count < least) {
            self.say("this must not be empty".to_owned(), "This must not be empty.".to_owned(), None);
        }
        if let Some(most) = rules.get("maxLength").and_then(Value::as_u64).filter(|most| count > *most) {
            self.say(format!("longer than {most} characters"), format!("This is longer than {most} characters."), None);
        }
        let date = rules.get("format").and_then(Value::as_str) == Some("date");
        if date && text.parse::<jiff::civil::Date>().is_err() {
            let words = "a day that exists, written YYYY-MM-DD";
            self.say(format!("this must be {words}"), format!("This must be {words}."), None);
        }
    }

    /// One of several schemas: fine when one fits, else the problems with the one that was most likely meant.
    fn choose(&mut self, branches: &'s [Value], value: &Value, depth: usize) {
        let mut tries: Vec<(&'s Map<String, Value>, Vec<SchemaProblem>)> = Vec::new();
        for branch in branches {
            let mut inner = Walk { root: self.root, words: self.words, found: Vec::new(), path: self.path.clone() };
            inner.visit(branch, value, depth + 1);
            if inner.found.is_empty() {
                return;
            }
            if let Some(rules) = self.rules(branch)
                && types(rules) != ["null"]
            {
                tries.push((rules, inner.found));
            }
        }
        if let [(_, problems)] = tries.as_slice() {
            self.found.extend(problems.iter().cloned());
            return;
        }
        let allowed: Vec<&Value> = tries.iter().flat_map(|(rules, _)| literals(rules)).collect();
        if tries.iter().all(|(rules, _)| !literals(rules).is_empty()) {
            if value.is_string() {
                self.not_accepted(&allowed, value);
            } else {
                self.say("this must be text".to_owned(), "This must be text.".to_owned(), None);
            }
            return;
        }
        if self.by_tag(&tries, value) {
            return;
        }
        self.by_shape(tries, value);
    }

    /// Tables told apart by one key with fixed values (`kind = "form"`): the problems with the one named.
    fn by_tag(&mut self, tries: &[(&'s Map<String, Value>, Vec<SchemaProblem>)], value: &Value) -> bool {
        let Some(map) = value.as_object() else { return false };
        let tag_of = |rules: &'s Map<String, Value>, name: &str| -> Option<&'s Value> {
            literals(self.rules(rules.get("properties")?.get(name)?)?).first().copied()
        };
        let Some(names) = tries.first().and_then(|(rules, _)| rules.get("properties")).and_then(Value::as_object)
        else {
            return false;
        };
        let Some(tag) = names.keys().find(|name| tries.iter().all(|(rules, _)| tag_of(rules, name).is_some())) else {
            return false;
        };
        let allowed: Vec<&Value> = tries.iter().filter_map(|(rules, _)| tag_of(rules, tag)).collect();
        let Some(given) = map.get(tag) else {
            self.missing(tag, None);
            return true;
        };
        match tries.iter().find(|(rules, _)| tag_of(rules, tag) == Some(given)) {
            Some((_, problems)) => self.found.extend(problems.iter().cloned()),
            None => {
                self.path.push(tag.clone());
                self.not_accepted(&allowed, given);
                self.path.pop();
            }
        }
        true
    }

    fn by_shape(&mut self, tries: Vec<(&'s Map<String, Value>, Vec<SchemaProblem>)>, value: &Value) {
        let mut kinds: Vec<&str> = tries.iter().flat_map(|(rules, _)| types(rules)).collect();
        kinds.dedup();
        let fitting = tries.into_iter().filter(|(rules, _)| {
            let wanted = types(rules);
            wanted.is_empty() || wanted.iter().any(|name| is_type(name, value))
        });
        match fitting.min_by_key(|(_, problems)| problems.len()) {
            Some((_, problems)) => self.found.extend(problems),
            None => {
                let wanted = kinds.iter().map(|name| self.type_name(name)).collect::<Vec<_>>().join(" or ");
                self.say(format!("this must be {wanted}"), format!("This must be {wanted}."), None);
            }
        }
    }
}

fn parts<'s>(rules: &'s Map<String, Value>, name: &str) -> &'s [Value] {
    rules.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn types(rules: &Map<String, Value>) -> Vec<&str> {
    match rules.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn literals(rules: &Map<String, Value>) -> Vec<&Value> {
    match rules.get("const") {
        Some(only) => vec![only],
        None => parts(rules, "enum").iter().collect(),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    type_of(value) == name || (name == "number" && value.is_number())
}

/// The first sentence of a schema's description.
fn description(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    let line = text.split("\n\n").next().unwrap_or(text).replace('\n', " ");
    Some(line.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_sdk::EligibilityRequest;
    use serde_json::json;

    #[derive(schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Toy {
        /// Where to send.
        endpoint: String,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        steps: Vec<Step>,
        #[serde(default)]
        most: Option<u8>,
    }
    #[derive(schemars::JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Kind {
        /// One.
        SoapOne,
        /// Two.
        Mime,
    }
    #[derive(schemars::JsonSchema)]
    #[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
    #[allow(dead_code)]
    enum Step {
        Get { path: String },
        Post { path: String, form: std::collections::BTreeMap<String, String> },
    }

    fn toy(value: Value, words: Words) -> Vec<(String, String)> {
        let schema = schemars::schema_for!(Toy).to_value();
        check(&schema, &value, words).iter().map(|problem| (problem.pointer(), problem.sentence())).collect()
    }

    #[test]
    fn what_fits_has_no_problem() {
        let value = json!({"endpoint": "x", "kind": "mime", "most": 255, "steps": [
            {"do": "get", "path": "/"}, {"do": "post", "path": "/", "form": {"a": "b"}}]});
        assert_eq!(toy(value, Words::File), vec![]);
    }

    #[test]
    fn everything_at_once_with_suggestions() {
        let value = json!({"endpont": "x", "kind": "mine", "most": 256, "steps": [
            {"do": "get", "pth": "/"}, {"do": "put"}, {"path": "/"}, {"do": "post", "path": 1, "form": {"a": 2}}, 7]});
        let found = toy(value, Words::File);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/endpont",
                "/kind",
                "/most",
                "/steps/0/pth",
                "/steps/0/path",
                "/steps/1/do",
                "/steps/2/do",
                "/steps/3/path",
                "/steps/3/form/a",
                "/steps/4",
                "/endpoint"
            ],
            "{found:#?}"
        );
        let text = |at: usize| found[at].1.as_str();
        assert_eq!(text(0), "unknown key \"endpont\" did you mean \"endpoint\"?");
        assert!(text(1).contains("did you mean \"mime\"?"), "{}", text(1));
        assert_eq!(text(2), "this must be at most 255");
        assert!(text(5).contains("accepted: \"get\", \"post\""), "{}", text(5));
        assert_eq!(text(8), "this must be text, not a whole number put it in quotes: \"2\"");
        assert_eq!(text(10), "\"endpoint\" is missing Where to send");
    }

    #[test]
    fn a_body_with_problems_repeats_no_value() {
        let schema = schemars::schema_for!(EligibilityRequest).to_value();
        let body = json!({
            "carrier": 7, "lane": "ZANZIBAR", "service": {"date": "2026-02-30", "typs": ["ZANZIBAR"]},
            "member": {"date_of_birth": "ZANZIBAR", "sex": "ZANZIBAR", "last_name": ["ZANZIBAR"]},
            "dependent": {"first_name": "A", "relationship": "ZANZIBAR"}
        });
        let found = check(&schema, &body, Words::Body);
        let paths: Vec<String> = found.iter().map(SchemaProblem::pointer).collect();
        for path in [
            "/carrier",
            "/lane",
            "/service/date",
            "/service/typs",
            "/member/date_of_birth",
            "/member/sex",
            "/member/last_name",
            "/dependent/last_name",
            "/dependent/date_of_birth",
            "/dependent/relationship",
            "/provider",
        ] {
            assert!(paths.iter().any(|found| found == path), "{path} is not among {paths:?}");
        }
        assert!(!format!("{found:?}").contains("ZANZIBAR"), "{found:#?}");
        for sex in ["female", "F", "m"] {
            let good = json!({"carrier": "x", "provider": {"npi": "1"}, "service": {"date": null},
                "member": {"date_of_birth": "1980-01-01", "sex": sex}});
            assert_eq!(check_json(&schema, &good), vec![]);
            assert!(serde_json::from_value::<EligibilityRequest>(good).is_ok());
        }
    }

    #[test]
    fn the_number_of_problems_is_bounded() {
        let schema = schemars::schema_for!(Toy).to_value();
        let steps: Vec<Value> = (0..10_000).map(|_| json!({"do": "nothing"})).collect();
        assert_eq!(check(&schema, &json!({"endpoint": "x", "steps": steps}), Words::File).len(), 100);
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!({ "steps": [deep] });
        }
        assert!(!check(&schema, &deep, Words::File).is_empty());
    }
}
