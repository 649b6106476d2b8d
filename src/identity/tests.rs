use std::sync::Arc;

use super::*;
use crate::practice::PracticeId;
use crate::store::{Store, StoreError};
use crate::trail::{Actor, Filter, Trail};
use crate::vault::Vault;

pub(super) struct Rig {
    pub(super) store: Arc<Store>,
    pub(super) trail: Arc<Trail>,
    pub(super) identity: Arc<Identity>,
    pub(super) practice: PracticeId,
}

pub(super) async fn rig() -> Rig {
    let store = Store::open_temporary().unwrap();
    let vault = Vault::open_temporary(Arc::clone(&store)).await.unwrap();
    let trail = Trail::new(Arc::clone(&store), vault);
    let identity = Identity::new(Arc::clone(&store), Arc::clone(&trail));
    let practice = identity.ensure_practice("p-1", "One").await.unwrap();
    Rig { store, trail, identity, practice }
}

impl Rig {
    async fn key(&self, scopes: &[Scope]) -> NewApiKey {
        self.identity.create_key(&self.practice, "front desk", scopes, &Actor::command_line()).await.unwrap()
    }

    async fn try_key(&self, key: &str) -> Result<Caller, AuthError> {
        self.identity.authenticate(Some(&format!("Bearer {key}"))).await
    }
}

#[tokio::test]
async fn a_key_is_a_caller_with_its_scopes() {
    let rig = rig().await;
    let new = rig.key(&[Scope::Ask, Scope::Carriers]).await;
    assert!(new.key.starts_with("pk_live_") && new.key.len() == 51);
    for round in 0..2 {
        let caller = rig.try_key(&new.key).await.unwrap();
        assert_eq!((caller.practice(), caller.id()), (&rig.practice, new.id.as_str()), "round {round}");
        assert!(caller.may(Scope::Ask) && !caller.may(Scope::Raw) && !caller.may(Scope::Admin));
    }
    assert!(!format!("{new:?}").contains(new.key.as_str()));
    let other = rig.key(&[]).await;
    assert_ne!(other.key.as_str(), new.key.as_str());
    assert!(!rig.try_key(&other.key).await.unwrap().may(Scope::Ask));
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let rig = rig().await;
    let new = rig.key(&[Scope::Ask]).await;
    for header in [None, Some(""), Some("Bearer"), Some("Basic cGs6"), Some("pk_live_x")] {
        assert_eq!(rig.identity.authenticate(header).await, Err(AuthError::Missing), "{header:?}");
    }
    let mut changed = new.key.as_str().to_owned();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    let long = format!("{}A", new.key.as_str());
    let other = format!("pk_live_{}", "A".repeat(43));
    for key in [changed.as_str(), long.as_str(), other.as_str(), "pk_live_", "ü", &new.id] {
        assert_eq!(rig.try_key(key).await, Err(AuthError::Unknown));
    }
    assert!(rig.identity.authenticate(Some(&format!("bearer  {}", new.key.as_str()))).await.is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_also_when_it_was_remembered() {
    let rig = rig().await;
    let new = rig.key(&[Scope::Ask]).await;
    rig.try_key(&new.key).await.unwrap();
    let other = rig.identity.ensure_practice("p-2", "Two").await.unwrap();
    assert!(!rig.identity.revoke_key(&other, &new.id, &Actor::command_line()).await.unwrap());
    rig.try_key(&new.key).await.unwrap();
    assert!(rig.identity.revoke_key(&rig.practice, &new.id, &Actor::command_line()).await.unwrap());
    assert_eq!(rig.try_key(&new.key).await, Err(AuthError::Unknown));
    let listed = rig.identity.list_keys(&rig.practice).await.unwrap();
    assert!(listed[0].revoked_at.is_some());
    let entries = rig.trail.list(&rig.practice, Filter::default(), 10).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["key.revoked", "key.created"]);
    assert!(entries.iter().all(|entry| entry.subject_id.as_deref() == Some(new.id.as_str())));
}

#[tokio::test]
async fn keys_belong_to_practices_that_exist() {
    let rig = rig().await;
    let nobody = PracticeId::new("nobody");
    let result = rig.identity.create_key(&nobody, "x", &[Scope::Ask], &Actor::command_line()).await;
    assert_eq!(result.err(), Some(StoreError::Conflict));
    for id in ["", "a b", "ü", "../x"] {
        assert!(rig.identity.ensure_practice(id, "x").await.is_err(), "{id}");
    }
    rig.identity.ensure_practice("p-1", "Renamed").await.unwrap();
    assert!(rig.identity.practices().await.unwrap().contains(&(rig.practice.clone(), "Renamed".to_owned())));
}

#[tokio::test]
async fn no_key_stands_in_the_files() {
    let rig = rig().await;
    let new = rig.key(&[Scope::Ask]).await;
    let secret = new.key.strip_prefix("pk_live_").unwrap().to_owned();
    let mut ids = 0;
    for entry in std::fs::read_dir(rig.store.dir()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        assert!(!holds(&secret));
        ids += usize::from(holds(&new.id));
    }
    assert!(ids > 0);
}
