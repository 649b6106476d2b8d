//! A first carrier file out of a small form: a connector's own example, with what every carrier has in its own way put into
//! it. What is asked for comes from the connector's schema; what is wrong with the outcome, the one loader says.

use connector_sdk::Registration;
use serde_json::Value;

use super::text::Document;

/// How deep in the settings is asked: further down stand rules that only the connector's own words explain.
const DEPTH_MAX: usize = 2;
/// Steps through `$ref` and combiners, at most.
const STEPS_MAX: usize = 16;

/// One thing to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Keys from the root of the file down.
    pub path: Vec<String>,
    /// What it means, from the schema.
    pub about: String,
    /// What stands in the example.
    pub example: String,
    /// The accepted values, where only some are.
    pub choices: Vec<String>,
}

impl Wanted {
    /// The path as a carrier file's reader writes it: `settings.request.url`.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// What a connector must be told of each carrier: the required single values of its settings that its example has.
pub fn wanted(connector: &Registration) -> Vec<Wanted> {
    let example = Document::parse("example", connector.example);
    let schema = (connector.settings_schema)();
    let mut found = Vec::new();
    let walk = Walk { root: &schema };
    walk.table(&schema, &example.value["settings"], &mut vec!["settings".to_owned()], &mut found);
    found
}

/// A carrier file: the connector's example with these values. Single values are put where the example has them; `hosts` and
/// `payer_ids` are lists, separated by commas or spaces.
pub fn text(connector: &Registration, name: &str, hosts: &str, payer_ids: &str, values: &[(Wanted, String)]) -> String {
    let example = connector.example.trim_start();
    let document = Document::parse("example", example);
    let key = |name: &str| vec![name.to_owned()];
    let mut changes = vec![
        (key("name"), Some(quoted(name))),
        (key("hosts"), Some(list(hosts))),
        // The example's own; a carrier's are added later, in the file.
        (key("aliases"), None),
        (key("plan_names"), None),
        (key("payer_id"), None),
        (key("payer_ids"), None),
    ];
    for (wanted, value) in values {
        let number_or_word = matches!(at(&document.value, &wanted.path), Some(Value::Number(_) | Value::Bool(_)));
        let plain = number_or_word && (value.parse::<i64>().is_ok() || value == "true" || value == "false");
        changes.push((wanted.path.clone(), Some(if plain { value.clone() } else { quoted(value) })));
    }
    let text = document.rewritten(&changes);
    if payer_ids.trim().is_empty() {
        return text;
    }
    let line = format!("payer_ids = {}\n", list(payer_ids));
    // Behind the connector: in the example that stands above every table.
    let after = Document::parse("example", &text).line(&key("connector")).unwrap_or(1);
    let place = text.split_inclusive('\n').take(after).map(str::len).sum::<usize>();
    let (above, below) = text.split_at_checked(place).unwrap_or((&text, ""));
    format!("{above}{line}{below}")
}

/// The field that a problem at this line is about.
pub fn field_at(text: &str, line: usize, wanted: &[Wanted]) -> Option<String> {
    let document = Document::parse("file", text);
    let common = ["name", "hosts", "payer_ids"].map(|name| vec![name.to_owned()]);
    let all = common.iter().chain(wanted.iter().map(|one| &one.path));
    all.into_iter().find(|path| document.line(path) == Some(line)).map(|path| path.join("."))
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(text: &str) -> String {
    let words = text.split(|letter: char| letter == ',' || letter.is_whitespace()).filter(|word| !word.is_empty());
    format!("[{}]", words.map(quoted).collect::<Vec<_>>().join(", "))
}

struct Walk<'s> {
    root: &'s Value,
}

impl<'s> Walk<'s> {
    fn table(&self, schema: &'s Value, example: &Value, path: &mut Vec<String>, found: &mut Vec<Wanted>) {
        let Some(example) = example.as_object() else { return };
        let Some(schema) = self.that_has(schema, &example.keys().map(String::as_str).collect::<Vec<_>>(), 0) else {
            return;
        };
        let required = schema["required"].as_array();
        for (key, value) in example {
            let is_required = required.is_some_and(|all| all.iter().any(|name| name == key.as_str()));
            let property = &schema["properties"][key];
            if !is_required || property.get("const").is_some() {
                continue;
            }
            path.push(key.clone());
            match value {
                Value::Object(_) if path.len() <= DEPTH_MAX => self.table(property, value, path, found),
                Value::String(_) | Value::Number(_) | Value::Bool(_) => found.push(Wanted {
                    path: path.clone(),
                    about: property["description"].as_str().unwrap_or_default().replace('\n', " "),
                    example: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                    choices: self.choices(property, 0),
                }),
                _ => {}
            }
            path.pop();
        }
    }

