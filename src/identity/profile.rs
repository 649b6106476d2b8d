//! What a practice says of itself: NPIs, Tax ID, locations. Sealed at rest.

use connector_sdk::ask::{FieldProblem, check_npi};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::declined::Declined;
use super::{Caller, Identity};
use crate::practice::PracticeId;
use crate::store::{self, StoreError, sessions};
use crate::trail::{Purpose, TrailRecord, bind};

/// Most NPIs or locations of one practice.
const LIST_MAX: usize = 500;
/// Longest text of a field, characters.
pub(super) const TEXT_MAX: usize = 200;

/// A practice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeProfile {
    /// What people call it.
    pub name: String,
    /// Its National Provider Identifiers: the organisation's, and those of its providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub npis: Vec<Npi>,
    /// Tax ID (EIN, or a social security number): nine digits, written with or without dashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// Where it sees patients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

/// A National Provider Identifier and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Npi {
    /// Ten digits; the last one is a check digit.
    pub npi: String,
    /// Whose.
    pub name: String,
    /// Ten-character code of the Health Care Provider Taxonomy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxonomy: Option<String>,
}

/// A place where the practice sees patients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// What people call it.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state: String,
    /// Five or nine digits.
    pub zip: String,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl PracticeProfile {
    /// Everything that is wrong with it; `under` is the place in the request. No message repeats a value.
    pub fn problems(&self, under: &str) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        text(&mut found, format!("{under}/name"), &self.name, true);
        for (list, length) in [("npis", self.npis.len()), ("locations", self.locations.len())] {
            if length > LIST_MAX {
                found.push(FieldProblem::new(format!("{under}/{list}"), format!("At most {LIST_MAX} are kept.")));
            }
        }
        for (place, npi) in self.npis.iter().enumerate() {
            if let Err(message) = check_npi(&npi.npi) {
                found.push(FieldProblem::new(format!("{under}/npis/{place}/npi"), message));
            }
            if self.npis.iter().take(place).any(|before| before.npi == npi.npi) {
                found
                    .push(FieldProblem::new(format!("{under}/npis/{place}/npi"), "This NPI stands in the list twice."));
            }
            text(&mut found, format!("{under}/npis/{place}/name"), &npi.name, true);
            let code = |code: &String| code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if npi.taxonomy.as_ref().is_some_and(|taxonomy| !code(taxonomy)) {
                let message = "A taxonomy code has ten letters and digits.";
                found.push(FieldProblem::new(format!("{under}/npis/{place}/taxonomy"), message));
            }
        }
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if self.tax_id.as_deref().is_some_and(|id| digits(id) != 9 || !plain(id)) {
            found.push(FieldProblem::new(format!("{under}/tax_id"), "A Tax ID has nine digits."));
        }
        for (place, location) in self.locations.iter().enumerate() {
            location.problems(&format!("{under}/locations/{place}"), &mut found);
        }
        found
    }
}

impl Location {
    fn problems(&self, under: &str, found: &mut Vec<FieldProblem>) {
        for (name, value) in [("name", &self.name), ("street", &self.street), ("city", &self.city)] {
            text(found, format!("{under}/{name}"), value, true);
        }
        if let Some(phone) = &self.phone {
            text(found, format!("{under}/phone"), phone, false);
        }
        if self.state.len() != 2 || !self.state.bytes().all(|byte| byte.is_ascii_uppercase()) {
            found.push(FieldProblem::new(format!("{under}/state"), "A state has two capital letters."));
        }
        let digits: String = self.zip.chars().filter(|letter| *letter != '-').collect();
        if !matches!(digits.len(), 5 | 9) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            found.push(FieldProblem::new(format!("{under}/zip"), "A ZIP code has five or nine digits."));
        }
    }
}

/// A text of people: bounded, and without what would break a line elsewhere.
pub(super) fn text(found: &mut Vec<FieldProblem>, path: String, value: &str, needed: bool) {
    if needed && value.trim().is_empty() {
        found.push(FieldProblem::new(path, "This is empty."));
    } else if value.chars().count() > TEXT_MAX || value.chars().any(char::is_control) {
        let message =
            format!("This has {TEXT_MAX} characters at most, and no line breaks or other control characters.");
        found.push(FieldProblem::new(path, message));
    }
}

impl Identity {
    /// What the caller's practice says of itself.
    ///
    /// # Errors
    /// What the store says.
    pub async fn practice(&self, practice: &PracticeId) -> Result<PracticeProfile, Declined> {
        let (name, sealed) = sessions::profile(&self.store, practice).await?.ok_or(Declined::NotFound)?;
        let Some(sealed) = sealed else { return Ok(PracticeProfile { name, ..PracticeProfile::default() }) };
        let opened = self.trail.sealer().open(Purpose::Identity, &bound_to(practice), &sealed)?;
        let damaged = StoreError::Damaged { what: "a practice's profile cannot be read" };
        serde_json::from_slice(&opened).map_err(|_| Declined::Store(damaged))
    }

    /// Changes it as a whole.
    ///
    /// # Errors
    /// [`Declined::Problems`], or what the store says.
    pub async fn put_practice(&self, caller: &Caller, profile: &PracticeProfile) -> Result<(), Declined> {
        let problems = profile.problems("");
        if !problems.is_empty() {
            return Err(Declined::Problems(problems));
        }
        let practice = caller.practice();
        let sealed = self.seal_profile(practice, profile)?;
        let record = self.trail.link(TrailRecord::new(practice, &caller.actor(), "practice.changed"));
        sessions::put_profile(&self.store, practice, profile.name.clone(), sealed, store::now(), record).await?;
        Ok(())
    }

    pub(super) fn seal_profile(&self, practice: &PracticeId, profile: &PracticeProfile) -> Result<Vec<u8>, Declined> {
        let text = zeroize::Zeroizing::new(serde_json::to_vec(profile).unwrap_or_default());
        Ok(self.trail.sealer().seal_for(practice, Purpose::Identity, &bound_to(practice), &text)?)
    }
}

fn bound_to(practice: &PracticeId) -> Vec<u8> {
    bind(&[b"practice profile v1", practice.as_str().as_bytes()])
}
