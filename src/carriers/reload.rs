//! The set of carriers the gateway works with: swapped as a whole, file by file keeping the last good version.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::load::{Loader, check_id, version};
use super::search::{Hit, Index};
use super::text::{FILE_MAX_BYTES, FileProblem};
use super::{Carrier, Limits};

/// Most carrier files read from one directory.
const FILES_MAX: usize = 20_000;

/// All carriers, at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// By id. An unchanged file keeps its very `Arc` over a reload.
    pub carriers: BTreeMap<String, Arc<Carrier>>,
    /// What is wrong with the files as they are now; a carrier among `carriers` may be the last good version of one.
    pub problems: Vec<FileProblem>,
    /// Counts the swaps, from 1.
    pub generation: u64,
    index: Index,
}

impl Snapshot {
    /// Searches the carriers; see [`Index::search`].
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        self.index.search(query, most)
    }
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LoadReport {
    /// Carriers that work now.
    pub carriers: usize,
    /// New or changed ones.
    pub changed: Vec<String>,
    /// Carriers whose file is gone.
    pub removed: Vec<String>,
    /// Carriers that keep their last good version because their file is broken now.
    pub kept: Vec<String>,
    /// Everything that is wrong.
    pub problems: Vec<FileProblem>,
}

/// The carriers the gateway works with.
pub struct CarrierBook {
    now: ArcSwap<Snapshot>,
    loader: Loader,
    directory: Option<PathBuf>,
    /// What each file was like when it was last read. Held during a reload: reloads follow one another.
    seen: Mutex<BTreeMap<String, Seen>>,
    /// Held over a change of a file by a person: one at a time.
    editing: tokio::sync::Mutex<()>,
    changed: watch::Sender<u64>,
}

#[derive(Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

#[derive(Clone)]
struct Seen {
    stamp: Option<Stamp>,
    /// Of the text; `None` when it could not be read.
    version: Option<u64>,
    problems: Vec<FileProblem>,
}

/// One file as found: id, its name in problems, stamp, and the text or why it cannot be read.
struct Found {
    id: String,
    label: String,
    stamp: Option<Stamp>,
    text: Result<String, FileProblem>,
}

impl CarrierBook {
    /// Reads all `*.toml` files of a directory. Broken files are in the report and leave their carrier out.
    pub fn open(directory: impl Into<PathBuf>, defaults: Limits) -> (Arc<Self>, LoadReport) {
        let directory = directory.into();
        let book = Self::new(Loader::new(&directory, defaults), Some(directory));
        let report = book.reload();
        (Arc::new(book), report)
    }

    /// Carriers from texts that are compiled in: `(id, text)`. They never change.
    pub fn from_files(files: Vec<(String, String)>, defaults: Limits) -> (Arc<Self>, LoadReport) {
        Self::from_texts(files, Loader::new(".", defaults))
    }

    /// As [`CarrierBook::from_files`], with another list of connectors: for tests.
    pub fn from_texts(files: Vec<(String, String)>, loader: Loader) -> (Arc<Self>, LoadReport) {
        let book = Self::new(loader, None);
        let found =
            files.into_iter().map(|(id, text)| Found { label: format!("{id}.toml"), id, stamp: None, text: Ok(text) });
        let report = book.swap(found.collect(), Vec::new());
        (Arc::new(book), report)
    }

    fn new(loader: Loader, directory: Option<PathBuf>) -> Self {
        let changed = watch::Sender::new(0);
        Self {
            now: ArcSwap::default(),
            loader,
            directory,
            seen: Mutex::default(),
            editing: tokio::sync::Mutex::default(),
            changed,
        }
    }

    /// The folder of the carrier files, where there is one.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }

    pub(super) fn editing(&self) -> &tokio::sync::Mutex<()> {
        &self.editing
    }

