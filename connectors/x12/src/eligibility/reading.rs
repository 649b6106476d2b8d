//! A 271 as the one who asked reads it: put in order first, with what was odd, and with the same view of every level.

use std::fmt;

use jiff::civil::Date;

use super::arrange::arrange;
use super::{
    EligibilityBenefit, EligibilityResponse, ResponseDependent, ResponseParty, ResponseReceiver, ResponseSource,
    ResponseSubscriber,
};
use crate::envelope::Transaction;
use crate::finding::{Finding, Oddity};
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
    /// place 0. Details beyond the bound for one loop, those without a place, and what comes after
    /// [`MAX_RESPONSE_SEGMENTS`](super::MAX_RESPONSE_SEGMENTS) are left out; the findings say so.
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

    /// Its end was left out: it is longer than the limit.
    pub fn cut(&self) -> bool {
        self.findings.iter().any(|finding| finding.oddity == Oddity::ResponseLength)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn response(body: &str) -> Response {
        let text = format!("ST*271*0001*005010X279A1~BHT*0022*11*R1*20261123~{body}SE*1*0001~");
        let document = Document::read(text.as_bytes()).unwrap();
        Response::read(document.transactions().next().unwrap()).unwrap()
    }

    const HEAD: &str = "HL*1**20*1~NM1*PR*2*X~HL*2*1*21*1~NM1*1P*2*Y~";

    fn codes(response: &Response) -> Vec<&str> {
        response.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn what_stands_in_order_is_read_as_it_stands() {
        let body = format!(
            "{HEAD}HL*3*2*22*0~TRN*2*T1~NM1*IL*1*DOE~REF*6P*G~AAA*N**15*C~EB*1**30~HSD*VS*1~MSG*A~LS*2120~NM1*P3*1*ROE~\
             PER*IC**TE*1~LE*2120~EB*B**98~HL*4*2*22*1~NM1*IL*1*POE~HL*5*4*23*0~NM1*03*1*POE~EB*1**30~"
        );
        let text = format!("ST*271*0001*005010X279A1~BHT*0022*11*R1*20261123~{body}SE*1*0001~");
        let document = Document::read(text.as_bytes()).unwrap();
        let arranged = arrange(document.transactions().next().unwrap());
        assert!(arranged.block.is_none() && arranged.findings.is_empty(), "{:?}", arranged.findings);
    }

    #[test]
    fn a_level_stands_below_the_parent_it_names() {
        let read = response(&format!(
            "{HEAD}HL*3*2*22*1~NM1*IL*1*DOE~HL*4*2*22*0~NM1*IL*1*POE~EB*1**30~HL*5*3*23*0~NM1*03*1*DOE*BEN~EB*6**30~"
        ));
        assert!(read.findings.is_empty(), "{:?}", read.findings);
        let [doe, poe] = read.model.sources[0].receivers[0].subscribers.as_slice() else { panic!("two subscribers") };
        assert_eq!(doe.dependents[0].parties[0].name.first_name, "BEN");
        assert_eq!((poe.dependents.len(), poe.benefits.len()), (0, 1));
        assert_eq!(read.benefits().map(|benefit| benefit.benefit.at.0).collect::<Vec<_>>(), [14, 11]);
    }

    #[test]
    fn levels_that_were_not_sent_are_put_in_and_shown_to_nobody() {
        let read =
            response("HL*1**20*1~NM1*PR*2*X~HL*2*1*22*0~NM1*IL*1*DOE~EB*1**30~HL*3*1*22*0~NM1*IL*1*POE~EB*1**30~");
        let source = &read.model.sources[0];
        assert_eq!(source.receivers.len(), 1);
        assert!(Level::source(source).is_some() && Level::receiver(&source.receivers[0]).is_none());
        assert_eq!(source.receivers[0].subscribers.len(), 2);
        // A dependent that names the asker as its parent has no subscriber, not the one that was sent before it.
        let read = response(&format!("{HEAD}HL*3*2*22*0~NM1*IL*1*DOE~EB*1**30~HL*4*2*23*0~NM1*03*1*BEN~EB*1**30~"));
        let [doe, made] = read.model.sources[0].receivers[0].subscribers.as_slice() else { panic!("two subscribers") };
        assert!(doe.dependents.is_empty() && Level::subscriber(made).is_none());
        assert_eq!(made.dependents[0].parties[0].name.last_name, "BEN");
    }

    #[test]
    fn details_out_of_order_are_put_where_they_belong() {
        let read = response(&format!(
            "{HEAD}HL*3*2*22*0~DMG*D8*19800201~NM1*IL*1*DOE~TRN*2*T1~EB*1**30~LS*2120~NM1*P3*1*ROE~MSG*LATE~LE*2120~\
             EB*1**98~LS*2120~NM1*P3*1*ROE~LE*2120~LS*2120~NM1*P4*2*POE~LE*2120~ZZZ*1~"
        ));
        assert_eq!(codes(&read), ["misplaced_segment"]);
        let subscriber = &read.model.sources[0].receivers[0].subscribers[0];
        assert_eq!((&*subscriber.traces[0].number, subscriber.traces[0].at.0), ("T1", 10));
        assert_eq!(subscriber.parties[0].demographics.as_ref().unwrap().at.0, 8);
        assert_eq!((&*subscriber.benefits[0].messages[0].text, subscriber.benefits[0].entities.len()), ("LATE", 1));
        assert_eq!(subscriber.benefits[1].entities.len(), 2);
        // Somebody without a name.
        let nameless = response("HL*1**20*1~HL*2*1*21*1~HL*3*2*22*0~REF*6P*G7~EB*1**30~");
        let level = Level::subscriber(&nameless.model.sources[0].receivers[0].subscribers[0]).unwrap();
        assert_eq!(level.references().next().unwrap().value, "G7");
    }

    #[test]
    fn a_271_beyond_the_limit_is_cut_and_says_so() {
        let before = HEAD.matches('~').count() + 5;
        let most = crate::eligibility::MAX_RESPONSE_SEGMENTS;
        let long = |lines: usize| response(&format!("{HEAD}HL*3*2*22*0~NM1*IL*1*DOE~{}", "EB*1**30~".repeat(lines)));
        let read = long(most - before);
        assert!(!read.cut() && read.findings.is_empty() && read.benefits().count() == most - before);
        let read = long(most);
        assert!(read.cut() && read.benefits().count() < most, "{}", read.benefits().count());
        let [finding] = read.findings.as_slice() else { panic!("{:?}", codes(&read)) };
        assert_eq!((finding.code, finding.severity), ("response_length", crate::Severity::Error));
        let limit = format!("{},{:03}", most / 1000, most % 1000);
        assert!(finding.message.contains(&limit) && finding.help.is_some(), "{}", finding.message);
    }

    #[test]
    fn too_much_of_one_kind_is_left_out_and_said() {
        let read = response(&format!("{HEAD}HL*3*2*22*0~NM1*IL*1*DOE~EB*1**30~{}", "MSG*A~".repeat(101)));
        assert_eq!(read.benefits().next().unwrap().messages.len(), 100);
        assert_eq!(codes(&read), ["detail_count"]);
    }
}
