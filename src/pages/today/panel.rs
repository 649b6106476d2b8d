//! The batch that asks about the day: how far it is, for whom it waits, and what can be done to it.

use maud::{Markup, html};

use super::{address, filters};
use crate::pages::frame::csrf;
use crate::pages::parts::badge::Tone;
use crate::pages::parts::progress::{Lane, bar, lanes};
use crate::pages::parts::stamp::moment;
use crate::pages::parts::words::plain;
use crate::pages::visit::Visit;
use crate::patients::Badge;
use crate::schedule::DayView;

/// The panel; nothing where no batch was started.
pub fn panel(visit: &Visit, day: &DayView) -> Markup {
    let Some(batch) = &day.batch else { return html! {} };
    let progress = batch.progress.unwrap_or_default();
    let done = progress.ended();
    let state = match batch.state.as_str() {
        "running" => "Asking the carriers",
        "paused" => "Paused",
        "cancelled" => "Cancelled: what was answered stays",
        _ => "Asked",
    };
    let open = matches!(batch.state.as_str(), "running" | "paused");
    html! {
        section.card.stack.no-print aria-label="Batch" {
            div.row.ends {
                p { strong { (state) } @if !open { " · " span.number { (done) } " of " span.number { (batch.items) } } " · started " (moment(batch.made_at, &visit.zone()))
                    @if let Some(secs) = batch.estimate_secs { " · about " (secs) " s left" }
                    @if batch.reason.as_deref() == Some("asker_gone") { " · whoever started it may not ask any more: resume it to take it over" }
                }
                @if open {
                    form.row method="post" action={ "/today/batch/" (batch.id) } {
                        (csrf(visit))
                        input type="hidden" name="date" value=(day.date);
                        (filters::carried(&day.only))
                        @if batch.state == "running" { button.button.slim name="wish" value="pause" { "Pause" } }
                        @else { button.button.slim name="wish" value="resume" { "Resume" } }
                        button.button.slim name="wish" value="cancel" { "Cancel" }
                    }
                }
            }
            @if open {
                (bar("Questions", done, batch.items))
                (lanes(&of_carriers(day)))
            }
            (reasons(day))
        }
    }
}

/// What went wrong, each reason once with how many there are; a way to see only those.
fn reasons(day: &DayView) -> Markup {
    let mut all: Vec<(Badge, String, u64)> = Vec::new();
    for row in day.rows.iter().filter(|row| row.needs_you && !row.under_way) {
        let what = match &row.reason {
            Some(reason) => format!("the carrier {}", words_of(reason).1),
            None => plain(row.next.word()).to_lowercase(),
        };
        match all.iter_mut().find(|(badge, own, _)| *badge == row.badge && *own == what) {
            Some((_, _, n)) => *n += 1,
            None => all.push((row.badge, what, 1)),
        }
    }
    all.sort_by(|(_, _, a), (_, _, b)| b.cmp(a));
    html! {
        @if !all.is_empty() {
            ul.lanes aria-label="What went wrong" {
                @for (badge, what, n) in &all {
                    li { span.number { (n) } " × " a href=(address(day, Some(badge.word()), None)) { (badge.label()) } ": " (what) }
                }
            }
        }
    }
}

/// Each carrier's rows: how many are done.
fn of_carriers(day: &DayView) -> Vec<Lane> {
    let mut all: Vec<Lane> = Vec::new();
    for row in day.rows.iter().filter(|row| !row.vanished) {
        let Some(name) = row.carrier_name.as_ref().filter(|_| row.carrier.is_some()) else { continue };
        let done = u64::from(!row.under_way && row.badge != Badge::NotChecked);
        match all.iter_mut().find(|lane| lane.carrier == *name) {
            Some(lane) => {
                lane.all += 1;
                lane.done += done;
            }
            None => all.push(Lane { carrier: name.clone(), done, all: 1, waits: None }),
        }
    }
    for lane in &mut all {
        let held = day.carriers.iter().find(|note| note.name == lane.carrier && note.by_itself);
        lane.waits = held.map(|note| words_of(&note.reason).1.to_owned());
    }
    all
}

/// A fixed reason as people say it: how grave it is, what is the matter, what to do.
pub fn words_of(reason: &str) -> (Tone, &'static str, &'static str) {
    match reason {
        "carrier_closed" => (Tone::Calm, "is closed", "They are asked when it opens."),
        "carrier_paused" => (
            Tone::Look,
            "is paused by somebody of your practice",
            "They wait until somebody resumes it on the carrier’s page.",
        ),
        "circuit_open" => (Tone::Calm, "has failed repeatedly and is left alone for a moment", ""),
        "carrier_busy" | "carrier_throttled" | "overloaded" => (Tone::Calm, "is busy", ""),
        "carrier_timeout" | "deadline_exceeded" => (Tone::Look, "did not answer in time", "Ask again, or phone."),
        "carrier_unavailable" | "internal" => (Tone::Look, "cannot be reached", "Ask again, or phone."),
        "not_kept" => {
            (Tone::Bad, "could not be asked: the gateway's disk takes nothing", "Tell whoever runs the gateway.")
        }
        "credential_missing" => (Tone::Bad, "has no login of ours", "An administrator must enter one."),
        "credential_stopped" | "credential_rejected" => {
            (Tone::Bad, "refused our login, which is stopped", "An administrator must mend it; nothing is sent before.")
        }
        "needs_person" => (Tone::Bad, "shows a page that only a person may answer", "See the tasks."),
        "answer_mismatch" => (Tone::Bad, "answered about somebody else, which is not shown", "Phone."),
        "protocol_broken" | "carrier_untrusted" | "egress_refused" => {
            (Tone::Bad, "answered in a way that cannot be read", "Whoever keeps the carrier's file must look.")
        }
        "carrier_not_known" => (Tone::Look, "is not known here", "Choose the carrier at the patient."),
        _ => (Tone::Look, "could not be asked", "Ask again, or phone."),
    }
}
