//! The front desk's part of the OpenAPI document: patients and the schedule.

use schemars::SchemaGenerator;

use super::openapi::{Route, json_body, reference};
use super::{patients, schedule};
use crate::patients::{Patient, PhoneWord, Phoned};
use crate::schedule::{Appointment, DayView, Imported};

/// The routes.
pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let page = json_body(reference::<patients::PatientPage>(schemas));
    let mut all = by_hand(schemas);
    all.extend([
        Route {
            body: Some(reference::<patients::PatientSearch>(schemas)),
            ..Route::new(
                "post",
                "/v1/patients/search",
                "Finds patients by what somebody types at the desk; tells what fitted and what each carrier last said.",
                json_body(reference::<patients::PatientsFound>(schemas)),
            )
        },
        Route {
            body: Some(reference::<Patient>(schemas)),
            done: "201",
            ..Route::new("post", "/v1/patients", "Enters a patient.", page.clone())
        },
        Route::new("get", "/v1/patients/{id}", "A patient, and what each carrier last said.", page.clone()),
        Route {
            body: Some(reference::<patients::PatientChange>(schemas)),
            ..Route::new(
                "put",
                "/v1/patients/{id}",
                "Changes a patient. Where somebody else did meanwhile: 409 with `current` and `yours`; nothing is lost.",
                page,
            )
        },
        Route::new(
            "get",
            "/v1/patients/{id}/answers",
            "Everything that was asked about a patient, and what was said on the phone.",
            json_body(reference::<patients::PastList>(schemas)),
        ),
        Route {
            body: Some(reference::<PhoneWord>(schemas)),
            done: "201",
            ..Route::new(
                "post",
                "/v1/patients/{id}/phone-verifications",
                "Writes down what a carrier said on the phone: who said it, and under which reference.",
                json_body(reference::<Phoned>(schemas)),
            )
        },
        Route {
            query: &[
                ("date", "The day, `YYYY-MM-DD`; today where it is left out."),
                ("format", "`json`, or `csv` for a spreadsheet."),
                ("provider", "Only this provider's appointments: a code of the day's `providers`."),
                ("location", "Only appointments at this place: a code of the day's `locations`."),
            ],
            ..Route::new(
                "get",
                "/v1/schedule",
                "A day's appointments: where each stands, what needs a person first, and counters.",
                day(schemas),
            )
        },
        Route {
            query: &[
                ("date", "The day of rows that name none."),
                ("accept", "`valid`: take the rows that are in order, and list what is wrong with the others."),
                ("replace", "`true`: what is no longer in the file is taken away; else it is kept and flagged."),
            ],
            ..Route::new(
                "post",
                "/v1/schedule/import",
                "Takes a schedule in: `text/csv` or `text/tab-separated-values` with a header as practice systems write \
                    it (date, time, patient, date_of_birth, carrier, member_id …), or `application/fhir+json`, a FHIR \
                    R4 Bundle of Appointment resources with what they refer to. The same file again changes nothing.",
                json_body(reference::<Imported>(schemas)),
            )
        },
        Route {
            body: Some(reference::<schedule::VerifyRequest>(schemas)),
            also: &[("202", "A batch was started; `Location` is its address.")],
            ..Route::new(
                "post",
                "/v1/schedule/verify",
                "Asks the carriers about a day's appointments that are not fresh, in one batch.",
                json_body(reference::<schedule::VerifyStarted>(schemas)),
            )
        },
    ]);
    all
}

/// Appointments that somebody adds.
fn by_hand(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let one = json_body(reference::<Appointment>(schemas));
    vec![
        Route {
            body: Some(reference::<schedule::AppointmentNew>(schemas)),
            done: "201",
            ..Route::new(
                "post",
                "/v1/schedule/appointments",
                "Adds an appointment by hand: of a patient who is known here. No import flags it as vanished; the file that \
                    brings the same patient at the same time takes its place.",
                one.clone(),
            )
        },
        Route::new("get", "/v1/schedule/appointments/{id}", "One appointment.", one.clone()),
        Route {
            body: Some(reference::<schedule::AppointmentChange>(schemas)),
            ..Route::new(
                "put",
                "/v1/schedule/appointments/{id}",
                "Corrects an appointment that was added by hand. 409 where somebody else did meanwhile, or where it came \
                    from a file: that is mended in the practice's own system.",
                one,
            )
        },
        Route {
            done: "204",
            ..Route::new(
                "delete",
                "/v1/schedule/appointments/{id}",
                "Takes an appointment off its day: one that was added by hand, or one that vanished from its file.",
                serde_json::json!({}),
            )
        },
    ]
}

fn day(schemas: &mut SchemaGenerator) -> serde_json::Value {
    let mut kinds = json_body(reference::<DayView>(schemas));
    kinds["text/csv"] = serde_json::json!({ "schema": { "type": "string" } });
    kinds
}
