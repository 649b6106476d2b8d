//! From segments to loops, for any order a carrier thinks of.

use std::collections::HashMap;

use super::{
    BenefitLine, DateValue, Delivery, Information, Insured, Level, LevelKind, Party, Reach, Reference, Rejection,
    Response, Trace,
};
use crate::envelope::Transaction;
use crate::finding::{Finding, Oddity};
use crate::read::{Block, Iter, Segment};
use jiff::civil::Date;

/// Details of one kind that one loop keeps (messages of an EB, dates of a member …). The guide allows 20 at most.
const MAX_DETAILS: usize = 100;

/// Reads a 271.
pub(super) fn build(transaction: &Transaction) -> Response {
    let mut builder = Builder {
        levels: Vec::new(),
        by_id: HashMap::new(),
        last_of: [None; 4],
        in_entity: false,
        in_named_loop: false,
        rejections: Vec::new(),
        reference: String::new(),
        date: None,
        findings: Vec::new(),
        transaction: transaction.number,
        hierarchical: transaction.segments.iter().any(|segment| segment.id() == "HL"),
    };
    for (at, segment) in transaction.segments.iter().enumerate() {
        builder.add(segment, transaction.segments.iter_from(at + 1));
    }
    Response {
        transaction: transaction.number,
        control: transaction.control.clone(),
        implementation: transaction.implementation.clone(),
        reference: builder.reference,
        date: builder.date,
        segments: u32::try_from(transaction.segments.len()).unwrap_or(u32::MAX),
        levels: builder.levels,
        rejections: builder.rejections,
        findings: builder.findings,
    }
}

struct Builder {
    levels: Vec<Level>,
    /// HL01 to its level.
    by_id: HashMap<String, usize>,
    /// The latest level of each kind.
    last_of: [Option<usize>; 4],
    /// What follows belongs to the last 2120 entity.
    in_entity: bool,
    /// Between LS and LE.
    in_named_loop: bool,
    rejections: Vec<Rejection>,
    reference: String,
    date: Option<Date>,
    findings: Vec<Finding>,
    transaction: u32,
    /// The transaction set has HL segments at all.
    hierarchical: bool,
}

impl Builder {
    fn find(&mut self, oddity: Oddity, segment: Segment<'_>) {
        let mut finding = oddity.at(segment.number, segment.offset);
        finding.transaction = Some(self.transaction);
        self.findings.push(finding);
    }

    fn add(&mut self, segment: Segment<'_>, rest: Iter<'_>) {
        match segment.id() {
            "ST" | "SE" => {}
            "BHT" => {
                self.reference = segment.text(3).into_owned();
                self.date = super::day(&segment.text(4));
            }
            "HL" => self.open_level(segment, rest),
            "AAA" => self.rejection(segment),
            "NM1" => self.party(segment),
            "EB" => self.benefit(segment),
            "LS" | "LE" => self.named_loop(segment),
            _ => {
                let entity = self.in_entity;
                let Some(level) = self.levels.last_mut() else {
                    self.find(Oddity::Misplaced, segment);
                    return;
                };
                match detail(level, segment, entity) {
                    Some(true) => {}
                    Some(false) => self.find(Oddity::DetailCount, segment),
                    None => {
                        if level.others.len() < MAX_DETAILS {
                            level.others.push(&segment, segment.position);
                        }
                        self.find(Oddity::Misplaced, segment);
                    }
                }
            }
        }
    }

    fn open_level(&mut self, hl: Segment<'_>, rest: Iter<'_>) {
        let parent_id = hl.text(2).into_owned();
        let kind = match hl.text(3).as_ref() {
            "20" => Some(LevelKind::Source),
            "21" => Some(LevelKind::Receiver),
            "22" => Some(LevelKind::Subscriber),
            "23" => Some(LevelKind::Dependent),
            _ => None,
        };
        let kind = kind.unwrap_or_else(|| {
            self.find(Oddity::HlLevel, hl);
            let own = rest.take_while(|segment| segment.id() != "HL");
            let role = own.into_iter().find(|segment| segment.id() == "NM1").map(|nm1| nm1.text(1).into_owned());
            self.kind_of_role(&role.unwrap_or_default())
        });
        let stated = self.by_id.get(&parent_id).copied().filter(|_| !parent_id.is_empty());
        let fits = stated.filter(|at| self.levels.get(*at).is_some_and(|level| level.kind < kind));
        if fits.is_none() && (kind != LevelKind::Source || !parent_id.is_empty()) {
            self.find(Oddity::HlParent, hl);
        }
        let at = self.push_level(kind, fits, hl.position);
        let id = hl.text(1).into_owned();
        if !id.is_empty() && self.by_id.insert(id, at).is_some() {
            self.find(Oddity::HlDuplicate, hl);
        }
    }

