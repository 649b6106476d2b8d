//! `portico vault`: the vault's key, and the credentials in it. Secrets come from a file or standard input, never from
//! the command line: other users of the machine can read that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use zeroize::Zeroizing;

use super::run::End;
use super::typed::{self, Person};
use super::vault_keys;
use crate::carriers::{Carrier, CarrierBook};
use crate::config::Config;
use crate::house::CannotRun;
use crate::identity::Identity;
use crate::keeper::{self, Act};
use crate::practice::PracticeId;
use crate::store::{Store, StoreError};
use crate::trail::{Actor, Trail};
use crate::vault::{CredentialInfo, GATEWAY_PRACTICE, SecretFields, Vault, owner};
use crate::wire::value_problems;

/// The practice that is meant when none is named.
const USUAL_PRACTICE: &str = "default";
/// Most that is read of a credential, bytes.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;

/// What to do with the vault.
#[derive(Subcommand)]
pub enum VaultCommand {
    /// Makes the vault's keys. `serve` does it too, the first time, with a key file and without a recovery kit.
    Init {
        /// Opened by a passphrase, typed after each start of the gateway, instead of the key file.
        #[arg(long)]
        passphrase: bool,
        /// The recovery kit.
        #[command(flatten)]
        kit: vault_keys::Kit,
        /// Where the passphrase comes from.
        #[command(flatten)]
        typed: typed::Source,
    },
    /// Opens the vault of the running gateway, with the passphrase; with the key file where it has none.
    Unseal {
        /// With the code of the recovery kit.
        #[arg(long)]
        recovery: bool,
        /// Where the passphrase comes from.
        #[command(flatten)]
        typed: typed::Source,
    },
    /// Seals the vault of the running gateway: its keys are wiped from memory, nothing is answered or sent any more.
    Seal,
    /// Exchanges keys, on a running gateway too: new ones are used at once, what stands under the old ones is re-wrapped in
    /// the background.
    Rotate {
        /// What to exchange.
        #[arg(value_enum, default_value_t = vault_keys::What::Keys)]
        what: vault_keys::What,
        /// Take this way to unseal away instead.
        #[arg(long)]
        drop: bool,
        /// The recovery kit.
        #[command(flatten)]
        kit: vault_keys::Kit,
        /// Where the passphrase comes from.
        #[command(flatten)]
        typed: typed::Source,
    },
    /// Stores a practice's credential for a carrier: `name=value` lines, one JSON object, or files. Never arguments.
    Put {
        /// The carrier's id: its file's name.
        carrier: String,
        /// File with the fields, or `-` for standard input. Default: standard input, unless there is a --file.
        #[arg(long)]
        from: Option<PathBuf>,
        /// A field whose value is a file's whole text, such as a certificate or a private key in PEM form:
        /// `--file client_certificate=client.pem --file client_key=client.key`.
        #[arg(long = "file", value_name = "FIELD=PATH")]
        files: Vec<String>,
        /// Whose credential it is. Without effect where the carrier's file says `credential = "gateway"`.
        #[arg(long, default_value = USUAL_PRACTICE)]
        practice: String,
    },
    /// Lists the credentials stored for a practice, without their values.
    List {
        /// Whose credentials.
        #[arg(long, default_value = USUAL_PRACTICE)]
        practice: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets a credential that a carrier refused be tried again. Check first that it still opens the carrier's own page.
    Enable {
        /// The carrier's id.
        carrier: String,
        /// Whose credential.
        #[arg(long, default_value = USUAL_PRACTICE)]
        practice: String,
    },
    /// Erases a stored credential.
    Delete {
        /// The carrier's id.
        carrier: String,
        /// Whose credential.
        #[arg(long, default_value = USUAL_PRACTICE)]
        practice: String,
    },
    /// Looks at every key, opens every stored value without showing any, holds it against the paper trail and follows that.
    /// Names what does not hold, the first one first; exit code 1 then.
    Verify,
}

/// Runs one command: over the operator's line where a gateway runs and the command is one for it, else on the configured
/// store. Through a running gateway, credentials are stored with `PUT /v1/credentials/{carrier}`.
pub async fn vault(command: VaultCommand, config: Option<PathBuf>) -> End {
    let config = Config::find(config.as_deref()).map_err(CannotRun)?;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    run(command, &config, &mut Person { input: &mut io::stdin(), out: &mut io::stdout(), terminal }).await
}

/// As [`vault`], with everything it reads and writes handed in.
async fn run(command: VaultCommand, config: &Config, person: &mut Person<'_>) -> End {
    match command {
        VaultCommand::Init { passphrase, kit, typed } => {
            vault_keys::init(config, passphrase, &kit, &typed, person).await
        }
        VaultCommand::Unseal { recovery, typed } => vault_keys::unseal(config, recovery, &typed, person).await,
        VaultCommand::Seal => vault_keys::seal(config, person).await,
        VaultCommand::Rotate { what, drop, kit, typed } => {
            vault_keys::rotate(config, what, drop, &kit, &typed, person).await
        }
        VaultCommand::Verify => verify(config, person).await,
        on_store => credentials(on_store, config, person).await,
    }
}

/// What is done with credentials, on a store that no gateway uses.
async fn credentials(command: VaultCommand, config: &Config, person: &mut Person<'_>) -> End {
    let store = open_store(config).await?;
    let vault = vault_keys::open_vault(&store, config, &typed::Source::default(), person).await?;
    match command {
        VaultCommand::Put { carrier, from, files, practice } => {
            let carrier = carrier_of(config, &carrier)?;
            let fields = given(from.as_deref(), &files, person)?;
            let practice = practice_of(&store, &vault, &carrier, &practice).await?;
            put(&vault, &carrier, &practice, fields, person.out).await?;
        }
        VaultCommand::List { practice, json } => list(&vault, &practice, json, person.out)?,
        VaultCommand::Enable { carrier, practice } => {
            let practice = owner_of(config, &carrier, &practice);
            if !vault.enable(&practice, &carrier, &Actor::command_line()).await? {
                return Err(CannotRun(format!(
                    "{practice} has no stopped credential for {carrier} that may be tried again; one that is disabled needs new values"
                )));
            }
            writeln!(person.out, "{carrier}: active again. The next question tries it once.")?;
        }
        VaultCommand::Delete { carrier, practice } => {
            let practice = owner_of(config, &carrier, &practice);
            if !vault.delete(&practice, &carrier, &Actor::command_line()).await? {
                return Err(CannotRun(format!("{practice} has no credential for {carrier}")));
            }
            writeln!(person.out, "{carrier}: erased.")?;
        }
        VaultCommand::Init { .. }
        | VaultCommand::Unseal { .. }
        | VaultCommand::Seal
        | VaultCommand::Rotate { .. }
        | VaultCommand::Verify => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the store for a command.
pub(super) async fn open_store(config: &Config) -> Result<Arc<Store>, CannotRun> {
    Store::open_at(&config.data_dir, &config.tables).await.map_err(|error| {
        let help = match error {
            StoreError::Locked { .. } | StoreError::DatabaseTaken => {
                " While it runs, store credentials with PUT /v1/credentials/{carrier}."
            }
            _ => "",
        };
        CannotRun(format!("{error}{help}"))
    })
}

fn carrier_of(config: &Config, id: &str) -> Result<Arc<Carrier>, CannotRun> {
    let (book, _) = CarrierBook::open(&config.carriers_dir, config.limits);
    book.get(id).ok_or_else(|| {
        let dir = config.carriers_dir.display();
        CannotRun(format!("no carrier {id} could be loaded from {dir}; `portico check {dir}` tells why"))
    })
}

/// Whose credential is meant: also for a carrier whose file is gone, so that what is stored for it can be erased.
fn owner_of(config: &Config, carrier: &str, practice: &str) -> PracticeId {
    let practice = PracticeId::new(practice);
    carrier_of(config, carrier).map_or(practice.clone(), |carrier| owner(&practice, &carrier))
}

/// Whose credential is meant; the usual practice is made when it is not there, so that one practice needs no set-up.
async fn practice_of(
    store: &Arc<Store>,
    vault: &Arc<Vault>,
    carrier: &Carrier,
    practice: &str,
) -> Result<PracticeId, CannotRun> {
    let practice = owner(&PracticeId::new(practice), carrier);
    let identity = Identity::new(Arc::clone(store), Trail::new(Arc::clone(store), vault.sealer()));
    let known = identity.practices().await?;
    if known.iter().any(|(id, _)| *id == practice) {
        return Ok(practice);
    }
    if practice.as_str() == USUAL_PRACTICE {
        return Ok(identity.ensure_practice(USUAL_PRACTICE, USUAL_PRACTICE).await?);
    }
    let known: Vec<&str> = known.iter().map(|(id, _)| id.as_str()).filter(|id| *id != GATEWAY_PRACTICE).collect();
    let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
    Err(CannotRun(format!(
        "there is no practice {practice} (known: {known}); `portico keys create --practice {practice}` makes one"
    )))
}

/// The fields that were handed in, from all places at once.
fn given(from: Option<&Path>, files: &[String], person: &mut Person<'_>) -> Result<SecretFields, CannotRun> {
    let unreadable = |problem: &str| CannotRun(format!("the credential cannot be read: {problem}"));
    let text = match from {
        Some(path) if path.as_os_str() != "-" => read_file(path)?,
        None if !files.is_empty() => Zeroizing::new(String::new()),
        _ => read_all(person.input)?,
    };
    let mut fields = parse(&text).map_err(|problem| unreadable(&problem))?;
    for (place, file) in files.iter().enumerate() {
        let number = place + 1;
        // What is no field and path may be a secret in the wrong place: it is not repeated.
        let (name, path) = file.split_once('=').ok_or_else(|| {
            unreadable(&format!("--file number {number}: FIELD=PATH is expected, and the value in the file"))
        })?;
        if fields.insert(name.to_owned(), read_file(Path::new(path))?).is_some() {
            return Err(unreadable(&format!("--file number {number}: this field was given before")));
        }
    }
    Ok(fields)
}

async fn put(
    vault: &Vault,
    carrier: &Carrier,
    practice: &PracticeId,
    fields: SecretFields,
    out: &mut dyn Write,
) -> Result<(), CannotRun> {
    check_fields(carrier, &fields)?;
    let info = vault.put(practice, &carrier.id, fields, &carrier.hosts, &Actor::command_line()).await?;
    writeln!(
        out,
        "{}: stored for {practice} as {}, generation {} ({}). It goes to {} and nowhere else.",
        info.carrier,
        info.id,
        info.generation,
        info.fields.join(", "),
        info.origins.join(", ")
    )?;
    Ok(())
}

/// Says all at once what is missing and what is too much. Names that are too much are not repeated: a value may stand
/// where a name should.
fn check_fields(carrier: &Carrier, fields: &SecretFields) -> Result<(), CannotRun> {
    let wanted = carrier.credential_fields();
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|field| !field.optional && !fields.contains_key(&field.name))
        .map(|field| field.name.as_str())
        .collect();
    let too_many = fields.keys().filter(|name| !wanted.iter().any(|field| field.name == **name)).count();
    let unusable: Vec<String> = value_problems(carrier, fields)
        .into_iter()
        .map(|wrong| format!("{}: {}: {}", carrier.id, wrong.field, wrong.problem))
        .collect();
    if missing.is_empty() && too_many == 0 {
        return if unusable.is_empty() { Ok(()) } else { Err(CannotRun(unusable.join("\n"))) };
    }
    let lines: Vec<String> = wanted
        .iter()
        .map(|field| format!("  {}{}  {}", field.name, if field.optional { " (optional)" } else { "" }, field.label))
        .collect();
    let missing = if missing.is_empty() { String::new() } else { format!("missing: {}. ", missing.join(", ")) };
    let too_many = if too_many == 0 { String::new() } else { format!("{too_many} fields it does not know. ") };
    let mut said = vec![format!("{}: {missing}{too_many}It needs:\n{}", carrier.id, lines.join("\n"))];
    said.extend(unusable);
    Err(CannotRun(said.join("\n")))
}

/// One JSON object of texts, or lines of `name=value`; the value is the rest of the line as it is. Problems name the
/// line, never its content.
fn parse(text: &str) -> Result<SecretFields, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        let object: BTreeMap<String, Zeroizing<String>> = serde_json::from_str::<BTreeMap<String, String>>(text)
            .map_err(|error| format!("line {}: an object of texts is expected", error.line()))?
            .into_iter()
            .map(|(name, value)| (name, Zeroizing::new(value)))
            .collect();
        return Ok(object);
    }
    let mut fields = SecretFields::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let (name, value) =
            line.split_once('=').ok_or_else(|| format!("line {}: `name=value` is expected", number + 1))?;
        if fields.insert(name.trim().to_owned(), Zeroizing::new(value.to_owned())).is_some() {
            return Err(format!("line {}: this field was given before", number + 1));
        }
    }
    Ok(fields)
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, CannotRun> {
    let file = File::open(path).map_err(|error| CannotRun(format!("{}: {error}", path.display())))?;
    read_all(&mut { file })
}

