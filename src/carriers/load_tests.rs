use std::sync::Arc;

use connector_sdk::{
    Answer, Connector, Context, CredentialField, Eligibility, EligibilityFacts, EligibilityLimits, EligibilityRequest,
    Error, ErrorKind, Operation, Registration, Settings, SettingsProblem, SignIn,
};

use super::*;

struct Toy;

impl Connector for Toy {
    fn sign_in(&self) -> SignIn<'_> {
        SignIn::None
    }
    fn credential_fields(&self) -> Vec<CredentialField> {
        vec![]
    }
    fn eligibility(&self) -> Option<&dyn Eligibility> {
        Some(self)
    }
}

impl Eligibility for Toy {
    fn limits(&self) -> EligibilityLimits {
        EligibilityLimits { dependents: false, service_types_max: 10, procedures: false }
    }
    fn check<'a>(&'a self, _: &'a Context, _: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(async { Err(Error::new(ErrorKind::Internal, "A toy does not answer.")) })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToySettings {
    /// Where to send.
    endpoint: String,
    /// Pages.
    #[serde(default)]
    #[allow(dead_code)]
    pages: Vec<ToyPage>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToyPage {
    /// A selector.
    #[allow(dead_code)]
    css: String,
}

/// A connector for tests of this room.
pub(crate) static TOY: Registration = Registration {
    name: "toy",
    speaks: "nothing",
    transport: "toy",
    operations: &[Operation::Eligibility],
    sign_in: "none",
    settings_schema: || schemars::schema_for!(ToySettings).to_value(),
    example: GOOD,
    build: |settings: &Settings| {
        let read: ToySettings = settings.parse()?;
        settings.address("endpoint", &read.endpoint).map_err(|problem: SettingsProblem| vec![problem])?;
        Ok(Arc::new(Toy))
    },
};

pub(crate) fn loader() -> Loader {
    static CONNECTORS: [&Registration; 1] = [&TOY];
    Loader { connectors: &CONNECTORS, defaults: Limits::default(), base: std::env::temp_dir() }
}

pub(crate) const GOOD: &str = r#"
name      = "Acme Health of Ohio"
connector = "toy"
payer_id  = "12345"
payer_ids = ["12345", "ACME1"]
aliases   = ["Acme"]
plan_names = ["Acme Gold"]
credential = "gateway"
hosts     = ["edi.acme.example", "[::1]:8443", "127.0.0.1:80"]
allow_private = ["10.20.0.0/16", "127.0.0.1"]
[offers]
service_types_max = 5
[limits]
requests_per_minute = 30
body_max_kb = 1
[cache]
eligibility_secs = 0
[hours]
closed = ["Sun 02:00-06:00 America/New_York"]
[form.eligibility]
accepts = [["member_id", "date_of_birth"]]
[form.eligibility.member_id]
pattern = "[A-Z]{3}[0-9]{9}"
help = "Three letters and nine digits"
[form.eligibility.service_date]
back_months = 24
forward_months = 0
[settings]
endpoint = "https://edi.acme.example/core"
"#;

fn problems(text: &str) -> Vec<String> {
    match loader().carrier("acme.toml", "acme", text) {
        Ok(_) => vec![],
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_whole_file() {
    let carrier = loader().carrier("acme.toml", "acme", GOOD).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(carrier.payer_ids, ["12345", "ACME1"]);
    assert_eq!(carrier.allow_private, ["10.20.0.0/16", "127.0.0.1/32"]);
    assert_eq!(carrier.credential, CredentialScope::Gateway);
    assert_eq!(carrier.limits.requests_per_minute, 30);
    assert_eq!(carrier.limits.body_max_bytes, 1024);
    assert_eq!(carrier.limits.attempts_max, Limits::default().attempts_max);
    assert_eq!(carrier.cache.eligibility, std::time::Duration::ZERO);
    assert_eq!(carrier.hours.closed.len(), 1);
    assert_eq!(
        carrier.eligibility_limits().map(|limits| (limits.dependents, limits.service_types_max)),
        Some((false, 5))
    );
    let pattern = carrier.form.fields[0].pattern.as_ref().unwrap();
    assert!(
        pattern.is_match("ABC123456789") && !pattern.is_match("ABC1234567890") && !pattern.is_match("ABC123456789\n")
    );
}

#[test]
fn a_version_belongs_to_the_text() {
    let version = |text: &str| loader().carrier("a.toml", "a", text).map(|carrier| carrier.version).unwrap_or_default();
    assert_eq!(version(GOOD), version(GOOD));
    assert_ne!(version(GOOD), version(&format!("{GOOD}\n# other\n")));
}

#[test]
fn everything_that_is_wrong_at_once_with_its_place() {
    let bad = r#"name = "Acme"
conector = "toy"
connector = "toi"
payer_id = 12345
credential = "per_practise"
hosts = ["https://edi.acme.example", "*.acme.example", "EDI.example", "a.example:0"]
allow_private = ["10.0.0.0/33"]
ca_file = "no-such-file.pem"
[limits]
attempt_timeout = 5
attempt_timeout_secs = 90
[hours]
closed = ["Sum 02:00-06:00 America/New_York"]
[form.eligibility]
accepts = [["member_id", "dob"], []]
[form.eligibility.member_id]
pattern = "(?=x)"
[settings]
password = "hunter2"
"#;
    let found = problems(bad);
    for start in [
        "acme.toml:2:1: unknown key \"conector\", help: did you mean \"connector\"?",
        "acme.toml:3:13: there is no connector \"toi\", help: did you mean \"toy\"?",
        "acme.toml:4:12: this must be text, not a whole number, help: put it in quotes: \"12345\"",
        "acme.toml:5:14: \"per_practise\" is not accepted here, help: did you mean \"per_practice\"?",
        "acme.toml:6:10: \"https://edi.acme.example\" is no host name",
        "acme.toml:6:38: wildcards are not allowed",
        "acme.toml:6:56: \"EDI.example\" is no host name in lower case",
        "acme.toml:6:71: \"a.example:0\" is no host name",
        "acme.toml:7:18: \"10.0.0.0/33\" is no address range",
        "acme.toml:8:11: cannot read ",
        "acme.toml:10:1: unknown key \"attempt_timeout\", help: did you mean",
        "acme.toml:11:24: one attempt may not last longer",
        "acme.toml:13:11: \"Sum\" is no day of the week",
        "acme.toml:15:26: \"dob\" is not accepted here",
        "acme.toml:17:11: this pattern cannot be used",
        "acme.toml:19:12: this looks like a secret",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(start)), "{start}\nis not among\n{}", found.join("\n"));
    }
    assert!(!found.join("").contains("hunter2"));
    let mut sorted = found.clone();
    sorted.sort_by_key(|text| text.split(':').nth(1).and_then(|line| line.parse::<usize>().ok()));
    assert_eq!(found, sorted);
}

#[test]
fn the_connectors_own_settings_have_places_too() {
    let swap = |settings: &str| GOOD.replace("endpoint = \"https://edi.acme.example/core\"", settings);
    let line = GOOD.lines().count();
    let found = problems(&swap("endpont = \"x\"\n[[settings.pages]]\ncss = \"a\"\n[[settings.pages]]\ncsx = 1"));
    let at = |line: usize, column: usize| format!("acme.toml:{line}:{column}: ");
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].starts_with(&(at(line - 1, 2) + "\"endpoint\" is missing, help: Where to send")), "{found:#?}");
    assert!(found[1].starts_with(&(at(line, 1) + "unknown key \"endpont\"")), "{found:#?}");
    assert!(found[2].contains("\"css\" is missing"), "{found:#?}");
    assert!(
        found[3].starts_with(&(at(line + 4, 1) + "unknown key \"csx\", help: did you mean \"css\"?")),
        "{found:#?}"
    );
    // A key too many does not hide what the connector itself has to say.
    let found = problems(&swap("endpoint = \"https://other.example/\"\ncolour = 1"));
    assert_eq!(found.len(), 2, "{found:#?}");
    let found = problems(&swap("endpoint = \"https://other.example/\""));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(&(at(line, 12) + "The host other.example is not listed")), "{found:#?}");
}

