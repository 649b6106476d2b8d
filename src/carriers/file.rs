//! A carrier file as it is written: names, meanings, defaults. `portico check --schema` prints what is derived here.

use std::time::Duration;

use connector_sdk::Registration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Limits, SubmissionRules};

/// One insurer. The file's name without `.toml` is the carrier's id.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarrierFile {
    /// What people call the carrier.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// How it is spoken to: a row of `portico connectors`.
    pub connector: String,
    /// The payer id it is best known by.
    pub payer_id: Option<String>,
    /// Other payer ids it is known by.
    #[serde(default)]
    pub payer_ids: Vec<String>,
    /// Other names people search it by.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Names of its plans, as printed on cards; the search finds the carrier by them.
    #[serde(default)]
    pub plan_names: Vec<String>,
    /// Whose credential is used. Default: `per_practice`. The credential itself is kept in the vault, never here.
    #[serde(default)]
    pub credential: CredentialFile,
    /// The only hosts this carrier may be reached at: `edi.acme.example`, or with a port `edi.acme.example:8443`.
    #[schemars(length(min = 1, max = 32))]
    pub hosts: Vec<String>,
    /// Private or loopback addresses that are allowed all the same, in CIDR form: `10.20.0.0/16`. Default: none.
    #[serde(default)]
    pub allow_private: Vec<String>,
    /// A PEM file with the carrier's own certificate authority; relative to this file, and read
    /// together with it. Default: the public ones.
    pub ca_file: Option<String>,
    /// `true`: the carrier wants a client certificate in the TLS handshake (mutual TLS). The credential then has the fields
    /// `client_certificate` and `client_key` besides the connector's own. Default: `false`.
    #[serde(default)]
    pub client_certificate: bool,
    /// What is switched off or narrowed; leaving a line out keeps what the connector offers.
    #[serde(default)]
    pub offers: OffersFile,
    /// Bounds; leaving a line out takes the gateway's default.
    #[serde(default)]
    pub limits: LimitsFile,
    /// How long answers stay fresh.
    #[serde(default)]
    pub cache: CacheFile,
    /// What is done about a submission that the carrier did not answer.
    #[serde(default)]
    pub submissions: SubmissionsFile,
    /// When the carrier is closed.
    #[serde(default)]
    pub hours: HoursFile,
    /// Whom people call when it does not work, and what they should know.
    #[serde(default)]
    pub support: SupportFile,
    /// What the carrier needs to find a member; drives forms, checks and documentation.
    #[serde(default)]
    pub form: FormFile,
    /// The connector's own settings: see `portico connectors`.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// Whose credential is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialFile {
    /// Each practice has its own.
    #[default]
    PerPractice,
    /// One for the whole gateway, such as a clearinghouse account.
    Gateway,
}

/// What is switched off or narrowed.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffersFile {
    /// Eligibility questions. Default: what the connector offers.
    pub eligibility: Option<bool>,
    /// Questions about dependents. Default: what the connector offers.
    pub dependents: Option<bool>,
    /// Most service types in one question; the host does not split a question. Default: what the connector offers.
    #[schemars(range(min = 1))]
    pub service_types_max: Option<u16>,
    /// Submission of authorizations. Default: what the connector offers.
    pub authorizations: Option<bool>,
}

