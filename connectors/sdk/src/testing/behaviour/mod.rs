//! One suite of behaviour for all connectors: trials made from what a connector declares and from its cassettes.
//!
//! # A connector's part
//! `tests/behaviour.rs`, whole (with `[[test]] name = "behaviour"`, `harness = false` in `Cargo.toml`, and this crate with
//! feature `testing` among the dev-dependencies):
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     connector_sdk::testing::behaviour(&json_hub::REGISTRATION, concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes"))
//! }
//! ```
//!
//! # A cassette
//! A folder in `cassettes/`, named after its scenario (`active`, `member_not_found` must be there; `active-dental` counts
//! as another `active`). Synthetic people only.
//!
//! | file | what |
//! |---|---|
//! | `ask.json` | the question ([`crate::EligibilityRequest`]) |
//! | `settings.toml` | the carrier file; without it the registration's example is used |
//! | `1.response.http`, `2.response.http` … | what the carrier answers: `HTTP/1.1 200 OK`, headers, an empty line, the body |
//! | `1.request.http` … | what the connector must send: `POST https://host/path`, headers, an empty line, the body |
//! | `want.json` | what must come of it, in part |
//!
//! A recorded request lists the headers that must be there; others may be. Bodies are compared as JSON where both are
//! JSON, else byte by byte but for line ends. One line end at the end of a file does not belong to the body. A response
//! with the header `x-cassette-newlines: crlf` has its line ends turned into CR LF (MIME needs them); the header itself is
//! taken out. `CASSETTES=write-requests cargo test --test behaviour` writes the request files from what the connector
//! sends: read the diff before you commit it.
//!
//! The host of the suite is [`super::FakeHost`]: trace number `TRACE0000000001`, control numbers 1, 2, …, today
//! 2026-11-23, fixed random bytes, markers with the word `0000feed`. A connector that signs in at a form is signed in
//! first, so its cassette begins with the sign-in pages.
//!
//! `want.json` has some of: `"outcome": "answered" | "refused" | "failed"`, `"coverage"`, `"refusal": {…}`,
//! `"kind": "carrier_timeout"` (of a failure), `"requests": 2`, `"answer": {…}` (the whole answer with its summary). An
//! object must hold at least the keys that are named, a list at least the elements, in any order.
//!
//! # The trials
//! - *promises*: the example builds, a misspelt key is refused, the required scenarios are there, every cassette replays;
//! - *faults*, put in the place of every reply of every cassette: the right kind, no panic, few requests, never another
//!   answer than the one without the fault, and never a refusal made of a fault;
//! - *walls*: the same ask gives the same bytes, only listed hosts, no patient in an address, no patient in any `Display`
//!   or `Debug`, a future dropped at any point leaves the connector usable;
//! - *submissions*, where the connector has them, from the folder `submissions/` beside `cassettes/`: exactly the prepared
//!   bytes leave, once; every fault in the place of the answer, and a cut after any byte, is "unknown" and never a word
//!   that the carrier did not say; a faulty inquiry finds nothing and proves nothing.

mod cassette;
mod faults;
mod run;
mod submissions;
mod walls;
mod want;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use self::cassette::Cassette;
use super::carrier_settings;
use crate::{Connector, Operation, Registration, Settings};

/// Scenarios every eligibility connector must have a cassette for.
const REQUIRED: [&str; 2] = ["active", "member_not_found"];

type Checked = Result<(), Failed>;

/// Runs the suite over one connector and its cassettes; understands the arguments of `cargo test`.
pub fn behaviour(registration: &'static Registration, cassettes: &str) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("promises::example_builds", move || example_builds(registration)),
        Trial::test("promises::misspelt_key_is_refused", move || misspelt_key(registration)),
    ];
    if registration.operations.contains(&Operation::Eligibility) {
        eligibility(registration, Path::new(cassettes), &mut trials);
    } else {
        trials.push(Trial::test("promises::eligibility", || Ok(())).with_ignored_flag(true));
    }
    if registration.operations.contains(&Operation::Authorization) {
        submissions::trials(registration, &Path::new(cassettes).with_file_name("submissions"), &mut trials);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn eligibility(registration: &'static Registration, folder: &Path, trials: &mut Vec<Trial>) {
    let loaded = match cassette::load_all(folder) {
        Ok(loaded) => loaded,
        Err(problem) => {
            trials.push(Trial::test("promises::cassettes_can_be_read", move || Err(problem.into())));
            return;
        }
    };
    for scenario in REQUIRED {
        let there = loaded.iter().any(|cassette| cassette.is_of(scenario));
        trials.push(Trial::test(format!("promises::has_{scenario}"), move || {
            if there { Ok(()) } else { Err(format!("There is no cassette {scenario}.").into()) }
        }));
    }
    for cassette in loaded {
        let cassette = Arc::new(cassette);
        let name = cassette.name.clone();
        let one = cassette.clone();
        trials.push(Trial::test(format!("{name}::replay"), move || run::replay(registration, &one)));
        faults::trials(registration, &cassette, trials);
        walls::trials(registration, &cassette, trials);
    }
}

fn example_builds(registration: &Registration) -> Checked {
    build(registration, registration.example).map(|_| ())
}

/// Both a key too many and a key with a letter too few must be refused.
fn misspelt_key(registration: &Registration) -> Checked {
    let settings = carrier_settings(registration.example)?;
    let hosts = || settings.hosts().to_vec();
    let mut extra = settings.table().clone();
    extra.insert("misspelt_key".to_owned(), toml::Value::Boolean(true));
    if (registration.build)(&Settings::new(extra, hosts())).is_ok() {
        return Err("An unknown key in [settings] is accepted.".into());
    }
    for key in settings.table().keys() {
        let mut renamed = settings.table().clone();
        if let Some(value) = renamed.remove(key) {
            renamed.insert(key.chars().skip(1).collect::<String>() + "_", value);
        }
        if (registration.build)(&Settings::new(renamed, hosts())).is_ok() {
            return Err(format!("A misspelt {key} in [settings] is accepted.").into());
        }
    }
    Ok(())
}

/// A connector built from a carrier file.
fn build(registration: &Registration, file: &str) -> Result<(Arc<dyn Connector>, Settings), Failed> {
    let settings = carrier_settings(file)?;
    match (registration.build)(&settings) {
        Ok(connector) => Ok((connector, settings)),
        Err(problems) => Err(format!("The carrier file does not build: {problems:?}").into()),
    }
}

impl Cassette {
    /// The connector and settings of this cassette.
    fn connector(&self, registration: &Registration) -> Result<(Arc<dyn Connector>, Settings), Failed> {
        build(registration, self.carrier_file.as_deref().unwrap_or(registration.example))
    }
}
