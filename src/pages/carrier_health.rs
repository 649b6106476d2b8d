//! How a carrier did lately, whose side a failure is on, and pausing it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::{ErrorKind, WhoActs};
use maud::{Markup, html};
use serde_json::json;

use super::carriers::page;
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::csrf;
use super::parts::badge::{Tone, badge, shape};
use super::parts::field::text;
use super::parts::lists::pairs;
use super::parts::problems::Problems;
use super::parts::progress::{columns, spark};
use super::parts::stamp::{ago, lasts, moment};
use super::parts::words::{count, plain};
use super::visit::Visit;
use crate::api::Problem;
use crate::api::body::Body;
use crate::api::carrier_health::{self, HealthView, PausedView, Verdict};
use crate::api::carriers::CarrierView;
use crate::identity::Scope;
use crate::stack::pulse::{LastFailure, Measured, Side};

/// What the list says of a carrier's last day: success, how long it takes, and its course.
pub fn in_short(measured: &Measured) -> Markup {
    html! {
        @match measured.success_percent {
            None => { span.soft { "not asked in the last day" } }
            Some(percent) => {
                span.number { (whole(percent)) " %" } " "
                @if let (Some(half), Some(most)) = (measured.p50_ms, measured.p95_ms) {
                    span.soft { "of " (measured.answered + measured.refused + measured.failed) "; half in " (lasts(half)) ", 95 % in " (lasts(most)) }
                }
                (course(measured))
            }
        }
    }
}

