//! `/batches`: many questions at once: handed in as a file or pasted, followed while they run, read and taken along.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::ErrorKind;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{Place, csrf};
use super::parts::badge::{Tone, badge, shape, standing};
use super::parts::field::{area, file, tick};
use super::parts::lists::{empty, note};
use super::parts::problems::Problems;
use super::parts::progress::bar;
use super::parts::stamp::moment;
use super::parts::words::{count, plain};
use super::visit::Visit;
use crate::api::batches as api;
use crate::batches::{BatchView, ItemView, Wish};
use crate::identity::Scope;

/// Rows of a batch on one page.
const ROWS: u32 = 100;

/// `GET /batches`
pub async fn list(visit: Visit) -> Result<Markup, Fault> {
    page(&visit, &Fields::default(), &Problems::none()).await
}

async fn page(visit: &Visit, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let batches = visit.app.batches.list(visit.caller.practice()).await?;
    let body = html! {
        div.stack {
            (problems.summary())
            h1 { "Batches" }
            @if batches.is_empty() {
                (empty("No batch has been handed in yet.", html! { a.button href="#hand-in" { "Hand one in" } }))
            } @else {
                div.table {
                    table.cards {
                        thead { tr { th { "Batch" } th { "State" } th { "Questions" } th { "Handed in" } th { "Ended" } } }
                        tbody {
                            @for batch in &batches {
                                tr data-row {
                                    th scope="row" { a href={ "/batches/" (batch.id) } { (title(batch)) } }
                                    td data-label="State" { (state(batch)) }
                                    td data-label="Questions" { (batch.items) }
                                    td data-label="Handed in" { (moment(batch.made_at, &visit.zone())) }
                                    td data-label="Ended" { @if let Some(at) = batch.ended_at { (moment(at, &visit.zone())) } @else { "–" } }
                                }
                            }
                        }
                    }
                }
            }
            section.card.stack #hand-in {
                h2 { "Hand in questions" }
                form.stack method="post" action="/batches" enctype="multipart/form-data" {
                    (csrf(visit))
                    // Sent twice, the batch is made once.
                    input type="hidden" name="key" value=(match fields.some("key") { Some(key) => key.to_owned(), None => uuid::Uuid::now_v7().to_string() });
                    (file("file", "A CSV file", "The first line names the columns: carrier, npi, member_id, date_of_birth, …; see the API's page", ".csv,text/csv", problems))
                    (area("rows", "Or paste the rows", Some("With the line of column names"), true, fields, problems))
                    (tick("valid_only", "Leave out rows that have problems, and ask the others", fields))
                    button.button.first type="submit" { "Hand in" }
                }
            }
        }
    };
    Ok(visit.page(Place::Batches, "Batches", body))
}

fn title(batch: &BatchView) -> String {
    batch.name.clone().unwrap_or_else(|| count(batch.items, "question", "questions"))
}

fn state(batch: &BatchView) -> Markup {
    match batch.state.as_str() {
        "running" => badge(Tone::Calm, shape::DOTS, "Running"),
        "paused" => badge(Tone::Look, shape::CLOCK, "Paused"),
        "done" => badge(Tone::Good, shape::CHECK, "Done"),
        "cancelled" => badge(Tone::Calm, shape::CROSS, "Cancelled"),
        other => badge(Tone::Calm, shape::RING, &plain(other)),
    }
}

/// `POST /batches`
pub async fn make(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let bytes = match fields.file("file") {
        Some(bytes) => bytes.clone(),
        None => fields.raw("rows").to_owned().into_bytes().into(),
    };
    if bytes.is_empty() {
        let problems = Problems::none().and("file", "Choose a file, or paste rows.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&visit, &fields, &problems).await?).into_response());
    }
    let handed = api::Handing {
        key: fields.get("key").to_owned(),
        is_csv: true,
        valid_only: fields.ticked("valid_only"),
        bytes,
    };
    match api::take(&visit.app, &visit.api(), handed).await {
        Ok(made) => Ok(Redirect::to(&format!("/batches/{}", made.batch.id)).into_response()),
        Err(problem) => {
            let mut problems = Problems::said(problem.detail());
            for error in problem.errors() {
                // Where in the file: the pointer says row and column.
                problems = problems.and("file", format!("{}: {}", error.path.trim_start_matches('/'), error.message));
            }
            Ok((problem.http_status(), page(&visit, &fields, &problems).await?).into_response())
        }
    }
}

/// Where in a batch one reads.
#[derive(Deserialize)]
pub struct At {
    #[serde(default)]
    after: u32,
}

/// `GET /batches/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>, Query(at): Query<At>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let practice = visit.caller.practice();
    let batch = visit.app.batches.get(practice, &id).await?.ok_or_else(Fault::not_found)?;
    if visit.part {
        return Ok(panel(&visit, &batch));
    }
    // Reading patient data is an act, and is recorded before the data leaves.
    visit.app.batches.record_reading(&visit.caller, &id).await?;
    let items = visit.app.batches.items(practice, &id, i64::from(at.after), ROWS).await?;
    let next = items.last().map(|item| item.item).filter(|_| items.len() == ROWS as usize);
    let body = html! {
        div.stack {
            div.head { h1 { (title(&batch)) } a.button href={ "/v1/eligibility/batches/" (id) "/items?format=csv" } { "Take along as CSV" } }
            (panel(&visit, &batch))
            @if items.is_empty() { (empty("There are no rows here.", html! { a.button href="/batches" { "All batches" } })) }
            @else {
                div.table {
                    table.cards {
                        thead { tr { th { "No." } th { "Reference" } th { "Carrier" } th { "Coverage" } th { "What the carrier said" } } }
                        tbody { @for item in &items { (row(&visit, item)) } }
                    }
                }
            }
            @if let Some(after) = next { p { a.button href={ "/batches/" (id) "?after=" (after) } { "Next rows" } } }
        }
    };
    Ok(visit.page(Place::Batches, "Batch", body))
}

