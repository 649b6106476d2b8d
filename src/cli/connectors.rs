//! `portico connectors`: what is compiled in. The table in README.md is this one's `--markdown`; a test compares them.

use std::io::{self, Write};
use std::process::ExitCode;

use connector_sdk::Registration;
use serde_json::{Value, json};

use crate::registry;

/// Prints all connectors: as text, as JSON with the schemas of their settings, or as README.md's table.
///
/// # Errors
/// When `out` cannot be written.
pub fn connectors(json: bool, markdown: bool, out: &mut dyn Write) -> io::Result<ExitCode> {
    if json {
        let rows: Vec<Value> = registry::CONNECTORS.iter().map(|registration| row(registration)).collect();
        writeln!(out, "{:#}", Value::Array(rows))?;
    } else if markdown {
        write!(out, "{}", table(registry::CONNECTORS))?;
    } else {
        for registration in registry::CONNECTORS {
            text(registration, out)?;
        }
        writeln!(out, "A carrier file names one of them: `portico check --schema NAME` prints all keys.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The table of connectors, as it stands in README.md.
pub fn table(connectors: &[&Registration]) -> String {
    let mut text = "| connector | speaks | operations | sign-in | settings |\n|---|---|---|---|---|\n".to_owned();
    for registration in connectors {
        let settings: Vec<String> = settings(registration)
            .into_iter()
            .filter(|setting| setting.required)
            .map(|one| format!("`{}`", one.name))
            .collect();
        let cells = [
            format!("`{}`", registration.name),
            registration.speaks.to_owned(),
            operations(registration),
            registration.sign_in.to_owned(),
            settings.join(", "),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

fn row(registration: &Registration) -> Value {
    json!({
        "name": registration.name,
        "speaks": registration.speaks,
        "transport": registration.transport,
        "operations": registration.operations.iter().map(|operation| operation.name()).collect::<Vec<_>>(),
        "sign_in": registration.sign_in,
        "settings_schema": (registration.settings_schema)(),
        "example": registration.example,
    })
}

fn operations(registration: &Registration) -> String {
    registration.operations.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", ")
}

fn text(registration: &Registration, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", registration.name)?;
    writeln!(out, "  speaks      {}", registration.speaks)?;
    writeln!(out, "  operations  {}", operations(registration))?;
    writeln!(out, "  sign-in     {}", registration.sign_in)?;
    writeln!(out, "  settings")?;
    for setting in settings(registration) {
        let needed = if setting.required { "required" } else { "" };
        writeln!(out, "    {:<26} {needed:<9} {}", setting.name, setting.about)?;
    }
    writeln!(out)
}

/// One key of a connector's `[settings]`.
struct Setting {
    name: String,
    required: bool,
    about: String,
}

/// The first level of a connector's settings, the required ones first.
fn settings(registration: &Registration) -> Vec<Setting> {
    let schema = (registration.settings_schema)();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut settings: Vec<Setting> = properties
        .map(|(name, property)| Setting {
            name: name.clone(),
            required: required.contains(&name.as_str()),
            about: first_sentence(property["description"].as_str().unwrap_or_default()),
        })
        .collect();
    settings.sort_by_key(|setting| !setting.required);
    settings
}

fn first_sentence(text: &str) -> String {
    let line = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match line.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(json: bool, markdown: bool) -> String {
        let mut out = Vec::new();
        connectors(json, markdown, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_connectors_in_every_form() {
        let json: Vec<Value> = serde_json::from_str(&print(true, false)).unwrap();
        assert_eq!(json.len(), registry::CONNECTORS.len());
        assert_eq!(print(false, true).lines().count(), registry::CONNECTORS.len() + 2);
        for registration in registry::CONNECTORS {
            assert!(print(false, false).contains(registration.speaks));
            for line in print(false, true).lines() {
                assert_eq!(line.matches(" | ").count(), if line.starts_with("|-") { 0 } else { 4 }, "{line}");
            }
        }
    }
}
