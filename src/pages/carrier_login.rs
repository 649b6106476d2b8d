//! A practice's login at a carrier: entered, tried, never shown.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::CredentialField;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::carriers::{ends, page};
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::csrf;
use super::parts::badge::Tone;
use super::parts::field::{area, date, date_of, text};
use super::parts::lists::{note, pairs};
use super::parts::problems::Problems;
use super::parts::stamp::{ago, moment};
use super::parts::words::plain;
use super::visit::Visit;
use crate::api::body::Body;
use crate::api::carriers::CarrierView;
use crate::api::{Problem, credentials};
use crate::identity::Scope;

/// What stands on a carrier's page about its login.
pub async fn section(
    visit: &Visit,
    row: &CarrierView,
    fields: &Fields,
    problems: &Problems,
) -> Result<Markup, Problem> {
    if row.credential != "per_practice" {
        return Ok(html! {
            section.card #login {
                h2 { "Login" }
                p { "This carrier is reached with the gateway’s own credential. Whoever runs the gateway stores it: " code { "portico vault put" } "." }
            }
        });
    }
    if !visit.may(Scope::Credentials) {
        return Ok(html! {
            section.card #login { h2 { "Login" } p { "The practice’s administrator enters and tries it." } }
        });
    }
    let stored = credentials::list(State(visit.app.clone()), visit.api()).await?.0.credentials;
    let stored = stored.into_iter().find(|one| one.carrier == row.id);
    let hosts = visit.app.gateway.planes().book().get(&row.id).map(|carrier| carrier.hosts.clone()).unwrap_or_default();
    Ok(html! {
        section.card.stack #login {
            h2 { "Login" }
            @if let Some(stored) = &stored {
                @if moved(&hosts, &stored.origins) {
                    (note(Tone::Look, "Enter it anew.", "The carrier’s file names other hosts than when this login was entered. It is not sent there until a person has entered it again."))
                }
                (pairs(&[
                    ("State", html! { (plain(&stored.state)) @if let Some(reason) = &stored.reason { ": " (plain(reason)) } }),
                    ("Entered", html! { (moment(stored.created_at, &visit.zone())) ", change no. " (stored.generation) }),
                    ("Last used", html! { @match stored.last_used_at { Some(at) => { (ago(at)) } None => { "never" } } }),
                    ("Ends", html! { @match stored.expires_at { Some(at) => { (ends(visit, at)) } None => { "nobody has said" } } }),
                    ("Goes only to", html! { (stored.origins.join(", ")) }),
                ]))
                form method="post" action={ "/carriers/" (row.id) "/verify" } {
                    (csrf(visit))
                    button.button type="submit" disabled[stored.state == "disabled"] { "Try this login once" }
                    " " span.soft.small { "One sign-in, no question. A refused login is not tried again by itself." }
                }
            } @else {
                p { "The practice has no login here yet." }
            }
            (form(visit, row, stored.is_some(), fields, problems))
        }
    })
}

/// Whether a carrier has hosts that its login was not entered for. The vault holds that rule; this only tells of it.
fn moved(hosts: &[String], pinned: &[String]) -> bool {
    let spelled = |host: &String| host.to_ascii_lowercase().trim_end_matches(":443").to_owned();
    hosts.iter().any(|host| !pinned.contains(&spelled(host)))
}

fn form(visit: &Visit, row: &CarrierView, replaces: bool, fields: &Fields, problems: &Problems) -> Markup {
    html! {
        details.fold open[!replaces || !problems.is_empty()] {
            summary { @if replaces { "Enter a new login" } @else { "Enter the login" } }
            form.stack method="post" action={ "/carriers/" (row.id) "/login" } autocomplete="off" {
                (csrf(visit))
                p.soft { "What is entered here is sealed and never shown again, to nobody. It replaces what was there." }
                @if row.credential_fields.is_empty() { p { "This carrier needs no login." } }
                @for field in &row.credential_fields { (entry(field, fields, problems)) }
                (date("expires", "Ends on (if it does)", "When the password’s age or the client secret ends: you are reminded before. A client certificate says its own end", false, fields, problems))
                div.row {
                    button.button.first name="then" value="try" { "Store and try it" }
                    button.button name="then" value="store" { "Store it only" }
                }
            }
        }
    }
}

/// One field of a login. What was typed comes back only where it is a name, not a secret.
fn entry(field: &CredentialField, fields: &Fields, problems: &Problems) -> Markup {
    let name = format!("fields.{}", field.name);
    let label = if field.optional { format!("{} (if there is one)", field.label) } else { field.label.clone() };
    if is_long(&field.name) {
        let hint = "The whole text, with its BEGIN and END lines";
        return area(&name, &label, Some(hint), true, &Fields::default(), problems);
    }
    let kind = if is_name(&field.name) { "text" } else { "password" };
    let complete = if kind == "password" { "new-password" } else { "off" };
    text(&name, &label).kind(kind).complete(complete).max(16_384).show(fields, problems)
}

