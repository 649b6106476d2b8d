//! Saved answers, and one call for twins that ask at the same time.
//!
//! The key is an HMAC under a key of this process over practice, carrier, the carrier file's version, the practice's
//! epoch at the carrier (it moves when a credential changes) and the ask as it would be sent. No practice can meet
//! another's answer, and the table of keys tells nothing about patients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Outcome};
use jiff::{SignedDuration, Timestamp};
use moka::future::Cache;
use ring::hmac;

use super::around::Duty;
use super::{FirstTold, Inner, Question, Said, Told, ask};
use crate::carriers::{CacheRules, Carrier};
use crate::practice::PracticeId;
use crate::wire::Exchange;

/// Answers held at most, all carriers together.
const ENTRIES_MAX: u64 = 50_000;
/// Twins that wait for one call share its failure; nobody after them does.
const FAILURE_KEPT: Duration = Duration::from_millis(1);

type Key = [u8; 32];

/// The answers of all carriers.
pub struct AnswerCache {
    answers: Cache<Key, Saved>,
    key: hmac::Key,
    epochs: Mutex<HashMap<(PracticeId, String), u64>>,
}

#[derive(Clone)]
struct Saved {
    told: Arc<Told>,
    /// How long it counts as fresh, from when the carrier said it.
    keep: Duration,
    /// How long it is kept from now.
    lives: Duration,
}

impl Saved {
    /// The same, to be kept again for as long as it was to be; `None` where that is over.
    fn again(self) -> Option<Self> {
        let age = Duration::try_from(Timestamp::now().duration_since(self.told.as_of)).unwrap_or(Duration::MAX);
        let lives = self.keep.checked_sub(age).filter(|left| !left.is_zero())?;
        self.told.said.is_ok().then_some(Self { lives, ..self })
    }
}

struct PerEntry;

impl moka::Expiry<Key, Saved> for PerEntry {
    fn expire_after_create(&self, _: &Key, saved: &Saved, _: std::time::Instant) -> Option<Duration> {
        Some(saved.lives)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        saved: &Saved,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(saved.lives)
    }
}

impl AnswerCache {
    /// An empty cache with a fresh key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the system gives no random bytes.
    pub fn new() -> Result<Self, Error> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
            .map_err(|_| Error::new(ErrorKind::Internal, "The system gives no random bytes."))?;
        let answers = Cache::builder().max_capacity(ENTRIES_MAX).expire_after(PerEntry).build();
        Ok(Self { answers, key, epochs: Mutex::default() })
    }

    /// Forgets what a practice was told by a carrier: its credential changed.
    pub fn forget(&self, practice: &PracticeId, carrier: &str) {
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        *epochs.entry((practice.clone(), carrier.to_owned())).or_default() += 1;
    }

    fn key(&self, question: &Question, carrier: &Carrier) -> Result<Key, Error> {
        let practice = question.caller.practice();
        let epoch = {
            let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
            epochs.get(&(practice.clone(), carrier.id.clone())).copied().unwrap_or(0)
        };
        // A tuple of typed parts as JSON: no two different questions give the same bytes.
        let parts = (practice.as_str(), &carrier.id, carrier.version, epoch, &*question.ask, question.today);
        let bytes = serde_json::to_vec(&parts)
            .map_err(|_| Error::new(ErrorKind::Internal, "The question cannot be made into a cache key."))?;
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&self.key, &bytes).as_ref());
        Ok(key)
    }
}

/// Puts the cache before a carrier's attempts.
#[derive(Clone)]
pub struct CacheLayer {
    carrier: Arc<Carrier>,
    cache: Arc<AnswerCache>,
}

impl CacheLayer {
    /// A layer for one carrier over the cache of all.
    pub fn new(carrier: Arc<Carrier>, cache: Arc<AnswerCache>) -> Self {
        Self { carrier, cache }
    }
}

impl Duty for CacheLayer {
    async fn pass<S: Inner>(self, inner: S, question: Question) -> Told {
        let key = match self.cache.key(&question, &self.carrier) {
            Ok(key) => key,
            Err(error) => return Told::failed(error),
        };
        let oldest = question.max_age.map(|age| earliest(question.asked_at, age));
        let rules = self.carrier.cache;
        // What was exchanged goes to the caller that made the call and is not saved: the cache bounds entries, not bytes.
        let exchanged = Mutex::new(None);
        let call = async {
            let first = Arc::new(FirstTold::new(question.id.clone()));
            let mut told = Told { first: Some(first), ..ask(inner, question).await };
            let keep = keep_for(&told, rules);
            *exchanged.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::mem::take(&mut told.exchanges));
            Saved { told: Arc::new(told), keep, lives: keep }
        };
        let too_old =
            |saved: &Saved| saved.told.said.is_err() || oldest.is_some_and(|oldest| saved.told.as_of < oldest);
        // Whoever asks anew and gets no answer must not take the saved one away from those who ask later.
        let before = if oldest.is_some() { self.cache.answers.get(&key).await } else { None };
        let entry = self.cache.answers.entry_by_ref(&key).or_insert_with_if(call, too_old).await;
        let fresh = entry.is_fresh();
        let saved = entry.into_value();
        if let Some(before) = before.filter(|_| fresh && saved.told.said.is_err()).and_then(Saved::again) {
            self.cache.answers.insert(key, before).await;
        }
        let exchanged = exchanged.into_inner().unwrap_or_else(PoisonError::into_inner);
        handed_out(&saved, exchanged.filter(|_| fresh))
    }
}

fn earliest(asked_at: Timestamp, age: Duration) -> Timestamp {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    asked_at.checked_sub(age).unwrap_or(Timestamp::MIN)
}

