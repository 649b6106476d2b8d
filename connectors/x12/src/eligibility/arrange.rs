//! The segments of a 271 in the order of the guide, whatever order a carrier sent them in. Levels stand below the parent
//! they name, details before what they would otherwise be taken for; nothing is read or changed. Where a level was not
//! announced, or not as one of the four there are, one is put in.

use std::collections::HashMap;

use super::LevelKind;
use crate::delimiters::Delimiters;
use crate::envelope::Transaction;
use crate::finding::{Finding, Oddity};
use crate::read::{Block, Id, Raw, Segment};

/// Details of one kind that one loop keeps (messages of an EB, dates of a member …). The guide allows 20 at most.
const MAX_DETAILS: u32 = 100;

/// Segments of one 271 that are read, ST included. Real ones have fewer than 5,000; what a segment becomes takes about
/// 2 KB, so this bounds the memory of an answer.
pub const MAX_RESPONSE_SEGMENTS: usize = 50_000;

/// What came of it.
pub(super) struct Arranged {
    /// The segments in order; `None` where they stood so already.
    pub block: Option<Block>,
    /// What was odd.
    pub findings: Vec<Finding>,
}

/// Puts a 271 in order.
pub(super) fn arrange(transaction: &Transaction) -> Arranged {
    let segments = &transaction.segments;
    let mut sorter = Sorter {
        segments,
        number: transaction.number,
        hierarchical: segments.iter().any(|segment| segment.is("HL")),
        header: Vec::new(),
        trailer: Vec::new(),
        levels: Vec::new(),
        by_id: HashMap::new(),
        last_of: [None; 4],
        in_entity: false,
        in_named_loop: false,
        findings: Vec::new(),
    };
    for (at, segment) in segments.iter().enumerate().take(MAX_RESPONSE_SEGMENTS) {
        sorter.add(at, segment);
    }
    if let Some(first) = segments.get(MAX_RESPONSE_SEGMENTS) {
        sorter.find(Oddity::ResponseLength, first);
    }
    let steps = sorter.steps();
    let same = steps.len() == segments.len() && steps.iter().enumerate().all(|(at, step)| *step == Step::Sent(at));
    Arranged { block: (!same).then(|| rebuilt(segments, &steps)), findings: sorter.findings }
}

/// One segment of what comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The one at this index, as it was sent.
    Sent(usize),
    /// An HL that was not sent so. The position is that of the first segment of its level; 0 where it has none.
    Level(LevelKind, u32),
    /// An NM1 that says nothing, for details of somebody without a name.
    Nameless(u32),
}

fn rebuilt(segments: &Block, steps: &[Step]) -> Block {
    let made = |bytes: &'static [u8], marks: &'static [u32], position| Segment {
        bytes: Raw::Bytes(bytes),
        marks,
        base: 0,
        id: Id::of(bytes.get(..marks.first().map_or(bytes.len(), |mark| *mark as usize)).unwrap_or(&[])),
        delimiters: Delimiters::default(),
        number: 0,
        offset: 0,
        position,
    };
    let mut block = Block::new();
    for step in steps {
        let segment = match *step {
            Step::Sent(at) => segments.get(at),
            Step::Level(kind, position) => Some(made(kind.hl(), &[2, 3, 4], position)),
            Step::Nameless(position) => Some(made(b"NM1", &[], position)),
        };
        if let Some(segment) = segment {
            block.push(&segment, segment.position);
        }
    }
    block
}

/// Indices of segments, and how many of each kind there are.
#[derive(Default)]
struct Details {
    segments: Vec<usize>,
    counts: Vec<(&'static str, u32)>,
}

impl Details {
    /// Adds one where there is room for its kind.
    fn keep(&mut self, at: usize, id: &'static str) -> bool {
        let most = if matches!(id, "N3" | "N4" | "PRV" | "DMG" | "INS" | "HI" | "MPI") { 1 } else { MAX_DETAILS };
        let count = match self.counts.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => count,
            None => {
                self.counts.push((id, 0));
                let Some((_, count)) = self.counts.last_mut() else { return false };
                count
            }
        };
        let room = *count < most;
        if room {
            *count += 1;
            self.segments.push(at);
        }
        room
    }
}

