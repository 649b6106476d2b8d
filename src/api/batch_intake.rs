//! What a batch is made from: JSON, or CSV with one question a row. Everything that is wrong is said at once, by item or
//! row and field; no message repeats a value.

use std::sync::Arc;

use connector_sdk::EligibilityRequest;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::intake;
use super::problem::Problem;
use crate::batches::{ITEMS_MAX, Item, NAME_CHARS_MAX, REF_CHARS_MAX};
use crate::gateway::{Gateway, NotAsked};

/// Problems listed at most; all are counted.
pub const PROBLEMS_LISTED: usize = 100;

/// Columns of a CSV file, and where each stands in a question.
pub const COLUMNS: [(&str, &str); 24] = [
    ("carrier", "/carrier"),
    ("ref", "/ref"),
    ("npi", "/provider/npi"),
    ("tax_id", "/provider/tax_id"),
    ("provider_name", "/provider/name"),
    ("taxonomy", "/provider/taxonomy"),
    ("member_id", "/member/member_id"),
    ("first_name", "/member/first_name"),
    ("last_name", "/member/last_name"),
    ("suffix", "/member/suffix"),
    ("date_of_birth", "/member/date_of_birth"),
    ("sex", "/member/sex"),
    ("group_number", "/member/group_number"),
    ("dependent_first_name", "/dependent/first_name"),
    ("dependent_last_name", "/dependent/last_name"),
    ("dependent_date_of_birth", "/dependent/date_of_birth"),
    ("dependent_relationship", "/dependent/relationship"),
    ("dependent_sex", "/dependent/sex"),
    ("service_date", "/service/date"),
    ("service_from", "/service/from"),
    ("service_to", "/service/to"),
    ("service_types", "/service/types"),
    ("place", "/service/place"),
    ("max_age_secs", "/max_age_secs"),
];
/// Columns that must be there.
const NEEDED: [&str; 2] = ["carrier", "npi"];

/// Body of `POST /v1/eligibility/batches` as JSON.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body; it is read item by item, so that all problems are told")]
pub struct BatchRequest {
    /// What people call the batch.
    name: Option<String>,
    /// The questions, at most 10,000.
    items: Vec<BatchItem>,
}

/// One question of a batch.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "as above")]
pub struct BatchItem {
    /// Your own reference for it; it comes back with the result.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The question.
    #[serde(flatten)]
    ask: EligibilityRequest,
}

/// What was read.
pub struct Taken {
    /// The batch's name.
    pub name: Option<String>,
    /// Items without a problem.
    pub items: Vec<Item>,
    /// How many items have one.
    pub left_out: usize,
    /// The first problems.
    pub problems: Vec<FieldProblem>,
    /// How many problems there are.
    pub count: usize,
}

/// Reads and checks questions; keeps what is good and what is wrong apart.
pub struct Reader {
    gateway: Arc<Gateway>,
    today: Date,
    taken: Taken,
}

impl Reader {
    /// Checks against the carriers of this gateway.
    pub fn new(gateway: Arc<Gateway>) -> Self {
        let today = gateway.today();
        let taken = Taken { name: None, items: Vec::new(), left_out: 0, problems: Vec::new(), count: 0 };
        Self { gateway, today, taken }
    }