fn read_all(input: &mut dyn Read) -> Result<Zeroizing<String>, CannotRun> {
    let mut text = Zeroizing::new(String::new());
    input.take(INPUT_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn list(vault: &Vault, practice: &str, json: bool, out: &mut dyn Write) -> Result<(), CannotRun> {
    let practice = PracticeId::new(practice);
    let mut found = vault.list(&practice);
    let of_gateway = vault.list(&PracticeId::new(GATEWAY_PRACTICE));
    if practice.as_str() != GATEWAY_PRACTICE {
        found.extend(of_gateway);
    }
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&found)?)?;
        return Ok(());
    }
    if found.is_empty() {
        writeln!(out, "No credential is stored for {practice}.")?;
    }
    for info in &found {
        writeln!(out, "{}", line(info))?;
    }
    Ok(())
}

fn line(info: &CredentialInfo) -> String {
    let ends = info.expires_at.map_or(String::new(), |at| format!(", ends {at:.0}"));
    let reason = info.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let used = info.last_used_at.map_or("never used".to_owned(), |at| format!("last used {at:.0}"));
    format!(
        "{:<20} {}{reason}, generation {}, {used}{ends}, fields {}, hosts {}",
        info.carrier,
        info.state.word(),
        info.generation,
        info.fields.join(" "),
        info.origins.join(" ")
    )
}