/// A level as it was found.
struct Level {
    kind: LevelKind,
    parent: Option<usize>,
    /// Its HL, where that says what it is.
    hl: Option<usize>,
    position: u32,
    /// TRN, and AAA before a name.
    head: Details,
    /// Other details before a name.
    early: Details,
    /// Everyone named: the NM1 and its details.
    parties: Vec<Details>,
    statements: Vec<Statement>,
}

/// An EB and what belongs to it.
#[derive(Default)]
struct Statement {
    eb: usize,
    own: Details,
    begin: Option<usize>,
    entities: Vec<Details>,
    end: Option<usize>,
}

struct Sorter<'a> {
    segments: &'a Block,
    number: u32,
    /// The transaction set has HL segments at all.
    hierarchical: bool,
    /// What stands before the first level.
    header: Vec<usize>,
    trailer: Vec<usize>,
    levels: Vec<Level>,
    /// HL01 to its level.
    by_id: HashMap<String, usize>,
    /// The latest level of each kind.
    last_of: [Option<usize>; 4],
    /// What follows belongs to the last 2120 entity.
    in_entity: bool,
    /// Between LS and LE.
    in_named_loop: bool,
    findings: Vec<Finding>,
}

impl Sorter<'_> {
    fn find(&mut self, oddity: Oddity, segment: Segment<'_>) {
        let mut finding = oddity.at(segment.number, segment.offset);
        finding.transaction = Some(self.number);
        self.findings.push(finding);
    }

    fn add(&mut self, at: usize, segment: Segment<'_>) {
        match segment.id() {
            "ST" | "BHT" => self.header.push(at),
            "SE" => self.trailer.push(at),
            "HL" => self.open_level(at, segment),
            "AAA" => self.rejection(at, segment),
            "NM1" => self.party(at, segment),
            "EB" => self.benefit(at, segment),
            "LS" | "LE" => self.named_loop(at, segment),
            id => match self.detail(at, id) {
                Some(true) => {}
                Some(false) => self.find(Oddity::DetailCount, segment),
                None => self.find(Oddity::Misplaced, segment),
            },
        }
    }

    fn open_level(&mut self, at: usize, hl: Segment<'_>) {
        let parent_id = hl.text(2);
        let kind = LevelKind::of(&hl.text(3));
        let announced = kind.map(|_| at);
        let kind = kind.unwrap_or_else(|| {
            self.find(Oddity::HlLevel, hl);
            let mut own = self.segments.iter_from(at + 1).take_while(|segment| !segment.is("HL"));
            let role = own.find(|segment| segment.is("NM1")).map(|nm1| nm1.text(1));
            self.kind_of_role(&role.unwrap_or_default())
        });
        let stated = self.by_id.get(parent_id.as_ref()).copied().filter(|_| !parent_id.is_empty());
        let fits = stated.filter(|at| self.levels.get(*at).is_some_and(|level| level.kind < kind));
        if fits.is_none() && (kind != LevelKind::Source || !parent_id.is_empty()) {
            self.find(Oddity::HlParent, hl);
        }
        let level = self.push_level(kind, fits, announced, hl.position);
        let id = hl.text(1).into_owned();
        if !id.is_empty() && self.by_id.insert(id, level).is_some() {
            self.find(Oddity::HlDuplicate, hl);
        }
    }

    /// Adds a level under `parent`, or under the latest one of a higher kind.
    fn push_level(&mut self, kind: LevelKind, parent: Option<usize>, hl: Option<usize>, position: u32) -> usize {
        let above = self.last_of.iter().take(kind as usize).rev().copied().flatten().next();
        self.levels.push(Level {
            kind,
            parent: parent.or(above),
            hl,
            position,
            head: Details::default(),
            early: Details::default(),
            parties: Vec::new(),
            statements: Vec::new(),
        });
        let at = self.levels.len() - 1;
        for (rank, slot) in self.last_of.iter_mut().enumerate() {
            if rank == kind as usize {
                *slot = Some(at);
            } else if rank > kind as usize {
                *slot = None;
            }
        }
        (self.in_entity, self.in_named_loop) = (false, false);
        at
    }

    /// Which level an NM1 with this role opens.
    fn kind_of_role(&self, role: &str) -> LevelKind {
        match role {
            "PR" | "2B" | "36" | "GP" | "P5" => LevelKind::Source,
            "IL" => LevelKind::Subscriber,
            "03" => LevelKind::Dependent,
            _ => match self.levels.last().map(|level| level.kind) {
                None => LevelKind::Source,
                Some(LevelKind::Source) => LevelKind::Receiver,
                Some(_) => LevelKind::Subscriber,
            },
        }
    }

    fn party(&mut self, at: usize, nm1: Segment<'_>) {
        let role = nm1.text(1);
        let in_benefits = self.levels.last().is_some_and(|level| !level.statements.is_empty());
        let opens = matches!(role.as_ref(), "PR" | "1P" | "IL" | "03") && !self.in_named_loop;
        if self.levels.is_empty() || (!self.hierarchical && opens) {
            self.find(Oddity::HlLevel, nm1);
            let kind = self.kind_of_role(&role);
            self.push_level(kind, None, None, nm1.position);
        } else if in_benefits {
            if !self.in_named_loop {
                self.find(Oddity::LoopBounds, nm1);
            }
            self.in_entity = true;
        }
        let entity = self.in_entity;
        let Some(level) = self.levels.last_mut() else { return };
        let list = match level.statements.last_mut() {
            Some(statement) if entity => &mut statement.entities,
            _ => &mut level.parties,
        };
        if list.len() <= MAX_DETAILS as usize {
            list.push(Details { segments: vec![at], counts: Vec::new() });
        } else {
            self.find(Oddity::DetailCount, nm1);
        }
    }

    fn benefit(&mut self, at: usize, eb: Segment<'_>) {
        let patient = self.levels.last().is_some_and(|level| level.kind >= LevelKind::Subscriber);
        if !patient {
            if self.levels.is_empty() {
                self.find(Oddity::Misplaced, eb);
            }
            self.push_level(LevelKind::Subscriber, self.levels.len().checked_sub(1), None, eb.position);
        }
        if self.in_named_loop {
            self.find(Oddity::LoopBounds, eb);
        }
        (self.in_entity, self.in_named_loop) = (false, false);
        if let Some(level) = self.levels.last_mut() {
            level.statements.push(Statement { eb: at, ..Statement::default() });
        }
    }

    fn named_loop(&mut self, at: usize, segment: Segment<'_>) {
        let opens = segment.is("LS");
        if opens == self.in_named_loop {
            self.find(Oddity::LoopBounds, segment);
        }
        self.in_named_loop = opens;
        self.in_entity = false;
        if let Some(statement) = self.levels.last_mut().and_then(|level| level.statements.last_mut()) {
            if opens {
                statement.begin.get_or_insert(at);
            } else {
                statement.end = Some(at);
            }
        }
    }

    fn rejection(&mut self, at: usize, aaa: Segment<'_>) {
        let Some(level) = self.levels.last_mut() else {
            if self.header.len() < MAX_DETAILS as usize {
                self.header.push(at);
            }
            self.find(Oddity::Misplaced, aaa);
            return;
        };
        let list = match (level.statements.last_mut(), level.parties.last_mut()) {
            (Some(statement), _) => &mut statement.own,
            (None, Some(party)) => party,
            (None, None) => &mut level.head,
        };
        if !list.keep(at, "AAA") {
            self.find(Oddity::DetailCount, aaa);
        }
    }

    /// Puts a detail to the entity, the statement or the person it stands with. `None` where it has no place,
    /// `Some(false)` where there are too many of its kind.
    fn detail(&mut self, at: usize, id: &str) -> Option<bool> {
        const PERSON: [&str; 9] = ["N3", "N4", "PER", "PRV", "DMG", "INS", "HI", "MPI", "TRN"];
        const STATEMENT: [&str; 3] = ["HSD", "MSG", "III"];
        const EITHER: [&str; 2] = ["REF", "DTP"];
        let known = |list: &[&'static str]| list.iter().copied().find(|known| *known == id);
        let (person, statement, either) = (known(&PERSON), known(&STATEMENT), known(&EITHER));
        let level = self.levels.last_mut()?;
        if let Some(line) = level.statements.last_mut() {
            let entity = line.entities.last_mut().filter(|_| self.in_entity);
            return match (entity, person) {
                (Some(entity), Some(id @ ("N3" | "N4" | "PER" | "PRV"))) => Some(entity.keep(at, id)),
                _ => statement.or(either).map(|id| line.own.keep(at, id)),
            };
        }
        if id == "TRN" {
            // Every one may be the number of the question.
            level.head.segments.push(at);
            return Some(true);
        }
        let id = person.or(either)?;
        Some(level.parties.last_mut().unwrap_or(&mut level.early).keep(at, id))
    }

    /// Everything in order.
    fn steps(&mut self) -> Vec<Step> {
        let mut children: Vec<Vec<usize>> = self.levels.iter().map(|_| Vec::new()).collect();
        let mut roots = Vec::new();
        for (at, level) in self.levels.iter().enumerate() {
            match level.parent.and_then(|parent| children.get_mut(parent)) {
                Some(list) => list.push(at),
                None => roots.push(at),
            }
        }
        let mut steps: Vec<Step> = self.header.iter().map(|at| Step::Sent(*at)).collect();
        let mut open = [Open::No; 4];
        // A level's parent is of a higher kind, so this is four deep at most; what is next stands last.
        let mut next: Vec<usize> = roots.into_iter().rev().collect();
        while let Some(at) = next.pop() {
            if let Some(level) = self.levels.get(at) {
                let parent = level.parent.and_then(|parent| self.levels.get(parent)).map(|parent| parent.kind);
                announce(level, parent, &mut open, &mut steps);
                level.write(&mut steps);
            }
            next.extend(children.get(at).into_iter().flatten().rev());
        }
        steps.extend(self.trailer.iter().map(|at| Step::Sent(*at)));
        steps
    }
}

