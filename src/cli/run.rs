//! From arguments to the command, and from its end to an exit code: 0 done, 1 it found problems, 2 it could not be done.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::house::CannotRun;

use super::{
    Arguments, Command, ask, backup, check, connectors, demo, keys, live, people, sandbox, serve, submissions, tasks,
    trail, vault, x12,
};

/// How a command ended.
pub type End = Result<ExitCode, CannotRun>;

/// Runs one command to its end.
pub fn run(arguments: Arguments) -> ExitCode {
    if let Err(why) = crate::hygiene::keep_memory_private() {
        let _ = writeln!(io::stderr(), "portico: {why}");
    }
    let end = match arguments.command {
        Command::Demo(arguments) => with_runtime(demo::demo(arguments)),
        Command::Serve { config } => with_runtime(serve::serve(config)),
        Command::Sandbox { port, write_carriers, receipts, seed } => {
            with_runtime(sandbox::sandbox(port, write_carriers, receipts, seed))
        }
        Command::Check(arguments) if arguments.live.is_some() => with_runtime(live::live(arguments)),
        Command::Check(arguments) => check::check(&arguments, &mut io::stdout().lock()).map_err(CannotRun::from),
        Command::Connectors { json, markdown } => {
            connectors::connectors(json, markdown, &mut io::stdout().lock()).map_err(CannotRun::from)
        }
        Command::Ask(arguments) => with_runtime(ask::ask(arguments)),
        Command::Tasks(arguments) => with_runtime(tasks::tasks(arguments)),
        Command::X12 { command } => x12::x12(command),
        Command::Vault { command, config } => with_runtime(vault::vault(command, config)),
        Command::People { command, config } => with_runtime(people::people(command, config)),
        Command::Backup(arguments) => with_runtime(backup::backup(arguments)),
        Command::Restore(arguments) => with_runtime(backup::restore(arguments)),
        Command::Submissions { command, config } => with_runtime(submissions::submissions(command, config)),
        Command::Trail { command, config } => with_runtime(trail::trail(command, config)),
        Command::Keys { command, config } => with_runtime(keys::keys(command, config)),
    };
    match end {
        Ok(code) => code,
        Err(CannotRun(message)) => {
            let _ = writeln!(io::stderr(), "portico: {message}");
            ExitCode::from(2)
        }
    }
}

fn with_runtime(command: impl Future<Output = End>) -> End {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
