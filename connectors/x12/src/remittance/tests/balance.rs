//! Sums that come out even, and sums that do not.

use super::*;
use crate::remittance::{Balance, Mismatch, Rule};

/// The sums of a transaction set with these segments between ST and SE: read whole, and part by part.
fn balance(body: &str) -> (Balance, Vec<Mismatch>) {
    let text = format!("{ISA}GS*HP*A*B*20260101*1200*1*X*V~ST*835*0001~{body}SE*9*0001~GE*1*1~IEA*1*000000001~");
    let document = Document::read(text.as_bytes()).unwrap();
    let whole = Remittance::read(&document.transactions().next().unwrap().segments).balance();
    let (mut stream, mut mismatches, mut balance) = (Stream::new(text.as_bytes()), Vec::new(), None);
    while let Some(part) = stream.next_part().unwrap() {
        match part {
            Part::Claim(claim) => mismatches.extend(claim.mismatches()),
            Part::End(end) => {
                mismatches.extend(end.mismatches);
                balance = Some(end.balance);
            }
            _ => {}
        }
    }
    assert_eq!((balance.unwrap(), mismatches), whole, "both ways");
    whole
}

/// What is uneven: rule, place, by how much.
fn uneven(body: &str) -> Vec<(Rule, u32, String)> {
    let (balance, mismatches) = balance(body);
    assert_eq!((balance.uneven, balance.unknown), (mismatches.len() as u64, 0));
    mismatches.into_iter().map(|found| (found.rule, found.at.0, found.off_by.to_string())).collect()
}

#[test]
fn what_comes_out_even() {
    for (name, body) in [
        (
            "claim and lines",
            "BPR*I*80*C*CHK~LX*1~CLP*A*1*150*80*45~CAS*CO*45*5~SVC*HC:1*100*60~CAS*PR*1*40~SVC*HC:2*50*25~\
                             CAS*CO*45*20**253*5~",
        ),
        ("a claim without lines or LX", "BPR*I*80*C*CHK~CLP*A*1*100.00*80*20~CAS*PR*2*20.000~"),
        ("nothing paid", "BPR*H*0*C*NON~LX*1~CLP*A*4*100*0~CAS*CO*29*100~"),
        (
            "a reversal and its correction",
            "BPR*I*20*C*CHK~LX*1~CLP*A*22*-100*-80~CAS*PR*2*-20~CLP*A*1*120*100*20~CAS*PR*2*20~",
        ),
        ("a predetermination", "BPR*H*0*C*NON~LX*1~CLP*A*25*100*0~CAS*OA*101*80~CAS*CO*45*20~"),
        (
            "interest, capitation, recoupment",
            "BPR*I*1060.5*C*ACH~CLP*A*1*100*80~CAS*CO*45*20~\
                                              PLB*1*20261231*L6*-5.5*CT:X*-1000*WO:Y*20~PLB*2*20261231*AM*5~",
        ),
        ("a negative balance moved on", "BPR*H*0*C*NON~LX*1~CLP*A*22*-100*-100~PLB*1*20261231*FB:Z*-100~"),
        ("the payee owes", "BPR*I*100*D*ACH~LX*1~CLP*A*22*-100*-100~"),
        ("more is paid than was charged", "BPR*I*120*C*CHK~LX*1~CLP*A*1*100*120~SVC*HC:1*100*120~CAS*CO*94*-20~"),
        ("no claims, capitation only", "BPR*I*7*C*ACH~PLB*1*20261231*CT*-7~"),
    ] {
        assert_eq!(uneven(body), [], "{name}");
    }
}

