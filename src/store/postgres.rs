//! PostgreSQL: for a practice that has a server with replicas and backups of its own already.
//!
//! One gateway at a time writes: the writing connection holds an advisory lock of the database, and a number that every
//! start raises tells a connection that came back whether somebody else was there meanwhile.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::time::Duration;

use postgres::error::{DbError, SqlState};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use postgres::{Client, Config, Statement};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::StoreError;
use super::sql::{Database, Fields, Kind, Sql, Value, Visit, column, values};

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A transaction that stands still this long is ended by the server: ours never wait for anything but the server.
const STANDS_STILL_MS: u32 = 60_000;
/// Statements kept prepared for each connection.
const STATEMENTS_MAX: usize = 256;
/// The advisory lock's number: "portico" in ASCII.
const LOCK: i64 = 0x0070_6f72_7469_636f;

/// Where the server is, and how to speak to it. `Debug` shows no password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// Reads a connection string as `libpq` writes it (`postgresql://user@host/database?sslmode=require`, or
    /// `host=… user=… dbname=…`). The password stands apart, so that the string may be shown.
    ///
    /// # Errors
    /// What is wrong with it, and how to mend it.
    pub fn new(connection: &str, password: Option<&str>) -> Result<Self, &'static str> {
        let mut config: Config = connection
            .parse()
            .map_err(|_| "this is no PostgreSQL connection string: write postgresql://user@host/database")?;
        if config.get_password().is_some() {
            return Err("a password may not stand here: name a file or a variable in postgres_password");
        }
        if let Some(password) = password {
            config.password(password);
        }
        config.application_name("portico").connect_timeout(CONNECT_WITHIN).keepalives_idle(Duration::from_secs(10));
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|_| "no version of TLS is at hand")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }

    fn connect(&self) -> Result<Client, StoreError> {
        let mut client = self.config.connect(self.tls.clone()).map_err(|error| from(&error))?;
        // A server set to lose the last commits at a power cut must not lose ours.
        client
            .batch_execute(&format!(
                "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = {STANDS_STILL_MS}; \
                 SET client_min_messages = warning; SET standard_conforming_strings = on; SET search_path = public"
            ))
            .map_err(|error| from(&error))?;
        Ok(client)
    }
}

/// One connection.
pub(super) struct Postgres {
    server: Server,
    /// `None` only while it is dropped.
    client: RefCell<Option<Client>>,
    statements: RefCell<HashMap<String, Statement>>,
    state: Cell<State>,
    /// For the writing connection: the number of this process's start.
    start: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    InTransaction,
    /// A statement failed: only going back to a mark, or rolling back, does anything.
    Failed,
    Lost,
}

impl Postgres {
    /// The connection that writes; see [`Postgres::started`].
    pub(super) fn writing(server: &Server) -> Result<Self, StoreError> {
        let database = Self::reading(server)?;
        database.take_lock()?;
        Ok(database)
    }

    /// A connection for readers.
    pub(super) fn reading(server: &Server) -> Result<Self, StoreError> {
        let client = RefCell::new(Some(server.connect()?));
        let statements = RefCell::default();
        Ok(Self { server: server.clone(), client, statements, state: Cell::new(State::Idle), start: None })
    }

    /// Notes this start; from now on the connection comes back by itself after it was lost, if nobody else was there.
    pub(super) fn started(mut self) -> Result<Self, StoreError> {
        let sql = "UPDATE store_start SET number = number + 1 RETURNING number";
        self.start = self.number(sql)?;
        self.start.map(|_| self).ok_or(StoreError::Damaged { what: "the number of starts is missing" })
    }

    fn take_lock(&self) -> Result<(), StoreError> {
        let free = self.number(&format!("SELECT pg_try_advisory_lock({LOCK})::int::bigint"))?;
        if free == Some(1) { Ok(()) } else { Err(StoreError::DatabaseTaken) }
    }

