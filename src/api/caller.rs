//! `Authorization: Bearer …` to a [`Caller`]. The only way a handler learns whose data it may touch.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use connector_sdk::Error;
use http::request::Parts;
use http::{StatusCode, header};

use super::App;
use super::problem::Problem;
use crate::identity::{AuthError, Caller, Scope};

/// The authenticated caller, as a handler's argument.
pub struct Authenticated(pub Arc<Caller>);

impl Authenticated {
    /// Refuses a caller whose key lacks `scope`.
    pub fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.may(scope) { Ok(()) } else { Err(Problem::lacks(scope.word())) }
    }
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match app.identity.authenticate(header).await {
            Ok(caller) => Ok(Self(Arc::new(caller))),
            Err(AuthError::Store(error)) => Err(Error::from(error).into()),
            Err(error @ (AuthError::Missing | AuthError::Unknown)) => {
                Err(Problem::new(StatusCode::UNAUTHORIZED, "Not signed in", error.to_string()))
            }
        }
    }
}
