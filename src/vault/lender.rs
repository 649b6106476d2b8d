//! The vault as the wire asks for it.

use connector_sdk::{BoxFuture, Error, Result};

use super::{GATEWAY_PRACTICE, Vault};
use crate::carriers::{Carrier, CredentialScope};
use crate::practice::PracticeId;
use crate::wire::{Credentials, Lease};

/// Why a credential is stopped, as people read it.
const REFUSED: &str = "the carrier refused it";

impl Credentials for Vault {
    fn lease(&self, practice: &PracticeId, carrier: &Carrier) -> Result<Lease> {
        let lease = match carrier.credential {
            CredentialScope::PerPractice => Vault::lease(self, practice, &carrier.id, &carrier.hosts),
            CredentialScope::Gateway => {
                Vault::lease(self, &PracticeId::new(GATEWAY_PRACTICE), &carrier.id, &carrier.hosts)
            }
        };
        let super::Lease { credential_id, generation, fields, origins } = lease.map_err(Error::from)?;
        Ok(Lease { credential_id, generation, fields, origins })
    }

    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Vault::stop(self, credential_id, generation, REFUSED).await.map_err(Error::from) })
    }
}
