//! What is kept beside a submission's records, for evidence packets: the ask, the message as it was written down before it
//! was sent, what was exchanged in every attempt and every inquiry, the answer, and why a person decided as they did.

use std::sync::Arc;

use connector_sdk::BoxFuture;
use zeroize::Zeroizing;

use super::Submissions;
use super::books::Books;
use crate::packets::Beside;
use crate::practice::PracticeId;
use crate::store::{Store, StoreError};
use crate::trail::Trail;

/// Opens what is kept of submissions, also where no gateway runs.
pub struct Kept(Books);

impl Kept {
    /// Of this store.
    pub fn new(store: Arc<Store>, trail: Arc<Trail>) -> Self {
        let sealer = trail.shared_sealer();
        Self(Books::new(store, trail, sealer))
    }
}

impl Submissions {
    /// What is kept of them.
    pub fn kept(&self) -> Kept {
        Kept(self.books.clone())
    }
}

impl Beside for Kept {
    fn file<'a>(
        &'a self,
        practice: &'a PracticeId,
        ask: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<Vec<u8>>>, StoreError>> {
        Box::pin(self.0.file(practice, ask, name))
    }
}
