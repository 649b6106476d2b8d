//! What came of a question: the answer, a refusal, nothing, or not yet.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use connector_sdk::{ErrorKind, WhoActs};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::typed::{self, Typed};
use super::{carriers, refused};
use crate::api::changes;
use crate::api::eligibility::{self, Stored};
use crate::identity::Scope;
use crate::pages::benefits;
use crate::pages::carrier_health;
use crate::pages::fault::Fault;
use crate::pages::fields::Fields;
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::badge::{Tone, standing};
use crate::pages::parts::field::date_of;
use crate::pages::parts::lists::note;
use crate::pages::parts::stamp::{ago, lasts, moment};
use crate::pages::visit::Visit;
use crate::patients::Badge;
use crate::stack::{Envelope, Failure, OutcomeWord};
use crate::trail::PatientKey;

/// How often a page that waits is loaded again, seconds.
const LOOK_EVERY: &str = "2";
/// Earlier questions that are looked through for a saved answer.
const SAVED_MAX: u32 = 8;

/// How the page is wanted.
#[derive(Default, Deserialize)]
pub struct View {
    /// `1`: everything open, for paper.
    pub print: Option<String>,
    /// What was done, of a closed list.
    pub said: Option<String>,
}

/// One try at the same question.
pub struct Try {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub badge: Badge,
    /// One sentence.
    pub text: Option<String>,
}

/// `GET /checks/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>, Query(view): Query<View>) -> Result<Response, Fault> {
    let stored = match eligibility::stored(&visit.app, &visit.api(), &id).await {
        Err(problem) if problem.http_status() == StatusCode::GONE => return interrupted(&visit, &id).await,
        other => other?,
    };
    let envelope: Envelope = match stored {
        Stored::Awaited(envelope) => return pending(&visit, &envelope).await,
        Stored::Ended(bytes) => serde_json::from_slice(&bytes).map_err(|_| unreadable())?,
    };
    let typed = typed::of(&visit.app, visit.caller.practice(), &id, &envelope.carrier).await?.unwrap_or_default();
    let tries = tries(&visit, &typed, &id).await?;
    let page = match envelope.outcome {
        OutcomeWord::Answered => answered(&visit, &envelope, &typed, &tries, &view).await?,
        OutcomeWord::Refused => return refused::page(&visit, &envelope, &typed, &tries).await,
        OutcomeWord::Failed | OutcomeWord::Pending => failed(&visit, &envelope, &typed, &tries).await?,
    };
    Ok(page.into_response())
}

async fn answered(
    visit: &Visit,
    envelope: &Envelope,
    typed: &Typed,
    tries: &[Try],
    view: &View,
) -> Result<Markup, Fault> {
    let scene =
        benefits::Scene::of(&visit.app, envelope, &typed.fields, view.print.is_some()).ok_or_else(unreadable)?;
    let changes = changes::since(&visit.app, &visit.api(), envelope).await?;
    let known = match typed.fields.some("patient_id") {
        Some(patient) => visit.app.patients.get(visit.caller.practice(), patient).await?,
        None => None,
    };
    // The patient's own values stand beside the carrier's.
    if let Some(known) = &known {
        visit.app.patients.record_reading(&visit.caller, "patient.read", &known.id).await?;
    }
    let hands = benefits::Hands { visit, tries, known: known.as_ref(), said: view.said.as_deref() };
    Ok(benefits::page(&hands, &scene, changes.as_ref()))
}

fn unreadable() -> Fault {
    Fault::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The answer cannot be shown",
        "It is stored, but this version of the gateway cannot read it. Whoever runs it finds it in the paper trail.",
    )
}

/// The tries at the same question, this one the last.
async fn tries(visit: &Visit, typed: &Typed, id: &str) -> Result<Vec<Try>, Fault> {
    let mut tries = Vec::with_capacity(typed.before.len() + 1);
    for ask in typed.before.iter().map(String::as_str).chain([id]) {
        if let Some(gist) = visit.app.patients.gist(visit.caller.practice(), ask).await? {
            tries.push(Try { id: ask.to_owned(), at: gist.as_of, badge: gist.badge, text: gist.text.clone() });
        }
    }
    Ok(tries)
}

/// The tries as a list; nothing where there is only this one.
pub fn history(visit: &Visit, tries: &[Try]) -> Markup {
    let now = tries.len().saturating_sub(1);
    html! {
        @if tries.len() > 1 {
            section.stack.no-print {
                h2 #tries { "Every try at this question" }
                ol.timeline {
                    @for (place, one) in tries.iter().enumerate() {
                        li {
                            div.row {
                                span.stamp { (moment(one.at, &visit.zone())) } span.what { "Try " (place + 1) }
                                (standing(one.badge))
                                @if place == now { span.soft { "this one" } }
                                @else { a href={ "/checks/" (one.id) } { "open try " (place + 1) } }
                            }
                            @if let Some(text) = &one.text { div.soft.small { (text) } }
                        }
                    }
                }
            }
        }
    }
}

