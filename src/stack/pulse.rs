//! How each carrier did lately, for each practice: counted from the questions that were really put, hour by hour, for a
//! day.
//!
//! Kept in memory and rebuilt at start from the paper trail, which holds all of it already: a table of its own would be a
//! second truth, and counting the trail anew for each look would cost more with every question asked. Of a practice's
//! trail the newest records are read back, up to a bound; where that bound cuts the day short, `since` says so.
//!
//! Times are kept as counts on a logarithmic scale (eight steps to the double), so that a percentile is right within five
//! per cent whatever the load, in a few hundred bytes an hour.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_sdk::{ErrorKind, RefusalReason, WhoActs};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Envelope, OutcomeWord};
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::trail::{Filter, OutcomeKind, Trail, TrailEntry};

/// Hours that are counted.
const HOURS: usize = 24;
const HOUR_SECS: i64 = 3_600;
/// Pairs of practice and carrier that are followed at most; beyond, the one that was asked longest ago is forgotten.
const FOLLOWED_MAX: usize = 4_096;
/// Records of one practice that are read back at start, at most.
const RECALLED_MAX: u32 = 20_000;
/// The same of all practices.
const RECALLED_IN_ALL_MAX: u32 = 200_000;
/// Records read at a time.
const RECALLED_AT_ONCE: u32 = 500;
/// Steps of the scale to the double.
const STEPS: f64 = 8.0;

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The carrier was asked and failed.
    Carrier,
    /// The practice's login, or something that a person must do.
    Practice,
    /// The gateway, its carrier file or its own limits.
    Gateway,
    /// Nobody: it was closed, paused or left alone, and nothing was sent.
    Nobody,
}

/// Whose fault a failure of this kind is; `sent`: whether something was sent. A carrier may be closed by its file, and
/// then nothing is; or say so itself.
pub fn side(kind: ErrorKind, sent: bool) -> Side {
    match kind {
        ErrorKind::CarrierClosed if !sent => Side::Nobody,
        ErrorKind::CarrierPaused | ErrorKind::CircuitOpen | ErrorKind::Overloaded => Side::Nobody,
        _ => match kind.who_acts() {
            WhoActs::Carrier => Side::Carrier,
            WhoActs::Caller | WhoActs::PracticeAdmin | WhoActs::Person => Side::Practice,
            WhoActs::ConnectorAuthor | WhoActs::Gateway | WhoActs::Wait => Side::Gateway,
        },
    }
}

/// Whether something was sent to the carrier before it failed like this; `exchanged`: whether bytes were kept of it. A
/// carrier that cannot be reached leaves none, and was asked all the same.
fn was_sent(kind: ErrorKind, exchanged: bool) -> bool {
    exchanged || kind.counts_against_carrier() || kind == ErrorKind::CarrierThrottled
}

/// How a carrier did in the last day, for one practice.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Measured {
    /// What is counted begins here: a day ago, or later where less is known.
    pub since: Timestamp,
    /// Questions that it answered.
    pub answered: u64,
    /// Questions to which it said no: it worked all the same.
    pub refused: u64,
    /// Questions that were put to it and got no answer that could be read.
    pub failed: u64,
    /// Questions that never got there: no login, closed, paused, left alone, our own limits.
    pub not_asked: u64,
    /// Questions that a saved answer served.
    pub saved: u64,
    /// Of a hundred questions that were put to it, how many it answered or refused; absent where none was put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_percent: Option<f64>,
    /// Half of its answers and refusals took no longer, milliseconds (within five per cent).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
    /// 95 of a hundred took no longer, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u64>,
    /// Failures by kind, the most frequent first.
    pub failures: Vec<FailureCount>,
    /// Refusals by reason, the most frequent first.
    pub refusals: Vec<RefusalCount>,
    /// Each hour in which something was asked, oldest first.
    pub hours: Vec<HourView>,
    /// When it last answered or refused; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// When a question to it last failed, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// Questions of the practice that are under way now, those that wait for our own limits included.
    pub under_way: u32,
}

/// How often a question failed like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureCount {
    /// The kind.
    pub kind: ErrorKind,
    /// Whether something was sent to the carrier.
    pub sent: bool,
    /// Whose fault that is.
    pub side: Side,
    /// How often.
    pub count: u64,
}

/// How often it said no like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusalCount {
    /// Why.
    pub reason: RefusalReason,
    /// How often.
    pub count: u64,
}

