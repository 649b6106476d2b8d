//! Blocks to lines, rules and bars, each with its place on a sheet.
//!
//! Everything is laid out as if the paper had no end, then cut into sheets where no line of text is cut. Places are points
//! from the upper left corner of the printed area.

use super::SHEETS_MAX;
use super::font::Weight;
use super::read::{Block, Document, Run, Style};

/// A Letter sheet, points.
pub const SHEET: (f32, f32) = (612.0, 792.0);
/// White around what is printed, points.
pub const MARGIN: f32 = 36.0;
/// Room for the line at the foot, points.
const FOOT: f32 = 16.0;
const WIDTH: f32 = SHEET.0 - 2.0 * MARGIN;
const HEIGHT: f32 = SHEET.1 - 2.0 * MARGIN - FOOT;
/// Between columns, points.
const GUTTER: f32 = 10.0;
/// Inside a frame, points.
const PADDING: f32 = 4.0;
/// From one baseline to the next, in sizes.
const LEADING: f32 = 1.28;
/// Blocks in one another at most: ours are a handful.
const DEPTH_MAX: usize = 24;

/// Something with its place.
#[derive(Clone, Debug)]
pub enum Item {
    /// A piece of a line.
    Text {
        /// The tag it belongs to.
        node: usize,
        /// Left end.
        x: f32,
        /// Baseline.
        base: f32,
        /// Top of its line.
        top: f32,
        /// Bottom of its line, or of the next one where it must not stand alone.
        bottom: f32,
        /// Size, points.
        size: f32,
        /// Font.
        weight: Weight,
        /// Less black.
        soft: bool,
        /// The text.
        text: String,
    },
    /// A frame.
    Frame {
        /// Left end.
        x: f32,
        /// Top.
        top: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    },
    /// A bar.
    Bar {
        /// Left end.
        x: f32,
        /// Top.
        top: f32,
        /// Width.
        width: f32,
        /// How full.
        share: f32,
    },
}

/// How high a bar is, points.
pub const BAR: f32 = 3.5;

impl Item {
    fn top(&self) -> f32 {
        match self {
            Self::Text { top, .. } | Self::Frame { top, .. } | Self::Bar { top, .. } => *top,
        }
    }

    fn bottom(&self) -> f32 {
        match self {
            Self::Text { bottom, .. } => *bottom,
            Self::Frame { top, height, .. } => top + height,
            Self::Bar { top, .. } => top + BAR,
        }
    }

    fn moved(&mut self, right: f32, down: f32) {
        match self {
            Self::Text { x, base, top, bottom, .. } => {
                *x += right;
                *base += down;
                *top += down;
                *bottom += down;
            }
            Self::Frame { x, top, .. } | Self::Bar { x, top, .. } => {
                *x += right;
                *top += down;
            }
        }
    }
}

/// The items of each sheet. `rows`: what stands in two columns is filled row by row, as more than one sheet needs it.
pub fn sheets(document: &Document, scale: f32, rows: bool) -> Vec<Vec<Item>> {
    laid(&document.block, scale, rows)
}

/// A block on sheets of its own.
pub fn alone(block: &Block) -> Vec<Vec<Item>> {
    laid(block, 1.0, true)
}

fn laid(block: &Block, scale: f32, rows: bool) -> Vec<Vec<Item>> {
    let mut layer = Layer { scale, rows, items: Vec::new() };
    layer.block(block, WIDTH, 0.0, DEPTH_MAX);
    cut(layer.items)
}