    /// A JSON body.
    ///
    /// # Errors
    /// When it is not JSON, or has no list of items that could be taken.
    pub fn json(mut self, body: &[u8]) -> Result<Taken, Problem> {
        let value: Value = serde_json::from_slice(body).map_err(|error| Problem::not_json(&error))?;
        let one = |path: &str, message: &str| Problem::fields(vec![FieldProblem::new(path, message)]);
        let Value::Object(mut map) = value else { return Err(one("", "Send {\"items\": [...]}.")) };
        let items = map.remove("items");
        self.taken.name = match map.remove("name") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if good_text(&name, NAME_CHARS_MAX) => Some(name),
            Some(_) => return Err(one("/name", "A name is a text of 1 to 200 characters, without line breaks.")),
        };
        if !map.is_empty() {
            return Err(one("", "Beside items there can only be a name."));
        }
        let Some(Value::Array(items)) = items else { return Err(one("/items", "This must be a list of questions.")) };
        in_bounds(items.len(), "/items")?;
        for (place, item) in items.into_iter().enumerate() {
            self.item(item, &|pointer| format!("/items/{place}{pointer}"));
        }
        Ok(self.taken)
    }

    /// A CSV body: a header with names of [`COLUMNS`], then one question a row. Cells are divided by commas, or by
    /// semicolons where the header has no comma.
    ///
    /// # Errors
    /// When the header cannot be used, or there are no rows or too many.
    pub fn csv(mut self, body: &[u8]) -> Result<Taken, Problem> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let semicolons = first.contains(&b';') && !first.contains(&b',');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(if semicolons { b';' } else { b',' })
            .from_reader(body);
        let mut record = csv::ByteRecord::new();
        let mut next = |record: &mut csv::ByteRecord| {
            let unreadable =
                |_| Problem::new(StatusCode::BAD_REQUEST, "The body is not CSV", "The rows cannot be told apart.");
            reader.read_byte_record(record).map_err(unreadable)
        };
        if !next(&mut record)? {
            return Err(Problem::fields(vec![FieldProblem::new("/header", "The file is empty.")]));
        }
        let columns = header(&record)?;
        let (mut rows, mut line, mut counted) = (0, 1, 0);
        while next(&mut record)? {
            rows += 1;
            in_bounds(rows, "/rows")?;
            // The crate's own count stands before the line feed that ended the row above.
            let from = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(0);
            let ends = body.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let passed = body.get(counted..from + ends).unwrap_or_default();
            line += passed.iter().filter(|byte| **byte == b'\n').count();
            counted = from + ends;
            self.row(&record, &columns, line);
        }
        in_bounds(rows, "/rows")?;
        Ok(self.taken)
    }

    fn row(&mut self, record: &csv::ByteRecord, columns: &[usize], line: usize) {
        if record.len() != columns.len() {
            let message = format!("This row has {} cells; the header has {}.", record.len(), columns.len());
            return self.bad(vec![FieldProblem::new(format!("/rows/{line}"), message)]);
        }
        let mut question = Value::Object(Map::new());
        let mut problems = Vec::new();
        for (cell, column) in record.iter().zip(columns) {
            let Some((name, pointer)) = COLUMNS.get(*column) else { continue };
            match std::str::from_utf8(cell) {
                Ok("") => {}
                Ok(text) => put(&mut question, pointer, cell_value(name, text)),
                Err(_) => problems.push(FieldProblem::new(
                    format!("/rows/{line}/{name}"),
                    "This cell is not UTF-8; save the file as CSV UTF-8.",
                )),
            }
        }
        if problems.is_empty() { self.item(question, &|pointer| in_row(line, pointer)) } else { self.bad(problems) }
    }

    /// One question; `path` says where something of it stands in what was handed in.
    fn item(&mut self, mut value: Value, path: &dyn Fn(&str) -> String) {
        let mut problems = Vec::new();
        let reference = match value.as_object_mut().and_then(|map| map.shift_remove("ref")) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if good_text(&text, REF_CHARS_MAX) => Some(text),
            Some(_) => {
                let message = "A reference is a text of 1 to 100 characters, without line breaks.";
                problems.push(FieldProblem::new(path("/ref"), message));
                None
            }
        };
        match intake::of_value(value, self.today).and_then(|ask| self.known_good(ask)) {
            Ok(ask) if problems.is_empty() => return self.taken.items.push(Item { reference, ask }),
            Ok(_) => {}
            Err(found) => {
                problems.extend(found.into_iter().map(|found| FieldProblem::new(path(&found.path), found.message)));
            }
        }
        self.bad(problems);
    }

    /// The question, if its carrier takes it.
    fn known_good(&self, ask: EligibilityRequest) -> Result<EligibilityRequest, Vec<FieldProblem>> {
        match self.gateway.check(&ask) {
            Ok(()) => Ok(ask),
            Err(NotAsked::Problems(problems)) => Err(problems),
            Err(NotAsked::Error(error)) => Err(vec![FieldProblem::new("/carrier", error.message)]),
        }
    }

    fn bad(&mut self, problems: Vec<FieldProblem>) {
        self.taken.left_out += 1;
        self.taken.count += problems.len();
        let room = PROBLEMS_LISTED.saturating_sub(self.taken.problems.len());
        self.taken.problems.extend(problems.into_iter().take(room));
    }
}

fn in_bounds(items: usize, path: &str) -> Result<(), Problem> {
    let message = match items {
        0 => "There is no question.".to_owned(),
        n if n > ITEMS_MAX => format!("A batch has at most {ITEMS_MAX} questions; make several."),
        _ => return Ok(()),
    };
    Err(Problem::fields(vec![FieldProblem::new(path, message)]))
}

