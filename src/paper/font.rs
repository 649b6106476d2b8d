//! Two fonts, and how wide a text is in them.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId};
use unicode_normalization::UnicodeNormalization;

/// The fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Text.
    Regular,
    /// Headings and what is strong.
    Bold,
}

impl Weight {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// The font of this weight.
    pub fn font(self) -> &'static Font {
        static FONTS: OnceLock<[Font; 2]> = OnceLock::new();
        let [regular, bold] = FONTS.get_or_init(|| {
            [
                Font::of(include_bytes!("fonts/NotoSans-Regular.ttf"), "NotoSans-Regular"),
                Font::of(include_bytes!("fonts/NotoSans-Bold.ttf"), "NotoSans-Bold"),
            ]
        });
        match self {
            Self::Regular => regular,
            Self::Bold => bold,
        }
    }
}

/// A font, as far as setting Latin text needs it.
pub struct Font {
    /// The file, whole: it is a subset already.
    pub file: &'static [u8],
    /// PostScript name.
    pub name: &'static str,
    /// `None` should the file be broken, which a test rules out.
    face: Option<Face<'static>>,
}

impl Font {
    fn of(file: &'static [u8], name: &'static str) -> Self {
        Self { file, name, face: Face::parse(file, 0).ok() }
    }

    /// Units of the font in one em.
    fn em(&self) -> f32 {
        self.face.as_ref().map_or(1_000.0, |face| f32::from(face.units_per_em()))
    }

    /// In thousandths of an em, as PDF counts.
    fn thousandths(&self, units: f32) -> f32 {
        units * 1_000.0 / self.em()
    }

    /// The glyph of a character; `None` where the font has none.
    pub fn glyph(&self, letter: char) -> Option<u16> {
        Some(self.face.as_ref()?.glyph_index(letter)?.0)
    }

    /// How wide a glyph is, thousandths of an em.
    pub fn advance(&self, glyph: u16) -> f32 {
        let units = self.face.as_ref().and_then(|face| face.glyph_hor_advance(GlyphId(glyph)));
        self.thousandths(f32::from(units.unwrap_or(500)))
    }

    /// How wide a text is at `size` points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().filter_map(|letter| self.glyph(letter)).map(|glyph| self.advance(glyph)).sum::<f32>() * size
            / 1_000.0
    }

    /// Ascent, descent (below zero), height of capitals, and the box around all glyphs; thousandths of an em.
    pub fn measures(&self) -> ([f32; 3], [f32; 4]) {
        let Some(face) = &self.face else { return ([1_000.0, -300.0, 700.0], [0.0, -300.0, 1_000.0, 1_000.0]) };
        let bounds = face.global_bounding_box();
        let capitals = face.capital_height().unwrap_or(714);
        let one = |units: i16| self.thousandths(f32::from(units));
        (
            [one(face.ascender()), one(face.descender()), one(capitals)],
            [one(bounds.x_min), one(bounds.y_min), one(bounds.x_max), one(bounds.y_max)],
        )
    }
}

/// A text with nothing in it that the fonts lack: composed letters, plain signs for those that have one, and the number of
/// any other character in brackets, so that nothing is lost and nothing turns the line around.
pub fn printable(text: &str) -> String {
    let font = Weight::Regular.font();
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfc() {
        match letter {
            _ if letter.is_whitespace() => plain.push(' '),
            // A place where a line may be broken, and nothing else.
            '\u{ad}' | '\u{200b}' => {}
            '−' => plain.push('-'),
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '≤' => plain.push_str("<="),
            '≥' => plain.push_str(">="),
            _ if font.glyph(letter).is_some() => plain.push(letter),
            _ => plain.push_str(&format!("[U+{:04X}]", u32::from(letter))),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_written_as_they_are_called() {
        for name in ["Łukasz Żółć", "Nguyễn Thị Ánh", "Þórdís", "Ñíguez-Peña", "O’Neil", "Čapek Őri Ğül Šķēle"]
        {
            assert_eq!(printable(name), name);
            for weight in Weight::ALL {
                assert!(name.chars().all(|letter| weight.font().glyph(letter).is_some()), "{name} in {weight:?}");
            }
        }
        // The same letter from its parts.
        assert_eq!(printable("e\u{301}"), "é");
    }

    #[test]
    fn what_the_fonts_lack_is_told_by_its_number() {
        assert_eq!(printable("a\u{202e}b\u{7}中"), "a[U+202E]b[U+0007][U+4E2D]");
        assert_eq!(printable("one\ntwo\tthree → −4"), "one two three -> -4");
        assert!(Weight::Bold.font().width("mm", 10.0) > Weight::Regular.font().width("ii", 10.0));
    }
}