    fn follow(&self, schema: &'s Value) -> &'s Value {
        let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
        name.and_then(|name| self.root.pointer(name)).unwrap_or(schema)
    }

    /// The schema, or the one of its alternatives, that knows all these keys.
    fn that_has(&self, schema: &'s Value, keys: &[&str], steps: usize) -> Option<&'s Value> {
        if steps > STEPS_MAX {
            return None;
        }
        let schema = self.follow(schema);
        if keys.iter().all(|key| schema["properties"].get(key).is_some()) {
            return Some(schema);
        }
        let alternatives = ["oneOf", "anyOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
        alternatives.into_iter().find_map(|one| self.that_has(one, keys, steps + 1))
    }

    /// The texts that are accepted, where only some are.
    fn choices(&self, schema: &'s Value, steps: usize) -> Vec<String> {
        if steps > STEPS_MAX {
            return Vec::new();
        }
        let schema = self.follow(schema);
        let mut found: Vec<String> =
            schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        found.extend(schema["const"].as_str().map(str::to_owned));
        for one in ["oneOf", "anyOf"].iter().filter_map(|name| schema[*name].as_array()).flatten() {
            found.extend(self.choices(one, steps + 1));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriers::{CarrierBook, Limits};
    use crate::registry;

    #[test]
    fn every_connector_gives_a_file_that_is_in_order() {
        for connector in registry::CONNECTORS {
            let wanted = wanted(connector);
            assert!(!wanted.is_empty() && wanted.len() <= 12, "{}: {wanted:?}", connector.name);
            assert!(wanted.iter().all(|one| !one.about.is_empty()), "{wanted:?}");
            let example = Document::parse("example", connector.example);
            let host = example.value["hosts"][0].as_str().unwrap().to_owned();
            let values: Vec<_> = wanted.iter().map(|one| (one.clone(), one.example.clone())).collect();
            let text = text(connector, "Ours \"& Sons\"", &host, "A1, B2", &values);
            let (book, report) = CarrierBook::from_files(vec![("ours".into(), text.clone())], Limits::default());
            assert_eq!(report.problems, [], "{text}");
            let carrier = book.get("ours").unwrap();
            assert_eq!((carrier.name.as_str(), carrier.aliases.len()), ("Ours \"& Sons\"", 0));
            assert_eq!(carrier.payer_ids, ["A1", "B2"]);
        }
    }

    #[test]
    fn a_value_is_only_ever_a_value_and_a_problem_finds_its_field() {
        let connector = registry::find("core-x12").unwrap();
        let all = wanted(connector);
        assert!(all.iter().any(|one| one.name() == "settings.endpoint"));
        let envelope = all.iter().find(|one| one.name() == "settings.envelope").unwrap();
        assert!(envelope.choices.contains(&"mime".to_owned()), "{envelope:?}");
        let hostile = "x\"\n[limits]\nrequests_per_minute = 9";
        let values: Vec<_> = all.iter().map(|one| (one.clone(), hostile.to_owned())).collect();
        let text = text(connector, hostile, "a.example", "", &values);
        let document = Document::parse("file", &text);
        assert!(document.syntax.is_empty(), "{text}");
        assert_eq!(document.value["name"], hostile);
        assert_eq!(document.value["limits"]["requests_per_minute"], 60);
        let line = document.line(&["settings".to_owned(), "endpoint".to_owned()]).unwrap();
        assert_eq!(field_at(&text, line, &all).as_deref(), Some("settings.endpoint"));
        assert_eq!(field_at(&text, 1, &all), None);
    }
}
