//! Segments that no guide judges: by the standard alone, or as part of the envelope.

use std::sync::OnceLock;

use super::GuideName;
use super::dictionary::Dictionary;
use super::elements::Elements;
use super::guide::Line;
use super::parse;
use super::values::Classes;
use super::watch::{Spot, Watch};
use crate::delimiters::Delimiters;
use crate::finding::Findings;
use crate::read::Segment;

/// Checks segments one by one: lengths, types, syntax notes. It knows no order.
pub struct Syntax {
    classes: Classes,
    delimiters: Delimiters,
    position: u32,
    tolerant: bool,
}

impl Syntax {
    /// Before the first segment. `tolerant`: an older version of the standard.
    pub fn new(tolerant: bool) -> Self {
        let delimiters = Delimiters::default();
        Self { classes: Classes::new(delimiters), delimiters, position: 0, tolerant }
    }

    /// Checks the next segment of a transaction set. One the dictionary does not define is passed over.
    pub fn segment(&mut self, segment: &Segment<'_>, findings: &mut Findings) {
        self.position = self.position.saturating_add(1);
        let line = Dictionary::get().place(segment.id_bytes()).and_then(|place| lines().get(place));
        let position = self.position;
        if let Some(line) = line {
            self.check(line, position, segment, findings);
        }
    }

    /// Checks a segment of the envelope: ISA, TA1, GS, GE, IEA.
    pub fn envelope(&mut self, segment: &Segment<'_>, findings: &mut Findings) {
        let id = segment.id_bytes();
        let line =
            GuideName::Envelope.get().and_then(|guide| guide.lines.iter().find(|line| line.segment.as_bytes() == id));
        if let Some(line) = line {
            self.check(line, 0, segment, findings);
        }
    }

    /// Place of the last segment in the transaction set, ST being 1.
    pub fn position(&self) -> u32 {
        self.position
    }

    fn check(&mut self, line: &'static Line, position: u32, segment: &Segment<'_>, findings: &mut Findings) {
        if segment.delimiters() != self.delimiters {
            self.delimiters = segment.delimiters();
            self.classes = Classes::new(self.delimiters);
        }
        let spot = Spot {
            number: segment.number,
            offset: segment.offset,
            position,
            loop_id: None,
            segment_id: Some(line.segment),
        };
        let mut watch = Watch { findings, tolerant: self.tolerant };
        Elements { classes: &self.classes, segment, spot }.check(line, &mut watch);
    }
}

/// The segments of the standard, by their place in the dictionary.
fn lines() -> &'static [Line] {
    static LINES: OnceLock<Vec<Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let dictionary = Dictionary::get();
        let all = dictionary.segments.iter().map(|definition| parse::line(definition, 0, &["*"], dictionary));
        all.collect::<Result<_, _>>().unwrap_or_default()
    })
}
