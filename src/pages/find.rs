//! The box at the top of every page: a patient by name, date of birth, member ID, telephone or the practice's own number.
//! Nothing of what was typed stands in an address.

use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::Phi;
use maud::{Markup, html};

use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{Place, csrf};
use super::parts::badge::standing;
use super::parts::field::text;
use super::parts::lists::empty;
use super::parts::problems::Problems;
use super::parts::stamp::{ago, day};
use super::visit::Visit;
use crate::identity::Scope;
use crate::patients::{Found, Matched, QUERY_CHARS_MAX, Standing};

/// Patients shown at most.
const SHOWN_MAX: usize = 12;

/// `GET /find`: to where a new one is typed in; the search itself is sent, never addressed.
pub async fn show() -> Redirect {
    Redirect::to("/check")
}

/// `POST /find`: one patient with a saved answer is opened at once, several are listed.
pub async fn find(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let query: String = fields.get("q").chars().take(QUERY_CHARS_MAX).collect();
    if query.is_empty() {
        return Ok(Redirect::to("/check").into_response());
    }
    let today = visit.app.gateway.today();
    let found = visit.app.patients.search(&visit.caller, &query, today, SHOWN_MAX).await?;
    if let [only] = found.as_slice() {
        let saved = only.standings.iter().find_map(|standing| standing.ask.as_deref());
        let to = match saved {
            Some(ask) => format!("/checks/{ask}"),
            None => format!("/check?patient={}", only.patient.id),
        };
        return Ok(Redirect::to(&to).into_response());
    }
    Ok(page(&visit, &fields, &found).into_response())
}

fn page(visit: &Visit, fields: &Fields, found: &[Found]) -> Markup {
    let body = html! {
        div.stack {
            h1 { "Find a patient" }
            form.row.bottoms role="search" method="post" action="/find" aria-label="Search again" {
                (csrf(visit))
                (text("q", "Name, date of birth, member ID, telephone or your own number").kind("search").show(fields, &Problems::none()))
                button.button type="submit" { "Find" }
            }
            @if found.is_empty() {
                (empty("Nobody here fits that.", html! { a.button.first href="/check" { "Check somebody new" } }))
            } @else {
                p role="status" { (found.len()) " patients fit, the likeliest first." }
                div.table {
                    table.cards {
                        thead { tr { th { "Patient" } th { "Born" } th { "Fits by" } th { "Coverage" } th { span.hidden { "What to do" } } } }
                        tbody { @for one in found { (row(visit, one)) } }
                    }
                }
                p { a href="/check" { "None of them: check somebody new" } }
            }
        }
    };
    visit.page(Place::Check, "Find a patient", body)
}

fn row(visit: &Visit, found: &Found) -> Markup {
    let patient = &found.patient.patient;
    let fits: Vec<&str> = found.matched.iter().copied().map(words).collect();
    html! {
        tr data-row {
            th scope="row" {
                a href={ "/patients/" (found.patient.id) } { (patient.last_name.text()) ", " (patient.first_name.text()) }
                @if let Some(suffix) = &patient.suffix { " " (suffix.text()) }
            }
            td data-label="Born" { (day(*patient.date_of_birth.expose())) }
            td data-label="Fits by" { (fits.join(", ")) }
            td data-label="Coverage" {
                @if found.standings.is_empty() { span.soft { "no carrier known" } }
                @for one in &found.standings { div.row { (last_word(visit, found, one)) } }
            }
            td { a.button.slim href={ "/check?patient=" (found.patient.id) } { "Check coverage" } }
        }
    }
}

fn last_word(visit: &Visit, found: &Found, one: &Standing) -> Markup {
    let coverage = found.patient.patient.coverage(Some(&one.carrier));
    // As much of the member ID as tells two cards apart.
    let ending = coverage.and_then(|own| own.member_id.as_ref()).map(ending);
    html! {
        span { (visit.carrier_name(&one.carrier)) @if let Some(ending) = ending { span.soft { " ID …" (ending) } } }
        @match &one.ask { Some(ask) => { a href={ "/checks/" (ask) } { (standing(one.badge)) } }, None => { (standing(one.badge)) } }
        @if let Some(at) = one.as_of { span.stamp { (ago(at)) } }
    }
}

fn ending(id: &Phi<String>) -> String {
    let letters: Vec<char> = id.text().chars().collect();
    letters[letters.len().saturating_sub(4)..].iter().collect()
}

fn words(matched: Matched) -> &'static str {
    match matched {
        Matched::LastName => "last name",
        Matched::FirstName => "first name",
        Matched::NamesSwapped => "names the other way round",
        Matched::SimilarName => "a similar name",
        Matched::DateOfBirth => "date of birth",
        Matched::DayAndMonthSwapped => "day and month swapped",
        Matched::DateOfBirthNearly => "a similar date of birth",
        Matched::MemberId => "member ID",
        Matched::MemberIdEnding => "end of the member ID",
        Matched::MemberIdNearly => "a similar member ID",
        Matched::Phone => "telephone",
        Matched::Mrn => "your own number",
    }
}
