//! `[settings]` of a carrier file, as it is written. What each key does for an administrator stands in `README.md`.

use std::collections::{BTreeMap, HashMap};

use connector_sdk::answer::{AuthorizationNeed, Coverage, Covered, Network};
use connector_sdk::connector::AssertionAlgorithm;
use connector_sdk::{ErrorKind, RefusalReason};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::codes::Kind;
use crate::dates::DateFormat;
use crate::path::Path;

/// The whole of `[settings]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HubSettings {
    /// How the carrier learns who we are.
    pub auth: Auth,
    /// What is sent.
    pub request: RequestRules,
    /// When the answer is not there at once.
    #[serde(default)]
    pub poll: PollRules,
    /// What in the carrier's reply is an error, and what each of its codes means.
    #[serde(default)]
    pub errors: Vec<ErrorRules>,
    /// What an HTTP status means, where it differs from the usual: `404 = "member_not_found"`.
    #[serde(default)]
    pub statuses: BTreeMap<String, Meaning>,
    /// Where in the reply each part of the answer stands.
    pub answer: AnswerRules,
}

/// How the carrier learns who we are. The credential itself is kept in the vault, never here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing is needed.
    None,
    /// HTTP Basic with `username` and `password`.
    Basic,
    /// An API key in a header.
    ApiKey {
        /// Name of the header: `X-Api-Key`, `Authorization`.
        header: String,
    },
    /// OAuth2 client credentials; the host gets the token and keeps it as long as it lasts.
    ClientCredentials {
        /// Where tokens are given out. Its host must be in `hosts`.
        token_url: String,
        /// Scope to ask for, where the carrier wants one.
        #[serde(default)]
        scope: Option<String>,
        /// `true`: id and secret by HTTP Basic; `false` (usual): in the form.
        #[serde(default)]
        basic: bool,
    },
    /// OAuth2 client credentials, proven by an assertion that the host signs with a private key (RFC 7523, SMART Backend
    /// Services); no secret is ever sent.
    PrivateKeyJwt {
        /// Where tokens are given out; also whom the assertion is for. Its host must be in `hosts`.
        token_url: String,
        /// Scope to ask for, where the carrier wants one: `system/*.read`.
        #[serde(default)]
        scope: Option<String>,
        /// `rs384` (usual): an RSA key; `es384`: one on the curve P-384.
        #[serde(default)]
        algorithm: AssertionAlgorithm,
    },
    /// OAuth2 client credentials, proven by the client certificate of the TLS handshake (RFC 8705); the carrier file says
    /// `client_certificate = true`.
    TlsClientAuth {
        /// Where tokens are given out. Its host must be in `hosts`.
        token_url: String,
        /// Scope to ask for, where the carrier wants one.
        #[serde(default)]
        scope: Option<String>,
    },
    /// The credential rides in the body, at placeholders `{secret.username}`.
    InBody {
        /// Which values the vault must hold: `["username", "password"]`.
        fields: Vec<String>,
    },
}

/// What is sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRules {
    /// Address the question is sent to by POST. Its host must be in `hosts`.
    pub url: String,
    /// `json` (usual) or `form` (a web form's encoding; the body is then one flat table).
    #[serde(default)]
    pub encoding: Encoding,
    /// Headers that are always the same; `{trace}` is the only placeholder allowed in them. Never a secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How dates are written, unless a placeholder says otherwise.
    #[serde(default)]
    pub date_format: DateFormat,
    /// Writes names and ids in capitals.
    #[serde(default)]
    pub upper_case: bool,
    /// Most service types in one question, where the carrier takes fewer than the body could hold.
    #[serde(default)]
    pub service_types_max: Option<u16>,
    /// What a person's sex is called: `female`, `male`, `unknown`. Usual: `F`, `M`, `U`.
    #[serde(default)]
    pub sex_codes: BTreeMap<String, String>,
    /// What a relationship is called: `spouse`, `child`, `other_adult`, `unknown`. Usual: `01`, `19`, `34`, `21`.
    #[serde(default)]
    pub relationship_codes: BTreeMap<String, String>,
    /// The carrier's own names of service types, by X12 code: `98 = "OFFICE_VISIT"`. Read both ways.
    #[serde(default)]
    pub service_codes: BTreeMap<String, String>,
    /// The body: a table as the carrier's JSON has it, with placeholders such as `"{member.member_id}"`.
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// How the body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// When the answer is not there at once: how to ask for it again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollRules {
    /// HTTP statuses that mean "not ready yet".
    pub statuses: Vec<u16>,
    /// Where the reply names its own state; needed only where the status alone does not tell.
    pub state: Option<Path>,
    /// States that mean "not ready yet": `["In Progress"]`.
    pub not_ready: Vec<String>,
    /// Where the reply holds the address to ask at. Usual: the `Location` header.
    pub link: Option<Path>,
    /// Where the reply holds the number of the question, for `url`.
    pub id: Option<Path>,
    /// Address to ask at, with `{id}` in it: `https://api.acme.example/v1/coverages/{id}`.
    pub url: Option<String>,
    /// First wait, milliseconds, 100 to 60000; each further wait is half as long again. A `Retry-After` is obeyed.
    pub interval_ms: u64,
    /// Longest wait, milliseconds, up to 60000.
    pub interval_max_ms: u64,
    /// How often to ask again, 1 to 100.
    pub polls_max: u16,
}

