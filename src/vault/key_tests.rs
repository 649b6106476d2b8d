//! Keys: by every way, before and after rotations, while others use the vault.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::tests::{CANARY, Rig, fields, hosts, practice};
use super::*;
use crate::store::vault as rows;
use crate::store::{rewrap, tampering};
use crate::trail::Trail;

const PASSPHRASE: &str = "crane ladder violet stone";

fn by() -> Actor {
    Actor::command_line()
}

fn typed(passphrase: &str) -> Opener {
    Opener::Passphrase(Zeroizing::new(passphrase.to_owned()))
}

/// Numbers that stand in the stored texts.
async fn numbers(rig: &Rig) -> Vec<u32> {
    rewrap::marks(&rig.store).await.unwrap().iter().filter_map(|mark| keyring::number(mark)).collect()
}

#[tokio::test]
async fn every_way_opens_the_same_vault_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("data")).unwrap();
    let code = Vault::new_recovery_code().unwrap();
    let file = Opener::KeyFile(dir.path().join("keys/vault.key"));
    let recovery = |code: &str| Opener::Recovery(Zeroizing::new(code.to_owned()));
    assert!(matches!(Vault::init_with(&store, &[typed("short")]).await, Err(VaultError::BadSecret { .. })));
    Vault::init_with(&store, &[file.clone(), typed(PASSPHRASE), recovery(&code)]).await.unwrap();
    assert_eq!(Vault::ways(&store).await.unwrap(), Way::ALL);
    let open = async |opener: &Opener| Vault::open_with(Arc::clone(&store), opener).await;
    let vault = open(&file).await.unwrap();
    let gateway = PracticeId::new(GATEWAY_PRACTICE);
    vault.put(&gateway, "acme", fields(CANARY), &hosts(&["acme.example"]), &by()).await.unwrap();
    for opener in [&file, &typed(PASSPHRASE), &recovery(&code.to_lowercase())] {
        let lease = open(opener).await.unwrap().lease(&gateway, "acme", &hosts(&["acme.example"])).unwrap();
        assert_eq!(lease.fields["password"].as_str(), CANARY, "{opener:?}");
    }
    let other = Vault::new_recovery_code().unwrap();
    for wrong in [typed("crane ladder violet stones"), recovery(&other)] {
        assert_eq!(open(&wrong).await.err(), Some(VaultError::WrongSecret));
    }
    assert!(matches!(open(&recovery("ABC")).await, Err(VaultError::BadSecret { .. })));
    // One way is exchanged, another taken away; the last one stays.
    vault.set_way(&typed("another four word phrase"), &by()).await.unwrap();
    assert_eq!(open(&typed(PASSPHRASE)).await.err(), Some(VaultError::WrongSecret));
    vault.drop_way(Way::KeyFile, &by()).await.unwrap();
    assert_eq!(open(&file).await.err(), Some(VaultError::NoSuchWay { way: Way::KeyFile }));
    assert_eq!(vault.drop_way(Way::Passphrase, &by()).await, Err(VaultError::LastWay));
    assert!(open(&typed("another four word phrase")).await.is_ok());
    assert_eq!(vault.check_keys().await.unwrap().1, [Way::Passphrase, Way::Recovery]);
}

#[tokio::test]
async fn what_was_sealed_before_keys_had_numbers_opens_and_is_numbered() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("keys/vault.key"));
    let store = Store::open(&data).unwrap();
    let key = key_file::create_or_read(&file, &data).unwrap();
    let root = sealing::random::<{ sealing::KEY_BYTES }>().unwrap();
    tampering::put_early_root(&data, &open::early_wrapped(&key, &root));
    assert_eq!(Vault::ways(&store).await.unwrap(), [Way::KeyFile]);
    assert_eq!(
        Vault::open_with(Arc::clone(&store), &typed(PASSPHRASE)).await.err(),
        Some(VaultError::NoSuchWay { way: Way::Passphrase })
    );
    let vault = Vault::open(Arc::clone(&store), &file).await.unwrap();
    let gateway = PracticeId::new(GATEWAY_PRACTICE);
    vault.put(&gateway, "acme", fields(CANARY), &[], &by()).await.unwrap();
    let ring = vault.keys.ring().unwrap();
    let text = ring.unnumbered(Purpose::Answers).unwrap().seal(b"place", b"an early answer").unwrap();
    // As the early program stored it.
    let row = vault.row(&gateway, "acme").unwrap();
    let early = credential::seal_early(&ring, &credential::Place::of(&row), &fields(CANARY)).unwrap();
    credentials::seal_again(&store, &gateway, "acme", 1, early).await.unwrap();
    drop((vault, ring));
    let vault = Vault::open(Arc::clone(&store), &file).await.unwrap();
    let lent = || vault.lease(&gateway, "acme", &[]).unwrap().fields["password"].to_string();
    assert_eq!(&**vault.open(Purpose::Answers, b"place", &text).unwrap(), b"an early answer");
    assert!(!vault.row(&gateway, "acme").unwrap().fields[0].data_key.is_empty());
    assert_eq!(lent(), CANARY);
    vault.number_credentials().await.unwrap();
    assert!(vault.row(&gateway, "acme").unwrap().fields[0].data_key.is_empty());
    assert_eq!(lent(), CANARY);
    assert!(vault.faults(&gateway).await.unwrap().is_empty());
}

