//! `portico check`: the configuration, offline; every problem as `file:line:col: message, help`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::carriers::file::{carrier_schema, carrier_schema_for};
use crate::carriers::{CarrierBook, FileProblem, Limits};
use crate::config::{Config, gateway_schema};
use crate::registry;

/// Arguments of `portico check`.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckArguments {
    /// The configuration: a directory with gateway.toml and carriers/, or a directory of carrier files.
    #[arg(default_value = "config")]
    pub dir: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print the JSON Schema instead, for editors: of a carrier file with this connector's settings; without a name,
    /// of a carrier file with any settings; with `gateway`, of gateway.toml.
    #[arg(long, value_name = "CONNECTOR", num_args = 0..=1)]
    pub schema: Option<Option<String>>,
    /// Sign in at this carrier with the stored credential, and ask nothing: shows whether it can be reached and lets us in.
    #[arg(long, value_name = "CARRIER", conflicts_with_all = ["schema", "reference"])]
    pub live: Option<String>,
    /// Whose credential is tried with --live.
    #[arg(long, default_value = "default")]
    pub practice: String,
    /// Print the reference of all configuration files instead, as Markdown.
    #[arg(long, conflicts_with = "schema")]
    pub reference: bool,
}

/// What was checked, and what is wrong.
#[derive(Debug, Default)]
pub struct Checked {
    /// Carrier files in order.
    pub carriers: usize,
    /// `gateway.toml` was there.
    pub gateway: bool,
    /// Everything that is wrong.
    pub problems: Vec<FileProblem>,
}

/// Checks, and prints. Exit code 0: in order; 1: problems; 2: there is no such connector.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(arguments: &CheckArguments, out: &mut dyn Write) -> io::Result<ExitCode> {
    if let Some(connector) = &arguments.schema {
        return schema(connector.as_deref(), out);
    }
    if arguments.reference {
        write!(out, "{}", super::reference::reference(registry::CONNECTORS))?;
        return Ok(ExitCode::SUCCESS);
    }
    let checked = examine(&arguments.dir);
    if arguments.json {
        let report = json!({
            "ok": checked.problems.is_empty(),
            "carriers": checked.carriers,
            "gateway": checked.gateway,
            "problems": checked.problems,
        });
        writeln!(out, "{report:#}")?;
    } else {
        print(&arguments.dir, &checked, out)?;
    }
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Reads a configuration directory, builds every connector, and says everything that is wrong. Opens no connection.
pub fn examine(dir: &Path) -> Checked {
    let mut checked = Checked::default();
    let gateway = dir.join("gateway.toml");
    let mut limits = Limits::default();
    if gateway.exists() {
        checked.gateway = true;
        match Config::open(&gateway) {
            Ok(config) => limits = config.limits,
            Err(problems) => checked.problems.extend(problems),
        }
    }
    let inner = dir.join("carriers");
    let carriers = if inner.is_dir() || checked.gateway { inner } else { dir.to_owned() };
    let (_, report) = CarrierBook::open(carriers, limits);
    checked.carriers = report.carriers;
    checked.problems.extend(report.problems);
    checked
}

fn print(dir: &Path, checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    for problem in &checked.problems {
        writeln!(out, "{problem}")?;
    }
    let dir = dir.display();
    let carriers = counted(checked.carriers, "carrier file");
    if checked.problems.is_empty() {
        let gateway = if checked.gateway { "gateway.toml and " } else { "" };
        writeln!(out, "{dir}: {gateway}{carriers} in order")
    } else {
        let files: BTreeSet<&str> = checked.problems.iter().map(|problem| problem.file.as_str()).collect();
        let problems = counted(checked.problems.len(), "problem");
        writeln!(out, "{dir}: {problems} in {}; {carriers} in order", counted(files.len(), "file"))
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn schema(connector: Option<&str>, out: &mut dyn Write) -> io::Result<ExitCode> {
    let schema = match connector {
        None => carrier_schema(),
        Some("gateway") => gateway_schema(),
        Some(name) => match registry::find(name) {
            Some(registration) => carrier_schema_for(registration),
            None => {
                let names: Vec<&str> = registry::CONNECTORS.iter().map(|registration| registration.name).collect();
                writeln!(out, "There is no connector {name}. The connectors are: {}", names.join(", "))?;
                return Ok(ExitCode::from(2));
            }
        },
    };
    writeln!(out, "{schema:#}")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &CheckArguments) -> (String, bool) {
        let mut out = Vec::new();
        let code = check(arguments, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), code == ExitCode::SUCCESS)
    }

    #[test]
    fn the_shipped_configuration_is_in_order() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let (text, fine) = run(&CheckArguments { dir, ..Default::default() });
        assert!(fine, "{text}");
        assert!(text.contains("gateway.toml and "), "{text}");
    }

    #[test]
    fn every_problem_of_every_file_and_exit_code_1() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("carriers")).unwrap();
        std::fs::write(dir.path().join("gateway.toml"), "lisen = 1\n").unwrap();
        std::fs::write(dir.path().join("carriers/acme.toml"), "name = \"Acme\"\nconnector = \"none\"\n").unwrap();
        let arguments = CheckArguments { dir: dir.path().to_owned(), ..Default::default() };
        let (text, fine) = run(&arguments);
        assert!(!fine);
        assert!(text.contains("gateway.toml:1:1: unknown key \"lisen\", help: did you mean \"listen\"?"), "{text}");
        assert!(text.contains("acme.toml:2:13: there is no connector \"none\""), "{text}");
        assert!(text.contains("acme.toml:1:1: \"hosts\" is missing"), "{text}");
        assert!(text.contains("3 problems in 2 files; 0 carrier files in order"), "{text}");
        let (text, _) = run(&CheckArguments { json: true, ..arguments });
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["problems"][0]["line"], 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_problem() {
        let (text, fine) = run(&CheckArguments { dir: "no/such/directory".into(), ..Default::default() });
        assert!(!fine && text.contains("cannot be read"), "{text}");
    }

    #[test]
    fn schemas() {
        for name in registry::CONNECTORS.iter().map(|registration| Some(registration.name.to_owned())) {
            let (text, fine) = run(&CheckArguments { schema: Some(name), ..Default::default() });
            assert!(fine && serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
        let (text, _) = run(&CheckArguments { schema: Some(Some("gateway".into())), ..Default::default() });
        assert!(text.contains("\"listen\""));
        assert!(!run(&CheckArguments { schema: Some(Some("none".into())), ..Default::default() }).1);
    }
}
