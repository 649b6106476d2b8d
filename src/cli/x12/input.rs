//! The file a command reads, or standard input; on a terminal with a progress bar when it is large.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use x12::read::ReadError;

use crate::house::CannotRun;

/// Shorter files are read before anybody has seen a bar, bytes.
const LARGE: u64 = 16 << 20;

/// A source that moves a bar.
pub struct Input {
    source: Box<dyn Read>,
    /// Bytes, where that is known beforehand.
    length: Option<u64>,
    read: u64,
    bar: Bar,
}

enum Bar {
    /// Nobody watches.
    Never,
    /// Not yet.
    Waiting,
    Shown(ProgressBar),
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// It cannot be opened.
pub fn open(file: &Path) -> Result<Input, CannotRun> {
    // A bar between lines of output would be in nobody's way but the reader's.
    let watched = io::stderr().is_terminal() && !io::stdout().is_terminal();
    let bar = if watched { Bar::Waiting } else { Bar::Never };
    if file.as_os_str() == "-" {
        return Ok(Input { source: Box::new(io::stdin().lock()), length: None, read: 0, bar });
    }
    let opened = File::open(file).and_then(|opened| Ok((opened.metadata()?, opened)));
    let (about, opened) = opened.map_err(|error| CannotRun(format!("{}: {error}", file.display())))?;
    let length = about.is_file().then_some(about.len());
    Ok(Input { source: Box::new(opened), length, read: 0, bar })
}

/// What to say of a file that cannot be read.
pub fn unreadable(error: ReadError) -> CannotRun {
    match error {
        ReadError::Io(error) => CannotRun(format!("the input could not be read: {error}")),
        other => CannotRun(format!("this cannot be read as X12: {other}")),
    }
}

/// The day that is spoken of where nothing else says.
pub fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        self.read = self.read.saturating_add(count as u64);
        match &self.bar {
            Bar::Waiting if self.length.map_or(self.read >= LARGE, |length| length >= LARGE) => {
                self.bar = Bar::Shown(bar(self.length));
            }
            Bar::Shown(bar) => bar.set_position(self.read),
            Bar::Never | Bar::Waiting => {}
        }
        Ok(count)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Bar::Shown(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
