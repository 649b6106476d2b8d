//! A file may begin without an ISA. The reader searches the beginning of such a file for one, and takes what stands
//! before it for junk: nothing may be written in which it would find one.

use std::collections::VecDeque;

use super::{Reason, Refusal};
use crate::delimiters::MAX_ISA_BYTES;
use crate::read::{MAX_PREAMBLE_BYTES, MAX_SEARCHED_BYTES, find_isa};

/// The beginning of a file, as far as the reader searches it, while it is written.
#[derive(Default)]
pub(super) struct Preamble {
    /// The file begins with an ISA, or the reader searches no further.
    over: bool,
    /// From the first segment on, as they are written; at most [`MAX_SEARCHED_BYTES`].
    bytes: Vec<u8>,
    /// How much of `bytes` was searched.
    searched: usize,
    /// Segments that were not searched to their ends: where they begin in `bytes`, and their positions.
    starts: VecDeque<(usize, u32)>,
}

impl Preamble {
    /// Nothing (more) needs to be searched.
    pub(super) fn end(&mut self) {
        *self = Self { over: true, ..Self::default() };
    }

    /// Searches a segment, `before` being the white space before it and `terminator` the byte after it. What looks like
    /// an ISA may reach into the segments after it, so that a refusal may be of a segment given earlier.
    pub(super) fn segment(&mut self, before: &[u8], line: &[u8], terminator: u8, position: u32) -> Result<(), Refusal> {
        if self.over {
            return Ok(());
        }
        if !self.bytes.is_empty() {
            self.keep(before);
        }
        self.starts.push_back((self.bytes.len(), position));
        self.keep(line);
        self.keep(&[terminator]);
        // Whether this is an ISA is known when so many bytes of it are: each place is looked at once.
        self.search(self.bytes.len().saturating_sub(MAX_ISA_BYTES - 1))?;
        if self.bytes.len() >= MAX_SEARCHED_BYTES {
            self.end();
        }
        Ok(())
    }

    /// Searches what is left where the file ends with `tail`.
    pub(super) fn finish(&mut self, tail: &[u8]) -> Result<(), Refusal> {
        if !self.over {
            self.keep(tail);
            self.search(self.bytes.len())?;
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_SEARCHED_BYTES.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
    }

    fn search(&mut self, until: usize) -> Result<(), Refusal> {
        let until = until.min(MAX_PREAMBLE_BYTES);
        if until <= self.searched {
            return Ok(());
        }
        if let Some((at, _)) = find_isa(&self.bytes, self.searched..until) {
            return Err(self.refusal(at));
        }
        self.searched = until;
        while self.starts.get(1).is_some_and(|(start, _)| *start <= until) {
            self.starts.pop_front();
        }
        Ok(())
    }

    /// Says where what begins at `at` stands.
    fn refusal(&self, at: usize) -> Refusal {
        let holding = self.starts.iter().rev().find(|(start, _)| *start <= at);
        let (start, position) = holding.copied().unwrap_or_default();
        let before = self.bytes.get(start..at).unwrap_or(&[]);
        let id: String = before
            .iter()
            .take(3)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .map(|byte| char::from(*byte))
            .collect();
        let separator = before.get(id.len());
        let element = before.iter().filter(|byte| Some(*byte) == separator).count();
        let (segment, element) = match id.as_str() {
            "" => ("ISA".to_owned(), 0), // an ISA itself
            "BIN" => (id, element.min(2)),
            "BDS" => (id, element.min(3)),
            _ => (id, element),
        };
        let element = u16::try_from(element).unwrap_or(u16::MAX);
        Refusal { segment, position, element, ..Refusal::at(0, 0, Reason::ReadAsIsa) }
    }
}
