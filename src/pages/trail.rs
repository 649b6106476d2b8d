//! `/trail`: what was asked, answered, read and done, when and by whom; searched by patient; taken along as an evidence
//! packet.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{Place, csrf};
use super::parts::badge::{Tone, badge, shape};
use super::parts::field::{date, date_of, text};
use super::parts::lists::{empty, pairs};
use super::parts::problems::Problems;
use super::parts::stamp::moment;
use super::parts::words::plain;
use super::visit::Visit;
use crate::api::{Body, Problem, packets, trail};
use crate::identity::Scope;
use crate::trail::TrailEntry;

/// Records on the first page.
const NEWEST: u32 = 100;

/// `GET /trail`: the newest records.
pub async fn show(visit: Visit) -> Result<Markup, Fault> {
    visit.need(Scope::Trail)?;
    let page = trail::Page { limit: Some(NEWEST) };
    let Json(page) = trail::list(State(visit.app.clone()), visit.api(), Ok(Query(page))).await?;
    let who = people(&visit).await?;
    let body = html! {
        div.stack {
            h1 { "Paper trail" }
            p.soft { "Every act and every reading of patient data is here, in the order in which it happened, and cannot be taken \
                out unnoticed. The records hold no patient data; what they are about is found by searching." }
            (form(&visit, &Fields::default(), &Problems::none(), false))
            h2 { "The newest" }
            @if page.records.is_empty() {
                (empty("Nothing is on record yet.", html! { a.button href="/check" { "Check coverage" } }))
            } @else { (table(&visit, page.records.iter().map(|entry| (entry, None)), &who)) }
        }
    };
    Ok(visit.page(Place::Trail, "Paper trail", body))
}

/// The names of this practice's people by their ids.
async fn people(visit: &Visit) -> Result<HashMap<String, String>, Fault> {
    let people = visit.app.identity.people(visit.caller.practice()).await?;
    Ok(people.into_iter().map(|one| (one.id, one.name)).collect())
}

/// One form for searching and for the packet: what is found is what the packet holds.
fn form(visit: &Visit, fields: &Fields, problems: &Problems, open: bool) -> Markup {
    let carriers = visit.app.gateway.planes().book().snapshot();
    let mut names: Vec<(&str, &str)> =
        carriers.carriers.values().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    names.sort_by_key(|(_, name)| name.to_lowercase());
    html! {
        (problems.summary())
        details.fold open[open] {
            summary { "Search by patient or question, make an evidence packet" }
            form.stack method="post" action="/trail/search" {
                (csrf(visit))
                div.fields {
                    div.field {
                        label for="f-patient-carrier" { "Carrier" }
                        select #f-patient-carrier name="patient.carrier" {
                            option value="" { "" }
                            @for (id, name) in names { option value=(id) selected[fields.get("patient.carrier") == id] { (name) } }
                        }
                    }
                    (text("patient.member_id", "Member ID").show(fields, problems))
                    (text("patient.last_name", "Last name").hint("Where there is no member ID").show(fields, problems))
                    (text("patient.first_name", "First name").show(fields, problems))
                }
                (date("born", "Date of birth", "For example 3 12 1986", false, fields, problems))
                div.fields {
                    (text("ask", "Or the number of a question").hint("As it stands in the address of its page").show(fields, problems))
                    (text("why", "Why it is looked at").hint("Kept, sealed, with the record of this search").show(fields, problems))
                }
                div.row {
                    button.button.first type="submit" { "Search" }
                    button.button type="submit" formaction="/trail/packet" { "Make an evidence packet (ZIP)" }
                }
                p.soft.small { "Searching and taking along are acts of their own, and are recorded." }
            }
        }
    }
}

/// The body that the API takes, or what is wrong with the date of birth.
fn asked(visit: &Visit, fields: &Fields) -> Result<Body, Problems> {
    let mut body = Map::new();
    for name in ["ask", "why"] {
        if let Some(value) = fields.some(name) {
            body.insert(name.to_owned(), Value::from(value));
        }
    }
    let Value::Object(mut patient) = fields.json("patient.") else { return Ok(Body(Vec::new().into())) };
    match date_of(fields, "born", visit.app.gateway.today()) {
        Ok(Some(born)) => {
            patient.insert("date_of_birth".to_owned(), Value::from(born.to_string()));
        }
        Ok(None) => {}
        Err(wrong) => return Err(Problems::none().and("born", wrong)),
    }
    if !patient.is_empty() {
        if !patient.contains_key("carrier") {
            return Err(
                Problems::none().and("patient.carrier", "Choose the carrier at which the patient was asked about.")
            );
        }
        body.insert("patient".to_owned(), Value::Object(patient));
    }
    Ok(Body(serde_json::to_vec(&Value::Object(body)).unwrap_or_default().into()))
}

/// The form again, as it was typed, with what is wrong.
fn again(visit: &Visit, status: StatusCode, fields: &Fields, problems: &Problems) -> Response {
    let body = html! { div.stack { h1 { "Paper trail" } (form(visit, fields, problems, true)) } };
    (status, visit.page(Place::Trail, "Paper trail", body)).into_response()
}

