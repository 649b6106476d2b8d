//! The body of a question: the carrier's own JSON with placeholders in it.
//!
//! A string that is one placeholder becomes that value; text around placeholders is kept. What the ask does not have is
//! left out: the field, and a table or list all of whose placeholders were left out. The table key
//! `"{each service.types}"` (alone in its table) makes a list: its value is repeated with `{item}`.

use connector_sdk::{Context, EligibilityRequest, Escape, Secret, SettingsProblem};
use serde_json::{Map, Value};

use crate::dates::DateFormat;
use crate::fields::{FIELDS, FieldName, Given, RequestCodes};

/// A body with placeholders, read once.
#[derive(Clone, Debug)]
pub enum Template {
    /// Stands as it is.
    Fixed(Value),
    /// Exactly one placeholder.
    Whole(Placeholder),
    /// Text with placeholders.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Template>),
    /// A table.
    Table(Vec<(String, Template)>),
    /// A list with one element for each service type or procedure.
    Each(EachOf, Box<Template>),
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Fixed words.
    Words(String),
    /// A placeholder.
    Hole(Placeholder),
}

/// A placeholder: what, and how it is written.
#[derive(Clone, Debug)]
pub struct Placeholder {
    what: What,
    style: Option<Style>,
}

#[derive(Clone, Debug)]
enum What {
    Field(FieldName),
    Secret(String),
    Item,
    ItemCode,
    ItemSystem,
    ItemModifiers,
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Date(DateFormat),
    Upper,
    Lower,
    Digits,
    Number,
}

/// What `each` goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EachOf {
    /// Service types.
    ServiceTypes,
    /// Procedures.
    Procedures,
}

/// What a body is filled with.
pub struct Filling<'a> {
    /// The host's means.
    pub ctx: &'a Context,
    /// The question.
    pub ask: &'a EligibilityRequest,
    /// The carrier's names of things.
    pub codes: &'a RequestCodes,
    /// How secrets are escaped in this body.
    pub escape: Escape,
}

/// The element an `each` is at.
#[derive(Clone, Default)]
struct Element {
    code: String,
    system: String,
    modifiers: Vec<String>,
}

impl Template {
    /// Reads a body. Faults go to `problems`, with their path.
    pub fn read(value: &Value, path: &str, problems: &mut Vec<SettingsProblem>) -> Self {
        match value {
            Value::String(text) => read_text(text, path, problems),
            Value::Array(items) => Self::List(
                items.iter().enumerate().map(|(n, item)| Self::read(item, &format!("{path}.{n}"), problems)).collect(),
            ),
            Value::Object(fields) => Self::read_table(fields, path, problems),
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(value.clone()),
        }
    }

    fn read_table(fields: &Map<String, Value>, path: &str, problems: &mut Vec<SettingsProblem>) -> Self {
        if let Some((key, value)) = fields.iter().find(|(key, _)| key.starts_with("{each")) {
            let of = match key.trim_start_matches("{each").trim_end_matches('}').trim() {
                "service.types" => EachOf::ServiceTypes,
                "service.procedures" => EachOf::Procedures,
                _ => {
                    problems.push(
                        SettingsProblem::new(path, "This list goes over something that is not a list.")
                            .help("Write \"{each service.types}\" or \"{each service.procedures}\"."),
                    );
                    return Self::Fixed(Value::Null);
                }
            };
            if fields.len() > 1 {
                problems.push(SettingsProblem::new(path, "A table with an {each …} key may have no other key."));
            }
            return Self::Each(of, Box::new(Self::read(value, path, problems)));
        }
        Self::Table(
            fields.iter().map(|(key, v)| (key.clone(), Self::read(v, &format!("{path}.{key}"), problems))).collect(),
        )
    }

    /// Every field of the ask that the body uses, by its name.
    pub fn uses(&self, test: &impl Fn(&str) -> bool) -> bool {
        let hole = |hole: &Placeholder| match &hole.what {
            What::Field(name) => test(name.text()),
            What::Secret(name) => test(&format!("secret.{name}")),
            What::Item | What::ItemCode | What::ItemSystem | What::ItemModifiers => false,
        };
        match self {
            Self::Fixed(_) => false,
            Self::Whole(placeholder) => hole(placeholder),
            Self::Text(parts) => parts.iter().any(|part| matches!(part, Part::Hole(p) if hole(p))),
            Self::List(items) => items.iter().any(|item| item.uses(test)),
            Self::Table(fields) => fields.iter().any(|(_, value)| value.uses(test)),
            Self::Each(of, item) => test(of.name()) || item.uses(test),
        }
    }

    /// The body for one question.
    pub fn fill(&self, filling: &Filling<'_>) -> Value {
        self.render(filling, &Element::default()).unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// `None`: everything in it was left out.
    fn render(&self, filling: &Filling<'_>, element: &Element) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Whole(placeholder) => placeholder.value(filling, element),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Words(words) => text.push_str(words),
                        Part::Hole(hole) => text.push_str(&plain(hole.value(filling, element)?)?),
                    }
                }
                Some(Value::String(text))
            }
            Self::List(items) => {
                let filled: Vec<Option<Value>> = items.iter().map(|item| item.render(filling, element)).collect();
                left_out(items.iter().zip(&filled))?;
                Some(Value::Array(filled.into_iter().flatten().collect()))
            }
            Self::Table(fields) => {
                let filled: Vec<Option<Value>> = fields.iter().map(|(_, v)| v.render(filling, element)).collect();
                left_out(fields.iter().map(|(_, v)| v).zip(&filled))?;
                let pairs = fields.iter().zip(filled);
                Some(Value::Object(pairs.filter_map(|((key, _), value)| Some((key.clone(), value?))).collect()))
            }
            Self::Each(of, item) => {
                let items: Vec<Value> =
                    of.elements(filling).iter().filter_map(|element| item.render(filling, element)).collect();
                (!items.is_empty()).then_some(Value::Array(items))
            }
        }
    }

    fn has_holes(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Whole(_) | Self::Text(_) | Self::Each(..) => true,
            Self::List(items) => items.iter().any(Self::has_holes),
            Self::Table(fields) => fields.iter().any(|(_, value)| value.has_holes()),
        }
    }
}

