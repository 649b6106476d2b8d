//! `portico serve`: the gateway.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::net::TcpListener;

use super::run::End;
use crate::api;
use crate::config::Config;
use crate::house::CannotRun;
use crate::keeper::Keeper;

/// Serves until SIGINT or SIGTERM; SIGHUP reloads the carrier files. Starts sealed where only a person can open the vault.
pub async fn serve(config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    crate::logging::start(config.log.level, config.log.json);
    let listen = config.listen;
    let keeper = Keeper::open(config).await?;
    for problem in keeper.problems().await {
        writeln!(io::stderr(), "{problem}")?;
    }
    let listener =
        TcpListener::bind(listen).await.map_err(|error| CannotRun(format!("cannot listen at {listen}: {error}")))?;
    let server = api::serve(listener, keeper.router())?;
    let line = keeper.listen()?;
    writeln!(io::stdout(), "Portico listens at http://{} (docs at /docs)", server.address)?;
    if keeper.is_sealed().await {
        writeln!(io::stdout(), "The vault is sealed: nothing is answered until `portico vault unseal`.")?;
    }
    if let Some(token) = keeper.setup_token().await? {
        writeln!(io::stdout(), "Nobody can sign in yet. Set-up token, good for one hour: {}", *token)?;
    }
    wait_for_stop(async || keeper.reload().await).await?;
    writeln!(io::stdout(), "Stopping; requests under way may finish.")?;
    line.abort();
    server.stop().await;
    keeper.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Returns at SIGINT or SIGTERM; calls `reload` at SIGHUP meanwhile.
#[cfg(unix)]
pub async fn wait_for_stop(reload_now: impl AsyncFn()) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut stop, mut end, mut reload) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    loop {
        tokio::select! {
            _ = stop.recv() => return Ok(()),
            _ = end.recv() => return Ok(()),
            _ = reload.recv() => reload_now().await,
        }
    }
}

/// Returns at Ctrl-C.
#[cfg(not(unix))]
pub async fn wait_for_stop(_: impl AsyncFn()) -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
