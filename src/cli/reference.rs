//! `portico check --reference`: every key of every configuration file, from the same schemas that check them.
//! `config/reference.md` holds its output; a test compares the two.

use connector_sdk::Registration;
use serde_json::{Map, Value};

use crate::carriers::file::carrier_schema;
use crate::config::gateway_schema;

/// Deepest table described.
const DEPTH_MAX: usize = 8;
/// Values of a key that are listed.
const VALUES_SHOWN: usize = 24;

/// The whole reference, as Markdown.
pub fn reference(connectors: &[&Registration]) -> String {
    let mut text =
        "# Configuration reference\n\nMade by `portico check --reference` from the types that read the files; \
        a test keeps it true. **Bold** keys are required. Units stand at the end of names.\n"
            .to_owned();
    text.push_str("\n## `config/gateway.toml`\n");
    Page::new(&gateway_schema()).write("", &mut text);
    text.push_str("\n## `config/carriers/<id>.toml`\n");
    Page::new(&carrier_schema()).write("", &mut text);
    for registration in connectors {
        text.push_str(&format!("\n## `[settings]` with `connector = \"{}\"`\n\n", registration.name));
        text.push_str(&format!("{}. Sign-in: {}.\n", registration.speaks, registration.sign_in));
        Page::new(&(registration.settings_schema)()).write("settings", &mut text);
    }
    text
}

struct Page<'s> {
    root: &'s Value,
    /// Tables described so far, with where: a table that is used twice is described once.
    described: Vec<(String, String)>,
}

/// A table still to be described: its heading and its rules.
struct Below<'s> {
    heading: String,
    path: String,
    rules: &'s Map<String, Value>,
}

impl<'s> Page<'s> {
    fn new(root: &'s Value) -> Self {
        Self { root, described: Vec::new() }
    }

    fn write(&mut self, prefix: &str, text: &mut String) {
        if let Some(rules) = self.root.as_object() {
            self.table(rules, prefix, text, 0);
        }
    }

