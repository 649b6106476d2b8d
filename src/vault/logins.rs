//! What the carrier counts, durable before the bytes leave: logins under way, steps of one-time codes.

use std::sync::{Arc, PoisonError};

use connector_sdk::{BoxFuture, Error, ErrorKind, Result, Retry};

use super::{Vault, VaultError};
use crate::store;
use crate::store::logins::{self, LoginPlace};
use crate::trail::{Actor, TrailRecord, append};
use crate::wire::{Doubt, LoginMark};

/// How soon to ask again while another sign-in with the same login is under way.
const BUSY: std::time::Duration = std::time::Duration::from_secs(1);

impl Vault {
    /// Makes every credential suspect whose login was under way when an earlier process ended. Call it before the first
    /// question; how many there were.
    ///
    /// # Errors
    /// What the store says; nothing may be asked then.
    pub async fn settle_interrupted(&self) -> std::result::Result<usize, VaultError> {
        let open: Vec<(String, u64)> = {
            let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            let open = rows.values().filter(|row| row.login_at.is_some() && row.state == "active");
            open.map(|row| (row.id.clone(), row.generation)).collect()
        };
        for (id, generation) in &open {
            self.stop(id, *generation, Doubt::Interrupted.word()).await?;
        }
        Ok(open.len())
    }

    /// Notes a login that is about to leave.
    pub(super) async fn login_begins(&self, credential_id: &str, generation: u64) -> Result<LoginMark> {
        let (place, at) = self.take_login(credential_id, generation)?;
        let noted = logins::begin(&self.store, place, at).await;
        match noted {
            Ok(true) => Ok(LoginMark(at)),
            Ok(false) => {
                self.forget_login(credential_id, at);
                Err(Doubt::Refused.error())
            }
            Err(error) => {
                self.forget_login(credential_id, at);
                Err(error.into())
            }
        }
    }

    /// Takes the one login there may be, in memory.
    fn take_login(&self, credential_id: &str, generation: u64) -> Result<(LoginPlace, i64)> {
        let now = store::now();
        self.change_rows(|rows| {
            let row = rows
                .values_mut()
                .find(|row| row.id == credential_id && row.generation == generation && row.state == "active");
            let Some(row) = row else { return Err(Doubt::Refused.error()) };
            if row.login_at.is_some() {
                return Err(Error::new(ErrorKind::Overloaded, "Another sign-in with this login is under way.")
                    .retry(Retry::After(BUSY)));
            }
            row.login_at = Some(now);
            let (practice, carrier) = (row.practice.clone(), row.carrier.clone());
            Ok((LoginPlace { practice, carrier, generation }, now))
        })
    }

    /// The place of the login, where it was still under way.
    fn forget_login(&self, credential_id: &str, at: i64) -> Option<LoginPlace> {
        self.change_rows(|rows| {
            let row = rows.values_mut().find(|row| row.id == credential_id && row.login_at == Some(at))?;
            row.login_at = None;
            let (practice, carrier) = (row.practice.clone(), row.carrier.clone());
            Some(LoginPlace { practice, carrier, generation: row.generation })
        })
    }

    /// How a login ended: in memory at once, durable when the future is done.
    pub(super) fn login_ended(
        &self,
        credential_id: &str,
        LoginMark(at): LoginMark,
        accepted: bool,
    ) -> BoxFuture<'static, Result<()>> {
        let Some(place) = self.forget_login(credential_id, at) else { return Box::pin(async { Ok(()) }) };
        let store = Arc::clone(&self.store);
        if !accepted {
            return Box::pin(async move { Ok(logins::ended(&store, place, at).await?) });
        }
        self.change_rows(|rows| {
            let row = rows.get_mut(&(place.practice.clone(), place.carrier.clone()));
            if let Some(row) = row.filter(|row| row.generation == place.generation && row.state == "active") {
                row.accepted = row.generation;
                row.stage = None;
            }
        });
        let record = TrailRecord::new(&place.practice, &Actor::gateway(), "credential.verified")
            .carrier(&place.carrier)
            .credential(credential_id);
        let record = append(&self.sealer, record);
        Box::pin(async move { Ok(logins::accepted(&store, place, at, record).await?) })
    }

    /// Takes a step of one-time codes for good; `false` when it was taken before.
    pub(super) async fn take_step(&self, credential_id: &str, step: u64) -> Result<bool> {
        let place = {
            let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            let row = rows.values().find(|row| row.id == credential_id);
            row.map(|row| (row.practice.clone(), row.carrier.clone()))
        };
        let Some((practice, carrier)) = place else { return Err(VaultError::Missing.into()) };
        Ok(logins::take_step(&self.store, &practice, &carrier, step).await?)
    }
}
