//! ISA and GS as named fields, and back. Both directions stand here, so that what one writes the other reads.

use serde_json::{Map, Value};

use crate::delimiters::Delimiters;
use crate::read::Segment;

/// Longest white space between segments that is carried, bytes.
pub(super) const MAX_BREAK_BYTES: usize = 64;

/// UTF-8's byte order mark.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The named fields of ISA in order, with their fixed widths (X12.5). ISA11 and ISA16 are the separators' own.
const ISA: [(&str, usize); 16] = [
    ("authorization_qualifier", 2),
    ("authorization", 10),
    ("security_qualifier", 2),
    ("security", 10),
    ("sender_qualifier", 2),
    ("sender_id", 15),
    ("receiver_qualifier", 2),
    ("receiver_id", 15),
    ("date", 6),
    ("time", 4),
    ("", 1),
    ("version", 5),
    ("control", 9),
    ("ack_requested", 1),
    ("usage", 1),
    ("", 1),
];

/// What stands in a field of ISA that was left out.
const ISA_DEFAULTS: [(&str, &str); 6] = [
    ("authorization_qualifier", "00"),
    ("authorization", ""),
    ("security_qualifier", "00"),
    ("security", ""),
    ("ack_requested", "0"),
    ("usage", "P"),
];

/// The named fields of GS in order.
const GS: [&str; 8] = ["functional_id", "sender", "receiver", "date", "time", "control", "agency", "version"];

/// Why a header cannot be made of its named fields: the name of the field, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeaderProblem {
    pub(super) field: &'static str,
    pub(super) reason: super::Reason,
}

/// The bytes of an element as JSON: text, or `{"latin1": …}` with a character per byte where it is not UTF-8.
pub(super) fn element_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            Value::Object(Map::from_iter([("latin1".to_owned(), Value::String(text))]))
        }
    }
}

/// The reverse of [`element_json`].
pub(super) fn element_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(map) if map.len() == 1 => latin1(map.get("latin1")?.as_str()?),
        _ => None,
    }
}

/// One byte for each character; `None` where one is not below 256.
pub(super) fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// A segment as JSON: its identifier and its elements, as they came.
pub(super) fn segment_json(segment: &Segment<'_>) -> Value {
    let elements = (1..=segment.len()).map(|element| element_json(segment.raw(element)));
    std::iter::once(Value::String(segment.id().to_owned())).chain(elements).collect()
}

/// The separators, and the white space after each segment.
pub(super) fn delimiters_json(delimiters: Delimiters, line_break: Option<&str>) -> Value {
    let text = |byte: u8| Value::String(char::from(byte).to_string());
    let mut map = Map::new();
    map.insert("element".to_owned(), text(delimiters.element));
    map.insert("repetition".to_owned(), delimiters.repetition.map_or(Value::Null, text));
    map.insert("component".to_owned(), text(delimiters.component));
    map.insert("segment".to_owned(), text(delimiters.segment));
    if let Some(line_break) = line_break {
        map.insert("line_break".to_owned(), line_break.into());
    }
    Value::Object(map)
}

/// The reverse of [`delimiters_json`]. What is left out is the usual: `* ^ : ~` and no line break.
pub(super) fn delimiters_from(value: Option<&Value>) -> Result<(Delimiters, Vec<u8>), HeaderProblem> {
    let usual = Delimiters::default();
    let Some(value) = value else { return Ok((usual, Vec::new())) };
    let wrong = |field| HeaderProblem { field, reason: super::Reason::Separators };
    let map = value.as_object().ok_or_else(|| wrong("delimiters"))?;
    let one = |field: &'static str| match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match latin1(text).as_deref() {
            Some([byte]) => Ok(Some(*byte)),
            _ => Err(wrong(field)),
        },
        Some(_) => Err(wrong(field)),
    };
    let repetition = if map.contains_key("repetition") { one("repetition")? } else { usual.repetition };
    let delimiters = Delimiters {
        element: one("element")?.unwrap_or(usual.element),
        repetition,
        component: one("component")?.unwrap_or(usual.component),
        segment: one("segment")?.unwrap_or(usual.segment),
        newline_after: false,
    };
    let line_break = space(map.get("line_break"), "line_break")?.unwrap_or_default();
    Ok((delimiters, line_break))
}

/// White space between segments: the only thing that may stand there.
pub(super) fn space(value: Option<&Value>, field: &'static str) -> Result<Option<Vec<u8>>, HeaderProblem> {
    let wrong = HeaderProblem { field, reason: super::Reason::LineBreak };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_space(text.as_bytes()) => Ok(Some(text.clone().into_bytes())),
        Some(_) => Err(wrong),
    }
}