    fn table(&mut self, rules: &'s Map<String, Value>, path: &str, text: &mut String, depth: usize) {
        let mut below = Vec::new();
        text.push_str("\n| key | value | meaning |\n|---|---|---|\n");
        let variants: Vec<&Map<String, Value>> =
            list(rules, "oneOf").iter().chain(list(rules, "anyOf")).filter_map(|part| self.resolve(part).0).collect();
        for rules in std::iter::once(rules).chain(variants) {
            let required = list(rules, "required");
            for (key, property) in rules.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let bold = if required.iter().any(|name| name == key) { "**" } else { "" };
                let value = self.value(key, path, property, &mut below);
                // The key that tells variants apart has the variant's words.
                let variant = property.get("const").and_then(|_| words(rules));
                let about = about(property).or(variant).or_else(|| self.resolve(property).0.and_then(words));
                let meaning = with_default(about.unwrap_or_default(), property);
                text.push_str(&format!("| {bold}`{key}`{bold} | {value} | {} |\n", cell(&meaning)));
            }
        }
        for table in below {
            if depth < DEPTH_MAX {
                text.push_str(&format!("\n#### `{}`\n", table.heading));
                self.table(table.rules, &table.path, text, depth + 1);
            }
        }
    }

    /// Notes a table to be described below, or tells where it is described already.
    fn note(&mut self, below: &mut Vec<Below<'s>>, table: Below<'s>, name: String, word: &str) -> String {
        if let Some((_, place)) = self.described.iter().find(|(other, _)| *other == name && !name.is_empty()) {
            return format!("{word}, as `{place}`");
        }
        self.described.push((name, table.heading.clone()));
        below.push(table);
        word.to_owned()
    }

    /// What a key's value may be, in words; a table is noted in `below`.
    fn value(&mut self, key: &str, path: &str, schema: &'s Value, below: &mut Vec<Below<'s>>) -> String {
        let (Some(rules), name) = self.resolve(schema) else { return String::new() };
        let here = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if is_table(rules) {
            let table = Below { heading: format!("[{here}]"), path: here, rules };
            return self.note(below, table, name, "table");
        }
        if let Some(items) = rules.get("items") {
            let (item, name) = self.resolve(items);
            return match item {
                Some(rules) if is_table(rules) => {
                    let table = Below { heading: format!("[[{here}]]"), path: here, rules };
                    self.note(below, table, name, "list of tables")
                }
                Some(rules) => format!("list of {}", self.plain(rules)),
                None => "list".to_owned(),
            };
        }
        if let Some((Some(rules), name)) = rules.get("additionalProperties").map(|other| self.resolve(other)) {
            if is_table(rules) {
                let path = format!("{here}.<name>");
                let table = Below { heading: format!("[{path}]"), path, rules };
                return self.note(below, table, name, "table of tables");
            }
            return format!("table of {}", self.plain(rules));
        }
        self.plain(rules)
    }

    fn plain(&self, rules: &'s Map<String, Value>) -> String {
        let values = self.literals(rules);
        if !values.is_empty() {
            let more = if values.len() > VALUES_SHOWN { ", …" } else { "" };
            return values.iter().take(VALUES_SHOWN).cloned().collect::<Vec<_>>().join(", ") + more;
        }
        if let Some(items) = rules.get("items") {
            return self.resolve(items).0.map_or("list".to_owned(), |item| format!("list of {}", self.plain(item)));
        }
        let names: Vec<&str> = match rules.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
            }
            _ => Vec::new(),
        };
        let name = match names.as_slice() {
            ["string"] => "text",
            ["integer"] => "whole number",
            ["number"] => "number",
            ["boolean"] => "true, false",
            ["object"] => "table",
            ["array"] => "list",
            [] => return self.either(rules),
            _ => "see its meaning",
        };
        match (rules.get("minimum"), rules.get("maximum")) {
            (Some(least), Some(most)) if name.ends_with("number") => format!("{name}, {least} to {most}"),
            _ => name.to_owned(),
        }
    }

    /// `text or list of text`.
    fn either(&self, rules: &'s Map<String, Value>) -> String {
        let parts = list(rules, "anyOf").iter().chain(list(rules, "oneOf")).filter_map(|part| self.resolve(part).0);
        let mut names: Vec<String> = parts.map(|rules| self.plain(rules)).collect();
        names.dedup();
        if names.is_empty() { "see its meaning".to_owned() } else { names.join(" or ") }
    }

    fn literals(&self, rules: &'s Map<String, Value>) -> Vec<String> {
        let own = rules.get("const").into_iter().chain(list(rules, "enum"));
        let mut found: Vec<String> = own.filter(|value| !value.is_null()).map(|value| format!("`{value}`")).collect();
        for part in list(rules, "oneOf").iter().chain(list(rules, "anyOf")) {
            found.extend(self.resolve(part).0.map(|rules| self.literals(rules)).unwrap_or_default());
        }
        found
    }

    /// Follows `$ref` and "this or nothing" to the rules, with the type's name.
    fn resolve(&self, schema: &'s Value) -> (Option<&'s Map<String, Value>>, String) {
        let mut schema = schema;
        let mut name = String::new();
        for _ in 0..DEPTH_MAX {
            let Some(rules) = schema.as_object() else { return (None, name) };
            let target = rules.get("$ref").and_then(Value::as_str);
            let some: Vec<&Value> = list(rules, "anyOf").iter().filter(|part| part["type"] != "null").collect();
            if let Some(target) = target {
                name = target.rsplit('/').next().unwrap_or_default().to_owned();
                match target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                    Some(found) => schema = found,
                    None => return (Some(rules), name),
                }
            } else if let ([only], 2) = (some.as_slice(), list(rules, "anyOf").len()) {
                schema = only;
            } else {
                return (Some(rules), name);
            }
        }
        (schema.as_object(), name)
    }
}

fn is_table(rules: &Map<String, Value>) -> bool {
    let tagged = list(rules, "oneOf").iter().chain(list(rules, "anyOf")).any(|part| part.get("properties").is_some());
    rules.contains_key("properties") || tagged
}

fn list<'s>(rules: &'s Map<String, Value>, name: &str) -> &'s [Value] {
    rules.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn about(schema: &Value) -> Option<String> {
    schema.as_object().and_then(words)
}

fn words(rules: &Map<String, Value>) -> Option<String> {
    rules.get("description").and_then(Value::as_str).map(str::to_owned)
}

/// The meaning, with the default from the schema where the words do not tell it.
fn with_default(about: String, schema: &Value) -> String {
    let plain = schema.get("default").filter(|value| !value.is_null() && !value.is_object() && !value.is_array());
    match plain {
        Some(value) if !about.to_lowercase().contains("default") => format!("{about} Default: `{value}`."),
        _ => about,
    }
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_reference_is_true() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.md");
        let now = reference(crate::registry::CONNECTORS);
        if std::env::var_os("PORTICO_UPDATE").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(shipped == now, "run: cargo run -- check --reference > config/reference.md");
    }

    #[test]
    fn every_table_and_key_is_there() {
        let text = reference(crate::registry::CONNECTORS);
        for part in [
            "| **`hosts`** | list of text |",
            "#### `[form.eligibility.member_id]`",
            "`\"per_practice\"`, `\"gateway\"`",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
    }
}
