//! The dictionary: data elements, composites and segments of the standard, compiled once from `elements.txt` and
//! `segments.txt`. Guides refine it.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::TableFault;

const ELEMENTS: &str = include_str!("elements.txt");
const SEGMENTS: &str = include_str!("segments.txt");

/// Most elements of a segment, or components of a composite, that a table may name: one bit each.
pub(super) const MAX_SLOTS: usize = 32;

/// What kind of value a data element holds (X12.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    An,
    /// A code.
    Id,
    /// A date, CCYYMMDD or YYMMDD.
    Dt,
    /// A time, HHMM with optional seconds and fractions.
    Tm,
    /// A whole number.
    N,
    /// A decimal number.
    R,
    /// Binary.
    B,
}

/// A data element of the standard.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataElement {
    pub(super) number: &'static str,
    pub(super) kind: Kind,
    pub(super) min: u32,
    pub(super) max: u32,
    /// The length as the table writes it: `1-60`.
    pub(super) length: &'static str,
}

/// What stands in one place of a segment or composite.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Simple(DataElement),
    /// Index into [`Dictionary::composites`].
    Composite(usize),
}

/// One place of a segment or composite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) shape: Shape,
    pub(super) repeat: u16,
    pub(super) required: bool,
}

/// How the elements of a syntax note hang together (X12.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoteKind {
    /// All or none.
    Paired,
    /// At least one.
    Required,
    /// At most one.
    Exclusion,
    /// The first asks for all others.
    Conditional,
    /// The first asks for at least one other.
    List,
}

/// A syntax note: `P0304`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) kind: NoteKind,
    /// As the table writes it.
    pub(super) text: &'static str,
    /// The first element's bit.
    pub(super) first: u32,
    /// The bits of all its elements.
    pub(super) all: u32,
}

impl Note {
    /// Whether the elements that are there (a bit each) keep to the note.
    pub(super) fn holds(&self, present: u32) -> bool {
        let here = present & self.all;
        match self.kind {
            NoteKind::Paired => here == 0 || here == self.all,
            NoteKind::Required => here != 0,
            NoteKind::Exclusion => here & here.wrapping_sub(1) == 0,
            NoteKind::Conditional => present & self.first == 0 || here == self.all,
            NoteKind::List => present & self.first == 0 || here != self.first,
        }
    }
}

/// A segment or composite.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) id: &'static str,
    pub(super) slots: Vec<Slot>,
    pub(super) notes: Vec<Note>,
}

/// The whole dictionary.
pub(super) struct Dictionary {
    pub(super) elements: HashMap<&'static str, DataElement>,
    pub(super) composites: Vec<Definition>,
    pub(super) segments: Vec<Definition>,
    /// Identifier to place in `segments`; names without a definition stand behind the last one.
    names: HashMap<&'static str, usize>,
    /// The same by the packed identifier, open addressing: `(packed, place + 1)`.
    hashed: Vec<(u32, u16)>,
}

const HASH_SIZE: usize = 1024;

/// A segment identifier as a number; 0 where it is none.
pub(super) fn pack_id(id: &[u8]) -> u32 {
    match id {
        [a, b] => u32::from_be_bytes([0, 0, *a, *b]),
        [a, b, c] => u32::from_be_bytes([0, *a, *b, *c]),
        _ => 0,
    }
}

fn slot_of(packed: u32) -> usize {
    (packed.wrapping_mul(0x9e37_79b1) >> 22) as usize
}

