//! What comes back: one normalised eligibility answer, whatever the carrier's interface.
//!
//! A connector fills [`EligibilityFacts`] with what the carrier said and nothing else; [`EligibilityAnswer`] adds the
//! plain words and the list of what the carrier did not say (see [`crate::summary`]). Every number carries a
//! [`Provenance`]. Codes that nobody knows are kept as they came.

pub mod authorization;
pub mod claim_status;
pub mod remittance;

pub use authorization::{Authorization, AuthorizationState};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::Sex;
use crate::phi::Phi;

/// A whole answer, as the API gives it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EligibilityAnswer {
    /// What the carrier said.
    #[serde(flatten)]
    pub facts: EligibilityFacts,
    /// The same in plain words.
    pub summary: Summary,
    /// What was asked for, or is usually told, and the carrier did not say.
    pub not_stated: Vec<NotStated>,
}

/// What the carrier said, normalised.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EligibilityFacts {
    /// Coverage on the day asked about.
    pub coverage: Coverage,
    /// The subscriber as the carrier has it on file.
    pub member: MemberOnFile,
    /// The patient as the carrier has it on file, when it is a dependent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependent: Option<MemberOnFile>,
    /// The plans named.
    pub plans: Vec<Plan>,
    /// Benefits: one entry per service, network and level.
    pub benefits: Vec<Benefit>,
    /// Whom to ask at the carrier, or instead of it.
    pub carrier_contacts: Vec<Contact>,
    /// What the answer was made from.
    pub raw: RawRef,
}

/// Whether there is coverage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Active on the day asked about.
    Active,
    /// Not active on the day asked about.
    Inactive,
    /// The carrier is still checking.
    Pending,
    /// The carrier did not say, or said both.
    #[default]
    Unknown,
}

/// A code and what it means. `label` is the code itself where nobody knows the code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Coded {
    /// As the carrier sent it; empty where it sent words only.
    pub code: String,
    /// In our words, or the carrier's where it sent words only.
    pub label: String,
}

impl Coded {
    /// A code with its label.
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code: code.into(), label: label.into() }
    }
}

/// A person as the carrier has it on file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct MemberOnFile {
    /// Member id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_id: Option<Phi<String>>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Phi<String>>,
    /// Middle name or initial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<Phi<String>>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Phi<String>>,
    /// Suffix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Phi<String>>,
    /// Date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Phi<Date>>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Group or policy number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_number: Option<Phi<String>>,
    /// Relationship to the subscriber, for a dependent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Coded>,
    /// Address lines, then city, state and postal code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<Phi<String>>,
    /// Other identifiers (X12 REF): what kind, and the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Military service on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub military: Option<MilitaryService>,
    /// Where the carrier's file differs from what was asked with.
    #[serde(default)]
    pub corrections: Vec<Correction>,
}

/// An identifier with its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identifier {
    /// Kind (X12 REF01 or NM108).
    pub kind: Coded,
    /// Value.
    pub value: Phi<String>,
    /// Words that stood beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Phi<String>>,
}

/// Military service of a person, as the carrier has it on file (X12 MPI).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MilitaryService {
    /// How current this is: current, latest, prior … (X12 MPI01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Coded>,
    /// Active, reserve, retired, discharged … (X12 MPI02).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment: Option<Coded>,
    /// Army, Navy, National Guard … (X12 MPI03).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Coded>,
    /// Words beside it, as sent (X12 MPI04).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Phi<String>>,
    /// Rank, as coded (X12 MPI05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Coded>,
    /// When (X12 MPI07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateFact>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// The carrier has another value on file than the practice asked with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// Field of the ask: `member.last_name`.
    pub field: String,
    /// What was sent.
    pub asked: Phi<String>,
    /// What the carrier has.
    pub on_file: Phi<String>,
}

