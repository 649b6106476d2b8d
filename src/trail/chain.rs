//! How records are chained. A record's leaf is `SHA-256(0x00 ‖ text)` as in RFC 6962, so that a Merkle tree can be laid
//! over the same leaves; the chain is `SHA-256(previous ‖ leaf)`. The end of the chain carries a code that needs the
//! vault's key: whoever can write the database, but has no key, cannot re-write the trail and fit a new end to it.

use std::sync::Arc;

use ring::digest::{Context, SHA256};
use subtle::ConstantTimeEq;

use super::record::{TrailEntry, TrailRecord};
use super::seal::{Purpose, Sealer, bind};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::trail::{Append, Head, Link, TrailRow};

const NOT_OURS: StoreError = StoreError::Damaged { what: "the end of a paper trail does not prove itself" };

/// A record made ready to be appended inside the transaction of the act it is about.
pub(crate) fn append(sealer: &Arc<dyn Sealer>, record: TrailRecord) -> Append {
    let sealer = Arc::clone(sealer);
    let mut entry = record.into_entry();
    let practice = entry.practice.clone();
    let at = entry.at.as_microsecond();
    let link = Box::new(move |head: Option<Head>| {
        // A forged end must not be continued: the next true code would make the forgery look whole.
        let (seq, chain) = match head {
            Some(head) if proves_itself(sealer.as_ref(), &entry.practice, &head) => (head.seq, head.chain),
            Some(_) => return Err(NOT_OURS),
            None => (0, start(&entry.practice)),
        };
        entry.seq = seq.checked_add(1).ok_or(NOT_OURS)?;
        let body = serde_json::to_string(&entry).map_err(|_| StoreError::Damaged { what: "a record has no text" })?;
        let chain = next(&chain, &body);
        let mac = code(sealer.as_ref(), &entry.practice, entry.seq, &chain);
        Ok(Link { body, head: Head { seq: entry.seq, chain, mac } })
    });
    Append { practice, at, link }
}

fn start(practice: &PracticeId) -> [u8; 32] {
    digest(&[b"portico trail v1\0", practice.as_str().as_bytes()])
}

fn next(chain: &[u8; 32], body: &str) -> [u8; 32] {
    let leaf = digest(&[&[0], body.as_bytes()]);
    digest(&[chain, &leaf])
}

fn code(sealer: &dyn Sealer, practice: &PracticeId, seq: u64, chain: &[u8; 32]) -> [u8; 32] {
    sealer.mac(Purpose::Trail, &bind(&[b"head v1", practice.as_str().as_bytes(), &seq.to_be_bytes(), chain]))
}

fn proves_itself(sealer: &dyn Sealer, practice: &PracticeId, head: &Head) -> bool {
    code(sealer, practice, head.seq, &head.chain).ct_eq(&head.mac).into()
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    // SHA-256 gives 32 bytes; zip keeps that fact from being an index that could panic.
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
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
    practice: PracticeId,
    chain: [u8; 32],
    seq: u64,
    broken: Option<Verification>,
}

impl Follower {
    pub(super) fn new(practice: &PracticeId) -> Self {
        Self { practice: practice.clone(), chain: start(practice), seq: 0, broken: None }
    }

    /// Takes the next record; says whether to go on.
    pub(super) fn take(&mut self, row: &TrailRow) -> bool {
        let expected = self.seq.saturating_add(1);
        let wrong = if row.seq != expected {
            Some("records are missing before the next one that is there")
        } else if next(&self.chain, &row.body) != row.chain {
            Some("the record was changed, or put in")
        } else if !self.agrees(row) {
            Some("the record's text and its columns disagree")
        } else {
            None
        };
        if let Some(what) = wrong {
            self.broken = Some(Verification::Broken { seq: expected, what });
            return false;
        }
        self.chain = row.chain;
        self.seq = expected;
        true
    }

    fn agrees(&self, row: &TrailRow) -> bool {
        serde_json::from_str::<TrailEntry>(&row.body).is_ok_and(|entry| {
            entry.seq == row.seq && entry.at.as_microsecond() == row.at && entry.practice == self.practice
        })
    }

    /// Compares with the chain's end.
    pub(super) fn finish(self, sealer: &dyn Sealer, head: Option<Head>) -> Verification {
        if let Some(broken) = self.broken {
            return broken;
        }
        let whole = Verification::Whole { records: self.seq, chain: self.chain };
        let broken = |seq, what| Verification::Broken { seq, what };
        match head {
            None if self.seq == 0 => whole,
            None => broken(self.seq, "the trail's end is missing"),
            Some(head) if head.seq > self.seq => broken(self.seq.saturating_add(1), "the last records are missing"),
            Some(head) if head.seq < self.seq || head.chain != self.chain => {
                broken(head.seq.saturating_add(1), "records stand after the trail's end")
            }
            Some(head) if !proves_itself(sealer, &self.practice, &head) => {
                broken(head.seq, "the trail's end was made without the vault's key")
            }
            Some(_) => whole,
        }
    }
}
