//! Webhooks: who is told of what happens, and how that goes.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;

use super::{once, page};
use crate::api::events;
use crate::events::WebhookInfo;
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{self, csrf};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::field::text;
use crate::pages::parts::lists::empty;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::{ago, moment};
use crate::pages::visit::Visit;

const HERE: &str = "/admin/webhooks";

/// `GET /admin/webhooks`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    whole(&visit, &frame::said(said.said.as_deref()), &Fields::default(), &Problems::none()).await
}

async fn whole(visit: &Visit, above: &Markup, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    let hooks = events::webhooks(State(visit.app.clone()), visit.api()).await?.0;
    let body = html! {
        (above)
        (problems.summary())
        h1 { "Webhooks" }
        p.soft { "Other programs of the practice are told what happens: which submission, which state, never which patient." }
        @if hooks.is_empty() { (empty("Nobody is told yet.", html! {})) } @else {
            div.table { table.cards {
                thead { tr { th { "Address" } th { "Told of" } th { "State" } th { "Last delivery" } th { "Made" } th { "Change" } } }
                tbody { @for hook in &hooks { (line(visit, hook)) } }
            } }
        }
        section.card.stack {
            h2 { "Tell another program" }
            form.stack method="post" action="/admin/webhooks" {
                (csrf(visit))
                (text("url", "Address").hint("https://…").kind("url").max(2_000).show(fields, problems))
                (text("kinds", "Kinds of events").hint("Separated by commas, such as submission. or batch.; empty: all").show(fields, problems))
                button.button.first type="submit" { "Make it" }
                p.soft.small { "Its secret is shown once, when it is made: with it the receiver checks the signature." }
            }
        }
    };
    Ok(page(visit, HERE, "Webhooks", &body))
}

fn line(visit: &Visit, hook: &WebhookInfo) -> Markup {
    let at = format!("/admin/webhooks/{}", hook.id);
    html! {
        tr data-row {
            th scope="row" { (hook.url) }
            td data-label="Told of" { @if hook.kinds.is_empty() { "everything" } @else { (hook.kinds.join(", ")) } }
            td data-label="State" {
                @match (hook.state.as_str(), hook.failures) {
                    ("active", 0) => { (badge(Tone::Good, shape::CHECK, "Active")) }
                    ("active", failures) => { (badge(Tone::Look, shape::BOLT, &format!("Failing: {failures}"))) }
                    _ => { (badge(Tone::Bad, shape::BARRED, "Switched off")) }
                }
                @if let Some(status) = hook.last_status { " " span.soft.small { "last reply " (status) } }
            }
            td data-label="Last delivery" { @match hook.delivered_at { Some(at) => { (ago(at)) } None => { span.soft { "never" } } } }
            td data-label="Made" { (moment(hook.created_at, &visit.zone())) }
            td {
                div.row {
                    @if hook.state != "active" {
                        form method="post" action={ (at) "/enable" } { (csrf(visit)) button.button.slim type="submit" { "Switch on" } }
                    }
                    form method="post" action={ (at) "/remove" } {
                        (csrf(visit))
                        button.button.slim.danger type="submit" { "Take away" span.hidden { ": " (hook.url) } }
                    }
                }
            }
        }
    }
}

/// `POST /admin/webhooks`: the secret is shown in the answer, and only there.
pub async fn make(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let kinds: Vec<&str> = fields.get("kinds").split(',').map(str::trim).filter(|kind| !kind.is_empty()).collect();
    let body = json!({ "url": fields.get("url"), "kinds": kinds }).to_string();
    match events::made(&visit.app, &visit.api(), body.as_bytes()).await {
        Ok(made) => {
            let after = "Give it to whoever runs the receiving program.";
            let above = once("Secret of the webhook", &made.secret, after, HERE);
            Ok(whole(&visit, &above, &Fields::default(), &Problems::none()).await?.into_response())
        }
        Err(problem) if problem.http_status() == StatusCode::FORBIDDEN => Err(problem.into()),
        Err(problem) => {
            let page = whole(&visit, &html! {}, &fields, &Problems::of(&problem, "")).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// `POST /admin/webhooks/{id}/enable`
pub async fn enable(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    events::enable(State(visit.app.clone()), visit.api(), Path(id)).await?;
    Ok(Redirect::to("/admin/webhooks?said=done"))
}

/// `POST /admin/webhooks/{id}/remove`
pub async fn remove(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    events::delete(State(visit.app.clone()), visit.api(), Path(id)).await?;
    Ok(Redirect::to("/admin/webhooks?said=removed"))
}
