//! All tables compile; the matcher finds what it should.

use super::*;
use crate::finding::{Finding, Findings};
use crate::read::Reader;

#[test]
fn every_table_compiles() {
    dictionary::Dictionary::compile().unwrap_or_else(|fault| panic!("{fault}"));
    lists::compile().unwrap_or_else(|fault| panic!("{fault}"));
    let mut faults = Vec::new();
    for name in GuideName::ALL {
        match name.compile() {
            Ok(guide) => {
                let (loops, lines) = guide.size();
                println!("{}: {loops} loops, {lines} segment lines", guide.name());
            }
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a guide says of the segments (ST to SE, `~` after each): `(segment place, code, element)`.
pub(crate) fn judge(name: GuideName, segments: &str) -> Vec<Finding> {
    let guide = name.get().unwrap();
    let mut matcher = Matcher::new(guide, false);
    let mut findings = Findings::default();
    let mut reader = Reader::new(segments.as_bytes());
    while let Some(segment) = reader.next_segment().unwrap() {
        matcher.segment(&segment, &mut findings);
    }
    matcher.end(&mut findings);
    findings.take()
}

/// The findings as short words: `3 IK3 missing_element 4`.
pub(crate) fn told(name: GuideName, segments: &str) -> Vec<String> {
    let words = |finding: &Finding| {
        let element = finding.element.map(|element| format!(" {element}")).unwrap_or_default();
        let component = finding.component.map(|component| format!(".{component}")).unwrap_or_default();
        let position = finding.position.unwrap_or(0);
        format!("{position} {} {}{element}{component}", finding.segment_id.unwrap_or("?"), finding.code)
    };
    judge(name, segments).iter().map(words).collect()
}

const ACK: &str = "ST*999*0001*005010X231A1~AK1*HC*7*005010X222A1~AK2*837*0001~IK3*CLM*22**8~CTX*CLM01:123~\
IK4*2*782*1~IK5*R*5~AK2*837*0002~IK5*A~AK9*P*2*2*1~SE*11*0001~";

#[test]
fn a_good_999_has_no_findings() {
    assert_eq!(told(GuideName::Ack999, ACK), Vec::<String>::new());
}

#[test]
fn damaged_999s() {
    let told = |from: &str, to: &str| {
        assert!(ACK.contains(from), "{from}");
        told(GuideName::Ack999, &ACK.replacen(from, to, 1))
    };
    assert_eq!(told("IK3*CLM*22**8~", "IK3*CLM***8~"), ["4 IK3 missing_element 2"]);
    assert_eq!(told("IK3*CLM*22**8~", "IK3*CLM*2x**8~"), ["4 IK3 number_value 2"]);
    assert_eq!(told("IK3*CLM*22**8~", "IK3*CLM*22**Q~"), ["4 IK3 code_value 4"]);
    assert_eq!(told("AK1*HC*7*005010X222A1~", ""), ["1 AK1 missing_segment"]);
    assert_eq!(told("IK5*R*5~", ""), ["3 IK5 missing_segment", "3 IK5 rule_missing 1"]);
    assert_eq!(told("IK5*R*5~", "IK5*A~"), ["3 IK5 rule_missing 1"]);
    assert_eq!(told("IK5*R*5~", "IK5*R~"), ["7 IK5 rule_advice 2"]);
    assert_eq!(told("IK5*R*5~", "IK5*R*5~IK5*R*5~"), ["8 IK5 segment_repeats"]);
    assert_eq!(told("CTX*CLM01:123~", "QQQ*1~"), ["5 ? unknown_segment"]);
    assert_eq!(told("CTX*CLM01:123~", "CLM*1~"), ["5 CLM unexpected_segment"]);
    assert_eq!(told("AK9*P*2*2*1~", "AK9*P*2*2*1*1*1*1*1*1*1~"), ["10 AK9 too_many_elements 10"]);
    assert_eq!(told("CTX*CLM01:123~", "CTX*SITUATION*REF~"), ["5 CTX elements_paired 3", "5 CTX rule_missing 3"]);
    assert_eq!(told("IK4*2*782*1~", "IK4*2:1:1:9*782*1~"), ["6 IK4 too_many_components 1"]);
    assert_eq!(told("IK4*2*782*1~", "IK4*2^3*782*1~"), ["6 IK4 element_repeats 1"]);
}
