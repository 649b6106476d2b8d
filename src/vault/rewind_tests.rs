//! Somebody puts parts of the vault back to an earlier state that was true once, edits its tables at random, or the key
//! file. Everything is noticed and named, or decides nothing.
//!
//! The short form draws 150 edits. The long form:
//! `PORTICO_VAULT_EDITS=10000 cargo test --release --all-features --lib vault::rewind -- --nocapture`
//! (`PORTICO_VAULT_SEED=7` draws others).

use std::path::Path;
use std::time::Duration;

use super::tamper_tests::{TABLES, decides_nothing, found, rig};
use super::tests::{Rig, practice};
use super::*;
use crate::store::tampering::{self, Cell, Value};

const EDITS: u64 = 150;
const WAYS_AND_KEYS: [&str; 2] = ["vault_wrapping", "vault_key"];
const CREDENTIALS: [&str; 2] = ["credential", "credential_field"];

fn by() -> Actor {
    Actor::command_line()
}

fn data(rig: &Rig) -> std::path::PathBuf {
    rig.dir.path().join("data")
}

fn passphrase(text: &str) -> Opener {
    Opener::Passphrase(Zeroizing::new(text.to_owned()))
}

async fn named(rig: &Rig, word: &str) {
    let what = found(&rig.store, &rig.key()).await.unwrap_or_else(|| panic!("not noticed: {word}"));
    assert!(what.contains(word), "{word}: {what}");
}

#[tokio::test]
async fn a_way_that_was_replaced_is_not_put_back_unnoticed() {
    let rig = rig().await;
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    rig.vault.set_way(&passphrase("walnut river copper sky"), &by()).await.unwrap();
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    tampering::put_back_tables(&data(&rig), "old", &["vault_wrapping"]);
    // The old passphrase opens again, and whoever looks is told.
    let old = Vault::open_with(Arc::clone(&rig.store), &passphrase("crane ladder violet stone")).await;
    assert!(old.is_ok());
    named(&rig, "passphrase").await;

    let rig = super::tamper_tests::rig().await;
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    rig.vault.drop_way(Way::Recovery, &by()).await.unwrap();
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    tampering::put_back_tables(&data(&rig), "old", &["vault_wrapping"]);
    named(&rig, "recovery").await;
}

#[tokio::test]
async fn a_root_key_that_was_replaced_is_not_put_back_unnoticed() {
    let rig = rig().await;
    let old_file = std::fs::read(rig.key()).unwrap();
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    let recovery = Opener::Recovery(Vault::new_recovery_code().unwrap());
    let openers = [Opener::KeyFile(rig.key()), passphrase("walnut river copper sky"), recovery];
    rig.vault.rotate_root(&openers, &by()).await.unwrap();
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    tampering::put_back_tables(&data(&rig), "old", &WAYS_AND_KEYS);
    named(&rig, "does not open").await;
    // With the key file of that time it opens; the trail knows that there was another root key since.
    std::fs::write(rig.key(), old_file).unwrap();
    named(&rig, "key_file").await;
}

#[tokio::test]
async fn keys_that_were_erased_are_not_put_back_unnoticed() {
    let rig = rig().await;
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    rig.vault.rotate_keys(&by()).await.unwrap();
    tampering::edit(&data(&rig), tampering::REWRAP_FORGOTTEN);
    named(&rig, "(key ").await;
    rig.vault.rotate_keys(&by()).await.unwrap();
    assert_eq!(found(&rig.store, &rig.key()).await, None, "on the way to the newest keys");
    assert!(rig.vault.rewrap(Duration::ZERO).await.unwrap().keys_erased > 0);
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    tampering::put_back_missing_keys(&data(&rig), "old");
    named(&rig, "(key ").await;
    tampering::put_back_tables(&data(&rig), "old", &["vault_key"]);
    named(&rig, "(key ").await;
}

