//! One view of every acknowledgment: is it a rejection, of what, and why.

use super::{Ak1, Ak2, Ak9, FunctionalAcknowledgment, Ik5, ImplementationAcknowledgment, SetAcknowledgment, Ta1};
use crate::codes;
use crate::envelope::{InterchangeAck, Transaction};
use crate::model::Count;

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
    /// What a code of TA104, IK501 or AK901 means.
    pub fn of(code: &str) -> Self {
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// The element it was said in: `TA105`, `IK3-4`, `IK4-3`, `IK5-2`, `AK9-5`.
    pub element: &'static str,
    /// The code as it came.
    pub code: String,
    /// What it means, where we know it.
    pub meaning: Option<&'static str>,
    /// The transaction set of ours it speaks of: its control number.
    pub set: Option<String>,
    /// The segment of ours it speaks of: its identifier as it came.
    pub segment: Option<String>,
    /// That segment's place in our transaction set.
    pub position: Option<u32>,
    /// That segment's loop, where it is named.
    pub loop_id: Option<String>,
    /// The element of ours it speaks of.
    pub place: Option<u32>,
    /// The component of that element.
    pub component: Option<u32>,
    /// The repeat of that element.
    pub repeat: Option<u32>,
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
        let ta1 = Ta1::of(ack);
        let mut view = Self::empty("TA1", Verdict::of(&ta1.verdict), &ta1.control);
        if ta1.code != "000" {
            view.add(Note::new("TA105", &ta1.code));
        }
        view
    }

    /// Reads a 999 or 997; `None` for any other transaction set.
    pub fn from_transaction(transaction: &Transaction) -> Option<Self> {
        match transaction.id.as_str() {
            ImplementationAcknowledgment::ID => {
                let ack = ImplementationAcknowledgment::read(&transaction.segments);
                Some(Self::of_group("999", ack.group.as_ref(), &ack.sets, ack.verdict.as_ref()))
            }
            FunctionalAcknowledgment::ID => {
                let ack = FunctionalAcknowledgment::read(&transaction.segments);
                Some(Self::of_group("997", ack.group.as_ref(), &ack.sets, ack.verdict.as_ref()))
            }
            _ => None,
        }
    }

    fn of_group(
        kind: &'static str,
        group: Option<&Ak1<'_>>,
        sets: &[SetAcknowledgment<'_>],
        verdict: Option<&Ak9<'_>>,
    ) -> Self {
        let word = verdict.map_or(Verdict::Unknown, Ak9::word);
        let mut view = Self::empty(kind, word, group.map_or("", |group| &group.control));
        for set in sets {
            view.add_set(set);
        }
        for code in verdict.iter().flat_map(|verdict| verdict.codes()) {
            view.add(Note::new("AK9-5", code));
        }
        view
    }

    fn empty(kind: &'static str, verdict: Verdict, control: &str) -> Self {
        Self { kind, verdict, control: control.to_owned(), transactions: Vec::new(), notes: Vec::new() }
    }

    fn add_set(&mut self, set: &SetAcknowledgment<'_>) {
        let Ak2 { control, .. } = &set.set;
        if let Some(verdict) = set.verdict.as_ref().filter(|_| self.transactions.len() < MAX_NOTES) {
            self.transactions.push((control.clone().into_owned(), verdict.word()));
        }
        let of_set = |element, code: &str| Note { set: some(control), ..Note::new(element, code) };
        for error in &set.segments {
            let of_segment = |element, code: &str| Note {
                segment: some(&error.segment.id),
                position: number(&error.segment.position),
                loop_id: some(&error.segment.loop_id),
                ..of_set(element, code)
            };
            self.add(of_segment("IK3-4", &error.segment.code));
            for error in &error.elements {
                let place = &error.element.place;
                self.add(Note {
                    place: number(&place.element),
                    component: number(&place.component),
                    repeat: number(&place.repeat),
                    ..of_segment("IK4-3", &error.element.code)
                });
            }
        }
        for code in set.verdict.iter().flat_map(Ik5::codes) {
            self.add(of_set("IK5-2", code));
        }
    }

    fn add(&mut self, note: Note) {
        if !note.code.is_empty() && self.notes.len() < MAX_NOTES {
            self.notes.push(note);
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

impl Note {
    /// A code that was said in an element, with what it means.
    pub(crate) fn new(element: &'static str, code: &str) -> Self {
        Self {
            element,
            code: code.to_owned(),
            meaning: codes::acknowledgment(element, code).map(|row| row.1),
            ..Self::default()
        }
    }
}

fn some(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(count: &Count<'_>) -> Option<u32> {
    count.get().and_then(|count| u32::try_from(count).ok())
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
