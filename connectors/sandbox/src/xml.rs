//! Just enough XML for a SOAP request: text and attributes by local name.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// Most elements looked at.
const ELEMENTS_MAX: usize = 2_000;

/// One element: local name, attributes `Type` and `href`, text.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) href: String,
    pub(crate) text: String,
}

/// All elements of a document in order of their start; `None` where it is not well-formed, has a document type, or is
/// longer than a request can honestly be.
pub(crate) fn elements(text: &str) -> Option<Vec<Element>> {
    let mut reader = Reader::from_str(text);
    let mut all: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.read_event().ok()?;
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                let mut element = Element { name: start.local_name().into_inner().to_owned(), ..Element::default() };
                for attribute in start.attributes().take(32) {
                    let attribute = attribute.ok()?;
                    let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
                    match attribute.key.local_name().into_inner() {
                        "Type" => element.kind = value,
                        "href" => element.href = value,
                        _ => {}
                    }
                }
                if all.len() >= ELEMENTS_MAX {
                    return None;
                }
                if matches!(event, Event::Start(_)) {
                    open.push(all.len());
                }
                all.push(element);
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(piece) => add(&mut all, &open, &piece.xml10_content()),
            Event::CData(piece) => add(&mut all, &open, &piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(reference.as_ref())?.to_owned(),
                };
                add(&mut all, &open, &resolved);
            }
            Event::DocType(_) => return None,
            Event::Eof => return open.is_empty().then_some(all),
            _ => {}
        }
    }
}

fn add(all: &mut [Element], open: &[usize], text: &str) {
    if let Some(element) = open.last().and_then(|place| all.get_mut(*place)) {
        element.text.push_str(text);
    }
}

/// Text made safe for an XML or HTML element or attribute.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_text_and_kinds() {
        let all =
            elements("<a:x xmlns:a='u'><b Type='t#Text'>1 &amp; <![CDATA[2]]></b><c href='cid:p'/></a:x>").unwrap();
        assert_eq!((all[1].name.as_str(), all[1].kind.as_str(), all[1].text.as_str()), ("b", "t#Text", "1 & 2"));
        assert_eq!(all[2].href, "cid:p");
    }

    #[test]
    fn refuses_what_is_not_plain() {
        for text in ["<a>", "<!DOCTYPE a><a/>", "<a>&x;</a>", &"<a/>".repeat(3_000)] {
            assert!(elements(text).is_none());
        }
    }
}
