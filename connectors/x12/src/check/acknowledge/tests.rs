//! What is written is a good acknowledgment, and says what was found.

use super::*;
use crate::check::{Checker, check};

const ISA: &str =
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000017*0*P*:~";
const SET: &str = "ST*276*0001*005010X212~BHT*0010*13*REF7*20260101*1200~HL*1**20*1~NM1*PR*2*CARRIER*****PI*77~\
HL*2*1*21*1~NM1*41*2*CLEARING*****46*E1~HL*3*2*19*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*0~\
DMG*D8*19800101*F~NM1*IL*1*SAMPLE*SAM****MI*M1~TRN*1*T1~DTP*472*D8*20260101~SE*14*0001~";

fn file(set: &str) -> String {
    format!("{ISA}GS*HR*SENDER*RECEIVER*20260101*1200*7*X*005010X212~{set}GE*1*7~IEA*1*000000017~")
}

fn answer(file: &str, kind: Kind) -> String {
    let mut checker = Checker::new(file.as_bytes());
    let mut acknowledger = Acknowledger::new(kind);
    while let Some(report) = checker.next_report().unwrap() {
        acknowledger.take(&report);
    }
    let at = jiff::civil::date(2026, 1, 2).at(3, 4, 0, 0);
    String::from_utf8(acknowledger.finish(Delimiters::default(), at).unwrap()).unwrap()
}

/// The segments between ST and SE, and those of TA1.
fn told(file: &str, kind: Kind) -> Vec<String> {
    let text = answer(file, kind);
    let (sets, summary) = check(text.as_bytes()).unwrap();
    assert!(summary.valid, "{text} {sets:?}");
    let framed = ["ISA", "GS*", "ST*", "SE*", "GE*", "IEA"];
    text.split_terminator('~').filter(|one| !framed.contains(&&one[..3])).map(str::to_owned).collect()
}

#[test]
fn a_good_file_is_accepted() {
    let expected =
        ["TA1*000000017*260101*1200*A*000", "AK1*HR*7*005010X212", "AK2*276*0001*005010X212", "IK5*A", "AK9*A*1*1*1"];
    assert_eq!(told(&file(SET), Kind::Ack999), expected);
    let expected = ["TA1*000000017*260101*1200*A*000", "AK1*HR*7*005010X212", "AK2*276*0001", "AK5*A", "AK9*A*1*1*1"];
    assert_eq!(told(&file(SET), Kind::Ack997), expected);
}

#[test]
fn errors_are_told_with_their_place() {
    let bad = SET.replace("*19800101*F", "*19801301*Q").replace("SE*14", "SE*15");
    let expected = [
        "TA1*000000017*260101*1200*A*000",
        "AK1*HR*7*005010X212",
        "AK2*276*0001*005010X212",
        "IK3*DMG*10**8",
        "IK4*2*1251*8",
        "IK4*3*1068*7",
        "IK5*R*5*4",
        "AK9*R*1*1*0",
    ];
    let told_999 = told(&file(&bad), Kind::Ack999);
    assert_eq!(told_999, expected);
    let missing = SET.replace("NM1*1P*2*CLINIC*****XX*1234567893~", "").replace("SE*14", "SE*13");
    let told_997 = told(&file(&missing), Kind::Ack997);
    assert!(told_997.contains(&"AK3*NM1*7**3".to_owned()) && told_997.contains(&"AK5*R*5".to_owned()), "{told_997:?}");
}

#[test]
fn a_wrong_trailer_is_told_in_ta1_and_ak9() {
    let text = file(SET).replace("GE*1*7~IEA*1*000000017", "GE*2*7~IEA*1*000000018");
    let told = told(&text, Kind::Ack999);
    assert_eq!(told.first().map(String::as_str), Some("TA1*000000017*260101*1200*R*001"));
    assert_eq!(told.last().map(String::as_str), Some("AK9*R*1*1*0*5"));
}

#[test]
fn nothing_of_the_file_is_repeated() {
    let bad = SET.replace("SAMPLE*SAM", "SECRETNAME*SE\u{7}CRET").replace("HL*1*", "HLSECRET*1*");
    let text = answer(&file(&bad), Kind::Ack999);
    assert!(!text.contains("SECRET"), "{text}");
}

#[test]
fn a_broken_header_is_answered_all_the_same() {
    let cut_gs = file(SET).replace("*20260101*1200*7*X*005010X212~ST", "*2026~ST");
    assert_eq!(told(&cut_gs, Kind::Ack999)[1], "AK1*HR*0*005010X212");
    let nothing = cut_gs.replace("*0001*005010X212", "*0001");
    assert_eq!(told(&nothing, Kind::Ack999)[1], "AK1*HR*0*UNKNOWN");
    let no_number = file(SET).replace("*1200*7*X", "*1200*A 7*X");
    assert_eq!(told(&no_number, Kind::Ack999)[1], "AK1*HR*0*005010X212");
    let short = file(SET).replace("*SENDER         *", "*S              *");
    assert!(answer(&short, Kind::Ack999).contains("~GS*FA*RECEIVER*UNKNOWN*"));
    told(&short, Kind::Ack999);
}
