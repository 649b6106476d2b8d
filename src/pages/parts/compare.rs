//! Two texts, line by line: what goes and what comes, and inside a line that changed, which words. By the longest common
//! run, bounded. Our own few lines: what is compared is short, and a library would have to be taught the same table.

use maud::{Markup, html};

/// Lines of either text that are compared; longer ones are shown whole, as gone and come.
const LINES_MAX: usize = 2_000;
/// Words of a line that are compared.
const WORDS_MAX: usize = 400;

/// One line, or one word, of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// In both.
    Same(&'a str),
    /// Only in the old one.
    Gone(&'a str),
    /// Only in the new one.
    Come(&'a str),
}
use Piece::{Come, Gone, Same};

/// What changes from `a` to `b`.
fn pieces<'a>(a: &[&'a str], b: &[&'a str], most: usize) -> Vec<Piece<'a>> {
    if a.len() > most || b.len() > most {
        return a.iter().copied().map(Gone).chain(b.iter().copied().map(Come)).collect();
    }
    // common[i][j]: how many pieces a[i..] and b[j..] share in order.
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
            told.push(Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            told.push(Gone(a[i]));
            i += 1;
        } else {
            told.push(Come(b[j]));
            j += 1;
        }
    }
    told
}

/// What changes from `old` to `new`, line by line.
pub fn lines<'a>(old: &'a str, new: &'a str) -> Vec<Piece<'a>> {
    pieces(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>(), LINES_MAX)
}

/// A line's words: letters and digits together, everything else alone.
fn words(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut before: Option<char> = None;
    for (at, letter) in line.char_indices() {
        if before.is_some_and(|before| !(in_word(before) && in_word(letter))) {
            found.push(line.get(from..at).unwrap_or_default());
            from = at;
        }
        before = Some(letter);
    }
    found.push(line.get(from..).unwrap_or_default());
    found
}

/// The words of a line that went and of the one that came in its place; `None` where they have too little in common to be
/// the same line.
fn inside<'a>(old: &'a str, new: &'a str) -> Option<Vec<Piece<'a>>> {
    let (a, b) = (words(old), words(new));
    let told = pieces(&a, &b, WORDS_MAX);
    let letters = |piece: &str| piece.chars().any(char::is_alphanumeric);
    let shared = told.iter().filter(|piece| matches!(piece, Same(text) if letters(text))).count();
    let count = |words: &[&str]| words.iter().filter(|word| letters(word)).count();
    let all = count(&a).max(count(&b));
    (shared * 3 >= all && shared > 0).then_some(told)
}

/// A line to be shown: its pieces, with what changed inside it.
struct Row<'a> {
    kind: Piece<'a>,
    pieces: Option<Vec<Piece<'a>>>,
}

/// The lines, those that took each other's place with their words compared.
fn rows<'a>(told: &[Piece<'a>]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = told.iter().map(|piece| Row { kind: *piece, pieces: None }).collect();
    let mut at = 0;
    while at < told.len() {
        let gone = told[at..].iter().take_while(|piece| matches!(piece, Gone(_))).count();
        let come = told[at + gone..].iter().take_while(|piece| matches!(piece, Come(_))).count();
        for pair in 0..gone.min(come) {
            if let (Gone(old), Come(new)) = (told[at + pair], told[at + gone + pair])
                && let Some(words) = inside(old, new)
            {
                rows[at + pair].pieces = Some(words.clone());
                rows[at + gone + pair].pieces = Some(words);
            }
        }
        at += (gone + come).max(1);
    }
    rows
}

/// A changed line; what changed inside it is marked, by weight and a line under it as well as by colour.
fn changed(whole: &str, pieces: Option<&Vec<Piece<'_>>>, old: bool) -> Markup {
    html! {
        @match pieces {
            None => { (whole) }
            Some(pieces) => {
                @for piece in pieces {
                    @match piece {
                        Same(text) => { (text) }
                        Gone(text) => { @if old { mark { (text) } } }
                        Come(text) => { @if !old { mark { (text) } } }
                    }
                }
            }
        }
    }
}

/// The same as a table; lines that are the same only where they are near a change.
pub fn table(old: &str, new: &str) -> Markup {
    let told = lines(old, new);
    let near = |place: usize| {
        let from = place.saturating_sub(3);
        told[from..(place + 4).min(told.len())].iter().any(|line| !matches!(line, Same(_)))
    };
    html! {
        @if told.iter().all(|line| matches!(line, Same(_))) { p.soft { "Nothing changes." } }
        @else {
            div.table {
                table.diff {
                    thead { tr { th { span.hidden { "Change" } } th { "Line" } } }
                    tbody {
                        @for (place, row) in rows(&told).iter().enumerate() {
                            @match row.kind {
                                Gone(text) => { tr { td { "−" span.hidden { "removed" } } td { del { (changed(text, row.pieces.as_ref(), true)) } } } }
                                Come(text) => { tr { td { "+" span.hidden { "added" } } td { ins { (changed(text, row.pieces.as_ref(), false)) } } } }
                                Same(text) => { @if near(place) { tr { td { span.hidden { "same" } } td { (text) } } } }
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
        assert_eq!(told, [Same("a"), Gone("b"), Come("x"), Same("c"), Come("d")]);
        assert!(lines("", "").is_empty());
        let long = "line\n".repeat(LINES_MAX + 1);
        assert_eq!(lines(&long, "").len(), LINES_MAX + 1);
        assert!(table("<b>", "<i>").into_string().contains("<del>&lt;b&gt;</del>"));
    }

    #[test]
    fn inside_a_line_only_what_changed_is_marked() {
        let shown = table("timeout = 20 # s\nx = 1", "timeout = 25 # s\nx = 1").into_string();
        assert!(shown.contains("<del>timeout = <mark>20</mark> # s</del>"), "{shown}");
        assert!(shown.contains("<ins>timeout = <mark>25</mark> # s</ins>"), "{shown}");
        // Two lines in the place of two, and one more.
        let shown = table("a = \"<x>\"\nb = 2", "a = \"<y>\"\nb = 3\nc = 4").into_string();
        assert!(shown.contains("b = <mark>2</mark>") && shown.contains("<ins>c = 4</ins>"), "{shown}");
        assert!(shown.contains("&lt;<mark>x</mark>&gt;"), "{shown}");
        // Lines that only stand at the same place are not the same line.
        assert!(!table("name = \"Acme\"", "[limits]").into_string().contains("<mark>"));
        assert_eq!(words("é_1 =\"x\""), ["é_1", " ", "=", "\"", "x", "\""]);
        assert_eq!(words(""), [""]);
    }
}
