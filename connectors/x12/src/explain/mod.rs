//! Files in plain words: what `portico x12 explain` prints. A 271, a 278 and an 835 are told as a person would tell them
//! (feature `answers`), an 837 by its claims, a 275 by its documents, an acknowledgment by its verdict; any other
//! transaction set is listed, segment by segment, with names.

mod ack;
mod attachment;
mod claim;
#[cfg(feature = "answers")]
mod eligibility;
#[cfg(feature = "answers")]
mod remittance;
#[cfg(feature = "answers")]
mod review;
#[cfg(feature = "answers")]
mod status;

use std::fmt::Write;
use std::io::Read;

use jiff::civil::Date;

use crate::codes;
#[cfg(not(feature = "answers"))]
use crate::envelope::SetHeader;
use crate::envelope::{Event, Item, Step, Transaction, Walker};
use crate::finding::{Finding, Severity};
use crate::read::ReadError;

/// Gives a text per transaction set, one by one; of a remittance (835) a text per claim, however long it is.
pub struct Texts<R> {
    walker: Walker<R>,
    today: Date,
    ended: bool,
    /// A transaction set that is told while it is read.
    open: Option<Telling>,
}

impl<R: Read> Texts<R> {
    /// The texts of `source`. `today` is the day they speak of where nothing else says.
    pub fn new(source: R, today: Date) -> Self {
        Self { walker: Walker::new(source), today, ended: false, open: None }
    }

    /// The next text, lines ended by line feeds; `None` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_text(&mut self) -> Result<Option<String>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(text) = self.next_part()? {
                return Ok(Some(text));
            }
            match self.walker.next_step(Telling::knows)? {
                Some(Step::Item(item)) => return Ok(Some(explain(&item, self.today))),
                Some(Step::Begun(header, st)) => {
                    let mut telling = Telling::new(&header);
                    st.iter().for_each(|st| telling.segment(&mut String::new(), &st));
                    self.open = Some(telling);
                }
                None => break,
            }
        }
        self.ended = true;
        let mut text = String::new();
        findings(&mut text, "Odd about the file", &self.walker.take_findings());
        Ok((!text.is_empty()).then_some(text))
    }

    /// The next text of the transaction set that is told while it is read; `None` where there is none.
    fn next_part(&mut self) -> Result<Option<String>, ReadError> {
        let Some(telling) = &mut self.open else { return Ok(None) };
        let mut text = String::new();
        while text.is_empty() {
            match self.walker.next_event()? {
                Some(Event::Segment(segment)) => telling.segment(&mut text, &segment),
                Some(Event::End { segments, findings: found, .. }) => {
                    telling.end(&mut text, segments);
                    findings(&mut text, "Odd about it", &found);
                    self.open = None;
                    return Ok(Some(text));
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

#[cfg(feature = "answers")]
use remittance::Told as Telling;

/// Without normalised answers nothing is told while it is read.
#[cfg(not(feature = "answers"))]
struct Telling;

#[cfg(not(feature = "answers"))]
impl Telling {
    fn knows(_: &SetHeader) -> bool {
        false
    }

    fn new(_: &SetHeader) -> Self {
        Self
    }

    fn segment(&mut self, _: &mut String, _: &crate::Segment<'_>) {}

    fn end(&mut self, _: &mut String, _: u64) {}
}

/// One transaction set or TA1 in plain words.
pub fn explain(item: &Item, today: Date) -> String {
    let mut text = String::new();
    match item {
        Item::InterchangeAck(ack) => ack::interchange(&mut text, ack),
        Item::Transaction(transaction) => {
            let known = ack::tell(&mut text, transaction)
                || claim::tell(&mut text, transaction)
                || told(&mut text, transaction, today);
            if !known {
                segments(&mut text, transaction);
            }
            findings(&mut text, "Odd about it", &transaction.findings);
        }
    }
    text
}

fn findings(text: &mut String, title: &str, findings: &[Finding]) {
    let told: Vec<_> = findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
    if told.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {title}:");
    for finding in told.iter().take(20) {
        let _ = writeln!(text, "    - {} (segment {})", finding.message, finding.segment);
    }
    if told.len() > 20 {
        let _ = writeln!(text, "    - and {} more", told.len() - 20);
    }
}

/// Any transaction set: its segments with their names.
fn segments(text: &mut String, transaction: &Transaction) {
    let _ = writeln!(
        text,
        "Transaction set {} ({}), control number {}, {} segments",
        transaction.id,
        transaction.implementation,
        transaction.control,
        transaction.segments.len()
    );
    for segment in &transaction.segments {
        let name = codes::segment_name(segment.id()).unwrap_or("");
        let elements: Vec<_> = (1..=segment.len()).map(|element| segment.text(element)).collect();
        let _ = writeln!(text, "  {:>5} {:<3} {name}: {}", segment.position, segment.id(), elements.join(" | "));
    }
}

#[cfg(not(feature = "answers"))]
fn told(text: &mut String, transaction: &Transaction, _: Date) -> bool {
    attachment::tell(text, transaction)
}

#[cfg(feature = "answers")]
fn told(text: &mut String, transaction: &Transaction, today: Date) -> bool {
    status::tell(text, transaction)
        || remittance::tell(text, transaction)
        || eligibility::tell(text, transaction, today)
        || review::tell(text, transaction)
        || attachment::tell(text, transaction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delimiters;
    use crate::write::{Envelope, TransactionWriter};

    const TODAY: Date = Date::constant(2026, 11, 23);

    fn text(id: &str, segments: &[(&str, &[&str])]) -> String {
        let mut tx = TransactionWriter::new(&Delimiters::default(), id, "0001", None).unwrap();
        for (id, values) in segments {
            tx.segment(id, values).unwrap();
        }
        let file = Envelope::new("HB", "005010").wrap(&Delimiters::default(), vec![tx]).unwrap();
        Texts::new(file.as_slice(), TODAY).next_text().unwrap().unwrap()
    }

    #[test]
    fn any_transaction_set_is_listed() {
        let text = text("820", &[("BPR", &["I", "12.50"])]);
        assert!(text.contains("2 BPR Payment: I | 12.50"), "{text}");
    }

    #[test]
    fn a_999_is_told_by_its_verdict() {
        let text = text("999", &[("AK1", &["HS", "7"]), ("AK9", &["R", "1", "1", "0", "1"])]);
        assert!(text.starts_with("Acknowledgment (999): the group with control number 7 was rejected."), "{text}");
        assert!(text.contains("AK9-5 1: Functional group not supported"), "{text}");
    }

    #[cfg(feature = "answers")]
    #[test]
    fn a_refusal_is_told_with_its_codes() {
        let segments: &[(&str, &[&str])] = &[
            ("HL", &["1", "", "20", "1"]),
            ("HL", &["2", "1", "21", "1"]),
            ("HL", &["3", "2", "22", "0"]),
            ("NM1", &["IL", "1", "ZANZIBAR"]),
            ("AAA", &["N", "", "71", "C"]),
        ];
        let text = text("271", segments);
        assert!(text.contains("AAA 71 in 2100C: Date of birth does not match the payer's record"), "{text}");
        assert!(text.contains("Look at: member.date_of_birth"), "{text}");
    }
}
