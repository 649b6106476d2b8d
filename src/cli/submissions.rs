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
use crate::keeper::{self, Act};
use crate::practice::PracticeId;
use crate::store::Store;
use crate::submissions;
use crate::trail::{Actor, Trail};

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
    /// `restore` do that by themselves. No gateway may run on the same data.
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

/// Runs one of the submissions commands: by the gateway that runs on the data, else directly.
pub async fn submissions(command: SubmissionsCommand, config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let mut out = io::stdout();
    let act = match &command {
        SubmissionsCommand::Holds { practice, json } => Some(Act::Holds { practice: practice.clone(), json: *json }),
        SubmissionsCommand::Hold(carriers) => Some(carriers.act(true)),
        SubmissionsCommand::Release(carriers) => Some(carriers.act(false)),
        SubmissionsCommand::Restored { .. } => None,
    };
    if let Some(act) = act
        && let Some(said) = keeper::ask(&config.data_dir, &act).await?
    {
        tell(&said, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (store, trail) = open(&config).await?;
    trail.check_anchors().await?;
    match command {
        SubmissionsCommand::Holds { practice, json } => {
            tell(&keeper::holds(&store, practice, json).await?, &mut out)?;
        }
        SubmissionsCommand::Hold(carriers) => carriers.set(true, &store, &trail, &mut out).await?,
        SubmissionsCommand::Release(carriers) => carriers.set(false, &store, &trail, &mut out).await?,
        SubmissionsCommand::Restored { reason } => {
            keeper::not_put_back(&trail)?;
            submissions::restored(&store, &trail, &reason, &Actor::command_line()).await?;
            tell_reconciliation(&store, &mut out).await?;
        }
    }
    trail.checkpoint().await?;
    Ok(ExitCode::SUCCESS)
}

impl Carriers {
    fn act(&self, hold: bool) -> Act {
        let Self { carriers, practice, reason } = self;
        Act::Hold { hold, practice: practice.clone(), carriers: carriers.clone(), reason: reason.clone() }
    }

    /// Without a gateway.
    async fn set(self, hold: bool, store: &Arc<Store>, trail: &Trail, out: &mut dyn Write) -> Result<(), CannotRun> {
        keeper::not_put_back(trail)?;
        let (practice, by) = (PracticeId::new(self.practice), Actor::command_line());
        for carrier in &self.carriers {
            let changed = match hold {
                true => submissions::hold(store, trail, &practice, carrier, &self.reason, &by).await?,
                false => submissions::release(store, trail, &practice, carrier, &self.reason, &by).await?,
            };
            writeln!(out, "{}", keeper::said(carrier, hold, changed))?;
        }
        Ok(())
    }
}

/// What must be found out after the data was put back, practice by practice and carrier by carrier.
///
/// # Errors
/// What the store says, or whoever is told.
pub(super) async fn tell_reconciliation(store: &Arc<Store>, out: &mut dyn Write) -> Result<(), CannotRun> {
    writeln!(out, "Nothing is sent to these carriers until somebody releases them.")?;
    tell(&keeper::holds(store, None, false).await?, out)?;
    writeln!(out, "This list again: portico submissions holds")?;
    Ok(())
}

fn tell(lines: &[String], out: &mut dyn Write) -> Result<(), CannotRun> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(())
}
