//! One record of the paper trail. It says who did what, where and with which result; by its types it cannot hold
//! patient data: words are fixed, the rest are ids of ours and numbers.

use connector_sdk::{ErrorKind, Operation, RefusalReason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::detail::Detail;
use crate::practice::PracticeId;

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    id: String,
    /// For a person: role, and how the sign-in was proven.
    person: Option<(&'static str, &'static str)>,
}

impl Actor {
    /// The holder of this API key.
    pub fn key(key_id: &str) -> Self {
        Self { id: plain(key_id), person: None }
    }

    /// A person, by the account's id: never a name, never an address. `role` is the role's word; `level` says how they
    /// signed in: `password`, `totp`, `recovery`.
    pub fn person(person_id: &str, role: &'static str, level: &'static str) -> Self {
        Self { id: plain(person_id), person: Some((role, level)) }
    }

    /// Whoever sits at the gateway's command line.
    pub fn command_line() -> Self {
        Self { id: "command_line".to_owned(), person: None }
    }

    /// The actor's name, as records say it.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// The gateway by itself: it stops a credential that a carrier refused, say.
    pub fn gateway() -> Self {
        Self { id: "gateway".to_owned(), person: None }
    }
}

/// How an ask ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The carrier answered.
    Answered,
    /// The carrier said no.
    Refused,
    /// There is no outcome.
    Failed,
}

impl OutcomeKind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A state of a trail, as a record of the system's own trail names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mark {
    /// Whose trail.
    #[schemars(with = "String")]
    pub practice: PracticeId,
    /// Which of the practice's logs.
    pub epoch: u64,
    /// How many records.
    pub size: u64,
    /// Root of the Merkle tree over them, hexadecimal.
    pub root: String,
}

/// A new key for checkpoints, announced: signed by itself and by the key before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyMark {
    /// Its number, from 1.
    pub n: u64,
    /// The key, as other programs take it: `name+id+key`.
    pub key: String,
    /// The key before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<String>,
    /// Its own signature of [`KeyMark::text`], Base64.
    pub signature: String,
    /// The signature of the key before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_signature: Option<String>,
}

impl KeyMark {
    /// The text that both keys sign.
    pub fn text(n: u64, key: &str, previous: Option<&str>) -> String {
        format!("portico trail key v1\n{n}\n{key}\n{}\n", previous.unwrap_or("-"))
    }
}

/// One record, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TrailEntry {
    /// Version of this layout.
    pub v: u8,
    /// Its number in the practice's trail; the first is 1.
    pub seq: u64,
    /// Its id.
    #[schemars(with = "String")]
    pub id: Uuid,
    /// Whose trail.
    #[schemars(with = "String")]
    pub practice: PracticeId,
    /// When.
    pub at: Timestamp,
    /// Who: the id of an API key or of a person, `command_line` or `gateway`.
    pub actor: String,
    /// For a person: in which role.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// For a person: how they signed in: `password`, `totp`, `recovery`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_level: Option<String>,
    /// What: `eligibility.asked`, `eligibility.read`, `credential.put` …
    pub action: String,
    /// At which carrier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub carrier: Option<String>,
    /// Which operation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation: Option<Operation>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<OutcomeKind>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<ErrorKind>,
    /// Why the carrier said no.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<RefusalReason>,
    /// Whether the answer came from the cache.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cached: Option<bool>,
    /// How long the whole took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total_ms: Option<u64>,
    /// The ask it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ask_id: Option<String>,
    /// What was exchanged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence_id: Option<String>,
    /// The credential that was used or changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_id: Option<String>,
    /// What else it is about: the id of an API key, a person, a session, or the batch a question belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject_id: Option<String>,
    /// For what, where patient data was asked or read: `payment`, `treatment`, `operations` (45 CFR 164.501).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<String>,
    /// The commitment to the sealed detail: SHA-256 of salt and text, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail_c: Option<String>,
    /// From this record on the practice has a new log: the one before was put back to an earlier state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epoch: Option<u64>,
    /// The state of a trail that this record speaks of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mark: Option<Mark>,
    /// The key that this record announces.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyMark>,
    /// SHA-256 of what was made, hexadecimal: a packet's list of files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
}

/// For what patient data is asked or read: the three purposes of 45 CFR 164.501 for which no consent is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Whether and what a carrier pays.
    Payment,
    /// Care of the patient.
    Treatment,
    /// Running the practice: audits, disputes.
    Operations,
}

impl Use {
    fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Treatment => "treatment",
            Self::Operations => "operations",
        }
    }
}

/// One record, about to be written. Built with the methods below; each takes a fixed word, a number or an id.
#[derive(Clone, Debug)]
pub struct TrailRecord {
    entry: TrailEntry,
    detail: Option<Detail>,
}

