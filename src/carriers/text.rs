//! A TOML file as plain values, with the place of every key, so that each problem can say `file:line:col`.

use std::fmt;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::schema::{SchemaProblem, Spot};

/// Largest configuration file, bytes. The largest portal description seen is under 20 kB.
pub const FILE_MAX_BYTES: usize = 512 * 1024;
/// Deepest nesting read. No section of any file needs more than eight.
const DEPTH_MAX: usize = 40;

/// One thing wrong with a configuration file: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct FileProblem {
    /// The file, as it was named when it was opened.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl FileProblem {
    /// A problem with the file as a whole.
    pub fn whole(file: &str, message: impl Into<String>, help: Option<&str>) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, message: message.into(), help: help.map(str::to_owned) }
    }
}

impl fmt::Display for FileProblem {
    /// `file:line:col: message, help`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.trim_end_matches('.');
        write!(f, "{}:{}:{}: {message}", self.file, self.line, self.column)?;
        match &self.help {
            Some(help) => write!(f, ", help: {help}"),
            None => Ok(()),
        }
    }
}

/// A parsed file. Where the text is broken, `value` holds what could still be read.
pub struct Document {
    /// The values. Dates and times are text; there is no null.
    pub value: Value,
    /// What the parser found wrong.
    pub syntax: Vec<FileProblem>,
    file: String,
    text: String,
    root: Node,
}

#[derive(Default)]
struct Node {
    name: String,
    key: Range<usize>,
    value: Range<usize>,
    below: Vec<Node>,
}

impl Document {
    /// Parses `text`; `file` is the name used in problems.
    pub fn parse(file: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Self {
            value: Value::Object(Map::new()),
            syntax: Vec::new(),
            file: file.to_owned(),
            text: text.to_owned(),
            root: Node::default(),
        };
        if text.len() > FILE_MAX_BYTES {
            let message = format!("this file is larger than {} kB", FILE_MAX_BYTES / 1024);
            document.syntax.push(FileProblem::whole(file, message, Some("is it the right file?")));
            return document;
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let problem =
                document.at(error.span().unwrap_or(0..0), format!("not valid TOML: {}", error.message()), None);
            document.syntax.push(problem);
        }
        let mut root = Node::default();
        document.value = document.read_table(table.get_ref(), &mut root, 0);
        document.root = root;
        document.syntax.sort();
        document
    }

    /// A problem found by the schema walker, or anywhere else, at its place in the file.
    pub fn problem(&self, problem: SchemaProblem) -> FileProblem {
        let range = self.place(&problem.path, problem.spot);
        self.at(range, problem.message, problem.help)
    }

    /// A problem at the value of `path`, or as near to it as the file goes.
    pub fn value_problem(&self, path: &[&str], message: impl Into<String>, help: Option<String>) -> FileProblem {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        self.problem(SchemaProblem { path, spot: Spot::Value, message: message.into(), help })
    }

    /// The text with other values in the places of these keys, written as TOML; `None` takes a key away, with its line. A key
    /// that is not there changes nothing.
    pub fn rewritten(&self, changes: &[(Vec<String>, Option<String>)]) -> String {
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        for (path, value) in changes {
            let Some(node) = self.node(path) else { continue };
            match value {
                Some(value) => edits.push((node.value.clone(), value)),
                None => {
                    let rest = self.text.get(node.value.end..).unwrap_or_default();
                    let end = rest.find('\n').map_or(self.text.len(), |at| node.value.end + at + 1);
                    edits.push((node.key.start..end, ""));
                }
            }
        }
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut text = self.text.clone();
        for (range, value) in edits {
            if text.get(range.clone()).is_some() {
                text.replace_range(range, value);
            }
        }
        text
    }

    /// The line of a key's value, from 1; `None` where there is no such key.
    pub fn line(&self, path: &[String]) -> Option<usize> {
        let node = self.node(path)?;
        Some(self.text.get(..node.value.start)?.matches('\n').count() + 1)
    }

