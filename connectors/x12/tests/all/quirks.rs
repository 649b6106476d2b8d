//! Every oddity that real files have: each is read, and told of with its place and severity.

use x12::{Finding, Oddity, ReadError, Reader, Severity, Walker};

const ISA: &str =
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~";
const GS: &str = "GS*HB*A*B*20260101*1200*7*X*005010X279A1~";
const END: &str = "SE*3*0001~GE*1*7~IEA*1*000000001~";

/// A whole interchange with this segment in its transaction set.
fn file(segment: &str) -> String {
    format!("{ISA}{GS}ST*271*0001~{segment}~{END}")
}

/// The identifiers of all segments, and all findings.
fn read(bytes: impl AsRef<[u8]>) -> (Vec<String>, Vec<Finding>) {
    let mut reader = Reader::new(bytes.as_ref());
    let (mut ids, mut findings) = (Vec::new(), Vec::new());
    while let Some(segment) = reader.next_segment().unwrap() {
        ids.push(segment.id().to_owned());
    }
    findings.append(&mut reader.take_findings());
    (ids, findings)
}

/// All findings of the walk over a file.
fn walk(bytes: impl AsRef<[u8]>) -> Vec<Finding> {
    let mut walker = Walker::new(bytes.as_ref());
    let mut findings = Vec::new();
    while let Some(item) = walker.next_item().unwrap() {
        if let x12::Item::Transaction(transaction) = item {
            findings.extend(transaction.findings);
        }
    }
    findings.append(&mut walker.take_findings());
    findings
}

/// Asserts that the only findings are these, with segment number and offset.
#[track_caller]
fn only(findings: &[Finding], expected: &[(Oddity, u64, u64)]) {
    let expected: Vec<_> =
        expected.iter().map(|(oddity, segment, offset)| (oddity.code(), *segment, *offset)).collect();
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.segment, finding.offset)).collect();
    assert_eq!(found, expected);
}

const SEVEN: [&str; 7] = ["ISA", "GS", "ST", "EB", "SE", "GE", "IEA"];

#[test]
fn nothing_odd_gives_no_finding() {
    let (ids, findings) = read(file("EB*1**30"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[]);
    only(&walk(file("EB*1**30")), &[]);
}

#[test]
fn before_the_isa() {
    let (ids, findings) = read(format!("\u{feff}{}", file("EB*1")));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::ByteOrderMark, 0, 0)]);
    let (ids, findings) = read(format!("Scenario 1: a question\r\n\r\n{}", file("EB*1")));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::TextBefore, 0, 0)]);
    let (ids, findings) = read("GS*HB*A*B*20260101*1200*7*X*V~ST*271*1~SE*2*1~GE*1*7~");
    assert_eq!(ids, ["GS", "ST", "SE", "GE"]);
    only(&findings, &[(Oddity::NoIsa, 0, 0)]);
}

#[test]
fn odd_isas() {
    let unpadded = file("EB*1").replace("          ", "").replace("              *", "*");
    let (ids, findings) = read(&unpadded);
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::IsaLength, 1, 0)]);
    only(&read(file("EB*1").replacen("*^*", "*U*", 1)).1, &[(Oddity::NoRepetition, 1, 0)]);
    only(&read(file("EB*1").replacen("*^*", "*:*", 1)).1, &[(Oddity::SharedSeparator, 1, 0)]);
    only(&read(file("EB*1").replacen("*:~", "*A~", 1)).1, &[(Oddity::NoComponent, 1, 0)]);
    let (ids, findings) = read(file("EB*1").replace('~', "\n"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::NewlineTerminator, 1, 0)]);
    let (ids, findings) = read(file("EB*1").replace('~', "\r\n"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::NewlineTerminator, 1, 0)]);
}

#[test]
fn an_isa_without_terminator_is_all_that_can_be_told() {
    let (ids, findings) = read(file("EB*1").replace('~', ""));
    assert_eq!(ids, ["ISA"]);
    only(&findings, &[(Oddity::NoTerminator, 1, 0)]);
    assert_eq!(findings[0].severity, Severity::Error);
    // The same where the file is cut off right behind it.
    let (ids, findings) = read(&ISA[..105]);
    assert_eq!(ids, ["ISA"]);
    only(&findings, &[(Oddity::NoTerminator, 1, 0)]);
    assert!(matches!(Reader::new(&b"ISA*00**00*"[..]).next_segment(), Err(ReadError::NoSeparators)));
}

#[test]
fn line_breaks() {
    let (ids, findings) = read(file("EB*1").replace('~', "~\n"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::LineBreaks, 2, 106)]);
    let (ids, findings) = read(file("EB*1").replace('~', "~\r\n"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::LineBreaks, 2, 106)]);
    let mixed = file("EB*1").replace('~', "~\n").replace("EB*1~\n", "EB*1~\r\n");
    only(&read(mixed).1, &[(Oddity::LineBreaks, 2, 106), (Oddity::MixedBreaks, 5, 167)]);
    let (ids, findings) = read(file("EB*1").replace('~', "~\n   "));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::Indented, 2, 106), (Oddity::LineBreaks, 2, 106)]);
    let (ids, findings) = read(file("EB*1*\nNM1*IL*1"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::BreakInside, 4, 159)]);
}

