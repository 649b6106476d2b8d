//! The streaming matcher: segments in, their loops and findings out. Its memory is the stack of open loops with a
//! counter for each of their children: bounded by the guide, whatever the size of the transaction set.

use super::dictionary::Dictionary;
use super::elements::{Elements, demanded};
use super::guide::{Child, Demand, Guide, Line, LoopRule, Mark, Term, What, pack_code};
use super::hierarchy::Hierarchy;
use super::lists::Reach;
use super::rules;
use super::values::Classes;
use super::watch::{Spot, Watch};
use crate::delimiters::Delimiters;
use crate::finding::{Findings, Oddity};
use crate::read::Segment;

/// A loop that is open.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Which loop of the guide.
    pub(super) number: u16,
    /// How far into it the transaction set is.
    place: u16,
    /// Where its counters begin.
    counts: usize,
    /// What its rules want to know, a bit each.
    facts: u64,
    start: Spot,
    /// Of a loop that begins with HL: HL01, HL04, and whether there are HL loops in it.
    pub(super) hl: Option<Hierarchy>,
}

/// Walks a guide along one transaction set.
pub struct Matcher {
    guide: &'static Guide,
    dictionary: &'static Dictionary,
    stack: Vec<Frame>,
    counts: Vec<u32>,
    position: u32,
    /// The last HL01.
    pub(super) last_hl: u64,
    /// A loop began that the guide does not know: what follows it is not judged until the next known loop.
    lost: bool,
    tolerant: bool,
    classes: Classes,
    delimiters: Delimiters,
}

/// How a segment fits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    InOrder,
    TooMany,
    OutOfOrder,
    /// Only its qualifier is unknown.
    Qualifier,
}

/// Where a segment fits.
#[derive(Clone, Copy)]
struct Hit {
    /// Place in the stack.
    depth: usize,
    /// Place among the loop's children.
    at: u16,
    child: Child,
    fit: Fit,
}

impl Matcher {
    /// A matcher at the start of a transaction set. `tolerant`: what only the guide asks for is a remark (an older
    /// version of the standard).
    pub fn new(guide: &'static Guide, tolerant: bool) -> Self {
        let delimiters = Delimiters::default();
        Self {
            guide,
            dictionary: Dictionary::get(),
            stack: Vec::with_capacity(8),
            counts: Vec::with_capacity(256),
            position: 0,
            last_hl: 0,
            lost: false,
            tolerant,
            classes: Classes::new(delimiters),
            delimiters,
        }
    }

