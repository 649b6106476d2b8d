//! The routes of carrier files, as the OpenAPI document shows them.

use schemars::SchemaGenerator;

use super::carrier_files::{Applied, CheckBody, Checked, FileView, PutFile, VersionList, VersionText};
use super::openapi::{Route, json_body, reference};

pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let file = json_body(reference::<FileView>(schemas));
    let checked = json_body(reference::<Checked>(schemas));
    let applied = json_body(reference::<Applied>(schemas));
    let versions = json_body(reference::<VersionList>(schemas));
    let version = json_body(reference::<VersionText>(schemas));
    vec![
        Route {
            body: Some(reference::<CheckBody>(schemas)),
            ..Route::new(
                "post",
                "/v1/carriers/check",
                "Everything that is wrong with a carrier file, with line and column; changes nothing (scope admin).",
                checked,
            )
        },
        Route::new("get", "/v1/carriers/{id}/file", "A carrier's file as it is now (scope admin).", file),
        Route {
            body: Some(reference::<PutFile>(schemas)),
            ..Route::new(
                "put",
                "/v1/carriers/{id}/file",
                "Puts a new text in force, or a new carrier, while the gateway runs; 409 when somebody changed it meanwhile (scope admin, where the gateway has one practice).",
                applied,
            )
        },
        Route::new(
            "get",
            "/v1/carriers/{id}/versions",
            "The texts that were in force before: who, when, why (scope admin).",
            versions,
        ),
        Route::new("get", "/v1/carriers/{id}/versions/{number}", "One of these texts (scope admin).", version),
    ]
}
