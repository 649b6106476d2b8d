//! A source that remembers what last went through it: the white space between segments is no segment's, and is wanted
//! all the same when a file is to be given back byte for byte.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use super::header::{BYTE_ORDER_MARK, MAX_BREAK_BYTES, is_space};

/// How much is remembered at least, bytes. The reader looks less far ahead.
const KEPT: usize = 512 << 10;

/// What went through.
#[derive(Default)]
pub(super) struct Passed {
    bytes: Vec<u8>,
    /// Offset in the file of `bytes[0]`.
    base: u64,
}

impl Passed {
    fn push(&mut self, new: &[u8]) {
        if self.bytes.len().saturating_add(new.len()) > 2 * KEPT {
            let drop = self.bytes.len().saturating_sub(KEPT);
            self.bytes.drain(..drop);
            self.base = self.base.saturating_add(drop as u64);
        }
        self.bytes.extend_from_slice(new);
    }

    /// What is remembered from `offset` on.
    fn from(&self, offset: u64) -> &[u8] {
        let at = offset.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.bytes.get(at..)).unwrap_or(&[])
    }

    /// The white space that follows the segment which ends at `end`, its terminator skipped; up to `next` where
    /// something follows. `None` where it is no white space, or too much, or there is no terminator.
    pub(super) fn space_after(&self, end: u64, terminator: u8, next: Option<u64>) -> Option<String> {
        let rest = self.from(end);
        let rest = if terminator == b'\n' { rest.strip_prefix(b"\r").unwrap_or(rest) } else { rest };
        let skipped = rest.strip_prefix(&[terminator])?;
        let from = end.saturating_add((self.from(end).len() - skipped.len()) as u64);
        let space = match next {
            Some(next) => skipped.get(..usize::try_from(next.checked_sub(from)?).ok()?)?,
            None => skipped,
        };
        is_space(space).then(|| String::from_utf8_lossy(space).into_owned())
    }

    /// Whether the file begins with a byte order mark; to be asked early.
    pub(super) fn byte_order_mark(&self) -> bool {
        self.base == 0 && self.bytes.starts_with(BYTE_ORDER_MARK)
    }

    /// The white space right after the segment which ends at `end`, as far as it goes.
    pub(super) fn break_after(&self, end: u64, terminator: u8) -> Option<String> {
        let rest = self.from(end).strip_prefix(&[terminator])?;
        let count = rest.iter().take(MAX_BREAK_BYTES + 1).take_while(|byte| is_space(&[**byte])).count();
        let space = rest.get(..count).filter(|space| is_space(space))?;
        Some(String::from_utf8_lossy(space).into_owned())
    }
}

/// The source itself.
pub(super) struct Tap<R> {
    source: R,
    passed: Rc<RefCell<Passed>>,
}

impl<R: Read> Tap<R> {
    pub(super) fn new(source: R) -> (Self, Rc<RefCell<Passed>>) {
        let passed = Rc::new(RefCell::new(Passed::default()));
        (Self { source, passed: Rc::clone(&passed) }, passed)
    }
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        if let Some(new) = into.get(..count) {
            self.passed.borrow_mut().push(new);
        }
        Ok(count)
    }
}
