//! Rounds of checkpoints: every minute where something changed, after 1,000 records, at a clean stop, before an export.
//! Each trail's root is signed; the system's own trail (practice `gateway`) records every other trail's checkpoint, so
//! that its own checkpoint commits to all of them; all go to the anchors.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::anchors::{AnchorDir, AnchorLine};
use super::chain::proves_itself;
use super::merkle::{Frontier, Hash};
use super::note::{Checkpoint, hex};
use super::record::{Actor, KeyMark, Mark, TrailRecord};
use super::signing::{SYSTEM, Signing, origin};
use super::{FRESH_MAX, Trail};
use crate::practice::PracticeId;
use crate::store::checkpoints::{self, CheckpointRow};
use crate::store::trail::{self as rows};
use crate::store::{self, StoreError};

/// How long a record waits for its checkpoint at most: what is younger can be cut off unnoticed.
const EVERY: Duration = Duration::from_secs(60);
/// How often the trails are held against the anchors.
const CHECK_EVERY: Duration = Duration::from_secs(3_600);

/// A checkpoint that was signed, and what of it.
struct Signed {
    row: CheckpointRow,
    root: Hash,
    /// It was signed in this round: before, it was only not anchored yet.
    is_new: bool,
}

impl Trail {
    /// Signs and anchors the state of every trail that changed; says how many there were. Does nothing while a rollback
    /// is not accepted: it would be signed away.
    ///
    /// # Errors
    /// What the store says. Anchors that cannot be written are no error: the log says so, and the next round tries again.
    pub async fn checkpoint(&self) -> Result<usize, StoreError> {
        if self.held().is_some() {
            return Ok(0);
        }
        let _round = self.round.lock().await;
        self.fresh.store(0, Ordering::Relaxed);
        let practices = rows::practices(&self.store).await?;
        let system = PracticeId::new(SYSTEM);
        if practices.is_empty() {
            return Ok(0);
        }
        let signing = self.signing().await?;
        let mut signed = Vec::new();
        for practice in practices.iter().filter(|practice| **practice != system) {
            signed.extend(self.sign_one(&signing, practice).await?);
        }
        let records = signed.iter().filter(|signed| signed.is_new).map(|signed| self.link(record_of(signed))).collect();
        let new = |signed: &[Signed]| -> Vec<CheckpointRow> {
            signed.iter().filter(|signed| signed.is_new).map(|signed| signed.row.clone()).collect()
        };
        checkpoints::put(&self.store, new(&signed), records).await?;
        // Last, so that it commits to the others.
        let own: Vec<Signed> = self.sign_one(&signing, &system).await?.into_iter().collect();
        checkpoints::put(&self.store, new(&own), Vec::new()).await?;
        signed.extend(own);
        self.anchor(&signing, &signed).await;
        Ok(signed.iter().filter(|signed| signed.is_new).count())
    }

    /// The checkpoint of a practice's trail as it stands, signed and anchored before this returns.
    ///
    /// # Errors
    /// What the store says; [`StoreError::Damaged`] while a rollback is not accepted.
    pub(crate) async fn checkpoint_of(&self, practice: &PracticeId) -> Result<CheckpointRow, StoreError> {
        const NONE: StoreError = StoreError::Damaged { what: "the trail has no checkpoint that can be shown" };
        self.checkpoint().await?;
        let head = rows::head(&self.store, practice).await?.ok_or(NONE)?;
        checkpoints::last(&self.store, practice, head.epoch, head.seq).await?.ok_or(NONE)
    }

