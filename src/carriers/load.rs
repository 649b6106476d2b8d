//! One carrier file to one validated [`Carrier`], or everything that is wrong with it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use connector_sdk::connector::ClientProof;
use connector_sdk::{Connector, Registration, Settings, SignIn};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::file::{
    CacheFile, CredentialFile, EligibilityFormFile, FieldRuleFile, FormFile, HoursFile, LimitsFile, MemberField,
    OffersFile, SubmissionsFile, carrier_schema,
};
use super::schema::{SchemaProblem, Spot, Words, check};
use super::secrets::literal_secrets;
use super::text::{Document, FileProblem, to_table};
use super::words::nearest;
use super::{
    CLIENT_CERTIFICATE, CLIENT_KEY, CacheRules, Carrier, ClosedWindow, CredentialScope, DateWindow, FieldRule,
    FormRules, Hours, Limits, Offers,
};

/// Largest certificate file, bytes.
const CA_MAX_BYTES: u64 = 256 * 1024;

/// What carrier files are read with.
#[derive(Clone)]
pub struct Loader {
    /// The connectors a file may name.
    pub connectors: &'static [&'static Registration],
    /// Bounds for what a file leaves out.
    pub defaults: Limits,
    /// Where `ca_file` is looked for.
    pub base: PathBuf,
}

impl Loader {
    /// With the compiled-in connectors, for files in `base`.
    pub fn new(base: impl Into<PathBuf>, defaults: Limits) -> Self {
        Self { connectors: crate::registry::CONNECTORS, defaults, base: base.into() }
    }

    /// Reads one carrier file. `label` names it in problems, `id` is the carrier's.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn carrier(&self, label: &str, id: &str, text: &str) -> Result<Carrier, Vec<FileProblem>> {
        let mut reading = Reading { loader: self, document: Document::parse(label, text), problems: Vec::new() };
        let carrier = reading.carrier(id, text);
        let mut problems = reading.problems;
        problems.append(&mut reading.document.syntax);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        // A connector may look for literal secrets too: once is enough.
        problems.dedup_by(|next, last| {
            let same = (next.line, next.column) == (last.line, last.column);
            same && (next == last || (next.message.contains("secret") && last.message.contains("secret")))
        });
        match carrier {
            Some(carrier) if problems.is_empty() => Ok(carrier),
            _ if problems.is_empty() => Err(vec![FileProblem::whole(label, "this file cannot be used", None)]),
            _ => Err(problems),
        }
    }
}

/// Checks a carrier's id: the name of its file without `.toml`.
///
/// # Errors
/// How to name it.
pub fn check_id(id: &str) -> Result<(), &'static str> {
    let fits = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let ends = !id.starts_with('-') && !id.ends_with('-');
    if fits && ends && !id.is_empty() && id.len() <= 64 {
        Ok(())
    } else {
        Err("name the file with lower-case letters, digits and dashes, such as acme-ohio.toml")
    }
}

struct Reading<'l> {
    loader: &'l Loader,
    document: Document,
    problems: Vec<FileProblem>,
}

