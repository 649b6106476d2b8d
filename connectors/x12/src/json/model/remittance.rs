//! An 835 as the normalised remittance (feature `answers`), else as its typed model.

use jiff::civil::Date;
use serde_json::Value;

use crate::envelope::Transaction;
use crate::finding::Finding;
use crate::remittance::Remittance;

pub(super) fn model(transaction: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    if transaction.id != Remittance::ID {
        return None;
    }
    #[cfg(feature = "answers")]
    let model = serde_json::to_value(crate::answers::remittance::remittance(transaction)?);
    #[cfg(not(feature = "answers"))]
    let model = serde_json::to_value(Remittance::read(&transaction.segments));
    model.ok().map(|model| ("remittance", model))
}
