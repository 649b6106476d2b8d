//! Carrier files: looked at, checked, put in force, put back. What somebody typed is never lost: not when it is wrong, and
//! not when somebody else was quicker.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::page;
use crate::api::Problem;
use crate::api::body::Body;
use crate::api::carrier_files::{self, FileView, VersionView};
use crate::identity::Scope;
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{self, csrf};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::compare;
use crate::pages::parts::field::{area, text};
use crate::pages::parts::lists::raw;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::moment;
use crate::pages::parts::words::plain;
use crate::pages::visit::Visit;
use crate::registry;

pub(super) const HERE: &str = "/admin/carriers";

/// `GET /admin/carriers`: all files, those with problems first.
pub async fn list(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    visit.need(Scope::Admin)?;
    let may = carrier_files::may_change(&visit.app, &visit.api()).await;
    let now = visit.app.gateway.planes().book().snapshot();
    let name = |file: &str| std::path::Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let gone = super::gone::list(&visit).await?;
    let body = html! {
        (frame::said(said.said.as_deref()))
        div.head {
            h1 { "Carrier files" }
            @if may.is_ok() {
                div.row {
                    a.button.first href="/admin/carriers/connect" { "Connect a carrier" }
                    a.button href="/admin/carriers/new" { "Write a file" }
                }
            }
        }
        @if let Err(problem) = &may { p.note.look { (problem.detail()) } }
        @if !now.problems.is_empty() {
            section.card {
                h2 { "What is wrong" }
                p.soft { "What was read before goes on working until the file is mended." }
                ul { @for problem in &now.problems {
                    @let id = name(&problem.file).unwrap_or_default();
                    li {
                        a href={ "/admin/carriers/" (id) } { (id) } ", line " (problem.line) ", column " (problem.column) ": " (problem.message)
                        @if let Some(help) = &problem.help { " " span.soft { "(" (help) ")" } }
                    }
                } }
            }
        }
        div.table { table.cards {
            thead { tr { th { "Carrier" } th { "File" } th { "Connector" } th { "Hosts" } } }
            tbody { @for carrier in now.carriers.values() {
                tr data-row {
                    th scope="row" { a href={ "/admin/carriers/" (carrier.id) } { (carrier.name) } }
                    td data-label="File" { code { (carrier.id) ".toml" } }
                    td data-label="Connector" { (carrier.registration.name) }
                    td data-label="Hosts" { (carrier.hosts.join(", ")) }
                }
            } }
        } }
        (gone)
    };
    Ok(page(&visit, HERE, "Carrier files", &body))
}

pub(super) async fn file(visit: &Visit, id: &str) -> Result<FileView, Problem> {
    Ok(carrier_files::read_one(State(visit.app.clone()), visit.api(), Path(id.to_owned())).await?.0)
}

/// The kept versions; none where the caller may not see them.
async fn versions(visit: &Visit, id: &str) -> Vec<VersionView> {
    let found = carrier_files::versions(State(visit.app.clone()), visit.api(), Path(id.to_owned())).await;
    found.map(|found| found.0.versions).unwrap_or_default()
}

/// `GET /admin/carriers/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>, Query(said): Query<Said>) -> Result<Markup, Fault> {
    let now = match file(&visit, &id).await {
        Err(problem) if problem.http_status() == StatusCode::NOT_FOUND => return super::gone::show(&visit, &id).await,
        other => other?,
    };
    let fields = Fields::of([("text", now.text.clone()), ("base", now.version.clone())]);
    editor(&visit, &now, &frame::said(said.said.as_deref()), &fields, &Problems::none()).await
}

