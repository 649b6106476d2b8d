//! A carrier's file, changed while the gateway runs: checked, kept as a version, put in place as a whole.
//!
//! The files stay the truth: a gateway reads nothing else, and whoever runs it may go on editing them by hand. Beside
//! them, in `versions/<carrier>/`, lies each text that was ever in force (and what it replaced): they hold no secret, the
//! loader refuses a literal one.
//!
//! An act in order: the texts are kept as versions, the record is made durable, the file is exchanged by a rename, the
//! files are read again. A crash before the rename leaves the gateway with the old file and a record of what was wanted;
//! the newest version is then not the one in force, which is shown, and a person applies it again. There is no moment with
//! half a file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::load::{check_id, version};
use super::reload::CarrierBook;
use super::text::{Document, FILE_MAX_BYTES};
use super::{Carrier, FileProblem, Loader};
use crate::failpoint;
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::trail::{Actor, Detail, Trail, TrailRecord};

/// Versions kept of one carrier's file; the oldest go first.
const VERSIONS_MAX: usize = 50;
/// Longest reason, characters.
pub const REASON_MAX: usize = 500;
/// The folder of the versions, beside the carrier files.
const VERSIONS: &str = "versions";
/// Names that are addresses of their own.
const RESERVED: [&str; 4] = ["new", "check", "connect", "removed"];
/// What stands beside the versions of a carrier whose file a person took away.
const REMOVED: &str = "removed.json";
/// Carriers that were taken away and are listed, at most.
const REMOVED_MAX: usize = 500;
/// Who a text is from that was put there by hand.
const BY_HAND: &str = "by_hand";

/// A carrier file as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Its text.
    pub text: String,
    /// Sixteen hexadecimal digits that change with the text.
    pub version: String,
}

impl FileText {
    fn of(text: String) -> Self {
        Self { version: format!("{:016x}", version(&text)), text }
    }
}

/// A text that was in force once, or was to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counts up from 1.
    pub number: u32,
    /// As [`FileText::version`].
    pub version: String,
    /// When it was kept.
    pub at: Timestamp,
    /// Who applied it: an id as the trail has it, or `by_hand`.
    pub by: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// What stands beside a version's text.
#[derive(Serialize, Deserialize)]
struct Note {
    at: Timestamp,
    by: String,
    reason: String,
}

/// A change of a file.
pub struct Change<'a> {
    /// The carrier.
    pub id: &'a str,
    /// The new text.
    pub text: &'a str,
    /// The version that it was made from; `None` for a carrier that is new.
    pub base: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
}

/// A carrier whose file is taken away.
pub struct Removal<'a> {
    /// The carrier.
    pub id: &'a str,
    /// The version that whoever takes it away has seen.
    pub base: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// A carrier whose file is gone and whose versions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The carrier.
    pub id: String,
    /// When it was taken away, by whom and why; `None` where somebody took the file away on the disk.
    pub how: Option<(Timestamp, String, String)>,
}

/// Why a file was not changed.
#[derive(Debug)]
pub enum NotApplied {
    /// What is wrong with the text, all of it.
    Problems(Vec<FileProblem>),
    /// Somebody else changed it meanwhile, or made it; this is what is there now, if anything.
    Changed(Option<FileText>),
    /// This gateway's carriers do not come from files.
    NoFiles,
    /// The id cannot be one; how to name it.
    BadId(&'static str),
    /// A file could not be read or written.
    File(std::io::ErrorKind),
    /// What the store says: nothing was done.
    Store(StoreError),
}

impl From<std::io::Error> for NotApplied {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.kind())
    }
}

impl From<StoreError> for NotApplied {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl CarrierBook {
    /// Checks a text as it would be read, without changing anything.
    ///
    /// # Errors
    /// [`NotApplied::Problems`] with everything that is wrong, [`NotApplied::BadId`].
    pub async fn check(&self, id: &str, text: &str) -> Result<(), NotApplied> {
        let (loader, id, text) = (self.loader().clone(), id.to_owned(), text.to_owned());
        blocking(move || checked(&loader, &id, &text).map(|_| ())).await
    }

