//! A batch's results as CSV, with nothing in it that a spreadsheet would run.

use crate::batches::ItemView;

/// The columns, in their order.
const COLUMNS: [&str; 15] = [
    "item", "ref", "carrier", "state", "reason", "coverage", "plans", "text", "alerts", "refusal", "as_of", "cached",
    "tries", "question", "ended_at",
];

/// The header's line.
pub fn header() -> Vec<u8> {
    sheet(std::iter::once(COLUMNS.map(str::to_owned).to_vec()))
}

/// One line for each item.
pub fn rows(items: &[ItemView]) -> Vec<u8> {
    sheet(items.iter().map(|item| cells(item).to_vec()))
}

fn cells(item: &ItemView) -> [String; 15] {
    let told = item.told.as_ref();
    let optional = |text: Option<&String>| text.cloned().unwrap_or_default();
    [
        item.item.to_string(),
        optional(item.reference.as_ref()),
        item.carrier.clone(),
        item.state.clone(),
        optional(item.reason.as_ref()),
        optional(told.and_then(|told| told.coverage.as_ref())),
        told.map(|told| told.plans.join(" / ")).unwrap_or_default(),
        told.map(|told| told.text.clone()).unwrap_or_default(),
        told.map(|told| told.alerts.join(" / ")).unwrap_or_default(),
        optional(told.and_then(|told| told.refusal.as_ref())),
        told.and_then(|told| told.as_of).map(|at| at.to_string()).unwrap_or_default(),
        told.map(|told| told.cached.to_string()).unwrap_or_default(),
        item.tries.to_string(),
        optional(item.question.as_ref()),
        item.ended_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

/// Rows of cells as CSV, with nothing in them that a spreadsheet would run.
pub fn sheet(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    // Quoted throughout: what is read as a number or a date in one place is a text in the next.
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        // Writing to memory does not fail.
        let _ = writer.write_record(row.iter().map(|cell| harmless(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"): where one would begin, at the start or after
/// a character at which some programs divide cells, an apostrophe comes first. Full-width forms count too.
fn harmless(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len() + 2);
    let mut begins = true;
    for letter in cell.chars() {
        let starts_formula = matches!(letter, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
        if begins && (starts_formula || (out.is_empty() && matches!(letter, '\t' | '\r' | '\n'))) {
            out.push('\'');
        }
        let divides = matches!(letter, ',' | ';' | '|' | '\t' | '\r' | '\n' | '"');
        begins = divides || (begins && letter.is_whitespace());
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for hostile in ["=1+1", "+1", "-2", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u{a0}=1", "＝1", "＋1", "－1", "＠x"]
        {
            let cell = harmless(hostile);
            assert!(cell.trim_start().starts_with('\''), "{hostile:?} became {cell:?}");
        }
        assert_eq!(harmless("a;=cmd|' /C calc'!A0"), "a;'=cmd|' /C calc'!A0");
        assert_eq!(harmless("a\n=1"), "a\n'=1");
        assert_eq!(harmless("a\",=1"), "a\",'=1");
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        for plain in ["", "Amara is covered; her copay is $40.", "NSH-ACTIVE", "2026-11-23", "a=b", "O'Neil"] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn quotes_and_line_breaks_stay_inside_their_cell() {
        let item = ItemView {
            item: 1,
            reference: Some("a\"b\r\nc,d".to_owned()),
            carrier: "x".to_owned(),
            state: "answered".to_owned(),
            badge: crate::patients::Badge::Active,
            reason: None,
            tries: 0,
            question: None,
            ended_at: None,
            told: None,
        };
        let text = [header(), rows(&[item])].concat();
        let mut reader = csv::Reader::from_reader(text.as_slice());
        assert_eq!(reader.headers().unwrap().len(), COLUMNS.len());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[1], "a\"b\r\nc,d");
    }
}