async fn verify(config: &Config, person: &mut Person<'_>) -> End {
    let lines = match keeper::ask(&config.data_dir, &Act::Verify).await? {
        Some(lines) => lines,
        None => {
            let store = open_store(config).await?;
            let vault = vault_keys::open_vault(&store, config, &typed::Source::default(), person).await?;
            keeper::verify(&vault, &store).await?
        }
    };
    for line in &lines {
        writeln!(person.out, "{line}")?;
    }
    let whole = !lines.iter().any(|line| line.starts_with(keeper::BROKEN));
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "Xylophone-9182 = correct";

    struct Rig {
        dir: tempfile::TempDir,
        config: Config,
    }

    impl Rig {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = |name: &str| dir.path().join(name).display().to_string();
            let text = format!(
                "data_dir = {:?}\nvault_key_file = {:?}\ncarriers_dir = {:?}\n",
                path("data"),
                path("key"),
                path("carriers")
            );
            let config = Config::read("gateway.toml", &text).unwrap();
            std::fs::create_dir(path("carriers")).unwrap();
            let example = crate::registry::CONNECTORS.iter().find(|row| row.name == "core-x12").unwrap().example;
            std::fs::write(dir.path().join("carriers/acme.toml"), example).unwrap();
            Self { dir, config }
        }

        async fn run(&self, command: VaultCommand, input: &str) -> (Result<ExitCode, String>, String) {
            let mut out = Vec::new();
            let person = &mut Person { input: &mut input.as_bytes(), out: &mut out, terminal: false };
            let end = run(command, &self.config, person).await;
            (end.map_err(|CannotRun(message)| message), String::from_utf8(out).unwrap())
        }

        async fn done(&self, command: VaultCommand, input: &str) -> String {
            let (end, out) = self.run(command, input).await;
            assert_eq!(end, Ok(ExitCode::SUCCESS), "{out}");
            out
        }

        /// Every field the carrier needs, with the canary as its value.
        fn fields(&self) -> String {
            let carrier = carrier_of(&self.config, "acme").unwrap();
            let fields = carrier.credential_fields();
            fields.iter().map(|field| format!("{}={CANARY}\n", field.name)).collect()
        }
    }

    fn put(practice: &str) -> VaultCommand {
        VaultCommand::Put { carrier: "acme".to_owned(), from: None, files: Vec::new(), practice: practice.to_owned() }
    }

    fn init() -> VaultCommand {
        VaultCommand::Init { passphrase: false, kit: vault_keys::Kit::default(), typed: typed::Source::default() }
    }

    fn usual() -> String {
        USUAL_PRACTICE.to_owned()
    }

    #[tokio::test]
    async fn from_the_key_to_a_stored_credential() {
        let rig = Rig::new();
        assert!(rig.run(put("default"), "").await.0.unwrap_err().contains("portico vault init"));
        rig.done(init(), "").await;
        assert!(rig.run(init(), "").await.0.is_err());
        let put_says = rig.done(put("default"), &rig.fields()).await;
        let listed = rig.done(VaultCommand::List { practice: usual(), json: false }, "").await;
        let json = rig.done(VaultCommand::List { practice: usual(), json: true }, "").await;
        let verified = rig.done(VaultCommand::Verify, "").await;
        for said in [&put_says, &listed, &json] {
            assert!(said.contains("acme") && !said.contains("Xylophone"), "{said}");
        }
        assert!(verified.contains("default: 1 of 1 credentials open, 1 records in an unbroken trail"), "{verified}");
        let enable = || VaultCommand::Enable { carrier: "acme".to_owned(), practice: usual() };
        assert!(rig.run(enable(), "").await.0.unwrap_err().contains("no stopped credential"));
        rig.done(VaultCommand::Delete { carrier: "acme".to_owned(), practice: usual() }, "").await;
        assert!(rig.done(VaultCommand::List { practice: usual(), json: false }, "").await.contains("No credential"));
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_at_once_and_without_the_values() {
        let rig = Rig::new();
        rig.done(init(), "").await;
        for (input, says) in [
            ("Xylophone", "line 1: `name=value`"),
            ("{\"password\": 7}", "line 1: an object of texts"),
            ("a=1\na=Xylophone", "line 2: this field was given before"),
            ("", "missing: "),
            ("Xylophone=1\nother=2", "2 fields it does not know"),
        ] {
            let message = rig.run(put("default"), input).await.0.unwrap_err();
            assert!(message.contains(says) && !message.contains("Xylophone"), "{message}");
        }
        let nobody = rig.run(put("nobody"), &rig.fields()).await.0.unwrap_err();
        assert!(nobody.contains("portico keys create --practice nobody"), "{nobody}");
        let from = |from: Option<PathBuf>, file: Option<String>| VaultCommand::Put {
            carrier: "acme".to_owned(),
            from,
            files: file.into_iter().collect(),
            practice: usual(),
        };
        let nowhere = rig.dir.path().join("nowhere");
        let file = format!("password={}", nowhere.display());
        assert!(rig.run(from(Some(nowhere), None), "").await.0.unwrap_err().contains("nowhere"));
        assert!(rig.run(from(None, Some(file)), "").await.0.unwrap_err().contains("nowhere"));
        let argument = rig.run(from(None, Some("Xylophone".to_owned())), "").await.0.unwrap_err();
        assert!(argument.contains("--file number 1") && !argument.contains("Xylophone"), "{argument}");
        let command =
            VaultCommand::Put { carrier: "unknown".to_owned(), from: None, files: Vec::new(), practice: usual() };
        assert!(rig.run(command, "").await.0.unwrap_err().contains("portico check"));
        let store = Store::open(&rig.config.data_dir).unwrap();
        let locked = rig.run(VaultCommand::Verify, "").await.0.unwrap_err();
        assert!(locked.contains("PUT /v1/credentials"), "{locked}");
        drop(store);
    }

    #[test]
    fn values_are_taken_as_they_are() {
        let fields = parse("# a comment\n\nusername=front desk\npassword= p=w \r\n").unwrap();
        assert_eq!(fields["password"].as_str(), " p=w ");
        let fields = parse("\u{feff} {\"password\": \"a\\nb\"}").unwrap();
        assert_eq!(fields["password"].as_str(), "a\nb");
    }
}