/// When a question last failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastFailure {
    /// When.
    pub at: Timestamp,
    /// How.
    pub kind: ErrorKind,
    /// Whose fault that is.
    pub side: Side,
}

/// One hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HourView {
    /// When it began.
    pub from: Timestamp,
    /// Questions put to the carrier.
    pub asked: u64,
    /// Of these, failed ones.
    pub failed: u64,
    /// Half of its answers and refusals took no longer, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
}

/// How one question ended.
struct End {
    at: Timestamp,
    how: How,
    cached: bool,
    total_ms: u64,
}

enum How {
    Answered,
    Refused(Option<RefusalReason>),
    /// And whether something was sent.
    Failed(ErrorKind, bool),
}

#[derive(Default)]
struct Hour {
    /// Hours since 1970.
    n: i64,
    answered: u64,
    refused: u64,
    saved: u64,
    /// By kind, and whether something was sent.
    failed: HashMap<(ErrorKind, bool), u64>,
    reasons: HashMap<RefusalReason, u64>,
    /// By step of the scale.
    took: BTreeMap<u16, u64>,
}

#[derive(Default)]
struct Track {
    /// Oldest first.
    hours: VecDeque<Hour>,
    last_success: Option<Timestamp>,
    last_failure: Option<LastFailure>,
    under_way: u32,
    /// Where it may have been followed before, and forgotten.
    since: Option<Timestamp>,
}

#[derive(Default)]
struct State {
    tracks: HashMap<PracticeId, HashMap<String, Track>>,
    /// When a pair was last forgotten.
    forgot: Option<Timestamp>,
    /// Where a practice's trail was not read back a whole day.
    since: HashMap<PracticeId, Timestamp>,
}

/// The record of all practices and carriers. Cheap to share.
#[derive(Default)]
pub struct Pulse {
    state: Mutex<State>,
}

/// A question under way; over when dropped.
pub(crate) struct UnderWay {
    pulse: Arc<Pulse>,
    practice: PracticeId,
    carrier: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(track) = self.pulse.lock().tracks.get_mut(&self.practice).and_then(|of| of.get_mut(&self.carrier)) {
            track.under_way = track.under_way.saturating_sub(1);
        }
    }
}

impl Pulse {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a question in, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>, practice: &PracticeId, carrier: &str) -> UnderWay {
        self.lock().track(practice, carrier).under_way += 1;
        UnderWay { pulse: self.clone(), practice: practice.clone(), carrier: carrier.to_owned() }
    }

    /// Counts how a question ended.
    pub(crate) fn told(&self, practice: &PracticeId, envelope: &Envelope) {
        let how = match (envelope.outcome, &envelope.failure) {
            (OutcomeWord::Answered, _) => How::Answered,
            (OutcomeWord::Refused, _) => How::Refused(envelope.refusal.as_ref().map(|refusal| refusal.reason)),
            (_, Some(failure)) => How::Failed(failure.kind, was_sent(failure.kind, envelope.evidence.is_some())),
            (_, None) => return,
        };
        let (cached, total_ms) = (envelope.freshness.cached, envelope.timing.total_ms);
        let end = End { at: Timestamp::now(), how, cached, total_ms };
        self.lock().track(practice, &envelope.carrier).count(&end);
    }

    /// Reads back what the trails say of the last day. Call it at start, before anything is asked.
    ///
    /// # Errors
    /// What the store says.
    pub async fn recall(&self, trail: &Trail, practices: &[PracticeId]) -> Result<(), StoreError> {
        let mut left = RECALLED_IN_ALL_MAX;
        for practice in practices {
            left = self.recall_one(trail, practice, left).await?;
        }
        Ok(())
    }

    async fn recall_one(&self, trail: &Trail, practice: &PracticeId, mut left: u32) -> Result<u32, StoreError> {
        let from = window(Timestamp::now());
        let mut mine = RECALLED_MAX.min(left);
        let mut before_seq = None;
        let mut oldest = Timestamp::now();
        while mine > 0 {
            let filter = Filter { before_seq, ..Filter::default() };
            let records = trail.list(practice, filter, RECALLED_AT_ONCE.min(mine)).await?;
            let count = u32::try_from(records.len()).unwrap_or(mine);
            (mine, left) = (mine.saturating_sub(count.max(1)), left.saturating_sub(count));
            for record in &records {
                if record.at.as_second() < from * HOUR_SECS {
                    return Ok(left);
                }
                oldest = record.at;
                self.recalled(practice, record);
            }
            match records.last() {
                Some(last) if last.seq > 1 => before_seq = Some(last.seq),
                _ => return Ok(left),
            }
        }
        self.lock().since.insert(practice.clone(), oldest);
        Ok(left)
    }

    fn recalled(&self, practice: &PracticeId, record: &TrailEntry) {
        let (Some(carrier), "eligibility.answered") = (&record.carrier, record.action.as_str()) else { return };
        let how = match (record.outcome, record.failure) {
            (Some(OutcomeKind::Answered), _) => How::Answered,
            (Some(OutcomeKind::Refused), _) => How::Refused(record.refusal),
            (_, Some(kind)) => How::Failed(kind, was_sent(kind, record.evidence_id.is_some())),
            _ => return,
        };
        let cached = record.cached.unwrap_or(false);
        let end = End { at: record.at, how, cached, total_ms: record.total_ms.unwrap_or(0) };
        self.lock().track(practice, carrier).count(&end);
    }

    /// How a carrier did for a practice.
    pub fn of(&self, practice: &PracticeId, carrier: &str) -> Measured {
        self.at(practice, carrier, Timestamp::now())
    }

    fn at(&self, practice: &PracticeId, carrier: &str, now: Timestamp) -> Measured {
        let state = self.lock();
        let begins = time(window(now));
        let since = state.since.get(practice).copied().map_or(begins, |since| since.max(begins));
        let none = Track { since: state.forgot, ..Track::default() };
        let track = state.tracks.get(practice).and_then(|of| of.get(carrier)).unwrap_or(&none);
        track.measured(track.since.map_or(since, |known| known.max(since)), window(now))
    }
}

