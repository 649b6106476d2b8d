//! Checks the elements of one segment against one line of a guide.

use super::dictionary::{Kind, Note, NoteKind};
use super::guide::{Condition, Demand, ElementRule, Line, SegmentRule, Special, Usage};
use super::rules;
use super::values::{self, Classes};
use super::watch::{Spot, Watch};
use crate::finding::{Finding, Oddity};
use crate::read::Segment;

/// Checks one segment.
pub(super) struct Elements<'a> {
    pub(super) classes: &'a Classes,
    pub(super) segment: &'a Segment<'a>,
    pub(super) spot: Spot,
}

/// Where in the segment a value stands.
#[derive(Clone, Copy)]
struct Place {
    element: usize,
    component: usize,
    repeat: usize,
}

impl Elements<'_> {
    /// Checks every element, the syntax notes and the segment's own rules.
    pub(super) fn check(&self, line: &'static Line, watch: &mut Watch<'_>) {
        let mut present = 0u32;
        let mut before: &[u8] = &[];
        for (at, rule) in line.elements.iter().enumerate() {
            let raw = self.segment.raw(at + 1);
            let place = Place { element: at + 1, component: 0, repeat: 0 };
            if raw.is_empty() {
                if rule.usage == Usage::Required {
                    watch.push(self.at(Oddity::MissingElement, place, rule));
                }
            } else {
                present |= 1 << at;
                self.element(rule, raw, before, place, watch);
            }
            before = raw;
        }
        let extra = (line.elements.len() + 1..=self.segment.len()).find(|at| !self.segment.raw(*at).is_empty());
        if let Some(element) = extra {
            watch.push(self.spot.finding(Oddity::TooManyElements).element(element));
        }
        for note in line.notes.iter().filter(|note| !note.holds(present)) {
            watch.push(self.note(note, present, 0));
        }
        for rule in &line.rules {
            if let Some(target) = rules::broken(rule, self.segment) {
                watch.push(self.rule(rule, target));
            }
        }
    }

    fn element(&self, rule: &'static ElementRule, raw: &[u8], before: &[u8], place: Place, watch: &mut Watch<'_>) {
        if rule.usage == Usage::NotUsed {
            watch.push(self.at(Oddity::ElementNotUsed, place, rule));
            return;
        }
        let classes = if rule.kind == Kind::B { 0 } else { self.classes.of(raw) };
        if classes & values::REPETITION == 0 || !self.repeats() {
            self.one(rule, raw, before, classes, place, watch);
            return;
        }
        let separator = self.segment.delimiters().repetition;
        for (at, repeat) in raw.split(|byte| Some(*byte) == separator).enumerate() {
            let place = Place { repeat: at + 1, ..place };
            if at == usize::from(rule.repeat) {
                watch.push(self.at(Oddity::ElementRepeats, place, rule).counts(Some(u64::from(rule.repeat)), None));
                break;
            }
            self.one(rule, repeat, before, self.classes.of(repeat), place, watch);
        }
    }

    /// Whether the repetition separator can be told from the others here. ISA11 holds it as a value.
    fn repeats(&self) -> bool {
        let delimiters = self.segment.delimiters();
        delimiters.repetition != Some(delimiters.component) && self.spot.segment_id != Some("ISA")
    }

    fn one(
        &self,
        rule: &'static ElementRule,
        raw: &[u8],
        before: &[u8],
        classes: u8,
        place: Place,
        watch: &mut Watch<'_>,
    ) {
        if !rule.parts.is_empty() {
            return self.composite(rule, raw, place, watch);
        }
        let isa = self.spot.segment_id == Some("ISA");
        if classes & values::COMPONENT != 0 && rule.kind != Kind::B && !isa {
            watch.push(self.at(Oddity::TooManyComponents, place, rule));
            return;
        }
        self.value(rule, raw, before, classes, place, watch);
    }

    fn composite(&self, rule: &'static ElementRule, raw: &[u8], place: Place, watch: &mut Watch<'_>) {
        let separator = self.segment.delimiters().component;
        let mut parts = raw.split(|byte| *byte == separator);
        let (mut present, mut before): (u32, &[u8]) = (0, &[]);
        for (at, part) in rule.parts.iter().enumerate() {
            let value = parts.next().unwrap_or(&[]);
            let place = Place { component: at + 1, ..place };
            if value.is_empty() {
                if part.usage == Usage::Required {
                    watch.push(self.at(Oddity::MissingElement, place, part));
                }
            } else if part.usage == Usage::NotUsed {
                present |= 1 << at;
                watch.push(self.at(Oddity::ElementNotUsed, place, part));
            } else {
                present |= 1 << at;
                self.value(part, value, before, self.classes.of(value), place, watch);
            }
            before = value;
        }
        if parts.any(|part| !part.is_empty()) {
            watch.push(self.at(Oddity::TooManyComponents, place, rule));
        }
        for note in rule.notes.iter().filter(|note| !note.holds(present)) {
            watch.push(self.note(note, present, place.element));
        }
    }

    fn value(
        &self,
        rule: &'static ElementRule,
        value: &[u8],
        before: &[u8],
        classes: u8,
        place: Place,
        watch: &mut Watch<'_>,
    ) {
        if classes & values::CONTROL != 0 && rule.kind != Kind::B {
            watch.push(self.at(Oddity::Character, place, rule));
        }
        let length = length(rule.kind, value, classes);
        let too = if length < rule.min as usize {
            Some(Oddity::TooShort)
        } else if length > rule.max as usize {
            Some(Oddity::TooLong)
        } else {
            None
        };
        let form = match rule.kind {
            Kind::N => (!values::is_whole(value)).then_some(Oddity::NumberValue),
            Kind::R => (!values::is_decimal(value)).then_some(Oddity::NumberValue),
            Kind::Dt => (!values::is_date(value)).then_some(Oddity::DateValue),
            Kind::Tm => (!values::is_time(value)).then_some(Oddity::TimeValue),
            Kind::An | Kind::Id | Kind::B => None,
        };
        if let Some(oddity) = form {
            let words = match rule.kind {
                Kind::N => "digits",
                Kind::R => "a decimal number",
                Kind::Tm => "HHMM, HHMMSS or HHMMSSDD",
                _ if rule.max == 6 => "YYMMDD",
                _ => "CCYYMMDD",
            };
            watch.push(self.at(oddity, place, rule).expecting(words));
        } else if let Some(oddity) = too {
            watch.push(self.at(oddity, place, rule).expecting(rule.length));
        } else if !rule.codes.any() && !rule.codes.has(value) {
            watch.push(self.at(rule.codes.reach.oddity(), place, rule).expecting(rule.codes.text));
        }
        self.special(rule, value, before, place, watch);
    }

    fn special(&self, rule: &'static ElementRule, value: &[u8], before: &[u8], place: Place, watch: &mut Watch<'_>) {
        let value = value.trim_ascii();
        match rule.special {
            Special::None => {}
            Special::Formatted => {
                if values::is_formatted(before, value) == Some(false) {
                    let time = matches!(before, b"TM" | b"TS");
                    let oddity = if time { Oddity::TimeValue } else { Oddity::DateValue };
                    watch.push(self.at(oddity, place, rule).expecting(values::format_words(before)));
                }
            }
            Special::NpiAfterXx if before == b"XX" && !values::is_npi(value) => {
                watch.push(self.at(Oddity::Npi, place, rule));
            }
            Special::NpiAfterHpi if before == b"HPI" && !values::is_npi(value) => {
                watch.push(self.at(Oddity::Npi, place, rule));
            }
            Special::NpiAfterXx | Special::NpiAfterHpi => {}
        }
    }

    fn at(&self, oddity: Oddity, place: Place, rule: &ElementRule) -> Finding {
        let mut finding = self.spot.finding(oddity).element(place.element);
        finding.component = u16::try_from(place.component).ok().filter(|at| *at > 0);
        finding.repeat = u16::try_from(place.repeat).ok().filter(|at| *at > 1);
        finding.data_element = Some(rule.number).filter(|number| number.parse::<u16>().is_ok());
        finding
    }

    /// `inside`: the element whose components the note is about; 0: it is about the segment's elements.
    fn note(&self, note: &Note, present: u32, inside: usize) -> Finding {
        let oddity = match note.kind {
            NoteKind::Paired => Oddity::NotePaired,
            NoteKind::Required => Oddity::NoteRequired,
            NoteKind::Exclusion => Oddity::NoteExclusion,
            NoteKind::Conditional => Oddity::NoteConditional,
            NoteKind::List => Oddity::NoteList,
        };
        // The one to look at: the last one there of those that exclude each other, else the first one missing.
        let bits = if note.kind == NoteKind::Exclusion { present & note.all } else { note.all & !present };
        let at = if note.kind == NoteKind::Exclusion { 32 - bits.leading_zeros() } else { bits.trailing_zeros() + 1 };
        let at = at.min(32) as usize;
        let mut finding = self.spot.finding(oddity).element(if inside == 0 { at } else { inside });
        finding.component = u16::try_from(at).ok().filter(|_| inside > 0);
        finding.expecting(note.text)
    }

    fn rule(&self, rule: &SegmentRule, target: &Condition) -> Finding {
        let mut finding = self.spot.finding(demanded(rule.demand)).element(usize::from(target.element));
        finding.component = Some(target.component).filter(|at| *at > 0);
        if !rule.words.is_empty() {
            finding.message = rule.words;
        }
        if !target.codes.any() && matches!(rule.demand, Demand::Need | Demand::Should) {
            return finding.expecting(target.codes.text);
        }
        finding
    }
}

/// What a broken rule is called.
pub(super) fn demanded(demand: Demand) -> Oddity {
    match demand {
        Demand::Need => Oddity::RuleMissing,
        Demand::Forbid => Oddity::RuleForbidden,
        Demand::Should | Demand::Avoid => Oddity::RuleAdvice,
    }
}

fn length(kind: Kind, value: &[u8], classes: u8) -> usize {
    match kind {
        Kind::N | Kind::R => values::number_length(value),
        _ if classes & values::WIDE != 0 => String::from_utf8_lossy(value).chars().count(),
        _ => value.len(),
    }
}