#[test]
fn a_file_may_narrow_and_not_widen() {
    let found = problems(&GOOD.replace("service_types_max = 5", "service_types_max = 11\ndependents = true"));
    assert_eq!(found.len(), 2, "{found:#?}");
    let off = loader().carrier("a.toml", "a", &GOOD.replace("[offers]", "[offers]\neligibility = false"));
    assert!(off.ok().is_some_and(|carrier| carrier.eligibility_limits().is_none()));
}

#[test]
fn broken_text_reports_syntax_and_what_can_still_be_told() {
    let found = problems("name = \nhosts = [\"x.example\" \"y.example\"]\ncolour = 1\n");
    assert!(found.iter().any(|problem| problem.starts_with("acme.toml:1:")), "{found:#?}");
    assert!(found.iter().any(|problem| problem.starts_with("acme.toml:2:")), "{found:#?}");
    assert!(found.iter().any(|problem| problem.contains("unknown key \"colour\"")), "{found:#?}");
    assert!(!found.iter().any(|problem| problem.contains("is missing")), "{found:#?}");
}

#[test]
fn ids() {
    for good in ["acme", "acme-ohio-2"] {
        assert!(check_id(good).is_ok());
    }
    for bad in ["", "-a", "a-", "Acme", "a b", "ä", "a.b"] {
        assert!(check_id(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_schema_for_editors_is_whole() {
    let schema = crate::carriers::file::carrier_schema_for(&TOY);
    assert_eq!(schema["properties"]["connector"]["const"], "toy");
    assert_eq!(schema["properties"]["settings"]["properties"]["pages"]["items"]["$ref"], "#/$defs/settings.ToyPage");
    assert!(schema["$defs"]["settings.ToyPage"].is_object());
    let good = Document::parse("a.toml", GOOD);
    assert_eq!(check(&schema, &good.value, Words::File), vec![]);
    let bad = Document::parse("a.toml", &GOOD.replace("endpoint", "[[settings.pages]]\ncsx"));
    assert_eq!(check(&schema, &bad.value, Words::File).len(), 3);
}

#[test]
fn every_connectors_example_is_a_carrier_file_that_builds() {
    let loader = Loader::new(".", Limits::default());
    for registration in crate::registry::CONNECTORS {
        let label = format!("connectors/{}/example.toml", registration.name);
        if let Err(problems) = loader.carrier(&label, "example", registration.example) {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    }
    println!("{} examples built", crate::registry::CONNECTORS.len());
}

#[test]
fn no_damage_to_a_file_makes_the_loader_panic() {
    let pieces =
        ["[", "]", "\"", "=", "\n", "{", "}", ".", "ä", "𝄞", "\0", "0", "-", "[[settings]]", "'''", "#", "1e999"];
    // A plain congruential generator: the same damage at every run.
    let mut state: u64 = 20_261_123;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    let (mut fine, mut broken) = (0, 0);
    for _ in 0..600 {
        let mut letters: Vec<String> = GOOD.chars().map(String::from).collect();
        for _ in 0..=next(4) {
            let at = next(letters.len());
            match next(3) {
                0 => letters[at] = pieces[next(pieces.len())].to_owned(),
                1 => letters.insert(at, pieces[next(pieces.len())].to_owned()),
                _ => drop(letters.drain(at..(at + next(30)).min(letters.len()))),
            }
        }
        match loader().carrier("a.toml", "a", &letters.concat()) {
            Ok(_) => fine += 1,
            Err(problems) => {
                broken += 1;
                assert!(
                    !problems.is_empty() && problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1)
                );
            }
        }
    }
    println!("{fine} damaged files could still be read, {broken} could not");
    assert!(broken > 300);
}

#[test]
fn a_client_certificate_is_two_more_fields_of_the_credential() {
    let read = |text: &str| Loader::new(".", Limits::default()).carrier("acme.toml", "acme", text);
    let example = crate::registry::CONNECTORS.iter().find(|row| row.name == "json-hub").unwrap().example;
    let names = |text: &str| -> Vec<String> {
        read(text).ok().unwrap().credential_fields().into_iter().map(|field| field.name).collect()
    };
    let plain = names(example);
    let wanted = format!("client_certificate = true\n{example}");
    assert_eq!(names(&wanted), [plain, vec!["client_certificate".into(), "client_key".into()]].concat());
    // RFC 8705: the certificate is what proves it, so that there must be one.
    let proven = |text: &str| text.replace("kind = \"client_credentials\"", "kind = \"tls_client_auth\"");
    assert_ne!(proven(example), example);
    let said = read(&proven(example)).err().unwrap();
    assert!(said.len() == 1 && said[0].to_string().contains("client_certificate = true"), "{said:?}");
    assert_eq!(names(&proven(&wanted)), ["client_id", "client_certificate", "client_key"]);
    let literal = format!("{example}\n[settings.request.headers]\n\"client_key\" = \"hunter2-hunter2\"\n");
    assert!(!format!("{:?}", read(&literal).err().unwrap()).contains("hunter2"));
}
