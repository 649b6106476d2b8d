//! Paper: a part of our own pages as a PDF on Letter sheets.
//!
//! What is printed is the page itself: the same HTML that a browser is given is read (`read`), laid out (`lay`) with two
//! embedded fonts (`font`) and written with its structure as tags (`draw`), so that a screen reader reads it as it
//! reads the page. There is no second template that could say something else. Only what our pages are made of is known
//! here: headings, paragraphs, lists, names with values, tables, folds, cards, bars. Text is text: nothing that a carrier
//! writes can become anything else. The same HTML gives the same bytes; nothing here knows the time.

mod draw;
mod font;
mod lay;
mod press;
mod read;

pub use press::print;

/// Characters of one document at most; what comes after them is left out, and said to be.
const CHARACTERS_MAX: usize = 200_000;
/// Sheets at most; what comes after them is left out, and said to be.
const SHEETS_MAX: usize = 60;
/// How much smaller everything may become so that it fits one sheet; tried in this order.
const SMALLER: [f32; 3] = [0.94, 0.88, 0.82];

/// `html`, as our pages write it, on as few Letter sheets as it needs: a tagged PDF 1.7 with `title`, in English.
///
/// What has the class `no-print`, forms, buttons and drawings other than bars are left out, as the style sheet leaves them
/// out on paper.
pub fn pdf(title: &str, html: &str) -> Vec<u8> {
    let mut document = read::read(html, CHARACTERS_MAX);
    let sheets = sheets(&mut document);
    draw::draw(title, &document, &sheets)
}

/// The document on one sheet, where it fits one; else on as many as there may be, of which the last one says so where
/// something is left out.
fn sheets(document: &mut read::Document) -> Vec<Vec<lay::Item>> {
    let whole = lay::sheets(document, 1.0, false);
    let one = match whole.len() {
        1 => return whole,
        // What fills more than two sheets does not fit one in letters that can be read.
        2 => SMALLER.iter().map(|scale| lay::sheets(document, *scale, false)).find(|sheets| sheets.len() == 1),
        _ => None,
    };
    let mut sheets = one.unwrap_or_else(|| lay::sheets(document, 1.0, true));
    if sheets.len() > SHEETS_MAX {
        sheets.truncate(SHEETS_MAX - 1);
        let note = document.more();
        sheets.extend(lay::alone(&note));
    }
    sheets
}

#[cfg(test)]
mod tests;
