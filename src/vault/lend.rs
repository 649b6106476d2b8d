//! The vault's one door: lends a credential to the wire for one attempt.

use connector_sdk::{BoxFuture, Result};
use zeroize::Zeroizing;

use super::{GATEWAY_PRACTICE, Vault};
use crate::carriers::{Carrier, CredentialScope};
use crate::practice::PracticeId;
use crate::trail::Actor;
use crate::wire::{self, Doubt, LoginMark};

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
            on_trial: lease.on_trial,
            fields: lease.fields,
            origins: lease.origins,
        })
    }

    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64, why: Doubt) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(Vault::stop(self, credential_id, generation, why.word()).await?) })
    }

    fn login_begins<'a>(&'a self, credential_id: &'a str, generation: u64) -> BoxFuture<'a, Result<LoginMark>> {
        Box::pin(Vault::login_begins(self, credential_id, generation))
    }

    fn login_ended(&self, credential_id: &str, mark: LoginMark, accepted: bool) -> BoxFuture<'static, Result<()>> {
        Vault::login_ended(self, credential_id, mark, accepted)
    }

    fn take_step<'a>(&'a self, credential_id: &'a str, step: u64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(Vault::take_step(self, credential_id, step))
    }

    fn replace<'a>(
        &'a self,
        credential_id: &'a str,
        generation: u64,
        field: &'a str,
        value: Zeroizing<String>,
        by: &'a Actor,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Ok(Vault::replace(self, credential_id, generation, field, value, by).await?) })
    }
}