/// One plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Its name, as the carrier writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Plan number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Group number or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Plan network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// HMO, PPO, Medicare Part B … (X12 EB04).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance_type: Option<Coded>,
    /// From when to when.
    #[serde(default)]
    pub period: DateSpan,
    /// Coverage under this plan.
    pub status: Coverage,
    /// The status as the carrier coded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<Coded>,
    /// Primary care provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_care: Option<Contact>,
    /// Other insurers that may pay.
    #[serde(default)]
    pub other_payers: Vec<OtherPayer>,
    /// Every date the carrier gave for the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Free text, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Phi<String>>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// From when to when; either end may be open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DateSpan {
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl DateSpan {
    /// Neither end is known.
    pub fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether at least one of the days from `first` to `last` lies in it. An open end reaches as far as asked.
    pub fn meets(&self, first: Date, last: Date) -> bool {
        self.from.is_none_or(|from| from <= last) && self.to.is_none_or(|to| to >= first)
    }
}

/// A date with its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DateFact {
    /// What the date is (X12 DTP01: `346` plan begin …).
    pub kind: Coded,
    /// The span; both ends equal for one day; both absent where the value could not be read as a date.
    pub span: DateSpan,
    /// The value as it came.
    pub text: String,
}

/// Another insurer that may pay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct OtherPayer {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Before or after this one: as the carrier coded or worded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Coded>,
    /// Kind of insurance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance_type: Option<Coded>,
    /// Which services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Coded>,
    /// Policy, group and payer numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// From when to when.
    #[serde(default)]
    pub period: DateSpan,
    /// Names, addresses, phones given with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// Free text, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Phi<String>>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// A person or an organisation one can turn to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// What it is to the patient (X12 NM101: `P3` primary care provider …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Coded>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Phi<String>>,
    /// Identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Address lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<Phi<String>>,
    /// Phone, e-mail, web address: kind and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<Identifier>,
}

/// Inside or outside the plan's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// In network.
    In,
    /// Out of network.
    Out,
    /// The same for both.
    Both,
    /// The carrier did not say.
    #[default]
    NotStated,
}

/// Whose deductible, limit, copay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One person.
    Individual,
    /// The family.
    Family,
    /// Employee only.
    EmployeeOnly,
    /// Employee and spouse.
    EmployeeAndSpouse,
    /// Employee and children.
    EmployeeAndChildren,
    /// Spouse and children.
    SpouseAndChildren,
    /// Spouse only.
    SpouseOnly,
    /// Children only.
    ChildrenOnly,
    /// Dependents only.
    DependentsOnly,
    /// The carrier did not say.
    #[default]
    NotStated,
    /// A code nobody here knows, as it came.
    #[serde(untagged)]
    Unknown(String),
}

/// Whether a service is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covered {
    /// Covered.
    Yes,
    /// Not covered.
    No,
    /// Covered within limits.
    Limited,
    /// The carrier did not say.
    #[default]
    NotStated,
}

/// Whether prior authorization is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationNeed {
    /// Needed.
    Required,
    /// Not needed.
    NotRequired,
    /// The carrier did not say, or said that it does not know.
    #[default]
    NotStated,
}

/// One benefit: a service, in one network, at one level.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Benefit {
    /// The service type.
    pub service: Coded,
    /// The procedure, where the carrier answered by procedure: system, code and modifiers, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<Coded>,
    /// In or out of network.
    pub network: Network,
    /// Whose.
    pub level: Level,
    /// Covered?
    pub covered: Covered,
    /// Prior authorization?
    pub authorization: AuthorizationNeed,
    /// Kind of insurance the line belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance_type: Option<Coded>,
    /// The plan it belongs to, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Fixed amount per visit or service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copay: Option<Copay>,
    /// The patient's share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coinsurance: Option<Coinsurance>,
    /// Deductible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deductible: Option<Accumulator>,
    /// Out-of-pocket maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_pocket: Option<Accumulator>,
    /// Visits, days, units or money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Anything else the carrier said of this service: notes, penalties, spend-down, reserve …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<OtherFact>,
    /// Places of service it holds for.
    #[serde(default)]
    pub places: Vec<Coded>,
    /// Diagnoses it holds for, as sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<Phi<String>>,
    /// From when to when it holds, where the carrier said so.
    #[serde(default, skip_serializing_if = "DateSpan::is_open")]
    pub period: DateSpan,
    /// Dates given with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Identifiers given with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Entities named with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// Free text, as sent.
    #[serde(default)]
    pub messages: Vec<Phi<String>>,
    /// Where each number and word was read.
    pub provenance: Vec<Provenance>,
}

