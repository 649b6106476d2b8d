//! Files as JSON and back: what `portico x12 read` prints, one object per transaction set, and what `portico x12 write`
//! takes.
//!
//! ```json
//! { "transaction": "271", "control": "0001", "implementation": "005010X279A1", "number": 1,
//!   "interchange": { "sender_id": "…", "delimiters": { "element": "*", …, "line_break": "\n" }, … },
//!   "group": { … }, "segments": [["ST", "271", "0001"], …], "findings": [ … ] }
//! ```
//! Elements stand as they came, separators of repeats and components included; one that is not UTF-8 stands as
//! `{"latin1": "…"}`, a character per byte. A TA1 is an object of its own, and so is a group or an interchange with
//! nothing in it, or with segments before its first transaction set: these are its `trailers`. What was found about the
//! file as a whole stands in the last object, under `file_findings`.
//!
//! What a well-formed file would have anyway is left out, so that a person can edit the rest: `segment` in
//! `interchange` and `group` is there only where the named fields would not give the header back, `trailers` only where
//! GE and IEA are not what the counts ask for, SE is missing, or segments stand outside any transaction set (those that
//! follow it), `tail` (white space at the end of an interchange) only where it is not the `line_break`. Where there is no
//! ISA, `delimiters` stands beside `interchange`.

mod header;
mod model;
mod objects;
mod preamble;
mod put;
mod refusal;
mod tap;
mod telling;
mod write;

pub use objects::Objects;
pub use refusal::{Reason, Refusal};
pub use write::{WriteFailure, write_json};

use serde_json::Value;

use crate::finding::Finding;

/// What is printed of a transaction set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Its segments.
    #[default]
    Segments,
    /// Its model where there is one (a 271 as normalised answers with feature `answers`, an acknowledgment as its
    /// verdict); anything else as segments.
    Model,
}

/// Writing to memory cannot fail, and none of these has keys that are no text.
fn text(value: &impl serde::Serialize, into: &mut Vec<u8>) {
    let _ = serde_json::to_writer(into, value);
}

fn findings_json(findings: &[Finding]) -> Value {
    serde_json::to_value(findings).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use serde_json::json;

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
        let codes: Vec<_> = first["file_findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
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

    #[cfg(feature = "answers")]
    #[test]
    fn a_remittance_is_written_while_it_is_read() {
        const BEGIN: &str =
            "BPR*I*80*C*CHK************20261120~TRN*1*EFT1*1512345678~N1*PR*NORTHSTAR~N1*PE*BONE CLINIC~LX*1~";
        const CLAIM: &str =
            "CLP*A-1*1*125*80*20*12*NS-1~NM1*QC*1*DOE*ADA~SVC*HC:99213*125*80~CAS*CO*45*25~CAS*PR*3*20~";
        let st = |control: &str| format!("ST*835*{control}~{BEGIN}");
        let plb = "PLB*1*20261231*WO:NS-0*3*L6*-1.5~";
        let long = format!("{}{}{plb}SE*15006*1~", st("1"), CLAIM.repeat(3_000));
        for file in [
            format!("{}{CLAIM}{CLAIM}{plb}SE*99*1~{}{CLAIM}ST*271*3~EB*1~SE*3*3~{}SE*7*2~", st("1"), st("2"), st("4")),
            format!("ST*271*3~EB*1~SE*3*3~{}{CLAIM}", st("1")),
            "ST*835*1~SE*2*1~".to_owned(),
            "ST*835*1~".to_owned(),
            long.clone(),
        ] {
            let mut walker = crate::envelope::Walker::new(file.as_bytes());
            let mut whole = Vec::new();
            while let Some(item) = walker.next_item().unwrap() {
                whole.push(objects::object(&item, TODAY));
            }
            let about_file = walker.take_findings();
            if !about_file.is_empty() {
                let Some(Value::Object(last)) = whole.last_mut() else { panic!("an object") };
                last.insert("file_findings".to_owned(), findings_json(&about_file));
            }
            let mut objects = Objects::new(file.as_bytes(), Shape::Model, TODAY);
            for whole in whole {
                // As text: the order is the same, too.
                assert_eq!(objects.next_object().unwrap().unwrap().to_string(), whole.to_string());
            }
            assert!(objects.next_object().unwrap().is_none());
        }
        // However long it is, a piece is no longer than a claim.
        let (mut objects, mut piece, mut pieces) = (Objects::new(long.as_bytes(), Shape::Model, TODAY), Vec::new(), 0);
        while objects.next_piece(&mut piece).unwrap() {
            assert!(piece.len() < 8_000, "{}", piece.len());
            piece.clear();
            pieces += 1;
        }
        assert!(pieces > 3_000, "{pieces}");
        // Where the source fails in the middle, what was begun is closed and says so.
        let source = std::io::Read::chain(&long.as_bytes()[..long.len() / 2], Broken);
        let mut objects = Objects::new(source, Shape::Model, TODAY);
        let mut cut = Vec::new();
        while let Ok(true) = objects.next_piece(&mut cut) {}
        let cut: Value = serde_json::from_slice(&cut).unwrap();
        assert!(cut["remittance"]["claims"].as_array().unwrap().len() > 1_000);
        assert_eq!(cut["findings"][0]["code"], "no_se");
    }

    /// A source that fails.
    #[cfg(feature = "answers")]
    struct Broken;

    #[cfg(feature = "answers")]
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
}