/// `100`, `99.5`.
fn whole(percent: f64) -> String {
    let text = format!("{percent:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn course(measured: &Measured) -> Markup {
    let values: Vec<f64> = measured.hours.iter().filter_map(|hour| hour.p50_ms).map(|ms| ms as f64).collect();
    spark("How long half of the answers took, hour by hour, oldest first", &values)
}

/// When it last worked.
pub fn last_success(measured: &Measured) -> Markup {
    html! {
        @match measured.last_success {
            Some(at) => { (ago(at)) }
            None => { span.soft { "not in the last day" } }
        }
    }
}

/// What waits for it, of this practice.
pub fn queue(health: &HealthView) -> Markup {
    let (under_way, waiting) = (health.last_day.under_way, health.batch_items_waiting);
    html! {
        @if under_way == 0 && waiting == 0 { span.soft { "nothing" } } @else {
            @if under_way > 0 { (under_way) " under way" }
            @if under_way > 0 && waiting > 0 { ", " }
            @if waiting > 0 { (waiting) " waiting in batches" }
        }
    }
}

/// Is it them or us: one word's worth of tone, and a sentence.
pub fn verdict(health: &HealthView) -> (Tone, String) {
    let in_a_row = health.failures_in_a_row;
    match health.verdict {
        Verdict::Down => {
            let again = count(health.tried_again_secs.unwrap_or(1), "second", "seconds");
            let most = health.failures_max;
            let said = format!(
                "It is them. The carrier failed {most} times in a row and is left alone; it is tried again in {again} by itself."
            );
            (Tone::Bad, said)
        }
        Verdict::LoginStopped => {
            (Tone::Bad, "It is us: the carrier works or not, our login there is stopped.".to_owned())
        }
        Verdict::Trying => (
            Tone::Look,
            "It was them. The pause is over: the next question shows whether the carrier works again.".to_owned(),
        ),
        Verdict::LastFailed => {
            let said = health.last_day.last_failure.as_ref();
            (Tone::Look, said.map_or_else(String::new, |last| whose_turn(last, in_a_row, health.failures_max)))
        }
        Verdict::OthersFail => {
            (Tone::Look, format!("It looks like them: {in_a_row} questions of other practices failed in a row."))
        }
        Verdict::Works => (Tone::Good, "It works.".to_owned()),
        Verdict::NotAsked => (Tone::Calm, "Nobody here has asked it lately.".to_owned()),
    }
}

/// Whose fault the last failure looks like, and who acts now.
fn whose_turn(last: &LastFailure, in_a_row: u32, most: u32) -> String {
    let what = kind(last.kind);
    if last.side == Side::Carrier {
        let more = match in_a_row {
            0 | 1 => String::new(),
            n => format!(" {n} questions in a row; at {most} it is left alone for a while."),
        };
        return format!("It looks like them: the last question there failed ({what}).{more}");
    }
    let (who, then) = match last.kind.who_acts() {
        WhoActs::PracticeAdmin => {
            ("It is us", "An administrator of the practice must mend the login there; see below.")
        }
        WhoActs::Person => ("It is us", "A person of the practice must do what the carrier wants: see the tasks."),
        WhoActs::Caller => ("It is us", "Whoever asked must mend the question."),
        WhoActs::Carrier | WhoActs::ConnectorAuthor => {
            ("It may be us", "Whoever keeps the carrier’s file should look.")
        }
        WhoActs::Gateway => ("It may be us", "If it comes again, whoever runs the gateway should look."),
        WhoActs::Wait => ("It is nobody", "Ask again in a moment."),
    };
    format!("{who}: the last question there failed ({what}). {then}")
}

/// A failure's kind as people say it.
fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::CarrierUnavailable => "it could not be reached, or said that it is out of order",
        ErrorKind::CarrierTimeout => "no answer in time",
        ErrorKind::CarrierThrottled => "it said that we ask too much",
        ErrorKind::CarrierClosed => "closed, or in maintenance",
        ErrorKind::CarrierPaused => "paused by the practice",
        ErrorKind::CarrierUntrusted => "its certificate does not prove who it is",
        ErrorKind::AnswerMismatch => "an answer about somebody else, which is not shown",
        ErrorKind::ProtocolBroken => "an answer that cannot be read",
        ErrorKind::EgressRefused => "it pointed to a host that its file does not list",
        ErrorKind::CredentialMissing => "no login stored",
        ErrorKind::CredentialRejected => "our login was refused",
        ErrorKind::NeedsPerson => "it wanted something of a person",
        ErrorKind::CircuitOpen => "left alone after failures",
        ErrorKind::Overloaded => "our own limits left no room in time",
        ErrorKind::DeadlineExceeded => "our own time was over",
        ErrorKind::RequestInvalid | ErrorKind::Unsupported => "the question cannot be sent there",
        ErrorKind::NotPermitted | ErrorKind::CarrierUnknown => "not allowed",
        ErrorKind::NotKept => "the gateway’s own disk took nothing",
        ErrorKind::Internal => "our own fault",
    }
}

fn whose(side: Side) -> &'static str {
    match side {
        Side::Carrier => "theirs",
        Side::Practice => "the practice’s",
        Side::Gateway => "the gateway’s",
        Side::Nobody => "nobody’s: nothing was sent",
    }
}

/// The carrier's last day, on its page.
pub fn section(visit: &Visit, row: &CarrierView, health: &HealthView) -> Markup {
    let measured = &health.last_day;
    let (tone, sentence) = verdict(health);
    let took = html! {
        @match (measured.p50_ms, measured.p95_ms) {
            (Some(half), Some(most)) => { "half within " (lasts(half)) ", 95 of 100 within " (lasts(most)) " " (course(measured)) }
            _ => { span.soft { "nothing was answered" } }
        }
    };
    html! {
        section.card.stack #health {
            h2 { "Is it them or us?" }
            div class={ "note " (tone.class()) } { (sentence) }
            (pairs(&[
                ("Last success", html! { (last_success(measured)) @if let Some(at) = measured.last_success { " " span.soft.small { (moment(at, &visit.zone())) } } }),
                ("Of the questions put there", html! {
                    @match measured.success_percent {
                        Some(percent) => { (whole(percent)) " % had an outcome: " (measured.answered) " answered, " (measured.refused) " refused, " (measured.failed) " failed" }
                        None => { span.soft { "none was put in the last day" } }
                    }
                }),
                ("They took", took),
                ("Not even sent", html! { (measured.not_asked) "; " (count(measured.saved, "saved answer", "saved answers")) " used instead of asking" }),
                ("Now", queue(health)),
                ("Failures in a row", html! { (health.failures_in_a_row) " of " (health.failures_max) ", after which it is left alone for a while" }),
                ("Closes next", html! {
                    @match &row.next_closed {
                        Some(next) => { (moment(next.from, &visit.zone())) " until " (moment(next.until, &visit.zone())) }
                        None => { span.soft { "no window is known" } }
                    }
                }),
                ("Call them", phone(row)),
            ]))
            (mix(measured))
            (by_hour(visit, measured))
            p.soft.small { "Counted from your practice’s own questions since " (moment(measured.since, &visit.zone())) ". Whether the carrier is up is the same for everybody." }
        }
    }
}

