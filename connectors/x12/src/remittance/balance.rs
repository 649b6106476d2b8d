//! Whether the sums of an 835 come out even, in exact decimals.
//!
//! What must hold (005010X221A1, section 1.10.2; 004010X091A1 says the same):
//! - a service line: charged less its adjustments is paid (SVC02 - CAS = SVC03);
//! - a claim: charged less its adjustments, those of its lines included, is paid (CLP03 - CAS = CLP04), and where lines
//!   are given they charge together what the claim charges;
//! - the transaction set: what its claims are paid less the provider adjustments is what the payee gets
//!   (CLP04 - PLB = BPR02; BPR03 `D` turns it round).
//!
//! A reversal (CLP02 `22`) has the amounts of the claim before with their signs turned round, so the same holds. A
//! predetermination (`25`) pays nothing. Interest, capitation, recoupment and what is moved to another remittance are
//! PLB amounts; those of them that add to the payment are negative. Nothing is paid by BPR04 `NON`, and the sums must
//! come out even all the same. What is no number, or is left out, makes its own sums unknown, never wrong.

use rust_decimal::Decimal;
use serde::Serialize;

use super::adjustments::{CAS_ELEMENTS, PLB_ELEMENTS};
use super::{Cas, Plb};
use crate::model::{At, Money, Value};
use crate::read::{Id, Segment};

const BPR: Id = Id::of(b"BPR");
const LX: Id = Id::of(b"LX");
const CLP: Id = Id::of(b"CLP");
const SVC: Id = Id::of(b"SVC");
const CAS: Id = Id::of(b"CAS");
const PLB: Id = Id::of(b"PLB");

/// Decimal places that sums are kept with. An amount with more is not added up.
const PLACES: u32 = 6;
/// Powers of ten, from none to [`PLACES`].
const SCALES: [i128; PLACES as usize + 1] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// What did not come out even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// SVC02 - CAS = SVC03.
    Line,
    /// CLP03 - CAS = CLP04.
    Claim,
    /// The lines' SVC02 = CLP03.
    LineCharges,
    /// CLP04 of a predetermination is zero.
    Predetermination,
    /// CLP04 - PLB = BPR02.
    Payment,
}

/// Sums that do not come out even, and where: at an SVC, a CLP or the BPR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch<P = At> {
    /// Which sums.
    pub rule: Rule,
    /// Where the amount stands that is not what it should be.
    pub at: P,
    /// How much it is more than what the rest adds up to, in the currency of the transaction set.
    pub off_by: Decimal,
}

/// How the sums of a transaction set came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// How many sums came out even.
    pub even: u64,
    /// How many did not.
    pub uneven: u64,
    /// How many could not be made, because an amount is missing or is no number.
    pub unknown: u64,
    /// What the payee gets (BPR02; negative where BPR03 says that the payee owes it).
    pub stated: Option<Decimal>,
    /// What the claims are paid less the provider adjustments.
    pub computed: Option<Decimal>,
    /// The first less the second.
    pub off_by: Option<Decimal>,
}

impl Balance {
    /// Whether all sums were made and came out even.
    pub fn ok(&self) -> bool {
        self.uneven == 0 && self.unknown == 0
    }
}

/// A sum, as long as all that was added to it is known.
#[derive(Clone, Copy)]
struct Sum(Option<i128>);

impl Sum {
    const ZERO: Self = Self(Some(0));

    fn of(amount: &Money<'_>) -> Self {
        let Money::Is(amount) = amount else { return Self(None) };
        let scale = PLACES.checked_sub(amount.scale()).and_then(|places| SCALES.get(places as usize));
        Self(scale.map(|scale| amount.mantissa() * scale)) // 96 bits by 20
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0.zip(other.0).and_then(|(one, two)| one.checked_add(two)))
    }

    fn less(self, other: Self) -> Self {
        Self(self.0.zip(other.0).and_then(|(one, two)| one.checked_sub(two)))
    }

    fn negative(self) -> Self {
        Self::ZERO.less(self)
    }

    /// The sum with two decimal places, or as many more as it needs.
    fn decimal(self) -> Option<Decimal> {
        let (mut units, mut places) = (self.0?, PLACES);
        while places > 2 && units % 10 == 0 {
            units /= 10;
            places -= 1;
        }
        Decimal::try_from_i128_with_scale(units, places).ok()
    }
}