    /// A carrier's file as it is on the disk now; `None` where there is none.
    ///
    /// # Errors
    /// [`NotApplied::NoFiles`], [`NotApplied::BadId`], [`NotApplied::File`].
    pub async fn file(&self, id: &str) -> Result<Option<FileText>, NotApplied> {
        let shelf = Shelf::of(self, id)?;
        blocking(move || Ok(shelf.now()?)).await
    }

    /// The kept versions, newest first.
    ///
    /// # Errors
    /// As [`CarrierBook::file`].
    pub async fn versions(&self, id: &str) -> Result<Vec<Version>, NotApplied> {
        let shelf = Shelf::of(self, id)?;
        blocking(move || Ok(shelf.versions()?)).await
    }

    /// The text of one version; `None` where it is not kept.
    ///
    /// # Errors
    /// As [`CarrierBook::file`].
    pub async fn version(&self, id: &str, number: u32) -> Result<Option<FileText>, NotApplied> {
        let shelf = Shelf::of(self, id)?;
        blocking(move || Ok(read(&shelf.text_of(number))?)).await
    }

    /// Puts a new text in place of a carrier's file, and reads the files again. The act is on record in the trail of
    /// `practice` before the file changes. Returns the version's number.
    ///
    /// # Errors
    /// [`NotApplied`]; nothing has changed then.
    pub async fn apply(
        self: &Arc<Self>,
        trail: &Trail,
        practice: &PracticeId,
        by: &Actor,
        change: Change<'_>,
    ) -> Result<u32, NotApplied> {
        let shelf = Shelf::of(self, change.id)?;
        let _one = self.editing().lock().await;
        let (loader, id, text) = (self.loader().clone(), change.id.to_owned(), change.text.to_owned());
        let base = change.base.map(str::to_owned);
        let note = Note { at: Timestamp::now(), by: by.as_str().to_owned(), reason: change.reason.to_owned() };
        let own = shelf.clone();
        let number = blocking(move || {
            let now = own.now()?;
            if now.as_ref().map(|file| file.version.as_str()) != base.as_deref() {
                return Err(NotApplied::Changed(now));
            }
            checked(&loader, &id, &text)?;
            Ok(own.keep(now.as_ref(), &text, &note)?)
        })
        .await?;
        let new = FileText::of(change.text.to_owned());
        let record =
            |action: &'static str| TrailRecord::new(practice, by, action).carrier(change.id).subject(&new.version);
        let digest = ring::digest::digest(&ring::digest::SHA256, change.text.as_bytes());
        let digest: [u8; 32] = digest.as_ref().try_into().unwrap_or_default();
        let detail = Detail::default().say("reason", change.reason);
        trail.record(record("carrier.file_applied").digest(&digest).detail(detail)).await?;
        failpoint::hit("file_recorded");
        let (place, text) = (shelf.file(), new.text.clone());
        if let Err(error) = blocking(move || Ok(replace(&place, &text)?)).await {
            trail.record(record("carrier.file_not_applied")).await?;
            return Err(error);
        }
        failpoint::hit("file_replaced");
        let book = Arc::clone(self);
        blocking(move || {
            book.reload().log();
            Ok(number)
        })
        .await
    }
}

impl CarrierBook {
    /// Takes a carrier's file away, and the carrier with it; its text is kept as a version, by which it comes back. The act
    /// is on record before the file goes.
    ///
    /// # Errors
    /// [`NotApplied`]; nothing has changed then.
    pub async fn remove(
        self: &Arc<Self>,
        trail: &Trail,
        practice: &PracticeId,
        by: &Actor,
        removal: Removal<'_>,
    ) -> Result<(), NotApplied> {
        let shelf = Shelf::of(self, removal.id)?;
        let _one = self.editing().lock().await;
        let base = removal.base.to_owned();
        let note = Note { at: Timestamp::now(), by: by.as_str().to_owned(), reason: removal.reason.to_owned() };
        let own = shelf.clone();
        blocking(move || {
            let now = own.now()?;
            match now {
                Some(file) if file.version == base => Ok(own.keep_last(&file, &note)?),
                other => Err(NotApplied::Changed(other)),
            }
        })
        .await?;
        let record =
            |action: &'static str| TrailRecord::new(practice, by, action).carrier(removal.id).subject(removal.base);
        let detail = Detail::default().say("reason", removal.reason);
        trail.record(record("carrier.file_removed").detail(detail)).await?;
        failpoint::hit("file_removal_recorded");
        let gone = shelf.clone();
        if let Err(error) = blocking(move || Ok(gone.take_away()?)).await {
            trail.record(record("carrier.file_not_removed")).await?;
            return Err(error);
        }
        let book = Arc::clone(self);
        blocking(move || {
            book.reload().log();
            Ok(())
        })
        .await
    }

