use std::path::PathBuf;

use super::*;
use crate::store::{keys, tampering};
use crate::trail::{Filter, Trail, Verification};

pub(super) const CANARY: &str = "Xylophone-9182-correct-horse";

pub(super) struct Rig {
    pub(super) dir: tempfile::TempDir,
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<Vault>,
}

pub(super) fn practice(n: u8) -> PracticeId {
    PracticeId::new(format!("p-{n}"))
}

pub(super) fn fields(password: &str) -> SecretFields {
    [("username", "front-desk"), ("password", password)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())))
        .collect()
}

pub(super) fn hosts(list: &[&str]) -> Vec<String> {
    list.iter().map(|host| (*host).to_owned()).collect()
}

impl Rig {
    pub(super) fn key(&self) -> PathBuf {
        self.dir.path().join("secrets/key")
    }

    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        let key = dir.path().join("secrets/key");
        Vault::init(&store, &key).await.unwrap();
        let vault = Vault::open(Arc::clone(&store), &key).await.unwrap();
        for n in [1, 2] {
            let row = keys::PracticeRow { id: practice(n), name: format!("Practice {n}") };
            keys::ensure_practice(&store, row, 1).await.unwrap();
        }
        Self { dir, store, vault }
    }

    pub(super) async fn restart(self) -> Self {
        let Self { dir, store, vault } = self;
        drop(vault);
        // The use of a credential is noted in the background.
        while Arc::strong_count(&store) > 1 {
            tokio::task::yield_now().await;
        }
        drop(store);
        let store = Store::open(&dir.path().join("data")).unwrap();
        let vault = Vault::open(Arc::clone(&store), &dir.path().join("secrets/key")).await.unwrap();
        Self { dir, store, vault }
    }

    pub(super) async fn put(&self, n: u8, carrier: &str, password: &str) -> CredentialInfo {
        let hosts = hosts(&["Portal.acme.example", "edi.acme.example:8443"]);
        self.vault.put(&practice(n), carrier, fields(password), &hosts, &Actor::command_line()).await.unwrap()
    }

    pub(super) fn lease(&self, n: u8, carrier: &str) -> Result<Lease, VaultError> {
        self.vault.lease(&practice(n), carrier, &hosts(&["portal.acme.example"]))
    }

    pub(super) fn tamper(&self, sql: &str) {
        tampering::edit(&self.dir.path().join("data"), sql);
    }
}

#[tokio::test]
async fn what_is_put_is_lent_and_outlives_a_restart() {
    let rig = Rig::new().await;
    let info = rig.put(1, "acme", CANARY).await;
    assert!(info.id.starts_with("cred_"));
    assert_eq!((info.generation, info.state), (1, CredentialState::Active));
    assert_eq!(info.fields, ["password", "username"]);
    let rig = rig.restart().await;
    let lease = rig.lease(1, "acme").unwrap();
    assert_eq!(lease.fields["password"].as_str(), CANARY);
    assert_eq!(lease.origins, ["edi.acme.example:8443", "portal.acme.example"]);
    assert_eq!((lease.credential_id.as_str(), lease.generation), (info.id.as_str(), 1));
    assert!(!format!("{lease:?}").contains(CANARY));
    assert!(!format!("{:?}", rig.vault).contains(CANARY));
    assert_eq!(rig.lease(2, "acme").unwrap_err(), VaultError::Missing);
    assert_eq!(rig.lease(1, "other").unwrap_err(), VaultError::Missing);
    assert!(rig.vault.list(&practice(2)).is_empty());
    assert!(rig.vault.info(&practice(1), "acme").unwrap().last_used_at.is_some());
}

#[tokio::test]
async fn a_refused_login_stops_it_until_a_person_says_otherwise() {
    let rig = Rig::new().await;
    let info = rig.put(1, "acme", "old").await;
    rig.vault.stop(&info.id, info.generation, "the carrier refused the login").await.unwrap();
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Stopped);
    let rig = rig.restart().await;
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Stopped);
    let stopped = rig.vault.info(&practice(1), "acme").unwrap();
    assert_eq!(stopped.reason.as_deref(), Some("the carrier refused the login"));
    assert!(!rig.vault.enable(&practice(2), "acme", &Actor::command_line()).await.unwrap());
    assert!(rig.vault.enable(&practice(1), "acme", &Actor::command_line()).await.unwrap());
    assert!(!rig.vault.enable(&practice(1), "acme", &Actor::command_line()).await.unwrap());
    assert_eq!(rig.vault.info(&practice(1), "acme").unwrap().state, CredentialState::Verifying);
    // The same values, but a new generation: what the wire remembers of the refused one does not fit it.
    let rig = rig.restart().await;
    let lease = rig.lease(1, "acme").unwrap();
    assert_eq!((lease.generation, lease.fields["password"].as_str()), (2, "old"));
    // A refusal of the old values that arrives late does not stop the new ones.
    let new = rig.put(1, "acme", "new").await;
    assert_eq!(new.generation, 3);
    for generation in [1, 2] {
        rig.vault.stop(&info.id, generation, "late").await.unwrap();
    }
    assert_eq!(rig.lease(1, "acme").unwrap().fields["password"].as_str(), "new");
}

