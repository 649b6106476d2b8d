//! Acknowledgments made from findings: a TA1 for each interchange and a 999 (or 997) for each functional group.
//!
//! ```ignore
//! let mut acknowledger = Acknowledger::new(Kind::Ack999);
//! while let Some(report) = checker.next_report()? {
//!     acknowledger.take(&report);
//! }
//! let bytes = acknowledger.finish(Delimiters::default(), at)?;
//! ```
//! Nothing of what stood in an element is repeated: only places, codes and the control numbers the standard asks for.
//! Of one group at most [`MAX_SETS`] transaction sets with errors are told in detail, of one set [`MAX_SEGMENTS`]
//! segments.

mod codes;

use jiff::civil::DateTime;

use super::{GroupReport, InterchangeReport, Report, SetReport, Verdict};
use crate::ack::{
    Ak1, ElementError, FunctionalAcknowledgment, ImplementationAcknowledgment, SegmentError, SetAcknowledgment, Ta1,
};
use crate::delimiters::Delimiters;
use crate::envelope::Interchange;
use crate::finding::{Finding, Severity};
use crate::grammar;
use crate::write::{Charset, Envelope, TransactionWriter, Usage, WriteError};
use codes::Said;

/// Transaction sets of one group that an acknowledgment speaks of. A set it does not name was accepted, so later ones
/// with errors are counted against the group.
pub const MAX_SETS: usize = 10_000;
/// Segments in error that are told of one transaction set.
pub const MAX_SEGMENTS: usize = 200;
/// Elements in error that are told of one segment.
const MAX_ELEMENTS: usize = 50;
/// Interchanges of one file that are answered.
const MAX_INTERCHANGES: usize = 10_000;
/// Longest IK303.
const MAX_LOOP_ID: usize = 4;
/// What stands where the answer must have something and the file did not say it.
const UNKNOWN: &str = "UNKNOWN";

/// Which acknowledgment is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// 005010X231A1, for transaction sets that follow an implementation guide.
    #[default]
    Ack999,
    /// 005010X230: the older one, by the standard's codes only.
    Ack997,
}

/// The word on one group, ready to be written.
struct GroupWord {
    word: ImplementationAcknowledgment<'static>,
}

/// The word on one interchange.
struct InterchangeWord {
    header: Interchange,
    ta1: (&'static str, &'static str),
    groups: Vec<GroupWord>,
}

/// Collects reports and writes the answer.
pub struct Acknowledger {
    kind: Kind,
    sets: Vec<SetAcknowledgment<'static>>,
    groups: Vec<GroupWord>,
    interchanges: Vec<InterchangeWord>,
}

impl Acknowledger {
    /// Before the first report.
    pub fn new(kind: Kind) -> Self {
        Self { kind, sets: Vec::new(), groups: Vec::new(), interchanges: Vec::new() }
    }

    /// Takes the next report, in the order they come from the checker.
    pub fn take(&mut self, report: &Report) {
        match report {
            Report::Set(set) => {
                if self.sets.len() < MAX_SETS {
                    self.sets.push(self.set(set));
                }
            }
            Report::Group(group) => self.group(group),
            Report::Interchange(interchange) => self.interchange(interchange),
        }
    }