impl TrailRecord {
    /// A record of something that happens now. `action` is a fixed word such as `eligibility.asked`.
    pub fn new(practice: &PracticeId, actor: &Actor, action: &'static str) -> Self {
        let entry = TrailEntry {
            v: 1,
            seq: 0,
            id: Uuid::now_v7(),
            practice: practice.clone(),
            at: microseconds(Timestamp::now()),
            actor: actor.id.clone(),
            role: actor.person.map(|(role, _)| role.to_owned()),
            auth_level: actor.person.map(|(_, level)| level.to_owned()),
            action: action.to_owned(),
            carrier: None,
            operation: None,
            outcome: None,
            failure: None,
            refusal: None,
            cached: None,
            total_ms: None,
            ask_id: None,
            evidence_id: None,
            credential_id: None,
            subject_id: None,
            purpose: None,
            detail_c: None,
            epoch: None,
            mark: None,
            key: None,
            digest: None,
        };
        Self { entry, detail: None }
    }

    /// At which carrier: the id of its file.
    #[must_use]
    pub fn carrier(mut self, id: &str) -> Self {
        self.entry.carrier = Some(plain(id));
        self
    }

    /// Which operation.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.entry.operation = Some(operation);
        self
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(mut self, outcome: OutcomeKind) -> Self {
        self.entry.outcome = Some(outcome);
        self
    }

    /// It failed, and why.
    #[must_use]
    pub fn failure(mut self, kind: ErrorKind) -> Self {
        self.entry.outcome = Some(OutcomeKind::Failed);
        self.entry.failure = Some(kind);
        self
    }

    /// The carrier said no, and why.
    #[must_use]
    pub fn refusal(mut self, reason: RefusalReason) -> Self {
        self.entry.outcome = Some(OutcomeKind::Refused);
        self.entry.refusal = Some(reason);
        self
    }

    /// Whether the answer came from the cache.
    #[must_use]
    pub fn cached(mut self, cached: bool) -> Self {
        self.entry.cached = Some(cached);
        self
    }

    /// How long the whole took, in milliseconds.
    #[must_use]
    pub fn total_ms(mut self, ms: u64) -> Self {
        self.entry.total_ms = Some(ms);
        self
    }

    /// The ask it is about.
    #[must_use]
    pub fn ask(mut self, id: &str) -> Self {
        self.entry.ask_id = Some(plain(id));
        self
    }

    /// The id under which the exchange is kept.
    #[must_use]
    pub fn evidence(mut self, id: &str) -> Self {
        self.entry.evidence_id = Some(plain(id));
        self
    }

    /// The credential that was used or changed.
    #[must_use]
    pub fn credential(mut self, id: &str) -> Self {
        self.entry.credential_id = Some(plain(id));
        self
    }

    /// What else it is about: the id of an API key, a person or a session; of a credential that is stopped its stage; of the
    /// vault its keys by number, its ways by the beginnings of their rows' codes.
    #[must_use]
    pub fn subject(mut self, id: &str) -> Self {
        self.entry.subject_id = Some(plain(id));
        self
    }

    /// For what patient data was asked or read.
    #[must_use]
    pub fn purpose(mut self, purpose: Use) -> Self {
        self.entry.purpose = Some(purpose.word().to_owned());
        self
    }

    /// What the record commits to without saying it; may hold patient data, and is sealed.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Opens a new log with this record.
    #[must_use]
    pub(super) fn epoch(mut self, epoch: u64) -> Self {
        self.entry.epoch = Some(epoch);
        self
    }

    /// The state of a trail that it speaks of.
    #[must_use]
    pub(super) fn mark(mut self, mark: Mark) -> Self {
        self.entry.mark = Some(mark);
        self
    }

    /// The key that it announces.
    #[must_use]
    pub(super) fn key(mut self, key: KeyMark) -> Self {
        self.entry.key = Some(key);
        self
    }

    /// SHA-256 of what was made.
    #[must_use]
    pub fn digest(mut self, digest: &[u8; 32]) -> Self {
        self.entry.digest = Some(super::note::hex(digest));
        self
    }

    /// What is written so far (its number is 0 until it is stored).
    pub fn entry(&self) -> &TrailEntry {
        &self.entry
    }

    pub(super) fn into_parts(self) -> (TrailEntry, Option<Detail>) {
        (self.entry, self.detail)
    }

    pub(super) fn detail_or_new(&mut self) -> &mut Detail {
        self.detail.get_or_insert_with(Detail::default)
    }
}

/// An id of ours as it is; anything else becomes a fixed word. The last net under the types: should a mistake hand in
/// text of a person, it does not reach a record that can never be erased.
fn plain(id: &str) -> String {
    let ours = !id.is_empty()
        && id.len() <= 80
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if ours { id.to_owned() } else { "not_an_id".to_owned() }
}

/// Cut to what the store keeps, so that the text and the column agree.
fn microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_id_of_ours_does_not_enter() {
        let record = TrailRecord::new(&PracticeId::new("p"), &Actor::key("Zanzibar Doe"), "eligibility.asked")
            .carrier("O'Canary, Jane")
            .ask("01J\n");
        let text = serde_json::to_string(record.entry()).unwrap();
        assert!(!text.contains("Canary") && !text.contains("Zanzibar") && !text.contains("01J"), "{text}");
        assert_eq!(record.entry().carrier.as_deref(), Some("not_an_id"));
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let record = TrailRecord::new(&PracticeId::new("p"), &Actor::gateway(), "credential.stopped");
        let text = serde_json::to_string(record.entry()).unwrap();
        assert!(!text.contains("null"), "{text}");
        assert_eq!(serde_json::from_str::<TrailEntry>(&text).unwrap(), *record.entry());
    }
}
