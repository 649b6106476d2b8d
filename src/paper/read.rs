//! HTML of our own pages to blocks, and the tags that tell a screen reader what each is.

use ego_tree::NodeRef;
use pdf_writer::types::StructRole;
use scraper::{ElementRef, Html, Node as HtmlNode};

use super::font::printable;

/// What is never printed.
const SKIPPED: [&str; 12] = [
    "script", "style", "form", "button", "nav", "input", "select", "textarea", "svg", "dialog", "progress", "template",
];
/// Classes of what is never printed.
const HIDDEN: [&str; 5] = ["no-print", "script-only", "button", "hidden", "jump"];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 24] = [
    "div",
    "section",
    "article",
    "main",
    "header",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "details",
    "summary",
    "figure",
    "figcaption",
    "pre",
    "aside",
    "blockquote",
];

/// A document as it was read.
pub struct Document {
    /// The tags, each after the one it stands in; the first is the document.
    pub nodes: Vec<Node>,
    /// What is printed.
    pub block: Block,
}

/// A tag.
pub struct Node {
    /// What it is.
    pub role: StructRole,
    /// In which it stands; `None` for the document.
    pub parent: Option<usize>,
    /// Of a table's heading: whether it speaks of the column below it, not of the row beside it.
    pub of_column: bool,
}

/// How a text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The page's heading.
    Title,
    /// A section's.
    Heading,
    /// A part's.
    Part,
    /// What is read aloud.
    Lead,
    /// Anything else.
    Body,
    /// In small letters.
    Small,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub struct Run {
    /// The text, printable.
    pub text: String,
    /// Whether it is strong.
    pub bold: bool,
    /// Whether it is of less weight.
    pub soft: bool,
}

/// A block.
pub enum Block {
    /// Lines of text.
    Text {
        /// Its tag.
        node: usize,
        /// How it is set.
        style: Style,
        /// What it says.
        runs: Vec<Run>,
    },
    /// One under the other.
    Stack(Vec<Block>),
    /// Side by side, two in a row.
    Grid(Vec<Block>),
    /// In two columns, the first filled first.
    Flow(Vec<Block>),
    /// With a line around.
    Framed(Box<Block>),
    /// Names and values.
    Pairs(Vec<(Block, Block)>),
    /// With a mark before each.
    List(Vec<Block>),
    /// Rows of cells; whether the first one is the head.
    Table(Vec<Vec<Block>>, bool),
    /// A bar, and how full it is.
    Bar(f32),
}

/// Reads HTML; of its text at most `characters`.
pub fn read(html: &str, characters: usize) -> Document {
    let html = Html::parse_fragment(html);
    let mut reader = Reader {
        nodes: vec![Node { role: StructRole::Document, parent: None, of_column: false }],
        left: characters,
        over: false,
    };
    let mut blocks = reader.children(*html.root_element(), 0, Style::Body);
    if reader.over {
        blocks.push(more(&mut reader.nodes));
    }
    Document { nodes: reader.nodes, block: Block::Stack(blocks) }
}

impl Document {
    /// The sentence that something was left out, with a tag of its own.
    pub fn more(&mut self) -> Block {
        more(&mut self.nodes)
    }
}

fn more(nodes: &mut Vec<Node>) -> Block {
    let node = nodes.len();
    nodes.push(Node { role: StructRole::P, parent: Some(0), of_column: false });
    let text = "There is more than paper holds: the whole answer stands on the page and in the API.".to_owned();
    Block::Text { node, style: Style::Body, runs: vec![Run { text, bold: true, soft: false }] }
}

struct Reader {
    nodes: Vec<Node>,
    left: usize,
    over: bool,
}

/// How the text inside is set.
#[derive(Clone, Copy, Default)]
struct Ink {
    bold: bool,
    soft: bool,
}

fn has(element: &ElementRef, class: &str) -> bool {
    element.value().classes().any(|own| own == class)
}

fn is_hidden(element: &ElementRef) -> bool {
    SKIPPED.contains(&element.value().name()) || HIDDEN.iter().any(|class| has(element, class))
}

fn is_block(element: &ElementRef) -> bool {
    BLOCKS.contains(&element.value().name())
}

fn elements<'a>(of: &ElementRef<'a>) -> impl Iterator<Item = ElementRef<'a>> {
    of.children().filter_map(ElementRef::wrap).filter(|child| !is_hidden(child))
}

impl Reader {
    fn node(&mut self, role: StructRole, parent: usize) -> usize {
        self.nodes.push(Node { role, parent: Some(parent), of_column: false });
        self.nodes.len() - 1
    }

    /// What stands in an element: blocks as blocks, and the text between them as paragraphs.
    fn children(&mut self, of: NodeRef<'_, HtmlNode>, parent: usize, style: Style) -> Vec<Block> {
        let (mut blocks, mut runs) = (Vec::new(), Vec::new());
        for child in of.children() {
            match ElementRef::wrap(child) {
                Some(element) if is_hidden(&element) => {}
                Some(element) if is_block(&element) => {
                    blocks.extend(self.text(std::mem::take(&mut runs), StructRole::P, parent, style));
                    blocks.extend(self.block(&element, parent, style));
                }
                _ => self.inline(child, Ink::default(), &mut runs),
            }
        }
        blocks.extend(self.text(runs, StructRole::P, parent, style));
        blocks
    }

