//! An 835 part by part: however long it is, only one claim is in memory.

use super::balance::{Balance, Books, Mismatch};
use super::{ClaimGroup, ClaimPayment, Clp, Plb, Remittance};
use crate::envelope::SetParts;
use crate::model::{At, Cursor, Extra, SegmentModel};
use crate::read::{Block, Segment};

/// Segments of one claim, or of another part, that are kept.
pub const MAX_PART_SEGMENTS: usize = 20_000;
/// Bytes of one part that are kept.
pub const MAX_PART_BYTES: usize = 2 << 20;

/// A part of an 835. They come in the order of the file; `Begin` is the first and `End` the last.
#[derive(Debug)]
pub enum Part<'s> {
    /// What stands before the claims: payment, trace, payer, payee. It has no claims and no provider adjustments.
    Begin(Box<Remittance<'s>>),
    /// LX with its totals, without its claims.
    Group(Box<ClaimGroup<'s>>),
    /// A claim.
    Claim(Claim<'s>),
    /// Provider adjustments, and what stood between them.
    Provider(Vec<Plb<'s>>, Vec<Extra<'s>>),
    /// The end.
    End(End),
}

/// A claim as it was read, its sums made. It becomes typed as far as it is asked: nothing is allocated before.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'s> {
    segments: &'s Block,
    mismatches: &'s [Mismatch],
    cut: bool,
}

impl<'s> Claim<'s> {
    /// CLP: the claim's numbers and amounts.
    pub fn head(&self) -> Clp<'s> {
        self.segments.first().map(|clp| SegmentModel::read(&clp)).unwrap_or_default()
    }

    /// The whole claim.
    pub fn read(&self) -> ClaimPayment<'s> {
        Cursor::new(self.segments, 0).node().unwrap_or_default()
    }

    /// Its segments, CLP first.
    pub fn segments(&self) -> &'s Block {
        self.segments
    }

    /// Which of its sums do not come out even.
    pub fn mismatches(&self) -> &'s [Mismatch] {
        self.mismatches
    }

    /// Its end was left out, it being longer than the limit ([`MAX_PART_SEGMENTS`], [`MAX_PART_BYTES`]).
    pub fn cut(&self) -> bool {
        self.cut
    }
}

/// How an 835 ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// How the sums came out.
    pub balance: Balance,
    /// The payment itself, where it does not come out even.
    pub mismatches: Vec<Mismatch>,
    /// How many claims there were.
    pub claims: u64,
    /// How many segments were left out, a part being longer than the limit ([`MAX_PART_SEGMENTS`], [`MAX_PART_BYTES`]).
    pub left_out: u64,
}

/// What a part is, by the segment it begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Begin,
    Group,
    Claim,
    Provider,
}

/// Takes the segments of one 835 after the other, and gives its parts; the last is [`Part::End`].
#[derive(Default)]
pub struct Parts {
    /// The segments of the part that is open.
    block: Block,
    kind: Kind,
    /// Something of the open part was left out.
    cut: bool,
    /// The part that was given out last; its room is used again.
    given: Block,
    given_kind: Kind,
    given_cut: bool,
    books: Books,
    /// What does not come out even, of the part that is open and of the one given out.
    uneven: Vec<Mismatch>,
    given_uneven: Vec<Mismatch>,
    claims: u64,
    left_out: u64,
    ended: bool,
}

impl SetParts for Parts {
    const ID: &'static str = Remittance::ID;

    type Part<'s> = Part<'s>;

    fn restart(&mut self) {
        let (mut block, given) = (std::mem::take(&mut self.block), std::mem::take(&mut self.given));
        block.clear();
        *self = Self { block, given, ..Self::default() };
    }

    #[inline]
    fn take(&mut self, segment: &Segment<'_>) -> bool {
        let kind = if segment.is("CLP") {
            Kind::Claim
        } else if segment.is("LX") {
            Kind::Group
        } else if segment.is("PLB") && self.kind != Kind::Provider {
            Kind::Provider
        } else {
            self.keep(segment);
            return false;
        };
        self.turn(kind);
        self.keep(segment);
        !self.given.is_empty()
    }

    fn finish(&mut self) -> Option<Part<'_>> {
        if self.ended {
            return None;
        }
        if !self.block.is_empty() {
            self.turn(Kind::Begin);
            return self.part();
        }
        self.ended = true;
        let mut mismatches = std::mem::take(&mut self.uneven);
        let balance = self.books.end(&mut |mismatch| mismatches.push(mismatch));
        Some(Part::End(End { balance, mismatches, claims: self.claims, left_out: self.left_out }))
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn part(&mut self) -> Option<Part<'_>> {
        self.given.first()?;
        Some(match self.given_kind {
            Kind::Begin => Part::Begin(Box::new(Remittance::read(&self.given))),
            Kind::Group => Part::Group(Cursor::new(&self.given, 0).node().unwrap_or_default()),
            Kind::Claim => {
                self.claims = self.claims.saturating_add(1);
                Part::Claim(Claim { segments: &self.given, mismatches: &self.given_uneven, cut: self.given_cut })
            }
            Kind::Provider => {
                let read = Remittance::read(&self.given);
                Part::Provider(read.provider_adjustments, read.extra)
            }
        })
    }
}

impl Parts {
    fn keep(&mut self, segment: &Segment<'_>) {
        let room = self.block.len() < MAX_PART_SEGMENTS && self.block.bytes() < MAX_PART_BYTES;
        if !room || !self.block.push(segment, segment.position) {
            self.cut = true;
            self.left_out = self.left_out.saturating_add(1);
        }
        let uneven = &mut self.uneven;
        self.books.segment(segment, At(segment.position), &mut |mismatch| {
            if uneven.len() < MAX_PART_SEGMENTS {
                uneven.push(mismatch);
            }
        });
    }

    /// Begins another part; the open one is given out.
    fn turn(&mut self, kind: Kind) {
        let uneven = &mut self.uneven;
        self.books.end_claim(&mut |mismatch| uneven.push(mismatch));
        std::mem::swap(&mut self.uneven, &mut self.given_uneven);
        self.uneven.clear();
        std::mem::swap(&mut self.block, &mut self.given);
        self.block.clear();
        (self.given_kind, self.kind) = (self.kind, kind);
        self.given_cut = std::mem::take(&mut self.cut);
    }
}
