//! By whom and where patients are seen, as the day's own appointments say it: what a list can be narrowed to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::visit::Visit;
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::trail::{Purpose, SealBroken, Sealer, bind};

/// Providers or locations offered at most.
const OFFERED_MAX: usize = 100;
/// Bytes of the code that stands for a name.
const CODE_BYTES: usize = 8;

/// A provider or a location of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Choice {
    /// Stands for it in an address: the name comes from another system and may be anything.
    pub code: String,
    /// As the appointments have it.
    pub name: String,
    /// How many appointments of the day, those that vanished included.
    pub appointments: usize,
}

/// Which appointments of a day are meant; a code that nothing of the day has means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Only {
    /// [`Choice::code`] of a provider.
    pub provider: Option<String>,
    /// [`Choice::code`] of a location.
    pub location: Option<String>,
}

/// What can be chosen on a day.
#[derive(Default)]
pub(super) struct Places {
    pub providers: Vec<Choice>,
    pub locations: Vec<Choice>,
}

impl Visit {
    /// Who is seen, by name, else by NPI.
    pub fn seen_by(&self) -> Option<String> {
        self.provider.clone().or_else(|| self.provider_npi.as_ref().map(|npi| format!("NPI {npi}")))
    }
}

impl Places {
    /// Of these visits.
    pub(super) fn of<'a>(
        sealer: &dyn Sealer,
        practice: &PracticeId,
        visits: impl Iterator<Item = &'a Visit> + Clone,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            providers: choices(sealer, practice, b"provider", visits.clone().filter_map(Visit::seen_by))?,
            locations: choices(sealer, practice, b"location", visits.filter_map(|visit| visit.location.clone()))?,
        })
    }

    /// Whether a visit is among those that are meant.
    pub(super) fn fits(&self, only: &Only, visit: &Visit) -> bool {
        let named = |choices: &[Choice], code: &Option<String>| {
            let code = code.as_ref()?;
            choices.iter().find(|choice| choice.code == *code).map(|choice| choice.name.clone())
        };
        let provider = named(&self.providers, &only.provider);
        let location = named(&self.locations, &only.location);
        provider.is_none_or(|name| visit.seen_by() == Some(name))
            && location.is_none_or(|name| visit.location == Some(name))
    }

    /// What is meant, without codes that nothing has.
    pub(super) fn known(&self, only: &Only) -> Only {
        let known = |choices: &[Choice], code: &Option<String>| {
            code.clone().filter(|code| choices.iter().any(|choice| choice.code == *code))
        };
        Only { provider: known(&self.providers, &only.provider), location: known(&self.locations, &only.location) }
    }
}

/// Each name once, in order, with its code.
fn choices(
    sealer: &dyn Sealer,
    practice: &PracticeId,
    kind: &[u8],
    names: impl Iterator<Item = String>,
) -> Result<Vec<Choice>, StoreError> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counted.entry(name).or_insert(0) += 1;
    }
    let code = |name: &str| {
        let text = bind(&[b"schedule place v1", practice.as_str().as_bytes(), kind, name.as_bytes()]);
        let code = sealer.try_mac(Purpose::Patients, &text);
        let code = code.map_err(|SealBroken| StoreError::Damaged { what: "a code cannot be made" })?;
        Ok::<_, StoreError>(code.iter().take(CODE_BYTES).map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let made = counted.into_iter().take(OFFERED_MAX);
    made.map(|(name, appointments)| Ok(Choice { code: code(&name)?, name, appointments })).collect()
}
