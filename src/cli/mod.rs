//! The command line: argv to calls. Each command is one file with a function that writes to what it is given.

pub mod ask;
pub mod backup;
pub mod check;
mod client;
pub mod connectors;
pub mod demo;
mod demo_schedule;
pub mod keys;
pub mod live;
pub mod people;
pub mod reference;
pub mod run;
pub mod sandbox;
pub mod serve;
pub mod submissions;
pub mod tasks;
pub mod trail;
mod typed;
pub mod vault;
mod vault_keys;
pub mod x12;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// One self-hosted gateway to every health insurer.
#[derive(Parser)]
#[command(name = "portico", version, about, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Everything on loopback in one process: simulated carriers, a demo practice, the gateway.
    Demo(demo::DemoArguments),
    /// The gateway.
    Serve {
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Only the simulated carriers.
    Sandbox {
        /// Port of the first carrier; the others follow. Free ports otherwise.
        #[arg(long)]
        port: Option<u16>,
        /// Write a carrier file for each simulated carrier into this folder.
        #[arg(long)]
        write_carriers: Option<PathBuf>,
        /// Where northstar writes down, durably, every authorization it receives and accepts: a line of JSON each.
        #[arg(long)]
        receipts: Option<PathBuf>,
        /// Seed of the random faults, which the control plane switches on.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Checks carrier files: every problem as file:line:col, exit code 1 when there is one.
    Check(check::CheckArguments),
    /// The connectors, their operations and ways to sign in.
    Connectors {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// As the table in README.md.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Puts one question from a JSON file.
    Ask(ask::AskArguments),
    /// X12 files.
    X12 {
        /// What to do.
        #[command(subcommand)]
        command: x12::X12Command,
    },
    /// Keys and carrier credentials.
    Vault {
        /// What to do.
        #[command(subcommand)]
        command: vault::VaultCommand,
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
    },
    /// Who may sign in.
    People {
        /// What to do.
        #[command(subcommand)]
        command: people::PeopleCommand,
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
    },
    /// What is held back from carriers, and what must be found out before it is released.
    Submissions {
        /// What to do.
        #[command(subcommand)]
        command: submissions::SubmissionsCommand,
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
    },
    /// Makes an encrypted backup of everything, of a running gateway too. It opens with what opens the vault.
    Backup(backup::BackupArguments),
    /// Restores a backup into an empty data directory or database. Nothing is sent to any carrier until it is released.
    Restore(backup::RestoreArguments),
    /// The paper trail and evidence packets.
    Trail {
        /// What to do.
        #[command(subcommand)]
        command: trail::TrailCommand,
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
    },
    /// What carriers ask of a person: codes, captchas, terms, new passwords.
    Tasks(tasks::TaskArguments),
    /// API keys.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: keys::KeysCommand,
        /// Configuration; config/gateway.toml where it exists, else the defaults.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
    },
}
