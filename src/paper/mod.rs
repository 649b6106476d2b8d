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
mod read;

/// Characters of one document at most; what comes after them is left out, and said to be.
const CHARACTERS_MAX: usize = 200_000;
/// Sheets at most.
const SHEETS_MAX: usize = 60;
/// How much smaller everything may become so that it fits one sheet; tried in this order.
const SCALES: [f32; 4] = [1.0, 0.94, 0.88, 0.82];

/// `html`, as our pages write it, on as few Letter sheets as it needs: a tagged PDF 1.7 with `title`, in English.
///
/// What has the class `no-print`, forms, buttons and drawings other than bars are left out, as the style sheet leaves them
/// out on paper.
pub fn pdf(title: &str, html: &str) -> Vec<u8> {
    let document = read::read(html, CHARACTERS_MAX);
    let one = SCALES.iter().map(|scale| lay::sheets(&document, *scale, false)).find(|sheets| sheets.len() == 1);
    let mut sheets = one.unwrap_or_else(|| lay::sheets(&document, 1.0, true));
    sheets.truncate(SHEETS_MAX);
    draw::draw(title, &document, &sheets)
}

#[cfg(test)]
mod tests;
