//! The practice's logins at carriers: which there are, how they stand, who entered them. Never a value.

use axum::extract::State;
use jiff::Timestamp;
use maud::{Markup, html};

use super::page;
use crate::api::credentials;
use crate::identity::Scope;
use crate::pages::carrier_login::entered_by;
use crate::pages::carriers::ends;
use crate::pages::fault::Fault;
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::lists::empty;
use crate::pages::parts::stamp::{ago, moment};
use crate::pages::parts::words::{count, plain};
use crate::pages::visit::Visit;

/// `GET /admin/logins`
pub async fn show(visit: Visit) -> Result<Markup, Fault> {
    let list = credentials::list(State(visit.app.clone()), visit.api()).await?.0;
    let people = visit.app.identity.people(visit.caller.practice()).await?;
    let mut rows = Vec::with_capacity(list.credentials.len());
    for stored in list.credentials {
        let by = match visit.may(Scope::Trail) {
            true => entered_by(&visit, &stored.carrier).await?,
            false => None,
        };
        let name = |id: String| people.iter().find(|one| one.id == id).map_or(plain(&id), |one| one.name.clone());
        rows.push((stored, by.map(name)));
    }
    let book = visit.app.gateway.planes().book();
    let carrier = |id: &str| book.get(id).map_or_else(|| id.to_owned(), |carrier| carrier.name.clone());
    let body = html! {
        h1 { "Logins at carriers" }
        p.soft { "What was entered is sealed; nobody sees it again. A login is changed on its carrier’s page." }
        @for reminder in &list.reminders {
            p.note.look {
                strong { (carrier(&reminder.carrier)) }
                @if reminder.days_left < 0 || reminder.expires_at < Timestamp::now() { ": its login has ended." }
                @else { ": its login ends in " (count(reminder.days_left.unsigned_abs(), "day", "days")) "." }
            }
        }
        @if rows.is_empty() {
            (empty("The practice has entered no login yet.", html! { a.button href="/carriers" { "Choose a carrier" } }))
        } @else {
            div.table { table.cards {
                thead { tr { th { "Carrier" } th { "State" } th { "Ends" } th { "Last used" } th { "Entered" } th { "By" } } }
                tbody { @for (stored, by) in &rows {
                    tr data-row {
                        th scope="row" { a href={ "/carriers/" (stored.carrier) "#login" } { (carrier(&stored.carrier)) } }
                        td data-label="State" {
                            @match stored.state.as_str() {
                                "active" => { (badge(Tone::Good, shape::CHECK, "Active")) }
                                "verifying" => { (badge(Tone::Calm, shape::DOTS, "Being tried")) }
                                other => { (badge(Tone::Bad, shape::LOCK, &plain(other))) }
                            }
                            @if let Some(reason) = &stored.reason { " " span.small { (plain(reason)) } }
                        }
                        td data-label="Ends" { @match stored.expires_at { Some(at) => { (ends(&visit, at)) } None => { span.soft { "nobody has said" } } } }
                        td data-label="Last used" { @match stored.last_used_at { Some(at) => { (ago(at)) } None => { span.soft { "never" } } } }
                        td data-label="Entered" { (moment(stored.created_at, &visit.zone())) }
                        td data-label="By" { @match by { Some(by) => { (by) } None => { span.soft { "see the paper trail" } } } }
                    }
                } }
            } }
        }
    };
    Ok(page(&visit, "/admin/logins", "Logins", &body))
}