impl Reading<'_> {
    fn carrier(&mut self, id: &str, text: &str) -> Option<Carrier> {
        let whole = self.document.value.clone();
        let value = self.check_shape(&whole);
        for problem in literal_secrets(&whole) {
            self.add(problem);
        }
        let registration = self.registration(&value);
        let hosts: Vec<String> = part(&value, "hosts").unwrap_or_default();
        self.check_hosts(&hosts);
        let allow_private = self.allow_private(&value);
        let hours = self.hours(&part(&value, "hours").unwrap_or_default());
        let form = self.form(&part::<FormFile>(&value, "form").unwrap_or_default().eligibility);
        let limits = part::<LimitsFile>(&value, "limits").unwrap_or_default().over(self.loader.defaults);
        self.check_limits(&limits);
        let ca_pem = self.ca_pem(part(&value, "ca_file"));
        let registration = registration?;
        let connector = self.connector(registration, &value, hosts.clone())?;
        let client_certificate = part(&value, "client_certificate").unwrap_or_default();
        self.check_certificate(client_certificate, connector.as_ref());
        let offers = self.offers(part(&value, "offers").unwrap_or_default(), connector.as_ref());
        let cache: CacheFile = part(&value, "cache").unwrap_or_default();
        Some(Carrier {
            id: id.to_owned(),
            name: part(&value, "name")?,
            aliases: part(&value, "aliases").unwrap_or_default(),
            payer_ids: payer_ids(&value),
            plan_names: part(&value, "plan_names").unwrap_or_default(),
            registration,
            connector,
            hosts,
            allow_private,
            ca_pem,
            client_certificate,
            credential: match part(&value, "credential").unwrap_or_default() {
                CredentialFile::PerPractice => CredentialScope::PerPractice,
                CredentialFile::Gateway => CredentialScope::Gateway,
            },
            offers,
            limits,
            cache: CacheRules {
                eligibility: std::time::Duration::from_secs(cache.eligibility_secs.unwrap_or(14_400)),
                refusal: std::time::Duration::from_secs(cache.refusal_secs.unwrap_or(300)),
            },
            submissions: part::<SubmissionsFile>(&value, "submissions").unwrap_or_default().rules(),
            hours,
            support: part(&value, "support").unwrap_or_default(),
            form,
            version: version(text),
        })
    }

    fn add(&mut self, problem: SchemaProblem) {
        let missing = problem.spot == Spot::Missing;
        let problem = self.document.problem(problem);
        // Where the text itself is broken, what seems missing may stand in the broken part, and what was made of a
        // broken line says nothing.
        let doubtful = self.document.syntax.iter().any(|error| missing || error.line == problem.line);
        if !doubtful {
            self.problems.push(problem);
        }
    }

    fn wrong(&mut self, path: &[&str], message: impl Into<String>, help: impl Into<String>) {
        let problem = self.document.value_problem(path, message, Some(help.into()));
        self.problems.push(problem);
    }

    /// The file against its schema. Gives the file without the parts that do not fit, so that everything else can be
    /// checked all the same.
    fn check_shape(&mut self, value: &Value) -> Value {
        static SCHEMA: LazyLock<Value> = LazyLock::new(carrier_schema);
        let mut fitting = value.clone();
        for problem in check(&SCHEMA, value, Words::File) {
            prune(&mut fitting, &problem.path);
            self.add(problem);
        }
        fitting
    }

    fn registration(&mut self, value: &Value) -> Option<&'static Registration> {
        let name = value.get("connector")?.as_str()?;
        let connectors = self.loader.connectors;
        let found = connectors.iter().copied().find(|registration| registration.name == name);
        if found.is_none() {
            let names: Vec<&str> = connectors.iter().map(|registration| registration.name).collect();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the connectors are: {}", names.join(", ")),
            };
            self.wrong(&["connector"], format!("there is no connector \"{name}\""), help);
        }
        found
    }

    fn connector(
        &mut self,
        registration: &'static Registration,
        value: &Value,
        hosts: Vec<String>,
    ) -> Option<Arc<dyn Connector>> {
        let empty = Value::Object(Map::new());
        let settings = value.get("settings").unwrap_or(&empty);
        let schema = settings_schema(registration);
        let misshapen = check(&schema, settings, Words::File);
        let whole = misshapen.is_empty() && self.document.syntax.is_empty();
        // Without the parts that do not fit, the connector can still say what is wrong with the others.
        let fitting = if misshapen.is_empty() { Some(settings.clone()) } else { fitting(&schema, settings) };
        let built = match fitting {
            Some(Value::Object(map)) => (registration.build)(&Settings::new(to_table(&map), hosts)),
            _ => Err(Vec::new()),
        };
        let related = |path: &[String]| {
            misshapen.iter().any(|shape| shape.path.starts_with(path) || path.starts_with(&shape.path))
        };
        let (connector, problems) = match built {
            Ok(connector) => (Some(connector), Vec::new()),
            Err(problems) => (None, problems),
        };
        let problems: Vec<SchemaProblem> = problems
            .into_iter()
            .filter(|problem| !related(&problem.path))
            .map(|problem| SchemaProblem {
                path: problem.path,
                spot: Spot::Value,
                message: problem.message,
                help: problem.help,
            })
            .collect();
        for mut problem in misshapen.into_iter().chain(problems) {
            problem.path.insert(0, "settings".to_owned());
            self.add(problem);
        }
        connector.filter(|_| whole)
    }

    fn check_hosts(&mut self, hosts: &[String]) {
        for (place, host) in hosts.iter().enumerate() {
            if let Err(message) = check_host(host) {
                let help = "write the bare name, such as edi.acme.example or edi.acme.example:8443";
                self.wrong(&["hosts", &place.to_string()], message, help);
            }
        }
    }

    fn allow_private(&mut self, value: &Value) -> Vec<String> {
        let ranges: Vec<String> = part(value, "allow_private").unwrap_or_default();
        let mut read = Vec::with_capacity(ranges.len());
        for (place, range) in ranges.iter().enumerate() {
            match cidr(range) {
                Some(range) => read.push(range),
                None => self.wrong(
                    &["allow_private", &place.to_string()],
                    format!("\"{range}\" is no address range"),
                    "write it like 10.20.0.0/16",
                ),
            }
        }
        read
    }

    fn hours(&mut self, file: &HoursFile) -> Hours {
        let mut hours = Hours::default();
        for (place, text) in file.closed.iter().enumerate() {
            match ClosedWindow::parse(text) {
                Ok(windows) => hours.closed.extend(windows),
                Err((message, help)) => self.wrong(&["hours", "closed", &place.to_string()], message, help),
            }
        }
        hours
    }

    fn form(&mut self, file: &EligibilityFormFile) -> FormRules {
        let mut accepts: Vec<Vec<String>> = Vec::new();
        for (place, set) in file.accepts.iter().enumerate() {
            let set: Vec<String> = set.iter().map(|field| field.name().to_owned()).collect();
            let twice = set.iter().enumerate().any(|(at, name)| set.iter().skip(at + 1).any(|other| other == name));
            let message = match () {
                () if set.is_empty() => "this set is empty",
                () if twice => "a field stands twice in this set",
                () if accepts.contains(&set) => "this set is listed twice",
                () => {
                    accepts.push(set);
                    continue;
                }
            };
            self.wrong(
                &["form", "eligibility", "accepts", &place.to_string()],
                message,
                "each set names its fields once",
            );
        }
        let mut fields = Vec::new();
        for (field, rule) in [
            (MemberField::MemberId, &file.member_id),
            (MemberField::FirstName, &file.first_name),
            (MemberField::LastName, &file.last_name),
            (MemberField::Suffix, &file.suffix),
            (MemberField::GroupNumber, &file.group_number),
        ] {
            if let Some(rule) = rule {
                fields.extend(self.field_rule(field, rule));
            }
        }
        let service_date =
            DateWindow { back_months: file.service_date.back_months, forward_months: file.service_date.forward_months };
        FormRules { accepts, fields, service_date }
    }

    fn field_rule(&mut self, field: MemberField, rule: &FieldRuleFile) -> Option<FieldRule> {
        let pattern = match &rule.pattern {
            None => None,
            // regex-lite matches in time linear in pattern and text; the limit bounds the memory of counted repeats.
            Some(text) => {
                match regex_lite::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(256 * 1024).build() {
                    Ok(pattern) => Some(pattern),
                    Err(error) => {
                        let path = ["form", "eligibility", field.name(), "pattern"];
                        let help =
                            "look-around and back-references are not supported; use letters, digits, [A-Z], {9}, |";
                        self.wrong(&path, format!("this pattern cannot be used: {error}"), help);
                        return None;
                    }
                }
            }
        };
        Some(FieldRule {
            field: field.name().to_owned(),
            pattern,
            pattern_text: rule.pattern.clone(),
            help: rule.help.clone(),
        })
    }

    fn check_limits(&mut self, limits: &Limits) {
        if limits.attempt_timeout > limits.deadline {
            self.wrong(
                &["limits", "attempt_timeout_secs"],
                "one attempt may not last longer than the whole question",
                "lower attempt_timeout_secs or raise deadline_secs",
            );
        }
    }

    /// A carrier file may narrow what its connector offers, never widen it.
    fn offers(&mut self, file: OffersFile, connector: &dyn Connector) -> Offers {
        let limits = connector.eligibility().map(|operation| operation.limits());
        let help = "a carrier file can only narrow what the connector offers; leave the line out";
        if limits.is_none() && file.eligibility == Some(true) {
            self.wrong(&["offers", "eligibility"], "this connector has no eligibility question", help);
        }
        if let Some(limits) = limits {
            if !limits.dependents && file.dependents == Some(true) {
                self.wrong(&["offers", "dependents"], "this connector cannot ask about dependents", help);
            }
            if file.service_types_max.is_some_and(|most| most > limits.service_types_max) {
                let message = format!("this connector asks about at most {} service types", limits.service_types_max);
                self.wrong(&["offers", "service_types_max"], message, help);
            }
        }
        let submits = connector.submissions().is_some();
        if !submits && file.authorizations == Some(true) {
            self.wrong(&["offers", "authorizations"], "this connector submits no authorizations", help);
        }
        let most = limits.map_or(0, |limits| limits.service_types_max);
        Offers {
            authorizations: submits && file.authorizations.unwrap_or(true),
            eligibility: limits.is_some() && file.eligibility.unwrap_or(true),
            dependents: limits.is_some_and(|limits| limits.dependents) && file.dependents.unwrap_or(true),
            service_types_max: file.service_types_max.unwrap_or(most).min(most),
        }
    }

    /// What the connector says of a client certificate, and the file's own line, fit together.
    fn check_certificate(&mut self, wanted: bool, connector: &dyn Connector) {
        let proves = matches!(connector.sign_in(), SignIn::ClientCredentials { proof: ClientProof::Certificate, .. });
        if proves && !wanted {
            self.wrong(
                &["client_certificate"],
                "this way to sign in is proven by a client certificate, and the file does not say that there is one",
                "add client_certificate = true above the first table",
            );
        }
        let own = [CLIENT_CERTIFICATE, CLIENT_KEY];
        if wanted && connector.credential_fields().iter().any(|field| own.contains(&field.name.as_str())) {
            self.wrong(
                &["client_certificate"],
                "the settings name a field of the client certificate, which is never put into a request",
                "take client_certificate and client_key out of the settings' fields",
            );
        }
    }

    fn ca_pem(&mut self, name: Option<String>) -> Option<Vec<u8>> {
        let name = name?;
        match read_ca(&self.loader.base.join(name)) {
            Ok(pem) => Some(pem),
            Err(message) => {
                self.wrong(&["ca_file"], message, "give a PEM file with the carrier's certificate authority");
                None
            }
        }
    }
}

