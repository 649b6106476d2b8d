//! What was typed into a form whose session has ended meanwhile. A browser forgets a form of a page that must not be kept
//! (none of ours may be), so the page that says it carries what was typed, to be sent again after signing in.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};

use super::fields::{CSRF, Fields};
use super::frame;

/// Where people type at length. Forms elsewhere hold passwords and logins, which no page repeats.
const KEPT: [&str; 6] = ["/today/", "/patients/", "/check", "/schedule/", "/batches", "/trail/"];

/// Whether what was typed at this address may come back in a page.
pub fn is_kept(path: &str) -> bool {
    KEPT.iter().any(|start| path.starts_with(start))
}

/// The session has ended; what was sent to `path` is kept on the page.
pub fn signed_out(path: &str, fields: &Fields) -> Response {
    let body = html! {
        h1 { "Your session has ended" }
        p.lead { "Nothing was done yet, and what you typed is kept on this page." }
        ol.suspects {
            li { a.button.first href="/sign-in" target="_blank" rel="noopener" { "Sign in, in a new tab" } }
            li { "Come back to this tab and go on." (form(path, fields, None, "I have signed in: go on")) }
        }
    };
    response(StatusCode::UNAUTHORIZED, body)
}

/// The page was made for an earlier session of the same browser. One press of a person sends it in the present one.
pub fn signed_in_again(path: &str, fields: &Fields, csrf: &str) -> Response {
    let body = html! {
        h1 { "You have signed in again meanwhile" }
        p.lead { "So nothing was done yet. What you typed is kept on this page: send it now, if you still want it." }
        (form(path, fields, Some(csrf), "Send it"))
    };
    response(StatusCode::FORBIDDEN, body)
}

fn form(path: &str, fields: &Fields, csrf: Option<&str>, press: &str) -> Markup {
    html! {
        form.stack method="post" action=(path) {
            @if let Some(csrf) = csrf { input type="hidden" name=(CSRF) value=(csrf); }
            @for (name, value) in fields.pairs().filter(|(name, _)| *name != CSRF) {
                input type="hidden" name=(name) value=(value);
            }
            @if fields.has_files() { p { "A file is not kept: choose it again on the page that comes." } }
            div.row { button.button.first[csrf.is_some()] type="submit" { (press) } a.button href="/" { "Drop it" } }
        }
    }
}

fn response(status: StatusCode, body: Markup) -> Response {
    (status, frame::bare("Not sent yet", true, body)).into_response()
}
