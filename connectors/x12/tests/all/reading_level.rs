//! The paragraph that is read aloud, over every eligibility answer of the real files and the committed one.

use std::path::Path;

use connector_sdk::Outcome;
use x12::{Document, Response};

use crate::shared;

/// The same count as the words' own tests use.
#[path = "../../../sdk/src/summary/reading.rs"]
mod reading;

/// Years of school.
const GRADE_MAX: f64 = 8.0;

/// The paragraphs of every answer in a file.
fn paragraphs(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let Ok(document) = Document::read(&bytes) else { return Vec::new() };
    let responses = document.transactions().filter_map(Response::read);
    let answered = responses.flat_map(|response| {
        let day = response.date().unwrap_or(jiff::civil::date(2026, 11, 23));
        x12::answers::eligibility(&response, None).into_iter().map(move |one| (one.outcome, day))
    });
    answered
        .filter_map(|(outcome, day)| match outcome {
            Outcome::Answered(facts) => {
                Some(connector_sdk::summary::complete(facts, None, day).summary.paragraph.text().to_owned())
            }
            Outcome::Refused(_) => None,
        })
        .collect()
}

#[test]
fn every_answer_can_be_read_aloud_after_eight_years_of_school() {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/271.x12");
    let mut files = vec![seed];
    if let Some(folder) = shared() {
        let more = std::fs::read_dir(folder.join("271")).unwrap().map(|entry| entry.unwrap().path());
        files.extend(more);
    }
    let (mut told, mut hard, mut sum) = (0, Vec::new(), 0.0);
    for path in &files {
        for text in paragraphs(path) {
            let grade = reading::grade(&text).unwrap();
            told += 1;
            sum += grade;
            if grade > GRADE_MAX {
                hard.push(format!("{grade:.1}: {text}"));
            }
        }
    }
    println!("{told} paragraphs of {} files, mean grade {:.1}", files.len(), sum / f64::from(told.max(1)));
    assert!(told >= 1);
    assert!(hard.is_empty(), "{} of {told} are too hard:\n{}", hard.len(), hard.join("\n"));
}
