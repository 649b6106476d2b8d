//! A page's text to a tree, within bounds, and the text of its elements.

use connector_sdk::{Error, ErrorKind, Result};
use ego_tree::iter::Edge;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use crate::css::Css;

/// Deepest nesting of elements that is read. Pages people look at stay far below.
pub const DEPTH_MAX: usize = 400;

/// Most nodes of a tree.
pub const NODES_MAX: usize = 200_000;

/// Most attributes of one tag: the parser compares each with all before it.
const ATTRIBUTES_MAX: usize = 5000;

/// A parsed page.
pub struct Document {
    html: Html,
}

impl Document {
    /// Parses a page. The parser is fed piece by piece and stopped as soon as the tree is too deep or too large: some of
    /// its steps walk the whole stack of open elements, so that a page of nested tags only would cost it minutes.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] beyond a bound.
    pub fn parse(text: &str) -> Result<Self> {
        if most_attributes(text) > ATTRIBUTES_MAX {
            return Err(too_much("attributes"));
        }
        let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
        let mut rest = text;
        let mut seen = 0;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_end(rest));
            rest = after;
            parser.process(StrTendril::from(piece));
            let html = parser.tokenizer.sink.sink.0.borrow();
            let count = html.tree.nodes().len();
            if count > NODES_MAX {
                return Err(too_much("nodes"));
            }
            let deep = html
                .tree
                .nodes()
                .rev()
                .take(count - seen)
                .any(|node| node.ancestors().take(DEPTH_MAX + 1).count() > DEPTH_MAX);
            if deep {
                return Err(too_much("depth"));
            }
            seen = count;
        }
        Ok(Self { html: parser.finish() })
    }

    /// The root element.
    pub fn root(&self) -> Option<ElementRef<'_>> {
        self.html.tree.root().children().find_map(ElementRef::wrap)
    }

    /// Elements a selector finds, in the order of the page.
    pub fn select<'a>(&'a self, css: &'a Css) -> impl Iterator<Item = ElementRef<'a>> {
        css.selector().into_iter().flat_map(|selector| self.html.select(selector))
    }

    /// The first element a selector finds.
    pub fn first<'a>(&'a self, css: &'a Css) -> Option<ElementRef<'a>> {
        self.select(css).next()
    }

    /// The element with this id.
    pub fn by_id(&self, id: &str) -> Option<ElementRef<'_>> {
        self.elements().find(|element| element.value().id() == Some(id))
    }

    /// All elements, in the order of the page.
    pub fn elements(&self) -> impl Iterator<Item = ElementRef<'_>> {
        self.root().into_iter().flat_map(|root| root.descendent_elements())
    }

    /// The whole page's text, folded for comparisons.
    pub fn folded_text(&self) -> String {
        self.root().map(|root| fold(&text_of(root))).unwrap_or_default()
    }

    /// Where references on the page start from: its `base` element, else its own address.
    pub fn base(&self, address: &str) -> String {
        self.elements()
            .find(|element| element.value().name() == "base")
            .and_then(|element| element.attr("href"))
            .and_then(|href| crate::address::join(address, href))
            .unwrap_or_else(|| address.to_owned())
    }
}

/// About how many attributes the tag with the most has: names up to the `>` outside quotes.
fn most_attributes(text: &str) -> usize {
    let (mut most, mut count) = (0, 0);
    let (mut in_tag, mut quote, mut before) = (false, None, b' ');
    for byte in text.bytes() {
        match (in_tag, quote) {
            (false, _) => in_tag = before == b'<' && byte.is_ascii_alphabetic(),
            (true, Some(end)) if byte == end => quote = None,
            (true, Some(_)) => {}
            (true, None) => match byte {
                b'>' => in_tag = false,
                b'"' | b'\'' if before == b'=' => quote = Some(byte),
                _ if !byte.is_ascii_whitespace()
                    && (before.is_ascii_whitespace() || matches!(before, b'/' | b'"' | b'\'')) =>
                {
                    count += 1;
                }
                _ => {}
            },
        }
        if !in_tag {
            most = most.max(count);
            count = 0;
        }
        before = byte;
    }
    most.max(count)
}

/// The end of the next piece: about 2 KB, and never inside a character.
fn piece_end(text: &str) -> usize {
    (2048..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

fn too_much(what: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, "A page is built deeper or larger than any page for people; it was not read.")
        .fact("bound", what)
}

/// An element's text as a person sees it: white space collapsed, script and style left out, a space where a block, a
/// cell or a line ends.
pub fn text_of(element: ElementRef<'_>) -> String {
    text_within(element, usize::MAX).unwrap_or_default()
}

/// As [`text_of`]; `None` as soon as it is longer than `most` bytes.
pub fn text_within(element: ElementRef<'_>, most: usize) -> Option<String> {
    let mut text = String::new();
    let mut hidden = 0_usize;
    // A subtree without text may still be large: what is looked at is bounded too.
    let edges_max = most.saturating_mul(4).saturating_add(2000);
    for (edges, edge) in element.traverse().enumerate() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(piece) if hidden == 0 => push(&mut text, piece),
                Node::Element(inner) if is_hidden(inner.name()) => hidden += 1,
                Node::Element(inner) if breaks(inner.name()) => push(&mut text, " "),
                _ => {}
            },
            Edge::Close(node) => match node.value() {
                Node::Element(inner) if is_hidden(inner.name()) => hidden = hidden.saturating_sub(1),
                Node::Element(inner) if breaks(inner.name()) => push(&mut text, " "),
                _ => {}
            },
        }
        if text.len() > most || edges > edges_max {
            return None;
        }
    }
    text.truncate(text.trim_end().len());
    Some(text)
}

