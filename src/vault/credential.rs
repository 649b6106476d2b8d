//! What is known of a credential without its secrets, and what is lent to the wire.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::keyring::Keyring;
use super::sealing::SealingKey;
use crate::practice::PracticeId;
use crate::store;
use crate::store::credentials::{CredentialRow, FieldRow};
use crate::trail::{Purpose, SealBroken, bind};

/// Most fields of one credential.
const FIELDS_MAX: usize = 32;
/// Longest value, in bytes: room for a certificate with its key.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Names of fields with their values; the values are wiped when dropped.
pub type SecretFields = BTreeMap<String, Zeroizing<String>>;

/// Whether a credential may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// It may.
    Active,
    /// It may not: a login failed, or nobody knows how one ended. A person has it tried once more, or enters a new one.
    Suspect,
    /// It may, for the one try that a person has started.
    Verifying,
    /// It may not: that try was refused, too. Only new values help.
    Disabled,
}

impl CredentialState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspect => "suspect",
            Self::Verifying => "verifying",
            Self::Disabled => "disabled",
        }
    }
}

/// A credential as people see it: no secret, not even its length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialInfo {
    /// `cred_…`, the same for all generations.
    pub id: String,
    /// For which carrier.
    pub carrier: String,
    /// Whether it may be used.
    pub state: CredentialState,
    /// Names of the fields that are filled.
    pub fields: Vec<String>,
    /// Grows with every new set of values.
    pub generation: u64,
    /// The hosts its secrets may go to.
    pub origins: Vec<String>,
    /// When its values were entered.
    pub created_at: Timestamp,
    /// When it was last lent out, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was stopped.
    pub stopped_at: Option<Timestamp>,
    /// When its values end, where a person has said so.
    pub expires_at: Option<Timestamp>,
    /// Why it is stopped, in fixed words.
    pub reason: Option<String>,
}

/// One credential, opened for one attempt. Its values are wiped when it is dropped.
pub struct Lease {
    /// `cred_…`.
    pub credential_id: String,
    /// Which set of values: sessions made with another one are not used.
    pub generation: u64,
    /// Whether a person has them tried again, and the carrier has not accepted them yet.
    pub on_trial: bool,
    /// Names of fields with their values.
    pub fields: SecretFields,
    /// The hosts they may go to, written as in a carrier file, in lower case.
    pub origins: Vec<String>,
}

impl fmt::Debug for Lease {
    /// Names of fields only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("credential_id", &self.credential_id)
            .field("generation", &self.generation)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// What a value is sealed for: it opens nowhere else.
fn bound_to(row: &Place<'_>, field: &str) -> Vec<u8> {
    bind(&[
        b"credential v2",
        row.practice.as_str().as_bytes(),
        row.carrier.as_bytes(),
        row.id.as_bytes(),
        &row.generation.to_be_bytes(),
        row.origins.as_bytes(),
        &row.created_at.to_be_bytes(),
        row.expires_at.map(i64::to_be_bytes).as_ref().map_or(&[], <[u8; 8]>::as_slice),
        row.names.as_bytes(),
        field.as_bytes(),
    ])
}

/// The same before keys had numbers: data key and value apart.
fn early_bound_to(row: &Place<'_>, field: &str, layer: &[u8]) -> Vec<u8> {
    bind(&[
        b"credential v1",
        layer,
        row.practice.as_str().as_bytes(),
        row.carrier.as_bytes(),
        row.id.as_bytes(),
        &row.generation.to_be_bytes(),
        row.origins.as_bytes(),
        field.as_bytes(),
    ])
}

/// Where a value belongs.
pub(super) struct Place<'a> {
    pub(super) practice: &'a PracticeId,
    pub(super) carrier: &'a str,
    pub(super) id: &'a str,
    pub(super) generation: u64,
    /// As stored: the JSON text.
    pub(super) origins: &'a str,
    /// When its values were entered, in microseconds since 1970.
    pub(super) created_at: i64,
    /// When they end, in microseconds since 1970.
    pub(super) expires_at: Option<i64>,
    /// The names of all its fields, as [`names`] gives them: none can be taken away.
    pub(super) names: String,
}

/// Names of fields in one order. They hold no comma.
pub(super) fn names<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    names.join(",")
}

impl<'a> Place<'a> {
    pub(super) fn of(row: &'a CredentialRow) -> Self {
        Self {
            practice: &row.practice,
            carrier: &row.carrier,
            id: &row.id,
            generation: row.generation,
            origins: &row.origins,
            created_at: row.created_at,
            expires_at: row.expires_at,
            names: names(row.fields.iter().map(|field| &field.name)),
        }
    }
}

