//! The day's list: what needs a person first, then by time.

use maud::{Markup, html};

use super::{Asked, address};
use crate::pages::parts::badge::standing;
use crate::pages::parts::stamp::{ago, day};
use crate::patients::Badge;
use crate::schedule::{DayView, Next, RowView};

/// The table, `page` rows of it.
pub fn table(view: &DayView, asked: &Asked, page: usize) -> Markup {
    let fits = |row: &&RowView| {
        asked.badge().is_none_or(|badge| row.badge == badge && !row.vanished) && (!asked.needs_you() || row.needs_you)
    };
    let all: Vec<&RowView> = view.rows.iter().filter(fits).collect();
    let from = asked.from.unwrap_or(0).min(all.len());
    let shown = all.get(from..(from + page).min(all.len())).unwrap_or_default();
    // With how many there are in all, on other pages too.
    let of = |which: fn(&RowView) -> bool| {
        let here: Vec<&RowView> = shown.iter().filter(|row| which(row)).copied().collect();
        (here, all.iter().filter(|row| which(row)).count())
    };
    let groups = [
        ("Needs you", of(|row| row.needs_you && !row.vanished)),
        ("Rest of the day", of(|row| !row.needs_you && !row.vanished)),
        ("No longer in the file that was imported", of(|row| row.vanished)),
    ];
    html! {
        @if all.is_empty() { p.soft { "No appointment stands like this." } }
        @else {
            div.table {
                table.cards {
                    caption.hidden { "Appointments" }
                    thead {
                        tr {
                            th { span.hidden { "Tick" } } th { "Time" } th { "Patient" } th { "Carrier" } th { "Coverage" }
                            th.amount { "Collect" } th { "Do next" }
                        }
                    }
                    @for (name, (rows, count)) in groups.iter().filter(|(_, (rows, _))| !rows.is_empty()) {
                        tbody {
                            tr.group { th colspan="7" scope="rowgroup" { (name) " (" (count) ")" } }
                            @for row in rows { (line(row)) }
                        }
                    }
                }
            }
            (pages(view, asked, (from, shown.len(), all.len()), page))
        }
    }
}

fn pages(view: &DayView, asked: &Asked, (from, shown, all): (usize, usize, usize), page: usize) -> Markup {
    html! {
        @if all > page {
            nav.row aria-label="Pages of the list" {
                span.soft { (from + 1) "–" (from + shown) " of " (all) }
                @if from > 0 {
                    a.button.slim href=(address(view, asked.show.as_deref(), Some(from.saturating_sub(page)))) { "Earlier" }
                }
                @if from + shown < all {
                    a.button.slim href=(address(view, asked.show.as_deref(), Some(from + page))) { "More" }
                }
            }
        }
    }
}

fn line(row: &RowView) -> Markup {
    let name = format!("{}, {}", row.patient.last_name.text(), row.patient.first_name.text());
    let time = row.time.map(|time| time.strftime("%H:%M").to_string());
    html! {
        tr id={ "row-" (row.id) } data-row data-problem[row.needs_you] {
            td {
                @if !row.vanished {
                    input.tick type="checkbox" name="id" value=(row.id) form="verify" aria-label={ "Tick " (name) };
                }
            }
            td data-label="Time" { @if let Some(time) = &time { time { (time) } } @else { span.soft { "no time" } } }
            td data-label="Patient" {
                div {
                    a href={ "/patients/" (row.patient.id) } { (name) @if let Some(suffix) = &row.patient.suffix { " " (suffix.text()) } }
                    div.soft.small {
                        (day(*row.patient.date_of_birth.expose()))
                        @if let Some(kind) = &row.visit_type { " · " (kind.text()) }
                        @if let Some(provider) = &row.provider { " · " (provider) }
                        @if row.by_hand || row.vanished {
                            " · " a href={ "/today/appointments/" (row.id) } {
                                @if row.by_hand { "added here: correct" } @else { "take it off" }
                                span.hidden { ", " (name) }
                            }
                        }
                    }
                }
            }
            td data-label="Carrier" {
                div {
                    @if let Some(carrier) = &row.carrier_name { (carrier) } @else { span.soft { "not named" } }
                    @if let Some(ending) = &row.member_id_ending { div.soft.small.number { "ID …" (ending.text()) } }
                }
            }
            td data-label="Coverage" { (coverage(row)) }
            td.amount data-label="Collect" {
                @if let Some(amount) = row.collect { span title="Copay that the carrier states" { "$" (amount) } } @else { "–" }
            }
            td data-label="Do next" { (next(row)) }
        }
    }
}

