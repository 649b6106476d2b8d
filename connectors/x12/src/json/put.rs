//! Segments into bytes under one set of separators, with the headers and trailers around them.

use std::io::Write;

use serde_json::{Map, Value};

use super::header::{BYTE_ORDER_MARK, HeaderProblem, gs_elements, isa_elements};
use super::preamble::Preamble;
use super::write::WriteFailure;
use super::{Reason, Refusal};
use crate::delimiters::{self, Delimiters};
use crate::read::{MAX_BINARY_BYTES, MAX_ELEMENTS, MAX_SEGMENT_BYTES};

/// A segment as it came out of the JSON: its identifier and its elements, one after the other.
#[derive(Default)]
pub(super) struct Raw {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Raw {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn push(&mut self, element: &[u8]) {
        self.bytes.extend_from_slice(element);
        self.ends.push(self.bytes.len());
    }

    /// What it takes in memory, about.
    pub(super) fn size(&self) -> usize {
        self.bytes.len().saturating_add(self.ends.len().saturating_mul(8)).saturating_add(64)
    }

    fn of(id: &str, elements: &[Vec<u8>]) -> Self {
        let mut raw = Self::default();
        raw.push(id.as_bytes());
        elements.iter().for_each(|element| raw.push(element));
        raw
    }

    /// The identifier and the elements.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(start..*end).unwrap_or(&[]))
    }

    fn id(&self) -> &[u8] {
        self.parts().next().unwrap_or(&[])
    }

    fn element(&self, element: usize) -> Option<&[u8]> {
        self.parts().nth(element)
    }

    /// Elements, the identifier not counted.
    fn len(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }
}

/// A header that is open, and what was counted in it.
struct Open {
    header: Map<String, Value>,
    control: Vec<u8>,
    count: u64,
}

/// The open transaction set.
struct Set {
    control: Vec<u8>,
    count: u64,
    /// It is a TA1, or its SE was given.
    ended: bool,
}

/// Writes segments and keeps the counts.
pub(super) struct Put<W> {
    out: W,
    delimiters: Delimiters,
    line_break: Vec<u8>,
    interchange: Option<Open>,
    group: Option<Open>,
    set: Option<Set>,
    /// Trailers were given and end what is to end: none is added.
    trailers_given: bool,
    /// The white space after the last segment, held back: the last one of a file may be another.
    pending: Vec<u8>,
    preamble: Preamble,
    /// The last segment was an IEA: the reader looks for the next interchange.
    outside: bool,
    written: u64,
    line: Vec<u8>,
}

