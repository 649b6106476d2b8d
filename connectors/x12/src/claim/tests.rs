use super::*;
use crate::model::sample::round_trips;
use crate::write::{Charset, Envelope};
use crate::{Delimiters, Document};

#[test]
fn what_is_written_is_read_back() {
    round_trips::<Claims<'static>>(200);
}

/// Two claims: a subscriber's own with another insurance, and a dependent's.
const TEXT: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B1*20261123*1200*CH~\
    NM1*41*2*NORTHSTAR CLINIC*****46*S1~PER*IC*ADA*TE*5550100~NM1*40*2*SOUTHSTAR*****46*60054~\
    HL*1**20*1~PRV*BI*PXC*207Q00000X~NM1*85*2*NORTHSTAR CLINIC*****XX*1234567893~N3*1 ELM~N4*SALEM*OR*973010000~\
    REF*EI*123456789~HL*2*1*22*0~SBR*S*18*G1******CI~NM1*IL*1*ZANZIBAR*ADA****MI*W1~N3*2 OAK~N4*SALEM*OR*97301~\
    DMG*D8*19800201*F~NM1*PR*2*SOUTHSTAR*****PI*60054~\
    CLM*C1*150.5***11:B:1*Y*A*Y*Y**AA:EM::OR~DTP*439*D8*20261101~REF*G1*AUTH7~HI*ABK:S060X0A*ABF:R51~\
    NM1*82*1*LYON*LEA****XX*1234567893~PRV*PE*PXC*207Q00000X~\
    SBR*P*18*******MB~CAS*PR*1*10~AMT*D*120~OI***Y***Y~NM1*IL*1*ZANZIBAR*ADA****MI*1EG4TE5MK73~\
    NM1*PR*2*EASTSTAR*****PI*00101~DTP*573*D8*20261110~REF*F8*ICN1~\
    LX*1~SV1*HC:99213:25*100.5*UN*1***1:2~DTP*472*D8*20261101~REF*6R*L1~NTE*ADD*WORDS~LIN**N4*00002751001~\
    CTP****2.5*ML~REF*XZ*RX1~NM1*DK*1*LYON*LEA~SVD*00101*80*HC:99213:25**1~CAS*CO*45*20.5~DTP*573*D8*20261110~\
    LX*2~SV1*HC:J1100*50*UN*2***1~DTP*472*D8*20261101~SVD*00101*50*HC:J1100**2~DTP*573*D8*20261110~\
    HL*3*1*22*1~SBR*P**G1******CI~NM1*IL*1*ZANZIBAR*CY****MI*W2~NM1*PR*2*SOUTHSTAR*****PI*60054~\
    HL*4*3*23*0~PAT*19~NM1*QC*1*ZANZIBAR*BO~N3*2 OAK~N4*SALEM*OR*97301~DMG*D8*20150301*M~\
    CLM*C2*40***11:B:1*Y*A*Y*Y~HI*ABK:J020~LX*1~SV1*HC:87880*40*UN*1***1~DTP*472*D8*20261102~SE*65*0001~";