/// The value without the parts that do not fit its schema; `None` when nothing that fits is left.
fn fitting(schema: &Value, value: &Value) -> Option<Value> {
    let mut fitting = value.clone();
    // A part that is taken out may leave a hole in the part around it, which is then taken out too.
    for _ in 0..6 {
        let problems = check(schema, &fitting, Words::File);
        if problems.is_empty() {
            return Some(fitting);
        }
        for problem in problems {
            let path = match problem.spot {
                Spot::Missing => problem.path.split_last().map_or(&[][..], |(_, around)| around),
                Spot::Key | Spot::Value => problem.path.as_slice(),
            };
            if path.is_empty() {
                return None;
            }
            prune(&mut fitting, path);
        }
    }
    None
}

/// Takes what stands at `path` out. An entry of a list cannot be taken out alone, since the places of the others would
/// change: `false` asks for the whole list to go.
fn prune(value: &mut Value, path: &[String]) -> bool {
    let Some((key, rest)) = path.split_first() else { return true };
    match value {
        Value::Object(map) => {
            let gone = !rest.is_empty() && map.get_mut(key).is_none_or(|child| prune(child, rest));
            if !gone {
                map.remove(key);
            }
            true
        }
        Value::Array(items) => {
            let child = key.parse().ok().and_then(|place: usize| items.get_mut(place));
            !rest.is_empty() && child.is_none_or(|child| prune(child, rest))
        }
        _ => true,
    }
}

