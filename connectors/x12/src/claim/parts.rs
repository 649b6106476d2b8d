//! An 837 part by part: however long it is, only one claim and the levels above it are in memory.

use super::{Billing, Claim, Claims, Patient, Subscriber};
use crate::envelope::SetParts;
use crate::model::{Cursor, Node};
use crate::read::{Block, Segment};

/// Segments of one claim, or of one level, that are kept.
pub const MAX_PART_SEGMENTS: usize = 100_000;
/// Bytes of one claim, or of one level, that are kept.
pub const MAX_PART_BYTES: usize = 8 << 20;

/// A part of an 837. They come in the order of the file; `Begin` is the first and `End` the last. What stands in a level
/// comes after it, up to the next level of its kind or above.
#[derive(Debug)]
pub enum Part<'s> {
    /// What stands before the first level: BHT, submitter, receiver. It has no billing providers.
    Begin(Box<Claims<'s>>),
    /// A billing provider, without its subscribers.
    Billing(Box<Billing<'s>>),
    /// A subscriber, without claims and patients.
    Subscriber(Box<Subscriber<'s>>),
    /// A patient who is not the subscriber, without claims.
    Patient(Box<Patient<'s>>),
    /// A claim, where it stands.
    Claim(InContext<'s>),
    /// A level that is none of an 837, as it stood. It ends all levels that are open.
    Unknown(&'s Block),
    /// The end.
    End(End),
}

/// How an 837 ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// How many claims there were.
    pub claims: u64,
    /// How many segments were left out, a part being longer than the limit ([`MAX_PART_SEGMENTS`], [`MAX_PART_BYTES`]).
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
    Cursor::new(block, 0).node()
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

/// Takes the segments of one 837 after the other, and gives its parts; the last is [`Part::End`].
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

impl SetParts for Parts {
    const ID: &'static str = Claims::ID;

    type Part<'s> = Part<'s>;

    fn restart(&mut self) {
        let (mut open, given) = (std::mem::take(&mut self.open), std::mem::take(&mut self.given));
        open.clear();
        *self = Self { open, given, ..Self::default() };
    }

    fn take(&mut self, segment: &Segment<'_>) -> bool {
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

    fn part(&mut self) -> Option<Part<'_>> {
        let Self { given, above, .. } = self;
        Some(match self.given_kind {
            Kind::Begin => Part::Begin(Box::new(Claims::read(given))),
            Kind::Billing => Part::Billing(Box::new(node(&above.billing)?)),
            Kind::Subscriber => Part::Subscriber(Box::new(node(&above.subscriber)?)),
            Kind::Patient => Part::Patient(Box::new(node(&above.patient)?)),
            Kind::Unknown => Part::Unknown(given),
            Kind::Claim => Part::Claim(InContext { claim: given, above }),
        })
    }

    fn finish(&mut self) -> Option<Part<'_>> {
        if self.ended {
            return None;
        }
        if self.turn(Kind::Unknown) {
            return self.part();
        }
        self.ended = true;
        Some(Part::End(End { claims: self.claims, left_out: self.left_out }))
    }

    fn ended(&self) -> bool {
        self.ended
    }
}

impl Parts {
    fn keep(&mut self, segment: &Segment<'_>) {
        let room = self.open.len() < MAX_PART_SEGMENTS && self.open.bytes() < MAX_PART_BYTES;
        if !room || !self.open.push(segment, segment.position) {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Begins another part. Whether there was one before, which is then given out; a level is kept, too, for the claims
    /// below it.
    fn turn(&mut self, kind: Kind) -> bool {
        let before = std::mem::replace(&mut self.kind, kind);
        if self.open.is_empty() {
            return false;
        }
        let Above { billing, subscriber, patient } = &mut self.above;
        let (place, ends): (_, [Option<&mut Block>; 3]) = match before {
            Kind::Begin | Kind::Claim => (&mut self.given, [None, None, None]),
            Kind::Unknown => (&mut self.given, [Some(billing), Some(subscriber), Some(patient)]),
            Kind::Billing => (billing, [Some(subscriber), Some(patient), None]),
            Kind::Subscriber => (subscriber, [Some(patient), None, None]),
            Kind::Patient => (patient, [None, None, None]),
        };
        std::mem::swap(&mut self.open, place);
        self.open.clear();
        ends.into_iter().flatten().for_each(Block::clear);
        self.given_kind = before;
        self.claims = self.claims.saturating_add(u64::from(before == Kind::Claim));
        true
    }
}