#[tokio::test]
async fn a_stop_holds_even_when_it_cannot_be_stored() {
    let rig = Rig::new().await;
    let info = rig.put(1, "acme", "old").await;
    rig.tamper(tampering::CREDENTIALS_FROZEN);
    assert!(rig.vault.stop(&info.id, 1, "refused").await.is_err());
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Stopped);
    // Nor can it be enabled then; once it can be stored, it is.
    assert!(rig.vault.enable(&practice(1), "acme", &Actor::command_line()).await.is_err());
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Stopped);
    rig.tamper(tampering::CREDENTIALS_THAWED);
    assert!(rig.vault.enable(&practice(1), "acme", &Actor::command_line()).await.unwrap());
    assert_eq!(rig.lease(1, "acme").unwrap().generation, 2);
}

#[tokio::test]
async fn a_deleted_credential_is_gone_and_its_generation_never_comes_back() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    assert!(rig.vault.delete(&practice(1), "acme", &Actor::command_line()).await.unwrap());
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Missing);
    assert!(!rig.vault.delete(&practice(1), "acme", &Actor::command_line()).await.unwrap());
    let rig = rig.restart().await;
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Missing);
    assert_eq!(rig.put(1, "acme", "again").await.generation, 2);
}

#[tokio::test]
async fn secrets_go_to_the_pinned_hosts_only() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    let lease = |list: &[&str]| rig.vault.lease(&practice(1), "acme", &hosts(list)).map(|_| ());
    assert_eq!(lease(&["EDI.acme.example:8443", "portal.acme.example"]), Ok(()));
    assert_eq!(lease(&["portal.acme.example:443"]), Ok(()));
    assert_eq!(lease(&["portal.acme.example:8443"]), Err(VaultError::OriginsChanged));
    assert_eq!(lease(&["portal.acme.example", "evil.example"]), Err(VaultError::OriginsChanged));
    assert_eq!(lease(&["edi.acme.example"]), Err(VaultError::OriginsChanged));
    let error: connector_sdk::Error = VaultError::OriginsChanged.into();
    assert_eq!(error.kind, connector_sdk::ErrorKind::CredentialMissing);
}

#[tokio::test]
async fn the_wire_gets_the_practices_own_credential_or_the_gateways() {
    use crate::carriers::{CarrierBook, Limits};
    use crate::wire::Credentials;
    let rig = Rig::new().await;
    let example = crate::registry::CONNECTORS.iter().find(|row| row.name == "core-x12").unwrap().example;
    let files = vec![
        ("own".to_owned(), example.to_owned()),
        ("shared".to_owned(), format!("credential = \"gateway\"\n{example}")),
    ];
    let (book, report) = CarrierBook::from_files(files, Limits::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let by = Actor::command_line();
    for (owner, carrier, password) in [("p-1", "own", "one"), ("gateway", "shared", "all"), ("p-2", "shared", "none")] {
        let hosts = &book.get(carrier).unwrap().hosts;
        rig.vault.put(&PracticeId::new(owner), carrier, fields(password), hosts, &by).await.unwrap();
    }
    let lender: Arc<dyn Credentials> = Arc::clone(&rig.vault) as Arc<dyn Credentials>;
    let lease = |n: u8, carrier: &str| lender.lease(&practice(n), &book.get(carrier).unwrap());
    assert_eq!(lease(1, "own").unwrap().fields["password"].as_str(), "one");
    assert_eq!(lease(2, "own").unwrap_err().kind, connector_sdk::ErrorKind::CredentialMissing);
    for n in [1, 2] {
        assert_eq!(lease(n, "shared").unwrap().fields["password"].as_str(), "all");
    }
    let shared = lease(1, "shared").unwrap();
    lender.stop(&shared.credential_id, shared.generation, crate::wire::Doubt::Refused).await.unwrap();
    assert_eq!(lease(2, "shared").unwrap_err().kind, connector_sdk::ErrorKind::CredentialRejected);
    assert!(lease(1, "own").is_ok());
}

#[tokio::test]
async fn a_moved_or_changed_value_does_not_open() {
    for sql in tampering::CREDENTIAL_EDITS {
        let rig = Rig::new().await;
        rig.put(1, "acme", CANARY).await;
        rig.put(1, "beta", "b").await;
        rig.put(2, "acme", "p2").await;
        assert!(rig.vault.verify(&practice(1)).is_empty());
        rig.tamper(sql);
        let rig = rig.restart().await;
        assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Tampered, "{sql}");
        assert_eq!(rig.vault.verify(&practice(1)), ["acme"], "{sql}");
        assert!(rig.lease(1, "beta").is_ok() && rig.lease(2, "acme").is_ok());
    }
    println!("{} kinds of tampering refused", tampering::CREDENTIAL_EDITS.len());
}

#[tokio::test]
async fn a_whole_row_moved_to_another_practice_does_not_open() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    rig.tamper(tampering::CREDENTIAL_GIVEN_AWAY);
    let rig = rig.restart().await;
    assert_eq!(rig.lease(2, "acme").unwrap_err(), VaultError::Tampered);
}

