//! Anchors: signed checkpoints in an append-only file outside the data directory. Whoever puts the data directory back to
//! an earlier state would have to put these back too.
//!
//! One folder for each installation, one file for each day, one line for each checkpoint or key. On a file system that
//! knows it, `chattr +a` on the folder's files makes the promise the system's own.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::KeyMark;

/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 32 * 1024;
/// Most files of days that are looked at.
const FILES_MAX: usize = 4_000;
const PREFIX: &str = "anchors-";
const SUFFIX: &str = ".jsonl";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorLine {
    /// When it was written.
    pub at: Timestamp,
    /// A signed checkpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// A key that signs from now on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyMark>,
}

/// A line with where it stands.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file's name.
    pub file: String,
    /// Its number in the file, from 1.
    pub line: usize,
    /// What it says; `None` when it cannot be read.
    pub said: Option<AnchorLine>,
}

/// The folder of the anchors.
#[derive(Clone, Debug)]
pub struct AnchorDir {
    dir: PathBuf,
}

impl AnchorDir {
    /// The folder, made when it is not there (readable by its owner only).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        make_private_dir(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Whether anchors of this installation are here, and whether there are any of others.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn installs(&self, own: &str) -> std::io::Result<(bool, bool)> {
        let (mut mine, mut others) = (false, false);
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                let own = entry.file_name().to_str() == Some(own);
                mine |= own;
                others |= !own;
            }
        }
        Ok((mine, others))
    }

    /// Appends lines and syncs them to the disk. Blocks.
    ///
    /// # Errors
    /// What the operating system says; some of the lines may be there then.
    pub fn append(&self, install: &str, lines: &[AnchorLine]) -> std::io::Result<()> {
        let dir = self.dir.join(install);
        make_private_dir(&dir)?;
        let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
        let path = dir.join(format!("{PREFIX}{day}{SUFFIX}"));
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut text = Vec::new();
        if !is_new && !ends_whole(&path)? {
            // A crash in the middle of a line: close it, so that the next one can be read.
            text.push(b'\n');
        }
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        let mut file = options.open(&path)?;
        file.write_all(&text)?;
        file.sync_data()?;
        // The name of a new file is durable only once its folder is synced.
        if is_new { File::open(&dir)?.sync_all() } else { Ok(()) }
    }

    /// The files of this installation, newest day first.
    fn days(&self, install: &str) -> std::io::Result<Vec<PathBuf>> {
        let dir = self.dir.join(install);
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut days: Vec<PathBuf> = std::fs::read_dir(dir)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with(PREFIX) && name.ends_with(SUFFIX)
            })
            .collect();
        days.sort_by(|a, b| b.cmp(a));
        days.truncate(FILES_MAX);
        Ok(days)
    }

    /// Gives the lines of one day after another, newest day first, each day's in their order, until `visit` has seen
    /// enough. Blocks.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn read(&self, install: &str, mut visit: impl FnMut(Vec<Found>) -> bool) -> std::io::Result<()> {
        for day in self.days(install)? {
            if !visit(lines(&day)?) {
                break;
            }
        }
        Ok(())
    }

    /// All lines, oldest first. Blocks.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn all(&self, install: &str) -> std::io::Result<Vec<Found>> {
        let mut days = Vec::new();
        self.read(install, |day| {
            days.push(day);
            true
        })?;
        days.reverse();
        Ok(days.into_iter().flatten().collect())
    }
}

fn lines(path: &Path) -> std::io::Result<Vec<Found>> {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut reader = BufReader::new(File::open(path)?);
    let mut found = Vec::new();
    loop {
        let mut text = Vec::new();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(found);
        }
        let said = text.strip_suffix(b"\n").and_then(|text| serde_json::from_slice(text).ok());
        found.push(Found { file: file.clone(), line: found.len() + 1, said });
    }
}

fn ends_whole(path: &Path) -> std::io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_a_torn_one_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let dir = AnchorDir::open(&folder.path().join("anchors")).unwrap();
        let line = |note: &str| AnchorLine { at: Timestamp::UNIX_EPOCH, note: Some(note.to_owned()), key: None };
        dir.append("a", &[line("one"), line("two")]).unwrap();
        let file = dir.days("a").unwrap().remove(0);
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"at\":\"20").unwrap();
        dir.append("a", &[line("three")]).unwrap();
        let all = dir.all("a").unwrap();
        let said: Vec<Option<&str>> =
            all.iter().map(|found| found.said.as_ref().and_then(|line| line.note.as_deref())).collect();
        assert_eq!(said, [Some("one"), Some("two"), None, Some("three")]);
        assert_eq!(all[3].line, 4);
        assert_eq!(dir.installs("a").unwrap(), (true, false));
        assert_eq!(dir.installs("b").unwrap(), (false, true));
        assert!(dir.all("b").unwrap().is_empty());
    }
}
