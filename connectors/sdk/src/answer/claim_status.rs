//! Where a claim stands: the normalised answer to a question about a claim, and what an acknowledgment of claims says of
//! each of them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Coded, DateFact, Identifier, MemberOnFile, Provenance, RawRef};
use crate::phi::Phi;

/// Where one claim stands, as the carrier (or a clearing house on the way to it) says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClaimStatusAnswer {
    /// Where it stands, as one word.
    pub state: ClaimState,
    /// Whose claim it is, as the carrier has the patient on file.
    pub patient: MemberOnFile,
    /// Every number the claim is known by: the carrier's, the practice's, a clearing house's.
    pub claim_numbers: Vec<Identifier>,
    /// Type of bill, institutional claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_of_bill: Option<String>,
    /// Charged in all, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub charged: Option<Decimal>,
    /// Paid, US dollars. Absent where the carrier did not say, which is not the same as nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub paid: Option<Decimal>,
    /// Days of service, of receipt, of the decision and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Every status the carrier gave for the claim as a whole.
    pub statuses: Vec<ClaimStatus>,
    /// Its service lines, where the carrier gave any.
    pub lines: Vec<ClaimStatusLine>,
    /// Checks and transfers that are named.
    pub payments: Vec<ClaimPayment>,
    /// Counts and sums that are said of a whole submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<ClaimTotal>,
    /// What to do now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action: Option<ClaimAction>,
    /// Where each number was read.
    pub provenance: Vec<Provenance>,
    /// What the answer was made from.
    pub raw: RawRef,
}

/// Where a claim stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// Somebody has it; nothing is said about acceptance yet.
    Received,
    /// It is in the carrier's system.
    Accepted,
    /// It was turned away before it was judged: for the carrier there is no such claim.
    Rejected,
    /// It is being judged.
    InProcess,
    /// It waits, for a review or for information.
    Pended,
    /// The decision is made; which one stands in the statuses.
    Finalized,
    /// The decision is made, and it is paid.
    Paid,
    /// The decision is made, and it is denied.
    Denied,
    /// The carrier does not find it.
    NotOnFile,
    /// The carrier did not say, or gave no answer.
    #[default]
    Unknown,
}

/// One status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimStatus {
    /// What kind of status (X12 STC01-1): `A2`, `P1`, `F2` …
    pub category: Coded,
    /// The status (X12 STC01-2).
    pub code: Coded,
    /// Whom or what it speaks of (X12 STC01-3): billing provider, patient …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Coded>,
    /// The carrier's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Phi<String>>,
    /// The same in plain words.
    pub plain: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Date>,
    /// What the category says by itself.
    pub state: ClaimState,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// One service line.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClaimStatusLine {
    /// The procedure: code list and code, with its modifiers, as sent.
    pub procedure: Coded,
    /// Revenue code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_code: Option<String>,
    /// The line's number as the practice sent it, and others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Identifier>,
    /// Where it stands.
    pub state: ClaimState,
    /// Charged, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub charged: Option<Decimal>,
    /// Paid, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub paid: Option<Decimal>,
    /// Units charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub units: Option<Decimal>,
    /// Days of service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<DateFact>,
    /// Every status the carrier gave for it.
    pub statuses: Vec<ClaimStatus>,
    /// Where each number was read.
    pub provenance: Vec<Provenance>,
}

/// A check or a transfer that pays the claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimPayment {
    /// Paid for this claim, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// How: check, transfer …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Coded>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Number of the check or transfer: the remittance (835) has the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Phi<String>>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// A count or a sum that is said of a whole submission.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimTotal {
    /// What is counted or summed up.
    pub kind: Coded,
    /// How many claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub count: Option<Decimal>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub amount: Option<Decimal>,
    /// Where this was read.
    pub provenance: Vec<Provenance>,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimAction {
    /// A fixed word: `wait`, `correct_and_resend`, `send_information`, `check_and_resend`, `match_remittance`,
    /// `read_remittance`, `ask_again`, `correct_question`.
    pub kind: String,
    /// One sentence.
    pub text: String,
}

impl ClaimState {
    /// A fixed word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::InProcess => "in_process",
            Self::Pended => "pended",
            Self::Finalized => "finalized",
            Self::Paid => "paid",
            Self::Denied => "denied",
            Self::NotOnFile => "not_on_file",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_json_says() {
        use ClaimState::*;
        for state in [Received, Accepted, Rejected, InProcess, Pended, Finalized, Paid, Denied, NotOnFile, Unknown] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
