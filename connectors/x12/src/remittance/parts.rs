//! An 835 part by part: however long it is, only one claim is in memory.

use super::balance::{Balance, Books, Mismatch};
use super::{ClaimGroup, ClaimPayment, Plb, Remittance};
use crate::model::{Cursor, Extra, Node, Outer};
use crate::read::{Block, Segment};

/// Segments of one claim, or of another part, that are kept.
pub const MAX_PART_SEGMENTS: usize = 20_000;
/// Bytes of one part that are kept.
pub const MAX_PART_BYTES: usize = 2 << 20;

/// A part of an 835. They come in the order of the file; `Begin` is the first and `End` the last.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all parts are claims")]
pub enum Part<'s> {
    /// What stands before the claims: payment, trace, payer, payee. It has no claims and no provider adjustments.
    Begin(Remittance<'s>),
    /// LX with its totals, without its claims.
    Group(ClaimGroup<'s>),
    /// A claim, and which of its sums do not come out even.
    Claim(ClaimPayment<'s>, Vec<Mismatch>),
    /// Provider adjustments, and what stood between them.
    Provider(Vec<Plb<'s>>, Vec<Extra<'s>>),
    /// The end.
    End(End),
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

/// Takes the segments of one 835 after the other, and gives its parts.
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
    claims: u64,
    left_out: u64,
    ended: bool,
}

impl Parts {
    /// At the start of a transaction set.
    pub fn new() -> Self {
        Self::default()
    }

    /// At the start of another one; the memory is used again.
    pub fn restart(&mut self) {
        let (mut block, given) = (std::mem::take(&mut self.block), std::mem::take(&mut self.given));
        block.clear();
        *self = Self { block, given, ..Self::default() };
    }

    /// Takes the next segment, ST included, SE left out; gives the part that it ends.
    pub fn push(&mut self, segment: &Segment<'_>) -> Option<Part<'_>> {
        if self.take(segment) { self.part() } else { None }
    }

    /// The same; whether a part was ended, which is then [`Self::part`].
    pub(super) fn take(&mut self, segment: &Segment<'_>) -> bool {
        let kind = match segment.id_bytes() {
            b"CLP" => Kind::Claim,
            b"LX" => Kind::Group,
            b"PLB" if self.kind != Kind::Provider => Kind::Provider,
            _ => {
                self.keep(segment);
                return false;
            }
        };
        self.turn(kind);
        self.keep(segment);
        !self.given.is_empty()
    }

    /// Gives what is left at the end of the transaction set: the open part, then [`Part::End`], then nothing.
    pub fn finish(&mut self) -> Option<Part<'_>> {
        if self.ended {
            return None;
        }
        if !self.block.is_empty() {
            self.turn(Kind::Begin);
            return self.part();
        }
        self.ended = true;
        let mut mismatches = Vec::new();
        let balance = self.books.end(&mut |mismatch| mismatches.push(mismatch));
        Some(Part::End(End { balance, mismatches, claims: self.claims, left_out: self.left_out }))
    }

    /// Whether [`Part::End`] was given.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    fn keep(&mut self, segment: &Segment<'_>) {
        let room = self.block.len() < MAX_PART_SEGMENTS && self.block.bytes() < MAX_PART_BYTES;
        if !room || !self.block.push(segment, segment.position) {
            self.cut = true;
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Begins another part; the open one is given out.
    fn turn(&mut self, kind: Kind) {
        std::mem::swap(&mut self.block, &mut self.given);
        self.block.clear();
        (self.given_kind, self.kind) = (self.kind, kind);
        self.given_cut = std::mem::take(&mut self.cut);
    }

    /// Reads the part that is given out.
    pub(super) fn part(&mut self) -> Option<Part<'_>> {
        self.given.first()?;
        let cursor = &mut Cursor::new(&self.given, 0);
        Some(match self.given_kind {
            Kind::Begin => {
                let begin = Remittance::read(&self.given);
                if let Some(payment) = &begin.payment {
                    self.books.payment(payment, payment.at);
                }
                Part::Begin(begin)
            }
            Kind::Group => Part::Group(Node::read(cursor, &Outer::NONE)),
            Kind::Claim => {
                self.claims = self.claims.saturating_add(1);
                let claim = Node::read(cursor, &Outer::NONE);
                let mut mismatches = Vec::new();
                self.books.whole_claim(&claim, self.given_cut, &mut |mismatch| mismatches.push(mismatch));
                Part::Claim(claim, mismatches)
            }
            Kind::Provider => {
                let read = Remittance::read(&self.given);
                read.provider_adjustments.iter().for_each(|plb| self.books.provider(plb, &mut |_| {}));
                Part::Provider(read.provider_adjustments, read.extra)
            }
        })
    }
}
