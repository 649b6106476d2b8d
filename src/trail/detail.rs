//! What a record commits to without saying it: which patient, why, under which identity at the carrier, and digests of
//! what was answered and exchanged. The record carries `SHA-256(salt ‖ text)`; text and salt lie beside it, sealed. So a
//! record proves a detail that is shown, tells nothing about one that is not, and stays whole when the detail is erased.

use std::fmt;

use connector_sdk::ask::{Dependent, Member};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::merkle::{Hash, sha256};
use super::note::hex;
use super::record::TrailEntry;
use super::seal::{Purpose, SealBroken, Sealer, bind};
use crate::practice::PracticeId;
use crate::store::trail::DetailRow;

const SALT_BYTES: usize = 32;
/// Longest text of a person that a detail takes in, characters.
const TEXT_CHARS_MAX: usize = 1_000;

/// By what a patient is found again: as the carrier was asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PatientKey {
    /// The carrier's id.
    pub carrier: String,
    /// Member id, in any spelling.
    pub member_id: Option<String>,
    /// The patient's date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// Last and first name, where there is no member id.
    pub name: Option<(String, String)>,
}

impl PatientKey {
    /// The patient whom a carrier is asked about: the dependent, where there is one.
    pub fn of(carrier: &str, member: &Member, dependent: Option<&Dependent>) -> Self {
        let born = match dependent {
            Some(dependent) => Some(dependent.date_of_birth.expose()),
            None => member.date_of_birth.as_ref().map(|date| date.expose()),
        };
        let (last, first) = match dependent {
            Some(dependent) => (Some(&dependent.last_name), Some(&dependent.first_name)),
            None => (member.last_name.as_ref(), member.first_name.as_ref()),
        };
        Self {
            carrier: carrier.to_owned(),
            member_id: member.member_id.as_ref().map(|id| id.text().to_owned()),
            date_of_birth: born.map(ToString::to_string),
            name: last.zip(first).map(|(last, first)| (last.text().to_owned(), first.text().to_owned())),
        }
    }

    /// The code that stands in the column for search: made under the vault's key and bound to the practice, so that the
    /// column tells nothing, and no practice can find another's patients.
    fn code(&self, sealer: &dyn Sealer, practice: &PracticeId) -> Hash {
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
        };
        let member = self.member_id.as_deref().map(plain).unwrap_or_default();
        let (last, first) = match &self.name {
            Some((last, first)) if member.is_empty() => (plain(last), plain(first)),
            _ => Default::default(),
        };
        let born = self.date_of_birth.as_deref().unwrap_or_default();
        let parts = [self.carrier.as_str(), &member, &last, &first, born].map(str::as_bytes);
        sealer.mac(Purpose::Details, &bind(&[b"patient v1", practice.as_str().as_bytes(), &bind(&parts)]))
    }

    /// The codes under which this patient may be on record: asked with less than is known now, too.
    pub(super) fn codes(&self, sealer: &dyn Sealer, practice: &PracticeId) -> Vec<Hash> {
        let mut keys = Vec::new();
        if self.member_id.is_some() {
            keys.push(Self { name: None, ..self.clone() });
            keys.push(Self { name: None, date_of_birth: None, ..self.clone() });
        }
        if self.name.is_some() {
            keys.push(Self { member_id: None, ..self.clone() });
        }
        keys.iter().map(|key| key.code(sealer, practice)).collect()
    }
}

/// What a record commits to. May hold patient data: `Debug` shows none of it.
#[derive(Clone, Default)]
pub struct Detail {
    patient: Option<PatientKey>,
    fields: Map<String, Value>,
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Detail")
    }
}

impl Detail {
    /// The patient that it is about: what the record is found by.
    #[must_use]
    pub fn patient(mut self, key: PatientKey) -> Self {
        self.patient = Some(key);
        self
    }

    /// One more thing that it says. Texts of people are cut to 1,000 characters.
    #[must_use]
    pub fn say(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value.into());
        self
    }

    /// Things that are kept beside the record, sealed, by the names that they have in an evidence packet (`folder/id.json`),
    /// each with the SHA-256 of its bytes: the record proves what they are.
    #[must_use]
    pub fn files(mut self, files: &[(String, Hash)]) -> Self {
        if !files.is_empty() {
            let listed: Map<String, Value> =
                files.iter().map(|(name, digest)| (name.clone(), Value::from(hex(digest)))).collect();
            self.fields.insert("files".to_owned(), Value::Object(listed));
        }
        self
    }

    pub(super) fn put(&mut self, name: &str, value: Value) {
        let value = match value {
            Value::String(text) => Value::String(text.chars().take(TEXT_CHARS_MAX).collect()),
            other => other,
        };
        self.fields.insert(name.to_owned(), value);
    }

    /// The commitment, and the row beside the record.
    pub(super) fn seal(self, sealer: &dyn Sealer, entry: &TrailEntry) -> Result<(String, DetailRow), SealBroken> {
        let mut opened = Zeroizing::new(vec![0; SALT_BYTES]);
        SystemRandom::new().fill(&mut opened).map_err(|_| SealBroken)?;
        serde_json::to_writer(&mut *opened, &self.fields).map_err(|_| SealBroken)?;
        let patient = self.patient.map(|patient| patient.code(sealer, &entry.practice));
        let sealed = sealer.seal_for(&entry.practice, Purpose::Details, &bound_to(entry, patient.as_ref()), &opened)?;
        Ok((hex(&sha256(&[&opened])), DetailRow { patient, sealed }))
    }
}

/// The salt and the text of a detail, as they were committed to.
pub struct OpenDetail {
    /// The salt.
    pub salt: [u8; SALT_BYTES],
    /// The text, JSON.
    pub text: Zeroizing<String>,
}

/// Opens a record's detail and holds it against the commitment.
pub(super) fn open(sealer: &dyn Sealer, entry: &TrailEntry, row: &DetailRow) -> Result<OpenDetail, SealBroken> {
    let opened = sealer.open(Purpose::Details, &bound_to(entry, row.patient.as_ref()), &row.sealed)?;
    if entry.detail_c.as_deref() != Some(hex(&sha256(&[&opened])).as_str()) {
        return Err(SealBroken);
    }
    let (salt, text) = opened.split_at_checked(SALT_BYTES).ok_or(SealBroken)?;
    Ok(OpenDetail {
        salt: salt.try_into().map_err(|_| SealBroken)?,
        text: Zeroizing::new(std::str::from_utf8(text).map_err(|_| SealBroken)?.to_owned()),
    })
}

/// The code for search is bound as well: a changed one would hide the record from whoever looks for the patient.
fn bound_to(entry: &TrailEntry, patient: Option<&Hash>) -> Vec<u8> {
    let patient = patient.map(Hash::as_slice).unwrap_or_default();
    bind(&[b"detail v1", entry.practice.as_str().as_bytes(), entry.id.as_bytes(), patient])
}