impl<W: Write> Put<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            delimiters: Delimiters::default(),
            line_break: Vec::new(),
            interchange: None,
            group: None,
            set: None,
            trailers_given: false,
            pending: Vec::new(),
            preamble: Preamble::default(),
            outside: false,
            written: 0,
            line: Vec::new(),
        }
    }

    /// Segments written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Makes sure that these headers are the open ones: ends others, writes these.
    pub(super) fn open(
        &mut self,
        interchange: Option<Map<String, Value>>,
        group: Option<Map<String, Value>>,
        delimiters: Delimiters,
        line_break: Vec<u8>,
    ) -> Result<(), WriteFailure> {
        if self.interchange.as_ref().map(|open| &open.header) != interchange.as_ref() {
            self.end_interchange()?;
            self.trailers_given = false;
        } else if self.group.as_ref().map(|open| &open.header) != group.as_ref() {
            self.end_group()?;
            self.trailers_given = false;
        }
        if let Some(header) = interchange.filter(|_| self.interchange.is_none()) {
            self.begin_interchange(header, delimiters, line_break)?;
        } else if self.written == 0 {
            (self.delimiters, self.line_break) = (delimiters, line_break);
        } else if self.interchange.is_none() {
            if self.delimiters != delimiters {
                return Err(refused("ISA", 0, Reason::Separators));
            }
            self.line_break = line_break;
        }
        if let Some(header) = group.filter(|_| self.group.is_none()) {
            let elements = gs_elements(&header).map_err(in_header)?;
            self.raw(&Raw::of("GS", &elements), 0)?;
            let control = elements.get(5).map(|control| control.trim_ascii().to_vec()).unwrap_or_default();
            self.group = Some(Open { header, control, count: 0 });
            if let Some(open) = &mut self.interchange {
                open.count = open.count.saturating_add(1);
            }
        }
        Ok(())
    }

    fn begin_interchange(
        &mut self,
        header: Map<String, Value>,
        delimiters: Delimiters,
        line_break: Vec<u8>,
    ) -> Result<(), WriteFailure> {
        let elements = isa_elements(&header, delimiters).map_err(in_header)?;
        // What is written must be read with the same separators: the reader itself is asked.
        let mut sample = b"ISA".to_vec();
        for element in &elements {
            sample.push(delimiters.element);
            sample.extend_from_slice(element);
        }
        sample.push(delimiters.segment);
        sample.extend_from_slice(&line_break);
        sample.extend_from_slice(b"GS");
        let read = delimiters::from_isa(&sample).map(|detected| detected.delimiters);
        if read.is_none_or(|read| !same(read, delimiters)) {
            return Err(refused("ISA", 0, Reason::Separators));
        }
        (self.delimiters, self.line_break) = (delimiters, line_break);
        if self.written == 0 && header.get("byte_order_mark") == Some(&Value::Bool(true)) {
            self.pending.extend_from_slice(BYTE_ORDER_MARK);
        }
        self.line.clear();
        let end = sample.len().saturating_sub(2 + self.line_break.len() + 1);
        let isa = sample.get(..end).unwrap_or(&[]);
        let inside = isa.get(3..).unwrap_or(&[]);
        if inside.iter().any(|byte| *byte == delimiters.segment || control(*byte) && *byte != delimiters.element) {
            return Err(refused("ISA", 0, Reason::HoldsSeparator));
        }
        self.line.extend_from_slice(isa);
        let control = elements.get(12).map(|control| control.trim_ascii().to_vec()).unwrap_or_default();
        self.interchange = Some(Open { header, control, count: 0 });
        self.emit(0)
    }

    /// One segment of a transaction set, or a TA1; `position` from 1.
    pub(super) fn segment(&mut self, raw: &Raw, position: u32) -> Result<(), WriteFailure> {
        let wrong = |reason| Err(refused_id(raw, position, reason));
        match (raw.id(), &mut self.set) {
            (b"ST", None) => {
                let control = raw.element(2).map(|control| control.trim_ascii().to_vec()).unwrap_or_default();
                self.set = Some(Set { control, count: 0, ended: false });
                if let Some(group) = &mut self.group {
                    group.count = group.count.saturating_add(1);
                }
            }
            (b"TA1", None) => self.set = Some(Set { control: Vec::new(), count: 0, ended: true }),
            (b"ISA" | b"GS" | b"ST" | b"GE" | b"IEA", _) | (_, None) => return wrong(Reason::Envelope),
            (_, Some(set)) if set.ended => return wrong(Reason::Envelope),
            (b"SE", Some(set)) => {
                set.ended = true;
                if raw.len() == 0 {
                    set.ended = false;
                    return self.end_set_with(position);
                }
            }
            _ => {}
        }
        self.raw(raw, position)?;
        if let Some(set) = &mut self.set {
            set.count = set.count.saturating_add(1);
        }
        Ok(())
    }

    /// Ends the transaction set of an object. Its SE is added where it was left out, unless what follows is given.
    pub(super) fn end_set(&mut self, given: bool) -> Result<(), WriteFailure> {
        if !given && self.set.as_ref().is_some_and(|set| !set.ended) {
            self.end_set_with(0)?;
        }
        self.set = None;
        self.trailers_given = false;
        Ok(())
    }

    fn end_set_with(&mut self, position: u32) -> Result<(), WriteFailure> {
        let Some(set) = &mut self.set else { return Ok(()) };
        set.ended = true;
        let (count, control) = (set.count.saturating_add(1).to_string(), set.control.clone());
        self.raw(&Raw::of("SE", &[count.into_bytes(), control]), position)
    }

    /// The segments after an object, exactly these.
    pub(super) fn trailers(&mut self, trailers: &[Raw]) -> Result<(), WriteFailure> {
        self.trailers_given = true;
        for raw in trailers {
            match raw.id() {
                b"ISA" | b"GS" | b"ST" => return Err(refused_id(raw, 0, Reason::Envelope)),
                b"GE" => self.group = None,
                b"IEA" => (self.group, self.interchange) = (None, None),
                _ => {}
            }
            self.raw(raw, 0)?;
        }
        Ok(())
    }

    /// Ends the interchange, and puts this white space after it.
    pub(super) fn tail(&mut self, tail: Vec<u8>) -> Result<(), WriteFailure> {
        self.end_interchange()?;
        self.pending = tail;
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(&mut self) -> Result<(), WriteFailure> {
        self.end_interchange()?;
        self.preamble.finish(&self.pending).map_err(WriteFailure::Refused)?;
        self.out.write_all(&self.pending)?;
        self.pending.clear();
        Ok(self.out.flush()?)
    }

    fn end_group(&mut self) -> Result<(), WriteFailure> {
        let Some(open) = self.group.take() else { return Ok(()) };
        if self.trailers_given {
            return Ok(());
        }
        self.raw(&Raw::of("GE", &[open.count.to_string().into_bytes(), open.control]), 0)
    }

    fn end_interchange(&mut self) -> Result<(), WriteFailure> {
        self.end_group()?;
        let Some(open) = self.interchange.take() else { return Ok(()) };
        if self.trailers_given {
            return Ok(());
        }
        self.raw(&Raw::of("IEA", &[open.count.to_string().into_bytes(), open.control]), 0)
    }

    /// Checks and writes one segment.
    fn raw(&mut self, raw: &Raw, position: u32) -> Result<(), WriteFailure> {
        if !is_id(raw.id()) {
            return Err(refused("?", position, Reason::SegmentId));
        }
        let binary = binary_data(raw).map_err(|reason| refused_id(raw, position, reason))?;
        let longest = if binary.is_some() { MAX_BINARY_BYTES } else { MAX_SEGMENT_BYTES };
        if raw.len() > MAX_ELEMENTS || raw.bytes.len().saturating_add(raw.len()) > longest {
            return Err(refused_id(raw, position, Reason::Length));
        }
        self.line.clear();
        for (at, part) in raw.parts().enumerate() {
            if at > 0 {
                self.line.push(self.delimiters.element);
            }
            if binary != Some(at) {
                let problem = part.iter().find_map(|byte| self.problem(*byte));
                if let Some(reason) = problem {
                    let WriteFailure::Refused(refusal) = refused_id(raw, position, reason) else { continue };
                    let element = u16::try_from(at).unwrap_or(u16::MAX);
                    return Err(WriteFailure::Refused(Refusal { element, ..refusal }));
                }
            }
            self.line.extend_from_slice(part);
        }
        self.emit(position)
    }

    /// Repeats and components stand in elements as they came; nothing else may.
    fn problem(&self, byte: u8) -> Option<Reason> {
        if byte == self.delimiters.element || byte == self.delimiters.segment {
            return Some(Reason::HoldsSeparator);
        }
        let separator = byte == self.delimiters.component || Some(byte) == self.delimiters.repetition;
        (control(byte) && !separator).then_some(Reason::HoldsControl)
    }

    fn emit(&mut self, position: u32) -> Result<(), WriteFailure> {
        if self.written == 0 && self.interchange.is_none() {
            // A file may begin with GS or ST; then its separators must be those the reader guesses.
            self.line.push(self.delimiters.segment);
            let guessed = delimiters::from_first_segment(&self.line);
            self.line.pop();
            if guessed.is_none_or(|guessed| !same(guessed, self.delimiters)) {
                return Err(refused("ISA", 0, Reason::Separators));
            }
        } else if self.written == 0 {
            self.preamble.end();
        }
        let Delimiters { element, segment: terminator, .. } = self.delimiters;
        if self.outside && !self.line.contains(&element) {
            let id = std::str::from_utf8(&self.line).unwrap_or("?");
            return Err(refused(id, position, Reason::AfterIea));
        }
        self.outside = self.line.starts_with(b"IEA");
        let searched = self.preamble.segment(&self.pending, &self.line, terminator, position);
        searched.map_err(WriteFailure::Refused)?;
        self.out.write_all(&self.pending)?;
        self.out.write_all(&self.line)?;
        self.out.write_all(&[self.delimiters.segment])?;
        self.pending.clone_from(&self.line_break);
        self.written = self.written.saturating_add(1);
        Ok(())
    }
}

