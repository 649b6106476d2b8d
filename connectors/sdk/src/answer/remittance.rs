//! What a carrier paid: one normalised remittance, whatever it came as (X12 835, a portal's page).
//!
//! Every amount is what the carrier said; `balance` says whether these amounts come out even. What it did not say is
//! left out. Every number carries a [`Provenance`].

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Coded, Contact, DateFact, DateSpan, Identifier, Provenance, RawRef};
use crate::phi::Phi;

/// What a carrier paid a practice at one time, claim by claim.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Remittance {
    /// Who paid whom, how much, how and when.
    #[serde(flatten)]
    pub head: RemittanceHead,
    /// The claims.
    pub claims: Vec<PaidClaim>,
    /// What belongs to no claim, and how it came out.
    #[serde(flatten)]
    pub tail: RemittanceTail,
}

/// What stands before the claims.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RemittanceHead {
    /// The carrier.
    pub payer: Contact,
    /// The practice.
    pub payee: Contact,
    /// The payment.
    pub payment: Payment,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// What stands after the claims.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RemittanceTail {
    /// Interest, recoupment, capitation and the like: what changes the payment and belongs to no claim of this remittance.
    pub provider_adjustments: Vec<ProviderAdjustment>,
    /// Whether the amounts come out even.
    pub balance: Balance,
    /// What the answer was made from.
    pub raw: RawRef,
}

/// How much, how and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// How (X12 BPR04): `ACH`, `CHK`, `NON` nothing is paid …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Coded>,
    /// What the practice gets; negative where it owes the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// ISO 4217, where it is not US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The day the money moves, or the cheque's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The cheque's or the transfer's number: what the bank statement shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Who gave that number: usually the carrier's tax id with a digit before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originator: Option<String>,
}

/// One claim.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PaidClaim {
    /// The practice's own number, the carrier's number, and what else the claim is known by.
    pub numbers: Vec<Identifier>,
    /// Patient, insured, treating provider and other carriers named.
    pub people: Vec<Contact>,
    /// Processed as primary, denied, reversed … (X12 CLP02).
    pub status: Coded,
    /// Takes an earlier payment back: its amounts are those of that payment, turned round.
    pub reversal: bool,
    /// What kind of plan paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_kind: Option<Coded>,
    /// Charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub charged: Option<Decimal>,
    /// Paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub paid: Option<Decimal>,
    /// What the patient owes, as the carrier says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub patient_owes: Option<Decimal>,
    /// Why the claim as a whole is not paid as charged; those of a line stand with the line.
    pub adjustments: Vec<Adjustment>,
    /// Remarks (RARC).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Coded>,
    /// Dates of service, end of coverage, when the claim was received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Further amounts: covered, interest, discount …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<Quantified>,
    /// Days, visits and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantities: Vec<Quantified>,
    /// The service lines.
    pub lines: Vec<PaidLine>,
    /// Sums of this claim and its lines that do not come out even.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uneven: Vec<Uneven>,
    /// Where each number was read.
    pub provenance: Vec<Provenance>,
}

/// One service line.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PaidLine {
    /// The service as the carrier judged it: system, code and modifiers.
    pub procedure: Coded,
    /// The service as it was submitted, where that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Coded>,
    /// Revenue code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue: Option<String>,
    /// Day or days of service.
    #[serde(default)]
    pub dates: DateSpan,
    /// Charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub charged: Option<Decimal>,
    /// Allowed by the contract, where the carrier says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub allowed: Option<Decimal>,
    /// Paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub paid: Option<Decimal>,
    /// Units paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub units: Option<Decimal>,
    /// Why it is not paid as charged.
    pub adjustments: Vec<Adjustment>,
    /// Remarks (RARC).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Coded>,
    /// Line number and further numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Identifier>,
    /// Further amounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<Quantified>,
    /// Where each number was read.
    pub provenance: Vec<Provenance>,
}

/// Why less, or more, is paid than was charged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjustment {
    /// Who bears it (X12 CAS01).
    pub group: Coded,
    /// The reason as the carrier coded it (CARC).
    pub code: String,
    /// How much is not paid; negative where it adds to the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// How many units are not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub quantity: Option<Decimal>,
    /// The reason in plain words.
    pub plain: String,
    /// What the practice can do, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action: Option<NextAction>,
}

/// What the practice can do about an adjustment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextAction {
    /// Which kind of step.
    pub kind: NextStep,
    /// The same in plain words.
    pub text: String,
}

/// Kinds of next steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Write it off: the patient may not be billed.
    WriteOff,
    /// Bill the patient, or the patient's next carrier.
    BillPatient,
    /// Correct the claim and send it again.
    Correct,
    /// Send what the carrier asks for.
    SendDocuments,
    /// Look for the authorization, ask for one, or appeal.
    Authorization,
    /// Send the claim to the carrier that is responsible.
    OtherCarrier,
    /// Check the patient's coverage.
    CheckCoverage,
    /// Ask for a review, with the records.
    Appeal,
    /// Show that it was filed in time.
    ProveTimeliness,
    /// Look whether it was paid already.
    FindEarlierPayment,
    /// Compare it with the contract.
    CheckContract,
}

/// An amount or a number with its meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantified {
    /// What it is (X12 AMT01, QTY01).
    pub kind: Coded,
    /// How much.
    #[schemars(with = "String")]
    pub value: Decimal,
}

/// An adjustment of the payment that belongs to no claim.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ProviderAdjustment {
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Last day of its fiscal year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal_period: Option<Date>,
    /// Why (X12 PLB03-1).
    pub reason: Coded,
    /// A claim's or another number it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Phi<String>>,
    /// How much is taken from the payment; negative where it adds to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// Whether the amounts come out even.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// All sums could be made and come out even: of each line, of each claim, and of the payment.
    pub ok: bool,
    /// How much the payment is more than what its claims and provider adjustments add up to. Left out where an amount
    /// is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub off_by: Option<Decimal>,
    /// How many sums do not come out even; those of claims are named there.
    pub uneven: u64,
    /// How many sums could not be made, because an amount is missing.
    pub unknown: u64,
}

/// A sum that does not come out even.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uneven {
    /// Which sum.
    pub rule: SumRule,
    /// How much what is stated is more than what the rest adds up to.
    #[schemars(with = "String")]
    pub off_by: Decimal,
    /// Where the stated amount was read.
    pub provenance: Provenance,
}

/// Sums that must come out even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SumRule {
    /// A line: charged less adjustments is paid.
    Line,
    /// A claim: charged less all adjustments is paid.
    Claim,
    /// The lines charge together what the claim charges.
    LineCharges,
    /// A predetermination pays nothing.
    Predetermination,
    /// The claims less the provider adjustments are what the practice gets.
    Payment,
}
