//! The ledger over a real store, a real wire and a carrier on loopback that is not idempotent.

mod carrier;
mod explore;
mod ledger;
mod packet;
mod put_back;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connector_sdk::AuthorizationRequest;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::Submissions;
use crate::carriers::{CarrierBook, Limits, Loader};
use crate::gateway::{Gateway, Planes};
use crate::identity::{Caller, Identity};
use crate::practice::PracticeId;
use crate::stack::{AnswerCache, Care, Shared};
use crate::store::Store;
use crate::trail::{Actor, Trail};
use crate::vault::Vault;

/// One process' worth of gateway.
struct Stand {
    submissions: Arc<Submissions>,
    trail: Arc<Trail>,
    vault: Arc<Vault>,
    caller: Caller,
    worker: JoinHandle<()>,
}

impl Stand {
    async fn open(dir: &Path, file: (String, String)) -> Self {
        let store = Store::open(&dir.join("store")).unwrap();
        let (vault, _) = Vault::open_or_init(store.clone(), &dir.join("key")).await.unwrap();
        let trail = Trail::new(store.clone(), vault.clone());
        let practice = Identity::new(store.clone(), trail.clone()).ensure_practice("p-1", "One").await.unwrap();
        let loader = Loader { connectors: carrier::CONNECTORS, ..Loader::new(".", Limits::default()) };
        let (book, report) = CarrierBook::from_texts(vec![file], loader);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let cache = Arc::new(AnswerCache::new().unwrap());
        let shared = Shared { cache, ledger: trail.clone(), retry_jitter: Duration::ZERO, care: Care::default() };
        let gateway = Gateway::new(Planes::new(book, vault.clone(), shared), jiff::tz::TimeZone::UTC);
        let submissions = Submissions::open(store, trail.clone(), vault.clone(), gateway).await.unwrap();
        submissions.recover().await.unwrap();
        let worker = tokio::spawn(submissions.clone().work());
        Self { submissions, trail, vault, caller: Caller::command_line(practice), worker }
    }

    fn practice(&self) -> &PracticeId {
        self.caller.practice()
    }

    /// Hands one in under a key of its own.
    async fn submit(&self, key: &str) -> String {
        let taken = self.submissions.accept(&self.caller, key, &ask(key), None).await.unwrap();
        assert!(!taken.before);
        taken.id
    }

    async fn view(&self, id: &str) -> Value {
        serde_json::to_value(self.submissions.get(self.practice(), id).await.unwrap().unwrap()).unwrap()
    }

    /// Waits until the submission looks like this.
    async fn until(&self, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let view = self.view(id).await;
            if is(&view["submission"]) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not come: {}", self.view(id).await["submission"]);
    }

    async fn until_state(&self, id: &str, state: &str) -> Value {
        self.until(id, state, |submission| submission["state"] == state).await
    }

    async fn actions(&self, id: &str) -> Vec<String> {
        let timeline = self.submissions.timeline(self.practice(), id).await.unwrap().unwrap();
        timeline.into_iter().map(|entry| entry.action).collect()
    }

    /// The trail is whole, and no record of it holds anything of the patient.
    async fn close(self) {
        self.worker.abort();
        self.submissions.finish().await;
        let whole = self.trail.verify(self.caller.practice()).await.unwrap();
        assert!(matches!(whole, crate::trail::Verification::Whole { .. }), "{whole:?}");
    }

    async fn credential(&self, host: &str) {
        let fields = [("username", "u"), ("password", "p")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned().into())).into_iter().collect();
        self.vault.put(self.practice(), "toy", fields, &[host.to_owned()], &Actor::command_line()).await.unwrap();
    }
}

/// An ask that differs from others by `of`.
fn ask(of: &str) -> AuthorizationRequest {
    serde_json::from_value(json!({
        "carrier": "toy",
        "requester": { "npi": "1234567893" },
        "member": { "member_id": format!("W-{of}"), "date_of_birth": "1980-01-01" },
        "services": [{ "procedure": { "code": "97110" }, "units": "12", "from": "2026-12-01" }],
        "diagnoses": ["M17.11"]
    }))
    .unwrap()
}
