//! A few reading connections. Readers neither wait for the writer nor make it wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::error::StoreError;
use super::sql::{Database, Sql};

/// Most reads at the same time.
const READERS_MAX: usize = 4;
/// A connection that was idle longer is asked whether it still works before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

/// Opens one more connection.
pub(super) type Open = Box<dyn Fn() -> Result<Box<dyn Database>, StoreError> + Send + Sync>;

pub(super) struct Readers {
    open: Open,
    /// With the time of their last use.
    idle: Mutex<Vec<(Box<dyn Database>, Instant)>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(open: Open) -> Arc<Self> {
        Arc::new(Self { open, idle: Mutex::new(Vec::new()), places: Arc::new(Semaphore::new(READERS_MAX)) })
    }

    /// Runs `work` on a thread that may block. It sees one consistent state when it runs in a transaction.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Sql<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let database = readers.take()?;
            let result = work(&Sql(database.as_ref()));
            readers.give_back(database);
            drop(place);
            result
        });
        task.await.map_err(|_| StoreError::Closed)?
    }

    fn take(&self) -> Result<Box<dyn Database>, StoreError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some((database, used)) if used.elapsed() < TRUSTED || database.answers() => return Ok(database),
                Some(_) => {}
                None => return (self.open)(),
            }
        }
    }

    /// Keeps a connection for the next read. One that was lost, or left inside a transaction, is closed instead.
    fn give_back(&self, database: Box<dyn Database>) {
        if database.usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((database, Instant::now()));
        }
    }
}
