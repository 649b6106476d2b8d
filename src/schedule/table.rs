//! A file with one appointment a row: CSV, or rows pasted from a table.

use connector_sdk::Phi;
use connector_sdk::ask::{FieldProblem, Sex, check_npi};
use jiff::civil::{Date, Time};

use super::cells;
use super::columns::{self, Column};
use super::visit::{Booked, ReadFile, TEXT_MAX, Visit};
use super::{ROWS_MAX, Resolve};
use crate::patients::{Patient, PatientCoverage, Subscriber, dates};

/// Columns of a file at most.
const COLUMNS_MAX: usize = 200;
/// Longest cell, bytes.
const CELL_MAX: usize = 500;

/// What is known before the file is read.
pub(super) struct Setting<'a> {
    /// The day of rows that name none.
    pub date: Option<Date>,
    /// Today where the practice is.
    pub today: Date,
    /// Finds a carrier by what the file calls it.
    pub carriers: &'a Resolve<'a>,
}

/// Reads a whole file. `tabs`: rows pasted from a table.
pub(super) fn read(body: &[u8], tabs: bool, setting: &Setting<'_>) -> ReadFile {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(if tabs { b'\t' } else { delimiter(body) })
        .from_reader(body);
    let mut lines = Lines { body, ..Lines::default() };
    let mut file = ReadFile::default();
    let mut record = csv::ByteRecord::new();
    let mut header: Option<Vec<Option<Column>>> = None;
    let mut rows = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return ReadFile::none(vec![FieldProblem::new("/rows", "The rows cannot be told apart.")]),
        }
        let line = lines.of(&record);
        let Some(columns) = &header else {
            match self::header(&record, &mut file.notes, setting.date) {
                Ok(columns) => header = Some(columns),
                Err(problems) => return ReadFile::none(problems),
            }
            continue;
        };
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        rows += 1;
        if rows > ROWS_MAX {
            let message = format!("A file has at most {ROWS_MAX} appointments; import it in parts.");
            return ReadFile::none(vec![FieldProblem::new("/rows", message)]);
        }
        let mut row = Row { line, columns, record: &record, problems: Vec::new() };
        match row.booked(setting) {
            Some(_) if !row.problems.is_empty() => file.bad(row.problems),
            Some(booked) => file.booked.push(booked),
            None if row.problems.is_empty() => file.cancelled += 1,
            None => file.bad(row.problems),
        }
    }
    if rows == 0 {
        let message = "There is no appointment. The first row names the columns, each other one is an appointment.";
        return ReadFile::none(vec![FieldProblem::new("/rows", message)]);
    }
    file
}

/// Comma, semicolon or tab, by the first line.
fn delimiter(body: &[u8]) -> u8 {
    let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    [b',', b'\t', b';'].into_iter().max_by_key(|byte| (count(*byte), *byte == b',')).unwrap_or(b',')
}

/// Counts lines: the crate's own count stands before the line feed that ended the row above.
#[derive(Default)]
struct Lines<'a> {
    body: &'a [u8],
    counted: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, record: &csv::ByteRecord) -> usize {
        let from = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(0);
        let ends = self.body.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.body.get(self.counted..from + ends).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted = from + ends;
        self.line + 1
    }
}

/// What stands in each place. Unknown headers are not repeated: without a header they would be a patient's.
fn header(
    record: &csv::ByteRecord,
    notes: &mut Vec<String>,
    date: Option<Date>,
) -> Result<Vec<Option<Column>>, Vec<FieldProblem>> {
    let mut columns: Vec<Option<Column>> = Vec::new();
    let mut problems = Vec::new();
    let mut unused = Vec::new();
    for (place, cell) in (1..).zip(record.iter().take(COLUMNS_MAX)) {
        let column = columns::of_header(std::str::from_utf8(cell).unwrap_or_default());
        if column.is_some() && columns.contains(&column) {
            let message = format!("Column {place} is there twice; leave one of them out.");
            problems.push(FieldProblem::new(format!("/header/{place}"), message));
        }
        if column.is_none() && !cell.is_empty() {
            unused.push(place.to_string());
        }
        columns.push(column);
    }
    let has = |wanted: Column| columns.contains(&Some(wanted));
    if columns.iter().flatten().count() < 3 {
        let message = format!("The first row must name the columns. These names always work: {}.", columns::names());
        return Err(vec![FieldProblem::new("/header", message)]);
    }
    let named = has(Column::Name) || (has(Column::FirstName) && has(Column::LastName));
    if !named {
        let message = "The patient's name is missing: give first_name and last_name, or patient as Last, First.";
        problems.push(FieldProblem::new("/header", message));
    }
    if !has(Column::Born) {
        problems.push(FieldProblem::new("/header", "The column date_of_birth is missing."));
    }
    if !has(Column::Date) && date.is_none() {
        problems.push(FieldProblem::new("/header", "The column date is missing; or say which day the file is for."));
    }
    if !unused.is_empty() {
        notes.push(format!("Not used: column {}.", unused.join(", ")));
    }
    if problems.is_empty() { Ok(columns) } else { Err(problems) }
}