#[test]
fn odd_elements() {
    only(&read(file("EB*1**30***")).1, &[(Oddity::TrailingEmpty, 4, 159)]);
    only(&read(file("NM1*IL*1*DOE  *JOHN")).1, &[(Oddity::Padded, 4, 159)]);
    only(&read(file("NM1*IL*1*M\u{dc}LLER")).1, &[(Oddity::NotAscii, 4, 159)]);
    only(
        &read(file("NM1*IL*1*DOE  ~NM1*IL*1*M\u{dc}LLER~NM1*IL*1*M\u{dc}LLER ~EB*")).1,
        &[(Oddity::Padded, 4, 159), (Oddity::NotAscii, 5, 174), (Oddity::TrailingEmpty, 7, 209)],
    );
}

#[test]
fn odd_identifiers() {
    for odd in ["LXXXX*1", "Nm1*IL", "*1", "1A*X", "N*1", "\u{e4}B*1"] {
        let (ids, findings) = read(file(odd));
        assert_eq!(ids.len(), 7, "{odd}");
        assert!(findings.contains(&Oddity::SegmentId.at(4, 159)), "{odd}");
    }
    let (ids, findings) = read(file("... and so on ...\nEB*1"));
    assert_eq!(ids, SEVEN);
    only(&findings, &[(Oddity::TextInside, 4, 159)]);
}

#[test]
fn binary_segments() {
    let (ids, findings) = read(file("BIN*10*a~b*c\n~d\u{e4}"));
    assert_eq!(ids[3], "BIN");
    only(&findings, &[]);
    for wrong in ["BIN*7*a~b*c", "BIN*2147483648*a~b*c", "BIN*99999999999999999999*a~b", "BDS*XML*0*<a>~</a>", "BIN**x"]
    {
        let (ids, findings) = read(file(wrong));
        assert_eq!((ids.len(), ids[3].as_str()), (7, &wrong[..3]), "{wrong}");
        only(&findings, &[(Oddity::BinaryLength, 4, 159)]);
    }
    let (ids, findings) = read(file("BIN*5~EB*1"));
    assert_eq!(ids[3..5], ["BIN", "EB"], "a BIN that ends before its data");
    only(&findings, &[]);
}

#[test]
fn a_segment_of_many_elements_is_read_whole_up_to_the_limit() {
    for (count, told) in [(10_000, false), (x12::read::MAX_ELEMENTS + 5, true)] {
        let text = file(&format!("EB{}", "*1".repeat(count)));
        let mut reader = Reader::new(text.as_bytes());
        for _ in 0..3 {
            reader.next_segment().unwrap();
        }
        let segment = reader.next_segment().unwrap().unwrap();
        assert_eq!(segment.len(), count.min(x12::read::MAX_ELEMENTS));
        assert_eq!(segment.bytes().len(), 2 + 2 * count);
        let codes: Vec<_> = reader.take_findings().iter().map(|finding| finding.code).collect();
        assert_eq!(codes.contains(&"element_count"), told);
    }
}

#[test]
fn deep_and_circular_hierarchies_are_only_segments_here() {
    let mut text = format!("{ISA}{GS}ST*271*0001~");
    for level in 1..=20_000 {
        text.push_str(&format!("HL*{level}*{}*22*1~", if level == 1 { 20_000 } else { level - 1 }));
    }
    text.push_str("SE*20002*0001~GE*1*7~IEA*1*000000001~");
    only(&walk(&text), &[]);
}

#[test]
fn trailers() {
    let at = file("EB*1").find("SE*").unwrap() as u64;
    only(&walk(file("EB*1").replace("SE*3", "SE*9")), &[(Oddity::SeCount, 5, at)]);
    only(&walk(file("EB*1").replace("SE*3*0001", "SE*3*0002")), &[(Oddity::SeControl, 5, at)]);
    only(&walk(file("EB*1").replace("GE*1", "GE*2")), &[(Oddity::GeCount, 6, at + 10)]);
    only(&walk(file("EB*1").replace("GE*1*7", "GE*1*8")), &[(Oddity::GeControl, 6, at + 10)]);
    only(&walk(file("EB*1").replace("IEA*1", "IEA*2")), &[(Oddity::IeaCount, 7, at + 17)]);
    only(&walk(file("EB*1").replace("IEA*1*0", "IEA*1*9")), &[(Oddity::IeaControl, 7, at + 17)]);
    only(&walk(file("EB*1").replace("IEA*1*000000001~", "")), &[(Oddity::NoIea, 6, at + 10)]);
    only(&walk(file("EB*1").replace("GE*1*7~", "")), &[(Oddity::NoGe, 6, at + 10)]);
    only(&walk(file("EB*1").replace("SE*3*0001~", "")), &[(Oddity::NoSe, 5, at)]);
    only(&walk(file("EB*1").replace("IEA*1*000000001~", "IEA*1*000000001")), &[(Oddity::Unterminated, 7, at + 17)]);
    let counts = walk(file("EB*1").replace("SE*3", "SE*x"));
    assert_eq!((counts[0].expected, counts[0].found), (None, Some(3)));
}

#[test]
fn several_of_everything() {
    let set = "ST*271*0001~SE*2*0001~";
    let group = format!("{GS}{set}{set}GE*2*7~");
    let one = format!("{ISA}{group}{group}IEA*2*000000001~");
    let codes: Vec<_> = walk(format!("{one}\n\n{one}trailing words")).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["several_sets", "several_groups", "line_breaks", "several_interchanges", "text_after_iea"]);
}

#[test]
fn an_isa_far_in_is_found_however_the_bytes_come() {
    for before in [65_500, 65_535, 65_536, 65_600, 70_000] {
        let text = format!("{}{}", "x".repeat(before), file("EB*1"));
        crate::oracles::read(text.as_bytes());
        let found = Reader::new(text.as_bytes()).next_segment().is_ok();
        assert_eq!(found, before < x12::read::MAX_PREAMBLE_BYTES, "{before}");
    }
}
