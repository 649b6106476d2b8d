//! The check of a packet: the same as `verify.py`, written a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::archive::{LIST, NOTE, list_of, unzip};
use super::digest_of;
use crate::trail::merkle::{Hash, consistent, included, leaf, sha256};
use crate::trail::note::{Checkpoint, VerifierKey, hex, open, unhex};
use crate::trail::proofs::packet_text;
use crate::trail::{KeyMark, TrailEntry, announced};

/// What a check of a packet found.
#[derive(Clone, Debug, Default)]
pub struct PacketReport {
    /// Its id, as it says.
    pub id: String,
    /// Records that stand in the signed tree.
    pub records: usize,
    /// Records in that tree.
    pub tree_size: u64,
    /// The key that signed it.
    pub key: String,
    /// Everything that does not hold: the record, where one is meant, the file, and what is wrong.
    pub problems: Vec<PacketProblem>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PacketProblem {
    /// The record it is about.
    pub record: Option<u64>,
    /// The file.
    pub file: String,
    /// What is wrong, in fixed words.
    pub what: &'static str,
}

impl PacketReport {
    /// The first record that does not hold.
    pub fn first_bad(&self) -> Option<u64> {
        self.problems.iter().filter_map(|problem| problem.record).min()
    }
}

#[derive(Deserialize)]
struct Head {
    id: String,
    practice: String,
    origin: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<KeyMark>,
}

#[derive(Deserialize)]
struct Proofs {
    records: Vec<Path>,
    previous: Option<Before>,
}

#[derive(Deserialize)]
struct Path {
    seq: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Before {
    size: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Shown {
    seq: u64,
    salt: String,
    text: String,
}

#[derive(Deserialize)]
struct System {
    record: String,
    path: Vec<String>,
}

/// Checks a packet. With `trusted`, its keys must include that one.
///
/// # Errors
/// Why it cannot be read at all, in fixed words.
pub fn verify(packet: &[u8], trusted: Option<&VerifierKey>) -> Result<PacketReport, &'static str> {
    let files = unzip(packet)?;
    let mut check = Check { files: &files, keys: Vec::new(), report: PacketReport::default() };
    check.keys(trusted);
    check.list();
    let head: Option<Head> = check.json("packet.json");
    let checkpoint = check.checkpoint("checkpoint.note");
    let entries = match (&head, &checkpoint) {
        (Some(head), Some(checkpoint)) => check.records(head, checkpoint),
        _ => None,
    };
    // Without the tree nothing can be said of single records.
    if let Some(entries) = &entries {
        check.details(entries);
    }
    check.anchors(checkpoint.as_ref());
    check.system(checkpoint.as_ref());
    let mut report = check.report;
    report.id = head.map(|head| head.id).unwrap_or_default();
    report.records = entries.map_or(0, |entries| entries.len());
    report.tree_size = checkpoint.map_or(0, |checkpoint| checkpoint.size);
    report.problems.sort();
    Ok(report)
}

struct Check<'f> {
    files: &'f BTreeMap<String, Vec<u8>>,
    keys: Vec<VerifierKey>,
    report: PacketReport,
}

impl Check<'_> {
    fn bad(&mut self, file: &str, what: &'static str, record: Option<u64>) {
        self.report.problems.push(PacketProblem { record, file: file.to_owned(), what });
    }

    fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(name)?).ok()
    }

    fn json<T: for<'a> Deserialize<'a>>(&mut self, name: &str) -> Option<T> {
        let read = self.files.get(name).and_then(|bytes| serde_json::from_slice(bytes).ok());
        if read.is_none() {
            self.bad(name, "it is missing, or cannot be read", None);
        }
        read
    }

    fn keys(&mut self, trusted: Option<&VerifierKey>) {
        let Some(Keys { keys }) = self.json("keys.json") else { return };
        for (n, mark) in (1..).zip(&keys) {
            match announced(mark, self.keys.last()).filter(|_| mark.n == n) {
                Some(key) => self.keys.push(key),
                None => {
                    self.bad("keys.json", "a key was not announced as it must be", None);
                    self.keys.clear();
                    return;
                }
            }
        }
        if trusted.is_some_and(|key| !self.keys.contains(key)) {
            self.bad("keys.json", "the key you know is none of this packet's", None);
            self.keys.clear();
        }
        self.report.key = self.keys.last().map(VerifierKey::text).unwrap_or_default();
    }

    /// Every file is on the list, and the list is signed.
    fn list(&mut self) {
        let Some(list) = self.text(LIST).map(str::to_owned) else {
            return self.bad(LIST, "it is missing, or cannot be read", None);
        };
        let is = list_of(self.files);
        let (listed, there): (BTreeSet<&str>, BTreeSet<&str>) = (list.lines().collect(), is.lines().collect());
        for line in listed.symmetric_difference(&there) {
            let file = line.split_once("  ").map_or(*line, |(_, file)| file).to_owned();
            self.bad(&file, "it was changed, put in or removed", None);
        }
        let digest = digest_of(list.as_bytes());
        let id = self.json::<Head>("packet.json").map(|head| head.id).unwrap_or_default();
        let signed = self.text(NOTE).and_then(|note| open(note, &self.keys)).map(|(text, _)| text.to_owned());
        if signed.as_deref() != Some(packet_text(&id, &digest).as_str()) {
            self.bad(NOTE, "the list of files is not the one that was signed", None);
        }
    }

    fn checkpoint(&mut self, name: &str) -> Option<Checkpoint> {
        let read = self.text(name).and_then(|note| open(note, &self.keys)).and_then(|(text, _)| Checkpoint::read(text));
        if read.is_none() {
            self.bad(name, "it is not signed by a key of this gateway", None);
        }
        read
    }

    /// Every record stands in the signed tree, and the tree continues the last packet's.
    fn records(&mut self, head: &Head, checkpoint: &Checkpoint) -> Option<BTreeMap<u64, TrailEntry>> {
        const FILE: &str = "records.jsonl";
        let mut entries = BTreeMap::new();
        if head.origin != checkpoint.origin {
            self.bad("checkpoint.note", "it is of another trail", None);
        }
        let proofs = self.json::<Proofs>("proofs.json")?;
        let bytes = self.files.get(FILE).cloned().unwrap_or_default();
        if bytes.last().is_some_and(|last| *last != b'\n') {
            self.bad(FILE, "its last line has no end", None);
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>();
        lines.pop();
        for (place, body) in lines.iter().enumerate() {
            let told = proofs.records.get(place);
            let entry = serde_json::from_slice::<TrailEntry>(body).ok();
            let seq = entry.as_ref().map(|entry| entry.seq).or(told.map(|told| told.seq));
            let (Some(seq), Some(told)) = (seq, told.filter(|told| Some(told.seq) == seq)) else {
                self.bad(FILE, "the record is not the one that stands here", told.map(|told| told.seq).or(seq));
                continue;
            };
            let root = &checkpoint.root;
            if !included(leaf(body), seq.wrapping_sub(1), checkpoint.size, &path(&told.path), root) {
                self.bad(FILE, "the record does not stand in the signed tree", Some(seq));
            } else {
                match entry.filter(|entry| entry.practice.as_str() == head.practice) {
                    Some(entry) => drop(entries.insert(seq, entry)),
                    None => self.bad(FILE, "the record is of another practice", Some(seq)),
                }
            }
        }
        for missing in proofs.records.iter().skip(lines.len()) {
            self.bad(FILE, "the record is missing", Some(missing.seq));
        }
        self.previous(&proofs, checkpoint);
        Some(entries)
    }

    fn previous(&mut self, proofs: &Proofs, checkpoint: &Checkpoint) {
        let Some(before) = &proofs.previous else { return };
        let Some(old) = self.checkpoint("previous.note") else { return };
        if old.origin != checkpoint.origin || old.size != before.size {
            self.bad("previous.note", "it is of another trail, or another size", None);
        } else if !consistent(old.size, checkpoint.size, &old.root, &checkpoint.root, &path(&before.path)) {
            self.bad("proofs.json", "the trail does not continue the one that the last packet showed", None);
        }
    }

    /// What is shown is what the records committed to, and so is everything in folders: answers, exchanges, messages.
    fn details(&mut self, entries: &BTreeMap<u64, TrailEntry>) {
        const FILE: &str = "details.json";
        let Some(list) = self.json::<Vec<Shown>>(FILE) else { return };
        let (mut shown, mut known) = (BTreeSet::new(), BTreeSet::new());
        for item in &list {
            shown.insert(item.seq);
            let Some(entry) = entries.get(&item.seq) else {
                self.bad(FILE, "a detail belongs to no record", Some(item.seq));
                continue;
            };
            let committed = unhex(&item.salt).map(|salt| hex(&sha256(&[&salt, item.text.as_bytes()])));
            if committed.is_none() || committed != entry.detail_c {
                self.bad(FILE, "the detail is not the one the record committed to", Some(item.seq));
                continue;
            }
            let said: Value = serde_json::from_str(&item.text).unwrap_or_default();
            let ask = entry.ask_id.as_deref().unwrap_or_default();
            let own = [("answer", "answers"), ("exchange", "exchanges")].into_iter().filter_map(|(kind, folder)| {
                Some((format!("{folder}/{ask}.json"), said[kind]["sha256"].as_str()?.to_owned()))
            });
            let named = said["files"].as_object().into_iter().flatten();
            let named = named.map(|(name, digest)| (name.clone(), digest.as_str().unwrap_or_default().to_owned()));
            for (name, digest) in own.chain(named) {
                match self.files.get(&name) {
                    None => self.bad(&name, "it is missing", Some(item.seq)),
                    Some(bytes) if hex(&sha256(&[bytes])) != digest => {
                        self.bad(&name, "it is not what the record committed to", Some(item.seq));
                    }
                    Some(_) => {}
                }
                known.insert(name);
            }
        }
        for (seq, entry) in entries {
            if entry.detail_c.is_some() && !shown.contains(seq) {
                self.bad(FILE, "the record's detail is missing", Some(*seq));
            }
        }
        // In folders stands only what records commit to.
        let kept = |name: &&String| name.contains('/');
        let strange: Vec<String> =
            self.files.keys().filter(kept).filter(|name| !known.contains(*name)).cloned().collect();
        for name in strange {
            self.bad(&name, "no record committed to it", None);
        }
    }

    fn anchors(&mut self, checkpoint: Option<&Checkpoint>) {
        const FILE: &str = "anchors.jsonl";
        let Some(text) = self.text(FILE).map(str::to_owned) else {
            return self.bad(FILE, "it is missing, or cannot be read", None);
        };
        for line in text.lines() {
            let said = serde_json::from_str::<Value>(line).ok();
            let note = said.as_ref().and_then(|said| said["note"].as_str());
            let read = note.and_then(|note| open(note, &self.keys)).and_then(|(text, _)| Checkpoint::read(text));
            let good = read.is_some_and(|read| {
                checkpoint.is_none_or(|own| own.origin != read.origin || own.size != read.size || own.root == read.root)
            });
            if !good {
                self.bad(FILE, "a line is not signed, or contradicts the checkpoint", None);
            }
        }
    }

    /// The system's own trail has the checkpoint on record.
    fn system(&mut self, checkpoint: Option<&Checkpoint>) {
        const FILE: &str = "system.json";
        let (Some(checkpoint), true) = (checkpoint, self.files.contains_key(FILE)) else { return };
        let (Some(system), Some(own)) = (self.json::<System>(FILE), self.checkpoint("system.note")) else { return };
        let mark =
            serde_json::from_str::<TrailEntry>(&system.record).ok().and_then(|entry| Some((entry.seq, entry.mark?)));
        let good = mark.is_some_and(|(seq, mark)| {
            let leaf = leaf(system.record.as_bytes());
            included(leaf, seq.wrapping_sub(1), own.size, &path(&system.path), &own.root)
                && (mark.size, mark.root) == (checkpoint.size, hex(&checkpoint.root))
        });
        if !good {
            self.bad(FILE, "the system's trail does not have this checkpoint on record", None);
        }
    }
}

/// A step that is no hash becomes one that cannot fit.
fn path(steps: &[String]) -> Vec<Hash> {
    steps.iter().map(|step| unhex(step).unwrap_or_default()).collect()
}