/// Bounds. In `gateway.toml` they are the defaults of all carriers, in a carrier file they are the carrier's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// HTTP requests a minute to one carrier, all practices together, sign-in included. Default: 120.
    #[schemars(range(min = 1, max = 60_000))]
    pub requests_per_minute: Option<u32>,
    /// HTTP requests a minute with one credential. Default: 60.
    #[schemars(range(min = 1, max = 60_000))]
    pub credential_requests_per_minute: Option<u32>,
    /// Requests to one carrier at the same time. Default: 8.
    #[schemars(range(min = 1, max = 1_000))]
    pub concurrent_max: Option<u32>,
    /// Questions at the same time with one credential; 1 where a login may be in one place only. Default: 4.
    #[schemars(range(min = 1, max = 1_000))]
    pub sessions_per_credential_max: Option<u32>,
    /// One attempt at one question, all its requests together, seconds. Default: 25.
    #[schemars(range(min = 1, max = 600))]
    pub attempt_timeout_secs: Option<u64>,
    /// The whole question, retries and waiting included, seconds. Default: 60.
    #[schemars(range(min = 1, max = 900))]
    pub deadline_secs: Option<u64>,
    /// Largest reply read, after inflating, kilobytes of 1,024 bytes. Default: 4096.
    #[schemars(range(min = 1, max = 65_536))]
    pub body_max_kb: Option<u32>,
    /// Attempts at one question, the first one included. Default: 3.
    #[schemars(range(min = 1, max = 10))]
    pub attempts_max: Option<u32>,
    /// Failures in a row after which the carrier is left alone for a while. Default: 5.
    #[schemars(range(min = 1, max = 100))]
    pub breaker_failures: Option<u32>,
    /// How long it is left alone at first, seconds; doubles while it stays down. Default: 15.
    #[schemars(range(min = 1, max = 3_600))]
    pub breaker_open_secs: Option<u64>,
    /// How long a signed-in session is kept unused, seconds. Default: 600.
    #[schemars(range(min = 1, max = 86_400))]
    pub session_idle_secs: Option<u64>,
}

impl Default for Limits {
    /// What holds where neither `gateway.toml` nor the carrier file says otherwise.
    fn default() -> Self {
        Self {
            requests_per_minute: 120,
            credential_requests_per_minute: 60,
            concurrent_max: 8,
            sessions_per_credential_max: 4,
            // CAQH CORE asks carriers for 20 seconds in real time; five more for the way.
            attempt_timeout: Duration::from_secs(25),
            deadline: Duration::from_secs(60),
            // The largest real answers known are around 1 MB.
            body_max_bytes: 4096 * 1024,
            attempts_max: 3,
            breaker_failures: 5,
            breaker_open: Duration::from_secs(15),
            session_idle: Duration::from_secs(600),
        }
    }
}

impl LimitsFile {
    /// These bounds, with `base` where a line was left out.
    pub fn over(&self, base: Limits) -> Limits {
        let secs = |given: Option<u64>, base: Duration| given.map_or(base, Duration::from_secs);
        Limits {
            requests_per_minute: self.requests_per_minute.unwrap_or(base.requests_per_minute),
            credential_requests_per_minute: self
                .credential_requests_per_minute
                .unwrap_or(base.credential_requests_per_minute),
            concurrent_max: self.concurrent_max.unwrap_or(base.concurrent_max),
            sessions_per_credential_max: self.sessions_per_credential_max.unwrap_or(base.sessions_per_credential_max),
            attempt_timeout: secs(self.attempt_timeout_secs, base.attempt_timeout),
            deadline: secs(self.deadline_secs, base.deadline),
            body_max_bytes: self
                .body_max_kb
                .and_then(|kb| usize::try_from(kb).ok())
                .map_or(base.body_max_bytes, |kb| kb.saturating_mul(1024)),
            attempts_max: self.attempts_max.unwrap_or(base.attempts_max),
            breaker_failures: self.breaker_failures.unwrap_or(base.breaker_failures),
            breaker_open: secs(self.breaker_open_secs, base.breaker_open),
            session_idle: secs(self.session_idle_secs, base.session_idle),
        }
    }
}

/// How long answers stay fresh.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheFile {
    /// An answer, seconds; 0 asks the carrier every time. Default: 14400 (four hours).
    #[schemars(range(max = 604_800))]
    pub eligibility_secs: Option<u64>,
    /// A refusal, seconds. Default: 300.
    #[schemars(range(max = 86_400))]
    pub refusal_secs: Option<u64>,
}

