//! The walk over ISA, GS and ST: transaction sets one by one, with counts and control numbers checked.

use std::io::Read;
use std::rc::Rc;

use serde::Serialize;

use crate::finding::{Finding, Findings, Oddity};
use crate::read::{Kept, ReadError, Reader, Segment};

/// Segments of one transaction set that are kept.
pub const MAX_TRANSACTION_SEGMENTS: usize = 500_000;
/// Bytes of one transaction set that are kept.
pub const MAX_TRANSACTION_BYTES: usize = 128 << 20;

/// What the ISA says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Interchange {
    /// ISA05
    pub sender_qualifier: String,
    /// ISA06
    pub sender_id: String,
    /// ISA07
    pub receiver_qualifier: String,
    /// ISA08
    pub receiver_id: String,
    /// ISA09, `YYMMDD` as it came.
    pub date: String,
    /// ISA10, `HHMM` as it came.
    pub time: String,
    /// ISA12
    pub version: String,
    /// ISA13
    pub control: String,
    /// ISA15
    pub usage: String,
    /// Place in the file, from 1.
    pub number: u32,
}

/// What the GS says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// GS01
    pub functional_id: String,
    /// GS02
    pub sender: String,
    /// GS03
    pub receiver: String,
    /// GS04
    pub date: String,
    /// GS05
    pub time: String,
    /// GS06
    pub control: String,
    /// GS08
    pub version: String,
}

/// One transaction set with everything it stands in.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The interchange; `None` where the file has no ISA.
    pub interchange: Option<Rc<Interchange>>,
    /// The functional group; `None` where it stands outside one.
    pub group: Option<Rc<Group>>,
    /// ST01: `271`.
    pub id: String,
    /// ST02
    pub control: String,
    /// ST03, else GS08.
    pub implementation: String,
    /// Place in its interchange, from 1.
    pub number: u32,
    /// All segments, ST and SE included.
    pub segments: Vec<Kept>,
    /// What was odd about it. Findings about what stands around it are the walker's.
    pub findings: Vec<Finding>,
}

/// A TA1: the receiver's word on a whole interchange.
#[derive(Clone, Debug)]
pub struct InterchangeAck {
    /// The interchange it came in.
    pub interchange: Option<Rc<Interchange>>,
    /// The segment.
    pub segment: Kept,
}

/// One thing out of a file.
#[derive(Clone, Debug)]
pub enum Item {
    /// A transaction set.
    Transaction(Box<Transaction>),
    /// A TA1.
    InterchangeAck(InterchangeAck),
}

/// Gives the transaction sets and TA1 of a file one by one; only one is in memory at a time.
pub struct Walker<R> {
    reader: Reader<R>,
    interchange: Option<Rc<Interchange>>,
    group: Option<Rc<Group>>,
    interchanges: u32,
    groups: u64,
    in_group: u64,
    in_interchange: u32,
    open: Option<Transaction>,
    open_bytes: usize,
    open_count: u64,
    /// Found by the walk itself, not by the reader.
    findings: Findings,
}

impl<R: Read> Walker<R> {
    /// A walk over `source`.
    pub fn new(source: R) -> Self {
        Self {
            reader: Reader::new(source),
            interchange: None,
            group: None,
            interchanges: 0,
            groups: 0,
            in_group: 0,
            in_interchange: 0,
            open: None,
            open_bytes: 0,
            open_count: 0,
            findings: Findings::default(),
        }
    }

