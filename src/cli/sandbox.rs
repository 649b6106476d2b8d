//! `portico sandbox`: only the simulated carriers.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::run::End;

/// Serves the simulated carriers until Ctrl-C; writes a carrier file for each into `write_carriers`.
pub async fn sandbox(port: Option<u16>, write_carriers: Option<PathBuf>, receipts: Option<PathBuf>, seed: u64) -> End {
    let config = sandbox::SandboxConfig { port, seed, receipts, ..sandbox::SandboxConfig::default() };
    let sandbox = sandbox::Sandbox::start(config).await?;
    let mut out = io::stdout();
    for (carrier, address) in sandbox.addresses() {
        writeln!(out, "{carrier:<12} http://{address}")?;
    }
    if let Some(folder) = &write_carriers {
        std::fs::create_dir_all(folder)?;
        for (carrier, text) in sandbox.carrier_files() {
            std::fs::write(folder.join(format!("{carrier}.toml")), text)?;
        }
    }
    writeln!(out, "{:<12} http://{}", "control", sandbox.control_address())?;
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
