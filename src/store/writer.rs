//! The one writer: a thread that owns the only writing connection and commits in groups.
//!
//! A commit costs one sync of the disk whatever stands in it, so that writes which wait together are committed
//! together. Each caller is answered after *its* commit, never before.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use connector_sdk::ErrorKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::StoreError;
use super::sql::{Database, Sql};

/// Most writes in one commit.
const BATCH_MAX: usize = 64;
/// Longest wait for a group to gather. A write that comes alone waits for nobody.
const GATHER: Duration = Duration::from_millis(2);
/// Most writes that may wait; further callers wait before they enter.
const QUEUE_MAX: usize = 1024;
/// So long a group that was not kept is told of.
const LATELY: Duration = Duration::from_secs(30);

/// One write that waits for its turn. Object-safe, so that one queue serves all kinds of result.
trait Job: Send {
    /// Does the statements. An error undoes this job's savepoint only.
    fn run(&mut self, sql: &Sql<'_>) -> Result<(), StoreError>;
    /// Answers the caller once the group's fate is known.
    fn finish(self: Box<Self>, group: Result<(), StoreError>);
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    _place: OwnedSemaphorePermit,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Sql<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, sql: &Sql<'_>) -> Result<(), StoreError> {
        let result = match self.work.take() {
            Some(work) => work(sql),
            None => Err(StoreError::Closed),
        };
        let fate = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        fate
    }

    fn finish(self: Box<Self>, group: Result<(), StoreError>) {
        let this = *self;
        let result = match (this.result, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(group)) => Err(group),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // A caller that went away loses nothing: its write is committed all the same.
        let _ = this.answer.send(result);
    }
}

/// How much the writer has done. Grows only.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    sync_failed: AtomicBool,
    /// Why the last group was not kept, and since when; until one is.
    not_kept: Mutex<Option<(Instant, StoreError)>>,
}

/// The door to the writer thread.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    places: Arc<Semaphore>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. The connection is set up and migrated already.
    pub(super) fn start(database: Box<dyn Database>) -> Result<Self, std::io::Error> {
        let (queue, jobs) = mpsc::channel();
        let counters = Arc::new(Counters::default());
        let theirs = Arc::clone(&counters);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(database.as_ref(), &jobs, &theirs))?;
        Ok(Self { queue: Some(queue), places: Arc::new(Semaphore::new(QUEUE_MAX)), counters, thread: Some(thread) })
    }

    /// Queues one write and waits until it is durable, or refused.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Sql<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        if self.sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, result) = oneshot::channel();
        let job = Write { work: Some(work), result: None, answer, _place: place };
        self.queue.as_ref().ok_or(StoreError::Closed)?.send(Box::new(job)).map_err(|_| StoreError::Closed)?;
        result.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits and writes so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counters.commits.load(Ordering::Relaxed), self.counters.writes.load(Ordering::Relaxed))
    }

    /// Whether its thread still takes writes.
    pub(super) fn runs(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Whether a sync failed once.
    pub(super) fn sync_failed(&self) -> bool {
        self.counters.sync_failed.load(Ordering::Relaxed)
    }

    /// Why the last group of writes was not kept, if that was lately: who stays away because of it does not stay away for
    /// good.
    pub(super) fn not_kept(&self) -> Option<StoreError> {
        let not_kept = self.counters.not_kept.lock().unwrap_or_else(PoisonError::into_inner);
        not_kept.as_ref().filter(|(at, _)| at.elapsed() < LATELY).map(|(_, error)| error.clone())
    }

    #[cfg(test)]
    pub(super) fn pretend_sync_failed(&self) {
        self.counters.sync_failed.store(true, Ordering::Relaxed);
    }
}

impl Drop for Writer {
    /// Lets the writes that wait be committed, and waits for that: the directory's lock is given back only afterwards.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(database: &dyn Database, jobs: &mpsc::Receiver<Box<dyn Job>>, counters: &Counters) {
    let mut usual = 1;
    while let Some(batch) = gather(jobs, usual) {
        usual = batch.len();
        commit(database, batch, counters);
    }
}

/// The next group. While callers come in groups of `usual`, it waits up to [`GATHER`] for as many again: without that,
/// the first one back would get a commit of its own every time.
fn gather(jobs: &mpsc::Receiver<Box<dyn Job>>, usual: usize) -> Option<Vec<Box<dyn Job>>> {
    let mut batch = vec![jobs.recv().ok()?];
    let until = Instant::now() + GATHER;
    while batch.len() < BATCH_MAX {
        let left = if batch.len() < usual { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
        let next = if left.is_zero() { jobs.try_recv().ok() } else { jobs.recv_timeout(left).ok() };
        match next {
            Some(job) => batch.push(job),
            None => break,
        }
    }
    Some(batch)
}

fn commit(database: &dyn Database, mut batch: Vec<Box<dyn Job>>, counters: &Counters) {
    let fate = if counters.sync_failed.load(Ordering::Relaxed) {
        Err(StoreError::SyncFailed)
    } else {
        transaction(database, &mut batch)
    };
    match &fate {
        Ok(kept) => {
            if *kept > 0 {
                *counters.not_kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            counters.commits.fetch_add(u64::from(*kept > 0), Ordering::Relaxed);
            counters.writes.fetch_add(*kept, Ordering::Relaxed);
        }
        Err(error) => {
            if *error == StoreError::SyncFailed {
                counters.sync_failed.store(true, Ordering::Relaxed);
            }
            if error.kind() == ErrorKind::NotKept {
                let now = (Instant::now(), error.clone());
                *counters.not_kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            }
            tracing::error!(writes = batch.len(), error = %error, "A group of writes was not committed");
        }
    }
    let fate = fate.map(|_| ());
    for job in batch {
        job.finish(fate.clone());
    }
}

/// Runs a group in one transaction; says how many writes it kept.
fn transaction(database: &dyn Database, batch: &mut [Box<dyn Job>]) -> Result<u64, StoreError> {
    database.begin()?;
    let mut kept = 0;
    for job in batch.iter_mut() {
        match one(database, job.as_mut()) {
            Ok(()) => kept += 1,
            // A database ends the whole transaction by itself on some failures (a full disk, a lost connection): then
            // nobody's write is kept. Where the disk took nothing from one, it takes nothing from the others.
            Err(error) if !database.in_transaction() || error.kind() == ErrorKind::NotKept => {
                undo(database);
                return Err(error);
            }
            Err(_) => {}
        }
    }
    if kept == 0 {
        undo(database);
        return Ok(0);
    }
    database.commit().inspect_err(|_| undo(database))?;
    Ok(kept)
}

/// One write after a mark of its own, so that its failure leaves the others untouched.
fn one(database: &dyn Database, job: &mut dyn Job) -> Result<(), StoreError> {
    database.mark()?;
    let result = job.run(&Sql(database));
    if database.in_transaction() {
        database.unmark(result.is_ok())?;
    }
    result
}

fn undo(database: &dyn Database) {
    if database.in_transaction()
        && let Err(error) = database.roll_back()
    {
        tracing::error!(error = %error, "A transaction could not be rolled back");
    }
}