#[tokio::test]
async fn credentials_are_not_put_back_unnoticed() {
    let rig = rig().await;
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    let id = rig.vault.info(&practice(1), "acme").unwrap().id;
    rig.vault.stop(&id, 1, "refused").await.unwrap();
    tampering::put_back_tables(&data(&rig), "old", &CREDENTIALS);
    named(&rig, "acme is active").await;
    let rig = super::tamper_tests::rig().await;
    tampering::keep_tables(&data(&rig), "old", &TABLES);
    rig.vault.delete(&practice(1), "acme", &by()).await.unwrap();
    tampering::put_back_tables(&data(&rig), "old", &CREDENTIALS);
    named(&rig, "acme is active").await;
    rig.put(2, "late", "l").await;
    tampering::put_back_tables(&data(&rig), "old", &CREDENTIALS);
    let faults = Vault::open(Arc::clone(&rig.store), &rig.key()).await.unwrap().faults(&practice(2)).await.unwrap();
    assert!(faults.iter().any(|fault| fault.carrier.as_deref() == Some("late")), "{faults:?}");
}

#[tokio::test]
async fn every_edit_of_the_key_file_is_noticed_or_leaves_the_same_key() {
    let rig = rig().await;
    let path = rig.key();
    let old = std::fs::read_to_string(&path).unwrap();
    rig.vault.set_way(&Opener::KeyFile(path.clone()), &by()).await.unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    let mut edits: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole.as_bytes()[..length].to_vec()).collect();
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            edits.push(bytes);
        }
        edits.push([&whole.as_bytes()[..place], b"A", &whole.as_bytes()[place..]].concat());
        edits.push([&whole.as_bytes()[..place], &whole.as_bytes()[place + 1..]].concat());
    }
    edits.extend([old.clone(), whole.chars().rev().collect(), whole.repeat(20), String::new()].map(String::into_bytes));
    let (mut noticed, mut same) = (0, 0);
    for bytes in &edits {
        std::fs::write(&path, bytes).unwrap();
        match found(&rig.store, &path).await {
            Some(what) => {
                assert!(what.contains("key file") || what.contains("vault.key") || what.contains("secrets"), "{what}");
                noticed += 1;
            }
            // Only where the line breaks stand, or a line that is there twice.
            None => {
                assert_eq!(String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().trim(), whole.trim());
                same += 1;
            }
        }
    }
    println!("{noticed} edits of the key file noticed, {same} left the same key in it");
    assert!(noticed > 500 && same < 20, "{noticed} {same}");
    // Old and new together are what an exchange that was cut short leaves: the right one is found, and kept alone.
    std::fs::write(&path, old + &whole).unwrap();
    assert_eq!(found(&rig.store, &path).await, None);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
}

/// Xorshift (Marsaglia, 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

/// One edit; what it was, or `None` when the database did not take it.
fn edit(dir: &Path, cells: &[Cell], before: &[Cell], dice: &mut Dice) -> Option<&'static str> {
    let cell = &cells[dice.below(cells.len())];
    let other_value = |c: &&Cell| (c.table, &c.column) == (cell.table, &cell.column) && c.value != cell.value;
    let alike: Vec<&Cell> = cells.iter().filter(other_value).collect();
    let old: Vec<&Cell> = before.iter().filter(other_value).collect();
    let kind = dice.below(7);
    // Where there is no other value, a bit is flipped.
    let Some(other) = alike.get(dice.below(alike.len())).copied().filter(|_| kind > 2) else {
        return simple(dir, cell, kind, dice);
    };
    let put = |value: &Value| tampering::put(dir, &Cell { value: value.clone(), ..cell.clone() });
    match kind {
        3 => put(&other.value).then_some("a value of another row"),
        4 => {
            let swapped =
                put(&other.value) && tampering::put(dir, &Cell { value: cell.value.clone(), ..other.clone() });
            swapped.then_some("two values exchanged")
        }
        5 => put(&old.get(dice.below(old.len()))?.value).then_some("an earlier value"),
        _ => tampering::copy_row(dir, &Cell { value: other.value.clone(), ..cell.clone() }).then_some("a row put in"),
    }
}