/// A fixed amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Copay {
    /// US dollars.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Per what: visit, day, admission …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Coded>,
}

/// The patient's share of the cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coinsurance {
    /// As a decimal: `0.20` is 20 %.
    #[schemars(with = "String")]
    pub patient_share: Decimal,
    /// Per what, where the carrier said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Coded>,
}

/// An amount that fills up over a period. Only what the carrier sent is there; nothing is computed from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accumulator {
    /// The whole amount, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub base: Option<Decimal>,
    /// Met so far, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub met: Option<Decimal>,
    /// Still left, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub remaining: Option<Decimal>,
    /// Per calendar year, lifetime …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Coded>,
}

/// A limit on how much of a service is covered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// Allowed in the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub allowed: Option<Decimal>,
    /// Used so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub used: Option<Decimal>,
    /// Still left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub remaining: Option<Decimal>,
    /// Visits, days, US dollars …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Coded>,
    /// Per year, per month …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Coded>,
    /// Delivery pattern in full, one entry per X12 HSD: "2 visits per week, 10 weeks".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
}

/// Something the carrier said that has no field of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OtherFact {
    /// What it is (X12 EB01).
    pub kind: Coded,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// A share as a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub share: Option<Decimal>,
    /// A count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub quantity: Option<Decimal>,
    /// Unit of the count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Coded>,
    /// Period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Coded>,
    /// Words beside it, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl OtherFact {
    /// How `kind.code` begins where the carrier turned a part of the question away: `AAA 42`, the segment that says so
    /// in X12, and its reason.
    pub const TURNED_AWAY: &str = "AAA ";
    /// `kind.code` where the carrier says that it does not know whether authorization is needed (X12 EB11).
    pub const AUTHORIZATION_UNKNOWN: &str = "EB11 U";

    /// The carrier's reason, where this says that it turned a part of the question away.
    pub fn turned_away(&self) -> Option<&str> {
        self.kind.code.strip_prefix(Self::TURNED_AWAY)
    }
}

/// Where a number or a word was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Which fields of the object it stands in: `deductible.remaining`, `copay.amount`. Empty: the object as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// The place.
    #[serde(flatten)]
    pub place: Place,
}

/// A place in what the carrier sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Place {
    /// A segment of an X12 transaction.
    Segment {
        /// Place of the transaction set in the interchange, from 1.
        transaction: u32,
        /// Place of the segment in its transaction set, ST being 1.
        position: u32,
        /// Segment identifier: `EB`.
        id: String,
        /// Loop: `2110C`.
        #[serde(rename = "loop")]
        loop_id: String,
    },
    /// A JSON pointer into the reply.
    Json {
        /// Which reply of the exchange, from 1.
        reply: u32,
        /// RFC 6901 pointer.
        pointer: String,
    },
    /// A page and the selector or label the value was found by.
    Page {
        /// The page's name in the carrier file.
        page: String,
        /// CSS selector, or the label beside the value.
        selector: String,
        /// Row of a table, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<u32>,
    },
}

/// What an answer was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RawRef {
    /// `271`, `json`, `html`.
    pub transaction: String,
    /// X12: segments in the transaction set. Otherwise: replies read.
    pub segments: u32,
}

/// The same in plain words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// What the front desk may say. Never says more than the facts.
    pub paragraph: Phi<String>,
    /// What to look at before anything else.
    pub alerts: Vec<Alert>,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// A fixed word: `inactive`, `partly_refused`, `other_payer`, `correction`, `limit_nearly_used` …
    pub kind: String,
    /// One sentence.
    pub text: Phi<String>,
}

/// Something the carrier did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotStated {
    /// What: `service 86 coverage`, `deductible.remaining` …
    pub what: String,
    /// One sentence.
    pub text: String,
}
