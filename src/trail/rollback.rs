//! Was the database put back to an earlier state? At start and every hour each trail is held against what was anchored:
//! it must be at least as long, and begin with the same records. Where it is not, the gateway only reads, until a person
//! says why; that opens a new log, by a record that names the old one's last known state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use super::Trail;
use super::anchors::{AnchorDir, Found};
use super::chain::FIRST_EPOCH;
use super::detail::Detail;
use super::merkle::{Hash, TILE, Tree, leaf, tiles_for};
use super::note::{Checkpoint, VerifierKey, hex, open};
use super::record::{Actor, Mark, TrailRecord};
use super::signing::{SYSTEM, announced, read_origin};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::checkpoints;
use crate::store::people;
use crate::store::trail::{self as rows, Append};

/// Days of anchors that are looked at at start. `portico trail verify` looks at all.
const DAYS_MAX: usize = 31;
const NO_ANCHORS: StoreError = StoreError::Damaged { what: "the paper trail's anchors cannot be read" };

/// A state of a trail that was anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Whose trail.
    pub practice: PracticeId,
    /// Which of the practice's logs.
    pub epoch: u64,
    /// How many records it had.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
}

/// A trail that is not what was anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// What was anchored.
    pub anchored: Anchored,
    /// How many records are there now.
    pub has: u64,
    /// What is wrong, in fixed words.
    pub what: &'static str,
}

impl Trail {
    /// What stands against writing: trails that are shorter or other than what was anchored. `None`: nothing. While it is
    /// `Some`, nothing that has an effect may be done and no carrier may be asked.
    pub fn held(&self) -> Option<Arc<Vec<Rollback>>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds every trail against the newest anchors and its own newest checkpoint, and notes what was found for
    /// [`Trail::held`]. Call it at start, before anything is written.
    ///
    /// # Errors
    /// What the store says, or that the anchors cannot be read.
    pub async fn check_anchors(&self) -> Result<Vec<Rollback>, StoreError> {
        let mut latest: BTreeMap<PracticeId, Anchored> = BTreeMap::new();
        let mut found = Vec::new();
        match (self.known_signing().await?, self.anchors.clone()) {
            (Some(signing), Some(dir)) => {
                latest = newest(dir, signing.install, signing.keys).await?;
                let places = latest.values().map(|a| (a.practice.clone(), (a.epoch, a.size)));
                self.anchored.lock().unwrap_or_else(PoisonError::into_inner).extend(places);
            }
            (None, Some(dir)) => found.extend(replaced(dir).await?),
            (_, None) => {}
        }
        for practice in rows::practices(&self.store).await? {
            if let Some(own) = self.own_newest(&practice).await? {
                let known = latest.entry(practice).or_insert_with(|| own.clone());
                if (own.epoch, own.size) > (known.epoch, known.size) {
                    *known = own;
                }
            }
        }
        for anchored in latest.into_values() {
            found.extend(self.against(anchored).await?);
        }
        // Once held, this process stays held: what it left undone at its start, only a start does.
        if !found.is_empty() || self.held().is_none() {
            self.note(&found);
        }
        Ok(found)
    }