fn row(visit: &Visit, item: &ItemView) -> Markup {
    html! {
        tr data-row {
            td data-label="No." { (item.item) }
            th scope="row" data-label="Reference" {
                @match &item.question {
                    Some(question) => { a href={ "/checks/" (question) } { (item.reference.as_deref().unwrap_or("Open")) } }
                    None => { (item.reference.as_deref().unwrap_or("–")) }
                }
            }
            td data-label="Carrier" { (visit.carrier_name(&item.carrier)) }
            td data-label="Coverage" { (standing(item.badge)) }
            td data-label="Said" {
                @if let Some(told) = &item.told { (told.text) @for alert in &told.alerts { div.small { "! " (alert) } } }
                @else if let Some(reason) = &item.reason { (plain(reason)) } @else { "–" }
            }
        }
    }
}

/// How far a batch is, and what can be done with it. Where scripts run it is fetched again while it runs; without them the
/// page is reloaded by a press.
pub fn panel(visit: &Visit, batch: &BatchView) -> Markup {
    let progress = batch.progress.unwrap_or_default();
    let done = progress.ended();
    let runs = batch.state == "running" || progress.asking > 0;
    let address = format!("/batches/{}", batch.id);
    let press = |wish: &str, word: &str, class: &str| {
        html! {
            form method="post" action={ (address) "/" (wish) } { (csrf(visit)) button class={ "button " (class) } type="submit" { (word) } }
        }
    };
    html! {
        section.card.stack #batch aria-label="How far it is" data-hx-get=[runs.then_some(&address)] data-hx-trigger=[runs.then_some("every 1s")]
            data-hx-swap="outerHTML" data-hx-target="this" {
            div.row.ends { (state(batch)) @if let Some(reason) = &batch.reason { span { (plain(reason)) } } }
            (bar("Questions", done, batch.items))
            p {
                (count(progress.answered, "answered", "answered")) " · " (progress.refused) " refused · " (progress.failed) " failed"
                @if runs { " · " (progress.waiting + progress.asking) " to come" }
                @if let Some(secs) = batch.estimate_secs.filter(|_| runs) { " · about " (secs) " s left" }
            }
            @for wait in &batch.waits {
                @let text = format!("{} wait: {}.", count(wait.items as u64, "question", "questions"), plain(&wait.reason).to_lowercase());
                (note(Tone::Look, &visit.carrier_name(&wait.carrier), &text))
                @if wait.reason == ErrorKind::CarrierPaused.name() { p.small { a href={ "/carriers/" (wait.carrier) } { "Who paused it, since when and why" } } }
                @if let Some(at) = wait.until { p.small { "Until " (moment(at, &visit.zone())) } }
            }
            div.row {
                @if batch.state == "running" { (press("pause", "Pause", "")) (press("cancel", "Cancel", "danger")) }
                @if batch.state == "paused" { (press("resume", "Go on", "first")) (press("cancel", "Cancel", "danger")) }
                @if runs { a.button.no-script href=(address) { "Look again" } }
            }
        }
    }
}

/// `POST /batches/{id}/{wish}`
pub async fn turn(Path((id, wish)): Path<(String, String)>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Ask)?;
    let wish = Wish::from_word(&wish).ok_or_else(Fault::not_found)?;
    visit.app.batches.turn(&visit.caller, &id, wish).await?;
    Ok(Redirect::to(&format!("/batches/{id}")))
}
