//! A request's body, within bounds of bytes and time, and what is wrong with it.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::App;
use super::problem::Problem;
use crate::carriers::schema;

/// A client that drips its body for longer is let go: a connection is a bounded good.
const WITHIN: Duration = Duration::from_secs(30);

/// The whole body, as a handler's argument.
pub struct Body(pub Bytes);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        match tokio::time::timeout(WITHIN, Bytes::from_request(request, app)).await {
            Ok(read) => Ok(Self(read?)),
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "The body came too slowly",
                "The request's body was not there within 30 seconds; send it again.",
            )),
        }
    }
}

/// Answer of what has nothing else to say.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    /// Always `true`.
    done: bool,
}

impl Done {
    /// It was done.
    pub const DONE: Self = Self { done: true };
}

/// Why somebody does something, where it was said, in at most so many characters.
///
/// # Errors
/// That it must be said, at `/reason`.
pub(super) fn said_why(reason: &str, most: usize) -> Result<&str, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > most {
        let message = format!("Say in a few words why, at most {most} characters.");
        return Err(Problem::fields(vec![FieldProblem::new("/reason", message)]));
    }
    Ok(reason)
}

/// Reads a JSON body.
///
/// # Errors
/// 400 when it is not JSON, else 422 with everything that is wrong with its shape; no message repeats a value.
pub fn read<T: DeserializeOwned + JsonSchema>(body: &[u8]) -> Result<T, Problem> {
    // Straight into the value: a body that is in order may hold secrets, which no second copy should.
    let error = match serde_json::from_slice(body) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| Problem::not_json(&error))?;
    let mut problems = schema::check_json(&schemars::schema_for!(T).to_value(), &value);
    if problems.is_empty() {
        let message = format!("This cannot be read; it ends at line {}, column {}.", error.line(), error.column());
        problems.push(FieldProblem::new("/", message));
    }
    Err(Problem::fields(problems))
}
