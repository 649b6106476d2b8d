//! From lines of JSON to a file: the reverse of [`Objects`](super::Objects), strict and in flat memory.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::header::{self, HeaderProblem};
use super::put::{Put, Raw};
use super::{Reason, Refusal};

/// JSON between two segments that are written, bytes: what one segment or one header may take in memory.
const MAX_STEP_BYTES: u64 = 256 << 20;
/// Segments that are held where they come before the separators they are to be written with, bytes.
const MAX_HELD_BYTES: usize = 64 << 20;

/// Why an interchange could not be written.
#[derive(Debug)]
pub enum WriteFailure {
    /// The JSON could not be read, or the bytes not be written.
    Io(io::Error),
    /// What the JSON says cannot be written.
    Refused(Refusal),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes the file that the JSON objects of `source` describe to `out` (worth buffering) and gives the number of
/// segments. The objects are those of [`Objects`](super::Objects): one after the other, or in one array.
///
/// What is written is read back as the same objects. SE, GE and IEA are written with the right counts where an object
/// leaves them out and has no `trailers`; a trailer that is given is written as it is. What stands before a refusal has
/// been written.
///
/// # Errors
/// The source or `out` failed, or something cannot be carried: the error names its line and its place, never a value.
pub fn write_json(source: impl Read, out: impl Write) -> Result<u64, WriteFailure> {
    let fuel = Rc::new(Cell::new(MAX_STEP_BYTES));
    let fuelled = Fuelled { source: io::BufReader::with_capacity(64 << 10, source), fuel: Rc::clone(&fuel) };
    let mut json = serde_json::Deserializer::from_reader(fuelled);
    let mut work = Work { put: Put::new(out), fuel, refusal: None, io: None };
    let mut objects = 0u64;
    let mut line = 1;
    while let Err(more) = json.end() {
        if more.is_io() {
            return Err(WriteFailure::Io(more.into()));
        }
        let read = Objects { work: &mut work }.deserialize(&mut json);
        if let Err(error) = read {
            return Err(work.failure(&error));
        }
        objects = objects.saturating_add(1);
        line = more.line();
    }
    if objects == 0 {
        return Err(WriteFailure::Refused(Refusal::at(line, 0, Reason::Empty)));
    }
    work.put.finish()?;
    Ok(work.put.written())
}

/// A source that stops after so many bytes without a segment.
struct Fuelled<R> {
    source: R,
    fuel: Rc<Cell<u64>>,
}

impl<R: Read> Read for Fuelled<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        let left = self.fuel.get().checked_sub(count as u64);
        self.fuel.set(left.ok_or_else(|| io::Error::other("a JSON object is too long"))?);
        Ok(count)
    }
}

/// What the visitors share.
struct Work<W> {
    put: Put<W>,
    fuel: Rc<Cell<u64>>,
    refusal: Option<Refusal>,
    io: Option<io::Error>,
}

impl<W: Write> Work<W> {
    /// Notes why, for [`Work::failure`]: serde's own errors could hold values.
    fn refuse<E: serde::de::Error>(&mut self, refusal: Refusal) -> E {
        self.refusal.get_or_insert(refusal);
        E::custom("refused")
    }

    fn header<E: serde::de::Error>(&mut self, problem: HeaderProblem) -> E {
        self.refuse(Refusal { field: Some(problem.field), ..Refusal::at(0, 0, problem.reason) })
    }

    fn failed<E: serde::de::Error>(&mut self, failure: WriteFailure) -> E {
        match failure {
            WriteFailure::Io(error) => {
                self.io = Some(error);
                E::custom("failed")
            }
            WriteFailure::Refused(refusal) => self.refuse(refusal),
        }
    }

    fn failure(&mut self, error: &serde_json::Error) -> WriteFailure {
        if let Some(error) = self.io.take() {
            return WriteFailure::Io(error);
        }
        let reason = match error.classify() {
            Category::Io => {
                let kind = error.io_error_kind().unwrap_or(io::ErrorKind::Other);
                let long = self.fuel.get() < 64 << 10;
                let words = if long { "a JSON object is too long" } else { "the JSON could not be read" };
                return WriteFailure::Io(io::Error::new(kind, words));
            }
            Category::Syntax | Category::Eof => Reason::Json,
            Category::Data => Reason::Shape,
        };
        let refusal = self.refusal.take().unwrap_or(Refusal::at(0, 0, reason));
        WriteFailure::Refused(Refusal { line: error.line(), column: error.column(), ..refusal })
    }

    fn segment<E: serde::de::Error>(&mut self, raw: &Raw, position: u32) -> Result<(), E> {
        self.fuel.set(MAX_STEP_BYTES);
        self.put.segment(raw, position).map_err(|failure| self.failed(failure))
    }
}

/// One object, or an array of them.
struct Objects<'w, W> {
    work: &'w mut Work<W>,
}

