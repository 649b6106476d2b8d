//! Carriers: is it them or us, and what will break next week.

use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::account::Said;
use super::fault::Fault;
use super::fields::Fields;
use super::frame::{self, Place};
use super::parts::badge::{Tone, badge, shape};
use super::parts::lists::{empty, pairs};
use super::parts::problems::Problems;
use super::parts::stamp::{ago, day, lasts, moment};
use super::parts::words::{count, plain};
use super::visit::Visit;
use super::{carrier_health, carrier_login};
use crate::api::carrier_health::{self as health, HealthView};
use crate::api::carriers::{self, CarrierView, ClosedView};
use crate::identity::Scope;
use crate::trail::{Filter, TrailEntry};

/// Days before the end of a login's values at which the list speaks of it.
const SOON_DAYS: i64 = 30;
/// Records of the trail on a carrier's page.
const CALLS_MAX: u32 = 20;
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Query of the list.
#[derive(Deserialize)]
pub struct Wanted {
    /// Name, alias, payer id or plan name.
    #[serde(default)]
    q: String,
}

/// A carrier's view, as the API gives it.
pub async fn view(visit: &Visit, id: &str) -> Result<CarrierView, Fault> {
    Ok(carriers::one(State(visit.app.clone()), visit.api(), Path(id.to_owned())).await?.0)
}

