//! A request's body, within bounds of bytes and time.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;

use super::App;
use super::problem::Problem;

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
