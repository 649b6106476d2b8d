//! The page over every eligibility answer there is: nothing the carrier said is left out, and every figure has its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use connector_sdk::answer::{Benefit, Correction, Place as Read, Provenance};
use connector_sdk::ask::Sex;
use connector_sdk::{EligibilityFacts, Operation, Outcome};
use jiff::Timestamp;
use x12::{Document, Response, Transaction};

use super::*;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 23);

/// A plan as carriers send it, with what is rare: several copays, a limit with a pattern, messages, another payer.
const OWN: &str = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261123*1200*^*00501*000000001*0*P*:~\
    GS*HB*A*B*20261123*1200*1*X*005010X279A1~ST*271*0001*005010X279A1~BHT*0022*11*R*20261123*1200~HL*1**20*1~\
    NM1*PR*2*NORTHSTAR*****PI*60054~HL*2*1*21*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*3*2*22*0~TRN*2*T1*9123456789~\
    NM1*IL*1*ZANZIBAR*ADA****MI*W100~DMG*D8*19800201*F~EB*1**30*PR*CHOICE~DTP*346*D8*20260101~EB*C*IND*30***23*1500*****Y~\
    EB*C*IND*30***24*900*****Y~EB*C*IND*30***29*600*****Y~EB*G*FAM*30***23*9000*****N~EB*B*IND*98***27*40****N*Y~\
    EB*B*IND*98***27*75*****Y~MSG*URGENT CARE ONLY~EB*A*IND*PT****.2****Y*Y~EB*F*IND*PT***23***VS*20**Y~\
    HSD*VS*2*WK**35*10~EB*F*IND*PT***29***VS*8**Y~EB*I**AL~EB*R**30~LS*2120~NM1*PRP*2*OTHER HEALTH~LE*2120~\
    EB*CB**BY~EB*Y*IND*30****325.5~SE*34*0001~GE*1*1~IEA*1*000000001~";

/// All 271 there are: ours, and the real ones where they are.
fn files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("PORTICO_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(shared.join("data/x12/271"))
        .map(|folder| folder.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    paths.push(root.join("connectors/x12/fuzz/seeds/271.x12"));
    paths.sort();
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read(&path).unwrap());
    std::iter::once(("ours".to_owned(), OWN.as_bytes().to_vec())).chain(paths.into_iter().map(read)).collect()
}

fn answers(document: &Document) -> Vec<(&Transaction, EligibilityFacts)> {
    let mut all = Vec::new();
    for transaction in document.transactions() {
        let Some(response) = Response::read(transaction) else { continue };
        for one in x12::answers::eligibility(&response, None) {
            if let Outcome::Answered(facts) = one.outcome {
                all.push((transaction, facts));
            }
        }
    }
    all
}

/// The whole page of an answer, as it is printed, and the expert's table.
fn shown(facts: &EligibilityFacts) -> String {
    shown_to(facts, &Fields::default())
}

/// The same, of a question that was typed like this.
fn shown_to(facts: &EligibilityFacts, typed: &Fields) -> String {
    let mut envelope = Envelope::awaited("q", Operation::Eligibility, "northstar", Timestamp::UNIX_EPOCH, None);
    envelope.answer = Some(connector_sdk::summary::complete(facts.clone(), None, TODAY).into());
    let scene = Scene {
        envelope: &envelope,
        answer: envelope.answer.as_deref().unwrap(),
        typed,
        asked: Vec::new(),
        today: TODAY,
        carrier: "Northstar".to_owned(),
        zone: TimeZone::UTC,
        paper: true,
    };
    sheet(&scene, None, None).into_string() + &expert::table(facts).into_string()
}

#[test]
fn every_eb_segment_is_shown_somewhere() {
    let (mut told, mut missing) = (0, Vec::new());
    for (name, bytes) in files() {
        let Ok(document) = Document::read(&bytes) else { continue };
        for (_, facts) in answers(&document) {
            let html = shown(&facts);
            for (transaction, position) in x12::answers::represented(&facts) {
                let of = if transaction > 1 { format!(" of transaction {transaction}") } else { String::new() };
                told += 1;
                if !html.contains(&format!("EB, segment {position}{of}, ")) {
                    missing.push(format!("{name}: EB, segment {position}{of}"));
                }
            }
        }
    }
    println!("{told} EB segments");
    assert!(told > 10 && missing.is_empty(), "{} of {told} are not shown:\n{}", missing.len(), missing.join("\n"));
}

