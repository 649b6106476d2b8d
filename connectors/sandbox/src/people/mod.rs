//! The people that the simulated carriers insure, and what is true of their coverage. All invented.
//!
//! What stands here is the truth; each carrier puts it on the wire in its own way, and [`crate::truth()`] prints it for
//! comparison. Names of fields and values are those of the gateway's answer.

use serde::Serialize;

mod blue;
mod harbor;
mod hub;
mod molasses;
mod north;
mod state;

/// Network of a benefit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// In network.
    In,
    /// Out of network.
    Out,
    /// The same for both.
    Both,
    /// Not said.
    NotStated,
}

/// Whose amount it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One person.
    Individual,
    /// The family.
    Family,
    /// Not said.
    NotStated,
}

/// Whether a service is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Covered {
    /// Covered.
    Yes,
    /// Not covered.
    No,
    /// Within limits.
    Limited,
    /// Not said.
    NotStated,
}

/// Whether prior authorization is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Needed.
    Required,
    /// Not needed.
    NotRequired,
    /// Not said.
    NotStated,
}

/// Whether the member is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Covered today.
    Active,
    /// Not covered today.
    Inactive,
}

/// Base, met and remaining; dollars as text. Nothing where the carrier does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accumulator {
    /// The whole amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<&'static str>,
    /// Used up so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<&'static str>,
    /// Left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<&'static str>,
}

/// Visits or days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Allowed in the period.
    pub allowed: &'static str,
    /// Used up so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<&'static str>,
    /// Left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<&'static str>,
    /// X12 quantity qualifier: `VS` visits, `DY` days.
    pub unit: &'static str,
}

/// One benefit: one service in one network at one level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Benefit {
    /// X12 service type code.
    pub service: &'static str,
    /// In or out of network.
    pub network: Network,
    /// Whose.
    pub level: Level,
    /// Covered?
    pub covered: Covered,
    /// Prior authorization?
    pub authorization: Authorization,
    /// Dollars per visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copay: Option<&'static str>,
    /// The patient's share as a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coinsurance: Option<&'static str>,
    /// Deductible of the calendar year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deductible: Option<Accumulator>,
    /// Out-of-pocket maximum of the calendar year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_pocket: Option<Accumulator>,
    /// Limit of the calendar year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Words that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<&'static str>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Name as the carrier writes it.
    pub name: &'static str,
    /// X12 insurance type code: `PR` PPO, `HM` HMO, `MC` Medicaid …
    pub insurance_type: &'static str,
    /// First day, `YYYY-MM-DD`.
    pub from: &'static str,
    /// Last day, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'static str>,
}

/// A person or an organisation named in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// X12 entity code: `P3` primary care provider, `PRP` primary payer, `1I` preferred provider organisation …
    pub role: &'static str,
    /// Name; a person's as LAST, FIRST.
    pub name: &'static str,
    /// NPI, payer id or member number there.
    pub number: &'static str,
    /// Phone, ten digits of the reserved 555-01xx range.
    pub phone: &'static str,
}

/// A dependent of the member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependent {
    /// First name.
    pub first_name: &'static str,
    /// Last name.
    pub last_name: &'static str,
    /// `YYYY-MM-DD`.
    pub date_of_birth: &'static str,
    /// `F` or `M`.
    pub sex: &'static str,
    /// X12 relationship code: `01` spouse, `19` child.
    pub relationship: &'static str,
}

/// One insured person and everything that is true of the coverage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Member id: it names the scenario.
    pub member_id: &'static str,
    /// First name.
    pub first_name: &'static str,
    /// Last name.
    pub last_name: &'static str,
    /// `YYYY-MM-DD`.
    pub date_of_birth: &'static str,
    /// `F` or `M`.
    pub sex: &'static str,
    /// Group number.
    pub group_number: &'static str,
    /// Dependents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Dependent>,
    /// Covered today?
    pub coverage: Status,
    /// The plan.
    pub plan: Plan,
    /// Benefits.
    pub benefits: Vec<Benefit>,
    /// Primary care provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_care: Option<Entity>,
    /// Another insurer that pays first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_payer: Option<Entity>,
    /// The plan that manages the care (Medicaid).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<Entity>,
    /// Spend-down left, dollars (Medicaid).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_down: Option<&'static str>,
    /// Whether the carrier tells coverage month by month (Medicaid).
    pub monthly: bool,
}