/// What a claim and its lines say.
struct OpenClaim<P> {
    at: P,
    predetermines: bool,
    charged: Sum,
    paid: Sum,
    adjusted: Sum,
    line_charges: Option<Sum>,
    line: Option<OpenLine<P>>,
}

struct OpenLine<P> {
    at: P,
    charged: Sum,
    paid: Sum,
    adjusted: Sum,
}

/// Adds up one transaction set. Its segments go in, in their order; mismatches come out by the function that each step is
/// given. `P` is what the caller calls a place.
pub struct Books<P = At> {
    payment: Option<(P, Sum)>,
    paid: Sum,
    open: Option<OpenClaim<P>>,
    balance: Balance,
}

impl<P: Copy> Default for Books<P> {
    fn default() -> Self {
        Self { payment: None, paid: Sum::ZERO, open: None, balance: Balance::default() }
    }
}

impl<P: Copy> Books<P> {
    /// The next segment as it was read: what has no part in the sums is passed over.
    #[inline]
    pub fn segment(&mut self, segment: &Segment<'_>, at: P, told: &mut impl FnMut(Mismatch<P>)) {
        let amount = |element| Money::read(segment.value(element), segment.delimiters());
        match segment.id {
            CAS => {
                for element in (3..=segment.len().min(CAS_ELEMENTS)).step_by(3) {
                    let amount = amount(element);
                    if amount.given() || !segment.raw(element - 1).is_empty() {
                        self.adjust(&amount);
                    }
                }
            }
            SVC => self.line(&amount(2), &amount(3), at, told),
            CLP => self.claim(segment.has(2, &["25"]), &amount(3), &amount(4), at, told),
            LX => self.end_claim(told),
            BPR => self.payment(segment.has(3, &["D"]), &amount(2), at),
            PLB => {
                self.end_claim(told);
                for element in (4..=segment.len().min(PLB_ELEMENTS)).step_by(2) {
                    let amount = amount(element);
                    if amount.given() || !segment.raw(element - 1).is_empty() {
                        self.deduct(&amount);
                    }
                }
            }
            _ => {}
        }
    }

    /// BPR. `owes`: the payee owes it (BPR03 `D`).
    pub fn payment(&mut self, owes: bool, amount: &Money<'_>, at: P) {
        let stated = Sum::of(amount);
        self.payment = Some((at, if owes { stated.negative() } else { stated }));
    }

    /// CLP: ends the claim before.
    pub fn claim(
        &mut self,
        predetermines: bool,
        charged: &Money<'_>,
        paid: &Money<'_>,
        at: P,
        told: &mut impl FnMut(Mismatch<P>),
    ) {
        self.end_claim(told);
        self.open = Some(OpenClaim {
            at,
            predetermines,
            charged: Sum::of(charged),
            paid: Sum::of(paid),
            adjusted: Sum::ZERO,
            line_charges: None,
            line: None,
        });
    }

    /// SVC: ends the line before.
    pub fn line(&mut self, charged: &Money<'_>, paid: &Money<'_>, at: P, told: &mut impl FnMut(Mismatch<P>)) {
        self.end_line(told);
        if let Some(claim) = &mut self.open {
            let charged = Sum::of(charged);
            claim.line_charges = Some(claim.line_charges.unwrap_or(Sum::ZERO).plus(charged));
            claim.line = Some(OpenLine { at, charged, paid: Sum::of(paid), adjusted: Sum::ZERO });
        }
    }