    fn inline(&mut self, node: NodeRef<'_, HtmlNode>, ink: Ink, runs: &mut Vec<Run>) {
        match node.value() {
            HtmlNode::Text(text) => {
                let text: String = text.chars().take(self.left).collect();
                self.left -= text.chars().count().min(self.left);
                self.over |= self.left == 0;
                if !text.is_empty() {
                    runs.push(Run { text: printable(&text), bold: ink.bold, soft: ink.soft });
                }
            }
            HtmlNode::Element(_) => {
                let Some(element) = ElementRef::wrap(node).filter(|element| !is_hidden(element)) else { return };
                let name = element.value().name();
                let bold = ink.bold || matches!(name, "strong" | "b" | "th") || has(&element, "badge");
                let ink = Ink { bold, soft: ink.soft || has(&element, "soft") || has(&element, "stamp") };
                // Two blocks in a line of text: at least a space between them.
                if is_block(&element) && !runs.is_empty() {
                    runs.push(Run { text: " ".to_owned(), bold: false, soft: false });
                }
                element.children().for_each(|child| self.inline(child, ink, runs));
            }
            _ => {}
        }
    }

    /// Runs as a text, with single spaces; nothing where there is nothing to read.
    fn text(&mut self, runs: Vec<Run>, role: StructRole, parent: usize, style: Style) -> Option<Block> {
        let runs = squeezed(runs);
        (!runs.is_empty()).then(|| Block::Text { node: self.node(role, parent), style, runs })
    }

    fn whole(&mut self, of: &ElementRef, ink: Ink, role: StructRole, parent: usize, style: Style) -> Option<Block> {
        let mut runs = Vec::new();
        of.children().for_each(|child| self.inline(child, ink, &mut runs));
        self.text(runs, role, parent, style)
    }

    fn block(&mut self, of: &ElementRef, parent: usize, style: Style) -> Option<Block> {
        let style = if has(of, "small") && style == Style::Body { Style::Small } else { style };
        let soft = Ink { bold: false, soft: has(of, "soft") || has(of, "stamp") };
        match of.value().name() {
            "h1" => self.whole(of, Ink::default(), StructRole::H1, parent, Style::Title),
            "h2" => self.whole(of, Ink::default(), StructRole::H2, parent, Style::Heading),
            "h3" | "h4" => self.whole(of, soft, StructRole::H3, parent, Style::Part),
            "p" => {
                let style = if has(of, "lead") { Style::Lead } else { style };
                self.whole(of, soft, StructRole::P, parent, style)
            }
            "dl" => self.pairs(of, parent),
            "table" => self.table(of, parent),
            "ul" | "ol" => self.list(of, parent),
            "figure" => self.figure(of, parent),
            "details" => self.fold(of, parent),
            _ => self.group(of, parent, style),
        }
    }

    fn group(&mut self, of: &ElementRef, parent: usize, style: Style) -> Option<Block> {
        let node = if of.value().name() == "section" { self.node(StructRole::Sect, parent) } else { parent };
        // A row is one line where nothing in it needs lines of its own.
        if has(of, "row") && !elements(of).any(|child| is_block(&child) && child.value().name() != "h1") {
            let heading = elements(of).any(|child| child.value().name() == "h1");
            let (role, style) = if heading { (StructRole::H1, Style::Title) } else { (StructRole::P, style) };
            return self.row(of, role, node, style);
        }
        let blocks = self.children(**of, node, style);
        if blocks.is_empty() {
            return None;
        }
        let framed = has(of, "card") || has(of, "note");
        let block = match () {
            () if has(of, "grid") => Block::Grid(blocks),
            () if of.value().id() == Some("services") => flow(blocks),
            () => Block::Stack(blocks),
        };
        Some(if framed { Block::Framed(Box::new(block)) } else { block })
    }

    /// What stands beside one another: on paper with a mark between.
    fn row(&mut self, of: &ElementRef, role: StructRole, parent: usize, style: Style) -> Option<Block> {
        let mut runs = Vec::new();
        for child in of.children() {
            let part = ElementRef::wrap(child);
            if part.is_some_and(|part| !is_hidden(&part)) && !runs.is_empty() {
                runs.push(Run { text: " · ".to_owned(), bold: false, soft: true });
            }
            self.inline(child, Ink::default(), &mut runs);
        }
        self.text(runs, role, parent, style)
    }

    fn fold(&mut self, of: &ElementRef, parent: usize) -> Option<Block> {
        let node = self.node(StructRole::Sect, parent);
        let mut blocks = Vec::new();
        for child in elements(of) {
            let block = match child.value().name() {
                "summary" => self.whole(&child, Ink::default(), StructRole::H3, node, Style::Part),
                _ => self.block(&child, node, Style::Small),
            };
            blocks.extend(block);
        }
        (!blocks.is_empty()).then(|| Block::Framed(Box::new(Block::Stack(blocks))))
    }

