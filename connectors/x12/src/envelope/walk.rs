//! The walk itself: one event for each segment, and one for each end that a file leaves out.

use std::io::Read;
use std::sync::Arc;

use super::{Group, Interchange, SetHeader};
use crate::finding::{Finding, Findings, Oddity};
use crate::read::{Here, Id, ReadError, Reader, Segment};

/// One step of the walk over a file.
///
/// They nest without exception: `Interchange` … `InterchangeEnd`, inside it `Group` … `GroupEnd`, inside it `Begin` …
/// `End`, with `Segment` only between these two. Where a trailer is missing the end comes all the same, without a
/// segment and with a finding; where a header is missing, its level is left out whole (a trailer without its header is
/// [`Event::Outside`]). Segments borrow from the walker's buffer: keep what is needed in a [`Block`](crate::Block).
#[derive(Debug)]
pub enum Event<'a> {
    /// ISA.
    Interchange {
        /// What it says.
        header: &'a Arc<Interchange>,
        /// The segment.
        segment: Segment<'a>,
    },
    /// TA1, outside a transaction set.
    InterchangeAck(Segment<'a>),
    /// GS.
    Group {
        /// What it says.
        header: &'a Arc<Group>,
        /// The segment.
        segment: Segment<'a>,
    },
    /// ST; its position is 1.
    Begin {
        /// What it says, and where it stands.
        header: &'a Arc<SetHeader>,
        /// The segment.
        segment: Segment<'a>,
    },
    /// A segment between ST and SE, with its position in the transaction set.
    Segment(Segment<'a>),
    /// SE.
    End {
        /// The segment; `None` where it is missing.
        segment: Option<Segment<'a>>,
        /// How many segments the transaction set has, ST and SE included.
        segments: u64,
        /// What was odd about the transaction set, its trailer included: the first
        /// [`MAX_FINDINGS`](crate::finding::MAX_FINDINGS).
        findings: Vec<Finding>,
    },
    /// GE.
    GroupEnd {
        /// The segment; `None` where it is missing.
        segment: Option<Segment<'a>>,
        /// How many transaction sets the group has.
        sets: u64,
        /// What was odd about its trailer.
        findings: Vec<Finding>,
    },
    /// IEA.
    InterchangeEnd {
        /// The segment; `None` where it is missing.
        segment: Option<Segment<'a>>,
        /// How many functional groups the interchange has.
        groups: u64,
        /// What was odd about its trailer.
        findings: Vec<Finding>,
    },
    /// A segment that stands outside a transaction set, or a trailer without its header. There is a finding about it.
    Outside(Segment<'a>),
}

/// Walks over a file: ISA, GS and ST with their trailers, counts and control numbers checked.
///
/// [`Walker::next_event`] gives segment by segment in flat memory, however long a transaction set is;
/// [`Walker::next_item`] collects whole transaction sets. Use one of the two on a walker.
pub struct Walker<R> {
    reader: Reader<R>,
    /// The reader's segment has not been given yet: ends that were left out came first.
    held: bool,
    /// What the reader found about that segment.
    fresh: Vec<Finding>,
    interchange: Option<Arc<Interchange>>,
    group: Option<Arc<Group>>,
    set: Option<Arc<SetHeader>>,
    interchanges: u32,
    groups: u64,
    in_group: u64,
    in_interchange: u32,
    /// Segments of the open transaction set, and what was odd about it.
    in_set: u64,
    set_findings: Findings,
    told: Told,
    /// What belongs to no event.
    pub(super) findings: Findings,
}

/// What a file is told of once.
#[derive(Default)]
struct Told(Vec<Oddity>);

impl Told {
    /// Tells that there are several of a kind, at the second one.
    fn several(&mut self, oddity: Oddity, count: u64, segment: &Segment<'_>, findings: &mut Findings) {
        if count > 1 && !self.0.contains(&oddity) {
            self.0.push(oddity);
            findings.push(oddity.at(segment.number, segment.offset));
        }
    }
}

impl<R: Read> Walker<R> {
    /// A walk over `source`. Nothing is read yet.
    pub fn new(source: R) -> Self {
        Self {
            reader: Reader::new(source),
            held: false,
            fresh: Vec::new(),
            interchange: None,
            group: None,
            set: None,
            interchanges: 0,
            groups: 0,
            in_group: 0,
            in_interchange: 0,
            in_set: 0,
            set_findings: Findings::default(),
            told: Told::default(),
            findings: Findings::default(),
        }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, ReadError> {
        if let Some(here) = self.short_way() {
            return Ok(self.segment(here).map(Event::Segment));
        }
        self.long_way()
    }

    /// The next segment where it stands inside a transaction set and there is nothing to tell of it: what nearly every
    /// event is. `None`: [`Self::next_event`] knows.
    #[inline(always)]
    pub(crate) fn next_inside(&mut self) -> Option<Segment<'_>> {
        let here = self.short_way()?;
        self.segment(here)
    }

    #[inline(always)]
    fn short_way(&mut self) -> Option<Here> {
        if self.set.is_none() || self.held {
            return None;
        }
        let here = self.reader.step()?;
        if Kind::of(here.id, true) != Kind::Inside {
            self.held = true; // read already
            return None;
        }
        self.in_set = self.in_set.saturating_add(1);
        Some(here)
    }

    #[inline(always)]
    fn segment(&self, here: Here) -> Option<Segment<'_>> {
        let segment = self.reader.segment(here)?;
        Some(Segment { position: position(self.in_set), ..segment })
    }

    fn long_way(&mut self) -> Result<Option<Event<'_>>, ReadError> {
        if !std::mem::take(&mut self.held) {
            let more = self.reader.advance()?;
            if self.reader.has_findings() {
                self.fresh = self.reader.take_findings();
            }
            if !more {
                return Ok(self.end_of_file());
            }
        }
        let Some((kind, number, offset)) = self
            .reader
            .current()
            .map(|segment| (Kind::of(segment.id, self.set.is_some()), segment.number, segment.offset))
        else {
            return Ok(None);
        };
        if kind != Kind::Inside && self.left_open(kind) {
            self.held = true;
            return Ok(self.end_left_out(number, offset));
        }
        Ok(match kind {
            Kind::Inside => self.inside(),
            Kind::Isa => self.isa(),
            Kind::Gs => self.gs(),
            Kind::St => self.st(),
            Kind::Se => self.se(),
            Kind::Ge => self.ge(),
            Kind::Iea => self.iea(),
            Kind::Ack => {
                self.keep_fresh();
                self.reader.current().map(Event::InterchangeAck)
            }
            Kind::Stray => self.outside(Oddity::Stray),
        })
    }

    /// Takes out the findings no event has brought so far: about text and segments around the transaction sets. What
    /// [`Event::End`], [`Event::GroupEnd`] and [`Event::InterchangeEnd`] carry is not in it; after
    /// [`Walker::next_item`] what was odd about groups and interchanges is.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.findings.take()
    }

    /// The interchange the walk is in.
    pub fn interchange(&self) -> Option<&Arc<Interchange>> {
        self.interchange.as_ref()
    }

    /// The functional group the walk is in.
    pub fn group(&self) -> Option<&Arc<Group>> {
        self.group.as_ref()
    }

    /// How many interchanges were begun.
    pub fn interchanges(&self) -> u32 {
        self.interchanges
    }

    /// How many segments were read.
    pub fn segments(&self) -> u64 {
        self.reader.segments()
    }

    /// Whether something is open that has to end before a segment of this kind.
    fn left_open(&self, kind: Kind) -> bool {
        match kind {
            Kind::Isa => self.set.is_some() || self.group.is_some() || self.interchange.is_some(),
            Kind::Gs | Kind::Iea => self.set.is_some() || self.group.is_some(),
            Kind::St | Kind::Ge => self.set.is_some(),
            _ => false,
        }
    }

    /// Ends the innermost open thing without its trailer. The place is that of the segment that came instead.
    fn end_left_out(&mut self, number: u64, offset: u64) -> Option<Event<'static>> {
        let place = |oddity: Oddity| vec![oddity.at(number, offset)];
        if self.set.is_some() {
            return Some(self.end_set(None, Oddity::NoSe.at(number, offset)));
        }
        if self.group.take().is_some() {
            return Some(Event::GroupEnd { segment: None, sets: self.in_group, findings: place(Oddity::NoGe) });
        }
        self.interchange.take()?;
        Some(Event::InterchangeEnd { segment: None, groups: self.groups, findings: place(Oddity::NoIea) })
    }

    fn end_of_file(&mut self) -> Option<Event<'static>> {
        self.keep_fresh();
        let (number, offset) = self.reader.last();
        self.end_left_out(number, offset)
    }

    /// What the reader found about this segment belongs to the file as a whole.
    fn keep_fresh(&mut self) {
        self.fresh.drain(..).for_each(|finding| self.findings.push(finding));
    }

    /// What the reader found about this segment belongs to the open transaction set.
    fn keep_fresh_in_set(&mut self) {
        for finding in self.fresh.drain(..) {
            self.set_findings.push(finding);
        }
    }

    fn inside(&mut self) -> Option<Event<'_>> {
        if !self.fresh.is_empty() {
            self.keep_fresh_in_set();
        }
        self.in_set = self.in_set.saturating_add(1);
        let position = position(self.in_set);
        self.reader.current().map(|segment| Event::Segment(Segment { position, ..segment }))
    }

    fn isa(&mut self) -> Option<Event<'_>> {
        self.keep_fresh();
        let segment = self.reader.current()?;
        self.interchanges = self.interchanges.saturating_add(1);
        self.told.several(Oddity::SeveralInterchanges, u64::from(self.interchanges), &segment, &mut self.findings);
        (self.groups, self.in_interchange) = (0, 0);
        let header = self.interchange.insert(Arc::new(Interchange::read(&segment, self.interchanges)));
        Some(Event::Interchange { header, segment })
    }

    fn gs(&mut self) -> Option<Event<'_>> {
        self.keep_fresh();
        let segment = self.reader.current()?;
        self.groups = self.groups.saturating_add(1);
        self.told.several(Oddity::SeveralGroups, self.groups, &segment, &mut self.findings);
        self.in_group = 0;
        let header = self.group.insert(Arc::new(Group::read(&segment)));
        Some(Event::Group { header, segment })
    }

    fn st(&mut self) -> Option<Event<'_>> {
        self.set_findings = Findings::default();
        self.keep_fresh_in_set();
        let segment = Segment { position: 1, ..self.reader.current()? };
        self.in_interchange = self.in_interchange.saturating_add(1);
        self.in_group = self.in_group.saturating_add(1);
        self.in_set = 1;
        self.told.several(Oddity::SeveralSets, self.in_group, &segment, &mut self.findings);
        if self.group.is_none() {
            self.set_findings.push(Oddity::NoGs.at(segment.number, segment.offset));
        }
        let version = self.group.as_ref().map(|group| group.version.clone()).unwrap_or_default();
        let header = self.set.insert(Arc::new(SetHeader {
            interchange: self.interchange.clone(),
            group: self.group.clone(),
            id: segment.text(1).into_owned(),
            control: segment.text(2).into_owned(),
            implementation: segment.some(3).unwrap_or(version),
            number: self.in_interchange,
        }));
        Some(Event::Begin { header, segment })
    }

    fn se(&mut self) -> Option<Event<'_>> {
        let Some(set) = self.set.clone() else { return self.outside(Oddity::StrayTrailer) };
        self.keep_fresh_in_set();
        self.in_set = self.in_set.saturating_add(1);
        let position = position(self.in_set);
        let segment = Segment { position, ..self.reader.current()? };
        let (number, offset) = (segment.number, segment.offset);
        let stated = count_in(&segment);
        if segment.text(2) != set.control.as_str() {
            self.set_findings.push(Oddity::SeControl.at(number, offset));
        }
        if stated != Some(self.in_set) {
            self.set_findings.push(Oddity::SeCount.at(number, offset).counts(stated, Some(self.in_set)));
        }
        let (segments, findings) = self.close_set();
        let segment = self.reader.current().map(|segment| Segment { position, ..segment });
        Some(Event::End { segment, segments, findings })
    }

    /// Ends the open transaction set where its SE is missing.
    fn end_set(&mut self, segment: Option<Segment<'static>>, finding: Finding) -> Event<'static> {
        self.set_findings.push(finding);
        let (segments, findings) = self.close_set();
        Event::End { segment, segments, findings }
    }

    fn close_set(&mut self) -> (u64, Vec<Finding>) {
        let place = self.set.take().map(|set| set.number);
        let mut findings = self.set_findings.take();
        for finding in &mut findings {
            finding.transaction = place;
        }
        (std::mem::take(&mut self.in_set), findings)
    }

    fn ge(&mut self) -> Option<Event<'_>> {
        let Some(group) = self.group.take() else { return self.outside(Oddity::StrayTrailer) };
        self.keep_fresh();
        let sets = self.in_group;
        let segment = self.reader.current()?;
        let findings = trailer(&segment, sets, &group.control, Oddity::GeCount, Oddity::GeControl);
        Some(Event::GroupEnd { segment: Some(segment), sets, findings })
    }

    fn iea(&mut self) -> Option<Event<'_>> {
        let Some(interchange) = self.interchange.take() else { return self.outside(Oddity::StrayTrailer) };
        self.keep_fresh();
        let groups = self.groups;
        let segment = self.reader.current()?;
        let findings = trailer(&segment, groups, &interchange.control, Oddity::IeaCount, Oddity::IeaControl);
        Some(Event::InterchangeEnd { segment: Some(segment), groups, findings })
    }

    fn outside(&mut self, oddity: Oddity) -> Option<Event<'_>> {
        self.keep_fresh();
        let segment = self.reader.current()?;
        self.findings.push(oddity.at(segment.number, segment.offset));
        Some(Event::Outside(segment))
    }
}