    /// Carriers whose files are gone and whose versions are kept, by id.
    ///
    /// # Errors
    /// [`NotApplied::NoFiles`], [`NotApplied::File`].
    pub async fn removed(&self) -> Result<Vec<Removed>, NotApplied> {
        let folder = self.directory().ok_or(NotApplied::NoFiles)?.to_owned();
        blocking(move || Ok(removed(&folder)?)).await
    }
}

fn removed(folder: &Path) -> std::io::Result<Vec<Removed>> {
    let entries = match std::fs::read_dir(folder.join(VERSIONS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let Some(id) = entry?.file_name().to_str().filter(|id| check_id(id).is_ok()).map(str::to_owned) else {
            continue;
        };
        let shelf = Shelf { folder: folder.to_owned(), id };
        if !shelf.file().exists() && !shelf.numbers()?.is_empty() {
            found.push(Removed { how: shelf.how_removed()?, id: shelf.id });
        }
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found.truncate(REMOVED_MAX);
    Ok(found)
}

/// Runs what waits for the disk, or builds connectors, where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NotApplied> + Send + 'static,
) -> Result<T, NotApplied> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(NotApplied::File(std::io::ErrorKind::Other)),
    }
}

/// A text as the production loader reads it, with one rule more: over the network nobody names a file elsewhere on this
/// machine, not even to learn whether it is there.
fn checked(loader: &Loader, id: &str, text: &str) -> Result<Carrier, NotApplied> {
    check_id(id).map_err(NotApplied::BadId)?;
    let label = format!("{id}.toml");
    let document = Document::parse(&label, text);
    let plain = |name: &str| !name.contains(['/', '\\']) && !name.starts_with('.');
    if document.value["ca_file"].as_str().is_some_and(|name| !plain(name)) {
        let help = "put the certificate beside the carrier files and write its bare name, such as acme-ca.pem";
        let message = "here a file may only be named that lies beside the carrier files";
        let mut problems = document.syntax.clone();
        problems.push(document.value_problem(&["ca_file"], message, Some(help.to_owned())));
        return Err(NotApplied::Problems(problems));
    }
    loader.carrier(&label, id, text).map_err(NotApplied::Problems)
}

/// Where one carrier's file and its versions lie.
#[derive(Clone)]
struct Shelf {
    folder: PathBuf,
    id: String,
}

