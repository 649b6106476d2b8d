//! What must hold for any bytes whatever. The fuzz targets (`fuzz/`) call these with bytes they make up; the tests call
//! them with the committed seeds and with the real files.

use std::io::Read;

use jiff::civil::Date;
use serde_json::{Value, json};
use x12::check::Checker;
use x12::check::acknowledge::{Acknowledger, Kind};
use x12::explain::Texts;
use x12::json::{Objects, Shape, WriteFailure, write_json};
use x12::write::{Charset, Envelope};
use x12::{Delimiters, Document, Event, Item, ReadError, Reader, Transaction, Walker};

const TODAY: Date = Date::constant(2026, 11, 23);

/// A source that gives so many bytes at a time: no answer may depend on where reads are cut.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// All segments as they stand, and the findings.
fn segments(source: impl Read) -> Result<(Vec<Vec<u8>>, usize), ReadError> {
    let mut reader = Reader::new(source);
    let (mut all, mut findings, mut end) = (Vec::new(), 0, 0);
    while let Some(segment) = reader.next_segment()? {
        assert!(segment.offset >= end, "segments stand one after the other");
        end = segment.offset + segment.bytes().len() as u64;
        let elements: usize = (1..=segment.len()).map(|element| segment.raw(element).len() + 1).sum();
        assert!(elements <= segment.bytes().len(), "elements are parts of their segment");
        all.push(segment.bytes().to_vec());
        findings += reader.take_findings().len();
    }
    Ok((all, findings + reader.take_findings().len()))
}

/// Reading: the same segments however the bytes come, every one of them in exactly one event, and no view falls over.
pub fn read(bytes: &[u8]) {
    let whole = segments(bytes);
    // Small steps through large files take long and show nothing new.
    let steps = [(1, 8 << 10), (7, 64 << 10), (4096, usize::MAX)];
    for (step, _) in steps.into_iter().filter(|(_, longest)| bytes.len() <= *longest) {
        match (&whole, segments(Drip(bytes, step))) {
            (Ok(whole), Ok(dripped)) => assert_eq!(whole, &dripped, "in steps of {step}"),
            (Err(_), Err(_)) => {}
            (one, other) => panic!("in steps of {step}: {} and {}", one.is_ok(), other.is_ok()),
        }
    }
    let mut walker = Walker::new(bytes);
    let (mut seen, mut open) = (0, false);
    while let Ok(Some(event)) = walker.next_event() {
        match event {
            Event::Begin { .. } => {
                assert!(!open, "no transaction set stands in another");
                (open, seen) = (true, seen + 1);
            }
            Event::End { segment, .. } => {
                assert!(open, "what ends has begun");
                (open, seen) = (false, seen + usize::from(segment.is_some()));
            }
            Event::GroupEnd { segment, .. } | Event::InterchangeEnd { segment, .. } => {
                seen += usize::from(segment.is_some());
            }
            Event::Interchange { .. }
            | Event::Group { .. }
            | Event::Segment(_)
            | Event::InterchangeAck(_)
            | Event::Outside(_) => seen += 1,
        }
    }
    assert!(!open, "what has begun ends");
    if let Ok((segments, _)) = &whole {
        assert_eq!(seen, segments.len(), "one event for each segment");
    }
    let mut texts = Texts::new(bytes, TODAY);
    while let Ok(Some(_)) = texts.next_text() {}
    let mut models = Objects::new(bytes, Shape::Model, TODAY);
    while let Ok(Some(model)) = models.next_object() {
        assert!(model.is_object(), "every line is an object");
    }
}

/// Writing: what was read as JSON and can be written is read again as the same JSON, and typed models as the same models.
pub fn round_trip(bytes: &[u8]) {
    if let Ok(json) = json_of(bytes)
        && let Ok(file) = written(&json)
        && !file.is_empty()
    {
        let again = json_of(&file).unwrap();
        assert_eq!(objects(&again), objects(&json));
        assert_eq!(written(&again).unwrap(), file);
    }
    let Ok(document) = Document::read(bytes) else { return };
    document.transactions().for_each(typed);
}