fn phone(row: &CarrierView) -> Markup {
    html! {
        @match &row.support.phone {
            Some(phone) => { a href={ "tel:" (phone.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect::<String>()) } { (phone) } }
            None => { span.soft { "no number in its file (support.phone)" } }
        }
        @if let Some(notes) = &row.support.notes { " " span { (notes) } }
    }
}

/// What went wrong, by kind.
fn mix(measured: &Measured) -> Markup {
    html! {
        @if !measured.failures.is_empty() || !measured.refusals.is_empty() {
            div.table { table.cards {
                caption { "What did not end with an answer" }
                thead { tr { th { "What" } th.amount { "How often" } th { "Whose side" } } }
                tbody {
                    @for one in &measured.failures { tr {
                        th scope="row" { (plain(kind(one.kind))) }
                        td.amount data-label="How often" { (one.count) }
                        td data-label="Whose side" { (whose(one.side)) }
                    } }
                    @for one in &measured.refusals { tr {
                        th scope="row" { "Refused: " (word(one.reason)) }
                        td.amount data-label="How often" { (one.count) }
                        td data-label="Whose side" { "an outcome, no failure" }
                    } }
                }
            } }
        }
    }
}

fn word(reason: connector_sdk::RefusalReason) -> String {
    let word = serde_json::to_value(reason).unwrap_or_default();
    plain(word.as_str().unwrap_or_default()).to_lowercase()
}

fn by_hour(visit: &Visit, measured: &Measured) -> Markup {
    let bars: Vec<(u64, u64)> = measured.hours.iter().map(|hour| (hour.asked, hour.failed)).collect();
    html! {
        @if measured.hours.len() > 1 { (columns("Questions by hour, oldest first; failed ones are striped", &bars)) }
        @if !measured.hours.is_empty() {
            details.fold {
                summary { "Hour by hour" }
                div.table { table.cards {
                    thead { tr { th { "From" } th.amount { "Asked" } th.amount { "Failed" } th.amount { "Half within" } } }
                    tbody { @for hour in measured.hours.iter().rev() { tr {
                        th scope="row" { (moment(hour.from, &visit.zone())) }
                        td.amount data-label="Asked" { (hour.asked) }
                        td.amount data-label="Failed" { (hour.failed) }
                        td.amount data-label="Half within" { @match hour.p50_ms { Some(ms) => { (lasts(ms)) } None => { "–" } } }
                    } } }
                } }
            }
        }
    }
}

/// That the practice has paused a carrier: who, since when, why, and who can change it. Nothing where it is not.
pub async fn notice(visit: &Visit, id: &str) -> Result<Markup, Problem> {
    let paused = carrier_health::paused(&visit.app, &visit.caller, id).await?;
    Ok(html! { @if let Some(paused) = paused { (told(visit, id, &paused)) } })
}