/// Numbers in a text, as they are compared.
fn numbers(text: &str) -> Vec<f64> {
    let text = text.replace(',', "");
    let parts = text.split(|letter: char| !(letter.is_ascii_digit() || letter == '.'));
    parts.map(|part| part.trim_matches('.')).filter_map(|part| part.parse().ok()).collect()
}

/// Numbers of a segment: its elements, and the parts of the dates in it.
fn of_segment(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |number: f64| {
        all.insert(format!("{number:.4}"));
    };
    for part in text.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')) {
        let Ok(number) = part.parse::<f64>() else { continue };
        add(number);
        add(number * 100.0);
        if part.len() == 8 && !part.contains('.') {
            part[..4].parse().into_iter().chain(part[6..].parse()).for_each(&mut add);
        }
    }
    all
}

#[test]
fn every_number_stands_in_a_segment_that_is_named() {
    let (mut told, mut strange) = (0, Vec::new());
    for (name, bytes) in files() {
        let Ok(document) = Document::read(&bytes) else { continue };
        for (transaction, facts) in answers(&document) {
            let segment = |one: &Provenance| match &one.place {
                Read::Segment { position, .. } => {
                    let found = transaction.segments.iter().find(|segment| segment.position == *position);
                    found.map(|segment| String::from_utf8_lossy(segment.bytes()).into_owned()).unwrap_or_default()
                }
                _ => String::new(),
            };
            for benefit in &facts.benefits {
                let sent: String = benefit.provenance.iter().map(|one| segment(one) + "~").collect();
                let known = of_segment(&sent);
                // Telephone numbers and identifiers stand in the segments of those who are named, not in the benefit's own.
                let figures = Benefit { contacts: Vec::new(), identifiers: Vec::new(), ..benefit.clone() };
                for fact in facts::of(&figures) {
                    assert!(fact.read != "place not kept", "{name}: {}", fact.text);
                    for number in numbers(&fact.text) {
                        told += 1;
                        // Words of ours for a code may have a number in them: "Wait 30 days".
                        let label =
                            benefit.other.iter().filter(|other| other.turned_away().is_some()).any(|other| {
                                other.text.as_ref().is_some_and(|text| text.contains(&number.to_string()))
                            });
                        if !known.contains(&format!("{number:.4}")) && !label {
                            strange.push(format!("{name}: {number} of “{}” is not in {sent}", fact.text));
                        }
                    }
                }
            }
        }
    }
    println!("{told} numbers");
    assert!(told > 10 && strange.is_empty(), "{} of {told}:\n{}", strange.len(), strange.join("\n"));
}

#[test]
fn a_typical_plan_fits_one_sheet_and_the_paper_says_what_the_page_says() {
    let document = Document::read(OWN.as_bytes()).unwrap();
    let (_, facts) = answers(&document).remove(0);
    let html = shown(&facts);
    let pdf = crate::paper::pdf("Benefits", &html);
    let pages = pdf.windows(11).filter(|window| window == b"/Type /Page").count();
    assert!(pages >= 2, "the tree of pages and a page");
    assert_eq!(crate::paper::pdf("Benefits", &html), pdf, "the same page, the same bytes");
}

#[test]
fn a_correction_of_any_field_is_shown() {
    let document = Document::read(OWN.as_bytes()).unwrap();
    let (_, mut facts) = answers(&document).remove(0);
    let typed = Fields::of([("patient.sex", "male".to_owned())]);
    facts.member.sex = None;
    assert!(!shown_to(&facts, &typed).contains("differs from ours"), "the carrier said nothing of it");
    facts.member.sex = Some(Sex::Unknown);
    assert!(!shown_to(&facts, &typed).contains("differs from ours"), "nor that it knows another one");
    facts.member.sex = Some(Sex::Female);
    let of = |field: &str, asked: &str, on_file: &str| Correction {
        field: field.to_owned(),
        asked: asked.to_owned().into(),
        on_file: on_file.to_owned().into(),
    };
    facts.member.corrections = vec![of("member.sex", "male", "female"), of("member.middle_name", "Ann", "ANNA")];
    for typed in [Fields::default(), typed] {
        let html = shown_to(&facts, &typed);
        let (_, section) = html.split_once("differs from ours").unwrap();
        for text in ["Sex on the carrier’s file", "Male", "<strong>Female</strong>", "Middle name", "Ann<", "ANNA"] {
            assert!(section.contains(text), "{text} is missing: {section}");
        }
    }
}
