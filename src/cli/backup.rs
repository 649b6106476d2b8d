//! `portico backup` and `portico restore`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::run::End;
use super::submissions::tell_reconciliation;
use super::typed::{Person, Source, secret};
use crate::backup::Closed;
use crate::config::Config;
use crate::house::CannotRun;
use crate::keeper::{self, Act};
use crate::store::Store;
use crate::trail::Actor;
use crate::vault::{Opener, Way};

/// Arguments of `portico backup`.
#[derive(Args)]
pub struct BackupArguments {
    /// The new file.
    file: PathBuf,
    /// Configuration; config/gateway.toml where it exists, else the defaults.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// Arguments of `portico restore`.
#[derive(Args)]
pub struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    /// Open it with the recovery code instead of the key file or the passphrase.
    #[arg(long)]
    recovery: bool,
    /// Where the passphrase or the recovery code comes from.
    #[command(flatten)]
    typed: Source,
    /// Configuration; config/gateway.toml where it exists, else the defaults.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// Makes a backup: by the gateway that runs on the data, else directly.
pub async fn backup(arguments: BackupArguments) -> End {
    let config = Config::find(arguments.config.as_deref()).map_err(CannotRun)?;
    let place = std::path::absolute(&arguments.file)?;
    let mut out = io::stdout();
    if let Some(said) = keeper::ask(&config.data_dir, &Act::Backup { place: place.clone() }).await? {
        said.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (store, trail) = super::trail::open(&config).await?;
    trail.check_anchors().await?;
    let said = keeper::back_up(&store, &trail, &place).await?;
    trail.checkpoint().await?;
    writeln!(out, "{said}")?;
    Ok(ExitCode::SUCCESS)
}

/// Restores one into the configured data directory or database, which must be empty.
pub async fn restore(arguments: RestoreArguments) -> End {
    let RestoreArguments { file, recovery, typed, config } = arguments;
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let closed = Closed::read(&file).await?;
    let ways = closed.ways().await?;
    let (mut input, mut out) = (io::stdin(), io::stdout());
    let mut person = Person::at(&mut input, &mut out);
    let opener = if recovery {
        Opener::Recovery(secret("recovery code", &typed, &mut person)?)
    } else if ways.contains(&Way::KeyFile) && (config.vault_key_file.exists() || ways.len() == 1) {
        Opener::KeyFile(config.vault_key_file.clone())
    } else if ways.contains(&Way::Passphrase) {
        Opener::Passphrase(secret("passphrase of the vault", &typed, &mut person)?)
    } else {
        Opener::Recovery(secret("recovery code", &typed, &mut person)?)
    };
    // All of it is looked at before anything is made.
    let backup = closed.open(&opener).await?;
    let store = Store::open_at(&config.data_dir, &config.tables).await?;
    let restored = backup.restore(&store, &config.anchor_dir, &Actor::command_line()).await?;
    writeln!(
        out,
        "Restored: {} rows, as they were at {}. {} submissions may have been sent since.",
        restored.rows,
        restored.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        restored.doubted.submissions
    )?;
    tell_reconciliation(&store, &mut out).await?;
    Ok(ExitCode::SUCCESS)
}
