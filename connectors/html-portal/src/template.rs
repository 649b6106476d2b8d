//! Values of form fields: fixed text with placeholders, and the filters that bring a value into the portal's format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use connector_sdk::ask::{EligibilityRequest, Relationship, Sex};
use connector_sdk::{Context, Error, ErrorKind, Escape, Phi, Result, Secret};
use jiff::civil::Date;
use serde::Deserialize;

/// Everything a placeholder may name, but secrets and taken values.
pub const ASK_NAMES: &[&str] = &[
    "member.member_id",
    "member.first_name",
    "member.last_name",
    "member.suffix",
    "member.date_of_birth",
    "member.sex",
    "member.group_number",
    "patient.first_name",
    "patient.last_name",
    "patient.date_of_birth",
    "patient.sex",
    "dependent.relationship",
    "provider.npi",
    "provider.tax_id",
    "provider.name",
    "provider.taxonomy",
    "service.type",
    "service.from",
    "service.to",
    "service.place",
    "procedure.code",
    "today",
];

/// What a filter may be called.
pub const FILTER_NAMES: &[&str] = &[
    "upper",
    "lower",
    "trim",
    "digits",
    "letters_digits",
    "first",
    "last",
    "skip",
    "before",
    "after",
    "date",
    "us_date",
    "iso_date",
    "map",
];

/// Text with placeholders in braces: `{member.date_of_birth | date:%m/%d/%Y}`. A brace itself is doubled: `{{`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Template {
    /// The parts, or why it cannot be read.
    pub parts: std::result::Result<Vec<Part>, String>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Sent as it is.
    Text(String),
    /// A value.
    Place(Name, Vec<Filter>),
}

/// What a placeholder names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A field of the credential.
    Secret(String),
    /// The one-time code: made from the vault's key, or entered by a person where there is no key.
    Totp,
    /// A code that only a person can know.
    Code,
    /// What a person has answered to a page.
    Answer,
    /// A field of the question (one of [`ASK_NAMES`]).
    Ask(&'static str),
    /// A value an earlier step took from a page.
    Taken(String),
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// Without spaces around it.
    Trim,
    /// Digits only.
    Digits,
    /// Letters and digits only.
    LettersDigits,
    /// The first characters.
    First(usize),
    /// The last characters.
    Last(usize),
    /// Without the first characters.
    Skip(usize),
    /// What stands before these words, all of it where they are not there.
    Before(String),
    /// What stands after these words, nothing where they are not there.
    After(String),
    /// A date in strftime letters.
    Date(String),
    /// By a table of `[settings.maps]`.
    Map(String),
}

/// A chain of filters: `"digits | first:9"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Filters(pub std::result::Result<Vec<Filter>, String>);

impl From<String> for Filters {
    fn from(text: String) -> Self {
        Self(text.split('|').map(read_filter).collect())
    }
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        Self { parts: read_template(&text) }
    }
}

macro_rules! text_schema {
    ($($name:ident),*) => {$(
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "maxLength": 1000 })
            }
        }
    )*};
}
text_schema!(Template, Filters);

fn read_template(text: &str) -> std::result::Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '{' | '}' if chars.peek() == Some(&char) => {
                chars.next();
                plain.push(char);
            }
            '{' => {
                let mut inside = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(next) => inside.push(next),
                        None => return Err("A { is never closed. Double it ({{) to send a brace.".to_owned()),
                    }
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                let mut pieces = inside.split('|');
                let name = read_name(pieces.next().unwrap_or_default().trim())?;
                parts.push(Part::Place(name, pieces.map(read_filter).collect::<std::result::Result<_, _>>()?));
            }
            '}' => return Err("A } without a {. Double it (}}) to send a brace.".to_owned()),
            _ => plain.push(char),
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn read_name(name: &str) -> std::result::Result<Name, String> {
    if let Some(known) = ASK_NAMES.iter().find(|known| **known == name) {
        return Ok(Name::Ask(known));
    }
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 40
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match name {
        "username" | "password" => Ok(Name::Secret(name.to_owned())),
        "totp" => Ok(Name::Totp),
        "code" => Ok(Name::Code),
        "answer" => Ok(Name::Answer),
        _ => match name.strip_prefix("credential.") {
            // The seed itself never goes on the wire, only the code made from it.
            Some("totp_seed") => Err("The seed is never sent. Write {totp} for the one-time code.".to_owned()),
            Some(field) if word(field) => Ok(Name::Secret(field.to_owned())),
            None if word(name) => Ok(Name::Taken(name.to_owned())),
            _ => Err(unknown("placeholder", name, ASK_NAMES.iter().copied().chain(["username", "password", "totp"]))),
        },
    }
}

