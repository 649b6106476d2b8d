//! Where a finding is made, and where it goes.

use crate::finding::{Finding, Findings, Oddity, Severity};

/// The place of the segment that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// In the file, from 1.
    pub(super) number: u64,
    pub(super) offset: u64,
    /// In the transaction set, ST being 1; 0 outside one.
    pub(super) position: u32,
    pub(super) loop_id: Option<&'static str>,
    pub(super) segment_id: Option<&'static str>,
}

impl Spot {
    /// A finding here.
    pub(super) fn finding(&self, oddity: Oddity) -> Finding {
        let mut finding = oddity.at(self.number, self.offset);
        finding.position = Some(self.position).filter(|position| *position > 0);
        finding.loop_id = self.loop_id;
        finding.segment_id = self.segment_id;
        finding
    }
}

/// Takes findings. An older version's transaction set is measured by the newer guide: what only the guide asks for is
/// a remark there.
pub(super) struct Watch<'a> {
    pub(super) findings: &'a mut Findings,
    pub(super) tolerant: bool,
}

impl Watch<'_> {
    pub(super) fn push(&mut self, mut finding: Finding) {
        if self.tolerant && finding.severity == Severity::Error && guide_only(finding.oddity) {
            finding.severity = Severity::Warning;
        }
        self.findings.push(finding);
    }
}

/// Whether an oddity is against a guide only, not against the standard.
fn guide_only(oddity: Oddity) -> bool {
    matches!(
        oddity,
        Oddity::UnexpectedSegment
            | Oddity::SegmentOrder
            | Oddity::Qualifier
            | Oddity::MissingSegment
            | Oddity::MissingLoop
            | Oddity::SegmentRepeats
            | Oddity::LoopRepeats
            | Oddity::MissingElement
            | Oddity::ElementNotUsed
            | Oddity::TooManyElements
            | Oddity::TooManyComponents
            | Oddity::CodeValue
            | Oddity::NotePaired
            | Oddity::NoteRequired
            | Oddity::NoteExclusion
            | Oddity::NoteConditional
            | Oddity::NoteList
            | Oddity::RuleMissing
            | Oddity::RuleForbidden
            | Oddity::RuleAdvice
            | Oddity::TooLong
            | Oddity::TooShort
    )
}
