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

/// `2010AA/NM109:missing_element`
fn words(finding: &Finding) -> String {
    let element = finding.element.map(|element| format!("{element:02}")).unwrap_or_default();
    let component = finding.component.map(|component| format!("-{component}")).unwrap_or_default();
    let place = finding.loop_id.unwrap_or("-");
    format!("{place}/{}{element}{component}:{}", finding.segment_id.unwrap_or("?"), finding.code)
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
            ("STC*P3:294:85", "STC*ZZ:294:85", &["2200/STC01-1:code_unknown"]),
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

/// A reason that the guide has elsewhere, or nowhere, is a warning: what a carrier says is not turned away for it.
#[test]
fn reasons_of_refusals_are_those_of_their_loop() {
    damage(
        "271_more_needed.edi",
        &[
            ("AAA*N**15*C", "AAA*N**79*C", &["2100C/AAA03:rule_advice"]),
            ("AAA*N**15*C", "AAA*N**RC*C", &["2100C/AAA03:rule_advice"]),
            ("AAA*N**15*C", "AAA*N***C", &["2100C/AAA03:missing_element"]),
            ("AAA*N**15*C", "AAA*N**75*Q", &["2100C/AAA04:code_unknown"]),
            ("NM1*PR*", "AAA*N**72*C~NM1*PR*", &["2000A/AAA03:rule_advice"]),
        ],
    );
    damage("271_provider_unknown.edi", &[("AAA*N**51*C", "AAA*N**72*C", &["2100B/AAA03:rule_advice"])]);
    damage(
        "271_dependent.edi",
        &[
            ("DMG*D8*2010", "AAA*N**72*C~DMG*D8*2010", &["2100D/AAA03:rule_advice"]),
            ("EB*C*IND*30***23", "EB*1**98~AAA*N**42*R~EB*C*IND*30***23", &["2110D/AAA03:rule_advice"]),
        ],
    );
    let good = sample("271_more_needed.edi");
    for reason in ["35", "58", "72", "75", "78"] {
        let Judged { told, .. } = judged(good.replace("AAA*N**15*C", &format!("AAA*N**{reason}*C")).as_bytes());
        assert!(told.is_empty(), "{reason}: {told:?}");
    }
    let (sets, _) = check::check(good.replace("AAA*N**15*C", "AAA*N**79*C").as_bytes()).unwrap();
    let Some(x12::Expected::Words(words)) = sets[0].findings[0].expected else { panic!("what is expected") };
    assert!(words.starts_with("15,35,42,"), "{words}");
}

/// Mere remarks on a file, as words.
fn mentioned(text: &str) -> Vec<String> {
    let (sets, summary) = check::check(text.as_bytes()).unwrap();
    assert!(summary.valid, "{:?}", sets[0].findings);
    let told = sets.iter().flat_map(|set| &set.findings).filter(|finding| finding.severity == Severity::Info);
    told.map(words).collect()
}

#[test]
fn a_code_that_our_part_of_a_list_lacks_is_mentioned_only() {
    let answer = sample("277-answer.edi");
    assert!(mentioned(&answer).is_empty());
    let with = |to: &str| mentioned(&answer.replacen("STC*P3:294:85", to, 1));
    assert_eq!(with("STC*P3:9999:85"), ["2200/STC01-2:code_unlisted"]);
    assert_eq!(with("STC*P3:9999:85:RX"), Vec::<String>::new(), "the code is of another list");
    let acknowledgment = sample("277ca.edi");
    let more = acknowledgment.replacen("*WQ*1050~QTY*90", "*WQ*1050******A1:9999~QTY*90", 1);
    assert_eq!(mentioned(&more), ["2200B/STC10-2:code_unlisted"]);

    let advice = sample("835_several.edi");
    assert!(mentioned(&advice).is_empty());
    assert_eq!(mentioned(&advice.replacen("MOA***MA01", "MOA***MA01*N9999", 1)), ["2100/MOA04:code_unlisted"]);
    let line = |lq: &str| {
        mentioned(&advice.replacen("AMT*B6*150~", &format!("AMT*B6*150~{lq}"), 1).replacen("SE*58", "SE*59", 1))
    };
    assert_eq!(line("LQ*HE*N9999~"), ["2110/LQ02:code_unlisted"]);
    assert!(line("LQ*HE*N130~").is_empty() && line("LQ*RX*9999~").is_empty());
    let finding = check::check(advice.replacen("MA01", "N9999", 1).as_bytes()).unwrap().0.remove(0).findings.remove(0);
    assert!(finding.message.contains("holds only a part"), "{}", finding.message);
}

#[test]
fn reasons_of_an_835_are_looked_up() {
    damage(
        "835_several.edi",
        &[
            ("CAS*PR*3*20", "CAS*PR*Z99*20", &["2110/CAS02:code_unknown"]),
            ("MOA***MA01", "MOA***MA01~LQ*HE*N130", &["2100/LQ:unexpected_segment"]),
        ],
    );
}

/// A file of 004010 is read with the tables of 005010; it is told so, and the guide turns nothing of it away.
#[test]
fn an_older_version_is_called_so_and_read_tolerantly() {
    let good = sample("271_more_needed.edi");
    let older = good.replace("*005010X279A1", "*004010X092A1").replace("*^*00501*", "*U*00401*");
    assert_ne!(older, good);
    assert!(mentioned(&older).contains(&"-/ST:older_version".to_owned()), "{:?}", mentioned(&older));
    assert!(!mentioned(&good).contains(&"-/ST:older_version".to_owned()));
    // What only the guide asks for is a remark; what is no date stays wrong.
    let damaged = |from: &str, to: &str| {
        assert!(older.contains(from), "{from}");
        [&older, &good].map(|text| judged(text.replacen(from, to, 1).as_bytes()).verdict)
    };
    assert_eq!(damaged("NM1*IL*1", "NM1*IL*9"), ["valid", "invalid"]);
    assert_eq!(damaged("AAA*N**15*C", "AAA*N***C"), ["valid", "invalid"]);
    assert_eq!(damaged("DMG*D8*19800201", "DMG*D8*19801301"), ["invalid", "invalid"]);
    let unknown = "ISA*00*          *00*          *ZZ*AA             *ZZ*BB             *261123*1200*U*00401*000000001*0*P*:~\
        GS*RA*AA*BB*20261123*1200*1*X*004010~ST*820*0001~BPR*I*1*C*ACH~SE*3*0001~GE*1*1~IEA*1*000000001~";
    assert_eq!(mentioned(unknown), ["-/ST:no_guide"], "no table was used");
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
