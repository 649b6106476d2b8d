//! For tests of the rooms above: what somebody could do who holds the database file, but no key. It stands here because
//! it is SQL.

use std::path::Path;

pub(crate) use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

fn open(dir: &Path) -> Connection {
    let connection = Connection::open_with_flags(dir.join(super::DATABASE), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    // Thousands of edits, none of which must outlive a power cut.
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection
}

/// Runs statements on the file, triggers off.
pub(crate) fn edit(dir: &Path, sql: &str) {
    let connection = open(dir);
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; DROP TRIGGER IF EXISTS trail_is_not_edited; DROP TRIGGER IF EXISTS trail_is_not_erased;",
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
    "UPDATE credential_field SET sealed = substr(sealed, 1, length(sealed) - 1)
     WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential_field SET data_key = zeroblob(77) WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential SET created_at = created_at - 1 WHERE practice = 'p-1' AND carrier = 'acme'",
    // A field taken away, and all of them.
    "DELETE FROM credential_field WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'username'",
    "DELETE FROM credential_field WHERE practice = 'p-1' AND carrier = 'acme'",
    "UPDATE credential_field SET sealed = x'' WHERE practice = 'p-1' AND carrier = 'acme'",
];

/// A root key as it was stored before there were ways.
pub(crate) fn put_early_root(dir: &Path, wrapped: &[u8]) {
    open(dir).execute("INSERT INTO vault_root(version, wrapped, created_at) VALUES (1, ?1, 0)", [wrapped]).unwrap();
}

/// One value of one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) table: &'static str,
    pub(crate) column: String,
    pub(crate) row: i64,
    pub(crate) value: Value,
}

