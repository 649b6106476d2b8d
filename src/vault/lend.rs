//! The vault's one door: lends a credential to the wire for one attempt.

use connector_sdk::{BoxFuture, Result};

use super::{GATEWAY_PRACTICE, Vault};
use crate::carriers::{Carrier, CredentialScope};
use crate::practice::PracticeId;
use crate::wire;

/// Why a credential that the carrier refused is stopped, in the trail and on pages.
const REFUSED: &str = "the carrier refused it";

/// Whose credential a practice uses at a carrier: its own, or the gateway's.
pub fn owner(practice: &PracticeId, carrier: &Carrier) -> PracticeId {
    match carrier.credential {
        CredentialScope::PerPractice => practice.clone(),
        CredentialScope::Gateway => PracticeId::new(GATEWAY_PRACTICE),
    }
}

impl wire::Credentials for Vault {
    fn lease(&self, practice: &PracticeId, carrier: &Carrier) -> Result<wire::Lease> {
        let lease = Vault::lease(self, &owner(practice, carrier), &carrier.id, &carrier.hosts)?;
        Ok(wire::Lease {
            credential_id: lease.credential_id,
            generation: lease.generation,
            fields: lease.fields,
            origins: lease.origins,
        })
    }

    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(Vault::stop(self, credential_id, generation, REFUSED).await?) })
    }
}
