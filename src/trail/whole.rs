//! The check of everything: each practice's records one by one, their details, answers and exchanges, the tree, the
//! signed checkpoints, the system's own trail, and every anchor.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::anchors::Found;
use super::chain::{self, Verification};
use super::detail;
use super::merkle::TILE;
use super::note::{Checkpoint, VerifierKey, hex, open, unhex};
use super::record::TrailEntry;
use super::rollback::{Anchored, decode};
use super::seal::SealBroken;
use super::signing::{SYSTEM, announced, read_origin};
use super::{Trail, Verification as V};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::store::checkpoints;
use crate::store::trail::{self as rows, DetailedRow, Filter};

/// Records that are read at once.
const PAGE: u64 = 500;
/// Marks of the system's trail that are read at once.
const MARKS_PAGE: u32 = 500;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailProblem {
    /// Whose trail; `None`: the keys or the anchors as such.
    pub practice: Option<PracticeId>,
    /// The first record that does not fit.
    pub first: Option<u64>,
    /// The record up to which the first bad one must be searched, where only that is known.
    pub last: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What a check of everything found.
#[derive(Clone, Debug, Default)]
pub struct TrailReport {
    /// Each practice's records.
    pub records: Vec<(PracticeId, u64)>,
    /// Signed checkpoints that were held against the records.
    pub checkpoints: usize,
    /// Anchors that were held against the records.
    pub anchors: usize,
    /// Everything that does not hold; the first one of each practice names its first bad record.
    pub problems: Vec<TrailProblem>,
}

/// Where a state of a trail that must hold was found.
struct Claim {
    anchored: Anchored,
    by: String,
}

impl Trail {
    /// Checks everything. Reads every record of every practice.
    ///
    /// # Errors
    /// What the store says, or that the anchors cannot be read.
    pub async fn verify_all(&self) -> Result<TrailReport, StoreError> {
        let mut report = TrailReport::default();
        let mut claims: BTreeMap<PracticeId, Vec<Claim>> = BTreeMap::new();
        let keys = self.check_keys(&mut report).await?;
        self.claims_of_anchors(&keys, &mut report, &mut claims).await?;
        self.claims_of_marks(&mut claims).await?;
        let mut practices = rows::all_practices(&self.store).await?;
        practices.extend(claims.keys().cloned());
        practices.sort();
        practices.dedup();
        for practice in practices {
            let mut of_practice = claims.remove(&practice).unwrap_or_default();
            self.claims_of_checkpoints(&practice, &keys, &mut report, &mut of_practice).await?;
            let before = report.problems.len();
            self.verify_one(&practice, of_practice, &mut report).await?;
            if let Some(found) = report.problems.get_mut(before..) {
                found.sort_by_key(|problem| (problem.first, problem.last));
            }
        }
        Ok(report)
    }

    async fn check_keys(&self, report: &mut TrailReport) -> Result<Option<(String, Vec<VerifierKey>)>, StoreError> {
        let Some(signing) = self.known_signing().await? else { return Ok(None) };
        let mut previous = None;
        for (mark, key) in signing.marks.iter().zip(&signing.keys) {
            if announced(mark, previous).as_ref() != Some(key) {
                report.problems.push(problem(None, None, format!("key {} was not announced as it must be", mark.n)));
            }
            previous = Some(key);
        }
        Ok(Some((signing.install, signing.keys)))
    }

    async fn claims_of_anchors(
        &self,
        keys: &Option<(String, Vec<VerifierKey>)>,
        report: &mut TrailReport,
        claims: &mut BTreeMap<PracticeId, Vec<Claim>>,
    ) -> Result<(), StoreError> {
        const NO_ANCHORS: StoreError = StoreError::Damaged { what: "the paper trail's anchors cannot be read" };
        let (Some((install, keys)), Some(dir)) = (keys.clone(), self.anchors.clone()) else { return Ok(()) };
        let read = move || Ok::<_, std::io::Error>(decode(&install, keys, &dir.all(&install)?));
        let (anchored, unreadable) =
            tokio::task::spawn_blocking(read).await.map_err(|_| NO_ANCHORS)?.map_err(|_| NO_ANCHORS)?;
        let place = |found: &Found| format!("anchor {} line {}", found.file, found.line);
        for found in &unreadable {
            report.problems.push(problem(None, None, format!("{} cannot be read or proven", place(found))));
        }
        report.anchors = anchored.len();
        for (found, anchored) in anchored {
            let claim = Claim { by: place(&found), anchored };
            claims.entry(claim.anchored.practice.clone()).or_default().push(claim);
        }
        Ok(())
    }

    /// What the system's own trail says of the others.
    async fn claims_of_marks(&self, claims: &mut BTreeMap<PracticeId, Vec<Claim>>) -> Result<(), StoreError> {
        let system = PracticeId::new(SYSTEM);
        let mut filter = Filter { action: Some("trail.checkpoint".to_owned()), ..Filter::default() };
        loop {
            let page = rows::list(&self.store, &system, filter.clone(), MARKS_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            filter.before_seq = Some(last.seq);
            for row in &page {
                // A record that cannot be read is found by the walk.
                let Ok(entry) = serde_json::from_str::<TrailEntry>(&row.body) else { continue };
                let Some((mark, root)) =
                    entry.mark.and_then(|mark| Some((unhex(&mark.root)?, mark))).map(|(r, m)| (m, r))
                else {
                    continue;
                };
                let anchored = Anchored { practice: mark.practice.clone(), epoch: mark.epoch, size: mark.size, root };
                let by = format!("record {} of the system's trail", row.seq);
                claims.entry(mark.practice).or_default().push(Claim { anchored, by });
            }
        }
    }

    async fn claims_of_checkpoints(
        &self,
        practice: &PracticeId,
        keys: &Option<(String, Vec<VerifierKey>)>,
        report: &mut TrailReport,
        claims: &mut Vec<Claim>,
    ) -> Result<(), StoreError> {
        for row in checkpoints::all(&self.store, practice).await? {
            let read = keys.as_ref().and_then(|(install, keys)| {
                let (text, _) = open(&row.note, keys)?;
                let read = Checkpoint::read(text)?;
                (read_origin(install, &read.origin)? == (practice.clone(), row.epoch) && read.size == row.size)
                    .then_some(read)
            });
            let by = format!("the checkpoint at {}", row.size);
            match read {
                Some(Checkpoint { size, root, .. }) => {
                    report.checkpoints += 1;
                    let anchored = Anchored { practice: practice.clone(), epoch: row.epoch, size, root };
                    claims.push(Claim { anchored, by });
                }
                None => {
                    let what = format!("{by} is not signed by a key of this installation");
                    report.problems.push(problem(Some(practice), None, what));
                }
            }
        }
        Ok(())
    }

    async fn verify_one(
        &self,
        practice: &PracticeId,
        mut claims: Vec<Claim>,
        report: &mut TrailReport,
    ) -> Result<(), StoreError> {
        let wanted = claims.iter().map(|claim| claim.anchored.size).collect();
        let follower = chain::Follower::new(&self.sealer, practice, wanted);
        let (head, follower) = rows::walk(&self.store, practice, follower, chain::Follower::take).await?;
        let records = match follower.finish(head.as_ref()) {
            V::Whole { records, .. } => records,
            Verification::Broken { seq, what } => {
                report.problems.push(problem(Some(practice), Some(seq), what.to_owned()));
                seq.saturating_sub(1)
            }
        };
        report.records.push((practice.clone(), records));
        let epoch = head.as_ref().map_or(chain::FIRST_EPOCH, |head| head.epoch);
        claims.sort_by_key(|claim| claim.anchored.size);
        report.problems.extend(broken_claim(practice, epoch, records, &follower.roots, &claims));
        self.verify_tiles(practice, &follower, report).await?;
        self.verify_kept(practice, records, report).await
    }

    async fn verify_tiles(
        &self,
        practice: &PracticeId,
        follower: &chain::Follower,
        report: &mut TrailReport,
    ) -> Result<(), StoreError> {
        let stored = rows::tiles(&self.store, practice).await?;
        for (place, (n, hash)) in (0..).zip(&stored) {
            let told = usize::try_from(place).ok().and_then(|place| follower.tiles.get(place));
            // Where the walk ended early there is nothing to compare with.
            if *n != place || told.is_some_and(|told| told != hash) {
                let what = format!("the stored hash of tile {place} is not that of its records");
                report.problems.push(problem(Some(practice), Some(place * TILE + 1), what));
                break;
            }
        }
        Ok(())
    }

    /// The answers and exchanges that records commit to.
    async fn verify_kept(
        &self,
        practice: &PracticeId,
        records: u64,
        report: &mut TrailReport,
    ) -> Result<(), StoreError> {
        let mut from = 1;
        while from <= records {
            let to = records.min(from + PAGE - 1);
            for row in rows::range(&self.store, practice, from, to).await? {
                if let Some(what) = self.kept_problem(practice, &row).await? {
                    report.problems.push(problem(Some(practice), Some(row.record.seq), what.to_owned()));
                    return Ok(());
                }
            }
            from = to + 1;
        }
        Ok(())
    }

    async fn kept_problem(&self, practice: &PracticeId, row: &DetailedRow) -> Result<Option<&'static str>, StoreError> {
        let Some(sealed) = &row.detail else { return Ok(None) };
        let Ok(entry) = serde_json::from_str::<TrailEntry>(&row.record.body) else { return Ok(None) };
        let opened = match detail::open(self.sealer.as_ref(), &entry, sealed) {
            Ok(opened) => opened,
            Err(SealBroken) => return Ok(None),
        };
        let Ok(said) = serde_json::from_str::<Value>(&opened.text) else { return Ok(None) };
        let Some(ask) = entry.ask_id else { return Ok(None) };
        let same = |kept: Option<&[u8]>, told: &Value| {
            told.is_null() || kept.is_some_and(|kept| *told == hex(digest(&SHA256, kept).as_ref()))
        };
        match self.stored(practice, &ask).await {
            Ok(kept) if same(kept.as_ref().map(|kept| kept.as_slice()), &said["answer"]["sha256"]) => {}
            Ok(_) | Err(StoreError::Damaged { .. }) => return Ok(Some("the answer is not the one that was recorded")),
            Err(error) => return Err(error),
        }
        match self.raw(practice, &ask).await {
            Ok(kept) if same(kept.as_ref().map(|kept| kept.as_slice()), &said["exchange"]["sha256"]) => Ok(None),
            Ok(_) | Err(StoreError::Damaged { .. }) => Ok(Some("what was exchanged is not what was recorded")),
            Err(error) => Err(error),
        }
    }
}

/// The first claim that does not hold. What holds up to its size bounds where the first bad record can be.
fn broken_claim(
    practice: &PracticeId,
    epoch: u64,
    records: u64,
    roots: &[(u64, [u8; 32])],
    claims: &[Claim],
) -> Option<TrailProblem> {
    let mut held = 0;
    for claim in claims {
        let Anchored { epoch: of, size, root, .. } = &claim.anchored;
        // An older log: a person accepted that it went back.
        if *of < epoch {
            continue;
        }
        let found = roots.iter().find(|(at, _)| at == size).map(|(_, root)| root);
        if *of == epoch && found == Some(root) {
            held = *size;
            continue;
        }
        let by = &claim.by;
        return Some(if *of > epoch || *size > records {
            let what = format!("records that {by} names are missing");
            problem(Some(practice), Some(records + 1), what)
        } else {
            let what = format!("{by} was signed over other records");
            TrailProblem { last: Some(*size), ..problem(Some(practice), Some(held + 1), what) }
        });
    }
    None
}

fn problem(practice: Option<&PracticeId>, first: Option<u64>, what: String) -> TrailProblem {
    TrailProblem { practice: practice.cloned(), first, last: None, what }
}