/// Every value of these tables but those that are NULL.
pub(crate) fn cells(dir: &Path, tables: &[&'static str]) -> Result<Vec<Cell>, rusqlite::Error> {
    let connection = Connection::open_with_flags(dir.join(super::DATABASE), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut cells = Vec::new();
    for table in tables {
        let mut rows = connection.prepare(&format!("SELECT rowid, * FROM {table} ORDER BY rowid"))?;
        // A name is the same in capitals and small letters.
        let columns: Vec<String> = rows.column_names().map(str::to_ascii_lowercase).collect();
        let mut rows = rows.query([])?;
        while let Some(found) = rows.next()? {
            let row = found.get(0)?;
            for (index, column) in columns.iter().enumerate().skip(1) {
                let value: Value = found.get(index)?;
                if value != Value::Null {
                    cells.push(Cell { table, column: column.clone(), row, value });
                }
            }
        }
    }
    Ok(cells)
}

/// Keeps a copy of tables beside them, to be put back by [`put_back_tables`].
pub(crate) fn keep_tables(dir: &Path, mark: &str, tables: &[&str]) {
    let copies = tables.iter().map(|table| {
        format!(
            "DROP TABLE IF EXISTS {mark}_{table}; CREATE TABLE {mark}_{table} AS SELECT rowid AS row, * FROM {table};"
        )
    });
    edit(dir, &copies.collect::<String>());
}

/// Puts tables back to what was kept of them, row for row.
pub(crate) fn put_back_tables(dir: &Path, mark: &str, tables: &[&str]) {
    for table in tables {
        let columns = columns(dir, table).join(", ");
        edit(
            dir,
            &format!(
                "DELETE FROM {table}; INSERT INTO {table}(rowid, {columns}) SELECT row, {columns} FROM {mark}_{table};"
            ),
        );
    }
}

/// Puts back the rows of a table that are not there any more, beside those that are.
pub(crate) fn put_back_missing_keys(dir: &Path, mark: &str) {
    edit(
        dir,
        &format!(
            "INSERT INTO vault_key(practice, id, root, wrapped, created_at)
             SELECT practice, id, root, wrapped, created_at FROM {mark}_vault_key
             WHERE id NOT IN (SELECT id FROM vault_key)"
        ),
    );
}

/// Forgets that texts are to be re-wrapped.
pub(crate) const REWRAP_FORGOTTEN: &str = "DELETE FROM vault_rewrap";

fn columns(dir: &Path, table: &str) -> Vec<String> {
    let connection = open(dir);
    let rows = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    rows.column_names().map(str::to_owned).collect()
}

/// Takes a row away.
pub(crate) fn erase_row(dir: &Path, table: &str, row: i64) {
    edit(dir, &format!("DELETE FROM {table} WHERE rowid = {row}"));
}

/// Adds a copy of a row whose value in one column is another; `false` when the database does not take it.
pub(crate) fn copy_row(dir: &Path, cell: &Cell) -> bool {
    let columns = columns(dir, cell.table);
    let values: Vec<&str> =
        columns.iter().map(|column| if *column == cell.column { "?1" } else { column.as_str() }).collect();
    let (table, columns, values) = (cell.table, columns.join(", "), values.join(", "));
    let connection = open(dir);
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;").unwrap();
    let sql = format!("INSERT INTO {table}({columns}) SELECT {values} FROM {table} WHERE rowid = ?2");
    connection.execute(&sql, rusqlite::params![cell.value, cell.row]).is_ok()
}

/// Whether the database's own check finds tables and indexes that do not fit.
pub(crate) fn is_damaged(dir: &Path) -> bool {
    let said = open(dir).query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    said.is_ok_and(|said| said != "ok")
}

/// Puts a cell's value into its row, whatever the schema says of it; `false` when the database does not take it all the
/// same (a key that is there twice, a text in the place of a number).
pub(crate) fn put(dir: &Path, cell: &Cell) -> bool {
    let connection = open(dir);
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;").unwrap();
    let Cell { table, column, row, value } = cell;
    let cast = if matches!(value, Value::Text(_)) { "CAST(?1 AS TEXT)" } else { "?1" };
    connection
        .execute(&format!("UPDATE {table} SET {column} = {cast} WHERE rowid = ?2"), rusqlite::params![value, row])
        .is_ok()
}

/// Puts a text that need not be one.
pub(crate) fn put_text(dir: &Path, cell: &Cell, bytes: &[u8]) -> bool {
    let connection = open(dir);
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;").unwrap();
    let Cell { table, column, row, .. } = cell;
    let sql = format!("UPDATE {table} SET {column} = CAST(?1 AS TEXT) WHERE rowid = ?2");
    connection.execute(&sql, rusqlite::params![bytes, row]).is_ok()
}

/// Rows of keys and credentials taken away, exchanged, set back; the edit, and the word that the finding must name.
pub(crate) const VAULT_ROWS: &[(&str, &str)] = &[
    ("DELETE FROM vault_key WHERE id = 0", "key 0"),
    ("DELETE FROM vault_key WHERE id = (SELECT max(id) FROM vault_key)", "key "),
    ("DELETE FROM vault_key WHERE id = (SELECT min(id) FROM vault_key WHERE practice = 'p-1')", "key "),
    ("DELETE FROM vault_wrapping WHERE way = 'recovery'", "recovery"),
    ("DELETE FROM vault_wrapping WHERE way = 'passphrase'", "passphrase"),
    ("DELETE FROM credential_field WHERE practice = 'p-1' AND carrier = 'acme' AND name = 'password'", "acme"),
    ("DELETE FROM credential_field WHERE carrier = 'beta'; DELETE FROM credential WHERE carrier = 'beta'", "beta"),
    (
        "UPDATE credential SET state = 'active', reason = NULL, stopped_at = NULL WHERE carrier = 'beta'",
        "beta is active",
    ),
    ("UPDATE credential SET generation = generation - 1 WHERE carrier = 'gone'", "gone"),
    ("UPDATE credential SET stage = 'suspect' WHERE carrier = 'disabled'", "disabled is not at the stage"),
    ("UPDATE credential SET stage = NULL WHERE carrier = 'disabled'", "disabled is not at the stage"),
    ("UPDATE credential SET stage = NULL WHERE carrier = 'trial'", "trial is not at the stage"),
    (
        "UPDATE credential SET stage = 'verifying' WHERE practice = 'p-1' AND carrier = 'acme'",
        "acme is not at the stage",
    ),
    ("UPDATE credential SET expires_at = NULL WHERE carrier = 'ends'", "ends does not open"),
    ("UPDATE credential SET expires_at = 9 WHERE practice = 'p-1' AND carrier = 'acme'", "acme does not open"),
    (
        "UPDATE vault_key SET wrapped = (SELECT k.wrapped FROM vault_key k WHERE k.practice = 'p-2')
         WHERE practice = 'p-1'",
        "key ",
    ),
];
