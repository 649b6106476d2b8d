//! A small, bounded XML reader for replies: elements by local name, so that any prefix will do.
//!
//! No document type, no entity but the five predefined ones, no external anything; depth, number of elements and size
//! are bounded. What a bound refuses was not sent by an honest carrier.

use connector_sdk::{Error, ErrorKind, Result};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// Deepest nesting.
const DEPTH_MAX: usize = 64;
/// Most elements.
const ELEMENTS_MAX: usize = 4_096;
/// Most bytes.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most attributes of one element that is looked at.
const ATTRIBUTES_MAX: usize = 64;

/// An element.
#[derive(Default)]
pub(crate) struct Element {
    /// Name without its prefix.
    pub(crate) name: String,
    /// The `href` attribute, which only `xop:Include` has.
    pub(crate) href: Option<String>,
    /// Elements inside, in order.
    pub(crate) children: Vec<Element>,
    /// Text directly inside, all pieces joined.
    pub(crate) text: String,
}

impl Element {
    /// The first child of this local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of this local name, whatever the case of its letters; an error when there are two, because it
    /// would be a guess which one is meant.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&Element>> {
        let mut found = self.children.iter().filter(|child| child.name.eq_ignore_ascii_case(name));
        let first = found.next();
        if found.next().is_some() {
            return Err(broken("The carrier's envelope has the same field twice."));
        }
        Ok(first)
    }

    /// The first element of this local name at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, message)
}

/// Reads a document.
///
/// # Errors
/// [`ErrorKind::ProtocolBroken`] for anything that is not one whole, plain XML document within the bounds.
pub(crate) fn read(bytes: &[u8]) -> Result<Element> {
    if bytes.len() > BYTES_MAX {
        return Err(broken("The carrier's XML is larger than the limit.").fact("bytes", bytes.len()));
    }
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0_usize;
    loop {
        let position = reader.buffer_position();
        let event =
            reader.read_event().map_err(|_| broken("The carrier's XML cannot be read.").fact("position", position))?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX || root.is_some() {
                    return Err(
                        broken("The carrier's XML is nested or long beyond the limit.").fact("depth", open.len())
                    );
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > ELEMENTS_MAX || root.is_some() {
                    return Err(broken("The carrier's XML is long beyond the limit."));
                }
                close(element(&start)?, &mut open, &mut root);
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(|| broken("The carrier's XML cannot be read."))?;
                close(done, &mut open, &mut root);
            }
            Event::Text(piece) => append(&mut open, &piece.xml10_content()),
            Event::CData(piece) => append(&mut open, &piece.xml10_content()),
            Event::GeneralRef(reference) => append(&mut open, resolve(&reference)?.encode_utf8(&mut [0; 4])),
            Event::DocType(_) => return Err(broken("The carrier's XML has a document type, which is not accepted.")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(broken("The carrier's XML stops in the middle.").fact("bytes", bytes.len()));
    }
    root.ok_or_else(|| broken("The carrier's reply holds no XML."))
}

fn element(start: &BytesStart<'_>) -> Result<Element> {
    let name = start.local_name().into_inner().to_owned();
    // Attributes are looked at only where one is wanted: checking them all would be work a carrier can multiply.
    let mut href = None;
    if name == "Include" {
        for attribute in start.attributes().take(ATTRIBUTES_MAX) {
            let attribute = attribute.map_err(|_| broken("The carrier's XML cannot be read."))?;
            if attribute.key.local_name().into_inner() == "href" {
                let value = quick_xml::escape::unescape(&attribute.value)
                    .map_err(|_| broken("The carrier's XML cannot be read."))?;
                href = Some(value.into_owned());
            }
        }
    }
    Ok(Element { name, href, ..Element::default() })
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char> {
    let unreadable = || broken("The carrier's XML uses an entity that is not defined.");
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unreadable())? {
        return Ok(character);
    }
    match reference.as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(unreadable()),
    }
}

/// UTF-8, or ISO 8859-1 where the document says so. Anything else is refused rather than guessed.
fn decode(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(error) => {
            let head: Vec<u8> = bytes.iter().take(200).map(u8::to_ascii_lowercase).collect();
            let says = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
            if says(b"encoding=\"iso-8859-1\"") || says(b"encoding='iso-8859-1'") {
                Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into())
            } else {
                Err(broken("The carrier's XML is not in the encoding it says.").fact("position", error.valid_up_to()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_cdata_entities_and_pieces_of_text_are_read() {
        let root = read(b"\xEF\xBB\xBF<?xml version='1.0'?><a:x xmlns:a='u'><!-- c --><b>1&amp;<![CDATA[<2>]]>&#51;</b><i:Include xmlns:i='v' href='cid:p%401&amp;'/></a:x>").unwrap();
        assert_eq!(root.name, "x");
        assert_eq!(root.child("b").unwrap().text, "1&<2>3");
        assert_eq!(root.find("Include").unwrap().href.as_deref(), Some("cid:p%401&"));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(100_000);
        let many = format!("<a>{}</a>", "<b/>".repeat(5_000));
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>";
        let outside = "<!DOCTYPE l SYSTEM \"http://evil.example/x\"><l/>";
        let cases: [&[u8]; 12] = [
            deep.as_bytes(),
            many.as_bytes(),
            laughs.as_bytes(),
            outside.as_bytes(),
            b"<l>&unknown;</l>",
            b"<a><b></a></b>",
            b"<a>cut",
            b"<a/><b/>",
            b"",
            b"\xff\xfe<\0a\0",
            b"<a>\xe9</a>",
            b"plain text",
        ];
        for (number, case) in cases.iter().enumerate() {
            let error = read(case).err().unwrap_or_else(|| panic!("case {number} was accepted"));
            assert_eq!(error.kind, ErrorKind::ProtocolBroken);
        }
        assert_eq!(read(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>").unwrap().text, "\u{e9}");
    }

    #[test]
    fn size_is_bounded() {
        let big = vec![b'x'; BYTES_MAX + 1];
        assert_eq!(read(&big).err().unwrap().kind, ErrorKind::ProtocolBroken);
    }
}
