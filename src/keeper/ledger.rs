//! What the operator sees and does of carriers to which nothing new is sent: in words, by the running gateway or without
//! one.

use std::sync::Arc;

use crate::house::CannotRun;
use crate::practice::PracticeId;
use crate::store::Store;
use crate::submissions::{self, HoldView, Submissions};
use crate::trail::{Actor, Trail};

/// Submissions of one carrier that are listed at most; the API lists the others.
const LISTED_MAX: u32 = 10_000;

/// The carriers that are held, with every submission there that is not over, and what to do; as JSON in one line, or in
/// words line by line.
///
/// # Errors
/// What the store says.
pub async fn holds(store: &Arc<Store>, practice: Option<String>, json: bool) -> Result<Vec<String>, CannotRun> {
    let practice = practice.map(PracticeId::new);
    let holds = submissions::holds(store, practice.as_ref(), LISTED_MAX).await?;
    if json { Ok(vec![serde_json::to_string(&holds)?]) } else { Ok(told(&holds)) }
}

/// Refuses while the data is behind its anchors.
///
/// # Errors
/// What to do first.
pub fn not_put_back(trail: &Trail) -> Result<(), CannotRun> {
    match trail.held() {
        None => Ok(()),
        Some(_) => Err(CannotRun(
            "the data was put back to an earlier state: run `portico trail accept-rollback` first".to_owned(),
        )),
    }
}

/// Holds or releases carriers by the running gateway; what to say, line by line.
///
/// # Errors
/// What the store says; the carriers before that one are done.
pub(super) async fn set(
    submissions: &Submissions,
    hold: bool,
    practice: String,
    carriers: &[String],
    reason: &str,
) -> Result<Vec<String>, CannotRun> {
    let (practice, by) = (PracticeId::new(practice), Actor::command_line());
    let mut lines = Vec::with_capacity(carriers.len());
    for carrier in carriers {
        let changed = match hold {
            true => submissions.hold(&practice, carrier, reason, &by).await?,
            false => submissions.release(&practice, carrier, reason, &by).await?,
        };
        lines.push(said(carrier, hold, changed));
    }
    Ok(lines)
}

/// What became of one carrier.
pub fn said(carrier: &str, hold: bool, changed: bool) -> String {
    let what = match (hold, changed) {
        (true, true) => "held",
        (true, false) => "was held already",
        (false, true) => "released",
        (false, false) => "was not held",
    };
    format!("{carrier}: {what}")
}

fn told(holds: &[HoldView]) -> Vec<String> {
    let mut lines = Vec::new();
    let (open, idle): (Vec<_>, Vec<_>) = holds.iter().partition(|hold| hold.unknown + hold.waiting > 0);
    if holds.is_empty() {
        lines.push("No carrier is held.".to_owned());
    }
    for hold in &open {
        let HoldView { practice, carrier, unknown, needs_person, waiting, more, .. } = hold;
        let since = hold.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        lines.push(String::new());
        lines.push(format!(
            "practice {practice}, carrier {carrier} (held since {since}): {unknown} of unknown fate, of which \
             {needs_person} need a person; {waiting} wait"
        ));
        for one in &hold.submissions {
            let (id, state, reference, at) = (&one.id, one.state, &one.reference, one.created_at);
            lines.push(format!("  {id}  {state:<8} reference {reference}  handed in {at}"));
        }
        if *more > 0 {
            lines.push(format!("  and {more} more: GET /v1/submissions"));
        }
    }
    if !idle.is_empty() {
        let names: Vec<_> = idle.iter().map(|hold| format!("{}/{}", hold.practice, hold.carrier)).collect();
        lines.push(format!("\nHeld, with nothing open there (practice/carrier): {}", names.join(", ")));
    }
    // The same for each that is held for the same reason.
    if let Some(hold) = holds.iter().find(|hold| !hold.to_do.is_empty()) {
        lines.push("\nFor each of them:".to_owned());
        lines.extend(hold.to_do.iter().enumerate().map(|(place, step)| format!("{}. {step}", place + 1)));
    }
    lines
}
