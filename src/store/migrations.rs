//! The schema, as a list of steps that only ever grows. A step that was released is never edited.

use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;

/// Version, name, statements.
const STEPS: &[(i64, &str, &str)] = &[(1, "practices, keys, vault, answers, trail", include_str!("schema_0001.sql"))];

/// Brings the database to the newest schema, each step in a transaction of its own.
///
/// # Errors
/// [`StoreError::TooNew`] when a newer program wrote it; nothing is touched then.
pub(super) fn run(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migration(
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
    )?;
    let found: i64 =
        connection.query_row("SELECT coalesce(max(version), 0) FROM schema_migration", [], |row| row.get(0))?;
    let known = STEPS.last().map_or(0, |step| step.0);
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (version, name, sql) in STEPS.iter().filter(|step| step.0 > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.execute(
            "INSERT INTO schema_migration(version, name, applied_at) VALUES (?1, ?2, ?3)",
            (version, name, now),
        )?;
        transaction.commit()?;
    }
    Ok(())
}

/// The newest step that was applied.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let version = connection
        .query_row("SELECT max(version) FROM schema_migration", [], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(version.flatten().unwrap_or(0))
}
