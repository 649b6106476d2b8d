//! The codes of a 277 and a 277CA against our copies of their lists: which list it is, another component says.

use crate::check::{Judge, Place};
use crate::codes::{Table, label};
use crate::finding::{Findings, Oddity};
use crate::read::Segment;

/// The elements of STC that hold a status: category, code, whom it speaks of, and which list the code is of.
const STATUSES: [usize; 3] = [1, 10, 11];

/// Looks up the codes of STC. A code that is not in our copy may be newer than it: a remark, never a reason to turn the
/// transaction set away.
#[derive(Default)]
pub struct StatusJudge;

impl Judge for StatusJudge {
    fn segment(&mut self, segment: &Segment<'_>, place: Place, findings: &mut Findings) {
        if segment.id_bytes() != b"STC" {
            return;
        }
        for element in STATUSES.into_iter().filter(|element| !segment.raw(*element).is_empty()) {
            let mut look = |table: Table, component: u16| {
                let code = segment.component(element, usize::from(component));
                if !code.is_empty() && label(table, &code).is_none() {
                    let oddity = if table.is_partial() { Oddity::CodeUnlisted } else { Oddity::CodeUnknown };
                    let mut finding = place.finding(oddity, "STC").element(element);
                    finding.component = Some(component);
                    finding.data_element = Some("1271");
                    findings.push(finding);
                }
            };
            look(Table::StatusCategory, 1);
            // `RX` and the like: the code is of another list.
            if segment.component(element, 4).is_empty() {
                look(Table::ClaimStatus, 2);
            }
        }
    }

    fn end(&mut self, _findings: &mut Findings) {}
}