    fn number(&self, sql: &str) -> Result<Option<i64>, StoreError> {
        let mut found = None;
        self.query(sql, &[], &mut |fields| {
            found = if let Value::Int(number) = fields.field(0)? { Some(number) } else { None };
            Ok(true)
        })?;
        Ok(found)
    }

    /// Connects again after a loss, once per transaction that wants to begin.
    fn come_back(&self) -> Result<(), StoreError> {
        let Some(start) = self.start else { return Err(StoreError::Unreachable) };
        let new = self.server.connect()?;
        away(self.client.replace(Some(new)));
        self.statements.borrow_mut().clear();
        self.state.set(State::Idle);
        let same = self.take_lock().and_then(|()| self.number("SELECT number FROM store_start"));
        match same {
            Ok(Some(number)) if number == start => {
                tracing::warn!("the connection to PostgreSQL was lost and is back");
                Ok(())
            }
            // The new connection goes too, and with it the lock, if it was free: it is the other one's now.
            Ok(_) | Err(StoreError::DatabaseTaken) => {
                self.state.set(State::Lost);
                away(self.client.take());
                Err(StoreError::TakenOver)
            }
            Err(error) => {
                self.state.set(State::Lost);
                Err(error)
            }
        }
    }

    /// A visitor that asks the same connection again is a fault of ours, not a reason to panic.
    fn borrow(&self) -> Result<RefMut<'_, Client>, StoreError> {
        let client = self.client.try_borrow_mut().map_err(|_| StoreError::Postgres { state: String::new() })?;
        RefMut::filter_map(client, Option::as_mut).map_err(|_| StoreError::Unreachable)
    }

    /// Notes what a failure does to the connection.
    fn note(&self, error: &postgres::Error) -> StoreError {
        let lost = error.as_db_error().is_none_or(|error| {
            matches!(
                error.code(),
                &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW
            )
        });
        if lost {
            self.state.set(State::Lost);
        } else if self.state.get() == State::InTransaction {
            self.state.set(State::Failed);
        }
        from(error)
    }

    /// A statement of ours, prepared once for each connection.
    fn statement(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = values.iter().map(|value| type_of(value.kind())).collect();
        let prepared = self.borrow()?.prepare_typed(&placeholders(sql), &types);
        let statement = prepared.map_err(|error| self.note(&error))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs words of the transaction itself.
    fn control(&self, sql: &str, then: State) -> Result<(), StoreError> {
        let done = self.borrow()?.batch_execute(sql);
        done.map_err(|error| self.note(&error))?;
        self.state.set(then);
        Ok(())
    }
}