    async fn sign_one(&self, signing: &Signing, practice: &PracticeId) -> Result<Option<Signed>, StoreError> {
        let Some(head) = rows::head(&self.store, practice).await? else { return Ok(None) };
        let frontier = head.frontier.as_deref().and_then(|bytes| Frontier::read(head.seq, bytes));
        let Some(frontier) = frontier else { return Ok(None) };
        if !proves_itself(self.sealer.as_ref(), practice, &head) {
            tracing::error!(%practice, "ALARM: the end of a paper trail does not prove itself; it gets no checkpoint");
            return Ok(None);
        }
        let last = checkpoints::last(&self.store, practice, head.epoch, head.seq).await?;
        if let Some(row) = last.filter(|row| row.size == head.seq) {
            let place = (row.epoch, row.size);
            let anchored = self.anchored.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let needed = self.anchors.is_some() && anchored.get(practice) != Some(&place);
            return Ok(needed.then(|| Signed { row, root: frontier.root(), is_new: false }));
        }
        let origin = origin(&signing.install, practice, head.epoch);
        let root = frontier.root();
        let note = signing.sign(&Checkpoint { origin, size: head.seq, root }.text());
        let row =
            CheckpointRow { practice: practice.clone(), epoch: head.epoch, size: head.seq, note, at: store::now() };
        Ok(Some(Signed { row, root, is_new: true }))
    }

    /// Writes what was signed to the anchors, and a line to the log: a log that is kept elsewhere is an anchor too.
    async fn anchor(&self, signing: &Signing, signed: &[Signed]) {
        if signed.is_empty() {
            return;
        }
        for signed in signed {
            tracing::info!(
                target: "portico::anchor",
                origin = %origin(&signing.install, &signed.row.practice, signed.row.epoch),
                size = signed.row.size,
                root = %hex(&signed.root),
                "paper trail checkpoint"
            );
        }
        let Some(dir) = self.anchors.clone() else { return };
        let at = Timestamp::now();
        let mut lines = Vec::new();
        let first = self.anchored.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_empty();
        if first {
            // Whoever reads the anchors alone needs the keys.
            lines.extend(signing.marks.iter().map(|mark| AnchorLine { at, note: None, key: Some(mark.clone()) }));
        }
        lines.extend(signed.iter().map(|signed| AnchorLine { at, note: Some(signed.row.note.clone()), key: None }));
        if self.write_anchors(dir, signing.install.clone(), lines).await {
            let places: HashMap<_, _> = signed
                .iter()
                .map(|signed| (signed.row.practice.clone(), (signed.row.epoch, signed.row.size)))
                .collect();
            self.anchored.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(places);
        }
    }

    /// Announces a new key in the anchors, before anything is signed with it.
    pub(super) async fn anchor_key(&self, install: &str, mark: KeyMark) {
        let Some(dir) = self.anchors.clone() else { return };
        let line = AnchorLine { at: Timestamp::now(), note: None, key: Some(mark) };
        self.write_anchors(dir, install.to_owned(), vec![line]).await;
    }

    async fn write_anchors(&self, dir: AnchorDir, install: String, lines: Vec<AnchorLine>) -> bool {
        let shown = dir.path().display().to_string();
        let written = tokio::task::spawn_blocking(move || dir.append(&install, &lines)).await;
        let problem = match written {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the task ended".to_owned(),
        };
        tracing::error!(anchor_dir = shown, error = problem, "ALARM: the paper trail's anchors cannot be written");
        metrics::counter!("portico_trail_anchor_failures_total").increment(1);
        false
    }

    /// Makes checkpoints and checks anchors until it is dropped: the task that a gateway runs.
    pub async fn keep(&self) {
        let mut checked = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.enough.notified() => {}
            }
            if checked.elapsed() >= CHECK_EVERY {
                checked = tokio::time::Instant::now();
                if let Err(error) = self.check_anchors().await {
                    tracing::error!(%error, "ALARM: the paper trail cannot be held against its anchors");
                }
            }
            if let Err(error) = self.checkpoint().await {
                tracing::error!(%error, "ALARM: the paper trail gets no checkpoint");
            }
        }
    }

    /// Counts a record that has no checkpoint yet.
    pub(super) fn count_fresh(&self) {
        if self.fresh.fetch_add(1, Ordering::Relaxed) + 1 == FRESH_MAX {
            self.enough.notify_one();
        }
    }
}

fn record_of(signed: &Signed) -> TrailRecord {
    let row = &signed.row;
    let mark = Mark { practice: row.practice.clone(), epoch: row.epoch, size: row.size, root: hex(&signed.root) };
    TrailRecord::new(&PracticeId::new(SYSTEM), &Actor::gateway(), "trail.checkpoint").mark(mark)
}
