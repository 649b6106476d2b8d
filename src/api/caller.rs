//! `Authorization: Bearer …` or a session's cookie to a [`Caller`]. The only way a handler learns whose data it may touch.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use connector_sdk::Error;
use http::request::Parts;
use http::{StatusCode, header};

use super::App;
use super::door::Door;
use super::problem::Problem;
use crate::identity::{AuthError, Caller, Scope, Session};

/// The authenticated caller, as a handler's argument.
pub struct Authenticated(pub Arc<Caller>);

impl Authenticated {
    /// Refuses a caller whose key or role lacks `scope`.
    pub fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.may(scope) { Ok(()) } else { Err(Problem::lacks(scope.word())) }
    }
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // A key goes first: no browser adds one by itself, so that nothing can be forged with it.
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            let HasSession { session, .. } = HasSession::from_request_parts(parts, app).await?;
            let caller = session.caller().ok_or(AuthError::NoSession)?;
            return Ok(Self(Arc::new(caller)));
        }
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Ok(Self(Arc::new(app.identity.authenticate(header).await?)))
    }
}

/// A session, complete or not, as a handler's argument: for the sign-in itself.
pub struct HasSession {
    pub session: Session,
    pub door: Door,
}

impl FromRequestParts<App> for HasSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let door = Door::of(parts, app);
        let cookie = door.session.as_deref().ok_or(AuthError::Missing)?;
        let session = app.identity.session(cookie).await?;
        door.own_page(|token| session.csrf_is(token))?;
        Ok(Self { session, door })
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => Error::from(error).into(),
            AuthError::Missing | AuthError::Unknown | AuthError::NoSession => {
                Self::new(StatusCode::UNAUTHORIZED, "Not signed in", error.to_string())
            }
        }
    }
}
