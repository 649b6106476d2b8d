//! One's own account: practices, sessions, password, one-time codes.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{self, Place, csrf};
use super::parts::badge::{Tone, badge, shape};
use super::parts::field::text;
use super::parts::problems::Problems;
use super::parts::stamp::{ago, moment};
use super::parts::words::plain;
use super::sign_in::{waiting, with_cookies};
use super::visit::Visit;
use crate::api::Problem;

/// A word to be told.
#[derive(Deserialize)]
pub struct Said {
    /// Of the closed list in [`frame::said`].
    pub said: Option<String>,
}

/// `GET /account`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    page(&visit, said.said.as_deref(), &Problems::none()).await
}

async fn page(visit: &Visit, said: Option<&str>, problems: &Problems) -> Result<Markup, Fault> {
    let sessions = visit.app.identity.sessions(&visit.caller).await.map_err(Problem::from)?;
    let own = sessions.iter().filter(|session| session.person == visit.session.person);
    let none = Fields::default();
    let body = html! {
        div.stack {
            (frame::said(said))
            (problems.summary())
            h1 { "Your account" }
            p { (visit.session.name) " · " (visit.session.email) " · " (plain(visit.session.role.word())) }
            @if visit.session.memberships.len() > 1 {
                section.card #practices {
                    h2 { "Practices" }
                    div.row {
                        @for membership in &visit.session.memberships {
                            @if membership.practice == visit.session.practice.as_str() {
                                (badge(Tone::Good, shape::CHECK, &membership.name))
                            } @else {
                                form method="post" action="/account/practice" {
                                    (csrf(visit))
                                    button.button name="practice" value=(membership.practice) { "Go on in " (membership.name) }
                                }
                            }
                        }
                    }
                }
            }
            div.grid {
                section.card.stack {
                    h2 { "Password" }
                    form.stack method="post" action="/account/password" {
                        (csrf(visit))
                        (text("current_password", "The present one").kind("password").complete("current-password").show(&none, problems))
                        (text("new_password", "The new one").hint("Twelve characters at least").kind("password")
                            .complete("new-password").show(&none, problems))
                        button.button type="submit" { "Change it" }
                        p.soft.small { "Every other session of yours ends." }
                    }
                }
                section.card.stack {
                    h2 { "One-time codes" }
                    p { "A new telephone, or the recovery codes are used up: set them up again." }
                    p { a.button href="/sign-in/enrol" { "Set up one-time codes" } }
                }
            }
            section.stack {
                h2 { "Where you are signed in" }
                div.table {
                    table.cards {
                        thead { tr { th { "Since" } th { "Last used" } th { "By" } th { "Ends" } th { span.hidden { "What to do" } } } }
                        tbody {
                            @for session in own {
                                tr {
                                    td data-label="Since" { (moment(session.created_at, &visit.zone())) }
                                    td data-label="Last used" { (ago(session.seen_at)) }
                                    td data-label="By" { (plain(session.level.word())) }
                                    td data-label="Ends" { (moment(session.expires_at, &visit.zone())) }
                                    td {
                                        @if session.id == visit.session.id { "this one" } @else {
                                            form method="post" action={ "/account/sessions/" (session.id) "/end" } {
                                                (csrf(visit)) button.button.slim type="submit" { "End it" }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(visit.page(Place::Account, "Your account", body))
}

/// `POST /account/password`
pub async fn password(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let (current, new) = (fields.secret("current_password"), fields.secret("new_password"));
    match visit.app.identity.change_password(&visit.session, &current, &new).await {
        Ok(started) => Ok(with_cookies(&visit.door, &started, Redirect::to("/account?said=saved"))),
        Err(declined) => {
            let problem = Problem::from(declined);
            let problems = match problem.errors().is_empty() {
                true => Problems::none().and("current_password", waiting(&problem)),
                false => Problems::of(&problem, ""),
            };
            // Not 401: the browser is signed in, only the form is wrong.
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&visit, None, &problems).await?).into_response())
        }
    }
}

/// `POST /account/practice`
pub async fn practice(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let switched = visit.app.identity.switch_practice(&visit.session, fields.get("practice")).await;
    let started = switched.map_err(Problem::from)?;
    Ok(with_cookies(&visit.door, &started, Redirect::to("/")))
}

/// `POST /account/sessions/{id}/end`
pub async fn end(
    axum::extract::Path(id): axum::extract::Path<String>,
    Sent { visit, .. }: Sent,
) -> Result<Redirect, Fault> {
    visit.app.identity.revoke_session(&visit.caller, &id).await.map_err(Problem::from)?;
    Ok(Redirect::to("/account?said=done"))
}
