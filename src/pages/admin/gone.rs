//! A carrier file that is taken away, and one that is brought back.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;

use super::files::{HERE, file, history_of, json_body, names, told};
use super::page;
use crate::api::Problem;
use crate::api::carrier_files::{self, Depends, RemovedView};
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::csrf;
use crate::pages::parts::field::text;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::moment;
use crate::pages::parts::words::{count, plain};
use crate::pages::visit::Visit;

/// `GET /admin/carriers/{id}/remove`: what depends on it, before it is done.
pub async fn confirm(visit: Visit, Path(id): Path<String>) -> Result<Markup, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    ask(&visit, &id, &Fields::default(), &Problems::none()).await
}

async fn ask(visit: &Visit, id: &str, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    let now = file(visit, id).await?;
    let depends = carrier_files::depends(&visit.app, &visit.api(), id).await?;
    let name = visit.carrier_name(id);
    let body = html! {
        p { a href={ (HERE) "/" (id) } { "Back to the file" } }
        (problems.summary())
        h1 { "Take away " (name) "?" }
        p { "The carrier leaves every list and nothing is asked there any more. Its text is kept with its versions: it can be brought back as it is now." }
        (what_depends(&depends))
        @if depends.blocks() {
            p.row {
                @if depends.batch_items > 0 { a.button href="/batches" { "To the batches" } }
                @if depends.submissions > 0 { a.button href="/tasks" { "To the tasks" } }
            }
        } @else {
            form.stack method="post" action={ (HERE) "/" (id) "/remove" } {
                (csrf(visit))
                input type="hidden" name="base" value=(now.version);
                (text("reason", "Why").hint("For whoever looks later; no patient’s name").max(500).show(fields, problems))
                div.row {
                    button.button.danger type="submit" { "Take it away" }
                    a.button href={ (HERE) "/" (id) } { "Leave it" }
                }
            }
        }
    };
    Ok(page(visit, HERE, "Take a carrier away", &body))
}

fn what_depends(depends: &Depends) -> Markup {
    html! {
        section.card.tight {
            h2 { "What depends on it" }
            ul.bullets {
                @if depends.submissions > 0 { li { strong { (count(depends.submissions.unsigned_abs(), "submission is", "submissions are")) " not over." } " The file stays until each is settled or taken back: without it nobody could ask what became of them." } }
                @if depends.batch_items > 0 { li { strong { (count(depends.batch_items as u64, "question waits", "questions wait")) " in batches." } " The file stays until they are asked, or their batch is cancelled." } }
                @if !depends.blocks() { li { "No submission is open, and no batch waits for it." } }
                @if depends.login { li { "The practice’s login there is stored. It stays, sealed, and is used again only if the carrier comes back at the same hosts." } }
                li { "Answers, records and patients stay as they are; a patient who is insured there cannot be asked about." }
            }
        }
    }
}

/// `POST /admin/carriers/{id}/remove`
pub async fn remove(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let body = json_body(&json!({ "base": fields.get("base"), "reason": fields.get("reason") }));
    match carrier_files::remove(State(visit.app.clone()), visit.api(), Path(id.clone()), body).await {
        Ok(_) => Ok(Redirect::to("/admin/carriers?said=removed").into_response()),
        Err(problem) => {
            let status = problem.http_status();
            let page = ask(&visit, &id, &fields, &Problems::of(&problem, "")).await?;
            Ok((status, page).into_response())
        }
    }
}

/// The carriers that were taken away; nothing where there are none, or where they are not to be seen.
///
/// # Errors
/// They cannot be read.
pub async fn list(visit: &Visit) -> Result<Markup, Fault> {
    let found = carrier_files::removed(State(visit.app.clone()), visit.api()).await;
    let gone = seen(found.map(|found| found.0.removed))?;
    let names = names(visit).await;
    Ok(html! {
        @if !gone.is_empty() {
            section.stack {
                h2 { "Taken away" }
                div.table { table.cards {
                    thead { tr { th { "File" } th { "When" } th { "Who" } th { "Why" } } }
                    tbody { @for one in &gone {
                        tr data-row {
                            th scope="row" { a href={ (HERE) "/" (one.carrier) } { code { (one.carrier) ".toml" } } }
                            td data-label="When" { @match one.at { Some(at) => { (moment(at, &visit.zone())) } None => { span.soft { "on the disk" } } } }
                            td data-label="Who" { @if let Some(by) = &one.by { (names.get(by).cloned().unwrap_or_else(|| plain(by))) } }
                            td data-label="Why" { @if let Some(reason) = &one.reason { (reason) } }
                        }
                    } }
                } }
            }
        }
    })
}

/// What may be seen of it; to whom it is not shown, it is nothing.
fn seen(found: Result<Vec<RemovedView>, Problem>) -> Result<Vec<RemovedView>, Problem> {
    match found {
        Err(problem) if problem.http_status() == StatusCode::FORBIDDEN => Ok(Vec::new()),
        found => found,
    }
}

/// The page of a carrier whose file is gone: its versions, each of which brings it back.
///
/// # Errors
/// There is none, or the visitor may not see it.
pub async fn show(visit: &Visit, id: &str) -> Result<Markup, Fault> {
    let kept = carrier_files::versions(State(visit.app.clone()), visit.api(), Path(id.to_owned())).await?.0.versions;
    let body = html! {
        p { a href=(HERE) { "All carrier files" } }
        h1 { code { (id) ".toml" } }
        p.note.look { "This file was taken away: the gateway has no such carrier now. Each of its versions can be brought back." }
        (history_of(visit, &kept, |version| html! {
            form.row method="post" action={ (HERE) "/" (id) "/bring-back" } {
                (csrf(visit))
                input type="hidden" name="number" value=(version.number);
                button.button.slim type="submit" { "Bring back no. " (version.number) }
            }
        }).await)
    };
    Ok(page(visit, HERE, "Carrier file", &body))
}

/// `POST /admin/carriers/{id}/bring-back`
pub async fn bring_back(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let number = fields.get("number").to_owned();
    let way = Path((id.clone(), number.clone()));
    let version = carrier_files::version(State(visit.app.clone()), visit.api(), way).await?.0;
    let body = json_body(&json!({ "text": version.text, "reason": format!("Brought back: version {number}") }));
    let put = carrier_files::put(State(visit.app.clone()), visit.api(), Path(id.clone()), body).await;
    match put {
        Ok(applied) => Ok(Redirect::to(&format!("{HERE}/{id}?said={}", told(applied.0.in_force))).into_response()),
        // Somebody else was quicker: it is there.
        Err(problem) if problem.http_status() == StatusCode::CONFLICT => {
            Ok(Redirect::to(&format!("{HERE}/{id}")).into_response())
        }
        Err(problem) => Err(Fault::from(with_text(problem, &number))),
    }
}

/// A version that was fine once may not be now: a connector may have changed since.
fn with_text(problem: Problem, number: &str) -> Problem {
    match problem.errors().first() {
        Some(first) => Problem::new(
            problem.http_status(),
            "This version does not work any more",
            format!(
                "Version {number} cannot be put in force: {} Add the carrier anew, with this text mended.",
                first.message
            ),
        ),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn only_what_is_not_to_be_seen_is_left_out() {
        assert!(seen(Err(Problem::lacks("admin"))).unwrap().is_empty());
        let damaged = connector_sdk::Error::from(StoreError::Damaged { what: "the list" });
        assert!(seen(Err(damaged.into())).is_err(), "that it cannot be read does not mean that there is none");
    }
}
