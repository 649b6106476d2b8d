//! What a guide's table cannot say: sums that must come out even, lists that another value names. One judge looks at one transaction set.

use crate::finding::{Finding, Findings, Oddity};
use crate::grammar::GuideName;
use crate::read::Segment;

/// Where a segment stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The loop of the guide (`2100`; `ST` for the transaction set itself). `None`: the guide has no place for it.
    pub loop_id: Option<&'static str>,
    /// In the transaction set, ST being 1.
    pub position: u32,
    /// In the file, from 1.
    pub segment: u64,
    /// In the file, bytes.
    pub offset: u64,
}

impl Place {
    /// A finding here. `segment_id` is the judge's own word for the segment: never taken from the file.
    pub fn finding(&self, oddity: Oddity, segment_id: &'static str) -> Finding {
        let mut finding = oddity.at(self.segment, self.offset);
        finding.position = Some(self.position);
        finding.loop_id = self.loop_id;
        finding.segment_id = Some(segment_id);
        finding
    }
}

/// Looks at a transaction set segment by segment, in memory that does not grow with it.
pub trait Judge {
    /// Sees one segment, ST and SE included, after the guide has.
    fn segment(&mut self, segment: &Segment<'_>, place: Place, findings: &mut Findings);

    /// The transaction set is over.
    fn end(&mut self, findings: &mut Findings);
}

/// The judge of a guide's transaction sets. This is the place to register one.
pub(super) fn of(guide: GuideName) -> Option<Box<dyn Judge>> {
    match guide {
        GuideName::Remittance => Some(Box::new(crate::remittance::BalanceJudge::default())),
        GuideName::Claim837P | GuideName::Claim837I | GuideName::Claim837D => {
            Some(Box::new(crate::claim::ClaimJudge::default()))
        }
        GuideName::Status277 | GuideName::ClaimAck277 => Some(Box::new(crate::status::StatusJudge)),
        _ => None,
    }
}
