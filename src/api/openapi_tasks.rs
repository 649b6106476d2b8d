//! The part of the document about tasks.

use schemars::SchemaGenerator;

use super::body::Done;
use super::openapi::{Route, json_body, reference};
use super::tasks::{AnswerBody, TaskList};
use crate::tasks::TaskView;

/// What waits for a person.
pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let task = json_body(reference::<TaskView>(schemas));
    vec![
        Route {
            query: &[
                ("state", "open or closed; both when left out."),
                ("kind", "second_factor_code, captcha, terms, password_change or other."),
                ("carrier", "Of this carrier."),
                ("limit", "Tasks at most, newest first."),
            ],
            ..Route::new(
                "get",
                "/v1/tasks",
                "What waits for a person: what carriers ask, submissions whose fate nobody knows, credentials that end (scope ask).",
                json_body(reference::<TaskList>(schemas)),
            )
        },
        Route::new(
            "get",
            "/v1/tasks/{id}",
            "One task that a carrier has raised, with its countdown and its picture (scope ask).",
            task.clone(),
        ),
        Route {
            body: Some(reference::<AnswerBody>(schemas)),
            ..Route::new(
                "post",
                "/v1/tasks/{id}/answer",
                "Answers a task: the first answer wins, and is stored nowhere (scope resolve, and credentials for terms and new passwords).",
                task.clone(),
            )
        },
        Route::new(
            "post",
            "/v1/tasks/{id}/dismiss",
            "Says that nobody will answer a task (scopes as for an answer).",
            task,
        ),
        Route {
            done: "202",
            ..Route::new(
                "post",
                "/v1/tasks/{id}/again",
                "Somebody is there now: starts the sign-in again that nobody answered; a new task comes (scopes as for an answer).",
                json_body(reference::<Done>(schemas)),
            )
        },
    ]
}
