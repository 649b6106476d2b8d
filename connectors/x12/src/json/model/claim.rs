//! An 837 as its typed model.

use jiff::civil::Date;
use serde_json::Value;

use crate::claim::Claims;
use crate::envelope::Transaction;
use crate::finding::Finding;

pub(super) fn model(transaction: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    if transaction.id != Claims::ID {
        return None;
    }
    serde_json::to_value(Claims::read(&transaction.segments)).ok().map(|claims| ("claims", claims))
}
