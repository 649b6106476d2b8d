//! A packet's files: their list with digests, and the ZIP file.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{BYTES_MAX, PacketError, digest_of};
use crate::trail::merkle::{Hash, sha256};
use crate::trail::note::hex;

/// The list of all other files but the signature over it.
pub(super) const LIST: &str = "sha256sums";
/// The signature over the list.
pub(super) const NOTE: &str = "packet.note";
/// Most that is unpacked of a packet that is checked, bytes.
const UNPACKED_MAX: u64 = 256 << 20;
/// Most files of a packet that is checked.
const ENTRIES_MAX: usize = 20_000;

/// Files by name.
#[derive(Default)]
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Files {
    pub(super) fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), PacketError> {
        self.bytes += bytes.len();
        if self.bytes > BYTES_MAX {
            return Err(PacketError::TooLarge);
        }
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }

    pub(super) fn json(&mut self, name: &str, value: &Value) -> Result<(), PacketError> {
        let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
        bytes.push(b'\n');
        self.add(name, bytes)
    }

    /// Adds the list of all files so far; gives its digest.
    pub(super) fn list(&mut self) -> Result<Hash, PacketError> {
        let list = list_of(&self.files).into_bytes();
        let digest = digest_of(&list);
        self.add(LIST, list)?;
        Ok(digest)
    }

    /// The ZIP file.
    pub(super) fn zip(self) -> Result<Vec<u8>, PacketError> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in self.files {
            writer.start_file(name, options).map_err(|_| PacketError::TooLarge)?;
            writer.write_all(&bytes).map_err(|_| PacketError::TooLarge)?;
        }
        Ok(writer.finish().map_err(|_| PacketError::TooLarge)?.into_inner())
    }
}

/// The text of the list: what `sha256sum` prints and checks.
pub(super) fn list_of(files: &BTreeMap<String, Vec<u8>>) -> String {
    let lines = files.iter().filter(|(name, _)| *name != LIST && *name != NOTE);
    lines.map(|(name, bytes)| format!("{}  {name}\n", hex(&sha256(&[bytes])))).collect()
}

/// Reads a ZIP file within bounds.
///
/// # Errors
/// What is wrong with it, in fixed words.
pub(super) fn unzip(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, &'static str> {
    const NO_ZIP: &str = "this is no ZIP file, or it is damaged";
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NO_ZIP)?;
    // The library keeps one of two files of the same name; the end of the archive tells how many were written.
    let told =
        bytes.len().checked_sub(12).and_then(|at| bytes.get(at..at + 2)?.try_into().ok()).map(u16::from_le_bytes);
    if told.map(usize::from) != Some(archive.len()) {
        return Err("it has a file twice, or something stands behind its end");
    }
    if archive.len() > ENTRIES_MAX {
        return Err("it has too many files");
    }
    let (mut files, mut left) = (BTreeMap::new(), UNPACKED_MAX);
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(|_| NO_ZIP)?;
        let name = entry.name().map_err(|_| NO_ZIP)?.into_owned();
        let mut text = Vec::new();
        let read = entry.by_ref().take(left + 1).read_to_end(&mut text).map_err(|_| NO_ZIP)?;
        left = left.checked_sub(read as u64).ok_or("it unpacks to too much")?;
        files.insert(name, text);
    }
    Ok(files)
}