    /// The guide.
    pub fn guide(&self) -> &'static Guide {
        self.guide
    }

    /// Place of the last segment in the transaction set, ST being 1.
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Takes the next segment, from ST to SE, and gives its loop (`ST` for the transaction set itself); `None` where
    /// the guide has no place for it.
    pub fn segment(&mut self, segment: &Segment<'_>, findings: &mut Findings) -> Option<&'static str> {
        self.position = self.position.saturating_add(1);
        if segment.delimiters() != self.delimiters {
            self.delimiters = segment.delimiters();
            self.classes = Classes::new(self.delimiters);
        }
        let id = segment.id_bytes();
        let known = self.dictionary.place(id);
        let mut spot = Spot {
            number: segment.number,
            offset: segment.offset,
            position: self.position,
            loop_id: None,
            segment_id: None,
        };
        if self.stack.is_empty() {
            self.open(0, Spot { loop_id: Some("ST"), segment_id: Some("ST"), ..spot });
        }
        let mut watch = Watch { findings, tolerant: self.tolerant };
        let Some(hit) = known.and_then(|known| self.locate(known, segment)) else {
            spot.segment_id = self.dictionary.fixed_name(id);
            self.nowhere(known, spot, &mut watch);
            return None;
        };
        self.take(hit, segment, spot, &mut watch)
    }

    /// Ends the transaction set: what is still open is judged.
    pub fn end(&mut self, findings: &mut Findings) {
        let mut watch = Watch { findings, tolerant: self.tolerant };
        self.close_to(0, &mut watch);
        self.close_to_none(&mut watch);
    }

    fn close_to_none(&mut self, watch: &mut Watch<'_>) {
        if self.stack.len() == 1 {
            self.close(watch);
        }
    }

    /// The line and loop of a hit; checks it all.
    fn take(&mut self, hit: Hit, segment: &Segment<'_>, mut spot: Spot, watch: &mut Watch<'_>) -> Option<&'static str> {
        let line = self.guide.lines.get(usize::from(hit.child.line))?;
        spot.segment_id = Some(line.segment);
        spot.loop_id = self.guide.loops.get(usize::from(line.owner)).map(|owner| owner.id);
        let is_loop = matches!(hit.child.what, What::Loop(_));
        if self.lost && !(hit.fit == Fit::InOrder && (is_loop || hit.depth == 0)) {
            return None;
        }
        self.lost = false;
        if hit.fit == Fit::Qualifier {
            self.unknown_qualifier(hit, line, segment, spot, watch);
            if is_loop {
                self.lose(line, segment);
                return None;
            }
        }
        if hit.fit == Fit::OutOfOrder {
            watch.push(spot.finding(Oddity::SegmentOrder));
        } else if hit.fit == Fit::TooMany {
            let oddity = if is_loop { Oddity::LoopRepeats } else { Oddity::SegmentRepeats };
            watch.push(spot.finding(oddity).counts(Some(u64::from(hit.child.max)), None));
        }
        if hit.fit != Fit::OutOfOrder || is_loop {
            self.close_to(hit.depth, watch);
        }
        if let Some(frame) = self.stack.get_mut(hit.depth) {
            if hit.fit != Fit::OutOfOrder {
                frame.place = hit.child.place;
            }
            if let Some(count) = self.counts.get_mut(frame.counts + usize::from(hit.at)) {
                *count = count.saturating_add(1);
            }
        }
        if let What::Loop(number) = hit.child.what {
            self.open(number, spot);
            if let Some(count) = self.stack.last().and_then(|frame| self.counts.get_mut(frame.counts)) {
                *count = 1;
            }
            self.level(segment, spot, watch);
        }
        if hit.fit != Fit::Qualifier {
            Elements { classes: &self.classes, segment, spot }.check(line, watch);
        }
        if !line.facts.is_empty() {
            self.note_facts(hit, is_loop, line, segment);
        }
        spot.loop_id
    }

    /// A loop began that the guide does not know.
    fn lose(&mut self, line: &Line, segment: &Segment<'_>) {
        self.lost = true;
        if line.segment == "HL" {
            self.last_hl = Hierarchy::number_of(segment).unwrap_or(self.last_hl.saturating_add(1));
            if let Some(above) = self.stack.iter_mut().rev().find_map(|frame| frame.hl.as_mut()) {
                above.children = true;
            }
        }
    }

    /// Sets the bits that rules look at.
    fn note_facts(&mut self, hit: Hit, is_loop: bool, line: &Line, segment: &Segment<'_>) {
        let depth = hit.depth + usize::from(is_loop);
        for fact in line.facts.iter().filter(|fact| rules::fits(&fact.condition, segment)) {
            let keeper = depth.checked_sub(usize::from(fact.up)).and_then(|at| self.stack.get_mut(at));
            if let Some(frame) = keeper {
                frame.facts |= fact.bit;
            }
        }
    }

    fn unknown_qualifier(&self, hit: Hit, line: &Line, segment: &Segment<'_>, spot: Spot, watch: &mut Watch<'_>) {
        let known = self.dictionary.place(line.segment.as_bytes());
        let owner = self.stack.get(hit.depth).map(|frame| frame.number);
        let choices = owner.zip(known).and_then(|(owner, known)| self.guide.choices(owner, known));
        let mark = line.marks.iter().find(|mark| !mark.codes.has(marked_value(mark, segment))).or(line.marks.first());
        let reach = mark.map(|mark| mark.codes.reach).unwrap_or_default();
        let mut finding = spot.finding(if reach == Reach::Closed { Oddity::Qualifier } else { reach.oddity() });
        if let Some(mark) = mark {
            finding.element = Some(mark.element);
            finding.component = Some(mark.component).filter(|component| *component > 0);
        }
        if let Some(choices) = choices {
            finding = finding.expecting(&choices.expected);
        }
        watch.push(finding);
    }

    fn nowhere(&self, known: Option<usize>, spot: Spot, watch: &mut Watch<'_>) {
        if self.lost {
            return;
        }
        let loop_id = self.stack.last().and_then(|frame| self.guide.loops.get(usize::from(frame.number)));
        let spot = Spot { loop_id: loop_id.map(|one| one.id), ..spot };
        let oddity = if known.is_none() { Oddity::UnknownSegment } else { Oddity::UnexpectedSegment };
        watch.push(spot.finding(oddity));
    }

    /// Finds the place of a segment: forward in the innermost loop, then in those around it; else anywhere in them;
    /// else by its identifier only.
    fn locate(&self, known: usize, segment: &Segment<'_>) -> Option<Hit> {
        let (mut full, mut earlier) = (None, None);
        let (mut line_by_id, mut loop_by_id) = (None, None);
        let mut values = Values { segment, last: None };
        for (depth, frame) in self.stack.iter().enumerate().rev() {
            let owner = self.guide.loops.get(usize::from(frame.number))?;
            let Some(choices) = self.guide.choices(frame.number, known) else { continue };
            for at in &choices.children {
                let Some(child) = owner.children.get(usize::from(*at)).copied() else { continue };
                let hit = |fit| Hit { depth, at: *at, child, fit };
                if !self.guide.lines.get(usize::from(child.line)).is_some_and(|line| values.fit(line)) {
                    // A loop's own first segment is no place either: it is the loop's in the one around it.
                    if *at > 0 {
                        let plain = matches!(child.what, What::Line);
                        let slot = if plain { &mut line_by_id } else { &mut loop_by_id };
                        slot.get_or_insert(hit(Fit::Qualifier));
                    }
                    continue;
                }
                if child.place < frame.place {
                    // A loop's own first segment is no place to go back to: it would begin a new loop.
                    if *at > 0 {
                        earlier.get_or_insert(hit(Fit::OutOfOrder));
                    }
                    continue;
                }
                let count = self.counts.get(frame.counts + usize::from(*at)).copied().unwrap_or(0);
                if count < child.max {
                    return Some(hit(Fit::InOrder));
                }
                full.get_or_insert(hit(Fit::TooMany));
            }
        }
        full.or(earlier).or(line_by_id).or(loop_by_id)
    }

    fn open(&mut self, number: u16, start: Spot) {
        let Some(owner) = self.guide.loops.get(usize::from(number)) else { return };
        let counts = self.counts.len();
        self.counts.resize(counts + owner.children.len(), 0);
        self.stack.push(Frame { number, place: 0, counts, facts: 0, start, hl: None });
    }

    fn close_to(&mut self, depth: usize, watch: &mut Watch<'_>) {
        while self.stack.len() > depth + 1 {
            self.close(watch);
        }
    }

    /// Judges the innermost loop, then leaves it.
    fn close(&mut self, watch: &mut Watch<'_>) {
        let Some(frame) = self.stack.last() else { return };
        let Some(owner) = self.guide.loops.get(usize::from(frame.number)) else { return };
        for at in &owner.required {
            if self.counts.get(frame.counts + usize::from(*at)).is_some_and(|count| *count == 0) {
                self.missing(frame, owner.children.get(usize::from(*at)), watch);
            }
        }
        for rule in &owner.rules {
            self.judge(rule, frame, watch);
        }
        if let Some(hl) = &frame.hl {
            hl.close(frame.start, watch);
        }
        self.counts.truncate(frame.counts);
        self.stack.pop();
    }

    fn missing(&self, frame: &Frame, child: Option<&Child>, watch: &mut Watch<'_>) {
        let Some(child) = child else { return };
        let line = self.guide.lines.get(usize::from(child.line));
        let (oddity, number) = match child.what {
            What::Line => (Oddity::MissingSegment, frame.number),
            What::Loop(number) => (Oddity::MissingLoop, number),
        };
        let mut finding = frame.start.finding(oddity);
        finding.loop_id = self.guide.loops.get(usize::from(number)).map(|one| one.id);
        finding.segment_id = line.map(|line| line.segment);
        if let Some(mark) = line.and_then(|line| line.marks.first()) {
            finding.element = Some(mark.element);
            finding = finding.expecting(mark.codes.text);
        }
        watch.push(finding);
    }

    fn judge(&self, rule: &'static LoopRule, frame: &Frame, watch: &mut Watch<'_>) {
        let depth = self.stack.len().saturating_sub(1);
        let seen = |term: &Term| {
            let keeper = depth.checked_sub(usize::from(term.up)).and_then(|at| self.stack.get(at));
            keeper.is_some_and(|keeper| keeper.facts & term.bit != 0)
        };
        if !rule.when.iter().all(|term| seen(term) != term.absent) {
            return;
        }
        let any = rule.targets.iter().any(seen);
        if any == matches!(rule.demand, Demand::Need | Demand::Should) {
            return;
        }
        let mut finding = frame.start.finding(demanded(rule.demand));
        finding.segment_id = Some(rule.segment);
        finding.element = Some(rule.element).filter(|element| *element > 0);
        if !rule.words.is_empty() {
            finding.message = rule.words;
        }
        watch.push(finding);
    }

    /// HL numbers, where the loop just opened begins with HL.
    fn level(&mut self, segment: &Segment<'_>, spot: Spot, watch: &mut Watch<'_>) {
        let hierarchical =
            |frame: &Frame| self.guide.loops.get(usize::from(frame.number)).is_some_and(|one| one.hierarchical);
        if !self.stack.last().is_some_and(hierarchical) {
            return;
        }
        let own = self.stack.len().saturating_sub(1);
        let parent = self.stack.iter_mut().take(own).rev().find_map(|frame| frame.hl.as_mut());
        let above = parent.map(|parent| {
            parent.children = true;
            parent.number
        });
        let hl = Hierarchy::read(segment, self.last_hl, above, spot, watch);
        self.last_hl = hl.number;
        if let Some(frame) = self.stack.last_mut() {
            frame.hl = Some(hl);
        }
    }
}

/// The qualifiers of a segment, each looked up once for all lines that ask for it.
struct Values<'s, 'a> {
    segment: &'s Segment<'a>,
    last: Option<((u16, u16), Option<u128>)>,
}

impl Values<'_, '_> {
    /// Whether the segment has the values that tell a line from others.
    fn fit(&mut self, line: &Line) -> bool {
        line.marks.iter().all(|mark| {
            let place = (mark.element, mark.component);
            let code = match self.last {
                Some((last, code)) if last == place => code,
                _ => {
                    let code = pack_code(marked_value(mark, self.segment));
                    self.last = Some((place, code));
                    code
                }
            };
            code.is_some_and(|code| mark.codes.has_packed(code))
        })
    }
}

fn marked_value<'a>(mark: &Mark, segment: &Segment<'a>) -> &'a [u8] {
    let raw = segment.raw(usize::from(mark.element));
    match mark.component {
        0 => raw,
        component => rules::part(raw, segment.delimiters().component, component),
    }
}