impl Dictionary {
    /// The dictionary of this crate; empty should its tables be broken, which a test rules out.
    pub(super) fn get() -> &'static Self {
        static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
        DICTIONARY.get_or_init(|| Self::compile().unwrap_or_else(|_| Self::empty()))
    }

    fn empty() -> Self {
        Self {
            elements: HashMap::new(),
            composites: Vec::new(),
            segments: Vec::new(),
            names: HashMap::new(),
            hashed: vec![(0, 0); HASH_SIZE],
        }
    }

    /// Compiles the tables, or says which line is wrong.
    pub(super) fn compile() -> Result<Self, TableFault> {
        let mut dictionary = Self::empty();
        for (line, text) in lines(ELEMENTS) {
            let fault = |message: &str| TableFault::new("elements.txt", line, message);
            let element = data_element(text).ok_or_else(|| fault("not `number TYPE min[-max]`"))?;
            if dictionary.elements.insert(element.number, element).is_some() {
                return Err(fault("this element is there twice"));
            }
        }
        for (line, text) in lines(SEGMENTS) {
            dictionary.add(text).map_err(|message| TableFault::new("segments.txt", line, &message))?;
        }
        Ok(dictionary)
    }

    fn add(&mut self, text: &'static str) -> Result<(), String> {
        if let Some(names) = text.strip_prefix("other ") {
            for id in names.split_whitespace() {
                self.name(id)?;
            }
            return Ok(());
        }
        let composite = text.strip_prefix("composite ");
        let definition = self.definition(composite.unwrap_or(text))?;
        if composite.is_some() {
            self.composites.push(definition);
            return Ok(());
        }
        if self.names.len() != self.segments.len() {
            return Err("segments stand before `other` names".into());
        }
        self.name(definition.id)?;
        self.segments.push(definition);
        Ok(())
    }

    fn name(&mut self, id: &'static str) -> Result<(), String> {
        let place = self.names.len();
        let packed = pack_id(id.as_bytes());
        if packed == 0 || place >= HASH_SIZE / 2 {
            return Err("no segment identifier, or too many of them".into());
        }
        if self.names.insert(id, place).is_some() {
            return Err(format!("{id} is there twice"));
        }
        let mut at = slot_of(packed);
        while self.hashed.get(at).is_some_and(|entry| entry.1 != 0) {
            at = (at + 1) % HASH_SIZE;
        }
        if let (Some(entry), Ok(number)) = (self.hashed.get_mut(at), u16::try_from(place + 1)) {
            *entry = (packed, number);
        }
        Ok(())
    }

    fn definition(&self, text: &'static str) -> Result<Definition, String> {
        let (body, notes) = text.split_once(';').unwrap_or((text, ""));
        let mut words = body.split_whitespace();
        let id = words.next().ok_or("no identifier")?;
        let slots = words.map(|word| self.slot(word)).collect::<Result<Vec<_>, _>>()?;
        if slots.is_empty() || slots.len() > MAX_SLOTS {
            return Err("no elements, or too many".into());
        }
        let notes = notes.split_whitespace().map(|word| note(word, slots.len())).collect::<Result<Vec<_>, _>>()?;
        Ok(Definition { id, slots, notes })
    }

    fn slot(&self, word: &'static str) -> Result<Slot, String> {
        let required = word.ends_with('!');
        let word = word.trim_end_matches('!');
        let (name, repeat) = match word.split_once('*') {
            Some((name, count)) => (name, count.parse().map_err(|_| format!("{word}: no repeat count"))?),
            None => (word, 1),
        };
        let shape = if let Some(element) = self.elements.get(name) {
            Shape::Simple(*element)
        } else {
            let at = self.composites.iter().position(|composite| composite.id == name);
            Shape::Composite(at.ok_or_else(|| format!("{name} is no element or composite"))?)
        };
        Ok(Slot { shape, repeat, required })
    }

    /// The place of a segment among all known names.
    pub(super) fn place(&self, id: &[u8]) -> Option<usize> {
        let packed = pack_id(id);
        let mut at = slot_of(packed);
        loop {
            match self.hashed.get(at) {
                Some((found, number)) if *number != 0 => {
                    if *found == packed {
                        return Some(usize::from(*number) - 1);
                    }
                }
                _ => return None,
            }
            at = (at + 1) % HASH_SIZE;
        }
    }

    /// How many segment names are known.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The fixed name of a segment, never the bytes of a file.
    pub(super) fn fixed_name(&self, id: &[u8]) -> Option<&'static str> {
        let id = std::str::from_utf8(id).ok()?;
        self.names.get_key_value(id).map(|(name, _)| *name)
    }

    /// A segment's definition.
    pub(super) fn segment(&self, id: &str) -> Option<&Definition> {
        self.names.get(id).and_then(|place| self.segments.get(*place))
    }
}

/// The lines that say something, with their number from 1.
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim_end()))
        .filter(|(_, line)| !line.is_empty() && !line.trim_start().starts_with('#'))
}

fn data_element(text: &'static str) -> Option<DataElement> {
    let mut words = text.split_whitespace();
    let (number, kind, length) = (words.next()?, words.next()?, words.next()?);
    let kind = match kind {
        "AN" => Kind::An,
        "ID" => Kind::Id,
        "DT" => Kind::Dt,
        "TM" => Kind::Tm,
        "N0" => Kind::N,
        "R" => Kind::R,
        "B" => Kind::B,
        _ => return None,
    };
    let (min, max) = length.split_once('-').unwrap_or((length, length));
    let (min, max) = (min.parse().ok()?, max.parse().ok()?);
    (min <= max && words.next().is_none()).then_some(DataElement { number, kind, min, max, length })
}

fn note(word: &'static str, slots: usize) -> Result<Note, String> {
    let fault = || format!("{word} is no syntax note");
    let (kind, places) = word.split_at_checked(1).ok_or_else(fault)?;
    let kind = match kind {
        "P" => NoteKind::Paired,
        "R" => NoteKind::Required,
        "E" => NoteKind::Exclusion,
        "C" => NoteKind::Conditional,
        "L" => NoteKind::List,
        _ => return Err(fault()),
    };
    let (mut first, mut all) = (0, 0u32);
    for pair in places.as_bytes().chunks(2) {
        let place: usize = std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| pair.parse().ok())
            .filter(|_| pair.len() == 2)
            .ok_or_else(fault)?;
        if place == 0 || place > slots {
            return Err(fault());
        }
        let bit = 1u32 << (place - 1);
        if first == 0 {
            first = bit;
        }
        all |= bit;
    }
    if all.count_ones() < 2 { Err(fault()) } else { Ok(Note { kind, text: word, first, all }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_compiles() {
        let dictionary = Dictionary::compile().unwrap_or_else(|fault| panic!("{fault}"));
        println!("{} elements, {} segments", dictionary.elements.len(), dictionary.segments.len());
        for (place, segment) in dictionary.segments.iter().enumerate() {
            assert_eq!(dictionary.place(segment.id.as_bytes()), Some(place));
        }
        assert_eq!(dictionary.place(b"QQQ"), None);
        assert_eq!(dictionary.place(b"TOOLONG"), None);
        assert_eq!(dictionary.fixed_name(b"HLH"), Some("HLH"));
    }

    #[test]
    fn notes_hold() {
        let p = note("P0203", 3).unwrap();
        assert!(p.holds(0) && p.holds(0b110) && !p.holds(0b010));
        let c = note("C0201", 3).unwrap();
        assert!(c.holds(0b01) && c.holds(0b11) && !c.holds(0b10));
        let l = note("L030102", 3).unwrap();
        assert!(l.holds(0b101) && l.holds(0b011) && !l.holds(0b100));
        let e = note("E0102", 3).unwrap();
        assert!(e.holds(0b01) && e.holds(0) && !e.holds(0b11));
        let r = note("R0102", 3).unwrap();
        assert!(r.holds(0b10) && !r.holds(0b100));
        assert!(note("P02", 3).is_err() && note("X0203", 3).is_err() && note("P0204", 3).is_err());
    }
}