/// One key of the file as its type. A part of the wrong shape has been reported by the schema, and counts as absent.
fn part<T: DeserializeOwned>(value: &Value, key: &str) -> Option<T> {
    T::deserialize(value.get(key)?).ok()
}

fn payer_ids(value: &Value) -> Vec<String> {
    let mut ids: Vec<String> = part(value, "payer_id").into_iter().collect();
    for id in part::<Vec<String>>(value, "payer_ids").unwrap_or_default() {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// A connector's settings schema, derived once: a thousand carrier files share it.
pub fn settings_schema(registration: &'static Registration) -> Arc<Value> {
    static KEPT: LazyLock<Mutex<BTreeMap<&'static str, Arc<Value>>>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(registration.name).or_insert_with(|| Arc::new((registration.settings_schema)())).clone()
}

/// First eight bytes of the text's SHA-256: the same file has the same version after a restart too.
pub(super) fn version(text: &str) -> u64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn check_host(entry: &str) -> Result<(), String> {
    if entry.contains('/') {
        return Err(format!("\"{entry}\" is no host name"));
    }
    let (host, port) = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').unwrap_or("?"))),
        None => match entry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (entry, None),
        },
    };
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |number| number == 0)) {
        return Err(format!("\"{entry}\" is no host name with a port"));
    }
    if host.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if entry.contains('*') {
        return Err("wildcards are not allowed: list each host".to_owned());
    }
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(format!("\"{entry}\" is no host name in lower case"));
    }
    Ok(())
}

/// A range of addresses in its full spelling, from `10.1.2.0/24` or one address.
pub(crate) fn cidr(text: &str) -> Option<String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then(|| format!("{address}/{bits}"))
}

fn read_ca(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let size = std::fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?.len();
    if size > CA_MAX_BYTES {
        return Err(format!("{name} is larger than {} kB", CA_MAX_BYTES / 1024));
    }
    let pem = std::fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    let text = String::from_utf8_lossy(&pem);
    if text.contains("PRIVATE KEY-----") {
        return Err(format!("{name} holds a private key, which has no place here"));
    }
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(format!("{name} holds no certificate in PEM form"));
    }
    Ok(pem)
}

#[cfg(test)]
#[path = "load_tests.rs"]
pub(crate) mod tests;
