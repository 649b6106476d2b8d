//! When a carrier is asked what became of a submission, when its "there is none" is believed, when a person is called in.
//! Pure: times in, times out.

use std::time::Duration;

use connector_sdk::{SubmissionClass, SubmissionPromise};

use crate::carriers::SubmissionRules;

/// How long a person's "it is not there" must wait where the carrier declares no visibility bound.
const BOUND_OF_A_PERSON: Duration = Duration::from_secs(24 * 3600);
/// Two inquiries are this far apart at most where the second is overdue already: after a long standstill.
const GAP_MAX: Duration = Duration::from_secs(60);
/// And so much at least.
const GAP_MIN: Duration = Duration::from_millis(200);
/// Where the carrier does not answer inquiries, the next one waits for this share of the time that nobody has known.
const SILENCE_SHARE: i64 = 8;
/// And so long at most.
const SILENCE_MAX: Duration = Duration::from_secs(3_600);
/// One that could not be sent waits at most so many times as long as after the first time.
const RETRY_GROWTH_MAX: u32 = 10;

/// The times of one carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Since it became unknown; rising. Empty where nothing can be asked.
    inquiries: Vec<Duration>,
    /// From when on "there is none" is believed; `None`: never.
    bound: Option<Duration>,
    person_bound: Duration,
    escalate_after: Duration,
    retry: Duration,
    gap: Duration,
}

/// What is due with a submission of unknown fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Call a person in.
    Escalate,
    /// Ask the carrier.
    Ask,
    /// Nothing yet.
    Wait,
}

impl Schedule {
    /// From what the connector promises and what the carrier file narrows.
    pub(super) fn new(promise: SubmissionPromise, rules: &SubmissionRules) -> Self {
        let declared = promise.visibility_bound.map(|bound| bound.max(rules.visibility_bound_min));
        let bound = declared.filter(|_| promise.authoritative_negatives);
        let mut inquiries = Vec::new();
        if promise.class != SubmissionClass::Blind {
            inquiries.push(promise.visibility_delay);
            inquiries.extend(rules.inquiries_after.iter().copied().filter(|after| *after > promise.visibility_delay));
            if let Some(bound) = bound {
                inquiries.retain(|after| *after < bound);
                // The one that counts, and one more in case it is only the second negative that there is.
                inquiries.extend([bound, bound.saturating_add(promise.visibility_delay)]);
            }
        }
        Self {
            inquiries,
            bound,
            person_bound: declared.unwrap_or(BOUND_OF_A_PERSON),
            escalate_after: rules.escalate_after,
            retry: rules.retry,
            gap: promise.visibility_delay.clamp(GAP_MIN, GAP_MAX),
        }
    }

    /// Where nothing is known of the carrier (its file is gone): nothing is asked, a person is called in.
    pub(super) fn cautious() -> Self {
        Self {
            inquiries: Vec::new(),
            bound: None,
            person_bound: BOUND_OF_A_PERSON,
            escalate_after: Duration::ZERO,
            retry: Duration::from_secs(60),
            gap: GAP_MAX,
        }
    }

    /// Whether "there is none" proves it, when asked at `asked_at`.
    pub(super) fn proves(&self, unknown_at: i64, asked_at: i64) -> bool {
        self.bound.is_some_and(|bound| asked_at >= after(unknown_at, bound))
    }

    /// From when on a person's "it is not there" is taken.
    pub(super) fn settled_at(&self, unknown_at: i64) -> i64 {
        after(unknown_at, self.person_bound)
    }

    /// When the next thing is to be done with a submission of unknown fate, `asked` inquiries having been answered.
    /// `None`: nothing but a person can help.
    pub(super) fn next(&self, unknown_at: i64, asked: i64, person: bool, urgent: bool, now: i64) -> Option<i64> {
        let inquiry = self.inquiry_at(unknown_at, asked).map(|at| at.max(after(now, self.gap)));
        match (inquiry, person) {
            (Some(inquiry), false) => Some(inquiry.min(self.escalate_at(unknown_at, urgent))),
            (inquiry, true) => inquiry,
            (None, false) => Some(now),
        }
    }

    /// When to ask for the first time: not earlier than records usually show.
    pub(super) fn first(&self, unknown_at: i64, urgent: bool) -> i64 {
        self.inquiry_at(unknown_at, 0).map_or(unknown_at, |at| at.min(self.escalate_at(unknown_at, urgent)))
    }

    /// After an inquiry that could not be put.
    pub(super) fn again(&self, now: i64) -> i64 {
        after(now, self.gap)
    }

    /// After an inquiry that was put and not answered. Each of those leaves a record: they come further apart the longer
    /// nobody knows, but no later than a person is to be called in.
    pub(super) fn after_silence(&self, unknown_at: i64, person: bool, urgent: bool, now: i64) -> i64 {
        let soonest = after(now, self.gap);
        let grown = (now.saturating_sub(unknown_at) / SILENCE_SHARE).min(after(0, SILENCE_MAX));
        let at = soonest.max(now.saturating_add(grown));
        if person { at } else { at.min(self.escalate_at(unknown_at, urgent).max(soonest)) }
    }

    /// What is due at `now`.
    pub(super) fn due(&self, unknown_at: i64, asked: i64, person: bool, urgent: bool, now: i64) -> Due {
        match self.inquiry_at(unknown_at, asked) {
            None if person => Due::Wait,
            None => Due::Escalate,
            Some(_) if !person && now >= self.escalate_at(unknown_at, urgent) => Due::Escalate,
            Some(at) if now >= at => Due::Ask,
            Some(_) => Due::Wait,
        }
    }

