//! Two texts, line by line: what goes and what comes. By the longest common run of lines, bounded.

use maud::{Markup, html};

/// Lines of either text that are compared; longer ones are shown whole, as gone and come.
const LINES_MAX: usize = 2_000;

/// One line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// Only in the old one.
    Gone(&'a str),
    /// Only in the new one.
    Come(&'a str),
}

/// What changes from `old` to `new`.
pub fn lines<'a>(old: &'a str, new: &'a str) -> Vec<Line<'a>> {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if a.len() > LINES_MAX || b.len() > LINES_MAX {
        return a.into_iter().map(Line::Gone).chain(b.into_iter().map(Line::Come)).collect();
    }
    // common[i][j]: how many lines a[i..] and b[j..] share in order.
    let width = b.len() + 1;
    let mut common = vec![0_u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = match a[i] == b[j] {
                true => common[(i + 1) * width + j + 1] + 1,
                false => common[(i + 1) * width + j].max(common[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut told) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            told.push(Line::Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            told.push(Line::Gone(a[i]));
            i += 1;
        } else {
            told.push(Line::Come(b[j]));
            j += 1;
        }
    }
    told
}

/// The same as a table; lines that are the same only where they are near a change.
pub fn table(old: &str, new: &str) -> Markup {
    let told = lines(old, new);
    let near = |place: usize| {
        let from = place.saturating_sub(3);
        told[from..(place + 4).min(told.len())].iter().any(|line| !matches!(line, Line::Same(_)))
    };
    html! {
        @if told.iter().all(|line| matches!(line, Line::Same(_))) { p.soft { "Nothing changes." } }
        @else {
            div.table {
                table.diff {
                    thead { tr { th { span.hidden { "Change" } } th { "Line" } } }
                    tbody {
                        @for (place, line) in told.iter().enumerate() {
                            @match line {
                                Line::Gone(text) => { tr { td { "−" span.hidden { "removed" } } td { del { (text) } } } }
                                Line::Come(text) => { tr { td { "+" span.hidden { "added" } } td { ins { (text) } } } }
                                Line::Same(text) => { @if near(place) { tr { td { span.hidden { "same" } } td { (text) } } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_what_comes() {
        let told = lines("a\nb\nc\n", "a\nx\nc\nd\n");
        assert_eq!(told, [Line::Same("a"), Line::Gone("b"), Line::Come("x"), Line::Same("c"), Line::Come("d")]);
        assert!(lines("", "").is_empty());
        let long = "line\n".repeat(LINES_MAX + 1);
        assert_eq!(lines(&long, "").len(), LINES_MAX + 1);
        assert!(table("<b>", "<i>").into_string().contains("<del>&lt;b&gt;</del>"));
    }
}