fn control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

/// A letter, and one or two letters or digits: what the reader takes for an identifier.
fn is_id(id: &[u8]) -> bool {
    (2..=3).contains(&id.len())
        && id.first().is_some_and(u8::is_ascii_uppercase)
        && id.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether the reader would find the separators that are asked for, and can tell them apart.
fn same(read: Delimiters, asked: Delimiters) -> bool {
    let Delimiters { element, repetition, component, segment, .. } = asked;
    let apart = element != component && element != segment && component != segment;
    let apart = apart && repetition.is_none_or(|repetition| repetition != element && repetition != segment);
    apart && Delimiters { newline_after: asked.newline_after, ..read } == asked
}

/// Which element is binary data, in which any byte may stand; its length must be the one that is told before it.
fn binary_data(raw: &Raw) -> Result<Option<usize>, Reason> {
    let at = match raw.id() {
        b"BIN" => 2,
        b"BDS" => 3,
        _ => return Ok(None),
    };
    let told = raw.element(at - 1).filter(|length| length.len() < 16 && length.iter().all(u8::is_ascii_digit));
    let told: Option<usize> = told.and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
    let short = raw.element(1).is_none_or(|element| element.len() < 16);
    let fits = raw.len() == at && short && told.is_some() && raw.element(at).map(<[u8]>::len) == told;
    if fits { Ok(Some(at)) } else { Err(Reason::BinaryLength) }
}

fn in_header(problem: HeaderProblem) -> WriteFailure {
    WriteFailure::Refused(Refusal { field: Some(problem.field), ..Refusal::at(0, 0, problem.reason) })
}

fn refused(segment: &str, position: u32, reason: Reason) -> WriteFailure {
    WriteFailure::Refused(Refusal { segment: segment.to_owned(), position, ..Refusal::at(0, 0, reason) })
}

fn refused_id(raw: &Raw, position: u32, reason: Reason) -> WriteFailure {
    let id = std::str::from_utf8(raw.id()).ok().filter(|id| is_id(id.as_bytes()));
    refused(id.unwrap_or("?"), position, reason)
}