fn push(text: &mut String, piece: &str) {
    for char in piece.chars() {
        if char.is_whitespace() || char == '\u{200b}' {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else {
            text.push(char);
        }
    }
}

fn is_hidden(name: &str) -> bool {
    matches!(name, "script" | "style" | "template" | "noscript")
}

/// Whether an element of this name begins on a new line or in a new cell.
pub fn breaks(name: &str) -> bool {
    matches!(
        name,
        "br" | "p"
            | "div"
            | "td"
            | "th"
            | "tr"
            | "table"
            | "li"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "section"
            | "option"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "form"
            | "fieldset"
            | "article"
            | "header"
            | "footer"
    )
}

/// Lower case, single spaces: the form in which words are compared.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push(&mut out, text);
    out.truncate(out.trim_end().len());
    out.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random pages in one run.
    const ROUNDS: usize = 2000;

    #[test]
    fn text_is_what_a_person_sees() {
        let page = Document::parse(
            "<p id=x>One<br>two&nbsp;<b>th</b>ree<script>no</script><style>no</style></p><table><tr><td>a<td>b</table>",
        )
        .unwrap();
        assert_eq!(text_of(page.by_id("x").unwrap()), "One two three");
        assert_eq!(page.folded_text(), "one two three a b");
    }

    #[test]
    fn deep_and_wide_pages_end_at_once() {
        for tag in ["<div>", "<b>", "<table><tr><td>", "<svg><g>", "<p><b x>", "<i a><p>"] {
            let error = Document::parse(&tag.repeat(200_000)).err().unwrap();
            assert_eq!(error.kind, ErrorKind::ProtocolBroken, "{tag}");
        }
        let many: String = (0..200_000).map(|n| format!("a{n} ")).collect();
        assert!(Document::parse(&format!("<div {many}>")).is_err());
        assert!(Document::parse(&format!("<div data-x='{many}' title=x>")).is_ok());
        assert!(Document::parse(&"<li>".repeat(390)).is_ok());
        assert!(Document::parse(&"<br>".repeat(NODES_MAX + 1)).is_err());
        assert!(Document::parse(&"é".repeat(5000)).is_ok());
    }

    /// Pages of random tags and text, the same at every run: nothing may panic, whatever a carrier sends.
    #[test]
    fn random_pages_never_panic() {
        const PIECES: [&str; 40] = [
            "<table>",
            "</table>",
            "<tr>",
            "<td colspan=3 rowspan=2>",
            "<th>",
            "</td>",
            "<template>",
            "</template>",
            "<b>",
            "</b>",
            "<p>",
            "</p>",
            "<a href=x>",
            "</a>",
            "<svg>",
            "</svg>",
            "<math><mi>",
            "<select>",
            "<option>",
            "</select>",
            "<form id=f>",
            "</form>",
            "<input name=a>",
            "<script>",
            "</script>",
            "<style>",
            "<frameset>",
            "<body class=x>",
            "<html lang=y>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<caption>",
            "<col>",
            "Plan: Gold",
            "<dl><dt>Plan<dd>",
            "\0\u{fffd}",
            "<div",
            ">",
        ];
        let mut state = 88_172_645_463_325_252_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 1_000_003).unwrap()
        };
        let css = Css::from("table tr".to_owned());
        let mut parsed = 0;
        for _ in 0..ROUNDS {
            let page: String = (0..next() % 60).map(|_| PIECES[next() % PIECES.len()]).collect();
            let Ok(page) = Document::parse(&page) else { continue };
            parsed += 1;
            let rows: Vec<_> = page.select(&css).collect();
            let grids = crate::find::grids(&rows);
            for row in &rows {
                let grid = crate::results::grid_of(*row, &grids);
                crate::results::is_note(*row, grid);
                let what = crate::settings::Find { header: Some("Plan".into()), ..Default::default() };
                crate::find::find(&what, crate::find::Scope { page: &page, row: Some((*row, grid)) });
            }
            let what = crate::settings::Find { label: Some("Plan".into()), ..Default::default() };
            crate::find::find(&what, crate::find::Scope { page: &page, row: None });
            let _ = crate::form::Form::read(&page, &Css::from("form".to_owned()), None);
            page.folded_text();
        }
        assert!(parsed > ROUNDS / 2, "{parsed}");
    }
}