/// What is done about a submission that the carrier did not answer. It is never simply sent again: the carrier is asked
/// whether it has it, and where that cannot be found out, a person is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionsFile {
    /// When the carrier is asked whether it has the submission, after the first time, which the connector's settings tell
    /// (`visibility_delay_secs`): seconds since its answer was missed, rising. Default: [600, 3600, 14400, 86400].
    #[schemars(length(min = 1, max = 16))]
    pub inquiries_after_secs: Option<Vec<u32>>,
    /// "There is none" is not believed earlier than this, seconds, even where the connector's settings
    /// (`visibility_bound_secs`) would. Default: what these say.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub visibility_bound_min_secs: Option<u32>,
    /// After so long without knowing, a person is called in while asking goes on, seconds; half of it for an expedited
    /// one. Default: 1800.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub escalate_after_secs: Option<u32>,
    /// How long to wait after a submission that could not be sent (no connection, no login), seconds; doubles each time,
    /// up to ten times as long. Default: 30.
    #[schemars(range(min = 1, max = 3_600))]
    pub retry_secs: Option<u32>,
}

impl SubmissionsFile {
    /// These rules, with the defaults where a line was left out.
    pub fn rules(&self) -> SubmissionRules {
        let secs = |given: Option<u32>, usual: u32| Duration::from_secs(given.unwrap_or(usual).into());
        let after = self.inquiries_after_secs.clone().unwrap_or_else(|| vec![600, 3_600, 14_400, 86_400]);
        let mut inquiries_after: Vec<Duration> =
            after.into_iter().map(|secs| Duration::from_secs(secs.into())).collect();
        inquiries_after.sort_unstable();
        SubmissionRules {
            inquiries_after,
            visibility_bound_min: secs(self.visibility_bound_min_secs, 0),
            escalate_after: secs(self.escalate_after_secs, 1_800),
            retry: secs(self.retry_secs, 30),
        }
    }
}

/// When the carrier is closed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursFile {
    /// Weekly windows: `"Sun 02:00-06:00 America/New_York"`, `"Mon-Fri 22:00-04:00 America/Chicago"`,
    /// `"daily 23:30-24:00 UTC"`. Inside one, nothing is asked. Default: never closed.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub closed: Vec<String>,
}

/// Whom people call, and what they should know. Shown on the carrier's page and where it does not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportFile {
    /// The carrier's telephone number for providers: `"800-555-0100"`.
    #[schemars(length(max = 40))]
    pub phone: Option<String>,
    /// What to know before calling: what to press, what to have at hand, when somebody is there.
    #[schemars(length(max = 500))]
    pub notes: Option<String>,
}

/// What each operation's form needs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormFile {
    /// Eligibility questions.
    #[serde(default)]
    pub eligibility: EligibilityFormFile,
}

/// What an eligibility question needs at this carrier.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EligibilityFormFile {
    /// Sets of the member's fields the carrier can search by, best first. Only the fields of the first complete set
    /// are sent. Default: everything given is sent.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub accepts: Vec<Vec<MemberField>>,
    /// The member id's pattern and help.
    pub member_id: Option<FieldRuleFile>,
    /// The first name's.
    pub first_name: Option<FieldRuleFile>,
    /// The last name's.
    pub last_name: Option<FieldRuleFile>,
    /// The suffix's.
    pub suffix: Option<FieldRuleFile>,
    /// The group number's.
    pub group_number: Option<FieldRuleFile>,
    /// Days of service the carrier answers for.
    #[serde(default)]
    pub service_date: ServiceDateFile,
}

/// A field of the member that a carrier may search by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberField {
    /// As printed on the card.
    MemberId,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// `JR`, `III`.
    Suffix,
    /// Date of birth.
    DateOfBirth,
    /// Sex.
    Sex,
    /// Group or policy number.
    GroupNumber,
}

