//! How many documents are laid out at once: each takes some milliseconds of a processor, a long one much more, and whoever
//! may read an answer may ask for its paper as often as they like.

use connector_sdk::{Error, ErrorKind};
use tokio::sync::Semaphore;

/// Documents at the same time.
const AT_ONCE: usize = 2;
/// Those that wait or are laid out, at most.
const ROOM: usize = 16;

static PRESS: Press = Press::new();

/// Lays [`super::pdf`] out where it keeps nobody else from being answered.
///
/// # Errors
/// [`ErrorKind::Overloaded`] where too many wait already, [`ErrorKind::Internal`] where it fails.
pub async fn print(title: &'static str, html: String) -> Result<Vec<u8>, Error> {
    PRESS.run(move || super::pdf(title, &html)).await
}

struct Press {
    room: Semaphore,
    places: Semaphore,
}

impl Press {
    const fn new() -> Self {
        Self { room: Semaphore::const_new(ROOM), places: Semaphore::const_new(AT_ONCE) }
    }

    async fn run<T: Send + 'static>(&'static self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let busy = || {
            let text = "Several answers are being put on paper at this moment; ask again in a few seconds.";
            Error::new(ErrorKind::Overloaded, text)
        };
        let room = self.room.try_acquire().map_err(|_| busy())?;
        let place = self.places.acquire().await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Both are held by the work, not by who waits for it: somebody who hangs up frees no processor.
            let _held = (room, place);
            work()
        });
        let text = "The answer could not be put on paper; the gateway's log says more.";
        done.await.map_err(|_| Error::new(ErrorKind::Internal, text))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Sender};
    use std::time::Duration;

    use super::*;

    static OWN: Press = Press::new();

    /// Until so many are at work.
    async fn until(at_work: &AtomicUsize, count: usize) {
        let look = async {
            while at_work.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), look).await.expect("they never are");
    }

    #[tokio::test]
    async fn few_are_laid_out_at_once_and_only_so_many_wait() {
        let at_work = Arc::new(AtomicUsize::new(0));
        let begin = || {
            let (at_work, (go, wait)) = (at_work.clone(), mpsc::channel::<()>());
            let work = move || {
                at_work.fetch_add(1, Ordering::SeqCst);
                // Until the other end is dropped.
                let _ = wait.recv();
                at_work.fetch_sub(1, Ordering::SeqCst);
            };
            (go, tokio::spawn(OWN.run(work)))
        };
        let (hold, asked): (Vec<Sender<()>>, Vec<_>) = (0..ROOM).map(|_| begin()).unzip();
        until(&at_work, AT_ONCE).await;
        // Whoever hangs up frees neither a place nor room while the work goes on.
        asked.iter().take(AT_ONCE).for_each(tokio::task::JoinHandle::abort);
        while OWN.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(at_work.load(Ordering::SeqCst), AT_ONCE);
        let refused = OWN.run(|| ()).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Overloaded);
        drop(hold);
        for one in asked.into_iter().skip(AT_ONCE) {
            one.await.unwrap().unwrap();
        }
        until(&at_work, 0).await;
        assert_eq!(OWN.run(|| 7).await.unwrap(), 7);
    }
}
