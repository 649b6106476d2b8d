//! What an evidence packet needs beside the records: the proofs that they stand in a signed tree, that the tree continues
//! the one shown before, and that the system's own trail knows of it.

use super::anchors::AnchorLine;
use super::chain::append;
use super::merkle::Hash;
use super::note::{Checkpoint, hex, open};
use super::record::{KeyMark, TrailEntry, TrailRecord};
use super::rollback::decode;
use super::signing::{SYSTEM, origin};
use super::{Detailed, Search, Trail};
use crate::practice::PracticeId;
use crate::store::checkpoints::{self, CheckpointRow, PacketRow};
use crate::store::trail::{self as rows, Filter};
use crate::store::{self, StoreError};

/// Packets that are looked through for the last one of the same log.
const PACKETS_LOOKED_AT: u32 = 100;
/// Marks of the system's trail that are looked through for the checkpoint's.
const MARKS_LOOKED_AT: u32 = 500;
/// Anchors that go into a packet, the newest ones.
const ANCHORS_SHOWN: usize = 100;
/// Days of anchors that are looked through.
const DAYS_LOOKED_AT: usize = 31;

const NO_PROOF: StoreError = StoreError::Damaged { what: "the trail's tree does not prove its records" };

/// The last packet, and the proof that the trail continues what it showed.
pub(crate) struct Previous {
    pub(crate) packet: PacketRow,
    pub(crate) note: String,
    pub(crate) path: Vec<Hash>,
}

/// The record of the checkpoint in the system's own trail.
pub(crate) struct SystemProof {
    pub(crate) body: String,
    pub(crate) note: String,
    pub(crate) path: Vec<Hash>,
}

/// All that is proven of some records.
pub(crate) struct Proofs {
    pub(crate) install: String,
    pub(crate) origin: String,
    pub(crate) root: Hash,
    /// For each record's number, the way to the root.
    pub(crate) paths: Vec<(u64, Vec<Hash>)>,
    pub(crate) previous: Option<Previous>,
    pub(crate) system: Option<SystemProof>,
    pub(crate) keys: Vec<KeyMark>,
    pub(crate) anchors: Vec<AnchorLine>,
}

impl Trail {
    /// Proves these records of a practice in the tree that the checkpoint signs.
    pub(crate) async fn prove(
        &self,
        practice: &PracticeId,
        checkpoint: &CheckpointRow,
        records: &[u64],
    ) -> Result<Proofs, StoreError> {
        let signing = self.known_signing().await?.ok_or(NO_PROOF)?;
        let origin = origin(&signing.install, practice, checkpoint.epoch);
        let read = open(&checkpoint.note, &signing.keys).and_then(|(text, _)| Checkpoint::read(text));
        let root = read.filter(|read| read.origin == origin && read.size == checkpoint.size).ok_or(NO_PROOF)?.root;
        let before = self.packet_before(practice, checkpoint).await?;
        let leaves: Vec<u64> = records.iter().map(|seq| seq.saturating_sub(1)).collect();
        let edge = before.as_ref().map(|(packet, _)| packet.size);
        let about: Vec<u64> = leaves.iter().copied().chain(edge).collect();
        let mut tree = self.tree(practice, checkpoint.size, &about).await?;
        if tree.root_at(checkpoint.size) != Some(root) {
            return Err(NO_PROOF);
        }
        let mut paths = Vec::new();
        for (seq, leaf) in records.iter().zip(leaves) {
            paths.push((*seq, tree.inclusion(leaf).ok_or(NO_PROOF)?));
        }
        let previous = match before {
            Some((packet, note)) => {
                let path = tree.consistency(packet.size).ok_or(NO_PROOF)?;
                Some(Previous { packet, note, path })
            }
            None => None,
        };
        let system = self.system_proof(practice, checkpoint, &root).await?;
        let anchors = self.newest_anchors(&signing.install, signing.keys, practice, checkpoint.epoch).await?;
        Ok(Proofs { install: signing.install, origin, root, paths, previous, system, keys: signing.marks, anchors })
    }

    async fn packet_before(
        &self,
        practice: &PracticeId,
        checkpoint: &CheckpointRow,
    ) -> Result<Option<(PacketRow, String)>, StoreError> {
        let packets = checkpoints::packets(&self.store, practice, PACKETS_LOOKED_AT).await?;
        let last = packets.into_iter().find(|old| old.epoch == checkpoint.epoch && old.size <= checkpoint.size);
        let Some(packet) = last else { return Ok(None) };
        let row = checkpoints::last(&self.store, practice, packet.epoch, packet.size).await?;
        Ok(row.filter(|row| row.size == packet.size).map(|row| (packet, row.note)))
    }

