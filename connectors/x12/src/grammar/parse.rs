//! Compiles a guide's table into a [`Guide`]. The format is described in `README.md`.

use super::TableFault;
use super::dictionary::{Definition, Dictionary, Shape, Slot};
use super::guide::{Child, CodeSet, ElementRule, Guide, Line, Loop, Mark, Special, Usage, What};
use super::rules::{self, RuleSource};
use super::source::{self, SourceLine};
use super::tokens::{self, ElementToken};

/// Loops within loops, at most.
const MAX_LOOP_DEPTH: u16 = 12;

/// Compiles one guide.
pub(super) fn guide(file: &'static str, text: &'static str) -> Result<Guide, TableFault> {
    let mut build = Build {
        dictionary: Dictionary::get(),
        guide: Guide {
            name: file.trim_end_matches(".txt"),
            set: "",
            versions: Vec::new(),
            loops: vec![new_loop("ST", 0, None)],
            lines: Vec::new(),
            choices: Vec::new(),
            names: 0,
        },
        open: vec![(0, 0)],
        rules: Vec::new(),
    };
    for line in source::read(file, text)? {
        build.line(&line).map_err(|message| TableFault::new(file, line.number, &message))?;
    }
    build.fixed("SE 1 R 1! 2!").map_err(|message| TableFault::new(file, 0, &message))?;
    build.finish(file)
}

fn new_loop(id: &'static str, depth: u16, parent: Option<u16>) -> Loop {
    let (children, required, rules) = (Vec::new(), Vec::new(), Vec::new());
    Loop { id, depth, parent, children, required, rules, hierarchical: false }
}

struct Build {
    dictionary: &'static Dictionary,
    guide: Guide,
    /// Open loops: the indentation of their lines, and which.
    open: Vec<(usize, u16)>,
    rules: Vec<RuleSource>,
}

impl Build {
    fn line(&mut self, line: &SourceLine) -> Result<(), String> {
        let first = *line.words.first().ok_or("nothing here")?;
        let rest = line.words.get(1..).unwrap_or_default();
        match first {
            "set" => {
                self.guide.set = rest.first().ok_or("set needs ST01")?;
                return Ok(());
            }
            "versions" => {
                self.guide.versions = rest.to_vec();
                return self.fixed("ST 1 R 1! 2! 3?");
            }
            "if" => {
                let last = self.guide.lines.last_mut().ok_or("a rule without its segment")?;
                last.rules.push(rules::segment_rule(rest, line.help)?);
                return Ok(());
            }
            _ => {}
        }
        while self.open.len() > 1 && self.open.last().is_some_and(|(indent, _)| line.indent < *indent) {
            self.open.pop();
        }
        let owner = match self.open.last() {
            Some((indent, owner)) if *indent == line.indent => *owner,
            _ => return Err("the indentation fits no open loop".into()),
        };
        match first {
            "loop" => self.open_loop(owner, line.indent, rest),
            "when" => {
                self.rules.push(RuleSource::new(owner, line.number, rest, line.help)?);
                Ok(())
            }
            _ => self.segment(owner, &line.words),
        }
    }

    /// A line every transaction set has.
    fn fixed(&mut self, text: &'static str) -> Result<(), String> {
        let mut words: Vec<&'static str> = text.split(' ').collect();
        words.swap(1, 2);
        self.segment(0, &words)
    }