fn told(visit: &Visit, id: &str, paused: &PausedView) -> Markup {
    let who = match (&paused.by_name, paused.by.starts_with("key_")) {
        (Some(name), _) => name.clone(),
        (None, true) => "an API key".to_owned(),
        (None, false) => "somebody".to_owned(),
    };
    html! {
        div.note.look.tight {
            p {
                strong { (visit.carrier_name(id)) " is paused" } " by " (who) " since " (moment(paused.since, &visit.zone())) "."
                @if let Some(reason) = paused.reason.as_ref().filter(|reason| !reason.is_empty()) { " “" (reason) "”" }
            }
            p {
                "Nothing is asked there, and batches wait. Saved answers are still shown. "
                @if visit.may(Scope::Resolve) { a href={ "/carriers/" (id) "#pause" } { "Resume it on its page" } "." }
                @else { "A biller, coordinator or administrator resumes it." }
            }
        }
    }
}

/// The badge of a paused carrier.
pub fn paused_badge() -> Markup {
    badge(Tone::Look, shape::BARRED, "Paused")
}

/// The form that pauses or resumes, for whoever may.
pub fn pause_form(visit: &Visit, row: &CarrierView, fields: &Fields, problems: &Problems) -> Markup {
    html! {
        @if visit.may(Scope::Resolve) {
            section.card.stack #pause {
                @if row.paused {
                    h2 { "Resume" }
                    form method="post" action={ "/carriers/" (row.id) "/resume" } {
                        (csrf(visit))
                        button.button.first type="submit" { "Ask " (row.name) " again" }
                    }
                } @else {
                    h2 { "Pause" }
                    p { "Nothing is asked there for your practice until somebody resumes it: batches and submissions wait, saved answers are still shown. Other practices are not touched." }
                    form.stack method="post" action={ "/carriers/" (row.id) "/pause" } {
                        (csrf(visit))
                        (text("reason", "Why").hint("Everybody of the practice reads it; no patient’s name").max(500).show(fields, problems))
                        button.button type="submit" { "Pause " (row.name) }
                    }
                }
            }
        }
    }
}

/// `POST /carriers/{id}/pause`
pub async fn pause(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Resolve)?;
    let body = json!({ "reason": fields.get("reason") }).to_string();
    let body = Body(body.into_bytes().into());
    match carrier_health::pause(State(visit.app.clone()), visit.api(), Path(id.clone()), body).await {
        Ok(changed) => {
            let said = if changed.0.changed { "paused" } else { "nothing" };
            Ok(Redirect::to(&format!("/carriers/{id}?said={said}")).into_response())
        }
        Err(problem) if problem.errors().is_empty() => Err(problem.into()),
        Err(problem) => {
            let page = page(&visit, &id, None, &fields, &Problems::of(&problem, "")).await?;
            Ok((http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// `POST /carriers/{id}/resume`
pub async fn resume(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Resolve)?;
    let changed = carrier_health::resume(State(visit.app.clone()), visit.api(), Path(id.clone())).await?;
    let said = if changed.0.changed { "resumed" } else { "nothing" };
    Ok(Redirect::to(&format!("/carriers/{id}?said={said}")))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::stack::pulse::side;

    fn failed(kind: ErrorKind) -> LastFailure {
        LastFailure { at: Timestamp::UNIX_EPOCH, kind, side: side(kind, true) }
    }

    #[test]
    fn whoever_can_mend_it_is_told_to() {
        for (kind, who) in [
            (ErrorKind::CredentialRejected, "An administrator of the practice must mend the login"),
            (ErrorKind::NeedsPerson, "A person of the practice"),
            (ErrorKind::RequestInvalid, "Whoever asked"),
            (ErrorKind::ProtocolBroken, "Whoever keeps the carrier’s file"),
            (ErrorKind::Internal, "whoever runs the gateway"),
        ] {
            let said = whose_turn(&failed(kind), 1, 5);
            assert!(said.contains(who), "{said}");
            assert_eq!(said.contains("carrier’s file"), kind == ErrorKind::ProtocolBroken, "{said}");
        }
        let said = whose_turn(&failed(ErrorKind::CarrierTimeout), 3, 5);
        assert!(said.starts_with("It looks like them") && said.contains("3 questions in a row; at 5"), "{said}");
    }
}