fn simple(dir: &Path, cell: &Cell, kind: usize, dice: &mut Dice) -> Option<&'static str> {
    let put = |value: Value| tampering::put(dir, &Cell { value, ..cell.clone() });
    match kind {
        1 => put(cut(&cell.value, dice)).then_some("a cut"),
        2 => {
            tampering::erase_row(dir, cell.table, cell.row);
            Some("a row gone")
        }
        _ => put(flipped(&cell.value, dice)).then_some("a bit"),
    }
}

fn flipped(value: &Value, dice: &mut Dice) -> Value {
    let flip = |bytes: &[u8], dice: &mut Dice| {
        let mut bytes = bytes.to_vec();
        if !bytes.is_empty() {
            let bit = dice.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        bytes
    };
    match value {
        Value::Integer(number) => Value::Integer(number ^ (1 << dice.below(63))),
        Value::Blob(bytes) => Value::Blob(flip(bytes, dice)),
        Value::Text(text) => Value::Text(String::from_utf8_lossy(&flip(text.as_bytes(), dice)).into_owned()),
        other => other.clone(),
    }
}

fn cut(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::Integer(number) => Value::Integer(number >> (1 + dice.below(40))),
        Value::Blob(bytes) => Value::Blob(bytes[..dice.below(bytes.len())].to_vec()),
        Value::Text(text) => Value::Text(text.chars().take(dice.below(text.len())).collect()),
        other => other.clone(),
    }
}

/// A vault with a past: kept as `old`, then changed in every way, then kept as `now`.
async fn with_a_past() -> (Rig, Vec<Cell>) {
    let rig = rig().await;
    let before = tampering::cells(&data(&rig), &TABLES).unwrap();
    rig.vault.set_way(&passphrase("walnut river copper sky"), &by()).await.unwrap();
    rig.vault.rotate_keys(&by()).await.unwrap();
    rig.vault.rewrap(Duration::ZERO).await.unwrap();
    rig.put(1, "acme", "another").await;
    rig.put(2, "gone", "back again").await;
    tampering::keep_tables(&data(&rig), "now", &TABLES);
    (rig, before)
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test]
async fn random_edits_are_noticed_or_decide_nothing() {
    let (rig, before) = with_a_past().await;
    let (dir, seed) = (data(&rig), number("PORTICO_VAULT_SEED", 1));
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    let cells = tampering::cells(&dir, &TABLES).unwrap();
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for _ in 0..number("PORTICO_VAULT_EDITS", EDITS) {
        let kind = edit(&dir, &cells, &before, &mut dice);
        let after = tampering::cells(&dir, &TABLES).unwrap();
        let extra = |more: &&Cell| !cells.iter().any(|cell| (cell.table, cell.row) == (more.table, more.row));
        let differing = |(old, new): &(&Cell, &Cell)| old != new && !decides_nothing(old, &cells);
        let matters = cells.len() != after.len() || cells.iter().zip(&after).any(|pair| differing(&pair));
        if matters {
            let what = found(&rig.store, &rig.key()).await;
            let changed: Vec<_> = cells.iter().zip(&after).filter(|(old, new)| old != new).take(2).collect();
            let more: Vec<_> = after.iter().filter(extra).collect();
            assert!(what.is_some(), "{kind:?} is not noticed: {changed:?} {more:?}");
        }
        let kind = kind.filter(|_| matters).unwrap_or("changed nothing that decides");
        *counts.entry(kind).or_default() += 1;
        tampering::put_back_tables(&dir, "now", &TABLES);
    }
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    println!("seed {seed}: {counts:?}, all noticed that decide something");
    assert!(counts.len() >= 6, "{counts:?}");
}
