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
    /// The page looks again by itself after so many seconds, with scripts or without.
    again: Option<u64>,
    /// Whether there is anything to go on to.
    ways: bool,
}

/// How often a page that says that the vault is sealed looks again, seconds.
const LOOK_AGAIN_SECS: u64 = 10;

impl Fault {
    /// With this status, title and sentence.
    pub fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: text.into(), errors: Vec::new(), wait: None, again: None, ways: true }
    }

    /// There is no such page, or not for this practice: the same words for both.
    pub fn not_found() -> Self {
        let text = "There is no such page here, or it belongs to another practice. Look for it from the menu.";
        Self::new(StatusCode::NOT_FOUND, "There is nothing here", text)
    }

    /// The vault is sealed. `reads`: the page was only looked at, and looks again by itself; what was sent is not sent
    /// again by itself.
    pub(super) fn sealed(reads: bool) -> Self {
        let text = "Portico was started, or locked, and keeps everything shut until a person opens it: no patient can be shown, \
            no carrier is asked, and nothing is lost. Tell your administrator: whoever runs the gateway opens it on its \
            machine with the command portico vault unseal.";
        let more = match reads {
            true => "This page looks again by itself every 10 seconds; there is nothing to press.",
            false => {
                "What you just sent was not taken: when it is open again, go back in your browser and send it once more."
            }
        };
        let fault = Self::new(StatusCode::SERVICE_UNAVAILABLE, "The gateway is sealed", format!("{text} {more}"));
        Self { again: reads.then_some(LOOK_AGAIN_SECS), ways: false, ..fault }
    }

    /// Of a refusal of which nothing is known but its status.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (title, text) = match status {
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::UNAUTHORIZED => ("You are not signed in", "Sign in, then try again."),
            StatusCode::FORBIDDEN => ("Not permitted", "Your role does not allow this. Ask your administrator."),
            StatusCode::METHOD_NOT_ALLOWED => (
                "This page is reached otherwise",
                "Nothing was done. Go to it from the menu, or by the button that leads here.",
            ),
            StatusCode::REQUEST_TIMEOUT => {
                ("It came too slowly", "What you sent did not arrive in time. Go back and send it again.")
            }
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
                ("This is too large", "What you sent is larger than this page takes. Go back and send less at once.")
            }
            StatusCode::TOO_MANY_REQUESTS => {
                ("Too many at this moment", "Nothing was done. Wait a little, then try again.")
            }
            status if status.is_client_error() => (
                "This could not be read",
                "Something in the address, or in what was sent, is not as this page expects. Go back, or start from the menu.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "Not possible right now",
                "The gateway cannot do this at the moment. Nothing that was stored is lost; try again soon.",
            ),
            _ => (
                "The gateway made a mistake",
                "This is our fault, not yours. Nothing that was stored is lost. Look whether what you did is there before you do it \
                 again; if this comes back, tell your administrator when it happened.",
            ),
        };
        Self::new(status, title, text)
    }

    /// The same, to be tried again after so many seconds.
    pub(super) fn after(self, wait: Option<u64>) -> Self {
        Self { wait, ..self }
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
            again: None,
            ways: true,
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
            @if self.ways { p.row { a.button.first href="/" { "To the first page" } a.button href="/sign-in" { "Sign in" } } }
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
        if let Some(secs) = self.again {
            response.headers_mut().insert(header::REFRESH, http::HeaderValue::from(secs));
        }
        response
    }
}
