//! The practice's people: who there is, what they are, how they come in and go.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{once, page, roles};
use crate::api::body::Body;
use crate::api::{Problem, people};
use crate::identity::{Member, Role, Scope};
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{self, csrf};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::field::{select, text};
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::day;
use crate::pages::parts::words::plain;
use crate::pages::visit::Visit;

const HERE: &str = "/admin/people";

/// `GET /admin/people`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    let first = Fields::of([("role", Role::FrontDesk.word().to_owned())]);
    whole(&visit, &frame::said(said.said.as_deref()), &first, &Problems::none()).await
}

async fn whole(visit: &Visit, above: &Markup, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    let all = people::list(State(visit.app.clone()), visit.api()).await?.0.people;
    let body = html! {
        (above)
        (problems.summary())
        h1 { "People" }
        div.table { table.cards {
            thead { tr { th { "Name" } th { "Signs in as" } th { "Role" } th { "Sign-in" } th { "Since" } th { "Change" } } }
            tbody { @for member in &all { (line(visit, member)) } }
        } }
        section.card.stack {
            h2 { "Invite somebody" }
            form.stack method="post" action="/admin/people" {
                (csrf(visit))
                div.fields {
                    (text("email", "E-mail address").kind("email").max(254).show(fields, problems))
                    (text("name", "Name").show(fields, problems))
                    (select("role", "Role", &roles::options(), fields, problems))
                }
                button.button.first type="submit" { "Invite" }
                p.soft.small { "You get an invitation to hand over. With it they set a password, then one-time codes." }
            }
        }
        section.stack { h2 { "What each role may do" } (roles::matrix()) }
    };
    Ok(page(visit, HERE, "People", &body))
}

fn line(visit: &Visit, member: &Member) -> Markup {
    let own = member.id == visit.session.person;
    let at = format!("/admin/people/{}", member.id);
    let label = format!("Role of {}", member.name);
    html! {
        tr data-row {
            th scope="row" { (member.name) @if own { " " span.soft.small { "(you)" } } }
            td data-label="Signs in as" { (member.email) }
            td data-label="Role" { (plain(member.role.word())) }
            td data-label="Sign-in" {
                @match (member.password_set, member.totp_set) {
                    (false, _) => { (badge(Tone::Look, shape::DOTS, "Invited")) }
                    (true, false) => { (badge(Tone::Look, shape::LOCK, "Password only")) }
                    (true, true) => { (badge(Tone::Good, shape::CHECK, "Complete")) }
                }
            }
            td data-label="Since" { (day(member.since.to_zoned(visit.zone()).date())) }
            td {
                details.tight {
                    summary { "Change" span.hidden { " " (member.name) } }
                    form.row method="post" action={ (at) "/role" } {
                        (csrf(visit))
                        select name="role" aria-label=(label) {
                            @for role in Role::ALL { option value=(role.word()) selected[role == member.role] { (plain(role.word())) } }
                        }
                        button.button.slim type="submit" { "Change role" }
                    }
                    form.row method="post" action={ (at) "/reset" } {
                        (csrf(visit))
                        button.button.slim type="submit" { "Reset the sign-in" }
                        span.soft.small { "Password, codes and sessions go; a new invitation comes." }
                    }
                    form.row method="post" action={ (at) "/remove" } {
                        (csrf(visit))
                        label.row { input type="checkbox" name="sure" value="yes" required; "I mean it:" }
                        button.button.slim.danger type="submit" { "Take out of the practice" }
                    }
                }
            }
        }
    }
}

fn bytes(body: &Value) -> Body {
    Body(body.to_string().into_bytes().into())
}

/// `POST /admin/people`: the invitation is shown in the answer, and only there.
pub async fn invite(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Admin)?;
    let body = json!({ "email": fields.get("email"), "name": fields.get("name"), "role": fields.get("role") });
    match people::add(State(visit.app.clone()), visit.api(), bytes(&body)).await {
        Ok(added) => invited(&visit, fields.get("name"), added.0.invitation.as_deref()).await,
        Err(problem) => wrong(&visit, &fields, &problem).await,
    }
}

async fn invited(visit: &Visit, name: &str, invitation: Option<&str>) -> Result<Response, Fault> {
    let Some(invitation) = invitation else {
        // An account of another practice joined with the password it has.
        return Ok(Redirect::to("/admin/people?said=done").into_response());
    };
    let after = format!(
        "Hand it to {name}, by another way than e-mail if you can. It is good for 72 hours, at the page /invitation of this gateway."
    );
    let above = once("Invitation", invitation, &after, HERE);
    Ok(whole(visit, &above, &Fields::default(), &Problems::none()).await?.into_response())
}

async fn wrong(visit: &Visit, fields: &Fields, problem: &Problem) -> Result<Response, Fault> {
    let page = whole(visit, &html! {}, fields, &Problems::of(problem, "")).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Changes somebody; a refusal stands above the list.
async fn change(visit: &Visit, id: String, body: Value) -> Result<Result<people::PersonChanged, Response>, Fault> {
    visit.need(Scope::Admin)?;
    match people::change(State(visit.app.clone()), visit.api(), Path(id), bytes(&body)).await {
        Ok(changed) => Ok(Ok(changed.0)),
        Err(problem) => Ok(Err(wrong(visit, &Fields::default(), &problem).await?)),
    }
}

/// `POST /admin/people/{id}/role`
pub async fn role(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    Ok(match change(&visit, id, json!({ "role": fields.get("role") })).await? {
        Ok(_) => Redirect::to("/admin/people?said=saved").into_response(),
        Err(response) => response,
    })
}

/// `POST /admin/people/{id}/reset`
pub async fn reset(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Response, Fault> {
    match change(&visit, id, json!({ "reset": true })).await? {
        Ok(changed) => {
            // One who resets their own sign-in has no session any more; the invitation must be seen all the same.
            if changed.id == visit.session.person {
                let body = once("Invitation", changed.invitation.as_deref().unwrap_or_default(), "", "/invitation");
                return Ok(frame::bare("Invitation", true, body).into_response());
            }
            invited(&visit, "the person", changed.invitation.as_deref()).await
        }
        Err(response) => Ok(response),
    }
}

/// `POST /admin/people/{id}/remove`
pub async fn remove(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Admin)?;
    if !fields.ticked("sure") {
        let problems = Problems::said("Nobody was taken out: tick “I mean it” first.");
        let page = whole(&visit, &html! {}, &Fields::default(), &problems).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    match people::remove(State(visit.app.clone()), visit.api(), Path(id)).await {
        Ok(_) => Ok(Redirect::to("/admin/people?said=removed").into_response()),
        Err(problem) => wrong(&visit, &Fields::default(), &problem).await,
    }
}
