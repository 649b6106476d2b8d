//! The checker over the samples, good and damaged, and what it makes of a file in words.

use x12::{Finding, Severity, check};

/// What a file gets.
pub(crate) struct Judged {
    pub(crate) verdict: &'static str,
    pub(crate) segments: u64,
    /// Remarks included.
    pub(crate) findings: usize,
    /// Each finding that is no mere remark: whether it turns the file away, and it as words
    /// (`2010AA/NM109:missing_element`).
    pub(crate) told: Vec<(bool, String)>,
}

impl Judged {
    /// The first findings that turn the file away.
    pub(crate) fn why(&self) -> String {
        let rejects = self.told.iter().filter(|(rejects, _)| *rejects);
        rejects.map(|(_, words)| words.as_str()).take(6).collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn judged(bytes: &[u8]) -> Judged {
    let mut checker = check::Checker::new(bytes);
    let mut all = Vec::new();
    loop {
        let findings = match checker.next_report() {
            Err(_) => {
                return Judged { verdict: "unreadable", segments: 0, findings: all.len(), told: Vec::new() };
            }
            Ok(None) => break,
            Ok(Some(check::Report::Set(set))) => set.findings,
            Ok(Some(check::Report::Group(group))) => group.findings,
            Ok(Some(check::Report::Interchange(interchange))) => interchange.findings,
        };
        all.extend(findings);
    }
    let summary = checker.summary();
    all.extend(summary.findings.iter().cloned());
    let words = |finding: &Finding| {
        let element = finding.element.map(|element| format!("{element:02}")).unwrap_or_default();
        let component = finding.component.map(|component| format!("-{component}")).unwrap_or_default();
        let place = finding.loop_id.unwrap_or("-");
        format!("{place}/{}{element}{component}:{}", finding.segment_id.unwrap_or("?"), finding.code)
    };
    let told = all.iter().filter(|finding| finding.severity > Severity::Info);
    let told = told.map(|finding| (finding.rejects(), words(finding))).collect();
    let verdict = if summary.valid { "valid" } else { "invalid" };
    Judged { verdict, segments: summary.segments, findings: all.len(), told }
}

#[test]
fn what_the_typed_models_write_is_valid() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (name, bytes) in crate::samples::all() {
        let judged = judged(&bytes);
        count += 1;
        if judged.verdict != "valid" {
            wrong.push(format!("{name}: {}", judged.why()));
        }
    }
    println!("{count} samples");
    assert!(wrong.is_empty() && count > 20, "{}", wrong.join("\n"));
}

/// A sample by its name.
fn sample(name: &str) -> String {
    let found = crate::samples::all().into_iter().find(|(other, _)| *other == name);
    String::from_utf8(found.unwrap_or_else(|| panic!("no sample {name}")).1).unwrap()
}

/// Changes a sample in one place, and holds what is found then against what is expected. The count in SE, which a
/// change may spoil, is left aside.
fn damage(name: &str, cases: &[(&str, &str, &[&str])]) {
    let good = sample(name);
    let Judged { verdict, told, .. } = judged(good.as_bytes());
    assert!(verdict == "valid" && told.is_empty(), "{name}: {told:?}");
    for (from, to, expected) in cases {
        assert!(good.contains(from), "{name} has no {from}");
        let Judged { told, .. } = judged(good.replacen(from, to, 1).as_bytes());
        let told: Vec<String> = told.into_iter().map(|(_, words)| words).filter(|one| one != "-/?:se_count").collect();
        assert_eq!(told, *expected, "{name}: {from} -> {to}");
    }
}

#[test]
fn damaged_status_requests_and_answers() {
    damage(
        "276-two-patients.edi",
        &[
            ("BHT*0010*13", "BHT*0010*08", &["ST/BHT02:code_value"]),
            ("HL*2*1*21*1", "HL*7*1*21*1", &["2000B/HL01:hl_number", "2000C/HL01:hl_number", "2000C/HL02:hl_order"]),
            ("NM1*1P*2*BIRCH STREET CLINIC*****XX*1234567893~", "", &["2100C/NM101:missing_loop"]),
            ("*XX*1234567893", "*XX*1234567890", &["2100C/NM109:npi"]),
            ("*XX*1234567893", "*XX", &["2100C/NM109:missing_element", "2100C/NM109:elements_paired"]),
            ("TRN*1*TRACE1", "TRN*1", &["2200/TRN02:missing_element"]),
            ("DTP*472*D8*20261020~SVC", "DTP*472*D8*20261320~SVC", &["2200/DTP03:date_value"]),
            ("AMT*T3*125.5", "AMT*T3*125,5", &["2200/AMT02:number_value"]),
            ("*HC:99213*125.5", "*HC*125.5", &["2210/SVC01-2:missing_element"]),
            ("DMG*D8*19800201*F", "DMG*D8*19800201*X", &["2000D/DMG03:code_value"]),
        ],
    );
    damage(
        "277-answer.edi",
        &[
            ("*0905*DG", "*0905", &["ST/BHT06:missing_element"]),
            ("STC*F1:65*20261120**200", "STC*F1:65*2026112**200", &["2200/STC02:date_value"]),
            ("REF*1K*20261101A77~REF*BLT", "REF*1K*1~REF*1K*2~REF*BLT", &["2200/REF:segment_repeats"]),
            ("REF*BLT*111", "REF*QQ*111", &["2200/REF01:qualifier"]),
            ("STC*P3:294:85*20261120**850~", "", &["2200/STC:missing_segment"]),
            ("HL*5*3*22*1", "HL*5*3*22*0", &["2000D/HL04:hl_child"]),
        ],
    );
    damage(
        "277ca.edi",
        &[
            ("DTP*009*D8*20261123~", "", &["2200A/DTP01:missing_segment"]),
            ("*WQ*1050~QTY*90", "*XX*1050~QTY*90", &["2200B/STC03:code_value"]),
            ("HL*4*3*PT", "HL*4*3*22", &["2000D/HL03:qualifier"]),
            ("NM1*QC*1*ZANZIBAR", "NM1*IL*1*ZANZIBAR", &["2100D/NM101:missing_loop", "2100D/NM101:qualifier"]),
        ],
    );
}

#[test]
fn damaged_eligibility() {
    damage(
        "270_subscriber.edi",
        &[
            ("EQ*30^98~", "", &["2000C/EQ:rule_missing"]),
            ("EQ*30^98", "EQ*30^ZZZ", &["2110C/EQ01:too_long"]),
            ("EQ*30^98", "EQ", &["2110C/EQ01:elements_one_of"]),
            ("NM1*IL*1", "NM1*IL*9", &["2100C/NM102:code_value"]),
            ("PRV*PE*PXC", "PRV*ZZ*PXC", &["2100B/PRV01:code_value"]),
            ("N3*100 MAIN ST~N4*SALEM*OR*97301", "N4*SALEM*OR*97301~N3*1 A ST", &["2100B/N3:segment_order"]),
            ("HL*3*2*22*0", "HL*3*3*22*0", &["2000C/HL02:hl_cycle"]),
        ],
    );
    damage(
        "271_dependent.edi",
        &[
            ("LE*2120~", "", &["2110D/LE:rule_missing"]),
            ("EB*1**30*HM", "EB***30*HM", &["2110D/EB01:missing_element"]),
            ("EB*C*IND*30***23*1500", "EB*C*IND*30***23*15x0", &["2110D/EB07:number_value"]),
            ("EB*C*IND*30***23", "EB*C*QQQ*30***23", &["2110D/EB02:code_unknown"]),
            ("NM1*03*1*ZANZIBAR*BEN", "NM1*03*2*ZANZIBAR*BEN", &["2100D/NM102:code_value"]),
        ],
    );
}

#[test]
fn damaged_reviews_documents_and_acknowledgments() {
    damage(
        "278_response_changed.edi",
        &[
            (
                "NM1*X3*2*NORTHSTAR HEALTH*****PI*60054~",
                "",
                &["2010A/NM101:missing_loop", "2000A/PER:unexpected_segment"],
            ),
            ("UM*HS*I*PT", "UM*QQ*I*PT", &["2000E/UM01:code_value"]),
            ("SV1*HC:97110:GP**UN*12", "SV1*HC:97110:GP**UN", &["2000F/SV104:elements_paired"]),
            ("SV1*HC:97140", "SV1*97140", &["2000F/SV101-1:too_long", "2000F/SV101-2:missing_element"]),
        ],
    );
    damage("275_sent_along.edi", &[("BGN*02", "BGN*99", &["ST/BGN01:code_value"])]);
    damage(
        "997-rejected.edi",
        &[
            ("AK5*R*5", "AK5*Q*5", &["2000/AK501:code_value"]),
            ("AK9*R*1*1*0~", "", &["ST/AK9:missing_segment"]),
            ("AK4*8*66*7*MI", "AK4*8*66*I9*MI", &["2100/AK403:code_value"]),
        ],
    );
}

/// Every sample cut off at every byte, and with bytes of it turned: there is a verdict, and a bounded one.
#[test]
fn nothing_makes_the_check_fail() {
    let mut count = 0u32;
    for name in ["276-two-patients.edi", "271_dependent.edi", "278_notice.edi"] {
        let good = sample(name).into_bytes();
        for end in (0..good.len()).step_by(3) {
            let Judged { verdict, .. } = judged(&good[..end]);
            assert!(verdict != "valid" || end + 3 > good.len(), "{name} cut off at {end}");
            let mut turned = good.clone();
            turned[end] = turned[end].wrapping_add(u8::try_from(end % 251).unwrap());
            judged(&turned);
            count += 2;
        }
    }
    println!("{count} damaged files");
}