impl Shelf {
    fn of(book: &CarrierBook, id: &str) -> Result<Self, NotApplied> {
        check_id(id).map_err(NotApplied::BadId)?;
        if RESERVED.contains(&id) {
            return Err(NotApplied::BadId("this name stands for something else here; choose another one"));
        }
        let folder = book.directory().ok_or(NotApplied::NoFiles)?.to_owned();
        Ok(Self { folder, id: id.to_owned() })
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.id))
    }

    fn kept(&self) -> PathBuf {
        self.folder.join(VERSIONS).join(&self.id)
    }

    fn text_of(&self, number: u32) -> PathBuf {
        self.kept().join(format!("{number:06}.toml"))
    }

    fn note_of(&self, number: u32) -> PathBuf {
        self.kept().join(format!("{number:06}.json"))
    }

    fn now(&self) -> std::io::Result<Option<FileText>> {
        read(&self.file())
    }

    /// Numbers of the kept versions, oldest first.
    fn numbers(&self) -> std::io::Result<Vec<u32>> {
        let entries = match std::fs::read_dir(self.kept()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.strip_suffix(".toml")?.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn versions(&self) -> std::io::Result<Vec<Version>> {
        let mut found = Vec::new();
        for number in self.numbers()?.into_iter().rev().take(VERSIONS_MAX) {
            let Some(file) = read(&self.text_of(number))? else { continue };
            let note = read(&self.note_of(number))?.and_then(|note| serde_json::from_str::<Note>(&note.text).ok());
            let note = note.unwrap_or_else(|| Note {
                at: Timestamp::UNIX_EPOCH,
                by: "unknown".to_owned(),
                reason: String::new(),
            });
            found.push(Version { number, version: file.version, at: note.at, by: note.by, reason: note.reason });
        }
        Ok(found)
    }

    /// Keeps the new text, and before it the one that it replaces where nobody has kept that.
    fn keep(&self, now: Option<&FileText>, text: &str, note: &Note) -> std::io::Result<u32> {
        std::fs::create_dir_all(self.kept())?;
        let numbers = self.numbers()?;
        let mut last = numbers.last().copied().unwrap_or(0);
        let newest = if last == 0 { None } else { read(&self.text_of(last))? };
        if let Some(now) = now.filter(|now| newest.as_ref().is_none_or(|newest| newest.version != now.version)) {
            last += 1;
            let reason = "as it was found on the disk".to_owned();
            self.keep_one(last, &now.text, &Note { at: note.at, by: BY_HAND.to_owned(), reason })?;
        }
        last += 1;
        self.keep_one(last, text, note)?;
        // Whoever took it away before, it is about to be there again.
        let _ = std::fs::remove_file(self.kept().join(REMOVED));
        let spare = (numbers.len() + 2).saturating_sub(VERSIONS_MAX);
        for number in numbers.into_iter().take(spare) {
            // The note first: a text without one is still a text.
            let _ = std::fs::remove_file(self.note_of(number));
            let _ = std::fs::remove_file(self.text_of(number));
        }
        Ok(last)
    }

    /// Keeps the text that is about to go, where nobody has kept it, and who took it away.
    fn keep_last(&self, now: &FileText, note: &Note) -> std::io::Result<()> {
        std::fs::create_dir_all(self.kept())?;
        let last = self.numbers()?.last().copied().unwrap_or(0);
        let newest = if last == 0 { None } else { read(&self.text_of(last))? };
        if newest.is_none_or(|newest| newest.version != now.version) {
            let reason = "as it was found on the disk".to_owned();
            self.keep_one(last + 1, &now.text, &Note { at: note.at, by: BY_HAND.to_owned(), reason })?;
        }
        replace(&self.kept().join(REMOVED), &serde_json::to_string(note)?)
    }

    /// When the file was taken away, by whom and why.
    fn how_removed(&self) -> std::io::Result<Option<(Timestamp, String, String)>> {
        let note = read(&self.kept().join(REMOVED))?.and_then(|note| serde_json::from_str::<Note>(&note.text).ok());
        Ok(note.map(|note| (note.at, note.by, note.reason)))
    }

    /// Takes the file away, durably.
    fn take_away(&self) -> std::io::Result<()> {
        std::fs::remove_file(self.file())?;
        std::fs::File::open(&self.folder)?.sync_all()
    }

    fn keep_one(&self, number: u32, text: &str, note: &Note) -> std::io::Result<()> {
        replace(&self.note_of(number), &serde_json::to_string(note)?)?;
        replace(&self.text_of(number), text)
    }
}

/// A file's text; `None` where there is no such file.
fn read(path: &Path) -> std::io::Result<Option<FileText>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if found.len() > FILE_MAX_BYTES as u64 => return Err(std::io::ErrorKind::FileTooLarge.into()),
        Ok(_) => {}
    }
    Ok(Some(FileText::of(std::fs::read_to_string(path)?)))
}