/// Cuts the endless paper. One sheet more than there may be shows that something is left out; the rest is not cut.
fn cut(mut rest: Vec<Item>) -> Vec<Vec<Item>> {
    let (mut sheets, mut from) = (Vec::new(), 0.0_f32);
    while !rest.is_empty() && sheets.len() <= SHEETS_MAX {
        let is_line = |item: &&Item| !matches!(item, Item::Frame { .. });
        // The first line that does not fit, and all that stands lower, go on the next sheet; one higher than a sheet stays.
        let over = rest.iter().filter(is_line).filter(|item| item.bottom() - from > HEIGHT && item.top() > from);
        let mut end = over.map(Item::top).fold(f32::INFINITY, f32::min);
        // A small frame is not cut, and no heading is left behind: they go over as a whole.
        while let Some(top) = rest.iter().filter_map(|item| kept_whole(item, from, end)).reduce(f32::min) {
            end = top;
        }
        let (mut here, mut later) = (Vec::new(), Vec::new());
        for mut item in rest {
            if item.top() >= end {
                later.push(item);
                continue;
            }
            if let Item::Frame { x, top, width, height } = &mut item
                && *top + *height > end
            {
                later.push(Item::Frame { x: *x, top: end, width: *width, height: *top + *height - end });
                *height = end - *top;
            }
            item.moved(0.0, -from);
            here.push(item);
        }
        sheets.push(here);
        (rest, from) = (later, end);
    }
    sheets
}

/// The top of a small frame, or of a heading with what follows it, that would be cut at `end`.
fn kept_whole(item: &Item, from: f32, end: f32) -> Option<f32> {
    let whole = match item {
        Item::Frame { height, .. } => *height < HEIGHT * 0.35,
        Item::Text { top, bottom, size, .. } => bottom - top > 2.0 * size,
        Item::Bar { .. } => false,
    };
    (whole && item.top() > from && item.top() < end && item.bottom() > end).then(|| item.top())
}

struct Layer {
    scale: f32,
    /// Whether columns are filled row by row: then both are cut at the same height.
    rows: bool,
    items: Vec<Item>,
}

/// A word with the runs that it is made of, and whether a space stands before it.
struct Word {
    parts: Vec<(String, Weight, bool)>,
    width: f32,
    spaced: bool,
}

impl Layer {
    fn size(&self, style: Style) -> f32 {
        let points = match style {
            Style::Title => 15.0,
            Style::Heading => 10.5,
            Style::Part | Style::Body => 8.6,
            Style::Lead => 9.6,
            Style::Small => 7.9,
        };
        points * self.scale
    }

    /// Lays a block out at `y`; says how high it is.
    fn block(&mut self, block: &Block, width: f32, y: f32, depth: usize) -> f32 {
        let Some(depth) = depth.checked_sub(1) else { return 0.0 };
        match block {
            Block::Text { node, style, runs } => self.text(*node, *style, runs, width, y),
            Block::Stack(blocks) => self.stack(blocks, width, y, depth),
            Block::Grid(blocks) => self.grid(blocks, width, y, depth),
            Block::Flow(blocks) if self.rows => self.grid(blocks, width, y, depth),
            Block::Flow(blocks) => self.flow(blocks, width, y, depth),
            Block::Framed(inner) => {
                let at = self.items.len();
                let height = self.shifted(inner, PADDING, width - 2.0 * PADDING, y + PADDING * 0.6, depth);
                let height = height + PADDING * 1.4;
                self.items.insert(at, Item::Frame { x: 0.0, top: y, width, height });
                height
            }
            Block::Pairs(pairs) => self.pairs(pairs, width, y, depth),
            Block::List(blocks) => self.list(blocks, width, y, depth),
            Block::Table(rows, head) => self.table(rows, *head, width, y, depth),
            Block::Bar(share) => {
                self.items.push(Item::Bar { x: 0.0, top: y + 1.0, width: width.min(240.0), share: *share });
                BAR + 2.0
            }
        }
    }

    /// The same, further to the right.
    fn shifted(&mut self, block: &Block, x: f32, width: f32, y: f32, depth: usize) -> f32 {
        let from = self.items.len();
        let height = self.block(block, width, y, depth);
        self.items.iter_mut().skip(from).for_each(|item| item.moved(x, 0.0));
        height
    }

    fn gap(&self, before: &Block, after: &Block) -> f32 {
        let text = |block: &Block| match block {
            Block::Text { style, .. } => Some(*style),
            _ => None,
        };
        let points = match (text(before), text(after), before) {
            (_, Some(Style::Heading), _) => 5.0,
            (Some(Style::Heading | Style::Part), ..) => 1.0,
            (_, _, Block::Framed(_)) => 2.5,
            (Some(_), Some(_), _) => 1.5,
            (Some(_), None, _) => 1.5,
            _ => 3.5,
        };
        points * self.scale
    }

