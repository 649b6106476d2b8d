use super::*;
use crate::trail::{Actor, Trail, TrailRecord};
use crate::vault::Vault;

async fn rooms() -> (Arc<Store>, Arc<Trail>, Arc<Vault>) {
    let store = Store::open_temporary().unwrap();
    let vault = Vault::open_temporary(store.clone()).await.unwrap();
    let trail = Trail::new(store.clone(), vault.clone());
    (store, trail, vault)
}

async fn practice(store: &Store, id: &str) -> PracticeId {
    let practice = PracticeId::new(id);
    let row = store::keys::PracticeRow { id: practice.clone(), name: id.to_owned() };
    store::keys::ensure_practice(store, row, 1).await.unwrap();
    practice
}

#[tokio::test]
async fn events_are_the_records_that_others_may_be_told_of() {
    let (store, trail, _vault) = rooms().await;
    let (one, two) = (PracticeId::new("p-1"), PracticeId::new("p-2"));
    for action in
        ["eligibility.read", "submission.accepted", "key.created", "credential.stopped", "eligibility.answered"]
    {
        trail.record(TrailRecord::new(&one, &Actor::key("key_1"), action).carrier("acme").ask("a-1")).await.unwrap();
    }
    trail.record(TrailRecord::new(&two, &Actor::gateway(), "submission.unknown")).await.unwrap();
    let events = Events::new(store);
    let page = events.after(&one, 0, 2).await.unwrap();
    let kinds: Vec<&str> = page.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!((kinds, page.next, page.more), (vec!["submission.accepted", "credential.stopped"], 4, true));
    let page = events.after(&one, page.next, 2).await.unwrap();
    assert_eq!((page.events[0].kind.as_str(), page.next, page.more), ("eligibility.answered", 5, false));
    assert_eq!(page.events[0].data.ask_id.as_deref(), Some("a-1"));
    assert_eq!(events.after(&two, 0, 9).await.unwrap().events.len(), 1);
}

#[tokio::test]
async fn deliveries_go_to_public_addresses_only() {
    let (store, trail, vault) = rooms().await;
    let one = practice(&store, "p-1").await;
    let webhooks = Webhooks::new(store, trail, vault, Vec::new());
    let tricks = [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://user@hooks.example/",
        "http://127.0.0.1:9/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "//hooks.example/",
        "nonsense",
    ];
    for url in tricks {
        let made = webhooks.make(&one, url, &[], &Actor::key("key_1")).await;
        assert!(matches!(made, Err(NotMade::Url(_))), "{url}");
    }
    // A name or number that leads inside is refused when it is dialled.
    for url in
        ["https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/"]
    {
        let error = crate::wire::Notifier::new(url, &[]).unwrap().post(&[], Vec::new()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::EgressRefused, "{url}");
    }
    assert_eq!(webhooks.list(&one).await.unwrap(), []);
}

#[tokio::test]
async fn a_webhook_is_made_listed_and_taken_away_by_its_practice() {
    let (store, trail, vault) = rooms().await;
    let (one, two) = (practice(&store, "p-1").await, practice(&store, "p-2").await);
    let webhooks = Webhooks::new(store, trail.clone(), vault, Vec::new());
    let by = Actor::key("key_1");
    let kinds = ["submission.".to_owned(), "credential.stopped".to_owned()];
    let made = webhooks.make(&one, "https://hooks.example/portico", &kinds, &by).await.unwrap();
    assert!(made.secret.starts_with("whsec_") && !format!("{made:?}").contains(made.secret.as_str()));
    let listed = webhooks.list(&one).await.unwrap();
    assert_eq!((listed.len(), listed[0].kinds.as_slice()), (1, kinds.as_slice()));
    assert!(!serde_json::to_string(&listed).unwrap().contains("whsec_"));
    assert_eq!(webhooks.list(&two).await.unwrap(), []);
    assert!(!webhooks.delete(&two, &made.webhook.id, &by).await.unwrap());
    let unknown = webhooks.make(&one, "https://hooks.example/", &["patient.".to_owned()], &by).await;
    assert!(matches!(unknown, Err(NotMade::Kinds(_))));
    assert!(webhooks.delete(&one, &made.webhook.id, &by).await.unwrap());
    assert!(!webhooks.delete(&one, &made.webhook.id, &by).await.unwrap());
    let actions: Vec<String> =
        trail.list(&one, Default::default(), 9).await.unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["webhook.deleted", "webhook.made"]);
}