    /// The carriers at this moment. Cheap; hold it for one question, not longer.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.now.load_full()
    }

    /// One carrier.
    pub fn get(&self, id: &str) -> Option<Arc<Carrier>> {
        self.now.load().carriers.get(id).cloned()
    }

    /// Searches the carriers; see [`Index::search`].
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        self.now.load().search(query, most)
    }

    /// How many files have problems now: for readiness and metrics.
    pub fn broken_files(&self) -> usize {
        let now = self.now.load();
        let files: std::collections::BTreeSet<&str> = now.problems.iter().map(|one| one.file.as_str()).collect();
        files.len()
    }

    /// Tells the generation after every reload that changed something; the receiver then takes a new
    /// [`CarrierBook::snapshot`] and keeps what it built for each `Arc<Carrier>` that is still the same.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Reads the directory again. A broken file keeps the carrier's last good version; a file that is gone takes its
    /// carrier away. Blocks on the disk: call it from `spawn_blocking` inside the runtime.
    pub fn reload(&self) -> LoadReport {
        let Some(directory) = &self.directory else {
            let now = self.now.load();
            return LoadReport {
                carriers: now.carriers.len(),
                problems: now.problems.clone(),
                ..LoadReport::default()
            };
        };
        match list(directory) {
            Ok((files, problems)) => self.swap(files.into_iter().map(read).collect(), problems),
            Err(problem) => {
                // The directory itself cannot be read: everything stays as it is.
                let now = self.now.load();
                let kept = now.carriers.keys().cloned().collect();
                LoadReport { carriers: now.carriers.len(), kept, problems: vec![problem], ..LoadReport::default() }
            }
        }
    }

    /// Whether a file was added, removed or touched since it was last read.
    fn is_stale(&self) -> bool {
        let Some(files) = self.directory.as_deref().and_then(|directory| list(directory).ok()) else { return false };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        files.0.len() != seen.len()
            || files.0.iter().any(|file| seen.get(&file.id).is_none_or(|seen| seen.stamp != file.stamp))
    }

    /// Looks at the directory every `every` and reloads when something changed, as long as anybody else holds the book.
    /// Runs as a task.
    pub async fn watch(self: Arc<Self>, every: Duration) {
        let weak = Arc::downgrade(&self);
        drop(self);
        loop {
            tokio::time::sleep(every).await;
            let Some(book) = weak.upgrade() else { return };
            let report = tokio::task::spawn_blocking(move || book.is_stale().then(|| book.reload())).await;
            if let Ok(Some(report)) = report {
                report.log();
            }
        }
    }

    fn swap(&self, files: Vec<Found>, mut problems: Vec<FileProblem>) -> LoadReport {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.now.load_full();
        let mut report = LoadReport::default();
        let mut carriers = BTreeMap::new();
        let mut seen_now = BTreeMap::new();
        for file in files {
            let last = seen.remove(&file.id);
            let (state, carrier) = self.one(file, last, &before, &mut report);
            problems.extend(state.1.problems.iter().cloned());
            if let Some(carrier) = carrier {
                carriers.insert(state.0.clone(), carrier);
            }
            seen_now.insert(state.0, state.1);
        }
        report.removed = before.carriers.keys().filter(|id| !seen_now.contains_key(*id)).cloned().collect();
        report.carriers = carriers.len();
        problems.sort();
        report.problems.clone_from(&problems);
        *seen = seen_now;
        let generation = before.generation + 1;
        if report.changed.is_empty()
            && report.removed.is_empty()
            && before.generation > 0
            && problems == before.problems
        {
            return report;
        }
        let index = Index::new(carriers.values().map(Arc::as_ref));
        self.now.store(Arc::new(Snapshot { carriers, problems, generation, index }));
        self.changed.send_replace(generation);
        report
    }

    fn one(
        &self,
        file: Found,
        last: Option<Seen>,
        before: &Snapshot,
        report: &mut LoadReport,
    ) -> ((String, Seen), Option<Arc<Carrier>>) {
        let good = before.carriers.get(&file.id).cloned();
        let (id, stamp) = (file.id, file.stamp);
        let (result, version) = match file.text {
            Ok(text) => {
                let version = Some(version(&text));
                let fine = last.is_some_and(|last| last.version == version && last.problems.is_empty());
                if fine && good.is_some() {
                    return ((id, Seen { stamp, version, problems: Vec::new() }), good);
                }
                (self.loader.carrier(&file.label, &id, &text), version)
            }
            Err(problem) => (Err(vec![problem]), None),
        };
        match result {
            Ok(carrier) => {
                report.changed.push(id.clone());
                ((id, Seen { stamp, version, problems: Vec::new() }), Some(Arc::new(carrier)))
            }
            Err(problems) => {
                if good.is_some() {
                    report.kept.push(id.clone());
                }
                ((id, Seen { stamp, version, problems }), good)
            }
        }
    }
}

impl LoadReport {
    /// Writes the report to the log: one line, and one for each problem.
    pub fn log(&self) {
        for problem in &self.problems {
            tracing::warn!(problem = %problem, "A carrier file is broken.");
        }
        tracing::info!(
            carriers = self.carriers,
            changed = self.changed.len(),
            removed = self.removed.len(),
            kept = self.kept.len(),
            problems = self.problems.len(),
            "Carrier files were read."
        );
    }
}

/// A carrier file that was found: id, path, and what its entry says.
struct Entry {
    id: String,
    path: PathBuf,
    stamp: Option<Stamp>,
}

/// All carrier files of a directory, by name; names that cannot be ids are problems.
fn list(directory: &Path) -> Result<(Vec<Entry>, Vec<FileProblem>), FileProblem> {
    let label = directory.display().to_string();
    let fail = |error: std::io::Error| {
        FileProblem::whole(&label, format!("this directory cannot be read: {error}"), Some("check `carriers_dir`"))
    };
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(id) = name.strip_suffix(".toml").filter(|_| !name.starts_with('.')) else { continue };
        if let Err(help) = check_id(id) {
            let file = path.display().to_string();
            problems.push(FileProblem::whole(&file, "this file's name cannot be a carrier's id", Some(help)));
            continue;
        }
        if files.len() >= FILES_MAX {
            problems.push(FileProblem::whole(&label, format!("more than {FILES_MAX} carrier files"), None));
            break;
        }
        let stamp =
            std::fs::metadata(&path).ok().map(|meta| Stamp { modified: meta.modified().ok(), bytes: meta.len() });
        files.push(Entry { id: id.to_owned(), path, stamp });
    }
    files.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((files, problems))
}

fn read(entry: Entry) -> Found {
    let label = entry.path.display().to_string();
    let too_large = entry.stamp.as_ref().is_some_and(|stamp| stamp.bytes > FILE_MAX_BYTES as u64);
    let text = if too_large {
        Err(FileProblem::whole(&label, format!("this file is larger than {} kB", FILE_MAX_BYTES / 1024), None))
    } else {
        std::fs::read_to_string(&entry.path)
            .map_err(|error| FileProblem::whole(&label, format!("this file cannot be read: {error}"), None))
    };
    Found { id: entry.id, label, stamp: entry.stamp, text }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;