/// Which of [`COLUMNS`] stands in each place. The caller's own words are not repeated: without a header they would be a
/// patient's.
fn header(record: &csv::ByteRecord) -> Result<Vec<usize>, Problem> {
    let mut columns: Vec<usize> = Vec::new();
    let mut problems = Vec::new();
    for (place, cell) in (1..).zip(record) {
        let name = std::str::from_utf8(cell).unwrap_or_default().to_ascii_lowercase().replace([' ', '-'], "_");
        let path = format!("/header/{place}");
        match COLUMNS.iter().position(|(known, _)| *known == name) {
            Some(column) if columns.contains(&column) => {
                problems.push(FieldProblem::new(path, "This column is there twice."));
            }
            Some(column) => columns.push(column),
            None => {
                let known: Vec<&str> = COLUMNS.iter().map(|(known, _)| *known).collect();
                let message = format!("There is no such column; there are: {}.", known.join(", "));
                problems.push(FieldProblem::new(path, message));
            }
        }
        if problems.len() >= PROBLEMS_LISTED {
            break;
        }
    }
    for needed in NEEDED {
        if !columns.iter().any(|column| COLUMNS.get(*column).is_some_and(|(name, _)| *name == needed)) {
            problems.push(FieldProblem::new("/header", format!("The column {needed} is missing.")));
        }
    }
    if problems.is_empty() { Ok(columns) } else { Err(Problem::fields(problems)) }
}

/// A cell as the question has it.
fn cell_value(name: &str, text: &str) -> Value {
    match name {
        "service_types" => {
            let types = text.split([';', '|', ' ']).map(str::trim).filter(|code| !code.is_empty());
            Value::Array(types.map(Value::from).collect())
        }
        "max_age_secs" => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        "sex" | "dependent_sex" | "dependent_relationship" => Value::from(text.to_ascii_lowercase()),
        _ => Value::from(text),
    }
}

/// Puts a value where `pointer` says, at most two steps down.
fn put(question: &mut Value, pointer: &str, value: Value) {
    let mut steps = pointer.trim_start_matches('/').split('/');
    let (Some(first), second) = (steps.next(), steps.next()) else { return };
    let Some(map) = question.as_object_mut() else { return };
    match second {
        None => drop(map.insert(first.to_owned(), value)),
        Some(second) => {
            let inner = map.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                inner.insert(second.to_owned(), value);
            }
        }
    }
}

/// Row and column of a problem.
fn in_row(line: usize, pointer: &str) -> String {
    let column = COLUMNS
        .iter()
        .find(|(_, known)| pointer == *known || pointer.strip_prefix(known).is_some_and(|rest| rest.starts_with('/')));
    match column {
        Some((name, _)) => format!("/rows/{line}/{name}"),
        None => format!("/rows/{line}"),
    }
}

fn good_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_a_question() {
        let schema = schemars::schema_for!(EligibilityRequest).to_value();
        for (name, pointer) in COLUMNS.iter().filter(|(name, _)| *name != "ref") {
            let last = pointer.rsplit('/').next().unwrap();
            let text = schema.to_string();
            assert!(text.contains(&format!("\"{last}\":")), "{name}: there is no {last}");
        }
    }

    #[test]
    fn cells_become_what_a_question_has() {
        let mut question = Value::Object(Map::new());
        put(&mut question, "/service/types", cell_value("service_types", "30; 98|UC"));
        put(&mut question, "/carrier", cell_value("carrier", "x"));
        put(&mut question, "/max_age_secs", cell_value("max_age_secs", "0"));
        let wanted = serde_json::json!({"service": {"types": ["30", "98", "UC"]}, "carrier": "x", "max_age_secs": 0});
        assert_eq!(question, wanted);
    }

    #[test]
    fn a_problem_names_its_row_and_column() {
        assert_eq!(in_row(7, "/service/types/1"), "/rows/7/service_types");
        assert_eq!(in_row(7, "/member/date_of_birth"), "/rows/7/date_of_birth");
        assert_eq!(in_row(7, "/member"), "/rows/7");
    }

    #[test]
    fn a_header_that_is_no_header_is_not_repeated() {
        let record = csv::ByteRecord::from(vec!["carrier", "npi", "ZANZIBAR", "npi"]);
        let text = serde_json::to_string(&header(&record).unwrap_err()).unwrap();
        assert!(!text.contains("ZANZIBAR") && text.contains("/header/3") && text.contains("/header/4"), "{text}");
        assert_eq!(header(&csv::ByteRecord::from(vec!["NPI", "Carrier", "Service Types"])).unwrap(), [2, 0, 21]);
    }
}