    fn stack(&mut self, blocks: &[Block], width: f32, y: f32, depth: usize) -> f32 {
        let mut height = 0.0;
        for (place, block) in blocks.iter().enumerate() {
            if let Some(before) = place.checked_sub(1).and_then(|before| blocks.get(before)) {
                height += self.gap(before, block);
            }
            height += self.block(block, width, y + height, depth);
        }
        height
    }

    fn grid(&mut self, blocks: &[Block], width: f32, y: f32, depth: usize) -> f32 {
        let [only] = blocks else {
            let half = (width - GUTTER) / 2.0;
            let mut height = 0.0;
            for row in blocks.chunks(2) {
                let mut highest = 0.0_f32;
                for (place, block) in row.iter().enumerate() {
                    let x = if place == 0 { 0.0 } else { half + GUTTER };
                    highest = highest.max(self.shifted(block, x, half, y + height, depth));
                }
                height += highest + 3.0 * self.scale;
            }
            return height;
        };
        self.block(only, width, y, depth)
    }

    /// Two columns of about the same height: the first takes blocks until half of it all is there.
    fn flow(&mut self, blocks: &[Block], width: f32, y: f32, depth: usize) -> f32 {
        let half = (width - GUTTER) / 2.0;
        let from = self.items.len();
        let heights: Vec<f32> = blocks.iter().map(|block| self.block(block, half, 0.0, depth) + 2.0).collect();
        self.items.truncate(from);
        let all: f32 = heights.iter().sum();
        let (mut columns, mut before) = ([0.0_f32; 2], 0.0);
        for (block, height) in blocks.iter().zip(heights) {
            let place = usize::from(before + height / 2.0 > all / 2.0 && before > 0.0);
            let x = if place == 0 { 0.0 } else { half + GUTTER };
            if let Some(column) = columns.get_mut(place) {
                let at = y + *column;
                *column += height;
                self.shifted(block, x, half, at, depth);
            }
            before += height;
        }
        columns[0].max(columns[1])
    }

    fn pairs(&mut self, pairs: &[(Block, Block)], width: f32, y: f32, depth: usize) -> f32 {
        let widest = pairs.iter().map(|(name, _)| self.natural(name).1).fold(0.0, f32::max);
        let names = widest.min(width * 0.38) + 6.0;
        let mut height = 0.0;
        for (name, value) in pairs {
            let one = self.block(name, names - 6.0, y + height, depth);
            let other = self.shifted(value, names, width - names, y + height, depth);
            height += one.max(other);
        }
        height
    }

    fn list(&mut self, blocks: &[Block], width: f32, y: f32, depth: usize) -> f32 {
        let indent = 8.0 * self.scale;
        let mut height = 0.0;
        for block in blocks {
            let at = self.items.len();
            let own = self.shifted(block, indent, width - indent, y + height, depth);
            let first = self.items.get(at).cloned();
            if let Some(Item::Text { node, base, top, bottom, size, .. }) = first {
                let (weight, text) = (Weight::Regular, "•".to_owned());
                let mark = Item::Text { node, x: 1.0, base, top, bottom, size, weight, soft: true, text };
                self.items.insert(at, mark);
            }
            height += own;
        }
        height
    }

    fn table(&mut self, rows: &[Vec<Block>], head: bool, width: f32, y: f32, depth: usize) -> f32 {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        // Least and natural width of each column; a cell that spans what is left does not count.
        let mut wide = vec![(0.0_f32, 0.0_f32); count];
        for row in rows.iter().filter(|row| row.len() == count) {
            for (column, cell) in wide.iter_mut().zip(row) {
                let (least, natural) = self.natural(cell);
                *column = (column.0.max(least), column.1.max(natural));
            }
        }
        let room = (width - 6.0 * (count.saturating_sub(1)) as f32).max(1.0);
        let (least, natural): (f32, f32) = wide.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let share = ((room - least) / (natural - least).max(1.0)).clamp(0.0, 4.0);
        let widths: Vec<f32> = wide.iter().map(|(least, natural)| least + (natural - least) * share).collect();
        let mut height = 0.0;
        for (place, row) in rows.iter().enumerate() {
            let (mut x, mut highest) = (0.0, 0.0_f32);
            for (column, cell) in row.iter().enumerate() {
                let last = column + 1 == row.len();
                let own = if last { (width - x).max(1.0) } else { widths.get(column).copied().unwrap_or(40.0) };
                highest = highest.max(self.shifted(cell, x, own, y + height, depth));
                x += own + 6.0;
            }
            height += highest + 1.5 * self.scale;
            if head && place == 0 {
                self.items.push(Item::Frame { x: 0.0, top: y + height, width, height: 0.0 });
                height += 1.0;
            }
        }
        height
    }

