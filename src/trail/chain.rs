//! How records are chained. A record's leaf is `SHA-256(0x00 ‖ text)` as in RFC 6962; the chain is
//! `SHA-256(previous ‖ leaf)`, and a Merkle tree lies over the same leaves. The end carries a code that needs the vault's
//! key: whoever can write the database, but has no key, cannot re-write the trail and fit a new end to it. Each record has
//! such a code too, another one, so that the first record of a re-written trail can be named, and no record lends its code
//! to a new end.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::detail;
use super::merkle::{Frontier, Hash, TILE, leaf, sha256};
use super::record::{TrailEntry, TrailRecord};
use super::seal::{Purpose, SealBroken, Sealer, bind};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::trail::{Append, DetailRow, DetailedRow, End, Head, Link, TrailRow};

const NOT_OURS: StoreError = StoreError::Damaged { what: "the end of a paper trail does not prove itself" };
const NO_TEXT: StoreError = StoreError::Damaged { what: "a record has no text" };
const SEALED: StoreError = StoreError::Damaged { what: "the vault is sealed" };
const NOT_SEALED: StoreError = StoreError::Damaged { what: "the system gives no random numbers" };

/// The log a practice begins with.
pub(super) const FIRST_EPOCH: u64 = 1;

/// A record made ready to be appended inside the transaction of the act it is about.
pub(crate) fn append(sealer: &Arc<dyn Sealer>, record: TrailRecord) -> Append {
    let sealer = Arc::clone(sealer);
    let (mut entry, detail) = record.into_parts();
    let practice = entry.practice.clone();
    let at = entry.at.as_microsecond();
    // Sealed here, not in the transaction: all writes of all practices wait for that.
    let (detail, sealed) = match detail.map(|detail| detail.seal(sealer.as_ref(), &entry)) {
        None => (None, true),
        Some(Ok((commitment, row))) => {
            entry.detail_c = Some(commitment);
            (Some(row), true)
        }
        Some(Err(SealBroken)) => (None, false),
    };
    let link = Box::new(move |end: End| if sealed { link(sealer.as_ref(), entry, end) } else { Err(NOT_SEALED) });
    Append::new(&practice, at, link, detail)
}

/// The next link. A forged end must not be continued: the next true code would make the forgery look whole.
fn link(sealer: &dyn Sealer, mut entry: TrailEntry, end: End) -> Result<Link, StoreError> {
    let practice = entry.practice.clone();
    let mut tiles = Vec::new();
    let (seq, chain, epoch, mut frontier) = match end.head {
        None => (0, start(&practice), FIRST_EPOCH, Frontier::default()),
        Some(head) if !proves_itself(sealer, &practice, &head) => return Err(NOT_OURS),
        Some(head) => {
            let frontier = match &head.frontier {
                Some(bytes) => Frontier::read(head.seq, bytes).ok_or(NOT_OURS)?,
                None => regrown(&practice, &head, &end.past, &mut tiles)?,
            };
            (head.seq, head.chain, head.epoch, frontier)
        }
    };
    entry.seq = seq.checked_add(1).ok_or(NOT_OURS)?;
    let body = serde_json::to_string(&entry).map_err(|_| NO_TEXT)?;
    let leaf = leaf(body.as_bytes());
    if let Some(tile) = frontier.push(leaf) {
        tiles.push((seq / TILE, tile));
    }
    let mut head = Head {
        seq: entry.seq,
        chain: next(&chain, &leaf),
        mac: [0; 32],
        epoch: entry.epoch.unwrap_or(epoch),
        frontier: Some(frontier.bytes()),
    };
    head.mac = new_code(sealer, &coded(&practice, &head))?;
    let mac = new_code(sealer, &record_coded(&practice, &head))?;
    Ok(Link { body, mac, head, tiles })
}

/// The tree of a trail that was written before there were trees.
fn regrown(
    practice: &PracticeId,
    head: &Head,
    past: &[String],
    tiles: &mut Vec<(u64, Hash)>,
) -> Result<Frontier, StoreError> {
    let (mut frontier, mut chain) = (Frontier::default(), start(practice));
    for body in past {
        let leaf = leaf(body.as_bytes());
        chain = next(&chain, &leaf);
        if let Some(tile) = frontier.push(leaf) {
            tiles.push((frontier.size() / TILE - 1, tile));
        }
    }
    if chain == head.chain && frontier.size() == head.seq { Ok(frontier) } else { Err(NOT_OURS) }
}

fn start(practice: &PracticeId) -> Hash {
    sha256(&[b"portico trail v1\0", practice.as_str().as_bytes()])
}

fn next(chain: &Hash, leaf: &Hash) -> Hash {
    sha256(&[chain, leaf])
}

/// A code that will be stored: none is made without the key.
fn new_code(sealer: &dyn Sealer, text: &[u8]) -> Result<Hash, StoreError> {
    sealer.try_mac(Purpose::Trail, text).map_err(|SealBroken| SEALED)
}

/// What the code of a chain's end is over.
fn coded(practice: &PracticeId, head: &Head) -> Vec<u8> {
    let (practice, seq) = (practice.as_str().as_bytes(), head.seq.to_be_bytes());
    match &head.frontier {
        Some(frontier) => bind(&[b"head v2", practice, &head.epoch.to_be_bytes(), &seq, &head.chain, frontier]),
        None => bind(&[b"head v1", practice, &seq, &head.chain]),
    }
}

