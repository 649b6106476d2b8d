//! 837s as JSON, claim by claim: the same as the whole model, and no longer than a claim at a time.

use std::io::Read;

use jiff::civil::Date;
use serde_json::{Value, json};
use x12::claim::Claims;
use x12::json::{Objects, Shape};
use x12::{Item, Walker};

use crate::shared;

const TODAY: Date = Date::constant(2026, 11, 23);

/// Real files with a claim or patient in no level, or with a level that is none of an 837: as a whole these are segments
/// without a place, claim by claim they stand in levels that were put in.
const OTHERS: [&str; 5] = [
    "837d/x12net__837D.edi",
    "837p/cloudfocused__111111.edi",
    "837p/cosyte__837p-edge-cases.edi",
    "837p/staedi__sample837-HL-nested.edi",
    "837p/x12net__837P.edi",
];

fn models(file: &[u8]) -> Vec<Value> {
    let mut objects = Objects::new(file, Shape::Model, TODAY);
    std::iter::from_fn(|| objects.next_object().unwrap()).collect()
}

/// How many 837s of a file are the same claim by claim and whole; and how many are not.
fn compared(file: &[u8]) -> (usize, usize) {
    let (mut walker, mut objects) = (Walker::new(file), models(file).into_iter());
    let (mut same, mut other) = (0, 0);
    while let Ok(Some(item)) = walker.next_item() {
        let object = objects.next().unwrap();
        let Item::Transaction(transaction) = item else { continue };
        if transaction.id != "837" {
            continue;
        }
        assert_eq!(object["findings"], json!(transaction.findings));
        let whole = json!(Claims::read(&transaction.segments));
        if object["claims"] == whole { same += 1 } else { other += 1 }
    }
    (same, other)
}

#[test]
fn samples_and_real_files_are_the_same_whole_and_claim_by_claim() {
    let samples = crate::samples::all().into_iter().filter(|(name, _)| name.starts_with("837"));
    let mut count = 0;
    for (name, bytes) in samples {
        assert_eq!(compared(&bytes), (1, 0), "{name}");
        count += 1;
    }
    assert!(count > 10, "{count}");
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut paths = Vec::new();
    crate::read_and_write::files(&folder, &mut paths);
    let (mut sets, mut others) = (0, Vec::new());
    for path in paths {
        let (same, other) = compared(&std::fs::read(&path).unwrap());
        sets += same + other;
        if other > 0 {
            others.push(path.strip_prefix(&folder).unwrap().display().to_string());
        }
    }
    println!("{sets} transaction sets; not the same: {others:#?}");
    assert!(sets > 50);
    assert_eq!(others, OTHERS);
}

const BEGIN: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B1*20261123*1200*CH~HL*1**20*1~NM1*85*2*NORTHSTAR CLINIC~\
                     HL*2*1*22*0~SBR*S*18~NM1*IL*1*ZANZIBAR*ADA~";
const CLAIM: &str = "CLM*C1*150.5***11:B:1*Y*A*Y*Y~HI*ABK:S060X0A~LX*1~SV1*HC:99213:25*100.5*UN*1***1~\
                     LX*2~SV1*HC:J1100*50*UN*2***1~";

/// One transaction set with so many claims, made while it is read.
struct Giant {
    claims: u32,
    ready: Vec<u8>,
}

impl Giant {
    fn new(claims: u32) -> Self {
        Self { claims, ready: BEGIN.into() }
    }
}

impl Read for Giant {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() && self.claims > 0 {
            self.claims -= 1;
            self.ready = CLAIM.into();
        }
        let count = buffer.len().min(self.ready.len());
        buffer[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        Ok(count)
    }
}

#[test]
fn however_long_it_is_a_piece_is_no_longer_than_a_claim() {
    let (mut objects, mut piece, mut pieces) = (Objects::new(Giant::new(20_000), Shape::Model, TODAY), Vec::new(), 0);
    let mut bytes = 0;
    while objects.next_piece(&mut piece).unwrap() {
        assert!(piece.len() < 4_000, "{}", piece.len());
        bytes += piece.len();
        piece.clear();
        pieces += 1;
    }
    assert!(pieces > 20_000 && bytes > 5 << 20, "{pieces} {bytes}");
}

#[test]
fn levels_that_are_missing_or_unknown_lose_no_claim() {
    let end =
        "HL*9**99~ZZZ*1~CLM*C2*1~HL*10*1*23~NM1*QC*1*ZANZIBAR*BO~CLM*C3*1~HL*11**20~CLM*C4*1~HL*12*11*22~SE*9*0001~";
    let [told] = models(format!("{BEGIN}{CLAIM}{end}").as_bytes()).try_into().unwrap();
    let claims = &told["claims"];
    let number = |at: &Value| at["claim"]["control_number"].clone();
    let billing = claims["billing"].as_array().unwrap();
    assert_eq!(billing.len(), 3, "{claims:#}");
    assert_eq!(number(&billing[0]["subscribers"][0]["claims"][0]), "C1");
    assert_eq!(billing[0]["provider"]["name"]["last_name"], "NORTHSTAR CLINIC");
    // The unknown level ended what was open: what stands in no level now has one that says nothing.
    assert_eq!(billing[1]["provider"], Value::Null);
    let subscriber = &billing[1]["subscribers"][0];
    assert_eq!((number(&subscriber["claims"][0]), subscriber["level"].clone()), (json!("C2"), json!({ "level": "" })));
    assert_eq!(number(&subscriber["patients"][0]["claims"][0]), "C3");
    let own = &billing[2]["subscribers"];
    assert_eq!((number(&own[0]["claims"][0]), own.as_array().unwrap().len()), (json!("C4"), 2));
    assert_eq!(claims["extra"].as_array().unwrap().len(), 2, "{claims:#}");
}

#[test]
fn what_is_left_out_is_found() {
    let long = format!("{BEGIN}{}{CLAIM}SE*9*0001~", "K3*A~".repeat(x12::claim::MAX_PART_SEGMENTS + 1));
    let told = models(long.as_bytes());
    let codes: Vec<_> = told[0]["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("transaction_length")), "{codes:?}");
    assert_eq!(told[0]["claims"]["billing"][0]["subscribers"][0]["claims"][0]["lines"].as_array().unwrap().len(), 2);
    assert!(!models(format!("{BEGIN}{CLAIM}").as_bytes())[0].to_string().contains("transaction_length"));
}
