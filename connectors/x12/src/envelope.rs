//! The walk over ISA, GS and ST, with counts and control numbers checked: a stream of [`Event`]s in flat memory, or
//! whole transaction sets one by one.
//!
//! ```ignore
//! let mut walker = Walker::new(source);
//! while let Some(event) = walker.next_event()? {
//!     match event {
//!         Event::Begin { header, .. } => println!("{} {}", header.id, header.control),
//!         Event::Segment(segment) => println!("{} at {}", segment.id(), segment.position),
//!         Event::End { findings, .. } => println!("{} findings", findings.len()),
//!         _ => {}
//!     }
//! }
//! ```

mod stream;
mod walk;

use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

pub use stream::{SetParts, Stream};
pub use walk::{Event, Walker};

use crate::finding::{Finding, Oddity};
use crate::read::{Block, ReadError, Segment};

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

/// What an ST says, and what it stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetHeader {
    /// The interchange; `None` where the file has no ISA.
    pub interchange: Option<Arc<Interchange>>,
    /// The functional group; `None` where it stands outside one.
    pub group: Option<Arc<Group>>,
    /// ST01: `271`.
    pub id: String,
    /// ST02
    pub control: String,
    /// ST03, else GS08.
    pub implementation: String,
    /// Place in its interchange, from 1.
    pub number: u32,
}

/// One transaction set as a whole. What its header says can be read off it directly: `transaction.id`.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What its ST says, and what it stands in.
    pub header: Arc<SetHeader>,
    /// All segments, ST and SE included.
    pub segments: Block,
    /// What was odd about it. Findings about what stands around it are the walker's.
    pub findings: Vec<Finding>,
}

impl Deref for Transaction {
    type Target = SetHeader;

    fn deref(&self) -> &SetHeader {
        &self.header
    }
}

/// A TA1: the receiver's word on a whole interchange.
#[derive(Clone, Debug)]
pub struct InterchangeAck {
    /// The interchange it came in.
    pub interchange: Option<Arc<Interchange>>,
    /// The TA1 segment, alone in its block.
    pub block: Block,
}

/// One thing out of a file.
#[derive(Clone, Debug)]
pub enum Item {
    /// A transaction set.
    Transaction(Box<Transaction>),
    /// A TA1.
    InterchangeAck(InterchangeAck),
}

impl<R: Read> Walker<R> {
    /// The next transaction set or TA1; `None` at the end. Only one is in memory at a time, and of a very long one only
    /// as much as a [`Block`] holds.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        Ok(match self.next_step(|_| false)? {
            Some(Step::Item(item)) => Some(item),
            Some(Step::Begun(..)) | None => None,
        })
    }

    /// The same, but for the transaction sets that are `streamed`: they are only begun, and their segments come from
    /// [`Walker::next_event`] up to [`Event::End`].
    pub(crate) fn next_step(&mut self, streamed: fn(&SetHeader) -> bool) -> Result<Option<Step>, ReadError> {
        let mut open: Option<Transaction> = None;
        let mut left_out = None;
        let mut found = Vec::new();
        let step = loop {
            let Some(event) = self.next_event()? else { break None };
            let segment =
                match event {
                    Event::InterchangeAck(segment) => {
                        let block = Block::of(&segment);
                        let interchange = self.interchange().cloned();
                        break Some(Step::Item(Item::InterchangeAck(InterchangeAck { interchange, block })));
                    }
                    Event::Begin { header, segment } if streamed(header) => {
                        break Some(Step::Begun(Arc::clone(header), Block::of(&segment)));
                    }
                    Event::Begin { header, segment } => {
                        let mut segments = Block::new();
                        segments.push(&segment, segment.position);
                        open = Some(Transaction { header: Arc::clone(header), segments, findings: Vec::new() });
                        continue;
                    }
                    Event::Segment(segment) => segment,
                    Event::End { segment, findings, .. } => {
                        let Some(mut transaction) = open else { continue };
                        if let Some(segment) = segment {
                            keep(&mut transaction, &segment, &mut left_out);
                        }
                        transaction.findings = findings;
                        transaction.findings.extend(left_out.map(|finding: Finding| Finding {
                            transaction: Some(transaction.header.number),
                            ..finding
                        }));
                        break Some(Step::Item(Item::Transaction(Box::new(transaction))));
                    }
                    Event::GroupEnd { findings, .. } | Event::InterchangeEnd { findings, .. } => {
                        found.extend(findings);
                        continue;
                    }
                    Event::Interchange { .. } | Event::Group { .. } | Event::Outside(_) => continue,
                };
            if let Some(transaction) = &mut open {
                keep(transaction, &segment, &mut left_out);
            }
        };
        for finding in found {
            self.findings.push(finding);
        }
        Ok(step)
    }
}

/// What [`Walker::next_step`] gives.
pub(crate) enum Step {
    /// A whole transaction set, or a TA1.
    Item(Item),
    /// The ST of one that is streamed.
    Begun(Arc<SetHeader>, Block),
}

/// Keeps a segment where there is room, and notes the first that was left out.
fn keep(transaction: &mut Transaction, segment: &Segment<'_>, left_out: &mut Option<Finding>) {
    if left_out.is_none() && !transaction.segments.push(segment, segment.position) {
        *left_out = Some(Oddity::TransactionLength.at(segment.number, segment.offset));
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