impl Database for Postgres {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let statement = self.statement(sql, values)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let done = self.borrow()?.execute(&statement, &values);
        let changed = done.map_err(|error| self.note(&error))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(&self, sql: &str, values: &[Value<'_>], visit: Visit<'_>) -> Result<(), StoreError> {
        let statement = self.statement(sql, values)?;
        let mut client = self.borrow()?;
        let mut rows = client.query_raw(&statement, values).map_err(|error| self.note(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.note(&error))? {
            if !visit(&row)? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        let done = self.borrow()?.batch_execute(sql);
        done.map_err(|error| self.note(&error))
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT relname::text FROM pg_class
                   WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid";
        Sql(self).all(sql, &[], |row| row.get(0))
    }

    fn columns(&self, table: &str) -> Result<Vec<(String, Kind)>, StoreError> {
        let sql = "SELECT column_name::text, data_type::text FROM information_schema.columns
                   WHERE table_schema = 'public' AND table_name = ?1 AND is_generated = 'NEVER'
                   ORDER BY ordinal_position";
        Sql(self).all(sql, values![table], column)
    }

    fn begin(&self) -> Result<(), StoreError> {
        if self.state.get() != State::Lost {
            let begun = self.control("BEGIN", State::InTransaction);
            if self.state.get() != State::Lost {
                return begun;
            }
        }
        self.come_back()?;
        self.control("BEGIN", State::InTransaction)
    }

    fn begin_reading(&self) -> Result<(), StoreError> {
        self.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", State::InTransaction)
    }

    fn commit(&self) -> Result<(), StoreError> {
        // PostgreSQL answers COMMIT of a failed transaction with success, and rolls it back.
        if self.state.get() != State::InTransaction {
            return Err(StoreError::Unreachable);
        }
        self.control("COMMIT", State::Idle)
    }

    fn roll_back(&self) -> Result<(), StoreError> {
        self.control("ROLLBACK", State::Idle)
    }

    fn mark(&self) -> Result<(), StoreError> {
        self.control("SAVEPOINT one", State::InTransaction)
    }

    fn unmark(&self, keep: bool) -> Result<(), StoreError> {
        let sql = if keep { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
        self.control(sql, State::InTransaction)
    }

    fn in_transaction(&self) -> bool {
        matches!(self.state.get(), State::InTransaction | State::Failed)
    }

    fn usable(&self) -> bool {
        self.state.get() == State::Idle
    }

    fn answers(&self) -> bool {
        self.batch("SELECT 1").is_ok()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        away(self.client.take());
    }
}

/// Closes a connection on a thread of its own: it carries a runtime, which may not be dropped on a thread of another.
fn away(client: Option<Client>) {
    if let Ok(thread) = std::thread::Builder::new().spawn(move || drop(client)) {
        let _ = thread.join();
    }
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
    }
}

/// `?1` as PostgreSQL writes it: `$1`. Not inside quotes.
fn placeholders(sql: &str) -> String {
    let mut quoted = false;
    sql.chars()
        .map(|c| {
            quoted ^= c == '\'';
            if c == '?' && !quoted { '$' } else { c }
        })
        .collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + std::marker::Sync + Send>> {
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Bytes(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

impl Fields for postgres::Row {
    fn field(&self, index: usize) -> Result<Value<'_>, StoreError> {
        const OTHER: StoreError = StoreError::Damaged { what: "a column holds another kind of value" };
        let ty = self.columns().get(index).ok_or(OTHER)?.type_();
        let value = if *ty == Type::INT8 {
            self.try_get(index).map(|found: Option<i64>| found.map_or(Value::Null(Kind::Int), Value::Int))
        } else if *ty == Type::BYTEA {
            self.try_get(index).map(|found: Option<&[u8]>| found.map_or(Value::Null(Kind::Bytes), Value::Bytes))
        } else {
            self.try_get(index).map(|found: Option<&str>| found.map_or(Value::Null(Kind::Text), Value::Text))
        };
        value.map_err(|_| OTHER)
    }
}

/// The codes are listed in PostgreSQL's manual, appendix A.
fn from(error: &postgres::Error) -> StoreError {
    let Some(code) = error.as_db_error().map(DbError::code) else { return StoreError::Unreachable };
    match *code {
        SqlState::DISK_FULL => StoreError::DiskFull,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => StoreError::Unreachable,
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => StoreError::Damaged { what: "the PostgreSQL database" },
        // Class 23: integrity constraint violation. P0001: a trigger of ours said no.
        _ if code.code().starts_with("23") || code.code() == "P0001" => StoreError::Conflict,
        _ => StoreError::Postgres { state: code.code().to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_become_dollars_outside_quotes() {
        assert_eq!(placeholders("a = ?1 AND b <> '?2' OR c = ?3"), "a = $1 AND b <> '?2' OR c = $3");
    }

    #[test]
    fn a_password_in_the_connection_string_is_refused() {
        assert!(Server::new("postgresql://u@db.example/portico", None).is_ok());
        let error = Server::new("postgresql://u:secret@db.example/portico", None).err().unwrap_or_default();
        assert!(error.contains("postgres_password"), "{error}");
        assert!(Server::new("mysql://nonsense", None).is_err());
    }
}