    fn note(&self, found: &[Rollback]) {
        for rollback in found {
            tracing::error!(
                practice = %rollback.anchored.practice,
                anchored = rollback.anchored.size,
                has = rollback.has,
                what = rollback.what,
                "ALARM: AUDIT-ROLLBACK: the paper trail is not the one that was anchored; only reading is allowed until \
                 `portico trail accept-rollback`"
            );
        }
        metrics::gauge!("portico_trail_rollback").set(if found.is_empty() { 0.0 } else { 1.0 });
        let held = (!found.is_empty()).then(|| Arc::new(found.to_vec()));
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// The newest checkpoint that the database itself keeps.
    async fn own_newest(&self, practice: &PracticeId) -> Result<Option<Anchored>, StoreError> {
        let epoch = rows::head(&self.store, practice).await?.map_or(FIRST_EPOCH, |head| head.epoch);
        let last = checkpoints::last(&self.store, practice, epoch, i64::MAX as u64).await?;
        Ok(last.and_then(|row| {
            let text = row.note.rsplit_once("\n\n").map(|(text, _)| format!("{text}\n"))?;
            let read = Checkpoint::read(&text)?;
            Some(Anchored { practice: practice.clone(), epoch, size: read.size, root: read.root })
        }))
    }

    /// What is wrong with a trail, given what was anchored of it.
    pub(super) async fn against(&self, anchored: Anchored) -> Result<Option<Rollback>, StoreError> {
        let head = rows::head(&self.store, &anchored.practice).await?;
        let (epoch, has) = head.map_or((FIRST_EPOCH, 0), |head| (head.epoch, head.seq));
        // Accepted by a person, who gave a reason: the record that opened the newer log says so.
        if epoch > anchored.epoch {
            return Ok(None);
        }
        let what = if epoch < anchored.epoch || has < anchored.size {
            "records that were anchored are missing"
        } else if self.root_at(&anchored.practice, anchored.size).await? == Some(anchored.root) {
            return Ok(None);
        } else {
            "the records are not those that were anchored"
        };
        Ok(Some(Rollback { anchored, has, what }))
    }

    /// The root over a trail's first records.
    pub(super) async fn root_at(&self, practice: &PracticeId, size: u64) -> Result<Option<Hash>, StoreError> {
        Ok(self.tree(practice, size, &[]).await?.root_at(size))
    }

    /// The tree over a trail's first `size` records, good for proofs about these leaves (from 0).
    pub(super) async fn tree(&self, practice: &PracticeId, size: u64, about: &[u64]) -> Result<Tree, StoreError> {
        let tiles: BTreeMap<u64, Hash> = rows::tiles(&self.store, practice).await?.into_iter().collect();
        let mut leaves = HashMap::new();
        // A tile whose root is not stored is read whole.
        let missing = (0..size / TILE).filter(|tile| !tiles.contains_key(tile));
        let needed: BTreeSet<u64> = tiles_for(size, about.iter().copied()).into_iter().chain(missing).collect();
        for tile in needed {
            let bodies = rows::bodies(&self.store, practice, tile * TILE + 1, (tile + 1) * TILE).await?;
            leaves.insert(tile, bodies.iter().map(|(_, body)| leaf(body.as_bytes())).collect());
        }
        Ok(Tree::new(size, tiles, leaves))
    }

    /// A person says why the trails are not what was anchored. A record in each of them opens a new log and names what was
    /// anchored; the reason is kept sealed, since it may name a patient. `write` writes these records **in one transaction
    /// with whatever must be doubted from then on** (see `submissions::accept_rollback`, which is what to call). Says how
    /// many trails there were; without any, nothing is written.
    ///
    /// # Errors
    /// What the store or `write` says; the rollback is not accepted then.
    pub async fn accept_rollback<T>(
        &self,
        reason: &str,
        by: &Actor,
        write: impl AsyncFnOnce(Vec<Append>) -> Result<T, StoreError>,
    ) -> Result<Option<(usize, T)>, StoreError> {
        let found = self.check_anchors().await?;
        if found.is_empty() {
            return Ok(None);
        }
        let mut records = Vec::with_capacity(found.len());
        for rollback in &found {
            records.push(self.accepting(rollback, reason, by).await?);
        }
        let written = write(records).await?;
        self.note(&[]);
        self.checkpoint().await?;
        Ok(Some((found.len(), written)))
    }
}

impl Trail {
    /// After a restore: opens a new log in every trail, also where no anchor tells of a later state, by a record that names
    /// the last known one. From then on nobody takes the records that follow for those of the store that was lost.
    ///
    /// # Errors
    /// What the store says; where anchors tell of a later state, the trail is held until a person accepts it.
    pub async fn begin_again(&self, why: &str, by: &Actor) -> Result<usize, StoreError> {
        let mut found = self.check_anchors().await?;
        for practice in rows::practices(&self.store).await? {
            if found.iter().any(|rollback| rollback.anchored.practice == practice) {
                continue;
            }
            let Some(head) = rows::head(&self.store, &practice).await? else { continue };
            let Some(root) = self.root_at(&practice, head.seq).await? else { continue };
            let anchored = Anchored { practice, epoch: head.epoch, size: head.seq, root };
            found.push(Rollback { anchored, has: head.seq, what: "restored" });
        }
        let mut records = Vec::with_capacity(found.len());
        for rollback in &found {
            records.push(self.accepting(rollback, why, by).await?);
        }
        people::record_all(&self.store, records).await?;
        self.note(&[]);
        self.checkpoint().await?;
        Ok(found.len())
    }