fn read_filter(text: &str) -> std::result::Result<Filter, String> {
    let text = text.trim();
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (text, None),
    };
    let count = || {
        argument
            .and_then(|text| text.parse::<usize>().ok())
            .filter(|count| (1..=200).contains(count))
            .ok_or_else(|| format!("The filter {name} needs a count: {name}:3"))
    };
    let words = || {
        argument
            .map(|text| text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text).to_owned())
            .filter(|text| (1..=40).contains(&text.chars().count()))
            .ok_or_else(|| format!("The filter {name} needs the words to look for: {name}:to, {name}:' - '"))
    };
    match (name, argument) {
        ("upper", None) => Ok(Filter::Upper),
        ("lower", None) => Ok(Filter::Lower),
        ("trim", None) => Ok(Filter::Trim),
        ("digits", None) => Ok(Filter::Digits),
        ("letters_digits", None) => Ok(Filter::LettersDigits),
        ("us_date", None) => Ok(Filter::Date("%m/%d/%Y".to_owned())),
        ("iso_date", None) => Ok(Filter::Date("%Y-%m-%d".to_owned())),
        ("first", _) => count().map(Filter::First),
        ("last", _) => count().map(Filter::Last),
        ("skip", _) => count().map(Filter::Skip),
        ("before", _) => words().map(Filter::Before),
        ("after", _) => words().map(Filter::After),
        ("date", Some(format)) if jiff::fmt::strtime::format(format, jiff::civil::date(1980, 2, 29)).is_ok() => {
            Ok(Filter::Date(format.to_owned()))
        }
        ("date", _) => Err("The filter date needs a format in strftime letters: date:%m/%d/%Y".to_owned()),
        ("map", Some(table)) if !table.is_empty() => Ok(Filter::Map(table.to_owned())),
        ("map", _) => Err("The filter map needs the name of a table in [settings.maps]: map:services".to_owned()),
        (known, Some(_)) if FILTER_NAMES.contains(&known) => Err(format!("The filter {known} takes nothing after it.")),
        _ => Err(unknown("filter", name, FILTER_NAMES.iter().copied())),
    }
}

