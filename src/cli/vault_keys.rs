//! `portico vault init | unseal | seal | rotate`: the vault's keys.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::run::End;
use super::typed::{Person, Source, new_secret, secret, shown_line};
use super::vault::open_store;
use crate::config::Config;
use crate::house::{CannotRun, House};
use crate::keeper::{self, Act, Key};
use crate::store::Store;
use crate::vault::{Opener, Vault, VaultError, Way, check_passphrase};

/// How often a recovery code may be mistyped before it is given up.
const TRIES: usize = 5;

/// The recovery kit.
#[derive(Args, Clone, Debug, Default)]
pub struct Kit {
    /// Write the recovery code into this new file instead of showing it. Take the file off this machine, and delete it here.
    #[arg(long, value_name = "FILE", conflicts_with = "no_recovery")]
    recovery_file: Option<PathBuf>,
    /// Make no recovery code.
    #[arg(long)]
    no_recovery: bool,
}

/// What can be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The practices' keys: what seals credentials and answers.
    Keys,
    /// The root key, and with it every way to unseal: the key file's key, the recovery code; the passphrase is asked for.
    Root,
    /// The key in the key file.
    KeyFile,
    /// The passphrase.
    Passphrase,
    /// The recovery code.
    Recovery,
}

impl What {
    fn way(self) -> Option<Way> {
        match self {
            Self::KeyFile => Some(Way::KeyFile),
            Self::Passphrase => Some(Way::Passphrase),
            Self::Recovery => Some(Way::Recovery),
            Self::Keys | Self::Root => None,
        }
    }
}

