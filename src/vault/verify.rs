//! Finding what does not hold: credentials that do not open, and those whose state is not what the paper trail says.

use std::collections::{BTreeMap, BTreeSet};

use super::credential;
use super::error::VaultError;
use super::keyring::{BadKey, FIRST, Keyring, number};
use super::ways::{self, Way, is_ours};
use super::{GATEWAY_PRACTICE, Vault};
use crate::practice::PracticeId;
use crate::store::trail::{DetailedRow, walk};
use crate::store::vault::{self as rows, WrappingRow};
use crate::store::{credentials, credentials::CredentialRow};
use crate::store::{keys, rewrap};
use crate::trail::TrailEntry;

/// Something in the vault that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose.
    pub practice: PracticeId,
    /// The carrier of the credential; `None`: a key.
    pub carrier: Option<String>,
    /// What is wrong, one sentence with how to mend it.
    pub text: String,
}

/// What the trail says of one credential.
#[derive(Default)]
struct Told {
    carrier: String,
    /// `None`: a record was read whose meaning for it this program does not know.
    state: Option<&'static str>,
    /// Whether a person has the refused values tried once more, and the carrier has not accepted them yet.
    on_trial: bool,
    /// Whether that try was refused.
    disabled: bool,
    /// How often new values were entered, or the old ones enabled again.
    generations: u64,
}

impl Vault {
    /// All practices, the gateway's own included: for whoever runs the gateway.
    ///
    /// # Errors
    /// What the store says.
    pub async fn practices(&self) -> Result<Vec<PracticeId>, VaultError> {
        Ok(keys::practices(&self.store).await?.into_iter().map(|row| row.id).collect())
    }

    /// Opens every stored credential of a practice without showing any, and holds what stands beside the values against the
    /// paper trail: state and generation. What is wrong, by carrier. Whether the trail itself is whole is for
    /// [`crate::trail::Trail::verify`] to say.
    ///
    /// # Errors
    /// What the store says.
    pub async fn faults(&self, practice: &PracticeId) -> Result<Vec<Fault>, VaultError> {
        let ring = self.keys.opened()?;
        let stored = credentials::list_all(&self.store, practice).await?;
        let (_, told) = walk(&self.store, practice, BTreeMap::<String, Told>::new(), take).await?;
        let mut faults = Vec::new();
        for row in &stored {
            if let Some(text) = fault(&ring, row, told.get(&row.id)) {
                faults.push(Fault { practice: practice.clone(), carrier: Some(row.carrier.clone()), text });
            }
        }
        let gone = |(id, _): &(&String, &Told)| !stored.iter().any(|row| row.id == **id);
        faults.extend(told.iter().filter(gone).map(|(_, told)| Fault {
            practice: practice.clone(),
            carrier: Some(told.carrier.clone()),
            text: "stands in the trail, but is gone from the vault. Enter it again.".to_owned(),
        }));
        let strays = credentials::stray_values(&self.store, practice).await?;
        faults.extend(
            strays.into_iter().map(|carrier| Fault {
                practice: practice.clone(),
                carrier: Some(carrier),
                text: "has values that belong to no credential: they were put in past the gateway. Enter it again."
                    .to_owned(),
            }),
        );
        faults.sort_by(|a, b| a.carrier.cmp(&b.carrier));
        Ok(faults)
    }

    /// Looks at every stored key and at every way to the root key, those whose secret is not at hand included. Says how
    /// many keys there are, and by which ways the vault opens.
    ///
    /// # Errors
    /// [`VaultError::WayBroken`], [`VaultError::KeyBroken`]: the first that does not hold; else what the store says.
    pub async fn check_keys(&self) -> Result<(usize, Vec<Way>), VaultError> {
        // Read together: no rotation comes in between.
        let (ring, stored, settled, told) = {
            let _changing = self.keys.changing().await;
            let stored = rows::keys(&self.store).await?;
            let settled = rows::cursor(&self.store).await?.is_none();
            let gateway = PracticeId::new(GATEWAY_PRACTICE);
            let (_, told) = walk(&self.store, &gateway, ToldOfKeys::default(), take_keys).await?;
            (self.keys.opened()?, stored, settled, told)
        };
        if let Some(way) = broken_way(&ring, &stored.wrappings, &told.ways) {
            return Err(VaultError::WayBroken { way });
        }
        let opened = Keyring::open(ring.root().clone(), ring.version, &stored.keys);
        let opened = opened.map_err(|BadKey(id)| VaultError::KeyBroken { id })?;
        let in_texts = rewrap::marks(&self.store).await?;
        // A text may stand under a key that was made since.
        let (known, now) = (opened.numbers(), self.keys.opened()?.numbers());
        let in_texts = in_texts.iter().filter_map(|mark| number(mark)).filter(|id| !now.contains(id));
        if let Some(id) = ring.numbers().into_iter().chain(told.keys).chain(in_texts).find(|id| !known.contains(id)) {
            return Err(VaultError::KeyBroken { id: id.into() });
        }
        // Older keys are erased in the same step in which re-wrapping ends.
        if let Some(id) = opened.older().into_iter().next().filter(|_| settled) {
            return Err(VaultError::KeyBroken { id: id.into() });
        }
        Ok((stored.keys.len(), Self::ways(&self.store).await?))
    }
}

