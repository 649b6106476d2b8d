//! Values on a page: by selector, by the words beside them, by the header above them.

use scraper::{ElementRef, Node};

use crate::document::{Document, text_of, text_within};
use crate::settings::Find;
use crate::table::{Cell, Grid, label, table_of};

/// Longest label or value that is looked at, bytes.
const TEXT_MAX: usize = 4000;

/// What looking for a value gave.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Found {
    /// Its text, filters applied.
    Text(String),
    /// The place is not there; the fixed word says what is missing.
    Missing(&'static str),
    /// The place is there more than once, with different values.
    Unclear,
}

/// Where values are looked for: a page, or one row of it.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The page.
    pub page: &'a Document,
    /// The row, with its table laid out.
    pub row: Option<(ElementRef<'a>, Option<&'a Grid<'a>>)>,
}

/// Looks for a value.
pub fn find(what: &Find, scope: Scope<'_>) -> Found {
    let found = match (&what.header, &what.label, &what.css, scope.row) {
        (Some(header), _, _, Some((row, Some(grid)))) => match grid.cell(row, header) {
            Cell::Found(cell) => value_of(cell, what),
            Cell::HeaderMissing => Found::Missing("column"),
            Cell::RowShort => Found::Missing("cell"),
            Cell::HeaderTwice => Found::Unclear,
        },
        (Some(_), _, _, _) => Found::Missing("table"),
        (_, Some(words), _, _) => beside(words, what, scope),
        (_, _, Some(css), Some((row, _))) => match css.selector().and_then(|selector| row.select(selector).next()) {
            Some(element) => value_of(element, what),
            None => Found::Missing("element"),
        },
        (_, _, Some(css), None) => match scope.page.first(css) {
            Some(element) => value_of(element, what),
            None => Found::Missing("element"),
        },
        _ => Found::Missing("element"),
    };
    match (found, &what.then) {
        (Found::Text(text), Some(filters)) => Found::Text(filters.run(text)),
        (found, _) => found,
    }
}

/// The text of an element, or the value of a control, or the attribute asked for.
fn value_of(element: ElementRef<'_>, what: &Find) -> Found {
    if let Some(name) = &what.attr {
        return match element.attr(name) {
            Some(value) => Found::Text(value.trim().to_owned()),
            None => Found::Missing("attribute"),
        };
    }
    let text = match element.value().name() {
        "input" => element.attr("value").unwrap_or_default().trim().to_owned(),
        "select" => element
            .descendent_elements()
            .filter(|option| option.value().name() == "option")
            .find(|option| option.attr("selected").is_some())
            .map(text_of)
            .unwrap_or_default(),
        _ => text_of(element),
    };
    Found::Text(text)
}

/// The value beside some words.
fn beside(words: &str, what: &Find, scope: Scope<'_>) -> Found {
    let wanted = label(words);
    let inside: Vec<ElementRef<'_>> = match (&what.within, scope.row) {
        (Some(css), Some((row, _))) => css.selector().map(|s| row.select(s).collect()).unwrap_or_default(),
        (Some(css), None) => scope.page.select(css).collect(),
        (None, Some((row, _))) => vec![row],
        (None, None) => scope.page.root().into_iter().collect(),
    };
    let mut values: Vec<Found> = Vec::new();
    let mut seen = false;
    for part in inside {
        for element in part.descendent_elements() {
            let Some(hit) = labels(element, &wanted) else { continue };
            // Only the innermost element that says the words counts.
            if element.child_elements().any(|child| labels(child, &wanted).is_some()) {
                continue;
            }
            seen = true;
            let value = match hit {
                Hit::Same(value) => Some(Found::Text(value)),
                Hit::Label => next_to(element, scope.page, what),
            };
            if let Some(value) = value
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
    }
    match (values.len(), values.pop()) {
        (1, Some(value)) => value,
        (0, _) => Found::Missing(if seen { "value" } else { "label" }),
        _ => Found::Unclear,
    }
}

enum Hit {
    /// The element says the words and nothing else.
    Label,
    /// The element says the words, a colon, and the value.
    Same(String),
}

fn labels(element: ElementRef<'_>, wanted: &str) -> Option<Hit> {
    if matches!(element.value().name(), "script" | "style" | "option" | "select" | "title" | "head") {
        return None;
    }
    let text = text_within(element, wanted.len().saturating_mul(2) + 300)?;
    if label(&text) == wanted {
        return Some(Hit::Label);
    }
    let (before, after) = text.split_once(':')?;
    // A container with several pairs is not a pair.
    let holds_more = element.descendent_elements().skip(1).any(|inner| crate::document::breaks(inner.value().name()));
    (label(before) == wanted && !holds_more && !after.trim().is_empty()).then(|| Hit::Same(after.trim().to_owned()))
}

/// The value next to the element that holds the label.
fn next_to(element: ElementRef<'_>, page: &Document, what: &Find) -> Option<Found> {
    if let Some(id) = element.attr("for")
        && let Some(control) = page.by_id(id)
    {
        return Some(value_of(control, what));
    }
    let mut at = element;
    for _ in 0..4 {
        if let Some(found) = after(at, what) {
            return Some(found);
        }
        let parent = at.parent().and_then(ElementRef::wrap)?;
        // Climb only while the parent says no more than the label itself.
        if matches!(at.value().name(), "td" | "th" | "dt") || text_within(parent, TEXT_MAX)? != text_of(at) {
            return None;
        }
        at = parent;
    }
    None
}