async fn editor(
    visit: &Visit,
    now: &FileView,
    above: &Markup,
    fields: &Fields,
    problems: &Problems,
) -> Result<Markup, Fault> {
    let kept = versions(visit, &now.carrier).await;
    let at = format!("/admin/carriers/{}", now.carrier);
    let body = html! {
        p { a href=(HERE) { "All carrier files" } " · " a href={ "/carriers/" (now.carrier) } { "The carrier" } }
        (problems.summary())
        div.head {
            h1 { code { (now.carrier) ".toml" } }
            @if now.in_force { (badge(Tone::Good, shape::CHECK, "In force")) }
            @else { (badge(Tone::Bad, shape::BOLT, "Not in force: the last good version holds")) }
        }
        @if !now.problems.is_empty() {
            div.note.bad {
                h2 { "The file as it is now has problems" }
                ul { @for problem in &now.problems { li { "Line " (problem.line) ", column " (problem.column) ": " (problem.message) } } }
            }
        }
        (above)
        @if now.may_change {
            form.stack method="post" action=(at) {
                (csrf(visit))
                input type="hidden" name="base" value=(fields.raw("base"));
                (area("text", "The file", Some("TOML. It holds no secret: logins are entered on the carrier’s page."), true, fields, problems))
                (text("reason", "Why").hint("For whoever looks later; no patient’s name").max(500).show(fields, problems))
                div.row {
                    button.button name="do" value="check" { "Validate and compare" }
                    button.button.first name="do" value="apply" { "Put it in force" }
                }
                p.soft.small { "All or nothing: a file with a problem changes nothing. Questions under way end with the old one." }
            }
        } @else {
            p.note.look { "This gateway serves several practices: whoever runs it changes carrier files on its disk." }
            (raw("The file", &now.text))
        }
        (keys())
        (history(visit, now, &kept).await)
        @if now.may_change { p { a.button.danger href={ (at) "/remove" } { "Take this carrier away…" } } }
    };
    Ok(page(visit, HERE, "Carrier file", &body))
}

fn keys() -> Markup {
    html! {
        details.fold {
            summary { "What may stand in it" }
            dl.pairs { @for (key, means) in carrier_files::keys() { dt { code { (key) } } dd { (means) } } }
            p.soft { "The connector’s own settings: " a href="/developer" { "Developer" } "." }
        }
    }
}

/// Names of the practice's people, by id.
pub(super) async fn names(visit: &Visit) -> HashMap<String, String> {
    let people = visit.app.identity.people(visit.caller.practice()).await.unwrap_or_default();
    people.into_iter().map(|one| (one.id, one.name)).collect()
}

async fn history(visit: &Visit, now: &FileView, kept: &[VersionView]) -> Markup {
    let back = |version: &VersionView| {
        html! {
            @if version.now { (badge(Tone::Good, shape::CHECK, "This one")) } @else {
                form.row method="post" action={ "/admin/carriers/" (now.carrier) "/roll-back" } {
                    (csrf(visit))
                    input type="hidden" name="base" value=(now.version);
                    input type="hidden" name="number" value=(version.number);
                    button.button.slim name="do" value="look" { "Compare" }
                    button.button.slim name="do" value="back" { "Go back to no. " (version.number) }
                }
            }
        }
    };
    html! {
        @if kept.first().is_some_and(|newest| !newest.now) {
            p.note.look { "The file is not the newest version kept here: it was changed on the disk, or the gateway was stopped while a version was put in force." }
        }
        (history_of(visit, kept, back).await)
    }
}

/// The versions, each with what can be done with it.
pub(super) async fn history_of(visit: &Visit, kept: &[VersionView], ways: impl Fn(&VersionView) -> Markup) -> Markup {
    let names = names(visit).await;
    html! {
        @if !kept.is_empty() {
            section.stack {
                h2 { "Versions" }
                div.table { table.cards {
                    thead { tr { th { "No." } th { "When" } th { "Who" } th { "Why" } th { span.hidden { "What to do" } } } }
                    tbody { @for version in kept {
                        tr data-row {
                            th scope="row" { (version.number) }
                            td data-label="When" { (moment(version.at, &visit.zone())) }
                            td data-label="Who" { (names.get(&version.by).cloned().unwrap_or_else(|| plain(&version.by))) }
                            td data-label="Why" { (version.reason) }
                            td { (ways(version)) }
                        }
                    } }
                } }
            }
        }
    }
}

/// A browser ends lines its own way; files here end them with one letter.
fn typed(fields: &Fields) -> String {
    fields.raw("text").replace("\r\n", "\n")
}

pub(super) fn json_body(value: &serde_json::Value) -> Body {
    Body(value.to_string().into_bytes().into())
}