fn keep_for(told: &Told, rules: CacheRules) -> Duration {
    match told.said.as_deref() {
        Ok(Said::Eligibility(Outcome::Answered(_))) => rules.eligibility,
        Ok(Said::Eligibility(Outcome::Refused(refusal))) => {
            // "Ask again later" must not be kept as if it were a word about the member.
            if refusal.reason == connector_sdk::RefusalReason::CarrierBusy { FAILURE_KEPT } else { rules.refusal }
        }
        Err(_) => FAILURE_KEPT,
    }
}

/// The caller that made the call gets all of it; twins and later callers get it marked as saved, without the bytes.
fn handed_out(saved: &Saved, exchanged: Option<Arc<Vec<Exchange>>>) -> Told {
    let mut told = Told::clone(&saved.told);
    told.stale_after = SignedDuration::try_from(saved.keep).ok().and_then(|keep| told.as_of.checked_add(keep).ok());
    match exchanged {
        Some(exchanged) => told.exchanges = exchanged,
        None => {
            told.cached = told.said.is_ok();
            told.queued = Duration::ZERO;
            told.carrier_time = Duration::ZERO;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use connector_sdk::{Refusal, RefusalReason};

    use tower::Layer;

    use super::*;
    use crate::stack::around::Around;
    use crate::stack::tests::{carrier, question, question_of};

    fn counted(calls: &Arc<AtomicU32>, result: Result<(), ErrorKind>) -> impl Inner + use<> {
        let calls = calls.clone();
        tower::service_fn(move |_: Question| {
            calls.fetch_add(1, Ordering::SeqCst);
            let mut told = Told::failed(Error::new(ErrorKind::CarrierUnavailable, "x"));
            if result.is_ok() {
                let refusal = Refusal::new(RefusalReason::MemberNotFound);
                told.said = Ok(Arc::new(Said::Eligibility(Outcome::Refused(refusal))));
            }
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                told.as_of = Timestamp::now();
                Ok::<_, Infallible>(told)
            }
        })
    }

    #[tokio::test]
    async fn a_thousand_twins_cause_one_call() {
        let calls = Arc::new(AtomicU32::new(0));
        let cache = Arc::new(AnswerCache::new().unwrap());
        let service = Around(CacheLayer::new(carrier(), cache)).layer(counted(&calls, Ok(())));
        let all = (0..1000).map(|_| ask(service.clone(), question(Duration::from_secs(30))));
        let told = futures_util::future::join_all(all).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(told.iter().filter(|told| told.cached).count(), 999);
    }

    #[tokio::test]
    async fn another_practice_another_credential_and_max_age_ask_anew() {
        let calls = Arc::new(AtomicU32::new(0));
        let cache = Arc::new(AnswerCache::new().unwrap());
        let service = Around(CacheLayer::new(carrier(), cache.clone())).layer(counted(&calls, Ok(())));
        ask(service.clone(), question(Duration::from_secs(30))).await;
        ask(service.clone(), question(Duration::from_secs(30))).await;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        ask(service.clone(), question_of("other practice", Duration::from_secs(30))).await;
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        let now = Question { max_age: Some(Duration::ZERO), ..question(Duration::from_secs(30)) };
        assert!(!ask(service.clone(), now).await.cached);
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        cache.forget(question(Duration::ZERO).caller.practice(), &carrier().id);
        ask(service.clone(), question(Duration::from_secs(30))).await;
        assert_eq!(calls.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn what_was_exchanged_is_not_saved() {
        let calls = Arc::new(AtomicU32::new(0));
        let cache = Arc::new(AnswerCache::new().unwrap());
        let exchanged = Arc::new(Vec::<Exchange>::new());
        let (inside, theirs) = (counted(&calls, Ok(())), exchanged.clone());
        let inside = tower::service_fn(move |question: Question| {
            let (inside, exchanges) = (inside.clone(), theirs.clone());
            async move { Ok::<_, Infallible>(Told { exchanges, ..ask(inside, question).await }) }
        });
        let service = Around(CacheLayer::new(carrier(), cache)).layer(inside);
        let first = ask(service.clone(), question(Duration::from_secs(30))).await;
        assert!(Arc::ptr_eq(&first.exchanges, &exchanged));
        drop(first);
        let second = ask(service.clone(), question(Duration::from_secs(30))).await;
        assert!(second.cached && !Arc::ptr_eq(&second.exchanges, &exchanged));
        // Here and in the carrier's stand-in: the cache holds none.
        assert_eq!(Arc::strong_count(&exchanged), 2);
    }

    #[tokio::test]
    async fn a_failure_does_not_hide_the_saved_answer() {
        let calls = Arc::new(AtomicU32::new(0));
        let cache = Arc::new(AnswerCache::new().unwrap());
        let good = Around(CacheLayer::new(carrier(), cache.clone())).layer(counted(&calls, Ok(())));
        let bad = Around(CacheLayer::new(carrier(), cache)).layer(counted(&calls, Err(ErrorKind::CarrierUnavailable)));
        let first = ask(good.clone(), question(Duration::from_secs(30))).await;
        let now = Question { max_age: Some(Duration::ZERO), ..question(Duration::from_secs(30)) };
        assert!(ask(bad, now).await.said.is_err());
        let saved = ask(good, question(Duration::from_secs(30))).await;
        assert!(saved.cached && saved.as_of == first.as_of && saved.stale_after == first.stale_after);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let calls = Arc::new(AtomicU32::new(0));
        let cache = Arc::new(AnswerCache::new().unwrap());
        let service =
            Around(CacheLayer::new(carrier(), cache)).layer(counted(&calls, Err(ErrorKind::CarrierUnavailable)));
        for _ in 0..2 {
            let told = ask(service.clone(), question(Duration::from_secs(30))).await;
            assert!(told.said.is_err() && !told.cached);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}
