//! The schema, as a list of steps that only ever grows. A step that was released is never edited.
//!
//! Each step is written once, in SQLite's words. For the other database the types are exchanged word by word, and what
//! the two cannot share (triggers) stands between `-- only sqlite`, `-- only postgres` and `-- both`.

use super::error::StoreError;
use super::sql::{Database, Sql, values};

/// Version, name, statements.
pub(super) const STEPS: &[(i64, &str, &str)] = &[
    (1, "practices, keys, vault, answers, trail", include_str!("schema/0001_foundation.sql")),
    (2, "webhooks", include_str!("schema/0002_webhooks.sql")),
    (3, "people, memberships, sessions", include_str!("schema/0003_identity.sql")),
    (4, "submissions", include_str!("schema/0004_submissions.sql")),
    (5, "batches of questions", include_str!("schema/0005_batches.sql")),
    (6, "the life of a credential", include_str!("schema/0006_credential_life.sql")),
    (7, "the trail's tree, details, checkpoints", include_str!("schema/0007_trail_tree.sql")),
    (8, "the vault's keys by number", include_str!("schema/0008_vault_keys.sql")),
    (9, "patients", include_str!("schema/0009_desk.sql")),
    (10, "what carriers ask of people", include_str!("schema/0010_tasks.sql")),
    (11, "the schedule", include_str!("schema/0011_schedule.sql")),
    (12, "paused carriers", include_str!("schema/0012_carrier_pause.sql")),
];

/// The schema's version after all steps.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

const MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migration(
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;";

/// Which database's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Brings the database to the newest schema, each step in a transaction of its own.
///
/// # Errors
/// [`StoreError::TooNew`] when a newer program wrote it; nothing is touched then.
pub(super) fn run(database: &dyn Database, dialect: Dialect, now: i64) -> Result<(), StoreError> {
    run_to(database, dialect, now, NEWEST)
}

/// As [`run`], but no further than this step.
pub(super) fn run_to(database: &dyn Database, dialect: Dialect, now: i64, last: i64) -> Result<(), StoreError> {
    database.batch(&words(MIGRATIONS, dialect))?;
    let found = version(&Sql(database))?;
    if found > NEWEST {
        return Err(StoreError::TooNew { found, known: NEWEST });
    }
    for (version, name, sql) in STEPS.iter().filter(|step| step.0 > found && step.0 <= last) {
        database.begin()?;
        let done = database.batch(&words(sql, dialect)).and_then(|()| {
            let sql = "INSERT INTO schema_migration(version, name, applied_at) VALUES (?1, ?2, ?3)";
            database.execute(sql, values![*version, *name, now])
        });
        if let Err(error) = done {
            if database.in_transaction() {
                database.roll_back()?;
            }
            return Err(error);
        }
        database.commit()?;
    }
    Ok(())
}

/// The newest step that was applied; 0 when there is none.
pub(super) fn version(sql: &Sql<'_>) -> Result<i64, StoreError> {
    let found = sql.one("SELECT coalesce(max(version), 0) FROM schema_migration", &[], |row| row.get(0))?;
    Ok(found.unwrap_or(0))
}

/// A step in one database's words.
fn words(sql: &str, dialect: Dialect) -> String {
    let mut here = true;
    let mut text = String::with_capacity(sql.len());
    for line in sql.lines() {
        match line.trim() {
            "-- only sqlite" => here = dialect == Dialect::Sqlite,
            "-- only postgres" => here = dialect == Dialect::Postgres,
            "-- both" => here = true,
            _ if here => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    match dialect {
        Dialect::Sqlite => text,
        Dialect::Postgres => text.replace(" INTEGER", " BIGINT").replace(" BLOB", " BYTEA").replace(") STRICT;", ");"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_serves_both_databases() {
        let step = "CREATE TABLE t(\n  n INTEGER PRIMARY KEY,\n  b BLOB\n) STRICT;\n-- only sqlite\nA;\n-- only postgres\nB;\n-- both\nC;\n";
        assert_eq!(
            words(step, Dialect::Sqlite),
            "CREATE TABLE t(\n  n INTEGER PRIMARY KEY,\n  b BLOB\n) STRICT;\nA;\nC;\n"
        );
        assert_eq!(words(step, Dialect::Postgres), "CREATE TABLE t(\n  n BIGINT PRIMARY KEY,\n  b BYTEA\n);\nB;\nC;\n");
    }

    #[test]
    fn what_later_steps_do_a_dump_of_an_earlier_schema_can_miss() {
        let changes = |sql: &str| {
            let plain = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
            plain
                .split(';')
                .map(|statement| statement.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase())
                .find(|begin| {
                    let word = begin.split(' ').next().unwrap_or_default();
                    matches!(word, "UPDATE" | "DELETE" | "INSERT") || begin == "DROP TABLE"
                })
        };
        for (version, _, sql) in STEPS.iter().filter(|step| step.0 > crate::store::dump::OLDEST_SCHEMA) {
            assert_eq!(changes(sql), None, "step {version} changes what is there: move dump::OLDEST_SCHEMA to it");
        }
        assert_eq!(changes("-- x\nUPDATE t SET a = 1;").as_deref(), Some("UPDATE T"));
    }

    #[test]
    fn steps_are_numbered_without_gaps() {
        let numbers: Vec<i64> = STEPS.iter().map(|step| step.0).collect();
        assert_eq!(numbers, (1..=STEPS.len() as i64).collect::<Vec<_>>());
    }
}