impl Default for PollRules {
    fn default() -> Self {
        Self {
            statuses: vec![202],
            state: None,
            not_ready: Vec::new(),
            link: None,
            id: None,
            url: None,
            interval_ms: 1000,
            interval_max_ms: 10_000,
            polls_max: 30,
        }
    }
}

/// What a code or a status means: a refusal by the carrier, or a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Meaning {
    /// The carrier said no.
    Refusal(RefusalReason),
    /// There is no outcome.
    Failure(ErrorKind),
    /// Not an error after all.
    Nothing(Ignored),
}

impl Meaning {
    /// Whether it stops the exchange.
    pub fn is_error(self) -> bool {
        !matches!(self, Self::Nothing(_))
    }
}

/// The word for "not an error".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// Not an error: a note, a warning.
    Ignore,
}

/// Errors the carrier writes into its reply, whatever the HTTP status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRules {
    /// Where the errors stand: `errors[*]`, `error`. The reply has an error when this leads somewhere.
    pub at: Path,
    /// Where, inside one error, its code stands. Empty: the error is itself the code.
    #[serde(default)]
    pub code: Path,
    /// Where, inside one error, it says what to do next.
    #[serde(default)]
    pub follow_up: Option<Path>,
    /// What each code means: `NO_MEMBER = "member_not_found"`, `RATE = "carrier_throttled"`, `INFO = "ignore"`.
    #[serde(default)]
    pub codes: BTreeMap<String, Meaning>,
    /// Which fields of the ask to look at, by code: `BAD_DOB = ["member.date_of_birth"]`.
    #[serde(default)]
    pub look_at: BTreeMap<String, Vec<String>>,
    /// Whether the codes are those of X12 AAA03 where `codes` does not name them.
    #[serde(default)]
    pub x12_codes: bool,
    /// What a code means that stands nowhere.
    #[serde(default)]
    pub otherwise: Option<Meaning>,
}

/// Where in the reply each part of the answer stands.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRules {
    /// How dates are written; the first that fits is taken.
    #[serde(default = "usual_date_formats")]
    pub date_formats: Vec<DateFormat>,
    /// How shares are written: `fraction` (`0.2`) or `percent` (`20`). A `%` sign in the value is understood anyway.
    #[serde(default)]
    pub shares: Shares,
    /// What proves that the reply belongs to the question.
    pub echo: Echo,
    /// Coverage as a whole.
    pub coverage: CoverageRules,
    /// The subscriber.
    #[serde(default)]
    pub member: PersonRules,
    /// The patient, when it is a dependent.
    #[serde(default)]
    pub dependent: PersonRules,
    /// Plans.
    #[serde(default)]
    pub plan: PlanRules,
    /// Whom to ask at the carrier.
    #[serde(default)]
    pub contacts: ContactRules,
    /// Benefits; several blocks where the carrier keeps them in several places.
    #[serde(default)]
    pub benefits: Vec<BenefitRules>,
    /// What the carrier's codes mean, where they are not those of X12.
    #[serde(default)]
    pub codes: CodeMaps,
}

