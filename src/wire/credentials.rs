//! What the wire needs from the vault: a lease on one practice's credential, and a way to stop it for good.

use std::collections::BTreeMap;
use std::fmt;

use connector_sdk::{BoxFuture, Result};
use zeroize::Zeroizing;

use crate::carriers::Carrier;
use crate::practice::PracticeId;

/// The vault as the wire sees it.
pub trait Credentials: Send + Sync {
    /// Opens the credential this practice uses at this carrier.
    ///
    /// # Errors
    /// [`connector_sdk::ErrorKind::CredentialMissing`] when there is none, or a field the carrier needs is not filled;
    /// [`connector_sdk::ErrorKind::CredentialRejected`] when it is stopped.
    fn lease(&self, practice: &PracticeId, carrier: &Carrier) -> Result<Lease>;

    /// Stops a credential because the carrier refused it, durably: once this returns `Ok`, no lease on this generation
    /// is given out any more, not even after a restart, until a person re-enables it or enters a new one.
    ///
    /// # Errors
    /// [`connector_sdk::ErrorKind::Internal`] when it could not be stored.
    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64) -> BoxFuture<'a, Result<()>>;
}

/// One credential, opened for one attempt. The values are wiped from memory when the last user is done.
pub struct Lease {
    /// Ours, free of meaning.
    pub credential_id: String,
    /// Grows with every change of the credential: sessions and tokens made with an older one are not used.
    pub generation: u64,
    /// `username`, `password`, `totp_seed` … with their values.
    pub fields: BTreeMap<String, Zeroizing<String>>,
    /// Pinned hosts, written as in a carrier file's `hosts`: the secrets go nowhere else, whatever the file says later.
    pub origins: Vec<String>,
}

impl Lease {
    /// The value of a field; `None` when the credential has no such field or it is empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Lease {
    /// Names of fields only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("credential_id", &self.credential_id)
            .field("generation", &self.generation)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("origins", &self.origins)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_values() {
        let lease = Lease {
            credential_id: "c-1".into(),
            generation: 1,
            fields: BTreeMap::from([("password".to_owned(), Zeroizing::new("canary-of-the-vault".to_owned()))]),
            origins: vec![],
        };
        let text = format!("{lease:?}");
        assert!(text.contains("password"));
        assert!(!text.contains("canary"));
    }
}
