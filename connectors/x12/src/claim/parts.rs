//! An 837 part by part: however long it is, only one claim and the levels above it are in memory.

use super::{Billing, Claim, Claims, Patient, Subscriber};
use crate::model::{Cursor, Node, Outer};
use crate::read::{Block, Segment};

/// Segments of one claim, or of one level, that are kept.
pub const MAX_PART_SEGMENTS: usize = 100_000;
/// Bytes of one claim, or of one level, that are kept.
pub const MAX_PART_BYTES: usize = 8 << 20;

/// A part of an 837. They come in the order of the file; `Begin` is the first and `End` the last.
#[derive(Debug)]
pub enum Part<'s> {
    /// What stands before the first level: BHT, submitter, receiver. It has no billing providers.
    Begin(Box<Claims<'s>>),
    /// A claim, where it stands.
    Claim(InContext<'s>),
    /// The end.
    End(End),
}

/// How an 837 ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// How many claims there were.
    pub claims: u64,
    /// How many segments were left out: a part was longer than the limit ([`MAX_PART_SEGMENTS`], [`MAX_PART_BYTES`]), or
    /// they stood in a level that is none of an 837.
    pub left_out: u64,
}

/// A claim with the levels above it. Each is read when it is asked for.
#[derive(Clone, Copy)]
pub struct InContext<'s> {
    claim: &'s Block,
    above: &'s Above,
}

impl<'s> InContext<'s> {
    /// The claim.
    pub fn claim(&self) -> Claim<'s> {
        node(self.claim).unwrap_or_default()
    }

    /// The billing provider; without its subscribers.
    pub fn billing(&self) -> Option<Billing<'s>> {
        node(&self.above.billing)
    }

    /// The subscriber; without claims and patients.
    pub fn subscriber(&self) -> Option<Subscriber<'s>> {
        node(&self.above.subscriber)
    }

    /// The patient, where it is not the subscriber; without claims.
    pub fn patient(&self) -> Option<Patient<'s>> {
        node(&self.above.patient)
    }

    /// The segments of the claim, CLM first.
    pub fn segments(&self) -> &'s Block {
        self.claim
    }
}

impl std::fmt::Debug for InContext<'_> {
    /// It is about a patient: only its size is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InContext({} segments)", self.claim.len())
    }
}

fn node<'s, N: Node<'s>>(block: &'s Block) -> Option<N> {
    let mut cursor = Cursor::new(block, 0);
    cursor.peek()?;
    Some(N::read(&mut cursor, &Outer::NONE))
}

/// The levels that are open.
#[derive(Default)]
struct Above {
    billing: Block,
    subscriber: Block,
    patient: Block,
}

/// What a part is, by the segment it begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Begin,
    Billing,
    Subscriber,
    Patient,
    /// A level that is none of an 837.
    Unknown,
    Claim,
}

/// Takes the segments of one 837 after the other, and gives its parts.
#[derive(Default)]
pub struct Parts {
    /// The segments of the part that is open.
    open: Block,
    kind: Kind,
    above: Above,
    /// The part that was given out last; its room is used again.
    given: Block,
    given_kind: Kind,
    claims: u64,
    left_out: u64,
    ended: bool,
}

impl Parts {
    /// At the start of a transaction set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next segment, ST included, SE left out; gives the part that it ends.
    pub fn push(&mut self, segment: &Segment<'_>) -> Option<Part<'_>> {
        if self.take(segment) { self.part() } else { None }
    }

    /// The same; whether a part was ended that is given out: it is [`Self::part`].
    pub(super) fn take(&mut self, segment: &Segment<'_>) -> bool {
        let kind = match segment.id_bytes() {
            b"CLM" => Kind::Claim,
            b"HL" if segment.has(3, &["20"]) => Kind::Billing,
            b"HL" if segment.has(3, &["22"]) => Kind::Subscriber,
            b"HL" if segment.has(3, &["23"]) => Kind::Patient,
            b"HL" => Kind::Unknown,
            _ => {
                self.keep(segment);
                return false;
            }
        };
        let gives = self.turn(kind);
        self.keep(segment);
        gives
    }

    /// Gives what is left at the end of the transaction set: the open part, then [`Part::End`], then nothing.
    pub fn finish(&mut self) -> Option<Part<'_>> {
        if self.ended {
            return None;
        }
        if !self.open.is_empty() && self.turn(Kind::Unknown) {
            return self.part();
        }
        self.ended = true;
        Some(Part::End(End { claims: self.claims, left_out: self.left_out }))
    }

    /// Whether [`Part::End`] was given.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    fn keep(&mut self, segment: &Segment<'_>) {
        let room = self.open.len() < MAX_PART_SEGMENTS && self.open.bytes() < MAX_PART_BYTES;
        if self.kind == Kind::Unknown || !room || !self.open.push(segment, segment.position) {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Begins another part. Whether the one before is given out; a level is kept instead, for the claims below it.
    fn turn(&mut self, kind: Kind) -> bool {
        let before = std::mem::replace(&mut self.kind, kind);
        let Above { billing, subscriber, patient } = &mut self.above;
        let (place, below): (_, [Option<&mut Block>; 2]) = match before {
            Kind::Begin | Kind::Claim => (&mut self.given, [None, None]),
            Kind::Billing => (billing, [Some(subscriber), Some(patient)]),
            Kind::Subscriber => (subscriber, [Some(patient), None]),
            Kind::Patient => (patient, [None, None]),
            Kind::Unknown => return false,
        };
        std::mem::swap(&mut self.open, place);
        self.open.clear();
        below.into_iter().flatten().for_each(Block::clear);
        let gives = matches!(before, Kind::Begin | Kind::Claim) && !self.given.is_empty();
        if gives {
            self.given_kind = before;
            self.claims = self.claims.saturating_add(u64::from(before == Kind::Claim));
        }
        gives
    }

    /// Reads the part that is given out.
    pub(super) fn part(&self) -> Option<Part<'_>> {
        Some(match self.given_kind {
            Kind::Begin => Part::Begin(Box::new(Claims::read(&self.given))),
            _ => Part::Claim(InContext { claim: &self.given, above: &self.above }),
        })
    }
}
