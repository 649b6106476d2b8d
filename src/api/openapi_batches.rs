//! The batches' part of the OpenAPI document.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::openapi::{Route, json_body, reference};
use super::{batch_intake, batches};
use crate::batches::BatchView;

const ROOT: &str = "/v1/eligibility/batches";

/// The routes.
pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let batch = json_body(reference::<BatchView>(schemas));
    vec![
        Route {
            query: &[("accept", "`valid`: take the items that are in order, and list what is wrong with the others.")],
            headers: &[("Idempotency-Key", "1 to 200 characters of your own: sent again, the batch is made once.")],
            body: Some(reference::<batch_intake::BatchRequest>(schemas)),
            done: "202",
            ..Route::new(
                "post",
                ROOT,
                "Asks many eligibility questions in the background. Also takes \
                    `text/csv` with a header of these columns: carrier, ref, npi, tax_id, provider_name, taxonomy, \
                    member_id, first_name, last_name, suffix, date_of_birth, sex, group_number, dependent_first_name, \
                    dependent_last_name, dependent_date_of_birth, dependent_relationship, dependent_sex, service_date, \
                    service_from, service_to, service_types (divided by `;`), place, max_age_secs.",
                json_body(reference::<batches::BatchMade>(schemas)),
            )
        },
        Route::new("get", ROOT, "The practice's newest batches.", json_body(reference::<batches::BatchList>(schemas))),
        Route::new(
            "get",
            "/v1/eligibility/batches/{id}",
            "A batch, its progress, and for whom items wait.",
            batch.clone(),
        ),
        Route {
            query: &[
                ("after", "Items after this number."),
                ("limit", "Items at most: 100 unless told otherwise, 500 at most; as CSV all."),
                ("format", "`json`, or `csv` for a spreadsheet."),
            ],
            ..Route::new(
                "get",
                "/v1/eligibility/batches/{id}/items",
                "What came of the items, in their order.",
                items(schemas),
            )
        },
        Route::new(
            "get",
            "/v1/eligibility/batches/{id}/events",
            "Progress as server-sent events: `progress`, at last `ended`. `Last-Event-ID` goes on where a stream broke off.",
            json!({ "text/event-stream": { "schema": reference::<batches::Tidings>(schemas) } }),
        ),
        Route::new("post", "/v1/eligibility/batches/{id}/pause", "Asks no more for now.", batch.clone()),
        Route::new("post", "/v1/eligibility/batches/{id}/resume", "Goes on, in the caller's name.", batch.clone()),
        Route::new(
            "post",
            "/v1/eligibility/batches/{id}/cancel",
            "Asks no more for good; what was answered stays, questions under way end.",
            batch,
        ),
    ]
}

fn items(schemas: &mut SchemaGenerator) -> Value {
    let mut kinds = json_body(reference::<batches::ItemPage>(schemas));
    kinds["text/csv"] = json!({ "schema": { "type": "string" } });
    kinds
}