#[test]
fn what_does_not_is_told_with_its_place() {
    let body = "BPR*I*79*C*CHK~LX*1~CLP*A*1*150*80*45~CAS*CO*45*5~SVC*HC:1*100*60.01~CAS*PR*1*40~SVC*HC:2*49*25~\
                CAS*CO*45*25~CLP*B*1*10*5~PLB*1*20261231*L6*-1~";
    let found = uneven(body);
    let expected = [
        (Rule::Line, 6, "0.01"),
        (Rule::Line, 8, "1.00"),
        (Rule::LineCharges, 4, "1.00"),
        (Rule::Claim, 10, "-5.00"),
        (Rule::Payment, 2, "-7.00"),
    ];
    assert_eq!(found, expected.map(|(rule, at, by)| (rule, at, by.to_owned())));
    assert_eq!(uneven("BPR*H*0*C*NON~CLP*A*25*5*5~"), [(Rule::Predetermination, 3, "5.00".to_owned())]);
    // Far beyond what fits 64 bits.
    let many = "CLP*A*1*9223372036854775807*9223372036854775807~".repeat(40);
    let found = uneven(&format!("BPR*I*5*C*CHK~{many}"));
    assert_eq!(found, [(Rule::Payment, 2, "-368934881474191032275.00".to_owned())]);
}

#[test]
fn what_is_no_number_is_unknown_not_wrong() {
    let known = |body: &str| {
        let (balance, mismatches) = balance(body);
        assert_eq!(mismatches, []);
        (balance.even, balance.unknown, balance.computed.map(|sum| sum.to_string()), balance.off_by.is_some())
    };
    assert_eq!(known("BPR*I*5*C*CHK~CLP*A*1*$10*5~CLP*B*1*3*0~CAS*CO*45*3~"), (2, 1, Some("5.00".into()), true));
    assert_eq!(known("BPR*I*5*C*CHK~CLP*A*1*10~"), (0, 2, None, false));
    assert_eq!(known("CLP*A*1*10*10~"), (1, 1, Some("10.00".into()), false));
    assert_eq!(known("BPR*I*5*C*CHK~CLP*A*1*5*5~SVC*HC:1******5~"), (2, 2, Some("5.00".into()), true));
    // Digits beyond any money.
    let tiny = "0.00000000000000000000000000000000000000000000000000000001";
    assert_eq!(known(&format!("BPR*I*5*C*CHK~CLP*A*1*{tiny}*5~")), (1, 1, Some("5.00".into()), true));
}

#[test]
fn a_claim_beyond_the_limit_is_cut_and_its_sums_are_whole() {
    let lines = "SVC*HC:1*1*1~".repeat(crate::remittance::MAX_PART_SEGMENTS);
    let text = format!("ST*835*0001~BPR*I*20000*C*CHK~CLP*A*1*20000*20000~{lines}CLP*B*1*0*0~SE*9*0001~");
    let mut stream = Stream::new(text.as_bytes());
    let (mut lines, mut ends) = (Vec::new(), 0);
    while let Some(part) = stream.next_part().unwrap() {
        match part {
            Part::Claim(claim) => {
                assert_eq!(claim.mismatches(), []);
                lines.push((claim.read().lines.len(), claim.cut()));
            }
            Part::End(end) => {
                assert_eq!((end.claims, end.left_out, end.balance.ok()), (2, 1, true));
                ends += 1;
            }
            _ => {}
        }
    }
    assert_eq!((lines, ends), (vec![(crate::remittance::MAX_PART_SEGMENTS - 1, true), (0, false)], 1));
}

#[test]
fn the_checker_tells_of_it_with_place_and_difference() {
    let body = "BPR*I*79*C*CHK~LX*1~CLP*A*1*150*80*45~CAS*CO*45*70~SVC*HC:1*150*79.99~CAS*PR*1*0~";
    let text =
        format!("{ISA}GS*HP*A*B*20260101*1200*1*X*005010X221A1~ST*835*0001~{body}SE*8*0001~GE*1*1~IEA*1*000000001~");
    let mut checker = crate::check::Checker::new(text.as_bytes());
    let mut told = Vec::new();
    while let Some(report) = checker.next_report().unwrap() {
        let crate::check::Report::Set(set) = report else { continue };
        told.extend(set.findings.into_iter().filter_map(|finding| {
            let off_by = finding.off_by?.to_string();
            Some((
                finding.code,
                finding.segment_id.unwrap(),
                finding.position.unwrap(),
                finding.element.unwrap(),
                off_by,
            ))
        }));
    }
    let expected = [("payment_balance", "BPR", 2, 2, "-1.00"), ("line_balance", "SVC", 6, 3, "-70.01")];
    assert_eq!(told, expected.map(|(code, id, at, element, by)| (code, id, at, element, by.to_owned())));
}
