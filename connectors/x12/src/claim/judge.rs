//! What the guides' tables cannot say of an 837: its sums, the diagnoses its lines point to, its order of days.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::sums::{ClaimSums, Uneven};
use crate::check::{Judge, Place};
use crate::finding::{Finding, Findings, Oddity};
use crate::model::SegmentModel;
use crate::model::{Day, Money, Value};
use crate::read::{Raw, Segment};
use crate::remittance::Cas;

/// Judges the claims of an 837 one by one.
#[derive(Default)]
pub struct ClaimJudge {
    part: Part,
    /// The party that was named last (NM101).
    party: [u8; 2],
    claim: Option<Claim>,
    /// BHT04: when the file was made.
    made: Option<Date>,
    claims: u64,
    /// Where ST stands.
    start: Option<Place>,
}

/// Which part of the claim segments belong to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// Before the claim.
    #[default]
    Above,
    /// Loop 2300 with 2310.
    Claim,
    /// Loop 2320 with 2330.
    Other,
    /// Loop 2400 with 2410 and 2420.
    Line,
    /// Loop 2430.
    Paid,
}

struct Claim {
    sums: ClaimSums<Place>,
    /// Diagnoses that lines may point to.
    diagnoses: u64,
    /// What would be paid is asked (CLM19): services are still to come.
    predetermination: bool,
}

impl Judge for ClaimJudge {
    fn segment(&mut self, segment: &Segment<'_>, place: Place, findings: &mut Findings) {
        self.start.get_or_insert(place);
        match segment.id_bytes() {
            b"BHT" => self.made = Day::read(segment.value(4), segment.delimiters()).get(),
            b"HL" | b"SE" => self.end_claim(findings),
            b"CLM" => self.begin_claim(segment, place, findings),
            b"NM1" => {
                let entity = segment.raw(1).trim_ascii();
                self.party = [entity.first().copied().unwrap_or(b' '), entity.get(1).copied().unwrap_or(b' ')];
                self.other_payer(segment);
            }
            b"N4" if self.part == Part::Above && self.party == *b"85" => postal_code(segment, place, findings),
            b"DMG" => self.born(segment, place, findings),
            b"HI" if self.part == Part::Claim => self.diagnoses(segment),
            b"SBR" if matches!(self.part, Part::Claim | Part::Other) => {
                self.part = Part::Other;
                self.sums(|sums| sums.payer(place));
            }
            b"AMT" if self.part == Part::Other && segment.has(1, &["D"]) => {
                let paid = money(segment, 2);
                self.sums(|sums| sums.payer_paid(place, paid));
            }
            b"CAS" => self.adjusted(segment),
            b"LX" => self.begin_line(segment, place, findings),
            b"SV1" => self.service(segment, money(segment, 2), Some(7), place, findings),
            b"SV2" => self.service(segment, money(segment, 3), None, place, findings),
            b"SV3" => self.service(segment, money(segment, 2), Some(11), place, findings),
            b"DTP" if self.part == Part::Line => self.served(segment, place, findings),
            b"SVD" if matches!(self.part, Part::Line | Part::Paid) => {
                self.part = Part::Paid;
                let bundled = !segment.raw(6).trim_ascii().is_empty();
                self.sums(|sums| sums.line_paid(place, segment.raw(1), money(segment, 2), bundled));
            }
            _ => {}
        }
    }

    fn end(&mut self, findings: &mut Findings) {
        self.end_claim(findings);
        if let Some(start) = self.start.filter(|_| self.claims == 0) {
            findings.push(start.finding(Oddity::NoClaim, "ST"));
        }
    }
}

impl ClaimJudge {
    fn sums(&mut self, change: impl FnOnce(&mut ClaimSums<Place>)) {
        if let Some(claim) = &mut self.claim {
            change(&mut claim.sums);
        }
    }

    fn begin_claim(&mut self, clm: &Segment<'_>, place: Place, findings: &mut Findings) {
        self.end_claim(findings);
        self.claims = self.claims.saturating_add(1);
        self.part = Part::Claim;
        self.claim = Some(Claim {
            sums: ClaimSums::new(place, money(clm, 2)),
            diagnoses: 0,
            predetermination: !clm.raw(19).trim_ascii().is_empty(),
        });
    }

    fn end_claim(&mut self, findings: &mut Findings) {
        self.part = Part::Above;
        if let Some(claim) = self.claim.take() {
            claim.sums.end(&mut |uneven, at, off_by| findings.push(finding(&uneven, at, off_by)));
        }
    }

    fn other_payer(&mut self, nm1: &Segment<'_>) {
        if self.part == Part::Other && self.party == *b"PR" {
            self.sums(|sums| sums.payer_id(nm1.raw(9)));
        }
    }

