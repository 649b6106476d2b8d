//! `portico serve`: the gateway.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::net::TcpListener;

use super::run::End;
use crate::api;
use crate::config::Config;
use crate::house::CannotRun;
use crate::house::House;

/// Serves until SIGINT or SIGTERM; SIGHUP reloads the carrier files.
pub async fn serve(config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    crate::logging::start(config.log.level, config.log.json);
    let house = House::open(&config).await?;
    for problem in &house.app.gateway.planes().book().snapshot().problems {
        writeln!(io::stderr(), "{problem}")?;
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| CannotRun(format!("cannot listen at {}: {error}", config.listen)))?;
    let server = api::serve(listener, api::router(house.app.clone()))?;
    writeln!(io::stdout(), "Portico listens at http://{} (docs at /docs)", server.address)?;
    if let Some(token) = house.app.identity.setup_token().await? {
        writeln!(io::stdout(), "Nobody can sign in yet. Set-up token, good for one hour: {}", *token)?;
    }
    wait_for_stop(&house).await?;
    writeln!(io::stdout(), "Stopping; requests under way may finish.")?;
    server.stop().await;
    house.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Returns at SIGINT or SIGTERM. SIGHUP reloads meanwhile.
#[cfg(unix)]
pub async fn wait_for_stop(house: &House) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut stop, mut end, mut reload) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    loop {
        tokio::select! {
            _ = stop.recv() => return Ok(()),
            _ = end.recv() => return Ok(()),
            _ = reload.recv() => house.reload(),
        }
    }
}

/// Returns at Ctrl-C.
#[cfg(not(unix))]
pub async fn wait_for_stop(_: &House) -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
