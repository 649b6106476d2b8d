//! `portico submissions`: which carriers are held and what waits there; holds and releases them; what a person says after
//! the data was put back.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::run::End;
use super::trail::open;
use crate::config::Config;
use crate::house::CannotRun;
use crate::practice::PracticeId;
use crate::store::Store;
use crate::submissions::{self, HoldView};
use crate::trail::{Actor, Trail};

/// Submissions of one carrier that are listed at most; the API lists the others.
const LISTED_MAX: u32 = 10_000;

/// What to do with submissions.
#[derive(Subcommand)]
pub enum SubmissionsCommand {
    /// The carriers to which nothing new is sent, with every submission there that is not over, and what to do.
    Holds {
        /// The practice; all of them otherwise.
        #[arg(long)]
        practice: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sends nothing new to these carriers until they are released. What was sent already is asked after all the same.
    Hold(Carriers),
    /// Lets what waits for these carriers be sent.
    Release(Carriers),
    /// Says that the data was put back to an earlier state where the gateway could not notice: everything that may have
    /// been sent since counts as unknown, every carrier is held, every credential is suspect. `trail accept-rollback` and
    /// `restore` do that by themselves.
    Restored {
        /// Why; kept sealed, with the record.
        #[arg(long)]
        reason: String,
    },
}

/// Arguments of `portico submissions hold` and `release`.
#[derive(Args)]
pub struct Carriers {
    /// Carriers by their ids.
    #[arg(required = true)]
    carriers: Vec<String>,
    /// The practice.
    #[arg(long, default_value = "default")]
    practice: String,
    /// Why; kept sealed, with the record.
    #[arg(long)]
    reason: String,
}

/// Runs one of the submissions commands on the configured store. No gateway may run on the same data directory.
pub async fn submissions(command: SubmissionsCommand, config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let (store, trail) = open(&config).await?;
    let mut out = io::stdout();
    match command {
        SubmissionsCommand::Holds { practice, json } => {
            let practice = practice.map(PracticeId::new);
            let holds = submissions::holds(&store, practice.as_ref(), LISTED_MAX).await?;
            if json { writeln!(out, "{}", serde_json::to_string(&holds)?)? } else { tell(&holds, &mut out)? }
        }
        SubmissionsCommand::Hold(Carriers { carriers, practice, reason }) => {
            not_put_back(&trail).await?;
            let practice = PracticeId::new(practice);
            for carrier in carriers {
                let held =
                    submissions::hold(&store, &trail, &practice, &carrier, &reason, &Actor::command_line()).await?;
                writeln!(out, "{carrier}: {}", if held { "held" } else { "was held already" })?;
            }
        }
        SubmissionsCommand::Release(Carriers { carriers, practice, reason }) => {
            not_put_back(&trail).await?;
            let practice = PracticeId::new(practice);
            for carrier in carriers {
                let was =
                    submissions::release(&store, &trail, &practice, &carrier, &reason, &Actor::command_line()).await?;
                writeln!(out, "{carrier}: {}", if was { "released" } else { "was not held" })?;
            }
        }
        SubmissionsCommand::Restored { reason } => {
            not_put_back(&trail).await?;
            submissions::restored(&store, &trail, &reason, &Actor::command_line()).await?;
            tell_reconciliation(&store, &mut out).await?;
        }
    }
    trail.checkpoint().await?;
    Ok(ExitCode::SUCCESS)
}

async fn not_put_back(trail: &Trail) -> Result<(), CannotRun> {
    if trail.check_anchors().await?.is_empty() {
        return Ok(());
    }
    Err(CannotRun("the data was put back to an earlier state: run `portico trail accept-rollback` first".to_owned()))
}

/// What must be found out after the data was put back, practice by practice and carrier by carrier.
///
/// # Errors
/// What the store says, or whoever is told.
pub(super) async fn tell_reconciliation(store: &Arc<Store>, out: &mut dyn Write) -> Result<(), CannotRun> {
    writeln!(out, "Nothing is sent to these carriers until somebody releases them.")?;
    tell(&submissions::holds(store, None, LISTED_MAX).await?, out)?;
    writeln!(out, "This list again, with the gateway stopped: portico submissions holds")?;
    Ok(())
}

fn tell(holds: &[HoldView], out: &mut dyn Write) -> Result<(), CannotRun> {
    let (open, idle): (Vec<_>, Vec<_>) = holds.iter().partition(|hold| hold.unknown + hold.waiting > 0);
    if holds.is_empty() {
        writeln!(out, "No carrier is held.")?;
    }
    for hold in &open {
        let HoldView { practice, carrier, unknown, needs_person, waiting, more, .. } = hold;
        let since = hold.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        writeln!(out)?;
        writeln!(
            out,
            "practice {practice}, carrier {carrier} (held since {since}): {unknown} of unknown fate, of which \
             {needs_person} need a person; {waiting} wait"
        )?;
        for one in &hold.submissions {
            writeln!(out, "  {}  {:<8} reference {}  handed in {}", one.id, one.state, one.reference, one.created_at)?;
        }
        if *more > 0 {
            writeln!(out, "  and {more} more: GET /v1/submissions")?;
        }
    }
    if !idle.is_empty() {
        let names: Vec<_> = idle.iter().map(|hold| format!("{}/{}", hold.practice, hold.carrier)).collect();
        writeln!(out, "\nHeld, with nothing open there (practice/carrier): {}", names.join(", "))?;
    }
    // The same for each that is held for the same reason.
    if let Some(hold) = holds.iter().find(|hold| !hold.to_do.is_empty()) {
        writeln!(out, "\nFor each of them:")?;
        for (place, step) in hold.to_do.iter().enumerate() {
            writeln!(out, "{}. {step}", place + 1)?;
        }
    }
    Ok(())
}
