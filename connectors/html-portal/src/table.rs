//! Tables: which cell stands under which header, whatever the order of columns, with spans taken into account.

use scraper::ElementRef;

use crate::document::{fold, text_within};

/// Most columns of a table.
const COLUMNS_MAX: usize = 200;

/// A table's rows as a grid; a cell that spans stands in every place it covers.
pub struct Grid<'a> {
    rows: Vec<(ElementRef<'a>, Vec<Option<ElementRef<'a>>>)>,
    /// Rows of the head.
    head: usize,
    /// The head's words with their columns.
    names: Vec<(String, usize)>,
}

/// What looking for a cell gave.
pub enum Cell<'a> {
    /// It is there.
    Found(ElementRef<'a>),
    /// The table has no such header.
    HeaderMissing,
    /// The table has the header more than once.
    HeaderTwice,
    /// The row is too short.
    RowShort,
}

/// The table a row belongs to.
pub fn table_of<'a>(row: ElementRef<'a>) -> Option<ElementRef<'a>> {
    row.ancestors().filter_map(ElementRef::wrap).find(|element| element.value().name() == "table")
}

/// The cells of a row, in order.
pub fn cells<'a>(row: ElementRef<'a>) -> impl Iterator<Item = ElementRef<'a>> {
    row.child_elements().filter(|cell| matches!(cell.value().name(), "td" | "th"))
}

impl<'a> Grid<'a> {
    /// Lays a table out.
    pub fn new(table: ElementRef<'a>) -> Self {
        let mut rows: Vec<(ElementRef<'a>, Vec<Option<ElementRef<'a>>>)> = Vec::new();
        // Cells of rows above that reach down: column, rows left, cell.
        let mut hanging: Vec<(usize, usize, ElementRef<'a>)> = Vec::new();
        let own = table.descendent_elements().filter(|element| {
            element.value().name() == "tr" && table_of(*element).is_some_and(|t| t.id() == table.id())
        });
        for row in own {
            let mut places: Vec<Option<ElementRef<'a>>> = Vec::new();
            for (column, left, cell) in &mut hanging {
                put(&mut places, *column, *cell);
                *left = left.saturating_sub(1);
            }
            hanging.retain(|(_, left, _)| *left > 0);
            let mut column = 0;
            for cell in cells(row) {
                while places.get(column).is_some_and(Option::is_some) {
                    column += 1;
                }
                let down = span(cell, "rowspan", 1000);
                for _ in 0..span(cell, "colspan", COLUMNS_MAX) {
                    put(&mut places, column, cell);
                    if down > 1 && column < COLUMNS_MAX {
                        hanging.push((column, down - 1, cell));
                    }
                    column += 1;
                }
            }
            rows.push((row, places));
        }
        // The header is the last row of leading rows that have header cells only.
        let header = rows
            .iter()
            .take_while(|(row, _)| cells(*row).next().is_some() && cells(*row).all(|cell| cell.value().name() == "th"))
            .count();
        // A table without th cells: its first row is taken for the header.
        let head = header.max(1);
        let mut names = Vec::new();
        for (_, places) in rows.iter().take(head) {
            for (column, cell) in places.iter().enumerate() {
                if let Some(text) = cell.and_then(|cell| text_within(cell, 500)) {
                    names.push((label(&text), column));
                }
            }
        }
        Self { rows, head, names }
    }

    /// Whether a row is part of the table's head.
    pub fn is_header(&self, row: ElementRef<'a>) -> bool {
        self.rows.iter().take(self.head).any(|(head, _)| head.id() == row.id())
    }

    /// The cell of `row` that stands under `header`.
    pub fn cell(&self, row: ElementRef<'a>, header: &str) -> Cell<'a> {
        let wanted = label(header);
        let mut columns = self.names.iter().filter(|(name, _)| *name == wanted).map(|(_, column)| *column);
        let Some(column) = columns.next() else { return Cell::HeaderMissing };
        if columns.any(|other| other != column) {
            return Cell::HeaderTwice;
        }
        let places = self.rows.iter().find(|(own, _)| own.id() == row.id()).map(|(_, places)| places);
        match places.and_then(|places| places.get(column).copied().flatten()) {
            Some(cell) => Cell::Found(cell),
            None => Cell::RowShort,
        }
    }
}

/// A label or header folded, without the marks that stand after it (colon, sort arrow, asterisk).
pub fn label(text: &str) -> String {
    let folded = fold(text);
    folded.trim_end_matches([':', '*', '▲', '▼', '↑', '↓', ' ']).to_owned()
}

fn put<'a>(places: &mut Vec<Option<ElementRef<'a>>>, column: usize, cell: ElementRef<'a>) {
    if column >= COLUMNS_MAX {
        return;
    }
    while places.len() <= column {
        places.push(None);
    }
    if let Some(place) = places.get_mut(column) {
        *place = Some(cell);
    }
}

fn span(cell: ElementRef<'_>, name: &str, most: usize) -> usize {
    cell.attr(name).and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(1).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, text_of};

    fn read(page: &str, row: &str, header: &str) -> String {
        let page = Document::parse(page).unwrap();
        let row = page.by_id(row).unwrap();
        let grid = Grid::new(table_of(row).unwrap());
        match grid.cell(row, header) {
            Cell::Found(cell) => text_of(cell),
            Cell::HeaderMissing => "no header".into(),
            Cell::HeaderTwice => "two headers".into(),
            Cell::RowShort => "no cell".into(),
        }
    }

    #[test]
    fn cells_by_header_whatever_the_order() {
        let one = "<table><tr><th>Service:<th>Copay<tr id=r><td>Office<td>$25</table>";
        let two = "<table><thead><tr><th>Copay ▲<th>Service</thead><tbody><tr id=r><td>$25<td>Office</table>";
        for page in [one, two] {
            assert_eq!(read(page, "r", "copay"), "$25");
            assert_eq!(read(page, "r", "Service"), "Office");
        }
        assert_eq!(read(one, "r", "Limit"), "no header");
        assert_eq!(read("<table><tr><th>A<th>A<tr id=r><td>1<td>2</table>", "r", "A"), "two headers");
        assert_eq!(read("<table><tr><th>A<th>B<tr id=r><td>1</table>", "r", "B"), "no cell");
    }

    #[test]
    fn spans_are_laid_out() {
        let page = "<table><tr><th>Service<th>Network<th>Copay\
                    <tr><td rowspan=2>Office<td>In<td>$25<tr id=r><td>Out<td>$50</table>";
        assert_eq!(read(page, "r", "Service"), "Office");
        assert_eq!(read(page, "r", "Network"), "Out");
        assert_eq!(read(page, "r", "Copay"), "$50");
        // A grouped head: the lower row names the columns.
        let grouped = "<table><tr><th rowspan=2>Service<th colspan=2>Costs<tr><th>Copay<th>Share\
                       <tr id=r><td>Office<td>$25<td>20%</table>";
        assert_eq!(read(grouped, "r", "Share"), "20%");
        assert_eq!(read(grouped, "r", "Service"), "Office");
        assert_eq!(
            read("<table><tr><th colspan=999999999>A<tr id=r><td rowspan=99999999>1</table>", "r", "B"),
            "no header"
        );
    }
}