#[tokio::test]
async fn nothing_that_cannot_be_a_credential_is_stored() {
    let rig = Rig::new().await;
    let put = |practice_id: PracticeId, list: Vec<(String, String)>| {
        let fields = list.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect();
        let vault = Arc::clone(&rig.vault);
        async move { vault.put(&practice_id, "acme", fields, &[], &Actor::command_line()).await }
    };
    let pair = |name: &str, value: String| vec![(name.to_owned(), value)];
    for bad in [
        vec![],
        pair("Password", "x".to_owned()),
        pair("", "x".to_owned()),
        pair("password", String::new()),
        pair("password", "x".repeat(70_000)),
        (0..40).map(|n| (format!("f{n}"), "x".to_owned())).collect(),
    ] {
        assert!(matches!(put(practice(1), bad).await, Err(VaultError::BadField { .. })));
    }
    let nobody = put(practice(9), pair("password", "x".to_owned())).await;
    assert_eq!(nobody.unwrap_err(), VaultError::NoSuchPractice);
    assert!(rig.vault.list(&practice(9)).is_empty());
    // The gateway's own practice is always there.
    assert!(put(PracticeId::new(GATEWAY_PRACTICE), pair("password", "x".to_owned())).await.is_ok());
}

#[tokio::test]
async fn the_key_file_is_guarded() {
    let rig = Rig::new().await;
    assert_eq!(Vault::init(&rig.store, &rig.key()).await, Err(VaultError::AlreadyInitialised));
    let open = |path: PathBuf| Vault::open(Arc::clone(&rig.store), Box::leak(path.into_boxed_path()));
    let problem = |result: Result<Arc<Vault>, VaultError>| match result.err().unwrap() {
        VaultError::KeyFile { problem, .. } => problem,
        other => panic!("{other}"),
    };
    assert_eq!(problem(open(rig.dir.path().join("nowhere")).await), "it does not exist");
    let inside = rig.dir.path().join("data/key");
    std::fs::copy(rig.key(), &inside).unwrap();
    assert!(problem(open(inside.clone()).await).contains("inside the data directory"));
    let fresh = Store::open(&rig.dir.path().join("fresh")).unwrap();
    assert!(Vault::init(&fresh, &rig.dir.path().join("fresh/key")).await.is_err());
    assert_eq!(Vault::open(Arc::clone(&fresh), &rig.key()).await.err(), Some(VaultError::NotInitialised));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(rig.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let link = rig.dir.path().join("link");
        std::os::unix::fs::symlink(&inside, &link).unwrap();
        assert!(problem(open(link).await).contains("inside the data directory"));
        std::fs::set_permissions(rig.key(), std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(problem(open(rig.key()).await).contains("chmod 600"));
    }
    let other = rig.dir.path().join("other-key");
    Vault::init(&fresh, &other).await.unwrap();
    assert_eq!(open(other.clone()).await.err(), Some(VaultError::WrongKey));
    std::fs::write(&other, "portico-key-1:AAAA").unwrap();
    assert!(problem(open(other).await).contains("not a Portico key file"));
}

#[tokio::test]
async fn no_secret_stands_in_the_files_in_the_clear() {
    let rig = Rig::new().await;
    let key_text = std::fs::read_to_string(rig.key()).unwrap();
    let key_text = key_text.trim().split_once(':').unwrap().1.to_owned();
    for _ in 0..5 {
        rig.put(1, "acme", CANARY).await;
    }
    rig.lease(1, "acme").unwrap();
    let mut found_names = 0;
    let mut files = 0;
    for entry in std::fs::read_dir(rig.dir.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        for secret in [CANARY, "front-desk", key_text.as_str()] {
            assert!(!holds(secret), "{}", path.display());
        }
        found_names += usize::from(holds("portal.acme.example"));
        files += 1;
    }
    // The search itself works: what may be read is found.
    assert!(found_names > 0);
    println!("{files} files searched");
}

#[tokio::test]
async fn every_change_is_in_the_trail() {
    let rig = Rig::new().await;
    let info = rig.put(1, "acme", "x").await;
    rig.vault.stop(&info.id, 1, "refused").await.unwrap();
    rig.vault.stop(&info.id, 1, "refused again").await.unwrap();
    rig.vault.enable(&practice(1), "acme", &Actor::key("key_9")).await.unwrap();
    rig.vault.delete(&practice(1), "acme", &Actor::command_line()).await.unwrap();
    let trail = Trail::new(Arc::clone(&rig.store), Arc::clone(&rig.vault) as Arc<dyn Sealer>);
    let entries = trail.list(&practice(1), Filter::default(), 10).await.unwrap();
    let seen: Vec<_> = entries.iter().rev().map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("credential.put", "command_line"),
            ("credential.stopped", "gateway"),
            ("credential.enabled", "key_9"),
            ("credential.deleted", "command_line")
        ]
    );
    assert!(entries.iter().all(|entry| entry.credential_id.as_deref() == Some(info.id.as_str())));
    assert!(matches!(trail.verify(&practice(1)).await.unwrap(), Verification::Whole { records: 4, .. }));
}
