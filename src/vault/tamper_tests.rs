//! Somebody changes the key and credential tables, but has no key. Every second byte of every value, in one bit each (all
//! bits of all bytes with `PORTICO_TAMPER=all cargo test --lib vault::tamper`), longer and shorter values, rows taken away, put back and
//! exchanged; then bytes of the database file itself. Each change is noticed, or the value is one that decides nothing.

use super::tests::{CANARY, Rig, hosts, practice};
use super::*;
use crate::store::tampering::{self, Cell, Value};

/// What stands in no seal and decides nothing: shown to people, never acted on.
const SHOWN_ONLY: [&str; 4] = ["reason", "last_used_at", "stopped_at", "accepted"];
/// What changes with every login and stands in no record. Put in, it makes a credential suspect or its codes wait; taken
/// away, it hides a login that was under way when the gateway was killed, and a code of the last half minute.
const OF_THE_MOMENT: [&str; 2] = ["login_at", "totp_step"];
/// What a row is looked up by, and so stands in an index as well.
const KEYED: [&str; 3] = ["practice", "carrier", "field"];
/// What decides nothing of a deleted credential, whose values are gone.
const OF_DELETED: [&str; 4] = ["origins", "created_at", "expires_at", "stage"];

pub(super) const TABLES: [&str; 4] = ["vault_wrapping", "vault_key", "credential", "credential_field"];

/// A small vault: three ways, keys of two practices and of the gateway, credentials that are active, stopped and deleted.
pub(super) async fn rig() -> Rig {
    let rig = Rig::new().await;
    let by = Actor::command_line();
    for opener in [
        Opener::Passphrase(Zeroizing::new("crane ladder violet stone".to_owned())),
        Opener::Recovery(Vault::new_recovery_code().unwrap()),
    ] {
        rig.vault.set_way(&opener, &by).await.unwrap();
    }
    rig.put(1, "acme", CANARY).await;
    let stopped = rig.put(1, "beta", "b").await;
    rig.vault.stop(&stopped.id, 1, "refused").await.unwrap();
    let disabled = rig.put(1, "disabled", "d").await;
    rig.vault.stop(&disabled.id, 1, "refused").await.unwrap();
    assert!(rig.vault.enable(&practice(1), "disabled", &by).await.unwrap());
    rig.vault.stop(&disabled.id, 2, "refused").await.unwrap();
    let on_trial = rig.put(1, "trial", "t").await;
    rig.vault.stop(&on_trial.id, 1, "refused").await.unwrap();
    assert!(rig.vault.enable(&practice(1), "trial", &by).await.unwrap());
    let fields = [("password".to_owned(), Zeroizing::new("e".to_owned()))].into();
    let ends = Some(Timestamp::from_second(4_000_000_000).unwrap());
    rig.vault.put_until(&practice(2), "ends", fields, &hosts(&["portal.ends.example"]), ends, &by).await.unwrap();
    rig.put(2, "acme", "p2").await;
    rig.put(2, "gone", "g").await;
    rig.vault.delete(&practice(2), "gone", &by).await.unwrap();
    rig
}

/// The first thing that does not hold, as a freshly started gateway and `portico vault verify` find it.
pub(super) async fn found(store: &Arc<Store>, key: &std::path::Path) -> Option<String> {
    let vault = match Vault::open(Arc::clone(store), key).await {
        Ok(vault) => vault,
        Err(error) => return Some(format!("does not open: {error}")),
    };
    if let Err(error) = vault.check_keys().await {
        return Some(error.to_string());
    }
    let practices = match vault.practices().await {
        Ok(practices) => practices,
        Err(error) => return Some(error.to_string()),
    };
    for practice in practices {
        match vault.faults(&practice).await {
            Ok(faults) if faults.is_empty() => {}
            Ok(faults) => return Some(format!("{} {}", faults[0].carrier.clone().unwrap_or_default(), faults[0].text)),
            Err(error) => return Some(error.to_string()),
        }
    }
    None
}

fn all_bits() -> bool {
    std::env::var("PORTICO_TAMPER").is_ok_and(|word| word == "all")
}

/// Changed values: every second byte in one bit (or all bits of all bytes), one byte more, one less.
fn changed(value: &Value) -> Vec<Value> {
    let bits = |length: usize| {
        let one = |byte: usize| byte * 8 + byte % 8;
        if all_bits() {
            (0..length * 8).collect::<Vec<_>>()
        } else {
            (length % 2..length).step_by(2).map(one).collect()
        }
    };
    let of_bytes = |bytes: &[u8]| {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for bit in bits(bytes.len()) {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            all.push(flipped);
        }
        all.push([bytes, b"x"].concat());
        if let Some((_, rest)) = bytes.split_last() {
            all.push(rest.to_vec());
        }
        all
    };
    match value {
        Value::Integer(number) => bits(8).into_iter().map(|bit| Value::Integer(number ^ (1 << bit))).collect(),
        Value::Blob(bytes) => of_bytes(bytes).into_iter().map(Value::Blob).collect(),
        // A text that is none any more is put as bytes.
        Value::Text(text) => of_bytes(text.as_bytes())
            .into_iter()
            .map(|bytes| String::from_utf8(bytes).map_or_else(|error| Value::Blob(error.into_bytes()), Value::Text))
            .collect(),
        Value::Null | Value::Real(_) => Vec::new(),
    }
}

fn put(dir: &std::path::Path, cell: &Cell, value: &Value) -> bool {
    match (&cell.value, value) {
        (Value::Text(_), Value::Blob(bytes)) => tampering::put_text(dir, cell, bytes),
        _ => tampering::put(dir, &Cell { value: value.clone(), ..cell.clone() }),
    }
}

