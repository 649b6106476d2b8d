//! The store: one writer that commits in groups, and a few readers, over SQLite (embedded, the default) or PostgreSQL.
//! **The only room with SQL.**
//!
//! Other rooms call the typed functions of one file per family of tables ([`answers`], [`batches`], [`credentials`],
//! [`keys`], [`people`], [`sessions`], [`submissions`], [`tasks`], [`trail`], [`vault`]). Every function that reads or
//! changes something of a practice takes the practice; every value is bound, never pasted into SQL.
//!
//! What a caller may rely on: a write that returned `Ok` has been synced to the disk; one that returned `Err` left
//! nothing behind; no second process can use the same directory meanwhile.

pub mod answers;
pub mod batches;
pub mod checkpoints;
#[cfg(test)]
mod conformance;
pub mod credentials;
pub mod dump;
mod error;
pub mod keys;
pub mod logins;
mod migrations;
pub mod patients;
pub mod pauses;
pub mod people;
mod postgres;
mod readers;
pub mod restored;
pub mod rewrap;
pub mod schedule;
pub mod sessions;
mod sql;
mod sqlite;
pub mod submissions;
#[cfg(test)]
pub(crate) mod tampering;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod trail;
pub mod vault;
pub mod webhooks;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

pub use error::StoreError;
use migrations::Dialect;
use postgres::Postgres;
pub use postgres::Server as PostgresServer;
use sql::{Database, Sql};
use sqlite::{Sqlite, Sync};

/// The database's name inside the data directory.
const DATABASE: &str = "portico.db";
/// The file whose lock says that the directory is in use.
const LOCK: &str = "portico.lock";
/// Where a store's tables are.
#[derive(Clone, Debug)]
pub enum Tables {
    /// A SQLite file in the data directory.
    Embedded,
    /// A PostgreSQL server.
    Postgres(Box<PostgresServer>),
}

/// The open store. Dropping it commits what waits and gives the directory back.
pub struct Store {
    // Fields drop in this order: the writer ends before the lock goes, and a temporary directory goes last.
    writer: writer::Writer,
    readers: Arc<readers::Readers>,
    dir: PathBuf,
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store with its tables where they are said to be; see [`Store::open`] and [`Store::open_postgres`].
    ///
    /// # Errors
    /// As these.
    pub async fn open_at(dir: &Path, tables: &Tables) -> Result<Arc<Self>, StoreError> {
        let (dir, tables) = (dir.to_owned(), tables.clone());
        let opened = tokio::task::spawn_blocking(move || match tables {
            Tables::Embedded => Self::open(&dir),
            Tables::Postgres(server) => Self::open_postgres(&dir, *server),
        });
        opened.await.map_err(|_| StoreError::Closed)?
    }

    /// Opens the store in `dir`, made when it is missing (readable by its owner only), and brings its schema up to date.
    /// Blocks; call it at start.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::TooNew`], [`StoreError::File`], or what SQLite says.
    pub fn open(dir: &Path) -> Result<Arc<Self>, StoreError> {
        Self::open_in(dir, Sync::Full, None)
    }

