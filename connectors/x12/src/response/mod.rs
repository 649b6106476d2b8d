//! The eligibility answer on the wire: a 271 (005010X279A1, and 004010X092A1) as loops, everything kept with its
//! place. It interprets nothing: what a code means and what belongs together is decided in the answers.

mod build;
mod line;

use std::fmt;

use jiff::civil::Date;

pub use line::{BenefitLine, Delivery, Information, ProcedureRef};

use crate::envelope::Transaction;
use crate::finding::Finding;
use crate::read::Block;

/// A 271, read into loops.
#[derive(Clone)]
pub struct Response {
    /// Place of the transaction set in its interchange, from 1.
    pub transaction: u32,
    /// ST02
    pub control: String,
    /// ST03, else GS08.
    pub implementation: String,
    /// BHT03: our reference, echoed.
    pub reference: String,
    /// BHT04: the day the answer was given.
    pub date: Option<Date>,
    /// How many segments it has, ST and SE included.
    pub segments: u32,
    /// The hierarchical levels in the order they came. A level's parent always stands before it.
    pub levels: Vec<Level>,
    /// AAA segments before the first level.
    pub rejections: Vec<Rejection>,
    /// What was odd about its structure.
    pub findings: Vec<Finding>,
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

/// One hierarchical level with everything in it.
#[derive(Clone)]
pub struct Level {
    /// What it speaks of.
    pub kind: LevelKind,
    /// Its parent's place in [`Response::levels`].
    pub parent: Option<usize>,
    /// Place of its first segment.
    pub position: u32,
    /// TRN segments.
    pub traces: Vec<Trace>,
    /// The NM1 it is about.
    pub party: Option<Party>,
    /// Further NM1 of the level.
    pub other_parties: Vec<Party>,
    /// REF segments.
    pub references: Vec<Reference>,
    /// DMG: date of birth as it came, and sex.
    pub birth: Option<DateValue>,
    /// DMG03
    pub sex: String,
    /// INS: relationship and maintenance codes.
    pub insured: Option<Insured>,
    /// DTP segments.
    pub dates: Vec<DateValue>,
    /// HI: diagnosis codes in order, as sent.
    pub diagnoses: Vec<String>,
    /// AAA segments of loops 2000 and 2100.
    pub rejections: Vec<Rejection>,
    /// EB loops.
    pub benefits: Vec<BenefitLine>,
    /// Segments that have no place here (MPI and strays).
    pub others: Block,
}

/// A TRN segment.
#[derive(Clone)]
pub struct Trace {
    /// TRN01: `2` echoes the asker's number, `1` is the answerer's own.
    pub kind: String,
    /// TRN02
    pub number: String,
    /// TRN03: who gave it.
    pub origin: String,
    /// Place.
    pub position: u32,
}

/// An NM1 with what follows it: N3, N4, PER, PRV.
#[derive(Clone, Default)]
pub struct Party {
    /// NM101
    pub role: String,
    /// NM102 is `1`.
    pub person: bool,
    /// NM103
    pub name: String,
    /// NM104
    pub first: String,
    /// NM105
    pub middle: String,
    /// NM107
    pub suffix: String,
    /// NM108
    pub id_kind: String,
    /// NM109
    pub id: String,
    /// NM110: relationship to the patient, where sent.
    pub relationship: String,
    /// N3 and N4, line by line.
    pub address: Vec<String>,
    /// PER: contact's name, kind of number, number.
    pub reach: Vec<Reach>,
    /// PRV: kind of provider, qualifier, taxonomy.
    pub provider: Option<(String, String, String)>,
    /// Place of the NM1.
    pub position: u32,
}

/// One number of a PER segment.
#[derive(Clone)]
pub struct Reach {
    /// PER02
    pub name: String,
    /// PER03, PER05, PER07: `TE`, `UR`, `EM` …
    pub kind: String,
    /// The number or address.
    pub value: String,
    /// Place.
    pub position: u32,
}

/// A REF segment.
#[derive(Clone)]
pub struct Reference {
    /// REF01
    pub kind: String,
    /// REF02
    pub value: String,
    /// REF03
    pub description: String,
    /// Place.
    pub position: u32,
}

/// An INS segment.
#[derive(Clone)]
pub struct Insured {
    /// INS02
    pub relationship: String,
    /// INS03: `001` is a change.
    pub maintenance: String,
    /// INS04: `25` says that an identifying value was changed.
    pub reason: String,
    /// Place.
    pub position: u32,
}

impl Insured {
    /// Whether the carrier says outright that its file has other identifying values than were sent.
    pub fn says_changed(&self) -> bool {
        self.maintenance == "001" && self.reason == "25"
    }
}

/// A date as it came: DTP, or DMG.
#[derive(Clone)]
pub struct DateValue {
    /// DTP01
    pub kind: String,
    /// `D8`, `RD8` …
    pub format: String,
    /// The value.
    pub text: String,
    /// Place.
    pub position: u32,
}

impl DateValue {
    /// First and last day; `None` where the text is no such date. Never guessed.
    pub fn span(&self) -> Option<(Date, Date)> {
        match self.text.split_once('-') {
            Some((from, to)) => Some((day(from)?, day(to)?)),
            None => day(&self.text).map(|date| (date, date)),
        }
    }
}

/// `CCYYMMDD`, with a time behind it or not.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    if !(text.len() == 8 || text.len() == 12) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    Date::new(year, text.get(4..6)?.parse().ok()?, text.get(6..8)?.parse().ok()?).ok()
}

/// An AAA segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// AAA01: `N` the request is not valid; `Y` it is, and is turned away all the same.
    pub valid: String,
    /// AAA03
    pub code: String,
    /// AAA04
    pub follow_up: String,
    /// The loop it stands in; `header` before the first level.
    pub loop_id: String,
    /// Place.
    pub position: u32,
}

impl Response {
    /// Reads a transaction set. `None` where it is no 271.
    pub fn read(transaction: &Transaction) -> Option<Self> {
        (transaction.id == "271").then(|| build::build(transaction))
    }

    /// A level and its ancestors, from the level itself up.
    pub fn lineage(&self, level: usize) -> Vec<&Level> {
        let mut found = Vec::new();
        let mut next = Some(level);
        while let Some(level) = next.and_then(|at| self.levels.get(at).map(|level| (at, level))) {
            found.push(level.1);
            next = level.1.parent.filter(|parent| *parent < level.0);
        }
        found
    }

    /// All EB segments.
    pub fn benefits(&self) -> impl Iterator<Item = &BenefitLine> {
        self.levels.iter().flat_map(|level| &level.benefits)
    }
}

// It holds a patient: only its shape is shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} levels, {} benefits)", self.levels.len(), self.benefits().count())
    }
}