    fn node(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, key| node.below.iter().find(|child| &child.name == key))
    }

    fn place(&self, path: &[String], spot: Spot) -> Range<usize> {
        let mut node = &self.root;
        for key in path {
            match node.below.iter().find(|child| &child.name == key) {
                Some(child) => node = child,
                // The key is not there: its table is the nearest place.
                None => return if node.key.is_empty() { node.value.clone() } else { node.key.clone() },
            }
        }
        match spot {
            Spot::Key if !node.key.is_empty() => node.key.clone(),
            _ => node.value.clone(),
        }
    }

    fn at(&self, range: Range<usize>, message: impl Into<String>, help: Option<String>) -> FileProblem {
        let before = self.text.get(..range.start.min(self.text.len())).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        FileProblem { file: self.file.clone(), line, column, message: message.into(), help }
    }

    fn read_table(&mut self, table: &DeTable<'_>, node: &mut Node, depth: usize) -> Value {
        let mut map = Map::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let mut child = Node { name: name.clone(), key: key.span(), value: value.span(), below: Vec::new() };
            map.insert(name, self.read(value, &mut child, depth + 1));
            node.below.push(child);
        }
        Value::Object(map)
    }

    fn read(&mut self, value: &Spanned<DeValue<'_>>, node: &mut Node, depth: usize) -> Value {
        if depth > DEPTH_MAX {
            let problem = self.at(value.span(), "this is nested too deeply", None);
            self.syntax.push(problem);
            return Value::Object(Map::new());
        }
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(when) => Value::String(when.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Number(number.into()),
                Err(_) => self.bad_number(value.span()),
            },
            DeValue::Float(number) => match number.as_str().parse().ok().and_then(Number::from_f64) {
                Some(number) => Value::Number(number),
                None => self.bad_number(value.span()),
            },
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (place, item) in items.iter().enumerate() {
                    let mut child = Node { name: place.to_string(), value: item.span(), ..Node::default() };
                    list.push(self.read(item, &mut child, depth + 1));
                    node.below.push(child);
                }
                Value::Array(list)
            }
            DeValue::Table(table) => self.read_table(table, node, depth),
        }
    }

    fn bad_number(&mut self, range: Range<usize>) -> Value {
        let problem = self.at(range, "this number is too large, or is no number", None);
        self.syntax.push(problem);
        Value::Number(0.into())
    }
}

/// The values of a table as TOML again, for a connector's settings. Nulls are left out.
pub fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::Null => toml::Value::Boolean(false),
        Value::Bool(yes) => toml::Value::Boolean(*yes),
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => toml::Value::Integer(whole),
            None => toml::Value::Float(number.as_f64().unwrap_or(0.0)),
        },
        Value::Array(items) => toml::Value::Array(items.iter().map(to_toml).collect()),
        Value::Object(map) => toml::Value::Table(to_table(map)),
    }
}

/// A JSON object as a TOML table. Nulls are left out.
pub fn to_table(map: &Map<String, Value>) -> toml::Table {
    map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), to_toml(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_place() {
        let document =
            Document::parse("a.toml", "name = \"Ä\"\n\n[limits]\nmax = 3\n[[steps]]\ncss = 1\n[[steps]]\ncss = 2\n");
        assert_eq!(document.syntax, vec![]);
        assert_eq!(document.value["steps"][1]["css"], 2);
        let place = |path: &[&str]| {
            let problem = document.value_problem(path, "x", None);
            (problem.line, problem.column)
        };
        assert_eq!(place(&["name"]), (1, 8));
        assert_eq!(place(&["limits", "max"]), (4, 7));
        assert_eq!(place(&["steps", "1", "css"]), (8, 7));
        // What is not there is reported at the table that lacks it.
        assert_eq!(place(&["limits", "min"]), (3, 2));
        assert_eq!(place(&["nothing"]), (1, 1));
    }

    #[test]
    fn columns_count_characters() {
        let document = Document::parse("a.toml", "names = [\"ÄÖÜ\", 7]\n");
        assert_eq!(document.value_problem(&["names", "1"], "x", None).column, 17);
    }

    #[test]
    fn several_syntax_errors_at_once_and_the_rest_is_read() {
        let document = Document::parse("a.toml", "name = \nconnector = \"x\"\nhosts = [\"a\" \"b\"]\n");
        assert!(document.syntax.len() >= 2, "{:?}", document.syntax);
        assert_eq!(document.syntax[0].line, 1);
        assert_eq!(document.value["connector"], "x");
        assert!(document.syntax[0].to_string().starts_with("a.toml:1:"));
    }

    #[test]
    fn hostile_text_neither_panics_nor_overflows() {
        let deep_keys = format!("{}a = 1", "a.".repeat(20_000));
        let deep_lists = format!("a = {}{}", "[".repeat(20_000), "]".repeat(20_000));
        let long = "# x\n".repeat(FILE_MAX_BYTES);
        for text in [&deep_keys, &deep_lists, &long, "\u{feff}a = 99999999999999999999\nb = nan", "\0", "a = \"\u{1}\""]
        {
            assert!(!Document::parse("a.toml", text).syntax.is_empty());
        }
    }
}