    /// Width of the longest word, and of the whole in one line.
    fn natural(&self, block: &Block) -> (f32, f32) {
        match block {
            Block::Text { style, runs, .. } => {
                let size = self.size(*style);
                let words = words(runs, *style, size);
                let space = Weight::Regular.font().width(" ", size);
                let longest = words.iter().map(|word| word.width).fold(0.0, f32::max);
                (longest.min(160.0), words.iter().map(|word| word.width + space).sum::<f32>() + 1.0)
            }
            Block::Stack(blocks) => blocks
                .iter()
                .map(|block| self.natural(block))
                .fold((0.0, 0.0), |most: (f32, f32), one| (most.0.max(one.0), most.1.max(one.1))),
            _ => (40.0, 160.0),
        }
    }

    fn text(&mut self, node: usize, style: Style, runs: &[Run], width: f32, y: f32) -> f32 {
        let size = self.size(style);
        let line = size * LEADING;
        let space = Weight::Regular.font().width(" ", size);
        // A heading does not stand alone at the foot of a sheet.
        let keep = if matches!(style, Style::Title | Style::Heading | Style::Part) { 2.2 * line } else { 0.0 };
        let (mut x, mut top) = (0.0_f32, y);
        for word in words(runs, style, size) {
            let gap = if word.spaced && x > 0.0 { space } else { 0.0 };
            // The space is printed too, at a line's end as well: whoever copies or listens gets words.
            if gap > 0.0
                && let Some(Item::Text { text, .. }) = self.items.last_mut()
            {
                text.push(' ');
            }
            if x > 0.0 && x + gap + word.width > width {
                (x, top) = (0.0, top + line);
            } else {
                x += gap;
            }
            for (text, weight, soft) in word.parts {
                for piece in pieces(&text, weight, size, width) {
                    let own = weight.font().width(&piece, size);
                    if x > 0.0 && x + own > width + 0.1 && own > width * 0.5 {
                        (x, top) = (0.0, top + line);
                    }
                    let (base, bottom) = (top + size * 1.0, top + line + keep);
                    let item = Item::Text { node, x, base, top, bottom, size, weight, soft, text: piece };
                    self.items.push(item);
                    x += own;
                }
            }
        }
        top + line - y
    }
}

/// A word that is wider than its column is cut.
fn pieces(text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
    if weight.font().width(text, size) <= width {
        return vec![text.to_owned()];
    }
    let (mut all, mut piece) = (Vec::new(), String::new());
    for letter in text.chars() {
        piece.push(letter);
        if weight.font().width(&piece, size) > width && piece.chars().count() > 1 {
            piece.pop();
            all.push(std::mem::take(&mut piece));
            piece.push(letter);
        }
    }
    all.push(piece);
    all
}

fn words(runs: &[Run], style: Style, size: f32) -> Vec<Word> {
    let strong = matches!(style, Style::Title | Style::Heading | Style::Part);
    let (mut words, mut spaced): (Vec<Word>, bool) = (Vec::new(), true);
    for run in runs {
        let weight = if run.bold || (strong && !run.soft) { Weight::Bold } else { Weight::Regular };
        for (place, text) in run.text.split(' ').enumerate() {
            spaced |= place > 0;
            if text.is_empty() {
                continue;
            }
            let (own, part) = (weight.font().width(text, size), (text.to_owned(), weight, run.soft));
            match words.last_mut() {
                Some(word) if !spaced => {
                    word.width += own;
                    word.parts.push(part);
                }
                _ => words.push(Word { parts: vec![part], width: own, spaced }),
            }
            spaced = false;
        }
    }
    words
}
