//! `gateway.toml`: where the gateway listens and keeps its things, and the defaults of all carriers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::carriers::file::LimitsFile;
use crate::carriers::load::cidr;
use crate::carriers::schema::{Words, check};
use crate::carriers::text::Document;
use crate::carriers::{FileProblem, Limits};
use crate::store::{PostgresServer, Tables};

/// Where the file is looked for when none is named.
pub const USUAL_PLACE: &str = "config/gateway.toml";

/// The gateway's configuration, checked. Relative paths count from the directory the program was started in.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Proxies that are believed about the address a request comes from.
    pub trusted_proxies: Vec<IpAddr>,
    /// The store and everything else that is written.
    pub data_dir: PathBuf,
    /// Where the store's tables are.
    pub tables: Tables,
    /// The vault's master key. Never inside `data_dir`: a copy of the data must not open the vault.
    pub vault_key_file: PathBuf,
    /// Where the paper trail's signed checkpoints are anchored. Never inside `data_dir`: whoever puts the data back to an
    /// earlier state must not put these back with it.
    pub anchor_dir: PathBuf,
    /// The carrier files.
    pub carriers_dir: PathBuf,
    /// Logging.
    pub log: Log,
    /// Networks inside the house that webhooks may go to.
    pub webhooks_private: Vec<String>,
    /// What "today" is for a question without a date.
    pub time_zone: TimeZone,
    /// Bounds for what a carrier file leaves out.
    pub limits: Limits,
}

/// Logging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Least important lines that are written.
    pub level: LevelFilter,
    /// One JSON object for each line, instead of text.
    pub json: bool,
}

/// The gateway's configuration, as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// Address and port to listen at. TLS belongs to the proxy in front. Default: `127.0.0.1:8700`.
    pub listen: Option<String>,
    /// Addresses of the proxies in front, which are believed about the client's address (`X-Forwarded-For`). Without the
    /// right ones all clients count as one when sign-ins are slowed down. Default: `["127.0.0.1", "::1"]`.
    pub trusted_proxies: Option<Vec<String>>,
    /// Directory for the store; made when it is not there. Default: `data`.
    pub data_dir: Option<String>,
    /// File with the vault's master key; made by `portico vault init`, outside `data_dir`. Default: `keys/vault.key`.
    pub vault_key_file: Option<String>,
    /// Directory of the carrier files. Default: `config/carriers`.
    pub carriers_dir: Option<String>,
    /// Where the store's tables are.
    #[serde(default)]
    pub store: StoreFile,
    /// Logging.
    #[serde(default)]
    pub log: LogFile,
    /// The practices.
    #[serde(default)]
    pub practice: PracticeFile,
    /// Where events may be delivered.
    #[serde(default)]
    pub webhooks: WebhooksFile,
    /// The paper trail.
    #[serde(default)]
    pub trail: TrailFile,
    /// Bounds for what a carrier file leaves out.
    #[serde(default)]
    pub limits: LimitsFile,
}

/// Where events may be delivered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhooksFile {
    /// Networks inside the house that webhooks may go to, such as `10.1.2.0/24`. Default: none.
    #[serde(default)]
    pub allow_private: Vec<String>,
}

/// Where the store's tables are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreFile {
    /// A PostgreSQL server, as `postgresql://user@host/database?sslmode=require`. Empty: a SQLite file in `data_dir`.
    pub postgres: Option<String>,
    /// Where its password is: `env:NAME` or `file:path`. Empty: the server asks for none.
    pub postgres_password: Option<String>,
}

/// Logging.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// Least important lines that are written. Default: `info`.
    pub level: Option<Level>,
    /// How a line is written. Default: `text`.
    pub format: Option<Format>,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something must be mended.
    Error,
    /// Something should be looked at.
    Warn,
    /// What the gateway does.
    Info,
    /// How it does it.
    Debug,
    /// Every step.
    Trace,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// The practices.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeFile {
    /// IANA time zone of the practices; decides what "today" is. Default: `America/New_York`.
    pub time_zone: Option<String>,
}

/// The paper trail.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrailFile {
    /// Directory for signed checkpoints, outside `data_dir`, best on another disk. Default: `anchors` beside the vault's key.
    pub anchor_dir: Option<String>,
}

impl Config {
    /// Reads the file that is named; else [`USUAL_PLACE`] where there is one; else the defaults.
    ///
    /// # Errors
    /// All problems, a line for each.
    pub fn find(named: Option<&Path>) -> Result<Self, String> {
        let path = match named {
            Some(path) => path,
            None if Path::new(USUAL_PLACE).exists() => Path::new(USUAL_PLACE),
            None => return Self::read("defaults", "").map_err(|problems| lines(&problems)),
        };
        Self::open(path).map_err(|problems| lines(&problems))
    }

