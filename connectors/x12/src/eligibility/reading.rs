//! A 271 as the one who asked reads it: put in order first, with what was odd, and with the same view of every level.

use std::fmt;

use jiff::civil::Date;

use super::arrange::arrange;
use super::{
    EligibilityBenefit, EligibilityResponse, ResponseDependent, ResponseParty, ResponseReceiver, ResponseSource,
    ResponseSubscriber,
};
use crate::envelope::Transaction;
use crate::finding::Finding;
use crate::model::common::{Aaa, Dmg, Dtp, Hi, Ins, Ref, Trn};

/// A 271, read whatever the order of its levels and segments. Nothing is interpreted: what a code means and what belongs
/// together is decided in the answers.
#[derive(Clone)]
pub struct Response {
    /// Place of the transaction set in its interchange, from 1.
    pub transaction: u32,
    /// ST02
    pub control: String,
    /// ST03, else GS08.
    pub implementation: String,
    /// How many segments it has, ST and SE included.
    pub segments: u32,
    /// Its content, each level below the parent it names. A level that was not sent, but had to be put in, stands at
    /// place 0. Details beyond the bound for one loop, and those without a place, are left out; the findings say so.
    pub model: EligibilityResponse<'static>,
    /// What was odd about its structure.
    pub findings: Vec<Finding>,
}

impl Response {
    /// Reads a transaction set. `None` where it is no 271.
    pub fn read(transaction: &Transaction) -> Option<Self> {
        if transaction.id != EligibilityResponse::ID {
            return None;
        }
        let arranged = arrange(transaction);
        let block = arranged.block.as_ref().unwrap_or(&transaction.segments);
        Some(Self {
            transaction: transaction.number,
            control: transaction.control.clone(),
            implementation: transaction.implementation.clone(),
            segments: u32::try_from(transaction.segments.len()).unwrap_or(u32::MAX),
            model: EligibilityResponse::read(block).into_static(),
            findings: arranged.findings,
        })
    }

    /// BHT03: our reference, echoed; empty where it is not there.
    pub fn reference(&self) -> &str {
        self.model.beginning.as_ref().map_or("", |bht| &bht.reference)
    }

    /// BHT04: the day the answer was given.
    pub fn date(&self) -> Option<Date> {
        self.model.beginning.as_ref().and_then(|bht| bht.date.get())
    }

    /// All EB loops.
    pub fn benefits(&self) -> impl Iterator<Item = &EligibilityBenefit<'static>> {
        let receivers = self.model.sources.iter().flat_map(|source| &source.receivers);
        receivers.flat_map(|receiver| &receiver.subscribers).flat_map(|subscriber| {
            subscriber.benefits.iter().chain(subscriber.dependents.iter().flat_map(|dependent| &dependent.benefits))
        })
    }
}

// It holds a patient: only its shape is shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} segments, {} benefits)", self.segments, self.benefits().count())
    }
}

/// What a level speaks of (HL03), in the order of the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelKind {
    /// `20`: the carrier. Loops 2000A, 2100A.
    Source,
    /// `21`: who asked. Loops 2000B, 2100B.
    Receiver,
    /// `22`: the subscriber. Loops 2000C, 2100C, 2110C …
    Subscriber,
    /// `23`: a dependent. Loops 2000D, 2100D, 2110D …
    Dependent,
}

impl LevelKind {
    pub(super) const ALL: [Self; 4] = [Self::Source, Self::Receiver, Self::Subscriber, Self::Dependent];

    /// Of an HL03.
    pub(super) fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.hl().ends_with(code.as_bytes()) && code.len() == 2)
    }

    /// An HL segment that says no more than this.
    pub(super) fn hl(self) -> &'static [u8] {
        match self {
            Self::Source => b"HL***20",
            Self::Receiver => b"HL***21",
            Self::Subscriber => b"HL***22",
            Self::Dependent => b"HL***23",
        }
    }

    /// The letter its loops end in.
    pub fn letter(self) -> char {
        match self {
            Self::Source => 'A',
            Self::Receiver => 'B',
            Self::Subscriber => 'C',
            Self::Dependent => 'D',
        }
    }

    /// A loop of this level: `2110` gives `2110C`.
    pub fn loop_id(self, number: &str) -> String {
        format!("{number}{}", self.letter())
    }
}

