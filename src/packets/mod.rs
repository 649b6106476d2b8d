//! Evidence packets: what a practice hands to somebody who doubts. One ZIP file with the records in scope, what they
//! commit to, the answers and the bytes that were exchanged, the proofs that all of it stands in a tree that was signed
//! and anchored when it happened, a page to read, and a program to check it with that needs only Python.
//!
//! Making one is itself recorded, before anything of it leaves. There is no PDF: the page prints.

mod archive;
mod gather;
mod timeline;
mod verify;

use std::fmt;

use connector_sdk::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;
use zeroize::Zeroizing;

#[cfg(test)]
pub(crate) use timeline::meaning;
pub use verify::{PacketReport, verify};

use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::trail::merkle::{Hash, sha256};
use crate::trail::note::hex;
use crate::trail::proofs::Proofs;
use crate::trail::{Actor, AnchorLine, Detail, PatientKey, Search, Trail, TrailRecord, Use};
use archive::Files;
use gather::Gathered;

/// Records in one packet at most.
pub const RECORDS_MAX: usize = 2_000;
/// Bytes in one packet at most, before they are packed.
pub const BYTES_MAX: usize = 64 << 20;
/// Packets made at the same time.
const AT_ONCE: usize = 2;

static ROOM: Semaphore = Semaphore::const_new(AT_ONCE);

/// What a packet is about. With nothing named: everything of the time.
#[derive(Clone, Default)]
pub struct Scope {
    /// One question or submission.
    pub ask: Option<String>,
    /// One patient.
    pub patient: Option<PatientKey>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Why it is made; kept, sealed, with the record of it.
    pub why: Option<String>,
}

/// A packet.
pub struct Packet {
    /// Its id.
    pub id: String,
    /// The ZIP file.
    pub bytes: Vec<u8>,
    /// How many records it shows.
    pub records: usize,
}

