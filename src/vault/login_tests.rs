//! What outlives a kill: a login under way, the last step of one-time codes, what a person's one try led to.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::store::keys;
use crate::wire::{self, Doubt};

struct Rig {
    dir: tempfile::TempDir,
    vault: Arc<Vault>,
}

fn practice() -> PracticeId {
    PracticeId::new("p-1")
}

async fn open(dir: &tempfile::TempDir) -> Arc<Vault> {
    // What the vault notes in the background may hold the store for a moment after the vault is gone.
    let mut tries = 0;
    let store = loop {
        match Store::open(&dir.path().join("data")) {
            Ok(store) => break store,
            Err(StoreError::Locked { .. }) if tries < 100 => tries += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let (vault, _) = Vault::open_or_init(Arc::clone(&store), &dir.path().join("secrets/key")).await.unwrap();
    let row = keys::PracticeRow { id: practice(), name: "One".into() };
    keys::ensure_practice(&store, row, 1).await.unwrap();
    vault
}

impl Rig {
    async fn new() -> (Self, CredentialInfo) {
        let dir = tempfile::tempdir().unwrap();
        let vault = open(&dir).await;
        let rig = Self { dir, vault };
        let info = rig.put().await;
        (rig, info)
    }

    async fn put(&self) -> CredentialInfo {
        let fields = [("password".to_owned(), Zeroizing::new("p".to_owned()))].into();
        self.vault.put(&practice(), "acme", fields, &["acme.example".into()], &Actor::command_line()).await.unwrap()
    }

    /// As after a kill: what was not durable is gone.
    async fn restart(self) -> Self {
        let Self { dir, vault } = self;
        drop(vault);
        let vault = open(&dir).await;
        vault.settle_interrupted().await.unwrap();
        Self { dir, vault }
    }

    fn state(&self) -> (CredentialState, Option<String>) {
        let info = self.vault.info(&practice(), "acme").unwrap();
        (info.state, info.reason)
    }

    fn lease(&self) -> Result<Lease, VaultError> {
        self.vault.lease(&practice(), "acme", &["acme.example".into()])
    }

    async fn begin(&self, info: &CredentialInfo, generation: u64) -> wire::LoginMark {
        self.vault.login_begins(&info.id, generation).await.unwrap()
    }
}

#[tokio::test]
async fn a_login_under_way_at_a_kill_makes_the_credential_suspect() {
    let (rig, info) = Rig::new().await;
    rig.begin(&info, 1).await;
    assert!(rig.vault.login_begins(&info.id, 1).await.is_err(), "one at a time");
    let rig = rig.restart().await;
    assert_eq!(rig.state(), (CredentialState::Suspect, Some(Doubt::Interrupted.word().to_owned())));
    assert_eq!(rig.lease().unwrap_err(), VaultError::Stopped);
    // Twice restarted is still once interrupted, and one that ended is none.
    let rig = rig.restart().await;
    assert_eq!(rig.state().0, CredentialState::Suspect);
    assert!(rig.vault.enable(&practice(), "acme", &Actor::command_line()).await.unwrap());
    let mark = rig.begin(&info, 2).await;
    rig.vault.login_ended(&info.id, mark, false).await.unwrap();
    let rig = rig.restart().await;
    assert_eq!(rig.state(), (CredentialState::Verifying, None));
    assert!(rig.lease().unwrap().on_trial, "on trial");
    let mark = rig.begin(&info, 2).await;
    rig.vault.login_ended(&info.id, mark, true).await.unwrap();
    let rig = rig.restart().await;
    assert_eq!(rig.state(), (CredentialState::Active, None));
    assert!(!rig.lease().unwrap().on_trial, "accepted");
}

#[tokio::test]
async fn a_refused_try_disables_and_one_without_a_verdict_does_not() {
    let (rig, info) = Rig::new().await;
    for (generation, why, state) in [
        (1, Doubt::Refused, CredentialState::Suspect),
        (2, Doubt::NoReply, CredentialState::Suspect),
        (3, Doubt::Refused, CredentialState::Disabled),
    ] {
        rig.begin(&info, generation).await;
        rig.vault.stop(&info.id, generation, why.word()).await.unwrap();
        assert_eq!(rig.state(), (state, Some(why.word().to_owned())));
        let enabled = rig.vault.enable(&practice(), "acme", &Actor::command_line()).await.unwrap();
        assert_eq!(enabled, state == CredentialState::Suspect);
    }
    let rig = rig.restart().await;
    assert_eq!((rig.state().0, rig.lease().unwrap_err()), (CredentialState::Disabled, VaultError::Disabled));
    assert_eq!(rig.put().await.state, CredentialState::Active);
    // A late end of an old login changes nothing of the new values.
    let rig = rig.restart().await;
    assert_eq!(rig.state().0, CredentialState::Active);
}

#[tokio::test]
async fn no_step_is_taken_twice_not_even_after_a_kill_or_with_new_values() {
    let (rig, info) = Rig::new().await;
    assert!(rig.vault.take_step(&info.id, 100).await.unwrap());
    assert!(!rig.vault.take_step(&info.id, 100).await.unwrap());
    let rig = rig.restart().await;
    rig.put().await;
    for (step, free) in [(99, false), (100, false), (101, true), (101, false)] {
        assert_eq!(rig.vault.take_step(&info.id, step).await.unwrap(), free, "{step}");
    }
}