/// Everyone insured by a carrier; nobody for a carrier that does not exist.
pub fn insured_by(carrier: &str) -> Vec<Person> {
    match carrier {
        "northstar" => north::people(),
        "statemed" => state::people(),
        "harborhmo" => harbor::people(),
        "bluevalley" => blue::people(),
        "hubline" => hub::people(),
        "molasses" => molasses::people(),
        _ => Vec::new(),
    }
}

impl Person {
    /// A covered person without benefits; the files of the carriers add them.
    fn new(
        member_id: &'static str,
        name: (&'static str, &'static str),
        date_of_birth: &'static str,
        sex: &'static str,
        plan: Plan,
    ) -> Self {
        Self {
            member_id,
            first_name: name.0,
            last_name: name.1,
            date_of_birth,
            sex,
            group_number: "0099001",
            dependents: Vec::new(),
            coverage: Status::Active,
            plan,
            benefits: Vec::new(),
            primary_care: None,
            other_payer: None,
            managed_by: None,
            spend_down: None,
            monthly: false,
        }
    }
}

impl Benefit {
    /// Nothing said but the service, the network and the level.
    fn of(service: &'static str, network: Network, level: Level) -> Self {
        Self {
            service,
            network,
            level,
            covered: Covered::NotStated,
            authorization: Authorization::NotStated,
            copay: None,
            coinsurance: None,
            deductible: None,
            out_of_pocket: None,
            limit: None,
            messages: Vec::new(),
        }
    }

    /// A copay per visit, in network, one person.
    fn copay(service: &'static str, dollars: &'static str) -> Self {
        Self { copay: Some(dollars), covered: Covered::Yes, ..Self::of(service, Network::In, Level::Individual) }
    }

    /// The patient's share.
    fn share(service: &'static str, network: Network, share: &'static str) -> Self {
        Self { coinsurance: Some(share), covered: Covered::Yes, ..Self::of(service, network, Level::Individual) }
    }

    /// Deductible and out-of-pocket maximum of the plan as a whole: (base, met, remaining) each.
    fn totals(network: Network, level: Level, deductible: [&'static str; 3], out_of_pocket: [&'static str; 3]) -> Self {
        Self {
            deductible: Some(accumulator(deductible)),
            out_of_pocket: Some(accumulator(out_of_pocket)),
            ..Self::of("30", network, level)
        }
    }

    /// So many visits a calendar year.
    fn visits(mut self, allowed: &'static str, used: &'static str, remaining: &'static str) -> Self {
        self.limit = Some(Limit { allowed, used: Some(used), remaining: Some(remaining), unit: "VS" });
        self.covered = Covered::Limited;
        self
    }

    fn authorized(mut self, need: Authorization) -> Self {
        self.authorization = need;
        self
    }

    fn says(mut self, words: &'static str) -> Self {
        self.messages.push(words);
        self
    }

    fn not_covered(service: &'static str) -> Self {
        Self { covered: Covered::No, ..Self::of(service, Network::Both, Level::Individual) }
    }
}

fn accumulator([base, met, remaining]: [&'static str; 3]) -> Accumulator {
    Accumulator { base: Some(base), met: Some(met), remaining: Some(remaining) }
}

const fn plan(name: &'static str, insurance_type: &'static str) -> Plan {
    Plan { name, insurance_type, from: "2026-01-01", to: None }
}

/// What a solid PPO says; several carriers use it.
fn ppo_benefits() -> Vec<Benefit> {
    use Level::{Family, Individual};
    use Network::{In, Out};
    vec![
        Benefit::totals(In, Individual, ["1500.00", "600.00", "900.00"], ["5000.00", "1100.00", "3900.00"]),
        Benefit::totals(In, Family, ["3000.00", "850.00", "2150.00"], ["10000.00", "1900.00", "8100.00"]),
        Benefit::totals(Out, Individual, ["4000.00", "0.00", "4000.00"], ["12000.00", "0.00", "12000.00"]),
        Benefit::copay("98", "40.00").authorized(Authorization::NotRequired),
        Benefit::share("98", Out, "0.40"),
        Benefit::copay("UC", "75.00"),
        Benefit::copay("86", "350.00").says("COPAY WAIVED IF ADMITTED"),
        Benefit::copay("MH", "40.00").authorized(Authorization::NotRequired),
        Benefit::copay("33", "40.00").visits("20", "4", "16"),
        Benefit::copay("PT", "40.00").visits("30", "12", "18").authorized(Authorization::Required),
        Benefit::share("48", In, "0.20").authorized(Authorization::Required),
    ]
}