/// "There is no … called …", with the nearest known name.
pub fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|candidate| (distance(name, candidate), candidate)).min();
    match nearest {
        Some((apart, candidate)) if apart <= 3.max(name.len() / 3) => {
            format!("There is no {what} called \"{name}\". Did you mean \"{candidate}\"?")
        }
        _ => format!("There is no {what} called \"{name}\"."),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (slot, right) in row.iter_mut().skip(1).zip(&b) {
            let cost = (diagonal + usize::from(left != *right)).min(before + 1).min(*slot + 1);
            diagonal = *slot;
            *slot = cost;
            before = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// What placeholders stand for in one exchange.
pub struct Values<'a> {
    /// The question; `None` while signing in.
    pub ask: Option<&'a EligibilityRequest>,
    /// Values taken from pages.
    pub taken: BTreeMap<String, String>,
    /// Tables for `map:`.
    pub maps: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// Today where the practice is.
    pub today: Date,
    /// Whether a person has entered the code.
    pub by_person: bool,
}

/// A field's text.
pub struct Rendered {
    /// Text to be form-encoded; markers survive that unchanged.
    pub text: String,
    /// Whether a secret stands in it.
    pub secret: bool,
    /// Whether patient data stands in it.
    pub patient: bool,
}

impl Rendered {
    fn answered(&mut self, ctx: &Context) {
        self.secret = true;
        self.text.push_str(ctx.marker(&Secret::Answer, Escape::Form).as_str());
    }
}

enum Value {
    Text(String),
    Date(Date),
}

impl Values<'_> {
    /// The text of a field; `None` when a placeholder in it has no value in this question.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialMissing`] for a secret the practice has not stored, [`ErrorKind::Unsupported`] for a value
    /// a map has no word for, [`ErrorKind::ProtocolBroken`] for a value that was not taken.
    pub fn render(&self, template: &Template, ctx: &Context) -> Result<Option<Rendered>> {
        let Ok(parts) = &template.parts else {
            return Err(Error::new(ErrorKind::Internal, "A template was not checked."));
        };
        let mut out = Rendered { text: String::new(), secret: false, patient: false };
        for part in parts {
            match part {
                Part::Text(text) => out.text.push_str(text),
                Part::Place(Name::Secret(field), _) => {
                    needs(ctx, field)?;
                    out.secret = true;
                    out.text.push_str(ctx.marker(&Secret::Field(field), Escape::Form).as_str());
                }
                Part::Place(Name::Answer | Name::Code, _) => out.answered(ctx),
                Part::Place(Name::Totp, _) if self.by_person => out.answered(ctx),
                Part::Place(Name::Totp, _) => {
                    needs(ctx, "totp_seed")?;
                    out.secret = true;
                    out.text.push_str(ctx.marker(&Secret::TotpCode, Escape::Form).as_str());
                }
                Part::Place(Name::Taken(name), filters) => {
                    let Some(value) = self.taken.get(name) else { return Ok(None) };
                    out.text.push_str(&filtered(Value::Text(value.clone()), filters, self.maps)?);
                }
                Part::Place(Name::Ask(name), filters) => {
                    let Some(value) = self.ask.and_then(|ask| self.ask_value(ask, name)) else { return Ok(None) };
                    out.patient |= !name.starts_with("provider.") && *name != "today";
                    out.text.push_str(&filtered(value, filters, self.maps)?);
                }
            }
        }
        Ok(Some(out))
    }

    fn ask_value(&self, ask: &EligibilityRequest, name: &str) -> Option<Value> {
        let phi = |value: &Option<Phi<String>>| value.as_ref().map(|value| Value::Text(value.text().to_owned()));
        let text = |value: &Option<String>| value.clone().map(Value::Text);
        let (member, dependent) = (&ask.member, ask.dependent.as_ref());
        match name {
            "member.member_id" => phi(&member.member_id),
            "member.first_name" => phi(&member.first_name),
            "member.last_name" => phi(&member.last_name),
            "member.suffix" => phi(&member.suffix),
            "member.date_of_birth" => member.date_of_birth.as_ref().map(|day| Value::Date(*day.expose())),
            "member.sex" => member.sex.map(sex_letter),
            "member.group_number" => phi(&member.group_number),
            "patient.first_name" => match dependent {
                Some(person) => Some(Value::Text(person.first_name.text().to_owned())),
                None => phi(&member.first_name),
            },
            "patient.last_name" => match dependent {
                Some(person) => Some(Value::Text(person.last_name.text().to_owned())),
                None => phi(&member.last_name),
            },
            "patient.date_of_birth" => match dependent {
                Some(person) => Some(Value::Date(*person.date_of_birth.expose())),
                None => member.date_of_birth.as_ref().map(|day| Value::Date(*day.expose())),
            },
            "patient.sex" => dependent.map_or(member.sex, |person| person.sex).map(sex_letter),
            "dependent.relationship" => {
                dependent.map(|person| Value::Text(relationship(person.relationship).to_owned()))
            }
            "provider.npi" => Some(Value::Text(ask.provider.npi.clone())),
            "provider.tax_id" => text(&ask.provider.tax_id),
            "provider.name" => text(&ask.provider.name),
            "provider.taxonomy" => text(&ask.provider.taxonomy),
            "service.type" => ask.service_types().first().map(|code| Value::Text((*code).to_owned())),
            "service.from" => Some(Value::Date(ask.first_day(self.today))),
            "service.to" => Some(Value::Date(ask.last_day(self.today))),
            "service.place" => text(&ask.service.place),
            "procedure.code" => ask.service.procedures.first().map(|procedure| Value::Text(procedure.code.clone())),
            "today" => Some(Value::Date(self.today)),
            _ => None,
        }
    }
}

fn sex_letter(sex: Sex) -> Value {
    Value::Text(
        match sex {
            Sex::Female => "F",
            Sex::Male => "M",
            Sex::Unknown => "U",
        }
        .to_owned(),
    )
}

fn relationship(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Spouse => "spouse",
        Relationship::Child => "child",
        Relationship::OtherAdult => "other_adult",
        Relationship::Unknown => "unknown",
    }
}

fn needs(ctx: &Context, field: &str) -> Result<()> {
    if ctx.has_secret(field) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::CredentialMissing,
        match field {
            "totp_seed" => "The portal asks for a one-time code, but no authenticator key is stored for this carrier.",
            _ => "A field of the credential that this portal's sign-in needs is not stored.",
        },
    ))
}

fn filtered(value: Value, filters: &[Filter], maps: &BTreeMap<String, BTreeMap<String, String>>) -> Result<String> {
    let (mut text, date) = match value {
        Value::Text(text) => (text, None),
        Value::Date(date) => (date.to_string(), Some(date)),
    };
    for filter in filters {
        text = apply(filter, text, date, maps)?;
    }
    Ok(text)
}

/// One filter over a text; `date` is the value itself where it is a date.
fn apply(
    filter: &Filter,
    text: String,
    date: Option<Date>,
    maps: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<String> {
    Ok(match filter {
        Filter::Upper => text.to_uppercase(),
        Filter::Lower => text.to_lowercase(),
        Filter::Trim => text.trim().to_owned(),
        Filter::Digits => text.chars().filter(char::is_ascii_digit).collect(),
        Filter::LettersDigits => text.chars().filter(|c| c.is_alphanumeric()).collect(),
        Filter::First(count) => text.chars().take(*count).collect(),
        Filter::Last(count) => text.chars().skip(text.chars().count().saturating_sub(*count)).collect(),
        Filter::Skip(count) => text.chars().skip(*count).collect(),
        Filter::Before(words) => {
            text.split_once(words.as_str()).map_or(text.as_str(), |(before, _)| before).trim().to_owned()
        }
        Filter::After(words) => {
            text.split_once(words.as_str()).map(|(_, after)| after.trim().to_owned()).unwrap_or_default()
        }
        Filter::Date(format) => date
            .and_then(|date| jiff::fmt::strtime::format(format, date).ok())
            .ok_or_else(|| Error::new(ErrorKind::Internal, "A date filter was put on something else than a date."))?,
        Filter::Map(table) => {
            maps.get(table).and_then(|table| table.get(&text).or_else(|| table.get("*"))).cloned().ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    "The carrier's form has no choice for a value of this question (see [settings.maps] in its file).",
                )
            })?
        }
    })
}

