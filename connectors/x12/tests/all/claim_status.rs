//! Answers about claims, from real files: every status is told, every number says where it stood.

use std::collections::BTreeSet;

use connector_sdk::answer::claim_status::{ClaimState, ClaimStatusAnswer};
use connector_sdk::answer::{Place, Provenance};
use x12::answers::{ClaimAnswered, ClaimLevel, claim_status};
use x12::status::ClaimStatusResponse;
use x12::{Document, Transaction};

use crate::shared;

fn answers(transaction: &Transaction) -> Vec<ClaimAnswered> {
    let response = ClaimStatusResponse::read(&transaction.segments);
    claim_status(&response, transaction.number, transaction.segments.len() as u32)
}

fn places(answer: &ClaimStatusAnswer) -> Vec<&Provenance> {
    let statuses = answer.statuses.iter().chain(answer.lines.iter().flat_map(|line| &line.statuses));
    let own = answer.provenance.iter().chain(answer.payments.iter().flat_map(|payment| &payment.provenance));
    let lines = answer.lines.iter().flat_map(|line| &line.provenance);
    let totals = answer.totals.iter().flat_map(|total| &total.provenance);
    statuses.flat_map(|status| &status.provenance).chain(own).chain(lines).chain(totals).collect()
}

fn has(places: &[Provenance], field: &str) -> bool {
    places.iter().any(|place| place.of.iter().any(|of| of == field))
}

/// Every number of an answer has a place.
fn every_number_has_a_place(name: &str, answer: &ClaimStatusAnswer) {
    let own = [("charged", answer.charged.is_some()), ("paid", answer.paid.is_some())];
    for (field, given) in own {
        assert!(!given || has(&answer.provenance, field), "{name}: {field}");
    }
    for (field, list) in [("claim_numbers", answer.claim_numbers.len()), ("dates", answer.dates.len())] {
        assert!(list == 0 || has(&answer.provenance, field), "{name}: {field}");
    }
    for line in &answer.lines {
        let numbers = [("charged", line.charged), ("paid", line.paid), ("units", line.units)];
        for (field, number) in numbers {
            assert!(number.is_none() || has(&line.provenance, field), "{name}: line {field}");
        }
    }
    assert!(answer.payments.iter().all(|payment| !payment.provenance.is_empty()), "{name}: payments");
    assert!(answer.totals.iter().all(|total| !total.provenance.is_empty()), "{name}: totals");
}

#[test]
fn every_status_of_real_answers_is_told() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths = Vec::new();
    for name in ["277", "277ca"] {
        crate::read_and_write::files(&folder.join(name), &mut paths);
    }
    let (mut told, mut without_level, mut claims) = (0, 0, 0);
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let document = Document::read(&std::fs::read(path).unwrap()).unwrap();
        for transaction in document.transactions().filter(|transaction| transaction.id == "277") {
            let answered = answers(transaction);
            let mut positions = BTreeSet::new();
            for each in &answered {
                every_number_has_a_place(&name, &each.answer);
                for place in places(&each.answer) {
                    let Place::Segment { position, id, .. } = &place.place else { panic!("not a segment") };
                    let segment = transaction.segments.get(*position as usize - 1).unwrap();
                    assert_eq!(segment.id(), id, "{name}: a place names another segment");
                    positions.insert(*position);
                }
                println!("{name}: {} {} {:?}", each.level.word(), each.answer.state.word(), each.answer.paid);
                claims += usize::from(each.level == ClaimLevel::Claim);
            }
            let leveled = transaction.segments.iter().any(|segment| segment.is("HL"));
            for stc in transaction.segments.iter().filter(|segment| segment.is("STC")) {
                assert!(positions.contains(&stc.position) || !leveled, "{name}: STC {} is not told", stc.position);
                told += usize::from(leveled);
                without_level += usize::from(!leveled);
            }
        }
    }
    println!("{} files, {claims} claims, {told} statuses told, {without_level} outside any level", paths.len());
    assert!(told > 20, "{told}");
}

#[test]
fn one_claim_in_full() {
    let text = "ST*277*0001*005010X212~BHT*0010*08*R1*20261123*1200*DG~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~HL*3*2*19*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*1~\
                NM1*IL*1*QUILL*BEN****MI*W9~HL*5*4*23~NM1*QC*1*QUILL*CORA~TRN*2*T1~STC*P1:20*20261001**85~\
                STC*F0:3*20261101**85*60*20261102*CHK*20261103*77*F3:101~REF*1K*C9~REF*BLT*111~DTP*472*RD8*20261020-20261021~\
                SVC*HC:99213:25*45*60****1~STC*F1:65*20261101~REF*FJ*1~SVC*HC:36415*40*0****1~STC*F2:107*20261101~SE*24*0001~";
    let document = Document::read(text.as_bytes()).unwrap();
    let answered = answers(document.transactions().next().unwrap());
    let [ClaimAnswered { level: ClaimLevel::Claim, trace, answer }] = &answered[..] else { panic!("not one claim") };
    assert_eq!(trace.as_ref().unwrap().text(), "T1");
    assert_eq!(answer.state, ClaimState::Finalized);
    assert_eq!(answer.patient.first_name.as_ref().unwrap().text(), "CORA");
    assert_eq!(answer.patient.member_id.as_ref().unwrap().text(), "W9");
    assert_eq!((answer.charged.unwrap().to_string(), answer.paid.unwrap().to_string()), ("85".into(), "60".into()));
    let codes: Vec<_> = answer.statuses.iter().map(|status| status.category.code.as_str()).collect();
    assert_eq!(codes, ["P1", "F0", "F3"]);
    assert_eq!((answer.claim_numbers.len(), answer.type_of_bill.as_deref()), (1, Some("111")));
    assert_eq!(answer.payments[0].number.as_ref().unwrap().text(), "77");
    assert_eq!(answer.dates.iter().map(|date| date.kind.code.as_str()).collect::<Vec<_>>(), ["472", "STC06"]);
    let lines: Vec<_> = answer.lines.iter().map(|line| (line.procedure.code.as_str(), line.state)).collect();
    assert_eq!(lines, [("HC:99213:25", ClaimState::Paid), ("HC:36415", ClaimState::Denied)]);
    assert_eq!(answer.next_action.as_ref().unwrap().kind, "read_remittance");
    every_number_has_a_place("made", answer);
    let shown = format!("{answered:?}");
    assert!(!shown.contains("QUILL") && !shown.contains("T1\""), "{shown}");
}

#[test]
fn unknown_codes_are_kept_and_say_nothing() {
    let text = "ST*277*0001*005010X212~BHT*0010*08*R1*20261123*1200*DG~HL*1**20*1~HL*2*1*21*1~HL*3*2*19*1~HL*4*3*22*0~\
                TRN*2*T1~STC*ZZ:9999:Q7*20261001*WQ*85~SE*9*0001~";
    let document = Document::read(text.as_bytes()).unwrap();
    let answered = answers(document.transactions().next().unwrap());
    let status = &answered[0].answer.statuses[0];
    let codes = (&*status.category.label, &*status.code.label, &*status.entity.as_ref().unwrap().label);
    assert_eq!(codes, ("ZZ", "9999", "Q7"));
    assert_eq!((answered[0].answer.state, &answered[0].answer.next_action), (ClaimState::Unknown, &None));
}