/// One row on its way.
struct Row<'a> {
    line: usize,
    columns: &'a [Option<Column>],
    record: &'a csv::ByteRecord,
    problems: Vec<FieldProblem>,
}

impl Row<'_> {
    /// The appointment; `None` where it is cancelled or cannot be read.
    fn booked(&mut self, setting: &Setting<'_>) -> Option<Booked> {
        if self.record.len() > self.columns.len() {
            let message = format!("This row has {} cells; the header has {}.", self.record.len(), self.columns.len());
            self.problems.push(FieldProblem::new(format!("/rows/{}", self.line), message));
            return None;
        }
        if self.text(Column::Status).is_some_and(|status| cells::is_cancelled(&status)) {
            return None;
        }
        let day = self.read(Column::Date, cells::day_and_time);
        let time: Option<Time> = self.read(Column::Time, cells::time).or(day.and_then(|(_, time)| time));
        let patient = self.patient(setting);
        let visit = self.visit(setting, time);
        let date = match (day, setting.date) {
            (Some((date, _)), _) | (None, Some(date)) => Some(date),
            (None, None) => {
                if self.text(Column::Date).is_none() {
                    self.problem(Column::Date, "This is empty.");
                }
                None
            }
        };
        let key = self.text(Column::Key);
        Some(Booked { date: date?, key, visit, patient: patient? })
    }

    fn patient(&mut self, setting: &Setting<'_>) -> Option<Patient> {
        let (last, first, late) = match self.text(Column::Name) {
            Some(name) if self.text(Column::LastName).is_none() => match cells::name(&name) {
                Ok(name) => name,
                Err(how) => {
                    self.problem(Column::Name, how);
                    return None;
                }
            },
            _ => {
                let (last, suffix) = cells::without_suffix(&self.text(Column::LastName).unwrap_or_default());
                (last, self.text(Column::FirstName).unwrap_or_default(), suffix)
            }
        };
        if self.text(Column::Born).is_none() {
            self.problem(Column::Born, "This is empty.");
        }
        let born = self.read(Column::Born, dates::read);
        let sex: Option<Sex> = self.read(Column::Sex, cells::sex);
        let coverage = self.coverage(setting);
        let patient = Patient {
            first_name: Phi::new(first),
            last_name: Phi::new(last),
            suffix: self.text(Column::Suffix).or(late).map(Phi::new),
            date_of_birth: Phi::new(born?),
            sex,
            phone: self.text(Column::Phone).map(Phi::new),
            mrn: self.text(Column::Mrn).map(Phi::new),
            coverages: coverage.into_iter().collect(),
        };
        for problem in patient.problems("", setting.today) {
            let field =
                problem.path.trim_start_matches('/').replace("coverages/0/", "").replace("subscriber/", "subscriber_");
            self.problems.push(FieldProblem::new(format!("/rows/{}/{field}", self.line), problem.message));
        }
        Some(patient)
    }

    fn coverage(&mut self, setting: &Setting<'_>) -> Option<PatientCoverage> {
        let written = self.text(Column::Carrier);
        let member_id = self.text(Column::MemberId);
        let relationship = self.read(Column::Relationship, cells::relationship).flatten();
        let born = self.read(Column::SubscriberBorn, dates::read);
        if written.is_none() && member_id.is_none() {
            return None;
        }
        let subscriber = Subscriber {
            first_name: self.text(Column::SubscriberFirst).map(Phi::new),
            last_name: self.text(Column::SubscriberLast).map(Phi::new),
            date_of_birth: born.map(Phi::new),
            sex: None,
        };
        Some(PatientCoverage {
            carrier: written.as_deref().and_then(setting.carriers),
            as_written: Some(written.unwrap_or_else(|| "not named".to_owned())),
            member_id: member_id.map(Phi::new),
            group_number: self.text(Column::Group).map(Phi::new),
            relationship,
            // Some systems repeat the patient there.
            subscriber: (relationship.is_some() && subscriber != Subscriber::default()).then_some(subscriber),
        })
    }

    fn visit(&mut self, setting: &Setting<'_>, time: Option<Time>) -> Visit {
        let npi = self.text(Column::Npi).map(|npi| npi.replace([' ', '-'], ""));
        if let Some(Err(message)) = npi.as_deref().map(check_npi) {
            self.problem(Column::Npi, message);
        }
        let written = self.text(Column::Carrier);
        Visit {
            time,
            visit_type: self.text(Column::VisitType).map(Phi::new),
            provider_npi: npi,
            provider: self.text(Column::Provider),
            location: self.text(Column::Location),
            service_types: self.read(Column::ServiceTypes, |text| cells::codes(text, 3)).unwrap_or_default(),
            procedures: self.read(Column::Procedures, |text| cells::codes(text, 12)).unwrap_or_default(),
            carrier: written.as_deref().and_then(setting.carriers),
            carrier_as_written: written,
        }
    }

    /// A cell's text; `None` where there is none.
    fn text(&mut self, column: Column) -> Option<String> {
        let place = self.columns.iter().position(|here| *here == Some(column))?;
        let cell = self.record.get(place).filter(|cell| !cell.is_empty())?;
        let problem = match std::str::from_utf8(cell) {
            Err(_) => "This cell is not UTF-8; save the file as CSV UTF-8.",
            Ok(text) if text.len() > CELL_MAX => "This cell is too long.",
            Ok(text) if text.chars().any(char::is_control) => {
                "This cell has a line break or another control character."
            }
            Ok(text) => {
                let bounded = matches!(
                    column,
                    Column::VisitType | Column::Provider | Column::Location | Column::Key | Column::Carrier
                );
                let text = if bounded { text.chars().take(TEXT_MAX).collect() } else { text.to_owned() };
                return Some(text);
            }
        };
        self.problem(column, problem);
        None
    }

    fn read<T>(&mut self, column: Column, read: impl Fn(&str) -> Result<T, &'static str>) -> Option<T> {
        let text = self.text(column)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(how) => {
                self.problem(column, how);
                None
            }
        }
    }

    /// Once for each cell.
    fn problem(&mut self, column: Column, message: &str) {
        let path = format!("/rows/{}/{}", self.line, column.name());
        let place = self.columns.iter().position(|here| *here == Some(column)).map_or(0, |place| place + 1);
        if !self.problems.iter().any(|problem| problem.path == path) {
            self.problems.push(FieldProblem::new(path, format!("{message} (column {place})")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn carriers(text: &str) -> Option<String> {
        text.starts_with("Northstar").then(|| "northstar".to_owned())
    }

    fn read(text: &str) -> ReadFile {
        let setting = Setting { date: None, today: TODAY, carriers: &carriers };
        super::read(text.as_bytes(), false, &setting)
    }

    const GOOD: &str = "\u{feff}Appt Date,Time,Patient,DOB,Insurance,Policy #,Visit Type,Shoe Size,NPI\r\n\
        11/24/2026,8:20 AM,\"Ortiz, Maria L.\",03/12/1986,Northstar Choice PPO,NSH 12,\"MRI, knee\",42,1234567893\r\n\
        \r\n\
        11/24/2026,9:00 AM,\"Kim Jr, Jae\",1/2/2001,Nowhere Mutual,X1,,,\r\n";

    #[test]
    fn a_file_of_another_system_is_read() {
        let file = read(GOOD);
        assert_eq!((file.booked.len(), file.count), (2, 0), "{:?}", file.problems);
        let first = &file.booked[0];
        assert_eq!((first.date.to_string().as_str(), first.patient.first_name.text()), ("2026-11-24", "Maria"));
        assert_eq!(first.visit.carrier.as_deref(), Some("northstar"));
        assert_eq!(first.visit.visit_type.as_ref().unwrap().text(), "MRI, knee");
        assert_eq!(file.booked[1].patient.suffix.as_ref().unwrap().text(), "JR");
        assert_eq!(file.booked[1].patient.coverages[0].carrier, None);
        assert_eq!(file.notes, ["Not used: column 8."]);
        let pasted = "date\tpatient\tdob\tcarrier\n11/24/2026\tOrtiz, Maria\t3/12/1986\tNorthstar\n";
        let file = super::read(pasted.as_bytes(), true, &Setting { date: None, today: TODAY, carriers: &carriers });
        assert_eq!((file.booked.len(), file.count), (1, 0), "{:?}", file.problems);
    }

    #[test]
    fn everything_that_is_wrong_is_told_by_line_and_column_and_nothing_repeated() {
        let text = "date,first name,last name,dob,npi,time,sex\n\
            11/24/2026,Jane,ZANZIBAR,25/12/1980,1234567890,25:00,?\n\
            24.11.26,\"Ja\nne\",,1980-02-30,,,\n";
        let file = read(text);
        let paths: Vec<_> = file.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/rows/2/time",
                "/rows/2/date_of_birth",
                "/rows/2/sex",
                "/rows/2/npi",
                "/rows/3/date",
                "/rows/3/first_name",
                "/rows/3/date_of_birth"
            ]
        );
        assert_eq!((file.left_out, file.booked.len()), (2, 0));
        let told = format!("{:?}", file.problems);
        assert!(told.contains("(column 4)") && !told.contains("ZANZIBAR"), "{told}");
    }

    #[test]
    fn a_file_without_header_is_refused_without_repeating_it() {
        for text in ["ZANZIBAR,Jane,1980-01-01\n", "", "date,dob,carrier\n", "date,patient,dob\n"] {
            let file = read(text);
            assert!(file.count > 0 && !format!("{:?}", file.problems).contains("ZANZIBAR"), "{text}");
        }
    }

    #[test]
    fn who_does_not_come_is_left_out() {
        let file = read(
            "date,patient,dob,status\n11/24/2026,\"A, B\",1980-01-01,Cancelled\n11/24/2026,\"C, D\",1980-01-01,Booked\n",
        );
        assert_eq!((file.cancelled, file.booked.len(), file.count), (1, 1, 0));
    }
}
