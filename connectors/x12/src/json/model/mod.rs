//! `read --model`: which family of transaction sets has a model to show. One file per family, registered here once; what
//! can be very long is written while it is read (see [`Telling`](super::telling::Telling)) instead.

mod ack;
mod attachment;
mod claim;
mod eligibility;
mod remittance;
mod review;
mod status;

pub(super) use claim::Pieces as Claims;

use jiff::civil::Date;
use serde_json::Value;

use crate::envelope::{InterchangeAck, Transaction};
use crate::finding::Finding;

/// The key the model stands under, and the model. Findings about the structure are added to the list.
type Model = fn(&Transaction, Date, &mut Vec<Finding>) -> Option<(&'static str, Value)>;

/// The families, asked in order; the first that knows the transaction set answers.
const FAMILIES: &[Model] =
    &[ack::model, remittance::model, eligibility::model, status::model, review::model, attachment::model];

/// The model of a transaction set, where there is one.
pub(super) fn of(transaction: &Transaction, today: Date, findings: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    FAMILIES.iter().find_map(|family| family(transaction, today, findings))
}

/// The model of a TA1.
pub(super) fn interchange_ack(ack: &InterchangeAck) -> Value {
    ack::interchange(ack)
}
