//! `portico ask`: one question from a JSON file, to a running gateway or to one in this process.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use connector_sdk::EligibilityRequest;

use super::client;
use super::run::End;
use crate::gateway::NotAsked;
use crate::house::CannotRun;
use crate::identity::Caller;

/// Arguments of `portico ask`.
#[derive(Args)]
pub struct AskArguments {
    /// The question as JSON, or `-` for standard input.
    file: PathBuf,
    /// The gateway to ask.
    #[arg(long, env = "PORTICO_URL", default_value = "http://127.0.0.1:8700")]
    url: String,
    /// API key; better given by the environment than on the command line.
    #[arg(long, env = "PORTICO_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Ask in this process instead of a running gateway. No gateway may run on the same data directory.
    #[arg(long)]
    offline: bool,
    /// The practice to ask for, with --offline.
    #[arg(long, default_value = "default")]
    practice: String,
    /// Configuration, with --offline.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// Asks, prints the envelope, and ends with 0 when the carrier answered or refused, 1 when there is no answer.
pub async fn ask(arguments: AskArguments) -> End {
    let question = read_question(&arguments.file)?;
    let (found_answer, text) = if arguments.offline {
        in_process(&arguments, &question).await?
    } else {
        over_http(&arguments, question).await?
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(if found_answer { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn read_question(file: &PathBuf) -> Result<Vec<u8>, CannotRun> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().take(1 << 20).read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(file).map_err(|error| CannotRun(format!("{}: {error}", file.display())))?;
    }
    Ok(bytes)
}

async fn in_process(arguments: &AskArguments, question: &[u8]) -> Result<(bool, String), CannotRun> {
    let request: EligibilityRequest = serde_json::from_slice(question).map_err(|error| {
        CannotRun(format!("the question cannot be read (line {}, column {})", error.line(), error.column()))
    })?;
    let config = crate::config::Config::find(arguments.config.as_deref()).map_err(CannotRun)?;
    let house = super::vault_keys::open_house(&config).await?;
    let practices = house.app.identity.practices().await?;
    let Some((practice, _)) = practices.into_iter().find(|(id, _)| id.as_str() == arguments.practice) else {
        let named = &arguments.practice;
        return Err(CannotRun(format!(
            "there is no practice {named}; portico keys create --practice {named} makes it"
        )));
    };
    let caller = Arc::new(Caller::command_line(practice));
    let asked = match house.app.gateway.ask(caller, &request) {
        Ok(asked) => asked,
        Err(NotAsked::Problems(problems)) => return Ok((false, serde_json::to_string_pretty(&problems)?)),
        Err(NotAsked::Error(error)) => return Err(error.into()),
    };
    let envelope = asked.end.await?;
    // Signs out: some carriers let a login be in one place only, and the next question would find it taken.
    house.close().await;
    Ok((envelope.failure.is_none(), serde_json::to_string_pretty(&*envelope)?))
}

async fn over_http(arguments: &AskArguments, question: Vec<u8>) -> Result<(bool, String), CannotRun> {
    let key = arguments
        .key
        .as_deref()
        .ok_or_else(|| CannotRun("give an API key in PORTICO_API_KEY (portico keys create makes one)".to_owned()))?;
    let (status, reply) = client::post(&arguments.url, "/v1/eligibility", key, question).await?;
    Ok((status.is_success(), serde_json::to_string_pretty(&reply)?))
}