    fn pairs(&mut self, of: &ElementRef, parent: usize) -> Option<Block> {
        let list = self.node(StructRole::L, parent);
        let mut pairs = Vec::new();
        let mut name: Option<(usize, Block)> = None;
        for child in elements(of) {
            match child.value().name() {
                "dt" => {
                    let item = self.node(StructRole::LI, list);
                    let soft = Ink { bold: false, soft: true };
                    name = self.whole(&child, soft, StructRole::Lbl, item, Style::Body).map(|block| (item, block));
                }
                "dd" => {
                    let Some((item, name)) = name.take() else { continue };
                    let body = self.node(StructRole::LBody, item);
                    pairs.push((name, Block::Stack(self.children(*child, body, Style::Body))));
                }
                _ => {}
            }
        }
        (!pairs.is_empty()).then_some(Block::Pairs(pairs))
    }

    fn list(&mut self, of: &ElementRef, parent: usize) -> Option<Block> {
        let list = self.node(StructRole::L, parent);
        // Facts stand in one line, as the style sheet sets them on paper.
        let facts = has(of, "facts");
        let (mut items, mut line) = (Vec::new(), Vec::new());
        for child in elements(of).filter(|child| child.value().name() == "li") {
            if facts {
                if !line.is_empty() {
                    line.push(Run { text: " · ".to_owned(), bold: false, soft: true });
                }
                child.children().for_each(|part| self.inline(part, Ink::default(), &mut line));
            } else {
                let item = self.node(StructRole::LI, list);
                let body = self.node(StructRole::LBody, item);
                items.push(Block::Stack(self.children(*child, body, Style::Body)));
            }
        }
        if facts {
            let item = self.node(StructRole::LI, list);
            return self.text(line, StructRole::LBody, item, Style::Small);
        }
        (!items.is_empty()).then_some(Block::List(items))
    }

    fn table(&mut self, of: &ElementRef, parent: usize) -> Option<Block> {
        let table = self.node(StructRole::Table, parent);
        let (mut rows, mut head) = (Vec::new(), false);
        for part in elements(of) {
            let in_head = part.value().name() == "thead";
            for row in elements(&part) {
                let node = self.node(StructRole::TR, table);
                let mut cells = Vec::new();
                for element in elements(&row) {
                    let name = element.value().name() == "th";
                    let role = if name { StructRole::TH } else { StructRole::TD };
                    let ink = Ink { bold: name && !in_head, soft: in_head };
                    let cell = self.node(role, node);
                    if let Some(last) = self.nodes.last_mut() {
                        last.of_column = in_head;
                    }
                    let style = if in_head { Style::Small } else { Style::Body };
                    let text = self.whole(&element, ink, StructRole::P, cell, style);
                    cells.push(text.unwrap_or(Block::Stack(Vec::new())));
                }
                head |= in_head;
                rows.push(cells);
            }
        }
        (!rows.is_empty()).then_some(Block::Table(rows, head))
    }

    /// An amount: its words, and the bar under them.
    fn figure(&mut self, of: &ElementRef, parent: usize) -> Option<Block> {
        let mut blocks = Vec::new();
        for child in elements(of) {
            let mut runs = Vec::new();
            for part in elements(&child) {
                if !runs.is_empty() {
                    runs.push(Run { text: ": ".to_owned(), bold: false, soft: false });
                }
                self.inline(*part, Ink::default(), &mut runs);
            }
            blocks.extend(self.text(runs, StructRole::P, parent, Style::Small));
        }
        let used = of.descendants().filter_map(ElementRef::wrap).find(|part| has(part, "used"));
        let width = used.and_then(|part| part.value().attr("width").and_then(|width| width.parse::<f32>().ok()));
        blocks.extend(width.map(|width| Block::Bar((width / 100.0).clamp(0.0, 1.0))));
        (!blocks.is_empty()).then_some(Block::Stack(blocks))
    }
}

/// A heading over two columns.
fn flow(mut blocks: Vec<Block>) -> Block {
    let heads = blocks.iter().take_while(|block| matches!(block, Block::Text { .. })).count();
    let rest = blocks.split_off(heads);
    blocks.push(Block::Flow(rest));
    Block::Stack(blocks)
}

/// Single spaces, none at the ends.
fn squeezed(runs: Vec<Run>) -> Vec<Run> {
    let (mut tight, mut spaced): (Vec<Run>, bool) = (Vec::new(), true);
    for mut run in runs {
        let mut text = String::with_capacity(run.text.len());
        for letter in run.text.chars() {
            // A space that must not be broken is one all the same.
            let space = letter.is_whitespace();
            if !(space && spaced) {
                text.push(if space { ' ' } else { letter });
            }
            spaced = space;
        }
        run.text = text;
        if !run.text.is_empty() {
            tight.push(run);
        }
    }
    if let Some(last) = tight.last_mut() {
        last.text.truncate(last.text.trim_end().len());
    }
    tight.retain(|run| !run.text.is_empty());
    tight
}