/// One level of a 271, whichever it is.
#[derive(Clone, Copy)]
pub struct Level<'a> {
    /// What it speaks of.
    pub kind: LevelKind,
    /// TRN segments; there are none at the carrier's and the asker's level.
    pub traces: &'a [Trn<'a>],
    /// AAA before a name.
    pub rejections: &'a [Aaa<'a>],
    /// Whom it names; the first is the one it is about.
    pub parties: &'a [ResponseParty<'a>],
    /// EB loops; there are none at the carrier's and the asker's level.
    pub benefits: &'a [EligibilityBenefit<'a>],
}

/// An AAA segment, and where it stands.
#[derive(Clone)]
pub struct Rejection<'a> {
    /// The segment.
    pub aaa: &'a Aaa<'a>,
    /// The loop it stands in; `header` before the first level.
    pub loop_id: String,
}

impl<'a> Level<'a> {
    /// The carrier's; `None` where it was not sent.
    pub fn source(source: &'a ResponseSource<'a>) -> Option<Self> {
        let ResponseSource { rejections, parties, .. } = source;
        let level = Self { kind: LevelKind::Source, traces: &[], rejections, parties, benefits: &[] };
        (source.level.at.0 > 0).then_some(level)
    }

    /// The asker's; `None` where it was not sent.
    pub fn receiver(receiver: &'a ResponseReceiver<'a>) -> Option<Self> {
        let ResponseReceiver { rejections, parties, .. } = receiver;
        let level = Self { kind: LevelKind::Receiver, traces: &[], rejections, parties, benefits: &[] };
        (receiver.level.at.0 > 0).then_some(level)
    }

    /// A subscriber's; `None` where it was not sent.
    pub fn subscriber(subscriber: &'a ResponseSubscriber<'a>) -> Option<Self> {
        let ResponseSubscriber { traces, rejections, parties, benefits, .. } = subscriber;
        let level = Self { kind: LevelKind::Subscriber, traces, rejections, parties, benefits };
        (subscriber.level.at.0 > 0).then_some(level)
    }

    /// A dependent's.
    pub fn dependent(dependent: &'a ResponseDependent<'a>) -> Self {
        let ResponseDependent { traces, rejections, parties, benefits, .. } = dependent;
        Self { kind: LevelKind::Dependent, traces, rejections, parties, benefits }
    }

    /// Whom it is about.
    pub fn party(&self) -> Option<&'a ResponseParty<'a>> {
        self.parties.first()
    }

    /// REF segments.
    pub fn references(&self) -> impl Iterator<Item = &'a Ref<'a>> + use<'a> {
        self.parties.iter().flat_map(|party| &party.references)
    }

    /// DTP segments.
    pub fn dates(&self) -> impl Iterator<Item = &'a Dtp<'a>> + use<'a> {
        self.parties.iter().flat_map(|party| &party.dates)
    }

    /// The DMG segment.
    pub fn demographics(&self) -> Option<&'a Dmg<'a>> {
        self.parties.iter().find_map(|party| party.demographics.as_ref())
    }

    /// The INS segment.
    pub fn insured(&self) -> Option<&'a Ins<'a>> {
        self.parties.iter().find_map(|party| party.insured.as_ref())
    }

    /// The HI segment.
    pub fn health(&self) -> Option<&'a Hi<'a>> {
        self.parties.iter().find_map(|party| party.health.as_ref())
    }

    /// AAA segments outside EB loops.
    pub fn own_rejections(&self) -> impl Iterator<Item = Rejection<'a>> + use<'a> {
        let kind = self.kind;
        let at = move |number: &'static str| move |aaa| Rejection { aaa, loop_id: kind.loop_id(number) };
        let of_parties = self.parties.iter().flat_map(|party| &party.rejections);
        self.rejections.iter().map(at("2000")).chain(of_parties.map(at("2100")))
    }

    /// AAA segments of EB loops.
    pub fn benefit_rejections(&self) -> impl Iterator<Item = Rejection<'a>> + use<'a> {
        let kind = self.kind;
        let all = self.benefits.iter().flat_map(|benefit| &benefit.rejections);
        all.map(move |aaa| Rejection { aaa, loop_id: kind.loop_id("2110") })
    }
}

// It holds a patient: only its shape is shown.
impl fmt::Debug for Level<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level({:?}, {} benefits)", self.kind, self.benefits.len())
    }
}