/// What a GE or IEA gets wrong: its count, its control number.
fn trailer(segment: &Segment<'_>, counted: u64, control: &str, count: Oddity, number: Oddity) -> Vec<Finding> {
    let stated = count_in(segment);
    let wrong =
        (stated != Some(counted)).then(|| count.at(segment.number, segment.offset).counts(stated, Some(counted)));
    let other = (segment.text(2) != control).then(|| number.at(segment.number, segment.offset));
    wrong.into_iter().chain(other).collect()
}

fn count_in(trailer: &Segment<'_>) -> Option<u64> {
    trailer.text(1).parse().ok()
}

fn position(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a segment means to the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Isa,
    Gs,
    St,
    Se,
    Ge,
    Iea,
    Ack,
    Inside,
    Stray,
}

impl Kind {
    #[inline(always)]
    fn of(id: Id, open: bool) -> Self {
        const ISA: Id = Id::of(b"ISA");
        const GS: Id = Id::of(b"GS");
        const ST: Id = Id::of(b"ST");
        const SE: Id = Id::of(b"SE");
        const GE: Id = Id::of(b"GE");
        const IEA: Id = Id::of(b"IEA");
        const TA1: Id = Id::of(b"TA1");
        match id {
            ISA => Self::Isa,
            GS => Self::Gs,
            ST => Self::St,
            SE => Self::Se,
            GE => Self::Ge,
            IEA => Self::Iea,
            _ if open => Self::Inside,
            TA1 => Self::Ack,
            _ => Self::Stray,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISA: &str =
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~";

    /// The events of a file as words, findings included.
    fn told(file: &str) -> Vec<String> {
        let mut walker = Walker::new(file.as_bytes());
        let mut told = Vec::new();
        let codes =
            |findings: &[Finding]| findings.iter().map(|finding| format!(" !{}", finding.code)).collect::<String>();
        while let Some(event) = walker.next_event().unwrap() {
            told.push(match event {
                Event::Interchange { header, .. } => format!("isa {}", header.control),
                Event::Group { header, .. } => format!("gs {}", header.control),
                Event::InterchangeAck(segment) => format!("ta1 {}", segment.text(1)),
                Event::Begin { header, segment } => format!("st {} {}", header.control, segment.position),
                Event::Segment(segment) => format!("{} {}", segment.id(), segment.position),
                Event::End { segment, segments, findings } => {
                    let position = segment.map_or(0, |segment| segment.position);
                    format!("se {segments} {position}{}", codes(&findings))
                }
                Event::GroupEnd { segment, sets, findings } => {
                    format!("ge {sets} {}{}", segment.is_some(), codes(&findings))
                }
                Event::InterchangeEnd { segment, groups, findings } => {
                    format!("iea {groups} {}{}", segment.is_some(), codes(&findings))
                }
                Event::Outside(segment) => format!("outside {}", segment.id()),
            });
        }
        told.push(format!("end{}", codes(&walker.take_findings())));
        told
    }

    #[test]
    fn a_whole_interchange() {
        let file = format!("{ISA}TA1*9~GS*HB*A*B*20260101*1200*7*X*V~ST*271*1~EB*1~SE*3*1~GE*1*7~IEA*1*000000001~");
        let expected = ["isa 000000001", "ta1 9", "gs 7", "st 1 1", "EB 2", "se 3 3", "ge 1 true", "iea 1 true", "end"];
        assert_eq!(told(&file), expected);
    }

    #[test]
    fn what_is_left_out_ends_all_the_same() {
        let file = format!("{ISA}GS*HB*A*B*20260101*1200*7*X*V~ST*271*1~EB*1~ST*271*2~{ISA}ST*271*1~SE*9*2~");
        let expected = [
            "isa 000000001",
            "gs 7",
            "st 1 1",
            "EB 2",
            "se 2 0 !no_se",
            "st 2 1",
            "se 1 0 !no_se",
            "ge 2 false !no_ge",
            "iea 1 false !no_iea",
            "isa 000000001",
            "st 1 1",
            "se 2 2 !no_gs !se_control !se_count",
            "iea 0 false !no_iea",
            "end !several_sets !several_interchanges",
        ];
        assert_eq!(told(&file), expected);
    }

    #[test]
    fn wrong_counts_and_numbers_and_strays() {
        let file = format!("{ISA}EB*1~SE*1*1~GS*HB*A*B*20260101*1200*7*X*V~GE*1*8~GE*0*7~IEA*2*000000002~IEA*0*1~");
        let expected = [
            "isa 000000001",
            "outside EB",
            "outside SE",
            "gs 7",
            "ge 0 true !ge_count !ge_control",
            "outside GE",
            "iea 1 true !iea_count !iea_control",
            "outside IEA",
            "end !stray_segment !stray_trailer !stray_trailer !stray_trailer",
        ];
        assert_eq!(told(&file), expected);
    }

    #[test]
    fn findings_inside_a_set_know_their_set() {
        let file = format!("{ISA}GS*HB*A*B*20260101*1200*7*X*V~ST*271*1~EBXX*1~SE*3*1~GE*1*7~IEA*1*000000001~");
        let mut walker = Walker::new(file.as_bytes());
        while let Some(event) = walker.next_event().unwrap() {
            if let Event::End { findings, .. } = event {
                let [finding] = findings.as_slice() else { panic!("{findings:?}") };
                assert_eq!((finding.code, finding.segment, finding.transaction), ("segment_id", 4, Some(1)));
            }
        }
        assert!(walker.take_findings().is_empty());
    }
}
