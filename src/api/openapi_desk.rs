//! The front desk's part of the OpenAPI document: patients and the schedule.

use schemars::SchemaGenerator;

use super::openapi::{Route, json_body, reference};
use super::patients;
use crate::patients::{Patient, PhoneWord, Phoned};

/// The routes.
pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let page = json_body(reference::<patients::PatientPage>(schemas));
    vec![
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
    ]
}
