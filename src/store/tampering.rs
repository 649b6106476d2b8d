//! For tests of the rooms above: what somebody could do who holds the database file, but no key. It stands here because
//! it is SQL.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

fn open(dir: &Path) -> Connection {
    Connection::open_with_flags(dir.join(super::DATABASE), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// Runs statements on the file, triggers off.
pub(crate) fn edit(dir: &Path, sql: &str) {
    let connection = open(dir);
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS trail_is_not_edited; DROP TRIGGER IF EXISTS trail_is_not_erased;",
        )
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Runs a statement with the triggers on; what the database says against it.
pub(crate) fn refused(dir: &Path, sql: &str) -> String {
    open(dir).execute(sql, []).unwrap_err().to_string()
}

/// Makes a practice's trail what it was before there were trees; `mac` is the code of its end in the old form.
pub(crate) fn before_trees(dir: &Path, practice: &str, mac: &[u8; 32]) {
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    edit(dir, &format!("UPDATE trail SET mac = NULL WHERE practice = '{practice}'; DELETE FROM trail_tile WHERE practice = '{practice}';
        UPDATE trail_head SET frontier = NULL, mac = x'{hex}' WHERE practice = '{practice}'"));
}

/// The chain's end of a practice: its number and value.
pub(crate) fn end(dir: &Path, practice: &str) -> (u64, [u8; 32]) {
    let sql = "SELECT seq, chain FROM trail_head WHERE practice = ?1";
    open(dir).query_row(sql, [practice], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))).unwrap()
}

/// Copies the database as it is now.
pub(crate) fn snapshot(dir: &Path, to: &Path) {
    open(dir).execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

/// Puts a copy of the database in its place. The store must be closed.
pub(crate) fn put_back(dir: &Path, from: &Path) {
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("{}{side}", super::DATABASE)));
    }
    std::fs::copy(from, dir.join(super::DATABASE)).unwrap();
}

/// Edits of what lies beside the records of `p-1`, of which the third is the first with a detail; each names it.
pub(crate) const DETAIL_EDITS: &[&str] = &[
    "DELETE FROM trail_detail WHERE practice = 'p-1' AND seq = 3",
    "UPDATE trail_detail SET patient = zeroblob(32) WHERE practice = 'p-1' AND seq = 3",
    "UPDATE trail_detail SET patient = NULL WHERE practice = 'p-1' AND seq = 3",
    "UPDATE trail_detail SET sealed = (SELECT d.sealed FROM trail_detail d WHERE d.practice = 'p-1' AND d.seq = 4)
     WHERE practice = 'p-1' AND seq = 3",
    "UPDATE evidence SET sealed = zeroblob(60) WHERE practice = 'p-1'",
    "UPDATE ask SET envelope = NULL WHERE practice = 'p-1'",
];

/// A tile root of `p-1` that is not that of its records.
pub(crate) const TILE_EDIT: &str = "UPDATE trail_tile SET hash = zeroblob(32) WHERE practice = 'p-1' AND n = 0";

/// Edits that the database itself must refuse.
pub(crate) const TRAIL_REFUSED: &[&str] =
    &["UPDATE trail SET at = 0", "DELETE FROM trail", "UPDATE trail SET body = '{}' WHERE seq = 1"];