    /// When one that could not be sent is tried again, after so many attempts.
    pub(super) fn retry_at(&self, now: i64, attempts: i64) -> i64 {
        let doublings = u32::try_from(attempts.clamp(1, 8) - 1).unwrap_or(0);
        let growth = 2_u32.saturating_pow(doublings).min(RETRY_GROWTH_MAX);
        after(now, self.retry.saturating_mul(growth))
    }

    fn inquiry_at(&self, unknown_at: i64, asked: i64) -> Option<i64> {
        let place = usize::try_from(asked).ok()?;
        self.inquiries.get(place).map(|since| after(unknown_at, *since))
    }

    /// An expedited one in half the time.
    fn escalate_at(&self, unknown_at: i64, urgent: bool) -> i64 {
        after(unknown_at, if urgent { self.escalate_after / 2 } else { self.escalate_after })
    }
}

/// A time in the store's unit, this much later.
pub(super) fn after(at: i64, wait: Duration) -> i64 {
    at.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriers::file::SubmissionsFile;

    const SECOND: i64 = 1_000_000;

    fn promise(bound: Option<u64>, authoritative_negatives: bool) -> SubmissionPromise {
        SubmissionPromise {
            class: SubmissionClass::ExactInquiry,
            visibility_delay: Duration::from_secs(120),
            visibility_bound: bound.map(Duration::from_secs),
            authoritative_negatives,
        }
    }

    #[test]
    fn a_negative_is_believed_past_the_bound_and_nowhere_else() {
        let rules = SubmissionsFile::default().rules();
        let schedule = Schedule::new(promise(Some(3_600), true), &rules);
        assert!(!schedule.proves(0, 3_599 * SECOND) && schedule.proves(0, 3_600 * SECOND));
        for promise in [promise(None, true), promise(Some(3_600), false)] {
            assert!(!Schedule::new(promise, &rules).proves(0, i64::MAX));
        }
        let narrowed = SubmissionsFile { visibility_bound_min_secs: Some(7_200), ..SubmissionsFile::default() }.rules();
        let schedule = Schedule::new(promise(Some(3_600), true), &narrowed);
        assert!(!schedule.proves(0, 7_199 * SECOND) && schedule.proves(0, 7_200 * SECOND));
    }

    #[test]
    fn the_ladder_ends_with_two_inquiries_past_the_bound_or_with_a_person() {
        let rules = SubmissionsFile::default().rules();
        let schedule = Schedule::new(promise(Some(3_600), true), &rules);
        let at: Vec<_> = (0..5).map(|asked| schedule.inquiry_at(0, asked).map(|at| at / SECOND)).collect();
        assert_eq!(at, [Some(120), Some(600), Some(3_600), Some(3_720), None]);
        let open = Schedule::new(promise(None, false), &rules);
        let at: Vec<_> = (0..6).map(|asked| open.inquiry_at(0, asked).map(|at| at / SECOND)).collect();
        assert_eq!(at, [Some(120), Some(600), Some(3_600), Some(14_400), Some(86_400), None]);
        assert_eq!(open.due(0, 5, false, false, 0), Due::Escalate);
        assert_eq!(open.due(0, 5, true, false, i64::MAX), Due::Wait);
        assert_eq!(open.next(0, 5, true, false, 7), None);
    }

    #[test]
    fn a_person_is_called_in_while_asking_goes_on() {
        let schedule = Schedule::new(promise(None, false), &SubmissionsFile::default().rules());
        assert_eq!(schedule.due(0, 2, false, false, 1_799 * SECOND), Due::Wait);
        assert_eq!(schedule.due(0, 2, false, true, 900 * SECOND), Due::Escalate);
        assert_eq!(schedule.next(0, 2, false, false, 600 * SECOND), Some(1_800 * SECOND));
        assert_eq!(schedule.next(0, 2, true, false, 600 * SECOND), Some(3_600 * SECOND));
        // After a standstill of days, two inquiries are still apart.
        assert_eq!(schedule.next(0, 1, true, false, 999_999 * SECOND), Some(1_000_059 * SECOND));
    }

    #[test]
    fn inquiries_that_are_not_answered_come_further_apart() {
        let schedule = Schedule::new(promise(None, false), &SubmissionsFile::default().rules());
        let wait = |unknown_for: i64, person| {
            (schedule.after_silence(0, person, false, unknown_for * SECOND)) / SECOND - unknown_for
        };
        assert_eq!([120, 8_000, 999_999].map(|since| wait(since, true)), [60, 1_000, 3_600]);
        // Whoever is to be called in is called in on time.
        assert_eq!(wait(1_700, false), 100);
        // A carrier that is silent for a month does not fill the trail: some two thousand records are what a packet holds.
        let (mut now, mut asked) = (0, 0);
        while now < 30 * 86_400 * SECOND {
            (now, asked) = (schedule.after_silence(0, true, false, now), asked + 1);
        }
        assert!(asked < 1_000, "{asked}");
    }

    #[test]
    fn nothing_can_be_asked_of_a_blind_carrier() {
        let blind = SubmissionPromise { class: SubmissionClass::Blind, ..promise(None, false) };
        let schedule = Schedule::new(blind, &SubmissionsFile::default().rules());
        assert_eq!(schedule.first(5, false), 5);
        assert_eq!(schedule.due(5, 0, false, false, 5), Due::Escalate);
    }

    #[test]
    fn one_that_cannot_be_sent_waits_longer_each_time() {
        let schedule = Schedule::new(promise(None, false), &SubmissionsFile::default().rules());
        let waits: Vec<_> = [1, 2, 3, 5, 9, 99].map(|attempts| schedule.retry_at(0, attempts) / SECOND).into();
        assert_eq!(waits, [30, 60, 120, 300, 300, 300]);
    }
}
