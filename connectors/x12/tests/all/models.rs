//! Typed models against real files: what is read and written again is the same, segment for segment.

use std::collections::BTreeMap;

use crate::shared;
use x12::ack::{FunctionalAcknowledgment, ImplementationAcknowledgment};
use x12::attachment::Attachments;
use x12::claim::Claims;
use x12::eligibility::{EligibilityInquiry, EligibilityResponse};
use x12::remittance::Remittance;
use x12::review::ServicesReview;
use x12::status::{ClaimStatusRequest, ClaimStatusResponse};
use x12::write::{Charset, Envelope, TransactionWriter, WriteError};
use x12::{Delimiters, Document, Transaction};

/// A transaction set read into its model: how many segments have no place in it, and what it writes.
struct Copied {
    extra: usize,
    written: Result<TransactionWriter, WriteError>,
}

macro_rules! copied {
    ($model:ty, $transaction:ident, $delimiters:ident) => {{
        let model = <$model>::read(&$transaction.segments);
        let extra = extras(&serde_json::to_value(&model).unwrap());
        Some(Copied { extra, written: model.write(&$delimiters, Charset::Utf8) })
    }};
}

/// One line for each model.
fn copied(transaction: &Transaction, delimiters: Delimiters) -> Option<Copied> {
    match transaction.id.as_str() {
        "837" => copied!(Claims<'_>, transaction, delimiters),
        "835" => copied!(Remittance<'_>, transaction, delimiters),
        "270" => copied!(EligibilityInquiry<'_>, transaction, delimiters),
        "271" => copied!(EligibilityResponse<'_>, transaction, delimiters),
        "276" => copied!(ClaimStatusRequest<'_>, transaction, delimiters),
        "277" => copied!(ClaimStatusResponse<'_>, transaction, delimiters),
        "999" => copied!(ImplementationAcknowledgment<'_>, transaction, delimiters),
        "997" => copied!(FunctionalAcknowledgment<'_>, transaction, delimiters),
        "275" => copied!(Attachments<'_>, transaction, delimiters),
        "278" => copied!(ServicesReview<'_>, transaction, delimiters),
        _ => None,
    }
}

/// Segments without a place, anywhere in a model.
fn extras(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                serde_json::Value::Array(list) if name == "extra" => list.len(),
                value => extras(value),
            })
            .sum(),
        serde_json::Value::Array(list) => list.iter().map(extras).sum(),
        _ => 0,
    }
}

/// The segments of a transaction set in a fixed order, trailing separators and the trailer's count left out: a model
/// writes the segments of a loop in the order of the guide, whatever order they came in. HL numbers are the model's own.
fn segments(transaction: &Transaction) -> Vec<String> {
    let element = |raw: &[u8]| {
        let text = String::from_utf8_lossy(raw.trim_ascii()).into_owned();
        // A fraction may stand without its zero: `.75`.
        let text = if text.starts_with('.') && text.len() > 1 { format!("0{text}") } else { text };
        text.trim_end_matches(|c: char| {
            transaction
                .segments
                .first()
                .is_some_and(|st| u8::try_from(c).is_ok_and(|byte| byte == st.delimiters().component))
        })
        .to_owned()
    };
    let mut all: Vec<String> = transaction
        .segments
        .iter()
        .filter(|segment| !matches!(segment.id(), "SE"))
        .map(|segment| {
            let hl = segment.id() == "HL";
            // The length of binary data is written from the data, whatever was told.
            let length = match segment.id() {
                "BIN" => 1,
                "BDS" => 2,
                _ => 0,
            };
            let elements = (1..=segment.len())
                .map(|at| if (hl && at != 3) || at == length { String::new() } else { element(segment.raw(at)) });
            let text = elements.collect::<Vec<_>>().join("*");
            format!("{}*{}", segment.id(), text.trim_end_matches('*'))
        })
        .collect();
    all.sort();
    all
}

#[derive(Default)]
struct Tally {
    files: usize,
    sets: usize,
    segments: usize,
    extra: usize,
    refused: usize,
    unequal: Vec<String>,
}

#[test]
fn real_transaction_sets_survive_their_model() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut paths = Vec::new();
    crate::read_and_write::files(&folder, &mut paths);
    for path in &paths {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let Ok(document) = Document::read(&std::fs::read(path).unwrap()) else { continue };
        let mut seen = std::collections::BTreeSet::new();
        for transaction in document.transactions() {
            let delimiters = transaction.segments.first().map_or_else(Delimiters::default, |st| st.delimiters());
            let delimiters = if delimiters.usable() { delimiters } else { continue };
            let Some(copied) = copied(transaction, delimiters) else { continue };
            let tally = tallies.entry(transaction.id.clone()).or_default();
            tally.files += usize::from(seen.insert(transaction.id.clone()));
            tally.sets += 1;
            tally.segments += transaction.segments.len();
            tally.extra += copied.extra;
            let Ok(tx) = copied.written else {
                tally.refused += 1;
                continue;
            };
            let bytes = Envelope::new("HX", "V").wrap(&delimiters, vec![tx]).unwrap();
            let again = Document::read(&bytes).unwrap();
            let again = again.transactions().next().unwrap();
            if segments(transaction) != segments(again) {
                tally.unequal.push(format!("{name} set {}", transaction.number));
            }
        }
    }
    println!(
        "{:>4} {:>5} {:>5} {:>8} {:>9} {:>7} {:>7}",
        "ST", "files", "sets", "segments", "no place", "refused", "unequal"
    );
    for (id, tally) in &tallies {
        let Tally { files, sets, segments, extra, refused, unequal } = tally;
        println!("{id:>4} {files:>5} {sets:>5} {segments:>8} {extra:>9} {refused:>7} {:>7}", unequal.len());
        for name in unequal {
            println!("     unequal: {name}");
        }
    }
    let lost: Vec<_> = tallies.values().flat_map(|tally| &tally.unequal).collect();
    assert_eq!(lost, Vec::<&String>::new(), "a model lost or changed something");
}
