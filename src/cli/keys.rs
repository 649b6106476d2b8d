//! `portico keys`: practices' API keys.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::run::End;
use crate::config::Config;
use crate::house::CannotRun;
use crate::identity::Scope;
use crate::practice::PracticeId;
use crate::trail::Actor;

/// What to do with API keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Makes a key and prints it, once.
    Create {
        /// The practice; made when it is not there.
        #[arg(long, default_value = "default")]
        practice: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        label: String,
        /// What it may do: ask, raw, carriers, credentials, submit, resolve, trail, admin. All of them when none is named.
        #[arg(long)]
        scope: Vec<String>,
    },
    /// A practice's keys, without their text.
    List {
        /// The practice.
        #[arg(long, default_value = "default")]
        practice: String,
    },
    /// Revokes a key, at once.
    Revoke {
        /// The key's id.
        id: String,
        /// The practice.
        #[arg(long, default_value = "default")]
        practice: String,
    },
}

/// Runs one of the key commands on the configured store. No gateway may run on the same data directory.
pub async fn keys(command: KeysCommand, config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let house = super::vault_keys::open_house(&config).await?;
    let identity = &house.app.identity;
    let mut out = io::stdout();
    let by = Actor::command_line();
    match command {
        KeysCommand::Create { practice, label, scope } => {
            let scopes = scopes(&scope)?;
            let practice = identity.practice_or_new(&practice).await?;
            let key = identity.create_key(&practice, &label, &scopes, &by).await?;
            writeln!(out, "{}", *key.key)?;
            writeln!(
                io::stderr(),
                "Key {} of practice {}. It is shown this once; keep it.",
                key.id,
                practice.as_str()
            )?;
        }
        KeysCommand::List { practice } => {
            for key in identity.list_keys(&PracticeId::new(practice)).await? {
                let state = if key.revoked_at.is_some() { "revoked" } else { "valid" };
                writeln!(out, "{}  {state:<8} {}", key.id, key.label)?;
            }
        }
        KeysCommand::Revoke { id, practice } => {
            if !identity.revoke_key(&PracticeId::new(practice), &id, &by).await? {
                return Err(CannotRun(format!("this practice has no valid key {id}")));
            }
            writeln!(out, "revoked")?;
        }
    }
    house.close().await;
    Ok(ExitCode::SUCCESS)
}

fn scopes(words: &[String]) -> Result<Vec<Scope>, CannotRun> {
    if words.is_empty() {
        return Ok(Scope::ALL.to_vec());
    }
    let known = Scope::ALL.map(Scope::word).join(", ");
    let read =
        |word: &String| Scope::from_word(word).ok_or_else(|| CannotRun(format!("no scope {word}; known: {known}")));
    words.iter().map(read).collect()
}
