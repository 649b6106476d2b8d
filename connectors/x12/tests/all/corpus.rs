//! Every real file: what was read and found, our verdict, and what two other validators say (the MANIFEST's columns).
//!
//! Where an opinion differs from ours, `disagreements.tsv` has a line with the reason. The list is held fixed: a
//! disagreement that is not on it fails, and so does a line that is no longer true.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::judged;
use crate::shared;

/// `file`, `ours`, `pyx12`, `linuxforhealth`, `reason`.
const DISAGREEMENTS: &str = include_str!("disagreements.tsv");

/// One file in the table.
struct Row {
    file: String,
    segments: u64,
    findings: usize,
    ours: &'static str,
    /// pyx12 and linuxforhealth-x12: `valid`, `invalid`, or `-` where it has no opinion.
    others: [&'static str; 2],
    /// The first findings that turn the file away.
    why: String,
}

impl Row {
    /// A file that we cannot read is turned away, too.
    fn disagrees(&self) -> bool {
        self.others.iter().any(|other| *other != "-" && (*other == "valid") != (self.ours == "valid"))
    }

    fn verdicts(&self) -> String {
        format!("{}\t{}\t{}", self.ours, self.others[0], self.others[1])
    }
}

/// What a cell of the MANIFEST says. A validator that refuses the byte order mark was asked again without it; one that
/// has no map or model for the transaction set, or fell over, has no opinion.
fn opinion(cell: &str) -> &'static str {
    let said = cell.strip_prefix("BOM refused; stripped: ").unwrap_or(cell);
    match said.split(' ').next() {
        Some("accept") => "valid",
        Some("reject") => "invalid",
        Some("no-map" | "no-model" | "none" | "crash") => "-",
        _ => panic!("the MANIFEST has a verdict that nobody reads yet: {cell}"),
    }
}

fn table(folder: &Path) -> Vec<Row> {
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let judged = judged(&std::fs::read(folder.join(cells[0])).unwrap());
        Row {
            file: cells[0].to_owned(),
            segments: judged.segments,
            findings: judged.findings,
            ours: judged.verdict,
            others: [opinion(cells[8]), opinion(cells[9])],
            why: judged.why(),
        }
    };
    manifest.lines().skip(1).map(row).collect()
}

/// The list: verdicts and reason of each file.
fn listed(text: &str) -> BTreeMap<&str, (&str, &str)> {
    text.lines()
        .skip(1)
        .map(|line| {
            let (file, rest) = line.split_once('\t').unwrap_or((line, "\t"));
            (file, rest.rsplit_once('\t').unwrap_or((rest, "")))
        })
        .collect()
}

/// What does not fit between the list and the table, and what to do about it.
fn problems(list: &BTreeMap<&str, (&str, &str)>, table: &[Row]) -> Vec<String> {
    let mut problems = Vec::new();
    for row in table.iter().filter(|row| row.disagrees()) {
        let Row { file, why, .. } = row;
        let verdicts = row.verdicts();
        match list.get(file.as_str()) {
            None => problems.push(format!(
                "{file}: who is right? Mend the check where we are wrong, else add the line, with the reason ({why}):\n\
                 {file}\t{verdicts}\t"
            )),
            Some((old, _)) if *old != verdicts => {
                problems.push(format!("{file}: was {old} and is now {verdicts}; review it and mend its line ({why})"));
            }
            Some((_, reason)) if reason.len() < 10 => problems.push(format!("{file}: give the reason in its line")),
            Some(_) => {}
        }
    }
    for file in list.keys() {
        if !table.iter().any(|row| row.file == *file && row.disagrees()) {
            problems.push(format!("{file}: nobody disagrees any more, take its line off the list"));
        }
    }
    problems
}

#[test]
fn every_real_file_has_a_verdict_and_every_disagreement_a_reason() {
    let Some(folder) = shared() else { return println!("skipped: no shared examples here") };
    let table = table(&folder);
    let list = listed(DISAGREEMENTS);
    println!("file\tsegments\tfindings\tours\tpyx12\tlinuxforhealth\twhy we turn it away");
    for row in &table {
        println!("{}\t{}\t{}\t{}\t{}", row.file, row.segments, row.findings, row.verdicts(), row.why);
    }
    let count = |test: &dyn Fn(&Row) -> bool| table.iter().filter(|row| test(row)).count();
    println!(
        "{} files, {} segments, {} findings: {} valid, {} invalid, {} unreadable",
        table.len(),
        table.iter().map(|row| row.segments).sum::<u64>(),
        table.iter().map(|row| row.findings).sum::<usize>(),
        count(&|row| row.ours == "valid"),
        count(&|row| row.ours == "invalid"),
        count(&|row| row.ours == "unreadable")
    );
    let silent = count(&|row| row.others == ["-", "-"]);
    let differ = count(&Row::disagrees);
    println!(
        "of {silent} the others say nothing, of {} they say what we say, of {differ} at least one says otherwise",
        table.len() - silent - differ
    );
    let problems = problems(&list, &table);
    assert!(
        problems.is_empty(),
        "{} lines of connectors/x12/tests/all/disagreements.tsv do not fit:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(table.len() > 400, "the examples are all there");
}

#[test]
fn the_list_can_fail() {
    let row = |ours, others| Row { file: "a".to_owned(), segments: 1, findings: 0, ours, others, why: String::new() };
    assert_eq!(opinion("BOM refused; stripped: reject 1:x"), "invalid");
    assert_eq!(opinion("BOM refused; stripped: no-map"), "-");
    let found = |text: &str, row: Row| problems(&listed(&format!("file\n{text}")), &[row]).len();
    assert_eq!(found("a\tvalid\t-\tinvalid\tits own defect", row("valid", ["-", "invalid"])), 0);
    assert_eq!(found("", row("valid", ["-", "valid"])), 0);
    assert_eq!(found("", row("unreadable", ["-", "invalid"])), 0);
    for (text, others) in [
        ("", ["-", "invalid"]),
        ("a\tvalid\t-\tinvalid\t ", ["-", "invalid"]),
        ("a\tvalid\tinvalid\tinvalid\tits own defect", ["-", "invalid"]),
        ("a\tvalid\t-\tinvalid\tits own defect", ["-", "valid"]),
        ("b\tvalid\t-\tinvalid\tits own defect", ["-", "valid"]),
    ] {
        assert_eq!(found(text, row("valid", others)), 1, "{text}");
    }
}