impl State {
    fn track(&mut self, practice: &PracticeId, carrier: &str) -> &mut Track {
        let known = self.tracks.get(practice).is_some_and(|of| of.contains_key(carrier));
        if !known && self.tracks.values().map(HashMap::len).sum::<usize>() >= FOLLOWED_MAX {
            self.forget_one();
            self.forgot = Some(Timestamp::now());
        }
        let new = || Track { since: self.forgot, ..Track::default() };
        self.tracks.entry(practice.clone()).or_default().entry(carrier.to_owned()).or_insert_with(new)
    }

    /// The one that was asked longest ago, of those of which nothing is under way.
    fn forget_one(&mut self) {
        let all = self.tracks.iter().flat_map(|(practice, of)| of.iter().map(move |(id, track)| (practice, id, track)));
        let oldest = all
            .filter(|(.., track)| track.under_way == 0)
            .min_by_key(|(.., track)| track.hours.back().map_or(0, |hour| hour.n))
            .map(|(practice, id, _)| (practice.clone(), id.clone()));
        let Some((practice, id)) = oldest else { return };
        if let Some(of) = self.tracks.get_mut(&practice) {
            of.remove(&id);
            if of.is_empty() {
                self.tracks.remove(&practice);
            }
        }
    }
}

impl Track {
    /// Counts one end, new or (at start) newest first.
    fn count(&mut self, end: &End) {
        match end.how {
            _ if end.cached => {}
            How::Answered | How::Refused(_) => self.last_success = self.last_success.max(Some(end.at)),
            How::Failed(kind, true) => {
                if self.last_failure.as_ref().is_none_or(|last| last.at < end.at) {
                    self.last_failure = Some(LastFailure { at: end.at, kind, side: side(kind, true) });
                }
            }
            How::Failed(_, false) => {}
        }
        let Some(hour) = self.hour(end.at.as_second().div_euclid(HOUR_SECS)) else { return };
        match end.how {
            _ if end.cached => hour.saved += 1,
            How::Answered => hour.answered += 1,
            How::Refused(reason) => {
                hour.refused += 1;
                if let Some(reason) = reason {
                    *hour.reasons.entry(reason).or_default() += 1;
                }
            }
            How::Failed(kind, sent) => {
                *hour.failed.entry((kind, sent)).or_default() += 1;
                return;
            }
        }
        if !end.cached {
            *hour.took.entry(step(end.total_ms)).or_default() += 1;
        }
    }

    /// The hour of this number; `None` for one that is older than all that are kept.
    fn hour(&mut self, n: i64) -> Option<&mut Hour> {
        let place = self.hours.partition_point(|hour| hour.n < n);
        if self.hours.get(place).is_none_or(|hour| hour.n != n) {
            if self.hours.len() >= HOURS {
                if place == 0 {
                    return None;
                }
                self.hours.pop_front();
                self.hours.insert(place - 1, Hour { n, ..Hour::default() });
                return self.hours.get_mut(place - 1);
            }
            self.hours.insert(place, Hour { n, ..Hour::default() });
        }
        self.hours.get_mut(place)
    }