    /// A store in a new temporary directory that goes when the store goes. It does not sync: for tests and the demo.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_temporary() -> Result<Arc<Self>, StoreError> {
        let temporary = tempfile::Builder::new()
            .prefix("portico-")
            .tempdir()
            .map_err(|error| StoreError::File { path: std::env::temp_dir(), kind: error.kind() })?;
        let dir = temporary.path().to_owned();
        Self::open_in(&dir, Sync::Off, Some(temporary))
    }

    /// A store as an earlier program left it: its schema stands at this step.
    #[cfg(test)]
    pub(crate) fn open_at_schema(dir: &Path, last: i64) -> Result<Arc<Self>, StoreError> {
        make_private_dir(dir)?;
        let (lock, path) = (lock(dir)?, dir.join(DATABASE));
        private_file(&path)?;
        let database = Sqlite::writing(&path, Sync::Off)?;
        migrations::run_to(&database, Dialect::Sqlite, now(), last)?;
        let open = Box::new(move || {
            let reader: Box<dyn Database> = Box::new(Sqlite::reading(&path)?);
            Ok(reader)
        });
        Self::over(Box::new(database), open, dir, lock, None)
    }

    /// Opens a store whose tables are in PostgreSQL; `dir` keeps what else is written. Blocks; call it at start, on a
    /// thread that may block.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Unreachable`], [`StoreError::DatabaseTaken`], or what PostgreSQL says.
    pub fn open_postgres(dir: &Path, server: PostgresServer) -> Result<Arc<Self>, StoreError> {
        make_private_dir(dir)?;
        let lock = lock(dir)?;
        let database = Postgres::writing(&server)?;
        migrations::run(&database, Dialect::Postgres, now())?;
        let open = Box::new(move || {
            let reader: Box<dyn Database> = Box::new(Postgres::reading(&server)?);
            Ok(reader)
        });
        Self::over(Box::new(database.started()?), open, dir, lock, None)
    }

    fn open_in(dir: &Path, sync: Sync, temporary: Option<tempfile::TempDir>) -> Result<Arc<Self>, StoreError> {
        make_private_dir(dir)?;
        let lock = lock(dir)?;
        let path = dir.join(DATABASE);
        // Made by us, so that it never exists with other permissions; SQLite gives its side files the same ones.
        private_file(&path)?;
        let database = Sqlite::writing(&path, sync)?;
        migrations::run(&database, Dialect::Sqlite, now())?;
        let open = Box::new(move || {
            let reader: Box<dyn Database> = Box::new(Sqlite::reading(&path)?);
            Ok(reader)
        });
        Self::over(Box::new(database), open, dir, lock, temporary)
    }

    fn over(
        database: Box<dyn Database>,
        open: readers::Open,
        dir: &Path,
        lock: File,
        temporary: Option<tempfile::TempDir>,
    ) -> Result<Arc<Self>, StoreError> {
        let writer = writer::Writer::start(database)
            .map_err(|error| StoreError::File { path: dir.to_owned(), kind: error.kind() })?;
        let readers = readers::Readers::new(open);
        Ok(Arc::new(Self { writer, readers, dir: dir.to_owned(), _lock: lock, _temporary: temporary }))
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether writes can succeed, as far as the last ones show: `Err` after a failed sync, until the process is started
    /// again, and for a while after writes that found no room or no server. For readiness.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn writable(&self) -> Result<(), StoreError> {
        if self.writer.sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        if !self.writer.runs() {
            return Err(StoreError::Closed);
        }
        self.writer.not_kept().map_or(Ok(()), Err)
    }

    /// Commits and single writes since the start: their ratio shows what group commit saves.
    pub fn counts(&self) -> (u64, u64) {
        self.writer.counts()
    }

    /// The schema version that this program makes.
    pub fn newest_schema() -> i64 {
        migrations::NEWEST
    }

    /// The schema version that the database has.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.read(migrations::version).await
    }

    /// Queues one write; returns after it is durable. The work runs on the writer's thread and must not block.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Sql<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Runs one read on a thread that may block.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Sql<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.read(work).await
    }
}

/// A moment as the store keeps it, microseconds since 1970. Out of range only where the database was changed by hand.
pub(crate) fn time(microseconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(microseconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// Now, in the store's unit: microseconds since 1970 in UTC.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), kind: error.kind() }
}

#[cfg(unix)]
fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| file_error(dir, &error))?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(|error| file_error(dir, &error))
}

#[cfg(not(unix))]
fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(dir).map_err(|error| file_error(dir, &error))
}

/// Opens a file that only its owner may read, made when it is missing.
fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(|error| file_error(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(|error| file_error(path, &error))?;
    }
    Ok(file)
}

/// Takes the directory for this process. The system gives it back when the process ends, however it ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(file_error(&path, &error)),
    }
}
