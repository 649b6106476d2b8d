//! Connecting a carrier without knowing how a carrier file is written, in three steps: how it is spoken to; what every
//! carrier has in its own way; the file that comes of it, to look at and put in force. Then its page asks for the login and
//! has it tried once. What is right and wrong, the loader says: there is no second set of rules here.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use connector_sdk::Registration;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::files::{HERE, blank, json_body};
use super::page;
use crate::api::carrier_files;
use crate::carriers::begin::{self, Wanted};
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::csrf;
use crate::pages::parts::field::{select, text};
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;
use crate::registry;

const STEPS: [&str; 4] = ["How it is spoken to", "What this carrier has", "Look at the file", "Login, and a first try"];

/// Query of the wizard.
#[derive(Deserialize)]
pub struct With {
    /// The connector that was chosen.
    #[serde(default)]
    with: String,
}

/// `GET /admin/carriers/connect`
pub async fn show(visit: Visit, Query(with): Query<With>) -> Result<Markup, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    Ok(match registry::find(&with.with) {
        Some(connector) => form(&visit, connector, &Fields::default(), &Problems::none()),
        None => choose(&visit),
    })
}

/// Where one is.
fn steps(now: usize) -> Markup {
    html! {
        ol.steps aria-label="Steps" {
            @for (place, step) in STEPS.iter().enumerate() {
                li aria-current=[(place == now).then_some("step")] { (step) @if place < now { span.hidden { ", done" } } }
            }
        }
    }
}

fn choose(visit: &Visit) -> Markup {
    let body = html! {
        p { a href=(HERE) { "All carrier files" } }
        h1 { "Connect a carrier" }
        (steps(0))
        p { "The carrier’s companion guide or its provider helpdesk says which of these it offers. Where it offers several, the first in this list is the surest." }
        div.grid {
            @for connector in registry::CONNECTORS {
                section.card.tight {
                    h2 { (connector.speaks) }
                    p { "Can do: " (connector.operations.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ")) }
                    p.soft { "Signs in with: " (connector.sign_in) }
                    p { a.button.first href={ (HERE) "/connect?with=" (connector.name) } { "Choose" span.hidden { " " (connector.speaks) } } }
                }
            }
        }
        p.soft { "You know how a carrier file is written? " a href={ (HERE) "/new" } { "Write it yourself" } "." }
    };
    page(visit, HERE, "Connect a carrier", &body)
}

fn form(visit: &Visit, connector: &Registration, fields: &Fields, problems: &Problems) -> Markup {
    let wanted = begin::wanted(connector);
    let body = html! {
        p { a href={ (HERE) "/connect" } { "Choose another way" } }
        (problems.summary())
        h1 { "Connect a carrier" }
        (steps(1))
        p #f-with tabindex="-1" { (connector.speaks) }
        form.stack method="post" action={ (HERE) "/connect" } {
            (csrf(visit))
            input type="hidden" name="with" value=(connector.name);
            (text("name", "What people call it").max(120).show(fields, problems))
            (text("id", "A short id").hint("Lower-case letters, digits and dashes, such as acme-ohio; it stays for good").size("short").max(64).show(fields, problems))
            (text("payer_ids", "Payer IDs, if you know them").hint("From the back of the card or the payer list; commas between several").max(200).show(fields, problems))
            (text("hosts", "Hosts").hint("The only ones it may be reached at, without https://, such as edi.acme.example").max(500).show(fields, problems))
            h2 { "As the carrier’s guide says" }
            @for one in &wanted { (entry(one, fields, problems)) }
            div.row {
                button.button.first type="submit" { "Make the file" }
                @if !problems.is_empty() { button.button type="submit" name="do" value="editor" { "Go on in the editor" } }
            }
            p.soft.small { "Nothing is put in force yet, and no login is asked for here: that comes last, on the carrier’s own page." }
        }
    };
    page(visit, HERE, "Connect a carrier", &body)
}

fn entry(one: &Wanted, fields: &Fields, problems: &Problems) -> Markup {
    let name = one.name();
    let label = one.path.iter().skip(1).map(|part| part.replace('_', " ")).collect::<Vec<_>>().join(", ");
    if one.choices.len() > 1 {
        let options: Vec<(String, String)> = one.choices.iter().map(|word| (word.clone(), word.clone())).collect();
        let mut chosen = Fields::default();
        chosen.put(&name, fields.some(&name).unwrap_or(&one.example));
        return html! { (select(&name, &label, &options, &chosen, problems)) p.soft.small { (one.about) } };
    }
    let hint = format!("{} For example: {}", one.about, one.example);
    text(&name, &label).hint(&hint).max(500).show(fields, problems)
}

/// `POST /admin/carriers/connect`: the file, or everything that is wrong with what was typed.
pub async fn make(Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    carrier_files::may_change(&visit.app, &visit.api()).await?;
    let connector = registry::find(fields.get("with")).ok_or_else(Fault::not_found)?;
    let wanted = begin::wanted(connector);
    let mut problems = empty(&fields, &wanted);
    let values: Vec<(Wanted, String)> =
        wanted.iter().map(|one| (one.clone(), fields.get(&one.name()).to_owned())).collect();
    let text = begin::text(connector, fields.get("name"), fields.get("hosts"), fields.get("payer_ids"), &values);
    let body = json_body(&json!({ "carrier": fields.get("id"), "text": text }));
    match carrier_files::check(State(visit.app.clone()), visit.api(), body).await {
        Ok(checked) => {
            for problem in checked.0.problems {
                let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
                let message = format!("{}{help}", problem.message);
                problems = match begin::field_at(&text, problem.line, &wanted) {
                    // An empty field has been told of already.
                    Some(field) if problems.about(&field).is_some() => problems,
                    Some(field) => problems.and(field, message),
                    None => problems.and("with", format!("Line {} of the file: {message}", problem.line)),
                };
            }
        }
        Err(problem) if problem.http_status() == StatusCode::UNPROCESSABLE_ENTITY => {
            problems = problem.errors().iter().fold(problems, |all, one| all.and("id", one.message.clone()));
        }
        Err(problem) => return Err(problem.into()),
    }
    if visit.app.gateway.planes().book().get(fields.get("id")).is_some() {
        problems = problems.and("id", "There is a carrier with this id already; choose another one.");
    }
    let in_editor = fields.get("do") == "editor";
    if !problems.is_empty() && !in_editor {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form(&visit, connector, &fields, &problems)).into_response());
    }
    let why = format!("Connected: {}", fields.get("name"));
    fields.put("text", text);
    fields.put("reason", why);
    fields.put("then", "login");
    if !problems.is_empty() {
        let above = html! { (steps(2)) p.note.look { "This is the file as far as it goes. “Validate” says line by line what is missing." } };
        return Ok(blank(&visit, &above, &fields, &Problems::none()).into_response());
    }
    let above = html! {
        (steps(2))
        p.note.good role="status" { strong { "No problem found." } " Nothing was added yet. Look it through; what stands after a # explains the line. The carrier’s guide may want more than you were asked." }
    };
    Ok(blank(&visit, &above, &fields, &Problems::none()).into_response())
}

/// What was left empty and must not be.
fn empty(fields: &Fields, wanted: &[Wanted]) -> Problems {
    let common = ["name", "hosts"].map(str::to_owned).into_iter();
    let missing = common.chain(wanted.iter().map(Wanted::name)).filter(|name| fields.get(name).is_empty());
    missing.fold(Problems::none(), |all, name| all.and(name, "This must not be empty."))
}