fn refused(visit: &Visit, fields: &Fields, problem: &Problem) -> Response {
    let problems = Problems::of(problem, "");
    let problems = match problems.about("").or(problems.about("patient")).map(str::to_owned) {
        Some(message) => Problems::said(message),
        None => problems,
    };
    again(visit, problem.http_status(), fields, &problems)
}

/// `POST /trail/search`
pub async fn search(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Trail)?;
    let body = match asked(&visit, &fields) {
        Ok(body) => body,
        Err(problems) => return Ok(again(&visit, StatusCode::UNPROCESSABLE_ENTITY, &fields, &problems)),
    };
    let Json(found) = match trail::search(State(visit.app.clone()), visit.api(), body).await {
        Ok(found) => found,
        Err(problem) => return Ok(refused(&visit, &fields, &problem)),
    };
    let who = people(&visit).await?;
    let body = html! {
        div.stack {
            h1 { "Paper trail" }
            (form(&visit, &fields, &Problems::none(), false))
            h2 { "Found: " (found.records.len()) " records, oldest first" }
            @if found.records.is_empty() {
                (empty("Nothing is on record for this.", html! { a.button href="/trail" { "To the newest" } }))
            } @else { (table(&visit, found.records.iter().map(|one| (&one.record, Some(&one.detail))), &who)) }
        }
    };
    Ok(visit.page(Place::Trail, "Paper trail", body).into_response())
}

/// `POST /trail/packet`
pub async fn packet(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Trail)?;
    let body = match asked(&visit, &fields) {
        Ok(body) => body,
        Err(problems) => return Ok(again(&visit, StatusCode::UNPROCESSABLE_ENTITY, &fields, &problems)),
    };
    match packets::make(State(visit.app.clone()), visit.api(), body).await {
        Ok(packet) => Ok(packet),
        Err(problem) => Ok(refused(&visit, &fields, &problem)),
    }
}

/// Beside a submission: everything about it as an evidence packet, for whoever may make one.
pub(super) fn whole_story(visit: &Visit, submission: &str) -> Markup {
    html! {
        @if visit.may(Scope::Trail) {
            form method="post" action="/trail/packet" {
                (csrf(visit))
                input type="hidden" name="ask" value=(submission);
                button.button.slim type="submit" { "Evidence packet (ZIP)" }
            }
        }
    }
}

fn table<'a>(
    visit: &Visit,
    entries: impl Iterator<Item = (&'a TrailEntry, Option<&'a Value>)>,
    who: &HashMap<String, String>,
) -> Markup {
    let zone = visit.zone();
    html! {
        div.table {
            table.cards {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Carrier" } th { "Outcome" } th { "About" } } }
                tbody {
                    @for (entry, detail) in entries {
                        tr data-row {
                            td data-label="When" { (moment(entry.at, &zone)) div.soft.small { "no. " (entry.seq) } }
                            td data-label="Who" { (name(entry, who)) }
                            td data-label="What" { (plain(&entry.action)) @if entry.cached == Some(true) { span.soft { " (saved answer)" } } }
                            td data-label="Carrier" { (entry.carrier.as_deref().unwrap_or("–")) }
                            td data-label="Outcome" { (outcome(entry)) }
                            td data-label="About" {
                                @if let Some(ask) = entry.ask_id.as_deref().filter(|_| entry.action.starts_with("eligibility") && visit.may(Scope::Ask)) {
                                    a href={ "/checks/" (ask) } { "The answer" }
                                }
                                @if let Some(id) = entry.ask_id.as_deref().filter(|_| entry.action.starts_with("submission.")) { (whole_story(visit, id)) }
                                @if let Some(detail) = detail { (details(detail)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name(entry: &TrailEntry, who: &HashMap<String, String>) -> Markup {
    html! {
        @match (who.get(&entry.actor), entry.actor.as_str()) {
            (Some(name), _) => { (name) }
            (None, "gateway") => { "Portico itself" }
            (None, "command_line") => { "Command line" }
            (None, other) => { span.number { (other) } }
        }
        @if let Some(role) = &entry.role { div.soft.small { (plain(role)) } }
    }
}

fn outcome(entry: &TrailEntry) -> Markup {
    let word = entry.outcome.map(|outcome| plain(outcome.name()));
    let why = entry.failure.map(|kind| plain(kind.name()));
    html! {
        @if let Some(word) = word {
            @match word.as_str() {
                "Answered" => { (badge(Tone::Good, shape::CHECK, &word)) }
                "Refused" => { (badge(Tone::Look, shape::NOBODY, &word)) }
                _ => { (badge(Tone::Bad, shape::CROSS, &word)) }
            }
        }
        @if let Some(why) = why { div.soft.small { (why) } }
    }
}

/// What a record commits to, as names and values.
fn details(detail: &Value) -> Markup {
    let Value::Object(detail) = detail else { return html! {} };
    let value = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows: Vec<(String, Markup)> = detail
        .iter()
        .filter(|(name, _)| *name != "files")
        .map(|(name, said)| (plain(name), html! { (value(said)) }))
        .collect();
    let rows: Vec<(&str, Markup)> = rows.iter().map(|(name, said)| (name.as_str(), said.clone())).collect();
    html! { details { summary { "Details" } (pairs(&rows)) } }
}
