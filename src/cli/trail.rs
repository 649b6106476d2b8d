//! `portico trail`: proves the paper trail, makes and checks evidence packets, signs with a new key, accepts a rollback.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::run::End;
use super::submissions::tell_reconciliation;
use super::typed::{Person, Source};
use super::vault_keys;
use crate::config::Config;
use crate::house::CannotRun;
use crate::packets;
use crate::practice::PracticeId;
use crate::store::Store;
use crate::submissions;
use crate::trail::note::VerifierKey;
use crate::trail::{Actor, PatientKey, Trail, TrailReport};

/// Largest packet that is read, bytes.
const PACKET_BYTES_MAX: u64 = 256 << 20;

/// What to do with the paper trail.
#[derive(Subcommand)]
pub enum TrailCommand {
    /// Proves the whole trail against the anchors, or one packet, and names the first bad record. No gateway may run on
    /// the same data. Exit code 0 when everything holds, 1 when something does not, 2 when it cannot be read.
    Verify {
        /// A packet; without it, the configured data directory and anchors.
        packet: Option<PathBuf>,
        /// A key of the gateway that you know from elsewhere; the packet must be signed with it or one that it announced.
        #[arg(long)]
        key: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes an evidence packet.
    Packet(PacketArguments),
    /// The keys that sign checkpoints and packets: give them to whoever must check them.
    Keys {
        /// Sign with a new key from now on; the old one announces it.
        #[arg(long)]
        rotate: bool,
    },
    /// Accepts that the data was put back to an earlier state, and says why. Until then only reading is allowed. What may
    /// have been sent since counts as unknown from then on, and every carrier is held until `portico submissions release`.
    AcceptRollback {
        /// Why; kept sealed, with the record.
        #[arg(long)]
        reason: String,
    },
}

/// Arguments of `portico trail packet`.
#[derive(Args)]
pub struct PacketArguments {
    /// The practice.
    #[arg(long, default_value = "default")]
    practice: String,
    /// Everything about one question or submission.
    #[arg(long, conflicts_with = "member_id")]
    ask: Option<String>,
    /// With `--member-id`: the carrier's id.
    #[arg(long, requires = "member_id")]
    carrier: Option<String>,
    /// Everything about the patient with this member id.
    #[arg(long, requires = "carrier")]
    member_id: Option<String>,
    /// The patient's date of birth, YYYY-MM-DD.
    #[arg(long, requires = "member_id")]
    born: Option<String>,
    /// Not before, like 2026-01-31T00:00:00Z.
    #[arg(long)]
    from: Option<Timestamp>,
    /// Before this.
    #[arg(long)]
    to: Option<Timestamp>,
    /// Why it is made; kept sealed, with the record of it.
    #[arg(long)]
    why: Option<String>,
    /// Where to write it; `evidence-ID.zip` otherwise. An existing file is not overwritten.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs one of the trail commands.
pub async fn trail(command: TrailCommand, config: Option<PathBuf>) -> End {
    let mut out = io::stdout();
    if let TrailCommand::Verify { packet: Some(packet), key, json } = command {
        return verify_packet(&packet, key.as_deref(), json, &mut out);
    }
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let (store, trail) = open(&config).await?;
    match command {
        TrailCommand::Verify { json, .. } => {
            let report = trail.verify_all().await?;
            let whole = report.problems.is_empty();
            if json {
                write_json(&report, &mut out)?
            } else {
                write_report(&report, &mut out)?
            }
            Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        TrailCommand::Packet(arguments) => make_packet(&store, &trail, arguments, &mut out).await,
        TrailCommand::Keys { rotate } => {
            if rotate {
                trail.rotate_key(&Actor::command_line()).await?;
                trail.checkpoint().await?;
            }
            for key in trail.verifier_keys().await? {
                writeln!(out, "{key}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        TrailCommand::AcceptRollback { reason } => {
            let by = Actor::command_line();
            match submissions::accept_rollback(&store, &trail, &reason, &by).await? {
                None => writeln!(
                    out,
                    "Nothing was put back, as far as the anchors tell. If it was: portico submissions restored"
                )?,
                Some((trails, _)) => {
                    writeln!(out, "Accepted for {trails} trails; each has a new log, whose first record says why.")?;
                    tell_reconciliation(&store, &mut out).await?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The store and the trail in it, without a gateway.
pub(super) async fn open(config: &Config) -> Result<(Arc<Store>, Arc<Trail>), CannotRun> {
    let store = Store::open_at(&config.data_dir, &config.tables).await?;
    let vault = vault_keys::open_vault(
        &store,
        config,
        &Source::default(),
        &mut Person::at(&mut io::stdin(), &mut io::stdout()),
    )
    .await?;
    let trail = Trail::anchored(Arc::clone(&store), vault, &config.anchor_dir)?;
    Ok((store, trail))
}

fn write_report(report: &TrailReport, out: &mut dyn Write) -> Result<(), CannotRun> {
    for (practice, records) in &report.records {
        let of = |problem: &&crate::trail::TrailProblem| problem.practice.as_ref() == Some(practice);
        let Some(first) = report.problems.iter().find(of) else {
            writeln!(out, "{practice}: {records} records, whole")?;
            continue;
        };
        let place = match (first.first, first.last) {
            (Some(first), Some(last)) if last > first => format!("first bad record: one of {first} to {last}: "),
            (Some(first), _) => format!("first bad record: {first}: "),
            (None, _) => String::new(),
        };
        writeln!(out, "{practice}: NOT WHOLE: {place}{}", first.what)?;
    }
    for problem in report.problems.iter().filter(|problem| problem.practice.is_none()) {
        writeln!(out, "NOT WHOLE: {}", problem.what)?;
    }
    writeln!(out, "{} checkpoints and {} anchors were held against the records.", report.checkpoints, report.anchors)?;
    Ok(())
}

fn write_json(report: &TrailReport, out: &mut dyn Write) -> Result<(), CannotRun> {
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|p| json!({ "practice": p.practice, "first": p.first, "last": p.last, "what": p.what }))
        .collect();
    let records: serde_json::Map<_, _> =
        report.records.iter().map(|(practice, n)| (practice.to_string(), json!(n))).collect();
    let value = json!({
        "whole": problems.is_empty(),
        "records": records,
        "checkpoints": report.checkpoints,
        "anchors": report.anchors,
        "problems": problems,
    });
    writeln!(out, "{value}")?;
    Ok(())
}

fn verify_packet(path: &Path, key: Option<&str>, as_json: bool, out: &mut dyn Write) -> End {
    let unreadable = |why: &str| CannotRun(format!("{} cannot be read: {why}", path.display()));
    let trusted = match key {
        Some(text) => Some(
            VerifierKey::read(text)
                .ok_or_else(|| CannotRun("--key is no key: `portico trail keys` prints them".into()))?,
        ),
        None => None,
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error.to_string()))?.len();
    if size > PACKET_BYTES_MAX {
        return Err(unreadable("it is larger than any packet"));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error.to_string()))?;
    let report = packets::verify(&bytes, trusted.as_ref()).map_err(unreadable)?;
    let whole = report.problems.is_empty();
    if as_json {
        let problems: Vec<_> =
            report.problems.iter().map(|p| json!({ "record": p.record, "file": p.file, "what": p.what })).collect();
        let first = report.first_bad();
        writeln!(out, "{}", json!({ "whole": whole, "first_bad": first, "key": report.key, "problems": problems }))?;
    } else {
        for problem in &report.problems {
            let record = problem.record.map(|seq| format!("record {seq}: ")).unwrap_or_default();
            writeln!(out, "{}: {record}{}", problem.file, problem.what)?;
        }
        match report.first_bad() {
            _ if whole => writeln!(
                out,
                "WHOLE: {} records, all in the signed tree of {} records. Signed with {}",
                report.records, report.tree_size, report.key
            )?,
            Some(first) => writeln!(out, "NOT WHOLE; the first bad record is {first}.")?,
            None => writeln!(out, "NOT WHOLE; the records themselves hold.")?,
        }
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn make_packet(store: &Arc<Store>, trail: &Arc<Trail>, arguments: PacketArguments, out: &mut dyn Write) -> End {
    trail.check_anchors().await?;
    let patient = arguments.member_id.map(|member_id| PatientKey {
        carrier: arguments.carrier.unwrap_or_default(),
        member_id: Some(member_id),
        date_of_birth: arguments.born,
        name: None,
    });
    let scope =
        packets::Scope { ask: arguments.ask, patient, from: arguments.from, to: arguments.to, why: arguments.why };
    let practice = PracticeId::new(arguments.practice);
    let kept = submissions::Kept::new(Arc::clone(store), Arc::clone(trail));
    let packet = packets::make(trail, &kept, &practice, &Actor::command_line(), scope).await?;
    let path = arguments.out.unwrap_or_else(|| PathBuf::from(format!("evidence-{}.zip", packet.id)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(&path).and_then(|mut file| file.write_all(&packet.bytes));
    written.map_err(|error| CannotRun(format!("{} cannot be written: {error}", path.display())))?;
    writeln!(
        out,
        "{}: {} records. It holds patient data; `portico trail verify` checks it.",
        path.display(),
        packet.records
    )?;
    Ok(ExitCode::SUCCESS)
}