/// Why there is no packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// Nothing is on record in this scope.
    Nothing,
    /// More than [`RECORDS_MAX`] records or [`BYTES_MAX`] bytes are in scope.
    TooLarge,
    /// Two packets are being made.
    Busy,
    /// The trail is not the one that was anchored, and nobody has accepted that yet.
    RolledBack,
    /// What the store says.
    Store(StoreError),
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing is on record for this."),
            Self::TooLarge => write!(
                f,
                "More than {RECORDS_MAX} records or {} MiB are in scope; name a shorter time.",
                BYTES_MAX >> 20
            ),
            Self::Busy => f.write_str("Two packets are being made; ask again in a moment."),
            Self::RolledBack => f.write_str(
                "The paper trail is not the one that was anchored; run `portico trail accept-rollback` first.",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PacketError {}

impl From<StoreError> for PacketError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What other rooms keep beside their records, sealed.
pub trait Beside: Send + Sync {
    /// The bytes that a record about this ask commits to under this name; `None` where nothing is kept.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when they were changed or moved.
    fn file<'a>(
        &'a self,
        practice: &'a PracticeId,
        ask: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<Vec<u8>>>, StoreError>>;
}

/// Makes a packet of a practice's trail.
///
/// # Errors
/// [`PacketError`]; what could not be made is on record all the same.
pub async fn make(
    trail: &Trail,
    beside: &dyn Beside,
    practice: &PracticeId,
    by: &Actor,
    scope: Scope,
) -> Result<Packet, PacketError> {
    let _room = ROOM.try_acquire().map_err(|_| PacketError::Busy)?;
    if trail.held().is_some() {
        return Err(PacketError::RolledBack);
    }
    let id = format!("pkt_{}", Uuid::now_v7().simple());
    // Reading patient data is an act, and is recorded before the data leaves.
    trail.record(asked(practice, by, &id, &scope)).await?;
    let checkpoint = trail.checkpoint_of(practice).await?;
    let search = Search {
        ask: scope.ask.clone(),
        patient: scope.patient.clone(),
        from: scope.from.map(Timestamp::as_microsecond),
        to: scope.to.map(Timestamp::as_microsecond),
    };
    let gathered = gather::gather(trail, beside, practice, &search, checkpoint.size, &id).await?;
    let numbers: Vec<u64> = gathered.records.iter().map(|record| record.entry.seq).collect();
    let proofs = trail.prove(practice, &checkpoint, &numbers).await?;
    let head = head(&id, practice, by, &scope, checkpoint.size, &proofs, numbers.len());
    let page = timeline::page(&id, practice, &gathered, checkpoint.size, &hex(&proofs.root));
    let mut files = files(&head, gathered, &proofs, checkpoint.size, &checkpoint.note)?;
    files.add("timeline.html", page.into_bytes())?;
    let digest = files.list()?;
    files.add("packet.note", trail.sign_packet(&id, &digest).await?.into_bytes())?;
    let records = numbers.len();
    let bytes = tokio::task::spawn_blocking(move || files.zip()).await.map_err(|_| PacketError::TooLarge)??;
    let made = TrailRecord::new(practice, by, "trail.packet_made").subject(&id).digest(&digest);
    trail.packet_made(&checkpoint, &id, digest, made).await?;
    Ok(Packet { id, bytes, records })
}

fn asked(practice: &PracticeId, by: &Actor, id: &str, scope: &Scope) -> TrailRecord {
    let mut detail = Detail::default().say("why", scope.why.clone()).say("from", scope.from.map(|at| at.to_string()));
    detail = detail.say("to", scope.to.map(|at| at.to_string()));
    if let Some(patient) = &scope.patient {
        detail = detail.patient(patient.clone()).say("member_id", patient.member_id.clone());
        detail = detail.say("date_of_birth", patient.date_of_birth.clone()).say("carrier", patient.carrier.clone());
    }
    let record = TrailRecord::new(practice, by, "trail.packet_asked").subject(id).purpose(Use::Operations);
    let record = record.detail(detail);
    match &scope.ask {
        Some(ask) => record.ask(ask),
        None => record,
    }
}

fn head(
    id: &str,
    practice: &PracticeId,
    by: &Actor,
    scope: &Scope,
    size: u64,
    proofs: &Proofs,
    records: usize,
) -> Value {
    json!({
        "v": 1,
        "id": id,
        "made_at": Timestamp::now(),
        "made_by": by.as_str(),
        "practice": practice,
        "install": proofs.install,
        "origin": proofs.origin,
        "about": {
            "ask": scope.ask,
            "patient": scope.patient.is_some(),
            "from": scope.from,
            "to": scope.to,
        },
        "records": records,
        "tree_size": size,
        "root": hex(&proofs.root),
        "previous": proofs.previous.as_ref().map(|previous| json!({
            "id": previous.packet.id, "tree_size": previous.packet.size, "digest": hex(&previous.packet.digest)
        })),
    })
}

fn files(head: &Value, gathered: Gathered, proofs: &Proofs, size: u64, note: &str) -> Result<Files, PacketError> {
    let mut files = Files::default();
    let steps = |path: &[Hash]| path.iter().map(|hash| hex(hash)).collect::<Vec<_>>();
    files.json("packet.json", head)?;
    let records: String = gathered.records.iter().flat_map(|record| [record.body.as_str(), "\n"]).collect();
    files.add("records.jsonl", records.into_bytes())?;
    let details: Vec<Value> = gathered
        .records
        .iter()
        .filter_map(|record| {
            let detail = record.detail.as_ref()?;
            Some(json!({ "seq": record.entry.seq, "salt": hex(&detail.salt), "text": *detail.text }))
        })
        .collect();
    files.json("details.json", &Value::Array(details))?;
    for (name, bytes) in gathered.files {
        files.add(&name, bytes)?;
    }
    let paths: Vec<Value> = proofs.paths.iter().map(|(seq, path)| json!({ "seq": seq, "path": steps(path) })).collect();
    let previous =
        proofs.previous.as_ref().map(|previous| json!({ "size": previous.packet.size, "path": steps(&previous.path) }));
    files.json("proofs.json", &json!({ "tree_size": size, "records": paths, "previous": previous }))?;
    files.add("checkpoint.note", note.as_bytes().to_vec())?;
    if let Some(previous) = &proofs.previous {
        files.add("previous.note", previous.note.clone().into_bytes())?;
    }
    if let Some(system) = &proofs.system {
        files.json("system.json", &json!({ "record": system.body, "path": steps(&system.path) }))?;
        files.add("system.note", system.note.clone().into_bytes())?;
    }
    let line = |line: &AnchorLine| serde_json::to_string(line).map(|text| text + "\n").unwrap_or_default();
    files.add("anchors.jsonl", proofs.anchors.iter().map(line).collect::<String>().into_bytes())?;
    files.json("keys.json", &json!({ "install": proofs.install, "keys": proofs.keys }))?;
    files.add("VERIFY.md", include_bytes!("VERIFY.md").to_vec())?;
    files.add("verify.py", VERIFIER.as_bytes().to_vec())?;
    Ok(files)
}

/// The program in every packet that checks it, and whole data directories too.
pub const VERIFIER: &str = include_str!("verify.py");

/// The digest of a list of files, as it is signed and recorded.
fn digest_of(list: &[u8]) -> Hash {
    sha256(&[list])
}
