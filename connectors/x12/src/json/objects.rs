//! From a file to lines of JSON, piece by piece: memory stays flat however long a transaction set is.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::header::{delimiters_json, element_json, group_json, interchange_json, segment_json};
use super::tap::{Passed, Tap};
use super::telling::Telling;
use super::{Shape, findings_json, model, text};
use crate::envelope::{Event, Interchange, Item, SetHeader, Step, Walker};
use crate::finding::{Finding, Findings};
use crate::read::{ReadError, Segment};

/// Segments after a transaction set that are carried with one object; those that follow make an object of their own.
const MAX_TRAILERS: usize = 1_000;

/// Gives the objects of a file one by one, as lines of JSON.
pub struct Objects<R> {
    walker: Walker<Tap<R>>,
    writer: Writer,
    shape: Shape,
    today: Date,
    ended: bool,
    /// The model that was made last.
    last: Option<Last>,
    /// The transaction set whose model is written while it is read.
    open: Option<Telling>,
    /// Output that was made and not yet given out as a whole object.
    ready: Vec<u8>,
    /// How much of it is known to hold no end of an object.
    looked: usize,
}

impl<R: Read> Objects<R> {
    /// The objects of `source`. `today` is the day a summary speaks of where nothing else says.
    pub fn new(source: R, shape: Shape, today: Date) -> Self {
        let (tap, passed) = Tap::new(source);
        Self {
            walker: Walker::new(tap),
            writer: Writer::new(passed),
            shape,
            today,
            ended: false,
            last: None,
            open: None,
            ready: Vec::new(),
            looked: 0,
        }
    }

    /// Adds the next piece of the output to `into`: of an object's segments one at a time, of a model of claims or
    /// of a remittance one claim at a time, so that nothing but what is in `into` grows. Other models are made whole. An
    /// object ends with a line feed. `false` at the end.
    ///
    /// # Errors
    /// The source failed, or nothing here is X12. What was begun is closed first, so that `into` holds whole objects.
    pub fn next_piece(&mut self, into: &mut Vec<u8>) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        let went_on = match self.shape {
            Shape::Segments => self.next_event(into),
            Shape::Model => self.next_model(into),
        };
        if matches!(went_on, Ok(true)) {
            return went_on;
        }
        self.ended = true;
        if let Some(open) = self.open.take() {
            // The source failed in the middle of it.
            self.end_set(open, None, Vec::new(), into);
        }
        let mut findings = self.walker.take_findings();
        findings.append(&mut self.writer.around.take());
        findings.sort_by_key(|finding| finding.offset);
        self.writer.end(findings, self.last.take(), into);
        went_on.map(|_| true)
    }

    /// The next object as a whole; `None` at the end.
    ///
    /// # Errors
    /// See [`Objects::next_piece`].
    pub fn next_object(&mut self) -> Result<Option<Value>, ReadError> {
        loop {
            let fresh = self.ready.get(self.looked..).unwrap_or(&[]);
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let object: Vec<u8> = self.ready.drain(..=self.looked.saturating_add(end)).collect();
                self.looked = 0;
                return Ok(Some(serde_json::from_slice(&object).unwrap_or(Value::Null)));
            }
            self.looked = self.ready.len();
            let mut ready = std::mem::take(&mut self.ready);
            let went_on = self.next_piece(&mut ready);
            self.ready = ready;
            if !went_on? && self.ready.len() == self.looked {
                return Ok(None);
            }
        }
    }

    fn next_event(&mut self, into: &mut Vec<u8>) -> Result<bool, ReadError> {
        let Some(event) = self.walker.next_event()? else { return Ok(false) };
        self.writer.event(event, into);
        Ok(true)
    }

    fn next_model(&mut self, into: &mut Vec<u8>) -> Result<bool, ReadError> {
        if let Some(open) = self.open.take() {
            return self.next_part(open, into);
        }
        let Some(step) = self.walker.next_step(Telling::knows)? else { return Ok(false) };
        // The last one tells of the file, too.
        if let Some(before) = self.last.take() {
            before.end(&[], into);
        }
        match step {
            Step::Item(item) => self.last = Some(Last::Whole(object(&item, self.today))),
            Step::Begun(header, st) => {
                let mut open = Telling::new(&header);
                let Some(st) = st.first() else { return Ok(true) };
                text(&Value::Object(set(&header, Some(st))), into);
                into.pop();
                into.push(b',');
                text(&open.name, into);
                into.push(b':');
                open.segment(&st, into);
                self.open = Some(open);
            }
        }
        Ok(true)
    }

    /// Reads on in the transaction set that is open, until there is something to write.
    fn next_part(&mut self, mut open: Telling, into: &mut Vec<u8>) -> Result<bool, ReadError> {
        let before = into.len();
        while into.len() == before {
            match self.walker.next_event() {
                Ok(Some(Event::Segment(segment))) => open.segment(&segment, into),
                Ok(Some(Event::End { segments, findings, .. })) => {
                    self.end_set(open, Some(segments), findings, into);
                    return Ok(true);
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.end_set(open, None, Vec::new(), into);
                    return Ok(false);
                }
                Err(error) => {
                    self.end_set(open, None, Vec::new(), into);
                    return Err(error);
                }
            }
        }
        self.open = Some(open);
        Ok(true)
    }

    /// Writes the end of a transaction set, but for what was found about the file.
    fn end_set(&mut self, open: Telling, segments: Option<u64>, mut findings: Vec<Finding>, into: &mut Vec<u8>) {
        if segments.is_none() {
            findings.push(open.cut_off());
        }
        findings.extend(open.end(segments, into));
        into.push(b',');
        pair("findings", &findings, into);
        self.last = Some(Last::Written);
    }
}

