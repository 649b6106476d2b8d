//! The routes of carriers' health and of their files, as the OpenAPI document shows them.

use schemars::SchemaGenerator;

use super::carrier_files::{
    Applied, CheckBody, Checked, Depends, FileView, PutFile, RemoveBody, RemovedList, VersionList, VersionText,
};
use super::carrier_health::{HealthView, PauseBody, PauseChanged};
use super::openapi::{Route, json_body, reference};

pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let file = json_body(reference::<FileView>(schemas));
    let checked = json_body(reference::<Checked>(schemas));
    let applied = json_body(reference::<Applied>(schemas));
    let versions = json_body(reference::<VersionList>(schemas));
    let version = json_body(reference::<VersionText>(schemas));
    let health = json_body(reference::<HealthView>(schemas));
    let paused = json_body(reference::<PauseChanged>(schemas));
    let gone = json_body(reference::<Depends>(schemas));
    let removed = json_body(reference::<RemovedList>(schemas));
    vec![
        Route {
            body: Some(reference::<RemoveBody>(schemas)),
            ..Route::new(
                "post",
                "/v1/carriers/{id}/remove",
                "Takes a carrier's file away; its versions are kept. 409 while submissions or batches wait for it (scope admin, where the gateway has one practice).",
                gone,
            )
        },
        Route::new(
            "get",
            "/v1/carriers/removed",
            "Carriers whose files were taken away and whose versions are kept (scope admin).",
            removed,
        ),
        Route::new(
            "get",
            "/v1/carriers/{id}/health",
            "How a carrier did in the last day, counted from the practice's own questions; whose side failures are on; what waits (scope carriers).",
            health,
        ),
        Route {
            body: Some(reference::<PauseBody>(schemas)),
            ..Route::new(
                "put",
                "/v1/carriers/{id}/pause",
                "Asks this carrier nothing for the practice until somebody resumes it; saved answers are still given (scope resolve).",
                paused.clone(),
            )
        },
        Route::new(
            "post",
            "/v1/carriers/{id}/resume",
            "Lets the practice's questions go to the carrier again (scope resolve).",
            paused,
        ),
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