    fn set(&self, report: &SetReport) -> SetAcknowledgment<'static> {
        let id = safe(&report.id, 3, "000");
        let control = safe(&report.control, 9, "0000");
        let implementation =
            if self.kind == Kind::Ack997 { String::new() } else { safe(&report.implementation, 35, "") };
        let mut word = SetAcknowledgment::of(id, control, implementation);
        let mut whole: Vec<&'static str> = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.severity != Severity::Info) {
            match codes::said(finding) {
                Said::Set(code) => whole.push(code),
                said => self.segment(&mut word, finding, said),
            }
        }
        let verdict = match report.verdict {
            Verdict::Accepted => "A",
            Verdict::AcceptedWithErrors => "E",
            Verdict::Rejected => "R",
        };
        if !word.segments.is_empty() {
            whole.insert(0, "5");
        }
        whole.retain(|code| self.kind == Kind::Ack999 || !code.starts_with('I'));
        let mut reasons: Vec<&'static str> = Vec::new();
        for code in whole {
            if !reasons.contains(&code) {
                reasons.push(code);
            }
        }
        word.close(verdict, &reasons);
        if let (Kind::Ack997, Some(verdict)) = (self.kind, &mut word.verdict) {
            verdict.other_id = true;
        }
        word
    }

    /// Adds what is said of one segment, or of an element of the one before.
    fn segment(&self, word: &mut SetAcknowledgment<'static>, finding: &Finding, said: Said) {
        let older = self.kind == Kind::Ack997;
        let (code, element) = match said {
            Said::Segment(code) => (if older { codes::older_segment(code) } else { code }, None),
            Said::Element(code) => ("8", Some(if older { codes::older_element(code) } else { code })),
            Said::Set(_) => return,
        };
        let position = u64::from(finding.position.unwrap_or(0));
        let id = finding.segment_id.unwrap_or("ZZZ");
        let same = word.segments.last().is_some_and(|last| {
            last.segment.position.get() == Some(position) && last.segment.code == code && last.segment.id == id
        });
        if !same {
            if word.segments.len() >= MAX_SEGMENTS {
                return;
            }
            let loop_id = finding.loop_id.filter(|id| id.len() <= MAX_LOOP_ID && *id != "ST").unwrap_or("");
            let mut segment = SegmentError::of(id, position, loop_id, code);
            segment.segment.other_id = older;
            word.segments.push(segment);
        }
        let (Some(code), Some(segment)) = (element, word.segments.last_mut()) else { return };
        if segment.elements.len() >= MAX_ELEMENTS {
            return;
        }
        let at = |place: Option<u16>| place.map(u64::from);
        let mut error =
            ElementError::of(at(finding.element).unwrap_or(0), at(finding.component), at(finding.repeat), code);
        if let Some(number) = finding.data_element {
            error = error.reference(number);
        }
        error.element.other_id = older;
        segment.elements.push(error);
    }

    fn group(&mut self, report: &GroupReport) {
        let sets = std::mem::take(&mut self.sets);
        let header = &report.header;
        // A broken GS may not say its version; its transaction sets may (ST03).
        let by_sets = sets.iter().map(|set| &*set.set.implementation).find(|guide| !guide.is_empty());
        let version = safe(&header.version, 12, by_sets.unwrap_or(UNKNOWN));
        let group = Ak1 {
            functional_id: safe(&header.functional_id, 2, "ZZ").into(),
            control: number(&header.control).into(),
            version: safe(&version, 12, UNKNOWN).into(),
            ..Ak1::default()
        };
        let mut word =
            ImplementationAcknowledgment { group: Some(group), sets, ..ImplementationAcknowledgment::default() };
        let rejecting = report.findings.iter().filter(|finding| finding.rejects());
        let reasons: Vec<&'static str> = rejecting.map(codes::group).collect();
        word.close(None, report.sets, !reasons.is_empty(), &reasons);
        self.groups.push(GroupWord { word });
    }

    fn interchange(&mut self, report: &InterchangeReport) {
        let groups = std::mem::take(&mut self.groups);
        if self.interchanges.len() >= MAX_INTERCHANGES {
            return;
        }
        let first = |rejecting: bool| {
            let found = report
                .findings
                .iter()
                .find(|finding| finding.rejects() == rejecting && finding.severity != Severity::Info);
            found.map(codes::interchange)
        };
        let ta1 = match (first(true), first(false)) {
            (Some(code), _) => ("R", code),
            (None, Some(code)) => ("E", code),
            (None, None) => ("A", "000"),
        };
        self.interchanges.push(InterchangeWord { header: Interchange::clone(&report.header), ta1, groups });
    }

    /// Writes the answer: for each interchange one with its TA1 and a 999 or 997 for each group that is not itself one of
    /// acknowledgments. Sender and receiver change sides; control numbers count from 1; `at` is the time of writing.
    /// Empty where there was no interchange.
    ///
    /// # Errors
    /// The separators cannot be used.
    pub fn finish(self, delimiters: Delimiters, at: DateTime) -> Result<Vec<u8>, WriteError> {
        let mut out = Vec::new();
        let mut number = 0u32;
        for interchange in self.interchanges {
            let mut envelope = envelope(&interchange.header, self.kind, at);
            number = number.saturating_add(1);
            (envelope.interchange_control, envelope.group_control) = (number, number);
            let header = Interchange {
                control: padded(&interchange.header.control, 9),
                date: moment(&interchange.header.date, grammar::is_date, at, "%y%m%d"),
                time: moment(&interchange.header.time, grammar::is_time, at, "%H%M"),
                ..Interchange::default()
            };
            let (verdict, code) = interchange.ta1;
            let mut words = Vec::new();
            for group in interchange.groups.iter().filter(|group| !is_acknowledgment(group)) {
                words.push(self.kind.write(&group.word, words.len(), &delimiters)?);
            }
            out.extend(if words.is_empty() {
                Ta1::on(&header, verdict, code).write_alone(&envelope, &delimiters)?
            } else {
                let answered = (header.control.as_str(), header.date.as_str(), header.time.as_str());
                envelope.wrap_after_ack(&delimiters, answered, verdict, code, words)?
            });
        }
        Ok(out)
    }
}