/// The object that came last: what was found about the file is put at its end if no other follows.
enum Last {
    /// It has not been written yet.
    Whole(Value),
    /// It has, up to its closing brace.
    Written,
}

impl Last {
    fn end(self, about_file: &[Finding], into: &mut Vec<u8>) {
        if let Self::Whole(value) = self {
            text(&value, into);
            into.pop();
        }
        if !about_file.is_empty() {
            into.push(b',');
            pair("file_findings", &about_file, into);
        }
        into.extend_from_slice(b"}\n");
    }
}

/// What an object says first: which transaction set it is.
fn set(header: &SetHeader, st: Option<Segment<'_>>) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("transaction", json!(header.id));
    put("control", json!(header.control));
    put("implementation", json!(header.implementation));
    put("number", json!(header.number));
    put("interchange", around(header.interchange.as_deref(), st));
    put("group", json!(header.group.as_deref()));
    map
}

/// One transaction set or TA1 as its model, where there is one; else its segments.
pub(super) fn object(item: &Item, today: Date) -> Value {
    let mut map = Map::new();
    match item {
        Item::InterchangeAck(ack) => {
            let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
            put("transaction", json!("TA1"));
            put("interchange", around(ack.interchange.as_deref(), ack.block.first()));
            put("acknowledgment", model::interchange_ack(ack));
            put("findings", json!([]));
        }
        Item::Transaction(transaction) => {
            map = set(transaction, transaction.segments.first());
            let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
            let mut findings = transaction.findings.clone();
            match model::of(transaction, today, &mut findings) {
                Some((name, value)) => put(name, value),
                None => put("segments", transaction.segments.iter().map(|segment| segment_json(&segment)).collect()),
            };
            put("findings", findings_json(&findings));
        }
    }
    Value::Object(map)
}

/// An interchange header with its separators.
fn around(header: Option<&Interchange>, segment: Option<Segment<'_>>) -> Value {
    let (Some(header), Some(segment)) = (header, segment) else { return Value::Null };
    let mut value = serde_json::to_value(header).unwrap_or(Value::Null);
    if let Value::Object(map) = &mut value {
        map.insert("delimiters".to_owned(), delimiters_json(segment.delimiters(), None));
    }
    value
}

fn line(value: &Value, into: &mut Vec<u8>) {
    text(value, into);
    into.push(b'\n');
}

/// Where an object is that was begun: its findings come last, after what follows it in the file.
struct Begun {
    findings: Vec<Finding>,
    /// In the last object: what was found about the file as a whole.
    about_file: Vec<Finding>,
}

/// The state between events.
struct Writer {
    passed: Rc<RefCell<Passed>>,
    /// The interchange and the group as JSON, written into each object that stands in them.
    interchange: Option<String>,
    interchange_control: String,
    group: Option<String>,
    group_control: String,
    groups: u32,
    /// Separators and line break, in an object without an interchange.
    delimiters: Option<String>,
    line_break: String,
    terminator: u8,
    /// Where the last segment ends.
    end: u64,
    begun: Option<Begun>,
    in_segments: bool,
    /// Whether an object stands in this interchange, in this group.
    in_interchange: bool,
    in_group: bool,
    /// The segments that follow an object, and those that `write` would put there by itself.
    trailers: Vec<Value>,
    expected: Vec<Value>,
    /// Findings about groups and interchanges.
    around: Findings,
}