impl MemberField {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 7] = [
        Self::MemberId,
        Self::LastName,
        Self::FirstName,
        Self::DateOfBirth,
        Self::Suffix,
        Self::Sex,
        Self::GroupNumber,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemberId => "member_id",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Suffix => "suffix",
            Self::DateOfBirth => "date_of_birth",
            Self::Sex => "sex",
            Self::GroupNumber => "group_number",
        }
    }

    /// What to call it in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Self::MemberId => "member id",
            Self::FirstName => "first name",
            Self::LastName => "last name",
            Self::Suffix => "suffix",
            Self::DateOfBirth => "date of birth",
            Self::Sex => "sex",
            Self::GroupNumber => "group number",
        }
    }

    /// The field of this API name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// The rule of one field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRuleFile {
    /// Regular expression the whole value must match, without look-around.
    #[schemars(length(min = 1, max = 200))]
    pub pattern: Option<String>,
    /// What to tell the person who types it: `Three letters and nine digits, as on the card`.
    #[schemars(length(min = 1, max = 200))]
    pub help: Option<String>,
}

/// Days of service the carrier answers for, relative to today.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDateFile {
    /// Months back. Default: no bound.
    #[schemars(range(max = 1_200))]
    pub back_months: Option<u16>,
    /// Months ahead; 0: not even tomorrow. Default: no bound.
    #[schemars(range(max = 1_200))]
    pub forward_months: Option<u16>,
}

/// The JSON Schema of a carrier file, `[settings]` left open.
pub fn carrier_schema() -> Value {
    schemars::schema_for!(CarrierFile).to_value()
}

/// The JSON Schema of a carrier file for one connector, its settings included: for editors.
pub fn carrier_schema_for(registration: &Registration) -> Value {
    let mut root = carrier_schema();
    let mut settings = (registration.settings_schema)();
    rename_refs(&mut settings, 0);
    let definitions = settings.as_object_mut().and_then(|map| {
        map.remove("$schema");
        map.remove("$defs")
    });
    if let Some(Value::Object(definitions)) = definitions
        && let Some(map) = root.as_object_mut()
        && let Some(all) = map.entry("$defs").or_insert_with(|| json!({})).as_object_mut()
    {
        all.extend(definitions.into_iter().map(|(name, schema)| (format!("settings.{name}"), schema)));
    }
    if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("settings".to_owned(), settings);
        properties
            .insert("connector".to_owned(), json!({ "const": registration.name, "description": registration.speaks }));
    }
    root
}

fn rename_refs(schema: &mut Value, depth: usize) {
    if depth > 64 {
        return;
    }
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("$ref", Value::String(target)) => *target = target.replacen("#/$defs/", "#/$defs/settings.", 1),
                    _ => rename_refs(value, depth + 1),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_refs(item, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_what_the_schema_says() {
        let schema = schemars::schema_for!(LimitsFile).to_value();
        let told = |key: &str| -> u64 {
            let text = schema["properties"][key]["description"].as_str().unwrap();
            text.rsplit("Default: ").next().unwrap().trim_end_matches('.').parse().unwrap()
        };
        let limits = LimitsFile::default().over(Limits::default());
        for (key, value) in [
            ("requests_per_minute", u64::from(limits.requests_per_minute)),
            ("credential_requests_per_minute", u64::from(limits.credential_requests_per_minute)),
            ("concurrent_max", u64::from(limits.concurrent_max)),
            ("sessions_per_credential_max", u64::from(limits.sessions_per_credential_max)),
            ("attempt_timeout_secs", limits.attempt_timeout.as_secs()),
            ("deadline_secs", limits.deadline.as_secs()),
            ("body_max_kb", limits.body_max_bytes as u64 / 1024),
            ("attempts_max", u64::from(limits.attempts_max)),
            ("breaker_failures", u64::from(limits.breaker_failures)),
            ("breaker_open_secs", limits.breaker_open.as_secs()),
            ("session_idle_secs", limits.session_idle.as_secs()),
        ] {
            assert_eq!(told(key), value, "{key}");
        }
        assert_eq!(schema["properties"].as_object().unwrap().len(), 11, "a limit was added: check its default here");
    }

    #[test]
    fn every_key_is_documented() {
        let schema = carrier_schema();
        let mut seen = 0;
        let definitions = schema["$defs"].as_object().unwrap().values();
        for table in definitions.chain([&schema]) {
            for (key, property) in table["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{key} has no words");
                seen += 1;
            }
        }
        assert!(seen > 30, "{seen}");
    }
}
