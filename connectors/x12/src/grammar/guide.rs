//! A guide, compiled: what the matcher walks over. Small integers and slices; texts are the tables' own.

use super::dictionary::{Dictionary, Kind, Note};
use super::lists::Reach;

/// No upper bound of repeats.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// Codes up to this length can be told apart, bytes.
pub(super) const MAX_CODE: usize = 16;

/// A code as a number, for quick comparing; `None` where it is too long to be one of a table.
pub(super) fn pack_code(code: &[u8]) -> Option<u128> {
    let code = code.trim_ascii();
    let mut bytes = [0u8; MAX_CODE];
    bytes.get_mut(..code.len())?.copy_from_slice(code);
    Some(u128::from_be_bytes(bytes))
}

/// The codes an element may have.
#[derive(Clone, Debug, Default)]
pub(super) struct CodeSet {
    /// Sorted; empty for "any".
    pub(super) codes: Vec<u128>,
    /// As the table writes it.
    pub(super) text: &'static str,
    /// What it means that a code is not there.
    pub(super) reach: Reach,
}

impl CodeSet {
    /// Whether anything goes.
    pub(super) fn any(&self) -> bool {
        self.codes.is_empty()
    }

    /// Whether a value is one of these.
    pub(super) fn has(&self, value: &[u8]) -> bool {
        pack_code(value).is_some_and(|code| self.has_packed(code))
    }

    /// The same for a value that is packed already.
    pub(super) fn has_packed(&self, code: u128) -> bool {
        if self.codes.len() <= 8 { self.codes.contains(&code) } else { self.codes.binary_search(&code).is_ok() }
    }
}

/// Whether an element must, may or must not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    Required,
    Situational,
    NotUsed,
}

/// Checks that look at the value before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    None,
    /// A date or time in the form that the value before names (1250, 1251).
    Formatted,
    /// A National Provider Identifier where the value before is `XX` (66, 67).
    NpiAfterXx,
    /// A National Provider Identifier where the value before is `HPI` (128, 127).
    NpiAfterHpi,
}

/// What one element, or one component, must look like.
#[derive(Clone, Debug)]
pub(super) struct ElementRule {
    pub(super) usage: Usage,
    pub(super) kind: Kind,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) length: &'static str,
    /// Its number in the dictionary.
    pub(super) number: &'static str,
    pub(super) repeat: u16,
    pub(super) special: Special,
    pub(super) codes: CodeSet,
    /// Of a composite: its components.
    pub(super) parts: Vec<ElementRule>,
    /// Of a composite: its syntax notes.
    pub(super) notes: &'static [Note],
}

/// A condition on one segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    /// From 1; 0: the segment as such.
    pub(super) element: u16,
    /// From 1; 0: the element as such.
    pub(super) component: u16,
    /// What it must be; empty: there at all.
    pub(super) codes: CodeSet,
    /// Turned round: there, and none of the codes.
    pub(super) other: bool,
}

/// What a rule asks for when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// At least one of its targets, else an error.
    Need,
    /// At least one of its targets, else a remark.
    Should,
    /// None of its targets, else an error.
    Forbid,
    /// None of its targets, else a remark.
    Avoid,
}

/// A rule within one segment.
#[derive(Clone, Debug)]
pub(super) struct SegmentRule {
    pub(super) when: Vec<Condition>,
    pub(super) demand: Demand,
    pub(super) targets: Vec<Condition>,
    pub(super) words: &'static str,
}

/// One bit of what was seen in a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// How many loops further out the bit is kept.
    pub(super) up: u16,
    pub(super) bit: u64,
    /// The bit must be off.
    pub(super) absent: bool,
}

/// A rule over a loop, judged when the loop ends.
#[derive(Clone, Debug)]
pub(super) struct LoopRule {
    pub(super) when: Vec<Term>,
    pub(super) demand: Demand,
    pub(super) targets: Vec<Term>,
    pub(super) words: &'static str,
    /// What the finding names.
    pub(super) segment: &'static str,
    pub(super) element: u16,
}