    fn measured(&self, since: Timestamp, from: i64) -> Measured {
        let hours: Vec<&Hour> = self.hours.iter().filter(|hour| hour.n >= from).collect();
        let sum = |of: fn(&Hour) -> u64| hours.iter().map(|hour| of(hour)).sum::<u64>();
        let (answered, refused) = (sum(|hour| hour.answered), sum(|hour| hour.refused));
        let (failed, not_asked) = (sum(Hour::failed), sum(Hour::not_asked));
        let mut kinds: HashMap<(ErrorKind, bool), u64> = HashMap::new();
        let mut reasons: HashMap<RefusalReason, u64> = HashMap::new();
        let mut took: BTreeMap<u16, u64> = BTreeMap::new();
        for hour in &hours {
            hour.failed.iter().for_each(|(kind, count)| *kinds.entry(*kind).or_default() += count);
            hour.reasons.iter().for_each(|(reason, count)| *reasons.entry(*reason).or_default() += count);
            hour.took.iter().for_each(|(step, count)| *took.entry(*step).or_default() += count);
        }
        let mut failures: Vec<FailureCount> = kinds
            .into_iter()
            .map(|((kind, sent), count)| FailureCount { kind, sent, side: side(kind, sent), count })
            .collect();
        failures.sort_by_key(|one| (std::cmp::Reverse(one.count), one.kind.name(), one.sent));
        let mut refusals: Vec<RefusalCount> =
            reasons.into_iter().map(|(reason, count)| RefusalCount { reason, count }).collect();
        refusals.sort_by_key(|one| (std::cmp::Reverse(one.count), one.reason.text()));
        let put = answered + refused + failed;
        Measured {
            since,
            answered,
            refused,
            failed,
            not_asked,
            saved: sum(|hour| hour.saved),
            // Rounded down: "100 %" is never said where something failed.
            success_percent: (put > 0).then(|| ((answered + refused) as f64 / put as f64 * 1_000.0).floor() / 10.0),
            p50_ms: percentile(&took, 0.50),
            p95_ms: percentile(&took, 0.95),
            failures,
            refusals,
            hours: hours.iter().map(|hour| hour.view()).collect(),
            last_success: self.last_success,
            last_failure: self.last_failure.clone(),
            under_way: self.under_way,
        }
    }
}

impl Hour {
    fn failed(&self) -> u64 {
        self.failed.iter().filter(|((_, sent), _)| *sent).map(|(_, count)| count).sum()
    }

    fn not_asked(&self) -> u64 {
        self.failed.iter().filter(|((_, sent), _)| !*sent).map(|(_, count)| count).sum()
    }

    fn view(&self) -> HourView {
        let failed = self.failed();
        HourView {
            from: time(self.n),
            asked: self.answered + self.refused + failed,
            failed,
            p50_ms: percentile(&self.took, 0.50),
        }
    }
}

/// The first hour that is counted.
fn window(now: Timestamp) -> i64 {
    now.as_second().div_euclid(HOUR_SECS) + 1 - HOURS as i64
}

