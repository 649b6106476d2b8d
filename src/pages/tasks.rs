//! `/tasks`: what a machine must not do: codes and terms that carriers ask of a person, submissions whose fate nobody
//! knows, carriers that are held, logins that end.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::PromptKind;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::account::Said;
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{self, Place, csrf};
use super::parts::badge::{Tone, badge, shape};
use super::parts::field::{area, radios, text};
use super::parts::lists::{empty, number, task};
use super::parts::problems::Problems;
use super::parts::stamp::{moment, until};
use super::parts::words::{count, plain};
use super::trail::whole_story;
use super::visit::Visit;
use crate::api::{Body, Problem, holds, submissions, tasks};
use crate::identity::Scope;
use crate::submissions::SubmissionSummary;
use crate::tasks::TaskView;

/// `GET /tasks`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    page(&visit, said.said.as_deref(), &Fields::default(), &Problems::none()).await
}

async fn page(visit: &Visit, said: Option<&str>, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    let Json(list) = tasks::list(State(visit.app.clone()), visit.api(), Ok(Query(tasks::Page::default()))).await?;
    let held = match visit.may(Scope::Submit) {
        true => holds::list(State(visit.app.clone()), visit.api()).await?.0.holds,
        false => Vec::new(),
    };
    let (open, closed): (Vec<&TaskView>, Vec<&TaskView>) = list.tasks.iter().partition(|one| one.state == "open");
    let nothing = open.is_empty() && list.submissions.is_empty() && list.reminders.is_empty() && held.is_empty();
    let body = html! {
        div.stack {
            (frame::said(said))
            (problems.summary())
            h1 { "Tasks" }
            @if nothing {
                (empty("Nothing waits for a person.", html! { a.button href="/" { "To the first page" } }))
            }
            @for one in open { (prompt(visit, one, fields, problems)) }
            @for submission in &list.submissions { (fate(visit, submission, fields, problems)) }
            @for hold in &held {
                @let told = format!(
                    "Nothing new is sent to it. {} of unknown fate ({} need a person), {} waiting to be sent.",
                    hold.unknown, hold.needs_person, hold.waiting,
                );
                (task(
                    &format!("{} is held", visit.carrier_name(&hold.carrier)),
                    &told,
                    None,
                    html! {
                        ol { @for step in hold.to_do { li { (step) } } }
                        form.stack method="post" action={ "/tasks/holds/" (hold.carrier) "/release" } {
                            (csrf(visit))
                            (text("reason", "What was found out").required().show(fields, problems))
                            button.button type="submit" { "Let it go on" }
                        }
                    },
                ))
            }
            @for reminder in &list.reminders {
                @let ends = match reminder.days_left { ..0 => "has ended".to_owned(), days => format!("ends in {}", count(days.unsigned_abs(), "day", "days")) };
                (task(
                    &format!("The login at {} {ends}", visit.carrier_name(&reminder.carrier)),
                    "Change the password on the carrier’s own website, then enter the new one here.",
                    None,
                    html! { a.button href={ "/carriers/" (reminder.carrier) } { "To the carrier" } },
                ))
            }
            @if !closed.is_empty() {
                h2 { "Lately closed" }
                div.table {
                    table.cards {
                        thead { tr { th { "What" } th { "Carrier" } th { "How it ended" } th { "When" } } }
                        tbody {
                            @for one in closed {
                                tr data-row {
                                    td data-label="What" { (kind(one.kind)) }
                                    td data-label="Carrier" { (visit.carrier_name(&one.carrier)) }
                                    td data-label="Ended" { (ending(&one.state)) }
                                    td data-label="When" { @if let Some(at) = one.closed_at { (moment(at, &visit.zone())) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(visit.page(Place::Tasks, "Tasks", body))
}

fn kind(kind: PromptKind) -> &'static str {
    match kind {
        PromptKind::SecondFactorCode => "A code is needed",
        PromptKind::Captcha => "A picture must be read",
        PromptKind::Terms => "Terms must be accepted",
        PromptKind::PasswordChange => "A new password is demanded",
        PromptKind::Other => "A person must decide",
    }
}

fn ending(state: &str) -> Markup {
    match state {
        "answered" => badge(Tone::Good, shape::CHECK, "Answered"),
        "expired" => badge(Tone::Look, shape::CLOCK, "Nobody answered in time"),
        "dismissed" => badge(Tone::Calm, shape::CROSS, "Dismissed"),
        other => badge(Tone::Calm, shape::RING, &plain(other)),
    }
}

/// What a carrier asks, with the field that answers it.
fn prompt(visit: &Visit, one: &TaskView, fields: &Fields, problems: &Problems) -> Markup {
    let may = visit.may(Scope::Resolve) && visit.may(one.scope);
    let words = one.words.as_ref().map_or("", |words| words.expose().as_str());
    let title = format!("{} – {}", kind(one.kind), visit.carrier_name(&one.carrier));
    let secret = one.kind == PromptKind::PasswordChange;
    task(
        &title,
        words,
        Some(until(one.expires_at)),
        html! {
            div.stack {
                @if one.again { p.note.look { "The carrier refused the last answer." } }
                @if let Some(picture) = &one.picture {
                    img src={ "data:" (picture.media) ";base64," (picture.base64) } alt="The carrier's picture: type what stands in it";
                }
                @if may {
                    form.stack method="post" action={ "/tasks/" (one.id) "/answer" } {
                        (csrf(visit))
                        @if one.takes == "text" {
                            (text("answer", if secret { "The new password" } else { "The answer" }).kind(if secret { "password" } else { "text" })
                                .complete(if secret { "new-password" } else { "one-time-code" }).size("short").required().show(fields, problems))
                            button.button.first type="submit" { "Send it to the carrier" }
                        } @else { button.button.first type="submit" name="accept" value="yes" { "Accept" } }
                    }
                    form method="post" action={ "/tasks/" (one.id) "/dismiss" } { (csrf(visit)) button.button type="submit" { "Leave it" } }
                } @else { p.soft { "Your role cannot answer this; ask a colleague who can." } }
            }
        },
    )
}

/// A submission of which nobody knows whether the carrier has it.
fn fate(visit: &Visit, one: &SubmissionSummary, fields: &Fields, problems: &Problems) -> Markup {
    let options = [
        ("present", "The carrier has it"),
        ("absent", "The carrier does not have it: send it again"),
        ("void", "Close it, send nothing"),
    ];
    task(
        &format!("Does {} have this {}?", visit.carrier_name(&one.carrier), plain(&one.operation).to_lowercase()),
        "The answer to it was lost, and the carrier cannot be asked by machine. It is not sent again before somebody has found out: \
         call the carrier, or look on its website.",
        None,
        html! {
            div.stack {
                div.row { (number("Our reference", &one.reference)) (whole_story(visit, &one.id)) }
                @if let Some(since) = one.unknown_since { p.stamp { "Unknown since " (moment(since, &visit.zone())) } }
                @if visit.may(Scope::Resolve) {
                    form.stack method="post" action={ "/tasks/submissions/" (one.id) } {
                        (csrf(visit))
                        (radios("decision", "What was found out", &options, fields, problems))
                        (text("reference", "The carrier's number for it").hint("Where the carrier has it").show(fields, problems))
                        (area("reason", "How it was found out", Some("Whom you spoke to, and when"), false, fields, problems))
                        button.button.first type="submit" { "Record it" }
                    }
                }
            }
        },
    )
}

/// What the API says of a form of this page: back, or the page again with what is wrong.
async fn ended<T>(visit: &Visit, fields: &Fields, done: Result<T, Problem>) -> Result<Response, Fault> {
    match done {
        Ok(_) => Ok(Redirect::to("/tasks?said=recorded").into_response()),
        Err(problem) => {
            let problems = Problems::of(&problem, "");
            let status = StatusCode::UNPROCESSABLE_ENTITY.max(problem.http_status());
            Ok((status, page(visit, None, fields, &problems).await?).into_response())
        }
    }
}

fn body(value: Map<String, Value>) -> Body {
    Body(serde_json::to_vec(&Value::Object(value)).unwrap_or_default().into())
}

/// `POST /tasks/{id}/answer`
pub async fn answer(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let said = match fields.ticked("accept") {
        true => ("accept".to_owned(), Value::from(true)),
        false => ("answer".to_owned(), Value::from(fields.raw("answer"))),
    };
    let done = tasks::answer(State(visit.app.clone()), visit.api(), Path(id), body(Map::from_iter([said]))).await;
    // What was typed is a secret: it does not come back.
    ended(&visit, &Fields::default(), done).await
}

/// `POST /tasks/{id}/dismiss`
pub async fn dismiss(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let done = tasks::dismiss(State(visit.app.clone()), visit.api(), Path(id)).await;
    ended(&visit, &fields, done).await
}

/// `POST /tasks/submissions/{id}`
pub async fn resolve(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let said = ["decision", "reference", "reason"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), Value::from(fields.some(name)?))));
    let done = submissions::resolve(State(visit.app.clone()), visit.api(), Path(id), body(said.collect())).await;
    ended(&visit, &fields, done).await
}

/// `POST /tasks/holds/{carrier}/release`
pub async fn release(Path(carrier): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let said = [("reason".to_owned(), Value::from(fields.get("reason")))];
    let done = holds::release(State(visit.app.clone()), visit.api(), Path(carrier), body(Map::from_iter(said))).await;
    ended(&visit, &fields, done).await
}