/// Sets a bit when a segment fits.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) up: u16,
    pub(super) bit: u64,
    pub(super) condition: Condition,
}

/// Values that tell this line from others of the same segment.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) element: u16,
    /// From 1; 0 for a simple element.
    pub(super) component: u16,
    pub(super) codes: CodeSet,
}

/// One line of a guide: one use of one segment.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) segment: &'static str,
    pub(super) owner: u16,
    pub(super) elements: Vec<ElementRule>,
    pub(super) notes: &'static [Note],
    pub(super) marks: Vec<Mark>,
    pub(super) rules: Vec<SegmentRule>,
    pub(super) facts: Vec<Fact>,
}

/// What stands in a loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Line,
    Loop(u16),
}

/// One thing in a loop, in the guide's order. Things of one place may come in any order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child {
    pub(super) what: What,
    pub(super) place: u16,
    pub(super) required: bool,
    pub(super) max: u32,
    /// The line that is matched: its own, or the loop's first.
    pub(super) line: u16,
}

/// A loop. The first of its children is the segment that begins it.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) id: &'static str,
    pub(super) depth: u16,
    pub(super) parent: Option<u16>,
    pub(super) children: Vec<Child>,
    /// The required ones among them.
    pub(super) required: Vec<u16>,
    pub(super) rules: Vec<LoopRule>,
    /// Begins with HL.
    pub(super) hierarchical: bool,
}

/// The children of a loop that a segment may be.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    /// Places in [`Loop::children`].
    pub(super) children: Vec<u16>,
    /// All values that tell them apart, for a finding.
    pub(super) expected: String,
}

/// A guide.
#[derive(Debug)]
pub struct Guide {
    /// Its short name, the table's file name: `999`.
    pub(super) name: &'static str,
    /// ST01.
    pub(super) set: &'static str,
    /// What ST03 and GS08 may name, without suffix: `005010X231`.
    pub(super) versions: Vec<&'static str>,
    pub(super) loops: Vec<Loop>,
    pub(super) lines: Vec<Line>,
    /// By loop, then by the dictionary's place of the segment.
    pub(super) choices: Vec<Choices>,
    pub(super) names: usize,
}

impl Guide {
    /// Its short name: `999`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The transaction set it is about, ST01.
    pub fn transaction_set(&self) -> &'static str {
        self.set
    }

    /// What ST03 and GS08 name it, without the suffix of later corrections: `005010X231`.
    pub fn versions(&self) -> &[&'static str] {
        &self.versions
    }

    /// How many loops and segment lines it has.
    pub fn size(&self) -> (usize, usize) {
        (self.loops.len(), self.lines.len())
    }

    /// The children of a loop that a segment, by its place in the dictionary, may be.
    pub(super) fn choices(&self, owner: u16, segment: usize) -> Option<&Choices> {
        self.choices.get(usize::from(owner).checked_mul(self.names)?.checked_add(segment)?)
    }

    /// Fills in what follows from loops and lines.
    pub(super) fn index(&mut self, dictionary: &Dictionary) {
        self.names = dictionary.len();
        self.choices = vec![Choices::default(); self.loops.len().saturating_mul(self.names)];
        for (at, owner) in self.loops.iter_mut().enumerate() {
            for (number, child) in owner.children.iter().enumerate() {
                let Ok(number) = u16::try_from(number) else { continue };
                if child.required {
                    owner.required.push(number);
                }
                let Some(line) = self.lines.get(usize::from(child.line)) else { continue };
                let Some(segment) = dictionary.place(line.segment.as_bytes()) else { continue };
                let Some(choices) = self.choices.get_mut(at * self.names + segment) else { continue };
                choices.children.push(number);
                if let Some(mark) = line.marks.first() {
                    if !choices.expected.is_empty() {
                        choices.expected.push(',');
                    }
                    choices.expected.push_str(mark.codes.text);
                }
            }
        }
    }
}