fn time(hour: i64) -> Timestamp {
    Timestamp::from_second(hour.saturating_mul(HOUR_SECS)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The step of a time on the scale: at most 512, whatever the time.
fn step(ms: u64) -> u16 {
    // A float is cut to its whole part, and neither bound can be passed.
    ((ms as f64 + 1.0).log2() * STEPS) as u16
}

/// The time that this share of all did not pass: the middle of its step.
fn percentile(took: &BTreeMap<u16, u64>, share: f64) -> Option<u64> {
    let all: u64 = took.values().sum();
    let wanted = ((all as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    let (step, _) = took.iter().find(|(_, count)| {
        seen += **count;
        seen >= wanted
    })?;
    Some((((f64::from(*step) + 0.5) / STEPS).exp2() - 1.0).round().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn end(secs: i64, how: How, total_ms: u64) -> End {
        End { at: at(secs), how, cached: false, total_ms }
    }

    const NOW: i64 = 100 * 24 * HOUR_SECS + 1_800;

    #[test]
    fn a_day_is_counted_whatever_the_order_and_no_longer() {
        let mut track = Track::default();
        for ago in [0, 23, 24, 30, 5, 5] {
            track.count(&end(NOW - ago * HOUR_SECS, How::Answered, 100));
        }
        let measured = track.measured(at(0), window(at(NOW)));
        assert_eq!((measured.answered, measured.hours.len()), (4, 3));
        assert_eq!(measured.last_success, Some(at(NOW)));
        assert!(measured.hours.is_sorted_by_key(|hour| hour.from));
        // Two days later nothing is left of it, but when it last worked is still known.
        let later = track.measured(at(0), window(at(NOW + 48 * HOUR_SECS)));
        assert_eq!((later.answered, later.success_percent, later.last_success), (0, None, Some(at(NOW))));
        for n in 0..1_000 {
            track.count(&end(NOW + n * HOUR_SECS, How::Answered, 1));
        }
        assert!(track.hours.len() <= HOURS);
    }

    #[test]
    fn a_refusal_is_a_success_and_what_never_left_is_no_failure() {
        let mut track = Track::default();
        track.count(&end(NOW, How::Refused(Some(RefusalReason::MemberNotFound)), 5));
        track.count(&end(NOW, How::Failed(ErrorKind::CarrierTimeout, true), 9_000));
        track.count(&end(NOW, How::Failed(ErrorKind::CredentialMissing, false), 1));
        track.count(&end(NOW, How::Failed(ErrorKind::CarrierPaused, false), 1));
        track.count(&End { cached: true, ..end(NOW, How::Answered, 1) });
        let measured = track.measured(at(0), window(at(NOW)));
        assert_eq!((measured.refused, measured.failed, measured.not_asked, measured.saved), (1, 1, 2, 1));
        assert_eq!(measured.success_percent, Some(50.0));
        assert_eq!(measured.last_failure.unwrap().kind, ErrorKind::CarrierTimeout);
        // A failure's time is not the carrier's.
        assert!(measured.p95_ms.unwrap() < 10);
        assert_eq!(side(ErrorKind::CredentialRejected, false), Side::Practice);
        assert_eq!(side(ErrorKind::CarrierPaused, false), Side::Nobody);
        // By its file nothing was sent; said by the carrier itself, it is the carrier's.
        assert_eq!([false, true].map(|sent| side(ErrorKind::CarrierClosed, sent)), [Side::Nobody, Side::Carrier]);
        assert!(was_sent(ErrorKind::CarrierUnavailable, false) && !was_sent(ErrorKind::CarrierClosed, false));
    }

    #[test]
    fn percentiles_are_right_within_five_per_cent() {
        let mut track = Track::default();
        for ms in 1..=10_000 {
            track.count(&end(NOW, How::Answered, ms));
        }
        let measured = track.measured(at(0), window(at(NOW)));
        for (found, right) in [(measured.p50_ms, 5_000.0), (measured.p95_ms, 9_500.0)] {
            let found = found.unwrap() as f64;
            assert!((found / right - 1.0).abs() < 0.05, "{found} for {right}");
        }
        assert!(step(u64::MAX) <= 512);
        assert_eq!(percentile(&BTreeMap::new(), 0.5), None);
    }

    #[test]
    fn practices_see_their_own_and_the_number_followed_has_a_bound() {
        let pulse = Arc::new(Pulse::default());
        let (one, two) = (PracticeId::new("p-1"), PracticeId::new("p-2"));
        let guard = pulse.enter(&one, "acme");
        assert_eq!((pulse.of(&one, "acme").under_way, pulse.of(&two, "acme").under_way), (1, 0));
        let begins = time(window(Timestamp::now()));
        assert_eq!(pulse.of(&two, "c0").since, begins);
        for n in 0..FOLLOWED_MAX + 10 {
            drop(pulse.enter(&two, &format!("c{n}")));
        }
        assert!(pulse.lock().tracks.values().map(HashMap::len).sum::<usize>() <= FOLLOWED_MAX);
        assert_eq!(pulse.of(&one, "acme").under_way, 1, "what is under way is not forgotten");
        // What was forgotten is not said to have been followed for a day.
        let is_gone = |id: &String| !pulse.lock().tracks[&two].contains_key(id);
        let gone = (0..FOLLOWED_MAX).map(|n| format!("c{n}")).find(is_gone).unwrap();
        assert!(pulse.of(&two, &gone).since > begins);
        drop(pulse.enter(&two, &gone));
        assert!(pulse.of(&two, &gone).since > begins);
        assert_eq!(pulse.of(&one, "acme").since, begins);
        drop(guard);
        assert_eq!(pulse.of(&one, "acme").under_way, 0);
    }
}
