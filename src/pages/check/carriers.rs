//! The carrier that is meant: found by whatever is printed on the card, typing errors forgiven, chosen by a press.

use std::sync::Arc;

use axum::extract::Query;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::carriers::form::in_words;
use crate::carriers::{Carrier, Hit};
use crate::gateway::Plane;
use crate::identity::Scope;
use crate::pages::carrier_health;
use crate::pages::fault::Fault;
use crate::pages::fields::Fields;
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::field::text;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::moment;
use crate::pages::visit::Visit;
use crate::stack::BreakerState;
use crate::vault;

/// Carriers offered at once.
const OFFERED_MAX: usize = 8;
/// The box that is searched by.
pub const SEARCHED: &str = "carrier_search";

/// What is searched by.
#[derive(Deserialize)]
pub struct Searched {
    /// As it was typed.
    #[serde(default)]
    carrier_search: String,
}

/// `GET /check/carriers`: the list under the box, for the page's script. A carrier's name is no patient's.
pub async fn part(visit: Visit, Query(searched): Query<Searched>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    Ok(options(&visit, &searched.carrier_search))
}

/// The carrier of this id, with everything assembled for it.
pub fn plane(visit: &Visit, id: &str) -> Option<Plane> {
    visit.app.gateway.planes().get(id)
}

/// The only carrier that is called exactly so.
pub fn exactly(visit: &Visit, text: &str) -> Option<String> {
    let wanted = text.trim();
    let found = visit.app.gateway.planes().book().snapshot();
    let mut hits = found.carriers.values().filter(|carrier| carrier.name.eq_ignore_ascii_case(wanted));
    let first = hits.next().filter(|_| !wanted.is_empty())?;
    hits.next().is_none().then(|| first.id.clone())
}

/// The box, and the carriers that fit what is in it. Each is a button of the form: what else was typed is not lost.
pub fn picker(visit: &Visit, fields: &Fields, problems: &Problems, focus: bool) -> Markup {
    let mut field = text(SEARCHED, "Carrier").hint("Name, plan, or payer ID, as on the card").kind("search");
    if focus {
        field = field.focus();
    }
    html! {
        div.carrier-search.tight hx-get="/check/carriers" hx-trigger="input delay:150ms" hx-include="#f-carrier_search"
            hx-target="#carriers" hx-swap="innerHTML" {
            (field.show(fields, problems))
            button.button.no-script type="submit" formaction="/check/carrier" formnovalidate { "Find carrier" }
        }
        div #carriers { (options(visit, fields.raw(SEARCHED))) }
    }
}

fn options(visit: &Visit, query: &str) -> Markup {
    let found = visit.app.gateway.planes().book().snapshot();
    let hits: Vec<(Hit, Arc<Carrier>)> = found
        .search(query, OFFERED_MAX)
        .into_iter()
        .filter_map(|hit| found.carriers.get(&hit.id).cloned().map(|carrier| (hit, carrier)))
        .collect();
    html! {
        @if hits.is_empty() {
            p.note.calm role="status" { "No carrier here is called so. Try the plan’s name, or the payer ID from the back of the card." }
        } @else {
            p.hidden role="status" { (hits.len()) " carriers" }
            div.options role="group" aria-label="Carriers" {
                @for (hit, carrier) in &hits {
                    button type="submit" name="carrier" value=(carrier.id) formaction="/check/carrier" formnovalidate {
                        strong { (carrier.name) }
                        span.soft.small {
                            @if hit.matched != carrier.name && !query.trim().is_empty() { "found by " (hit.matched) " · " }
                            @if carrier.plan_names.is_empty() { (carrier.payer_ids.join(", ")) } @else { (carrier.plan_names.join(", ")) }
                        }
                    }
                }
            }
        }
    }
}

/// The chosen carrier: how it is, and what it needs.
pub fn chosen(visit: &Visit, plane: &Plane) -> Markup {
    let carrier = &plane.carrier;
    html! {
        div.card.tight {
            div.row.ends {
                p { span.kind { "Carrier " } strong { (carrier.name) } " " (state(visit, plane)) }
                button.button.slim type="submit" formaction="/check/carrier" name="carrier" value="" formnovalidate { "Change carrier" }
            }
            p { (needs(carrier)) }
            @if let Some(days) = window(carrier) { p.soft { (days) } }
            @if no_login(visit, carrier) {
                p.note.look { "Your practice has no login for this carrier stored, so a live question will fail. An administrator enters it under Admin." }
            }
        }
    }
}

fn state(visit: &Visit, plane: &Plane) -> Markup {
    if visit.app.gateway.planes().paused(visit.caller.practice(), &plane.carrier.id).is_some() {
        return carrier_health::paused_badge();
    }
    if let Some(until) = plane.carrier.hours.closed_until(Timestamp::now()) {
        return html! { (badge(Tone::Look, shape::CLOCK, "Closed")) " until " (moment(until, &visit.zone())) };
    }
    match plane.circuit() {
        BreakerState::Closed => badge(Tone::Good, shape::CHECK, "Up"),
        BreakerState::Probation => badge(Tone::Look, shape::BOLT, "Was down, being tried"),
        BreakerState::Open => badge(Tone::Look, shape::BOLT, "Down, left alone for a moment"),
    }
}

/// What the carrier finds a member by, in a sentence.
pub fn needs(carrier: &Carrier) -> String {
    let sets: Vec<String> =
        carrier.form.accepts.iter().map(|set| in_words(set).replace("member id", "member ID")).collect();
    match sets.as_slice() {
        [] => "This carrier takes whatever is known of the member.".to_owned(),
        [only] => format!("Needs {only}. Nothing else of the member is sent."),
        [first, rest @ ..] => {
            format!("Needs {first}; or else {}. Only the first of these that is complete is sent.", rest.join("; or "))
        }
    }
}

fn window(carrier: &Carrier) -> Option<String> {
    let back = carrier.form.service_date.back_months.map(|months| format!("{months} months back"));
    let ahead = carrier.form.service_date.forward_months.map(|months| match months {
        0 => "no days to come".to_owned(),
        months => format!("{months} months ahead"),
    });
    let said: Vec<String> = [back, ahead].into_iter().flatten().collect();
    (!said.is_empty()).then(|| format!("Answers for service dates: {}.", said.join(", ")))
}

fn no_login(visit: &Visit, carrier: &Carrier) -> bool {
    let owner = vault::owner(visit.caller.practice(), carrier);
    !carrier.credential_fields().is_empty() && visit.app.vault.info(&owner, &carrier.id).is_none()
}

/// Whether a field of the member is sent to this carrier at all.
pub fn takes(carrier: &Carrier, field: &str) -> bool {
    let sets = &carrier.form.accepts;
    sets.is_empty() || sets.iter().flatten().any(|name| name == field)
}