/// `None` when there were placeholders and none of them was filled.
fn left_out<'a>(mut pairs: impl Iterator<Item = (&'a Template, &'a Option<Value>)> + Clone) -> Option<()> {
    let all = pairs.clone();
    let holes = pairs.any(|(template, _)| template.has_holes());
    let filled = all.into_iter().any(|(template, value)| template.has_holes() && value.is_some());
    (!holes || filled).then_some(())
}

impl EachOf {
    fn name(self) -> &'static str {
        match self {
            Self::ServiceTypes => "service.types",
            Self::Procedures => "service.procedures",
        }
    }

    fn elements(self, filling: &Filling<'_>) -> Vec<Element> {
        match self {
            Self::ServiceTypes => filling
                .codes
                .service_types(filling.ask)
                .into_iter()
                .map(|code| Element { code, ..Element::default() })
                .collect(),
            Self::Procedures => filling
                .ask
                .service
                .procedures
                .iter()
                .map(|p| Element { code: p.code.clone(), system: p.system.clone(), modifiers: p.modifiers.clone() })
                .collect(),
        }
    }
}

impl Placeholder {
    fn value(&self, filling: &Filling<'_>, element: &Element) -> Option<Value> {
        let text = |text: &str| (!text.is_empty()).then(|| Given::Text(text.to_owned()));
        let given = match &self.what {
            What::Field(name) => name.of(filling.ctx, filling.ask, filling.codes)?,
            What::Secret(name) => {
                Given::Text(filling.ctx.marker(&Secret::Field(name), filling.escape).as_str().to_owned())
            }
            What::Item | What::ItemCode => text(&element.code)?,
            What::ItemSystem => text(&element.system)?,
            What::ItemModifiers if element.modifiers.is_empty() => return None,
            What::ItemModifiers => Given::List(element.modifiers.clone()),
        };
        Some(match given {
            Given::List(items) => Value::Array(items.into_iter().map(Value::String).collect()),
            Given::Date(date) => {
                let format = match self.style {
                    Some(Style::Date(format)) => format,
                    _ => filling.codes.date_format,
                };
                Value::String(format.write(date))
            }
            Given::Text(text) => match self.style {
                Some(Style::Upper) => Value::String(text.to_uppercase()),
                Some(Style::Lower) => Value::String(text.to_lowercase()),
                Some(Style::Digits) => Value::String(text.chars().filter(char::is_ascii_digit).collect()),
                Some(Style::Number) => text.parse::<u64>().map_or(Value::String(text), Value::from),
                Some(Style::Date(_)) | None => Value::String(text),
            },
        })
    }
}

fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => Some(items.into_iter().filter_map(plain).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

fn read_text(text: &str, path: &str, problems: &mut Vec<SettingsProblem>) -> Template {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else {
            problems.push(SettingsProblem::new(path, "A brace { is not closed by }."));
            return Template::Fixed(Value::Null);
        };
        if !words.is_empty() {
            parts.push(Part::Words(words.to_owned()));
        }
        match read_hole(inside.trim(), path) {
            Ok(hole) => parts.push(Part::Hole(hole)),
            Err(problem) => problems.push(problem),
        }
        rest = after;
    }
    if parts.is_empty() {
        return Template::Fixed(Value::String(text.to_owned()));
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    match parts.as_slice() {
        [Part::Hole(hole)] => Template::Whole(hole.clone()),
        _ => Template::Text(parts),
    }
}

fn read_hole(inside: &str, path: &str) -> Result<Placeholder, SettingsProblem> {
    let (name, style) = match inside.split_once(':') {
        Some((name, style)) => (name.trim(), Some(style.trim())),
        None => (inside, None),
    };
    let style = match style {
        None => None,
        Some("upper") => Some(Style::Upper),
        Some("lower") => Some(Style::Lower),
        Some("digits") => Some(Style::Digits),
        Some("number") => Some(Style::Number),
        Some(other) => Some(DateFormat::named(other).map(Style::Date).ok_or_else(|| {
            SettingsProblem::new(path, format!("\"{other}\" is not a way to write a value."))
                .help("Use a date format (YYYY-MM-DD, YYYYMMDD, MM/DD/YYYY …), upper, lower, digits or number.")
        })?),
    };
    let what = match name {
        "item" => What::Item,
        "item.code" => What::ItemCode,
        "item.system" => What::ItemSystem,
        "item.modifiers" => What::ItemModifiers,
        name => match (name.strip_prefix("secret."), FieldName::named(name)) {
            (Some(secret), _) if !secret.is_empty() => What::Secret(secret.to_owned()),
            (_, Some(field)) => What::Field(field),
            _ => {
                return Err(SettingsProblem::new(path, format!("There is no placeholder {{{name}}}."))
                    .help(format!("Known are: {}.", FIELDS.join(", "))));
            }
        },
    };
    Ok(Placeholder { what, style })
}
