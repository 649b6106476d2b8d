//! The balances of an 835 as findings of the checker.

use super::balance::{Books, Mismatch, Rule};
use crate::check::{Judge, Place};
use crate::finding::{Finding, Findings, Oddity};
use crate::read::Segment;

/// Judges whether the sums of an 835 come out even.
#[derive(Default)]
pub struct BalanceJudge {
    books: Books<Place>,
}

impl Judge for BalanceJudge {
    fn segment(&mut self, segment: &Segment<'_>, place: Place, findings: &mut Findings) {
        self.books.segment(segment, place, &mut |mismatch| findings.push(finding(mismatch)));
    }

    fn end(&mut self, findings: &mut Findings) {
        self.books.end(&mut |mismatch| findings.push(finding(mismatch)));
    }
}

fn finding(mismatch: Mismatch<Place>) -> Finding {
    let (oddity, segment, element) = match mismatch.rule {
        Rule::Line => (Oddity::LineBalance, "SVC", 3),
        Rule::Claim => (Oddity::ClaimBalance, "CLP", 4),
        Rule::LineCharges => (Oddity::LineCharges, "CLP", 3),
        Rule::Predetermination => (Oddity::PredeterminationPaid, "CLP", 4),
        Rule::Payment => (Oddity::PaymentBalance, "BPR", 2),
    };
    Finding { off_by: Some(mismatch.off_by), ..mismatch.at.finding(oddity, segment).element(element) }
}