#[test]
fn claims_stand_where_they_belong_and_are_written_as_they_were() {
    let document = Document::read(TEXT.as_bytes()).unwrap();
    let transaction = document.transactions().next().unwrap();
    let claims = Claims::read(&transaction.segments);
    assert_eq!((claims.kind(), claims.claims().count()), (Some(Kind::Professional), 2));
    let subscriber = &claims.billing[0].subscribers[0];
    let claim = &subscriber.claims[0];
    assert_eq!((claim.date("439"), claim.reference("G1")), (Some("20261101"), Some("AUTH7")));
    assert_eq!(claim.provider("82").unwrap().specialty.as_ref().unwrap().code, "207Q00000X");
    assert_eq!(claim.diagnoses().map(|code| &*code.code).collect::<Vec<_>>(), ["S060X0A", "R51"]);
    assert_eq!((&*claim.claim.causes.cause_2, &*claim.claim.causes.state), ("EM", "OR"));
    let other = &claim.other_insurances[0];
    assert_eq!(other.amount("D"), Some(rust_decimal::Decimal::from(120)));
    assert_eq!(other.payer.as_ref().unwrap().references[0].value, "ICN1");
    let line = &claim.lines[0];
    assert_eq!(line.charge().unwrap().amount, claim.lines[0].professional.as_ref().unwrap().charge.get());
    assert_eq!((&*line.drugs[0].item.id, &*line.drugs[0].references[0].value), ("00002751001", "RX1"));
    assert_eq!((line.adjudications[0].adjustments.len(), line.service_date()), (1, Some("20261101")));
    let dependent = &claims.billing[0].subscribers[1].patients[0];
    assert_eq!(dependent.name.as_ref().unwrap().name.first_name, "BO");
    assert_eq!(dependent.claims[0].claim.control_number, "C2");
    assert!(!format!("{claims:?} {claim:?} {:?} {:?}", claim.claim, line.charge()).contains("C1"));

    let tx = claims.write(&Delimiters::default(), Charset::Extended).unwrap();
    let written = Envelope::new("HC", Claims::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert_eq!(written.get(written.find("ST*").unwrap()..written.find("GE*").unwrap()).unwrap(), TEXT);
}

#[test]
fn the_line_tells_the_kind_better_than_the_guide() {
    let text = TEXT.replace("SV1*HC:99213:25*100.5*UN*1***1:2", "SV2*0300*HC:85025*100.5*UN*1");
    let document = Document::read(text.as_bytes()).unwrap();
    let claims = Claims::read(&document.transactions().next().unwrap().segments);
    assert_eq!(claims.kind(), Some(Kind::Institutional));
    assert_eq!(claims.claims().next().unwrap().lines[0].charge().unwrap().revenue, "0300");
    assert_eq!(Kind::of_guide("004010X097A1"), Some(Kind::Dental));
    assert_eq!(Kind::of_guide("005010"), None);
    assert_eq!(Claims { implementation: Kind::Dental.guide().into(), ..Claims::default() }.kind(), Some(Kind::Dental));
}

/// The findings of a whole file as `code loop/segment`, and whether it is accepted.
fn checked(text: &str) -> (Vec<String>, bool) {
    let document = Document::read(text.as_bytes()).unwrap();
    let claims = Claims::read(&document.transactions().next().unwrap().segments);
    let tx = claims.write(&Delimiters::default(), Charset::Extended).unwrap();
    let at = jiff::civil::datetime(2026, 11, 23, 12, 0, 0, 0);
    let envelope = Envelope { at, ..Envelope::new("HC", &claims.implementation) };
    let file = envelope.wrap(&Delimiters::default(), vec![tx]).unwrap();
    let mut checker = crate::check::Checker::new(file.as_slice());
    let mut all = Vec::new();
    while let Some(report) = checker.next_report().unwrap() {
        if let crate::check::Report::Set(set) = report {
            all.extend(set.findings);
        }
    }
    let told = |finding: &crate::Finding| {
        format!("{} {}/{}", finding.code, finding.loop_id.unwrap_or("-"), finding.segment_id.unwrap_or("?"))
    };
    (all.iter().map(told).collect(), checker.summary().valid)
}

#[test]
fn a_good_claim_has_no_findings() {
    assert_eq!(checked(TEXT), (vec![], true));
}

#[test]
fn what_is_wrong_with_a_claim_is_found_where_it_is() {
    for (from, to, finding, valid) in [
        ("CLM*C2*40*", "CLM*C2*41*", "claim_charges 2300/CLM", false),
        ("AMT*D*120~", "AMT*D*90~", "other_payer_balance 2320/AMT", true),
        ("SVD*00101*80*", "SVD*00101*70*", "other_payer_line 2430/SVD", true),
        ("SVD*00101*80*", "SVD*99999*80*", "other_payer_unknown 2430/SVD", true),
        ("UN*2***1~", "UN*2***3~", "diagnosis_pointer 2400/SV1", true),
        ("LX*2~", "LX*3~", "line_number 2400/LX", true),
        ("OR*973010000", "OR*97301", "postal_code_short 2010AA/N4", true),
        ("DTP*472*D8*20261102", "DTP*472*D8*20270102", "service_later 2400/DTP", true),
        ("D8*20150301*M", "D8*20350301*M", "born_later 2010CA/DMG", true),
        ("11:B:1*Y*A*Y*Y~", "11:B:7*Y*A*Y*Y~", "rule_missing 2300/REF", false),
        ("DTP*439*D8*20261101~", "", "rule_missing 2300/DTP", false),
        ("HI*ABK:J020~", "", "missing_segment 2300/HI", false),
        ("~N3*2 OAK~N4*SALEM*OR*97301~DMG*D8*19800201*F", "", "rule_missing 2010BA/N3", false),
        ("PAT*19~", "", "missing_segment 2000C/PAT", false),
        ("SV1*HC:87880*40", "SV1*XX:87880*40", "code_value 2400/SV1", false),
        ("XX*1234567893~N3", "XX*1234567890~N3", "npi 2010AA/NM1", true),
    ] {
        let (findings, accepted) = checked(&TEXT.replacen(from, to, 1));
        assert!(findings.iter().any(|told| told == finding), "{finding} not in {findings:?}");
        assert_eq!(accepted, valid, "{finding}: {findings:?}");
    }
}

#[test]
fn a_set_without_a_claim_is_turned_away() {
    let text = &TEXT[..TEXT.find("CLM*C1").unwrap()];
    let (findings, valid) = checked(&format!("{text}SE*19*0001~"));
    assert!(findings.contains(&"no_claim ST/ST".to_owned()) && !valid, "{findings:?}");
}

/// All claims of a source, with who is the patient; and how it ended.
fn streamed(source: impl std::io::Read) -> (Vec<(String, String)>, Vec<End>) {
    let mut stream = Stream::new(source);
    let (mut all, mut ends) = (Vec::new(), Vec::new());
    while let Some(part) = stream.next_part().unwrap() {
        match part {
            Part::Begin(begin) => assert_eq!(begin.submitter.unwrap().name.last_name, "NORTHSTAR CLINIC"),
            Part::Claim(found) => {
                assert_eq!(found.billing().unwrap().provider.unwrap().name.id, "1234567893");
                let patient = found.patient().and_then(|patient| patient.name);
                let person = patient.or_else(|| found.subscriber()?.name).unwrap();
                let claim = found.claim();
                assert!(claim.extra.is_empty() && !claim.lines.is_empty() && !format!("{found:?}").contains("C1"));
                all.push((claim.claim.control_number.to_string(), person.name.first_name.to_string()));
            }
            Part::Billing(level) => assert!(level.subscribers.is_empty() && level.provider.is_some()),
            Part::Subscriber(level) => assert!(level.claims.is_empty() && level.name.is_some()),
            Part::Patient(level) => assert!(level.claims.is_empty() && level.name.is_some()),
            Part::Unknown(segments) => assert_eq!(segments.len(), 2),
            Part::End(end) => ends.push(end),
        }
    }
    assert_eq!(stream.header().unwrap().control, "0001");
    (all, ends)
}

#[test]
fn claims_come_one_by_one_with_the_levels_above_them() {
    let (claims, ends) = streamed(TEXT.as_bytes());
    let pair = |control: &str, name: &str| (control.to_owned(), name.to_owned());
    assert_eq!(claims, [pair("C1", "ADA"), pair("C2", "BO")]);
    assert_eq!(ends, [End { claims: 2, left_out: 0 }]);
    // After a dependent comes a subscriber again: the patient of before is forgotten. A level nobody knows is no claim's.
    let from = TEXT.find("HL*2*1*22").unwrap();
    let own = &TEXT[from..TEXT.find("HL*3*1*22").unwrap()];
    let (text, trailer) = TEXT.split_at(TEXT.find("SE*65").unwrap());
    let twice = format!("{text}{own}HL*9*1*99~NM1*XX~{trailer}{TEXT}");
    let (claims, ends) = streamed(twice.as_bytes());
    let names: Vec<&str> = claims.iter().map(|(_, name)| &**name).collect();
    assert_eq!(names, ["ADA", "BO", "ADA", "ADA", "BO"]);
    assert_eq!(ends, [End { claims: 3, left_out: 0 }, End { claims: 2, left_out: 0 }]);
}

/// One transaction set with many claims, made while it is read.
struct Endless {
    claims: u32,
    ready: Vec<u8>,
}

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() && self.claims > 0 {
            self.claims -= 1;
            let from = TEXT.find(if self.claims == 0 { "SE*" } else { "CLM*C1" }).unwrap();
            let to = if self.claims == 0 { TEXT.len() } else { TEXT.find("HL*3*1*22").unwrap() };
            self.ready = TEXT.as_bytes()[from..to].to_vec();
        }
        let count = buffer.len().min(self.ready.len());
        buffer[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_giant_transaction_set_is_streamed() {
    let ready = TEXT.as_bytes()[..TEXT.find("CLM*C1").unwrap()].to_vec();
    let (claims, ends) = streamed(Endless { claims: 3_001, ready });
    assert_eq!((claims.len(), ends), (3_000, vec![End { claims: 3_000, left_out: 0 }]));
    assert!(claims.iter().all(|(control, name)| control == "C1" && name == "ADA"));
}
