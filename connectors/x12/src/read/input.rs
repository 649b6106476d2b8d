//! The reader's buffer: a window that moves over the source.

use std::io::{self, Read};

/// Most that room is made for at a time, bytes …
const CHUNK: usize = 64 << 10;
/// … and least: a short file, which most are, is not worth the making of a long buffer.
const FIRST: usize = 8 << 10;

/// What was read of a source and is not yet done with.
pub(super) struct Input<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where unread bytes begin and end in `buffer`.
    pub(super) start: usize,
    end: usize,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    at_end: bool,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, end: 0, base: 0, at_end: false }
    }

    /// Everything in the window, read or not.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        self.buffer.get(..self.end).unwrap_or(&[])
    }

    /// What is not read yet.
    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// How much is not read yet, bytes.
    pub(super) fn left(&self) -> usize {
        self.end - self.start
    }

    /// The offset in the file of a place in the window.
    #[inline]
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.base.saturating_add(at as u64)
    }

    /// Whether the source has no more.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Nothing more is read.
    pub(super) fn stop(&mut self) {
        (self.start, self.at_end) = (self.end, true);
    }

    /// Makes room for more, and says by how much what is not read yet moved down. The more the source gave, the more.
    pub(super) fn make_room(&mut self) -> usize {
        let mut by = 0;
        let room = self.end.clamp(FIRST, CHUNK);
        if self.at_end || self.buffer.len() - self.end >= room {
            return by;
        }
        if self.start > 0 {
            by = self.start;
            self.buffer.copy_within(self.start..self.end, 0);
            self.base = self.base.saturating_add(by as u64);
            (self.start, self.end) = (0, self.end - by);
        }
        if self.buffer.len() - self.end < room {
            let grown = (self.end + 2 * room).max(self.end + self.end / 2);
            self.buffer.resize(grown, 0);
        }
        by
    }

    /// Reads more. `false` at the end of the source.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        loop {
            let Some(room) = self.buffer.get_mut(self.end..).filter(|_| !self.at_end) else { return Ok(false) };
            match self.source.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end = (self.end + count).min(self.buffer.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