/// `GET /carriers`
pub async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Result<Markup, Fault> {
    visit.need(Scope::Carriers)?;
    let search = Query(carriers::Search { q: wanted.q.clone() });
    let found = carriers::search(State(visit.app.clone()), visit.api(), search).await?.0;
    let mut rows = Vec::with_capacity(found.carriers.len());
    for row in &found.carriers {
        let health = health::of(&visit.app, &visit.caller, &row.hit.id);
        // One that was taken away meanwhile is left out.
        rows.extend(view(&visit, &row.hit.id).await.ok().zip(health.ok()));
    }
    // What needs somebody comes first; the order of the search holds within.
    rows.sort_by_key(|(row, _)| trouble(row).map_or(u8::MAX, |(rank, _)| rank));
    let problems = rows.iter().filter(|(row, _)| trouble(row).is_some()).count();
    let connected = rows.iter().filter(|(row, _)| row.credential_state != "missing").count();
    let broken = visit.app.gateway.planes().book().broken_files();
    let body = html! {
        div.stack {
            div.head {
                h1 { "Carriers" }
                form.row role="search" aria-label="Carriers" method="get" action="/carriers" {
                    label.hidden for="carrier-q" { "Find a carrier: name, payer id, plan" }
                    div.field { input #carrier-q name="q" type="search" value=(wanted.q) maxlength="200" placeholder="Name, payer id, plan…"; }
                    button.button type="submit" { "Find" }
                }
            }
            p.soft {
                (count(rows.len() as u64, "carrier", "carriers")) ", " (connected) " with a login, "
                @match problems { 0 => { "nothing to do" } n => { (n) " with something to do" } } "."
            }
            @if broken > 0 {
                p.note.look {
                    strong { (count(broken as u64, "carrier file has a problem.", "carrier files have problems.")) }
                    " What was read before goes on working. "
                    @if visit.may(Scope::Admin) { a href="/admin/carriers" { "See what is wrong" } } @else { "An administrator can mend it." }
                }
            }
            @if rows.is_empty() {
                (empty("No carrier is called like that.", html! { a.button href="/carriers" { "Show all" } }))
            } @else {
                div.table { table.cards {
                    thead { tr {
                        th { "Carrier" } th { "State" } th { "Last success" } th { "Last day" } th { "Queue" } th { "Login" } th { "What to do" } th { "Requests left" }
                    } }
                    tbody { @for (row, health) in &rows { (line(&visit, row, health)) } }
                } }
            }
        }
    };
    Ok(visit.page(Place::Carriers, "Carriers", body))
}

fn line(visit: &Visit, row: &CarrierView, health: &HealthView) -> Markup {
    html! {
        tr data-row {
            th scope="row" {
                a href={ "/carriers/" (row.id) } { (row.name) }
                @if let Some(id) = row.payer_ids.first() { " " span.soft.small { (id) } }
                div.soft.small { (row.speaks) }
            }
            td data-label="State" { (state(visit, row)) }
            td data-label="Last success" { (carrier_health::last_success(&health.last_day)) }
            td data-label="Last day" { (carrier_health::in_short(&health.last_day)) }
            td data-label="Queue" { (carrier_health::queue(health)) }
            td data-label="Login" { (login(row)) }
            td data-label="What to do" {
                @match trouble(row) {
                    Some((_, what)) => { (what) }
                    None => { span.soft { "nothing" } }
                }
            }
            td data-label="Requests left" {
                span.number { (row.limits.remaining) } " now, " span.soft { (row.limits.requests_per_minute) " a minute" }
            }
        }
    }
}

/// What is wrong and how urgent it is: smaller is worse.
fn trouble(row: &CarrierView) -> Option<(u8, &'static str)> {
    Some(match (row.credential_state, row.state) {
        ("disabled", _) => (0, "Enter a new login: the carrier refused this one twice."),
        ("suspect", _) => (1, "Look at the login, then have it tried once."),
        _ if row.paused => (2, "Resume it, when what it was paused for is over."),
        (_, "down") => (2, "Nothing: it is asked again by itself."),
        _ if days_left(row).is_some_and(|days| days <= 0) => (3, "Enter a new login: this one has ended."),
        ("missing", _) if row.credential == "per_practice" => (6, "Connect it: enter the practice’s login."),
        ("missing", _) => (6, "Whoever runs the gateway enters its login."),
        _ if days_left(row).is_some_and(|days| days <= SOON_DAYS) => (4, "Renew the login before it ends."),
        (_, "trying") => (5, "Nothing: the next question shows."),
        _ => return None,
    })
}

fn days_left(row: &CarrierView) -> Option<i64> {
    let left = row.credential_expires_at?.as_second().saturating_sub(Timestamp::now().as_second());
    Some(left.div_euclid(86_400))
}

fn state(visit: &Visit, row: &CarrierView) -> Markup {
    html! {
        @match row.state {
            _ if row.paused => { (carrier_health::paused_badge()) }
            "down" => { (badge(Tone::Bad, shape::BOLT, "Down")) }
            "trying" => { (badge(Tone::Look, shape::DOTS, "Trying again")) }
            _ if row.closed_until.is_some() => { (badge(Tone::Calm, shape::CLOCK, "Closed")) }
            _ => { (badge(Tone::Good, shape::CHECK, "Up")) }
        }
        @if let Some(until) = row.closed_until.filter(|_| !row.paused) { " " span.stamp { "until " (moment(until, &visit.zone())) } }
    }
}

/// How its login stands.
fn login(row: &CarrierView) -> Markup {
    let (tone, sign, word) = match row.credential_state {
        "missing" => (Tone::Look, shape::BARRED, "No login"),
        "suspect" => (Tone::Bad, shape::LOCK, "In doubt"),
        "verifying" => (Tone::Calm, shape::DOTS, "Being tried"),
        "disabled" => (Tone::Bad, shape::LOCK, "Refused"),
        _ if days_left(row).is_some_and(|days| days <= 0) => (Tone::Bad, shape::CLOCK, "Ended"),
        _ => (Tone::Good, shape::CHECK, "Stored"),
    };
    html! {
        (badge(tone, sign, word))
        @if let Some(days) = days_left(row).filter(|days| (1..=SOON_DAYS).contains(days)) {
            " " (badge(Tone::Look, shape::CLOCK, &format!("ends in {}", count(days.unsigned_abs(), "day", "days"))))
        }
    }
}

fn offers(row: &CarrierView) -> Markup {
    let mut words = Vec::new();
    if row.offers.eligibility.is_some() {
        words.push("eligibility");
    }
    if row.offers.authorizations {
        words.push("authorizations");
    }
    html! { @if words.is_empty() { span.soft { "nothing" } } @else { (words.join(", ")) } }
}

/// `GET /carriers/{id}`
pub async fn one(visit: Visit, Path(id): Path<String>, Query(said): Query<Said>) -> Result<Markup, Fault> {
    visit.need(Scope::Carriers)?;
    page(&visit, &id, said.said.as_deref(), &Fields::default(), &Problems::none()).await
}

/// A carrier's page, with its login's form as it was typed and what is wrong with it.
pub async fn page(
    visit: &Visit,
    id: &str,
    said: Option<&str>,
    fields: &Fields,
    problems: &Problems,
) -> Result<Markup, Fault> {
    let row = view(visit, id).await?;
    let health = health::of(&visit.app, &visit.caller, id)?;
    let notice = carrier_health::notice(visit, id).await?;
    let body = html! {
        div.stack {
            p { a href="/carriers" { "All carriers" } }
            (frame::said(said))
            (problems.summary())
            div.head {
                h1 { (row.name) }
                div.row {
                    (state(visit, &row)) (login(&row))
                    @if visit.may(Scope::Admin) { a.button href={ "/admin/carriers/" (row.id) } { "Its file" } }
                }
            }
            (notice)
            @if let Some((_, what)) = trouble(&row).filter(|_| !row.paused) { p.note.look { strong { "To do: " } (what) } }
            (carrier_health::section(visit, &row, &health))
            div.grid {
                section.card { h2 { "What it is" } (what_it_is(&row)) }
                section.card { h2 { "What its search needs" } (form_rules(&row)) }
                section.card { h2 { "Hours and limits" } (hours_and_limits(&row)) }
            }
            (carrier_login::section(visit, &row, fields, problems).await?)
            (carrier_health::pause_form(visit, &row, fields, problems))
            @if visit.may(Scope::Trail) { (calls(visit, &row).await?) }
        }
    };
    Ok(visit.page(Place::Carriers, "Carrier", body))
}

fn what_it_is(row: &CarrierView) -> Markup {
    let list = |texts: &[String]| html! { @if texts.is_empty() { span.soft { "none" } } @else { (texts.join(", ")) } };
    pairs(&[
        ("Also called", list(&row.aliases)),
        ("Payer ids", list(&row.payer_ids)),
        ("Plans", list(&row.plan_names)),
        ("Offers", offers(row)),
        ("Spoken to by", html! { (row.speaks) " " span.soft { "(" (row.connector) ")" } }),
        ("Answers stay fresh", html! { (span(row.fresh_for_secs)) }),
    ])
}

/// A length of time in the largest unit that it is a whole number of.
fn span(secs: u64) -> String {
    match secs {
        0 => "not at all".to_owned(),
        _ if secs.is_multiple_of(3_600) => count(secs / 3_600, "hour", "hours"),
        _ if secs.is_multiple_of(60) => count(secs / 60, "minute", "minutes"),
        _ => count(secs, "second", "seconds"),
    }
}

/// A set of fields in words: `member ID and date of birth`.
fn set(fields: &[String]) -> String {
    let words: Vec<String> =
        fields.iter().map(|field| plain(field).to_lowercase().replace("member id", "member ID")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn form_rules(row: &CarrierView) -> Markup {
    html! {
        div.tight {
            @if row.form.accepts.is_empty() { p { "Any details of the member; all that are given are sent." } }
            @else {
                p { "One of these, best first; nothing else is sent:" }
                ol { @for fields in &row.form.accepts { li { (set(fields)) } } }
            }
            @for rule in &row.form.fields {
                p {
                    strong { (plain(&rule.field)) ": " }
                    @if let Some(help) = &rule.help { (help) " " }
                    @if let Some(pattern) = &rule.pattern { code { (pattern) } }
                }
            }
            p {
                "Days of service: "
                @match (row.form.back_months, row.form.forward_months) {
                    (None, None) => { "any" }
                    (back, forward) => {
                        @match back { Some(back) => { (back) " months back" } None => { "any time back" } }
                        ", "
                        @match forward {
                            Some(0) => { "none ahead" }
                            Some(ahead) => { (ahead) " months ahead" }
                            None => { "any time ahead" }
                        }
                    }
                }
                "."
            }
        }
    }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn window(closed: &ClosedView) -> String {
    let place = closed.weekday.and_then(|number| usize::try_from(number - 1).ok());
    let day = place.and_then(|place| DAYS.get(place)).copied().unwrap_or("Every day");
    format!("{day} {} to {} ({})", clock(closed.from_minute), clock(closed.to_minute), closed.zone)
}

fn hours_and_limits(row: &CarrierView) -> Markup {
    let limits = &row.limits;
    pairs(&[
        (
            "Closed",
            html! {
                @if row.closed.is_empty() { "never, as far as its file says" }
                @else { ul { @for closed in &row.closed { li { (window(closed)) } } } }
            },
        ),
        (
            "Requests",
            html! {
                (limits.requests_per_minute) " a minute; " (limits.remaining) " left now"
                @if limits.reset_secs > 0 { ", whole again in " (limits.reset_secs) " s" }
            },
        ),
        ("One attempt", html! { "up to " (row.attempt_timeout_secs) " s" }),
        ("One question", html! { "up to " (row.deadline_secs) " s, retries included" }),
        (
            "Service types",
            html! {
                @match &row.offers.eligibility {
                    Some(limits) => { "up to " (limits.service_types_max) " in one question"
                        @if limits.dependents { "; dependents can be asked about" } @else { "; the patient is asked about as the member" } }
                    None => { "no eligibility questions" }
                }
            },
        ),
    ])
}

/// What was done there lately, from the paper trail, which holds no patient data.
async fn calls(visit: &Visit, row: &CarrierView) -> Result<Markup, Fault> {
    let filter = Filter { carrier: Some(row.id.clone()), ..Filter::default() };
    let records = visit.app.trail.list(visit.caller.practice(), filter, CALLS_MAX).await?;
    Ok(html! {
        section.stack {
            h2 { "What was done there lately" }
            @if records.is_empty() { (empty("Nothing yet.", html! {})) } @else {
                div.table { table.cards {
                    thead { tr { th { "When" } th { "What" } th { "How it ended" } th.amount { "Took" } th { "Who" } } }
                    tbody { @for record in &records {
                        tr data-row {
                            td data-label="When" { (moment(record.at, &visit.zone())) " " span.soft.small { (ago(record.at)) } }
                            td data-label="What" { (plain(&record.action)) }
                            td data-label="How it ended" {
                                @if let Some(outcome) = record.outcome { (plain(outcome.name())) }
                                @if record.cached == Some(true) { " (saved answer)" }
                            }
                            td.amount data-label="Took" { @if let Some(ms) = record.total_ms { (lasts(ms)) } }
                            td data-label="Who" { (who(record)) }
                        }
                    } }
                } }
            }
        }
    })
}

fn who(record: &TrailEntry) -> String {
    match (&record.role, record.actor.as_str()) {
        (Some(role), _) => plain(role),
        (None, actor) if actor.starts_with("key_") => "API key".to_owned(),
        (None, actor) => plain(actor),
    }
}

/// The day on which a login ends, in words.
pub fn ends(visit: &Visit, at: Timestamp) -> String {
    day(at.to_zoned(visit.zone()).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_windows_in_words() {
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(set(&fields(&["member_id", "date_of_birth"])), "member ID and date of birth");
        assert_eq!(set(&fields(&["last_name"])), "last name");
        assert_eq!((span(14_400).as_str(), span(90).as_str()), ("4 hours", "90 seconds"));
        let closed =
            ClosedView { weekday: Some(7), from_minute: 120, to_minute: 360, zone: "America/New_York".to_owned() };
        assert_eq!(window(&closed), "Sunday 02:00 to 06:00 (America/New_York)");
        assert_eq!(window(&ClosedView { weekday: None, ..closed }), "Every day 02:00 to 06:00 (America/New_York)");
    }
}