    /// An adjustment of a CAS, of the line that is open, else of the claim.
    pub fn adjust(&mut self, amount: &Money<'_>) {
        let Some(claim) = &mut self.open else { return };
        let amount = Sum::of(amount);
        claim.adjusted = claim.adjusted.plus(amount);
        if let Some(line) = &mut claim.line {
            line.adjusted = line.adjusted.plus(amount);
        }
    }

    /// An adjustment of a PLB.
    pub fn deduct(&mut self, amount: &Money<'_>) {
        self.paid = self.paid.less(Sum::of(amount));
    }

    /// Ends the claim that is open: LX, or the end of the transaction set.
    pub fn end_claim(&mut self, told: &mut impl FnMut(Mismatch<P>)) {
        self.end_line(told);
        let Some(claim) = self.open.take() else { return };
        self.judge(Rule::Claim, claim.at, claim.paid, claim.charged.less(claim.adjusted), told);
        if let Some(charges) = claim.line_charges {
            self.judge(Rule::LineCharges, claim.at, claim.charged, charges, told);
        }
        if claim.predetermines {
            self.judge(Rule::Predetermination, claim.at, claim.paid, Sum::ZERO, told);
        } else {
            self.paid = self.paid.plus(claim.paid);
        }
    }

    /// Ends the transaction set.
    pub fn end(&mut self, told: &mut impl FnMut(Mismatch<P>)) -> Balance {
        self.end_claim(told);
        let before = std::mem::take(self);
        let mut balance = Self { balance: before.balance, ..Self::default() };
        match before.payment {
            Some((at, stated)) => {
                balance.judge(Rule::Payment, at, stated, before.paid, told);
                let Balance { stated: said, off_by, .. } = &mut balance.balance;
                (*said, *off_by) = (stated.decimal(), stated.less(before.paid).decimal());
            }
            None => balance.balance.unknown = balance.balance.unknown.saturating_add(1),
        }
        Balance { computed: before.paid.decimal(), ..balance.balance }
    }

    fn end_line(&mut self, told: &mut impl FnMut(Mismatch<P>)) {
        if let Some(line) = self.open.as_mut().and_then(|claim| claim.line.take()) {
            self.judge(Rule::Line, line.at, line.paid, line.charged.less(line.adjusted), told);
        }
    }

    fn judge(&mut self, rule: Rule, at: P, said: Sum, computed: Sum, told: &mut impl FnMut(Mismatch<P>)) {
        let difference = said.less(computed);
        let count = if difference.0 == Some(0) {
            &mut self.balance.even
        } else if let Some(off_by) = difference.decimal() {
            told(Mismatch { rule, at, off_by });
            &mut self.balance.uneven
        } else {
            &mut self.balance.unknown
        };
        *count = count.saturating_add(1);
    }
}

impl super::Remittance<'_> {
    /// How the sums of the whole transaction set come out, and which do not.
    pub fn balance(&self) -> (Balance, Vec<Mismatch>) {
        let (mut books, mut uneven) = (Books::default(), Vec::new());
        let mut told = |mismatch| uneven.push(mismatch);
        if let Some(bpr) = &self.payment {
            books.payment(bpr.sign == "D", &bpr.amount, bpr.at);
        }
        for claim in self.all_claims() {
            let clp = &claim.claim;
            books.claim(claim.predetermines(), &clp.charged, &clp.paid, clp.at, &mut told);
            let adjust = |books: &mut Books, cas: &[Cas<'_>]| {
                cas.iter().flat_map(Cas::adjustments).for_each(|adjustment| books.adjust(&adjustment.amount));
            };
            adjust(&mut books, &claim.adjustments);
            for line in &claim.lines {
                books.line(&line.service.charged, &line.service.paid, line.service.at, &mut told);
                adjust(&mut books, &line.adjustments);
            }
        }
        books.end_claim(&mut told);
        let deductions = self.provider_adjustments.iter().flat_map(Plb::numbered);
        deductions.for_each(|(_, adjustment)| books.deduct(&adjustment.amount));
        let balance = books.end(&mut told);
        (balance, uneven)
    }
}