    /// Reads one file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn open(path: &Path) -> Result<Self, Vec<FileProblem>> {
        let label = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![FileProblem::whole(&label, format!("this file cannot be read: {error}"), None)])?;
        Self::read(&label, &text)
    }

    /// Reads the text of a file; `label` names it in problems.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(label: &str, text: &str) -> Result<Self, Vec<FileProblem>> {
        static SCHEMA: LazyLock<Value> = LazyLock::new(gateway_schema);
        let mut document = Document::parse(label, text);
        let mut problems = std::mem::take(&mut document.syntax);
        let value = document.value.clone();
        problems.extend(check(&SCHEMA, &value, Words::File).into_iter().map(|problem| document.problem(problem)));
        let file = match GatewayFile::deserialize(&value) {
            Ok(file) if problems.is_empty() => file,
            Ok(_) => return Err(problems),
            Err(_) if !problems.is_empty() => return Err(problems),
            Err(error) => return Err(vec![FileProblem::whole(label, error.to_string(), None)]),
        };
        let config = Self::checked(file, &document, &mut problems);
        config.filter(|_| problems.is_empty()).ok_or(problems)
    }

    fn checked(file: GatewayFile, document: &Document, problems: &mut Vec<FileProblem>) -> Option<Self> {
        let mut wrong = |path: &[&str], message: &str, help: &str| {
            problems.push(document.value_problem(path, message, Some(help.to_owned())));
        };
        let listen = file.listen.as_deref().unwrap_or("127.0.0.1:8700").parse().ok();
        if listen.is_none() {
            wrong(&["listen"], "this is no address with a port", "write it like 127.0.0.1:8700 or [::]:8700");
        }
        let trusted_proxies = match &file.trusted_proxies {
            None => Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
            Some(given) => given.iter().map(|one| one.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())).collect(),
        };
        if trusted_proxies.is_none() {
            wrong(&["trusted_proxies"], "this holds something that is no address", "write addresses like 10.0.0.5");
        }
        let zone = TimeZone::get(file.practice.time_zone.as_deref().unwrap_or("America/New_York")).ok();
        if zone.is_none() {
            wrong(&["practice", "time_zone"], "this is no known time zone", "write an IANA name: America/Chicago");
        }
        let path = |given: Option<String>, usual: &str| PathBuf::from(given.unwrap_or_else(|| usual.to_owned()));
        let data_dir = path(file.data_dir, "data");
        let vault_key_file = path(file.vault_key_file, "keys/vault.key");
        if vault_key_file.starts_with(&data_dir) {
            let help = "put the key elsewhere: a copy of the data directory must not open the vault";
            wrong(&["vault_key_file"], "the vault's key may not lie in data_dir", help);
        }
        let tables = tables(&file.store).unwrap_or_else(|(key, message)| {
            wrong(&["store", key], &message, "see config/gateway.toml for how it is written");
            Tables::Embedded
        });
        let mut webhooks_private = Vec::new();
        for range in &file.webhooks.allow_private {
            match cidr(range) {
                Some(range) => webhooks_private.push(range),
                None => {
                    let message = format!("\"{range}\" is no address range");
                    wrong(&["webhooks", "allow_private"], &message, "write it like 10.20.0.0/16");
                }
            }
        }
        // Beside the key it lies outside by the rule above.
        let given = file.trail.anchor_dir.is_some();
        let anchor_dir = match file.trail.anchor_dir {
            Some(given) => PathBuf::from(given),
            None => vault_key_file.parent().unwrap_or(Path::new("")).join("anchors"),
        };
        if given && anchor_dir.starts_with(&data_dir) {
            let help = "put the anchors elsewhere, best on another disk: they tell when data_dir was put back";
            wrong(&["trail", "anchor_dir"], "the anchors may not lie in data_dir", help);
        }
        let limits = file.limits.over(Limits::default());
        if limits.attempt_timeout > limits.deadline {
            let help = "lower attempt_timeout_secs or raise deadline_secs";
            wrong(&["limits", "attempt_timeout_secs"], "one attempt may not last longer than the whole question", help);
        }
        Some(Self {
            listen: listen?,
            trusted_proxies: trusted_proxies?,
            data_dir,
            tables,
            vault_key_file,
            anchor_dir,
            carriers_dir: path(file.carriers_dir, "config/carriers"),
            webhooks_private,
            log: Log {
                level: file.log.level.unwrap_or(Level::Info).into(),
                json: file.log.format == Some(Format::Json),
            },
            time_zone: zone?,
            limits,
        })
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// The key at fault and what is wrong, when it cannot be read.
fn tables(file: &StoreFile) -> Result<Tables, (&'static str, String)> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let password = given(&file.postgres_password).map(|place| secret(&place)).transpose();
    let password = password.map_err(|problem| ("postgres_password", problem))?;
    match given(&file.postgres) {
        Some(server) => PostgresServer::new(&server, password.as_ref().map(|password| password.as_str()))
            .map(|server| Tables::Postgres(Box::new(server)))
            .map_err(|problem| ("postgres", problem.to_owned())),
        None if password.is_some() => Err(("postgres", "a password is given, but no server".to_owned())),
        None => Ok(Tables::Embedded),
    }
}