fn fault(ring: &Keyring, row: &CredentialRow, told: Option<&Told>) -> Option<String> {
    if row.state != "deleted" && credential::open(ring, row).is_err() {
        return Some("does not open: it was changed, or moved. Enter it again.".to_owned());
    }
    let Some(told) = told else {
        return Some("stands in no record of the trail: it was put in past the gateway. Enter it again.".to_owned());
    };
    if told.carrier != row.carrier {
        return Some("stands under another carrier in the trail: it was moved. Enter it again.".to_owned());
    }
    let state = told.state?;
    if state != row.state {
        return Some(format!(
            "is {} here, but {state} in the trail: it was changed past the gateway. Enter it again.",
            row.state
        ));
    }
    if !stage_fits(row, told) {
        return Some(
            "is not at the stage that the trail has: it was changed past the gateway. Enter it again.".to_owned(),
        );
    }
    (told.generations != row.generation).then(|| {
        format!(
            "is generation {}, but the trail has {}: an older one was put back. Enter it again.",
            row.generation, told.generations
        )
    })
}

/// Whether the stage of a credential is one that it may have after what the trail tells.
fn stage_fits(row: &CredentialRow, told: &Told) -> bool {
    match (row.state.as_str(), row.stage.as_deref()) {
        ("active", None) => !told.on_trial,
        ("active", Some("verifying")) => told.on_trial,
        // Before there were stages, what was stopped had none.
        ("stopped", None | Some("suspect")) => !told.disabled,
        ("stopped", Some("disabled")) => told.disabled,
        ("deleted", _) => true,
        _ => false,
    }
}

/// What the trail tells of each way: the beginning of its row's code.
type Ways = BTreeMap<String, String>;

/// What the gateway's trail tells of the vault's keys.
#[derive(Default)]
struct ToldOfKeys {
    ways: Ways,
    /// Numbers of the keys that were made by the last rotation and since: none of them was erased.
    keys: BTreeSet<u32>,
}

/// The first way that is changed, gone, put in past the gateway, or an earlier one than the trail tells of.
fn broken_way(ring: &Keyring, stored: &[WrappingRow], told: &Ways) -> Option<String> {
    let fits = |row: &&WrappingRow| {
        let code = told.get(&row.way).map(|code| format!("{}-{code}", row.way));
        is_ours(ring, row) && code == Some(ways::told(std::slice::from_ref(*row)))
    };
    let is_there = |way: &&String| stored.iter().any(|row| row.way == **way);
    let changed = stored.iter().find(|row| !fits(row)).map(|row| row.way.clone());
    changed.or_else(|| told.keys().find(|way| !is_there(way)).cloned())
}

fn take_keys(told: &mut ToldOfKeys, row: &DetailedRow) -> bool {
    if !row.record.body.contains("\"vault.") {
        return true;
    }
    let Ok(entry) = serde_json::from_str::<TrailEntry>(&row.record.body) else { return true };
    let subject = entry.subject_id.unwrap_or_default();
    match entry.action.as_str() {
        "vault.made" | "vault.renewed" | "vault.root_rotated" | "vault.way_set" => {
            if matches!(entry.action.as_str(), "vault.made" | "vault.renewed") {
                // The gateway's own, beside the first.
                told.keys = BTreeSet::from([FIRST + 1]);
            }
            let each = subject.split('.').filter_map(|way| way.split_once('-'));
            told.ways.extend(each.map(|(way, code)| (way.to_owned(), code.to_owned())));
        }
        "vault.way_dropped" => drop(told.ways.remove(&subject)),
        "vault.key_made" => told.keys.extend(subject.strip_prefix("vault-key-").and_then(|id| id.parse::<u32>().ok())),
        "vault.keys_rotated" => {
            let range = subject.strip_prefix("vault-keys-").and_then(|ids| ids.split_once('-'));
            let range = range.and_then(|(first, last)| Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?));
            told.keys = range.into_iter().flatten().collect();
        }
        _ => {}
    }
    true
}

fn take(told: &mut BTreeMap<String, Told>, row: &DetailedRow) -> bool {
    if !row.record.body.contains("\"credential.") {
        return true;
    }
    let Ok(entry) = serde_json::from_str::<TrailEntry>(&row.record.body) else { return true };
    let Some(id) = entry.credential_id else { return true };
    let known = told.entry(id).or_default();
    known.carrier = entry.carrier.unwrap_or_default();
    match entry.action.as_str() {
        action @ ("credential.put" | "credential.enabled") => {
            known.generations += 1;
            known.state = Some("active");
            known.on_trial = action == "credential.enabled";
            known.disabled = false;
        }
        "credential.verified" => known.on_trial = false,
        "credential.stopped" => {
            known.state = Some("stopped");
            known.on_trial = false;
            known.disabled = entry.subject_id.as_deref() == Some("disabled");
        }
        "credential.deleted" => known.state = Some("deleted"),
        _ => known.state = None,
    }
    true
}
