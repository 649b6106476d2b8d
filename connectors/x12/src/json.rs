//! Files as JSON, one object per transaction set: what `portico x12 read` prints.
//!
//! ```json
//! { "transaction": "271", "control": "0001", "implementation": "005010X279A1", "number": 1,
//!   "interchange": { "sender_id": "…", "delimiters": { "element": "*", … }, … }, "group": { … },
//!   "segments": [["ST", "271", "0001"], …], "findings": [ … ] }
//! ```
//! Elements stand as they came, separators of repeats and components included. A TA1 is an object of its own. Findings
//! about the file as a whole come last, in an object with nothing but `findings`.

use std::io::Read;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::ack::Acknowledgment;
use crate::envelope::{Interchange, Item, Transaction, Walker};
use crate::finding::Finding;
use crate::read::{ReadError, Segment};

/// What is printed of a transaction set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Its segments.
    #[default]
    Segments,
    /// A 271 as normalised answers (feature `answers`), an acknowledgment as its verdict; anything else as segments.
    Model,
}

/// Gives the objects of a file one by one.
pub struct Objects<R> {
    walker: Walker<R>,
    shape: Shape,
    today: Date,
    ended: bool,
}

impl<R: Read> Objects<R> {
    /// The objects of `source`. `today` is the day a summary speaks of where nothing else says.
    pub fn new(source: R, shape: Shape, today: Date) -> Self {
        Self { walker: Walker::new(source), shape, today, ended: false }
    }

    /// The next object; `None` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_object(&mut self) -> Result<Option<Value>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        if let Some(item) = self.walker.next_item()? {
            return Ok(Some(object(&item, self.shape, self.today)));
        }
        self.ended = true;
        let findings = self.walker.take_findings();
        Ok((!findings.is_empty()).then(|| json!({ "findings": findings_json(&findings) })))
    }
}

/// One transaction set or TA1 as an object.
pub fn object(item: &Item, shape: Shape, today: Date) -> Value {
    let mut map = Map::new();
    match item {
        Item::InterchangeAck(ack) => {
            map.insert("transaction".to_owned(), json!("TA1"));
            map.insert("interchange".to_owned(), interchange(ack.interchange.as_deref(), ack.block.first()));
            if shape == Shape::Model {
                map.insert("acknowledgment".to_owned(), acknowledgment(&Acknowledgment::from_ta1(ack)));
            } else {
                map.insert("segments".to_owned(), ack.block.iter().map(segment).collect());
            }
            map.insert("findings".to_owned(), json!([]));
        }
        Item::Transaction(transaction) => {
            map.insert("transaction".to_owned(), json!(transaction.id));
            map.insert("control".to_owned(), json!(transaction.control));
            map.insert("implementation".to_owned(), json!(transaction.implementation));
            map.insert("number".to_owned(), json!(transaction.number));
            let around = interchange(transaction.interchange.as_deref(), transaction.segments.first());
            map.insert("interchange".to_owned(), around);
            map.insert("group".to_owned(), json!(transaction.group.as_deref()));
            let mut findings = transaction.findings.clone();
            match model(transaction, shape, today, &mut findings) {
                Some((name, value)) => map.insert(name.to_owned(), value),
                None => map.insert("segments".to_owned(), transaction.segments.iter().map(segment).collect()),
            };
            map.insert("findings".to_owned(), findings_json(&findings));
        }
    }
    Value::Object(map)
}

/// The normalised view, where there is one. Findings about the structure are added to `findings`.
fn model(
    transaction: &Transaction,
    shape: Shape,
    today: Date,
    findings: &mut Vec<Finding>,
) -> Option<(&'static str, Value)> {
    if shape == Shape::Segments {
        return None;
    }
    if let Some(ack) = Acknowledgment::from_transaction(transaction) {
        return Some(("acknowledgment", acknowledgment(&ack)));
    }
    answers(transaction, today, findings).map(|value| ("answers", value))
}