/// Known parts at once, the last answer among them; it loads itself again, without scripts, for as long as the carrier is
/// awaited.
async fn pending(visit: &Visit, envelope: &Envelope) -> Result<Response, Fault> {
    let typed = typed::of(&visit.app, visit.caller.practice(), &envelope.id, &envelope.carrier).await?;
    let typed = typed.unwrap_or_default();
    let saved = saved(visit, envelope, &typed.fields).await?;
    let carrier = visit.carrier_name(&envelope.carrier);
    let limit = carriers::plane(visit, &envelope.carrier).map(|plane| plane.carrier.limits.deadline.as_secs());
    let body = html! {
        div.stack {
            div.row { h1 { "Asking " (carrier) "…" } (standing(Badge::Waiting)) }
            p.lead role="status" {
                "Asked " (ago(envelope.freshness.as_of)) ", no answer yet."
                @if let Some(limit) = limit { " We give up after " (limit) " s." }
            }
            progress aria-label="Waiting for the carrier" {}
            p { "This page looks again every " (LOOK_EVERY) " seconds by itself. You may leave it: the answer is stored as soon as it comes, under this address." }
            p.row { a.button.first href={ "/checks/" (envelope.id) } { "Look now" } a.button href="/check" { "Check somebody else" } }
            @if let Some(saved) = &saved { (benefits::earlier(&visit.app, saved, &typed.fields)) }
        }
    };
    let mut response = visit.page(Place::Check, "Asking the carrier", body).into_response();
    response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(LOOK_EVERY));
    Ok(response)
}

async fn interrupted(visit: &Visit, id: &str) -> Result<Response, Fault> {
    let body = html! {
        div.stack {
            h1 { "The question was interrupted" }
            p.lead { "The gateway was stopped before the carrier answered. That is our side: nothing is wrong with what you typed, and it is kept." }
            (ask_again(visit, id, "Ask again"))
        }
    };
    Ok((StatusCode::OK, visit.page(Place::Check, "Question interrupted", body)).into_response())
}

/// The same question once more, with nothing to fill in.
pub fn ask_again(visit: &Visit, id: &str, text: &str) -> Markup {
    html! {
        form method="post" action={ "/checks/" (id) "/refresh" } {
            (csrf(visit))
            button.button.first type="submit" data-key="r" { (text) }
        }
    }
}