/// `POST /admin/carriers/{id}`: checks, or puts in force.
pub async fn put(Path(id): Path<String>, Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let text = typed(&fields);
    fields.put("text", text.clone());
    let now = file(&visit, &id).await?;
    if fields.get("do") != "apply" {
        let problems = wrong_with(&visit, &id, &text).await?;
        return checked(&visit, &now, &text, &fields, &problems).await;
    }
    let body = json!({ "text": text, "base": fields.get("base"), "reason": fields.get("reason") });
    let put = carrier_files::put(State(visit.app.clone()), visit.api(), Path(id.clone()), json_body(&body)).await;
    match put {
        Ok(applied) => {
            Ok(Redirect::to(&format!("/admin/carriers/{id}?said={}", told(applied.0.in_force))).into_response())
        }
        Err(problem) if problem.http_status() == StatusCode::CONFLICT => conflict(&visit, &id, &text, fields).await,
        Err(problem) => {
            let page = editor(&visit, &now, &html! {}, &fields, &Problems::of(&problem, "")).await?;
            Ok((problem.http_status(), page).into_response())
        }
    }
}

pub(super) fn told(in_force: bool) -> &'static str {
    if in_force { "applied" } else { "kept" }
}

/// Everything that the loader finds wrong with a text.
async fn wrong_with(visit: &Visit, id: &str, text: &str) -> Result<Problems, Fault> {
    let body = json_body(&json!({ "carrier": id, "text": text }));
    match carrier_files::check(State(visit.app.clone()), visit.api(), body).await {
        Ok(checked) => Ok(checked.0.problems.iter().fold(Problems::none(), |all, problem| {
            let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            all.and("text", format!("Line {}, column {}: {}{help}", problem.line, problem.column, problem.message))
        })),
        // The only thing that can be wrong beside the text.
        Err(problem) if problem.http_status() == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(problem.errors().iter().fold(Problems::none(), |all, one| all.and("id", one.message.clone())))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// The form as it was typed, and what it would change.
async fn checked(
    visit: &Visit,
    now: &FileView,
    text: &str,
    fields: &Fields,
    problems: &Problems,
) -> Result<Response, Fault> {
    let fine = problems.is_empty();
    let above = html! {
        section.stack {
            @if fine { p.note.good role="status" { strong { "No problem found." } " Nothing was changed yet." } }
            h2 { "What it would change" }
            (compare::table(&now.text, text))
        }
    };
    let status = if fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, editor(visit, now, &above, fields, problems).await?).into_response())
}

/// Somebody was quicker: both texts are shown, and the next press is about theirs.
async fn conflict(visit: &Visit, id: &str, text: &str, mut fields: Fields) -> Result<Response, Fault> {
    let theirs = file(visit, id).await?;
    fields.put("base", theirs.version.clone());
    let above = html! {
        section.note.look.stack {
            h2 { "Somebody else changed this file while you worked on it" }
            p { "Nothing is lost. Yours stands in the field below, theirs is in force. Put both together there; what you then put in force replaces theirs." }
            h3 { "From theirs to yours" }
            (compare::table(&theirs.text, text))
            details { summary { "Theirs, whole" } (raw("Theirs", &theirs.text)) }
        }
    };
    let problems = Problems::said("It was not put in force: the file is another one by now.");
    let page = editor(visit, &theirs, &above, &fields, &problems).await?;
    Ok((StatusCode::CONFLICT, page).into_response())
}