fn usual_date_formats() -> Vec<DateFormat> {
    vec![DateFormat::Iso, DateFormat::Compact, DateFormat::American]
}

/// How shares are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shares {
    /// `0.2` is 20 %.
    #[default]
    Fraction,
    /// `20` is 20 %.
    Percent,
}

/// What proves that the reply belongs to the question. At least one path; what is there must agree with the ask.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Echo {
    /// Our own number, where the body sends `{trace}`.
    pub trace: Option<Path>,
    /// The member id that was asked about.
    pub member_id: Option<Path>,
    /// The subscriber's date of birth that was asked about.
    pub date_of_birth: Option<Path>,
    /// The subscriber's last name that was asked about.
    pub last_name: Option<Path>,
}

/// Coverage as a whole.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageRules {
    /// Where the status stands. Several values are weighed: active and inactive at once is `unknown`.
    pub status: Path,
    /// What each status means: `active = ["A", "true"]`. X12 codes 1 to 8 and the plain words are known.
    #[serde(default)]
    pub codes: HashMap<Coverage, Vec<String>>,
}

/// One person. Paths start at `at`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonRules {
    /// Where the person stands in the reply; the other paths start there.
    pub at: Path,
    /// Member id.
    pub member_id: Option<Path>,
    /// First name.
    pub first_name: Option<Path>,
    /// Middle name.
    pub middle_name: Option<Path>,
    /// Last name.
    pub last_name: Option<Path>,
    /// Suffix.
    pub suffix: Option<Path>,
    /// Date of birth.
    pub date_of_birth: Option<Path>,
    /// Sex.
    pub sex: Option<Path>,
    /// Group or policy number.
    pub group_number: Option<Path>,
    /// Relationship to the subscriber.
    pub relationship: Option<Path>,
    /// Lines of the address, in order.
    pub address: Vec<Path>,
}

/// Plans. Paths start at each plan.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanRules {
    /// Where the plans stand: `plans[*]`. Empty: the reply as a whole is about one plan.
    pub each: Path,
    /// Name.
    pub name: Option<Path>,
    /// Number.
    pub id: Option<Path>,
    /// Group.
    pub group: Option<Path>,
    /// Network.
    pub network: Option<Path>,
    /// Kind of insurance, a code.
    pub insurance_type: Option<Path>,
    /// Kind of insurance, in words.
    pub insurance_type_label: Option<Path>,
    /// Status, with the codes of `coverage`. Left out: the coverage as a whole.
    pub status: Option<Path>,
    /// First day.
    pub from: Option<Path>,
    /// Last day.
    pub to: Option<Path>,
    /// First and last day in one value: `20260101-20261231`.
    pub period: Option<Path>,
    /// Name of the primary care provider.
    pub primary_care: Option<Path>,
    /// Free text.
    pub messages: Option<Path>,
    /// Other insurers.
    pub other_payers: OtherPayerRules,
}

/// Other insurers. Paths start at each of them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OtherPayerRules {
    /// Where they stand inside a plan.
    pub each: Option<Path>,
    /// Name.
    pub name: Option<Path>,
    /// First, second: as the carrier codes it.
    pub order: Option<Path>,
    /// Policy number.
    pub policy: Option<Path>,
    /// First day.
    pub from: Option<Path>,
    /// Last day.
    pub to: Option<Path>,
}

/// Whom to ask at the carrier. Paths start at each contact.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContactRules {
    /// Where the contacts stand.
    pub each: Option<Path>,
    /// Name of the person or department.
    pub name: Option<Path>,
    /// Phone number.
    pub phone: Option<Path>,
    /// E-mail address.
    pub email: Option<Path>,
    /// Web address.
    pub web: Option<Path>,
}