    /// The next transaction set or TA1; `None` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            let Some(segment) = self.reader.next_segment()? else {
                let item = self.close_transaction(None);
                self.close_group_and_interchange();
                return Ok(item);
            };
            let event = Event::of(&segment, self.open.is_some());
            let (number, offset) = (segment.number, segment.offset);
            let item = match event {
                Event::Inside => {
                    let kept = segment_copy(&segment, self.open_count);
                    self.keep(number, offset, kept);
                    None
                }
                Event::Ack => {
                    let segment = segment.keep(1);
                    Some(Item::InterchangeAck(InterchangeAck { interchange: self.interchange.clone(), segment }))
                }
                Event::Stray => {
                    self.findings.push(Oddity::Stray.at(number, offset));
                    None
                }
                Event::Isa => {
                    let header = Interchange::read(&segment, self.interchanges.saturating_add(1));
                    let item = self.close_transaction(None);
                    self.close_group_and_interchange();
                    self.interchanges = header.number;
                    self.interchange = Some(Rc::new(header));
                    (self.groups, self.in_interchange) = (0, 0);
                    item
                }
                Event::Gs => {
                    let header = Group::read(&segment);
                    let item = self.close_transaction(None);
                    self.missing_ge(number, offset);
                    self.group = Some(Rc::new(header));
                    self.groups = self.groups.saturating_add(1);
                    self.in_group = 0;
                    item
                }
                Event::St => {
                    let kept = segment.keep(1);
                    let item = self.close_transaction(None);
                    self.begin(kept);
                    item
                }
                Event::Se => {
                    let kept = segment_copy(&segment, self.open_count);
                    self.close_transaction(Some((kept, number, offset)))
                }
                Event::Ge => {
                    let (count, control) = (number_in(&segment, 1), segment.text(2).into_owned());
                    let item = self.close_transaction(None);
                    self.end_group(count, &control, number, offset);
                    item
                }
                Event::Iea => {
                    let (count, control) = (number_in(&segment, 1), segment.text(2).into_owned());
                    let item = self.close_transaction(None);
                    self.missing_ge(number, offset);
                    self.end_interchange(count, &control, number, offset);
                    item
                }
            };
            if let Some(item) = item {
                return Ok(Some(item));
            }
        }
    }

    /// Takes out the findings that belong to no transaction set given so far: those about the trailers, and about the
    /// file as a whole.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.adopt_findings();
        self.findings.take()
    }

    /// What the reader found between transaction sets belongs to the file as a whole.
    fn adopt_findings(&mut self) {
        for finding in self.reader.take_findings() {
            self.findings.push(finding);
        }
    }

    /// How many interchanges were begun.
    pub fn interchanges(&self) -> u32 {
        self.interchanges
    }

    /// How many segments were read.
    pub fn segments(&self) -> u64 {
        self.reader.segments()
    }

    fn begin(&mut self, st: Kept) {
        let (number, offset) = (st.get().number, st.get().offset);
        self.in_interchange = self.in_interchange.saturating_add(1);
        self.in_group = self.in_group.saturating_add(1);
        self.adopt_findings();
        let mut findings = Vec::new();
        if self.group.is_none() {
            findings.push(Oddity::NoGs.at(number, offset));
        }
        let version = self.group.as_ref().map(|group| group.version.clone()).unwrap_or_default();
        self.open = Some(Transaction {
            interchange: self.interchange.clone(),
            group: self.group.clone(),
            id: st.text(1).into_owned(),
            control: st.text(2).into_owned(),
            implementation: st.some(3).unwrap_or(version),
            number: self.in_interchange,
            segments: vec![st],
            findings,
        });
        (self.open_bytes, self.open_count) = (0, 1);
    }

    fn keep(&mut self, number: u64, offset: u64, segment: Kept) {
        let Some(open) = &mut self.open else { return };
        self.open_count = self.open_count.saturating_add(1);
        self.open_bytes = self.open_bytes.saturating_add(segment.get().bytes().len());
        if open.segments.len() < MAX_TRANSACTION_SEGMENTS && self.open_bytes <= MAX_TRANSACTION_BYTES {
            open.segments.push(segment);
        } else if open.findings.last().is_none_or(|last| last.code != Oddity::TransactionLength.code()) {
            open.findings.push(Oddity::TransactionLength.at(number, offset));
        }
    }

    /// Ends the open transaction set, with its SE or without one.
    fn close_transaction(&mut self, trailer: Option<(Kept, u64, u64)>) -> Option<Item> {
        let Some(mut open) = self.open.take() else {
            if let Some((_, number, offset)) = trailer {
                self.findings.push(Oddity::StrayTrailer.at(number, offset));
            }
            return None;
        };
        match trailer {
            None => {
                let last = open.segments.last().map(Kept::get);
                let (number, offset) = last.map_or((0, 0), |segment| (segment.number, segment.offset));
                open.findings.push(Oddity::NoSe.at(number, offset));
            }
            Some((se, number, offset)) => {
                let counted = self.open_count.saturating_add(1);
                let stated = number_in(&se.get(), 1);
                if stated != Some(counted) {
                    open.findings.push(Oddity::SeCount.at(number, offset).counts(stated, Some(counted)));
                }
                if se.text(2) != open.control.as_str() {
                    open.findings.push(Oddity::SeControl.at(number, offset));
                }
                open.segments.push(se);
            }
        }
        open.findings.append(&mut self.reader.take_findings());
        for finding in &mut open.findings {
            finding.transaction = Some(open.number);
        }
        Some(Item::Transaction(Box::new(open)))
    }

    fn end_group(&mut self, count: Option<u64>, control: &str, number: u64, offset: u64) {
        let Some(group) = self.group.take() else {
            self.findings.push(Oddity::StrayTrailer.at(number, offset));
            return;
        };
        if count != Some(self.in_group) {
            self.findings.push(Oddity::GeCount.at(number, offset).counts(count, Some(self.in_group)));
        }
        if group.control != control {
            self.findings.push(Oddity::GeControl.at(number, offset));
        }
    }

    fn end_interchange(&mut self, count: Option<u64>, control: &str, number: u64, offset: u64) {
        let Some(interchange) = self.interchange.take() else {
            self.findings.push(Oddity::StrayTrailer.at(number, offset));
            return;
        };
        if count != Some(self.groups) {
            self.findings.push(Oddity::IeaCount.at(number, offset).counts(count, Some(self.groups)));
        }
        if interchange.control != control {
            self.findings.push(Oddity::IeaControl.at(number, offset));
        }
    }

    fn missing_ge(&mut self, number: u64, offset: u64) {
        if self.group.take().is_some() {
            self.findings.push(Oddity::NoGe.at(number, offset));
        }
    }

    fn close_group_and_interchange(&mut self) {
        self.missing_ge(self.reader.segments(), 0);
        if self.interchange.take().is_some() {
            self.findings.push(Oddity::NoIea.at(self.reader.segments(), 0));
        }
    }
}

