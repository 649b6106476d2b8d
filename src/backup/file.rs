//! A backup's file: a line that names it, a header in JSON, then sealed pieces. Each follows its length (32 bits,
//! big-endian). A piece is bound to the header, to its place and to whether it is the last: none can be changed, left out,
//! moved, or put in from another backup.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::store::StoreError;
use crate::trail::{Purpose, SealBroken, Sealer, bind};

/// The first line.
const NAME: &[u8] = b"portico-backup-1\n";
/// Longest header, bytes: the wrapped keys and a few words.
const HEADER_MAX: usize = 4 * 1024 * 1024;
/// Longest sealed piece: a row may be as long as the longest evidence.
const PIECE_MAX: usize = 512 * 1024 * 1024;

/// What stands in the clear: what is needed to open the rest, and nothing of a practice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// When the backup was begun; what it holds is the store as it was then.
    pub(super) made_at: Timestamp,
    /// The version of the tables.
    pub(super) schema: i64,
    /// The gateway's wrapped keys, as a dump in Base64: they open with the key file, passphrase or recovery code.
    pub(super) keys: String,
}

/// What a piece is bound to.
fn bound_to(header: &[u8; 32], number: u64, last: bool) -> Vec<u8> {
    bind(&[b"backup v1", header, &number.to_be_bytes(), &[u8::from(last)]])
}

fn digest_of(header: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, header).as_ref()) {
        *to = *from;
    }
    out
}

/// A backup being written beside its place; it appears there only when it is whole.
pub(super) struct Writer {
    file: BufWriter<File>,
    place: PathBuf,
    part: PathBuf,
    sealer: Arc<dyn Sealer>,
    header: [u8; 32],
    /// The piece before is kept back: only the end says which one is the last.
    waiting: Option<Vec<u8>>,
    number: u64,
    /// Why the file could not be written.
    failure: Option<std::io::ErrorKind>,
}

impl Writer {
    pub(super) fn begin(place: &Path, header: &Header, sealer: Arc<dyn Sealer>) -> Result<Self, BackupError> {
        if place.exists() {
            return Err(BackupError::Exists { place: place.to_owned() });
        }
        let part = part(place);
        let file = draft(&part)?;
        let text = serde_json::to_vec(header).map_err(|_| BackupError::Damaged)?;
        let mut writer = Self {
            file: BufWriter::new(file),
            place: place.to_owned(),
            part,
            sealer,
            header: digest_of(&text),
            waiting: None,
            number: 0,
            failure: None,
        };
        let begun = writer.file.write_all(NAME).and_then(|()| put(&mut writer.file, &text));
        begun.map_err(|error| BackupError::file(&writer.part, &error))?;
        Ok(writer)
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        if let Some(before) = self.waiting.replace(piece.to_vec()) {
            self.seal(&before, false)?;
        }
        Ok(())
    }

    fn seal(&mut self, piece: &[u8], last: bool) -> Result<(), StoreError> {
        let sealed = self.sealer.seal(Purpose::Backup, &bound_to(&self.header, self.number, last), piece);
        let sealed = sealed.map_err(|SealBroken| StoreError::Damaged { what: "a backup cannot be sealed" })?;
        self.number += 1;
        put(&mut self.file, &sealed).map_err(|error| {
            self.failure = Some(error.kind());
            StoreError::File { path: self.part.clone(), kind: error.kind() }
        })
    }

    /// Why it could not be written, where that is why the backup was not made.
    pub(super) fn failure(&self) -> Option<BackupError> {
        self.failure.map(|kind| BackupError::File { place: self.part.clone(), kind })
    }

    /// Ends the backup: durable, then at its place.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        let last = self.waiting.take().unwrap_or_default();
        self.seal(&last, true).map_err(|error| self.failure().unwrap_or(error.into()))?;
        let kept = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        kept.map_err(|error| BackupError::file(&self.part, &error))?;
        std::fs::rename(&self.part, &self.place).map_err(|error| BackupError::file(&self.place, &error))?;
        let dir = self.place.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| BackupError::file(dir, &error))
    }
}

impl Drop for Writer {
    /// What did not become a backup goes.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.part);
    }
}

/// Opens the draft, for this process alone: one that a process left which was killed is written over.
fn draft(part: &Path) -> Result<File, BackupError> {
    let refused = |error: std::io::Error| BackupError::file(part, &error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(part).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(BackupError::UnderWay { place: part.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => return Err(refused(error)),
    }
    file.set_len(0)
        .or_else(|error| if error.kind() == std::io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) })
        .map_err(refused)?;
    Ok(file)
}

fn part(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn put(file: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(bytes)
}

/// Reads a backup piece by piece.
pub(super) struct Reader {
    file: BufReader<File>,
    header: [u8; 32],
    number: u64,
    ended: bool,
}

impl Reader {
    /// Opens a backup; what its header says.
    pub(super) fn open(place: &Path) -> Result<(Header, Self), BackupError> {
        let file = File::open(place).map_err(|error| BackupError::file(place, &error))?;
        let mut file = BufReader::new(file);
        let mut name = [0; NAME.len()];
        match file.read_exact(&mut name) {
            Ok(()) if name == *NAME => {}
            _ => return Err(BackupError::NotOne { place: place.to_owned() }),
        }
        let text = take(&mut file, HEADER_MAX).ok_or(BackupError::Damaged)?;
        let header = serde_json::from_slice(&text).map_err(|_| BackupError::Damaged)?;
        Ok((header, Self { file, header: digest_of(&text), number: 0, ended: false }))
    }

    /// The next piece; empty at the end. Nothing may follow the last one.
    pub(super) fn next(&mut self, sealer: &dyn Sealer) -> Result<Vec<u8>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the backup was changed or cut" };
        if self.ended {
            return Ok(Vec::new());
        }
        let sealed = take(&mut self.file, PIECE_MAX).ok_or(DAMAGED)?;
        let open = |last| sealer.open(Purpose::Backup, &bound_to(&self.header, self.number, last), &sealed);
        let (piece, last) = match open(false) {
            Ok(piece) => (piece, false),
            Err(SealBroken) => (open(true).map_err(|SealBroken| DAMAGED)?, true),
        };
        self.number += 1;
        self.ended = last;
        if last && self.file.read(&mut [0]).map_or(true, |more| more > 0) {
            return Err(DAMAGED);
        }
        Ok(piece.to_vec())
    }
}

impl Reader {
    /// Whether the last piece was read.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }
}

fn take(file: &mut impl Read, most: usize) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length);
    if usize::try_from(length).ok()? > most {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(length.into()).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length as usize).then_some(bytes)
}