/// Benefits kept in one place. Paths start at each item.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BenefitRules {
    /// Where the items stand: `benefitsInformation[*]`, `services[*].inNetwork`.
    pub each: Path,
    /// Code of the service type. A list gives one benefit for each. `@key`: the item's own name.
    pub service: Option<Path>,
    /// Words for the service type, in the same order.
    pub service_label: Option<Path>,
    /// The service type, where the place itself says it: `"30"`.
    pub service_is: Option<String>,
    /// Procedure code.
    pub procedure: Option<Path>,
    /// In or out of network.
    pub network: Option<Path>,
    /// The network, where the place itself says it.
    pub network_is: Option<Network>,
    /// Individual or family.
    pub level: Option<Path>,
    /// The level, where the place itself says it: `individual`, `family` …
    pub level_is: Option<String>,
    /// Whether the service is covered.
    pub covered: Option<Path>,
    /// Whether prior authorization is needed.
    pub authorization: Option<Path>,
    /// Kind of insurance.
    pub insurance_type: Option<Path>,
    /// Name of the plan it belongs to.
    pub plan: Option<Path>,
    /// Place of service.
    pub place: Option<Path>,
    /// Free text.
    pub messages: Option<Path>,
    /// What one item means, for lists where a code says what `amount`, `share` or `quantity` is (as in X12 EB01).
    pub kind: Option<Path>,
    /// The item's amount of money, for `kind`.
    pub amount: Option<Path>,
    /// The item's share, for `kind`.
    pub share: Option<Path>,
    /// The item's count, for `kind`.
    pub quantity: Option<Path>,
    /// Unit of the count.
    pub unit: Option<Path>,
    /// Period. X12 `29` makes an amount what is left of a deductible, `24` what is met.
    pub period: Option<Path>,
    /// Name of the organisation or person the item is about (other insurer, primary care provider).
    pub entity: Option<Path>,
    /// Copay, where it has a field of its own.
    pub copay: Option<Path>,
    /// Copay per what.
    pub copay_per: Option<Path>,
    /// The patient's share, where it has a field of its own.
    pub coinsurance: Option<Path>,
    /// Deductible, where it has fields of its own.
    pub deductible: AccumulatorRules,
    /// Out-of-pocket maximum, where it has fields of its own.
    pub out_of_pocket: AccumulatorRules,
    /// Limit, where it has fields of its own.
    pub limit: LimitRules,
}

/// A deductible or an out-of-pocket maximum with fields of its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccumulatorRules {
    /// The whole amount.
    pub base: Option<Path>,
    /// Met so far.
    pub met: Option<Path>,
    /// Still left.
    pub remaining: Option<Path>,
    /// Period.
    pub period: Option<Path>,
}

/// A limit with fields of its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// Allowed in the period.
    pub allowed: Option<Path>,
    /// Used so far.
    pub used: Option<Path>,
    /// Still left.
    pub remaining: Option<Path>,
    /// Visits, days …
    pub unit: Option<Path>,
    /// The unit, where the place itself says it: `"visits"`.
    pub unit_is: Option<String>,
    /// Period.
    pub period: Option<Path>,
}

/// What the carrier's codes mean. Each list adds to the X12 codes and the plain words, and goes before them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeMaps {
    /// Whether X12 codes and plain words are understood beside the lists here. Usual: `true`.
    pub x12: bool,
    /// What an item of a benefit list means: `copay = ["CPY"]`.
    pub kind: HashMap<Kind, Vec<String>>,
    /// Networks: `in = ["INN"]`, `out = ["OON"]`, `both`, `not_stated`.
    pub network: HashMap<Network, Vec<String>>,
    /// Levels: `individual = ["SELF"]`, `family` …
    pub level: BTreeMap<String, Vec<String>>,
    /// Covered: `yes`, `no`, `limited`, `not_stated`.
    pub covered: HashMap<Covered, Vec<String>>,
    /// Authorization: `required`, `not_required`, `not_stated`.
    pub authorization: HashMap<AuthorizationNeed, Vec<String>>,
    /// Words for periods: `CY = "Calendar year"`.
    pub period: BTreeMap<String, String>,
    /// Words for units: `V = "Visits"`.
    pub unit: BTreeMap<String, String>,
}

impl Default for CodeMaps {
    fn default() -> Self {
        Self {
            x12: true,
            kind: HashMap::new(),
            network: HashMap::new(),
            level: BTreeMap::new(),
            covered: HashMap::new(),
            authorization: HashMap::new(),
            period: BTreeMap::new(),
            unit: BTreeMap::new(),
        }
    }
}
