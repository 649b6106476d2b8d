//! Carriers' one-time codes, and the rule that none is used twice.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::{BoxFuture, Error, ErrorKind, Result};
use jiff::Timestamp;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::totp::{STEP_SECS, base32, code};

/// Which step of one credential was used last. A carrier takes a code once; a second use looks like an attack.
#[derive(Default)]
pub(crate) struct Steps {
    last: Mutex<u64>,
}

impl Steps {
    /// The present code made from a Base32 seed, waiting for the next step where this one is used up. `take` makes the use
    /// of a step durable; it says `false` for one that another process has used.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialMissing`] when the seed is not Base32; [`ErrorKind::Overloaded`] when the next step begins
    /// after `until`; what `take` says.
    pub(crate) async fn code<'t>(
        &self,
        seed: &str,
        until: Instant,
        take: impl Fn(u64) -> BoxFuture<'t, Result<bool>>,
    ) -> Result<Zeroizing<String>> {
        let key = base32(seed).ok_or_else(|| {
            Error::new(ErrorKind::CredentialMissing, "The stored one-time code seed is not Base32: enter it again.")
        })?;
        loop {
            let now = Timestamp::now();
            match self.reserve(u64::try_from(now.as_second()).unwrap_or(0)) {
                Ok(step) if take(step).await? => return Ok(code(&key, step)),
                Ok(_) => {}
                Err(wait) if Instant::now() + wait < until => tokio::time::sleep(wait).await,
                Err(wait) => {
                    return Err(Error::new(
                        ErrorKind::Overloaded,
                        "The next one-time code comes too late for this ask.",
                    )
                    .retry(connector_sdk::Retry::After(wait)));
                }
            }
        }
    }

    /// Takes the step of this second, or says how long to wait for a fresh one.
    fn reserve(&self, now_secs: u64) -> std::result::Result<u64, Duration> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let step = now_secs / STEP_SECS;
        if step > *last {
            *last = step;
            return Ok(step);
        }
        // The clock may have been set back: then the wait is long, and the ask is refused rather than a code reused.
        let next = last.saturating_add(1).saturating_mul(STEP_SECS);
        Err(Duration::from_secs(next.saturating_sub(now_secs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_used_twice_even_when_the_clock_goes_back() {
        let steps = Steps::default();
        assert_eq!(steps.reserve(3_000), Ok(100));
        assert_eq!(steps.reserve(3_001), Err(Duration::from_secs(29)));
        assert_eq!(steps.reserve(2_970), Err(Duration::from_secs(60)));
        assert_eq!(steps.reserve(3_030), Ok(101));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_another_process_has_used_is_not_used() {
        let taken = std::sync::Mutex::new(Vec::new());
        let take = |step| -> BoxFuture<'_, Result<bool>> {
            taken.lock().unwrap().push(step);
            let first = taken.lock().unwrap().len() == 1;
            Box::pin(async move { Ok(!first) })
        };
        // The clock of codes does not follow the paused one: the wait for the next step is refused, and no code is given.
        let error = Steps::default().code("GEZDGNBVGY3TQOJQ", Instant::now(), take).await.unwrap_err();
        assert_eq!((error.kind, taken.lock().unwrap().len()), (ErrorKind::Overloaded, 1));
    }
}
