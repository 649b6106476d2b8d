//! What becomes of an item after it was asked: done, once more later, or given up. No clock and no store of its own.

use std::time::Duration;

use connector_sdk::{ErrorKind, RefusalReason};

use crate::stack::{Envelope, OutcomeWord};

/// How often a carrier is asked for one item without an outcome.
pub const TRIES_MAX: i64 = 6;
/// How long an item is tried, from the first time it was asked. Longer than any weekend.
pub const TRIED_FOR_MAX: Duration = Duration::from_secs(72 * 3600);
/// First pause after a failed try; doubles with each.
const PAUSE_FIRST: Duration = Duration::from_secs(30);
/// Longest pause, unless the carrier asks for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// A wait that a carrier asks for is honoured up to this.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a carrier is left alone that shows a page only a person may answer.
const PERSON_WITHIN: Duration = Duration::from_secs(3600);

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The carrier's word is stored.
    Done(&'static str),
    /// It waits and is asked again.
    Again(Again),
    /// It failed for good; why, in a fixed word.
    GivenUp(&'static str),
}

/// Once more, later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Why there is no outcome yet, in a fixed word.
    pub reason: &'static str,
    /// Not before.
    pub wait: Duration,
    /// Whether the carrier was asked, so that this counts as a try.
    pub tried: bool,
    /// Whether the same would become of the other items for this carrier, so that they wait too.
    pub all: bool,
}

/// What an envelope makes of an item that has had `tries` tries before, the first of them `since` ago.
pub fn of(envelope: &Envelope, tries: i64, since: Duration) -> Verdict {
    match (envelope.outcome, &envelope.failure) {
        (OutcomeWord::Answered, _) => Verdict::Done("answered"),
        (OutcomeWord::Refused, _) => match &envelope.refusal {
            Some(refusal) if refusal.reason == RefusalReason::CarrierBusy => {
                let again = Again { reason: "carrier_busy", wait: pause(tries), tried: true, all: true };
                // The carrier's own last word is better than none.
                bounded(again, tries, since, Verdict::Done("refused"))
            }
            _ => Verdict::Done("refused"),
        },
        (_, Some(failure)) => of_failure(failure.kind, failure.retry.safe, failure.retry.after_secs, tries, since),
        (_, None) => of_failure(ErrorKind::Internal, true, None, tries, since),
    }
}

/// The same for a failure.
pub fn of_failure(kind: ErrorKind, safe: bool, after_secs: Option<u64>, tries: i64, since: Duration) -> Verdict {
    let reason = kind.name();
    let asked_for = Duration::from_secs(after_secs.unwrap_or(0)).min(WAIT_MAX);
    let again = match kind {
        // Nothing was sent. The carrier, the circuit or our own limit says when.
        ErrorKind::CarrierClosed | ErrorKind::CircuitOpen | ErrorKind::Overloaded => {
            Again { reason, wait: asked_for.max(Duration::from_secs(1)), tried: false, all: true }
        }
        // The worker does not ask while it is paused: this is for what was under way when somebody paused it.
        ErrorKind::CarrierPaused => Again { reason, wait: Duration::from_secs(1), tried: false, all: false },
        ErrorKind::CarrierThrottled => Again { reason, wait: asked_for.max(pause(tries)), tried: true, all: true },
        // The worker does not ask while the credential is stopped: this only keeps the item from being lost.
        ErrorKind::CredentialRejected => Again { reason, wait: Duration::from_secs(1), tried: false, all: true },
        ErrorKind::CredentialMissing => Again { reason, wait: pause(tries), tried: true, all: true },
        // Whoever is asked has a countdown: the carrier is asked again after it.
        ErrorKind::NeedsPerson if safe => {
            Again { reason, wait: asked_for.max(Duration::from_secs(1)), tried: false, all: true }
        }
        ErrorKind::NeedsPerson => Again { reason, wait: PERSON_WITHIN, tried: true, all: true },
        ErrorKind::CarrierUnavailable => Again { reason, wait: asked_for.max(pause(tries)), tried: true, all: true },
        // Nothing can be written down: that is no try, and it holds for all.
        ErrorKind::NotKept => Again { reason, wait: pause(tries), tried: false, all: true },
        // Eligibility has no effect at the carrier: what ran out of our own time may be asked again.
        ErrorKind::DeadlineExceeded | ErrorKind::Internal => {
            Again { reason, wait: pause(tries), tried: true, all: kind == ErrorKind::Internal }
        }
        _ if safe => Again { reason, wait: asked_for.max(pause(tries)), tried: true, all: false },
        _ => return Verdict::GivenUp(reason),
    };
    bounded(again, tries, since, Verdict::GivenUp(reason))
}

fn bounded(again: Again, tries: i64, since: Duration, otherwise: Verdict) -> Verdict {
    let spent = again.tried && tries + 1 >= TRIES_MAX;
    // A stopped credential and a paused carrier wait for a person, however long that takes.
    let for_a_person = [ErrorKind::CredentialRejected, ErrorKind::CarrierPaused].map(ErrorKind::name);
    let too_long = since >= TRIED_FOR_MAX && !for_a_person.contains(&again.reason);
    if spent || too_long { otherwise } else { Verdict::Again(again) }
}

fn pause(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).unwrap_or(0);
    PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(doubled)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: ErrorKind, tries: i64) -> Verdict {
        let safe = !matches!(kind.default_retry(), connector_sdk::Retry::Never);
        of_failure(kind, safe, Some(7), tries, Duration::ZERO)
    }

    #[test]
    fn what_nobody_sent_costs_no_try() {
        for kind in [ErrorKind::CarrierClosed, ErrorKind::CircuitOpen, ErrorKind::Overloaded] {
            let Verdict::Again(again) = failed(kind, 50) else { panic!("{kind:?}") };
            assert_eq!((again.tried, again.all, again.wait), (false, true, Duration::from_secs(7)));
        }
    }

    #[test]
    fn pauses_grow_and_tries_end() {
        let mut last = Duration::ZERO;
        for tries in 0..TRIES_MAX - 1 {
            let Verdict::Again(again) = failed(ErrorKind::CarrierTimeout, tries) else { panic!("{tries}") };
            assert!(again.wait > last && again.wait <= PAUSE_MAX && !again.all);
            last = again.wait;
        }
        assert_eq!(failed(ErrorKind::CarrierTimeout, TRIES_MAX - 1), Verdict::GivenUp("carrier_timeout"));
    }

    #[test]
    fn what_no_wait_mends_is_given_up_at_once() {
        for kind in [ErrorKind::RequestInvalid, ErrorKind::AnswerMismatch, ErrorKind::ProtocolBroken] {
            assert_eq!(failed(kind, 0), Verdict::GivenUp(kind.name()));
        }
    }

    #[test]
    fn nothing_is_tried_for_ever_but_a_stopped_credential_waits_for_its_person() {
        let late = TRIED_FOR_MAX;
        assert!(matches!(of_failure(ErrorKind::CarrierClosed, true, Some(9), 0, late), Verdict::GivenUp(_)));
        for kind in [ErrorKind::CredentialRejected, ErrorKind::CarrierPaused] {
            assert!(matches!(of_failure(kind, false, None, 0, late), Verdict::Again(_)));
        }
    }
}
