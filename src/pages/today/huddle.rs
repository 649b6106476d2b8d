//! The sheet for the morning: on paper, with as little of each patient as will do.

use axum::extract::Query;
use maud::{Markup, html};

use super::{Asked, filters, narrowed};
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::frame::Place;
use crate::pages::parts::stamp::weekday;
use crate::pages::visit::Visit;

/// Query of `GET /today/huddle`.
#[derive(serde::Deserialize)]
pub struct Which {
    date: Option<String>,
    /// `initials`: no names.
    names: Option<String>,
    /// Codes, as on Today.
    provider: Option<String>,
    location: Option<String>,
}

/// `GET /today/huddle`
pub async fn show(visit: Visit, Query(which): Query<Which>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let asked = Asked {
        date: which.date.clone(),
        provider: which.provider.clone(),
        location: which.location.clone(),
        ..Asked::default()
    };
    let date = asked.day(&visit);
    let initials = which.names.as_deref() == Some("initials");
    let day = visit.app.schedule.day(&visit.caller, date, &asked.only()).await?;
    let same = narrowed(&day.only);
    let first = |text: &str| text.chars().next().map(|letter| format!("{letter}.")).unwrap_or_default();
    let mut rows: Vec<_> = day.rows.iter().filter(|row| !row.vanished).collect();
    rows.sort_by_key(|row| (row.time.is_none(), row.time));
    let body = html! {
        div.stack.broad-sheet {
            div.head {
                h1 { "Huddle, " (weekday(date)) @for name in filters::words(&day) { " · " (name) } }
                div.row.no-print {
                    button.button.first.script-only type="button" data-print { "Print" }
                    @if initials { a.button href={ "/today/huddle?date=" (date) (same) } { "With names" } }
                    @else { a.button href={ "/today/huddle?names=initials&date=" (date) (same) } { "Initials only" } }
                    a.button href={ "/today?date=" (date) (same) } { "Back" }
                }
            }
            p { (day.appointments) " appointments" @for (word, n) in &day.counters { " · " (n) " " (word.replace('_', " ")) } }
            div.table tabindex="0" role="region" aria-label="Appointments" {
                table {
                    thead { tr { th { "Time" } th { "Patient" } th { "Visit" } th { "Carrier" } th { "Coverage" } th.amount { "Collect" } th { "Look at" } } }
                    tbody {
                        @for row in rows {
                            @let (last, given) = (row.patient.last_name.text(), row.patient.first_name.text());
                            tr {
                                td { (row.time.map(|time| time.strftime("%H:%M").to_string()).unwrap_or_default()) }
                                td { @if initials { (first(given)) " " (first(last)) } @else { (last) ", " (first(given)) } }
                                td { @if let Some(kind) = &row.visit_type { (kind.text()) } }
                                td { (row.carrier_name.as_deref().unwrap_or("not named")) }
                                td { (row.badge.shape()) " " (row.badge.label()) }
                                td.amount { @if let Some(amount) = row.collect { "$" (amount) } }
                                td { @if row.needs_you { (crate::pages::parts::words::plain(row.next.word())) } }
                            }
                        }
                    }
                }
            }
            p.soft.small { "Contains patient information: shred it after the huddle. Copays are what carriers state; no guarantee of payment." }
        }
    };
    Ok(visit.page(Place::Today, "Huddle", body))
}
