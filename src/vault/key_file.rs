//! The key file: the one secret that is not in the data directory, so that a stolen copy of that directory is worthless.
//!
//! A line holds a key. While the key is being exchanged there are two, the new one first: whichever the store knows opens.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::sealing::{KEY_BYTES, KeyBytes, random};

/// What the file starts with; the key follows in Base64.
const PREFIX: &str = "portico-key-1:";
/// No key file is longer.
const BYTES_MAX: u64 = 512;

/// Makes a key file that only its owner may read, synced to the disk, or reads the one that is there.
pub(super) fn create_or_read(path: &Path, data_dir: &Path) -> Result<KeyBytes, VaultError> {
    if path.exists() {
        let keys = read(path, data_dir)?;
        return keys.into_iter().next().ok_or_else(|| refused(path, NOT_OURS));
    }
    make_private_dir(&parent(path)).map_err(|error| refused(path, reason(&error)))?;
    outside(path, data_dir)?;
    let key = new_key(path)?;
    write_new(path, line(&key).as_bytes()).map_err(|error| refused(path, reason(&error)))?;
    sync_name(path)?;
    Ok(key)
}

/// Puts a new key before the present ones; whoever opens with the file tries all of them.
pub(super) fn add(path: &Path, data_dir: &Path) -> Result<KeyBytes, VaultError> {
    let present = if path.exists() { read(path, data_dir)? } else { Vec::new() };
    make_private_dir(&parent(path)).map_err(|error| refused(path, reason(&error)))?;
    outside(path, data_dir)?;
    let key = new_key(path)?;
    // The last exchange may have been cut short: only the first two can matter.
    let mut text = line(&key);
    present.iter().take(2).for_each(|key| text.push_str(&line(key)));
    replace(path, &text)?;
    Ok(key)
}

/// Leaves this key alone in the file.
pub(super) fn keep_only(path: &Path, key: &KeyBytes) -> Result<(), VaultError> {
    replace(path, &line(key))
}

const NOT_OURS: &str = "this is not a Portico key file, or it is damaged";

fn new_key(path: &Path) -> Result<KeyBytes, VaultError> {
    random::<KEY_BYTES>().map_err(|_| refused(path, "the system gives no random numbers"))
}

fn line(key: &KeyBytes) -> Zeroizing<String> {
    Zeroizing::new(format!("{PREFIX}{}\n", *Zeroizing::new(STANDARD.encode(key.as_ref()))))
}

/// In one step: a reader sees the old file or the new one.
fn replace(path: &Path, text: &str) -> Result<(), VaultError> {
    let draft = path.with_extension("new");
    let written = match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => write_new(&draft, text.as_bytes()).and_then(|()| std::fs::rename(&draft, path)),
    };
    written.map_err(|error| refused(path, reason(&error)))?;
    sync_name(path)
}

/// The name of a new file is durable only once its directory is synced.
fn sync_name(path: &Path) -> Result<(), VaultError> {
    File::open(parent(path)).and_then(|dir| dir.sync_all()).map_err(|error| refused(path, reason(&error)))
}

/// Reads the keys: one, or two while it is being exchanged.
pub(super) fn read(path: &Path, data_dir: &Path) -> Result<Vec<KeyBytes>, VaultError> {
    outside(path, data_dir)?;
    let file = File::open(path).map_err(|error| refused(path, reason(&error)))?;
    only_its_owner(path, &file)?;
    let mut text = Zeroizing::new(String::with_capacity(BYTES_MAX as usize + 1));
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| refused(path, reason(&error)))?;
    let keys: Option<Vec<_>> =
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| decode(line.trim())).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| refused(path, NOT_OURS))
}

fn decode(text: &str) -> Option<KeyBytes> {
    let bytes = Zeroizing::new(STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?);
    let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(key))
}

/// Refuses a key file inside the data directory, also by way of links.
fn outside(path: &Path, data_dir: &Path) -> Result<(), VaultError> {
    let real = |path: &Path| path.canonicalize().map_err(|error| refused(path, reason(&error)));
    let data_dir = real(data_dir)?;
    let inside = real(&parent(path))?.starts_with(&data_dir) || (path.exists() && real(path)?.starts_with(&data_dir));
    if inside {
        return Err(refused(path, "it lies inside the data directory: whoever copies that would have the key too"));
    }
    Ok(())
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn refused(path: &Path, problem: &'static str) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), problem }
}

fn reason(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist",
        std::io::ErrorKind::PermissionDenied => "this process may not read or make it",
        std::io::ErrorKind::AlreadyExists => "it appeared while it was being made",
        std::io::ErrorKind::InvalidData => "this is not a Portico key file, or it is damaged",
        _ => "the operating system refused it",
    }
}

#[cfg(unix)]
fn only_its_owner(path: &Path, file: &File) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|error| refused(path, reason(&error)))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refused(path, "other users of this machine may read or change it: run `chmod 600` on it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_its_owner(_path: &Path, _file: &File) -> Result<(), VaultError> {
    Ok(())
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

fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
