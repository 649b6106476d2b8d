//! `portico people`: who may sign in, for whoever runs the gateway.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::run::End;
use crate::config::Config;
use crate::house::CannotRun;
use crate::identity::{Caller, Invitation, NewMember, Role};
use crate::practice::PracticeId;

/// What to do with people.
#[derive(Subcommand)]
pub enum PeopleCommand {
    /// Adds somebody and prints the invitation with which they set a password, once.
    Add {
        /// The address they sign in with.
        email: String,
        /// What the practice calls them.
        #[arg(long)]
        name: String,
        /// front_desk, biller, authorization_coordinator, practice_admin, auditor or platform_admin.
        #[arg(long)]
        role: String,
        /// The practice; made when it is not there.
        #[arg(long, default_value = "default")]
        practice: String,
    },
    /// The people of a practice.
    List {
        /// The practice.
        #[arg(long, default_value = "default")]
        practice: String,
    },
    /// Takes somebody's password, one-time codes and sessions away and prints a new invitation, once.
    Reset {
        /// The address they sign in with.
        email: String,
    },
}

/// Runs one of the people commands on the configured store. No gateway may run on the same data directory.
pub async fn people(command: PeopleCommand, config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let house = super::vault_keys::open_house(&config).await?;
    let identity = &house.app.identity;
    let mut out = io::stdout();
    match command {
        PeopleCommand::Add { email, name, role, practice } => {
            let known = Role::ALL.map(Role::word).join(", ");
            let role =
                Role::from_word(&role).ok_or_else(|| CannotRun(format!("there is no role {role}; known: {known}")))?;
            let caller = Caller::command_line(identity.practice_or_new(&practice).await?);
            let new = NewMember { email: &email, name: &name, role, second_factor: true };
            tell(&identity.add_person(&caller, new).await?, &mut out)?;
        }
        PeopleCommand::List { practice } => {
            for one in identity.people(&PracticeId::new(practice)).await? {
                let state = match (one.password_set, one.totp_set) {
                    (false, _) => "invited",
                    (true, false) => "no codes",
                    (true, true) => "complete",
                };
                writeln!(out, "{}  {:<25} {state:<8} {}  {}", one.id, one.role.word(), one.email, one.name)?;
            }
        }
        PeopleCommand::Reset { email } => tell(&identity.operator_reset(&email).await?, &mut out)?,
    }
    house.close().await;
    Ok(ExitCode::SUCCESS)
}

fn tell(invitation: &Invitation, out: &mut impl Write) -> io::Result<()> {
    match &invitation.token {
        Some(token) => {
            writeln!(out, "{}", **token)?;
            writeln!(
                io::stderr(),
                "Invitation for {}. It is shown this once and good for 72 hours; they set a password with it.",
                invitation.person
            )
        }
        None => writeln!(io::stderr(), "{} joins with the account they have.", invitation.person),
    }
}