/// Puts a whole text in place of a file, durably, or leaves it as it was.
pub(crate) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::Builder::new().prefix(".new-").suffix(".tmp").tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(before) = std::fs::metadata(path) {
        fresh.as_file().set_permissions(before.permissions())?;
    }
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriers::load::tests::GOOD;

    fn shelf(folder: &Path) -> Shelf {
        Shelf { folder: folder.to_owned(), id: "acme".to_owned() }
    }

    fn note(reason: &str) -> Note {
        Note { at: Timestamp::now(), by: "person_1".to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn what_is_replaced_is_kept_too_and_old_versions_go() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        std::fs::write(shelf.file(), "one").unwrap();
        assert_eq!(shelf.keep(shelf.now().unwrap().as_ref(), "two", &note("first")).unwrap(), 2);
        replace(&shelf.file(), "two").unwrap();
        let reasons: Vec<_> =
            shelf.versions().unwrap().into_iter().map(|one| (one.number, one.by, one.reason)).collect();
        assert_eq!(reasons[0], (2, "person_1".to_owned(), "first".to_owned()));
        assert_eq!((reasons[1].0, reasons[1].1.as_str()), (1, BY_HAND));
        // Nothing was changed by hand in between: only the new one is kept.
        assert_eq!(shelf.keep(shelf.now().unwrap().as_ref(), "three", &note("second")).unwrap(), 3);
        for number in 0..VERSIONS_MAX {
            replace(&shelf.file(), &format!("by hand {number}")).unwrap();
            shelf.keep(shelf.now().unwrap().as_ref(), &format!("text {number}"), &note("more")).unwrap();
        }
        let numbers = shelf.numbers().unwrap();
        assert!(numbers.len() <= VERSIONS_MAX, "{}", numbers.len());
        assert_eq!(numbers.last(), Some(&(3 + 2 * u32::try_from(VERSIONS_MAX).unwrap())));
        assert!(std::fs::read_dir(folder.path()).unwrap().all(|entry| {
            let name = entry.unwrap().file_name();
            name == "acme.toml" || name == "versions"
        }));
    }

    #[test]
    fn what_is_taken_away_is_kept_and_listed_until_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        assert_eq!(removed(folder.path()).unwrap(), []);
        std::fs::write(shelf.file(), "by hand").unwrap();
        let now = shelf.now().unwrap().unwrap();
        shelf.keep_last(&now, &note("no longer used")).unwrap();
        assert_eq!(removed(folder.path()).unwrap(), [], "it is still there");
        shelf.take_away().unwrap();
        let gone = removed(folder.path()).unwrap();
        assert_eq!((gone.len(), gone[0].id.as_str()), (1, "acme"));
        assert_eq!(gone[0].how.as_ref().unwrap().2, "no longer used");
        assert_eq!(read(&shelf.text_of(1)).unwrap().unwrap().text, "by hand");
        shelf.keep(None, "back", &note("needed again")).unwrap();
        replace(&shelf.file(), "back").unwrap();
        assert_eq!(removed(folder.path()).unwrap(), []);
        shelf.take_away().unwrap();
        assert_eq!(removed(folder.path()).unwrap()[0].how, None, "taken away on the disk");
    }

    #[test]
    fn nobody_learns_of_files_elsewhere() {
        let loader = crate::carriers::load::tests::loader();
        for name in ["/etc/hostname", "../x.pem", ".hidden", "a\\\\b"] {
            let text = format!("ca_file = \"{name}\"\n{GOOD}");
            let Err(NotApplied::Problems(problems)) = checked(&loader, "acme", &text) else { panic!("{name}") };
            assert!(problems[0].message.contains("beside the carrier files"), "{problems:?}");
            assert_eq!((problems[0].line, problems[0].column), (1, 11));
        }
        assert!(checked(&loader, "acme", GOOD).is_ok());
        assert!(matches!(checked(&loader, "../acme", GOOD), Err(NotApplied::BadId(_))));
    }
}