/// Keys and certificates have several lines.
fn is_long(name: &str) -> bool {
    ["pem", "certificate", "private_key", "client_key"].iter().any(|part| name.contains(part))
}

fn is_name(name: &str) -> bool {
    matches!(name, "username" | "user" | "user_id" | "client_id" | "account")
}

/// `POST /carriers/{id}/login`
pub async fn put(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Credentials)?;
    let wanted = super::carriers::view(&visit, &id).await?.credential_fields;
    let body = match body(&visit, &fields, &wanted) {
        Ok(body) => body,
        Err(sentence) => return wrong(&visit, &id, &fields, &Problems::none().and("expires", sentence)).await,
    };
    let body = Body(serde_json::to_vec(&body).unwrap_or_default().into());
    match credentials::put(State(visit.app.clone()), visit.api(), Path(id.clone()), body).await {
        Ok(_) if fields.get("then") == "try" => tried(&visit, &id).await,
        Ok(_) => Ok(Redirect::to(&format!("/carriers/{id}?said=saved")).into_response()),
        Err(problem) if problem.errors().is_empty() => Err(problem.into()),
        Err(problem) => wrong(&visit, &id, &fields, &Problems::of(&problem, "")).await,
    }
}

/// The API's body. Values go as they were typed: spaces may belong to a password.
fn body(visit: &Visit, fields: &Fields, wanted: &[CredentialField]) -> Result<Value, String> {
    let today = visit.app.gateway.today();
    let values = wanted.iter().map(|field| (field.name.clone(), fields.raw(&format!("fields.{}", field.name))));
    let values: Map<String, Value> = values
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let value = if is_name(&name) { value.trim() } else { value };
            (name, Value::from(value))
        })
        .collect();
    let mut body = json!({ "fields": values });
    if let Some(day) = date_of(fields, "expires", today)? {
        // Good through that day.
        let end = day
            .tomorrow()
            .and_then(|next| next.to_zoned(visit.zone()))
            .map_err(|_| "There is no such day.".to_owned())?;
        body["expires_at"] = Value::from(end.timestamp().to_string());
    }
    Ok(body)
}

async fn wrong(visit: &Visit, id: &str, fields: &Fields, problems: &Problems) -> Result<Response, Fault> {
    let page = page(visit, id, None, fields, problems).await?;
    Ok((http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// `POST /carriers/{id}/verify`
pub async fn verify(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Credentials)?;
    tried(&visit, &id).await
}

/// Has the login tried once, and tells what the carrier said.
async fn tried(visit: &Visit, id: &str) -> Result<Response, Fault> {
    let verified = credentials::verify(State(visit.app.clone()), visit.api(), Path(id.to_owned())).await?.0;
    let said = match verified.verified {
        Some(true) => "let-in",
        None => "at-next",
        Some(false) => {
            let problems = Problems::said(format!("The login was tried once. {}", verified.text));
            return wrong(visit, id, &Fields::default(), &problems).await;
        }
    };
    Ok(Redirect::to(&format!("/carriers/{id}?said={said}")).into_response())
}

/// The id of who stored a practice's login at a carrier: what the trail's records say.
pub async fn entered_by(visit: &Visit, carrier: &str) -> Result<Option<String>, Fault> {
    let filter = crate::trail::Filter {
        action: Some("credential.put".to_owned()),
        carrier: Some(carrier.to_owned()),
        ..Default::default()
    };
    let found = visit.app.trail.list(visit.caller.practice(), filter, 1).await?;
    Ok(found.into_iter().next().map(|record| record.actor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hosts_are_seen() {
        let list = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        assert!(!moved(&list(&["EDI.acme.example:443"]), &list(&["edi.acme.example", "b.example"])));
        assert!(moved(&list(&["edi.acme.example", "new.example"]), &list(&["edi.acme.example"])));
    }

    #[test]
    fn a_secret_that_was_typed_does_not_come_back() {
        let mut fields = Fields::default();
        for name in ["username", "password", "totp_seed", "client_certificate"] {
            fields.put(&format!("fields.{name}"), format!("typed-{name}"));
        }
        let show = |name: &str| entry(&CredentialField::required(name, name), &fields, &Problems::none()).into_string();
        assert!(show("username").contains("typed-username"));
        for name in ["password", "totp_seed", "client_certificate"] {
            assert!(!show(name).contains("typed-"), "{}", show(name));
        }
        assert!(show("client_certificate").contains("<textarea"));
    }
}
