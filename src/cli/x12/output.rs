//! Standard output in large pieces, and whether anybody still reads it.

use std::io::{self, Write};

/// How much is gathered before it is written, bytes.
const PIECE: usize = 64 << 10;

/// A buffered output that remembers that its reader went away.
pub struct Output<W> {
    out: W,
    piece: Vec<u8>,
    gone: bool,
}

impl<W: Write> Output<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, piece: Vec::with_capacity(2 * PIECE), gone: false }
    }

    /// Room to add to directly; [`Output::pass_on`] afterwards.
    pub fn piece(&mut self) -> &mut Vec<u8> {
        &mut self.piece
    }

    /// Writes what was gathered, when it is enough.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn pass_on(&mut self) -> io::Result<()> {
        if self.piece.len() < PIECE { Ok(()) } else { self.push() }
    }

    /// Writes all that was gathered.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.gone { Ok(()) } else { self.push() }
    }

    /// Whether the other end of the pipe was closed.
    pub fn reader_is_gone(&self) -> bool {
        self.gone
    }

    fn push(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.piece).and_then(|()| self.out.flush());
        self.piece.clear();
        self.gone |= written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        written
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        self.pass_on()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}
