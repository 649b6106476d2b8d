//! The checker over the real examples: its verdict beside those of two other validators.

use std::fs;

use x12::check;

/// One line of the MANIFEST.
struct Row {
    file: String,
    transaction: String,
    /// What each of the two others said: `Some(accepted)`, or nothing.
    others: [Option<bool>; 2],
}

fn rows(folder: &std::path::Path) -> Vec<Row> {
    let verdict = |text: &str| match text.split(' ').next() {
        Some("accept") => Some(true),
        Some("reject") => Some(false),
        _ => None,
    };
    let text = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        Row {
            file: cells[0].to_owned(),
            transaction: cells[1].to_owned(),
            others: [verdict(cells[8]), verdict(cells[9])],
        }
    };
    text.lines().skip(1).map(row).collect()
}

/// What a file gets, and the first findings that turn it away.
fn ours(bytes: &[u8]) -> (&'static str, String) {
    let mut checker = check::Checker::new(bytes);
    let mut why = Vec::new();
    loop {
        let findings = match checker.next_report() {
            Err(_) => return ("unreadable", String::new()),
            Ok(None) => break,
            Ok(Some(check::Report::Set(set))) => set.findings,
            Ok(Some(check::Report::Group(group))) => group.findings,
            Ok(Some(check::Report::Interchange(interchange))) => interchange.findings,
        };
        why.extend(findings);
    }
    let summary = checker.summary();
    why.extend(summary.findings.iter().cloned());
    let told: Vec<String> = why
        .iter()
        .filter(|finding| finding.rejects())
        .map(|finding| {
            let element = finding.element.map(|element| format!("{element:02}")).unwrap_or_default();
            let component = finding.component.map(|component| format!("-{component}")).unwrap_or_default();
            let place = finding.loop_id.unwrap_or("-");
            format!("{place}/{}{element}{component}:{}", finding.segment_id.unwrap_or("?"), finding.code)
        })
        .take(6)
        .collect();
    (if summary.valid { "valid" } else { "invalid" }, told.join(" "))
}

#[test]
fn real_files_get_a_verdict() {
    let Some(folder) = crate::shared() else { return println!("skipped: no shared examples here") };
    let wanted = std::env::var("X12_ONLY").unwrap_or_default();
    let (mut count, mut agree, mut strict) = (0, 0, 0);
    for row in rows(&folder) {
        let bytes = fs::read(folder.join(&row.file)).unwrap();
        let (verdict, why) = ours(&bytes);
        count += 1;
        let accepted = row.others.contains(&Some(true));
        if accepted == (verdict == "valid") {
            agree += 1;
        } else if accepted {
            strict += 1;
        }
        if wanted.is_empty() || row.file.starts_with(&wanted) {
            println!("{} {} others {:?}: {verdict} {why}", row.file, row.transaction, row.others);
        }
    }
    println!("{count} files, {agree} as the others, {strict} accepted by another and not by us");
    assert!(count > 400, "the examples are all there");
}
