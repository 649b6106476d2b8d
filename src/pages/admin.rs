//! Admin: who may what, the practice itself, logins, webhooks, carrier files.

pub mod connect;
pub mod files;
pub mod gone;
pub mod logins;
pub mod people;
pub mod practice;
pub mod roles;
pub mod sessions;
pub mod webhooks;

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::fault::Fault;
use super::frame::Place;
use super::visit::Visit;
use crate::identity::Scope;

/// The pages of Admin: word, address, what one must be allowed.
const TABS: [(&str, &str, Scope); 6] = [
    ("People", "/admin/people", Scope::Admin),
    ("Sessions", "/admin/sessions", Scope::Admin),
    ("Practice", "/admin/practice", Scope::Admin),
    ("Logins", "/admin/logins", Scope::Credentials),
    ("Webhooks", "/admin/webhooks", Scope::Admin),
    ("Carrier files", "/admin/carriers", Scope::Admin),
];

/// `GET /admin`: the first of its pages that one may see.
pub async fn first(visit: Visit) -> Result<Response, Fault> {
    match TABS.iter().find(|(.., scope)| visit.may(*scope)) {
        Some((_, address, _)) => Ok(Redirect::to(address).into_response()),
        None => Err(visit.need(Scope::Admin).err().unwrap_or_else(Fault::not_found)),
    }
}

/// A page of Admin. `here` is the address of its tab.
pub fn page(visit: &Visit, here: &str, title: &'static str, body: &Markup) -> Markup {
    let body = html! {
        div.stack {
            nav.tabs aria-label="Admin" {
                @for (word, address, scope) in TABS {
                    @if visit.may(scope) { a href=(address) aria-current=[(address == here).then_some("page")] { (word) } }
                }
            }
            (body)
        }
    };
    visit.page(Place::Admin, title, body)
}

/// What is shown once and never again: a key, an invitation, a secret. It stands in the answer to the form and nowhere
/// else, so that it cannot be read again by reloading an address.
pub fn once(what: &str, value: &str, after: &str, on: &str) -> Markup {
    html! {
        div.note.good.tight role="status" {
            h2 { (what) }
            p { "Shown " strong { "this once" } ". " (after) }
            p.row {
                code.number { (value) }
                button.button.slim.script-only type="button" data-copy=(value) aria-label={ "Copy: " (what) } { "Copy" }
            }
            p { a.button.first href=(on) { "I have it: go on" } }
        }
    }
}