    /// The record that opens a new log.
    async fn accepting(&self, rollback: &Rollback, reason: &str, by: &Actor) -> Result<Append, StoreError> {
        let Anchored { practice, epoch, size, root } = &rollback.anchored;
        let head = rows::head(&self.store, practice).await?;
        let next = head.map_or(FIRST_EPOCH, |head| head.epoch).max(*epoch) + 1;
        let mark = Mark { practice: practice.clone(), epoch: *epoch, size: *size, root: hex(root) };
        let record = TrailRecord::new(practice, by, "trail.rollback_accepted")
            .epoch(next)
            .mark(mark)
            .detail(Detail::default().say("reason", reason).say("records_found", rollback.has));
        Ok(self.link(record))
    }
}

/// The newest anchor of each practice.
async fn newest(
    dir: AnchorDir,
    install: String,
    keys: Vec<VerifierKey>,
) -> Result<BTreeMap<PracticeId, Anchored>, StoreError> {
    let read = move || {
        let mut latest: BTreeMap<PracticeId, Anchored> = BTreeMap::new();
        let (mut days, mut lines) = (0, Vec::new());
        dir.read(&install, |day| {
            days += 1;
            lines.push(day);
            days < DAYS_MAX
        })?;
        lines.reverse();
        let (anchored, unreadable) = decode(&install, keys, &lines.concat());
        for place in unreadable {
            tracing::warn!(
                file = place.file,
                line = place.line,
                "an anchor of the paper trail cannot be read or proven"
            );
        }
        for (_, anchored) in anchored {
            let known = latest.entry(anchored.practice.clone()).or_insert_with(|| anchored.clone());
            if (anchored.epoch, anchored.size) > (known.epoch, known.size) {
                *known = anchored;
            }
        }
        Ok::<_, std::io::Error>(latest)
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| NO_ANCHORS)?.map_err(|_| NO_ANCHORS)
}

/// What a list of lines says, and the lines that say nothing that can be proven. Keys that are announced on the way are
/// believed when the key before them signed the announcement: a database that was put back may not know them.
pub(super) fn decode(
    install: &str,
    mut keys: Vec<VerifierKey>,
    lines: &[Found],
) -> (Vec<(Found, Anchored)>, Vec<Found>) {
    let (mut anchored, mut unreadable) = (Vec::new(), Vec::new());
    for found in lines {
        let Some(said) = &found.said else {
            unreadable.push(found.clone());
            continue;
        };
        if let Some(mark) = &said.key {
            let known = VerifierKey::read(&mark.key).is_some_and(|key| keys.contains(&key));
            // Not only by the newest: after an accepted rollback two keys may follow one.
            let previous = mark.previous.as_deref().and_then(VerifierKey::read).filter(|key| keys.contains(key));
            match previous.and_then(|previous| announced(mark, Some(&previous))) {
                _ if known => {}
                Some(key) => keys.push(key),
                None => unreadable.push(found.clone()),
            }
        }
        if let Some(note) = &said.note {
            let checkpoint = open(note, &keys).and_then(|(text, _)| Checkpoint::read(text));
            let read = checkpoint.and_then(|checkpoint| {
                let (practice, epoch) = read_origin(install, &checkpoint.origin)?;
                Some(Anchored { practice, epoch, size: checkpoint.size, root: checkpoint.root })
            });
            match read {
                Some(read) => anchored.push((found.clone(), read)),
                None => unreadable.push(found.clone()),
            }
        }
    }
    (anchored, unreadable)
}

/// A database that never signed anything, beside the anchors of one that did: it was replaced as a whole.
async fn replaced(dir: AnchorDir) -> Result<Option<Rollback>, StoreError> {
    let (mine, others) =
        tokio::task::spawn_blocking(move || dir.installs("")).await.map_err(|_| NO_ANCHORS)?.map_err(|_| NO_ANCHORS)?;
    let anchored = Anchored { practice: PracticeId::new(SYSTEM), epoch: FIRST_EPOCH, size: 0, root: [0; 32] };
    let what =
        "the anchors are those of another installation: the whole database was replaced, or anchor_dir is not ours";
    Ok((others && !mine).then_some(Rollback { anchored, has: 0, what }))
}
