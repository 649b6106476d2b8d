//! A 275 as its typed model, documents and all.

use jiff::civil::Date;
use serde_json::Value;

use crate::attachment::Attachments;
use crate::envelope::Transaction;
use crate::finding::Finding;

pub(super) fn model(transaction: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    if transaction.id != Attachments::ID {
        return None;
    }
    let attachments = Attachments::read(&transaction.segments);
    Some(("model", serde_json::to_value(&attachments).ok()?))
}