/// `POST /admin/carriers/{id}/roll-back`: compares with an earlier version, or goes back to it.
pub async fn roll_back(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let number = fields.get("number").to_owned();
    let way = Path((id.clone(), number.clone()));
    let version = carrier_files::version(State(visit.app.clone()), visit.api(), way).await?.0;
    let mut form = Fields::of([("text", version.text.clone()), ("base", fields.get("base").to_owned())]);
    form.put("reason", format!("Back to version {number}"));
    let now = file(&visit, &id).await?;
    if fields.get("do") != "back" {
        let problems = wrong_with(&visit, &id, &version.text).await?;
        return checked(&visit, &now, &version.text, &form, &problems).await;
    }
    let body = json!({ "text": version.text, "base": form.get("base"), "reason": form.get("reason") });
    let put = carrier_files::put(State(visit.app.clone()), visit.api(), Path(id.clone()), json_body(&body)).await;
    match put {
        Ok(applied) => {
            Ok(Redirect::to(&format!("/admin/carriers/{id}?said={}", told(applied.0.in_force))).into_response())
        }
        Err(problem) if problem.http_status() == StatusCode::CONFLICT => {
            conflict(&visit, &id, &version.text, form).await
        }
        Err(problem) => {
            let page = editor(&visit, &now, &html! {}, &form, &Problems::of(&problem, "")).await?;
            Ok((problem.http_status(), page).into_response())
        }
    }
}

/// Query of the page for a new carrier.
#[derive(Deserialize)]
pub struct Like {
    /// The connector whose example is to be begun with.
    #[serde(default)]
    like: String,
}

/// `GET /admin/carriers/new`
pub async fn new(visit: Visit, Query(like): Query<Like>) -> Result<Markup, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let example = registry::find(&like.like).or(registry::CONNECTORS.first().copied());
    let text = example.map_or("", |connector| connector.example).trim_start().to_owned();
    Ok(blank(&visit, &html! {}, &Fields::of([("text", text)]), &Problems::none()))
}

pub(super) fn blank(visit: &Visit, above: &Markup, fields: &Fields, problems: &Problems) -> Markup {
    let body = html! {
        p { a href=(HERE) { "All carrier files" } }
        (problems.summary())
        h1 { "Add a carrier" }
        (above)
        @if fields.get("then") != "login" { p { "Begin with an example: "
            @for (place, connector) in registry::CONNECTORS.iter().enumerate() {
                @if place > 0 { " · " }
                a href={ "/admin/carriers/new?like=" (connector.name) } { (connector.speaks) }
            }
        } }
        form.stack method="post" action="/admin/carriers/new" {
            (csrf(visit))
            @if fields.get("then") == "login" { input type="hidden" name="then" value="login"; }
            (text("id", "The carrier’s id").hint("Lower-case letters, digits and dashes, such as acme-ohio").size("short").max(64).show(fields, problems))
            (area("text", "The file", Some("TOML. It holds no secret: logins are entered on the carrier’s page."), true, fields, problems))
            (text("reason", "Why").hint("For whoever looks later; no patient’s name").max(500).show(fields, problems))
            div.row {
                button.button name="do" value="check" { "Validate" }
                button.button.first name="do" value="apply" { "Add it" }
            }
        }
        (keys())
    };
    page(visit, HERE, "Add a carrier", &body)
}

/// `POST /admin/carriers/new`
pub async fn add(Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let (id, text) = (fields.get("id").to_owned(), typed(&fields));
    fields.put("text", text.clone());
    if fields.get("do") != "apply" {
        let problems = wrong_with(&visit, &id, &text).await?;
        let fine = problems.is_empty();
        let above = html! { @if fine { p.note.good role="status" { strong { "No problem found." } " Nothing was added yet." } } };
        let status = if fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        return Ok((status, blank(&visit, &above, &fields, &problems)).into_response());
    }
    let body = json_body(&json!({ "text": text, "reason": fields.get("reason") }));
    match carrier_files::put(State(visit.app.clone()), visit.api(), Path(id.clone()), body).await {
        Ok(applied) if applied.0.in_force && fields.get("then") == "login" => {
            Ok(Redirect::to(&format!("/carriers/{id}?said=connected#login")).into_response())
        }
        Ok(applied) => {
            Ok(Redirect::to(&format!("/admin/carriers/{id}?said={}", told(applied.0.in_force))).into_response())
        }
        Err(problem) => {
            let taken = "There is a carrier with this id already; choose another one, or change that one.";
            let problems = match problem.http_status() {
                StatusCode::CONFLICT => Problems::none().and("id", taken),
                _ => Problems::of(&problem, ""),
            };
            Ok((problem.http_status(), blank(&visit, &html! {}, &fields, &problems)).into_response())
        }
    }
}