/// Badge, how old the word is, and why.
fn coverage(row: &RowView) -> Markup {
    let badge = standing(row.badge);
    let standing = row.standing.as_ref();
    let own = standing.filter(|standing| standing.badge == row.badge);
    let ask = own.and_then(|standing| standing.ask.as_deref());
    html! {
        div {
            @if let Some(ask) = ask { a.plain href={ "/checks/" (ask) } { (badge) } } @else { (badge) }
            @if let Some(at) = own.and_then(|standing| standing.as_of) {
                " " span.soft.small { (ago(at)) @if !row.fresh { ", ask again" } }
            }
            @if row.badge == Badge::VerifiedByPhone
                && let Some(call) = standing.and_then(|standing| standing.by_phone.as_ref()) {
                div.soft.small { (call.who.text()) @if let Some(number) = &call.reference { " · reference " (number.text()) } }
            }
            @if row.needs_you && let Some(text) = own.and_then(|standing| standing.text.as_ref()) {
                div.small { (text) }
            }
            // What is known stays in sight, whatever came after it.
            @if let Some(known) = standing.filter(|standing| standing.badge.is_word() && standing.badge != row.badge) {
                div.soft.small {
                    "Before that: " (known.badge.label())
                    @if let Some(at) = known.as_of { ", " (ago(at)) }
                    @if let Some(ask) = &known.ask { " · " a href={ "/checks/" (ask) } { "see it" } }
                }
            }
            @if let Some(tried) = own.filter(|own| own.badge.is_word()).and_then(|own| own.tried.as_ref()) {
                div.soft.small { "Asked again " (ago(tried.at)) ": " (tried.badge.label()) }
            }
            @if let Some(until) = row.until { div.soft.small { "until " (until.strftime("%H:%M UTC").to_string()) } }
        }
    }
}

/// The one thing to do, as a link where there is a place for it.
fn next(row: &RowView) -> Markup {
    let ask = row.standing.as_ref().and_then(|standing| standing.ask.clone());
    let answer = ask.map(|ask| format!("/checks/{ask}"));
    let patient = format!("/patients/{}", row.patient.id);
    let check = format!("/check?patient={}", row.patient.id);
    let (text, to) = match row.next {
        _ if row.vanished => ("Ask whether they come", None),
        Next::Nothing => ("–", None),
        Next::Wait if row.badge == Badge::Waiting => ("–", None),
        Next::Wait => ("Nothing: it is asked again by itself", None),
        Next::Verify => ("Ask", Some(check)),
        Next::FixDateOfBirth => ("Fix date of birth ›", answer.or(Some(patient))),
        Next::FixMemberId => ("Fix member ID ›", answer.or(Some(patient))),
        Next::FixName => ("Fix name ›", answer.or(Some(patient))),
        Next::FixDetails => ("Compare with the card ›", answer.or(Some(patient))),
        Next::AskForCard => ("Ask for the new card ›", Some(patient)),
        Next::ReadAlerts => ("Read the alerts ›", answer),
        Next::StartAuthorization => ("Needs authorization ›", answer),
        Next::ChooseCarrier => ("Choose the carrier ›", Some(format!("{patient}#edit"))),
        Next::AddNpi => ("Add the NPI in Admin", None),
        Next::MendLogin => ("Mend the carrier's login ›", Some("/carriers".to_owned())),
        Next::Phone => ("Phone the carrier ›", Some(format!("{patient}#phone"))),
    };
    html! { @if let Some(to) = to { a href=(to) data-next { (text) } } @else { span.soft { (text) } } }
}
