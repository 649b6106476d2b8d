//! One value of a credential changed by a person in the middle of a sign-in: the carrier has just taken it.

use std::sync::PoisonError;

use zeroize::Zeroizing;

use super::{Vault, VaultError, credential};
use crate::trail::Actor;

impl Vault {
    /// Stores a new value of one field as the credential's next generation, through the same door as [`Vault::put`]: sealed,
    /// recorded, pinned to the same hosts. The other fields stay; a known end of the old values does not. The new
    /// generation's number.
    ///
    /// # Errors
    /// [`VaultError::Missing`] when the credential has no such generation any more; [`VaultError::Tampered`],
    /// [`VaultError::BadField`], or what the store says.
    pub async fn replace(
        &self,
        credential_id: &str,
        generation: u64,
        field: &str,
        value: Zeroizing<String>,
        by: &Actor,
    ) -> Result<u64, VaultError> {
        let row = {
            let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            rows.values().find(|row| row.id == credential_id && row.generation == generation).cloned()
        };
        let row = row.ok_or(VaultError::Missing)?;
        let mut fields = credential::open(self.keys.opened()?.as_ref(), &row)?;
        fields.insert(field.to_owned(), value);
        let origins = credential::pinned(&row)?;
        let info = self.put(&row.practice, &row.carrier, fields, &origins, by).await?;
        Ok(info.generation)
    }
}
