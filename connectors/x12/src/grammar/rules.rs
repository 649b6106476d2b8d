//! Situational rules: compiling them, and judging a segment by its own.

use std::collections::HashMap;

use super::guide::{Condition, Demand, Fact, Guide, LoopRule, SegmentRule, Term, What};
use super::tokens::{self, LoopTerm};
use crate::read::Segment;

/// Facts kept for one loop: a bit each.
const MAX_FACTS: u32 = 64;

/// A loop rule as read, not yet tied to the loops.
pub(super) struct RuleSource {
    owner: u16,
    line: usize,
    when: Vec<(bool, LoopTerm)>,
    demand: Demand,
    targets: Vec<LoopTerm>,
    words: &'static str,
}

/// `WHEN and WHEN need TARGET or TARGET`
struct Sentence {
    when: Vec<(bool, &'static str)>,
    demand: Demand,
    targets: Vec<&'static str>,
}

fn sentence(words: &[&'static str]) -> Result<Sentence, String> {
    let demands = ["need", "should", "forbid", "avoid"];
    let at = words.iter().position(|word| demands.contains(word));
    let at = at.ok_or("expected `need`, `should`, `forbid` or `avoid`")?;
    let demand = match words.get(at).copied() {
        Some("need") => Demand::Need,
        Some("should") => Demand::Should,
        Some("forbid") => Demand::Forbid,
        _ => Demand::Avoid,
    };
    let mut when = Vec::new();
    for part in words.get(..at).unwrap_or_default().split(|word| *word == "and") {
        match part {
            ["no", word] => when.push((true, *word)),
            [word] => when.push((false, *word)),
            _ => return Err("a rule begins with terms joined by `and`".into()),
        }
    }
    let mut targets = Vec::new();
    for part in words.get(at + 1..).unwrap_or_default().split(|word| *word == "or") {
        match part {
            [word] => targets.push(*word),
            _ => return Err("a rule ends with terms joined by `or`".into()),
        }
    }
    Ok(Sentence { when, demand, targets })
}

/// Reads what follows `if`.
pub(super) fn segment_rule(words: &[&'static str], help: &'static str) -> Result<SegmentRule, String> {
    let sentence = sentence(words)?;
    if sentence.when.iter().any(|(absent, _)| *absent) {
        return Err("`no` is for rules that begin with `when`".into());
    }
    let when = sentence.when.iter().map(|(_, word)| tokens::condition(word)).collect::<Result<_, _>>()?;
    let targets = sentence.targets.iter().map(|word| tokens::condition(word)).collect::<Result<_, _>>()?;
    Ok(SegmentRule { when, demand: sentence.demand, targets, words: help })
}

impl RuleSource {
    /// Reads what follows `when`.
    pub(super) fn new(owner: u16, line: usize, words: &[&'static str], help: &'static str) -> Result<Self, String> {
        let sentence = sentence(words)?;
        let mut when = Vec::new();
        for (absent, word) in sentence.when {
            when.push((absent, tokens::loop_term(word)?));
        }
        let targets = sentence.targets.into_iter().map(tokens::loop_term).collect::<Result<_, _>>()?;
        Ok(Self { owner, line, when, demand: sentence.demand, targets, words: help })
    }
}

/// Ties loop rules to the loops: every term becomes a bit that segments set.
pub(super) fn resolve(guide: &mut Guide, sources: &[RuleSource]) -> Result<(), (usize, String)> {
    let mut used: HashMap<u16, u32> = HashMap::new();
    for source in sources {
        let mut term = |absent: bool, term: &LoopTerm| {
            tie(guide, source.owner, term, absent, &mut used).map_err(|message| (source.line, message))
        };
        let mut when = Vec::new();
        for (absent, one) in &source.when {
            when.push(term(*absent, one)?);
        }
        let mut targets = Vec::new();
        for one in &source.targets {
            targets.push(term(false, one)?);
        }
        let first = source.targets.first();
        let rule = LoopRule {
            when,
            demand: source.demand,
            targets,
            words: source.words,
            segment: first.map_or("", |term| term.segment),
            element: first.map_or(0, |term| term.condition.element),
        };
        if let Some(owner) = guide.loops.get_mut(usize::from(source.owner)) {
            owner.rules.push(rule);
        }
    }
    Ok(())
}

fn tie(
    guide: &mut Guide,
    owner: u16,
    term: &LoopTerm,
    absent: bool,
    used: &mut HashMap<u16, u32>,
) -> Result<Term, String> {
    let keeper = if term.outer { outer(guide, owner, term.loop_id)? } else { owner };
    let used = used.entry(keeper).or_insert(0);
    if *used >= MAX_FACTS {
        return Err("too many rules on one loop".into());
    }
    let bit = 1u64 << *used;
    *used += 1;
    let depth_of = |guide: &Guide, at: u16| guide.loops.get(usize::from(at)).map_or(0, |one| one.depth);
    let own = term.outer || term.loop_id.is_empty();
    let places = if own { vec![keeper] } else { inner(guide, keeper, term.loop_id) };
    let keeper_depth = depth_of(guide, keeper);
    let mut found = false;
    for place in places {
        let up = depth_of(guide, place).saturating_sub(keeper_depth);
        for line in guide.lines.iter_mut().filter(|line| line.owner == place && line.segment == term.segment) {
            line.facts.push(Fact { up, bit, condition: term.condition.clone() });
            found = true;
        }
    }
    if !found {
        return Err(format!("no line {}{} here", term.loop_id, term.segment));
    }
    Ok(Term { up: depth_of(guide, owner).saturating_sub(keeper_depth), bit, absent })
}

fn outer(guide: &Guide, from: u16, id: &str) -> Result<u16, String> {
    let mut at = guide.loops.get(usize::from(from)).and_then(|one| one.parent);
    while let Some(number) = at {
        let Some(one) = guide.loops.get(usize::from(number)) else { break };
        if one.id == id {
            return Ok(number);
        }
        at = one.parent;
    }
    Err(format!("no loop {id} around this one"))
}

fn inner(guide: &Guide, from: u16, id: &str) -> Vec<u16> {
    let (mut found, mut open) = (Vec::new(), vec![from]);
    while let Some(at) = open.pop() {
        let Some(one) = guide.loops.get(usize::from(at)) else { continue };
        for child in &one.children {
            if let What::Loop(number) = child.what {
                if guide.loops.get(usize::from(number)).is_some_and(|inner| inner.id == id) {
                    found.push(number);
                }
                open.push(number);
            }
        }
    }
    found
}

/// Whether a segment fits.
pub(super) fn fits(condition: &Condition, segment: &Segment<'_>) -> bool {
    if condition.element == 0 {
        return true;
    }
    let raw = segment.raw(usize::from(condition.element));
    let value = match condition.component {
        0 => raw,
        component => part(raw, segment.delimiters().component, component),
    };
    let there = !value.trim_ascii().is_empty();
    if condition.codes.any() { there } else { there && condition.codes.has(value) != condition.other }
}

/// One component, from 1.
pub(super) fn part(raw: &[u8], separator: u8, component: u16) -> &[u8] {
    raw.split(|byte| *byte == separator).nth(usize::from(component.saturating_sub(1))).unwrap_or(&[])
}

/// The target that a segment's rule is broken about, if it is broken.
pub(super) fn broken<'r>(rule: &'r SegmentRule, segment: &Segment<'_>) -> Option<&'r Condition> {
    if !rule.when.iter().all(|condition| fits(condition, segment)) {
        return None;
    }
    match rule.demand {
        Demand::Need | Demand::Should => {
            if rule.targets.iter().any(|target| fits(target, segment)) {
                None
            } else {
                rule.targets.first()
            }
        }
        Demand::Forbid | Demand::Avoid => rule.targets.iter().find(|target| fits(target, segment)),
    }
}
