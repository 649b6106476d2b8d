//! Developer: API keys, what the connectors can do, how deliveries are signed, and a place to try the API.

pub mod example;
pub mod explorer;
pub mod sandbox;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::account::Said;
use super::admin::once;
use super::admin::roles::means;
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{self, Place, csrf};
use super::parts::badge::{Tone, badge, shape};
use super::parts::field::text;
use super::parts::lists::{empty, raw};
use super::parts::problems::Problems;
use super::parts::stamp::moment;
use super::visit::Visit;
use crate::api::body::Body;
use crate::api::people;
use crate::identity::{ApiKeyInfo, Scope};
use crate::registry;

const HERE: &str = "/developer";

/// `GET /developer`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    whole(&visit, &frame::said(said.said.as_deref()), &Fields::default(), &Problems::none()).await
}

async fn whole(visit: &Visit, above: &Markup, fields: &Fields, problems: &Problems) -> Result<Markup, Fault> {
    let keys = people::keys(State(visit.app.clone()), visit.api()).await?.0.keys;
    let body = html! {
        div.stack {
            (above)
            (problems.summary())
            div.head {
                h1 { "Developer" }
                div.row {
                    a.button.first href="/developer/explorer" { "Try the API" }
                    @if visit.app.simulated.is_some() { a.button href="/developer/sandbox" { "Simulated carriers" } }
                    a.button href="/docs" { "All addresses" }
                    a.button href="/openapi.json" { "openapi.json" }
                }
            }
            (key_list(visit, &keys))
            (key_form(visit, fields, problems))
            (connectors())
            (signatures())
        }
    };
    Ok(visit.page(Place::Developer, "Developer", body))
}

fn key_list(visit: &Visit, keys: &[ApiKeyInfo]) -> Markup {
    html! {
        section.stack {
            h2 { "API keys" }
            @if keys.is_empty() { (empty("There is no key yet.", html! {})) } @else {
                div.table { table.cards {
                    thead { tr { th { "For" } th { "May" } th { "Made" } th { "State" } th { span.hidden { "What to do" } } } }
                    tbody { @for key in keys {
                        tr data-row {
                            th scope="row" { (key.label) " " span.soft.small { (key.id) } }
                            td data-label="May" {
                                @let words: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
                                @if words.is_empty() { span.soft { "nothing" } } @else { (words.join(", ")) }
                            }
                            td data-label="Made" { (moment(key.created_at, &visit.zone())) }
                            td data-label="State" {
                                @match key.revoked_at {
                                    Some(at) => { (badge(Tone::Calm, shape::BARRED, "Revoked")) " " (moment(at, &visit.zone())) }
                                    None => { (badge(Tone::Good, shape::CHECK, "Valid")) }
                                }
                            }
                            td {
                                @if key.revoked_at.is_none() {
                                    form method="post" action={ "/developer/keys/" (key.id) "/revoke" } {
                                        (csrf(visit))
                                        button.button.slim.danger type="submit" { "Revoke" span.hidden { ": " (key.label) } }
                                    }
                                }
                            }
                        }
                    } }
                } }
            }
        }
    }
}

fn key_form(visit: &Visit, fields: &Fields, problems: &Problems) -> Markup {
    let ticked = |word: &str| fields.all("scopes").any(|one| one == word);
    html! {
        section.card.stack {
            h2 { "Make a key" }
            form.stack method="post" action="/developer/keys" {
                (csrf(visit))
                (text("label", "What it is for").max(100).show(fields, problems))
                fieldset.field #f-scopes {
                    legend { "What it may do" }
                    span.hint { "No more than you may." }
                    @if let Some(wrong) = problems.about("scopes") { span.wrong { (wrong) } }
                    div.choices.down {
                        @for scope in Scope::ALL.into_iter().filter(|scope| visit.may(*scope)) {
                            label {
                                input type="checkbox" name="scopes" value=(scope.word()) checked[ticked(scope.word())];
                                span { code { (scope.word()) } ": " (means(scope)) }
                            }
                        }
                    }
                }
                button.button.first type="submit" { "Make it" }
            }
        }
    }
}

/// `POST /developer/keys`: the key is shown in the answer, and only there.
pub async fn make_key(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Admin)?;
    let scopes: Vec<&str> = fields.all("scopes").collect();
    let body = json!({ "label": fields.get("label"), "scopes": scopes }).to_string();
    match people::create_key(State(visit.app.clone()), visit.api(), Body(body.into_bytes().into())).await {
        Ok(made) => {
            let above = once("API key", &made.0.key, "Programs send it as “Authorization: Bearer …”.", HERE);
            Ok(whole(&visit, &above, &Fields::default(), &Problems::none()).await?.into_response())
        }
        Err(problem) => {
            let page = whole(&visit, &html! {}, &fields, &Problems::of(&problem, "")).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// `POST /developer/keys/{id}/revoke`
pub async fn revoke_key(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    let _ = people::revoke_key(State(visit.app.clone()), visit.api(), Path(id)).await?;
    Ok(Redirect::to("/developer?said=done"))
}

fn connectors() -> Markup {
    html! {
        section.stack {
            h2 { "Connectors" }
            p.soft { "Compiled in. A carrier file names one of them; a new one is a crate of its own." }
            p.soft { "One suite of behaviour holds for all: what is sent byte by byte, every fault in the place of every reply, no patient in an address or an error. It needs recorded conversations from the source tree, so it cannot be run from here: the last column says how, and every run of the project’s tests includes it." }
            div.table { table.cards {
                thead { tr { th { "Connector" } th { "Speaks" } th { "Can do" } th { "Sign-in" } th { "Settings" } th { "Its behaviour, tried" } } }
                tbody { @for connector in registry::CONNECTORS {
                    tr data-row {
                        th scope="row" { code { (connector.name) } }
                        td data-label="Speaks" { (connector.speaks) }
                        td data-label="Can do" { (connector.operations.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ")) }
                        td data-label="Sign-in" { (connector.sign_in) }
                        td data-label="Settings" { (settings(&(connector.settings_schema)())) }
                        td data-label="Its behaviour, tried" { code { "cargo test -p " (connector.name) " --test behaviour" } }
                    }
                } }
            } }
        }
    }
}

/// The first level of a connector's settings, with what each means.
fn settings(schema: &Value) -> Markup {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    html! {
        details {
            summary { "Show" }
            dl.pairs {
                @for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                    dt { code { (name) } @if required(name) { " (must be there)" } }
                    dd { (property["description"].as_str().unwrap_or_default()) }
                }
            }
        }
    }
}

/// How a receiver checks a delivery, in the words of Standard Webhooks.
fn signatures() -> Markup {
    const SAMPLE: &str = "webhook-id: evt_…\nwebhook-timestamp: 1614265330\nwebhook-signature: v1,<Base64 of the HMAC-SHA256>\n\n\
        # Python\nimport base64, hashlib, hmac\n\
        key = base64.b64decode(secret.removeprefix(\"whsec_\"))\n\
        signed = f\"{webhook_id}.{webhook_timestamp}.\".encode() + body   # the body's very bytes\n\
        good = \"v1,\" + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()\n\
        assert any(hmac.compare_digest(good, one) for one in webhook_signature.split())\n\
        assert abs(time.time() - int(webhook_timestamp)) < 300";
    html! {
        section.stack {
            h2 { "Signatures of webhooks" }
            p { "Deliveries are signed as Standard Webhooks 1.0 has it. Webhooks are made in " a href="/admin/webhooks" { "Admin" } "." }
            (raw("How a delivery is checked", SAMPLE))
        }
    }
}
