use std::sync::Arc;

use super::*;
use crate::practice::PracticeId;
use crate::store::restored::Doubted;
use crate::store::{Store, keys, logins};
use crate::trail::{Actor, Trail, TrailRecord, Verification};
use crate::vault::{CredentialState, Opener, SecretFields, Vault, VaultError};

/// A vault with a credential, opened by a key file and a passphrase; its backup.
async fn backed_up(dir: &Path) -> (Arc<Store>, Arc<Trail>, PathBuf) {
    let store = Store::open(&dir.join("data")).unwrap();
    let openers = [key_file(dir), passphrase()];
    Vault::init_with(&store, &openers).await.unwrap();
    let vault = Vault::open_with(store.clone(), &openers[0]).await.unwrap();
    let practice = PracticeId::new("p-1");
    let row = keys::PracticeRow { id: practice.clone(), name: "Zanzibar Clinic".to_owned() };
    keys::ensure_practice(&store, row, 1).await.unwrap();
    let fields: SecretFields = [("password".to_owned(), "Quicksilver-0471".to_owned().into())].into();
    vault.put(&practice, "acme", fields, &["portal.acme.example".to_owned()], &Actor::command_line()).await.unwrap();
    let trail = Trail::new(store.clone(), vault);
    trail.record(TrailRecord::new(&practice, &Actor::gateway(), "one")).await.unwrap();
    let place = dir.join("portico.backup");
    let made = make(&store, &trail, &place, &Actor::command_line()).await.unwrap();
    assert!(made.rows > 5 && made.bytes > 1_000, "{made:?}");
    (store, trail, place)
}

fn key_file(dir: &Path) -> Opener {
    Opener::KeyFile(dir.join("keys/vault.key"))
}

fn passphrase() -> Opener {
    Opener::Passphrase("correct horse battery staple".to_owned().into())
}

async fn restore(place: &Path, opener: &Opener, to: &Arc<Store>, anchors: &Path) -> Result<Restored, BackupError> {
    let backup = Closed::read(place).await?.open(opener).await?;
    backup.restore(to, anchors, &Actor::command_line()).await
}

#[tokio::test]
async fn a_backup_opens_with_whatever_opens_the_vault_and_gives_everything_back() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, _trail, place) = backed_up(dir.path()).await;
    let (practice, hosts) = (PracticeId::new("p-1"), ["portal.acme.example".to_owned()]);
    for (number, opener) in [key_file(dir.path()), passphrase()].into_iter().enumerate() {
        let (to, anchors) = (Store::open_temporary().unwrap(), dir.path().join(format!("anchors-{number}")));
        let restored = restore(&place, &opener, &to, &anchors).await.unwrap();
        assert_eq!(restored.doubted, Doubted { submissions: 0, holds: 1, credentials: 1 });
        let vault = Vault::open_with(to.clone(), &opener).await.unwrap();
        // The carrier may have refused it since: a person has it tried.
        assert_eq!(vault.info(&practice, "acme").unwrap().state, CredentialState::Suspect);
        assert!(matches!(vault.lease(&practice, "acme", &hosts), Err(VaultError::Stopped)));
        vault.enable(&practice, "acme", &Actor::command_line()).await.unwrap();
        assert_eq!(vault.lease(&practice, "acme", &hosts).unwrap().fields["password"].as_str(), "Quicksilver-0471");
        let step = crate::totp::step(jiff::Timestamp::now().as_second());
        assert!(
            !logins::take_step(&to, &practice, "acme", step).await.unwrap(),
            "no code of now or before is sent again"
        );
        assert!(logins::take_step(&to, &practice, "acme", step + 9).await.unwrap());
        let trail = Trail::anchored(to.clone(), vault, &anchors).unwrap();
        let told = trail.list(&practice, Default::default(), 9).await.unwrap();
        let told: Vec<_> = told.iter().map(|entry| (entry.action.as_str(), entry.epoch)).collect();
        let wanted = [
            ("credential.enabled", None),
            ("trail.rollback_accepted", Some(2)),
            ("credential.stopped", None),
            ("submission.hold", None),
            ("one", None),
        ];
        assert_eq!(told[..5], wanted);
        assert!(matches!(trail.verify(&practice).await.unwrap(), Verification::Whole { .. }));
        assert_eq!(trail.check_anchors().await.unwrap(), []);
        let again = restore(&place, &opener, &to, &anchors).await;
        assert!(matches!(again, Err(BackupError::NotEmpty)));
    }
    let wrong = Opener::Passphrase("another passphrase altogether".to_owned().into());
    let closed = Closed::read(&place).await.unwrap();
    assert_eq!(closed.ways().await.unwrap().len(), 2);
    assert!(matches!(closed.open(&wrong).await, Err(BackupError::Vault(VaultError::WrongSecret))));
}

