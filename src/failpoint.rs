//! Named places where a test may stop the real process: what a power cut or a kill would do at exactly that instant.
//!
//! Compiled in only with the cargo feature `failpoints`; otherwise [`hit`] is nothing at all. `PORTICO_FAILPOINT` says
//! what happens: `NAME`, or `NAME@N` for the Nth time it is reached, then `=abort` (the process ends at once, nothing is
//! tidied up; the default) or `=hang` (the thread stops for ever, so that a harness can look at a process that has
//! stopped exactly there, and kill it).
//!
//! | name | the instant | what must be true afterwards |
//! |---|---|---|
//! | `accept_before_commit` | `POST` was read, nothing is written | no 202 was seen, nothing exists |
//! | `accept_after_commit` | the submission is durable, the 202 has not left | the same key gives the same id |
//! | `claimed` | INTENT is durable, nothing is connected | not sent, queued again |
//! | `connected` | TCP, TLS and login are done, not yet armed | not sent, queued again |
//! | `armed` | ARMED is durable, before the first byte | unknown; an inquiry shows nothing, sent again after the bound |
//! | `mid_body` | half of the request has left | unknown |
//! | `sent` | the whole request has left | unknown, found by inquiry |
//! | `replied` | the carrier's reply is here, nothing of it is written | unknown, found by inquiry |
//! | `outcome_before_commit` | the outcome and its record are in one transaction that is not committed | as `replied` |
//! | `outcome_after_commit` | the outcome is durable | accepted |
//! | `inquiring` | an inquiry is about to be sent | asked again |
//! | `inquired` | the inquiry's answer is here, nothing of it is written | asked again |
//! | `resolving` | a person's word is read, nothing is written | nothing happened |
//! | `backing_up` | a piece of a backup is read, not yet written | no backup is at its place |
//! | `restoring` | a store is filled from a backup, nothing is committed | the store is empty |
//! | `file_recorded` | a carrier file's change is on record, the file is the old one | the old file is in force, the new text is kept |
//! | `file_replaced` | the new carrier file is there, nothing has read it | the new file is in force |
//! | `recovering` | the start has begun to close what an earlier process left open | closed at the next start |

/// A place where a test may stop the process.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &'static str) {}

/// Whether the process is to stop at this place at some time.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn armed(_name: &'static str) -> bool {
    false
}

#[cfg(feature = "failpoints")]
pub use switched::{armed, hit};

#[cfg(feature = "failpoints")]
mod switched {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Wanted {
        name: String,
        at: u64,
        hang: bool,
        seen: AtomicU64,
    }

    fn wanted() -> Option<&'static Wanted> {
        static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();
        WANTED.get_or_init(|| read(&std::env::var("PORTICO_FAILPOINT").ok()?)).as_ref()
    }

    fn read(text: &str) -> Option<Wanted> {
        let (place, action) = text.split_once('=').unwrap_or((text, "abort"));
        let (name, at) = place.split_once('@').unwrap_or((place, "1"));
        Some(Wanted { name: name.to_owned(), at: at.parse().ok()?, hang: action == "hang", seen: AtomicU64::new(0) })
    }

    /// A place where a test may stop the process.
    pub fn hit(name: &'static str) {
        let Some(wanted) = wanted().filter(|wanted| wanted.name == name) else { return };
        if wanted.seen.fetch_add(1, Ordering::SeqCst) + 1 != wanted.at {
            return;
        }
        tracing::error!(name, hang = wanted.hang, "the process stops at a failpoint");
        if wanted.hang {
            loop {
                std::thread::park();
            }
        }
        std::process::abort();
    }

    /// Whether the process is to stop at this place at some time.
    pub fn armed(name: &'static str) -> bool {
        wanted().is_some_and(|wanted| wanted.name == name)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_the_switch_says() {
            let all = read("armed@3=hang").unwrap();
            assert_eq!((all.name.as_str(), all.at, all.hang), ("armed", 3, true));
            let least = read("sent").unwrap();
            assert_eq!((least.name.as_str(), least.at, least.hang), ("sent", 1, false));
            assert!(read("sent@x").is_none());
        }
    }
}