/// Leases, answers and new credentials go on while every key is exchanged, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_fails_while_all_keys_are_exchanged_and_the_old_ones_are_useless_then() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    rig.put(2, "acme", CANARY).await;
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    let mut busy = Vec::new();
    for n in [1, 2] {
        let (vault, ending, count) = (Arc::clone(&rig.vault), Arc::clone(&stop), Arc::clone(&done));
        busy.push(tokio::task::spawn_blocking(move || {
            while !ending.load(Ordering::SeqCst) {
                let lease = vault.lease(&practice(n), "acme", &hosts(&["portal.acme.example"]));
                assert_eq!(lease.expect("a lease fails").fields["password"].as_str(), CANARY);
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let (vault, stop, done, trail) =
            (Arc::clone(&rig.vault), Arc::clone(&stop), Arc::clone(&done), Arc::clone(&trail));
        busy.push(tokio::spawn(async move {
            let mut round = 0;
            while !stop.load(Ordering::SeqCst) {
                round += 1;
                let id = format!("a-{n}-{round}");
                answer(&trail, n, &id).await;
                vault.put(&practice(n), "busy", fields(&id), &[], &Actor::command_line()).await.unwrap();
                let lease = vault.lease(&practice(n), "busy", &[]).unwrap();
                assert_eq!(lease.fields["password"].as_str(), id);
                done.fetch_add(2, Ordering::SeqCst);
            }
        }));
    }
    let first = numbers(&rig).await;
    for _ in 0..2 {
        assert_eq!(rig.vault.rotate_keys(&by()).await.unwrap(), 3);
        rig.vault.rotate_root(&[Opener::KeyFile(rig.key())], &by()).await.unwrap();
        let done = rig.vault.rewrap(Duration::from_secs(2)).await.unwrap();
        assert!(done.texts >= 4 && done.broken == 0 && done.keys_erased == 3, "{done:?}");
    }
    stop.store(true, Ordering::SeqCst);
    for one in busy {
        one.await.unwrap();
    }
    println!("{} leases, answers and credentials, none failed", done.load(Ordering::SeqCst));
    // Nothing stands under a key of before, and none of those is left.
    let last = numbers(&rig).await;
    assert!(first.iter().all(|number| !last.contains(number)), "{first:?} {last:?}");
    let stored = rows::keys(&rig.store).await.unwrap();
    assert_eq!(stored.keys.len(), 4, "the first, and one for each practice");
    drop(trail);
    let rig = rig.restart().await;
    assert_eq!(rig.lease(1, "acme").unwrap().fields["password"].as_str(), CANARY);
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    assert_eq!(trail.get(&practice(1), "a-1-1").await.unwrap().unwrap().envelope.unwrap(), b"a-1-1");
    assert!(rig.vault.faults(&practice(1)).await.unwrap().is_empty());
    rig.vault.check_keys().await.unwrap();
}

async fn answer(trail: &Trail, n: u8, id: &str) {
    let record = TrailRecord::new(&practice(n), &Actor::gateway(), "eligibility.asked").carrier("acme").ask(id);
    trail.complete(&practice(n), id, id.as_bytes(), Some(b"exchanged"), record).await.unwrap();
    let read = trail.get(&practice(n), id).await.unwrap().unwrap();
    assert_eq!(read.envelope.unwrap(), id.as_bytes());
    assert_eq!(&**trail.raw(&practice(n), id).await.unwrap().unwrap(), b"exchanged");
}

#[tokio::test]
async fn re_wrapping_goes_on_where_a_stop_cut_it_short() {
    let rig = Rig::new().await;
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    for n in 0..70 {
        answer(&trail, 1, &format!("a-{n:02}")).await;
    }
    drop(trail);
    rig.vault.rotate_keys(&by()).await.unwrap();
    let vault = Arc::clone(&rig.vault);
    let running = tokio::spawn(async move { vault.rewrap(Duration::from_secs(3600)).await });
    while rows::cursor(&rig.store).await.unwrap().unwrap().place.is_empty() {
        tokio::task::yield_now().await;
    }
    running.abort();
    let _ = running.await;
    let cursor = rows::cursor(&rig.store).await.unwrap().unwrap();
    assert!(!cursor.place.is_empty(), "{cursor:?}");
    let rig = rig.restart().await;
    let done = rig.vault.rewrap(Duration::ZERO).await.unwrap();
    assert!(done.texts > 0 && done.texts < 210, "{done:?}: it began again");
    assert_eq!((done.broken, rows::cursor(&rig.store).await.unwrap()), (0, None));
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    for n in 0..70 {
        assert!(trail.get(&practice(1), &format!("a-{n:02}")).await.unwrap().is_some());
    }
    assert_eq!(rig.vault.rewrap(Duration::ZERO).await.unwrap(), Rewrapped::default());
}

#[tokio::test]
async fn under_a_new_root_key_what_opened_the_old_one_opens_nothing() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    let code = Vault::new_recovery_code().unwrap();
    rig.vault.set_way(&Opener::Recovery(code.clone()), &by()).await.unwrap();
    let old_file = std::fs::read(rig.key()).unwrap();
    let file = Opener::KeyFile(rig.key());
    let missing = rig.vault.rotate_root(std::slice::from_ref(&file), &by()).await;
    assert_eq!(missing, Err(VaultError::WaysMissing { ways: vec![Way::Recovery] }));
    assert_eq!(std::fs::read(rig.key()).unwrap(), old_file, "nothing was changed");
    let new_code = Vault::new_recovery_code().unwrap();
    rig.vault.rotate_root(&[file.clone(), Opener::Recovery(new_code.clone())], &by()).await.unwrap();
    assert_eq!(rig.lease(1, "acme").unwrap().fields["password"].as_str(), CANARY);
    let rig = rig.restart().await;
    assert_eq!(rig.lease(1, "acme").unwrap().fields["password"].as_str(), CANARY);
    let open = async |opener: &Opener| Vault::open_with(Arc::clone(&rig.store), opener).await.err();
    assert_eq!(open(&Opener::Recovery(code)).await, Some(VaultError::WrongSecret));
    assert_eq!(open(&Opener::Recovery(new_code)).await, None);
    // A file that was being exchanged when the power went has both keys: the right one is found, and kept alone.
    let new_file = std::fs::read(rig.key()).unwrap();
    std::fs::write(rig.key(), [old_file.clone(), new_file.clone()].concat()).unwrap();
    assert_eq!(open(&file).await, None);
    assert_eq!(std::fs::read(rig.key()).unwrap(), new_file);
    std::fs::write(rig.key(), old_file).unwrap();
    assert_eq!(open(&file).await, Some(VaultError::WrongKey));
}

#[tokio::test]
async fn a_sealed_vault_opens_lends_and_records_nothing() {
    let rig = Rig::new().await;
    rig.put(1, "acme", CANARY).await;
    let text = rig.vault.seal(Purpose::Answers, b"", b"x").unwrap();
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    rig.vault.seal_up(&by()).await.unwrap();
    assert!(rig.vault.is_sealed());
    assert_eq!(rig.lease(1, "acme").unwrap_err(), VaultError::Sealed);
    assert!(
        rig.vault.seal(Purpose::Answers, b"", b"x").is_err() && rig.vault.open(Purpose::Answers, b"", &text).is_err()
    );
    assert!(rig.vault.put(&practice(1), "acme", fields("new"), &[], &by()).await.is_err());
    assert!(rig.vault.rotate_keys(&by()).await.is_err());
    // A record whose end nobody could prove is not written, in a trail that has none yet either.
    for n in [1, 2] {
        assert!(trail.record(TrailRecord::new(&practice(n), &by(), "key.created")).await.is_err());
    }
    drop(trail);
    let rig = rig.restart().await;
    assert_eq!(rig.lease(1, "acme").unwrap().fields["password"].as_str(), CANARY);
    let trail = Trail::new(Arc::clone(&rig.store), rig.vault.sealer());
    let gateway = PracticeId::new(GATEWAY_PRACTICE);
    let told = trail.list(&gateway, crate::trail::Filter::default(), 10).await.unwrap();
    assert_eq!(told[0].action, "vault.sealed");
}