#[cfg(feature = "answers")]
fn answers(transaction: &Transaction, today: Date, findings: &mut Vec<Finding>) -> Option<Value> {
    use connector_sdk::Outcome;
    let response = crate::response::Response::read(transaction)?;
    findings.extend(response.findings.iter().cloned());
    let one = |answered: crate::answers::Answered| match answered.outcome {
        Outcome::Answered(facts) => {
            let answer = connector_sdk::summary::complete(facts, None, response.date.unwrap_or(today));
            json!({ "dependent": answered.dependent, "outcome": "answered", "answer": answer })
        }
        Outcome::Refused(refusal) => {
            json!({ "dependent": answered.dependent, "outcome": "refused", "refusal": refusal })
        }
    };
    Some(crate::answers::eligibility(&response, None).into_iter().map(one).collect())
}

#[cfg(not(feature = "answers"))]
fn answers(_: &Transaction, _: Date, _: &mut Vec<Finding>) -> Option<Value> {
    None
}

fn findings_json(findings: &[Finding]) -> Value {
    serde_json::to_value(findings).unwrap_or(Value::Null)
}

/// An interchange header with its separators.
fn interchange(header: Option<&Interchange>, segment: Option<Segment<'_>>) -> Value {
    let (Some(header), Some(segment)) = (header, segment) else { return Value::Null };
    let mut value = serde_json::to_value(header).unwrap_or(Value::Null);
    let delimiters = segment.delimiters();
    let text = |byte: u8| char::from(byte).to_string();
    if let Value::Object(map) = &mut value {
        let separators = json!({
            "element": text(delimiters.element),
            "repetition": delimiters.repetition.map(text),
            "component": text(delimiters.component),
            "segment": text(delimiters.segment),
        });
        map.insert("delimiters".to_owned(), separators);
    }
    value
}

fn segment(segment: Segment<'_>) -> Value {
    let elements = (1..=segment.len()).map(|element| String::from_utf8_lossy(segment.raw(element)));
    std::iter::once(segment.id().into()).chain(elements).map(|text| Value::String(text.into_owned())).collect()
}

fn acknowledgment(ack: &Acknowledgment) -> Value {
    let notes = ack.notes.iter().map(|note| {
        json!({ "element": note.element, "code": note.code, "meaning": note.meaning, "segment": note.segment,
                "position": note.position, "place": note.place })
    });
    let transactions =
        ack.transactions.iter().map(|(control, verdict)| json!({ "control": control, "verdict": verdict.word() }));
    json!({ "kind": ack.kind, "verdict": ack.verdict.word(), "control": ack.control,
            "transactions": transactions.collect::<Vec<_>>(), "notes": notes.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delimiters;
    use crate::write::{Envelope, TransactionWriter};

    const TODAY: Date = Date::constant(2026, 11, 23);

    #[test]
    fn one_object_per_transaction_set_and_the_files_findings_last() {
        let mut tx = TransactionWriter::new(&Delimiters::default(), "271", "0001", None).unwrap();
        tx.segment("EB", &["1", "", "30"]).unwrap();
        let mut file = Envelope::new("HB", "005010X279A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        file.truncate(file.len() - 5);
        let mut objects = Objects::new(file.as_slice(), Shape::Segments, TODAY);
        let first = objects.next_object().unwrap().unwrap();
        assert_eq!(first["transaction"], "271");
        assert_eq!(first["interchange"]["delimiters"]["element"], "*");
        assert_eq!(first["segments"], json!([["ST", "271", "0001"], ["EB", "1", "", "30"], ["SE", "3", "0001"]]));
        assert_eq!(first["findings"], json!([]));
        let last = objects.next_object().unwrap().unwrap();
        let codes: Vec<_> = last["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
        assert_eq!(codes, ["no_terminator", "iea_control"]);
        assert!(objects.next_object().unwrap().is_none());
    }

    #[cfg(feature = "answers")]
    #[test]
    fn the_model_of_a_271() {
        let mut tx = TransactionWriter::new(&Delimiters::default(), "271", "0001", None).unwrap();
        tx.segment("HL", &["1", "", "20", "1"]).unwrap();
        tx.segment("AAA", &["N", "", "42", "R"]).unwrap();
        let file = Envelope::new("HB", "005010X279A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        let value = Objects::new(file.as_slice(), Shape::Model, TODAY).next_object().unwrap().unwrap();
        assert_eq!(value["answers"][0]["refusal"]["reason"], "carrier_busy");
    }
}