/// Checking: it comes to an end with the same verdict each time, and its acknowledgments can be read.
pub fn check(bytes: &[u8]) {
    for kind in [Kind::Ack999, Kind::Ack997] {
        let mut checker = Checker::new(bytes);
        let mut acknowledger = Acknowledger::new(kind);
        while let Ok(Some(report)) = checker.next_report() {
            acknowledger.take(&report);
        }
        let summary = checker.summary();
        assert!(!summary.valid || summary.rejected == 0, "a valid file holds nothing that is rejected");
        let acknowledgment = acknowledger.finish(Delimiters::default(), TODAY.at(12, 0, 0, 0)).unwrap();
        if !acknowledgment.is_empty() {
            let (_, answer) = x12::check::check(&acknowledgment).unwrap();
            // What a broken file calls itself is repeated, and may be too short or too long for an answer.
            assert!(!summary.valid || answer.rejected == 0, "{}", String::from_utf8_lossy(&acknowledgment));
        }
    }
}

/// One line for each model.
fn typed(transaction: &Transaction) {
    macro_rules! model {
        ($($id:literal => $model:ty,)*) => {
            match transaction.id.as_str() {
                $($id => {
                    let model = <$model>::read(&transaction.segments);
                    let Some(delimiters) = transaction.segments.first().map(|st| st.delimiters()) else { return };
                    if has_extra(&json!(model)) || !delimiters.usable() {
                        return;
                    }
                    let Ok(writer) = model.write(&delimiters, Charset::Utf8) else { return };
                    let Ok(bytes) = Envelope::new("HX", "V").wrap(&delimiters, vec![writer]) else { return };
                    let mut walker = Walker::new(bytes.as_slice());
                    let Ok(Some(Item::Transaction(again))) = walker.next_item() else { panic!("nothing was written") };
                    assert!(<$model>::read(&again.segments) == model, "the model is read back as it was");
                })*
                _ => {}
            }
        };
    }
    model! {
        "270" => x12::eligibility::EligibilityInquiry<'_>,
        "271" => x12::eligibility::EligibilityResponse<'_>,
        "275" => x12::attachment::Attachments<'_>,
        "276" => x12::status::ClaimStatusRequest<'_>,
        "277" => x12::status::ClaimStatusResponse<'_>,
        "278" => x12::review::ServicesReview<'_>,
        "835" => x12::remittance::Remittance<'_>,
        "837" => x12::claim::Claims<'_>,
        "997" => x12::ack::FunctionalAcknowledgment<'_>,
        "999" => x12::ack::ImplementationAcknowledgment<'_>,
    }
}

/// Segments that have no place are written where they may find one: such a model need not come back as it was.
fn has_extra(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| name == "extra" || has_extra(value)),
        Value::Array(list) => list.iter().any(has_extra),
        _ => false,
    }
}

/// All lines that `read` prints.
pub fn json_of(file: &[u8]) -> Result<String, ReadError> {
    let mut objects = Objects::new(file, Shape::Segments, TODAY);
    let mut lines = Vec::new();
    while objects.next_piece(&mut lines)? {}
    Ok(String::from_utf8(lines).unwrap())
}

/// The file that lines of JSON describe.
pub fn written(json: &str) -> Result<Vec<u8>, WriteFailure> {
    let mut file = Vec::new();
    write_json(json.as_bytes(), &mut file).map(|_| file)
}

/// The objects without their findings.
pub fn objects(lines: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str::<Value>(line).unwrap();
    let mut objects: Vec<Value> = lines.lines().map(parse).collect();
    for object in &mut objects {
        object.as_object_mut().unwrap().retain(|name, _| name != "findings" && name != "file_findings");
    }
    objects.retain(|object| object.as_object().is_some_and(|map| !map.is_empty()));
    objects
}