/// What a record's own code is over: the chain up to it, which holds its text.
fn record_coded(practice: &PracticeId, end: &Head) -> Vec<u8> {
    let (practice, seq) = (practice.as_str().as_bytes(), end.seq.to_be_bytes());
    bind(&[b"record v1", practice, &end.epoch.to_be_bytes(), &seq, &end.chain])
}

pub(super) fn proves_itself(sealer: &dyn Sealer, practice: &PracticeId, head: &Head) -> bool {
    sealer.mac(Purpose::Trail, &coded(practice, head)).ct_eq(&head.mac).into()
}

/// What a check of a whole trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every record is there, unchanged and in order.
    Whole {
        /// How many.
        records: u64,
        /// The chain's last value.
        chain: [u8; 32],
    },
    /// Something was changed, removed or put in.
    Broken {
        /// The first record that does not fit.
        seq: u64,
        /// What is wrong with it, in fixed words.
        what: &'static str,
    },
}

/// Follows a chain record by record.
pub(super) struct Follower {
    sealer: Arc<dyn Sealer>,
    practice: PracticeId,
    end: Head,
    frontier: Frontier,
    /// Sizes at which the root is wanted, and the roots found there.
    wanted: Vec<u64>,
    /// The roots at the sizes that were wanted.
    pub(super) roots: Vec<(u64, Hash)>,
    pub(super) tiles: Vec<Hash>,
    broken: Option<Verification>,
}

impl Follower {
    /// At the beginning of a practice's trail; the roots at the `wanted` sizes are kept on the way.
    pub(super) fn new(sealer: &Arc<dyn Sealer>, practice: &PracticeId, mut wanted: Vec<u64>) -> Self {
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        wanted.dedup();
        let end = Head { seq: 0, chain: start(practice), mac: [0; 32], epoch: FIRST_EPOCH, frontier: None };
        Self {
            sealer: Arc::clone(sealer),
            practice: practice.clone(),
            end,
            frontier: Frontier::default(),
            wanted,
            roots: Vec::new(),
            tiles: Vec::new(),
            broken: None,
        }
    }

    /// Takes the next record; says whether to go on.
    pub(super) fn take(&mut self, found: &DetailedRow) -> bool {
        let row = &found.record;
        let expected = self.end.seq.saturating_add(1);
        if let Err(what) = self.step(expected, row, found.detail.as_ref()) {
            self.broken = Some(Verification::Broken { seq: expected, what });
            return false;
        }
        while self.wanted.last().is_some_and(|wanted| *wanted <= self.end.seq) {
            if let Some(size) = self.wanted.pop().filter(|size| *size == self.end.seq) {
                self.roots.push((size, self.frontier.root()));
            }
        }
        true
    }

    fn step(&mut self, expected: u64, row: &TrailRow, sealed: Option<&DetailRow>) -> Result<(), &'static str> {
        if row.seq != expected {
            return Err("records are missing before the next one that is there");
        }
        let leaf = leaf(row.body.as_bytes());
        if next(&self.end.chain, &leaf) != row.chain {
            return Err("the record was changed, or put in");
        }
        let entry = self.entry(row).ok_or("the record's text and its columns disagree")?;
        self.tiles.extend(self.frontier.push(leaf));
        self.end.seq = expected;
        self.end.chain = row.chain;
        self.end.epoch = entry.epoch.unwrap_or(self.end.epoch);
        let code = self.sealer.mac(Purpose::Trail, &record_coded(&self.practice, &self.end));
        if row.mac.is_some_and(|mac| !bool::from(mac.ct_eq(&code))) {
            return Err("the record was made without the vault's key");
        }
        match (&entry.detail_c, sealed) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err("a detail was put beside a record that has none"),
            (Some(_), None) => Err("the record's detail is missing"),
            (Some(_), Some(sealed)) => detail::open(self.sealer.as_ref(), &entry, sealed)
                .map(|_| ())
                .map_err(|SealBroken| "the record's detail was changed, or moved here"),
        }
    }

    fn entry(&self, row: &TrailRow) -> Option<TrailEntry> {
        serde_json::from_str::<TrailEntry>(&row.body).ok().filter(|entry| {
            entry.seq == row.seq && entry.at.as_microsecond() == row.at && entry.practice == self.practice
        })
    }

    /// Compares with the chain's end.
    pub(super) fn finish(&self, head: Option<&Head>) -> Verification {
        if let Some(broken) = &self.broken {
            return broken.clone();
        }
        let seq = self.end.seq;
        let whole = Verification::Whole { records: seq, chain: self.end.chain };
        let broken = |seq, what| Verification::Broken { seq, what };
        match head {
            None if seq == 0 => whole,
            None => broken(seq, "the trail's end is missing"),
            Some(head) if head.seq > seq => broken(seq.saturating_add(1), "the last records are missing"),
            Some(head) if head.seq < seq || head.chain != self.end.chain => {
                broken(head.seq.saturating_add(1), "records stand after the trail's end")
            }
            Some(head) if !proves_itself(self.sealer.as_ref(), &self.practice, head) => {
                broken(head.seq, "the trail's end was made without the vault's key")
            }
            Some(head) if head.frontier.as_ref().is_some_and(|told| *told != self.frontier.bytes()) => {
                broken(head.seq, "the tree's frontier is not that of the records")
            }
            Some(_) => whole,
        }
    }
}