async fn failed(visit: &Visit, envelope: &Envelope, typed: &Typed, tries: &[Try]) -> Result<Markup, Fault> {
    let carrier = visit.carrier_name(&envelope.carrier);
    let broken = Failure {
        kind: ErrorKind::Internal,
        who_acts: WhoActs::Gateway,
        text: "There is no outcome.".to_owned(),
        retry: crate::stack::RetryAdvice { safe: true, after_secs: None },
        facts: serde_json::Map::new(),
    };
    let failure = envelope.failure.as_ref().unwrap_or(&broken);
    let (title, side) = match failure.kind {
        ErrorKind::CarrierPaused => {
            let side = "your practice’s: whoever may resume the carrier does so on its page.".to_owned();
            (format!("{carrier} is paused"), side)
        }
        _ => whose(failure.who_acts, &carrier),
    };
    let notice = carrier_health::notice(visit, &envelope.carrier).await?;
    let saved = saved(visit, envelope, &typed.fields).await?;
    let body = html! {
        div.stack {
            div.row { h1 { (title) } (standing(crate::patients::badge(envelope))) }
            p.lead { (failure.text) }
            p { strong { "Whose side: " } (side) }
            (notice)
            p { strong { "What is kept: " } "your question and everything that was exchanged, in the paper trail. Nothing has to be typed again." }
            @if saved.is_none() { p.soft { "There is no saved answer for this member." } }
            @if failure.kind == ErrorKind::CarrierPaused {
                (ask_again(visit, &envelope.id, "Ask again, once it is resumed"))
            } @else if failure.retry.safe {
                (ask_again(visit, &envelope.id, "Ask again"))
                @if let Some(secs) = failure.retry.after_secs { p { "Not before " (secs) " seconds from " (moment(envelope.freshness.as_of, &visit.zone())) ": before that it comes to the same." } }
            } @else {
                (note(Tone::Look, "Asking again does not help.", "First somebody has to mend what is said above; asking again could do harm (a login may be locked)."))
                div.row { a.button href="/check" { "Check somebody else" } @if visit.may(Scope::Credentials) { a.button href="/admin" { "To the carriers’ logins" } } }
            }
            (history(visit, tries))
            @if let Some(saved) = &saved { (benefits::earlier(&visit.app, saved, &typed.fields)) }
            details.fold {
                summary { "For whoever looks into it" }
                dl.pairs {
                    dt { "Question" } dd { span.number { (envelope.id) } }
                    dt { "Kind" } dd { (failure.kind.name()) }
                    @for (name, value) in &failure.facts { dt { (name) } dd { (plain(value)) } }
                    dt { "Took" } dd { (lasts(envelope.timing.total_ms)) }
                }
                @if visit.may(Scope::Raw) && envelope.evidence.is_some() { p { a href={ "/checks/" (envelope.id) "/raw" } { "What was exchanged" } } }
            }
        }
    };
    Ok(visit.page(Place::Check, "No answer", body))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn whose(who: WhoActs, carrier: &str) -> (String, String) {
    match who {
        WhoActs::Carrier => (
            format!("No answer from {carrier}"),
            format!("the carrier’s. {carrier} has to mend it; nothing is wrong with what you typed."),
        ),
        WhoActs::Wait => (format!("{carrier} is left alone for a moment"), "nobody’s: wait, and ask again.".to_owned()),
        WhoActs::Caller => {
            ("This question cannot be asked".to_owned(), "the question’s. Change what is said above.".to_owned())
        }
        WhoActs::PracticeAdmin => (
            format!("The login at {carrier} does not work"),
            "your practice’s: an administrator has to look at the login.".to_owned(),
        ),
        WhoActs::Person => (
            format!("{carrier} wants a person"),
            format!("your practice’s: somebody has to do something at {carrier}’s own page. It waits under Tasks."),
        ),
        WhoActs::ConnectorAuthor => (
            format!("{carrier} is not understood"),
            "ours: whoever runs this gateway has to look at the carrier’s file.".to_owned(),
        ),
        WhoActs::Gateway => {
            ("The gateway failed".to_owned(), "ours: whoever runs this gateway finds more in its log.".to_owned())
        }
    }
}

/// The last answer that is stored for the same member, if any: a failed call hides nothing. That it is read is on record.
pub async fn saved(visit: &Visit, envelope: &Envelope, fields: &Fields) -> Result<Option<Envelope>, Fault> {
    let practice = visit.caller.practice();
    let mut asks: Vec<String> = Vec::new();
    // A patient of the practice is known by more than what was typed this time.
    if let Some(patient) = fields.some("patient_id")
        && let Some(view) = visit.app.patients.get(practice, patient).await?
    {
        let past = visit.app.patients.past(practice, &view).await?;
        let own = past.into_iter().filter(|one| one.carrier == envelope.carrier && one.badge.is_word());
        asks.extend(own.filter_map(|one| one.ask));
    }
    let born = date_of(fields, "patient.date_of_birth", visit.app.gateway.today()).ok().flatten();
    let (last, first) = (fields.some("patient.last_name"), fields.some("patient.first_name"));
    let key = PatientKey {
        carrier: envelope.carrier.clone(),
        member_id: fields.some("member.member_id").map(str::to_owned),
        date_of_birth: born.map(|date| date.to_string()),
        name: last.zip(first).map(|(last, first)| (last.to_owned(), first.to_owned())),
    };
    if key.member_id.is_some() || key.name.is_some() {
        let found = visit.app.trail.questions_about(practice, &[key], SAVED_MAX).await?;
        asks.extend(found.into_iter().flatten().map(|(id, _)| id));
    }
    for id in asks.into_iter().filter(|id| *id != envelope.id) {
        let Some(gist) = visit.app.patients.gist(practice, &id).await? else { continue };
        if !matches!(gist.badge, Badge::Active | Badge::ActiveLook | Badge::NotActive) {
            continue;
        }
        if let Stored::Ended(bytes) = eligibility::stored(&visit.app, &visit.api(), &id).await? {
            return Ok(Some(serde_json::from_slice(&bytes).map_err(|_| unreadable())?));
        }
    }
    Ok(None)
}

/// The saved answer, to be opened.
pub fn saved_part(visit: &Visit, saved: &Envelope) -> Markup {
    let plan = saved.answer.as_ref().and_then(|answer| answer.facts.plans.iter().find_map(|plan| plan.name.clone()));
    let at = saved.freshness.as_of;
    html! {
        div.card.row {
            (standing(crate::patients::badge(saved)))
            span { "The last answer, from " (moment(at, &visit.zone())) " (" (ago(at)) ")" @if let Some(plan) = &plan { ", " (plan) } }
            a.button href={ "/checks/" (saved.id) } { "Open the saved answer" }
        }
    }
}
