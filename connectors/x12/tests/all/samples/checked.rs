//! Acknowledgments made by the checker, of good and of damaged interchanges.

use x12::Delimiters;
use x12::check::Checker;
use x12::check::acknowledge::{Acknowledger, Kind};

/// Every sample: file name and the whole interchange.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let status = of("276-two-patients.edi", super::status::all());
    let worse = status.replace("TRN*1*TRACE1", "TRN*1").replace("*125.5~DTP", "*x~DTP").replace("NM1*PR*2", "NM1*QQ*2");
    let benefits = of("271_dependent.edi", super::eligibility::all());
    let wrong = benefits.replace("EB*1**30*HM", "EB***30*HM").replace("LE*2120~", "").replace("SE*36", "SE*99");
    vec![
        ("999-checked-good.edi", answer(&status)),
        ("999-checked-errors.edi", answer(&worse)),
        ("999-checked-worse.edi", answer(&wrong)),
    ]
}

fn of(name: &str, samples: Vec<(&'static str, Vec<u8>)>) -> String {
    let found = samples.into_iter().find(|(other, _)| *other == name);
    String::from_utf8(found.unwrap_or_else(|| panic!("no sample {name}")).1).unwrap()
}

fn answer(file: &str) -> Vec<u8> {
    let mut acknowledger = Acknowledger::new(Kind::Ack999);
    let mut checker = Checker::new(file.as_bytes());
    while let Some(report) = checker.next_report().unwrap() {
        acknowledger.take(&report);
    }
    acknowledger.finish(Delimiters::default(), jiff::civil::datetime(2026, 11, 23, 9, 5, 0, 0)).unwrap()
}