    fn adjusted(&mut self, segment: &Segment<'_>) {
        let part = self.part;
        for adjustment in Cas::read(segment).adjustments() {
            let amount = adjustment.amount.get();
            match part {
                Part::Other => self.sums(|sums| sums.payer_adjusted(amount)),
                Part::Paid => self.sums(|sums| sums.line_adjusted(amount)),
                _ => {}
            }
        }
    }

    fn diagnoses(&mut self, hi: &Segment<'_>) {
        let count = (1..=hi.len()).filter(|element| hi.has(*element, &["ABK", "ABF", "BK", "BF", "TQ"])).count();
        if let Some(claim) = &mut self.claim {
            claim.diagnoses = claim.diagnoses.saturating_add(count as u64);
        }
    }

    fn begin_line(&mut self, lx: &Segment<'_>, place: Place, findings: &mut Findings) {
        let Some(claim) = &mut self.claim else { return };
        self.part = Part::Line;
        claim.sums.begin_line(&mut |uneven, at, off_by| findings.push(finding(&uneven, at, off_by)));
        let number = lx.text(1).parse::<u64>().ok();
        if number.is_some_and(|number| number != claim.sums.line_count) {
            let finding = place.finding(Oddity::LineNumber, "LX").element(1);
            findings.push(finding.counts(Some(claim.sums.line_count), None));
        }
    }

    fn service(
        &mut self,
        segment: &Segment<'_>,
        charge: Option<Decimal>,
        pointers: Option<usize>,
        place: Place,
        findings: &mut Findings,
    ) {
        let total = pointers.is_none() && segment.raw(1).trim_ascii() == b"0001";
        let Some(claim) = &mut self.claim else { return };
        claim.sums.charge(charge, total);
        let Some(element) = pointers else { return };
        let astray = segment
            .components(segment.raw(element))
            .filter_map(|pointer| pointer.parse::<u64>().ok())
            .any(|pointer| pointer == 0 || pointer > claim.diagnoses);
        if astray {
            let id = if element == 7 { "SV1" } else { "SV3" };
            let finding = place.finding(Oddity::DiagnosisPointer, id).element(element);
            findings.push(finding.counts(Some(claim.diagnoses), None));
        }
    }

    /// A service cannot be claimed before it was given.
    fn served(&mut self, dtp: &Segment<'_>, place: Place, findings: &mut Findings) {
        let asked = self.claim.as_ref().is_some_and(|claim| claim.predetermination);
        if asked || !dtp.has(1, &["472"]) {
            return;
        }
        let first = dtp.raw(3).trim_ascii().get(..8).unwrap_or_default();
        if self.later(Raw::Bytes(first), dtp) {
            findings.push(place.finding(Oddity::ServiceLater, "DTP").element(3));
        }
    }

    fn born(&mut self, dmg: &Segment<'_>, place: Place, findings: &mut Findings) {
        if self.later(dmg.value(2), dmg) {
            findings.push(place.finding(Oddity::BornLater, "DMG").element(2));
        }
    }

    /// Whether a day is after the one the file was made on.
    fn later<'a>(&self, day: Raw<'a>, segment: &Segment<'a>) -> bool {
        let day = Day::read(day, segment.delimiters()).get();
        day.zip(self.made).is_some_and(|(day, made)| day > made)
    }
}

/// The guides want nine digits of a billing provider in the United States.
fn postal_code(n4: &Segment<'_>, place: Place, findings: &mut Findings) {
    let code = n4.raw(3).trim_ascii();
    let abroad = !n4.raw(4).trim_ascii().is_empty() && !n4.has(4, &["US"]);
    if !abroad && code.len() == 5 && code.iter().all(u8::is_ascii_digit) {
        findings.push(place.finding(Oddity::ShortPostalCode, "N4").element(3));
    }
}

fn money(segment: &Segment<'_>, element: usize) -> Option<Decimal> {
    Money::read(segment.value(element), segment.delimiters()).get()
}

fn finding(uneven: &Uneven, at: Place, off_by: Option<Decimal>) -> Finding {
    let (oddity, segment, element) = match uneven {
        Uneven::Claim => (Oddity::ClaimCharges, "CLM", 2),
        Uneven::OtherPayer => (Oddity::OtherPayerBalance, "AMT", 2),
        Uneven::OtherPayerLine => (Oddity::OtherPayerLine, "SVD", 2),
        Uneven::UnknownPayer => (Oddity::OtherPayerUnknown, "SVD", 1),
    };
    Finding { off_by, ..at.finding(oddity, segment).element(element) }
}