impl Filters {
    /// Runs text found on a page through the filters. Maps and dates are refused when the file is checked.
    pub fn run(&self, text: String) -> String {
        let none = BTreeMap::new();
        let Ok(filters) = &self.0 else { return text };
        filters.iter().fold(text, |text, filter| apply(filter, text, None, &none).unwrap_or_default())
    }
}

impl Template {
    /// The names it uses; none when it cannot be read.
    pub fn names(&self) -> impl Iterator<Item = (&Name, &[Filter])> {
        self.parts.iter().flatten().filter_map(|part| match part {
            Part::Place(name, filters) => Some((name, filters.as_slice())),
            Part::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use connector_sdk::testing::FakeHost;

    use super::*;

    fn ask() -> EligibilityRequest {
        serde_json::from_value(serde_json::json!({
            "carrier": "acme", "provider": { "npi": "1234567893" },
            "member": { "member_id": "abc-123", "date_of_birth": "1980-02-09" }
        }))
        .unwrap()
    }

    fn render(text: &str) -> Result<Option<String>> {
        let ask = ask();
        let maps = BTreeMap::from([("t".to_owned(), BTreeMap::from([("30".to_owned(), "ALL".to_owned())]))]);
        let values = Values {
            ask: Some(&ask),
            taken: BTreeMap::new(),
            maps: &maps,
            today: jiff::civil::date(2026, 11, 23),
            by_person: false,
        };
        let host = FakeHost::replies(vec![]);
        values.render(&Template::from(text.to_owned()), &host.context()).map(|out| out.map(|out| out.text))
    }

    #[test]
    fn values_and_filters() {
        for (template, want) in [
            ("{member.member_id | upper}", "ABC-123"),
            ("{member.member_id | letters_digits | last:4}", "c123"),
            ("{member.member_id | skip:4}", "123"),
            ("{member.date_of_birth | date:%m/%d/%Y}", "02/09/1980"),
            ("{member.date_of_birth}", "1980-02-09"),
            ("{service.from | us_date}", "11/23/2026"),
            ("{service.type | map:t}", "ALL"),
            ("a {{b}} {provider.npi}", "a {b} 1234567893"),
            ("", ""),
        ] {
            assert_eq!(render(template).unwrap().as_deref(), Some(want), "{template}");
        }
        assert_eq!(render("{member.first_name}").unwrap(), None);
        assert_eq!(render("{service.type | map:gone}").unwrap_err().kind, ErrorKind::Unsupported);
    }

    #[test]
    fn a_range_is_taken_apart() {
        let run = |filters: &str, text: &str| Filters::from(filters.to_owned()).run(text.to_owned());
        assert_eq!(run("before:' - '", "01-Jan-2026 - 31-Dec-2026"), "01-Jan-2026");
        assert_eq!(run("after:' - '", "01-Jan-2026 - 31-Dec-2026"), "31-Dec-2026");
        assert_eq!(run("after:to | first:4", "2026 to 2027"), "2027");
        // A plan that has begun and has no end.
        assert_eq!(
            (run("before:' - '", "01-Jan-2026"), run("after:' - '", "01-Jan-2026")),
            ("01-Jan-2026".into(), "".into())
        );
        assert!(read_filter("before").unwrap_err().contains("before:to"));
        assert!(read_filter("after:''").is_err());
    }

    #[test]
    fn secrets_are_markers() {
        let text = render("{password}").unwrap().unwrap();
        assert!(text.starts_with("pk-0000feed-f") && text.ends_with("-form-kp"), "{text}");
        assert!(render("{totp}").unwrap().unwrap().contains("-totp-form-"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let why = |text: &str| Template::from(text.to_owned()).parts.unwrap_err();
        assert!(why("{member.member_di}").contains("member.member_id"));
        assert!(why("{member.member_id | uper}").contains("upper"));
        assert!(why("{member.member_id").contains("never closed"));
        assert!(why("{credential.totp_seed}").contains("{totp}"));
        assert!(why("{today | date:%Q}").contains("strftime"));
        assert!(why("{today | first:x}").contains("count"));
    }
}
