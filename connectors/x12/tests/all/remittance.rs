//! The sums of every real 835. Each that does not come out even has been looked at: it is the file that is wrong.

use std::collections::BTreeMap;

use crate::shared;
use x12::remittance::{Mismatch, Part, Stream};

/// What does not come out even: rule, place in the transaction set, by how much.
const UNEVEN: &[(&str, &str)] = &[
    // Made up to have every field once, without regard to sums.
    ("bots__835-all-fields", "Line 81 -40.00, Line 83 52.00, Line 90 -1.00, Claim 21 32311.00, LineCharges 21 -159.00"),
    ("bots__negotiated_discount", "Line 65 52.00, Claim 20 32311.00"),
    // SVC01 is broken in two by an element separator: the amounts stand one element further.
    ("lfh__tertiary-payment.835", "Line 18 -21253.50, LineCharges 14 -22832.50"),
    ("stupidedi__recover_s1", "Line 20 -21253.50, LineCharges 14 -22832.50"),
    // One cent more is charged than adjusted.
    ("moov__example_5010_835_sample1", "Claim 16 -0.01"),
    ("moov__sample2", "Claim 17 1002.00"),
    // Cut down from longer files: claims are missing.
    ("pyx12__x12testdata_s6", "Payment 2 5482.52"),
    ("stupidedi__split", "Claim 14 -1579.00, Payment 2 187.50, Payment 2 187.50"),
    ("tcd__parse_835_test_s2", "Payment 2 370.56"),
    ("x12types__README_s2", "Payment 2 5.75"),
    // The same adjustments stand at the claim and at its lines.
    ("terravic__sample_835_remittance", "Claim 12 550.00"),
    // The PLB is not in BPR02.
    ("x12parser__Example1_GripElements", "Payment 2 -1.27"),
];

#[test]
fn the_sums_of_real_remittances() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths = Vec::new();
    crate::read_and_write::files(&folder, &mut paths);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut sets, mut claims, mut even, mut unknown) = (0, 0, 0, 0);
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = std::fs::File::open(path).unwrap();
        let mut stream = Stream::new(file);
        let mut told = |mismatches: &[Mismatch]| {
            for Mismatch { rule, at, off_by } in mismatches {
                found.entry(name.clone()).or_default().push(format!("{rule:?} {} {off_by}", at.0));
            }
        };
        while let Ok(Some(part)) = stream.next_part() {
            match part {
                Part::Claim(claim) => told(claim.mismatches()),
                Part::End(end) => {
                    sets += 1;
                    claims += end.claims;
                    even += end.balance.even;
                    unknown += end.balance.unknown;
                    told(&end.mismatches);
                }
                _ => {}
            }
        }
    }
    println!("{sets} transaction sets, {claims} claims, {even} sums come out even, {unknown} cannot be made");
    let found: BTreeMap<_, _> = found.iter().map(|(name, all)| (name.as_str(), all.join(", "))).collect();
    let known: BTreeMap<_, _> = UNEVEN.iter().map(|(name, all)| (*name, (*all).to_owned())).collect();
    assert_eq!(found, known);
}

#[test]
fn the_checker_has_nothing_against_our_samples() {
    let samples = crate::samples::all().into_iter().filter(|(name, _)| name.starts_with("835"));
    let mut count = 0;
    for (name, bytes) in samples {
        let mut checker = x12::check::Checker::new(bytes.as_slice());
        while let Some(report) = checker.next_report().unwrap() {
            let x12::check::Report::Set(set) = report else { continue };
            assert_eq!((set.guide, set.findings.as_slice()), (Some("835"), &[][..]), "{name}");
        }
        count += 1;
    }
    assert_eq!(count, 8);
}

#[cfg(feature = "answers")]
#[test]
fn answers_whole_and_in_pieces_are_the_same() {
    use x12::answers::remittance::{Pieces, remittance};
    for (name, bytes) in crate::samples::all().into_iter().filter(|(name, _)| name.starts_with("835")) {
        let document = x12::Document::read(&bytes).unwrap();
        let transaction = document.transactions().next().unwrap();
        let whole = serde_json::to_value(remittance(transaction).unwrap()).unwrap();
        let (mut stream, mut pieces, mut text) = (Stream::new(bytes.as_slice()), Pieces::new(1), Vec::new());
        while let Some(part) = stream.next_part().unwrap() {
            pieces.part(part, transaction.segments.len() as u64, &mut text);
        }
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).unwrap(), whole, "{name}");
        assert_eq!(whole["balance"]["ok"], true, "{name}");
    }
}

#[cfg(feature = "answers")]
#[test]
fn an_answer_says_what_was_paid_and_why_not_more() {
    let (_, bytes) =
        crate::samples::all().into_iter().find(|(name, _)| *name == "835_provider_adjustments.edi").unwrap();
    let document = x12::Document::read(&bytes).unwrap();
    let answer = x12::answers::remittance::remittance(document.transactions().next().unwrap()).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!((&answer["payment"]["amount"], &answer["payment"]["trace"]), (&"1031.5".into(), &"EFT0001".into()));
    assert_eq!(answer["payer"]["name"], "NORTHSTAR HEALTH");
    let claim = &answer["claims"][0];
    assert_eq!(
        (&claim["charged"], &claim["paid"], &claim["patient_owes"]),
        (&"125".into(), &"80".into(), &"20".into())
    );
    let line = &claim["lines"][0];
    assert_eq!((&line["procedure"]["code"], &line["allowed"]), (&"HC:99213:25".into(), &"100".into()));
    assert_eq!(line["adjustments"][0]["plain"], "Charge is above the fee schedule or contracted amount");
    assert_eq!(line["adjustments"][0]["next_action"]["kind"], "write_off");
    assert_eq!(line["adjustments"][1]["next_action"]["kind"], "bill_patient");
    let place = |of: &str| {
        let all = line["provenance"].as_array().unwrap();
        all.iter().find(|each| each["of"].as_array().unwrap().contains(&of.into())).unwrap().clone()
    };
    assert_eq!((&place("adjustments[1]")["id"], &place("adjustments[1]")["position"]), (&"CAS".into(), &28.into()));
    assert_eq!(place("allowed")["id"], "AMT");
    let reasons: Vec<_> =
        answer["provider_adjustments"].as_array().unwrap().iter().map(|each| &each["reason"]["label"]).collect();
    assert_eq!(reasons, ["Interest owed", "Overpayment recovery", "Capitation payment"]);
}

#[cfg(feature = "answers")]
#[test]
fn a_real_remittance_is_the_same_whole_and_piece_by_piece() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths = Vec::new();
    crate::read_and_write::files(&folder, &mut paths);
    let (mut sets, mut claims) = (0, 0);
    for path in &paths {
        let open = || std::fs::File::open(path).unwrap();
        let mut walker = x12::envelope::Walker::new(open());
        let mut objects =
            x12::json::Objects::new(open(), x12::json::Shape::Model, jiff::civil::Date::constant(2026, 11, 23));
        while let Ok(Some(item)) = walker.next_item() {
            let object = objects.next_object().unwrap().unwrap();
            let x12::envelope::Item::Transaction(transaction) = item else { continue };
            let Some(whole) = x12::answers::remittance::remittance(&transaction) else { continue };
            claims += whole.claims.len();
            let whole = serde_json::to_value(whole).unwrap();
            assert_eq!(object["remittance"].to_string(), whole.to_string(), "{}", path.display());
            assert_eq!(object["findings"], serde_json::to_value(&transaction.findings).unwrap());
            sets += 1;
        }
    }
    println!("{sets} remittances with {claims} claims");
    assert!(sets > 0);
}