/// `portico vault init`.
pub(super) async fn init(config: &Config, passphrase: bool, kit: &Kit, typed: &Source, person: &mut Person<'_>) -> End {
    let store = open_store(config).await?;
    if Vault::is_initialised(&store).await? {
        return Err(VaultError::AlreadyInitialised.into());
    }
    let opener = if passphrase {
        Opener::Passphrase(chosen_passphrase(typed, person)?)
    } else {
        Opener::KeyFile(config.vault_key_file.clone())
    };
    let mut openers = vec![opener];
    // Read back before anything is made: a kit that nobody has is none.
    if let Some(code) = recovery_code(kit, person)? {
        openers.push(Opener::Recovery(code));
    }
    Vault::init_with(&store, &openers).await?;
    if passphrase {
        writeln!(person.out, "The vault is made. `portico serve` starts sealed; open it with `portico vault unseal`.")?;
    } else {
        writeln!(person.out, "The vault's key is in {}.", config.vault_key_file.display())?;
        writeln!(
            person.out,
            "Keep a copy of it apart from the data: without it, no stored credential or answer can be read."
        )?;
    }
    if openers.len() == 1 {
        writeln!(person.out, "There is no recovery code. Make one with `portico vault rotate recovery`.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen_passphrase(typed: &Source, person: &mut Person<'_>) -> Result<Zeroizing<String>, CannotRun> {
    let passphrase = new_secret("new passphrase of the vault", typed, person)?;
    check_passphrase(&passphrase)?;
    Ok(passphrase)
}

/// A new code, kept by whoever is there: in a file, or on paper and read back. `None`: nobody is there, or it is not wanted.
fn recovery_code(kit: &Kit, person: &mut Person<'_>) -> Result<Option<Zeroizing<String>>, CannotRun> {
    if kit.no_recovery || (kit.recovery_file.is_none() && !person.terminal) {
        return Ok(None);
    }
    let code = Vault::new_recovery_code()?;
    match &kit.recovery_file {
        Some(path) => {
            write_new(path, &code).map_err(|error| CannotRun(format!("{}: {error}", path.display())))?;
            writeln!(person.out, "The recovery code is in {}. Take it off this machine.", path.display())?;
        }
        None => read_back(&code, person)?,
    }
    Ok(Some(code))
}

fn read_back(code: &str, person: &mut Person<'_>) -> Result<(), CannotRun> {
    writeln!(
        person.out,
        "The recovery code. It opens the vault when everything else is lost, and is shown this once. Write it down:\n"
    )?;
    let groups: Vec<&str> = code.split('-').collect();
    for line in groups.chunks(5) {
        writeln!(person.out, "    {}", line.join("  "))?;
    }
    writeln!(person.out, "\nNow type it in from the paper, groups apart by spaces or not.")?;
    for _ in 0..TRIES {
        let copied = shown_line("> ", person)?;
        match Vault::same_recovery_code(code, &copied) {
            Ok(true) => {
                writeln!(person.out, "That is it. Keep the paper where neither this machine nor its backups are.")?;
                return Ok(());
            }
            Ok(false) => writeln!(person.out, "That is another code. Look at the paper again.")?,
            Err(error) => writeln!(person.out, "{error}")?,
        }
    }
    Err(CannotRun("the recovery code was not read back; nothing was made or changed".to_owned()))
}

fn write_new(path: &Path, code: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(code.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Opens the vault of a store that no gateway uses: with the key file where it is at hand, else with what a person knows.
pub(super) async fn open_vault(
    store: &Arc<Store>,
    config: &Config,
    typed: &Source,
    person: &mut Person<'_>,
) -> Result<Arc<Vault>, CannotRun> {
    let ways = Vault::ways(store).await?;
    let by_file = ways.is_empty() || ways == [Way::KeyFile] || config.vault_key_file.exists();
    let opener = if by_file && (ways.is_empty() || ways.contains(&Way::KeyFile)) {
        Opener::KeyFile(config.vault_key_file.clone())
    } else if ways.contains(&Way::Passphrase) {
        Opener::Passphrase(secret("passphrase of the vault", typed, person)?)
    } else {
        Opener::Recovery(secret("recovery code", typed, person)?)
    };
    Ok(Vault::open_with(Arc::clone(store), &opener).await?)
}

/// As [`open_vault`], with its store; makes a vault with a key file where there is none yet.
pub(super) async fn open_or_make(
    config: &Config,
    person: &mut Person<'_>,
) -> Result<(Arc<Store>, Arc<Vault>), CannotRun> {
    let store = open_store(config).await?;
    if !Vault::is_initialised(&store).await? {
        Vault::init(&store, &config.vault_key_file).await?;
    }
    let vault = open_vault(&store, config, &Source::default(), person).await?;
    Ok((store, vault))
}

/// The house of a store that no gateway uses, for a command that works in it: opened as [`open_or_make`] does.
pub(super) async fn open_house(config: &Config) -> Result<House, CannotRun> {
    let (store, vault) = open_or_make(config, &mut Person::at(&mut io::stdin(), &mut io::stdout())).await?;
    House::open_over(config, store, vault).await
}

/// `portico vault unseal`.
pub(super) async fn unseal(config: &Config, recovery: bool, typed: &Source, person: &mut Person<'_>) -> End {
    let status = keeper::ask(&config.data_dir, &Act::Status).await?.ok_or_else(no_gateway)?;
    if status.iter().any(|word| word == "open") {
        writeln!(person.out, "The vault is open already.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let ways = keeper::ask(&config.data_dir, &Act::Ways).await?.ok_or_else(no_gateway)?;
    let has = |way: Way| ways.iter().any(|word| word == way.word());
    let key = if recovery {
        Key::typed(Way::Recovery, &secret("recovery code", typed, person)?)
    } else if has(Way::KeyFile) && !has(Way::Passphrase) {
        // Nobody knows anything that could be asked for.
        Key::file()
    } else {
        Key::typed(Way::Passphrase, &secret("passphrase of the vault", typed, person)?)
    };
    told(config, &Act::Unseal { key }, person).await
}

/// `portico vault seal`.
pub(super) async fn seal(config: &Config, person: &mut Person<'_>) -> End {
    told(config, &Act::Seal, person).await
}

fn no_gateway() -> CannotRun {
    CannotRun("no gateway runs on this data directory: a vault that nobody has opened is sealed. Start one with `portico serve`.".to_owned())
}

async fn told(config: &Config, act: &Act, person: &mut Person<'_>) -> End {
    let said = keeper::ask(&config.data_dir, act).await?.ok_or_else(no_gateway)?;
    for line in said {
        writeln!(person.out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `portico vault rotate`.
pub(super) async fn rotate(
    config: &Config,
    what: What,
    drop: bool,
    kit: &Kit,
    typed: &Source,
    person: &mut Person<'_>,
) -> End {
    if keeper::ask(&config.data_dir, &Act::Status).await?.is_some() {
        let ways = ways_told(config).await?;
        let act = act_of(what, drop, &ways, kit, typed, person)?;
        let said = keeper::ask(&config.data_dir, &act).await?.ok_or_else(no_gateway)?;
        said.iter().try_for_each(|line| writeln!(person.out, "{line}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let store = open_store(config).await?;
    let vault = open_vault(&store, config, typed, person).await?;
    let act = act_of(what, drop, &Vault::ways(&store).await?, kit, typed, person)?;
    let said = keeper::rotate(&vault, config, act).await?;
    said.iter().try_for_each(|line| writeln!(person.out, "{line}"))?;
    if what == What::Keys {
        // Nobody else uses the vault: there is nothing to wait for.
        let done = vault.rewrap(Duration::ZERO).await?;
        writeln!(person.out, "{} texts re-wrapped, {} old keys erased.", done.texts, done.keys_erased)?;
        if done.broken > 0 {
            writeln!(person.out, "{} texts do not open; `portico vault verify` tells more.", done.broken)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The ways of a running gateway's vault.
async fn ways_told(config: &Config) -> Result<Vec<Way>, CannotRun> {
    let told = keeper::ask(&config.data_dir, &Act::Ways).await?.ok_or_else(no_gateway)?;
    Ok(told.iter().filter_map(|word| Way::from_word(word)).collect())
}

fn act_of(
    what: What,
    drop: bool,
    ways: &[Way],
    kit: &Kit,
    typed: &Source,
    person: &mut Person<'_>,
) -> Result<Act, CannotRun> {
    match (what, what.way()) {
        (_, Some(way)) if drop => Ok(Act::DropWay { way }),
        (_, None) if drop => {
            Err(CannotRun("only a way to unseal can be dropped: key-file, passphrase or recovery".to_owned()))
        }
        (What::Keys, _) => Ok(Act::RotateKeys),
        (What::Root, _) => {
            let keys = ways.iter().map(|way| new_key(*way, kit, typed, person)).collect::<Result<_, _>>()?;
            Ok(Act::RotateRoot { keys })
        }
        (_, Some(way)) => Ok(Act::SetWay { key: new_key(way, kit, typed, person)? }),
        (What::KeyFile | What::Passphrase | What::Recovery, None) => Err(CannotRun("this is no way".to_owned())),
    }
}

fn new_key(way: Way, kit: &Kit, typed: &Source, person: &mut Person<'_>) -> Result<Key, CannotRun> {
    match way {
        Way::KeyFile => Ok(Key::file()),
        Way::Passphrase => Ok(Key::typed(way, &chosen_passphrase(typed, person)?)),
        Way::Recovery => {
            let none = "a new recovery code needs somebody who writes it down: run this on a terminal, or with --recovery-file FILE";
            let code = recovery_code(kit, person)?.ok_or_else(|| CannotRun(none.to_owned()))?;
            Ok(Key::typed(way, &code))
        }
    }
}
