//! The checker over whole files.

use super::*;

const ISA: &str =
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000001*0*P*:~";
const SET: &str = "ST*999*0001*005010X231A1~AK1*HC*7*005010X222A1~AK2*837*0001~IK5*A~AK9*A*1*1*1~SE*6*0001~";

fn file(sets: &str, count: usize) -> String {
    format!("{ISA}GS*FA*SENDER*RECEIVER*20260101*1200*7*X*005010X231A1~{sets}GE*{count}*7~IEA*1*000000001~")
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_good_file_is_valid() {
    let (sets, summary) = check(file(SET, 1).as_bytes()).unwrap();
    assert!(summary.valid, "{:?} {:?}", sets, summary);
    let [set] = sets.as_slice() else { panic!() };
    assert_eq!((set.guide, set.verdict, set.segments), (Some("999"), Verdict::Accepted, 6));
    assert!(set.findings.is_empty() && summary.findings.is_empty());
}

#[test]
fn a_wrong_count_turns_the_set_away() {
    let (sets, summary) = check(file(&SET.replace("SE*6", "SE*7"), 1).as_bytes()).unwrap();
    assert!(!summary.valid && summary.rejected == 1);
    assert_eq!(codes(&sets[0].findings), ["se_count"]);
    assert_eq!(sets[0].verdict, Verdict::Rejected);
}

#[test]
fn a_set_that_names_no_guide_is_remarked() {
    let unnamed = SET.replace("*005010X231A1~AK1", "~AK1");
    let (sets, summary) = check(file(&unnamed, 1).as_bytes()).unwrap();
    let [finding] = sets[0].findings.as_slice() else { panic!("{:?}", sets[0].findings) };
    assert_eq!((finding.code, finding.segment_id, finding.element), ("st03_missing", Some("ST"), Some(3)));
    assert_eq!((finding.segment, finding.position, finding.transaction), (3, Some(1), Some(1)));
    assert!(summary.valid && sets[0].verdict == Verdict::AcceptedWithErrors);
    // 004010 had no ST03, the guide of the 835 does not use it, the 997 has no guide, and where there is no table nothing
    // is known of it.
    let silent = [
        file(&unnamed, 1).replace("005010X231A1", "004010"),
        file(&SET.replace("ST*999*0001*005010X231A1", "ST*997*0001"), 1).replace("X231A1", ""),
        file(&SET.replace("ST*999*0001*005010X231A1", "ST*835*0001"), 1).replace("X231A1", "X221A1"),
        file(&SET.replace("ST*999*0001*005010X231A1", "ST*820*0001"), 1),
        file(SET, 1),
    ];
    for text in silent {
        let (sets, _) = check(text.as_bytes()).unwrap();
        assert!(!codes(&sets[0].findings).contains(&"st03_missing"), "{text}");
    }
}

#[test]
fn one_bad_set_of_two() {
    let two = format!("{SET}{}", SET.replace("IK5*A", "IK5*Q"));
    let text = file(&two, 2);
    let mut checker = Checker::new(text.as_bytes());
    let mut verdicts = Vec::new();
    while let Some(report) = checker.next_report().unwrap() {
        verdicts.push(match report {
            Report::Set(set) => ("set", set.verdict),
            Report::Group(group) => ("group", group.verdict),
            Report::Interchange(interchange) => ("interchange", interchange.verdict),
        });
    }
    let expected = [
        ("set", Verdict::Accepted),
        ("set", Verdict::Rejected),
        ("group", Verdict::AcceptedWithErrors),
        ("interchange", Verdict::Accepted),
    ];
    assert_eq!(verdicts, expected);
    assert!(!checker.summary().valid);
}

#[test]
fn envelope_elements_are_checked() {
    let text = file(SET, 1).replace("*260101*1200*", "*261301*1200*").replace("GS*FA", "GS*QQ");
    let mut checker = Checker::new(text.as_bytes());
    let mut found = Vec::new();
    while let Some(report) = checker.next_report().unwrap() {
        match report {
            Report::Set(_) => {}
            Report::Group(group) => found.extend(codes(&group.findings)),
            Report::Interchange(interchange) => found.extend(codes(&interchange.findings)),
        }
    }
    assert_eq!(found, ["code_unknown", "date_value"]);
}

#[test]
fn an_unknown_set_is_checked_by_the_standard_only() {
    let set = "ST*820*0001~BPR*I*x*C*ACH~SE*3*0001~";
    let (sets, _) = check(file(set, 1).as_bytes()).unwrap();
    assert_eq!((sets[0].guide, codes(&sets[0].findings)), (None, vec!["no_guide", "number_value"]));
}

#[test]
fn nothing_is_unreadable_but_what_is_no_x12() {
    assert!(check(b"%PDF-1.7").is_err());
    assert!(check(b"").is_err());
}
