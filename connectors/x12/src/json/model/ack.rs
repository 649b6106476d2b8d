//! Acknowledgments: the verdict, and what was held against what was sent.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::ack::Acknowledgment;
use crate::envelope::{InterchangeAck, Transaction};
use crate::finding::Finding;

pub(super) fn model(transaction: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<(&'static str, Value)> {
    Acknowledgment::from_transaction(transaction).map(|ack| ("acknowledgment", verdict(&ack)))
}

pub(super) fn interchange(ack: &InterchangeAck) -> Value {
    verdict(&Acknowledgment::from_ta1(ack))
}

fn verdict(ack: &Acknowledgment) -> Value {
    let notes = ack.notes.iter().map(|note| {
        json!({ "element": note.element, "code": note.code, "meaning": note.meaning, "set": note.set,
                "segment": note.segment, "position": note.position, "loop": note.loop_id, "place": note.place,
                "component": note.component, "repeat": note.repeat })
    });
    let transactions =
        ack.transactions.iter().map(|(control, verdict)| json!({ "control": control, "verdict": verdict.word() }));
    json!({ "kind": ack.kind, "verdict": ack.verdict.word(), "control": ack.control,
            "transactions": transactions.collect::<Vec<_>>(), "notes": notes.collect::<Vec<_>>() })
}