/// What follows an element among its siblings: the next element with something in it, or plain text up to the next one.
fn after(element: ElementRef<'_>, what: &Find) -> Option<Found> {
    let cell = matches!(element.value().name(), "td" | "th");
    let mut plain = String::new();
    for sibling in element.next_siblings() {
        match sibling.value() {
            Node::Text(piece) => plain.push_str(piece),
            Node::Element(inner) => {
                let text = clean(&plain);
                let next = ElementRef::wrap(sibling)?;
                if !text.is_empty() {
                    // Plain text after the label: it goes on through links and the like, up to a line's end or a label.
                    if matches!(inner.name(), "a" | "em" | "i" | "span") && inner.name() != element.value().name() {
                        plain.push_str(&text_within(next, TEXT_MAX)?);
                        continue;
                    }
                    return Some(Found::Text(text));
                }
                if element.value().name() == "dt" && inner.name() != "dd" {
                    return None;
                }
                if matches!(inner.name(), "br" | "wbr") {
                    continue;
                }
                if is_heading(element) && holds_values(next) {
                    return None;
                }
                let value = value_of(next, what);
                let empty = matches!(&value, Found::Text(text) if text.is_empty());
                // The cell beside the label is its value even when it is empty.
                if cell || !empty || inner.name() == "dd" {
                    return Some(value);
                }
            }
            _ => {}
        }
    }
    let text = clean(&plain);
    (!text.is_empty()).then_some(Found::Text(text))
}

/// Whether the words stand over a part of the page rather than beside a value, if such a part follows.
fn is_heading(element: ElementRef<'_>) -> bool {
    !matches!(element.value().name(), "td" | "th" | "dt" | "label")
}

/// A part of the page with values of its own: what follows `<h1>Member</h1>` is no value of `Member`.
fn holds_values(element: ElementRef<'_>) -> bool {
    let part = |name: &str| matches!(name, "dl" | "table" | "form" | "fieldset" | "section" | "article");
    element.descendent_elements().any(|inner| part(inner.value().name()))
}

fn clean(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_start_matches(':').trim().to_owned()
}

/// The rows a selector finds, with the layout of the table each stands in.
pub fn grids<'a>(rows: &[ElementRef<'a>]) -> Vec<(ElementRef<'a>, Grid<'a>)> {
    let mut tables: Vec<ElementRef<'a>> = Vec::new();
    for row in rows {
        if let Some(table) = table_of(*row)
            && !tables.iter().any(|known| known.id() == table.id())
        {
            tables.push(table);
        }
    }
    tables.into_iter().map(|table| (table, Grid::new(table))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_label(page: &str, words: &str) -> Found {
        let page = Document::parse(page).unwrap();
        let what = Find { label: Some(words.to_owned()), ..Find::default() };
        find(&what, Scope { page: &page, row: None })
    }

    #[test]
    fn values_beside_their_words() {
        for page in [
            "<table><tr><th>Plan:</th><td>Gold</td></tr></table>",
            "<table><tr><td><b>PLAN</b></td><td>Gold</td></tr></table>",
            "<dl><dt>Plan</dt><dd>Gold</dd><dt>x</dt><dd>y</dd></dl>",
            "<div><label>Plan</label><span>Gold</span></div>",
            "<div><label for=p>Plan</label></div><input id=p value=Gold>",
            "<p><b>Plan:</b> Gold<br><b>Status:</b> Active</p>",
            "<div><span>Plan: Gold</span></div>",
            "<ul><li>Plan: Gold</li><li>Status: Active</li></ul>",
            "<div><div><span>Plan</span></div><div>Gold</div></div>",
        ] {
            assert_eq!(by_label(page, "Plan"), Found::Text("Gold".into()), "{page}");
        }
    }

    #[test]
    fn missing_unclear_and_empty() {
        assert_eq!(by_label("<p>Nothing</p>", "Plan"), Found::Missing("label"));
        assert_eq!(by_label("<p>Plan</p>", "Plan"), Found::Missing("value"));
        assert_eq!(by_label("<table><tr><th>Plan<td>", "Plan"), Found::Text(String::new()));
        assert_eq!(by_label("<p>Plan: Gold</p><p>Plan: Silver</p>", "Plan"), Found::Unclear);
        assert_eq!(by_label("<p>Plan: Gold</p><p>Plan: Gold</p>", "Plan"), Found::Text("Gold".into()));
        // The words of another label do not count.
        assert_eq!(by_label("<dl><dt>Plan name</dt><dd>Gold</dd></dl>", "Plan"), Found::Missing("label"));
        // A heading is no label of the part under it.
        let part = "<dl><dt>Plan</dt><dd>Gold</dd><dt>x</dt><dd>y</dd></dl>";
        for page in [format!("<h1>Plan</h1>{part}"), format!("<div><b>Plan</b></div><div><p>{part}</p></div>")] {
            assert_eq!(by_label(&page, "Plan"), Found::Text("Gold".into()), "{page}");
        }
        // A table inside the cell beside the label is its value.
        let nested = "<table><tr><td>Plan</td><td><table><tr><td>Gold</td></tr></table></td></tr></table>";
        assert_eq!(by_label(nested, "Plan"), Found::Text("Gold".into()));
        // The next label is no value.
        assert_eq!(by_label("<dl><dt>Plan</dt><dt>Status</dt><dd>Active</dd></dl>", "Plan"), Found::Missing("value"));
    }
}