    /// Adds a level under `parent`, or under the latest one of a higher kind.
    fn push_level(&mut self, kind: LevelKind, parent: Option<usize>, position: u32) -> usize {
        let above = self.last_of.iter().take(kind as usize).rev().copied().flatten().next();
        self.levels.push(Level {
            kind,
            parent: parent.or(above),
            position,
            traces: Vec::new(),
            party: None,
            other_parties: Vec::new(),
            references: Vec::new(),
            birth: None,
            sex: String::new(),
            insured: None,
            dates: Vec::new(),
            diagnoses: Vec::new(),
            rejections: Vec::new(),
            benefits: Vec::new(),
            others: Block::new(),
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

    fn party(&mut self, nm1: Segment<'_>) {
        let role = nm1.text(1).into_owned();
        let in_benefits = self.levels.last().is_some_and(|level| !level.benefits.is_empty());
        let opens = matches!(role.as_str(), "PR" | "1P" | "IL" | "03") && !self.in_named_loop;
        if self.levels.is_empty() || (!self.hierarchical && opens) {
            self.find(Oddity::HlLevel, nm1);
            let kind = self.kind_of_role(&role);
            self.push_level(kind, None, nm1.position);
        } else if in_benefits {
            if !self.in_named_loop {
                self.find(Oddity::LoopBounds, nm1);
            }
            self.in_entity = true;
        }
        let entity = self.in_entity;
        let Some(level) = self.levels.last_mut() else { return };
        let party = Party::read(nm1);
        let kept = match level.benefits.last_mut() {
            Some(line) if entity => keep(&mut line.parties, party),
            _ if level.party.is_none() => {
                level.party = Some(party);
                true
            }
            _ => keep(&mut level.other_parties, party),
        };
        if !kept {
            self.find(Oddity::DetailCount, nm1);
        }
    }

    fn benefit(&mut self, eb: Segment<'_>) {
        if self.levels.is_empty() {
            self.find(Oddity::Misplaced, eb);
            self.push_level(LevelKind::Subscriber, None, eb.position);
        }
        if self.in_named_loop {
            self.find(Oddity::LoopBounds, eb);
        }
        (self.in_entity, self.in_named_loop) = (false, false);
        if let Some(level) = self.levels.last_mut() {
            let loop_id = level.kind.loop_id("2110");
            level.benefits.push(BenefitLine::read(eb, loop_id));
        }
    }

    fn named_loop(&mut self, segment: Segment<'_>) {
        let opens = segment.id() == "LS";
        if opens == self.in_named_loop {
            self.find(Oddity::LoopBounds, segment);
        }
        self.in_named_loop = opens;
        self.in_entity = false;
    }

    fn rejection(&mut self, aaa: Segment<'_>) {
        let text = |element| aaa.text(element).into_owned();
        let mut rejection = Rejection {
            valid: text(1),
            code: text(3),
            follow_up: text(4),
            loop_id: "header".to_owned(),
            position: aaa.position,
        };
        let Some(level) = self.levels.last_mut() else {
            keep(&mut self.rejections, rejection);
            self.find(Oddity::Misplaced, aaa);
            return;
        };
        let number = match (&level.party, level.benefits.is_empty()) {
            (_, false) => "2110",
            (Some(_), true) => "2100",
            (None, true) => "2000",
        };
        rejection.loop_id = level.kind.loop_id(number);
        let list = match level.benefits.last_mut() {
            Some(line) => &mut line.rejections,
            None => &mut level.rejections,
        };
        if !keep(list, rejection) {
            self.find(Oddity::DetailCount, aaa);
        }
    }
}

/// Adds to a list that has room. `false` where it has none.
fn keep<T>(list: &mut Vec<T>, value: T) -> bool {
    let room = list.len() < MAX_DETAILS;
    if room {
        list.push(value);
    }
    room
}

/// Adds a detail segment to the entity, the benefit or the level it stands in. `None` where it has no place,
/// `Some(false)` where there are too many of its kind.
fn detail(level: &mut Level, segment: Segment<'_>, in_entity: bool) -> Option<bool> {
    let text = |element| segment.text(element).into_owned();
    if in_entity || level.benefits.is_empty() {
        let party = if in_entity {
            level.benefits.last_mut().and_then(|line| line.parties.last_mut())
        } else if level.other_parties.is_empty() {
            level.party.as_mut()
        } else {
            level.other_parties.last_mut()
        };
        if let Some(kept) = party.and_then(|party| party.detail(segment)) {
            return Some(kept);
        }
    }
    if let Some(line) = level.benefits.last_mut() {
        return match segment.id() {
            "HSD" => Some(keep(&mut line.deliveries, Delivery::read(segment))),
            "REF" => Some(keep(&mut line.references, Reference::read(segment))),
            "DTP" => Some(keep(&mut line.dates, DateValue::read(segment))),
            "MSG" => Some(keep(&mut line.messages, (text(1), segment.position))),
            "III" => Some(keep(&mut line.informations, Information::read(segment))),
            _ => None,
        };
    }
    match segment.id() {
        "TRN" => {
            level.traces.push(Trace { kind: text(1), number: text(2), origin: text(3), position: segment.position })
        }
        "REF" => return Some(keep(&mut level.references, Reference::read(segment))),
        "DTP" => return Some(keep(&mut level.dates, DateValue::read(segment))),
        "DMG" => {
            level.birth = segment.some(2).map(|date| DateValue {
                kind: String::new(),
                format: text(1),
                text: date,
                position: segment.position,
            });
            level.sex = text(3);
        }
        "INS" => {
            level.insured = Some(Insured {
                relationship: text(2),
                maintenance: text(3),
                reason: text(4),
                position: segment.position,
            });
        }
        "HI" => {
            let codes = (1..=segment.len()).map(|element| segment.component(element, 2).into_owned());
            let room = MAX_DETAILS.saturating_sub(level.diagnoses.len());
            level.diagnoses.extend(codes.filter(|code| !code.is_empty()).take(room));
        }
        _ => return None,
    }
    Some(true)
}

impl Party {
    fn read(nm1: Segment<'_>) -> Self {
        let text = |element| nm1.text(element).into_owned();
        Self {
            role: text(1),
            person: nm1.text(2) == "1",
            name: text(3),
            first: text(4),
            middle: text(5),
            suffix: text(7),
            id_kind: text(8),
            id: text(9),
            relationship: text(10),
            position: nm1.position,
            ..Self::default()
        }
    }

    fn detail(&mut self, segment: Segment<'_>) -> Option<bool> {
        let text = |element| segment.text(element).into_owned();
        match segment.id() {
            "N3" => {
                let lines = [text(1), text(2)].into_iter().filter(|line| !line.is_empty());
                return Some(lines.into_iter().all(|line| keep(&mut self.address, line)));
            }
            "N4" => {
                let place = [text(1), text(2), text(3), text(4)];
                let line = place.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
                if !line.is_empty() {
                    return Some(keep(&mut self.address, line.join(" ")));
                }
            }
            "PER" => {
                let name = text(2);
                for element in [3, 5, 7] {
                    let (kind, value) = (text(element), text(element + 1));
                    if !value.is_empty() || (element == 3 && !name.is_empty()) {
                        let reach = Reach { name: name.clone(), kind, value, position: segment.position };
                        if !keep(&mut self.reach, reach) {
                            return Some(false);
                        }
                    }
                }
            }
            "PRV" => self.provider = Some((text(1), text(2), text(3))),
            _ => return None,
        }
        Some(true)
    }
}

impl Reference {
    fn read(segment: Segment<'_>) -> Self {
        let text = |element| segment.text(element).into_owned();
        Self { kind: text(1), value: text(2), description: text(3), position: segment.position }
    }
}

impl DateValue {
    fn read(segment: Segment<'_>) -> Self {
        let text = |element| segment.text(element).into_owned();
        Self { kind: text(1), format: text(2), text: text(3), position: segment.position }
    }
}