#[tokio::test]
async fn nothing_stands_in_a_backup_in_the_clear_and_no_byte_of_it_can_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, _trail, place) = backed_up(dir.path()).await;
    let whole = std::fs::read(&place).unwrap();
    for needle in ["Zanzibar", "Quicksilver", "acme"] {
        assert!(!whole.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
    }
    let (opener, broken) = (key_file(dir.path()), dir.path().join("broken"));
    let mut tried = 0;
    let cuts = (0..whole.len()).step_by(997).map(|cut| whole[..cut].to_vec());
    let flips = (0..whole.len()).step_by(211).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    let longer = [[whole.as_slice(), b"x"].concat()];
    for bytes in cuts.chain(flips).chain(longer) {
        std::fs::write(&broken, &bytes).unwrap();
        let opened = match Closed::read(&broken).await {
            Ok(closed) => closed.open(&opener).await.map(|_| ()),
            Err(error) => Err(error),
        };
        // Before any store is made or touched.
        assert!(opened.is_err(), "change {tried} was not noticed");
        tried += 1;
    }
    println!("{tried} changed or cut backups refused");
    let newer = br#"{"made_at":"2040-01-01T00:00:00Z","schema":999,"keys":""}"#;
    let bytes = [b"portico-backup-1\n".as_slice(), &u32::try_from(newer.len()).unwrap().to_be_bytes(), newer].concat();
    std::fs::write(&broken, bytes).unwrap();
    assert!(matches!(Closed::read(&broken).await, Err(BackupError::TooNew { found: 999 })));
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_leaves_nothing_half_made() {
    let dir = tempfile::tempdir().unwrap();
    let (store, trail, place) = backed_up(dir.path()).await;
    let by = Actor::command_line();
    let again = make(&store, &trail, &place, &by).await;
    assert!(matches!(again, Err(BackupError::Exists { .. })));
    let nowhere = dir.path().join("no/such/place");
    assert!(matches!(make(&store, &trail, &nowhere, &by).await, Err(BackupError::File { .. })));
    let other = dir.path().join("other");
    std::fs::write(&other, b"PDF").unwrap();
    assert!(matches!(Closed::read(&other).await, Err(BackupError::NotOne { .. })));

    let (second, draft) = (dir.path().join("second"), dir.path().join("second.part"));
    // What a process left that was killed is written over; what one still writes is not.
    std::fs::write(&draft, vec![7; 1 << 20]).unwrap();
    let held = std::fs::File::open(&draft).unwrap();
    held.lock().unwrap();
    assert!(matches!(make(&store, &trail, &second, &by).await, Err(BackupError::UnderWay { .. })));
    drop(held);
    make(&store, &trail, &second, &by).await.unwrap();
    assert!(Closed::read(&second).await.unwrap().open(&passphrase()).await.is_ok() && !draft.exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_leaves_no_half_backup() {
    let dir = tempfile::tempdir().unwrap();
    let (store, trail, _) = backed_up(dir.path()).await;
    let (third, draft) = (dir.path().join("third"), dir.path().join("third.part"));
    std::os::unix::fs::symlink("/dev/full", &draft).unwrap();
    let full = make(&store, &trail, &third, &Actor::command_line()).await;
    assert!(matches!(&full, Err(BackupError::File { kind: std::io::ErrorKind::StorageFull, .. })), "{full:?}");
    assert!(!third.exists() && std::fs::symlink_metadata(&draft).is_err());
    trail.record(TrailRecord::new(&PracticeId::new("p-1"), &Actor::gateway(), "goes on")).await.unwrap();
}

#[tokio::test]
async fn a_backup_of_an_earlier_schema_is_filled_in_or_refused_by_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let (practice, by) = (PracticeId::new("p-1"), Actor::command_line());
    let newest = Store::newest_schema();
    for version in crate::store::dump::OLDEST_SCHEMA..newest {
        let place = dir.path().join(format!("of-{version}"));
        let old = Store::open_at_schema(&place, version).unwrap();
        assert_eq!(old.schema_version().await.unwrap(), version);
        Vault::init_with(&old, &[passphrase()]).await.unwrap();
        let vault = Vault::open_with(old.clone(), &passphrase()).await.unwrap();
        let row = keys::PracticeRow { id: practice.clone(), name: "Zanzibar Clinic".to_owned() };
        keys::ensure_practice(&old, row, 1).await.unwrap();
        let trail = Trail::new(old.clone(), vault);
        trail.complete(&practice, "q-1", b"the answer", None, record(&practice)).await.unwrap();
        let file = dir.path().join(format!("of-{version}.backup"));
        make(&old, &trail, &file, &by).await.unwrap();

        let to = Store::open_temporary().unwrap();
        restore(&file, &passphrase(), &to, &dir.path().join(format!("anchors-{version}"))).await.unwrap();
        assert_eq!(to.schema_version().await.unwrap(), newest);
        let vault = Vault::open_with(to.clone(), &passphrase()).await.unwrap();
        let trail = Trail::new(to, vault);
        let answer = trail.get(&practice, "q-1").await.unwrap().unwrap().envelope;
        assert_eq!(answer.as_deref(), Some(b"the answer".as_slice()), "version {version}");
        assert!(matches!(trail.verify(&practice).await.unwrap(), Verification::Whole { .. }));
    }
    let older = br#"{"made_at":"2026-01-01T00:00:00Z","schema":7,"keys":""}"#;
    let bytes = [b"portico-backup-1\n".as_slice(), &u32::try_from(older.len()).unwrap().to_be_bytes(), older].concat();
    let file = dir.path().join("older.backup");
    std::fs::write(&file, bytes).unwrap();
    let refused = Closed::read(&file).await.err().unwrap();
    assert!(matches!(refused, BackupError::TooOld { found: 7 }), "{refused}");
    assert!(refused.to_string().contains("version 7") && refused.to_string().contains("version that made it"));
}

fn record(practice: &PracticeId) -> TrailRecord {
    TrailRecord::new(practice, &Actor::gateway(), "eligibility.answered").carrier("acme").ask("q-1")
}