/// Whether a level of some kind is open while the steps are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    Sent,
    /// Put in, because what stands below it had no such level.
    Made,
}

/// The HL of a level, and those between it and its parent that were not sent.
fn announce(level: &Level, parent: Option<LevelKind>, open: &mut [Open; 4], steps: &mut Vec<Step>) {
    for kind in LevelKind::ALL {
        let between = kind < level.kind && parent.is_none_or(|parent| kind > parent);
        // A level that was sent and is open here has the same parent, but it is not this one's.
        if between && open.get(kind as usize) != Some(&Open::Made) {
            steps.push(Step::Level(kind, 0));
            begin(kind, Open::Made, open);
        }
    }
    steps.push(level.hl.map_or(Step::Level(level.kind, level.position), Step::Sent));
    begin(level.kind, Open::Sent, open);
}

/// A level begins, and ends those below it.
fn begin(kind: LevelKind, how: Open, open: &mut [Open; 4]) {
    for (rank, slot) in open.iter_mut().enumerate().skip(kind as usize) {
        *slot = if rank == kind as usize { how } else { Open::No };
    }
}

impl Level {
    /// Everything in it, without its HL.
    fn write(&self, steps: &mut Vec<Step>) {
        let sent = |steps: &mut Vec<Step>, list: &[usize]| steps.extend(list.iter().map(|at| Step::Sent(*at)));
        sent(steps, &self.head.segments);
        let mut parties = self.parties.iter().map(|party| party.segments.as_slice());
        match parties.next().and_then(<[usize]>::split_first) {
            Some((name, details)) => {
                steps.push(Step::Sent(*name));
                sent(steps, &self.early.segments);
                sent(steps, details);
            }
            None if self.early.segments.is_empty() => {}
            None => {
                steps.push(Step::Nameless(self.position));
                sent(steps, &self.early.segments);
            }
        }
        parties.for_each(|party| sent(steps, party));
        for statement in &self.statements {
            steps.push(Step::Sent(statement.eb));
            sent(steps, &statement.own.segments);
            sent(steps, statement.begin.as_slice());
            statement.entities.iter().for_each(|entity| sent(steps, &entity.segments));
            sent(steps, statement.end.as_slice());
        }
    }
}