/// Whether bytes are white space that can be carried.
pub(super) fn is_space(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_BREAK_BYTES && bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

/// An ISA as named fields; with the segment itself where the fields alone would not give it back.
pub(super) fn interchange_json(isa: &Segment<'_>, number: u32, line_break: &str) -> Map<String, Value> {
    let mut map = Map::new();
    for (at, (name, _)) in ISA.iter().enumerate().filter(|(_, (name, _))| !name.is_empty()) {
        map.insert((*name).to_owned(), Value::String(isa.text(at + 1).into_owned()));
    }
    map.insert("number".to_owned(), number.into());
    let delimiters = isa.delimiters();
    map.insert("delimiters".to_owned(), delimiters_json(delimiters, Some(line_break)));
    if isa_elements(&map, delimiters).ok().as_deref() != Some(&raw(isa)) {
        map.insert("segment".to_owned(), segment_json(isa));
    }
    map
}

/// A GS as named fields; with the segment itself where the fields alone would not give it back.
pub(super) fn group_json(gs: &Segment<'_>, number: u32) -> Map<String, Value> {
    let mut map = Map::new();
    for (at, name) in GS.iter().enumerate() {
        map.insert((*name).to_owned(), Value::String(gs.text(at + 1).into_owned()));
    }
    map.insert("number".to_owned(), number.into());
    if gs_elements(&map).ok().as_deref() != Some(&raw(gs)) {
        map.insert("segment".to_owned(), segment_json(gs));
    }
    map
}

/// The elements of an ISA: the segment where it is given, else the named fields, padded to their widths.
pub(super) fn isa_elements(map: &Map<String, Value>, delimiters: Delimiters) -> Result<Vec<Vec<u8>>, HeaderProblem> {
    if let Some(given) = map.get("segment") {
        return given_elements(given, "ISA");
    }
    let mut elements = Vec::with_capacity(ISA.len());
    for (at, (name, width)) in ISA.iter().enumerate() {
        let element = match at {
            10 => vec![delimiters.repetition.unwrap_or(b'U')],
            15 => vec![delimiters.component],
            _ => {
                let usual = ISA_DEFAULTS.iter().find(|(usual, _)| usual == name).map(|(_, value)| *value);
                let mut bytes = field(map, name, usual)?;
                if bytes.len() > *width || !bytes.is_ascii() {
                    return Err(HeaderProblem { field: name, reason: super::Reason::Length });
                }
                bytes.resize(*width, b' ');
                bytes
            }
        };
        elements.push(element);
    }
    Ok(elements)
}

/// The elements of a GS, trailing empty ones left out.
pub(super) fn gs_elements(map: &Map<String, Value>) -> Result<Vec<Vec<u8>>, HeaderProblem> {
    if let Some(given) = map.get("segment") {
        return given_elements(given, "GS");
    }
    let usual = |name| if name == "agency" { Some("X") } else { None };
    let mut elements =
        GS.iter().map(|name| field(map, name, usual(*name))).collect::<Result<Vec<_>, HeaderProblem>>()?;
    while elements.last().is_some_and(Vec::is_empty) {
        elements.pop();
    }
    Ok(elements)
}

fn field(map: &Map<String, Value>, name: &'static str, usual: Option<&str>) -> Result<Vec<u8>, HeaderProblem> {
    match (map.get(name), usual) {
        (Some(Value::String(text)), _) => Ok(text.clone().into_bytes()),
        (None | Some(Value::Null), Some(usual)) => Ok(usual.as_bytes().to_vec()),
        (None | Some(Value::Null), None) => Err(HeaderProblem { field: name, reason: super::Reason::Missing }),
        (Some(_), _) => Err(HeaderProblem { field: name, reason: super::Reason::Shape }),
    }
}

fn given_elements(given: &Value, id: &str) -> Result<Vec<Vec<u8>>, HeaderProblem> {
    let wrong = HeaderProblem { field: "segment", reason: super::Reason::Shape };
    let (first, rest) = given.as_array().and_then(|all| all.split_first()).ok_or(wrong)?;
    if first.as_str() != Some(id) {
        return Err(wrong);
    }
    rest.iter().map(|value| element_bytes(value).ok_or(wrong)).collect()
}

fn raw(segment: &Segment<'_>) -> Vec<Vec<u8>> {
    (1..=segment.len()).map(|element| segment.raw(element).to_vec()).collect()
}