    fn open_loop(&mut self, owner: u16, indent: usize, words: &[&'static str]) -> Result<(), String> {
        let [id, usage, repeat] = words else { return Err("expected `loop ID R|S REPEAT`".into()) };
        let number = u16::try_from(self.guide.loops.len()).map_err(|_| "too many loops")?;
        let depth = self.loop_at(owner).map_or(0, |outer| outer.depth) + 1;
        if depth > MAX_LOOP_DEPTH {
            return Err("loops too deep within each other".into());
        }
        let child = Child {
            what: What::Loop(number),
            place: 0,
            required: required(usage)?,
            max: tokens::repeat(repeat)?,
            line: u16::MAX,
        };
        self.guide.loops.push(new_loop(id, depth, Some(owner)));
        self.child(owner, child);
        self.open.push((indent + 2, number));
        Ok(())
    }

    fn loop_at(&self, at: u16) -> Option<&Loop> {
        self.guide.loops.get(usize::from(at))
    }

    fn child(&mut self, owner: u16, child: Child) {
        if let Some(owner) = self.guide.loops.get_mut(usize::from(owner)) {
            owner.children.push(child);
        }
    }

    fn segment(&mut self, owner: u16, words: &[&'static str]) -> Result<(), String> {
        let [id, usage, repeat, elements @ ..] = words else {
            return Err("expected `SEGMENT R|S REPEAT ELEMENT ...`".into());
        };
        let definition = self.dictionary.segment(id).ok_or_else(|| format!("{id} is not in segments.txt"))?;
        let line = line(definition, owner, elements, self.dictionary)?;
        let number = u16::try_from(self.guide.lines.len()).map_err(|_| "too many lines")?;
        self.guide.lines.push(line);
        let what = What::Line;
        let child = Child { what, place: 0, required: required(usage)?, max: tokens::repeat(repeat)?, line: number };
        self.child(owner, child);
        Ok(())
    }

    fn finish(mut self, file: &'static str) -> Result<Guide, TableFault> {
        let fault = |message: &str| TableFault::new(file, 0, message);
        if self.guide.set.is_empty() || self.guide.versions.is_empty() {
            return Err(fault("`set` and `versions` are missing"));
        }
        let firsts: Vec<Option<u16>> =
            self.guide.loops.iter().map(|one| one.children.first().map(|c| c.line)).collect();
        for at in 0..self.guide.loops.len() {
            let Some(one) = self.guide.loops.get_mut(at) else { continue };
            let (mut place, mut before) = (0, None);
            let id = one.id;
            for (number, child) in one.children.iter_mut().enumerate() {
                let is_loop = matches!(child.what, What::Loop(_));
                if let What::Loop(inner) = child.what {
                    child.line = firsts.get(usize::from(inner)).copied().flatten().unwrap_or(u16::MAX);
                }
                let line = self.guide.lines.get(usize::from(child.line));
                let segment = line.ok_or_else(|| fault("a loop begins with another loop, or is empty"))?.segment;
                if number == 0 && is_loop {
                    return Err(fault(&format!("loop {id} does not begin with a segment")));
                }
                // Neighbours of the same segment stand in one place: their order is free. The first stands alone.
                if number == 1 || number > 1 && before != Some((segment, is_loop)) {
                    place += 1;
                }
                before = Some((segment, is_loop));
                child.place = place;
                one.hierarchical |= number == 0 && segment == "HL";
            }
        }
        rules::resolve(&mut self.guide, &self.rules)
            .map_err(|(line, message)| TableFault::new(file, line, &message))?;
        self.guide.index(self.dictionary);
        Ok(self.guide)
    }
}

fn required(usage: &str) -> Result<bool, String> {
    match usage {
        "R" => Ok(true),
        "S" => Ok(false),
        _ => Err(format!("{usage}: R or S")),
    }
}

pub(super) fn line(
    definition: &'static Definition,
    owner: u16,
    words: &[&'static str],
    dictionary: &'static Dictionary,
) -> Result<Line, String> {
    let whole = words.first() == Some(&"*");
    let words = words.get(usize::from(whole)..).unwrap_or_default();
    let tokens = words.iter().map(|word| tokens::element(word)).collect::<Result<Vec<_>, _>>()?;
    let mut elements: Vec<ElementRule> = definition.slots.iter().map(|slot| element(slot, whole, dictionary)).collect();
    specials(&mut elements);
    let mut marks = Vec::new();
    for token in &tokens {
        let at = usize::from(token.element) - 1;
        let fault = || format!("{} has no element {}.{}", definition.id, token.element, token.component);
        let top = elements.get_mut(at).ok_or_else(fault)?;
        if token.component == 0 {
            refine(top, token);
        } else {
            let sole = tokens.iter().find(|other| other.element == token.element && other.component > 0);
            if sole.is_some_and(|first| std::ptr::eq(first, token)) {
                unused(&mut top.parts);
            }
            if top.usage == Usage::NotUsed {
                top.usage = Usage::Situational;
            }
            if token.mark == '#' {
                top.usage = Usage::Required;
            }
            refine(top.parts.get_mut(usize::from(token.component) - 1).ok_or_else(fault)?, token);
        }
        if token.mark == '#' {
            marks.push(Mark { element: token.element, component: token.component, codes: token.codes.clone() });
        }
    }
    // The first component of a composite that is a qualifier may be asked for without a component.
    for mark in &mut marks {
        let composite = elements.get(usize::from(mark.element) - 1).is_some_and(|rule| !rule.parts.is_empty());
        if composite && mark.component == 0 {
            return Err(format!("{}: name the component of the qualifier", definition.id));
        }
    }
    let notes = &definition.notes;
    Ok(Line { segment: definition.id, owner, elements, notes, marks, rules: Vec::new(), facts: Vec::new() })
}

fn unused(parts: &mut [ElementRule]) {
    for part in parts.iter_mut().filter(|part| part.usage == Usage::Situational) {
        part.usage = Usage::NotUsed;
    }
}

fn refine(rule: &mut ElementRule, token: &ElementToken) {
    rule.usage = match token.mark {
        '!' | '#' => Usage::Required,
        '-' => Usage::NotUsed,
        _ => Usage::Situational,
    };
    if let Some(repeat) = token.repeat {
        rule.repeat = repeat;
    }
    if !token.codes.any() {
        rule.codes = token.codes.clone();
    }
}

/// The rule of a slot before a guide refines it: what the standard demands; the rest as in the standard, or not used.
fn element(slot: &Slot, whole: bool, dictionary: &'static Dictionary) -> ElementRule {
    let usage = match (slot.required, whole) {
        (true, _) => Usage::Required,
        (false, true) => Usage::Situational,
        (false, false) => Usage::NotUsed,
    };
    let blank = ElementRule {
        usage,
        kind: super::dictionary::Kind::An,
        min: 0,
        max: u32::MAX,
        length: "",
        number: "",
        repeat: slot.repeat,
        special: Special::None,
        codes: CodeSet::default(),
        parts: Vec::new(),
        notes: &[],
    };
    match slot.shape {
        Shape::Simple(data) => ElementRule {
            kind: data.kind,
            min: data.min,
            max: data.max,
            length: data.length,
            number: data.number,
            ..blank
        },
        Shape::Composite(at) => {
            let Some(composite) = dictionary.composites.get(at) else { return blank };
            let mut parts: Vec<ElementRule> =
                composite.slots.iter().map(|part| element(part, true, dictionary)).collect();
            specials(&mut parts);
            ElementRule { number: composite.id, parts, notes: &composite.notes, ..blank }
        }
    }
}

/// Values whose form the value before them names.
fn specials(rules: &mut [ElementRule]) {
    let mut before = "";
    for rule in rules {
        rule.special = match (before, rule.number) {
            ("1250", "1251") => Special::Formatted,
            ("66", "67") => Special::NpiAfterXx,
            ("128", "127") => Special::NpiAfterHpi,
            _ => rule.special,
        };
        before = rule.number;
    }
}