/// Seals each value under a key of its own, and that key under the practice's.
pub(super) fn seal(keys: &Keyring, place: &Place<'_>, fields: &SecretFields) -> Result<Vec<FieldRow>, SealBroken> {
    let rows = fields.iter().map(|(name, value)| {
        let sealed = keys.seal(place.practice, Purpose::Credentials, &bound_to(place, name), value.as_bytes())?;
        Ok(FieldRow { name: name.clone(), data_key: Vec::new(), sealed })
    });
    rows.collect()
}

/// Opens all fields, or none.
pub(super) fn open(keys: &Keyring, row: &CredentialRow) -> Result<SecretFields, SealBroken> {
    // There is no credential without a field: they were taken away.
    if row.fields.is_empty() {
        return Err(SealBroken);
    }
    let place = Place::of(row);
    let fields = row.fields.iter().map(|field| {
        let value = if field.data_key.is_empty() {
            keys.open_text(Purpose::Credentials, &bound_to(&place, &field.name), &field.sealed)?
        } else {
            open_early(keys, &place, field)?
        };
        let text = std::str::from_utf8(&value).map_err(|_| SealBroken)?;
        Ok((field.name.clone(), Zeroizing::new(text.to_owned())))
    });
    fields.collect()
}

fn open_early(keys: &Keyring, place: &Place<'_>, field: &FieldRow) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
    let wrapping = keys.unnumbered(Purpose::Credentials)?;
    let data_key = wrapping.open_key(&early_bound_to(place, &field.name, b"data key"), &field.data_key)?;
    SealingKey::new(&data_key).open(&early_bound_to(place, &field.name, b"value"), &field.sealed)
}

/// As the early program sealed: for the test that it still opens.
#[cfg(test)]
pub(super) fn seal_early(
    keys: &Keyring,
    place: &Place<'_>,
    fields: &SecretFields,
) -> Result<Vec<FieldRow>, SealBroken> {
    let wrapping = keys.unnumbered(Purpose::Credentials)?;
    let rows = fields.iter().map(|(name, value)| {
        let data_key = super::sealing::random::<{ super::sealing::KEY_BYTES }>()?;
        Ok(FieldRow {
            name: name.clone(),
            data_key: wrapping.seal(&early_bound_to(place, name, b"data key"), data_key.as_ref())?,
            sealed: SealingKey::new(&data_key).seal(&early_bound_to(place, name, b"value"), value.as_bytes())?,
        })
    });
    rows.collect()
}

/// Refuses what cannot be a credential. Names end up in errors and lists, so that they must be plain words.
pub(super) fn check(fields: &SecretFields) -> Result<(), VaultError> {
    let problem = if fields.is_empty() {
        Some("it has no field")
    } else if fields.len() > FIELDS_MAX {
        Some("it has too many fields")
    } else if !fields.keys().all(|name| is_field_name(name)) {
        Some("a field's name may hold small letters, digits and `_`, at most 64 of them")
    } else if fields.values().any(|value| value.is_empty()) {
        Some("a field is empty: leave it out instead")
    } else if fields.values().any(|value| value.len() > VALUE_BYTES_MAX) {
        Some("a field is too long")
    } else {
        None
    };
    problem.map_or(Ok(()), |problem| Err(VaultError::BadField { problem }))
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Hosts in one order and one spelling (small letters, the usual port left out), so that the same list is always the
/// same text.
pub(super) fn pin(hosts: &[String]) -> Vec<String> {
    let spelled = |host: &String| {
        let host = host.trim().to_ascii_lowercase();
        host.strip_suffix(":443").map_or(host.clone(), str::to_owned)
    };
    let mut pinned: Vec<String> = hosts.iter().map(spelled).collect();
    pinned.sort();
    pinned.dedup();
    pinned
}

pub(super) fn pinned(row: &CredentialRow) -> Result<Vec<String>, SealBroken> {
    serde_json::from_str(&row.origins).map_err(|_| SealBroken)
}

pub(super) fn info(row: &CredentialRow) -> CredentialInfo {
    CredentialInfo {
        id: row.id.clone(),
        carrier: row.carrier.clone(),
        state: super::life::state(row),
        fields: row.fields.iter().map(|field| field.name.clone()).collect(),
        generation: row.generation,
        origins: pinned(row).unwrap_or_default(),
        created_at: store::time(row.created_at),
        last_used_at: row.last_used_at.map(store::time),
        stopped_at: row.stopped_at.map(store::time),
        expires_at: row.expires_at.map(store::time),
        reason: row.reason.clone(),
    }
}