/// Edits of a trail with six records of practice `p-1` and one of `p-2`; the first record of `p-1` that no longer fits.
pub(crate) const TRAIL_EDITS: &[(&str, u64)] = &[
    ("UPDATE trail SET body = replace(body, 'northstar', 'statemed') WHERE practice = 'p-1' AND seq = 3", 3),
    ("UPDATE trail SET at = at + 1 WHERE practice = 'p-1' AND seq = 4", 4),
    ("UPDATE trail SET chain = zeroblob(32) WHERE practice = 'p-1' AND seq = 2", 2),
    ("DELETE FROM trail WHERE practice = 'p-1' AND seq = 1", 1),
    ("DELETE FROM trail WHERE practice = 'p-1' AND seq = 3", 3),
    ("DELETE FROM trail WHERE practice = 'p-1' AND seq = 6", 6),
    ("DELETE FROM trail WHERE practice = 'p-1'", 1),
    ("DELETE FROM trail_head WHERE practice = 'p-1'", 6),
    ("UPDATE trail SET seq = seq + 1000 WHERE practice = 'p-1' AND seq = 5", 5),
    // Swapped.
    (
        "UPDATE trail SET seq = 99 WHERE practice = 'p-1' AND seq = 2;
         UPDATE trail SET seq = 2 WHERE practice = 'p-1' AND seq = 3;
         UPDATE trail SET seq = 3 WHERE practice = 'p-1' AND seq = 99",
        2,
    ),
    // Cut, and the end set back to fit, without the key.
    (
        "DELETE FROM trail WHERE practice = 'p-1' AND seq > 4;
         UPDATE trail_head SET seq = 4, chain = (SELECT chain FROM trail WHERE practice = 'p-1' AND seq = 4)
         WHERE practice = 'p-1'",
        4,
    ),
    // Another practice's record, put in whole.
    (
        "DELETE FROM trail WHERE practice = 'p-1' AND seq = 1;
         INSERT INTO trail(practice, seq, at, body, chain)
         SELECT 'p-1', 1, at, body, chain FROM trail WHERE practice = 'p-2' AND seq = 1",
        1,
    ),
    ("UPDATE trail_head SET mac = zeroblob(32) WHERE practice = 'p-1'", 6),
];

/// The end of `p-1`'s trail, set to another record.
pub(crate) const TRAIL_END_FORGED: &str = "UPDATE trail_head SET seq = seq + 1 WHERE practice = 'p-1'";

/// The envelope and the evidence of `a-1` moved to `a-2`, and the envelope to `b-1` of another practice.
pub(crate) const ANSWERS_MOVED: &str =
    "UPDATE ask SET envelope = (SELECT envelope FROM ask WHERE id = 'a-1') WHERE id IN ('a-2', 'b-1');
     UPDATE evidence SET sealed = (SELECT sealed FROM evidence WHERE ask = 'a-1') WHERE ask = 'a-2'";

/// From now on, no credential's row can be changed.
pub(crate) const CREDENTIALS_FROZEN: &str =
    "CREATE TRIGGER no BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'no'); END";

/// They can be changed again.
pub(crate) const CREDENTIALS_THAWED: &str = "DROP TRIGGER no";

/// A whole credential, given to practice `p-2`.
pub(crate) const CREDENTIAL_GIVEN_AWAY: &str =
    "UPDATE credential SET practice = 'p-2'; UPDATE credential_field SET practice = 'p-2'";

/// Edits after which the credential of `p-1` at `acme` must not open: `p-1` has one at `beta` too, `p-2` one at `acme`,
/// each with the fields `username` and `password`.
pub(crate) const CREDENTIAL_EDITS: &[&str] = &[
    // Another practice's values, another carrier's, another field's.
    "UPDATE credential_field SET (sealed, data_key) = (SELECT f.sealed, f.data_key FROM credential_field f
       WHERE f.practice = 'p-2' AND f.carrier = 'acme' AND f.name = 'password')
     WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'",
    "UPDATE credential_field SET (sealed, data_key) = (SELECT f.sealed, f.data_key FROM credential_field f
       WHERE f.practice = 'p-1' AND f.carrier = 'beta' AND f.name = 'password')
     WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'",
    "UPDATE credential_field SET (sealed, data_key) = (SELECT f.sealed, f.data_key FROM credential_field f
       WHERE f.practice = 'p-1' AND f.carrier = 'acme' AND f.name = 'username')
     WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'",
    // The value alone, under its own data key.
    "UPDATE credential_field SET sealed = (SELECT f.sealed FROM credential_field f
       WHERE f.practice = 'p-1' AND f.carrier = 'acme' AND f.name = 'username')
     WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'",
    // What it is bound to.
    "UPDATE credential SET origins = '[\"evil.example\",\"portal.acme.example\"]'
     WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential SET generation = 7 WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential SET id = 'cred_other' WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential_field SET name = 'api_key' WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'",
    // Bytes.
    "UPDATE credential_field SET sealed = zeroblob(60) WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential_field SET data_key = substr(data_key, 1, length(data_key) - 1)
     WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential_field SET sealed = x'' WHERE practice = 'p-1' AND carrier = 'acme'",
];