impl Writer {
    fn new(passed: Rc<RefCell<Passed>>) -> Self {
        Self {
            passed,
            interchange: None,
            interchange_control: String::new(),
            group: None,
            group_control: String::new(),
            groups: 0,
            delimiters: None,
            line_break: String::new(),
            terminator: b'~',
            end: 0,
            begun: None,
            in_segments: false,
            in_interchange: false,
            in_group: false,
            trailers: Vec::new(),
            expected: Vec::new(),
            around: Findings::default(),
        }
    }

    fn event(&mut self, event: Event<'_>, into: &mut Vec<u8>) {
        match event {
            Event::Interchange { header, segment } => {
                self.close(Some(segment.offset), into);
                self.place(&segment);
                self.measure(&segment);
                let mut interchange = interchange_json(&segment, header.number, &self.line_break);
                if header.number == 1 && self.passed.borrow().byte_order_mark() {
                    interchange.insert("byte_order_mark".to_owned(), true.into());
                }
                self.interchange = Some(Value::Object(interchange).to_string());
                self.interchange_control.clone_from(&header.control);
                (self.group, self.delimiters) = (None, None);
                (self.groups, self.in_interchange) = (0, false);
            }
            Event::Group { header, segment } => {
                self.first(&segment);
                self.place(&segment);
                self.groups = self.groups.saturating_add(1);
                self.group = Some(Value::Object(group_json(&segment, self.groups)).to_string());
                self.group_control.clone_from(&header.control);
                self.in_group = false;
            }
            Event::Begin { header, segment } => {
                self.first(&segment);
                self.finish(None, into);
                self.place(&segment);
                into.push(b'{');
                pair("transaction", &header.id, into);
                into.push(b',');
                pair("control", &header.control, into);
                into.push(b',');
                pair("implementation", &header.implementation, into);
                into.push(b',');
                pair("number", &header.number, into);
                into.push(b',');
                self.envelope(into);
                into.extend_from_slice(b",\"segments\":[");
                self.in_segments = true;
                elements(&segment, into);
            }
            Event::Segment(segment) => {
                self.place(&segment);
                into.push(b',');
                elements(&segment, into);
            }
            Event::End { segment, findings, .. } => {
                if let Some(segment) = segment {
                    self.place(&segment);
                    into.push(b',');
                    elements(&segment, into);
                } else {
                    self.no_se();
                }
                into.push(b']');
                self.begin(findings);
            }
            Event::InterchangeAck(segment) => {
                self.first(&segment);
                self.finish(None, into);
                self.place(&segment);
                into.push(b'{');
                pair("transaction", &"TA1", into);
                into.push(b',');
                self.envelope(into);
                into.extend_from_slice(b",\"segments\":[");
                elements(&segment, into);
                into.push(b']');
                self.begin(Vec::new());
            }
            Event::GroupEnd { segment, sets, findings } => {
                self.alone(!self.in_group, into);
                self.ended("GE", segment, sets, findings);
                self.group = None;
            }
            Event::InterchangeEnd { segment, groups, findings } => {
                self.alone(!self.in_interchange, into);
                self.ended("IEA", segment, groups, findings);
                // What follows without an ISA stands in no interchange.
                self.interchange = None;
            }
            Event::Outside(segment) => {
                if !self.can_follow() {
                    self.first(&segment);
                    self.alone(true, into);
                }
                self.place(&segment);
                self.follows(&segment);
            }
        }
    }

    /// The separators of a file that has no ISA follow from its first segment.
    fn first(&mut self, segment: &Segment<'_>) {
        if self.interchange.is_none() && self.delimiters.is_none() {
            self.place(segment);
            self.measure(segment);
            self.delimiters = Some(delimiters_json(segment.delimiters(), Some(&self.line_break)).to_string());
        }
    }

    fn place(&mut self, segment: &Segment<'_>) {
        self.end = segment.offset.saturating_add(segment.bytes().len() as u64);
    }

    fn measure(&mut self, segment: &Segment<'_>) {
        self.terminator = segment.delimiters().segment;
        self.line_break = self.passed.borrow().break_after(self.end, self.terminator).unwrap_or_default();
    }

