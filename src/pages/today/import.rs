//! Taking a schedule in: a file, or rows pasted from the practice's own system.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use jiff::civil::Date;
use maud::{Markup, html};

use super::Asked;
use crate::api::Problem;
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::field::{area, file, text, tick};
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;
use crate::schedule::{Kind, NotImported};

/// `GET /schedule/import`
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let fields = Fields::of([("date", asked.day(&visit).to_string())]);
    Ok(page(&visit, &fields, &Problems::none(), None))
}

/// `POST /schedule/import`
pub async fn take(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let date: Option<Date> = fields.get("date").parse().ok();
    let pasted = fields.raw("pasted");
    let bytes = match (fields.file("file"), pasted.trim().is_empty()) {
        (Some(bytes), _) => bytes.clone(),
        (None, false) => axum::body::Bytes::copy_from_slice(pasted.as_bytes()),
        (None, true) => {
            let problems = Problems::none().and("file", "Choose a file, or paste rows below.");
            return Ok(wrong(&visit, &fields, &problems, None));
        }
    };
    let kind = kind_of(&bytes);
    let schedule = visit.app.schedule.clone();
    let reading = tokio::task::spawn_blocking(move || schedule.read(kind, &bytes, date));
    let read = reading.await.map_err(|_| crate::store::StoreError::Closed)?;
    let (valid, replace) = (fields.ticked("valid"), fields.ticked("replace"));
    let good = read.booked.len();
    match visit.app.schedule.import(&visit.caller, kind, read, valid, replace).await {
        Ok(done) => {
            // To the day that most rows are for: the first of the file.
            let day = done.dates.first().cloned().or(date.map(|date| date.to_string())).unwrap_or_default();
            let (added, changed, same) = (done.added, done.changed, done.same);
            let (vanished, left_out) = (done.vanished + done.removed, done.left_out);
            let to = format!(
                "/today?date={day}&added={added}&changed={changed}&same={same}&vanished={vanished}&left_out={left_out}"
            );
            Ok(Redirect::to(&to).into_response())
        }
        Err(NotImported::Problems(problems, count)) => {
            let list = html! {
                @if good > 0 { p { (good) " other rows are in order. Mend these, or tick “Leave out rows with problems”." } }
                div.table tabindex="0" role="region" aria-label="What is wrong" {
                    table {
                        caption.hidden { "What is wrong" }
                        thead { tr { th { "Where" } th { "What is wrong, and how to write it" } } }
                        tbody { @for problem in &problems { tr { td { (place(&problem.path)) } td { (problem.message) } } } }
                    }
                }
                @if count > problems.len() { p.soft { "The first " (problems.len()) " of " (count) "." } }
            };
            let said = Problems::said("Nothing was imported: some rows cannot be read.");
            Ok(wrong(&visit, &fields, &said, Some(list)))
        }
        Err(not_imported) => Err(Problem::from(not_imported).into()),
    }
}

/// What a file is, by how it begins: a bundle is JSON, what is pasted from a table has tabs in its first row.
fn kind_of(bytes: &[u8]) -> Kind {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match text.first() {
        Some(b'{') => Kind::Fhir,
        _ if first.contains(&b'\t') => Kind::Pasted,
        _ => Kind::Csv,
    }
}

/// `/rows/3/date_of_birth` as `Line 3, date of birth`.
fn place(path: &str) -> String {
    let mut steps = path.trim_start_matches('/').split('/');
    match (steps.next(), steps.next(), steps.next()) {
        (Some("rows"), Some(line), Some(field)) => format!("Line {line}, {}", field.replace('_', " ")),
        (Some("rows"), Some(line), None) => format!("Line {line}"),
        (Some("header"), _, _) => "First line".to_owned(),
        (Some("entry"), Some(entry), _) => format!("Entry {entry}"),
        _ => "The file".to_owned(),
    }
}

fn wrong(visit: &Visit, fields: &Fields, problems: &Problems, list: Option<Markup>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(visit, fields, problems, list)).into_response()
}

fn page(visit: &Visit, fields: &Fields, problems: &Problems, list: Option<Markup>) -> Markup {
    let body = html! {
        div.stack {
            (problems.summary())
            h1 { "Import a schedule" }
            @if let Some(list) = list { (list) }
            form.stack method="post" action="/schedule/import" enctype="multipart/form-data" {
                (csrf(visit))
                (file("file", "A file", "CSV as your practice system exports it, or a FHIR R4 Bundle of Appointment resources; up to 8 MB",
                    ".csv,.txt,.tsv,.json,text/csv,application/json", problems))
                (area("pasted", "Or rows, pasted from a table", Some("With the row that names the columns: date, time, patient (Last, First), date of birth, carrier, member ID …"),
                    false, fields, problems))
                (text("date", "Day of rows that name none").kind("date").size("short").show(fields, problems))
                (tick("valid", "Leave out rows with problems, take the others", fields))
                (tick("replace", "Take away appointments of these days that are no longer in the file (else they are kept and flagged)", fields))
                div.row { button.button.first type="submit" { "Import" } a.button href="/today" { "Back" } }
            }
            p.soft { "The same file again changes nothing. What you mended here at a patient stays, whatever the file says." }
        }
    };
    visit.page(Place::Today, "Import a schedule", body)
}
