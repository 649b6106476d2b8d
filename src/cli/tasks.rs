//! `portico tasks`: what carriers ask of a person, for whoever sits at a terminal.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client;
use super::run::End;
use crate::house::CannotRun;

/// Longest answer that is read, bytes.
const ANSWER_MAX: u64 = 4_096;

/// Which gateway, and as whom.
#[derive(Args)]
pub struct TaskArguments {
    /// What to do.
    #[command(subcommand)]
    command: TaskCommand,
    /// The gateway.
    #[arg(long, env = "PORTICO_URL", default_value = "http://127.0.0.1:8700", global = true)]
    url: String,
    /// API key; better given by the environment than on the command line.
    #[arg(long, env = "PORTICO_API_KEY", hide_env_values = true, global = true)]
    key: Option<String>,
}

/// What to do with tasks.
#[derive(Subcommand)]
pub enum TaskCommand {
    /// What waits for a person now.
    List {
        /// Closed ones, too.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Answers a task with the first line of standard input: a code, a captcha's letters, a new password.
    Answer {
        /// The task's id.
        id: String,
        /// Says yes, where a task takes nothing else: terms of use.
        #[arg(long)]
        accept: bool,
    },
    /// Says that nobody will answer a task.
    Dismiss {
        /// The task's id.
        id: String,
    },
    /// Starts a sign-in again that nobody answered; a new task comes.
    Again {
        /// The task's id.
        id: String,
    },
}

/// Runs one of the tasks commands against a running gateway: 0 done, 1 it was not taken.
pub async fn tasks(arguments: TaskArguments) -> End {
    let key = arguments
        .key
        .as_deref()
        .ok_or_else(|| CannotRun("give an API key in PORTICO_API_KEY (portico keys create makes one)".to_owned()))?;
    let call = |method, path: String, body| client::call(&arguments.url, method, path, key, body);
    let mut out = io::stdout();
    let (status, reply) = match arguments.command {
        TaskCommand::List { all, json } => {
            let path = if all { "/v1/tasks" } else { "/v1/tasks?state=open" };
            let (status, reply) = call(Method::GET, path.to_owned(), Vec::new()).await?;
            if status == StatusCode::OK && !json {
                list(&reply, &mut out)?;
                return Ok(ExitCode::SUCCESS);
            }
            (status, reply)
        }
        TaskCommand::Answer { id, accept } => {
            let body = if accept { json!({ "accept": true }) } else { json!({ "answer": *first_line()? }) };
            let body = serde_json::to_vec(&body)?;
            call(Method::POST, format!("/v1/tasks/{}/answer", plain(&id)?), body).await?
        }
        TaskCommand::Dismiss { id } => {
            call(Method::POST, format!("/v1/tasks/{}/dismiss", plain(&id)?), Vec::new()).await?
        }
        TaskCommand::Again { id } => call(Method::POST, format!("/v1/tasks/{}/again", plain(&id)?), Vec::new()).await?,
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&reply)?)?;
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// An id goes into an address as it is.
fn plain(id: &str) -> Result<&str, CannotRun> {
    let ours = !id.is_empty() && id.len() <= 80 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    ours.then_some(id).ok_or_else(|| CannotRun("this is no task's id; portico tasks list shows them".to_owned()))
}

fn first_line() -> Result<Zeroizing<String>, CannotRun> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin().take(ANSWER_MAX).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| CannotRun("the answer is no UTF-8 text".to_owned()))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// One line each; the carrier's words under it, without what a terminal would take for a command.
fn list(reply: &Value, out: &mut impl Write) -> io::Result<()> {
    let text =
        |value: &Value| value.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect::<String>();
    for task in reply["tasks"].as_array().into_iter().flatten() {
        let left = task["left_secs"].as_i64().map(|secs| format!("{secs} s left")).unwrap_or_default();
        let (id, kind, carrier, state) =
            (text(&task["id"]), text(&task["kind"]), text(&task["carrier"]), text(&task["state"]));
        writeln!(out, "{id}  {kind:<18}  {carrier:<20}  {state:<9}  {left}")?;
        if task["words"].is_string() {
            writeln!(out, "    {}", text(&task["words"]).chars().take(300).collect::<String>())?;
        }
    }
    for submission in reply["submissions"].as_array().into_iter().flatten() {
        let (id, carrier) = (text(&submission["id"]), text(&submission["carrier"]));
        writeln!(out, "{id}  unknown_submission  {carrier:<20}  open")?;
    }
    for reminder in reply["reminders"].as_array().into_iter().flatten() {
        let (carrier, ends) = (text(&reminder["carrier"]), text(&reminder["expires_at"]));
        writeln!(out, "{:<36}  credential_ends     {carrier:<20}  {ends}", "-")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_no_control_characters_of_a_carrier() {
        let reply = json!({ "tasks": [{ "id": "0193", "kind": "captcha", "carrier": "acme", "state": "open",
            "left_secs": 12, "words": "type\u{1b}[2J this" }], "submissions": [], "reminders": [] });
        let mut out = Vec::new();
        list(&reply, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("12 s left") && text.contains("type[2J this"), "{text}");
        assert!(plain("../x").is_err() && plain("0193-a").is_ok());
    }
}