    fn envelope(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(b"\"interchange\":");
        into.extend_from_slice(self.interchange.as_deref().unwrap_or("null").as_bytes());
        if let Some(delimiters) = &self.delimiters {
            into.extend_from_slice(b",\"delimiters\":");
            into.extend_from_slice(delimiters.as_bytes());
        }
        into.extend_from_slice(b",\"group\":");
        into.extend_from_slice(self.group.as_deref().unwrap_or("null").as_bytes());
    }

    /// Ends the file, wherever it ends: closes what is open and tells what was found about the file as a whole.
    fn end(&mut self, findings: Vec<Finding>, last: Option<Last>, into: &mut Vec<u8>) {
        if let Some(last) = last {
            return last.end(&findings, into);
        }
        if self.in_segments {
            self.no_se();
            into.push(b']');
            self.begin(Vec::new());
        }
        if let Some(begun) = &mut self.begun {
            begun.about_file = findings;
            self.close(None, into);
        } else if !findings.is_empty() {
            line(&json!({ "file_findings": findings_json(&findings) }), into);
        }
    }

    fn begin(&mut self, findings: Vec<Finding>) {
        self.begun = Some(Begun { findings, about_file: Vec::new() });
        self.in_segments = false;
        (self.in_group, self.in_interchange) = (true, true);
    }

    /// Whether a segment that comes now can be told as one that follows the last object: that object stands in the same
    /// headers, and has room.
    fn can_follow(&self) -> bool {
        let same = match (&self.group, &self.interchange) {
            (Some(_), _) => self.in_group,
            (None, Some(_)) => self.in_interchange,
            (None, None) => self.begun.is_some(),
        };
        same && self.trailers.len() < MAX_TRAILERS
    }

    /// A group or an interchange that ends with nothing in it, or in which something else comes before the first
    /// transaction set, is an object of its own.
    fn alone(&mut self, empty: bool, into: &mut Vec<u8>) {
        if empty {
            self.finish(None, into);
            into.push(b'{');
            self.envelope(into);
            self.begin(Vec::new());
        }
    }

    fn ended(&mut self, id: &str, segment: Option<Segment<'_>>, count: u64, findings: Vec<Finding>) {
        findings.into_iter().for_each(|finding| self.around.push(finding));
        let control = if id == "GE" { &self.group_control } else { &self.interchange_control };
        self.expected.push(json!([id, count.to_string(), control]));
        if let Some(segment) = segment {
            self.place(&segment);
            self.follows(&segment);
        }
    }

    /// The file has no SE where there should be one: the trailers are told, whatever they are, so that none is added.
    fn no_se(&mut self) {
        self.expected.push(json!(["SE"]));
    }

    fn follows(&mut self, segment: &Segment<'_>) {
        self.trailers.push(segment_json(segment));
    }

    /// Ends the object that was begun, at the end of its interchange; `next` is where the next one begins.
    fn close(&mut self, next: Option<u64>, into: &mut Vec<u8>) {
        let space = self.passed.borrow().space_after(self.end, self.terminator, next);
        self.finish(space.filter(|space| *space != self.line_break), into);
    }

    fn finish(&mut self, tail: Option<String>, into: &mut Vec<u8>) {
        let (trailers, expected) = (std::mem::take(&mut self.trailers), std::mem::take(&mut self.expected));
        let Some(begun) = self.begun.take() else { return };
        if trailers != expected {
            into.push(b',');
            pair("trailers", &trailers, into);
        }
        if let Some(tail) = tail {
            into.push(b',');
            pair("tail", &tail, into);
        }
        into.push(b',');
        pair("findings", &begun.findings, into);
        if !begun.about_file.is_empty() {
            into.push(b',');
            pair("file_findings", &begun.about_file, into);
        }
        into.extend_from_slice(b"}\n");
    }
}

fn pair(name: &str, value: &impl serde::Serialize, into: &mut Vec<u8>) {
    text(&name, into);
    into.push(b':');
    text(value, into);
}

/// A segment as a JSON array, without building one in memory.
fn elements(segment: &Segment<'_>, into: &mut Vec<u8>) {
    into.push(b'[');
    text(&segment.id(), into);
    for element in 1..=segment.len() {
        into.push(b',');
        match std::str::from_utf8(segment.raw(element)) {
            Ok(plain) => text(&plain, into),
            Err(_) => text(&element_json(segment.raw(element)), into),
        }
    }
    into.push(b']');
}