impl Kind {
    fn version(self) -> &'static str {
        match self {
            Self::Ack999 => "005010X231A1",
            Self::Ack997 => "005010X230",
        }
    }

    fn write(
        self,
        word: &ImplementationAcknowledgment<'static>,
        before: usize,
        delimiters: &Delimiters,
    ) -> Result<TransactionWriter, WriteError> {
        let control = format!("{:04}", before.saturating_add(1));
        match self {
            Self::Ack999 => {
                let mut word = word.clone();
                (word.control, word.implementation) = (control.into(), self.version().into());
                word.write(delimiters, Charset::Extended)
            }
            Self::Ack997 => {
                let mut older = FunctionalAcknowledgment {
                    group: word.group.clone(),
                    sets: word.sets.clone(),
                    verdict: word.verdict.clone(),
                    ..FunctionalAcknowledgment::default()
                };
                older.control = control.into();
                older.write(delimiters, Charset::Extended)
            }
        }
    }
}

/// Acknowledgments are not acknowledged: two systems would answer each other without end.
fn is_acknowledgment(group: &GroupWord) -> bool {
    group.word.group.as_ref().is_some_and(|ak1| ak1.functional_id == "FA")
}

/// The answer's envelope: the other way round.
fn envelope(header: &Interchange, kind: Kind, at: DateTime) -> Envelope {
    let mut envelope = Envelope::new("FA", kind.version());
    let party = |text: &str| safe(text, 15, UNKNOWN);
    let qualifier = |text: &str| if text.len() == 2 { safe(text, 2, "ZZ") } else { "ZZ".to_owned() };
    (envelope.sender_qualifier, envelope.sender_id) =
        (qualifier(&header.receiver_qualifier), party(&header.receiver_id));
    (envelope.receiver_qualifier, envelope.receiver_id) =
        (qualifier(&header.sender_qualifier), party(&header.sender_id));
    // ISA06 may have one character, GS02 may not.
    let in_group = |id: &str| if id.len() < 2 { UNKNOWN.to_owned() } else { id.to_owned() };
    (envelope.group_sender, envelope.group_receiver) = (in_group(&envelope.sender_id), in_group(&envelope.receiver_id));
    envelope.usage = if header.usage == "T" { Usage::Test } else { Usage::Production };
    envelope.at = at;
    envelope
}

/// A value the answer can carry, cut to `longest`; `other` where nothing is left.
fn safe(text: &str, longest: usize, other: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '_');
    let kept: String = text.trim().chars().filter(plain).take(longest).collect();
    let kept = kept.trim();
    if kept.is_empty() { other.to_owned() } else { kept.to_owned() }
}

/// A control number the answer can carry (GS06, at most nine digits); `0` where it is none.
fn number(text: &str) -> String {
    let good = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { text.to_owned() } else { "0".to_owned() }
}

/// A date or time as it came; where it is none, that of the answer, which must stand.
fn moment(text: &str, is_one: fn(&[u8]) -> bool, at: DateTime, format: &str) -> String {
    let own = at.strftime(format).to_string();
    if text.len() == own.len() && is_one(text.as_bytes()) { text.to_owned() } else { own }
}

/// Digits only, with zeros before them.
fn padded(text: &str, length: usize) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(length).collect();
    format!("{digits:0>length$}")
}

#[cfg(test)]
mod tests;