impl<'de, W: Write> DeserializeSeed<'de> for Objects<'_, W> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Objects<'_, W> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element_seed(Objects { work: &mut *self.work })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let work = self.work;
        let mut object = Object::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "interchange" => object.interchange = Some(map.next_value()?),
                "group" => object.group = Some(map.next_value()?),
                "delimiters" => object.delimiters = Some(map.next_value()?),
                "trailers" => object.trailers = Some(map.next_value_seed(Held { work })?),
                "tail" => object.tail = Some(map.next_value()?),
                "segments" => {
                    object.has_segments = true;
                    if object.interchange.is_some() {
                        object.open(work)?;
                        map.next_value_seed(Streamed { work })?;
                    } else {
                        object.held = map.next_value_seed(Held { work })?;
                    }
                }
                "answers" | "acknowledgment" | "model" => object.is_model = true,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            if object.is_model {
                return Err(work.refuse(Refusal::at(0, 0, Reason::Model)));
            }
        }
        object.end(work)
    }
}

/// What is known of one object.
#[derive(Default)]
struct Object {
    interchange: Option<Value>,
    group: Option<Value>,
    delimiters: Option<Value>,
    held: Vec<Raw>,
    trailers: Option<Vec<Raw>>,
    tail: Option<Value>,
    has_segments: bool,
    is_model: bool,
    opened: bool,
}

impl Object {
    /// Writes the headers, where they are not those of the object before.
    fn open<W: Write, E: serde::de::Error>(&mut self, work: &mut Work<W>) -> Result<(), E> {
        self.opened = true;
        work.fuel.set(MAX_STEP_BYTES);
        let interchange = object_of(self.interchange.take(), "interchange").map_err(|problem| work.header(problem))?;
        let group = object_of(self.group.take(), "group").map_err(|problem| work.header(problem))?;
        let separators = interchange.as_ref().and_then(|map| map.get("delimiters")).or(self.delimiters.as_ref());
        let (delimiters, line_break) =
            header::delimiters_from(separators).map_err(|problem| work.header::<E>(problem))?;
        let opened = work.put.open(interchange, group, delimiters, line_break);
        opened.map_err(|failure| work.failed(failure))
    }

    fn end<W: Write, E: serde::de::Error>(mut self, work: &mut Work<W>) -> Result<(), E> {
        let headers = self.interchange.is_some() || self.group.is_some();
        if !headers && !self.has_segments && self.trailers.is_none() && !self.opened {
            return Ok(()); // findings about the file
        }
        if !self.opened {
            self.open(work)?;
            for (at, raw) in self.held.iter().enumerate() {
                work.segment(raw, u32::try_from(at + 1).unwrap_or(u32::MAX))?;
            }
        }
        work.put.end_set(self.trailers.is_some()).map_err(|failure| work.failed::<E>(failure))?;
        if let Some(trailers) = &self.trailers {
            work.put.trailers(trailers).map_err(|failure| work.failed::<E>(failure))?;
        }
        match header::space(self.tail.as_ref(), "tail") {
            Ok(Some(tail)) => work.put.tail(tail).map_err(|failure| work.failed(failure)),
            Ok(None) => Ok(()),
            Err(problem) => Err(work.header(problem)),
        }
    }
}

fn object_of(value: Option<Value>, field: &'static str) -> Result<Option<Map<String, Value>>, HeaderProblem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(HeaderProblem { field, reason: Reason::Shape }),
    }
}

/// Segments that are written as they come.
struct Streamed<'w, W> {
    work: &'w mut Work<W>,
}

impl<'de, W: Write> DeserializeSeed<'de> for Streamed<'_, W> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Streamed<'_, W> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of segments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        let mut raw = Raw::default();
        let mut position = 0u32;
        loop {
            position = position.saturating_add(1);
            match all.next_element_seed(OneSegment(&mut raw)) {
                Ok(Some(())) => self.work.segment(&raw, position)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let refusal = Refusal { position, ..Refusal::at(0, 0, Reason::Shape) };
                    self.work.refusal.get_or_insert(refusal);
                    return Err(error);
                }
            }
        }
    }
}

/// Segments that are kept.
struct Held<'w, W> {
    work: &'w mut Work<W>,
}

impl<'de, W: Write> DeserializeSeed<'de> for Held<'_, W> {
    type Value = Vec<Raw>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Vec<Raw>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Held<'_, W> {
    type Value = Vec<Raw>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of segments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Vec<Raw>, A::Error> {
        let mut held = Vec::new();
        let mut bytes = 0usize;
        let mut raw = Raw::default();
        while all.next_element_seed(OneSegment(&mut raw))?.is_some() {
            bytes = bytes.saturating_add(raw.size());
            if bytes > MAX_HELD_BYTES {
                return Err(self.work.refuse(Refusal::at(0, 0, Reason::Order)));
            }
            held.push(std::mem::take(&mut raw));
        }
        Ok(held)
    }
}

/// One segment: an array of its identifier and its elements.
struct OneSegment<'r>(&'r mut Raw);

impl<'de> DeserializeSeed<'de> for OneSegment<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneSegment<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        self.0.clear();
        while all.next_element_seed(OneElement(self.0))?.is_some() {}
        Ok(())
    }
}

/// One element: a text, or an object with a text of one character per byte.
struct OneElement<'r>(&'r mut Raw);

impl<'de> DeserializeSeed<'de> for OneElement<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneElement<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.push(text.as_bytes());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let wrong = || A::Error::custom("an element");
        if map.next_key::<String>()?.as_deref() != Some("latin1") {
            return Err(wrong());
        }
        let text: String = map.next_value()?;
        self.0.push(&header::latin1(&text).ok_or_else(wrong)?);
        if map.next_key::<String>()?.is_some() { Err(wrong()) } else { Ok(()) }
    }
}
