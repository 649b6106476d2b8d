//! When a page cannot be shown: what happened, whose side it is on, what to do now.

use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use http::{StatusCode, header};
use maud::{Markup, html};

use super::frame;
use crate::api::Problem;

/// A page that says why there is no page.
pub struct Fault {
    status: StatusCode,
    title: String,
    text: String,
    errors: Vec<FieldProblem>,
    wait: Option<u64>,
}

impl Fault {
    /// With this status, title and sentence.
    pub fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: text.into(), errors: Vec::new(), wait: None }
    }

    /// There is no such page, or not for this practice: the same words for both.
    pub fn not_found() -> Self {
        let text = "There is no such page here, or it belongs to another practice. Look for it from the menu.";
        Self::new(StatusCode::NOT_FOUND, "There is nothing here", text)
    }

    pub(super) fn not_ours() -> Self {
        let text = "This was not sent by a page of this gateway as it stands now, so nothing was done. Perhaps you signed in \
            again in another tab: go back, reload the page, and send it again.";
        Self::new(StatusCode::FORBIDDEN, "Nothing was done", text)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.http_status(),
            title: problem.title().to_owned(),
            text: problem.detail().to_owned(),
            errors: problem.errors().to_vec(),
            wait: problem.retry_after_secs(),
        }
    }
}

impl From<connector_sdk::Error> for Fault {
    fn from(error: connector_sdk::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<crate::store::StoreError> for Fault {
    fn from(error: crate::store::StoreError) -> Self {
        connector_sdk::Error::from(error).into()
    }
}

impl Fault {
    fn body(&self) -> Markup {
        html! {
            h1 { (self.title) }
            p.lead { (self.text) }
            @if !self.errors.is_empty() {
                ul { @for error in &self.errors { li { (error.message) } } }
            }
            @if let Some(secs) = self.wait { p { "It may be tried again in " (secs) " s." } }
            p.row { a.button.first href="/" { "To the first page" } a.button href="/sign-in" { "Sign in" } }
            p.soft.small { "Status " (self.status.as_u16()) ". Nothing that was stored before is lost." }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let page = frame::bare("Not possible", true, self.body());
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], page).into_response();
        if let Some(secs) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from(secs));
        }
        response
    }
}
