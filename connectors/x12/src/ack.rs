//! Acknowledgments: TA1 (a whole interchange), 999 and its forerunner 997 (a functional group). Accepted or not, and why.

use crate::codes;
use crate::envelope::{InterchangeAck, Transaction};

/// Errors of one acknowledgment that are kept.
const MAX_NOTES: usize = 1_000;

/// The other side's verdict on what we sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Accepted,
    /// Accepted, with errors noted.
    AcceptedWithErrors,
    /// Some transaction sets were accepted, some rejected.
    PartlyAccepted,
    /// Rejected.
    Rejected,
    /// A code nobody here knows, or none.
    Unknown,
}

impl Verdict {
    fn of(code: &str) -> Self {
        match code {
            "A" => Self::Accepted,
            "E" => Self::AcceptedWithErrors,
            "P" => Self::PartlyAccepted,
            "R" | "M" | "W" | "X" => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// Whether at least a part was turned away.
    pub fn rejects(self) -> bool {
        matches!(self, Self::Rejected | Self::PartlyAccepted)
    }

    /// A fixed word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithErrors => "accepted_with_errors",
            Self::PartlyAccepted => "partly_accepted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// One error an acknowledgment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The element it was said in: `TA105`, `IK3-4`, `IK4-3`, `IK5-2`, `AK9-5`.
    pub element: &'static str,
    /// The code as it came.
    pub code: String,
    /// What it means, where we know it.
    pub meaning: Option<&'static str>,
    /// The segment of ours it speaks of: its identifier as it came.
    pub segment: Option<String>,
    /// That segment's place in our transaction set.
    pub position: Option<u32>,
    /// The element of ours it speaks of.
    pub place: Option<u32>,
}

/// An acknowledgment, read.
#[derive(Clone, Debug)]
pub struct Acknowledgment {
    /// `TA1`, `999` or `997`.
    pub kind: &'static str,
    /// The verdict on the whole.
    pub verdict: Verdict,
    /// The control number of what it speaks of: the interchange's (TA1) or the group's.
    pub control: String,
    /// The verdict on each transaction set: its control number and the verdict.
    pub transactions: Vec<(String, Verdict)>,
    /// Every error it names, at most a thousand.
    pub notes: Vec<Note>,
}

impl Acknowledgment {
    /// Reads a TA1.
    pub fn from_ta1(ack: &InterchangeAck) -> Self {
        let text = |element| ack.block.first().map(|segment| segment.text(element).into_owned()).unwrap_or_default();
        let code = text(5);
        let mut notes = Vec::new();
        if !matches!(code.as_str(), "" | "000") {
            notes.push(note("TA105", code));
        }
        Self { kind: "TA1", verdict: Verdict::of(&text(4)), control: text(1), transactions: Vec::new(), notes }
    }

    /// Reads a 999 or 997; `None` for any other transaction set.
    pub fn from_transaction(transaction: &Transaction) -> Option<Self> {
        let kind = match transaction.id.as_str() {
            "999" => "999",
            "997" => "997",
            _ => return None,
        };
        let mut ack = Self {
            kind,
            verdict: Verdict::Unknown,
            control: String::new(),
            transactions: Vec::new(),
            notes: Vec::new(),
        };
        let (mut control, mut segment, mut position) = (String::new(), None, None);
        for kept in &transaction.segments {
            match kept.id() {
                "AK1" => ack.control = kept.text(2).into_owned(),
                "AK2" => {
                    control = kept.text(2).into_owned();
                    (segment, position) = (None, None);
                }
                "IK3" | "AK3" => {
                    (segment, position) = (kept.some(1), kept.text(2).parse().ok());
                    ack.add("IK3-4", kept.text(4).into_owned(), segment.clone(), position, None);
                }
                "IK4" | "AK4" => {
                    let place = kept.component(1, 1).parse().ok();
                    ack.add("IK4-3", kept.text(3).into_owned(), segment.clone(), position, place);
                }
                "IK5" | "AK5" => {
                    let verdict = Verdict::of(&kept.text(1));
                    if ack.transactions.len() < MAX_NOTES {
                        ack.transactions.push((std::mem::take(&mut control), verdict));
                    }
                    for element in 2..=6 {
                        ack.add("IK5-2", kept.text(element).into_owned(), None, None, None);
                    }
                }
                "AK9" => {
                    ack.verdict = Verdict::of(&kept.text(1));
                    for element in 5..=9 {
                        ack.add("AK9-5", kept.text(element).into_owned(), None, None, None);
                    }
                }
                _ => {}
            }
        }
        Some(ack)
    }

    fn add(
        &mut self,
        element: &'static str,
        code: String,
        segment: Option<String>,
        position: Option<u32>,
        place: Option<u32>,
    ) {
        if !code.is_empty() && self.notes.len() < MAX_NOTES {
            self.notes.push(Note { segment, position, place, ..note(element, code) });
        }
    }

    /// Whether the transaction set with this control number (or, where the acknowledgment names none, the whole) was
    /// turned away.
    pub fn rejects(&self, control: &str) -> bool {
        let own = self.transactions.iter().find(|(theirs, _)| theirs == control);
        own.map_or_else(|| self.verdict.rejects(), |(_, verdict)| verdict.rejects())
            || self.verdict == Verdict::Rejected
    }
}

fn note(element: &'static str, code: String) -> Note {
    let meaning = codes::acknowledgment(element, &code).map(|row| row.1);
    Note { element, code, meaning, segment: None, position: None, place: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delimiters;
    use crate::envelope::{Document, Item};
    use crate::write::{Envelope, TransactionWriter};

    #[test]
    fn a_rejecting_999() {
        let mut tx = TransactionWriter::new(&Delimiters::default(), "999", "0001", Some("005010X231A1")).unwrap();
        tx.segment("AK1", &["HS", "7", "005010X279A1"]).unwrap();
        tx.segment("AK2", &["270", "0001"]).unwrap();
        tx.segment("IK3", &["NM1", "8", "2010BA", "8"]).unwrap();
        tx.segment("IK4", &["9", "67", "1"]).unwrap();
        tx.segment("IK5", &["R", "5"]).unwrap();
        tx.segment("AK9", &["R", "1", "1", "0"]).unwrap();
        let bytes = Envelope::new("FA", "005010X231A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        let document = Document::read(&bytes).unwrap();
        let ack = Acknowledgment::from_transaction(document.transactions().next().unwrap()).unwrap();
        assert_eq!((ack.verdict, ack.control.as_str()), (Verdict::Rejected, "7"));
        assert!(ack.rejects("0001"));
        assert_eq!(ack.notes.len(), 3);
        assert_eq!((ack.notes[1].position, ack.notes[1].place), (Some(8), Some(9)));
        assert_eq!(ack.notes[1].meaning, Some("A required data element is missing"));
    }

    #[test]
    fn a_ta1() {
        let bytes = Envelope::new("HB", "V")
            .interchange_ack(&Delimiters::default(), ("000000007", "261123", "1200"), "R", "009")
            .unwrap();
        let document = Document::read(&bytes).unwrap();
        let Some(Item::InterchangeAck(item)) = document.items.first() else { panic!("no TA1") };
        let ack = Acknowledgment::from_ta1(item);
        assert_eq!(ack.verdict, Verdict::Rejected);
        assert_eq!(ack.notes[0].meaning, Some("Receiver ID is not known here"));
    }
}