/// Copies a segment; `before` segments of its transaction set came before it.
fn segment_copy(segment: &Segment<'_>, before: u64) -> Kept {
    segment.keep(u32::try_from(before.saturating_add(1)).unwrap_or(u32::MAX))
}

fn number_in(segment: &Segment<'_>, element: usize) -> Option<u64> {
    segment.text(element).parse().ok()
}

/// What a segment means to the walk.
enum Event {
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

impl Event {
    fn of(segment: &Segment<'_>, open: bool) -> Self {
        match segment.id() {
            "ISA" => Self::Isa,
            "GS" => Self::Gs,
            "ST" => Self::St,
            "SE" => Self::Se,
            "GE" => Self::Ge,
            "IEA" => Self::Iea,
            "TA1" if !open => Self::Ack,
            _ if open => Self::Inside,
            _ => Self::Stray,
        }
    }
}

impl Interchange {
    fn read(isa: &Segment<'_>, number: u32) -> Self {
        let text = |element| isa.text(element).into_owned();
        Self {
            sender_qualifier: text(5),
            sender_id: text(6),
            receiver_qualifier: text(7),
            receiver_id: text(8),
            date: text(9),
            time: text(10),
            version: text(12),
            control: text(13),
            usage: text(15),
            number,
        }
    }
}

impl Group {
    fn read(gs: &Segment<'_>) -> Self {
        let text = |element| gs.text(element).into_owned();
        Self {
            functional_id: text(1),
            sender: text(2),
            receiver: text(3),
            date: text(4),
            time: text(5),
            control: text(6),
            version: text(8),
        }
    }
}

/// A small file as a whole.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Transaction sets and TA1, in the order they came.
    pub items: Vec<Item>,
    /// Findings that belong to no transaction set.
    pub findings: Vec<Finding>,
}

impl Document {
    /// Reads a whole file from memory. For large files walk instead.
    ///
    /// # Errors
    /// Nothing here is X12.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut walker = Walker::new(bytes);
        let mut items = Vec::new();
        while let Some(item) = walker.next_item()? {
            items.push(item);
        }
        Ok(Self { items, findings: walker.take_findings() })
    }

    /// The transaction sets.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.items.iter().filter_map(|item| match item {
            Item::Transaction(transaction) => Some(&**transaction),
            Item::InterchangeAck(_) => None,
        })
    }
}