/// A secret that stands elsewhere.
fn secret(place: &str) -> Result<Zeroizing<String>, String> {
    let found = if let Some(name) = place.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the variable {name} is not set"))
    } else if let Some(path) = place.strip_prefix("file:") {
        std::fs::read_to_string(path).map_err(|error| format!("the file {path} cannot be read: {error}"))
    } else {
        // Not repeated: it may be the password itself.
        Err("this is no place of a secret: write env:NAME or file:path".to_owned())
    };
    found.map(|text| Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The JSON Schema of `gateway.toml`.
pub fn gateway_schema() -> Value {
    schemars::schema_for!(GatewayFile).to_value()
}

fn lines(problems: &[FileProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../config/gateway.toml");

    fn problems(text: &str) -> Vec<String> {
        Config::read("gateway.toml", text).err().into_iter().flatten().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let shipped = Config::read("config/gateway.toml", SHIPPED).map_err(|problems| lines(&problems)).unwrap();
        let defaults = Config::read("", "").map_err(|problems| lines(&problems)).unwrap();
        assert_eq!(format!("{shipped:?}"), format!("{defaults:?}"));
        assert_eq!(defaults.limits, Limits::default());
    }

    #[test]
    fn the_shipped_file_names_every_key() {
        let schema = gateway_schema();
        let mut keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        for table in schema["$defs"].as_object().unwrap().values() {
            keys.extend(table["properties"].as_object().into_iter().flat_map(|properties| properties.keys()));
        }
        assert!(keys.len() > 15, "{keys:?}");
        for key in keys {
            let told = SHIPPED.lines().any(|line| line.starts_with(&format!("{key} ")) || line == format!("[{key}]"));
            assert!(told, "config/gateway.toml does not name {key}");
        }
    }

    #[test]
    fn everything_that_is_wrong_at_once() {
        let found = problems("lisen = \"x\"\n[log]\nlevel = \"inof\"\n[limits]\nattempts_max = 0\n");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert_eq!(found[0], "gateway.toml:1:1: unknown key \"lisen\", help: did you mean \"listen\"?");
        assert!(found[1].starts_with("gateway.toml:3:9: \"inof\" is not accepted here, help: did you mean \"info\"?"));
        let found = problems("[trail]\nanchor_dir = \"data/a\"\n");
        assert!(found[0].starts_with("gateway.toml:2:14: the anchors may not lie in data_dir"), "{found:#?}");
        let found = problems("listen = \"x\"\nvault_key_file = \"data/k\"\n[practice]\ntime_zone = \"Mars\"\n");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found.iter().any(|problem| problem.starts_with("gateway.toml:2:18: the vault's key")), "{found:#?}");
    }

    #[test]
    fn a_password_stands_elsewhere() {
        let server = "[store]\npostgres = \"postgresql://portico@db.example/portico\"\n";
        let read = |more: &str| problems(&format!("{server}{more}"));
        assert_eq!(read(""), Vec::<String>::new());
        let literal = read("postgres_password = \"Zanzibar-0471\"");
        assert!(literal[0].contains("env:NAME") && !literal[0].contains("Zanzibar"), "{literal:?}");
        assert!(read("postgres_password = \"env:PORTICO_NO_SUCH\"")[0].contains("PORTICO_NO_SUCH"));
        let inside = problems("[store]\npostgres = \"postgresql://portico:Zanzibar@db.example/portico\"");
        assert!(inside[0].contains("postgres_password") && !inside[0].contains("Zanzibar"), "{inside:?}");
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        assert!(Config::find(Some(Path::new("no/such/file.toml"))).unwrap_err().contains("cannot be read"));
    }
}
