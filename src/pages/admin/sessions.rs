//! Who is signed in, and their end.

use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};

use super::page;
use crate::api::{people, session};
use crate::identity::Scope;
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::Sent;
use crate::pages::frame::{self, csrf};
use crate::pages::parts::stamp::{ago, moment};
use crate::pages::parts::words::plain;
use crate::pages::visit::Visit;

/// `GET /admin/sessions`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    visit.need(Scope::Admin)?;
    let sessions = session::list(State(visit.app.clone()), visit.api()).await?.0.sessions;
    let people = people::list(State(visit.app.clone()), visit.api()).await?.0.people;
    let name =
        |id: &str| people.iter().find(|member| member.id == id).map_or(id, |member| member.name.as_str()).to_owned();
    let body = html! {
        (frame::said(said.said.as_deref()))
        h1 { "Who is signed in" }
        div.table { table.cards {
            thead { tr { th { "Who" } th { "Since" } th { "Last used" } th { "By" } th { "Ends at the latest" } th { span.hidden { "What to do" } } } }
            tbody { @for one in &sessions {
                tr data-row {
                    th scope="row" { (name(&one.person)) }
                    td data-label="Since" { (moment(one.created_at, &visit.zone())) }
                    td data-label="Last used" { (ago(one.seen_at)) }
                    td data-label="By" { (plain(one.level.word())) }
                    td data-label="Ends" { (moment(one.expires_at, &visit.zone())) }
                    td {
                        @if one.id == visit.session.id { span.soft { "this one" } } @else {
                            form method="post" action={ "/admin/sessions/" (one.id) "/end" } {
                                (csrf(&visit))
                                button.button.slim type="submit" { "End it" span.hidden { ": " (name(&one.person)) } }
                            }
                        }
                    }
                }
            } }
        } }
        p.soft { "A session ends by itself after fifteen minutes without use." }
    };
    Ok(page(&visit, "/admin/sessions", "Sessions", &body))
}

/// `POST /admin/sessions/{id}/end`
pub async fn end(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Admin)?;
    let _ = session::revoke(State(visit.app.clone()), visit.api(), Path(id)).await?;
    Ok(Redirect::to("/admin/sessions?said=ended"))
}