pub(super) fn decides_nothing(cell: &Cell, cells: &[Cell]) -> bool {
    let deleted = || {
        let state = |other: &&Cell| other.table == "credential" && other.row == cell.row && other.column == "state";
        cells.iter().find(state).is_some_and(|state| state.value == Value::Text("deleted".to_owned()))
    };
    let column = cell.column.as_str();
    cell.table == "credential"
        && (SHOWN_ONLY.contains(&column)
            || OF_THE_MOMENT.contains(&column)
            || (OF_DELETED.contains(&column) && deleted()))
}

#[tokio::test]
async fn every_changed_byte_of_keys_and_credentials_is_noticed() {
    let rig = rig().await;
    let data = rig.dir.path().join("data");
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    let cells = tampering::cells(&data, &TABLES).unwrap();
    let (mut noticed, mut refused, mut unused) = (0, 0, 0);
    for cell in &cells {
        for value in changed(&cell.value) {
            if !put(&data, cell, &value) {
                refused += 1;
                continue;
            }
            let what = found(&rig.store, &rig.key()).await;
            if decides_nothing(cell, &cells) {
                unused += 1;
            } else {
                assert!(what.is_some(), "{}.{} of row {}: a change is not noticed", cell.table, cell.column, cell.row);
                noticed += 1;
            }
            // A key's number is its row's.
            let row = match (cell.table, cell.column.as_str(), &value) {
                ("vault_key", "id", Value::Integer(number)) => *number,
                _ => cell.row,
            };
            assert!(tampering::put(&data, &Cell { row, ..cell.clone() }));
        }
    }
    assert_eq!(found(&rig.store, &rig.key()).await, None);
    println!("{noticed} changes noticed, {refused} refused by the database, {unused} of values that decide nothing");
    assert!(noticed > 1_000, "{noticed}");
}

#[tokio::test]
async fn every_missing_moved_and_set_back_row_is_named() {
    for (edit, word) in tampering::VAULT_ROWS {
        let rig = rig().await;
        rig.tamper(edit);
        let what = found(&rig.store, &rig.key()).await.unwrap_or_else(|| panic!("not noticed: {edit}"));
        assert!(what.contains(word), "{edit}: {what}");
    }
}

#[tokio::test]
async fn an_older_state_of_a_credential_is_noticed() {
    let rig = Rig::new().await;
    rig.put(1, "acme", "old").await;
    let data = rig.dir.path().join("data");
    let before = tampering::cells(&data, &["credential", "credential_field"]).unwrap();
    rig.put(1, "acme", "new").await;
    // The fields' rows have other numbers now: by their order.
    let after = tampering::cells(&data, &["credential", "credential_field"]).unwrap();
    for (old, new) in before.iter().zip(&after) {
        assert!(tampering::put(&data, &Cell { value: old.value.clone(), ..new.clone() }));
    }
    let vault = Vault::open(Arc::clone(&rig.store), &rig.key()).await.unwrap();
    // It opens: it was true once. The trail knows better.
    assert!(vault.lease(&practice(1), "acme", &hosts(&["portal.acme.example"])).is_ok());
    let faults = vault.faults(&practice(1)).await.unwrap();
    assert!(faults.len() == 1 && faults[0].text.contains("generation 1"), "{faults:?}");
}

/// Bytes of the file, wherever they fall: noticed, or the tables read as before.
#[tokio::test]
async fn a_changed_byte_of_the_file_is_noticed_or_in_no_key_or_credential() {
    let rig = rig().await;
    let (data, key) = (rig.dir.path().join("data"), rig.key());
    // Closed, so that the log is in the file.
    let Rig { dir, store, vault } = rig;
    drop(vault);
    while Arc::strong_count(&store) > 1 {
        tokio::task::yield_now().await;
    }
    drop(store);
    let before = tampering::cells(&data, &TABLES).unwrap();
    // Read now: the last writer to close has put the log into the file.
    let whole = std::fs::read(data.join("portico.db")).unwrap();
    let step = if all_bits() { 1 } else { whole.len() / 400 };
    let (mut noticed, mut elsewhere) = (0, 0);
    for (count, place) in (0..whole.len()).step_by(step).enumerate() {
        let copy = tempfile::tempdir_in(dir.path()).unwrap();
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (count % 8);
        std::fs::write(copy.path().join("portico.db"), bytes).unwrap();
        let what = match Store::open(copy.path()) {
            Ok(store) => found(&store, &key).await,
            Err(error) => Some(error.to_string()),
        };
        if what.is_some() {
            noticed += 1;
        } else {
            let after = tampering::cells(copy.path(), &TABLES).unwrap();
            let changed: Vec<_> =
                before.iter().zip(&after).filter(|(old, new)| old != new).map(|(old, _)| old).collect();
            assert!(before.len() == after.len(), "byte {place}: a row more or less is not noticed");
            // What stands in an index, too, is read from there, where it is unchanged; the database's own check tells.
            let in_index = |cell: &Cell| KEYED.contains(&cell.column.as_str()) && tampering::is_damaged(copy.path());
            let harmless = |cell: &&Cell| decides_nothing(cell, &before) || in_index(cell);
            assert!(changed.iter().all(harmless), "byte {place}: {changed:?}");
            elsewhere += 1;
        }
    }
    println!("{noticed} changes noticed, {elsewhere} elsewhere");
    assert!(noticed > 10 && elsewhere > 10, "{noticed} {elsewhere}");
}