    async fn system_proof(
        &self,
        practice: &PracticeId,
        checkpoint: &CheckpointRow,
        root: &Hash,
    ) -> Result<Option<SystemProof>, StoreError> {
        let system = PracticeId::new(SYSTEM);
        let root = hex(root);
        let filter = Filter { action: Some("trail.checkpoint".to_owned()), ..Filter::default() };
        let marks = rows::list(&self.store, &system, filter, MARKS_LOOKED_AT).await?;
        let mark = marks.into_iter().find(|row| {
            let entry = serde_json::from_str::<TrailEntry>(&row.body).ok().and_then(|entry| entry.mark);
            entry.is_some_and(|mark| mark.practice == *practice && mark.size == checkpoint.size && mark.root == root)
        });
        let (Some(mark), Some(head)) = (mark, rows::head(&self.store, &system).await?) else { return Ok(None) };
        let Some(own) = checkpoints::last(&self.store, &system, head.epoch, head.seq).await? else { return Ok(None) };
        let leaf = mark.seq.saturating_sub(1);
        let path = self.tree(&system, own.size, &[leaf]).await?.inclusion(leaf);
        Ok(path.map(|path| SystemProof { body: mark.body, note: own.note, path }))
    }

    async fn newest_anchors(
        &self,
        install: &str,
        keys: Vec<super::note::VerifierKey>,
        practice: &PracticeId,
        epoch: u64,
    ) -> Result<Vec<AnchorLine>, StoreError> {
        const NO_ANCHORS: StoreError = StoreError::Damaged { what: "the paper trail's anchors cannot be read" };
        let Some(dir) = self.anchors.clone() else { return Ok(Vec::new()) };
        let (install, practice) = (install.to_owned(), practice.clone());
        let read = move || {
            let (mut shown, mut days) = (Vec::new(), 0);
            dir.read(&install, |day| {
                let (anchored, _) = decode(&install, keys.clone(), &day);
                let own = anchored.into_iter().rev().filter(|(_, a)| a.practice == practice && a.epoch == epoch);
                shown.extend(own.filter_map(|(found, _)| found.said));
                shown.truncate(ANCHORS_SHOWN);
                days += 1;
                shown.len() < ANCHORS_SHOWN && days < DAYS_LOOKED_AT
            })?;
            shown.reverse();
            Ok::<_, std::io::Error>(shown)
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| NO_ANCHORS)?.map_err(|_| NO_ANCHORS)
    }

    /// Signs a packet's list of files.
    pub(crate) async fn sign_packet(&self, id: &str, digest: &Hash) -> Result<String, StoreError> {
        Ok(self.signing().await?.sign(&packet_text(id, digest)))
    }

    /// Notes a packet that was made, with its record, in one transaction.
    pub(crate) async fn packet_made(
        &self,
        checkpoint: &CheckpointRow,
        id: &str,
        digest: Hash,
        record: TrailRecord,
    ) -> Result<(), StoreError> {
        let row =
            PacketRow { id: id.to_owned(), epoch: checkpoint.epoch, size: checkpoint.size, digest, at: store::now() };
        let record = append(&self.sealer, record);
        checkpoints::add_packet(&self.store, &checkpoint.practice, row, record).await.map(|_| ())
    }

    /// The question whose exchange this question's answer came from: itself, or for a saved answer an earlier one.
    pub(crate) async fn exchanged_for(&self, practice: &PracticeId, ask: &str) -> Result<Option<String>, StoreError> {
        Ok(store::answers::evidence(&self.store, practice, ask).await?.map(|(first, _)| first))
    }

    /// All records about one question.
    pub(crate) async fn about_ask(
        &self,
        practice: &PracticeId,
        ask: &str,
        limit: u32,
    ) -> Result<Vec<Detailed>, StoreError> {
        self.search(practice, &Search { ask: Some(ask.to_owned()), ..Search::default() }, limit).await
    }

    /// The public keys that sign checkpoints, oldest first, as other programs take them. The first one is made when there
    /// is none.
    ///
    /// # Errors
    /// What the store says.
    pub async fn verifier_keys(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.signing().await?.keys.iter().map(super::note::VerifierKey::text).collect())
    }
}

/// The text that is signed about a packet.
pub(crate) fn packet_text(id: &str, digest: &Hash) -> String {
    format!("portico packet v1\n{id}\n{}\n", hex(digest))
}
